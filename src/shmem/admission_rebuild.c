/*
 * admission_rebuild.c
 *		Counting all sessions again when limits have changed, and copies for readers.
 *
 * admission_internal.h says which lock protects what.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "clock.h"
#include "shmem/admission_internal.h"

/* How often the role table is copied until no role was evicted during a copy. */
#define MAX_COPIES 10

/* The limits of a backend, found before the mutex is taken. */
typedef struct PreparedLimits
{
	Oid			role;
	Oid			database;
	int32		count;
	int32		limits[PADV_MAX_SESSION_LIMITS];
} PreparedLimits;

/* What is counted at the queue of a limit, before the limits change. */
typedef struct QueueOfLimit
{
	int32		stats;			/* index in padv_queue_stats */
	bool		kept;			/* the limit is among the new ones, too */
} QueueOfLimit;

struct PadvRebuild
{
	PreparedLimits *prepared;	/* by backend */
	QueueOfLimit *queues;		/* by limit */
	int32	   *granted_list;
	int32	   *procnos;
	int32	   *slot_procnos;
};

PadvRebuild *
padv_admission_rebuild_create(void)
{
	PadvRebuild *rebuild = palloc(sizeof(PadvRebuild));
	int			nslots = padv_admission_backends();

	rebuild->prepared = palloc0(mul_size(nslots, sizeof(PreparedLimits)));
	rebuild->queues = palloc(PADV_MAX_LIMITS * sizeof(QueueOfLimit));
	rebuild->granted_list = palloc(mul_size(nslots, sizeof(int32)));
	rebuild->procnos = palloc(mul_size(nslots, sizeof(int32)));
	rebuild->slot_procnos = palloc(mul_size(nslots, sizeof(int32)));
	return rebuild;
}

void
padv_admission_rebuild_free(PadvRebuild *rebuild)
{
	pfree(rebuild->prepared);
	pfree(rebuild->queues);
	pfree(rebuild->granted_list);
	pfree(rebuild->procnos);
	pfree(rebuild->slot_procnos);
	pfree(rebuild);
}

/*
 * Find the limits of all backends without the mutex.  Role and database may change
 * meanwhile: rebuild_login compares them, and searches again if they have changed.
 */
static void
find_all_limits(PreparedLimits *prepared, const PadvLimits *limits)
{
	for (int i = 0; i < padv_admission_backends(); i++)
	{
		const volatile PadvBackend *backend = &padv_backends[i];
		PreparedLimits *mine = &prepared[i];

		mine->role = backend->role;
		mine->database = backend->database;
		mine->count = 0;
		if (OidIsValid(mine->role))
			mine->count = padv_limits_of(limits, mine->database, mine->role, mine->limits);
	}
}

/* Whether the counters are of a limit that is before this one, equal to it, or after it. */
static int
compare_stats(const PadvQueueStats *stats, const PadvLimit *limit)
{
	if (stats->database != limit->database)
		return stats->database < limit->database ? -1 : 1;
	return stats->role < limit->role ? -1 : stats->role > limit->role;
}

/* Move the counters of limits that stay.  Both the old and the new ones are sorted. */
static int
keep_queue_stats(QueueOfLimit *old, const PadvLimits *limits)
{
	int			nold = padv_admission->nlimits;
	int			most = Max(nold, limits->nlimits);
	int			at = 0;

	for (int i = 0; i < most; i++)
		old[i] = (QueueOfLimit) {.stats = padv_limit_states[i].stats};
	for (int i = 0; i < limits->nlimits; i++)
	{
		padv_limit_states[i].stats = PADV_NONE;
		while (at < nold && compare_stats(&padv_queue_stats[old[at].stats], &limits->limits[i]) < 0)
			at++;
		if (at == nold || compare_stats(&padv_queue_stats[old[at].stats], &limits->limits[i]) > 0)
			continue;
		padv_limit_states[i].stats = old[at].stats;
		old[at].kept = true;
	}
	return most;
}

/*
 * Let the counters of a limit that stays go on with its new quota.  The other quotas get
 * the rest of the counters, so that each index is in use once.
 */
static void
move_queue_stats(QueueOfLimit *old, const PadvLimits *limits)
{
	int			most = keep_queue_stats(old, limits);
	int			next = 0;

	for (int i = 0; i < most; i++)
	{
		bool		is_new = i < limits->nlimits;

		if (is_new && padv_limit_states[i].stats != PADV_NONE)
			continue;
		while (old[next].kept)
			next++;
		padv_limit_states[i].stats = old[next++].stats;
		if (is_new)
			padv_queue_stats_begin(i, limits->limits[i].role, limits->limits[i].database);
	}
	padv_admission->nlimits = limits->nlimits;
}

static void
set_limit_states(const PadvLimits *limits)
{
	bool		enforced = limits->enforcement != PADV_ENFORCEMENT_OFF;

	padv_admission->closes_idle = padv_limit_closes_idle(&limits->default_limit);
	padv_admission->limits_active = enforced && limits->default_limit.value[PADV_MAX_ACTIVE] >= 0;
	for (int i = 0; i < limits->nlimits; i++)
	{
		padv_limit_state_set(i, limits->limits[i].value, limits->enforcement);
		padv_limit_states[i].from_default = limits->limits[i].from_default;
		padv_limit_state_set_share(i, limits->limits[i].value,
								   padv_limit_share_order(&limits->limits[i], &limits->default_limit));
		if (padv_limit_closes_idle(&limits->limits[i]))
			padv_admission->closes_idle = true;
		if (enforced && limits->limits[i].value[PADV_MAX_ACTIVE] >= 0)
			padv_admission->limits_active = true;
	}
	for (int i = 0; i < padv_admission->nroles; i++)
	{
		padv_limit_state_set(PADV_ROLE_QUOTA(i), limits->default_limit.value, limits->enforcement);
		padv_limit_state_set_share(PADV_ROLE_QUOTA(i), limits->default_limit.value, 0);
	}
	padv_limit_states[PADV_SERVER_QUOTA].active.limit = padv_admission->server_max_active;
	padv_limit_state_set_queue(PADV_SERVER_QUOTA, limits->default_limit.value);
	padv_limit_state_set_queue(PADV_LANE_QUOTA, limits->default_limit.value);
	for (int i = 0; i < PADV_QUERY_ENTRIES; i++)
		padv_limit_state_set_queue(PADV_QUERY_QUOTA(i), limits->default_limit.value);
}

static void
rebuild_login(PadvBackend *backend, PreparedLimits *prepared, const PadvLimits *limits, uint32 generation)
{
	if (backend->login.state == PADV_REQUEST_NONE || !OidIsValid(backend->role))
		return;
	if (prepared->role != backend->role || prepared->database != backend->database)
		prepared->count = padv_limits_of(limits, backend->database, backend->role, prepared->limits);
	padv_backend_identify(backend, backend->role, backend->database, prepared->limits, prepared->count);
	backend->closing_quota = PADV_NO_QUOTA;
	backend->generation = generation;
	padv_queue_rebuild_add(&padv_login_queue, &backend->login);
}

static void
rebuild_xact(PadvBackend *backend)
{
	if (backend->xact.state == PADV_REQUEST_NONE)
		return;
	padv_slot_find_quotas(backend);
	if (backend->xact.state == PADV_REQUEST_GRANTED)
		backend->xact.at = PADV_NONE;	/* the number of an old quota */
	padv_queue_rebuild_add(&padv_xact_queue, &backend->xact);
}

void
padv_admission_rebuild(PadvRebuild *rebuild, const PadvLimits *limits, uint32 generation)
{
	int64		now = padv_monotonic_us();
	int			count = 0;
	int			slot_count = 0;

	find_all_limits(rebuild->prepared, limits);
	SpinLockAcquire(&padv_admission->mutex);
	if ((int32) (generation - padv_admission->generation) > 0)
	{
		padv_queue_set_time(&padv_xact_queue, now);
		padv_admission->generation = generation;
		padv_admission->enforcement = limits->enforcement;
		padv_queue_rebuild_begin(&padv_login_queue, PADV_ROLE_QUOTA(padv_admission->nroles));
		padv_queue_rebuild_begin(&padv_xact_queue, PADV_ROLE_QUOTA(padv_admission->nroles));
		move_queue_stats(rebuild->queues, limits);
		set_limit_states(limits);
		padv_slot_limits_changed();
		for (int i = 0; i < padv_admission_backends(); i++)
		{
			rebuild_login(&padv_backends[i], &rebuild->prepared[i], limits, generation);
			rebuild_xact(&padv_backends[i]);
		}
		count = padv_queue_rebuild_finish(&padv_login_queue, rebuild->granted_list);
		padv_logins_note_granted(rebuild->granted_list, count, now, rebuild->procnos);
		slot_count = padv_queue_rebuild_finish(&padv_xact_queue, rebuild->granted_list);
		padv_slots_note_granted(rebuild->granted_list, slot_count, rebuild->slot_procnos);
	}
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(rebuild->procnos, count);
	padv_backends_wake(rebuild->slot_procnos, slot_count);
}

uint32
padv_admission_generation(void)
{
	uint32		result;

	SpinLockAcquire(&padv_admission->mutex);
	result = padv_admission->generation;
	SpinLockRelease(&padv_admission->mutex);
	return result;
}

/*
 * Copy some entries at a time, so that no process waits long for the mutex.  False if a
 * role was evicted meanwhile: its counters may be in neither of the two entries.
 */
static bool
copy_role_counters(PadvRoleCounters *copy, int *count)
{
	int32		victim = -1;
	bool		more = true;
	bool		same = true;

	for (*count = 0; more;)
	{
		SpinLockAcquire(&padv_admission->mutex);
		for (int i = 0; i < 64 && *count < padv_admission->nroles; i++, (*count)++)
			copy[*count] = padv_role_table[*count].counters;
		more = *count < padv_admission->nroles;
		same = same && (victim < 0 || victim == padv_admission->next_victim);
		victim = padv_admission->next_victim;
		SpinLockRelease(&padv_admission->mutex);
	}
	return same;
}

static int
compare_counters(const void *a, const void *b)
{
	Oid			left = ((const PadvRoleCounters *) a)->role;
	Oid			right = ((const PadvRoleCounters *) b)->role;

	return left < right ? -1 : left > right;
}

int
padv_admission_copy_counters(PadvRoleCounters **counters)
{
	PadvRoleCounters *copy = palloc(mul_size(padv_admission_quotas() - PADV_MAX_LIMITS, sizeof(PadvRoleCounters)));
	int			count = 0;

	/*
	 * counters must not seem to decrease; evictions are rare, so a retry
	 * helps
	 */
	for (int try = 0; try < MAX_COPIES && !copy_role_counters(copy, &count); try++)
		;
	qsort(copy, count, sizeof(PadvRoleCounters), compare_counters);
	*counters = copy;
	return count;
}

PadvRoleCounters *
padv_role_counters_find(PadvRoleCounters *counters, int count, Oid role)
{
	PadvRoleCounters key = {.role = role};

	return bsearch(&key, counters, count, sizeof(key), compare_counters);
}

void
padv_admission_reset_counters(void)
{
	bool		more = true;

	for (int done = 0; more;)
	{
		SpinLockAcquire(&padv_admission->mutex);
		for (int i = 0; i < 64 && done < padv_admission->nroles; i++, done++)
		{
			PadvRoleCounters *counters = &padv_role_table[done].counters;

			*counters = (PadvRoleCounters) {.role = counters->role,
				.tracked = counters->tracked, .waiting = counters->waiting};
		}
		more = done < padv_admission->nroles;
		SpinLockRelease(&padv_admission->mutex);
	}
}

void
padv_admission_totals(PadvAdmissionTotals *totals)
{
	SpinLockAcquire(&padv_admission->mutex);
	*totals = padv_admission->totals;
	totals->waiting = padv_admission->head.waiting;
	SpinLockRelease(&padv_admission->mutex);
}

bool
padv_admission_in_use(uint32 generation, int nlimits, int32 *in_use, int32 *default_in_use)
{
	bool		result;

	*default_in_use = 0;
	SpinLockAcquire(&padv_admission->mutex);
	result = padv_admission->generation == generation;
	if (result)
	{
		for (int i = 0; i < nlimits; i++)
			in_use[i] = padv_quota_granted(&padv_limit_states[i].counts);
		for (int i = 0; i < padv_admission->nroles; i++)
		{
			const PadvLimitState *state = &padv_limit_states[PADV_ROLE_QUOTA(i)];

			/* not where the role has its own number */
			if (state->value[PADV_MAX_SESSIONS] == padv_limit_states[PADV_ROLE_QUOTA(0)].value[PADV_MAX_SESSIONS])
				*default_in_use = Max(*default_in_use, padv_quota_granted(&state->counts));
		}
	}
	SpinLockRelease(&padv_admission->mutex);
	return result;
}
