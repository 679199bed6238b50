/*
 * chart_scalability.c
 *		Chart of throughput by busy connections for a terminal, as measured and as
 *		fitted.
 *
 * The curve is drawn from the coefficients of the fit, so it extends beyond the
 * measured points.  The optimum is that of the measured points, which can differ
 * from the peak of the fit; see core/model/knee.c.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>

#include "core/render/chart.h"
#include "core/render/curve_view.h"
#include "core/render/frame.h"

/* The number of columns for labels at the left of the axis. */
#define AXIS 6

/* The least distance of labels on the horizontal axis. */
#define COLUMNS_PER_TICK 8

static void
add_peak(PadvLegend *legend, const PadvCurve *curve)
{
	char		best[PADV_LABEL];
	char		throughput[PADV_LABEL];
	char		low[PADV_LABEL];
	char		high[PADV_LABEL];

	padv_label_number(curve->busy.best, best, sizeof(best));
	padv_label_number(curve->throughput, throughput, sizeof(throughput));
	padv_label_number(curve->busy.low, low, sizeof(low));
	padv_label_number(curve->busy.high, high, sizeof(high));
	padv_legend_add(legend, PADV_MARK_UPRIGHT, "optimum %s busy: %s a second", best, throughput);
	padv_legend_add(legend, PADV_MARK_RANGE_X, "within 5 %%: %s to %s", low, high);
}

static int
column_of(const PadvFrame *frame, const PadvScale *x, double connections)
{
	return padv_frame_column(frame, fmax(padv_scale_position(x, connections), 0.0));
}

static void
put_at(PadvFrame *frame, int column, double throughput, PadvMark mark)
{
	int			row = padv_frame_row(frame, throughput);

	if (row >= frame->top && column >= 0 && column < frame->columns)
		padv_canvas_put(frame->canvas, row, frame->left + column, mark);
}

/* Draw the line of the optimum first: curve and points go over it. */
static void
draw_chart_peak(PadvFrame *frame, const PadvCurve *curve, const PadvScale *x)
{
	int			column = column_of(frame, x, curve->busy.best);

	for (int i = 0; i < frame->columns; i++)
	{
		double		connections = padv_scale_value(x, (double) i / (frame->columns - 1));

		if (connections >= curve->busy.low && connections <= curve->busy.high &&
			padv_canvas_is(frame->canvas, frame->top + frame->rows, frame->left + i, PADV_MARK_AXIS_X))
			padv_canvas_put(frame->canvas, frame->top + frame->rows, frame->left + i, PADV_MARK_RANGE_X);
	}
	for (int row = frame->top; row < frame->top + frame->rows; row++)
		padv_canvas_put(frame->canvas, row, frame->left + column, PADV_MARK_UPRIGHT);
}

static void
draw_curve(PadvFrame *frame, const PadvCurve *curve, const PadvScale *x)
{
	for (int i = 0; i < frame->columns; i++)
	{
		double		connections = padv_scale_value(x, (double) i / (frame->columns - 1));
		double		throughput = padv_usl_throughput(&curve->fit, connections);

		if (throughput > 0.0 && isfinite(throughput))
			put_at(frame, i, throughput, PADV_MARK_DOT);
	}
}

void
padv_chart_scalability(PadvCanvas *canvas, const PadvScalabilityRow *rows, int count,
					   const PadvCurve *curve)
{
	bool		peak = padv_curve_has_peak(curve);
	PadvLegend	legend = {0};
	PadvFrame	frame;
	PadvScale	x;
	int			usable = 0;

	for (int i = 0; i < count; i++)
		usable += padv_curve_drawable(&rows[i]) ? 1 : 0;
	if (usable == 0)
	{
		padv_canvas_sentence(canvas, 0, PADV_NO_CURVE);
		return;
	}

	padv_legend_add(&legend, PADV_MARK_POINT, "measured");
	if (curve->fit_known)
		padv_legend_add(&legend, PADV_MARK_DOT, "fitted");
	if (peak)
		add_peak(&legend, curve);
	else
		padv_legend_add(&legend, PADV_MARK_BLANK, "%s", padv_curve_state_name(curve->state));

	padv_frame_init(&frame, canvas, "Transactions/s by busy connections", &legend, AXIS, 1);
	x = padv_curve_scale(rows, count, curve, frame.columns / COLUMNS_PER_TICK);
	padv_frame_draw_axes(&frame, padv_curve_greatest(rows, count, curve, &x));
	if (peak && curve->busy.best <= x.high)
		draw_chart_peak(&frame, curve, &x);
	padv_frame_ticks(&frame, &x);
	if (curve->fit_known)
		draw_curve(&frame, curve, &x);
	for (int i = 0; i < count; i++)
		if (padv_curve_drawable(&rows[i]))
			put_at(&frame, column_of(&frame, &x, rows[i].connections), rows[i].throughput,
				   PADV_MARK_POINT);
}
