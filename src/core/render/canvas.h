/*
 * canvas.h
 *		A grid of characters to draw on, for a terminal.
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

/* Room for any line, in UTF-8 and with the zero at the end. */
#define PADV_CANVAS_LINE (4 * PADV_CANVAS_MAX_WIDTH + 1)

/*
 * Row 0 is the topmost.  A cell is a column of the terminal; a character that
 * takes two columns has two cells.
 */
typedef struct PadvCanvas
{
	int			width;
	int			height;
	bool		unicode;		/* else ASCII only */
	uint32_t	cells[PADV_CANVAS_MAX_HEIGHT][PADV_CANVAS_MAX_WIDTH];
} PadvCanvas;

/* What is drawn with; each has a character in Unicode and one in ASCII. */
typedef enum PadvMark
{
	PADV_MARK_BLANK,
	PADV_MARK_BAR,
	PADV_MARK_BAR_CROSSED,		/* a bar where a line goes through it */
	PADV_MARK_SHADE_3,			/* further fills, the densest first */
	PADV_MARK_SHADE_2,
	PADV_MARK_SHADE_1,
	PADV_MARK_DOT,
	PADV_MARK_POINT,
	PADV_MARK_BEYOND,			/* off the top of the scale */
	PADV_MARK_LINE,				/* a horizontal line, and where it ends */
	PADV_MARK_LINE_END,
	PADV_MARK_UPRIGHT,			/* a vertical line */
	PADV_MARK_AXIS_Y,
	PADV_MARK_TICK_Y,
	PADV_MARK_ORIGIN,
	PADV_MARK_AXIS_X,
	PADV_MARK_TICK_X,
	PADV_MARK_RANGE_X,			/* a part of the horizontal axis */
} PadvMark;

/* Make it blank.  Sizes out of bounds are brought into them. */
extern void padv_canvas_init(PadvCanvas *canvas, int width, int height, bool unicode);

/* What is outside the canvas is left out, here and below. */
extern void padv_canvas_put(PadvCanvas *canvas, int row, int column, PadvMark mark);
extern bool padv_canvas_is(const PadvCanvas *canvas, int row, int column, PadvMark mark);

/* The end of a column, or of a row, that is filled for the share 0..1 only. */
extern void padv_canvas_put_column_end(PadvCanvas *canvas, int row, int column, double share);
extern void padv_canvas_put_row_end(PadvCanvas *canvas, int row, int column, double share);

/*
 * Write UTF-8 in at most so many columns, cut with an ellipsis.  What cannot be
 * printed, and in ASCII what is not ASCII, becomes a question mark.  Returns the
 * columns used.
 */
extern int	padv_canvas_text(PadvCanvas *canvas, int row, int column, int columns,
							 const char *text);

/* The columns that it would use, were there room. */
extern int	padv_canvas_text_width(const PadvCanvas *canvas, const char *text);

/* Write sentences from a row on, broken between words. */
extern void padv_canvas_sentence(PadvCanvas *canvas, int row, const char *text);

/* Rows up to the last one with something in it. */
extern int	padv_canvas_rows(const PadvCanvas *canvas);

/* A row in UTF-8 without blanks at its end; out has PADV_CANVAS_LINE bytes. */
extern void padv_canvas_line(const PadvCanvas *canvas, int row, char *out);

#endif							/* PADV_CANVAS_H */
