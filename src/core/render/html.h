/*
 * html.h
 *		HTML output, piece by piece.
 *
 * The output is ASCII, so it does not depend on the encoding of database and
 * client.  It is valid as XML, too.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_HTML_H
#define PADV_HTML_H

#include <stdint.h>

/* The receiver of the output.  A piece is valid only during the call of emit. */
typedef struct PadvHtml
{
	void		(*emit) (void *arg, const char *piece);
	void	   *arg;
} PadvHtml;

/* Emit markup.  It must be a literal of this program, never data. */
extern void padv_html_markup(const PadvHtml *html, const char *markup);

/*
 * Emit formatted markup of at most PADV_HTML_PIECE bytes.  The arguments must be
 * integers and literals of this program.
 */
#define PADV_HTML_PIECE 400
extern void padv_html_format(const PadvHtml *html, const char *format, ...)
			__attribute__((format(printf, 2, 3)));

/*
 * Emit UTF-8 text from any source, escaped for elements and for attributes.
 * Characters that are not allowed, and those that hide or reverse their neighbours,
 * become question marks.
 */
extern void padv_html_text(const PadvHtml *html, const char *text);

/* Emit formatted text of at most PADV_HTML_SENTENCE bytes, escaped likewise. */
#define PADV_HTML_SENTENCE 1400
extern void padv_html_text_format(const PadvHtml *html, const char *format, ...)
			__attribute__((format(printf, 2, 3)));

/*
 * Emit a coordinate with at most one decimal: 12, 0.5, -3.  A number that is not
 * finite or too large for a chart becomes 0.
 */
extern void padv_html_number(const PadvHtml *html, double number);

#endif							/* PADV_HTML_H */
