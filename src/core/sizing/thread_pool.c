/*
 * thread_pool.c
 *		A ThreadPoolExecutor as a queueing system.
 *
 * The state is the number of threads t and of queued tasks q, from 0 to Q.  With
 * core threads only, it is a birth-death process over the tasks.  With t > core all
 * threads are busy, because idle ones have ended:
 *
 *     (t, q) -> (t, q + 1)  at the arrival rate, below a full queue
 *     (t, Q) -> (t + 1, Q)  at the arrival rate, below max
 *     (t, q) -> (t, q - 1)  at t / service time, above an empty queue
 *     (t, 0) -> (t - 1, 0)  at t / service time
 *
 * So threads start when the queue is full, and end when it is empty.  The flow from
 * t to t + 1 equals the flow back, and likewise for q.  Solved level by level, with
 * r = load / t, the weights are
 *
 *     core    (r^q - r^(Q+1)) / (1 - r^(Q+1)) of the empty queue's: the chance
 *             that a truncated geometric variable on 0..Q is at least q
 *     t       the same for every q, and r times that of (t - 1, Q)
 *     max     r + ... + r^(q+1) times that of (max - 1, Q)
 *
 * A core of 0 works as one of 1, as the executor starts a thread for a task that
 * finds none; but that thread ends too when it is idle, so it is there only while
 * it is busy.
 *
 * Owns that solution.  Needs no memory, and time in proportion to max only.
 * Pure.  Called by the SQL functions.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <string.h>

#include "core/sizing/queueing.h"
#include "core/sizing/thread_pool.h"
#include "core/sizing/truncated_geometric.h"

/* Averages over the levels added so far. */
typedef struct Levels
{
	double		threads;
	double		busy;
	double		queued;
	double		edge;			/* probability of the full queue at the last
								 * level */
} Levels;

/*
 * Add a level whose weight is gain times the weight of all levels so far.  Returns
 * its share.
 */
static double
add_level(Levels *levels, double gain, double threads, double queued)
{
	double		share = gain < 1.0 ? gain / (1.0 + gain) : 1.0 / (1.0 + 1.0 / gain);

	levels->threads += share * (threads - levels->threads);
	levels->busy += share * (threads - levels->busy);
	levels->queued += share * (queued - levels->queued);
	return share;
}

/* Begin with the core: Erlang's system, and the queue at full core. */
static void
start_with_core(Levels *levels, double load, double core, double places)
{
	PadvErlang	chances = padv_erlang((int64_t) core, load);
	double		total;
	PadvTruncatedGeometric queue;

	padv_truncated_geometric_init(&queue, load, core, places + 1.0);
	total = chances.served + chances.refused * (queue.mean + 1.0);

	levels->threads = core;
	levels->busy = (core * chances.refused * queue.mean + load * chances.served) / total;
	levels->queued = chances.refused * padv_truncated_geometric_triangle(&queue) / total;
	levels->edge = chances.refused / total / padv_truncated_geometric_sum(&queue, places + 1.0);
	if (queue.falling)
		levels->edge *= padv_truncated_geometric_power(&queue, places);
}

/*
 * Add the last level.  Its weights are those of a truncated geometric variable,
 * counted downwards from the full queue: the probability that it is at most q.
 */
static void
end_with_max(Levels *levels, double load, double max, double places,
			 PadvThreadPoolForecast *forecast)
{
	PadvTruncatedGeometric queue;
	double		scale;			/* r + ... + r^(places + 1) */
	double		below_full;		/* mean distance from the full queue, plus 1 */
	double		triangle;

	padv_truncated_geometric_init(&queue, load, max, places + 1.0);
	scale = padv_truncated_geometric_sum(&queue, places + 1.0);
	scale *= queue.falling ? load / max : exp(-queue.log_ratio * (places + 1.0));

	/* places - J has the same variance as J */
	queue.mean = places - queue.mean;
	below_full = queue.mean + 1.0;
	triangle = padv_truncated_geometric_triangle(&queue);

	forecast->max_reached_ratio = add_level(levels, levels->edge * scale * below_full, max,
											places - triangle / below_full);
	forecast->refused_ratio = forecast->max_reached_ratio / below_full;
}

/* A fixed pool: no thread beyond the core is ever started. */
static void
forecast_core_only(double arrival_rate, double service, int64_t core, int64_t max,
				   int64_t queue_length, PadvThreadPoolForecast *forecast)
{
	PadvPoolForecast pool;

	padv_pool_forecast(arrival_rate, service, core, queue_length, &pool);
	forecast->threads = (double) core;
	forecast->busy = pool.busy;
	forecast->queued = pool.busy * (pool.wait_seconds / service);
	forecast->wait_seconds = pool.wait_seconds;
	forecast->refused_ratio = pool.refused_ratio;
	forecast->max_reached_ratio = core == max ? pool.full_ratio : 0.0;
	forecast->stable = pool.stable;
}

void
padv_thread_pool_forecast(double arrival_rate, double service_time_seconds,
						  int64_t core, int64_t max, int64_t queue_length,
						  PadvThreadPoolForecast *forecast)
{
	double		load = padv_offered_load(arrival_rate, service_time_seconds);
	double		places = (double) queue_length;
	Levels		levels;

	if (core == 0)
	{
		padv_thread_pool_forecast(arrival_rate, service_time_seconds, 1, max, queue_length,
								  forecast);

		/* only the single thread can be idle */
		forecast->threads = forecast->busy;
		return;
	}
	memset(forecast, 0, sizeof(*forecast));
	if (core == max || queue_length == PADV_UNBOUNDED || padv_no_load(load))
	{
		forecast_core_only(arrival_rate, service_time_seconds, core, max, queue_length,
						   forecast);
		return;
	}

	start_with_core(&levels, load, (double) core, places);
	for (int64_t t = core + 1; t < max; t++)
	{
		double		gain = levels.edge * (load / (double) t) * (places + 1.0);

		levels.edge = add_level(&levels, gain, (double) t, 0.5 * places) / (places + 1.0);
	}
	end_with_max(&levels, load, (double) max, places, forecast);

	forecast->threads = levels.threads;
	forecast->busy = levels.busy;
	forecast->queued = levels.queued;
	if (levels.busy > 0.0)
		forecast->wait_seconds = service_time_seconds * (levels.queued / levels.busy);
	forecast->stable = true;
}
