/*
 * buffer_stats.h
 *		Hits and misses of shared buffers.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_BUFFERS_H
#define PADV_BUFFERS_H

#include "core/stats/load.h"
#include "core/stats/sample.h"

typedef struct PadvBuffers PadvBuffers;

/* In the current memory context. */
extern PadvBuffers *padv_buffers_create(void);

/*
 * Read the statistics of the databases followed, follow those of the sample
 * from now on, and write PADV_BLOCKS_FETCHED and PADV_BLOCKS_HIT.
 */
extern void padv_buffers_read(PadvBuffers *buffers, const PadvSample *sample,
							  PadvCounters *counters);

#endif							/* PADV_BUFFERS_H */
