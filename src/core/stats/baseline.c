/*
 * baseline.c
 *		What the last minutes were like, and what this time of day is like as a rule.
 *
 * Owns how far back both go.  Pure; the worker calls it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/baseline.h"

#include <math.h>
#include <string.h>

/* Buckets that are needed: a minute. */
#define LEAST_BUCKETS 6

#define MINUTE INT64_C(60000000)
#define DAY (INT64_C(1440) * MINUTE)

/* As far from the time of day a point still belongs to it. */
#define AROUND (30 * MINUTE)

/* Days that make something usual. */
#define LEAST_DAYS 3

void
padv_baseline_init(PadvBaseline *baseline)
{
	memset(baseline, 0, sizeof(*baseline));
}

static void
add_pace(PadvPace *sum, const PadvPace *pace, double weight)
{
	sum->throughput += pace->throughput * weight;
	sum->demand += pace->demand * weight;
	sum->lock += pace->lock * weight;
	sum->io += pace->io * weight;
}

void
padv_baseline_add(PadvBaseline *baseline, const PadvPace *pace, double seconds)
{
	PadvPace	mean = {0};

	baseline->seconds += seconds;
	add_pace(&baseline->sum, pace, seconds);
	if (baseline->seconds < PADV_BASELINE_SECONDS)
		return;
	add_pace(&mean, &baseline->sum, 1.0 / baseline->seconds);
	baseline->buckets[baseline->next] = mean;
	baseline->next = (baseline->next + 1) % PADV_BASELINE_BUCKETS;
	if (baseline->count < PADV_BASELINE_BUCKETS)
		baseline->count++;
	padv_baseline_skip(baseline);
}

void
padv_baseline_skip(PadvBaseline *baseline)
{
	baseline->seconds = 0.0;
	memset(&baseline->sum, 0, sizeof(baseline->sum));
}

bool
padv_baseline_mean(const PadvBaseline *baseline, PadvPace *mean)
{
	int			used = baseline->count - PADV_BASELINE_LAG;

	memset(mean, 0, sizeof(*mean));
	if (used < LEAST_BUCKETS)
		return false;
	for (int i = 0; i < used; i++)
	{
		int			back = PADV_BASELINE_LAG + 1 + i;

		add_pace(mean, &baseline->buckets[(baseline->next + PADV_BASELINE_BUCKETS - back) % PADV_BASELINE_BUCKETS],
				 1.0 / used);
	}
	return true;
}

/* --- this time of day --- */

void
padv_usual_begin(PadvUsual *usual, int64_t now)
{
	memset(usual, 0, sizeof(*usual));
	usual->now = now;
}

void
padv_usual_add(PadvUsual *usual, const PadvHistoryPoint *point)
{
	int64_t		age = usual->now - point->at;
	int64_t		day = (age + DAY / 2) / DAY;
	int64_t		off = age - day * DAY;

	/* today does not say what is usual */
	if (age <= 0 || day < 1 || day > PADV_USUAL_DAYS || off > AROUND || off < -AROUND)
		return;
	usual->seen[day - 1] = true;
	usual->active[day - 1] = fmax(usual->active[day - 1], (double) point->active_avg);
	usual->lock[day - 1] = fmax(usual->lock[day - 1], (double) point->in_class[PADV_WAITING_LOCK]);
	usual->io[day - 1] = fmax(usual->io[day - 1], (double) point->in_class[PADV_WAITING_IO] +
							  (double) point->in_class[PADV_WAITING_LWLOCK]);
}

/* The lower median over the days that were seen, so of three the second. */
static double
median_day(const PadvUsual *usual, const double *values)
{
	double		sorted[PADV_USUAL_DAYS];
	int			count = 0;

	for (int i = 0; i < PADV_USUAL_DAYS; i++)
	{
		int			place = count;

		if (!usual->seen[i])
			continue;
		for (; place > 0 && sorted[place - 1] > values[i]; place--)
			sorted[place] = sorted[place - 1];
		sorted[place] = values[i];
		count++;
	}
	return count < LEAST_DAYS ? 0.0 : sorted[(count - 1) / 2];
}

PadvPace
padv_usual_pace(const PadvUsual *usual)
{
	return (PadvPace) {
		.demand = median_day(usual, usual->active),
		.lock = median_day(usual, usual->lock),
		.io = median_day(usual, usual->io),
	};
}
