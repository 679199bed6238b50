/*
 * queue_bounds.h
 *		Where a transaction would wait, and whether it may.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_QUEUE_BOUNDS_H
#define PADV_QUEUE_BOUNDS_H

#include "core/policy/wait_queue.h"
#include "shmem/xact_slots.h"

/*
 * Call these with the mutex held.  None of them raises.
 *
 * would_wait_at: the quota that the request would have to wait for if limits were
 *		enforced, or PADV_NO_QUOTA.
 * describe: write the figures of this quota's queue to *full.
 * finds_full: whether the queue has no room at a full quota of the request; that quota is
 *		written to *full.
 * update_watches: before a request enters the queue, begin to watch the queue of a quota
 *		where it is the first waiter, and let the newest be served first where the queue is
 *		overloaded.  Long transactions wait long anyway, so their lane is never overloaded.
 * would_time_out: whether the wait at one of its quotas takes longer than time_left,
 *		microseconds; that quota is written to *full.
 */
extern int32 padv_would_wait_at(const PadvRequest *request);
extern void padv_describe_full_queue(int32 quota, PadvFullQueue *full);
extern bool padv_finds_full_queue(const PadvRequest *request, PadvFullQueue *full);
extern void padv_update_queue_watches(const PadvRequest *request, int64 now);
extern bool padv_would_time_out(const PadvRequest *request, int64 time_left, int64 now, PadvFullQueue *full);

#endif							/* PADV_QUEUE_BOUNDS_H */
