/*
 * svg.c
 *		The common parts of SVG charts: axes, legends, patterns.
 *
 * Owns the coordinates.  The style sheet has the colours.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>

#include "core/render/svg.h"

#define MOST_LINES 4

void
padv_svg_patterns(const PadvHtml *html)
{
	padv_html_markup(html,
					 "<svg width=\"0\" height=\"0\" class=\"defs\" aria-hidden=\"true\"><defs>"
					 "<pattern id=\"pio\" width=\"8\" height=\"5\" patternUnits=\"userSpaceOnUse\">"
					 "<rect class=\"io\" width=\"8\" height=\"5\"/><path class=\"on\" d=\"M0,2.5h8\"/></pattern>"
					 "<pattern id=\"plock\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\">"
					 "<rect class=\"lock\" width=\"7\" height=\"7\"/>"
					 "<path class=\"on\" d=\"M-2,2l4,-4M0,7l7,-7M5,9l4,-4\"/></pattern>"
					 "<pattern id=\"plwlock\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
					 "<rect class=\"lwlock\" width=\"6\" height=\"6\"/>"
					 "<circle class=\"dot\" cx=\"1.5\" cy=\"1.5\" r=\"1.1\"/><circle class=\"dot\" cx=\"4.5\" cy=\"4.5\" r=\"1.1\"/></pattern>"
					 "<pattern id=\"pother\" width=\"5\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
					 "<rect class=\"other\" width=\"5\" height=\"8\"/><path class=\"on\" d=\"M2.5,0v8\"/></pattern>"
					 "<pattern id=\"pqueued\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
					 "<rect class=\"queued\" width=\"6\" height=\"6\"/><path class=\"on\" d=\"M-1,1l2,-2M0,6l6,-6M5,7l2,-2\"/></pattern>"
					 "<pattern id=\"pnone\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
					 "<path class=\"off\" d=\"M-1,5l2,2M0,0l6,6M5,-1l2,2\"/></pattern>"
					 "</defs></svg>\n");
}

void
padv_svg_begin(const PadvHtml *html, const char *id, const char *title)
{
	padv_html_format(html, "<svg class=\"plot\" role=\"img\" aria-labelledby=\"%s-t %s-d\"><title id=\"%s-t\">",
					 id, id, id);
	padv_html_text(html, title);
	padv_html_markup(html, "</title>");
}

void
padv_svg_describe(const PadvHtml *html, const char *id, const char *description)
{
	padv_html_format(html, "<desc id=\"%s-d\">", id);
	padv_html_text(html, description);
	padv_html_markup(html, "</desc>\n");
}

void
padv_svg_end(const PadvHtml *html)
{
	padv_html_markup(html, "</svg>\n");
}

void
padv_svg_begin_stretched(const PadvHtml *html)
{
	padv_html_format(html, "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" width=\"100%%\" height=\"%d\">\n",
					 PADV_SVG_WIDTH, PADV_SVG_HEIGHT, PADV_SVG_HEIGHT);
}

void
padv_svg_end_stretched(const PadvHtml *html)
{
	padv_html_markup(html, "</svg>\n");
}

double
padv_svg_y(const PadvScale *scale, double value)
{
	double		place = padv_scale_position(scale, value);

	/* false for NaN, too */
	if (!(place > 0.0))
		place = 0.0;
	return PADV_SVG_HEIGHT * (1.0 - fmin(place, 1.0));
}

PadvScale
padv_svg_draw_grid(const PadvHtml *html, double greatest)
{
	PadvScale	scale = padv_scale_linear(greatest, MOST_LINES);

	for (double tick = 0.0; tick <= scale.high + scale.step / 2.0; tick += scale.step)
	{
		double		y = padv_svg_y(&scale, tick);
		char		label[PADV_LABEL];

		padv_label_number(tick, label, sizeof(label));
		padv_html_format(html, "<line class=\"%s\" x2=\"100%%\" y1=\"", tick == 0.0 ? "axis" : "grid");
		padv_html_number(html, y);
		padv_html_markup(html, "\" y2=\"");
		padv_html_number(html, y);
		padv_html_markup(html, "\"/><text class=\"y\" x=\"-8\" y=\"");
		padv_html_number(html, y + 4.0);
		padv_html_markup(html, "\">");
		padv_html_text(html, label);
		padv_html_markup(html, "</text>\n");
	}
	return scale;
}

void
padv_svg_tick(const PadvHtml *html, double place, const char *label, bool wide_only)
{
	padv_html_format(html, "<g class=\"%s\"><line x1=\"", wide_only ? "x wide" : "x");
	padv_html_number(html, 100.0 * place);
	padv_html_markup(html, "%\" x2=\"");
	padv_html_number(html, 100.0 * place);
	padv_html_format(html, "%%\" y1=\"%d\" y2=\"%d\"/><text x=\"", PADV_SVG_HEIGHT, PADV_SVG_HEIGHT + 5);
	padv_html_number(html, 100.0 * place);
	padv_html_format(html, "%%\" y=\"%d\">", PADV_SVG_HEIGHT + 20);
	padv_html_text(html, label);
	padv_html_markup(html, "</text></g>\n");
}

void
padv_svg_begin_legend(const PadvHtml *html)
{
	padv_html_markup(html, "<ul class=\"legend\">");
}

static void
begin_legend_sample(const PadvHtml *html)
{
	padv_html_markup(html, "<li><svg width=\"22\" height=\"12\" aria-hidden=\"true\">");
}

static void
end_sample(const PadvHtml *html, const char *text)
{
	padv_html_markup(html, "</svg>");
	padv_html_text(html, text);
	padv_html_markup(html, "</li>");
}

void
padv_svg_legend(const PadvHtml *html, const char *class, const char *text)
{
	begin_legend_sample(html);
	padv_html_format(html, "<rect class=\"%s\" width=\"22\" height=\"12\"/>", class);
	end_sample(html, text);
}

void
padv_svg_legend_line(const PadvHtml *html, const char *class, const char *text)
{
	begin_legend_sample(html);
	padv_html_format(html, "<path class=\"%s\" d=\"M0,6h22\"/>", class);
	end_sample(html, text);
}

void
padv_svg_legend_point(const PadvHtml *html, const char *class, const char *text)
{
	begin_legend_sample(html);
	padv_html_format(html, "<circle class=\"%s\" cx=\"11\" cy=\"6\" r=\"4\"/>", class);
	end_sample(html, text);
}

void
padv_svg_end_legend(const PadvHtml *html)
{
	padv_html_markup(html, "</ul>\n");
}
