/*
 * fuzz.h
 *		What the fuzz targets share.
 *
 * One target includes it once.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_FUZZ_H
#define PADV_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libFuzzer keeps the input of a run that aborts. */
#define must(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "%s:%d: must be true: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* The input as a tape of numbers; after its end come zeros. */
typedef struct Tape
{
	const uint8_t *at;
	size_t		left;
} Tape;

static inline uint8_t
take_byte(Tape *tape)
{
	if (tape->left == 0)
		return 0;
	tape->left--;
	return *tape->at++;
}

static inline uint64_t
take_bits(Tape *tape, int bytes)
{
	uint64_t	bits = 0;

	for (int i = 0; i < bytes; i++)
		bits = bits << 8 | take_byte(tape);
	return bits;
}

/* Any at all: infinite, not a number. */
static inline double
take_double(Tape *tape)
{
	uint64_t	bits = take_bits(tape, 8);
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

#endif							/* PADV_FUZZ_H */
