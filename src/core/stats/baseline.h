/*
 * baseline.h
 *		What the last minutes were like, and what this time of day is like as a rule.
 *
 * Pure: plain data in memory of the caller; nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_BASELINE_H
#define PADV_BASELINE_H

#include "core/stats/history.h"

/* Means of a time. */
typedef struct PadvPace
{
	double		throughput;		/* transactions a second */
	double		demand;			/* sessions that want to work */
	double		lock;			/* sessions that wait for locks */
	double		io;				/* that wait for I/O, commits included */
} PadvPace;

/* --- the last minutes --- */

/* Buckets of ten seconds. */
#define PADV_BASELINE_BUCKETS 60
#define PADV_BASELINE_SECONDS 10.0

/* The newest buckets may belong to what has just begun, so they are left out. */
#define PADV_BASELINE_LAG 3

typedef struct PadvBaseline
{
	int			next;
	int			count;
	double		seconds;		/* in the bucket being filled */
	PadvPace	sum;
	PadvPace	buckets[PADV_BASELINE_BUCKETS];
} PadvBaseline;

extern void padv_baseline_init(PadvBaseline *baseline);

/* Add a second or so. */
extern void padv_baseline_add(PadvBaseline *baseline, const PadvPace *pace, double seconds);

/* Forget the seconds of the bucket being filled. */
extern void padv_baseline_skip(PadvBaseline *baseline);

/* The mean of these minutes; false while less than a minute is known. */
extern bool padv_baseline_mean(const PadvBaseline *baseline, PadvPace *mean);

/* --- this time of day --- */

/* Days of the history. */
#define PADV_USUAL_DAYS 14

/*
 * Means of five minutes around the same time of day, the highest of each day, of which
 * the median counts.
 */
typedef struct PadvUsual
{
	int64_t		now;
	bool		seen[PADV_USUAL_DAYS];
	double		active[PADV_USUAL_DAYS];
	double		lock[PADV_USUAL_DAYS];
	double		io[PADV_USUAL_DAYS];
} PadvUsual;

/* Begin for a moment, then add the points of five minutes in any order. */
extern void padv_usual_begin(PadvUsual *usual, int64_t now);
extern void padv_usual_add(PadvUsual *usual, const PadvHistoryPoint *point);

/* demand, lock and io as they usually are; all 0 while less than three days are known. */
extern PadvPace padv_usual_pace(const PadvUsual *usual);

#endif							/* PADV_BASELINE_H */
