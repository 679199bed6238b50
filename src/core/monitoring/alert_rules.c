/*
 * alert_rules.c
 *		Alert rules for Prometheus.
 *
 * Owns the thresholds and the words.  The expressions use names of the table in
 * metrics.c, which a unit test holds against it, and hold for every way by which
 * the series got there: the two sides of an operator come from the same scrape.
 * Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stddef.h>

#include "core/monitoring/monitoring_config.h"

typedef struct Rule
{
	const char *alert;			/* NULL after the last */
	const char *expr;
	const char *hold;			/* for how long it must be so */
	const char *severity;
	const char *summary;
	const char *description;
} Rule;

/* The share of all transactions that were slow, over a window. */
#define SLOW_SHARE(window) \
	"sum without (rolname) (rate(pool_advisor_latency_slow_total[" window "]))" \
	" / sum without (rolname) (rate(pool_advisor_latency_transactions_total[" window "]))"

static const Rule rules[] = {
	{"PoolAdvisorStalled",
		"pool_advisor_stalled_seconds > 0",
		"1m", "critical",
		"Most of the work stands still behind a lock",
	"So for {{ printf \"%.0f\" $value }} s. The view blockers names the session that the others wait for; advice has the line that ends it."},
	{"PoolAdvisorIdleBlocker",
		"pool_advisor_idle_blocker_seconds >= 60",
		"0m", "warning",
		"A session that does nothing keeps others waiting",
	"So for {{ printf \"%.0f\" $value }} s. The view blockers names the session, or the prepared transaction; advice has the line that ends it."},
	{"PoolAdvisorPoolLockedUp",
		"pool_advisor_pools_locked_up_seconds > 0",
		"1m", "critical",
		"An application stands still in its own pool",
	"All connections of a pool have been idle in a transaction for {{ printf \"%.0f\" $value }} s, and none ends. The view pools names the pool; advice says what to do."},
	{"PoolAdvisorPoolLeaking",
		"pool_advisor_pools_leaking > 0",
		"5m", "warning",
		"An application opens connections that it does not use again",
	"Such pools: {{ $value }}. When all connections of the server are taken, logins fail. The view pools names the pool."},
	{"PoolAdvisorQueueOld",
		"pool_advisor_transactions_longest_wait_seconds >= 60",
		"1m", "warning",
		"A transaction has been in the queue for over a minute",
	"So for {{ printf \"%.0f\" $value }} s. Long statements may hold all slots; the view gate tells how many wait."},
	{"PoolAdvisorOversubscribed",
		"pool_advisor_demand_avg and pool_advisor_oversubscribed == 1",
		"10m", "warning",
		"More sessions want to work than help",
	"{{ printf \"%.1f\" $value }} sessions wanted to work on average, which is more than the range around the optimum. The view advice says what helps."},
	{"PoolAdvisorIncident",
		"pool_advisor_incidents_status == 1",
		"0m", "warning",
		"An incident lasts",
	"Of kind {{ $labels.incident }}. The view incidents names what caused it, what it has cost, and what helps. An incident that costs nothing is no alert."},
	{"PoolAdvisorIncidentSevere",
		"pool_advisor_incidents_status == 2",
		"0m", "critical",
		"An incident has cost as much as a minute in which all work stands still",
	"Of kind {{ $labels.incident }}. At most half of the usual work has been done since it began. The view incidents names what caused it, and what helps."},
	{"PoolAdvisorRoleAtLimit",
		"(pool_advisor_limit_in_use >= pool_advisor_limit_max_sessions and pool_advisor_limit_max_sessions > 0)"
		" or (pool_advisor_default_limit_in_use >= pool_advisor_default_limit_max_sessions and pool_advisor_default_limit_max_sessions > 0)",
		"5m", "warning",
		"A limit has no room left",
	"All {{ $value }} sessions of the limit are taken (role {{ $labels.rolname }}, database {{ $labels.datname }}; neither: the default). Further logins wait or are refused."},
	{"PoolAdvisorLoginsRefused",
		"increase(pool_advisor_logins_refused_total[5m]) > 0",
		"0m", "warning",
		"Logins were refused because of a limit",
	"Refused in the last five minutes: {{ printf \"%.0f\" $value }}. pool_advisor_admission_refused_total says of which role."},
	{"PoolAdvisorLoginsQueued",
		"pool_advisor_logins_waiting > 0",
		"5m", "warning",
		"Logins wait in the queue for a session",
	"Waiting now: {{ $value }}; somebody has waited all of the last five minutes. The view roles says of which role."},
	{"PoolAdvisorSamplingStopped",
		"pool_advisor_worker_running == 0 or pool_advisor_sample_age_seconds > 120",
		"1m", "critical",
		"The sampling process stands still",
	"All other figures are those of the last sample. Look in the server log for the pool_advisor sampler."},
	{"PoolAdvisorNoData",
		"max_over_time(pool_advisor_worker_running[1h]) unless pool_advisor_worker_running"
		" or absent(max_over_time(pool_advisor_worker_running[1h]))",
		"5m", "critical",
		"No figure of pool_advisor comes",
	"The server is down, or the monitoring system cannot connect, for example because all connections are taken. No other alert on this server can fire meanwhile."},
	{"PoolAdvisorLimitsUnreadable",
		"pool_advisor_limits_unreadable == 1",
		"1m", "critical",
		"Limits cannot be read, and everybody is let in",
	"The server log says why; see the setting pool_advisor.database."},
	{"PoolAdvisorEnforcementOff",
		"pool_advisor_enforcement == 0 or pool_advisor_gate_enforcement == 0",
		"15m", "warning",
		"Limits are not enforced",
	"pool_advisor.enforcement or pool_advisor.gate_enforcement has been off for 15 minutes, so nobody is refused or kept waiting by it. The view advice has the line that turns it on. observe, which counts and lets pass, is no alert."},
	{"PoolAdvisorHistoryUnwritten",
		"pool_advisor_history_unwritten == 1",
		"15m", "warning",
		"The history cannot be written to disk",
	"What has been measured since then will be lost when the server crashes. The server log says why."},
	{"PoolAdvisorConnectionsNearlyFull",
		"pool_advisor_sessions + pool_advisor_logins_waiting >= 0.9 * pool_advisor_usable_connections",
		"5m", "critical",
		"The connections of the server are nearly used up",
	"Taken are {{ $value }} connections, at least 90 % of what ordinary roles can have."},
	{"PoolAdvisorConnectionsWereNearlyFull",
		"max_over_time(pool_advisor_sessions[14d]) >= 0.9 * pool_advisor_usable_connections",
		"0m", "warning",
		"The connections of the server were nearly used up within two weeks",
	"There were {{ $value }} sessions at most in 14 days. The next peak may find none free."},
	{"PoolAdvisorSlow",
		SLOW_SHARE("5m") " > 0.05 and " SLOW_SHARE("1h") " > 0.05"
		" and sum without (rolname) (rate(pool_advisor_latency_transactions_total[5m])) > 1",
		"0m", "warning",
		"Over 5 % of the transactions take longer than a second",
	"In the last five minutes {{ $value | humanizePercentage }}, and over 5 % in the last hour. The view latency says of which role."},
	{0}
};

void
padv_write_prometheus_rules(const PadvConfigWriter *writer)
{
	padv_config_put(writer,
					"# Alert rules for Prometheus; name the file in rule_files of prometheus.yml.\n"
					"#\n"
					"# PoolAdvisorSlow goes by a target: 99 % of the transactions take at most 1 s. A share of\n"
					"# 5 % uses up in 6 days what a month allows. The last hour keeps a short peak from being an\n"
					"# alert; the last 5 minutes end it soon. Below a transaction a second a share says nothing.\n"
					"# Leave out roles for long queries with {rolname!=\"reports\"}. For another target, as 0.1 s,\n"
					"# openmetrics() has pool_advisor_transaction_duration_seconds_bucket{le=\"0.1\"}: divide its\n"
					"# rate by that of pool_advisor_transaction_duration_seconds_count, and subtract from 1.\n"
					"groups:\n"
					"- name: pool_advisor\n"
					"  rules:\n");
	for (const Rule *rule = rules; rule->alert != NULL; rule++)
	{
		const char *const pieces[] = {
			"  - alert: ", rule->alert,
			"\n    expr: ", rule->expr,
			"\n    for: ", rule->hold,
			"\n    labels:\n      severity: ", rule->severity,
			"\n    annotations:\n      summary: ", rule->summary,
			"\n      description: '", rule->description, "'\n",
		};

		for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
			padv_config_put(writer, pieces[i]);
	}
}
