/*
 * evidence.h
 *		The bins of the curve that can be judged, and the curve through them.
 *
 * Included by the files that learn and judge the curve, and by nobody else.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_EVIDENCE_H
#define PADV_EVIDENCE_H

#include "core/model/scalability.h"

/* Bins within this factor are averaged, the nearer ones with more weight. */
#define PADV_SMOOTHING 1.35

/* More evidence than this does not make a bin count more beside others. */
#define PADV_FULL_WEIGHT_SECONDS 30.0

/*
 * Seconds of pressure that make an episode of it evidence of what lies beyond the
 * peak.  A server that is slow for less, in a checkpoint or so, tells nothing.
 */
#define PADV_PRESSURE_SECONDS 45.0

/* The bins that can be judged, by connections at work. */
typedef struct PadvEvidence
{
	int			n;
	PadvBin		bins[PADV_CURVE_BINS];
	double		place[PADV_CURVE_BINS]; /* on the axis, as a logarithm */
} PadvEvidence;

/* Means of the bins around a place on the axis. */
typedef struct PadvAround
{
	double		weight;
	double		seconds;
	double		throughput;
	double		active;
} PadvAround;

/* Of a bin, what is remembered and what the present episode of pressure adds. */
extern PadvBin padv_bin_with_episode(const PadvScalability *scalability, int bin);

/* Whether the present episode is evidence of what lies beyond the peak. */
extern bool padv_episode_counts(const PadvEpisode *episode);

/* Add evidence of the same place; evidence under pressure goes before other. */
extern void padv_bin_merge(PadvBin *bin, const PadvBin *more, bool pressed);

/* Whether there is enough of it to be judged. */
extern bool padv_bin_counts(const PadvBin *bin);

/*
 * All bins that count, but for those where fewer were active than with fewer
 * connections.
 */
extern void padv_collect_evidence(const PadvScalability *scalability, PadvEvidence *evidence);

/* All 0 when there is nothing near. */
extern PadvAround padv_look_around(const PadvEvidence *evidence, double at_work);

#endif							/* PADV_EVIDENCE_H */
