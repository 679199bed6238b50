/*
 * report_funcs.c
 *		SQL function that writes the server on one page of HTML.
 *
 * Copies out what the views show, gives names to roles and databases, and hands
 * it to the pure core, which is given UTF-8 whatever the encoding of the database
 * is.  Never waits for the worker, reads no table but the catalogs behind names,
 * and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <unistd.h>

#include "access/xlog.h"
#include "common/string.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "postmaster/postmaster.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/render/report.h"
#include "shmem/status_shmem.h"
#include "sql/encoding.h"
#include "sql/load_rows.h"
#include "sql/named_incidents.h"
#include "sql/rows.h"
#include "sql/server_status.h"
#include "sql/tables.h"
#include "sql/timeline.h"

PG_FUNCTION_INFO_V1(pool_advisor_report);

/* --- texts ---------------------------------------------------------------- */

/*
 * A text as UTF-8.  What the conversion does not know becomes a question mark,
 * because a name must not be able to keep the page from being written.
 */
static const char *
to_utf8(const char *text)
{
	int			encoding = GetDatabaseEncoding();
	char	   *copy;

	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII || pg_is_ascii(text))
		return text;
	copy = pstrdup(text);
	if (!padv_mark_unconvertible(copy, encoding, PG_UTF8))
		return text;			/* the page shows what is no UTF-8 as such */
	return pg_server_to_any(copy, strlen(copy), PG_UTF8);
}

static const char *
to_utf8_or_null(const char *text)
{
	return text ? to_utf8(text) : NULL;
}

/* A moment in the session's time zone, which is named. */
static const char *
name_moment(TimestampTz moment)
{
	pg_time_t	time = timestamptz_to_time_t(moment);
	struct pg_tm *local = pg_localtime(&time, session_timezone);
	char	   *text = palloc0(MAXDATELEN + 1);

	if (local)
		pg_strftime(text, MAXDATELEN, "%Y-%m-%d %H:%M:%S %Z", local);
	return to_utf8(text);
}

/* --- what is told --------------------------------------------------------- */

/* An array that grows. */
typedef struct Collected
{
	void	   *elements;
	int			count;
	int			room;
	Size		size;			/* of an element */
} Collected;

static void *
add_element(Collected *collected)
{
	if (collected->elements == NULL)
	{
		collected->room = 64;
		collected->elements = palloc(collected->room * collected->size);
	}
	else if (collected->count == collected->room)
	{
		collected->room *= 2;
		collected->elements = repalloc(collected->elements, collected->room * collected->size);
	}
	return (char *) collected->elements + collected->size * collected->count++;
}

static void
add_role(void *arg, const PadvRoleRow *role, const PadvRoleCounters *counters, const PadvLimits *limits)
{
	PadvRoleBar *bar = add_element(arg);

	*bar = (PadvRoleBar) {
		.name = to_utf8(padv_role_row_name(role)),
		.active_avg = role->active_avg,
		.sessions = role->sessions,
		.limit = padv_role_limit(limits, role->role, PADV_MAX_SESSIONS),
		.idle_in_transaction = role->idle_in_transaction,
		.queued = role->queued + counters->waiting,
		.refused = counters->count[PADV_ROLE_REFUSED],
	};
}

static void
read_report_roles(PadvReport *report)
{
	Collected	roles = {.size = sizeof(PadvRoleBar)};

	padv_tell_roles(add_role, &roles);
	report->roles = roles.elements;
	report->nroles = roles.count;
}

static void
read_report_load(PadvReport *report)
{
	Collected	all = {.size = sizeof(PadvReportKey)};
	PadvLoadRow *rows = palloc(PADV_LOAD_ROWS * sizeof(PadvLoadRow));
	PadvLoadRead read;

	padv_read_load(PADV_LOAD_10_MINUTES, &read);
	for (PadvDimension dimension = 0; dimension < PADV_DIMENSIONS; dimension++)
	{
		int			count = padv_load_rows(&read.total, read.keys[dimension], read.count[dimension], rows);

		for (int i = 0; i < count; i++)
		{
			PadvReportKey *key = add_element(&all);

			key->dimension = dimension;
			key->row = rows[i];
			key->name = to_utf8(padv_load_key_name(dimension, &rows[i]));
		}
	}
	report->load = all.elements;
	report->nload = all.count;
}

static void
add_fact(void *arg, const char *fact, const char *value, const char *source)
{
	PadvReportFact *copy = add_element(arg);

	copy->fact = to_utf8(pstrdup(fact));
	copy->value = to_utf8(pstrdup(value));
	copy->source = to_utf8(pstrdup(source));
}

static void
read_facts(PadvReport *report, const PadvStatus *status)
{
	Collected	facts = {.size = sizeof(PadvReportFact)};

	padv_tell_hardware(status, add_fact, &facts);
	report->facts = facts.elements;
	report->nfacts = facts.count;
}

static void
read_limits(PadvReport *report)
{
	PadvMetricsInput input;
	PadvLimitUsage usage;

	memset(&input, 0, sizeof(input));
	padv_read_limit_usage(&usage);
	padv_metrics_read_limits(&input, &usage);
	for (int i = 0; i < input.nlimits; i++)
	{
		PadvMetricsLabels *labels = &input.limits[i].labels;

		labels->rolname = to_utf8_or_null(labels->rolname);
		labels->datname = to_utf8_or_null(labels->datname);
	}
	report->limits = input.limits;
	report->nlimits = input.nlimits;
	report->all_limits = input.server.limits;
	report->default_max_sessions = input.server.default_max_sessions;
	report->default_in_use = input.server.default_in_use;
}

static void
read_found_pools(PadvReport *report)
{
	PadvNamedPool *pools;

	report->npools = padv_read_pools(&pools);
	for (int i = 0; i < report->npools; i++)
	{
		pools[i].role = to_utf8(pools[i].role);
		pools[i].database = to_utf8(pools[i].database);
		pools[i].role_literal = to_utf8(pools[i].role_literal);
	}
	report->pools = pools;
}

static void
read_curve(PadvReport *report)
{
	PadvScalabilityRow *rows;

	report->nrows = padv_status_copy_curve(&rows);
	report->rows = rows;
}

static void
read_incidents(PadvReport *report)
{
	PadvNamedIncident *incidents;
	PadvReportIncident *shown = palloc(PADV_REPORT_INCIDENTS * sizeof(PadvReportIncident));

	report->all_incidents = padv_read_incidents(&incidents);
	report->nincidents = Min(report->all_incidents, PADV_REPORT_INCIDENTS);
	for (int i = 0; i < report->nincidents; i++)
	{
		PadvNamedIncident *named = &incidents[i];

		named->role = to_utf8(named->role);
		named->role_quoted = to_utf8(named->role_quoted);
		named->database = to_utf8(named->database);
		named->database_quoted = to_utf8(named->database_quoted);
		shown[i] = (PadvReportIncident) {
			.named = *named, .began = name_moment(named->incident.began),
			.ended = named->incident.ended == 0 ? NULL : name_moment(named->incident.ended)
		};
	}
	report->incidents = shown;
}

/* The name of the machine, which is not always what clients know it by. */
static const char *
name_host(void)
{
	char		name[256];

	if (gethostname(name, sizeof(name)) != 0)
		return "unknown";
	name[sizeof(name) - 1] = '\0';
	return to_utf8(pstrdup(name));
}

static void
read_report_server(PadvReport *report, const PadvLocalStatus *local, TimestampTz now)
{
	report->server_version = to_utf8(GetConfigOption("server_version", false, false));
	report->cluster_name = to_utf8(cluster_name ? cluster_name : "");
	report->host = name_host();
	report->port = PostPortNumber;
	report->standby = RecoveryInProgress();
	report->usable_connections = MaxConnections - padv_reserved_connections();
	report->zone = to_utf8(pg_get_timezone_name(session_timezone));
	report->written_at = name_moment(now);
	report->sampled_at = name_moment(local->status.taken_at);
	report->started_at = name_moment(PgStartTime);
}

static void
read_situation(PadvLocalStatus *local)
{
	padv_read_local_status(local, true);
	local->holder_role = to_utf8_or_null(local->holder_role);
	local->holder_role_quoted = to_utf8_or_null(local->holder_role_quoted);
	local->holder_database = to_utf8_or_null(local->holder_database);
	local->blocker_role = to_utf8_or_null(local->blocker_role);
	local->blocker_database = to_utf8_or_null(local->blocker_database);
	local->blocker_gid_quoted = to_utf8_or_null(local->blocker_gid_quoted);
	local->idle_blocker_role = to_utf8_or_null(local->idle_blocker_role);
	local->idle_blocker_database = to_utf8_or_null(local->idle_blocker_database);
	local->idle_blocker_gid_quoted = to_utf8_or_null(local->idle_blocker_gid_quoted);
	local->incident_cause = to_utf8_or_null(local->incident_cause);
	local->incident_remedy = to_utf8_or_null(local->incident_remedy);
	for (int i = 0; i < PADV_DIMENSIONS; i++)
		local->largest[i].name = to_utf8_or_null(local->largest[i].name);
}

static void
append_piece(void *arg, const char *piece)
{
	appendStringInfoString((StringInfo) arg, piece);
}

/*
 * report(): one text.
 */
Datum
pool_advisor_report(PG_FUNCTION_ARGS pg_attribute_unused())
{
	PadvLocalStatus local;
	PadvReport	report = {.local = &local};
	StringInfoData page;
	TimestampTz now;
	int64		sample_interval;

	padv_require_preloaded();
	now = GetCurrentTimestamp();
	read_situation(&local);
	read_report_server(&report, &local, now);
	sample_interval = local.status.model.inputs.sample_interval_ms * INT64CONST(1000);
	for (PadvResolution resolution = 0; resolution < PADV_RESOLUTIONS; resolution++)
		padv_fetch_timeline(&report.timelines[resolution], resolution, now,
							padv_history_reach[resolution], sample_interval);
	read_incidents(&report);
	read_curve(&report);
	read_report_load(&report);
	read_report_roles(&report);
	read_limits(&report);
	read_found_pools(&report);
	read_facts(&report, &local.status);

	initStringInfo(&page);
	padv_report(&report, append_piece, &page);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(page.data, page.len));
}
