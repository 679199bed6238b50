/*
 * pool_watch.h
 *		Which sessions are of which pool in front, and what they do.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_POOL_WATCH_H
#define PADV_POOL_WATCH_H

#include "core/model/pools.h"
#include "core/stats/sample.h"

struct PgBackendStatus;

typedef struct PadvPoolWatch PadvPoolWatch;

/* Allocate the state in the current memory context; once in a process. */
extern PadvPoolWatch *padv_pool_watch_create(void);

/*
 * The number of the pool that the session of a status entry is of; for the sampler.  What is
 * no session, or is logging in, is of PADV_OTHER_POOLS; what may name itself yet is of
 * PADV_NO_POOL.  An entry that has not changed costs a comparison.  Takes no lock.
 */
extern uint16_t padv_pool_watch_number(volatile struct PgBackendStatus *entry, int status_index);

/* Count a sample. */
extern void padv_pool_watch_sample(PadvPoolWatch *watch, const PadvSample *sample);

/*
 * Judge the pools, and publish them.  `sample` is the last one counted; optimal is the
 * server's number of active connections.  *counts is set to what there is to say about them.
 * Takes the lock of status_shmem.c; the caller holds none.
 */
extern void padv_pool_watch_second(PadvPoolWatch *watch, const PadvSample *sample, int64_t optimal,
								   PadvFoundCounts *counts);

extern void padv_pool_watch_forget_sizes(PadvPoolWatch *watch);
extern void padv_pool_watch_forget_peaks(PadvPoolWatch *watch);

#endif							/* PADV_POOL_WATCH_H */
