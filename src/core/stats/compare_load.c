/*
 * compare_load.c
 *		Whose load changed between two periods, and whether that is more than noise.
 *
 * An interval of a period is a point of each key, with the load that it had then.  So the
 * noise of a key is known as that of a measure of the history is.  A key that is not kept of
 * an interval had little load in it, and counts as nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <string.h>

#include "core/stats/compare_load.h"

/* A smaller part of all sessions is not worth a row. */
#define WORTH_A_ROW 0.02

void
padv_load_keys_add(PadvLoadKeys *keys, uint64_t key)
{
	for (int i = 0; i < keys->count; i++)
		if (keys->keys[i] == key)
			return;
	if (keys->count < PADV_COMPARE_KEYS_MAX)
		keys->keys[keys->count++] = key;
}

static double
active_sum(const float *sums)
{
	double		sum = 0.0;

	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		sum += (double) sums[class];
	return sum;
}

/* What an interval has of a key. */
static double
sum_of_key(const PadvLoadSlot *slot, int dimension, uint64_t key, bool blame)
{
	for (int i = 0; i < slot->count[dimension]; i++)
	{
		const PadvLoadKey *found = &slot->keys[dimension][i];

		if (found->key == key)
			return blame ? (double) found->sums[PADV_BLAME] : active_sum(found->sums);
	}
	return 0.0;
}

/* Sessions that were active on average. */
static double
mean_sessions(const PadvLoadSpan *span)
{
	double		sum = 0.0;
	double		samples = 0.0;

	for (int i = 0; i < span->count; i++)
	{
		for (int class = 0; class < PADV_WAIT_CLASSES; class++)
			sum += span->slots[i].sums[class];
		samples += (double) span->slots[i].samples;
	}
	return samples > 0.0 ? sum / samples : 0.0;
}

static int
make_points(const PadvLoadSpan *span, int dimension, uint64_t key, bool blame,
			PadvHistoryPoint points[PADV_LOAD_MOST_SLOTS])
{
	memset(points, 0, (size_t) span->count * sizeof(*points));
	for (int i = 0; i < span->count; i++)
		points[i].active_avg = (float) (sum_of_key(&span->slots[i], dimension, key, blame) /
										(double) span->slots[i].samples);
	return span->count;
}

/* Put a row among the largest. */
static int
keep_row(PadvComparison rows[PADV_COMPARED_KEYS], int count, const PadvComparison *row)
{
	PadvComparison pair[2];

	if (count < PADV_COMPARED_KEYS)
	{
		rows[count++] = *row;
		padv_compare_sort(rows, count);
		return count;
	}
	pair[0] = rows[count - 1];
	pair[1] = *row;
	padv_compare_sort(pair, 2);
	rows[count - 1] = pair[0];
	padv_compare_sort(rows, count);
	return count;
}

int
padv_compare_load(const PadvLoadSpan *before, const PadvLoadSpan *after,
				  const PadvLoadKeys keys[PADV_DIMENSIONS], PadvComparison rows[PADV_COMPARED_KEYS])
{
	PadvHistoryPoint points[2][PADV_LOAD_MOST_SLOTS];
	double		sessions_before = mean_sessions(before);
	double		sessions_after = mean_sessions(after);
	double		sessions = sessions_before > sessions_after ? sessions_before : sessions_after;
	int			parts = 0;
	int			count = 0;

	for (int dimension = 0; dimension < PADV_DIMENSIONS; dimension++)
		parts += 2 * keys[dimension].count;
	for (int dimension = 0; dimension < PADV_DIMENSIONS; dimension++)
	{
		for (int i = 0; i < 2 * keys[dimension].count; i++)
		{
			uint64_t	key = keys[dimension].keys[i / 2];
			bool		blame = i % 2 == 1;
			int			nbefore = make_points(before, dimension, key, blame, points[0]);
			int			nafter = make_points(after, dimension, key, blame, points[1]);
			PadvComparison row;

			padv_compare_part(blame ? "blame" : "active_avg", points[0], nbefore, points[1], nafter,
							  sessions, parts, &row);
			row.dimension = dimension;
			row.key = key;
			if (row.share >= WORTH_A_ROW)
				count = keep_row(rows, count, &row);
		}
	}
	return count;
}
