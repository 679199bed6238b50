/*
 * xact_end.h
 *		What a session does for its place, once it is in.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SESSION_H
#define PADV_SESSION_H

/* From the login. */
extern void padv_session_start(void);

#endif							/* PADV_SESSION_H */
