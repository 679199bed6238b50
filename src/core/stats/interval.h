/*
 * interval.h
 *		What a second was like, from its samples and from the counters.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_INTERVAL_H
#define PADV_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/stats/load.h"
#include "core/stats/window.h"

/* A second or so of a server's life: means, in sessions, and sums. */
typedef struct PadvInterval
{
	double		seconds;
	double		at_work;
	double		active;
	double		transactions;	/* committed */
	double		latency;		/* mean seconds inside a transaction */

	/* sessions by the kernel's account; negative where it gives none */
	double		run;
	double		ready;			/* to run */
	double		inside;			/* a statement, and not waiting for another
								 * session */
	double		paused;			/* sessions that hold a connection without a
								 * statement: idle in transaction, or for a
								 * round trip */

	/* reads of the disks with data, as counted by the kernel */
	double		reads;			/* completed; negative: not known */
	double		reading;		/* mean number outstanding; likewise */

	/* what tells whether more could have been at work, or have done more */
	double		sessions;		/* that there are; 0: only those at work are
								 * known */
	double		queued;			/* for a session, or for a slot */
	double		cores_busy;		/* 0..1 of the cores granted, by anybody;
								 * negative: not known */
	double		lock;			/* sessions waiting for a lock of another */
	double		internal_lock;	/* for an internal lock, without commits */
	double		disk;			/* for I/O, without that of commits */
	double		disk_queue;		/* those of disk that wait for other reads of
								 * the device; see padv_read_latency_update */
	double		commit;			/* for a group commit */
} PadvInterval;

/*
 * Sessions that are ready to run but look idle, because they have not had a
 * core since their client's message came: those that ran or were ready by the
 * kernel's account, less those that a sample saw on CPU or waiting for I/O (the
 * pages of which may come from the operating system's cache, with work of the
 * CPU).  They are some of those in turn-around.  run and delay are negative
 * where they are not known.
 */
extern double padv_unseen_active(double run, double delay, double on_cpu,
								 double waiting_io, double turnaround);

/*
 * Between two readings of the counters, with the samples of that time; false when
 * the counters do not tell.  quota is that of padv_load_utilization.
 */
extern bool padv_interval_describe(const PadvWindowMeans *take, const PadvCounters *before,
								   const PadvCounters *after, double quota,
								   PadvInterval *interval);

/*
 * The shortest mean latency of reads in the last hours, in seconds; 0 if not known.  It is
 * the latency of a device without a queue.
 */
typedef struct PadvReadLatency
{
	double		shortest;
} PadvReadLatency;

/*
 * Update the shortest latency, and set interval->disk_queue.  If reads take longer than
 * the shortest latency, the rest of the time is spent in the queue of the device, so this
 * share of the sessions that wait for a read waits there.  A device that has become slower
 * looks the same, and more sessions would not help there, either.  Without counters, and
 * with too few reads, disk_queue is 0.
 */
extern void padv_read_latency_update(PadvReadLatency *latency, PadvInterval *interval);

/*
 * Where active sessions spend their time.  run, ready and asleep are in seconds of
 * sessions, and fade with the time that sessions run, so an idle minute changes nothing.
 *
 * Sessions that wait for others are not asleep: for locks, for internal locks, and in the
 * queue of a disk.  The cores that they leave idle cannot be used by more of the same
 * sessions.  Sessions that wait for a group commit are asleep, because one flush serves
 * all of them, and more sessions would be served, too.
 */
typedef struct PadvWaits
{
	double		run;
	double		ready;			/* to run */
	double		asleep;			/* inside a statement */
	double		paused;			/* outside of one; see PadvInterval; not saved */

	/* seconds in which locks were saturated; not saved */
	double		locked_share;	/* of the recent seconds, 0..1 */
	double		unblocked;		/* sessions in these seconds that did not wait
								 * for a lock, mean with preference for the
								 * beginning */
} PadvWaits;

/* CPU time of sessions, in seconds, after which half of the weight is gone. */
#define PADV_WAITS_HALF_LIFE 60.0

extern void padv_waits_add(PadvWaits *waits, const PadvInterval *interval);

/*
 * Save as finite numbers, and restore.  Restoring returns false, and changes nothing, if
 * the numbers are not valid.
 */
#define PADV_WAITS_NUMBERS 3
extern void padv_waits_keep(const PadvWaits *waits, double numbers[PADV_WAITS_NUMBERS]);
extern bool padv_waits_restore(PadvWaits *waits, const double *numbers, size_t count);

#endif							/* PADV_INTERVAL_H */
