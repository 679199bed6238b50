/*
 * forecast_funcs.c
 *		SQL functions that forecast waiting from arrival rate, service time and
 *		size, or the size from the wait.
 *
 * Checks the arguments; the arithmetic is in core/sizing.  A result that is
 * infinite because the load is too high becomes NULL; one that does not fit is an
 * error.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"

#include "core/sizing/explain_size.h"
#include "core/sizing/queueing.h"
#include "core/sizing/thread_pool.h"
#include "shmem/status_shmem.h"
#include "sql/arguments.h"
#include "sql/rows.h"

PG_FUNCTION_INFO_V1(pool_advisor_pool_forecast);
PG_FUNCTION_INFO_V1(pool_advisor_thread_pool_forecast);
PG_FUNCTION_INFO_V1(pool_advisor_required_size);
PG_FUNCTION_INFO_V1(pool_advisor_explain_size);

static void
check_load(double arrival_rate, double service_time)
{
	padv_check_argument(arrival_rate, true, "arrival_rate");
	padv_check_argument(service_time, false, "service_time_seconds");
}

static void
check_queue_length(int64 queue_length)
{
	if (queue_length < PADV_UNBOUNDED || queue_length > PADV_MAX_QUEUE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"%s\": %lld", "queue_length",
						(long long) queue_length),
				 errhint("It must be between 0 and %lld, or -1 for a queue without a limit.",
						 (long long) PADV_MAX_QUEUE)));
}

static void
size_out_of_range(void)
{
	padv_out_of_range("pool size",
					  psprintf("More than %d connections would be needed; rates are per second, times are in seconds.",
							   PADV_MAX_SERVERS));
}

/* A figure that nothing bounds is NULL. */
static void
add_bounded(PadvRow *row, double value, bool stable)
{
	if (stable && isinf(value))
		padv_out_of_range("waiting time", "Give the service time in seconds.");
	padv_row_add(row, Float8GetDatum(value), !stable);
}

/*
 * pool_forecast(arrival_rate, service_time_seconds, pool_size, queue_length)
 */
Datum
pool_advisor_pool_forecast(PG_FUNCTION_ARGS)
{
	double		rate = PG_GETARG_FLOAT8(0);
	double		service = PG_GETARG_FLOAT8(1);
	int64		size = PG_GETARG_INT64(2);
	int64		queue_length = PG_GETARG_INT64(3);
	PadvPoolForecast forecast;
	PadvRow		row = {0};

	padv_require_preloaded();
	check_load(rate, service);
	padv_check_size(size, 1, "pool_size");
	check_queue_length(queue_length);

	padv_pool_forecast(rate, service, size, queue_length, &forecast);
	padv_row_float(&row, forecast.utilization);
	padv_row_float(&row, forecast.busy);
	add_bounded(&row, forecast.wait_seconds, forecast.stable);
	add_bounded(&row, forecast.p95_wait_seconds, forecast.stable);
	padv_row_float(&row, forecast.refused_ratio);
	padv_row_bool(&row, forecast.stable);
	return padv_row_return(&row, fcinfo);
}

/*
 * thread_pool_forecast(arrival_rate, service_time_seconds, core, max,
 * queue_length)
 */
Datum
pool_advisor_thread_pool_forecast(PG_FUNCTION_ARGS)
{
	double		rate = PG_GETARG_FLOAT8(0);
	double		service = PG_GETARG_FLOAT8(1);
	int64		core = PG_GETARG_INT64(2);
	int64		max = PG_GETARG_INT64(3);
	int64		queue_length = PG_GETARG_INT64(4);
	PadvThreadPoolForecast forecast;
	PadvRow		row = {0};

	padv_require_preloaded();
	check_load(rate, service);
	padv_check_size(core, 0, "core");
	padv_check_size(max, 1, "max");
	check_queue_length(queue_length);
	if (max < core)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"max\" must not be less than \"core\""),
				 errdetail("The pool starts its core threads first, and \"max\" includes them.")));

	padv_thread_pool_forecast(rate, service, core, max, queue_length, &forecast);
	padv_row_float(&row, forecast.threads);
	add_bounded(&row, forecast.queued, forecast.stable);
	add_bounded(&row, forecast.wait_seconds, forecast.stable);
	padv_row_float(&row, forecast.refused_ratio);
	padv_row_float(&row, forecast.max_reached_ratio);
	padv_row_bool(&row, forecast.stable);
	return padv_row_return(&row, fcinfo);
}

/*
 * required_size(arrival_rate, service_time_seconds, max_wait_seconds)
 */
Datum
pool_advisor_required_size(PG_FUNCTION_ARGS)
{
	double		rate = PG_GETARG_FLOAT8(0);
	double		service = PG_GETARG_FLOAT8(1);
	double		max_wait = PG_GETARG_FLOAT8(2);
	int64		size;

	padv_require_preloaded();
	check_load(rate, service);
	padv_check_argument(max_wait, false, "max_wait_seconds");

	size = padv_required_size(rate, service, max_wait);
	if (size == 0)
		size_out_of_range();
	PG_RETURN_INT64(size);
}

static void
check_sizing(const PadvSizing *sizing)
{
	padv_check_number(sizing->users, 1, "users");
	padv_check_argument(sizing->transactions_per_second, false, "transactions_per_second");
	padv_check_argument(sizing->service_seconds, false, "service_seconds");
	padv_check_size(sizing->processes, 1, "processes");
	padv_check_argument(sizing->wait_ratio, false, "wait_ratio");
}

/*
 * explain_size(users, transactions_per_second, service_seconds, processes,
 * wait_ratio)
 */
Datum
pool_advisor_explain_size(PG_FUNCTION_ARGS)
{
	PadvSizing	sizing = {
		.users = PG_GETARG_INT64(0),
		.transactions_per_second = PG_GETARG_FLOAT8(1),
		.service_seconds = PG_GETARG_FLOAT8(2),
		.processes = PG_GETARG_INT64(3),
		.wait_ratio = PG_GETARG_FLOAT8(4),
	};

	padv_require_preloaded();
	check_sizing(&sizing);
	switch (padv_size_pool(&sizing))
	{
		case PADV_SIZING_DONE:
			break;
		case PADV_SIZING_TOO_FEW_USERS:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%lld users cannot run %g transactions at once",
							(long long) sizing.users, sizing.busy),
					 errdetail("A user runs one transaction at a time, and transactions_per_second * service_seconds run at once on average.")));
			break;
		case PADV_SIZING_TOO_RARE:
			padv_out_of_range("time between two transactions of a user",
							  "Give the transactions per second of all users together.");
			break;
		case PADV_SIZING_TOO_LARGE:
			size_out_of_range();
			break;
	}

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	padv_explain_size(&sizing, padv_row_sentence, fcinfo);
	return (Datum) 0;
}
