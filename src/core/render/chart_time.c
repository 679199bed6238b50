/*
 * chart_time.c
 *		Charts of the load, of its wait classes and of incidents over time for a
 *		terminal.
 *
 * core/render/columns.c averages the points of the history into columns.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>

#include "core/render/chart.h"
#include "core/render/frame.h"

/* The number of columns for labels at the left of the axis. */
#define AXIS 6

static const PadvMark class_marks[PADV_WAIT_CLASSES] = {
	PADV_MARK_BAR, PADV_MARK_SHADE_3, PADV_MARK_SHADE_2, PADV_MARK_SHADE_1, PADV_MARK_DOT,
};

/* Draw the time axis. */
static void
draw_chart_clock(PadvFrame *frame, const PadvTimeline *timeline)
{
	double		seconds = ((double) timeline->until - (double) timeline->from) / frame->columns /
		(double) PADV_SECOND;
	int64_t		step = padv_clock_step(10.0 * seconds);

	/* labels with seconds are longer */
	if (padv_clock_label_width(step) > 5)
		step = padv_clock_step(12.0 * seconds);
	for (int i = 0; i < frame->columns; i++)
	{
		char		label[PADV_LABEL];
		int64_t		local;

		if (!padv_columns_tick(timeline, frame->columns, i, step, &local))
			continue;
		padv_label_clock(local, step, label, sizeof(label));
		padv_frame_tick(frame, i, label);
	}
}

/* Draw the optimum as a line where cells are blank, and optionally across bars. */
static void
draw_chart_optimum(PadvFrame *frame, const PadvColumns *series, bool through_bars)
{
	for (int i = 0; i < series->count; i++)
	{
		double		optimal = padv_mean(&series->columns[i].optimal);
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
write_nothing_sampled(PadvCanvas *canvas, const PadvTimeline *timeline)
{
	char		sentence[200];

	padv_columns_write_no_samples(timeline, sentence, sizeof(sentence));
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

/* Draw the sessions that wait in a queue on top of the bar of those that are active. */
static void
draw_queue(PadvFrame *frame, int column, const PadvColumn *data)
{
	double		wanted = padv_column_wanted(data);
	bool		beyond = wanted > frame->y.high;
	int			row = beyond ? frame->top : padv_frame_row(frame, wanted);

	if (!(padv_mean(&data->queued) > 0.0))
		return;
	if (beyond)
		padv_canvas_put(frame->canvas, row++, frame->left + column, PADV_MARK_BEYOND);
	for (; row < frame->top + frame->rows; row++)
		if (padv_canvas_is(frame->canvas, row, frame->left + column, PADV_MARK_BLANK))
			padv_canvas_put(frame->canvas, row, frame->left + column, PADV_MARK_SHADE_1);
}

void
padv_chart_load(PadvCanvas *canvas, const PadvTimeline *timeline)
{
	PadvLegend	legend = {0};
	PadvFrame	frame;
	PadvColumns series;
	double		greatest;
	PadvBeyond	beyond;
	char		title[100];

	padv_columns_gather(&series, timeline, canvas->width - AXIS - 2);
	if (!padv_column_sampled(&series.all))
	{
		write_nothing_sampled(canvas, timeline);
		return;
	}
	greatest = padv_columns_greatest_load(&series, &beyond);
	add_number(&legend, PADV_MARK_BAR, "mean", padv_column_active(&series.all));
	if (series.all.most >= 0.0)
		add_number(&legend, PADV_MARK_DOT, "most", series.all.most);
	if (series.optimal > 0.0)
		add_number(&legend, PADV_MARK_LINE, "optimum", series.optimal);
	if (padv_mean(&series.all.queued) > 0.0)
		add_number(&legend, PADV_MARK_SHADE_1, "queued", padv_mean(&series.all.queued));
	if (beyond.most || beyond.queued)
		padv_legend_add(&legend, PADV_MARK_BEYOND, "beyond the scale");

	write_title(canvas, timeline, series.count, "Active connections", title, sizeof(title));
	padv_frame_init(&frame, canvas, title, &legend, AXIS, 1);
	padv_frame_draw_axes(&frame, greatest);
	draw_chart_clock(&frame, timeline);
	for (int i = 0; i < series.count; i++)
	{
		padv_frame_bar(&frame, i, padv_column_active(&series.columns[i]));
		draw_queue(&frame, i, &series.columns[i]);
		draw_maximum(&frame, i, series.columns[i].most);
	}
	draw_chart_optimum(&frame, &series, true);
}

/* The wait class at this height of the stack; above the stack, the largest class. */
static int
class_at(const PadvColumn *column, double height)
{
	double		top = 0.0;
	int			largest = 0;

	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
	{
		top += padv_mean(&column->in_class[class]);
		if (height < top)
			return class;
		if (padv_mean(&column->in_class[class]) > padv_mean(&column->in_class[largest]))
			largest = class;
	}
	return largest;
}

static void
draw_stack(PadvFrame *frame, int column, const PadvColumn *data)
{
	double		total = padv_column_total(data);
	double		per_row = frame->y.high / frame->rows;
	int			rows = (int) floor(total / per_row + 0.5);

	/* a total above 0 takes at least one row */
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
	PadvColumns series;
	char		title[100];

	padv_columns_gather(&series, timeline, canvas->width - AXIS - 2);
	if (!padv_column_sampled(&series.all))
	{
		write_nothing_sampled(canvas, timeline);
		return;
	}
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		add_number(&legend, class_marks[class], padv_wait_class_label(class),
				   padv_mean(&series.all.in_class[class]));
	if (series.optimal > 0.0)
		add_number(&legend, PADV_MARK_LINE_END, "optimum", series.optimal);

	write_title(canvas, timeline, series.count, "Active connections by wait", title, sizeof(title));
	padv_frame_init(&frame, canvas, title, &legend, AXIS, 1);
	padv_frame_draw_axes(&frame, padv_columns_greatest(&series, padv_column_total));
	draw_chart_clock(&frame, timeline);
	for (int i = 0; i < series.count; i++)
		draw_stack(&frame, i, &series.columns[i]);
	draw_chart_optimum(&frame, &series, false);
}

/* --- incidents -------------------------------------------------------------- */

/* Columns left of the axis, for the names of kinds. */
#define KIND_AXIS 17

/* The time of the column, or of the whole, in which an incident lasted. */
static bool
lasted_in(const PadvIncident *incident, double from, double until)
{
	return (double) incident->began < until && (incident->ended == 0 || (double) incident->ended >= from);
}

static void
draw_kind(PadvFrame *frame, int row, PadvIncidentKind kind, const PadvTimeline *timeline,
		  const PadvIncident *incidents, int count)
{
	const char *name = padv_incident_kind_name(kind);
	double		width = ((double) timeline->until - (double) timeline->from) / frame->columns;

	padv_canvas_text(frame->canvas, row, frame->left - 2 - padv_canvas_text_width(frame->canvas, name),
					 KIND_AXIS, name);
	padv_canvas_put(frame->canvas, row, frame->left - 1, PADV_MARK_TICK_Y);
	for (int column = 0; column < frame->columns; column++)
	{
		double		from = (double) timeline->from + column * width;
		bool		lasted = false;

		for (int i = 0; i < count; i++)
			lasted |= incidents[i].kind == kind && lasted_in(&incidents[i], from, from + width);
		if (lasted)
			padv_canvas_put(frame->canvas, row, frame->left + column, PADV_MARK_BAR);
	}
}

/* The kinds that there were, those that say most first; and how many incidents. */
static int
choose_kinds(const PadvTimeline *timeline, const PadvIncident *incidents, int count,
			 PadvIncidentKind *kinds, int *all, int *last)
{
	int			found = 0;

	*all = *last = 0;
	for (int kind = PADV_INCIDENT_KINDS - 1; kind >= 0; kind--)
	{
		bool		any = false;

		for (int i = 0; i < count; i++)
		{
			if ((int) incidents[i].kind != kind ||
				!lasted_in(&incidents[i], (double) timeline->from, (double) timeline->until))
				continue;
			any = true;
			(*all)++;
			*last += incidents[i].ended == 0;
		}
		if (any)
			kinds[found++] = (PadvIncidentKind) kind;
	}
	return found;
}

void
padv_chart_incidents(PadvCanvas *canvas, const PadvTimeline *timeline, const PadvIncident *incidents, int count)
{
	PadvIncidentKind kinds[PADV_INCIDENT_KINDS];
	PadvFrame	frame = {.canvas = canvas, .left = KIND_AXIS + 1, .columns = canvas->width - KIND_AXIS - 2,
	.labels_end = -1};
	char		text[100];
	int			all,
				last;
	int			rows = choose_kinds(timeline, incidents, count, kinds, &all, &last);

	if (rows == 0)
	{
		char		period[PADV_LABEL];

		padv_label_span(timeline->until - timeline->from, period, sizeof(period));
		snprintf(text, sizeof(text), "There was no incident in the last %s.", period);
		padv_canvas_sentence(canvas, 0, text);
		return;
	}
	frame.top = canvas->height >= rows + 4 ? 1 : 0;
	frame.rows = rows < canvas->height - frame.top - 3 ? rows : canvas->height - frame.top - 3;
	write_title(canvas, timeline, frame.columns, "Incidents", text, sizeof(text));
	if (frame.top > 0)
		padv_canvas_text(canvas, 0, 0, canvas->width, text);
	for (int i = 0; i < frame.rows; i++)
		draw_kind(&frame, frame.top + i, kinds[i], timeline, incidents, count);
	for (int column = -1; column < frame.columns; column++)
		padv_canvas_put(canvas, frame.top + frame.rows, frame.left + column,
						column < 0 ? PADV_MARK_ORIGIN : PADV_MARK_AXIS_X);
	draw_chart_clock(&frame, timeline);
	snprintf(text, sizeof(text), last == 0 ? "%d in all" : "%d in all, %d of them now", all, last);
	padv_canvas_put(canvas, frame.top + frame.rows + 2, 0, PADV_MARK_BAR);
	padv_canvas_text(canvas, frame.top + frame.rows + 2, 2, canvas->width, text);
}
