/*
 * lease.h
 *		How long a slot stays with one session while others wait for it.
 *
 * A process that has just run has its memory in the caches of the CPU.  A process that
 * waited behind hundreds of others has lost it.  So a session may run further
 * transactions for a while, the lease.  Its slot is retained while its client sends the
 * next transaction, up to the retain timeout.
 *
 * Plain data in memory of the caller.  Nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LEASE_H
#define PADV_LEASE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Microseconds that a session may run further transactions while so many others wait for
 * so many slots.  Grows with the queue, because a process that waited behind many others
 * has cold caches; bounded so that every waiter is served within 2 s, but at least 5 ms.
 */
extern int64_t padv_lease_us(int32_t waiting, int32_t slots);

/* The retain timeout when cores are idle, in microseconds; it is never shorter. */
#define PADV_RETAIN_US 1000

typedef struct PadvRetain
{
	int64_t		us;				/* the retain timeout now, microseconds */
	int64_t		changed_at;		/* monotonic, microseconds */
	int64_t		not_before;		/* likewise; when it may be long again */
	int64_t		pause;			/* microseconds without a long one, after a
								 * long one left cores idle */
	int32_t		in_vain;		/* the limit on slots when that happened */
} PadvRetain;

extern void padv_retain_init(PadvRetain *retain);

/*
 * Update the retain timeout, once a second.  cpu_utilization is the share of the granted
 * cores that was busy in the last second, 0..1, or negative if not known.  limit is the
 * number of slots, -1 for any number.  now is monotonic, in microseconds.
 *
 * While no core is idle, an unused slot costs nothing for a moment, and a client on
 * the same busy machine needs that moment.  So the timeout is long then.  If cores become
 * idle, because clients are slow for another reason or slots are few, it is short
 * again.  It becomes long again only after a pause, or with twice the slots.
 */
extern void padv_retain_update(PadvRetain *retain, double cpu_utilization,
							   int32_t limit, int64_t now);

#endif							/* PADV_LEASE_H */
