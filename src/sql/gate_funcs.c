/*
 * gate_funcs.c
 *		The SQL function that shows the queues in front of transactions.
 *
 * Copies the figures out.  Never waits and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "utils/guc.h"
#include "utils/timestamp.h"

#include "clock.h"
#include "compat.h"
#include "core/policy/enforcement.h"
#include "core/text/emit.h"
#include "shmem/status_shmem.h"
#include "shmem/xact_slots.h"
#include "sql/limit_usage.h"
#include "sql/rows.h"
#include "sql/server_status.h"

PG_FUNCTION_INFO_V1(pool_advisor_gate);

/* Limits do not change this often in a row. */
#define MAX_READINGS 10

/* What is read for all rows. */
typedef struct GateReading
{
	PadvLocalStatus local;
	const PadvLimits *limits;
	uint32		generation;		/* of the limits */
	const PadvQueueNow *queues;
	int64		now;			/* monotonic, microseconds */
	TimestampTz wall;
} GateReading;

/* Write the limit, and whether transactions have to wait for it. */
static char *
explain_gate(const PadvLocalStatus *local)
{
	char		limit[PADV_SENTENCE];
	char		enforced[PADV_SENTENCE];

	padv_slot_stats_explain(&local->gate, &local->status.control, limit, sizeof(limit));
	padv_explain_gate_enforcement(local->enforcement, local->gate_enforcement,
								  enforced, sizeof(enforced));
	return psprintf("%s%s%s", limit, enforced[0] == '\0' ? "" : " ", enforced);
}

/* The figures are exact to 20 %, so they have three digits. */
static void
add_waits(PadvRow *row, const GateReading *reading, const PadvQueueFigures *figures)
{
	static const double shares[] = {0.5, 0.95, 0.99};

	for (size_t i = 0; i < lengthof(shares); i++)
	{
		double		wait = padv_wait_times_quantile(&figures->waits, shares[i], reading->now);

		padv_row_known_float(row, strtod(psprintf("%.3g", wait), NULL));
	}
}

static void
add_totals(PadvRow *row, const PadvSlotTotals *totals)
{
	padv_row_int(row, totals->waited);
	padv_row_float(row, (double) totals->waited_us / 1e6);
	padv_row_int(row, totals->granted);
	padv_row_int(row, totals->refused);
	padv_row_int(row, totals->timed_out);
	padv_row_int(row, totals->cancelled);
	padv_row_int(row, totals->overcommitted);
	padv_row_int(row, totals->suspended);
	padv_row_int(row, totals->newest_first);
	padv_row_int(row, totals->would_wait);
}

static void
add_holder(PadvRow *row, const GateReading *reading, const PadvQueueNow *queue)
{
	if (queue->holder_pid == 0)
	{
		padv_row_null(row);
		padv_row_null(row);
		padv_row_null(row);
		return;
	}
	padv_row_int(row, queue->holder_pid);
	padv_row_name(row, OidIsValid(queue->holder_role) ? padv_role_name(queue->holder_role) : NULL);
	padv_row_rounded(row, (double) Max(reading->wall - queue->holder_since, 0) / 1e6);
}

/* The lane of long transactions. */
static void
add_lane(PadvRow *row, const GateReading *reading)
{
	PadvQueueFigures lane;

	(void) padv_queue_read(PADV_LANE_QUEUE, PADV_ANY_GENERATION, &lane);
	padv_row_int(row, lane.limit);
	padv_row_int(row, reading->queues[PADV_LANE_QUEUE].running);
	padv_row_int(row, lane.waiting);
}

/* The columns that only the server has; for others they are NULL. */
#define SERVER_COLUMNS 6

static void
add_server(PadvRow *row, const GateReading *reading, bool is_server)
{
	const PadvLocalStatus *local = &reading->local;

	if (is_server)
	{
		padv_row_text(row, GetConfigOption("pool_advisor.server_max_active", false, false));
		padv_row_text(row, padv_slot_stats_state(&local->gate, &local->status.control));
		padv_row_text(row, explain_gate(local));
		add_lane(row, reading);
		return;
	}
	for (int i = 0; i < SERVER_COLUMNS; i++)
		padv_row_null(row);
}

/* Store the row of a queue whose figures have been read. */
static void
store_queue(FunctionCallInfo fcinfo, const GateReading *reading, int32 number,
			const PadvQueueFigures *figures, const char *scope, Oid role, Oid database)
{
	const PadvQueueNow *queue = &reading->queues[number];
	PadvRow		row = {0};

	padv_row_scope(&row, scope, role, database);
	padv_row_int(&row, figures->limit);
	padv_row_int(&row, figures->in_force);
	padv_row_int(&row, Max(figures->taken, queue->running));
	padv_row_int(&row, queue->running);
	padv_row_int(&row, Max(figures->taken - queue->running, 0));
	padv_row_int(&row, figures->waiting);
	padv_row_rounded(&row, (double) queue->longest_wait_us / 1e6);
	add_waits(&row, reading, figures);
	add_totals(&row, &figures->totals);
	add_holder(&row, reading, queue);
	padv_row_text(&row, padv_enforcement_name(padv_effective_gate_enforcement(reading->local.enforcement,
																			  reading->local.gate_enforcement)));
	add_server(&row, reading, number == PADV_SERVER_QUEUE);
	if (figures->query_id != 0)
		padv_row_int(&row, figures->query_id);
	else
		padv_row_null(&row);
	padv_row_store(&row, fcinfo);
}

static bool
has_queue(const PadvLimits *limits, const PadvLimit *limit)
{
	return limit->value[PADV_MAX_ACTIVE] >= 0 && !padv_limit_is_exempt(limits, limit);
}

static void
store_limits(FunctionCallInfo fcinfo, const GateReading *reading)
{
	PadvQueueFigures figures;

	for (int i = 0; i < reading->limits->nlimits; i++)
	{
		const PadvLimit *limit = &reading->limits->limits[i];

		if (has_queue(reading->limits, limit) && padv_queue_read(i, reading->generation, &figures))
			store_queue(fcinfo, reading, i, &figures, padv_scope_name(limit->scope), limit->role, limit->database);
	}
}

static void
store_queries(FunctionCallInfo fcinfo, const GateReading *reading)
{
	PadvQueueFigures figures;

	for (int i = 0; i < PADV_QUERY_ENTRIES; i++)
		if (padv_queue_read(PADV_FIRST_QUERY_QUEUE + i, reading->generation, &figures) && figures.query_id != 0)
			store_queue(fcinfo, reading, PADV_FIRST_QUERY_QUEUE + i, &figures, "query", InvalidOid, InvalidOid);
}

/* A row for each role that is under the default limit and has sessions, or had waiters. */
static void
store_default(FunctionCallInfo fcinfo, const GateReading *reading)
{
	PadvQueueFigures figures;
	int			count = padv_queues_count();

	if (!has_queue(reading->limits, &reading->limits->default_limit))
		return;
	for (int i = PADV_FIRST_ROLE_QUEUE; i < count; i++)
		if (padv_queue_read(i, reading->generation, &figures) && OidIsValid(figures.role) &&
			padv_limits_at(reading->limits, InvalidOid, figures.role) == NULL &&
			!padv_limits_is_exempt(reading->limits, figures.role))
			store_queue(fcinfo, reading, i, &figures, padv_scope_name(PADV_SCOPE_DEFAULT), figures.role, InvalidOid);
}

/*
 * Store all rows.  Returns false when the limits have changed meanwhile, so that some are
 * missing.
 */
static bool
store_all(FunctionCallInfo fcinfo, GateReading *reading)
{
	PadvQueueFigures server;

	reading->queues = padv_queues_now();
	reading->limits = padv_limits_shmem_copy(&reading->generation);
	reading->now = padv_monotonic_us();
	reading->wall = GetCurrentTimestamp();
	(void) padv_queue_read(PADV_SERVER_QUEUE, PADV_ANY_GENERATION, &server);
	store_queue(fcinfo, reading, PADV_SERVER_QUEUE, &server, "server", InvalidOid, InvalidOid);
	store_limits(fcinfo, reading);
	store_queries(fcinfo, reading);
	store_default(fcinfo, reading);
	return padv_admission_generation() == reading->generation;
}

/*
 * A row for each queue; first the server's, which is always there.
 */
Datum
pool_advisor_gate(PG_FUNCTION_ARGS)
{
	GateReading reading;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	padv_read_local_status(&reading.local, false);
	for (int i = 1; !store_all(fcinfo, &reading) && i < MAX_READINGS; i++)
		tuplestore_clear(((ReturnSetInfo *) fcinfo->resultinfo)->setResult);
	return (Datum) 0;
}
