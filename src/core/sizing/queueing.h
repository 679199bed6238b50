/*
 * queueing.h
 *		Waiting times in a connection pool.
 *
 * Arrivals are a Poisson process, service times are exponential, and the queue is
 * FIFO.  Times are in seconds.  A time that exceeds the range of double is
 * infinite.  No result is NaN.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_QUEUEING_H
#define PADV_QUEUEING_H

#include <stdbool.h>
#include <stdint.h>

/* The largest pool.  The time for a forecast is proportional to the size. */
#define PADV_MAX_SERVERS 1000000

/* The longest queue: that of a Java LinkedBlockingQueue. */
#define PADV_MAX_QUEUE INT64_C(2147483648)

#define PADV_UNBOUNDED (-1)

typedef struct PadvPoolForecast
{
	double		utilization;	/* of the connections, 0..1 */
	double		busy;			/* mean number of busy connections */
	double		full_ratio;		/* share of time in which all connections are
								 * busy */
	double		wait_seconds;	/* mean of the admitted requests; infinite if
								 * not stable */
	double		p95_wait_seconds;	/* 95th percentile of the admitted
									 * requests; likewise */
	double		refused_ratio;	/* share of all arrivals */
	bool		stable;			/* the queue does not grow without bound */
} PadvPoolForecast;

/* What happens to an arrival at a pool without a queue, as probabilities. */
typedef struct PadvErlang
{
	double		refused;		/* the Erlang B formula */
	double		served;			/* 1 - refused, without loss of digits */
} PadvErlang;

/* Erlang B; load is finite and greater than 0. */
extern PadvErlang padv_erlang(int64_t servers, double load);

/* Erlang C: the probability of waiting in an unbounded queue; load < servers. */
extern double padv_erlang_c(int64_t servers, double load);

/*
 * Compute a forecast.  queue_length is 0..PADV_MAX_QUEUE, or PADV_UNBOUNDED;
 * pool_size is 1..PADV_MAX_SERVERS.  The rate is finite and not negative; the
 * service time is finite and positive.
 */
extern void padv_pool_forecast(double arrival_rate, double service_time_seconds,
							   int64_t pool_size, int64_t queue_length,
							   PadvPoolForecast *forecast);

/*
 * The smallest pool with a mean wait of at most max_wait_seconds, which is
 * positive, in an unbounded queue.  Returns 0 if that exceeds PADV_MAX_SERVERS.
 */
extern int64_t padv_required_size(double arrival_rate, double service_time_seconds,
								  double max_wait_seconds);

/*
 * The offered load in Erlangs, the mean number of busy servers.  It is bounded so
 * that arithmetic cannot overflow; results do not change beyond the bound.
 */
extern double padv_offered_load(double arrival_rate, double service_time_seconds);

/* Whether the load is so small that requests never overlap. */
extern bool padv_no_load(double load);

#endif							/* PADV_QUEUEING_H */
