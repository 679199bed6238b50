/*
 * hold_times.h
 *		How long connections are held for a transaction, as counts by duration.
 *
 * Pure: plain data of the caller; nothing blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_HOLD_TIMES_H
#define PADV_HOLD_TIMES_H

#include <stdint.h>

/*
 * Transactions by duration.  Bucket 0 is below 64 us, each of the others twice as long as
 * the one before, and the last has no bound.
 */
#define PADV_HOLD_BUCKETS 22
#define PADV_HOLD_SHORTEST_US 64

static inline int
padv_hold_bucket(uint64_t us)
{
	int			bucket = 0;

	us /= PADV_HOLD_SHORTEST_US;
	while (us > 0 && bucket < PADV_HOLD_BUCKETS - 1)
	{
		us >>= 1;
		bucket++;
	}
	return bucket;
}

/* The bound in seconds below which that share of the transactions is; -1: there is none. */
extern double padv_hold_percentile(const uint64_t held[PADV_HOLD_BUCKETS], double share);

#endif							/* PADV_HOLD_TIMES_H */
