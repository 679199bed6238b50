/*
 * latency.c
 *		How long transactions take, in histograms of fixed size.
 *
 * Owns the bounds of the buckets.  They are the preferred numbers of the series R20 (ISO 3),
 * 20 to a decade: each is about 12 % above the one before, and round durations, as 1, 2.5 and
 * 5 of each decade, are bounds themselves.  So "how many took longer than a second" is exact.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/latency.h"

#include <math.h>
#include <string.h>

/* Rounded to whole microseconds, which matters below 100 us only. */
#define PREFERRED(hundredths, scale) ((INT64_C(hundredths) * (scale) + 50) / 100)
#define DECADE(scale) \
	PREFERRED(100, scale), PREFERRED(112, scale), PREFERRED(125, scale), PREFERRED(140, scale), \
	PREFERRED(160, scale), PREFERRED(180, scale), PREFERRED(200, scale), PREFERRED(224, scale), \
	PREFERRED(250, scale), PREFERRED(280, scale), PREFERRED(315, scale), PREFERRED(355, scale), \
	PREFERRED(400, scale), PREFERRED(450, scale), PREFERRED(500, scale), PREFERRED(560, scale), \
	PREFERRED(630, scale), PREFERRED(710, scale), PREFERRED(800, scale), PREFERRED(900, scale)

/*
 * 20 to a decade are 6.02 to an octave.  So over the octaves from 2^4 to 2^36 each power of
 * two is 6 buckets after the one before.
 */
#define PER_OCTAVE 6			/* as padv_latency_bucket is written */
#define FIRST_POWER 4
#define LAST_POWER 36
#define FIRST_POWER_BUCKET 5

/* The lower bounds of the buckets, and behind them what no duration reaches. */
static const int64_t bounds[PADV_LATENCY_BUCKETS + PER_OCTAVE] = {
	0,
	DECADE(INT64_C(10)), DECADE(INT64_C(100)), DECADE(INT64_C(1000)), DECADE(INT64_C(10000)),
	DECADE(INT64_C(100000)), DECADE(INT64_C(1000000)), DECADE(INT64_C(10000000)),
	DECADE(INT64_C(100000000)), DECADE(INT64_C(1000000000)), DECADE(INT64_C(10000000000)),
	INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX
};

/* The place of the highest bit of a number above 0. */
static inline int
highest_bit(uint64_t number)
{
#ifdef __GNUC__
	return 63 - __builtin_clzll(number);
#else
	int			bit = 0;

	while ((number >>= 1) != 0)
		bit++;
	return bit;
#endif
}

int
padv_latency_bucket(int64_t us)
{
	const int64_t *next;
	int			power;
	int			bucket = 0;

	if (us < bounds[1])
		return 0;
	power = highest_bit((uint64_t) us);
	if (power > LAST_POWER)
		return PADV_LATENCY_BUCKETS - 1;
	if (power >= FIRST_POWER)
		bucket = FIRST_POWER_BUCKET + PER_OCTAVE * (power - FIRST_POWER);

	/* sums up comparisons: branches could not be predicted */
	next = &bounds[bucket + 1];
	return bucket + (us >= next[0]) + (us >= next[1]) + (us >= next[2]) +
		(us >= next[3]) + (us >= next[4]) + (us >= next[5]);
}

int64_t
padv_latency_bound(int bucket)
{
	return bounds[bucket];
}

void
padv_latency_add(PadvLatency *sum, const PadvLatency *latency)
{
	for (int i = 0; i < PADV_LATENCY_BUCKETS; i++)
		sum->count[i] += latency->count[i];
	sum->rolled_back += latency->rolled_back;
	sum->sum_us += latency->sum_us;
}

uint64_t
padv_latency_count(const PadvLatency *latency)
{
	uint64_t	count = 0;

	for (int i = 0; i < PADV_LATENCY_BUCKETS; i++)
		count += latency->count[i];
	return count;
}

/* A bucket counts that ends at the bound or below it. */
uint64_t
padv_latency_count_below(const PadvLatency *latency, int64_t bound_us)
{
	uint64_t	count = 0;

	for (int i = 0; i + 1 < PADV_LATENCY_BUCKETS && bounds[i + 1] <= bound_us; i++)
		count += latency->count[i];
	return count;
}

/* Seconds that stand for all durations in a bucket. */
static double
middle_of(int bucket)
{
	if (bucket == PADV_LATENCY_BUCKETS - 1)
		return (double) bounds[bucket] / 1e6;
	return (double) (bounds[bucket] + bounds[bucket + 1]) / 2e6;
}

double
padv_latency_quantile(const PadvLatency *latency, double share)
{
	uint64_t	count = padv_latency_count(latency);
	double		rank = ceil(share * (double) count);
	uint64_t	below = 0;
	int			bucket = 0;

	if (count == 0)
		return -1.0;
	if (!(rank >= 1.0))
		rank = 1.0;
	for (; bucket < PADV_LATENCY_BUCKETS - 1; bucket++)
	{
		below += latency->count[bucket];
		if ((double) below >= rank)
			break;
	}
	return middle_of(bucket);
}

double
padv_latency_mean(const PadvLatency *latency)
{
	uint64_t	count = padv_latency_count(latency);

	return count == 0 ? -1.0 : (double) latency->sum_us / 1e6 / (double) count;
}

/* Steps are numbered from 1, so that a step of zeros is before all of them. */
static int64_t
number_of_step(int64_t now)
{
	return now / PADV_LATENCY_STEP_US + 1;
}

PadvLatencyStep *
padv_latency_step(PadvLatencyMinute *minute, int64_t now)
{
	int64_t		number = number_of_step(now);
	PadvLatencyStep *step = &minute->steps[number % PADV_LATENCY_STEPS];

	if (step->number != number)
	{
		memset(step, 0, sizeof(*step));
		step->number = number;
	}
	return step;
}

void
padv_latency_minute_sum(const PadvLatencyMinute *minute, int64_t now, PadvLatency *sum)
{
	int64_t		last = number_of_step(now);

	memset(sum, 0, sizeof(*sum));
	for (int i = 0; i < PADV_LATENCY_STEPS; i++)
	{
		const PadvLatencyStep *step = &minute->steps[i];

		if (step->number <= last - PADV_LATENCY_STEPS || step->number <= 0)
			continue;
		for (int bucket = 0; bucket < PADV_LATENCY_BUCKETS; bucket++)
			sum->count[bucket] += step->count[bucket];
		sum->rolled_back += step->rolled_back;
		sum->sum_us += step->sum_us;
	}
}
