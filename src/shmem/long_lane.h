/*
 * long_lane.h
 *		The lane of long transactions within the server's limit.
 *
 * A transaction in the lane is under PADV_LANE_QUOTA, whose limit follows what short ones
 * need (core/policy/lanes.h).  It is of one flow with all others of the lane at the
 * server's quota, and of the flow of its role in the lane.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LONG_LANE_H
#define PADV_LONG_LANE_H

#include "shmem/admission_internal.h"

/*
 * Call these with the mutex held.  None of them raises.
 *
 * choose: decide whether the backend's next request goes into the lane.
 * update: set the limit of the lane; more is how many slots for short transactions are
 *		about to be wanted beside those that are counted.  May leave the queue unsettled.
 * learn: the backend's transaction has used its slot for so long, microseconds.
 * leave: its transaction, or its wait, has ended.
 */
extern void padv_lane_choose(PadvBackend *backend, uint64 query_id);
extern void padv_lane_update(int32 more, int64 now);
extern void padv_lane_learn(const PadvBackend *backend, int64 use_us, int64 now);
extern void padv_lane_leave(PadvBackend *backend);

/* Whether the request is in the lane. */
static inline bool
padv_is_in_lane(const PadvRequest *request)
{
	return request->nquotas > 1 && request->quotas[request->nquotas - 2] == PADV_LANE_QUOTA;
}

/*
 * Whether the backend's transaction should be in the other lane, by its class.  Without
 * a lock, so it may be wrong.
 */
extern bool padv_lane_is_wrong(const PadvBackend *backend, uint64 query_id);

/*
 * For the worker, while transactions wait.  They take the mutex.
 *
 * turn_long: count the running transaction of a backend as long if it has had its slot
 *		for long enough.
 * look: update the lane's limit, and move waiters whose class has become long or short.
 *		So many transactions that turned long do not work.
 */
extern void padv_lane_turn_long(int32 number, int64 held_us);
extern void padv_lane_look(int32 turned_idle);

#endif							/* PADV_LONG_LANE_H */
