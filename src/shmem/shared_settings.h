/*
 * shared_settings.h
 *		Settings that all processes see as the postmaster has read them.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SHARED_SETTINGS_H
#define PADV_SHARED_SETTINGS_H

#include "postgres.h"

/* Bytes of shared memory, and its set-up; for status_shmem.c. */
extern Size padv_settings_shmem_size(void);
extern void padv_settings_shmem_init(void);

/*
 * pool_advisor.enforcement and pool_advisor.gate_enforcement (PadvEnforcement), as the
 * postmaster has read them last.  Each is one atomic read, without a lock, and works
 * without the worker.  The SIGHUP that follows each change wakes waiters.
 *
 * These are the DBA's settings.  The limits that the worker has installed can be older.
 */
extern int	padv_enforcement_now(void);
extern int	padv_gate_enforcement_now(void);

/* The enforcement for transactions; off too where enforcement is off. */
extern int	padv_gate_enforcement_in_force(void);

/* The assign hooks of the two settings; only the postmaster stores the values. */
extern void padv_assign_enforcement(int newval, void *extra);
extern void padv_assign_gate_enforcement(int newval, void *extra);

#endif							/* PADV_SHARED_SETTINGS_H */
