/*
 * svg.h
 *		SVG charts of the report, and their common parts.
 *
 * A chart is as wide as the page.  Text and circles are positioned in percent of
 * the width and keep their size.  Areas and paths are stretched.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SVG_H
#define PADV_SVG_H

#include "core/model/scalability.h"
#include "core/render/axis.h"
#include "core/render/columns.h"
#include "core/render/html.h"

/* The coordinates of the stretched part; the height is in pixels. */
#define PADV_SVG_WIDTH 720
#define PADV_SVG_HEIGHT 200

/* Emit the fill patterns, once a page.  They distinguish areas without colour. */
extern void padv_svg_patterns(const PadvHtml *html);

/*
 * Begin a chart with its title; describe it for screen readers; end it.  id is a
 * literal that is unique in the page.
 */
extern void padv_svg_begin(const PadvHtml *html, const char *id, const char *title);
extern void padv_svg_describe(const PadvHtml *html, const char *id, const char *description);
extern void padv_svg_end(const PadvHtml *html);

/* Begin and end the stretched part, which contains the paths. */
extern void padv_svg_begin_stretched(const PadvHtml *html);
extern void padv_svg_end_stretched(const PadvHtml *html);

/*
 * Draw the vertical scale from 0 to a tick at or above greatest, with grid lines
 * and labels.  Returns the scale.
 */
extern PadvScale padv_svg_draw_grid(const PadvHtml *html, double greatest);

/* The y coordinate of a value, in pixels from the top. */
extern double padv_svg_y(const PadvScale *scale, double value);

/*
 * Draw a tick on the horizontal axis at a position of 0..1, on wide pages only or
 * on all.
 */
extern void padv_svg_tick(const PadvHtml *html, double place, const char *label, bool wide_only);

/* Emit the legend.  class is a class of the style sheet. */
extern void padv_svg_begin_legend(const PadvHtml *html);
extern void padv_svg_legend(const PadvHtml *html, const char *class, const char *text);
extern void padv_svg_legend_line(const PadvHtml *html, const char *class, const char *text);
extern void padv_svg_legend_point(const PadvHtml *html, const char *class, const char *text);
extern void padv_svg_end_legend(const PadvHtml *html);

/*
 * The chart of the load, or of its wait classes, in count columns; a sentence if
 * there are no samples.  zone is the name of the time zone of utc_offset.
 */
extern void padv_svg_load(const PadvHtml *html, const char *id, const PadvTimeline *timeline,
						  int count, const char *zone);
extern void padv_svg_waits(const PadvHtml *html, const char *id, const PadvTimeline *timeline,
						   int count, const char *zone);

/* The chart of throughput by busy connections; a sentence if there are no points. */
extern void padv_svg_scalability(const PadvHtml *html, const char *id, const PadvScalabilityRow *rows,
								 int count, const PadvCurve *curve);

#endif							/* PADV_SVG_H */
