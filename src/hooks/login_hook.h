/*
 * login_hook.h
 *		A client has proved who it is: may it come in?
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LOGIN_H
#define PADV_LOGIN_H

#include "core/policy/limits.h"

/* From _PG_init. */
extern void padv_login_install_hook(void);

/* The place of a limit in words, for the log; the client must not learn of groups. */
extern char *padv_describe_limit(const PadvCap *cap);

#endif							/* PADV_LOGIN_H */
