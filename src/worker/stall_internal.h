/*
 * stall_internal.h
 *		The state of the stall monitor, for its files.
 *
 * Only the worker has it, in memory of its own, so no lock guards it.  What is read of
 * shared memory is a moment old.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_STALL_INTERNAL_H
#define PADV_STALL_INTERNAL_H

#include "postgres.h"

#include "storage/proc.h"

#include "shmem/admission_internal.h"
#include "worker/sampler.h"
#include "worker/stall_monitor.h"

#define PADV_MS INT64CONST(1000)

/* How long a session must do nothing in a statement. */
#define PADV_STALLED_US (30 * PADV_MS)

/* Shares count once a transaction has its slot this long; they are means over this time. */
#define PADV_SHARE_US (200 * PADV_MS)

/* How long a session must wait for a lock before its blockers are queried. */
#define PADV_BLOCKED_US (30 * PADV_MS)

/* Queries of the lock manager in one check. */
#define PADV_MOST_BLOCKERS_ASKED 16

/* Processes without a slot whose blockers are remembered. */
#define PADV_MOST_OUTSIDERS 16

/* Whether a process waits, in the end, for a session without a slot. */
typedef struct PadvVerdict
{
	int			pid;
	int64		at;				/* monotonic; 0: not known */
	bool		outside;
} PadvVerdict;

/* What a slot owner has been seen doing, and since when; times are monotonic. */
typedef struct PadvSeen
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
	PadvVerdict verdict;
	int64		no_event_start; /* start of the statement that was seen
								 * without a wait event */
	uint64		run_ns;			/* CPU time so far, when seen asleep; or 0 */
} PadvSeen;

/* Whether waiters of a quota are granted slots, and whether that helps. */
typedef struct PadvProgress
{
	int64		granted;		/* PadvLimitState.granted at the last check */
	int64		since;			/* monotonic; last grant; 0: no waiter */
	int			forced;			/* grants as a last resort since then */
	uint32		look;			/* the last check that saw it */
	int			stalled;		/* slot owners when nothing worked last */
	int			burst;			/* how many times the limit gets slots */
	int64		works_since;	/* monotonic; 0: nothing works */
} PadvProgress;

/* What the slot owners under a quota do. */
typedef struct PadvSlotUse
{
	int			owners;			/* 0: not on the list */
	double		uncounted;		/* sum of their shares */
	double		working;		/* likewise; who waits for a lock counts */
} PadvSlotUse;

/* A parallel worker. */
typedef struct PadvMember
{
	const PGPROC *leader;
	uint32		wait_event;
} PadvMember;

struct PadvStallMonitor
{
	PadvSeen   *seen;			/* by backend */
	PadvProgress *progress;		/* by quota */
	int32	   *slot_owners;	/* a copy */
	int			nslot_owners;
	PadvSlotUse *use;			/* by quota, of this check */
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
	PadvMember *members;		/* of this check, if nmembers is not negative */
	int			nmembers;
	PadvVerdict outsiders[PADV_MOST_OUTSIDERS];
	int			next_outsider;
	bool		blocked_outside;	/* some slot owner was, at the last check */
	bool		any_outside;	/* likewise, at this check */
	MemoryContext scratch;
	bool		waiting;		/* transactions waited at the last check */
	int64		looked_at;		/* monotonic; the last check */
	int64		waited_us;		/* time in which transactions waited */
	int			asked;			/* processes read from /proc in this check */
	int			blockers_asked; /* queries of the lock manager in this check */
	int64		replay_since;	/* monotonic; since when the replay of WAL
								 * waits for snapshots; 0: it does not */
	int			next_proc;		/* where the search for blocked processes
								 * continues */
	uint32		looks;
};

/*
 * Update what a slot owner has been seen doing, by what was read of its session; now is
 * monotonic.
 */
extern void padv_owner_update(PadvStallMonitor *monitor, PadvSeen *seen, const PadvBackend *backend, const PadvSession *session, int64 now);

/*
 * Whether the session has been idle in its transaction for long enough to lose its slot;
 * now is monotonic, and wall the time of day.
 */
extern bool padv_owner_is_idle(const PadvSeen *seen, const PadvSession *session, int64 now, int64 wall);

/*
 * The processes that a process waits for, and their number; a moment old.  Allocated in
 * the scratch context.  Takes the locks of the lock manager.
 */
extern int	padv_query_blockers(PadvStallMonitor *monitor, int pid, Datum **pids);

/*
 * The same for the startup process of a standby, which is not among the processes that
 * pg_blocking_pids() knows.
 */
extern int	padv_query_conflicts(PadvStallMonitor *monitor, const PGPROC *waiter, Datum **pids);

/*
 * Whether a slot owner waits for a session without a slot, for long enough.  Once one
 * has waited that long, others do not have to.
 */
extern bool padv_owner_is_blocked_outside(PadvStallMonitor *monitor, PadvSeen *seen, int pid, int64 now);

/* Grant slots to waiters that other sessions wait for. */
extern void padv_grant_needed(PadvStallMonitor *monitor, int64 now, int64 wall);

#endif							/* PADV_STALL_INTERNAL_H */
