/*
 * trial_results.h
 *		The last trials, their results, and what these say about the optimum.
 *
 * Pure: plain data of the caller, nothing blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_TRIAL_RESULTS_H
#define PADV_TRIAL_RESULTS_H

#include <stddef.h>

#include "core/model/trial.h"

typedef enum PadvTrialState
{
	PADV_TRIAL_RUNNING,
	PADV_TRIAL_FINISHED,

	/* ended early */
	PADV_TRIAL_LOSES,			/* B does a fifth less than A */
	PADV_TRIAL_ON_REQUEST,
	PADV_TRIAL_NEW_SETTING,		/* of server_max_active */
	PADV_TRIAL_NOT_ENFORCED,	/* limits on transactions are off or observed */
	PADV_TRIAL_NO_WORKER,		/* it ended */
} PadvTrialState;

#define PADV_TRIAL_STATES (PADV_TRIAL_NO_WORKER + 1)

typedef enum PadvTrialVerdict
{
	PADV_TRIAL_NO_VERDICT,		/* it runs */
	PADV_TRIAL_NO_DIFFERENCE,
	PADV_TRIAL_A_IS_BETTER,
	PADV_TRIAL_B_IS_BETTER,
} PadvTrialVerdict;

typedef struct PadvTrialResult
{
	int64_t		began;			/* wall clock, microseconds, like the others */
	int64_t		until;			/* when it ends at the latest */
	int64_t		updated;		/* the last change; once it has ended, its end */
	PadvTrialState state;
	int32_t		limit[PADV_ARMS];	/* transactions; -1: none */
	bool		own;			/* B was the number that the model named */
	int32_t		blocks;
	PadvTrialSums total[PADV_ARMS];
	PadvTrialRatio throughput;
	PadvTrialRatio latency;
	double		predicted;		/* the ratio by the curve; negative: none */
	double		busy_ratio;		/* of the model at the end; negative: not
								 * known */
} PadvTrialResult;

/* The last ones, the newest first. */
#define PADV_TRIALS_KEPT 20

typedef struct PadvTrials
{
	int			count;
	PadvTrialResult results[PADV_TRIALS_KEPT];
} PadvTrials;

/* What the newest trial that named the better limit says about the optimum. */
typedef struct PadvTrialFinding
{
	bool		known;
	PadvTrialResult result;
	int32_t		limit;			/* the better one; never -1 */
	double		age_seconds;	/* since its end */
} PadvTrialFinding;

/* A trial that has not begun to count. */
extern PadvTrialResult padv_trial_result(int64_t began, double seconds, int32_t limit_a,
										 int32_t limit_b, bool own);

/* Bring a result up to date. */
extern void padv_trial_result_update(PadvTrialResult *result, const PadvTrial *trial, int64_t now);

extern PadvTrialVerdict padv_trial_verdict(const PadvTrialResult *result);

/* Add a result as the newest one. */
extern void padv_trials_add(PadvTrials *trials, const PadvTrialResult *result);

/*
 * The share of the transactions that run under the limit that are active, over 1 with
 * parallel workers; 1: not known.
 */
extern double padv_trial_busy_ratio(const PadvTrialFinding *finding);

/* Whether the better limit is the higher one: nobody knows whether a third one is better still. */
extern bool padv_trial_is_least(const PadvTrialFinding *finding);

/* Whether the newest one runs. */
extern bool padv_trials_run(const PadvTrials *trials);

/*
 * The finding as of now, on the wall clock; known is false when the newest trial that
 * named a better limit is older than PADV_TRIAL_COUNTS_DAYS, or this limit was none.
 */
#define PADV_TRIAL_COUNTS_DAYS 7
extern void padv_trials_finding(const PadvTrials *trials, int64_t now, PadvTrialFinding *finding);

/*
 * As finite numbers, to be kept over a restart; and back.  Restoring returns false, and
 * changes nothing, if the numbers are not valid.
 */
#define PADV_TRIAL_NUMBERS 24
#define PADV_TRIALS_NUMBERS (1 + PADV_TRIALS_KEPT * PADV_TRIAL_NUMBERS)
extern void padv_trials_keep(const PadvTrials *trials, double numbers[PADV_TRIALS_NUMBERS]);
extern bool padv_trials_restore(PadvTrials *trials, const double *numbers, size_t count);

/* "running", "finished" or "stopped: ..."; "B is better" and so on; constant strings. */
extern const char *padv_trial_state_name(PadvTrialState state);
extern const char *padv_trial_verdict_name(PadvTrialVerdict verdict);

#endif							/* PADV_TRIAL_RESULTS_H */
