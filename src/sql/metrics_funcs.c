/*
 * metrics_funcs.c
 *		SQL functions for monitoring systems: the view metrics, openmetrics()
 *		and check_load().
 *
 * Copies out what is published and what the limits count, gives names to the
 * roles and databases that are shown, and hands it to the pure core.  Never
 * waits for the worker, reads no table but the catalogs behind names, and
 * writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "compat.h"
#include "core/monitoring/check_load.h"
#include "core/monitoring/metrics.h"
#include "core/monitoring/openmetrics.h"
#include "core/policy/enforcement.h"
#include "shmem/admission.h"
#include "shmem/incidents_shmem.h"
#include "shmem/status_shmem.h"
#include "shmem/xact_stats.h"
#include "sql/arguments.h"
#include "sql/encoding.h"
#include "sql/limit_usage.h"
#include "sql/load_rows.h"
#include "sql/rows.h"
#include "sql/server_status.h"
#include "sql/tables.h"

PG_FUNCTION_INFO_V1(pool_advisor_metrics);
PG_FUNCTION_INFO_V1(pool_advisor_openmetrics);
PG_FUNCTION_INFO_V1(pool_advisor_check_load);

StaticAssertDecl(PADV_ROLES_TRACKED == PADV_MAX_SHOWN,
				 "the roles with counters of their own must fit into the series");

/* --- names ---------------------------------------------------------------- */

/* The name of a role as it can be shown, or NULL for one that is gone. */
static char *
name_of_role(Oid role)
{
	return OidIsValid(role) ? padv_clean_name(GetUserNameFromId(role, true)) : NULL;
}

/* --- what is counted ------------------------------------------------------ */

/* Counters of all roles that have any, by role. */
typedef struct Counters
{
	int			count;
	PadvRoleCounters *rows;
} Counters;

static PadvRoleCounters *
find_counters(const Counters *counters, Oid role)
{
	return padv_role_counters_find(counters->rows, counters->count, role);
}

static void
read_metric_server(PadvMetricsServer *server)
{
	padv_read_local_status(&server->local, false);
	server->max_connections = MaxConnections;
	server->usable_connections = MaxConnections - padv_reserved_connections();
	server->server_max_active = server->local.gate.limit;
	server->gate_enforcement =
		padv_effective_gate_enforcement(server->local.enforcement,
										server->local.gate_enforcement);
	server->transactions_waiting = server->local.gate.waiting;
	server->transactions_wait_seconds = (double) server->local.gate.totals.waited_us / 1e6;
	server->incident_active = padv_incidents_count(server->incidents);
	padv_metrics_prepare(server);
}

static PadvMetricsCounts
counts_of(const PadvRoleCounters *counters)
{
	return (PadvMetricsCounts) {
		.refused = counters->count[PADV_ROLE_REFUSED],
		.queued = counters->count[PADV_ROLE_QUEUED],
		.timed_out = counters->count[PADV_ROLE_TIMED_OUT],
		.would_refuse = counters->count[PADV_ROLE_WOULD_REFUSE],
		.closed_idle = counters->count[PADV_ROLE_CLOSED_IDLE],
		.queue_wait_seconds = (double) counters->count[PADV_ROLE_QUEUE_WAIT_US] / 1e6,
		.transactions_queued = counters->count[PADV_ROLE_XACTS_QUEUED],
		.transactions_wait_seconds = (double) counters->count[PADV_ROLE_XACT_WAIT_US] / 1e6,
	};
}

static void
read_totals(PadvMetricsServer *server, const Counters *counters)
{
	PadvRoleCounters total = {0};

	for (int i = 0; i < counters->count; i++)
	{
		server->logins_waiting += counters->rows[i].waiting;
		padv_role_counters_add(&total, &counters->rows[i]);
	}
	server->total = counts_of(&total);
}

/* --- roles ---------------------------------------------------------------- */

static PadvMetricsRole
role_of(const PadvRoleRow *row, int64 waiting)
{
	return (PadvMetricsRole) {
		.role = row->role,
		.sessions = row->sessions,
		.active = row->active,
		.idle = row->idle,
		.idle_in_transaction = row->idle_in_transaction,
		.queued = row->queued + waiting,
		.active_avg = row->active_avg,
	};
}

/* Roles with sessions, then those that only wait; room for one more. */
static int
collect_roles(const Counters *counters, PadvMetricsRole **roles)
{
	PadvRoleRow *rows;
	int			nrows = padv_status_copy_roles(&rows);
	int			count = 0;

	*roles = palloc((nrows + counters->count + 1) * sizeof(PadvMetricsRole));
	for (int i = 0; i < nrows; i++)
	{
		PadvRoleCounters *mine = find_counters(counters, rows[i].role);

		(*roles)[count++] = role_of(&rows[i], mine ? mine->waiting : 0);
		if (mine)
			mine->waiting = 0;	/* shown */
	}
	for (int i = 0; i < counters->count; i++)
	{
		PadvRoleRow absent = {.role = counters->rows[i].role};

		if (counters->rows[i].waiting > 0)
			(*roles)[count++] = role_of(&absent, counters->rows[i].waiting);
	}
	return count;
}

/* The rows of a dimension over the last minute. */
static int
read_load_rows(PadvLoadRead *read, PadvDimension dimension, PadvLoadRow **rows)
{
	*rows = palloc(PADV_LOAD_ROWS * sizeof(PadvLoadRow));
	return padv_load_rows(&read->total, read->keys[dimension], read->count[dimension], *rows);
}

static double
blame_of_role(const PadvLoadRow *rows, int count, Oid role)
{
	for (int i = 0; i < count; i++)
		if (!rows[i].others && rows[i].key == role)
			return rows[i].blame;
	return 0.0;
}

static void
read_metric_roles(PadvMetricsInput *input, const Counters *counters, const PadvLimits *limits,
				  PadvLoadRead *load)
{
	int			count = collect_roles(counters, &input->roles);
	int			shown = padv_metrics_choose_roles(input->roles, count);
	PadvLoadRow *rows;
	int			nrows = read_load_rows(load, PADV_DIMENSION_ROLE, &rows);

	for (int i = 0; i < count; i++)
	{
		PadvMetricsRole *role = &input->roles[i];

		role->blame_avg = blame_of_role(rows, nrows, role->role);
		if (i >= shown)
			continue;
		role->labels.rolname = name_of_role(role->role);
		role->max_sessions = padv_role_limit(limits, role->role, PADV_MAX_SESSIONS);
	}
	input->nroles = padv_metrics_fold_roles(input->roles, shown, count);
}

/* Those that still exist; no two of them have the same name for longer than a moment. */
static void
read_metric_databases(PadvMetricsInput *input, PadvLoadRead *load)
{
	PadvLoadRow *rows;
	int			nrows = read_load_rows(load, PADV_DIMENSION_DATABASE, &rows);

	input->databases = palloc(PADV_MAX_SHOWN * sizeof(PadvMetricsDatabase));
	for (int i = 0; i < nrows && input->ndatabases < PADV_MAX_SHOWN; i++)
	{
		char	   *name = rows[i].others ? NULL : padv_clean_name(get_database_name((Oid) rows[i].key));
		bool		shown = name == NULL;

		for (int j = 0; j < input->ndatabases && !shown; j++)
			shown = strcmp(input->databases[j].labels.datname, name) == 0;
		if (!shown)
			input->databases[input->ndatabases++] = (PadvMetricsDatabase) {
				.labels.datname = name, .active_avg = rows[i].active_avg, .blame_avg = rows[i].blame};
	}
}

/*
 * Add counters of 0 for roles for which nothing has been counted, up to
 * PADV_ROLES_TRACKED roles, so that the first event is seen as a step.
 */
static int
add_uncounted(PadvMetricsInput *input, const Counters *counters, int count, int tracked)
{
	for (int i = 0; i < input->nroles - 1 && tracked < PADV_ROLES_TRACKED; i++)
	{
		const PadvMetricsRole *role = &input->roles[i];
		const PadvRoleCounters *mine = find_counters(counters, role->role);

		if (mine && padv_has_counted(mine))
			continue;
		input->counted[count++] = (PadvMetricsCounted) {
			.labels = role->labels, .role = role->role, .tracked = true};
		tracked++;
	}
	return count;
}

static void
read_counted(PadvMetricsInput *input, const Counters *counters)
{
	int			tracked = 0;
	int			count = 0;
	int			shown;

	input->counted = palloc((counters->count + PADV_MAX_SHOWN + 1) * sizeof(PadvMetricsCounted));
	for (int i = 0; i < counters->count; i++)
	{
		const PadvRoleCounters *row = &counters->rows[i];

		if (!padv_has_counted(row))
			continue;
		input->counted[count++] = (PadvMetricsCounted) {
			.role = row->role, .tracked = row->tracked, .counts = counts_of(row)};
		tracked += row->tracked;
	}
	count = add_uncounted(input, counters, count, tracked);
	shown = padv_metrics_choose_counted(input->counted, count);
	for (int i = 0; i < shown; i++)
		if (input->counted[i].labels.rolname == NULL)
			input->counted[i].labels.rolname = name_of_role(input->counted[i].role);
	input->ncounted = padv_metrics_fold_counted(input->counted, shown, count);
}

/* --- durations ---------------------------------------------------------------- */

static void
read_latency(PadvMetricsInput *input)
{
	PadvRoleLatency *roles;
	int			count = padv_xact_stats_copy_latency(&roles);

	input->latency = palloc0((count + 1) * sizeof(PadvMetricsLatency));
	for (int i = 0; i < count; i++)
		input->latency[i] = (PadvMetricsLatency) {
			.labels.rolname = name_of_role(roles[i].role), .tracked = OidIsValid(roles[i].role),
			.total = roles[i].total, .minute = roles[i].minute};
	input->nlatency = padv_metrics_fold_latency(input->latency, count);
}

/* --- limits ----------------------------------------------------------------- */

/* The names of a limit; false when one of them is gone. */
static bool
name_limit(PadvMetricsLimit *limit)
{
	if (OidIsValid(limit->role))
		limit->labels.rolname = name_of_role(limit->role);
	if (OidIsValid(limit->database))
		limit->labels.datname = padv_clean_name(get_database_name(limit->database));
	return (limit->labels.rolname != NULL || !OidIsValid(limit->role)) &&
		(limit->labels.datname != NULL || !OidIsValid(limit->database));
}

/* Names can be the same for a moment, as for roles. */
static bool
is_shown_already(const PadvMetricsInput *input, const PadvMetricsLabels *labels)
{
	for (int i = 0; i < input->nlimits; i++)
	{
		const PadvMetricsLabels *other = &input->limits[i].labels;

		if (strcmp(other->rolname ? other->rolname : "", labels->rolname ? labels->rolname : "") == 0 &&
			strcmp(other->datname ? other->datname : "", labels->datname ? labels->datname : "") == 0)
			return true;
	}
	return false;
}

void
padv_metrics_read_limits(PadvMetricsInput *input, const PadvLimitUsage *usage)
{
	PadvMetricsServer *server = &input->server;
	int			count = 0;
	int			shown;

	input->limits = palloc0((usage->limits->nlimits + 1) * sizeof(PadvMetricsLimit));
	for (int i = 0; i < usage->limits->nlimits; i++)
	{
		const PadvLimit *limit = &usage->limits->limits[i];
		int32		max_sessions = limit->value[PADV_MAX_SESSIONS];

		if (!padv_limit_is_set(limit) || padv_limit_is_exempt(usage->limits, limit))
			continue;
		input->limits[count++] = (PadvMetricsLimit) {
			.role = limit->role, .database = limit->database,
			.in_use = usage->in_use[i], .max_sessions = max_sessions,
			.is_group = limit->scope == PADV_SCOPE_GROUP};
		server->limits_full += max_sessions > 0 && usage->in_use[i] >= max_sessions;
	}
	server->limits = count;
	server->enforcement = usage->limits->enforcement;
	server->default_max_sessions = usage->limits->default_limit.value[PADV_MAX_SESSIONS];
	server->default_in_use = usage->default_in_use;

	shown = padv_metrics_choose_limits(input->limits, count);
	for (int i = 0; i < shown; i++)
		if (name_limit(&input->limits[i]) && !is_shown_already(input, &input->limits[i].labels))
			input->limits[input->nlimits++] = input->limits[i];
}

static void
read_input(PadvMetricsInput *input)
{
	PadvLimitUsage usage;
	Counters	counters;
	PadvLoadRead load;

	memset(input, 0, sizeof(*input));
	counters.count = padv_admission_copy_counters(&counters.rows);
	padv_read_limit_usage(&usage);
	padv_read_load(PADV_LOAD_1_MINUTE, &load);

	read_metric_server(&input->server);
	read_totals(&input->server, &counters);
	read_metric_roles(input, &counters, usage.limits, &load);
	read_metric_databases(input, &load);
	read_counted(input, &counters);
	read_latency(input);
	padv_metrics_read_limits(input, &usage);
}

/* --- SQL functions -------------------------------------------------------- */

/* Rows being stored: those of a metric start with the same columns. */
typedef struct Rows
{
	FunctionCallInfo fcinfo;
	const PadvMetric *metric;
	PadvRow		row;			/* its first columns are those of the metric */
} Rows;

#define METRIC_COLUMNS 4

static void
store_series(void *arg, const PadvSeries *series)
{
	static const char *const kinds[] = {"gauge", "counter", "info"};
	Rows	   *rows = arg;
	PadvRow    *row = &rows->row;

	if (rows->metric != series->metric)
	{
		row->count = 0;
		padv_row_text(row, series->metric->name);
		padv_row_text(row, kinds[series->metric->kind]);
		padv_row_text(row, series->metric->unit);
		padv_row_text(row, series->metric->help);
		rows->metric = series->metric;
	}
	row->count = METRIC_COLUMNS;
	padv_row_text(row, series->rolname);
	padv_row_text(row, series->datname);
	padv_row_text(row, series->wait_class);
	padv_row_float(row, series->value);
	padv_row_text(row, series->incident);
	padv_row_store(row, rows->fcinfo);
}

/*
 * A row for each series.
 */
Datum
pool_advisor_metrics(PG_FUNCTION_ARGS)
{
	PadvMetricsInput input;
	Rows		rows = {.fcinfo = fcinfo};

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	read_input(&input);
	padv_metrics_walk(&input, store_series, &rows);
	return (Datum) 0;
}

static void
append_metrics_text(void *arg, const char *text)
{
	appendStringInfoString((StringInfo) arg, text);
}

/*
 * The same as one text.
 */
Datum
pool_advisor_openmetrics(PG_FUNCTION_ARGS pg_attribute_unused())
{
	PadvMetricsInput input;
	StringInfoData result;

	padv_require_preloaded();
	read_input(&input);
	initStringInfo(&result);
	padv_openmetrics(&input, append_metrics_text, &result);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(result.data, result.len));
}

/* Negative when it is not given. */
static double
read_threshold(FunctionCallInfo fcinfo, int number, const char *name)
{
	if (PG_ARGISNULL(number))
		return -1.0;
	padv_check_argument(PG_GETARG_FLOAT8(number), false, name);
	return PG_GETARG_FLOAT8(number);
}

/*
 * check_load(warning, critical)
 */
Datum
pool_advisor_check_load(PG_FUNCTION_ARGS)
{
	PadvLocalStatus local;
	PadvLoadCheck check;
	PadvRow		row = {0};
	double		warning;
	double		critical;

	padv_require_preloaded();
	warning = read_threshold(fcinfo, 0, "warning");
	critical = read_threshold(fcinfo, 1, "critical");
	if (critical >= 0.0 && warning > critical)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be less than \"%s\"", "critical", "warning"),
				 errhint("Give thresholds of load_ratio with \"warning\" not above \"critical\".")));

	padv_read_local_status(&local, false);
	padv_check_load(&local, MaxConnections - padv_reserved_connections(), warning, critical, &check);
	padv_row_float(&row, check.load_ratio);
	padv_row_float(&row, check.demand_avg);
	padv_row_float(&row, check.active_avg);
	padv_row_int(&row, check.optimal);
	padv_row_int(&row, check.sessions);
	padv_row_int(&row, check.queued);
	padv_row_int(&row, check.usable_connections);
	padv_row_float(&row, check.sample_age_seconds);
	padv_row_int(&row, check.status);
	padv_row_text(&row, check.message);
	return padv_row_return(&row, fcinfo);
}
