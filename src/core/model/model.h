/*
 * model.h
 *		How many active connections this server can use at its best, and how
 *		the load stands against that number.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_MODEL_H
#define PADV_MODEL_H

#include "core/model/pool_size.h"
#include "core/model/scalability.h"
#include "core/stats/interval.h"
#include "core/stats/load.h"
#include "core/stats/window.h"

/* Ways to arrive at the number, from the least evidence to the DBA's word. */
typedef enum PadvMethod
{
	PADV_METHOD_FORMULA,
	PADV_METHOD_WAIT_RATIO,
	PADV_METHOD_SCALABILITY,
	PADV_METHOD_SETTING,
} PadvMethod;

#define PADV_METHODS (PADV_METHOD_SETTING + 1)

typedef enum PadvConfidence
{
	PADV_CONFIDENCE_FORMULA,
	PADV_CONFIDENCE_LOW,
	PADV_CONFIDENCE_MEDIUM,
	PADV_CONFIDENCE_HIGH,
} PadvConfidence;

typedef enum PadvVerdict
{
	PADV_VERDICT_IDLE,
	PADV_VERDICT_WITHIN,
	PADV_VERDICT_AT_OPTIMUM,
	PADV_VERDICT_OVERSUBSCRIBED,
	PADV_VERDICT_BLOCKED,		/* contention: work flows all the same */
	PADV_VERDICT_STALLED,		/* it does not; see health.h */
} PadvVerdict;

/* What is given: the machine's facts and the DBA's settings. */
typedef struct PadvInputs
{
	int64_t		logical_cpus;	/* those inside affinity and cpuset */
	int64_t		physical_cores; /* the same, hyper-threads counted once */
	double		quota;			/* CPUs' worth of time; negative: no limit */
	double		detected_cores;
	double		cores_setting;	/* negative: none */
	bool		disks_known;
	int64_t		detected_spindles;
	int64_t		spindles_setting;	/* negative: none */
	double		memory;			/* bytes; negative: not known */
	double		page_tables;	/* likewise */
	double		connections_per_core;
	int64_t		optimal_setting;	/* 0: none */
	int64_t		max_connections;
	int64_t		usable_connections; /* those that ordinary roles can have */
	int64_t		sample_interval_ms;
} PadvInputs;

typedef struct PadvEstimate
{
	bool		available;
	int64_t		connections;
	int64_t		low;
	int64_t		high;
	PadvConfidence confidence;
} PadvEstimate;

typedef struct PadvModel
{
	PadvInputs	inputs;
	double		cores;			/* those in force: setting or detected */
	int64_t		spindles;		/* likewise */
	double		disk_share;		/* of the working time that goes into reads
								 * from the disks, 0..1 */
	double		effective_spindles;

	PadvWaits	waits;
	double		wait_ratio;		/* asleep / run, held while nearly the same */

	PadvCurve	curve;
	double		unseen;			/* active sessions that samples took for idle,
								 * in the last minute */
	double		demand;			/* of the last minute, with them */
	PadvEstimate estimates[PADV_METHODS];
	PadvMethod	chosen;

	/* by the busiest load that was seen */
	int64_t		pool_size;		/* of a transaction pool; 0: no load is known */
	int64_t		session_pool_size;	/* where callers keep a connection for a
									 * request; likewise */
	double		busy_ratio;		/* connections / pool_size; negative: no load
								 * is known */
	PadvPoolBasis pool;
	double		load_ratio;
	PadvVerdict verdict;
} PadvModel;

/*
 * cores * connections_per_core + effective spindles, rounded, at least 1
 * (PostgreSQL wiki, "Number Of Database Connections").  The arguments are
 * finite and not negative; the result is at most INT64_MAX.
 */
extern int64_t padv_formula_size(double cores, double effective_spindles,
								 double connections_per_core);

/* What the range around that goes by: connections per core at its ends. */
extern double padv_least_per_core(double connections_per_core);
extern double padv_most_per_core(double connections_per_core);

/* A model before anything was measured. */
extern void padv_model_init(PadvModel *model);

/*
 * Bring the model up to date.  It remembers the share of disk reads from call to
 * call, because an idle minute says nothing about it.
 */
extern void padv_model_update(PadvModel *model, const PadvInputs *inputs,
							  const PadvMinute *minute, const PadvLoad *load,
							  const PadvWaits *waits, const PadvCurve *curve);

/*
 * Bring the sizes of pools up to date, after the model, as of a time on the wall
 * clock.  Without it they are not known.
 */
extern void padv_model_size_pools(PadvModel *model, PadvPoolMemory *memory, int64_t now);

/* pool_size, or the optimum as long as that is not known. */
extern int64_t padv_model_pool_or_optimal(const PadvModel *model);

/*
 * How many connections at work must have been seen before a knee of the curve
 * is believed, unless something is seen to be saturated: half as many again as the formula says.
 */
extern double padv_model_least_seen(const PadvModel *model);

extern const PadvEstimate *padv_model_chosen(const PadvModel *model);

/*
 * Whether more want to work than help.  That can be so under the verdict
 * 'contention' too, which names the nearer trouble.
 */
extern bool padv_model_oversubscribed(const PadvModel *model);

/* Whether the number is derived from the machine or from waits, not measured nor set. */
extern bool padv_model_is_derived(const PadvModel *model);

/*
 * By how many times throughput would be higher with the optimum than it is of late,
 * and the range of that.  False where nothing measured tells.
 */
extern bool padv_model_gain(const PadvModel *model, double *gain, double *low, double *high);

/* Whose number it is, as the beginning of a sentence that ends with the number. */
extern const char *padv_number_source(const PadvModel *model);

/* Where busy_ratio comes from, in words. */
extern const char *padv_busy_ratio_source(const PadvModel *model);

extern const char *padv_method_name(PadvMethod method);
extern const char *padv_confidence_name(PadvConfidence confidence);
extern const char *padv_verdict_name(PadvVerdict verdict);

#endif							/* PADV_MODEL_H */
