/*
 * chart_funcs.c
 *		SQL function that draws for a terminal.
 *
 * Copies out what is to be drawn, gives names to roles and knows the session's
 * encodings; the drawing is in the pure core.  Never waits for the
 * worker and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/timestamp.h"

#include "core/render/chart.h"
#include "core/text/names.h"
#include "shmem/incidents_shmem.h"
#include "shmem/limits_shmem.h"
#include "shmem/status_shmem.h"
#include "sql/arguments.h"
#include "sql/limit_usage.h"
#include "sql/rows.h"
#include "sql/server_status.h"
#include "sql/timeline.h"

PG_FUNCTION_INFO_V1(pool_advisor_chart);

/*
 * The points of a period.  A server that has just started has none of the longer
 * intervals yet; then the shorter ones are drawn.
 */
static void
fetch_history(PadvTimeline *timeline, int64 period, int64 sample_interval)
{
	TimestampTz now = GetCurrentTimestamp();
	PadvResolution resolution = PADV_HISTORY_1_SECOND;

	while (resolution < PADV_HISTORY_5_MINUTES && padv_history_reach[resolution] < period)
		resolution++;
	for (;;)
	{
		padv_fetch_timeline(timeline, resolution, now, period, sample_interval);
		if (timeline->count > 0 || resolution == PADV_HISTORY_1_SECOND)
			return;
		resolution--;
	}
}

static void
draw_roles(PadvCanvas *canvas, const PadvStatus *status)
{
	PadvLimits *limits = padv_limits_shmem_copy(NULL);
	PadvRoleRow *roles;
	int			count = padv_status_copy_roles(&roles);
	PadvRoleBar *bars = palloc(Max(count, 1) * sizeof(PadvRoleBar));

	for (int i = 0; i < count; i++)
		bars[i] = (PadvRoleBar) {
		.name = padv_role_row_name(&roles[i]),
		.active_avg = roles[i].active_avg,
		.sessions = roles[i].sessions,
		.limit = padv_role_limit(limits, roles[i].role, PADV_MAX_SESSIONS),
	};
	padv_chart_roles(canvas, bars, count,
					 (double) padv_model_chosen(&status->model)->connections);
}

/* Incidents up to now; nothing need have been sampled lately. */
static void
draw_incidents(PadvCanvas *canvas, int64 period)
{
	PadvTimeline timeline;
	PadvIncident *incidents;
	int			count = padv_incidents_copy(&incidents);

	padv_empty_timeline(&timeline, GetCurrentTimestamp(), period);
	padv_chart_incidents(canvas, &timeline, incidents, count);
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
	return (int64) Min(microseconds, (double) padv_history_reach[PADV_HISTORY_5_MINUTES]);
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
draw_chart(PadvCanvas *canvas, const char *what, int64 period)
{
	PadvLocalStatus local;
	PadvTimeline timeline;
	PadvScalabilityRow *rows;
	int			count;

	padv_read_local_status(&local, false);
	if (padv_same_name(what, "load") || padv_same_name(what, "waits"))
	{
		fetch_history(&timeline, period,
					  local.status.model.inputs.sample_interval_ms * INT64CONST(1000));
		(padv_same_name(what, "load") ? padv_chart_load : padv_chart_waits) (canvas, &timeline);
	}
	else if (padv_same_name(what, "incidents"))
		draw_incidents(canvas, period);
	else if (padv_same_name(what, "roles"))
		draw_roles(canvas, &local.status);
	else if (padv_same_name(what, "scalability"))
	{
		count = padv_status_copy_curve(&rows);
		padv_chart_scalability(canvas, rows, count, &local.status.model.curve);
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized chart: \"%s\"", what),
				 errhint("Chart must be one of: load, scalability, waits, roles, incidents.")));
}

/*
 * chart(what, period, width, height): a row for each line.
 */
Datum
pool_advisor_chart(PG_FUNCTION_ARGS)
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
	draw_chart(canvas, text_to_cstring(PG_GETARG_TEXT_PP(0)), period);
	for (int row = 0; row < padv_canvas_rows(canvas); row++)
	{
		padv_canvas_line(canvas, row, line);
		padv_row_sentence(fcinfo, line);
	}
	return (Datum) 0;
}
