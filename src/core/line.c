/*
 * line.c
 *		Accounts with a limit, and one line of those who wait for room.
 *
 * Pure.  There is one order, that of arrival; but who waits stands at one
 * account only, the first that it found full.  When an account gets room, only
 * those who stand there can profit, and they are looked at in their order: so
 * a release costs what it changes, however long the line is.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/line.h"

static void
clear_account(PadvAccount *account)
{
	account->in_use = 0;
	account->waiting = 0;
	account->standing = 0;
	account->first = PADV_NOBODY;
	account->last = PADV_NOBODY;
}

void
padv_line_init(PadvLine *line, int naccounts, int nplaces)
{
	line->head->arrivals = 0;
	line->head->waiting = 0;
	line->head->first = PADV_NOBODY;
	line->head->last = PADV_NOBODY;
	for (int i = 0; i < naccounts; i++)
	{
		clear_account(padv_line_account(line, i));
		padv_line_account(line, i)->limit = -1;
	}
	for (int i = 0; i < nplaces; i++)
	{
		padv_line_place(line, i)->state = PADV_PLACE_FREE;
		padv_line_place(line, i)->naccounts = 0;
	}
}

int
padv_line_full_account(const PadvLine *line, const PadvPlace *place)
{
	for (int i = 0; i < place->naccounts; i++)
		if (!padv_account_has_room(padv_line_account(line, place->accounts[i])))
			return place->accounts[i];
	return PADV_NOBODY;
}

static void
count_in(PadvLine *line, const PadvPlace *place)
{
	for (int i = 0; i < place->naccounts; i++)
		padv_line_account(line, place->accounts[i])->in_use++;
}

static void
count_waiting(PadvLine *line, const PadvPlace *place, int one)
{
	for (int i = 0; i < place->naccounts; i++)
		padv_line_account(line, place->accounts[i])->waiting += one;
}

void
padv_line_enter(PadvLine *line, PadvPlace *place)
{
	place->state = PADV_PLACE_IN;
	count_in(line, place);
}

/*
 * Stand at an account behind all who came before.  A new one is the last; one
 * who comes from another account has waited long, so look from the front.
 */
static void
stand_at(PadvLine *line, PadvPlace *place, int at)
{
	PadvAccount *account = padv_line_account(line, at);
	int			me = padv_line_number(line, place);
	int			next = account->first;

	if (account->last != PADV_NOBODY &&
		padv_line_place(line, account->last)->arrival < place->arrival)
		next = PADV_NOBODY;
	while (next != PADV_NOBODY && padv_line_place(line, next)->arrival < place->arrival)
		next = padv_line_place(line, next)->next;

	place->at = at;
	place->next = next;
	place->previous = next == PADV_NOBODY ? account->last : padv_line_place(line, next)->previous;
	if (place->previous == PADV_NOBODY)
		account->first = me;
	else
		padv_line_place(line, place->previous)->next = me;
	if (next == PADV_NOBODY)
		account->last = me;
	else
		padv_line_place(line, next)->previous = me;
	account->standing++;
}

/* Stand there no longer, but still be in the line. */
static void
step_aside(PadvLine *line, PadvPlace *place)
{
	PadvAccount *account = padv_line_account(line, place->at);

	if (place->previous == PADV_NOBODY)
		account->first = place->next;
	else
		padv_line_place(line, place->previous)->next = place->next;
	if (place->next == PADV_NOBODY)
		account->last = place->previous;
	else
		padv_line_place(line, place->next)->previous = place->previous;
	account->standing--;
}

static void
leave_line(PadvLine *line, PadvPlace *place)
{
	PadvLineHead *head = line->head;

	if (place->line_previous == PADV_NOBODY)
		head->first = place->line_next;
	else
		padv_line_place(line, place->line_previous)->line_next = place->line_next;
	if (place->line_next == PADV_NOBODY)
		head->last = place->line_previous;
	else
		padv_line_place(line, place->line_next)->line_previous = place->line_previous;
	head->waiting--;
	count_waiting(line, place, -1);
}

void
padv_line_stand(PadvLine *line, PadvPlace *place)
{
	PadvLineHead *head = line->head;
	int			me = padv_line_number(line, place);

	place->state = PADV_PLACE_WAITING;
	place->arrival = head->arrivals++;
	place->line_previous = head->last;
	place->line_next = PADV_NOBODY;
	if (head->last == PADV_NOBODY)
		head->first = me;
	else
		padv_line_place(line, head->last)->line_next = me;
	head->last = me;
	head->waiting++;
	count_waiting(line, place, 1);
	stand_at(line, place, padv_line_full_account(line, place));
}

/* Let in one who waits. */
static int
admit(PadvLine *line, PadvPlace *place)
{
	step_aside(line, place);
	leave_line(line, place);
	padv_line_enter(line, place);
	return padv_line_number(line, place);
}

void
padv_line_grant(PadvLine *line, PadvPlace *place)
{
	(void) admit(line, place);
}

int
padv_line_first_at(const PadvLine *line, int number)
{
	return padv_line_account(line, number)->first;
}

/*
 * Of those at the head of one of these accounts that has room, the one who
 * came first; NULL when there is none.
 */
static PadvPlace *
first_candidate(PadvLine *line, const PadvPlace *left)
{
	PadvPlace  *candidate = NULL;

	for (int i = 0; i < left->naccounts; i++)
	{
		PadvAccount *account = padv_line_account(line, left->accounts[i]);
		PadvPlace  *place;

		if (account->first == PADV_NOBODY || !padv_account_has_room(account))
			continue;
		place = padv_line_place(line, account->first);
		if (candidate == NULL || place->arrival < candidate->arrival)
			candidate = place;
	}
	return candidate;
}

int
padv_line_leave(PadvLine *line, PadvPlace *place, int32_t *entered)
{
	PadvPlace  *candidate;
	int			count = 0;

	if (place->state == PADV_PLACE_WAITING)
	{
		step_aside(line, place);
		leave_line(line, place);
	}
	else if (place->state == PADV_PLACE_IN)
		for (int i = 0; i < place->naccounts; i++)
			padv_line_account(line, place->accounts[i])->in_use--;
	place->state = PADV_PLACE_FREE;

	while (count < PADV_MAX_PLACE_ACCOUNTS && (candidate = first_candidate(line, place)) != NULL)
	{
		int			full = padv_line_full_account(line, candidate);

		if (full == PADV_NOBODY)
			entered[count++] = admit(line, candidate);
		else
		{
			step_aside(line, candidate);
			stand_at(line, candidate, full);
		}
	}
	place->naccounts = 0;
	return count;
}

int
padv_line_set_limit(PadvLine *line, int number, int32_t limit, int32_t *entered, int room)
{
	PadvAccount *account = padv_line_account(line, number);
	int			count = 0;

	account->limit = limit;
	while (count < room && account->first != PADV_NOBODY && padv_account_has_room(account))
	{
		PadvPlace  *place = padv_line_place(line, account->first);
		int			full = padv_line_full_account(line, place);

		if (full == PADV_NOBODY)
			entered[count++] = admit(line, place);
		else
		{
			step_aside(line, place);
			stand_at(line, place, full);
		}
	}
	return count;
}

void
padv_line_recount_begin(PadvLine *line, int naccounts)
{
	for (int i = 0; i < naccounts; i++)
		clear_account(padv_line_account(line, i));
}

void
padv_line_recount(PadvLine *line, const PadvPlace *place)
{
	if (place->state == PADV_PLACE_IN)
		count_in(line, place);
	else if (place->state == PADV_PLACE_WAITING)
		count_waiting(line, place, 1);
}

int
padv_line_recount_finish(PadvLine *line, int32_t *entered)
{
	int			count = 0;
	int			next;

	for (int i = line->head->first; i != PADV_NOBODY; i = next)
	{
		PadvPlace  *place = padv_line_place(line, i);
		int			full = padv_line_full_account(line, place);

		next = place->line_next;
		if (full != PADV_NOBODY)
		{
			stand_at(line, place, full);
			continue;
		}
		leave_line(line, place);
		padv_line_enter(line, place);
		entered[count++] = i;
	}
	return count;
}
