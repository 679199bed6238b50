/*
 * queueing.c
 *		A pool as a queueing system: M/M/c, or M/M/c/K if the queue is bounded.
 *
 * Owns the formulas of Erlang (1917, "Solution of some problems in the theory of
 * probabilities of significance in automatic telephone exchanges") in forms that
 * neither overflow nor lose digits, up to a million servers and for any load.
 * Textbook forms: Kleinrock 1975, "Queueing Systems" I, 3.4-3.6; Allen 1990,
 * "Probability, Statistics and Queueing Theory", 5.2.  Pure.  Called by the SQL
 * functions, thread_pool.c and explain_size.c.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/sizing/queueing.h"
#include "core/sizing/truncated_geometric.h"

/* The complement of the 95th percentile. */
#define LONGEST_WAITS 0.05

#define LARGEST_LOAD 1e300
#define SMALLEST_LOAD 1e-290

/*
 * A load this close to the number of servers cannot be distinguished from a full
 * load, because it is a rounded product.
 */
#define FULL_WITHIN (4.0 * DBL_EPSILON)

double
padv_offered_load(double arrival_rate, double service_time_seconds)
{
	return fmin(arrival_rate * service_time_seconds, LARGEST_LOAD);
}

bool
padv_no_load(double load)
{
	return load < SMALLEST_LOAD;
}

/*
 * The recurrence B(n) = load * B(n-1) / (n + load * B(n-1)).  Errors become smaller
 * with each step; it cannot overflow, and underflow is harmless.
 */
static PadvErlang
next_erlang(PadvErlang previous, double servers, double load)
{
	double		asked = load * previous.refused;
	PadvErlang	next = {asked / (servers + asked), servers / (servers + asked)};

	return next;
}

PadvErlang
padv_erlang(int64_t servers, double load)
{
	PadvErlang	chances = {1.0, 0.0};

	for (int64_t n = 1; n <= servers; n++)
		chances = next_erlang(chances, (double) n, load);
	return chances;
}

static bool
is_stable(double servers, double load)
{
	return servers - load > FULL_WITHIN * servers;
}

/* Erlang C from Erlang B. */
static double
waiting_probability(double refused, double servers, double load)
{
	return refused / ((servers - load) / servers + load / servers * refused);
}

double
padv_erlang_c(int64_t servers, double load)
{
	return waiting_probability(padv_erlang(servers, load).refused, (double) servers, load);
}

/*
 * M/M/c.  The waiting time of requests that wait is exponential with mean service /
 * free.  free is servers minus load, computed without rounding the load: near a
 * full load the rounding would be most of the difference.
 */
static void
forecast_unbounded(double load, double service, double servers, double free,
				   PadvPoolForecast *forecast)
{
	double		refused;
	double		mean;

	forecast->stable = is_stable(servers, load);
	if (!forecast->stable)
	{
		forecast->utilization = forecast->full_ratio = 1.0;
		forecast->busy = servers;
		forecast->wait_seconds = forecast->p95_wait_seconds = HUGE_VAL;
		return;
	}
	mean = service / free;
	refused = padv_erlang((int64_t) servers, load).refused;
	forecast->utilization = load / servers;
	forecast->busy = load;
	forecast->full_ratio = refused / (free / servers + load / servers * refused);
	forecast->wait_seconds = forecast->full_ratio * mean;
	if (forecast->full_ratio > LONGEST_WAITS)
		forecast->p95_wait_seconds = mean * log(forecast->full_ratio / LONGEST_WAITS);
}

/*
 * M/M/c/K with K = servers + places.  While all servers are busy, the queue length
 * is truncated geometric.  If its ratio is above 1, weights are relative to the
 * full queue instead of the empty one, so that they stay within 1.
 */
static void
forecast_bounded(double load, double service, double servers, double places,
				 PadvPoolForecast *forecast)
{
	PadvErlang	chances = padv_erlang((int64_t) servers, load);
	PadvTruncatedGeometric queue;
	double		starts;			/* weight of arrivals that are served at once */
	double		waits;			/* of arrivals that wait */
	double		refused;		/* of arrivals that are refused */
	double		total;

	padv_truncated_geometric_init(&queue, load, servers, fmax(places, 1.0));
	if (queue.falling)
	{
		starts = chances.served;
		waits = chances.refused * padv_truncated_geometric_sum(&queue, places);
		refused = chances.refused * padv_truncated_geometric_power(&queue, places);
	}
	else
	{
		starts = chances.served * padv_truncated_geometric_power(&queue, places);
		waits = chances.refused * (servers / load) * padv_truncated_geometric_sum(&queue, places);
		refused = chances.refused;
	}
	total = starts + chances.refused * padv_truncated_geometric_sum(&queue, places + 1.0);

	forecast->stable = true;
	forecast->refused_ratio = fmin(refused / total, 1.0);
	forecast->full_ratio = fmin(chances.refused * padv_truncated_geometric_sum(&queue, places + 1.0) / total, 1.0);
	forecast->busy = fmin(load * ((starts + waits) / total), servers);
	forecast->utilization = forecast->busy / servers;
	if (places > 0.0)
	{
		double		share = waits / (starts + waits);
		double		between = service / servers;

		forecast->wait_seconds = between * (share * (queue.mean + 1.0));
		forecast->p95_wait_seconds = between * padv_truncated_geometric_wait_exceeded(&queue, share, LONGEST_WAITS);
	}
}

void
padv_pool_forecast(double arrival_rate, double service_time_seconds,
				   int64_t pool_size, int64_t queue_length,
				   PadvPoolForecast *forecast)
{
	double		load = padv_offered_load(arrival_rate, service_time_seconds);
	double		servers = (double) pool_size;

	memset(forecast, 0, sizeof(*forecast));
	if (padv_no_load(load))
	{
		forecast->busy = load;
		forecast->utilization = load / servers;
		forecast->stable = true;
	}
	else if (queue_length == PADV_UNBOUNDED)
		forecast_unbounded(load, service_time_seconds, servers,
						   -fma(arrival_rate, service_time_seconds, -servers), forecast);
	else
		forecast_bounded(load, service_time_seconds, servers, (double) queue_length,
						 forecast);
}

/*
 * The recurrence passes all sizes in order, and the wait decreases, so the first
 * size that fits is the smallest.
 */
int64_t
padv_required_size(double arrival_rate, double service_time_seconds,
				   double max_wait_seconds)
{
	double		load = padv_offered_load(arrival_rate, service_time_seconds);
	PadvErlang	chances = {1.0, 0.0};

	if (padv_no_load(load))
		return 1;
	for (int64_t n = 1; n <= PADV_MAX_SERVERS && load < PADV_MAX_SERVERS; n++)
	{
		double		servers = (double) n;

		chances = next_erlang(chances, servers, load);
		if (is_stable(servers, load) &&
			waiting_probability(chances.refused, servers, load) *
			(service_time_seconds / (servers - load)) <= max_wait_seconds)
			return n;
	}
	return 0;
}
