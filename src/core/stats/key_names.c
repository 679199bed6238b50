/*
 * key_names.c
 *		The texts that stand for keys, in bounded memory.
 *
 * Owns which name goes when another one comes.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/key_names.h"

#include <string.h>

uint64_t
padv_key_of(const void *bytes, size_t size)
{
	const char *rest = bytes;
	uint64_t	hash = size + UINT64_C(0x9E3779B97F4A7C15);

	while (size > 0)
	{
		uint64_t	word = 0;
		size_t		part = size < sizeof(word) ? size : sizeof(word);

		memcpy(&word, rest, part);

		/* one round of MurmurHash3's finalizer for each word */
		hash = (hash ^ word) * UINT64_C(0xFF51AFD7ED558CCD);
		hash ^= hash >> 32;
		rest += part;
		size -= part;
	}
	hash *= UINT64_C(0xC4CEB9FE1A85EC53);
	hash ^= hash >> 32;
	return hash != 0 ? hash : 1;
}

/* Its number, or -1. */
static int
find_name(const PadvKeyNames *names, uint64_t key)
{
	int			first = (int) (key % PADV_NAME_SETS) * PADV_NAME_WAYS;

	for (int i = first; i < first + PADV_NAME_WAYS; i++)
		if (names->keys[i] == key)
			return i;
	return -1;
}

const char *
padv_key_name(const PadvKeyNames *names, uint64_t key)
{
	int			number = key != 0 ? find_name(names, key) : -1;

	return number >= 0 ? names->names[number] : NULL;
}

void
padv_key_names_add(PadvKeyNames *names, uint64_t key, const char name[PADV_KEY_NAME], int64_t until)
{
	int			first = (int) (key % PADV_NAME_SETS) * PADV_NAME_WAYS;
	int			place = first;

	if (key == 0 || find_name(names, key) >= 0)
		return;
	for (int i = first + 1; i < first + PADV_NAME_WAYS && names->keys[place] != 0; i++)
		if (names->keys[i] == 0 || names->until[i] < names->until[place])
			place = i;
	names->keys[place] = key;
	names->until[place] = until;
	memcpy(names->names[place], name, PADV_KEY_NAME);
	names->names[place][PADV_KEY_NAME - 1] = '\0';
}

bool
padv_key_names_need(PadvKeyNames *names, uint64_t key, int64_t until)
{
	int			number = find_name(names, key);

	if (number >= 0 && names->until[number] < until)
		names->until[number] = until;
	return number >= 0;
}
