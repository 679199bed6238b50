/*
 * trial_results.c
 *		The last trials, their results, and what these say about the optimum.
 *
 * Owns the verdict on a trial, and for how long it counts.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <string.h>

#include "core/model/trial_results.h"

#define DAY INT64_C(86400000000)

PadvTrialResult
padv_trial_result(int64_t began, double seconds, int32_t limit_a, int32_t limit_b, bool own)
{
	return (PadvTrialResult) {
		.began = began,
		.until = began + (int64_t) (1e6 * seconds),
		.updated = began,
		.state = PADV_TRIAL_RUNNING,
		.limit = {limit_a, limit_b},
		.own = own,
		.throughput = {-1.0, -1.0, -1.0},
		.latency = {-1.0, -1.0, -1.0},
		.predicted = -1.0,
		.busy_ratio = -1.0,
	};
}

void
padv_trial_result_update(PadvTrialResult *result, const PadvTrial *trial, int64_t now)
{
	result->updated = now > result->began ? now : result->began;
	result->blocks = trial->nblocks;
	memcpy(result->total, trial->total, sizeof(result->total));
	result->throughput = padv_trial_throughput(trial);
	result->latency = padv_trial_latency(trial);
}

PadvTrialVerdict
padv_trial_verdict(const PadvTrialResult *result)
{
	const PadvTrialRatio *ratio = &result->throughput;

	if (result->state == PADV_TRIAL_RUNNING)
		return PADV_TRIAL_NO_VERDICT;
	if (ratio->ratio >= 0.0 && ratio->low > 1.0)
		return PADV_TRIAL_B_IS_BETTER;
	if (ratio->ratio >= 0.0 && ratio->high < 1.0)
		return PADV_TRIAL_A_IS_BETTER;
	return PADV_TRIAL_NO_DIFFERENCE;
}

void
padv_trials_add(PadvTrials *trials, const PadvTrialResult *result)
{
	if (trials->count < PADV_TRIALS_KEPT)
		trials->count++;
	memmove(&trials->results[1], &trials->results[0],
			(size_t) (trials->count - 1) * sizeof(PadvTrialResult));
	trials->results[0] = *result;
}

bool
padv_trials_run(const PadvTrials *trials)
{
	return trials->count > 0 && trials->results[0].state == PADV_TRIAL_RUNNING;
}

/* The better limit, if a trial that was not disturbed named one; 0: none. */
static int32_t
better_limit(const PadvTrialResult *result)
{
	PadvTrialVerdict verdict = padv_trial_verdict(result);

	if (result->state != PADV_TRIAL_FINISHED && result->state != PADV_TRIAL_LOSES)
		return 0;
	return verdict == PADV_TRIAL_A_IS_BETTER ? result->limit[PADV_ARM_A] :
		verdict == PADV_TRIAL_B_IS_BETTER ? result->limit[PADV_ARM_B] : 0;
}

void
padv_trials_finding(const PadvTrials *trials, int64_t now, PadvTrialFinding *finding)
{
	memset(finding, 0, sizeof(*finding));
	for (int i = 0; i < trials->count; i++)
	{
		const PadvTrialResult *result = &trials->results[i];
		int64_t		age = now - result->updated;

		finding->limit = better_limit(result);
		if (finding->limit == 0)
			continue;

		/* a clock that was set back makes nothing younger than new */
		finding->known = finding->limit > 0 && age < PADV_TRIAL_COUNTS_DAYS * DAY;
		finding->result = *result;
		finding->age_seconds = age > 0 ? (double) age / 1e6 : 0.0;
		return;
	}
}

double
padv_trial_busy_ratio(const PadvTrialFinding *finding)
{
	double		busy = finding->result.busy_ratio;

	return busy > 0.0 ? busy : 1.0;
}

bool
padv_trial_is_least(const PadvTrialFinding *finding)
{
	const int32_t *limit = finding->result.limit;
	int32_t		other = finding->limit == limit[PADV_ARM_A] ? limit[PADV_ARM_B] : limit[PADV_ARM_A];

	return finding->limit > other && other >= 0;
}

/* --- keeping -------------------------------------------------------------- */

/* Changes with the meaning of the numbers. */
#define FORM 1.0

/* Beyond all that can be counted, and times that a timestamp has. */
#define GREATEST 1e15
#define LATEST 9e18

static double
bounded(double value)
{
	return value > GREATEST ? GREATEST : value >= -1.0 ? value : -1.0;
}

static double *
keep_ratio(double *next, const PadvTrialRatio *ratio)
{
	*next++ = bounded(ratio->ratio);
	*next++ = bounded(ratio->low);
	*next++ = bounded(ratio->high);
	return next;
}

static void
keep_result(const PadvTrialResult *result, double numbers[PADV_TRIAL_NUMBERS])
{
	double	   *next = numbers;

	*next++ = (double) result->began;
	*next++ = (double) result->until;
	*next++ = (double) result->updated;
	*next++ = (double) result->state;
	*next++ = (double) result->own;
	*next++ = (double) result->blocks;
	*next++ = bounded(result->predicted);
	*next++ = bounded(result->busy_ratio);
	for (int arm = 0; arm < PADV_ARMS; arm++)
	{
		*next++ = (double) result->limit[arm];
		*next++ = bounded(result->total[arm].seconds);
		*next++ = bounded(result->total[arm].committed);
		*next++ = bounded(result->total[arm].ended);
		*next++ = bounded(result->total[arm].inside);
	}
	next = keep_ratio(next, &result->throughput);
	(void) keep_ratio(next, &result->latency);
}

void
padv_trials_keep(const PadvTrials *trials, double numbers[PADV_TRIALS_NUMBERS])
{
	memset(numbers, 0, PADV_TRIALS_NUMBERS * sizeof(double));
	numbers[0] = FORM;
	for (int i = 0; i < trials->count; i++)
		keep_result(&trials->results[i], numbers + 1 + i * PADV_TRIAL_NUMBERS);
}

static bool
between(double value, double low, double high)
{
	return value >= low && value <= high;	/* not a number is not */
}

/* Reads the numbers in the order in which keep_result writes them. */
static bool
restore_result(PadvTrialResult *result, const double *numbers)
{
	const double *next = numbers + 8;
	bool		sound = between(numbers[3], PADV_TRIAL_RUNNING, PADV_TRIAL_STATES - 1) &&
		between(numbers[4], 0.0, 1.0) && between(numbers[5], 0.0, PADV_TRIAL_BLOCKS);

	for (int i = 0; i < PADV_TRIAL_NUMBERS; i++)
		sound = sound && (i < 3 ? between(numbers[i], -LATEST, LATEST) : between(numbers[i], -1.0, GREATEST));
	sound = sound && between(numbers[8], -1.0, INT32_MAX) && between(numbers[13], -1.0, INT32_MAX);
	if (!sound)
		return false;
	*result = (PadvTrialResult) {
		.began = (int64_t) numbers[0],.until = (int64_t) numbers[1],.updated = (int64_t) numbers[2],
		.state = (PadvTrialState) numbers[3],.own = numbers[4] != 0.0,.blocks = (int32_t) numbers[5],
		.predicted = numbers[6],.busy_ratio = numbers[7],
	};
	for (int arm = 0; arm < PADV_ARMS; arm++, next += 5)
	{
		result->limit[arm] = (int32_t) next[0];
		result->total[arm] = (PadvTrialSums) {next[1], next[2], next[3], next[4]};
	}
	result->throughput = (PadvTrialRatio) {next[0], next[1], next[2]};
	result->latency = (PadvTrialRatio) {next[3], next[4], next[5]};
	return true;
}

bool
padv_trials_restore(PadvTrials *trials, const double *numbers, size_t count)
{
	PadvTrials	kept = {0};

	if (count != PADV_TRIALS_NUMBERS || numbers[0] != FORM)
		return false;
	for (int i = 0; i < PADV_TRIALS_KEPT; i++)
	{
		const double *from = numbers + 1 + i * PADV_TRIAL_NUMBERS;

		if (from[0] == 0.0)
			break;
		if (!restore_result(&kept.results[kept.count++], from))
			return false;
	}
	*trials = kept;
	return true;
}

/* --- names ---------------------------------------------------------------- */

const char *
padv_trial_state_name(PadvTrialState state)
{
	static const char *const names[] = {
		"running", "finished", "stopped: B does 20 % less than A", "stopped: on request",
		"stopped: server_max_active has changed", "stopped: limits on transactions are not enforced",
		"stopped: the worker has ended"
	};

	return names[state];
}

const char *
padv_trial_verdict_name(PadvTrialVerdict verdict)
{
	static const char *const names[] = {
		"", "no difference was found", "A is better", "B is better"
	};

	return names[verdict];
}
