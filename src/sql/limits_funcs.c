/*
 * limits_funcs.c
 *		SQL functions that show the caps in force and what they add up to.
 *
 * Copies the caps and the counts out and gives names to their numbers.  Never
 * waits for the worker, reads no table of caps and writes nothing.
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

PG_FUNCTION_INFO_V1(padv_limits);
PG_FUNCTION_INFO_V1(padv_budget);

/* Caps do not change this often in a row. */
#define MAX_COPIES 10

void
padv_take_census(PadvCensus *census)
{
	uint32		generation;

	padv_turns_in_use(&census->turns);
	census->in_use = palloc0(PADV_MAX_CAPS * sizeof(int32));
	census->caps = padv_limits_copy(&generation);
	for (int i = 0; i < MAX_COPIES; i++)
	{
		if (padv_admission_in_use(generation, census->caps->ncaps, census->in_use,
								  &census->default_in_use))
			return;
		pfree(census->caps->block);
		pfree(census->caps);
		census->caps = padv_limits_copy(&generation);
	}
}

int32
padv_role_cap(const PadvCaps *caps, Oid role, PadvCapSetting setting)
{
	const PadvCap *cap = padv_caps_at(caps, InvalidOid, role);

	if (!OidIsValid(role) || padv_caps_is_exempt(caps, role))
		return PADV_UNLIMITED;
	return (cap ? cap : &caps->fallback)->value[setting];
}

static const char *
scope_name(PadvScope scope)
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

/* A name, or NULL where there is none. */
static void
add_name(PadvRow *row, const char *name)
{
	NameData   *copy;

	if (name == NULL)
	{
		padv_row_null(row);
		return;
	}
	copy = palloc(sizeof(NameData));
	namestrcpy(copy, name);
	padv_row_add(row, NameGetDatum(copy), false);
}

static void
add_interval(PadvRow *row, int32 milliseconds)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = (TimeOffset) milliseconds * 1000;
	padv_row_add(row, IntervalPGetDatum(interval), false);
}

void
padv_row_cap(PadvRow *row, const PadvCap *cap)
{
	padv_row_text(row, scope_name(cap->scope));
	add_name(row, OidIsValid(cap->role) ? padv_role_name(cap->role) : NULL);
	add_name(row, OidIsValid(cap->database) ? database_name(cap->database) : NULL);
	padv_row_int(row, cap->value[PADV_MAX_SESSIONS]);
	padv_row_int(row, cap->value[PADV_MIN_SESSIONS]);
	add_interval(row, cap->value[PADV_SESSION_IDLE_TIMEOUT]);
	padv_row_int(row, cap->value[PADV_QUEUE_LENGTH]);
	add_interval(row, cap->value[PADV_QUEUE_TIMEOUT]);
	padv_row_int(row, cap->value[PADV_MAX_ACTIVE]);
}

void
padv_row_transaction_queue(PadvRow *row, const PadvCap *cap)
{
	padv_row_int(row, cap->value[PADV_TRANSACTION_QUEUE_LENGTH]);
	add_interval(row, Max(cap->value[PADV_TRANSACTION_QUEUE_TIMEOUT], 0));
}

/* Whether it is enforced: on sessions, then on transactions. */
static void
add_enforcement(PadvRow *row, const PadvSituation *situation, PadvEnforcement of_sessions)
{
	padv_row_text(row, padv_enforcement_name(of_sessions));
	padv_row_text(row, padv_enforcement_name(padv_effective_gate_enforcement(of_sessions,
																			 situation->gate_enforcement)));
}

/* One that can hold nobody, as its role is exempt, says so instead of having room. */
static void
store_cap(FunctionCallInfo fcinfo, const PadvSituation *situation, const PadvCaps *caps,
		  const PadvCap *cap, int32 in_use, int32 active_in_use)
{
	bool		exempt = padv_cap_is_exempt(caps, cap);
	int32		max_sessions = exempt ? PADV_UNLIMITED : cap->value[PADV_MAX_SESSIONS];
	PadvRow		row = {0};

	padv_row_cap(&row, cap);
	padv_row_int(&row, in_use);
	padv_row_int(&row, max_sessions < 0 ? PADV_UNLIMITED : Max(max_sessions - in_use, 0));
	padv_row_int(&row, active_in_use);
	if (exempt)
	{
		padv_row_text(&row, "exempt");
		padv_row_text(&row, "exempt");
	}
	else
		add_enforcement(&row, situation, caps->enforcement);
	padv_row_transaction_queue(&row, cap);
	padv_row_store(&row, fcinfo);
}

/* The server's limit on transactions, in the form of a cap; they wait as the default says. */
static void
store_server(FunctionCallInfo fcinfo, const PadvSituation *situation, const PadvCap *fallback,
			 int32 active_in_use)
{
	PadvRow		row = {0};

	padv_row_text(&row, "server");
	padv_row_null(&row);
	padv_row_null(&row);
	padv_row_int(&row, PADV_UNLIMITED);
	padv_row_int(&row, PADV_UNLIMITED);
	add_interval(&row, 0);
	padv_row_int(&row, PADV_UNLIMITED);
	padv_row_null(&row);
	padv_row_int(&row, situation->gate.limit);
	padv_row_int(&row, situation->picture.last.sessions);
	padv_row_int(&row, PADV_UNLIMITED);
	padv_row_int(&row, active_in_use);
	add_enforcement(&row, situation, situation->enforcement);
	padv_row_transaction_queue(&row, fallback);
	padv_row_store(&row, fcinfo);
}

/*
 * A row for each cap in force.
 */
Datum
padv_limits(PG_FUNCTION_ARGS)
{
	PadvSituation situation;
	PadvCensus	census;
	const PadvCaps *caps;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	padv_read_situation(&situation, false);
	padv_take_census(&census);
	caps = census.caps;
	for (int i = 0; i < caps->ncaps; i++)
		if (padv_cap_limits(&caps->caps[i]))
			store_cap(fcinfo, &situation, caps, &caps->caps[i], census.in_use[i],
					  census.turns.of_cap[i]);
	if (padv_cap_limits(&caps->fallback))
		store_cap(fcinfo, &situation, caps, &caps->fallback, census.default_in_use,
				  census.turns.of_default);
	if (situation.gate.limit >= 0)
		store_server(fcinfo, &situation, &caps->fallback, census.turns.of_server);
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
	padv_row_text(&row, committed < 0 || queue < 0 ? "unlimited" :
				  committed + queue <= available ? "fits" : "does not fit");
	padv_row_int(&row, queue);
	padv_row_store(&row, fcinfo);
}

static char *
place_name(const PadvCap *cap)
{
	if (!OidIsValid(cap->database))
		return padv_role_name(cap->role);
	if (!OidIsValid(cap->role))
		return database_name(cap->database);
	return psprintf("%s in %s", padv_role_name(cap->role), database_name(cap->database));
}

/*
 * What may connect, for the server and for each place with a bound.
 */
Datum
padv_budget(PG_FUNCTION_ARGS)
{
	PadvSituation situation;
	PadvCensus	census;
	int64		available = MaxConnections - padv_reserved_connections();

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	padv_take_census(&census);
	padv_read_situation(&situation, false);
	store_budget(fcinfo, "server", "", situation.picture.last.sessions,
				 padv_limits_state() == PADV_LIMITS_UNREAD ? -1 : census.caps->committed,
				 available, census.caps->committed_queue);
	for (int i = 0; i < census.caps->ncaps; i++)
	{
		const PadvCap *cap = &census.caps->caps[i];

		if (padv_cap_bound(cap) >= 0)
			store_budget(fcinfo, scope_name(cap->scope), place_name(cap), census.in_use[i],
						 padv_cap_bound(cap), available, padv_cap_queue(cap));
	}
	if (padv_cap_bound(&census.caps->fallback) >= 0)
		store_budget(fcinfo, "default", "", census.default_in_use,
					 padv_cap_bound(&census.caps->fallback), available,
					 padv_cap_queue(&census.caps->fallback));
	return (Datum) 0;
}
