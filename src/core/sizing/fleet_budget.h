/*
 * fleet_budget.h
 *		What the pools of a fleet open on each of its nodes, also after a failure.
 *
 * Pure: plain data of the caller; nothing blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_FLEET_BUDGET_H
#define PADV_FLEET_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Each application server has so many pools to the primary, and so many whose connections
 * are spread evenly over the replicas, or go to the primary where there is no replica.
 * Node 0 is the primary.
 */
typedef struct PadvFleetPlan
{
	int64_t		app_servers;	/* at least 1 */
	int64_t		pools;			/* of an application server, not negative */
	int64_t		read_pools;		/* likewise */
	int64_t		max_pool_size;	/* at least 1 */
	int64_t		nodes;			/* at least 1 */
} PadvFleetPlan;

typedef enum PadvSituation
{
	PADV_NOW,
	PADV_REPLICA_LOST,			/* another one than the node asked about */
	PADV_PRIMARY_MOVED,			/* to the node asked about */
} PadvSituation;

#define PADV_SITUATIONS (PADV_PRIMARY_MOVED + 1)

/* "now", "replica lost" or "primary moved"; a constant string. */
extern const char *padv_situation_name(PadvSituation situation);

/* Whether the node takes part in the situation: a lost node does not. */
extern bool padv_fleet_takes_part(const PadvFleetPlan *plan, PadvSituation situation, int64_t node);

/* The connections to a node that takes part.  False when their number does not fit. */
extern bool padv_fleet_connections_to(const PadvFleetPlan *plan, PadvSituation situation,
									  int64_t node, int64_t *connections);

/*
 * "refuses": the node refuses some; "too many": more than help; "fits"; or "unknown".
 * usable and pool_size are negative where they are not known.
 */
extern const char *padv_fleet_verdict(int64_t connections, int64_t usable, int64_t pool_size);

#endif							/* PADV_FLEET_BUDGET_H */
