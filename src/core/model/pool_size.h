/*
 * pool_size.h
 *		Connections that a pool in front needs, by the busiest load that was seen.
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
 * A stretch of a load: means, in sessions.  By Little's law each is
 * transactions a second, times what a transaction spends so.
 */
typedef struct PadvPoolLoad
{
	int64_t		at;				/* its end on the wall clock; 0: no load */
	double		samples;
	double		throughput;		/* transactions a second */
	double		sessions;
	double		executing;		/* demand, those ready to run included */
	double		ready;			/* of these, waiting for a core */
	double		held;			/* idle in transaction for a short time */
	double		round_trip;		/* between two transactions, for at most a
								 * round trip */
	double		turnaround;		/* between two transactions in a row; at least
								 * round_trip */
} PadvPoolLoad;

/* What a size depends on beside the load. */
typedef struct PadvPoolNeed
{
	int64_t		optimal;		/* active connections, at least 1 */
	int64_t		setting;		/* the same as the DBA set it; 0: not set */
	double		helpful;		/* active connections that were seen to help;
								 * 0: not known */
	double		at_work;		/* connections at work at the peak of the
								 * curve; 0: none was seen */
	int64_t		usable;			/* connections that the server can have */
} PadvPoolNeed;

/* How the sizes are calculated now. */
typedef struct PadvPoolBasis
{
	PadvPoolLoad load;			/* the busiest */
	double		least;			/* connections that are to be active */
	double		factor;			/* by which pauses grow until these are */
	int64_t		pool_size;		/* what comes out, shown or not */
	int64_t		session_pool_size;
} PadvPoolBasis;

/* What is shown. */
typedef struct PadvPoolSize
{
	int64_t		pool_size;		/* 0: not known */
	int64_t		session_pool_size;	/* likewise; at least pool_size */
	double		busy_ratio;		/* optimal / pool_size; negative: not known */
	PadvPoolBasis inputs;		/* all 0 when no load is known */
} PadvPoolSize;

/* A second or so of sums, over samples where no unit is given. */
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

/* A number as it is shown. */
typedef struct PadvPoolNumber
{
	int64_t		size;			/* 0: none yet */
	int64_t		changed_at;		/* on the wall clock */
} PadvPoolNumber;

#define PADV_POOL_SECONDS 60

/* All that is remembered; no pointer in it. */
typedef struct PadvPoolMemory
{
	/* kept over a restart */
	PadvPoolLoad busiest;
	int64_t		settles_from;	/* when the busiest load was first seen */
	int64_t		setting;		/* PadvPoolNeed.setting, when it was judged
								 * last */
	PadvPoolNumber pool;
	PadvPoolNumber session_pool;

	/* not kept */
	PadvPoolLoad latest;
	bool		fresh;			/* it has not been judged */
	bool		near;			/* it is nearly the busiest */
	int			next;
	int			count;
	PadvPoolSecond recent[PADV_POOL_SECONDS];
} PadvPoolMemory;

/* Forget all, or what was seen but not yet judged. */
extern void padv_pool_init(PadvPoolMemory *memory);

/*
 * Take in a second.  Less than a load (see below) says nothing.
 */
extern void padv_pool_add(PadvPoolMemory *memory, const PadvWindowMeans *take,
						  const PadvInterval *interval);

/*
 * The sizes now.  A busier load replaces the one that is remembered.  What a
 * load must exceed falls to nothing in 14 days, so a busier past fades.
 * The sizes change by at least a tenth.  In the hour after a much busier load was
 * first seen they follow what is learned; later they stand while there is clearly
 * less load, and fall only once a day.
 */
extern void padv_pool_judge(PadvPoolMemory *memory, const PadvPoolNeed *need, int64_t now,
							PadvPoolSize *size);

/* What makes a load: so many transactions a second, or sessions that execute. */
#define PADV_LOAD_TRANSACTIONS 10.0
#define PADV_LOAD_EXECUTING 0.5

/* As plain finite numbers, and back; false, and nothing changed, if not sound. */
#define PADV_POOL_NUMBERS 16
extern void padv_pool_keep(const PadvPoolMemory *memory, double numbers[PADV_POOL_NUMBERS]);
extern bool padv_pool_restore(PadvPoolMemory *memory, const double *numbers, size_t count);

#endif							/* PADV_POOL_SIZE_H */
