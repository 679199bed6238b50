/*
 * lease.h
 *		How long a slot stays with one session while others wait for it.
 *
 * A process that has just run has its memory in the caches of the CPU; one that
 * waited behind hundreds has lost it.  So a session may go on for a while, the
 * lease, and its slot is kept for the moment that its client needs to send the
 * next transaction, the grace.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LEASE_H
#define PADV_LEASE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Microseconds that a session may go on while so many wait for so many slots:
 * longer for a long line, as who waits in one is colder when its slot comes.  But
 * the queue goes round within two seconds, if that leaves the least to each.
 */
extern int64_t padv_lease_us(int32_t waiting, int32_t slots);

/* The grace when cores are idle; it may be this much at any time. */
#define PADV_RETAIN_US 1000

typedef struct PadvRetain
{
	int64_t		us;				/* what it is now */
	int64_t		changed_at;		/* monotonic, microseconds */
	int64_t		not_before;		/* when it may be long again */
	int64_t		pause;			/* after it last was long for nothing */
	int32_t		in_vain;		/* with this limit */
} PadvRetain;

extern void padv_retain_init(PadvRetain *grace);

/*
 * Look at the share of the granted cores that was busy in the last second, 0..1
 * or negative if not known; limit is how many slots there are, -1 any number.
 *
 * Where no core is idle, a slot that nobody uses for a moment costs nothing, and
 * a client on the same busy machine needs that moment.  So the grace is long
 * then.  If cores become idle by that, because clients are slow for another
 * reason, or slots are few, it is short again, and that is not tried again soon,
 * but with twice the slots.
 */
extern void padv_retain_update(PadvRetain *grace, double cpu_utilization,
							   int32_t limit, int64_t now);

#endif							/* PADV_LEASE_H */
