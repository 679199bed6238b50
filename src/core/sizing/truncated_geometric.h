/*
 * truncated_geometric.h
 *		The length of a queue with a limit, and the waiting time in it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_TRUNCATED_GEOMETRIC_H
#define PADV_TRUNCATED_GEOMETRIC_H

#include <stdbool.h>

/*
 * A number J from 0 to states - 1 whose probabilities are proportional to
 * ratio^J: what stands in a line when as many come and go at constant rates,
 * ratio = load / servers.
 */
typedef struct PadvTruncatedGeometric
{
	double		states;			/* at least 1 */
	double		log_ratio;		/* of the ratio, or of its inverse when the
								 * ratio is over 1; so never positive */
	bool		falling;		/* the ratio is at most 1 */
	double		mean;
	double		variance;
} PadvTruncatedGeometric;

/* All arguments are finite and greater than 0; servers and states integers. */
extern void padv_truncated_geometric_init(PadvTruncatedGeometric *line, double load, double servers,
										  double states);

/*
 * The sum of the first terms of the geometric series, from 1 downwards: of the
 * ratio or of its inverse, whichever is at most 1.
 */
extern double padv_truncated_geometric_sum(const PadvTruncatedGeometric *line, double terms);

/* The ratio, or its inverse, whichever is at most 1, to a power. */
extern double padv_truncated_geometric_power(const PadvTruncatedGeometric *line, double exponent);

/* The expectation of J * (J + 1) / 2. */
extern double padv_truncated_geometric_triangle(const PadvTruncatedGeometric *line);

/*
 * The waiting time that is exceeded with the given probability, in units of the mean time
 * between two departures.  A request waits with the probability `waits`, until J + 1
 * others have left.  0 when the probability is above `waits`.  The relative error is below
 * 1e-7.
 */
extern double padv_truncated_geometric_wait_exceeded(const PadvTruncatedGeometric *line, double waits,
													 double probability);

#endif							/* PADV_TRUNCATED_GEOMETRIC_H */
