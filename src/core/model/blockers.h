/*
 * blockers.h
 *		Sessions that other sessions wait for: the roots of lock chains.
 *
 * Pure: plain data in memory of the caller; nothing blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_BLOCKERS_H
#define PADV_BLOCKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* At most so many roots are reported, those that block most. */
#define PADV_MAX_BLOCKERS 32

/* Bytes of an application name, with its NUL. */
#define PADV_APPLICATION_NAME 64

/*
 * A root that has blocked for this long is not one of many short waits any more: the
 * sessions behind it stand still.
 */
#define PADV_STANDING_SECONDS 5.0

typedef enum PadvBlockerState
{
	PADV_BLOCKER_ACTIVE,
	PADV_BLOCKER_IDLE_IN_TRANSACTION,
	PADV_BLOCKER_ABORTED,		/* idle in an aborted transaction */
	PADV_BLOCKER_IDLE,			/* holds a lock until its session ends */
	PADV_BLOCKER_QUEUED,		/* waits in the queue for transaction slots */
	PADV_BLOCKER_PREPARED,		/* a prepared transaction; no process */
	PADV_BLOCKER_DEADLOCK,		/* one of several that wait for each other */
	PADV_BLOCKER_SERVER,		/* a process without a client */
	PADV_BLOCKER_UNKNOWN,		/* not reported (track_activities) */
} PadvBlockerState;

typedef struct PadvBlocker
{
	int32_t		pid;			/* 0 for a prepared transaction */
	uint32_t	xid;			/* of a prepared transaction; otherwise 0 */
	uint32_t	role;
	uint32_t	database;
	PadvBlockerState state;
	bool		auxiliary;		/* a process that SQL cannot end */
	int64_t		query_id;		/* 0: none was computed */
	double		state_seconds;	/* time in its state; negative: not known */
	double		xact_seconds;	/* age of its transaction; likewise */
	int64_t		blocked_directly;	/* sessions that wait for it */
	int64_t		blocked;		/* sessions that wait for it, directly or not */
	double		longest_wait_seconds;	/* of these */
	double		blocking_seconds;	/* how long it has been a root */
	bool		advisory;		/* they wait for advisory locks only */
	char		application[PADV_APPLICATION_NAME];
} PadvBlocker;

/* Sorted: the root that blocks most comes first. */
typedef struct PadvBlockers
{
	int			count;
	PadvBlocker rows[PADV_MAX_BLOCKERS];
} PadvBlockers;

/* --- from locks to roots --- */

/*
 * A graph of the processes that hold locks, or wait for them.  A process is identified
 * by a number other than 0: its pid (that of the leader in a parallel query), or a
 * negative number of the caller.
 */
typedef struct PadvLockGraph PadvLockGraph;

/* What one process holds of a lock, or waits for. */
typedef struct PadvLockShare
{
	int64_t		process;
	uint32_t	held;			/* modes that it holds, a bit each */
	uint32_t	awaited;		/* the mode that it waits for, or 0 */
	uint32_t	conflicts;		/* modes that conflict with that */
	int64_t		wait_start;		/* wall clock, microseconds; 0: not known */
	bool		advisory;		/* an advisory lock */
} PadvLockShare;

typedef struct PadvRoot
{
	int64_t		process;
	bool		deadlock;		/* it waits itself, in a cycle */
	int64_t		blocked_directly;
	int64_t		blocked;
	int64_t		longest_wait_us;
	bool		advisory;		/* all of them wait for advisory locks */
} PadvRoot;

/*
 * The bytes of a graph of at most so many shares; and make one in a block of the caller,
 * which is aligned as malloc does and must not be moved.
 */
extern size_t padv_lock_graph_size(int most_shares);
extern PadvLockGraph *padv_lock_graph_init(void *block, int most_shares);

/* Remove all locks. */
extern void padv_lock_graph_clear(PadvLockGraph *graph);

/*
 * Begin a lock, and add its shares, waiters in the order of the lock's queue.  Adding
 * returns false, and adds nothing, when the graph is full.
 */
extern void padv_lock_graph_begin(PadvLockGraph *graph);
extern bool padv_lock_graph_add(PadvLockGraph *graph, const PadvLockShare *share);

/* Note that this process waits for a lock that is not in the graph, so it is no root. */
extern void padv_lock_graph_waits(PadvLockGraph *graph, int64_t process);

/*
 * Write the roots, those that block most first, up to `most`, and return their number.  If
 * there are more, those are left out that others wait for because of advisory locks only,
 * and then those that block least.  A root blocks others and does not wait; of each cycle
 * one process is a root.  now is the wall clock in microseconds.  *blocked is set to the
 * number of waiting processes.
 */
extern int	padv_lock_graph_roots(PadvLockGraph *graph, int64_t now, PadvRoot *roots,
								  int most, int64_t *blocked);

/*
 * The number of processes that wait for these, directly or not, each counted once.  Those
 * that wait for an advisory lock are not counted: waiting can be the purpose of that
 * lock, as where only one of several programs may work.
 */
extern int64_t padv_lock_graph_behind(PadvLockGraph *graph, const int64_t *processes, int count);

/* --- whether work stands still --- */

/*
 * Choose the rows to report of all roots, which come in the order of padv_lock_graph_roots():
 * those that block most, but for advisory locks, and those that padv_stall_update() goes by.
 * Writes the places of at most PADV_MAX_BLOCKERS, in order, and returns their number.
 */
extern int	padv_blockers_choose(const PadvBlocker *all, int count, int places[PADV_MAX_BLOCKERS]);

typedef struct PadvStall
{
	int64_t		blockers;		/* reported roots */
	int64_t		blocked;		/* sessions that wait for them */
	int64_t		standing;		/* those that wait for roots that have blocked
								 * for PADV_STANDING_SECONDS */
	int64_t		queues;			/* roots that have just begun to block: so
								 * many locks are passed on */
	double		longest_wait_seconds;
	double		idle_blocker_seconds;	/* how long an idle root has blocked;
										 * 0: there is none */
	PadvBlocker idle;			/* that root, the one for longest */
	double		queue_seconds;	/* the longest current wait for a transaction
								 * slot */
	PadvBlocker worst;			/* the root that blocks most, of those that
								 * have blocked for long; if any is true */
	bool		any;
	int64_t		since_us;		/* monotonic, microseconds; since when most of
								 * the work stands still; 0: it does not */
	int64_t		ended_us;		/* likewise; end of the last stall; 0: never */
	double		stalled_seconds;	/* 0: no stall */
} PadvStall;

/*
 * Update the stall.  standing is padv_lock_graph_behind() of the rows that have blocked
 * for long, demand the number of sessions that want to work.  Most of the work stands
 * still when at least one session, and half of the demand, does.  The stall ends when
 * less than a quarter does.
 */
extern void padv_stall_update(PadvStall *stall, const PadvBlockers *blockers, int64_t blocked,
							  int64_t standing, int64_t demand, int64_t now_us);

/* Whether a root is idle, so that it does not end its transaction by itself. */
extern bool padv_blocker_is_idle(const PadvBlocker *blocker);

/*
 * A constant string: as in pg_stat_activity, or "queued", "prepared", "deadlock",
 * "server", "unknown".
 */
extern const char *padv_blocker_state_name(PadvBlockerState state);

#endif							/* PADV_BLOCKERS_H */
