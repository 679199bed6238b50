/*
 * trial_funcs.c
 *		SQL functions that start, stop and show trials of limits on transactions.
 *
 * Starting and stopping are requests, which the worker takes up within about 0.1 s.  No
 * function waits for it.  The install script grants the privileges.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/advice/trial_words.h"
#include "core/text/emit.h"
#include "shmem/shared_settings.h"
#include "shmem/status_shmem.h"
#include "shmem/trials_shmem.h"
#include "sql/arguments.h"
#include "sql/rows.h"
#include "sql/server_status.h"

PG_FUNCTION_INFO_V1(pool_advisor_trial);
PG_FUNCTION_INFO_V1(pool_advisor_trial_stop);
PG_FUNCTION_INFO_V1(pool_advisor_trials);

/* --- starting and stopping --- */

static double
check_duration(const Interval *duration)
{
	double		seconds = ((double) duration->month * DAYS_PER_MONTH + duration->day) * SECS_PER_DAY +
		(double) duration->time / USECS_PER_SEC;

	if (!(seconds >= PADV_TRIAL_LEAST_SECONDS && seconds <= PADV_TRIAL_MOST_SECONDS))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"duration\": %s",
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(duration)))),
				 errhint("It must be from %.0f seconds to an hour.", PADV_TRIAL_LEAST_SECONDS)));
	return seconds;
}

/* The limit of arm B: the argument, or NULL for the model's number. */
static int32
read_max_active(FunctionCallInfo fcinfo, const PadvLocalStatus *local)
{
	int32		limit;

	if (PG_ARGISNULL(1) && local->status.taken_at == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the optimum is not known yet, because no sample has been taken"),
				 errhint("Give a number as \"max_active\", or try again in a second.")));
	if (PG_ARGISNULL(1))
		return padv_model_trial_limit(&local->status.model);
	limit = PG_GETARG_INT32(1);
	if (limit != PADV_UNLIMITED && (limit < 1 || limit > (int32) MAX_BACKENDS))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"max_active\": %d", limit),
				 errhint("It must be a number of transactions from 1 to %d, or -1 for no limit.",
						 (int) MAX_BACKENDS)));
	return limit;
}

/* A trial needs the worker, and limits that hold. */
static void
check_can_run(const PadvLocalStatus *local)
{
	if (!local->worker_running)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a trial cannot start, because the worker of pool_advisor is not running"),
				 errhint("The server log says why. The server starts the worker again after 5 seconds.")));
	if (padv_gate_enforcement_in_force() != PADV_ENFORCEMENT_ON)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a trial cannot start, because limits on transactions are not enforced"),
				 errhint("Set \"pool_advisor.enforcement\" and \"pool_advisor.gate_enforcement\" to on, and reload the server.")));
}

static void
refuse_second_trial(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("a trial is already running"),
			 errhint("Wait until it ends, as the view pool_advisor.trials says, or call pool_advisor.trial_stop().")));
}

/*
 * trial(duration, max_active): request a trial, and return what was requested.
 */
Datum
pool_advisor_trial(PG_FUNCTION_ARGS)
{
	PadvLocalStatus local;
	PadvTrialResult trial;
	PadvRow		row = {0};
	Datum		requested;
	double		seconds;
	int32		limit_a,
				limit_b;

	padv_require_preloaded();
	padv_check_not_null(fcinfo, 0, "duration");
	seconds = check_duration(PG_GETARG_INTERVAL_P(0));
	padv_read_local_status(&local, false);
	limit_b = read_max_active(fcinfo, &local);
	check_can_run(&local);
	if (local.gate.trial)
		refuse_second_trial();
	limit_a = padv_slot_stats_base(&local.gate, &local.status.control);
	trial = padv_trial_result(GetCurrentTimestamp(), seconds, limit_a, limit_b,
							  limit_b == padv_model_trial_limit(&local.status.model));

	/* what can fail comes before the request */
	padv_row_text(&row, padv_trial_state_name(trial.state));
	padv_row_add(&row, TimestampTzGetDatum(trial.until), false);
	padv_row_int(&row, limit_a);
	padv_row_int(&row, limit_b);
	requested = padv_row_return(&row, fcinfo);
	if (!padv_trials_request(&trial))
		refuse_second_trial();
	return requested;
}

/*
 * trial_stop(): whether a trial ran, which then ends.
 */
Datum
pool_advisor_trial_stop(FunctionCallInfo fcinfo pg_attribute_unused())
{
	padv_require_preloaded();
	PG_RETURN_BOOL(padv_trials_request_stop());
}

/* --- showing --- */

/* NULL where nothing was counted, or the figure is not known. */
static void
add_quotient(PadvRow *row, double sum, double count)
{
	padv_row_known_rounded(row, count > 0.0 && sum >= 0.0 ? sum / count : -1.0);
}

static void
add_ratio(PadvRow *row, const PadvTrialRatio *ratio)
{
	add_quotient(row, ratio->ratio, 1.0);
	add_quotient(row, ratio->low, 1.0);
	add_quotient(row, ratio->high, 1.0);
}

static void
store_trial(FunctionCallInfo fcinfo, const PadvTrialResult *trial)
{
	const PadvTrialSums *a = &trial->total[PADV_ARM_A];
	const PadvTrialSums *b = &trial->total[PADV_ARM_B];
	PadvTrialVerdict verdict = padv_trial_verdict(trial);
	char		text[PADV_SENTENCE];
	PadvRow		row = {0};

	padv_trial_explain(trial, text, sizeof(text));
	padv_row_add(&row, TimestampTzGetDatum(trial->began), false);
	padv_row_add(&row, TimestampTzGetDatum(trial->until), false);
	padv_row_add(&row, TimestampTzGetDatum(trial->updated), trial->state == PADV_TRIAL_RUNNING);
	padv_row_text(&row, padv_trial_state_name(trial->state));
	padv_row_int(&row, trial->limit[PADV_ARM_A]);
	padv_row_int(&row, trial->limit[PADV_ARM_B]);
	padv_row_rounded(&row, a->seconds);
	padv_row_rounded(&row, b->seconds);
	add_quotient(&row, a->committed, a->seconds);
	add_quotient(&row, b->committed, b->seconds);
	add_quotient(&row, a->inside, a->ended);
	add_quotient(&row, b->inside, b->ended);
	add_ratio(&row, &trial->throughput);
	add_ratio(&row, &trial->latency);
	add_quotient(&row, trial->predicted, 1.0);
	padv_row_add(&row, CStringGetTextDatum(padv_trial_verdict_name(verdict)), verdict == PADV_TRIAL_NO_VERDICT);
	padv_row_text(&row, text);
	padv_row_store(&row, fcinfo);
}

/*
 * One row for each trial, the newest first.
 */
Datum
pool_advisor_trials(PG_FUNCTION_ARGS)
{
	PadvTrials *trials;
	bool		worker_running;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	trials = palloc(sizeof(PadvTrials));
	worker_running = padv_worker_running();
	padv_trials_copy(trials);

	/* the next worker will note that */
	if (!worker_running && padv_trials_run(trials))
		trials->results[0].state = PADV_TRIAL_NO_WORKER;
	for (int i = 0; i < trials->count; i++)
		store_trial(fcinfo, &trials->results[i]);
	return (Datum) 0;
}
