/*
 * test_controller.c
 *		server_max_active = auto against simulated servers with known curves.
 *
 * A server has a curve of throughput over the limit, as many clients as there are,
 * and noise: that of single transactions, and that of a machine which is now
 * faster and now slower for a second.  The seed is fixed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/controller.h"
#include "tap.h"

#define LOOK_SECONDS 0.25
#define LOOK_US 250000
#define RUNS 40

typedef struct Server
{
	/* the law of scalability: X(1), contention, coherency */
	double		lambda;
	double		sigma;
	double		kappa;
	double		clients;
	double		noise;			/* of a second, as a share */
	double		warm_up;		/* seconds until caches are filled; 0: they are */

	/* state */
	int64_t		clock_us;
	double		transactions;
	double		weather;
	uint64_t	seed;
} Server;

static double
draw(Server *server)
{
	server->seed = server->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (server->seed >> 11) / 9007199254740992.0;
}

/* Normal enough: the sum of twelve. */
static double
normal(Server *server)
{
	double		sum = -6.0;

	for (int i = 0; i < 12; i++)
		sum += draw(server);
	return sum;
}

static double
throughput(const Server *server, double limit)
{
	double		n = fmin(limit, server->clients);

	return server->lambda * n / (1.0 + server->sigma * (n - 1.0) + server->kappa * n * (n - 1.0));
}

static double
best(const Server *server, int highest)
{
	double		most = 0.0;

	for (int n = 1; n <= highest; n++)
		most = fmax(most, throughput(server, n));
	return most;
}

static PadvControlInput
input_of(const Server *server, int limit, int highest)
{
	PadvControlInput input = {server->clock_us, server->transactions,
	server->clients > limit ? 1.0 : 0.0, 1, highest};

	return input;
}

/* Let it run and look; returns the limit at the end, and what was lost on the way. */
static int
drive(PadvControl *control, Server *server, double seconds, int highest, double *lost)
{
	int			limit = padv_control_limit(control);
	double		done = 0.0;
	double		most = best(server, highest) * seconds;

	for (double t = 0.0; t < seconds; t += LOOK_SECONDS)
	{
		double		rate = throughput(server, limit);
		double		warm = server->warm_up > 0.0 ?
			1.0 - 0.8 * exp(-(double) server->clock_us / 1e6 / server->warm_up) : 1.0;
		PadvControlInput input;

		server->weather += (server->noise * normal(server) - server->weather) * 0.25;
		done += rate * LOOK_SECONDS;
		rate *= warm * (1.0 + server->weather * 1.5);
		server->transactions += fmax(rate * LOOK_SECONDS + sqrt(rate * LOOK_SECONDS) * normal(server), 0.0);
		server->clock_us += LOOK_US;
		input = input_of(server, limit, highest);
		limit = padv_control_look(control, &input);
	}
	if (lost != NULL)
		*lost = 1.0 - done / most;
	return control->base;
}

/* How often it is within 5 % of the best after so long, in percent of the runs. */
static int
settles(Server shape, int start, double seconds, double *mean_lost)
{
	int			good = 0;

	*mean_lost = 0.0;
	for (int run = 0; run < RUNS; run++)
	{
		Server		server = shape;
		PadvControl control;
		PadvControlInput input;
		double		lost;
		int			limit;

		server.clock_us = 1;
		server.seed = (uint64_t) run * 7919 + 17;
		input = input_of(&server, start, 1000);
		padv_control_start(&control, start, &input);
		limit = drive(&control, &server, seconds, 1000, NULL);
		good += throughput(&server, limit) >= 0.95 * best(&server, 1000);
		drive(&control, &server, 300.0, 1000, &lost);
		*mean_lost += lost / RUNS;
	}
	return good * 100 / RUNS;
}

static void
test_settles(void)
{
	static const struct
	{
		const char *name;
		Server		server;
	}			cases[] = {
		{"row locks, peak at 3", {.lambda = 2000, .sigma = 0.2, .kappa = 0.08, .clients = 1000, .noise = 0.03}},
		{"reads, peak at 9", {.lambda = 30000, .sigma = 0.3, .kappa = 0.008, .clients = 256, .noise = 0.03}},
		{"writes that wait for the disk, peak at 32", {.lambda = 1000, .sigma = 0.1, .kappa = 0.0009, .clients = 1000, .noise = 0.03}},
		{"long queries, flat from 2 on", {.lambda = 400, .sigma = 0.9, .kappa = 0.0, .clients = 64, .noise = 0.02}},
		{"caches that fill while it searches", {.lambda = 1000, .sigma = 0.15, .kappa = 0.004, .clients = 1000, .noise = 0.03, .warm_up = 8}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int start = 4; start <= 64; start *= 16)
		{
			double		lost;
			int			good = settles(cases[i].server, start, 30.0, &lost);

			ok(good >= 85, "%s, from %d: within 5 %% of the best after 30 s in %d %% of the runs",
			   cases[i].name, start, good);
			ok(lost <= 0.05, "... and 5 minutes from then on cost %.1f %% of the best", lost * 100.0);
		}
}

static void
test_follows(void)
{
	Server		shape = {.lambda = 2000, .sigma = 0.2, .kappa = 0.08, .clients = 1000, .noise = 0.03};
	int			good = 0;

	for (int run = 0; run < RUNS; run++)
	{
		Server		server = shape;
		PadvControl control;
		PadvControlInput input;

		server.clock_us = 1;
		server.seed = (uint64_t) run * 104729 + 5;
		input = input_of(&server, 4, 1000);
		padv_control_start(&control, 4, &input);
		drive(&control, &server, 120.0, 1000, NULL);
		server.lambda = 1000;
		server.sigma = 0.1;
		server.kappa = 0.0009;
		drive(&control, &server, 40.0, 1000, NULL);
		good += throughput(&server, control.base) >= 0.95 * best(&server, 1000);
	}
	ok(good >= RUNS * 85 / 100, "follows another load within 40 s in %d of %d runs", good, RUNS);
}

static void
test_learns_only_when_full(void)
{
	Server		server = {.lambda = 1000, .sigma = 0.1, .kappa = 0.0009, .clients = 3, .noise = 0.03,
	.clock_us = 1, .seed = 3};
	PadvControl control;
	PadvControlInput input = input_of(&server, 4, 1000);

	padv_control_start(&control, 4, &input);
	drive(&control, &server, 300.0, 1000, NULL);
	ok(control.base == 4 && control.trials == 0 && control.state == PADV_CONTROL_NOT_FULL,
	   "while nobody waits it stays where it is and tries nothing");
}

static void
test_bounds(void)
{
	bool		inside = true;
	bool		sane = true;
	Server		server = {.lambda = 1000, .sigma = 0.0, .kappa = 0.0, .clients = 1e9, .noise = 0.2,
	.clock_us = 1, .seed = 11};

	for (int run = 0; run < 200; run++)
	{
		PadvControlInput input;
		PadvControl control;
		int			lowest = 1 + (int) (draw(&server) * 8.0);
		int			highest = lowest + (int) (draw(&server) * 40.0);

		input = input_of(&server, 4, highest);
		input.lowest = lowest;
		padv_control_start(&control, (int) (draw(&server) * 100.0), &input);
		for (int i = 0; i < 2000; i++)
		{
			int			limit;

			/* counters that stand still, jump and go back, and clocks likewise */
			input.clock_us += (int64_t) (draw(&server) * 1e6) - 20000;
			input.transactions = draw(&server) < 0.05 ? 0.0 : input.transactions + draw(&server) * 1e4;
			input.waited_share = draw(&server) < 0.1 ? 0.0 : 1.0;
			if (draw(&server) < 0.01)
				input.highest = lowest + (int) (draw(&server) * 40.0);
			limit = padv_control_look(&control, &input);
			inside = inside && limit >= input.lowest && limit <= input.highest;
			sane = sane && isfinite(control.last_gain) && isfinite(control.pause);
		}
	}
	ok(inside, "the limit is within its bounds whatever comes in");
	ok(sane, "and no figure is infinite or not a number");
}

int
main(void)
{
	test_settles();
	test_follows();
	test_learns_only_when_full();
	test_bounds();
	return tap_end();
}
