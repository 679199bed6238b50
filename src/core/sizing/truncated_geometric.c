/*
 * truncated_geometric.c
 *		The truncated geometric distribution, and the waiting time in a bounded
 *		queue.
 *
 * Owns the numerics for queues of up to 2^31 places, and for ratios close to 1,
 * where the textbook forms become 0 / 0.  The time does not depend on the length of
 * the queue.  Pure.  Called by queueing.c and thread_pool.c.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>

#include "core/sizing/truncated_geometric.h"

/*
 * Below this, series replace the direct forms, which lose digits.  Six terms are
 * exact to the last digit.
 */
#define SERIES_BELOW 0.5

/*
 * A Poisson variable deviates from its mean by more than this many standard
 * deviations, plus REACH_MORE, with a probability below 1e-16.
 */
#define REACH 9.0
#define REACH_MORE 20.0

/* A sum of more terms is computed as an integral, except for its end. */
#define MAX_TERMS 1500.0
#define END_TERMS 512.0
#define PANELS 40

#define TWO_PI 6.283185307179586

#define BISECTIONS 300
#define RELATIVE_TOLERANCE 1e-12

/*
 * 1 / (e^u - 1) - 1 / u, for small u: the generating function of the Bernoulli
 * numbers without its pole.
 */
static double
mean_series(double u)
{
	double		s = u * u;

	return -0.5 + u * (1.0 / 12 - s * (1.0 / 720 - s * (1.0 / 30240 -
														s * (1.0 / 1209600 - s * (1.0 / 47900160)))));
}

/* The negative of its derivative. */
static double
variance_series(double u)
{
	double		s = u * u;

	return -1.0 / 12 + s * (1.0 / 240 - s * (1.0 / 6048 -
											 s * (1.0 / 172800 - s * (1.0 / 5322240))));
}

static double
inverse_sinh_square(double u)
{
	double		sinh_half = sinh(0.5 * u);

	return 0.25 / (sinh_half * sinh_half);
}

/*
 * With weights e^(-tj), the sum over all j is (1 - e^(-mt)) / (1 - e^(-t)); mean
 * and variance are derivatives of its logarithm.  If mt is small, the poles of both
 * parts are left out, because they cancel.
 */
void
padv_truncated_geometric_init(PadvTruncatedGeometric *queue, double load, double servers, double states)
{
	double		distance = fabs(servers - load) / fmax(servers, load);
	double		m = states;
	double		t;

	queue->states = states;
	queue->falling = load <= servers;
	queue->log_ratio = distance < 0.5 ? log1p(-distance) :
		log(fmin(servers, load) / fmax(servers, load));

	t = -queue->log_ratio;
	if (m * t < SERIES_BELOW)
	{
		queue->mean = mean_series(t) - m * mean_series(m * t);
		queue->variance = variance_series(t) - m * m * variance_series(m * t);
	}
	else
	{
		queue->mean = 1.0 / expm1(t) - m / expm1(m * t);
		queue->variance = inverse_sinh_square(t) - m * m * inverse_sinh_square(m * t);
	}
	if (!queue->falling)
		queue->mean = m - 1.0 - queue->mean;
}

double
padv_truncated_geometric_sum(const PadvTruncatedGeometric *queue, double terms)
{
	if (queue->log_ratio == 0.0)
		return terms;
	return expm1(terms * queue->log_ratio) / expm1(queue->log_ratio);
}

double
padv_truncated_geometric_power(const PadvTruncatedGeometric *queue, double exponent)
{
	return exp(exponent * queue->log_ratio);
}

double
padv_truncated_geometric_triangle(const PadvTruncatedGeometric *queue)
{
	return 0.5 * (queue->variance + queue->mean * (queue->mean + 1.0));
}

/* The probability that J is at least n, for n from 0 to states. */
static double
at_least(const PadvTruncatedGeometric *queue, double n)
{
	double		rest;

	if (queue->log_ratio == 0.0)
		return (queue->states - n) / queue->states;
	rest = expm1((queue->states - n) * queue->log_ratio) /
		expm1(queue->states * queue->log_ratio);
	return queue->falling ? rest * padv_truncated_geometric_power(queue, n) : rest;
}

/* v - log(1 + v) */
static double
log_deviation(double v)
{
	double		sum = 0.0;

	if (fabs(v) > 0.01)
		return v - log1p(v);
	for (int k = 9; k >= 2; k--)
		sum = 1.0 / k - v * sum;
	return v * v * sum;
}

/*
 * The Poisson distribution, continued between integers.  Computed with Stirling's
 * series, because the logarithm of the factorial of 2^31 would leave only six
 * digits (Loader 2000, "Fast and accurate computation of binomial probabilities").
 */
static double
poisson(double x, double mean)
{
	double		stirling;

	if (x < 16.0)
		return exp(x * log(mean) - mean - lgamma(x + 1.0));
	stirling = (1.0 / 12 - (1.0 / 360 - 1.0 / (1260 * x * x)) / (x * x)) / x;
	return exp(-x * log_deviation((mean - x) / x) - stirling) / sqrt(TWO_PI * x);
}

static double
term(const PadvTruncatedGeometric *queue, double elapsed, double n)
{
	return poisson(n, elapsed) * at_least(queue, n);
}

/* The sum of all terms from low to high, computed outwards from the largest. */
static double
sum_terms(const PadvTruncatedGeometric *queue, double elapsed, double low, double high)
{
	double		start = fmin(fmax(floor(elapsed), low), high);
	double		peak = poisson(start, elapsed);
	double		sum = 0.0;
	double		p = peak;

	for (double n = start; n >= low; n -= 1.0)
	{
		sum += p * at_least(queue, n);
		p *= n / elapsed;
	}
	p = peak;
	for (double n = start + 1.0; n <= high; n += 1.0)
	{
		p *= elapsed / n;
		sum += p * at_least(queue, n);
	}
	return sum;
}

/*
 * The sum of the terms from low to high as an integral from half a term before to
 * half a term after (Gauss-Legendre, 5 points per panel), with the first
 * Euler-Maclaurin correction at the end where terms are not yet small.
 */
static double
integrate_terms(const PadvTruncatedGeometric *queue, double elapsed, double low, double high)
{
	static const double points[] = {0.0, 0.5384693101056831, 0.9061798459386640};
	static const double weights[] = {0.5688888888888889, 0.4786286704993665, 0.2369268850561891};
	double		half = 0.5 * (high - low + 1.0) / PANELS;
	double		sum = 0.0;

	for (int panel = 0; panel < PANELS; panel++)
	{
		double		middle = low - 0.5 + half * (2 * panel + 1);

		sum += weights[0] * term(queue, elapsed, middle);
		for (int i = 1; i < 3; i++)
			sum += weights[i] * (term(queue, elapsed, middle - half * points[i]) +
								 term(queue, elapsed, middle + half * points[i]));
	}
	return sum * half - (term(queue, elapsed, high + 1.0) - term(queue, elapsed, high)) / 24.0;
}

/*
 * The probability that a request still waits after this many mean times between two
 * departures: fewer than J + 1 have left, and the number of departures is Poisson
 * distributed.
 */
static double
still_waiting(const PadvTruncatedGeometric *queue, double elapsed)
{
	double		reach = REACH * sqrt(elapsed) + REACH_MORE;
	double		low = fmax(0.0, floor(elapsed - reach));
	double		high = fmin(queue->states - 1.0, ceil(elapsed + reach));
	double		middle;

	if (high < low)
		return 0.0;
	if (high - low < MAX_TERMS)
		return sum_terms(queue, elapsed, low, high);
	middle = high - END_TERMS;
	return integrate_terms(queue, elapsed, low, middle) +
		sum_terms(queue, elapsed, middle + 1.0, high);
}

/*
 * By bisection: the probability decreases with time.  The upper bound is the time
 * in which a Poisson variable exceeds the length of the queue almost surely.
 */
double
padv_truncated_geometric_wait_exceeded(const PadvTruncatedGeometric *queue, double waits, double probability)
{
	double		low = 0.0;
	double		high = queue->states + REACH * sqrt(queue->states) + REACH_MORE;

	if (!(waits > probability))
		return 0.0;

	/* an unbounded queue gives an upper bound in closed form */
	if (queue->falling && queue->log_ratio < 0.0)
		high = fmin(high, log(waits / probability) / -expm1(queue->log_ratio));

	for (int i = 0; i < BISECTIONS && high - low > RELATIVE_TOLERANCE * high; i++)
	{
		double		middle = low + 0.5 * (high - low);

		if (waits * still_waiting(queue, middle) > probability)
			low = middle;
		else
			high = middle;
	}
	return high;
}
