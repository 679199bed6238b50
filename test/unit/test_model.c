/*
 * test_model.c
 *		The formula, the effective spindles, the pool size and the verdict; the
 *		ratios of the load.
 */
#include <string.h>

#include "core/model/model.h"
#include "core/stats/load.h"
#include "tap.h"

static const PadvCurve no_curve;
static const PadvWaits no_waits;

/* A server with 4 physical cores, 8 hyper-threads and 1 rotating disk. */
static PadvInputs
ordinary_basis(void)
{
	PadvInputs	inputs = {
		.logical_cpus = 8,
		.physical_cores = 4,
		.quota = -1.0,
		.detected_cores = 4.0,
		.cores_setting = -1.0,
		.disks_known = true,
		.detected_spindles = 1,
		.spindles_setting = -1,
		.connections_per_core = 2.0,
		.optimal_setting = 0,
		.max_connections = 100,
		.usable_connections = 97,
		.sample_interval_ms = 100,
	};

	return inputs;
}

static PadvMinute
minute_of(double on_cpu, double io, double lock)
{
	PadvMinute	minute = {.samples = 600};

	minute.in_class[PADV_ON_CPU] = on_cpu;
	minute.in_class[PADV_WAITING_IO] = io;
	minute.in_class[PADV_WAITING_LOCK] = lock;
	minute.active = minute.demand = on_cpu + io + lock;
	return minute;
}

static PadvLoad
load_with_reads(double disk_reads)
{
	PadvLoad	load = {.disk_reads = disk_reads};

	return load;
}

static PadvModel
model_of(PadvInputs inputs, PadvMinute minute, PadvLoad load)
{
	PadvModel	model;

	padv_model_init(&model);
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &no_curve);
	return model;
}

static void
test_formula(void)
{
	ok(padv_formula_size(4, 1, 2) == 9, "4 cores and a disk give 9");
	ok(padv_formula_size(8, 0, 2) == 16, "8 cores, all cached, give 16");
	ok(padv_formula_size(8, 0, 4) == 32, "8 cores give 32 by the author's newer multiplier");
	ok(padv_formula_size(16, 8, 2) == 40, "16 cores and 8 disks give 40");
	ok(padv_formula_size(1.5, 0, 2) == 3, "1.5 cores of a container give 3");
	ok(padv_formula_size(0.1, 0, 2) == 1, "never less than 1");
	ok(padv_formula_size(1e300, 0, 2) == INT64_MAX, "never more than fits");
	{
		PadvInputs	inputs = ordinary_basis();

		inputs.detected_cores = 64;
		ok(model_of(inputs, minute_of(1, 0, 0), load_with_reads(0)).estimates[PADV_METHOD_FORMULA].connections == 97,
		   "nor more than ordinary roles can have");
	}
	ok(padv_formula_size(NAN, 0, 2) == 1, "not a number does no harm");
}

static void
test_spindles(void)
{
	PadvInputs	inputs = ordinary_basis();
	PadvMinute	minute;
	PadvLoad	load;
	PadvModel	model;

	inputs.detected_spindles = 8;

	model = model_of(inputs, minute_of(4, 0, 0), load_with_reads(0));
	near(model.effective_spindles, 0, 0, "cached in shared buffers: no spindle counts");
	ok(model.estimates[PADV_METHOD_FORMULA].connections == 8, "so the formula gives cores * 2");

	model = model_of(inputs, minute_of(2, 6, 0), load_with_reads(0.0));
	near(model.effective_spindles, 0, 0, "waits served by the OS cache: no spindle counts");

	model = model_of(inputs, minute_of(0.1, 9.9, 0), load_with_reads(20));
	near(model.effective_spindles, 7.92, 1e-9, "every read reaches the disks: nearly all count");
	ok(model.estimates[PADV_METHOD_FORMULA].connections == 16, "so the formula gives cores * 2 + 8");

	model = model_of(inputs, minute_of(3, 0, 0), load_with_reads(20));
	near(model.effective_spindles, 0, 0, "a disk busy for others: no spindle counts");

	model = model_of(inputs, minute_of(2, 6, 0), load_with_reads(-1));
	near(model.effective_spindles, 6, 1e-9, "without disk figures the sampled waits count");

	/* an idle minute keeps what was learnt */
	minute = minute_of(0, 0, 0);
	load = load_with_reads(0);
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &no_curve);
	near(model.effective_spindles, 6, 1e-9, "an idle minute changes nothing");

	/* small movements do not make the number flap */
	minute = minute_of(2.2, 5.8, 0);
	load = load_with_reads(-1);
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &no_curve);
	near(model.effective_spindles, 6, 1e-9, "a small movement changes nothing");
	minute = minute_of(4, 0, 0);
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &no_curve);
	near(model.effective_spindles, 0, 0, "cached again: none");

	inputs.spindles_setting = 2;
	model = model_of(inputs, minute_of(0, 5, 0), load_with_reads(9));
	near(model.effective_spindles, 2, 1e-9, "the DBA's number of spindles bounds it");
	minute = minute_of(0, 5, 0);
	load = load_with_reads(9);
	inputs.spindles_setting = 1;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &no_curve);
	near(model.effective_spindles, 1, 1e-9, "also when it is lowered");
}

static void
test_choice(void)
{
	PadvInputs	inputs = ordinary_basis();
	PadvModel	model = model_of(inputs, minute_of(1, 0, 0), load_with_reads(0));

	ok(model.chosen == PADV_METHOD_FORMULA, "the formula is chosen");
	ok(padv_model_chosen(&model)->low == 4 && padv_model_chosen(&model)->high == 16,
	   "its range is one to four a core");
	ok(!model.estimates[PADV_METHOD_SETTING].available, "no setting");
	ok(!model.estimates[PADV_METHOD_WAIT_RATIO].available &&
	   !model.estimates[PADV_METHOD_SCALABILITY].available, "no measured method yet");

	inputs.cores_setting = 6;
	inputs.connections_per_core = 4;
	model = model_of(inputs, minute_of(1, 0, 0), load_with_reads(0));
	ok(padv_model_chosen(&model)->connections == 24, "cores and multiplier overridden");

	inputs.optimal_setting = 12;
	model = model_of(inputs, minute_of(1, 0, 0), load_with_reads(0));
	ok(model.chosen == PADV_METHOD_SETTING && padv_model_chosen(&model)->connections == 12,
	   "the DBA's number is chosen");
	ok(model.estimates[PADV_METHOD_FORMULA].available, "the formula is still shown");
}

/* The sizes of pools as the model asks for them; what they are is in test_pool_size.c. */
static void
test_pool_size(void)
{
	PadvInputs	inputs = ordinary_basis();
	PadvModel	model;
	PadvPoolMemory memory;

	padv_model_init(&model);
	ok(model.pool_size == 0 && model.busy_ratio < 0.0, "no pool size to begin with");
	model = model_of(inputs, minute_of(1, 0, 0), load_with_reads(0));
	padv_pool_init(&memory);
	padv_model_size_pools(&model, &memory, 1);
	ok(model.pool_size == 0 && padv_model_pool_or_optimal(&model) == 8, "nor without a load");

	inputs.optimal_setting = 12;
	model = model_of(inputs, minute_of(1, 0, 0), load_with_reads(0));
	padv_model_size_pools(&model, &memory, 1);
	ok(model.pool_size == 12 && model.session_pool_size == 12 && model.pool.load.at == 0,
	   "but for the DBA's number");
	inputs.optimal_setting = 0;

	memory.busiest = (PadvPoolLoad) {.at = 1, .samples = 600, .executing = 2, .held = 1};
	model = model_of(inputs, minute_of(1, 0, 0), load_with_reads(0));
	padv_model_size_pools(&model, &memory, 2);
	ok(model.pool_size == 14 && model.pool.load.at == 1, "a load that is remembered has one");
	near(model.busy_ratio, 8.0 / 14.0, 1e-9, "and a busy_ratio");
}

static PadvVerdict
verdict_of(double on_cpu, double io, double lock)
{
	return model_of(ordinary_basis(), minute_of(on_cpu, io, lock), load_with_reads(0)).verdict;
}

static void
test_verdict(void)
{
	PadvInputs	inputs = ordinary_basis();
	PadvMinute	minute = minute_of(2, 0, 0);

	/* optimum 8, range 4 to 16 */
	ok(verdict_of(0, 0, 0) == PADV_VERDICT_IDLE, "nobody: idle");
	ok(verdict_of(0.7, 0, 0) == PADV_VERDICT_IDLE, "less than a tenth: idle");
	ok(verdict_of(2, 1, 0) == PADV_VERDICT_WITHIN, "below the range: within");
	ok(verdict_of(8, 0, 0) == PADV_VERDICT_AT_OPTIMUM, "at the optimum");
	ok(verdict_of(10, 6, 0) == PADV_VERDICT_AT_OPTIMUM, "the end of the range is in it");
	ok(verdict_of(10, 6.1, 0) == PADV_VERDICT_OVERSUBSCRIBED, "beyond it: oversubscribed");
	ok(verdict_of(0, 0, 1) == PADV_VERDICT_CONTENTION, "one session, and it is blocked");
	ok(verdict_of(2, 0, 2) == PADV_VERDICT_CONTENTION, "half of the demand blocked");
	ok(verdict_of(2.1, 0, 2) == PADV_VERDICT_AT_OPTIMUM, "less than half");
	ok(verdict_of(0, 0, 0.9) == PADV_VERDICT_WITHIN, "less than one session blocked");
	minute.in_class[PADV_WAITING_LOCK] = minute.advisory = 10;
	minute.active += 10;
	ok(model_of(inputs, minute, load_with_reads(0)).verdict == PADV_VERDICT_WITHIN, "a wait for an advisory lock is no contention");

	inputs.optimal_setting = 10;
	ok(model_of(inputs, minute_of(8, 0, 0), load_with_reads(0)).verdict == PADV_VERDICT_AT_OPTIMUM &&
	   model_of(inputs, minute_of(12.5, 0, 0), load_with_reads(0)).verdict == PADV_VERDICT_AT_OPTIMUM &&
	   model_of(inputs, minute_of(12.6, 0, 0), load_with_reads(0)).verdict == PADV_VERDICT_OVERSUBSCRIBED &&
	   model_of(inputs, minute_of(7.9, 0, 0), load_with_reads(0)).verdict == PADV_VERDICT_WITHIN,
	   "a number without a range has a tolerance");
}

/* A reading at a second with the counters growing by so much a second. */
static PadvCounters
reading_at(int second, const double rates[PADV_COUNTERS])
{
	PadvCounters reading = {.clock_us = (int64_t) second * 1000000};

	for (int i = 0; i < PADV_COUNTERS; i++)
		reading.value[i] = rates[i] < 0 ? -1.0 : rates[i] * second;
	return reading;
}

static PadvLoad
load_after(int from, int to, const double rates[PADV_COUNTERS], double quota)
{
	PadvLoadWindow window;
	PadvLoad	load;

	padv_load_init(&window);
	for (int second = from; second <= to; second++)
	{
		PadvCounters reading = reading_at(second, rates);

		padv_load_add(&window, &reading);
	}
	padv_load_minute(&window, quota, &load);
	return load;
}

static void
test_load(void)
{
	double		rates[PADV_COUNTERS] = {
		[PADV_CPU_BUSY] = 3.0, [PADV_CPU_IDLE] = 1.0, [PADV_CPU_IOWAIT] = 0.4,
		[PADV_GROUP_CPU] = 1.4, [PADV_DISK_READ] = 2.5,
		[PADV_PRESSURE_CPU] = 0.3, [PADV_PRESSURE_IO] = 0.1,
		[PADV_SERVER_RUN] = 1.5, [PADV_SERVER_DELAY] = 0.5,
		[PADV_BLOCKS_FETCHED] = 1000, [PADV_BLOCKS_HIT] = 990,
		[PADV_SAMPLES] = 10, [PADV_SAMPLE_CPU] = 0.0004,
	};
	PadvLoadWindow window;
	PadvCounters reading;
	PadvLoad	load;

	load = load_after(5, 200, rates, -1);
	near(load.cpu_utilization, 0.75, 1e-9, "busy over busy and idle");
	near(load.cpu_iowait, 0.1, 1e-9, "I/O wait over all");
	near(load.server_cores, 1.5, 1e-9, "cores used by the server");
	near(load.run_queue_ratio, 0.25, 1e-9, "delay over runnable time");
	near(load.disk_reads, 2.5, 1e-9, "reads outstanding");
	near(load.pressure_cpu, 0.3, 1e-9, "CPU pressure");
	near(load.pressure_io, 0.1, 1e-9, "I/O pressure");
	near(load.cache_hit_ratio, 0.99, 1e-9, "cache hits");
	near(load.sample_cost, 0.00004, 1e-12, "cost of a sample");

	load = load_after(5, 200, rates, 1.5);
	near(load.cpu_utilization, 1.4 / 1.5, 1e-9, "under a quota, the use of the quota");

	load = load_after(5, 5, rates, -1);
	ok(load.cpu_utilization < 0 && load.disk_reads < 0 && load.cache_hit_ratio < 0,
	   "one reading tells nothing");
	padv_load_init(&window);
	padv_load_minute(&window, -1, &load);
	ok(load.cpu_utilization < 0 && load.run_queue_ratio < 0 && load.sample_cost < 0,
	   "no reading tells nothing");

	for (int i = 0; i < PADV_COUNTERS; i++)
		rates[i] = -1;
	load = load_after(5, 200, rates, 1.5);
	ok(load.cpu_utilization < 0 && load.cpu_iowait < 0 && load.server_cores < 0 &&
	   load.run_queue_ratio < 0 && load.disk_reads < 0 && load.pressure_cpu < 0 &&
	   load.pressure_io < 0, "what cannot be read is unknown");
	near(load.cpu_utilization, -1, 0, "and is not shown as a share of the quota");

	/* only the last minute counts */
	for (int i = 0; i < PADV_COUNTERS; i++)
		rates[i] = 1;
	padv_load_init(&window);
	for (int second = 1; second <= 200; second++)
	{
		reading = reading_at(second, rates);
		reading.value[PADV_DISK_READ] = second <= 140 ? 0 : second - 140;
		padv_load_add(&window, &reading);
	}
	padv_load_minute(&window, -1, &load);
	near(load.disk_reads, 1, 1e-9, "what is over a minute ago is forgotten");

	reading = reading_at(201, rates);
	reading.value[PADV_DISK_READ] = 0;
	padv_load_add(&window, &reading);
	padv_load_minute(&window, -1, &load);
	ok(load.disk_reads < 0, "a counter that went back is unknown");
}

/* 4 cores; seconds that sessions ran and were asleep */
static PadvModel
model_of_waits(double run, double ready, double asleep)
{
	PadvInputs	inputs = ordinary_basis();
	PadvMinute	minute = minute_of(1, 0, 0);
	PadvLoad	load = load_with_reads(-1);
	PadvWaits	waits = {.run = run, .ready = ready, .asleep = asleep};
	PadvModel	model;

	padv_model_init(&model);
	padv_model_update(&model, &inputs, &minute, &load, &waits, &no_curve);
	return model;
}

static int64_t
by_waits(double run, double ready, double asleep)
{
	return model_of_waits(run, ready, asleep).estimates[PADV_METHOD_WAIT_RATIO].connections;
}

static void
test_wait_ratio(void)
{
	PadvInputs	inputs = ordinary_basis();
	PadvMinute	minute = minute_of(1, 3, 0);
	PadvLoad	load = load_with_reads(-1);
	PadvWaits	waits = {.run = 10, .asleep = 30};
	PadvModel	model;

	ok(by_waits(20, 0, 0) == 4, "never waiting: as many as cores");
	ok(by_waits(10, 0, 30) == 23, "three asleep for each that runs: four times the cores, and a margin");
	ok(by_waits(10, 100, 30) == 23, "being ready to run is no compute and no wait");
	ok(by_waits(10, 0, 9000) == 97, "never more than can connect");
	model = model_of_waits(10, 0, 30);
	ok(model.chosen == PADV_METHOD_WAIT_RATIO &&
	   model.estimates[PADV_METHOD_WAIT_RATIO].confidence == PADV_CONFIDENCE_LOW,
	   "it goes before the formula, with low confidence");
	ok(!model_of_waits(1, 0, 30).estimates[PADV_METHOD_WAIT_RATIO].available, "a second is too little");

	padv_model_init(&model);
	padv_model_update(&model, &inputs, &minute, &load, &waits, &no_curve);
	waits.asleep = 33;
	padv_model_update(&model, &inputs, &minute, &load, &waits, &no_curve);
	ok(model.estimates[PADV_METHOD_WAIT_RATIO].connections == 23, "a little more does not move it");
	waits.asleep = 50;
	padv_model_update(&model, &inputs, &minute, &load, &waits, &no_curve);
	ok(model.estimates[PADV_METHOD_WAIT_RATIO].connections == 35, "more does");

	/* four get through saturated locks: one that holds the lock, and three before or after it */
	waits.locks = (PadvBottleneck) {.share = 0.4, .saturated = {.users = 1, .through = 4}};
	padv_model_update(&model, &inputs, &minute, &load, &waits, &no_curve);
	ok(model.estimates[PADV_METHOD_WAIT_RATIO].connections == 35, "locks that are saturated now and then bound nothing");
	waits.locks.share = 0.9;
	padv_model_update(&model, &inputs, &minute, &load, &waits, &no_curve);
	ok(model.estimates[PADV_METHOD_WAIT_RATIO].connections == 7, "those that are most of the time do");
	waits.locks.saturated.through = 0.3;
	padv_model_update(&model, &inputs, &minute, &load, &waits, &no_curve);
	ok(model.estimates[PADV_METHOD_WAIT_RATIO].connections == 2, "two at least, so that a long statement does not block all");
	waits.locks.expected = (PadvPassage) {.users = 1, .through = 4};
	padv_model_update(&model, &inputs, &minute, &load, &waits, &no_curve);
	ok(model.estimates[PADV_METHOD_WAIT_RATIO].connections == 7, "what was expected of them shortly before counts while they thrash");
	waits.locks.expected_age = 1000;
	padv_model_update(&model, &inputs, &minute, &load, &waits, &no_curve);
	ok(model.estimates[PADV_METHOD_WAIT_RATIO].connections == 2, "but not for long");
	waits.locks.saturated = (PadvPassage) {.users = 1, .through = 4, .paused = 5};
	padv_model_update(&model, &inputs, &minute, &load, &waits, &no_curve);
	ok(model.estimates[PADV_METHOD_WAIT_RATIO].connections == 12, "pauses add to the margin");
	waits.locks.saturated = (PadvPassage) {.users = 4, .through = 12};
	padv_model_update(&model, &inputs, &minute, &load, &waits, &no_curve);
	ok(model.by_bottleneck == 0.0 && model.estimates[PADV_METHOD_WAIT_RATIO].connections == 59,
	   "several locks bound nothing, and those that wait for them are needed");
	waits.locks = (PadvBottleneck) {.expected = {.users = 10, .through = 70, .queued = 20}};
	padv_model_update(&model, &inputs, &minute, &load, &waits, &no_curve);
	ok(model.estimates[PADV_METHOD_WAIT_RATIO].connections == 35 + 20, "as many as were seen to wait");
	waits.locks.share = 0;
	waits.locks = (PadvBottleneck) {0};
	waits.disks = (PadvBottleneck) {.share = 0.9, .saturated = {.users = 4, .through = 8}};
	padv_model_update(&model, &inputs, &minute, &load, &waits, &no_curve);
	ok(model.estimates[PADV_METHOD_WAIT_RATIO].connections == 11 && model.bottleneck == PADV_RESOURCE_DISKS &&
	   model.bottleneck_saturated, "or what four disks let through");
	waits.disks = (PadvBottleneck) {.expected = {.users = 4, .through = 8}};
	padv_model_update(&model, &inputs, &minute, &load, &waits, &no_curve);
	ok(model.estimates[PADV_METHOD_WAIT_RATIO].connections == 11 && !model.bottleneck_saturated,
	   "or what their queue shows that they will");
}

static void
test_scalability(void)
{
	PadvInputs	inputs = ordinary_basis();
	PadvMinute	minute = minute_of(20, 0, 0);
	PadvLoad	load = load_with_reads(-1);
	PadvCurve	curve = {.state = PADV_CURVE_FITTED, .bins = 9, .near_seconds = 30, .beyond_seconds = 30,
		.present_seconds = 130, .settled = true,
	.busy = {16.1, 12, 24}, .active = {11.6, 8.2, 20.3}};
	PadvModel	model;
	PadvPoolMemory memory;
	double		gain,
				low,
				high;

	padv_model_init(&model);
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(model.chosen == PADV_METHOD_SCALABILITY, "what was measured goes first");
	ok(padv_model_chosen(&model)->connections == 12 && padv_model_chosen(&model)->low == 8 &&
	   padv_model_chosen(&model)->high == 21, "active connections, and their range");
	padv_pool_init(&memory);
	memory.busiest = (PadvPoolLoad) {.at = 1, .samples = 600, .executing = 6, .held = 1, .turnaround = 4, .sessions = 11};
	padv_model_size_pools(&model, &memory, 2);
	ok(model.pool_size == 15, "the optimum, and the pauses inside transactions");
	ok(model.session_pool_size == 16, "a pool whose callers keep connections holds those at work");
	ok(padv_model_chosen(&model)->confidence == PADV_CONFIDENCE_HIGH, "much evidence");
	curve.busy.low = 20;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(padv_model_chosen(&model)->confidence == PADV_CONFIDENCE_MEDIUM, "but not for a peak of one point, as noise makes it");
	curve.busy.low = 12;
	curve.busy.high = 50;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(padv_model_chosen(&model)->confidence == PADV_CONFIDENCE_LOW, "but not for a range that wide");
	curve.busy.high = 24;
	curve.present_seconds = 100;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(padv_model_chosen(&model)->confidence == PADV_CONFIDENCE_MEDIUM, "nor for another level");
	curve.present_seconds = 130;
	curve.throughput = 900;
	curve.now_throughput = 500;
	curve.now_busy = 60;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(padv_model_gain(&model, &gain, &low, &high) && gain == 1.8 && low < 1.7 && high > 1.9, "the gain is measured, with its range");
	curve.now_busy = 20;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(!padv_model_gain(&model, &gain, &low, &high), "there is none within the range");
	curve.beyond_seconds = 5;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(padv_model_chosen(&model)->confidence == PADV_CONFIDENCE_MEDIUM, "less evidence");
	inputs.optimal_setting = 30;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(model.chosen == PADV_METHOD_SETTING, "but the DBA's word is the last");
	inputs.optimal_setting = 0;
	curve.state = PADV_CURVE_NO_KNEE;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(model.chosen == PADV_METHOD_FORMULA, "no knee, no number");
	curve.helpful_active = curve.best_so_far = 40.2;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	padv_pool_init(&memory);
	memory.busiest = (PadvPoolLoad) {.at = 1, .samples = 600, .executing = 40};
	padv_model_size_pools(&model, &memory, 2);
	ok(model.pool_size == 40 && padv_model_chosen(&model)->connections == 8,
	   "but the pool is not made smaller than what was seen to help");
	memory.busiest.ready = 30;
	memory.pool.size = 0;
	padv_model_size_pools(&model, &memory, 2);
	ok(model.pool_size == 10, "which is not waiting for a core");
	memory.busiest.ready = 0;
	memory.pool.size = 0;
	curve.so_far_saturated = true;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	padv_model_size_pools(&model, &memory, 2);
	ok(model.pool_size == 8, "nor with something saturated, as fewer could do the same");
	curve.so_far_saturated = false;
	memory.busiest.ready = 30;
	memory.pool.size = 0;
	minute = minute_of(45, 0, 0);
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(!padv_model_oversubscribed(&model) && model.verdict == PADV_VERDICT_AT_OPTIMUM,
	   "nor are so many called too many by a derived number");
	minute = minute_of(60, 0, 0);
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(padv_model_oversubscribed(&model), "but many more are");
	curve.best_so_far = 0;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(padv_model_oversubscribed(&model), "and without a curve the derived number counts");
	curve.best_so_far = 40.2;
	minute = minute_of(20, 0, 0);
	inputs.optimal_setting = 5;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	padv_model_size_pools(&model, &memory, 2);
	ok(model.pool_size == 5, "unless the DBA says so");
}

/* What an experiment found goes before what was only seen, and for how long. */
static void
test_trial(void)
{
	PadvInputs	inputs = ordinary_basis();
	PadvMinute	minute = minute_of(20, 0, 0);
	PadvLoad	load = load_with_reads(-1);
	PadvCurve	curve = {.state = PADV_CURVE_FITTED, .bins = 9, .near_seconds = 30, .beyond_seconds = 30,
		.present_seconds = 130, .settled = true,
	.busy = {16.1, 12, 24}, .active = {11.6, 8.2, 20.3}};
	PadvTrialFinding finding = {.known = true, .limit = 30, .age_seconds = 3600.0};
	const PadvEstimate *estimate;
	PadvModel	model;

	finding.result = padv_trial_result(1, 300.0, -1, 30, true);
	finding.result.state = PADV_TRIAL_FINISHED;
	finding.result.throughput = (PadvTrialRatio) {1.2, 1.1, 1.3};
	finding.result.busy_ratio = 0.8;
	padv_model_init(&model);
	padv_model_note_trial(&model, &finding);
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	estimate = padv_model_chosen(&model);
	ok(model.chosen == PADV_METHOD_TRIAL && estimate->connections == 24, "a trial goes first: of a limit of 30, 24 are active");
	ok(estimate->low == 19 && estimate->high == 30 && estimate->confidence == PADV_CONFIDENCE_HIGH,
	   "with high confidence, as it was the number before");
	ok(!padv_model_is_derived(&model), "it is measured");
	model.trial.age_seconds = 90000.0;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(model.chosen == PADV_METHOD_SCALABILITY && model.trial_contradicted, "after a day a sure curve without the limit goes first");
	curve.settled = false;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(model.chosen == PADV_METHOD_TRIAL, "an unsure one does not");
	curve.settled = true;
	model.trial.limit = 15;
	model.trial.result.own = false;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(model.chosen == PADV_METHOD_TRIAL && padv_model_chosen(&model)->connections == 12, "nor does one that has it");
	ok(padv_model_chosen(&model)->confidence == PADV_CONFIDENCE_MEDIUM, "the better one of any two is not sure to be the best");
	model.trial.limit = 5000;
	model.trial.age_seconds = 0.0;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(padv_model_chosen(&model)->connections == 97, "never more than ordinary roles can have");
	inputs.optimal_setting = 5;
	padv_model_update(&model, &inputs, &minute, &load, &no_waits, &curve);
	ok(model.chosen == PADV_METHOD_SETTING, "the DBA's word is the last");
	ok(padv_model_trial_limit(&model) == 5, "which is what the next trial compares");
}

/* The higher of two limits is better: that is the least number, and the curve may say more. */
static void
test_least_by_trial(void)
{
	PadvInputs	inputs = ordinary_basis();
	PadvMinute	minute = minute_of(38, 0, 0);
	PadvLoad	load = load_with_reads(-1);
	PadvWaits	waits = {.run = 10, .asleep = 100};
	PadvCurve	curve = {.state = PADV_CURVE_NO_KNEE, .bins = 6, .best_so_far = 62, .helpful_active = 50};
	PadvTrialFinding finding = {.known = true, .limit = 8, .age_seconds = 3600.0};
	const PadvEstimate *estimate;
	PadvModel	model;
	PadvPoolMemory memory;

	finding.result = padv_trial_result(1, 300.0, 8, 4, true);
	finding.result.state = PADV_TRIAL_FINISHED;
	finding.result.throughput = (PadvTrialRatio) {0.52, 0.50, 0.54};
	ok(padv_trial_is_least(&finding), "8 against 4: 8 is the least");
	padv_model_init(&model);
	padv_model_note_trial(&model, &finding);
	padv_model_update(&model, &inputs, &minute, &load, &waits, &curve);
	ok(model.chosen == PADV_METHOD_WAIT_RATIO && padv_model_chosen(&model)->connections > 40,
	   "a larger number is not excluded by it");
	ok(!padv_model_oversubscribed(&model), "nor are as many too many");
	waits.asleep = 0;
	padv_model_update(&model, &inputs, &minute, &load, &waits, &curve);
	estimate = padv_model_chosen(&model);
	ok(model.chosen == PADV_METHOD_TRIAL && estimate->connections == 8 && estimate->low == 8 && estimate->high == 62,
	   "a smaller one is, and the range goes up to the best so far");
	ok(!padv_model_oversubscribed(&model) && model.verdict != PADV_VERDICT_OVERSUBSCRIBED, "nothing is too many by it");
	padv_pool_init(&memory);
	memory.busiest = (PadvPoolLoad) {.at = 1, .samples = 600, .executing = 38};
	padv_model_size_pools(&model, &memory, 2);
	ok(model.pool_size == 50, "a pool has what was seen to help");
	curve.so_far_saturated = true;
	curve.best_so_far = 20;
	padv_model_update(&model, &inputs, &minute, &load, &waits, &curve);
	ok(!padv_model_oversubscribed(&model), "where as many fit into the pool, it would change nothing");
	padv_model_size_pools(&model, &memory, 3);
	padv_model_update(&model, &inputs, &minute, &load, &waits, &curve);
	ok(padv_model_oversubscribed(&model) && padv_model_is_derived(&model),
	   "unless something was saturated, and then as by a derived number");
	model.trial.result.limit[PADV_ARM_A] = 4;
	model.trial.result.limit[PADV_ARM_B] = 8;
	padv_model_update(&model, &inputs, &minute, &load, &waits, &curve);
	ok(padv_model_chosen(&model)->confidence == PADV_CONFIDENCE_MEDIUM, "the number before, if it is higher, is not sure either");
	model.trial.result.limit[PADV_ARM_A] = -1;
	ok(!padv_trial_is_least(&model.trial), "fewer than without a limit are no least number");
}

static void
test_prediction(void)
{
	static PadvScalability scalability;
	PadvModel	model;

	padv_scalability_init(&scalability);
	padv_model_init(&model);
	for (int i = 0; i < 400; i++)
	{
		double		busy = i < 200 ? 5.0 : 20.0;
		PadvInterval interval = {.seconds = 1, .busy = busy, .active = busy,
		.transactions = i < 200 ? 1000 : 600, .sessions = busy, .cores_busy = 1.0};

		padv_scalability_add(&scalability, &interval);
	}
	ok(padv_model_predict(&model, &scalability, -1, 5, 0.0) < 0.0, "without a load nothing is predicted");
	model.curve.now_busy = 20.0;
	near(padv_model_predict(&model, &scalability, -1, 5, 0.0), 1000.0 / 600.0, 0.1, "the curve predicts a gain");
	near(padv_model_predict(&model, &scalability, 5, 30, 0.0), 0.6, 0.1, "and a loss");
	near(padv_model_predict(&model, &scalability, 30, -1, 0.0), 1.0, 1e-9, "and nothing where neither limit is reached");
	ok(padv_model_predict(&model, &scalability, 5, 100, 80.0) < 0.0, "nor what it has not seen");
}

/* Sessions that look idle but are ready to run are no pauses. */
static void
test_unseen(void)
{
	PadvInputs	inputs = ordinary_basis();
	PadvMinute	minute = minute_of(3, 0, 0);
	PadvLoad	load = load_with_reads(-1);
	PadvModel	model;

	minute.turnaround = 97;
	load.sessions_run = 2;
	load.sessions_delay = 81;
	model = model_of(inputs, minute, load);
	near(model.unseen, 80, 1e-9, "80 are ready to run, but were taken for idle");
	ok(padv_model_oversubscribed(&model), "and the server has more than it can use");
}

static uint64_t seed = 20260103;

static double
anything(void)
{
	static const double odd[] = {0, -1, 1e-300, 1e300, NAN, INFINITY, -INFINITY, 0.5, 97};

	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 60) < 4 ? odd[(seed >> 40) % 9] : (double) (seed >> 40) / 65536.0;
}

static PadvBottleneck
any_bottleneck(void)
{
	return (PadvBottleneck) {.share = anything(), .saturated = {anything(), anything(), anything(), anything()},
		.expected = {anything(), anything(), anything(), anything()}, .expected_age = anything()};
}

/* Nonsense in, a number of connections out. */
static void
test_fuzz(void)
{
	PadvInputs	inputs = ordinary_basis();
	PadvModel	model;
	PadvPoolMemory memory;
	bool		sound = true;

	padv_model_init(&model);
	padv_pool_init(&memory);
	for (int i = 0; i < 300000; i++)
	{
		PadvMinute	minute = {.samples = 600};
		PadvLoad	load = {.disk_reads = anything(), .sessions_run = anything(), .sessions_delay = anything()};
		PadvWaits	waits = {.run = anything(), .ready = anything(), .asleep = anything(), .held = anything(),
			.round_trip = anything(), .unseen = anything(), .locks = any_bottleneck(), .disks = any_bottleneck()};
		PadvCurve	curve = {.state = (PadvCurveState) (i % 3), .busy = {anything(), anything(), anything()},
			.active = {anything(), anything(), anything()}, .best_so_far = anything(),
		.helpful_active = anything()};

		minute.demand = anything();
		minute.turnaround = anything();
		minute.held_in_transaction = anything();
		for (int class = 0; class < PADV_WAIT_CLASSES; class++)
			minute.in_class[class] = anything();
		padv_model_update(&model, &inputs, &minute, &load, &waits, &curve);
		for (PadvMethod method = 0; method < PADV_METHOD_SETTING; method++)
		{
			const PadvEstimate *estimate = &model.estimates[method];

			if (method != PADV_METHOD_FORMULA && estimate->available)
				sound = sound && estimate->low >= 1 && estimate->low <= estimate->connections &&
					estimate->connections <= estimate->high && estimate->high <= 97;
		}
		memory.busiest = (PadvPoolLoad) {1, 1, anything(), anything(), anything(), anything(), anything(), anything(), anything()};
		memory.pool.size = memory.session_pool.size = 0;
		padv_model_size_pools(&model, &memory, 1);
		sound = sound && model.pool_size >= padv_model_chosen(&model)->connections &&
			model.session_pool_size >= model.pool_size && model.busy_ratio > 0.0 && model.busy_ratio <= 1.0;
	}
	ok(sound, "nonsense in, a number of connections out");
}

/* 0..1 */
static double
part(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (seed >> 11) / 9007199254740992.0;
}

static double
from_to(double low, double high)
{
	return low * pow(high / low, part());
}

static void
draw_peak(PadvPeak *peak)
{
	peak->best = from_to(0.5, 10000);
	peak->low = peak->best * part();
	peak->high = peak->best * from_to(1, 100);
}

/* On machines of any size, nothing that is computed is larger than the server can have. */
static void
test_machines(void)
{
	static const double cores[] = {0.2, 1, 1.5, 2, 4, 16, 64, 96, 192, 256};
	static const int64_t connections[] = {1, 2, 10, 97, 100, 497, 997, 4997, 262143};
	PadvModel	model;
	PadvPoolMemory memory;
	int			bad = 0;

	for (int i = 0; i < 100000; i++)
	{
		PadvInputs	inputs = ordinary_basis();
		PadvMinute	minute = minute_of(from_to(0.01, 5000), from_to(0.01, 5000), from_to(0.01, 5000));
		PadvLoad	load = load_with_reads(from_to(0.01, 1000));
		PadvWaits	waits = {.run = from_to(0.1, 1e5), .asleep = from_to(0.1, 1e7),
		.locks = {.share = part(), .saturated = {.users = 1.0, .through = from_to(0.1, 5000)}},
		.disks = {.share = part(), .saturated = {.users = from_to(0.1, 5000), .through = from_to(0.1, 5000)}}};
		PadvCurve	curve = {.state = (PadvCurveState) (i % 3), .best_so_far = from_to(1, 10000),
		.helpful_active = from_to(1, 10000)};

		inputs.detected_cores = cores[(int) (part() * 10)];
		inputs.physical_cores = (int64_t) ceil(inputs.detected_cores);
		inputs.logical_cpus = inputs.physical_cores * (1 + i % 2);
		inputs.quota = i % 3 == 0 ? inputs.detected_cores : -1.0;
		inputs.detected_spindles = (int64_t) from_to(1, 200);
		inputs.usable_connections = connections[(int) (part() * 9)];
		inputs.max_connections = inputs.usable_connections + 3;
		draw_peak(&curve.busy);
		draw_peak(&curve.active);
		padv_model_init(&model);
		padv_pool_init(&memory);
		memory.busiest = (PadvPoolLoad) {1, 1, from_to(1, 1e5), from_to(1, 5000), from_to(0.1, 5000),
			from_to(0.1, 5000), from_to(0.1, 5000), from_to(0.1, 5000), from_to(0.1, 5000)};
		padv_model_update(&model, &inputs, &minute, &load, &waits, &curve);
		padv_model_size_pools(&model, &memory, 1);
		for (PadvMethod method = 0; method < PADV_METHOD_SETTING; method++)
		{
			const PadvEstimate *estimate = &model.estimates[method];

			bad += estimate->available &&
				!(estimate->low >= 1 && estimate->low <= estimate->connections &&
				  estimate->connections <= estimate->high && estimate->high <= inputs.usable_connections);
		}
		bad += !(model.pool_size >= 1 && model.pool_size <= model.session_pool_size &&
				 model.session_pool_size <= inputs.usable_connections);
	}
	ok(bad == 0, "on machines of any size nothing is larger than the server can have");
}

int
main(void)
{
	test_formula();
	test_spindles();
	test_choice();
	test_pool_size();
	test_verdict();
	test_load();
	test_wait_ratio();
	test_scalability();
	test_trial();
	test_least_by_trial();
	test_prediction();
	test_unseen();
	test_fuzz();
	test_machines();
	return tap_end();
}
