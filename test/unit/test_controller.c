/*
 * test_controller.c
 *		server_max_active = auto against simulated servers with known curves
 *		(gate_simulation.h), and what is said of it.
 *
 * The seeds are fixed.  "test_controller random SEED COUNT" draws other servers instead
 * and reports what auto loses on them against the best limit.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/policy/controller.h"
#include "core/policy/slot_stats.h"
#include "core/text/emit.h"
#include "gate_simulation.h"
#include "tap.h"

#define RUNS 12

/* Curves; the best limit is 3, 9, 32, 15, 6, all there are, and 2 or any more. */
static const Law row_locks = {2000, 0.2, 0.08};
static const Law reads = {30000, 0.3, 0.008};
static const Law disk = {1000, 0.1, 0.0009};
static const Law cache = {1000, 0.15, 0.004};
static const Law tpcb = {1500, 0.05, 0.03};
static const Law asleep = {50, 0.0, 0.0};
static const Law flat = {400, 0.99, 0.0};

/* How often it is as good as that after so long, in percent of the runs; and the mean loss then. */
static int
settles(Server shape, int from, double seconds, double share, double *mean_lost)
{
	int			good = 0;

	*mean_lost = 0.0;
	for (int run = 0; run < RUNS; run++)
	{
		Server		server = shape;
		PadvControl control;

		start(&control, &server, from, (uint64_t) run);
		drive(&control, &server, seconds);
		good += share_of_best(&server, control.base) >= share;
		drive(&control, &server, 120.0);
		*mean_lost += lost(&server) / RUNS;
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
		double		seconds;
	}			cases[] = {
		{"row locks", {.law = row_locks, .clients = 1000, .noise = 0.05}, 40},
		{"row locks, 20 clients", {.law = row_locks, .clients = 20, .noise = 0.05}, 60},
		{"reads", {.law = reads, .clients = 256, .noise = 0.05}, 40},
		{"writes that wait for the disk", {.law = disk, .clients = 1000, .noise = 0.05}, 40},
		{"the same, with noise of 10 %", {.law = disk, .clients = 1000, .noise = 0.1}, 60},
		{"the same, with noise of 30 %", {.law = disk, .clients = 1000, .noise = 0.3}, 180},
		{"caches that fill meanwhile", {.law = cache, .clients = 1000, .noise = 0.05, .warm_up = 8}, 40},
		{"190 that sleep", {.law = asleep, .clients = 190, .noise = 0.05}, 40},
		{"10 that sleep", {.law = asleep, .clients = 10, .noise = 0.05}, 30},
		{"3 that sleep", {.law = asleep, .clients = 3, .noise = 0.05}, 30},
		{"all limits the same", {.law = flat, .clients = 1000, .noise = 0.1}, 60},
		{"32 transactions/s", {.law = {1.8, 0.1, 0.0009}, .clients = 1000, .noise = 0.05}, 600},
		{"bursts of 4 s, pauses of 4 s", {.law = disk, .clients = 1000, .noise = 0.05, .burst = 4, .gap = 4}, 240},
		{"bursts of 1 s, pauses of 3 s", {.law = disk, .clients = 1000, .noise = 0.05, .burst = 1, .gap = 3}, 300},
		{"bursts of 3.5 s, pauses of 9.6 s", {.law = disk, .clients = 1000, .noise = 0.05, .burst = 3.5, .gap = 9.6}, 400},
		{"bursts of 10 s, pauses of 10 s", {.law = tpcb, .clients = 120, .noise = 0.05, .burst = 10, .gap = 10}, 200},
		{"more than can be done, in open loop", {.law = disk, .arrivals = 8000, .noise = 0.05}, 60},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int from = 3; from <= 64; from = from == 3 ? 64 : 65)
		{
			double		mean_lost;
			int			good = settles(cases[i].server, from, cases[i].seconds, 0.85, &mean_lost);

			ok(good >= 60 && mean_lost <= 0.12,
			   "%s, from %d: within 15 %% of the best in %d %% of the runs, later loss %.1f %%",
			   cases[i].name, from, good, mean_lost * 100.0);
		}
}

/* Seconds until it is within 10 % of the best, and remains so to the end. */
static double
seconds_to_recover(PadvControl *control, Server *server, double seconds)
{
	double		since = seconds;

	for (double t = 0.0; t < seconds; t += 1.0)
	{
		drive(control, server, 1.0);
		if (share_of_best(server, control->base) < 0.9)
			since = seconds;
		else if (since >= seconds)
			since = t + 1.0;
	}
	return since;
}

static void
test_follows(void)
{
	static const struct
	{
		const char *name;
		Law			first;
		double		clients;
		Law			second;
		double		then;
	}			cases[] = {
		{"from many that sleep to 120 of tpcb", asleep, 190, tpcb, 120},
		{"from many that sleep to 20 with row locks", asleep, 190, row_locks, 20},
		{"from many that sleep to 400 with row locks", asleep, 300, row_locks, 400},
		{"from row locks to the disk", row_locks, 1000, disk, 1000},
		{"from the disk to row locks", disk, 1000, row_locks, 1000},
		{"from row locks to 100 that sleep", row_locks, 50, asleep, 100},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		int			good = 0;

		for (int run = 0; run < RUNS; run++)
		{
			Server		server = {.law = cases[i].first, .clients = cases[i].clients, .noise = 0.05};
			PadvControl control;

			start(&control, &server, 8, (uint64_t) run + 100);
			drive(&control, &server, 120.0);
			server.law = cases[i].second;
			server.clients = cases[i].then;
			good += seconds_to_recover(&control, &server, 90.0) <= 60.0;
		}
		ok(good >= RUNS * 3 / 4, "%s: within 10 %% of the best after 60 s in %d of %d runs",
		   cases[i].name, good, RUNS);
	}
}

/* A pause is not what a limit did. */
static void
test_pauses_are_not_judged(void)
{
	int			worst_high = 0;
	double		least = 0.0;
	double		most = 0.0;

	for (int run = 0; run < RUNS; run++)
	{
		Server		server = {.law = disk, .clients = 300, .noise = 0.05,
		.burst = 1.0 + run * 0.7, .gap = 10.0 - run * 0.6};
		PadvControl control;

		start(&control, &server, 8, (uint64_t) run + 7);
		for (int i = 0; i < 600; i++)
		{
			drive(&control, &server, 1.0);
			least = fmin(least, control.last_gain);
			most = fmax(most, control.last_gain);
		}
		if (control.base > worst_high)
			worst_high = control.base;
	}
	ok(least > -0.6 && most < 0.9, "no trial is said to have changed throughput by %+.0f %% to %+.0f %%, which pauses did",
	   least * 100.0, most * 100.0);
	ok(worst_high <= 80, "nor do pauses drive the limit up: %d at most", worst_high);
}

static void
test_learns_only_when_full(void)
{
	Server		server = {.law = disk, .clients = 3, .noise = 0.05};
	PadvControl control;

	start(&control, &server, 4, 3);
	drive(&control, &server, 10.0);
	ok(control.base == 4 && control.trials == 0 && control.state == PADV_CONTROL_NOT_FULL,
	   "while nobody waits it stays where it is and tries nothing");
}

/* Half of what the server can do, with room: trials cost waiting, so they must be few. */
static void
test_leaves_a_comfortable_server_alone(void)
{
	Server		server = {.law = {100, 0.01, 0.0005}, .arrivals = 600, .noise = 0.05};
	PadvControl control;

	start(&control, &server, 60, 3);
	drive(&control, &server, 1800.0);
	ok(control.trials <= 25 && server.transactions_in >= 0.98 * 600 * 1800.0,
	   "an open load with room is served, with %d trials in half an hour", control.trials);
}

static void
test_sinks(void)
{
	Server		server = {.law = asleep, .clients = 10, .noise = 0.05};
	PadvControl control;
	PadvControlInput input;

	start(&control, &server, 190, 3);
	drive(&control, &server, 60.0);
	ok(control.base <= 12 && control.base >= 9, "a limit that nobody reaches comes down to what is in use: %d", control.base);

	start(&control, &server, 190, 3);
	for (int i = 0; i < 1000; i++)
	{
		input = input_of(&server, padv_control_limit(&control), 0.0);
		input.clock_us = INT64_C(100000) * (i + 1);
		input.working = input.taken = 1;
		input.known = 16;
		(void) padv_control_look(&control, &input);
	}
	ok(control.base == 16, "but not below what is known to be good: %d", control.base);
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Ties go down, to the floor; not to the top. */
static void
test_prefers_the_smaller(void)
{
	double		found[2 * RUNS];

	for (int run = 0; run < 2 * RUNS; run++)
	{
		Server		server = {.law = {400, 1.0, 0.0}, .clients = 1000, .noise = 0.05};
		PadvControl control;

		start(&control, &server, 64, (uint64_t) run);
		drive(&control, &server, 600.0);
		found[run] = control.base;
	}
	qsort(found, 2 * RUNS, sizeof(double), compare_doubles);
	ok(found[RUNS] <= 24.0, "where all limits do the same it goes down from 64: to %.0f in half of the runs", found[RUNS]);
	ok(found[0] <= PADV_CONTROL_LOWEST, "to the lowest there is: %.0f", found[0]);
}

static void
test_bounds(void)
{
	bool		inside = true;
	bool		sane = true;
	Server		server = {.seed = 11};

	for (int run = 0; run < 200; run++)
	{
		PadvControlInput input;
		PadvControl control;
		int			lowest = 1 + (int) (draw(&server) * 8.0);
		int			highest = lowest + (int) (draw(&server) * 40.0);

		input = input_of(&server, 4, 1.0);
		input.lowest = lowest;
		input.highest = highest;
		padv_control_start(&control, (int) (draw(&server) * 100.0), &input);
		for (int i = 0; i < 2000; i++)
		{
			int			limit;

			/* counters that stand still, jump and go back, and clocks likewise */
			input.clock_us += (int64_t) (draw(&server) * 1e6) - 20000;
			input.transactions = draw(&server) < 0.05 ? 0.0 : input.transactions + draw(&server) * 1e4;
			input.waited_share = draw(&server) < 0.1 ? 0.0 : 1.0;
			input.taken = (int) (draw(&server) * 60.0);
			input.working = (int) (draw(&server) * 60.0) - 5;
			input.waiting = (int) (draw(&server) * 600.0) - 5;
			input.known = (int) (draw(&server) * 60.0) - 5;
			if (draw(&server) < 0.01)
				input.highest = lowest + (int) (draw(&server) * 40.0);
			limit = padv_control_look(&control, &input);
			inside = inside && limit >= input.lowest && limit <= input.highest;
			sane = sane && isfinite(control.last_gain) && isfinite(control.pause) &&
				isfinite(control.demand) && isfinite(control.noise);
		}
	}
	ok(inside, "the limit is within its bounds whatever comes in");
	ok(sane, "and no figure is infinite or not a number");
}

static void
test_words(void)
{
	Server		server = {.law = disk, .clients = 1000, .noise = 0.05};
	PadvSlotStats	gate = {.setting = PADV_SERVER_MAX_ACTIVE_AUTO};
	PadvControl control;
	char		text[PADV_SENTENCE];
	char		begin[80];
	bool		agrees = true;
	bool		tried = false;

	start(&control, &server, 4, 1);
	for (int i = 0; i < 300; i++)
	{
		drive(&control, &server, 0.1);
		gate.limit = padv_control_limit(&control);
		padv_slot_stats_explain(&gate, &control, text, sizeof(text));
		snprintf(begin, sizeof(begin), "%d transactions may run", gate.limit);
		agrees = agrees && strncmp(text, begin, strlen(begin)) == 0;
		tried = tried || (gate.limit != control.base && strstr(text, "for a moment, which is compared with what") != NULL);
	}
	ok(agrees, "the explanation names the limit that is in force, in a trial too");
	ok(tried, "and says that it is a trial");
	ok(strstr(text, "from chance") == NULL, "and nothing of slowness where there is none: %s", text);

	control.rate = 3.0;
	padv_slot_stats_explain(&gate, &control, text, sizeof(text));
	ok(strstr(text, "At 3 transactions/s it takes about 7 minutes to tell") != NULL, "few transactions: %s", text);
	control.rate = 1e-300;
	padv_slot_stats_explain(&gate, &control, text, sizeof(text));
	ok(strstr(text, "it cannot learn") != NULL, "hardly any: %s", text);
	ok(fabs(padv_control_least_rate(300.0) - 4.0) < 1e-9 && fabs(padv_control_verdict_seconds(4.0) - 300.0) < 1e-9,
	   "five minutes take 4 transactions/s");

	gate = (PadvSlotStats) {.setting = 8,.limit = 8,.waiting = 1};
	padv_slot_stats_explain(&gate, &control, text, sizeof(text));
	ok(strstr(text, "; 1 transaction waits in the queue now.") != NULL, "one transaction waits: %s", text);
	gate.waiting = 2;
	padv_slot_stats_explain(&gate, &control, text, sizeof(text));
	ok(strstr(text, "; 2 transactions wait in the queue now.") != NULL, "two wait");
}

/* --- other servers ------------------------------------------------------- */

static double
between(Server *dice, double least, double most)
{
	return least * exp(draw(dice) * log(most / least));
}

/* A law of each kind, on 2 to 64 cores. */
static Law
any_law(Server *dice, int kind)
{
	double		cores = floor(between(dice, 2.0, 64.99));
	double		sigma = between(dice, 0.003, 0.2);
	double		peak = cores * between(dice, 0.7, 4.0);

	if (kind == 0)
		return (Law) {between(dice, 20.0, 500.0), 0.0, 0.0};
	if (kind == 1)
		return (Law) {between(dice, 100.0, 1000.0), 0.9 + 0.1 * draw(dice), 0.0};
	if (kind == 2)
	{
		sigma = 0.2 + 0.3 * draw(dice);
		peak = 1.0 + 2.0 * draw(dice);
	}
	return (Law) {between(dice, 100.0, 5000.0), sigma, (1.0 - sigma) / (peak * peak)};
}

static void
report(const char *what, double *figures, int count, const char *unit)
{
	if (count == 0)
		return;
	qsort(figures, (size_t) count, sizeof(double), compare_doubles);
	printf("%-36s %5d cases: median %.3g, p90 %.3g, most %.3g %s\n", what, count,
		   figures[count / 2], figures[count * 9 / 10], figures[count - 1], unit);
}

static int
draw_servers(uint64_t seed, int count)
{
	static double loss[3][100000];
	static double recovery[100000];
	static const char *const names[] = {"closed loop", "bursts", "open loop"};
	int			counts[3] = {0};
	int			recovered = 0;
	Server		dice = {.seed = seed * 7919 + 11};

	for (int i = 0; i < 20; i++)
		(void) draw(&dice);
	for (int i = 0; i < count && i < 100000; i++)
	{
		int			loop = i % 3;
		PadvControl control;
		Server		server = {.law = any_law(&dice, i / 3 % 5), .noise = between(&dice, 0.05, 0.3),
		.clients = floor(between(&dice, 3.0, 1000.0))};

		if (loop == 1)
		{
			server.burst = between(&dice, 1.0, 10.0);
			server.gap = between(&dice, 1.0, 10.0);
		}
		if (loop == 2)
			server.arrivals = between(&dice, 0.3, 2.0) * law_rate(&server.law, fmin(best_limit(&server), 200));
		if (draw(&dice) < 0.2)
			server.warm_up = between(&dice, 3.0, 30.0);
		start(&control, &server, (int) between(&dice, 2.0, 200.0), (uint64_t) (draw(&dice) * 1e9));
		drive(&control, &server, loop == 1 ? 300.0 : 60.0);
		drive(&control, &server, 300.0);
		loss[loop][counts[loop]++] = loop == 2 ? fmax(1.0 - server.transactions_in / (server.best * 300.0), 0.0) : lost(&server);
		if (loop != 0)
			continue;
		server.law = any_law(&dice, (int) (draw(&dice) * 5.0));
		server.clients = floor(between(&dice, 3.0, 1000.0));
		recovery[recovered++] = seconds_to_recover(&control, &server, 180.0);
	}
	for (int i = 0; i < 3; i++)
		report(names[i], loss[i], counts[i], "of the best is lost");
	report("another load: within 10 % for good", recovery, recovered, "s (180: never)");
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "random") == 0)
		return draw_servers(strtoull(argv[2], NULL, 10), atoi(argv[3]));
	test_settles();
	test_follows();
	test_pauses_are_not_judged();
	test_learns_only_when_full();
	test_leaves_a_comfortable_server_alone();
	test_sinks();
	test_prefers_the_smaller();
	test_bounds();
	test_words();
	return tap_end();
}
