/*
 * controller.h
 *		Where server_max_active = auto goes next.
 *
 * Hill climbing on the number of transactions that finish, by paired trials: a
 * limit beside the present one is tried for a while, and compared with what the
 * present one did before and after.  So a trend, as caches that fill, is not taken
 * for a gain.  (Heiss and Wagner 1991 and Abouzour et al. 2011 climb on the same
 * figure; like theirs, steps are wide at first and small around the peak.)  Of two
 * limits that do the same the lower one is kept.
 *
 * Plain data; the caller brings the clock and the counters.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_CONTROLLER_H
#define PADV_CONTROLLER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * With one transaction at a time a single long one would stop all others, and
 * nothing could be said of what is below.
 */
#define PADV_CONTROL_LOWEST 2

typedef enum PadvControlState
{
	PADV_CONTROL_OFF,			/* it does not control anything */
	PADV_CONTROL_NOT_FULL,		/* nobody waits: nothing can be learned */
	PADV_CONTROL_SEARCHING,		/* wide steps, one after the other */
	PADV_CONTROL_SETTLED,		/* small steps, now and then */
} PadvControlState;

typedef enum PadvControlPhase
{
	PADV_PHASE_BEFORE,			/* at the base, to have something to compare
								 * with */
	PADV_PHASE_TRIAL,			/* beside it */
	PADV_PHASE_AFTER,			/* at the base again */
} PadvControlPhase;

/* How many finished in how long, at one limit. */
typedef struct PadvMeasure
{
	double		transactions;
	double		seconds;
} PadvMeasure;

/* Comparisons of the base with one limit beside it. */
typedef struct PadvEvidence
{
	int32_t		trial;			/* that limit */
	double		comparisons;
	double		gains;			/* sum of the logarithms of trial / base */
	double		variance;		/* of that sum */
} PadvEvidence;

typedef struct PadvControl
{
	int32_t		state;			/* PadvControlState, as it is shown */
	int32_t		stage;			/* the same, but never not full */
	int32_t		phase;			/* PadvControlPhase */
	int32_t		base;			/* the best limit as far as is known */
	int32_t		trial;			/* what is, or will be, compared with it; the
								 * base: nothing */
	int32_t		left;			/* the base before, found worse; 0: forgotten */
	int32_t		direction;		/* 1 or -1 */
	int32_t		rejected;		/* directions in which no gain was found */
	double		ratio;			/* of trial and base */
	double		pause;			/* seconds between two trials, once settled */
	double		settled_rate;	/* transactions a second at the base */
	double		rate;			/* the same, as it was measured last */
	double		noise;			/* variance of a measure's logarithm */
	double		noise_seen;		/* how often that was seen */
	int32_t		bases;			/* measures of the base in a row */
	double		base_before;	/* logarithm of the one before `before` */
	double		last_gain;		/* of the last trial, as a share */
	int32_t		last_trial;		/* 0: there was none yet */
	int32_t		trials;
	int32_t		moves;
	PadvEvidence below;
	PadvEvidence above;

	/* how many want to run */
	bool		full;			/* somebody waits at the base, mostly */
	double		fullness;		/* a mean of that, 0..1 */
	double		demand;			/* a mean of those who run or wait */
	double		throughput;		/* a mean, without trials and pauses */
	double		absent;			/* seconds since the load was there */
	double		peak_seconds;	/* of the present one of two spans */
	int32_t		peak;			/* most at work in it */
	int32_t		peak_before;	/* and in the one before */
	int64_t		calm_until;		/* no trial below what is not full before that */
	double		calm;			/* seconds */
	double		calm_demand;	/* how many wanted to run then */
	double		calm_time;		/* and for how long */

	int64_t		phase_started;
	int64_t		read_at;		/* the last reading */
	double		last_transactions;
	double		unfit;			/* seconds of this phase that did not count */
	double		quiet_for;		/* seconds since one counted */
	int32_t		run;			/* looks in a row that count */
	PadvMeasure last_look;		/* counts if the next one does too */
	PadvMeasure before;
	PadvMeasure during;
	PadvMeasure after;
} PadvControl;

/* What has been since the last look. */
typedef struct PadvControlInput
{
	int64_t		clock_us;		/* monotonic */
	double		transactions;	/* finished since the server started */
	double		waited_share;	/* of the time in which somebody waited, 0..1 */
	int32_t		taken;			/* slots that are taken now */
	int32_t		working;		/* those with a transaction in them */
	int32_t		waiting;		/* transactions that wait for one */
	int32_t		known;			/* a limit that is likely to be good; 0: none */
	int32_t		lowest;			/* bounds of the limit, 1 <= lowest <= highest */
	int32_t		highest;
} PadvControlInput;

/* Start at this limit. */
extern void padv_control_start(PadvControl *control, int32_t limit, const PadvControlInput *input);

/*
 * Look, some times a second; returns the limit to be in force from now on, within
 * the bounds.
 */
extern int32_t padv_control_look(PadvControl *control, const PadvControlInput *input);

/* The limit in force. */
extern int32_t padv_control_limit(const PadvControl *control);

/*
 * Seconds until a limit that does 10 % more or less is told from chance, at so many
 * transactions a second; infinite if there are none.
 */
extern double padv_control_verdict_seconds(double rate);

/* And how many a second it takes to have that within so many seconds. */
extern double padv_control_least_rate(double seconds);

#endif							/* PADV_CONTROLLER_H */
