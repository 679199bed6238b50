/*
 * login_hook.h
 *		Admission of a client after authentication.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LOGIN_HOOK_H
#define PADV_LOGIN_HOOK_H

#include "core/policy/limits.h"

/* Install the authentication hook; from _PG_init. */
extern void padv_login_hook_install(void);

/*
 * What a limit is on, in words, for the log only: the client must not learn of groups.
 * The result is allocated in the current memory context.  Reads catalogs, may raise.
 */
extern char *padv_describe_limit(const PadvLimit *limit);

#endif							/* PADV_LOGIN_HOOK_H */
