/*
 * xact_hooks.h
 *		A transaction begins: may it run now?
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_GATE_H
#define PADV_GATE_H

/* From _PG_init. */
extern void padv_gate_install_hooks(void);

/* From the login: this session's transactions need turns. */
extern void padv_gate_start(void);

#endif							/* PADV_GATE_H */
