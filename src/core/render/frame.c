/*
 * frame.c
 *		The frame of a chart: title, axes and legend.
 *
 * Owns the layout of the canvas.  Called by the files that draw charts.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/render/frame.h"

/* Columns between two items of the legend, and between two labels of an axis. */
#define ITEM_GAP 3
#define LABEL_GAP 2

/* A canvas with fewer rows has no title. */
#define TITLE_HEIGHT 8

/* At least this many rows for each tick. */
#define ROWS_PER_TICK 2

void
padv_legend_add(PadvLegend *legend, PadvMark mark, const char *format, ...)
{
	PadvLegendItem *item = &legend->items[legend->count];
	va_list		args;

	if (legend->count == PADV_LEGEND_ITEMS)
		return;
	item->mark = mark;
	va_start(args, format);
	vsnprintf(item->text, sizeof(item->text), format, args);
	va_end(args);
	legend->count++;
}

/*
 * Write the legend from this row on, in at most most_rows rows, and return the
 * number of rows.  With a negative row, only count them.
 */
static int
write_frame_legend(PadvCanvas *canvas, const PadvLegend *legend, int row, int most_rows)
{
	int			rows = legend->count > 0 ? 1 : 0;
	int			column = 0;

	for (int i = 0; i < legend->count; i++)
	{
		const PadvLegendItem *item = &legend->items[i];
		int			mark_width = item->mark == PADV_MARK_BLANK ? 0 : 2;
		int			width = mark_width + padv_canvas_text_width(canvas, item->text);

		if (column > 0 && column + width > canvas->width)
		{
			if (rows == most_rows)
				break;
			rows++;
			column = 0;
		}
		if (row >= 0)
		{
			if (mark_width > 0)
				padv_canvas_put(canvas, row + rows - 1, column, item->mark);
			padv_canvas_text(canvas, row + rows - 1, column + mark_width,
							 canvas->width, item->text);
		}
		column += width + ITEM_GAP;
	}
	return rows;
}

void
padv_frame_init(PadvFrame *frame, PadvCanvas *canvas, const char *title,
				const PadvLegend *legend, int left, int right)
{
	bool		titled = canvas->height >= TITLE_HEIGHT;
	int			most = titled ? canvas->height - TITLE_HEIGHT + 2 : 1;
	int			rows = write_frame_legend(canvas, legend, -1, most);

	if (titled)
		padv_canvas_text(canvas, 0, 0, canvas->width, title);
	write_frame_legend(canvas, legend, canvas->height - rows, most);
	*frame = (PadvFrame) {
		.canvas = canvas,
		.top = titled ? 1 : 0,
		.rows = canvas->height - rows - 2 - (titled ? 1 : 0),
		.left = left + 1,
		.columns = canvas->width - left - 1 - right,
		.labels_end = -LABEL_GAP,
	};
}

static int
axis_row(const PadvFrame *frame)
{
	return frame->top + frame->rows;
}

int
padv_frame_row(const PadvFrame *frame, double value)
{
	double		height = padv_scale_position(&frame->y, value) * frame->rows;
	int			from_axis;

	if (height > frame->rows + 1e-6)
		return frame->top - 1;
	/* a value at the edge of two rows is in the lower one */
	from_axis = (int) ceil(height - 1e-6) - 1;
	return axis_row(frame) - 1 - (from_axis < 0 ? 0 : from_axis);
}

void
padv_frame_draw_axes(PadvFrame *frame, double greatest)
{
	PadvCanvas *canvas = frame->canvas;
	int			axis = frame->left - 1;

	frame->y = padv_scale_linear(greatest, frame->rows / ROWS_PER_TICK);
	for (int row = frame->top; row < axis_row(frame); row++)
		padv_canvas_put(canvas, row, axis, PADV_MARK_AXIS_Y);
	for (int column = 0; column < frame->columns; column++)
		padv_canvas_put(canvas, axis_row(frame), frame->left + column, PADV_MARK_AXIS_X);
	padv_canvas_put(canvas, axis_row(frame), axis, PADV_MARK_ORIGIN);

	for (double tick = 0.0; tick <= frame->y.high + frame->y.step / 2.0; tick += frame->y.step)
	{
		int			row = tick == 0.0 ? axis_row(frame) : padv_frame_row(frame, tick);
		char		label[PADV_LABEL];
		int			width;

		padv_label_number(tick, label, sizeof(label));
		width = padv_canvas_text_width(canvas, label);
		if (width > axis - 1)
			width = axis - 1;
		padv_canvas_text(canvas, row, axis - 1 - width, width, label);
		if (tick > 0.0)
			padv_canvas_put(canvas, row, axis, PADV_MARK_TICK_Y);
	}
}

void
padv_frame_bar(PadvFrame *frame, int column, double value)
{
	double		height = padv_scale_position(&frame->y, value) * frame->rows;
	int			full;

	if (!(height > 0.0))
		return;
	if (height > frame->rows)
		height = frame->rows;
	full = (int) (height + 1.0 / 16.0);
	for (int i = 0; i < full; i++)
		padv_canvas_put(frame->canvas, axis_row(frame) - 1 - i, frame->left + column, PADV_MARK_BAR);
	if (height - full >= 1.0 / 16.0 || full == 0)
		padv_canvas_put_column_end(frame->canvas, axis_row(frame) - 1 - full,
								   frame->left + column, height - full);
}

void
padv_frame_tick(PadvFrame *frame, int column, const char *label)
{
	PadvCanvas *canvas = frame->canvas;
	int			width = padv_canvas_text_width(canvas, label);
	int			start = frame->left + column - width / 2;

	padv_canvas_put(canvas, axis_row(frame), frame->left + column, PADV_MARK_TICK_X);
	if (start < 0 || start < frame->labels_end + LABEL_GAP || start + width > canvas->width)
		return;
	padv_canvas_text(canvas, axis_row(frame) + 1, start, width, label);
	frame->labels_end = start + width;
}

int
padv_frame_column(const PadvFrame *frame, double place)
{
	return (int) floor(place * (frame->columns - 1) + 0.5);
}

void
padv_frame_ticks(PadvFrame *frame, const PadvScale *scale)
{
	double		end = scale->high * (1.0 + 1e-6);

	for (double tick = scale->low; tick <= end; tick = padv_scale_next(scale, tick))
	{
		char		label[PADV_LABEL];

		padv_label_number(tick, label, sizeof(label));
		padv_frame_tick(frame, padv_frame_column(frame, padv_scale_position(scale, tick)), label);
	}
}
