/*
 * stopping.h
 *		Whether the server has been asked to shut down.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_STOPPING_H
#define PADV_STOPPING_H

/*
 * Whether the postmaster has been told to shut down, in smart mode, too.  False when that
 * cannot be found out.  Opens and reads one small file, in about 10 us: fast enough for a
 * waiting process that checks once a second.  Does not raise; takes no lock.
 */
extern bool padv_is_stopping(void);

#endif							/* PADV_STOPPING_H */
