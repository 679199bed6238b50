/*
 * columns.h
 *		Points of the history, averaged by column of a drawing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_COLUMNS_H
#define PADV_COLUMNS_H

#include "core/stats/history.h"

/*
 * Points in any order, and the time to draw: a second or more, within ten thousand
 * years of 2000.  Moments are microseconds since the start of 2000 UTC.
 */
typedef struct PadvTimeline
{
	const PadvHistoryPoint *points;
	int			count;
	int64_t		interval;		/* that a point is the mean of, microseconds;
								 * greater than 0 */
	int64_t		from;
	int64_t		until;
	int64_t		(*utc_offset) (int64_t at); /* of local time, microseconds */
} PadvTimeline;

/* More than any drawing has. */
#define PADV_MAX_COLUMNS_DRAWN 450

/* A running mean; 0 without values. */
typedef struct PadvMean
{
	double		weight;
	double		sum;
} PadvMean;

typedef struct PadvColumn
{
	PadvMean	active;
	PadvMean	optimal;
	PadvMean	in_class[PADV_WAIT_CLASSES];
	double		most;			/* negative: not known */
} PadvColumn;

typedef struct PadvColumns
{
	int			count;
	PadvColumn	columns[PADV_MAX_COLUMNS_DRAWN];
	PadvColumn	all;
	double		optimal;		/* the latest; negative: not known */
	int64_t		optimal_at;
} PadvColumns;

/* Distribute all points over `count` columns of the same length, at least 1. */
extern void padv_columns_gather(PadvColumns *columns, const PadvTimeline *timeline, int count);

extern double padv_mean(const PadvMean *mean);

/* Whether anything was sampled there. */
extern bool padv_column_sampled(const PadvColumn *column);

/* What can be drawn of a column: the mean of active sessions, and the sum of its classes. */
extern double padv_column_active(const PadvColumn *column);
extern double padv_column_total(const PadvColumn *column);

/* How high the axis must go for one of these, and for the optimum. */
extern double padv_columns_greatest(const PadvColumns *columns,
									double (*value_of) (const PadvColumn *column));

/*
 * The same for the load: with the maxima, unless they are so far above all else
 * that they would flatten it; then *beyond is set.
 */
extern double padv_columns_greatest_load(const PadvColumns *columns, bool *beyond);

/*
 * Whether a step of the clock begins in a column, and at which local time; so
 * it is right also where clocks are put forward or back.  The step is in seconds.
 */
extern bool padv_columns_tick(const PadvTimeline *timeline, int count, int column,
							  int64_t step, int64_t *local);

/* A sentence for a time without a point. */
extern void padv_columns_say_nothing(const PadvTimeline *timeline, char *sentence, size_t size);

/* "on CPU", "I/O", "lock", "LWLock" and "other". */
extern const char *padv_wait_class_label(PadvWaitClass class);

#endif							/* PADV_COLUMNS_H */
