/*
 * test_machine_counters.c
 *		What a made-up machine has done so far, and its processes.
 */
#include <pthread.h>
#include <time.h>

#include "tap.h"
#include "fake_tree.h"
#include "machine/files.h"

static PadvMachineCounters counters;
static double tick;				/* seconds */

static void
read_counters(void)
{
	memset(&counters, 0x5a, sizeof(counters));
	padv_machine_read_counters(&machine, &counters);
}

/* Two of four CPUs, a quota, two disks of which one holds data. */
static void
plant_machine(void)
{
	static const FakeFile files[] = {
		{"/proc/self/status", "Cpus_allowed_list:\t1,3\n"},
		{"/proc/self/cgroup", "0::/pg\n"},
		{"/proc/self/mountinfo",
			"22 1 8:0 / / rw - ext4 /dev/sda rw\n"
			"23 22 8:16 / /pgdata/pg_wal rw - ext4 /dev/sdb rw\n"
		"24 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"},
		{"/sys/fs/cgroup/pg/cpu.max", "150000 100000\n"},
		{"/sys/fs/cgroup/pg/cpu.stat",
		"nr_bursts 0\nusage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n"},
		{"/sys/block/sda/stat",
		"  100 1 800 12345  200 2 1600 99999 0 300 400 0 0 0 0 0 0\n"},
		{"/sys/block/sdb/stat", "  100 1 800 77777  200 2 1600 99999 0 300 400\n"},
		{"/proc/stat",
			"cpu  1111 2222 3333 4444 5555 6666 7777 8888 9999 9999\n"
			"cpu0 10000 10000 10000 10000 10000 10000 10000 10000 10000 10000\n"
			"cpu1 100 20 30 4000 500 6 7 8 50 10\n"
			"cpu2 10000 10000 10000 10000 10000 10000 10000 10000 10000 10000\n"
			"cpu3 200 0 10 1000 0 0 0 0 0 0\n"
		"intr 5 1 2 3\nctxt 1990473\nbtime 1062191376\n"},
		{"/proc/pressure/cpu",
			"some avg10=0.00 avg60=0.10 avg300=0.00 total=1500000\n"
		"full avg10=0.00 avg60=0.00 avg300=0.00 total=9\n"},
		{"/proc/pressure/io",
			"some avg10=0.00 avg60=0.10 avg300=0.00 total=250000\n"
		"full avg10=0.00 avg60=0.00 avg300=0.00 total=9\n"},
		{NULL, NULL}
	};

	plant_cpus(4);
	plant("/pgdata/pg_wal", NULL);
	plant("/pgdata/pg_tblspc", NULL);
	plant_disk("8:0", "sda", "1\n");
	plant_disk("8:16", "sdb", "0\n");
	plant_all(files);
	read_machine("the machine", "/pgdata");
}

static void
test_counters(void)
{
	tree_begin();
	plant_machine();
	read_counters();

	/* guest time (50, 10) is in user and nice time already */
	near(counters.cpu_busy, (100 + 20 + 30 + 6 + 7 + 8 + 200 + 10) * tick, 1e-9, "busy, of the allowed CPUs");
	near(counters.cpu_idle, (4000 + 500 + 1000) * tick, 1e-9, "idle, I/O wait included");
	near(counters.cpu_iowait, 500 * tick, 1e-9, "I/O wait");
	near(counters.cgroup_cpu, 2.5, 1e-12, "CPU time of the group");
	near(counters.disk_read, 12.345, 1e-12, "reads of the disk that holds data");
	near(counters.disk_read_count, 100, 1e-12, "how many");
	near(counters.pressure_cpu, 1.5, 1e-12, "CPU pressure");
	near(counters.pressure_io, 0.25, 1e-12, "I/O pressure");

	/* a tablespace on the other disk */
	plant("/mnt/pg", NULL);
	plant("/pgdata/pg_tblspc/1", "-> /pgdata/pg_wal");
	read_machine("a tablespace", "/pgdata");
	read_counters();
	near(counters.disk_read, 12.345 + 77.777, 1e-9, "reads of both disks");
	near(counters.disk_read_count, 200, 1e-9, "how many");

	plant("/sys/block/sdb/stat", "100 1 800\n");
	read_counters();
	near(counters.disk_read_count, -1, 0, "one disk that does not tell leaves no count");
	near(counters.disk_read, -1, 0, "one disk that does not tell leaves no sum");
	tree_end();
}

/* cgroup v1 counts in nanoseconds, and in a file of its own. */
static void
test_v1_usage(void)
{
	tree_begin();
	plant_machine();
	plant("/proc/self/cgroup", "4:cpuacct,cpu:/pg\n");
	plant("/proc/self/mountinfo", "24 22 0:26 / /cg rw - cgroup cgroup rw,cpu,cpuacct\n");
	plant("/cg/pg/cpu.cfs_quota_us", "50000\n");
	plant("/cg/pg/cpu.cfs_period_us", "100000\n");
	plant("/cg/pg/cpuacct.usage", "7250000000\n");
	read_machine("cgroup v1", "/pgdata");
	read_counters();
	near(counters.cgroup_cpu, 7.25, 1e-12, "CPU time of the group");
	tree_end();
}

/*
 * As on a machine with 1024 CPUs: more than 64 KB before the last of them, and
 * more interrupts than that behind it.
 */
static void
test_large_stat(void)
{
	size_t		size = 1024 * 512;
	char	   *text = malloc(size);
	size_t		length = (size_t) snprintf(text, size, "cpu  1 1 1 1 1 1 1 1 1 1\n");

	for (int cpu = 0; cpu < 1024; cpu++)
		length += (size_t) snprintf(text + length, size - length,
									"cpu%d 1000000000 1 2 3000000000 4 5 6 7 12345678901234 98765432101234\n", cpu);
	ok(length > 65536, "more than 64 KB");
	length += (size_t) snprintf(text + length, size - length, "intr 123");
	for (int interrupt = 0; interrupt < 100000; interrupt++)
		length += (size_t) snprintf(text + length, size - length, " %d", interrupt % 10);
	snprintf(text + length, size - length, "\nctxt 1\ncpu1000 9 9 9 9\nbtime 1062191376\n");
	tree_begin();
	plant_machine();
	plant("/proc/stat", text);
	plant("/proc/self/status", "Cpus_allowed_list:\t0-1023\n");
	plant("/sys/devices/system/cpu/online", "0-1023\n");
	read_machine("1024 CPUs", "/pgdata");
	count_is(machine.allowed_cpus, 1024, "allowed CPUs");
	read_counters();
	near(counters.cpu_busy, 1024.0 * 1000000021 * tick, 1e-3, "busy");
	near(counters.cpu_idle, 1024.0 * 3000000004 * tick, 1e-3, "idle");
	near(counters.cpu_iowait, 1024.0 * 4 * tick, 1e-6, "I/O wait");
	tree_end();
	free(text);
}

/* Whether any of the counters is something other than known or unknown. */
static bool
counters_are_sound(void)
{
	const double *values = (const double *) &counters;

	for (size_t i = 0; i < sizeof(counters) / sizeof(double); i++)
	{
		if (!(values[i] == -1.0 || (values[i] >= 0.0 && values[i] < 1e19)))
			return false;
	}
	return true;
}

static void
test_unreadable(void)
{
	static const char *const files[] = {
		"/proc/stat", "/sys/fs/cgroup/pg/cpu.stat", "/sys/block/sda/stat",
		"/proc/pressure/cpu", "/proc/pressure/io"
	};
	static const char *const garbage[] = {
		"", "\n", "garbage", "-1", "99999999999999999999999999\n", "cpu\ncpu1\ncpu3 \n", "cpu1 1 2 3\n4 5 6 7 8\n",
		"cpu1 -1 2 3 4 5 6 7 8\n", "cpu99999999999999999999 1 1 1 1 1 1 1 1\n", "usage_usec\nsome\n",
		"usage_usec x\nsome avg10=0\n", "some total=\n", "1 2 3\n4", "usage_usec 18446744073709551616",
	};

	tree_begin();
	plant_machine();
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
	{
		for (size_t j = 0; j < sizeof(files) / sizeof(files[0]); j++)
			plant(files[j], garbage[i]);
		read_counters();
		ok(counters.cpu_busy == -1 && counters.cpu_idle == -1 && counters.cpu_iowait == -1 &&
		   counters.cgroup_cpu == -1 && counters.disk_read == -1 &&
		   counters.pressure_cpu == -1 && counters.pressure_io == -1,
		   "garbage %d is told from figures", (int) i);
	}

	/* the largest numbers there are, and a line without its end */
	plant("/proc/stat", "cpu1 18446744073709551615 18446744073709551615 18446744073709551615 1 1 1 1 1");
	read_counters();
	ok(counters.cpu_busy > 1e17 && counters_are_sound(), "no overflow");
	tree_end();

	tree_begin();
	plant_machine();
	for (size_t j = 0; j < sizeof(files) / sizeof(files[0]); j++)
	{
		char		full[256];

		snprintf(full, sizeof(full), "%s%s", tree_root, files[j]);
		unlink(full);
	}
	read_counters();
	ok(counters.cpu_busy == -1 && counters.cgroup_cpu == -1 && counters.disk_read == -1 &&
	   counters.pressure_cpu == -1 && counters.pressure_io == -1, "files that are missing");
	tree_end();

	tree_begin();
	read_machine("nothing", "/pgdata");
	read_counters();
	ok(counters.cpu_busy == -1 && counters.cgroup_cpu == -1 && counters.disk_read == -1, "no machine at all");
	tree_end();
}

/*
 * Every file in turn, with what the kernel never writes in it, or not there at
 * all: one file less leaves the answers of the others.
 */
static void
test_garbage(void)
{
	static const char *const files[] = {
		"/sys/devices/system/cpu/online", "/sys/devices/system/cpu/cpu1/topology/core_cpus_list",
		"/proc/cpuinfo", "/proc/self/status", "/proc/self/cgroup", "/proc/self/mountinfo",
		"/sys/fs/cgroup/pg/cpu.max", "/sys/fs/cgroup/pg/cpu.stat", "/sys/fs/cgroup/cpuset.cpus.effective",
		"/sys/block/sda/queue/rotational", "/sys/block/sda/device/vendor", "/sys/block/sda/stat",
		"/proc/stat", "/proc/pressure/cpu", "/proc/pressure/io"
	};
	static const char *const garbage[] = {
		NULL, "", "\n", "\n\n\n", " ", ",", "-", "-1\n", "-1 -1 -1 -1\n", "0-", "5-2", "1,", "99999999999999999999",
		"\1\2\177\377\376", ":::::", "cpu", "22 1 8:0 / /", "7:cpu", "Cpus_allowed_list:", "usage_usec"
	};
	const size_t ngarbage = sizeof(garbage) / sizeof(garbage[0]);
	size_t		size = 1024 * 1024;
	char	   *nines = malloc(size);
	char		full[256];

	memset(nines, '9', size);
	tree_begin();
	plant_machine();
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
	{
		char	   *content;
		int			unsound = 0;

		snprintf(full, sizeof(full), "%s%s", tree_root, files[i]);
		content = padv_read_whole(tree_root, files[i]);
		for (size_t j = 0; j < ngarbage + 2; j++)
		{
			remove(full);
			if (j < ngarbage)
				plant(files[i], garbage[j]);
			else if (j == ngarbage)
				tree_write(files[i], nines, size);
			memset(&machine, 0x5a, sizeof(machine));
			padv_machine_read(&machine, tree_root, "/pgdata");
			read_counters();
			unsound += !is_sound_machine(&machine) || !counters_are_sound() || machine.cores < 1 || machine.cores > 2;
		}
		ok(unsound == 0, "%s with garbage", files[i]);
		remove(full);
		if (content != NULL)
			plant(files[i], content);
		free(content);
	}
	read_machine("nothing is left of it", "/pgdata");
	ok(machine.quota == 1.5 && machine.spindles == 1, "as it was");
	tree_end();
	free(nines);
}

/* The real machine: whatever it is, the answer has to fit together. */
static void
test_this_machine(void)
{
	char		data[128];
	uint64_t	run,
				delay;

	tree_begin();
	plant("/pgdata/pg_wal", NULL);
	plant("/pgdata/pg_tblspc", NULL);
	snprintf(data, sizeof(data), "%s/pgdata", tree_root);
	memset(&machine, 0x5a, sizeof(machine));
	padv_machine_read(&machine, "/", data);
	check_sound("this machine, by its root");
	padv_machine_read(&machine, "", data);
	check_sound("this machine");
	read_counters();
	ok(counters_are_sound(), "its counters");
	if (padv_process_read_schedule("", (int) getpid(), &run, &delay))
		ok(run < UINT64_C(3600000000000), "this process");
	tree_end();
}

/* Counters may be subtracted when they are of the same things. */
static void
test_same(void)
{
	PadvMachine *before = malloc(sizeof(PadvMachine));

	tree_begin();
	plant_machine();
	*before = machine;
	read_machine("again", "/pgdata");
	ok(padv_machine_same_counters(before, &machine), "nothing changed");

	plant("/proc/self/status", "Cpus_allowed_list:\t0,3\n");
	read_machine("other CPUs", "/pgdata");
	ok(!padv_machine_same_counters(before, &machine), "other CPUs");

	plant_machine();
	plant("/pgdata/pg_tblspc/1", "-> ../pg_wal");
	read_machine("another disk", "/pgdata");
	ok(!padv_machine_same_counters(before, &machine), "another disk holds data");

	plant("/pgdata/pg_tblspc/1", "-> ../..");
	plant("/sys/fs/cgroup/cpu.max", "100000 100000\n");
	read_machine("another group", "/pgdata");
	ok(!padv_machine_same_counters(before, &machine), "another group has the quota");

	plant("/sys/fs/cgroup/cpu.max", "max 100000\n");
	read_machine("back again", "/pgdata");
	ok(padv_machine_same_counters(before, &machine), "as it was");
	tree_end();
	free(before);
}

static void
test_schedule(void)
{
	static const char *const garbage[] = {
		"", "1", "1\n2\n", "x y z\n", "1 y 3\n", "-1 2 3\n", "1 99999999999999999999 3\n"
	};
	uint64_t	run = 7;
	uint64_t	delay = 7;

	tree_begin();
	ok(!padv_process_read_schedule(tree_root, 4711, &run, &delay), "no process");
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
	{
		plant("/proc/4711/schedstat", garbage[i]);
		ok(!padv_process_read_schedule(tree_root, 4711, &run, &delay), "garbage %d", (int) i);
	}
	ok(run == 7 && delay == 7, "nothing is stored then");
	plant("/proc/4711/schedstat", "123456789012 987654321 42\n");
	ok(padv_process_read_schedule(tree_root, 4711, &run, &delay), "a process");
	ok(run == UINT64_C(123456789012) && delay == 987654321, "its times");
	ok(!padv_process_read_schedule(tree_root, -1, &run, &delay), "no process has a negative number");
	tree_end();
}

static void
test_asleep(void)
{
	static const char *const awake[] = {
		"", "4711", "4711 (postgres)", "4711 (postgres) ", "4711 (postgres) S", "4711 (postgres) R 1 2",
		"4711 (postgres) D 1 2", "4711 (a) S (b) R 1 2"
	};

	tree_begin();
	ok(!padv_process_is_asleep(tree_root, 4711), "no process is not asleep");
	for (size_t i = 0; i < sizeof(awake) / sizeof(awake[0]); i++)
	{
		plant("/proc/4711/stat", awake[i]);
		ok(!padv_process_is_asleep(tree_root, 4711), "awake or garbage: %s", awake[i]);
	}
	plant("/proc/4711/stat", "4711 (postgres) S 1 2 3\n");
	ok(padv_process_is_asleep(tree_root, 4711), "asleep");
	plant("/proc/4711/stat", "4711 (a) R (b) S 1 2 3\n");
	ok(padv_process_is_asleep(tree_root, 4711), "asleep, under an odd name");
	tree_end();
}

/* The lines of a process and of its threads; utime and stime are in ticks. */
static void
plant_process(const char *state, int utime, int stime, int threads, const char *states)
{
	char		line[512];

	snprintf(line, sizeof(line), "4711 (a) b (c) %s 1 4711 4711 0 -1 4194304 99 8 7 6 %d %d 5 4 20 -5 %d 0 116890\n",
			 state, utime, stime, threads);
	plant("/proc/4711/stat", line);
	for (int i = 0; states[i] != '\0'; i++)
	{
		snprintf(line, sizeof(line), "%d (a) b (c) %c 1 4711 4711 0 -1 4194304 99 8 7 6 0 0 5 4 20 -5 %d 0 116890\n",
				 4711 + i, states[i], threads);
		plant_at(line, "/proc/4711/task/%d/stat", 4711 + i);
	}
}

/* The first thread waits, and others work. */
static void
test_threads(void)
{
	uint64_t	run = 0;
	uint64_t	delay = 0;

	tree_begin();
	plant("/proc/4711/schedstat", "20000000 3000000 42\n");
	plant_process("S", 1, 0, 1, "");
	ok(padv_process_read_schedule(tree_root, 4711, &run, &delay) && run == 20000000 && delay == 3000000,
	   "one thread: its exact times");
	plant_process("S", 300, 200, 3, "SRS");
	ok(padv_process_read_schedule(tree_root, 4711, &run, &delay) && delay == 3000000, "three threads");
	near((double) run, 500 * tick * 1e9, 1.0, "the CPU time of all of them");
	ok(!padv_process_is_asleep(tree_root, 4711), "awake, as one of them runs");
	plant_process("S", 300, 200, 3, "SSD");
	ok(!padv_process_is_asleep(tree_root, 4711), "awake, as one of them reads");
	plant_process("S", 300, 200, 3, "SSS");
	ok(padv_process_is_asleep(tree_root, 4711), "asleep, as all of them are");
	plant("/proc/4711/task/4712/stat", "garbage");
	ok(!padv_process_is_asleep(tree_root, 4711), "a thread that tells nothing is awake");
	plant_process("S", 300, 200, 1, "");
	ok(padv_process_read_schedule(tree_root, 4711, &run, &delay), "the threads have ended");
	near((double) run, 500 * tick * 1e9, 1.0, "what they used remains");
	ok(padv_process_is_asleep(tree_root, 4711), "and the last one sleeps");
	tree_end();

	tree_begin();
	plant_process("S", 300, 200, 2, "");
	ok(!padv_process_is_asleep(tree_root, 4711), "threads that are not told of are awake");
	plant_process("S", 300, 200, 40, "SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS");
	ok(!padv_process_is_asleep(tree_root, 4711), "more threads than are asked");
	plant_process("R", 300, 200, 2, "RS");
	ok(!padv_process_is_asleep(tree_root, 4711), "the first thread runs");
	tree_end();
}

/* A kernel without schedstat. */
static void
test_ticks(void)
{
	uint64_t	run = 7;
	uint64_t	delay = 7;

	tree_begin();
	plant_process("S", 12, 34, 1, "");
	ok(padv_process_read_schedule(tree_root, 4711, &run, &delay) && delay == PADV_DELAY_UNKNOWN, "no schedstat");
	near((double) run, 46 * tick * 1e9, 1.0, "ticks of user and system time");
	plant_process("S", 0, 0, 1, "");
	ok(padv_process_read_schedule(tree_root, 4711, &run, &delay) && run == 1, "less than a tick is not nothing");
	ok(padv_process_is_asleep(tree_root, 4711), "asleep");
	run = 7;
	plant("/proc/4711/stat", "4711 (postgres) S 1 2 3\n");
	ok(!padv_process_read_schedule(tree_root, 4711, &run, &delay) && run == 7, "a line that ends early has no time");
	plant("/proc/4711/stat", "4711 (postgres) S 1 1 1 0 -1 0 0 0 0 0 18446744073709551615 1 0 0 20 0 1 0\n");
	ok(!padv_process_read_schedule(tree_root, 4711, &run, &delay) && run == 7, "times that cannot be");
	plant("/proc/4711/stat", "4711 (postgres) S 1 1 1 0 -1 0 0 0 0 0 9223372036854775807 1 0 0 20 0 1 0\n");
	ok(!padv_process_read_schedule(tree_root, 4711, &run, &delay) && run == 7, "times that do not fit");
	tree_end();
}

/* Burns a core until it is told to stop. */
static void *
burn(void *stop)
{
	while (!*(volatile bool *) stop)
		;
	return NULL;
}

/* This very process with a thread at work, as the kernel shows it. */
static void
test_own_threads(void)
{
	static volatile bool stop = false;
	pthread_t	thread;
	uint64_t	run = 0;
	uint64_t	before = 0;
	uint64_t	delay;
	struct timespec moment = {0, 10000000};

	if (!padv_exists("", "/proc/self/task") || !padv_process_read_schedule("", (int) getpid(), &before, &delay) ||
		pthread_create(&thread, NULL, burn, (void *) &stop) != 0)
		return;

	/* half a minute at most */
	for (int i = 0; i < 3000 && run < before + 200000000; i++)
	{
		nanosleep(&moment, NULL);
		padv_process_read_schedule("", (int) getpid(), &run, &delay);
	}
	ok(run >= before + 200000000, "the time of another thread is counted");
	stop = true;
	pthread_join(thread, NULL);
	before = run;
	padv_process_read_schedule("", (int) getpid(), &run, &delay);
	ok(run >= before, "and still when it has ended");
}

int
main(void)
{
	tick = 1.0 / (double) sysconf(_SC_CLK_TCK);
	test_counters();
	test_v1_usage();
	test_large_stat();
	test_unreadable();
	test_garbage();
	test_this_machine();
	test_same();
	test_schedule();
	test_asleep();
	test_threads();
	test_ticks();
	test_own_threads();
	return tap_end();
}
