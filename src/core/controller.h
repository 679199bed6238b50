/*
 * controller.h
 *		Where server_max_active = auto goes next.
 *
 * Hill climbing on the number of transactions that finish, by paired trials: a
 * limit beside the present one is tried for a while, and compared with what the
 * present one did before and after.  So a trend, as caches that fill, is not taken
 * for a gain.  (Heiss and Wagner 1991 and Abouzour et al. 2011 climb on the same
 * figure; like theirs, steps are wide at first and small around the peak.)
 *
 * Plain data; the caller brings the clock and the counters.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_CONTROLLER_H
#define PADV_CONTROLLER_H

#include <stdbool.h>
#include <stdint.h>

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

typedef struct PadvControl
{
	int32_t		state;			/* PadvControlState */
	int32_t		phase;			/* PadvControlPhase */
	int32_t		base;			/* the best limit as far as is known */
	int32_t		trial;			/* what is compared with it */
	int32_t		left;			/* the base before, found worse; 0: forgotten */
	int32_t		direction;		/* 1 or -1 */
	int32_t		rejected;		/* directions in which no gain was found */
	int32_t		confirmed;		/* trials in a row that spoke for this limit */
	double		ratio;			/* of trial and base */
	double		pause;			/* seconds between two trials, once settled */
	double		settled_rate;	/* transactions a second at the base */
	double		last_gain;		/* of the last trial, as a share */
	int32_t		last_trial;		/* 0: there was none yet */
	int32_t		trials;
	int32_t		moves;

	int64_t		phase_started;
	int64_t		measured_at;	/* of the last reading that counts */
	double		waited;			/* seconds of this phase in which somebody
								 * waited */
	double		last_transactions;
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
	int32_t		lowest;			/* bounds of the limit, 1 <= lowest <= highest */
	int32_t		highest;
} PadvControlInput;

/* Start at this limit. */
extern void padv_control_start(PadvControl *control, int32_t limit, const PadvControlInput *input);

/*
 * Look, a few times a second; returns the limit to be in force from now on, within
 * the bounds.
 */
extern int32_t padv_control_look(PadvControl *control, const PadvControlInput *input);

/* The limit in force. */
extern int32_t padv_control_limit(const PadvControl *control);

#endif							/* PADV_CONTROLLER_H */
