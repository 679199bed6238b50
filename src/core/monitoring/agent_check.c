/*
 * agent_check.c
 *		The line for HAProxy's agent check.
 *
 * Owns the rules that turn headroom into a weight and a number of connections, and what
 * the lag of a standby is.  Pure.
 *
 * Each line is complete: HAProxy keeps what a line leaves out, so a line that depended on an
 * earlier one would leave a server with a weight that nothing explains.
 *
 * A standby that lags too far gets the weight 0, with which HAProxy sends it no new
 * connection.  The word "drain" would do the same, but only the word "ready" ends it, and
 * "ready" also ends the maintenance that an administrator has set.
 *
 * While WAL comes in, both ages are upper bounds of the lag.  The last transaction is old
 * where the primary commits seldom, as during one long one.  What was received last can be
 * old where replay is always a moment behind.  So the lesser of the two counts.
 *
 * While no WAL comes in, the standby lacks at most what was committed since it had last
 * replayed all.  That was a moment ago when a quiet primary goes, whose last transaction is
 * old.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>

#include "core/monitoring/agent_check.h"

/* The share of `room` that is left, 0..1. */
static double
left_of(double room, double taken)
{
	return room <= 0.0 ? 0.0 : fmax(1.0 - fmax(taken, 0.0) / room, 0.0);
}

/* In percent: 100 with nothing to do, and 1, never 0, at the optimum and beyond it. */
static int
weight(const PadvAgentInput *input)
{
	double		left;

	if (!input->has_sample)
		return 100;
	left = fmin(left_of((double) input->optimal, input->active + (double) input->waiting),
				left_of((double) input->usable_connections, (double) input->sessions));
	return (int) fmax(floor(left * 100.0 + 0.5), 1.0);
}

/*
 * How many sessions like those of now keep pool_size of them busy: all of them if no
 * session is busy, pool_size if all are.  One proxy gets its part.
 */
static int64_t
connections(const PadvAgentInput *input)
{
	double		most = (double) input->usable_connections;

	if (input->has_sample && input->pool_size > 0 && input->busy > 0.0 && input->sessions > 0)
		most = fmin(most, (double) input->pool_size * fmax((double) input->sessions / input->busy, 1.0));
	return (int64_t) fmax(floor(most / (double) input->proxies), 1.0);
}

/* While no WAL comes in. */
static double
lag_without_primary(const PadvReplay *replay)
{
	double		since_commit = fmax(replay->commit_age, 0.0);

	if (!replay->was_current)
		return replay->has_commit ? since_commit : -1.0;

	/* a transaction of the future is of a clock that is ahead */
	if (replay->has_commit && replay->commit_age >= 0.0)
		return fmin(replay->commit_age, replay->current_age);
	return replay->current_age;
}

double
padv_replay_lag(const PadvReplay *replay)
{
	if (!replay->streaming)
		return lag_without_primary(replay);
	if (replay->all_replayed)
		return 0.0;
	if (!replay->has_chunk)
		return lag_without_primary(replay);
	if (replay->has_commit && replay->commit_age >= 0.0)
		return fmin(replay->commit_age, replay->chunk_age);
	return replay->chunk_age;
}

static bool
lags(const PadvAgentInput *input)
{
	return input->max_lag >= 0.0 && (input->lag < 0.0 || input->lag > input->max_lag);
}

void
padv_agent_line(const PadvAgentInput *input, char line[PADV_AGENT_LINE])
{
	snprintf(line, PADV_AGENT_LINE, "up %d%% maxconn:%lld",
			 lags(input) ? 0 : weight(input), (long long) connections(input));
}
