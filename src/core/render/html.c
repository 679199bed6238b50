/*
 * html.c
 *		HTML output, piece by piece.
 *
 * Owns the escaping of text.  Allocates nothing; the caller collects the pieces.
 * Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/render/html.h"
#include "core/text/utf8.h"

/* A larger number is not a coordinate. */
#define FURTHEST 1e6

/*
 * Characters that are replaced: controls except tab and newline, invisible
 * characters, characters that change the writing direction, surrogates, and
 * noncharacters.
 */
static const PadvCodes forbidden[] = {
	{0x0000, 0x0008}, {0x000B, 0x001F}, {0x007F, 0x009F}, {0x00AD, 0x00AD},
	{0x061C, 0x061C}, {0x180E, 0x180E}, {0x200B, 0x200B}, {0x200E, 0x200F},
	{0x2028, 0x202E}, {0x2060, 0x206F}, {0xD800, 0xDFFF}, {0xFDD0, 0xFDEF},
	{0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFB}, {0xFFFE, 0xFFFF}, {0xE0000, 0xE0FFF},
	{0x10FFFE, UINT32_MAX},
};

#define LENGTH(array) ((int) (sizeof(array) / sizeof((array)[0])))

/* The size of an escaped character. */
#define CHARACTER 16

void
padv_html_markup(const PadvHtml *html, const char *markup)
{
	html->emit(html->arg, markup);
}

void
padv_html_format(const PadvHtml *html, const char *format, ...)
{
	char		piece[PADV_HTML_PIECE];
	va_list		args;

	va_start(args, format);
	vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	html->emit(html->arg, piece);
}

/* Includes the last two code points of each plane, which are noncharacters. */
static bool
is_forbidden(uint32_t code)
{
	return (code & 0xFFFE) == 0xFFFE || padv_codes_have(forbidden, LENGTH(forbidden), code);
}

/* Escape a character, and return the length. */
static size_t
write_character(char out[CHARACTER], uint32_t code)
{
	const char *entity = code == '&' ? "&amp;" : code == '<' ? "&lt;" : code == '>' ? "&gt;" :
		code == '"' ? "&quot;" : code == '\'' ? "&#39;" : NULL;

	if (entity)
		return (size_t) snprintf(out, CHARACTER, "%s", entity);
	if (code >= 0x80)
		return (size_t) snprintf(out, CHARACTER, "&#%u;", (unsigned int) code);
	out[0] = (char) code;
	return 1;
}

void
padv_html_text(const PadvHtml *html, const char *text)
{
	char		piece[256];
	size_t		used = 0;

	while (*text != '\0')
	{
		uint32_t	code = padv_utf8_next(&text);

		if (used + CHARACTER >= sizeof(piece))
		{
			piece[used] = '\0';
			html->emit(html->arg, piece);
			used = 0;
		}
		used += write_character(piece + used, is_forbidden(code) ? '?' : code);
	}
	piece[used] = '\0';
	if (used > 0)
		html->emit(html->arg, piece);
}

void
padv_html_text_format(const PadvHtml *html, const char *format, ...)
{
	char		sentence[PADV_HTML_SENTENCE];
	va_list		args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	padv_html_text(html, sentence);
}

void
padv_html_number(const PadvHtml *html, double number)
{
	char		text[32];
	size_t		length;

	if (!(fabs(number) < FURTHEST))
		number = 0.0;
	length = (size_t) snprintf(text, sizeof(text), "%.1f", number);
	if (text[length - 1] == '0')
		text[length - 2] = '\0';
	html->emit(html->arg, strcmp(text, "-0") == 0 ? "0" : text);
}
