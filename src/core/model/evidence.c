/*
 * evidence.c
 *		The usable bins of the curve, and the smoothed curve.
 *
 * Owns what counts as evidence, and the averages over neighbouring bins.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/model/evidence.h"

#include <math.h>

/*
 * A bin with fewer active sessions than this share of the maximum of smaller bins
 * shows slow clients, not the server.
 */
#define SLOW_CLIENTS 0.6

/*
 * A server whose throughput is below this share of that shortly before, at ease, is
 * slow rather than saturated.
 */
#define SLOW_SERVER 0.85

bool
padv_bin_counts(const PadvBin *bin)
{
	return bin->seconds >= PADV_CURVE_MIN_SECONDS &&
		bin->seconds * bin->throughput >= PADV_CURVE_MIN_TRANSACTIONS;
}

bool
padv_episode_counts(const PadvEpisode *episode)
{
	return episode->seconds >= PADV_PRESSURE_SECONDS &&
		episode->work >= SLOW_SERVER * episode->ease_throughput * episode->seconds;
}

static void
approach(double *mean, double value, double share)
{
	*mean += (value - *mean) * share;
}

/* Move all means of a bin towards those of another one, by this share. */
static void
approach_bin(PadvBin *bin, const PadvBin *more, double share)
{
	approach(&bin->busy, more->busy, share);
	approach(&bin->active, more->active, share);
	approach(&bin->throughput, more->throughput, share);
	approach(&bin->latency, more->latency, share);
	approach(&bin->disk_queue, more->disk_queue, share);
	for (int i = 0; i < PADV_RESOURCES; i++)
		approach(&bin->use[i], more->use[i], share);
}

/* Without pressure, throughput is only a lower bound of what the server can do. */
void
padv_bin_merge(PadvBin *bin, const PadvBin *more, bool pressed)
{
	double		weight = more->seconds;

	if (!(weight > 0.0))
		return;
	if (!pressed && bin->pressed >= PADV_CURVE_MIN_SECONDS)
		return;
	if (pressed && bin->pressed <= 0.0)
		bin->seconds = 0.0;
	if (bin->level != more->level)
		bin->seconds = fmin(bin->seconds, PADV_CURVE_MIN_SECONDS);
	approach_bin(bin, more, weight / (bin->seconds + weight));
	bin->level = more->level;
	bin->seconds = fmin(bin->seconds + weight, PADV_CURVE_MEMORY_SECONDS);
	bin->pressed = pressed ? fmin(bin->pressed + weight, bin->seconds) : fmin(bin->pressed, bin->seconds);
}

PadvBin
padv_bin_with_episode(const PadvScalability *scalability, int i)
{
	PadvBin		bin = scalability->bins[i];

	padv_bin_merge(&bin, &scalability->episode.bins[i], padv_episode_counts(&scalability->episode));
	return bin;
}

void
padv_collect_evidence(const PadvScalability *scalability, PadvEvidence *evidence)
{
	double		active = 0.0;

	evidence->n = 0;
	for (int i = 0; i < PADV_CURVE_BINS; i++)
	{
		PadvBin		bin = padv_bin_with_episode(scalability, i);

		if (!padv_bin_counts(&bin) || bin.active < SLOW_CLIENTS * active)
			continue;
		active = fmax(active, bin.active);
		evidence->bins[evidence->n] = bin;
		evidence->place[evidence->n++] = log(bin.busy);
	}
}

PadvAround
padv_look_around(const PadvEvidence *evidence, double busy)
{
	double		place = log(busy);
	PadvAround	around = {0};

	for (int i = 0; i < evidence->n; i++)
	{
		const PadvBin *bin = &evidence->bins[i];
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

double
padv_scalability_expect(const PadvScalability *scalability, double busy)
{
	PadvEvidence evidence;
	PadvAround	around;

	padv_collect_evidence(scalability, &evidence);
	around = padv_look_around(&evidence, busy);
	return around.seconds >= PADV_CURVE_MIN_SECONDS ? around.throughput : -1.0;
}
