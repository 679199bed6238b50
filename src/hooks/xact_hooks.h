/*
 * xact_hooks.h
 *		A transaction begins: may it run now?
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_XACT_HOOKS_H
#define PADV_XACT_HOOKS_H

/* From _PG_init. */
extern void padv_xact_hooks_install(void);

/* From the login: this session's transactions need slots. */
extern void padv_xact_hooks_start(void);

#endif							/* PADV_XACT_HOOKS_H */
