/*
 * slot_reclaim.h
 *		Slots that sessions retain, for xact_slots.c.
 *
 * All are called without the mutex, and read without it what may have changed the next
 * moment.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SLOT_RECLAIM_H
#define PADV_SLOT_RECLAIM_H

#include "shmem/admission_internal.h"

/* How many sessions wait. */
static inline int32
padv_slot_waiters(void)
{
	return *(volatile int32 *) &padv_admission->xact_head.waiting;
}

/* How long a slot is retained while others wait, in microseconds. */
static inline int64
padv_retain_timeout_us(void)
{
	return pg_atomic_read_u32(&padv_admission->retain_us);
}

/*
 * is_wanted: whether a session waits for a quota that this slot is counted in.
 * reclaim_if_due: as padv_slots_reclaim, unless another session has done so within a
 *		millisecond.
 * reclaim_one: reclaim one retained slot of this quota, even if its retain timeout is not
 *		over; false when there is none.
 */
extern bool padv_slot_is_wanted(const volatile PadvBackend *backend);
extern void padv_slots_reclaim_if_due(int64 now);
extern bool padv_slots_reclaim_one(int32 quota, int64 now);

#endif							/* PADV_SLOT_RECLAIM_H */
