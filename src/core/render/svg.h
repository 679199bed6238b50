/*
 * svg.h
 *		Charts for a page: what all of them have, and the charts themselves.
 *
 * A chart is as wide as the page: what is round or written stands at shares of
 * the width and keeps its size, and what is an area is stretched.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SVG_H
#define PADV_SVG_H

#include "core/model/scalability.h"
#include "core/render/axis.h"
#include "core/render/columns.h"
#include "core/render/html.h"

/* Of what is stretched to the width of the page; the height is in pixels. */
#define PADV_SVG_WIDTH 720
#define PADV_SVG_HEIGHT 200

/* Once on a page: the fills that more than colour tells apart. */
extern void padv_svg_patterns(const PadvHtml *html);

/*
 * Begin a chart with its title, then describe it for readers that cannot see it.  The id
 * is a literal, a different one for each chart.
 */
extern void padv_svg_begin(const PadvHtml *html, const char *id, const char *title);
extern void padv_svg_describe(const PadvHtml *html, const char *id, const char *description);
extern void padv_svg_end(const PadvHtml *html);

/* The part that is stretched; paths go into it. */
extern void padv_svg_begin_stretched(const PadvHtml *html);
extern void padv_svg_end_stretched(const PadvHtml *html);

/* The scale from the ground up to a value, with its lines and numbers. */
extern PadvScale padv_svg_draw_grid(const PadvHtml *html, double greatest);

/* Pixels from the top, within the chart. */
extern double padv_svg_y(const PadvScale *scale, double value);

/* A tick on the ground at a share of the width, 0..1; for wide pages only, or for all. */
extern void padv_svg_tick(const PadvHtml *html, double place, const char *label, bool wide_only);

/* The legend: samples of what is drawn, with a class of ours, and their names. */
extern void padv_svg_begin_legend(const PadvHtml *html);
extern void padv_svg_legend(const PadvHtml *html, const char *class, const char *text);
extern void padv_svg_legend_line(const PadvHtml *html, const char *class, const char *text);
extern void padv_svg_legend_point(const PadvHtml *html, const char *class, const char *text);
extern void padv_svg_end_legend(const PadvHtml *html);

/*
 * The load, or its waits, in so many columns; a sentence when there is nothing.
 * The zone is the name of that in which utc_offset is.
 */
extern void padv_svg_load(const PadvHtml *html, const char *id, const PadvTimeline *timeline,
						  int count, const char *zone);
extern void padv_svg_waits(const PadvHtml *html, const char *id, const PadvTimeline *timeline,
						   int count, const char *zone);

/* Throughput against connections at work; a sentence when there is nothing. */
extern void padv_svg_scalability(const PadvHtml *html, const char *id, const PadvScalabilityRow *rows,
								 int count, const PadvCurve *curve);

#endif							/* PADV_SVG_H */
