/*
 * stopping.h
 *		Whether the server has been asked to shut down.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_STOPPING_H
#define PADV_STOPPING_H

/*
 * Whether the postmaster has been told to stop, in smart mode too.  False when that
 * cannot be found out.  Opens and reads one small file, some 10 us: good for a
 * process that waits and looks about once a second.  Never raises; takes no lock.
 */
extern bool padv_is_stopping(void);

#endif							/* PADV_STOPPING_H */
