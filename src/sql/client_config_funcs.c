/*
 * client_config_funcs.c
 *		SQL function that says what to set in the pool in front.
 *
 * Checks the arguments and copies the published status out; the rest is in the
 * pure core.  Never waits for the worker and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "core/sizing/client_config.h"
#include "shmem/status_shmem.h"
#include "sql/arguments.h"
#include "sql/rows.h"
#include "sql/server_status.h"

PG_FUNCTION_INFO_V1(pool_advisor_client_config);

/* Arguments by their places. */
enum
{
	ARG_SYSTEM,
	ARG_PROCESSES,
	ARG_SHARE,
	ARG_THREADS,
	ARG_CONNECTIONS_PER_THREAD,
};

static void
read_question(FunctionCallInfo fcinfo, PadvClientPlan *plan)
{
	padv_check_not_null(fcinfo, ARG_SYSTEM, "system");
	padv_check_not_null(fcinfo, ARG_PROCESSES, "processes");
	padv_check_not_null(fcinfo, ARG_SHARE, "share");
	padv_check_not_null(fcinfo, ARG_CONNECTIONS_PER_THREAD, "connections_per_thread");

	plan->system = padv_check_client_system(text_to_cstring(PG_GETARG_TEXT_PP(ARG_SYSTEM)));
	plan->processes = PG_GETARG_INT64(ARG_PROCESSES);
	padv_check_size(plan->processes, 1, "processes");
	plan->share = PG_GETARG_FLOAT8(ARG_SHARE);
	padv_check_argument(plan->share, false, "share");
	if (plan->share > 1.0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"%s\": %g", "share", plan->share),
				 errhint("It must be at most 1: the part of the server that these pools may use.")));
	if (!PG_ARGISNULL(ARG_THREADS))
	{
		plan->threads = PG_GETARG_INT64(ARG_THREADS);
		padv_check_size(plan->threads, 1, "threads");
	}
	plan->connections_per_thread = PG_GETARG_INT64(ARG_CONNECTIONS_PER_THREAD);
	padv_check_size(plan->connections_per_thread, 1, "connections_per_thread");
	if (plan->connections_per_thread > 1 && plan->threads == 0 &&
		plan->system->holding != PADV_HELD_BY_WORKER)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" needs \"%s\"", "connections_per_thread", "threads"),
				 errdetail("The pool size from which the threads cannot lock up depends on their number.")));
}

static void
read_plan_server(PadvClientPlan *plan)
{
	PadvLocalStatus local;
	const PadvModel *model = &local.status.model;

	padv_read_local_status(&local, false);
	if (local.status.taken_at == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no sample has been taken since the server started"),
				 errhint("Try again in a second; if that does not help, see the view pool_advisor.advice.")));
	plan->optimal = padv_model_chosen(model)->connections;
	plan->method = padv_method_name(model->chosen);
	plan->busy_ratio = local.status.model.busy_ratio;
	plan->busy_source = padv_busy_ratio_source(model);
	plan->stale_seconds = padv_sampling_stopped(&local) ? local.age_seconds : 0.0;
	plan->confidence = padv_confidence_name(padv_model_chosen(model)->confidence);
	if (model->pool.load.at != 0)
		plan->measured_at = pstrdup(timestamptz_to_str(model->pool.load.at));
	plan->throughput = model->pool.load.throughput;
	plan->sessions = model->pool.load.sessions;
	plan->executing = model->pool.load.executing;
	plan->pool_size = model->pool_size;
	plan->session_pool_size = model->session_pool_size;
	plan->max_connections = model->inputs.max_connections;
	plan->usable_connections = model->inputs.usable_connections;
}

static void
store_line(void *arg, const char *setting, const char *value, const char *reason)
{
	PadvRow		row = {0};

	padv_row_text(&row, setting);
	padv_row_text(&row, value);
	padv_row_text(&row, reason);
	padv_row_store(&row, (FunctionCallInfo) arg);
}

/*
 * client_config(system, processes, share, threads, connections_per_thread)
 */
Datum
pool_advisor_client_config(PG_FUNCTION_ARGS)
{
	PadvClientPlan plan = {0};

	padv_require_preloaded();
	read_question(fcinfo, &plan);
	read_plan_server(&plan);
	padv_plan_client(&plan);

	InitMaterializedSRF(fcinfo, 0);
	padv_client_config(&plan, store_line, fcinfo);
	return (Datum) 0;
}
