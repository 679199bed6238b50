/*
 * scalability.h
 *		Throughput against concurrency, as it was seen, and where it peaks.
 *
 * Two quantities must not be taken for each other.  *At work* is a connection
 * that is active, briefly idle in transaction, or in the turn-around between
 * two transactions: what a pool in front must hold.  *Active* is a session that
 * executes, waits inside its statement, or is ready to run: what loads the
 * server.  The curve's
 * axis is connections at work, because those are set from outside: a stall
 * makes more sessions active, but it does not make more of them work.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SCALABILITY_H
#define PADV_SCALABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/model/usl.h"
#include "core/stats/interval.h"

/* Bins of connections at work, each a tenth wider than the one before. */
#define PADV_CURVE_BINS 100

/* What is remembered of a bin: at most its last five minutes ... */
#define PADV_CURVE_MEMORY_SECONDS 300.0

/* ... and half of it a week of load later. */
#define PADV_CURVE_HALF_LIFE_SECONDS 604800.0

/* The curve can be judged with this evidence in a bin. */
#define PADV_CURVE_MIN_SECONDS 2.0
#define PADV_CURVE_MIN_TRANSACTIONS 30.0

/* What more connections would have to wait for. */
typedef enum PadvResource
{
	PADV_RESOURCE_SESSIONS,		/* all there were, and nothing else is known */
	PADV_RESOURCE_CORES,
	PADV_RESOURCE_LOCKS,
	PADV_RESOURCE_INTERNAL_LOCKS,
	PADV_RESOURCE_DISKS,
	PADV_RESOURCE_COMMITS,
} PadvResource;

#define PADV_RESOURCES (PADV_RESOURCE_COMMITS + 1)

/* Means of what is remembered. */
typedef struct PadvBin
{
	double		seconds;
	double		at_work;
	double		active;
	double		throughput;		/* transactions a second */
	double		latency;
	double		pressed;		/* 0..seconds: seconds of them in which the
								 * server, not its clients, set the pace */
	double		use[PADV_RESOURCES];	/* cores: 0..1 busy; the others:
										 * sessions that waited for it, 0..1
										 * of those at work */
	int64_t		level;			/* at which its evidence was added last */

	/* since throughput was on the curve last */
	int64_t		departure;		/* which time that was */
	double		fresh_seconds;
	double		fresh_throughput;
} PadvBin;

typedef enum PadvCurveState
{
	PADV_CURVE_TOO_LITTLE_DATA,
	PADV_CURVE_NO_KNEE,			/* nothing was seen beyond the peak */
	PADV_CURVE_FITTED,
} PadvCurveState;

/* Numbers of connections with which throughput is highest, or within 5 %. */
typedef struct PadvPeak
{
	double		best;
	double		low;
	double		high;
} PadvPeak;

/* What the curve says. */
typedef struct PadvCurve
{
	PadvCurveState state;
	double		seconds;		/* evidence, in all bins that count */
	double		seen_to;		/* connections at work in the last of them */
	int			bins;			/* that count */
	double		near_seconds;	/* evidence around the peak */
	double		beyond_seconds; /* evidence beyond the range, under pressure */
	double		throughput;		/* at the peak */
	double		pressed_seconds;	/* of all evidence, those under pressure */
	double		present_seconds;	/* evidence of the present level under
									 * pressure: the least of that below the
									 * peak, near it and beyond it */
	bool		settled;		/* the evidence does not hang on an episode of
								 * pressure that has not ended */
	PadvResource saturated;		/* beyond the peak */
	double		saturated_share;	/* see use of PadvBin */
	double		gap_low;		/* next to the peak nothing was seen between
								 * these; 0: there is no such gap */
	double		gap_high;

	double		best_so_far;	/* connections at work with which throughput
								 * was highest, knee or not; 0: too little
								 * data */
	double		helpful_active; /* active with them, where fewer were seen to
								 * do less; 0: not known */
	bool		so_far_saturated;	/* cores or locks were used up there */

	/* only when fitted */
	PadvPeak	at_work;
	PadvPeak	active;

	/* of late, in seconds that tell about the server; 0: there was none */
	double		now_at_work;
	double		now_throughput;
	double		noise;			/* of a second's throughput around the curve,
								 * as a share */

	bool		fit_known;
	PadvUsl		fit;
} PadvCurve;

/*
 * A time in which the server set the pace, and what was learned in it.  It can
 * turn out that the server was slow, so it is kept apart until it is over.
 */
typedef struct PadvEpisode
{
	PadvBin		bins[PADV_CURVE_BINS];
	double		seconds;		/* under pressure; 0: there is none */
	double		gap;			/* seconds without pressure since */
	double		work;			/* transactions in seconds */
	double		at_work;		/* of late, while it was under pressure */
	double		throughput;
	double		ease_throughput;	/* the most seen at ease shortly before */
} PadvEpisode;

/* All that is remembered; no pointer in it. */
typedef struct PadvScalability
{
	PadvBin		bins[PADV_CURVE_BINS];
	PadvEpisode episode;
	double		ease_throughput;	/* of late, when nothing was under
									 * pressure */
	double		ease_best;		/* the most of that in the last minutes */
	double		now_at_work;	/* of late, in all seconds that were learned */
	double		now_throughput;
	double		previous_at_work;
	double		held;			/* the peak named last, in connections at
								 * work; 0: none */

	int64_t		level;			/* changes of level so far */
	int64_t		departures;		/* times that throughput has left the curve */
	double		consistent_at;	/* connections at work when throughput was on
								 * the curve last */
	double		noise;			/* mean distance from the curve, as a
								 * logarithm */

	/* how far throughput has been off the curve of late, as logarithms */
	double		above;
	double		below;
	double		off_sum;
	double		off_seconds;
} PadvScalability;

/* One bin that counts, for readers. */
typedef struct PadvScalabilityRow
{
	double		connections;	/* at work */
	double		seconds;		/* of evidence */
	double		throughput;		/* transactions a second */
	double		latency;		/* seconds */
	double		active;
	double		fitted;			/* throughput by the law; negative: none */
} PadvScalabilityRow;

extern void padv_scalability_init(PadvScalability *scalability);

/* Learn from an interval, unless its load is trivial. */
extern void padv_scalability_add(PadvScalability *scalability, const PadvInterval *interval);

/*
 * What is known.  Of numbers that are as good as the best, the smallest that is
 * not below fewest is named.  Unless something is seen to be saturated, no knee is
 * named before connections at work went beyond least.  Remembers the peak it names, and keeps to it while that is
 * nearly as good as the best.
 */
extern void padv_scalability_judge(PadvScalability *scalability, double fewest, double least,
								   PadvCurve *curve);

/* At most PADV_CURVE_BINS rows, by connections; returns how many. */
extern int	padv_scalability_rows(const PadvScalability *scalability, const PadvCurve *curve,
								  PadvScalabilityRow *rows);

/*
 * As plain numbers, to be kept over a restart; and back.  What was kept is
 * refused as a whole, and nothing changed, if it is of another form or not
 * sound.
 */
#define PADV_CURVE_NUMBERS (2 + 12 * PADV_CURVE_BINS)
extern void padv_scalability_keep(const PadvScalability *scalability,
								  double numbers[PADV_CURVE_NUMBERS]);
extern bool padv_scalability_restore(PadvScalability *scalability, const double *numbers,
									 size_t count);

extern const char *padv_curve_state_name(PadvCurveState state);

/* "the cores"; for sessions "the sessions themselves" */
extern const char *padv_resource_name(PadvResource resource);

#endif							/* PADV_SCALABILITY_H */
