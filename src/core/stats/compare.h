/*
 * compare.h
 *		What changed between two periods of the history, and whether that is more than noise.
 *
 * Pure: plain data of the caller; nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_COMPARE_H
#define PADV_COMPARE_H

#include "core/stats/history.h"

/* Rows of a comparison. */
#define PADV_COMPARED 12

/* With fewer points in a period nothing is said about noise. */
#define PADV_COMPARE_POINTS 12

typedef enum PadvChange
{
	PADV_CHANGE_UNKNOWN,		/* too little data */
	PADV_CHANGE_NOISE,
	PADV_CHANGE_REAL,
} PadvChange;

typedef struct PadvComparison
{
	const char *measure;
	double		before;			/* negative: not known */
	double		after;			/* likewise */
	double		share;			/* how large the change is, 0..1, to sort by */
	PadvChange	change;
	char		why[160];
} PadvComparison;

/*
 * Compare the points of two periods, each with the points of one resolution in order.
 * Writes PADV_COMPARED rows: those that are more than noise first, and of these the largest
 * change first.  Sessions are weighed against all that are at work or wait, ratios as they
 * are, and other figures against themselves.
 *
 * With no change between the periods, at most 5 in 100 calls have a row that is called real.
 */
extern void padv_compare(const PadvHistoryPoint *before, int nbefore,
						 const PadvHistoryPoint *after, int nafter,
						 PadvComparison rows[PADV_COMPARED]);

/*
 * The time that the points cover of a period: those whose whole interval lies in it.  Its
 * `first` and `count` are their place in the array.
 */
typedef struct PadvSpan
{
	int			first;
	int			count;
	int64_t		covered_us;
} PadvSpan;

/* The points of an array in order that lie in a period; times as in PadvHistoryPoint. */
extern PadvSpan padv_compare_period(const PadvHistoryPoint *points, int count,
									PadvResolution resolution, int64_t from, int64_t until);

/*
 * The resolution to take: the finest that covers nearly as much as any other.  The argument
 * is indexed by resolution.
 */
extern PadvResolution padv_compare_resolution(const PadvSpan periods[PADV_RESOLUTIONS]);

#endif							/* PADV_COMPARE_H */
