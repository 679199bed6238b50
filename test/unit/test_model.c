/*
 * test_model.c
 *		The formula, the effective spindles, the pool size and the verdict; the
 *		ratios of the load.
 */
#include <string.h>

#include "core/load.h"
#include "core/model.h"
#include "tap.h"

/* A server with 4 physical cores, 8 hyper-threads and 1 rotating disk. */
static PadvBasis
ordinary_basis(void)
{
	PadvBasis	basis = {
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

	return basis;
}

static PadvMinute
minute_of(double on_cpu, double io, double lock)
{
	PadvMinute	minute = {.samples = 600, .busy_ratio = 1.0};

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
model_of(PadvBasis basis, PadvMinute minute, PadvLoad load)
{
	PadvModel	model;

	padv_model_init(&model);
	padv_model_update(&model, &basis, &minute, &load);
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
	ok(padv_formula_size(NAN, 0, 2) == 1, "not a number does no harm");
}

static void
test_spindles(void)
{
	PadvBasis	basis = ordinary_basis();
	PadvMinute	minute;
	PadvLoad	load;
	PadvModel	model;

	basis.detected_spindles = 8;

	model = model_of(basis, minute_of(4, 0, 0), load_with_reads(0));
	near(model.effective_spindles, 0, 0, "cached in shared buffers: no spindle counts");
	ok(model.estimates[PADV_METHOD_FORMULA].connections == 8, "so the formula gives cores * 2");

	model = model_of(basis, minute_of(2, 6, 0), load_with_reads(0.0));
	near(model.effective_spindles, 0, 0, "waits served by the OS cache: no spindle counts");

	model = model_of(basis, minute_of(0.1, 9.9, 0), load_with_reads(20));
	near(model.effective_spindles, 7.92, 1e-9, "every read reaches the disks: nearly all count");
	ok(model.estimates[PADV_METHOD_FORMULA].connections == 16, "so the formula gives cores * 2 + 8");

	model = model_of(basis, minute_of(3, 0, 0), load_with_reads(20));
	near(model.effective_spindles, 0, 0, "a disk busy for others: no spindle counts");

	model = model_of(basis, minute_of(2, 6, 0), load_with_reads(-1));
	near(model.effective_spindles, 6, 1e-9, "without disk figures the sampled waits count");

	/* an idle minute keeps what was learnt */
	minute = minute_of(0, 0, 0);
	load = load_with_reads(0);
	padv_model_update(&model, &basis, &minute, &load);
	near(model.effective_spindles, 6, 1e-9, "an idle minute changes nothing");

	/* small movements do not make the number flap */
	minute = minute_of(2.2, 5.8, 0);
	load = load_with_reads(-1);
	padv_model_update(&model, &basis, &minute, &load);
	near(model.effective_spindles, 6, 1e-9, "a small movement changes nothing");
	minute = minute_of(4, 0, 0);
	padv_model_update(&model, &basis, &minute, &load);
	near(model.effective_spindles, 0, 0, "cached again: none");

	basis.spindles_setting = 2;
	model = model_of(basis, minute_of(0, 5, 0), load_with_reads(9));
	near(model.effective_spindles, 2, 1e-9, "the DBA's number of spindles bounds it");
	minute = minute_of(0, 5, 0);
	load = load_with_reads(9);
	basis.spindles_setting = 1;
	padv_model_update(&model, &basis, &minute, &load);
	near(model.effective_spindles, 1, 1e-9, "also when it is lowered");
}

static void
test_choice(void)
{
	PadvBasis	basis = ordinary_basis();
	PadvModel	model = model_of(basis, minute_of(1, 0, 0), load_with_reads(0));

	ok(model.chosen == PADV_METHOD_FORMULA, "the formula is chosen");
	ok(padv_model_chosen(&model)->low == 4 && padv_model_chosen(&model)->high == 16,
	   "its range is one to four a core");
	ok(!model.estimates[PADV_METHOD_SETTING].available, "no setting");
	ok(!model.estimates[PADV_METHOD_WAIT_RATIO].available &&
	   !model.estimates[PADV_METHOD_SCALABILITY].available, "no measured method yet");

	basis.cores_setting = 6;
	basis.connections_per_core = 4;
	model = model_of(basis, minute_of(1, 0, 0), load_with_reads(0));
	ok(padv_model_chosen(&model)->connections == 24, "cores and multiplier overridden");

	basis.optimal_setting = 12;
	model = model_of(basis, minute_of(1, 0, 0), load_with_reads(0));
	ok(model.chosen == PADV_METHOD_SETTING && padv_model_chosen(&model)->connections == 12,
	   "the DBA's number is chosen");
	ok(model.estimates[PADV_METHOD_FORMULA].available, "the formula is still shown");
}

static void
test_pool_size(void)
{
	PadvBasis	basis = ordinary_basis();
	PadvMinute	minute = minute_of(1, 0, 0);
	PadvLoad	load = load_with_reads(0);
	PadvModel	model;

	model = model_of(basis, minute, load);
	ok(model.pool_size == 8, "always executing: the pool is the optimum");
	minute.busy_ratio = 0.5;
	model = model_of(basis, minute, load);
	ok(model.pool_size == 16, "half of the time executing: twice the optimum");
	minute.busy_ratio = 0.3;
	model = model_of(basis, minute, load);
	ok(model.pool_size == 27, "rounded up");
	minute.busy_ratio = 0.01;
	model = model_of(basis, minute, load);
	ok(model.pool_size == 97, "never more than can connect");
	basis.optimal_setting = 200;
	model = model_of(basis, minute, load);
	ok(model.pool_size == 200, "nor less than the optimum");
}

static PadvVerdict
verdict_of(double on_cpu, double io, double lock)
{
	return model_of(ordinary_basis(), minute_of(on_cpu, io, lock), load_with_reads(0)).verdict;
}

static void
test_verdict(void)
{
	PadvBasis	basis = ordinary_basis();

	/* optimum 8, range 4 to 16 */
	ok(verdict_of(0, 0, 0) == PADV_VERDICT_IDLE, "nobody: idle");
	ok(verdict_of(0.7, 0, 0) == PADV_VERDICT_IDLE, "less than a tenth: idle");
	ok(verdict_of(2, 1, 0) == PADV_VERDICT_WITHIN, "below the range: within");
	ok(verdict_of(8, 0, 0) == PADV_VERDICT_AT_OPTIMUM, "at the optimum");
	ok(verdict_of(10, 6, 0) == PADV_VERDICT_AT_OPTIMUM, "the end of the range is in it");
	ok(verdict_of(10, 6.1, 0) == PADV_VERDICT_OVERSUBSCRIBED, "beyond it: oversubscribed");
	ok(verdict_of(0, 0, 1) == PADV_VERDICT_BLOCKED, "one session, and it is blocked");
	ok(verdict_of(2, 0, 2) == PADV_VERDICT_BLOCKED, "half of the demand blocked");
	ok(verdict_of(2.1, 0, 2) == PADV_VERDICT_AT_OPTIMUM, "less than half");
	ok(verdict_of(0, 0, 0.9) == PADV_VERDICT_WITHIN, "less than one session blocked");

	basis.optimal_setting = 10;
	ok(model_of(basis, minute_of(8, 0, 0), load_with_reads(0)).verdict == PADV_VERDICT_AT_OPTIMUM &&
	   model_of(basis, minute_of(12.5, 0, 0), load_with_reads(0)).verdict == PADV_VERDICT_AT_OPTIMUM &&
	   model_of(basis, minute_of(12.6, 0, 0), load_with_reads(0)).verdict == PADV_VERDICT_OVERSUBSCRIBED &&
	   model_of(basis, minute_of(7.9, 0, 0), load_with_reads(0)).verdict == PADV_VERDICT_WITHIN,
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

int
main(void)
{
	test_formula();
	test_spindles();
	test_choice();
	test_pool_size();
	test_verdict();
	test_load();
	return tap_end();
}
