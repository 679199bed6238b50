/*
 * chart_time.c
 *		Drawings with time from left to right: the load, and what it waits for.
 *
 * Owns how points become columns.  A point counts in a column by how much of it
 * lies there, so that it does not matter which of the two is longer.  A column
 * without a point stays empty: nothing was sampled.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>

#include "core/chart.h"
#include "core/frame.h"

/* Columns left of the axis, for its labels. */
#define AXIS 6

/* Maxima further above all else than this are marked as beyond the scale. */
#define MAXIMA_IN_SCALE 4.0

/* Less of a column than this is none, but an error of rounding. */
#define LEAST_OVERLAP 1e-6

typedef struct Mean
{
	double		weight;
	double		sum;
} Mean;

typedef struct Column
{
	Mean		active;
	Mean		optimal;
	Mean		in_class[PADV_WAIT_CLASSES];
	double		most;			/* negative: not known */
} Column;

/* Points brought together, by column and over all. */
typedef struct Series
{
	int			count;
	Column		columns[PADV_CANVAS_MAX_WIDTH];
	Column		all;
	double		optimal;		/* the latest; negative: not known */
	int64_t		optimal_at;
} Series;

static const PadvMark class_marks[PADV_WAIT_CLASSES] = {
	PADV_MARK_BAR, PADV_MARK_SHADE_3, PADV_MARK_SHADE_2, PADV_MARK_SHADE_1, PADV_MARK_DOT,
};

static const char *const class_names[PADV_WAIT_CLASSES] = {
	"on CPU", "I/O", "lock", "LWLock", "other",
};

/* What is not known is negative; what is no number is not known either. */
static bool
is_known(double value)
{
	return value >= 0.0 && isfinite(value);
}

static void
add(Mean *mean, double value, double weight)
{
	if (is_known(value))
	{
		mean->weight += weight;
		mean->sum += value * weight;
	}
}

static bool
has_any(const Mean *mean)
{
	return mean->weight > 0.0;
}

static double
mean_of(const Mean *mean)
{
	return mean->weight > 0.0 ? mean->sum / mean->weight : 0.0;
}

static void
add_point(Column *column, const PadvHistoryPoint *point, double weight)
{
	add(&column->active, point->active_avg, weight);
	add(&column->optimal, point->optimal, weight);
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		add(&column->in_class[class], point->in_class[class], weight);
}

static void
add_most(Column *column, double most)
{
	if (is_known(most) && most > column->most)
		column->most = most;
}

/* Share a point out to the columns that it lies in. */
static void
spread(Series *series, const PadvTimeline *timeline, const PadvHistoryPoint *point)
{
	double		width = ((double) timeline->until - (double) timeline->from) / series->count;
	double		end = ((double) point->at - (double) timeline->from) / width;
	double		start = end - (double) timeline->interval / width;
	double		length = end - start;

	if (!(end > LEAST_OVERLAP) || !(start < series->count - LEAST_OVERLAP) || !is_known(point->active_avg))
		return;
	start = fmax(start, 0.0);
	end = fmin(end, series->count);
	for (int i = (int) start; i < series->count && i < end; i++)
	{
		double		overlap = fmin(end, i + 1) - fmax(start, i);

		if (overlap < LEAST_OVERLAP)
			continue;
		add_point(&series->columns[i], point, overlap);
		add_point(&series->all, point, overlap);
		/* a maximum at the edge of two columns is in one, or in both by half */
		if (overlap >= 0.5 * fmin(1.0, length) - LEAST_OVERLAP)
			add_most(&series->columns[i], point->active_max);
	}
	add_most(&series->all, point->active_max);
	if (is_known(point->optimal) && point->optimal > 0.0f && point->at >= series->optimal_at)
	{
		series->optimal = point->optimal;
		series->optimal_at = point->at;
	}
}

static void
gather(Series *series, const PadvTimeline *timeline, int columns)
{
	*series = (Series) {.count = columns, .optimal = -1.0, .optimal_at = INT64_MIN};
	series->all.most = -1.0;
	for (int i = 0; i < columns; i++)
		series->columns[i].most = -1.0;
	for (int i = 0; i < timeline->count; i++)
		spread(series, timeline, &timeline->points[i]);
}

static double
total_of(const Column *column)
{
	double		total = 0.0;

	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		total += mean_of(&column->in_class[class]);
	return total;
}

/* How high the axis must go for the columns, and for the optimum. */
static double
greatest_of(const Series *series, double (*value_of) (const Column *))
{
	double		greatest = 0.0;

	for (int i = 0; i < series->count; i++)
	{
		greatest = fmax(greatest, value_of(&series->columns[i]));
		greatest = fmax(greatest, mean_of(&series->columns[i].optimal));
	}
	return greatest;
}

static double
active_of(const Column *column)
{
	return mean_of(&column->active);
}

/* The tick of a clock before the start of a column, counted from 2000 on. */
static int64_t
tick_before(const PadvTimeline *timeline, int column, double width, int64_t step)
{
	int64_t		at = timeline->from + (int64_t) (column * width) - 1;

	return (int64_t) floor((double) (at + timeline->utc_offset(at)) / (double) (step * PADV_SECOND));
}

/*
 * A tick where a step of the clock begins; so they are right also where clocks
 * are put forward or back.
 */
static void
draw_clock(PadvFrame *frame, const PadvTimeline *timeline)
{
	double		width = ((double) timeline->until - (double) timeline->from) / frame->columns;
	double		seconds = width / (double) PADV_SECOND;
	int64_t		step = padv_clock_step(10.0 * seconds);

	/* below a minute labels show seconds, and need more room */
	if (padv_clock_label_width(step) > 5)
		step = padv_clock_step(12.0 * seconds);
	for (int i = 0; i < frame->columns; i++)
	{
		int64_t		tick = tick_before(timeline, i + 1, width, step);
		char		label[PADV_LABEL];

		if (tick == tick_before(timeline, i, width, step))
			continue;
		padv_label_clock(tick * step * PADV_SECOND, step, label, sizeof(label));
		padv_frame_tick(frame, i, label);
	}
}

/* The optimum as a line, where nothing else is; through bars if so wished. */
static void
draw_optimum(PadvFrame *frame, const Series *series, bool through_bars)
{
	for (int i = 0; i < series->count; i++)
	{
		double		optimal = mean_of(&series->columns[i].optimal);
		int			column = frame->left + i;
		int			row;

		if (!(optimal > 0.0))
			continue;
		row = padv_frame_row(frame, optimal);
		if (padv_canvas_is(frame->canvas, row, column, PADV_MARK_BLANK))
			padv_canvas_put(frame->canvas, row, column, PADV_MARK_LINE);
		else if (through_bars && padv_canvas_is(frame->canvas, row, column, PADV_MARK_BAR))
			padv_canvas_put(frame->canvas, row, column, PADV_MARK_BAR_CROSSED);
	}
	if (series->optimal > 0.0)
		padv_canvas_put(frame->canvas, padv_frame_row(frame, fmin(series->optimal, frame->y.high)),
						frame->left + frame->columns, PADV_MARK_LINE_END);
}

static void
write_title(const PadvCanvas *canvas, const PadvTimeline *timeline, int columns,
			const char *what, char *title, size_t size)
{
	int64_t		span = timeline->until - timeline->from;
	char		period[PADV_LABEL];
	char		column[PADV_LABEL];

	padv_label_span(span, period, sizeof(period));
	padv_label_span(span / columns, column, sizeof(column));
	snprintf(title, size, "%s, last %s; a column is %s", what, period, column);
	if (padv_canvas_text_width(canvas, title) > canvas->width)
		snprintf(title, size, "%s, last %s", what, period);
}

static void
say_nothing_sampled(PadvCanvas *canvas, const PadvTimeline *timeline)
{
	char		period[PADV_LABEL];
	char		sentence[200];

	padv_label_span(timeline->until - timeline->from, period, sizeof(period));
	snprintf(sentence, sizeof(sentence),
			 "Nothing was sampled in the last %s. A server that has just started needs some seconds; else see worker_running in the view status.",
			 period);
	padv_canvas_sentence(canvas, 0, sentence);
}

static void
add_number(PadvLegend *legend, PadvMark mark, const char *what, double value)
{
	char		number[PADV_LABEL];

	padv_label_number(value, number, sizeof(number));
	padv_legend_add(legend, mark, "%s %s", what, number);
}

static void
draw_maximum(PadvFrame *frame, int column, double most)
{
	bool		beyond = most > frame->y.high;
	int			row = beyond ? frame->top : padv_frame_row(frame, most);

	if (most > 0.0 && padv_canvas_is(frame->canvas, row, frame->left + column, PADV_MARK_BLANK))
		padv_canvas_put(frame->canvas, row, frame->left + column,
						beyond ? PADV_MARK_BEYOND : PADV_MARK_DOT);
}

void
padv_chart_load(PadvCanvas *canvas, const PadvTimeline *timeline)
{
	PadvLegend	legend = {0};
	PadvFrame	frame;
	Series		series;
	double		greatest;
	char		title[100];

	gather(&series, timeline, canvas->width - AXIS - 2);
	if (!has_any(&series.all.active))
	{
		say_nothing_sampled(canvas, timeline);
		return;
	}
	greatest = greatest_of(&series, active_of);
	add_number(&legend, PADV_MARK_BAR, "mean", active_of(&series.all));
	if (series.all.most >= 0.0)
		add_number(&legend, PADV_MARK_DOT, "most", series.all.most);
	if (series.optimal > 0.0)
		add_number(&legend, PADV_MARK_LINE, "optimum", series.optimal);
	if (series.all.most <= MAXIMA_IN_SCALE * greatest)
		greatest = fmax(greatest, series.all.most);
	else
		padv_legend_add(&legend, PADV_MARK_BEYOND, "beyond the scale");

	write_title(canvas, timeline, series.count, "Active connections", title, sizeof(title));
	padv_frame_init(&frame, canvas, title, &legend, AXIS, 1);
	padv_frame_draw_axes(&frame, greatest);
	draw_clock(&frame, timeline);
	for (int i = 0; i < series.count; i++)
	{
		padv_frame_bar(&frame, i, active_of(&series.columns[i]));
		draw_maximum(&frame, i, series.columns[i].most);
	}
	draw_optimum(&frame, &series, true);
}

/* The class that a height above the ground belongs to; or the one with most. */
static int
class_at(const Column *column, double height)
{
	double		top = 0.0;
	int			largest = 0;

	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
	{
		top += mean_of(&column->in_class[class]);
		if (height < top)
			return class;
		if (mean_of(&column->in_class[class]) > mean_of(&column->in_class[largest]))
			largest = class;
	}
	return largest;
}

static void
draw_stack(PadvFrame *frame, int column, const Column *data)
{
	double		total = total_of(data);
	double		per_row = frame->y.high / frame->rows;
	int			rows = (int) floor(total / per_row + 0.5);

	/* something can be seen of what is more than nothing */
	if (rows == 0 && total > 0.0)
		rows = 1;
	for (int i = 0; i < rows && i < frame->rows; i++)
		padv_canvas_put(frame->canvas, frame->top + frame->rows - 1 - i, frame->left + column,
						class_marks[class_at(data, (i + 0.5) * per_row)]);
}

void
padv_chart_waits(PadvCanvas *canvas, const PadvTimeline *timeline)
{
	PadvLegend	legend = {0};
	PadvFrame	frame;
	Series		series;
	char		title[100];

	gather(&series, timeline, canvas->width - AXIS - 2);
	if (!has_any(&series.all.active))
	{
		say_nothing_sampled(canvas, timeline);
		return;
	}
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		add_number(&legend, class_marks[class], class_names[class],
				   mean_of(&series.all.in_class[class]));
	if (series.optimal > 0.0)
		add_number(&legend, PADV_MARK_LINE_END, "optimum", series.optimal);

	write_title(canvas, timeline, series.count, "Active connections by wait", title, sizeof(title));
	padv_frame_init(&frame, canvas, title, &legend, AXIS, 1);
	padv_frame_draw_axes(&frame, greatest_of(&series, total_of));
	draw_clock(&frame, timeline);
	for (int i = 0; i < series.count; i++)
		draw_stack(&frame, i, &series.columns[i]);
	draw_optimum(&frame, &series, false);
}
