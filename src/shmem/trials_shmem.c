/*
 * trials_shmem.c
 *		The last trials of limits, and requests to start and stop one.
 *
 * Owns that memory.  `lock` protects `trials`; it is held for a memcpy or two, and no
 * other lock at the same time.  Nothing is allocated or raised meanwhile.
 *
 * The atomic words are changed with the lock held, and read without it.  `requested` and
 * `stop` are set by a backend.  The worker clears `requested` when it starts the trial, and
 * `stop` goes with the next request.  `running` says whether the newest trial runs.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "shmem/trials_shmem.h"

typedef struct TrialsShared
{
	LWLock		lock;
	pg_atomic_uint32 requested;
	pg_atomic_uint32 stop;
	pg_atomic_uint32 running;

	/* protected by lock */
	PadvTrials	trials;
} TrialsShared;

static TrialsShared *shared = NULL;

Size
padv_trials_shmem_size(void)
{
	return MAXALIGN(sizeof(TrialsShared));
}

void
padv_trials_shmem_init(int tranche)
{
	bool		found;

	shared = ShmemInitStruct("pool_advisor trials", padv_trials_shmem_size(), &found);
	if (found)
		return;
	memset(shared, 0, sizeof(TrialsShared));
	LWLockInitialize(&shared->lock, tranche);
	pg_atomic_init_u32(&shared->requested, 0);
	pg_atomic_init_u32(&shared->stop, 0);
	pg_atomic_init_u32(&shared->running, 0);
}

/* Call it with the lock held, after a change of the newest trial. */
static void
note_running(void)
{
	pg_atomic_write_u32(&shared->running, padv_trials_run(&shared->trials) ? 1 : 0);
}

bool
padv_trials_request(const PadvTrialResult *trial)
{
	bool		free;

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	free = !padv_trials_run(&shared->trials);
	if (free)
	{
		padv_trials_add(&shared->trials, trial);
		pg_atomic_write_u32(&shared->stop, 0);
		pg_atomic_write_u32(&shared->requested, 1);
		note_running();
	}
	LWLockRelease(&shared->lock);
	return free;
}

bool
padv_trials_request_stop(void)
{
	bool		runs;

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	runs = padv_trials_run(&shared->trials);
	if (runs)
		pg_atomic_write_u32(&shared->stop, 1);
	LWLockRelease(&shared->lock);
	return runs;
}

bool
padv_trials_take_request(void)
{
	return pg_atomic_read_u32(&shared->requested) != 0 &&
		pg_atomic_exchange_u32(&shared->requested, 0) != 0;
}

bool
padv_trials_stop_requested(void)
{
	return pg_atomic_read_u32(&shared->stop) != 0;
}

bool
padv_trials_running(void)
{
	return pg_atomic_read_u32(&shared->running) != 0;
}

void
padv_trials_update(const PadvTrialResult *trial)
{
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	if (padv_trials_run(&shared->trials))
		shared->trials.results[0] = *trial;
	note_running();
	LWLockRelease(&shared->lock);
}

void
padv_trials_forget(void)
{
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	shared->trials.count = padv_trials_run(&shared->trials) ? 1 : 0;
	LWLockRelease(&shared->lock);
}

void
padv_trials_fill(const PadvTrials *trials)
{
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	if (shared->trials.count == 0)
		memcpy(&shared->trials, trials, sizeof(PadvTrials));
	note_running();
	LWLockRelease(&shared->lock);
}

void
padv_trials_end_orphan(void)
{
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	if (padv_trials_run(&shared->trials))
		shared->trials.results[0].state = PADV_TRIAL_NO_WORKER;
	pg_atomic_write_u32(&shared->requested, 0);
	note_running();
	LWLockRelease(&shared->lock);
}

void
padv_trials_copy(PadvTrials *trials)
{
	LWLockAcquire(&shared->lock, LW_SHARED);
	memcpy(trials, &shared->trials, sizeof(PadvTrials));
	LWLockRelease(&shared->lock);
}
