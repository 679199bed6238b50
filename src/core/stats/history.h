/*
 * history.h
 *		The history of the last two weeks, in three resolutions.
 *
 * Pure: plain data in memory of the caller, who protects it with a lock; nothing here
 * blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_HISTORY_H
#define PADV_HISTORY_H

#include <stddef.h>

#include "core/stats/window.h"

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
 * One interval: means, except active_max.  Sessions where no unit is given; a negative
 * value is not known.
 */
typedef struct PadvHistoryPoint
{
	int64_t		at;				/* end of the interval, microseconds on the
								 * wall clock, as PadvSample.taken_at */
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

/*
 * The valid values of a point, in memory and in a file: times within three centuries of
 * the epoch, so that calendar functions do not overflow, and finite figures from -1 to
 * PADV_HISTORY_GREATEST.
 */
#define PADV_HISTORY_LATEST INT64_C(10000000000000000)
#define PADV_HISTORY_GREATEST 1e9f

/* Points are numbered in order; the ring has the last `count` of them. */
typedef struct PadvHistoryRing
{
	uint64_t	end;			/* number of the point after the newest */
	uint32_t	count;
} PadvHistoryRing;

/* Numbers that the worker keeps along with the history. */
#define PADV_HISTORY_MAX_CURVE 4096

/*
 * One block of fixed size without pointers, about half a megabyte.  In each
 * ring the times of the points strictly increase.
 */
typedef struct PadvHistory
{
	PadvHistoryRing rings[PADV_RESOLUTIONS];
	uint32_t	ncurve;
	double		curve[PADV_HISTORY_MAX_CURVE];
	PadvHistoryPoint points[PADV_HISTORY_SECONDS + PADV_HISTORY_TENS +
							PADV_HISTORY_FIVE_MINUTES];
} PadvHistory;

/* Remove all points, and the curve. */
extern void padv_history_init(PadvHistory *history);

/* Remove all points. */
extern void padv_history_forget(PadvHistory *history);

/* The number of points that a resolution can hold. */
extern int	padv_history_size(PadvResolution resolution);

/* '1 s', '10 s' or '5 min', and the same in microseconds. */
extern const char *padv_resolution_name(PadvResolution resolution);
extern int64_t padv_resolution_us(PadvResolution resolution);

/*
 * Make a point of the means of the window.  cpu_utilization (0..1) and
 * transactions_per_second are negative if not known.
 */
extern void padv_history_describe(const PadvWindowMeans *means, double cpu_utilization,
								  double transactions_per_second,
								  int64_t optimal, PadvHistoryPoint *point);

/*
 * Whether all values of a point are valid, as above.  The second function sets invalid
 * values to unknown, and returns false only for an invalid time.
 */
extern bool padv_history_sound(const PadvHistoryPoint *point);
extern bool padv_history_mend(PadvHistoryPoint *point);

/*
 * Add the point of one second, after padv_history_mend.  O(1), except at the end of an
 * interval, which costs as much as its points did.
 *
 * Intervals of 10 s and 5 min end on multiples of the wall clock.  The first point after
 * the end completes one: its point is the mean of the points of one second in it, all with
 * the same weight.  Unknown values are left out.
 *
 * The wall clock may step.  A step forward, or a stopped server, leaves a gap.  After a
 * step back the points that are not before the new time are removed, in all resolutions.
 */
extern void padv_history_add(PadvHistory *history, const PadvHistoryPoint *point);

/*
 * Append a point that a file has kept.  It must be valid, later than the other points of
 * its resolution, and at the end of an interval.
 */
extern void padv_history_append(PadvHistory *history, PadvResolution resolution,
								const PadvHistoryPoint *point);

/*
 * Copy up to max points, oldest first, from number *cursor on, or from the oldest one if
 * that is later.  Advances *cursor and returns the number of points, 0 at the end.  If
 * points can be added between two calls, the reader must skip points that are not later
 * than its last one.
 */
extern int	padv_history_copy(const PadvHistory *history, PadvResolution resolution,
							  uint64_t *cursor, PadvHistoryPoint *points, int max);

/*
 * The curve: up to PADV_HISTORY_MAX_CURVE finite numbers whose meaning is the caller's; a
 * file keeps them.  Setting returns false, and changes nothing, for other numbers.
 * Getting writes them and returns their number.
 */
extern bool padv_history_curve_sound(const double *curve, size_t count);
extern bool padv_history_set_curve(PadvHistory *history, const double *curve,
								   size_t count);
extern size_t padv_history_get_curve(const PadvHistory *history, double *curve);

#endif							/* PADV_HISTORY_H */
