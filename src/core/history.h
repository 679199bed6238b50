/*
 * history.h
 *		What the last two weeks were like, in three resolutions.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_HISTORY_H
#define PADV_HISTORY_H

#include <stddef.h>

#include "core/sample.h"

/* A point every second for 15 minutes, every 10 s for 6 h, every 5 min for 14 days. */
typedef enum PadvResolution
{
	PADV_HISTORY_1_SECOND,
	PADV_HISTORY_10_SECONDS,
	PADV_HISTORY_5_MINUTES,
} PadvResolution;

#define PADV_RESOLUTIONS (PADV_HISTORY_5_MINUTES + 1)

#define PADV_HISTORY_SECONDS 900
#define PADV_HISTORY_TENS 2160
#define PADV_HISTORY_FIVE_MINUTES 4032

/*
 * One interval: means, but for active_max.  Sessions where no unit is given;
 * what is not known is negative.
 */
typedef struct PadvHistoryPoint
{
	int64_t		at;				/* end of the interval, microseconds on the wall
								 * clock, as PadvSample.taken_at */
	float		active_avg;
	float		active_max;
	float		idle;
	float		idle_in_transaction;
	float		queued;
	float		in_class[PADV_WAIT_CLASSES];
	float		io_wait_ratio;	/* 0..1 */
	float		cpu_utilization;	/* 0..1 */
	float		transactions_per_second;
	float		optimal;		/* connections */
} PadvHistoryPoint;

#endif							/* PADV_HISTORY_H */
