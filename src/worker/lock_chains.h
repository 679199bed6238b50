/*
 * lock_chains.h
 *		Who keeps others waiting, from the server's lock tables.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LOCK_CHAINS_H
#define PADV_LOCK_CHAINS_H

#include "core/model/blockers.h"
#include "core/stats/sample.h"

typedef struct PadvLockChains PadvLockChains;

/* In the current memory context; a session with this wait event is queued. */
extern PadvLockChains *padv_lock_chains_create(uint32_t turn_wait_event);

/*
 * Look at the locks if any session of the sample waits for one, publish the roots,
 * and bring the stall up to date; demand is what wants to work now.
 */
extern void padv_lock_chains_look(PadvLockChains *chains, const PadvSample *sample,
								  int64_t demand, int64_t now, PadvStall *stall);

#endif							/* PADV_LOCK_CHAINS_H */
