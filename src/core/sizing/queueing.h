/*
 * queueing.h
 *		What a pool of so many connections does to those who wait for one.
 *
 * Arrivals are independent of each other (Poisson), service times exponential,
 * the line is first come first served.  Times are seconds; those that do not fit
 * into a double are infinite, and nothing is ever not-a-number.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_QUEUEING_H
#define PADV_QUEUEING_H

#include <stdbool.h>
#include <stdint.h>

/* Larger pools are refused: the time a forecast takes grows with them. */
#define PADV_MAX_SERVERS 1000000

/* Longer lines than that of a Java LinkedBlockingQueue make no sense. */
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
	double		refused_ratio;	/* of those who come */
	bool		stable;			/* the line does not grow without bound */
} PadvPoolForecast;

/* The chances of one who comes to a pool in which nobody may wait. */
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
 * a line without a limit; 0 when that is more than PADV_MAX_SERVERS.
 */
extern int64_t padv_required_size(double arrival_rate, double service_time_seconds,
								  double max_wait_seconds);

/*
 * The load in mean busy servers, cut to what arithmetic can go on with: far
 * beyond that nothing changes any more.
 */
extern double padv_offered_load(double arrival_rate, double service_time_seconds);

/* So little load that nobody ever meets another. */
extern bool padv_no_load(double load);

#endif							/* PADV_QUEUEING_H */
