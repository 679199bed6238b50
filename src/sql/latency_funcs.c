/*
 * latency_funcs.c
 *		SQL function with the durations of the transactions of each role.
 *
 * Copies the counts out and computes quantiles of them.  Never waits for the worker and
 * writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "shmem/status_shmem.h"
#include "shmem/xact_stats.h"
#include "sql/rows.h"
#include "sql/server_status.h"

PG_FUNCTION_INFO_V1(pool_advisor_latency);

static void
store_latency(FunctionCallInfo fcinfo, const char *role, const char *period, const PadvLatency *latency)
{
	PadvRow		row = {0};

	padv_row_name(&row, role);
	padv_row_text(&row, period);
	padv_row_int(&row, (int64) padv_latency_count(latency));
	padv_row_int(&row, (int64) latency->rolled_back);
	padv_row_known_figure(&row, padv_latency_mean(latency));
	padv_row_known_figure(&row, padv_latency_quantile(latency, 0.5));
	padv_row_known_figure(&row, padv_latency_quantile(latency, 0.95));
	padv_row_known_figure(&row, padv_latency_quantile(latency, 0.99));
	padv_row_store(&row, fcinfo);
}

/* The role with most transactions first; the others last. */
static int
compare_latency_roles(const void *a, const void *b)
{
	const PadvRoleLatency *left = a;
	const PadvRoleLatency *right = b;
	uint64		left_count = padv_latency_count(&left->total);
	uint64		right_count = padv_latency_count(&right->total);

	if (OidIsValid(left->role) != OidIsValid(right->role))
		return OidIsValid(left->role) ? -1 : 1;
	if (left_count != right_count)
		return left_count > right_count ? -1 : 1;
	return left->role < right->role ? -1 : left->role > right->role;
}

/*
 * Two rows for each role that has ended a transaction: the last minute, and since the start.
 */
Datum
pool_advisor_latency(PG_FUNCTION_ARGS)
{
	PadvRoleLatency *roles;
	int			count;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	count = padv_xact_stats_copy_latency(&roles);
	qsort(roles, count, sizeof(PadvRoleLatency), compare_latency_roles);
	for (int i = 0; i < count; i++)
	{
		PadvRoleRow row = {.role = roles[i].role};
		const char *name;

		if (padv_latency_count(&roles[i].total) == 0 && padv_latency_count(&roles[i].minute) == 0)
			continue;
		name = padv_role_row_name(&row);
		store_latency(fcinfo, name, "1 min", &roles[i].minute);
		store_latency(fcinfo, name, "since start", &roles[i].total);
	}
	return (Datum) 0;
}
