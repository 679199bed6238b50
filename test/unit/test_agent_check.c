/*
 * test_agent_check.c
 *		The line for HAProxy: from headroom to a weight and a number of connections.
 */
#include <string.h>

#include "core/monitoring/agent_check.h"
#include "tap.h"

/* A server of 10 with 40 of 97 sessions, a quarter of which are at work. */
static PadvAgentInput
quiet(void)
{
	return (PadvAgentInput) {
		.has_sample = true, .active = 2.0, .sessions = 40, .busy = 4.0, .optimal = 10, .pool_size = 12,
		.usable_connections = 97, .proxies = 1, .max_lag = -1.0, .lag = 0.0};
}

static void
line_is(PadvAgentInput input, const char *expected, const char *name)
{
	char		line[PADV_AGENT_LINE];

	padv_agent_line(&input, line);
	if (!ok(strcmp(line, expected) == 0, "%s", name))
		printf("# %s\n", line);
}

static void
test_weight(void)
{
	PadvAgentInput input = quiet();

	input.active = 0.0;
	input.busy = 0.0;
	input.sessions = 0;
	line_is(input, "up 100% maxconn:97", "nothing to do");
	input = quiet();
	input.sessions = 20;
	line_is(input, "up 79% maxconn:60", "connections are the scarcer of the two");
	input.active = 4.5;
	line_is(input, "up 55% maxconn:60", "sessions at work are");
	input.active = 10.0;
	line_is(input, "up 1% maxconn:60", "at the optimum a server is not taken out");
	input.active = 500.0;
	line_is(input, "up 1% maxconn:60", "nor far beyond it");
	input = quiet();
	input.active = 1.0;
	input.waiting = 3;
	line_is(input, "up 59% maxconn:97", "those that wait count, while connections are left");
	input.waiting = 7;
	line_is(input, "up 20% maxconn:97", "and then they decide");
	input = quiet();
	input.sessions = 200;
	line_is(input, "up 1% maxconn:97", "more sessions than ordinary roles can have");
}

static void
test_connections(void)
{
	PadvAgentInput input = quiet();

	input.usable_connections = 1000;
	line_is(input, "up 80% maxconn:120", "so many sessions as these keep the pool busy");
	input.busy = 40.0;
	line_is(input, "up 80% maxconn:12", "if each is busy, it is pool_size");
	input.busy = 80.0;
	line_is(input, "up 80% maxconn:12", "never less");
	input.proxies = 5;
	line_is(input, "up 80% maxconn:2", "each proxy gets its part");
	input.proxies = 100;
	line_is(input, "up 80% maxconn:1", "and at least one");
	input = quiet();
	input.pool_size = 0;
	line_is(input, "up 59% maxconn:97", "without a measured size there is the server's bound");
	input = quiet();
	input.busy = 0.001;
	line_is(input, "up 59% maxconn:97", "which is never exceeded");
}

static void
test_states(void)
{
	PadvAgentInput input = quiet();

	input.max_lag = 5.0;
	input.lag = 5.0;
	line_is(input, "up 59% maxconn:97", "a lag that is allowed");
	input.lag = 5.1;
	line_is(input, "up 0% maxconn:97", "one that is not");
	input.lag = -1.0;
	line_is(input, "up 0% maxconn:97", "one that is not known");
	input.max_lag = -1.0;
	line_is(input, "up 59% maxconn:97", "without a bound it does not matter");
	input = (PadvAgentInput) {.usable_connections = 97, .proxies = 1, .max_lag = -1.0};
	line_is(input, "up 100% maxconn:97", "without a sample it is as without an agent");
	input.max_lag = 0.0;
	input.lag = 0.5;
	line_is(input, "up 0% maxconn:97", "but for the lag");
}

static bool
lags_by(PadvReplay replay, double expected)
{
	double		lag = padv_replay_lag(&replay);

	return expected < 0.0 ? lag < 0.0 : lag == expected;
}

static void
test_lag(void)
{
	PadvReplay	replay = {.streaming = true, .has_chunk = true, .has_commit = true, .chunk_age = 0.05, .commit_age = 90.0};

	ok(lags_by(replay, 0.05), "one long transaction of the primary is no lag");
	replay.chunk_age = 40.0;
	replay.commit_age = 0.2;
	ok(lags_by(replay, 0.2), "nor is replay that is always a moment behind");
	replay.commit_age = 60.0;
	ok(lags_by(replay, 40.0), "replay that does not go on is");
	replay.commit_age = -3600.0;
	ok(lags_by(replay, 40.0), "with a clock of the primary that is ahead, too");
	replay.has_commit = false;
	ok(lags_by(replay, 40.0), "and without any transaction");
	replay.all_replayed = true;
	ok(lags_by(replay, 0.0), "all that was sent is replayed");
	replay = (PadvReplay) {.has_chunk = true, .has_commit = true, .all_replayed = true, .chunk_age = 1.0, .commit_age = 60.0};
	ok(lags_by(replay, 60.0), "without a primary the last transaction counts");
	replay.commit_age = -5.0;
	ok(lags_by(replay, 0.0), "which cannot be of the future");
	replay.was_current = true;
	replay.current_age = 3.0;
	ok(lags_by(replay, 3.0), "but for a standby that was seen to have all");
	replay.commit_age = 60.0;
	ok(lags_by(replay, 3.0), "which lacks nothing older, though the last transaction is");
	replay.commit_age = 2.0;
	ok(lags_by(replay, 2.0), "and is not behind a later one that it has replayed");
	replay.has_commit = false;
	ok(lags_by(replay, 3.0), "nor is it forgotten without any");
	replay.was_current = false;
	ok(lags_by(replay, -1.0), "and if there was none, it is not known");
	replay.streaming = true;
	replay.has_chunk = replay.all_replayed = false;
	ok(lags_by(replay, -1.0), "nor is it where nothing was replayed");
}

int
main(void)
{
	test_lag();
	test_weight();
	test_connections();
	test_states();
	return tap_end();
}
