/*
 * scalability.c
 *		Throughput against concurrency, as it was seen, and where it peaks.
 *
 * Owns the bins, and what is forgotten when.  Pure.  What they say is judged in
 * knee.c.
 *
 * When throughput leaves the curve while connections at work stay the same
 * (other transactions, more data), what was seen before is scaled to the new
 * level, and each bin's old evidence counts for two seconds as soon as there is
 * new: the shape stands until it is contradicted.  When throughput is off the
 * curve after a move along it, only the evidence around is old.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/model/evidence.h"

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

/*
 * A change of level (a cumulative sum test, Page 1954): deviations up to the
 * slack are noise, and their excess must sum up to the threshold.  A single
 * second cannot weigh more than the limit, so that a stall of a few is none.
 */
#define SLACK 0.15
#define LIMIT 0.5
#define THRESHOLD 1.5

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
	return a > 0.0 && b > 0.0 && fabs(log(a / b)) < log(PADV_SMOOTHING);
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
	PadvEvidence evidence;
	PadvAround	expected;
	double		off;

	padv_collect_evidence(scalability, &evidence);
	expected = padv_look_around(&evidence, interval->at_work);
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

/* --- keeping -------------------------------------------------------------- */

/* Changes with the meaning of the numbers. */
#define FORM 1.0

/* So much over the edge of its bin can a mean be rounded. */
#define ROUNDING 1e-9

#define BIN_NUMBERS ((PADV_CURVE_NUMBERS - 2) / PADV_CURVE_BINS)

void
padv_scalability_keep(const PadvScalability *scalability, double numbers[PADV_CURVE_NUMBERS])
{
	double	   *next = numbers;

	*next++ = FORM;
	*next++ = scalability->held;
	for (int i = 0; i < PADV_CURVE_BINS; i++)
	{
		const PadvBin *bin = &scalability->bins[i];
		const double kept[BIN_NUMBERS] = {bin->seconds, bin->at_work, bin->active,
		bin->throughput, bin->latency};

		memcpy(next, kept, sizeof(kept));
		next += BIN_NUMBERS;
	}
}

static bool
bin_is_sound(const PadvBin *bin, int place)
{
	return between(bin->seconds, 0.0, PADV_CURVE_MEMORY_SECONDS) &&
		between(bin->at_work, TRIVIAL_AT_WORK, MAX_CONNECTIONS) &&
		bin_of(bin->at_work * (1.0 - ROUNDING)) <= place &&
		bin_of(bin->at_work * (1.0 + ROUNDING)) >= place &&
		between(bin->active, 0.0, MAX_CONNECTIONS) &&
		between(bin->throughput, 0.0, MAX_THROUGHPUT) && between(bin->latency, 0.0, MAX_LATENCY);
}

bool
padv_scalability_restore(PadvScalability *scalability, const double *numbers, size_t count)
{
	PadvScalability kept;

	if (count != PADV_CURVE_NUMBERS || numbers[0] != FORM ||
		!between(numbers[1], 0.0, MAX_CONNECTIONS))
		return false;
	padv_scalability_init(&kept);
	kept.held = numbers[1];
	for (int i = 0; i < PADV_CURVE_BINS; i++)
	{
		const double *from = numbers + 2 + i * BIN_NUMBERS;
		PadvBin    *bin = &kept.bins[i];

		if (from[0] == 0.0)
			continue;
		*bin = (PadvBin) {from[0], from[1], from[2], from[3], from[4], 0};
		if (!bin_is_sound(bin, i))
			return false;
	}
	*scalability = kept;
	return true;
}
