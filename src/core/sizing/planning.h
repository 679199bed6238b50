/*
 * planning.h
 *		Sizes that follow from counting: the least pool size without deadlock, and
 *		the connections of a fleet of pools.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_PLANNING_H
#define PADV_PLANNING_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The smallest pool that cannot deadlock when each thread holds up to this many
 * connections at once.  Both arguments are at least 1.  Returns false on overflow.
 */
extern bool padv_deadlock_free_size(int64_t threads, int64_t connections_per_thread,
									int64_t *size);

/*
 * A fleet of pools: each front end has several pools for each database.  One pool
 * of each front end and database gets requests, while `free` of its connections are
 * idle.  All other pools have their minimum size.
 */
typedef struct PadvFleet
{
	int64_t		front_ends;		/* at least 1 */
	int64_t		pools;			/* for each front-end and database, at least 1 */
	int64_t		min_pool_size;	/* not negative */
	int64_t		max_pool_size;	/* at least 1, and at least the minimum */
	int64_t		databases;		/* at least 1 */
	int64_t		requests;		/* not negative */
	int64_t		free;			/* not negative, at most the minimum */
} PadvFleet;

typedef struct PadvFleetConnections
{
	int64_t		connections;	/* of the whole fleet */
	int64_t		unserved;		/* requests without a connection, per front
								 * end and database */
} PadvFleetConnections;

/* Compute the connections of a fleet.  Returns false on overflow. */
extern bool padv_fleet_connections(const PadvFleet *fleet,
								   PadvFleetConnections *result);

#endif							/* PADV_PLANNING_H */
