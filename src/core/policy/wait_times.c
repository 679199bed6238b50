/*
 * wait_times.c
 *		How long the waits of the last minute at a queue were.
 *
 * Pure; shmem/xact_slots.c adds each wait with its lock held, so that takes a few
 * operations.  The time is divided into slices.  A slice that is too old is cleared by
 * the first wait after it, and readers leave it out until then.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <string.h>

#include "core/policy/wait_times.h"

/* The upper bound of the first bucket, in microseconds. */
#define FIRST_BOUND 100

/* The lower bound of a bucket; the factor between two of them is 1.4 or 1.43. */
static int64_t
lower_bound(int bucket)
{
	int64_t		octave;

	if (bucket == 0)
		return 0;
	octave = (int64_t) FIRST_BOUND << (bucket - 1) / 2;
	return (bucket - 1) % 2 == 0 ? octave : octave + octave * 2 / 5;
}

/* The wait that is at most 20 % away from all others of the bucket, but of the first. */
static double
middle_of(int bucket)
{
	if (bucket == 0)
		return FIRST_BOUND / 2.0;
	return sqrt((double) lower_bound(bucket) * (double) lower_bound(bucket + 1));
}

static int
bucket_of(int64_t wait)
{
	int			bucket = 0;

	while (bucket + 1 < PADV_WAIT_BUCKETS && wait >= lower_bound(bucket + 1))
		bucket++;
	return bucket;
}

void
padv_wait_times_add(PadvWaitTimes *times, int64_t wait, int64_t now)
{
	int64_t		slice = now / PADV_WAIT_SLICE_US;

	if (slice - times->slice >= PADV_WAIT_SLICES)
		memset(times->count, 0, sizeof(times->count));
	else
		for (int64_t i = times->slice + 1; i <= slice; i++)
			memset(times->count[i % PADV_WAIT_SLICES], 0, sizeof(times->count[0]));
	if (slice > times->slice)
		times->slice = slice;
	times->count[times->slice % PADV_WAIT_SLICES][bucket_of(wait)]++;
}

/* Add up the slices that are not too old; returns how many waits there are. */
static uint64_t
sum_slices(const PadvWaitTimes *times, int64_t now, uint64_t sum[PADV_WAIT_BUCKETS])
{
	int64_t		oldest = now / PADV_WAIT_SLICE_US - (PADV_WAIT_SLICES - 1);
	uint64_t	all = 0;

	memset(sum, 0, PADV_WAIT_BUCKETS * sizeof(sum[0]));
	for (int64_t i = times->slice; i >= 0 && i >= oldest && i > times->slice - PADV_WAIT_SLICES; i--)
		for (int bucket = 0; bucket < PADV_WAIT_BUCKETS; bucket++)
		{
			sum[bucket] += times->count[i % PADV_WAIT_SLICES][bucket];
			all += times->count[i % PADV_WAIT_SLICES][bucket];
		}
	return all;
}

double
padv_wait_times_quantile(const PadvWaitTimes *times, double share, int64_t now)
{
	uint64_t	sum[PADV_WAIT_BUCKETS];
	double		rank = share * (double) sum_slices(times, now, sum);
	double		below = 0.0;

	for (int bucket = 0; bucket < PADV_WAIT_BUCKETS; bucket++)
	{
		below += (double) sum[bucket];
		if (sum[bucket] > 0 && below >= rank)
			return middle_of(bucket) / 1e6;
	}
	return -1.0;
}
