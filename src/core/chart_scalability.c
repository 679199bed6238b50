/*
 * chart_scalability.c
 *		A drawing of throughput against connections at work, as measured and as
 *		fitted.
 *
 * The curve is drawn from the law's coefficients, so it also shows what it says
 * where nothing was measured.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>

#include "core/chart.h"
#include "core/frame.h"

/* Columns left of the axis, for its labels. */
#define AXIS 6

/* A range of connections wider than this is drawn logarithmically. */
#define LINEAR_RANGE 10.0

/* A peak further beyond what was measured is told, but not drawn. */
#define PEAK_IN_SCALE 3.0

/* Of labels along the ground, at least. */
#define COLUMNS_PER_TICK 8

/* How much of the peak's throughput a range around it keeps. */
#define KEPT 0.95

/* Halvings of an interval that leave nothing of it. */
#define HALVINGS 60

static bool
is_usable(const PadvScalabilityRow *row)
{
	return row->connections > 0.0 && isfinite(row->connections) &&
		row->throughput >= 0.0 && isfinite(row->throughput);
}

static bool
has_curve(const PadvFit *fit)
{
	return fit->lambda > 0.0 && isfinite(fit->lambda) &&
		fit->sigma >= 0.0 && isfinite(fit->sigma) &&
		fit->kappa >= 0.0 && isfinite(fit->kappa);
}

static bool
has_peak(const PadvFit *fit)
{
	return fit->state == PADV_FIT_DONE && has_curve(fit) &&
		fit->peak > 0.0 && isfinite(fit->peak) && isfinite(fit->peak_throughput);
}

/* Throughput by the law; 0 where it has none. */
static double
curve_at(const PadvFit *fit, double connections)
{
	double		slowed = 1.0 + fit->sigma * (connections - 1.0) +
		fit->kappa * connections * (connections - 1.0);

	return slowed > 0.0 ? fit->lambda * connections / slowed : 0.0;
}

/* Where the curve crosses a throughput, between inside (above it) and outside. */
static double
crossing(const PadvFit *fit, double throughput, double inside, double outside)
{
	for (int i = 0; i < HALVINGS; i++)
	{
		double		middle = (inside + outside) / 2.0;

		if (curve_at(fit, middle) >= throughput)
			inside = middle;
		else
			outside = middle;
	}
	return inside;
}

/* Connections around the peak that keep most of its throughput. */
static void
range_of(const PadvFit *fit, double *low, double *high)
{
	double		throughput = KEPT * curve_at(fit, fit->peak);
	double		beyond = fit->peak;

	*low = crossing(fit, throughput, fit->peak, 0.0);
	/* a curve without coherency cost never comes down */
	for (int i = 0; i < HALVINGS && curve_at(fit, beyond) >= throughput; i++)
		beyond *= 2.0;
	*high = crossing(fit, throughput, fit->peak, beyond);
}

/* The range of connections to draw. */
static PadvScale
scale_of(const PadvScalabilityRow *rows, int count, const PadvFit *fit, int columns)
{
	double		least = INFINITY;
	double		greatest = 0.0;

	for (int i = 0; i < count; i++)
	{
		if (!is_usable(&rows[i]))
			continue;
		least = fmin(least, rows[i].connections);
		greatest = fmax(greatest, rows[i].connections);
	}
	if (has_peak(fit) && fit->peak <= PEAK_IN_SCALE * greatest)
	{
		least = fmin(least, fit->peak);
		greatest = fmax(greatest, fit->peak);
	}
	if (greatest > LINEAR_RANGE * least)
		return padv_scale_logarithmic(least, greatest);
	/* ticks at whole connections only */
	greatest = fmax(greatest, 1.0);
	return padv_scale_linear(greatest, (int) fmin(ceil(greatest), columns / COLUMNS_PER_TICK));
}

static double
greatest_throughput(const PadvScalabilityRow *rows, int count, const PadvFit *fit,
					const PadvScale *x)
{
	double		greatest = 0.0;

	for (int i = 0; i < count; i++)
		if (is_usable(&rows[i]))
			greatest = fmax(greatest, rows[i].throughput);
	if (has_peak(fit) && fit->peak <= x->high)
		greatest = fmax(greatest, curve_at(fit, fit->peak));
	return greatest;
}

static void
add_state(PadvLegend *legend, const PadvFit *fit)
{
	if (fit->state == PADV_FIT_TOO_LITTLE_DATA)
		padv_legend_add(legend, PADV_MARK_BLANK, "too little data for a curve");
	else if (fit->state == PADV_FIT_NO_KNEE)
		padv_legend_add(legend, PADV_MARK_BLANK, "knee not observed yet");
}

static void
add_peak(PadvLegend *legend, const PadvFit *fit)
{
	char		connections[PADV_LABEL];
	char		throughput[PADV_LABEL];
	char		from[PADV_LABEL];
	char		to[PADV_LABEL];
	double		low;
	double		high;

	range_of(fit, &low, &high);
	padv_label_number(fit->peak, connections, sizeof(connections));
	padv_label_number(fit->peak_throughput, throughput, sizeof(throughput));
	padv_label_number(low, from, sizeof(from));
	padv_label_number(high, to, sizeof(to));
	padv_legend_add(legend, PADV_MARK_UPRIGHT, "optimum %s at work: %s a second",
					connections, throughput);
	padv_legend_add(legend, PADV_MARK_RANGE_X, "within 5 %%: %s to %s", from, to);
}

/* A mark where nothing more important is. */
static void
put_at(PadvFrame *frame, int column, double throughput, PadvMark mark)
{
	int			row = padv_frame_row(frame, throughput);

	if (row >= frame->top && column >= 0 && column < frame->columns)
		padv_canvas_put(frame->canvas, row, frame->left + column, mark);
}

/* The optimum is under the curve, and the curve under the points. */
static void
draw_peak(PadvFrame *frame, const PadvFit *fit, const PadvScale *x)
{
	int			column = padv_frame_column(frame, padv_scale_place(x, fit->peak));
	double		low;
	double		high;

	range_of(fit, &low, &high);
	for (int i = 0; i < frame->columns; i++)
	{
		double		connections = padv_scale_value(x, (double) i / (frame->columns - 1));

		if (connections >= low && connections <= high &&
			padv_canvas_is(frame->canvas, frame->top + frame->rows, frame->left + i, PADV_MARK_AXIS_X))
			padv_canvas_put(frame->canvas, frame->top + frame->rows, frame->left + i, PADV_MARK_RANGE_X);
	}
	for (int row = frame->top; row < frame->top + frame->rows; row++)
		padv_canvas_put(frame->canvas, row, frame->left + column, PADV_MARK_UPRIGHT);
}

static void
draw_curve(PadvFrame *frame, const PadvFit *fit, const PadvScale *x)
{
	for (int i = 0; i < frame->columns; i++)
	{
		double		throughput = curve_at(fit, padv_scale_value(x, (double) i / (frame->columns - 1)));

		if (throughput > 0.0)
			put_at(frame, i, throughput, PADV_MARK_DOT);
	}
}

void
padv_chart_scalability(PadvCanvas *canvas, const PadvScalabilityRow *rows, int count,
					   const PadvFit *fit)
{
	bool		peak = has_peak(fit);
	PadvLegend	legend = {0};
	PadvFrame	frame;
	PadvScale	x;
	int			usable = 0;

	for (int i = 0; i < count; i++)
		usable += is_usable(&rows[i]) ? 1 : 0;
	if (usable == 0)
	{
		padv_canvas_sentence(canvas, 0,
							 "There is no curve yet: no throughput was measured at any number of connections.");
		return;
	}

	padv_legend_add(&legend, PADV_MARK_POINT, "measured");
	if (has_curve(fit))
		padv_legend_add(&legend, PADV_MARK_DOT, "fitted");
	if (peak)
		add_peak(&legend, fit);
	add_state(&legend, fit);

	padv_frame_init(&frame, canvas, "Transactions/s by connections at work", &legend, AXIS, 1);
	x = scale_of(rows, count, fit, frame.columns);
	padv_frame_draw_axes(&frame, greatest_throughput(rows, count, fit, &x));
	if (peak && fit->peak <= x.high)
		draw_peak(&frame, fit, &x);
	padv_frame_ticks(&frame, &x);
	if (has_curve(fit))
		draw_curve(&frame, fit, &x);
	for (int i = 0; i < count; i++)
		if (is_usable(&rows[i]))
			put_at(&frame, padv_frame_column(&frame, padv_scale_place(&x, rows[i].connections)),
				   rows[i].throughput, PADV_MARK_POINT);
}
