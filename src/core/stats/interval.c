/*
 * interval.c
 *		What a second was like, from its samples and from the counters.
 *
 * Owns which session counts as busy, as active.
 * Pure; the worker calls it once a second.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/interval.h"

#include <math.h>

double
padv_unseen_active(double run, double delay, double on_cpu, double waiting_io,
				   double turnaround)
{
	if (run < 0.0 || delay < 0.0)
		return 0.0;
	return fmin(turnaround, fmax(0.0, run + delay - on_cpu - waiting_io));
}

/* How much a counter grew in a second; negative when unknown. */
static double
per_second(const PadvCounters *before, const PadvCounters *after, PadvCounter counter,
		   double seconds)
{
	double		grown;

	return padv_load_growth(before, after, counter, &grown) ? grown / seconds : -1.0;
}

/* What keeps sessions from doing more. */
static void
describe_pressure(const PadvWindowMeans *means, PadvInterval *interval)
{
	interval->sessions = means->active + means->idle + means->idle_in_transaction;
	interval->queued = means->queued;
	interval->lock = means->in_class[PADV_WAITING_LOCK];
	interval->disk = fmax(0.0, means->in_class[PADV_WAITING_IO] - means->committing_io);
	interval->commit = means->committing;
}

bool
padv_interval_describe(const PadvWindowMeans *means, const PadvCounters *before,
					   const PadvCounters *after, double quota, PadvInterval *interval)
{
	double		seconds = (double) (after->clock_us - before->clock_us) / 1e6;
	double		rolled_back,
				inside;

	if (!(seconds > 0.0) ||
		!padv_load_growth(before, after, PADV_COMMITTED, &interval->transactions) ||
		!padv_load_growth(before, after, PADV_ROLLED_BACK, &rolled_back) ||
		!padv_load_growth(before, after, PADV_INSIDE, &inside))
		return false;

	interval->seconds = seconds;
	interval->run = per_second(before, after, PADV_SESSIONS_RUN, seconds);
	interval->ready = per_second(before, after, PADV_SESSIONS_DELAY, seconds);
	interval->ended = fmax(0.0, inside / seconds - fmax(0.0, per_second(before, after, PADV_INSIDE_LONG, seconds)));
	interval->busy = fmax(0.0, means->demand - means->parallel_workers +
						  means->held_in_transaction + means->turnaround);
	interval->active = means->demand +
		padv_unseen_active(interval->run, interval->ready, means->in_class[PADV_ON_CPU],
						   means->in_class[PADV_WAITING_IO], means->turnaround);
	interval->held = means->held_in_transaction;
	interval->round_trip = means->round_trip;
	interval->unseen = interval->run < 0.0 || interval->ready < 0.0 ? 0.0 :
		interval->run + interval->ready - means->in_class[PADV_ON_CPU] - means->in_class[PADV_WAITING_IO];
	interval->internal_lock = fmax(0.0, means->in_class[PADV_WAITING_LWLOCK] -
								   means->committing_lwlock);
	interval->inside = fmax(0.0, means->demand - means->parallel_workers -
							means->in_class[PADV_WAITING_LOCK] - interval->internal_lock);
	interval->latency = interval->transactions + rolled_back > 0.0 ?
		inside / (interval->transactions + rolled_back) : 0.0;
	describe_pressure(means, interval);
	interval->reading = per_second(before, after, PADV_DISK_READ, seconds);
	interval->reads = per_second(before, after, PADV_DISK_READ_COUNT, seconds) * seconds;
	interval->disk_queue = 0.0;
	interval->cores_busy = padv_load_utilization(before, after, quota);
	return true;
}

/* Beyond this there is no number that is kept. */
#define GREATEST 1e12

/* Fewer reads do not tell a mean latency. */
#define ENOUGH_READS 50.0

/* The time constant of the means. */
#define LATENCY_SECONDS 10.0

/* A shorter latency counts by this share at once; a longer one doubles the shortest in an hour. */
#define SHORTER_SHARE 0.3
#define LATENCY_DOUBLES_SECONDS 3600.0

/* A saturated device completes this share of its best rate, which halves in an hour. */
#define FULL_RATE 0.85
#define RATE_HALVES_SECONDS 3600.0

static bool disks_are_saturated(const PadvInterval *interval);

static bool
add_reads(PadvReadLatency *latency, const PadvInterval *interval)
{
	double		left = exp(-interval->seconds / LATENCY_SECONDS);

	if (!(interval->reads >= 0.0) || !(interval->reading >= 0.0) || !isfinite(interval->reads) ||
		!isfinite(interval->reading))
		return false;
	latency->seconds = latency->seconds * left + interval->seconds;
	latency->reads = latency->reads * left + interval->reads;
	latency->read_seconds = latency->read_seconds * left + interval->reading * interval->seconds;
	return latency->reads >= ENOUGH_READS && latency->read_seconds > 0.0;
}

void
padv_read_latency_update(PadvReadLatency *latency, PadvInterval *interval)
{
	double		present;
	double		rate;

	interval->disk_queue = 0.0;
	if (!add_reads(latency, interval))
		return;
	present = latency->read_seconds / latency->reads;
	if (latency->shortest <= 0.0)
		latency->shortest = present;
	else if (present < latency->shortest)
		latency->shortest += SHORTER_SHARE * (present - latency->shortest);
	rate = latency->reads / latency->seconds;
	latency->best_rate = fmax(rate, latency->best_rate * exp2(-interval->seconds / RATE_HALVES_SECONDS));
	if (rate >= FULL_RATE * latency->best_rate)
		interval->disk_queue = fmin(interval->disk, interval->reading) *
			fmax(0.0, 1.0 - latency->shortest / present);

	/* a queue that lasts for hours says nothing about the device without it */
	if (present > latency->shortest && !(interval->sessions > 0.0 && disks_are_saturated(interval)))
		latency->shortest = fmin(present, latency->shortest * exp2(interval->seconds / LATENCY_DOUBLES_SECONDS));
}

void
padv_read_latency_keep(const PadvReadLatency *latency, double numbers[PADV_READ_LATENCY_NUMBERS])
{
	numbers[0] = fmin(latency->shortest, GREATEST);
	numbers[1] = fmin(latency->best_rate, GREATEST);
}

bool
padv_read_latency_restore(PadvReadLatency *latency, const double *numbers, size_t count)
{
	if (count != PADV_READ_LATENCY_NUMBERS || !(numbers[0] >= 0.0 && numbers[0] <= GREATEST) ||
		!(numbers[1] >= 0.0 && numbers[1] <= GREATEST))
		return false;
	*latency = (PadvReadLatency) {.shortest = numbers[0], .best_rate = numbers[1]};
	return true;
}

/*
 * A resource is saturated if at least this share of the sessions that want to work queues
 * for it, and one session at least.
 */
#define QUEUED_SHARE 0.5
#define QUEUED_SESSIONS 1.0

/*
 * A longer mean wait for locks, in seconds, is not a queue that moves, but a session that
 * holds a lock and does nothing.
 */
#define LONGEST_MEAN_WAIT 5.0

/* More sessions could queue for a disk if not this share of them were busy, but for one. */
#define ALL_SESSIONS 0.9

/* The time constants of the means, in seconds.  Thrashing lowers `through` later on. */
#define SHARE_SECONDS 30.0
#define THROUGH_RISES_SECONDS 10.0
#define THROUGH_FALLS_SECONDS 300.0

static bool
most_queue(const PadvInterval *interval, double queue)
{
	return queue >= QUEUED_SESSIONS &&
		queue >= QUEUED_SHARE * (interval->lock + interval->internal_lock + interval->inside);
}

static bool
locks_are_saturated(const PadvInterval *interval)
{
	return most_queue(interval, interval->lock) &&
		interval->transactions * LONGEST_MEAN_WAIT >= interval->lock * interval->seconds;
}

static bool
disks_are_saturated(const PadvInterval *interval)
{
	return most_queue(interval, interval->disk_queue) &&
		(interval->queued >= 1.0 || interval->busy >= ALL_SESSIONS * (interval->sessions - 1.0));
}

static void
add_bottleneck(PadvBottleneck *bottleneck, bool saturated, double users, double through, double seconds)
{
	double		constant = through > bottleneck->through ? THROUGH_RISES_SECONDS : THROUGH_FALLS_SECONDS;
	double		share;

	seconds = fmin(seconds, SHARE_SECONDS);
	share = bottleneck->through > 0.0 ? fmin(1.0, seconds / constant) : 1.0;
	if (saturated)
	{
		bottleneck->through += (through - bottleneck->through) * share;
		bottleneck->users += (users - bottleneck->users) * share;
	}
	bottleneck->share += ((saturated ? 1.0 : 0.0) - bottleneck->share) * seconds / SHARE_SECONDS;
	if (!saturated && bottleneck->share < 0.01)
		bottleneck->through = bottleneck->users = 0.0;
}

/* The weight of a second with this utilization of the cores. */
#define CORES_SATURATED 0.9
#define SATURATED_WEIGHT 0.5

void
padv_waits_add(PadvWaits *waits, const PadvInterval *interval)
{
	double		weight = interval->cores_busy >= CORES_SATURATED ? SATURATED_WEIGHT : 1.0;
	double		seconds = interval->seconds * weight;
	double		run = interval->run * seconds;
	double		ready = interval->ready * seconds;
	double		left;

	if (!(run > 0.0) || !(ready >= 0.0) || !isfinite(run) || !isfinite(ready))
		return;
	add_bottleneck(&waits->locks, locks_are_saturated(interval), 1.0, interval->inside, interval->seconds);
	add_bottleneck(&waits->disks, disks_are_saturated(interval), fmin(interval->disk, interval->reading) - interval->disk_queue,
				   interval->inside - interval->disk_queue, interval->seconds);
	left = exp2(-fmin(run / PADV_WAITS_HALF_LIFE, seconds / PADV_WAITS_LEAST_SECONDS));
	waits->run = waits->run * left + run;
	waits->ready = waits->ready * left + ready;
	waits->asleep = waits->asleep * left +
		fmax(0.0, (interval->inside - interval->disk_queue) * seconds - run - ready);
	waits->held = waits->held * left + interval->held * seconds;
	waits->round_trip = waits->round_trip * left + interval->round_trip * seconds;
	waits->unseen = waits->unseen * left + interval->unseen * seconds;
}

void
padv_waits_keep(const PadvWaits *waits, double numbers[PADV_WAITS_NUMBERS])
{
	numbers[0] = fmin(waits->run, GREATEST);
	numbers[1] = fmin(waits->ready, GREATEST);
	numbers[2] = fmin(waits->asleep, GREATEST);
}

bool
padv_waits_restore(PadvWaits *waits, const double *numbers, size_t count)
{
	if (count != PADV_WAITS_NUMBERS)
		return false;
	for (int i = 0; i < PADV_WAITS_NUMBERS; i++)
		if (!(numbers[i] >= 0.0 && numbers[i] <= GREATEST))
			return false;
	*waits = (PadvWaits) {.run = numbers[0], .ready = numbers[1], .asleep = numbers[2]};
	return true;
}
