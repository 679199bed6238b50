/*
 * test_advice.c
 *		Which situation calls for which advice, and the sentences of explain.
 */
#include <stdlib.h>
#include <string.h>

#include "core/advice/advice.h"
#include "core/advice/explain.h"
#include "tap.h"

static const PadvCurve no_curve;
static const PadvWaits no_waits;

/* A well-behaved server: 4 cores, optimum 8, 5 active of 40 sessions. */
static PadvSituation
quiet(void)
{
	PadvSituation situation;
	PadvPicture *picture = &situation.picture;

	memset(&situation, 0, sizeof(situation));
	situation.worker_running = true;
	situation.enforcement = situation.gate_enforcement = PADV_ENFORCEMENT_ON;
	situation.age_seconds = 0.05;
	picture->taken_at = 1;
	picture->last.sessions = 40;
	picture->minute.samples = 600;
	picture->minute.sessions = 40;
	picture->minute.idle = 35;
	picture->minute.active = picture->minute.demand = 5;
	picture->minute.in_class[PADV_ON_CPU] = 5;
	picture->load.cpu_utilization = 0.5;
	picture->load.run_queue_ratio = 0.05;
	padv_model_init(&picture->model);
	picture->model.basis = (PadvBasis)
	{
		.logical_cpus = 8, .physical_cores = 4, .quota = -1, .detected_cores = 4,
		.cores_setting = -1, .disks_known = true, .spindles_setting = -1,
		.connections_per_core = 2, .max_connections = 100,
		.usable_connections = 97, .sample_interval_ms = 100,
	};
	return situation;
}

static const PadvAdvice *
find(PadvSituation *situation, const char *code)
{
	static PadvAdvice advice[PADV_MAX_ADVICE];
	PadvBasis	basis = situation->picture.model.basis;
	int			count;

	padv_model_update(&situation->picture.model, &basis, &situation->picture.minute,
					  &situation->picture.load, &no_waits, &no_curve);
	count = padv_advise(situation, advice);
	for (int i = 0; i < count; i++)
	{
		if (strcmp(advice[i].code, code) == 0)
			return &advice[i];
	}
	return NULL;
}

static int
count_advice(PadvSituation *situation)
{
	PadvAdvice	advice[PADV_MAX_ADVICE];

	(void) find(situation, "");
	return padv_advise(situation, advice);
}

static void
test_sampling(void)
{
	PadvSituation situation = quiet();

	ok(count_advice(&situation) == 0, "nothing to say when all is well");

	situation.worker_running = false;
	ok(find(&situation, "sampling_stopped") != NULL, "no worker");
	situation.worker_running = true;
	situation.age_seconds = 5.9;
	ok(find(&situation, "sampling_stopped") == NULL, "a late sample is no matter");
	situation.age_seconds = 6.1;
	ok(find(&situation, "sampling_stopped") != NULL, "a worker that does not sample");
	situation.picture.model.basis.sample_interval_ms = 10000;
	ok(find(&situation, "sampling_stopped") == NULL, "unless the interval is long");

	memset(&situation.picture, 0, sizeof(situation.picture));
	ok(find(&situation, "sampling_stopped") != NULL && count_advice(&situation) == 1,
	   "before the first sample only that");
}

static void
test_enforcement(void)
{
	PadvSituation situation = quiet();
	const PadvAdvice *advice;

	situation.enforcement = PADV_ENFORCEMENT_OFF;
	advice = find(&situation, "enforcement_off");
	ok(advice != NULL && advice->severity == PADV_WARNING &&
	   strcmp(advice->subject, "pool_advisor.enforcement") == 0 &&
	   strcmp(advice->fix, "ALTER SYSTEM RESET pool_advisor.enforcement; SELECT pg_reload_conf();") == 0 &&
	   count_advice(&situation) == 1, "limits that are not enforced");
	situation.enforcement = PADV_ENFORCEMENT_OBSERVE;
	advice = find(&situation, "enforcement_off");
	ok(advice != NULL && advice->severity == PADV_INFO && strstr(advice->finding, "is observe") != NULL,
	   "a trial is told, too");
	situation.enforcement = PADV_ENFORCEMENT_ON;
	situation.gate_enforcement = PADV_ENFORCEMENT_OFF;
	advice = find(&situation, "enforcement_off");
	ok(advice != NULL && advice->severity == PADV_WARNING &&
	   strcmp(advice->fix, "ALTER SYSTEM RESET pool_advisor.gate_enforcement; SELECT pg_reload_conf();") == 0,
	   "those on transactions alone");
	situation.enforcement = PADV_ENFORCEMENT_OFF;
	ok(count_advice(&situation) == 2, "each setting that is not on has its line to run");
	memset(&situation.picture, 0, sizeof(situation.picture));
	ok(find(&situation, "enforcement_off") != NULL, "before the first sample, too");
}

static void
test_load(void)
{
	PadvSituation situation = quiet();
	PadvMinute *minute = &situation.picture.minute;
	const PadvAdvice *advice;

	minute->active = minute->demand = minute->in_class[PADV_ON_CPU] = 17;
	advice = find(&situation, "oversubscribed");
	ok(advice && advice->severity == PADV_WARNING, "oversubscribed");
	ok(advice && strstr(advice->finding, "17.0") && strstr(advice->finding, "with 8"),
	   "with the figures in the finding");
	minute->demand = 33;
	advice = find(&situation, "oversubscribed");
	ok(advice && advice->severity == PADV_CRITICAL, "oversubscribed by far");

	minute->in_class[PADV_WAITING_LOCK] = 30;
	ok(find(&situation, "oversubscribed") != NULL && find(&situation, "lock_bound") != NULL,
	   "both when they wait for locks");

	situation = quiet();
	minute->in_class[PADV_WAITING_LOCK] = 1.6;
	ok(find(&situation, "lock_bound") != NULL, "lock-bound");
	minute->in_class[PADV_WAITING_LOCK] = 1.4;
	ok(find(&situation, "lock_bound") == NULL, "a few blocked are no matter");

	situation = quiet();
	minute->in_class[PADV_WAITING_LWLOCK] = 1.6;
	ok(find(&situation, "lwlock_bound") != NULL, "bound by internal locks");

	situation = quiet();
	minute->in_class[PADV_WAITING_IO] = 3;
	minute->io_wait_ratio = 0.6;
	situation.picture.load.disk_reads = 2.5;
	advice = find(&situation, "io_bound");
	ok(advice && strstr(advice->recommendation, "2.5 reads"), "I/O-bound");
	situation.picture.load.disk_reads = -1;
	advice = find(&situation, "io_bound");
	ok(advice && strstr(advice->recommendation, "could not be read"), "I/O-bound, disks unknown");

	situation = quiet();
	situation.picture.load.cpu_utilization = 0.95;
	ok(find(&situation, "cpu_bound") == NULL, "full cores without a queue are well used");
	situation.picture.load.run_queue_ratio = 0.4;
	ok(find(&situation, "cpu_bound") != NULL, "CPU-bound");
}

static void
test_connections(void)
{
	PadvSituation situation = quiet();
	PadvBasis  *basis = &situation.picture.model.basis;
	const PadvAdvice *advice;

	situation.picture.minute.idle = 99.9;
	ok(find(&situation, "idle_connections") == NULL, "99 idle are no matter");
	situation.picture.minute.idle = 100;
	ok(find(&situation, "idle_connections") != NULL, "idle connections by the hundred");

	situation.picture.last.sessions = 88;
	advice = find(&situation, "connections_nearly_full");
	ok(advice && advice->severity == PADV_CRITICAL, "nearly full");
	ok(advice && strcmp(advice->finding, "88 of the 97 connections that ordinary roles can have are taken.") == 0,
	   "by sessions");

	situation = quiet();
	situation.picture.last.queued = 87;
	ok(find(&situation, "connections_nearly_full") == NULL, "transactions in line take no connections more");
	situation.picture.last.logins_waiting = 47;
	ok(find(&situation, "connections_nearly_full") == NULL, "87 of 97 are not nearly all");
	situation.picture.last.logins_waiting = 48;
	advice = find(&situation, "connections_nearly_full");
	ok(advice && strcmp(advice->finding,
						"88 of the 97 connections that ordinary roles can have are taken, 48 of them by logins that wait in line.") == 0,
	   "logins in line take connections");
	ok(advice && strstr(advice->recommendation, "queue_length") && !strstr(advice->recommendation, "max_connections"),
	   "and are the cause, so their line is what helps");
	situation.picture.last.sessions = 88;
	advice = find(&situation, "connections_nearly_full");
	ok(advice && !strstr(advice->recommendation, "queue_length") && strstr(advice->recommendation, "max_connections"),
	   "where sessions alone take nearly all, a shorter line is no help");

	situation = quiet();
	situation.picture.load.logins_refused = 3;
	situation.picture.load.logins_queued = 0;
	advice = find(&situation, "logins_refused");
	ok(advice && strstr(advice->recommendation, "give the cap a line"), "logins are refused, none waits: a line may help");
	situation.picture.load.logins_queued = 2;
	advice = find(&situation, "logins_refused");
	ok(advice && !strstr(advice->recommendation, "give the cap a line"), "nobody is told to have a line that is there");
	situation.picture.load.logins_queued = -1;
	situation.picture.last.logins_waiting = 5;
	advice = find(&situation, "logins_refused");
	ok(advice && !strstr(advice->recommendation, "give the cap a line"), "nor while somebody waits in it");

	situation = quiet();
	basis->max_connections = 199;
	basis->usable_connections = 196;
	ok(find(&situation, "max_connections_high") == NULL, "199 connections are no matter");
	basis->max_connections = 500;
	basis->usable_connections = 497;
	advice = find(&situation, "max_connections_high");
	ok(advice && strcmp(advice->fix, "ALTER SYSTEM SET max_connections = 100;") == 0,
	   "500 are far above what helps");
	situation.picture.last.sessions = 300;
	ok(find(&situation, "max_connections_high") == NULL, "but not while they are in use");
	situation.picture.last.sessions = 40;
	situation.picture.last.logins_waiting = 260;
	ok(find(&situation, "max_connections_high") == NULL, "nor while logins wait in line on them");

	situation = quiet();
	basis->memory = 24e9;
	basis->page_tables = 1.1e9;
	situation.picture.minute.sessions = 900;
	ok(find(&situation, "page_tables") == NULL, "page tables under a twentieth of memory are no matter");
	basis->page_tables = 1.3e9;
	advice = find(&situation, "page_tables");
	ok(advice && strstr(advice->finding, "take 1240 MB, 5% of") != NULL, "above that they are");
	situation.picture.minute.sessions = 99;
	ok(find(&situation, "page_tables") == NULL, "but not ours with few sessions");
	basis->memory = basis->page_tables = -1;
	situation.picture.minute.sessions = 900;
	ok(find(&situation, "page_tables") == NULL, "nor where nothing is known");

	situation = quiet();
	basis->cores_setting = 8;
	ok(find(&situation, "hyper_threads_counted") != NULL, "hyper-threads counted");
	basis->cores_setting = 4;
	ok(find(&situation, "hyper_threads_counted") == NULL, "physical cores are right");
	basis->cores_setting = 8;
	basis->physical_cores = 8;
	ok(find(&situation, "hyper_threads_counted") == NULL, "without hyper-threads too");
}

static void
test_idle_in_transaction(void)
{
	PadvSituation situation = quiet();
	PadvIdleHolder *holder = &situation.picture.idle_holder;
	const PadvAdvice *advice;
	char		long_name[300];

	situation.holder_role = "Odd \"role\"";
	situation.holder_role_quoted = "\"Odd \"\"role\"\"\"";
	situation.holder_database = "crm";
	*holder = (PadvIdleHolder) {.holders = 2, .pid = 4711, .xact_seconds = 70, .idle_seconds = 59};
	ok(find(&situation, "idle_in_transaction") == NULL, "a minute is given");
	holder->idle_seconds = 61;
	advice = find(&situation, "idle_in_transaction");
	ok(advice && advice->severity == PADV_WARNING && strstr(advice->finding, "4711") &&
	   strcmp(advice->subject, situation.holder_role) == 0, "then it is said who");
	ok(advice && strcmp(advice->fix,
						"ALTER ROLE \"Odd \"\"role\"\"\" SET idle_in_transaction_session_timeout = '1min';") == 0,
	   "with the identifier quoted");
	holder->idle_seconds = 3601;
	advice = find(&situation, "idle_in_transaction");
	ok(advice && advice->severity == PADV_CRITICAL, "an hour is critical");

	memset(long_name, '"', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	situation.holder_role_quoted = long_name;
	advice = find(&situation, "idle_in_transaction");
	ok(advice && advice->fix[0] == '\0', "no half line to run");
}

static void
test_order(void)
{
	PadvSituation situation = quiet();
	PadvAdvice	advice[PADV_MAX_ADVICE];
	bool		sorted = true;
	int			count;

	situation.worker_running = false;
	situation.picture.minute.idle = 200;
	situation.picture.last.sessions = 97;
	situation.picture.load.cpu_utilization = 1;
	situation.picture.load.run_queue_ratio = 1;
	(void) find(&situation, "");
	count = padv_advise(&situation, advice);
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
explain(PadvSituation *situation)
{
	int			sentences = 0;

	explained[0] = '\0';
	(void) find(situation, "");
	padv_explain(situation, collect, &sentences);
	return sentences;
}

static void
test_explain(void)
{
	PadvSituation situation = quiet();
	char		text[PADV_SENTENCE];

	ok(explain(&situation) > 8, "a sentence for each step");
	ok(strstr(explained, "4 cores * 2 connections per core + 0.00 effective spindles = 8.00, rounded 8") != NULL,
	   "the formula with its numbers");
	ok(strstr(explained, "Verdict: at the optimum") != NULL, "the verdict");
	ok(strstr(explained, "Method scalability: not available") != NULL, "what is not there says why");

	situation.picture.model.basis.quota = 1.5;
	situation.picture.model.basis.optimal_setting = 7;
	situation.picture.model.basis.cores_setting = 3;
	situation.picture.model.basis.spindles_setting = 2;
	explain(&situation);
	ok(strstr(explained, "1.5 CPUs' worth") && strstr(explained, "pool_advisor.optimal = 7") &&
	   strstr(explained, "overrides that with 3") && strstr(explained, "pool_advisor.spindles says 2"),
	   "quota and overrides are named");

	for (PadvMethod method = 0; method < PADV_METHODS; method++)
	{
		padv_explain_method(&situation.picture.model, method, text, sizeof(text));
		ok((text[0] == '\0') == (padv_not_available_because(&situation.picture.model, method)[0] != '\0'),
		   "%s has either a calculation or a reason for none", padv_method_name(method));
	}

	situation.picture.taken_at = 0;
	ok(explain(&situation) == 1, "one sentence before the first sample");
}

/* What stands at the end of a calculation is what is shown. */
static void
test_rounding(void)
{
	PadvSituation situation = quiet();
	PadvModel  *model = &situation.picture.model;
	PadvBasis	basis = model->basis;
	const PadvWaits waits = {.run = 1e7, .ready = 1e7, .asleep = 5e6};
	const PadvCurve curve = {
		.state = PADV_CURVE_FITTED, .active = {.best = 120.3}, .at_work = {.best = 140},
	};
	char		text[PADV_SENTENCE];

	model->basis.detected_cores = 0.1;
	model->basis.connections_per_core = 0.5;
	explain(&situation);
	ok(strstr(explained, "= 0.05, but at least 1; active connections, not open ones. Range: 0.5 per core to 4 per core.") != NULL,
	   "no less than one connection, and fewer per core");
	model->basis.connections_per_core = 7;
	explain(&situation);
	ok(strstr(explained, "= 0.70, rounded 1;") != NULL && strstr(explained, "Range: 1 per core to 7 per core.") != NULL,
	   "more per core");

	model->basis.detected_cores = 1000;
	explain(&situation);
	ok(strstr(explained, "Pool size: that is more than the 97 connections") != NULL, "more than the server has");
	situation.picture.minute.held_in_transaction = 90;
	model->basis.detected_cores = 4;
	explain(&situation);
	ok(strstr(explained, "Pool size: not more than the 97 connections") != NULL, "all that the server has");
	situation.picture.minute.held_in_transaction = 0;
	explain(&situation);
	ok(strstr(explained, "connections that ordinary roles can have.") == NULL, "less than the server has");

	basis.detected_cores = 1000;
	padv_model_update(model, &basis, &situation.picture.minute, &situation.picture.load, &waits, &curve);
	padv_explain_method(model, PADV_METHOD_WAIT_RATIO, text, sizeof(text));
	ok(strstr(text, "= 1500.00, but not more than the server's 97: of the time") != NULL,
	   "no more than there can be");
	padv_explain_method(model, PADV_METHOD_SCALABILITY, text, sizeof(text));
	ok(strstr(text, "of which 120.3 were active (but not more than the server's 97)") != NULL,
	   "even if more were seen");
}

/* The longest figures must not cut a sentence short. */
static void
test_lengths(void)
{
	PadvSituation situation = quiet();
	PadvBasis  *basis = &situation.picture.model.basis;
	PadvMinute *minute = &situation.picture.minute;
	bool		whole = true;

	basis->detected_spindles = basis->logical_cpus = basis->physical_cores = 99999;
	basis->max_connections = basis->usable_connections = 262143;
	minute->active = minute->sessions = minute->demand = 262143.25;
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		minute->in_class[class] = 262143.25;
	minute->active_max = 262143;
	minute->samples = 999999;
	minute->io_wait_ratio = 1;
	minute->idle = 262143;
	situation.picture.last.sessions = 262143;
	situation.picture.load.disk_reads = 99999.5;
	situation.picture.load.cpu_utilization = situation.picture.load.run_queue_ratio = 1;
	situation.picture.load.server_cores = 99999;
	explain(&situation);
	for (char *line = strtok(explained, "\n"); line; line = strtok(NULL, "\n"))
	{
		if (strlen(line) + 1 >= PADV_SENTENCE)
			whole = false;
	}
	ok(whole, "sentences fit");

	{
		PadvAdvice	advice[PADV_MAX_ADVICE];
		int			count = padv_advise(&situation, advice);

		for (int i = 0; i < count; i++)
		{
			if (strlen(advice[i].finding) + 1 == sizeof(advice[i].finding) ||
				strlen(advice[i].recommendation) + 1 == sizeof(advice[i].recommendation))
				whole = false;
		}
		ok(count >= 5 && whole, "findings and recommendations fit");
	}
}

int
main(void)
{
	test_sampling();
	test_enforcement();
	test_load();
	test_connections();
	test_idle_in_transaction();
	test_order();
	test_explain();
	test_rounding();
	test_lengths();
	return tap_end();
}
