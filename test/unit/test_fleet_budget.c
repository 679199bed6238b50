/*
 * test_fleet_budget.c
 *		What the pools of a fleet open on each node, before and after a failure.
 */
#include <string.h>

#include "core/sizing/fleet_budget.h"
#include "tap.h"

static int64_t
on_node(PadvFleetPlan plan, PadvSituation situation, int64_t node)
{
	int64_t		connections = -2;

	if (!padv_fleet_takes_part(&plan, situation, node))
		return -1;
	return padv_fleet_connections_to(&plan, situation, node, &connections) ? connections : -3;
}

/* 4 application servers, each with a pool of 10 to the primary and two to the replicas. */
static PadvFleetPlan
plan_of(int64_t nodes)
{
	return (PadvFleetPlan) {.app_servers = 4, .pools = 1, .read_pools = 2, .max_pool_size = 10, .nodes = nodes};
}

static void
test_situations(void)
{
	ok(on_node(plan_of(1), PADV_NOW, 0) == 120, "without a replica the primary has all");
	ok(on_node(plan_of(1), PADV_REPLICA_LOST, 0) == -1 && on_node(plan_of(1), PADV_PRIMARY_MOVED, 0) == -1,
	   "and nothing else can happen");
	ok(on_node(plan_of(2), PADV_NOW, 0) == 40 && on_node(plan_of(2), PADV_NOW, 1) == 80, "a replica has the readers");
	ok(on_node(plan_of(2), PADV_REPLICA_LOST, 0) == 120 && on_node(plan_of(2), PADV_REPLICA_LOST, 1) == -1,
	   "which go to the primary when it is lost");
	ok(on_node(plan_of(2), PADV_PRIMARY_MOVED, 1) == 120 && on_node(plan_of(2), PADV_PRIMARY_MOVED, 0) == -1,
	   "and it has all when it is promoted");
	ok(on_node(plan_of(4), PADV_NOW, 0) == 40 && on_node(plan_of(4), PADV_NOW, 3) == 27, "three replicas share, rounded up");
	ok(on_node(plan_of(4), PADV_REPLICA_LOST, 0) == 40 && on_node(plan_of(4), PADV_REPLICA_LOST, 2) == 40, "then two do");
	ok(on_node(plan_of(4), PADV_PRIMARY_MOVED, 2) == 67, "readers of the new primary stay");
}

static void
test_large(void)
{
	PadvFleetPlan plan = plan_of(2);

	plan.app_servers = INT64_MAX / 11;
	ok(on_node(plan, PADV_NOW, 1) == -3, "what does not fit is noticed");
	plan.read_pools = 1;
	plan.app_servers = INT64_MAX / 10;
	ok(on_node(plan, PADV_PRIMARY_MOVED, 1) == -3, "also in a sum");
}

/* A failure never takes connections away from a node that takes part, and none get lost. */
static void
test_all(void)
{
	int			wrong = 0;

	for (int64_t nodes = 1; nodes <= 8; nodes++)
		for (int64_t read_pools = 0; read_pools <= 3; read_pools++)
		{
			PadvFleetPlan plan = {.app_servers = 3, .pools = 2, .read_pools = read_pools, .max_pool_size = 7, .nodes = nodes};
			int64_t		sum[PADV_SITUATIONS] = {0};

			for (int64_t node = 0; node < nodes; node++)
				for (int situation = PADV_NOW; situation < PADV_SITUATIONS; situation++)
				{
					int64_t		connections = on_node(plan, situation, node);

					if (connections >= 0)
						sum[situation] += connections;
					wrong += connections >= 0 && connections < on_node(plan, PADV_NOW, node);
				}
			wrong += sum[PADV_NOW] < 3 * 7 * (2 + read_pools);
			wrong += sum[PADV_NOW] >= 3 * 7 * (2 + read_pools) + nodes;
		}
	ok(wrong == 0, "connections move, and all of them go somewhere");
}

static void
test_verdict(void)
{
	ok(strcmp(padv_fleet_verdict(97, 97, -1), "fits") == 0, "as many as there are");
	ok(strcmp(padv_fleet_verdict(98, 97, -1), "refuses") == 0, "one more");
	ok(strcmp(padv_fleet_verdict(9, 97, 8), "too many") == 0, "more than help");
	ok(strcmp(padv_fleet_verdict(8, 97, 8), "fits") == 0, "as many as help");
	ok(strcmp(padv_fleet_verdict(8, -1, 8), "unknown") == 0, "a node that was not asked");
}

int
main(void)
{
	test_situations();
	test_large();
	test_all();
	test_verdict();
	return tap_end();
}
