/*
 * ended_sessions.h
 *		What sessions did that have ended, by the pool that they were of.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ENDED_SESSIONS_H
#define PADV_ENDED_SESSIONS_H

#include "core/model/pools.h"

struct PgBackendStatus;

/* Bytes of shared memory, and its set-up; for status_shmem.c. */
extern Size padv_ended_shmem_size(void);
extern void padv_ended_shmem_init(void);

/* Report this client backend when it ends; from the login. */
extern void padv_ended_start(void);

/*
 * What the sessions of an entry have in common: copy it from the server's status array.  The
 * caller checks that the entry has not changed meanwhile.
 */
extern void padv_pool_key_of(volatile struct PgBackendStatus *entry, PadvPoolKey *key);

/* Sums since the pool has had an entry here; they never decrease. */
typedef struct PadvEnded
{
	uint64		hash;			/* 0: a free entry */
	PadvPoolKey key;
	uint64		sessions;
	uint64		brief;			/* of these, see PADV_BRIEF_US */
	uint64		inside_us;
	uint64		held[PADV_HOLD_BUCKETS];
} PadvEnded;

/* The entries.  The last one, of hash 1, is for pools that found no free entry. */
#define PADV_ENDED_ENTRIES 513

/* Copy an entry without a lock; each number is read whole. */
extern void padv_ended_read(int entry, PadvEnded *ended);

/*
 * Free the entry of a pool whose sessions end no more.  What a session adds at this moment
 * is lost.  For the worker only.
 */
extern void padv_ended_free(int entry);

#endif							/* PADV_ENDED_SESSIONS_H */
