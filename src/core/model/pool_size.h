/*
 * pool_size.h
 *		The connections that a pool in front needs, by the busiest load seen so far.
 *
 * Pure: plain data of the caller; nothing blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_POOL_SIZE_H
#define PADV_POOL_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/stats/interval.h"
#include "core/stats/window.h"

/*
 * The load of some time: means, in sessions.  By Little's law each is transactions a
 * second, times the seconds that a transaction spends in that state.
 */
typedef struct PadvPoolLoad
{
	int64_t		at;				/* its end on the wall clock; 0: no load */
	double		samples;
	double		throughput;		/* transactions a second */
	double		sessions;
	double		executing;		/* demand, sessions ready to run included */
	double		ready;			/* of these, sessions that wait for a core */
	double		held;			/* idle in transaction for a short time */
	double		round_trip;		/* between two transactions, for at most a
								 * round trip */
	double		turnaround;		/* between two transactions in a row; at least
								 * round_trip */
} PadvPoolLoad;

/* What a size depends on, apart from the load. */
typedef struct PadvPoolNeed
{
	int64_t		optimal;		/* active connections, at least 1 */
	int64_t		setting;		/* the same as the DBA set it; 0: not set */
	double		helpful;		/* active connections up to which throughput
								 * was seen to grow; 0: not known */
	double		at_work;		/* connections at work at the peak of the
								 * curve; 0: none was seen */
	int64_t		usable;			/* connections that the server can have */
} PadvPoolNeed;

/* The inputs of the current sizes. */
typedef struct PadvPoolBasis
{
	PadvPoolLoad load;			/* the busiest */
	double		least;			/* connections that are to be active */
	double		factor;			/* by which pauses grow until these are active */
	int64_t		pool_size;		/* the result, shown or not */
	int64_t		session_pool_size;
} PadvPoolBasis;

/* The sizes as they are shown. */
typedef struct PadvPoolSize
{
	int64_t		pool_size;		/* 0: not known */
	int64_t		session_pool_size;	/* likewise; at least pool_size */
	double		busy_ratio;		/* optimal / pool_size; negative: not known */
	PadvPoolBasis inputs;		/* all 0 when no load is known */
} PadvPoolSize;

/* Sums of about a second; over samples where no unit is given. */
typedef struct PadvPoolSecond
{
	double		seconds;
	double		transactions;
	double		run;			/* seconds; negative: not known */
	double		ready;
	double		samples;
	double		sessions;
	double		demand;
	double		on_cpu;
	double		waiting_io;
	double		held;
	double		round_trip;
	double		turnaround;
} PadvPoolSecond;

/* A size as it is shown. */
typedef struct PadvPoolNumber
{
	int64_t		size;			/* 0: none yet */
	int64_t		changed_at;		/* on the wall clock */
} PadvPoolNumber;

#define PADV_POOL_SECONDS 60

/* All state; contains no pointer. */
typedef struct PadvPoolMemory
{
	/* kept over a restart */
	PadvPoolLoad busiest;
	int64_t		settles_from;	/* when the busiest load was first seen */
	int64_t		setting;		/* PadvPoolNeed.setting at the last
								 * padv_pool_judge */
	PadvPoolNumber pool;
	PadvPoolNumber session_pool;

	/* not kept */
	PadvPoolLoad latest;
	bool		fresh;			/* latest is new since the last
								 * padv_pool_judge */
	bool		near;			/* latest is nearly as busy as the busiest */
	int			next;
	int			count;
	PadvPoolSecond recent[PADV_POOL_SECONDS];
} PadvPoolMemory;

/* Initialize, or reset. */
extern void padv_pool_init(PadvPoolMemory *memory);

/*
 * Add a second.  It is ignored if it has less than a load (see below).
 */
extern void padv_pool_add(PadvPoolMemory *memory, const PadvWindowMeans *take,
						  const PadvInterval *interval);

/*
 * Compute the sizes now; `now` is the wall clock in microseconds.
 *
 * A busier load replaces the remembered one.  The load to exceed falls to nothing in 14
 * days, so that an old load fades.  A size changes by at least a tenth.  In the hour
 * after a much busier load was first seen, the sizes follow each change.  Later they do
 * not change while there is clearly less load, and decrease at most once a day.
 */
extern void padv_pool_judge(PadvPoolMemory *memory, const PadvPoolNeed *need, int64_t now,
							PadvPoolSize *size);

/* The least load: so many transactions a second, or so many executing sessions. */
#define PADV_LOAD_TRANSACTIONS 10.0
#define PADV_LOAD_EXECUTING 0.5

/*
 * Save the kept part as finite numbers, and restore it.  Restoring returns false, and
 * changes nothing, if the numbers are not valid.
 */
#define PADV_POOL_NUMBERS 16
extern void padv_pool_keep(const PadvPoolMemory *memory, double numbers[PADV_POOL_NUMBERS]);
extern bool padv_pool_restore(PadvPoolMemory *memory, const double *numbers, size_t count);

#endif							/* PADV_POOL_SIZE_H */
