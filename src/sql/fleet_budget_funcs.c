/*
 * fleet_budget_funcs.c
 *		SQL function that adds up what a fleet of application servers opens on each node.
 *
 * Checks the arguments; the arithmetic is in the pure core.  Writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"

#include "compat.h"
#include "core/sizing/fleet_budget.h"
#include "shmem/status_shmem.h"
#include "sql/arguments.h"
#include "sql/rows.h"

PG_FUNCTION_INFO_V1(pool_advisor_fleet_budget);

/* More than one result shows. */
#define MAX_NODES 1000

/* A value for each node; NULL in the array is not known, and so is a number below 0. */
static int64 *
read_node_values(FunctionCallInfo fcinfo, int number, const char *name, int64 nodes, int64 fallback)
{
	int64	   *result = palloc(nodes * sizeof(int64));
	Datum	   *values;
	bool	   *nulls;
	int			count;

	for (int64 i = 0; i < nodes; i++)
		result[i] = fallback;
	if (PG_ARGISNULL(number))
		return result;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(number), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &values, &nulls, &count);
	if (count != nodes && count != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" has %d values for %lld nodes", name, count, (long long) nodes),
				 errhint("Give one value for each node, the primary's first, or one value for all.")));
	for (int64 i = 0; i < nodes; i++)
	{
		int			element = count == 1 ? 0 : (int) i;

		result[i] = nulls[element] ? -1 : DatumGetInt64(values[element]);
		if (!nulls[element])
			padv_check_number(result[i], 0, name);
	}
	return result;
}

/* The pool_size of this server, or -1 while none was measured. */
static int64
own_pool_size(void)
{
	PadvStatus	status;

	padv_status_copy(&status);
	return status.model.pool_size > 0 ? status.model.pool_size : -1;
}

static void
read_plan(FunctionCallInfo fcinfo, PadvFleetPlan *plan)
{
	static const char *const names[] = {"app_servers", "pools", "max_pool_size", "nodes", "read_pools"};
	int64	   *const fields[] = {&plan->app_servers, &plan->pools, &plan->max_pool_size, &plan->nodes, &plan->read_pools};

	for (size_t i = 0; i < lengthof(names); i++)
	{
		padv_check_not_null(fcinfo, (int) i, names[i]);
		*fields[i] = PG_GETARG_INT64(i);
		if (fields[i] != &plan->nodes)
			padv_check_size(*fields[i], fields[i] == &plan->pools || fields[i] == &plan->read_pools ? 0 : 1, names[i]);
	}
	if (plan->nodes < 1 || plan->nodes > MAX_NODES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"%s\": %lld", "nodes", (long long) plan->nodes),
				 errhint("It must be between %d and %d.", 1, MAX_NODES)));
}

static void
store_node(FunctionCallInfo fcinfo, const PadvFleetPlan *plan, PadvSituation situation, int64 node,
		   int64 usable, int64 pool_size)
{
	PadvRow		row = {0};
	int64		connections;

	if (!padv_fleet_connections_to(plan, situation, node, &connections))
		padv_out_of_range("number of connections", "No server takes this many.");
	padv_row_text(&row, padv_situation_name(situation));
	padv_row_int(&row, node + 1);
	padv_row_int(&row, connections);
	padv_row_add(&row, Int64GetDatum(usable), usable < 0);
	padv_row_add(&row, Int64GetDatum(Max(connections - usable, 0)), usable < 0);
	padv_row_add(&row, Int64GetDatum(pool_size), pool_size < 0);
	padv_row_text(&row, padv_fleet_verdict(connections, usable, pool_size));
	padv_row_store(&row, fcinfo);
}

/*
 * fleet_budget(app_servers, pools, max_pool_size, nodes, read_pools, usable_connections, pool_sizes)
 */
Datum
pool_advisor_fleet_budget(PG_FUNCTION_ARGS)
{
	PadvFleetPlan plan;
	int64	   *usable;
	int64	   *pool_sizes;

	padv_require_preloaded();
	read_plan(fcinfo, &plan);
	usable = read_node_values(fcinfo, 5, "usable_connections", plan.nodes,
							  MaxConnections - padv_reserved_connections());
	pool_sizes = read_node_values(fcinfo, 6, "pool_sizes", plan.nodes, own_pool_size());
	InitMaterializedSRF(fcinfo, 0);
	for (int situation = PADV_NOW; situation < PADV_SITUATIONS; situation++)
		for (int64 node = 0; node < plan.nodes; node++)
			if (padv_fleet_takes_part(&plan, situation, node))
				store_node(fcinfo, &plan, situation, node, usable[node], pool_sizes[node]);
	return (Datum) 0;
}
