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
	double		busy;
	double		active;
	double		transactions;	/* committed */
	double		latency;		/* mean seconds inside a transaction */
	double		ended;			/* sessions inside transactions that ended, by
								 * Little's law, without those of over a
								 * minute */

	/* sessions by the kernel's account; negative where it gives none */
	double		run;
	double		ready;			/* to run */
	double		inside;			/* a statement, and not waiting for another
								 * session */
	double		held;			/* sessions briefly idle in transaction */
	double		round_trip;		/* idle between two transactions, for at most
								 * a round trip */
	double		unseen;			/* run and ready, without sessions that
								 * samples saw on CPU or in I/O; can be
								 * negative */

	/* reads of the disks with data, as counted by the kernel */
	double		reads;			/* completed; negative: not known */
	double		reading;		/* mean number outstanding; likewise */

	/* what tells whether more could have been busy, or have done more */
	double		sessions;		/* that there are; 0: only the busy ones are
								 * known */
	double		queued;			/* for a session, or for a slot */
	double		slot_queued;	/* for a slot of the server; set by the caller */
	double		logins;			/* per second; negative: not known */
	double		cores_busy;		/* 0..1 of the cores granted, by anybody;
								 * negative: not known */
	double		cores;			/* that are granted; 0: not known */
	double		server_run;		/* cores that the server's processes used;
								 * negative: not known */
	double		lock;			/* sessions waiting for a lock of another that
								 * goes on */
	double		stuck;			/* waiting for one that does not; neither
								 * busy, active nor there */
	double		lock_queues;	/* that those in lock wait in */
	double		internal_lock;	/* for an internal lock, without commits */
	double		disk;			/* for I/O, without that of commits */
	double		disk_queue;		/* those of disk that wait for other reads of
								 * the device; see padv_read_latency_update */
	double		commit;			/* for a group commit */

	/* set by padv_read_latency_update; 0: not known */
	double		disk_served;	/* those of disk whose read is under way */
	double		disk_servers;	/* reads under way at once with which the
								 * devices do their most; at least */
	bool		disk_tells;		/* reads queue at the highest rate, and have
								 * done so for long, so that disk_servers is
								 * not only the least */
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
extern bool padv_interval_describe(const PadvWindowMeans *means, const PadvCounters *before,
								   const PadvCounters *after, double quota,
								   PadvInterval *interval);

/*
 * The utilization of the cores, 0..1, as far as it bounds the server: by anybody, if the
 * server's processes have a large part in it or wait for cores; otherwise their part alone.
 * Another program of low priority that uses all idle time keeps no session from working.
 * Negative: not known.
 */
extern double padv_interval_cores_used(const PadvInterval *interval);

/*
 * Whether the holders of locks go on, so that those that wait for them are a queue.  The
 * holder of a saturated lock executes, or makes a short pause.
 */
extern bool padv_interval_locks_move(const PadvInterval *interval);

/*
 * Whether the number of sessions bounds the load, or follows it.  With a connection for
 * each request all sessions are busy, because others do not exist, and more requests make
 * more sessions.
 */
typedef struct PadvSessionWatch
{
	double		mean;			/* sessions of late */
	double		most;			/* of the last hours; fades */
	double		logins;			/* per second, of late */
	double		fallen_seconds; /* all sessions were busy, but they were fewer */
	double		follow_seconds; /* for so long they are known to follow */
} PadvSessionWatch;

/* Add an interval.  Returns whether all sessions are busy, and their number bounds the load. */
extern bool padv_sessions_are_used_up(PadvSessionWatch *watch, const PadvInterval *interval);

/* Whether the number of sessions follows the load, by the intervals so far. */
extern bool padv_sessions_follow(const PadvSessionWatch *watch);

/*
 * What is known of the disks with data, from reads of the last hours; 0 if not known.  The
 * shortest latency is that of a device without a queue.
 */
typedef struct PadvReadLatency
{
	double		shortest;		/* in seconds */
	double		best_rate;		/* reads per second */

	/* not saved */
	double		servers;		/* see PadvInterval.disk_servers */
	double		queued;			/* share of the recent seconds with the
								 * highest rate in which reads queued */

	/* sums over the last seconds, which fade */
	double		seconds;
	double		reads;
	double		read_seconds;
} PadvReadLatency;

/*
 * Update them, and set interval->disk_queue, disk_served, disk_servers and disk_tells.  The shortest latency rises slowly, but not
 * while sessions queue for a saturated disk.  If reads take longer than the shortest
 * latency, the rest of the time is spent in the queue of the device, so this share of the
 * sessions that wait for a read waits there.
 *
 * disk_queue is 0 if the device completes fewer reads per second than before, because then
 * it has become slower, or has less to do.  It is also 0 without counters, and with too few
 * reads.
 */
extern void padv_read_latency_update(PadvReadLatency *latency, PadvInterval *interval);

/*
 * Save as finite numbers, and restore.  Restoring returns false, and changes nothing, if
 * the numbers are not valid.
 */
#define PADV_READ_LATENCY_NUMBERS 2
extern void padv_read_latency_keep(const PadvReadLatency *latency, double numbers[PADV_READ_LATENCY_NUMBERS]);
extern bool padv_read_latency_restore(PadvReadLatency *latency, const double *numbers, size_t count);

/* What goes through a resource that sessions queue for; means in sessions. */
typedef struct PadvPassage
{
	double		users;			/* that can use it at once */
	double		through;		/* that do not queue for it, its users
								 * included; 0: not known */
	double		queued;			/* for it */
	double		paused;			/* with a connection held */
} PadvPassage;

/*
 * A resource that sessions queue for: in the seconds in which it was saturated, and what is
 * to be expected of it from seconds in which it was not.
 */
typedef struct PadvBottleneck
{
	double		share;			/* of the recent seconds, 0..1 */
	PadvPassage saturated;		/* with preference for the beginning */
	PadvPassage expected;		/* once it is saturated; recent means */
	double		expected_age;	/* seconds since it was updated */
	double		quiet_seconds;	/* of load that showed no queue */
} PadvBottleneck;

/* Recent means, from which the use of locks is told. */
typedef struct PadvLockQueues
{
	double		seconds;
	double		queues;
	double		waiting;		/* sessions */
	double		inside;			/* as in PadvInterval */
	double		paused;
} PadvLockQueues;

/*
 * Where active sessions spend their time.  run, ready and asleep are in seconds of
 * sessions, and fade with the time that sessions run, so an idle minute changes nothing.
 * Seconds with saturated cores have less weight, because processes run longer for the same
 * work then (cold caches, spinlocks), which the advised number avoids.
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

	/* not saved; the first three likewise, see PadvInterval */
	double		held;
	double		round_trip;
	double		unseen;
	PadvLockQueues lock_queues;
	PadvBottleneck locks;
	PadvBottleneck disks;
} PadvWaits;

/*
 * Half of the weight is gone after so many seconds of CPU time of sessions, but not
 * earlier than after so many seconds.
 */
#define PADV_WAITS_HALF_LIFE 60.0
#define PADV_WAITS_LEAST_SECONDS 20.0

/*
 * Seconds in which sessions live briefly change no ratio: the kernel's account of a process
 * is read once a second, and what it used after that is lost when it ends.
 */
extern void padv_waits_add(PadvWaits *waits, const PadvInterval *interval);

/*
 * Save as finite numbers, and restore.  Restoring returns false, and changes nothing, if
 * the numbers are not valid.
 */
#define PADV_WAITS_NUMBERS 3
extern void padv_waits_keep(const PadvWaits *waits, double numbers[PADV_WAITS_NUMBERS]);
extern bool padv_waits_restore(PadvWaits *waits, const double *numbers, size_t count);

#endif							/* PADV_INTERVAL_H */
