/*
 * test_trial.c
 *		Trials of two limits on made-up loads: how often a difference is named that is not
 *		there, how often one is found that is, and how soon a loss ends.  Then the results:
 *		verdicts, what counts as evidence, and keeping them.
 *
 * The seeds are fixed.  "test_trial random SEED COUNT" draws other loads instead, and
 * prints the shares for each kind.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/advice/trial_words.h"
#include "core/model/trial.h"
#include "core/model/trial_results.h"
#include "core/text/emit.h"
#include "gate_simulation.h"
#include "tap.h"

#define RUNS 60
#define STEP 0.1
#define SECONDS 300.0

/* A load that does so many transactions a second, and what disturbs it. */
typedef struct Load
{
	const char *name;
	double		rate;
	double		white;			/* noise of a second, as a share */
	double		lasting;		/* noise that lasts, as a share ... */
	double		lasts;			/* ... and its time constant, seconds */
	double		growth;			/* by what factor the rate grows in all */
	double		wave;			/* amplitude, as a share ... */
	double		period;			/* ... and period, seconds */
	double		busy;			/* mean seconds between pauses; 0: none */
	double		pause;			/* mean seconds of a pause */
	double		regular;		/* seconds between checkpoints; 0: none */
	double		depth;			/* the rate in a pause or checkpoint, as a share */
	bool		hard;			/* 5 % cannot always be found in it */
} Load;

static const Load loads[] = {
	{.name = "counting noise alone",.rate = 1000},
	{.name = "noise of 8 % a second",.rate = 1000,.white = 0.08},
	{.name = "noise of 12 % that lasts 5 s",.rate = 1000,.white = 0.03,.lasting = 0.12,.lasts = 5},
	{.name = "noise of 30 % that lasts 30 s",.rate = 1000,.white = 0.03,.lasting = 0.3,.lasts = 30},
	{.name = "growth to three times as much",.rate = 1000,.white = 0.05,.growth = 3},
	{.name = "decline to a third",.rate = 1000,.white = 0.05,.growth = 0.33},
	{.name = "waves as long as a slot",.rate = 1000,.white = 0.03,.wave = 0.1,.period = 2.1},
	{.name = "waves as long as a block",.rate = 1000,.white = 0.03,.wave = 0.1,.period = 4.2,.hard = true},
	{.name = "checkpoints every 60 s",.rate = 1000,.white = 0.05,.regular = 60,.pause = 15,.depth = 0.6},
	{.name = "bursts of 4 s, pauses of 4 s",.rate = 1000,.white = 0.05,.busy = 4,.pause = 4,.depth = 0.05,.hard = true},
	{.name = "pauses of 2 s now and then",.rate = 1000,.white = 0.05,.busy = 15,.pause = 2,.depth = 0.0,.hard = true},
	{.name = "stalls of 1 s every 20 s",.rate = 1000,.white = 0.03,.busy = 20,.pause = 1,.depth = 0.02,.hard = true},
	{.name = "20 transactions/s",.rate = 20,.white = 0.05,.hard = true},
	{.name = "one transaction in two seconds",.rate = 0.5,.hard = true},
	{.name = "none at all",.rate = 0,.hard = true},
	{.name = "20000 transactions/s with noise of 5 %",.rate = 20000,.white = 0.05,.lasting = 0.05,.lasts = 3},
};

#define LOADS ((int) (sizeof(loads) / sizeof(loads[0])))

/* The state of one run; its dice are those of the gate's simulation. */
typedef struct Run
{
	const Load *load;
	Server		dice;
	double		gain;			/* ratio of B to A */
	double		lag;			/* seconds until a new limit takes effect */
	PadvTrial	trial;
	PadvTrialReading reading;
	double		now;
	double		effect;			/* of the limit now: 1 or gain, or between */
	double		lasting;
	bool		pausing;
	double		changes_at;

	/* what was seen */
	double		first_b;		/* seconds; negative: none yet */
	double		in_b;			/* seconds in which B's limit was set */
} Run;

static void
begin_run(Run *run, const Load *load, double gain, uint64_t seed)
{
	memset(run, 0, sizeof(*run));
	run->load = load;
	run->gain = gain;
	run->lag = 0.1;
	run->effect = 1.0;
	run->first_b = -1.0;
	run->dice.seed = seed * 7919 + 17;
	for (int i = 0; i < 10; i++)
		(void) draw(&run->dice);
	run->changes_at = load->busy * draw(&run->dice);
	run->reading.clock_us = 1000000;
	padv_trial_begin(&run->trial, SECONDS, seed, &run->reading);
}

/* The rate of this moment, as a share of the usual one. */
static double
weather_of(Run *run)
{
	const Load *load = run->load;
	double		share = 1.0 + load->white * normal(&run->dice) / sqrt(STEP);

	if (load->lasts > 0.0)
		run->lasting += (load->lasting * sqrt(2.0 * load->lasts / STEP) * normal(&run->dice) - run->lasting) * STEP / load->lasts;
	share *= exp(run->lasting);
	if (load->growth > 0.0)
		share *= pow(load->growth, run->now / SECONDS);
	if (load->period > 0.0)
		share *= 1.0 + load->wave * sin(6.2831853 * run->now / load->period);
	if (load->regular > 0.0 && fmod(run->now, load->regular) < load->pause)
		share *= load->depth;
	if (load->busy > 0.0 && run->now >= run->changes_at)
	{
		run->pausing = !run->pausing;
		run->changes_at = run->now - (run->pausing ? load->pause : load->busy) * log(1.0 - draw(&run->dice));
	}
	if (run->pausing)
		share *= load->depth;
	return fmax(share, 0.0);
}

static void
step_run(Run *run)
{
	bool		b = run->trial.arm == PADV_ARM_B;
	double		done;

	run->effect += ((b ? run->gain : 1.0) - run->effect) * fmin(STEP / run->lag, 1.0);
	done = count_of(&run->dice, run->load->rate * run->effect * weather_of(run) * STEP);
	run->now += STEP;
	run->reading.clock_us += (int64_t) (STEP * 1e6);
	run->reading.committed += done;
	run->reading.ended += done;
	run->reading.inside += 0.004 * done / run->effect;
	if (b && run->first_b < 0.0)
		run->first_b = run->now - STEP;
	run->in_b += b ? STEP : 0.0;
	(void) padv_trial_look(&run->trial, &run->reading);
}

static PadvTrialResult
result_of(const PadvTrial *trial)
{
	PadvTrialResult result = padv_trial_result(1, SECONDS, 10, 5, true);

	padv_trial_result_update(&result, trial, 2);
	result.state = trial->lost ? PADV_TRIAL_LOSES : PADV_TRIAL_FINISHED;
	return result;
}

static PadvTrialResult
run_to_end(Run *run)
{
	while (!run->trial.over)
		step_run(run);
	return result_of(&run->trial);
}

/* How many of some runs ended how. */
typedef struct Shares
{
	int			runs;
	int			b_better;
	int			a_better;
	int			covered;		/* the interval has the truth */
	int			lost;
} Shares;

static Shares
try_load(const Load *load, double gain, int runs, uint64_t seed)
{
	Shares		shares = {.runs = runs};

	for (int i = 0; i < runs; i++)
	{
		static Run	run;
		PadvTrialResult result;

		begin_run(&run, load, gain, seed + (uint64_t) i);
		result = run_to_end(&run);
		shares.b_better += padv_trial_verdict(&result) == PADV_TRIAL_B_IS_BETTER;
		shares.a_better += padv_trial_verdict(&result) == PADV_TRIAL_A_IS_BETTER;
		shares.covered += result.throughput.low <= gain && gain <= result.throughput.high;
		shares.lost += run.trial.lost;
	}
	return shares;
}

static void
test_same_limits(void)
{
	int			runs = 0;
	int			gains = 0;
	int			losses = 0;

	for (int i = 0; i < LOADS; i++)
	{
		Shares		shares = try_load(&loads[i], 1.0, RUNS, 1000 * (uint64_t) (i + 1));

		ok(shares.b_better * 100 <= 5 * shares.runs && shares.a_better * 100 <= (loads[i].hard ? 15 : 5) * shares.runs,
		   "the same limit twice, %s: of %d trials %d name a gain, %d a loss, %d are stopped",
		   loads[i].name, shares.runs, shares.b_better, shares.a_better, shares.lost);
		runs += shares.runs;
		gains += shares.b_better;
		losses += shares.a_better;
	}
	ok(gains * 100 <= 2 * runs && losses * 100 <= 3 * runs,
	   "of all %d trials of the same limit twice %d name a gain and %d a loss", runs, gains, losses);
}

static void
test_finds_gains(void)
{
	for (int i = 0; i < LOADS; i++)
	{
		Shares		shares = try_load(&loads[i], 1.05, RUNS, 500000 + 1000 * (uint64_t) i);

		if (loads[i].hard)
			continue;
		ok(shares.b_better * 100 >= 90 * shares.runs, "a gain of 5 %%, %s: found in %d of %d trials",
		   loads[i].name, shares.b_better, shares.runs);
		ok(shares.covered * 100 >= 94 * shares.runs, "and the interval has it in %d", shares.covered);
	}
}

static void
test_finds_large_ones(void)
{
	for (int i = 0; i < LOADS; i++)
	{
		Shares		shares = try_load(&loads[i], 2.0, RUNS / 4, 900000 + 1000 * (uint64_t) i);

		if (!loads[i].hard)
			ok(shares.b_better == shares.runs, "twice as much, %s: found in %d of %d trials",
			   loads[i].name, shares.b_better, shares.runs);
	}
}

/* How long B's limit was set, and how long it took from its first slot on. */
static void
test_losses_end(void)
{
	static const double remains[] = {0.8, 0.7, 0.5, 0.1};
	static const Load noisy = {.name = "noise of 5 %",.rate = 1000,.white = 0.04,.lasting = 0.05,.lasts = 5};
	const Load *tried[] = {&loads[0], &noisy};

	for (int i = 0; i < 8; i++)
	{
		const Load *load = tried[i % 2];
		double		remain = remains[i / 2];
		int			short_b = 0;
		int			soon = 0;
		int			named = 0;
		bool		hard = load == &noisy && remain == 0.8;

		for (int j = 0; j < RUNS; j++)
		{
			static Run	run;
			PadvTrialResult result;

			begin_run(&run, load, remain, 70000 + (uint64_t) j);
			result = run_to_end(&run);
			short_b += run.trial.lost && run.in_b <= 2.01;
			soon += run.trial.lost && run.now - run.first_b <= 2.21;
			named += padv_trial_verdict(&result) == PADV_TRIAL_A_IS_BETTER;
		}
		ok((hard || short_b * 100 >= 90 * RUNS) && named * 100 >= 99 * RUNS && (remain > 0.5 || soon * 100 >= 95 * RUNS),
		   "a loss of %.0f %%, %s: of %d trials %d name it, %d end after 2 s with B at most, %d after 2.2 s in all",
		   100.0 * (1.0 - remain), load->name, RUNS, named, short_b, soon);
	}
}

/* One that begins in the middle: B is set for two seconds more at most. */
static void
test_later_losses_end(void)
{
	int			soon = 0;

	for (int i = 0; i < RUNS; i++)
	{
		static Run	run;
		double		before;

		begin_run(&run, &loads[1], 1.02, 80000 + (uint64_t) i);
		while (run.now < 60.0)
			step_run(&run);
		before = run.in_b;
		run.gain = 0.6;
		(void) run_to_end(&run);
		soon += run.trial.lost && run.in_b - before <= 3.5;
	}
	ok(soon * 100 >= 75 * RUNS, "a loss that begins after a minute is over after two slots of B in %d of %d trials", soon, RUNS);
}

/* --- behind the gate of a server ----------------------------------------- */

/* Run a trial of two limits on a simulated server; 1e9 is no limit. */
static PadvTrialResult
try_server(Server *server, double limit_a, double limit_b, uint64_t seed, PadvTrial *trial)
{
	PadvTrialReading reading = {.clock_us = 1};

	server->seed = seed * 7919 + 17;
	for (int i = 0; i < 10; i++)
		(void) draw(server);
	for (int i = 0; i < 1000; i++)
		(void) step(server, limit_a);
	padv_trial_begin(trial, SECONDS, seed, &reading);
	while (!trial->over)
	{
		for (int i = 0; i < LOOK_STEPS; i++)
		{
			(void) step(server, trial->arm == PADV_ARM_A ? limit_a : limit_b);
			reading.inside += server->inside * STEP_SECONDS;
		}
		reading.clock_us += (int64_t) (LOOK_STEPS * STEP_SECONDS * 1e6);
		reading.committed = reading.ended = server->transactions;
		(void) padv_trial_look(trial, &reading);
	}
	return result_of(trial);
}

static void
test_servers(void)
{
	static const double none = 1e9;
	static const Law row_locks = {2000, 0.2, 0.08};
	static const Law disk = {1000, 0.1, 0.0009};
	static const struct
	{
		const char *name;
		Server		server;
		double		limit_a;
		double		limit_b;
		PadvTrialVerdict verdict;
	}			cases[] = {
		{"row locks, no limit and 3", {.law = row_locks, .clients = 200, .noise = 0.05}, none, 3, PADV_TRIAL_B_IS_BETTER},
		{"row locks, 3 and no limit", {.law = row_locks, .clients = 200, .noise = 0.05}, 3, none, PADV_TRIAL_A_IS_BETTER},
		{"the disk, 32 and 2", {.law = disk, .clients = 500, .noise = 0.05}, 32, 2, PADV_TRIAL_A_IS_BETTER},
		{"the disk, 12 and 32", {.law = disk, .clients = 500, .noise = 0.05}, 12, 32, PADV_TRIAL_B_IS_BETTER},
		{"more than can be done in open loop", {.law = disk, .arrivals = 8000, .noise = 0.05}, 8, 30, PADV_TRIAL_B_IS_BETTER},
		{"half of what can be done in open loop", {.law = disk, .arrivals = 2000, .noise = 0.05}, none, 30, PADV_TRIAL_NO_DIFFERENCE},
		{"clients that think", {.law = disk, .clients = 100, .think = 0.5, .noise = 0.05}, none, 30, PADV_TRIAL_NO_DIFFERENCE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		int			good = 0;

		for (int run = 0; run < 12; run++)
		{
			static PadvTrial trial;
			Server		server = cases[i].server;
			PadvTrialResult result = try_server(&server, cases[i].limit_a, cases[i].limit_b, (uint64_t) run, &trial);

			good += padv_trial_verdict(&result) == cases[i].verdict;
		}
		ok(good >= 11, "%s: %s in %d of 12 trials", cases[i].name,
		   padv_trial_verdict_name(cases[i].verdict), good);
	}
}

/* --- odds and ends ------------------------------------------------------- */

static void
test_quantile(void)
{
	near(padv_student_quantile(3.0), 4.5407, 0.03, "Student's t with 3 degrees of freedom");
	near(padv_student_quantile(10.0), 2.7638, 0.001, "with 10");
	near(padv_student_quantile(100.0), 2.3642, 0.0001, "with 100");
}

static void
test_mean(void)
{
	double		values[8] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
	double		mean,
				low,
				high;

	ok(!padv_trial_mean(values, 3, &mean, &low, &high), "three differences are too few");
	ok(padv_trial_mean(values, 8, &mean, &low, &high) && fabs(mean - 0.1) < 1e-9 && fabs(high - low) < 1e-9,
	   "without noise there is no width");
	values[3] = 50.0;
	ok(padv_trial_mean(values, 8, &mean, &low, &high) && fabs(mean - 0.1) < 1e-9, "one that is far off does not count");
	for (int i = 0; i < 8; i++)
		values[i] = i % 2 == 0 ? 0.1 : -0.1;
	ok(padv_trial_mean(values, 8, &mean, &low, &high) && fabs(mean) < 1e-9 && low < -0.05 && high > 0.05, "noise makes it wide");
}

/* The arms have the same number of slots, in an order that differs. */
static void
test_balance(void)
{
	static Run	run;
	int			first_is_a = 0;

	begin_run(&run, &loads[0], 1.0, 5);
	for (bool second = true; !run.trial.over; second = run.trial.second)
	{
		step_run(&run);
		if (second && !run.trial.second && run.trial.phase == PADV_TRIAL_IN_SLOT)
			first_is_a += run.trial.arm == PADV_ARM_A;
	}
	ok(run.trial.nblocks >= 65 && run.now <= SECONDS, "%d blocks in %.1f s", run.trial.nblocks, run.now);
	ok(first_is_a > 15 && first_is_a < run.trial.nblocks - 15, "A is first in %d of them", first_is_a);
	near(run.trial.total[PADV_ARM_A].seconds, run.trial.total[PADV_ARM_B].seconds, 3.0, "both arms are counted for as long");
	ok(run.trial.arm == PADV_ARM_A, "and A holds at the end");
	(void) padv_trial_look(&run.trial, &run.reading);
	ok(run.trial.arm == PADV_ARM_A && run.trial.over, "for ever");
}

/* Slots are longer where transactions are. */
static void
test_long_transactions(void)
{
	static PadvTrial trial;
	PadvTrialReading reading = {.clock_us = 1};

	padv_trial_begin(&trial, 300.0, 1, &reading);
	while (!trial.over)
	{
		reading.clock_us += 100000;
		reading.committed = reading.ended += 10.0;
		reading.inside += 20.0;
		(void) padv_trial_look(&trial, &reading);
	}
	ok(trial.slot_seconds == PADV_TRIAL_SLOT_MOST && fabs(trial.warm_up_seconds - 2.5) < 1e-9,
	   "where transactions take 2 s, slots take 5, and half of that counts");
}

static void
test_garbage(void)
{
	bool		sound = true;

	for (int i = 0; i < 300; i++)
	{
		static PadvTrial trial;
		Server		dice = {.seed = (uint64_t) i};
		PadvTrialReading reading = {.clock_us = 1};

		padv_trial_begin(&trial, 60.0, (uint64_t) i, &reading);
		for (int j = 0; j < 1000; j++)
		{
			PadvTrialResult result;
			PadvTrialArm arm;

			reading.clock_us += (int64_t) (draw(&dice) * 3e5) - 20000 + (draw(&dice) < 0.01 ? 5000000 : 0);
			reading.committed = draw(&dice) < 0.05 ? 0.0 : reading.committed + draw(&dice) * 1e4;
			reading.ended = draw(&dice) < 0.05 ? 0.0 : reading.ended + draw(&dice) * 1e4;
			reading.inside = draw(&dice) < 0.05 ? 0.0 : reading.inside + draw(&dice) * 1e4;
			arm = padv_trial_look(&trial, &reading);
			result = result_of(&trial);
			sound = sound && (arm == PADV_ARM_A || arm == PADV_ARM_B) && isfinite(result.throughput.ratio) &&
				isfinite(result.latency.ratio) && result.blocks <= PADV_TRIAL_BLOCKS &&
				(trial.over ? arm == PADV_ARM_A : reading.clock_us < trial.ends_at);
		}
		sound = sound && trial.over;
	}
	ok(sound, "whatever is read, a trial ends in time, with A, and its figures are finite");
}

/* --- results ------------------------------------------------------------- */

static PadvTrialResult
made_up(int32_t limit_a, int32_t limit_b, PadvTrialState state, double ratio, int64_t ended)
{
	PadvTrialResult result = padv_trial_result(ended - 300000000, 300.0, limit_a, limit_b, true);

	result.state = state;
	result.updated = ended;
	result.blocks = 70;
	result.throughput = (PadvTrialRatio) {ratio, 0.98 * ratio, 1.02 * ratio};
	result.total[PADV_ARM_B] = (PadvTrialSums) {100.0, 1000.0, 1001.0, 4.5};
	return result;
}

static void
test_finding(void)
{
	const int64_t hour = INT64_C(3600000000);
	PadvTrials	trials = {0};
	PadvTrialFinding finding;
	PadvTrialResult result;

	padv_trials_finding(&trials, hour, &finding);
	ok(!finding.known && !padv_trials_run(&trials), "without a trial nothing is known");
	result = made_up(-1, 8, PADV_TRIAL_FINISHED, 1.5, hour);
	padv_trials_add(&trials, &result);
	padv_trials_finding(&trials, 2 * hour, &finding);
	ok(finding.known && finding.limit == 8 && fabs(finding.age_seconds - 3600.0) < 1e-6, "the better limit is known for a while");
	padv_trials_finding(&trials, 200 * hour, &finding);
	ok(!finding.known, "but not after a week");
	padv_trials_finding(&trials, 0, &finding);
	ok(finding.known && finding.age_seconds == 0.0, "a clock that was set back makes it new");
	result = made_up(-1, 8, PADV_TRIAL_FINISHED, 1.0, 2 * hour);
	padv_trials_add(&trials, &result);
	result = made_up(-1, 4, PADV_TRIAL_ON_REQUEST, 2.0, 2 * hour);
	padv_trials_add(&trials, &result);
	padv_trials_finding(&trials, 3 * hour, &finding);
	ok(finding.known && finding.limit == 8, "one without a difference, or that was stopped, changes nothing");
	result = made_up(6, 12, PADV_TRIAL_LOSES, 0.7, 3 * hour);
	padv_trials_add(&trials, &result);
	padv_trials_finding(&trials, 4 * hour, &finding);
	ok(finding.known && finding.limit == 6, "a loss of B speaks for A");
	result = made_up(-1, 12, PADV_TRIAL_FINISHED, 0.9, 4 * hour);
	padv_trials_add(&trials, &result);
	padv_trials_finding(&trials, 5 * hour, &finding);
	ok(!finding.known, "that no limit is better names no number");
	result = padv_trial_result(hour, 300.0, -1, 8, true);
	padv_trials_add(&trials, &result);
	ok(padv_trials_run(&trials) && padv_trial_verdict(&result) == PADV_TRIAL_NO_VERDICT, "one that runs has no verdict");
}

static void
test_keeping(void)
{
	static double numbers[PADV_TRIALS_NUMBERS];
	static double bad[PADV_TRIALS_NUMBERS];
	static PadvTrials trials;
	static PadvTrials back;
	PadvTrialResult result;
	Server		dice = {.seed = 3};
	bool		sound = true;

	for (int i = 0; i < PADV_TRIALS_KEPT + 5; i++)
	{
		result = made_up(i, -1, PADV_TRIAL_FINISHED, 0.5 + i, 1000000 * (int64_t) (i + 1000));
		padv_trials_add(&trials, &result);
	}
	ok(trials.count == PADV_TRIALS_KEPT && trials.results[0].limit[PADV_ARM_A] == PADV_TRIALS_KEPT + 4,
	   "the last %d are kept, the newest first", PADV_TRIALS_KEPT);
	padv_trials_keep(&trials, numbers);
	ok(padv_trials_restore(&back, numbers, PADV_TRIALS_NUMBERS), "they can be kept");
	ok(back.count == trials.count && back.results[3].updated == trials.results[3].updated &&
	   back.results[3].limit[PADV_ARM_B] == -1 && back.results[3].throughput.high == trials.results[3].throughput.high &&
	   back.results[3].total[PADV_ARM_B].inside == 4.5 && back.results[3].state == PADV_TRIAL_FINISHED,
	   "and are the same afterwards");
	for (int i = 0; i < 5000; i++)
	{
		PadvTrials	before = back;

		memcpy(bad, numbers, sizeof(bad));
		bad[(int) (draw(&dice) * PADV_TRIALS_NUMBERS)] = draw(&dice) < 0.3 ? NAN : 1e18 * normal(&dice);
		if (!padv_trials_restore(&back, bad, PADV_TRIALS_NUMBERS))
			sound = sound && memcmp(&before, &back, sizeof(back)) == 0;
		for (int j = 0; j < back.count; j++)
			sound = sound && padv_trial_state_name(back.results[j].state) != NULL && isfinite(back.results[j].throughput.ratio);
	}
	ok(sound, "numbers that are not sound are refused as a whole");
	ok(!padv_trials_restore(&back, numbers, PADV_TRIALS_NUMBERS - 1), "and so is another count");
}

static void
test_words(void)
{
	PadvTrialResult result = made_up(-1, 8, PADV_TRIAL_FINISHED, 1.5, 400000000);
	char		text[PADV_SENTENCE];
	char		small[40];

	result.latency = (PadvTrialRatio) {0.7, 0.65, 0.75};
	result.predicted = 1.4;
	padv_trial_explain(&result, text, sizeof(text));
	ok(strcmp(text, "B, a limit of 8, did 1.5 times (1.47 to 1.53, with a confidence of 98%) the transactions/s of A, no limit, in 70 pairs of slots. A transaction took 0.7 times (0.65 to 0.75, with a confidence of 98%) as long. The curve had predicted 1.4 times the transactions/s.") == 0,
	   "in words: %s", text);
	padv_trial_explain(&result, small, sizeof(small));
	ok(strncmp(text, small, strlen(small)) == 0 && strlen(small) < sizeof(small), "cut off where there is no room");
	result = padv_trial_result(1, 300.0, 4, -1, true);
	padv_trial_explain(&result, text, sizeof(text));
	ok(strcmp(text, "A is a limit of 4, B is no limit; there are too few slots yet to compare them.") == 0, "before there is a result: %s", text);
}

/* --- other loads ---------------------------------------------------------- */

static int
report_random(uint64_t seed, int runs)
{
	for (int i = 0; i < LOADS; i++)
	{
		Shares		same = try_load(&loads[i], 1.0, runs, seed * 1000003 + 100000 * (uint64_t) i);
		Shares		gain = try_load(&loads[i], 1.05, runs, seed * 2000003 + 100000 * (uint64_t) i);

		printf("%-42s same: gain %.3f, loss %.3f, stopped %.3f; 5 %% more: found %.3f, covered %.3f\n", loads[i].name,
			   (double) same.b_better / runs, (double) same.a_better / runs, (double) same.lost / runs,
			   (double) gain.b_better / runs, (double) gain.covered / runs);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "random") == 0)
		return report_random(strtoull(argv[2], NULL, 10), atoi(argv[3]));
	test_quantile();
	test_mean();
	test_balance();
	test_long_transactions();
	test_garbage();
	test_same_limits();
	test_finds_gains();
	test_finds_large_ones();
	test_losses_end();
	test_later_losses_end();
	test_servers();
	test_finding();
	test_keeping();
	test_words();
	return tap_end();
}
