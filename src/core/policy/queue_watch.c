/*
 * queue_watch.c
 *		What the waits of a queue say of the next one.
 *
 * Pure; shmem/xact_slots.c calls it for each wait that ends, under its lock, so each
 * call is a few operations.
 *
 * A wait is foretold in two ways, and the smaller one counts:
 *
 * - by length: so many stand ahead, and leave at this rate.  Waiters that give up leave
 *	 too, so they count.  The higher one of the last rates is taken, and a margin;
 * - by sight: nobody who was granted a slot lately has waited for less.  So nothing is
 *	 foretold where the order is another one than that of arrival, or where slots come
 *	 from something else than the queue's head.
 *
 * Nothing is known of a queue that has just begun, or where too few waits have ended; nor
 * under overload.
 *
 * A queue is overloaded when for an interval each wait that was granted a slot was above
 * the target, as with CoDel (Nichols and Jacobson 2012).  Then the newest are served
 * first (adaptive LIFO, Maurer 2015), as those who come first have waited too
 * long for anybody to want the answer; and most waits are short.  So what ends
 * it are the waits of the oldest, which core/policy/wait_queue.c lets in now and then: when all are
 * below the target, or the queue has been empty.
 *
 * Only the DBA knows whether clients give up: those of a closed loop come again when
 * they have been served, and wait for as long as there are many of them.  There the
 * newest would starve the others.  So without a target nothing is an overload.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/policy/queue_watch.h"

/* An interval has this length at least, and so many waits. */
#define INTERVAL_US INT64_C(500000)
#define INTERVAL_WAITS 16

/* A rate is taken of a part of an interval that has half of both. */
#define PART_US (INTERVAL_US / 2)
#define PART_WAITS (INTERVAL_WAITS / 2)

/* For how long the last interval counts: this, and twice its length. */
#define MEMORY_US INT64_C(2000000)

/* Waiters leave so many times as fast as seen at most. */
#define MARGIN 1.5

static void
begin_interval(PadvQueueInterval *interval, int64_t now)
{
	interval->began = now;
	interval->granted = 0;
	interval->given_up = 0;
	interval->least_wait = INT64_MAX;
	interval->longest_wait = 0;
}

void
padv_queue_watch_begin(PadvQueueWatch *watch, int64_t now)
{
	begin_interval(&watch->current, now);
	watch->last_ended = 0;
	watch->overloaded = false;
}

static int32_t
waits_in(const PadvQueueInterval *interval)
{
	return interval->granted + interval->given_up;
}

/* A wait has ended. */
static PadvQueueInterval *
interval_of(PadvQueueWatch *watch, int64_t now)
{
	if (watch->current.began <= 0)
		begin_interval(&watch->current, now);
	return &watch->current;
}

/* By an interval that has ended. */
static bool
is_overload(const PadvQueueInterval *interval, int64_t target, bool before)
{
	return target > 0 && interval->granted > 0 &&
		(before ? interval->longest_wait : interval->least_wait) > target;
}

/* It has been counted. */
static void
end_interval_if_due(PadvQueueWatch *watch, int64_t target, int64_t now)
{
	if (now - watch->current.began < INTERVAL_US || waits_in(&watch->current) < INTERVAL_WAITS)
		return;
	watch->last = watch->current;
	watch->last_ended = now;
	watch->overloaded = is_overload(&watch->last, target, watch->overloaded);
	begin_interval(&watch->current, now);
}

void
padv_queue_watch_granted(PadvQueueWatch *watch, int64_t wait, int64_t target, int64_t now)
{
	PadvQueueInterval *interval = interval_of(watch, now);

	interval->granted++;
	if (wait < interval->least_wait)
		interval->least_wait = wait;
	if (wait > interval->longest_wait)
		interval->longest_wait = wait;
	end_interval_if_due(watch, target, now);
}

void
padv_queue_watch_given_up(PadvQueueWatch *watch, int64_t target, int64_t now)
{
	interval_of(watch, now)->given_up++;
	end_interval_if_due(watch, target, now);
}

/* Whether the last interval is known, and not of long ago. */
static bool
is_known(const PadvQueueWatch *watch, int64_t now)
{
	return watch->last_ended > 0 &&
		now - watch->last_ended <= MEMORY_US + 2 * (watch->last_ended - watch->last.began);
}

bool
padv_queue_watch_is_overloaded(const PadvQueueWatch *watch, int64_t now)
{
	return watch->overloaded && is_known(watch, now);
}

/* Waits that ended in a microsecond. */
static double
rate_of(const PadvQueueInterval *interval, int64_t until)
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
	int64_t		by_sight;

	if (!is_known(watch, now) || last->granted == 0 || watch->overloaded)
		return PADV_WAIT_UNKNOWN;
	rate = rate_of(last, watch->last_ended);
	if (now - current->began >= PART_US && waits_in(current) >= PART_WAITS && rate_of(current, now) > rate)
		rate = rate_of(current, now);
	by_length = (double) ahead / (rate * MARGIN);
	by_sight = current->least_wait < last->least_wait ? current->least_wait : last->least_wait;
	return by_length < (double) by_sight ? (int64_t) by_length : by_sight;
}
