/*
 * knee.c
 *		Where the curve peaks, and whether that was seen.
 *
 * Owns the rule for the peak.  Pure; the worker has it applied every few
 * seconds.
 *
 * The peak is where the measured curve, smoothed over neighbouring bins, is
 * highest; the Universal Scalability Law is fitted beside it, but real curves
 * bend in ways that three parameters cannot follow.  A peak is named only when
 * there is evidence beyond it: throughput that fell, or that did not rise while
 * the connections doubled.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/model/evidence.h"

#include <math.h>
#include <string.h>

/*
 * Which throughput is as good as the best, and which within its range.  The best
 * of several measured ones is the one that noise has raised most, and on a flat
 * curve it can be anywhere; with fewer connections each waits for less.
 */
#define AS_GOOD 0.96
#define IN_RANGE 0.95

/* What makes up for not going below the number of cores. */
#define GOOD_ENOUGH 0.9
#define ALMOST 0.9

/* The number named last is kept while it reaches this much of the best. */
#define STILL_GOOD 0.95

/* Evidence beyond the peak before it is named. */
#define BEYOND_SECONDS 3.0
#define PLATEAU_FACTOR 2.0

/* The evidence, and the curve through it. */
typedef struct Smooth
{
	PadvEvidence evidence;
	double		throughput[PADV_CURVE_BINS];
	double		best;
} Smooth;

static void
smooth(const PadvScalability *scalability, Smooth *curve)
{
	const PadvEvidence *evidence = &curve->evidence;

	padv_collect_evidence(scalability, &curve->evidence);
	curve->best = 0.0;
	for (int i = 0; i < evidence->n; i++)
	{
		curve->throughput[i] = padv_look_around(evidence, evidence->bins[i]->at_work).throughput;
		curve->best = fmax(curve->best, curve->throughput[i]);
	}
}

/*
 * The fewest connections from a place on that are as good as any from there on.
 */
static int
find_best_from(const Smooth *curve, int place)
{
	double		best = 0.0;

	for (int i = place; i < curve->evidence.n; i++)
		best = fmax(best, curve->throughput[i]);
	while (curve->throughput[place] < AS_GOOD * best)
		place++;
	return place;
}

/*
 * The fewest connections that are as good as the best; not without need less
 * than so many, as with one connection a long statement stops all others, and
 * cores that fall asleep in between distort what is seen.
 */
static int
find_peak(const Smooth *curve, double fewest)
{
	int			first = 0;
	int			peak;

	while (first < curve->evidence.n - 1 && curve->evidence.bins[first]->at_work < ALMOST * fewest)
		first++;
	peak = find_best_from(curve, first);
	return curve->throughput[peak] >= GOOD_ENOUGH * curve->best ? peak : find_best_from(curve, 0);
}

/* The ends of the range around a place in which throughput is nearly the best. */
static int
lower_end(const Smooth *curve, int place)
{
	while (place > 0 && curve->throughput[place - 1] >= IN_RANGE * curve->best)
		place--;
	return place;
}

static int
upper_end(const Smooth *curve, int place)
{
	while (place < curve->evidence.n - 1 && curve->throughput[place + 1] >= IN_RANGE * curve->best)
		place++;
	return place;
}

/*
 * Evidence that more connections do not help: beyond the range throughput is
 * less, and far from the peak it is not more.
 */
static double
seconds_beyond(const Smooth *curve, int peak)
{
	const PadvBin *const *bins = curve->evidence.bins;
	int			high = upper_end(curve, peak);
	double		seconds = 0.0;

	for (int i = peak + 1; i < curve->evidence.n; i++)
		if (i > high || bins[i]->at_work >= PLATEAU_FACTOR * bins[peak]->at_work)
			seconds += bins[i]->seconds;
	return seconds;
}

static bool
still_good(const Smooth *curve, double at_work)
{
	return at_work > 0.0 &&
		padv_look_around(&curve->evidence, at_work).throughput >= STILL_GOOD * curve->best;
}

static void
name_peak(const Smooth *smooth, double at_work, int peak, PadvCurve *curve)
{
	const PadvEvidence *evidence = &smooth->evidence;
	PadvAround	around = padv_look_around(evidence, at_work);

	curve->near_seconds = around.seconds;
	curve->at_work.best = at_work;
	curve->at_work.low = fmin(at_work, evidence->bins[lower_end(smooth, peak)]->at_work);
	curve->at_work.high = fmax(at_work, evidence->bins[upper_end(smooth, peak)]->at_work);
	curve->active.best = around.active;
	curve->active.low = fmin(around.active, padv_look_around(evidence, curve->at_work.low).active);
	curve->active.high = fmax(around.active, padv_look_around(evidence, curve->at_work.high).active);
}

static void
fit(const PadvEvidence *evidence, PadvCurve *curve)
{
	PadvUslPoint points[PADV_CURVE_BINS] = {{0}};

	for (int i = 0; i < evidence->n; i++)
		points[i] = (PadvUslPoint) {evidence->bins[i]->at_work, evidence->bins[i]->throughput,
			fmin(evidence->bins[i]->seconds, PADV_FULL_WEIGHT_SECONDS)};
	curve->fit_known = padv_usl_fit(points, evidence->n, &curve->fit);
}

/* A knee is seen when something lies beyond it. */
static bool
see_knee(const Smooth *smooth, int peak, double least, PadvCurve *curve)
{
	const PadvEvidence *evidence = &smooth->evidence;

	curve->bins = evidence->n;
	curve->throughput = smooth->best;
	for (int i = 0; i < evidence->n; i++)
		curve->seconds += evidence->bins[i]->seconds;
	if (evidence->n < PADV_USL_MIN_POINTS)
		return false;

	curve->state = PADV_CURVE_NO_KNEE;
	curve->seen_to = evidence->bins[evidence->n - 1]->at_work;
	curve->best_so_far = evidence->bins[peak]->at_work;
	if (evidence->bins[0]->at_work * PLATEAU_FACTOR <= curve->best_so_far)
		curve->helpful_active = padv_look_around(evidence, curve->best_so_far).active;
	curve->beyond_seconds = seconds_beyond(smooth, peak);
	return curve->beyond_seconds >= BEYOND_SECONDS && curve->seen_to >= least;
}

void
padv_scalability_judge(PadvScalability *scalability, double fewest, double least,
					   PadvCurve *curve)
{
	Smooth		measured;
	int			peak;

	memset(curve, 0, sizeof(*curve));
	smooth(scalability, &measured);
	fit(&measured.evidence, curve);
	peak = measured.evidence.n > 0 ? find_peak(&measured, fewest) : 0;
	if (!see_knee(&measured, peak, least, curve))
	{
		scalability->held = 0.0;
		return;
	}
	curve->state = PADV_CURVE_FITTED;
	if (!still_good(&measured, scalability->held))
		scalability->held = measured.evidence.bins[peak]->at_work;
	name_peak(&measured, scalability->held, peak, curve);
}

int
padv_scalability_rows(const PadvScalability *scalability, const PadvCurve *curve,
					  PadvScalabilityRow *rows)
{
	int			n = 0;

	for (int i = 0; i < PADV_CURVE_BINS; i++)
	{
		const PadvBin *bin = &scalability->bins[i];
		PadvScalabilityRow *row = &rows[n];

		if (!padv_bin_counts(bin))
			continue;
		row->connections = bin->at_work;
		row->seconds = bin->seconds;
		row->throughput = bin->throughput;
		row->latency = bin->latency;
		row->active = bin->active;
		row->fitted = curve->fit_known ? padv_usl_throughput(&curve->fit, bin->at_work) : -1.0;
		n++;
	}
	return n;
}

const char *
padv_curve_state_name(PadvCurveState state)
{
	static const char *const names[] = {
		"too little data", "knee not observed yet", "fitted"
	};

	return names[state];
}
