/*
 * planning.h
 *		Sizes that are counted rather than measured: the floor of a pool whose
 *		threads hold several connections, and what a fleet of pools opens.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_PLANNING_H
#define PADV_PLANNING_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The smallest pool in which threads that each hold up to so many connections
 * at once cannot all wait for one another; both at least 1.  False when the
 * size does not fit.
 */
extern bool padv_deadlock_free_size(int64_t threads, int64_t connections_per_thread,
									int64_t *size);

/*
 * Every front-end keeps so many pools for each database.  One of them, the hot
 * one, is asked for `requests` connections at once while `free` of its
 * connections are idle; all others are at their minimum.
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
	int64_t		unserved;		/* requests that get none, for each front-end
								 * and database */
} PadvFleetConnections;

/* False when the number of connections does not fit. */
extern bool padv_fleet_connections(const PadvFleet *fleet,
								   PadvFleetConnections *result);

#endif							/* PADV_PLANNING_H */
