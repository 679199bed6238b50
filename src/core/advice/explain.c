/*
 * explain.c
 *		Explanations of all numbers, in sentences.
 *
 * Owns the texts.  All numbers were computed by other modules.  Pure.  Called by
 * the SQL functions.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>

#include "core/advice/explain.h"
#include "core/advice/trial_words.h"
#include "core/policy/enforcement.h"
#include "core/text/emit.h"

/* The size of a text about rounding. */
#define ROUNDING 64

/* Describe how a number was rounded or bounded. */
static const char *
describe_rounding(double exact, int64_t connections, char text[ROUNDING])
{
	double		rounded = floor(exact + 0.5);

	snprintf(text, ROUNDING, rounded < (double) connections ? "but at least %lld" :
			 rounded > (double) connections ? "but not more than the server's %lld" : "rounded %lld",
			 (long long) connections);
	return text;
}

static void
explain_formula(const PadvModel *model, char *text, size_t size)
{
	double		multiplier = model->inputs.connections_per_core;
	double		exact = model->cores * multiplier + model->effective_spindles;
	char		rounding[ROUNDING];

	snprintf(text, size,
			 "%.4g cores * %.4g connections per core + %.2f effective spindles = %.2f, %s; active connections, not open ones. Range: %.4g per core to %.4g per core.",
			 model->cores, multiplier, model->effective_spindles, exact,
			 describe_rounding(exact, model->estimates[PADV_METHOD_FORMULA].connections, rounding),
			 padv_least_per_core(multiplier), padv_most_per_core(multiplier));
}

/* Describe what locks or disks let through. */
static void
explain_bottleneck(const PadvModel *model, char *text, size_t size)
{
	const PadvPassage *passage = &model->passage;
	double		users = fmax(1.0, passage->users);
	double		sum = fmax(users, passage->through);
	double		ratio = (sum + passage->paused) / users - 1.0;

	text[0] = '\0';
	if (model->by_bottleneck > 0.0 && model->by_bottleneck < model->by_cores)
		snprintf(text, size,
				 model->bottleneck_saturated ?
				 " But %s are saturated: %.2f sessions did not queue for them, and by the same rule %.2f + sqrt(%.2f * %.2f * (1 + %.2f)) = %.2f connections are enough." :
				 " But sessions queue for %s: once these are saturated, %.2f sessions will not queue, and by the same rule %.2f + sqrt(%.2f * %.2f * (1 + %.2f)) = %.2f connections will be enough.",
				 padv_resource_name(model->bottleneck), passage->through, sum, users, ratio, ratio, model->by_bottleneck);
}

static void
explain_wait_ratio(const PadvModel *model, char *text, size_t size)
{
	const PadvEstimate *estimate = &model->estimates[PADV_METHOD_WAIT_RATIO];
	double		ratio = model->wait_ratio + model->pauses;
	char		rounding[ROUNDING];
	char		through[256];
	char		waiting[96] = "";

	explain_bottleneck(model, through, sizeof(through));
	if (model->waiting > 0.0)
		snprintf(waiting, sizeof(waiting), " Another %.2f wait for one of several locks.", model->waiting);
	snprintf(text, size,
			 "%.4g cores * (1 + %.2f) + sqrt(%.4g * %.2f * (1 + %.2f)) = %.2f.%s%s The number is %.2f, %s. Sessions lately ran for %.0f s and slept inside a statement, without waiting for another session, for %.0f s: asleep / running is %.2f, held while nearly the same. With pauses of clients that hold a connection it is %.2f.",
			 model->cores, model->wait_ratio, model->cores, ratio, ratio, model->by_cores, through, waiting,
			 model->by_waits, describe_rounding(model->by_waits, estimate->connections, rounding),
			 model->waits.run, model->waits.asleep, model->wait_ratio, ratio);
}

/* Describe what is saturated beyond the peak. */
static void
explain_saturated(const PadvCurve *curve, char *text, size_t size)
{
	double		share = 100.0 * curve->saturated_share;

	if (curve->saturated == PADV_RESOURCE_SESSIONS)
		snprintf(text, size, "nothing else that was measured; all sessions there were busy");
	else if (curve->saturated == PADV_RESOURCE_CORES)
		snprintf(text, size, "the cores, %.0f%% busy", share);
	else
		snprintf(text, size, "%s, which %.0f%% of the busy connections waited for",
				 padv_resource_name(curve->saturated), share);
}

static void
explain_scalability(const PadvModel *model, char *text, size_t size)
{
	const PadvCurve *curve = &model->curve;
	char		rounding[ROUNDING];
	char		saturated[128];

	explain_saturated(curve, saturated, sizeof(saturated));
	snprintf(text, size,
			 "throughput was highest, or within 4%% of that, %.0f transactions/s, with %.1f busy connections, of which %.1f were active (%s); within 5%% from %.1f to %.1f busy. Saturated beyond: %s. Evidence: %.0f s in %d bins up to %.0f connections, %.0f s of it under pressure (the server set the pace, not its clients), %.0f s around the peak and, under pressure, %.0f s beyond.",
			 curve->throughput, curve->busy.best, curve->active.best,
			 describe_rounding(curve->active.best, model->estimates[PADV_METHOD_SCALABILITY].connections, rounding),
			 curve->busy.low, curve->busy.high, saturated, curve->seconds, curve->bins,
			 curve->seen_to, curve->pressed_seconds, curve->near_seconds, curve->beyond_seconds);
}

static void
explain_trial_method(const PadvModel *model, char *text, size_t size)
{
	const PadvTrialFinding *trial = &model->trial;
	double		busy = padv_trial_busy_ratio(trial);
	char		outcome[PADV_SENTENCE - 256];

	padv_trial_explain(&trial->result, outcome, sizeof(outcome));
	snprintf(text, size,
			 "a trial that ended %.1f hours before: %s The better limit, %d, times the busy ratio of %.2f is %.1f active. %s.",
			 trial->age_seconds / 3600.0, outcome, (int) trial->limit, busy, busy * trial->limit,
			 padv_trial_is_least(trial) ? "It was the higher limit, so more can be better still; a larger number of another method goes first" :
			 model->estimates[PADV_METHOD_TRIAL].confidence == PADV_CONFIDENCE_HIGH ?
			 "That limit was the number before" : "A third limit may be better still");
}

/* Explain why no knee was observed, to follow "not available". */
static void
explain_no_knee(const PadvCurve *curve, char *text, size_t size)
{
	if (curve->state != PADV_CURVE_NO_KNEE)
		text[0] = '\0';
	else if (curve->gap_low > 0.0)
		snprintf(text, size, " (nothing was seen between %.0f and %.0f busy connections)",
				 curve->gap_low, curve->gap_high);
	else
		snprintf(text, size, " (%.0f s under pressure, %.0f s of them beyond the best so far)",
				 curve->pressed_seconds, curve->beyond_seconds);
}

void
padv_explain_method(const PadvModel *model, PadvMethod method, char *text,
					size_t size)
{
	text[0] = '\0';
	if (!model->estimates[method].available)
		return;
	if (method == PADV_METHOD_FORMULA)
		explain_formula(model, text, size);
	else if (method == PADV_METHOD_WAIT_RATIO)
		explain_wait_ratio(model, text, size);
	else if (method == PADV_METHOD_SCALABILITY)
		explain_scalability(model, text, size);
	else if (method == PADV_METHOD_TRIAL)
		explain_trial_method(model, text, size);
	else
		snprintf(text, size,
				 "pool_advisor.optimal = %lld, set by the DBA; it overrides what is computed, and nothing measured speaks for or against it.",
				 (long long) model->inputs.optimal_setting);
}

const char *
padv_not_available_because(const PadvModel *model, PadvMethod method)
{
	if (model->estimates[method].available)
		return "";
	switch (method)
	{
		case PADV_METHOD_FORMULA:
			return "no sample has been taken yet";
		case PADV_METHOD_WAIT_RATIO:
			return "sessions have not run for three seconds yet, or the kernel does not tell how long processes run";
		case PADV_METHOD_SCALABILITY:
			return padv_curve_state_name(model->curve.state);
		case PADV_METHOD_SETTING:
			return "pool_advisor.optimal is 0: compute";
		case PADV_METHOD_TRIAL:
			return model->trial_contradicted ?
				"the curve has learned since the trial that its number is not the best" :
				"no trial of the last 7 days has named a better limit";
	}
	return "";
}

static void
explain_sampling(const PadvEmitter *emitter, const PadvLocalStatus *local)
{
	const PadvStatus *status = &local->status;

	padv_emit(emitter,
			  "Sampling: every client session is looked at every %lld ms; %lld samples went into the last minute, the latest is %.1f s old%s.",
			  (long long) status->model.inputs.sample_interval_ms,
			  (long long) status->minute.samples, local->age_seconds,
			  padv_sampling_stopped(local) ? ", so sampling has stopped and all below is of that moment" : "");
	if (status->load.sample_cost >= 0.0)
		padv_emit(emitter, "A sample costs %.1f microseconds of CPU time.",
				  1e6 * status->load.sample_cost);
}

static void
explain_cores(const PadvEmitter *emitter, const PadvModel *model)
{
	const PadvInputs *inputs = &model->inputs;

	if (inputs->quota > 0.0)
		padv_emit(emitter,
				  "Cores: the server may use %lld CPUs on %lld physical cores, and its cgroup grants %.4g CPUs' worth of time: %.4g cores.",
				  (long long) inputs->logical_cpus, (long long) inputs->physical_cores,
				  inputs->quota, inputs->detected_cores);
	else
		padv_emit(emitter,
				  "Cores: the server may use %lld CPUs on %lld physical cores (hyper-threads counted once), without a quota: %.4g cores.",
				  (long long) inputs->logical_cpus, (long long) inputs->physical_cores,
				  inputs->detected_cores);
	if (inputs->cores_setting > 0.0)
		padv_emit(emitter, "Cores: pool_advisor.cores overrides that with %.4g.",
				  inputs->cores_setting);
}

static void
explain_spindles(const PadvEmitter *emitter, const PadvStatus *status)
{
	const PadvModel *model = &status->model;
	const PadvInputs *inputs = &model->inputs;

	if (inputs->spindles_setting >= 0)
		padv_emit(emitter, "Spindles: pool_advisor.spindles says %lld (detected: %lld).",
				  (long long) inputs->spindles_setting, (long long) inputs->detected_spindles);
	else if (inputs->disks_known)
		padv_emit(emitter, "Spindles: %lld, the rotating disks that hold the data directory and the tablespaces (the view hardware lists them).",
				  (long long) inputs->detected_spindles);
	else
		padv_emit(emitter, "Spindles: no disk could be found under the data directory, so none is counted; pool_advisor.spindles can say how many there are.");

	if (status->load.disk_reads >= 0.0)
		padv_emit(emitter,
				  "Effective spindles: on average %.2f sessions waited for I/O, %.2f reads were outstanding at the disks and %.2f sessions were on CPU, so %.0f%% of the working time goes into reads that reach a disk; %.2f of %lld spindles count (in steps of half a spindle or more, so that the optimum does not flap).",
				  status->minute.in_class[PADV_WAITING_IO], status->load.disk_reads,
				  status->minute.in_class[PADV_ON_CPU], 100.0 * model->disk_share,
				  model->effective_spindles, (long long) model->spindles);
	else
		padv_emit(emitter,
				  "Effective spindles: on average %.2f sessions waited for I/O and %.2f were on CPU, and what reaches the disks cannot be read on this machine; %.2f of %lld spindles count.",
				  status->minute.in_class[PADV_WAITING_IO],
				  status->minute.in_class[PADV_ON_CPU],
				  model->effective_spindles, (long long) model->spindles);
}

static void
explain_choice(const PadvEmitter *emitter, const PadvModel *model)
{
	char		text[PADV_SENTENCE - 64];
	char		why[128];

	explain_no_knee(&model->curve, why, sizeof(why));
	for (PadvMethod method = 0; method < PADV_METHODS; method++)
	{
		if (model->estimates[method].available)
		{
			padv_explain_method(model, method, text, sizeof(text));
			padv_emit(emitter, "Method %s: %s", padv_method_name(method), text);
		}
		else
			padv_emit(emitter, "Method %s: not available, %s%s.", padv_method_name(method),
					  padv_not_available_because(model, method),
					  method == PADV_METHOD_SCALABILITY ? why : "");
	}
	padv_emit(emitter, "Chosen: %s, %lld active connections (range %lld to %lld), confidence %s.",
			  padv_method_name(model->chosen),
			  (long long) padv_model_chosen(model)->connections,
			  (long long) padv_model_chosen(model)->low,
			  (long long) padv_model_chosen(model)->high,
			  padv_confidence_name(padv_model_chosen(model)->confidence));
}

static void
explain_load(const PadvEmitter *emitter, const PadvStatus *status)
{
	const PadvMinute *minute = &status->minute;
	const PadvLoad *load = &status->load;

	padv_emit(emitter,
			  "Load of the last minute: %.2f of %.2f sessions were active on average (on CPU %.2f, waiting for I/O %.2f, for a lock %.2f, for an internal lock %.2f, for something else %.2f), 95%% of the time at most %.0f, at most %lld.",
			  minute->active, minute->sessions, minute->in_class[PADV_ON_CPU],
			  minute->in_class[PADV_WAITING_IO], minute->in_class[PADV_WAITING_LOCK],
			  minute->in_class[PADV_WAITING_LWLOCK], minute->in_class[PADV_WAITING_OTHER],
			  minute->active_p95, (long long) minute->active_max);
	if (load->cpu_utilization >= 0.0)
		padv_emit(emitter, "The cores granted were %.0f%% busy with all that runs on them.",
				  100.0 * load->cpu_utilization);
	if (load->run_queue_ratio >= 0.0)
		padv_emit(emitter,
				  "The server's processes used %.2f cores and waited for one in %.0f%% of their runnable time.",
				  load->server_cores, 100.0 * load->run_queue_ratio);
	padv_emit(emitter,
			  "Demand: active sessions plus %.2f parallel workers, less those asleep or waiting for their client or an advisory lock, and %.2f that were ready to run although they looked idle: %.2f, which is %.2f times the optimum.",
			  minute->parallel_workers, status->model.unseen, status->model.demand,
			  status->model.load_ratio);
}

/* A key with less of the load says nothing about whose load it is. */
#define LARGE_SHARE 0.1

void
padv_explain_largest(const PadvLocalStatus *local, char *text, size_t size)
{
	size_t		length = 0;
	int			count = 0;
	int			said = 0;

	text[0] = '\0';
	for (PadvDimension dimension = 0; dimension < PADV_DIMENSIONS; dimension++)
		count += local->largest[dimension].name != NULL && local->largest[dimension].share > LARGE_SHARE;
	for (PadvDimension dimension = 0; dimension < PADV_DIMENSIONS; dimension++)
	{
		const PadvLargestKey *largest = &local->largest[dimension];
		int			more;

		if (largest->name == NULL || !(largest->share > LARGE_SHARE))
			continue;
		more = snprintf(text + length, size - length, "%s%.0f%% %s %s",
						said == 0 ? "" : said == count - 1 ? " and " : ", ",
						100.0 * largest->share, padv_dimension_name(dimension), largest->name);
		if (more < 0 || (size_t) more >= size - length)
		{
			text[0] = '\0';
			return;
		}
		length += (size_t) more;
		said++;
	}
}

static void
explain_largest(const PadvEmitter *emitter, const PadvLocalStatus *local)
{
	char		text[PADV_SENTENCE - 64];

	padv_explain_largest(local, text, sizeof(text));
	if (text[0] != '\0')
		padv_emit(emitter, "The largest parts of the active sessions: %s.", text);
}

/* Explain why there is no pool size, or that it comes from the setting. */
static void
explain_no_pool(const PadvEmitter *emitter, const PadvModel *model)
{
	if (model->pool_size > 0)
		padv_emit(emitter,
				  "Pool size: %lld, as the DBA set the optimum; no load was measured, so no pause inside a transaction is in it.",
				  (long long) model->pool_size);
	else
		padv_emit(emitter,
				  "Pool size: not known, as no load was measured since the server started to learn. A load is %.0f transactions/s, or %.1f sessions executing on average, for 5 s.",
				  PADV_LOAD_TRANSACTIONS, PADV_LOAD_EXECUTING);
}

static void
explain_busiest(const PadvEmitter *emitter, const PadvPoolLoad *load, int64_t taken_at)
{
	padv_emit(emitter,
			  "Busiest load, measured %.1f hours before this sample: %.0f transactions/s by %.1f sessions; of these %.2f executed, %.2f were briefly idle in a transaction, and %.2f were between two transactions in a row, %.2f of them for at most a round trip (1 ms; 0.1 ms for clients on this machine).",
			  (double) (taken_at - load->at) / 3.6e9, load->throughput, load->sessions,
			  load->executing, load->held, load->turnaround, load->round_trip);
}

/* Explain why the shown size differs from the current result. */
static void
explain_held_number(const PadvEmitter *emitter, const char *what, int64_t shown, int64_t now)
{
	if (shown != now)
		padv_emit(emitter,
				  "%s stays at %lld: it changes by a tenth or more, after minutes under the busiest load, and falls once a day.",
				  what, (long long) shown);
}

static void
explain_pool(const PadvEmitter *emitter, const PadvStatus *status)
{
	const PadvModel *model = &status->model;
	const PadvPoolBasis *inputs = &model->pool;
	const PadvPoolLoad *load = &inputs->load;
	double		pauses = load->held * inputs->factor + load->round_trip;

	if (load->at == 0)
	{
		explain_no_pool(emitter, model);
		return;
	}
	explain_busiest(emitter, load, status->taken_at);
	padv_emit(emitter,
			  "Pool size: %.0f that are to be active + %.2f * %.2f in pauses inside transactions + %.2f round trips + %.2f as pauses vary = %.2f, within the server and the sessions seen %lld. What clients do between transactions holds no connection of a transaction pool.",
			  inputs->least, load->held, inputs->factor, load->round_trip, sqrt(pauses),
			  inputs->least + padv_pool_for_pauses(pauses), (long long) inputs->pool_size);
	explain_held_number(emitter, "Pool size", model->pool_size, inputs->pool_size);
	if (model->chosen == PADV_METHOD_SCALABILITY)
		padv_emit(emitter,
				  "Session pool size, where callers keep a connection for a request: the %.1f busy connections at the peak of the curve, within the server and the sessions seen %lld.",
				  model->curve.busy.best, (long long) inputs->session_pool_size);
	else
		padv_emit(emitter,
				  "Session pool size, where callers keep a connection for a request: %.0f + (%.2f + %.2f) * %.2f + %.2f, with the pauses between transactions in a row too, within the server and the sessions seen %lld.",
				  inputs->least, load->held, load->turnaround, inputs->factor,
				  sqrt((load->held + load->turnaround) * inputs->factor), (long long) inputs->session_pool_size);
	explain_held_number(emitter, "Session pool size", model->session_pool_size, inputs->session_pool_size);
	if (inputs->processes > 1.0)
		padv_emit(emitter,
				  "Pool size: %.2f processes execute for each connection, with parallel workers, so fewer connections are the optimum of %lld active.",
				  inputs->processes, (long long) padv_model_chosen(model)->connections);
	if (inputs->least * inputs->processes > (double) padv_model_chosen(model)->connections + 0.5 * inputs->processes)
		padv_emit(emitter,
				  "Pool size: not less than %.0f active, with which throughput was highest so far.",
				  inputs->least * inputs->processes);
	if (model->pool_size >= model->inputs.usable_connections)
		padv_emit(emitter, "Pool size: %s the %lld connections that ordinary roles can have.",
				  model->pool_size > model->inputs.usable_connections ? "that is more than" : "not more than",
				  (long long) model->inputs.usable_connections);
}

const char *
padv_verdict_reason(PadvVerdict verdict)
{
	switch (verdict)
	{
		case PADV_VERDICT_IDLE:
			return "less than a tenth of the optimum is asked for";
		case PADV_VERDICT_WITHIN:
			return "there is room for more before the optimum";
		case PADV_VERDICT_AT_OPTIMUM:
			return "the load is inside the range where the server is at its best";
		case PADV_VERDICT_OVERSUBSCRIBED:
			return "more sessions want to work than help; they wait inside the server for each other";
		case PADV_VERDICT_CONTENTION:
			return "at least half of the demand waits for locks that other sessions hold (a conflict ratio of 2 or more), and more connections would add to it";
		case PADV_VERDICT_STALLED:
			return "at least half of the sessions that want to work wait for a session that has kept them waiting for seconds; the view blockers names it";
	}
	return "";
}

/* Say that limits are not enforced; nothing if they are. */
static void
explain_enforcement(const PadvEmitter *emitter, const PadvLocalStatus *local)
{
	char		text[PADV_SENTENCE / 2];

	padv_explain_enforcement(local->enforcement, text, sizeof(text));
	if (text[0] != '\0')
		padv_emit(emitter, "Enforcement: %s", text);
	if (local->enforcement == PADV_ENFORCEMENT_OFF)
		return;
	padv_explain_gate_enforcement(local->enforcement, local->gate_enforcement,
								  text, sizeof(text));
	if (text[0] != '\0')
		padv_emit(emitter, "Enforcement: %s", text);
}

void
padv_explain(const PadvLocalStatus *local,
			 void (*emit) (void *arg, const char *sentence), void *arg)
{
	const PadvStatus *status = &local->status;
	const PadvEmitter emitter = {emit, arg};
	char		text[PADV_SENTENCE / 2];

	if (status->taken_at == 0)
	{
		padv_emit(&emitter, "No sample has been taken yet, so there is nothing to explain.");
		explain_enforcement(&emitter, local);
		return;
	}
	explain_sampling(&emitter, local);
	explain_cores(&emitter, &status->model);
	explain_spindles(&emitter, status);
	explain_choice(&emitter, &status->model);
	explain_load(&emitter, status);
	explain_largest(&emitter, local);
	explain_pool(&emitter, status);
	padv_slot_stats_explain(&local->gate, &status->control, text, sizeof(text));
	padv_emit(&emitter, "Transactions: %s", text);
	explain_enforcement(&emitter, local);
	padv_emit(&emitter, "Verdict: %s, as %s.", padv_verdict_name(status->model.verdict),
			  padv_verdict_reason(status->model.verdict));
}
