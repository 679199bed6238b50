/*
 * pool_simulation.h
 *		Pools of applications, request by request, as a sampler sees them.
 *
 * It knows how pools work, not the rules of core/model/pools.c.  Requests arrive as a
 * Poisson process.  A pool gives a free connection, opens one up to its most, or lets the
 * request wait.  The seed is fixed, so it gives the same figures in every run.  test_pools.c
 * includes it.
 */
#ifndef PADV_POOL_SIMULATION_H
#define PADV_POOL_SIMULATION_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/pools.h"

#define US INT64_C(1000000)
#define SIM_CONNECTIONS 512
#define SIM_POOLS 64
#define SIM_SESSIONS 4096
#define FOREVER 1e15

typedef struct SimConnection
{
	int			pid;			/* 0: not open */
	double		opened;
	double		start;			/* of the latest request */
	double		end;
	bool		counted;		/* the latest request has been */
	bool		leaked;
} SimConnection;

typedef struct SimPool
{
	/* the application */
	const char *application;
	const char *client;			/* as key */
	double		rate;			/* requests a second */
	double		service;		/* mean seconds */
	double		idle_share;		/* of a request, idle in its transaction */

	/* the pool */
	int			least;
	int			most;
	bool		filled;			/* opens the least at the start */
	bool		fifo;			/* uses the connection that is idle longest */
	bool		random;			/* any, as when each has a process of its own */
	double		idle_timeout;	/* 0: none */
	double		max_lifetime;
	bool		per_request;
	double		leaks;			/* share of requests that do not return theirs */
	bool		leaks_inside;	/* a transaction */

	bool		stopped;
	int			high;			/* places below this have been used */
	SimConnection connections[SIM_CONNECTIONS];
	PadvPoolWork work;
	double		waited;
	double		requests;
} SimPool;

typedef struct SimWorld
{
	double		now;
	uint64_t	seed;
	int			next_pid;
	int			npools;
	SimPool    *pools[SIM_POOLS];
	PadvPools  *found;
	PadvSample	sample;
	PadvSession sessions[SIM_SESSIONS];
	int64_t		started[SIM_SESSIONS];
	int64_t		optimal;
	double		next_second;
} SimWorld;

static double
sim_random(SimWorld *world)
{
	/* xorshift64* */
	world->seed ^= world->seed >> 12;
	world->seed ^= world->seed << 25;
	world->seed ^= world->seed >> 27;
	return (double) ((world->seed * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

static double
sim_exponential(SimWorld *world, double mean)
{
	return -mean * log(1.0 - sim_random(world));
}

static void
sim_start(SimWorld *world, uint64_t seed)
{
	memset(world, 0, sizeof(*world));
	world->seed = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
	world->next_pid = 1000;
	world->now = 1e6;
	world->next_second = world->now;
	world->optimal = 8;
	world->found = padv_pools_init(malloc(padv_pools_size()));
	world->sample.sessions = world->sessions;
}

static void
sim_stop(SimWorld *world)
{
	free(world->found);
}

static void
sim_add(SimWorld *world, SimPool *pool)
{
	world->pools[world->npools++] = pool;
}

static int
sim_number(const SimWorld *world, const SimPool *pool)
{
	PadvPoolKey key;

	memset(&key, 0, sizeof(key));
	key.role = 10;
	key.database = 5;
	if (pool->client)
	{
		key.family = 128;
		memcpy(key.address, pool->client, strlen(pool->client) < 16 ? strlen(pool->client) : 16);
	}
	snprintf(key.application, sizeof(key.application), "%s", pool->application);
	return padv_pools_number(world->found, &key, padv_pool_hash(&key));
}

/* --- connections --- */

static int
sim_open_count(const SimPool *pool)
{
	int			count = 0;

	for (int i = 0; i < pool->high; i++)
		count += pool->connections[i].pid != 0;
	return count;
}

static SimConnection *
sim_open(SimWorld *world, SimPool *pool, double at)
{
	for (int i = 0; i < SIM_CONNECTIONS; i++)
	{
		SimConnection *connection = &pool->connections[i];

		if (i < pool->high && connection->pid != 0)
			continue;
		if (i >= pool->high)
			pool->high = i + 1;
		*connection = (SimConnection) {
			.pid = world->next_pid++, .opened = at, .start = at, .end = at, .counted = true
		};
		return connection;
	}
	return NULL;
}

static void
sim_count(SimPool *pool, SimConnection *connection)
{
	double		us = (connection->end - connection->start) * 1e6;

	if (connection->counted)
		return;
	connection->counted = true;
	pool->work.inside_us += (int64_t) us;
	pool->work.held[padv_hold_bucket((uint64_t) us)]++;
}

static void
sim_close(SimPool *pool, SimConnection *connection, double at)
{
	double		life = at - connection->opened;

	if (connection->end > at)
		connection->end = at;
	if (!connection->counted)
		sim_count(pool, connection);
	pool->work.ended++;
	pool->work.brief += life < 1.0 || (life < 10.0 && pool->per_request);
	connection->pid = 0;
}

static void
sim_close_all(SimWorld *world, SimPool *pool)
{
	for (int i = 0; i < pool->high; i++)
		if (pool->connections[i].pid != 0)
			sim_close(pool, &pool->connections[i], world->now);
}

static void
sim_fill(SimWorld *world, SimPool *pool)
{
	for (int open = sim_open_count(pool); open < pool->least; open++)
		(void) sim_open(world, pool, world->now);
}

/* The free connection that this pool uses next, or NULL. */
static SimConnection *
sim_free(SimWorld *world, SimPool *pool, double at)
{
	SimConnection *best = NULL;
	int			seen = 0;

	for (int i = 0; i < pool->high; i++)
	{
		SimConnection *connection = &pool->connections[i];

		if (connection->pid == 0 || connection->leaked || connection->end > at)
			continue;
		seen++;
		if (best == NULL ||
			(pool->random ? sim_random(world) * seen < 1.0 :
			 pool->fifo ? connection->end < best->end : connection->end > best->end))
			best = connection;
	}
	return best;
}

/* The one that is free first. */
static SimConnection *
sim_first_free(SimPool *pool)
{
	SimConnection *best = NULL;

	for (int i = 0; i < pool->high; i++)
	{
		SimConnection *connection = &pool->connections[i];

		if (connection->pid != 0 && !connection->leaked && connection->end < FOREVER &&
			(best == NULL || connection->end < best->end))
			best = connection;
	}
	return best;
}

static void
sim_request(SimWorld *world, SimPool *pool, double at)
{
	SimConnection *connection = NULL;
	double		start = at;

	/* each process has its own, so a new one opens where the request lands */
	if (pool->random && sim_random(world) * pool->most >= sim_open_count(pool))
		connection = sim_open(world, pool, at);
	else if (!pool->per_request)
		connection = sim_free(world, pool, at);
	if (connection == NULL && (pool->per_request || sim_open_count(pool) < pool->most))
		connection = sim_open(world, pool, at);
	if (connection == NULL && (connection = sim_first_free(pool)) != NULL)
		start = connection->end > at ? connection->end : at;
	if (connection == NULL)
		return;
	sim_count(pool, connection);
	pool->waited += start - at;
	pool->requests += 1.0;
	connection->start = start;
	connection->end = start + sim_exponential(world, pool->service);
	connection->counted = false;
	if (pool->leaks > 0.0 && sim_random(world) < pool->leaks)
	{
		connection->leaked = true;
		if (pool->leaks_inside)
			connection->end = FOREVER;
	}
}

/* --- time --- */

static void
sim_tick_pool(SimWorld *world, SimPool *pool, double until)
{
	double		at = world->now;

	if (pool->stopped)
		return;
	if (pool->filled)
		sim_fill(world, pool);
	while (pool->rate > 0.0 && (at += sim_exponential(world, 1.0 / pool->rate)) < until)
		sim_request(world, pool, at);
	for (int i = 0; i < pool->high; i++)
	{
		SimConnection *connection = &pool->connections[i];

		if (connection->pid == 0 || connection->end > until)
			continue;
		sim_count(pool, connection);
		if (pool->per_request && !connection->leaked)
			sim_close(pool, connection, connection->end);
		else if (pool->idle_timeout > 0.0 && !connection->leaked && until - connection->end > pool->idle_timeout &&
				 sim_open_count(pool) > pool->least)
			sim_close(pool, connection, until);
		else if (pool->max_lifetime > 0.0 && until - connection->opened > pool->max_lifetime)
			sim_close(pool, connection, until);
	}
}

static void
sim_sample_pool(SimWorld *world, SimPool *pool)
{
	int			number = sim_number(world, pool);

	for (int i = 0; i < pool->high; i++)
	{
		SimConnection *connection = &pool->connections[i];
		bool		busy = connection->end > world->now;
		PadvSession *session = &world->sessions[world->sample.count];

		if (connection->pid == 0)
			continue;
		*session = (PadvSession) {
			.status_index = world->sample.count, .pid = connection->pid, .pool = (uint16_t) number,
			.state = PADV_STATE_IDLE,
			.state_start = (int64_t) ((busy ? connection->start : connection->end) * 1e6),
		};
		if (busy)
		{
			bool		idle = (connection->leaked && pool->leaks_inside) || connection->end >= FOREVER ||
				sim_random(world) < pool->idle_share;

			session->state = idle ? PADV_STATE_IDLE_IN_TRANSACTION : PADV_STATE_ACTIVE;
			session->demands = !idle;
		}
		world->started[world->sample.count++] = (int64_t) (connection->opened * 1e6);
	}
}

/* One sample, dt seconds after the last one; the pools are judged once a second. */
static void
sim_tick(SimWorld *world, double dt)
{
	double		until = world->now + dt;

	for (int i = 0; i < world->npools; i++)
		sim_tick_pool(world, world->pools[i], until);
	world->now = until;
	world->sample.count = 0;
	for (int i = 0; i < world->npools; i++)
		sim_sample_pool(world, world->pools[i]);
	world->sample.clock_us = world->sample.taken_at = (int64_t) (world->now * 1e6);
	padv_pools_sample(world->found, &world->sample);
	if (world->now + 1e-9 < world->next_second)
		return;
	world->next_second += 1.0;
	for (int i = 0; i < world->npools; i++)
	{
		padv_pools_work(world->found, sim_number(world, world->pools[i]), &world->pools[i]->work);
		memset(&world->pools[i]->work, 0, sizeof(PadvPoolWork));
	}
	padv_pools_second(world->found, &world->sample, world->started, world->optimal);
}

static void
sim_run(SimWorld *world, double seconds, double dt)
{
	int64_t		ticks = (int64_t) (seconds / dt + 0.5);

	for (int64_t i = 0; i < ticks; i++)
		sim_tick(world, dt);
}

/* The row of a pool; all 0 when it is not shown. */
static PadvFoundPool
sim_row(const SimWorld *world, const SimPool *pool)
{
	static PadvFoundPool rows[PADV_MAX_FOUND_POOLS];
	int			count = padv_pools_rows(world->found, rows);
	PadvFoundPool nothing;

	for (int i = 0; i < count; i++)
		if (strcmp(rows[i].key.application, pool->application) == 0)
			return rows[i];
	memset(&nothing, 0, sizeof(nothing));
	return nothing;
}

#endif							/* PADV_POOL_SIMULATION_H */
