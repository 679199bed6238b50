/*
 * curve_view.c
 *		The drawable part of the scalability curve, and its axes.
 *
 * Called by the charts of the curve.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>

#include "core/render/curve_view.h"

/* A range of connections wider than this factor is logarithmic. */
#define LINEAR_RANGE 10.0

/* A peak beyond this multiple of the measured range is not drawn. */
#define PEAK_IN_SCALE 3.0

#define ABOUT_ONE 0.9

static bool
is_drawable(double connections)
{
	return connections > 0.0 && isfinite(connections);
}

bool
padv_curve_drawable(const PadvScalabilityRow *row)
{
	return is_drawable(row->connections) && row->throughput >= 0.0 && isfinite(row->throughput);
}

bool
padv_curve_has_peak(const PadvCurve *curve)
{
	return curve->state == PADV_CURVE_FITTED && is_drawable(curve->busy.best) &&
		is_drawable(curve->busy.low) && is_drawable(curve->busy.high);
}

PadvScale
padv_curve_scale(const PadvScalabilityRow *rows, int count, const PadvCurve *curve, int most_ticks)
{
	double		least = INFINITY;
	double		greatest = 0.0;

	for (int i = 0; i < count; i++)
	{
		if (!padv_curve_drawable(&rows[i]))
			continue;
		least = fmin(least, rows[i].connections);
		greatest = fmax(greatest, rows[i].connections);
	}
	if (padv_curve_has_peak(curve) && curve->busy.best <= PEAK_IN_SCALE * greatest)
	{
		least = fmin(least, curve->busy.best);
		greatest = fmax(greatest, curve->busy.best);
	}
	/* a single busy connection is measured as slightly less than 1 */
	if (least > ABOUT_ONE && least < 1.0)
		least = 1.0;
	if (greatest > LINEAR_RANGE * least)
		return padv_scale_logarithmic(least, greatest);
	/* Ticks at whole connections only. */
	greatest = fmax(greatest, 1.0);
	return padv_scale_linear(greatest, (int) fmin(ceil(greatest), most_ticks));
}

double
padv_curve_greatest(const PadvScalabilityRow *rows, int count, const PadvCurve *curve,
					const PadvScale *x)
{
	double		greatest = 0.0;

	for (int i = 0; i < count; i++)
		if (padv_curve_drawable(&rows[i]))
			greatest = fmax(greatest, rows[i].throughput);
	if (padv_curve_has_peak(curve) && curve->busy.best <= x->high)
		greatest = fmax(greatest, curve->throughput);
	return greatest;
}
