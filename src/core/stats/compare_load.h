/*
 * compare_load.h
 *		Whose load changed between two periods, and whether that is more than noise.
 *
 * Pure: plain data of the caller; nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_COMPARE_LOAD_H
#define PADV_COMPARE_LOAD_H

#include "core/stats/compare.h"
#include "core/stats/load_by.h"

/* The most rows that are written. */
#define PADV_COMPARED_KEYS 20

/* The most keys of a dimension that are looked at. */
#define PADV_COMPARE_KEYS_MAX (2 * PADV_LOAD_ROWS)

/* The intervals of a period, all of one length and in order. */
typedef struct PadvLoadSpan
{
	int			count;			/* at most PADV_LOAD_MOST_SLOTS */
	const PadvLoadSlot *slots;
} PadvLoadSpan;

/* The keys of a dimension that had a part of the load of one of the periods. */
typedef struct PadvLoadKeys
{
	int			count;
	uint64_t	keys[PADV_COMPARE_KEYS_MAX];
} PadvLoadKeys;

/* Add a key, unless it is there or there is no room. */
extern void padv_load_keys_add(PadvLoadKeys *keys, uint64_t key);

/*
 * Compare the load and the blame of each key.  Writes the rows in which a part of all
 * sessions worth a look has changed, the largest PADV_COMPARED_KEYS of them in the order of
 * padv_compare_sort, and returns their number.
 *
 * With no change between the periods, at most 5 in 100 calls have a row that is called real.
 */
extern int	padv_compare_load(const PadvLoadSpan *before, const PadvLoadSpan *after,
							  const PadvLoadKeys keys[PADV_DIMENSIONS],
							  PadvComparison rows[PADV_COMPARED_KEYS]);

#endif							/* PADV_COMPARE_LOAD_H */
