/*
 * fuzz_model.c
 *		libFuzzer on the way from samples and counters to the verdict.
 *
 * The input is a tape of orders: a sample, a reading of the counters, a look at
 * the curve, other settings, a curve from a file.  They are carried out as
 * the worker does, and what comes out must be sound whatever went in: sessions
 * may be anything, as others write them meanwhile, and so may counters, as the
 * kernel and the clock do as they like.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>

#include "core/advice/advice.h"
#include "core/advice/explain.h"
#include "core/advice/summary.h"
#include "core/model/health.h"
#include "core/model/status.h"
#include "core/monitoring/check_load.h"
#include "core/stats/history.h"
#include "core/stats/interval.h"
#include "fuzz.h"

#define SLOTS 16
#define MOST_ORDERS 300

typedef struct World
{
	Tape		tape;
	int64_t		clock_us;
	double		quota;
	PadvInputs	inputs;
	PadvWindow *window;
	PadvDigest	digest;
	PadvLoadWindow load;
	PadvCounters counters;
	PadvScalability scalability;
	PadvReadLatency read_latency;
	PadvWaits	waits;
	PadvCurve	curve;
	PadvPoolMemory pool;
	PadvStatus status;
} World;

static World world;

/* --- the tape ------------------------------------------------------------- */

/* Ordinary ones mostly; the rest is anything. */
static int64_t
take_number(Tape *tape)
{
	uint8_t		kind = take_byte(tape);

	if (kind < 160)
		return kind;
	if (kind < 220)
		return (int64_t) take_bits(tape, 3);
	return (int64_t) take_bits(tape, 8);
}

/* Above 0, from the smallest to the largest. */
static double
take_positive(Tape *tape)
{
	uint8_t		kind = take_byte(tape);
	double		value = kind < 200 ? 0.25 * (double) (kind + 1) : fabs(take_double(tape));

	return isfinite(value) && value > 0.0 ? value : 1.0;
}

static double
within(double value, double low, double high)
{
	return fmin(fmax(value, low), high);
}

/* --- orders --------------------------------------------------------------- */

static void
change_settings(World *w)
{
	PadvInputs  *inputs = &w->inputs;
	double		cores = take_positive(&w->tape);

	w->quota = take_byte(&w->tape) % 2 ? take_positive(&w->tape) : -1.0;
	inputs->quota = w->quota;
	inputs->logical_cpus = 1 + take_number(&w->tape) % 4096;
	if (inputs->logical_cpus < 1)
		inputs->logical_cpus = 1;
	inputs->physical_cores = inputs->logical_cpus;
	inputs->detected_cores = w->quota > 0.0 ? fmin(w->quota, (double) inputs->physical_cores) :
		(double) inputs->physical_cores;
	inputs->cores_setting = take_byte(&w->tape) % 2 ? within(cores, 1e-300, 65536.0) : -1.0;
	inputs->disks_known = take_byte(&w->tape) % 2;
	inputs->detected_spindles = take_byte(&w->tape) % 129;
	inputs->spindles_setting = take_byte(&w->tape) % 2 ? (int64_t) take_bits(&w->tape, 2) : -1;
	inputs->connections_per_core = within(take_positive(&w->tape), 0.1, 100.0);
	inputs->optimal_setting = take_byte(&w->tape) % 4 == 0 ? (int64_t) take_bits(&w->tape, 3) % 262144 : 0;
	inputs->max_connections = 1 + (int64_t) take_bits(&w->tape, 3) % 262143;
	inputs->usable_connections = inputs->max_connections - take_byte(&w->tape) % inputs->max_connections;
	inputs->sample_interval_ms = 1 + (int64_t) take_bits(&w->tape, 2) % 10000;
}

static void
take_sample(World *w)
{
	PadvSession sessions[32];
	PadvSample	sample = {.sessions = sessions};

	sample.count = take_byte(&w->tape) % 32;
	for (int i = 0; i < sample.count; i++)
	{
		PadvSession *session = &sessions[i];
		uint8_t		flags = take_byte(&w->tape);

		memset(session, 0, sizeof(*session));
		session->status_index = flags & 1 ? i % SLOTS : (int32_t) take_number(&w->tape);
		session->pid = (int32_t) take_number(&w->tape);
		session->role = (uint32_t) take_number(&w->tape);
		session->database = (uint32_t) take_number(&w->tape);
		session->wait_event = (uint32_t) take_number(&w->tape);
		session->state = flags & 2 ? PADV_STATE_ACTIVE : take_byte(&w->tape);
		session->wait_class = take_byte(&w->tape) % (flags & 4 ? 5 : 256);
		session->parallel_worker = flags & 8;
		session->demands = flags & 16;
		session->holds_horizon = flags & 32;
		session->statement_start = take_number(&w->tape);
		session->state_start = take_number(&w->tape);
		session->xact_start = take_number(&w->tape);
	}
	sample.clock_us = take_byte(&w->tape) % 16 ? w->clock_us : take_number(&w->tape);
	sample.taken_at = take_number(&w->tape);
	sample.logins_waiting = take_byte(&w->tape);

	padv_window_add(w->window, &sample);
	padv_window_digest(w->window, &w->digest);
	w->status.taken_at = w->digest.taken_at;
	w->status.clock_us = sample.clock_us;
	w->status.samples_total = w->digest.samples_total;
	w->status.last = w->digest.last;
	w->status.minute = w->digest.minute;
	w->status.idle_holder = w->digest.idle_holder;
	w->status.limits_unreadable = take_byte(&w->tape) % 8 == 0;
	w->status.history_unwritten = take_byte(&w->tape) % 8 == 0;
	w->status.limits_committed = take_byte(&w->tape) % 2 ? take_byte(&w->tape) : -1;
}

/* Grows, mostly; may be unknown, may start anew, may be anything not negative. */
static double
next_counter(World *w, double value)
{
	switch (take_byte(&w->tape) % 8)
	{
		case 0:
			return -1.0;
		case 1:
			return 0.0;
		case 2:
			return (double) take_bits(&w->tape, 8) / 1e3;
		case 3:
			return value;
		default:
			return fmax(value, 0.0) + (double) take_bits(&w->tape, 2) / 16.0;
	}
}

static void
read_counters(World *w)
{
	const PadvCounters *before;
	const PadvCounters *after;
	PadvWindowMeans	take;
	PadvInterval interval;
	PadvHistoryPoint point;
	double		transactions_per_second = -1.0;

	for (int i = 0; i < PADV_COUNTERS; i++)
		w->counters.value[i] = next_counter(w, w->counters.value[i]);
	w->counters.clock_us = w->clock_us;
	padv_load_add(&w->load, &w->counters);
	padv_load_minute(&w->load, w->quota, &w->status.load);
	if (!padv_window_drain(w->window, &take))
		return;
	if (padv_load_newest(&w->load, &before, &after) &&
		padv_interval_describe(&take, before, after, w->quota, &interval))
	{
		padv_read_latency_update(&w->read_latency, &interval);
		padv_scalability_add(&w->scalability, &interval);
		padv_waits_add(&w->waits, &interval);
		padv_pool_add(&w->pool, &take, &interval);
		transactions_per_second = interval.transactions / interval.seconds;
	}
	padv_history_describe(&take, padv_load_last_cpu_utilization(&w->load, w->quota),
						  transactions_per_second,
						  padv_model_chosen(&w->status.model)->connections, &point);
	must(!padv_history_mend(&point) || padv_history_sound(&point));
}

static void
check_curve(const PadvCurve *curve)
{
	must(isfinite(curve->seconds) && curve->seconds >= 0.0);
	must(isfinite(curve->best_so_far) && curve->best_so_far >= 0.0);
	if (curve->state != PADV_CURVE_FITTED)
		return;
	must(isfinite(curve->busy.best) && curve->busy.best > 0.0);
	must(curve->busy.low <= curve->busy.best && curve->busy.best <= curve->busy.high);
	must(isfinite(curve->active.best) && curve->active.best >= 0.0);
	must(isfinite(curve->throughput) && curve->throughput >= 0.0);
}

/* What is kept can be had back. */
static void
judge_curve(World *w)
{
	PadvScalabilityRow rows[PADV_CURVE_BINS];
	double		numbers[PADV_CURVE_NUMBERS];
	PadvScalability again;
	int			nrows;

	padv_scalability_judge(&w->scalability, w->status.model.cores,
						   padv_model_least_seen(&w->status.model), &w->curve);
	check_curve(&w->curve);
	nrows = padv_scalability_rows(&w->scalability, &w->curve, rows);
	must(nrows >= 0 && nrows <= PADV_CURVE_BINS);
	for (int i = 0; i < nrows; i++)
	{
		must(isfinite(rows[i].connections) && isfinite(rows[i].seconds));
		must(isfinite(rows[i].throughput) && isfinite(rows[i].latency));
		must(isfinite(rows[i].active) && isfinite(rows[i].fitted));
		must(i == 0 || rows[i].connections >= rows[i - 1].connections * (1.0 - 1e-9));
	}
	padv_scalability_keep(&w->scalability, numbers);
	must(padv_history_curve_sound(numbers, PADV_CURVE_NUMBERS));
	must(padv_scalability_restore(&again, numbers, PADV_CURVE_NUMBERS));
}

/* What is kept of pools can be had back; a file may say anything. */
static void
restore_pool(World *w)
{
	double		numbers[PADV_POOL_NUMBERS];
	PadvPoolMemory again;

	padv_pool_keep(&w->pool, numbers);
	must(padv_history_curve_sound(numbers, PADV_POOL_NUMBERS));
	must(padv_pool_restore(&again, numbers, PADV_POOL_NUMBERS));
	for (int i = take_byte(&w->tape) % 4; i > 0; i--)
		numbers[take_byte(&w->tape) % PADV_POOL_NUMBERS] = take_double(&w->tape);
	(void) padv_pool_restore(&w->pool, numbers, PADV_POOL_NUMBERS);
}

/* A file's numbers are finite, and nothing else is known of them. */
static void
restore_curve(World *w)
{
	double		numbers[PADV_CURVE_NUMBERS];
	double		scale = take_positive(&w->tape);

	padv_scalability_keep(&w->scalability, numbers);
	for (int i = take_byte(&w->tape) % 4; i >= 0; i--)
	{
		uint64_t	at = take_bits(&w->tape, 2) % PADV_CURVE_NUMBERS;
		double		value = take_double(&w->tape);

		numbers[at] = isfinite(value) ? value : scale;
	}
	for (int i = 2 + take_byte(&w->tape); i + 4 < PADV_CURVE_NUMBERS; i += 5 * (1 + take_byte(&w->tape) % 8))
	{
		for (int j = 0; j < 5; j++)
			numbers[i + j] = take_positive(&w->tape);
	}
	(void) padv_scalability_restore(&w->scalability, numbers, PADV_CURVE_NUMBERS);
}

/* --- what must be true ---------------------------------------------------- */

static void
check_ratio(double ratio)
{
	must((ratio >= 0.0 && ratio <= 1.0) || ratio == -1.0);
}

static void
check_load(const PadvLoad *load)
{
	check_ratio(load->cpu_utilization);
	check_ratio(load->cpu_iowait);
	check_ratio(load->run_queue_ratio);
	check_ratio(load->cache_hit_ratio);
	check_ratio(load->pressure_cpu);
	check_ratio(load->pressure_io);
}

static void
check_digest(const PadvDigest *digest)
{
	const PadvCounts *last = &digest->last;
	int64_t		active = 0;

	for (int i = 0; i < PADV_WAIT_CLASSES; i++)
		active += last->in_class[i];
	must(last->active == active);
	must(last->sessions >= last->active + last->idle + last->idle_in_transaction);
	must(digest->minute.active >= 0.0 && digest->minute.demand >= 0.0);
	must(digest->minute.io_wait_ratio >= 0.0 && digest->minute.io_wait_ratio <= 1.0);
	must(digest->nevents <= PADV_MAX_EVENTS && digest->nroles <= PADV_MAX_ROLES);
}

static void
check_model(const PadvModel *model)
{
	const PadvEstimate *chosen = padv_model_chosen(model);

	must(chosen->available);
	for (int i = 0; i < PADV_METHODS; i++)
	{
		const PadvEstimate *estimate = &model->estimates[i];

		must(!estimate->available || estimate->connections >= 1);
		must(!estimate->available || (estimate->low >= 1 && estimate->low <= estimate->connections &&
									  estimate->connections <= estimate->high));
	}

	/* sizes are in connections, and with parallel workers each has several processes, rounded */
	must(model->busy_ratio <= (model->pool.processes > 1.0 ? 1.5 * model->pool.processes : 1.0));
	must((model->busy_ratio > 0.0) == (model->pool_size > 0));
	must(model->pool_size == 0 || model->pool.processes > 1.0 || model->pool_size >= chosen->connections);
	must(model->session_pool_size >= model->pool_size);
	must(isfinite(model->demand) && model->demand >= 0.0);
	must(isfinite(model->load_ratio) && model->load_ratio >= 0.0);
	must(model->disk_share >= 0.0 && model->disk_share <= 1.0);
	must(model->effective_spindles >= 0.0 && model->effective_spindles <= (double) model->spindles);
	must(padv_verdict_name(model->verdict) != NULL);
}

/* No sentence is cut, and none has a number that is none. */
static void
check_sentence(void *arg, const char *sentence)
{
	size_t		length = strlen(sentence);

	(void) arg;
	must(length > 0 && length < PADV_SENTENCE - 1);
	must(strstr(sentence, " nan") == NULL && strstr(sentence, "-nan") == NULL);
	must(strstr(sentence, " inf ") == NULL && strstr(sentence, "-inf") == NULL);
}

static void
check_words(const PadvStatus *status)
{
	static const PadvLocalStatus nobody;
	PadvLocalStatus local = nobody;
	PadvAdvice	advice[PADV_MAX_ADVICE];
	PadvSummaryRow rows[PADV_SUMMARY_ROWS];
	PadvLoadCheck check;
	int			count;

	local.status = *status;
	local.worker_running = true;
	local.holder_role = "app";
	local.holder_role_quoted = "app";
	local.holder_database = "crm";
	padv_explain(&local, check_sentence, NULL);
	count = padv_advise(&local, advice);
	must(count >= 0 && count <= PADV_MAX_ADVICE);
	for (int i = 0; i < count; i++)
	{
		must(i == 0 || advice[i].severity >= advice[i - 1].severity);
		check_sentence(NULL, advice[i].finding);
	}
	padv_check_load(&local, status->model.inputs.usable_connections, 1.0, 2.0, &check);
	must(isfinite(check.load_ratio) && check.load_ratio >= 0.0);

	/* without thresholds the check is the rule's, and a warning has an advice */
	padv_check_load(&local, status->model.inputs.usable_connections, -1.0, -1.0, &check);
	must(check.status == padv_health(&local).status);
	must(check.status == PADV_CHECK_OK || count > 0);
	padv_summary(&local, rows);
	for (int i = 0; i < PADV_SUMMARY_ROWS; i++)
		must(rows[i].state[0] != '\0');
}

static void
begin(World *w, const uint8_t *data, size_t size)
{
	PadvWindow *window = w->window ? w->window : malloc(padv_window_size(SLOTS));

	memset(w, 0, sizeof(*w));
	w->window = padv_window_init(window, SLOTS);
	w->tape = (Tape) {data, size};
	w->clock_us = INT64_C(1000000);
	padv_load_init(&w->load);
	padv_scalability_init(&w->scalability);
	padv_pool_init(&w->pool);
	padv_model_init(&w->status.model);
	change_settings(w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	World	   *w = &world;

	begin(w, data, size);
	for (int i = 0; i < MOST_ORDERS && w->tape.left > 0; i++)
	{
		uint8_t		order = take_byte(&w->tape);

		w->clock_us += (int64_t) take_bits(&w->tape, order & 128 ? 5 : 3);
		switch (order % 8)
		{
			case 0:
				change_settings(w);
				break;
			case 1:
				judge_curve(w);
				break;
			case 2:
				restore_curve(w);
				restore_pool(w);
				break;
			case 3:
			case 4:
				read_counters(w);
				check_load(&w->status.load);
				break;
			default:
				take_sample(w);
				check_digest(&w->digest);
				break;
		}
		padv_model_update(&w->status.model, &w->inputs, &w->status.minute, &w->status.load,
						  &w->waits, &w->curve);
		padv_model_size_pools(&w->status.model, &w->pool, w->status.taken_at);
		check_model(&w->status.model);
	}
	check_words(&w->status);
	return 0;
}
