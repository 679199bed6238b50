/*
 * ended_sessions.c
 *		What sessions did that have ended, by the pool that they were of.
 *
 * Owns a hash table of counters in shared memory.  A session adds what it did to the entry
 * of its pool when it ends.  So sessions are counted that no sample has seen, as those of an
 * application that connects for each request.  The worker reads the table once a second.
 *
 * There is no lock.  The hash of an entry is an atomic word: a session takes a free entry
 * with compare-and-exchange, writes the key, and only then the hash.  Counters are atomic.
 * A pool can get two entries when two sessions come first at once; their sum counts.  The
 * worker frees an entry that has not changed for long.  What a session adds to it at this
 * moment is lost, or counts for the next pool that takes it: that is a session or two.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "shmem/ended_sessions.h"
#include "shmem/xact_stats.h"

/* Hashes of entries: free, and being written. */
#define FREE 0
#define RESERVED 1

#define TABLE_ENTRIES (PADV_ENDED_ENTRIES - 1)

/* An entry is at one of so many places. */
#define MOST_PROBES 16

typedef struct EndedEntry
{
	pg_atomic_uint64 hash;
	pg_atomic_uint64 sessions;
	pg_atomic_uint64 brief;
	pg_atomic_uint64 inside_us;
	pg_atomic_uint64 held[PADV_HOLD_BUCKETS];
	PadvPoolKey key;			/* written before the hash */
} EndedEntry;

static EndedEntry *entries = NULL;

Size
padv_ended_shmem_size(void)
{
	return mul_size(PADV_ENDED_ENTRIES, sizeof(EndedEntry));
}

void
padv_ended_shmem_init(void)
{
	bool		found;

	entries = ShmemInitStruct("pool_advisor ended sessions", padv_ended_shmem_size(), &found);
	if (found)
		return;
	memset(entries, 0, padv_ended_shmem_size());
	for (int i = 0; i < PADV_ENDED_ENTRIES; i++)
	{
		pg_atomic_init_u64(&entries[i].hash, i == TABLE_ENTRIES ? RESERVED : FREE);
		pg_atomic_init_u64(&entries[i].sessions, 0);
		pg_atomic_init_u64(&entries[i].brief, 0);
		pg_atomic_init_u64(&entries[i].inside_us, 0);
		for (int bucket = 0; bucket < PADV_HOLD_BUCKETS; bucket++)
			pg_atomic_init_u64(&entries[i].held[bucket], 0);
	}
}

/* --- keys --- */

static void
copy_address(volatile SockAddr *client, PadvPoolKey *key)
{
	switch (client->addr.ss_family)
	{
		case AF_INET:
			key->family = 32;
			memcpy(key->address, (const void *) &((volatile struct sockaddr_in *) &client->addr)->sin_addr, 4);
			break;
		case AF_INET6:
			key->family = 128;
			memcpy(key->address, (const void *) &((volatile struct sockaddr_in6 *) &client->addr)->sin6_addr, 16);
			break;
	}
}

void
padv_pool_key_of(volatile PgBackendStatus *entry, PadvPoolKey *key)
{
	size_t		length;

	memset(key, 0, sizeof(*key));
	key->role = entry->st_userid;
	key->database = entry->st_databaseid;
	copy_address(&entry->st_clientaddr, key);
	memcpy(key->application, (const char *) entry->st_appname, sizeof(key->application));
	length = strnlen(key->application, sizeof(key->application) - 1);
	memset(key->application + length, 0, sizeof(key->application) - length);
}

/* --- the end of a session --- */

/* The entry of a pool, which gets one if it has none, or that of all others. */
static EndedEntry *
find_entry(const PadvPoolKey *key, uint64 hash)
{
	for (int probe = 0; probe < MOST_PROBES; probe++)
	{
		EndedEntry *entry = &entries[(hash + probe) % TABLE_ENTRIES];
		uint64		expected = FREE;

		if (pg_atomic_read_u64(&entry->hash) == hash)
			return entry;
		if (pg_atomic_compare_exchange_u64(&entry->hash, &expected, RESERVED))
		{
			entry->key = *key;
			pg_write_barrier();
			pg_atomic_write_u64(&entry->hash, hash);
			return entry;
		}
		if (expected == hash)
			return entry;
	}
	return &entries[TABLE_ENTRIES];
}

static bool
was_brief(int64 life_us, uint64 transactions)
{
	return life_us < PADV_BRIEF_US ||
		(life_us < PADV_RATHER_BRIEF_US && transactions <= PADV_BRIEF_TRANSACTIONS);
}

/*
 * At the end of the process, before it leaves the server's status array.  A login that was
 * refused is not counted.
 */
static void
report_end(int code pg_attribute_unused(), Datum arg pg_attribute_unused())
{
	PadvXactSession session;
	PadvPoolKey key;
	EndedEntry *entry;
	uint64		transactions = 0;

	if (!padv_xact_stats_end(&session) || MyBEEntry == NULL || MyBEEntry->st_procpid != MyProcPid || !OidIsValid(MyBEEntry->st_userid))
		return;
	padv_pool_key_of(MyBEEntry, &key);
	entry = find_entry(&key, padv_pool_hash(&key));
	for (int i = 0; i < PADV_HOLD_BUCKETS; i++)
	{
		if (session.held[i] == 0)
			continue;
		transactions += session.held[i];
		pg_atomic_fetch_add_u64(&entry->held[i], session.held[i]);
	}
	pg_atomic_fetch_add_u64(&entry->inside_us, session.inside_us);
	if (was_brief(GetCurrentTimestamp() - MyStartTimestamp, transactions))
		pg_atomic_fetch_add_u64(&entry->brief, 1);
	pg_atomic_fetch_add_u64(&entry->sessions, 1);
}

void
padv_ended_start(void)
{
	on_shmem_exit(report_end, (Datum) 0);
}

/* --- the worker --- */

void
padv_ended_read(int number, PadvEnded *ended)
{
	EndedEntry *entry = &entries[number];

	ended->hash = pg_atomic_read_u64(&entry->hash);
	if (ended->hash == FREE || (ended->hash == RESERVED && number != TABLE_ENTRIES))
	{
		ended->hash = FREE;
		return;
	}
	pg_read_barrier();
	ended->key = entry->key;
	ended->sessions = pg_atomic_read_u64(&entry->sessions);
	ended->brief = pg_atomic_read_u64(&entry->brief);
	ended->inside_us = pg_atomic_read_u64(&entry->inside_us);
	for (int i = 0; i < PADV_HOLD_BUCKETS; i++)
		ended->held[i] = pg_atomic_read_u64(&entry->held[i]);
}

void
padv_ended_free(int number)
{
	EndedEntry *entry = &entries[number];

	pg_atomic_write_u64(&entry->hash, RESERVED);
	pg_atomic_write_u64(&entry->sessions, 0);
	pg_atomic_write_u64(&entry->brief, 0);
	pg_atomic_write_u64(&entry->inside_us, 0);
	for (int i = 0; i < PADV_HOLD_BUCKETS; i++)
		pg_atomic_write_u64(&entry->held[i], 0);
	pg_write_barrier();
	pg_atomic_write_u64(&entry->hash, FREE);
}
