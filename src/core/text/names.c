/*
 * names.c
 *		Names that people write in several ways.
 *
 * Pure.  Called by whatever finds a system by its name.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/text/names.h"

/* The letter in lower case, the digit, or 0; in ctype.h the locale has a say. */
static char
plain(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char) (c - 'A' + 'a');
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '\0';
}

bool
padv_same_name(const char *a, const char *b)
{
	for (;;)
	{
		while (*a != '\0' && plain(*a) == '\0')
			a++;
		while (*b != '\0' && plain(*b) == '\0')
			b++;
		if (*a == '\0' || *b == '\0')
			return *a == *b;
		if (plain(*a++) != plain(*b++))
			return false;
	}
}
