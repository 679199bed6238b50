/*
 * status_shmem.c
 *		What the worker publishes, and readers copy.
 *
 * Owns that memory.  Also requests and initializes the memory of the other files of
 * shmem/, each of which owns its own.
 *
 * `lock` protects all fields except the atomic ones.  The worker takes it exclusively and
 * readers take it shared, both for a memcpy.  Neither holds another lock at the same
 * time.  Nothing is computed, allocated or raised while it is held.
 *
 * `resets` is atomic: a backend sets bits, and the worker clears them.  `worker_pid` is
 * atomic: the worker writes it at its start and exit, and any process reads it.  The
 * worker may exit right after the read; readers accept that.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "shmem/admission.h"
#include "shmem/ended_sessions.h"
#include "shmem/history_shmem.h"
#include "shmem/incidents_shmem.h"
#include "shmem/limits_shmem.h"
#include "shmem/load_shmem.h"
#include "shmem/shared_settings.h"
#include "shmem/status_shmem.h"
#include "shmem/trials_shmem.h"
#include "shmem/xact_stats.h"

#define SHMEM_NAME "pool_advisor"

typedef struct PadvStatusShared
{
	LWLock	   *lock;
	pg_atomic_uint32 worker_pid;	/* 0: none */
	pg_atomic_uint32 resets;	/* requested and not done yet */

	/* These fields are protected by lock. */
	PadvStatus	status;
	int			nevents;
	int			nroles;
	int			nfacts;
	int			nrows;
	PadvEventRow events[PADV_MAX_EVENTS];
	PadvRoleRow roles[PADV_MAX_ROLES];
	PadvFact	facts[PADV_MAX_FACTS];
	PadvScalabilityRow rows[PADV_CURVE_BINS];
	PadvBlockers blockers;
	int			npools;
	PadvFoundPool pools[PADV_MAX_FOUND_POOLS];
} PadvStatusShared;

static PadvStatusShared *shared = NULL;
static shmem_request_hook_type previous_shmem_request_hook = NULL;
static shmem_startup_hook_type previous_shmem_startup_hook = NULL;

static void
request_shared_memory(void)
{
	if (previous_shmem_request_hook)
		previous_shmem_request_hook();
	RequestAddinShmemSpace(MAXALIGN(sizeof(PadvStatusShared)));
	RequestAddinShmemSpace(padv_history_shmem_size());
	RequestAddinShmemSpace(padv_load_shmem_size());
	RequestAddinShmemSpace(padv_incidents_shmem_size());
	RequestAddinShmemSpace(padv_settings_shmem_size());
	RequestAddinShmemSpace(padv_limits_shmem_size());
	RequestAddinShmemSpace(padv_admission_shmem_size());
	RequestAddinShmemSpace(padv_xact_stats_shmem_size());
	RequestAddinShmemSpace(padv_ended_shmem_size());
	RequestAddinShmemSpace(padv_trials_shmem_size());
	RequestNamedLWLockTranche(SHMEM_NAME, 1);
}

static void
start_shared_memory(void)
{
	bool		found;

	if (previous_shmem_startup_hook)
		previous_shmem_startup_hook();

	/* after a crash this runs again, with new memory */
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct(SHMEM_NAME, sizeof(PadvStatusShared), &found);
	if (!found)
	{
		memset(shared, 0, sizeof(PadvStatusShared));
		shared->lock = &GetNamedLWLockTranche(SHMEM_NAME)->lock;
		pg_atomic_init_u32(&shared->worker_pid, 0);
		pg_atomic_init_u32(&shared->resets, 0);
		padv_model_init(&shared->status.model);
	}
	padv_history_shmem_init(GetNamedLWLockTranche(SHMEM_NAME)->lock.tranche);
	padv_load_shmem_init(GetNamedLWLockTranche(SHMEM_NAME)->lock.tranche);
	padv_incidents_shmem_init(GetNamedLWLockTranche(SHMEM_NAME)->lock.tranche);
	padv_settings_shmem_init();
	padv_limits_shmem_init(GetNamedLWLockTranche(SHMEM_NAME)->lock.tranche);
	padv_admission_shmem_init();
	padv_xact_stats_shmem_init(GetNamedLWLockTranche(SHMEM_NAME)->lock.tranche);
	padv_ended_shmem_init();
	padv_trials_shmem_init(GetNamedLWLockTranche(SHMEM_NAME)->lock.tranche);
	LWLockRelease(AddinShmemInitLock);
}

void
padv_status_shmem_install_hooks(void)
{
	previous_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_shared_memory;
	previous_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = start_shared_memory;
}

void
padv_require_preloaded(void)
{
	if (shared == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pool_advisor must be loaded via \"shared_preload_libraries\""),
				 errhint("Add pool_advisor to \"shared_preload_libraries\" and restart the server.")));
}

void
padv_status_publish(const PadvStatus *status, const PadvDigest *digest)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	memcpy(&shared->status, status, sizeof(PadvStatus));
	shared->nevents = digest->nevents;
	memcpy(shared->events, digest->events, digest->nevents * sizeof(PadvEventRow));
	shared->nroles = digest->nroles;
	memcpy(shared->roles, digest->roles, digest->nroles * sizeof(PadvRoleRow));
	LWLockRelease(shared->lock);
}

void
padv_status_publish_machine(const PadvMachine *machine)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	shared->nfacts = machine->nfacts;
	memcpy(shared->facts, machine->facts, machine->nfacts * sizeof(PadvFact));
	LWLockRelease(shared->lock);
}

void
padv_status_publish_curve(const PadvScalabilityRow *rows, int nrows)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	shared->nrows = nrows;
	memcpy(shared->rows, rows, nrows * sizeof(PadvScalabilityRow));
	LWLockRelease(shared->lock);
}

void
padv_status_publish_blockers(const PadvBlockers *blockers)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	shared->blockers.count = blockers->count;
	memcpy(shared->blockers.rows, blockers->rows, blockers->count * sizeof(PadvBlocker));
	LWLockRelease(shared->lock);
}

void
padv_status_publish_pools(const PadvFoundPool *pools, int count)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	shared->npools = count;
	memcpy(shared->pools, pools, count * sizeof(PadvFoundPool));
	LWLockRelease(shared->lock);
}

void
padv_status_request_reset(uint32 what)
{
	pg_atomic_fetch_or_u32(&shared->resets, what);
}

uint32
padv_status_take_resets(void)
{
	if (pg_atomic_read_u32(&shared->resets) == 0)
		return 0;
	return pg_atomic_exchange_u32(&shared->resets, 0);
}

static void
clear_worker_pid(int code pg_attribute_unused(), Datum arg pg_attribute_unused())
{
	pg_atomic_write_u32(&shared->worker_pid, 0);
}

void
padv_worker_announce(void)
{
	before_shmem_exit(clear_worker_pid, (Datum) 0);
	pg_atomic_write_u32(&shared->worker_pid, MyProcPid);
}

bool
padv_worker_running(void)
{
	return pg_atomic_read_u32(&shared->worker_pid) != 0;
}

void
padv_status_copy(PadvStatus *status)
{
	LWLockAcquire(shared->lock, LW_SHARED);
	memcpy(status, &shared->status, sizeof(PadvStatus));
	LWLockRelease(shared->lock);
}

/*
 * The caller has allocated the array for the largest number of elements, because nothing
 * may be allocated while the lock is held.
 */
static int
copy_status_array(void *to, const void *from, const int *count, size_t element)
{
	int			result;

	LWLockAcquire(shared->lock, LW_SHARED);
	result = *count;
	memcpy(to, from, result * element);
	LWLockRelease(shared->lock);
	return result;
}

int
padv_status_copy_events(PadvEventRow **events)
{
	*events = palloc(sizeof(shared->events));
	return copy_status_array(*events, shared->events, &shared->nevents, sizeof(PadvEventRow));
}

int
padv_status_copy_roles(PadvRoleRow **roles)
{
	*roles = palloc(sizeof(shared->roles));
	return copy_status_array(*roles, shared->roles, &shared->nroles, sizeof(PadvRoleRow));
}

int
padv_status_copy_facts(PadvFact **facts)
{
	*facts = palloc(sizeof(shared->facts));
	return copy_status_array(*facts, shared->facts, &shared->nfacts, sizeof(PadvFact));
}

int
padv_status_copy_curve(PadvScalabilityRow **rows)
{
	*rows = palloc(sizeof(shared->rows));
	return copy_status_array(*rows, shared->rows, &shared->nrows, sizeof(PadvScalabilityRow));
}

int
padv_status_copy_blockers(PadvBlocker **rows)
{
	*rows = palloc(sizeof(shared->blockers.rows));
	return copy_status_array(*rows, shared->blockers.rows, &shared->blockers.count, sizeof(PadvBlocker));
}

int
padv_status_copy_pools(PadvFoundPool **rows)
{
	*rows = palloc(sizeof(shared->pools));
	return copy_status_array(*rows, shared->pools, &shared->npools, sizeof(PadvFoundPool));
}
