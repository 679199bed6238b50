/*
 * history_shmem.c
 *		The history in shared memory.
 *
 * Owns that memory.  `lock` protects it, and no other lock is held at the same time.
 * The worker adds points, and a backend with the privilege removes them.  Both hold the
 * lock exclusively, for some stores, and at the end of 5 minutes for the mean of 300
 * points.
 *
 * Readers copy 16 kB at a time, with the lock held shared, so that the worker never
 * waits long.  Only the process that saves the history copies all of it, half a
 * megabyte.  It does so without the lock, and again if the history has changed
 * meanwhile.  That process may lose its core at any moment, and the worker must not
 * wait for it.
 *
 * Only the worker uses `loaded`; it is kept over a restart of the worker.  The atomic
 * fields describe the file.  `writer` is the process that writes it, one at a time;
 * that process sets the other fields, and the worker reads them.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "core/stats/history_file.h"
#include "shmem/history_shmem.h"

typedef struct HistoryShared
{
	LWLock		lock;
	bool		loaded;			/* the file has been read, or there was none */

	/* Atomic. */
	pg_atomic_uint32 writer;	/* pid of the process that writes the file; 0:
								 * none */
	pg_atomic_uint32 failing;	/* the file could not be written */
	pg_atomic_uint32 writes;	/* finished ones, successful or not */
	pg_atomic_uint32 written_resets;	/* value of resets when the file was
										 * last written */

	/* These fields are protected by lock. */
	uint32		resets;
	uint64		changes;
	PadvHistory history;
} HistoryShared;

static HistoryShared *shared = NULL;

Size
padv_history_shmem_size(void)
{
	return MAXALIGN(sizeof(HistoryShared));
}

void
padv_history_shmem_init(int tranche)
{
	bool		found;

	shared = ShmemInitStruct("pool_advisor history", padv_history_shmem_size(), &found);
	if (found)
		return;
	LWLockInitialize(&shared->lock, tranche);
	shared->loaded = false;
	pg_atomic_init_u32(&shared->writer, 0);
	pg_atomic_init_u32(&shared->failing, 0);
	pg_atomic_init_u32(&shared->writes, 0);
	pg_atomic_init_u32(&shared->written_resets, 0);
	shared->resets = 0;
	shared->changes = 0;
	padv_history_init(&shared->history);
}

int
padv_history_read(PadvResolution resolution, uint64 *cursor, PadvHistoryPoint *points)
{
	int			count;

	LWLockAcquire(&shared->lock, LW_SHARED);
	count = padv_history_copy(&shared->history, resolution, cursor, points,
							  PADV_HISTORY_CHUNK);
	LWLockRelease(&shared->lock);
	return count;
}

void
padv_history_reset(void)
{
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	padv_history_forget(&shared->history);
	shared->resets++;
	shared->changes++;
	LWLockRelease(&shared->lock);
}

void
padv_history_publish(const PadvHistoryPoint *point)
{
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	padv_history_add(&shared->history, point);
	shared->changes++;
	LWLockRelease(&shared->lock);
}

/* The argument is the worker's own, so it is checked before the lock is taken. */
bool
padv_history_publish_curve(const double *curve, size_t count)
{
	if (!padv_history_curve_sound(curve, count))
		return false;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	(void) padv_history_set_curve(&shared->history, curve, count);
	shared->changes++;
	LWLockRelease(&shared->lock);
	return true;
}

size_t
padv_history_curve(double *curve)
{
	size_t		count;

	LWLockAcquire(&shared->lock, LW_SHARED);
	count = padv_history_get_curve(&shared->history, curve);
	LWLockRelease(&shared->lock);
	return count;
}

bool
padv_history_loaded(void)
{
	return shared->loaded;
}

/* history is what the file had, or NULL when there was no usable file. */
void
padv_history_fill(const PadvHistory *history)
{
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	if (history != NULL)
		memcpy(&shared->history, history, sizeof(PadvHistory));
	shared->changes++;
	LWLockRelease(&shared->lock);
	shared->loaded = true;
}

/* The number of changes; *resets is the number of resets. */
static uint64
get_change_counts(uint32 *resets)
{
	uint64		changes;

	LWLockAcquire(&shared->lock, LW_SHARED);
	changes = shared->changes;
	*resets = shared->resets;
	LWLockRelease(&shared->lock);
	return changes;
}

/*
 * A copy made during a change may be torn, and is discarded.  A process that changes
 * the history counts the change before it releases the lock, so the second
 * get_change_counts sees it.  The copy takes a tenth of a millisecond, and changes are a
 * second apart, so a retry is rare.
 */
size_t
padv_history_serialize(uint64 system, void *bytes)
{
	PadvHistory *copy = palloc(sizeof(PadvHistory));
	uint64		changes;
	uint32		resets;
	uint32		resets_after;
	size_t		size;

	do
	{
		changes = get_change_counts(&resets);
		memcpy(copy, &shared->history, sizeof(PadvHistory));
	} while (changes != get_change_counts(&resets_after));
	pg_atomic_write_u32(&shared->written_resets, resets);
	size = padv_history_write(copy, system, bytes);
	pfree(copy);
	return size;
}

bool
padv_history_reset_unwritten(void)
{
	uint32		resets;

	(void) get_change_counts(&resets);
	return resets != pg_atomic_read_u32(&shared->written_resets);
}

static void
release_file_at_exit(int code pg_attribute_unused(), Datum arg pg_attribute_unused())
{
	uint32		mine = (uint32) MyProcPid;

	(void) pg_atomic_compare_exchange_u32(&shared->writer, &mine, 0);
}

bool
padv_history_claim_file(void)
{
	uint32		no_pid = 0;

	if (!pg_atomic_compare_exchange_u32(&shared->writer, &no_pid, (uint32) MyProcPid))
		return false;
	before_shmem_exit(release_file_at_exit, (Datum) 0);
	return true;
}

void
padv_history_release_file(void)
{
	(void) pg_atomic_fetch_add_u32(&shared->writes, 1);
	cancel_before_shmem_exit(release_file_at_exit, (Datum) 0);
	release_file_at_exit(0, (Datum) 0);
}

bool
padv_history_file_claimed(void)
{
	return pg_atomic_read_u32(&shared->writer) != 0;
}

uint32
padv_history_writes(void)
{
	return pg_atomic_read_u32(&shared->writes);
}

bool
padv_history_failing(void)
{
	return pg_atomic_read_u32(&shared->failing) != 0;
}

bool
padv_history_set_failing(bool failing)
{
	return pg_atomic_exchange_u32(&shared->failing, failing ? 1 : 0) != 0;
}
