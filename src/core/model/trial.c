/*
 * trial.c
 *		A trial: two limits on transactions, compared on the live load.
 *
 * Owns the order of the slots, what is counted, the statistics, and when a trial ends
 * early.  Pure; the worker has it look ten times a second.
 *
 *	   LEAD_IN --> IN_SLOT --end_slot--> IN_SLOT
 *	   IN_SLOT --cut_slot, if there is a loss--> CHECK --end_check, confirmed--> PROBE
 *	   PROBE --cut_slot, if there is a loss again--> CHECK --end_check--> over
 *	   CHECK, PROBE --if the loss is not confirmed--> IN_SLOT
 *
 * Slots come in blocks of two, one of each arm, in an order that is drawn.  Each block
 * gives a difference of logarithms.  If both limits do the same, the sign of a difference
 * is the throw of a coin.  So differences of several blocks are not correlated, whatever
 * the load does.  The trend between the blocks before and after is subtracted, which has
 * the same slots of both arms.  The trimmed mean has the interval of Yuen (1974).
 * Correlation that is seen all the same makes it wider.
 *
 * A slot that does a fifth less than the last one of the other arm is cut, and the other
 * arm goes on at once.  If throughput comes back with it, the first arm is probed again.
 * If that shows the same, and it is B, the trial ends.  Slots of both arms are cut and
 * probed by the same rule, or else the cuts would make a difference themselves.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/trial.h"

/* A slot is so many times as long as a transaction takes, within its bounds. */
#define SLOT_TRANSACTIONS 4.0

/* The lead-in is so many slots long. */
#define LEAD_IN_SLOTS 2.0

/*
 * What is not counted of a slot: so many times what a transaction takes, within these
 * shares of the slot.  Of checks and probes, which have to be quick, half of that.
 */
#define WARM_UP_TRANSACTIONS 2.0
#define WARM_UP_SHARE 0.15
#define WARM_UP_SHARE_MOST 0.5

/* Counted seconds before a slot can be cut, or a check can end. */
#define LEAST_COUNTED 0.2

/*
 * Standard errors: a loss is surely one, 20 % is not out of the question, and the other
 * arm is surely back.
 */
#define SURELY 3.0
#define POSSIBLY 2.0
#define SURELY_BACK 1.5

/* By blocks, the interval must end below this. */
#define BLOCKS_LOSS 0.95

/* The variance of a slot's logarithm that lasts: at first, and its weight. */
#define NOISE_FIRST (0.025 * 0.025)
#define NOISE_FIRST_WEIGHT 3.0

/* The share that is trimmed at each end. */
#define TRIMMED 0.15

/*
 * The trend within a block, as a share of the difference between the blocks around it, at
 * most; a straight line has half of that.
 */
#define TREND_SHARE_MOST 0.5

/* Correlation of neighbours that is chance, in standard errors. */
#define CHANCE_CORRELATION 1.0

/* --- statistics --- */

/*
 * Cornish and Fisher's expansion (Abramowitz and Stegun 1964, 26.7.5), for the normal
 * quantile of PADV_TRIAL_LEVEL.
 */
double
padv_student_quantile(double degrees)
{
	const double z = 2.3263478740408;
	const double z2 = z * z;
	double		g1 = z * (z2 + 1.0) / 4.0;
	double		g2 = z * ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0;
	double		g3 = z * (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0;
	double		g4 = z * ((((79.0 * z2 + 776.0) * z2 + 1482.0) * z2 - 1920.0) * z2 - 945.0) / 92160.0;

	return z + (g1 + (g2 + (g3 + g4 / degrees) / degrees) / degrees) / degrees;
}

static int
compare_values(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return (left > right) - (left < right);
}

static double
clamp(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

/*
 * By how much correlation of neighbours makes the variance of a mean larger, with values
 * that are cut off at both ends.  What may be chance does not count.
 */
static double
correlation_allowance(const double *values, int count, double lowest, double highest)
{
	double		mean = 0.0;
	double		products = 0.0;
	double		squares = 0.0;
	double		previous = 0.0;
	double		correlation;

	for (int i = 0; i < count; i++)
		mean += clamp(values[i], lowest, highest) / count;
	for (int i = 0; i < count; i++)
	{
		double		off = clamp(values[i], lowest, highest) - mean;

		squares += off * off;
		products += i > 0 ? off * previous : 0.0;
		previous = off;
	}
	correlation = squares > 0.0 ?
		clamp(products / squares - CHANCE_CORRELATION / sqrt(count), 0.0, 0.9) : 0.0;
	return (1.0 + correlation) / (1.0 - correlation);
}

bool
padv_trial_mean(const double *values, int count, double *mean, double *low, double *high)
{
	double		sorted[PADV_TRIAL_BLOCKS];
	int			cut = (int) (TRIMMED * count);
	int			left = count - 2 * cut;
	double		sum = 0.0;
	double		winsorized = 0.0;
	double		squares = 0.0;
	double		reach;

	if (count < PADV_TRIAL_LEAST_BLOCKS || count > PADV_TRIAL_BLOCKS)
		return false;
	memcpy(sorted, values, (size_t) count * sizeof(double));
	qsort(sorted, (size_t) count, sizeof(double), compare_values);
	for (int i = 0; i < count; i++)
	{
		sum += i >= cut && i < count - cut ? sorted[i] : 0.0;
		winsorized += clamp(sorted[i], sorted[cut], sorted[count - cut - 1]) / count;
	}
	for (int i = 0; i < count; i++)
	{
		double		off = clamp(sorted[i], sorted[cut], sorted[count - cut - 1]) - winsorized;

		squares += off * off;
	}
	squares *= correlation_allowance(values, count, sorted[cut], sorted[count - cut - 1]);
	reach = padv_student_quantile(left - 1.0) * sqrt(squares / ((double) left * (left - 1.0)));
	*mean = sum / left;
	*low = *mean - reach;
	*high = *mean + reach;
	return true;
}

static PadvTrialRatio
ratio_of(double mean, double low, double high)
{
	return (PadvTrialRatio) {exp(mean), exp(low), exp(high)};
}

/* From the block before to the one after. */
static double
trend_around(const PadvTrial *trial, const PadvTrialBlock *blocks, int i)
{
	return i > 0 && i < trial->nblocks - 1 ? blocks[i + 1].mean - blocks[i - 1].mean : 0.0;
}

/*
 * By which share of the trend around it a block's second slot differs from its first one,
 * in the least squares.  Arms are not looked at, so it cannot favor one.
 */
static double
trend_share(const PadvTrial *trial, const PadvTrialBlock *blocks)
{
	double		products = 0.0;
	double		squares = 0.0;

	for (int i = 0; i < trial->nblocks; i++)
	{
		double		trend = trend_around(trial, blocks, i);

		products += trend * (trial->b_first[i] ? -blocks[i].difference : blocks[i].difference);
		squares += trend * trend;
	}
	return squares > 0.0 ? clamp(products / squares, 0.0, TREND_SHARE_MOST) : 0.0;
}

static PadvTrialRatio
ratio_of_blocks(const PadvTrial *trial, const PadvTrialBlock *blocks)
{
	PadvTrialRatio unknown = {-1.0, -1.0, -1.0};
	double		values[PADV_TRIAL_BLOCKS];
	double		share = trend_share(trial, blocks);
	double		mean,
				low,
				high,
				least;

	for (int i = 0; i < trial->nblocks; i++)
	{
		double		trend = share * trend_around(trial, blocks, i);

		values[i] = blocks[i].difference + (trial->b_first[i] ? trend : -trend);
	}
	if (!padv_trial_mean(values, trial->nblocks, &mean, &low, &high))
		return unknown;

	/* few transactions can be as many in each block by chance */
	least = padv_student_quantile(trial->nblocks - 1.0) *
		sqrt(1.0 / (trial->total[PADV_ARM_A].ended + 0.5) + 1.0 / (trial->total[PADV_ARM_B].ended + 0.5));
	return ratio_of(mean, fmin(low, mean - least), fmax(high, mean + least));
}

PadvTrialRatio
padv_trial_throughput(const PadvTrial *trial)
{
	return trial->lost ? trial->loss : ratio_of_blocks(trial, trial->throughput);
}

PadvTrialRatio
padv_trial_latency(const PadvTrial *trial)
{
	return ratio_of_blocks(trial, trial->latency);
}

/* --- what was counted --- */

static PadvTrialSums
sums_between(const PadvTrialReading *from, const PadvTrialReading *to)
{
	return (PadvTrialSums) {
		.seconds = (double) (to->clock_us - from->clock_us) / 1e6,
		.committed = fmax(to->committed - from->committed, 0.0),
		.ended = fmax(to->ended - from->ended, 0.0),
		.inside = fmax(to->inside - from->inside, 0.0),
	};
}

/* Half a transaction is added, so that the logarithm of 0 exists. */
static double
log_throughput(const PadvTrialSums *sums)
{
	return log((sums->committed + 0.5) / fmax(sums->seconds, 1e-3));
}

static double
latency_of(const PadvTrialSums *sums)
{
	return sums->ended > 0.0 ? sums->inside / sums->ended : 0.0;
}

static double
log_latency(const PadvTrialSums *sums)
{
	return log((sums->inside + 1e-6) / (sums->ended + 0.5));
}

static void
add_sums(PadvTrialSums *sums, const PadvTrialSums *more)
{
	sums->seconds += more->seconds;
	sums->committed += more->committed;
	sums->ended += more->ended;
	sums->inside += more->inside;
}

/* The variance of a logarithm over a second, by how readings differ. */
static double
jitter(const PadvTrial *trial)
{
	return trial->squares > 0.0 ? trial->differences / trial->squares : 0.0;
}

/*
 * The variance of a slot's logarithm that lasts: half of what the differences of blocks
 * have, without that of readings.
 */
static double
lasting_noise(const PadvTrial *trial)
{
	double		of_readings = jitter(trial) / (trial->slot_seconds - trial->warm_up_seconds);
	double		blocks = fmax(trial->nblocks - 1.0, 0.0);
	double		mean = 0.0;
	double		squares = 0.0;

	for (int i = 0; i < trial->nblocks; i++)
		mean += trial->throughput[i].difference / trial->nblocks;
	for (int i = 0; i < trial->nblocks; i++)
		squares += (trial->throughput[i].difference - mean) * (trial->throughput[i].difference - mean);
	return (NOISE_FIRST * NOISE_FIRST_WEIGHT + fmax(squares / 2.0 - blocks * of_readings, 0.0)) /
		(NOISE_FIRST_WEIGHT + blocks);
}

/* The variance of a logarithm: that of readings, but not below that of counting. */
static double
variance_of(const PadvTrial *trial, const PadvTrialSums *sums)
{
	return fmax(1.0 / (sums->committed + 0.5), jitter(trial) / fmax(sums->seconds, 1e-3));
}

/* Whether the first does so much less than the second that it must not go on. */
static bool
is_loss(const PadvTrial *trial, const PadvTrialSums *first, const PadvTrialSums *second)
{
	double		change = log_throughput(first) - log_throughput(second);
	double		error = sqrt(variance_of(trial, first) + variance_of(trial, second) + 2.0 * lasting_noise(trial));

	return change + SURELY * error < 0.0 && change - POSSIBLY * error <= log(PADV_TRIAL_LOSS);
}

/*
 * Whether throughput has come back after a slot that was cut: it is nearer to what the arm
 * did before than to what was cut.
 */
static bool
has_come_back(const PadvTrial *trial, const PadvTrialSums *counted)
{
	double		before = log_throughput(&trial->latest[trial->arm]);
	double		error = sqrt(variance_of(trial, counted));

	return log_throughput(counted) - SURELY_BACK * error > (before + log_throughput(&trial->cut)) / 2.0;
}

/* Note how much throughput has changed from one reading to the next one. */
static void
note_jitter(PadvTrial *trial, const PadvTrialReading *reading)
{
	PadvTrialSums between = sums_between(&trial->last, reading);
	double		rate = between.committed / fmax(between.seconds, 1e-3);
	double		mean = (rate + trial->last_rate) / 2.0;

	if (trial->last_rate >= 0.0)
	{
		trial->differences += (rate - trial->last_rate) * (rate - trial->last_rate) * between.seconds / 2.0;
		trial->squares += mean * mean;
	}
	trial->last_rate = rate;
}

/* --- slots --- */

/* A coin (splitmix64, Steele and others 2014). */
static bool
toss(PadvTrial *trial)
{
	uint64_t	z = (trial->random += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return ((z ^ (z >> 31)) & 1) != 0;
}

static PadvTrialArm
other_arm(PadvTrialArm arm)
{
	return arm == PADV_ARM_A ? PADV_ARM_B : PADV_ARM_A;
}

static void
begin_phase(PadvTrial *trial, PadvTrialPhase phase, PadvTrialArm arm, const PadvTrialReading *reading)
{
	trial->phase = phase;
	trial->arm = arm;
	trial->phase_started = reading->clock_us;
	trial->counting = false;
	trial->last_rate = -1.0;
}

/* As long as transactions need to follow a new limit, the same for both slots of a block. */
static void
choose_slot_length(PadvTrial *trial)
{
	double		latency = fmax(latency_of(&trial->latest[PADV_ARM_A]), latency_of(&trial->latest[PADV_ARM_B]));

	trial->slot_seconds = clamp(SLOT_TRANSACTIONS * latency, PADV_TRIAL_SLOT, PADV_TRIAL_SLOT_MOST);
	trial->warm_up_seconds = clamp(WARM_UP_TRANSACTIONS * latency, WARM_UP_SHARE * trial->slot_seconds,
								   WARM_UP_SHARE_MOST * trial->slot_seconds);
}

static void
end_trial(PadvTrial *trial)
{
	trial->over = true;
	trial->arm = PADV_ARM_A;
}

/* A block, unless the trial would end before it does. */
static void
begin_block(PadvTrial *trial, const PadvTrialReading *reading)
{
	choose_slot_length(trial);
	trial->second = false;
	trial->losses = 0;
	if (trial->nblocks == PADV_TRIAL_BLOCKS ||
		reading->clock_us + (int64_t) (2e6 * trial->slot_seconds) > trial->ends_at)
	{
		end_trial(trial);
		return;
	}
	trial->b_first[trial->nblocks] = toss(trial);
	begin_phase(trial, PADV_TRIAL_IN_SLOT, trial->b_first[trial->nblocks] ? PADV_ARM_B : PADV_ARM_A, reading);
}

/* Many slots that are no loss each can be one together. */
static void
end_if_blocks_lose(PadvTrial *trial)
{
	PadvTrialRatio all = ratio_of_blocks(trial, trial->throughput);

	if (all.ratio < 0.0 || all.high >= BLOCKS_LOSS || all.ratio > PADV_TRIAL_LOSS)
		return;
	trial->loss = all;
	trial->lost = true;
	end_trial(trial);
}

static PadvTrialBlock
compare_slots(double a, double b)
{
	return (PadvTrialBlock) {b - a, (a + b) / 2.0};
}

static void
end_block(PadvTrial *trial, const PadvTrialReading *reading)
{
	const PadvTrialSums *a = &trial->slot[PADV_ARM_A];
	const PadvTrialSums *b = &trial->slot[PADV_ARM_B];

	trial->throughput[trial->nblocks] = compare_slots(log_throughput(a), log_throughput(b));
	trial->latency[trial->nblocks] = compare_slots(log_latency(a), log_latency(b));
	trial->nblocks++;
	add_sums(&trial->total[PADV_ARM_A], a);
	add_sums(&trial->total[PADV_ARM_B], b);
	end_if_blocks_lose(trial);
	if (!trial->over)
		begin_block(trial, reading);
}

/* From a slot of this arm to the second slot of the block, or to the next block. */
static void
go_on(PadvTrial *trial, PadvTrialArm ended, const PadvTrialReading *reading)
{
	trial->losses = 0;
	if (trial->second)
	{
		end_block(trial, reading);
		return;
	}
	trial->second = true;
	begin_phase(trial, PADV_TRIAL_IN_SLOT, other_arm(ended), reading);
}

/* The arm does too little: see what the other one does. */
static void
cut_slot(PadvTrial *trial, const PadvTrialSums *counted, const PadvTrialReading *reading)
{
	if (trial->phase == PADV_TRIAL_IN_SLOT)
		trial->slot[trial->arm] = *counted;
	trial->cut = *counted;
	begin_phase(trial, PADV_TRIAL_CHECK, other_arm(trial->arm), reading);
}

/* B has lost twice in a row. */
static void
end_with_loss(PadvTrial *trial)
{
	const PadvTrialSums *a = &trial->in_loss[PADV_ARM_A];
	const PadvTrialSums *b = &trial->in_loss[PADV_ARM_B];
	double		change = log_throughput(b) - log_throughput(a);
	double		error = sqrt(variance_of(trial, b) + variance_of(trial, a) + 2.0 * lasting_noise(trial));

	trial->loss = ratio_of(change, change - SURELY * error, change + SURELY * error);
	add_sums(&trial->total[PADV_ARM_A], a);
	add_sums(&trial->total[PADV_ARM_B], b);
	trial->lost = true;
	end_trial(trial);
}

/* A slot of an arm was cut, and the other arm did more before it and after it. */
static void
note_loss(PadvTrial *trial, PadvTrialArm cut, const PadvTrialSums *after)
{
	if (trial->losses++ == 0)
	{
		trial->in_loss[cut] = (PadvTrialSums) {0};
		trial->in_loss[other_arm(cut)] = trial->latest[other_arm(cut)];
	}
	add_sums(&trial->in_loss[cut], &trial->cut);
	add_sums(&trial->in_loss[other_arm(cut)], after);
}

/*
 * The other arm has shown whether it does more.  If not, the load has changed, and slots
 * are compared with what it is now.
 */
static void
end_check(PadvTrial *trial, bool came_back, const PadvTrialSums *counted, const PadvTrialReading *reading)
{
	PadvTrialArm cut = other_arm(trial->arm);

	if (!came_back)
	{
		trial->latest[trial->arm] = *counted;
		trial->latest[cut] = trial->cut;
		go_on(trial, cut, reading);
		return;
	}
	note_loss(trial, cut, counted);
	if (trial->losses == 1)
		begin_phase(trial, PADV_TRIAL_PROBE, cut, reading);
	else if (cut == PADV_ARM_B)
		end_with_loss(trial);
	else
	{
		trial->latest[cut] = trial->cut;
		go_on(trial, cut, reading);
	}
}

/* --- a reading --- */

static double
warm_up_seconds(const PadvTrial *trial)
{
	return trial->phase == PADV_TRIAL_CHECK || trial->phase == PADV_TRIAL_PROBE ?
		trial->warm_up_seconds / 2.0 : trial->warm_up_seconds;
}

/* What was counted in this phase, after its warm-up. */
static PadvTrialSums
count(PadvTrial *trial, const PadvTrialReading *reading)
{
	if (trial->counting)
		note_jitter(trial, reading);
	else if ((double) (reading->clock_us - trial->phase_started) / 1e6 >= warm_up_seconds(trial))
	{
		trial->counting = true;
		trial->from = *reading;
	}
	return trial->counting ? sums_between(&trial->from, reading) : (PadvTrialSums) {0};
}

/* A slot, or a probe. */
static void
look_at_slot(PadvTrial *trial, const PadvTrialSums *counted, bool ends, const PadvTrialReading *reading)
{
	const PadvTrialSums *reference = &trial->latest[other_arm(trial->arm)];

	if (counted->seconds >= LEAST_COUNTED && reference->seconds > 0.0 && is_loss(trial, counted, reference))
		cut_slot(trial, counted, reading);
	else if (ends)
	{
		trial->latest[trial->arm] = *counted;
		if (trial->phase == PADV_TRIAL_IN_SLOT)
			trial->slot[trial->arm] = *counted;
		go_on(trial, trial->arm, reading);
	}
}

static void
look_at_check(PadvTrial *trial, const PadvTrialSums *counted, bool ends, const PadvTrialReading *reading)
{
	bool		came_back = counted->seconds >= LEAST_COUNTED && has_come_back(trial, counted);

	if (came_back || ends)
		end_check(trial, came_back, counted, reading);
}

static void
look_at_lead_in(PadvTrial *trial, const PadvTrialSums *counted, const PadvTrialReading *reading)
{
	if (counted->seconds + trial->warm_up_seconds < LEAD_IN_SLOTS * trial->slot_seconds)
		return;
	trial->latest[PADV_ARM_A] = *counted;
	begin_block(trial, reading);
}

PadvTrialArm
padv_trial_look(PadvTrial *trial, const PadvTrialReading *reading)
{
	PadvTrialSums counted;
	bool		ends;

	if (trial->over || reading->clock_us <= trial->last.clock_us)
		return trial->arm;
	counted = count(trial, reading);
	trial->last = *reading;
	ends = counted.seconds > 0.0 &&
		(double) (reading->clock_us - trial->phase_started) / 1e6 >= trial->slot_seconds;
	if (trial->phase == PADV_TRIAL_LEAD_IN)
		look_at_lead_in(trial, &counted, reading);
	else if (trial->phase == PADV_TRIAL_CHECK)
		look_at_check(trial, &counted, ends, reading);
	else
		look_at_slot(trial, &counted, ends, reading);
	if (!trial->over && reading->clock_us >= trial->ends_at)
		end_trial(trial);
	return trial->arm;
}

void
padv_trial_begin(PadvTrial *trial, double seconds, uint64_t seed, const PadvTrialReading *reading)
{
	memset(trial, 0, sizeof(*trial));
	trial->random = seed;
	trial->ends_at = reading->clock_us + (int64_t) (1e6 * seconds);
	trial->last = *reading;
	choose_slot_length(trial);
	begin_phase(trial, PADV_TRIAL_LEAD_IN, PADV_ARM_A, reading);
}
