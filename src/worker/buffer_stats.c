/*
 * buffer_stats.c
 *		Hits and misses of shared buffers.
 *
 * Owns the sums of the block counters over the databases in use, so that they only grow
 * when databases are created and dropped.  Needs no database connection.  The worker
 * calls it once a second.  Each call takes the statistics' own locks, shared, for moments,
 * one database at a time.
 *
 * At most MAX_DATABASES databases are tracked.  With more in use at once the ratio is that
 * of the databases seen first.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "worker/buffer_stats.h"
#include "compat.h"

#define MAX_DATABASES 64

typedef struct DatabaseReading
{
	Oid			database;
	PgStat_Counter fetched;
	PgStat_Counter hit;
} DatabaseReading;

struct PadvBufferStats
{
	MemoryContext scratch;		/* for copies of the statistics */
	double		fetched;		/* sums so far */
	double		hit;
	int			count;
	DatabaseReading last[MAX_DATABASES];
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
is_tracked_database(const PadvBufferStats *buffers, Oid database)
{
	for (int i = 0; i < buffers->count; i++)
	{
		if (buffers->last[i].database == database)
			return true;
	}
	return false;
}

/* False when the database has no statistics, or no longer has them. */
static bool
read_database_stats(const PadvBufferStats *buffers, Oid database, DatabaseReading *reading)
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

/* Begin to track the databases of the sample. */
static void
track_new_databases(PadvBufferStats *buffers, const PadvSample *sample)
{
	Oid			previous = InvalidOid;

	for (int i = 0; i < sample->count; i++)
	{
		Oid			database = sample->sessions[i].database;

		/* neighbours mostly have the same database */
		if (database == previous || !OidIsValid(database))
			continue;
		previous = database;
		if (buffers->count < MAX_DATABASES && !is_tracked_database(buffers, database) &&
			read_database_stats(buffers, database, &buffers->last[buffers->count]))
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
		DatabaseReading *last = &buffers->last[i];
		DatabaseReading now;

		if (!read_database_stats(buffers, last->database, &now))
			continue;			/* dropped, so it is not tracked any more */
		if (now.fetched >= last->fetched && now.hit >= last->hit)
		{
			buffers->fetched += (double) (now.fetched - last->fetched);
			buffers->hit += (double) (now.hit - last->hit);
		}
		buffers->last[kept++] = now;
	}
	buffers->count = kept;
	track_new_databases(buffers, sample);

	counters->value[PADV_BLOCKS_FETCHED] = buffers->fetched;
	counters->value[PADV_BLOCKS_HIT] = buffers->hit;
}
