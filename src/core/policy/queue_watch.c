/*
 * queue_watch.c
 *		What the recent waits of a queue say about the next wait.
 *
 * Pure; shmem/xact_slots.c calls it for each wait that ends, with its lock held, so each
 * call is a few operations.
 *
 * A wait is estimated in two ways, and the smaller estimate counts:
 *
 * - by length: the number of waiters ahead, divided by the rate at which waiters leave.
 *	 Waiters that give up leave, too, so they count.  The higher one of the last rates is
 *	 taken, with a margin;
 * - by the shortest wait: the shortest wait that a slot was granted after lately.  So the
 *	 estimate stays low when the order is not that of arrival, or when slots go to
 *	 sessions that are not at the head of the queue.
 *
 * The wait is unknown in a queue that has just begun, after too few waits have ended, and
 * under overload.
 *
 * A queue is overloaded when each wait that was granted a slot in an interval was longer
 * than the target, as with CoDel (Nichols and Jacobson 2012).  Then the newest waiters
 * are served first (adaptive LIFO, Maurer 2015): the oldest have waited so long that
 * their clients may not need the answer any more.  Most waits are short then.  So the
 * overload ends by the waits of the oldest, which core/policy/wait_queue.c grants now
 * and then: when all of them are below the target, or when the queue has been empty.
 *
 * Only the DBA knows whether clients give up.  Clients of a closed loop come again when
 * they have been served, and wait as long as there are many of them.  There the newest
 * would starve the others.  So without a target no queue is overloaded.
 *
 * A long queue also lasts by itself.  In the order of arrival all sessions of a pool take
 * turns, so each one finds its caches cold, and less is done than by the few sessions that
 * would do the work if nobody waited.  After a moment's delay a load far below the capacity
 * then waits for ever.  Served first, the sessions that come again are the warm ones, and
 * the queue drains in seconds.  By default this is tried while waits are long
 * (PADV_TARGET_DRAIN): it goes on while the queue becomes shorter.  In a closed loop it
 * does not, so the attempt ends, and the next one comes after a pause that doubles.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/policy/queue_watch.h"

/* An interval has at least this length, and at least so many waits. */
#define INTERVAL_US INT64_C(500000)
#define INTERVAL_WAITS 16

/* The rate of the current interval counts once it has half of both. */
#define PART_US (INTERVAL_US / 2)
#define PART_WAITS (INTERVAL_WAITS / 2)

/* The last interval counts for this time, plus twice its length. */
#define MEMORY_US INT64_C(2000000)

/* Waiters leave at most so many times faster than measured. */
#define MARGIN 1.5

/* A drain begins when waits are longer than this. */
#define DRAIN_WAIT_US INT64_C(100000)

/* The queue must become shorter by this share in each interval. */
#define DRAIN_SHARE 0.05

/* The shortest pause between attempts, and the longest. */
#define DRAIN_PAUSE_US INT64_C(5000000)
#define DRAIN_MAX_PAUSE_US INT64_C(300000000)

static void
begin_interval(PadvQueueInterval *interval, int64_t now)
{
	interval->began = now;
	interval->granted = 0;
	interval->cancelled = 0;
	interval->least_wait = INT64_MAX;
	interval->longest_wait = 0;
}

void
padv_queue_watch_begin(PadvQueueWatch *watch, int64_t now)
{
	begin_interval(&watch->current, now);
	watch->last_ended = 0;
	watch->overloaded = false;
	watch->drain_pause = 0;
	watch->drain_after = 0;
}

static int32_t
waits_in(const PadvQueueInterval *interval)
{
	return interval->granted + interval->cancelled;
}

/* The interval to which a wait that ends now belongs. */
static PadvQueueInterval *
current_interval(PadvQueueWatch *watch, int64_t now)
{
	if (watch->current.began <= 0)
		begin_interval(&watch->current, now);
	return &watch->current;
}

/* Whether an interval that has ended shows overload; before is the answer until then. */
static bool
shows_overload(const PadvQueueInterval *interval, int64_t target, bool before)
{
	return target > 0 && interval->granted > 0 &&
		(before ? interval->longest_wait : interval->least_wait) > target;
}

/* Begin an attempt to drain the queue, unless the last one ended a short time ago. */
static bool
begins_drain(PadvQueueWatch *watch, int32_t waiters, int64_t now)
{
	if (now < watch->drain_after)
		return false;
	watch->drain_from = waiters;
	return true;
}

/* Whether the attempt goes on. */
static bool
keeps_draining(PadvQueueWatch *watch, int32_t waiters, int64_t now)
{
	if (waiters < (1.0 - DRAIN_SHARE) * watch->drain_from)
	{
		watch->drain_from = waiters;
		return true;
	}
	watch->drain_pause = watch->drain_pause == 0 ? DRAIN_PAUSE_US : 2 * watch->drain_pause;
	if (watch->drain_pause > DRAIN_MAX_PAUSE_US)
		watch->drain_pause = DRAIN_MAX_PAUSE_US;
	watch->drain_after = now + watch->drain_pause;
	return false;
}

/* The same with PADV_TARGET_DRAIN. */
static bool
shows_drain(PadvQueueWatch *watch, int32_t waiters, int64_t now)
{
	if (shows_overload(&watch->last, DRAIN_WAIT_US, watch->overloaded))
		return watch->overloaded ? keeps_draining(watch, waiters, now) : begins_drain(watch, waiters, now);
	if (watch->overloaded)
		watch->drain_pause = 0;
	return false;
}

/* End the current interval if it is long enough; the last wait has been counted. */
static void
end_interval_if_due(PadvQueueWatch *watch, int64_t target, int32_t waiters, int64_t now)
{
	if (now - watch->current.began < INTERVAL_US || waits_in(&watch->current) < INTERVAL_WAITS)
		return;
	watch->last = watch->current;
	watch->last_ended = now;
	watch->overloaded = target == PADV_TARGET_DRAIN ? shows_drain(watch, waiters, now) :
		shows_overload(&watch->last, target, watch->overloaded);
	begin_interval(&watch->current, now);
}

void
padv_queue_watch_granted(PadvQueueWatch *watch, int64_t wait, int64_t target, int32_t waiters, int64_t now)
{
	PadvQueueInterval *interval = current_interval(watch, now);

	interval->granted++;
	if (wait < interval->least_wait)
		interval->least_wait = wait;
	if (wait > interval->longest_wait)
		interval->longest_wait = wait;
	end_interval_if_due(watch, target, waiters, now);
}

void
padv_queue_watch_cancelled(PadvQueueWatch *watch, int64_t target, int32_t waiters, int64_t now)
{
	current_interval(watch, now)->cancelled++;
	end_interval_if_due(watch, target, waiters, now);
}

/* Whether the last interval is known and recent. */
static bool
interval_is_recent(const PadvQueueWatch *watch, int64_t now)
{
	return watch->last_ended > 0 &&
		now - watch->last_ended <= MEMORY_US + 2 * (watch->last_ended - watch->last.began);
}

bool
padv_queue_watch_is_overloaded(const PadvQueueWatch *watch, int64_t now)
{
	return watch->overloaded && interval_is_recent(watch, now);
}

/* Waits that ended per microsecond. */
static double
interval_rate(const PadvQueueInterval *interval, int64_t until)
{
	return (double) waits_in(interval) / (double) (until - interval->began);
}

int64_t
padv_queue_watch_least_wait(const PadvQueueWatch *watch, int32_t ahead, int64_t now)
{
	const PadvQueueInterval *current = &watch->current;
	const PadvQueueInterval *last = &watch->last;
	double		rate;
	double		by_length;
	int64_t		by_shortest;

	if (!interval_is_recent(watch, now) || last->granted == 0 || watch->overloaded)
		return PADV_WAIT_UNKNOWN;
	rate = interval_rate(last, watch->last_ended);
	if (now - current->began >= PART_US && waits_in(current) >= PART_WAITS && interval_rate(current, now) > rate)
		rate = interval_rate(current, now);
	by_length = (double) ahead / (rate * MARGIN);
	by_shortest = current->least_wait < last->least_wait ? current->least_wait : last->least_wait;
	return by_length < (double) by_shortest ? (int64_t) by_length : by_shortest;
}
