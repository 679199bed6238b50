/*
 * needed_waiters.c
 *		The transactions in the queue that other sessions wait for.
 *
 * Part of the stall monitor (stall_monitor.c).  Grants a slot beyond the limit
 *
 * - to a waiter that holds a lock, when a session waits for that lock, or the replay of
 *   WAL on a standby.  When many hold it, twice as many are granted slots in each check;
 * - to a waiter that keeps a snapshot, when the replay of WAL waits for snapshots;
 * - to a waiter with an advisory lock, when no slot has been granted for a while, because
 *   a session may poll for the lock;
 * - to a waiter whose client is a session with a slot (dblink, postgres_fdw).
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/wait_event.h"

#include "shmem/xact_slots.h"
#include "worker/stall_internal.h"

/* The time without a grant after which a waiter that holds advisory locks gets a slot. */
#define NO_GRANT_US (100 * PADV_MS)

/*
 * Waiters that get slots in one check for locks of their transactions.  Two locks and two
 * latches each, so some microseconds.
 */
#define MOST_LOCKERS 64

/* Microseconds since the last grant to a waiter at a quota; 0 without waiters. */
static int64
no_grant_us(const PadvStallMonitor *monitor, int32 quota, int64 now)
{
	int64		since = monitor->progress[quota].since;

	return since > 0 ? now - since : 0;
}

/*
 * Grant a slot to a waiter that other sessions may wait for, one at a time.  The next one
 * follows when that transaction has ended, or after a while: many waiters can hold a
 * shared advisory lock, and this one may not release it soon.
 */
static void
overcommit_needed(PadvStallMonitor *monitor, int32 number, int64 now)
{
	const volatile PadvBackend *last = &padv_backends[monitor->overcommitted];

	if (monitor->overcommitted_at > 0 && now - monitor->overcommitted_at < NO_GRANT_US &&
		last->slots == monitor->overcommitted_slots &&
		SLOT_STATE(pg_atomic_read_u64(&padv_slot_words[monitor->overcommitted].word)) == SLOT_HELD)
		return;
	if (!padv_slot_overcommit(number))
		return;
	monitor->overcommitted = number;
	monitor->overcommitted_slots = ((volatile PadvBackend *) padv_backends)[number].slots;
	monitor->overcommitted_at = now;
}

/*
 * The same for a waiter whose lock ends with its transaction.  All that hold the lock have
 * to end before the session that waits for it goes on, and others wait behind that one.  So
 * while each check grants as many slots as it may, the next one may grant twice as many.
 */
static void
overcommit_locker(PadvStallMonitor *monitor, int32 number)
{
	if (monitor->lockers < monitor->most_lockers && padv_slot_overcommit(number))
		monitor->lockers++;
}

static void
begin_lockers(PadvStallMonitor *monitor)
{
	bool		used = monitor->lockers >= monitor->most_lockers;

	monitor->most_lockers = used ? Max(1, Min(2 * monitor->most_lockers, MOST_LOCKERS)) : 1;
	monitor->lockers = 0;
}

/* Grant slots to the waiters among these blockers.  Only sessions keep advisory locks. */
static void
overcommit_blockers(PadvStallMonitor *monitor, const Datum *pids, int count, bool advisory, int64 now)
{
	for (int i = 0; i < monitor->nneeded; i++)
		for (int j = 0; j < count; j++)
		{
			if (padv_backends[monitor->needed[i]].pid != DatumGetInt32(pids[j]))
				continue;
			if (advisory)
				overcommit_needed(monitor, monitor->needed[i], now);
			else
				overcommit_locker(monitor, monitor->needed[i]);
			break;
		}
}

/* Query the blockers of processes that have waited for a lock for a while. */
static void
grant_blockers(PadvStallMonitor *monitor, int64 now, int64 wall)
{
	int			nprocs = (int) ProcGlobal->allProcCount;
	int			first = monitor->next_proc;

	for (int i = 0; i < nprocs && monitor->blockers_asked < PADV_MOST_BLOCKERS_ASKED &&
		 monitor->lockers < monitor->most_lockers; i++)
	{
		int			number = (first + i) % nprocs;
		PGPROC	   *proc = GetPGProcByNumber(number);
		int			pid = ((volatile PGPROC *) proc)->pid;
		uint32		wait_event = ((volatile PGPROC *) proc)->wait_event_info;
		int64		since = (int64) pg_atomic_read_u64(&proc->waitStart);
		Datum	   *pids;
		int			count;

		monitor->next_proc = (number + 1) % nprocs;
		if (pid == 0 || (wait_event & 0xFF000000U) != PG_WAIT_LOCK || since == 0 || wall - since < PADV_BLOCKED_US)
			continue;
		count = number >= MaxBackends ? padv_query_conflicts(monitor, proc, &pids) :
			padv_query_blockers(monitor, pid, &pids);
		overcommit_blockers(monitor, pids, count, wait_event == (PG_WAIT_LOCK | LOCKTAG_ADVISORY), now);
	}
}

/* Whether the replay of WAL on a standby waits for sessions with old snapshots. */
static bool
replay_waits_for_snapshots(void)
{
	for (int i = MaxBackends; i < (int) ProcGlobal->allProcCount; i++)
		if (((volatile PGPROC *) GetPGProcByNumber(i))->wait_event_info == WAIT_EVENT_RECOVERY_CONFLICT_SNAPSHOT)
			return true;
	return false;
}

/*
 * The same for waiters that keep a snapshot, when the replay of WAL waits for snapshots.  It
 * does not say how old these are, nor since when it waits.
 */
static void
grant_snapshots(PadvStallMonitor *monitor, int64 now)
{
	if (!replay_waits_for_snapshots())
		monitor->replay_since = 0;
	else if (monitor->replay_since == 0)
		monitor->replay_since = now;
	if (monitor->replay_since == 0 || now - monitor->replay_since < PADV_BLOCKED_US)
		return;
	for (int i = 0; i < monitor->nneeded; i++)
		if (TransactionIdIsValid(((volatile PGPROC *) GetPGProcByNumber(padv_backends[monitor->needed[i]].procno))->xmin))
			overcommit_locker(monitor, monitor->needed[i]);
}

/* Whether the client has a slot, and no other session that works for it has one. */
static bool
client_needs(const PadvStallMonitor *monitor, int32 client)
{
	if (SLOT_STATE(pg_atomic_read_u64(&padv_slot_words[client].word)) != SLOT_HELD)
		return false;
	for (int i = 0; i < monitor->nslot_owners; i++)
		if (((volatile PadvBackend *) padv_backends)[monitor->slot_owners[i]].client == client)
			return false;
	return true;
}

/* The quota at which this transaction waits, or PADV_NO_QUOTA. */
static int32
queued_at_quota(const PadvBackend *backend)
{
	int32		quota = PADV_NO_QUOTA;

	SpinLockAcquire(&padv_admission->mutex);
	if (backend->xact.state == PADV_REQUEST_WAITING)
		quota = padv_queue_queued_at(&padv_xact_queue, &backend->xact);
	SpinLockRelease(&padv_admission->mutex);
	return quota;
}

/* Whether sessions with a slot may poll for a lock of this waiter. */
static bool
may_be_polled_for(const PadvStallMonitor *monitor, const PadvBackend *backend, int64 now)
{
	int32		quota = backend->may_be_polled ? queued_at_quota(backend) : PADV_NO_QUOTA;

	return quota != PADV_NO_QUOTA && no_grant_us(monitor, quota, now) >= NO_GRANT_US;
}

/* Grant slots to waiters that other sessions wait for. */
static void
grant_needed(PadvStallMonitor *monitor, int64 now, int64 wall)
{
	bool		any_locks = false;

	for (int i = 0; i < monitor->nneeded; i++)
	{
		int32		number = monitor->needed[i];
		const PadvBackend *backend = &padv_backends[number];

		any_locks |= backend->holds_locks;
		if (backend->client != PADV_NO_CLIENT && now - backend->queued_at >= PADV_STALLED_US &&
			client_needs(monitor, backend->client))
			(void) padv_slot_overcommit(number);

		else if (may_be_polled_for(monitor, backend, now))
			overcommit_needed(monitor, number, now);
	}
	if (!any_locks)
		return;
	grant_blockers(monitor, now, wall);
	grant_snapshots(monitor, now);
}

void
padv_grant_needed(PadvStallMonitor *monitor, int64 now, int64 wall)
{
	begin_lockers(monitor);
	if (monitor->nneeded > 0)
		grant_needed(monitor, now, wall);
}
