/*
 * login.h
 *		A client has proved who it is: may it come in?
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LOGIN_H
#define PADV_LOGIN_H

/* From _PG_init. */
extern void padv_login_install_hook(void);

#endif							/* PADV_LOGIN_H */
