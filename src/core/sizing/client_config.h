/*
 * client_config.h
 *		What to set in the pool in front, so that all its processes together
 *		open as many connections as help.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_CLIENT_CONFIG_H
#define PADV_CLIENT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

/* Until when a connection is out of the pool. */
typedef enum PadvHolding
{
	PADV_HELD_FOR_TRANSACTION,	/* a proxy hands it on after each transaction */
	PADV_HELD_UNTIL_RETURNED,	/* the caller says when it is done with it */
	PADV_HELD_BY_WORKER,		/* each worker thread keeps its own */
} PadvHolding;

/* How the value of a line is made. */
typedef enum PadvClientValue
{
	PADV_VALUE_SIZE,			/* connections of one pool, with the
								 * calculation */
	PADV_VALUE_SAME,			/* the same number, for a reason of its own */
	PADV_VALUE_PERCENT,			/* the same as a share of max_connections,
								 * with the calculation */
	PADV_VALUE_SAME_PERCENT,
	PADV_VALUE_WORKERS,			/* threads that fit, with the calculation */
	PADV_VALUE_SAME_WORKERS,
	PADV_VALUE_QUEUE,			/* places in the workers' line */
	PADV_VALUE_LITERAL,
} PadvClientValue;

typedef struct PadvClientLine
{
	const char *setting;		/* NULL after the last */
	PadvClientValue value;
	const char *literal;
	const char *reason;
} PadvClientLine;

#define PADV_CLIENT_LINES 6

typedef struct PadvClientSystem
{
	const char *name;			/* the canonical one */
	const char *title;
	const char *also;			/* another name, or NULL */
	PadvHolding holding;
	const char *pools;			/* what there are so many of */
	const char *where;			/* the lines belong */
	PadvClientLine lines[PADV_CLIENT_LINES + 1];
	const char *above;			/* what happens to those beyond the pool */
} PadvClientSystem;

/* All systems, in the order of their description; the last has no name. */
extern const PadvClientSystem padv_client_systems[];

/*
 * By name, title or other name; only letters and digits count, in either case.
 * NULL when there is none.
 */
extern const PadvClientSystem *padv_find_client_system(const char *name);

typedef struct PadvClientPlan
{
	/* what is asked for */
	const PadvClientSystem *system;
	int64_t		processes;		/* 1..PADV_MAX_SERVERS, likewise below */
	double		share;			/* of the server, over 0 and at most 1 */
	int64_t		threads;		/* of each process; 0: not known */
	int64_t		connections_per_thread;

	/* what the server says */
	int64_t		optimal;
	const char *method;			/* by which it was found */
	double		busy_ratio;		/* over 0 and at most 1 */
	const char *busy_source;	/* where it comes from, in words */
	double		stale_seconds;	/* age of it all; 0 while it is fresh */
	const char *confidence;		/* in the optimum */
	const char *measured_at;	/* when the busiest load was, in words; NULL:
								 * none */
	double		throughput;		/* of that load, transactions a second */
	double		sessions;
	double		executing;
	int64_t		pool_size;		/* 0: not known, likewise below */
	int64_t		session_pool_size;	/* where callers keep a connection for a
									 * request */
	int64_t		max_connections;
	int64_t		usable_connections;

	/* what comes out */
	int64_t		divided;		/* pool_size or session_pool_size, by what
								 * holds connections */
	double		share_connections;	/* share * divided */
	int64_t		allowed;		/* by the share to each pool, maybe 0 */
	int64_t		floor;			/* against deadlock; 0: not known */
	bool		floor_wins;
	bool		crowded;		/* one connection each is more than the share */
	int64_t		size;			/* connections of each pool */
	int64_t		workers;		/* threads of each pool, PADV_HELD_BY_WORKER */
	int64_t		wanted;			/* connections of each pool, before they are
								 * made a percentage */
	int64_t		percent;		/* of max_connections, 1..100 */
	bool		percent_up;		/* rounded up to reach the floor */
	int64_t		sum;			/* of all pools */
} PadvClientPlan;

/* From what is asked for and what the server says to what comes out. */
extern void padv_plan_client(PadvClientPlan *plan);

/* Room that any reason fits into. */
#define PADV_REASON 1280

/*
 * The lines of a plan, by calls of emit.  A line without a value (an empty one)
 * is a note.  The strings are valid during the call only.
 */
extern void padv_client_config(const PadvClientPlan *plan,
							   void (*emit) (void *arg, const char *setting,
											 const char *value, const char *reason),
							   void *arg);

#endif							/* PADV_CLIENT_CONFIG_H */
