/*
 * history.c
 *		The history in shared memory.
 *
 * Owns that memory.  `lock` guards it, and no other lock is held meanwhile.
 * Only the worker adds to it, and anybody who may can make it forget; both hold
 * the lock exclusively, for some stores, and for the mean of 300 points at the
 * end of 5 minutes.  Readers hold it shared for a memcpy of 16 kB, so that the
 * worker never waits long; half a megabyte at once they must not copy.  The
 * worker itself does, for the file: it is the only one whom that would delay,
 * but for a reset.
 *
 * `loaded` and `failing` outlive a worker that is started again; only the worker
 * uses them.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "core/history_file.h"
#include "history.h"

typedef struct SharedHistory
{
	LWLock		lock;
	bool		loaded;			/* the file has been looked at */
	bool		failing;		/* the file could not be written */

	/* guarded by lock */
	uint32		resets;
	PadvHistory history;
} SharedHistory;

static SharedHistory *shared = NULL;

Size
padv_history_shmem_size(void)
{
	return MAXALIGN(sizeof(SharedHistory));
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
	shared->failing = false;
	shared->resets = 0;
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
	LWLockRelease(&shared->lock);
}

void
padv_history_publish(const PadvHistoryPoint *point)
{
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	padv_history_add(&shared->history, point);
	LWLockRelease(&shared->lock);
}

/* Nobody but the worker reads the curve, so it can look at it before it locks. */
bool
padv_history_publish_curve(const double *curve, size_t count)
{
	if (!padv_history_curve_sound(curve, count))
		return false;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	(void) padv_history_set_curve(&shared->history, curve, count);
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

/* Take over what a file had, or NULL when there was none. */
void
padv_history_fill(const PadvHistory *history)
{
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	if (history != NULL)
		memcpy(&shared->history, history, sizeof(PadvHistory));
	LWLockRelease(&shared->lock);
	shared->loaded = true;
}

/* The history as bytes, not sealed yet, and the resets that it has seen. */
size_t
padv_history_serialize(uint64 system, void *bytes, uint32 *resets)
{
	size_t		size;

	LWLockAcquire(&shared->lock, LW_SHARED);
	size = padv_history_write(&shared->history, system, bytes);
	*resets = shared->resets;
	LWLockRelease(&shared->lock);
	return size;
}

uint32
padv_history_resets(void)
{
	uint32		resets;

	LWLockAcquire(&shared->lock, LW_SHARED);
	resets = shared->resets;
	LWLockRelease(&shared->lock);
	return resets;
}

bool
padv_history_set_failing(bool failing)
{
	bool		before = shared->failing;

	shared->failing = failing;
	return before;
}
