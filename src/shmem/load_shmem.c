/*
 * load_shmem.c
 *		The load by role, database, application, client and query in shared memory.
 *
 * Owns that memory, 7 MB.  `lock` protects `rings` and `names`, and no other lock is held at
 * the same time.  Only the worker writes; it holds the lock exclusively to copy an interval
 * that is over, or a name.  It reads both without the lock, and also changes for how long names
 * are needed, which readers do not read.
 *
 * Only the worker uses `open` and `slot`.  They are kept over a restart of the worker.
 *
 * Nothing of this is kept over a restart of the server.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "shmem/load_shmem.h"

/* A name is needed for so long before it is known whether its key is kept. */
#define NEW_NAME_SECONDS 2

/* Of the sums of an interval, from here on the name of a key matters. */
#define MATTERS 0.01

typedef struct LoadShared
{
	LWLock		lock;

	/* These fields are protected by lock. */
	PadvLoadRings rings;
	PadvKeyNames names;

	/* The worker's. */
	PadvLoadOpen open;
	PadvLoadSlot slot;
} LoadShared;

static LoadShared *shared = NULL;

Size
padv_load_shmem_size(void)
{
	return MAXALIGN(sizeof(LoadShared));
}

void
padv_load_shmem_init(int tranche)
{
	bool		found;

	shared = ShmemInitStruct("pool_advisor load", padv_load_shmem_size(), &found);
	if (found)
		return;
	memset(shared, 0, sizeof(LoadShared));
	LWLockInitialize(&shared->lock, tranche);
}

/* --- the worker --- */

/*
 * The names of the keys of an interval are needed as long as that is kept.  Returns false when
 * one is missing that matters.
 */
static bool
keep_names(const PadvLoadSlot *slot)
{
	int64		seconds = padv_load_level_seconds(slot->level);
	int64		until = (slot->number + padv_load_level_slots(slot->level) + 1) * seconds;
	double		all = 0.0;
	bool		complete = true;

	for (int sum = 0; sum < PADV_TALLY_SUMS; sum++)
		all += slot->sums[sum];
	for (PadvDimension dimension = PADV_DIMENSION_APPLICATION; dimension <= PADV_DIMENSION_CLIENT; dimension++)
	{
		for (int i = 0; i < slot->count[dimension]; i++)
		{
			const PadvLoadKey *key = &slot->keys[dimension][i];
			double		mine = 0.0;

			if (key->key == 0 || padv_key_names_need(&shared->names, key->key, until))
				continue;
			for (int sum = 0; sum < PADV_TALLY_SUMS; sum++)
				mine += (double) key->sums[sum];
			complete &= mine < MATTERS * all;
		}
	}
	return complete;
}

bool
padv_load_publish(const PadvSample *sample)
{
	int64		second = sample->clock_us / 1000000;
	bool		complete = true;

	while (padv_load_end_next(&shared->open, second, &shared->slot))
	{
		LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
		padv_load_put(&shared->rings, &shared->slot);
		LWLockRelease(&shared->lock);
		complete &= keep_names(&shared->slot);
	}
	if (shared->rings.head != shared->open.second)
	{
		LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
		shared->rings.head = shared->open.second;
		LWLockRelease(&shared->lock);
	}
	padv_load_count(&shared->open, sample);
	return complete;
}

void
padv_load_publish_charges(const PadvLoadCharge *charges, int count)
{
	padv_load_charge(&shared->open, charges, count);
}

void
padv_load_publish_name(uint64 key, const char name[PADV_KEY_NAME])
{
	if (padv_key_name(&shared->names, key) != NULL)
		return;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	padv_key_names_add(&shared->names, key, name, shared->open.second + NEW_NAME_SECONDS);
	LWLockRelease(&shared->lock);
}

const PadvKeyNames *
padv_load_names(void)
{
	return &shared->names;
}

void
padv_load_forget(void)
{
	memset(&shared->open, 0, sizeof(PadvLoadOpen));

	/* without samples an interval is not there; names may be needed at once */
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	shared->rings.head = 0;
	for (int i = 0; i < PADV_LOAD_SLOTS; i++)
		shared->rings.slots[i].samples = 0;
	LWLockRelease(&shared->lock);
}

/* --- readers --- */

int64
padv_load_head(void)
{
	int64		head;

	LWLockAcquire(&shared->lock, LW_SHARED);
	head = shared->rings.head;
	LWLockRelease(&shared->lock);
	return head;
}

bool
padv_load_read(int level, int64 number, PadvLoadSlot *slot)
{
	bool		found;

	LWLockAcquire(&shared->lock, LW_SHARED);
	found = padv_load_get(&shared->rings, level, number, slot);
	LWLockRelease(&shared->lock);
	return found;
}

bool
padv_load_read_name(uint64 key, char name[PADV_KEY_NAME])
{
	const char *found;

	LWLockAcquire(&shared->lock, LW_SHARED);
	found = padv_key_name(&shared->names, key);
	if (found)
		memcpy(name, found, PADV_KEY_NAME);
	LWLockRelease(&shared->lock);
	return found != NULL;
}
