/*
 * incidents_shmem.c
 *		The incidents in shared memory.
 *
 * Owns that memory, 40 kB.  `lock` protects the ring, and no other lock is held at the
 * same time.  The worker puts a few incidents a second at most, and a backend with the
 * privilege removes all: both hold the lock exclusively, for some stores.  Readers, and
 * the process that writes the file, copy all of it with the lock held shared.
 *
 * Only the worker uses `loaded`; it is kept over a restart of the worker.  The atomic
 * fields are about the file.  `notable` counts what a crash must not lose, `changes` all
 * changes; the process that writes the file notes how far it has got.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "core/model/incident_file.h"
#include "shmem/incidents_shmem.h"

typedef struct IncidentsShared
{
	LWLock		lock;
	bool		loaded;			/* the file has been read, or there was none */

	/* Atomic. */
	pg_atomic_uint32 failing;	/* the file could not be written */
	pg_atomic_uint32 notable;
	pg_atomic_uint32 notable_tried; /* when the file was written last, or
									 * could not be written */
	pg_atomic_uint32 changes;
	pg_atomic_uint32 changes_tried; /* likewise */
	pg_atomic_uint32 changes_written;	/* when it was written last */

	/* This is protected by lock. */
	PadvIncidentRing ring;
} IncidentsShared;

static IncidentsShared *shared_incidents = NULL;

Size
padv_incidents_shmem_size(void)
{
	return MAXALIGN(sizeof(IncidentsShared));
}

void
padv_incidents_shmem_init(int tranche)
{
	bool		found;

	shared_incidents = ShmemInitStruct("pool_advisor incidents", padv_incidents_shmem_size(), &found);
	if (found)
		return;
	LWLockInitialize(&shared_incidents->lock, tranche);
	shared_incidents->loaded = false;
	pg_atomic_init_u32(&shared_incidents->failing, 0);
	pg_atomic_init_u32(&shared_incidents->notable, 0);
	pg_atomic_init_u32(&shared_incidents->notable_tried, 0);
	pg_atomic_init_u32(&shared_incidents->changes, 0);
	pg_atomic_init_u32(&shared_incidents->changes_tried, 0);
	pg_atomic_init_u32(&shared_incidents->changes_written, 0);
	padv_incident_ring_init(&shared_incidents->ring);
}

int
padv_incidents_copy(PadvIncident **rows)
{
	int			count;

	*rows = palloc(PADV_MAX_INCIDENTS * sizeof(PadvIncident));
	LWLockAcquire(&shared_incidents->lock, LW_SHARED);
	count = padv_incident_ring_copy(&shared_incidents->ring, *rows);
	LWLockRelease(&shared_incidents->lock);
	return count;
}

int
padv_incidents_count(int64 total[PADV_INCIDENT_KINDS])
{
	int			active;

	LWLockAcquire(&shared_incidents->lock, LW_SHARED);
	memcpy(total, shared_incidents->ring.total, sizeof(shared_incidents->ring.total));
	active = padv_incident_ring_active(&shared_incidents->ring);
	LWLockRelease(&shared_incidents->lock);
	return active;
}

int
padv_incidents_lasting(PadvIncident rows[PADV_INCIDENT_SLOTS])
{
	int			count;

	LWLockAcquire(&shared_incidents->lock, LW_SHARED);
	count = padv_incident_ring_lasting(&shared_incidents->ring, rows);
	LWLockRelease(&shared_incidents->lock);
	return count;
}

static void
note_change(bool notable)
{
	(void) pg_atomic_fetch_add_u32(&shared_incidents->changes, 1);
	if (notable)
		(void) pg_atomic_fetch_add_u32(&shared_incidents->notable, 1);
}

void
padv_incidents_forget(void)
{
	LWLockAcquire(&shared_incidents->lock, LW_EXCLUSIVE);
	padv_incident_ring_forget(&shared_incidents->ring);
	LWLockRelease(&shared_incidents->lock);
	note_change(true);
}

void
padv_incidents_publish(const PadvIncident *rows, int count, bool notable)
{
	LWLockAcquire(&shared_incidents->lock, LW_EXCLUSIVE);
	for (int i = 0; i < count; i++)
		padv_incident_ring_put(&shared_incidents->ring, &rows[i]);
	LWLockRelease(&shared_incidents->lock);
	note_change(notable);
}

uint64
padv_incidents_newest(void)
{
	uint64		newest;

	LWLockAcquire(&shared_incidents->lock, LW_SHARED);
	newest = shared_incidents->ring.newest;
	LWLockRelease(&shared_incidents->lock);
	return newest;
}

bool
padv_incidents_loaded(void)
{
	return shared_incidents->loaded;
}

/* ring is what the file had, or NULL when there was no usable file. */
void
padv_incidents_fill(const PadvIncidentRing *ring)
{
	if (ring != NULL)
	{
		LWLockAcquire(&shared_incidents->lock, LW_EXCLUSIVE);
		memcpy(&shared_incidents->ring, ring, sizeof(PadvIncidentRing));
		LWLockRelease(&shared_incidents->lock);
	}
	shared_incidents->loaded = true;
}

void
padv_incidents_end_all(void)
{
	LWLockAcquire(&shared_incidents->lock, LW_EXCLUSIVE);
	padv_incident_ring_end_all(&shared_incidents->ring);
	LWLockRelease(&shared_incidents->lock);
}

/* What changes after the counters were read is written next time. */
size_t
padv_incidents_serialize(uint64 system, void *bytes)
{
	uint32		notable = pg_atomic_read_u32(&shared_incidents->notable);
	uint32		changes = pg_atomic_read_u32(&shared_incidents->changes);
	size_t		size;

	LWLockAcquire(&shared_incidents->lock, LW_SHARED);
	size = padv_incident_write(&shared_incidents->ring, system, bytes);
	LWLockRelease(&shared_incidents->lock);
	pg_atomic_write_u32(&shared_incidents->notable_tried, notable);
	pg_atomic_write_u32(&shared_incidents->changes_tried, changes);
	return size;
}

bool
padv_incidents_unwritten(void)
{
	return pg_atomic_read_u32(&shared_incidents->notable) != pg_atomic_read_u32(&shared_incidents->notable_tried);
}

bool
padv_incidents_changed(void)
{
	return pg_atomic_read_u32(&shared_incidents->changes) != pg_atomic_read_u32(&shared_incidents->changes_written);
}

bool
padv_incidents_failing(void)
{
	return pg_atomic_read_u32(&shared_incidents->failing) != 0;
}

bool
padv_incidents_set_failing(bool failing)
{
	if (!failing)
		pg_atomic_write_u32(&shared_incidents->changes_written,
							pg_atomic_read_u32(&shared_incidents->changes_tried));
	return pg_atomic_exchange_u32(&shared_incidents->failing, failing ? 1 : 0) != 0;
}
