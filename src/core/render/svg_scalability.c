/*
 * svg_scalability.c
 *		SVG chart of throughput by busy connections, as measured and as fitted.
 *
 * As in the chart for a terminal, the optimum is that of the measured points.
 * Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>

#include "core/render/curve_view.h"
#include "core/render/svg.h"

/* The most ticks of a linear axis, and the most labels on a narrow and on a wide page. */
#define LINEAR_TICKS 7
#define NARROW_LABELS 7
#define WIDE_LABELS 14

/* The number of points of the fitted curve. */
#define CURVE_POINTS 120

/*
 * Ticks are at 1, 2 and 5 times the powers of ten.  If labels are left out, one of
 * the three keeps its labels.
 */
#define TICKS_PER_POWER 3

typedef struct Drawing
{
	const PadvHtml *html;
	const PadvCurve *curve;
	PadvScale	x;
	PadvScale	y;
} Drawing;

/* The position of a number of connections, within 0..1. */
static double
svg_position_of(const PadvScale *x, double connections)
{
	return fmin(fmax(padv_scale_position(x, connections), 0.0), 1.0);
}

/* Draw the range within 5 % of the peak, and a line at the peak. */
static void
draw_svg_peak(const Drawing *drawing)
{
	double		low = svg_position_of(&drawing->x, drawing->curve->busy.low);
	double		high = svg_position_of(&drawing->x, drawing->curve->busy.high);
	double		best = svg_position_of(&drawing->x, drawing->curve->busy.best);

	padv_html_markup(drawing->html, "<rect class=\"range\" x=\"");
	padv_html_number(drawing->html, 100.0 * low);
	padv_html_markup(drawing->html, "%\" width=\"");
	padv_html_number(drawing->html, 100.0 * fmax(high - low, 0.002));
	padv_html_format(drawing->html, "%%\" height=\"%d\"/><line class=\"optimum\" x1=\"", PADV_SVG_HEIGHT);
	padv_html_number(drawing->html, 100.0 * best);
	padv_html_markup(drawing->html, "%\" x2=\"");
	padv_html_number(drawing->html, 100.0 * best);
	padv_html_format(drawing->html, "%%\" y2=\"%d\"/>\n", PADV_SVG_HEIGHT);
}

/* Draw the fitted curve over the whole axis. */
static void
draw_law(const Drawing *drawing)
{
	padv_svg_begin_stretched(drawing->html);
	padv_html_markup(drawing->html, "<path class=\"law\" d=\"");
	for (int i = 0, drawn = 0; i <= CURVE_POINTS; i++)
	{
		double		place = (double) i / CURVE_POINTS;
		double		throughput = padv_usl_throughput(&drawing->curve->fit,
													 padv_scale_value(&drawing->x, place));

		/* do not draw along the upper edge */
		if (!(throughput > 0.0) || !(throughput <= drawing->y.high))
		{
			drawn = 0;
			continue;
		}
		padv_html_markup(drawing->html, drawn++ ? "L" : "M");
		padv_html_number(drawing->html, PADV_SVG_WIDTH * place);
		padv_html_markup(drawing->html, ",");
		padv_html_number(drawing->html, padv_svg_y(&drawing->y, throughput));
	}
	padv_html_markup(drawing->html, "\"/>\n");
	padv_svg_end_stretched(drawing->html);
}

static void
draw_point(const Drawing *drawing, const PadvScalabilityRow *row)
{
	char		connections[PADV_LABEL];
	char		throughput[PADV_LABEL];
	char		seconds[PADV_LABEL];

	padv_label_number(row->connections, connections, sizeof(connections));
	padv_label_number(row->throughput, throughput, sizeof(throughput));
	padv_label_number(row->seconds, seconds, sizeof(seconds));
	padv_html_markup(drawing->html, "<circle class=\"point\" cx=\"");
	padv_html_number(drawing->html, 100.0 * svg_position_of(&drawing->x, row->connections));
	padv_html_markup(drawing->html, "%\" cy=\"");
	padv_html_number(drawing->html, padv_svg_y(&drawing->y, row->throughput));
	padv_html_markup(drawing->html, "\" r=\"4\"><title>");
	padv_html_text_format(drawing->html, "%s busy: %s transactions/s, seen for %s s",
						  connections, throughput, seconds);
	padv_html_markup(drawing->html, "</title></circle>\n");
}

/* Every how many ticks there is a label, if `labels` of them fit. */
static int
label_interval(int ticks, int labels, bool logarithmic)
{
	int			step = (ticks + labels - 1) / labels;

	if (step > 1 && logarithmic)
		step = (step + TICKS_PER_POWER - 1) / TICKS_PER_POWER * TICKS_PER_POWER;
	return step > 0 ? step : 1;
}

static void
draw_ticks(const Drawing *drawing)
{
	const PadvScale *x = &drawing->x;
	double		end = x->high * (1.0 + 1e-6);
	int			ticks = 0;
	int			number = 0;
	int			wide;
	int			narrow;

	for (double tick = x->low; tick <= end; tick = padv_scale_next(x, tick))
		ticks++;
	wide = label_interval(ticks, WIDE_LABELS, x->logarithmic);
	narrow = label_interval(ticks, NARROW_LABELS, x->logarithmic);
	for (double tick = x->low; tick <= end; tick = padv_scale_next(x, tick), number++)
	{
		char		label[PADV_LABEL];

		if (number % wide != 0)
			continue;
		padv_label_number(tick, label, sizeof(label));
		padv_svg_tick(drawing->html, svg_position_of(x, tick), label, number % narrow != 0);
	}
}

/* --- around the chart ----------------------------------------------------- */

static void
write_svg_legend(const Drawing *drawing, bool peak)
{
	const PadvCurve *curve = drawing->curve;
	char		best[PADV_LABEL];
	char		low[PADV_LABEL];
	char		high[PADV_LABEL];
	char		text[2 * PADV_LABEL + 40];

	padv_svg_begin_legend(drawing->html);
	padv_svg_legend_point(drawing->html, "point", "measured");
	if (curve->fit_known)
		padv_svg_legend_line(drawing->html, "law", "fitted law");
	if (peak)
	{
		padv_label_number(curve->busy.best, best, sizeof(best));
		padv_label_number(curve->busy.low, low, sizeof(low));
		padv_label_number(curve->busy.high, high, sizeof(high));
		snprintf(text, sizeof(text), "optimum %s busy", best);
		padv_svg_legend_line(drawing->html, "optimum", text);
		snprintf(text, sizeof(text), "within 5 %%: %s to %s", low, high);
		padv_svg_legend(drawing->html, "range", text);
	}
	padv_svg_end_legend(drawing->html);
}

static void
describe_curve_point(const Drawing *drawing, const char *id, int points, bool peak)
{
	const PadvCurve *curve = drawing->curve;
	char		best[PADV_LABEL];
	char		throughput[PADV_LABEL];
	char		text[200];
	int			used = snprintf(text, sizeof(text), "Numbers of connections measured: %d. ", points);

	padv_label_number(curve->busy.best, best, sizeof(best));
	padv_label_number(curve->throughput, throughput, sizeof(throughput));
	if (peak)
		snprintf(text + used, sizeof(text) - (size_t) used,
				 "Throughput is highest, %s transactions/s, with %s busy connections.", throughput, best);
	else
		snprintf(text + used, sizeof(text) - (size_t) used, "No optimum: %s.",
				 padv_curve_state_name(curve->state));
	padv_svg_describe(drawing->html, id, text);
}

static void
write_caption(const PadvHtml *html, const PadvCurve *curve, bool peak)
{
	padv_html_markup(html, "<figure><figcaption><b>");
	padv_html_text_format(html, "Throughput by busy connections");
	padv_html_markup(html, "</b> ");
	if (peak)
		padv_html_text_format(html, "each point is what was seen with about so many");
	else
		padv_html_text_format(html, "%s", padv_curve_state_name(curve->state));
	padv_html_markup(html, "</figcaption>\n");
}

void
padv_svg_scalability(const PadvHtml *html, const char *id, const PadvScalabilityRow *rows, int count,
					 const PadvCurve *curve)
{
	Drawing		drawing = {.html = html, .curve = curve};
	bool		peak = padv_curve_has_peak(curve);
	int			points = 0;

	for (int i = 0; i < count; i++)
		points += padv_curve_drawable(&rows[i]);
	if (points == 0)
	{
		padv_html_markup(html, "<p class=\"nothing\">" PADV_NO_CURVE "</p>\n");
		return;
	}
	drawing.x = padv_curve_scale(rows, count, curve, LINEAR_TICKS);
	write_caption(html, curve, peak);
	write_svg_legend(&drawing, peak);
	padv_html_markup(html, "<p class=\"unit\">transactions/s</p>\n");
	padv_svg_begin(html, id, "Throughput against busy connections");
	describe_curve_point(&drawing, id, points, peak);
	drawing.y = padv_svg_draw_grid(html, padv_curve_greatest(rows, count, curve, &drawing.x));
	if (peak && curve->busy.best <= drawing.x.high)
		draw_svg_peak(&drawing);
	if (curve->fit_known)
		draw_law(&drawing);
	for (int i = 0; i < count; i++)
		if (padv_curve_drawable(&rows[i]))
			draw_point(&drawing, &rows[i]);
	draw_ticks(&drawing);
	padv_svg_end(html);
	padv_html_markup(html, drawing.x.logarithmic ?
					 "<p class=\"unit end\">busy connections (logarithmic)</p></figure>\n" :
					 "<p class=\"unit end\">busy connections</p></figure>\n");
}
