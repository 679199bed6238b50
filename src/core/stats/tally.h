/*
 * tally.h
 *		Sums by key, of the keys that have most, in bounded memory.
 *
 * Pure: plain data of the caller; nothing blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_TALLY_H
#define PADV_TALLY_H

#include "core/stats/sample.h"

/* What is summed up: active sessions by wait class, and the blame. */
#define PADV_BLAME PADV_WAIT_CLASSES
#define PADV_TALLY_SUMS (PADV_BLAME + 1)

/*
 * A tally has room for PADV_TALLY_KEYS keys.  When it is full it keeps PADV_TALLY_KEPT of them
 * at most, and forgets the others.
 */
#define PADV_TALLY_KEYS 1024
#define PADV_TALLY_KEPT 512
#define PADV_TALLY_BITS 11
#define PADV_TALLY_CELLS (1 << PADV_TALLY_BITS) /* never more than half full */

typedef struct PadvTallyEntry
{
	uint64_t	key;
	float		rank;			/* decides which keys are kept */
	float		sums[PADV_TALLY_SUMS];	/* since the key came in last */
} PadvTallyEntry;

/* All zeroes is an empty tally. */
typedef struct PadvTally
{
	int32_t		count;
	float		lost;			/* the most that a key can have lost */
	uint16_t	cells[PADV_TALLY_CELLS];	/* entry + 1; 0 free */
	PadvTallyEntry entries[PADV_TALLY_KEYS];
} PadvTally;

/* Forget everything; O(keys). */
extern void padv_tally_clear(PadvTally *tally);

/* The slow path of padv_tally_entry. */
extern PadvTallyEntry *padv_tally_search(PadvTally *tally, uint64_t key);

/* Multiplicative hash (Knuth 6.4). */
static inline int
padv_tally_home(uint64_t key)
{
	return (int) ((key * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - PADV_TALLY_BITS));
}

/* The entry of a key, which gets one if it has none; valid until the next call. */
static inline PadvTallyEntry *
padv_tally_entry(PadvTally *tally, uint64_t key)
{
	uint16_t	taken = tally->cells[padv_tally_home(key)];

	if (taken != 0 && tally->entries[taken - 1].key == key)
		return &tally->entries[taken - 1];
	return padv_tally_search(tally, key);
}

/* Add to one of the sums of a key, 0 or more. */
static inline void
padv_tally_add(PadvTally *tally, uint64_t key, int sum, float amount)
{
	PadvTallyEntry *entry = padv_tally_entry(tally, key);

	entry->sums[sum] += amount;
	entry->rank += amount;
}

/* Add one tally to another. */
extern void padv_tally_merge(PadvTally *tally, const PadvTally *other);

/*
 * Copy the entries of highest rank, at most `most` of them, in no order; returns their
 * number.
 */
extern int	padv_tally_top(const PadvTally *tally, int most, PadvTallyEntry *entries);

#endif							/* PADV_TALLY_H */
