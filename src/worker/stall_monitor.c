/*
 * stall_monitor.c
 *		The worker's part in the queue for transaction slots.
 *
 * While transactions wait it checks each session that has a slot, every 10 ms:
 *
 * - A retained slot that has not been used within the retain timeout is granted to a
 *   waiter.  Sessions do that, too, in xact_slots.c, but not all the time, and not
 *   among very many slots.
 * - A session that is idle in its transaction for IDLE_US loses its slot.  Its next
 *   statement gets a slot without waiting.
 * - A session that does nothing is not counted.  It waits for its client in COPY, for a
 *   standby, a timer, another server, or for another process that is not one of its own
 *   parallel query.  Some of these waits have no wait event, as dblink's wait for a
 *   session of this server.  So a process that should work, but sleeps and has not run
 *   since the last check, counts as waiting.  A session that does nothing now and then,
 *   as a program that polls, is counted for the share of time in which it works.
 * - A session that waits for a lock is counted.  Only the sessions that it waits for may
 *   get another slot: where sessions block each other, one more would be blocked, too.
 *   A session that waits long, and in the end for a session without a slot, is not
 *   counted.
 *
 * For sessions that are not counted their limits are raised, until they work again.
 * Sessions that get slots for that may come to wait, too, as those do that all need
 * another server whose sessions need this one.  So while nothing works under a limit, and
 * those that got slots have come to wait, twice as many get slots the next time.
 *
 * Then it checks the transactions in the queue that other sessions may wait for:
 *
 * - One that holds a lock is granted a slot when a session waits for that lock.  When many
 *   hold it, twice as many are granted slots in each check.  A waiter with an advisory lock
 *   is also granted one when no slot has been granted for a while, because a session may
 *   poll for the lock.
 * - One whose client is a session with a slot (dblink, postgres_fdw) is granted a slot.
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

#include "catalog/pg_type.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "clock.h"
#include "compat.h"
#include "machine/machine.h"
#include "shmem/admission_internal.h"
#include "shmem/long_lane.h"
#include "shmem/xact_slots.h"
#include "worker/sampler.h"
#include "worker/stall_monitor.h"

#define MS INT64CONST(1000)
#define SECOND INT64CONST(1000000)

/* How long a session must be idle in its transaction, or do nothing in a statement. */
#define IDLE_US (20 * MS)
#define STALLED_US (30 * MS)

/* Shares count once a transaction has its slot this long; they are means over this time. */
#define SHARE_US (200 * MS)
#define LEAST_SHARE 0.1

/*
 * Nothing works where less than half of a slot does.  When something has worked for a
 * while, slots are given out one by one again.
 */
#define LEAST_WORK 0.5
#define CALM_US (100 * MS)
#define MOST_BURST 1024

/* How long a statement must repeat the same query to count as polling. */
#define POLLS_US (100 * MS)

/* How long a session must wait for a lock before its blockers are queried. */
#define BLOCKED_US (30 * MS)
#define BLOCKED_OUTSIDE_US (150 * MS)
#define JUDGE_AGAIN_US (250 * MS)

/*
 * The time without a grant after which a waiter that holds locks gets a slot, and after
 * which the last resort begins.  The latter is long, because it exceeds the limit where
 * transactions are only slow.
 */
#define NO_GRANT_US (100 * MS)
#define PATIENCE_US (10 * SECOND)
#define LANE_PATIENCE_US (60 * SECOND)
#define MOST_DOUBLINGS 10

/* Processes read from /proc in one check; ten microseconds each. */
#define MOST_ASKED 16

/* Queries of the lock manager in one check, and the longest chain that is followed. */
#define MOST_BLOCKERS_ASKED 16
#define LONGEST_CHAIN 32

/*
 * Waiters that get slots in one check for locks of their transactions.  Two locks and two
 * latches each, so some microseconds.
 */
#define MOST_LOCKERS 64

/* Processes without a slot whose blockers are remembered. */
#define MOST_OUTSIDERS 16

/* The /proc in which our process numbers are valid, whatever system_root is. */
#define OWN_PROC ""

typedef enum Occupation
{
	WORKS,
	WAITS_FOR_LOCK,
	DOES_NOTHING,
} Occupation;

/* Whether a process waits, in the end, for a session without a slot. */
typedef struct Verdict
{
	int			pid;
	int64		at;				/* monotonic; 0: not known */
	bool		outside;
} Verdict;

/* Processes, each of which waits for the next one. */
typedef struct Chain
{
	int			pids[LONGEST_CHAIN];
	int			length;
	bool		complete;		/* all queries that were needed were made */
} Chain;

/* What a slot owner has been seen doing, and since when; times are monotonic. */
typedef struct Seen
{
	uint32		slots;			/* PadvBackend.slots of the slot that this is
								 * of */
	int64		held_since;
	int64		looked_at;
	int64		statement_start;
	int64		nothing_since;	/* 0: it did something */
	int64		lock_since;		/* 0: it does not wait for a lock */
	double		idle;			/* recent share of time doing nothing, 0..1 */
	double		uncounted;		/* share that is not counted, 0..1 */
	Verdict		verdict;
	int64		no_event_start; /* start of the statement that was seen
								 * without a wait event */
	uint64		run_ns;			/* CPU time so far, when seen asleep; or 0 */
} Seen;

/* Whether waiters of a quota are granted slots, and whether that helps. */
typedef struct Progress
{
	int64		granted;		/* PadvLimitState.granted at the last check */
	int64		since;			/* monotonic; last grant; 0: no waiter */
	int			forced;			/* grants as a last resort since then */
	uint32		look;			/* the last check that saw it */
	int			stalled;		/* slot owners when nothing worked last */
	int			burst;			/* how many times the limit gets slots */
	int64		works_since;	/* monotonic; 0: nothing works */
} Progress;

/* What the slot owners under a quota do. */
typedef struct Use
{
	int			owners;			/* 0: not on the list */
	double		uncounted;		/* sum of their shares */
	double		working;		/* likewise; who waits for a lock counts */
} Use;

/* A parallel worker. */
typedef struct Member
{
	const PGPROC *leader;
	uint32		wait_event;
} Member;

struct PadvStallMonitor
{
	Seen	   *seen;			/* by backend */
	Progress   *progress;		/* by quota */
	int32	   *slot_owners;	/* a copy */
	int			nslot_owners;
	Use		   *use;			/* by quota, of this check */
	double		turned_idle;	/* uncounted shares of those that turned long */
	int32	   *touched;		/* quotas in use under a limit */
	int			ntouched;
	int32	   *raised;			/* quotas whose limit is raised */
	int			nraised;
	int32	   *needed;			/* a copy */
	int			nneeded;
	int32		overcommitted;	/* the last one of these that got a slot */
	uint32		overcommitted_slots;	/* its PadvBackend.slots then */
	int64		overcommitted_at;	/* monotonic; 0: none yet */
	int			lockers;		/* waiters that got slots for their locks, in
								 * this check */
	int			most_lockers;	/* so many may, in this check */
	Member	   *members;		/* of this check, if nmembers is not negative */
	int			nmembers;
	Verdict		outsiders[MOST_OUTSIDERS];
	int			next_outsider;
	bool		blocked_outside;	/* some slot owner was, at the last check */
	bool		any_outside;	/* likewise, at this check */
	MemoryContext scratch;
	bool		waiting;		/* transactions waited at the last check */
	int64		looked_at;		/* monotonic; the last check */
	int64		waited_us;		/* time in which transactions waited */
	int			asked;			/* processes read from /proc in this check */
	int			blockers_asked; /* queries of the lock manager in this check */
	int			next_proc;		/* where the search for blocked processes
								 * continues */
	uint32		looks;
};

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

	monitor->seen = palloc0(mul_size(slots, sizeof(Seen)));
	monitor->slot_owners = palloc0(mul_size(slots, sizeof(int32)));
	monitor->needed = palloc0(mul_size(slots, sizeof(int32)));
	monitor->progress = palloc0(mul_size(quotas, sizeof(Progress)));
	monitor->use = palloc0(mul_size(quotas, sizeof(Use)));
	monitor->touched = palloc0(mul_size(quotas, sizeof(int32)));
	monitor->raised = palloc0(mul_size(quotas, sizeof(int32)));
	monitor->members = palloc0(mul_size(ProcGlobal->allProcCount, sizeof(Member)));
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

/* --- what a session does --- */

static Occupation
occupation_by_event(uint32 wait_event)
{
	switch (wait_event & 0xFF000000U)
	{
		case PG_WAIT_LOCK:
			return WAITS_FOR_LOCK;
		case PG_WAIT_CLIENT:
		case PG_WAIT_TIMEOUT:
		case PG_WAIT_EXTENSION:
			return DOES_NOTHING;
		case PG_WAIT_IPC:

			/*
			 * these wait for another process that does part of their work
			 */
			if (wait_event == WAIT_EVENT_BUFFER_IO || wait_event == WAIT_EVENT_XACT_GROUP_UPDATE ||
				wait_event == WAIT_EVENT_PROCARRAY_GROUP_UPDATE)
				return WORKS;
			return DOES_NOTHING;
		default:
			return wait_event == PADV_WAIT_BUFFER_PIN ? DOES_NOTHING : WORKS;
	}
}

static void
find_parallel_workers(PadvStallMonitor *monitor)
{
	if (monitor->nmembers >= 0)
		return;
	monitor->nmembers = 0;
	for (int i = 0; i < (int) ProcGlobal->allProcCount; i++)
	{
		const volatile PGPROC *proc = GetPGProcByNumber(i);
		const PGPROC *leader = proc->lockGroupLeader;

		if (leader == NULL || leader == GetPGProcByNumber(i))
			continue;
		monitor->members[monitor->nmembers].leader = leader;
		monitor->members[monitor->nmembers++].wait_event = proc->wait_event_info;
	}
}

/* A leader that waits for its parallel workers does what they do. */
static Occupation
occupation_of_group(PadvStallMonitor *monitor, const PadvBackend *backend)
{
	const PGPROC *leader = GetPGProcByNumber(backend->procno);
	Occupation	occupation = DOES_NOTHING;

	find_parallel_workers(monitor);
	for (int i = 0; i < monitor->nmembers; i++)
	{
		Occupation	one;

		if (monitor->members[i].leader != leader)
			continue;
		one = occupation_by_event(monitor->members[i].wait_event);
		if (one == WORKS)
			return WORKS;
		if (one == WAITS_FOR_LOCK)
			occupation = WAITS_FOR_LOCK;
	}
	return occupation;
}

static Occupation
occupation_of(PadvStallMonitor *monitor, const PadvBackend *backend, const PadvSession *session)
{
	Occupation	occupation;

	if (session->state == PADV_STATE_IDLE_IN_TRANSACTION)
		return DOES_NOTHING;

	/* its slot has just been granted, and it waits for a core */
	if (session->state == PADV_STATE_QUEUED)
		return WORKS;
	occupation = occupation_by_event(session->wait_event);
	if (padv_waits_for_wal(session->wait_event))
		return DOES_NOTHING;
	if (occupation == DOES_NOTHING && (session->wait_event & 0xFF000000U) == PG_WAIT_IPC)
		return occupation_of_group(monitor, backend);
	return occupation;
}

/*
 * Whether a session without a wait event sleeps, and has slept since the last check.  A
 * process that is runnable does not, however long it waits for a core; nor does one that
 * waits for a disk.
 */
static bool
owner_is_asleep(PadvStallMonitor *monitor, Seen *seen, const PadvSession *session)
{
	uint64		before = seen->run_ns;
	uint64		delay_ns;

	if (session->state != PADV_STATE_ACTIVE ||
		(session->wait_event != 0 && !padv_waits_in_copy(session->wait_event)))
		return false;
	if (seen->no_event_start != session->statement_start)
	{
		/* most statements are short, and not seen again */
		seen->no_event_start = session->statement_start;
		seen->run_ns = 0;
		return false;
	}
	if (monitor->asked >= MOST_ASKED)
		return seen->nothing_since > 0;
	monitor->asked++;
	if (!padv_process_is_asleep(OWN_PROC, session->pid) ||
		!padv_process_read_schedule(OWN_PROC, session->pid, &seen->run_ns, &delay_ns))
		seen->run_ns = 0;
	return seen->run_ns > 0 && seen->run_ns == before;
}

/* Update since when a condition has been true without a break, in the same statement. */
static void
update_since(int64 *since, bool is, bool same, int64 now)
{
	if (!is)
		*since = 0;
	else if (*since == 0 || !same)
		*since = now;
}

static void
update_owner_state(PadvStallMonitor *monitor, Seen *seen, const PadvBackend *backend, const PadvSession *session, int64 now)
{
	Occupation	occupation = occupation_of(monitor, backend, session);
	bool		same = seen->statement_start == session->statement_start;
	bool		nothing;

	if (seen->slots != backend->slots)
	{
		*seen = (Seen) {.slots = backend->slots, .held_since = now, .looked_at = now};
		same = false;
	}
	nothing = occupation == DOES_NOTHING ||
		(occupation == WORKS && owner_is_asleep(monitor, seen, session));
	seen->idle += ((nothing ? 1.0 : 0.0) - seen->idle) * Min((double) (now - seen->looked_at) / SHARE_US, 1.0);
	seen->looked_at = now;
	update_since(&seen->nothing_since, nothing, same, now);
	update_since(&seen->lock_since, occupation == WAITS_FOR_LOCK, same, now);
	seen->statement_start = session->statement_start;
}

/*
 * Whether the session has been idle in its transaction for IDLE_US.  Uses
 * st_state_start_timestamp if it is set and not in the future, otherwise our own
 * observation.
 */
static bool
owner_is_idle(const Seen *seen, const PadvSession *session, int64 now, int64 wall)
{
	if (session->state != PADV_STATE_IDLE_IN_TRANSACTION)
		return false;
	return session->state_start > 0 && session->state_start <= wall ?
		wall - session->state_start >= IDLE_US :
		seen->nothing_since > 0 && now - seen->nothing_since >= STALLED_US;
}

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

/* --- blockers --- */

/* The processes that a process waits for, and their number; a moment old. */
static int
query_blockers(PadvStallMonitor *monitor, int pid, Datum **pids)
{
	MemoryContext before = MemoryContextSwitchTo(monitor->scratch);
	ArrayType  *array = DatumGetArrayTypeP(DirectFunctionCall1(pg_blocking_pids, Int32GetDatum(pid)));
	int			count;

	deconstruct_array(array, INT4OID, sizeof(int32), true, TYPALIGN_INT, pids, NULL, &count);
	MemoryContextSwitchTo(before);
	monitor->blockers_asked++;
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
static Verdict *
get_verdict(PadvStallMonitor *monitor, int pid, int32 owner_index)
{
	if (owner_index >= 0)
		return &monitor->seen[owner_index].verdict;
	for (int i = 0; i < MOST_OUTSIDERS; i++)
		if (monitor->outsiders[i].pid == pid)
			return &monitor->outsiders[i];
	monitor->next_outsider = (monitor->next_outsider + 1) % MOST_OUTSIDERS;
	monitor->outsiders[monitor->next_outsider] = (Verdict) {.pid = pid};
	return &monitor->outsiders[monitor->next_outsider];
}

static bool leads_outside(PadvStallMonitor *monitor, int pid, Chain *chain);

/* The same for a process that waits for a lock, by its blockers. */
static bool
blockers_lead_outside(PadvStallMonitor *monitor, int pid, Chain *chain)
{
	Datum	   *pids;
	int			count = query_blockers(monitor, pid, &pids);
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
	Verdict    *verdict;
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
	if (chain->length == LONGEST_CHAIN || monitor->blockers_asked >= MOST_BLOCKERS_ASKED)
	{
		chain->complete = false;
		return false;
	}
	outside = blockers_lead_outside(monitor, pid, chain);
	if (outside || chain->complete)
		*get_verdict(monitor, pid, owner_index) = (Verdict) {.pid = pid, .at = monitor->looked_at, .outside = outside};
	return outside;
}

/*
 * Whether a slot owner waits for a session without a slot, for long enough.  Once one
 * has waited that long, others do not have to.
 */
static bool
is_blocked_outside(PadvStallMonitor *monitor, Seen *seen, int pid, int64 now)
{
	int64		after = monitor->blocked_outside ? BLOCKED_US : BLOCKED_OUTSIDE_US;
	Chain		chain = {.length = 0, .complete = true};

	if (seen->lock_since == 0 || now - seen->lock_since < after)
	{
		seen->verdict.at = 0;
		return false;
	}
	seen->uncounted = 0.0;
	return leads_outside(monitor, pid, &chain);
}

/* --- limits --- */

/* The share of this slot that is not counted, 0..1. */
static double
uncounted_share(PadvStallMonitor *monitor, int32 number, Seen *seen, int64 now)
{
	int64		held_us = now - seen->held_since;

	if (is_blocked_outside(monitor, seen, padv_backends[number].pid, now))
	{
		monitor->any_outside = true;
		return 1.0;
	}
	if ((seen->nothing_since > 0 && now - seen->nothing_since >= STALLED_US) ||
		(held_us >= POLLS_US && pg_atomic_read_u32(&padv_slot_words[number].polls) != 0))
		return 1.0;
	return held_us >= SHARE_US && seen->idle >= LEAST_SHARE ? seen->idle : 0.0;
}

/* Add a slot owner to its quotas, and note that these are in use. */
static void
add_owner(PadvStallMonitor *monitor, const PadvBackend *backend, const Seen *seen)
{
	for (int i = 0; i < backend->xact.nquotas && i < PADV_MAX_REQUEST_QUOTAS; i++)
	{
		int32		quota = backend->xact.quotas[i];
		Use		   *use = &monitor->use[quota];

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
	Seen	   *seen = &monitor->seen[number];
	PadvSession session;

	if (SLOT_STATE(pg_atomic_read_u64(&padv_slot_words[number].word)) != SLOT_HELD ||
		!padv_sampler_read(backend->status_index, backend->pid, &session))
		return;
	update_owner_state(monitor, seen, backend, &session, now);
	if (owner_is_idle(seen, &session, now, wall))
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
	const Use  *use = &monitor->use[quota];
	Progress   *progress = &monitor->progress[quota];
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
		monitor->use[quota] = (Use) {0};
	}
	monitor->nraised = raised;
}

/* --- waiters that other sessions wait for --- */

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

	for (int i = 0; i < nprocs && monitor->blockers_asked < MOST_BLOCKERS_ASKED &&
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
		if (pid == 0 || (wait_event & 0xFF000000U) != PG_WAIT_LOCK || since == 0 || wall - since < BLOCKED_US)
			continue;
		count = query_blockers(monitor, pid, &pids);
		overcommit_blockers(monitor, pids, count, wait_event == (PG_WAIT_LOCK | LOCKTAG_ADVISORY), now);
	}
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
		if (backend->client != PADV_NO_CLIENT && now - backend->queued_at >= STALLED_US &&
			client_needs(monitor, backend->client))
			(void) padv_slot_overcommit(number);

		else if (may_be_polled_for(monitor, backend, now))
			overcommit_needed(monitor, number, now);
	}
	if (any_locks)
		grant_blockers(monitor, now, wall);
}

/* --- the last resort --- */

static int64
patience_us(int32 quota, int forced)
{
	/* no grant among long transactions for a while is no sign of trouble */
	int64		patience = quota == PADV_LANE_QUOTA ? LANE_PATIENCE_US : PATIENCE_US;

	/* the deadlock detector comes first */
	return Max(patience, 2 * MS * DeadlockTimeout) << Min(forced, MOST_DOUBLINGS);
}

/* Note whether waiters at this quota get slots; after long, grant one beyond the limit. */
static void
check_progress(PadvStallMonitor *monitor, int32 quota, int64 now)
{
	Progress   *progress = &monitor->progress[quota];
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
	begin_lockers(monitor);
	if (monitor->nneeded > 0)
		grant_needed(monitor, now, wall);
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
