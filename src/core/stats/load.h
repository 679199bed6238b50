/*
 * load.h
 *		Growing counters of the machine and the server into ratios over the
 *		last minute.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LOAD_H
#define PADV_LOAD_H

#include <stdbool.h>
#include <stdint.h>

/* Counters that only grow; a negative value is one that could not be read. */
typedef enum PadvCounter
{
	PADV_CPU_BUSY,				/* seconds, of the CPUs we may use, by anybody */
	PADV_CPU_IDLE,				/* seconds, I/O wait included */
	PADV_CPU_IOWAIT,			/* seconds, of the idle ones */
	PADV_GROUP_CPU,				/* seconds used by the cgroup with the quota */
	PADV_DISK_READ,				/* seconds that reads were outstanding */
	PADV_DISK_READ_COUNT,		/* completed reads */
	PADV_PRESSURE_CPU,			/* seconds that some process lacked a CPU */
	PADV_PRESSURE_IO,			/* seconds that some process lacked I/O */
	PADV_SERVER_RUN,			/* seconds our server's processes ran */
	PADV_SERVER_DELAY,			/* seconds they were runnable but not run */
	PADV_SESSIONS_RUN,			/* of the former, those of clients' sessions */
	PADV_SESSIONS_DELAY,
	PADV_BLOCKS_FETCHED,		/* blocks asked of shared buffers */
	PADV_BLOCKS_HIT,			/* blocks found there */
	PADV_SAMPLES,				/* samples taken */
	PADV_SAMPLE_CPU,			/* CPU seconds they took */
	PADV_LOGINS_REFUSED,		/* because of a limit */
	PADV_LOGINS_QUEUED,			/* that had to wait in the queue */
	PADV_COMMITTED,				/* transactions of clients */
	PADV_ROLLED_BACK,
	PADV_INSIDE,				/* seconds inside a transaction, of both */
	PADV_INSIDE_LONG,			/* of these, inside one of over a minute */
	PADV_LOGINS,				/* that became sessions; 0: not counted */
} PadvCounter;

#define PADV_COUNTERS (PADV_LOGINS + 1)

/* A longer transaction, in microseconds, is not of the load: its client has forgotten it. */
#define PADV_LONG_TRANSACTION_US INT64_C(60000000)

typedef struct PadvCounters
{
	int64_t		clock_us;		/* monotonic */
	double		value[PADV_COUNTERS];
} PadvCounters;

/* One reading a second for a minute. */
#define PADV_LOAD_READINGS 61

typedef struct PadvLoadWindow
{
	int			next;			/* where the next reading goes */
	int			count;
	PadvCounters readings[PADV_LOAD_READINGS];
} PadvLoadWindow;

/* Over the last minute, or since there are readings; negative is unknown. */
typedef struct PadvLoad
{
	double		cpu_utilization;	/* 0..1 of the cores granted */
	double		cpu_iowait;		/* 0..1 of the same */
	double		server_cores;	/* cores that our server's processes used */
	double		sessions_run;	/* mean number of sessions that ran */
	double		sessions_delay; /* that were ready to run, but not run */
	double		run_queue_ratio;	/* 0..1 of their runnable time spent
									 * waiting for a core */
	double		disk_reads;		/* mean number of reads outstanding */
	double		pressure_cpu;	/* 0..1 of the time */
	double		pressure_io;	/* 0..1 of the time */
	double		cache_hit_ratio;	/* 0..1 of the blocks asked for */
	double		sample_cost;	/* CPU seconds a sample */
	double		logins_refused; /* how many, in the last minute */
	double		logins_queued;
	double		transactions_per_second;	/* committed */
	double		rollbacks_per_second;
	double		transaction_seconds;	/* mean time inside one, of both kinds */

	/* as of the newest reading */
	double		transactions_total;
	double		rollbacks_total;
	double		inside_total;	/* seconds */
} PadvLoad;

extern void padv_load_init(PadvLoadWindow *window);

/* Add a reading; readings older than a minute are overwritten. */
extern void padv_load_add(PadvLoadWindow *window, const PadvCounters *reading);

/* The two newest readings; false as long as there are not two. */
extern bool padv_load_newest(const PadvLoadWindow *window, const PadvCounters **before,
							 const PadvCounters **newest);

/*
 * How much a counter grew between two readings.  A counter that is missing in
 * one of them, or went back (a device or a group was replaced), is unknown.
 */
extern bool padv_load_growth(const PadvCounters *from, const PadvCounters *to,
							 PadvCounter counter, double *result);

/*
 * 0..1 of the cores granted between two readings; negative when unknown.  quota:
 * CPUs' worth of time granted, or negative when there is no limit.
 */
extern double padv_load_utilization(const PadvCounters *from, const PadvCounters *to,
									double quota);

/*
 * By how much a counter grew per second over the last so many readings, fewer than
 * PADV_LOAD_READINGS; negative when unknown.
 */
extern double padv_load_recent(const PadvLoadWindow *window, PadvCounter counter, int readings);

extern void padv_load_minute(const PadvLoadWindow *window, double quota,
							 PadvLoad *load);

/*
 * cpu_utilization between the last two readings.  Only counters of the CPUs
 * and of the cgroup tell so short a time: those of processes are read in turns.
 */
extern double padv_load_last_cpu_utilization(const PadvLoadWindow *window,
											 double quota);

#endif							/* PADV_LOAD_H */
