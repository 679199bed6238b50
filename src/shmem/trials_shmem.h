/*
 * trials_shmem.h
 *		The last trials of limits, and requests to start and stop one.
 *
 * A backend, or the worker at the time of day that is set, requests a trial.  The worker
 * runs it and publishes its figures.  The functions take the lock, so the caller must
 * not hold it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_TRIALS_SHMEM_H
#define PADV_TRIALS_SHMEM_H

#include "postgres.h"

#include "core/model/trial_results.h"

/* Bytes of shared memory, and its set-up; for status_shmem.c. */
extern Size padv_trials_shmem_size(void);
extern void padv_trials_shmem_init(int tranche);

/*
 * Add a trial that has not begun to count, for the worker to start.  Returns false when
 * one runs already.
 */
extern bool padv_trials_request(const PadvTrialResult *trial);

/* Ask the worker to end the trial that runs; returns false when none does. */
extern bool padv_trials_request_stop(void);

/*
 * For the worker, without a lock: whether a trial was requested since the last call;
 * whether the one that runs is to be stopped.
 */
extern bool padv_trials_take_request(void);
extern bool padv_trials_stop_requested(void);

/* Whether a trial runs; one atomic read, so of a moment ago. */
extern bool padv_trials_running(void);

/* For the worker: publish the figures of the newest trial, which it runs. */
extern void padv_trials_update(const PadvTrialResult *trial);

/* For the worker: forget all but a trial that runs. */
extern void padv_trials_forget(void);

/*
 * For the worker's start: fill in what was kept, unless there are trials; and end one that
 * a former worker has left.
 */
extern void padv_trials_fill(const PadvTrials *trials);
extern void padv_trials_end_orphan(void);

/* Copy all of them to the caller's memory. */
extern void padv_trials_copy(PadvTrials *trials);

#endif							/* PADV_TRIALS_SHMEM_H */
