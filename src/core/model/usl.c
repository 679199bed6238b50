/*
 * usl.c
 *		The Universal Scalability Law, fitted to a measured curve.
 *
 * Owns the fit: the Levenberg-Marquardt method with bounds on the parameters.
 * Throughputs are scaled to a maximum of 1.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/model/usl.h"

#include <math.h>
#include <string.h>

#define PARAMETERS 3
#define MAX_STEPS 200
#define MAX_DAMPING 1e7
#define CONVERGED 1e-9			/* relative gain of a step */

/* With a smaller kappa there is no peak. */
#define MIN_KAPPA 1e-10

/*
 * lambda is the throughput of one connection where it was measured, unless that is
 * clearly less than the throughput per connection of others: on an idle machine a
 * single client pays for the sleep states of cores.
 */
#define ONE_LOW 0.75
#define ONE_HIGH 1.25
#define ONE_TRUSTED 0.8

typedef struct Problem
{
	int			n;
	bool		lambda_known;
	PadvUslPoint points[PADV_USL_MAX_POINTS];
} Problem;

double
padv_usl_throughput(const PadvUsl *usl, double connections)
{
	double		others = connections - 1.0;

	return usl->lambda * connections /
		(1.0 + usl->sigma * others + usl->kappa * connections * others);
}

double
padv_usl_peak(const PadvUsl *usl)
{
	if (usl->kappa < MIN_KAPPA)
		return -1.0;
	return fmax(1.0, sqrt(fmax(0.0, 1.0 - usl->sigma) / usl->kappa));
}

static bool
usable(const PadvUslPoint *point)
{
	return isfinite(point->connections) && point->connections > 0.0 &&
		isfinite(point->throughput) && point->throughput > 0.0 &&
		isfinite(point->weight) && point->weight > 0.0;
}

/* Copy the usable points, scaled to a maximum of 1.  Returns the maximum. */
static double
take_points(Problem *problem, const PadvUslPoint *points, int n)
{
	double		unit = 0.0;

	problem->n = 0;
	for (int i = 0; i < n && problem->n < PADV_USL_MAX_POINTS; i++)
	{
		if (!usable(&points[i]))
			continue;
		problem->points[problem->n++] = points[i];
		unit = fmax(unit, points[i].throughput);
	}
	for (int i = 0; i < problem->n; i++)
		problem->points[i].throughput /= unit;
	return unit;
}

static double
each(const PadvUslPoint *point)
{
	return point->throughput / point->connections;
}

/*
 * The throughput of one connection, if it was measured and is plausible; otherwise
 * a first guess.
 */
static double
first_lambda(Problem *problem)
{
	const PadvUslPoint *one = NULL;
	double		best_other = 0.0;
	double		best = 0.0;

	for (int i = 0; i < problem->n; i++)
	{
		const PadvUslPoint *point = &problem->points[i];

		if (point->connections >= ONE_LOW && point->connections <= ONE_HIGH)
			one = point;
		else
			best_other = fmax(best_other, each(point));
		best = fmax(best, each(point));
	}
	problem->lambda_known = one != NULL && each(one) >= ONE_TRUSTED * best_other;
	return problem->lambda_known ? each(one) : best;
}

static double
squares(const Problem *problem, const PadvUsl *usl)
{
	double		sum = 0.0;

	for (int i = 0; i < problem->n; i++)
	{
		const PadvUslPoint *point = &problem->points[i];
		double		error = padv_usl_throughput(usl, point->connections) - point->throughput;

		sum += point->weight * error * error;
	}
	return sum;
}

/* The normal equations at *usl: matrix a and right side b. */
static void
normal_equations(const Problem *problem, const PadvUsl *usl,
				 double a[PARAMETERS][PARAMETERS], double b[PARAMETERS])
{
	memset(a, 0, sizeof(double) * PARAMETERS * PARAMETERS);
	memset(b, 0, sizeof(double) * PARAMETERS);
	for (int i = 0; i < problem->n; i++)
	{
		const PadvUslPoint *point = &problem->points[i];
		double		x = padv_usl_throughput(usl, point->connections);
		double		slope = -x * x / (usl->lambda * point->connections);
		double		others = point->connections - 1.0;
		double		gradient[PARAMETERS] = {x / usl->lambda, slope * others, slope * point->connections * others};

		for (int row = 0; row < PARAMETERS; row++)
		{
			b[row] += point->weight * gradient[row] * (point->throughput - x);
			for (int column = 0; column < PARAMETERS; column++)
				a[row][column] += point->weight * gradient[row] * gradient[column];
		}
	}
}

/* Solve a x = b for a positive definite matrix.  Returns false if it is not. */
static bool
solve(double a[PARAMETERS][PARAMETERS], double b[PARAMETERS])
{
	for (int i = 0; i < PARAMETERS; i++)
	{
		if (!(a[i][i] > 0.0))
			return false;
		for (int row = i + 1; row < PARAMETERS; row++)
		{
			double		factor = a[row][i] / a[i][i];

			for (int column = i; column < PARAMETERS; column++)
				a[row][column] -= factor * a[i][column];
			b[row] -= factor * b[i];
		}
	}
	for (int i = PARAMETERS - 1; i >= 0; i--)
	{
		for (int column = i + 1; column < PARAMETERS; column++)
			b[i] -= a[i][column] * b[column];
		b[i] /= a[i][i];
	}
	return isfinite(b[0]) && isfinite(b[1]) && isfinite(b[2]);
}

/* Exclude a parameter from the step. */
static void
freeze(double a[PARAMETERS][PARAMETERS], double b[PARAMETERS], int parameter)
{
	for (int i = 0; i < PARAMETERS; i++)
		a[parameter][i] = a[i][parameter] = 0.0;
	a[parameter][parameter] = 1.0;
	b[parameter] = 0.0;
}

/* Compute one damped step.  Returns false if there is none. */
static bool
step(const Problem *problem, const PadvUsl *usl, double damping, PadvUsl *next)
{
	double		a[PARAMETERS][PARAMETERS];
	double		b[PARAMETERS];

	normal_equations(problem, usl, a, b);
	for (int i = 0; i < PARAMETERS; i++)
		a[i][i] *= 1.0 + damping;
	if (problem->lambda_known)
		freeze(a, b, 0);
	if (usl->sigma <= 0.0 && b[1] <= 0.0)
		freeze(a, b, 1);
	if (usl->kappa <= 0.0 && b[2] <= 0.0)
		freeze(a, b, 2);
	if (!solve(a, b))
		return false;
	next->lambda = fmax(usl->lambda + b[0], usl->lambda / 10.0);
	next->sigma = fmin(1.0, fmax(0.0, usl->sigma + b[1]));
	next->kappa = fmax(0.0, usl->kappa + b[2]);
	return true;
}

/* Minimize from a first guess.  Returns the sum of squares. */
static double
descend_to_minimum(const Problem *problem, PadvUsl *usl)
{
	double		reached = squares(problem, usl);
	double		damping = 1e-3;
	PadvUsl		next = *usl;

	for (int i = 0; i < MAX_STEPS && damping < MAX_DAMPING; i++)
	{
		double		there;
		double		gain;

		if (!step(problem, usl, damping, &next))
			break;
		there = squares(problem, &next);
		gain = reached - there;
		if (gain > 0.0)
		{
			*usl = next;
			reached = there;
			damping /= 5.0;
			if (gain <= CONVERGED * reached)
				break;
		}
		else
			damping *= 4.0;
	}
	return reached;
}

static double
r_squared(const Problem *problem, double error)
{
	double		weight = 0.0;
	double		mean = 0.0;
	double		total = 0.0;

	for (int i = 0; i < problem->n; i++)
	{
		weight += problem->points[i].weight;
		mean += problem->points[i].weight * problem->points[i].throughput;
	}
	mean /= weight;
	for (int i = 0; i < problem->n; i++)
		total += problem->points[i].weight * (problem->points[i].throughput - mean) *
			(problem->points[i].throughput - mean);
	return total > 0.0 ? fmin(1.0, fmax(0.0, 1.0 - error / total)) : 0.0;
}

bool
padv_usl_fit(const PadvUslPoint *points, int n, PadvUsl *usl)
{
	/*
	 * starting points: little contention, much contention, much coherency
	 * cost
	 */
	static const double starts[][2] = {{0.01, 0.0001}, {0.5, 0.0001}, {0.01, 0.1}};
	Problem		problem;
	double		unit = take_points(&problem, points, n);
	double		lambda;
	double		least = INFINITY;

	if (problem.n < PADV_USL_MIN_POINTS)
		return false;
	lambda = first_lambda(&problem);
	for (int i = 0; i < 3; i++)
	{
		PadvUsl		try = {lambda, starts[i][0], starts[i][1], 0.0};
		double		error = descend_to_minimum(&problem, &try);

		if (error < least)
		{
			least = error;
			*usl = try;
		}
	}
	usl->r_squared = r_squared(&problem, least);
	usl->lambda *= unit;
	return isfinite(least) && isfinite(usl->lambda);
}
