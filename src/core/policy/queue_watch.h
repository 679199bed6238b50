/*
 * queue_watch.h
 *		What the recent waits of a queue say about the next wait.
 *
 * Plain data in memory that the caller provides and protects.  Times come from the
 * caller: monotonic, in microseconds.  Nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_QUEUE_WATCH_H
#define PADV_QUEUE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/* The waits that ended in an interval. */
typedef struct PadvQueueInterval
{
	int64_t		began;
	int32_t		granted;
	int32_t		cancelled;		/* ended without a slot */
	int64_t		least_wait;		/* of the granted ones */
	int64_t		longest_wait;
} PadvQueueInterval;

typedef struct PadvQueueWatch
{
	PadvQueueInterval current;
	PadvQueueInterval last;		/* the one before, if last_ended is not 0 */
	int64_t		last_ended;		/* 0: no interval has ended yet */
	bool		overloaded;

	/* with the target PADV_TARGET_DRAIN */
	int32_t		drain_from;		/* waiters when the interval began */
	int64_t		drain_pause;	/* after the last drain; 0: it made waits
								 * short, or there was none */
	int64_t		drain_after;	/* none begins before */
} PadvQueueWatch;

/*
 * As a target: the queue is overloaded only while serving the newest first makes it
 * shorter.
 */
#define PADV_TARGET_DRAIN (-1)

#define PADV_WAIT_UNKNOWN (-1)

/*
 * A queue begins at this time; with 0, when the next wait ends.  What was seen before is
 * discarded.
 */
extern void padv_queue_watch_begin(PadvQueueWatch *watch, int64_t now);

/*
 * Add a wait that has ended, with a slot or without; so many wait now.  target is how long
 * a wait may be; 0 means any length.
 */
extern void padv_queue_watch_granted(PadvQueueWatch *watch, int64_t wait, int64_t target, int32_t waiters, int64_t now);
extern void padv_queue_watch_cancelled(PadvQueueWatch *watch, int64_t target, int32_t waiters, int64_t now);

/*
 * Whether the queue is overloaded, so that the newest waiters are served first.  It
 * becomes so when all waits of an interval were longer than the target.  It ends when the
 * longest wait of an interval is shorter, and with PADV_TARGET_DRAIN also when the queue
 * does not become shorter.
 */
extern bool padv_queue_watch_is_overloaded(const PadvQueueWatch *watch, int64_t now);

/*
 * A lower bound of the wait behind so many waiters, in microseconds, or
 * PADV_WAIT_UNKNOWN.  It is below the expected wait, because a refusal that depends on
 * it cannot be undone.
 */
extern int64_t padv_queue_watch_least_wait(const PadvQueueWatch *watch, int32_t ahead, int64_t now);

#endif							/* PADV_QUEUE_WATCH_H */
