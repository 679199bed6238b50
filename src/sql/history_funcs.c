/*
 * history_funcs.c
 *		SQL function with a row for each point of the history.
 *
 * Copies the points out, some at a time, and turns them into rows.  Never waits
 * for the worker and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "shmem/history_shmem.h"
#include "shmem/status_shmem.h"
#include "sql/rows.h"

PG_FUNCTION_INFO_V1(pool_advisor_history);

static void
add_whole(PadvRow *row, float value)
{
	padv_row_add(row, Int64GetDatum((int64) rint((double) value)), value < 0.0f);
}

static void
store_point(FunctionCallInfo fcinfo, PadvResolution resolution,
			const PadvHistoryPoint *point)
{
	PadvRow		row = {0};

	padv_row_text(&row, padv_resolution_name(resolution));
	padv_row_add(&row, TimestampTzGetDatum(point->at), false);
	padv_row_known_rounded(&row, point->active_avg);
	add_whole(&row, point->active_max);
	padv_row_known_rounded(&row, point->idle);
	padv_row_known_rounded(&row, point->idle_in_transaction);
	padv_row_known_rounded(&row, point->queued);
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		padv_row_known_rounded(&row, point->in_class[class]);
	padv_row_known_rounded(&row, point->io_wait_ratio);
	padv_row_known_rounded(&row, point->cpu_utilization);
	padv_row_known_rounded(&row, point->transactions_per_second);
	add_whole(&row, point->optimal);
	padv_row_store(&row, fcinfo);
}

static void
store_resolution(FunctionCallInfo fcinfo, PadvResolution resolution,
				 PadvHistoryPoint *points)
{
	uint64		cursor = 0;
	int64		last = PG_INT64_MIN;
	int			count;

	while ((count = padv_history_read(resolution, &cursor, points)) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < count; i++)
		{
			/* the clock may have stepped back since the chunk before */
			if (points[i].at <= last)
				continue;
			last = points[i].at;
			store_point(fcinfo, resolution, &points[i]);
		}
	}
}

/*
 * All points, by resolution, the oldest first.
 */
Datum
pool_advisor_history(PG_FUNCTION_ARGS)
{
	PadvHistoryPoint *points;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	points = palloc(PADV_HISTORY_CHUNK * sizeof(PadvHistoryPoint));
	for (PadvResolution resolution = 0; resolution < PADV_RESOLUTIONS; resolution++)
		store_resolution(fcinfo, resolution, points);
	return (Datum) 0;
}
