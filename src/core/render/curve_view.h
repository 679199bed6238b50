/*
 * curve_view.h
 *		The drawable part of the scalability curve, and its axes.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_CURVE_VIEW_H
#define PADV_CURVE_VIEW_H

#include "core/model/scalability.h"
#include "core/render/axis.h"

/* The sentence for a curve without points. */
#define PADV_NO_CURVE "There is no curve yet: no throughput was measured at any number of connections."

/* Whether a row can be drawn: its numbers are finite, and the connections positive. */
extern bool padv_curve_drawable(const PadvScalabilityRow *row);

/* Whether there is a peak with finite and positive numbers. */
extern bool padv_curve_has_peak(const PadvCurve *curve);

/*
 * The scale of the connections: linear with at most most_ticks steps, or
 * logarithmic for a wide range.
 */
extern PadvScale padv_curve_scale(const PadvScalabilityRow *rows, int count,
								  const PadvCurve *curve, int most_ticks);

/* The highest throughput of the points and the peak within that scale. */
extern double padv_curve_greatest(const PadvScalabilityRow *rows, int count,
								  const PadvCurve *curve, const PadvScale *x);

#endif							/* PADV_CURVE_VIEW_H */
