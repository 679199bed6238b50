/*
 * limits_shmem.c
 *		The caps in force, as every process sees them.
 *
 * Owns their copy in shared memory.  `lock` guards it: who publishes takes it
 * exclusively for a memcpy, logins take it shared for a few binary searches,
 * views for a memcpy.  No other lock is taken meanwhile.
 *
 * `state` is atomic, so that a login where no cap is set takes no lock here.  It is
 * written with the lock held, but for the first change by a login that has waited in
 * vain.  It is changed after sessions have been counted under the new caps; a login
 * that still saw the old state completes itself later (hooks/xact_end.c).
 *
 * The generation ties a search here to the accounts of the room admission, which have
 * a lock of their own: an answer of another generation is thrown away there.
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

/* Who waits for the first reading looks this often whether it still has to. */
#define LOOK_AROUND_MS 1000L

StaticAssertDecl(NAMEDATALEN <= PADV_NAME_SIZE, "the name of a database must fit");

typedef struct Limits
{
	LWLock		lock;
	pg_atomic_uint32 state;		/* PadvLimitsState */
	pg_atomic_uint32 readings;
	ConditionVariable read;		/* state is no longer PADV_LIMITS_UNREAD */

	pg_atomic_uint32 tickets;	/* handed out */

	/* guarded by lock */
	uint32		ticket;			/* of the caps in force */
	uint32		generation;
	PadvCaps	caps;
} Limits;

static Limits *limits = NULL;

Size
padv_limits_shmem_size(void)
{
	return add_size(MAXALIGN(sizeof(Limits)), padv_caps_block_size());
}

void
padv_limits_shmem_init(int tranche)
{
	bool		found;

	limits = ShmemInitStruct("pool_advisor limits", padv_limits_shmem_size(), &found);
	if (found)
		return;
	memset(limits, 0, sizeof(Limits));
	LWLockInitialize(&limits->lock, tranche);
	padv_caps_init(&limits->caps, (char *) limits + MAXALIGN(sizeof(Limits)));
	pg_atomic_init_u32(&limits->state, PADV_LIMITS_UNREAD);
	pg_atomic_init_u32(&limits->readings, 0);
	pg_atomic_init_u32(&limits->tickets, 0);
	ConditionVariableInit(&limits->read);
	limits->generation = 1;
}

PadvLimitsState
padv_limits_state(void)
{
	return pg_atomic_read_u32(&limits->state);
}

PadvLimitsState
padv_limits_wait(long timeout_ms)
{
	uint32		unread = PADV_LIMITS_UNREAD;
	int64		until = padv_monotonic_us() + (int64) timeout_ms * 1000;
	bool		late = false;

	/* in parts, because a reload does not end the sleep */
	ConditionVariablePrepareToSleep(&limits->read);
	while (padv_limits_state() == PADV_LIMITS_UNREAD &&
		   padv_enforcement_now() != PADV_ENFORCEMENT_OFF && !late)
	{
		(void) ConditionVariableTimedSleep(&limits->read, Min(timeout_ms, LOOK_AROUND_MS), PG_WAIT_EXTENSION);
		late = padv_monotonic_us() >= until;
	}
	ConditionVariableCancelSleep();

	/* the first to find it late changes the state, and is the one to say so */
	if (late && pg_atomic_compare_exchange_u32(&limits->state, &unread, PADV_LIMITS_UNREADABLE))
		ereport(LOG,
				(errmsg("pool_advisor lets all sessions through because the caps have not been read yet"),
				 errdetail("No process read them within %ld ms.", timeout_ms),
				 errhint("See the log for the \"pool_advisor sampler\" process; \"max_worker_processes\" must leave room for it and one more.")));
	return padv_limits_state();
}

static void
find(Oid role, Oid database, PadvSessionCaps *found)
{
	found->generation = limits->generation;
	found->database = database;
	found->count = padv_caps_of(&limits->caps, database, role, found->caps);
}

void
padv_limits_find(Oid role, Oid database, PadvSessionCaps *found)
{
	LWLockAcquire(&limits->lock, LW_SHARED);
	find(role, database, found);
	LWLockRelease(&limits->lock);
}

bool
padv_limits_find_by_name(Oid role, const char *database, PadvSessionCaps *found)
{
	Oid			number;
	bool		known;

	LWLockAcquire(&limits->lock, LW_SHARED);
	known = padv_caps_database(&limits->caps, database, &number);
	find(role, number, found);
	LWLockRelease(&limits->lock);
	return known;
}

bool
padv_limits_cap(uint32 generation, int32 number, PadvCap *cap)
{
	bool		result;

	LWLockAcquire(&limits->lock, LW_SHARED);
	result = limits->generation == generation;
	if (result)
		*cap = number == PADV_DEFAULT_CAP ? limits->caps.fallback : limits->caps.caps[number];
	LWLockRelease(&limits->lock);
	return result;
}

int64
padv_limits_committed(void)
{
	int64		result;

	LWLockAcquire(&limits->lock, LW_SHARED);
	result = limits->caps.committed;
	LWLockRelease(&limits->lock);
	return result;
}

PadvCaps *
padv_limits_copy(uint32 *generation)
{
	PadvCaps   *copy = palloc(sizeof(PadvCaps));

	padv_caps_init(copy, palloc(padv_caps_block_size()));
	LWLockAcquire(&limits->lock, LW_SHARED);
	if (generation != NULL)
		*generation = limits->generation;
	padv_caps_copy(copy, &limits->caps);
	LWLockRelease(&limits->lock);
	return copy;
}

/* Unless others are in force by now: who put them there has the last word. */
static void
set_state(PadvLimitsState state, uint32 generation)
{
	LWLockAcquire(&limits->lock, LW_EXCLUSIVE);
	if (limits->generation == generation)
		pg_atomic_write_u32(&limits->state, state);
	LWLockRelease(&limits->lock);
	ConditionVariableBroadcast(&limits->read);
}

/*
 * Nothing may fail between the two steps, or logins would find searches and
 * accounts of different generations for good.
 */
static bool
put_in_force(const PadvCaps *caps, PadvLimitsState state, uint32 ticket)
{
	PadvRecount *recount = padv_admission_recount_create();
	uint32		generation;
	bool		stale;

	LWLockAcquire(&limits->lock, LW_EXCLUSIVE);
	stale = (int32) (ticket - limits->ticket) < 0;
	if (!stale)
	{
		limits->ticket = ticket;
		limits->generation++;
		padv_caps_copy(&limits->caps, caps);
	}
	generation = limits->generation;
	LWLockRelease(&limits->lock);

	if (!stale)
	{
		padv_admission_recount(recount, caps, generation);
		set_state(state, generation);
	}
	padv_admission_recount_free(recount);
	return !stale;
}

uint32
padv_limits_take_ticket(void)
{
	return pg_atomic_add_fetch_u32(&limits->tickets, 1);
}

void
padv_limits_publish(const PadvCaps *caps, uint32 ticket)
{
	PadvLimitsState state = padv_caps_any(caps) ? PADV_LIMITS_KNOWN : PADV_LIMITS_NONE;
	uint32		generation;
	bool		same;

	LWLockAcquire(&limits->lock, LW_SHARED);
	same = padv_caps_equal(&limits->caps, caps);
	generation = limits->generation;
	LWLockRelease(&limits->lock);

	/* the same is not enough if somebody died while it was put in force */
	if ((same && padv_limits_state() == state && padv_admission_generation() == generation) ||
		put_in_force(caps, state, ticket))
		pg_atomic_fetch_add_u32(&limits->readings, 1);
}

uint32
padv_limits_readings(void)
{
	return pg_atomic_read_u32(&limits->readings);
}

/*
 * The caps as they are, but not enforced.  The ticket is a new one, so that a reader
 * that runs, which may know less than we do, does not put them in force again.
 */
static void
put_out_of_force(PadvLimitsState state)
{
	PadvCaps   *caps = padv_limits_copy(NULL);

	/* who stands in line is let in, too */
	caps->enforcement = PADV_ENFORCEMENT_OFF;
	(void) put_in_force(caps, state, padv_limits_take_ticket());
	pfree(caps->block);
	pfree(caps);
}

bool
padv_limits_give_up(void)
{
	if (padv_limits_state() == PADV_LIMITS_UNREADABLE)
		return false;
	put_out_of_force(PADV_LIMITS_UNREADABLE);
	return true;
}

void
padv_limits_stop_enforcing(void)
{
	PadvLimitsState state = padv_limits_state();

	if (state == PADV_LIMITS_NONE || state == PADV_LIMITS_KNOWN)
		put_out_of_force(state);
}
