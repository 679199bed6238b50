/*
 * pools_internal.h
 *		What the files of found pools share.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_POOLS_INTERNAL_H
#define PADV_POOLS_INTERNAL_H

#include "core/model/pools.h"
#include "core/stats/daily_peak.h"

/* The last minute, in parts. */
#define PADV_POOL_PARTS 6
#define PADV_POOL_PART_US (10 * INT64_C(1000000))

/* How the number of open connections rises, by so many steps of each horizon. */
#define PADV_POOL_HORIZONS 4
#define PADV_POOL_STEPS 6

/* A part of the last minute. */
typedef struct PadvPoolPart
{
	int64_t		us;
	int64_t		samples;
	int64_t		open;			/* sums over the samples */
	int64_t		in_use;
	int64_t		demand;
	int64_t		open_max;
	bool		all_in_use;
	int64_t		grown;			/* by so many connections, or fewer than 0 */
	int64_t		ended;
	int64_t		brief;
	int64_t		transactions;
	int64_t		inside_us;
	double		met;			/* sum over transactions: in use in their
								 * second */
	int64_t		shared;			/* sum over in_use: others in use */
} PadvPoolPart;

/* The lowest numbers of open connections, by step of a horizon, the newest last. */
typedef struct PadvPoolRise
{
	int64_t		due_us;
	int64_t		lowest;			/* of the step that has begun */
	int			count;
	int64_t		floors[PADV_POOL_STEPS + 1];
	int64_t		most[PADV_POOL_STEPS + 1];	/* ever seen, at the end of that
											 * step */
} PadvPoolRise;

typedef struct PadvPoolGroup
{
	uint64_t	hash;			/* 0: free */
	uint32_t	generation;
	PadvPoolKey key;
	int64_t		used_us;		/* monotonic: when a connection was open last */
	int64_t		first_us;		/* and when it was judged first; 0: never */

	PadvPoolPart parts[PADV_POOL_PARTS];
	int			part;			/* that has begun */
	int64_t		part_due_us;
	int64_t		open_before;	/* a second ago */
	int64_t		finished;		/* transactions of this second */

	/* transactions by duration, of this minute and the one before */
	uint64_t	held[2][PADV_HOLD_BUCKETS];
	int64_t		held_due_us;
	bool		held_changed;
	double		p50;
	double		p95;
	int			longest_hold;	/* bucket */

	PadvDailyPeak open_peak;
	PadvDailyPeak in_use_peak;
	PadvLately	open_lately;

	PadvPoolBusiest busiest;
	int64_t		optimal;

	/* kinds */
	PadvPoolKind kind;
	int64_t		kind_us;		/* since when */
	bool		program;		/* did what no person does */
	double		rate;			/* transactions a minute of a connection */
	bool		rate_known;
	bool		per_request;
	int64_t		brief_us;		/* when connections were many and brief last */
	PadvPoolRise rises[PADV_POOL_HORIZONS];
	int			leak;			/* horizon + 1; 0: none */
	int64_t		leak_from;
	int64_t		leak_size;
	int64_t		leak_at;		/* wall clock */
	int64_t		leak_most;		/* open, and since when */
	int64_t		leak_most_us;
	bool		stuck;
	int64_t		stuck_us;
	int64_t		longest_pause;
	int64_t		level;
	int64_t		level_at;		/* wall clock: when it was seen last */
	int64_t		grown_from;		/* wall clock: before it grew; 0: from nothing */
	int64_t		grown_at;
	int64_t		grown_by;
	int64_t		low_us;			/* since when fewer are open; 0: they are not */
	int64_t		low_at;			/* wall clock */
	int64_t		low_max;
	int64_t		elastic_until;	/* monotonic */
} PadvPoolGroup;

/* The samples since the last second, added up; small, as each sample touches all. */
typedef struct PadvPoolTally
{
	int64_t		open;
	int64_t		in_use;
	int64_t		demand;
	int64_t		shared;
	int64_t		high_at;		/* wall clock: when `level` was open last */
	int32_t		level;
	int32_t		open_max;
	int32_t		in_use_max;
	bool		all_in_use;
} PadvPoolTally;

/* And what is looked at once a second. */
typedef struct PadvPoolLook
{
	int64_t		unused[PADV_POOL_HORIZONS]; /* used for a short time, long ago */
	int64_t		wasted[PADV_POOL_HORIZONS]; /* of these, opened in this
											 * horizon */
	int64_t		untouched;		/* since a leak was found */
	int64_t		pausing;		/* idle in transaction */
	int64_t		pause_first;	/* the latest of when they began, and ... */
	int64_t		pause_last;
	int64_t		oldest;			/* when the oldest session started */
	int64_t		newest;
	int64_t		fresh;			/* that started when the pool grew last */
} PadvPoolLook;

/* --- pool_kinds.c --- */

/* Look at a session of the group, once a second. */
extern void padv_pool_look(const PadvPoolGroup *group, const PadvSession *session, int64_t started,
						   int64_t wall, PadvPoolLook *look);

/* Judge the sessions of a second, with the most connections that were open in days. */
extern void padv_pool_judge_second(PadvPoolGroup *group, const PadvPoolLook *look, int64_t open,
								   int64_t most, int64_t now_us, int64_t wall);

/* Judge a part of a minute that ends. */
extern void padv_pool_judge_part(PadvPoolGroup *group, PadvPoolTally *tally, const PadvPoolLook *look,
								 int64_t now_us, int64_t wall);
extern PadvPoolKind padv_pool_find_kind(const PadvPoolGroup *group, int64_t most, int64_t now_us);

/* --- pool_needs.c --- */

/* The last parts, added up. */
extern PadvPoolPart padv_pool_sum_parts(const PadvPoolGroup *group, int count);

/* The load of some parts, added up; false when there were too few transactions. */
extern bool padv_pool_measure(const PadvPoolPart *sum, int64_t wall, PadvPoolBusiest *busiest);

/* The size that a load needs, without regard to the server; 0 when there is none. */
extern int64_t padv_pool_size_needed(const PadvPoolBusiest *busiest);

/* The size to suggest, with the optimum of the server; *slows_down says that it bounds the size. */
extern int64_t padv_pool_find_size(const PadvPoolBusiest *busiest, int64_t optimal, bool *slows_down);

#endif							/* PADV_POOLS_INTERNAL_H */
