/*
 * latency.h
 *		How long transactions take, in histograms of fixed size.
 *
 * Pure: plain data of the caller, who protects it; nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LATENCY_H
#define PADV_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The buckets: the first one is for less than 10 us.  After it each decade up to 10^11 us
 * (28 hours) has 20, the last of which has no upper end.
 */
#define PADV_LATENCY_BUCKETS 201

/*
 * A quantile is off by half the width of a bucket at most: by this share of the exact
 * value, or by 1 us where that is more.
 */
#define PADV_LATENCY_ERROR 0.0715

typedef struct PadvLatency
{
	uint64_t	count[PADV_LATENCY_BUCKETS];	/* all, by duration */
	uint64_t	rolled_back;	/* those of them that were rolled back */
	uint64_t	sum_us;
} PadvLatency;

/*
 * The bucket of a duration; a negative one counts as 0.  Some nanoseconds: it runs at the
 * end of each transaction.
 */
extern int	padv_latency_bucket(int64_t us);

/* The lower bound of a bucket in microseconds. */
extern int64_t padv_latency_bound(int bucket);

/* Add the counts of one histogram to another. */
extern void padv_latency_add(PadvLatency *sum, const PadvLatency *latency);

/*
 * How many durations there are, and how many of them are below the bound of a bucket.
 */
extern uint64_t padv_latency_count(const PadvLatency *latency);
extern uint64_t padv_latency_count_below(const PadvLatency *latency, int64_t bound_us);

/*
 * The quantile of a share in 0..1, by nearest rank: the middle of its bucket, and of the
 * last bucket its lower bound.  In seconds, like the mean; -1 when there are none.
 */
extern double padv_latency_quantile(const PadvLatency *latency, double share);
extern double padv_latency_mean(const PadvLatency *latency);

/* The last minute, in steps of 5 s: its length varies between 55 and 60 s. */
#define PADV_LATENCY_STEP_US INT64_C(5000000)
#define PADV_LATENCY_STEPS 12

typedef struct PadvLatencyStep
{
	int64_t		number;			/* of the step, since the clock's start */
	uint64_t	rolled_back;
	uint64_t	sum_us;
	uint32_t	count[PADV_LATENCY_BUCKETS];
} PadvLatencyStep;

/* All zeros: nothing has been added yet. */
typedef struct PadvLatencyMinute
{
	PadvLatencyStep steps[PADV_LATENCY_STEPS];
} PadvLatencyMinute;

/*
 * The step of a moment on the monotonic clock, in microseconds, to be added to; and the sum
 * of the minute up to a moment.  Moments may only grow.
 */
extern PadvLatencyStep *padv_latency_step(PadvLatencyMinute *minute, int64_t now);
extern void padv_latency_minute_sum(const PadvLatencyMinute *minute, int64_t now, PadvLatency *sum);

#endif							/* PADV_LATENCY_H */
