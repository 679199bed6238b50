/*
 * planning_funcs.c
 *		SQL functions that compute sizes from their arguments alone.
 *
 * Checks the arguments; the arithmetic is in the pure core.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"

#include "core/model/model.h"
#include "core/sizing/planning.h"
#include "shmem/status_shmem.h"
#include "sql/arguments.h"
#include "sql/rows.h"

PG_FUNCTION_INFO_V1(pool_advisor_formula_size);
PG_FUNCTION_INFO_V1(pool_advisor_deadlock_free_size);
PG_FUNCTION_INFO_V1(pool_advisor_fleet_connections);

/*
 * formula_size(core_count, effective_spindle_count, connections_per_core)
 */
Datum
pool_advisor_formula_size(PG_FUNCTION_ARGS)
{
	double		cores = PG_GETARG_FLOAT8(0);
	double		spindles = PG_GETARG_FLOAT8(1);
	double		per_core = PG_GETARG_FLOAT8(2);
	int64		size;

	padv_require_preloaded();
	padv_check_argument(cores, false, "core_count");
	padv_check_argument(spindles, true, "effective_spindle_count");
	padv_check_argument(per_core, false, "connections_per_core");

	size = padv_formula_size(cores, spindles, per_core);
	if (size == PG_INT64_MAX)
		padv_out_of_range("number of connections", "No machine has this many cores or disks.");
	PG_RETURN_INT64(size);
}

/*
 * deadlock_free_size(threads, connections_per_thread)
 */
Datum
pool_advisor_deadlock_free_size(PG_FUNCTION_ARGS)
{
	int64		threads = PG_GETARG_INT64(0);
	int64		per_thread = PG_GETARG_INT64(1);
	int64		size;

	padv_require_preloaded();
	padv_check_number(threads, 1, "threads");
	padv_check_number(per_thread, 1, "connections_per_thread");

	if (!padv_deadlock_free_size(threads, per_thread, &size))
		padv_out_of_range("number of connections",
						  "No pool serves this many threads and connections.");
	PG_RETURN_INT64(size);
}

static void
check_fleet(const PadvFleet *fleet)
{
	padv_check_number(fleet->front_ends, 1, "front_ends");
	padv_check_number(fleet->pools, 1, "pools");
	padv_check_number(fleet->min_pool_size, 0, "min_pool_size");
	padv_check_number(fleet->max_pool_size, 1, "max_pool_size");
	padv_check_number(fleet->databases, 1, "databases");
	padv_check_number(fleet->requests, 0, "requests");
	padv_check_number(fleet->free, 0, "free");
	if (fleet->max_pool_size < fleet->min_pool_size)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"max_pool_size\" must not be less than \"min_pool_size\""),
				 errdetail("A pool grows from its minimum to its maximum.")));
	if (fleet->free > fleet->min_pool_size)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"free\" must not be greater than \"min_pool_size\""),
				 errdetail("It is the number of idle connections of the hot pool before it grows beyond its minimum.")));
}

/*
 * fleet_connections(front_ends, pools, min_pool_size, max_pool_size, databases,
 * requests, free)
 */
Datum
pool_advisor_fleet_connections(PG_FUNCTION_ARGS)
{
	PadvFleet	fleet = {
		.front_ends = PG_GETARG_INT64(0),
		.pools = PG_GETARG_INT64(1),
		.min_pool_size = PG_GETARG_INT64(2),
		.max_pool_size = PG_GETARG_INT64(3),
		.databases = PG_GETARG_INT64(4),
		.requests = PG_GETARG_INT64(5),
		.free = PG_GETARG_INT64(6),
	};
	PadvFleetConnections result;
	PadvRow		row = {0};

	padv_require_preloaded();
	check_fleet(&fleet);
	if (!padv_fleet_connections(&fleet, &result))
		padv_out_of_range("number of connections", "No server takes this many.");

	padv_row_int(&row, result.connections);
	padv_row_int(&row, result.unserved);
	return padv_row_return(&row, fcinfo);
}
