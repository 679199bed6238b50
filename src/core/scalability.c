/*
 * scalability.c
 *		Throughput against concurrency, as it was seen, and where it peaks.
 *
 * Owns the bins, what is forgotten when, and the rule for the peak.  Pure.
 *
 * The peak is where the measured curve, smoothed over neighbouring bins, is
 * highest; the Universal Scalability Law is fitted beside it, but real curves
 * bend in ways that three parameters cannot follow.  A peak is named only when
 * there is evidence beyond it: throughput that fell, or that did not rise while
 * the connections doubled.
 *
 * When throughput leaves the curve while connections at work stay the same
 * (other transactions, more data), what was seen before is scaled to the new
 * level, and each bin's old evidence counts for two seconds as soon as there is
 * new: the shape stands until it is contradicted.  When throughput is off the
 * curve after a move along it, only the evidence around is old.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/scalability.h"

#include <math.h>
#include <string.h>

#define BIN_WIDTH 1.1			/* as a factor */
#define TRIVIAL_AT_WORK 0.5

/* Beyond all that a server can do, so that no figure ever overflows. */
#define MAX_CONNECTIONS 1e6
#define MAX_THROUGHPUT 1e12
#define MAX_LATENCY 1e9

/* An interval stands for at most this long, however late the worker was. */
#define MAX_INTERVAL_SECONDS 2.0

/* Bins within this factor are averaged, the nearer ones with more weight. */
#define SMOOTHING 1.35

/* More evidence than this does not make a bin count more beside others. */
#define FULL_WEIGHT_SECONDS 30.0

/* Which throughput is as good as the best, and which within its range. */
#define AS_GOOD 0.98
#define IN_RANGE 0.95

/* What makes up for not going below the number of cores. */
#define GOOD_ENOUGH 0.9
#define ALMOST 0.9

/* The number named last is kept while it reaches this much of the best. */
#define STILL_GOOD 0.97

/* Evidence beyond the peak before it is named. */
#define BEYOND_SECONDS 3.0
#define PLATEAU_FACTOR 2.0

/*
 * A bin with less active than this share of what fewer connections had is one
 * of slow clients: it tells about them, not about the server.
 */
#define SLOW_CLIENTS 0.6

/*
 * A change of level (a cumulative sum test, Page 1954): deviations up to the
 * slack are noise, and their excess must sum up to the threshold.  A single
 * second cannot weigh more than the limit, so that a stall of a few is none.
 */
#define SLACK 0.15
#define LIMIT 0.5
#define THRESHOLD 1.5

/* The bins that can be judged, by connections at work. */
typedef struct Evidence
{
	int			n;
	const PadvBin *bins[PADV_CURVE_BINS];
	double		place[PADV_CURVE_BINS]; /* on the axis, as a logarithm */
} Evidence;

/* Means of the bins around a place on the axis. */
typedef struct Around
{
	double		weight;
	double		seconds;
	double		throughput;
	double		active;
	double		in_transaction;
} Around;

void
padv_scalability_init(PadvScalability *scalability)
{
	memset(scalability, 0, sizeof(*scalability));
}

static int
bin_of(double at_work)
{
	double		bin = floor(log(fmax(at_work, 1.0)) / log(BIN_WIDTH) + 0.5);

	return bin < PADV_CURVE_BINS ? (int) bin : PADV_CURVE_BINS - 1;
}

static bool
counts(const PadvBin *bin)
{
	return bin->seconds >= PADV_CURVE_MIN_SECONDS &&
		bin->seconds * bin->throughput >= PADV_CURVE_MIN_TRANSACTIONS;
}

/* Bins where fewer were active than with fewer connections are left out. */
static void
collect_evidence(const PadvScalability *scalability, Evidence *evidence)
{
	double		active = 0.0;

	evidence->n = 0;
	for (int i = 0; i < PADV_CURVE_BINS; i++)
	{
		const PadvBin *bin = &scalability->bins[i];

		if (!counts(bin) || bin->active < SLOW_CLIENTS * active)
			continue;
		active = fmax(active, bin->active);
		evidence->bins[evidence->n] = bin;
		evidence->place[evidence->n++] = log(bin->at_work);
	}
}

static Around
look_around(const Evidence *evidence, double at_work)
{
	double		place = log(at_work);
	Around		around = {0};

	for (int i = 0; i < evidence->n; i++)
	{
		const PadvBin *bin = evidence->bins[i];
		double		distance = fabs(evidence->place[i] - place) / log(SMOOTHING);
		double		near = 1.0 - distance * distance * distance;
		double		weight = fmin(bin->seconds, FULL_WEIGHT_SECONDS) * near * near * near;

		if (distance >= 1.0)
			continue;
		around.weight += weight;
		around.seconds += bin->seconds;
		around.throughput += weight * bin->throughput;
		around.active += weight * bin->active;
		around.in_transaction += weight * bin->in_transaction;
	}
	if (around.weight > 0.0)
	{
		around.throughput /= around.weight;
		around.active /= around.weight;
		around.in_transaction /= around.weight;
	}
	return around;
}

/* --- learning ------------------------------------------------------------ */

static void
forget_deviations(PadvScalability *scalability)
{
	scalability->above = 0.0;
	scalability->below = 0.0;
	scalability->off_sum = 0.0;
	scalability->off_seconds = 0.0;
}

/* Whether two numbers of connections are neighbours on the axis. */
static bool
is_near(double a, double b)
{
	return a > 0.0 && b > 0.0 && fabs(log(a / b)) < log(SMOOTHING);
}

/* What is known around a place is to give way to new evidence. */
static void
change_shape(PadvScalability *scalability, double at_work)
{
	for (int i = 0; i < PADV_CURVE_BINS; i++)
	{
		PadvBin    *bin = &scalability->bins[i];

		if (is_near(bin->at_work, at_work))
			bin->seconds = fmin(bin->seconds, PADV_CURVE_MIN_SECONDS);
	}
}

/* Everything seen so far was at another level. */
static void
change_level(PadvScalability *scalability)
{
	double		level = exp(scalability->off_sum / scalability->off_seconds);

	for (int i = 0; i < PADV_CURVE_BINS; i++)
	{
		PadvBin    *bin = &scalability->bins[i];

		bin->throughput = fmin(bin->throughput * level, MAX_THROUGHPUT);
		bin->latency = fmin(bin->latency / level, MAX_LATENCY);
	}
	scalability->level++;
}

/* Whether throughput has been off the curve, in one direction, for a while. */
static void
compare_with_curve(PadvScalability *scalability, const PadvInterval *interval)
{
	Evidence	evidence;
	Around		expected;
	double		off;

	collect_evidence(scalability, &evidence);
	expected = look_around(&evidence, interval->at_work);
	if (expected.seconds < PADV_CURVE_MIN_SECONDS ||
		interval->transactions < PADV_CURVE_MIN_TRANSACTIONS)
		return;
	off = log(interval->transactions / interval->seconds / expected.throughput);
	scalability->above = fmax(0.0, scalability->above + fmin(off, LIMIT) - SLACK);
	scalability->below = fmax(0.0, scalability->below + fmin(-off, LIMIT) - SLACK);
	if (scalability->above <= 0.0 && scalability->below <= 0.0)
	{
		forget_deviations(scalability);
		scalability->consistent_at = interval->at_work;
		return;
	}
	scalability->off_sum += off;
	scalability->off_seconds += 1.0;
	if (scalability->above <= THRESHOLD && scalability->below <= THRESHOLD)
		return;
	if (is_near(scalability->consistent_at, interval->at_work))
		change_level(scalability);
	else
		change_shape(scalability, interval->at_work);
	forget_deviations(scalability);
}

static void
fade(PadvScalability *scalability, double seconds)
{
	double		left = exp2(-seconds / PADV_CURVE_HALF_LIFE_SECONDS);

	for (int i = 0; i < PADV_CURVE_BINS; i++)
		scalability->bins[i].seconds *= left;
}

static void
approach(double *mean, double value, double share)
{
	*mean += (value - *mean) * share;
}

static void
add_to_bin(PadvBin *bin, const PadvInterval *interval, double seconds, int64_t level)
{
	double		share;

	if (bin->level != level)
		bin->seconds = fmin(bin->seconds, PADV_CURVE_MIN_SECONDS);
	bin->level = level;
	bin->seconds += seconds;
	share = seconds / bin->seconds;
	approach(&bin->at_work, interval->at_work, share);
	approach(&bin->active, interval->active, share);
	approach(&bin->in_transaction, interval->in_transaction, share);
	approach(&bin->blocked, interval->blocked, share);
	approach(&bin->throughput, interval->transactions / interval->seconds, share);
	approach(&bin->latency, interval->latency, share);
	bin->seconds = fmin(bin->seconds, PADV_CURVE_MEMORY_SECONDS);
}

static bool
between(double value, double low, double high)
{
	return value >= low && value <= high;	/* not a number is not */
}

static bool
is_sound(const PadvInterval *interval)
{
	return between(interval->seconds, 1e-3, 1e6) &&
		between(interval->at_work, TRIVIAL_AT_WORK, MAX_CONNECTIONS) &&
		between(interval->active, 0.0, MAX_CONNECTIONS) &&
		between(interval->in_transaction, 0.0, MAX_CONNECTIONS) &&
		between(interval->blocked, 0.0, MAX_CONNECTIONS) &&
		between(interval->transactions / interval->seconds, 1e-6, MAX_THROUGHPUT) &&
		between(interval->latency, 0.0, MAX_LATENCY);
}

/*
 * While the number of connections at work changes, an interval belongs to none
 * of them, so it counts less.
 */
static double
steadiness(PadvScalability *scalability, double at_work)
{
	double		change = (at_work - scalability->previous_at_work) / (1.0 + 0.2 * at_work);

	scalability->previous_at_work = at_work;
	return 1.0 / (1.0 + 4.0 * change * change);
}

void
padv_scalability_add(PadvScalability *scalability, const PadvInterval *interval)
{
	double		seconds;

	if (!is_sound(interval))
	{
		scalability->previous_at_work = 0.0;
		return;
	}
	seconds = fmin(interval->seconds, MAX_INTERVAL_SECONDS) *
		steadiness(scalability, interval->at_work);
	compare_with_curve(scalability, interval);
	fade(scalability, seconds);
	add_to_bin(&scalability->bins[bin_of(interval->at_work)], interval, seconds,
			   scalability->level);
}

/* --- judging ------------------------------------------------------------- */

/* The evidence, and the curve through it. */
typedef struct Smooth
{
	Evidence	evidence;
	double		throughput[PADV_CURVE_BINS];
	double		best;
} Smooth;

static void
smooth(const PadvScalability *scalability, Smooth *curve)
{
	const Evidence *evidence = &curve->evidence;

	collect_evidence(scalability, &curve->evidence);
	curve->best = 0.0;
	for (int i = 0; i < evidence->n; i++)
	{
		curve->throughput[i] = look_around(evidence, evidence->bins[i]->at_work).throughput;
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
		look_around(&curve->evidence, at_work).throughput >= STILL_GOOD * curve->best;
}

static void
name_peak(const Smooth *smooth, double at_work, int peak, PadvCurve *curve)
{
	const Evidence *evidence = &smooth->evidence;
	Around		around = look_around(evidence, at_work);

	curve->near_seconds = around.seconds;
	curve->in_transaction = around.in_transaction;
	curve->at_work.best = at_work;
	curve->at_work.low = fmin(at_work, evidence->bins[lower_end(smooth, peak)]->at_work);
	curve->at_work.high = fmax(at_work, evidence->bins[upper_end(smooth, peak)]->at_work);
	curve->active.best = around.active;
	curve->active.low = fmin(around.active, look_around(evidence, curve->at_work.low).active);
	curve->active.high = fmax(around.active, look_around(evidence, curve->at_work.high).active);
}

static void
fit(const Evidence *evidence, PadvCurve *curve)
{
	PadvUslPoint points[PADV_CURVE_BINS] = {{0}};

	for (int i = 0; i < evidence->n; i++)
		points[i] = (PadvUslPoint) {evidence->bins[i]->at_work, evidence->bins[i]->throughput,
			fmin(evidence->bins[i]->seconds, FULL_WEIGHT_SECONDS)};
	curve->fit_known = padv_usl_fit(points, evidence->n, &curve->fit);
}

/* A knee is seen when something lies beyond it. */
static bool
see_knee(const Smooth *smooth, int peak, double least, PadvCurve *curve)
{
	const Evidence *evidence = &smooth->evidence;

	curve->bins = evidence->n;
	curve->throughput = smooth->best;
	for (int i = 0; i < evidence->n; i++)
		curve->seconds += evidence->bins[i]->seconds;
	if (evidence->n < PADV_USL_MIN_POINTS)
		return false;

	curve->state = PADV_CURVE_NO_KNEE;
	curve->seen_to = evidence->bins[evidence->n - 1]->at_work;
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

		if (!counts(bin))
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
