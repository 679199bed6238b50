/*
 * blockers.h
 *		Sessions that others wait for: the roots of lock chains.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_BLOCKERS_H
#define PADV_BLOCKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Roots that are told of; those that block most. */
#define PADV_MAX_BLOCKERS 32

/* With the NUL; as long as the server's. */
#define PADV_APPLICATION_NAME 64

/*
 * A root that blocks for this long is not one of many short waits any more: what
 * is behind it stands still.
 */
#define PADV_STANDING_SECONDS 5.0

typedef enum PadvBlockerState
{
	PADV_BLOCKER_ACTIVE,
	PADV_BLOCKER_IDLE_IN_TRANSACTION,
	PADV_BLOCKER_ABORTED,		/* idle in an aborted transaction */
	PADV_BLOCKER_IDLE,			/* holds a lock for as long as its session is */
	PADV_BLOCKER_QUEUED,		/* waits in the queue for transactions */
	PADV_BLOCKER_PREPARED,		/* a prepared transaction; no process */
	PADV_BLOCKER_DEADLOCK,		/* one of several that wait for each other */
	PADV_BLOCKER_SERVER,		/* a process that is no client's */
	PADV_BLOCKER_UNKNOWN,		/* it does not tell (track_activities) */
} PadvBlockerState;

typedef struct PadvBlocker
{
	int32_t		pid;			/* 0 of a prepared transaction */
	uint32_t	xid;			/* of that; otherwise 0 */
	uint32_t	role;
	uint32_t	database;
	PadvBlockerState state;
	bool		auxiliary;		/* a process that SQL cannot end */
	int64_t		query_id;		/* 0: none was computed */
	double		state_seconds;	/* since it came into its state; negative: not
								 * known */
	double		xact_seconds;	/* age of its transaction; likewise */
	int64_t		blocked_directly;	/* sessions that wait for it */
	int64_t		blocked;		/* and for those, and so on */
	double		longest_wait_seconds;	/* of these */
	double		blocking_seconds;	/* for how long it has been a root */
	bool		advisory;		/* only advisory locks are waited for */
	char		application[PADV_APPLICATION_NAME];
} PadvBlocker;

/* Which the most of them block comes first. */
typedef struct PadvBlockers
{
	int			count;
	PadvBlocker rows[PADV_MAX_BLOCKERS];
} PadvBlockers;

/* --- from locks to roots --- */

/*
 * What some processes have to do with the locks that are waited for.  A process is
 * known by a number other than 0: a pid (of a parallel query the leader's), or
 * whatever else is negative.
 */
typedef struct PadvLockGraph PadvLockGraph;

typedef struct PadvLockShare
{
	int64_t		process;
	uint32_t	held;			/* modes that it has, a bit each */
	uint32_t	awaited;		/* the one that it waits for, or 0 */
	uint32_t	conflicts;		/* those that keep it waiting */
	int64_t		wait_start;		/* microseconds; 0: not known */
	bool		advisory;		/* a lock that only the application knows the
								 * meaning of */
} PadvLockShare;

typedef struct PadvRoot
{
	int64_t		process;
	bool		deadlock;		/* it waits itself, in the end for itself */
	int64_t		blocked_directly;
	int64_t		blocked;
	int64_t		longest_wait_us;
	bool		advisory;		/* all of those wait for advisory locks */
} PadvRoot;

/*
 * Bytes for a graph of so many shares; the block must be aligned as malloc does,
 * and must not be moved.  Nothing is allocated afterwards.
 */
extern size_t padv_lock_graph_size(int most_shares);
extern PadvLockGraph *padv_lock_graph_init(void *block, int most_shares);

/* Forget all locks. */
extern void padv_lock_graph_clear(PadvLockGraph *graph);

/*
 * Begin a lock, and add to it; waiters in the order of its queue.  False, and
 * nothing is added, when there is no room.
 */
extern void padv_lock_graph_begin(PadvLockGraph *graph);
extern bool padv_lock_graph_add(PadvLockGraph *graph, const PadvLockShare *share);

/* This process waits for a lock that is not in the graph, so it is no root. */
extern void padv_lock_graph_waits(PadvLockGraph *graph, int64_t process);

/*
 * The roots, those that block most first: who blocks and does not wait, and of
 * those that wait for each other one for each circle.  Returns how many were
 * written; *blocked is how many processes wait.
 */
extern int	padv_lock_graph_roots(PadvLockGraph *graph, int64_t now, PadvRoot *roots,
								  int most, int64_t *blocked);

/*
 * How many processes wait behind these, each counted once.  Those that wait for an
 * advisory lock are not: that can be what the lock is for, as where one program of
 * several is to be at work.
 */
extern int64_t padv_lock_graph_behind(PadvLockGraph *graph, const int64_t *processes, int count);

/* --- whether work stands still --- */

typedef struct PadvStall
{
	int64_t		blockers;		/* roots, as far as they are told of */
	int64_t		blocked;		/* sessions behind them */
	int64_t		standing;		/* those of them behind roots that have
								 * blocked for PADV_STANDING_SECONDS */
	double		longest_wait_seconds;
	double		idle_blocker_seconds;	/* for how long a root that does
										 * nothing has blocked; 0: there is
										 * none */
	double		queue_seconds;	/* the longest wait in the queue for
								 * transactions now */
	PadvBlocker worst;			/* of those that have blocked for long the one
								 * that blocks most */
	bool		any;			/* there is such a one */
	int64_t		since_us;		/* monotonic; since when most of the work
								 * stands still; 0: it does not */
	int64_t		ended_us;		/* when it did last; 0: never */
	double		stalled_seconds;	/* 0: it flows */
} PadvStall;

/*
 * Take in what was found: standing is padv_lock_graph_behind() of those rows that
 * have blocked for long, demand what wants to work now.  Most of the work
 * stands still when at least one session and half of the demand does; it goes on
 * when less than a quarter does.
 */
extern void padv_stall_update(PadvStall *stall, const PadvBlockers *blockers, int64_t blocked,
							  int64_t standing, int64_t demand, int64_t now_us);

/* A root that does nothing, so it does not end its transaction by itself. */
extern bool padv_blocker_is_idle(const PadvBlocker *blocker);

/* As pg_stat_activity has it, or "queued", "prepared", "deadlock", "server", "unknown". */
extern const char *padv_blocker_state_name(PadvBlockerState state);

#endif							/* PADV_BLOCKERS_H */
