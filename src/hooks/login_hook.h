/*
 * login_hook.h
 *		Admission of a client after authentication.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LOGIN_HOOK_H
#define PADV_LOGIN_HOOK_H

/* Install the authentication hook; from _PG_init. */
extern void padv_login_hook_install(void);

#endif							/* PADV_LOGIN_HOOK_H */
