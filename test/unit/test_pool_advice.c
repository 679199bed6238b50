/*
 * test_pool_advice.c
 *		When declared pools are too many, and what is said of them.
 */
#include <stdlib.h>
#include <string.h>

#include "core/advice/pool_advice.h"
#include "core/sizing/client_config.h"
#include "tap.h"

static const PadvCurve no_curve;
static const PadvWaits no_waits;

static PadvAdvice advice[PADV_MAX_POOL_ADVICE];

/* Advice for pools of so many connections on a server with an optimum of 8. */
static int
advise(int64_t connections, double busy_ratio)
{
	PadvLocalStatus local;
	PadvStatus *status = &local.status;
	const PadvInputs inputs = {
		.physical_cores = 4, .logical_cpus = 4, .detected_cores = 4, .cores_setting = -1,
		.disks_known = true, .spindles_setting = -1, .quota = -1, .connections_per_core = 2,
		.max_connections = 100, .usable_connections = 97, .sample_interval_ms = 100,
	};
	const PadvDeclared declared = {
		.pools = 2, .connections = connections, .largest = "web", .largest_system = "hikaricp",
		.largest_processes = 4, .largest_connections = connections - connections / 3,
	};

	memset(&local, 0, sizeof(local));
	status->taken_at = 1;
	status->minute.demand = 1;
	padv_model_init(&status->model);
	padv_model_update(&status->model, &inputs, &status->minute, &status->load, &no_waits, &no_curve);
	status->model.pool_size = (int64_t) (8 / busy_ratio);
	return padv_advise_pools(&local, &declared, advice);
}

static bool
is(int n, PadvSeverity severity, const char *code)
{
	return advice[n].severity == severity && strcmp(advice[n].code, code) == 0;
}

static void
test_thresholds(void)
{
	ok(advise(16, 1) == 0, "twice what helps is no advice");
	ok(advise(17, 1) == 1 && is(0, PADV_INFO, "pools_larger_than_helps"), "more than twice is");
	ok(strstr(advice[0].finding, "17 connections together, 2.1 times the 8") != NULL, "with the sum and what helps");
	ok(advise(32, 0.5) == 0 && advise(33, 0.5) == 1, "what helps is pool_size, not optimal");
	ok(advise(97, 0.1) == 0, "all that the server has is no advice when that helps");
	ok(advise(98, 0.1) == 1 && is(0, PADV_WARNING, "pools_exceed_connections"), "more than it has is");
	ok(advise(98, 1) == 2 && is(0, PADV_WARNING, "pools_exceed_connections") &&
	   is(1, PADV_INFO, "pools_larger_than_helps"), "both, worst first");
}

static void
test_fix(void)
{
	advise(30, 1);
	ok(strcmp(advice[0].fix, "SELECT setting, value FROM pool_advisor.client_config('hikaricp', 4, 0.6666);") == 0,
	   "the largest pool keeps its part, rounded down");
	advise(3000000000000, 1);
	ok(strstr(advice[0].fix, "0.6666") != NULL, "whatever the sum");
	ok(strcmp(advice[0].subject, "pools") == 0, "the subject is the pools");
}

static void
test_limits(void)
{
	PadvLocalStatus nothing;
	char		name[101];
	PadvDeclared declared = {
		.pools = INT64_MAX, .connections = INT64_MAX, .largest = name, .largest_system = "node-postgres",
		.largest_processes = 1000000, .largest_connections = 1,
	};

	memset(&nothing, 0, sizeof(nothing));
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ok(padv_advise_pools(&nothing, &declared, advice) == 0, "nothing is said before the first sample");

	padv_model_init(&nothing.status.model);
	nothing.status.taken_at = 1;
	nothing.status.model.inputs.usable_connections = 262143;
	nothing.status.model.pool_size = 262143;
	ok(padv_advise_pools(&nothing, &declared, advice) == 2, "the largest sum there can be");
	for (int i = 0; i < 2; i++)
		ok(strlen(advice[i].finding) < sizeof(advice[i].finding) - 1 &&
		   strlen(advice[i].recommendation) < sizeof(advice[i].recommendation) - 1 &&
		   strlen(advice[i].fix) < sizeof(advice[i].fix) - 1, "and every text fits");
	ok(strstr(advice[0].fix, "0.0001") != NULL, "a part is never 0");
}

int
main(void)
{
	test_thresholds();
	test_fix();
	test_limits();
	return tap_end();
}
