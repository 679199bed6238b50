/*
 * trial.h
 *		A trial: two limits on transactions, compared on the live load.
 *
 * Arm A is the limit that holds, arm B the other one.  The arms alternate in short slots,
 * in blocks of one slot each, whose order is drawn.  Under the hypothesis that both
 * limits do the same, the order is the only thing that tells the arms apart.  So neither
 * bursts nor a trend nor noise that lasts makes a difference out of nothing.
 *
 * Plain data of the caller, which also gives the clock and the counters.  Nothing here
 * blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_TRIAL_H
#define PADV_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

typedef enum PadvTrialArm
{
	PADV_ARM_A,
	PADV_ARM_B,
} PadvTrialArm;

#define PADV_ARMS (PADV_ARM_B + 1)

/* Counters that only grow, at one moment. */
typedef struct PadvTrialReading
{
	int64_t		clock_us;		/* monotonic */
	double		committed;		/* transactions */
	double		ended;			/* the same with those rolled back */
	double		inside;			/* seconds in these, waits in the queue
								 * included */
} PadvTrialReading;

/* What was counted in a slot, or in all slots of an arm. */
typedef struct PadvTrialSums
{
	double		seconds;
	double		committed;
	double		ended;
	double		inside;
} PadvTrialSums;

/* A ratio of B to A and its interval; ratio and ends are negative when not known. */
typedef struct PadvTrialRatio
{
	double		ratio;
	double		low;
	double		high;
} PadvTrialRatio;

/* The probability with which the interval has the ratio. */
#define PADV_TRIAL_LEVEL 0.98

/* Fewer blocks give no interval. */
#define PADV_TRIAL_LEAST_BLOCKS 4

/* Bounds of the length of a trial and of a slot, in seconds. */
#define PADV_TRIAL_LEAST_SECONDS 20.0
#define PADV_TRIAL_MOST_SECONDS 3600.0
#define PADV_TRIAL_OF_DAY_SECONDS 300.0
#define PADV_TRIAL_SLOT 2.0
#define PADV_TRIAL_SLOT_MOST 5.0

/* A loss to this share of what A does ends the trial. */
#define PADV_TRIAL_LOSS 0.8

/* A trial with more blocks than this ends early. */
#define PADV_TRIAL_BLOCKS 1024

typedef enum PadvTrialPhase
{
	PADV_TRIAL_LEAD_IN,			/* A, to know what it does */
	PADV_TRIAL_IN_SLOT,			/* a slot of a block */
	PADV_TRIAL_CHECK,			/* the other arm, after a slot that was cut */
	PADV_TRIAL_PROBE,			/* again the arm whose slot was cut */
} PadvTrialPhase;

/* What a block says of a figure, as logarithms. */
typedef struct PadvTrialBlock
{
	double		difference;		/* of B and A */
	double		mean;			/* of both */
} PadvTrialBlock;

typedef struct PadvTrial
{
	uint64_t	random;
	int64_t		ends_at;		/* monotonic, microseconds */
	int64_t		phase_started;	/* likewise */
	PadvTrialPhase phase;
	PadvTrialArm arm;			/* in force now */
	bool		second;			/* the second slot of a block */
	bool		over;
	bool		lost;			/* B does 20 % less than A */

	/* of the present slot; the warm-up is not counted */
	double		slot_seconds;
	double		warm_up_seconds;
	bool		counting;
	PadvTrialReading from;
	PadvTrialReading last;
	double		last_rate;		/* between the last two readings that count;
								 * negative: there is none */

	PadvTrialSums slot[PADV_ARMS];	/* of the present block */
	PadvTrialSums latest[PADV_ARMS];	/* the last slot of each arm */
	PadvTrialSums total[PADV_ARMS];
	PadvTrialSums cut;			/* a slot or probe that was cut */
	int			losses;			/* of one arm in a row that the other arm has
								 * confirmed */
	PadvTrialSums in_loss[PADV_ARMS];	/* what these rest on */
	PadvTrialRatio loss;		/* that ended the trial */

	/* how much throughput differs from reading to reading */
	double		differences;	/* sum of squares, each times its seconds */
	double		squares;		/* sum of the squares of throughput */

	/* by block */
	int			nblocks;
	bool		b_first[PADV_TRIAL_BLOCKS];
	PadvTrialBlock throughput[PADV_TRIAL_BLOCKS];
	PadvTrialBlock latency[PADV_TRIAL_BLOCKS];
} PadvTrial;

/* Start a trial of so many seconds; any seed will do. */
extern void padv_trial_begin(PadvTrial *trial, double seconds, uint64_t seed,
							 const PadvTrialReading *reading);

/*
 * Take in a reading, several times a second.  Returns the arm whose limit is to be set
 * now.  Once trial->over is true, further readings change nothing, and it is A.
 */
extern PadvTrialArm padv_trial_look(PadvTrial *trial, const PadvTrialReading *reading);

/* The ratio of transactions a second, and of the seconds that a transaction takes. */
extern PadvTrialRatio padv_trial_throughput(const PadvTrial *trial);
extern PadvTrialRatio padv_trial_latency(const PadvTrial *trial);

/*
 * The mean of paired differences and the ends of its interval, in the order of time.
 * A fifth of the values at each end is trimmed.  False with fewer than
 * PADV_TRIAL_LEAST_BLOCKS values.
 */
extern bool padv_trial_mean(const double *values, int count, double *mean, double *low, double *high);

/*
 * The number that Student's t exceeds, on either side, with probability 1 -
 * PADV_TRIAL_LEVEL; within 1 % for 3 degrees of freedom or more.
 */
extern double padv_student_quantile(double degrees);

#endif							/* PADV_TRIAL_H */
