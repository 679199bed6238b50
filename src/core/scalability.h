/*
 * scalability.h
 *		Throughput against concurrency, as it was seen, and where it peaks.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SCALABILITY_H
#define PADV_SCALABILITY_H

#include <stdbool.h>
#include <stdint.h>

typedef enum PadvFitState
{
	PADV_FIT_TOO_LITTLE_DATA,
	PADV_FIT_NO_KNEE,			/* throughput still rises where most is known */
	PADV_FIT_DONE,
} PadvFitState;

/* Universal Scalability Law; negative where unknown. */
typedef struct PadvFit
{
	PadvFitState state;
	double		lambda;			/* transactions a second of one connection */
	double		sigma;			/* contention */
	double		kappa;			/* coherency */
	double		peak;			/* connections at which throughput is highest */
	double		peak_throughput;	/* transactions a second */
	double		r_squared;		/* 0..1 */
} PadvFit;

/* One bin of the curve: what was seen with about so many connections at work. */
typedef struct PadvScalabilityRow
{
	double		connections;	/* mean in the bin */
	double		seconds;		/* of evidence that still counts */
	double		throughput;		/* transactions a second */
	double		latency;		/* seconds inside a transaction */
	double		active;			/* mean active of the connections at work */
	double		fitted;			/* throughput by the fit; negative: none */
} PadvScalabilityRow;

#endif							/* PADV_SCALABILITY_H */
