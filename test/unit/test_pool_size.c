/*
 * test_pool_size.c
 *		What a pool needs by sessions that are simulated, and what is remembered
 *		of it.
 *
 * The clients here are seen as the sampler sees them: their sessions go through the
 * window, a second of it at a time.  What comes out is held against Little's law,
 * by the times that went in.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdlib.h>
#include <string.h>

#include "core/model/pool_size.h"
#include "core/stats/daily_peak.h"
#include "tap.h"

#define MICRO INT64_C(1)
#define MILLI (1000 * MICRO)
#define SECOND (1000 * MILLI)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define START (INT64_C(9000) * DAY)

#define CLIENTS 200

/* What each client does: execute, pause in the transaction, execute, pause. */
typedef struct Work
{
	int			clients;
	int64_t		execute;		/* twice, if there is a pause inside */
	int64_t		inside;
	int64_t		pause;			/* after the commit */
	double		rate;			/* of all together, arrivals a second; 0:
								 * closed loop */
	bool		local;
} Work;

typedef struct Client
{
	int64_t		arrives;		/* the transaction that was to come next */
	int64_t		begins;
	int64_t		pauses;			/* 0: it does not */
	int64_t		goes_on;
	int64_t		ends;
	int64_t		next;
} Client;

static struct
{
	int64_t		now;
	int64_t		interval;
	Work		work;
	Client		clients[CLIENTS];
	PadvWindow *window;
	PadvPoolMemory memory;
	PadvPoolNeed need;
	PadvPoolSize size;
	int64_t		transactions;
	double		ended;			/* microseconds inside those that ended */
	double		slow;			/* factor on what executes */
	uint64_t	seed;
}			world;

static double
chance(void)
{
	world.seed = world.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return ((double) (world.seed >> 11) + 0.5) / 9007199254740992.0;
}

static int64_t
about(int64_t mean)
{
	return (int64_t) ((0.8 + 0.4 * chance()) * (double) mean);
}

static void
plan_next(Client *client)
{
	const Work *work = &world.work;

	if (work->rate > 0.0)
	{
		client->arrives += (int64_t) (-log(chance()) * work->clients / work->rate * 1e6) + 1;
		client->next = client->arrives > client->ends ? client->arrives : client->ends + 1;
	}
	else
		client->next = client->ends + 1 + about(work->pause);
}

static void
begin_transaction(Client *client)
{
	const Work *work = &world.work;
	int64_t		execute = (int64_t) (world.slow * (double) about(work->execute)) + 1;

	world.transactions++;
	world.ended += (double) (client->ends - client->begins);
	client->begins = client->next;
	client->pauses = work->inside > 0 ? client->begins + execute : 0;
	client->goes_on = client->begins + (work->inside > 0 ? execute + about(work->inside) : 0);
	client->ends = client->goes_on + execute;
	plan_next(client);
}

static PadvSession
seen(int i)
{
	const Client *client = &world.clients[i];
	PadvSession session = {.status_index = i, .pid = i + 1, .role = 10, .local = world.work.local};

	if (client->ends <= world.now)
	{
		session.state = PADV_STATE_IDLE;
		session.state_start = client->ends;
		session.statement_start = client->goes_on;
	}
	else if (client->pauses != 0 && client->pauses <= world.now && client->goes_on > world.now)
	{
		session.state = PADV_STATE_IDLE_IN_TRANSACTION;
		session.state_start = client->pauses;
		session.statement_start = client->begins;
	}
	else
	{
		session.state = PADV_STATE_ACTIVE;
		session.demands = true;
		session.state_start = session.statement_start =
			client->pauses != 0 && client->goes_on <= world.now ? client->goes_on : client->begins;
	}
	session.xact_start = session.state == PADV_STATE_IDLE ? 0 : client->begins;
	return session;
}

/* A second of the worker's. */
static void
end_second(double seconds)
{
	PadvInterval interval = {.seconds = seconds, .transactions = (double) world.transactions,
	.run = -1.0, .ready = -1.0, .ended = world.ended / 1e6 / seconds};
	PadvWindowMeans	take;

	world.transactions = 0;
	world.ended = 0.0;
	if (padv_window_drain(world.window, &take))
		padv_pool_add(&world.memory, &take, &interval);
	padv_pool_judge(&world.memory, &world.need, world.now, &world.size);
}

static void
live(int64_t time)
{
	static PadvSession sessions[CLIENTS];
	int64_t		until = world.now + time;
	int64_t		second_ends = world.now + SECOND;

	while (world.now < until)
	{
		world.now += world.interval;
		for (int i = 0; i < world.work.clients; i++)
		{
			while (world.clients[i].next <= world.now)
				begin_transaction(&world.clients[i]);
			sessions[i] = seen(i);
		}
		padv_window_add(world.window, &(PadvSample) {.clock_us = world.now - START, .taken_at = world.now, .count = world.work.clients, .sessions = sessions});
		if (world.now >= second_ends)
		{
			end_second((double) (world.now - second_ends + SECOND) / 1e6);
			second_ends = world.now + SECOND;
		}
	}
}

static void
do_work(Work work)
{
	world.work = work;
	for (int i = 0; i < work.clients; i++)
	{
		world.clients[i] = (Client) {.arrives = world.now, .begins = world.now, .ends = world.now};
		world.clients[i].next = world.now + (int64_t) (chance() * (double) (work.execute + work.inside + work.pause)) + 1;
		if (work.rate > 0.0)
			plan_next(&world.clients[i]);
	}
}

static void
start_over(int64_t optimal)
{
	world.now = START;
	world.work.clients = 0;
	world.interval = 100 * MILLI + 37;
	world.transactions = 0;
	world.ended = 0.0;
	world.slow = 1.0;
	world.seed = 20260704;
	padv_window_reset(world.window);
	padv_pool_init(&world.memory);
	world.need = (PadvPoolNeed) {.optimal = optimal, .usable = 997};
}

static void
size_of(Work work, int64_t optimal)
{
	start_over(optimal);
	do_work(work);
	live(90 * SECOND);
}

/* So many active, and so many that pause on average, with the root of these. */
static double
staffed(double active, double pauses)
{
	return active + pauses + sqrt(pauses);
}

/* What clients do between their transactions is not what a transaction pool holds. */
static void
test_pauses(void)
{
	static const int64_t pauses[] = {0, 1, 10, 100};

	for (int i = 0; i < 4; i++)
		for (int local = 0; local < 2; local++)
		{
			double		pause = (double) pauses[i];
			double		rate = 100.0 / (2.0 + pause);	/* a millisecond */
			double		executing = 2.0 * rate;
			double		trip = local ? 0.1 : 1.0;
			double		trips = rate * (pause < trip ? pause : trip);
			double		factor = executing < 8.0 ? 8.0 / executing : 1.0;

			size_of((Work) {100, 2 * MILLI, 0, pauses[i] * MILLI, 0.0, local}, 8);
			near((double) world.size.pool_size, staffed(8.0, trips), 1.0 + 0.1 * trips, "pool of 100 clients with pauses");
			near((double) world.size.session_pool_size, fmin(200.0, staffed(8.0, rate * pause * factor)),
				 2.0 + 0.1 * rate * pause * factor, "and one whose callers keep their connections");
		}
}

/* Requests come at their own rate; the server is at rest most of the time. */
static void
test_open_loop(void)
{
	int64_t		least = INT64_MAX;
	int64_t		most = 0;

	start_over(4);
	do_work((Work) {60, 60, 0, 0, 1500.0, false});
	for (int i = 0; i < 60; i++)
	{
		live(10 * SECOND);
		least = world.size.pool_size < least ? world.size.pool_size : least;
		most = world.size.pool_size > most ? world.size.pool_size : most;
	}
	ok(least >= 6 && most <= 7, "1500 short statements a second: a small size (%d to %d)", (int) least, (int) most);
	ok(world.size.session_pool_size <= 120, "nor does the other size run away (%d)", (int) world.size.session_pool_size);

	start_over(4);
	do_work((Work) {60, 60, 0, 0, 1500.0, true});
	live(60 * SECOND);
	ok(world.size.pool_size >= 4 && world.size.pool_size <= 5, "on one machine the optimum is nearly enough");

	size_of((Work) {60, 10 * MILLI, 0, 0, 300.0, false}, 4);
	ok(world.size.pool_size >= 4 && world.size.pool_size <= 5, "300 a second of 10 ms");
}

/* A pause inside a transaction holds the connection. */
static void
test_in_transaction(void)
{
	size_of((Work) {60, 1 * MILLI, 4 * MILLI, 94 * MILLI, 0.0, true}, 8);
	near((double) world.size.pool_size, staffed(8.0, 16.0), 3.0, "a third of the transaction executes: three times the optimum, and a margin");
	near(world.size.busy_ratio, 8.0 / staffed(8.0, 16.0), 0.04, "which is busy_ratio");
	size_of((Work) {60, 1 * MILLI, 20 * MILLI, 0, 0.0, true}, 2);
	near((double) world.size.pool_size, fmin(60.0, staffed(2.0, 60.0 * 20.0 / 22.0)), 5.0, "beyond the optimum all pauses count once");
	size_of((Work) {100, 1 * MILLI, 40 * MILLI, 100 * MILLI, 0.0, true}, 64);
	near((double) world.size.pool_size, 997.0, 0.0, "never more than the server has");
	size_of((Work) {60, 1 * MILLI, 18 * MILLI, 0, 100.0, true}, 4);
	ok(world.size.pool_size <= 60, "nor than there were sessions, as long as some were at rest");
}

static void
test_no_load(void)
{
	start_over(4);
	live(30 * SECOND);
	ok(world.size.pool_size == 0 && world.size.session_pool_size == 0 && world.size.busy_ratio < 0.0 &&
	   world.size.inputs.load.at == 0, "no size without a load");
	size_of((Work) {1, 2 * MILLI, 900 * MILLI, SECOND, 0.0, true}, 4);
	ok(world.size.pool_size == 0, "a person who types is no load");
	size_of((Work) {1, 30 * SECOND, 0, SECOND, 0.0, true}, 4);
	ok(world.size.pool_size == 4, "a long query is one");
	start_over(4);
	world.need.setting = world.need.optimal = 9;
	live(SECOND);
	ok(world.size.pool_size == 9 && world.size.inputs.load.at == 0, "the DBA's number needs none");
}

/* Five seconds of work, and twenty-five without. */
static void
test_bursts(void)
{
	const Work	burst = {60, 1 * MILLI, 4 * MILLI, 10 * MILLI, 0.0, true};
	Work		rest = burst;
	int64_t		steady;
	int			changes = 0;
	int64_t		before;

	size_of(burst, 4);
	steady = world.size.pool_size;
	rest.pause = 1000 * SECOND;
	start_over(4);
	before = 0;
	for (int i = 0; i < 20; i++)
	{
		do_work(burst);
		live(6 * SECOND);
		do_work(rest);
		live(24 * SECOND);
		changes += i > 4 && world.size.pool_size != before;
		before = world.size.pool_size;
	}
	near((double) world.size.pool_size, (double) steady, 0.25 * (double) steady, "bursts are the load");
	ok(changes <= 1, "and the size stands between them");
}

/* What a second was like by figures alone. */
static void
add_take(double executing, double held, double transactions)
{
	const PadvWindowMeans take = {.samples = 10, .taken_at = world.now, .sessions = 500, .demand = executing,
	.held_in_transaction = held};
	const PadvInterval interval = {.seconds = 1.0, .transactions = transactions, .run = -1.0, .ready = -1.0};

	padv_pool_add(&world.memory, &take, &interval);
	padv_pool_judge(&world.memory, &world.need, world.now, &world.size);
	world.now += SECOND;
}

static void
add_takes(int seconds, double executing, double held, double transactions)
{
	for (int i = 0; i < seconds; i++)
		add_take(executing, held, transactions);
}

/* The same with sessions that are idle in transactions, and time inside those that ended. */
static void
add_pauses(int seconds, double idle, double forgotten, double ended)
{
	const PadvWindowMeans take = {.samples = 10, .taken_at = world.now, .sessions = 500, .active = 4.0, .demand = 4.0,
		.idle_in_transaction = idle + forgotten, .held_in_transaction = 8.0};
	const PadvInterval interval = {.seconds = 1.0, .transactions = 8.0, .run = -1.0, .ready = -1.0, .ended = ended};

	for (int i = 0; i < seconds; i++)
	{
		padv_pool_add(&world.memory, &take, &interval);
		padv_pool_judge(&world.memory, &world.need, world.now, &world.size);
		world.now += SECOND;
	}
}

/* Pauses of any length inside transactions that end hold connections; forgotten ones do not. */
static void
test_long_pauses(void)
{
	size_of((Work) {200, 20 * MILLI, 2 * SECOND, 0, 50.0, true}, 2);
	near((double) world.size.pool_size, staffed(2.0, 100.0), 8.0, "50 transactions a second that pause for 2 s");
	size_of((Work) {200, 50 * MILLI, 10 * SECOND, 0, 12.0, true}, 1);
	near((double) world.size.pool_size, staffed(1.0, 120.0), 20.0, "12 a second for 10 s");

	start_over(4);
	add_pauses(120, 8.0, 0.0, 12.0);
	ok(world.size.pool_size == 15, "8 in pauses");
	add_pauses(7200, 8.0, 60.0, 12.0);
	ok(world.size.pool_size == 15, "60 that forgot their transactions for hours add none");
	add_pauses(1, 8.0, 60.0, 12.0 + 60.0 * 7200.0);
	add_pauses(120, 8.0, 0.0, 12.0);
	ok(world.size.pool_size == 15, "nor when they end at last");
	add_pauses(120, 40.0, 0.0, 44.0);
	near((double) world.size.pool_size, staffed(4.0, 40.0), 4.0, "40 whose transactions end do");
}

/* A server that is slow, or locked up, needs no other pool than at its busiest. */
static void
test_trouble(void)
{
	int64_t		usual;

	start_over(4);
	add_takes(120, 3.0, 12.0, 300.0);
	usual = world.size.pool_size;
	ok(usual == 24, "4 that are to be active, 12 * 4 / 3 in pauses, and the root of these");
	add_takes(60, 30.0, 12.0, 300.0);
	ok(world.size.pool_size == usual, "a slow spell changes nothing");
	add_takes(60, 90.0, 40.0, 305.0);
	ok(world.size.pool_size == usual, "nor do more clients than help, whose pauses grow with the waits");
	add_takes(600, 60.0, 1.0, 20.0);
	ok(world.size.pool_size == usual, "nor does a pile of waiters");
	add_takes(6000, 0.01, 0.9, 15.0);
	ok(world.size.pool_size == usual, "nor a server at rest");
	add_takes(60, 4.0, 24.0, 600.0);
	near((double) world.size.pool_size, staffed(4.0, 24.0), 2.0, "a busier load does");
}

/* Each query has a leader and three workers. */
static void
test_parallel(void)
{
	const PadvWindowMeans take = {.samples = 10, .taken_at = START, .sessions = 60, .active = 24, .demand = 96,
	.parallel_workers = 72, .in_class = {[PADV_ON_CPU] = 24}};
	const PadvInterval interval = {.seconds = 1.0, .transactions = 40, .run = -1.0, .ready = -1.0};
	double		numbers[PADV_POOL_NUMBERS];
	PadvPoolMemory again;

	start_over(16);
	for (int i = 0; i < 10; i++)
		padv_pool_add(&world.memory, &take, &interval);
	padv_pool_judge(&world.memory, &world.need, START, &world.size);
	near(world.size.inputs.processes, 4.0, 1e-9, "four processes for each connection");
	ok(world.size.pool_size == 4 && world.size.session_pool_size == 4, "so four connections keep 16 cores busy");
	near(world.size.busy_ratio, 4.0, 1e-9, "which is a ratio of 4");
	padv_pool_keep(&world.memory, numbers);
	ok(padv_pool_restore(&again, numbers, PADV_POOL_NUMBERS) && again.busiest_processes == 0.0 &&
	   padv_pool_restore_processes(&again, 4.0) && !padv_pool_restore_processes(&again, 1e6) &&
	   !padv_pool_restore_processes(&again, NAN) && again.busiest_processes == 4.0, "they are restored if they are sound");
}

/* Sessions that look idle but wait for a core are no pauses. */
static void
test_unseen(void)
{
	const PadvWindowMeans take = {.samples = 10, .taken_at = START, .sessions = 200, .demand = 10, .turnaround = 150,
	.held_in_transaction = 30, .round_trip = 9, .in_class = {[PADV_ON_CPU] = 10}};
	const PadvInterval interval = {.seconds = 1.0, .transactions = 9000, .run = 2.0, .ready = 128.0};

	start_over(2);
	for (int i = 0; i < 10; i++)
		padv_pool_add(&world.memory, &take, &interval);
	padv_pool_judge(&world.memory, &world.need, START, &world.size);
	near(world.size.inputs.load.executing, 130.0, 1e-9, "120 of 180 that look idle are ready to run");
	near(world.size.inputs.load.held, 10.0, 1e-9, "so a third of the pauses in transactions are some");
	near(world.size.inputs.load.round_trip, 3.0, 1e-9, "and of the others");
	ok(world.size.pool_size == 19 && world.size.session_pool_size == 70, "which is what the sizes are made of");
}

/* It falls at once while all is new, later once a day; and after two weeks. */
static void
test_falls(void)
{
	int			changes = 0;
	int64_t		before;

	start_over(4);
	add_takes(60, 4.0, 12.0, 300.0);
	world.need.optimal = 2;
	add_takes(70, 4.0, 12.0, 300.0);
	ok(world.size.pool_size == 17, "in the first hour the number falls as the optimum does");

	start_over(4);
	add_takes(60, 0.5, 0.0, 300.0);
	add_takes(60, 0.0, 0.0, 0.0);
	world.need.optimal = 2;
	add_takes(70, 0.0, 0.0, 0.0);
	ok(world.size.pool_size == 2, "also when the load has ended");

	start_over(4);
	add_takes(4000, 4.0, 12.0, 300.0);
	before = world.size.pool_size;
	for (int hour = 0; hour < 48; hour++)
	{
		world.need.optimal = hour % 2 ? 8 : 4;
		add_takes(30, 4.0, 12.0, 300.0);
		changes += world.size.pool_size != before;
		before = world.size.pool_size;
		world.now += HOUR;
	}
	ok(changes <= 4, "with an optimum that goes up and down each hour: %d changes in two days", changes);

	start_over(4);
	add_takes(60, 4.0, 36.0, 300.0);
	ok(world.size.pool_size == 46, "a load of 40");
	for (int day = 0; day < 9; day++)
	{
		world.now = START + day * DAY + HOUR;
		add_takes(60, 4.0, 6.0, 300.0);
	}
	ok(world.size.pool_size == 46, "is remembered for nine days of less");
	for (int day = 9; day < 16; day++)
	{
		world.now = START + day * DAY + HOUR;
		add_takes(700, 4.0, 6.0, 300.0);
	}
	ok(world.size.pool_size == 12, "and not for sixteen");
}

/* An optimum of some minutes, too small or too large, is none of the day. */
static void
test_short_optimum(void)
{
	start_over(10);
	add_takes(4000, 4.0, 1.0, 300.0);
	ok(world.size.pool_size == 14, "ten, and the pauses");
	for (int64_t optimum = 3; optimum <= 40; optimum += 37)
	{
		world.need.optimal = optimum;
		add_takes(300, 4.0, 1.0, 300.0);
		world.need.optimal = 10;
		add_takes(30, 4.0, 1.0, 300.0);
		add_takes(3600, 0.1, 0.0, 12.0);
		ok(world.size.pool_size == 14, "an optimum of %d for five minutes leaves nothing behind", (int) optimum);
	}
	world.need.optimal = 20;
	add_takes(900, 4.0, 1.0, 300.0);
	near((double) world.size.pool_size, staffed(20.0, 5.0), 1.0, "one that lasts does");
}

/* Days with a busy noon and an idle night, sessions simulated one by one. */
static void
test_days(void)
{
	int64_t		before = 0;
	int64_t		at_noon = 0;
	int64_t		at_night = 0;
	int			changes = 0;
	int			worst = 0;

	start_over(4);
	world.interval = SECOND;
	for (int hour = 0; hour < 4 * 24; hour++)
	{
		double		shape = sin((hour % 24 - 6) / 24.0 * 6.283185307);
		double		rate = shape > 0.1 ? 300.0 * shape : 0.2;

		do_work((Work) {40, 3 * MILLI, 8 * MILLI, 0, rate * (0.95 + 0.1 * chance()), true});
		for (int i = 0; i < 60; i++)
		{
			live(60 * SECOND);
			changes += hour >= 24 && world.size.pool_size != before;
			before = world.size.pool_size;
			if (hour >= 24 && shape < -0.5 && before > at_night)
				at_night = before;
			if (hour >= 24 && shape > 0.9 && before > at_noon)
				at_noon = before;
		}
		if (hour % 24 == 23)
		{
			worst = changes > worst ? changes : worst;
			changes = 0;
		}
	}
	ok(worst <= 2, "at most two changes a day (%d)", worst);
	ok(at_night > 0 && at_night <= at_noon, "no more at night (%d) than at noon (%d)", (int) at_night, (int) at_noon);
	near((double) at_noon, staffed(4.0, 4.0 * 8.0 / 6.0), 3.0, "and as many as the transactions need");
	ok(world.now - world.size.inputs.load.at < 3 * DAY, "measured in the last days");
}

static void
test_keeping(void)
{
	double		numbers[PADV_POOL_NUMBERS];
	PadvPoolMemory again;
	PadvPoolSize size;
	int64_t		shown;

	size_of((Work) {60, 1 * MILLI, 4 * MILLI, 10 * MILLI, 0.0, true}, 4);
	shown = world.size.pool_size;
	padv_pool_keep(&world.memory, numbers);
	ok(padv_pool_restore(&again, numbers, PADV_POOL_NUMBERS), "what is kept can be had back");
	padv_pool_judge(&again, &world.need, world.now + HOUR, &size);
	ok(size.pool_size == shown && size.session_pool_size == world.size.session_pool_size &&
	   size.inputs.load.at == world.size.inputs.load.at, "and is the same after a restart");
	padv_pool_judge(&again, &world.need, world.now - 300 * DAY, &size);
	ok(size.pool_size == shown && size.inputs.load.at <= world.now - 300 * DAY, "also when the clock was set back");
	numbers[11] = NAN;
	ok(!padv_pool_restore(&again, numbers, PADV_POOL_NUMBERS), "what is no number is refused");
	numbers[11] = -1.0;
	ok(!padv_pool_restore(&again, numbers, PADV_POOL_NUMBERS), "and what is less than nothing");
	ok(!padv_pool_restore(&again, numbers, 3), "and what is too short");
}

static void
test_peaks(void)
{
	double		numbers[PADV_PEAK_NUMBERS];
	PadvDailyPeak peak;
	PadvDailyPeak again;

	padv_peak_init(&peak);
	ok(padv_peak_most(&peak, START) == 0 && padv_peak_days(&peak, START) == 0, "no peak to begin with");
	padv_peak_add(&peak, START, 300.0);
	padv_peak_add(&peak, START + HOUR, 20.0);
	ok(padv_peak_most(&peak, START + 14 * DAY) == 300, "a peak is remembered for 14 days");
	ok(padv_peak_most(&peak, START + 15 * DAY) == 0, "and no longer");
	ok(padv_peak_days(&peak, START + 7 * DAY) == 7, "a week is known");
	padv_peak_add(&peak, START + 15 * DAY, 7.0);
	ok(padv_peak_most(&peak, START + 15 * DAY) == 7, "another day takes its place");
	padv_peak_add(&peak, -1, 5.0);
	padv_peak_add(&peak, INT64_MIN, 5.0);
	padv_peak_add(&peak, START, NAN);
	padv_peak_keep(&peak, numbers);
	ok(padv_peak_restore(&again, numbers, PADV_PEAK_NUMBERS) &&
	   padv_peak_most(&again, START + 15 * DAY) == 7 && padv_peak_most(&again, 0) == 5, "what is kept can be had back");
	numbers[0] = INFINITY;
	ok(!padv_peak_restore(&again, numbers, PADV_PEAK_NUMBERS), "what is not sound is refused");
}

int
main(void)
{
	world.window = padv_window_init(malloc(padv_window_size(CLIENTS)), CLIENTS);
	test_pauses();
	test_open_loop();
	test_in_transaction();
	test_no_load();
	test_bursts();
	test_long_pauses();
	test_trouble();
	test_unseen();
	test_parallel();
	test_falls();
	test_short_optimum();
	test_days();
	test_keeping();
	test_peaks();
	free(world.window);
	return tap_end();
}
