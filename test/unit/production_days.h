/*
 * production_days.h
 *		Servers drawn at random for the simulator of production, and the shape of a day.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_PRODUCTION_DAYS_H
#define PADV_PRODUCTION_DAYS_H

#include "production.h"

typedef enum Kind
{
	COMPUTES,					/* the cores are used up first */
	WANTS_ROW,
	READS,
	COMMITS,					/* nothing is, but for the sessions */
	MIXED,
} Kind;

#define KINDS (MIXED + 1)

static inline ProductionServer
draw_server(Production *p, Kind kind)
{
	static const int cores[] = {1, 2, 4, 8, 16, 32, 64, 96, 192};
	double		cpu = production_around(p, 0.0005, 0.02);
	ProductionServer server = {
		.cores = cores[(int) production_between(p, 0.0, 9.0)],
		.disks = 1 + (int) production_around(p, 1.0, 32.0),
		.cpu = cpu,
		.spin = production_random(p) < 0.5 ? 0.0 : production_around(p, 0.0001, 0.01),
		.turnaround = 0.0003,
		.hold = production_random(p) < 0.5 ? 0.0 : cpu * production_around(p, 0.1, 2.0),
		.commit = production_random(p) < 0.5 ? 0.0 : cpu * production_around(p, 0.1, 1.0),
	};

	if (kind == WANTS_ROW || (kind == MIXED && production_random(p) < 0.5))
	{
		server.row = cpu * production_around(p, 2.0, 8.0) / fmin(server.cores, 16.0);
		server.thrash = production_random(p) < 0.5 ? 0.0 : production_around(p, 0.001, 0.1);
	}
	if (kind == READS || kind == MIXED)
		server.disk = cpu * server.disks / server.cores * (kind == MIXED ? 0.9 : production_around(p, 1.5, 6.0));
	if (kind == COMMITS)
		server.commit = cpu * production_around(p, 5.0, 50.0);
	return server;
}

/* A pool with a few times the connections that help; commits take as many as come. */
static inline void
draw_day(Production *p, Kind kind, double least, uint64_t seed)
{
	ProductionServer server;
	int			fewest = 1;

	p->seed = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
	for (int i = 0; i < 5; i++)
		(void) production_random(p);
	server = draw_server(p, kind);
	production_begin(p, &server, PRODUCTION_MAX, p->seed);
	(void) production_best(p, &fewest);
	production_begin(p, &server, (int) fmin(PRODUCTION_MAX, fmax(10.0, fewest * production_around(p, least, 12.0))),
					 p->seed);
	p->noise = production_random(p) < 0.3 ? 0.0 : production_between(p, 0.02, 0.3);
}

static inline double
of_day(double now, double seconds, double low, double high)
{
	return low + (high - low) * 0.5 * (1.0 - cos(6.283185307 * now / seconds));
}

/* So few sessions that a crowd of all of them does what is asked, and drains. */
static inline void
limit_sessions(Production *p)
{
	double		best = production_best(p, NULL);

	while (p->sessions > 5 && p->points[p->sessions].throughput < 0.85 * best)
	{
		p->sessions--;
		p->inputs.usable_connections--;
	}
}

#endif							/* PADV_PRODUCTION_DAYS_H */
