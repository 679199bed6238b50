/*
 * evidence.h
 *		The usable bins of the curve, and the smoothed curve.
 *
 * Internal to scalability.c, knee.c and evidence.c.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_EVIDENCE_H
#define PADV_EVIDENCE_H

#include "core/model/scalability.h"

/* Bins within this factor of connections are averaged, with weights by distance. */
#define PADV_SMOOTHING 1.35

/* The most seconds of a bin that add to its weight in an average. */
#define PADV_FULL_WEIGHT_SECONDS 30.0

/*
 * Seconds of pressure until an episode is evidence of what lies beyond the peak.  A
 * shorter one can be a checkpoint or another slow spell.
 */
#define PADV_PRESSURE_SECONDS 45.0

/* The usable bins, by busy connections. */
typedef struct PadvEvidence
{
	int			n;
	PadvBin		bins[PADV_CURVE_BINS];
	double		place[PADV_CURVE_BINS]; /* logarithm of the connections */
} PadvEvidence;

/* Weighted means of the bins near a number of connections. */
typedef struct PadvAround
{
	double		weight;
	double		seconds;
	double		throughput;
	double		active;
} PadvAround;

/* A bin with the evidence of the current episode included. */
extern PadvBin padv_bin_with_episode(const PadvScalability *scalability, int bin);

/* Whether the current episode is evidence of what lies beyond the peak. */
extern bool padv_episode_counts(const PadvEpisode *episode);

/* Merge a bin of the same place.  Evidence under pressure replaces other evidence. */
extern void padv_bin_merge(PadvBin *bin, const PadvBin *more, bool pressed);

/* Whether a bin has enough evidence. */
extern bool padv_bin_counts(const PadvBin *bin);

/*
 * Collect all usable bins.  Bins with fewer active sessions than bins of fewer
 * connections are excluded.
 */
extern void padv_collect_evidence(const PadvScalability *scalability, PadvEvidence *evidence);

/* The means near a number of connections; all 0 without bins. */
extern PadvAround padv_look_around(const PadvEvidence *evidence, double busy);

#endif							/* PADV_EVIDENCE_H */
