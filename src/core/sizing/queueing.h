/*
 * queueing.h
 *		Waiting times in a pool of connections.
 *
 * Arrivals are independent of each other (Poisson), service times exponential,
 * the queue is first come, first served.  Times are in seconds; a time that does not fit
 * into a double is infinite, and no result is not-a-number.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_QUEUEING_H
#define PADV_QUEUEING_H

#include <stdbool.h>
#include <stdint.h>

/* The largest pool: the time of a forecast grows with its size. */
#define PADV_MAX_SERVERS 1000000

/* The longest queue: that of a Java LinkedBlockingQueue. */
#define PADV_MAX_QUEUE INT64_C(2147483648)

#define PADV_UNBOUNDED (-1)

typedef struct PadvPoolForecast
{
	double		utilization;	/* of the connections, 0..1 */
	double		busy;			/* connections, on average */
	double		full_ratio;		/* share of the time in which all are busy */
	double		wait_seconds;	/* mean, of those admitted; infinite when not
								 * stable */
	double		p95_wait_seconds;	/* 95 percent of those admitted wait no
									 * longer; likewise */
	double		refused_ratio;	/* of all arrivals */
	bool		stable;			/* the queue does not grow without bound */
} PadvPoolForecast;

/* The probabilities for an arrival at a pool without a queue. */
typedef struct PadvErlang
{
	double		refused;		/* Erlang's loss formula, B */
	double		served;			/* 1 - B, to the last digit */
} PadvErlang;

/* The load is finite and greater than 0. */
extern PadvErlang padv_erlang(int64_t servers, double load);

/* The probability of having to wait, without a limit; load < servers. */
extern double padv_erlang_c(int64_t servers, double load);

/*
 * queue_length is the number of places to wait in, 0..PADV_MAX_QUEUE, or
 * PADV_UNBOUNDED; pool_size is 1..PADV_MAX_SERVERS; the rate is finite and not
 * negative, the service time finite and positive.
 */
extern void padv_pool_forecast(double arrival_rate, double service_time_seconds,
							   int64_t pool_size, int64_t queue_length,
							   PadvPoolForecast *forecast);

/*
 * The smallest pool with a mean wait of at most max_wait_seconds (positive), in
 * a queue without a limit; 0 when that is more than PADV_MAX_SERVERS.
 */
extern int64_t padv_required_size(double arrival_rate, double service_time_seconds,
								  double max_wait_seconds);

/*
 * The load in mean busy servers, bounded so that arithmetic does not overflow: far
 * beyond that the results do not change.
 */
extern double padv_offered_load(double arrival_rate, double service_time_seconds);

/* Whether the load is so small that requests never meet. */
extern bool padv_no_load(double load);

#endif							/* PADV_QUEUEING_H */
