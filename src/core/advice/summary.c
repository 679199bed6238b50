/*
 * summary.c
 *		The state of the server in a few short rows.
 *
 * Owns the choice of rows and the texts.  The rows contain no role names, because
 * these can be long and in any encoding.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdio.h>
#include <string.h>

#include "core/advice/advice.h"
#include "core/advice/found_pools.h"
#include "core/advice/summary.h"
#include "core/model/health.h"
#include "core/policy/enforcement.h"

/* Longer texts are truncated; that happens only with absurd numbers. */
#define WRITE(row, ...) snprintf((row)->state, sizeof((row)->state), __VA_ARGS__)

static void
add_load_row(const PadvLocalStatus *local, PadvSummaryRow *row)
{
	const PadvStatus *status = &local->status;

	WRITE(row, "%.1f want to work (%.1f wait for locks), %lld sessions",
		  status->model.demand, status->minute.in_class[PADV_WAITING_LOCK] - status->minute.advisory,
		  (long long) status->last.sessions);
}

static void
add_optimal_row(const PadvLocalStatus *local, PadvSummaryRow *row)
{
	const PadvModel *model = &local->status.model;
	const PadvEstimate *chosen = padv_model_chosen(model);

	WRITE(row, "%lld (%lld to %lld), by %s; load is %.2f times that",
		  (long long) chosen->connections, (long long) chosen->low, (long long) chosen->high,
		  padv_method_name(model->chosen), model->load_ratio);
}

static void
add_verdict_row(const PadvLocalStatus *local, PadvSummaryRow *row)
{
	const PadvStatus *status = &local->status;
	const PadvIncident *incident = padv_health_incident(local);

	if (padv_health_stalled(status))
		WRITE(row, "%s for %.0f s: %lld of %lld wait behind a lock",
			  padv_verdict_name(status->model.verdict), status->stall.stalled_seconds,
			  (long long) status->stall.standing, (long long) status->last.demand);
	else if (incident != NULL)
		WRITE(row, "%s; incident: %s", padv_verdict_name(status->model.verdict),
			  padv_incident_kind_name((PadvIncidentKind) incident->kind));
	else
		WRITE(row, "%s", padv_verdict_name(status->model.verdict));
}

static void
add_queue_row(const PadvLocalStatus *local, PadvSummaryRow *row)
{
	const PadvStatus *status = &local->status;

	if (local->gate.waiting > 0)
		WRITE(row, "%d transactions (longest %.1f s), %lld logins",
			  local->gate.waiting, status->stall.queue_seconds, (long long) status->last.logins_waiting);
	else if (status->last.logins_waiting > 0)
		WRITE(row, "%lld logins", (long long) status->last.logins_waiting);
	else
		WRITE(row, "empty");
}

static void
add_blocked_row(const PadvLocalStatus *local, PadvSummaryRow *row)
{
	const PadvStall *stall = &local->status.stall;
	const PadvBlocker *blocker = padv_health_blocker(&local->status);

	if (!stall->any)
	{
		if (stall->blocked > 0)
			WRITE(row, "nobody for long; %lld wait for locks now", (long long) stall->blocked);
		else
			WRITE(row, "nobody");
	}
	else if (blocker->pid == 0)
		WRITE(row, "prepared transaction %u, %.0f s: %lld wait",
			  blocker->xid, blocker->blocking_seconds, (long long) blocker->blocked);
	else
		WRITE(row, "pid %d, %s, %.0f s: %lld wait", blocker->pid,
			  padv_blocker_state_name(blocker->state), blocker->blocking_seconds, (long long) blocker->blocked);
}

static void
add_advice_row(const PadvLocalStatus *local, PadvSummaryRow *row)
{
	PadvAdvice	advice[PADV_MAX_ADVICE];
	int			count = padv_advise(local, advice);
	const PadvFoundCounts *found = &local->status.found;
	PadvSeverity severity = count > 0 ? advice[0].severity : PADV_INFO;
	const char *code = count > 0 ? advice[0].code : "";

	/* of pools what is more severe comes first, as in the view */
	for (PadvSeverity of_pools = PADV_INFO + 1; of_pools-- > PADV_CRITICAL;)
	{
		count += (int) found->advice[of_pools];
		if (found->advice[of_pools] > 0 && (code[0] == '\0' || of_pools < severity))
		{
			severity = of_pools;
			code = padv_found_advice_code(found->worst);
		}
	}
	if (count == 0)
		WRITE(row, "none");
	else if (count == 1)
		WRITE(row, "%s: %s", padv_severity_name(severity), code);
	else
		WRITE(row, "%s: %s, and %d more", padv_severity_name(severity), code, count - 1);
}

static void
add_limits_row(const PadvLocalStatus *local, PadvSummaryRow *row)
{
	const PadvSlotStats *gate = &local->gate;
	char		server[12] = "off";

	if (gate->limit >= 0)
		snprintf(server, sizeof(server), "%d", gate->limit);
	if (local->status.limits_unreadable)
		WRITE(row, "cannot be read, so everybody is let in");
	else if (local->enforcement == PADV_ENFORCEMENT_ON && local->gate_enforcement == PADV_ENFORCEMENT_ON)
		WRITE(row, "enforced; server_max_active %s", server);
	else
		WRITE(row, "sessions %s, transactions %s; server_max_active %s",
			  padv_enforcement_name(local->enforcement),
			  padv_enforcement_name(padv_effective_gate_enforcement(local->enforcement, local->gate_enforcement)),
			  server);
}

static void
add_data_row(const PadvLocalStatus *local, PadvSummaryRow *row)
{
	if (local->status.taken_at == 0)
		WRITE(row, "no sample has been taken since the server started");
	else if (padv_sampling_stopped(local))
		WRITE(row, "sampling stopped, the last sample is %.0f s old", local->age_seconds);
	else
		WRITE(row, "%.1f s old", local->age_seconds);
}

/* The rows in their order. */
static const struct
{
	const char *item;
	bool		needs_sample;
	void		(*write) (const PadvLocalStatus *local, PadvSummaryRow *row);
}			items[PADV_SUMMARY_ROWS] =

{
	{"verdict", true, add_verdict_row},
	{"blocked by", true, add_blocked_row},
	{"advice", false, add_advice_row},
	{"load", true, add_load_row},
	{"optimal", true, add_optimal_row},
	{"queue", true, add_queue_row},
	{"limits", false, add_limits_row},
	{"data", false, add_data_row},
};

void
padv_summary(const PadvLocalStatus *local, PadvSummaryRow rows[PADV_SUMMARY_ROWS])
{
	for (int i = 0; i < PADV_SUMMARY_ROWS; i++)
	{
		rows[i].item = items[i].item;
		if (items[i].needs_sample && local->status.taken_at == 0)
			WRITE(&rows[i], "not known yet");
		else
			items[i].write(local, &rows[i]);
	}
}
