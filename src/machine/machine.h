/*
 * machine.h
 *		The resources that the machine grants the server, and their use.
 *
 * Plain C without PostgreSQL headers.  Every file is read below a root that
 * the caller names ("" is the real root), so that a test can provide its own
 * /proc and /sys.  Nothing here raises, allocates memory that outlives
 * the call, or keeps a file open.
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

/* A rootless container's group has a path of about 300 characters. */
#define PADV_USAGE_FILE 512

/* One row of the hardware view; all three are printable, never empty. */
typedef struct PadvFact
{
	char		fact[64];
	char		value[128];
	char		source[192];
} PadvFact;

/* A disk at the bottom of a stack: no partition, no dm, no md. */
typedef struct PadvDisk
{
	char		name[64];		/* as in /sys/block */
	bool		rotational;
	bool		holds_data;		/* under the data directory or a tablespace,
								 * not only under the WAL */
} PadvDisk;

typedef struct PadvMachine
{
	char		root[1024];		/* below which it was found */
	int			logical_cpus;	/* online on the machine */
	int			physical_cores; /* of these, hyper-threads counted once */
	int			allowed_cpus;	/* online and inside affinity and cpuset */
	int			allowed_cores;	/* physical ones among them */
	double		quota;			/* CPUs' worth of time the tightest cgroup
								 * grants; negative when unlimited */
	double		cores;			/* granted: min(allowed_cores, quota), > 0 */
	int			spindles;		/* rotational disks that hold data */
	bool		disks_known;	/* false: no disk that holds data was found
								 * with a known rotation, so spindles is 0 */
	int			ndisks;
	PadvDisk	disks[PADV_MAX_DISKS];
	uint8_t		cpu_allowed[PADV_MAX_CPUS / 8]; /* bit map of allowed_cpus */
	double		memory;			/* bytes; negative when not known */
	double		page_tables;	/* bytes, of all processes; likewise */
	char		cgroup_usage_file[PADV_USAGE_FILE]; /* below root; CPU time of
													 * the group whose quota
													 * is in force, or "" */
	int			nfacts;
	int			facts_left_out; /* not stored, as facts[] is full; the last
								 * fact says so */
	PadvFact	facts[PADV_MAX_FACTS];
} PadvMachine;

/*
 * Counters that grow, in seconds, since some moment in the past; negative
 * where not known.  The kernel may take a little of iowait
 * back, and starts a disk's reads again from zero after 2^32 ms.
 */
typedef struct PadvMachineCounters
{
	double		cpu_busy;		/* of the allowed CPUs, all processes */
	double		cpu_idle;		/* of the allowed CPUs, I/O wait included */
	double		cpu_iowait;		/* of the allowed CPUs */
	double		cgroup_cpu;		/* used by the group whose quota is in force */
	double		disk_read;		/* time that reads were outstanding, summed
								 * over reads and the disks that hold data */
	double		pressure_cpu;	/* some process was waiting for a CPU */
	double		pressure_io;	/* some process was waiting for I/O */
} PadvMachineCounters;

/*
 * Find out what there is: cores, quota, disks.  Takes about a millisecond.
 * data_directory is absolute; where root is not "", it is looked up below root
 * first.  Always fills *machine, at worst with what sysconf(3) says.
 */
extern void padv_machine_read(PadvMachine *machine, const char *root,
							  const char *data_directory);

/* Read the counters of what was found; some tens of microseconds. */
extern void padv_machine_read_counters(const PadvMachine *machine,
									   PadvMachineCounters *counters);

/*
 * Whether the counters of both are of the same things, so that they may be
 * subtracted from each other.
 */
extern bool padv_machine_same_counters(const PadvMachine *a, const PadvMachine *b);

/*
 * Nanoseconds that a process, all its threads together, spent on a CPU, and that
 * its first thread was runnable but waiting for one (/proc/PID/schedstat and
 * /proc/PID/stat).  Without the first file, time on a CPU is in clock ticks, and
 * waiting is not known.  Time on a CPU is never 0.  False when neither is
 * readable.
 */
#define PADV_DELAY_UNKNOWN UINT64_MAX
extern bool padv_process_read_schedule(const char *root, int pid,
									   uint64_t *run_ns, uint64_t *delay_ns);

/*
 * Whether all threads of a process sleep, and not in a read from disk (/proc/PID/stat, and
 * the files of its threads if there are several).  False when not readable.
 */
extern bool padv_process_is_asleep(const char *root, int pid);

#endif							/* PADV_MACHINE_H */
