/*
 * utf8.h
 *		Decoding UTF-8 from bytes that may be invalid.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_UTF8_H
#define PADV_UTF8_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Read the next character of a text that is not at its end, and advance: returns its code,
 * or a question mark for an invalid byte.
 */
extern uint32_t padv_utf8_next(const char **text);

/*
 * Remove the beginning of a character from the end of a text that was cut off.  Changes
 * the text in place.  In another encoding this can remove the last character.
 */
extern void padv_utf8_cut(char *text);

typedef struct PadvCodes
{
	uint32_t	first;
	uint32_t	last;
} PadvCodes;

extern bool padv_codes_have(const PadvCodes *codes, int count, uint32_t code);

#endif							/* PADV_UTF8_H */
