/*
 * fuzz_gate.c
 *		libFuzzer on the gate: the line, the lease and the controller.
 *
 * The input is a tape of orders to a line of few places, and to a controller and a
 * grace that are shown any figures.  After each order the line must hold together,
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

static PadvLineHead head;
static PadvAccount accounts[ACCOUNTS];
static PadvPlace places[PLACES];
static PadvLine line = {&head, (char *) accounts, sizeof(PadvAccount), (char *) places, sizeof(PadvPlace)};

/* --- the line ------------------------------------------------------------- */

static bool
is_under(const PadvPlace *place, int account)
{
	for (int i = 0; i < place->naccounts; i++)
		if (place->accounts[i] == account)
			return true;
	return false;
}

/* Those who lead at an account, below a root of its heap, and all who follow them. */
static int
check_heap(int root, int up, int account)
{
	int			previous = PADV_NOBODY;
	int			count = 0;

	if (root == PADV_NOBODY)
		return 0;
	must(places[root].heap_up == up && places[root].at == account && is_under(&places[root], account));
	must(up == PADV_NOBODY || places[up].arrival < places[root].arrival);
	for (int p = root; p != PADV_NOBODY; previous = p, p = places[p].party_next, count++)
	{
		must(count < PLACES && places[p].state == PADV_PLACE_WAITING);
		must(places[p].party_previous == previous && padv_line_standing_at(&line, &places[p]) == account);
		must(previous == PADV_NOBODY || places[previous].arrival < places[p].arrival);
	}
	must(places[root].party_last == previous && places[root].party_size == count);
	return count + check_heap(places[root].heap_left, root, account) +
		check_heap(places[root].heap_right, root, account);
}

/* A claimant waits elsewhere, and came before those who stand here. */
static void
check_claim(int number)
{
	const PadvAccount *account = &accounts[number];

	if (account->claimant == PADV_NOBODY)
		return;
	must(places[account->claimant].state == PADV_PLACE_WAITING && is_under(&places[account->claimant], number));
	must(padv_line_standing_at(&line, &places[account->claimant]) != number);
	must(account->first == PADV_NOBODY || places[account->first].arrival > places[account->claimant].arrival);
}

/* A place that waits stands at a full account of its own. */
static void
check_standing(void)
{
	int			standing = 0;

	for (int i = 0; i < ACCOUNTS; i++)
	{
		must(check_heap(accounts[i].first, PADV_NOBODY, i) == accounts[i].standing);
		must(accounts[i].standing == 0 || !padv_account_has_room(&accounts[i]) || accounts[i].unsettled);
		check_claim(i);
		standing += accounts[i].standing;
	}
	must(standing == head.waiting);
}

static void
check_line(void)
{
	int			count = 0;
	int			previous = PADV_NOBODY;

	for (int i = 0; i < ACCOUNTS; i++)
	{
		int			in_use = 0;
		int			waiting = 0;

		for (int p = 0; p < PLACES; p++)
		{
			in_use += places[p].state == PADV_PLACE_IN && is_under(&places[p], i);
			waiting += places[p].state == PADV_PLACE_WAITING && is_under(&places[p], i);
		}
		must(padv_account_inside(&accounts[i]) == in_use && accounts[i].waiting == waiting);
	}
	for (int p = head.first; p != PADV_NOBODY; previous = p, p = places[p].line_next, count++)
	{
		must(count < PLACES && places[p].state == PADV_PLACE_WAITING);
		must(places[p].line_previous == previous);
		must(previous == PADV_NOBODY || places[previous].arrival < places[p].arrival);
	}
	must(head.last == previous && head.waiting == count);
	must(padv_line_first(&line) == (count > 0 ? &places[head.first] : NULL));
	check_standing();
}

/* From none to as many as a place can have, each once. */
static void
take_accounts(Tape *tape, PadvPlace *place)
{
	int			count = take_byte(tape) % (PADV_MAX_PLACE_ACCOUNTS + 1);
	int			first = take_byte(tape);
	int			step = 1 + 6 * (take_byte(tape) % 4);	/* has no factor of ACCOUNTS */

	place->naccounts = 0;
	for (int i = 0; i < count; i++)
		place->accounts[place->naccounts++] = (first + i * step) % ACCOUNTS;
}

static void
check_entered(const int32_t *entered, int count, int most)
{
	must(count >= 0 && count <= most);
	for (int i = 0; i < count; i++)
		must(entered[i] >= 0 && entered[i] < PLACES && places[entered[i]].state == PADV_PLACE_IN);
}

/* One more than asked for must not be in unless it goes on from suspension. */
static void
come_or_go(Tape *tape, bool force)
{
	PadvPlace  *place = &places[take_byte(tape) % PLACES];
	int32_t		entered[PADV_MAX_PLACE_ACCOUNTS];

	if (place->state != PADV_PLACE_FREE)
	{
		int			count = padv_line_leave(&line, place, entered);

		check_entered(entered, count, PADV_MAX_PLACE_ACCOUNTS);
		must(place->state == PADV_PLACE_FREE);
		return;
	}
	take_accounts(tape, place);
	if (force || padv_line_full_account(&line, place) == PADV_NOBODY)
		padv_line_enter(&line, place);
	else
		padv_line_stand(&line, place);
}

static int32_t
take_limit(Tape *tape)
{
	return (int32_t) (take_byte(tape) % 8) - 1;
}

static void
change_limit(Tape *tape)
{
	int			account = take_byte(tape) % ACCOUNTS;
	int32_t		limit = take_limit(tape);
	int			room = 1 + take_byte(tape) % 4;
	int32_t		entered[4];
	int			count;

	count = padv_line_set_limit(&line, account, limit, entered, room);
	check_entered(entered, count, room);
	must(limit < 0 || accounts[account].claimant == PADV_NOBODY || accounts[account].in_use <= limit ||
		 padv_account_inside(&accounts[account]) >= limit);
}

/* Some of what is unsettled, or all of it. */
static void
settle(bool all)
{
	int32_t		entered[PADV_MAX_PLACE_ACCOUNTS];
	int			calls = 0;

	do
	{
		check_entered(entered, padv_line_settle(&line, entered), PADV_MAX_PLACE_ACCOUNTS);
		must(calls++ < 10 * PLACES);
	} while (all && !padv_line_is_settled(&line));
}

static void
grant(Tape *tape)
{
	PadvPlace  *place = &places[take_byte(tape) % PLACES];

	if (place->state != PADV_PLACE_WAITING)
		return;
	padv_line_grant(&line, place);
	must(place->state == PADV_PLACE_IN);
}

static void
recount(Tape *tape)
{
	int32_t		entered[PLACES];
	int			waited = head.waiting;
	int			count;

	padv_line_recount_begin(&line, ACCOUNTS);
	for (int i = 0; i < ACCOUNTS; i++)
		accounts[i].limit = take_limit(tape);
	for (int i = 0; i < PLACES; i++)
	{
		if (places[i].state != PADV_PLACE_FREE && take_byte(tape) % 2)
			take_accounts(tape, &places[i]);
		padv_line_recount(&line, &places[i]);
	}
	count = padv_line_recount_finish(&line, entered);
	check_entered(entered, count, waited);
	must(padv_line_is_settled(&line));
}

/* --- the lease and the controller ----------------------------------------- */

static void
look(Tape *tape, PadvControl *control, PadvGrace *grace, PadvControlInput *input)
{
	uint8_t		kind = take_byte(tape);
	int32_t		limit;
	PadvGate	gate = {.setting = PADV_SERVER_MAX_ACTIVE_AUTO};
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
	padv_explain_gate(&gate, control, text, sizeof(text));
	must(strlen(text) < sizeof(text) - 1 && strstr(text, "nan") == NULL && strstr(text, "inf") == NULL);
	must(padv_gate_state(&gate, control) != NULL);

	padv_grace_look(grace, kind & 4 ? take_double(tape) : (double) kind / 255.0, limit, input->clock_us);
	must(grace->us >= PADV_GRACE_US && grace->us <= 10000);
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
	PadvGrace	grace;
	PadvControlInput input = {.clock_us = 1000000, .lowest = 1, .highest = 100};

	padv_line_init(&line, ACCOUNTS, PLACES);
	padv_grace_init(&grace);
	for (int i = 0; i < ACCOUNTS; i++)
		accounts[i].limit = take_limit(&tape);
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
