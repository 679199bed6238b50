/*
 * pools.h
 *		The pools in front of the server, found from its sessions.
 *
 * A found pool is the sessions of one role, database, application name and client
 * address.  Pure: plain data of the caller; nothing blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_POOLS_H
#define PADV_POOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/stats/hold_times.h"
#include "core/stats/sample.h"

/* Found pools; number 0 stands for all that find no free number. */
#define PADV_MAX_FOUND_POOLS 256
#define PADV_OTHER_POOLS 0

/* The number of a session that is not counted yet. */
#define PADV_NO_POOL UINT16_MAX

/* Bytes of an application name, with its NUL, as in the server. */
#define PADV_POOL_APPLICATION 64

/*
 * What sessions of one pool have in common.  All bytes count: the caller zeroes it, and
 * the application name is padded with NULs.
 */
typedef struct PadvPoolKey
{
	uint32_t	role;
	uint32_t	database;
	uint64_t	family;			/* bits of the client address: 0 (a Unix
								 * socket), 32 or 128 */
	uint8_t		address[16];	/* in network byte order */
	char		application[PADV_POOL_APPLICATION];
} PadvPoolKey;

/* Two keys with the same hash are taken for the same; it is greater than 1. */
extern uint64_t padv_pool_hash(const PadvPoolKey *key);

/*
 * A session that lives shorter than a second is brief, and so is one that lives up to ten
 * seconds for a few transactions: it was opened for one request.
 */
#define PADV_BRIEF_US INT64_C(1000000)
#define PADV_RATHER_BRIEF_US INT64_C(10000000)
#define PADV_BRIEF_TRANSACTIONS 20

/* What sessions of a pool did since the last call. */
typedef struct PadvPoolWork
{
	int64_t		ended;			/* sessions */
	int64_t		brief;			/* of these */
	int64_t		inside_us;		/* time inside finished transactions */
	int64_t		held[PADV_HOLD_BUCKETS];	/* finished transactions */
} PadvPoolWork;

typedef enum PadvPoolKind
{
	PADV_POOL_UNKNOWN,			/* of the others */
	PADV_POOL_FIXED,			/* keeps its connections */
	PADV_POOL_ELASTIC,			/* closes those that it does not need */
	PADV_POOL_PER_REQUEST,		/* opens a connection for each request */
	PADV_POOL_LEAKING,			/* opens connections that are not used again */
	PADV_POOL_LOCKED_UP,		/* all connections wait for their callers,
								 * which wait for a connection */
	PADV_POOL_INTERACTIVE,		/* people */
} PadvPoolKind;

/* Why there is no suggested size. */
typedef enum PadvPoolSizeState
{
	PADV_POOL_SIZED,
	PADV_POOL_NOT_MEASURED,		/* too few transactions in any minute */
	PADV_POOL_PEOPLE,
	PADV_POOL_STUCK,			/* locked up: the size is not a matter of load */
	PADV_POOL_MANY,				/* the others are no pool */
} PadvPoolSizeState;

/*
 * The busiest minute of a pool, or less where that has enough transactions: the one that
 * needs most connections.  Rate and load are those that a transaction meets, so bursts count.
 */
typedef struct PadvPoolBusiest
{
	int64_t		at;				/* wall clock, microseconds; 0: none */
	double		rate;			/* transactions a second */
	double		load;			/* connections in use, by that rate */
	double		mean;			/* connections in use, over time */
	double		together;		/* others in use beside one, by the samples */
	double		active;			/* share of those in use, in the server */
	bool		all_in_use;		/* at a moment all open connections were */
} PadvPoolBusiest;

/* The connections in use in the busiest moments that last. */
extern double padv_pool_in_use(const PadvPoolBusiest *busiest);

typedef struct PadvFoundPool
{
	PadvPoolKey key;
	bool		others;			/* stands for all that have no row */
	PadvPoolKind kind;
	int64_t		open;			/* in the last sample */
	int64_t		in_use;
	int64_t		max_open;		/* of 14 days */
	int64_t		open_lately;	/* most, of the last 10 to 20 minutes */
	int64_t		max_in_use;
	double		busy;			/* share of the time that an open connection
								 * is in use, last minute; -1: none was open */
	double		hold_p50_seconds;	/* of transactions; -1: none finished */
	double		hold_p95_seconds;
	double		churn_per_minute;	/* connections opened, last minute */
	double		brief_per_minute;	/* of those that ended */
	PadvPoolSizeState size_state;
	int64_t		suggested;		/* where sized */
	int64_t		optimal;		/* of the server, then */
	bool		slows_down;		/* more active than the optimum */
	PadvPoolBusiest busiest;
	double		kind_seconds;	/* how long it has been of this kind */
	double		known_seconds;	/* how long it has been seen */
	int64_t		leaked;			/* connections that were opened and are idle */
	double		stuck_seconds;	/* of a locked up pool: its shortest pause */
} PadvFoundPool;

/* What there is to say about a found pool. */
typedef enum PadvFoundAdvice
{
	PADV_FOUND_NOTHING,
	PADV_FOUND_LEAKING,
	PADV_FOUND_LOCKED_UP,
	PADV_FOUND_PER_REQUEST,
	PADV_FOUND_TOO_LARGE,
} PadvFoundAdvice;

/* A lock-up of this length is an outage. */
#define PADV_LOCKED_UP_CRITICAL_SECONDS 300.0

/* What there is to say about all of them; part of the published status. */
typedef struct PadvFoundCounts
{
	int64_t		advice[3];		/* rows of the view advice, by PadvSeverity */
	int64_t		leaking;		/* pools */
	int64_t		locked_up;
	double		locked_up_seconds;	/* the longest; 0: none */
	PadvFoundAdvice worst;		/* what the most severe row is about */
} PadvFoundCounts;

/* --- finding them --- */

typedef struct PadvPools PadvPools;

/*
 * The bytes, and set up in a block of the caller, which is aligned as malloc does and must
 * not be moved.
 */
extern size_t padv_pools_size(void);
extern PadvPools *padv_pools_init(void *block);

/*
 * The number of the pool with this key, which gets one if it has none: the one without
 * open connections that was used least recently, or PADV_OTHER_POOLS.
 */
extern int	padv_pools_number(PadvPools *pools, const PadvPoolKey *key, uint64_t hash);

/* A number is another pool's when this has changed. */
extern uint32_t padv_pools_generation(const PadvPools *pools, int number);

/* Count the sessions of a sample, by their field pool.  O(sessions). */
extern void padv_pools_sample(PadvPools *pools, const PadvSample *sample);

/* What sessions of a pool did; numbers can be negative, and are right in the sum. */
extern void padv_pools_work(PadvPools *pools, int number, const PadvPoolWork *work);

/*
 * A second is over, or the time of a sample if that is longer.  `sample` was the last one
 * counted; started[] has when each of its sessions started (wall clock), by status index.
 * optimal is the server's number of active connections.
 */
extern void padv_pools_second(PadvPools *pools, const PadvSample *sample, const int64_t *started,
							  int64_t optimal);

/* Write the pools in no order, and return their number; and sort: most open first. */
extern int	padv_pools_rows(const PadvPools *pools, PadvFoundPool rows[PADV_MAX_FOUND_POOLS]);
extern void padv_pools_sort(PadvFoundPool *rows, int count);

/* Forget the busiest loads, which sizes go by; and the most connections of each day. */
extern void padv_pools_forget_sizes(PadvPools *pools);
extern void padv_pools_forget_peaks(PadvPools *pools);

/* A constant string; NULL for PADV_POOL_UNKNOWN. */
extern const char *padv_pool_kind_name(PadvPoolKind kind);

#endif							/* PADV_POOLS_H */
