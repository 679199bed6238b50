/*
 * machine.h
 *		The resources of the machine that the server can use, and their utilization.
 *
 * Plain C without PostgreSQL headers.  All files are read below a root ("" is the
 * real one), so that a test can provide its own /proc and /sys.  The functions
 * raise no errors, keep no memory allocated, and keep no file open.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_MACHINE_H
#define PADV_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define PADV_MAX_FACTS 128
#define PADV_MAX_CPUS 4096
#define PADV_MAX_DISKS 128

/* The path of a rootless container's cgroup has about 300 characters. */
#define PADV_USAGE_FILE 512

/* A row of the view hardware.  Strings are printable and not empty. */
typedef struct PadvFact
{
	char		fact[64];
	char		value[128];
	char		source[192];
} PadvFact;

/* A disk: not a partition, device-mapper or md device. */
typedef struct PadvDisk
{
	char		name[64];		/* name in /sys/block */
	bool		rotational;
	bool		holds_data;		/* of the data directory or a tablespace, not
								 * only WAL */
} PadvDisk;

typedef struct PadvMachine
{
	char		root[1024];		/* root of all paths */
	int			logical_cpus;	/* online CPUs of the machine */
	int			physical_cores; /* physical cores of these */
	int			allowed_cpus;	/* online CPUs in affinity mask and cpuset */
	int			allowed_cores;	/* physical cores of these */
	double		quota;			/* CPU time of the tightest cgroup, in CPUs;
								 * negative: unlimited */
	double		cores;			/* usable: min(allowed_cores, quota), > 0 */
	int			spindles;		/* rotational disks that hold data */
	bool		disks_known;	/* false: for no disk with data is it known
								 * whether it rotates, so spindles is 0 */
	int			ndisks;
	PadvDisk	disks[PADV_MAX_DISKS];
	uint8_t		cpu_allowed[PADV_MAX_CPUS / 8]; /* bit map of allowed CPUs */
	double		memory;			/* bytes that the server may use; negative:
								 * not known */
	double		page_tables;	/* bytes of them, of all processes; likewise */
	char		cgroup_usage_file[PADV_USAGE_FILE]; /* file below root with
													 * the CPU time of the
													 * cgroup with the
													 * tightest quota, or "" */
	int			nfacts;
	int			facts_left_out; /* number of facts that did not fit; the last
								 * fact says so */
	PadvFact	facts[PADV_MAX_FACTS];
} PadvMachine;

/*
 * Cumulative counters in seconds; negative: not known.  The kernel sometimes
 * decreases iowait slightly, and the reads of a disk wrap around after 2^32 ms.
 */
typedef struct PadvMachineCounters
{
	double		cpu_busy;		/* of allowed CPUs, all processes */
	double		cpu_idle;		/* of allowed CPUs, including I/O wait */
	double		cpu_iowait;		/* of allowed CPUs */
	double		cgroup_cpu;		/* of the cgroup with the tightest quota */
	double		disk_read;		/* sum of the durations of reads, of the disks
								 * with data */
	double		disk_read_count;	/* number of completed reads of these
									 * disks */
	double		pressure_cpu;	/* time in which some process waited for a CPU */
	double		pressure_io;	/* time in which some process waited for I/O */
} PadvMachineCounters;

/*
 * Detect cores, quota, memory and disks.  Takes about a millisecond.
 * data_directory is absolute, and is searched below root first.  *machine is always
 * filled, if necessary from sysconf(3).
 */
extern void padv_machine_read(PadvMachine *machine, const char *root,
							  const char *data_directory);

/* Read the counters; takes some tens of microseconds. */
extern void padv_machine_read_counters(const PadvMachine *machine,
									   PadvMachineCounters *counters);

/*
 * Whether the counters of both refer to the same resources, so that their
 * difference means something.
 */
extern bool padv_machine_same_counters(const PadvMachine *a, const PadvMachine *b);

/*
 * Read the CPU time of all threads of a process, and the run queue delay of its
 * first thread, in nanoseconds (/proc/PID/schedstat, /proc/PID/stat).  Without
 * schedstat, CPU time has the resolution of clock ticks, and the delay is not
 * known.  CPU time is never 0.  Returns false if neither file is readable.
 */
#define PADV_DELAY_UNKNOWN UINT64_MAX
extern bool padv_process_read_schedule(const char *root, int pid,
									   uint64_t *run_ns, uint64_t *delay_ns);

/*
 * Whether all threads of a process sleep interruptibly, so that none runs or reads
 * from disk (/proc/PID/stat, /proc/PID/task).  Returns false if not readable.
 */
extern bool padv_process_is_asleep(const char *root, int pid);

#endif							/* PADV_MACHINE_H */
