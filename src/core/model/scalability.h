/*
 * scalability.h
 *		The scalability curve: throughput by busy connections, and its peak.
 *
 * There are two quantities.  A *busy* connection is active, briefly idle in
 * transaction, or in the turn-around between two transactions; a pool must have that
 * many.  An *active* session executes, waits inside its statement, or is ready to run;
 * these load the server.  The axis of the curve is busy connections, because clients set
 * their number: a stall makes more sessions active, but not more connections busy.
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

/* The number of bins.  Each is a tenth wider than the one before. */
#define PADV_CURVE_BINS 100

/* The most seconds of evidence in a bin. */
#define PADV_CURVE_MEMORY_SECONDS 300.0

/* Evidence loses half of its weight in a week of load. */
#define PADV_CURVE_HALF_LIFE_SECONDS 604800.0

/* The least evidence of a usable bin. */
#define PADV_CURVE_MIN_SECONDS 2.0
#define PADV_CURVE_MIN_TRANSACTIONS 30.0

/* A resource that can be saturated. */
typedef enum PadvResource
{
	PADV_RESOURCE_SESSIONS,		/* all sessions were busy, and nothing else is
								 * known to be saturated */
	PADV_RESOURCE_CORES,
	PADV_RESOURCE_LOCKS,
	PADV_RESOURCE_INTERNAL_LOCKS,
	PADV_RESOURCE_DISKS,
	PADV_RESOURCE_COMMITS,
} PadvResource;

#define PADV_RESOURCES (PADV_RESOURCE_COMMITS + 1)

/* A bin of the curve.  Numbers are means of its evidence. */
typedef struct PadvBin
{
	double		seconds;
	double		busy;
	double		active;
	double		throughput;		/* transactions per second */
	double		latency;
	double		pressed;		/* seconds under pressure: the server, not its
								 * clients, bounded throughput */
	double		use[PADV_RESOURCES];	/* cores: utilization, 0..1; others:
										 * share of busy connections that
										 * waited for it, 0..1 */
	double		disk_queue;		/* share of busy connections that waited in
								 * the queue of a disk, 0..1; not saved */
	int64_t		level;			/* PadvScalability.level of the latest
								 * evidence */

	/* Evidence since throughput left the curve. */
	int64_t		departure;		/* PadvScalability.departures of this evidence */
	double		fresh_seconds;
	double		fresh_throughput;
} PadvBin;

typedef enum PadvCurveState
{
	PADV_CURVE_TOO_LITTLE_DATA,
	PADV_CURVE_NO_KNEE,			/* nothing was seen beyond the peak */
	PADV_CURVE_FITTED,
} PadvCurveState;

/*
 * The number of connections with the highest throughput, and the range with at
 * least 95 % of it.
 */
typedef struct PadvPeak
{
	double		best;
	double		low;
	double		high;
} PadvPeak;

/* The result of judging the curve. */
typedef struct PadvCurve
{
	PadvCurveState state;
	double		seconds;		/* evidence in all usable bins */
	double		seen_to;		/* connections of the last usable bin */
	int			bins;			/* usable bins */
	double		near_seconds;	/* evidence near the peak */
	double		beyond_seconds; /* evidence beyond the range, under pressure */
	double		throughput;		/* at the peak */
	double		pressed_seconds;	/* evidence under pressure */
	double		present_seconds;	/* evidence of the present level under
									 * pressure: the minimum of that below,
									 * near and beyond the peak */
	bool		settled;		/* no evidence depends on an episode of
								 * pressure that is still short */
	PadvResource saturated;		/* resource that was saturated beyond the peak */
	double		saturated_share;	/* as PadvBin.use */
	double		gap_low;		/* next to the peak there is no evidence
								 * between these; 0: no gap */
	double		gap_high;

	double		best_so_far;	/* busy connections with the highest
								 * throughput, whether a knee was seen or not;
								 * 0: too little data */
	double		helpful_active; /* active with them, where fewer were seen to
								 * do less; 0: not known */
	bool		so_far_saturated;	/* cores, locks or disks were used up
									 * there */

	/* only when fitted */
	PadvPeak	busy;
	PadvPeak	active;

	/* of late, in seconds that tell about the server; 0: there was none */
	double		now_busy;
	double		now_throughput;
	double		noise;			/* of a second's throughput around the curve,
								 * as a share */

	bool		fit_known;
	PadvUsl		fit;
} PadvCurve;

/*
 * A time in which the server set the pace, and what was learned in it.  It may turn
 * out that the server was only slow, so its evidence is kept apart until it ends.
 */
typedef struct PadvEpisode
{
	PadvBin		bins[PADV_CURVE_BINS];
	double		seconds;		/* under pressure; 0: no episode */
	double		gap;			/* seconds without pressure since then */
	double		work;			/* transactions of these seconds */
	double		busy;			/* recent mean under pressure */
	double		throughput;
	double		ease_throughput;	/* the highest throughput without pressure
									 * shortly before */
} PadvEpisode;

/* The state of the curve.  It contains no pointers. */
typedef struct PadvScalability
{
	PadvBin		bins[PADV_CURVE_BINS];
	PadvEpisode episode;
	PadvSessionWatch sessions;
	double		ease_throughput;	/* recent throughput without pressure */
	double		ease_best;		/* the highest of the last minutes */
	double		now_busy;		/* recent means of all seconds that were
								 * learned */
	double		now_throughput;
	double		quiet_seconds;	/* since such a second; the means are of the
								 * last minute or 0 */
	double		most;			/* throughput of a second, ever */
	double		previous_busy;
	double		held;			/* busy connections of the peak named last; 0:
								 * none */

	int64_t		level;			/* number of changes of level */
	int64_t		departures;		/* number of times that throughput left the
								 * curve */
	double		consistent_at;	/* busy connections when throughput was last
								 * on the curve */
	double		noise;			/* mean absolute deviation from the curve, of
								 * logarithms */

	/* Recent deviations of throughput from the curve, of logarithms. */
	double		above;
	double		below;
	double		off_sum;
	double		off_seconds;
} PadvScalability;

/* A usable bin, for readers. */
typedef struct PadvScalabilityRow
{
	double		connections;	/* busy */
	double		seconds;		/* of evidence */
	double		throughput;		/* transactions per second */
	double		latency;		/* seconds */
	double		active;
	double		fitted;			/* throughput by the fitted law; negative: no
								 * fit */
} PadvScalabilityRow;

extern void padv_scalability_init(PadvScalability *scalability);

/* Learn from an interval.  Trivial loads are ignored. */
extern void padv_scalability_add(PadvScalability *scalability, const PadvInterval *interval);

/*
 * Judge the curve.  Of all numbers with nearly the highest throughput, the smallest
 * one that is at least fewest is named.  Unless a resource is saturated, no knee is
 * named before more than `least` connections were busy.  A named peak is kept while
 * its throughput is nearly the highest.
 */
extern void padv_scalability_judge(PadvScalability *scalability, double fewest, double least,
								   PadvCurve *curve);

/* Throughput with so many busy connections, by what was seen near; negative: nothing. */
extern double padv_scalability_expect(const PadvScalability *scalability, double busy);

/* Write the usable bins in order, at most PADV_CURVE_BINS.  Returns their number. */
extern int	padv_scalability_rows(const PadvScalability *scalability, const PadvCurve *curve,
								  PadvScalabilityRow *rows);

/*
 * Save the curve as finite numbers, and restore it.  Restoring returns false, and
 * changes nothing, if the numbers are not valid.
 */
#define PADV_CURVE_NUMBERS (2 + 12 * PADV_CURVE_BINS)
extern void padv_scalability_keep(const PadvScalability *scalability,
								  double numbers[PADV_CURVE_NUMBERS]);
extern bool padv_scalability_restore(PadvScalability *scalability, const double *numbers,
									 size_t count);

extern const char *padv_curve_state_name(PadvCurveState state);

/* The name of a resource: "the cores".  A static string. */
extern const char *padv_resource_name(PadvResource resource);

#endif							/* PADV_SCALABILITY_H */
