/*
 * test_health.c
 *		Which state is worth a warning: the verdict, check_load(), advice and the
 *		alerts go by one rule.  What is said of who keeps others waiting, and the
 *		summary.
 */
#include <stdlib.h>
#include <string.h>

#include "core/advice/advice.h"
#include "core/advice/blocked_advice.h"
#include "core/advice/found_pools.h"
#include "core/advice/summary.h"
#include "core/model/health.h"
#include "core/monitoring/check_load.h"
#include "core/monitoring/metrics.h"
#include "core/monitoring/monitoring_config.h"
#include "tap.h"

static PadvLocalStatus local;
static PadvStatus *const status = &local.status;

/* A well-behaved server: optimum 8, range 4 to 16, 5 want to work. */
static void
set_up(void)
{
	memset(&local, 0, sizeof(local));
	local.worker_running = true;
	local.enforcement = local.gate_enforcement = PADV_ENFORCEMENT_ON;
	local.gate.limit = -1;
	local.age_seconds = 0.1;
	status->taken_at = 1;
	status->clock_us = INT64_C(1000000000);
	status->last.sessions = 40;
	status->last.demand = 5;
	status->model.inputs.usable_connections = 97;
	status->model.inputs.max_connections = 100;
	status->model.inputs.sample_interval_ms = 100;
	status->model.demand = 5;
	status->model.pool_size = 10;
	status->model.load_ratio = 5.0 / 8.0;
	status->model.verdict = PADV_VERDICT_WITHIN;
	status->model.chosen = PADV_METHOD_SETTING;
	status->model.estimates[PADV_METHOD_SETTING] = status->model.estimates[PADV_METHOD_FORMULA] =
		(PadvEstimate) {.available = true, .connections = 8, .low = 4, .high = 16};
}

/* So many want to work, and half of them wait for the lock of one that is idle. */
static void
stall(double seconds)
{
	PadvStall  *stall = &status->stall;

	stall->blockers = 1;
	stall->blocked = stall->standing = 12;
	stall->any = true;
	stall->stalled_seconds = seconds;
	stall->since_us = 1;
	stall->idle_blocker_seconds = seconds;
	stall->worst = (PadvBlocker) {
		.pid = 5244, .role = 10, .database = 5, .state = PADV_BLOCKER_IDLE_IN_TRANSACTION,
		.state_seconds = 67, .xact_seconds = 68, .blocked_directly = 1, .blocked = 12,
		.longest_wait_seconds = 65, .blocking_seconds = 66};
	stall->idle = stall->worst;
	local.blocker_role = "batch";
	local.blocker_database = "bench";
	status->last.demand = 12;
	status->model.verdict = padv_health_verdict(&status->model, stall);
}

static void
want(double demand)
{
	status->model.demand = demand;
	status->model.load_ratio = demand / 8.0;
}

static const char *
state_of(const char *item)
{
	static PadvSummaryRow rows[PADV_SUMMARY_ROWS];

	padv_summary(&local, rows);
	for (int i = 0; i < PADV_SUMMARY_ROWS; i++)
		if (strcmp(rows[i].item, item) == 0)
			return rows[i].state;
	return "";
}

static PadvCheckStatus
check(double warning, double critical)
{
	PadvLoadCheck result;

	padv_check_load(&local, 97, warning, critical, &result);
	return result.status;
}

static const PadvAdvice *
find(const char *code)
{
	static PadvAdvice advice[PADV_MAX_ADVICE];
	int			count = padv_advise(&local, advice);

	for (int i = 0; i < count; i++)
		if (strcmp(advice[i].code, code) == 0)
			return &advice[i];
	return NULL;
}

static bool
is(PadvCheckStatus status, const char *code)
{
	PadvHealth	health = padv_health(&local);

	return health.status == status && strcmp(health.code, code) == 0 && check(-1, -1) == status &&
		(code[0] == '\0' || find(code) != NULL);
}

static void
test_states(void)
{
	set_up();
	ok(is(PADV_CHECK_OK, ""), "all is well");
	want(16);
	ok(is(PADV_CHECK_OK, ""), "at the end of the range is");
	want(16.1);
	ok(is(PADV_CHECK_WARNING, "oversubscribed"), "beyond it is not");
	want(32.1);
	ok(is(PADV_CHECK_CRITICAL, "oversubscribed") && find("oversubscribed")->severity == PADV_CRITICAL,
	   "over four times the optimum");
	status->model.chosen = PADV_METHOD_FORMULA;
	ok(padv_health(&local).status == PADV_CHECK_OK && find("oversubscribed")->severity == PADV_INFO,
	   "but a number that was only derived wakes nobody");
	status->model.cores = 4;
	status->load.cpu_utilization = 0.97;
	status->load.server_cores = 3.5;
	ok(is(PADV_CHECK_WARNING, "oversubscribed") && find("oversubscribed")->severity == PADV_WARNING,
	   "unless the cores are used up");
	status->load.server_cores = 0.2;
	ok(padv_health(&local).status == PADV_CHECK_OK, "by the server");
	status->load.run_queue_ratio = 0.5;
	ok(is(PADV_CHECK_WARNING, "oversubscribed"), "or it waits for them");
	set_up();
	want(32.1);
	status->model.chosen = PADV_METHOD_WAIT_RATIO;
	status->model.by_cores = 20;
	ok(padv_health(&local).status == PADV_CHECK_OK, "with idle cores");
	status->model.bottleneck_saturated = true;
	status->model.by_bottleneck = 8;
	status->model.bottleneck = PADV_RESOURCE_LOCKS;
	status->model.verdict = PADV_VERDICT_CONTENTION;
	ok(is(PADV_CHECK_WARNING, "oversubscribed"), "or most queue for a lock");
	set_up();
	status->model.verdict = PADV_VERDICT_CONTENTION;
	ok(is(PADV_CHECK_OK, ""), "contention is work that flows");
	ok(find("lock_bound") != NULL, "though advice has a word on it");

	set_up();
	status->last.sessions = 80;
	status->last.logins_waiting = 8;
	ok(is(PADV_CHECK_CRITICAL, "connections_nearly_full"), "connections nearly full");
	set_up();
	status->limits_unreadable = true;
	ok(is(PADV_CHECK_CRITICAL, "limits_unreadable"), "limits unreadable");
	set_up();
	status->history_unwritten = true;
	ok(is(PADV_CHECK_WARNING, "history_unwritten") && find("history_unwritten") != NULL, "history not written");
	set_up();
	local.gate_enforcement = PADV_ENFORCEMENT_OFF;
	ok(is(PADV_CHECK_WARNING, "enforcement_off"), "limits not enforced");
	local.gate_enforcement = PADV_ENFORCEMENT_OBSERVE;
	ok(padv_health(&local).status == PADV_CHECK_OK, "a trial is no emergency");
	set_up();
	status->stall.queue_seconds = 60;
	local.gate.waiting = 3;
	ok(is(PADV_CHECK_WARNING, "queue_old"), "a wait of a minute in the queue");
	status->stall.queue_seconds = 59;
	ok(is(PADV_CHECK_OK, ""), "a shorter one is what a queue is for");
	set_up();
	local.worker_running = false;
	status->limits_unreadable = true;
	ok(is(PADV_CHECK_UNKNOWN, "sampling_stopped"), "what is old says nothing");
}

static void
test_stall(void)
{
	PadvHealth	health;

	set_up();
	stall(7);
	want(33);
	health = padv_health(&local);
	ok(status->model.verdict == PADV_VERDICT_STALLED, "the verdict");
	ok(health.status == PADV_CHECK_WARNING && check(-1, -1) == PADV_CHECK_WARNING, "a stall is a warning");
	ok(check(1000, 2000) == PADV_CHECK_WARNING && check(1, 2) == PADV_CHECK_CRITICAL && check(1, 1000) == PADV_CHECK_WARNING,
	   "with thresholds, too, which hold beside it");
	ok(find("blocked_by")->severity == PADV_CRITICAL, "advice names the one that is waited for");
	ok(find("oversubscribed") == NULL && find("lock_bound") == NULL, "and nothing that does not help");
	stall(60);
	ok(check(-1, -1) == PADV_CHECK_CRITICAL && check(1000, -1) == PADV_CHECK_CRITICAL, "of a minute it is critical");

	/* over, but not in the averages */
	status->stall = (PadvStall) {.ended_us = status->clock_us - 59000000};
	status->model.verdict = PADV_VERDICT_CONTENTION;
	ok(find("oversubscribed") == NULL && find("lock_bound") == NULL && check(-1, -1) == PADV_CHECK_OK,
	   "averages remember it for a minute");
	status->stall.ended_us -= 2000000;
	ok(find("oversubscribed") != NULL && find("lock_bound") != NULL, "and then no more");

	/* others work */
	set_up();
	stall(0);
	status->stall.idle_blocker_seconds = 59;
	ok(padv_health(&local).status == PADV_CHECK_OK && find("blocked_by")->severity == PADV_WARNING,
	   "one that blocks a few is no emergency");
	status->stall.idle_blocker_seconds = 60;
	ok(is(PADV_CHECK_WARNING, "blocked_by"), "unless it does nothing for a minute");
}

/* One that works blocks more sessions than the idle one that the warning is about. */
static void
test_idle_blocker(void)
{
	PadvAdvice	advice[PADV_MAX_ADVICE];
	PadvLoadCheck result;

	set_up();
	stall(0);
	status->stall.idle_blocker_seconds = 71;
	status->stall.idle.blocked = 1;
	status->stall.idle.blocking_seconds = 71;
	status->stall.worst.pid = 31;
	status->stall.worst.blocked = 3;
	status->stall.worst.state = PADV_BLOCKER_ACTIVE;
	local.idle_blocker_role = "billing";
	local.idle_blocker_database = "shop";
	padv_check_load(&local, 97, -1, -1, &result);
	ok(result.status == PADV_CHECK_WARNING && strstr(result.message, "(within, 1 session blocked by pid 5244 for 71 s)") != NULL,
	   "the check names the one that it is about: %s", result.message);
	ok(strcmp(state_of("blocked by"), "pid 5244, idle in transaction, 71 s: 1 wait") == 0, "and so does the summary");
	ok(padv_advise(&local, advice) >= 2 && strcmp(advice[0].subject, "5244") == 0 && strcmp(advice[1].subject, "31") == 0 &&
	   strcmp(advice[0].fix, "SELECT pg_catalog.pg_terminate_backend(5244);") == 0 && advice[0].severity == PADV_WARNING,
	   "advice names both");
	ok(strstr(advice[0].finding, "process 5244 (role billing, database shop, idle") != NULL, "%s", advice[0].finding);

	status->stall.stalled_seconds = 7;
	padv_check_load(&local, 97, -1, -1, &result);
	ok(strstr(result.message, "3 sessions blocked by pid 31 for") != NULL, "a stall is about the one that blocks most");
	ok(padv_advise(&local, advice) >= 2 && strcmp(advice[0].subject, "31") == 0 && advice[0].severity == PADV_CRITICAL &&
	   strcmp(advice[1].subject, "5244") == 0, "which comes first then");

	status->stall.stalled_seconds = 0;
	status->stall.idle_blocker_seconds = 59;
	ok(padv_advise(&local, advice) >= 1 && strcmp(advice[0].subject, "31") == 0, "before a minute it has no advice of its own");
}

/* An incident that lasts since 100 s; its throughput, before and then, and the transactions that were not done. */
static PadvIncident *
suffer(PadvIncidentKind kind, double before, double throughput, double not_done)
{
	PadvIncident *incident = &local.lasting[0];

	local.nlasting = 1;
	*incident = (PadvIncident) {
		.number = 1, .kind = kind, .began = 1, .seen = 100000001, .culprit = PADV_CULPRIT_ROLE, .role = 10,
		.throughput_before = before, .throughput = throughput, .not_done = not_done};
	return incident;
}

static const char *
message(double warning, double critical)
{
	static PadvLoadCheck result;

	padv_check_load(&local, 97, warning, critical, &result);
	return result.message;
}

/* Whether advice is as severe as this, beside what is() holds. */
static bool
is_incident(PadvCheckStatus expected)
{
	PadvSeverity severity = expected == PADV_CHECK_CRITICAL ? PADV_CRITICAL : expected == PADV_CHECK_WARNING ? PADV_WARNING : PADV_INFO;

	return is(expected, expected == PADV_CHECK_OK ? "" : "incident") && find("incident") != NULL && find("incident")->severity == severity;
}

static void
test_incidents(void)
{
	static PadvMetricsServer server;

	for (PadvIncidentKind kind = PADV_INCIDENT_OVERSUBSCRIPTION; kind <= PADV_INCIDENT_LOCK_STORM; kind++)
	{
		const char *name = padv_incident_kind_name(kind);

		set_up();
		suffer(kind, 100.0, 30.0, 1000.0);
		ok(is_incident(PADV_CHECK_WARNING) && strcmp(find("incident")->subject, name) == 0, "%s: work is harmed", name);
		ok(strstr(message(-1, -1), "POOL_ADVISOR WARNING - 5.0 sessions want to work, optimum 8 (within, incident: ") != NULL,
		   "%s", message(-1, -1));
		suffer(kind, 100.0, 30.0, 6000.0);
		ok(is_incident(PADV_CHECK_CRITICAL), "as much as a stall of a minute is critical");
		suffer(kind, 100.0, 51.0, 6000.0);
		ok(is_incident(PADV_CHECK_WARNING), "unless more than half is done");
		suffer(kind, -1.0, -1.0, -1.0);
		ok(is_incident(PADV_CHECK_WARNING), "and where the cost is not known");
	}
	ok(check(1000, 2000) == PADV_CHECK_OK && check(0.1, 2000) == PADV_CHECK_WARNING && check(0.1, 0.2) == PADV_CHECK_CRITICAL &&
	   strstr(message(1000, 2000), ", incident: lock storm) |") != NULL, "thresholds hold, and the message names it");

	set_up();
	suffer(PADV_INCIDENT_LOGIN_STORM, 100.0, 100.0, 0.0);
	ok(is_incident(PADV_CHECK_OK), "logins that take nothing from others wake nobody");
	suffer(PADV_INCIDENT_LOGIN_STORM, 100.0, 60.0, 500.0);
	ok(is_incident(PADV_CHECK_WARNING), "those that do are a warning");
	suffer(PADV_INCIDENT_LOGIN_STORM, 100.0, 20.0, 6000.0);
	ok(is_incident(PADV_CHECK_CRITICAL), "and critical, as any other");
	suffer(PADV_INCIDENT_LOGIN_STORM, 0.0, 0.0, 0.0);
	ok(is_incident(PADV_CHECK_OK), "a server without transactions has nothing to lose");
	suffer(PADV_INCIDENT_LEAK, -1.0, -1.0, -1.0);
	ok(is_incident(PADV_CHECK_WARNING), "a leak will cost something");

	set_up();
	suffer(PADV_INCIDENT_OVERLOAD, 100.0, 103.0, -1.0);
	ok(is_incident(PADV_CHECK_OK), "a batch beside the others wakes nobody");
	want(16.1);
	ok(is(PADV_CHECK_WARNING, "oversubscribed"), "unless more want to work than help");
	set_up();
	suffer(PADV_INCIDENT_OVERLOAD, 100.0, 103.0, -1.0)->culprit = PADV_CULPRIT_NONE;
	ok(is_incident(PADV_CHECK_WARNING), "all take longer, and nobody has come");
	suffer(PADV_INCIDENT_OVERLOAD, 100.0, 80.0, -1.0);
	ok(is_incident(PADV_CHECK_WARNING), "or less is done than before");
	suffer(PADV_INCIDENT_OVERLOAD, 100.0, 180.0, -1.0);
	ok(is_incident(PADV_CHECK_WARNING), "or more is asked for");

	/* of several, the worst; a stall is told by who keeps others waiting */
	set_up();
	suffer(PADV_INCIDENT_LOGIN_STORM, 100.0, 100.0, 0.0);
	local.lasting[1] = local.lasting[0];
	suffer(PADV_INCIDENT_IO_FLOOD, 100.0, 30.0, 6000.0);
	local.lasting[2] = local.lasting[0];
	local.lasting[0] = local.lasting[1];
	local.lasting[0].kind = PADV_INCIDENT_STALLED;
	local.nlasting = 3;
	ok(is_incident(PADV_CHECK_CRITICAL) && strcmp(find("incident")->subject, "I/O flood") == 0 &&
	   strcmp(state_of("verdict"), "within; incident: I/O flood") == 0, "the worst of several is told");
	server.local = local;
	padv_metrics_prepare(&server);
	ok(server.health == 2 && server.incidents_status[PADV_INCIDENT_IO_FLOOD] == 2 && server.incidents_status[PADV_INCIDENT_LOGIN_STORM] == 0 &&
	   server.incidents_status[PADV_INCIDENT_STALLED] == PADV_NOT_KNOWN && server.advice[PADV_CRITICAL] == 1, "and in the metrics");
	local.nlasting = 1;
	ok(is(PADV_CHECK_OK, "") && find("incident") == NULL, "a stall that is over costs nothing more");
	local.nlasting = 0;
	server.local = local;
	padv_metrics_prepare(&server);
	ok(server.health == 0 && server.incidents_status[PADV_INCIDENT_IO_FLOOD] == 0, "what has ended is no state");
}

/* Sentences are told as a whole or not at all. */
static void
test_incident_words(void)
{
	static char long_text[600];

	set_up();
	suffer(PADV_INCIDENT_IO_FLOOD, 100.0, 30.0, 1000.0);
	local.incident_cause = "It was role batch.";
	local.incident_remedy = "Less of it.";
	ok(strcmp(find("incident")->finding, "It was role batch.") == 0 && strncmp(find("incident")->recommendation, "Less of it. Confidence: ", 24) == 0 &&
	   strstr(find("incident")->fix, "pool_advisor.incidents_brief") != NULL, "%s", find("incident")->recommendation);
	memset(long_text, 'x', sizeof(long_text) - 1);
	local.incident_cause = local.incident_remedy = long_text;
	ok(strcmp(find("incident")->finding, "An incident lasts (I/O flood); the view incidents has its cause.") == 0 &&
	   find("incident")->recommendation[599] != '\0', "a cause that is too long is in the view");
}

static void
test_words(void)
{
	const PadvAdvice *advice;
	char		gid[600];

	set_up();
	stall(7);
	advice = find("blocked_by");
	ok(strcmp(advice->subject, "5244") == 0 &&
	   strcmp(advice->fix, "SELECT pg_catalog.pg_terminate_backend(5244);") == 0, "whom, and the line to run");
	ok(strcmp(advice->finding, "12 sessions wait for process 5244 (role batch, database bench, idle in transaction for 67 s, transaction 68 s old), 1 of them directly, and for 65 s at most.") == 0,
	   "%s", advice->finding);
	status->stall.blocked = 15;
	ok(strstr(find("blocked_by")->finding, "Together 15 wait for locks; the view blockers") != NULL, "there are others");

	status->stall.worst.state = PADV_BLOCKER_ACTIVE;
	status->stall.worst.state_seconds = -1;
	ok(strstr(find("blocked_by")->finding, "database bench, active, transaction 68 s old)") != NULL, "one that works");
	status->stall.worst.state = PADV_BLOCKER_QUEUED;
	ok(find("blocked_by")->fix[0] == '\0', "one that is let in is not to be ended");
	status->stall.worst.state = PADV_BLOCKER_SERVER;
	status->stall.worst.auxiliary = true;
	status->stall.worst.xact_seconds = -1;
	local.blocker_role = NULL;
	advice = find("blocked_by");
	ok(advice->fix[0] == '\0' && strstr(advice->finding, "process 5244 (a process of the server), 1 of") != NULL,
	   "nor can the server's own be: %s", advice->finding);

	/* prepared transactions */
	status->stall.worst = (PadvBlocker) {
		.xid = 777, .state = PADV_BLOCKER_PREPARED, .state_seconds = -1, .xact_seconds = -1, .blocked = 1, .blocked_directly = 1};
	status->stall.blocked = 1;
	local.blocker_role = "app";
	local.blocker_gid_quoted = "'it''s lost'";
	advice = find("blocked_by");
	ok(strcmp(advice->fix, "ROLLBACK PREPARED 'it''s lost';") == 0 && strcmp(advice->subject, "'it''s lost'") == 0, "%s", advice->fix);
	ok(strcmp(advice->finding, "1 session waits for prepared transaction 'it''s lost' (role app, database bench), 1 of them directly, and for 0 s at most.") == 0,
	   "%s", advice->finding);
	memset(gid, '\'', sizeof(gid));
	gid[sizeof(gid) - 1] = '\0';
	local.blocker_gid_quoted = gid;
	ok(find("blocked_by")->fix[0] == '\0', "half a name is none");
	local.blocker_gid_quoted = NULL;
	ok(find("blocked_by")->fix[0] == '\0', "nor is one that has ended");

	for (int state = 0; state <= PADV_BLOCKER_UNKNOWN; state++)
	{
		status->stall.worst.state = (PadvBlockerState) state;
		advice = find("blocked_by");
		ok(advice->recommendation[0] != '\0' && strlen(advice->recommendation) < sizeof(advice->recommendation) - 1 &&
		   advice->finding[strlen(advice->finding) - 1] == '.', "%s", padv_blocker_state_name((PadvBlockerState) state));
	}
}

static char written[64 * 1024];

static void
append(void *arg, const char *text)
{
	(void) arg;
	strncat(written, text, sizeof(written) - strlen(written) - 1);
}

/* The rules and the alerts are about the same states, and the metrics that they read are there. */
static void
test_alerts(void)
{
	PadvConfigWriter writer = {.emit = append};
	char		line[200];

	written[0] = '\0';
	padv_write_prometheus_rules(&writer);
	for (const PadvHealthRule *rule = padv_health_rules; rule->code != NULL; rule++)
	{
		snprintf(line, sizeof(line), "  - alert: %s\n", rule->alert);
		ok(strstr(written, line) != NULL, "%s has an alert", rule->code);
	}
}

static void
test_metrics(void)
{
	static PadvMetricsServer server;

	set_up();
	stall(7);
	want(33);
	server.local = local;
	padv_metrics_prepare(&server);
	ok(server.health == 1 && server.oversubscribed == 0 && server.verdict == 5, "metrics of a stall");
	status->stall = (PadvStall) {0};
	server.local = local;
	padv_metrics_prepare(&server);
	ok(server.health == 2 && server.oversubscribed == 1, "and of a load");
}

static bool
fits(void)
{
	PadvSummaryRow rows[PADV_SUMMARY_ROWS];
	bool		result = true;

	padv_summary(&local, rows);
	for (int i = 0; i < PADV_SUMMARY_ROWS; i++)
	{
		result &= strlen(rows[i].item) <= PADV_SUMMARY_ITEM && rows[i].state[0] != '\0';

		/* what fills a row may have been cut */
		result &= strlen(rows[i].state) < PADV_SUMMARY_STATE;
		if (strlen(rows[i].state) >= PADV_SUMMARY_STATE)
			printf("# %s: %s\n", rows[i].item, rows[i].state);
	}
	return result;
}

static void
test_summary(void)
{
	set_up();
	ok(fits() && strcmp(state_of("verdict"), "within") == 0 && strcmp(state_of("blocked by"), "nobody") == 0 &&
	   strcmp(state_of("advice"), "none") == 0 && strcmp(state_of("queue"), "empty") == 0 &&
	   strcmp(state_of("limits"), "enforced; server_max_active off") == 0, "a quiet server");
	stall(7);
	ok(fits() && strcmp(state_of("verdict"), "stalled for 7 s: 12 of 12 wait behind a lock") == 0 &&
	   strcmp(state_of("blocked by"), "pid 5244, idle in transaction, 66 s: 12 wait") == 0 &&
	   strncmp(state_of("advice"), "critical: blocked_by", 20) == 0, "a stalled one");

	/* a setting that disables another one is told as what is in force */
	local.enforcement = PADV_ENFORCEMENT_OFF;
	ok(strcmp(state_of("limits"), "sessions off, transactions off; server_max_active off") == 0, "nothing is enforced");
	local.enforcement = PADV_ENFORCEMENT_OBSERVE;
	ok(strcmp(state_of("limits"), "sessions observe, transactions on; server_max_active off") == 0, "logins are observed");

	/* large figures fit as well */
	status->stall.stalled_seconds = 1e6;
	status->stall.standing = status->last.demand = status->last.sessions = 100000;
	status->stall.worst.pid = 4194304;
	status->stall.worst.state = PADV_BLOCKER_ABORTED;
	status->stall.worst.blocking_seconds = 1e5;
	status->stall.worst.blocked = 9999;
	status->stall.queue_seconds = 1e5;
	status->last.logins_waiting = 10000;
	status->minute.in_class[PADV_WAITING_LOCK] = 10000;
	local.gate.waiting = 10000;
	local.enforcement = PADV_ENFORCEMENT_OBSERVE;
	local.gate_enforcement = PADV_ENFORCEMENT_OBSERVE;
	local.gate.limit = 10000;
	want(10000);
	ok(fits(), "large figures");
	status->stall.worst = (PadvBlocker) {.xid = UINT32_MAX, .blocked = 10000, .blocking_seconds = 1e5, .state = PADV_BLOCKER_PREPARED};
	ok(fits() && strncmp(state_of("blocked by"), "prepared transaction 4294967295", 31) == 0, "a prepared transaction");

	set_up();
	status->taken_at = 0;
	ok(fits() && strcmp(state_of("verdict"), "not known yet") == 0 && strncmp(state_of("data"), "no sample", 9) == 0, "before the first sample");
	set_up();
	local.age_seconds = 1e6;
	ok(fits() && strcmp(state_of("data"), "sampling stopped, the last sample is 1000000 s old") == 0, "after the last");
}

/* What is found of pools is in the check, the metrics and the summary. */
static void
test_found_pools(void)
{
	static PadvMetricsServer server;
	PadvFoundPool pools[3] = {
		{.kind = PADV_POOL_PER_REQUEST, .brief_per_minute = 600.0},
		{.kind = PADV_POOL_LOCKED_UP, .open = 8, .stuck_seconds = 40.0},
		{.kind = PADV_POOL_INTERACTIVE, .open = 1},
	};

	set_up();
	padv_count_found_advice(pools, 3, &status->found);
	ok(padv_health(&local).status == PADV_CHECK_WARNING && strcmp(padv_health(&local).code, "pool_locked_up") == 0, "a lock-up is worth a warning");
	ok(strcmp(state_of("advice"), "warning: pool_per_request, and 1 more") == 0, "%s", state_of("advice"));
	pools[1].stuck_seconds = 400.0;
	padv_count_found_advice(pools, 3, &status->found);
	ok(padv_health(&local).status == PADV_CHECK_CRITICAL, "a long one is critical");
	ok(strcmp(state_of("advice"), "critical: pool_locked_up, and 1 more") == 0, "%s", state_of("advice"));
	server.local = local;
	padv_metrics_prepare(&server);
	ok(server.advice[PADV_CRITICAL] == 1 && server.advice[PADV_WARNING] == 1 && server.health == 2, "and in the metrics");
	pools[1].kind = PADV_POOL_LEAKING;
	padv_count_found_advice(pools, 2, &status->found);
	ok(padv_health(&local).status == PADV_CHECK_WARNING && strcmp(padv_health(&local).code, "pool_leaking") == 0, "a leak, too");
	stall(7);
	ok(strncmp(state_of("advice"), "critical: blocked_by, and ", 26) == 0, "after what is worse");
}

int
main(void)
{
	test_states();
	test_stall();
	test_idle_blocker();
	test_incidents();
	test_incident_words();
	test_words();
	test_alerts();
	test_metrics();
	test_summary();
	test_found_pools();
	return tap_end();
}
