/*
 * tally.c
 *		Sums by key, of the keys that have most, in bounded memory.
 *
 * Owns which keys are forgotten when more come than there is room for.  Pure: no clock, no
 * globals, no allocation.
 *
 * The rank of a key is a counter of Misra and Gries ("Finding repeated elements", 1982): when
 * the tally is full, the largest rank beyond the first PADV_TALLY_KEPT is subtracted from all,
 * and what is left with nothing is forgotten.  So a key that comes again and again cannot be
 * forgotten again and again: others lose rank meanwhile.  Each subtraction of d takes d from
 * more than PADV_TALLY_KEPT keys, so all of them together, `lost`, are at most the sum of all
 * amounts / (PADV_TALLY_KEPT + 1).  That is the most that the sums of a key can lack, and it
 * stays so when tallies are merged (Agarwal et al., "Mergeable summaries", 2012).
 *
 * Sums are exact where no more than PADV_TALLY_KEYS keys come, up to the rounding of float.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/tally.h"

#include <string.h>

#if PADV_TALLY_KEYS > 65535 || 2 * PADV_TALLY_KEYS > PADV_TALLY_CELLS
#error "the cells must hold the number of each entry, and be half empty"
#endif

void
padv_tally_clear(PadvTally *tally)
{
	if (tally->count == 0)
		return;
	memset(tally->cells, 0, sizeof(tally->cells));
	tally->count = 0;
	tally->lost = 0.0f;
}

/* Where a key is, or would be. */
static int
find_cell(const PadvTally *tally, uint64_t key)
{
	int			cell = padv_tally_home(key);

	while (tally->cells[cell] != 0 && tally->entries[tally->cells[cell] - 1].key != key)
		cell = (cell + 1) % PADV_TALLY_CELLS;
	return cell;
}

/* Reorders the values until that many are not less than the one after them, which it returns. */
static float
next_largest(float *values, int count, int before)
{
	int			low = 0;
	int			high = count - 1;

	while (low < high)
	{
		float		pivot = values[low + (high - low) / 2];
		int			i = low;
		int			j = high;

		while (i <= j)
		{
			while (values[i] > pivot)
				i++;
			while (values[j] < pivot)
				j--;
			if (i <= j)
			{
				float		value = values[i];

				values[i++] = values[j];
				values[j--] = value;
			}
		}
		if (before <= j)
			high = j;
		else if (before >= i)
			low = i;
		else
			break;
	}
	return values[before];
}

/* The rank of the entry after the first `before` ones; there are more than these. */
static float
rank_after(const PadvTally *tally, int before)
{
	float		ranks[PADV_TALLY_KEYS];

	for (int i = 0; i < tally->count; i++)
		ranks[i] = tally->entries[i].rank;
	return next_largest(ranks, tally->count, before);
}

/* Make room. */
static void
prune(PadvTally *tally)
{
	float		rank = rank_after(tally, PADV_TALLY_KEPT);
	int			count = 0;

	memset(tally->cells, 0, sizeof(tally->cells));
	for (int i = 0; i < tally->count; i++)
	{
		if (!(tally->entries[i].rank > rank))
			continue;
		tally->entries[count] = tally->entries[i];
		tally->entries[count].rank -= rank;
		tally->cells[find_cell(tally, tally->entries[count].key)] = (uint16_t) (count + 1);
		count++;
	}
	tally->count = count;
	tally->lost += rank;
}

PadvTallyEntry *
padv_tally_search(PadvTally *tally, uint64_t key)
{
	int			cell = find_cell(tally, key);

	if (tally->cells[cell] == 0)
	{
		if (tally->count == PADV_TALLY_KEYS)
		{
			prune(tally);
			cell = find_cell(tally, key);
		}
		tally->entries[tally->count] = (PadvTallyEntry) {.key = key};
		tally->cells[cell] = (uint16_t) ++tally->count;
	}
	return &tally->entries[tally->cells[cell] - 1];
}

void
padv_tally_merge(PadvTally *tally, const PadvTally *other)
{
	for (int i = 0; i < other->count; i++)
	{
		const PadvTallyEntry *from = &other->entries[i];
		PadvTallyEntry *to = padv_tally_entry(tally, from->key);

		to->rank += from->rank;
		for (int sum = 0; sum < PADV_TALLY_SUMS; sum++)
			to->sums[sum] += from->sums[sum];
	}
	tally->lost += other->lost;
}

int
padv_tally_top(const PadvTally *tally, int most, PadvTallyEntry *entries)
{
	float		rank;
	int			count = 0;

	if (tally->count <= most)
	{
		memcpy(entries, tally->entries, (size_t) tally->count * sizeof(PadvTallyEntry));
		return tally->count;
	}
	rank = rank_after(tally, most);
	for (int i = 0; i < tally->count; i++)
		if (tally->entries[i].rank > rank)
			entries[count++] = tally->entries[i];

	/* of those that are as high as the first one beyond, any will do */
	for (int i = 0; i < tally->count && count < most; i++)
		if (tally->entries[i].rank == rank)
			entries[count++] = tally->entries[i];
	return count;
}
