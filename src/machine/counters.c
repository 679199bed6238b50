/*
 * counters.c
 *		Cumulative counters of the machine.
 *
 * Owns the formats of the kernel's counters.  Keeps no state.  A missing or
 * malformed file gives a negative value.  core/stats/load.c computes differences.
 * Called by the worker once a second.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "machine/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNKNOWN (-1.0)
#define MILLISECONDS 1e3
#define MICROSECONDS 1e6
#define NANOSECONDS 1e9

/* A process with more threads than this counts as awake. */
#define MOST_THREADS 32

/* An upper bound of plausible times: 285 years, which fits into 64 bits. */
#define MOST_NS 9e18

/*
 * The fields of the line of a CPU in /proc/stat (proc(5)), in clock ticks.  User
 * time includes guest time.
 */
enum
{
	USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, FIELDS
};

static bool
parse_fields(const char *line, uint64_t fields[FIELDS])
{
	for (int i = 0; i < FIELDS; i++)
	{
		if (!padv_parse_number(&line, &fields[i]))
			return false;
	}
	return true;
}

static void
add_cpu(const uint64_t fields[FIELDS], double ticks_per_second,
		PadvMachineCounters *counters)
{
	double		busy = 0.0;

	for (int i = 0; i < FIELDS; i++)
	{
		if (i != IDLE && i != IOWAIT)
			busy += (double) fields[i];
	}
	counters->cpu_busy += busy / ticks_per_second;
	counters->cpu_idle += ((double) fields[IDLE] + (double) fields[IOWAIT]) / ticks_per_second;
	counters->cpu_iowait += (double) fields[IOWAIT] / ticks_per_second;
}

static void
read_cpus(const PadvMachine *machine, const char *root, PadvMachineCounters *counters)
{
	char	   *text = padv_read_whole(root, "/proc/stat");
	long		ticks_per_second = sysconf(_SC_CLK_TCK);
	bool		any = false;

	counters->cpu_busy = counters->cpu_idle = counters->cpu_iowait = 0.0;
	for (const char *line = text; line != NULL && *line != '\0';)
	{
		const char *end = strchr(line, '\n');
		const char *at = line + 3;
		uint64_t	cpu,
					fields[FIELDS];

		/* the line "cpu" is the sum of all */
		if (strncmp(line, "cpu", 3) == 0 && *at != ' ' &&
			padv_parse_number(&at, &cpu) && cpu < PADV_MAX_CPUS &&
			(machine->cpu_allowed[cpu / 8] & (1 << (cpu % 8))) != 0 &&
			parse_fields(at, fields))
		{
			add_cpu(fields, (double) (ticks_per_second > 0 ? ticks_per_second : 100), counters);
			any = true;
		}
		line = end ? end + 1 : NULL;
	}
	free(text);
	if (!any)
		counters->cpu_busy = counters->cpu_idle = counters->cpu_iowait = UNKNOWN;
}

/* CPU time of the cgroup with the tightest quota, in seconds. */
static double
read_cgroup_cpu(const PadvMachine *machine, const char *root)
{
	const char *path = machine->cgroup_usage_file;
	char		buffer[4096];
	const char *usage;
	uint64_t	number;

	/* v1: a file with one number, in nanoseconds */
	if (strcmp(padv_base_name(path), "cpu.stat") != 0)
		return path[0] != '\0' && padv_read_number(root, path, &number) ?
			(double) number / NANOSECONDS : UNKNOWN;

	/* v2: lines with keys, in microseconds */
	if (padv_read_file(root, path, buffer, sizeof(buffer)) <= 0)
		return UNKNOWN;
	usage = padv_find_line(buffer, "usage_usec ");
	return usage != NULL && padv_parse_number(&usage, &number) ?
		(double) number / MICROSECONDS : UNKNOWN;
}

/*
 * Fields 1 and 4 of the stat file of a disk: the number of completed reads, and the sum
 * of their durations in milliseconds (kernel documentation, Documentation/block/stat.rst).
 */
static bool
read_disk(const char *root, const char *name, double *count, double *seconds)
{
	char		path[PADV_PATH];
	char		buffer[512];
	const char *at = buffer;
	uint64_t	fields[4];

	if (!padv_join(path, "/sys/block/", name, "/stat") ||
		padv_read_file(root, path, buffer, sizeof(buffer)) <= 0)
		return false;
	for (int i = 0; i < 4; i++)
	{
		if (!padv_parse_number(&at, &fields[i]))
			return false;
	}
	*count = (double) fields[0];
	*seconds = (double) fields[3] / MILLISECONDS;
	return true;
}

static void
read_disks(const PadvMachine *machine, const char *root, PadvMachineCounters *counters)
{
	double		count = 0.0;
	double		seconds = 0.0;
	bool		any = false;

	counters->disk_read = counters->disk_read_count = UNKNOWN;
	for (int i = 0; i < machine->ndisks; i++)
	{
		double		disk_count;
		double		disk_seconds;

		if (!machine->disks[i].holds_data)
			continue;
		if (!read_disk(root, machine->disks[i].name, &disk_count, &disk_seconds))
			return;
		count += disk_count;
		seconds += disk_seconds;
		any = true;
	}
	if (!any)
		return;
	counters->disk_read = seconds;
	counters->disk_read_count = count;
}

/* Parse the total of a line like "some avg10=0.00 avg60=0.00 avg300=0.00 total=0". */
static double
read_pressure(const char *root, const char *path)
{
	char		buffer[512];
	const char *line;
	uint64_t	number;

	if (padv_read_file(root, path, buffer, sizeof(buffer)) <= 0)
		return UNKNOWN;
	line = padv_find_line(buffer, "some ");
	line = line ? strstr(line, "total=") : NULL;
	if (line == NULL)
		return UNKNOWN;
	line += strlen("total=");
	return padv_parse_number(&line, &number) ? (double) number / MICROSECONDS : UNKNOWN;
}

bool
padv_machine_same_counters(const PadvMachine *a, const PadvMachine *b)
{
	return strcmp(a->root, b->root) == 0 &&
		strcmp(a->cgroup_usage_file, b->cgroup_usage_file) == 0 &&
		memcmp(a->cpu_allowed, b->cpu_allowed, sizeof(a->cpu_allowed)) == 0 &&
		a->ndisks == b->ndisks &&
		memcmp(a->disks, b->disks, sizeof(a->disks)) == 0;
}

void
padv_machine_read_counters(const PadvMachine *machine,
						   PadvMachineCounters *counters)
{
	const char *root = machine->root;

	read_cpus(machine, root, counters);
	counters->cgroup_cpu = read_cgroup_cpu(machine, root);
	read_disks(machine, root, counters);
	counters->pressure_cpu = read_pressure(root, "/proc/pressure/cpu");
	counters->pressure_io = read_pressure(root, "/proc/pressure/io");
}

/*
 * Fields of /proc/PID/stat or /proc/PID/task/TID/stat (proc(5)).  The state is that
 * of one thread, for a process its first one.  The CPU time of a process is that of
 * all threads, including those that ended.
 */
typedef struct ProcessStat
{
	char		state;
	double		cpu_ns;			/* with the resolution of clock ticks; UNKNOWN */
	uint64_t	threads;
} ProcessStat;

/* Field numbers as in proc(5). */
#define FIELD_STATE 3
#define FIELD_UTIME 14
#define FIELD_STIME 15
#define FIELD_THREADS 20

/* The beginning of the next field. */
static const char *
next_field(const char *at)
{
	at += strcspn(at, " \n");
	return at + strspn(at, " ");
}

/*
 * Read a stat file.  Some kernels other than Linux have shorter lines: then CPU
 * time is not known, and there is one thread.
 */
static bool
read_process_stat(const char *root, const char *path, ProcessStat *stat)
{
	char		buffer[1024];
	const char *at;
	uint64_t	number;
	uint64_t	ticks = 0;
	bool		timed = false;
	long		ticks_per_second = sysconf(_SC_CLK_TCK);

	if (padv_read_file(root, path, buffer, sizeof(buffer)) <= 0)
		return false;

	/* the name can contain any character, including parentheses */
	at = strrchr(buffer, ')');
	if (at == NULL || at[1] != ' ' || at[2] == '\0' || at[3] != ' ')
		return false;
	at += 2;
	stat->state = *at;
	stat->threads = 1;
	for (int field = FIELD_STATE; *at != '\0'; field++, at = next_field(at))
	{
		const char *end = at;

		/* other fields can be negative */
		if (field != FIELD_UTIME && field != FIELD_STIME && field != FIELD_THREADS)
			continue;
		if (!padv_parse_number(&end, &number))
			break;
		if (field == FIELD_THREADS)
		{
			stat->threads = number;
			break;
		}
		timed = field == FIELD_STIME && number <= UINT64_MAX - ticks;
		ticks += number;
	}
	stat->cpu_ns = timed ? (double) ticks * (NANOSECONDS / (double) (ticks_per_second > 0 ? ticks_per_second : 100)) : UNKNOWN;
	return true;
}

/*
 * schedstat is exact, but only of the first thread, and not every kernel has it.
 * stat is of all threads, but rounded down to clock ticks.  The larger one is the
 * better approximation, and it never decreases, because neither does.
 */
bool
padv_process_read_schedule(const char *root, int pid, uint64_t *run_ns,
						   uint64_t *delay_ns)
{
	char		path[64];
	char		buffer[128];
	const char *at = buffer;
	uint64_t	run,
				delay;
	ProcessStat stat;
	bool		timed;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	timed = read_process_stat(root, path, &stat) && stat.cpu_ns >= 0.0 && stat.cpu_ns < MOST_NS;
	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	if (padv_read_file(root, path, buffer, sizeof(buffer)) <= 0 ||
		!padv_parse_number(&at, &run) || !padv_parse_number(&at, &delay))
	{
		if (!timed)
			return false;
		run = 0;
		delay = PADV_DELAY_UNKNOWN;
	}
	if (timed && stat.cpu_ns > (double) run)
		run = (uint64_t) stat.cpu_ns;

	/* not 0: without schedstat a process can have run for less than a tick */
	*run_ns = run > 0 ? run : 1;
	*delay_ns = delay;
	return true;
}

/* Whether all threads of a process sleep interruptibly. */
static bool
all_threads_asleep(const char *root, int pid)
{
	char		path[160];
	PadvNames  *names;
	bool		asleep;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	names = padv_list_directory(root, path);
	asleep = names != NULL && names->count > 0 && names->count <= MOST_THREADS;
	for (int i = 0; asleep && i < names->count; i++)
	{
		ProcessStat stat;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", pid, names->names[i]);
		asleep = read_process_stat(root, path, &stat) && stat.state == 'S';
	}
	free(names);
	return asleep;
}

/*
 * The state of a process is that of its first thread, which may wait for threads
 * that run.  So all threads are checked.
 */
bool
padv_process_is_asleep(const char *root, int pid)
{
	char		path[64];
	ProcessStat stat;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return read_process_stat(root, path, &stat) && stat.state == 'S' &&
		(stat.threads == 1 || all_threads_asleep(root, pid));
}
