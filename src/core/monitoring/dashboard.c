/*
 * dashboard.c
 *		A dashboard for Grafana.
 *
 * Owns the panels, their queries and the layout.  The queries use names of the table in
 * metrics.c, which a unit test holds against it.  Pure.
 *
 * The JSON is the model of Grafana 10, which later versions convert when they import it.
 * The data source and the server are variables of the dashboard, so nothing in it has to be
 * changed.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/monitoring/monitoring_config.h"

#define put padv_config_put

#define MAX_QUERIES 6

/* In a query % stands for the labels that choose the server. */
typedef struct Query
{
	const char *expr;			/* NULL after the last */
	const char *legend;
} Query;

typedef struct Panel
{
	const char *title;			/* NULL after the last */
	const char *description;
	const char *type;
	const char *unit;			/* of Grafana */
	int			width;			/* of 24 columns */
	bool		stacked;
	const char *mappings;		/* JSON, or NULL */
	Query		queries[MAX_QUERIES + 1];
} Panel;

#define VERDICTS \
	"[{\"type\": \"value\", \"options\": {" \
	"\"0\": {\"text\": \"idle\", \"color\": \"text\"}, " \
	"\"1\": {\"text\": \"within\", \"color\": \"green\"}, " \
	"\"2\": {\"text\": \"at the optimum\", \"color\": \"green\"}, " \
	"\"3\": {\"text\": \"oversubscribed\", \"color\": \"orange\"}, " \
	"\"4\": {\"text\": \"contention\", \"color\": \"orange\"}, " \
	"\"5\": {\"text\": \"stalled\", \"color\": \"red\"}}}]"

#define STATES \
	"[{\"type\": \"value\", \"options\": {" \
	"\"0\": {\"text\": \"OK\", \"color\": \"green\"}, " \
	"\"1\": {\"text\": \"warning\", \"color\": \"orange\"}, " \
	"\"2\": {\"text\": \"critical\", \"color\": \"red\"}, " \
	"\"3\": {\"text\": \"unknown\", \"color\": \"purple\"}}}]"

static const Panel panels[] = {
	{"Verdict", "How the load stands against the optimum.", "stat", "none", 6, false, VERDICTS, {
	{"pool_advisor_verdict%", "{{instance}}"}}},
	{"Health", "What check_load() says.", "stat", "none", 6, false, STATES, {
	{"pool_advisor_health%", "{{instance}}"}}},
	{"Load ratio", "Sessions that want to work, divided by the optimum.", "stat", "none", 6, false, NULL, {
	{"pool_advisor_load_ratio%", "{{instance}}"}}},
	{"Advice", "Rows of the view advice.", "stat", "none", 6, false, NULL, {
			{"pool_advisor_advice_critical%", "critical"},
	{"pool_advisor_advice_warning%", "warning"}}},
	{"Load against the optimum", "More active sessions than the range around the optimum do not help.", "timeseries", "none", 12, false, NULL, {
			{"pool_advisor_demand_avg%", "want to work"},
			{"pool_advisor_active_avg%", "active"},
			{"pool_advisor_optimal%", "optimal"},
			{"pool_advisor_optimal_low%", "optimal, low"},
			{"pool_advisor_optimal_high%", "optimal, high"},
	{"pool_advisor_pool_size%", "pool_size"}}},
	{"What active sessions do", "Average of the last minute by what they wait for.", "timeseries", "none", 12, true, NULL, {
	{"pool_advisor_wait_class_sessions_avg%", "{{wait_class}}"}}},
	{"Transactions", "Each second.", "timeseries", "ops", 12, false, NULL, {
			{"rate(pool_advisor_transactions_total%[$__rate_interval])", "committed"},
	{"rate(pool_advisor_rollbacks_total%[$__rate_interval])", "rolled back"}}},
	{"Duration of transactions", "Of each role in the last minute, the wait in the queue included.", "timeseries", "s", 12, false, NULL, {
			{"pool_advisor_latency_p50_seconds%", "{{rolname}} p50"},
			{"pool_advisor_latency_p95_seconds%", "{{rolname}} p95"},
	{"pool_advisor_latency_p99_seconds%", "{{rolname}} p99"}}},
	{"Slow transactions", "Share of those of each role that took longer than 1 s.", "timeseries", "percentunit", 12, false, NULL, {
	{"rate(pool_advisor_latency_slow_total%[$__rate_interval]) / rate(pool_advisor_latency_transactions_total%[$__rate_interval])", "{{rolname}}"}}},
	{"Blame", "Sessions that wait for a lock because of a session of the role.", "timeseries", "none", 12, true, NULL, {
	{"topk(10, pool_advisor_role_blame_avg%)", "{{rolname}}"}}},
	{"Databases", "Average active sessions of the ten most active databases.", "timeseries", "none", 12, true, NULL, {
	{"topk(10, pool_advisor_database_active_avg%)", "{{datname}}"}}},
	{"Connections", "What ordinary roles can have, and what is taken.", "timeseries", "none", 12, false, NULL, {
			{"pool_advisor_usable_connections%", "usable"},
			{"pool_advisor_sessions%", "sessions"},
			{"pool_advisor_idle%", "idle"},
			{"pool_advisor_idle_in_transaction%", "idle in transaction"},
	{"pool_advisor_logins_waiting%", "logins in the queue"}}},
	{"Roles", "Average active sessions of the ten most active roles.", "timeseries", "none", 12, true, NULL, {
	{"topk(10, pool_advisor_role_active_avg%)", "{{rolname}}"}}},
	{"Queue for transactions", "Transactions that wait for a slot.", "timeseries", "none", 12, false, NULL, {
			{"pool_advisor_transactions_waiting%", "waiting"},
			{"pool_advisor_transactions_longest_wait_seconds%", "longest wait, seconds"},
	{"pool_advisor_server_max_active%", "server_max_active"}}},
	{"What the queue did", "Transactions each second.", "timeseries", "ops", 12, false, NULL, {
			{"rate(pool_advisor_transactions_queued_total%[$__rate_interval])", "waited"},
			{"rate(pool_advisor_transactions_refused_total%[$__rate_interval])", "refused"},
			{"rate(pool_advisor_transactions_timed_out_total%[$__rate_interval])", "timed out"},
	{"rate(pool_advisor_transactions_cancelled_total%[$__rate_interval])", "canceled"}}},
	{"Limits", "Share of each limit on sessions that is in use.", "timeseries", "percentunit", 12, false, NULL, {
	{"pool_advisor_limit_in_use% / (pool_advisor_limit_max_sessions% > 0)", "{{rolname}} {{datname}}"}}},
	{"Logins refused", "Because of a limit, each second.", "timeseries", "ops", 12, false, NULL, {
	{"rate(pool_advisor_admission_refused_total%[$__rate_interval])", "{{rolname}}"}}},
	{"Blocked sessions", "Those that wait for a lock, and for how long work has stood still.", "timeseries", "none", 12, false, NULL, {
			{"pool_advisor_blocked_sessions%", "blocked"},
			{"pool_advisor_blockers%", "blockers"},
			{"pool_advisor_stalled_seconds%", "stalled, seconds"},
	{"pool_advisor_idle_blocker_seconds%", "idle blocker, seconds"}}},
	{"Machine", "Ratios of the last minute.", "timeseries", "percentunit", 12, false, NULL, {
			{"pool_advisor_cpu_utilization_ratio%", "CPU"},
			{"pool_advisor_run_queue_ratio%", "waits for a core"},
			{"pool_advisor_io_wait_ratio%", "waits for I/O"},
	{"pool_advisor_cache_hit_ratio%", "found in shared buffers"}}},
	{"Fleet: load ratio", "All servers of the data source.", "timeseries", "none", 8, false, NULL, {
	{"pool_advisor_load_ratio", "{{instance}}"}}},
	{"Fleet: connections taken", "All servers of the data source.", "timeseries", "percentunit", 8, false, NULL, {
	{"pool_advisor_sessions / pool_advisor_usable_connections", "{{instance}}"}}},
	{"Fleet: age of the sample", "All servers of the data source.", "timeseries", "s", 8, false, NULL, {
	{"pool_advisor_sample_age_seconds", "{{instance}}"}}},
	{0}
};

#define COLUMNS 24
#define HEIGHT 8

/* --- JSON ----------------------------------------------------------------- */

static void
put_number(const PadvConfigWriter *writer, int number)
{
	char		digits[16];

	snprintf(digits, sizeof(digits), "%d", number);
	put(writer, digits);
}

/* A string; the texts above have quotes, and no other character that JSON escapes. */
static void
put_string(const PadvConfigWriter *writer, const char *text)
{
	put(writer, "\"");
	for (; *text != '\0'; text++)
	{
		char		piece[3] = {*text == '"' ? '\\' : *text, *text == '"' ? '"' : '\0', '\0'};

		put(writer, *text == '%' ? "{instance=~\\\"$instance\\\"}" : piece);
	}
	put(writer, "\"");
}

static void
put_member(const PadvConfigWriter *writer, const char *before, const char *name, const char *value)
{
	put(writer, before);
	put_string(writer, name);
	put(writer, ": ");
	put_string(writer, value);
}

#define DATA_SOURCE "\"datasource\": {\"type\": \"prometheus\", \"uid\": \"${datasource}\"}"

static void
put_queries(const PadvConfigWriter *writer, const Panel *panel)
{
	bool		at_once = strcmp(panel->type, "stat") == 0;

	put(writer, ",\n      \"targets\": [");
	for (int i = 0; panel->queries[i].expr != NULL; i++)
	{
		char		id[2] = {(char) ('A' + i), '\0'};

		put(writer, i > 0 ? "},\n        {" DATA_SOURCE : "\n        {" DATA_SOURCE);
		put_member(writer, ", ", "refId", id);
		put_member(writer, ", ", "expr", panel->queries[i].expr);
		put_member(writer, ", ", "legendFormat", panel->queries[i].legend);
		put(writer, at_once ? ", \"instant\": true, \"range\": false" : "");
	}
	put(writer, "}\n      ]");
}

static void
put_field_config(const PadvConfigWriter *writer, const Panel *panel)
{
	put_member(writer, ",\n      \"fieldConfig\": {\"defaults\": {", "unit", panel->unit);
	if (panel->mappings != NULL)
	{
		put(writer, ", \"mappings\": ");
		put(writer, panel->mappings);
	}
	if (panel->stacked)
		put(writer, ", \"custom\": {\"fillOpacity\": 30, \"stacking\": {\"mode\": \"normal\", \"group\": \"A\"}}");
	put(writer, "}, \"overrides\": []}");
}

static void
put_panel(const PadvConfigWriter *writer, const Panel *panel, int id, int x, int y)
{
	put(writer, id > 1 ? ",\n    {\n      \"id\": " : "    {\n      \"id\": ");
	put_number(writer, id);
	put_member(writer, ",\n      ", "type", panel->type);
	put_member(writer, ", ", "title", panel->title);
	put_member(writer, ", ", "description", panel->description);
	put(writer, ",\n      " DATA_SOURCE ",\n      \"gridPos\": {\"x\": ");
	put_number(writer, x);
	put(writer, ", \"y\": ");
	put_number(writer, y);
	put(writer, ", \"w\": ");
	put_number(writer, panel->width);
	put(writer, ", \"h\": ");
	put_number(writer, HEIGHT);
	put(writer, "}");
	put_field_config(writer, panel);
	put_queries(writer, panel);
	put(writer, "\n    }");
}

static void
put_panels(const PadvConfigWriter *writer)
{
	int			x = 0;
	int			y = 0;

	for (int i = 0; panels[i].title != NULL; i++)
	{
		if (x + panels[i].width > COLUMNS)
		{
			x = 0;
			y += HEIGHT;
		}
		put_panel(writer, &panels[i], i + 1, x, y);
		x += panels[i].width;
	}
}

void
padv_write_dashboard(const PadvConfigWriter *writer)
{
	put(writer,
		"{\n"
		"  \"uid\": \"pool-advisor\",\n"
		"  \"title\": \"pool_advisor\",\n"
		"  \"tags\": [\"postgresql\"],\n"
		"  \"schemaVersion\": 38,\n"
		"  \"version\": 1,\n"
		"  \"editable\": true,\n"
		"  \"refresh\": \"30s\",\n"
		"  \"time\": {\"from\": \"now-1h\", \"to\": \"now\"},\n"
		"  \"annotations\": {\"list\": []},\n"
		"  \"templating\": {\"list\": [\n"
		"    {\"name\": \"datasource\", \"label\": \"Data source\", \"type\": \"datasource\", \"query\": \"prometheus\"},\n"
		"    {\"name\": \"instance\", \"label\": \"Server\", \"type\": \"query\", " DATA_SOURCE ",\n"
		"     \"query\": \"label_values(pool_advisor_worker_running, instance)\", \"refresh\": 2, \"sort\": 1,\n"
		"     \"includeAll\": true, \"multi\": true, \"current\": {\"text\": \"All\", \"value\": \"$__all\"}}\n"
		"  ]},\n"
		"  \"panels\": [\n");
	put_panels(writer);
	put(writer, "\n  ]\n}\n");
}
