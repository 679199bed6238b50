/*
 * controller.c
 *		The controller that chooses the limit for server_max_active = auto.
 *
 * Pure.
 *
 *	   BEFORE --end_before--> TRIAL --padv_control_look---> AFTER --end_after--> BEFORE
 *							  TRIAL --end_if_clear-----------------------------> BEFORE
 *	   (any) --end_if_stuck, if too few readings counted-----------------------> BEFORE
 *
 * BEFORE and AFTER measure the base, TRIAL the other limit.  The AFTER of one comparison
 * is the BEFORE of the next.
 *
 * The comparison is between what two limits can do.  So a reading counts only while
 * there is enough work: a transaction waits or, at the higher one of the two limits,
 * about as many work as the lower one allows.  In a pause of the load nothing is
 * measured, nor in the readings next to it.  A comparison continues after a pause, or is
 * discarded after a long one.
 *
 * The noise of a measure is estimated from the changes between measures of the base.  It
 * is not below the noise of counting.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <string.h>

#include "core/policy/controller.h"

/*
 * After a change of the limit this time is left out, until it takes effect; at least as
 * long as a transaction takes.
 */
#define SETTLING_SECONDS 0.25
#define SETTLING_SECONDS_MOST 300.0

/*
 * A measure takes at least the first time.  It ends with so many transactions (for wide
 * steps and for small ones), or after the second time.
 */
#define MEASURE_SECONDS 1.0
#define MEASURE_SECONDS_MOST 300.0
#define MEASURE_TRANSACTIONS_WIDE 100.0
#define MEASURE_TRANSACTIONS_SMALL 400.0

/* A comparison is discarded after so long without a reading that counts. */
#define PATIENCE_SECONDS 60.0

/* Readings further apart are not counted: this process, or all, stood still. */
#define LOOK_SECONDS_MOST 2.0

/* A transaction waits nearly all the time, so the limit bounds throughput. */
#define FULL_SHARE 0.9

/* The load is present if this share of what the lower limit allows works. */
#define PRESENT_SHARE 0.5

/* Time constants of the means of demand, and what counts as a pause. */
#define DEMAND_SECONDS 0.7
#define EMPTY_SECONDS 3.0
#define THROUGHPUT_SECONDS 4.0
#define PAUSE_SHARE 0.25
#define ABSENT_SECONDS 12.0

/* A limit that was not reached for so long is lowered to what was in use. */
#define SINK_SECONDS 15.0

/*
 * The least gain of the higher limit, as a logarithm and for each doubling; and gains
 * and losses so clear that the base is not measured after the trial.
 */
#define LEAST_GAIN 0.015
#define CLEAR_GAIN 0.25
#define CLEAR_LOSS 0.35
#define CLEAR_TRANSACTIONS 20.0
#define MUCH_MORE 0.1

/*
 * Standard errors that count as more than chance.  While it searches, the mean decides
 * after ENOUGH_COMPARISONS if its error is small, or after MOST_COMPARISONS.  For the
 * lower limit a share is enough, or noise would raise the limit where all limits have
 * the same throughput.
 */
#define CHANCE_SEARCHING 1.5
#define CHANCE_SETTLED 2.0
#define LOWER_SHARE 0.75
#define CHANCE_CLEAR 3.5
#define ENOUGH_COMPARISONS 4.0
#define ENOUGH_ERROR 0.05
#define MOST_COMPARISONS 12.0
#define MOST_REMEMBERED 16.0

/* Variance of a measure's logarithm: at first, and its bounds. */
#define NOISE_FIRST (0.06 * 0.06)
#define NOISE_LEAST (0.005 * 0.005)
#define NOISE_WEIGHT 0.1

#define WIDE_RATIO 2.0
#define SMALL_RATIO 1.35

/* Seconds between trials once settled. */
#define FIRST_PAUSE 4.0
#define LAST_PAUSE 12.0

/* Seconds between trials below a limit that is not reached, after one did worse. */
#define FIRST_CALM 15.0
#define LAST_CALM 600.0
#define OTHER_DEMAND 1.6

/* The state is not full after so long without a reading that counts. */
#define QUIET_SECONDS 3.0

/* The load is another one if throughput at the base has changed by so much. */
#define LOAD_CHANGE 0.2
#define COLLAPSE 0.7

/*
 * padv_control_verdict_seconds: trial and base with n transactions each (the base twice)
 * differ by 10 % in two standard errors where (0.1 / 2)^2 = 1.5 / n.
 */
#define VERDICT_DIFFERENCE 0.1
#define VERDICT_TRANSACTIONS (2.0 * 1.5 * CHANCE_SETTLED * CHANCE_SETTLED / (VERDICT_DIFFERENCE * VERDICT_DIFFERENCE))

double
padv_control_verdict_seconds(double rate)
{
	return rate > 0.0 ? VERDICT_TRANSACTIONS / rate : HUGE_VAL;
}

double
padv_control_least_rate(double seconds)
{
	return VERDICT_TRANSACTIONS / seconds;
}

static double
measured_rate(const PadvMeasure *measure)
{
	return measure->seconds > 0.0 ? measure->transactions / measure->seconds : 0.0;
}

/* Half a transaction is added, so that the logarithm of 0 exists. */
static double
log_rate(const PadvMeasure *measure)
{
	return log((measure->transactions + 0.5) / fmax(measure->seconds, 1e-3));
}

static double
measure_variance(const PadvControl *control, const PadvMeasure *measure)
{
	return fmax(control->noise, 1.0 / (measure->transactions + 0.5));
}

static int32_t
bound_limit(double limit, const PadvControlInput *input)
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

static PadvMeasure *
current_measure(PadvControl *control)
{
	return control->phase == PADV_PHASE_BEFORE ? &control->before :
		control->phase == PADV_PHASE_TRIAL ? &control->during : &control->after;
}

static void
begin_phase(PadvControl *control, PadvControlPhase phase, const PadvControlInput *input)
{
	if (phase == PADV_PHASE_BEFORE)
		control->bases = 0;
	control->phase = phase;
	control->phase_started = input->clock_us;
	control->unfit = 0.0;
	memset(&control->last_look, 0, sizeof(PadvMeasure));
	memset(current_measure(control), 0, sizeof(PadvMeasure));
}

static void
reset_evidence(PadvControl *control)
{
	memset(&control->below, 0, sizeof(PadvTrialEvidence));
	memset(&control->above, 0, sizeof(PadvTrialEvidence));
}

/* --- what to try next --- */

/* The next higher limit: not above the demand. */
static double
limit_above(const PadvControl *control)
{
	double		limit = fmin(floor(control->base * control->ratio), ceil(control->demand));

	return fmax(limit, control->base + 1.0);
}

/* Seconds that a transaction takes, by Little's law. */
static double
time_of_a_transaction(const PadvControl *control)
{
	return control->demand / fmax(control->throughput, 1e-6);
}

/*
 * Whether trials below a limit that is not reached are not worth their cost now: a trial
 * has done worse, and since then neither the demand nor the time of a transaction has
 * changed.
 */
static bool
is_calm(const PadvControl *control, const PadvControlInput *input)
{
	double		longer = time_of_a_transaction(control) / fmax(control->calm_time, 1e-6);

	return input->clock_us < control->calm_until &&
		control->demand < OTHER_DEMAND * control->calm_demand &&
		longer < OTHER_DEMAND && longer > 1.0 / OTHER_DEMAND;
}

/*
 * The next lower limit.  Below a limit that is not reached it starts from the demand.
 * That trial makes transactions wait that would not have to, so it becomes rarer each
 * time that it does worse.
 */
static double
limit_below(const PadvControl *control, const PadvControlInput *input)
{
	double		from = control->full ? control->base : fmin(control->base, floor(control->demand));
	double		limit = fmin(ceil(from / control->ratio), from - 1.0);

	if (limit < input->lowest)
		limit = from > input->lowest ? input->lowest : control->base;
	if (!control->full && is_calm(control, input))
		limit = control->base;
	return fmin(limit, control->base);
}

/* Choose the limit to try next, or the base where there is none. */
static void
choose_trial(PadvControl *control, const PadvControlInput *input)
{
	if (!control->full)
		control->direction = -1;
	control->trial = bound_limit(control->direction > 0 ? limit_above(control) :
								 limit_below(control, input), input);
}

static void
begin_before(PadvControl *control, const PadvControlInput *input)
{
	choose_trial(control, input);
	begin_phase(control, PADV_PHASE_BEFORE, input);
}

/* The same, with a measure of the base that exists already. */
static void
go_on_from(PadvControl *control, PadvMeasure measure, const PadvControlInput *input)
{
	int32_t		bases = control->bases;

	begin_before(control, input);
	control->before = measure;
	control->bases = bases;
}

static void
begin_search(PadvControl *control, const PadvControlInput *input)
{
	control->stage = PADV_CONTROL_SEARCHING;
	control->ratio = WIDE_RATIO;
	control->direction = 1;
	control->left = 0;
	control->rejected = 0;
	control->pause = FIRST_PAUSE;
	control->settled_rate = 0.0;
	reset_evidence(control);
	begin_before(control, input);
}

void
padv_control_start(PadvControl *control, int32_t limit, const PadvControlInput *input)
{
	memset(control, 0, sizeof(*control));
	control->base = bound_limit(limit, input);
	control->noise = NOISE_FIRST;
	control->quiet_for = QUIET_SECONDS;
	begin_search(control, input);
	control->state = PADV_CONTROL_NOT_FULL;
}

/* No gain on either side: take smaller steps, then rare ones. */
static void
take_smaller_steps(PadvControl *control)
{
	control->rejected = 0;
	if (control->stage == PADV_CONTROL_SETTLED)
		control->pause = fmin(2.0 * control->pause, LAST_PAUSE);
	else if (control->ratio > SMALL_RATIO)
	{
		control->ratio = SMALL_RATIO;
		control->left = 0;
		reset_evidence(control);
	}
	else
	{
		control->stage = PADV_CONTROL_SETTLED;
		control->settled_rate = 0.0;
	}
}

/* The trial was not better: try the other direction next. */
static void
reverse_direction(PadvControl *control, const PadvControlInput *input)
{
	control->direction = -control->direction;
	if (!control->full)
	{
		control->calm = fmin(fmax(2.0 * control->calm, FIRST_CALM), LAST_CALM);
		control->calm_until = input->clock_us + (int64_t) (control->calm * 1e6);
		control->calm_demand = control->demand;
		control->calm_time = time_of_a_transaction(control);
		take_smaller_steps(control);
	}
	else if (++control->rejected >= 2)
		take_smaller_steps(control);
}

/* --- the demand --- */

static bool
limit_is_full(const PadvControl *control, const PadvControlInput *input)
{
	return input->waited_share >= FULL_SHARE && input->taken >= padv_control_limit(control);
}

/*
 * Whether throughput in this reading shows what the limit in force can do.  At the higher
 * one of the two limits transactions need not wait.
 */
static bool
reading_counts(const PadvControl *control, const PadvControlInput *input)
{
	int32_t		lower = control->trial < control->base ? control->trial : control->base;

	return limit_is_full(control, input) ||
		(padv_control_limit(control) > lower && input->working >= fmax(PRESENT_SHARE * lower, 1.0));
}

/* Search again, below the base: earlier results say little about this load. */
static void
search_below(PadvControl *control)
{
	control->stage = PADV_CONTROL_SEARCHING;
	control->ratio = WIDE_RATIO;
	reset_evidence(control);
}

/* Note whether the base is full; a change of that needs another kind of trial. */
static void
set_full(PadvControl *control, bool full, const PadvControlInput *input)
{
	if (control->full == full)
		return;
	control->full = full;
	control->direction = full ? 1 : -1;
	control->rejected = 0;
	control->left = 0;
	reset_evidence(control);
	if (!full && !is_calm(control, input))
		search_below(control);
	if (control->phase == PADV_PHASE_BEFORE)
		begin_before(control, input);
}

/* Update the means of demand, over the time in which the load is present. */
static void
update_demand(PadvControl *control, const PadvControlInput *input, double seconds)
{
	bool		full = limit_is_full(control, input);
	double		wanted = fmax((full ? input->taken : input->working) + (double) input->waiting, 0.0);
	double		weight = fmin(seconds / DEMAND_SECONDS, 1.0);

	if (full || wanted >= fmax(PAUSE_SHARE * control->demand, 1.0))
		control->absent = 0.0;
	else
		control->absent += seconds;
	if (wanted < 1.0 || (control->absent > 0.0 && control->absent < ABSENT_SECONDS))
		return;
	control->demand += (wanted - control->demand) * weight;
	if (control->phase == PADV_PHASE_TRIAL)
		return;
	if (input->transactions >= control->last_transactions)
		control->throughput += ((input->transactions - control->last_transactions) / seconds - control->throughput) *
			fmin(seconds / THROUGHPUT_SECONDS, 1.0);

	/* transactions that still run in a pause do not make it another load */
	control->fullness += full ? (1.0 - control->fullness) * weight :
		-control->fullness * fmin(seconds / EMPTY_SECONDS, 1.0);
	if (control->fullness > 0.6)
		set_full(control, true, input);
	else if (control->fullness < 0.3)
		set_full(control, false, input);
}

/*
 * Lower a limit that has not been reached for a while to what was in use, but not below
 * what is known to be good.  So a limit found for another load is not kept for ever.
 */
static void
lower_unused_limit(PadvControl *control, const PadvControlInput *input, double seconds)
{
	int32_t		most;

	if (input->waited_share >= 0.5)
	{
		control->peak_seconds = 0.0;
		control->peak = control->peak_before = 0;
		return;
	}
	if (control->phase != PADV_PHASE_BEFORE)
		return;
	control->peak_seconds += seconds;
	if (input->working > control->peak)
		control->peak = input->working;
	if (control->peak_seconds < SINK_SECONDS)
		return;
	most = control->peak > control->peak_before ? control->peak : control->peak_before;
	if (control->peak_before > 0 && most < control->base - 1)
	{
		most = most + 1 > input->known ? most + 1 : input->known;
		if (bound_limit(most, input) < control->base)
		{
			control->base = bound_limit(most, input);
			reset_evidence(control);
			begin_before(control, input);
		}
	}
	control->peak_seconds = 0.0;
	control->peak_before = control->peak;
	control->peak = 0;
}

/* --- the result of a trial --- */

/* The trial was better, or as good with a lower limit: make it the base. */
static void
move_base(PadvControl *control, bool clearly)
{
	control->left = control->base;
	control->base = control->trial;
	control->bases = 0;
	control->moves++;
	control->rejected = 0;
	control->settled_rate = 0.0;
	control->pause = FIRST_PAUSE;
	control->calm = 0.0;
	control->calm_until = 0;
	reset_evidence(control);

	/* after a gain that large there may be more */
	if (clearly && control->stage == PADV_CONTROL_SETTLED)
	{
		control->stage = PADV_CONTROL_SEARCHING;
		control->ratio = WIDE_RATIO;
	}
}

static void
note_trial(PadvControl *control, double gained)
{
	control->trials++;
	control->last_gain = expm1(fmin(gained, 10.0));
	control->last_trial = control->trial;
}

/* The least gain of the higher limit, as a logarithm, for this ratio. */
static double
least_gain(const PadvControl *control)
{
	return LEAST_GAIN * log2(fmax(control->ratio, 1.0));
}

/* Add a comparison; returns all evidence about this limit. */
static PadvTrialEvidence *
add_evidence(PadvControl *control, double gained, double chance)
{
	PadvTrialEvidence *evidence = control->trial > control->base ? &control->above : &control->below;

	if (evidence->trial != control->trial)
		memset(evidence, 0, sizeof(*evidence));
	if (evidence->comparisons >= MOST_REMEMBERED)
	{
		double		keep = (MOST_REMEMBERED - 1.0) / evidence->comparisons;

		evidence->comparisons *= keep;
		evidence->gains *= keep;
		evidence->variance *= keep;
	}
	evidence->trial = control->trial;
	evidence->comparisons += 1.0;
	evidence->gains += gained;
	evidence->variance += chance;
	return evidence;
}

/*
 * 1: keep the trial; -1: keep the base; 0: not known yet.  The higher one of the two has
 * to gain something, or else the lower one is as good.
 */
static int
compare_evidence(const PadvControl *control, const PadvTrialEvidence *evidence)
{
	bool		searching = control->stage == PADV_CONTROL_SEARCHING;
	int			sign = control->trial > control->base ? 1 : -1;
	double		more = sign * evidence->gains / evidence->comparisons - least_gain(control);
	double		error = sqrt(evidence->variance) / evidence->comparisons;
	bool		enough = searching && evidence->comparisons >=
		(error <= ENOUGH_ERROR ? ENOUGH_COMPARISONS : MOST_COMPARISONS);

	if (more > (searching ? CHANCE_SEARCHING : CHANCE_SETTLED) * error)
		return sign;
	if (-more > LOWER_SHARE * (searching ? CHANCE_SEARCHING : CHANCE_SETTLED) * error)
		return -sign;
	return !enough ? 0 : more > LOWER_SHARE * error ? sign : -sign;
}

/*
 * Whether the load has changed by more than chance since the controller settled.  That
 * can be seen long before a measure is complete.
 */
static bool
load_has_changed(const PadvControl *control)
{
	bool		settled = control->stage == PADV_CONTROL_SETTLED && control->settled_rate > 0.0;
	double		usual = settled ? control->settled_rate : control->rate;
	double		chance = CHANCE_CLEAR * sqrt(measure_variance(control, &control->before));
	double		change;

	if (!control->full || usual <= 0.0 || control->before.seconds < MEASURE_SECONDS ||
		fmax(control->before.seconds * usual, control->before.transactions) < CLEAR_TRANSACTIONS)
		return false;
	change = log_rate(&control->before) - log(usual);
	return settled ? fabs(change) > fmax(LOAD_CHANGE, chance) : change < -fmax(COLLAPSE, chance);
}

/* Search again for a new load; downwards first if its throughput is lower. */
static void
search_new_load(PadvControl *control, const PadvControlInput *input)
{
	bool		less = measured_rate(&control->before) < control->rate;

	control->rate = measured_rate(&control->before);
	begin_search(control, input);
	if (less)
	{
		control->direction = -1;
		begin_before(control, input);
	}
}

static double
transactions_wanted(const PadvControl *control)
{
	return control->ratio > SMALL_RATIO ? MEASURE_TRANSACTIONS_WIDE : MEASURE_TRANSACTIONS_SMALL;
}

static bool
measure_is_complete(const PadvControl *control, const PadvMeasure *measure)
{
	return measure->seconds >= MEASURE_SECONDS_MOST ||
		(measure->seconds >= MEASURE_SECONDS && measure->transactions >= transactions_wanted(control));
}

/* Whether the trial is long enough to show a clear difference. */
static bool
is_long_enough(const PadvControl *control)
{
	return control->during.seconds >= MEASURE_SECONDS &&
		fmax(control->during.transactions, control->during.seconds * control->rate) >= CLEAR_TRANSACTIONS;
}

/* A measure of the base is complete, and a trial may follow. */
static void
end_before(PadvControl *control, const PadvControlInput *input)
{
	control->rate = measured_rate(&control->before);
	if (control->stage == PADV_CONTROL_SETTLED &&
		(double) (input->clock_us - control->phase_started) / 1e6 < control->pause)
	{
		/* continue the measure, but let old readings count less */
		if (control->before.seconds >= 2.0 * MEASURE_SECONDS &&
			control->before.transactions >= 2.0 * transactions_wanted(control))
		{
			control->before.seconds /= 2.0;
			control->before.transactions /= 2.0;
		}
		return;
	}
	control->settled_rate = control->settled_rate > 0.0 ?
		0.8 * control->settled_rate + 0.2 * control->rate : control->rate;
	choose_trial(control, input);
	if (control->trial == control->base ||
		(control->trial == control->left && control->stage == PADV_CONTROL_SEARCHING))
	{
		if (control->full || control->trial != control->base)
			reverse_direction(control, input);
		go_on_from(control, control->before, input);
		return;
	}
	begin_phase(control, PADV_PHASE_TRIAL, input);
	memset(&control->after, 0, sizeof(control->after));
}

/*
 * While it searches, a trial with a large gain or loss needs no second measure of the
 * base.  A gain larger than the ratio of the limits does not come from the limit alone.
 */
static bool
end_if_clear(PadvControl *control, const PadvControlInput *input)
{
	double		gained = log_rate(&control->during) - log_rate(&control->before);
	double		chance = sqrt(measure_variance(control, &control->during) + measure_variance(control, &control->before));
	double		most = log((double) control->trial / control->base) + 0.1 + chance;

	if (control->stage == PADV_CONTROL_SEARCHING && gained > fmax(CLEAR_GAIN, CHANCE_CLEAR * chance) &&
		(control->trial < control->base || gained < most))
	{
		note_trial(control, gained);
		move_base(control, true);
		go_on_from(control, control->during, input);
		return true;
	}
	if (gained < -fmax(CLEAR_LOSS, CHANCE_CLEAR * chance))
	{
		note_trial(control, gained);
		reverse_direction(control, input);
		begin_before(control, input);
		return true;
	}
	return false;
}

static void
decide_trial(PadvControl *control, const PadvControlInput *input)
{
	double		gained = log_rate(&control->during) -
		(log_rate(&control->before) + log_rate(&control->after)) / 2.0;
	double		chance = measure_variance(control, &control->during) +
		(measure_variance(control, &control->before) + measure_variance(control, &control->after)) / 4.0;
	int			kept = compare_evidence(control, add_evidence(control, gained, chance));

	note_trial(control, gained);
	if (kept > 0)
	{
		move_base(control, gained > fmax(MUCH_MORE, CHANCE_SETTLED * sqrt(chance)));
		begin_before(control, input);
		return;
	}
	if (kept < 0)
		reverse_direction(control, input);
	else if (control->stage == PADV_CONTROL_SETTLED)
		control->direction = -control->direction;
	go_on_from(control, control->after, input);
}

/*
 * Update the noise from measures of the base.  With three measures in a row it is their
 * curvature, because a trend is not noise; else it is their difference.
 */
static void
update_noise(PadvControl *control)
{
	double		first = log_rate(&control->before);
	double		now = log_rate(&control->after);
	double		weight = NOISE_WEIGHT;
	double		seen = fmin(fabs(now - first), 0.5);

	seen = seen * seen / 2.0;
	if (control->bases >= 2)
	{
		double		bend = fmin(fabs(now - 2.0 * first + control->base_before), 1.0);

		seen = bend * bend / 6.0;
		weight = fmax(weight, 1.0 / (2.0 + control->noise_seen++));
	}
	control->noise += weight * (fmax(seen, NOISE_LEAST) - control->noise);
	control->base_before = first;
	control->bases++;
}

/* A second measure of the base is complete: compare, if the load was the same. */
static void
end_after(PadvControl *control, const PadvControlInput *input)
{
	double		change = log_rate(&control->after) - log_rate(&control->before);
	double		chance = 4.0 * sqrt(measure_variance(control, &control->after) + measure_variance(control, &control->before));

	control->rate = measured_rate(&control->after);
	update_noise(control);
	if (fabs(change) > fmax(CLEAR_LOSS, chance))
		go_on_from(control, control->after, input);
	else
		decide_trial(control, input);
}

/* --- a reading --- */

/* Seconds until a new limit takes effect: the time of a transaction, by Little's law. */
static double
settling_seconds(const PadvControl *control)
{
	double		limit = fmin(padv_control_limit(control), control->demand);

	if (control->rate <= 0.0)
		return SETTLING_SECONDS;
	return fmin(fmax(SETTLING_SECONDS, limit / control->rate), SETTLING_SECONDS_MOST);
}

/* Add a reading to the current measure, if it and its neighbours count. */
static void
add_reading(PadvControl *control, const PadvControlInput *input, double seconds)
{
	PadvMeasure look = {input->transactions - control->last_transactions, seconds};
	PadvMeasure *to = current_measure(control);

	if (seconds <= 0.0)
		return;
	if (!reading_counts(control, input) || input->taken > padv_control_limit(control) + 1 || seconds > LOOK_SECONDS_MOST || !(look.transactions >= 0.0))
	{
		control->run = 0;
		control->unfit += seconds;
		control->quiet_for += seconds;
		memset(&control->last_look, 0, sizeof(PadvMeasure));
		return;
	}
	control->quiet_for = 0.0;
	if (control->run < 2)
		control->run++;

	/* the first reading after a pause is incomplete */
	to->transactions += control->last_look.transactions;
	to->seconds += control->last_look.seconds;
	memset(&control->last_look, 0, sizeof(PadvMeasure));
	if (control->run >= 2 && (control->phase == PADV_PHASE_BEFORE && to->seconds > 0.0 ? true :
							  (double) (input->clock_us - control->phase_started) / 1e6 >= settling_seconds(control)))
		control->last_look = look;
}

/* Discard a comparison after too long with too little work. */
static void
end_if_stuck(PadvControl *control, const PadvControlInput *input)
{
	if (control->unfit > PATIENCE_SECONDS)
		begin_before(control, input);

	/* a trial below the base had to wait until now */
	if (control->phase == PADV_PHASE_BEFORE && !control->full && control->before.seconds <= 0.0 &&
		(control->trial == control->base || control->trial >= control->demand) && !is_calm(control, input))
	{
		if (input->clock_us < control->calm_until)	/* it is another load */
			control->calm = 0.0;
		control->calm_until = 0;
		search_below(control);
		choose_trial(control, input);
	}
}

int32_t
padv_control_look(PadvControl *control, const PadvControlInput *input)
{
	double		seconds = control->read_at > 0 ? (double) (input->clock_us - control->read_at) / 1e6 : 0.0;

	/* bounds can change, as cores do */
	control->base = bound_limit(control->base, input);
	control->trial = bound_limit(control->trial, input);

	if (seconds > 0.0)
	{
		update_demand(control, input, fmin(seconds, LOOK_SECONDS_MOST));
		lower_unused_limit(control, input, fmin(seconds, LOOK_SECONDS_MOST));
		add_reading(control, input, seconds);
		end_if_stuck(control, input);
	}
	control->read_at = input->clock_us;
	control->last_transactions = input->transactions;
	if (control->phase == PADV_PHASE_TRIAL && is_long_enough(control) && end_if_clear(control, input))
		;
	else if (control->phase == PADV_PHASE_BEFORE && load_has_changed(control))
		search_new_load(control, input);
	else if (measure_is_complete(control, current_measure(control)))
	{
		if (control->phase == PADV_PHASE_BEFORE)
			end_before(control, input);
		else if (control->phase == PADV_PHASE_AFTER)
			end_after(control, input);
		else
			begin_phase(control, PADV_PHASE_AFTER, input);
	}
	control->state = control->quiet_for >= QUIET_SECONDS ? PADV_CONTROL_NOT_FULL : control->stage;
	return padv_control_limit(control);
}
