/*
 * gate_simulation.h
 *		A server behind the gate, for test_controller.c.
 *
 * So many transactions are in the system: those that the limit lets run, and those
 * that wait.  What runs finishes at a rate that a curve gives, times the weather: a
 * machine is now faster and now slower for a second.  In closed loop there are as many
 * clients as there are, and each has one transaction after the other; in open loop
 * transactions come at their own rate.  Either can come in bursts.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_GATE_SIMULATION_H
#define PADV_GATE_SIMULATION_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/policy/controller.h"

#define STEP_SECONDS 0.02
#define LOOK_STEPS 5
#define HIGHEST 1000

/* Throughput over how many run: the law of scalability (Gunther 2007). */
typedef struct Law
{
	double		lambda;			/* X(1) */
	double		sigma;			/* contention */
	double		kappa;			/* coherency */
} Law;

typedef struct Server
{
	Law			law;
	double		clients;		/* in closed loop */
	double		think;			/* seconds between two of a client's */
	double		arrivals;		/* a second, in open loop; 0: it is a closed one */
	double		noise;			/* of a second, as a share */
	double		burst;			/* seconds; 0: no pauses */
	double		gap;			/* seconds between two bursts */
	double		warm_up;		/* seconds until caches are filled; 0: they are */

	/* state */
	double		now;
	double		inside;			/* in the system: run or wait */
	double		busy;			/* those whose work has come to show */
	double		transactions;
	double		weather;
	uint64_t	seed;

	/* what has been */
	double		done;			/* without the weather, while the load was there */
	double		possible;
	double		transactions_in;	/* finished, in the last drive */
	double		best;			/* throughput with the best limit */
} Server;

static inline double
draw(Server *server)
{
	server->seed = server->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (server->seed >> 11) / 9007199254740992.0;
}

/* Normal enough: the sum of twelve, or of four where that is. */
static inline double
normal(Server *server)
{
	double		sum = -2.0;

	for (int i = 0; i < 4; i++)
		sum += draw(server);
	return sum * 1.7320508;
}

/* How many events where so many are expected. */
static inline double
count_of(Server *server, double mean)
{
	if (mean > 20.0)
		return floor(fmax(mean + sqrt(mean) * normal(server), 0.0) + 0.5);
	else
	{
		double		left = exp(-mean);
		double		product = draw(server);
		int			n = 0;

		while (product > left && n < 200)
		{
			product *= draw(server);
			n++;
		}
		return n;
	}
}

static inline double
law_rate(const Law *law, double n)
{
	return n <= 0.0 ? 0.0 :
		law->lambda * n / (1.0 + law->sigma * (n - 1.0) + law->kappa * n * fmax(n - 1.0, 0.0));
}

/* The limit that does most, of those that auto can have and for what there is to do. */
static inline int
best_limit(const Server *server)
{
	int			best = PADV_CONTROL_LOWEST;
	int			most = server->arrivals > 0.0 ? HIGHEST : (int) fmin(server->clients, HIGHEST);

	for (int n = best + 1; n <= most; n++)
		if (law_rate(&server->law, n) > law_rate(&server->law, best))
			best = n;
	return best;
}

/* What a limit does, as a share of the best there is. */
static inline double
share_of_best(const Server *server, int limit)
{
	double		n = server->arrivals > 0.0 ? limit : fmin(limit, server->clients);

	return law_rate(&server->law, n) / law_rate(&server->law, best_limit(server));
}

static inline bool
is_pause(const Server *server)
{
	return server->burst > 0.0 && fmod(server->now, server->burst + server->gap) >= server->burst;
}

/* A moment; returns how much of it somebody waited. */
static inline double
step(Server *server, double limit)
{
	double		running;
	double		rate;
	double		finished;
	double		residence;

	server->weather += (server->noise * normal(server) - server->weather) * 0.02;
	if (is_pause(server))
	{
		if (server->arrivals <= 0.0)
			server->inside = fmin(server->inside, limit);	/* no client begins another */
	}
	else if (server->arrivals > 0.0)
		server->inside += count_of(server, server->arrivals * STEP_SECONDS);
	else if (server->think > 0.0)
		server->inside += fmin(count_of(server, fmax(server->clients - server->inside, 0.0) * STEP_SECONDS / server->think),
							   server->clients - server->inside);
	else
		server->inside = server->clients;

	/* a change shows after about as long as a transaction takes */
	running = fmin(limit, server->inside);
	residence = fmax(running, 1.0) / fmax(law_rate(&server->law, fmax(running, 1.0)), 1e-9);
	server->busy += (running - server->busy) * fmin(STEP_SECONDS / residence, 1.0);
	server->busy = fmin(server->busy, fmax(running, server->busy - running));
	rate = law_rate(&server->law, server->busy);
	if (!is_pause(server))
	{
		server->done += rate * STEP_SECONDS;
		server->possible += server->best * STEP_SECONDS;
	}
	rate *= fmax(1.0 + server->weather * 10.0, 0.05);
	if (server->warm_up > 0.0)
		rate *= 1.0 - 0.8 * exp(-server->now / server->warm_up);
	finished = count_of(server, rate * STEP_SECONDS);
	if (server->arrivals > 0.0 || server->think > 0.0 || is_pause(server))
	{
		finished = fmin(finished, server->inside);
		server->inside -= finished;
	}
	server->transactions += finished;
	server->transactions_in += finished;
	server->now += STEP_SECONDS;
	return server->inside > limit ? 1.0 : 0.0;
}

static inline PadvControlInput
input_of(const Server *server, int limit, double waited)
{
	PadvControlInput input = {
		.clock_us = (int64_t) (server->now * 1e6) + 1,
		.transactions = server->transactions,
		.waited_share = waited,
		.lowest = PADV_CONTROL_LOWEST,
		.highest = HIGHEST,
	};

	input.working = (int32_t) fmin(server->inside, limit);
	input.taken = input.working;
	input.waiting = (int32_t) fmax(server->inside - limit, 0.0);
	return input;
}

static inline void
start(PadvControl *control, Server *server, int limit, uint64_t seed)
{
	PadvControlInput input;

	server->seed = seed * 7919 + 17;
	for (int i = 0; i < 10; i++)
		(void) draw(server);
	input = input_of(server, limit, 0.0);
	padv_control_start(control, limit, &input);
}

/* Let it run and look. */
static inline void
drive(PadvControl *control, Server *server, double seconds)
{
	int			looks = (int) (seconds / (STEP_SECONDS * LOOK_STEPS));

	server->done = server->possible = server->transactions_in = 0.0;
	server->best = law_rate(&server->law, best_limit(server));
	if (server->arrivals > 0.0)
		server->best = fmin(server->best, server->arrivals);
	for (int i = 0; i < looks; i++)
	{
		int			limit = padv_control_limit(control);
		double		waited = 0.0;
		PadvControlInput input;

		for (int j = 0; j < LOOK_STEPS; j++)
			waited += step(server, limit) / LOOK_STEPS;
		input = input_of(server, limit, waited);
		(void) padv_control_look(control, &input);
	}
}

/* What it cost, in the last drive, against the best limit all the time. */
static inline double
lost(const Server *server)
{
	return server->possible > 0.0 ? 1.0 - server->done / server->possible : 0.0;
}

#endif							/* PADV_GATE_SIMULATION_H */
