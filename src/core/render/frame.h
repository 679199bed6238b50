/*
 * frame.h
 *		The frame of a chart: title, axes and legend.
 *
 * Only for the files that draw charts on a canvas.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_FRAME_H
#define PADV_FRAME_H

#include "core/render/axis.h"
#include "core/render/canvas.h"

#define PADV_LEGEND_ITEMS 8

typedef struct PadvLegendItem
{
	PadvMark	mark;			/* PADV_MARK_BLANK: text only */
	char		text[64];
} PadvLegendItem;

typedef struct PadvLegend
{
	int			count;
	PadvLegendItem items[PADV_LEGEND_ITEMS];
} PadvLegend;

/* The plot area of a canvas, in cells, and its vertical scale. */
typedef struct PadvFrame
{
	PadvCanvas *canvas;
	PadvScale	y;
	int			top;
	int			rows;
	int			left;
	int			columns;
	int			labels_end;		/* first column after the last label of the
								 * horizontal axis */
} PadvFrame;

extern void padv_legend_add(PadvLegend *legend, PadvMark mark, const char *format, ...)
			__attribute__((format(printf, 3, 4)));

/*
 * Write title and legend, and compute the plot area.  A canvas of fewer than eight
 * rows has no title and only one row of legend.  left is the column of the axis;
 * right is the number of columns to keep free at the right.
 */
extern void padv_frame_init(PadvFrame *frame, PadvCanvas *canvas, const char *title,
							const PadvLegend *legend, int left, int right);

/* Draw both axes.  The vertical axis goes from 0 to a tick at or above greatest. */
extern void padv_frame_draw_axes(PadvFrame *frame, double greatest);

/* The row of the canvas for a value; above frame->top if it is beyond the scale. */
extern int	padv_frame_row(const PadvFrame *frame, double value);

/* Draw a vertical bar from 0 to the value in a column of the plot area. */
extern void padv_frame_bar(PadvFrame *frame, int column, double value);

/*
 * Draw a tick with a label below a column of the plot area.  Call it from left to
 * right.
 */
extern void padv_frame_tick(PadvFrame *frame, int column, const char *label);

/* The column of the plot area for a position: 0 is the first column, 1 the last. */
extern int	padv_frame_column(const PadvFrame *frame, double place);

/* Draw the ticks of a scale on the horizontal axis. */
extern void padv_frame_ticks(PadvFrame *frame, const PadvScale *scale);

#endif							/* PADV_FRAME_H */
