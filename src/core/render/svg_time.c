/*
 * svg_time.c
 *		SVG charts of the load and of its wait classes over time.
 *
 * core/render/columns.c averages the points of the history into columns.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/render/svg.h"
#include "core/text/emit.h"

/* The number of labels of the time axis on a wide page and on a narrow one. */
#define WIDE_LABELS 10.0
#define NARROW_LABELS 5.0
#define NARROW_LONG_LABELS 3.4

/* The fill classes of the style sheet. */
static const char *const class_fills[PADV_WAIT_CLASSES] = {
	"cpu", "pio", "plock", "plwlock", "pother",
};

/* The chart that is being drawn. */
typedef struct Drawing
{
	const PadvHtml *html;
	const char *id;
	const PadvTimeline *timeline;
	PadvColumns columns;
	PadvScale	y;
} Drawing;

static void
write_x(const Drawing *drawing, int column)
{
	padv_html_number(drawing->html, (double) PADV_SVG_WIDTH * column / drawing->columns.count);
}

/* The end of a run of columns that all have samples, or all have none. */
static int
end_of_run(const PadvColumns *columns, int from)
{
	bool		sampled = padv_column_sampled(&columns->columns[from]);
	int			i = from;

	while (i < columns->count && padv_column_sampled(&columns->columns[i]) == sampled)
		i++;
	return i;
}

/* The height of an area in a column; arg selects the area. */
typedef double (*Height) (const PadvColumn *column, int arg);

/*
 * Write the path from column to column.  Of columns of equal height only the last
 * one is written.
 */
static void
write_steps(const Drawing *drawing, int from, int to, Height height, int arg)
{
	for (int i = from; i < to; i++)
	{
		/* coordinates have one decimal */
		double		y = round(10.0 * padv_svg_y(&drawing->y, height(&drawing->columns.columns[i], arg)));

		while (i + 1 < to &&
			   round(10.0 * padv_svg_y(&drawing->y, height(&drawing->columns.columns[i + 1], arg))) == y)
			i++;
		padv_html_markup(drawing->html, "V");
		padv_html_number(drawing->html, y / 10.0);
		padv_html_markup(drawing->html, "H");
		write_x(drawing, i + 1);
	}
}

/* Draw an area from 0 to its height, where there are samples. */
static void
draw_area(const Drawing *drawing, const char *class, Height height, int arg)
{
	padv_html_format(drawing->html, "<path class=\"%s\" d=\"", class);
	for (int i = 0, end; i < drawing->columns.count; i = end)
	{
		end = end_of_run(&drawing->columns, i);
		if (!padv_column_sampled(&drawing->columns.columns[i]))
			continue;
		padv_html_markup(drawing->html, "M");
		write_x(drawing, i);
		padv_html_format(drawing->html, ",%d", PADV_SVG_HEIGHT);
		write_steps(drawing, i, end, height, arg);
		padv_html_format(drawing->html, "V%dZ", PADV_SVG_HEIGHT);
	}
	padv_html_markup(drawing->html, "\"/>\n");
}

static double
optimum_of(const PadvColumn *column, int arg)
{
	(void) arg;
	return padv_mean(&column->optimal);
}

static bool
has_optimum(const PadvColumn *column)
{
	return padv_mean(&column->optimal) > 0.0;
}

/* Draw the optimum over time. */
static void
draw_optimum_as(const Drawing *drawing, const char *class)
{
	const PadvColumns *columns = &drawing->columns;

	padv_html_format(drawing->html, "<path class=\"%s\" d=\"", class);
	for (int i = 0, end; i < columns->count; i = end)
	{
		end = i + 1;
		if (!has_optimum(&columns->columns[i]))
			continue;
		while (end < columns->count && has_optimum(&columns->columns[end]))
			end++;
		padv_html_markup(drawing->html, "M");
		write_x(drawing, i);
		padv_html_markup(drawing->html, ",");
		padv_html_number(drawing->html, padv_svg_y(&drawing->y, optimum_of(&columns->columns[i], 0)));
		write_steps(drawing, i, end, optimum_of, 0);
	}
	padv_html_markup(drawing->html, "\"/>\n");
}

/* Draw the optimum on a light outline, so that it is visible on every area. */
static void
draw_svg_optimum(const Drawing *drawing)
{
	draw_optimum_as(drawing, "halo");
	draw_optimum_as(drawing, "optimum");
}

/* Write the current optimum beside its line. */
static void
label_optimum(const Drawing *drawing)
{
	char		label[PADV_LABEL];

	if (!(drawing->columns.optimal > 0.0))
		return;
	padv_label_number(drawing->columns.optimal, label, sizeof(label));
	padv_html_markup(drawing->html, "<text class=\"now\" x=\"100%\" dx=\"6\" y=\"");
	padv_html_number(drawing->html, padv_svg_y(&drawing->y, drawing->columns.optimal) + 4.0);
	padv_html_markup(drawing->html, "\">");
	padv_html_text(drawing->html, label);
	padv_html_markup(drawing->html, "</text>\n");
}

/* Draw a hatching where there are no samples, because that is not the same as idle. */
static void
draw_gaps(const Drawing *drawing)
{
	const PadvColumns *columns = &drawing->columns;

	for (int i = 0, end; i < columns->count; i = end)
	{
		end = end_of_run(columns, i);
		if (padv_column_sampled(&columns->columns[i]))
			continue;
		padv_html_markup(drawing->html, "<path class=\"pnone\" d=\"M");
		write_x(drawing, i);
		padv_html_markup(drawing->html, ",0H");
		write_x(drawing, end);
		padv_html_format(drawing->html, "V%dH", PADV_SVG_HEIGHT);
		write_x(drawing, i);
		padv_html_markup(drawing->html, "Z\"/>\n");
	}
}

static bool
has_gaps(const PadvColumns *columns)
{
	for (int i = 0; i < columns->count; i++)
		if (!padv_column_sampled(&columns->columns[i]))
			return true;
	return false;
}

/*
 * Draw the time axis.  A narrow page shows the labels of a multiple of the step
 * only.
 */
static void
draw_svg_clock(const Drawing *drawing)
{
	double		seconds = ((double) drawing->timeline->until - (double) drawing->timeline->from) / (double) PADV_SECOND;
	int64_t		step = padv_clock_step(seconds / WIDE_LABELS);
	int64_t		narrow_step = step;
	char		label[PADV_LABEL];
	int64_t		local;

	while ((double) narrow_step <
		   seconds / (padv_clock_label_width(step) > 5 ? NARROW_LONG_LABELS : NARROW_LABELS))
		narrow_step += step;
	for (int i = 0; i < drawing->columns.count; i++)
	{
		if (!padv_columns_tick(drawing->timeline, drawing->columns.count, i, step, &local))
			continue;
		padv_label_clock(local, step, label, sizeof(label));
		padv_svg_tick(drawing->html, (double) i / drawing->columns.count, label,
					  local % (narrow_step * PADV_SECOND) != 0);
	}
}

/* --- around the chart ----------------------------------------------------- */

static void
begin_figure(const Drawing *drawing)
{
	int64_t		span = drawing->timeline->until - drawing->timeline->from;
	char		period[PADV_LABEL];
	char		step[PADV_LABEL];

	padv_label_span(span, period, sizeof(period));
	padv_label_span(span / drawing->columns.count, step, sizeof(step));
	padv_html_markup(drawing->html, "<figure><figcaption><b>");
	padv_html_text_format(drawing->html, "Last %s", period);
	padv_html_markup(drawing->html, "</b> ");
	padv_html_text_format(drawing->html, "a step is the mean of %s", step);
	padv_html_markup(drawing->html, "</figcaption>\n");
}

static void
end_figure(const Drawing *drawing, const char *zone)
{
	padv_html_markup(drawing->html, "<p class=\"unit end\">");
	padv_html_text_format(drawing->html, "time (%s)", zone);
	padv_html_markup(drawing->html, "</p></figure>\n");
}

/* Begin a chart.  Writes a sentence and returns false if there are no samples. */
static bool
begin_svg_chart(Drawing *drawing, const PadvHtml *html, const char *id, const PadvTimeline *timeline, int count)
{
	char		sentence[200];

	drawing->html = html;
	drawing->id = id;
	drawing->timeline = timeline;
	padv_columns_gather(&drawing->columns, timeline, count);
	if (padv_column_sampled(&drawing->columns.all))
		return true;
	padv_columns_write_no_samples(timeline, sentence, sizeof(sentence));
	padv_html_markup(html, "<p class=\"nothing\">");
	padv_html_text(html, sentence);
	padv_html_markup(html, "</p>\n");
	return false;
}

static void
add_legend(const Drawing *drawing, const char *class, const char *name, double value, bool line)
{
	char		number[PADV_LABEL];
	char		text[PADV_LABEL + 32];

	padv_label_number(value, number, sizeof(number));
	snprintf(text, sizeof(text), "%s %s", name, number);
	(line ? padv_svg_legend_line : padv_svg_legend) (drawing->html, class, text);
}

static void
end_legend(const Drawing *drawing)
{
	if (drawing->columns.optimal > 0.0)
		add_legend(drawing, "optimum", "optimum", drawing->columns.optimal, true);
	if (has_gaps(&drawing->columns))
		padv_svg_legend(drawing->html, "pnone", "nothing sampled");
	padv_svg_end_legend(drawing->html);
	padv_html_markup(drawing->html, "<p class=\"unit\">active connections</p>\n");
}

static double
mean_of(const PadvColumn *column, int arg)
{
	(void) arg;
	return padv_column_active(column);
}

/* The maximum of a column, or its mean if the maximum is not known. */
static double
most_of(const PadvColumn *column, int arg)
{
	(void) arg;
	return fmax(column->most, padv_column_active(column));
}

static double
wanted_of(const PadvColumn *column, int arg)
{
	(void) arg;
	return padv_column_wanted(column);
}

static bool
has_queue(const Drawing *drawing)
{
	return padv_mean(&drawing->columns.all.queued) > 0.0;
}

static void
describe_load(const Drawing *drawing)
{
	char		queued[PADV_LABEL];
	char		mean[PADV_LABEL];
	char		most[PADV_LABEL];
	char		optimum[PADV_LABEL];
	char		text[200];

	padv_label_number(padv_column_active(&drawing->columns.all), mean, sizeof(mean));
	padv_label_number(drawing->columns.all.most, most, sizeof(most));
	padv_label_number(drawing->columns.optimal, optimum, sizeof(optimum));
	snprintf(text, sizeof(text),
			 "Mean %s active connections, at most %s; the optimum was %s last.",
			 mean, most, drawing->columns.optimal > 0.0 ? optimum : "not known");
	if (has_queue(drawing))
	{
		padv_label_number(padv_mean(&drawing->columns.all.queued), queued, sizeof(queued));
		PADV_APPEND(text, " On average %s more were queued.", queued);
	}
	padv_svg_describe(drawing->html, drawing->id, text);
}

void
padv_svg_load(const PadvHtml *html, const char *id, const PadvTimeline *timeline, int count,
			  const char *zone)
{
	Drawing		drawing;
	double		greatest;
	PadvBeyond	beyond;

	if (!begin_svg_chart(&drawing, html, id, timeline, count))
		return;
	greatest = padv_columns_greatest_load(&drawing.columns, &beyond);

	begin_figure(&drawing);
	padv_svg_begin_legend(html);
	add_legend(&drawing, "mean", "mean", padv_column_active(&drawing.columns.all), false);
	if (drawing.columns.all.most >= 0.0)
		add_legend(&drawing, "most", beyond.most ? "most (beyond the scale)" : "most",
				   drawing.columns.all.most, false);
	if (has_queue(&drawing))
		add_legend(&drawing, "pqueued", beyond.queued ? "queued (beyond the scale)" : "queued",
				   padv_mean(&drawing.columns.all.queued), false);
	end_legend(&drawing);

	padv_svg_begin(html, id, "Active connections over time, against the optimum");
	describe_load(&drawing);
	drawing.y = padv_svg_draw_grid(html, greatest);
	padv_svg_begin_stretched(html);
	draw_gaps(&drawing);
	draw_area(&drawing, "most", most_of, 0);
	if (has_queue(&drawing))
		draw_area(&drawing, "pqueued", wanted_of, 0);
	draw_area(&drawing, "mean", mean_of, 0);
	draw_svg_optimum(&drawing);
	padv_svg_end_stretched(html);
	label_optimum(&drawing);
	draw_svg_clock(&drawing);
	padv_svg_end(html);
	end_figure(&drawing, zone);
}

/* The sum of the wait classes up to this one. */
static double
up_to(const PadvColumn *column, int class)
{
	double		total = 0.0;

	for (int i = 0; i <= class; i++)
		total += padv_mean(&column->in_class[i]);
	return total;
}

static void
describe_waits(const Drawing *drawing)
{
	char		text[PADV_WAIT_CLASSES * (PADV_LABEL + 10) + 60];
	int			used = snprintf(text, sizeof(text), "Mean active connections by wait:");

	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
	{
		char		number[PADV_LABEL];

		padv_label_number(padv_mean(&drawing->columns.all.in_class[class]), number, sizeof(number));
		used += snprintf(text + used, sizeof(text) - (size_t) used, "%s %s %s", class > 0 ? "," : "",
						 padv_wait_class_label(class), number);
	}
	snprintf(text + used, sizeof(text) - (size_t) used, ".");
	padv_svg_describe(drawing->html, drawing->id, text);
}

void
padv_svg_waits(const PadvHtml *html, const char *id, const PadvTimeline *timeline, int count,
			   const char *zone)
{
	Drawing		drawing;

	if (!begin_svg_chart(&drawing, html, id, timeline, count))
		return;
	begin_figure(&drawing);
	padv_svg_begin_legend(html);
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		add_legend(&drawing, class_fills[class], padv_wait_class_label(class),
				   padv_mean(&drawing.columns.all.in_class[class]), false);
	end_legend(&drawing);

	padv_svg_begin(html, id, "Active connections over time, by what they wait for");
	describe_waits(&drawing);
	drawing.y = padv_svg_draw_grid(html, padv_columns_greatest(&drawing.columns, padv_column_total));
	padv_svg_begin_stretched(html);
	draw_gaps(&drawing);
	/* each area covers the lower part of the one before */
	for (int class = PADV_WAIT_CLASSES - 1; class >= 0; class--)
		draw_area(&drawing, class_fills[class], up_to, class);
	draw_svg_optimum(&drawing);
	padv_svg_end_stretched(html);
	label_optimum(&drawing);
	draw_svg_clock(&drawing);
	padv_svg_end(html);
	end_figure(&drawing, zone);
}
