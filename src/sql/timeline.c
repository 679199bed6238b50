/*
 * timeline.c
 *		Points of the history, copied out for a drawing.
 *
 * Used by the SQL functions that draw.  The session's time zone is known here.
 * Copies some points at a time and holds no lock in between.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgtime.h"
#include "utils/timestamp.h"

#include "shmem/history_shmem.h"
#include "sql/timeline.h"

const int64 padv_history_reach[PADV_RESOLUTIONS] = {
	15 * SECS_PER_MINUTE * USECS_PER_SEC,
	6 * SECS_PER_HOUR * USECS_PER_SEC,
	14 * SECS_PER_DAY * USECS_PER_SEC,
};

/* Points later than a moment, the oldest first. */
static int
fetch_points(PadvResolution resolution, int64 from, PadvHistoryPoint **points)
{
	int			size = padv_history_size(resolution);
	PadvHistoryPoint *chunk = palloc(PADV_HISTORY_CHUNK * sizeof(PadvHistoryPoint));
	uint64		cursor = 0;
	int			total = 0;
	int			count;

	*points = palloc(size * sizeof(PadvHistoryPoint));
	while (total < size && (count = padv_history_read(resolution, &cursor, chunk)) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < count && total < size; i++)
		{
			/* the clock may have stepped back since the chunk before */
			if (chunk[i].at > from && (total == 0 || chunk[i].at > (*points)[total - 1].at))
				(*points)[total++] = chunk[i];
		}
	}
	pfree(chunk);
	return total;
}

/* Local time less UTC in the session's time zone. */
static int64
utc_offset(int64 at)
{
	pg_time_t	time = timestamptz_to_time_t(at);
	struct pg_tm *local = pg_localtime(&time, session_timezone);

	return local ? local->tm_gmtoff * USECS_PER_SEC : 0;
}

void
padv_empty_timeline(PadvTimeline *timeline, int64 now, int64 period)
{
	*timeline = (PadvTimeline) {
		.interval = USECS_PER_SEC,
		.from = now - period,
		.until = now,
		.utc_offset = utc_offset,
	};
}

void
padv_fetch_timeline(PadvTimeline *timeline, PadvResolution resolution, int64 now,
					int64 period, int64 sample_interval)
{
	PadvHistoryPoint *points;
	int			count = fetch_points(resolution, now - period, &points);

	*timeline = (PadvTimeline) {
		.points = points,
		.count = count,
		.interval = Max(padv_resolution_us(resolution), sample_interval),
		.until = now,
		.utc_offset = utc_offset,
	};
	if (count > 0 && now - points[count - 1].at < 2 * timeline->interval + USECS_PER_SEC)
		timeline->until = points[count - 1].at;
	timeline->from = timeline->until - period;
}
