/*
 * fair_share.c
 *		Max-min fairness for one of those that share a pool.
 *
 * Pure.  Progressive filling (Bertsekas and Gallager, Data Networks, 6.5.2): the level rises
 * as those that want less than it are found, because they leave the rest to the others.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>

#include "core/sizing/fair_share.h"

double
padv_fair_share(double capacity, const double *wanted, int count)
{
	double		level = capacity / (count + 1);

	for (int satisfied = 0;;)
	{
		double		taken = 0.0;
		int			now = 0;

		for (int i = 0; i < count; i++)
			if (wanted[i] <= level)
			{
				taken += wanted[i];
				now++;
			}
		/* it can only grow, but rounding can lower the level by a hair */
		if (now <= satisfied)
			return level;
		satisfied = now;
		level = (capacity - taken) / (count + 1 - satisfied);
	}
}

int64_t
padv_process_share(double share, int64_t processes, int64_t rank)
{
	int64_t		whole = (int64_t) floor(share + 1e-9);
	int64_t		mine = whole / processes + (rank < whole % processes);

	return mine < 1 ? 1 : mine;
}
