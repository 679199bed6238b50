/*
 * canvas.h
 *		A character grid for charts in a terminal.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_CANVAS_H
#define PADV_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PADV_CANVAS_MIN_WIDTH 40
#define PADV_CANVAS_MAX_WIDTH 400
#define PADV_CANVAS_MIN_HEIGHT 5
#define PADV_CANVAS_MAX_HEIGHT 100

/* The size of a line in UTF-8, with its terminating NUL. */
#define PADV_CANVAS_LINE (4 * PADV_CANVAS_MAX_WIDTH + 1)

/*
 * The grid.  Row 0 is the top row.  A cell is one column of the terminal; a wide
 * character takes two cells.
 */
typedef struct PadvCanvas
{
	int			width;
	int			height;
	bool		unicode;		/* false: ASCII only */
	uint32_t	cells[PADV_CANVAS_MAX_HEIGHT][PADV_CANVAS_MAX_WIDTH];
} PadvCanvas;

/* The marks of a chart.  Each has a Unicode and an ASCII character. */
typedef enum PadvMark
{
	PADV_MARK_BLANK,
	PADV_MARK_BAR,
	PADV_MARK_BAR_CROSSED,		/* a bar that the line of the optimum crosses */
	PADV_MARK_SHADE_3,			/* more fills, from dense to light */
	PADV_MARK_SHADE_2,
	PADV_MARK_SHADE_1,
	PADV_MARK_DOT,
	PADV_MARK_POINT,
	PADV_MARK_BEYOND,			/* above the upper end of the scale */
	PADV_MARK_LINE,				/* a horizontal line, and its end */
	PADV_MARK_LINE_END,
	PADV_MARK_UPRIGHT,			/* a vertical line */
	PADV_MARK_AXIS_Y,
	PADV_MARK_TICK_Y,
	PADV_MARK_ORIGIN,
	PADV_MARK_AXIS_X,
	PADV_MARK_TICK_X,
	PADV_MARK_RANGE_X,			/* a part of the horizontal axis */
} PadvMark;

/* Clear the canvas.  Width and height are limited to the supported range. */
extern void padv_canvas_init(PadvCanvas *canvas, int width, int height, bool unicode);

/* Put a mark into a cell.  Here and below, cells outside of the canvas are ignored. */
extern void padv_canvas_put(PadvCanvas *canvas, int row, int column, PadvMark mark);
extern bool padv_canvas_is(const PadvCanvas *canvas, int row, int column, PadvMark mark);

/*
 * Put the last character of a vertical or horizontal bar, filled to the given share
 * (0..1).
 */
extern void padv_canvas_put_column_end(PadvCanvas *canvas, int row, int column, double share);
extern void padv_canvas_put_row_end(PadvCanvas *canvas, int row, int column, double share);

/*
 * Write UTF-8 text into at most this many columns; longer text is truncated with an
 * ellipsis.  Unprintable characters become question marks, as do non-ASCII
 * characters on an ASCII canvas.  Returns the number of columns used.
 */
extern int	padv_canvas_text(PadvCanvas *canvas, int row, int column, int columns,
							 const char *text);

/* The number of columns that the text needs. */
extern int	padv_canvas_text_width(const PadvCanvas *canvas, const char *text);

/* Write a paragraph with line breaks between words, from this row on. */
extern void padv_canvas_sentence(PadvCanvas *canvas, int row, const char *text);

/* The number of rows up to the last row that is not empty. */
extern int	padv_canvas_rows(const PadvCanvas *canvas);

/* Copy a row as UTF-8 without trailing blanks.  out has PADV_CANVAS_LINE bytes. */
extern void padv_canvas_line(const PadvCanvas *canvas, int row, char *out);

#endif							/* PADV_CANVAS_H */
