/*
 * test_compare.c
 *		Periods of a simulated server: without a change none is named, and a change is found.
 */
#include <stdlib.h>
#include <string.h>

#include "core/stats/compare.h"
#include "draws.h"
#include "tap.h"

#define MOST_POINTS 900
#define SECOND INT64_C(1000000)

static PadvHistoryPoint points[2][MOST_POINTS];

/* --- a server whose figures go up and down, and stay there for a while --- */

/* An autoregressive process with this standard deviation. */
typedef struct Noise
{
	double		persistence;
	double		deviation;
	double		state;
} Noise;

static Noise
new_noise(double persistence, double deviation)
{
	return (Noise) {persistence, deviation, deviation * normal()};
}

static double
next(Noise *noise)
{
	noise->state = noise->persistence * noise->state +
		sqrt(1.0 - noise->persistence * noise->persistence) * noise->deviation * normal();
	return noise->state;
}

/* What a server is like, and how its figures vary. */
typedef struct Server
{
	double		throughput;
	double		active;
	double		lock_share;		/* of the active sessions */
	double		persistence;
	double		deviation;
} Server;

static void
run_server(const Server *server, PadvHistoryPoint *to, int count)
{
	Noise		load = new_noise(server->persistence, server->deviation);
	Noise		own[PADV_WAIT_CLASSES + 3];

	for (int i = 0; i < PADV_WAIT_CLASSES + 3; i++)
		own[i] = new_noise(server->persistence, server->deviation / 2.0);
	memset(to, 0, (size_t) count * sizeof(*to));
	for (int i = 0; i < count; i++)
	{
		static const double shares[PADV_WAIT_CLASSES] = {0.6, 0.2, 0.0, 0.1, 0.1};
		double		now = exp(next(&load));

		to[i].at = i * SECOND;
		for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		{
			double		share = class == PADV_WAITING_LOCK ? server->lock_share : shares[class];

			to[i].in_class[class] = (float) (server->active * share * now * exp(next(&own[class])));
			to[i].active_avg += to[i].in_class[class];
		}
		to[i].transactions_per_second = (float) (server->throughput * now * exp(next(&own[PADV_WAIT_CLASSES])));
		to[i].idle_in_transaction = (float) (now * exp(next(&own[PADV_WAIT_CLASSES + 1])));
		to[i].cpu_utilization = (float) (0.5 / (1.0 + exp(next(&own[PADV_WAIT_CLASSES + 2]))));
	}
}

static const PadvComparison *
row_of(const PadvComparison *rows, const char *measure)
{
	for (int i = 0; i < PADV_COMPARED; i++)
		if (strcmp(rows[i].measure, measure) == 0)
			return &rows[i];
	return NULL;
}

static int
count_real(const PadvComparison *rows)
{
	int			count = 0;

	for (int i = 0; i < PADV_COMPARED; i++)
		count += rows[i].change == PADV_CHANGE_REAL;
	return count;
}

/* --- without a change --- */

static void
test_same(void)
{
	static const struct
	{
		int			before;
		int			after;
		double		persistence;
		double		deviation;
	}			cases[] = {
		{5, 5, 0.0, 0.1}, {5, 6, 0.5, 0.2}, {6, 6, 0.3, 0.3}, {9, 59, 0.5, 0.2}, {11, 11, 0.5, 0.3},
		{12, 12, 0.0, 0.1}, {12, 24, 0.3, 0.2}, {36, 36, 0.5, 0.2}, {60, 60, 0.7, 0.2},
		{120, 120, 0.8, 0.3}, {300, 300, 0.0, 0.3}, {300, 60, 0.5, 0.3}, {300, 300, 0.9, 0.2},
		{600, 600, 0.95, 0.2}, {900, 900, 0.95, 0.5},
	};
	int			all = 0;
	int			rounds = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const Server server = {1000.0, 8.0, 0.05, cases[i].persistence, cases[i].deviation};
		int			named = 0;

		for (int round = 0; round < 100; round++)
		{
			PadvComparison rows[PADV_COMPARED];

			run_server(&server, points[0], cases[i].before);
			run_server(&server, points[1], cases[i].after);
			padv_compare(points[0], cases[i].before, points[1], cases[i].after, rows);
			named += count_real(rows) > 0;
		}
		ok(named <= 10, "%d and %d points, persistence %.2f: a change is named in %d of 100",
		   cases[i].before, cases[i].after, cases[i].persistence, named);
		all += named;
		rounds += 100;
	}
	ok(all * 20 <= rounds, "in all in %d of %d, which is 5 %% at most", all, rounds);
}

/* A lock that somebody waits for now and then is no change. */
static void
test_rare(void)
{
	int			named = 0;

	for (int round = 0; round < 300; round++)
	{
		PadvComparison rows[PADV_COMPARED];

		for (int period = 0; period < 2; period++)
		{
			memset(points[period], 0, sizeof(points[period]));
			for (int i = 0; i < 300; i++)
			{
				points[period][i].active_avg = points[period][i].in_class[PADV_ON_CPU] = 4.0f;
				if (uniform() < 0.01)
					points[period][i].in_class[PADV_WAITING_LOCK] = (float) exp(2.0 * normal());
			}
		}
		padv_compare(points[0], 300, points[1], 300, rows);
		named += count_real(rows) > 0;
	}
	ok(named <= 15, "rare waits are called a change in %d of 300", named);
}

/* --- with one --- */

static void
test_shift(void)
{
	static const struct
	{
		int			count;
		double		persistence;
		double		deviation;
	}			cases[] = {
		{24, 0.2, 0.05}, {60, 0.5, 0.08}, {300, 0.5, 0.15}, {600, 0.8, 0.15},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const Server one = {1000.0, 8.0, 0.0, cases[i].persistence, cases[i].deviation};
		const Server other = {800.0, 8.0, 0.3, cases[i].persistence, cases[i].deviation};
		int			throughput = 0;
		int			locks = 0;
		int			time = 0;

		for (int round = 0; round < 100; round++)
		{
			PadvComparison rows[PADV_COMPARED];

			run_server(&one, points[0], cases[i].count);
			run_server(&other, points[1], cases[i].count);
			padv_compare(points[0], cases[i].count, points[1], cases[i].count, rows);
			throughput += row_of(rows, "transactions_per_second")->change == PADV_CHANGE_REAL;
			locks += row_of(rows, "waiting_lock")->change == PADV_CHANGE_REAL;
			time += row_of(rows, "seconds_per_transaction")->change == PADV_CHANGE_REAL;
		}
		ok(throughput >= 95, "%d points: 20 %% less throughput is found in %d of 100", cases[i].count, throughput);
		ok(locks >= 95 && time >= 95, "and waits for locks, and longer transactions, in %d and %d", locks, time);
	}
}

/* Periods without noise, of which each figure is known. */
static void
fill(int period, int count, float active, float lock, float throughput)
{
	memset(points[period], 0, sizeof(points[period]));
	for (int i = 0; i < count; i++)
		points[period][i] = (PadvHistoryPoint) {
			.at = i * SECOND, .active_avg = active, .in_class = {active - lock, 0.0f, lock, 0.0f, 0.0f},
			.transactions_per_second = throughput, .cpu_utilization = 0.25f};
}

static void
test_figures(void)
{
	PadvComparison rows[PADV_COMPARED];

	fill(0, 20, 4.0f, 0.0f, 1000.0f);
	fill(1, 30, 16.0f, 12.0f, 800.0f);
	padv_compare(points[0], 20, points[1], 30, rows);
	near(row_of(rows, "transactions_per_second")->before, 1000.0, 0.0, "before");
	near(row_of(rows, "transactions_per_second")->after, 800.0, 0.0, "after");
	near(row_of(rows, "transactions_per_second")->share, 0.2, 1e-12, "a fifth");
	near(row_of(rows, "seconds_per_transaction")->before, 0.004, 1e-12, "time by Little's law");
	near(row_of(rows, "seconds_per_transaction")->after, 0.02, 1e-12, "and after");
	near(row_of(rows, "waiting_lock")->share, 0.75, 1e-12, "waits are weighed against the sessions");
	ok(strcmp(rows[0].measure, "seconds_per_transaction") == 0 && strcmp(rows[1].measure, "active_avg") == 0 &&
	   strcmp(rows[2].measure, "waiting_lock") == 0 && strcmp(rows[3].measure, "transactions_per_second") == 0,
	   "the largest first: %s, %s, %s, %s", rows[0].measure, rows[1].measure, rows[2].measure, rows[3].measure);
	ok(count_real(rows) == 4, "what is the same is no change, got %d", count_real(rows));
	ok(strcmp(row_of(rows, "on_cpu")->why, "it is the same") == 0 && row_of(rows, "on_cpu")->share == 0.0, "and says so");

	padv_compare(points[0], 20, points[0], 20, rows);
	ok(count_real(rows) == 0, "a period is like itself");
}

static void
test_too_little(void)
{
	PadvComparison rows[PADV_COMPARED];
	int			unknown = 0;

	fill(0, 20, 4.0f, 0.0f, 1000.0f);
	fill(1, 20, 16.0f, 0.0f, 800.0f);
	padv_compare(points[0], PADV_COMPARE_POINTS - 1, points[1], 20, rows);
	for (int i = 0; i < PADV_COMPARED; i++)
		unknown += rows[i].change == PADV_CHANGE_UNKNOWN && strncmp(rows[i].why, "too little data", 15) == 0;
	ok(unknown == PADV_COMPARED, "few points say nothing: %s", rows[0].why);
	near(row_of(rows, "active_avg")->after, 16.0, 0.0, "their means are told all the same");
	padv_compare(points[0], 0, points[1], 0, rows);
	ok(rows[0].before < 0.0 && rows[0].after < 0.0 && count_real(rows) == 0, "nor do none");

	/* some are not known */
	for (int i = 0; i < 16; i++)
		points[1][i].transactions_per_second = -1.0f;
	padv_compare(points[0], 20, points[1], 20, rows);
	ok(row_of(rows, "transactions_per_second")->change == PADV_CHANGE_UNKNOWN, "nor those that are not known");
	near(row_of(rows, "transactions_per_second")->after, 800.0, 0.0, "which are left out");
	ok(row_of(rows, "active_avg")->change == PADV_CHANGE_REAL, "of that figure only");

	/* nothing finishes */
	fill(1, 20, 16.0f, 0.0f, 0.0f);
	padv_compare(points[0], 20, points[1], 20, rows);
	ok(row_of(rows, "seconds_per_transaction")->after < 0.0, "a transaction that does not end has no time");
	ok(row_of(rows, "transactions_per_second")->change == PADV_CHANGE_REAL, "none a second is a change");
	near(row_of(rows, "transactions_per_second")->share, 1.0, 0.0, "of all");
}

/* --- which points --- */

static void
test_periods(void)
{
	PadvSpan	period;
	int64_t		covered[PADV_RESOLUTIONS] = {0};

	for (int i = 0; i < 100; i++)
		points[0][i] = (PadvHistoryPoint) {.at = (i + 1) * 10 * SECOND};
	period = padv_compare_period(points[0], 100, PADV_HISTORY_10_SECONDS, 0, 1000 * SECOND);
	ok(period.first == 0 && period.count == 100 && period.covered_us == 1000 * SECOND, "all points");
	period = padv_compare_period(points[0], 100, PADV_HISTORY_10_SECONDS, 5 * SECOND, 35 * SECOND);
	ok(period.first == 1 && period.count == 2 && period.covered_us == 20 * SECOND, "those that are inside as a whole");
	period = padv_compare_period(points[0], 100, PADV_HISTORY_10_SECONDS, 5 * SECOND, 14 * SECOND);
	ok(period.count == 0 && period.covered_us == 0, "none is");
	period = padv_compare_period(points[0], 100, PADV_HISTORY_10_SECONDS, 2000 * SECOND, 3000 * SECOND);
	ok(period.count == 0, "nor after them");

	ok(padv_compare_finest(covered, PADV_RESOLUTIONS) == PADV_HISTORY_1_SECOND, "of nothing the first");
	covered[PADV_HISTORY_5_MINUTES] = 3600 * SECOND;
	ok(padv_compare_finest(covered, PADV_RESOLUTIONS) == PADV_HISTORY_5_MINUTES, "only long ones");
	covered[PADV_HISTORY_10_SECONDS] = 3500 * SECOND;
	ok(padv_compare_finest(covered, PADV_RESOLUTIONS) == PADV_HISTORY_10_SECONDS, "the finest that covers nearly as much");
	covered[PADV_HISTORY_1_SECOND] = 900 * SECOND;
	ok(padv_compare_finest(covered, PADV_RESOLUTIONS) == PADV_HISTORY_10_SECONDS, "not one that covers a part");
}

int
main(void)
{
	srandom(20);
	test_same();
	test_rare();
	test_shift();
	test_figures();
	test_too_little();
	test_periods();
	return tap_end();
}
