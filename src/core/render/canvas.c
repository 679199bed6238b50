/*
 * canvas.c
 *		A character grid for charts in a terminal.
 *
 * Owns the width of characters, which characters are printable, and the characters
 * of the marks.  The caller provides the grid.  Pure.
 *
 * Widths are those of Unicode's East_Asian_Width W and F, by whole blocks.  A
 * combining mark is counted as one column.  So a line can be shorter on the
 * terminal than computed, never longer.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <string.h>

#include "core/render/canvas.h"
#include "core/text/utf8.h"

/* The second cell of a character that takes two columns. */
#define SECOND_HALF UINT32_MAX

/*
 * Characters that are not printed: controls, line separators, characters of zero
 * width, characters that change the writing direction, surrogates, private use, and
 * noncharacters.
 */
static const PadvCodes unprintable[] = {
	{0x0000, 0x001F}, {0x007F, 0x009F}, {0x00AD, 0x00AD}, {0x034F, 0x034F},
	{0x061C, 0x061C}, {0x115F, 0x1160}, {0x17B4, 0x17B5}, {0x180B, 0x180F},
	{0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164},
	{0xD800, 0xDFFF}, {0xE000, 0xF8FF}, {0xFDD0, 0xFDEF}, {0xFE00, 0xFE0F},
	{0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0xFFFE, 0xFFFF},
	{0x3FFFE, UINT32_MAX},
};

/*
 * Wide characters, by whole blocks.  Some characters of these blocks are narrow; no
 * other character is wide.
 */
static const PadvCodes wide[] = {
	{0x1100, 0x115F}, {0x231A, 0x231B}, {0x2329, 0x232A}, {0x23E9, 0x23F3},
	{0x25FD, 0x25FE}, {0x2614, 0x27BF}, {0x2B1B, 0x2B1C}, {0x2B50, 0x2B55},
	{0x2E80, 0x303E}, {0x3041, 0xA4CF}, {0xA960, 0xA97F}, {0xAC00, 0xD7A3},
	{0xF900, 0xFAFF}, {0xFE10, 0xFE6F}, {0xFF01, 0xFF60}, {0xFFE0, 0xFFE6},
	{0x16FE0, 0x18DFF}, {0x1AFF0, 0x1B2FF}, {0x1D300, 0x1D37F},
	{0x1F000, 0x1FAFF}, {0x20000, 0x3FFFD},
};

/* The characters of each mark: Unicode, ASCII. */
static const uint32_t marks[][2] = {
	[PADV_MARK_BLANK] = {' ', ' '},
	[PADV_MARK_BAR] = {0x2588, '#'},
	[PADV_MARK_BAR_CROSSED] = {0x2592, '='},
	[PADV_MARK_SHADE_3] = {0x2593, '%'},
	[PADV_MARK_SHADE_2] = {0x2592, '='},
	[PADV_MARK_SHADE_1] = {0x2591, ':'},
	[PADV_MARK_DOT] = {0x00B7, '.'},
	[PADV_MARK_POINT] = {0x25CF, 'o'},
	[PADV_MARK_BEYOND] = {'^', '^'},
	[PADV_MARK_LINE] = {0x2500, '-'},
	[PADV_MARK_LINE_END] = {'<', '<'},
	[PADV_MARK_UPRIGHT] = {0x2502, '|'},
	[PADV_MARK_AXIS_Y] = {0x2502, '|'},
	[PADV_MARK_TICK_Y] = {0x2524, '+'},
	[PADV_MARK_ORIGIN] = {0x2514, '+'},
	[PADV_MARK_AXIS_X] = {0x2500, '-'},
	[PADV_MARK_TICK_X] = {0x252C, '+'},
	[PADV_MARK_RANGE_X] = {0x2550, '='},
};

#define LENGTH(array) ((int) (sizeof(array) / sizeof((array)[0])))

static uint32_t
next_printable(const PadvCanvas *canvas, const char **text)
{
	uint32_t	code = padv_utf8_next(text);

	if (padv_codes_have(unprintable, LENGTH(unprintable), code) || (code >= 0x80 && !canvas->unicode))
		return '?';
	return code;
}

static int
width_of(uint32_t code)
{
	return padv_codes_have(wide, LENGTH(wide), code) ? 2 : 1;
}

static bool
is_inside(const PadvCanvas *canvas, int row, int column)
{
	return row >= 0 && row < canvas->height && column >= 0 && column < canvas->width;
}

static void
put_code(PadvCanvas *canvas, int row, int column, uint32_t code)
{
	if (is_inside(canvas, row, column))
		canvas->cells[row][column] = code;
}

static int
clamp(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

void
padv_canvas_init(PadvCanvas *canvas, int width, int height, bool unicode)
{
	canvas->width = clamp(width, PADV_CANVAS_MIN_WIDTH, PADV_CANVAS_MAX_WIDTH);
	canvas->height = clamp(height, PADV_CANVAS_MIN_HEIGHT, PADV_CANVAS_MAX_HEIGHT);
	canvas->unicode = unicode;
	for (int row = 0; row < canvas->height; row++)
		for (int column = 0; column < canvas->width; column++)
			canvas->cells[row][column] = ' ';
}

void
padv_canvas_put(PadvCanvas *canvas, int row, int column, PadvMark mark)
{
	put_code(canvas, row, column, marks[mark][canvas->unicode ? 0 : 1]);
}

bool
padv_canvas_is(const PadvCanvas *canvas, int row, int column, PadvMark mark)
{
	return is_inside(canvas, row, column) &&
		canvas->cells[row][column] == marks[mark][canvas->unicode ? 0 : 1];
}

/* A share above 0 shows at least the smallest character. */
void
padv_canvas_put_column_end(PadvCanvas *canvas, int row, int column, double share)
{
	int			eighths = clamp((int) (share * 8.0 + 0.5), 1, 8);

	if (canvas->unicode)
		put_code(canvas, row, column, 0x2580 + (uint32_t) eighths);
	else
		put_code(canvas, row, column, eighths > 5 ? '#' : eighths > 2 ? ':' : '_');
}

void
padv_canvas_put_row_end(PadvCanvas *canvas, int row, int column, double share)
{
	int			eighths = clamp((int) (share * 8.0 + 0.5), 1, 8);

	if (canvas->unicode)
		put_code(canvas, row, column, 0x2590 - (uint32_t) eighths);
	else
		put_code(canvas, row, column, eighths > 3 ? '#' : ':');
}

int
padv_canvas_text_width(const PadvCanvas *canvas, const char *text)
{
	int			width = 0;

	while (*text != '\0')
		width += width_of(next_printable(canvas, &text));
	return width;
}

/* Write as many whole characters as fit, and return the number of columns. */
static int
put_text(PadvCanvas *canvas, int row, int column, int columns, const char *text)
{
	int			used = 0;

	while (*text != '\0')
	{
		uint32_t	code = next_printable(canvas, &text);
		int			width = width_of(code);

		if (used + width > columns)
			break;
		put_code(canvas, row, column + used, code);
		if (width == 2)
			put_code(canvas, row, column + used + 1, SECOND_HALF);
		used += width;
	}
	return used;
}

int
padv_canvas_text(PadvCanvas *canvas, int row, int column, int columns, const char *text)
{
	const char *ellipsis = canvas->unicode ? "\xE2\x80\xA6" : columns > 6 ? "..." : ".";
	int			used;

	if (columns > canvas->width - column)
		columns = canvas->width - column;
	if (padv_canvas_text_width(canvas, text) <= columns)
		return put_text(canvas, row, column, columns, text);
	used = put_text(canvas, row, column, columns - padv_canvas_text_width(canvas, ellipsis), text);
	return used + put_text(canvas, row, column + used, columns - used, ellipsis);
}

void
padv_canvas_sentence(PadvCanvas *canvas, int row, const char *text)
{
	char		word[PADV_CANVAS_MAX_WIDTH + 1];
	int			column = 0;

	while (*text != '\0')
	{
		size_t		length = strcspn(text, " ");
		size_t		kept = length < sizeof(word) ? length : sizeof(word) - 1;
		int			width;

		memcpy(word, text, kept);
		word[kept] = '\0';
		width = padv_canvas_text_width(canvas, word);
		if (column > 0 && column + 1 + width > canvas->width)
		{
			row++;
			column = 0;
		}
		if (column > 0)
			column++;
		column += padv_canvas_text(canvas, row, column, canvas->width - column, word);
		text += length;
		text += strspn(text, " ");
	}
}

/* The number of cells up to the last one that is not blank. */
static int
used_columns(const PadvCanvas *canvas, int row)
{
	int			columns = canvas->width;

	while (columns > 0 && canvas->cells[row][columns - 1] == ' ')
		columns--;
	return columns;
}

int
padv_canvas_rows(const PadvCanvas *canvas)
{
	int			rows = canvas->height;

	while (rows > 0 && used_columns(canvas, rows - 1) == 0)
		rows--;
	return rows;
}

static char *
write_code(char *out, uint32_t code)
{
	if (code < 0x80)
		*out++ = (char) code;
	else if (code < 0x800)
	{
		*out++ = (char) (0xC0 | code >> 6);
		*out++ = (char) (0x80 | (code & 0x3F));
	}
	else
	{
		if (code < 0x10000)
			*out++ = (char) (0xE0 | code >> 12);
		else
		{
			*out++ = (char) (0xF0 | code >> 18);
			*out++ = (char) (0x80 | (code >> 12 & 0x3F));
		}
		*out++ = (char) (0x80 | (code >> 6 & 0x3F));
		*out++ = (char) (0x80 | (code & 0x3F));
	}
	return out;
}

void
padv_canvas_line(const PadvCanvas *canvas, int row, char *out)
{
	int			columns = row >= 0 && row < canvas->height ? used_columns(canvas, row) : 0;

	for (int column = 0; column < columns; column++)
		if (canvas->cells[row][column] != SECOND_HALF)
			out = write_code(out, canvas->cells[row][column]);
	*out = '\0';
}
