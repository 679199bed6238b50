/*
 * advice.c
 *		The advice rules; each rule is a function.
 *
 * Owns the thresholds and the texts.  A finding states what was measured, so that
 * the DBA can check it.  Pure.  Called by the SQL functions that show advice.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/advice/advice.h"
#include "core/advice/blocked_advice.h"
#include "core/advice/explain.h"
#include "core/advice/queue_advice.h"
#include "core/model/health.h"
#include "core/policy/enforcement.h"
#include "core/text/emit.h"

/* Fewer idle connections are not reported. */
#define MANY_IDLE 100

/* From this number on the fixed cost of each process matters. */
#define MANY_CONNECTED 100

/* A transaction that is idle for longer holds back vacuum noticeably. */
#define IDLE_HOLDER_WARNING_SECONDS 60.0
#define IDLE_HOLDER_CRITICAL_SECONDS 3600.0

/* The shares of active sessions that make a wait class dominant. */
#define BOUND_BY_WAIT 0.5
#define BOUND_BY_LOCKS 0.3

/* Reads at the disks, for each session that waits for I/O, that are hardly any. */
#define FEW_READS 0.1

/* Cores are saturated above this utilization; the run queue matters above this share. */
#define CPU_FULL 0.9
#define RUN_QUEUE_FELT 0.2

/* PostgreSQL's default, which is never reported. */
#define ORDINARY_MAX_CONNECTIONS 100

/* max_connections above this multiple of the pool size is reported. */
#define FAR_ABOVE 10

/*
 * The margin above the maximum of connections in use, and the days until the
 * maximum is known.
 */
#define ROOM_FOR_PEAKS 1.5
#define DAYS_TO_KNOW 7

/* What padv_advice_conclude appends is shorter. */
#define ROOM_TO_CONCLUDE 160

/* The share of memory above which page tables are reported. */
#define PAGE_TABLES_FELT 0.05

typedef struct Findings
{
	const PadvLocalStatus *local;
	PadvAdvice *next;			/* where the current rule writes its advice */
	bool		begun;			/* the rule has written advice */
} Findings;

bool
padv_sampling_stopped(const PadvLocalStatus *local)
{
	double		interval = (double) local->status.model.inputs.sample_interval_ms / 1000.0;

	return !local->worker_running || local->status.taken_at == 0 ||
		local->age_seconds > 10.0 * interval + 5.0;
}

PadvAdvice *
padv_advice_begin(PadvAdvice *advice, PadvSeverity severity, const char *code, const char *subject)
{
	memset(advice, 0, sizeof(*advice));
	advice->severity = severity;
	advice->code = code;
	PADV_WRITE(advice->subject, "%s", subject);
	return advice;
}

const char *
padv_advice_confidence(const PadvModel *model)
{
	PadvConfidence confidence = padv_model_chosen(model)->confidence;

	return confidence == PADV_CONFIDENCE_FORMULA ? padv_confidence_name(PADV_CONFIDENCE_LOW) :
		padv_confidence_name(confidence);
}

void
padv_advice_conclude(PadvAdvice *advice, const PadvModel *model, const char *confidence, PadvGain gain)
{
	double		times,
				low,
				high;

	PADV_APPEND(advice->recommendation, " Confidence: %s. Expected gain", confidence);
	if (gain == PADV_GAIN_NONE)
		PADV_APPEND(advice->recommendation, " in throughput: none.");
	else if (gain == PADV_GAIN_UNKNOWN)
		PADV_APPEND(advice->recommendation, " in throughput: not known.");
	else if (padv_model_gain(model, &times, &low, &high))
		PADV_APPEND(advice->recommendation, ": about %.1f times the throughput, %.1f to %.1f.", times, low, high);
	else if (model->chosen == PADV_METHOD_SCALABILITY)
		PADV_APPEND(advice->recommendation,
					" in throughput: none now, because not more connections are busy than at the peak of the curve.");
	else
		PADV_APPEND(advice->recommendation, " in throughput: not known, because no knee was measured.");
}

/* Begin the advice of the current rule.  A rule gives at most one. */
static PadvAdvice *
begin(Findings *findings, PadvSeverity severity, const char *code,
	  const char *subject)
{
	findings->begun = true;
	return padv_advice_begin(findings->next, severity, code, subject);
}

static int64_t
optimal(const PadvStatus *status)
{
	return padv_model_chosen(&status->model)->connections;
}

static void
advise_sampling_stopped(Findings *findings)
{
	const PadvLocalStatus *local = findings->local;
	PadvAdvice *advice;

	if (!padv_sampling_stopped(local))
		return;
	advice = begin(findings, PADV_CRITICAL, "sampling_stopped", "server");
	if (local->status.taken_at == 0)
		PADV_WRITE(advice->finding, "No sample has been taken since the server started.");
	else
		PADV_WRITE(advice->finding, "The last sample is %.0f s old%s.",
				   local->age_seconds,
				   local->worker_running ? "" : " and the worker is not running");
	PADV_WRITE(advice->recommendation,
			   "All views show the state of that moment. The process \"pool_advisor sampler\" is started again within 5 s when it fails; the server log says why it did. It needs one of max_worker_processes. If the fix finds it, it hangs: pg_terminate_backend() ends it, and another one is started.");
	PADV_WRITE(advice->fix, "SELECT pid, wait_event FROM pg_catalog.pg_stat_activity WHERE backend_type = 'pool_advisor sampler';");
	padv_advice_conclude(advice, &findings->local->status.model, PADV_CERTAIN, PADV_GAIN_NONE);
}

/*
 * Report a setting that is not on.  enforcement = off may be forgotten after an
 * emergency, and observe after a test.
 */
static void
advise_enforcement_of(Findings *findings, PadvEnforcement enforcement, const char *setting,
					  const char *off, const char *observe)
{
	PadvAdvice *advice;

	if (enforcement == PADV_ENFORCEMENT_ON)
		return;
	advice = begin(findings, enforcement == PADV_ENFORCEMENT_OFF ? PADV_WARNING : PADV_INFO,
				   "enforcement_off", setting);
	PADV_WRITE(advice->finding, "%s is %s: %s", setting, padv_enforcement_name(enforcement),
			   enforcement == PADV_ENFORCEMENT_OFF ? off : observe);
	PADV_WRITE(advice->recommendation,
			   "The views show limits nevertheless. Turn it on again after the emergency or the test: from then on what is beyond a limit waits or is refused. If the setting is in postgresql.conf, remove it there.");
	PADV_WRITE(advice->fix, "ALTER SYSTEM RESET %s; SELECT pg_reload_conf();", setting);
	padv_advice_conclude(advice, &findings->local->status.model, PADV_CERTAIN, PADV_GAIN_UNKNOWN);
}

static void
advise_enforcement(Findings *findings)
{
	advise_enforcement_of(findings, findings->local->enforcement, "pool_advisor.enforcement",
						  "no limit is enforced, neither on sessions nor on transactions.",
						  "logins beyond a limit are counted and logged, but accepted.");
}

static void
advise_gate_enforcement(Findings *findings)
{
	advise_enforcement_of(findings, findings->local->gate_enforcement, "pool_advisor.gate_enforcement",
						  "no limit on transactions is enforced.",
						  "transactions beyond a limit are counted, but not queued.");
}

static void
advise_limits_unreadable(Findings *findings)
{
	PadvAdvice *advice;

	if (!findings->local->status.limits_unreadable)
		return;
	advice = begin(findings, PADV_CRITICAL, "limits_unreadable", "server");
	PADV_WRITE(advice->finding,
			   "The limits on sessions could not be read, so all logins are accepted.");
	PADV_WRITE(advice->recommendation,
			   "The server log has the reason. The database in pool_advisor.database must exist, and max_worker_processes must allow one more process for a short time. The limits are read again within a second.");
	PADV_WRITE(advice->fix, "SHOW pool_advisor.database;");
	padv_advice_conclude(advice, &findings->local->status.model, PADV_CERTAIN, PADV_GAIN_UNKNOWN);
}

static void
advise_history_unwritten(Findings *findings)
{
	PadvAdvice *advice;

	if (!findings->local->status.history_unwritten)
		return;
	advice = begin(findings, PADV_WARNING, "history_unwritten", "server");
	PADV_WRITE(advice->finding,
			   "The history, or the incidents, could not be written to disk. What has been measured since then will be lost when the server crashes.");
	PADV_WRITE(advice->recommendation,
			   "The server log has the reason, for example a full disk, or no free slot for a background worker. The worker tries again by itself.");
	padv_advice_conclude(advice, &findings->local->status.model, PADV_CERTAIN, PADV_GAIN_UNKNOWN);
}

static void
advise_logins_refused(Findings *findings)
{
	const PadvLoad *load = &findings->local->status.load;
	bool		queue_used = load->logins_queued >= 1.0 ||
		findings->local->status.last.logins_waiting > 0;
	PadvAdvice *advice;

	if (load->logins_refused < 1.0)
		return;
	advice = begin(findings, PADV_WARNING, "logins_refused", "server");
	PADV_WRITE(advice->finding,
			   "In the last minute %.0f logins were refused because of a limit, and %.0f had to wait in the queue.",
			   load->logins_refused, load->logins_queued < 0.0 ? 0.0 : load->logins_queued);
	PADV_WRITE(advice->recommendation, queue_used ?
			   "The view roles shows the roles. The server log shows the limit, and whether its queue was full, the wait too long, or no connection free for waiting. Make the pools smaller if their sum exceeds the limit, or raise the limit if the server has room (max_sessions)." :
			   "The view roles shows the roles, and the server log the limit. If the application can wait, add a queue to the limit (queue_length). If the sum of its pools exceeds the limit, make them smaller.");
	PADV_WRITE(advice->fix,
			   "SELECT * FROM pool_advisor.roles_brief WHERE refused_total > 0;");
	padv_advice_conclude(advice, &findings->local->status.model, PADV_CERTAIN, PADV_GAIN_UNKNOWN);
}

static void
advise_limits_exceed(Findings *findings)
{
	const PadvStatus *status = &findings->local->status;
	int64_t		usable = status->model.inputs.usable_connections;
	PadvAdvice *advice;

	if (status->limits_committed <= usable)
		return;
	advice = begin(findings, PADV_INFO, "limits_exceed_connections", "server");
	PADV_WRITE(advice->finding,
			   "The limits and connection limits of all roles add up to %lld sessions, but ordinary roles can have %lld connections.",
			   (long long) status->limits_committed, (long long) usable);
	PADV_WRITE(advice->recommendation,
			   "If all roles use their limits, some logins fail because there is no connection left, whatever the role. Lower the limits until they fit; the view budget shows each of them, and the sum.");
	PADV_WRITE(advice->fix, "SELECT * FROM pool_advisor.budget_brief ORDER BY committed DESC LIMIT 10;");
	padv_advice_conclude(advice, &findings->local->status.model, PADV_CERTAIN, PADV_GAIN_NONE);
}

static PadvSeverity
severity_of(PadvCheckStatus status)
{
	if (status == PADV_CHECK_OK)
		return PADV_INFO;
	return status == PADV_CHECK_CRITICAL ? PADV_CRITICAL : PADV_WARNING;
}

/* Append what the curve says about fewer connections. */
static void
append_curve(PadvAdvice *advice, const PadvModel *model)
{
	double		gain,
				low,
				high;

	if (padv_model_gain(model, &gain, &low, &high))
		PADV_APPEND(advice->finding,
					" With %.0f busy connections it does %.0f transactions/s now; with %.0f it did %.0f. Saturated: %s.",
					model->curve.now_busy, model->curve.now_throughput, model->curve.busy.best,
					model->curve.throughput, padv_resource_name(model->curve.saturated));
	else if (padv_model_is_derived(model) && model->curve.best_so_far > 0.0)
		PADV_APPEND(advice->finding,
					" No knee was measured; throughput was highest so far with %.0f busy connections.",
					model->curve.best_so_far);
	else if (model->chosen == PADV_METHOD_TRIAL)
		PADV_APPEND(advice->finding, " In a trial a limit of %d did more than another one; the view trials has the figures.",
					(int) model->trial.limit);
}

/* Whose load it is; only as a whole, because part of a name may not be valid text. */
static void
append_largest(PadvAdvice *advice, const PadvLocalStatus *local)
{
	char		text[sizeof(advice->finding)];

	padv_explain_largest(local, text, sizeof(text));
	if (text[0] != '\0' && strlen(advice->finding) + strlen(text) + sizeof(" It is .") <= sizeof(advice->finding))
		PADV_APPEND(advice->finding, " It is %s.", text);
}

/*
 * What to do about a crowd, with a line that bounds transactions, or tries a bound.  There is
 * none where they are bounded already, or where no bound would be enforced.
 */
static void
write_crowd_remedy(const PadvLocalStatus *local, PadvAdvice *advice)
{
	const PadvModel *model = &local->status.model;
	long long	size = padv_model_pool_or_optimal(model);
	bool		bounded = local->gate.limit >= 0 || local->gate_enforcement != PADV_ENFORCEMENT_ON ||
		local->enforcement == PADV_ENFORCEMENT_OFF;

	if (padv_model_is_derived(model))
	{
		PADV_WRITE(advice->recommendation, "Measure before you act.");
		if (!bounded)
		{
			PADV_APPEND(advice->recommendation,
						" The fix starts a trial: for five minutes it lets %lld transactions run in every second slot of time, compares throughput, and ends at once if that loses.",
						size);
			PADV_WRITE(advice->fix, "SELECT * FROM pool_advisor.trial('5 min', %lld);", size);
		}
		PADV_APPEND(advice->recommendation,
					" If fewer do as much, a transaction pool of about %lld connections in front of the server is enough.",
					size);
		return;
	}
	PADV_WRITE(advice->recommendation,
			   "Put a transaction pool of %lld connections in front of the server, or make the existing pools smaller until that is their sum. The same work finishes sooner if it waits in the queue of the pool instead of in the server.",
			   size);
	if (!bounded)
	{
		PADV_APPEND(advice->recommendation,
					" Until then the fix makes transactions wait in the queue of the server; it takes no restart.");
		PADV_WRITE(advice->fix, "ALTER SYSTEM SET pool_advisor.server_max_active = 'auto'; SELECT pg_reload_conf();");
	}
}

static void
advise_oversubscribed(Findings *findings)
{
	const PadvStatus *status = &findings->local->status;
	const PadvModel *model = &status->model;
	PadvResource used_up;
	PadvAdvice *advice;

	if (!padv_model_oversubscribed(model) || padv_health_stalled_lately(status))
		return;
	advice = begin(findings, severity_of(padv_health_oversubscribed(findings->local)), "oversubscribed", "server");
	PADV_WRITE(advice->finding,
			   "Over the last minute %.1f sessions wanted to work on average; %s %lld (%.1f times the optimum; confidence %s).",
			   model->demand, padv_number_source(model), (long long) optimal(status), model->load_ratio,
			   padv_confidence_name(padv_model_chosen(model)->confidence));
	if (padv_model_is_derived(model) && padv_health_used_up(status, &used_up))
		PADV_APPEND(advice->finding, " Used up: %s.", padv_resource_name(used_up));
	append_curve(advice, model);
	append_largest(advice, findings->local);
	write_crowd_remedy(findings->local, advice);
	padv_advice_conclude(advice, &findings->local->status.model, padv_advice_confidence(model), PADV_GAIN_BY_CURVE);
}

/*
 * Whether fewer sessions are known to do more, or as much: by the curve, or because a lock
 * is saturated and lets only so many through.
 */
static bool
fewer_do_as_much(const PadvModel *model)
{
	double		gain,
				low,
				high;

	return padv_model_gain(model, &gain, &low, &high) ||
		(model->bottleneck == PADV_RESOURCE_LOCKS && model->bottleneck_saturated && model->by_bottleneck > 0.0 &&
		 model->demand > model->by_bottleneck);
}

static void
advise_lock_bound(Findings *findings)
{
	const PadvMinute *minute = &findings->local->status.minute;
	double		blocked = minute->in_class[PADV_WAITING_LOCK] - minute->advisory;
	double		active = minute->active - minute->advisory;
	bool		thrashing = findings->local->status.model.verdict == PADV_VERDICT_CONTENTION;
	bool		fewer = fewer_do_as_much(&findings->local->status.model);
	PadvAdvice *advice;

	/* during a stall, only the blocker matters */
	if (padv_health_stalled_lately(&findings->local->status))
		return;
	if (!thrashing && (blocked < 1.0 || blocked < BOUND_BY_LOCKS * active))
		return;
	advice = begin(findings, PADV_WARNING, "lock_bound", "server");
	PADV_WRITE(advice->finding,
			   "Of %.1f active sessions %.1f waited for a lock that another session held (average of the last minute).",
			   active, blocked);
	if (minute->advisory > 0.0)
		PADV_APPEND(advice->finding, " %.1f more waited for advisory locks, which are not counted here.",
					minute->advisory);
	PADV_WRITE(advice->recommendation, fewer ?
			   "More connections and longer transactions make this worse. The fix shows the sessions that block now. Commit sooner, update contended rows at the end of a transaction, and allow fewer sessions at a time." :
			   "Longer transactions make this worse. The fix shows the sessions that block now. Commit sooner, and update contended rows at the end of a transaction.");
	PADV_WRITE(advice->fix,
			   "SELECT * FROM pool_advisor.blockers_brief;");
	padv_advice_conclude(advice, &findings->local->status.model, PADV_MEASURED, PADV_GAIN_BY_CURVE);
}

/*
 * Waits for a group commit do not count here, because more sessions do not make
 * them longer.
 */
static void
advise_lwlock_bound(Findings *findings)
{
	const PadvMinute *minute = &findings->local->status.minute;
	double		waiting = minute->in_class[PADV_WAITING_LWLOCK] - minute->committing_lwlock;
	PadvAdvice *advice;

	if (waiting < 1.0 || waiting < BOUND_BY_LOCKS * minute->active)
		return;
	advice = begin(findings, PADV_WARNING, "lwlock_bound", "server");
	PADV_WRITE(advice->finding,
			   "Of %.1f active sessions %.1f waited for an internal lock of the server (average of the last minute).",
			   minute->active, waiting);
	if (minute->committing_lwlock > 0.0)
		PADV_APPEND(advice->finding, " %.1f more waited for a group commit, which is not counted here.",
					minute->committing_lwlock);
	PADV_WRITE(advice->recommendation,
			   "Many sessions use the same internal structure at the same time.%s The view waits names the structures.",
			   fewer_do_as_much(&findings->local->status.model) ? " Fewer active sessions shorten these waits." : "");
	PADV_WRITE(advice->fix,
			   "SELECT * FROM pool_advisor.waits WHERE period = '1 min' ORDER BY active_avg DESC LIMIT 10;");
	padv_advice_conclude(advice, &findings->local->status.model, PADV_MEASURED, PADV_GAIN_BY_CURVE);
}

/*
 * Whether a disk keeps sessions waiting.  Reads that the operating system serves from its
 * cache are waits for I/O, too, and while the cores are busy, a disk is not what is missing.
 */
static bool
disks_matter(const PadvLoad *load, double waiting)
{
	return load->cpu_utilization < CPU_FULL &&
		(load->disk_reads < 0.0 || load->disk_reads >= FEW_READS * waiting);
}

static void
advise_io_bound(Findings *findings)
{
	const PadvStatus *status = &findings->local->status;
	double		waiting = status->minute.in_class[PADV_WAITING_IO];
	PadvAdvice *advice;

	if (waiting < 1.0 || status->minute.io_wait_ratio < BOUND_BY_WAIT || !disks_matter(&status->load, waiting))
		return;
	advice = begin(findings, PADV_INFO, "io_bound", "server");
	PADV_WRITE(advice->finding,
			   "Active sessions spent %.0f%% of the last minute waiting for I/O (%.1f sessions on average).",
			   100.0 * status->minute.io_wait_ratio, waiting);
	if (status->model.chosen == PADV_METHOD_SCALABILITY || status->model.chosen == PADV_METHOD_TRIAL)
		PADV_WRITE(advice->recommendation,
				   "The optimum of %lld was measured, so it includes that sessions waiting for a disk use no core. More memory helps, or queries that read less.",
				   (long long) optimal(status));
	else if (status->load.disk_reads >= 0.0)
		PADV_WRITE(advice->recommendation,
				   "%.1f reads were outstanding at the disks on average. A session that waits for a disk uses no core, so somewhat more connections than %lld can help. The curve shows it when more have been busy. More memory helps, or queries that read less.",
				   status->load.disk_reads, (long long) optimal(status));
	else
		PADV_WRITE(advice->recommendation,
				   "The counters of the disks could not be read on this machine. If the reads reach the disks, somewhat more connections than %lld can help. More memory helps, or queries that read less.",
				   (long long) optimal(status));
	PADV_WRITE(advice->fix,
			   "SELECT * FROM pool_advisor.load_brief WHERE period = '1 min' ORDER BY waiting_io DESC LIMIT 10;");
	padv_advice_conclude(advice, &findings->local->status.model, PADV_MEASURED, PADV_GAIN_UNKNOWN);
}

static void
advise_cpu_bound(Findings *findings)
{
	const PadvStatus *status = &findings->local->status;
	const PadvLoad *load = &status->load;
	PadvAdvice *advice;

	if (load->cpu_utilization < CPU_FULL || load->run_queue_ratio < RUN_QUEUE_FELT ||
		status->model.verdict == PADV_VERDICT_IDLE)
		return;
	if (padv_health_others_use_cores(status))
	{
		advice = begin(findings, PADV_INFO, "cpu_taken_by_others", "server");
		PADV_WRITE(advice->finding,
				   "Other programs use the cores. The %.4g cores of the server were %.0f%% busy in the last minute; its own processes used %.1f of them, and spent %.0f%% of their runnable time waiting for a core.",
				   status->model.inputs.detected_cores, 100.0 * load->cpu_utilization,
				   load->server_cores, 100.0 * load->run_queue_ratio);
		PADV_WRITE(advice->recommendation,
				   "Look with top which programs these are, and move them to another machine or limit their CPU time. More connections cannot do more work meanwhile.");
	}
	else
	{
		advice = begin(findings, PADV_INFO, "cpu_bound", "server");
		PADV_WRITE(advice->finding,
				   "The %.4g cores of the server were %.0f%% busy in the last minute, and its processes spent %.0f%% of their runnable time waiting for a core.",
				   status->model.inputs.detected_cores, 100.0 * load->cpu_utilization,
				   100.0 * load->run_queue_ratio);
		PADV_WRITE(advice->recommendation,
				   "More connections cannot do more work, because they share the same cores. Make queries cheaper, or add cores.");
		PADV_WRITE(advice->fix,
				   "SELECT * FROM pool_advisor.load_brief WHERE period = '1 min' ORDER BY on_cpu DESC LIMIT 10;");
	}
	padv_advice_conclude(advice, &findings->local->status.model, PADV_MEASURED, PADV_GAIN_UNKNOWN);
}

/* Say whose number of connections a pool would have, if it was not measured. */
static void
append_source(PadvAdvice *advice, const PadvModel *model)
{
	if (padv_model_is_derived(model))
		PADV_APPEND(advice->recommendation, " The number is that of the method %s, as no %s was measured.",
					padv_method_name(model->chosen), model->pool_size > 0 ? "knee" : "load");
}

static void
advise_idle_connections(Findings *findings)
{
	const PadvStatus *status = &findings->local->status;
	PadvAdvice *advice;

	if (status->minute.idle < MANY_IDLE)
		return;
	advice = begin(findings, PADV_WARNING, "idle_connections", "server");
	PADV_WRITE(advice->finding,
			   "%.0f of %.0f sessions were idle on average over the last minute; now %lld of %lld are.",
			   status->minute.idle, status->minute.sessions,
			   (long long) status->last.idle, (long long) status->last.sessions);
	PADV_WRITE(advice->recommendation,
			   "Each has a process with its caches, and uses a connection. All of them can become active at the same time. A transaction pool of %lld connections in front of the server would serve all. The fix shows whose they are.",
			   (long long) padv_model_pool_or_optimal(&status->model));
	append_source(advice, &status->model);
	PADV_WRITE(advice->fix, "SELECT * FROM pool_advisor.pools_brief ORDER BY open DESC LIMIT 10;");
	padv_advice_conclude(advice, &status->model, padv_advice_confidence(&status->model), PADV_GAIN_BY_CURVE);
}

static void
advise_idle_in_transaction(Findings *findings)
{
	const PadvLocalStatus *local = findings->local;
	const PadvIdleHolder *holder = &local->status.idle_holder;
	PadvAdvice *advice;

	if (holder->holders == 0 || holder->idle_seconds < IDLE_HOLDER_WARNING_SECONDS)
		return;
	advice = begin(findings,
				   holder->idle_seconds < IDLE_HOLDER_CRITICAL_SECONDS ? PADV_WARNING : PADV_CRITICAL,
				   "idle_in_transaction", local->holder_role);
	PADV_WRITE(advice->finding,
			   "Process %d (role %s, database %s) has been idle in a transaction for %.0f s; the transaction, %.0f s old, keeps vacuum from removing any row that died since. Sessions in this state now: %lld.",
			   holder->pid, local->holder_role, local->holder_database,
			   holder->idle_seconds, holder->xact_seconds, (long long) holder->holders);
	PADV_WRITE(advice->recommendation,
			   "pg_terminate_backend(%d) ends this one now, and rolls back what it did. Let the application commit before it waits for anything else. The fix sets a timeout that ends sessions of the role that begin from now on, when they are in this state for a minute.",
			   holder->pid);
	PADV_WRITE(advice->fix, "ALTER ROLE %s SET idle_in_transaction_session_timeout = '1min';",
			   local->holder_role_quoted);

	/* a truncated identifier could name another object */
	if (strlen(advice->fix) + 1 == sizeof(advice->fix))
		advice->fix[0] = '\0';
	padv_advice_conclude(advice, &findings->local->status.model, PADV_CERTAIN, PADV_GAIN_UNKNOWN);
}

static void
advise_nearly_full(Findings *findings)
{
	const PadvStatus *status = &findings->local->status;
	double		usable = (double) status->model.inputs.usable_connections;
	bool		by_logins = !padv_health_nearly_full(status, status->last.sessions);
	PadvAdvice *advice;

	if (!padv_health_nearly_full(status, padv_health_connections_taken(status)))
		return;
	advice = begin(findings, PADV_CRITICAL, "connections_nearly_full", "server");
	PADV_WRITE(advice->finding, "%lld of the %.0f connections for ordinary roles are in use",
			   (long long) padv_health_connections_taken(status), usable);
	if (status->last.logins_waiting > 0)
		PADV_APPEND(advice->finding, ", %lld of them by logins that wait in a queue",
					(long long) status->last.logins_waiting);
	PADV_APPEND(advice->finding, ".");
	if (by_logins)
		PADV_WRITE(advice->recommendation,
				   "The next ones will be refused, although there would be room without the logins that wait. Lower queue_length where logins wait (the view roles, queued), or pool_advisor.queue_share, so that one queue cannot take the connections of others.");
	else
	{
		PADV_WRITE(advice->recommendation,
				   "The next ones will be refused. A higher max_connections only moves the limit, and slows down all sessions. A pool of %lld connections with a queue in front of it removes the limit for clients.",
				   (long long) padv_model_pool_or_optimal(&status->model));
		append_source(advice, &status->model);
	}
	PADV_WRITE(advice->fix, "SELECT * FROM pool_advisor.roles_brief ORDER BY sessions DESC LIMIT 10;");
	padv_advice_conclude(advice, &status->model, by_logins ? PADV_CERTAIN : padv_advice_confidence(&status->model),
						 PADV_GAIN_BY_CURVE);
}

/*
 * The advised number leaves room for the maximum in use of the last two weeks.
 * Nothing is reported before a week is known, because a higher maximum may come.
 */
static void
advise_max_connections(Findings *findings)
{
	const PadvStatus *status = &findings->local->status;
	const PadvInputs *inputs = &status->model.inputs;
	int64_t		reserved = inputs->max_connections - inputs->usable_connections;
	int64_t		helps = padv_model_pool_or_optimal(&status->model);
	double		enough = fmax(FAR_ABOVE * (double) helps,
							  ROOM_FOR_PEAKS * (double) status->connections_most) + (double) reserved;
	bool		derived = padv_model_is_derived(&status->model);
	PadvAdvice *advice;

	enough = ceil(fmax(enough, ORDINARY_MAX_CONNECTIONS) / 10.0) * 10.0;
	if (status->connections_days < DAYS_TO_KNOW || (double) inputs->max_connections < 2.0 * enough)
		return;
	advice = begin(findings, PADV_INFO, "max_connections_high", "max_connections");
	PADV_WRITE(advice->finding,
			   "max_connections is %lld; at most %lld connections were in use at the same time in the last %lld days, and %s %lld%s.",
			   (long long) inputs->max_connections, (long long) status->connections_most,
			   (long long) status->connections_days,
			   derived ? "a pool would probably need about" : "about", (long long) helps,
			   derived ? "; no knee was measured" : " are all that a pool can use");
	PADV_WRITE(advice->recommendation,
			   "The setting costs shared memory and time for snapshots, and allows a faulty application to overload the server. %.0f leaves room. It takes a restart, and a standby needs at least the value of its primary.",
			   enough);
	PADV_WRITE(advice->fix, "ALTER SYSTEM SET max_connections = %.0f;", enough);
	padv_advice_conclude(advice, &findings->local->status.model, padv_advice_confidence(&status->model), PADV_GAIN_NONE);
}

/* Each process has its own page tables for shared buffers: 2 MB per GB. */
static void
advise_page_tables(Findings *findings)
{
	const PadvStatus *status = &findings->local->status;
	const PadvInputs *inputs = &status->model.inputs;
	PadvAdvice *advice;

	if (inputs->memory <= 0.0 || inputs->page_tables < PAGE_TABLES_FELT * inputs->memory ||
		status->minute.sessions < MANY_CONNECTED)
		return;
	advice = begin(findings, PADV_WARNING, "page_tables", "huge_pages");
	PADV_WRITE(advice->finding,
			   "Page tables use %.0f MB, %.0f%% of the memory that the server may use, with %.0f sessions: each process has its own page tables for shared memory.",
			   inputs->page_tables / 1048576.0, 100.0 * inputs->page_tables / inputs->memory,
			   status->minute.sessions);
	PADV_WRITE(advice->recommendation,
			   "Huge pages make them hundreds of times smaller, and make switches between processes faster. Set vm.nr_hugepages to the value of shared_memory_size_in_huge_pages, set huge_pages = on, and restart the server.");
	PADV_WRITE(advice->fix, "SHOW shared_memory_size_in_huge_pages;");
	padv_advice_conclude(advice, &findings->local->status.model, PADV_CERTAIN, PADV_GAIN_UNKNOWN);
}

/*
 * What goes on, in the words of the view incidents.  A sentence is taken only as a whole,
 * because part of a name may not be valid text.  Advice on blockers is about a stall.
 */
static void
advise_incident(Findings *findings)
{
	const PadvLocalStatus *local = findings->local;
	const PadvIncident *incident = padv_health_incident(local);
	PadvAdvice *advice;

	if (incident == NULL || incident->kind == PADV_INCIDENT_STALLED)
		return;
	advice = begin(findings, severity_of(padv_health_of_incident(incident)), "incident",
				   padv_incident_kind_name((PadvIncidentKind) incident->kind));
	if (local->incident_cause != NULL && strlen(local->incident_cause) < sizeof(advice->finding))
		PADV_WRITE(advice->finding, "%s", local->incident_cause);
	else
		PADV_WRITE(advice->finding, "An incident lasts (%s); the view incidents has its cause.",
				   padv_incident_kind_name((PadvIncidentKind) incident->kind));
	if (local->incident_remedy != NULL && strlen(local->incident_remedy) < sizeof(advice->recommendation) - ROOM_TO_CONCLUDE)
		PADV_WRITE(advice->recommendation, "%s", local->incident_remedy);
	else
		PADV_WRITE(advice->recommendation, "The view incidents has what helps.");
	PADV_WRITE(advice->fix, "SELECT * FROM pool_advisor.incidents_brief LIMIT 1;");
	padv_advice_conclude(advice, &local->status.model, PADV_MEASURED, PADV_GAIN_UNKNOWN);
}

static void
advise_hyper_threads(Findings *findings)
{
	const PadvModel *model = &findings->local->status.model;
	const PadvInputs *inputs = &model->inputs;
	PadvAdvice *advice;

	if (inputs->cores_setting <= (double) inputs->physical_cores ||
		inputs->logical_cpus <= inputs->physical_cores)
		return;
	advice = begin(findings, PADV_WARNING, "hyper_threads_counted", "pool_advisor.cores");
	PADV_WRITE(advice->finding,
			   "pool_advisor.cores is %.4g, but the server can use %lld physical cores; %lld is the number of their hyper-threads.",
			   inputs->cores_setting, (long long) inputs->physical_cores,
			   (long long) inputs->logical_cpus);
	PADV_WRITE(advice->recommendation,
			   "A second hyper-thread adds little to the throughput of a core, and the formula counts cores. Reset the setting to the detected value (%.4g).",
			   inputs->detected_cores);
	PADV_WRITE(advice->fix, "ALTER SYSTEM RESET pool_advisor.cores; SELECT pg_reload_conf();");
	padv_advice_conclude(advice, &findings->local->status.model, PADV_CERTAIN, PADV_GAIN_UNKNOWN);
}

static void
advise_blocked_by(Findings *findings)
{
	findings->begun = padv_advise_blocked_by(findings->local, findings->next);
}

static void
advise_idle_blocker(Findings *findings)
{
	findings->begun = padv_advise_idle_blocker(findings->local, findings->next);
}

static void
advise_queue_old(Findings *findings)
{
	findings->begun = padv_advise_queue_old(findings->local, findings->next);
}

static void
advise_queue_cores_idle(Findings *findings)
{
	findings->begun = padv_advise_queue_cores_idle(findings->local, findings->next);
}

/*
 * All rules, in the order of advice of the same severity.  Each rule gives at most
 * one advice, and the table is as long as the array of advice.  The compiler warns
 * about excess rules.
 */
static const struct Rule
{
	void		(*advise) (Findings *findings);
	bool		without_sample; /* also applies before the first sample */
}			rules[PADV_MAX_ADVICE] = {

	{.advise = advise_sampling_stopped, .without_sample = true},
	{.advise = advise_enforcement, .without_sample = true},
	{.advise = advise_gate_enforcement, .without_sample = true},
	{.advise = advise_idle_blocker},
	{.advise = advise_blocked_by},
	{.advise = advise_queue_old},
	{.advise = advise_limits_unreadable},
	{.advise = advise_nearly_full},
	{.advise = advise_incident},
	{.advise = advise_lock_bound},
	{.advise = advise_oversubscribed},
	{.advise = advise_logins_refused},
	{.advise = advise_lwlock_bound},
	{.advise = advise_history_unwritten},
	{.advise = advise_idle_in_transaction},
	{.advise = advise_idle_connections},
	{.advise = advise_page_tables},
	{.advise = advise_hyper_threads},
	{.advise = advise_queue_cores_idle},
	{.advise = advise_io_bound},
	{.advise = advise_cpu_bound},
	{.advise = advise_max_connections},
	{.advise = advise_limits_exceed},
};

/* Sort by severity.  An insertion sort keeps the order of rules. */
void
padv_advice_sort(PadvAdvice *advice, int count)
{
	for (int i = 1; i < count; i++)
	{
		PadvAdvice	moving = advice[i];
		int			j = i;

		while (j > 0 && advice[j - 1].severity > moving.severity)
		{
			advice[j] = advice[j - 1];
			j--;
		}
		advice[j] = moving;
	}
}

int
padv_advise(const PadvLocalStatus *local, PadvAdvice advice[PADV_MAX_ADVICE])
{
	int			count = 0;

	for (int i = 0; i < PADV_MAX_ADVICE && rules[i].advise != NULL; i++)
	{
		Findings	findings = {.local = local, .next = &advice[count]};

		if (local->status.taken_at == 0 && !rules[i].without_sample)
			continue;
		rules[i].advise(&findings);
		count += findings.begun;
	}
	padv_advice_sort(advice, count);
	return count;
}

const char *
padv_severity_name(PadvSeverity severity)
{
	static const char *const names[] = {"critical", "warning", "info"};

	return names[severity];
}
