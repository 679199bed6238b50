/*
 * names.c
 *		Names that people write in several ways.
 *
 * Pure.  Called by whatever finds a system by its name.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <ctype.h>

#include "core/names.h"

bool
padv_same_name(const char *a, const char *b)
{
	for (;;)
	{
		while (*a != '\0' && !isalnum((unsigned char) *a))
			a++;
		while (*b != '\0' && !isalnum((unsigned char) *b))
			b++;
		if (*a == '\0' || *b == '\0')
			return *a == *b;
		if (tolower((unsigned char) *a++) != tolower((unsigned char) *b++))
			return false;
	}
}
