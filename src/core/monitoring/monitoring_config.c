/*
 * monitoring_config.c
 *		Configurations of monitoring systems that read pool_advisor, as text.
 *
 * Owns the formats of the systems; the names come from the table in metrics.c,
 * so a new metric is in every configuration.  The login role is called monitoring in all
 * of them, and only needs membership in pg_monitor.  Pure; the SQL function
 * monitoring_config() joins the pieces.
 *
 * Functions are called by their qualified names: another role may have created a better
 * match in a schema of the monitoring role's search_path.
 *
 * Where a system wants a column for each figure, rows are turned into columns, a
 * query for each scope; a figure that is not known is NULL there.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdio.h>
#include <string.h>

#include "core/monitoring/metrics.h"
#include "core/monitoring/monitoring_config.h"
#include "core/text/names.h"

#define ROLE_COMMENT(start) \
	start " CREATE ROLE monitoring LOGIN; GRANT pg_monitor TO monitoring;\n"

#define CONNECTION "host=/var/run/postgresql dbname=postgres user=monitoring"
#define PSQL_CONNECTION CONNECTION " client_encoding=UTF8"

void
padv_config_put(const PadvConfigWriter *writer, const char *text)
{
	writer->emit(writer->arg, text);
}

#define put padv_config_put

/* --- scopes --------------------------------------------------------------- */

/* The scopes that have a query each: that of samples is in that of the server. */
static const PadvMetricScope scopes[] = {
	PADV_BY_SERVER, PADV_BY_WAIT_CLASS, PADV_BY_INCIDENT, PADV_BY_ROLE, PADV_BY_DATABASE, PADV_BY_COUNTED_ROLE, PADV_BY_LATENCY, PADV_BY_LIMIT,
};

#define SCOPES (sizeof(scopes) / sizeof(scopes[0]))

static bool
is_in(const PadvMetric *metric, PadvMetricScope scope)
{
	return metric->scope == scope || (metric->scope == PADV_BY_SAMPLE && scope == PADV_BY_SERVER);
}

/* What is left of a metric's name when a scope's prefix says the rest. */
static const char *
short_name(const PadvMetric *metric)
{
	return metric->name + strlen(padv_metric_groups[metric->scope].prefix);
}

/* The prefix of a scope without the underscore at its end, with this in front of what is not pool_advisor. */
static void
put_scope(const PadvConfigWriter *writer, PadvMetricScope scope, char separator)
{
	char		name[64];
	char	   *rest = name + strlen("pool_advisor");

	snprintf(name, sizeof(name), "%s", padv_metric_groups[scope].prefix);
	name[strlen(name) - 1] = '\0';
	if (*rest != '\0')
		*rest = separator;
	put(writer, name);
}

/* How a label is called in a query. */
typedef struct LabelStyle
{
	const char *prefix;
	const char *datname;		/* instead of datname, or NULL */
} LabelStyle;

static void
put_config_label(const PadvConfigWriter *writer, const LabelStyle *style, const char *label)
{
	put(writer, style->prefix);
	put(writer, style->datname != NULL && strcmp(label, "datname") == 0 ? style->datname : label);
}

static void
put_labels(const PadvConfigWriter *writer, PadvMetricScope scope, const LabelStyle *style,
		   const char *separator)
{
	for (const char *const *label = padv_metric_groups[scope].labels; *label != NULL; label++)
	{
		put_config_label(writer, style, *label);
		if (label[1] != NULL)
			put(writer, separator);
	}
}

/* Labels, as columns of a query or of its GROUP BY. */
static void
put_label_columns(const PadvConfigWriter *writer, PadvMetricScope scope, const LabelStyle *style)
{
	for (const char *const *label = padv_metric_groups[scope].labels; *label != NULL; label++)
	{
		put(writer, *label);
		if (style != NULL && (style->prefix[0] != '\0' ||
							  (style->datname != NULL && strcmp(*label, "datname") == 0)))
		{
			put(writer, " AS ");
			put_config_label(writer, style, *label);
		}
		put(writer, label[1] != NULL ? ", " : "");
	}
}

/* Turn the rows of a scope into columns; each line starts with the indent. */
static void
put_query(const PadvConfigWriter *writer, PadvMetricScope scope, const LabelStyle *style,
		  const char *indent)
{
	const PadvMetricGroup *group = &padv_metric_groups[scope];
	const char *separator = group->labels[0] != NULL ? ",\n" : "\n";

	put(writer, indent);
	put(writer, group->labels[0] != NULL ? "SELECT " : "SELECT");
	put_label_columns(writer, scope, style);
	for (const PadvMetric *metric = padv_metrics; metric->name != NULL; metric++)
	{
		if (!is_in(metric, scope))
			continue;
		put(writer, separator);
		put(writer, indent);
		put(writer, "  pg_catalog.max(value) FILTER (WHERE name = '");
		put(writer, metric->name);
		put(writer, "') AS ");
		put(writer, short_name(metric));
		separator = ",\n";
	}
	put(writer, "\n");
	put(writer, indent);
	put(writer, "FROM pool_advisor.metrics");
	if (group->labels[0] != NULL)
	{
		put(writer, " WHERE name ^@ '");
		put(writer, group->prefix);
		put(writer, "' GROUP BY ");
		put_label_columns(writer, scope, NULL);
	}
	put(writer, "\n");
}

static bool
has_kind(PadvMetricScope scope, PadvMetricKind kind)
{
	for (const PadvMetric *metric = padv_metrics; metric->name != NULL; metric++)
		if (is_in(metric, scope) && metric->kind == kind)
			return true;
	return false;
}

/* --- Prometheus ----------------------------------------------------------- */

static void
write_prometheus(const PadvConfigWriter *writer)
{
	put(writer,
		"#!/bin/sh\n"
		"# Serves openmetrics() over HTTP, without an exporter: one request on standard input,\n"
		"# the answer on standard output. As /usr/local/bin/pool_advisor-metrics with systemd:\n"
		"#\n"
		"#   /etc/systemd/system/pool_advisor-metrics.socket\n"
		"#     [Socket]\n"
		"#     ListenStream=127.0.0.1:9631\n"
		"#     Accept=yes\n"
		"#     [Install]\n"
		"#     WantedBy=sockets.target\n"
		"#   /etc/systemd/system/pool_advisor-metrics@.service\n"
		"#     [Service]\n"
		"#     User=monitoring\n"
		"#     ExecStart=/usr/local/bin/pool_advisor-metrics\n"
		"#     StandardInput=socket\n"
		"#     StandardError=journal\n"
		"#\n"
		"# and in scrape_configs of prometheus.yml:\n"
		"#\n"
		"#   - job_name: pool_advisor\n"
		"#     static_configs:\n"
		"#     - targets: ['127.0.0.1:9631']\n"
		"#\n"
		ROLE_COMMENT("#")
		"carriage_return=$(printf '\\r')\n"
		"while IFS= read -r line && [ \"${line%\"$carriage_return\"}\" != '' ]; do :; done\n"
		"if text=$(psql -XAtq -d '" PSQL_CONNECTION "' -c 'SELECT pool_advisor.openmetrics()'); then\n"
		"    printf 'HTTP/1.0 200 OK\\r\\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\\r\\n\\r\\n%s\\n' \"$text\"\n"
		"else\n"
		"    printf 'HTTP/1.0 503 Service Unavailable\\r\\n\\r\\n'\n"
		"fi\n");
}

/* A description as YAML has it between single quotes; the help has none. */
static void
put_exporter_metric(const PadvConfigWriter *writer, const PadvMetric *metric, const char *indent)
{
	const char *const pieces[] = {
		indent, "- ", short_name(metric), ":\n",
		indent, "    usage: ", metric->kind == PADV_METRIC_COUNTER ? "COUNTER\n" : "GAUGE\n",
		indent, "    description: '", metric->help, "'\n",
	};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		put(writer, pieces[i]);
}

/* The queries of a scope, as postgres_exporter and CloudNativePG read them; `extra` is a line of its own. */
static void
put_exporter_scope(const PadvConfigWriter *writer, PadvMetricScope scope, const char *indent, const char *extra)
{
	static const LabelStyle style = {"", NULL};
	char		deep[16];
	char		query[16];

	snprintf(deep, sizeof(deep), "%s  ", indent);
	snprintf(query, sizeof(query), "%s    ", indent);
	put(writer, indent);
	put_scope(writer, scope, '_');
	put(writer, ":\n");
	put(writer, deep);
	put(writer, "query: |\n");
	put_query(writer, scope, &style, query);
	put(writer, deep);
	put(writer, extra);
	put(writer, deep);
	put(writer, "metrics:\n");
	for (const char *const *label = padv_metric_groups[scope].labels; *label != NULL; label++)
	{
		put(writer, deep);
		put(writer, "- ");
		put(writer, *label);
		put(writer, ":\n");
		put(writer, query);
		put(writer, "  usage: LABEL\n");
		put(writer, query);
		put(writer, "  description: Label.\n");
	}
	for (const PadvMetric *metric = padv_metrics; metric->name != NULL; metric++)
		if (is_in(metric, scope))
			put_exporter_metric(writer, metric, deep);
}

static void
write_postgres_exporter(const PadvConfigWriter *writer)
{
	put(writer,
		"# For --extend.query-path of postgres_exporter; what is not known is NaN there.\n"
		ROLE_COMMENT("#"));
	for (size_t i = 0; i < SCOPES; i++)
		put_exporter_scope(writer, scopes[i], "", "master: true\n");
}

/* CloudNativePG reads as a member of pg_monitor, or as pg_monitor itself, so it needs no role. */
static void
write_cloudnativepg(const PadvConfigWriter *writer)
{
	put(writer,
		"# Queries for CloudNativePG. After kubectl apply, name them in the cluster, where the library\n"
		"# is loaded, too:\n"
		"#\n"
		"# spec:\n"
		"#   postgresql:\n"
		"#     shared_preload_libraries: [pool_advisor]\n"
		"#   monitoring:\n"
		"#     customQueriesConfigMap:\n"
		"#     - name: pool-advisor-monitoring\n"
		"#       key: custom-queries\n"
		"#\n"
		"# All names start with cnpg_. The extension is in the database postgres:\n"
		"#   CREATE EXTENSION pool_advisor;\n"
		"apiVersion: v1\n"
		"kind: ConfigMap\n"
		"metadata:\n"
		"  name: pool-advisor-monitoring\n"
		"  labels:\n"
		"    cnpg.io/reload: ''\n"
		"data:\n"
		"  custom-queries: |\n");
	for (size_t i = 0; i < SCOPES; i++)
		put_exporter_scope(writer, scopes[i], "    ", "target_databases: [postgres]\n");
}

/* A figure that is not known is NULL, which the receiver leaves out with a warning in its log. */
static void
put_receiver_metric(const PadvConfigWriter *writer, const PadvMetric *metric)
{
	const PadvMetricGroup *group = &padv_metric_groups[metric->scope];

	put(writer, "      - metric_name: ");
	put(writer, metric->name);
	put(writer, "\n        value_column: ");
	put(writer, short_name(metric));
	put(writer, "\n        value_type: double\n");
	put(writer, metric->kind == PADV_METRIC_COUNTER ?
		"        data_type: sum\n        monotonic: true\n        aggregation: cumulative\n" :
		"        data_type: gauge\n");
	if (group->labels[0] != NULL)
	{
		put(writer, "        attribute_columns: [");
		put_labels(writer, metric->scope, &(const LabelStyle) {"", NULL}, ", ");
		put(writer, "]\n");
	}
}

static void
write_opentelemetry(const PadvConfigWriter *writer)
{
	static const LabelStyle style = {"", NULL};

	put(writer,
		"# The receiver sqlquery of the OpenTelemetry Collector; name it in a pipeline of metrics.\n"
		"# It warns of figures that are not known, unless each query has ignore_null_values: true, which\n"
		"# newer versions take.\n"
		ROLE_COMMENT("#")
		"receivers:\n"
		"  sqlquery/pool_advisor:\n"
		"    driver: postgres\n"
		"    datasource: 'host=/var/run/postgresql dbname=postgres user=monitoring sslmode=disable'\n"
		"    collection_interval: 15s\n"
		"    queries:\n");
	for (size_t i = 0; i < SCOPES; i++)
	{
		put(writer, "    - sql: |\n");
		put_query(writer, scopes[i], &style, "        ");
		put(writer, "      metrics:\n");
		for (const PadvMetric *metric = padv_metrics; metric->name != NULL; metric++)
			if (is_in(metric, scopes[i]))
				put_receiver_metric(writer, metric);
	}
}

static void
write_sql_exporter(const PadvConfigWriter *writer)
{
	put(writer,
		"# For the sql_exporter that Debian has as prometheus-sql-exporter (justwatchcom).\n"
		"# It calls every series sql_pool_advisor, with the name as a label; this in the\n"
		"# scrape_configs of prometheus.yml gives them their own names:\n"
		"#\n"
		"#   metric_relabel_configs:\n"
		"#   - source_labels: [name]\n"
		"#     regex: (pool_advisor_.+)\n"
		"#     target_label: __name__\n"
		"#   - regex: name|col\n"
		"#     action: labeldrop\n"
		"#\n"
		ROLE_COMMENT("#")
		"jobs:\n"
		"- name: pool_advisor\n"
		"  interval: 15s\n"
		"  connections:\n"
		"  - 'postgres://monitoring@/postgres?host=/var/run/postgresql&sslmode=disable'\n"
		"  queries:\n"
		"  - name: pool_advisor\n"
		"    help: The view pool_advisor.metrics.\n"
		"    labels: [name, rolname, datname, wait_class, incident]\n"
		"    values: [value]\n"
		"    query: SELECT name, rolname, datname, wait_class, incident, value FROM pool_advisor.metrics\n");
}

/* No help has a quote, so it can be put between quotes. */
static void
write_sql_exporter_collector(const PadvConfigWriter *writer)
{
	put(writer,
		"# A collector file for the sql_exporter of burningalchemist (and of free).\n"
		ROLE_COMMENT("#")
		"collector_name: pool_advisor\n"
		"metrics:\n");
	for (const PadvMetric *metric = padv_metrics; metric->name != NULL; metric++)
	{
		const char *const *label = padv_metric_groups[metric->scope].labels;

		put(writer, "- metric_name: ");
		put(writer, metric->name);
		put(writer, metric->kind == PADV_METRIC_COUNTER ? "\n  type: counter\n  help: '" : "\n  type: gauge\n  help: '");
		put(writer, metric->help);
		put(writer, "'\n");
		for (; *label != NULL; label++)
		{
			put(writer, label == padv_metric_groups[metric->scope].labels ? "  key_labels: [" : ", ");
			put(writer, *label);
			put(writer, label[1] == NULL ? "]\n" : "");
		}
		put(writer, "  values: [value]\n  query: SELECT rolname, datname, wait_class, incident, value FROM pool_advisor.metrics WHERE name = '");
		put(writer, metric->name);
		put(writer, "'\n");
	}
}

/* --- others --------------------------------------------------------------- */

static void
write_pgwatch(const PadvConfigWriter *writer)
{
	static const LabelStyle style = {"tag_", NULL};

	put(writer,
		"# Metrics and a preset for pgwatch 3, for --metrics; counters are cumulative.\n"
		ROLE_COMMENT("#")
		"metrics:\n");
	for (size_t i = 0; i < SCOPES; i++)
	{
		put(writer, "  ");
		put_scope(writer, scopes[i], '_');
		put(writer, ":\n    sqls:\n      15: |\n");
		put(writer, "        /* pgwatch_generated */\n");
		put_query(writer, scopes[i], &style, "        ");
		put(writer, "    is_instance_level: true\n");
		if (!has_kind(scopes[i], PADV_METRIC_GAUGE))
			continue;
		put(writer, "    gauges:\n");
		for (const PadvMetric *metric = padv_metrics; metric->name != NULL; metric++)
		{
			if (!is_in(metric, scopes[i]) || metric->kind == PADV_METRIC_COUNTER)
				continue;
			put(writer, "    - ");
			put(writer, short_name(metric));
			put(writer, "\n");
		}
	}
	put(writer, "presets:\n  pool_advisor:\n    description: how many connections are active, and how many help\n    metrics:\n");
	for (size_t i = 0; i < SCOPES; i++)
	{
		put(writer, "      ");
		put_scope(writer, scopes[i], '_');
		put(writer, ": 30\n");
	}
}

static void
write_telegraf(const PadvConfigWriter *writer)
{
	/* the plugin makes a tag db of a column datname, even of an empty one */
	static const LabelStyle style = {"", "database"};

	put(writer,
		"# For telegraf.conf, 1.28 or later.\n"
		ROLE_COMMENT("#")
		"[[inputs.postgresql_extensible]]\n"
		"  address = \"" CONNECTION " sslmode=disable\"\n");
	for (size_t i = 0; i < SCOPES; i++)
	{
		put(writer, "  [[inputs.postgresql_extensible.query]]\n    measurement = \"");
		put_scope(writer, scopes[i], '_');
		put(writer, "\"\n    minversion = 1500\n    tagvalue = \"");
		put_labels(writer, scopes[i], &style, ",");
		put(writer, "\"\n    sqlquery = '''\n");
		put_query(writer, scopes[i], &style, "      ");
		put(writer, "      '''\n");
	}
}

static void
write_datadog(const PadvConfigWriter *writer)
{
	static const LabelStyle style = {"", NULL};

	put(writer,
		"# For conf.d/postgres.d/conf.yaml of the Datadog agent.\n"
		ROLE_COMMENT("#")
		"init_config:\n"
		"instances:\n"
		"- host: /var/run/postgresql\n"
		"  username: monitoring\n"
		"  dbname: postgres\n"
		"  custom_queries:\n");
	for (size_t i = 0; i < SCOPES; i++)
	{
		put(writer, "  - metric_prefix: ");
		put_scope(writer, scopes[i], '.');
		put(writer, "\n    query: |\n");
		put_query(writer, scopes[i], &style, "      ");
		put(writer, "    columns:\n");
		for (const char *const *label = padv_metric_groups[scopes[i]].labels; *label != NULL; label++)
		{
			put(writer, "    - name: ");
			put(writer, *label);
			put(writer, "\n      type: tag\n");
		}
		for (const PadvMetric *metric = padv_metrics; metric->name != NULL; metric++)
		{
			if (!is_in(metric, scopes[i]))
				continue;
			put(writer, "    - name: ");
			put(writer, short_name(metric));
			put(writer, metric->kind == PADV_METRIC_COUNTER ? "\n      type: monotonic_count\n" : "\n      type: gauge\n");
		}
	}
}

static void
write_zabbix(const PadvConfigWriter *writer)
{
	put(writer,
		"# For a file in zabbix_agent2.d or zabbix_agentd.d, then restart the agent.\n"
		"#\n"
		"# pool_advisor.server is an object with a figure for each name. Make it a master item\n"
		"# of type text, and dependent items with a preprocessing step JSONPath, as\n"
		"# $.pool_advisor_load_ratio; those that end in _total also get Change per second.\n"
		"#\n"
		"# pool_advisor.series is a list of all series. Make it the master item of a discovery\n"
		"# rule with the LLD macro {#ROLNAME} at $.rolname, and of item prototypes with JSONPath\n"
		"# $[?(@.name == 'pool_advisor_role_sessions' && @.rolname == '{#ROLNAME}')].value.first()\n"
		"#\n"
		"# Errors are left out, because the agent would put them beside the figures. When an item has\n"
		"# no value, run its command in a shell.\n"
		"#\n"
		ROLE_COMMENT("#")
		"UserParameter=pool_advisor.server,psql -XAtq -d '" PSQL_CONNECTION "' -c"
		" \"SELECT pg_catalog.json_object_agg(name, value) FROM pool_advisor.metrics WHERE rolname = '' AND datname = '' AND wait_class = '' AND incident = ''\" 2>/dev/null\n"
		"UserParameter=pool_advisor.series,psql -XAtq -d '" PSQL_CONNECTION "' -c"
		" \"SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', name, 'rolname', rolname, 'datname', datname, 'wait_class', wait_class, 'incident', incident, 'value', value)) FROM pool_advisor.metrics\" 2>/dev/null\n");
}

static void
write_check_pgactivity(const PadvConfigWriter *writer)
{
	put(writer,
		"# Commands for Nagios, Icinga 1 or Naemon. The first column is compared, the\n"
		"# others are perfdata; no row means that sampling stopped, and the check is UNKNOWN.\n"
		ROLE_COMMENT("#")
		"define command {\n"
		"    command_name    check_pool_advisor_load\n"
		"    command_line    /usr/lib/nagios/plugins/check_pgactivity -s custom_query -h $HOSTADDRESS$ -U monitoring -d postgres"
		" -w 1.0 -c 2.0 --query 'SELECT load_ratio AS compared, load_ratio, demand_avg, active_avg, optimal, sessions, queued, usable_connections, sample_age_seconds"
		" FROM pool_advisor.check_load() WHERE status < 3'\n"
		"}\n"
		"define command {\n"
		"    command_name    check_pool_advisor_health\n"
		"    command_line    /usr/lib/nagios/plugins/check_pgactivity -s custom_query -h $HOSTADDRESS$ -U monitoring -d postgres"
		" -w 0.5 -c 1.5 --query 'SELECT status AS compared, load_ratio, sessions, queued FROM pool_advisor.check_load() WHERE status < 3'\n"
		"}\n"
		"define command {\n"
		"    command_name    check_pool_advisor_sampling\n"
		"    command_line    /usr/lib/nagios/plugins/check_pgactivity -s custom_query -h $HOSTADDRESS$ -U monitoring -d postgres"
		" -w 1 -c 2 --query 'SELECT CASE status WHEN 3 THEN 3 ELSE 0 END AS stopped, sample_age_seconds FROM pool_advisor.check_load()'\n"
		"}\n");
}

static void
write_nagios(const PadvConfigWriter *writer)
{
	put(writer,
		"#!/bin/sh\n"
		"# check_pool_advisor [WARNING [CRITICAL]]: a plugin for Nagios and its kin; thresholds\n"
		"# are of load_ratio, and without them pool_advisor knows what is worth a warning\n"
		ROLE_COMMENT("#")
		"case $1$2 in *[!0-9.]*) echo 'POOL_ADVISOR UNKNOWN - a threshold is a number'; exit 3 ;; esac\n"
		"if ! answer=$(psql -XAtq -F ' ' -d '" PSQL_CONNECTION "' \\\n"
		"    -c \"SELECT status, message FROM pool_advisor.check_load(nullif('$1', '')::pg_catalog.float8, nullif('$2', '')::pg_catalog.float8)\" 2>&1); then\n"
		"    printf 'POOL_ADVISOR UNKNOWN - %s\\n' \"$answer\"\n"
		"    exit 3\n"
		"fi\n"
		"answer=$(printf '%s\\n' \"$answer\" | tail -n 1) # warnings of the server stand before it\n"
		"printf '%s\\n' \"${answer#* }\"\n"
		"exit \"${answer%% *}\"\n");
}

static void
write_haproxy(const PadvConfigWriter *writer)
{
	put(writer,
		"# Readers over the replicas, by the headroom of each. On every database server systemd starts\n"
		"# a script for each check:\n"
		"#\n"
		"#   /usr/local/bin/pool_advisor-agent\n"
		"#     #!/bin/sh\n"
		"#     exec psql -XAtq -d '" CONNECTION "' -c 'SELECT pool_advisor.agent_check(5)'\n"
		"#   /etc/systemd/system/pool_advisor-agent.socket\n"
		"#     [Socket]\n"
		"#     ListenStream=9632\n"
		"#     Accept=yes\n"
		"#     [Install]\n"
		"#     WantedBy=sockets.target\n"
		"#   /etc/systemd/system/pool_advisor-agent@.service\n"
		"#     [Service]\n"
		"#     User=monitoring\n"
		"#     ExecStart=/usr/local/bin/pool_advisor-agent\n"
		"#     StandardInput=socket\n"
		"#     StandardOutput=socket\n"
		"#     StandardError=journal\n"
		"#\n"
		"# or, with inetd, this line in /etc/inetd.conf:\n"
		"#\n"
		"#   9632 stream tcp nowait monitoring /usr/local/bin/pool_advisor-agent pool_advisor-agent\n"
		"#\n"
		"# and 2>/dev/null at the end of the script, because inetd sends errors to HAProxy, too.\n"
		"#\n"
		"# A standby that lags more than 5 s gets no new connection. The check on port 8008 is Patroni's;\n"
		"# it decides which server is a replica. An answer that does not come changes nothing.\n"
		"#\n"
		"# The lines with \"backup\" are used while all replicas lag, or none is known not to, as in a failover.\n"
		"# Without them readers then wait for a server. Keep the two lines of a server alike.\n"
		ROLE_COMMENT("#")
		"listen pool_advisor_readers\n"
		"    mode tcp\n"
		"    bind :5433\n"
		"    balance leastconn\n"
		"    timeout connect 5s\n"
		"    timeout queue 30s\n"
		"    timeout client 30m\n"
		"    timeout server 30m\n"
		"    option allbackups\n"
		"    option httpchk OPTIONS /replica\n"
		"    default-server weight 100 maxconn 100 check port 8008 inter 2s fall 3 rise 2\n"
		"    default-server agent-check agent-port 9632 agent-inter 2s on-marked-down shutdown-sessions\n"
		"    server node1 10.0.0.1:5432\n"
		"    server node2 10.0.0.2:5432\n"
		"    server node3 10.0.0.3:5432\n"
		"    server node1_late 10.0.0.1:5432 backup no-agent-check\n"
		"    server node2_late 10.0.0.2:5432 backup no-agent-check\n"
		"    server node3_late 10.0.0.3:5432 backup no-agent-check\n");
}

/* --- all of them ---------------------------------------------------------- */

const PadvMonitoringSystem padv_monitoring_systems[] = {
	{"prometheus", "openmetrics", write_prometheus},
	{"prometheus_rules", "alerts", padv_write_prometheus_rules},
	{"postgres_exporter", "prometheus-postgres-exporter", write_postgres_exporter},
	{"sql_exporter", "prometheus-sql-exporter", write_sql_exporter},
	{"sql_exporter_collector", NULL, write_sql_exporter_collector},
	{"pgwatch", NULL, write_pgwatch},
	{"telegraf", NULL, write_telegraf},
	{"datadog", NULL, write_datadog},
	{"zabbix", NULL, write_zabbix},
	{"check_pgactivity", NULL, write_check_pgactivity},
	{"nagios", "icinga", write_nagios},
	{"grafana", "dashboard", padv_write_dashboard},
	{"opentelemetry", "sqlquery", write_opentelemetry},
	{"cloudnativepg", "cnpg", write_cloudnativepg},
	{"haproxy", "agent", write_haproxy},
	{0}
};

const PadvMonitoringSystem *
padv_find_monitoring_system(const char *name)
{
	for (const PadvMonitoringSystem *system = padv_monitoring_systems; system->name != NULL; system++)
		if (padv_same_name(system->name, name) ||
			(system->also != NULL && padv_same_name(system->also, name)))
			return system;
	return NULL;
}
