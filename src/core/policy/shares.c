/*
 * shares.c
 *		Flows: who goes next at a quota that several share by weight.
 *
 * Pure; the caller holds its lock around each call.  The work of a call is bounded by a
 * constant times the logarithm of the number of flows.
 *
 * Each request belongs to a flow, for example that of its role.  The flows with requests
 * linked at a shared quota share it by their weights, as in start-time fair queueing
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
 * There are two shared quotas, each with flows and a time of its own.
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
flow_at(const PadvWaitQueue *queue, PadvSharedQuota which, int place)
{
	return padv_queue_flow(queue, which, padv_queue_flow(queue, which, place)->at_place);
}

void
padv_shares_clear(PadvWaitQueue *queue, int nflows)
{
	for (int which = 0; which < PADV_SHARED_QUOTAS; which++)
	{
		queue->head->shared[which].nflows = 0;
		for (int i = 0; i < nflows && queue->flows[which] != NULL; i++)
		{
			PadvFlow   *flow = padv_queue_flow(queue, which, i);

			flow->granted = 0;
			flow->linked = 0;
			flow->first = PADV_NONE;
			flow->place = PADV_NONE;
			padv_flow_begin(queue, which, i);
		}
	}
}

void
padv_flow_begin(PadvWaitQueue *queue, PadvSharedQuota which, int number)
{
	PadvFlow   *flow = padv_queue_flow(queue, which, number);

	flow->newest_first = 0;
	flow->time = queue->head->shared[which].time;
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
time_of(const PadvShared *shared, const PadvFlow *flow)
{
	double		least = shared->time - advance_of(flow);

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
padv_goes_first(const PadvWaitQueue *queue, PadvSharedQuota which, const PadvRequest *request)
{
	const PadvShared *shared = &queue->head->shared[which];
	const PadvFlow *mine = padv_queue_flow(queue, which, request->flows[which]);
	const PadvFlow *next;

	if (shared->nflows == 0)
		return true;
	next = flow_at(queue, which, 0);
	if (mine->first != PADV_NONE && padv_queue_request(queue, mine->first)->rank < request->rank)
		return false;
	return next == mine ||
		!goes_before(next, next->time, padv_queue_request(queue, next->first)->rank,
					 mine, mine->first != PADV_NONE ? mine->time : time_of(shared, mine), request->rank);
}

/* --- the heap --- */

static void
set_place(PadvWaitQueue *queue, PadvSharedQuota which, int place, int number)
{
	padv_queue_flow(queue, which, place)->at_place = number;
	padv_queue_flow(queue, which, number)->place = place;
	queue->head->steps++;
}

/* Exchange the flows at two places if the one below goes before; returns whether it did. */
static bool
exchange(PadvWaitQueue *queue, PadvSharedQuota which, int above, int below)
{
	int			upper = padv_queue_flow(queue, which, above)->at_place;
	int			lower = padv_queue_flow(queue, which, below)->at_place;

	if (!flow_goes_before(queue, padv_queue_flow(queue, which, lower), padv_queue_flow(queue, which, upper)))
		return false;
	set_place(queue, which, above, lower);
	set_place(queue, which, below, upper);
	return true;
}

static void
move_up(PadvWaitQueue *queue, PadvSharedQuota which, int place)
{
	while (place > 0 && exchange(queue, which, (place - 1) / 2, place))
		place = (place - 1) / 2;
}

static void
move_down(PadvWaitQueue *queue, PadvSharedQuota which, int place)
{
	int			nflows = queue->head->shared[which].nflows;

	for (;;)
	{
		int			below = 2 * place + 1;

		if (below >= nflows)
			return;
		if (below + 1 < nflows && flow_goes_before(queue, flow_at(queue, which, below + 1), flow_at(queue, which, below)))
			below++;
		if (!exchange(queue, which, place, below))
			return;
		place = below;
	}
}

static void
add_flow(PadvWaitQueue *queue, PadvSharedQuota which, int number)
{
	PadvShared *shared = &queue->head->shared[which];
	PadvFlow   *flow = padv_queue_flow(queue, which, number);

	if (shared->nflows == 0)
		shared->contended_since = queue->head->now;
	flow->time = time_of(shared, flow);
	set_place(queue, which, shared->nflows++, number);
	move_up(queue, which, flow->place);
}

/* Its first leader has gone already, so it is not compared any more. */
static void
remove_flow(PadvWaitQueue *queue, PadvSharedQuota which, PadvFlow *flow)
{
	int			place = flow->place;
	int			last = --queue->head->shared[which].nflows;

	flow->place = PADV_NONE;
	if (place == last)
		return;
	set_place(queue, which, place, padv_queue_flow(queue, which, last)->at_place);
	move_up(queue, which, place);
	move_down(queue, which, place);
}

void
padv_flow_changed(PadvWaitQueue *queue, PadvSharedQuota which, int number)
{
	const PadvShared *shared = &queue->head->shared[which];
	PadvFlow   *flow = padv_queue_flow(queue, which, number);

	if (flow->place == PADV_NONE)
	{
		if (flow->first == PADV_NONE)
			return;
		add_flow(queue, which, number);
	}
	else if (flow->first == PADV_NONE)
		remove_flow(queue, which, flow);
	else
	{
		move_up(queue, which, flow->place);
		move_down(queue, which, flow->place);
	}
	padv_queue_quota(queue, shared->quota)->first =
		shared->nflows == 0 ? PADV_NONE : flow_at(queue, which, 0)->first;
}

/* --- charging --- */

/*
 * The virtual time of the quota follows that of the flow that goes next.  It does not
 * follow a flow that goes next because of its minimum while other flows wait.
 */
static void
advance_time(PadvShared *shared, const PadvFlow *flow)
{
	bool		alone = shared->nflows == (flow->place != PADV_NONE);

	if ((!is_below_minimum(flow) || alone) && flow->time > shared->time)
		shared->time = flow->time;
}

static void
charge(const PadvShared *shared, PadvFlow *flow, double use)
{
	flow->time += use;
	if (flow->time > shared->time + MAX_LAG)
		flow->time = shared->time + MAX_LAG;
}

static void
begin_use(PadvWaitQueue *queue, PadvSharedQuota which, PadvRequest *request, bool after_wait)
{
	PadvShared *shared = &queue->head->shared[which];
	PadvFlow   *flow = padv_queue_flow(queue, which, request->flows[which]);
	PadvUse    *use = &request->uses[which];

	use->since = queue->head->now;
	use->charged = 0.0;
	if (after_wait)
	{
		advance_time(shared, flow);
		use->charged = flow->mean_use;
		charge(shared, flow, use->charged / (double) flow->weight);
	}
	flow->granted++;
	padv_flow_changed(queue, which, request->flows[which]);
}

static void
end_use(PadvWaitQueue *queue, PadvSharedQuota which, PadvRequest *request)
{
	const PadvShared *shared = &queue->head->shared[which];
	PadvFlow   *flow = padv_queue_flow(queue, which, request->flows[which]);
	PadvUse    *use = &request->uses[which];
	bool		since_before = use->since < shared->contended_since;
	double		used = (double) (queue->head->now - (since_before ? shared->contended_since : use->since));

	/* time while no request waited here is not charged */
	if (shared->nflows == 0 && used > use->charged)
		used = use->charged;
	charge(shared, flow, (used - use->charged) / (double) flow->weight);
	if (use->charged > 0.0 && !since_before && shared->nflows > 0)
		flow->mean_use += (used - flow->mean_use) * MEAN_STEP;
	flow->granted--;
	padv_flow_changed(queue, which, request->flows[which]);
}

/* Whether the request is under this shared quota; PadvRequest says where it stands. */
static bool
has_share(const PadvWaitQueue *queue, PadvSharedQuota which, const PadvRequest *request)
{
	int32_t		quota = queue->head->shared[which].quota;
	int			at = request->nquotas - 1 - (int) which;

	return quota != PADV_NONE && at >= 0 && request->quotas[at] == quota;
}

void
padv_shares_begin(PadvWaitQueue *queue, PadvRequest *request, bool after_wait)
{
	for (int which = 0; which < PADV_SHARED_QUOTAS; which++)
		if (has_share(queue, which, request))
			begin_use(queue, which, request, after_wait);
}

void
padv_shares_end(PadvWaitQueue *queue, PadvRequest *request)
{
	for (int which = 0; which < PADV_SHARED_QUOTAS; which++)
		if (has_share(queue, which, request))
			end_use(queue, which, request);
}
