/*
 * chart_roles.c
 *		Chart of active sessions by role for a terminal.
 *
 * Role names can contain any character, so the canvas replaces unprintable ones.
 * Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/render/chart.h"
#include "core/render/frame.h"

#define SESSIONS_HEADER "sessions / limit"

/* The number of columns for the average, like "0.00167". */
#define AVERAGE 7

/* The number of columns for the counts at the right, like "999999 / 999999". */
#define COUNTS 48

static void
write_counts(const PadvRoleBar *bar, char *text, size_t size)
{
	char		sessions[PADV_LABEL];
	char		limit[PADV_LABEL];

	padv_label_count(bar->sessions, sessions, sizeof(sessions));
	padv_label_count(bar->limit, limit, sizeof(limit));
	snprintf(text, size, "%s%s%s", sessions, bar->limit < 0 ? "" : " / ", bar->limit < 0 ? "" : limit);
}

static void
write_right(PadvCanvas *canvas, int row, int end, const char *text)
{
	int			width = padv_canvas_text_width(canvas, text);

	padv_canvas_text(canvas, row, end - width, width, text);
}

static void
draw_row(PadvCanvas *canvas, int row, int name_width, const PadvRoleBar *bar)
{
	char		text[COUNTS];

	padv_canvas_text(canvas, row, 0, name_width, bar->name);
	padv_label_number(bar->active_avg, text, sizeof(text));
	write_right(canvas, row, name_width + 1 + AVERAGE, text);
	write_counts(bar, text, sizeof(text));
	write_right(canvas, row, canvas->width, text);
}

static void
draw_bar(PadvCanvas *canvas, const PadvFrame *frame, const PadvScale *scale, int row, double value)
{
	double		length = padv_scale_position(scale, value) * frame->columns;
	int			full = (int) (length + 1.0 / 16.0);

	if (!(length > 0.0))
		return;
	for (int i = 0; i < full && i < frame->columns; i++)
		padv_canvas_put(canvas, row, frame->left + i, PADV_MARK_BAR);
	if (length - full >= 1.0 / 16.0 || full == 0)
		padv_canvas_put_row_end(canvas, row, frame->left + full, length - full);
}

/* Draw a vertical line at the optimum, if it is within the scale. */
static void
draw_roles_optimum(PadvCanvas *canvas, const PadvFrame *frame, const PadvScale *scale, double optimal)
{
	int			column = frame->left + (int) ceil(padv_scale_position(scale, optimal) * frame->columns - 1e-6) - 1;

	for (int row = frame->top; row < frame->top + frame->rows; row++)
	{
		bool		bar = padv_canvas_is(canvas, row, column, PADV_MARK_BAR);

		if (bar || padv_canvas_is(canvas, row, column, PADV_MARK_BLANK))
			padv_canvas_put(canvas, row, column, bar ? PADV_MARK_BAR_CROSSED : PADV_MARK_UPRIGHT);
	}
}

/* The width of the widest name, or of the widest counts. */
static int
widest_name(const PadvCanvas *canvas, const PadvRoleBar *bars, int count, bool names)
{
	int			width = 0;

	for (int i = 0; i < count; i++)
	{
		char		text[COUNTS];
		int			mine;

		write_counts(&bars[i], text, sizeof(text));
		mine = padv_canvas_text_width(canvas, names ? bars[i].name : text);
		if (mine > width)
			width = mine;
	}
	return width;
}

static void
write_header(PadvCanvas *canvas)
{
	const char *title = "Active connections, mean of the last minute";
	int			room = canvas->width - (int) strlen(SESSIONS_HEADER) - 1;

	if (canvas->height == PADV_CANVAS_MIN_HEIGHT)
		return;
	if (padv_canvas_text_width(canvas, title) > room)
		title = "Active, last minute";
	padv_canvas_text(canvas, 0, 0, room, title);
	write_right(canvas, 0, canvas->width, SESSIONS_HEADER);
}

/* Draw bars, axis and header. */
static void
draw_role_bar(PadvCanvas *canvas, const PadvRoleBar *bars, int count, double optimal)
{
	int			counts = widest_name(canvas, bars, count, false);
	int			names = widest_name(canvas, bars, count, true);
	int			top = canvas->height == PADV_CANVAS_MIN_HEIGHT ? 0 : 1;
	PadvScale	scale;
	PadvFrame	frame;
	double		greatest = 0.0;

	if (names > canvas->width / 3)
		names = canvas->width / 3;
	frame = (PadvFrame) {
		.canvas = canvas, .top = top, .rows = count, .left = names + 1 + AVERAGE + 1,
		.labels_end = names + 1,
	};
	frame.columns = canvas->width - frame.left - counts - 1;
	for (int i = 0; i < count; i++)
		greatest = fmax(greatest, bars[i].active_avg);
	scale = padv_scale_linear(greatest, frame.columns / 8);

	write_header(canvas);
	for (int i = 0; i < count; i++)
	{
		draw_row(canvas, top + i, names, &bars[i]);
		draw_bar(canvas, &frame, &scale, top + i, bars[i].active_avg);
	}
	for (int column = 0; column < frame.columns; column++)
		padv_canvas_put(canvas, top + count, frame.left + column, PADV_MARK_AXIS_X);
	padv_frame_ticks(&frame, &scale);
	if (optimal > 0.0 && optimal <= scale.high)
	{
		char		number[PADV_LABEL];
		char		text[PADV_LABEL + 16];

		draw_roles_optimum(canvas, &frame, &scale, optimal);
		padv_label_number(optimal, number, sizeof(number));
		snprintf(text, sizeof(text), "optimum %s", number);
		padv_canvas_put(canvas, top + count + 1, 0, PADV_MARK_UPRIGHT);
		padv_canvas_text(canvas, top + count + 1, 2, frame.left - 4, text);
	}
}

void
padv_chart_roles(PadvCanvas *canvas, PadvRoleBar *bars, int count, double optimal)
{
	int			rows = canvas->height - (canvas->height == PADV_CANVAS_MIN_HEIGHT ? 2 : 3);
	PadvRoleBar shown[PADV_CANVAS_MAX_HEIGHT];
	char		name[32];

	if (count <= 0)
	{
		padv_canvas_sentence(canvas, 0,
							 "No role has a session, or had an active one in the last minute.");
		return;
	}
	padv_role_bars_order(bars, count);
	if (rows >= count)
		rows = count;
	memcpy(shown, bars, (size_t) rows * sizeof(*bars));
	if (rows < count)
	{
		snprintf(name, sizeof(name), "(%d others)", count - rows + 1);
		shown[rows - 1] = padv_role_bars_sum(bars + rows - 1, count - rows + 1);
		shown[rows - 1].name = name;
	}
	draw_role_bar(canvas, shown, rows, optimal);
}
