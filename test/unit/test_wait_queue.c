/*
 * test_wait_queue.c
 *		The waiting line against a slow, obvious counterpart, and its promises where
 *		accounts cross.
 *
 * The counterpart keeps who waits in one list, by arrival, and after each
 * change goes through all of it and lets in everybody for whom there is room.
 * Where all are under one account at most, the line must do exactly that.  Where
 * accounts cross it must hold what the head of wait_queue.c promises, which is looked
 * up here in the places themselves.
 */
#include <stdlib.h>
#include <string.h>

#include "core/policy/wait_queue.h"
#include "tap.h"

#define ACCOUNTS 12
#define PLACES 60

#define MANY 5000
#define MANY_ACCOUNTS (MANY + 10)

static PadvLineHead head;
static PadvAccount accounts[MANY_ACCOUNTS];
static PadvPlace places[MANY + 10];
static PadvLine line = {&head, (char *) accounts, sizeof(PadvAccount), (char *) places, sizeof(PadvPlace)};

/* the counterpart */
static int	limit[ACCOUNTS];
static int	waiting[PLACES];		/* places, by arrival */
static int	nwaiting = 0;
static bool inside[PLACES];

/* of the promises: what was seen before the last change */
static int	stood_at[PLACES];		/* PADV_NOBODY: did not wait */
static int	stays[PLACES];			/* accounts at which it has stood */
static int	in_use_before[ACCOUNTS];

static int	most_accounts = 3;
static uint64_t seed = 20260101;

static int
random_below(int n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (int) ((seed >> 33) % (uint64_t) n);
}

static void
start_over(void)
{
	padv_line_init(&line, ACCOUNTS, PLACES);
	nwaiting = 0;
	memset(inside, 0, sizeof(inside));
	for (int i = 0; i < ACCOUNTS; i++)
		accounts[i].limit = limit[i] = -1;
}

static bool
is_under(const PadvPlace *place, int account)
{
	for (int i = 0; i < place->naccounts; i++)
		if (place->accounts[i] == account)
			return true;
	return false;
}

static int
used(int account)
{
	int			count = 0;

	for (int i = 0; i < PLACES; i++)
		count += places[i].state == PADV_PLACE_IN && is_under(&places[i], account);
	return count;
}

static bool
fits(int place)
{
	for (int i = 0; i < places[place].naccounts; i++)
	{
		int			account = places[place].accounts[i];
		int			count = 0;

		for (int p = 0; p < PLACES; p++)
			count += inside[p] && is_under(&places[p], account);
		if (limit[account] >= 0 && count >= limit[account])
			return false;
	}
	return true;
}

static void
remove_waiting(int index)
{
	nwaiting--;
	memmove(&waiting[index], &waiting[index + 1], (size_t) (nwaiting - index) * sizeof(int));
}

static void
forget_waiting(int number)
{
	for (int i = 0; i < nwaiting; i++)
		if (waiting[i] == number)
			remove_waiting(i--);
}

/* Let in whom there is room for; what the line should have written. */
static int
let_in(int *entered)
{
	int			count = 0;

	for (int i = 0; i < nwaiting;)
	{
		if (!fits(waiting[i]))
		{
			i++;
			continue;
		}
		inside[waiting[i]] = true;
		entered[count++] = waiting[i];
		remove_waiting(i);
	}
	return count;
}

/* What the line has let in, as far as the counterpart is not to say it. */
static void
note_entered(const int32_t *entered, int count)
{
	for (int i = 0; i < count; i++)
	{
		inside[entered[i]] = true;
		forget_waiting(entered[i]);
	}
}

/* With one account each the counterpart knows who comes in, and when. */
static bool
is_right(const int32_t *entered, int count)
{
	int			expected[PLACES];
	int			nexpected;

	if (most_accounts > 1)
	{
		note_entered(entered, count);
		return true;
	}
	nexpected = let_in(expected);
	for (int i = 0; i < nexpected && i < count; i++)
		if (expected[i] != entered[i])
			return false;
	return nexpected == count;
}

static int
waiting_under(int account)
{
	int			count = 0;

	for (int i = 0; i < nwaiting; i++)
		count += is_under(&places[waiting[i]], account);
	return count;
}

/* --- the line as it is --- */

/* Parties below a root of a heap, in their order; how many stand there, or -1. */
static int
count_heap(int root, int up, int at, uint64_t after)
{
	int			left;
	int			right;
	int			members = 0;
	int			last = root;

	if (root == PADV_NOBODY)
		return 0;
	if (places[root].state != PADV_PLACE_WAITING || places[root].heap_up != up ||
		places[root].at != at || places[root].arrival < after || places[root].party_previous != PADV_NOBODY)
		return -1;
	for (int p = root; p != PADV_NOBODY; last = p, p = places[p].party_next, members++)
		if (members > PLACES || padv_line_standing_at(&line, &places[p]) != at ||
			(p != root && (places[p].party_previous != last || places[p].arrival < places[last].arrival)))
			return -1;
	if (members != places[root].party_size || places[root].party_last != last)
		return -1;
	left = count_heap(places[root].heap_left, root, at, places[root].arrival);
	right = count_heap(places[root].heap_right, root, at, places[root].arrival);
	return left < 0 || right < 0 ? -1 : left + right + members;
}

/* Invariants 1 and 4 of a claim. */
static bool
claim_is_right(int number)
{
	const PadvAccount *account = &accounts[number];
	const PadvPlace *claimant;

	if (account->claimant == PADV_NOBODY)
		return true;
	claimant = &places[account->claimant];
	return claimant->state == PADV_PLACE_WAITING && is_under(claimant, number) &&
		padv_line_standing_at(&line, claimant) != number &&
		(account->first == PADV_NOBODY || places[account->first].arrival > claimant->arrival);
}

static bool
agrees(void)
{
	int			standing = 0;
	int			next = head.first;

	for (int i = 0; i < ACCOUNTS; i++)
	{
		int			count = count_heap(accounts[i].first, PADV_NOBODY, i, 0);

		if (padv_account_inside(&accounts[i]) != used(i) || !claim_is_right(i) ||
			count != accounts[i].standing || accounts[i].waiting != waiting_under(i) ||
			(count > 0 && padv_account_has_room(&accounts[i])))
			return false;
		standing += count;
	}
	for (int i = 0; i < nwaiting; i++, next = places[next].line_next)
		if (next != waiting[i] || places[next].state != PADV_PLACE_WAITING)
			return false;
	for (int i = 0; i < PLACES; i++)
		if (inside[i] != (places[i].state == PADV_PLACE_IN))
			return false;
	return next == PADV_NOBODY && standing == nwaiting && head.waiting == nwaiting &&
		padv_line_is_settled(&line) &&
		padv_line_first(&line) == (nwaiting > 0 ? &places[waiting[0]] : NULL);
}

/* --- the promises, from one change to the next --- */

static void
look_before(void)
{
	for (int i = 0; i < PLACES; i++)
		stood_at[i] = places[i].state == PADV_PLACE_WAITING ?
			padv_line_standing_at(&line, &places[i]) : PADV_NOBODY;
	for (int i = 0; i < ACCOUNTS; i++)
		in_use_before[i] = accounts[i].in_use;
}

static void
count_stays(void)
{
	for (int i = 0; i < PLACES; i++)
		if (places[i].state != PADV_PLACE_WAITING)
			stays[i] = 0;
		else if (padv_line_standing_at(&line, &places[i]) != stood_at[i])
			stays[i]++;
}

/* Nobody got in at an account where one stands, and stood, who came before. */
static bool
is_overtaken(int entered)
{
	for (int i = 0; i < nwaiting; i++)
	{
		int			at = padv_line_standing_at(&line, &places[waiting[i]]);

		if (places[waiting[i]].arrival < places[entered].arrival && stood_at[waiting[i]] == at &&
			is_under(&places[entered], at))
			return true;
	}
	return false;
}

/* Beyond a limit nobody comes in, unless forced; but some may still be there. */
static bool
limits_hold(void)
{
	for (int i = 0; i < ACCOUNTS; i++)
		if (accounts[i].limit >= 0 && accounts[i].in_use > accounts[i].limit &&
			accounts[i].in_use > in_use_before[i])
			return false;
	return true;
}

/* --- changes --- */

static void
choose_accounts(PadvPlace *place)
{
	int			count = random_below(most_accounts + 1);

	place->naccounts = 0;
	while (place->naccounts < count)
	{
		int			account = random_below(ACCOUNTS);

		if (!is_under(place, account))
			place->accounts[place->naccounts++] = account;
	}
}

/* Settle what a call has left, as callers do; all who have come in are in entered. */
static int
settle_rest(int32_t *entered, int count)
{
	while (!padv_line_is_settled(&line))
		count += padv_line_settle(&line, entered + count);
	return count;
}

/* Returns whether it was forced in. */
static bool
arrive(int number)
{
	PadvPlace  *place = &places[number];
	bool		force = random_below(20) == 0;

	choose_accounts(place);
	if (padv_line_full_account(&line, place) == PADV_NOBODY || force)
	{
		padv_line_enter(&line, place);
		inside[number] = true;
		return force;
	}
	padv_line_stand(&line, place);
	waiting[nwaiting++] = number;
	return false;
}

static int
depart(int number, int32_t *entered)
{
	inside[number] = false;
	forget_waiting(number);
	return settle_rest(entered, padv_line_leave(&line, &places[number], entered));
}

/* Other limits, and other accounts for some. */
static int
change_rules(int32_t *entered)
{
	padv_line_recount_begin(&line, ACCOUNTS);
	for (int i = 0; i < ACCOUNTS; i++)
		accounts[i].limit = limit[i] = random_below(9) - 1;
	for (int i = 0; i < PLACES; i++)
	{
		if (places[i].state != PADV_PLACE_FREE && random_below(3) == 0)
			choose_accounts(&places[i]);
		padv_line_recount(&line, &places[i]);
	}
	return padv_line_recount_finish(&line, entered);
}

/* One limit only. */
static int
change_limit(int32_t *entered)
{
	int			account = random_below(ACCOUNTS);

	limit[account] = random_below(9) - 1;
	return settle_rest(entered, padv_line_set_limit(&line, account, limit[account], entered, 3));
}

static void
grant(int number)
{
	padv_line_grant(&line, &places[number]);
	inside[number] = true;
	forget_waiting(number);
}

/* One change; false when a promise is broken by it. */
static bool
change(bool *right)
{
	int32_t		entered[PLACES + PADV_MAX_PLACE_ACCOUNTS];
	int			number = random_below(PLACES);
	int			count = 0;
	bool		held = true;
	bool		recount = random_below(500) == 0;
	bool		force = recount;

	look_before();
	if (recount)
		count = change_rules(entered);
	else if (random_below(100) == 0)
		count = change_limit(entered);
	else if (places[number].state == PADV_PLACE_FREE)
		force = arrive(number);
	else if (places[number].state == PADV_PLACE_WAITING && random_below(20) == 0)
	{
		grant(number);
		force = true;
	}
	else if (random_below(3) == 0)
		count = depart(number, entered);
	*right &= is_right(entered, count);
	for (int i = 0; i < count && !recount; i++)
		held &= !is_overtaken(entered[i]);
	count_stays();
	return held && (force || limits_hold());
}

static void
test_random(int most)
{
	bool		right = true;
	bool		held = true;
	bool		state = true;
	int			longest = 0;
	int			most_stays = 0;
	int			claims = 0;

	start_over();
	most_accounts = most;
	for (int step = 0; step < 200000; step++)
	{
		held &= change(&right);
		state &= agrees();
		longest = nwaiting > longest ? nwaiting : longest;
		for (int i = 0; i < PLACES; i++)
			most_stays = stays[i] > most_stays ? stays[i] : most_stays;
		for (int i = 0; i < ACCOUNTS; i++)
			claims += accounts[i].claimant != PADV_NOBODY;
	}
	if (most == 1)
		ok(right, "those let in, and in which order, are those of the counterpart");
	ok(state, "counts are right, and all who wait are where they should be; nobody waits who could be in");
	ok(held, "limits hold, and where one stands nobody who came later comes in");
	ok(longest > PLACES / 4, "there was a line to speak of (%d)", longest);
	ok(most == 1 ? claims == 0 : claims > 1000, "accounts are claimed where they cross only (%d)", claims);
	ok(most_stays <= 25, "nobody goes to and fro for long (%d)", most_stays);
}

/* One account of ten for fifty: who came first is first. */
static void
test_first_come(void)
{
	int32_t		entered[PADV_MAX_PLACE_ACCOUNTS];
	bool		in_order = true;
	int			next = 10;

	start_over();
	accounts[0].limit = 10;
	for (int i = 0; i < 50; i++)
	{
		places[i].naccounts = 1;
		places[i].accounts[0] = 0;
		if (padv_line_full_account(&line, &places[i]) == PADV_NOBODY)
			padv_line_enter(&line, &places[i]);
		else
			padv_line_stand(&line, &places[i]);
	}
	ok(accounts[0].in_use == 10 && head.waiting == 40, "ten are in, forty wait");
	for (int i = 0; i < 40; i++)
		in_order &= padv_line_leave(&line, &places[i], entered) == 1 && entered[0] == next++;
	ok(in_order, "each that leaves lets in the one who came first");
	ok(head.waiting == 0 && accounts[0].in_use == 10, "and at the end nobody waits");
}

static void
set_place(int number, int first, int second)
{
	places[number].naccounts = second < 0 ? 1 : 2;
	places[number].accounts[0] = first;
	places[number].accounts[1] = second;
}

/* Of two accounts for one each, both taken: 2 and 3 wait for both, 4 for the second. */
static void
start_two_accounts(void)
{
	start_over();
	accounts[0].limit = 1;
	accounts[1].limit = 1;
	set_place(0, 0, -1);
	set_place(1, 1, -1);
	set_place(2, 0, 1);
	set_place(3, 0, 1);
	set_place(4, 1, -1);
	padv_line_enter(&line, &places[0]);
	padv_line_enter(&line, &places[1]);
	for (int i = 2; i < 5; i++)
		padv_line_stand(&line, &places[i]);
}

/* One who waits for two accounts does not hold up others, nor lose its turn. */
static void
test_two_accounts(void)
{
	int32_t		entered[PADV_MAX_PLACE_ACCOUNTS];

	start_two_accounts();
	ok(padv_line_leave(&line, &places[1], entered) == 1 && entered[0] == 4,
	   "a free place goes to the one who can use it");
	ok(padv_line_leave(&line, &places[0], entered) == 0 && padv_line_standing_at(&line, &places[2]) == 1,
	   "who needs another account goes to stand there");
	ok(accounts[0].claimant == 2 && accounts[0].in_use == 1 && padv_account_inside(&accounts[0]) == 0,
	   "and claims the one that it left");
	ok(padv_line_leave(&line, &places[4], entered) == 1 && entered[0] == 2,
	   "and is let in before those who came later");
	ok(accounts[0].claimant == PADV_NOBODY && accounts[0].in_use == 1, "counted once where it had a claim");
	ok(padv_line_leave(&line, &places[2], entered) == 1 && entered[0] == 3, "then they are");
}

/* What becomes of a claim when its owner goes, is let in, or has less room. */
static void
test_claims(void)
{
	int32_t		entered[PLACES];

	start_two_accounts();
	set_place(5, 0, -1);
	padv_line_stand(&line, &places[5]);
	ok(padv_line_leave(&line, &places[0], entered) == 0 && accounts[0].claimant == 2, "one claims an account");
	padv_line_grant(&line, &places[2]);
	ok(accounts[0].in_use == 1 && accounts[0].claimant == PADV_NOBODY && accounts[1].in_use == 2 &&
	   places[2].state == PADV_PLACE_IN && head.waiting == 3, "who is granted its turn is counted in each account once");
	ok(padv_line_leave(&line, &places[2], entered) == 1 && entered[0] == 5, "and gives each of them back");

	start_two_accounts();
	set_place(5, 0, -1);
	padv_line_stand(&line, &places[5]);
	padv_line_leave(&line, &places[0], entered);
	ok(accounts[0].claimant == 2 && padv_line_leave(&line, &places[2], entered) == 1 && entered[0] == 5 &&
	   accounts[0].claimant == PADV_NOBODY, "what one had claimed who gives up is somebody else's");

	start_two_accounts();
	ok(padv_line_leave(&line, &places[0], entered) == 0 && accounts[0].claimant == 2 &&
	   padv_line_set_limit(&line, 0, 0, entered, 3) == 0 && accounts[0].claimant == PADV_NOBODY &&
	   accounts[0].in_use == 0, "a limit that is lowered takes a claim away");

	start_two_accounts();
	padv_line_leave(&line, &places[0], entered);
	padv_line_recount_begin(&line, ACCOUNTS);
	for (int i = 0; i < PLACES; i++)
		padv_line_recount(&line, &places[i]);
	ok(padv_line_recount_finish(&line, entered) == 0 && accounts[0].claimant == 2 && accounts[0].in_use == 1,
	   "a recount keeps it");
}

/* A place comes to an account and goes again, so many times. */
static void
make_busy(int account, int times)
{
	int32_t		entered[PADV_MAX_PLACE_ACCOUNTS];

	for (int i = 0; i < times; i++)
	{
		set_place(PLACES - 1, account, -1);
		padv_line_enter(&line, &places[PLACES - 1]);
		padv_line_leave(&line, &places[PLACES - 1], entered);
	}
}

/* What is idle because of a claim should be so for a short time. */
static void
test_what_is_claimed(void)
{
	int32_t		entered[PADV_MAX_PLACE_ACCOUNTS];

	start_over();
	accounts[0].limit = accounts[1].limit = 1;
	make_busy(1, 10);
	set_place(0, 1, -1);
	padv_line_enter(&line, &places[0]);
	set_place(1, 1, 0);
	padv_line_stand(&line, &places[1]);
	set_place(2, 0, -1);
	padv_line_enter(&line, &places[2]);
	ok(padv_line_leave(&line, &places[0], entered) == 0 && padv_line_standing_at(&line, &places[1]) == 0 &&
	   accounts[1].claimant == PADV_NOBODY, "a busy account is not claimed for a slow one");
	set_place(0, 1, -1);
	padv_line_enter(&line, &places[0]);
	set_place(3, 1, 0);
	places[3].naccounts = 3;
	places[3].accounts[2] = 2;
	padv_line_stand(&line, &places[3]);
	ok(padv_line_standing_at(&line, &places[3]) == 0, "the slow one is where one stands first");
	ok(padv_line_leave(&line, &places[2], entered) == 0 && accounts[0].claimant == 1, "and that is claimed");

	start_two_accounts();
	set_place(5, 2, -1);
	set_place(6, 0, 2);
	accounts[2].limit = 1;
	padv_line_enter(&line, &places[5]);
	padv_line_leave(&line, &places[2], entered);
	padv_line_leave(&line, &places[3], entered);
	padv_line_stand(&line, &places[6]);
	set_place(2, 2, 1);
	padv_line_stand(&line, &places[2]);
	ok(padv_line_leave(&line, &places[5], entered) == 0 && padv_line_standing_at(&line, &places[2]) == 1 &&
	   accounts[2].claimant == PADV_NOBODY, "nothing is claimed in order to stand behind others");
}

/* One leaves two accounts: who came first is in first. */
static void
test_two_at_once(void)
{
	int32_t		entered[PADV_MAX_PLACE_ACCOUNTS];

	start_over();
	accounts[0].limit = accounts[1].limit = 1;
	set_place(0, 0, 1);
	set_place(1, 1, -1);
	set_place(2, 0, -1);
	padv_line_enter(&line, &places[0]);
	padv_line_stand(&line, &places[1]);
	padv_line_stand(&line, &places[2]);
	ok(padv_line_leave(&line, &places[0], entered) == 2 && entered[0] == 1 && entered[1] == 2,
	   "who came first is in first");
}

/* Between two steps of raising a limit there is more room than one leaves. */
static void
test_much_room(void)
{
	int32_t		entered[PADV_MAX_PLACE_ACCOUNTS];
	int32_t		rest[PLACES];

	start_over();
	accounts[0].limit = 1;
	for (int i = 0; i < 40; i++)
	{
		set_place(i, 0, -1);
		if (i == 0)
			padv_line_enter(&line, &places[i]);
		else
			padv_line_stand(&line, &places[i]);
	}
	accounts[0].limit = -1;
	ok(padv_line_leave(&line, &places[0], entered) == PADV_MAX_PLACE_ACCOUNTS &&
	   entered[PADV_MAX_PLACE_ACCOUNTS - 1] == PADV_MAX_PLACE_ACCOUNTS && !padv_line_is_settled(&line),
	   "one who leaves lets in as many as can be told, in turn");
	set_place(50, 0, -1);
	ok(padv_line_full_account(&line, &places[50]) == 0, "who comes now is behind the rest");
	ok(padv_line_settle(&line, rest) == 39 - PADV_MAX_PLACE_ACCOUNTS && padv_line_is_settled(&line) &&
	   head.waiting == 0, "and they are let in by the next call");
}

/* --- in virtual time: clients that come again as soon as they have left --- */

typedef struct Client
{
	int			accounts[2];
	int			service;		/* its time inside, at most twice of that */
	int			ends;			/* when it leaves, while it is in */
	int			since;			/* when it came */
	int			longest;		/* wait so far */
	int			served;
} Client;

static Client clients[PLACES];
static int	nclients;

static void
add_clients(int count, int first, int second, int service)
{
	for (int i = 0; i < count; i++)
	{
		places[nclients].state = PADV_PLACE_FREE;
		clients[nclients++] = (Client) {{first, second}, service, -1, 0, 0, 0};
	}
}

static void
start_serving(int number, int now)
{
	Client	   *client = &clients[number];

	client->ends = now + 1 + random_below(2 * client->service);
	client->longest = now - client->since > client->longest ? now - client->since : client->longest;
	client->served++;
}

static void
come(int number, int now)
{
	set_place(number, clients[number].accounts[0], clients[number].accounts[1]);
	clients[number].since = now;
	if (padv_line_full_account(&line, &places[number]) == PADV_NOBODY)
	{
		padv_line_enter(&line, &places[number]);
		start_serving(number, now);
	}
	else
		padv_line_stand(&line, &places[number]);
}

/* Returns how many were inside the first two accounts, in the mean. */
static void
simulate(int until, double *first, double *second)
{
	int32_t		entered[PLACES + PADV_MAX_PLACE_ACCOUNTS];
	double		sum[2] = {0, 0};

	for (int i = 0; i < nclients; i++)
		come(i, 0);
	for (int now = 1; now <= until; now++)
	{
		for (int i = 0; i < nclients; i++)
		{
			int			count;

			if (places[i].state != PADV_PLACE_IN || clients[i].ends > now)
				continue;
			count = settle_rest(entered, padv_line_leave(&line, &places[i], entered));
			for (int j = 0; j < count; j++)
				start_serving(entered[j], now);
			come(i, now);
		}
		sum[0] += padv_account_inside(&accounts[0]);
		sum[1] += padv_account_inside(&accounts[1]);
	}
	*first = sum[0] / until;
	*second = sum[1] / until;
}

static int
longest_wait(int from, int to)
{
	int			longest = 0;

	for (int i = from; i < to; i++)
	{
		int			wait = clients[i].longest;

		longest = wait > longest ? wait : longest;
	}
	return longest;
}

/* Two busy accounts of two, four clients for each, and some who need both. */
static void
test_crossing(int both)
{
	double		first;
	double		second;

	start_over();
	nclients = 0;
	accounts[0].limit = accounts[1].limit = 2;
	add_clients(4, 0, -1, 20);
	add_clients(4, 1, -1, 20);
	add_clients(both, 0, 1, 20);
	simulate(200000, &first, &second);
	ok(longest_wait(8, nclients) < (both + 12) * 20 && clients[8].served > 200000 / ((both + 12) * 20),
	   "%d under two busy accounts do not starve (%d, %d times)", both, longest_wait(8, nclients), clients[8].served);
	ok(longest_wait(0, 8) < (both + 12) * 20, "nor do those under one (%d)", longest_wait(0, 8));
	ok(first > 1.4 && second > 1.4, "the accounts are in use (%.2f, %.2f of 2)", first, second);
}

/* A wide and busy account is not held for one that is narrow and slow. */
static void
test_slow_and_busy(int slow, int busy)
{
	double		used_by[2];

	start_over();
	nclients = 0;
	accounts[slow].limit = 1;
	accounts[busy].limit = 4;
	add_clients(20, busy, -1, 2);
	add_clients(20, slow, busy, 1000);
	simulate(300000, &used_by[0], &used_by[1]);
	ok(used_by[busy] > 3.95, "the busy account is not held for the slow one (%.2f of 4)", used_by[busy]);
	ok(used_by[slow] > 0.95, "nor is the slow one wasted (%.2f of 1)", used_by[slow]);
	ok(longest_wait(0, 20) < 200, "who needs the busy one only is in soon (%d)", longest_wait(0, 20));
}

/* --- many --- */

/* The most steps that one call takes until all is settled; the calls. */
static int
count_steps(int leaving, uint64_t *most)
{
	int32_t		entered[PADV_MAX_PLACE_ACCOUNTS];
	int			calls = 0;
	uint64_t	before;

	do
	{
		before = head.steps;
		if (calls++ == 0)
			padv_line_leave(&line, &places[leaving], entered);
		else
			padv_line_settle(&line, entered);
		*most = head.steps - before > *most ? head.steps - before : *most;
	} while (!padv_line_is_settled(&line));
	return calls;
}

/* All stand at the first account and need the second; each may have one of its own. */
static void
test_many(bool own)
{
	int			calls;
	uint64_t	most = 0;
	bool		stood = true;

	padv_line_init(&line, MANY_ACCOUNTS, MANY + 10);
	accounts[0].limit = accounts[1].limit = 1;
	set_place(MANY, 0, -1);
	set_place(MANY + 1, 1, -1);
	set_place(MANY + 2, 1, -1);
	padv_line_enter(&line, &places[MANY]);
	padv_line_enter(&line, &places[MANY + 1]);
	padv_line_stand(&line, &places[MANY + 2]);
	for (int i = 0; i < MANY; i++)
	{
		uint64_t	before = head.steps;

		places[i].naccounts = own ? 3 : 2;
		places[i].accounts[0] = 0;
		places[i].accounts[1] = 1;
		places[i].accounts[2] = 2 + i;
		padv_line_stand(&line, &places[i]);
		stood &= head.steps - before < 100;
	}
	ok(stood && accounts[0].standing == MANY, "it is a few steps to the end of a long line");
	calls = count_steps(MANY, &most);
	ok(most <= 2000 && padv_line_is_settled(&line), "what one call does is bounded (%d, in %d calls)",
	   (int) most, calls);
	most = 0;
	calls = count_steps(MANY + 1, &most);
	calls = count_steps(MANY + 2, &most);
	for (int i = 0; i < MANY && most <= 2000; i++)
		if (places[i].state == PADV_PLACE_IN)
			calls += count_steps(i, &most);
	ok(most <= 2000 && head.waiting == 0, "so it is until all have been in (%d, %d calls)", (int) most, calls);
}

/* Waiters of many parties whose first account gets much room while the second is full. */
static void
test_bounded_moves(void)
{
	int32_t		entered[PADV_MAX_PLACE_ACCOUNTS];
	uint64_t	most = 0;
	int			calls = 1;
	int			moved;

	padv_line_init(&line, MANY_ACCOUNTS, MANY + 10);
	accounts[0].limit = accounts[1].limit = 0;
	for (int i = 0; i < MANY; i++)
	{
		places[i].naccounts = 3;
		places[i].accounts[0] = 0;
		places[i].accounts[1] = 1;
		places[i].accounts[2] = 2 + i;
		padv_line_stand(&line, &places[i]);
	}
	padv_line_set_limit(&line, 0, 1, entered, PADV_MAX_PLACE_ACCOUNTS);
	moved = accounts[1].standing;
	ok(moved > 0 && moved <= 8 && accounts[0].standing == MANY - moved && !padv_line_is_settled(&line),
	   "few move in one call (%d)", moved);
	set_place(MANY, 0, -1);
	ok(padv_line_full_account(&line, &places[MANY]) == 0, "and who comes meanwhile does not slip in");
	padv_line_stand(&line, &places[MANY]);
	for (; !padv_line_is_settled(&line); calls++)
	{
		uint64_t	before = head.steps;

		if (padv_line_settle(&line, entered) > 0)
			ok(entered[0] == MANY, "who came last is in when all others have moved");
		most = head.steps - before > most ? head.steps - before : most;
	}
	ok(accounts[1].standing == MANY && places[MANY].state == PADV_PLACE_IN && most <= 2000,
	   "the rest moves in %d calls of %d steps", calls, (int) most);
}

int
main(void)
{
	test_much_room();
	test_first_come();
	test_two_accounts();
	test_claims();
	test_what_is_claimed();
	test_two_at_once();
	test_random(1);
	test_random(3);
	test_crossing(1);
	test_crossing(20);
	test_slow_and_busy(0, 1);
	test_slow_and_busy(1, 0);
	test_many(false);
	test_many(true);
	test_bounded_moves();
	return tap_end();
}
