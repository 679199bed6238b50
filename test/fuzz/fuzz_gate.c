/*
 * fuzz_gate.c
 *		libFuzzer on the gate: the queue, the lease and the controller.
 *
 * The input is a tape of orders to a queue of few requests, and to a controller and a
 * grace that are shown any figures.  After each order the queue must hold together,
 * nobody may wait who could be in once all is settled, and limits must be within
 * their bounds.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/policy/lease.h"
#include "core/policy/slot_stats.h"
#include "core/policy/wait_queue.h"
#include "core/text/emit.h"
#include "fuzz.h"

#define ACCOUNTS 30
#define PLACES 40
#define MOST_ORDERS 400

static PadvWaitQueueHead head;
static PadvQuota quotas[ACCOUNTS];
static PadvRequest requests[PLACES];
static PadvFlow flows[PADV_SHARED_QUOTAS][ACCOUNTS];
static PadvWaitQueue queue = {&head, (char *) quotas, sizeof(PadvQuota), (char *) requests, sizeof(PadvRequest),
{(char *) flows[PADV_OUTER], (char *) flows[PADV_INNER]}, sizeof(PadvFlow)};

/*
 * The last quotas are shared by flows, in some of the runs.  Requests under the inner one
 * are of one flow at the outer one.
 */
#define SHARED (ACCOUNTS - 1)
#define INNER (ACCOUNTS - 2)
#define FLOWS 7
#define INNER_FLOW FLOWS

/* --- the queue ------------------------------------------------------------- */

static bool
is_under(const PadvRequest *request, int quota)
{
	for (int i = 0; i < request->nquotas; i++)
		if (request->quotas[i] == quota)
			return true;
	return false;
}

/* Those who lead at a quota, below a root of its heap, and all who follow them. */
static int
check_heap(int root, int up, int quota)
{
	int			previous = PADV_NONE;
	int			count = 0;

	if (root == PADV_NONE)
		return 0;
	must(requests[root].heap_up == up && requests[root].at == quota && is_under(&requests[root], quota));
	must(up == PADV_NONE || requests[up].rank < requests[root].rank);
	for (int p = root; p != PADV_NONE; previous = p, p = requests[p].party_next, count++)
	{
		must(count < PLACES && requests[p].state == PADV_REQUEST_WAITING);
		must(requests[p].party_previous == previous && padv_queue_queued_at(&queue, &requests[p]) == quota);
		must(previous == PADV_NONE || requests[previous].rank < requests[p].rank);
	}
	must(requests[root].party_last == previous && requests[root].party_size == count);
	return count + check_heap(requests[root].heap_left, root, quota) +
		check_heap(requests[root].heap_right, root, quota);
}

/* A claimant waits elsewhere, and came before those who stand here. */
static void
check_claim(int number)
{
	const PadvQuota *quota = &quotas[number];

	if (quota->claimant == PADV_NONE)
		return;
	must(requests[quota->claimant].state == PADV_REQUEST_WAITING && is_under(&requests[quota->claimant], number));
	must(padv_queue_queued_at(&queue, &requests[quota->claimant]) != number);
	must(quota->first == PADV_NONE || requests[quota->first].rank > requests[quota->claimant].rank);
}

/* All who stand at a shared quota: each flow has its heap, and its place. */
static int
check_flows(int which)
{
	const PadvFlow *all = flows[which];
	int			quota = head.shared[which].quota;
	int			count = 0;
	int			places = 0;

	for (int f = 0; f < ACCOUNTS; f++)
	{
		int			linked = check_heap(all[f].first, PADV_NONE, quota);

		must(linked == all[f].linked && (linked > 0) == (all[f].place != PADV_NONE));
		must(linked == 0 || (requests[all[f].first].flows[which] == f && all[all[f].place].at_place == f));
		count += linked;
		places += linked > 0;
	}
	must(places == head.shared[which].nflows && quotas[quota].claimant == PADV_NONE);
	must(quotas[quota].first == (places == 0 ? PADV_NONE : all[all[0].at_place].first));
	return count;
}

static int
check_heaps(int quota)
{
	for (int which = 0; which < PADV_SHARED_QUOTAS; which++)
		if (quota == head.shared[which].quota)
			return check_flows(which);
	return check_heap(quotas[quota].first, PADV_NONE, quota);
}

/* A request that waits stands at a full quota of its own. */
static void
check_standing(void)
{
	int			linked = 0;

	for (int i = 0; i < ACCOUNTS; i++)
	{
		must(check_heaps(i) == quotas[i].linked);
		must(quotas[i].linked == 0 || !padv_quota_has_room(&quotas[i]) || quotas[i].unsettled);
		check_claim(i);
		linked += quotas[i].linked;
	}
	must(linked == head.waiting);
}

static void
check_line(void)
{
	int			count = 0;
	int			previous = PADV_NONE;

	for (int i = 0; i < ACCOUNTS; i++)
	{
		int			in_use = 0;
		int			waiting = 0;

		for (int p = 0; p < PLACES; p++)
		{
			in_use += requests[p].state == PADV_REQUEST_GRANTED && is_under(&requests[p], i);
			waiting += requests[p].state == PADV_REQUEST_WAITING && is_under(&requests[p], i);
		}
		must(padv_quota_granted(&quotas[i]) == in_use && quotas[i].waiting == waiting);
	}
	for (int p = head.first; p != PADV_NONE; previous = p, p = requests[p].queue_next, count++)
	{
		must(count < PLACES && requests[p].state == PADV_REQUEST_WAITING);
		must(requests[p].queue_previous == previous);
		must(previous == PADV_NONE || requests[previous].arrival < requests[p].arrival);
	}
	must(head.last == previous && head.waiting == count);
	check_standing();
}

/* From none to as many as a request can have, each once. */
static void
take_accounts(Tape *tape, PadvRequest *request)
{
	int			count = take_byte(tape) % (PADV_MAX_REQUEST_QUOTAS + 1);
	int			first = take_byte(tape);
	int			step = 1 + 6 * (take_byte(tape) % 4);	/* has no factor of ACCOUNTS */

	request->nquotas = 0;
	request->flows[PADV_OUTER] = request->flows[PADV_INNER] = 0;
	for (int i = 0; i < count && request->nquotas < PADV_MAX_REQUEST_QUOTAS - PADV_SHARED_QUOTAS; i++)
		if ((first + i * step) % ACCOUNTS < INNER || head.shared[PADV_OUTER].quota == PADV_NONE)
			request->quotas[request->nquotas++] = (first + i * step) % ACCOUNTS;
	if (head.shared[PADV_OUTER].quota == PADV_NONE || take_byte(tape) % 8 == 0)
		return;
	request->flows[PADV_OUTER] = take_byte(tape) % FLOWS;
	if (take_byte(tape) % 2)
	{
		request->quotas[request->nquotas++] = INNER;
		request->flows[PADV_INNER] = request->flows[PADV_OUTER];
		request->flows[PADV_OUTER] = INNER_FLOW;
	}
	request->quotas[request->nquotas++] = SHARED;
}

static void
check_entered(const int32_t *granted, int count, int most)
{
	must(count >= 0 && count <= most);
	for (int i = 0; i < count; i++)
		must(granted[i] >= 0 && granted[i] < PLACES && requests[granted[i]].state == PADV_REQUEST_GRANTED);
}

/* One more than asked for must not be in unless it goes on from suspension. */
static void
come_or_go(Tape *tape, bool force)
{
	PadvRequest  *request = &requests[take_byte(tape) % PLACES];
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];

	padv_queue_set_time(&queue, head.now + (int64_t) take_bits(tape, 2));
	if (request->state != PADV_REQUEST_NONE)
	{
		int			count = padv_queue_release(&queue, request, granted);

		check_entered(granted, count, PADV_MAX_REQUEST_QUOTAS);
		must(request->state == PADV_REQUEST_NONE);
		return;
	}
	take_accounts(tape, request);
	if (force || padv_queue_first_full(&queue, request) == PADV_NONE)
		padv_queue_acquire(&queue, request);
	else
		padv_queue_enqueue(&queue, request);
}

static int32_t
take_limit(Tape *tape)
{
	return (int32_t) (take_byte(tape) % 8) - 1;
}

static void
change_limit(Tape *tape)
{
	int			quota = take_byte(tape) % ACCOUNTS;
	int32_t		limit = take_limit(tape);
	int			room = 1 + take_byte(tape) % 4;
	int32_t		granted[4];
	int			count;

	count = padv_queue_set_limit(&queue, quota, limit, granted, room);
	check_entered(granted, count, room);
	must(limit < 0 || quotas[quota].claimant == PADV_NONE || quotas[quota].in_use <= limit ||
		 padv_quota_granted(&quotas[quota]) >= limit);
}

/* Some of what is unsettled, or all of it. */
static void
settle(bool all)
{
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];
	int			calls = 0;

	do
	{
		check_entered(granted, padv_queue_settle(&queue, granted), PADV_MAX_REQUEST_QUOTAS);
		must(calls++ < 10 * PLACES);
	} while (all && !padv_queue_is_settled(&queue));
}

static void
grant(Tape *tape)
{
	PadvRequest  *request = &requests[take_byte(tape) % PLACES];

	if (request->state != PADV_REQUEST_WAITING)
		return;
	padv_queue_grant(&queue, request);
	must(request->state == PADV_REQUEST_GRANTED);
}

static void
recount(Tape *tape)
{
	int32_t		granted[PLACES];
	int			waited = head.waiting;
	int			count;

	padv_queue_rebuild_begin(&queue, ACCOUNTS);
	for (int i = 0; i < ACCOUNTS; i++)
		quotas[i].limit = take_limit(tape);
	for (int i = 0; head.shared[PADV_OUTER].quota != PADV_NONE && i <= INNER_FLOW; i++)
		for (int which = 0; which < PADV_SHARED_QUOTAS; which++)
			padv_queue_set_flow(&queue, which, i, 1 + take_byte(tape), take_byte(tape) % 4);
	for (int i = 0; i < PLACES; i++)
	{
		if (requests[i].state != PADV_REQUEST_NONE && take_byte(tape) % 2)
			take_accounts(tape, &requests[i]);
		padv_queue_rebuild_add(&queue, &requests[i]);
	}
	count = padv_queue_rebuild_finish(&queue, granted);
	check_entered(granted, count, waited);
	must(padv_queue_is_settled(&queue));
}

/* --- the lease and the controller ----------------------------------------- */

static void
look(Tape *tape, PadvControl *control, PadvRetain *grace, PadvControlInput *input)
{
	uint8_t		kind = take_byte(tape);
	int32_t		limit;
	PadvSlotStats	gate = {.setting = PADV_SERVER_MAX_ACTIVE_AUTO};
	char		text[PADV_SENTENCE];

	input->clock_us += (int64_t) take_bits(tape, kind & 1 ? 3 : 5);
	input->transactions += (double) take_bits(tape, 2);
	if (kind >= 250)			/* any count, a smaller one too */
		input->transactions = (double) take_bits(tape, 8);
	input->waited_share = (double) (take_byte(tape) | (kind & 2 ? 0xE0 : 0)) / 255.0;
	input->taken = (int32_t) take_bits(tape, 2);
	input->working = (int32_t) take_bits(tape, kind & 8 ? 1 : 4);
	input->waiting = (int32_t) take_bits(tape, kind & 8 ? 1 : 4);
	input->known = (int32_t) take_bits(tape, 1);
	if (kind % 16 == 4)
	{
		input->lowest = 1 + (int32_t) (take_bits(tape, 3) % 262143);
		input->highest = input->lowest + (int32_t) (take_bits(tape, 3) % 262143);
	}
	if (control->state == PADV_CONTROL_OFF || kind == 8)
		padv_control_start(control, (int32_t) take_bits(tape, 4), input);
	limit = padv_control_look(control, input);
	must(limit >= input->lowest && limit <= input->highest);
	must(limit == padv_control_limit(control) && control->state != PADV_CONTROL_OFF);

	gate.limit = limit;
	padv_slot_stats_explain(&gate, control, text, sizeof(text));
	must(strlen(text) < sizeof(text) - 1 && strstr(text, "nan") == NULL && strstr(text, "inf") == NULL);
	must(padv_slot_stats_state(&gate, control) != NULL);

	padv_retain_update(grace, kind & 4 ? take_double(tape) : (double) kind / 255.0, limit, input->clock_us);
	must(grace->us >= PADV_RETAIN_US && grace->us <= 10000);
}

static void
check_lease(Tape *tape)
{
	int64_t		lease = padv_lease_us((int32_t) take_bits(tape, 4), (int32_t) (take_bits(tape, 4) >> 1));

	must(lease >= 5000 && lease <= 20000);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Tape		tape = {data, size};
	PadvControl control = {0};
	PadvRetain	grace;
	PadvControlInput input = {.clock_us = 1000000, .lowest = 1, .highest = 100};

	padv_queue_init(&queue, ACCOUNTS, PLACES);
	if (take_byte(&tape) % 2)
	{
		padv_queue_set_shared(&queue, PADV_OUTER, SHARED);
		padv_queue_set_shared(&queue, PADV_INNER, INNER);
	}
	padv_retain_init(&grace);
	for (int i = 0; i < ACCOUNTS; i++)
		quotas[i].limit = take_limit(&tape);
	for (int i = 0; i < MOST_ORDERS && tape.left > 0; i++)
	{
		switch (take_byte(&tape) % 16)
		{
			case 0:
				recount(&tape);
				break;
			case 1:
			case 2:
				change_limit(&tape);
				break;
			case 3:
				come_or_go(&tape, true);
				break;
			case 4:
				check_lease(&tape);
				break;
			case 5:
			case 6:
			case 7:
			case 8:
				look(&tape, &control, &grace, &input);
				break;
			case 9:
				grant(&tape);
				break;
			case 10:
				if (take_byte(&tape) % 4 == 0)
				{
					padv_queue_set_newest_first(&queue, take_byte(&tape) % ACCOUNTS, take_byte(&tape) % 2);
					padv_queue_set_flow_newest_first(&queue, PADV_OUTER, take_byte(&tape) % FLOWS, take_byte(&tape) % 2);
				}
				else
					settle(false);
				break;
			default:
				come_or_go(&tape, false);
				break;
		}
		check_line();
		if (tape.left % 4 > 0)	/* others come between two calls */
		{
			settle(true);
			check_line();
		}
	}
	return 0;
}
