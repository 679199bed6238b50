/*
 * chart.c
 *		SQL function that draws for a terminal.
 *
 * Copies out what is to be drawn, gives names to roles and knows the session's
 * time zone and encodings; the drawing is in the pure core.  Never waits for the
 * worker and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/timestamp.h"

#include "core/chart.h"
#include "history.h"
#include "limits/force.h"
#include "shared.h"
#include "sql/arguments.h"
#include "sql/census.h"
#include "sql/rows.h"
#include "sql/situation.h"

PG_FUNCTION_INFO_V1(padv_chart);

/* From which resolution a period is drawn, and for how long it goes back. */
static const int64 reach[PADV_RESOLUTIONS] = {
	15 * SECS_PER_MINUTE * USECS_PER_SEC,
	6 * SECS_PER_HOUR * USECS_PER_SEC,
	14 * SECS_PER_DAY * USECS_PER_SEC,
};

/*
 * Points of a resolution that are later than a moment, the oldest first, in the
 * current memory context.
 */
static int
fetch_resolution(PadvResolution resolution, TimestampTz from, PadvHistoryPoint **points)
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

/*
 * The points of a period, up to the newest, or to this moment when that is older
 * than it should be.  A server that has just started has none of the longer
 * intervals yet; then the shorter ones are drawn.
 */
static void
fetch_history(PadvTimeline *timeline, int64 period, int64 sample_interval)
{
	TimestampTz now = GetCurrentTimestamp();
	PadvResolution resolution = PADV_HISTORY_1_SECOND;
	PadvHistoryPoint *points;
	int			count;

	while (resolution < PADV_HISTORY_5_MINUTES && reach[resolution] < period)
		resolution++;
	while ((count = fetch_resolution(resolution, now - period, &points)) == 0 &&
		   resolution > PADV_HISTORY_1_SECOND)
		resolution--;

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

static void
draw_roles(PadvCanvas *canvas, const PadvPicture *picture)
{
	PadvCaps   *caps = padv_limits_copy(NULL);
	PadvRoleRow *roles;
	int			count = padv_copy_roles(&roles);
	PadvRoleBar *bars = palloc(Max(count, 1) * sizeof(PadvRoleBar));

	for (int i = 0; i < count; i++)
		bars[i] = (PadvRoleBar) {
		.name = padv_role_row_name(&roles[i]),
		.active_avg = roles[i].active_avg,
		.sessions = roles[i].sessions,
		.cap = padv_role_cap(caps, roles[i].role, PADV_MAX_SESSIONS),
	};
	padv_chart_roles(canvas, bars, count,
					 (double) padv_model_chosen(&picture->model)->connections);
}

/* An interval is a month of 30 days, as where intervals are compared. */
static int64
check_period(const Interval *period)
{
	double		microseconds = (double) period->month * DAYS_PER_MONTH * USECS_PER_DAY +
		(double) period->day * USECS_PER_DAY + (double) period->time;

	if (microseconds < USECS_PER_SEC)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"%s\": %s", "period",
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(period)))),
				 errhint("It must be a second or more; the history goes back 14 days.")));
	return (int64) Min(microseconds, (double) reach[PADV_HISTORY_5_MINUTES]);
}

static int
check_size(int32 size, int least, int most, const char *name)
{
	if (size < least || size > most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"%s\": %d", name, size),
				 errhint("It must be between %d and %d.", least, most)));
	return size;
}

static void
draw(PadvCanvas *canvas, const char *what, int64 period)
{
	PadvSituation situation;
	PadvTimeline timeline;
	PadvScalabilityRow *rows;
	int			count;

	padv_read_situation(&situation, false);
	if (strcmp(what, "load") == 0 || strcmp(what, "waits") == 0)
	{
		fetch_history(&timeline, period,
					  situation.picture.model.basis.sample_interval_ms * INT64CONST(1000));
		(strcmp(what, "load") == 0 ? padv_chart_load : padv_chart_waits) (canvas, &timeline);
	}
	else if (strcmp(what, "roles") == 0)
		draw_roles(canvas, &situation.picture);
	else if (strcmp(what, "scalability") == 0)
	{
		count = padv_copy_curve(&rows);
		padv_chart_scalability(canvas, rows, count, &situation.picture.model.curve);
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown chart \"%s\"", what),
				 errhint("There are load, scalability, waits and roles.")));
}

/*
 * chart(what, period, width, height): a row for each line.
 */
Datum
padv_chart(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"what", "period", "width", "height"};
	PadvCanvas *canvas;
	int64		period;
	int			width;
	int			height;
	char		line[PADV_CANVAS_LINE];

	padv_require_preloaded();
	for (int i = 0; i < (int) lengthof(names); i++)
		padv_check_not_null(fcinfo, i, names[i]);
	period = check_period(PG_GETARG_INTERVAL_P(1));
	width = check_size(PG_GETARG_INT32(2), PADV_CANVAS_MIN_WIDTH, PADV_CANVAS_MAX_WIDTH, "width");
	height = check_size(PG_GETARG_INT32(3), PADV_CANVAS_MIN_HEIGHT, PADV_CANVAS_MAX_HEIGHT, "height");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);

	/* a client that cannot be sent a block must not get an error for it */
	canvas = palloc(sizeof(PadvCanvas));
	padv_canvas_init(canvas, width, height,
					 GetDatabaseEncoding() == PG_UTF8 && pg_get_client_encoding() == PG_UTF8);
	draw(canvas, text_to_cstring(PG_GETARG_TEXT_PP(0)), period);
	for (int row = 0; row < padv_canvas_rows(canvas); row++)
	{
		padv_canvas_line(canvas, row, line);
		padv_row_sentence(fcinfo, line);
	}
	return (Datum) 0;
}
