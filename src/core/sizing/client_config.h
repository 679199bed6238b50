/*
 * client_config.h
 *		The settings of a client-side pool or proxy for the advised number of
 *		connections.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_CLIENT_CONFIG_H
#define PADV_CLIENT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

/* How long a connection stays assigned to a client. */
typedef enum PadvHolding
{
	PADV_HELD_FOR_TRANSACTION,	/* a proxy reassigns it after each transaction */
	PADV_HELD_UNTIL_RETURNED,	/* until the caller returns it */
	PADV_HELD_BY_WORKER,		/* each worker thread keeps its own */
} PadvHolding;

/* How the value of a setting is computed. */
typedef enum PadvClientValue
{
	PADV_VALUE_SIZE,			/* connections of one pool, with the
								 * calculation */
	PADV_VALUE_SAME,			/* the same number, with its own reason */
	PADV_VALUE_PERCENT,			/* the same in percent of max_connections,
								 * with the calculation */
	PADV_VALUE_SAME_PERCENT,
	PADV_VALUE_WORKERS,			/* number of worker threads, with the
								 * calculation */
	PADV_VALUE_SAME_WORKERS,
	PADV_VALUE_PER_WORKER,		/* connections of each worker */
	PADV_VALUE_QUEUE,			/* queue length of the workers */
	PADV_VALUE_LITERAL,
} PadvClientValue;

typedef struct PadvClientLine
{
	const char *setting;		/* NULL ends the list */
	PadvClientValue value;
	const char *literal;
	const char *reason;
} PadvClientLine;

#define PADV_CLIENT_LINES 8

typedef struct PadvClientSystem
{
	const char *name;			/* the canonical name */
	const char *title;
	const char *also;			/* an alternative name, or NULL */
	PadvHolding holding;
	const char *pools;			/* what the pools are counted by */
	const char *where;			/* where the settings are written */
	PadvClientLine lines[PADV_CLIENT_LINES + 1];
	const char *above;			/* what happens to requests beyond the pool */
} PadvClientSystem;

/*
 * All systems, in the order of the documentation.  An entry without a name ends the
 * list.
 */
extern const PadvClientSystem padv_client_systems[];

/*
 * Find a system by name, title or alternative name.  Only letters and digits count;
 * case does not.  Returns NULL if there is none.
 */
extern const PadvClientSystem *padv_find_client_system(const char *name);

typedef struct PadvClientPlan
{
	/* input: the arguments */
	const PadvClientSystem *system;
	int64_t		processes;		/* 1..PADV_MAX_SERVERS, likewise below */
	double		share;			/* of the server; greater than 0, at most 1 */
	int64_t		threads;		/* per process; 0: not known */
	int64_t		connections_per_thread;

	/* input: the state of the server */
	int64_t		optimal;
	const char *method;			/* the method of the optimum */
	double		busy_ratio;		/* greater than 0, at most 1 */
	const char *busy_source;	/* source of busy_ratio, in words */
	double		stale_seconds;	/* age of the figures; 0 if current */
	const char *confidence;		/* confidence of the optimum */
	const char *measured_at;	/* time of the busiest load, as text; NULL: no
								 * load was measured */
	double		throughput;		/* of that load, transactions per second */
	double		sessions;
	double		executing;
	int64_t		pool_size;		/* 0: not known; likewise below */
	int64_t		session_pool_size;	/* for callers that keep a connection for
									 * a whole request */
	int64_t		max_connections;
	int64_t		usable_connections;

	/* result */
	int64_t		divided;		/* the size to divide: pool_size, or
								 * session_pool_size */
	double		share_connections;	/* share * divided */
	int64_t		allowed;		/* share of one pool; can be 0 */
	int64_t		floor;			/* least size without deadlock; 0: not known */
	bool		floor_wins;
	bool		crowded;		/* even one connection per pool exceeds the
								 * share */
	int64_t		size;			/* connections of each pool */
	int64_t		workers;		/* threads of each pool, PADV_HELD_BY_WORKER */
	int64_t		wanted;			/* connections of each pool before rounding to
								 * a percentage */
	int64_t		percent;		/* of max_connections, 1..100 */
	bool		percent_up;		/* rounded up because of the floor */
	int64_t		sum;			/* of all pools */
} PadvClientPlan;

/* Compute the result from the input. */
extern void padv_plan_client(PadvClientPlan *plan);

/* The size of the longest reason. */
#define PADV_REASON 1280

/*
 * Emit the settings of a plan.  A line with an empty value is a note.  The strings
 * are valid only during the call.
 */
extern void padv_client_config(const PadvClientPlan *plan,
							   void (*emit) (void *arg, const char *setting,
											 const char *value, const char *reason),
							   void *arg);

#endif							/* PADV_CLIENT_CONFIG_H */
