/*
 * queue_bounds.c
 *		Where a transaction would wait, and whether it may.
 *
 * admission_internal.h says which lock protects what.  xact_slots.c calls it before a
 * request enters the queue.  A full quota is one that the request would have to wait for.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "shmem/admission_internal.h"
#include "shmem/long_lane.h"
#include "shmem/queue_bounds.h"

int32
padv_would_wait_at(const PadvRequest *request)
{
	for (int i = 0; i < request->nquotas; i++)
	{
		int32		limit = padv_slot_limit_of(request->quotas[i]);

		if (limit >= 0 && padv_limit_states[request->quotas[i]].active.in_use >= limit)
			return request->quotas[i];
	}
	return PADV_NO_QUOTA;
}

void
padv_describe_full_queue(int32 quota, PadvFullQueue *full)
{
	const PadvLimitState *state = &padv_limit_states[quota];

	full->quota = quota;
	full->limit = quota == PADV_SERVER_QUOTA || quota == PADV_LANE_QUOTA ? PADV_SERVER_QUEUE :
		quota < PADV_MAX_LIMITS ? quota : PADV_DEFAULT_LIMIT;
	full->long_lane = quota == PADV_LANE_QUOTA;
	full->query_id = padv_query_of_quota(quota);
	full->generation = padv_admission->generation;
	full->max_active = padv_slot_limit_of(quota);
	full->in_use = state->active.in_use;
	full->queue_length = state->value[PADV_TRANSACTION_QUEUE_LENGTH];
	full->queue_timeout = Max(state->value[PADV_TRANSACTION_QUEUE_TIMEOUT], 0);
	full->waiting = state->active.linked;
}

bool
padv_finds_full_queue(const PadvRequest *request, PadvFullQueue *full)
{
	for (int i = 0; i < request->nquotas; i++)
	{
		const PadvLimitState *state = &padv_limit_states[request->quotas[i]];

		if ((state->active.linked > 0 || !padv_quota_has_room(&state->active)) &&
			state->value[PADV_TRANSACTION_QUEUE_LENGTH] >= 0 &&
			state->active.linked >= state->value[PADV_TRANSACTION_QUEUE_LENGTH])
		{
			padv_describe_full_queue(request->quotas[i], full);
			return true;
		}
	}
	return false;
}

void
padv_update_queue_watches(const PadvRequest *request, int64 now)
{
	for (int i = 0; i < request->nquotas; i++)
	{
		int32		quota = request->quotas[i];
		PadvQueueWatch *watch = padv_queue_watch_of(request, quota);
		bool		overloaded;

		if (padv_waiters_like(request, quota) == 0)
			padv_queue_watch_begin(watch, now);
		overloaded = !padv_is_in_lane(request) && padv_queue_watch_is_overloaded(watch, now);
		if (quota == PADV_SERVER_QUOTA)
			padv_queue_set_flow_newest_first(&padv_xact_queue, PADV_OUTER, request->flows[PADV_OUTER], overloaded);
		else
			padv_queue_set_newest_first(&padv_xact_queue, quota, overloaded);
	}
}

bool
padv_would_time_out(const PadvRequest *request, int64 time_left, int64 now, PadvFullQueue *full)
{
	for (int i = 0; i < request->nquotas; i++)
	{
		int32		quota = request->quotas[i];
		int32		waiters = padv_waiters_like(request, quota);
		int64		least_wait = padv_queue_watch_least_wait(padv_queue_watch_of(request, quota), waiters, now);

		if (waiters == 0 || least_wait < time_left)
			continue;
		padv_describe_full_queue(quota, full);
		full->least_wait = least_wait;
		full->time_left = time_left;
		return true;
	}
	return false;
}
