/*
 * compare.c
 *		What changed between two periods of the history, and whether that is more than noise.
 *
 * The mean of a period is uncertain by its long-run variance: points that follow each other
 * are alike, so they say less than as many independent ones.  It is estimated from the
 * slowest waves in the period only (equal-weighted cosines: Mueller, A theory of robust
 * long-run variance estimation, 2007; Lazarus, Lewis, Stock and Watson, HAR inference, 2018).
 * They have the noise of long times that the mean has, however alike neighbours are, as long
 * as that lasts for a small part of the period.  A trend inside of a period counts as noise.
 * For short periods an autoregressive process may say more; the larger variance is taken.
 *
 * The difference of two means is compared with Student's t distribution by Welch's degrees of
 * freedom.  The level is 5 % for all rows together (Bonferroni).
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/stats/compare.h"

#define PI 3.14159265358979323846

/* Waves by which the noise is estimated: few while there are few points. */
#define FEWEST_WAVES 3
#define FEW_WAVES 4
#define MANY_WAVES 6
#define FEW_POINTS 12
#define MANY_POINTS 60

/* Below this the quantile is worked out exactly, by whole degrees of freedom. */
#define SMALL_DF 8.0

/* The share of calls in which chance alone may make a row that is called real. */
#define LEVEL 0.05

/* What a persistence is taken for that is larger: nearly a random walk. */
#define MOST_PERSISTENCE 0.98

/* A coarser resolution must cover so much more to be taken. */
#define NEARLY 0.9

/* What the share of a change is of. */
typedef enum Scale
{
	OF_ITSELF,
	OF_SESSIONS,				/* active or waiting */
	OF_ONE,						/* it is a ratio */
} Scale;

/* A measure is the sum of one figure divided by the sum of another. */
typedef struct Measure
{
	const char *name;
	Scale		scale;
	double		(*part) (const PadvHistoryPoint *point);	/* negative: unknown */
	double		(*whole) (const PadvHistoryPoint *point);	/* likewise; NULL: of 1 */
} Measure;

/* --- the measures --- */

#define FIGURE(name, member) \
	static double name(const PadvHistoryPoint *point) { return point->member; }

FIGURE(throughput, transactions_per_second)
FIGURE(active, active_avg)
FIGURE(on_cpu, in_class[PADV_ON_CPU])
FIGURE(waiting_io, in_class[PADV_WAITING_IO])
FIGURE(waiting_lock, in_class[PADV_WAITING_LOCK])
FIGURE(waiting_lwlock, in_class[PADV_WAITING_LWLOCK])
FIGURE(waiting_other, in_class[PADV_WAITING_OTHER])
FIGURE(idle_in_transaction, idle_in_transaction)
FIGURE(queued, queued)
FIGURE(cpu_utilization, cpu_utilization)

/* Sessions that are in a transaction, or want to be. */
static double
inside(const PadvHistoryPoint *point)
{
	if (point->active_avg < 0.0f || point->idle_in_transaction < 0.0f || point->queued < 0.0f)
		return -1.0;
	return (double) point->active_avg + point->idle_in_transaction + point->queued;
}

/* By Little's law sessions inside are throughput times the time of a transaction. */
static const Measure measures[PADV_COMPARED] = {
	{"transactions_per_second", OF_ITSELF, throughput, NULL},
	{"seconds_per_transaction", OF_ITSELF, inside, throughput},
	{"active_avg", OF_SESSIONS, active, NULL},
	{"on_cpu", OF_SESSIONS, on_cpu, NULL},
	{"waiting_io", OF_SESSIONS, waiting_io, NULL},
	{"waiting_lock", OF_SESSIONS, waiting_lock, NULL},
	{"waiting_lwlock", OF_SESSIONS, waiting_lwlock, NULL},
	{"waiting_other", OF_SESSIONS, waiting_other, NULL},
	{"idle_in_transaction", OF_SESSIONS, idle_in_transaction, NULL},
	{"queued", OF_SESSIONS, queued, NULL},
	{"cpu_utilization", OF_ONE, cpu_utilization, NULL},
	{"io_wait_ratio", OF_ONE, waiting_io, active},
};

/* Its two parts at a point; false when one of them is not known. */
static bool
get_parts(const Measure *measure, const PadvHistoryPoint *point, double *part, double *whole)
{
	*part = measure->part(point);
	*whole = measure->whole == NULL ? 1.0 : measure->whole(point);
	return *part >= 0.0 && *whole >= 0.0;
}

/* --- the mean of a period, and how uncertain it is --- */

typedef struct Mean
{
	int			points;			/* that are known */
	double		value;			/* negative: not known */
	double		variance;		/* of the value */
	int			waves;			/* degrees of freedom of the variance */
} Mean;

static void
find_value(const Measure *measure, const PadvHistoryPoint *points, int count, Mean *mean, double *whole_avg)
{
	double		part_sum = 0.0;
	double		whole_sum = 0.0;
	double		part;
	double		whole;

	mean->points = 0;
	for (int i = 0; i < count; i++)
	{
		if (!get_parts(measure, &points[i], &part, &whole))
			continue;
		part_sum += part;
		whole_sum += whole;
		mean->points++;
	}
	mean->value = whole_sum > 0.0 ? part_sum / whole_sum : -1.0;
	*whole_avg = mean->points > 0 ? whole_sum / mean->points : 0.0;
}

/* How much a point adds to the value, for a wave. */
static double
project(const Measure *measure, const PadvHistoryPoint *points, int count, const Mean *mean, int wave)
{
	double		sum = 0.0;
	double		part;
	double		whole;
	int			number = 0;

	for (int i = 0; i < count; i++)
	{
		if (!get_parts(measure, &points[i], &part, &whole))
			continue;
		sum += (part - mean->value * whole) * cos(PI * wave * (number + 0.5) / mean->points);
		number++;
	}
	return sum;
}

/*
 * The variance of the mean if the points follow an autoregressive process of order 1: that
 * of independent points, times (1 + p) / (1 - p).  The persistence p is estimated too small
 * by (1 + 3 p) / n (Marriott and Pope, Bias in the estimation of autocorrelations, 1954).
 */
static double
autoregressive_variance(const Measure *measure, const PadvHistoryPoint *points, int count,
						const Mean *mean, double whole_avg)
{
	double		squares = 0.0;
	double		products = 0.0;
	double		before = 0.0;
	double		part;
	double		whole;
	double		persistence;

	for (int i = 0; i < count; i++)
	{
		double		residual;

		if (!get_parts(measure, &points[i], &part, &whole))
			continue;
		residual = (part - mean->value * whole) / whole_avg;
		squares += residual * residual;
		products += residual * before;
		before = residual;
	}
	if (!(squares > 0.0) || mean->points < 2)
		return 0.0;
	persistence = products / squares;
	persistence += (1.0 + 3.0 * persistence) / mean->points;
	if (persistence > MOST_PERSISTENCE)
		persistence = MOST_PERSISTENCE;
	return squares / (mean->points - 1) / mean->points * (1.0 + persistence) / (1.0 - persistence);
}

static Mean
describe_mean(const Measure *measure, const PadvHistoryPoint *points, int count)
{
	Mean		mean = {0};
	double		whole_avg;
	double		sum = 0.0;
	double		other;

	find_value(measure, points, count, &mean, &whole_avg);
	if (mean.value < 0.0)
		return mean;
	mean.waves = mean.points < FEW_POINTS ? FEWEST_WAVES :
		mean.points < MANY_POINTS ? FEW_WAVES : MANY_WAVES;
	for (int wave = 1; wave <= mean.waves; wave++)
	{
		double		projection = project(measure, points, count, &mean, wave) / whole_avg;

		sum += projection * projection;
	}
	mean.variance = 2.0 * sum / mean.waves / mean.points / mean.points;
	other = autoregressive_variance(measure, points, count, &mean, whole_avg);
	if (other > mean.variance)
		mean.variance = other;
	return mean;
}

/*
 * The two-sided quantile of the normal distribution, for levels below 0.5 (Abramowitz and
 * Stegun 26.2.23, within 0.00045).
 */
static double
normal_quantile(double level)
{
	double		t = sqrt(-2.0 * log(level / 2.0));

	return t - (2.515517 + t * (0.802853 + t * 0.010328)) /
		(1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}

/* The probability that Student's t is within -t and t (Abramowitz and Stegun 26.7.3 and 4). */
static double
student_within(double t, int df)
{
	double		angle = atan(t / sqrt((double) df));
	double		square = cos(angle) * cos(angle);
	double		term = df % 2 == 1 ? cos(angle) : 1.0;
	double		sum = 0.0;

	for (int i = df % 2 == 1 ? 1 : 0; i <= df - 2; i += 2)
	{
		sum += term;
		term *= square * (i + 1) / (i + 2);
	}
	sum *= sin(angle);
	return df % 2 == 1 ? 2.0 / PI * (angle + sum) : sum;
}

/* The two-sided quantile by bisection, for few degrees of freedom. */
static double
exact_student_quantile(double level, int df)
{
	double		low = 0.0;
	double		high = 1e6;

	for (int i = 0; i < 60; i++)
	{
		double		middle = (low + high) / 2.0;

		if (1.0 - student_within(middle, df) > level)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/*
 * The quantile of Student's t distribution, from that of the normal distribution by the
 * expansion in 1 / df (Abramowitz and Stegun 26.7.5).  It is too small for a small df.
 */
static double
student_quantile(double level, double df)
{
	double		z = normal_quantile(level);
	double		z3 = z * z * z;
	double		z5 = z3 * z * z;
	double		z7 = z5 * z * z;
	double		z9 = z7 * z * z;

	if (df < SMALL_DF)
		return exact_student_quantile(level, df > 1.0 ? (int) df : 1);
	return z + (z3 + z) / (4.0 * df) + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * df * df) +
		(3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * df * df * df) +
		(79.0 * z9 + 776.0 * z7 + 1482.0 * z5 - 1920.0 * z3 - 945.0 * z) / (92160.0 * df * df * df * df);
}

/* Welch's degrees of freedom for the difference of two means. */
static double
degrees_of_freedom(const Mean *before, const Mean *after)
{
	double		sum = before->variance + after->variance;

	return sum * sum / (before->variance * before->variance / before->waves +
						after->variance * after->variance / after->waves);
}

/* --- a row --- */

static double
change_share(Scale scale, double before, double after, double sessions)
{
	double		most = before > after ? before : after;

	if (before < 0.0 || after < 0.0)
		return 0.0;
	if (scale == OF_SESSIONS)
		most = sessions;
	else if (scale == OF_ONE)
		most = 1.0;
	return most > 0.0 ? fabs(after - before) / most : 0.0;
}

/* Differences that rounding to a float makes. */
static bool
is_same(double before, double after)
{
	return fabs(after - before) <= 1e-6 * (fabs(before) + fabs(after));
}

/* Judge a row, which is one of so many. */
static void
judge(const Mean *before, const Mean *after, int nrows, PadvComparison *row)
{
	double		error = sqrt(before->variance + after->variance);
	double		distance;
	double		noise;

	if (before->points < PADV_COMPARE_POINTS || after->points < PADV_COMPARE_POINTS ||
		before->value < 0.0 || after->value < 0.0)
	{
		row->change = PADV_CHANGE_UNKNOWN;
		snprintf(row->why, sizeof(row->why), "too little data: %d and %d points, and each period needs %d",
				 before->points, after->points, PADV_COMPARE_POINTS);
		return;
	}
	row->change = PADV_CHANGE_NOISE;
	if (is_same(before->value, after->value))
	{
		snprintf(row->why, sizeof(row->why), "it is the same");
		return;
	}
	if (!(error > 0.0))
	{
		row->change = PADV_CHANGE_REAL;
		snprintf(row->why, sizeof(row->why), "it did not vary in either period");
		return;
	}
	distance = fabs(after->value - before->value) / error;
	noise = student_quantile(LEVEL / nrows, degrees_of_freedom(before, after));
	if (distance > noise)
		row->change = PADV_CHANGE_REAL;
	snprintf(row->why, sizeof(row->why), "the difference is %.1f times its standard error, by %d and %d points; up to %.1f is noise",
			 distance, before->points, after->points, noise);
}

static int
compare_rows(const void *a, const void *b)
{
	const PadvComparison *left = a;
	const PadvComparison *right = b;

	if ((left->change == PADV_CHANGE_REAL) != (right->change == PADV_CHANGE_REAL))
		return left->change == PADV_CHANGE_REAL ? -1 : 1;
	if (left->share != right->share)
		return left->share > right->share ? -1 : 1;
	if (left->dimension != right->dimension)
		return left->dimension < right->dimension ? -1 : 1;
	if (left->key != right->key)
		return left->key < right->key ? -1 : 1;
	return strcmp(left->measure, right->measure);
}

void
padv_compare_sort(PadvComparison *rows, int count)
{
	qsort(rows, (size_t) count, sizeof(PadvComparison), compare_rows);
}

/* Compare the mean of a measure in two periods; the row is one of so many. */
static void
compare_means(const Measure *measure, const PadvHistoryPoint *before, int nbefore,
			  const PadvHistoryPoint *after, int nafter, double sessions, int nrows, PadvComparison *row)
{
	Mean		mean_before = describe_mean(measure, before, nbefore);
	Mean		mean_after = describe_mean(measure, after, nafter);

	memset(row, 0, sizeof(*row));
	row->measure = measure->name;
	row->dimension = PADV_COMPARE_ALL;
	row->before = mean_before.value;
	row->after = mean_after.value;
	row->share = change_share(measure->scale, mean_before.value, mean_after.value, sessions);
	judge(&mean_before, &mean_after, nrows, row);
}

void
padv_compare_part(const char *measure, const PadvHistoryPoint *before, int nbefore,
				  const PadvHistoryPoint *after, int nafter, double sessions, int nrows, PadvComparison *row)
{
	Measure		part = {measure, OF_SESSIONS, active, NULL};

	compare_means(&part, before, nbefore, after, nafter, sessions, nrows, row);
}

/* Sessions active or waiting, in the period with more of them. */
static double
most_sessions(const PadvHistoryPoint *before, int nbefore, const PadvHistoryPoint *after, int nafter)
{
	static const Measure sessions = {"", OF_ITSELF, inside, NULL};
	Mean		mean;
	double		whole_avg;
	double		most;

	find_value(&sessions, before, nbefore, &mean, &whole_avg);
	most = mean.value;
	find_value(&sessions, after, nafter, &mean, &whole_avg);
	return mean.value > most ? mean.value : most;
}

void
padv_compare(const PadvHistoryPoint *before, int nbefore,
			 const PadvHistoryPoint *after, int nafter,
			 PadvComparison rows[PADV_COMPARED])
{
	double		sessions = most_sessions(before, nbefore, after, nafter);

	for (int i = 0; i < PADV_COMPARED; i++)
		compare_means(&measures[i], before, nbefore, after, nafter, sessions, PADV_COMPARED, &rows[i]);
	padv_compare_sort(rows, PADV_COMPARED);
}

/* --- which points --- */

PadvSpan
padv_compare_period(const PadvHistoryPoint *points, int count, PadvResolution resolution,
					int64_t from, int64_t until)
{
	int64_t		length = padv_resolution_us(resolution);
	PadvSpan	period = {0};

	while (period.first < count && points[period.first].at - length < from)
		period.first++;
	while (period.first + period.count < count && points[period.first + period.count].at <= until)
		period.count++;
	period.covered_us = period.count * length;
	return period;
}

int
padv_compare_finest(const int64_t *covered, int count)
{
	int64_t		most = 0;

	for (int i = 0; i < count; i++)
		if (covered[i] > most)
			most = covered[i];
	for (int i = 0; i < count - 1; i++)
		if ((double) covered[i] >= NEARLY * (double) most)
			return i;
	return count - 1;
}
