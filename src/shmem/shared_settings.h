/*
 * shared_settings.h
 *		Settings that every process sees as the postmaster does, without reading them.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SHARED_SETTINGS_H
#define PADV_SHARED_SETTINGS_H

#include "postgres.h"

extern Size padv_settings_shmem_size(void);
extern void padv_settings_shmem_init(void);

/*
 * pool_advisor.enforcement and pool_advisor.gate_enforcement (PadvEnforcement),
 * as the postmaster has read them last.  One atomic read; no lock, and no worker
 * is needed.  Who sleeps is woken by the SIGHUP that follows each change.
 *
 * They are what the DBA has set.  What the worker has put in force can be older.
 */
extern int	padv_enforcement_now(void);
extern int	padv_gate_enforcement_now(void);

/* Of transactions: off too where enforcement is, which is the emergency exit for all. */
extern int	padv_gate_enforcement_in_force(void);

/* The assign hooks of the two settings. */
extern void padv_assign_enforcement(int newval, void *extra);
extern void padv_assign_gate_enforcement(int newval, void *extra);

#endif							/* PADV_SHARED_SETTINGS_H */
