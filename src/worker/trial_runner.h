/*
 * trial_runner.h
 *		Runs trials of limits on transactions.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_TRIAL_RUNNER_H
#define PADV_TRIAL_RUNNER_H

#include "core/model/model.h"

typedef struct PadvTrialRunner PadvTrialRunner;

/* Allocate the state in the current memory context; once, in the worker. */
extern PadvTrialRunner *padv_trial_runner_create(void);

/*
 * Start a trial that was requested, go on with the one that runs, or end it; about ten
 * times a second.  Requests the trial of the day when it is time.  limit is the server's
 * limit without a trial, -1 for none.  Model and curve say what is expected.  Returns
 * whether a trial has ended.  Takes the lock of trials_shmem.c and the spinlock of
 * admission_internal.h, one after the other.
 */
extern bool padv_trial_runner_look(PadvTrialRunner *runner, int32 limit, const PadvModel *model,
								   const PadvScalability *scalability, int64 now);

/* Whether a trial sets the server's limit now. */
extern bool padv_trial_runner_runs(const PadvTrialRunner *runner);

/* End a trial that runs, as the worker ends. */
extern void padv_trial_runner_abandon(PadvTrialRunner *runner);

#endif							/* PADV_TRIAL_RUNNER_H */
