/*
 * metrics.c
 *		The table of what monitoring systems are told, and the walk over it.
 *
 * Owns names, types, units and help, which are stable: dashboards depend on
 * them.  The view, openmetrics() and the configurations of monitoring systems
 * are all made from this table, so a metric is added by a line here and a field
 * in the struct of its scope.  Pure; the SQL functions fill in the structs.
 *
 * The number of series is bounded: roles beyond PADV_MAX_SHOWN are added up.
 * Gauges choose the roles anew each time.  Counters cannot, as a sum that loses
 * a role goes down, which reads as a restart; so it is decided once, where they
 * are counted, which roles have counters of their own.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdlib.h>
#include <string.h>

#include "core/advice/advice.h"
#include "core/model/health.h"
#include "core/monitoring/metrics.h"

#define SERVER(member) .offset = offsetof(PadvMetricsServer, member)
#define SERVER_REAL(member) .is_real = true, SERVER(member)
#define STATUS(member) SERVER(local.status.member)
#define STATUS_REAL(member) SERVER_REAL(local.status.member)
#define ROLE(member) .offset = offsetof(PadvMetricsRole, member)
#define DATABASE(member) .offset = offsetof(PadvMetricsDatabase, member)
#define COUNTED(member) .offset = offsetof(PadvMetricsCounted, counts.member)
#define LATENCY(member) .offset = offsetof(PadvMetricsLatency, member)
#define LIMIT(member) .offset = offsetof(PadvMetricsLimit, member)

#define GAUGE PADV_METRIC_GAUGE
#define COUNTER PADV_METRIC_COUNTER

const PadvMetric padv_metrics[] = {
	{"pool_advisor_info", PADV_METRIC_INFO, "",
	"Always 1; openmetrics() has the version as a label.", PADV_BY_SERVER, SERVER(one)},
	{"pool_advisor_worker_running", GAUGE, "",
	"Whether the sampling process is there: 1 or 0.", PADV_BY_SERVER, SERVER(worker_running)},
	{"pool_advisor_max_connections", GAUGE, "",
	"The setting max_connections.", PADV_BY_SERVER, SERVER(max_connections)},
	{"pool_advisor_usable_connections", GAUGE, "",
	"Connections that ordinary roles can have: max_connections less the reserved ones.", PADV_BY_SERVER, SERVER(usable_connections)},
	{"pool_advisor_logins_waiting", GAUGE, "",
	"Logins in the queue for a session now.", PADV_BY_SERVER, SERVER(logins_waiting)},
	{"pool_advisor_logins_refused_total", COUNTER, "",
	"Logins of all roles refused because of a limit, those that had waited in vain included.", PADV_BY_SERVER, SERVER(total.refused)},
	{"pool_advisor_logins_queued_total", COUNTER, "",
	"Logins of all roles that had to wait in the queue.", PADV_BY_SERVER, SERVER(total.queued)},
	{"pool_advisor_logins_timed_out_total", COUNTER, "",
	"Logins of all roles refused after waiting for queue_timeout.", PADV_BY_SERVER, SERVER(total.timed_out)},
	{"pool_advisor_logins_would_refuse_total", COUNTER, "",
	"Logins of all roles that found a limit full and were let in because enforcement was observe.", PADV_BY_SERVER, SERVER(total.would_refuse)},
	{"pool_advisor_sessions_closed_idle_total", COUNTER, "",
	"Sessions of all roles closed after session_idle_timeout because they were beyond min_sessions.", PADV_BY_SERVER, SERVER(total.closed_idle)},
	{"pool_advisor_logins_queue_wait_seconds_total", COUNTER, "seconds",
	"Time that logins of all roles spent in the queue.", PADV_BY_SERVER, SERVER_REAL(total.queue_wait_seconds)},
	{"pool_advisor_server_max_active", GAUGE, "",
	"Transactions of the whole server that may run at a time; -1 is no limit.", PADV_BY_SERVER, SERVER(server_max_active)},
	{"pool_advisor_transactions_waiting", GAUGE, "",
	"Transactions in the queue for a slot now.", PADV_BY_SERVER, SERVER(transactions_waiting)},
	{"pool_advisor_transactions_queued_total", COUNTER, "",
	"Transactions of all roles that had to wait in the queue and got their slot.", PADV_BY_SERVER, SERVER(local.gate.totals.waited)},
	{"pool_advisor_transactions_queue_wait_seconds_total", COUNTER, "seconds",
	"Time that these transactions spent in the queue.", PADV_BY_SERVER, SERVER_REAL(transactions_wait_seconds)},
	{"pool_advisor_transactions_cancelled_total", COUNTER, "",
	"Waits in the queue that ended without a slot: canceled, timed out, disconnected.", PADV_BY_SERVER, SERVER(local.gate.totals.cancelled)},
	{"pool_advisor_transactions_overcommitted_total", COUNTER, "",
	"By how much limits on transactions were raised for holders that are not counted, and waiters granted a slot because others needed them or as a last resort.", PADV_BY_SERVER, SERVER(local.gate.totals.overcommitted)},
	{"pool_advisor_transactions_refused_total", COUNTER, "",
	"Transactions refused because as many waited as transaction_queue_length allows, or statement_timeout was shorter than the wait.", PADV_BY_SERVER, SERVER(local.gate.totals.refused)},
	{"pool_advisor_transactions_timed_out_total", COUNTER, "",
	"Transactions refused after waiting for transaction_queue_timeout.", PADV_BY_SERVER, SERVER(local.gate.totals.timed_out)},
	{"pool_advisor_enforcement", GAUGE, "",
	"Whether limits are enforced: 0 off, 1 observe, 2 on.", PADV_BY_SERVER, SERVER(enforcement)},
	{"pool_advisor_gate_enforcement", GAUGE, "",
	"Whether limits on transactions are enforced: 0 off, 1 observe, 2 on.", PADV_BY_SERVER, SERVER(gate_enforcement)},
	{"pool_advisor_limits", GAUGE, "",
	"Limits in force, the default not counted.", PADV_BY_SERVER, SERVER(limits)},
	{"pool_advisor_limits_full", GAUGE, "",
	"Limits that have no room; those that let nobody in are not counted.", PADV_BY_SERVER, SERVER(limits_full)},
	{"pool_advisor_default_limit_in_use", GAUGE, "",
	"Sessions under the default limit of the role that has most.", PADV_BY_SERVER, SERVER(default_in_use)},
	{"pool_advisor_default_limit_max_sessions", GAUGE, "",
	"Sessions that each role without a limit of its own can have; -1 is no limit.", PADV_BY_SERVER, SERVER(default_max_sessions)},

	{"pool_advisor_incident_active", GAUGE, "",
	"Incidents that last now, as the view incidents has them.", PADV_BY_SERVER, SERVER(incident_active)},

	{"pool_advisor_sample_age_seconds", GAUGE, "seconds",
	"Age of the last sample.", PADV_BY_SAMPLE, SERVER_REAL(local.age_seconds)},
	{"pool_advisor_samples_total", COUNTER, "",
	"Samples since the sampling process started.", PADV_BY_SAMPLE, STATUS(samples_total)},
	{"pool_advisor_sample_cost_seconds", GAUGE, "seconds",
	"CPU time that a sample took on average over the last minute.", PADV_BY_SAMPLE, STATUS_REAL(load.sample_cost)},
	{"pool_advisor_transactions_total", COUNTER, "",
	"Transactions that clients committed or prepared.", PADV_BY_SAMPLE, STATUS_REAL(load.transactions_total)},
	{"pool_advisor_rollbacks_total", COUNTER, "",
	"Transactions of clients that were rolled back.", PADV_BY_SAMPLE, STATUS_REAL(load.rollbacks_total)},
	{"pool_advisor_transaction_seconds_total", COUNTER, "seconds",
	"Time that clients spent inside transactions, counted when these end.", PADV_BY_SAMPLE, STATUS_REAL(load.inside_total)},
	{"pool_advisor_sessions", GAUGE, "",
	"Client sessions in the last sample.", PADV_BY_SAMPLE, STATUS(last.sessions)},
	{"pool_advisor_active", GAUGE, "",
	"Sessions executing a statement in the last sample.", PADV_BY_SAMPLE, STATUS(last.active)},
	{"pool_advisor_idle", GAUGE, "",
	"Sessions waiting for a command outside a transaction in the last sample.", PADV_BY_SAMPLE, STATUS(last.idle)},
	{"pool_advisor_idle_in_transaction", GAUGE, "",
	"Sessions waiting for a command inside a transaction in the last sample.", PADV_BY_SAMPLE, STATUS(last.idle_in_transaction)},
	{"pool_advisor_queued", GAUGE, "",
	"Sessions and logins waiting to be admitted in the last sample.", PADV_BY_SAMPLE, STATUS(last.queued)},
	{"pool_advisor_parallel_workers", GAUGE, "",
	"Parallel workers in the last sample; they are not sessions.", PADV_BY_SAMPLE, STATUS(last.parallel_workers)},
	{"pool_advisor_active_avg", GAUGE, "",
	"Average active sessions over the last minute.", PADV_BY_SAMPLE, STATUS_REAL(minute.active)},
	{"pool_advisor_active_p95", GAUGE, "",
	"Active sessions that 95 percent of the samples of the last minute did not exceed.", PADV_BY_SAMPLE, STATUS_REAL(minute.active_p95)},
	{"pool_advisor_active_max", GAUGE, "",
	"Most active sessions in a sample of the last minute.", PADV_BY_SAMPLE, STATUS(minute.active_max)},
	{"pool_advisor_demand_avg", GAUGE, "",
	"Average over the last minute of active sessions and parallel workers, less those asleep or waiting for their client or an advisory lock, and of sessions ready to run that look idle.", PADV_BY_SAMPLE, STATUS_REAL(model.demand)},
	{"pool_advisor_io_wait_ratio", GAUGE, "ratio",
	"Share of active sessions waiting for I/O over the last minute.", PADV_BY_SAMPLE, STATUS_REAL(minute.io_wait_ratio)},
	{"pool_advisor_cpu_utilization_ratio", GAUGE, "ratio",
	"Use of the cores granted to the server, by all that runs on them, over the last minute.", PADV_BY_SAMPLE, STATUS_REAL(load.cpu_utilization)},
	{"pool_advisor_run_queue_ratio", GAUGE, "ratio",
	"Share of their runnable time that the processes of the server waited for a core, over the last minute.", PADV_BY_SAMPLE, STATUS_REAL(load.run_queue_ratio)},
	{"pool_advisor_cache_hit_ratio", GAUGE, "ratio",
	"Share of the blocks found in shared buffers over the last minute.", PADV_BY_SAMPLE, STATUS_REAL(load.cache_hit_ratio)},
	{"pool_advisor_busy_ratio", GAUGE, "ratio",
	"Share of the time a connection of a transaction pool is held in which it executes: optimal / pool_size.", PADV_BY_SAMPLE, STATUS_REAL(model.busy_ratio)},
	{"pool_advisor_load_ratio", GAUGE, "ratio",
	"demand_avg divided by optimal; over 1 more want to work than help.", PADV_BY_SAMPLE, STATUS_REAL(model.load_ratio)},
	{"pool_advisor_optimal", GAUGE, "",
	"Active connections at which this server is at its best.", PADV_BY_SAMPLE, SERVER(optimal)},
	{"pool_advisor_optimal_low", GAUGE, "",
	"Lower end of the range around optimal.", PADV_BY_SAMPLE, SERVER(optimal_low)},
	{"pool_advisor_optimal_high", GAUGE, "",
	"Upper end of the range around optimal.", PADV_BY_SAMPLE, SERVER(optimal_high)},
	{"pool_advisor_optimal_method", GAUGE, "",
	"How optimal was found: 0 formula, 1 wait_ratio, 2 scalability, 3 setting, 4 trial.", PADV_BY_SAMPLE, SERVER(method)},
	{"pool_advisor_confidence", GAUGE, "",
	"How much speaks for optimal: 0 formula, 1 low, 2 medium, 3 high.", PADV_BY_SAMPLE, SERVER(confidence)},
	{"pool_advisor_verdict", GAUGE, "",
	"How the load stands against optimal: 0 idle, 1 within, 2 at the optimum, 3 oversubscribed, 4 contention, 5 stalled.", PADV_BY_SAMPLE, SERVER(verdict)},
	{"pool_advisor_health", GAUGE, "",
	"What check_load() says without thresholds: 0 OK, 1 warning, 2 critical, 3 unknown.", PADV_BY_SAMPLE, SERVER(health)},
	{"pool_advisor_oversubscribed", GAUGE, "",
	"Whether more want to work than help, while work does not stand still: 1 or 0.", PADV_BY_SAMPLE, SERVER(oversubscribed)},
	{"pool_advisor_blockers", GAUGE, "",
	"Rows of the view blockers: sessions at the heads of lock chains.", PADV_BY_SAMPLE, STATUS(stall.blockers)},
	{"pool_advisor_blocked_sessions", GAUGE, "",
	"Sessions that wait for a lock, directly or in a chain, as of the last second.", PADV_BY_SAMPLE, STATUS(stall.blocked)},
	{"pool_advisor_blocked_longest_wait_seconds", GAUGE, "seconds",
	"How long the one of them has waited that waits longest.", PADV_BY_SAMPLE, STATUS_REAL(stall.longest_wait_seconds)},
	{"pool_advisor_idle_blocker_seconds", GAUGE, "seconds",
	"For how long a session that does nothing, or a prepared transaction, has kept others waiting; 0 if none does.", PADV_BY_SAMPLE, STATUS_REAL(stall.idle_blocker_seconds)},
	{"pool_advisor_stalled_seconds", GAUGE, "seconds",
	"For how long most of the work has stood still behind locks; 0 while it flows.", PADV_BY_SAMPLE, STATUS_REAL(stall.stalled_seconds)},
	{"pool_advisor_transactions_longest_wait_seconds", GAUGE, "seconds",
	"How long the transaction has waited that waits longest in the queue.", PADV_BY_SAMPLE, STATUS_REAL(stall.queue_seconds)},
	{"pool_advisor_pool_size", GAUGE, "",
	"Connections that a transaction pool in front needs to keep optimal of them active, by the busiest load that was seen.", PADV_BY_SAMPLE, SERVER(pool_size)},
	{"pool_advisor_session_pool_size", GAUGE, "",
	"The same for a pool whose callers keep a connection for a request.", PADV_BY_SAMPLE, SERVER(session_pool_size)},
	{"pool_advisor_pool_size_age_seconds", GAUGE, "seconds",
	"Time since the load was measured that pool_size is of.", PADV_BY_SAMPLE, SERVER_REAL(pool_size_age)},
	{"pool_advisor_pools_locked_up", GAUGE, "",
	"Pools of the view pools all of whose connections are idle in a transaction, while none ends.", PADV_BY_SAMPLE, STATUS(found.locked_up)},
	{"pool_advisor_pools_locked_up_seconds", GAUGE, "seconds",
	"For how long the one of them has been so that is longest; 0 if none is.", PADV_BY_SAMPLE, STATUS_REAL(found.locked_up_seconds)},
	{"pool_advisor_pools_leaking", GAUGE, "",
	"Pools of the view pools that open connections which are not used again.", PADV_BY_SAMPLE, STATUS(found.leaking)},
	{"pool_advisor_limits_unreadable", GAUGE, "",
	"Whether limits cannot be read, so that everybody is let in: 1 or 0.", PADV_BY_SAMPLE, SERVER(limits_unreadable)},
	{"pool_advisor_history_unwritten", GAUGE, "",
	"Whether the history or the incidents could not be written to disk: 1 or 0.", PADV_BY_SAMPLE, SERVER(history_unwritten)},
	{"pool_advisor_committed_sessions", GAUGE, "",
	"Sessions that limits and CONNECTION LIMITs allow, over all roles; -1 is no limit.", PADV_BY_SAMPLE, STATUS(limits_committed)},
	{"pool_advisor_advice_critical", GAUGE, "",
	"Rows of severity critical in the view advice, without those on declared pools.", PADV_BY_SAMPLE, SERVER(advice[PADV_CRITICAL])},
	{"pool_advisor_advice_warning", GAUGE, "",
	"Rows of severity warning in the view advice, without those on declared pools.", PADV_BY_SAMPLE, SERVER(advice[PADV_WARNING])},

	{"pool_advisor_wait_class_sessions", GAUGE, "",
	"Active sessions in the last sample by what they wait for; cpu is for nothing.", PADV_BY_WAIT_CLASS, STATUS(last.in_class)},
	{"pool_advisor_wait_class_sessions_avg", GAUGE, "",
	"Average active sessions over the last minute by what they wait for.", PADV_BY_WAIT_CLASS, STATUS_REAL(minute.in_class)},

	{"pool_advisor_incidents_total", COUNTER, "",
	"Incidents that have begun since the server started, by the kind that they began with.", PADV_BY_INCIDENT, SERVER(incidents)},

	{"pool_advisor_incidents_status", GAUGE, "",
	"What an incident of this kind that lasts is worth, as in check_load(): 0 none lasts or it costs nothing, 1 warning, 2 critical. Not of stalled, which has stalled_seconds.", PADV_BY_INCIDENT, SERVER(incidents_status)},

	{"pool_advisor_role_sessions", GAUGE, "",
	"Sessions of the role in the last sample.", PADV_BY_ROLE, ROLE(sessions)},
	{"pool_advisor_role_active", GAUGE, "",
	"Active sessions of the role in the last sample.", PADV_BY_ROLE, ROLE(active)},
	{"pool_advisor_role_idle", GAUGE, "",
	"Idle sessions of the role in the last sample.", PADV_BY_ROLE, ROLE(idle)},
	{"pool_advisor_role_idle_in_transaction", GAUGE, "",
	"Sessions of the role idle in transaction in the last sample.", PADV_BY_ROLE, ROLE(idle_in_transaction)},
	{"pool_advisor_role_queued", GAUGE, "",
	"Logins of the role that wait in the queue now, and its sessions whose transaction waits.", PADV_BY_ROLE, ROLE(queued)},
	{"pool_advisor_role_active_avg", GAUGE, "",
	"Average active sessions of the role over the last minute.", PADV_BY_ROLE, .is_real = true, ROLE(active_avg)},
	{"pool_advisor_role_blame_avg", GAUGE, "",
	"Average sessions over the last minute that waited for a lock because of a session of the role.", PADV_BY_ROLE, .is_real = true, ROLE(blame_avg)},
	{"pool_advisor_role_max_sessions", GAUGE, "",
	"The own limit of the role, or the default; -1 is no limit.", PADV_BY_ROLE, .no_sum = true, ROLE(max_sessions)},

	{"pool_advisor_database_active_avg", GAUGE, "",
	"Average active sessions in the database over the last minute; databases with less than 1 percent have no series.", PADV_BY_DATABASE, .is_real = true, DATABASE(active_avg)},
	{"pool_advisor_database_blame_avg", GAUGE, "",
	"Average sessions over the last minute that waited for a lock because of a session in the database.", PADV_BY_DATABASE, .is_real = true, DATABASE(blame_avg)},

	{"pool_advisor_admission_refused_total", COUNTER, "",
	"Logins of the role refused because of a limit, those that had waited in vain included.", PADV_BY_COUNTED_ROLE, COUNTED(refused)},
	{"pool_advisor_admission_queued_total", COUNTER, "",
	"Logins of the role that had to wait in the queue.", PADV_BY_COUNTED_ROLE, COUNTED(queued)},
	{"pool_advisor_admission_timed_out_total", COUNTER, "",
	"Logins of the role refused after waiting for queue_timeout.", PADV_BY_COUNTED_ROLE, COUNTED(timed_out)},
	{"pool_advisor_admission_would_refuse_total", COUNTER, "",
	"Logins of the role that found a limit full and were let in because enforcement was observe.", PADV_BY_COUNTED_ROLE, COUNTED(would_refuse)},
	{"pool_advisor_admission_closed_idle_total", COUNTER, "",
	"Sessions of the role closed after session_idle_timeout because they were beyond min_sessions.", PADV_BY_COUNTED_ROLE, COUNTED(closed_idle)},
	{"pool_advisor_admission_queue_wait_seconds_total", COUNTER, "seconds",
	"Time that logins of the role spent in the queue.", PADV_BY_COUNTED_ROLE, .is_real = true, COUNTED(queue_wait_seconds)},
	{"pool_advisor_admission_transactions_queued_total", COUNTER, "",
	"Transactions of the role that had to wait in the queue and got their slot.", PADV_BY_COUNTED_ROLE, COUNTED(transactions_queued)},
	{"pool_advisor_admission_transactions_queue_wait_seconds_total", COUNTER, "seconds",
	"Time that these transactions spent in the queue.", PADV_BY_COUNTED_ROLE, .is_real = true, COUNTED(transactions_wait_seconds)},

	{"pool_advisor_latency_transactions_total", COUNTER, "",
	"Transactions that clients of the role committed, prepared or rolled back.", PADV_BY_LATENCY, LATENCY(transactions)},
	{"pool_advisor_latency_rolled_back_total", COUNTER, "",
	"Those of them that were rolled back.", PADV_BY_LATENCY, LATENCY(rolled_back)},
	{"pool_advisor_latency_slow_total", COUNTER, "",
	"Those of them that took longer than 1 s, the wait in the queue included.", PADV_BY_LATENCY, LATENCY(slow)},
	{"pool_advisor_latency_seconds_total", COUNTER, "seconds",
	"Time that all of them took together.", PADV_BY_LATENCY, .is_real = true, LATENCY(seconds)},
	{"pool_advisor_latency_mean_seconds", GAUGE, "seconds",
	"Mean duration of the transactions of the role in the last minute.", PADV_BY_LATENCY, .is_real = true, LATENCY(mean)},
	{"pool_advisor_latency_p50_seconds", GAUGE, "seconds",
	"Duration that half of the transactions of the role in the last minute did not exceed.", PADV_BY_LATENCY, .is_real = true, LATENCY(p50)},
	{"pool_advisor_latency_p95_seconds", GAUGE, "seconds",
	"Duration that 95 percent of them did not exceed.", PADV_BY_LATENCY, .is_real = true, LATENCY(p95)},
	{"pool_advisor_latency_p99_seconds", GAUGE, "seconds",
	"Duration that 99 percent of them did not exceed.", PADV_BY_LATENCY, .is_real = true, LATENCY(p99)},

	{"pool_advisor_limit_in_use", GAUGE, "",
	"Sessions counted under the limit of the role, of the database, or of the role in the database.", PADV_BY_LIMIT, LIMIT(in_use)},
	{"pool_advisor_limit_max_sessions", GAUGE, "",
	"Sessions that the limit allows; -1 is no limit.", PADV_BY_LIMIT, LIMIT(max_sessions)},
	{0}
};

const PadvMetricGroup padv_metric_groups[PADV_METRIC_SCOPES] = {
	[PADV_BY_SERVER] = {"pool_advisor_", {NULL}},
	[PADV_BY_SAMPLE] = {"pool_advisor_", {NULL}},
	[PADV_BY_WAIT_CLASS] = {"pool_advisor_wait_class_", {"wait_class"}},
	[PADV_BY_INCIDENT] = {"pool_advisor_incidents_", {"incident"}},
	[PADV_BY_ROLE] = {"pool_advisor_role_", {"rolname"}},
	[PADV_BY_DATABASE] = {"pool_advisor_database_", {"datname"}},
	[PADV_BY_COUNTED_ROLE] = {"pool_advisor_admission_", {"rolname"}},
	[PADV_BY_LATENCY] = {"pool_advisor_latency_", {"rolname"}},
	[PADV_BY_LIMIT] = {"pool_advisor_limit_", {"rolname", "datname"}},
};

static const char *const wait_classes[PADV_WAIT_CLASSES] = {"cpu", "io", "lock", "lwlock", "other"};

/* --- the server ----------------------------------------------------------- */

static int64_t
known_size(int64_t size)
{
	return size > 0 ? size : PADV_NOT_KNOWN;
}

static void
judge_incidents(PadvMetricsServer *server)
{
	const PadvLocalStatus *local = &server->local;

	memset(server->incidents_status, 0, sizeof(server->incidents_status));
	for (int i = 0; i < local->nlasting; i++)
		server->incidents_status[local->lasting[i].kind] = padv_health_of_incident(&local->lasting[i]);
	server->incidents_status[PADV_INCIDENT_STALLED] = PADV_NOT_KNOWN;
}

void
padv_metrics_prepare(PadvMetricsServer *server)
{
	const PadvStatus *status = &server->local.status;
	const PadvEstimate *chosen = padv_model_chosen(&status->model);
	PadvAdvice	advice[PADV_MAX_ADVICE];
	int			count = padv_advise(&server->local, advice);

	server->one = 1;
	server->worker_running = server->local.worker_running;
	server->limits_unreadable = status->limits_unreadable;
	server->history_unwritten = status->history_unwritten;
	server->optimal = chosen->connections;
	server->optimal_low = chosen->low;
	server->optimal_high = chosen->high;
	server->method = status->model.chosen;
	server->pool_size = known_size(status->model.pool_size);
	server->session_pool_size = known_size(status->model.session_pool_size);
	server->pool_size_age = status->model.pool.load.at == 0 ? -1.0 :
		(double) (status->taken_at - status->model.pool.load.at) / 1e6;
	server->confidence = chosen->confidence;
	server->verdict = status->model.verdict;
	server->health = padv_health(&server->local).status;
	server->oversubscribed = padv_health_oversubscribed(&server->local) != PADV_CHECK_OK;
	judge_incidents(server);
	for (int i = 0; i < 3; i++)
		server->advice[i] = status->found.advice[i];
	for (int i = 0; i < count; i++)
		server->advice[advice[i].severity]++;
}

/* --- roles and limits ------------------------------------------------------- */

static int
shown(int count)
{
	return count < PADV_MAX_SHOWN ? count : PADV_MAX_SHOWN;
}

static int
descending(double a, double b)
{
	return a > b ? -1 : a < b;
}

/* Most active first; of equal ones the one with more sessions, then the older. */
static int
compare_metric_roles(const void *a, const void *b)
{
	const PadvMetricsRole *left = a;
	const PadvMetricsRole *right = b;
	int			result = descending(left->active_avg, right->active_avg);

	if (result == 0)
		result = descending((double) left->sessions, (double) right->sessions);
	if (result == 0)
		result = descending((double) left->queued, (double) right->queued);
	return result != 0 ? result : descending(right->role, left->role);
}

int
padv_metrics_choose_roles(PadvMetricsRole *roles, int count)
{
	qsort(roles, (size_t) count, sizeof(PadvMetricsRole), compare_metric_roles);
	return shown(count);
}

static int
compare_counted(const void *a, const void *b)
{
	const PadvMetricsCounted *left = a;
	const PadvMetricsCounted *right = b;
	int			result = (int) right->tracked - (int) left->tracked;

	return result != 0 ? result : descending(right->role, left->role);
}

int
padv_metrics_choose_counted(PadvMetricsCounted *counted, int count)
{
	int			result = 0;

	qsort(counted, (size_t) count, sizeof(PadvMetricsCounted), compare_counted);
	while (result < count && counted[result].tracked)
		result++;
	return shown(result);
}

/* The share in use; a limit without a number is never full. */
static double
fullness(const PadvMetricsLimit *limit)
{
	if (limit->max_sessions < 0)
		return -1.0;
	return limit->max_sessions == 0 ? 0.0 : (double) limit->in_use / (double) limit->max_sessions;
}

static int
compare_metric_limits(const void *a, const void *b)
{
	const PadvMetricsLimit *left = a;
	const PadvMetricsLimit *right = b;
	int			result = descending(fullness(left), fullness(right));

	if (result == 0)
		result = descending((double) left->in_use, (double) right->in_use);
	if (result == 0)
		result = descending(right->database, left->database);
	return result != 0 ? result : descending(right->role, left->role);
}

int
padv_metrics_choose_limits(PadvMetricsLimit *limits, int count)
{
	qsort(limits, (size_t) count, sizeof(PadvMetricsLimit), compare_metric_limits);
	return shown(count);
}

static void
add_durations(PadvMetricsLatency *sum, const PadvMetricsLatency *row)
{
	padv_latency_add(&sum->total, &row->total);
	padv_latency_add(&sum->minute, &row->minute);
}

/* Add a row to the sum, field by field as the table has them. */
static void
add_row(PadvMetricScope scope, char *sum, const char *row)
{
	if (scope == PADV_BY_LATENCY)
	{
		add_durations((PadvMetricsLatency *) (void *) sum, (const PadvMetricsLatency *) (const void *) row);
		return;
	}
	for (const PadvMetric *metric = padv_metrics; metric->name != NULL; metric++)
	{
		if (metric->scope != scope)
			continue;
		if (metric->no_sum)
			*(int64_t *) (void *) (sum + metric->offset) = PADV_NOT_KNOWN;
		else if (metric->is_real)
			*(double *) (void *) (sum + metric->offset) += *(const double *) (const void *) (row + metric->offset);
		else
			*(int64_t *) (void *) (sum + metric->offset) += *(const int64_t *) (const void *) (row + metric->offset);
	}
}

static const char *
name_of(const char *row)
{
	return ((const PadvMetricsLabels *) (const void *) row)->rolname;
}

/*
 * Two roles can have one name for a moment, as names are looked up one after
 * another; and two series with the same labels spoil the whole answer.
 */
static bool
has_own_series(const char *rows, size_t width, int kept, const char *name)
{
	if (name == NULL)
		return false;
	for (int i = 0; i < kept; i++)
		if (strcmp(name_of(rows + (size_t) i * width), name) == 0)
			return false;
	return strcmp(name, PADV_OTHER_ROLES) != 0;
}

/* Counters of a tracked role that has been dropped would make the sum jump. */
static bool
is_tracked(PadvMetricScope scope, const char *row)
{
	if (scope == PADV_BY_LATENCY)
		return ((const PadvMetricsLatency *) (const void *) row)->tracked;
	return scope == PADV_BY_COUNTED_ROLE && ((const PadvMetricsCounted *) (const void *) row)->tracked;
}

/* *sum is a row of zeros. */
static int
fold(PadvMetricScope scope, char *rows, size_t width, int shown_rows, int count, char *sum)
{
	int			kept = 0;

	/* what is not summed up is unknown even if there is nothing to sum */
	add_row(scope, sum, sum);
	for (int i = 0; i < count; i++)
	{
		char	   *row = rows + (size_t) i * width;

		if (i < shown_rows && has_own_series(rows, width, kept, name_of(row)))
			memmove(rows + (size_t) kept++ * width, row, width);
		else if (!is_tracked(scope, row))
			add_row(scope, sum, row);
	}
	((PadvMetricsLabels *) (void *) sum)->rolname = PADV_OTHER_ROLES;
	memcpy(rows + (size_t) kept * width, sum, width);
	return kept + 1;
}

int
padv_metrics_fold_roles(PadvMetricsRole *roles, int shown_roles, int count)
{
	PadvMetricsRole sum = {0};

	return fold(PADV_BY_ROLE, (char *) roles, sizeof(sum), shown_roles, count, (char *) &sum);
}

int
padv_metrics_fold_counted(PadvMetricsCounted *counted, int shown_roles, int count)
{
	PadvMetricsCounted sum = {0};

	return fold(PADV_BY_COUNTED_ROLE, (char *) counted, sizeof(sum), shown_roles, count, (char *) &sum);
}

static void
describe_durations(PadvMetricsLatency *row)
{
	uint64_t	count = padv_latency_count(&row->total);

	row->transactions = (int64_t) count;
	row->rolled_back = (int64_t) row->total.rolled_back;
	row->slow = (int64_t) (count - padv_latency_count_below(&row->total, PADV_SLOW_US));
	row->seconds = (double) row->total.sum_us / 1e6;
	row->mean = padv_latency_mean(&row->minute);
	row->p50 = padv_latency_quantile(&row->minute, 0.5);
	row->p95 = padv_latency_quantile(&row->minute, 0.95);
	row->p99 = padv_latency_quantile(&row->minute, 0.99);
}

/* Quantiles cannot be added up; so these are of the sum. */
int
padv_metrics_fold_latency(PadvMetricsLatency *latency, int count)
{
	PadvMetricsLatency sum = {0};
	int			kept = fold(PADV_BY_LATENCY, (char *) latency, sizeof(sum), count, count, (char *) &sum);

	for (int i = 0; i < kept; i++)
		describe_durations(&latency[i]);
	return kept;
}

/* --- the walk ------------------------------------------------------------- */

/* The value in a struct of the metric's scope, or in an array; false: unknown. */
static bool
read_value(const PadvMetric *metric, const void *base, int element, double *value)
{
	const char *at = (const char *) base + metric->offset + (size_t) element * sizeof(int64_t);
	int64_t		number;

	if (metric->is_real)
	{
		memcpy(value, at, sizeof(*value));
		return *value >= 0.0;
	}
	memcpy(&number, at, sizeof(number));
	*value = (double) number;
	return number != PADV_NOT_KNOWN;
}

typedef struct Walk
{
	const PadvMetricsInput *input;
	void		(*emit) (void *arg, const PadvSeries *series);
	void	   *arg;
} Walk;

static void
walk_rows(const Walk *walk, const PadvMetric *metric, const void *rows, size_t width, int count)
{
	for (int i = 0; i < count; i++)
	{
		const PadvMetricsLabels *labels = (const void *) ((const char *) rows + (size_t) i * width);
		PadvSeries	series = {.metric = metric, .wait_class = "", .incident = ""};

		series.rolname = labels->rolname ? labels->rolname : "";
		series.datname = labels->datname ? labels->datname : "";
		if (read_value(metric, labels, 0, &series.value))
			walk->emit(walk->arg, &series);
	}
}

static void
walk_server(const Walk *walk, const PadvMetric *metric)
{
	PadvSeries	series = {.metric = metric, .rolname = "", .datname = "", .wait_class = "", .incident = ""};
	int			count = metric->scope == PADV_BY_WAIT_CLASS ? PADV_WAIT_CLASSES :
		metric->scope == PADV_BY_INCIDENT ? PADV_INCIDENT_KINDS : 1;

	for (int i = 0; i < count; i++)
	{
		if (metric->scope == PADV_BY_WAIT_CLASS)
			series.wait_class = wait_classes[i];
		else if (metric->scope == PADV_BY_INCIDENT)
			series.incident = padv_incident_kind_label(i);
		if (read_value(metric, &walk->input->server, i, &series.value))
			walk->emit(walk->arg, &series);
	}
}

void
padv_metrics_walk(const PadvMetricsInput *input,
				  void (*emit) (void *arg, const PadvSeries *series), void *arg)
{
	const Walk	walk = {input, emit, arg};
	bool		sampled = input->server.local.status.taken_at != 0;

	for (const PadvMetric *metric = padv_metrics; metric->name != NULL; metric++)
		switch (metric->scope)
		{
			case PADV_BY_SERVER:
			case PADV_BY_INCIDENT:
				walk_server(&walk, metric);
				break;
			case PADV_BY_SAMPLE:
			case PADV_BY_WAIT_CLASS:
				if (sampled)
					walk_server(&walk, metric);
				break;
			case PADV_BY_ROLE:
				if (sampled)
					walk_rows(&walk, metric, input->roles, sizeof(PadvMetricsRole), input->nroles);
				break;
			case PADV_BY_DATABASE:
				if (sampled)
					walk_rows(&walk, metric, input->databases, sizeof(PadvMetricsDatabase), input->ndatabases);
				break;
			case PADV_BY_COUNTED_ROLE:
				walk_rows(&walk, metric, input->counted, sizeof(PadvMetricsCounted), input->ncounted);
				break;
			case PADV_BY_LATENCY:
				walk_rows(&walk, metric, input->latency, sizeof(PadvMetricsLatency), input->nlatency);
				break;
			case PADV_BY_LIMIT:
				walk_rows(&walk, metric, input->limits, sizeof(PadvMetricsLimit), input->nlimits);
				break;
		}
}
