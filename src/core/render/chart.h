/*
 * chart.h
 *		Charts for a terminal.
 *
 * Each function draws on an initialized canvas.  If there is no data, it writes a
 * sentence instead.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_CHART_H
#define PADV_CHART_H

#include "core/model/incident.h"
#include "core/model/scalability.h"
#include "core/render/canvas.h"
#include "core/render/columns.h"
#include "core/render/role_bars.h"

/* Active connections over time, with their maxima and the optimum. */
extern void padv_chart_load(PadvCanvas *canvas, const PadvTimeline *timeline);

/* Active connections over time, stacked by wait class. */
extern void padv_chart_waits(PadvCanvas *canvas, const PadvTimeline *timeline);

/*
 * A line for each kind of incident that there was in this time, with bars while one
 * lasted.  The points of the timeline are not used.
 */
extern void padv_chart_incidents(PadvCanvas *canvas, const PadvTimeline *timeline,
								 const PadvIncident *incidents, int count);

/*
 * A bar for each role, the most active first, and one bar for all roles that do not
 * fit.  Sorts the array.  optimal = 0 means not known.
 */
extern void padv_chart_roles(PadvCanvas *canvas, PadvRoleBar *bars, int count,
							 double optimal);

/* Throughput by busy connections, as measured and as fitted. */
extern void padv_chart_scalability(PadvCanvas *canvas, const PadvScalabilityRow *rows,
								   int count, const PadvCurve *curve);

#endif							/* PADV_CHART_H */
