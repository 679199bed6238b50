/*
 * hold_times.c
 *		How long connections are held for a transaction, as counts by duration.
 *
 * Owns the percentiles of the counts.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/hold_times.h"

#include <math.h>

double
padv_hold_percentile(const uint64_t held[PADV_HOLD_BUCKETS], double share)
{
	double		all = 0.0;
	double		below = 0.0;

	for (int i = 0; i < PADV_HOLD_BUCKETS; i++)
		all += (double) held[i];
	if (all <= 0.0)
		return -1.0;
	for (int i = 0; i < PADV_HOLD_BUCKETS; i++)
	{
		double		upper = (double) (INT64_C(64) << i) / 1e6;
		double		here = (double) held[i];

		if (here > 0.0 && below + here >= share * all)
		{
			double		part = (share * all - below) / here;

			/* even on a scale of logarithms */
			return i == 0 ? upper * part : upper / 2.0 * pow(2.0, part);
		}
		below += here;
	}
	return (double) (INT64_C(64) << (PADV_HOLD_BUCKETS - 1)) / 1e6;
}
