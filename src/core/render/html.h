/*
 * html.h
 *		Text and markup for a page, emitted piece by piece.
 *
 * The page is ASCII whatever names are in it, so that it reads the same in every
 * encoding that a database or a client may have; and it is XML as well as HTML.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_HTML_H
#define PADV_HTML_H

#include <stdint.h>

/* A piece is valid while emit runs. */
typedef struct PadvHtml
{
	void		(*emit) (void *arg, const char *piece);
	void	   *arg;
} PadvHtml;

/* Markup; a literal of ours, never anything that was read. */
extern void padv_html_markup(const PadvHtml *html, const char *markup);

/*
 * Markup with numbers in it, up to PADV_HTML_PIECE bytes; the arguments are
 * integers and literals of ours only.
 */
#define PADV_HTML_PIECE 400
extern void padv_html_format(const PadvHtml *html, const char *format, ...)
			__attribute__((format(printf, 2, 3)));

/*
 * Text in UTF-8 from any source: nothing in it becomes markup, neither in an element nor
 * in an attribute.  Characters that a page must not have, and those that hide or reverse
 * their neighbours, become question marks.
 */
extern void padv_html_text(const PadvHtml *html, const char *text);

/* Text with numbers, and texts, in it; up to PADV_HTML_SENTENCE bytes. */
#define PADV_HTML_SENTENCE 1400
extern void padv_html_say(const PadvHtml *html, const char *format, ...)
			__attribute__((format(printf, 2, 3)));

/*
 * A number for geometry, with one decimal at most: 12, 0.5, -3.  What is not
 * finite, or further from 0 than any drawing, is 0.
 */
extern void padv_html_number(const PadvHtml *html, double number);

#endif							/* PADV_HTML_H */
