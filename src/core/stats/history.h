/*
 * history_shmem.h
 *		What the last two weeks were like, in three resolutions.
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
 * One interval: means, but for active_max.  Sessions where no unit is given;
 * what is not known is negative.
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
 * What a point can hold, and a file may: times within three centuries of the
 * epoch, so that nothing overflows on the way to a calendar, and figures that
 * are finite, at most this, and -1 or more.
 */
#define PADV_HISTORY_LATEST INT64_C(10000000000000000)
#define PADV_HISTORY_GREATEST 1e9f

/* Points are numbered as they come; those in the ring are the last count. */
typedef struct PadvHistoryRing
{
	uint64_t	end;			/* number of the point after the newest */
	uint32_t	count;
} PadvHistoryRing;

/* Figures that another room keeps along with the history. */
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

/* Forget all; the curve too. */
extern void padv_history_init(PadvHistory *history);

/* Forget the points. */
extern void padv_history_forget(PadvHistory *history);

/* Points that a resolution can hold. */
extern int	padv_history_size(PadvResolution resolution);

/* '1 s', '10 s' or '5 min', and the same in microseconds. */
extern const char *padv_resolution_name(PadvResolution resolution);
extern int64_t padv_resolution_us(PadvResolution resolution);

/*
 * Make a point of what the window took; cpu_utilization and
 * transactions_per_second negative when unknown.
 */
extern void padv_history_describe(const PadvWindowMeans *take, double cpu_utilization,
								  double transactions_per_second,
								  int64_t optimal, PadvHistoryPoint *point);

/*
 * Whether all of a point is within the bounds above; the second form puts what
 * is not on "unknown", and is false only for the time.
 */
extern bool padv_history_sound(const PadvHistoryPoint *point);
extern bool padv_history_mend(PadvHistoryPoint *point);

/*
 * Take in the point of one second, mended; O(1) but for the end of an interval,
 * which costs what its points did.
 *
 * Intervals of 10 s and 5 min end on multiples on the wall clock and are told
 * by the first point after their end, as the mean of the points of one second
 * in them, all with the same weight, however many there are; what is unknown
 * in a point is left out.
 *
 * The wall clock may step.  Forward, or while the server was down, it leaves a
 * gap.  Back, the points that are not before the new time are forgotten, in
 * all resolutions: they are of a time that comes again, or never came.
 */
extern void padv_history_add(PadvHistory *history, const PadvHistoryPoint *point);

/*
 * Put a point behind the others of its resolution: sound, later than they are,
 * and at the end of an interval.  For those that a file kept.
 */
extern void padv_history_append(PadvHistory *history, PadvResolution resolution,
								const PadvHistoryPoint *point);

/*
 * Copy out up to max points, the oldest first, from number *cursor on, or from
 * the oldest there is if that is later; *cursor moves behind them.  0 says that
 * there is no more.  A reader that lets points be added in between must skip
 * those that are not later than its last one.
 */
extern int	padv_history_copy(const PadvHistory *history, PadvResolution resolution,
							  uint64_t *cursor, PadvHistoryPoint *points, int max);

/*
 * The curve: finite numbers, PADV_HISTORY_MAX_CURVE at most, whose meaning is
 * the caller's; a file keeps them.  False, and nothing changed, if they are not
 * such.  Getting gives their number.
 */
extern bool padv_history_curve_sound(const double *curve, size_t count);
extern bool padv_history_set_curve(PadvHistory *history, const double *curve,
								   size_t count);
extern size_t padv_history_get_curve(const PadvHistory *history, double *curve);

#endif							/* PADV_HISTORY_H */
