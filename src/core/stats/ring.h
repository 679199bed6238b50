/*
 * ring.h
 *		The containers of the window: sliding sums, keys, and sorted values.
 *
 * Pure: plain data of the caller; nothing blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_RING_H
#define PADV_RING_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A ring of buckets of the same width, each with a sum for each column.  For up to two
 * periods it keeps the totals of the newest buckets.  It uses integers only, so that no
 * rounding error accumulates.
 *
 * Times are microseconds on a clock that does not step back.  If it wraps around,
 * everything expires.
 */
#define PADV_BUCKETS 60
#define PADV_RING_TOTALS 2

typedef struct PadvRingTotal
{
	int			buckets;		/* how many of the newest, 1..PADV_BUCKETS */
	int64_t    *sums;			/* by column */
} PadvRingTotal;

typedef struct PadvRing
{
	uint64_t	bucket_us;		/* width */
	uint64_t	head;			/* number of the newest bucket since time 0 */
	int			columns;
	int			ntotals;
	int64_t    *buckets;		/* PADV_BUCKETS times columns */
	int64_t		greatest[PADV_BUCKETS]; /* of the values noted */
	PadvRingTotal totals[PADV_RING_TOTALS];
} PadvRing;

/*
 * The caller owns the arrays: `buckets` of PADV_BUCKETS * columns numbers, all 0, and the
 * `sums` of padv_ring_total, of columns numbers.
 */
extern void padv_ring_init(PadvRing *ring, uint64_t bucket_us, int columns,
						   int64_t *buckets);
extern void padv_ring_total(PadvRing *ring, int buckets, int64_t *sums);

/*
 * Advance to a time.  `live` are the columns that may have values other than 0.  Returns
 * whether a new bucket began.
 */
extern bool padv_ring_advance(PadvRing *ring, uint64_t now,
							  const uint16_t *live, int nlive);

/* Add the amounts of the live columns to the newest bucket. */
extern void padv_ring_add(PadvRing *ring, const uint16_t *live, int nlive,
						  const int64_t *amounts);

/* Note a value, 0 or more; and get the greatest one in all buckets. */
extern void padv_ring_note(PadvRing *ring, int64_t value);
extern int64_t padv_ring_greatest(const PadvRing *ring);

/*
 * A hash table from keys to a small number of entries.  Entry 0 always belongs to key_0,
 * and to all keys that find no free entry.
 */
#define PADV_KEY_ENTRIES 1024
#define PADV_KEY_BITS 11
#define PADV_KEY_CELLS (1 << PADV_KEY_BITS) /* never more than half full */

typedef struct PadvKeyCell
{
	uint32_t	key;
	uint32_t	taken;			/* entry + 1; 0 free */
} PadvKeyCell;

typedef struct PadvKeys
{
	int			limit;			/* entries that may be used */
	int			count;			/* entries in use: order[0..count-1] */
	uint16_t	order[PADV_KEY_ENTRIES];	/* used entries, then free ones */
	uint32_t	key[PADV_KEY_ENTRIES];	/* by entry */
	PadvKeyCell cells[PADV_KEY_CELLS];
} PadvKeys;

extern void padv_keys_init(PadvKeys *keys, int limit, uint32_t key_0);

/* Free the entry in order[place]; order[count] takes its place. */
extern void padv_keys_drop(PadvKeys *keys, int place);

/* The slow path of padv_keys_entry. */
extern int	padv_keys_search(PadvKeys *keys, uint32_t key);

/* Multiplicative hash: spreads sequential numbers, as of roles, evenly (Knuth 6.4). */
static inline uint32_t
padv_keys_home(uint32_t key)
{
	return (key * UINT32_C(2654435769)) >> (32 - PADV_KEY_BITS);
}

/* The entry of a key, which gets one if it has none. */
static inline int
padv_keys_entry(PadvKeys *keys, uint32_t key)
{
	const PadvKeyCell *cell = &keys->cells[padv_keys_home(key)];

	if (cell->taken != 0 && cell->key == key)
		return (int) cell->taken - 1;
	return padv_keys_search(keys, key);
}

/* The values of the last minute, at most ten a second, by time and sorted. */
#define PADV_RECENT_VALUES 600

typedef struct PadvRecent
{
	uint64_t	credit_us;		/* time passed since a value was due */
	int			first;			/* the oldest */
	int			count;
	uint64_t	time[PADV_RECENT_VALUES];
	int64_t		value[PADV_RECENT_VALUES];
	int64_t		ordered[PADV_RECENT_VALUES];
} PadvRecent;

extern void padv_recent_init(PadvRecent *recent);

/*
 * Add a value, elapsed_us after the last call; ignored if there are more than ten a
 * second.  O(values).
 */
extern void padv_recent_offer(PadvRecent *recent, uint64_t now,
							  uint64_t elapsed_us, int64_t value);

/* The percentile by nearest rank, percent in 1..100; 0 when there is no value. */
extern int64_t padv_recent_percentile(const PadvRecent *recent, int percent);

#endif							/* PADV_RING_H */
