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

/* For a curve without a point. */
#define PADV_NO_CURVE "There is no curve yet: no throughput was measured at any number of connections."

/* Whether a row is a point, with numbers that have a place. */
extern bool padv_curve_drawable(const PadvScalabilityRow *row);

/* Whether a peak was seen, with numbers that have a place. */
extern bool padv_curve_has_peak(const PadvCurve *curve);

/*
 * The axis of connections: linear, by at most so many ticks, or logarithmic
 * where they range too far for that.
 */
extern PadvScale padv_curve_scale(const PadvScalabilityRow *rows, int count,
								  const PadvCurve *curve, int most_ticks);

/* The highest throughput of what is drawn on that axis. */
extern double padv_curve_greatest(const PadvScalabilityRow *rows, int count,
								  const PadvCurve *curve, const PadvScale *x);

#endif							/* PADV_CURVE_VIEW_H */
