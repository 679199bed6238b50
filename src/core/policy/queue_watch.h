/*
 * queue_watch.h
 *		What the waits of a queue say of the next one.
 *
 * Plain data in memory that the caller provides and guards.  Times are monotonic
 * microseconds, and come from the caller.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_QUEUE_WATCH_H
#define PADV_QUEUE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/* Waits that ended in an interval. */
typedef struct PadvQueueInterval
{
	int64_t		began;
	int32_t		granted;
	int32_t		given_up;		/* without a slot */
	int64_t		least_wait;		/* of those that were granted one */
	int64_t		longest_wait;
} PadvQueueInterval;

typedef struct PadvQueueWatch
{
	PadvQueueInterval current;
	PadvQueueInterval last;		/* the one before, if it is known */
	int64_t		last_ended;		/* 0: it is not */
	bool		overloaded;
} PadvQueueWatch;

#define PADV_WAIT_UNKNOWN (-1)

/* A queue begins, at 0 with the next wait that ends: what was seen before says nothing. */
extern void padv_queue_watch_begin(PadvQueueWatch *watch, int64_t now);

/*
 * A wait has ended, with a slot or without.  target is how long a wait may be, 0 is any
 * time.
 */
extern void padv_queue_watch_granted(PadvQueueWatch *watch, int64_t wait, int64_t target, int64_t now);
extern void padv_queue_watch_given_up(PadvQueueWatch *watch, int64_t target, int64_t now);

/*
 * Whether all waits have been above the target for an interval, so that those who come
 * newest are to be served first; until those who have waited longest are below it.
 */
extern bool padv_queue_watch_is_overloaded(const PadvQueueWatch *watch, int64_t now);

/*
 * How long somebody waits at least who stands behind so many, or PADV_WAIT_UNKNOWN.
 * It is less than what is expected, as decisions rest on it that cannot be taken back.
 */
extern int64_t padv_queue_watch_least_wait(const PadvQueueWatch *watch, int32_t ahead, int64_t now);

#endif							/* PADV_QUEUE_WATCH_H */
