/*
 * xact_hooks.h
 *		The hooks in which a transaction gets its slot, or waits for it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_XACT_HOOKS_H
#define PADV_XACT_HOOKS_H

/* Install the hooks; from _PG_init. */
extern void padv_xact_hooks_install(void);

/* From the login: the transactions of this session need slots from now on. */
extern void padv_xact_hooks_start(void);

#endif							/* PADV_XACT_HOOKS_H */
