/*
 * wait_queue.h
 *		Quotas with a limit, and one queue of those who wait for room.
 *
 * A request is somebody who wants in: it is under some quotas, and is in when
 * it is counted in each of them.  Plain data in memory that the caller
 * provides and guards; nothing here blocks, allocates or fails.
 *
 * First come, first served, unless the caller says of a quota that those who come
 * newest are served first there.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_WAIT_QUEUE_H
#define PADV_WAIT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Quotas that one request can be under. */
#define PADV_MAX_REQUEST_QUOTAS 25

#define PADV_NONE (-1)

typedef struct PadvQuota
{
	int32_t		limit;			/* -1: none */
	int32_t		in_use;			/* requests that are in, and the claim */
	int32_t		waiting;		/* requests in the queue that are under it */
	int32_t		linked;			/* those of them that stand here */
	int32_t		first;			/* the root of the heap of these parties: the
								 * leader of the lowest rank; PADV_NONE */
	int32_t		ring;			/* the party here that is next to have its
								 * oldest preferred; PADV_NONE */
	int32_t		newest_first;	/* who comes now goes before those who stand? */
	int32_t		since_oldest;	/* let in here since an oldest was preferred */
	int32_t		claimant;		/* who waits elsewhere and has a request here
								 * counted for it; PADV_NONE */
	int32_t		claimed_before; /* the same, before a recount */
	int32_t		pace;			/* how many left lately */
	uint32_t	pace_epoch;		/* as of when */
	int32_t		bucket;			/* parties whose quotas have this hash */
	int32_t		unsettled_next;
	int32_t		unsettled;		/* on the list of those to be looked at? */
} PadvQuota;

typedef enum PadvRequestState
{
	PADV_REQUEST_NONE,			/* nobody's */
	PADV_REQUEST_WAITING,
	PADV_REQUEST_GRANTED,
} PadvRequestState;

typedef struct PadvRequest
{
	int32_t		state;			/* PadvRequestState */
	int32_t		nquotas;
	int32_t		quotas[PADV_MAX_REQUEST_QUOTAS];

	/* while waiting */
	uint64_t	arrival;		/* who came first has the smaller number */
	uint64_t	rank;			/* who goes first has the smaller number */
	int32_t		queue_previous; /* neighbours in the whole queue */
	int32_t		queue_next;
	int32_t		party_previous; /* neighbours among those under the same
								 * quotas; who has none before it leads */
	int32_t		party_next;

	/* of a leader */
	int32_t		at;				/* the full quota where the party stands; of
								 * anybody who is in, where it stood before */
	int32_t		moves;			/* how often it has gone to another */
	int32_t		party_last;
	int32_t		party_size;
	int32_t		newest_last;	/* the last of those who went before others
								 * when they came; PADV_NONE */
	int32_t		ring_previous;	/* other leaders at the quota */
	int32_t		ring_next;
	int32_t		bucket_next;
	int32_t		heap_up;		/* in the heap of the quota */
	int32_t		heap_left;
	int32_t		heap_right;
	int32_t		heap_rank;
} PadvRequest;

typedef struct PadvWaitQueueHead
{
	uint64_t	arrivals;
	int32_t		waiting;
	int32_t		first;
	int32_t		last;
	int32_t		nquotas;		/* so many buckets */
	int32_t		unsettled;		/* quotas to be looked at; see
								 * padv_queue_settle */
	int32_t		unsettled_first;
	int32_t		unsettled_last;
	uint32_t	releases;		/* requests that have left */
	uint64_t	steps;			/* work done so far, for the tests */
} PadvWaitQueueHead;

/* Where the three parts are; the memory is the caller's. */
typedef struct PadvWaitQueue
{
	PadvWaitQueueHead *head;
	char	   *quotas;			/* PadvQuotas, each at the begin of */
	size_t		quota_size;		/* so many bytes; the rest is the caller's */
	char	   *requests;		/* PadvRequests, likewise */
	size_t		request_size;
} PadvWaitQueue;

static inline PadvQuota *
padv_queue_quota(const PadvWaitQueue *queue, int number)
{
	return (PadvQuota *) (queue->quotas + (size_t) number * queue->quota_size);
}

static inline PadvRequest *
padv_queue_request(const PadvWaitQueue *queue, int number)
{
	return (PadvRequest *) (queue->requests + (size_t) number * queue->request_size);
}

/* Nobody is in, nobody waits, nothing is limited. */
extern void padv_queue_init(PadvWaitQueue *queue, int nquotas, int nplaces);

/*
 * The first quota that a free request would have to wait for, or PADV_NONE.
 * That is one without room, or where somebody stands already.
 */
extern int	padv_queue_first_full(const PadvWaitQueue *queue, const PadvRequest *request);

/*
 * Count a free request in, whether there is room or not.  It is under the
 * quotas that were put into it.
 */
extern void padv_queue_acquire(PadvWaitQueue *queue, PadvRequest *request);

/*
 * Put a free request, for which there is no room, into the queue: at the end, or where
 * all quotas that it would have to wait for serve the newest first, before others.
 * Returns whether it was the latter.
 */
extern bool padv_queue_enqueue(PadvWaitQueue *queue, PadvRequest *request);

/*
 * From now on, those who come newest are served first at this quota, or no more.
 * Who stands keeps its request.  Meanwhile one in so many that are let in there
 * is the oldest of a party, each party in turn, so that nobody is forgotten.
 */
#define PADV_NEWEST_FOR_ONE_OLDEST 16
extern void padv_line_set_newest_first(PadvWaitQueue *queue, int number, bool newest_first);

/*
 * Take a request out, from inside or from the queue; it is free then.  Who can be
 * in now is, in turn, and is written to `granted`, which has room
 * for PADV_MAX_REQUEST_QUOTAS.  Returns their number.  One who leaves the queue
 * can make room too: what it had claimed.
 *
 * What is too much for one call stays unsettled: see padv_queue_settle.
 */
extern int	padv_queue_release(PadvWaitQueue *queue, PadvRequest *request, int32_t *granted);

/* The number of the request that stands first at this quota, or PADV_NONE. */
extern int	padv_queue_first_at(const PadvWaitQueue *queue, int number);

/*
 * Change the limit of one quota.  Who can be in now is, in turn, and is written
 * to `granted`, `room` of them at most; returns their number.  What is too much
 * for one call stays unsettled.
 */
extern int	padv_queue_set_limit(PadvWaitQueue *queue, int number, int32_t limit,
								 int32_t *granted, int room);

/*
 * Go on where the last call stopped, as every call does a bounded part of the work
 * only.  Who is let in is written to `granted`, which has room for
 * PADV_MAX_REQUEST_QUOTAS; returns their number.  Whoever calls leave, set_limit
 * or settle calls this until padv_queue_is_settled; the lock may be let go between
 * two calls, as nobody who comes meanwhile gets before those who stand.
 */
extern int	padv_queue_settle(PadvWaitQueue *queue, int32_t *granted);

/* Let a waiting request in now, whatever the limits say. */
extern void padv_queue_grant(PadvWaitQueue *queue, PadvRequest *request);

/* The quota where a waiting request stands. */
extern int	padv_queue_queued_at(const PadvWaitQueue *queue, const PadvRequest *request);

/*
 * Start counting anew, after limits or quotas have changed: the caller calls
 * begin, sets the limits of quotas[0..naccounts), puts the new quotas into
 * every request that is not free, and calls finish with the requests that are in.
 * Who waits keeps its turn, and what it has claimed as far as there is room; who
 * can be in now is, and is written to `granted`, which has room for all who waited.
 * Returns their number.  Nothing is unsettled then.
 */
extern void padv_queue_rebuild_begin(PadvWaitQueue *queue, int nquotas);
extern void padv_queue_rebuild_add(PadvWaitQueue *queue, const PadvRequest *request);
extern int	padv_queue_rebuild_finish(PadvWaitQueue *queue, int32_t *granted);

static inline int
padv_queue_number(const PadvWaitQueue *queue, const PadvRequest *request)
{
	return (int) (((const char *) request - queue->requests) / (ptrdiff_t) queue->request_size);
}

/*
 * Needs no lock: what the caller has left unsettled it sees, and what others leave they
 * settle.
 */
static inline bool
padv_queue_is_settled(const PadvWaitQueue *queue)
{
	return *(const volatile int32_t *) &queue->head->unsettled == 0;
}

static inline bool
padv_quota_has_room(const PadvQuota *quota)
{
	return quota->limit < 0 || quota->in_use < quota->limit;
}

/* Those who are in, without the claim. */
static inline int32_t
padv_quota_granted(const PadvQuota *quota)
{
	return quota->in_use - (quota->claimant != PADV_NONE);
}

#endif							/* PADV_WAIT_QUEUE_H */
