/*
 * columns.c
 *		Points of the history, averaged by column of a chart.
 *
 * Owns the averages.  A point is weighted by its overlap with the column, so a
 * point can be longer or shorter than a column.  A column without a point has no
 * samples.  Called by the charts over time.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>

#include "core/render/axis.h"
#include "core/render/columns.h"

/* Maxima, and queues, above this multiple of the greatest mean are beyond the scale. */
#define MAXIMA_IN_SCALE 4.0

/* A smaller share of a column is a rounding error. */
#define LEAST_OVERLAP 1e-6

/* Whether a value is known: not negative, and not NaN. */
static bool
column_is_known(double value)
{
	return value >= 0.0 && isfinite(value);
}

static void
add_sample_to_column(PadvMean *mean, double value, double weight)
{
	if (column_is_known(value))
	{
		mean->weight += weight;
		mean->sum += value * weight;
	}
}

double
padv_mean(const PadvMean *mean)
{
	return mean->weight > 0.0 ? mean->sum / mean->weight : 0.0;
}

static void
add_point(PadvColumn *column, const PadvHistoryPoint *point, double weight)
{
	add_sample_to_column(&column->active, point->active_avg, weight);
	add_sample_to_column(&column->optimal, point->optimal, weight);
	add_sample_to_column(&column->queued, point->queued, weight);
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		add_sample_to_column(&column->in_class[class], point->in_class[class], weight);
}

static void
add_most(PadvColumn *column, double most)
{
	if (column_is_known(most) && most > column->most)
		column->most = most;
}

/* Add a point to each column that it overlaps. */
static void
spread_column(PadvColumns *columns, const PadvTimeline *timeline, const PadvHistoryPoint *point)
{
	double		width = ((double) timeline->until - (double) timeline->from) / columns->count;
	double		end = ((double) point->at - (double) timeline->from) / width;
	double		start = end - (double) timeline->interval / width;
	double		length = end - start;

	if (!(end > LEAST_OVERLAP) || !(start < columns->count - LEAST_OVERLAP) || !column_is_known(point->active_avg))
		return;
	start = fmax(start, 0.0);
	end = fmin(end, columns->count);
	for (int i = (int) start; i < columns->count && i < end; i++)
	{
		double		overlap = fmin(end, i + 1) - fmax(start, i);

		if (overlap < LEAST_OVERLAP)
			continue;
		add_point(&columns->columns[i], point, overlap);
		add_point(&columns->all, point, overlap);

		/*
		 * A maximum counts for the column that has most of the point, or for
		 * two that have half of it each.
		 */
		if (overlap >= 0.5 * fmin(1.0, length) - LEAST_OVERLAP)
			add_most(&columns->columns[i], point->active_max);
	}
	add_most(&columns->all, point->active_max);
	if (column_is_known(point->optimal) && point->optimal > 0.0f && point->at >= columns->optimal_at)
	{
		columns->optimal = point->optimal;
		columns->optimal_at = point->at;
	}
}

void
padv_columns_gather(PadvColumns *columns, const PadvTimeline *timeline, int count)
{
	count = count < 1 ? 1 : count > PADV_MAX_COLUMNS_DRAWN ? PADV_MAX_COLUMNS_DRAWN : count;
	*columns = (PadvColumns) {.count = count, .optimal = -1.0, .optimal_at = INT64_MIN};
	columns->all.most = -1.0;
	for (int i = 0; i < count; i++)
		columns->columns[i].most = -1.0;
	for (int i = 0; i < timeline->count; i++)
		spread_column(columns, timeline, &timeline->points[i]);
}

bool
padv_column_sampled(const PadvColumn *column)
{
	return column->active.weight > 0.0;
}

double
padv_column_active(const PadvColumn *column)
{
	return padv_mean(&column->active);
}

double
padv_column_wanted(const PadvColumn *column)
{
	return padv_mean(&column->active) + padv_mean(&column->queued);
}

double
padv_column_total(const PadvColumn *column)
{
	double		total = 0.0;

	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		total += padv_mean(&column->in_class[class]);
	return total;
}

double
padv_columns_greatest(const PadvColumns *columns, double (*value_of) (const PadvColumn *column))
{
	double		greatest = 0.0;

	for (int i = 0; i < columns->count; i++)
	{
		greatest = fmax(greatest, value_of(&columns->columns[i]));
		greatest = fmax(greatest, padv_mean(&columns->columns[i].optimal));
	}
	return greatest;
}

double
padv_columns_greatest_load(const PadvColumns *columns, PadvBeyond *beyond)
{
	double		greatest = padv_columns_greatest(columns, padv_column_active);
	double		wanted = padv_columns_greatest(columns, padv_column_wanted);
	double		most_shown = MAXIMA_IN_SCALE * greatest;

	beyond->most = columns->all.most > most_shown;
	beyond->queued = wanted > most_shown;
	if (!beyond->most)
		greatest = fmax(greatest, columns->all.most);
	return fmax(greatest, fmin(wanted, most_shown));
}

/* The number of the last tick before a column begins, counted from 2000-01-01. */
static int64_t
tick_before(const PadvTimeline *timeline, double width, int column, int64_t step)
{
	int64_t		at = timeline->from + (int64_t) (column * width) - 1;

	return (int64_t) floor((double) (at + timeline->utc_offset(at)) / (double) (step * PADV_SECOND));
}

bool
padv_columns_tick(const PadvTimeline *timeline, int count, int column, int64_t step, int64_t *local)
{
	double		width = ((double) timeline->until - (double) timeline->from) / count;
	int64_t		tick = tick_before(timeline, width, column + 1, step);

	*local = tick * step * PADV_SECOND;
	return tick != tick_before(timeline, width, column, step);
}

void
padv_columns_write_no_samples(const PadvTimeline *timeline, char *sentence, size_t size)
{
	char		period[PADV_LABEL];

	padv_label_span(timeline->until - timeline->from, period, sizeof(period));
	snprintf(sentence, size,
			 "Nothing was sampled in the last %s. A server that has just started needs some seconds; else see worker_running in the view status.",
			 period);
}

const char *
padv_wait_class_label(PadvWaitClass class)
{
	static const char *const labels[PADV_WAIT_CLASSES] = {
		"on CPU", "I/O", "lock", "LWLock", "other",
	};

	return labels[class];
}
