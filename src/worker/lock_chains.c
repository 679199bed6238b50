/*
 * lock_chains.c
 *		Who keeps others waiting, from the server's lock tables.
 *
 * Owns the translation from lock tables to a graph of waits (core/model/blockers.c), and of
 * its roots to what is published.  The worker calls it once a second.
 *
 * Nothing is asked while no session waits for a lock.  Otherwise the wait events of
 * all PGPROCs are read, without a lock, and the lock manager is asked once for each lock
 * that is waited for, of its last waiter: the answer has all holders, and the waiters
 * ahead in their order.  It is asked by core's own function for pg_blocking_pids(),
 * which holds the lock manager's partitions for a copy of that one lock's entries.  At
 * most MOST_LOCKS are asked about in a look, those with most waiters; a process that
 * waits for another one is no root, whatever it blocks.
 *
 * The looks at several locks are moments apart, so a chain can be wrong for one look:
 * nothing but PADV_STANDING_SECONDS of the same root counts.
 *
 * A process that works for another one's parallel query is taken for its leader, as
 * pg_blocking_pids() does.  A prepared transaction has no process; it is known by the
 * number of its PGPROC.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/twophase.h"
#include "port/atomics.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "shmem/status_shmem.h"
#include "worker/lock_chains.h"

#define MOST_LOCKS 64

/* Far more than a writer that is running needs. */
#define READ_TRIES 1000

/* A process that waits for a lock; of about now. */
typedef struct Waiter
{
	int			pid;
	int			leader;			/* the same, if it is in no group */
	const void *lock;			/* to tell locks apart; not to be followed */
	int64		since;			/* wall clock */
} Waiter;

/* Waiters of the same lock. */
typedef struct Queue
{
	int			first;
	int			count;
} Queue;

/* What a share's place in the queue is found by. */
typedef struct Place
{
	int			pid;
	int			number;
} Place;

typedef struct Ordered
{
	const LockInstanceData *instance;
	int			rank;			/* holders first, then as they wait */
	int64		since;			/* 0: not known */
} Ordered;

/* Since when a root has been one. */
typedef struct Known
{
	int64		process;
	int64		xact_start;
	int64		since_us;		/* monotonic */
} Known;

struct PadvLockChains
{
	uint32		queued_wait_event;
	MemoryContext scratch;
	PadvLockGraph *graph;
	Waiter	   *waiters;
	Waiter	   *by_pid;			/* the same */
	Queue	   *queues;
	int			nwaiters;
	int			nqueues;
	int			nknown;
	Known		known[PADV_MAX_BLOCKERS];
	PadvBlockers blockers;
};

PadvLockChains *
padv_lock_chains_create(uint32_t turn_wait_event)
{
	PadvLockChains *chains = palloc0(sizeof(PadvLockChains));
	int			most = 2 * (MaxBackends + max_prepared_xacts) + 512;

	chains->queued_wait_event = turn_wait_event;
	chains->graph = padv_lock_graph_init(palloc(padv_lock_graph_size(most)), most);
	chains->waiters = palloc(mul_size(MaxBackends, sizeof(Waiter)));
	chains->by_pid = palloc(mul_size(MaxBackends, sizeof(Waiter)));
	chains->queues = palloc(mul_size(MaxBackends, sizeof(Queue)));
	chains->scratch = AllocSetContextCreate(CurrentMemoryContext, "pool_advisor lock chains",
											ALLOCSET_DEFAULT_SIZES);
	return chains;
}

/* --- who waits --- */

static bool
anybody_waits(const PadvSample *sample)
{
	for (int i = 0; i < sample->count; i++)
		if (sample->sessions[i].wait_class == PADV_WAITING_LOCK &&
			sample->sessions[i].state == PADV_STATE_ACTIVE)
			return true;
	return false;
}

static int
compare_waiters(const void *a, const void *b)
{
	const Waiter *left = a;
	const Waiter *right = b;

	if (left->lock != right->lock)
		return (uintptr_t) left->lock < (uintptr_t) right->lock ? -1 : 1;

	/* the last one first; a wait without a start has just begun */
	if ((left->since == 0) != (right->since == 0))
		return left->since == 0 ? -1 : 1;
	return left->since > right->since ? -1 : left->since < right->since;
}

static int
compare_pids(const void *a, const void *b)
{
	return ((const Waiter *) a)->pid < ((const Waiter *) b)->pid ? -1 :
		((const Waiter *) a)->pid > ((const Waiter *) b)->pid;
}

static int
compare_queues(const void *a, const void *b)
{
	return ((const Queue *) b)->count - ((const Queue *) a)->count;
}

/* All that wait for a lock, by lock, the longest queue first. */
static void
find_waiters(PadvLockChains *chains)
{
	chains->nwaiters = chains->nqueues = 0;
	for (int i = 0; i < MaxBackends; i++)
	{
		volatile PGPROC *proc = GetPGProcByNumber(i);
		const volatile PGPROC *leader;
		Waiter	   *waiter = &chains->waiters[chains->nwaiters];

		if ((proc->wait_event_info & 0xFF000000U) != PG_WAIT_LOCK)
			continue;
		leader = proc->lockGroupLeader;
		waiter->pid = padv_proc_pid(proc);
		waiter->leader = leader ? leader->pid : waiter->pid;
		waiter->lock = proc->waitLock;
		waiter->since = (int64) pg_atomic_read_u64(&GetPGProcByNumber(i)->waitStart);
		if (waiter->pid != 0 && waiter->leader != 0 && waiter->lock != NULL)
			chains->nwaiters++;
	}
	qsort(chains->waiters, chains->nwaiters, sizeof(Waiter), compare_waiters);
	for (int i = 0; i < chains->nwaiters; i++)
	{
		if (i == 0 || chains->waiters[i].lock != chains->waiters[i - 1].lock)
			chains->queues[chains->nqueues++] = (Queue) {.first = i};
		chains->queues[chains->nqueues - 1].count++;
	}
	qsort(chains->queues, chains->nqueues, sizeof(Queue), compare_queues);
	memcpy(chains->by_pid, chains->waiters, chains->nwaiters * sizeof(Waiter));
	qsort(chains->by_pid, chains->nwaiters, sizeof(Waiter), compare_pids);
}

/* Since when a process waits, or 0; the lock manager's answer does not have that. */
static int64
waits_since(const PadvLockChains *chains, int pid)
{
	Waiter		key = {.pid = pid};
	const Waiter *waiter = bsearch(&key, chains->by_pid, chains->nwaiters, sizeof(Waiter), compare_pids);

	return waiter ? waiter->since : 0;
}

/* --- a lock into the graph --- */

/* The number of a prepared transaction, by the virtual one that it was; or 0. */
static int64
prepared_number(const LockInstanceData *instance)
{
	int			first = MaxBackends + NUM_AUXILIARY_PROCS;
	VirtualTransactionId wanted;

	padv_instance_vxid(wanted, instance);
	for (int i = first; i < first + max_prepared_xacts; i++)
	{
		PGPROC	   *proc = GetPGProcByNumber(i);
		VirtualTransactionId vxid;

		GET_VXID_FROM_PGPROC(vxid, *proc);
		if (proc->pid == 0 && TransactionIdIsValid(proc->xid) && VirtualTransactionIdEquals(vxid, wanted))
			return -1 - (int64) i;
	}
	return 0;
}

static int
compare_places(const void *a, const void *b)
{
	return ((const Place *) a)->pid < ((const Place *) b)->pid ? -1 :
		((const Place *) a)->pid > ((const Place *) b)->pid;
}

static int
compare_ordered(const void *a, const void *b)
{
	const Ordered *left = a;
	const Ordered *right = b;

	if (left->rank != right->rank)
		return left->rank < right->rank ? -1 : 1;
	return left->since < right->since ? -1 : left->since > right->since;
}

/*
 * The entries of the lock that one process waits for, in the order of its queue.  Those
 * that came behind that process since are in no order, so they are taken by time.
 */
static Ordered *
order_shares(const PadvLockChains *chains, const BlockedProcsData *data, const BlockedProcData *blocked)
{
	Place	   *places = palloc(mul_size(blocked->num_waiters + 1, sizeof(Place)));
	Ordered    *ordered = palloc(mul_size(blocked->num_locks + 1, sizeof(Ordered)));

	for (int i = 0; i < blocked->num_waiters; i++)
		places[i] = (Place) {.pid = data->waiter_pids[blocked->first_waiter + i], .number = i};
	places[blocked->num_waiters] = (Place) {.pid = blocked->pid, .number = blocked->num_waiters};
	qsort(places, blocked->num_waiters + 1, sizeof(Place), compare_places);

	for (int i = 0; i < blocked->num_locks; i++)
	{
		const LockInstanceData *instance = &data->locks[blocked->first_lock + i];
		Place		key = {.pid = instance->pid};
		Place	   *place;

		ordered[i] = (Ordered) {.instance = instance, .rank = -1};
		if (instance->waitLockMode == NoLock)
			continue;
		place = bsearch(&key, places, blocked->num_waiters + 1, sizeof(Place), compare_places);
		ordered[i].since = waits_since(chains, instance->pid);
		ordered[i].rank = place ? place->number : blocked->num_waiters + 1;
	}
	qsort(ordered, blocked->num_locks, sizeof(Ordered), compare_ordered);
	return ordered;
}

static void
add_share(PadvLockGraph *graph, const LockInstanceData *instance, int64 since)
{
	PadvLockShare share = {
		.process = instance->pid != 0 ? instance->leaderPid : prepared_number(instance),
		.held = instance->holdMask,
		.advisory = instance->locktag.locktag_type == LOCKTAG_ADVISORY || instance->locktag.locktag_type == LOCKTAG_USERLOCK,
	};

	if (instance->waitLockMode != NoLock)
	{
		share.awaited = LOCKBIT_ON(instance->waitLockMode);
		share.conflicts = GetLockTagsMethodTable(&instance->locktag)->conflictTab[instance->waitLockMode];
		share.wait_start = since;
	}
	if (share.process == 0 || (share.held == 0 && share.awaited == 0))
		return;
	if (!padv_lock_graph_add(graph, &share) && share.awaited != 0)
		padv_lock_graph_waits(graph, share.process);
}

/* Ask what this process waits for, if it still does. */
static void
ask_about(PadvLockChains *chains, int pid)
{
	BlockedProcsData *data = GetBlockerStatusData(pid);

	for (int i = 0; i < data->nprocs; i++)
	{
		const BlockedProcData *blocked = &data->procs[i];
		Ordered    *ordered;

		/* the others of its group have queues of their own */
		if (blocked->pid != pid)
			continue;
		ordered = order_shares(chains, data, blocked);
		padv_lock_graph_begin(chains->graph);
		for (int j = 0; j < blocked->num_locks; j++)
			add_share(chains->graph, ordered[j].instance, ordered[j].since);
	}
}

static void
fill_graph(PadvLockChains *chains)
{
	padv_lock_graph_clear(chains->graph);
	for (int i = 0; i < chains->nqueues; i++)
	{
		const Waiter *waiters = &chains->waiters[chains->queues[i].first];

		if (i < MOST_LOCKS)
			ask_about(chains, waiters[0].pid);
		else
			for (int j = 0; j < chains->queues[i].count; j++)
				padv_lock_graph_waits(chains->graph, waiters[j].leader);
		MemoryContextReset(chains->scratch);
	}
}

/* --- a root in words --- */

static PadvBlockerState
translate_state(BackendState state, bool queued)
{
	switch (state)
	{
		case STATE_RUNNING:
		case STATE_FASTPATH:
			return queued ? PADV_BLOCKER_QUEUED : PADV_BLOCKER_ACTIVE;
		case STATE_IDLE:
			return PADV_BLOCKER_IDLE;
		case STATE_IDLEINTRANSACTION:
			return PADV_BLOCKER_IDLE_IN_TRANSACTION;
		case STATE_IDLEINTRANSACTION_ABORTED:
			return PADV_BLOCKER_ABORTED;
		default:
			return PADV_BLOCKER_UNKNOWN;
	}
}

static double
seconds_since(int64 start, int64 wall)
{
	return start > 0 ? (double) Max(wall - start, 0) / 1e6 : -1.0;
}

/*
 * What the session's status entry tells, under its protocol; as the sampler reads it,
 * and with what is only wanted of a few.  Returns the start of its transaction.
 */
static int64
describe_session(const PadvLockChains *chains, volatile PGPROC *proc, int index, int64 wall, PadvBlocker *row)
{
	volatile PgBackendStatus *entry;
	BackendType type = B_INVALID;
	BackendState state = STATE_UNDEFINED;
	int64		xact_start = 0;
	int64		state_start = 0;
	int			entry_pid = 0;

	if (index < 0 || index >= MaxBackends)
		return 0;
	entry = MyBEEntry - padv_my_status_index() + index;
	for (int try = 0; try < READ_TRIES; try++)
	{
		int			before,
					after;

		pgstat_begin_read_activity(entry, before);
		entry_pid = entry->st_procpid;
		type = entry->st_backendType;
		state = entry->st_state;
		row->role = entry->st_userid;
		row->database = entry->st_databaseid;
		row->query_id = (int64) entry->st_query_id;
		xact_start = entry->st_xact_start_timestamp;
		state_start = entry->st_state_start_timestamp;
		strlcpy(row->application, (const char *) entry->st_appname, sizeof(row->application));
		pgstat_end_read_activity(entry, after);
		if (pgstat_read_activity_complete(before, after))
			break;
	}
	if (entry_pid != row->pid)
		return 0;
	row->xact_seconds = seconds_since(xact_start, wall);
	row->state_seconds = seconds_since(state_start, wall);
	row->state = type != B_BACKEND ? PADV_BLOCKER_SERVER :
		translate_state(state, proc->wait_event_info == chains->queued_wait_event);
	return xact_start;
}

/* The PGPROC of a root, or -1 when it has just ended. */
static int
find_procno(int64 process)
{
	if (process < 0)
		return (int) (-1 - process);
	for (int i = 0; i < (int) ProcGlobal->allProcCount; i++)
		if (padv_proc_pid((volatile PGPROC *) GetPGProcByNumber(i)) == process)
			return i;
	return -1;
}

/* Since when this has been a root: longer than a look only if it was one at the last, too. */
static int64
known_since(const PadvLockChains *chains, int64 process, int64 xact_start, int64 now)
{
	for (int i = 0; i < chains->nknown; i++)
		if (chains->known[i].process == process && chains->known[i].xact_start == xact_start)
			return chains->known[i].since_us;
	return now;
}

static void
describe_root(const PadvLockChains *chains, const PadvRoot *root, int64 wall, int64 now,
			  PadvBlocker *row, Known *known)
{
	int			procno = find_procno(root->process);
	volatile PGPROC *proc = GetPGProcByNumber(Max(procno, 0));

	*row = (PadvBlocker) {
		.state = PADV_BLOCKER_SERVER, .auxiliary = procno >= MaxBackends || procno < 0,
		.state_seconds = -1.0, .xact_seconds = -1.0,
		.blocked_directly = root->blocked_directly, .blocked = root->blocked,
		.longest_wait_seconds = (double) root->longest_wait_us / 1e6,
		.advisory = root->advisory,
	};
	*known = (Known) {.process = root->process};
	if (root->process < 0)
	{
		row->state = PADV_BLOCKER_PREPARED;
		row->xid = proc->xid;
		row->role = proc->roleId;
		row->database = proc->databaseId;
		known->xact_start = row->xid;
	}
	else
	{
		row->pid = (int32) root->process;
		if (procno >= 0)
			known->xact_start = describe_session(chains, proc, padv_proc_status_index(proc, procno), wall, row);
		if (root->deadlock)
			row->state = PADV_BLOCKER_DEADLOCK;
	}
	known->since_us = known_since(chains, known->process, known->xact_start, now);
	row->blocking_seconds = (double) (now - known->since_us) / 1e6;
}

/* --- a look --- */

/* The roots of now into what is published; returns how many stand behind those of long. */
static int64
describe_roots(PadvLockChains *chains, int64 now, int64 *blocked)
{
	PadvRoot	roots[PADV_MAX_BLOCKERS];
	Known		known[PADV_MAX_BLOCKERS];
	int64		of_long[PADV_MAX_BLOCKERS];
	int			nof_long = 0;
	int64		wall = GetCurrentTimestamp();
	int			count = padv_lock_graph_roots(chains->graph, wall, roots, PADV_MAX_BLOCKERS, blocked);

	for (int i = 0; i < count; i++)
	{
		PadvBlocker *row = &chains->blockers.rows[i];

		describe_root(chains, &roots[i], wall, now, row, &known[i]);
		if (row->blocking_seconds >= PADV_STANDING_SECONDS && !row->advisory)
			of_long[nof_long++] = roots[i].process;
	}
	chains->blockers.count = count;
	memcpy(chains->known, known, count * sizeof(Known));
	chains->nknown = count;
	return padv_lock_graph_behind(chains->graph, of_long, nof_long);
}

void
padv_lock_chains_look(PadvLockChains *chains, const PadvSample *sample, int64_t demand,
					  int64_t now, PadvStall *stall)
{
	int64		blocked = 0;
	int64		standing = 0;

	if (anybody_waits(sample))
	{
		MemoryContext before = MemoryContextSwitchTo(chains->scratch);

		find_waiters(chains);
		fill_graph(chains);
		MemoryContextSwitchTo(before);
		standing = describe_roots(chains, now, &blocked);
		padv_status_publish_blockers(&chains->blockers);
	}
	else if (chains->blockers.count > 0 || stall->blocked > 0)
	{
		chains->blockers.count = 0;
		chains->nknown = 0;
		padv_status_publish_blockers(&chains->blockers);
	}
	padv_stall_update(stall, &chains->blockers, blocked, standing, demand, now);
}
