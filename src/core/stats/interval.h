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

	/* what tells whether more could have been at work, or have done more */
	double		sessions;		/* that there are; 0: only those at work are
								 * known */
	double		queued;			/* for a session, or for a slot */
	double		cores_busy;		/* 0..1 of the cores granted, by anybody;
								 * negative: not known */
	double		lock;			/* sessions waiting for a lock of another */
	double		internal_lock;	/* for an internal lock, without commits */
	double		disk;			/* for I/O, without that of commits */
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
 * Where active sessions spend their time, in seconds of sessions: running, ready
 * to run, or asleep inside a statement.  Those kept waiting by others (locks,
 * internal locks) are left out: the cores that they leave free are not free
 * for more of the same.  Sessions that wait for a group commit are asleep: one
 * flush serves all of them, and more of them would be served by it too.
 * Fades with the time that sessions run, so that an idle minute changes nothing.
 */
typedef struct PadvWaits
{
	double		run;
	double		ready;
	double		asleep;
} PadvWaits;

/* Seconds of running after which half is forgotten. */
#define PADV_WAITS_HALF_LIFE 60.0

extern void padv_waits_add(PadvWaits *waits, const PadvInterval *interval);

/* As plain finite numbers, and back; false, and nothing changed, if not sound. */
#define PADV_WAITS_NUMBERS 3
extern void padv_waits_keep(const PadvWaits *waits, double numbers[PADV_WAITS_NUMBERS]);
extern bool padv_waits_restore(PadvWaits *waits, const double *numbers, size_t count);

#endif							/* PADV_INTERVAL_H */
