/*
 * truncated_geometric.h
 *		The length of a bounded queue, and the waiting time in it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_TRUNCATED_GEOMETRIC_H
#define PADV_TRUNCATED_GEOMETRIC_H

#include <stdbool.h>

/*
 * The truncated geometric distribution of J = 0..states - 1, with probabilities
 * proportional to ratio^J.  It is the length of a queue with constant arrival and
 * departure rates, with ratio = load / servers.
 */
typedef struct PadvTruncatedGeometric
{
	double		states;			/* at least 1 */
	double		log_ratio;		/* logarithm of the ratio, or of its inverse
								 * if the ratio is above 1; never positive */
	bool		falling;		/* the ratio is at most 1 */
	double		mean;
	double		variance;
} PadvTruncatedGeometric;

/* Arguments are finite and greater than 0; servers and states are integers. */
extern void padv_truncated_geometric_init(PadvTruncatedGeometric *queue, double load, double servers,
										  double states);

/*
 * The sum of the first terms of the geometric series, beginning with 1, of the
 * ratio or its inverse, whichever is at most 1.
 */
extern double padv_truncated_geometric_sum(const PadvTruncatedGeometric *queue, double terms);

/* A power of the ratio or its inverse, whichever is at most 1. */
extern double padv_truncated_geometric_power(const PadvTruncatedGeometric *queue, double exponent);

/* The expected value of J * (J + 1) / 2. */
extern double padv_truncated_geometric_triangle(const PadvTruncatedGeometric *queue);

/*
 * The waiting time that is exceeded with the given probability, in mean times
 * between two departures.  A request waits with probability `waits`, until J + 1
 * requests have left.  Returns 0 if the probability is above `waits`.  The relative
 * error is below 1e-7.
 */
extern double padv_truncated_geometric_wait_exceeded(const PadvTruncatedGeometric *queue, double waits,
													 double probability);

#endif							/* PADV_TRUNCATED_GEOMETRIC_H */
