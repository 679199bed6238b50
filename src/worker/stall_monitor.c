/*
 * stall_monitor.c
 *		The worker's part in the queue for transaction slots.
 *
 * While transactions wait it checks each session that has a slot, every 10 ms:
 *
 * - A retained slot that has not been used within the retain timeout is granted to a
 *   waiter.  Sessions do that, too, in xact_slots.c, but not all the time, and not
 *   among very many slots.
 * - A session that is idle in its transaction for 20 ms loses its slot.  Its next
 *   statement gets a slot without waiting.
 * - A session that does nothing is not counted (slot_activity.c).  A session that does
 *   nothing now and then, as a program that polls, is counted for the share of time in
 *   which it works.
 * - A session that waits for a lock is counted.  Only the sessions that it waits for may
 *   get another slot: where sessions block each other, one more would be blocked, too.
 *   A session that waits long, and in the end for a session without a slot, is not
 *   counted (blocked_owners.c).
 *
 * For sessions that are not counted their limits are raised, until they work again.
 * Sessions that get slots for that may come to wait, too, as those do that all need
 * another server whose sessions need this one.  So while nothing works under a limit, and
 * those that got slots have come to wait, twice as many get slots the next time.
 *
 * Then it grants slots to the transactions in the queue that other sessions wait for
 * (needed_waiters.c).
 *
 * As a last resort, when no slot has been granted for long, one waiter gets a slot beyond
 * the limit.  While none is granted, another waiter gets one after twice the time each.
 * So a cycle of waits that cannot be detected does not last.
 *
 * What is read of a session is a moment old.  A session that starts a statement just when
 * its slot is suspended runs that statement uncounted.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "clock.h"
#include "compat.h"
#include "shmem/long_lane.h"
#include "shmem/xact_slots.h"
#include "worker/stall_internal.h"

#define SECOND INT64CONST(1000000)

/* Least share of time doing nothing that is not counted. */
#define LEAST_SHARE 0.1

/*
 * Nothing works where less than half of a slot does.  When something has worked for a
 * while, slots are given out one by one again.
 */
#define LEAST_WORK 0.5
#define CALM_US (100 * PADV_MS)
#define MOST_BURST 1024

/* How long a statement must repeat the same query to count as polling. */
#define POLLS_US (100 * PADV_MS)

/*
 * The time without a grant after which the last resort begins.  It is long, because it
 * exceeds the limit where transactions are only slow.
 */
#define PATIENCE_US (10 * SECOND)
#define LANE_PATIENCE_US (60 * SECOND)
#define MOST_DOUBLINGS 10

/* --- the monitor --- */

/*
 * Find limits that an earlier worker has raised and not set back.  Reads without the
 * mutex; adjust_limit reads again, with it.
 */
static void
find_raised_limits(PadvStallMonitor *monitor)
{
	for (int32 i = 0; i < padv_admission_quotas(); i++)
	{
		int32		limit = padv_slot_limit_of(i);

		if (limit >= 0 && padv_limit_states[i].active.limit > limit)
			monitor->raised[monitor->nraised++] = i;
	}
}

PadvStallMonitor *
padv_stall_monitor_create(void)
{
	PadvStallMonitor *monitor = palloc0(sizeof(PadvStallMonitor));
	int			slots = padv_admission_backends();
	int			quotas = padv_admission_quotas();

	monitor->seen = palloc0(mul_size(slots, sizeof(PadvSeen)));
	monitor->slot_owners = palloc0(mul_size(slots, sizeof(int32)));
	monitor->needed = palloc0(mul_size(slots, sizeof(int32)));
	monitor->progress = palloc0(mul_size(quotas, sizeof(PadvProgress)));
	monitor->use = palloc0(mul_size(quotas, sizeof(PadvSlotUse)));
	monitor->touched = palloc0(mul_size(quotas, sizeof(int32)));
	monitor->raised = palloc0(mul_size(quotas, sizeof(int32)));
	monitor->members = palloc0(mul_size(ProcGlobal->allProcCount, sizeof(PadvMember)));
	monitor->scratch = AllocSetContextCreate(CurrentMemoryContext, "pool_advisor stall monitor",
											 ALLOCSET_SMALL_SIZES);
	find_raised_limits(monitor);
	return monitor;
}

bool
padv_stall_monitor_has_work(const PadvStallMonitor *monitor)
{
	return monitor->nraised > 0 || padv_slots_have_waiters();
}

int64
padv_stall_monitor_waited_us(const PadvStallMonitor *monitor)
{
	return monitor->waited_us;
}

/* --- slots of idle sessions --- */

/* Count a slot that is suspended, in all its quotas.  The mutex is held. */
static void
count_suspended(const PadvRequest *request)
{
	padv_admission->slot_totals.suspended++;
	for (int i = 0; i < request->nquotas; i++)
		if (request->quotas[i] != PADV_LANE_QUOTA)	/* its counters are the
													 * server's */
			padv_queue_stats[padv_limit_states[request->quotas[i]].stats].totals.suspended++;
}

/* Suspend the slot of a session that is idle in its transaction. */
static void
suspend_slot(int32 number)
{
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];
	int64		now = padv_monotonic_us();
	uint64		word;
	int			count = 0;

	SpinLockAcquire(&padv_admission->mutex);
	word = pg_atomic_read_u64(&padv_slot_words[number].word);
	if (SLOT_STATE(word) == SLOT_HELD &&
		pg_atomic_compare_exchange_u64(&padv_slot_words[number].word, &word, SLOT_WORD(SLOT_SUSPENDED, 0)))
	{
		count_suspended(&padv_backends[number].xact);
		count = padv_slot_drop(&padv_backends[number], SLOT_SUSPENDED, now, procnos);
	}
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(procnos, count);
	padv_slots_settle();
}

/* --- limits --- */

/* The share of this slot that is not counted, 0..1. */
static double
uncounted_share(PadvStallMonitor *monitor, int32 number, PadvSeen *seen, int64 now)
{
	int64		held_us = now - seen->held_since;

	if (padv_owner_is_blocked_outside(monitor, seen, padv_backends[number].pid, now))
	{
		monitor->any_outside = true;
		return 1.0;
	}
	if ((seen->nothing_since > 0 && now - seen->nothing_since >= PADV_STALLED_US) ||
		(held_us >= POLLS_US && pg_atomic_read_u32(&padv_slot_words[number].polls) != 0))
		return 1.0;
	return held_us >= PADV_SHARE_US && seen->idle >= LEAST_SHARE ? seen->idle : 0.0;
}

/* Add a slot owner to its quotas, and note that these are in use. */
static void
add_owner(PadvStallMonitor *monitor, const PadvBackend *backend, const PadvSeen *seen)
{
	for (int i = 0; i < backend->xact.nquotas && i < PADV_MAX_REQUEST_QUOTAS; i++)
	{
		int32		quota = backend->xact.quotas[i];
		PadvSlotUse *use = &monitor->use[quota];

		if (use->owners++ == 0)
			monitor->touched[monitor->ntouched++] = quota;
		use->uncounted += seen->uncounted;
		use->working += seen->lock_since > 0 ? 1.0 : 1.0 - seen->uncounted;
	}
}

/* A transaction that has had its slot for long counts as long from now on. */
static void
check_age(int32 number, int64 wall)
{
	uint64		word = pg_atomic_read_u64(&padv_slot_words[number].word);

	if (SLOT_STATE(word) == SLOT_HELD && SLOT_SINCE(word) > 0)
		padv_lane_turn_long(number, wall - SLOT_SINCE(word));
}

static void
check_owner(PadvStallMonitor *monitor, int32 number, int64 now, int64 wall)
{
	const PadvBackend *backend = &padv_backends[number];
	PadvSeen   *seen = &monitor->seen[number];
	PadvSession session;

	if (SLOT_STATE(pg_atomic_read_u64(&padv_slot_words[number].word)) != SLOT_HELD ||
		!padv_sampler_read(backend->status_index, backend->pid, &session))
		return;
	padv_owner_update(monitor, seen, backend, &session, now);
	if (padv_owner_is_idle(seen, &session, now, wall))
	{
		suspend_slot(number);
		return;
	}
	check_age(number, wall);
	seen->uncounted = uncounted_share(monitor, number, seen, now);
	add_owner(monitor, backend, seen);
	if (pg_atomic_read_u32(&padv_slot_words[number].turned_long) != 0)
		monitor->turned_idle += seen->uncounted;
}

/*
 * Set the limit in force to the quota's own limit plus `more`; returns whether it is
 * raised.
 */
static bool
adjust_limit(int32 quota, int32 more)
{
	PadvLimitState *mine = &padv_limit_states[quota];
	int32		granted_list[PADV_MAX_REQUEST_QUOTAS];
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];
	int32		limit;
	int32		change = 0;
	int64		now = padv_monotonic_us();
	int			count = 0;

	SpinLockAcquire(&padv_admission->mutex);
	padv_queue_set_time(&padv_xact_queue, now);
	limit = padv_slot_limit_of(quota);
	if (limit >= 0)
		change = limit + more - mine->active.limit;
	if (change > 0 && quota != PADV_LANE_QUOTA) /* counted at the server's */
		PADV_COUNT_AT(quota, overcommitted, change);
	count = padv_queue_set_limit(&padv_xact_queue, quota, mine->active.limit + change,
								 granted_list, PADV_MAX_REQUEST_QUOTAS);
	padv_slots_note_granted(granted_list, count, procnos);
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(procnos, count);
	padv_slots_settle();
	if (change < 0)
		padv_slots_reclaim_beyond(quota);
	return limit >= 0 && more > 0;
}

/*
 * By how much the limit of a quota is raised: by those that are not counted.  While nothing
 * works, and those that got slots since do nothing either, by more and more.
 */
static int32
raise_of(PadvStallMonitor *monitor, int32 quota, int64 now)
{
	const PadvSlotUse *use = &monitor->use[quota];
	PadvProgress *progress = &monitor->progress[quota];
	int32		more = (int32) (use->uncounted + 0.5);

	if (use->working >= LEAST_WORK)
	{
		if (progress->works_since == 0)
			progress->works_since = now;
		else if (now - progress->works_since >= CALM_US)
			progress->burst = progress->stalled = 0;
		return more;
	}
	progress->works_since = 0;
	if (use->owners > progress->stalled)
		progress->burst = progress->burst == 0 ? 1 : Min(progress->burst * 2, MOST_BURST);
	progress->stalled = use->owners;
	return more + Max(padv_slot_limit_of(quota), 0) * (progress->burst - 1);
}

static void
adjust_limits(PadvStallMonitor *monitor, int64 now)
{
	int			raised = 0;

	/* quotas that were raised and are not in use any more */
	for (int i = 0; i < monitor->nraised; i++)
		if (monitor->use[monitor->raised[i]].owners == 0)
			(void) adjust_limit(monitor->raised[i], 0);
	for (int i = 0; i < monitor->ntouched; i++)
	{
		int32		quota = monitor->touched[i];

		if (adjust_limit(quota, raise_of(monitor, quota, now)))
			monitor->raised[raised++] = quota;
		monitor->use[quota] = (PadvSlotUse) {0};
	}
	monitor->nraised = raised;
}

/* --- the last resort --- */

static int64
patience_us(int32 quota, int forced)
{
	/* no grant among long transactions for a while is no sign of trouble */
	int64		patience = quota == PADV_LANE_QUOTA ? LANE_PATIENCE_US : PATIENCE_US;

	/* the deadlock detector comes first */
	return Max(patience, 2 * PADV_MS * DeadlockTimeout) << Min(forced, MOST_DOUBLINGS);
}

/* Note whether waiters at this quota get slots; after long, grant one beyond the limit. */
static void
check_progress(PadvStallMonitor *monitor, int32 quota, int64 now)
{
	PadvProgress *progress = &monitor->progress[quota];
	int32		first = -1;
	int64		granted;

	SpinLockAcquire(&padv_admission->mutex);
	granted = padv_limit_states[quota].granted;
	if (padv_limit_states[quota].active.linked > 0)
		first = padv_queue_first_at(&padv_xact_queue, quota);
	SpinLockRelease(&padv_admission->mutex);

	if (first < 0 || progress->look + 1 != monitor->looks)
		progress->burst = progress->stalled = 0;
	if (first < 0)
		progress->since = 0;
	else if (progress->since == 0 || granted != progress->granted || progress->look + 1 != monitor->looks)
	{
		progress->since = now;
		progress->forced = 0;
	}
	else if (now - progress->since >= patience_us(quota, progress->forced) && padv_slot_overcommit(first))
	{
		progress->since = now;
		progress->forced++;
		granted++;
	}
	progress->granted = granted;
	progress->look = monitor->looks;
}

/* --- a check --- */

static void
copy_lists(PadvStallMonitor *monitor)
{
	SpinLockAcquire(&padv_admission->mutex);
	monitor->nslot_owners = padv_admission->nslot_owners;
	memcpy(monitor->slot_owners, padv_slot_owners, monitor->nslot_owners * sizeof(int32));
	monitor->nneeded = padv_admission->nneeded;
	memcpy(monitor->needed, padv_needed, monitor->nneeded * sizeof(int32));
	SpinLockRelease(&padv_admission->mutex);
}

static void
check_all(PadvStallMonitor *monitor, int64 now)
{
	int64		wall = GetCurrentTimestamp();

	padv_lane_look((int32) (monitor->turned_idle + 0.5));
	monitor->turned_idle = 0.0;
	padv_slots_reclaim_all();
	copy_lists(monitor);
	monitor->asked = 0;
	monitor->blockers_asked = 0;
	monitor->nmembers = -1;
	monitor->ntouched = 0;
	monitor->blocked_outside = monitor->any_outside;
	monitor->any_outside = false;
	monitor->looks++;

	/*
	 * begin with another one each time, so that all are read from /proc in
	 * turn
	 */
	for (int i = 0; i < monitor->nslot_owners; i++)
		check_owner(monitor, monitor->slot_owners[(i + monitor->looks) % (uint32) monitor->nslot_owners], now, wall);
	for (int i = 0; i < monitor->ntouched; i++)
		check_progress(monitor, monitor->touched[i], now);
	padv_grant_needed(monitor, now, wall);
	adjust_limits(monitor, now);
	MemoryContextReset(monitor->scratch);
}

void
padv_stall_monitor_run(PadvStallMonitor *monitor, int64 now)
{
	if (monitor->waiting)
		monitor->waited_us += now - monitor->looked_at;
	monitor->waiting = padv_slots_have_waiters();
	monitor->looked_at = now;
	if (monitor->waiting)
		check_all(monitor, now);
	else
	{
		monitor->looks += 2;	/* discard what was seen of queues */
		monitor->lockers = 0;
		monitor->ntouched = 0;
		adjust_limits(monitor, now);
	}
}
