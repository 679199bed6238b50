/*
 * window_cost.c
 *		What padv_window_add and padv_window_digest cost for one sample.
 *
 * Prints the median nanoseconds of both together, with 30 wait events and 5
 * roles, and a sample quite unlike the one before, which is hardest on branch
 * prediction.  "usual" has a fifth of the sessions active, a tenth idle in
 * transaction and the rest idle; "active" has all of them active.  "cold"
 * is the usual mixture after the caches have been used for something else, as
 * they are between two samples of a busy server.
 *
 *		cc -O2 -std=gnu99 -Isrc test/bench/window_cost.c src/core/stats/window.c \
 *			src/core/stats/ring.c -o /tmp/window_cost && /tmp/window_cost
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/stats/window.h"

#define MAX_SESSIONS 2000
#define EVENTS 30
#define ROLES 5

#define VARIANTS 50				/* samples that differ, in turn */
#define ROUNDS 5000
#define COLD_ROUNDS 300
#define INTERVAL_US 100000

/* More than any second-level cache. */
#define COLD_BYTES (16 * 1024 * 1024)

static PadvSession variants[VARIANTS][MAX_SESSIONS];
static PadvSession sessions[MAX_SESSIONS];
static PadvDigest digest;
static volatile char cold[COLD_BYTES];
static int64_t clock_us = 0;

static uint32_t
next_random(uint32_t below)
{
	static uint64_t state = 1;

	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t) (state >> 33) % below;
}

static void
make_session(PadvSession *session, int slot, bool all_active)
{
	uint32_t	dice = next_random(10);
	uint32_t	event = next_random(EVENTS);

	memset(session, 0, sizeof(*session));
	session->status_index = slot;
	session->pid = 1000 + slot;
	session->role = 16384 + next_random(ROLES);
	session->state_start = next_random(1000);	/* each time another period */
	session->statement_start = next_random(1000);
	if (all_active || dice < 2)
	{
		session->state = PADV_STATE_ACTIVE;
		session->wait_event = event == 0 ? 0 : (1 + event % 9) << 24 | event;
		session->wait_class = (uint8_t) (event % PADV_WAIT_CLASSES);
		session->demands = true;
	}
	else
		session->state = dice == 2 ? PADV_STATE_IDLE_IN_TRANSACTION : PADV_STATE_IDLE;
	session->holds_horizon = dice == 2;
}

static double
once(PadvWindow *window, int count, int round)
{
	PadvSample	sample = {.count = count, .sessions = sessions};
	struct timespec from,
				to;

	/* as the sampler leaves it: just written */
	memcpy(sessions, variants[round % VARIANTS], (size_t) count * sizeof(PadvSession));
	clock_us += INTERVAL_US;
	sample.clock_us = clock_us;
	sample.taken_at = clock_us;

	clock_gettime(CLOCK_MONOTONIC, &from);
	padv_window_add(window, &sample);
	padv_window_digest(window, &digest);
	clock_gettime(CLOCK_MONOTONIC, &to);
	return (double) (to.tv_sec - from.tv_sec) * 1e9 + (double) (to.tv_nsec - from.tv_nsec);
}

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static double
median(PadvWindow *window, int count, bool all_active, bool flush)
{
	static double cost[ROUNDS];
	int			rounds = flush ? COLD_ROUNDS : ROUNDS;

	for (int v = 0; v < VARIANTS; v++)
		for (int i = 0; i < count; i++)
			make_session(&variants[v][i], i, all_active);
	padv_window_reset(window);
	for (int round = 0; round < rounds; round++)
	{
		for (int i = 0; flush && i < COLD_BYTES; i += 64)
			cold[i]++;
		cost[round] = once(window, count, round);
	}
	qsort(cost, (size_t) rounds, sizeof(double), compare);
	return cost[rounds / 2];
}

int
main(void)
{
	static const int counts[] = {10, 100, 1000, 2000};
	PadvWindow *window = padv_window_init(malloc(padv_window_size(MAX_SESSIONS)),
										  MAX_SESSIONS);

	printf("%8s %12s %12s %12s   (ns, median)\n", "sessions", "usual", "active", "cold");
	for (int i = 0; i < 4; i++)
	{
		double		usual = median(window, counts[i], false, false);
		double		active = median(window, counts[i], true, false);

		printf("%8d %12.0f %12.0f %12.0f\n", counts[i], usual, active,
			   median(window, counts[i], false, true));
	}
	free(window);
	return 0;
}
