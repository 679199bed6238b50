/*
 * compare_funcs.c
 *		SQL function that compares two periods of the history.
 *
 * Copies the points out, in each resolution, and the intervals of the load by key, and has
 * the pure core compare them.  Never waits for the worker and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "clock.h"
#include "core/stats/compare.h"
#include "core/stats/compare_load.h"
#include "shmem/history_shmem.h"
#include "shmem/load_shmem.h"
#include "shmem/status_shmem.h"
#include "sql/arguments.h"
#include "sql/load_rows.h"
#include "sql/rows.h"

PG_FUNCTION_INFO_V1(pool_advisor_compare);

/* All points of a resolution, in order. */
typedef struct Points
{
	int			count;
	PadvHistoryPoint *points;
} Points;

/* A period, and its points. */
typedef struct Sample
{
	TimestampTz from;
	TimestampTz until;
	int			count;
	const PadvHistoryPoint *points;
} Sample;

static void
read_points(PadvResolution resolution, Points *all)
{
	uint64		cursor = 0;
	int			most = padv_history_size(resolution) + PADV_HISTORY_CHUNK;
	int			count;

	/* points that come meanwhile may make more than the ring has */
	all->points = palloc((most + PADV_HISTORY_CHUNK) * sizeof(PadvHistoryPoint));
	all->count = 0;
	while (all->count < most &&
		   (count = padv_history_read(resolution, &cursor, all->points + all->count)) > 0)
	{
		int			kept = all->count;

		CHECK_FOR_INTERRUPTS();

		/* the clock may have stepped back since the chunk before */
		for (int i = all->count; i < all->count + count; i++)
			if (kept == 0 || all->points[i].at > all->points[kept - 1].at)
				all->points[kept++] = all->points[i];
		all->count = kept;
	}
}

static TimestampTz
get_time(FunctionCallInfo fcinfo, int number, const char *name)
{
	TimestampTz time;

	padv_check_not_null(fcinfo, number, name);
	time = PG_GETARG_TIMESTAMPTZ(number);
	if (TIMESTAMP_NOT_FINITE(time))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"%s\": %s", name, timestamptz_to_str(time)),
				 errhint("It must be a finite time.")));
	return time;
}

/* timestamptz_to_str() has one buffer. */
static char *
time_as_text(TimestampTz time)
{
	return pstrdup(timestamptz_to_str(time));
}

/* The start of the oldest point of all, or the greatest time when there is none. */
static int64
begin_of_history(const Points *all)
{
	int64		begin = PG_INT64_MAX;

	for (PadvResolution i = 0; i < PADV_RESOLUTIONS; i++)
		if (all[i].count > 0)
			begin = Min(begin, all[i].points[0].at - padv_resolution_us(i));
	return begin;
}

/* Raise an error if the history cannot have a point of this period. */
static void
check_period(const Points *all, TimestampTz from, TimestampTz until)
{
	int64		begin = begin_of_history(all);

	if (begin != PG_INT64_MAX && until <= begin)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the period from %s until %s is before the history", time_as_text(from), time_as_text(until)),
				 errdetail("The history begins at %s.", time_as_text(begin)),
				 errhint("Choose a period in the view \"history\".")));
	if (from >= GetCurrentTimestamp())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the period from %s until %s is in the future", time_as_text(from), time_as_text(until)),
				 errhint("Choose a period in the view \"history\".")));
}

/* The points of a period, of whose arguments this is the first. */
static Sample
get_sample(FunctionCallInfo fcinfo, int number, const char *from_name, const char *until_name, const Points *all)
{
	TimestampTz from = get_time(fcinfo, number, from_name);
	TimestampTz until = get_time(fcinfo, number + 1, until_name);
	PadvSpan	periods[PADV_RESOLUTIONS];
	int64		covered[PADV_RESOLUTIONS];
	int			resolution;

	if (from >= until)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be later than \"%s\"", until_name, from_name),
				 errhint("Give the start of each period before its end.")));
	check_period(all, from, until);
	for (PadvResolution i = 0; i < PADV_RESOLUTIONS; i++)
	{
		periods[i] = padv_compare_period(all[i].points, all[i].count, i, from, until);
		covered[i] = periods[i].covered_us;
	}
	resolution = padv_compare_finest(covered, PADV_RESOLUTIONS);
	return (Sample) {
		.from = from, .until = until, .count = periods[resolution].count,
		.points = all[resolution].points + periods[resolution].first
	};
}

/* --- the load by key --- */

/* Numbers of intervals of a length, from `first` and before `end`. */
typedef struct SlotRange
{
	int64		first;
	int64		end;
} SlotRange;

/*
 * The intervals of a length that lie in a period as a whole.  They are numbered by the
 * monotonic clock, so they move against the period when the wall clock is set.
 */
static SlotRange
slots_in_period(const Sample *period, int level)
{
	int64		length = padv_load_level_seconds(level);
	int64		head = padv_load_head() / length;
	double		offset = (double) padv_monotonic_us() - (double) GetCurrentTimestamp();
	double		first = ceil(((double) period->from + offset) / 1e6 / (double) length);
	double		end = floor(((double) period->until + offset) / 1e6 / (double) length);
	int64		oldest = Max(head - padv_load_level_slots(level), 0);

	return (SlotRange) {
		(int64) fmin(fmax(first, (double) oldest), (double) head + 1.0),
		(int64) fmin(fmax(end, (double) oldest), (double) head + 1.0)
	};
}

/* Read those that there are, or as many as there is room for. */
static int
read_slots(int level, SlotRange range, PadvLoadSlot *slots, int room)
{
	int			count = 0;

	for (int64 number = range.first; number < range.end && count < room; number++)
	{
		CHECK_FOR_INTERRUPTS();
		count += padv_load_read(level, number, &slots[count]);
	}
	return count;
}

/* The intervals of a period, in the shortest length that covers nearly as much as any other. */
static PadvLoadSpan
read_load_span(const Sample *period)
{
	PadvLoadSlot *slots = palloc(PADV_LOAD_MOST_SLOTS * sizeof(PadvLoadSlot));
	int64		covered[PADV_LOAD_LEVELS];
	int			level;

	for (level = 0; level < PADV_LOAD_LEVELS; level++)
		covered[level] = padv_load_level_seconds(level) *
			read_slots(level, slots_in_period(period, level), slots, PADV_LOAD_MOST_SLOTS);
	level = padv_compare_finest(covered, PADV_LOAD_LEVELS);
	return (PadvLoadSpan) {
		.count = read_slots(level, slots_in_period(period, level), slots, PADV_LOAD_MOST_SLOTS),
		.slots = slots
	};
}

/* Add the keys that had a part of the load of a period. */
static void
collect_keys(const PadvLoadSpan *span, PadvLoadKeys keys[PADV_DIMENSIONS])
{
	PadvLoadKey *found = palloc(Max(span->count, 1) * PADV_LOAD_KEPT * sizeof(PadvLoadKey));
	PadvLoadRow *rows = palloc(PADV_LOAD_ROWS * sizeof(PadvLoadRow));
	PadvLoadTotal total = {0};

	for (int i = 0; i < span->count; i++)
		padv_load_total_add(&total, &span->slots[i]);
	for (PadvDimension dimension = 0; dimension < PADV_DIMENSIONS; dimension++)
	{
		int			count = 0;
		int			nrows;

		for (int i = 0; i < span->count; i++)
		{
			const PadvLoadSlot *slot = &span->slots[i];

			memcpy(found + count, slot->keys[dimension], slot->count[dimension] * sizeof(PadvLoadKey));
			count += slot->count[dimension];
		}
		nrows = padv_load_rows(&total, found, count, rows);
		for (int i = 0; i < nrows; i++)
			if (!rows[i].others)
				padv_load_keys_add(&keys[dimension], rows[i].key);
	}
	pfree(rows);
	pfree(found);
}

/* A row that says why there is none of the load by key. */
static void
explain_no_load(const PadvLoadSpan *before, const PadvLoadSpan *after, PadvComparison *row)
{
	*row = (PadvComparison) {
		.measure = "load", .dimension = PADV_COMPARE_ALL, .before = -1.0, .after = -1.0,
		.change = PADV_CHANGE_UNKNOWN
	};
	snprintf(row->why, sizeof(row->why), "whose load it was is not known of the %s: it is kept since the server started, in steps of 6 hours beyond the last 6",
			 before->count > 0 ? "second period" : after->count > 0 ? "first period" : "periods");
}

/* The rows of the load by key; returns their number. */
static int
compare_load(const Sample *before, const Sample *after, PadvComparison rows[PADV_COMPARED_KEYS])
{
	PadvLoadKeys *keys = palloc0(PADV_DIMENSIONS * sizeof(PadvLoadKeys));
	PadvLoadSpan span_before = read_load_span(before);
	PadvLoadSpan span_after = read_load_span(after);

	if (span_before.count == 0 || span_after.count == 0)
	{
		explain_no_load(&span_before, &span_after, &rows[0]);
		return 1;
	}
	collect_keys(&span_before, keys);
	collect_keys(&span_after, keys);
	return padv_compare_load(&span_before, &span_after, keys, rows);
}

/* --- rows --- */

static void
add_key(PadvRow *row, const PadvComparison *comparison)
{
	PadvLoadRow key = {.key = comparison->key};

	if (comparison->dimension == PADV_COMPARE_ALL)
	{
		padv_row_text(row, "");
		padv_row_text(row, "");
		return;
	}
	padv_row_text(row, padv_dimension_name(comparison->dimension));
	padv_row_text(row, padv_load_key_name(comparison->dimension, &key));
}

static void
add_change(PadvRow *row, const PadvComparison *comparison)
{
	double		change;

	if (comparison->before <= 0.0 || comparison->after < 0.0)
	{
		padv_row_null(row);
		return;
	}
	change = comparison->after / comparison->before - 1.0;
	padv_row_figure(row, fabs(change) < 1e-6 ? 0.0 : change);
}

static void
store_comparison(FunctionCallInfo fcinfo, const PadvComparison *comparison)
{
	PadvRow		row = {0};

	padv_row_text(&row, comparison->measure);
	padv_row_known_figure(&row, comparison->before);
	padv_row_known_figure(&row, comparison->after);
	add_change(&row, comparison);
	padv_row_add(&row, BoolGetDatum(comparison->change == PADV_CHANGE_REAL),
				 comparison->change == PADV_CHANGE_UNKNOWN);
	padv_row_text(&row, comparison->why);
	add_key(&row, comparison);
	padv_row_store(&row, fcinfo);
}

/*
 * compare(from, until, from2, until2): a row for each measure, and for those whose load has
 * changed; what is more than noise first.
 */
Datum
pool_advisor_compare(PG_FUNCTION_ARGS)
{
	Points		all[PADV_RESOLUTIONS];
	PadvComparison rows[PADV_COMPARED + PADV_COMPARED_KEYS];
	Sample		before;
	Sample		after;
	int			count = PADV_COMPARED;

	padv_require_preloaded();
	for (PadvResolution i = 0; i < PADV_RESOLUTIONS; i++)
		read_points(i, &all[i]);
	before = get_sample(fcinfo, 0, "from", "until", all);
	after = get_sample(fcinfo, 2, "from2", "until2", all);
	InitMaterializedSRF(fcinfo, 0);
	padv_compare(before.points, before.count, after.points, after.count, rows);
	count += compare_load(&before, &after, rows + count);
	padv_compare_sort(rows, count);
	for (int i = 0; i < count; i++)
		store_comparison(fcinfo, &rows[i]);
	return (Datum) 0;
}
