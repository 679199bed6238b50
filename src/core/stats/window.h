/*
 * window.h
 *		Samples into counts, averages and per-event, per-role tables.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_WINDOW_H
#define PADV_WINDOW_H

#include <stddef.h>

#include "core/stats/sample.h"

/*
 * Distinct wait events told apart; PostgreSQL 15 to 18 know about 250 and a
 * server meets a few dozen.  What comes after the table is full is counted in
 * entry 0, whose event is PADV_OTHER_EVENTS.
 */
#define PADV_MAX_EVENTS 256
#define PADV_OTHER_EVENTS UINT32_C(0xFFFFFFFF)

/*
 * Distinct roles told apart within a minute; what comes after the table is
 * full is counted in entry 0, whose role is 0 (InvalidOid).
 */
#define PADV_MAX_ROLES 1024

/* The periods of the waits view. */
typedef enum PadvPeriod
{
	PADV_10_SECONDS,
	PADV_1_MINUTE,
	PADV_10_MINUTES,
	PADV_1_HOUR,
} PadvPeriod;

#define PADV_PERIODS (PADV_1_HOUR + 1)

/* The last sample, counted.  active is the sum of in_class. */
typedef struct PadvCounts
{
	int64_t		sessions;
	int64_t		active;
	int64_t		idle;
	int64_t		idle_in_transaction;
	int64_t		queued;			/* logins that wait in the queue included */
	int64_t		logins_waiting; /* these alone */
	int64_t		in_class[PADV_WAIT_CLASSES];
	int64_t		parallel_workers;
	int64_t		demand;			/* active + parallel workers - those that
								 * demand nothing */
} PadvCounts;

/*
 * A session idle in transaction for longer than this waits for a person or a
 * stuck program; it is no longer a working connection in a short pause.
 */
#define PADV_HELD_LIMIT_US 1000000

/* One that is idle for longer than this is not going to commit soon. */
#define PADV_IDLE_LONG_US 60000000

/*
 * An idle period up to this long is the turn-around of a client that works
 * without a pause: the way there and back, and what the application does
 * between two transactions.  In a longer one, think time, a pool in front
 * gives the connection to somebody else.
 */
#define PADV_TURNAROUND_LIMIT_US 100000

/*
 * What a saturated pool needs to hand a connection to the next transaction: a
 * round trip inside a data centre, or on one machine.  Only so much of an idle
 * period is counted as round trip.
 */
#define PADV_ROUND_TRIP_US 1000
#define PADV_LOCAL_ROUND_TRIP_US 100

/*
 * Several short statements may lie between two samples, and only the start of
 * the last one is known.  So an idle period that a sample saw is judged with a
 * slack of the time between samples, up to this.  Where samples are further
 * apart than the two limits together, the turn-around of fast clients goes
 * unseen and the model's busy_ratio is too high.
 */
#define PADV_TURNAROUND_SLACK_US 100000

/*
 * The last minute: means over its samples, in sessions.  All 0 while there is
 * no sample.
 */
typedef struct PadvMinute
{
	int64_t		samples;
	double		sessions;
	double		active;
	double		idle;
	double		idle_in_transaction;
	double		queued;
	double		in_class[PADV_WAIT_CLASSES];
	double		parallel_workers;
	double		demand;
	double		active_p95;		/* nearest rank, of at most ten samples a
								 * second */
	int64_t		active_max;		/* of all samples */
	double		io_wait_ratio;	/* in_class[PADV_WAITING_IO] / active, 0..1 */

	/*
	 * Sessions that have a connection in use without executing: those that
	 * have been idle in transaction for at most PADV_HELD_LIMIT_US, and those
	 * idle between back-to-back transactions, known a sample later.
	 */
	double		held_in_transaction;
	double		turnaround;

	/* waiting for a group commit, in whatever class, and those in LWLOCK */
	double		committing;
	double		committing_lwlock;

	/* in PADV_WAITING_LOCK, but for an advisory lock; they want nothing */
	double		advisory;
} PadvMinute;

/* Means over the samples since the last drain, in sessions. */
typedef struct PadvWindowMeans
{
	int64_t		samples;
	int64_t		taken_at;		/* of the last of them, on the wall clock */
	double		sessions;
	int64_t		connections_max;	/* sessions and logins that wait */
	double		active;
	int64_t		active_max;
	double		idle;
	double		idle_in_transaction;
	double		queued;
	double		in_class[PADV_WAIT_CLASSES];
	double		parallel_workers;
	double		demand;
	double		held_in_transaction;	/* see PadvMinute */
	double		idle_long;		/* idle in transaction for longer than
								 * PADV_IDLE_LONG_US */
	double		turnaround;

	/*
	 * Sessions that have been idle for at most a round trip.  By Little's law
	 * that is transactions a second, times what an idle period has of it.
	 */
	double		round_trip;
	double		committing;		/* waiting for a group commit, in any class */
	double		committing_io;	/* those in IO */
	double		committing_lwlock;	/* those in LWLOCK; a synchronous standby
									 * is waited for in OTHER */
	double		advisory;
	double		stuck;			/* behind a lock whose holder does not go on;
								 * 0, or set by the caller */
	double		lock_queues;	/* holders of locks that go on and that others
								 * wait for; likewise */
} PadvWindowMeans;

typedef struct PadvEventRow
{
	uint32_t	wait_event;		/* 0 on CPU, PADV_OTHER_EVENTS */
	double		active_avg[PADV_PERIODS];	/* sessions in it */
	double		parallel_avg[PADV_PERIODS]; /* parallel workers in it */
} PadvEventRow;

typedef struct PadvRoleRow
{
	uint32_t	role;
	int64_t		sessions;		/* the last sample */
	int64_t		active;
	int64_t		idle;
	int64_t		idle_in_transaction;
	int64_t		queued;
	double		active_avg;		/* the last minute */
} PadvRoleRow;

/*
 * The longest transaction that sits idle and holds back the vacuum horizon in
 * the last sample; pid 0 when there is none.
 */
typedef struct PadvIdleHolder
{
	int64_t		holders;		/* how many there are */
	int32_t		pid;
	uint32_t	role;
	uint32_t	database;
	double		xact_seconds;	/* age of its transaction */
	double		idle_seconds;	/* since its last statement ended */
} PadvIdleHolder;

/*
 * All that the window knows, ready to be published.  The rows are in no
 * order; those of events have something in one of the periods, those of roles
 * a session or something in the minute.  For each period active_avg of all
 * events sums up to the mean of active, and over the last minute so does
 * active_avg of all roles.
 */
typedef struct PadvDigest
{
	int64_t		taken_at;		/* of the last sample */
	int64_t		samples_total;
	PadvCounts	last;
	PadvMinute	minute;
	PadvIdleHolder idle_holder;
	int			nevents;
	int			nroles;
	PadvEventRow events[PADV_MAX_EVENTS];
	PadvRoleRow roles[PADV_MAX_ROLES];
} PadvDigest;

typedef struct PadvWindow PadvWindow;

/*
 * Bytes to hand to padv_window_init for samples whose slots are all below
 * max_slots; sessions in other slots are counted, but their turn-around is
 * not.  The block must be aligned as malloc does, and must not be moved.  The
 * window never allocates; it lives until the caller frees the block.
 */
extern size_t padv_window_size(int max_slots);
extern PadvWindow *padv_window_init(void *block, int max_slots);

/* Forget everything, as after padv_window_init. */
extern void padv_window_reset(PadvWindow *window);

/*
 * Take in one sample; O(sessions).  The buckets go by clock_us; when it steps
 * back, no time has passed.
 */
extern void padv_window_add(PadvWindow *window, const PadvSample *sample);

/*
 * Write what is known, as of the last sample, to *digest; O(events and roles
 * in use).  Of its rows only the first nevents and nroles are written.
 */
extern void padv_window_digest(PadvWindow *window, PadvDigest *digest);

/*
 * Take the means over the samples since this was called last, and begin anew.
 * False, and nothing written, when there was none.
 */
extern bool padv_window_drain(PadvWindow *window, PadvWindowMeans *means);

#endif							/* PADV_WINDOW_H */
