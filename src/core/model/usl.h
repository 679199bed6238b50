/*
 * usl.h
 *		The Universal Scalability Law, fitted to a measured curve.
 *
 * Pure: nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_USL_H
#define PADV_USL_H

#include <stdbool.h>

typedef struct PadvUslPoint
{
	double		connections;
	double		throughput;		/* per second */
	double		weight;
} PadvUslPoint;

/*
 * X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1))  (Gunther, "Guerrilla
 * Capacity Planning", 2007)
 */
typedef struct PadvUsl
{
	double		lambda;			/* throughput of one connection */
	double		sigma;			/* contention, 0..1 */
	double		kappa;			/* coherency, >= 0 */
	double		r_squared;		/* 0..1; 0 when the curve is flat */
} PadvUsl;

#define PADV_USL_MIN_POINTS 3
#define PADV_USL_MAX_POINTS 128

/*
 * Fit by weighted least squares of the throughput.  Points that are not finite, or not
 * positive, are ignored.  Returns false when fewer than PADV_USL_MIN_POINTS are left.
 * lambda is the measured throughput of one connection, if there is such a point.
 */
extern bool padv_usl_fit(const PadvUslPoint *points, int n, PadvUsl *usl);

/* The throughput by the law, per second. */
extern double padv_usl_throughput(const PadvUsl *usl, double connections);

/* Connections with the highest throughput, at least 1; negative if it never falls. */
extern double padv_usl_peak(const PadvUsl *usl);

#endif							/* PADV_USL_H */
