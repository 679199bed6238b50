/*
 * pool_size.h
 *		The size of a pool, by the busiest load seen so far.
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
 * A load: means over some seconds, in sessions.  By Little's law each number is the
 * transaction rate times the time that a transaction spends in that state.
 */
typedef struct PadvPoolLoad
{
	int64_t		at;				/* end of the period, wall clock; 0: no load */
	double		samples;
	double		throughput;		/* transactions per second */
	double		sessions;
	double		executing;		/* demand, including sessions ready to run */
	double		ready;			/* sessions waiting for a core */
	double		held;			/* idle in transactions that ended soon */
	double		round_trip;		/* between two transactions, for at most a
								 * round trip */
	double		turnaround;		/* between two consecutive transactions; at
								 * least round_trip */
} PadvPoolLoad;

/* The other inputs of a size. */
typedef struct PadvPoolNeed
{
	int64_t		optimal;		/* active connections, at least 1 */
	int64_t		setting;		/* the setting; 0: not set */
	double		helpful;		/* active connections up to which throughput
								 * was seen to increase; 0: not known */
	double		busy;			/* busy connections at the peak of the curve;
								 * 0: none was seen */
	int64_t		usable;			/* connections that ordinary roles can have */
} PadvPoolNeed;

/* The inputs of the current sizes. */
typedef struct PadvPoolBasis
{
	PadvPoolLoad load;			/* the busiest load */
	double		least;			/* active connections to allow */
	double		processes;		/* that execute for each of them, at least 1 */
	double		factor;			/* growth of pauses until these are active */
	int64_t		pool_size;		/* the current result, shown or not */
	int64_t		session_pool_size;
} PadvPoolBasis;

/* The sizes as shown. */
typedef struct PadvPoolSize
{
	int64_t		pool_size;		/* 0: not known */
	int64_t		session_pool_size;	/* likewise; at least pool_size */
	double		busy_ratio;		/* optimal / pool_size; over 1 with parallel
								 * workers, negative: not known */
	PadvPoolBasis inputs;		/* all 0 if no load is known */
} PadvPoolSize;

/* Sums over about a second; over samples where no unit is given. */
typedef struct PadvPoolSecond
{
	double		seconds;
	double		transactions;
	double		run;			/* seconds; negative: not known */
	double		ready;
	double		samples;
	double		sessions;
	double		active;
	double		queued;
	double		demand;
	double		workers;
	double		on_cpu;
	double		waiting_io;
	double		held;
	double		idle_in_transaction;	/* for up to a minute */
	double		round_trip;
	double		turnaround;
	double		ended;			/* seconds; see PadvInterval */
} PadvPoolSecond;

/* A size, the time of its last decrease, and another size that the load asks for. */
typedef struct PadvPoolNumber
{
	int64_t		size;			/* 0: none yet */
	int64_t		fell_at;		/* wall clock */

	/* not saved */
	int64_t		wanted;			/* of all that were asked for since, the one
								 * next to size; 0: none */
	int64_t		wanted_for;		/* microseconds of busy load */
} PadvPoolNumber;

#define PADV_POOL_SECONDS 60

/* All state; contains no pointer. */
typedef struct PadvPoolMemory
{
	/* saved over a restart */
	PadvPoolLoad busiest;
	double		busiest_processes;	/* that executed for each connection, with
									 * parallel workers; below 1: not known */
	int64_t		settles_from;	/* when this load, or one like it, was first
								 * seen */
	int64_t		setting;		/* the setting at the last padv_pool_judge */
	PadvPoolNumber pool;
	PadvPoolNumber session_pool;

	/* not saved */
	PadvPoolLoad latest;
	double		latest_processes;
	bool		fresh;			/* latest was updated after the last
								 * padv_pool_judge */
	bool		near;			/* latest is nearly as busy as the busiest */
	int64_t		judged_at;		/* the last padv_pool_judge, wall clock */
	int			next;
	int			count;
	PadvPoolSecond recent[PADV_POOL_SECONDS];
} PadvPoolMemory;

/* Initialize, or reset. */
extern void padv_pool_init(PadvPoolMemory *memory);

/* Add a second.  It is ignored if its load is below the least load. */
extern void padv_pool_add(PadvPoolMemory *memory, const PadvWindowMeans *means,
						  const PadvInterval *interval);

/*
 * Compute the sizes now; `now` is the wall clock in microseconds.
 *
 * A busier load replaces the remembered one.  The load to exceed falls to nothing in 14
 * days, so that an old load fades.  A size changes by at least a tenth.  With a
 * busier load it increases at once.  In the hour after a much busier load was first seen it
 * follows the optimum in a minute.  Later it does so when the load has asked for that for
 * ten minutes, not while there is clearly less load, and decreases at most once a day.  So
 * an optimum of a moment leaves nothing behind.  The sizes are at least the optimum of now.
 */
extern void padv_pool_judge(PadvPoolMemory *memory, const PadvPoolNeed *need, int64_t now,
							PadvPoolSize *size);

/* Connections for so many that pause on average. */
extern double padv_pool_for_pauses(double pauses);

/* The least load: transactions per second, or executing sessions. */
#define PADV_LOAD_TRANSACTIONS 10.0
#define PADV_LOAD_EXECUTING 0.5

/*
 * Save the kept part as finite numbers, and restore it.  Restoring returns false, and
 * changes nothing, if the numbers are not valid.
 */
#define PADV_POOL_NUMBERS 16
extern void padv_pool_keep(const PadvPoolMemory *memory, double numbers[PADV_POOL_NUMBERS]);
extern bool padv_pool_restore(PadvPoolMemory *memory, const double *numbers, size_t count);

/* Restore busiest_processes, which is saved apart, after the others; likewise. */
extern bool padv_pool_restore_processes(PadvPoolMemory *memory, double processes);

#endif							/* PADV_POOL_SIZE_H */
