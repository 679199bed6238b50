/*
 * agent_funcs.c
 *		SQL function that answers HAProxy's agent check.
 *
 * Copies out what is published, and how far a standby has replayed.  Never waits for the
 * worker, and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/xlog.h"
#include "access/xlogrecovery.h"
#include "fmgr.h"
#include "replication/walreceiver.h"
#include "utils/timestamp.h"

#include "clock.h"
#include "compat.h"
#include "core/monitoring/agent_check.h"
#include "shmem/status_shmem.h"
#include "sql/arguments.h"
#include "sql/rows.h"
#include "sql/server_status.h"
#include "standby.h"

PG_FUNCTION_INFO_V1(pool_advisor_agent_check);

#define WAIT_CLASS_MASK 0xFF000000U

/*
 * Sessions and parallel workers in this event demand nothing: their client has to act, they
 * sleep, or they wait for an advisory lock.
 */
static bool
demands_nothing(uint32 wait_event)
{
	return wait_event != PADV_OTHER_EVENTS &&
		((wait_event & WAIT_CLASS_MASK) == PG_WAIT_CLIENT ||
		 padv_waits_for_advisory_lock(wait_event) ||
		 (wait_event & WAIT_CLASS_MASK) == PG_WAIT_TIMEOUT);
}

/* Mean of active sessions and parallel workers over the last 10 s. */
static double
active_of_10_seconds(void)
{
	PadvEventRow *events;
	int			count = padv_status_copy_events(&events);
	double		sum = 0.0;

	for (int i = 0; i < count; i++)
		if (!demands_nothing(events[i].wait_event))
			sum += events[i].active_avg[PADV_10_SECONDS] + events[i].parallel_avg[PADV_10_SECONDS];
	pfree(events);
	return sum;
}

static double
seconds_since(TimestampTz moment)
{
	return (double) (GetCurrentTimestamp() - moment) / 1e6;
}

static void
read_replay(PadvReplay *replay, const PadvStatus *status)
{
	TimestampTz chunk = GetCurrentChunkReplayStartTime();
	TimestampTz commit = GetLatestXTime();

	replay->streaming = padv_standby_streams();
	replay->all_replayed = padv_standby_has_replayed_all();
	replay->has_chunk = chunk != 0;
	replay->has_commit = commit != 0;
	replay->was_current = status->current_us != 0;
	replay->chunk_age = seconds_since(chunk);
	replay->commit_age = seconds_since(commit);
	replay->current_age = (double) (padv_monotonic_us() - status->current_us) / 1e6;
}

/* WAL that came a moment ago, after a pause, is replayed before it makes a standby lag. */
#define MOMENTS 10
#define MOMENT_US 1000

static bool
replays_soon(void)
{
	XLogRecPtr	received = GetWalRcvFlushRecPtr(NULL, NULL);

	for (int i = 0; i < MOMENTS; i++)
	{
		if (GetXLogReplayRecPtr(NULL) >= received)
			return true;
		pg_usleep(MOMENT_US);
	}
	return false;
}

/* By how many seconds a standby lags; 0 of a primary; negative when it is not known. */
static double
standby_lag(double max_lag, const PadvStatus *status)
{
	PadvReplay	replay = {0};
	double		lag;

	if (!RecoveryInProgress())
		return 0.0;
	read_replay(&replay, status);
	lag = padv_replay_lag(&replay);
	if (max_lag > 0.0 && lag > max_lag && replay.streaming && replays_soon())
		return 0.0;
	return lag;
}

static void
read_agent_input(PadvAgentInput *input)
{
	PadvLocalStatus local;
	const PadvCounts *last = &local.status.last;

	padv_read_local_status(&local, false);
	input->usable_connections = MaxConnections - padv_reserved_connections();
	input->lag = standby_lag(input->max_lag, &local.status);
	input->has_sample = !padv_sampling_stopped(&local);
	if (!input->has_sample)
		return;
	input->active = active_of_10_seconds();
	input->waiting = local.gate.waiting + last->logins_waiting;
	input->sessions = last->sessions;
	input->busy = input->active + (double) last->idle_in_transaction;
	input->optimal = padv_model_chosen(&local.status.model)->connections;
	input->pool_size = local.status.model.pool_size;
}

/*
 * agent_check(max_lag_seconds, proxies)
 */
Datum
pool_advisor_agent_check(PG_FUNCTION_ARGS)
{
	PadvAgentInput input = {.max_lag = -1.0};
	char		line[PADV_AGENT_LINE];

	padv_require_preloaded();
	padv_check_not_null(fcinfo, 1, "proxies");
	input.proxies = PG_GETARG_INT64(1);
	padv_check_size(input.proxies, 1, "proxies");
	if (!PG_ARGISNULL(0))
	{
		input.max_lag = PG_GETARG_FLOAT8(0);
		padv_check_argument(input.max_lag, true, "max_lag_seconds");
	}
	read_agent_input(&input);
	padv_agent_line(&input, line);
	PG_RETURN_TEXT_P(cstring_to_text(line));
}
