/*
 * interval.c
 *		What a second was like, from its samples and from the counters.
 *
 * Owns which session counts as at work, as active.
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
describe_pressure(const PadvWindowMeans *take, PadvInterval *interval)
{
	double		committing_io = fmax(0.0, take->committing - take->committing_lwlock);

	interval->sessions = take->active + take->idle + take->idle_in_transaction;
	interval->queued = take->queued;
	interval->lock = take->in_class[PADV_WAITING_LOCK];
	interval->disk = fmax(0.0, take->in_class[PADV_WAITING_IO] - committing_io);
	interval->commit = take->committing;
}

bool
padv_interval_describe(const PadvWindowMeans *take, const PadvCounters *before,
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
	interval->at_work = fmax(0.0, take->demand - take->parallel_workers +
							 take->held_in_transaction + take->turnaround);
	interval->active = take->demand +
		padv_unseen_active(interval->run, interval->ready, take->in_class[PADV_ON_CPU],
						   take->in_class[PADV_WAITING_IO], take->turnaround);
	interval->paused = take->held_in_transaction +
		fmax(0.0, take->round_trip - (interval->active - take->demand));
	interval->internal_lock = fmax(0.0, take->in_class[PADV_WAITING_LWLOCK] -
								   take->committing_lwlock);
	interval->inside = fmax(0.0, take->demand - take->parallel_workers -
							take->in_class[PADV_WAITING_LOCK] - interval->internal_lock);
	interval->latency = interval->transactions + rolled_back > 0.0 ?
		inside / (interval->transactions + rolled_back) : 0.0;
	describe_pressure(take, interval);
	interval->reading = per_second(before, after, PADV_DISK_READ, seconds);
	interval->reads = per_second(before, after, PADV_DISK_READ_COUNT, seconds) * seconds;
	interval->disk_queue = 0.0;
	interval->cores_busy = padv_load_utilization(before, after, quota);
	return true;
}

/* Fewer reads in an interval do not tell a mean latency. */
#define ENOUGH_READS 20.0

/* A shorter latency counts by this share at once; a longer one doubles the shortest in an hour. */
#define SHORTER_SHARE 0.3
#define LATENCY_DOUBLES_SECONDS 3600.0

void
padv_read_latency_update(PadvReadLatency *latency, PadvInterval *interval)
{
	double		present;

	interval->disk_queue = 0.0;
	if (!(interval->reads >= ENOUGH_READS) || !(interval->reading > 0.0) || !isfinite(interval->reading))
		return;
	present = interval->reading * interval->seconds / interval->reads;
	if (latency->shortest <= 0.0)
		latency->shortest = present;
	else if (present < latency->shortest)
		latency->shortest += SHORTER_SHARE * (present - latency->shortest);
	else
		latency->shortest = fmin(present, latency->shortest * exp2(interval->seconds / LATENCY_DOUBLES_SECONDS));
	interval->disk_queue = fmin(interval->disk, interval->reading) *
		fmax(0.0, 1.0 - latency->shortest / present);
}

/*
 * Locks are saturated if at least this share of the demand waits for them, and one session
 * at least.  A mean wait longer than the last number, in seconds, is not a queue that moves,
 * but a session that holds a lock and does nothing.
 */
#define LOCKED_SHARE 0.5
#define LOCKED_SESSIONS 1.0
#define LONGEST_MEAN_WAIT 5.0

/* The time constants of the means, in seconds.  Thrashing lowers `unblocked` later on. */
#define LOCKED_SECONDS 30.0
#define UNBLOCKED_RISES_SECONDS 10.0
#define UNBLOCKED_FALLS_SECONDS 300.0

static bool
locks_are_saturated(const PadvInterval *interval)
{
	return interval->lock >= LOCKED_SESSIONS &&
		interval->lock >= LOCKED_SHARE * (interval->lock + interval->internal_lock + interval->inside) &&
		interval->transactions * LONGEST_MEAN_WAIT >= interval->lock * interval->seconds;
}

static void
add_locked_second(PadvWaits *waits, const PadvInterval *interval)
{
	bool		locked = locks_are_saturated(interval);
	double		seconds = fmin(interval->seconds, LOCKED_SECONDS);
	double		time_constant;

	if (locked && waits->unblocked <= 0.0)
		waits->unblocked = interval->inside;
	else if (locked)
	{
		time_constant = interval->inside > waits->unblocked ? UNBLOCKED_RISES_SECONDS : UNBLOCKED_FALLS_SECONDS;
		waits->unblocked += (interval->inside - waits->unblocked) * fmin(1.0, seconds / time_constant);
	}
	waits->locked_share += ((locked ? 1.0 : 0.0) - waits->locked_share) * seconds / LOCKED_SECONDS;
	if (!locked && waits->locked_share < 0.01)
		waits->unblocked = 0.0;
}

void
padv_waits_add(PadvWaits *waits, const PadvInterval *interval)
{
	double		run = interval->run * interval->seconds;
	double		ready = interval->ready * interval->seconds;
	double		left;

	if (!(run > 0.0) || !(ready >= 0.0) || !isfinite(run) || !isfinite(ready))
		return;
	add_locked_second(waits, interval);
	left = exp2(-run / PADV_WAITS_HALF_LIFE);
	waits->run = waits->run * left + run;
	waits->ready = waits->ready * left + ready;
	waits->paused = waits->paused * left + interval->paused * interval->seconds;
	waits->asleep = waits->asleep * left +
		fmax(0.0, (interval->inside - interval->disk_queue) * interval->seconds - run - ready);
}

/* Beyond this there is no sum that fades. */
#define GREATEST 1e12

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
