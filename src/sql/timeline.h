/*
 * timeline.h
 *		Copies of the history for drawings.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_TIMELINE_H
#define PADV_TIMELINE_H

#include "core/render/columns.h"

/* How far back each resolution goes, in microseconds. */
extern const int64 padv_history_reach[PADV_RESOLUTIONS];

/*
 * Copy the points of a resolution in the `period` that ends at the newest point, or at
 * `now` if that point is too old.  Times are in microseconds, on the wall clock.  The
 * points are allocated in the current memory context.
 */
extern void padv_fetch_timeline(PadvTimeline *timeline, PadvResolution resolution, int64 now,
								int64 period, int64 sample_interval);

/* A timeline without points, of the `period` up to `now`. */
extern void padv_empty_timeline(PadvTimeline *timeline, int64 now, int64 period);

#endif							/* PADV_TIMELINE_H */
