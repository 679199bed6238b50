/*
 * xact_slots_read.c
 *		Figures about slots and their queue, for readers.
 *
 * admission_internal.h says which lock protects what.  A figure that is read without a
 * lock is approximate while slots change.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "clock.h"
#include "shmem/admission_internal.h"
#include "shmem/xact_slots.h"

StaticAssertDecl(PADV_FIRST_QUERY_QUEUE == PADV_QUERY_QUOTA(0) && PADV_FIRST_ROLE_QUEUE == PADV_ROLE_QUOTA(0),
				 "queues have the numbers of their quotas");

void
padv_slots_read(PadvSlotStats *gate)
{
	SpinLockAcquire(&padv_admission->mutex);
	gate->totals = padv_admission->slot_totals;
	gate->limit = padv_admission->server_max_active;
	gate->in_force = padv_limit_states[PADV_SERVER_QUOTA].active.limit;
	gate->waiting = padv_admission->xact_head.waiting;
	SpinLockRelease(&padv_admission->mutex);
}

/*
 * The backend of element i of the list of slot owners, if it runs a transaction, or
 * PADV_NONE.  *since is since when it does; 0: not known yet.  Without a lock.
 */
static int32
find_holder(int i, int64 *since)
{
	int32		number = ((volatile int32 *) padv_slot_owners)[i];
	uint64		word = pg_atomic_read_u64(&padv_slot_words[number].word);

	*since = SLOT_SINCE(word);
	return SLOT_STATE(word) == SLOT_HELD ? number : PADV_NONE;
}

void
padv_slots_in_use(PadvSlotsInUse *in_use)
{
	int			count = *(volatile int32 *) &padv_admission->nslot_owners;
	int32	   *of_quota = palloc0(mul_size(padv_admission_quotas(), sizeof(int32)));

	for (int i = 0; i < count; i++)
	{
		int64		since;
		int32		number = find_holder(i, &since);
		const volatile PadvBackend *backend;

		if (number == PADV_NONE)
			continue;
		backend = &padv_backends[number];
		for (int j = 0; j < backend->xact.nquotas && j < PADV_MAX_REQUEST_QUOTAS; j++)
			of_quota[backend->xact.quotas[j]]++;
	}
	memcpy(in_use->of_limit, of_quota, sizeof(in_use->of_limit));
	in_use->of_server = of_quota[PADV_SERVER_QUOTA];
	in_use->of_default = 0;
	for (int i = PADV_ROLE_QUOTA(0); i < padv_admission_quotas(); i++)
		in_use->of_default = Max(in_use->of_default, of_quota[i]);
	pfree(of_quota);
}

void
padv_slots_of_server(PadvServerSlots *slots)
{
	const volatile PadvQuota *server = &padv_limit_states[PADV_SERVER_QUOTA].active;
	int			count = *(volatile int32 *) &padv_admission->nslot_owners;
	int32		raised = Max(server->limit - *(volatile int32 *) &padv_admission->server_max_active, 0);

	slots->taken = Max(server->in_use - raised, 0);
	slots->waiting = server->linked;
	if (slots->taken >= *(volatile int32 *) &padv_admission->server_max_active)
		slots->waiting += ((volatile PadvLimitState *) padv_limit_states)[PADV_LANE_QUOTA].active.linked;
	slots->working = -raised;
	for (int i = 0; i < count; i++)
	{
		int32		number = ((volatile int32 *) padv_slot_owners)[i];
		const volatile PadvRequest *request = &padv_backends[number].xact;
		int32		nquotas = request->nquotas;

		/* padv_slot_find_quotas puts the server's quota last */
		slots->working += nquotas > 0 && nquotas <= PADV_MAX_REQUEST_QUOTAS &&
			request->quotas[nquotas - 1] == PADV_SERVER_QUOTA &&
			SLOT_STATE(pg_atomic_read_u64(&padv_slot_words[number].word)) == SLOT_HELD;
	}
	slots->working = Max(slots->working, 0);
}

int64
padv_slots_longest_wait_us(int64 now)
{
	int64		longest = 0;

	if (!padv_slots_have_waiters())
		return 0;
	for (int i = 0; i < padv_admission_backends(); i++)
	{
		const volatile PadvBackend *backend = &padv_backends[i];

		/*
		 * A backend that begins to wait right now may still have the time of
		 * its last wait, so the result may be too large for a moment.
		 */
		if (backend->xact.state == PADV_REQUEST_WAITING && backend->queued_at > 0)
			longest = Max(longest, now - backend->queued_at);
	}
	return longest;
}

/* Add a slot owner to one of its queues. */
static void
add_holder(PadvQueueNow *queue, const volatile PadvBackend *backend, TimestampTz since)
{
	queue->running++;
	if (queue->holder_pid != 0 && queue->holder_since <= since)
		return;
	queue->holder_pid = backend->pid;
	queue->holder_role = backend->role;
	queue->holder_since = since;
}

static void
add_holders(PadvQueueNow *queues)
{
	TimestampTz now = GetCurrentTimestamp();
	int			count = *(volatile int32 *) &padv_admission->nslot_owners;

	for (int i = 0; i < count; i++)
	{
		int64		since;
		int32		number = find_holder(i, &since);
		const volatile PadvBackend *backend;

		if (number == PADV_NONE)
			continue;
		backend = &padv_backends[number];
		for (int j = 0; j < backend->xact.nquotas && j < PADV_MAX_REQUEST_QUOTAS; j++)
			add_holder(&queues[backend->xact.quotas[j]], backend,
					   since > 0 ? since : now);
		if (pg_atomic_read_u32(&padv_slot_words[number].turned_long) != 0)
			add_holder(&queues[PADV_LANE_QUEUE], backend, since > 0 ? since : now);
	}
}

/* How many backends are looked at with the mutex held. */
#define BACKENDS_AT_ONCE 32

static void
add_waits(PadvQueueNow *queues)
{
	for (int done = 0; done < padv_admission_backends();)
	{
		SpinLockAcquire(&padv_admission->mutex);
		for (int i = 0; i < BACKENDS_AT_ONCE && done < padv_admission_backends(); i++, done++)
		{
			const PadvBackend *backend = &padv_backends[done];
			PadvQueueNow *queue;
			int32		quota;

			if (backend->xact.state != PADV_REQUEST_WAITING)
				continue;
			quota = padv_queue_queued_at(&padv_xact_queue, &backend->xact);
			queue = &queues[quota == PADV_LANE_QUOTA ? PADV_SERVER_QUOTA : quota];

			/* the time of the start, until the subtraction below */
			if (queue->longest_wait_us == 0 || backend->queued_at < queue->longest_wait_us)
				queue->longest_wait_us = backend->queued_at;
		}
		SpinLockRelease(&padv_admission->mutex);
	}
}

PadvQueueNow *
padv_queues_now(void)
{
	PadvQueueNow *queues = palloc0(mul_size(padv_admission_quotas(), sizeof(PadvQueueNow)));
	int64		now;

	add_holders(queues);
	if (padv_slots_have_waiters())
		add_waits(queues);
	now = padv_monotonic_us();
	for (int i = 0; i < padv_admission_quotas(); i++)
		if (queues[i].longest_wait_us > 0)
			queues[i].longest_wait_us = Max(now - queues[i].longest_wait_us, 0);
	return queues;
}

int
padv_queues_count(void)
{
	return PADV_ROLE_QUOTA(*(volatile int32 *) &padv_admission->nroles);
}

/* Whether a role has neither sessions nor counts.  The mutex is held. */
static bool
is_unused(int32 quota, const PadvSlotTotals *totals)
{
	static const PadvSlotTotals nothing;

	return quota >= PADV_ROLE_QUOTA(0) && padv_role_table[quota - PADV_ROLE_QUOTA(0)].sessions == 0 &&
		memcmp(totals, &nothing, sizeof(nothing)) == 0;
}

bool
padv_queue_read(int32 number, uint32 generation, PadvQueueFigures *figures)
{
	const PadvLimitState *state = &padv_limit_states[number];
	const PadvQueueStats *stats;
	bool		result;

	SpinLockAcquire(&padv_admission->mutex);
	stats = &padv_queue_stats[state->stats];
	result = (generation == PADV_ANY_GENERATION || padv_admission->generation == generation) &&
		!is_unused(number, &stats->totals);
	if (result)
	{
		figures->role = stats->role;
		figures->query_id = padv_query_of_quota(number);
		figures->limit = padv_slot_limit_of(number);
		figures->in_force = state->active.limit;
		figures->taken = padv_quota_granted(&state->active);
		figures->waiting = number == PADV_LANE_QUOTA ? state->active.waiting : state->active.linked;
		if (number == PADV_SERVER_QUOTA)
			figures->waiting += padv_limit_states[PADV_LANE_QUOTA].active.linked;
		figures->totals = stats->totals;
		figures->waits = stats->waits;
	}
	SpinLockRelease(&padv_admission->mutex);
	return result;
}

void
padv_slots_reset_counters(void)
{
	SpinLockAcquire(&padv_admission->mutex);
	memset(&padv_admission->slot_totals, 0, sizeof(PadvSlotTotals));
	SpinLockRelease(&padv_admission->mutex);
	for (int i = 0; i < padv_admission_quotas(); i++)
	{
		SpinLockAcquire(&padv_admission->mutex);
		memset(&padv_queue_stats[i].totals, 0, sizeof(PadvSlotTotals));
		memset(&padv_queue_stats[i].waits, 0, sizeof(PadvWaitTimes));
		SpinLockRelease(&padv_admission->mutex);
	}
}
