/*
 * explain_size.c
 *		Explain the size of a pool in sentences.
 *
 * Owns the order of the argument.  Little's law (1961) gives the mean number of
 * busy connections; the tolerated wait gives how many more are needed; the number
 * of processes gives how they are divided.  queueing.c has the formulas.  Pure.
 * Called by the SQL function.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <float.h>
#include <math.h>

#include "core/sizing/explain_size.h"
#include "core/sizing/queueing.h"
#include "core/text/emit.h"

/* The formula's multiplier (PostgreSQL wiki, "Number Of Database Connections"). */
#define CONNECTIONS_PER_CORE 2

/* The number of users of one pool. */
static int64_t
users_of_one(const PadvSizing *sizing)
{
	return (sizing->users - 1) / sizing->processes + 1;
}

static int64_t
smaller_size(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * queueing.c assumes an infinite number of users, so its size can exceed the number
 * of users; it is bounded by that here.
 */
PadvSizingResult
padv_size_pool(PadvSizing *sizing)
{
	double		rate = sizing->transactions_per_second;
	double		service = sizing->service_seconds;

	sizing->busy = rate * service;
	sizing->seconds_between = (double) sizing->users / rate;
	sizing->max_wait_seconds = fmin(sizing->wait_ratio * service, DBL_MAX);
	if (sizing->busy > (double) sizing->users)
		return PADV_SIZING_TOO_FEW_USERS;
	if (isinf(sizing->seconds_between))
		return PADV_SIZING_TOO_RARE;

	sizing->single_pool = padv_required_size(rate, service, sizing->max_wait_seconds);
	sizing->pool_size = padv_required_size(rate / (double) sizing->processes, service,
										   sizing->max_wait_seconds);
	if (sizing->single_pool == 0 || sizing->pool_size == 0)
		return PADV_SIZING_TOO_LARGE;
	sizing->single_pool = smaller_size(sizing->single_pool, sizing->users);
	sizing->pool_size = smaller_size(sizing->pool_size, users_of_one(sizing));
	sizing->connections = sizing->pool_size * sizing->processes;
	return PADV_SIZING_DONE;
}

static void
explain_size_load(const PadvEmitter *emitter, const PadvSizing *sizing)
{
	padv_emit(emitter,
			  "Busy connections: %.6g transactions/s * %.6g s = %.6g at a time on average (Little's law).",
			  sizing->transactions_per_second, sizing->service_seconds, sizing->busy);
	padv_emit(emitter,
			  "Users: each of the %lld runs a transaction every %lld / %.6g = %.6g s and is in one for %.6g s of that, %.3g%% of the time; a connection of its own would be idle for the rest.",
			  (long long) sizing->users, (long long) sizing->users,
			  sizing->transactions_per_second, sizing->seconds_between,
			  sizing->service_seconds,
			  100.0 * sizing->service_seconds / sizing->seconds_between);
}

/* Explain the wait in a pool of this size, and whether it is short enough. */
static void
explain_wait(const PadvEmitter *emitter, const PadvSizing *sizing, int64_t size,
			 double rate)
{
	double		busy = rate * sizing->service_seconds;
	PadvPoolForecast forecast;

	padv_pool_forecast(rate, sizing->service_seconds, size, PADV_UNBOUNDED, &forecast);
	if (!forecast.stable)
		padv_emit(emitter,
				  "A pool of %lld would be busy all the time, and its queue would grow without bound.",
				  (long long) size);
	else
		padv_emit(emitter,
				  "A pool of %lld: B = %.6g, C = %.6g, and the mean wait is %.6g * %.6g s / (%lld - %.6g) = %.6g s: %s.",
				  (long long) size, padv_erlang(size, busy).refused, forecast.full_ratio,
				  forecast.full_ratio, sizing->service_seconds, (long long) size, busy,
				  forecast.wait_seconds,
				  forecast.wait_seconds <= sizing->max_wait_seconds ? "short enough" : "too long");
}

/* Explain why this is the smallest size for these users. */
static void
explain_size_pool(const PadvEmitter *emitter, const PadvSizing *sizing, int64_t size,
				  int64_t users, double rate)
{
	if (size >= users)
	{
		padv_emit(emitter,
				  "Few users: no user runs two transactions at the same time, so a pool of %lld, one connection for each user, always has a free one.",
				  (long long) size);
		return;
	}
	if (size > 1)
		explain_wait(emitter, sizing, size - 1, rate);
	explain_wait(emitter, sizing, size, rate);
}

static void
explain_head_room(const PadvEmitter *emitter, const PadvSizing *sizing)
{
	padv_emit(emitter,
			  "Head-room: transactions arrive unevenly, so more than %.6g connections are needed; how many more depends on how long a transaction may wait for one, here %.6g * %.6g s = %.6g s on average.",
			  sizing->busy, sizing->wait_ratio, sizing->service_seconds,
			  sizing->max_wait_seconds);
	padv_emit(emitter,
			  "Wait (Erlang): let a be the number of busy connections, B(0) = 1 and B(n) = a * B(n-1) / (n + a * B(n-1)); of the transactions that arrive at a pool of n, the share C = B(n) / (1 - a / n * (1 - B(n))) waits, for the service time / (n - a) on average.");
	explain_size_pool(emitter, sizing, sizing->single_pool, sizing->users,
					  sizing->transactions_per_second);
}

static void
explain_processes(const PadvEmitter *emitter, const PadvSizing *sizing)
{
	double		processes = (double) sizing->processes;
	double		rate = sizing->transactions_per_second / processes;

	if (sizing->processes == 1)
		return;
	padv_emit(emitter,
			  "Processes: each of the %lld pools has its own queue, so a free connection in one pool does not help a transaction that waits in another; each gets %.6g / %lld = %.6g transactions/s, which keep %.6g / %lld = %.6g connections busy.",
			  (long long) sizing->processes,
			  sizing->transactions_per_second, (long long) sizing->processes, rate,
			  sizing->busy, (long long) sizing->processes, sizing->busy / processes);
	explain_size_pool(emitter, sizing, sizing->pool_size, users_of_one(sizing), rate);
}

static void
explain_answer(const PadvEmitter *emitter, const PadvSizing *sizing)
{
	int64_t		cores = (sizing->connections - 1) / CONNECTIONS_PER_CORE + 1;

	if (sizing->processes > 1)
		padv_emit(emitter,
				  "Answer: a pool of %lld in each of %lld processes, %lld * %lld = %lld connections in all; one pool for all of them would be one of %lld.",
				  (long long) sizing->pool_size, (long long) sizing->processes,
				  (long long) sizing->processes, (long long) sizing->pool_size,
				  (long long) sizing->connections, (long long) sizing->single_pool);
	else
		padv_emit(emitter, "Answer: one pool of %lld; number of users: %lld.",
				  (long long) sizing->pool_size, (long long) sizing->users);
	padv_emit(emitter,
			  "Next limit: at times all of these connections execute, and the service time must be the same then; by the formula (%d for each core, data cached) that takes %lld / %d, rounded up %lld, cores. With fewer, more connections make each transaction slower, not the queue shorter.",
			  CONNECTIONS_PER_CORE, (long long) sizing->connections, CONNECTIONS_PER_CORE,
			  (long long) cores);
	padv_emit(emitter,
			  "Floor: if a thread holds more than one connection at a time, all threads can deadlock in a pool smaller than deadlock_free_size() says.");
}

void
padv_explain_size(const PadvSizing *sizing,
				  void (*emit) (void *arg, const char *sentence), void *arg)
{
	const PadvEmitter emitter = {emit, arg};

	explain_size_load(&emitter, sizing);
	explain_head_room(&emitter, sizing);
	explain_processes(&emitter, sizing);
	explain_answer(&emitter, sizing);
}
