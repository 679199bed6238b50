/*
 * worker.c
 *		The process that samples: its life, and the order of its work.
 *
 * Owns the background worker and its private memory.  It calls the modules in order
 * (sampler, window, load, model, status) and computes nothing itself.
 *
 * It has a process entry and reaches shared catalogs, but is connected to no
 * database, so it never stands in the way of DROP DATABASE or CREATE DATABASE
 * ... TEMPLATE.  It runs no transaction but a short one when limits have changed
 * (worker/limits_launcher.c).
 *
 * All memory that grows with the server is allocated before the first sample.  An error ends the process
 * and the postmaster starts it again.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <time.h>

#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/sinval.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "clock.h"
#include "compat.h"
#include "core/model/health.h"
#include "core/model/status.h"
#include "core/policy/lease.h"
#include "core/stats/daily_peak.h"
#include "core/stats/interval.h"
#include "machine/machine.h"
#include "settings.h"
#include "shmem/admission.h"
#include "shmem/history_shmem.h"
#include "shmem/incidents_shmem.h"
#include "shmem/limits_shmem.h"
#include "shmem/load_shmem.h"
#include "shmem/query_quotas.h"
#include "shmem/status_shmem.h"
#include "shmem/trials_shmem.h"
#include "shmem/xact_slots.h"
#include "shmem/xact_stats.h"
#include "standby.h"
#include "worker/buffer_stats.h"
#include "worker/idle_closer.h"
#include "worker/incident_recorder.h"
#include "worker/limits_launcher.h"
#include "worker/lock_chains.h"
#include "worker/pool_watch.h"
#include "worker/proc_cpu.h"
#include "worker/sampler.h"
#include "worker/stall_monitor.h"
#include "worker/trial_runner.h"
#include "worker/worker.h"

#define WORKER_NAME "pool_advisor sampler"
#define RESTART_SECONDS 5

#define SECOND INT64CONST(1000000)

/* The worker's memory; allocated once. */
typedef struct Worker
{
	PadvSample *sample;
	PadvWindow *window;
	PadvDigest *digest;
	PadvLoadWindow *load;
	PadvMachine *machine;
	PadvMachine *previous_machine;	/* and the memory for the next one */
	PadvProcCpu *processes;
	PadvBufferStats *buffers;
	PadvLimitsLauncher *limits_launcher;
	PadvIdleCloser *idle_closer;
	PadvStallMonitor *stall_monitor;
	PadvLockChains *lock_chains;
	PadvPoolWatch *pools;
	PadvTrialRunner *trial_runner;
	PadvIncidentRecorder *incidents;
	PadvRetain	retain;
	PadvHistoryStore *history;
	PadvCounters counters;
	PadvScalability scalability;
	PadvReadLatency read_latency;
	PadvWaits	waits;
	PadvCurve	curve;
	PadvPoolMemory pool;
	PadvDailyPeak peak;
	PadvTrials	trials;			/* a copy */
	double		kept[PADV_HISTORY_MAX_CURVE];	/* what was learned, for the
												 * history's file */
	PadvStatus	status;

	/* as the controller saw it last */
	int64		controlled_at;
	int64		waited_us;

	bool		limits_no_query;	/* query_max_active has no effect */
} Worker;

PGDLLEXPORT void padv_worker_main(Datum main_arg);

void
padv_worker_register(void)
{
	BackgroundWorker worker = {0};

	strlcpy(worker.bgw_name, WORKER_NAME, BGW_MAXLEN);
	strlcpy(worker.bgw_type, WORKER_NAME, BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = RESTART_SECONDS;
	strlcpy(worker.bgw_library_name, "pool_advisor", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "padv_worker_main", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}

static double
cpu_seconds(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (double) used.tv_sec + (double) used.tv_nsec / 1e9;
}

static Worker *
create_worker(void)
{
	Worker	   *worker = palloc0(sizeof(Worker));
	int			slots = padv_sampler_slots();

	worker->sample = padv_sampler_create(padv_slot_wait_event());
	worker->window = padv_window_init(palloc(padv_window_size(slots)), slots);
	worker->digest = palloc0(sizeof(PadvDigest));
	worker->load = palloc(sizeof(PadvLoadWindow));
	padv_load_init(worker->load);
	worker->machine = palloc0(sizeof(PadvMachine));
	worker->previous_machine = palloc0(sizeof(PadvMachine));
	worker->processes = padv_proc_cpu_create();
	worker->buffers = padv_buffer_stats_create();
	worker->limits_launcher = padv_limits_launcher_create();
	worker->idle_closer = padv_idle_closer_create();
	worker->stall_monitor = padv_stall_monitor_create();
	worker->lock_chains = padv_lock_chains_create(padv_slot_wait_event());
	worker->pools = padv_pool_watch_create();
	worker->trial_runner = padv_trial_runner_create();
	padv_retain_init(&worker->retain);
	padv_scalability_init(&worker->scalability);
	padv_pool_init(&worker->pool);
	padv_peak_init(&worker->peak);
	worker->history = padv_history_store_create();
	padv_model_init(&worker->status.model);
	return worker;
}

static void
read_machine(Worker *worker, int64 now pg_attribute_unused())
{
	PadvMachine *machine = worker->previous_machine;

	worker->previous_machine = worker->machine;
	worker->machine = machine;
	padv_machine_read(machine, padv_system_root, DataDir);
	padv_status_publish_machine(machine);

	/* counters of other disks or CPUs do not go on where the old ones were */
	if (!padv_machine_same_counters(machine, worker->previous_machine))
	{
		padv_load_init(worker->load);
		worker->read_latency = (PadvReadLatency) {0};
	}
}

static void
read_counters(Worker *worker, int64 now)
{
	PadvMachineCounters machine;
	PadvAdmissionTotals totals;
	PadvXactStats transactions;
	PadvCounters *counters = &worker->counters;

	padv_machine_read_counters(worker->machine, &machine);
	counters->value[PADV_CPU_BUSY] = machine.cpu_busy;
	counters->value[PADV_CPU_IDLE] = machine.cpu_idle;
	counters->value[PADV_CPU_IOWAIT] = machine.cpu_iowait;
	counters->value[PADV_GROUP_CPU] = machine.cgroup_cpu;
	counters->value[PADV_DISK_READ] = machine.disk_read;
	counters->value[PADV_DISK_READ_COUNT] = machine.disk_read_count;
	counters->value[PADV_PRESSURE_CPU] = machine.pressure_cpu;
	counters->value[PADV_PRESSURE_IO] = machine.pressure_io;
	padv_proc_cpu_read(worker->processes, padv_system_root, counters);
	padv_buffer_stats_read(worker->buffers, worker->sample, counters);
	padv_admission_totals(&totals);
	counters->value[PADV_LOGINS_REFUSED] = totals.refused;
	counters->value[PADV_LOGINS_QUEUED] = totals.queued;
	padv_xact_stats_total(&transactions);
	counters->value[PADV_COMMITTED] = transactions.committed;
	counters->value[PADV_ROLLED_BACK] = transactions.rolled_back;
	counters->value[PADV_INSIDE] = transactions.inside_seconds;
	counters->value[PADV_INSIDE_LONG] = transactions.inside_long_seconds;
	counters->value[PADV_LOGINS] = transactions.logins;

	counters->clock_us = now;
	padv_load_add(worker->load, counters);
	padv_load_minute(worker->load, worker->machine->quota, &worker->status.load);
}

/* How long slots are kept depends on whether cores are idle. */
static void
read_retain_timeout(Worker *worker, int64 now)
{
	PadvSlotStats gate;

	padv_slots_read(&gate);
	padv_retain_update(&worker->retain,
					   padv_load_last_cpu_utilization(worker->load, worker->machine->quota),
					   gate.limit, now);
	padv_slots_set_retain_timeout(worker->retain.us);
}

/* What the last second says about the curve; returns transactions a second. */
static double
update_curve(Worker *worker, const PadvWindowMeans *means)
{
	const PadvCounters *before;
	const PadvCounters *after;
	PadvInterval interval;
	PadvServerSlots slots;

	if (!padv_load_newest(worker->load, &before, &after) ||
		!padv_interval_describe(means, before, after, worker->machine->quota, &interval))
		return -1.0;
	padv_slots_of_server(&slots);
	interval.slot_queued = slots.waiting;
	interval.server_run = padv_load_recent(worker->load, PADV_SERVER_RUN, PADV_PROC_CPU_CALLS);
	padv_read_latency_update(&worker->read_latency, &interval);
	padv_scalability_add(&worker->scalability, &interval);
	padv_waits_add(&worker->waits, &interval);
	padv_pool_add(&worker->pool, means, &interval);
	return interval.transactions / interval.seconds;
}

/*
 * The second that has passed, into the curve, the history and the incidents.  Where samples are
 * further apart than a second, so are the looks.
 */
static void
keep_second(Worker *worker, int64 now)
{
	PadvWindowMeans means;
	PadvHistoryPoint point;
	double		transactions_per_second;

	if (!padv_window_drain(worker->window, &means))
		return;
	means.stuck = (double) worker->status.stall.standing;
	means.lock_queues = (double) worker->status.stall.queues;
	padv_peak_add(&worker->peak, means.taken_at, (double) means.connections_max);
	transactions_per_second = update_curve(worker, &means);
	padv_history_describe(&means,
						  padv_load_last_cpu_utilization(worker->load, worker->machine->quota),
						  transactions_per_second,
						  padv_model_chosen(&worker->status.model)->connections, &point);
	padv_history_publish(&point);
	padv_sampler_count_background(worker->sample);
	padv_incident_recorder_add(worker->incidents, now, &means, transactions_per_second, worker->sample,
							   &worker->status, padv_lock_chains_roots(worker->lock_chains));
}

/* What need not be read with each sample. */
static void
read_once_a_second(Worker *worker)
{
	PadvStatus *status = &worker->status;
	int64		now = GetCurrentTimestamp();

	status->limits_unreadable = padv_limits_shmem_state() == PADV_LIMITS_UNREADABLE;
	status->limits_committed = padv_limits_shmem_committed();
	status->history_unwritten = padv_history_failing() || padv_incidents_failing();
	status->connections_most = padv_peak_most(&worker->peak, now);
	status->connections_days = padv_peak_days(&worker->peak, now);
}

static void
end_second(Worker *worker, int64 now)
{
	read_counters(worker, now);
	padv_xact_stats_fold(now);
	read_retain_timeout(worker, now);
	keep_second(worker, now);
	read_once_a_second(worker);
	padv_history_save_if_due(worker->history, now);
}

/*
 * What the file keeps, one after another: the curve, waits, pools, peaks, trials, processes
 * for each connection, reads.  Files of earlier versions end at KEPT_LATER.
 */
enum
{
	KEPT_CURVE = 0,
	KEPT_WAITS = KEPT_CURVE + PADV_CURVE_NUMBERS,
	KEPT_POOL = KEPT_WAITS + PADV_WAITS_NUMBERS,
	KEPT_PEAK = KEPT_POOL + PADV_POOL_NUMBERS,
	KEPT_TRIALS = KEPT_PEAK + PADV_PEAK_NUMBERS,
	KEPT_LATER = KEPT_TRIALS + PADV_TRIALS_NUMBERS,
	KEPT_POOL_PROCESSES = KEPT_LATER,
	KEPT_READS,
	KEPT_NUMBERS = KEPT_READS + PADV_READ_LATENCY_NUMBERS
};

StaticAssertDecl(KEPT_NUMBERS <= PADV_HISTORY_MAX_CURVE, "what was learned must fit into the history");

static void
keep_learned(Worker *worker)
{
	padv_scalability_keep(&worker->scalability, worker->kept + KEPT_CURVE);
	padv_waits_keep(&worker->waits, worker->kept + KEPT_WAITS);
	padv_pool_keep(&worker->pool, worker->kept + KEPT_POOL);
	padv_peak_keep(&worker->peak, worker->kept + KEPT_PEAK);
	padv_trials_copy(&worker->trials);
	padv_trials_keep(&worker->trials, worker->kept + KEPT_TRIALS);
	worker->kept[KEPT_POOL_PROCESSES] = worker->pool.busiest_processes;
	padv_read_latency_keep(&worker->read_latency, worker->kept + KEPT_READS);
	(void) padv_history_publish_curve(worker->kept, KEPT_NUMBERS);
}

/* Days that are known from the history alone, as means of five minutes. */
static void
remember_peaks(Worker *worker)
{
	PadvHistoryPoint points[PADV_HISTORY_CHUNK];
	uint64		cursor = 0;
	int			count;

	while ((count = padv_history_read(PADV_HISTORY_5_MINUTES, &cursor, points)) > 0)
		for (int i = 0; i < count; i++)
			padv_peak_add(&worker->peak, points[i].at,
						  Max(points[i].active_avg, 0.0) + Max(points[i].idle, 0.0) +
						  Max(points[i].idle_in_transaction, 0.0) + Max(points[i].queued, 0.0));
}

/* What an earlier life of the server, or of this process, has learned. */
static void
remember_learned(Worker *worker)
{
	size_t		count = padv_history_curve(worker->kept);

	(void) padv_scalability_restore(&worker->scalability, worker->kept,
									Min(count, PADV_CURVE_NUMBERS));
	if (count == KEPT_NUMBERS || count == KEPT_LATER)
	{
		(void) padv_waits_restore(&worker->waits, worker->kept + KEPT_WAITS, PADV_WAITS_NUMBERS);
		(void) padv_pool_restore(&worker->pool, worker->kept + KEPT_POOL, PADV_POOL_NUMBERS);
		(void) padv_peak_restore(&worker->peak, worker->kept + KEPT_PEAK, PADV_PEAK_NUMBERS);
		if (padv_trials_restore(&worker->trials, worker->kept + KEPT_TRIALS, PADV_TRIALS_NUMBERS))
			padv_trials_fill(&worker->trials);
	}
	if (count == KEPT_NUMBERS)
	{
		(void) padv_pool_restore_processes(&worker->pool, worker->kept[KEPT_POOL_PROCESSES]);
		(void) padv_read_latency_restore(&worker->read_latency, worker->kept + KEPT_READS,
										 PADV_READ_LATENCY_NUMBERS);
	}
	padv_trials_end_orphan();
	remember_peaks(worker);
}

static void
estimate_curve(Worker *worker, int64 now pg_attribute_unused())
{
	PadvScalabilityRow rows[PADV_CURVE_BINS];
	PadvTrialFinding finding;
	int			nrows;

	padv_scalability_judge(&worker->scalability, worker->status.model.cores,
						   padv_model_least_seen(&worker->status.model), &worker->curve);
	keep_learned(worker);
	padv_trials_finding(&worker->trials, GetCurrentTimestamp(), &finding);
	padv_model_note_trial(&worker->status.model, &finding);
	nrows = padv_scalability_rows(&worker->scalability, &worker->curve, rows);
	padv_status_publish_curve(rows, nrows);
}

static void make_due(void (*run) (Worker *worker, int64 now));

/* In the file too, within about a second: a crash must not bring it back. */
static void
reset_curve(Worker *worker)
{
	padv_scalability_init(&worker->scalability);
	memset(&worker->waits, 0, sizeof(PadvWaits));
	padv_pool_init(&worker->pool);
	padv_pool_watch_forget_sizes(worker->pools);
	padv_trials_forget();
	make_due(estimate_curve);
	keep_learned(worker);
	padv_history_save_soon(worker->history);
}

static void
forget_peaks(Worker *worker)
{
	padv_peak_init(&worker->peak);
	padv_pool_watch_forget_peaks(worker->pools);
	keep_learned(worker);
	padv_history_save_soon(worker->history);
}

static void
collect_inputs(const PadvMachine *machine, PadvInputs *inputs)
{
	inputs->logical_cpus = machine->allowed_cpus;
	inputs->physical_cores = machine->allowed_cores;
	inputs->quota = machine->quota;
	inputs->detected_cores = machine->cores;
	inputs->cores_setting = padv_cores;
	inputs->disks_known = machine->disks_known;
	inputs->detected_spindles = machine->spindles;
	inputs->spindles_setting = padv_spindles;
	inputs->memory = machine->memory;
	inputs->page_tables = machine->page_tables;
	inputs->connections_per_core = padv_connections_per_core;
	inputs->optimal_setting = padv_optimal;
	inputs->max_connections = MaxConnections;
	inputs->usable_connections = MaxConnections - padv_reserved_connections();
	inputs->sample_interval_ms = padv_sample_interval;
}

/* One sample, from the process tables to what readers see. */
static void
sample_sessions(Worker *worker, int64 now pg_attribute_unused())
{
	PadvStatus *status = &worker->status;
	PadvDigest *digest = worker->digest;
	double		started = cpu_seconds();
	PadvInputs	inputs;
	PadvAdmissionTotals totals;

	padv_sampler_take(worker->sample);
	padv_admission_totals(&totals);
	worker->sample->logins_waiting = totals.waiting;
	padv_window_add(worker->window, worker->sample);
	padv_pool_watch_sample(worker->pools, worker->sample);
	padv_incident_recorder_sample(worker->incidents, worker->sample);
	padv_window_digest(worker->window, digest);
	if (!padv_load_publish(worker->sample))
		padv_sampler_forget_names(worker->sample);

	status->taken_at = digest->taken_at;
	status->clock_us = worker->sample->clock_us;
	status->samples_total = digest->samples_total;
	status->last = digest->last;
	status->minute = digest->minute;
	status->idle_holder = digest->idle_holder;
	status->connections_most = Max(status->connections_most, status->last.sessions + status->last.logins_waiting);
	collect_inputs(worker->machine, &inputs);
	padv_model_update(&status->model, &inputs, &status->minute, &status->load,
					  &worker->waits, &worker->curve);
	padv_model_size_pools(&status->model, &worker->pool, status->taken_at);
	status->model.verdict = padv_health_verdict(&status->model, &status->stall);
	padv_status_publish(status, digest);

	worker->counters.value[PADV_SAMPLES] += 1.0;
	worker->counters.value[PADV_SAMPLE_CPU] += cpu_seconds() - started;
}

/* Who keeps others waiting; by the last sample, whose readers see it with the next. */
static void
look_at_locks(Worker *worker, int64 now)
{
	PadvStatus *status = &worker->status;

	status->stall.queue_seconds = (double) padv_slots_longest_wait_us(now) / 1e6;
	padv_lock_chains_look(worker->lock_chains, worker->sample, status->last.demand, now, &status->stall);
}

static void
judge_pools(Worker *worker, int64 now pg_attribute_unused())
{
	padv_pool_watch_second(worker->pools, worker->sample,
						   padv_model_chosen(&worker->status.model)->connections,
						   &worker->status.found);
}

/* When a standby had last all that its primary had; readers see it with the next sample. */
static void
look_at_replay(Worker *worker, int64 now)
{
	if (padv_standby_streams() && padv_standby_has_replayed_all())
		worker->status.current_us = now;
}

/* Limits on queries have no effect without query IDs, which is said once. */
static void
limit_queries(Worker *worker, int64 now pg_attribute_unused())
{
	bool		ineffective = padv_query_max_active.count > 0 && !IsQueryIdEnabled();

	if (ineffective && !worker->limits_no_query)
		ereport(WARNING,
				(errmsg("\"pool_advisor.query_max_active\" has no effect, because the server computes no query IDs"),
				 errhint("Set \"compute_query_id\" to \"on\", or preload pg_stat_statements.")));
	worker->limits_no_query = ineffective;
	padv_query_quotas_set(&padv_query_max_active);
}

/* The server's limit on transactions, where it does not move. */
static void
limit_slots(Worker *worker)
{
	if (padv_server_max_active == PADV_SERVER_MAX_ACTIVE_AUTO || padv_trial_runner_runs(worker->trial_runner))
		return;
	worker->status.control.state = PADV_CONTROL_OFF;
	padv_slots_set_server_limit(padv_server_max_active);
}

/* What the controller is to know of now, and of the time since it looked last. */
static void
collect_control_input(Worker *worker, int64 now, PadvControlInput *input)
{
	const PadvModel *model = &worker->status.model;
	int64		waited_us = padv_stall_monitor_waited_us(worker->stall_monitor);
	PadvXactStats transactions;
	PadvServerSlots slots;

	padv_xact_stats_total(&transactions);
	padv_slots_of_server(&slots);
	input->clock_us = now;
	input->transactions = transactions.committed;
	input->waited_share = Min((double) (waited_us - worker->waited_us) /
							  (double) Max(now - worker->controlled_at, 1), 1.0);
	input->taken = slots.taken;
	input->working = slots.working;
	input->waiting = slots.waiting;
	input->highest = (int32) Max(model->inputs.usable_connections, 1);
	input->lowest = Min(PADV_CONTROL_LOWEST, input->highest);
	input->known = (int32) Min(padv_model_pool_or_optimal(model), (int64) input->highest);
	worker->waited_us = waited_us;
	worker->controlled_at = now;
}

/* And where it does. */
static void
control_slots(Worker *worker, int64 now)
{
	PadvControl *control = &worker->status.control;
	PadvControlInput input;

	if (padv_server_max_active != PADV_SERVER_MAX_ACTIVE_AUTO || worker->status.taken_at == 0 ||
		padv_trial_runner_runs(worker->trial_runner))
		return;
	collect_control_input(worker, now, &input);
	if (control->state == PADV_CONTROL_OFF)
	{
		/* go on from what is in force, as after a restart of this process */
		PadvSlotStats gate;

		padv_slots_read(&gate);
		padv_control_start(control, gate.limit > 0 ? gate.limit : input.known, &input);
	}
	padv_slots_set_server_limit(padv_control_look(control, &input));
}

/* Two limits, compared; meanwhile neither the setting nor auto sets one. */
static void
run_trials(Worker *worker, int64 now)
{
	PadvSlotStats gate;

	padv_slots_read(&gate);
	gate.setting = padv_server_max_active;
	if (!padv_trial_runner_look(worker->trial_runner, padv_slot_stats_base(&gate, &worker->status.control),
								&worker->status.model, &worker->scalability, now))
		return;
	limit_slots(worker);
	make_due(estimate_curve);
	padv_history_save_soon(worker->history);
}

static void
read_limits(Worker *worker, int64 now)
{
	padv_limits_launcher_run(worker->limits_launcher, now);
}

static void
monitor_stalls(Worker *worker, int64 now)
{
	padv_stall_monitor_run(worker->stall_monitor, now);
}

static void
close_idle_sessions(Worker *worker, int64 now pg_attribute_unused())
{
	padv_idle_closer_run(worker->idle_closer, worker->sample);
}

/* --- tasks ------------------------------------------------------------------ */

static bool
always(const Worker *worker pg_attribute_unused())
{
	return true;
}

static bool
stalls_are_watched(const Worker *worker)
{
	return padv_stall_monitor_has_work(worker->stall_monitor);
}

static bool
limit_moves(const Worker *worker)
{
	return padv_server_max_active == PADV_SERVER_MAX_ACTIVE_AUTO || padv_trial_runner_runs(worker->trial_runner);
}

/*
 * What the worker does again and again, in this order where several are due.  A task
 * that does not wake the worker is done when the worker is awake for another.
 */
static struct Task
{
	void		(*run) (Worker *worker, int64 now);
	int64		interval;		/* microseconds, or else ... */
	const int  *interval_ms;	/* ... a setting */
	bool		(*wakes) (const Worker *worker);	/* NULL: never */
	bool		on_reload;		/* due at once when settings were read */
	int64		due;			/* monotonic clock, microseconds */
}			tasks[] = {

	{.run = read_machine, .interval = 60 * SECOND, .on_reload = true},
	{.run = end_second, .interval = SECOND},
	{.run = estimate_curve, .interval = 5 * SECOND},
	{.run = sample_sessions, .interval_ms = &padv_sample_interval, .wakes = always, .on_reload = true},
	{.run = look_at_locks, .interval = SECOND},
	{.run = judge_pools, .interval = SECOND},
	{.run = look_at_replay, .interval = SECOND},
	{.run = read_limits, .interval = SECOND / 10, .wakes = always, .on_reload = true},
	{.run = monitor_stalls, .interval = SECOND / 100, .wakes = stalls_are_watched},
	{.run = run_trials, .interval = SECOND / 10, .wakes = limit_moves, .on_reload = true},
	{.run = control_slots, .interval = SECOND / 10, .wakes = limit_moves},
	{.run = limit_queries, .interval = SECOND, .on_reload = true},
	{.run = close_idle_sessions, .interval = SECOND},
};

/* Whether a task is due; if so, also when it is due next. */
static bool
is_due(struct Task *task, int64 now)
{
	int64		interval = task->interval_ms ? (int64) *task->interval_ms * 1000 : task->interval;

	if (now < task->due)
		return false;

	/* keep the rhythm, but do not catch up on what was missed */
	task->due += interval;
	if (task->due <= now)
		task->due = now + interval;
	return true;
}

static void
make_due(void (*run) (Worker *worker, int64 now))
{
	for (int i = 0; i < (int) lengthof(tasks); i++)
		if (tasks[i].run == run)
			tasks[i].due = 0;
}

/* A shorter interval takes effect at once, not after the longer one. */
static void
make_due_after_reload(void)
{
	for (int i = 0; i < (int) lengthof(tasks); i++)
		if (tasks[i].on_reload)
			tasks[i].due = 0;
}

/* Sleep until something is due, or something else wants attention. */
static void
wait_for_work(const Worker *worker)
{
	int64		due = PG_INT64_MAX;
	int64		wait_us;
	long		timeout;

	for (int i = 0; i < (int) lengthof(tasks); i++)
		if (tasks[i].wakes != NULL && tasks[i].wakes(worker))
			due = Min(due, tasks[i].due);
	wait_us = due - padv_monotonic_us();
	timeout = wait_us > 0 ? (long) ((wait_us + 999) / 1000) : 0;
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 timeout, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}

static void
run_tasks(Worker *worker)
{
	int64		now = padv_monotonic_us();

	for (int i = 0; i < (int) lengthof(tasks); i++)
		if (is_due(&tasks[i], now))
			tasks[i].run(worker, now);
}

/* What reset() has asked for. */
static void
handle_resets(Worker *worker)
{
	uint32		resets = padv_status_take_resets();

	if (resets & PADV_RESET_SCALABILITY)
		reset_curve(worker);
	if (resets & PADV_RESET_HISTORY)
	{
		forget_peaks(worker);
		padv_load_forget();
	}
	if (resets & PADV_RESET_INCIDENTS)
		padv_incident_recorder_forget(worker->incidents);
}

/* Everything that may have been asked of us by a signal. */
static void
handle_interrupts(Worker *worker)
{
	CHECK_FOR_INTERRUPTS();

	/* before a shutdown writes to the file what they forget */
	handle_resets(worker);

	/* any exit code but 0 lets the postmaster start us again, unless it ends */
	if (ShutdownRequestPending)
	{
		padv_trial_runner_abandon(worker->trial_runner);
		keep_learned(worker);
		padv_history_save_at_end();
		proc_exit(1);
	}

	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);

		make_due_after_reload();
		padv_limits_launcher_reload(worker->limits_launcher);
		limit_slots(worker);
	}

	/* others wait for us to read our messages */
	if (catchupInterruptPending)
		make_due(read_limits);
}

void
padv_worker_main(Datum main_arg pg_attribute_unused())
{
	Worker	   *worker;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGINT, PADV_SIG_IGN); /* there is no statement to cancel */
	BackgroundWorkerUnblockSignals();

	BackgroundWorkerInitializeConnection(NULL, NULL, 0);

	/* we read single entries now and then; none needs to be kept */
	SetConfigOption("stats_fetch_consistency", "none", PGC_USERSET, PGC_S_OVERRIDE);

	MemoryContextSwitchTo(AllocSetContextCreate(TopMemoryContext, WORKER_NAME,
												ALLOCSET_DEFAULT_SIZES));
	padv_slots_monitor(padv_new_wait_event("PoolAdvisorSlot"));
	worker = create_worker();
	limit_slots(worker);
	limit_queries(worker, 0);
	padv_history_load();
	remember_learned(worker);
	padv_incidents_load();
	worker->incidents = padv_incident_recorder_create();
	padv_worker_announce();

	for (;;)
	{
		wait_for_work(worker);
		handle_interrupts(worker);
		run_tasks(worker);
	}
}
