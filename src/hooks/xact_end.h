/*
 * xact_end.h
 *		What a session does for its place, once it is in.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_XACT_END_H
#define PADV_XACT_END_H

/* From the login. */
extern void padv_xact_end_start(void);

#endif							/* PADV_XACT_END_H */
