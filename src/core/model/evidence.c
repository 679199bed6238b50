/*
 * evidence.c
 *		The bins of the curve that can be judged, and the curve through them.
 *
 * Owns what is evidence, and how neighbouring bins are averaged.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/model/evidence.h"

#include <math.h>

/*
 * A bin with less active than this share of what fewer connections had is one
 * of slow clients: it tells about them, not about the server.
 */
#define SLOW_CLIENTS 0.6

bool
padv_bin_counts(const PadvBin *bin)
{
	return bin->seconds >= PADV_CURVE_MIN_SECONDS &&
		bin->seconds * bin->throughput >= PADV_CURVE_MIN_TRANSACTIONS;
}

void
padv_collect_evidence(const PadvScalability *scalability, PadvEvidence *evidence)
{
	double		active = 0.0;

	evidence->n = 0;
	for (int i = 0; i < PADV_CURVE_BINS; i++)
	{
		const PadvBin *bin = &scalability->bins[i];

		if (!padv_bin_counts(bin) || bin->active < SLOW_CLIENTS * active)
			continue;
		active = fmax(active, bin->active);
		evidence->bins[evidence->n] = bin;
		evidence->place[evidence->n++] = log(bin->at_work);
	}
}

PadvAround
padv_look_around(const PadvEvidence *evidence, double at_work)
{
	double		place = log(at_work);
	PadvAround	around = {0};

	for (int i = 0; i < evidence->n; i++)
	{
		const PadvBin *bin = evidence->bins[i];
		double		distance = fabs(evidence->place[i] - place) / log(PADV_SMOOTHING);
		double		near = 1.0 - distance * distance * distance;
		double		weight = fmin(bin->seconds, PADV_FULL_WEIGHT_SECONDS) * near * near * near;

		if (distance >= 1.0)
			continue;
		around.weight += weight;
		around.seconds += bin->seconds;
		around.throughput += weight * bin->throughput;
		around.active += weight * bin->active;
	}
	if (around.weight > 0.0)
	{
		around.throughput /= around.weight;
		around.active /= around.weight;
	}
	return around;
}
