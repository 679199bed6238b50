/*
 * production.h
 *		A server and its clients, simulated second by second, whose best number of
 *		connections is known.
 *
 * Sessions take their time in a queueing network: cores, a row that all want, disks,
 * and commits, which are flushed in groups and so do not queue.  Its throughput with
 * n at work comes from mean value analysis (Reiser and Lavenberg 1980, with Seidmann's
 * approximation for several servers).  Requests come at their own rate (open loop),
 * and those that find no session wait in the client; or each client waits for its
 * answer (closed loop).  The core is fed in the order of the worker: counters, means
 * of the samples, interval, scalability, model.  The simulation knows nothing of the
 * core's rules.  Fixed seeds give the same day in every run.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_PRODUCTION_H
#define PADV_PRODUCTION_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/model/model.h"
#include "core/model/scalability.h"
#include "core/stats/interval.h"
#include "core/stats/load.h"

#ifndef PADV_DESCRIBE
#define PADV_DESCRIBE(take, before, after, interval) \
	padv_interval_describe(take, before, after, -1.0, interval)
#endif

#define PRODUCTION_MAX 1000		/* sessions */
#define PRODUCTION_STEPS 10		/* in a second */
#define JUDGE_SECONDS 5
#define MINUTE 60
#define LONGEST_READ 0.005		/* of a disk without a queue, in seconds */

/* What a transaction needs, in seconds, and what there is for it. */
typedef struct ProductionServer
{
	int			cores;
	int			disks;
	double		cpu;
	double		spin;			/* by how much each at work makes cpu longer */
	double		row;			/* that only one can have at a time */
	double		thrash;			/* likewise for the row */
	double		disk;
	double		commit;
	double		hold;			/* idle in the transaction */
	double		turnaround;		/* between two transactions, in the pool */
} ProductionServer;

/* By how much something is slower than it should be; 1 is as it should be. */
typedef struct ProductionWeather
{
	double		cpu;
	double		disk;
	double		commit;
	double		all;			/* everything: a stall */
	double		cores_taken;	/* by others, or by a batch */
	double		batch;			/* of these, by sessions of the server */
	double		mix;			/* heavier transactions */
	double		reads;			/* more reads: less is cached */
} ProductionWeather;

enum
{
	AT_CORES,
	READY,
	AT_ROW,
	AT_DISKS,
	AT_COMMIT,
	HOLDING,
	TURNING,
	PLACES
};

/* With n at work. */
typedef struct ProductionPoint
{
	double		throughput;
	double		at[PLACES];		/* sessions */
} ProductionPoint;

typedef struct Production
{
	ProductionServer server;
	ProductionWeather weather;
	ProductionWeather solved_for;
	int			sessions;		/* open connections, all a pool's */
	int			idle;			/* of these, not there at all */
	double		noise;			/* in speed, as a share */
	uint64_t	seed;
	ProductionPoint points[PRODUCTION_MAX + 1];
	double		backlog;		/* requests in the server or before it */
	double		speed;			/* of this second */

	/* the core */
	PadvCounters counters;
	PadvLoadWindow load_window;
	PadvLoad	load;
	PadvWindowMeans	minute[MINUTE];
	int			second;
	PadvScalability scalability;
	PadvReadLatency read_latency;
	PadvWaits	waits;
	PadvCurve	curve;
	PadvModel	model;
	PadvInputs	inputs;
} Production;

static const ProductionWeather fair_weather = {1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0};

/* 0..1 */
static double
production_random(Production *p)
{
	p->seed = p->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (p->seed >> 11) / 9007199254740992.0;
}

static double
production_between(Production *p, double low, double high)
{
	return low + (high - low) * production_random(p);
}

/* Evenly on a logarithmic axis. */
static double
production_around(Production *p, double low, double high)
{
	return low * pow(high / low, production_random(p));
}

/* A normal deviate, nearly. */
static double
production_normal(Production *p)
{
	double		sum = -6.0;

	for (int i = 0; i < 12; i++)
		sum += production_random(p);
	return sum;
}

/*
 * How many of those that a transaction meets at a station with several servers are
 * in its way, when there are so many on average of n in all: a normal approximation
 * of the part beyond the servers.
 */
static double
production_in_the_way(double met, double servers, int n)
{
	double		over = met - (servers - 1.0);
	double		deviation = sqrt(fmax(1e-9, met * (1.0 - fmin(1.0, met / n))));
	double		z = over / deviation;

	return deviation * exp(-0.5 * z * z) / 2.506628 + over * 0.5 * erfc(-z / 1.414214);
}

/* Throughput with 1 to most at work. */
static void
production_curve(const ProductionServer *s, const ProductionWeather *w, int most,
				 ProductionPoint *points)
{
	double		cores = fmax(0.2, (double) s->cores - w->cores_taken);
	double		met[PLACES] = {0.0};

	memset(&points[0], 0, sizeof(points[0]));
	for (int n = 1; n <= most; n++)
	{
		ProductionPoint *point = &points[n];
		double		crowd = fmax(0.0, n - 1.0);
		double		slow = w->all * w->mix;
		double		cpu = s->cpu * w->cpu * slow * (1.0 + s->spin * fmax(0.0, n - cores));
		double		row = s->row > 0.0 ? (s->row + 0.3 * s->commit * (w->commit - 1.0)) * slow *
			(1.0 + s->thrash * crowd) : 0.0;
		double		disk = s->disk * w->disk * w->reads * slow;
		double		commit = s->commit * w->commit * w->all;
		double		servers = fmax(1.0, cores);
		double		at_cores = cpu / fmin(1.0, cores) +
			cpu / cores * (n > 1 ? production_in_the_way(met[AT_CORES], servers, n - 1) : 0.0);
		double		at_row = row * (1.0 + met[AT_ROW]);
		double		at_disks = disk + disk / s->disks * (n > 1 ? production_in_the_way(met[AT_DISKS], s->disks, n - 1) : 0.0);

		point->throughput = n / (at_cores + at_row + at_disks + commit + s->hold + s->turnaround);
		met[AT_CORES] = point->throughput * at_cores;
		met[AT_ROW] = point->throughput * at_row;
		met[AT_DISKS] = point->throughput * at_disks;
		/* who has the row computes, and commits */
		point->at[AT_CORES] = point->throughput * (cpu + 0.5 * row);
		point->at[READY] = point->throughput * (at_cores - cpu);
		point->at[AT_ROW] = point->throughput * (at_row - row);
		point->at[AT_COMMIT] = point->throughput * (commit + 0.5 * row);
		point->at[AT_DISKS] = point->throughput * at_disks;
		point->at[HOLDING] = point->throughput * s->hold;
		point->at[TURNING] = point->throughput * s->turnaround;
	}
}

static bool
production_same_weather(const ProductionWeather *a, const ProductionWeather *b)
{
	return a->cpu == b->cpu && a->disk == b->disk && a->commit == b->commit && a->all == b->all &&
		a->cores_taken == b->cores_taken && a->mix == b->mix && a->reads == b->reads;
}

static void
production_solve(Production *p)
{
	if (production_same_weather(&p->weather, &p->solved_for))
		return;
	production_curve(&p->server, &p->weather, p->sessions, p->points);
	p->solved_for = p->weather;
}

/* Between two points of the curve. */
static ProductionPoint
production_at(const ProductionPoint *points, int most, double n)
{
	int			below = (int) fmin(floor(n), most);
	double		share = fmin(n, most) - below;
	const ProductionPoint *a = &points[below];
	const ProductionPoint *b = &points[below < most ? below + 1 : most];
	ProductionPoint point;

	point.throughput = a->throughput + (b->throughput - a->throughput) * share;
	for (int i = 0; i < PLACES; i++)
		point.at[i] = a->at[i] + (b->at[i] - a->at[i]) * share;
	return point;
}

static void
production_begin(Production *p, const ProductionServer *server, int sessions, uint64_t seed)
{
	memset(p, 0, sizeof(*p));
	p->server = *server;
	p->sessions = sessions < PRODUCTION_MAX ? sessions : PRODUCTION_MAX;
	p->seed = seed;
	p->weather = fair_weather;
	p->speed = 1.0;
	padv_load_init(&p->load_window);
	padv_scalability_init(&p->scalability);
	padv_model_init(&p->model);
	p->inputs = (PadvInputs)
	{
		.logical_cpus = server->cores,.physical_cores = server->cores,.quota = -1.0,
			.detected_cores = server->cores,.cores_setting = -1.0,.spindles_setting = -1,
			.connections_per_core = 2.0,.max_connections = p->sessions + 13,
			.usable_connections = p->sessions + 10,.sample_interval_ms = 100
	};
	production_solve(p);
}

/* The most that can be done with the sessions there are, in fair weather. */
static double
production_best(const Production *p, int *fewest)
{
	static ProductionPoint points[PRODUCTION_MAX + 1];
	ProductionWeather weather = fair_weather;
	double		best = 0.0;

	weather.mix = p->weather.mix;
	production_curve(&p->server, &weather, p->sessions, points);
	for (int n = 1; n <= p->sessions; n++)
		best = fmax(best, points[n].throughput);
	for (int n = 1; fewest != NULL && n <= p->sessions; n++)
		if (points[n].throughput >= 0.98 * best)
		{
			*fewest = n;
			break;
		}
	return best;
}

/*
 * The numbers of active connections with which at least 90 % of the best is done, in fair
 * weather.
 */
static inline void
production_range(const Production *p, double *low, double *high)
{
	static ProductionPoint points[PRODUCTION_MAX + 1];
	ProductionWeather weather = fair_weather;
	double		best = 0.0;

	weather.mix = p->weather.mix;
	production_curve(&p->server, &weather, p->sessions, points);
	for (int n = 1; n <= p->sessions; n++)
		best = fmax(best, points[n].throughput);
	*low = *high = 0.0;
	for (int n = 1; n <= p->sessions; n++)
	{
		if (points[n].throughput < 0.9 * best)
			continue;
		*high = n - points[n].at[HOLDING] - points[n].at[TURNING];
		if (*low <= 0.0)
			*low = *high;
	}
}

/* The share of the best that is lost with so many active, in fair weather. */
static inline double
production_regret(const Production *p, double active)
{
	static ProductionPoint points[PRODUCTION_MAX + 1];
	ProductionWeather weather = fair_weather;
	double		best = 0.0;
	double		found = 0.0;

	weather.mix = p->weather.mix;
	production_curve(&p->server, &weather, p->sessions, points);
	for (int n = 1; n <= p->sessions; n++)
	{
		double		there = n - points[n].at[HOLDING] - points[n].at[TURNING];

		best = fmax(best, points[n].throughput);
		if (there <= active + 0.5 || n == 1)
			found = points[n].throughput;
	}
	return 1.0 - found / best;
}

/* --- what the core sees --------------------------------------------------- */

/* The share of the time in which a lock has a queue, if so many wait on average (M/M/1). */
static double
production_queue_share(double waiting)
{
	double		used = 0.5 * (sqrt(waiting * (waiting + 4.0)) - waiting);

	return used * used;
}

static void
production_take(Production *p, double busy, const ProductionPoint *point, PadvWindowMeans *take)
{
	double		seen = fmax(0.0, busy + production_normal(p) * sqrt(0.05 * busy));
	double		share = busy > 0.0 ? fmin(seen, p->sessions) / busy : 0.0;

	memset(take, 0, sizeof(*take));
	take->samples = PRODUCTION_STEPS;
	take->in_class[PADV_ON_CPU] = share * (point->at[AT_CORES] + point->at[READY]) + p->weather.batch;
	take->in_class[PADV_WAITING_LOCK] = share * point->at[AT_ROW];
	take->lock_queues = production_queue_share(take->in_class[PADV_WAITING_LOCK]);
	take->in_class[PADV_WAITING_IO] = share * (point->at[AT_DISKS] + fmin(1.0, point->at[AT_COMMIT]));
	take->in_class[PADV_WAITING_LWLOCK] = share * fmax(0.0, point->at[AT_COMMIT] - 1.0);
#ifndef PADV_OLD_RULE
	take->committing = share * point->at[AT_COMMIT];
	take->committing_lwlock = take->in_class[PADV_WAITING_LWLOCK];
	take->committing_io = take->committing - take->committing_lwlock;
#endif
	for (int i = 0; i < PADV_WAIT_CLASSES; i++)
		take->active += take->in_class[i];
	take->demand = take->active;
	take->idle_in_transaction = take->held_in_transaction = share * point->at[HOLDING];
	take->turnaround = take->round_trip = share * point->at[TURNING];
	take->idle = fmax(0.0, p->sessions - p->idle - take->active - take->idle_in_transaction);
}

static void
production_count(Production *p, double done, const ProductionPoint *point)
{
	double	   *value = p->counters.value;
	double		busy = fmin(p->server.cores, point->at[AT_CORES] + p->weather.cores_taken);
	double		inside = -point->at[TURNING];

	for (int i = 0; i < PLACES; i++)
		inside += point->at[i];
	p->counters.clock_us += 1000000;
	value[PADV_CPU_BUSY] += busy;
	value[PADV_CPU_IDLE] += p->server.cores - busy;
	value[PADV_SERVER_RUN] += point->at[AT_CORES] + p->weather.batch;
	value[PADV_SESSIONS_RUN] += point->at[AT_CORES] + p->weather.batch;
	value[PADV_SESSIONS_DELAY] += point->at[READY];
	value[PADV_DISK_READ] += point->at[AT_DISKS];
	value[PADV_DISK_READ_COUNT] += done * p->weather.reads * p->weather.mix * ceil(p->server.disk / LONGEST_READ);
	value[PADV_COMMITTED] += done;
	value[PADV_INSIDE] += inside;
}

static void
production_minute(const Production *p, PadvMinute *minute)
{
	int			n = p->second < MINUTE ? p->second : MINUTE;

	memset(minute, 0, sizeof(*minute));
	minute->samples = n * PRODUCTION_STEPS;
	for (int i = 0; i < n; i++)
	{
		const PadvWindowMeans *take = &p->minute[i];

		minute->sessions += (take->active + take->idle + take->idle_in_transaction) / n;
		minute->active += take->active / n;
		minute->idle += take->idle / n;
		minute->idle_in_transaction += take->idle_in_transaction / n;
		minute->demand += take->demand / n;
		minute->held_in_transaction += take->held_in_transaction / n;
		minute->turnaround += take->turnaround / n;
#ifndef PADV_OLD_RULE
		minute->committing += take->committing / n;
		minute->committing_lwlock += take->committing_lwlock / n;
#endif
		for (int j = 0; j < PADV_WAIT_CLASSES; j++)
			minute->in_class[j] += take->in_class[j] / n;
	}
}

/* The order of the worker. */
static void
production_tell(Production *p, double busy, double done, const ProductionPoint *point)
{
	const PadvCounters *before;
	const PadvCounters *after;
	PadvWindowMeans   *take = &p->minute[p->second % MINUTE];
	PadvInterval interval;
	PadvMinute	minute;

	production_count(p, done, point);
	padv_load_add(&p->load_window, &p->counters);
	production_take(p, busy, point, take);
	p->second++;
	if (padv_load_newest(&p->load_window, &before, &after) &&
		PADV_DESCRIBE(take, before, after, &interval))
	{
		padv_read_latency_update(&p->read_latency, &interval);
		padv_scalability_add(&p->scalability, &interval);
		padv_waits_add(&p->waits, &interval);
	}
	if (p->second % JUDGE_SECONDS != 0)
		return;
	padv_load_minute(&p->load_window, -1.0, &p->load);
	padv_scalability_judge(&p->scalability, p->server.cores, padv_model_least_seen(&p->model), &p->curve);
	production_minute(p, &minute);
	padv_model_update(&p->model, &p->inputs, &minute, &p->load, &p->waits, &p->curve);
}

/* --- a second ------------------------------------------------------------- */

static void
production_new_second(Production *p)
{
	production_solve(p);
	p->speed = fmax(0.2, 1.0 + p->noise * production_normal(p));
}

/* The fewest at work with which so much is done; all when it cannot be done. */
static double
production_fewest(const Production *p, double rate)
{
	for (int n = 1; n <= p->sessions; n++)
		if (p->points[n].throughput * p->speed >= rate)
			return n - 1 + (rate / p->speed - p->points[n - 1].throughput) /
				(p->points[n].throughput - p->points[n - 1].throughput);
	return INFINITY;
}

static void
production_add(ProductionPoint *sum, const ProductionPoint *point, double share)
{
	sum->throughput += point->throughput * share;
	for (int i = 0; i < PLACES; i++)
		sum->at[i] += point->at[i] * share;
}

/* Requests come at a rate, whatever the server does; a client gives up in the end. */
static inline void
production_open_second(Production *p, double rate)
{
	ProductionPoint mean = {0};
	double		busy = 0.0;
	double		done = 0.0;
	const double step = 1.0 / PRODUCTION_STEPS;
	double		balance;

	production_new_second(p);
	rate = fmax(0.0, rate + production_normal(p) * sqrt(rate));
	balance = production_fewest(p, rate);
	for (int i = 0; i < PRODUCTION_STEPS; i++)
	{
		ProductionPoint point = production_at(p->points, p->sessions, fmin(p->backlog, p->sessions));
		double		finished;

		if (p->backlog < balance)
		{
			finished = fmin(point.throughput * p->speed, rate);
			p->backlog = fmin(balance, p->backlog + (rate - 0.5 * finished) * step);
		}
		else
		{
			finished = fmin(point.throughput * p->speed, p->backlog / step + rate);
			p->backlog = fmax(fmin(balance, p->backlog), p->backlog + (rate - finished) * step);
		}
		/* who has waited for ten seconds goes away */
		p->backlog = fmin(p->backlog, p->sessions + 10.0 * rate);
		point = production_at(p->points, p->sessions, fmin(p->backlog, p->sessions));
		busy += fmin(p->backlog, p->sessions) * step;
		done += fmin(point.throughput * p->speed, fmax(rate, finished)) * step;
		production_add(&mean, &point, step);
	}
	production_tell(p, busy, done, &mean);
}

/* So many clients, each of which thinks for a while between two transactions. */
static inline void
production_closed_second(Production *p, double clients, double think)
{
	ProductionPoint point;
	double		low = 0.0;
	double		high = clients;

	production_new_second(p);
	for (int i = 0; i < 40; i++)
	{
		double		n = 0.5 * (low + high);

		point = production_at(p->points, p->sessions, n);
		if (n + point.throughput * p->speed * think > clients)
			high = n;
		else
			low = n;
	}
	production_tell(p, low, point.throughput * p->speed, &point);
}

#endif							/* PADV_PRODUCTION_H */
