/*
 * lock_chains.c
 *		The sessions that block others, from the server's lock tables.
 *
 * Owns the translation from lock tables to a graph of waits (core/model/blockers.c), and
 * of its roots to what is published.  The worker calls it once a second.
 *
 * While no session waits for a lock nothing is read.  Otherwise the wait events of all
 * PGPROCs are read, without a lock.  Then the lock manager is queried once for each lock
 * with waiters, about its last waiter: the result has all holders, and the waiters ahead
 * in their order.  The query is PostgreSQL's function for pg_blocking_pids(), which holds
 * the lock manager's partitions while it copies the entries of that lock.  Each call
 * queries at most MOST_LOCKS locks, those with most waiters.  A process that waits for
 * another lock is not a root, whatever it blocks.
 *
 * The queries of several locks are moments apart, so a chain can be wrong in one call.
 * So only a root that has blocked for PADV_STANDING_SECONDS counts.
 *
 * What waiters wait for is charged to the roots (core/stats/load_by.c) from one call to the
 * next.
 *
 * A parallel worker is replaced by its leader, as in pg_blocking_pids().  A prepared
 * transaction has no process; it is identified by the number of its PGPROC.
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
#include "shmem/load_shmem.h"
#include "shmem/status_shmem.h"
#include "worker/lock_chains.h"
#include "worker/sampler.h"

#define MOST_LOCKS 64

/* Roots that are known, of which PADV_MAX_BLOCKERS are reported. */
#define MOST_ROOTS 256

StaticAssertDecl(PADV_LOAD_CHARGES == PADV_MAX_BLOCKERS, "each root has a charge");

/* Far more than a writer that is running needs. */
#define READ_TRIES 1000

/* A process that waits for a lock; approximate. */
typedef struct Waiter
{
	int			pid;
	int			leader;			/* equal to pid if it is in no group */
	const void *lock;			/* only compared, never dereferenced */
	int64		since;			/* wall clock */
} Waiter;

/* Waiters of the same lock. */
typedef struct Queue
{
	int			first;
	int			count;
} Queue;

/* The position of a process in the queue of a lock. */
typedef struct QueuePosition
{
	int			pid;
	int			number;
} QueuePosition;

typedef struct Ordered
{
	const LockInstanceData *instance;
	int			rank;			/* holders first, then as they wait */
	int64		since;			/* 0: not known */
} Ordered;

/* Since when a process has been a root. */
typedef struct KnownRoot
{
	int64		process;
	int64		xact_start;
	int64		since_us;		/* monotonic */
} KnownRoot;

struct PadvLockChains
{
	uint32		queued_wait_event;
	MemoryContext scratch;
	PadvLockGraph *graph;
	Waiter	   *waiters;
	Waiter	   *by_pid;			/* the same, sorted by pid */
	Queue	   *queues;
	int			nwaiters;
	int			nqueues;
	int			nroots;
	PadvRoot	roots[MOST_ROOTS];
	PadvBlocker rows[MOST_ROOTS];	/* of these */
	PadvLoadCharge charges[MOST_ROOTS];
	KnownRoot	known[MOST_ROOTS];
	KnownRoot	known_before[MOST_ROOTS];	/* as of the call before */
	int			nknown_before;
	PadvBlockers blockers;
};

PadvLockChains *
padv_lock_chains_create(uint32_t slot_wait_event)
{
	PadvLockChains *chains = palloc0(sizeof(PadvLockChains));
	int			most = 2 * (MaxBackends + max_prepared_xacts) + 512;

	chains->queued_wait_event = slot_wait_event;
	chains->graph = padv_lock_graph_init(palloc(padv_lock_graph_size(most)), most);
	chains->waiters = palloc(mul_size(MaxBackends, sizeof(Waiter)));
	chains->by_pid = palloc(mul_size(MaxBackends, sizeof(Waiter)));
	chains->queues = palloc(mul_size(MaxBackends, sizeof(Queue)));
	chains->scratch = AllocSetContextCreate(CurrentMemoryContext, "pool_advisor lock chains",
											ALLOCSET_DEFAULT_SIZES);
	return chains;
}

/* --- waiters --- */

static bool
any_lock_waiter(const PadvSample *sample)
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

	/* newest first; a wait without a start time has just begun */
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

/* Find all processes that wait for a lock, by lock, the longest queue first. */
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

/* Since when a process waits, or 0; the lock manager's result does not have that. */
static int64
waiting_since(const PadvLockChains *chains, int pid)
{
	Waiter		key = {.pid = pid};
	const Waiter *waiter = bsearch(&key, chains->by_pid, chains->nwaiters, sizeof(Waiter), compare_pids);

	return waiter ? waiter->since : 0;
}

/* --- from a lock to the graph --- */

/* The number of a prepared transaction, by its former virtual transaction; or 0. */
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
compare_positions(const void *a, const void *b)
{
	return ((const QueuePosition *) a)->pid < ((const QueuePosition *) b)->pid ? -1 :
		((const QueuePosition *) a)->pid > ((const QueuePosition *) b)->pid;
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
 * The entries of the lock that a process waits for, in the order of its queue.  The result
 * does not order waiters that came after that process, so these are ordered by time.
 */
static Ordered *
order_shares(const PadvLockChains *chains, const BlockedProcsData *data, const BlockedProcData *blocked)
{
	QueuePosition *positions = palloc(mul_size(blocked->num_waiters + 1, sizeof(QueuePosition)));
	Ordered    *ordered = palloc(mul_size(blocked->num_locks + 1, sizeof(Ordered)));

	for (int i = 0; i < blocked->num_waiters; i++)
		positions[i] = (QueuePosition) {.pid = data->waiter_pids[blocked->first_waiter + i], .number = i};
	positions[blocked->num_waiters] = (QueuePosition) {.pid = blocked->pid, .number = blocked->num_waiters};
	qsort(positions, blocked->num_waiters + 1, sizeof(QueuePosition), compare_positions);

	for (int i = 0; i < blocked->num_locks; i++)
	{
		const LockInstanceData *instance = &data->locks[blocked->first_lock + i];
		QueuePosition key = {.pid = instance->pid};
		QueuePosition *position;

		ordered[i] = (Ordered) {.instance = instance, .rank = -1};
		if (instance->waitLockMode == NoLock)
			continue;
		position = bsearch(&key, positions, blocked->num_waiters + 1, sizeof(QueuePosition), compare_positions);
		ordered[i].since = waiting_since(chains, instance->pid);
		ordered[i].rank = position ? position->number : blocked->num_waiters + 1;
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

/* Query the lock that this process waits for, if it still does. */
static void
query_lock_of(PadvLockChains *chains, int pid)
{
	BlockedProcsData *data = GetBlockerStatusData(pid);

	for (int i = 0; i < data->nprocs; i++)
	{
		const BlockedProcData *blocked = &data->procs[i];
		Ordered    *ordered;

		/* other members of its group wait in other queues */
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
			query_lock_of(chains, waiters[0].pid);
		else
			for (int j = 0; j < chains->queues[i].count; j++)
				padv_lock_graph_waits(chains->graph, waiters[j].leader);
		MemoryContextReset(chains->scratch);
	}
}

/* --- the description of a root --- */

static PadvBlockerState
get_blocker_state(BackendState state, bool queued)
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
 * Read the session's status entry, by its protocol, as the sampler does, with some more
 * fields.  Returns the start of its transaction.
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
		get_blocker_state(state, proc->wait_event_info == chains->queued_wait_event);
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

/* Since when this has been a root: since now, unless it was one at the last call. */
static int64
root_since(const PadvLockChains *chains, int64 process, int64 xact_start, int64 now)
{
	const KnownRoot *known = chains->known_before;

	for (int i = 0; i < chains->nknown_before; i++)
		if (known[i].process == process && known[i].xact_start == xact_start)
			return known[i].since_us;
	return now;
}

/* Who is charged with the waits for a root. */
static void
describe_charge(const PadvRoot *root, const PadvBlocker *row, int status_index, PadvLoadCharge *charge)
{
	*charge = (PadvLoadCharge) {.blocked = root->blocked};
	if (row->pid != 0 && status_index >= 0 && status_index < MaxBackends &&
		padv_sampler_read_keys(status_index, row->pid, charge->keys))
		return;
	charge->keys[PADV_DIMENSION_ROLE] = row->role;
	charge->keys[PADV_DIMENSION_DATABASE] = row->database;
}

static void
describe_root(const PadvLockChains *chains, const PadvRoot *root, int64 wall, int64 now,
			  PadvBlocker *row, KnownRoot *known, PadvLoadCharge *charge)
{
	int			procno = find_procno(root->process);
	volatile PGPROC *proc = GetPGProcByNumber(Max(procno, 0));
	int			status_index = -1;

	*row = (PadvBlocker) {
		.state = PADV_BLOCKER_SERVER, .auxiliary = procno >= MaxBackends || procno < 0,
		.state_seconds = -1.0, .xact_seconds = -1.0,
		.blocked_directly = root->blocked_directly, .blocked = root->blocked,
		.longest_wait_seconds = (double) root->longest_wait_us / 1e6,
		.advisory = root->advisory,
	};
	*known = (KnownRoot) {.process = root->process};
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
		{
			status_index = padv_proc_status_index(proc, procno);
			known->xact_start = describe_session(chains, proc, status_index, wall, row);
		}
		if (root->deadlock)
			row->state = PADV_BLOCKER_DEADLOCK;
	}
	known->since_us = root_since(chains, known->process, known->xact_start, now);
	row->blocking_seconds = (double) (now - known->since_us) / 1e6;
	describe_charge(root, row, status_index, charge);
}

/* --- the call --- */

/* Publish the roots that are reported, and who is charged with waits. */
static void
report_roots(PadvLockChains *chains)
{
	PadvLoadCharge charges[PADV_MAX_BLOCKERS];
	int			places[PADV_MAX_BLOCKERS];
	int			count = padv_blockers_choose(chains->rows, chains->nroots, places);

	for (int i = 0; i < count; i++)
	{
		chains->blockers.rows[i] = chains->rows[places[i]];
		charges[i] = chains->charges[places[i]];
	}
	chains->blockers.count = count;
	padv_load_publish_charges(charges, count);
	padv_status_publish_blockers(&chains->blockers);
}

/*
 * Describe the current roots; returns how many sessions wait behind the old ones.  Those
 * that are new are counted in *queues.
 */
static int64
describe_roots(PadvLockChains *chains, int64 now, int64 *blocked, int64 *queues)
{
	int64		old_roots[MOST_ROOTS];
	int			nold = 0;
	int64		wall = GetCurrentTimestamp();

	*queues = 0;
	chains->nknown_before = chains->nroots;
	memcpy(chains->known_before, chains->known, chains->nroots * sizeof(KnownRoot));
	chains->nroots = padv_lock_graph_roots(chains->graph, wall, chains->roots, MOST_ROOTS, blocked);
	for (int i = 0; i < chains->nroots; i++)
	{
		PadvBlocker *row = &chains->rows[i];

		describe_root(chains, &chains->roots[i], wall, now, row, &chains->known[i], &chains->charges[i]);
		if (row->blocking_seconds >= PADV_STANDING_SECONDS && !row->advisory)
			old_roots[nold++] = chains->roots[i].process;
		*queues += chains->known[i].since_us == now && !row->advisory;
	}
	return padv_lock_graph_behind(chains->graph, old_roots, nold);
}

void
padv_lock_chains_look(PadvLockChains *chains, const PadvSample *sample, int64_t demand,
					  int64_t now, PadvStall *stall)
{
	int64		blocked = 0;
	int64		standing = 0;

	stall->queues = 0;
	if (any_lock_waiter(sample))
	{
		MemoryContext before = MemoryContextSwitchTo(chains->scratch);

		find_waiters(chains);
		fill_graph(chains);
		MemoryContextSwitchTo(before);
		standing = describe_roots(chains, now, &blocked, &stall->queues);
		report_roots(chains);
	}
	else if (chains->blockers.count > 0 || stall->blocked > 0)
	{
		chains->nroots = 0;
		report_roots(chains);
	}
	padv_stall_update(stall, &chains->blockers, blocked, standing, demand, now);
}

const PadvBlockers *
padv_lock_chains_roots(const PadvLockChains *chains)
{
	return &chains->blockers;
}
