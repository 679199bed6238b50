/*
 * model.h
 *		The optimal number of active connections, and the load relative to it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_MODEL_H
#define PADV_MODEL_H

#include "core/model/pool_size.h"
#include "core/model/scalability.h"
#include "core/model/trial_results.h"
#include "core/stats/interval.h"
#include "core/stats/load.h"
#include "core/stats/window.h"

/*
 * Ways to arrive at the number; monitoring systems know their numbers.  Which one goes
 * before which is in model.c.
 */
typedef enum PadvMethod
{
	PADV_METHOD_FORMULA,
	PADV_METHOD_WAIT_RATIO,
	PADV_METHOD_SCALABILITY,
	PADV_METHOD_SETTING,
	PADV_METHOD_TRIAL,
} PadvMethod;

#define PADV_METHODS (PADV_METHOD_TRIAL + 1)

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
	PADV_VERDICT_CONTENTION,	/* much lock waiting, but transactions finish */
	PADV_VERDICT_STALLED,		/* most of the work is blocked; see health.h */
} PadvVerdict;

/* Inputs: facts of the machine, and settings. */
typedef struct PadvInputs
{
	int64_t		logical_cpus;	/* CPUs in the affinity mask and cpuset */
	int64_t		physical_cores; /* physical cores of these */
	double		quota;			/* in CPUs; negative: no limit */
	double		detected_cores;
	double		cores_setting;	/* negative: not set */
	bool		disks_known;
	int64_t		detected_spindles;
	int64_t		spindles_setting;	/* negative: not set */
	double		memory;			/* bytes; negative: not known */
	double		page_tables;	/* likewise */
	double		connections_per_core;
	int64_t		optimal_setting;	/* 0: not set */
	int64_t		max_connections;
	int64_t		usable_connections; /* for ordinary roles */
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
	double		cores;			/* the setting, or detected */
	int64_t		spindles;		/* likewise */
	double		disk_share;		/* share of working time in reads from disk,
								 * 0..1 */
	double		effective_spindles;

	PadvWaits	waits;
	double		wait_ratio;		/* asleep / run, with hysteresis */
	double		pauses;			/* of connections, relative to running */
	double		by_cores;		/* connections that keep the cores busy */
	PadvResource bottleneck;	/* locks or disks */
	bool		bottleneck_saturated;	/* otherwise its queue shows what to
										 * expect */
	PadvPassage passage;		/* what tells by_bottleneck */
	double		by_bottleneck;	/* connections that it lets through; 0: none */
	double		waiting;		/* connections that wait for one of several
								 * locks meanwhile */
	double		by_waits;		/* all of these, before it is rounded */

	PadvCurve	curve;
	PadvTrialFinding trial;
	bool		trial_contradicted; /* by the curve */
	double		unseen;			/* active sessions that samples saw as idle,
								 * mean of the last minute */
	double		demand;			/* mean of the last minute, including unseen */
	double		held;			/* briefly idle in transaction, likewise */
	PadvEstimate estimates[PADV_METHODS];
	PadvMethod	chosen;

	/* These come from the busiest load. */
	int64_t		pool_size;		/* for a transaction pool; 0: not known */
	int64_t		session_pool_size;	/* for callers that keep a connection for
									 * a whole request; likewise */
	double		busy_ratio;		/* optimal / pool_size; over 1 with parallel
								 * workers, negative: not known */
	PadvPoolBasis pool;
	double		load_ratio;
	PadvVerdict verdict;
} PadvModel;

/*
 * cores * connections_per_core + effective spindles, rounded, at least 1
 * (PostgreSQL wiki, "Number Of Database Connections").  Arguments are finite and
 * not negative.  The result is at most INT64_MAX.
 */
extern int64_t padv_formula_size(double cores, double effective_spindles,
								 double connections_per_core);

/* Connections per core at the lower and upper end of the range of the formula. */
extern double padv_least_per_core(double connections_per_core);
extern double padv_most_per_core(double connections_per_core);

/* Initialize a model without measurements. */
extern void padv_model_init(PadvModel *model);

/*
 * Update the model.  It keeps state for hysteresis, and the share of disk reads,
 * which an idle minute does not tell.
 */
extern void padv_model_update(PadvModel *model, const PadvInputs *inputs,
							  const PadvMinute *minute, const PadvLoad *load,
							  const PadvWaits *waits, const PadvCurve *curve);

/* Take in what trials have found; the next update goes by it. */
extern void padv_model_note_trial(PadvModel *model, const PadvTrialFinding *finding);

/*
 * The limit that a trial compares with the present one, unless the DBA names another: what
 * a transaction pool needs, or the optimum as long as that is not known.
 */
extern int32_t padv_model_trial_limit(const PadvModel *model);

/*
 * The ratio of throughput with limit_b to that with limit_a that the curve says, for the
 * load of late, of which so many wait; -1 is no limit.  Negative where the curve has not
 * seen both.
 */
extern double padv_model_predict(const PadvModel *model, const PadvScalability *scalability,
								 int32_t limit_a, int32_t limit_b, double waiting);

/*
 * Update the pool sizes after the model; now is the wall clock in microseconds.
 * Until the first call the sizes are not known.
 */
extern void padv_model_size_pools(PadvModel *model, PadvPoolMemory *memory, int64_t now);

/* pool_size, or the optimum if that is not known. */
extern int64_t padv_model_pool_or_optimal(const PadvModel *model);

/*
 * The number of busy connections that must have been seen before a knee is named,
 * unless a resource is saturated: 1.5 times the formula's number.
 */
extern double padv_model_least_seen(const PadvModel *model);

extern const PadvEstimate *padv_model_chosen(const PadvModel *model);

/*
 * Whether the demand exceeds what helps.  Also true together with the verdict
 * 'contention'.
 */
extern bool padv_model_oversubscribed(const PadvModel *model);

/*
 * Whether so many sessions that wait for locks, of those that want to work, are
 * contention.
 */
extern bool padv_model_is_contended(double blocked, double demand);

/*
 * Whether the number is derived from the machine or from waits, neither measured
 * nor set.  Also true for the higher one of two limits of a trial, as still more
 * can help.
 */
extern bool padv_model_is_derived(const PadvModel *model);

/*
 * The factor by which throughput would be higher at the optimum than it is now,
 * with a range.  Returns false if there is no measured curve, or fewer connections
 * would not help.
 */
extern bool padv_model_gain(const PadvModel *model, double *gain, double *low, double *high);

/* The beginning of a sentence that ends with the number.  A static string. */
extern const char *padv_number_source(const PadvModel *model);

/* The source of busy_ratio in words.  A static string. */
extern const char *padv_busy_ratio_source(const PadvModel *model);

extern const char *padv_method_name(PadvMethod method);
extern const char *padv_confidence_name(PadvConfidence confidence);
extern const char *padv_verdict_name(PadvVerdict verdict);

#endif							/* PADV_MODEL_H */
