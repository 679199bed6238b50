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
	interval->internal_lock = fmax(0.0, take->in_class[PADV_WAITING_LWLOCK] -
								   take->committing_lwlock);
	interval->inside = fmax(0.0, take->demand - take->parallel_workers -
							take->in_class[PADV_WAITING_LOCK] - interval->internal_lock);
	interval->latency = interval->transactions + rolled_back > 0.0 ?
		inside / (interval->transactions + rolled_back) : 0.0;
	describe_pressure(take, interval);
	interval->cores_busy = padv_load_utilization(before, after, quota);
	return true;
}

void
padv_waits_add(PadvWaits *waits, const PadvInterval *interval)
{
	double		run = interval->run * interval->seconds;
	double		ready = interval->ready * interval->seconds;
	double		left;

	if (!(run > 0.0) || !(ready >= 0.0) || !isfinite(run) || !isfinite(ready))
		return;
	left = exp2(-run / PADV_WAITS_HALF_LIFE);
	waits->run = waits->run * left + run;
	waits->ready = waits->ready * left + ready;
	waits->asleep = waits->asleep * left +
		fmax(0.0, interval->inside * interval->seconds - run - ready);
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
	*waits = (PadvWaits) {numbers[0], numbers[1], numbers[2]};
	return true;
}
