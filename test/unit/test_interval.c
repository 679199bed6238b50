/*
 * test_interval.c
 *		What a second of samples and counters says of sessions.
 */
#include <string.h>

#include "core/stats/interval.h"
#include "tap.h"

static PadvCounters before;
static PadvCounters after;
static PadvWindowMeans take;
static PadvInterval interval;
static double idle_sessions = 50.0;	/* beside those that read */

/* A second in which the kernel saw sessions run and ready to run. */
static void
begin(double run, double ready)
{
	memset(&before, 0, sizeof(before));
	memset(&after, 0, sizeof(after));
	after.clock_us = 1000000;
	after.value[PADV_SESSIONS_RUN] = run;
	after.value[PADV_SESSIONS_DELAY] = ready;
	memset(&take, 0, sizeof(take));
}

static void
sample(double on_cpu, double io, double lock, double held, double turnaround, double workers)
{
	take.demand = on_cpu + io + lock + workers;
	take.held_in_transaction = held;
	take.turnaround = turnaround;
	take.parallel_workers = workers;
	take.in_class[PADV_ON_CPU] = on_cpu;
	take.in_class[PADV_WAITING_IO] = io;
	take.in_class[PADV_WAITING_LOCK] = lock;
}

static bool
end(void)
{
	return padv_interval_describe(&take, &before, &after, -1.0, &interval);
}

static void
test_counts(void)
{
	begin(2, 0);
	after.value[PADV_COMMITTED] = 600;
	after.value[PADV_ROLLED_BACK] = 200;
	after.value[PADV_INSIDE] = 4;
	sample(2, 2, 2, 2, 1, 3);
	ok(end(), "an interval");
	near(interval.seconds, 1, 0, "its length");
	near(interval.transactions, 600, 0, "committed transactions");
	near(interval.latency, 0.005, 1e-12, "mean time inside, rolled back ones included");
	near(interval.busy, 2 + 2 + 2 + 2 + 1, 1e-12, "at work: active, held and in turn-around, without parallel workers");
	near(interval.active, 2 + 2 + 2 + 3, 1e-12, "active, with them");
	near(interval.inside, 4, 1e-12, "inside a statement and not kept waiting");

	begin(2, 0);
	sample(2, 2, 1, 0, 0, 0);
	take.in_class[PADV_WAITING_LWLOCK] = 9;
	take.committing = 9;
	take.committing_lwlock = 7;
	take.committing_io = 1;
	take.demand = 14;
	take.active = 14;
	take.idle = 6;
	after.value[PADV_CPU_BUSY] = 3;
	after.value[PADV_CPU_IDLE] = 1;
	ok(end(), "with a group commit");
	near(interval.inside, 11, 1e-12, "waiting for it is being asleep, for an internal lock is not");
	near(interval.internal_lock, 2, 1e-12, "two wait for an internal lock");
	near(interval.disk, 1, 1e-12, "one for a disk, beside the one that flushes");
	near(interval.commit, 9, 0, "all nine for a commit, the one that a standby keeps waiting, too");
	near(interval.sessions, 20, 0, "sessions");
	near(interval.cores_busy, 0.75, 1e-12, "cores busy");

	begin(2, 0);
	sample(2, 2, 1, 0, 0, 0);
	take.in_class[PADV_WAITING_LOCK] = 11;
	take.advisory = 10;
	ok(end(), "with waits for an advisory lock");
	near(interval.inside, 4, 1e-12, "they take nothing from what the others do");
	near(interval.lock, 1, 1e-12, "and are no pressure");

	begin(0, 0);
	after.clock_us = 0;
	ok(!end(), "no time, no interval");
	begin(0, 0);
	sample(1, 0, 0, 0, 0, 0);
	before.value[PADV_COMMITTED] = 5;
	ok(!end(), "counters that went back, no interval");
}

static void
test_unseen(void)
{
	near(padv_unseen_active(1, 50, 3, 0, 97), 48, 0, "ready to run, but taken for idle");
	near(padv_unseen_active(1, 50, 3, 0, 20), 20, 0, "those are in turn-around");
	near(padv_unseen_active(1.5, 0.5, 1, 9, 20), 0, 0, "what waits for I/O may use the CPU");
	near(padv_unseen_active(-1, -1, 1, 0, 20), 0, 0, "unknown is none");
}

static void
test_waits(void)
{
	PadvWaits	waits = {0};

	begin(1, 0.5);
	sample(1, 4, 10, 0, 0, 0);
	end();
	padv_waits_add(&waits, &interval);
	near(waits.run, 1, 0, "a second of running");
	near(waits.ready, 0.5, 0, "half a second of being ready");
	near(waits.asleep, 3.5, 1e-12, "the rest asleep, but for those kept waiting");
	begin(0, 0);
	sample(0, 0, 0, 0, 0, 0);
	end();
	for (int i = 0; i < 1000; i++)
		padv_waits_add(&waits, &interval);
	near(waits.asleep, 3.5, 1e-12, "idle time changes nothing");
	begin(2, 0);
	sample(2, 0, 0, 0, 0, 0);
	end();
	for (int i = 0; i < 600; i++)
		padv_waits_add(&waits, &interval);
	ok(waits.asleep < 0.01 && waits.run < 2.0 * PADV_WAITS_HALF_LIFE && waits.run > PADV_WAITS_HALF_LIFE,
	   "what was long ago is forgotten");
	begin(-1, -1);
	before.value[PADV_SESSIONS_RUN] = before.value[PADV_SESSIONS_DELAY] = -1;
	sample(1, 0, 0, 0, 0, 0);
	ok(end() && interval.run < 0, "without the kernel's figures");
	padv_waits_add(&waits, &interval);
	ok(waits.run > PADV_WAITS_HALF_LIFE, "nothing is added");
}

/* A second with so many reads, of which so many were outstanding. */
static void
read_second(double io, double reading, double reads)
{
	begin(1, 0);
	after.value[PADV_DISK_READ] = reading;
	after.value[PADV_DISK_READ_COUNT] = reads;
	sample(1, io, 0, 0, 0, 0);
	take.active = 1 + io;
	take.idle = idle_sessions;
	end();
}

/* Many of them, so that the means have followed. */
static void
read_seconds(PadvReadLatency *latency, int seconds, double io, double reading, double reads)
{
	for (int i = 0; i < seconds; i++)
	{
		read_second(io, reading, reads);
		padv_read_latency_update(latency, &interval);
	}
}

/* All sessions queue for a disk for hours, and over a restart. */
static void
test_busy_disk(void)
{
	PadvReadLatency latency = {0};
	PadvReadLatency again = {0};
	double		numbers[PADV_READ_LATENCY_NUMBERS];

	idle_sessions = 50;
	read_seconds(&latency, 300, 1, 1, 200);
	idle_sessions = 2;
	read_seconds(&latency, 8 * 3600, 40, 40, 300);
	near(latency.shortest, 0.005, 1e-6, "a queue of hours does not make the device slower");
	ok(interval.disk_queue > 37.0, "and it stays a queue (%.1f)", interval.disk_queue);
	padv_read_latency_keep(&latency, numbers);
	ok(padv_read_latency_restore(&again, numbers, PADV_READ_LATENCY_NUMBERS), "both are kept");
	read_seconds(&again, 30, 40, 40, 300);
	ok(interval.disk_queue > 37.0, "so after a restart it is a queue, too");
	numbers[0] = NAN;
	ok(!padv_read_latency_restore(&again, numbers, PADV_READ_LATENCY_NUMBERS) &&
	   !padv_read_latency_restore(&again, numbers, 1), "what is not sound is refused");
	idle_sessions = 50;
}

static void
test_read_latency(void)
{
	PadvReadLatency latency = {0};

	read_seconds(&latency, 1, 2, 2, 1000);
	near(latency.shortest, 0.002, 1e-12, "the first latency");
	near(interval.disk_queue, 0, 1e-12, "is that without a queue");
	read_seconds(&latency, 100, 8, 8, 1000);
	near(interval.disk_queue, 6, 0.1, "four times as long: three quarters wait in the queue");
	read_seconds(&latency, 1, 4, 8, 1000);
	near(interval.disk_queue, 3, 0.1, "of sessions, not of reads that others have caused");
	read_seconds(&latency, 300, 1, 1, 1000);
	near(latency.shortest, 0.001, 1e-6, "a shorter one replaces it soon");
	read_seconds(&latency, 7200, 16, 16, 1000);
	near(latency.shortest, 0.004, 2e-4, "a longer one in the course of hours");
	ok(interval.disk_queue > 11.0, "as long as it is full");
	read_seconds(&latency, 30, 32, 32, 500);
	near(interval.disk_queue, 0, 0, "half the reads, and slower: the device is slow");
	test_busy_disk();
	latency = (PadvReadLatency) {0};
	read_seconds(&latency, 100, 16, 16, 3);
	near(latency.shortest, 0, 0, "few reads tell nothing");
	begin(1, 0);
	before.value[PADV_DISK_READ] = before.value[PADV_DISK_READ_COUNT] = -1;
	sample(1, 4, 0, 0, 0, 0);
	end();
	padv_read_latency_update(&latency, &interval);
	near(interval.disk_queue, 0, 0, "nor does a machine without these counters");
}

/* A second in which some run, and some wait for locks. */
static void
locked_second(PadvWaits *waits, double run, double lock, double transactions)
{
	begin(run, 0);
	after.value[PADV_COMMITTED] = transactions;
	sample(run, 0, lock, 0, 0, 0);
	end();
	padv_waits_add(waits, &interval);
}

static void
test_locked(void)
{
	PadvWaits	waits = {0};

	for (int i = 0; i < 200; i++)
		locked_second(&waits, 4, 2, 100);
	ok(waits.locks.share == 0.0, "some wait for locks, but less than half");
	for (int i = 0; i < 60; i++)
		locked_second(&waits, 4, 20, 100);
	ok(waits.locks.share > 0.8, "most do");
	near(waits.locks.saturated.through, 4, 1e-9, "and four get through");
	for (int i = 0; i < 30; i++)
		locked_second(&waits, 1, 40, 30);
	ok(waits.locks.saturated.through > 3.5, "thrashing lowers that slowly");
	for (int i = 0; i < 300; i++)
		locked_second(&waits, 4, 0, 100);
	ok(waits.locks.share < 0.01 && waits.locks.saturated.through == 0.0, "it ends");
	for (int i = 0; i < 300; i++)
		locked_second(&waits, 1, 40, 2);
	ok(waits.locks.share == 0.0 || waits.locks.share < 0.01, "a session that holds a lock and does nothing is no saturated lock");
}

/* Cores that others use bound the server only where it wants them, too. */
static void
test_cores(void)
{
	begin(0.4, 0.02);
	after.value[PADV_SERVER_RUN] = 0.5;
	after.value[PADV_CPU_BUSY] = 4;
	ok(end() && interval.cores_busy == 1.0, "all cores are busy");
	near(padv_interval_cores_used(&interval), 0.125, 1e-12, "but the server has an eighth, and waits for none");
	interval.ready = 0.3;
	near(padv_interval_cores_used(&interval), 1.0, 1e-12, "it waits");
	interval.ready = 0.0;
	interval.server_run = 2.5;
	near(padv_interval_cores_used(&interval), 1.0, 1e-12, "or it has most of them");
	interval.server_run = -1.0;
	near(padv_interval_cores_used(&interval), 1.0, 1e-12, "or nobody knows");

	begin(0.4, 0.02);
	after.value[PADV_SERVER_RUN] = 0.5;
	after.value[PADV_CPU_BUSY] = 1;
	after.value[PADV_CPU_IDLE] = 7;
	after.value[PADV_GROUP_CPU] = 1.9;
	ok(padv_interval_describe(&take, &before, &after, 2.0, &interval), "a quota of two cores");
	near(interval.cores, 2.0, 1e-12, "is what is granted");
}

/* Sessions that all are busy, for some seconds. */
static bool
busy_sessions(PadvSessionWatch *watch, double sessions, double logins, int seconds)
{
	PadvInterval busy = {.seconds = 1.0, .busy = sessions, .sessions = sessions, .logins = logins};
	bool		used_up = false;

	for (int i = 0; i < seconds; i++)
		used_up = padv_sessions_are_used_up(watch, &busy);
	return used_up;
}

static void
test_sessions(void)
{
	PadvSessionWatch watch = {0};

	ok(busy_sessions(&watch, 20, 0, 30) && busy_sessions(&watch, 100, 1, 30), "more and more clients: they are used up");
	ok(busy_sessions(&watch, 20, 0, 120), "and fewer again");
	ok(!busy_sessions(&watch, 20, 300, 30), "a connection for each request: they follow");
	ok(busy_sessions(&watch, 20, 0, 600), "not any more");
	memset(&watch, 0, sizeof(watch));
	ok(busy_sessions(&watch, 4, -1, 60) && busy_sessions(&watch, 30, -1, 60), "without logins: there are more");
	ok(!busy_sessions(&watch, 4, -1, 60), "until they become fewer, and all are busy still");
	ok(!busy_sessions(&watch, 30, -1, 60), "which is remembered");
}

/* Sessions behind a holder that does nothing are no queue, while other work flows or not. */
static void
test_stuck(void)
{
	PadvWaits	waits = {0};

	begin(4, 0);
	after.value[PADV_COMMITTED] = 3000;
	sample(6, 0, 30, 0, 0, 0);
	take.active = 36;
	take.idle = 64;
	take.stuck = 28;
	ok(end(), "28 of 36 are stuck");
	near(interval.busy, 8, 1e-12, "they are not busy");
	near(interval.active, 8, 1e-12, "nor active");
	near(interval.sessions, 72, 1e-12, "nor there for others");
	near(interval.lock, 2, 1e-12, "and in no queue");
	near(interval.inside, 6, 1e-12, "the others execute");
	for (int i = 0; i < 60; i++)
		padv_waits_add(&waits, &interval);
	ok(waits.locks.share == 0.0, "no lock is saturated");
	take.stuck = 100;
	ok(end() && interval.lock == 0.0 && interval.busy == 6.0, "no more than wait for locks");

	begin(0.1, 0);
	after.value[PADV_COMMITTED] = 40;
	sample(0.5, 0, 10, 0, 0, 0);
	end();
	ok(!padv_interval_locks_move(&interval), "fewer execute than hold a saturated lock");
	take.held_in_transaction = 0.5;
	end();
	ok(padv_interval_locks_move(&interval), "the holder makes short pauses");
}

/* Seconds in which so many wait in so many queues. */
static void
wait_in_queues(PadvWaits *waits, PadvInterval *busy, double queues, double waiting, double inside, int seconds)
{
	busy->lock_queues = queues;
	busy->lock = waiting;
	busy->inside = inside;
	busy->busy = waiting + inside;
	for (int i = 0; i < seconds; i++)
		padv_waits_add(waits, busy);
}

/* A lock that is held for three quarters of the time, and what its queue says of it. */
static void
test_expected_lock(void)
{
	PadvWaits	waits = {0};
	PadvInterval busy = {.seconds = 1.0, .run = 2.0, .transactions = 1000.0, .sessions = 50.0};

	wait_in_queues(&waits, &busy, 0.5625, 2.25, 3.0, 60);
	near(waits.locks.expected.through, 4.0, 1e-6, "three inside at 0.75 are four at 1");
	near(waits.locks.expected.users, 1.0, 1e-6, "of one lock");
	ok(waits.locks.share == 0.0, "and it is not saturated yet");
	wait_in_queues(&waits, &busy, 0.05, 0.3, 1.0, 7200);
	near(waits.locks.expected.through, 4.0, 0.3, "which hours of less load do not change");
	wait_in_queues(&waits, &busy, 0.99, 30.0, 1.2, 300);
	near(waits.locks.expected.through, 4.0, 0.3, "nor do seconds in which it is saturated, and thrashes");
	ok(waits.locks.share > 0.9 && waits.locks.saturated.through < 2.0, "which are noted for themselves");
	wait_in_queues(&waits, &busy, 0.0, 0.3, 8.0, 960);
	ok(waits.locks.expected.through == 0.0, "but more load without a queue does");
}

/* The same waits, not for one lock. */
static void
test_several_locks(void)
{
	PadvWaits	waits = {0};
	PadvInterval busy = {.seconds = 1.0, .run = 20.0, .transactions = 1000.0, .sessions = 200.0};

	wait_in_queues(&waits, &busy, 5.625, 22.5, 30.0, 300);
	near(waits.locks.expected.users, 10.0, 1e-6, "ten locks at 0.75");
	near(waits.locks.expected.queued, 22.5, 1e-6, "and those that wait for them");

	waits = (PadvWaits) {0};
	wait_in_queues(&waits, &busy, 0.2, 2.25, 3.0, 300);
	ok(waits.locks.expected.through == 0.0, "a lock with a long queue now and then, as of a slow holder, tells nothing");
	wait_in_queues(&waits, &busy, 0.0, 2.25, 3.0, 300);
	ok(waits.locks.expected.through == 0.0, "nor does one that the same session holds all the time");
	waits = (PadvWaits) {0};
	wait_in_queues(&waits, &busy, 40.0, 1.0, 3.0, 300);
	ok(waits.locks.expected.through == 0.0, "nor a session that waits for many readers of a table");
}

/* Reads that take so long, with so many under way, for some seconds. */
static PadvInterval
read_for(PadvReadLatency *latency, double reads, double reading, int seconds)
{
	PadvInterval busy;

	for (int i = 0; i < seconds; i++)
	{
		busy = (PadvInterval) {.seconds = 1.0, .reads = reads, .reading = reading, .disk = reading, .sessions = 100.0,
		.busy = reading};
		padv_read_latency_update(latency, &busy);
	}
	return busy;
}

static void
test_disk_servers(void)
{
	PadvReadLatency latency = {0};
	PadvInterval busy = read_for(&latency, 170.0, 57.0, 60);

	ok(busy.disk_queue > 50.0, "no device takes a third of a second for a read without a queue");

	/* 5 ms without a queue, four at once: at 0.8 a read waits for 0.2 / 0.2 of 5 ms / 4 */
	memset(&latency, 0, sizeof(latency));
	(void) read_for(&latency, 100.0, 0.5, 60);
	busy = read_for(&latency, 640.0, 640.0 * 0.005 * 2.0, 60);
	ok(!busy.disk_tells, "a queue of a minute can be a slow spell");
	busy = read_for(&latency, 640.0, 640.0 * 0.005 * 2.0, 900);
	ok(busy.disk_tells, "one of a quarter of an hour is none");
	near(busy.disk_servers, 4.5, 1.0, "about four reads are under way at once at most");
	near(busy.disk_served, 3.5, 0.6, "and a few less now");
}

/* Of sessions of 20 ms the kernel's account shows a hundredth: they are not asleep. */
static void
test_brief(void)
{
	PadvWaits	waits = {0};

	begin(0.03, 0);
	after.value[PADV_LOGINS] = 180;
	after.value[PADV_COMMITTED] = 180;
	before.value[PADV_LOGINS] = 1;
	sample(3, 0, 0, 0, 0, 0);
	take.active = 3;
	ok(end() && interval.logins == 179.0, "a connection for each request");
	for (int i = 0; i < 600; i++)
		padv_waits_add(&waits, &interval);
	ok(waits.run == 0.0 && waits.asleep == 0.0, "tells nothing of running and waiting");
	after.value[PADV_LOGINS] = 12;
	take.active = 21;
	end();
	padv_waits_add(&waits, &interval);
	ok(interval.sessions == 21.0 && waits.run > 0.0, "nor do ten logins a second matter beside 21 that stay");
}

int
main(void)
{
	test_expected_lock();
	test_several_locks();
	test_disk_servers();
	test_brief();
	test_stuck();
	test_cores();
	test_sessions();
	test_counts();
	test_unseen();
	test_waits();
	test_read_latency();
	test_locked();
	return tap_end();
}
