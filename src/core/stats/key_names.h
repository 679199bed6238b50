/*
 * key_names.h
 *		The texts that stand for keys, in bounded memory.
 *
 * Pure: plain data of the caller; nothing blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_KEY_NAMES_H
#define PADV_KEY_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a name, with its NUL; it is padded with NULs. */
#define PADV_KEY_NAME 64

/* A key has its place in one set. */
#define PADV_NAME_SETS 256
#define PADV_NAME_WAYS 16
#define PADV_NAMES (PADV_NAME_SETS * PADV_NAME_WAYS)

/* All zeroes is an empty table. */
typedef struct PadvKeyNames
{
	uint64_t	keys[PADV_NAMES];	/* 0: free */
	int64_t		until[PADV_NAMES];	/* the second up to which it is needed */
	char		names[PADV_NAMES][PADV_KEY_NAME];
} PadvKeyNames;

/*
 * The key of some bytes, other than 0.  Two names have the same key with a probability of
 * 2^-64; they are counted as one then.
 */
extern uint64_t padv_key_of(const void *bytes, size_t size);

/* The name of a key, or NULL. */
extern const char *padv_key_name(const PadvKeyNames *names, uint64_t key);

/*
 * Add a name that is needed up to that second.  It takes the place of the one in its set that
 * is needed for the shortest time.
 */
extern void padv_key_names_add(PadvKeyNames *names, uint64_t key, const char name[PADV_KEY_NAME],
							   int64_t until);

/* Note that a name is needed for longer; false when it is not there. */
extern bool padv_key_names_need(PadvKeyNames *names, uint64_t key, int64_t until);

#endif							/* PADV_KEY_NAMES_H */
