/*
 * trial_runner.c
 *		Runs trials of limits on transactions.
 *
 * Owns the trial that runs, and the server's limit meanwhile.  The statistics and the
 * order of the slots are in core/model/trial.c.
 *
 * A trial never leaves a limit behind.  When it ends, the server's limit is what is set,
 * or with auto what it was before.  That is so when it is over, when a setting has
 * changed, and when this process ends, after an error too.  After a crash the server
 * starts with new memory, and the worker sets the limit.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgtime.h"
#include "storage/ipc.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "settings.h"
#include "shmem/shared_settings.h"
#include "shmem/trials_shmem.h"
#include "shmem/xact_slots.h"
#include "shmem/xact_stats.h"
#include "worker/trial_runner.h"

#define ONE_SECOND INT64CONST(1000000)

struct PadvTrialRunner
{
	bool		running;
	PadvTrial	trial;
	PadvTrialResult result;
	int			setting;		/* padv_server_max_active when it began */
	int64		published_at;	/* monotonic, microseconds */
	TimestampTz looked_at;		/* wall clock; for the trial of the day */
};

static void
end_at_exit(int code pg_attribute_unused(), Datum arg)
{
	padv_trial_runner_abandon((PadvTrialRunner *) DatumGetPointer(arg));
}

PadvTrialRunner *
padv_trial_runner_create(void)
{
	PadvTrialRunner *runner = palloc0(sizeof(PadvTrialRunner));

	runner->looked_at = GetCurrentTimestamp();
	before_shmem_exit(end_at_exit, PointerGetDatum(runner));
	return runner;
}

bool
padv_trial_runner_runs(const PadvTrialRunner *runner)
{
	return runner->running;
}

static PadvTrialReading
read_counters(int64 now)
{
	PadvXactStats transactions;

	padv_xact_stats_total(&transactions);
	return (PadvTrialReading) {
		.clock_us = now,
		.committed = transactions.committed,
		.ended = transactions.committed + transactions.rolled_back,
		.inside = transactions.inside_seconds,
	};
}

/* --- the life of a trial --- */

static void
start_trial(PadvTrialRunner *runner, const PadvModel *model, const PadvScalability *scalability, int64 now)
{
	PadvTrialReading reading = read_counters(now);
	PadvTrialResult *result = &runner->result;
	PadvTrials	trials;
	PadvServerSlots slots;

	padv_trials_copy(&trials);
	*result = trials.results[0];
	padv_slots_of_server(&slots);
	result->predicted = padv_model_predict(model, scalability, result->limit[PADV_ARM_A],
										   result->limit[PADV_ARM_B], slots.waiting);
	padv_trial_begin(&runner->trial, (double) (result->until - result->began) / ONE_SECOND,
					 (uint64) now ^ (uint64) MyProcPid << 32, &reading);
	runner->setting = padv_server_max_active;
	runner->published_at = now;
	runner->running = true;
	padv_trials_update(result);
}

static void
end_trial(PadvTrialRunner *runner, PadvTrialState state)
{
	runner->running = false;
	padv_slots_set_server_limit(padv_server_max_active != PADV_SERVER_MAX_ACTIVE_AUTO ?
								padv_server_max_active : runner->result.limit[PADV_ARM_A]);
	padv_trial_result_update(&runner->result, &runner->trial, GetCurrentTimestamp());
	runner->result.state = state;
	padv_trials_update(&runner->result);
}

void
padv_trial_runner_abandon(PadvTrialRunner *runner)
{
	if (runner->running)
		end_trial(runner, PADV_TRIAL_NO_WORKER);
}

/* Why the trial has to end now; PADV_TRIAL_RUNNING if it goes on. */
static PadvTrialState
reason_to_end(const PadvTrialRunner *runner)
{
	if (padv_trials_stop_requested())
		return PADV_TRIAL_ON_REQUEST;
	if (padv_server_max_active != runner->setting)
		return PADV_TRIAL_NEW_SETTING;
	if (padv_gate_enforcement_in_force() != PADV_ENFORCEMENT_ON)
		return PADV_TRIAL_NOT_ENFORCED;
	return PADV_TRIAL_RUNNING;
}

/* A step of the trial; returns how it has ended, or PADV_TRIAL_RUNNING. */
static PadvTrialState
go_on(PadvTrialRunner *runner, int64 now)
{
	PadvTrialReading reading = read_counters(now);
	PadvTrialArm arm = padv_trial_look(&runner->trial, &reading);

	if (runner->trial.over)
		return runner->trial.lost ? PADV_TRIAL_LOSES : PADV_TRIAL_FINISHED;
	padv_slots_set_server_limit(runner->result.limit[arm]);
	if (now - runner->published_at >= ONE_SECOND)
	{
		padv_trial_result_update(&runner->result, &runner->trial, GetCurrentTimestamp());
		padv_trials_update(&runner->result);
		runner->published_at = now;
	}
	return PADV_TRIAL_RUNNING;
}

/* --- the trial of the day --- */

/* The moment of today, in the time zone of the server, at which it is to begin. */
static bool
find_time_of_day(TimestampTz now, TimestampTz *at)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			zone;

	if (timestamp2tm(now, &zone, &tm, &fsec, NULL, session_timezone) != 0)
		return false;
	tm.tm_hour = padv_trial_at / MINS_PER_HOUR;
	tm.tm_min = padv_trial_at % MINS_PER_HOUR;
	tm.tm_sec = 0;
	zone = DetermineTimeZoneOffset(&tm, session_timezone);
	return tm2timestamp(&tm, 0, &zone, at) == 0;
}

/* Whether the time of day has come since the last call. */
static bool
time_has_come(PadvTrialRunner *runner)
{
	TimestampTz before = runner->looked_at;
	TimestampTz at;

	runner->looked_at = GetCurrentTimestamp();
	return padv_trial_at >= 0 && find_time_of_day(runner->looked_at, &at) &&
		before < at && at <= runner->looked_at;
}

static void
request_trial_of_day(PadvTrialRunner *runner, int32 limit, const PadvModel *model)
{
	int32		other = padv_model_trial_limit(model);
	PadvTrialResult result;

	if (!time_has_come(runner))
		return;
	result = padv_trial_result(runner->looked_at, PADV_TRIAL_OF_DAY_SECONDS, limit, other, true);
	if (padv_gate_enforcement_in_force() != PADV_ENFORCEMENT_ON)
		ereport(LOG, (errmsg("trial of limits was not started, because limits on transactions are not enforced")));
	else if (other == limit)
		ereport(LOG, (errmsg("trial of limits was not started, because the limit is %d already", limit)));
	else if (!padv_trials_request(&result))
		ereport(LOG, (errmsg("trial of limits was not started, because another one is running")));
}

bool
padv_trial_runner_look(PadvTrialRunner *runner, int32 limit, const PadvModel *model,
					   const PadvScalability *scalability, int64 now)
{
	PadvTrialState state;

	request_trial_of_day(runner, limit, model);
	if (!runner->running && padv_trials_take_request())
		start_trial(runner, model, scalability, now);
	if (!runner->running)
		return false;
	state = reason_to_end(runner);
	if (state == PADV_TRIAL_RUNNING)
		state = go_on(runner, now);
	if (state == PADV_TRIAL_RUNNING)
		return false;
	runner->result.busy_ratio = model->busy_ratio;
	end_trial(runner, state);
	return true;
}
