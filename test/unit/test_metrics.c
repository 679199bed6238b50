/*
 * test_metrics.c
 *		The table of metrics, which roles have series of their own, the text for
 *		Prometheus, and the check of the load.
 */
#include <stdlib.h>
#include <string.h>

#include "core/advice/advice.h"
#include "core/monitoring/check_load.h"
#include "core/monitoring/metrics.h"
#include "core/monitoring/openmetrics.h"
#include "tap.h"

static bool
ends_with(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

/* --- the table -------------------------------------------------------------- */

/* A name without what its type adds. */
static void
family_of(const PadvMetric *metric, char family[128])
{
	snprintf(family, 128, "%s", metric->name);
	if (metric->kind == PADV_METRIC_COUNTER && ends_with(family, "_total"))
		family[strlen(family) - strlen("_total")] = '\0';
	if (metric->kind == PADV_METRIC_INFO)
		family[strlen(family) - strlen("_info")] = '\0';
}

/* The scope with the longest prefix that a name starts with. */
static bool
is_in_its_scope(const PadvMetric *metric)
{
	size_t		own = strlen(padv_metric_groups[metric->scope].prefix);

	if (strncmp(metric->name, padv_metric_groups[metric->scope].prefix, own) != 0)
		return false;
	for (int scope = 0; scope < PADV_METRIC_SCOPES; scope++)
	{
		const char *prefix = padv_metric_groups[scope].prefix;

		if (strlen(prefix) > own && strncmp(metric->name, prefix, strlen(prefix)) == 0)
			return false;
	}
	return true;
}

static void
test_table(void)
{
	int			wrong_type = 0;
	int			wrong_unit = 0;
	int			wrong_help = 0;
	int			wrong_scope = 0;
	int			twice = 0;
	int			scattered = 0;
	char		family[128];
	char		other[128];

	for (const PadvMetric *metric = padv_metrics; metric->name != NULL; metric++)
	{
		family_of(metric, family);
		wrong_type += (metric->kind == PADV_METRIC_COUNTER) != ends_with(metric->name, "_total");
		wrong_type += (metric->kind == PADV_METRIC_INFO) != ends_with(metric->name, "_info");
		wrong_unit += metric->unit[0] != '\0' && !ends_with(family, metric->unit);
		wrong_unit += metric->unit[0] == '\0' && (ends_with(family, "_seconds") || ends_with(family, "_ratio"));
		wrong_help += strpbrk(metric->help, "\\\"\n'") != NULL || !ends_with(metric->help, ".");
		wrong_scope += !is_in_its_scope(metric);
		scattered += metric->scope < (metric > padv_metrics ? metric[-1].scope : PADV_BY_SERVER);
		for (const PadvMetric *earlier = padv_metrics; earlier < metric; earlier++)
		{
			family_of(earlier, other);
			twice += strcmp(family, other) == 0;
		}
	}
	ok(wrong_type == 0, "counters end in _total, and nothing else does");
	ok(wrong_unit == 0, "a name ends with its unit");
	ok(wrong_help == 0, "help can be quoted anywhere");
	ok(wrong_scope == 0, "a name starts with the prefix of its scope, and of no other");
	ok(scattered == 0, "metrics of a scope are together");
	ok(twice == 0, "a gauge and a counter have different families");
}

/* Numbers that are documented in help, and so must not change. */
static void
test_numbers_of_names(void)
{
	ok(PADV_METHOD_FORMULA == 0 && PADV_METHOD_WAIT_RATIO == 1 && PADV_METHOD_SCALABILITY == 2 &&
	   PADV_METHOD_SETTING == 3 && PADV_METHOD_TRIAL == 4, "methods have the numbers that are documented");
	ok(PADV_CONFIDENCE_FORMULA == 0 && PADV_CONFIDENCE_LOW == 1 && PADV_CONFIDENCE_MEDIUM == 2 &&
	   PADV_CONFIDENCE_HIGH == 3, "so have confidences");
	ok(PADV_VERDICT_IDLE == 0 && PADV_VERDICT_WITHIN == 1 && PADV_VERDICT_AT_OPTIMUM == 2 &&
	   PADV_VERDICT_OVERSUBSCRIBED == 3 && PADV_VERDICT_CONTENTION == 4, "and verdicts");
}

/* --- roles and limits ------------------------------------------------------------ */

#define MANY 200

static const char *
name_of_number(int number)
{
	static char names[MANY + 1][20];

	snprintf(names[number], sizeof(names[number]), "role_%d", number);
	return names[number];
}

static void
test_roles(void)
{
	PadvMetricsRole roles[MANY + 1] = {{.role = 0}};
	int64_t		sessions = 0;
	double		active = 0.0;
	int			count;
	int			shown;

	for (int i = 0; i < MANY; i++)
	{
		roles[i].role = (uint32_t) i + 1;
		roles[i].active_avg = (i * 7) % MANY;
		roles[i].sessions = i;
		roles[i].max_sessions = 5;
		sessions += i;
		active += roles[i].active_avg;
	}
	shown = padv_metrics_choose_roles(roles, MANY);
	ok(shown == PADV_MAX_SHOWN, "at most %d roles are shown, got %d", PADV_MAX_SHOWN, shown);
	near(roles[0].active_avg, MANY - 1, 0, "the one with most at work first");
	near(roles[PADV_MAX_SHOWN - 1].active_avg, MANY - PADV_MAX_SHOWN, 0, "and so on");

	for (int i = 0; i < shown; i++)
		roles[i].labels.rolname = name_of_number((int) roles[i].role);
	/* one that is gone, one that has a name that is there, one that is called as the sum */
	roles[3].labels.rolname = NULL;
	roles[7].labels.rolname = roles[5].labels.rolname;
	roles[9].labels.rolname = PADV_OTHER_ROLES;
	count = padv_metrics_fold_roles(roles, shown, MANY);
	ok(count == PADV_MAX_SHOWN - 3 + 1, "roles without a name of their own are among the others, got %d", count);
	ok(strcmp(roles[count - 1].labels.rolname, PADV_OTHER_ROLES) == 0, "who come last");
	ok(roles[count - 1].max_sessions == PADV_NOT_KNOWN, "limits are not added up");
	for (int i = 0; i < count; i++)
	{
		sessions -= roles[i].sessions;
		active -= roles[i].active_avg;
		for (int j = 0; j < i; j++)
			if (strcmp(roles[i].labels.rolname, roles[j].labels.rolname) == 0)
				ok(false, "the name %s is there twice", roles[i].labels.rolname);
	}
	ok(sessions == 0, "no session is lost, or there twice");
	near(active, 0.0, 1e-9, "nor an active one");

	count = padv_metrics_fold_roles(roles, 0, 0);
	ok(count == 1 && roles[0].sessions == 0 && roles[0].max_sessions == PADV_NOT_KNOWN,
	   "without a role there are the others, with nothing");
}

static void
test_ties(void)
{
	PadvMetricsRole roles[4] = {
		{.role = 3, .sessions = 1}, {.role = 2, .sessions = 1},
		{.role = 1, .queued = 2}, {.role = 4, .sessions = 5},
	};

	padv_metrics_choose_roles(roles, 4);
	ok(roles[0].role == 4 && roles[1].role == 2 && roles[2].role == 3 && roles[3].role == 1,
	   "equal roles stand by sessions, then those in the queue, then age");
}

/* Counters of a role must not go down, whatever others do. */
static void
test_counted(void)
{
	PadvMetricsCounted rows[MANY + 1] = {{.role = 0}};
	int64_t		refused = 0;
	double		waited = 0.0;
	int			shown;
	int			count;

	for (int i = 0; i < MANY; i++)
	{
		rows[i].role = (uint32_t) i;
		rows[i].tracked = i % 4 == 1;
		rows[i].counts.refused = 1000 - i;
		rows[i].counts.queue_wait_seconds = 0.5;
		refused += 1000 - i;
		waited += 0.5;
	}
	shown = padv_metrics_choose_counted(rows, MANY);
	ok(shown == MANY / 4, "those told apart are shown, however little was counted, got %d", shown);
	for (int i = 0; i < shown; i++)
		rows[i].labels.rolname = name_of_number((int) rows[i].role);
	count = padv_metrics_fold_counted(rows, shown, MANY);
	ok(count == shown + 1, "all others are one row");
	for (int i = 0; i < count; i++)
	{
		refused -= rows[i].counts.refused;
		waited -= rows[i].counts.queue_wait_seconds;
	}
	ok(refused == 0, "nothing counted is lost");
	near(waited, 0.0, 1e-9, "nor time");

	for (int i = 0; i < 3; i++)
		rows[i] = (PadvMetricsCounted) {.role = (uint32_t) i, .tracked = i < 2, .counts.refused = 5};
	rows[0].labels.rolname = name_of_number(0);
	count = padv_metrics_fold_counted(rows, 2, 3);
	ok(count == 2 && rows[1].counts.refused == 5, "a tracked role that was dropped is not among the others");
}

static void
test_limits(void)
{
	PadvMetricsLimit limits[] = {
		{.role = 1, .in_use = 40, .max_sessions = -1},
		{.role = 2, .in_use = 1, .max_sessions = 10},
		{.role = 3, .in_use = 3, .max_sessions = 3},
		{.role = 4, .in_use = 9, .max_sessions = 10},
		{.role = 5, .in_use = 0, .max_sessions = 0},
	};
	PadvMetricsLimit many[MANY] = {{.role = 0}};

	ok(padv_metrics_choose_limits(limits, 5) == 5, "few limits are all shown");
	ok(limits[0].role == 3 && limits[1].role == 4 && limits[2].role == 2 && limits[3].role == 5 && limits[4].role == 1,
	   "the fullest first, those without a number last");
	ok(padv_metrics_choose_limits(many, MANY) == PADV_MAX_SHOWN, "many are not");
}

static void
test_latency(void)
{
	PadvMetricsLatency rows[6] = {{.labels = {.rolname = NULL}}};
	int			count;

	/* others, one of a second, one without a transaction in the minute, one that is gone */
	for (int i = 0; i < 5; i++)
	{
		rows[i].labels.rolname = i == 0 || i == 4 ? NULL : name_of_number(i);
		rows[i].tracked = i > 0;
		rows[i].total.count[padv_latency_bucket(300)] = 10;
		rows[i].total.count[padv_latency_bucket(PADV_SLOW_US)] = (uint64_t) i;
		rows[i].total.sum_us = 3000 + (uint64_t) i * PADV_SLOW_US;
		rows[i].total.rolled_back = 1;
		rows[i].minute.count[padv_latency_bucket(i == 0 ? 300 : 30000)] = i == 2 ? 0 : 1;
	}
	count = padv_metrics_fold_latency(rows, 5);
	ok(count == 4 && strcmp(rows[3].labels.rolname, PADV_OTHER_ROLES) == 0, "roles with a name, and the others, got %d", count);
	ok(rows[0].transactions == 11 && rows[0].slow == 1 && rows[0].rolled_back == 1, "what is slow is told apart");
	near(rows[0].seconds, 1.003, 1e-9, "with its time");
	near(rows[0].p99, 0.03, 0.003, "the quantiles are of the minute");
	ok(rows[1].mean < 0.0 && rows[1].p50 < 0.0, "and not known without a transaction");
	ok(rows[3].transactions == 10 && rows[3].slow == 0 && rows[3].rolled_back == 1, "the others do not jump when a role is dropped");
	near(rows[3].p95, 3e-4, 3e-5, "nor do their quantiles");

	for (int i = 0; i < 3; i++)
	{
		memset(&rows[i], 0, sizeof(rows[i]));
		rows[i].total.count[padv_latency_bucket(300)] = 10;
		rows[i].minute.count[padv_latency_bucket(i == 0 ? 300 : 30000)] = 1;
	}
	count = padv_metrics_fold_latency(rows, 2);
	ok(count == 1 && rows[0].transactions == 20, "others are added up");
	near(rows[0].p50, 3e-4, 3e-5, "with quantiles of their sum");
	near(rows[0].p95, 0.03, 0.003, "which are not sums");
}

/* --- the text ----------------------------------------------------------------- */

static char text[65536];

static void
append(void *arg, const char *piece)
{
	(void) arg;
	strncat(text, piece, sizeof(text) - strlen(text) - 1);
}

static const char *
show(PadvMetricsInput *input)
{
	padv_metrics_prepare(&input->server);
	text[0] = '\0';
	padv_openmetrics(input, append, NULL);
	return text;
}

/* What is looked for without its newlines, which would end the line of the case. */
static const char *
on_one_line(const char *looked_for)
{
	static char line[256];

	snprintf(line, sizeof(line), "%s", looked_for);
	for (char *at = line; (at = strchr(at, '\n')) != NULL;)
		*at = ' ';
	return line;
}

static void
has(const char *looked_for)
{
	ok(strstr(text, looked_for) != NULL, "there is: %s", on_one_line(looked_for));
}

static void
has_not(const char *looked_for)
{
	ok(strstr(text, looked_for) == NULL, "there is not: %s", on_one_line(looked_for));
}

static PadvMetricsInput
input_of(bool sampled)
{
	PadvMetricsInput input = {.server = {.max_connections = 100, .default_max_sessions = -1}};
	PadvStatus *status = &input.server.local.status;

	input.server.local.worker_running = true;
	input.server.local.enforcement = PADV_ENFORCEMENT_ON;
	input.server.local.gate_enforcement = PADV_ENFORCEMENT_ON;
	padv_model_init(&status->model);
	if (!sampled)
		return input;
	status->taken_at = 1;
	status->samples_total = 12;
	status->last.sessions = 7;
	status->last.in_class[PADV_WAITING_LOCK] = 3;
	status->minute.in_class[PADV_WAITING_IO] = 0.1;
	status->minute.active = 1.0 / 3.0;
	status->load.cpu_utilization = -1.0;
	status->load.cache_hit_ratio = 0.995;
	status->model.verdict = PADV_VERDICT_CONTENTION;
	status->limits_committed = -1;
	input.server.local.age_seconds = 2.5e-5;
	return input;
}

static void
test_text(void)
{
	PadvMetricsRole roles[2] = {{.labels = {.rolname = "a\\b\"c\nd"}, .sessions = 4, .max_sessions = -1}};
	PadvMetricsLimit limits[1] = {{.labels = {"app", "crm"}, .in_use = 1, .max_sessions = 2}};
	PadvMetricsDatabase databases[1] = {{.labels = {.datname = "crm"}, .active_avg = 1.5, .blame_avg = 0.25}};
	PadvMetricsInput input = input_of(true);

	roles[0].blame_avg = 2.5;
	input.databases = databases;
	input.ndatabases = 1;
	input.roles = roles;
	input.nroles = padv_metrics_fold_roles(roles, 1, 1);
	input.limits = limits;
	input.nlimits = 1;
	show(&input);
	has("# TYPE pool_advisor info\n# HELP pool_advisor Always 1");
	has("\npool_advisor_info{version=\"" PADV_VERSION "\"} 1\n");
	has("# TYPE pool_advisor_samples counter\n# HELP pool_advisor_samples Samples");
	has("\npool_advisor_samples_total 12\n");
	has("# TYPE pool_advisor_sample_age_seconds gauge\n# UNIT pool_advisor_sample_age_seconds seconds\n# HELP");
	has("\npool_advisor_sample_age_seconds 2.5e-05\n");
	has("\npool_advisor_active_avg 0.3333333333333333\n");
	has("\npool_advisor_sessions 7\n");
	has("\npool_advisor_verdict 4\n");
	has("\npool_advisor_default_limit_max_sessions -1\n");
	has("\npool_advisor_committed_sessions -1\n");
	has("\npool_advisor_wait_class_sessions{wait_class=\"lock\"} 3\n");
	has("\npool_advisor_wait_class_sessions_avg{wait_class=\"io\"} 0.1\n");
	has("\npool_advisor_cache_hit_ratio 0.995\n");
	has_not("pool_advisor_cpu_utilization_ratio");
	has("\npool_advisor_role_sessions{rolname=\"a\\\\b\\\"c\\nd\"} 4\n");
	has("\npool_advisor_role_blame_avg{rolname=\"a\\\\b\\\"c\\nd\"} 2.5\n");
	has("\npool_advisor_role_blame_avg{rolname=\"pg_other_roles\"} 0\n");
	has("\npool_advisor_database_active_avg{datname=\"crm\"} 1.5\n");
	has("\npool_advisor_database_blame_avg{datname=\"crm\"} 0.25\n");
	has("\npool_advisor_role_max_sessions{rolname=\"a\\\\b\\\"c\\nd\"} -1\n");
	has_not("pool_advisor_role_max_sessions{rolname=\"pg_other_roles\"}");
	has("\npool_advisor_limit_in_use{rolname=\"app\",datname=\"crm\"} 1\n");
	ok(ends_with(text, "\n# EOF"), "it ends as it must");
}

static void
test_histogram(void)
{
	PadvMetricsLatency rows[2] = {{.labels = {.rolname = "a\"b"}}};
	PadvMetricsInput input = input_of(true);

	rows[0].total.count[padv_latency_bucket(499)] = 1;
	rows[0].total.count[padv_latency_bucket(500)] = 1;
	rows[0].total.count[padv_latency_bucket(999999)] = 2;
	rows[0].total.count[padv_latency_bucket(1000000)] = 3;
	rows[0].total.sum_us = 5000999;
	input.latency = rows;
	input.nlatency = padv_metrics_fold_latency(rows, 1);
	show(&input);
	has("\n# TYPE pool_advisor_transaction_duration_seconds histogram\n# UNIT pool_advisor_transaction_duration_seconds seconds\n# HELP");
	has("\npool_advisor_transaction_duration_seconds_bucket{rolname=\"a\\\"b\",le=\"0.0005\"} 1\n");
	has("\npool_advisor_transaction_duration_seconds_bucket{rolname=\"a\\\"b\",le=\"0.001\"} 2\n");
	has("\npool_advisor_transaction_duration_seconds_bucket{rolname=\"a\\\"b\",le=\"0.5\"} 2\n");
	has("\npool_advisor_transaction_duration_seconds_bucket{rolname=\"a\\\"b\",le=\"1.0\"} 4\n");
	has("\npool_advisor_transaction_duration_seconds_bucket{rolname=\"a\\\"b\",le=\"+Inf\"} 7\n");
	has("\npool_advisor_transaction_duration_seconds_count{rolname=\"a\\\"b\"} 7\n");
	has("\npool_advisor_transaction_duration_seconds_sum{rolname=\"a\\\"b\"} 5.000999\n");
	has("\npool_advisor_transaction_duration_seconds_sum{rolname=\"pg_other_roles\"} 0\n# EOF");
	has("\npool_advisor_latency_slow_total{rolname=\"a\\\"b\"} 3\n");
	has_not("pool_advisor_latency_p50_seconds{");
}

static void
test_text_without_sample(void)
{
	PadvMetricsInput input = input_of(false);
	PadvMetricsRole nobody[1] = {{.role = 0}};

	input.roles = nobody;
	input.nroles = padv_metrics_fold_roles(nobody, 0, 0);
	show(&input);
	has("\npool_advisor_worker_running 1\n");
	has("\npool_advisor_max_connections 100\n");
	has_not("pool_advisor_sessions ");
	has_not("pool_advisor_wait_class");
	has_not("pool_advisor_role");
	has_not("pool_advisor_optimal");
}

/* Pieces of the writer must not cut an escape in two. */
static void
test_long_names(void)
{
	PadvMetricsRole roles[2] = {{.role = 0}};
	PadvMetricsInput input = input_of(true);
	char		name[128];
	char		expected[320] = "\npool_advisor_role_idle{rolname=\"";

	memset(name, '"', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < sizeof(name) - 1; i++)
		strcat(expected, "\\\"");
	strcat(expected, "\"} 0\n");
	roles[0].labels.rolname = name;
	input.roles = roles;
	input.nroles = 1;
	show(&input);
	ok(strstr(text, expected) != NULL, "a long name of quotes is escaped");
}

static void
test_numbers(void)
{
	double		values[] = {0.0, -1.0, 1.0, 0.1, 1.0 / 3.0, 1e15, 123456789012345678.0, 5e-324,
	1.7976931348623157e308, 2.2250738585072014e-308, 0.30000000000000004, 9007199254740993.0};
	char		number[PADV_NUMBER];
	int			wrong = 0;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
	{
		padv_write_number(number, values[i]);
		wrong += strtod(number, NULL) != values[i];
	}
	srand(1);
	for (int i = 0; i < 100000; i++)
	{
		double		value = (double) rand() / ((double) rand() + 1.0) * pow(10.0, rand() % 40 - 20);

		padv_write_number(number, value);
		wrong += strtod(number, NULL) != value;
	}
	ok(wrong == 0, "every number is read back as it was, %d are not", wrong);
	padv_write_number(number, 0.1);
	ok(strcmp(number, "0.1") == 0, "and is as short as can be: %s", number);
}

/* --- the check ------------------------------------------------------------------ */

static PadvLoadCheck
check(double load_ratio, double age, bool sampled, bool running)
{
	PadvLocalStatus local = {.worker_running = running, .age_seconds = age};
	PadvLoadCheck result;

	padv_model_init(&local.status.model);
	local.status.taken_at = sampled;
	local.status.model.inputs.sample_interval_ms = 100;
	local.status.model.load_ratio = load_ratio;
	local.status.minute.demand = 0.75;
	local.status.model.unseen = 4.5;
	local.status.model.demand = 5.25;
	local.status.last.sessions = 30;
	padv_check_load(&local, 97, 1.0, 2.0, &result);
	return result;
}

static void
test_check_load(void)
{
	PadvLoadCheck result = check(0.5, 0.1, true, true);

	ok(result.status == PADV_CHECK_OK, "half a load is OK");
	ok(strncmp(result.message, "POOL_ADVISOR OK - 5.2 sessions want to work, optimum ", 52) == 0 ||
	   strncmp(result.message, "POOL_ADVISOR OK - 5.3 sessions want to work, optimum ", 52) == 0,
	   "and says so: %s", result.message);
	ok(strstr(result.message, " | load_ratio=0.500;1.000;2.000;0 demand_avg=5.250;;;0 ") != NULL,
	   "with figures, those that only look idle included");
	ok(strstr(result.message, " sessions=30;;;0;97 ") != NULL, "and the most there can be");
	ok(check(1.0, 0.1, true, true).status == PADV_CHECK_OK, "at a threshold is not above it");
	ok(check(1.0004, 0.1, true, true).status == PADV_CHECK_OK, "nor when it shows as the threshold");
	ok(check(1.001, 0.1, true, true).status == PADV_CHECK_WARNING, "above the first is a warning");
	ok(check(2.0, 0.1, true, true).status == PADV_CHECK_WARNING, "at the second is, too");
	ok(check(2.5, 0.1, true, true).status == PADV_CHECK_CRITICAL, "above the second is critical");

	result = check(9.0, 37.0, true, true);
	ok(result.status == PADV_CHECK_UNKNOWN && strstr(result.message, "37 s old") != NULL,
	   "an old sample says nothing: %s", result.message);
	ok(check(9.0, 0.1, true, false).status == PADV_CHECK_UNKNOWN, "nor one without a worker");
	result = check(9.0, 0.0, false, true);
	ok(result.status == PADV_CHECK_UNKNOWN && strstr(result.message, "no sample") != NULL,
	   "nor none: %s", result.message);
	near(result.load_ratio, 0.0, 0, "and figures that are not there are 0, not negative");
	near(check(2.9e-5, 2.9e-5, true, true).sample_age_seconds, 0.0, 0, "none is written with an exponent");
}

int
main(void)
{
	test_table();
	test_numbers_of_names();
	test_roles();
	test_ties();
	test_counted();
	test_limits();
	test_latency();
	test_text();
	test_histogram();
	test_text_without_sample();
	test_long_names();
	test_numbers();
	test_check_load();
	return tap_end();
}
