/*
 * status_shmem.h
 *		What the worker publishes, and readers copy.
 *
 * One LWLock protects it, held for a memcpy.  The functions take it, so the caller must
 * not hold it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_STATUS_SHMEM_H
#define PADV_STATUS_SHMEM_H

#include "core/model/pools.h"
#include "core/model/status.h"
#include "machine/machine.h"

/* Install the hooks that request and set up all shared memory; from _PG_init. */
extern void padv_status_shmem_install_hooks(void);

/*
 * Raise ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE unless the library was
 * preloaded.  Every SQL function calls it first.
 */
extern void padv_require_preloaded(void);

/*
 * What the worker is asked to reset, as bits.  Any process may request it; the worker
 * takes the requests, and resets, at its next sample.  No lock is taken.
 */
#define PADV_RESET_SCALABILITY 0x01
#define PADV_RESET_HISTORY 0x02
#define PADV_RESET_INCIDENTS 0x04

extern void padv_status_request_reset(uint32 what);
extern uint32 padv_status_take_resets(void);

/* For the worker: publish a copy of the argument. */
extern void padv_status_publish(const PadvStatus *status, const PadvDigest *digest);
extern void padv_status_publish_machine(const PadvMachine *machine);
extern void padv_status_publish_curve(const PadvScalabilityRow *rows, int nrows);
extern void padv_status_publish_blockers(const PadvBlockers *blockers);
extern void padv_status_publish_pools(const PadvFoundPool *pools, int count);

/*
 * Note that this process is the worker, until it exits; and whether there is one.  The
 * worker may exit right after a process has read that it runs.
 */
extern void padv_worker_announce(void);
extern bool padv_worker_running(void);

/*
 * Copies for readers.  The arrays are allocated in the current memory context, which
 * may raise out-of-memory; the result is the number of elements.
 */
extern void padv_status_copy(PadvStatus *status);
extern int	padv_status_copy_events(PadvEventRow **events);
extern int	padv_status_copy_roles(PadvRoleRow **roles);
extern int	padv_status_copy_facts(PadvFact **facts);
extern int	padv_status_copy_curve(PadvScalabilityRow **rows);
extern int	padv_status_copy_blockers(PadvBlocker **rows);
extern int	padv_status_copy_pools(PadvFoundPool **rows);

#endif							/* PADV_STATUS_SHMEM_H */
