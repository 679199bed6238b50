/*
 * lock_chains.h
 *		The sessions that block others, from the server's lock tables.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LOCK_CHAINS_H
#define PADV_LOCK_CHAINS_H

#include "core/model/blockers.h"
#include "core/stats/sample.h"

typedef struct PadvLockChains PadvLockChains;

/*
 * Allocate the state in the current memory context.  slot_wait_event is the wait event of
 * sessions in the queue for transaction slots.
 */
extern PadvLockChains *padv_lock_chains_create(uint32_t slot_wait_event);

/*
 * Read the locks if a session of the sample waits for one, publish the roots, and update
 * the stall.  demand is the number of sessions that want to work.  now is monotonic, in
 * microseconds.  Takes the lock manager's partition locks, one after the other, and the
 * lock of status_shmem.c; the caller holds none.  May raise out-of-memory.
 */
extern void padv_lock_chains_look(PadvLockChains *chains, const PadvSample *sample,
								  int64_t demand, int64_t now, PadvStall *stall);

/* The roots as of the last look; valid until the next one. */
extern const PadvBlockers *padv_lock_chains_roots(const PadvLockChains *chains);

#endif							/* PADV_LOCK_CHAINS_H */
