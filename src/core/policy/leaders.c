/*
 * leaders.c
 *		The leaders of parties that stand at an account of a line.
 *
 * Pure.  They are in two structures, by links in their places: a heap that has the one
 * of the lowest rank at its root, and a ring in which each has its turn to have
 * the oldest of its party preferred.  What is done to them takes steps by the logarithm
 * of their number.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/policy/leaders.h"

/* --- the heap; a leftist one --- */

static int32_t
heap_rank(const PadvWaitQueue *line, int32_t number)
{
	return number == PADV_NONE ? 0 : padv_queue_request(line, number)->heap_rank;
}

/* The longer branch goes to the left; false when the rank has stayed the same. */
static bool
heap_adjust(PadvWaitQueue *line, PadvRequest *place)
{
	int32_t		before = place->heap_rank;

	if (heap_rank(line, place->heap_left) < heap_rank(line, place->heap_right))
	{
		int32_t		left = place->heap_left;

		place->heap_left = place->heap_right;
		place->heap_right = left;
	}
	place->heap_rank = heap_rank(line, place->heap_right) + 1;
	line->head->steps++;
	return place->heap_rank != before;
}

/* As deep as the two ranks, which are logarithms. */
static int32_t
heap_merge(PadvWaitQueue *line, int32_t a, int32_t b)
{
	PadvRequest *root;

	if (a == PADV_NONE || b == PADV_NONE)
		return a == PADV_NONE ? b : a;
	if (padv_queue_request(line, b)->rank < padv_queue_request(line, a)->rank)
	{
		int32_t		first = b;

		b = a;
		a = first;
	}
	root = padv_queue_request(line, a);
	root->heap_right = heap_merge(line, root->heap_right, b);
	padv_queue_request(line, root->heap_right)->heap_up = a;
	(void) heap_adjust(line, root);
	return a;
}

static void
heap_add(PadvWaitQueue *line, PadvQuota *account, int32_t number)
{
	PadvRequest *place = padv_queue_request(line, number);

	place->heap_left = PADV_NONE;
	place->heap_right = PADV_NONE;
	place->heap_rank = 1;
	account->first = heap_merge(line, account->first, number);
	padv_queue_request(line, account->first)->heap_up = PADV_NONE;
}

static void
heap_remove(PadvWaitQueue *line, PadvQuota *account, int32_t number)
{
	PadvRequest *place = padv_queue_request(line, number);
	int32_t		rest = heap_merge(line, place->heap_left, place->heap_right);
	int32_t		up = place->heap_up;

	if (rest != PADV_NONE)
		padv_queue_request(line, rest)->heap_up = up;
	if (up == PADV_NONE)
		account->first = rest;
	else if (padv_queue_request(line, up)->heap_left == number)
		padv_queue_request(line, up)->heap_left = rest;
	else
		padv_queue_request(line, up)->heap_right = rest;
	while (up != PADV_NONE && heap_adjust(line, padv_queue_request(line, up)))
		up = padv_queue_request(line, up)->heap_up;
}

/* --- the ring --- */

/* The last one to have its turn. */
static void
ring_add(PadvWaitQueue *line, PadvQuota *account, int32_t number)
{
	PadvRequest *place = padv_queue_request(line, number);
	PadvRequest *next;

	if (account->ring == PADV_NONE)
	{
		account->ring = place->ring_previous = place->ring_next = number;
		return;
	}
	next = padv_queue_request(line, account->ring);
	place->ring_next = account->ring;
	place->ring_previous = next->ring_previous;
	padv_queue_request(line, next->ring_previous)->ring_next = number;
	next->ring_previous = number;
}

static void
ring_remove(PadvWaitQueue *line, PadvQuota *account, int32_t number)
{
	PadvRequest *place = padv_queue_request(line, number);

	padv_queue_request(line, place->ring_previous)->ring_next = place->ring_next;
	padv_queue_request(line, place->ring_next)->ring_previous = place->ring_previous;
	if (account->ring == number)
		account->ring = place->ring_next == number ? PADV_NONE : place->ring_next;
}

/* --- both --- */

void
padv_leaders_add(PadvWaitQueue *line, PadvQuota *account, int32_t number)
{
	heap_add(line, account, number);
	ring_add(line, account, number);
}

void
padv_leaders_remove(PadvWaitQueue *line, PadvQuota *account, int32_t number)
{
	heap_remove(line, account, number);
	ring_remove(line, account, number);
}
