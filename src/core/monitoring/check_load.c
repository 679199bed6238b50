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
round_value(double value)
{
	return fmax(floor(value * 1000.0 + 0.5) / 1000.0, 0.0);
}

static void
write_check_unknown(const PadvLocalStatus *local, PadvLoadCheck *check)
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
 * A threshold that no load reaches is none, nor is one that is not given: perfdata
 * has no place for exponents, and three hundred digits are no help.
 */
static void
write_threshold(char text[THRESHOLD], double threshold)
{
	text[0] = '\0';
	if (threshold >= 0.0 && threshold < NEVER_REACHED)
		snprintf(text, THRESHOLD, "%.3f", threshold);
}

/* What the thresholds say of the load, if any is given. */
static PadvCheckStatus
check_ratio(double load_ratio, double warning, double critical)
{
	if (critical >= 0.0 && load_ratio > critical)
		return PADV_CHECK_CRITICAL;
	return warning >= 0.0 && load_ratio > warning ? PADV_CHECK_WARNING : PADV_CHECK_OK;
}

/*
 * A caller that gives thresholds replaces the rule for the load.  Thresholds of load_ratio
 * cannot show a stall, during which the ratio can be small.
 */
static PadvHealth
check_value(const PadvLocalStatus *local, double load_ratio, double warning, double critical)
{
	PadvHealth	health = {check_ratio(load_ratio, warning, critical), ""};

	if (warning < 0.0 && critical < 0.0)
		return padv_health(local);
	for (const PadvHealthRule *rule = padv_health_rules; rule->code != NULL; rule++)
	{
		PadvCheckStatus status = strcmp(rule->code, "blocked_by") == 0 ?
			rule->judge(local) : PADV_CHECK_OK;

		if (status > health.status)
			health = (PadvHealth) {status, rule->code};
	}
	return health;
}

/* What it is about, where the verdict does not say it. */
static void
write_check_reason(const PadvLocalStatus *local, const PadvHealth *health, char *text, size_t size)
{
	const PadvBlocker *blocker = padv_health_blocker(&local->status);

	text[0] = '\0';
	if (strcmp(health->code, "blocked_by") == 0 && local->status.stall.any)
		snprintf(text, size, ", %lld %s blocked by %s%lld for %.0f s",
				 (long long) blocker->blocked, blocker->blocked == 1 ? "session" : "sessions",
				 blocker->pid == 0 ? "prepared transaction " : "pid ",
				 blocker->pid == 0 ? (long long) blocker->xid : (long long) blocker->pid,
				 blocker->blocking_seconds);
	else if (health->code[0] != '\0' && strcmp(health->code, "incident") != 0 &&
			 strcmp(health->code, padv_verdict_name(local->status.model.verdict)) != 0)
		snprintf(text, size, ", %s", health->code);
}

static void
write_check_load(const PadvLocalStatus *local, double warning, double critical, PadvLoadCheck *check)
{
	static const char *const names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
	PadvHealth	health = check_value(local, check->load_ratio, warning, critical);
	const PadvIncident *incident = padv_health_incident(local);
	char		warning_text[THRESHOLD];
	char		critical_text[THRESHOLD];
	char		reason[128];

	write_threshold(warning_text, warning);
	write_threshold(critical_text, critical);
	write_check_reason(local, &health, reason, sizeof(reason));
	check->status = health.status;
	snprintf(check->message, sizeof(check->message),
			 "POOL_ADVISOR %s - %.1f sessions want to work, optimum %lld (%s%s%s%s)"
			 " | load_ratio=%.3f;%s;%s;0 demand_avg=%.3f;;;0 active_avg=%.3f;;;0 optimal=%lld;;;0"
			 " sessions=%lld;;;0;%lld queued=%lld;;;0 sample_age_seconds=%.3fs;;;0",
			 names[check->status], check->demand_avg, (long long) check->optimal,
			 padv_verdict_name(local->status.model.verdict), reason, incident != NULL ? ", incident: " : "",
			 incident != NULL ? padv_incident_kind_name((PadvIncidentKind) incident->kind) : "",
			 check->load_ratio, warning_text, critical_text,
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
		check->load_ratio = round_value(status->model.load_ratio);
		check->demand_avg = round_value(status->model.demand);
		check->active_avg = round_value(status->minute.active);
		check->optimal = padv_model_chosen(&status->model)->connections;
		check->sessions = status->last.sessions;
		check->queued = status->last.queued;
		check->sample_age_seconds = round_value(local->age_seconds);
	}
	if (padv_sampling_stopped(local))
		write_check_unknown(local, check);
	else
		write_check_load(local, warning, critical, check);
}
