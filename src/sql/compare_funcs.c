/*
 * compare_funcs.c
 *		SQL function that compares two periods of the history.
 *
 * Copies the points out, in each resolution, and has the pure core compare them.  Never
 * waits for the worker and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "core/stats/compare.h"
#include "shmem/history_shmem.h"
#include "shmem/status_shmem.h"
#include "sql/arguments.h"
#include "sql/rows.h"

PG_FUNCTION_INFO_V1(pool_advisor_compare);

/* All points of a resolution, in order. */
typedef struct Points
{
	int			count;
	PadvHistoryPoint *points;
} Points;

/* Those of a period. */
typedef struct Sample
{
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
	PadvResolution resolution;

	if (from >= until)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be later than \"%s\"", until_name, from_name),
				 errhint("Give the start of each period before its end.")));
	check_period(all, from, until);
	for (PadvResolution i = 0; i < PADV_RESOLUTIONS; i++)
		periods[i] = padv_compare_period(all[i].points, all[i].count, i, from, until);
	resolution = padv_compare_resolution(periods);
	return (Sample) {periods[resolution].count, all[resolution].points + periods[resolution].first};
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
	padv_row_store(&row, fcinfo);
}

/*
 * compare(from, until, from2, until2): a row for each measure, what is more than noise first.
 */
Datum
pool_advisor_compare(PG_FUNCTION_ARGS)
{
	Points		all[PADV_RESOLUTIONS];
	PadvComparison rows[PADV_COMPARED];
	Sample		before;
	Sample		after;

	padv_require_preloaded();
	for (PadvResolution i = 0; i < PADV_RESOLUTIONS; i++)
		read_points(i, &all[i]);
	before = get_sample(fcinfo, 0, "from", "until", all);
	after = get_sample(fcinfo, 2, "from2", "until2", all);
	InitMaterializedSRF(fcinfo, 0);
	padv_compare(before.points, before.count, after.points, after.count, rows);
	for (int i = 0; i < PADV_COMPARED; i++)
		store_comparison(fcinfo, &rows[i]);
	return (Datum) 0;
}
