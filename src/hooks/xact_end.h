/*
 * xact_end.h
 *		What an admitted session does at the end of a transaction.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_XACT_END_H
#define PADV_XACT_END_H

/* Register the callback; from the login of this process. */
extern void padv_xact_end_start(void);

#endif							/* PADV_XACT_END_H */
