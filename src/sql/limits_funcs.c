/*
 * limits_funcs.c
 *		SQL functions that show the limits in force and what they add up to.
 *
 * Copies the limits and the counts out and gives names to their numbers.  Never
 * waits for the worker, reads no table of limits and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "compat.h"
#include "core/policy/enforcement.h"
#include "shmem/admission.h"
#include "shmem/limits_shmem.h"
#include "shmem/status_shmem.h"
#include "sql/limit_usage.h"
#include "sql/rows.h"
#include "sql/server_status.h"

PG_FUNCTION_INFO_V1(pool_advisor_limits);
PG_FUNCTION_INFO_V1(pool_advisor_budget);

/* Limits do not change this often in a row. */
#define MAX_COPIES 10

void
padv_read_limit_usage(PadvLimitUsage *usage)
{
	uint32		generation;

	padv_slots_in_use(&usage->slots);
	usage->in_use = palloc0(PADV_MAX_LIMITS * sizeof(int32));
	usage->limits = padv_limits_shmem_copy(&generation);
	for (int i = 0; i < MAX_COPIES; i++)
	{
		if (padv_admission_in_use(generation, usage->limits->nlimits, usage->in_use,
								  &usage->default_in_use))
			return;
		pfree(usage->limits->block);
		pfree(usage->limits);
		usage->limits = padv_limits_shmem_copy(&generation);
	}
}

int32
padv_role_limit(const PadvLimits *limits, Oid role, PadvLimitSetting setting)
{
	const PadvLimit *limit = padv_limits_at(limits, InvalidOid, role);

	if (!OidIsValid(role) || padv_limits_is_exempt(limits, role))
		return PADV_UNLIMITED;
	if (limit == NULL || (limit->from_default & (1U << setting)) != 0)
		limit = &limits->default_limit;
	return limit->value[setting];
}

const char *
padv_scope_name(PadvScope scope)
{
	static const char *const names[] = {"role", "group", "database", "role in database", "default"};

	return names[scope];
}

static char *
database_name(Oid database)
{
	char	   *name = get_database_name(database);

	return name ? name : psprintf("unknown (OID=%u)", database);
}

static void
add_interval(PadvRow *row, int32 milliseconds)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = (TimeOffset) milliseconds * 1000;
	padv_row_add(row, IntervalPGetDatum(interval), false);
}

void
padv_row_scope(PadvRow *row, const char *scope, Oid role, Oid database)
{
	padv_row_text(row, scope);
	padv_row_name(row, OidIsValid(role) ? padv_role_name(role) : NULL);
	padv_row_name(row, OidIsValid(database) ? database_name(database) : NULL);
}

void
padv_row_limit(PadvRow *row, const PadvLimit *limit)
{
	padv_row_scope(row, padv_scope_name(limit->scope), limit->role, limit->database);
	padv_row_int(row, limit->value[PADV_MAX_SESSIONS]);
	padv_row_int(row, limit->value[PADV_MIN_SESSIONS]);
	add_interval(row, limit->value[PADV_SESSION_IDLE_TIMEOUT]);
	padv_row_int(row, limit->value[PADV_QUEUE_LENGTH]);
	add_interval(row, limit->value[PADV_QUEUE_TIMEOUT]);
	padv_row_int(row, limit->value[PADV_MAX_ACTIVE]);
}

void
padv_row_transaction_queue(PadvRow *row, const PadvLimit *limit)
{
	padv_row_int(row, limit->value[PADV_TRANSACTION_QUEUE_LENGTH]);
	add_interval(row, Max(limit->value[PADV_TRANSACTION_QUEUE_TIMEOUT], 0));
}

void
padv_row_share(PadvRow *row, const PadvLimit *limit)
{
	bool		none = limit->value[PADV_ACTIVE_WEIGHT] < 0 && limit->value[PADV_MIN_ACTIVE] < 0;

	if (none)
	{
		padv_row_null(row);
		padv_row_null(row);
		return;
	}
	padv_row_int(row, Max(limit->value[PADV_ACTIVE_WEIGHT], 1));
	padv_row_int(row, Max(limit->value[PADV_MIN_ACTIVE], 0));
}

/* Whether it is enforced: on sessions, then on transactions. */
static void
add_enforcement(PadvRow *row, const PadvLocalStatus *local, PadvEnforcement of_sessions)
{
	padv_row_text(row, padv_enforcement_name(of_sessions));
	padv_row_text(row, padv_enforcement_name(padv_effective_gate_enforcement(of_sessions,
																			 local->gate_enforcement)));
}

/* Store a row.  A limit on an exempt role has no effect, and its row says so. */
static void
store_limit(FunctionCallInfo fcinfo, const PadvLocalStatus *local, const PadvLimits *limits,
			const PadvLimit *limit, int32 in_use, int32 active_in_use)
{
	bool		exempt = padv_limit_is_exempt(limits, limit);
	int32		max_sessions = exempt ? PADV_UNLIMITED : limit->value[PADV_MAX_SESSIONS];
	PadvRow		row = {0};

	padv_row_limit(&row, limit);
	padv_row_int(&row, in_use);
	padv_row_int(&row, max_sessions < 0 ? PADV_UNLIMITED : Max(max_sessions - in_use, 0));
	padv_row_int(&row, active_in_use);
	if (exempt)
	{
		padv_row_text(&row, "exempt");
		padv_row_text(&row, "exempt");
	}
	else
		add_enforcement(&row, local, limits->enforcement);
	padv_row_transaction_queue(&row, limit);
	padv_row_share(&row, limit);
	padv_row_store(&row, fcinfo);
}

/* The server's limit on transactions, in the form of a limit; they wait as the default says. */
static void
store_server(FunctionCallInfo fcinfo, const PadvLocalStatus *local, const PadvLimit *default_limit,
			 int32 active_in_use)
{
	PadvRow		row = {0};

	padv_row_scope(&row, "server", InvalidOid, InvalidOid);
	padv_row_int(&row, PADV_UNLIMITED);
	padv_row_int(&row, PADV_UNLIMITED);
	add_interval(&row, 0);
	padv_row_int(&row, PADV_UNLIMITED);
	padv_row_null(&row);
	padv_row_int(&row, local->gate.limit);
	padv_row_int(&row, local->status.last.sessions);
	padv_row_int(&row, PADV_UNLIMITED);
	padv_row_int(&row, active_in_use);
	add_enforcement(&row, local, local->enforcement);
	padv_row_transaction_queue(&row, default_limit);
	padv_row_null(&row);
	padv_row_null(&row);
	padv_row_store(&row, fcinfo);
}

/*
 * A row for each limit in force.
 */
Datum
pool_advisor_limits(PG_FUNCTION_ARGS)
{
	PadvLocalStatus local;
	PadvLimitUsage usage;
	const PadvLimits *limits;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	padv_read_local_status(&local, false);
	padv_read_limit_usage(&usage);
	limits = usage.limits;
	for (int i = 0; i < limits->nlimits; i++)
		if (padv_limit_is_set(&limits->limits[i]))
			store_limit(fcinfo, &local, limits, &limits->limits[i], usage.in_use[i],
						usage.slots.of_limit[i]);
	if (padv_limit_is_set(&limits->default_limit))
		store_limit(fcinfo, &local, limits, &limits->default_limit, usage.default_in_use,
					usage.slots.of_default);
	if (local.gate.limit >= 0)
		store_server(fcinfo, &local, &limits->default_limit, usage.slots.of_server);
	return (Datum) 0;
}

static void
store_budget(FunctionCallInfo fcinfo, const char *scope, const char *name,
			 int64 sessions, int64 committed, int64 available, int64 queue)
{
	PadvRow		row = {0};

	padv_row_text(&row, scope);
	padv_row_text(&row, name);
	padv_row_int(&row, sessions);
	padv_row_int(&row, committed);
	padv_row_int(&row, available);
	padv_row_int(&row, queue);
	padv_row_store(&row, fcinfo);
}

static char *
limit_name(const PadvLimit *limit)
{
	if (!OidIsValid(limit->database))
		return padv_role_name(limit->role);
	if (!OidIsValid(limit->role))
		return database_name(limit->database);
	return psprintf("%s in %s", padv_role_name(limit->role), database_name(limit->database));
}

/*
 * What may connect, for the server and for each limit with a bound.
 */
Datum
pool_advisor_budget(PG_FUNCTION_ARGS)
{
	PadvLocalStatus local;
	PadvLimitUsage usage;
	int64		available = MaxConnections - padv_reserved_connections();

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	padv_read_limit_usage(&usage);
	padv_read_local_status(&local, false);
	store_budget(fcinfo, "server", "", local.status.last.sessions,
				 padv_limits_shmem_state() == PADV_LIMITS_UNREAD ? -1 : usage.limits->committed,
				 available, usage.limits->committed_queue);
	for (int i = 0; i < usage.limits->nlimits; i++)
	{
		const PadvLimit *limit = &usage.limits->limits[i];

		if (padv_limit_bound(limit) >= 0 && !padv_limit_is_exempt(usage.limits, limit))
			store_budget(fcinfo, padv_scope_name(limit->scope), limit_name(limit), usage.in_use[i],
						 padv_limit_bound(limit), available, padv_limit_queue(limit));
	}
	if (padv_limit_bound(&usage.limits->default_limit) >= 0)
		store_budget(fcinfo, "default", "", usage.default_in_use,
					 padv_limit_bound(&usage.limits->default_limit), available,
					 padv_limit_queue(&usage.limits->default_limit));
	return (Datum) 0;
}
