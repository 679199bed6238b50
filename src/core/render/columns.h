/*
 * columns.h
 *		Points of the history, averaged by column of a chart.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_COLUMNS_H
#define PADV_COLUMNS_H

#include "core/stats/history.h"

/*
 * The period of a chart and its points, in any order.  The period is at least one
 * second, and within ten thousand years of 2000.  Timestamps are microseconds since
 * 2000-01-01 UTC.
 */
typedef struct PadvTimeline
{
	const PadvHistoryPoint *points;
	int			count;
	int64_t		interval;		/* of one point, microseconds; greater than 0 */
	int64_t		from;
	int64_t		until;
	int64_t		(*utc_offset) (int64_t at); /* offset of local time,
											 * microseconds */
} PadvTimeline;

/* More than any chart needs. */
#define PADV_MAX_COLUMNS_DRAWN 450

/* A weighted mean. */
typedef struct PadvMean
{
	double		weight;
	double		sum;
} PadvMean;

typedef struct PadvColumn
{
	PadvMean	active;
	PadvMean	optimal;
	PadvMean	queued;
	PadvMean	in_class[PADV_WAIT_CLASSES];
	double		most;			/* maximum; negative: not known */
} PadvColumn;

typedef struct PadvColumns
{
	int			count;
	PadvColumn	columns[PADV_MAX_COLUMNS_DRAWN];
	PadvColumn	all;
	double		optimal;		/* the latest; negative: not known */
	int64_t		optimal_at;
} PadvColumns;

/* Average all points into count columns of equal length; count is at least 1. */
extern void padv_columns_gather(PadvColumns *columns, const PadvTimeline *timeline, int count);

extern double padv_mean(const PadvMean *mean);

/* Whether the column has any sample. */
extern bool padv_column_sampled(const PadvColumn *column);

/*
 * The mean number of active sessions of a column, the same with those that wait in a
 * queue, and the sum of its wait classes.
 */
extern double padv_column_active(const PadvColumn *column);
extern double padv_column_wanted(const PadvColumn *column);
extern double padv_column_total(const PadvColumn *column);

/* The greatest value of all columns, including the optimum. */
extern double padv_columns_greatest(const PadvColumns *columns,
									double (*value_of) (const PadvColumn *column));

/* What the scale of the load chart does not show in full. */
typedef struct PadvBeyond
{
	bool		most;
	bool		queued;
} PadvBeyond;

/*
 * The greatest value for the load chart.  Maxima are included unless they are far
 * above all means of active sessions, and a queue as far as it is not; then *beyond
 * says so.
 */
extern double padv_columns_greatest_load(const PadvColumns *columns, PadvBeyond *beyond);

/*
 * Whether a tick of the time axis falls into a column, and its local time.  Right
 * also where the UTC offset changes.  step is in seconds.
 */
extern bool padv_columns_tick(const PadvTimeline *timeline, int count, int column,
							  int64_t step, int64_t *local);

/* Write the sentence for a period without samples. */
extern void padv_columns_write_no_samples(const PadvTimeline *timeline, char *sentence, size_t size);

/* The label of a wait class: "on CPU", "I/O", "lock", "LWLock" or "other". */
extern const char *padv_wait_class_label(PadvWaitClass class);

#endif							/* PADV_COLUMNS_H */
