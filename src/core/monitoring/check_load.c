/*
 * check_load.c
 *		The load as a check of a monitoring system: one status, one line.
 *
 * Owns the words and the order of the figures after the bar, which follow the
 * guidelines for Nagios' plugins.  Pure; the SQL function check_load() calls it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/monitoring/check_load.h"

/* More than a load ratio can be: every connection there can be, for one. */
#define NEVER_REACHED 1e6
#define THRESHOLD 32

/* Thousandths; the ratio is compared as it is shown. */
static double
rounded(double value)
{
	return fmax(floor(value * 1000.0 + 0.5) / 1000.0, 0.0);
}

static void
say_unknown(const PadvLocalStatus *local, PadvLoadCheck *check)
{
	check->status = PADV_CHECK_UNKNOWN;
	if (local->status.taken_at == 0)
		snprintf(check->message, sizeof(check->message),
				 "POOL_ADVISOR UNKNOWN - no sample has been taken since the server started");
	else
		snprintf(check->message, sizeof(check->message),
				 "POOL_ADVISOR UNKNOWN - sampling stopped, the last sample is %.0f s old",
				 local->age_seconds);
}

/*
 * A threshold that no load reaches is none: perfdata has no place for exponents,
 * and three hundred digits are no help.
 */
static void
write_threshold(char text[THRESHOLD], double threshold)
{
	text[0] = '\0';
	if (threshold < NEVER_REACHED)
		snprintf(text, THRESHOLD, "%.3f", threshold);
}

static void
say_load(const PadvModel *model, double warning, double critical, PadvLoadCheck *check)
{
	static const char *const names[] = {"OK", "WARNING", "CRITICAL"};
	char		warning_text[THRESHOLD];
	char		critical_text[THRESHOLD];

	write_threshold(warning_text, warning);
	write_threshold(critical_text, critical);
	check->status = check->load_ratio > critical ? PADV_CHECK_CRITICAL :
		check->load_ratio > warning ? PADV_CHECK_WARNING : PADV_CHECK_OK;
	snprintf(check->message, sizeof(check->message),
			 "POOL_ADVISOR %s - %.1f sessions want to work, optimum %lld (%s)"
			 " | load_ratio=%.3f;%s;%s;0 demand_avg=%.3f;;;0 active_avg=%.3f;;;0 optimal=%lld;;;0"
			 " sessions=%lld;;;0;%lld queued=%lld;;;0 sample_age_seconds=%.3fs;;;0",
			 names[check->status], check->demand_avg, (long long) check->optimal,
			 padv_verdict_name(model->verdict), check->load_ratio, warning_text, critical_text,
			 check->demand_avg, check->active_avg, (long long) check->optimal,
			 (long long) check->sessions, (long long) check->usable_connections,
			 (long long) check->queued, check->sample_age_seconds);
}

void
padv_check_load(const PadvLocalStatus *local, int64_t usable_connections,
				double warning, double critical, PadvLoadCheck *check)
{
	const PadvStatus *status = &local->status;

	memset(check, 0, sizeof(*check));
	check->usable_connections = usable_connections;
	if (status->taken_at != 0)
	{
		check->load_ratio = rounded(status->model.load_ratio);
		check->demand_avg = rounded(status->minute.demand);
		check->active_avg = rounded(status->minute.active);
		check->optimal = padv_model_chosen(&status->model)->connections;
		check->sessions = status->last.sessions;
		check->queued = status->last.queued;
		check->sample_age_seconds = rounded(local->age_seconds);
	}
	if (padv_sampling_stopped(local))
		say_unknown(local, check);
	else
		say_load(&status->model, warning, critical, check);
}
