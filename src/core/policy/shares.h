/*
 * shares.h
 *		Flows: who goes next at a quota that several share by weight.
 *
 * Only for core/policy/wait_queue.c and leaders.c, which hold their caller's lock.  Nothing
 * here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SHARES_H
#define PADV_SHARES_H

#include "core/policy/wait_queue.h"

/* Clear the flows before anything is linked, or is linked again after a rebuild. */
extern void padv_shares_clear(PadvWaitQueue *queue, int nflows);

/* Let a flow of which no request is in use begin anew. */
extern void padv_flow_begin(PadvWaitQueue *queue, int flow);

/* Whether this quota is the shared one. */
static inline bool
padv_is_shared(const PadvWaitQueue *queue, const PadvQuota *quota)
{
	return queue->head->shared != PADV_NONE && quota == padv_queue_quota(queue, queue->head->shared);
}

/* Whether the request is under the shared quota, which is the last of its quotas. */
static inline bool
padv_has_share(const PadvWaitQueue *queue, const PadvRequest *request)
{
	return queue->head->shared != PADV_NONE && request->nquotas > 0 &&
		request->quotas[request->nquotas - 1] == queue->head->shared;
}

/*
 * The first leader of a flow has changed at the shared quota, or what it has been
 * charged: put the flow where it belongs, and set quota->first.
 */
extern void padv_flow_changed(PadvWaitQueue *queue, int flow);

/* Whether no request that is linked at the shared quota goes before this one. */
extern bool padv_goes_first(const PadvWaitQueue *queue, const PadvRequest *request);

/*
 * A request under the shared quota has been granted, after a wait or without one; and is
 * released.  Each counts it in its flow and charges the flow.
 */
extern void padv_share_begin(PadvWaitQueue *queue, PadvRequest *request, bool after_wait);
extern void padv_share_end(PadvWaitQueue *queue, PadvRequest *request);

#endif							/* PADV_SHARES_H */
