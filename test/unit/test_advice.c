/*
 * test_advice.c
 *		Which status calls for which advice, and the sentences of explain.
 */
#include <stdlib.h>
#include <string.h>

#include "core/advice/advice.h"
#include "core/advice/explain.h"
#include "core/text/utf8.h"
#include "tap.h"

static const PadvCurve no_curve;

/* A well-behaved server: 4 cores, optimum 8, 5 active of 40 sessions. */
static PadvLocalStatus
quiet(void)
{
	PadvLocalStatus local;
	PadvStatus *status = &local.status;

	memset(&local, 0, sizeof(local));
	local.worker_running = true;
	local.enforcement = local.gate_enforcement = PADV_ENFORCEMENT_ON;
	local.age_seconds = 0.05;
	status->taken_at = 1;
	status->last.sessions = 40;
	status->minute.samples = 600;
	status->minute.sessions = 40;
	status->minute.idle = 35;
	status->minute.active = status->minute.demand = 5;
	status->minute.in_class[PADV_ON_CPU] = 5;
	status->load.cpu_utilization = 0.5;
	status->load.run_queue_ratio = 0.05;
	padv_model_init(&status->model);
	status->model.inputs = (PadvInputs)
	{
		.logical_cpus = 8, .physical_cores = 4, .quota = -1, .detected_cores = 4,
		.cores_setting = -1, .disks_known = true, .spindles_setting = -1,
		.connections_per_core = 2, .max_connections = 100,
		.usable_connections = 97, .sample_interval_ms = 100,
	};
	return local;
}

static const PadvAdvice *
find(PadvLocalStatus *local, const char *code)
{
	static PadvAdvice advice[PADV_MAX_ADVICE];
	PadvInputs	inputs = local->status.model.inputs;
	PadvWaits	waits = local->status.model.waits;
	int			count;

	padv_model_update(&local->status.model, &inputs, &local->status.minute,
					  &local->status.load, &waits, &no_curve);
	count = padv_advise(local, advice);
	for (int i = 0; i < count; i++)
	{
		if (strcmp(advice[i].code, code) == 0)
			return &advice[i];
	}
	return NULL;
}

static int
count_advice(PadvLocalStatus *local)
{
	PadvAdvice	advice[PADV_MAX_ADVICE];

	(void) find(local, "");
	return padv_advise(local, advice);
}

static void
test_sampling(void)
{
	PadvLocalStatus local = quiet();

	ok(count_advice(&local) == 0, "nothing to say when all is well");

	local.worker_running = false;
	ok(find(&local, "sampling_stopped") != NULL, "no worker");
	local.worker_running = true;
	local.age_seconds = 5.9;
	ok(find(&local, "sampling_stopped") == NULL, "a late sample is no matter");
	local.age_seconds = 6.1;
	ok(find(&local, "sampling_stopped") != NULL, "a worker that does not sample");
	local.status.model.inputs.sample_interval_ms = 10000;
	ok(find(&local, "sampling_stopped") == NULL, "unless the interval is long");

	memset(&local.status, 0, sizeof(local.status));
	ok(find(&local, "sampling_stopped") != NULL && count_advice(&local) == 1,
	   "before the first sample only that");
}

static void
test_enforcement(void)
{
	PadvLocalStatus local = quiet();
	const PadvAdvice *advice;

	local.enforcement = PADV_ENFORCEMENT_OFF;
	advice = find(&local, "enforcement_off");
	ok(advice != NULL && advice->severity == PADV_WARNING &&
	   strcmp(advice->subject, "pool_advisor.enforcement") == 0 &&
	   strcmp(advice->fix, "ALTER SYSTEM RESET pool_advisor.enforcement; SELECT pg_reload_conf();") == 0 &&
	   count_advice(&local) == 1, "limits that are not enforced");
	local.enforcement = PADV_ENFORCEMENT_OBSERVE;
	advice = find(&local, "enforcement_off");
	ok(advice != NULL && advice->severity == PADV_INFO && strstr(advice->finding, "is observe") != NULL,
	   "a trial is told, too");
	local.enforcement = PADV_ENFORCEMENT_ON;
	local.gate_enforcement = PADV_ENFORCEMENT_OFF;
	advice = find(&local, "enforcement_off");
	ok(advice != NULL && advice->severity == PADV_WARNING &&
	   strcmp(advice->fix, "ALTER SYSTEM RESET pool_advisor.gate_enforcement; SELECT pg_reload_conf();") == 0,
	   "those on transactions alone");
	local.enforcement = PADV_ENFORCEMENT_OFF;
	ok(count_advice(&local) == 2, "each setting that is not on has its line to run");
	memset(&local.status, 0, sizeof(local.status));
	ok(find(&local, "enforcement_off") != NULL, "before the first sample, too");
}

static void
test_load(void)
{
	PadvLocalStatus local = quiet();
	PadvMinute *minute = &local.status.minute;
	const PadvAdvice *advice;

	minute->active = minute->demand = minute->in_class[PADV_ON_CPU] = 17;
	advice = find(&local, "oversubscribed");
	ok(advice && advice->severity == PADV_INFO, "oversubscribed, by a derived number");
	ok(advice && strstr(advice->finding, "17.0") && strstr(advice->finding, "the formula's number is 8"),
	   "with the figures in the finding");
	minute->demand = 33;
	advice = find(&local, "oversubscribed");
	ok(advice && advice->severity == PADV_INFO && strstr(advice->recommendation, "Put a transaction pool") == NULL,
	   "by far, and still a guess");
	local.status.model.inputs.optimal_setting = 8;
	advice = find(&local, "oversubscribed");
	ok(advice && advice->severity == PADV_CRITICAL && strstr(advice->finding, "pool_advisor.optimal is 8"),
	   "by the DBA's word it is not");
	local.status.model.inputs.optimal_setting = 0;
	ok(advice && strstr(advice->finding, "It is") == NULL, "whose load it is is said when it is known");
	local.largest[PADV_DIMENSION_ROLE] = (PadvLargestKey) {"app", 0.714};
	local.largest[PADV_DIMENSION_CLIENT] = (PadvLargestKey) {"10.0.0.1", 0.09};
	local.largest[PADV_DIMENSION_QUERY] = (PadvLargestKey) {"-17", 0.25};
	advice = find(&local, "oversubscribed");
	ok(advice && strstr(advice->finding, " It is 71% role app and 25% query -17.") != NULL, "largest part first, and nothing small: %s",
	   advice ? advice->finding : "");

	minute->in_class[PADV_WAITING_LOCK] = 30;
	ok(find(&local, "oversubscribed") != NULL && find(&local, "lock_bound") != NULL,
	   "both when they wait for locks");

	local = quiet();
	minute->in_class[PADV_WAITING_LOCK] = 1.6;
	ok(find(&local, "lock_bound") != NULL, "lock-bound");
	minute->in_class[PADV_WAITING_LOCK] = 1.4;
	ok(find(&local, "lock_bound") == NULL, "a few blocked are no matter");
	minute->in_class[PADV_WAITING_LOCK] = minute->advisory = 9;
	minute->active += 9;
	ok(find(&local, "lock_bound") == NULL, "nor are any that wait for advisory locks");
	minute->in_class[PADV_WAITING_LOCK] += 1.6;
	advice = find(&local, "lock_bound");
	ok(advice && strstr(advice->finding, "1.6 waited for a lock") && strstr(advice->finding, "9.0 more waited for advisory locks"),
	   "which do not hide the others: %s", advice ? advice->finding : "");

	local = quiet();
	minute->in_class[PADV_WAITING_LWLOCK] = 1.6;
	ok(find(&local, "lwlock_bound") != NULL, "bound by internal locks");
	minute->committing = minute->committing_lwlock = 1.0;
	ok(find(&local, "lwlock_bound") == NULL, "a group commit is none of them");

	local = quiet();
	minute->in_class[PADV_WAITING_IO] = 3;
	minute->io_wait_ratio = 0.6;
	local.status.load.disk_reads = 2.5;
	advice = find(&local, "io_bound");
	ok(advice && strstr(advice->recommendation, "2.5 reads"), "I/O-bound");
	local.status.load.disk_reads = -1;
	advice = find(&local, "io_bound");
	ok(advice && strstr(advice->recommendation, "could not be read"), "I/O-bound, disks unknown");

	local.status.load.disk_reads = 0.0;
	ok(find(&local, "io_bound") == NULL, "not I/O-bound by reads that reach no disk");
	local.status.load.disk_reads = 2.5;
	local.status.load.cpu_utilization = 0.99;
	ok(find(&local, "io_bound") == NULL, "nor while the cores are busy");

	local = quiet();
	local.status.load.cpu_utilization = 0.95;
	ok(find(&local, "cpu_bound") == NULL, "full cores without a queue are well used");
	local.status.load.run_queue_ratio = 0.4;
	local.status.load.server_cores = -1.0;
	ok(find(&local, "cpu_bound") != NULL, "CPU-bound");
	local.status.load.server_cores = 0.3 * 0.95 * local.status.model.inputs.detected_cores;
	advice = find(&local, "cpu_taken_by_others");
	ok(advice && advice->severity == PADV_INFO && find(&local, "cpu_bound") == NULL,
	   "others have the cores: %s", advice ? advice->finding : "");
	minute->demand = 0;
	ok(find(&local, "cpu_taken_by_others") == NULL, "an idle server does not need them");
	minute->demand = 5;
	local.status.load.server_cores *= 2;
	ok(find(&local, "cpu_bound") != NULL && find(&local, "cpu_taken_by_others") == NULL, "the server has most of them");
}

/* A fix is named where there is one, with numbers that are derived, and that the DBA has set. */
static void
test_crowd_remedy(void)
{
	PadvLocalStatus local = quiet();
	const PadvAdvice *advice;

	local.status.minute.active = local.status.minute.demand = local.status.minute.in_class[PADV_ON_CPU] = 33;
	for (int setting = 0; setting <= 8; setting += 8)
	{
		local.status.model.inputs.optimal_setting = setting;
		local.gate.limit = -1;
		advice = find(&local, "oversubscribed");
		ok(advice && advice->fix[0] != '\0' && strstr(advice->recommendation, "he fix") != NULL,
		   "a line that bounds transactions: %s", advice ? advice->fix : "");
		local.gate.limit = 12;
		advice = find(&local, "oversubscribed");
		ok(advice && advice->fix[0] == '\0' && strstr(advice->recommendation, "he fix") == NULL, "bounded already");
		local.gate.limit = -1;
		local.enforcement = PADV_ENFORCEMENT_OFF;
		advice = find(&local, "oversubscribed");
		ok(advice && advice->fix[0] == '\0' && strstr(advice->recommendation, "he fix") == NULL, "nothing would be enforced");
		local.enforcement = PADV_ENFORCEMENT_ON;
	}
}

/* Three wait for each of eight slots, and half of the cores is idle. */
static PadvLocalStatus
full_queue(void)
{
	PadvLocalStatus local = quiet();

	local.gate.setting = local.gate.limit = local.gate.in_force = 8;
	local.gate.waiting = 20;
	local.status.minute.queued = 24.0;
	return local;
}

static void
test_queue(void)
{
	PadvLocalStatus local = full_queue();
	const PadvAdvice *advice = find(&local, "queue_cores_idle");

	ok(advice != NULL && advice->severity == PADV_INFO && strstr(advice->finding, "24.0 transactions") != NULL &&
	   strcmp(advice->fix, "SELECT * FROM pool_advisor.trial('5 min', 16);") == 0,
	   "a queue while cores are idle is worth a trial of more slots");
	local.status.load.cpu_utilization = 0.95;
	ok(find(&local, "queue_cores_idle") == NULL, "not when the cores have enough to do");
	local.status.load.cpu_utilization = -1.0;
	ok(find(&local, "queue_cores_idle") == NULL, "nor when nobody knows");
	local = full_queue();
	local.status.minute.in_class[PADV_WAITING_LOCK] = 3;
	ok(find(&local, "queue_cores_idle") == NULL, "nor when slots are lost to locks");
	local = full_queue();
	local.status.minute.queued = 2.0;
	ok(find(&local, "queue_cores_idle") == NULL, "a short queue is no matter");
	local = full_queue();
	local.gate.setting = PADV_SERVER_MAX_ACTIVE_AUTO;
	ok(find(&local, "queue_cores_idle") == NULL, "auto searches itself");
	local = full_queue();
	local.gate_enforcement = PADV_ENFORCEMENT_OBSERVE;
	ok(find(&local, "queue_cores_idle") == NULL, "a limit that is only observed keeps nobody waiting");
}

/* What is said of fewer sessions, and how sure, goes by what was measured. */
static void
test_measured(void)
{
	PadvLocalStatus local = quiet();
	PadvModel  *model = &local.status.model;
	const PadvAdvice *advice;

	local.status.minute.in_class[PADV_WAITING_LOCK] = 2;
	advice = find(&local, "lock_bound");
	ok(advice && !strstr(advice->recommendation, "fewer sessions") && !strstr(advice->recommendation, "More connections"),
	   "nobody knows whether fewer sessions do as much");
	local.status.minute.in_class[PADV_WAITING_LWLOCK] = 2;
	advice = find(&local, "lwlock_bound");
	ok(advice && !strstr(advice->recommendation, "Fewer active"), "nor with internal locks");
	model->waits = (PadvWaits) {.run = 10,.locks = {.share = 0.9,.saturated = {.users = 1,.through = 2}}};
	advice = find(&local, "lock_bound");
	ok(advice && strstr(advice->recommendation, "fewer sessions"), "a saturated lock tells that they do");

	local = quiet();
	local.status.minute.idle = 150;
	advice = find(&local, "idle_connections");
	ok(advice && strstr(advice->recommendation, "that of the method formula, as no load was measured.") &&
	   strstr(advice->recommendation, "Confidence: low."), "a number of the formula is said to be one");
	local.status.last.sessions = 88;
	advice = find(&local, "connections_nearly_full");
	ok(advice && strstr(advice->recommendation, "method formula") && !strstr(advice->recommendation, "certain"),
	   "also where connections run out");
}

static void
test_connections(void)
{
	PadvLocalStatus local = quiet();
	PadvInputs  *inputs = &local.status.model.inputs;
	const PadvAdvice *advice;

	local.status.minute.idle = 99.9;
	ok(find(&local, "idle_connections") == NULL, "99 idle are no matter");
	local.status.minute.idle = 100;
	ok(find(&local, "idle_connections") != NULL, "idle connections by the hundred");

	local.status.last.sessions = 88;
	advice = find(&local, "connections_nearly_full");
	ok(advice && advice->severity == PADV_CRITICAL, "nearly full");
	ok(advice && strcmp(advice->finding, "88 of the 97 connections for ordinary roles are in use.") == 0,
	   "by sessions");

	local = quiet();
	local.status.last.queued = 87;
	ok(find(&local, "connections_nearly_full") == NULL, "transactions in the queue take no connections more");
	local.status.last.logins_waiting = 47;
	ok(find(&local, "connections_nearly_full") == NULL, "87 of 97 are not nearly all");
	local.status.last.logins_waiting = 48;
	advice = find(&local, "connections_nearly_full");
	ok(advice && strcmp(advice->finding,
						"88 of the 97 connections for ordinary roles are in use, 48 of them by logins that wait in a queue.") == 0,
	   "logins in the queue take connections");
	ok(advice && strstr(advice->recommendation, "queue_length") && !strstr(advice->recommendation, "max_connections"),
	   "and are the cause, so a shorter queue is what helps");
	local.status.last.sessions = 88;
	advice = find(&local, "connections_nearly_full");
	ok(advice && !strstr(advice->recommendation, "queue_length") && strstr(advice->recommendation, "max_connections"),
	   "where sessions alone take nearly all, a shorter queue is no help");

	local = quiet();
	local.status.load.logins_refused = 3;
	local.status.load.logins_queued = 0;
	advice = find(&local, "logins_refused");
	ok(advice && strstr(advice->recommendation, "add a queue to the limit"), "logins are refused, none waits: a queue may help");
	local.status.load.logins_queued = 2;
	advice = find(&local, "logins_refused");
	ok(advice && !strstr(advice->recommendation, "add a queue to the limit"), "nobody is told to add a queue that is there");
	local.status.load.logins_queued = -1;
	local.status.last.logins_waiting = 5;
	advice = find(&local, "logins_refused");
	ok(advice && !strstr(advice->recommendation, "add a queue to the limit"), "nor while somebody waits in it");

	local = quiet();
	inputs->max_connections = 199;
	inputs->usable_connections = 196;
	ok(find(&local, "max_connections_high") == NULL, "199 connections are no matter");
	inputs->max_connections = 500;
	inputs->usable_connections = 497;
	local.status.connections_most = 40;
	local.status.connections_days = 6;
	ok(find(&local, "max_connections_high") == NULL, "nothing is said before a week is known");
	local.status.connections_days = 7;
	advice = find(&local, "max_connections_high");
	ok(advice && strcmp(advice->fix, "ALTER SYSTEM SET max_connections = 100;") == 0,
	   "500 are far above what helps");
	local.status.connections_most = 300;
	ok(find(&local, "max_connections_high") == NULL, "but not when they were in use, however long ago");
	local.status.connections_most = 160;
	advice = find(&local, "max_connections_high");
	ok(advice && strcmp(advice->fix, "ALTER SYSTEM SET max_connections = 250;") == 0 &&
	   strstr(advice->finding, "at most 160 connections were in use at the same time in the last 7 days") != NULL,
	   "half as many again as were in use at the same time");

	local = quiet();
	inputs->memory = 24e9;
	inputs->page_tables = 1.1e9;
	local.status.minute.sessions = 900;
	ok(find(&local, "page_tables") == NULL, "page tables under a twentieth of memory are no matter");
	inputs->page_tables = 1.3e9;
	advice = find(&local, "page_tables");
	ok(advice && strstr(advice->finding, "use 1240 MB, 5% of") != NULL, "above that they are");
	local.status.minute.sessions = 99;
	ok(find(&local, "page_tables") == NULL, "but not ours with few sessions");
	inputs->memory = inputs->page_tables = -1;
	local.status.minute.sessions = 900;
	ok(find(&local, "page_tables") == NULL, "nor where nothing is known");

	local = quiet();
	inputs->cores_setting = 8;
	ok(find(&local, "hyper_threads_counted") != NULL, "hyper-threads counted");
	inputs->cores_setting = 4;
	ok(find(&local, "hyper_threads_counted") == NULL, "physical cores are right");
	inputs->cores_setting = 8;
	inputs->physical_cores = 8;
	ok(find(&local, "hyper_threads_counted") == NULL, "without hyper-threads too");
}

static void
test_idle_in_transaction(void)
{
	PadvLocalStatus local = quiet();
	PadvIdleHolder *holder = &local.status.idle_holder;
	const PadvAdvice *advice;
	char		long_name[300];

	local.holder_role = "Odd \"role\"";
	local.holder_role_quoted = "\"Odd \"\"role\"\"\"";
	local.holder_database = "crm";
	*holder = (PadvIdleHolder) {.holders = 2, .pid = 4711, .xact_seconds = 70, .idle_seconds = 59};
	ok(find(&local, "idle_in_transaction") == NULL, "a minute is given");
	holder->idle_seconds = 61;
	advice = find(&local, "idle_in_transaction");
	ok(advice && advice->severity == PADV_WARNING && strstr(advice->finding, "4711") &&
	   strcmp(advice->subject, local.holder_role) == 0, "then it is said who");
	ok(advice && strcmp(advice->fix,
						"ALTER ROLE \"Odd \"\"role\"\"\" SET idle_in_transaction_session_timeout = '1min';") == 0,
	   "with the identifier quoted");
	holder->idle_seconds = 3601;
	advice = find(&local, "idle_in_transaction");
	ok(advice && advice->severity == PADV_CRITICAL, "an hour is critical");

	memset(long_name, '"', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	local.holder_role_quoted = long_name;
	advice = find(&local, "idle_in_transaction");
	ok(advice && advice->fix[0] == '\0', "no half line to run");
}

static void
test_order(void)
{
	PadvLocalStatus local = quiet();
	PadvAdvice	advice[PADV_MAX_ADVICE];
	bool		sorted = true;
	int			count;

	local.worker_running = false;
	local.status.minute.idle = 200;
	local.status.last.sessions = 97;
	local.status.load.cpu_utilization = 1;
	local.status.load.run_queue_ratio = 1;
	(void) find(&local, "");
	count = padv_advise(&local, advice);
	for (int i = 1; i < count; i++)
	{
		if (advice[i].severity < advice[i - 1].severity)
			sorted = false;
	}
	ok(count == 4 && sorted, "worst first");
	ok(strcmp(advice[0].code, "sampling_stopped") == 0, "stopped sampling before all");
}

static char explained[20000];

static void
collect(void *arg, const char *sentence)
{
	(*(int *) arg)++;
	strncat(explained, sentence, sizeof(explained) - strlen(explained) - 1);
	strncat(explained, "\n", sizeof(explained) - strlen(explained) - 1);
}

static int
explain(PadvLocalStatus *local)
{
	int			sentences = 0;

	explained[0] = '\0';
	(void) find(local, "");
	padv_explain(local, collect, &sentences);
	return sentences;
}

/* Names that do not fit are left out, because a part of one may be no text. */
static void
test_largest(void)
{
	static const char *const long_name = "012345678901234567890123456789012345678901234567890123456789012";
	PadvLocalStatus local = quiet();
	char		text[200];
	bool		whole = true;

	padv_explain_largest(&local, text, sizeof(text));
	ok(text[0] == '\0', "nobody");
	for (int i = 0; i < PADV_DIMENSIONS; i++)
		local.largest[i] = (PadvLargestKey) {i == 1 ? "db" : "x", 1.0};
	padv_explain_largest(&local, text, sizeof(text));
	ok(strcmp(text, "100% role x, 100% database db, 100% application x, 100% client x and 100% query x") == 0, "all of them");
	for (int i = 0; i < PADV_DIMENSIONS; i++)
		local.largest[i].name = long_name;
	for (size_t size = 1; size <= sizeof(text); size++)
	{
		padv_explain_largest(&local, text, size);
		whole &= text[0] == '\0';
	}
	ok(whole, "all or nothing");
}

static void
test_explain(void)
{
	PadvLocalStatus local = quiet();
	char		text[PADV_SENTENCE];

	ok(explain(&local) > 8, "a sentence for each step");
	ok(strstr(explained, "4 cores * 2 connections per core + 0.00 effective spindles = 8.00, rounded 8") != NULL,
	   "the formula with its numbers");
	ok(strstr(explained, "Verdict: at the optimum") != NULL, "the verdict");
	ok(strstr(explained, "Method scalability: not available") != NULL, "what is not there says why");

	local.status.model.inputs.quota = 1.5;
	local.status.model.inputs.optimal_setting = 7;
	local.status.model.inputs.cores_setting = 3;
	local.status.model.inputs.spindles_setting = 2;
	explain(&local);
	ok(strstr(explained, "1.5 CPUs' worth") && strstr(explained, "pool_advisor.optimal = 7") &&
	   strstr(explained, "overrides that with 3") && strstr(explained, "pool_advisor.spindles says 2"),
	   "quota and overrides are named");

	for (PadvMethod method = 0; method < PADV_METHODS; method++)
	{
		padv_explain_method(&local.status.model, method, text, sizeof(text));
		ok((text[0] == '\0') == (padv_not_available_because(&local.status.model, method)[0] != '\0'),
		   "%s has either a calculation or a reason for none", padv_method_name(method));
	}

	local.status.taken_at = 0;
	ok(explain(&local) == 1, "one sentence before the first sample");
}

/* What stands at the end of a calculation is what is shown. */
static void
test_rounding(void)
{
	PadvLocalStatus local = quiet();
	PadvModel  *model = &local.status.model;
	PadvInputs	inputs = model->inputs;
	const PadvWaits waits = {.run = 1e7, .ready = 1e7, .asleep = 5e6};
	const PadvCurve curve = {
		.state = PADV_CURVE_FITTED, .active = {.best = 120.3}, .busy = {.best = 140},
	};
	char		text[PADV_SENTENCE];

	model->inputs.detected_cores = 0.1;
	model->inputs.connections_per_core = 0.5;
	explain(&local);
	ok(strstr(explained, "= 0.05, but at least 1; active connections, not open ones. Range: 0.5 per core to 4 per core.") != NULL,
	   "no less than one connection, and fewer per core");
	model->inputs.connections_per_core = 7;
	explain(&local);
	ok(strstr(explained, "= 0.70, rounded 1;") != NULL && strstr(explained, "Range: 1 per core to 7 per core.") != NULL,
	   "more per core");

	ok(strstr(explained, "Pool size: not known, as no load was measured") != NULL, "no size without a load");
	model->pool.load.at = 1;
	model->pool_size = 97;
	explain(&local);
	ok(strstr(explained, "Pool size: not more than the 97 connections") != NULL, "the size stays within what the server has");
	model->pool_size = 1000;
	model->inputs.optimal_setting = 200;
	explain(&local);
	model->inputs.optimal_setting = 0;
	ok(strstr(explained, "Pool size: that is more than the 97 connections") != NULL, "more than the server has");
	model->pool_size = 97;
	explain(&local);
	ok(strstr(explained, "Pool size: not more than the 97 connections") != NULL, "all that the server has");
	model->pool_size = 20;
	model->pool = (PadvPoolBasis) {
		.load = {.at = 1, .executing = 2, .held = 1.5, .round_trip = 0.5, .turnaround = 3},
		.least = 8, .factor = 4, .pool_size = 17, .session_pool_size = 30,
	};
	explain(&local);
	ok(strstr(explained, "Pool size: 8 that are to be active + 1.50 * 4.00 in pauses inside transactions + 0.50 round trips + 2.55 as pauses vary = 17.05, within the server and the sessions seen 17.") != NULL,
	   "the calculation can be redone");
	ok(strstr(explained, "Pool size stays at 20") != NULL, "and a number that stands is told apart from it");
	ok(strstr(explained, "connections that ordinary roles can have.") == NULL, "less than the server has");

	inputs.detected_cores = 1000;
	padv_model_update(model, &inputs, &local.status.minute, &local.status.load, &waits, &curve);
	padv_explain_method(model, PADV_METHOD_WAIT_RATIO, text, sizeof(text));
	ok(strstr(text, "= 1527.39. The number is 1527.39, but not more than the server's 97.") != NULL,
	   "no more than there can be");
	padv_explain_method(model, PADV_METHOD_SCALABILITY, text, sizeof(text));
	ok(strstr(text, "of which 120.3 were active (but not more than the server's 97)") != NULL,
	   "even if more were seen");
}

/* How sure an advice is, and what it gains. */
static const char *
conclusion(const PadvModel *model, const char *confidence, PadvGain gain)
{
	static PadvAdvice advice;

	padv_advice_begin(&advice, PADV_INFO, "oversubscribed", "server");
	padv_advice_conclude(&advice, model, confidence, gain);
	return advice.recommendation;
}

static void
test_conclusion(void)
{
	PadvModel	model;

	padv_model_init(&model);
	ok(strcmp(conclusion(&model, PADV_CERTAIN, PADV_GAIN_NONE), " Confidence: certain. Expected gain in throughput: none.") == 0,
	   "what was counted is certain");
	ok(strstr(conclusion(&model, PADV_MEASURED, PADV_GAIN_BY_CURVE), "not known, because no knee was measured.") != NULL,
	   "without a knee the gain is not known");
	ok(strcmp(padv_advice_confidence(&model), "low") == 0, "the formula's number is a guess");
	model.chosen = PADV_METHOD_SCALABILITY;
	model.estimates[PADV_METHOD_SCALABILITY].confidence = PADV_CONFIDENCE_HIGH;
	model.curve.throughput = 1800;
	model.curve.busy.high = 10;
	model.curve.now_busy = 50;
	model.curve.now_throughput = 1000;
	model.curve.noise = 0.25;
	ok(strcmp(conclusion(&model, padv_advice_confidence(&model), PADV_GAIN_BY_CURVE),
			  " Confidence: high. Expected gain: about 1.8 times the throughput, 1.5 to 2.2.") == 0,
	   "with one it comes from the curve");
	model.curve.now_busy = 9;
	ok(strstr(conclusion(&model, PADV_MEASURED, PADV_GAIN_BY_CURVE), "none now") != NULL, "if more are busy than at the peak");
}

/* The longest figures must not cut a sentence short. */
static void
test_lengths(void)
{
	PadvLocalStatus local = quiet();
	PadvInputs  *inputs = &local.status.model.inputs;
	PadvMinute *minute = &local.status.minute;
	bool		whole = true;

	inputs->detected_spindles = inputs->logical_cpus = inputs->physical_cores = 99999;
	inputs->max_connections = inputs->usable_connections = 262143;
	minute->active = minute->sessions = minute->demand = 262143.25;
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		minute->in_class[class] = 262143.25;
	minute->active_max = 262143;
	minute->samples = 999999;
	minute->io_wait_ratio = 1;
	minute->idle = 262143;
	local.status.last.sessions = 262143;
	local.status.load.disk_reads = 99999.5;
	local.status.load.cpu_utilization = local.status.load.run_queue_ratio = 1;
	local.status.load.server_cores = 99999;
	local.status.taken_at = INT64_C(9000000000000000);
	local.status.model.pool = (PadvPoolBasis) {
		.load = {1, 1e9, 1e9, 262143.25, 262143.25, 262143.25, 262143.25, 262143.25, 262143.25},
		.least = 262143, .factor = 100, .pool_size = 262143, .session_pool_size = 262143,
	};
	local.status.model.pool_size = 262142;
	local.status.model.session_pool_size = 262142;
	explain(&local);
	for (char *line = strtok(explained, "\n"); line; line = strtok(NULL, "\n"))
	{
		if (strlen(line) + 1 >= PADV_SENTENCE)
			whole = false;
	}
	ok(whole, "sentences fit");

	{
		PadvAdvice	advice[PADV_MAX_ADVICE];
		int			count = padv_advise(&local, advice);
		bool		told = true;

		for (int i = 0; i < count; i++)
		{
			if (strlen(advice[i].finding) + 1 == sizeof(advice[i].finding) ||
				strlen(advice[i].recommendation) + 1 == sizeof(advice[i].recommendation))
				whole = false;
			if (!strstr(advice[i].recommendation, " Confidence: ") || !strstr(advice[i].recommendation, " Expected gain"))
				told = false;
		}
		ok(count >= 5 && whole, "findings and recommendations fit");
		ok(told, "and each says how sure it is, and what it gains");
	}
}

/* Whether a text is UTF-8, and not cut inside of a character. */
static bool
is_whole(const char *text)
{
	while (*text != '\0')
	{
		const char *before = text;

		if (padv_utf8_next(&text) == '?' && *before != '?')
			return false;
	}
	return true;
}

/* A prepared transaction whose name is longer than the texts, at every place of a cut. */
static void
test_cut(void)
{
	static const char *const letters[] = {"\xc3\xb6", "\xe3\x81\x82", "\xf0\x9f\x98\x80"};
	int			broken = 0;
	char		text[8];

	for (int i = 0; i < 3 * 8; i++)
	{
		char		gid[700] = "'abcdefgh";
		PadvLocalStatus local = quiet();
		const PadvAdvice *advice;

		gid[1 + i % 8] = '\0';
		while (strlen(gid) + 5 < sizeof(gid))
			strcat(gid, letters[i / 8]);
		local.status.stall.any = true;
		local.status.stall.worst.state = PADV_BLOCKER_PREPARED;
		local.blocker_gid_quoted = gid;
		advice = find(&local, "blocked_by");
		if (advice == NULL || !is_whole(advice->subject) || !is_whole(advice->finding) || strlen(advice->subject) < 120)
			broken++;
	}
	ok(broken == 0, "a name is cut at a character");
	for (int i = 0; i < 3; i++)
	{
		strcpy(text, letters[i]);
		padv_utf8_cut(text);
		broken += strcmp(text, letters[i]) != 0;
		text[strlen(text) - 1] = '\0';
		padv_utf8_cut(text);
		broken += text[0] != '\0';
	}
	text[0] = '\0';
	padv_utf8_cut(text);
	ok(broken == 0 && text[0] == '\0', "only the beginning of a character is removed");
}

int
main(void)
{
	test_sampling();
	test_enforcement();
	test_load();
	test_crowd_remedy();
	test_queue();
	test_measured();
	test_connections();
	test_idle_in_transaction();
	test_order();
	test_largest();
	test_explain();
	test_rounding();
	test_conclusion();
	test_lengths();
	test_cut();
	return tap_end();
}
