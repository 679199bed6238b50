/*
 * wait_queue.c
 *		Accounts with a limit, and one line of those who wait for room.
 *
 * Pure; the caller holds its lock around each call, and what a call does is
 * bounded by a constant and the logarithm of the length of the line.
 *
 * There is one order, that of arrival.  Those who wait under the same accounts
 * are a party: the one who came first leads it, and only the leader is ever
 * looked at.  A party stands at one account that is full.  When an account
 * gets room it is for the leader there who came first: who is in now, or finds
 * another account full, and then goes to stand there with its party.
 *
 * Where accounts cross (a role's and a database's), a leader would go to and
 * fro for ever while others, who need one of the two only, get in.  So when it
 * goes it can claim the account that it leaves: a place there is counted for it
 * already.  That room is idle meanwhile, so there is one claim for an account
 * at most; only who will be the first there where it goes may claim; and it
 * does not hold a busy account for the sake of a slow one (is_worth_claiming).
 *
 * 1. in_use is the number of places that are in, plus one if there is a claimant.
 *	  Only what the caller forces, or a limit that is lowered, makes it more than
 *	  the limit; the latter takes the claim away.
 * 2. All who wait are in a party.  Its members are in the order of arrival, and
 *	  all stand where the leader does.  standing is the size of all parties there.
 * 3. An account where a party stands has no room, or is on the list of the
 *	  unsettled.  So nobody waits who could be in, once that list is empty.
 * 4. An account is open to a place that claims it, or that came before its
 *	  claimant, whose claim it then gets; and if there is room, and nobody stands
 *	  there who came before.  Hence the claimant of an account came before all
 *	  who stand there; and while one stands at an account nobody who came later
 *	  gets in there.
 * 5. Nobody stands at an account that it claims.  With 4: who came first of all
 *	  waits for places that are in, never for a claim.  So claims make no circle,
 *	  in whatever order they are taken.
 *
 * Nobody starves: whoever is the first of those who share accounts with it is
 * the first wherever it goes, its claims are not taken from it, and after
 * FREE_MOVES each move adds one; so it is in when, at each of its accounts, one
 * has left, and a few more.  Then somebody else is the first.  Who stands at an
 * account is let in or goes on after those who came before it, and no others.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/policy/wait_queue.h"

/* Parties that go to stand at another account in one call. */
#define MAX_MOVES 8

/* Unsettled accounts of which the one with the first leader is looked for. */
#define MAX_LOOKS 32

/* Moves without a claim for the reason that the account is a busy one. */
#define FREE_MOVES 2

/* So many releases are an epoch; the pace of an account halves with each. */
#define EPOCH_RELEASES 256

static void
clear_account(PadvAccount *account)
{
	account->in_use = 0;
	account->waiting = 0;
	account->standing = 0;
	account->first = PADV_NOBODY;
	account->claimant = PADV_NOBODY;
	account->unsettled = 0;
}

static void
clear_unsettled(PadvLineHead *head)
{
	head->unsettled = 0;
	head->unsettled_first = PADV_NOBODY;
	head->unsettled_last = PADV_NOBODY;
}

void
padv_line_init(PadvLine *line, int naccounts, int nplaces)
{
	line->head->arrivals = 0;
	line->head->waiting = 0;
	line->head->first = PADV_NOBODY;
	line->head->last = PADV_NOBODY;
	line->head->naccounts = naccounts;
	line->head->releases = 0;
	line->head->steps = 0;
	clear_unsettled(line->head);
	for (int i = 0; i < naccounts; i++)
	{
		PadvAccount *account = padv_line_account(line, i);

		clear_account(account);
		account->limit = -1;
		account->claimed_before = PADV_NOBODY;
		account->bucket = PADV_NOBODY;
		account->pace = 0;
		account->pace_epoch = 0;
	}
	for (int i = 0; i < nplaces; i++)
	{
		padv_line_place(line, i)->state = PADV_PLACE_FREE;
		padv_line_place(line, i)->naccounts = 0;
	}
}

/* --- how busy an account is --- */

static int32_t
pace_of(const PadvLine *line, const PadvAccount *account)
{
	uint32_t	epochs = line->head->releases / EPOCH_RELEASES - account->pace_epoch;

	return epochs > 30 ? 0 : account->pace >> epochs;
}

static void
note_release(PadvLine *line, PadvAccount *account)
{
	int32_t		pace = pace_of(line, account);

	account->pace = pace + 1;
	account->pace_epoch = line->head->releases / EPOCH_RELEASES;
}

/* --- the heap of the leaders at an account; a leftist one, so by links --- */

static int32_t
heap_rank(const PadvLine *line, int32_t number)
{
	return number == PADV_NOBODY ? 0 : padv_line_place(line, number)->heap_rank;
}

/* The longer branch goes to the left; false when the rank has stayed the same. */
static bool
heap_adjust(PadvLine *line, PadvPlace *place)
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
heap_merge(PadvLine *line, int32_t a, int32_t b)
{
	PadvPlace  *root;

	if (a == PADV_NOBODY || b == PADV_NOBODY)
		return a == PADV_NOBODY ? b : a;
	if (padv_line_place(line, b)->arrival < padv_line_place(line, a)->arrival)
	{
		int32_t		first = b;

		b = a;
		a = first;
	}
	root = padv_line_place(line, a);
	root->heap_right = heap_merge(line, root->heap_right, b);
	padv_line_place(line, root->heap_right)->heap_up = a;
	(void) heap_adjust(line, root);
	return a;
}

static void
heap_add(PadvLine *line, PadvAccount *account, int32_t number)
{
	PadvPlace  *place = padv_line_place(line, number);

	place->heap_left = PADV_NOBODY;
	place->heap_right = PADV_NOBODY;
	place->heap_rank = 1;
	account->first = heap_merge(line, account->first, number);
	padv_line_place(line, account->first)->heap_up = PADV_NOBODY;
}

static void
heap_remove(PadvLine *line, PadvAccount *account, int32_t number)
{
	PadvPlace  *place = padv_line_place(line, number);
	int32_t		rest = heap_merge(line, place->heap_left, place->heap_right);
	int32_t		up = place->heap_up;

	if (rest != PADV_NOBODY)
		padv_line_place(line, rest)->heap_up = up;
	if (up == PADV_NOBODY)
		account->first = rest;
	else if (padv_line_place(line, up)->heap_left == number)
		padv_line_place(line, up)->heap_left = rest;
	else
		padv_line_place(line, up)->heap_right = rest;
	while (up != PADV_NOBODY && heap_adjust(line, padv_line_place(line, up)))
		up = padv_line_place(line, up)->heap_up;
}

/* --- parties --- */

static int32_t *
bucket_of(const PadvLine *line, const PadvPlace *place)
{
	uint64_t	hash = (uint64_t) place->naccounts;

	for (int i = 0; i < place->naccounts; i++)
	{
		hash = (hash ^ (uint64_t) place->accounts[i]) * UINT64_C(0x9E3779B97F4A7C15);
		hash ^= hash >> 32;
	}
	return &padv_line_account(line, (int) (hash % (uint64_t) line->head->naccounts))->bucket;
}

static bool
same_accounts(const PadvPlace *a, const PadvPlace *b)
{
	if (a->naccounts != b->naccounts)
		return false;
	for (int i = 0; i < a->naccounts; i++)
		if (a->accounts[i] != b->accounts[i])
			return false;
	return true;
}

/* Where the number of the leader of those under the same accounts is, or would be. */
static int32_t *
find_party(const PadvLine *line, const PadvPlace *place)
{
	int32_t    *link = bucket_of(line, place);

	for (; *link != PADV_NOBODY; link = &padv_line_place(line, *link)->bucket_next)
	{
		line->head->steps++;
		if (same_accounts(padv_line_place(line, *link), place))
			break;
	}
	return link;
}

static bool
leads(const PadvPlace *place)
{
	return place->party_previous == PADV_NOBODY;
}

static void
stand_at(PadvLine *line, PadvPlace *leader, int at)
{
	PadvAccount *account = padv_line_account(line, at);

	leader->at = at;
	heap_add(line, account, padv_line_number(line, leader));
	account->standing += leader->party_size;
}

static void
step_aside(PadvLine *line, PadvPlace *leader)
{
	PadvAccount *account = padv_line_account(line, leader->at);

	heap_remove(line, account, padv_line_number(line, leader));
	account->standing -= leader->party_size;
}

/* Follow the party, if there is one; else lead one, which stands at `at`. */
static void
join_party(PadvLine *line, PadvPlace *place, int32_t *party, int at)
{
	int			me = padv_line_number(line, place);
	PadvPlace  *leader;

	place->party_next = PADV_NOBODY;
	place->party_previous = PADV_NOBODY;
	if (*party == PADV_NOBODY)
	{
		*party = me;
		place->bucket_next = PADV_NOBODY;
		place->party_last = me;
		place->party_size = 1;
		stand_at(line, place, at);
		return;
	}
	leader = padv_line_place(line, *party);
	place->party_previous = leader->party_last;
	padv_line_place(line, leader->party_last)->party_next = me;
	leader->party_last = me;
	leader->party_size++;
	padv_line_account(line, leader->at)->standing++;
}

/* Who comes next leads, and stands where the leader stood. */
static void
hand_over_party(PadvLine *line, PadvPlace *leader, int32_t *party)
{
	PadvPlace  *next;

	step_aside(line, leader);
	if (leader->party_next == PADV_NOBODY)
	{
		*party = leader->bucket_next;
		return;
	}
	next = padv_line_place(line, leader->party_next);
	*party = leader->party_next;
	next->bucket_next = leader->bucket_next;
	next->party_previous = PADV_NOBODY;
	next->party_last = leader->party_last;
	next->party_size = leader->party_size - 1;
	next->moves = 0;
	stand_at(line, next, leader->at);
}

static void
leave_party(PadvLine *line, PadvPlace *place)
{
	int32_t    *party = find_party(line, place);
	PadvPlace  *leader = padv_line_place(line, *party);

	if (leads(place))
	{
		hand_over_party(line, place, party);
		return;
	}
	padv_line_place(line, place->party_previous)->party_next = place->party_next;
	if (place->party_next == PADV_NOBODY)
		leader->party_last = place->party_previous;
	else
		padv_line_place(line, place->party_next)->party_previous = place->party_previous;
	leader->party_size--;
	padv_line_account(line, leader->at)->standing--;
}

/* --- the whole line --- */

static void
count_waiting(PadvLine *line, const PadvPlace *place, int one)
{
	for (int i = 0; i < place->naccounts; i++)
		padv_line_account(line, place->accounts[i])->waiting += one;
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

PadvPlace *
padv_line_first(const PadvLine *line)
{
	return line->head->first == PADV_NOBODY ? NULL : padv_line_place(line, line->head->first);
}

int
padv_line_standing_at(const PadvLine *line, const PadvPlace *place)
{
	return padv_line_place(line, *find_party(line, place))->at;
}

/* --- room --- */

/* Invariant 4; the place waits, or has just come. */
static bool
is_open(const PadvLine *line, const PadvPlace *place, const PadvAccount *account)
{
	if (account->claimant != PADV_NOBODY &&
		padv_line_place(line, account->claimant)->arrival >= place->arrival)
		return true;
	return padv_account_has_room(account) &&
		(account->first == PADV_NOBODY ||
		 padv_line_place(line, account->first)->arrival >= place->arrival);
}

/*
 * Of the accounts that are not open to the place, the one that is left by the
 * fewest, so that the others are not claimed for longer than need be; or
 * PADV_NOBODY.
 */
static int
find_closed(const PadvLine *line, const PadvPlace *place)
{
	int			closed = PADV_NOBODY;
	int32_t		slowest = 0;

	for (int i = 0; i < place->naccounts; i++)
	{
		PadvAccount *account = padv_line_account(line, place->accounts[i]);
		int32_t		pace;

		line->head->steps++;
		if (is_open(line, place, account))
			continue;
		pace = pace_of(line, account);
		if (closed == PADV_NOBODY || pace < slowest)
		{
			closed = place->accounts[i];
			slowest = pace;
		}
	}
	return closed;
}

int
padv_line_full_account(const PadvLine *line, const PadvPlace *place)
{
	for (int i = 0; i < place->naccounts; i++)
	{
		const PadvAccount *account = padv_line_account(line, place->accounts[i]);

		if (account->standing > 0 || !padv_account_has_room(account))
			return place->accounts[i];
	}
	return PADV_NOBODY;
}

void
padv_line_enter(PadvLine *line, PadvPlace *place)
{
	place->state = PADV_PLACE_IN;
	for (int i = 0; i < place->naccounts; i++)
		padv_line_account(line, place->accounts[i])->in_use++;
}

void
padv_line_stand(PadvLine *line, PadvPlace *place)
{
	PadvLineHead *head = line->head;
	int			me = padv_line_number(line, place);

	place->state = PADV_PLACE_WAITING;
	place->arrival = head->arrivals++;
	place->moves = 0;
	place->line_previous = head->last;
	place->line_next = PADV_NOBODY;
	if (head->last == PADV_NOBODY)
		head->first = me;
	else
		padv_line_place(line, head->last)->line_next = me;
	head->last = me;
	head->waiting++;
	count_waiting(line, place, 1);
	join_party(line, place, find_party(line, place), find_closed(line, place));
}

int
padv_line_first_at(const PadvLine *line, int number)
{
	return padv_line_account(line, number)->first;
}

/*
 * Let in one who waits.  Where there is no room its own claim is used, or that
 * of one who came later; if there is none, more are in than may be.
 */
void
padv_line_grant(PadvLine *line, PadvPlace *place)
{
	int			me = padv_line_number(line, place);

	leave_party(line, place);
	leave_line(line, place);
	place->state = PADV_PLACE_IN;
	for (int i = 0; i < place->naccounts; i++)
	{
		PadvAccount *account = padv_line_account(line, place->accounts[i]);
		int			claimant = account->claimant;

		if (claimant == me ||
			(claimant != PADV_NOBODY && !padv_account_has_room(account) &&
			 padv_line_place(line, claimant)->arrival > place->arrival))
			account->claimant = PADV_NOBODY;
		else
			account->in_use++;
	}
}

/* --- who can be in now --- */

/* To be looked at, if it has got room for somebody. */
static void
note_room(PadvLine *line, int number)
{
	PadvLineHead *head = line->head;
	PadvAccount *account = padv_line_account(line, number);

	if (account->unsettled || account->first == PADV_NOBODY || !padv_account_has_room(account))
		return;
	account->unsettled = 1;
	account->unsettled_next = PADV_NOBODY;
	if (head->unsettled_last == PADV_NOBODY)
		head->unsettled_first = number;
	else
		padv_line_account(line, head->unsettled_last)->unsettled_next = number;
	head->unsettled_last = number;
	head->unsettled++;
}

/* Take the account after `previous` off the list; returns the one after it. */
static int32_t
note_settled(PadvLine *line, int32_t previous, int32_t number)
{
	PadvLineHead *head = line->head;
	PadvAccount *account = padv_line_account(line, number);

	if (previous == PADV_NOBODY)
		head->unsettled_first = account->unsettled_next;
	else
		padv_line_account(line, previous)->unsettled_next = account->unsettled_next;
	if (head->unsettled_last == number)
		head->unsettled_last = previous;
	head->unsettled--;
	account->unsettled = 0;
	return account->unsettled_next;
}

/*
 * The one who came first of those who stand at unsettled accounts, or NULL.  What
 * has no room any more is taken off the list; if that was all that was looked at,
 * the rest is for the next call.
 */
static PadvPlace *
find_candidate(PadvLine *line)
{
	PadvPlace  *candidate = NULL;
	int32_t		previous = PADV_NOBODY;
	int32_t		number = line->head->unsettled_first;

	for (int looks = 0; number != PADV_NOBODY && looks < MAX_LOOKS; looks++)
	{
		PadvAccount *account = padv_line_account(line, number);
		PadvPlace  *place;

		line->head->steps++;
		if (account->first == PADV_NOBODY || !padv_account_has_room(account))
		{
			number = note_settled(line, previous, number);
			continue;
		}
		place = padv_line_place(line, account->first);
		if (candidate == NULL || place->arrival < candidate->arrival)
			candidate = place;
		previous = number;
		number = account->unsettled_next;
	}
	return candidate;
}

/*
 * Whether to claim the account that a leader leaves to stand at another one.  Not
 * where there is a claimant, who came before by invariant 4; nor in order to stand
 * behind others, nor for a door that is shut.  An account that many leave soon has
 * room again, and is not held for one that few leave; but not for ever, as both
 * may change.
 */
static bool
is_worth_claiming(const PadvLine *line, const PadvPlace *leader,
				  const PadvAccount *left, const PadvAccount *next)
{
	if (left->limit < 0 || next->limit == 0 || left->claimant != PADV_NOBODY ||
		(next->first != PADV_NOBODY &&
		 padv_line_place(line, next->first)->arrival < leader->arrival))
		return false;
	return leader->moves >= FREE_MOVES || pace_of(line, left) / 2 <= pace_of(line, next);
}

static void
move_on(PadvLine *line, PadvPlace *leader, int closed)
{
	PadvAccount *left = padv_line_account(line, leader->at);

	step_aside(line, leader);
	if (is_worth_claiming(line, leader, left, padv_line_account(line, closed)))
	{
		left->in_use++;
		left->claimant = padv_line_number(line, leader);
	}
	if (leader->moves < FREE_MOVES)
		leader->moves++;
	stand_at(line, leader, closed);
}

static int
settle(PadvLine *line, int32_t *entered, int room)
{
	PadvPlace  *candidate;
	int			moves = 0;
	int			count = 0;

	while ((candidate = find_candidate(line)) != NULL && count < room && moves < MAX_MOVES)
	{
		int			closed = find_closed(line, candidate);

		if (closed == PADV_NOBODY)
		{
			padv_line_grant(line, candidate);
			entered[count++] = padv_line_number(line, candidate);
		}
		else
		{
			move_on(line, candidate, closed);
			moves++;
		}
	}
	return count;
}

int
padv_line_settle(PadvLine *line, int32_t *entered)
{
	return settle(line, entered, PADV_MAX_PLACE_ACCOUNTS);
}

static void
drop_claims(PadvLine *line, const PadvPlace *place)
{
	int			me = padv_line_number(line, place);

	for (int i = 0; i < place->naccounts; i++)
	{
		PadvAccount *account = padv_line_account(line, place->accounts[i]);

		if (account->claimant != me)
			continue;
		account->claimant = PADV_NOBODY;
		account->in_use--;
		note_room(line, place->accounts[i]);
	}
}

int
padv_line_leave(PadvLine *line, PadvPlace *place, int32_t *entered)
{
	if (place->state == PADV_PLACE_WAITING)
	{
		leave_party(line, place);
		leave_line(line, place);
		drop_claims(line, place);
	}
	else if (place->state == PADV_PLACE_IN)
	{
		line->head->releases++;
		for (int i = 0; i < place->naccounts; i++)
		{
			PadvAccount *account = padv_line_account(line, place->accounts[i]);

			account->in_use--;
			note_release(line, account);
			note_room(line, place->accounts[i]);
		}
	}
	place->state = PADV_PLACE_FREE;
	place->naccounts = 0;
	return settle(line, entered, PADV_MAX_PLACE_ACCOUNTS);
}

int
padv_line_set_limit(PadvLine *line, int number, int32_t limit, int32_t *entered, int room)
{
	PadvAccount *account = padv_line_account(line, number);

	account->limit = limit;
	if (limit >= 0 && account->in_use > limit && account->claimant != PADV_NOBODY)
	{
		account->claimant = PADV_NOBODY;
		account->in_use--;
	}
	note_room(line, number);
	return settle(line, entered, room);
}

/* --- counting anew --- */

void
padv_line_recount_begin(PadvLine *line, int naccounts)
{
	for (int i = 0; i < naccounts; i++)
	{
		PadvAccount *account = padv_line_account(line, i);

		account->claimed_before = account->claimant;
		clear_account(account);
	}
	for (int i = 0; i < line->head->naccounts; i++)
		padv_line_account(line, i)->bucket = PADV_NOBODY;
	clear_unsettled(line->head);
}

void
padv_line_recount(PadvLine *line, const PadvPlace *place)
{
	if (place->state == PADV_PLACE_IN)
		for (int i = 0; i < place->naccounts; i++)
			padv_line_account(line, place->accounts[i])->in_use++;
	else if (place->state == PADV_PLACE_WAITING)
		count_waiting(line, place, 1);
}

/* Claim again what there is room in, so that a recount sets nobody back. */
static void
claim_again(PadvLine *line, const PadvPlace *leader)
{
	int			me = padv_line_number(line, leader);

	for (int i = 0; i < leader->naccounts; i++)
	{
		PadvAccount *account = padv_line_account(line, leader->accounts[i]);

		if (account->claimed_before != me || account->limit < 0 ||
			!is_open(line, leader, account))
			continue;
		account->claimant = me;
		account->in_use++;
	}
}

int
padv_line_recount_finish(PadvLine *line, int32_t *entered)
{
	int			count = 0;
	int			next;

	for (int i = line->head->first; i != PADV_NOBODY; i = next)
	{
		PadvPlace  *place = padv_line_place(line, i);
		int			closed = find_closed(line, place);

		next = place->line_next;
		if (closed != PADV_NOBODY)
		{
			join_party(line, place, find_party(line, place), closed);
			if (leads(place) && padv_line_account(line, closed)->limit != 0)
				claim_again(line, place);
			continue;
		}
		leave_line(line, place);
		padv_line_enter(line, place);
		entered[count++] = i;
	}
	return count;
}
