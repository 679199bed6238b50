/*
 * frame.h
 *		The frame of a drawing: title, axes and legend.
 *
 * Only for the files that draw charts.
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
	PadvMark	mark;			/* PADV_MARK_BLANK: words only */
	char		text[64];
} PadvLegendItem;

typedef struct PadvLegend
{
	int			count;
	PadvLegendItem items[PADV_LEGEND_ITEMS];
} PadvLegend;

/* The rows and columns of a canvas that are drawn in, and the scale at their left. */
typedef struct PadvFrame
{
	PadvCanvas *canvas;
	PadvScale	y;
	int			top;
	int			rows;
	int			left;
	int			columns;
	int			labels_end;		/* where the labels below end so far */
} PadvFrame;

extern void padv_legend_add(PadvLegend *legend, PadvMark mark, const char *format, ...)
			__attribute__((format(printf, 3, 4)));

/*
 * Write title and legend, and leave the rest to draw in.  A canvas of less than
 * eight rows has no title, and one row of the legend.  left is where the axis
 * stands, right is how many columns are kept free at the other side.
 */
extern void padv_frame_init(PadvFrame *frame, PadvCanvas *canvas, const char *title,
							const PadvLegend *legend, int left, int right);

/* Draw both axes; the one at the left from 0 to a round number above the greatest. */
extern void padv_frame_draw_axes(PadvFrame *frame, double greatest);

/* The row of the canvas that a value is in: above frame->top if beyond the scale. */
extern int	padv_frame_row(const PadvFrame *frame, double value);

/* A bar in a column of the frame, from the ground to the value. */
extern void padv_frame_bar(PadvFrame *frame, int column, double value);

/* A tick below a column of the frame; ticks come from left to right. */
extern void padv_frame_tick(PadvFrame *frame, int column, const char *label);

/* Where a share of the width is: 0 is the first column of the frame, 1 the last. */
extern int	padv_frame_column(const PadvFrame *frame, double place);

/* Ticks for a scale of numbers along the ground. */
extern void padv_frame_ticks(PadvFrame *frame, const PadvScale *scale);

#endif							/* PADV_FRAME_H */
