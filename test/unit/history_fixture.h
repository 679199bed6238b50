/*
 * history_fixture.h
 *		Made-up points, and what must be true of every history.
 *
 * Used by the unit tests of the history and of its file, and by the fuzzer.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_HISTORY_KIT_H
#define PADV_HISTORY_KIT_H

#include <stdlib.h>
#include <string.h>

#include "core/stats/history.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

/* Some day in 2026, at a full hour. */
#define SOME_DAY (INT64_C(228000) * HOUR)

static uint64_t seed = 1;

static inline int64_t
random_below(int64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (int64_t) ((seed >> 16) % (uint64_t) below);
}

static inline float
random_figure(float greatest)
{
	if (random_below(10) == 0)
		return -1.0f;
	return greatest * (float) random_below(1000) / 1000.0f;
}

static inline PadvHistoryPoint
random_point(int64_t at)
{
	PadvHistoryPoint point = {.at = at};

	point.active_avg = random_figure(200.0f);
	point.active_max = random_figure(300.0f);
	point.idle = random_figure(500.0f);
	point.idle_in_transaction = random_figure(50.0f);
	point.queued = random_figure(1000.0f);
	for (int i = 0; i < PADV_WAIT_CLASSES; i++)
		point.in_class[i] = random_figure(100.0f);
	point.io_wait_ratio = random_figure(1.0f);
	point.cpu_utilization = random_figure(1.0f);
	point.transactions_per_second = random_figure(50000.0f);
	point.optimal = random_figure(64.0f);
	return point;
}

/* All points of a resolution, in chunks as a reader takes them. */
static inline int
read_all(const PadvHistory *history, PadvResolution resolution, PadvHistoryPoint *points)
{
	uint64_t	cursor = 0;
	int			count = 0;
	int			n;

	while ((n = padv_history_copy(history, resolution, &cursor, points + count, 256)) > 0)
		count += n;
	return count;
}

/* Whether the points are sound, in order, and where they belong. */
static inline bool
is_consistent(const PadvHistory *history)
{
	static PadvHistoryPoint points[PADV_HISTORY_FIVE_MINUTES + 256];

	for (PadvResolution resolution = 0; resolution < PADV_RESOLUTIONS; resolution++)
	{
		int			count = read_all(history, resolution, points);

		if (count != (int) history->rings[resolution].count ||
			count > padv_history_size(resolution))
			return false;
		for (int i = 0; i < count; i++)
		{
			if (!padv_history_sound(&points[i]) || (i > 0 && points[i].at <= points[i - 1].at))
				return false;
			if (resolution != PADV_HISTORY_1_SECOND &&
				points[i].at % padv_resolution_us(resolution) != 0)
				return false;
		}
	}
	return padv_history_curve_sound(history->curve, history->ncurve);
}

#endif							/* PADV_HISTORY_KIT_H */
