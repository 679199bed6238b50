/*
 * shares.c
 *		Flows: who goes next at a quota that several share by weight.
 *
 * Pure; the caller holds its lock around each call.  The work of a call is bounded by a
 * constant times the logarithm of the number of flows.
 *
 * Each request belongs to a flow, for example that of its role.  The flows with requests
 * linked at the shared quota share it by their weights, as in start-time fair queueing
 * (Goyal, Vin and Cheng 1996).  Each flow has a virtual time: the time that its requests
 * have used the quota, divided by its weight.  The flow with the least virtual time goes
 * next.  How long a request will use the quota is not known when it is granted.  So the
 * flow is charged the mean of its last ones at first, and the difference at the end.
 *
 * A flow that has granted fewer requests than its minimum goes before all others.
 *
 * What a flow does not use goes to the others, and is not kept for it: a flow that comes
 * back begins at the virtual time of the quota, that of the last flow that went next.  It
 * keeps only what it has been charged in advance, because that may be too much.  Nor does
 * a flow pay for long for what it has used: it is never more than MAX_LAG behind.
 *
 * Only the time while requests wait at the quota is charged, because before that a flow
 * takes nothing from others.
 *
 * Flows that wait form a binary heap.  Its places are in the array of the flows itself.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/policy/shares.h"

/* A flow pays at most so much for what it has used, in microseconds of virtual time. */
#define MAX_LAG 60e6

/* The mean use of a flow that has not used the quota yet, in microseconds. */
#define FIRST_USE 1000.0

/* Each use moves the mean by this part of the difference. */
#define MEAN_STEP (1.0 / 8.0)

static PadvFlow *
flow_at(const PadvWaitQueue *queue, int place)
{
	return padv_queue_flow(queue, padv_queue_flow(queue, place)->at_place);
}

void
padv_shares_clear(PadvWaitQueue *queue, int nflows)
{
	queue->head->nflows = 0;
	for (int i = 0; i < nflows && queue->flows != NULL; i++)
	{
		PadvFlow   *flow = padv_queue_flow(queue, i);

		flow->granted = 0;
		flow->linked = 0;
		flow->first = PADV_NONE;
		flow->place = PADV_NONE;
		padv_flow_begin(queue, i);
	}
}

void
padv_flow_begin(PadvWaitQueue *queue, int number)
{
	PadvFlow   *flow = padv_queue_flow(queue, number);

	flow->newest_first = 0;
	flow->time = queue->head->time;
	flow->mean_use = FIRST_USE;
}

/* --- the order --- */

/* What a flow has been charged in advance at most, in virtual time. */
static double
advance_of(const PadvFlow *flow)
{
	return (double) (flow->granted + 1) * flow->mean_use / (double) flow->weight;
}

/* The virtual time that counts: at least that of the quota, but for the advance. */
static double
time_of(const PadvWaitQueue *queue, const PadvFlow *flow)
{
	double		least = queue->head->time - advance_of(flow);

	return flow->time < least ? least : flow->time;
}

static bool
is_below_minimum(const PadvFlow *flow)
{
	return flow->granted < flow->min_granted;
}

/* Whether flow a goes before flow b, where the first request of each has this rank. */
static bool
goes_before(const PadvFlow *a, double a_time, uint64_t a_rank, const PadvFlow *b, double b_time, uint64_t b_rank)
{
	if (is_below_minimum(a) != is_below_minimum(b))
		return is_below_minimum(a);
	if (a_time < b_time || a_time > b_time)
		return a_time < b_time;
	return a_rank < b_rank;
}

static bool
flow_goes_before(const PadvWaitQueue *queue, const PadvFlow *a, const PadvFlow *b)
{
	return goes_before(a, a->time, padv_queue_request(queue, a->first)->rank,
					   b, b->time, padv_queue_request(queue, b->first)->rank);
}

bool
padv_goes_first(const PadvWaitQueue *queue, const PadvRequest *request)
{
	const PadvFlow *mine = padv_queue_flow(queue, request->flow);
	const PadvFlow *next;

	if (queue->head->nflows == 0)
		return true;
	next = flow_at(queue, 0);
	if (mine->first != PADV_NONE && padv_queue_request(queue, mine->first)->rank < request->rank)
		return false;
	return next == mine ||
		!goes_before(next, next->time, padv_queue_request(queue, next->first)->rank,
					 mine, mine->first != PADV_NONE ? mine->time : time_of(queue, mine), request->rank);
}

/* --- the heap --- */

static void
set_place(PadvWaitQueue *queue, int place, int number)
{
	padv_queue_flow(queue, place)->at_place = number;
	padv_queue_flow(queue, number)->place = place;
	queue->head->steps++;
}

/* Exchange the flows at two places if the one below goes before; returns whether it did. */
static bool
exchange(PadvWaitQueue *queue, int above, int below)
{
	int			upper = padv_queue_flow(queue, above)->at_place;
	int			lower = padv_queue_flow(queue, below)->at_place;

	if (!flow_goes_before(queue, padv_queue_flow(queue, lower), padv_queue_flow(queue, upper)))
		return false;
	set_place(queue, above, lower);
	set_place(queue, below, upper);
	return true;
}

static void
move_up(PadvWaitQueue *queue, int place)
{
	while (place > 0 && exchange(queue, (place - 1) / 2, place))
		place = (place - 1) / 2;
}

static void
move_down(PadvWaitQueue *queue, int place)
{
	int			nflows = queue->head->nflows;

	for (;;)
	{
		int			below = 2 * place + 1;

		if (below >= nflows)
			return;
		if (below + 1 < nflows && flow_goes_before(queue, flow_at(queue, below + 1), flow_at(queue, below)))
			below++;
		if (!exchange(queue, place, below))
			return;
		place = below;
	}
}

static void
add_flow(PadvWaitQueue *queue, int number)
{
	PadvWaitQueueHead *head = queue->head;
	PadvFlow   *flow = padv_queue_flow(queue, number);

	if (head->nflows == 0)
		head->contended_since = head->now;
	flow->time = time_of(queue, flow);
	set_place(queue, head->nflows++, number);
	move_up(queue, flow->place);
}

/* Its first leader has gone already, so it is not compared any more. */
static void
remove_flow(PadvWaitQueue *queue, PadvFlow *flow)
{
	int			place = flow->place;
	int			last = --queue->head->nflows;

	flow->place = PADV_NONE;
	if (place == last)
		return;
	set_place(queue, place, padv_queue_flow(queue, last)->at_place);
	move_up(queue, place);
	move_down(queue, place);
}

void
padv_flow_changed(PadvWaitQueue *queue, int number)
{
	PadvFlow   *flow = padv_queue_flow(queue, number);

	if (flow->place == PADV_NONE)
	{
		if (flow->first == PADV_NONE)
			return;
		add_flow(queue, number);
	}
	else if (flow->first == PADV_NONE)
		remove_flow(queue, flow);
	else
	{
		move_up(queue, flow->place);
		move_down(queue, flow->place);
	}
	padv_queue_quota(queue, queue->head->shared)->first =
		queue->head->nflows == 0 ? PADV_NONE : flow_at(queue, 0)->first;
}

/* --- charging --- */

/*
 * The virtual time of the quota follows that of the flow that goes next.  It does not
 * follow a flow that goes next because of its minimum while other flows wait.
 */
static void
advance_time(PadvWaitQueue *queue, const PadvFlow *flow)
{
	bool		alone = queue->head->nflows == (flow->place != PADV_NONE);

	if ((!is_below_minimum(flow) || alone) && flow->time > queue->head->time)
		queue->head->time = flow->time;
}

static void
charge(PadvWaitQueue *queue, PadvFlow *flow, double use)
{
	flow->time += use;
	if (flow->time > queue->head->time + MAX_LAG)
		flow->time = queue->head->time + MAX_LAG;
}

void
padv_share_begin(PadvWaitQueue *queue, PadvRequest *request, bool after_wait)
{
	PadvFlow   *flow = padv_queue_flow(queue, request->flow);

	request->used_since = queue->head->now;
	request->charged = 0.0;
	if (after_wait)
	{
		advance_time(queue, flow);
		request->charged = flow->mean_use;
		charge(queue, flow, request->charged / (double) flow->weight);
	}
	flow->granted++;
	padv_flow_changed(queue, request->flow);
}

void
padv_share_end(PadvWaitQueue *queue, PadvRequest *request)
{
	const PadvWaitQueueHead *head = queue->head;
	PadvFlow   *flow = padv_queue_flow(queue, request->flow);
	bool		since_before = request->used_since < head->contended_since;
	double		use = (double) (head->now - (since_before ? head->contended_since : request->used_since));

	/* time while no request waited here is not charged */
	if (head->nflows == 0 && use > request->charged)
		use = request->charged;
	charge(queue, flow, (use - request->charged) / (double) flow->weight);
	if (request->charged > 0.0 && !since_before && head->nflows > 0)
		flow->mean_use += (use - flow->mean_use) * MEAN_STEP;
	flow->granted--;
	padv_flow_changed(queue, request->flow);
}
