/*
 * blocked_owners.c
 *		Whom a process waits for, and which slot owners wait for a session without a slot.
 *
 * Part of the stall monitor (stall_monitor.c).  Owns the queries of the lock manager, whose
 * number in one check is bounded, and the verdicts that are remembered.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "storage/lock.h"
#include "storage/procarray.h"
#include "storage/sinvaladt.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "compat.h"
#include "worker/stall_internal.h"

/* How long the first session must wait, and how long a verdict holds. */
#define BLOCKED_OUTSIDE_US (150 * PADV_MS)
#define JUDGE_AGAIN_US (250 * PADV_MS)

/* The longest chain that is followed. */
#define LONGEST_CHAIN 32

/* Processes, each of which waits for the next one. */
typedef struct Chain
{
	int			pids[LONGEST_CHAIN];
	int			length;
	bool		complete;		/* all queries that were needed were made */
} Chain;

int
padv_query_blockers(PadvStallMonitor *monitor, int pid, Datum **pids)
{
	MemoryContext before = MemoryContextSwitchTo(monitor->scratch);
	ArrayType  *array = DatumGetArrayTypeP(DirectFunctionCall1(pg_blocking_pids, Int32GetDatum(pid)));
	int			count;

	deconstruct_array(array, INT4OID, sizeof(int32), true, TYPALIGN_INT, pids, NULL, &count);
	MemoryContextSwitchTo(before);
	monitor->blockers_asked++;
	return count;
}

/*
 * The lock that the process waits for can be another one, or none, by now.  Its memory
 * stays that of a lock, so the worst is a look at the wrong one.
 */
int
padv_query_conflicts(PadvStallMonitor *monitor, const PGPROC *waiter, Datum **pids)
{
	const LOCK *lock = ((const volatile PGPROC *) waiter)->waitLock;
	MemoryContext before = MemoryContextSwitchTo(monitor->scratch);
	VirtualTransactionId *holders;
	LOCKTAG		tag;
	int			found = 0;
	int			count = 0;

	monitor->blockers_asked++;
	if (lock != NULL)
	{
		tag = lock->tag;
		holders = GetLockConflicts(&tag, waiter->waitLockMode, &found);
		*pids = palloc((found + 1) * sizeof(Datum));
	}
	for (int i = 0; i < found; i++)
	{
		const volatile PGPROC *holder = padv_vxid_proc(holders[i]);

		if (holder != NULL)
			(*pids)[count++] = Int32GetDatum(holder->pid);
	}
	MemoryContextSwitchTo(before);
	return count;
}

/* The backend of a process that has a slot, or -1. */
static int32
slot_owner_of(const PadvStallMonitor *monitor, int pid)
{
	for (int i = 0; i < monitor->nslot_owners; i++)
		if (padv_backends[monitor->slot_owners[i]].pid == pid)
			return monitor->slot_owners[i];
	return -1;
}

static bool
waits_for_lock(int pid)
{
	const volatile PGPROC *proc = BackendPidGetProc(pid);

	return proc != NULL && (proc->wait_event_info & 0xFF000000U) == PG_WAIT_LOCK;
}

/*
 * The entry that remembers the verdict on a process.  Of processes without a slot only
 * the last ones are remembered.
 */
static PadvVerdict *
get_verdict(PadvStallMonitor *monitor, int pid, int32 owner_index)
{
	if (owner_index >= 0)
		return &monitor->seen[owner_index].verdict;
	for (int i = 0; i < PADV_MOST_OUTSIDERS; i++)
		if (monitor->outsiders[i].pid == pid)
			return &monitor->outsiders[i];
	monitor->next_outsider = (monitor->next_outsider + 1) % PADV_MOST_OUTSIDERS;
	monitor->outsiders[monitor->next_outsider] = (PadvVerdict) {.pid = pid};
	return &monitor->outsiders[monitor->next_outsider];
}

static bool leads_outside(PadvStallMonitor *monitor, int pid, Chain *chain);

/* The same for a process that waits for a lock, by its blockers. */
static bool
blockers_lead_outside(PadvStallMonitor *monitor, int pid, Chain *chain)
{
	Datum	   *pids;
	int			count = padv_query_blockers(monitor, pid, &pids);
	bool		outside = count > 0;

	chain->pids[chain->length++] = pid;
	for (int i = 0; i < count && outside; i++)
		outside = leads_outside(monitor, DatumGetInt32(pids[i]), chain);
	chain->length--;
	return outside;
}

/*
 * Whether a process waits, in the end, only for sessions that have no slot or do nothing
 * with it.  A cycle is left to the deadlock detector.  `chain` has the processes that led
 * here.  An incomplete result is not remembered.
 */
static bool
leads_outside(PadvStallMonitor *monitor, int pid, Chain *chain)
{
	int32		owner_index = slot_owner_of(monitor, pid);
	PadvVerdict *verdict;
	bool		outside;

	if (owner_index >= 0 && monitor->seen[owner_index].uncounted >= 1.0)
		return true;
	if (owner_index >= 0 ? monitor->seen[owner_index].lock_since == 0 : !waits_for_lock(pid))
		return owner_index < 0;
	for (int i = 0; i < chain->length; i++)
		if (chain->pids[i] == pid)
			return false;
	verdict = get_verdict(monitor, pid, owner_index);
	if (verdict->at > 0 && monitor->looked_at - verdict->at < JUDGE_AGAIN_US)
		return verdict->outside;
	if (chain->length == LONGEST_CHAIN || monitor->blockers_asked >= PADV_MOST_BLOCKERS_ASKED)
	{
		chain->complete = false;
		return false;
	}
	outside = blockers_lead_outside(monitor, pid, chain);
	if (outside || chain->complete)
		*get_verdict(monitor, pid, owner_index) = (PadvVerdict) {.pid = pid, .at = monitor->looked_at, .outside = outside};
	return outside;
}

bool
padv_owner_is_blocked_outside(PadvStallMonitor *monitor, PadvSeen *seen, int pid, int64 now)
{
	int64		after = monitor->blocked_outside ? PADV_BLOCKED_US : BLOCKED_OUTSIDE_US;
	Chain		chain = {.length = 0, .complete = true};

	if (seen->lock_since == 0 || now - seen->lock_since < after)
	{
		seen->verdict.at = 0;
		return false;
	}
	seen->uncounted = 0.0;
	return leads_outside(monitor, pid, &chain);
}
