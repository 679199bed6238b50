/*
 * test_pools.c
 *		Which kind of pool simulated applications have, how soon one is named that is
 *		ill, and that no ordinary pool is in a simulated week; sizes; and the numbers of
 *		pools.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/advice/found_pools.h"
#include "core/sizing/queueing.h"
#include "pool_simulation.h"
#include "tap.h"

static SimWorld world;

#define SAMPLE 0.1

static const char *
kind_of(const SimPool *pool)
{
	const char *name = padv_pool_kind_name(sim_row(&world, pool).kind);

	return name ? name : "(none)";
}

static bool
is_kind(const SimPool *pool, const char *kind, const char *name)
{
	const char *found = kind_of(pool);

	return ok(strcmp(found, kind) == 0, "%s: %s%s%s", name, kind, strcmp(found, kind) == 0 ? "" : ", and not ",
			  strcmp(found, kind) == 0 ? "" : found);
}

/* Seconds until a pool is of a kind; at most so many. */
static double
seconds_until(const SimPool *pool, PadvPoolKind kind, double most)
{
	double		start = world.now;

	while (world.now - start < most)
	{
		sim_tick(&world, SAMPLE);
		if (sim_row(&world, pool).kind == kind)
			return world.now - start;
	}
	return INFINITY;
}

static void
named_within(const SimPool *pool, PadvPoolKind kind, double most, const char *name)
{
	double		seconds = seconds_until(pool, kind, most + 1.0);

	ok(seconds <= most, "%s is named within %.0f s (%.1f s)", name, most, seconds);
}

/* --- buckets, keys ---------------------------------------------------------------- */

static void
test_buckets(void)
{
	uint64_t	held[PADV_HOLD_BUCKETS] = {0};

	ok(padv_hold_bucket(0) == 0 && padv_hold_bucket(63) == 0 && padv_hold_bucket(64) == 1 &&
	   padv_hold_bucket(127) == 1 && padv_hold_bucket(128) == 2, "buckets double from 64 us");
	ok(padv_hold_bucket(UINT64_MAX) == PADV_HOLD_BUCKETS - 1, "the last one has no bound");
	ok(padv_hold_percentile(held, 0.5) < 0.0, "no transaction, no percentile");
	held[padv_hold_bucket(1000)] = 90;
	held[padv_hold_bucket(50000)] = 10;
	ok(padv_hold_percentile(held, 0.5) > 0.000512 && padv_hold_percentile(held, 0.5) < 0.001024, "half take a millisecond");
	ok(padv_hold_percentile(held, 0.95) > 0.032768 && padv_hold_percentile(held, 0.95) < 0.065536, "and some are long");
}

static void
test_numbers(void)
{
	PadvPools  *pools = padv_pools_init(malloc(padv_pools_size()));
	PadvPoolKey key;
	PadvSession session = {.state = PADV_STATE_IDLE};
	PadvSample	sample = {.clock_us = 1000000, .taken_at = 1000000, .count = 1, .sessions = &session};
	int			first;
	int			second;
	uint32_t	generation;
	bool		different = true;

	memset(&key, 0, sizeof(key));
	key.role = 10;
	first = padv_pools_number(pools, &key, padv_pool_hash(&key));
	ok(first > 0 && padv_pools_number(pools, &key, padv_pool_hash(&key)) == first, "a key keeps its number");
	session.pool = (uint16_t) first;
	padv_pools_sample(pools, &sample);
	for (uint32_t i = 1; i < PADV_MAX_FOUND_POOLS - 1; i++)
	{
		key.role = 10 + i;
		different &= padv_pools_number(pools, &key, padv_pool_hash(&key)) != first;
	}
	ok(different, "others have other numbers");
	key.application[0] = 'x';
	ok(padv_pools_number(pools, &key, padv_pool_hash(&key)) == PADV_OTHER_POOLS, "what comes in the same moment finds no room");
	sample.clock_us = sample.taken_at = 2000000;
	padv_pools_sample(pools, &sample);
	generation = padv_pools_generation(pools, first);
	second = padv_pools_number(pools, &key, padv_pool_hash(&key));
	ok(second != PADV_OTHER_POOLS && second != first && padv_pools_generation(pools, first) == generation,
	   "later a number without sessions is given again");
	free(pools);
}

/* --- kinds --------------------------------------------------------------------- */

static void
test_kinds(void)
{
	SimPool		fixed = {.application = "fixed", .rate = 20.0, .service = 0.02, .least = 10, .most = 10, .filled = true,
	.idle_share = 0.3};
	SimPool		elastic = {.application = "elastic", .rate = 5.0, .service = 0.02, .least = 2, .most = 20, .filled = true,
	.idle_timeout = 10.0};
	SimPool		request = {.application = "request", .rate = 5.0, .service = 0.02, .per_request = true};
	SimPool		person = {.application = "person", .rate = 0.05, .service = 2.0, .most = 1};
	PadvFoundPool row;

	sim_start(&world, 1);
	sim_add(&world, &fixed);
	sim_add(&world, &elastic);
	sim_add(&world, &request);
	sim_add(&world, &person);
	sim_run(&world, 90.0, SAMPLE);
	is_kind(&fixed, "fixed", "a pool that keeps its connections");
	is_kind(&request, "per request", "a connection for each request");
	is_kind(&person, "interactive", "a person");

	elastic.rate = 400.0;
	sim_run(&world, 20.0, SAMPLE);
	elastic.rate = 1.0;
	sim_run(&world, 120.0, SAMPLE);
	is_kind(&elastic, "elastic", "a pool that closes what it does not need");
	is_kind(&fixed, "fixed", "still");

	row = sim_row(&world, &fixed);
	ok(row.open == 10 && row.max_open == 10, "all its connections are open");
	near(row.busy, 0.04, 0.02, "and how busy they are");
	ok(row.max_in_use >= 1 && row.max_in_use < 10, "some of them at once");
	near(row.hold_p50_seconds, 0.0139, 0.006, "half of the requests");
	near(row.hold_p95_seconds, 0.06, 0.03, "nearly all of them");
	ok(row.churn_per_minute < 0.5, "it opens none");
	row = sim_row(&world, &request);
	near(row.churn_per_minute, 300.0, 100.0, "one that opens one for each request does");
	ok(sim_row(&world, &person).suggested == 0 && sim_row(&world, &person).size_state == PADV_POOL_PEOPLE, "people need no pool");
	sim_stop(&world);
}

/* --- what is ill ------------------------------------------------------------------ */

static void
test_leaks(void)
{
	SimPool		fresh = {.application = "fresh", .rate = 2.0, .service = 0.02, .most = 300, .leaks = 1.0};
	SimPool		some = {.application = "some", .rate = 40.0, .service = 0.02, .least = 5, .most = 200, .filled = true};
	SimPool		inside = {.application = "inside", .rate = 20.0, .service = 0.02, .least = 5, .most = 200};
	SimPool		slow = {.application = "slow", .rate = 5.0, .service = 0.05, .least = 5, .most = 400, .filled = true};
	double		seconds;

	sim_start(&world, 2);
	sim_add(&world, &fresh);
	named_within(&fresh, PADV_POOL_LEAKING, 60.0, "a leak from the start");
	ok(sim_row(&world, &fresh).leaked >= 5, "with its connections");
	sim_close_all(&world, &fresh);
	fresh.leaks = 0.0;
	sim_run(&world, 10.0, SAMPLE);
	ok(sim_row(&world, &fresh).kind != PADV_POOL_LEAKING, "it ends when they are gone");
	sim_stop(&world);

	sim_start(&world, 3);
	sim_add(&world, &some);
	sim_add(&world, &inside);
	sim_run(&world, 300.0, SAMPLE);
	is_kind(&some, "fixed", "before");
	some.leaks = 0.025;
	inside.leaks = 0.05;
	inside.leaks_inside = true;
	seconds = seconds_until(&some, PADV_POOL_LEAKING, 61.0);
	ok(seconds <= 60.0, "one request in forty is named within a minute (%.1f s)", seconds);
	sim_run(&world, 30.0, SAMPLE);
	is_kind(&inside, "leaking", "transactions that are not ended");
	sim_run(&world, 600.0, SAMPLE);
	is_kind(&some, "leaking", "with the pool used up it still is");
	sim_stop(&world);

	sim_start(&world, 4);
	sim_add(&world, &slow);
	sim_run(&world, 3600.0, 1.0);
	is_kind(&slow, "fixed", "before");
	slow.leaks = 1.0 / 300.0;	/* one a minute */
	for (seconds = 0.0; seconds < 7200.0 && sim_row(&world, &slow).kind != PADV_POOL_LEAKING; seconds++)
		sim_tick(&world, 1.0);
	ok(seconds <= 5400.0, "one a minute is named (%.0f s)", seconds);
	sim_stop(&world);
}

/* Workers that start one after another and wait for something to do look like a leak, for an hour. */
static void
test_idle_workers(void)
{
	SimPool		pool = {.application = "workers", .rate = 1.0, .service = 0.02, .most = 40, .leaks = 1.0};

	sim_start(&world, 8);
	sim_add(&world, &pool);
	sim_run(&world, 90.0, SAMPLE);
	is_kind(&pool, "leaking", "workers that start");
	pool.rate = 0.0;
	sim_run(&world, 3500.0, 1.0);
	is_kind(&pool, "leaking", "after most of an hour");
	sim_run(&world, 200.0, 1.0);
	is_kind(&pool, "fixed", "an hour after the last one");
	sim_stop(&world);
}

/* A pool that closes at once what is returned: what it keeps is young when the burst is over. */
static void
test_young_ones_stay(void)
{
	int			elastic = 0;

	for (int i = 0; i < 20; i++)
	{
		SimPool		pool = {.application = "young", .rate = 70.0, .service = 0.1, .most = 8, .idle_timeout = 0.05};

		sim_start(&world, 60 + (uint64_t) i);
		sim_add(&world, &pool);
		sim_run(&world, 8.0 + 0.5 * i, SAMPLE);
		pool.least = 2;
		pool.rate = 1.0;
		pool.service = 0.05;
		sim_run(&world, 120.0, SAMPLE);
		elastic += sim_row(&world, &pool).kind == PADV_POOL_ELASTIC;
		sim_stop(&world);
	}
	ok(elastic >= 18, "a pool that keeps two of eight is elastic, however young these are (%d of 20)", elastic);
}

/* A pool that closes one connection after another. */
static void
test_steps_down(void)
{
	SimPool		pool = {.application = "steps", .rate = 5.0, .service = 0.02, .least = 8, .most = 8, .filled = true};

	sim_start(&world, 9);
	sim_add(&world, &pool);
	sim_run(&world, 60.0, SAMPLE);
	is_kind(&pool, "fixed", "before");
	pool.filled = false;
	for (pool.least = pool.most = 7; pool.most >= 2; pool.least = --pool.most)
	{
		sim_close(&pool, &pool.connections[pool.most], world.now);
		sim_run(&world, 30.0, SAMPLE);
	}
	sim_run(&world, 60.0, SAMPLE);
	is_kind(&pool, "elastic", "a pool that shrinks step by step");
	sim_stop(&world);
}

static void
test_lock_up(void)
{
	SimPool		pool = {.application = "pool", .rate = 50.0, .service = 0.05, .least = 8, .most = 8, .filled = true, .idle_share = 0.5};
	SimPool		fresh = {.application = "fresh", .rate = 0.0, .service = 0.05, .least = 3, .most = 3, .filled = true};
	SimPool		two = {.application = "two people", .rate = 0.0, .service = 0.05, .most = 2};

	sim_start(&world, 5);
	sim_add(&world, &pool);
	sim_run(&world, 120.0, SAMPLE);
	is_kind(&pool, "fixed", "before");
	pool.rate = 0.0;
	for (int i = 0; i < 8; i++)
		pool.connections[i] = (SimConnection) {
		.pid = pool.connections[i].pid, .opened = pool.connections[i].opened, .start = world.now + i * 0.05, .end = FOREVER
	};
	named_within(&pool, PADV_POOL_LOCKED_UP, 60.0, "a lock-up");
	ok(sim_row(&world, &pool).stuck_seconds >= 25.0 && sim_row(&world, &pool).size_state == PADV_POOL_STUCK, "without a size by load");

	/* the application is started anew */
	sim_close_all(&world, &pool);
	pool.rate = 50.0;
	sim_run(&world, 5.0, SAMPLE);
	ok(sim_row(&world, &pool).kind == PADV_POOL_FIXED, "it ends with the application");
	pool.connections[0].start = world.now;
	pool.connections[0].end = FOREVER;
	sim_run(&world, 90.0, SAMPLE);
	is_kind(&pool, "fixed", "one that forgets its transaction is none");

	/* from the start, and two people who leave theirs open */
	sim_add(&world, &fresh);
	sim_add(&world, &two);
	sim_tick(&world, SAMPLE);
	for (int i = 0; i < 3; i++)
	{
		fresh.connections[i].start = world.now;
		fresh.connections[i].end = FOREVER;
	}
	sim_open(&world, &two, world.now)->end = FOREVER;
	sim_run(&world, 15.0, SAMPLE);
	sim_open(&world, &two, world.now)->end = FOREVER;
	named_within(&fresh, PADV_POOL_LOCKED_UP, 60.0, "one from the start");
	sim_run(&world, 600.0, SAMPLE);
	is_kind(&two, "interactive", "two people in transactions");
	sim_stop(&world);
}

static void
test_per_request(void)
{
	SimPool		pool = {.application = "web", .rate = 5.0, .service = 0.005, .per_request = true};

	sim_start(&world, 6);
	sim_add(&world, &pool);
	named_within(&pool, PADV_POOL_PER_REQUEST, 60.0, "a connection for each request");
	ok(sim_row(&world, &pool).size_state == PADV_POOL_SIZED && sim_row(&world, &pool).suggested == 1, "one connection would do");
	pool.per_request = false;
	pool.least = pool.most = 5;
	sim_run(&world, 200.0, SAMPLE);
	is_kind(&pool, "per request", "hysteresis");
	sim_run(&world, 300.0, SAMPLE);
	is_kind(&pool, "fixed", "later");
	sim_stop(&world);
}

/* --- a week of ordinary pools -------------------------------------------------------- */

static double
day_time(void)
{
	return fmod(world.now - 1e6, 86400.0);
}

/* Requests by the hour, from 0.1 to 1. */
static double
daily(double hour)
{
	return 0.1 + 0.9 * fmax(0.0, sin((hour - 7.0) / 12.0 * 3.14159265358979));
}

typedef struct Week
{
	SimPool		hikari;			/* of fixed size, with a maximum age */
	SimPool		elastic;		/* node-postgres: the last used first, idle timeout */
	SimPool		lazy;			/* SQLAlchemy: fills as needed, the longest idle first */
	SimPool		fleet;			/* 40 processes with a connection each */
	SimPool		green;			/* a second set during a deployment */
	SimPool		batch;
	SimPool		cron;			/* psql once in five minutes */
	SimPool		monitor;
	SimPool		people[4];
	int			ill;			/* seconds */
	char		first[200];
} Week;

static Week week;

static void
watch_week(void)
{
	static PadvFoundPool rows[PADV_MAX_FOUND_POOLS];
	int			count = padv_pools_rows(world.found, rows);

	for (int i = 0; i < count; i++)
	{
		PadvPoolKind kind = rows[i].kind;

		if (kind != PADV_POOL_LEAKING && kind != PADV_POOL_LOCKED_UP && kind != PADV_POOL_PER_REQUEST)
			continue;
		if (week.ill++ == 0)
			snprintf(week.first, sizeof(week.first), "%s %s after %.4f days, %lld open", rows[i].key.application,
					 padv_pool_kind_name(kind), (world.now - 1e6) / 86400.0, (long long) rows[i].open);
	}
}

/* What happens at this second. */
static void
happen(int64_t second, double burst)
{
	double		hour = day_time() / 3600.0;
	double		busy = daily(hour);

	week.hikari.rate = 6.0 * busy * burst;
	week.elastic.rate = 4.0 * busy * burst;
	week.lazy.rate = 4.0 * busy * burst;
	week.fleet.rate = 2.0 * busy * burst;
	week.green.rate = week.hikari.rate;

	/* deployments at ten: all at once, rolling, a second set beside the first */
	if (second % 86400 == 36000)
	{
		sim_close_all(&world, &week.hikari);
		sim_close_all(&world, &week.elastic);
		sim_close_all(&world, &week.lazy);
		sim_close_all(&world, &week.fleet);
	}
	if (second % 86400 == 50000)
		week.green.stopped = false;
	if (second % 86400 == 50120)
		sim_close_all(&world, &week.hikari);
	if (second % 86400 == 50300)
	{
		sim_close_all(&world, &week.green);
		week.green.stopped = true;
	}

	/* the batch from two to four, with long pauses inside transactions */
	if (second % 86400 == 7200)
		week.batch.rate = 0.05;
	if (second % 86400 == 14400)
	{
		week.batch.rate = 0.0;
		sim_close_all(&world, &week.batch);
	}
	if (second % 300 == 7)
		sim_request(&world, &week.cron, world.now);
	if (second % 15 == 3)
		sim_request(&world, &week.monitor, world.now);

	/* people come at eight and go at six; one leaves a transaction open over lunch */
	for (int i = 0; i < 4; i++)
	{
		week.people[i].rate = hour > 8.0 && hour < 18.0 ? 0.03 : 0.0;
		if (second % 86400 == 64800 + i * 60)
			sim_close_all(&world, &week.people[i]);
		if (second % 86400 == 43200 && i == 0 && week.people[i].connections[0].pid != 0)
		{
			week.people[i].connections[0].start = world.now;
			week.people[i].connections[0].end = world.now + 3600.0;
			week.people[i].connections[0].counted = false;
		}
	}
}

static void
add_week(void)
{
	static const char *const names[] = {"psql", "pgAdmin 4", "DBeaver", "pgcli"};

	memset(&week, 0, sizeof(week));
	week.hikari = (SimPool) {.application = "hikari", .service = 0.03, .least = 10, .most = 10, .filled = true,
	.max_lifetime = 1800.0, .idle_share = 0.3};
	week.green = week.hikari;
	week.green.stopped = true;
	week.elastic = (SimPool) {.application = "elastic", .service = 0.05, .most = 20, .idle_timeout = 10.0, .idle_share = 0.2};
	week.lazy = (SimPool) {.application = "lazy", .service = 0.05, .most = 30, .fifo = true, .idle_share = 0.2};
	week.fleet = (SimPool) {.application = "fleet", .service = 0.05, .most = 40, .random = true};
	week.batch = (SimPool) {.application = "batch", .service = 120.0, .least = 6, .most = 6, .idle_share = 0.5};
	week.cron = (SimPool) {.application = "cron", .service = 1.0, .per_request = true};
	week.monitor = (SimPool) {.application = "monitor", .service = 0.02, .per_request = true};
	sim_add(&world, &week.hikari);
	sim_add(&world, &week.green);
	sim_add(&world, &week.elastic);
	sim_add(&world, &week.lazy);
	sim_add(&world, &week.fleet);
	sim_add(&world, &week.batch);
	sim_add(&world, &week.cron);
	sim_add(&world, &week.monitor);
	for (int i = 0; i < 4; i++)
	{
		week.people[i] = (SimPool) {.application = names[i], .service = 3.0, .most = i == 0 ? 3 : 1};
		sim_add(&world, &week.people[i]);
	}
}

static void
test_week(uint64_t seed, int days)
{
	double		burst = 1.0;
	double		burst_ends = 0.0;

	sim_start(&world, seed);
	add_week();
	for (int64_t second = 0; second < (int64_t) days * 86400; second++)
	{
		if (world.now > burst_ends)
			burst = 1.0;
		if (sim_random(&world) < 1.0 / 20000.0)
		{
			burst = 5.0 + 20.0 * sim_random(&world);
			burst_ends = world.now + 300.0 * sim_random(&world);
		}
		happen(second, burst);
		sim_tick(&world, 1.0);
		if (second % 5 == 0)
			watch_week();
	}
	ok(week.ill == 0, "seed %llu: in %d days no ordinary pool is called ill%s%s", (unsigned long long) seed, days,
	   week.ill > 0 ? ": " : "", week.first);
	is_kind(&week.hikari, "fixed", "HikariCP");
	is_kind(&week.elastic, "elastic", "node-postgres");
	is_kind(&week.lazy, "fixed", "SQLAlchemy");
	is_kind(&week.fleet, "fixed", "a fleet of processes");
	is_kind(&week.monitor, "interactive", "a look every 15 s");
	sim_stop(&world);
}

/* --- sizes --------------------------------------------------------------------------- */

static void
test_sizes(void)
{
	static const struct
	{
		double		rate;
		double		service;
	}			loads[] = {{5.0, 0.05}, {40.0, 0.05}, {100.0, 0.05}, {200.0, 0.04}, {30.0, 0.4}};

	for (int i = 0; i < 5; i++)
	{
		SimPool		pool = {.application = "sized", .rate = loads[i].rate, .service = loads[i].service, .least = 60, .most = 60,
		.filled = true, .idle_share = 1.0};
		int64_t		right = padv_required_size(loads[i].rate, loads[i].service, 0.1 * loads[i].service);
		int64_t		found;

		sim_start(&world, 10 + (uint64_t) i);
		sim_add(&world, &pool);
		sim_run(&world, 600.0, SAMPLE);
		found = sim_row(&world, &pool).suggested;
		ok(llabs(found - right) <= 1, "%.0f requests/s of %.0f ms: %lld, and M/M/c says %lld", loads[i].rate,
		   1e3 * loads[i].service, (long long) found, (long long) right);
		sim_stop(&world);

		/* the wait in a pool of that size */
		pool = (SimPool) {
			.application = "sized", .rate = loads[i].rate, .service = loads[i].service, .least = (int) found, .most = (int) found,
				.filled = true
		};
		sim_start(&world, 20 + (uint64_t) i);
		sim_add(&world, &pool);
		sim_run(&world, 1200.0, 1.0);
		ok(pool.waited / pool.requests <= 0.13 * loads[i].service, "then requests wait %.3f service times",
		   pool.waited / pool.requests / loads[i].service);
		sim_stop(&world);
	}
}

/* A pool that gets `rate` for the first `lasts` seconds of each `period`, and `base` otherwise. */
typedef struct Bursts
{
	double		period;
	double		lasts;
	double		rate;
	double		base;
	double		service;
} Bursts;

/* The mean wait with a size, in service times. */
static double
wait_in_bursts(const Bursts *bursts, int size, int64_t *suggested)
{
	SimPool		pool = {.application = "bursts", .service = bursts->service, .least = size, .most = size, .filled = true, .idle_share = 0.3};
	double		start;

	sim_start(&world, 40);
	world.optimal = 200;
	sim_add(&world, &pool);
	for (start = world.now; world.now - start < 1800.0;)
	{
		pool.rate = fmod(world.now - start + 1e-6, bursts->period) < bursts->lasts ? bursts->rate : bursts->base;
		sim_tick(&world, bursts->lasts < SAMPLE ? bursts->lasts : SAMPLE);
	}
	*suggested = sim_row(&world, &pool).suggested;
	sim_stop(&world);
	return pool.waited / pool.requests / bursts->service;
}

static void
test_bursts(void)
{
	static const Bursts all[] = {
		{60.0, 2.0, 100.0, 1.0, 0.05}, {300.0, 5.0, 100.0, 2.0, 0.05}, {300.0, 20.0, 100.0, 2.0, 0.05},
		{60.0, 2.0, 2000.0, 1.0, 0.001}, {1.0, 0.1, 200.0, 0.0, 0.05}, {10.0, 0.05, 400.0, 0.0, 0.05},
		{10.0, 0.05, 400.0, 20.0, 0.05},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
	{
		int64_t		suggested;
		int64_t		ignored;
		int			smallest = 1;
		double		wait;

		(void) wait_in_bursts(&all[i], 60, &suggested);
		while (wait_in_bursts(&all[i], smallest, &ignored) > 0.1)
			smallest++;
		wait = wait_in_bursts(&all[i], (int) suggested, &ignored);
		ok(llabs(suggested - smallest) <= 2 && wait <= 0.3,
		   "%g s of %g/s in each %g s: %lld, and %d is the smallest with a wait of a tenth; with %lld it is %.2f",
		   all[i].lasts, all[i].rate, all[i].period, (long long) suggested, smallest, (long long) suggested, wait);
	}
}

/* More at work than the optimum: the size does not follow what they wait for. */
static void
test_slowed_down(void)
{
	SimPool		pool = {.application = "slow", .rate = 400.0, .service = 0.2, .least = 60, .most = 60, .filled = true};
	char		text[PADV_POOL_REASON];
	PadvFoundPool row;

	sim_start(&world, 30);
	sim_add(&world, &pool);
	sim_run(&world, 120.0, SAMPLE);
	row = sim_row(&world, &pool);
	ok(row.slows_down && row.suggested >= 8 && row.suggested <= 10, "the optimum of 8 active bounds the size (%lld)", (long long) row.suggested);
	ok(row.busiest.all_in_use, "all were in use");
	padv_explain_found_pool(&row, text, sizeof(text));
	ok(strstr(text, "the optimum of the server is 8: more only slow each other down. So 8 active ones") != NULL, "and the reason says so: %s", text);
	padv_pools_forget_sizes(world.found);
	pool.rate = 0.0;
	sim_run(&world, 70.0, SAMPLE);
	row = sim_row(&world, &pool);
	ok(row.max_open == 60 && row.open == 60, "peaks stay");
	padv_pools_forget_peaks(world.found);
	sim_close_all(&world, &pool);
	pool.filled = false;
	sim_run(&world, 5.0, SAMPLE);
	ok(sim_row(&world, &pool).max_open <= 60, "until they are forgotten");
	sim_stop(&world);
}

/* Short transactions, and stalls in which all wait: no more are in use than are open. */
static void
test_stalls(void)
{
	SimPool		pool = {.application = "stalls", .rate = 60.0, .service = 0.001, .least = 3, .most = 3, .filled = true};

	sim_start(&world, 32);
	sim_add(&world, &pool);
	for (int i = 0; i < 30; i++)
	{
		sim_run(&world, 5.0, SAMPLE);
		for (int j = 0; j < 3; j++)
		{
			pool.connections[j].start = world.now;
			pool.connections[j].end = world.now + 5.0;
			pool.connections[j].counted = false;
		}
		sim_run(&world, 5.0, SAMPLE);
	}
	ok(sim_row(&world, &pool).busiest.load <= 3.0, "stalls do not make a load that the pool cannot have (%.2f of 3)",
	   sim_row(&world, &pool).busiest.load);
	sim_stop(&world);
}

/* Advice on a pool that is too large ends when it is not any more. */
static void
test_made_smaller(void)
{
	SimPool		pool = {.application = "smaller", .rate = 20.0, .service = 0.02, .least = 30, .most = 30, .filled = true};
	SimPool		gone = pool;
	PadvFoundCounts counts;
	PadvFoundPool rows[2];

	gone.application = "gone";
	sim_start(&world, 31);
	sim_add(&world, &pool);
	sim_add(&world, &gone);
	sim_run(&world, 700.0, SAMPLE);
	rows[0] = sim_row(&world, &pool);
	rows[1] = sim_row(&world, &gone);
	padv_count_found_advice(rows, 2, &counts);
	ok(counts.advice[PADV_INFO] == 2, "two pools are too large");
	sim_close_all(&world, &pool);
	sim_close_all(&world, &gone);
	gone.stopped = true;
	pool.least = pool.most = 3;
	sim_run(&world, 10.0, SAMPLE);
	rows[0] = sim_row(&world, &pool);
	rows[1] = sim_row(&world, &gone);
	padv_count_found_advice(rows, 2, &counts);
	ok(counts.advice[PADV_INFO] == 1 && rows[1].open == 0, "one that has ended is not");
	sim_run(&world, 1200.0, SAMPLE);
	rows[0] = sim_row(&world, &pool);
	padv_count_found_advice(rows, 1, &counts);
	ok(counts.advice[PADV_INFO] == 0 && rows[0].open == 3 && rows[0].max_open == 30, "nor is one that was made smaller");
	sim_stop(&world);
}

/* --- words ----------------------------------------------------------------------- */

static int
advise(PadvFoundPool pool, PadvAdvice *advice)
{
	static PadvLocalStatus local;
	PadvNamedPool named = {
		.pool = pool, .role = "web", .database = "shop", .application = "it's", .client = "10.0.0.1",
		.role_literal = "'web'", .application_literal = "'it''s'",
	};

	local.status.model.inputs.usable_connections = 97;
	return padv_advise_found_pools(&local, &named, 1, advice);
}

static void
test_advice(void)
{
	static PadvAdvice advice[PADV_MAX_FOUND_ADVICE];
	PadvFoundPool pool = {.kind = PADV_POOL_FIXED, .open = 50, .max_open = 50, .open_lately = 50, .max_in_use = 4, .suggested = 5,
		.known_seconds = 7200.0, .kind_seconds = 7200.0, .hold_p50_seconds = 0.01, .hold_p95_seconds = 0.02,
	.busiest = {.at = 1, .rate = 100.0, .load = 2.0, .mean = 2.0, .active = 0.5}};

	ok(advise(pool, advice) == 1 && strcmp(advice[0].code, "pool_too_large") == 0 && advice[0].severity == PADV_INFO,
	   "ten times too large: %s", advice[0].finding);
	ok(strcmp(advice[0].fix, "SELECT suggested_size, reason FROM pool_advisor.pools WHERE role = 'web' AND application_name = 'it''s';") == 0,
	   "with a line to run");
	pool.known_seconds = 60.0;
	ok(advise(pool, advice) == 0, "not after a minute");
	pool.known_seconds = 7200.0;
	pool.open_lately = 12;
	ok(advise(pool, advice) == 0, "not by a few connections");
	pool.kind = PADV_POOL_LEAKING;
	pool.leaked = 40;
	ok(advise(pool, advice) == 1 && strcmp(advice[0].code, "pool_leaking") == 0, "a leak: %s", advice[0].finding);
	ok(strstr(advice[0].fix, "application_name = 'it''s'") != NULL, "%s", advice[0].fix);
	pool.kind = PADV_POOL_LOCKED_UP;
	pool.stuck_seconds = 40.0;
	ok(advise(pool, advice) == 1 && strcmp(advice[0].code, "pool_locked_up") == 0 && advice[0].severity == PADV_WARNING,
	   "a lock-up: %s", advice[0].finding);
	pool.stuck_seconds = 400.0;
	ok(advise(pool, advice) == 1 && advice[0].severity == PADV_CRITICAL, "a long one is critical");
	pool.kind = PADV_POOL_PER_REQUEST;
	pool.brief_per_minute = 1200.0;
	ok(advise(pool, advice) == 1 && strcmp(advice[0].code, "pool_per_request") == 0 &&
	   strstr(advice[0].recommendation, "A pool of 5") != NULL, "per request: %s", advice[0].finding);
	pool.brief_per_minute = 9.0;
	ok(advise(pool, advice) == 0, "a login now and then is no matter");
	pool.kind = PADV_POOL_INTERACTIVE;
	ok(advise(pool, advice) == 0, "people need none");
}

/* More advice than there is room for: what is severe stays, wherever its pool is. */
static void
test_crowd(void)
{
	static PadvAdvice advice[PADV_MAX_FOUND_ADVICE];
	static PadvNamedPool pools[30];
	static PadvLocalStatus local;

	for (int i = 0; i < 30; i++)
		pools[i] = (PadvNamedPool) {
			.pool = {.kind = PADV_POOL_FIXED, .open = 50, .max_open = 50, .open_lately = 50, .max_in_use = 4, .suggested = 5,
				.known_seconds = 7200.0, .busiest = {.at = 1, .rate = 100.0, .load = 2.0, .mean = 2.0, .active = 0.5}},
			.role = "web", .database = "shop", .application = "web", .role_literal = "'web'", .application_literal = "'web'",
		};
	pools[27].pool.kind = PADV_POOL_PER_REQUEST;
	pools[27].pool.brief_per_minute = 600.0;
	pools[28].pool.kind = PADV_POOL_LOCKED_UP;
	pools[28].pool.stuck_seconds = 900.0;
	pools[29].pool.kind = PADV_POOL_LEAKING;
	ok(padv_advise_found_pools(&local, pools, 30, advice) == PADV_MAX_FOUND_ADVICE, "as much advice as there is room for");
	ok(advice[0].severity == PADV_CRITICAL && strcmp(advice[0].code, "pool_locked_up") == 0, "with the critical one first");
	ok(advice[1].severity == PADV_WARNING && advice[2].severity == PADV_WARNING && advice[3].severity == PADV_INFO,
	   "then the warnings");
}

int
main(int argc, char **argv)
{
	if (argc > 1)
	{
		/* other weeks */
		test_week((uint64_t) atoi(argv[1]), 7);
		return tap_end();
	}
	test_buckets();
	test_numbers();
	test_kinds();
	test_leaks();
	test_idle_workers();
	test_young_ones_stay();
	test_steps_down();
	test_lock_up();
	test_per_request();
	test_sizes();
	test_bursts();
	test_slowed_down();
	test_stalls();
	test_made_smaller();
	test_week(7, 7);
	test_advice();
	test_crowd();
	return tap_end();
}
