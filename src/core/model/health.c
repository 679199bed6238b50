/*
 * health.c
 *		The states of the server that need attention.
 *
 * Owns the list of states and their thresholds.  Alerts compare metrics with
 * thresholds; where a rule is more than a comparison, a metric has its result.
 * Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stddef.h>

#include "core/model/health.h"

/* A stall is critical after this time. */
#define STALLED_CRITICAL_SECONDS 60.0

/* A blocker that is idle for so long probably does not continue by itself. */
#define IDLE_BLOCKER_SECONDS 60.0

/* Demand above this multiple of the optimum is critical. */
#define OVERSUBSCRIBED_CRITICAL 4.0

/* The utilization of used up cores, and the part of the server in it, or in waiting for them. */
#define CORES_USED_UP 0.9
#define OWN_CORES 0.5
#define OWN_QUEUE 0.33

#define NEARLY_FULL 0.9

/*
 * An incident is critical when it has cost as much as a stall of this time, and at most this
 * share of the usual work was done while it lasted.  One that can be harmless is a warning when it has cost so much.
 */
#define COST_CRITICAL_SECONDS 60.0
#define COST_CRITICAL_THROUGHPUT 0.5
#define COST_WARNING_SECONDS 5.0

/* A wait this long means that the queue does not move. */
#define OLD_QUEUE_SECONDS 60.0

/* The period of the averages that still contain a stall. */
#define AVERAGES_US 60000000

bool
padv_health_stalled(const PadvStatus *status)
{
	return status->stall.stalled_seconds > 0.0;
}

bool
padv_health_stalled_lately(const PadvStatus *status)
{
	const PadvStall *stall = &status->stall;

	return padv_health_stalled(status) ||
		(stall->ended_us != 0 && status->clock_us - stall->ended_us < AVERAGES_US);
}

bool
padv_health_idle_blocks(const PadvStatus *status)
{
	return status->stall.idle_blocker_seconds >= IDLE_BLOCKER_SECONDS;
}

const PadvBlocker *
padv_health_blocker(const PadvStatus *status)
{
	return !padv_health_stalled(status) && padv_health_idle_blocks(status) ?
		&status->stall.idle : &status->stall.worst;
}

PadvVerdict
padv_health_verdict(const PadvModel *model, const PadvStall *stall)
{
	return stall->stalled_seconds > 0.0 ? PADV_VERDICT_STALLED : model->verdict;
}

int64_t
padv_health_connections_taken(const PadvStatus *status)
{
	return status->last.sessions + status->last.logins_waiting;
}

bool
padv_health_nearly_full(const PadvStatus *status, int64_t taken)
{
	return (double) taken >= NEARLY_FULL * (double) status->model.inputs.usable_connections;
}

bool
padv_health_queue_is_old(const PadvStatus *status)
{
	return status->stall.queue_seconds >= OLD_QUEUE_SECONDS;
}

/* --- the states --- */

static PadvCheckStatus
check_sampling(const PadvLocalStatus *local)
{
	return padv_sampling_stopped(local) ? PADV_CHECK_UNKNOWN : PADV_CHECK_OK;
}

static PadvCheckStatus
check_stall(const PadvLocalStatus *local)
{
	double		seconds = local->status.stall.stalled_seconds;

	if (seconds >= STALLED_CRITICAL_SECONDS)
		return PADV_CHECK_CRITICAL;
	return seconds > 0.0 ? PADV_CHECK_WARNING : PADV_CHECK_OK;
}

static PadvCheckStatus
check_idle_blocker(const PadvLocalStatus *local)
{
	return padv_health_idle_blocks(&local->status) ? PADV_CHECK_WARNING : PADV_CHECK_OK;
}

/* What an incident has cost, as seconds of the usual work; 0 if that is not known. */
static double
cost_seconds(const PadvIncident *incident)
{
	return incident->throughput_before > 0.0 ? incident->not_done / incident->throughput_before : 0.0;
}

/* Work that is harmed is a warning. */
static PadvCheckStatus
judge_cost(const PadvIncident *incident)
{
	return cost_seconds(incident) >= COST_CRITICAL_SECONDS && incident->throughput >= 0.0 &&
		incident->throughput <= COST_CRITICAL_THROUGHPUT * incident->throughput_before ?
		PADV_CHECK_CRITICAL : PADV_CHECK_WARNING;
}

/* Whether somebody has come whose sessions keep no transaction of the others from being done. */
static bool
is_only_beside(const PadvIncident *incident)
{
	double		seconds = (double) (incident->seen - incident->began) / 1e6;

	return incident->culprit != PADV_CULPRIT_NONE && incident->throughput >= 0.0 && incident->throughput_before >= 0.0 &&
		padv_incident_does_as_before(incident->throughput, incident->throughput_before, seconds > 1.0 ? seconds : 1.0);
}

PadvCheckStatus
padv_health_of_incident(const PadvIncident *incident)
{
	switch ((PadvIncidentKind) incident->kind)
	{
		case PADV_INCIDENT_STALLED:
			return PADV_CHECK_OK;
		case PADV_INCIDENT_LEAK:
			return PADV_CHECK_WARNING;
		case PADV_INCIDENT_LOGIN_STORM:
			return cost_seconds(incident) >= COST_WARNING_SECONDS ? judge_cost(incident) : PADV_CHECK_OK;
		case PADV_INCIDENT_OVERLOAD:
			return is_only_beside(incident) ? PADV_CHECK_OK : PADV_CHECK_WARNING;
		case PADV_INCIDENT_OVERSUBSCRIPTION:
		case PADV_INCIDENT_IO_FLOOD:
		case PADV_INCIDENT_LOCK_STORM:
			break;
	}
	return judge_cost(incident);
}

const PadvIncident *
padv_health_incident(const PadvLocalStatus *local)
{
	const PadvIncident *worst = NULL;

	for (int i = 0; i < local->nlasting; i++)
		if (worst == NULL || padv_health_of_incident(&local->lasting[i]) > padv_health_of_incident(worst))
			worst = &local->lasting[i];
	return worst;
}

static PadvCheckStatus
check_incident(const PadvLocalStatus *local)
{
	const PadvIncident *worst = padv_health_incident(local);

	return worst != NULL ? padv_health_of_incident(worst) : PADV_CHECK_OK;
}

static PadvCheckStatus
check_locked_up(const PadvLocalStatus *local)
{
	const PadvFoundCounts *found = &local->status.found;

	if (found->locked_up_seconds >= PADV_LOCKED_UP_CRITICAL_SECONDS)
		return PADV_CHECK_CRITICAL;
	return found->locked_up > 0 ? PADV_CHECK_WARNING : PADV_CHECK_OK;
}

static PadvCheckStatus
check_leaking(const PadvLocalStatus *local)
{
	return local->status.found.leaking > 0 ? PADV_CHECK_WARNING : PADV_CHECK_OK;
}

static PadvCheckStatus
check_limits(const PadvLocalStatus *local)
{
	return local->status.limits_unreadable ? PADV_CHECK_CRITICAL : PADV_CHECK_OK;
}

static PadvCheckStatus
check_history(const PadvLocalStatus *local)
{
	return local->status.history_unwritten ? PADV_CHECK_WARNING : PADV_CHECK_OK;
}

static PadvCheckStatus
check_connections(const PadvLocalStatus *local)
{
	const PadvStatus *status = &local->status;

	return padv_health_nearly_full(status, padv_health_connections_taken(status)) ?
		PADV_CHECK_CRITICAL : PADV_CHECK_OK;
}

bool
padv_health_others_use_cores(const PadvStatus *status)
{
	const PadvLoad *load = &status->load;

	return load->server_cores >= 0.0 &&
		load->server_cores < OWN_CORES * load->cpu_utilization * status->model.cores;
}

bool
padv_health_cores_used_up(const PadvStatus *status)
{
	return status->load.cpu_utilization >= CORES_USED_UP &&
		(status->load.run_queue_ratio >= OWN_QUEUE || !padv_health_others_use_cores(status));
}

bool
padv_health_used_up(const PadvStatus *status, PadvResource *resource)
{
	const PadvModel *model = &status->model;
	bool		queues = model->chosen == PADV_METHOD_WAIT_RATIO && model->bottleneck_saturated &&
		model->by_bottleneck > 0.0 && model->by_bottleneck < model->by_cores;

	*resource = queues ? model->bottleneck : PADV_RESOURCE_CORES;
	return queues || padv_health_cores_used_up(status);
}

/* A derived number counts where a resource is seen to be used up, and then as a warning. */
PadvCheckStatus
padv_health_oversubscribed(const PadvLocalStatus *local)
{
	const PadvStatus *status = &local->status;
	const PadvModel *model = &status->model;
	PadvResource resource;

	if (!padv_model_oversubscribed(model) || padv_health_stalled_lately(status))
		return PADV_CHECK_OK;
	if (padv_model_is_derived(model))
		return padv_health_used_up(status, &resource) ? PADV_CHECK_WARNING : PADV_CHECK_OK;
	return model->load_ratio > OVERSUBSCRIBED_CRITICAL &&
		(model->chosen == PADV_METHOD_SETTING ||
		 padv_model_chosen(model)->confidence >= PADV_CONFIDENCE_MEDIUM) ? PADV_CHECK_CRITICAL : PADV_CHECK_WARNING;
}

static PadvCheckStatus
check_queue(const PadvLocalStatus *local)
{
	return padv_health_queue_is_old(&local->status) ? PADV_CHECK_WARNING : PADV_CHECK_OK;
}

/* observe and off are warnings only. */
static PadvCheckStatus
check_enforcement(const PadvLocalStatus *local)
{
	return local->enforcement == PADV_ENFORCEMENT_OFF ||
		local->gate_enforcement == PADV_ENFORCEMENT_OFF ? PADV_CHECK_WARNING : PADV_CHECK_OK;
}

const PadvHealthRule padv_health_rules[] = {
	{"sampling_stopped", "PoolAdvisorSamplingStopped", check_sampling},
	{"blocked_by", "PoolAdvisorStalled", check_stall},
	{"blocked_by", "PoolAdvisorIdleBlocker", check_idle_blocker},
	{"pool_locked_up", "PoolAdvisorPoolLockedUp", check_locked_up},
	{"connections_nearly_full", "PoolAdvisorConnectionsNearlyFull", check_connections},
	{"limits_unreadable", "PoolAdvisorLimitsUnreadable", check_limits},
	{"incident", "PoolAdvisorIncident", check_incident},
	{"oversubscribed", "PoolAdvisorOversubscribed", padv_health_oversubscribed},
	{"pool_leaking", "PoolAdvisorPoolLeaking", check_leaking},
	{"queue_old", "PoolAdvisorQueueOld", check_queue},
	{"enforcement_off", "PoolAdvisorEnforcementOff", check_enforcement},
	{"history_unwritten", "PoolAdvisorHistoryUnwritten", check_history},
	{0}
};

PadvHealth
padv_health(const PadvLocalStatus *local)
{
	PadvHealth	health = {PADV_CHECK_OK, ""};

	for (const PadvHealthRule *rule = padv_health_rules; rule->code != NULL; rule++)
	{
		PadvCheckStatus status = rule->judge(local);

		if (status > health.status)
			health = (PadvHealth) {status, rule->code};
	}
	return health;
}
