/*
 * limits_shmem.c
 *		The limits in force, as every process sees them.
 *
 * Owns their copy in shared memory.  `lock` protects it.  The process that publishes
 * limits takes it exclusively for a memcpy.  Logins take it shared for a few binary
 * searches, and views for a memcpy.  No other lock is taken while it is held.
 *
 * `state` is atomic, so that a login takes no lock here when no limit is set.  It is
 * written with the lock held, except by a login whose wait for the first reading has
 * timed out.  It changes after sessions have been counted under the new limits.  A login
 * that has seen the old state completes its admission later (hooks/xact_end.c).
 *
 * The generation connects a search here with the quotas of admission, which have their
 * own lock.  Admission rejects limits of another generation.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/shmem.h"

#include "clock.h"
#include "compat.h"
#include "shmem/admission.h"
#include "shmem/limits_shmem.h"
#include "shmem/shared_settings.h"

/* A login that waits for the first reading checks the settings this often. */
#define CHECK_INTERVAL_MS 1000L

StaticAssertDecl(NAMEDATALEN <= PADV_NAME_SIZE, "the name of a database must fit");

typedef struct LimitsShared
{
	LWLock		lock;
	pg_atomic_uint32 state;		/* PadvLimitsState */
	pg_atomic_uint32 readings;
	ConditionVariable read;		/* state is no longer PADV_LIMITS_UNREAD */

	pg_atomic_uint32 tickets;	/* the last one taken */

	/* These fields are protected by lock. */
	uint32		ticket;			/* of the limits in force */
	uint32		generation;
	PadvLimits	limits;
} LimitsShared;

static LimitsShared *shared = NULL;

Size
padv_limits_shmem_size(void)
{
	return add_size(MAXALIGN(sizeof(LimitsShared)), padv_limits_block_size());
}

void
padv_limits_shmem_init(int tranche)
{
	bool		found;

	shared = ShmemInitStruct("pool_advisor limits", padv_limits_shmem_size(), &found);
	if (found)
		return;
	memset(shared, 0, sizeof(LimitsShared));
	LWLockInitialize(&shared->lock, tranche);
	padv_limits_init(&shared->limits, (char *) shared + MAXALIGN(sizeof(LimitsShared)));
	pg_atomic_init_u32(&shared->state, PADV_LIMITS_UNREAD);
	pg_atomic_init_u32(&shared->readings, 0);
	pg_atomic_init_u32(&shared->tickets, 0);
	ConditionVariableInit(&shared->read);
	shared->generation = 1;
}

PadvLimitsState
padv_limits_shmem_state(void)
{
	return pg_atomic_read_u32(&shared->state);
}

PadvLimitsState
padv_limits_shmem_wait(long timeout_ms)
{
	uint32		unread = PADV_LIMITS_UNREAD;
	int64		until = padv_monotonic_us() + (int64) timeout_ms * 1000;
	bool		late = false;

	/* sleep in short steps, because a reload does not end the sleep */
	ConditionVariablePrepareToSleep(&shared->read);
	while (padv_limits_shmem_state() == PADV_LIMITS_UNREAD &&
		   padv_enforcement_now() != PADV_ENFORCEMENT_OFF && !late)
	{
		(void) ConditionVariableTimedSleep(&shared->read, Min(timeout_ms, CHECK_INTERVAL_MS), PG_WAIT_EXTENSION);
		late = padv_monotonic_us() >= until;
	}
	ConditionVariableCancelSleep();

	/* only the first login that times out changes the state and logs it */
	if (late && pg_atomic_compare_exchange_u32(&shared->state, &unread, PADV_LIMITS_UNREADABLE))
		ereport(LOG,
				(errmsg("could not read connection limits"),
				 errdetail("No process has read them within %ld ms. All sessions are admitted until the limits can be read.", timeout_ms),
				 errhint("See the log for the \"pool_advisor sampler\" process, and make sure that \"max_worker_processes\" leaves room for it and one more.")));
	return padv_limits_shmem_state();
}

static void
find_limits(Oid role, Oid database, PadvSessionLimits *found)
{
	found->generation = shared->generation;
	found->database = database;
	found->count = padv_limits_of(&shared->limits, database, role, found->limits);
}

void
padv_limits_shmem_find(Oid role, Oid database, PadvSessionLimits *found)
{
	LWLockAcquire(&shared->lock, LW_SHARED);
	find_limits(role, database, found);
	LWLockRelease(&shared->lock);
}

bool
padv_limits_shmem_find_by_name(Oid role, const char *database, PadvSessionLimits *found)
{
	Oid			number;
	bool		known;

	LWLockAcquire(&shared->lock, LW_SHARED);
	known = padv_limits_database(&shared->limits, database, &number);
	find_limits(role, number, found);
	LWLockRelease(&shared->lock);
	return known;
}

bool
padv_limits_shmem_get(uint32 generation, int32 number, PadvLimit *limit)
{
	bool		result;

	LWLockAcquire(&shared->lock, LW_SHARED);
	result = shared->generation == generation;
	if (result)
		*limit = number == PADV_DEFAULT_LIMIT ? shared->limits.default_limit : shared->limits.limits[number];
	LWLockRelease(&shared->lock);
	return result;
}

char *
padv_describe_limit_on(const PadvLimit *limit, const char *role, const char *database)
{
	switch ((PadvScope) limit->scope)
	{
		case PADV_SCOPE_ROLE:
			return psprintf("role \"%s\"", role ? role : "?");
		case PADV_SCOPE_GROUP:
			return psprintf("role \"%s\" and its members", role ? role : "?");
		case PADV_SCOPE_DATABASE:
			return psprintf("database \"%s\"", database ? database : "?");
		case PADV_SCOPE_ROLE_IN_DATABASE:
			return psprintf("role \"%s\" in database \"%s\"",
							role ? role : "?", database ? database : "?");
		case PADV_SCOPE_DEFAULT:
			break;
	}
	return pstrdup("each role");
}

char *
padv_describe_limit(const PadvLimit *limit)
{
	return padv_describe_limit_on(limit,
								  OidIsValid(limit->role) ? GetUserNameFromId(limit->role, true) : NULL,
								  OidIsValid(limit->database) ? get_database_name(limit->database) : NULL);
}

int64
padv_limits_shmem_committed(void)
{
	int64		result;

	LWLockAcquire(&shared->lock, LW_SHARED);
	result = shared->limits.committed;
	LWLockRelease(&shared->lock);
	return result;
}

PadvLimits *
padv_limits_shmem_copy(uint32 *generation)
{
	PadvLimits *copy = palloc(sizeof(PadvLimits));

	padv_limits_init(copy, palloc(padv_limits_block_size()));
	LWLockAcquire(&shared->lock, LW_SHARED);
	if (generation != NULL)
		*generation = shared->generation;
	padv_limits_copy(copy, &shared->limits);
	LWLockRelease(&shared->lock);
	return copy;
}

/*
 * Set the state, unless another process has installed other limits meanwhile: that
 * process sets the state.
 */
static void
set_limits_state(PadvLimitsState state, uint32 generation)
{
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	if (shared->generation == generation)
		pg_atomic_write_u32(&shared->state, state);
	LWLockRelease(&shared->lock);
	ConditionVariableBroadcast(&shared->read);
}

/*
 * Install limits in shared memory, then count all sessions under them.  Nothing may fail
 * between the two steps, or the two generations would differ permanently.  Returns
 * false when the ticket is older than that of the limits in force.
 */
static bool
install_limits(const PadvLimits *limits, PadvLimitsState state, uint32 ticket)
{
	PadvRebuild *rebuild = padv_admission_rebuild_create();
	uint32		generation;
	bool		stale;

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	stale = (int32) (ticket - shared->ticket) < 0;
	if (!stale)
	{
		shared->ticket = ticket;
		shared->generation++;
		padv_limits_copy(&shared->limits, limits);
	}
	generation = shared->generation;
	LWLockRelease(&shared->lock);

	if (!stale)
	{
		padv_admission_rebuild(rebuild, limits, generation);
		set_limits_state(state, generation);
	}
	padv_admission_rebuild_free(rebuild);
	return !stale;
}

uint32
padv_limits_shmem_take_ticket(void)
{
	return pg_atomic_add_fetch_u32(&shared->tickets, 1);
}

void
padv_limits_shmem_publish(const PadvLimits *limits, uint32 ticket)
{
	PadvLimitsState state = padv_limits_any(limits) ? PADV_LIMITS_KNOWN : PADV_LIMITS_NONE;
	uint32		generation;
	bool		same;

	LWLockAcquire(&shared->lock, LW_SHARED);
	same = padv_limits_equal(&shared->limits, limits);
	generation = shared->generation;
	LWLockRelease(&shared->lock);

	/*
	 * equal limits are installed again if a process died while it installed
	 * them
	 */
	if ((same && padv_limits_shmem_state() == state && padv_admission_generation() == generation) ||
		install_limits(limits, state, ticket))
		pg_atomic_fetch_add_u32(&shared->readings, 1);
}

uint32
padv_limits_shmem_readings(void)
{
	return pg_atomic_read_u32(&shared->readings);
}

/*
 * Install the current limits with enforcement off.  The ticket is new, so that a loader
 * that is running, and has an older ticket, does not install enforced limits again.
 */
static void
install_unenforced(PadvLimitsState state)
{
	PadvLimits *limits = padv_limits_shmem_copy(NULL);

	/* the rebuild admits the logins that wait, too */
	limits->enforcement = PADV_ENFORCEMENT_OFF;
	(void) install_limits(limits, state, padv_limits_shmem_take_ticket());
	pfree(limits->block);
	pfree(limits);
}

bool
padv_limits_shmem_suspend(void)
{
	if (padv_limits_shmem_state() == PADV_LIMITS_UNREADABLE)
		return false;
	install_unenforced(PADV_LIMITS_UNREADABLE);
	return true;
}

void
padv_limits_shmem_stop_enforcing(void)
{
	PadvLimitsState state = padv_limits_shmem_state();

	if (state == PADV_LIMITS_NONE || state == PADV_LIMITS_KNOWN)
		install_unenforced(state);
}
