/*
 * controller.h
 *		The controller that chooses the limit for server_max_active = auto.
 *
 * Hill climbing on the number of transactions that finish, by paired trials.  Another
 * limit is tried for a while, and compared with the current limit, the base, before and
 * after it.  So a trend, as while caches fill, is not taken for a gain.  (Heiss and
 * Wagner 1991 and Abouzour et al. 2011 climb on the same figure.  As theirs, the steps
 * are wide at first and small around the peak.)  Of two limits with the same throughput
 * the lower one is kept.
 *
 * Plain data of the caller, which also gives the clock and the counters.  Nothing here
 * blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_CONTROLLER_H
#define PADV_CONTROLLER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The lowest limit.  With one transaction at a time, a single long one would stop all
 * others, and there would be no lower limit to compare with.
 */
#define PADV_CONTROL_LOWEST 2

typedef enum PadvControlState
{
	PADV_CONTROL_OFF,			/* it controls nothing */
	PADV_CONTROL_NOT_FULL,		/* no transaction waits, so there is nothing
								 * to measure */
	PADV_CONTROL_SEARCHING,		/* wide steps, one after the other */
	PADV_CONTROL_SETTLED,		/* small steps, now and then */
} PadvControlState;

typedef enum PadvControlPhase
{
	PADV_PHASE_BEFORE,			/* at the base, before a trial */
	PADV_PHASE_TRIAL,			/* at another limit */
	PADV_PHASE_AFTER,			/* at the base again */
} PadvControlPhase;

/* Transactions that finished at one limit, and in what time. */
typedef struct PadvMeasure
{
	double		transactions;
	double		seconds;
} PadvMeasure;

/* Comparisons of the base with one other limit. */
typedef struct PadvTrialEvidence
{
	int32_t		trial;			/* that limit */
	double		comparisons;
	double		gains;			/* sum of the logarithms of trial / base */
	double		variance;		/* of that sum */
} PadvTrialEvidence;

typedef struct PadvControl
{
	int32_t		state;			/* PadvControlState, as it is shown */
	int32_t		stage;			/* likewise, but never PADV_CONTROL_NOT_FULL */
	int32_t		phase;			/* PadvControlPhase */
	int32_t		base;			/* the best limit known so far */
	int32_t		trial;			/* the limit that is, or will be, compared
								 * with it; equal to base: none */
	int32_t		left;			/* the previous base, which was worse; 0: none */
	int32_t		direction;		/* 1 or -1 */
	int32_t		rejected;		/* directions in which no gain was found */
	double		ratio;			/* of trial and base */
	double		pause;			/* seconds between two trials, once settled */
	double		settled_rate;	/* transactions a second at the base */
	double		rate;			/* the same, as it was measured last */
	double		noise;			/* variance of a measure's logarithm */
	double		noise_seen;		/* how many estimates of it were made */
	int32_t		bases;			/* measures of the base in a row */
	double		base_before;	/* logarithm of the measure before `before` */
	double		last_gain;		/* of the last trial, as a share */
	int32_t		last_trial;		/* 0: there was none yet */
	int32_t		trials;
	int32_t		moves;
	PadvTrialEvidence below;
	PadvTrialEvidence above;

	/* how many transactions want to run */
	bool		full;			/* mostly, transactions wait at the base */
	double		fullness;		/* the mean share of time with waiters, 0..1 */
	double		demand;			/* the mean number that run or wait */
	double		throughput;		/* mean transactions a second, without trials
								 * and pauses */
	double		absent;			/* seconds since the last load */
	double		peak_seconds;	/* length of the current one of two spans */
	int32_t		peak;			/* the most that worked in it */
	int32_t		peak_before;	/* and in the span before */
	int64_t		calm_until;		/* monotonic, microseconds; no trial below the
								 * base before that, while it is not full */
	double		calm;			/* length of that pause, seconds */
	double		calm_demand;	/* demand when it began */
	double		calm_time;		/* mean time of a transaction then, seconds */

	int64_t		phase_started;	/* monotonic, microseconds */
	int64_t		read_at;		/* likewise; the last reading */
	double		last_transactions;
	double		unfit;			/* seconds of this phase that did not count */
	double		quiet_for;		/* seconds since a reading counted */
	int32_t		run;			/* readings in a row that count */
	PadvMeasure last_look;		/* the last reading; counts if the next one
								 * does */
	PadvMeasure before;
	PadvMeasure during;
	PadvMeasure after;
} PadvControl;

/* A reading. */
typedef struct PadvControlInput
{
	int64_t		clock_us;		/* monotonic */
	double		transactions;	/* finished since the server started */
	double		waited_share;	/* share of the time since the last reading in
								 * which a transaction waited, 0..1 */
	int32_t		taken;			/* slots that are taken now */
	int32_t		working;		/* those with a running transaction */
	int32_t		waiting;		/* transactions that wait for a slot */
	int32_t		known;			/* a limit that is likely to be good; 0: none */
	int32_t		lowest;			/* bounds of the limit, 1 <= lowest <= highest */
	int32_t		highest;
} PadvControlInput;

/* Start with this limit as the base. */
extern void padv_control_start(PadvControl *control, int32_t limit, const PadvControlInput *input);

/*
 * Take in a reading, several times a second.  Returns the limit to set now, within the
 * bounds.
 */
extern int32_t padv_control_look(PadvControl *control, const PadvControlInput *input);

/* The limit that was returned last. */
extern int32_t padv_control_limit(const PadvControl *control);

/*
 * Seconds that it takes to tell a change of throughput by 10 % from chance, at so many
 * transactions a second; infinite for 0.
 */
extern double padv_control_verdict_seconds(double rate);

/* The inverse: transactions a second that it takes to tell it within so many seconds. */
extern double padv_control_least_rate(double seconds);

#endif							/* PADV_CONTROLLER_H */
