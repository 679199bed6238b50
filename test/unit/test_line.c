/*
 * test_line.c
 *		The waiting line against a slow, obvious counterpart.
 *
 * The counterpart keeps who waits in one list, by arrival, and after each
 * change goes through all of it and lets in everybody for whom there is room.
 */
#include <stdlib.h>
#include <string.h>

#include "core/line.h"
#include "tap.h"

#define ACCOUNTS 12
#define PLACES 60

static PadvLineHead head;
static PadvAccount accounts[ACCOUNTS];
static PadvPlace places[PLACES];
static PadvLine line = {&head, (char *) accounts, sizeof(PadvAccount), (char *) places, sizeof(PadvPlace)};

/* the counterpart */
static int	limit[ACCOUNTS];
static int	waiting[PLACES];		/* places, by arrival */
static int	nwaiting = 0;
static bool inside[PLACES];

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
		count += inside[i] && is_under(&places[i], account);
	return count;
}

static bool
fits(int place)
{
	for (int i = 0; i < places[place].naccounts; i++)
	{
		int			account = places[place].accounts[i];

		if (limit[account] >= 0 && used(account) >= limit[account])
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

static bool
same_entered(const int *a, int na, const int32_t *b, int nb)
{
	for (int i = 0; i < na && i < nb; i++)
		if (a[i] != b[i])
			return false;
	return na == nb;
}

static int
waiting_under(int account)
{
	int			count = 0;

	for (int i = 0; i < nwaiting; i++)
		count += is_under(&places[waiting[i]], account);
	return count;
}

/* The line as it is, against the counterpart. */
static bool
agrees(void)
{
	int			standing = 0;
	int			next = head.first;

	for (int i = 0; i < ACCOUNTS; i++)
	{
		int			count = 0;

		if (accounts[i].in_use != used(i))
			return false;
		for (int p = accounts[i].first; p != PADV_NOBODY; p = places[p].next, count++)
			if (places[p].at != i || padv_account_has_room(&accounts[i]) ||
				(places[p].next != PADV_NOBODY && places[places[p].next].arrival < places[p].arrival))
				return false;
		if (count != accounts[i].standing || accounts[i].waiting != waiting_under(i))
			return false;
		standing += count;
	}
	for (int i = 0; i < nwaiting; i++, next = places[next].line_next)
		if (next != waiting[i] || places[next].state != PADV_PLACE_WAITING)
			return false;
	for (int i = 0; i < PLACES; i++)
		if (inside[i] != (places[i].state == PADV_PLACE_IN))
			return false;
	return next == PADV_NOBODY && standing == nwaiting && head.waiting == nwaiting;
}

static void
choose_accounts(PadvPlace *place)
{
	int			count = random_below(4);

	place->naccounts = 0;
	while (place->naccounts < count)
	{
		int			account = random_below(ACCOUNTS);

		if (!is_under(place, account))
			place->accounts[place->naccounts++] = account;
	}
}

static void
arrive(int number)
{
	PadvPlace  *place = &places[number];

	choose_accounts(place);
	if (padv_line_full_account(&line, place) == PADV_NOBODY || random_below(20) == 0)
	{
		padv_line_enter(&line, place);
		inside[number] = true;
	}
	else
	{
		padv_line_stand(&line, place);
		waiting[nwaiting++] = number;
	}
}

static bool
depart(int number)
{
	int32_t		entered[PADV_MAX_PLACE_ACCOUNTS];
	int			expected[PLACES];
	int			count;

	count = padv_line_leave(&line, &places[number], entered);
	inside[number] = false;
	for (int i = 0; i < nwaiting; i++)
		if (waiting[i] == number)
			remove_waiting(i--);
	return same_entered(expected, let_in(expected), entered, count);
}

/* Other limits, and other accounts for some. */
static bool
change_rules(void)
{
	int32_t		entered[PLACES];
	int			expected[PLACES];

	padv_line_recount_begin(&line, ACCOUNTS);
	for (int i = 0; i < ACCOUNTS; i++)
		accounts[i].limit = limit[i] = random_below(8) - 1;
	for (int i = 0; i < PLACES; i++)
	{
		if (places[i].state != PADV_PLACE_FREE && random_below(3) == 0)
			choose_accounts(&places[i]);
		padv_line_recount(&line, &places[i]);
	}
	return same_entered(expected, let_in(expected), entered,
						padv_line_recount_finish(&line, entered));
}

/* One limit only, as often as there are more to let in. */
static bool
change_limit(void)
{
	int32_t		entered[PLACES + 3];
	int			expected[PLACES];
	int			account = random_below(ACCOUNTS);
	int			count = 0;
	int			more;

	limit[account] = random_below(8) - 1;
	do
		count += more = padv_line_set_limit(&line, account, limit[account], entered + count, 3);
	while (more == 3);
	return same_entered(expected, let_in(expected), entered, count);
}

static void
test_random(void)
{
	bool		entered = true;
	bool		state = true;
	int			most = 0;

	start_over();
	for (int step = 0; step < 200000; step++)
	{
		int			number = random_below(PLACES);

		if (random_below(500) == 0)
			entered &= change_rules();
		else if (random_below(100) == 0)
			entered &= change_limit();
		else if (places[number].state == PADV_PLACE_FREE)
			arrive(number);
		else if (random_below(3) == 0)
			entered &= depart(number);
		state &= agrees();
		most = nwaiting > most ? nwaiting : most;
	}
	ok(entered, "those let in, and in which order, are those of the counterpart");
	ok(state, "so are counts, and all who wait; nobody waits who could be in");
	ok(most > PLACES / 4, "there was a line to speak of (%d)", most);
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

/* One who waits for two accounts does not hold up others, nor lose its turn. */
static void
test_two_accounts(void)
{
	int32_t		entered[PADV_MAX_PLACE_ACCOUNTS];

	start_over();
	accounts[0].limit = 1;
	accounts[1].limit = 1;
	for (int i = 0; i < 5; i++)
		places[i] = (PadvPlace) {.naccounts = i < 2 ? 1 : 2, .accounts = {i < 2 ? i : 0, 1}};
	places[4].naccounts = 1;
	places[4].accounts[0] = 1;
	padv_line_enter(&line, &places[0]);
	padv_line_enter(&line, &places[1]);
	for (int i = 2; i < 5; i++)
		padv_line_stand(&line, &places[i]);

	ok(padv_line_leave(&line, &places[1], entered) == 1 && entered[0] == 4,
	   "a free place goes to the one who can use it");
	ok(padv_line_leave(&line, &places[0], entered) == 0 && places[2].at == 1,
	   "who needs another account goes to stand there");
	ok(padv_line_leave(&line, &places[4], entered) == 1 && entered[0] == 2,
	   "and is let in before those who came later");
	ok(padv_line_leave(&line, &places[2], entered) == 1 && entered[0] == 3, "then they are");
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
		places[i].naccounts = 1;
		places[i].accounts[0] = 0;
		if (i == 0)
			padv_line_enter(&line, &places[i]);
		else
			padv_line_stand(&line, &places[i]);
	}
	accounts[0].limit = -1;
	ok(padv_line_leave(&line, &places[0], entered) == PADV_MAX_PLACE_ACCOUNTS &&
	   entered[PADV_MAX_PLACE_ACCOUNTS - 1] == PADV_MAX_PLACE_ACCOUNTS,
	   "one who leaves lets in as many as can be told, in turn");
	ok(padv_line_set_limit(&line, 0, -1, rest, PLACES) == 39 - PADV_MAX_PLACE_ACCOUNTS &&
	   head.waiting == 0, "and the limit lets in the rest");
}

int
main(void)
{
	test_much_room();
	test_first_come();
	test_two_accounts();
	test_random();
	return tap_end();
}
