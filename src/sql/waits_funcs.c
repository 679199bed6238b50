/*
 * waits_funcs.c
 *		SQL function with a row for each wait event and period.
 *
 * Copies the published averages out and gives names to wait events.  Never waits for
 * the worker and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "utils/wait_event.h"

#include "compat.h"
#include "shmem/status_shmem.h"
#include "sql/rows.h"
#include "sql/server_status.h"

PG_FUNCTION_INFO_V1(pool_advisor_waits);

static void
add_event_names(PadvRow *row, uint32 wait_event)
{
	const char *type = "CPU";
	const char *event = "CPU";

	if (wait_event == PADV_OTHER_EVENTS)
		type = event = "Other";
	else if (wait_event != 0)
	{
		type = pgstat_get_wait_event_type(wait_event);
		event = pgstat_get_wait_event(wait_event);
	}
	padv_row_text(row, type ? type : "???");
	padv_row_text(row, event ? event : "unknown wait event");
}

/*
 * Where the time went: a row for each period and event with anything in it.
 */
Datum
pool_advisor_waits(PG_FUNCTION_ARGS)
{
	static const char *const periods[PADV_PERIODS] = {"10 s", "1 min", "10 min", "1 h"};
	PadvEventRow *events;
	PadvRow		row = {0};
	int			count;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	count = padv_status_copy_events(&events);

	for (int period = 0; period < PADV_PERIODS; period++)
	{
		for (int i = 0; i < count; i++)
		{
			double		active = events[i].active_avg[period];
			double		parallel = events[i].parallel_avg[period];

			if (active == 0.0 && parallel == 0.0)
				continue;
			padv_row_text(&row, periods[period]);
			add_event_names(&row, events[i].wait_event);
			padv_row_rounded(&row, active);
			padv_row_rounded(&row, parallel);
			padv_row_store(&row, fcinfo);
		}
	}
	return (Datum) 0;
}
