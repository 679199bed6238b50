/*
 * load_cost.c
 *		What padv_load_count costs for one sample, and the end of a second.
 *
 * Prints the median nanoseconds of a sample with so many sessions, all of them active: alike;
 * of 20 origins and 100 statements at random; each with its own; or each with a new one in each
 * sample.  "idle" has no active session.  "cold" is the second case after the caches have
 * been used for something else, as they are between two samples of a busy server.  The end of
 * a second, with ten samples of the last kind before it, is in microseconds.
 *
 *		cc -O2 -std=gnu99 -Isrc test/bench/load_cost.c src/core/stats/load_by.c \
 *			src/core/stats/tally.c src/core/stats/key_names.c -o /tmp/load_cost && /tmp/load_cost
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/stats/load_by.h"

#define MAX_SESSIONS 2000
#define ROUNDS 2000
#define COLD_ROUNDS 300

/* More than any second-level cache. */
#define COLD_BYTES (16 * 1024 * 1024)

typedef enum Mixture
{
	IDLE, ALIKE, MIXED, DIFFERENT, NEW, COLD
} Mixture;

static PadvLoadOpen current;
static PadvLoadSlot slot;
static PadvSession sessions[MAX_SESSIONS];
static PadvSessionKeys keys[MAX_SESSIONS];
static volatile char cold[COLD_BYTES];

static uint64_t
next_random(void)
{
	static uint64_t state = 1;

	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return state >> 20;
}

static void
make_sessions(Mixture mixture, int count)
{
	for (int i = 0; i < count; i++)
	{
		uint64_t	origin = 1;
		uint64_t	query = 1;

		if (mixture == MIXED || mixture == COLD)
		{
			origin = next_random() % 20;
			query = next_random() % 100;
		}
		else if (mixture == DIFFERENT)
			origin = query = (uint64_t) i;
		else if (mixture == NEW)
			origin = query = next_random();
		sessions[i].state = mixture == IDLE ? PADV_STATE_IDLE : PADV_STATE_ACTIVE;
		sessions[i].wait_class = (uint8_t) (next_random() % PADV_WAIT_CLASSES);
		sessions[i].role = (uint32_t) origin;
		sessions[i].database = 5;
		keys[i] = (PadvSessionKeys) {.origin = padv_key_of(&origin, sizeof(origin)), .application = origin,
		.client = origin, .query = padv_key_of(&query, sizeof(query))};
	}
}

static double
nanoseconds_since(const struct timespec *from)
{
	struct timespec to;

	clock_gettime(CLOCK_MONOTONIC, &to);
	return (double) (to.tv_sec - from->tv_sec) * 1e9 + (double) (to.tv_nsec - from->tv_nsec);
}

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Of a sample, or of the end of a second; ten samples a second. */
static double
median(Mixture mixture, int count, bool end)
{
	static double costs[ROUNDS];
	int			rounds = mixture == COLD ? COLD_ROUNDS : ROUNDS;
	int			ncosts = 0;

	memset(&current, 0, sizeof(current));
	make_sessions(mixture, count);
	for (int round = 0; round < rounds; round++)
	{
		PadvSample	sample = {.count = count, .sessions = sessions, .keys = keys};
		struct timespec from;

		if (mixture == MIXED || mixture == NEW || mixture == COLD)
			make_sessions(mixture, count);
		for (int i = 0; mixture == COLD && i < COLD_BYTES; i += 64)
			cold[i]++;
		clock_gettime(CLOCK_MONOTONIC, &from);
		while (padv_load_end_next(&current, 1000000 + round / 10, &slot))
			;
		if (end && round % 10 == 0 && round > 0)
			costs[ncosts++] = nanoseconds_since(&from);
		if (!end)
			clock_gettime(CLOCK_MONOTONIC, &from);
		padv_load_count(&current, &sample);
		if (!end)
			costs[ncosts++] = nanoseconds_since(&from);
	}
	qsort(costs, (size_t) ncosts, sizeof(double), compare);
	return costs[ncosts / 2];
}

int
main(void)
{
	static const int counts[] = {10, 100, 1000, 2000};

	printf("%8s %10s %10s %10s %10s %10s %10s %14s\n", "sessions", "idle", "alike", "mixed", "different", "new",
		   "cold", "a second, us");
	for (int i = 0; i < 4; i++)
	{
		printf("%8d", counts[i]);
		for (Mixture mixture = IDLE; mixture <= COLD; mixture++)
			printf(" %10.0f", median(mixture, counts[i], false));
		printf(" %14.1f\n", median(NEW, counts[i], true) / 1e3);
	}
	return 0;
}
