/*
 * wait_times.h
 *		How long the waits of the last minute at a queue were.
 *
 * Plain data in memory that the caller provides and protects.  All bytes 0 is an empty
 * histogram.  Times come from the caller: monotonic, in microseconds.  Nothing here
 * blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_WAIT_TIMES_H
#define PADV_WAIT_TIMES_H

#include <stdint.h>

/* Two buckets for each doubling, from 0.1 ms to 7 minutes. */
#define PADV_WAIT_BUCKETS 46

/* The current slice, and four before it: together 60 to 75 s. */
#define PADV_WAIT_SLICES 5
#define PADV_WAIT_SLICE_US INT64_C(15000000)

typedef struct PadvWaitTimes
{
	int64_t		slice;			/* number of the current slice since time 0 */
	uint32_t	count[PADV_WAIT_SLICES][PADV_WAIT_BUCKETS];
} PadvWaitTimes;

/* Add a wait that has ended now. */
extern void padv_wait_times_add(PadvWaitTimes *times, int64_t wait, int64_t now);

/*
 * The wait in seconds that this share of the last minute's waits did not exceed, or -1
 * without any.  It is within 20 % for waits from 0.1 ms to 7 minutes.
 */
extern double padv_wait_times_quantile(const PadvWaitTimes *times, double share, int64_t now);

#endif							/* PADV_WAIT_TIMES_H */
