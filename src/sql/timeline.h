/*
 * timeline.h
 *		Points of the history, copied out for a drawing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_TIMELINE_H
#define PADV_TIMELINE_H

#include "core/render/columns.h"

/* How far back a resolution goes, in microseconds. */
extern const int64 padv_history_reach[PADV_RESOLUTIONS];

/*
 * The points of a resolution in a period up to the newest, or to now when that
 * is older than it should be; in the current memory context.  sample_interval is
 * in microseconds.
 */
extern void padv_fetch_timeline(PadvTimeline *timeline, PadvResolution resolution, int64 now,
								int64 period, int64 sample_interval);

#endif							/* PADV_TIMELINE_H */
