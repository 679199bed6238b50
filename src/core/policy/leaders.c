/*
 * leaders.c
 *		The leaders of the parties that are linked at a quota.
 *
 * Pure.  Links in their requests make two structures.  The heap has the leader of the
 * lowest rank at its root.  At a shared quota each flow has a heap of its own.  The ring
 * gives the order in which the oldest waiter of each
 * party is preferred.  A change takes a number of steps that grows with the logarithm of
 * the number of leaders.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/policy/leaders.h"
#include "core/policy/shares.h"

/* --- the heap; a leftist one --- */

static int32_t
heap_rank(const PadvWaitQueue *queue, int32_t number)
{
	return number == PADV_NONE ? 0 : padv_queue_request(queue, number)->heap_rank;
}

/* Put the longer branch on the left; false when the rank has not changed. */
static bool
heap_adjust(PadvWaitQueue *queue, PadvRequest *request)
{
	int32_t		before = request->heap_rank;

	if (heap_rank(queue, request->heap_left) < heap_rank(queue, request->heap_right))
	{
		int32_t		left = request->heap_left;

		request->heap_left = request->heap_right;
		request->heap_right = left;
	}
	request->heap_rank = heap_rank(queue, request->heap_right) + 1;
	queue->head->steps++;
	return request->heap_rank != before;
}

/* The depth of the recursion is the sum of the two ranks, which are logarithms. */
static int32_t
heap_merge(PadvWaitQueue *queue, int32_t a, int32_t b)
{
	PadvRequest *root;

	if (a == PADV_NONE || b == PADV_NONE)
		return a == PADV_NONE ? b : a;
	if (padv_queue_request(queue, b)->rank < padv_queue_request(queue, a)->rank)
	{
		int32_t		first = b;

		b = a;
		a = first;
	}
	root = padv_queue_request(queue, a);
	root->heap_right = heap_merge(queue, root->heap_right, b);
	padv_queue_request(queue, root->heap_right)->heap_up = a;
	(void) heap_adjust(queue, root);
	return a;
}

static void
heap_add(PadvWaitQueue *queue, int32_t *top, int32_t number)
{
	PadvRequest *request = padv_queue_request(queue, number);

	request->heap_left = PADV_NONE;
	request->heap_right = PADV_NONE;
	request->heap_rank = 1;
	*top = heap_merge(queue, *top, number);
	padv_queue_request(queue, *top)->heap_up = PADV_NONE;
}

static void
heap_remove(PadvWaitQueue *queue, int32_t *top, int32_t number)
{
	PadvRequest *request = padv_queue_request(queue, number);
	int32_t		rest = heap_merge(queue, request->heap_left, request->heap_right);
	int32_t		up = request->heap_up;

	if (rest != PADV_NONE)
		padv_queue_request(queue, rest)->heap_up = up;
	if (up == PADV_NONE)
		*top = rest;
	else if (padv_queue_request(queue, up)->heap_left == number)
		padv_queue_request(queue, up)->heap_left = rest;
	else
		padv_queue_request(queue, up)->heap_right = rest;
	while (up != PADV_NONE && heap_adjust(queue, padv_queue_request(queue, up)))
		up = padv_queue_request(queue, up)->heap_up;
}

/* --- the ring --- */

/* Add it as the last of the ring. */
static void
ring_add(PadvWaitQueue *queue, PadvQuota *quota, int32_t number)
{
	PadvRequest *request = padv_queue_request(queue, number);
	PadvRequest *next;

	if (quota->ring == PADV_NONE)
	{
		quota->ring = request->ring_previous = request->ring_next = number;
		return;
	}
	next = padv_queue_request(queue, quota->ring);
	request->ring_next = quota->ring;
	request->ring_previous = next->ring_previous;
	padv_queue_request(queue, next->ring_previous)->ring_next = number;
	next->ring_previous = number;
}

static void
ring_remove(PadvWaitQueue *queue, PadvQuota *quota, int32_t number)
{
	PadvRequest *request = padv_queue_request(queue, number);

	padv_queue_request(queue, request->ring_previous)->ring_next = request->ring_next;
	padv_queue_request(queue, request->ring_next)->ring_previous = request->ring_previous;
	if (quota->ring == number)
		quota->ring = request->ring_next == number ? PADV_NONE : request->ring_next;
}

/* --- both --- */

/* The root of the heap that this leader belongs to at the quota. */
static int32_t *
heap_of(const PadvWaitQueue *queue, PadvQuota *quota, int32_t number)
{
	PadvFlow   *flow = padv_flow_at(queue, quota, padv_queue_request(queue, number));

	return flow != NULL ? &flow->first : &quota->first;
}

/* The heap has changed: at a shared quota the flow may belong elsewhere. */
static void
heap_changed(PadvWaitQueue *queue, const PadvQuota *quota, int32_t number)
{
	int			which = padv_shared_number(queue, quota);

	if (which != PADV_NONE)
		padv_flow_changed(queue, which, padv_queue_request(queue, number)->flows[which]);
}

void
padv_leaders_add(PadvWaitQueue *queue, PadvQuota *quota, int32_t number)
{
	heap_add(queue, heap_of(queue, quota, number), number);
	ring_add(queue, quota, number);
	heap_changed(queue, quota, number);
}

void
padv_leaders_remove(PadvWaitQueue *queue, PadvQuota *quota, int32_t number)
{
	heap_remove(queue, heap_of(queue, quota, number), number);
	ring_remove(queue, quota, number);
	heap_changed(queue, quota, number);
}
