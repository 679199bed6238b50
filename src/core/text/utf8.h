/*
 * utf8.h
 *		Characters out of bytes that may be anything.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_UTF8_H
#define PADV_UTF8_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Take a character off a text that is not at its end: its code, or a question
 * mark for a byte that belongs to none.
 */
extern uint32_t padv_utf8_next(const char **text);

typedef struct PadvCodes
{
	uint32_t	first;
	uint32_t	last;
} PadvCodes;

extern bool padv_codes_have(const PadvCodes *codes, int count, uint32_t code);

#endif							/* PADV_UTF8_H */
