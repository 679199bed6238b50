/*
 * buffer_stats.h
 *		Hits and misses of shared buffers, by the cumulative statistics.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_BUFFER_STATS_H
#define PADV_BUFFER_STATS_H

#include "core/stats/load.h"
#include "core/stats/sample.h"

typedef struct PadvBufferStats PadvBufferStats;

/* Allocate the state in the current memory context. */
extern PadvBufferStats *padv_buffer_stats_create(void);

/*
 * Read the statistics of the tracked databases, begin to track those of the sample, and
 * write PADV_BLOCKS_FETCHED and PADV_BLOCKS_HIT, in blocks.  Takes the statistics' own
 * locks, shared.  May raise out-of-memory.
 */
extern void padv_buffer_stats_read(PadvBufferStats *buffers, const PadvSample *sample,
								   PadvCounters *counters);

#endif							/* PADV_BUFFER_STATS_H */
