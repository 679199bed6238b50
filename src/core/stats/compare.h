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
#define PADV_COMPARE_POINTS 5

typedef enum PadvChange
{
	PADV_CHANGE_UNKNOWN,		/* too little data */
	PADV_CHANGE_NOISE,
	PADV_CHANGE_REAL,
} PadvChange;

/* The dimension of a row that is about all sessions. */
#define PADV_COMPARE_ALL (-1)

typedef struct PadvComparison
{
	const char *measure;
	int			dimension;		/* PadvDimension, or PADV_COMPARE_ALL */
	uint64_t	key;			/* in that dimension */
	double		before;			/* negative: not known */
	double		after;			/* likewise */
	double		share;			/* how large the change is, 0..1, to sort by */
	PadvChange	change;
	char		why[160];
} PadvComparison;

/*
 * Compare the points of two periods, each with the points of one resolution in order.
 * Writes PADV_COMPARED rows: those that are more than noise first, and of these the largest
 * change first.  Sessions are weighed against all that are active or wait, ratios as they
 * are, and other figures against themselves.
 *
 * With no change between the periods, at most 5 in 100 calls have a row that is called real.
 */
extern void padv_compare(const PadvHistoryPoint *before, int nbefore,
						 const PadvHistoryPoint *after, int nafter,
						 PadvComparison rows[PADV_COMPARED]);

/* Order the rows of several comparisons as those of one. */
extern void padv_compare_sort(PadvComparison *rows, int count);

/*
 * Compare a part of the sessions, whose number is in active_avg of the points.  `sessions`
 * are all of them in the period that has more, and `nrows` the number of parts that are
 * compared at all: with more of them, chance makes some large differences.
 */
extern void padv_compare_part(const char *measure, const PadvHistoryPoint *before, int nbefore,
							  const PadvHistoryPoint *after, int nafter, double sessions, int nrows,
							  PadvComparison *row);

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
 * The resolution to take: the finest that covers nearly as much of the period as any other.
 * The times that are covered are given from the finest resolution to the coarsest.
 */
extern int	padv_compare_finest(const int64_t *covered, int count);

#endif							/* PADV_COMPARE_H */
