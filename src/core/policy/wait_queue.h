/*
 * wait_queue.h
 *		Quotas with a limit, and one queue of the requests that wait for them.
 *
 * A request is under some quotas.  It is granted when it is counted in each of them;
 * until then it waits, or is not in use.
 *
 * Plain data in memory that the caller provides and protects with its lock.  Nothing
 * here blocks, allocates or fails.
 *
 * A quota serves its waiters in the order of arrival, unless the caller has set it to
 * serve the newest first.  Two quotas can be shared by flows: each request belongs to a
 * flow, and the flows with waiters there share it by weight (core/policy/shares.c).
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_WAIT_QUEUE_H
#define PADV_WAIT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Quotas that one request can be under. */
#define PADV_MAX_REQUEST_QUOTAS 27

#define PADV_NONE (-1)

/*
 * The quotas that flows share.  Each request that is under the inner one is under the
 * outer one, too.
 */
typedef enum PadvSharedQuota
{
	PADV_OUTER,
	PADV_INNER,
} PadvSharedQuota;

#define PADV_SHARED_QUOTAS 2

typedef struct PadvQuota
{
	int32_t		limit;			/* -1: none */
	int32_t		in_use;			/* granted requests, plus 1 for a claim */
	int32_t		waiting;		/* waiting requests that are under it */
	int32_t		linked;			/* those of them that are linked here */
	int32_t		first;			/* the leader linked here that is served next,
								 * which is the root of their heap, or
								 * PADV_NONE */
	int32_t		ring;			/* the party linked here whose oldest waiter
								 * is preferred next; PADV_NONE */
	int32_t		newest_first;	/* a new waiter is served before the others? */
	int32_t		since_oldest;	/* grants here since an oldest was preferred */
	int32_t		claimant;		/* a waiter linked at another quota that is
								 * counted here already; PADV_NONE */
	int32_t		claimed_before; /* the claimant before a rebuild */
	int32_t		pace;			/* releases lately */
	uint32_t	pace_epoch;		/* the epoch of pace */
	int32_t		bucket;			/* hash chain of parties by their quotas */
	int32_t		unsettled_next;
	int32_t		unsettled;		/* on the list of unsettled quotas? */
} PadvQuota;

/* Requests that share a quota with those of other flows; of one shared quota. */
typedef struct PadvFlow
{
	int32_t		weight;			/* its share, 1 or more */
	int32_t		min_granted;	/* so many are granted before those of flows
								 * that have their minimum */
	int32_t		granted;		/* requests granted at the shared quota */
	int32_t		linked;			/* waiting requests that are linked there */
	int32_t		newest_first;	/* a new waiter is served before others of the
								 * flow? */
	int32_t		first;			/* the root of the heap of its leaders that
								 * are linked there; PADV_NONE */
	int32_t		place;			/* in the heap of flows; PADV_NONE */
	int32_t		at_place;		/* of the heap: the flow at the place of this
								 * number */
	double		time;			/* virtual time */
	double		mean_use;		/* of the quota by a request, microseconds */
} PadvFlow;

typedef enum PadvRequestState
{
	PADV_REQUEST_NONE,			/* not in use */
	PADV_REQUEST_WAITING,
	PADV_REQUEST_GRANTED,
} PadvRequestState;

/* What a granted request uses of a shared quota. */
typedef struct PadvUse
{
	int64_t		since;			/* by the time of the queue */
	double		charged;		/* in advance, microseconds */
} PadvUse;

typedef struct PadvRequest
{
	int32_t		state;			/* PadvRequestState */
	int32_t		nquotas;
	int32_t		quotas[PADV_MAX_REQUEST_QUOTAS];	/* the outer shared one is
													 * the last, the inner one
													 * is before it */
	int32_t		flows[PADV_SHARED_QUOTAS];	/* numbers of its flows; 0 at a
											 * quota that it is not under */
	PadvUse		uses[PADV_SHARED_QUOTAS];

	/* while waiting */
	uint64_t	arrival;		/* smaller: came earlier */
	uint64_t	rank;			/* smaller: is served earlier */
	int32_t		queue_previous; /* neighbours in the whole queue */
	int32_t		queue_next;
	int32_t		party_previous; /* neighbours in the party; the leader has no
								 * previous one */
	int32_t		party_next;

	/* of a party's leader */
	int32_t		at;				/* the full quota where the party is linked;
								 * after a grant, where it was linked last */
	int32_t		moves;			/* how often it has moved to another quota */
	int32_t		party_last;
	int32_t		party_size;
	int32_t		newest_last;	/* the last member of the class NEWEST;
								 * PADV_NONE */
	int32_t		ring_previous;	/* other leaders at the quota */
	int32_t		ring_next;
	int32_t		bucket_next;
	int32_t		heap_up;		/* in the heap of the quota */
	int32_t		heap_left;
	int32_t		heap_right;
	int32_t		heap_rank;
} PadvRequest;

/* A quota that flows share. */
typedef struct PadvShared
{
	int32_t		quota;			/* its number; PADV_NONE */
	int32_t		nflows;			/* flows with requests linked there */
	int64_t		contended_since;	/* since when requests are linked there */
	double		time;			/* its virtual time */
} PadvShared;

typedef struct PadvWaitQueueHead
{
	uint64_t	arrivals;		/* requests enqueued so far */
	int32_t		waiting;		/* requests in the queue */
	int32_t		first;			/* in the order of arrival */
	int32_t		last;
	int32_t		nquotas;		/* also the number of hash chains */
	int32_t		unsettled;		/* quotas that may have room for a waiter; see
								 * padv_queue_settle */
	int32_t		unsettled_first;
	int32_t		unsettled_last;
	uint32_t	releases;		/* granted requests released so far */
	PadvShared	shared[PADV_SHARED_QUOTAS];
	int64_t		now;			/* the time of the caller, microseconds */
	uint64_t	steps;			/* work done so far, for the tests */
} PadvWaitQueueHead;

/* The parts of a queue; the caller owns the memory. */
typedef struct PadvWaitQueue
{
	PadvWaitQueueHead *head;
	char	   *quotas;			/* array of elements that begin with a
								 * PadvQuota; the rest is the caller's */
	size_t		quota_size;		/* bytes of an element */
	char	   *requests;		/* PadvRequests, likewise */
	size_t		request_size;
	char	   *flows[PADV_SHARED_QUOTAS];	/* PadvFlows, likewise, as many as
											 * quotas; NULL without a shared
											 * quota */
	size_t		flow_size;
} PadvWaitQueue;

static inline PadvQuota *
padv_queue_quota(const PadvWaitQueue *queue, int number)
{
	return (PadvQuota *) (queue->quotas + (size_t) number * queue->quota_size);
}

/* The request with this index. */
static inline PadvRequest *
padv_queue_request(const PadvWaitQueue *queue, int number)
{
	return (PadvRequest *) (queue->requests + (size_t) number * queue->request_size);
}

static inline PadvFlow *
padv_queue_flow(const PadvWaitQueue *queue, PadvSharedQuota which, int number)
{
	return (PadvFlow *) (queue->flows[which] + (size_t) number * queue->flow_size);
}

/*
 * Set the time, in microseconds, before a call that grants or releases requests under
 * a shared quota.  It never goes back.
 */
static inline void
padv_queue_set_time(PadvWaitQueue *queue, int64_t now)
{
	if (now > queue->head->now)
		queue->head->now = now;
}

/*
 * Initialize head, quotas, requests and flows: no request is granted or waits, no quota
 * has a limit, none is shared, and flows have the weight 1.
 */
extern void padv_queue_init(PadvWaitQueue *queue, int nquotas, int nrequests);

/*
 * The number of the first quota that an unused request would have to wait for, or
 * PADV_NONE.  That is a quota without room, or one where a request is linked already.
 */
extern int	padv_queue_first_full(const PadvWaitQueue *queue, const PadvRequest *request);

/*
 * Grant an unused request, whether there is room or not.  The caller has written its
 * quotas.
 */
extern void padv_queue_acquire(PadvWaitQueue *queue, PadvRequest *request);

/*
 * Enqueue an unused request for which there is no room.  It is served last, or before
 * the others if all quotas that it has to wait for serve the newest first.  Returns
 * whether it is served before the others.
 */
extern bool padv_queue_enqueue(PadvWaitQueue *queue, PadvRequest *request);

/*
 * Set whether new waiters are served first at this quota.  Requests that wait already
 * keep their rank.  One in so many grants there goes to the oldest waiter of a party,
 * of each party in turn, so that no waiter starves.
 */
#define PADV_NEWEST_FOR_ONE_OLDEST 16
extern void padv_queue_set_newest_first(PadvWaitQueue *queue, int number, bool newest_first);

/*
 * Let the flows share this quota from now on.  It has no request yet, and in the quotas
 * of requests it stands where PadvRequest says.  There a flow is set to serve its newest
 * first, and not the quota.
 *
 * Requests that are under the inner one are of one flow at the outer one.
 */
extern void padv_queue_set_shared(PadvWaitQueue *queue, PadvSharedQuota which, int number);

/*
 * Set the weight and the minimum of a flow.  A flow of which no request is in use begins
 * anew.
 */
extern void padv_queue_set_flow(PadvWaitQueue *queue, PadvSharedQuota which, int flow,
								int32_t weight, int32_t min_granted);
extern void padv_queue_set_flow_newest_first(PadvWaitQueue *queue, PadvSharedQuota which, int flow,
											 bool newest_first);

/*
 * Release or dequeue a request.  Waiters that now fit are granted in the order of their
 * ranks; their indexes are returned in `granted`, which has PADV_MAX_REQUEST_QUOTAS
 * elements.  The result is their number.  A request that leaves the queue can make room,
 * too, by its claims.
 *
 * Work that is too much for one call stays unsettled: see padv_queue_settle.
 */
extern int	padv_queue_release(PadvWaitQueue *queue, PadvRequest *request, int32_t *granted);

/* The index of the request that is served next at this quota, or PADV_NONE. */
extern int	padv_queue_first_at(const PadvWaitQueue *queue, int number);

/*
 * Set the limit of one quota, -1 for none.  Grants as many waiters as now fit, up to
 * `max`, returns their indexes in `granted`, and their number.  The rest stays unsettled:
 * with a `max` of 0 all.
 */
extern int	padv_queue_set_limit(PadvWaitQueue *queue, int number, int32_t limit,
								 int32_t *granted, int max);

/*
 * Continue where the last call stopped, because each call does a bounded part of the
 * work.  Granted waiters are returned in `granted`, which has PADV_MAX_REQUEST_QUOTAS
 * elements; the result is their number.  The caller of release, set_limit or settle
 * calls this until padv_queue_is_settled.  It may release its lock between two calls:
 * a request that comes meanwhile is not served before those that wait.
 */
extern int	padv_queue_settle(PadvWaitQueue *queue, int32_t *granted);

/* Grant a waiting request now, whatever the limits say. */
extern void padv_queue_grant(PadvWaitQueue *queue, PadvRequest *request);

/* The number of the full quota at which a waiting request is linked. */
extern int	padv_queue_queued_at(const PadvWaitQueue *queue, const PadvRequest *request);

/*
 * Count all requests again, after limits or quotas have changed.  The caller calls
 * begin, sets the limits of quotas[0..nquotas) and the weights of flows, writes the new
 * quotas and flow of every request that is in use and calls add for it, and then calls
 * finish.  The caller holds its lock all the time.
 *
 * Waiters keep their order, and their claims as far as there is room.  Waiters that now
 * fit are granted; their indexes are returned in `granted`, which has an element for
 * each waiter.  The result is their number.  Nothing is unsettled afterwards.
 */
extern void padv_queue_rebuild_begin(PadvWaitQueue *queue, int nquotas);
extern void padv_queue_rebuild_add(PadvWaitQueue *queue, PadvRequest *request);
extern int	padv_queue_rebuild_finish(PadvWaitQueue *queue, int32_t *granted);

/* The index of a request. */
static inline int
padv_queue_number(const PadvWaitQueue *queue, const PadvRequest *request)
{
	return (int) (((const char *) request - queue->requests) / (ptrdiff_t) queue->request_size);
}

/*
 * Whether nothing is unsettled.  May be called without the lock: a process sees what it
 * has left unsettled itself, and settles only that.
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

/* The number of granted requests, without the claim. */
static inline int32_t
padv_quota_granted(const PadvQuota *quota)
{
	return quota->in_use - (quota->claimant != PADV_NONE);
}

#endif							/* PADV_WAIT_QUEUE_H */
