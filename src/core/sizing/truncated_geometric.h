/*
 * truncated_geometric.h
 *		How many stand in a waiting line of limited length, and how long one
 *		who joins it waits.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_WAITING_H
#define PADV_WAITING_H

#include <stdbool.h>

/*
 * A number J from 0 to states - 1 whose probabilities are proportional to
 * ratio^J: what stands in a line when as many come and go at constant rates,
 * ratio = load / servers.
 */
typedef struct PadvWaiting
{
	double		states;			/* at least 1 */
	double		log_ratio;		/* of the ratio, or of its inverse when the
								 * ratio is over 1; so never positive */
	bool		falling;		/* the ratio is at most 1 */
	double		mean;
	double		variance;
} PadvWaiting;

/* All arguments are finite and greater than 0; servers and states integers. */
extern void padv_waiting_init(PadvWaiting *line, double load, double servers,
							  double states);

/*
 * The sum of the first terms of the geometric series, from 1 downwards: of the
 * ratio or of its inverse, whichever is at most 1.
 */
extern double padv_waiting_sum(const PadvWaiting *line, double terms);

/* The ratio, or its inverse, whichever is at most 1, to a power. */
extern double padv_waiting_power(const PadvWaiting *line, double exponent);

/* The expectation of J * (J + 1) / 2. */
extern double padv_waiting_triangle(const PadvWaiting *line);

/*
 * The waiting time that is exceeded with the given probability by somebody who
 * waits with the probability `waits`, and then until J + 1 have left, in units of
 * the mean time between two that leave.  0 when more than that do not wait.  The
 * relative error is below 1e-7.
 */
extern double padv_waiting_wait_exceeded(const PadvWaiting *line, double waits,
										 double probability);

#endif							/* PADV_WAITING_H */
