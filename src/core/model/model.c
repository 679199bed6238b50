/*
 * model.c
 *		The methods for the optimum, the choice between them, and the verdict.
 *
 * Owns the thresholds of the verdict.  Pure.  The worker calls it after each
 * sample.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <string.h>

#include "core/model/model.h"

/* A demand below this share of the optimum is idle. */
#define IDLE_RATIO 0.1

/* The tolerance around a number that has no range of its own. */
#define TOLERANCE_LOW 0.8
#define TOLERANCE_HIGH 1.25

/*
 * Contention: at least one session waits for a lock on average, and at least half
 * of the demand.  The latter is a conflict ratio of 2; Moenkeberg and Weikum (1992)
 * call it critical from 1.3 on, in locks held.
 */
#define BLOCKED_SESSIONS 1.0
#define BLOCKED_SHARE 0.5

/* Less working time than this says nothing about the share of disk reads. */
#define TRIVIAL_SESSIONS 0.05

/* Effective spindles change by at least this much, to avoid flapping. */
#define SPINDLE_STEP 0.5
#define NO_SPINDLES 0.05

/* The least CPU time of sessions, in seconds, for a wait ratio. */
#define ENOUGH_RUN 3.0

/* Longer pauses of clients do not add to the margin. */
#define LARGEST_PAUSE_RATIO 10.0

/* A bottleneck must have been saturated for this share of the last seconds. */
#define SATURATED_SHARE 0.5

/* What was expected of a resource counts for so long after it is saturated. */
#define EXPECTED_FOR_SECONDS 900.0

/*
 * With one connection a long statement blocks all others, and what it uses is idle from one
 * transaction to the next.
 */
#define LEAST_CONNECTIONS 2.0

/* So many locks that are used alike are not one. */
#define SEVERAL 1.5

/* Several locks that are used more than this let hardly more through with more sessions. */
#define MOST_LOCK_USE 0.9

/* The wait ratio changes the number by at least this much, to avoid flapping. */
#define WAIT_RATIO_STEP 0.5
#define WAIT_RATIO_SHARE 0.15

/*
 * Without a saturated resource, no knee is named before this multiple of the
 * formula's number was seen busy.  Below that a bend is more often caused by
 * clients.
 */
#define LEAST_SEEN 1.5

/*
 * The least evidence for confidence "high": seconds around and beyond the peak,
 * seconds under pressure, and bins.
 */
#define MUCH_EVIDENCE 20.0
#define MUCH_PRESSURE 120.0
#define MANY_BINS 6

/* A range wider than this factor has low confidence. */
#define WIDE_RANGE 4.0

/*
 * Curves have no narrow peak of many connections: one that falls by 5 % within less than this
 * factor is one of noise, or of seconds that belong to another level.
 */
#define NARROW_RANGE 1.35
#define FEW_CONNECTIONS 8.0

/*
 * The uncertainty of a gain, as a logarithm: two standard errors of a mean of
 * twenty seconds, on both sides of the quotient.
 */
#define SPREAD 0.8
#define LEAST_SPREAD 0.1

/* A trial goes before a curve of high confidence that excludes it for so long. */
#define TRIAL_ALONE_SECONDS 86400.0

/* The formula's author about recent hardware (Stack Overflow 10420469, 2022). */
#define UPPER_CONNECTIONS_PER_CORE 4.0

int64_t
padv_formula_size(double cores, double effective_spindles,
				  double connections_per_core)
{
	double		size = floor(cores * connections_per_core + effective_spindles + 0.5);

	if (!(size >= 1.0))
		return 1;
	if (size >= 9223372036854775808.0)	/* 2^63 */
		return INT64_MAX;
	return (int64_t) size;
}

double
padv_least_per_core(double connections_per_core)
{
	return fmin(1.0, connections_per_core);
}

double
padv_most_per_core(double connections_per_core)
{
	return fmax(UPPER_CONNECTIONS_PER_CORE, connections_per_core);
}

void
padv_model_init(PadvModel *model)
{
	memset(model, 0, sizeof(*model));
	model->busy_ratio = -1.0;
}

/*
 * The share of working time that is spent in reads from a disk.
 *
 * The operating system's cache can serve sessions that wait for I/O, and other
 * processes can use the disk.  So the smaller one of outstanding reads and sessions
 * waiting for I/O counts.  Its share of itself plus sessions on CPU does not depend
 * on the load.
 */
static double
disk_share(const PadvMinute *minute, const PadvLoad *load, double previous)
{
	double		reading = minute->in_class[PADV_WAITING_IO];
	double		working;

	if (load->disk_reads >= 0.0 && load->disk_reads < reading)
		reading = load->disk_reads;
	working = reading + minute->in_class[PADV_ON_CPU];
	return working >= TRIVIAL_SESSIONS ? reading / working : previous;
}

/* 0 if all data is cached; all spindles if every read goes to a disk. */
static double
effective_spindles(int64_t spindles, double share, double previous)
{
	double		exact = (double) spindles * share;

	if (exact < NO_SPINDLES || previous > (double) spindles)
		return exact;
	return fabs(exact - previous) >= SPINDLE_STEP ? exact : previous;
}

/* Limit a number to the connections of ordinary roles. */
static int64_t
bound_by_server(const PadvModel *model, int64_t connections)
{
	int64_t		usable = model->inputs.usable_connections > 1 ? model->inputs.usable_connections : 1;

	return connections < usable ? connections : usable;
}

/*
 * The range is that of published advice: one per core if nothing waits (SSD, all
 * data cached), up to the author's newer 4 per core.
 */
static void
estimate_by_formula(PadvModel *model)
{
	PadvEstimate *formula = &model->estimates[PADV_METHOD_FORMULA];
	double		multiplier = model->inputs.connections_per_core;

	formula->available = true;
	formula->connections = bound_by_server(model, padv_formula_size(model->cores,
																	model->effective_spindles,
																	multiplier));
	formula->low = bound_by_server(model, padv_formula_size(model->cores, 0.0,
															padv_least_per_core(multiplier)));
	formula->high = bound_by_server(model, padv_formula_size(model->cores, model->effective_spindles,
															 padv_most_per_core(multiplier)));
	formula->confidence = PADV_CONFIDENCE_FORMULA;
}

static void
estimate_by_setting(PadvModel *model)
{
	PadvEstimate *setting = &model->estimates[PADV_METHOD_SETTING];

	setting->available = model->inputs.optimal_setting > 0;
	setting->connections = model->inputs.optimal_setting;
	setting->low = model->inputs.optimal_setting;
	setting->high = model->inputs.optimal_setting;

	/* no measurement supports it */
	setting->confidence = PADV_CONFIDENCE_LOW;
}

static int64_t
within_server(const PadvModel *model, double connections)
{
	double		size = fmin(connections, (double) model->inputs.usable_connections);

	return size > 1.0 ? (int64_t) size : 1;
}

static void
hold_wait_ratio(PadvModel *model)
{
	double		exact = model->waits.asleep / model->waits.run;
	double		step = fmax(WAIT_RATIO_STEP / model->cores, WAIT_RATIO_SHARE * (1.0 + model->wait_ratio));

	if (fabs(exact - model->wait_ratio) >= step)
		model->wait_ratio = exact;
}

/*
 * The number of active connections that keeps a resource with so many servers busy.  A
 * connection sleeps for wait_ratio times as long as it uses the resource, and pauses
 * between statements for pause_ratio times as long.
 *
 * servers * (1 + wait_ratio) is enough if connections return one after the other.  But the
 * number of those that are there varies, with a standard deviation of
 * sqrt(servers * z / (1 + z)), where z is the sum of both ratios.  With one standard
 * deviation more, the resource is rarely idle (square-root staffing, Halfin and Whitt
 * 1981).
 */
static double
connections_for(double servers, double wait_ratio, double pause_ratio)
{
	double		z = wait_ratio + pause_ratio;

	return servers * (1.0 + wait_ratio) + sqrt(servers * z * (1.0 + z));
}

static bool
is_saturated(const PadvBottleneck *bottleneck)
{
	return bottleneck->share >= SATURATED_SHARE && bottleneck->saturated.through > 0.0;
}

/* Of a resource that is saturated, or else whose queue shows what to expect. */
static const PadvPassage *
passage_of(const PadvBottleneck *bottleneck)
{
	return is_saturated(bottleneck) ? &bottleneck->saturated : &bottleneck->expected;
}

/*
 * While a resource is saturated, the sessions that do not queue for it are as many as it
 * lets through.  Returns 0 if these are not known.
 */
static double
connections_of(const PadvPassage *passage)
{
	double		users = fmax(1.0, passage->users);

	return passage->through > 0.0 ?
		connections_for(users, fmax(0.0, passage->through / users - 1.0),
						fmin(passage->paused / users, LARGEST_PAUSE_RATIO)) : 0.0;
}

/*
 * What tells how many a resource lets through.  One that thrashes while it is saturated is
 * used for longer, so it seems to let fewer through than was expected shortly before.
 */
static const PadvPassage *
largest_passage(const PadvBottleneck *bottleneck)
{
	return is_saturated(bottleneck) &&
		(bottleneck->expected_age >= EXPECTED_FOR_SECONDS ||
		 connections_of(&bottleneck->saturated) >= connections_of(&bottleneck->expected)) ?
		&bottleneck->saturated : &bottleneck->expected;
}

/* Whether there are several locks that are used alike, so that none of them bounds all sessions. */
static bool
are_several(const PadvBottleneck *locks)
{
	return passage_of(locks)->users >= SEVERAL;
}

/*
 * The sessions that wait for one of several locks while so many do not wait for any.  They
 * are needed: while they wait for one lock, others take another one.  Behind each of k
 * locks, used for a share u of the time, u * u / (1 - u) sessions wait (M/M/1), or more where
 * some keep it for long.  Behind the only lock nobody needs to wait.
 */
static double
waiting_for_locks(const PadvBottleneck *locks, double inside)
{
	const PadvPassage *passage = passage_of(locks);
	double		used = fmin(inside / passage->through, MOST_LOCK_USE);

	if (!are_several(locks))
		return 0.0;
	return fmax((passage->users - 1.0) * used * used / (1.0 - used), locks->expected.queued);
}

static void
find_bottleneck(PadvModel *model)
{
	const PadvBottleneck *locks = &model->waits.locks;
	const PadvBottleneck *disks = &model->waits.disks;
	double		by_locks = are_several(locks) ? 0.0 : connections_of(largest_passage(locks));
	double		by_disks = connections_of(largest_passage(disks));
	bool		is_disks = by_disks > 0.0 && (by_locks <= 0.0 || by_disks < by_locks);
	const PadvBottleneck *bottleneck = is_disks ? disks : locks;

	model->bottleneck = is_disks ? PADV_RESOURCE_DISKS : PADV_RESOURCE_LOCKS;
	model->by_bottleneck = is_disks ? by_disks : by_locks;
	model->bottleneck_saturated = is_saturated(bottleneck);
	model->passage = *largest_passage(bottleneck);
}

/*
 * The CPUs that processes can run on at the same time: hyper-threads count, unless the DBA
 * has set the number of cores.
 */
static double
usable_threads(const PadvModel *model)
{
	const PadvInputs *inputs = &model->inputs;
	double		threads = (double) inputs->logical_cpus;

	if (inputs->cores_setting > 0.0)
		return model->cores;
	if (inputs->quota > 0.0)
		threads = fmin(threads, inputs->quota);
	return fmax(threads, model->cores);
}

/*
 * Pauses in which a connection is held, relative to running.  Sessions that are ready to
 * run look idle between two transactions, so they are subtracted.
 */
static double
pause_ratio(const PadvWaits *waits)
{
	double		round_trip = fmax(0.0, waits->round_trip - fmax(0.0, waits->unseen));

	return fmin((waits->held + round_trip) / waits->run, LARGEST_PAUSE_RATIO);
}

/* The connections that the cores need, or fewer if locks or disks let fewer through. */
static void
estimate_by_wait_ratio(PadvModel *model)
{
	PadvEstimate *estimate = &model->estimates[PADV_METHOD_WAIT_RATIO];
	double		size;
	double		most;

	estimate->available = model->waits.run >= ENOUGH_RUN;
	if (!estimate->available)
		return;
	hold_wait_ratio(model);
	model->pauses = pause_ratio(&model->waits);
	model->by_cores = connections_for(model->cores, model->wait_ratio, model->pauses);
	find_bottleneck(model);
	size = model->by_cores;
	most = connections_for(usable_threads(model), model->wait_ratio, model->pauses);
	if (model->by_bottleneck > 0.0)
	{
		size = fmin(size, model->by_bottleneck);
		most = fmin(most, model->by_bottleneck);
	}
	model->waiting = waiting_for_locks(&model->waits.locks, size);
	size += model->waiting;
	most += model->waiting;
	size = fmax(size, LEAST_CONNECTIONS);
	model->by_waits = size;
	estimate->connections = within_server(model, floor(size + 0.5));
	estimate->low = within_server(model, floor(TOLERANCE_LOW * size));
	estimate->high = within_server(model, ceil(fmax(TOLERANCE_HIGH * size, most)));
	estimate->confidence = PADV_CONFIDENCE_LOW;
}

static bool
is_narrow(const PadvPeak *range)
{
	return range->high > FEW_CONNECTIONS && range->high < NARROW_RANGE * range->low;
}

/*
 * High needs much evidence of the present level, near the peak and beyond it, that
 * does not depend on an episode which may be a slow spell.  Waits for commits are no
 * queue, and a slow log looks like a saturated one.  A wide range has low confidence.
 */
static PadvConfidence
trust_curve(const PadvCurve *curve)
{
	if (curve->busy.high > WIDE_RANGE * curve->busy.low)
		return PADV_CONFIDENCE_LOW;
	return curve->saturated != PADV_RESOURCE_COMMITS && !is_narrow(&curve->busy) &&
		curve->near_seconds >= MUCH_EVIDENCE && curve->beyond_seconds >= MUCH_EVIDENCE &&
		curve->present_seconds >= MUCH_PRESSURE && curve->bins >= MANY_BINS && curve->settled ?
		PADV_CONFIDENCE_HIGH : PADV_CONFIDENCE_MEDIUM;
}

static void
estimate_by_scalability(PadvModel *model)
{
	PadvEstimate *estimate = &model->estimates[PADV_METHOD_SCALABILITY];
	const PadvCurve *curve = &model->curve;

	estimate->available = curve->state == PADV_CURVE_FITTED;
	estimate->connections = within_server(model, floor(curve->active.best + 0.5));
	estimate->low = within_server(model, fmin(floor(curve->active.low), (double) estimate->connections));
	estimate->high = within_server(model, fmax(ceil(curve->active.high), (double) estimate->connections));
	estimate->confidence = trust_curve(curve);
}

/* Whether a curve that is trusted, and has had time to learn since, excludes the trial. */
static bool
curve_contradicts(const PadvModel *model)
{
	const PadvEstimate *scalability = &model->estimates[PADV_METHOD_SCALABILITY];
	double		limit = (double) model->trial.limit;

	return model->trial.age_seconds > TRIAL_ALONE_SECONDS && scalability->available &&
		scalability->confidence == PADV_CONFIDENCE_HIGH &&
		(limit < floor(model->curve.busy.low) || limit > ceil(model->curve.busy.high));
}

/*
 * The better one of two limits.  That one is best is only likely where it was the number
 * that the model had named before.  If the higher limit is better, still more can help:
 * it is only the least.
 */
static void
estimate_by_trial(PadvModel *model)
{
	PadvEstimate *estimate = &model->estimates[PADV_METHOD_TRIAL];
	const PadvTrialFinding *trial = &model->trial;
	double		active = padv_trial_busy_ratio(trial) * (double) trial->limit;
	bool		is_least = padv_trial_is_least(trial);
	double		low = is_least ? active : TOLERANCE_LOW * active;
	double		high = fmax(TOLERANCE_HIGH * active, is_least ? model->curve.best_so_far : 0.0);

	model->trial_contradicted = trial->known && curve_contradicts(model);
	estimate->available = trial->known && !model->trial_contradicted;
	if (!estimate->available)
		return;
	estimate->connections = within_server(model, floor(active + 0.5));
	estimate->low = within_server(model, floor(low));
	estimate->high = within_server(model, ceil(high));
	estimate->confidence = trial->result.own && !is_least &&
		padv_trial_verdict(&trial->result) == PADV_TRIAL_B_IS_BETTER ?
		PADV_CONFIDENCE_HIGH : PADV_CONFIDENCE_MEDIUM;
}

/*
 * What was measured goes before what is derived, an experiment before what was only seen,
 * and the DBA's word before all.  The least number by a trial does not exclude a larger
 * one.
 */
static PadvMethod
choose(const PadvModel *model)
{
	static const PadvMethod order[] = {
		PADV_METHOD_SCALABILITY, PADV_METHOD_WAIT_RATIO, PADV_METHOD_FORMULA
	};
	const PadvEstimate *trial = &model->estimates[PADV_METHOD_TRIAL];
	int			i = 0;

	if (model->estimates[PADV_METHOD_SETTING].available)
		return PADV_METHOD_SETTING;
	while (!model->estimates[order[i]].available && order[i] != PADV_METHOD_FORMULA)
		i++;
	return trial->available && (!padv_trial_is_least(&model->trial) ||
								trial->connections > model->estimates[order[i]].connections) ?
		PADV_METHOD_TRIAL : order[i];
}

void
padv_model_note_trial(PadvModel *model, const PadvTrialFinding *finding)
{
	model->trial = *finding;
}

int32_t
padv_model_trial_limit(const PadvModel *model)
{
	int64_t		limit = bound_by_server(model, padv_model_pool_or_optimal(model));

	return limit < 1 ? 1 : limit > INT32_MAX ? INT32_MAX : (int32_t) limit;
}

double
padv_model_predict(const PadvModel *model, const PadvScalability *scalability,
				   int32_t limit_a, int32_t limit_b, double waiting)
{
	double		wanted = model->curve.now_busy + waiting;
	double		at_a = limit_a < 0 ? wanted : fmin((double) limit_a, wanted);
	double		at_b = limit_b < 0 ? wanted : fmin((double) limit_b, wanted);
	double		with_a,
				with_b;

	if (!(model->curve.now_busy >= 1.0))
		return -1.0;
	with_a = padv_scalability_expect(scalability, at_a);
	with_b = padv_scalability_expect(scalability, at_b);
	return with_a > 0.0 && with_b > 0.0 ? with_b / with_a : -1.0;
}

/*
 * The active connections with the highest throughput so far, where a derived number does
 * not say more.  0 if something was saturated with them, because then fewer could have
 * done the same.
 */
static double
helpful_so_far(const PadvModel *model)
{
	return padv_model_is_derived(model) && !model->curve.so_far_saturated ?
		model->curve.helpful_active : 0.0;
}

void
padv_model_size_pools(PadvModel *model, PadvPoolMemory *memory, int64_t now)
{
	bool		set = model->chosen == PADV_METHOD_SETTING;
	bool		fitted = model->chosen == PADV_METHOD_SCALABILITY;
	const PadvPoolNeed need = {
		.optimal = padv_model_chosen(model)->connections,
		.setting = set ? model->inputs.optimal_setting : 0,
		.helpful = helpful_so_far(model),
		.busy = fitted ? floor(model->curve.busy.best + 0.5) : 0.0,
		.usable = model->inputs.usable_connections,
	};
	PadvPoolSize size;

	padv_pool_judge(memory, &need, now, &size);
	model->pool_size = size.pool_size;
	model->session_pool_size = size.session_pool_size;
	model->busy_ratio = size.busy_ratio;
	model->pool = size.inputs;
}

int64_t
padv_model_pool_or_optimal(const PadvModel *model)
{
	return model->pool_size > 0 ? model->pool_size : padv_model_chosen(model)->connections;
}

const PadvEstimate *
padv_model_chosen(const PadvModel *model)
{
	return &model->estimates[model->chosen];
}

/* Whether the number is the least one by a trial: nobody knows whether more help. */
static bool
is_least_by_trial(const PadvModel *model)
{
	return model->chosen == PADV_METHOD_TRIAL && padv_trial_is_least(&model->trial);
}

bool
padv_model_is_derived(const PadvModel *model)
{
	return model->chosen == PADV_METHOD_FORMULA || model->chosen == PADV_METHOD_WAIT_RATIO ||
		is_least_by_trial(model);
}

/*
 * Whether the connections in use are hardly more than a pool of the advised size has, so that
 * it would change nothing.
 */
static bool
fits_into_pool(const PadvModel *model)
{
	double		size = (double) (model->pool_size < model->pool.pool_size ? model->pool_size : model->pool.pool_size);

	return model->demand / fmax(1.0, model->pool.processes) + model->held <= TOLERANCE_HIGH * size;
}

/*
 * A derived number does not override a measurement: connections with the highest
 * throughput seen are not too many, unless cores or locks were saturated with them,
 * because then fewer could have done the same.  Without that, nothing is more than the
 * least number by a trial.
 */
bool
padv_model_oversubscribed(const PadvModel *model)
{
	const PadvEstimate *chosen = padv_model_chosen(model);
	double		most = fmax((double) chosen->high, TOLERANCE_HIGH * (double) chosen->connections);

	if (fits_into_pool(model))
		return false;
	if (padv_model_is_derived(model) && !model->curve.so_far_saturated)
		most = is_least_by_trial(model) ? INFINITY :
			fmax(most, TOLERANCE_HIGH * fmax(model->curve.best_so_far, model->curve.helpful_active));
	return model->demand > most;
}

bool
padv_model_gain(const PadvModel *model, double *gain, double *low, double *high)
{
	const PadvCurve *curve = &model->curve;
	double		spread = exp(fmax(LEAST_SPREAD, SPREAD * curve->noise));

	if (model->chosen != PADV_METHOD_SCALABILITY || !(curve->now_throughput > 0.0) ||
		!(curve->now_busy > curve->busy.high))
		return false;
	*gain = curve->throughput / curve->now_throughput;
	*low = *gain / spread;
	*high = *gain * spread;
	return *gain > 1.0;
}

const char *
padv_number_source(const PadvModel *model)
{
	static const char *const names[] = {
		"the formula's number is", "the number by waiting and running is",
		"this server is at its best with", "pool_advisor.optimal is", "the number by a trial is"
	};

	return is_least_by_trial(model) ? "by a trial the number is at least" : names[model->chosen];
}

bool
padv_model_is_contended(double blocked, double demand)
{
	return blocked >= BLOCKED_SESSIONS && blocked >= BLOCKED_SHARE * demand;
}

static PadvVerdict
judge(const PadvModel *model, const PadvMinute *minute)
{
	const PadvEstimate *estimate = padv_model_chosen(model);
	double		optimal = (double) estimate->connections;

	if (padv_model_is_contended(minute->in_class[PADV_WAITING_LOCK] - minute->advisory, model->demand))
		return PADV_VERDICT_CONTENTION;
	if (model->demand < IDLE_RATIO * optimal)
		return PADV_VERDICT_IDLE;
	if (padv_model_oversubscribed(model))
		return PADV_VERDICT_OVERSUBSCRIBED;
	if (model->demand < fmin((double) estimate->low, TOLERANCE_LOW * optimal))
		return PADV_VERDICT_WITHIN;
	return PADV_VERDICT_AT_OPTIMUM;
}

void
padv_model_update(PadvModel *model, const PadvInputs *inputs,
				  const PadvMinute *minute, const PadvLoad *load,
				  const PadvWaits *waits, const PadvCurve *curve)
{
	model->inputs = *inputs;
	model->waits = *waits;
	model->curve = *curve;
	model->cores = inputs->cores_setting > 0.0 ? inputs->cores_setting : inputs->detected_cores;
	model->spindles = inputs->spindles_setting >= 0 ? inputs->spindles_setting : inputs->detected_spindles;
	model->disk_share = disk_share(minute, load, model->disk_share);
	model->effective_spindles = effective_spindles(model->spindles, model->disk_share,
												   model->effective_spindles);

	model->unseen = padv_unseen_active(load->sessions_run, load->sessions_delay,
									   minute->in_class[PADV_ON_CPU],
									   minute->in_class[PADV_WAITING_IO], minute->turnaround);
	model->demand = minute->demand + model->unseen;
	model->held = minute->held_in_transaction;

	estimate_by_formula(model);
	estimate_by_wait_ratio(model);
	estimate_by_scalability(model);
	estimate_by_trial(model);
	estimate_by_setting(model);
	model->chosen = choose(model);
	model->load_ratio = model->demand / (double) padv_model_chosen(model)->connections;
	model->verdict = judge(model, minute);
}

double
padv_model_least_seen(const PadvModel *model)
{
	return LEAST_SEEN * (double) model->estimates[PADV_METHOD_FORMULA].connections;
}

const char *
padv_busy_ratio_source(const PadvModel *model)
{
	return model->pool.load.at != 0 ? "measured under the busiest load" : "no load was measured";
}

const char *
padv_method_name(PadvMethod method)
{
	static const char *const names[] = {
		"formula", "wait_ratio", "scalability", "setting", "trial"
	};

	return names[method];
}

const char *
padv_confidence_name(PadvConfidence confidence)
{
	static const char *const names[] = {"formula", "low", "medium", "high"};

	return names[confidence];
}

const char *
padv_verdict_name(PadvVerdict verdict)
{
	static const char *const names[] = {
		"idle", "within", "at the optimum", "oversubscribed", "contention", "stalled"
	};

	return names[verdict];
}
