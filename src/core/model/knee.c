/*
 * knee.c
 *		The peak of the scalability curve, and whether it was observed.
 *
 * Owns the rule for the peak.  Pure.  The worker applies it every few seconds.
 *
 * The peak is the maximum of the measured curve, smoothed over neighbouring bins.
 * The Universal Scalability Law is fitted for display only, because real curves
 * have shapes that three parameters cannot describe.  A peak is named only with
 * evidence beyond it: throughput that decreased, or that did not increase while the
 * connections doubled.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/model/evidence.h"

#include <math.h>
#include <string.h>

/*
 * The shares of the highest throughput that are as good, and that belong to the
 * range.  Noise raises the maximum of several measurements, and on a flat curve it
 * can be anywhere, so the smallest number of connections that is as good is
 * preferred.
 */
#define AS_GOOD 0.96
#define IN_RANGE 0.95

/*
 * The share of the best that justifies fewer connections than cores, and the share
 * at which fewer connections are kept at the low end of the range.
 */
#define GOOD_ENOUGH 0.9
#define ALMOST 0.9

/* A named peak is kept while its throughput is this share of the highest. */
#define STILL_GOOD 0.95

/* The least evidence beyond the peak, and the factor of connections on a plateau. */
#define BEYOND_SECONDS 5.0
#define PLATEAU_FACTOR 2.0

/* Bins further apart than this factor have a gap between them. */
#define GAP_FACTOR 2.2

/*
 * The utilization of saturated cores, and the shares of busy connections that make
 * a wait dominant or locks saturated.
 */
#define CORES_USED_UP 0.85
#define MAIN_WAIT 0.3
#define LOCKS_USED_UP 0.65
#define DISKS_USED_UP 0.3

/*
 * A decrease to this share, this factor beyond the peak, for this many seconds is
 * evidence by itself.
 */
#define FELL 0.8
#define FELL_FACTOR 1.5
#define FELL_SECONDS 20.0

/* The least number of bins for the best so far; a knee takes three. */
#define MIN_BINS 2

/* An episode of pressure this long is not a slow spell. */
#define SETTLED_SECONDS 600.0

/* The evidence, and the smoothed curve. */
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
		curve->throughput[i] = padv_look_around(evidence, evidence->bins[i].busy).throughput;
		curve->best = fmax(curve->best, curve->throughput[i]);
	}
}

/*
 * The first place from here on whose throughput is as good as the maximum from here
 * on.
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

/* Busy connections, or their processes if these are more. */
static double
busy_processes(const PadvBin *bin)
{
	return fmax(bin->busy, bin->active);
}

/*
 * The first place whose throughput is as good as the maximum.  It is not below
 * fewest connections without need: with one connection a long statement would block
 * all others, and idle cores enter sleep states, which distorts the measurement.  With
 * parallel workers, fewer connections keep as many cores busy.
 */
static int
find_peak(const Smooth *curve, double fewest)
{
	int			first = 0;
	int			peak;

	while (first < curve->evidence.n - 1 && busy_processes(&curve->evidence.bins[first]) < ALMOST * fewest)
		first++;
	peak = find_best_from(curve, first);
	return curve->throughput[peak] >= GOOD_ENOUGH * curve->best ? peak : find_best_from(curve, 0);
}

/* The ends of the range around a place. */
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
 * Whether a place shows that more connections do not help: it is beyond the range
 * with less throughput, or far beyond the peak with no more.
 */
static bool
is_beyond(const Smooth *curve, int peak, int place)
{
	const PadvBin *bins = curve->evidence.bins;

	return bins[place].busy >= PADV_SMOOTHING * bins[peak].busy &&
		(place > upper_end(curve, peak) ||
		 bins[place].busy >= PLATEAU_FACTOR * bins[peak].busy);
}

/* Combine all evidence beyond the peak, under pressure, into one bin. */
static PadvBin
collect_beyond(const Smooth *curve, int peak, int64_t level, double *present)
{
	PadvBin		beyond = {0};

	*present = 0.0;
	for (int i = 0; i < curve->evidence.n; i++)
	{
		const PadvBin *bin = &curve->evidence.bins[i];

		if (!is_beyond(curve, peak, i) || bin->pressed <= 0.0)
			continue;
		beyond.seconds += bin->pressed;
		for (int j = 0; j < PADV_RESOURCES; j++)
			beyond.use[j] += (bin->use[j] - beyond.use[j]) * bin->pressed / beyond.seconds;
		if (bin->level == level)
			*present += bin->pressed;
	}
	return beyond;
}

/* Seconds with much lower throughput, far beyond the peak. */
static double
seconds_fallen(const Smooth *curve, int peak)
{
	const PadvBin *bins = curve->evidence.bins;
	double		seconds = 0.0;

	for (int i = peak + 1; i < curve->evidence.n; i++)
		if (bins[i].busy >= FELL_FACTOR * bins[peak].busy &&
			bins[i].throughput < FELL * curve->best)
			seconds += bins[i].pressed;
	return seconds;
}

/* Find the resource that was saturated beyond the peak. */
static void
name_saturated(const PadvBin *beyond, PadvCurve *curve)
{
	PadvResource most = PADV_RESOURCE_LOCKS;

	for (PadvResource i = PADV_RESOURCE_LOCKS; i < PADV_RESOURCES; i++)
		if (beyond->use[i] > beyond->use[most])
			most = i;
	if (beyond->use[most] >= MAIN_WAIT &&
		(most <= PADV_RESOURCE_INTERNAL_LOCKS || beyond->use[PADV_RESOURCE_CORES] < CORES_USED_UP))
		curve->saturated = most;
	else if (beyond->use[PADV_RESOURCE_CORES] >= CORES_USED_UP)
		curve->saturated = PADV_RESOURCE_CORES;
	else
		curve->saturated = PADV_RESOURCE_SESSIONS;
	curve->saturated_share = beyond->use[curve->saturated];
}

static bool
is_used_up(const PadvBin *bin)
{
	return bin->use[PADV_RESOURCE_CORES] >= CORES_USED_UP ||
		bin->use[PADV_RESOURCE_LOCKS] >= LOCKS_USED_UP ||
		bin->disk_queue >= DISKS_USED_UP;
}

/*
 * Whether a resource was saturated at the peak already.  Otherwise a server that
 * was only slow beyond it would look like a knee.
 */
static bool
peak_is_pressed(const Smooth *curve, int peak)
{
	const PadvBin *at = &curve->evidence.bins[peak];

	return at->pressed >= PADV_CURVE_MIN_SECONDS || is_used_up(at);
}

/* Whether there is evidence on both sides next to the peak; otherwise sets the gap. */
static bool
looked_around(const Smooth *curve, int peak, PadvCurve *result)
{
	const PadvEvidence *evidence = &curve->evidence;
	const PadvBin *at = &evidence->bins[peak];
	double		below = peak > 0 ? evidence->bins[peak - 1].busy : 1.0;
	double		above = peak < evidence->n - 1 ? evidence->bins[peak + 1].busy : INFINITY;

	if (above > GAP_FACTOR * at->busy && isfinite(above))
	{
		result->gap_low = at->busy;
		result->gap_high = above;
	}
	else if (at->busy > GAP_FACTOR * below)
	{
		result->gap_low = below;
		result->gap_high = at->busy;
	}
	return result->gap_low <= 0.0;
}

static bool
still_good(const Smooth *curve, double busy)
{
	return busy > 0.0 &&
		padv_look_around(&curve->evidence, busy).throughput >= STILL_GOOD * curve->best;
}

static void
name_peak(const Smooth *smooth, double busy, int peak, PadvCurve *curve)
{
	const PadvEvidence *evidence = &smooth->evidence;
	PadvAround	around = padv_look_around(evidence, busy);

	curve->near_seconds = around.seconds;
	curve->busy.best = busy;
	curve->busy.low = fmin(busy, evidence->bins[lower_end(smooth, peak)].busy);
	curve->busy.high = fmax(busy, evidence->bins[upper_end(smooth, peak)].busy);
	curve->active.best = around.active;
	curve->active.low = fmin(around.active, padv_look_around(evidence, curve->busy.low).active);
	curve->active.high = fmax(around.active, padv_look_around(evidence, curve->busy.high).active);
}

static void
fit(const PadvEvidence *evidence, PadvCurve *curve)
{
	PadvUslPoint points[PADV_CURVE_BINS] = {{0}};

	for (int i = 0; i < evidence->n; i++)
		points[i] = (PadvUslPoint) {evidence->bins[i].busy, evidence->bins[i].throughput,
			fmin(evidence->bins[i].seconds, PADV_FULL_WEIGHT_SECONDS)};
	curve->fit_known = padv_usl_fit(points, evidence->n, &curve->fit);
}

/*
 * Evidence under pressure with somewhat fewer connections.  Without pressure
 * throughput is only a lower bound, so the peak could be there.
 */
static double
pressed_below(const PadvEvidence *evidence, double busy)
{
	double		seconds = 0.0;

	for (int i = 0; i < evidence->n; i++)
		if (evidence->bins[i].busy * PADV_SMOOTHING <= busy &&
			evidence->bins[i].busy * GAP_FACTOR >= busy)
			seconds += evidence->bins[i].pressed;
	return busy <= GAP_FACTOR ? INFINITY : seconds;
}

/* Whether a knee was observed: there is enough evidence beyond the peak. */
static bool
see_knee(const PadvScalability *scalability, const Smooth *smooth, int peak, double least,
		 PadvCurve *curve)
{
	const PadvEvidence *evidence = &smooth->evidence;
	PadvBin		beyond;
	bool		far_enough;

	curve->bins = evidence->n;
	curve->throughput = smooth->best;
	for (int i = 0; i < evidence->n; i++)
	{
		curve->seconds += evidence->bins[i].seconds;
		curve->pressed_seconds += evidence->bins[i].pressed;
	}
	if (evidence->n < MIN_BINS)
		return false;
	curve->best_so_far = evidence->bins[peak].busy;
	if (evidence->bins[0].busy * PLATEAU_FACTOR <= curve->best_so_far)
		curve->helpful_active = padv_look_around(evidence, curve->best_so_far).active;
	curve->so_far_saturated = is_used_up(&evidence->bins[peak]);
	curve->seen_to = evidence->bins[evidence->n - 1].busy;
	if (evidence->n < PADV_USL_MIN_POINTS)
		return false;

	curve->state = PADV_CURVE_NO_KNEE;
	beyond = collect_beyond(smooth, peak, scalability->level, &curve->present_seconds);
	curve->beyond_seconds = beyond.seconds;
	name_saturated(&beyond, curve);
	far_enough = busy_processes(&evidence->bins[evidence->n - 1]) >= least ||
		(curve->saturated != PADV_RESOURCE_SESSIONS && curve->saturated != PADV_RESOURCE_COMMITS) ||
		seconds_fallen(smooth, peak) >= FELL_SECONDS;
	return looked_around(smooth, peak, curve) && peak_is_pressed(smooth, peak) && pressed_below(evidence, evidence->bins[peak].busy) >= PADV_CURVE_MIN_SECONDS && curve->beyond_seconds >= BEYOND_SECONDS && far_enough;
}

/* Evidence of the present level under pressure near a number of connections. */
static double
present_around(const PadvEvidence *evidence, double busy, int64_t level)
{
	double		seconds = 0.0;

	for (int i = 0; i < evidence->n; i++)
		if (evidence->bins[i].level == level &&
			fabs(evidence->place[i] - log(busy)) < log(PADV_SMOOTHING))
			seconds += evidence->bins[i].pressed;
	return seconds;
}

/* Describe the last seconds. */
static void
describe_now(const PadvScalability *scalability, PadvCurve *curve)
{
	const PadvEpisode *episode = &scalability->episode;

	curve->now_busy = scalability->now_busy;
	curve->now_throughput = scalability->now_throughput;
	curve->noise = scalability->noise;
	curve->settled = episode->seconds <= 0.0 || episode->seconds >= SETTLED_SECONDS;
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
	describe_now(scalability, curve);
	if (!see_knee(scalability, &measured, peak, least, curve))
	{
		scalability->held = 0.0;
		return;
	}
	curve->state = PADV_CURVE_FITTED;
	if (!still_good(&measured, scalability->held))
		scalability->held = measured.evidence.bins[peak].busy;
	name_peak(&measured, scalability->held, peak, curve);
	curve->present_seconds = fmin(curve->present_seconds,
								  present_around(&measured.evidence, scalability->held,
												 scalability->level));
	curve->present_seconds = fmin(curve->present_seconds,
								  pressed_below(&measured.evidence, scalability->held));
}

int
padv_scalability_rows(const PadvScalability *scalability, const PadvCurve *curve,
					  PadvScalabilityRow *rows)
{
	int			n = 0;

	for (int i = 0; i < PADV_CURVE_BINS; i++)
	{
		const PadvBin bin = padv_bin_with_episode(scalability, i);
		PadvScalabilityRow *row = &rows[n];

		if (!padv_bin_counts(&bin))
			continue;
		row->connections = bin.busy;
		row->seconds = bin.seconds;
		row->throughput = bin.throughput;
		row->latency = bin.latency;
		row->active = bin.active;
		row->fitted = curve->fit_known ? padv_usl_throughput(&curve->fit, bin.busy) : -1.0;
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

const char *
padv_resource_name(PadvResource resource)
{
	static const char *const names[] = {
		"the sessions themselves", "the cores", "locks of other sessions",
		"internal locks of the server", "the disks", "commits"
	};

	return names[resource];
}
