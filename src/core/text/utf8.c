/*
 * utf8.c
 *		Decoding UTF-8 from bytes that may be invalid.
 *
 * For modules that show names, which any role with CREATEROLE can choose.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <string.h>

#include "core/text/utf8.h"

/* The bytes of a character by its first one; 0 if none starts so. */
static int
sequence_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xC2 && first <= 0xDF)
		return 2;
	if (first >= 0xE0 && first <= 0xEF)
		return 3;
	return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

uint32_t
padv_utf8_next(const char **text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *bytes = (const unsigned char *) *text;
	int			length = sequence_length(bytes[0]);
	uint32_t	code = length <= 1 ? bytes[0] : bytes[0] & (0x7Fu >> length);

	for (int i = 1; i < length; i++)
	{
		/* this finds the end of the text too */
		if ((bytes[i] & 0xC0) != 0x80)
			length = 0;
		else
			code = code << 6 | (bytes[i] & 0x3F);
	}
	if (length == 0 || code < least[length])
	{
		(*text)++;
		return '?';
	}
	*text += length;
	return code;
}

void
padv_utf8_cut(char *text)
{
	size_t		length = strlen(text);
	int			more = 0;		/* bytes behind the first one of the last
								 * character */

	while (length > 0 && more < 3 && ((unsigned char) text[length - 1] & 0xC0) == 0x80)
	{
		length--;
		more++;
	}
	if (length > 0 && sequence_length((unsigned char) text[length - 1]) > more + 1)
		text[length - 1] = '\0';
}

bool
padv_codes_have(const PadvCodes *codes, int count, uint32_t code)
{
	for (int i = 0; i < count; i++)
		if (code >= codes[i].first && code <= codes[i].last)
			return true;
	return false;
}
