/*
 * fleet_budget.c
 *		Application servers times pools times the nodes they reach.
 *
 * Owns what a failure does to connections.  Pure.  It is the worst that configuration
 * allows: every pool is at its maximum.  When the primary moves, readers that are connected
 * to the new one stay, because nothing closes their connections.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/sizing/fleet_budget.h"

const char *
padv_situation_name(PadvSituation situation)
{
	static const char *const names[] = {"now", "replica lost", "primary moved"};

	return names[situation];
}

bool
padv_fleet_takes_part(const PadvFleetPlan *plan, PadvSituation situation, int64_t node)
{
	switch (situation)
	{
		case PADV_REPLICA_LOST:
			return node == 0 ? plan->nodes > 1 : plan->nodes > 2;
		case PADV_PRIMARY_MOVED:
			return node > 0;
		default:
			return true;
	}
}

/* The product of two numbers that are not negative; false when it does not fit. */
static bool
times(int64_t a, int64_t b, int64_t *product)
{
	if (b != 0 && a > INT64_MAX / b)
		return false;
	*product = a * b;
	return true;
}

/* One of so many equal shares, rounded up; all of it when there is nobody to share with. */
static int64_t
share(int64_t connections, int64_t nodes)
{
	return nodes < 1 ? connections : connections / nodes + (connections % nodes != 0);
}

bool
padv_fleet_connections_to(const PadvFleetPlan *plan, PadvSituation situation, int64_t node,
						  int64_t *connections)
{
	int64_t		replicas = plan->nodes - 1 - (situation == PADV_REPLICA_LOST);
	bool		writes = node == 0 || situation == PADV_PRIMARY_MOVED;
	bool		reads = node > 0 || replicas == 0;
	int64_t		each;
	int64_t		written;
	int64_t		read;

	if (!times(plan->app_servers, plan->max_pool_size, &each) ||
		!times(each, plan->pools, &written) || !times(each, plan->read_pools, &read))
		return false;
	written = writes ? written : 0;
	read = reads ? share(read, replicas) : 0;
	if (written > INT64_MAX - read)
		return false;
	*connections = written + read;
	return true;
}

const char *
padv_fleet_verdict(int64_t connections, int64_t usable, int64_t pool_size)
{
	if (usable < 0)
		return "unknown";
	if (connections > usable)
		return "refuses";
	return pool_size >= 0 && connections > pool_size ? "too many" : "fits";
}
