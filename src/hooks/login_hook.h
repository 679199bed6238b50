/*
 * login_hook.h
 *		A client has proved who it is: may it come in?
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LOGIN_HOOK_H
#define PADV_LOGIN_HOOK_H

#include "core/policy/limits.h"

/* From _PG_init. */
extern void padv_login_hook_install(void);

/* The place of a limit in words, for the log; the client must not learn of groups. */
extern char *padv_describe_limit(const PadvLimit *limit);

#endif							/* PADV_LOGIN_HOOK_H */
