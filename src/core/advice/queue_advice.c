/*
 * queue_advice.c
 *		Advice on transactions that wait in the queue.
 *
 * Owns the thresholds and the texts.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdio.h>

#include "core/advice/queue_advice.h"
#include "core/model/health.h"

/* Cores are idle below this utilization. */
#define CORES_IDLE 0.9

/* Transactions wait all the time if so many do on average, for each slot. */
#define WAIT_ALL_THE_TIME 0.5

/* Slots are lost to locks if this share of the active sessions waits for them. */
#define LOST_TO_LOCKS 0.3

bool
padv_advise_queue_old(const PadvLocalStatus *local, PadvAdvice *advice)
{
	const PadvStatus *status = &local->status;

	if (!padv_health_queue_is_old(status))
		return false;
	padv_advice_begin(advice, PADV_WARNING, "queue_old", "server");
	snprintf(advice->finding, sizeof(advice->finding),
			 "%d transactions wait in the queue, one of them for %.0f s.",
			 local->gate.waiting, status->stall.queue_seconds);
	snprintf(advice->recommendation, sizeof(advice->recommendation),
			 "Long statements hold slots until they end: give the role that runs them a max_active below the limit of the server, so that short transactions pass. transaction_queue_timeout ends waits that are too long for the client.");
	padv_advice_conclude(advice, &status->model, PADV_CERTAIN, PADV_GAIN_UNKNOWN);
	snprintf(advice->fix, sizeof(advice->fix), "SELECT * FROM pool_advisor.gate_brief;");
	return true;
}

/* Whether it was measured that more than the limit does not help. */
static bool
limit_is_measured(const PadvLocalStatus *local)
{
	const PadvModel *model = &local->status.model;

	return !padv_model_is_derived(model) && padv_model_chosen(model)->connections <= local->gate.limit;
}

/*
 * Whether a number that the DBA has set keeps transactions waiting, while something
 * else than locks leaves cores idle.
 */
static bool
limit_leaves_cores_idle(const PadvLocalStatus *local)
{
	const PadvStatus *status = &local->status;
	const PadvMinute *minute = &status->minute;
	const PadvSlotStats *gate = &local->gate;

	return gate->setting > 0 && gate->limit > 0 && !gate->trial && gate->waiting > 0 &&
		local->enforcement != PADV_ENFORCEMENT_OFF && local->gate_enforcement == PADV_ENFORCEMENT_ON &&
		minute->queued >= 1.0 && minute->queued >= WAIT_ALL_THE_TIME * gate->limit &&
		status->load.cpu_utilization >= 0.0 && status->load.cpu_utilization < CORES_IDLE &&
		minute->in_class[PADV_WAITING_LOCK] - minute->advisory < LOST_TO_LOCKS * (minute->active - minute->advisory) &&
		!padv_health_stalled_lately(status) && !limit_is_measured(local);
}

bool
padv_advise_queue_cores_idle(const PadvLocalStatus *local, PadvAdvice *advice)
{
	const PadvStatus *status = &local->status;
	int			limit = local->gate.limit;

	if (!limit_leaves_cores_idle(local))
		return false;
	padv_advice_begin(advice, PADV_INFO, "queue_cores_idle", "pool_advisor.server_max_active");
	snprintf(advice->finding, sizeof(advice->finding),
			 "In the last minute %.1f transactions waited on average for one of %d slots, while the %.4g cores were %.0f%% busy.",
			 status->minute.queued, limit, status->model.inputs.detected_cores, 100.0 * status->load.cpu_utilization);
	snprintf(advice->recommendation, sizeof(advice->recommendation),
			 "A transaction that waits for a disk or for its client has a slot, but no core, so more slots may do more work. Measure it: the fix starts a trial, which for five minutes lets %d transactions run in every second slot of time, compares throughput, and ends at once if that loses. With server_max_active = auto the server goes on searching.",
			 2 * limit);
	padv_advice_conclude(advice, &status->model, "low before the trial", PADV_GAIN_UNKNOWN);
	snprintf(advice->fix, sizeof(advice->fix), "SELECT * FROM pool_advisor.trial('5 min', %d);", 2 * limit);
	return true;
}
