/*
 * latency_cost.c
 *		What it costs to count a transaction by its duration.
 *
 * Prints the median nanoseconds of padv_latency_bucket and of the increment: with durations
 * that are alike, with random ones of all decades, and after the caches have been used for
 * something else, as they are when a thousand sessions take turns.
 *
 *		cc -O2 -std=gnu99 -Isrc test/bench/latency_cost.c src/core/stats/latency.c \
 *			-lm -o /tmp/latency_cost && /tmp/latency_cost
 *
 * With an argument it only counts a hundred million random durations, for a profiler.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/stats/latency.h"

#define VARIANTS 4096
#define BATCH 100000
#define ROUNDS 101
#define COLD_BYTES (16 * 1024 * 1024)

static int64_t durations[VARIANTS];
static uint32_t counts[PADV_LATENCY_BUCKETS];
static volatile char cold[COLD_BYTES];

static double
nanoseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double) now.tv_sec * 1e9 + (double) now.tv_nsec;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return left < right ? -1 : left > right;
}

static void
count_duration(int64_t us)
{
	volatile uint32_t *count = &counts[padv_latency_bucket(us)];

	*count = *count + 1;
}

static void
draw(double least, double most)
{
	for (int i = 0; i < VARIANTS; i++)
		durations[i] = (int64_t) exp(least + (most - least) * (double) random() / (double) RAND_MAX);
}

static void
report(const char *name, double *took, int batch)
{
	qsort(took, ROUNDS, sizeof(double), compare_doubles);
	printf("%24s %8.1f ns\n", name, took[ROUNDS / 2] / batch);
}

static void
measure_warm(const char *name)
{
	double		took[ROUNDS];

	for (int round = 0; round < ROUNDS; round++)
	{
		double		started = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);

		for (int i = 0; i < BATCH; i++)
			count_duration(durations[i % VARIANTS]);
		took[round] = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - started;
	}
	report(name, took, BATCH);
}

/* One at a time; the clock alone is taken off. */
static void
measure_cold(void)
{
	double		took[ROUNDS];

	for (int round = 0; round < ROUNDS; round++)
	{
		double		started;
		double		between;

		for (int i = 0; i < COLD_BYTES; i += 64)
			cold[i]++;
		started = nanoseconds(CLOCK_MONOTONIC);
		between = nanoseconds(CLOCK_MONOTONIC);
		count_duration(durations[round]);
		took[round] = nanoseconds(CLOCK_MONOTONIC) - between - (between - started);
	}
	report("cold caches", took, 1);
}

int
main(int argc, char **argv)
{
	(void) argv;
	draw(log(10.0), log(1e10));
	if (argc > 1)
	{
		for (int i = 0; i < 100000000; i++)
			count_duration(durations[i % VARIANTS]);
		return 0;
	}
	measure_warm("random durations");
	measure_cold();
	draw(log(300.0), log(320.0));
	measure_warm("durations that are alike");
	return 0;
}
