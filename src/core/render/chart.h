/*
 * chart.h
 *		Drawings of the load for a terminal.
 *
 * Each fills a canvas that was just initialized, at most all of it, and says in a
 * sentence when there is nothing to draw.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_CHART_H
#define PADV_CHART_H

#include "core/model/scalability.h"
#include "core/render/canvas.h"
#include "core/render/columns.h"
#include "core/render/role_bars.h"

/* Active connections over time, their maxima, and the optimum. */
extern void padv_chart_load(PadvCanvas *canvas, const PadvTimeline *timeline);

/* The same by what they wait for, one class upon the other. */
extern void padv_chart_waits(PadvCanvas *canvas, const PadvTimeline *timeline);

/*
 * A bar for each role, the most active first, and one for those that there is no
 * room for.  Puts the bars in order.  An optimum of 0 is not known.
 */
extern void padv_chart_roles(PadvCanvas *canvas, PadvRoleBar *bars, int count,
							 double optimal);

/* Throughput against connections at work, measured and fitted. */
extern void padv_chart_scalability(PadvCanvas *canvas, const PadvScalabilityRow *rows,
								   int count, const PadvCurve *curve);

#endif							/* PADV_CHART_H */
