/*
 * controller.c
 *		Where server_max_active = auto goes next.
 *
 * Pure.  While the limit is not reached nothing is learned: throughput is then
 * what the clients ask for.  A trial that is not full is still a fair one, for
 * its base was.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <string.h>

#include "core/controller.h"

/* After a change of the limit this is left out, until the new one works. */
#define SETTLING_SECONDS 0.25

/* A measure is so long at least, and has so many transactions if that is soon. */
#define MEASURE_SECONDS 1.0
#define MEASURE_TRANSACTIONS 1000.0
#define MEASURE_SECONDS_MOST 10.0

/* Somebody waits nearly all the time: the limit is what bounds throughput. */
#define FULL_SHARE 0.8

/* What counts as a gain, beyond chance; and what needs no second look. */
#define LEAST_GAIN 0.02
#define CLEAR_GAIN 0.10
#define CHANCE_FACTOR 2.0

#define WIDE_RATIO 2.0
#define SMALL_RATIO 1.35

/* Between trials once settled. */
#define FIRST_PAUSE 4.0
#define LAST_PAUSE 12.0

/* Another load, if throughput at the base has changed by so much. */
#define LOAD_CHANGE 0.2

static double
rate(const PadvMeasure *measure)
{
	return measure->seconds > 0.0 ? measure->transactions / measure->seconds : 0.0;
}

static int32_t
bounded(double limit, const PadvControlInput *input)
{
	if (!(limit > input->lowest))
		return input->lowest;
	return limit < input->highest ? (int32_t) limit : input->highest;
}

int32_t
padv_control_limit(const PadvControl *control)
{
	return control->phase == PADV_PHASE_TRIAL ? control->trial : control->base;
}

static void
begin_phase(PadvControl *control, PadvControlPhase phase, const PadvControlInput *input)
{
	PadvMeasure *measure = phase == PADV_PHASE_BEFORE ? &control->before :
		phase == PADV_PHASE_TRIAL ? &control->during : &control->after;

	control->phase = phase;
	control->phase_started = input->clock_us;
	control->measured_at = 0;
	control->waited = 0.0;
	memset(measure, 0, sizeof(*measure));
}

static void
search(PadvControl *control, const PadvControlInput *input)
{
	control->state = PADV_CONTROL_SEARCHING;
	control->ratio = WIDE_RATIO;
	control->direction = 1;
	control->left = 0;
	control->rejected = 0;
	control->confirmed = 0;
	control->pause = FIRST_PAUSE;
	control->settled_rate = 0.0;
	begin_phase(control, PADV_PHASE_BEFORE, input);
}

void
padv_control_start(PadvControl *control, int32_t limit, const PadvControlInput *input)
{
	memset(control, 0, sizeof(*control));
	control->base = bounded(limit, input);
	search(control, input);
	control->state = PADV_CONTROL_NOT_FULL;
}

/* The limit beside the base, at least one away; the base where a bound is. */
static int32_t
next_trial(const PadvControl *control, const PadvControlInput *input)
{
	double		limit = control->direction > 0 ? control->base * control->ratio :
		control->base / control->ratio;

	limit = control->direction > 0 ? fmax(floor(limit), control->base + 1.0) :
		fmin(ceil(limit), control->base - 1.0);
	return bounded(limit, input);
}

static void
turn_round(PadvControl *control)
{
	control->direction = -control->direction;
	control->rejected++;
	control->confirmed = 0;
	if (control->rejected < 2)
		return;

	/* no gain on either side: smaller steps, then seldom ones */
	control->rejected = 0;
	if (control->state == PADV_CONTROL_SETTLED)
		control->pause = fmin(2.0 * control->pause, LAST_PAUSE);
	else if (control->ratio > SMALL_RATIO)
	{
		control->ratio = SMALL_RATIO;
		control->left = 0;
	}
	else
		control->state = PADV_CONTROL_SETTLED;
}

/* What the trial gained over what the base did before and, if seen, after. */
static double
gain(const PadvControl *control, double *chance)
{
	PadvMeasure base = control->before;
	double		mean = rate(&base);

	if (control->after.seconds > 0.0)
	{
		base.transactions += control->after.transactions;
		mean = (rate(&control->before) + rate(&control->after)) / 2.0;
	}
	*chance = CHANCE_FACTOR * sqrt(1.0 / fmax(base.transactions, 1.0) +
								   1.0 / fmax(control->during.transactions, 1.0));
	if (mean <= 0.0)
		return control->during.transactions > 0.0 ? 1.0 : 0.0;
	return rate(&control->during) / mean - 1.0;
}

/* The trial was better: go on from there. */
static void
move(PadvControl *control, bool clearly)
{
	control->left = control->base;
	control->base = control->trial;
	control->moves++;
	control->rejected = 0;
	control->confirmed = 0;
	control->settled_rate = 0.0;
	control->pause = FIRST_PAUSE;

	/* where so much was to be had after all, there may be more */
	if (clearly && control->state == PADV_CONTROL_SETTLED)
	{
		control->state = PADV_CONTROL_SEARCHING;
		control->ratio = WIDE_RATIO;
	}
}

static void
judge(PadvControl *control, const PadvControlInput *input)
{
	double		chance;
	double		gained = gain(control, &chance);
	bool		clear;

	control->trials++;
	control->last_gain = gained;
	control->last_trial = control->trial;
	clear = gained > fmax(CLEAR_GAIN, 2.0 * chance);
	if (gained <= fmax(LEAST_GAIN, chance))
		turn_round(control);
	else if (clear || ++control->confirmed >= 2)
		move(control, clear);
	begin_phase(control, PADV_PHASE_BEFORE, input);
}

/* Add what has been since the last reading, once the limit works. */
static void
measure(PadvControl *control, PadvMeasure *to, const PadvControlInput *input)
{
	if ((double) (input->clock_us - control->phase_started) / 1e6 < SETTLING_SECONDS)
		return;
	if (control->measured_at > 0 && input->clock_us > control->measured_at)
	{
		double		seconds = (double) (input->clock_us - control->measured_at) / 1e6;

		to->seconds += seconds;
		to->transactions += fmax(input->transactions - control->last_transactions, 0.0);
		control->waited += seconds * input->waited_share;
	}
	control->measured_at = input->clock_us;
	control->last_transactions = input->transactions;
}

static bool
is_enough(const PadvMeasure *to)
{
	return to->seconds >= MEASURE_SECONDS_MOST ||
		(to->seconds >= MEASURE_SECONDS && to->transactions >= MEASURE_TRANSACTIONS);
}

/* Whether this is another load than the one that was settled for. */
static bool
load_has_changed(PadvControl *control)
{
	double		now = rate(&control->before);
	bool		changed = control->settled_rate > 0.0 &&
		fabs(now / control->settled_rate - 1.0) > LOAD_CHANGE;

	if (!changed)
		control->settled_rate = control->settled_rate > 0.0 ?
			0.8 * control->settled_rate + 0.2 * now : now;
	return changed;
}

/* A measure of the base is complete, and a trial may follow. */
static void
end_before(PadvControl *control, const PadvControlInput *input)
{
	double		waited = control->waited / control->before.seconds;

	if (waited < FULL_SHARE)
	{
		control->state = PADV_CONTROL_NOT_FULL;
		begin_phase(control, PADV_PHASE_BEFORE, input);
		return;
	}
	if (control->state == PADV_CONTROL_NOT_FULL ||
		(control->state == PADV_CONTROL_SETTLED && load_has_changed(control)))
	{
		search(control, input);
		return;
	}
	if (control->state == PADV_CONTROL_SETTLED &&
		(double) (input->clock_us - control->phase_started) / 1e6 < control->pause)
	{
		/* go on looking, by the last measure's length */
		if (control->before.seconds >= 2.0 * MEASURE_SECONDS)
		{
			control->before.seconds /= 2.0;
			control->before.transactions /= 2.0;
			control->waited /= 2.0;
		}
		return;
	}
	control->trial = next_trial(control, input);
	if (control->trial == control->base ||
		(control->trial == control->left && control->state == PADV_CONTROL_SEARCHING))
	{
		turn_round(control);
		begin_phase(control, PADV_PHASE_BEFORE, input);
		return;
	}
	begin_phase(control, PADV_PHASE_TRIAL, input);
	memset(&control->after, 0, sizeof(control->after));
}

/* A wide step that gained much, or lost much, needs no second look at the base. */
static void
end_trial(PadvControl *control, const PadvControlInput *input)
{
	double		chance;
	double		gained = gain(control, &chance);

	if (control->state == PADV_CONTROL_SEARCHING && fabs(gained) > fmax(3.0 * CLEAR_GAIN, 2.0 * chance))
		judge(control, input);
	else
		begin_phase(control, PADV_PHASE_AFTER, input);
}

int32_t
padv_control_look(PadvControl *control, const PadvControlInput *input)
{
	PadvMeasure *to = control->phase == PADV_PHASE_BEFORE ? &control->before :
		control->phase == PADV_PHASE_TRIAL ? &control->during : &control->after;

	/* bounds can change, as cores do */
	control->base = bounded(control->base, input);
	control->trial = bounded(control->trial, input);

	measure(control, to, input);
	if (is_enough(to))
	{
		if (control->phase == PADV_PHASE_BEFORE)
			end_before(control, input);
		else if (control->phase == PADV_PHASE_TRIAL)
			end_trial(control, input);
		else
			judge(control, input);
	}
	return padv_control_limit(control);
}
