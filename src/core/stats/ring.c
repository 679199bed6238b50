/*
 * ring.c
 *		The window's containers: sliding sums, keys, and values in order.
 *
 * Owns how things are kept and let go, not what they mean.  Pure: no clock of
 * its own, no allocation, and nothing takes longer because a gap was long.
 * window.c is the only caller.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/ring.h"

#include <stddef.h>
#include <string.h>

/* A value is kept this long, and the next one is due so much later. */
#define RECENT_AGE_US 60000000
#define RECENT_INTERVAL_US (RECENT_AGE_US / PADV_RECENT_VALUES)

void
padv_ring_init(PadvRing *ring, uint64_t bucket_us, int columns,
			   int64_t *buckets)
{
	memset(ring, 0, sizeof(*ring));
	ring->bucket_us = bucket_us;
	ring->columns = columns;
	ring->buckets = buckets;
}

void
padv_ring_total(PadvRing *ring, int buckets, int64_t *sums)
{
	ring->totals[ring->ntotals].buckets = buckets;
	ring->totals[ring->ntotals].sums = sums;
	ring->ntotals++;
}

/* The sums of the bucket that began so many buckets before the newest. */
static int64_t *
bucket_back(const PadvRing *ring, int back)
{
	int			newest = (int) (ring->head % PADV_BUCKETS);
	int			place = (newest + PADV_BUCKETS - back) % PADV_BUCKETS;

	return ring->buckets + (ptrdiff_t) place * ring->columns;
}

/* Take what is too old by now out of the totals, and empty the new bucket. */
static void
begin_bucket(PadvRing *ring, const uint16_t *live, int nlive)
{
	int64_t    *newest = bucket_back(ring, 0);

	for (int t = 0; t < ring->ntotals; t++)
	{
		const PadvRingTotal *total = &ring->totals[t];
		const int64_t *expired = bucket_back(ring, total->buckets % PADV_BUCKETS);

		for (int i = 0; i < nlive; i++)
			total->sums[live[i]] -= expired[live[i]];
	}
	for (int i = 0; i < nlive; i++)
		newest[live[i]] = 0;
	ring->greatest[ring->head % PADV_BUCKETS] = 0;
}

bool
padv_ring_advance(PadvRing *ring, uint64_t now, const uint16_t *live, int nlive)
{
	uint64_t	head = now / ring->bucket_us;
	uint64_t	steps = head - ring->head;

	if (steps == 0)
		return false;

	/* after a whole round all is empty, wherever the next one begins */
	for (uint64_t i = 0; i < steps && i < PADV_BUCKETS; i++)
	{
		ring->head++;
		begin_bucket(ring, live, nlive);
	}
	ring->head = head;
	return true;
}

void
padv_ring_add(PadvRing *ring, const uint16_t *live, int nlive,
			  const int64_t *amounts)
{
	int64_t    *newest = bucket_back(ring, 0);

	for (int i = 0; i < nlive; i++)
	{
		int			column = live[i];
		int64_t		amount = amounts[column];

		if (amount == 0)
			continue;
		newest[column] += amount;
		for (int t = 0; t < ring->ntotals; t++)
			ring->totals[t].sums[column] += amount;
	}
}

void
padv_ring_note(PadvRing *ring, int64_t value)
{
	int64_t    *greatest = &ring->greatest[ring->head % PADV_BUCKETS];

	if (value > *greatest)
		*greatest = value;
}

int64_t
padv_ring_greatest(const PadvRing *ring)
{
	int64_t		greatest = 0;

	for (int i = 0; i < PADV_BUCKETS; i++)
		if (ring->greatest[i] > greatest)
			greatest = ring->greatest[i];
	return greatest;
}

void
padv_keys_init(PadvKeys *keys, int limit, uint32_t key_0)
{
	memset(keys, 0, sizeof(*keys));
	keys->limit = limit;
	for (int i = 0; i < PADV_KEY_ENTRIES; i++)
		keys->order[i] = (uint16_t) i;
	(void) padv_keys_search(keys, key_0);
}

static uint32_t
next_cell(uint32_t cell)
{
	return (cell + 1) % PADV_KEY_CELLS;
}

int
padv_keys_search(PadvKeys *keys, uint32_t key)
{
	uint32_t	at = padv_keys_home(key);
	int			entry;

	for (; keys->cells[at].taken != 0; at = next_cell(at))
		if (keys->cells[at].key == key)
			return (int) keys->cells[at].taken - 1;

	if (keys->count >= keys->limit)
		return 0;
	entry = keys->order[keys->count++];
	keys->key[entry] = key;
	keys->cells[at].key = key;
	keys->cells[at].taken = (uint32_t) entry + 1;
	return entry;
}

/*
 * Empty a cell and close the gap, so that no search stops too early: what
 * follows moves up, unless it would come before its home (Knuth 6.4R).
 */
static void
empty_cell(PadvKeys *keys, uint32_t gap)
{
	const uint32_t mask = PADV_KEY_CELLS - 1;

	for (uint32_t at = next_cell(gap); keys->cells[at].taken != 0; at = next_cell(at))
	{
		uint32_t	home = padv_keys_home(keys->cells[at].key);

		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		keys->cells[gap] = keys->cells[at];
		gap = at;
	}
	keys->cells[gap].taken = 0;
}

void
padv_keys_drop(PadvKeys *keys, int place)
{
	uint16_t	entry = keys->order[place];
	uint32_t	at = padv_keys_home(keys->key[entry]);

	while (keys->cells[at].taken != (uint32_t) entry + 1)
		at = next_cell(at);
	empty_cell(keys, at);

	keys->count--;
	keys->order[place] = keys->order[keys->count];
	keys->order[keys->count] = entry;
}

void
padv_recent_init(PadvRecent *recent)
{
	memset(recent, 0, sizeof(*recent));
	recent->credit_us = RECENT_INTERVAL_US;
}

/* Where a value is, or belongs, in order: before all that are not less. */
static int
find_place(const PadvRecent *recent, int64_t value)
{
	int			low = 0;
	int			high = recent->count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (recent->ordered[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
drop_oldest(PadvRecent *recent)
{
	int			place = find_place(recent, recent->value[recent->first]);
	int64_t    *at = &recent->ordered[place];

	recent->count--;
	memmove(at, at + 1, (size_t) (recent->count - place) * sizeof(*at));
	recent->first = (recent->first + 1) % PADV_RECENT_VALUES;
}

static void
append_recent(PadvRecent *recent, uint64_t now, int64_t value)
{
	int			last = (recent->first + recent->count) % PADV_RECENT_VALUES;
	int			place = find_place(recent, value);
	int64_t    *at = &recent->ordered[place];

	memmove(at + 1, at, (size_t) (recent->count - place) * sizeof(*at));
	*at = value;
	recent->time[last] = now;
	recent->value[last] = value;
	recent->count++;
}

void
padv_recent_offer(PadvRecent *recent, uint64_t now, uint64_t elapsed_us,
				  int64_t value)
{
	while (recent->count > 0 &&
		   now - recent->time[recent->first] >= RECENT_AGE_US)
		drop_oldest(recent);

	/*
	 * Values are due in a rhythm, rather than so long after the last one:
	 * samples taken every 100 ms are a little early as often as a little
	 * late, and all of them are wanted.
	 */
	recent->credit_us += elapsed_us;
	if (recent->credit_us < RECENT_INTERVAL_US)
		return;
	recent->credit_us -= RECENT_INTERVAL_US;
	if (recent->credit_us >= RECENT_INTERVAL_US)
		recent->credit_us = 0;

	if (recent->count == PADV_RECENT_VALUES)
		drop_oldest(recent);
	append_recent(recent, now, value);
}

int64_t
padv_recent_percentile(const PadvRecent *recent, int percent)
{
	int			rank = (recent->count * percent + 99) / 100;

	return rank > 0 ? recent->ordered[rank - 1] : 0;
}
