/*
 * fleet_rules.c
 *		Recording and alert rules of Prometheus for several servers together.
 *
 * Owns the names and the words.  Pure.  The expressions use names of the table in
 * metrics.c, which a unit test holds against it.  Every series must have the label node,
 * as the scrape configuration in the comment sets it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/monitoring/fleet_config.h"

#define put padv_config_put

typedef struct Recording
{
	const char *aggregate;		/* NULL after the last */
	const char *metric;
} Recording;

static const Recording recordings[] = {
	{"sum", "pool_advisor_sessions"},
	{"sum", "pool_advisor_usable_connections"},
	{"sum", "pool_advisor_active_avg"},
	{"sum", "pool_advisor_demand_avg"},
	{"sum", "pool_advisor_optimal"},
	{"sum", "pool_advisor_pool_size"},
	{"sum", "pool_advisor_transactions_waiting"},
	{"sum", "pool_advisor_logins_waiting"},
	{"max", "pool_advisor_usable_connections"},
	{"max", "pool_advisor_load_ratio"},
	{"min", "pool_advisor_load_ratio"},
	{"max", "pool_advisor_health"},
	{"max", "pool_advisor_sample_age_seconds"},
	{"count", "pool_advisor_worker_running"},
	{0}
};

typedef struct FleetAlert
{
	const char *name;			/* NULL after the last */
	const char *expr;
	const char *hold;
	const char *severity;
	const char *summary;
	const char *description;
} FleetAlert;

static const FleetAlert alerts[] = {
	{"PoolAdvisorFleetOversubscribed",
		"fleet:pool_advisor_demand_avg:sum > 2 * fleet:pool_advisor_optimal:sum",
		"10m", "warning",
		"More sessions want to work than help on all nodes together",
	"{{ printf \"%.1f\" $value }} sessions wanted to work, more than twice the optimum of all nodes. Another distribution does not help; smaller pools do, or another node."},
	{"PoolAdvisorFleetUneven",
		"fleet:pool_advisor_load_ratio:max > 1 and fleet:pool_advisor_load_ratio:min < 0.3",
		"10m", "warning",
		"A node has more than it can do, and another one has room",
	"The load ratio of the busiest node is {{ printf \"%.1f\" $value }}. Route by agent_check(), or move readers."},
	{"PoolAdvisorFleetFailoverDoesNotFit",
		"fleet:pool_advisor_sessions:sum > fleet:pool_advisor_usable_connections:sum - fleet:pool_advisor_usable_connections:max"
		" and fleet:pool_advisor_worker_running:count > 1",
		"15m", "warning",
		"The sessions of the fleet do not fit when the largest node is lost",
	"{{ $value }} sessions are open. fleet_budget() says which node refuses how many."},
	{0}
};

static void
put_all(const PadvConfigWriter *writer, const char *const *pieces)
{
	for (; *pieces != NULL; pieces++)
		put(writer, *pieces);
}

/* Where a node is scraped: where it listens, and the port of the printed script. */
static void
put_target(const PadvConfigWriter *writer, const PadvFleetNode *node)
{
	const char *host = padv_fleet_option(node, "host");

	if (host == NULL || host[0] == '/')
		host = padv_fleet_option(node, "hostaddr");
	put(writer, "#   - targets: ['");
	put(writer, host != NULL ? host : "127.0.0.1");
	put(writer, ":9631']\n#     labels: {node: '");
	put(writer, node->name);
	put(writer, "'}\n");
}

/* A regular expression that matches the names: of what is allowed in one, dots are special. */
static void
put_selector(const PadvConfigWriter *writer, const PadvFleetInput *input)
{
	put(writer, "{node=~\"");
	for (int i = 0; i < input->nnodes; i++)
	{
		put(writer, i > 0 ? "|" : "");
		for (const char *at = input->nodes[i].name; *at != '\0'; at++)
		{
			char		piece[2] = {*at, '\0'};

			put(writer, *at == '.' ? "[.]" : piece);
		}
	}
	put(writer, "\"}");
}

static void
put_recordings(const PadvConfigWriter *writer, const PadvFleetInput *input)
{
	for (const Recording *recording = recordings; recording->aggregate != NULL; recording++)
	{
		const char *const pieces[] = {
			"  - record: fleet:", recording->metric, ":", recording->aggregate,
			"\n    expr: ", recording->aggregate, "(", recording->metric, NULL,
		};

		put_all(writer, pieces);
		put_selector(writer, input);
		put(writer, ")\n");
	}
}

static void
put_alert(const PadvConfigWriter *writer, const FleetAlert *alert)
{
	const char *const pieces[] = {
		"  - alert: ", alert->name,
		"\n    expr: ", alert->expr,
		"\n    for: ", alert->hold,
		"\n    labels:\n      severity: ", alert->severity,
		"\n    annotations:\n      summary: ", alert->summary,
		"\n      description: '", alert->description, "'\n", NULL,
	};

	put_all(writer, pieces);
}

static void
put_missing_alert(const PadvConfigWriter *writer, const PadvFleetNode *node)
{
	const char *const pieces[] = {
		"  - alert: PoolAdvisorFleetNodeMissing\n"
		"    expr: absent(pool_advisor_worker_running{node=\"", node->name, "\"})\n"
		"    for: 2m\n"
		"    labels:\n      severity: critical\n"
		"      node: '", node->name, "'\n"
		"    annotations:\n      summary: A node of the fleet is not heard of\n"
		"      description: 'No figure of {{ $labels.node }} has come for two minutes.'\n", NULL,
	};

	put_all(writer, pieces);
}

void
padv_fleet_write_rules(const PadvConfigWriter *writer, const PadvFleetInput *input)
{
	put(writer,
		"# Recording and alert rules for the fleet; name the file in rule_files of prometheus.yml,\n"
		"# beside that of monitoring_config('prometheus_rules'). The label node is set like this, with\n"
		"# the port of your exporter:\n"
		"#\n"
		"# scrape_configs:\n"
		"# - job_name: pool_advisor\n"
		"#   static_configs:\n");
	for (int i = 0; i < input->nnodes; i++)
		put_target(writer, &input->nodes[i]);
	put(writer,
		"groups:\n"
		"- name: pool_advisor_fleet\n"
		"  rules:\n");
	put_recordings(writer, input);
	for (const FleetAlert *alert = alerts; alert->name != NULL; alert++)
		put_alert(writer, alert);
	for (int i = 0; i < input->nnodes; i++)
		put_missing_alert(writer, &input->nodes[i]);
}
