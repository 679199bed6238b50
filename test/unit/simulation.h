/*
 * simulation.h
 *		A ThreadPoolExecutor simulated task by task, and its exact long run from
 *		the same rule.
 *
 * Both know the rule (core/sizing/thread_pool.h), not the formulas.  With core = max it
 * is a pool of connections.  The simulation has a fixed seed, so it gives the
 * same figures in every run.  test_queueing.c and test_thread_pool.c include it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SIMULATION_H
#define PADV_SIMULATION_H

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct Executor
{
	double		rate;
	double		service;
	int			core;
	int			max;
	int			places;			/* -1: no limit */
} Executor;

typedef struct LongRun
{
	double		threads;
	double		busy;
	double		queued;
	double		wait;			/* mean, of those not refused */
	double		wait95;
	double		refused;
	double		max_reached;
} LongRun;

#define MAX_THREADS 64
#define MAX_QUEUED 65536
#define WARM_UP 10				/* a tenth of the tasks is not counted */

typedef struct Simulation
{
	Executor	executor;
	uint64_t	seed;
	double		now;
	int			threads;
	int			busy;
	double		ends[MAX_THREADS];	/* of the busy ones */
	double		queue[MAX_QUEUED];	/* when each came; a ring */
	int			first;
	int			queued;
	bool		counting;
	double	   *waits;
	int			admitted;
	int			refused;
	double		counted_time;
	LongRun		sum;			/* over that time */
} Simulation;

static double
exponential(Simulation *sim, double mean)
{
	sim->seed = sim->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return -mean * log(((double) (sim->seed >> 11) + 0.5) / 9007199254740992.0);
}

static void
start_task(Simulation *sim, double came)
{
	if (sim->counting)
		sim->waits[sim->admitted++] = sim->now - came;
	sim->ends[sim->busy++] = sim->now + exponential(sim, sim->executor.service);
}

static void
task_comes(Simulation *sim)
{
	const Executor *executor = &sim->executor;

	/* without a core, a task that was queued still gets a first thread */
	if (sim->threads < executor->core || sim->threads == 0)
	{
		sim->threads++;
		start_task(sim, sim->now);
	}
	else if (sim->busy < sim->threads)
		start_task(sim, sim->now);
	else if (executor->places < 0 || sim->queued < executor->places)
	{
		assert(sim->queued < MAX_QUEUED);
		sim->queue[(sim->first + sim->queued++) % MAX_QUEUED] = sim->now;
	}
	else if (sim->threads < executor->max)
	{
		sim->threads++;
		start_task(sim, sim->now);
	}
	else if (sim->counting)
		sim->refused++;
}

static void
task_ends(Simulation *sim, int which)
{
	sim->ends[which] = sim->ends[--sim->busy];
	if (sim->queued > 0)
	{
		double		came = sim->queue[sim->first];

		sim->first = (sim->first + 1) % MAX_QUEUED;
		sim->queued--;
		start_task(sim, came);
	}
	else if (sim->threads > sim->executor.core)
		sim->threads--;
}

static void
let_pass(Simulation *sim, double until)
{
	double		span = until - sim->now;

	sim->now = until;
	if (!sim->counting)
		return;
	sim->counted_time += span;
	sim->sum.threads += span * sim->threads;
	sim->sum.busy += span * sim->busy;
	sim->sum.queued += span * sim->queued;
	sim->sum.max_reached += span * (sim->busy == sim->executor.max);
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static LongRun
figures_of(Simulation *sim)
{
	LongRun		figures = sim->sum;

	figures.threads /= sim->counted_time;
	figures.busy /= sim->counted_time;
	figures.queued /= sim->counted_time;
	figures.max_reached /= sim->counted_time;
	figures.refused = (double) sim->refused / (sim->refused + sim->admitted);
	for (int i = 0; i < sim->admitted; i++)
		figures.wait += sim->waits[i] / sim->admitted;
	qsort(sim->waits, (size_t) sim->admitted, sizeof(double), compare_doubles);
	figures.wait95 = sim->waits[(int) (0.95 * sim->admitted)];
	return figures;
}

static inline LongRun
simulate(Executor executor, int tasks)
{
	static Simulation sim;
	double		next;
	LongRun		figures;

	memset(&sim, 0, sizeof(sim));
	sim.executor = executor;
	sim.seed = 42;
	sim.waits = malloc(sizeof(double) * (size_t) tasks);
	next = exponential(&sim, 1.0 / executor.rate);

	for (int came = 0; came < tasks;)
	{
		int			first = 0;

		for (int i = 1; i < sim.busy; i++)
			if (sim.ends[i] < sim.ends[first])
				first = i;
		if (sim.busy > 0 && sim.ends[first] < next)
		{
			let_pass(&sim, sim.ends[first]);
			task_ends(&sim, first);
			continue;
		}
		let_pass(&sim, next);
		next += exponential(&sim, 1.0 / executor.rate);
		sim.counting = came++ >= tasks / WARM_UP;
		task_comes(&sim);
	}
	figures = figures_of(&sim);
	free(sim.waits);
	return figures;
}

/*
 * The exact long run of a small executor: every state, every transition, and
 * the elimination of Grassmann, Taksar and Heyman (1985), which subtracts
 * nothing.
 */
#define MAX_STATES 256

typedef struct Chain
{
	Executor	executor;
	int			states;
	long double rates[MAX_STATES][MAX_STATES];
	long double probability[MAX_STATES];
} Chain;

static int
state_of(const Executor *executor, int threads, int busy, int queued)
{
	if (threads == executor->core)
		return busy + queued;
	return executor->core + executor->places + 1 +
		(threads - executor->core - 1) * (executor->places + 1) + queued;
}

/* What can happen next in a state. */
static void
add_transitions(Chain *chain, int threads, int busy, int queued)
{
	const Executor *executor = &chain->executor;
	long double *from = chain->rates[state_of(executor, threads, busy, queued)];
	long double ends = busy / (long double) executor->service;

	if (busy < threads)
		from[state_of(executor, threads, busy + 1, queued)] += executor->rate;
	else if (queued < executor->places)
		from[state_of(executor, threads, busy, queued + 1)] += executor->rate;
	else if (threads < executor->max)
		from[state_of(executor, threads + 1, busy + 1, queued)] += executor->rate;

	if (queued > 0)
		from[state_of(executor, threads, busy, queued - 1)] += ends;
	else if (threads > executor->core)
		from[state_of(executor, threads - 1, busy - 1, 0)] += ends;
	else if (busy > 0)
		from[state_of(executor, threads, busy - 1, 0)] += ends;
}

static void
solve_chain(Chain *chain)
{
	long double sum = 1.0L;

	for (int n = chain->states - 1; n > 0; n--)
	{
		long double out = 0.0L;

		for (int j = 0; j < n; j++)
			out += chain->rates[n][j];
		for (int i = 0; i < n; i++)
		{
			chain->rates[i][n] /= out;
			for (int j = 0; j < n; j++)
				chain->rates[i][j] += chain->rates[i][n] * chain->rates[n][j];
		}
	}
	chain->probability[0] = 1.0L;
	for (int n = 1; n < chain->states; n++)
	{
		chain->probability[n] = 0.0L;
		for (int i = 0; i < n; i++)
			chain->probability[n] += chain->probability[i] * chain->rates[i][n];
		sum += chain->probability[n];
	}
	for (int n = 0; n < chain->states; n++)
		chain->probability[n] /= sum;
}

static void
add_state(const Chain *chain, int threads, int busy, int queued, LongRun *figures)
{
	const Executor *executor = &chain->executor;
	double		p = (double) chain->probability[state_of(executor, threads, busy, queued)];

	figures->threads += p * threads;
	figures->busy += p * busy;
	figures->queued += p * queued;
	if (busy == executor->max)
		figures->max_reached += p;
	if (busy == executor->max && queued == executor->places)
		figures->refused += p;
}

static inline LongRun
long_run_of(Executor executor)
{
	static Chain chain;
	LongRun		figures = {0};

	memset(&chain, 0, sizeof(chain));
	chain.executor = executor;
	chain.states = state_of(&executor, executor.max, executor.max, executor.places) + 1;
	assert(chain.states <= MAX_STATES);

	for (int pass = 0; pass < 2; pass++)
	{
		for (int threads = executor.core; threads <= executor.max; threads++)
			for (int busy = threads > executor.core ? threads : 0; busy <= threads; busy++)
				for (int queued = 0; queued <= (busy == threads ? executor.places : 0); queued++)
				{
					if (pass == 0)
						add_transitions(&chain, threads, busy, queued);
					else
						add_state(&chain, threads, busy, queued, &figures);
				}
		if (pass == 0)
			solve_chain(&chain);
	}
	figures.wait = figures.queued * executor.service / figures.busy;
	return figures;
}

#endif							/* PADV_SIMULATION_H */
