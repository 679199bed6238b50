/*
 * encoding.h
 *		Making names valid in the client's encoding.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ENCODING_H
#define PADV_ENCODING_H

/*
 * Replace each invalid byte of a name by a question mark, and each character that UTF-8 or
 * the client's encoding does not have.  Changes the name in place and returns it; NULL
 * stays NULL.
 */
extern char *padv_clean_name(char *name);

/*
 * A text with names in it that can be sent: the text itself if it is ASCII, or a copy in
 * the current memory context, as above.
 */
extern const char *padv_clean_text(const char *text);

/*
 * Replace each character of a text in one encoding by a question mark that the other one
 * does not have.  Changes the text in place; false when nothing can be converted.
 */
extern bool padv_mark_unconvertible(char *text, int from, int to);

#endif							/* PADV_ENCODING_H */
