/*
 * buffer_stats.c
 *		Hits and misses of shared buffers.
 *
 * Owns the sums of the cumulative statistics' block counters over the
 * databases in use, so that they only grow while databases come and go.  No
 * database connection is needed.  The worker calls it once a second; each
 * call takes the statistics' own shared locks for moments, one database at a
 * time.
 *
 * At most MAX_DATABASES databases are followed; with more in use at once the
 * ratio is that of those seen first.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "worker/buffer_stats.h"
#include "compat.h"

#define MAX_DATABASES 64

typedef struct Reading
{
	Oid			database;
	PgStat_Counter fetched;
	PgStat_Counter hit;
} Reading;

struct PadvBufferStats
{
	MemoryContext scratch;		/* the statistics' copies */
	double		fetched;		/* sums so far */
	double		hit;
	int			count;
	Reading		last[MAX_DATABASES];
};

PadvBufferStats *
padv_buffer_stats_create(void)
{
	PadvBufferStats *buffers = palloc0(sizeof(PadvBufferStats));

	buffers->scratch = AllocSetContextCreate(CurrentMemoryContext,
											 "pool_advisor statistics",
											 ALLOCSET_SMALL_SIZES);
	return buffers;
}

static bool
is_followed(const PadvBufferStats *buffers, Oid database)
{
	for (int i = 0; i < buffers->count; i++)
	{
		if (buffers->last[i].database == database)
			return true;
	}
	return false;
}

/* False when there are no statistics of the database (any more). */
static bool
read_database(const PadvBufferStats *buffers, Oid database, Reading *reading)
{
	MemoryContext old = MemoryContextSwitchTo(buffers->scratch);
	PgStat_StatDBEntry *entry = pgstat_fetch_stat_dbentry(database);
	bool		found = entry != NULL;

	reading->database = database;
	if (found)
	{
		reading->fetched = padv_blocks_fetched(entry);
		reading->hit = padv_blocks_hit(entry);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(buffers->scratch);
	return found;
}

/* Follow the databases of the sample from now on. */
static void
follow_new(PadvBufferStats *buffers, const PadvSample *sample)
{
	Oid			previous = InvalidOid;

	for (int i = 0; i < sample->count; i++)
	{
		Oid			database = sample->sessions[i].database;

		/* neighbours are mostly of one database */
		if (database == previous || !OidIsValid(database))
			continue;
		previous = database;
		if (buffers->count < MAX_DATABASES && !is_followed(buffers, database) &&
			read_database(buffers, database, &buffers->last[buffers->count]))
			buffers->count++;
	}
}

void
padv_buffer_stats_read(PadvBufferStats *buffers, const PadvSample *sample,
					   PadvCounters *counters)
{
	int			kept = 0;

	for (int i = 0; i < buffers->count; i++)
	{
		Reading    *last = &buffers->last[i];
		Reading		now;

		if (!read_database(buffers, last->database, &now))
			continue;			/* dropped: its place is free */
		if (now.fetched >= last->fetched && now.hit >= last->hit)
		{
			buffers->fetched += (double) (now.fetched - last->fetched);
			buffers->hit += (double) (now.hit - last->hit);
		}
		buffers->last[kept++] = now;
	}
	buffers->count = kept;
	follow_new(buffers, sample);

	counters->value[PADV_BLOCKS_FETCHED] = buffers->fetched;
	counters->value[PADV_BLOCKS_HIT] = buffers->hit;
}
