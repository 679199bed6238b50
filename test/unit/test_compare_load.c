/*
 * test_compare_load.c
 *		The load by key of two periods: without a change none is named, and the key whose load
 *		has changed is.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/stats/compare_load.h"
#include "draws.h"
#include "tap.h"

#define KEYS 8
#define SAMPLES 600

static PadvLoadSlot slots[2][PADV_LOAD_MOST_SLOTS];
static PadvLoadKeys keys[PADV_DIMENSIONS];
static PadvComparison rows[PADV_COMPARED_KEYS];

/* Keys 1, 2, ... of each dimension, each with so many sessions that go up and down. */
static PadvLoadSpan
run_load(PadvLoadSlot *to, int count, const double sessions[KEYS], const double blame[KEYS])
{
	double		state[KEYS];

	for (int k = 0; k < KEYS; k++)
		state[k] = 0.2 * normal();
	for (int i = 0; i < count; i++)
	{
		PadvLoadSlot *slot = &to[i];

		memset(slot, 0, offsetof(PadvLoadSlot, keys));
		slot->samples = SAMPLES;
		for (int k = 0; k < KEYS; k++)
		{
			double		sum;

			state[k] = 0.7 * state[k] + 0.14 * normal();
			sum = SAMPLES * sessions[k] * exp(state[k]);
			slot->sums[PADV_ON_CPU] += sum;
			slot->sums[PADV_BLAME] += SAMPLES * blame[k];
			for (int dimension = 0; dimension < PADV_DIMENSIONS; dimension++)
			{
				slot->keys[dimension][k] = (PadvLoadKey) {.key = (uint64_t) k + 1};
				slot->keys[dimension][k].sums[PADV_ON_CPU] = (float) sum;
				slot->keys[dimension][k].sums[PADV_BLAME] = (float) (SAMPLES * blame[k] * exp(state[k]));
				slot->count[dimension] = KEYS;
			}
		}
	}
	return (PadvLoadSpan) {.count = count, .slots = to};
}

static void
set_keys(int count)
{
	memset(keys, 0, sizeof(keys));
	for (int dimension = 0; dimension < PADV_DIMENSIONS; dimension++)
		for (int k = 0; k < count; k++)
			padv_load_keys_add(&keys[dimension], (uint64_t) k + 1);
}

static const double even[KEYS] = {4, 2, 1, 1, 0.5, 0.5, 0.2, 0.2};
static const double nobody[KEYS] = {0};

static int
compare(int nbefore, const double *before, int nafter, const double *after, const double *blame)
{
	PadvLoadSpan span_before = run_load(slots[0], nbefore, before, nobody);
	PadvLoadSpan span_after = run_load(slots[1], nafter, after, blame);

	return padv_compare_load(&span_before, &span_after, keys, rows);
}

static void
test_same(void)
{
	enum
	{
		CALLS = 400
	};
	int			named = 0;

	set_keys(KEYS);
	for (int i = 0; i < CALLS; i++)
	{
		static const int lengths[] = {5, 9, 24, 60};
		int			count = compare(lengths[i % 4], even, i % 8 < 4 ? 60 : lengths[i % 4], even, nobody);

		named += count > 0 && rows[0].change == PADV_CHANGE_REAL;
	}
	ok(named <= CALLS / 20, "without a change: one is named in %d of %d", named, CALLS);
}

static void
test_change(void)
{
	double		other[KEYS];
	double		blame[KEYS] = {0};
	int			found = 0;

	memcpy(other, even, sizeof(other));
	other[2] = 5.0;
	for (int i = 0; i < 100; i++)
	{
		int			count = compare(60, even, 60, other, nobody);

		/* the five dimensions have the same keys */
		found += count >= 5 && rows[0].key == 3 && rows[4].key == 3 && rows[0].change == PADV_CHANGE_REAL &&
			rows[0].dimension == 0 && rows[4].dimension == 4 && strcmp(rows[0].measure, "active_avg") == 0;
	}
	ok(found >= 95, "five times the load of a key is found, in %d of 100", found);
	ok(rows[0].before > 0.7 && rows[0].before < 1.4 && rows[0].after > 3.5 && rows[0].after < 7.0,
	   "with its load before and after: %.2f, %.2f", rows[0].before, rows[0].after);
	blame[1] = 6.0;
	ok(compare(60, even, 60, even, blame) > 0 && strcmp(rows[0].measure, "blame") == 0 && rows[0].key == 2 &&
	   rows[0].before == 0.0 && rows[0].change == PADV_CHANGE_REAL, "a key that blocks others: %s", rows[0].why);
}

/* Two periods of ten minutes: the older one has 9 intervals of a minute, as two hours have 5 of 10 minutes. */
static void
test_few_points(void)
{
	static const double busy[KEYS] = {22, 1, 1, 1, 0.5, 0.5, 0.2, 0.2};
	static const double calm[KEYS] = {1.4, 1, 1, 1, 0.5, 0.5, 0.2, 0.2};

	for (int hours = 0; hours < 2; hours++)
	{
		int			judged = 0;
		int			found = 0;

		for (int i = 0; i < 100; i++)
		{
			int			count = hours ? compare(5, busy, 5, calm, nobody) : compare(9, busy, 59, calm, nobody);

			judged += count > 0 && rows[0].change != PADV_CHANGE_UNKNOWN;
			found += count > 0 && rows[0].change == PADV_CHANGE_REAL && rows[0].key == 1;
		}
		ok(judged == 100 && found >= 20, "%s: a load that falls from 22 to 1.4 is judged, and in %d of 100 found in spite of noise",
		   hours ? "two hours" : "twice ten minutes", found);
	}
}

static void
test_ends(void)
{
	double		other[KEYS];

	memcpy(other, even, sizeof(other));
	other[0] = 0.0;
	ok(compare(3, even, 60, other, nobody) > 0 && rows[0].change == PADV_CHANGE_UNKNOWN && rows[0].key == 1,
	   "with few intervals nothing is named: %s", rows[0].why);
	ok(compare(60, even, 60, other, nobody) > 0 && rows[0].key == 1 && rows[0].after == 0.0, "a key that has gone");

	/* a key that was in the other period only */
	for (int i = 0; i < 60; i++)
		for (int dimension = 0; dimension < PADV_DIMENSIONS; dimension++)
			slots[0][i].keys[dimension][0].key = 99;
	padv_load_keys_add(&keys[0], 99);
	ok(padv_compare_load(&(PadvLoadSpan) {60, slots[0]}, &(PadvLoadSpan) {60, slots[1]}, keys, rows) > 0 &&
	   rows[0].dimension == 0 && rows[0].key == 99 && rows[0].after == 0.0, "or has another name");

	set_keys(2 * PADV_COMPARE_KEYS_MAX);
	ok(keys[0].count == PADV_COMPARE_KEYS_MAX, "there is room for so many keys");
	ok(compare(60, even, 60, other, nobody) <= PADV_COMPARED_KEYS, "and for so many rows");
	memset(keys, 0, sizeof(keys));
	ok(compare(60, even, 60, other, nobody) == 0, "none without keys");
}

int
main(void)
{
	srandom(21);
	test_same();
	test_change();
	test_few_points();
	test_ends();
	return tap_end();
}
