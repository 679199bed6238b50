/*
 * planning.c
 *		The least pool size without deadlock, and the connections of a fleet.
 *
 * Owns integer arithmetic with overflow checks.  Pure.  The SQL functions check the
 * arguments.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/sizing/planning.h"

/* Here and below, operands are not negative.  Returns false on overflow. */
static bool
saturating_add(int64_t a, int64_t b, int64_t *sum)
{
	if (a > INT64_MAX - b)
		return false;
	*sum = a + b;
	return true;
}

static bool
saturating_multiply(int64_t a, int64_t b, int64_t *product)
{
	if (b != 0 && a > INT64_MAX / b)
		return false;
	*product = a * b;
	return true;
}

/*
 * threads * (connections_per_thread - 1) + 1 (HikariCP wiki, "About Pool Sizing"):
 * if each thread lacks one connection, one more connection lets one of them finish.
 */
bool
padv_deadlock_free_size(int64_t threads, int64_t connections_per_thread,
						int64_t *size)
{
	return saturating_multiply(threads, connections_per_thread - 1, size) &&
		saturating_add(*size, 1, size);
}

/*
 * databases * front_ends * (pools * min + extra).  extra is the number of requests
 * without an idle connection, bounded by the maximum of the pool (OutSystems, on
 * the pools of its .NET and Java front ends).
 */
bool
padv_fleet_connections(const PadvFleet *fleet, PadvFleetConnections *result)
{
	int64_t		room = fleet->max_pool_size - fleet->min_pool_size;
	int64_t		wanted = fleet->requests > fleet->free ? fleet->requests - fleet->free : 0;
	int64_t		extra = wanted < room ? wanted : room;
	int64_t		connections;

	result->unserved = wanted - extra;
	result->connections = 0;
	if (!saturating_multiply(fleet->pools, fleet->min_pool_size, &connections) ||
		!saturating_add(connections, extra, &connections) ||
		!saturating_multiply(connections, fleet->front_ends, &connections) ||
		!saturating_multiply(connections, fleet->databases, &connections))
		return false;
	result->connections = connections;
	return true;
}
