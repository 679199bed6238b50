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
extern void padv_flow_begin(PadvWaitQueue *queue, PadvSharedQuota which, int flow);

/* Which of the shared quotas this one is, or PADV_NONE. */
static inline int
padv_shared_number(const PadvWaitQueue *queue, const PadvQuota *quota)
{
	for (int which = 0; which < PADV_SHARED_QUOTAS; which++)
		if (queue->head->shared[which].quota != PADV_NONE &&
			quota == padv_queue_quota(queue, queue->head->shared[which].quota))
			return which;
	return PADV_NONE;
}

/* The flow of a request at this quota, or NULL if the quota is not shared. */
static inline PadvFlow *
padv_flow_at(const PadvWaitQueue *queue, const PadvQuota *quota, const PadvRequest *request)
{
	int			which = padv_shared_number(queue, quota);

	return which != PADV_NONE ? padv_queue_flow(queue, which, request->flows[which]) : NULL;
}

/*
 * The first leader of a flow has changed at its shared quota, or what it has been
 * charged: put the flow where it belongs, and set quota->first.
 */
extern void padv_flow_changed(PadvWaitQueue *queue, PadvSharedQuota which, int flow);

/* Whether no request that is linked at this shared quota goes before this one. */
extern bool padv_goes_first(const PadvWaitQueue *queue, PadvSharedQuota which, const PadvRequest *request);

/*
 * A request has been granted, after a wait or without one; and is released.  At each
 * shared quota that it is under it is counted in its flow, and the flow is charged.
 */
extern void padv_shares_begin(PadvWaitQueue *queue, PadvRequest *request, bool after_wait);
extern void padv_shares_end(PadvWaitQueue *queue, PadvRequest *request);

#endif							/* PADV_SHARES_H */
