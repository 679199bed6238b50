/*
 * test_wait_queue.c
 *		The waiting queue against a slow, obvious counterpart, and its promises where
 *		quotas cross.
 *
 * The counterpart keeps who waits in one list, by arrival, and after each
 * change goes through all of it and lets in everybody for whom there is room.
 * Where all are under one quota at most, the queue must do exactly that.  Where
 * quotas cross it must hold what the head of wait_queue.c promises, which is looked
 * up here in the requests themselves.
 */
#include <stdlib.h>
#include <string.h>

#include "core/policy/wait_queue.h"
#include "tap.h"

#define ACCOUNTS 12
#define PLACES 60

#define MANY 5000
#define MANY_ACCOUNTS (MANY + 10)

static PadvWaitQueueHead head;
static PadvQuota quotas[MANY_ACCOUNTS];
static PadvRequest requests[MANY + 10];
static PadvWaitQueue queue = {&head, (char *) quotas, sizeof(PadvQuota), (char *) requests, sizeof(PadvRequest), {NULL, NULL}, 0};

/* the counterpart */
static int	limit[ACCOUNTS];
static int	waiting[PLACES];		/* requests, by arrival */
static int	nwaiting = 0;
static bool inside[PLACES];

/* of the promises: what was seen before the last change */
static int	stood_at[PLACES];		/* PADV_NONE: did not wait */
static int	stays[PLACES];			/* quotas at which it has stood */
static int	in_use_before[ACCOUNTS];
static uint64_t rank_before[PLACES];

static int	most_accounts = 3;
static bool newest = false;		/* quotas serve the newest first now and then */
static int	elders_seen = 0;
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
	padv_queue_init(&queue, ACCOUNTS, PLACES);
	nwaiting = 0;
	memset(inside, 0, sizeof(inside));
	for (int i = 0; i < ACCOUNTS; i++)
		quotas[i].limit = limit[i] = -1;
}

static bool
is_under(const PadvRequest *request, int quota)
{
	for (int i = 0; i < request->nquotas; i++)
		if (request->quotas[i] == quota)
			return true;
	return false;
}

static int
used(int quota)
{
	int			count = 0;

	for (int i = 0; i < PLACES; i++)
		count += requests[i].state == PADV_REQUEST_GRANTED && is_under(&requests[i], quota);
	return count;
}

static bool
fits(int request)
{
	for (int i = 0; i < requests[request].nquotas; i++)
	{
		int			quota = requests[request].quotas[i];
		int			count = 0;

		for (int p = 0; p < PLACES; p++)
			count += inside[p] && is_under(&requests[p], quota);
		if (limit[quota] >= 0 && count >= limit[quota])
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

/* Let in whom there is room for; what the queue should have written. */
static int
grant_fitting(int *granted)
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
		granted[count++] = waiting[i];
		remove_waiting(i);
	}
	return count;
}

/* What the queue has let in, as far as the counterpart is not to say it. */
static void
note_entered(const int32_t *granted, int count)
{
	for (int i = 0; i < count; i++)
	{
		inside[granted[i]] = true;
		forget_waiting(granted[i]);
	}
}

/* With one quota each the counterpart knows who comes in, and when. */
static bool
is_right(const int32_t *granted, int count)
{
	int			expected[PLACES];
	int			nexpected;

	if (most_accounts > 1 || newest)
	{
		note_entered(granted, count);
		return true;
	}
	nexpected = grant_fitting(expected);
	for (int i = 0; i < nexpected && i < count; i++)
		if (expected[i] != granted[i])
			return false;
	return nexpected == count;
}

static int
waiting_under(int quota)
{
	int			count = 0;

	for (int i = 0; i < nwaiting; i++)
		count += is_under(&requests[waiting[i]], quota);
	return count;
}

/* --- the queue as it is --- */

/* Neither an elder nor an ordinary one. */
static bool
is_of_newest(int request)
{
	return requests[request].rank != requests[request].arrival && requests[request].rank < UINT64_C(1) << 63;
}

/* The leaders at a quota, by its ring; -1 where that is broken. */
static int
count_ring(int quota)
{
	int			count = 0;
	int			p = quotas[quota].ring;

	if (p == PADV_NONE)
		return 0;
	do
	{
		if (requests[p].at != quota || requests[p].party_previous != PADV_NONE ||
			requests[requests[p].ring_next].ring_previous != p || ++count > PLACES)
			return -1;
		p = requests[p].ring_next;
	} while (p != quotas[quota].ring);
	return count;
}

/* The same by its heap. */
static int
count_leaders(int root)
{
	return root == PADV_NONE ? 0 :
		1 + count_leaders(requests[root].heap_left) + count_leaders(requests[root].heap_right);
}

/* Parties below a root of a heap, in their order; how many stand there, or -1. */
static int
count_heap(int root, int up, int at, uint64_t after)
{
	int			left;
	int			right;
	int			members = 0;
	int			elders = 0;
	int			last = root;
	int			last_newest = PADV_NONE;

	if (root == PADV_NONE)
		return 0;
	if (requests[root].state != PADV_REQUEST_WAITING || requests[root].heap_up != up ||
		requests[root].at != at || requests[root].rank < after || requests[root].party_previous != PADV_NONE)
		return -1;
	for (int p = root; p != PADV_NONE; last = p, p = requests[p].party_next, members++)
	{
		if (members > PLACES || padv_queue_queued_at(&queue, &requests[p]) != at ||
			(p != root && (requests[p].party_previous != last || requests[p].rank < requests[last].rank)))
			return -1;
		if (is_of_newest(p))
			last_newest = p;
		elders += requests[p].rank == requests[p].arrival;
	}
	if (members != requests[root].party_size || requests[root].party_last != last ||
		requests[root].newest_last != last_newest || elders > 1)
		return -1;
	elders_seen += elders;
	left = count_heap(requests[root].heap_left, root, at, requests[root].rank);
	right = count_heap(requests[root].heap_right, root, at, requests[root].rank);
	return left < 0 || right < 0 ? -1 : left + right + members;
}

/* Invariants 1 and 4 of a claim. */
static bool
claim_is_right(int number)
{
	const PadvQuota *quota = &quotas[number];
	const PadvRequest *claimant;

	if (quota->claimant == PADV_NONE)
		return true;
	claimant = &requests[quota->claimant];
	return claimant->state == PADV_REQUEST_WAITING && is_under(claimant, number) &&
		padv_queue_queued_at(&queue, claimant) != number &&
		(quota->first == PADV_NONE || requests[quota->first].rank > claimant->rank);
}

static bool
agrees(void)
{
	int			linked = 0;
	int			next = head.first;

	for (int i = 0; i < ACCOUNTS; i++)
	{
		int			count = count_heap(quotas[i].first, PADV_NONE, i, 0);

		if (padv_quota_granted(&quotas[i]) != used(i) || !claim_is_right(i) ||
			count != quotas[i].linked || quotas[i].waiting != waiting_under(i) ||
			(count > 0 && padv_quota_has_room(&quotas[i])) ||
			count_ring(i) != count_leaders(quotas[i].first))
			return false;
		linked += count;
	}
	for (int i = 0; i < nwaiting; i++, next = requests[next].queue_next)
		if (next != waiting[i] || requests[next].state != PADV_REQUEST_WAITING)
			return false;
	for (int i = 0; i < PLACES; i++)
		if (inside[i] != (requests[i].state == PADV_REQUEST_GRANTED))
			return false;
	return next == PADV_NONE && linked == nwaiting && head.waiting == nwaiting &&
		padv_queue_is_settled(&queue);
}

/* --- the promises, from one change to the next --- */

static void
look_before(void)
{
	for (int i = 0; i < PLACES; i++)
	{
		stood_at[i] = requests[i].state == PADV_REQUEST_WAITING ?
			padv_queue_queued_at(&queue, &requests[i]) : PADV_NONE;
		rank_before[i] = requests[i].rank;
	}
	for (int i = 0; i < ACCOUNTS; i++)
		in_use_before[i] = quotas[i].in_use;
}

static void
count_stays(void)
{
	for (int i = 0; i < PLACES; i++)
		if (requests[i].state != PADV_REQUEST_WAITING)
			stays[i] = 0;
		else if (padv_queue_queued_at(&queue, &requests[i]) != stood_at[i])
			stays[i]++;
}

/* Nobody got in at a quota where one stands, and stood, who goes before. */
static bool
is_overtaken(int granted)
{
	for (int i = 0; i < nwaiting; i++)
	{
		int			at = padv_queue_queued_at(&queue, &requests[waiting[i]]);

		if (rank_before[waiting[i]] < requests[granted].rank && stood_at[waiting[i]] == at &&
			is_under(&requests[granted], at))
			return true;
	}
	return false;
}

/* Beyond a limit nobody comes in, unless forced; but some may still be there. */
static bool
limits_hold(void)
{
	for (int i = 0; i < ACCOUNTS; i++)
		if (quotas[i].limit >= 0 && quotas[i].in_use > quotas[i].limit &&
			quotas[i].in_use > in_use_before[i])
			return false;
	return true;
}

/* --- changes --- */

static void
choose_accounts(PadvRequest *request)
{
	int			count = random_below(most_accounts + 1);

	request->nquotas = 0;
	while (request->nquotas < count)
	{
		int			quota = random_below(ACCOUNTS);

		if (!is_under(request, quota))
			request->quotas[request->nquotas++] = quota;
	}
}

/* Settle what a call has left, as callers do; all who have come in are in entered. */
static int
settle_rest(int32_t *granted, int count)
{
	while (!padv_queue_is_settled(&queue))
		count += padv_queue_settle(&queue, granted + count);
	return count;
}

/* Returns whether it was forced in. */
static bool
arrive(int number)
{
	PadvRequest  *request = &requests[number];
	bool		force = random_below(20) == 0;

	choose_accounts(request);
	if (padv_queue_first_full(&queue, request) == PADV_NONE || force)
	{
		padv_queue_acquire(&queue, request);
		inside[number] = true;
		return force;
	}
	padv_queue_enqueue(&queue, request);
	waiting[nwaiting++] = number;
	return false;
}

static int
depart(int number, int32_t *granted)
{
	inside[number] = false;
	forget_waiting(number);
	return settle_rest(granted, padv_queue_release(&queue, &requests[number], granted));
}

/* Other limits, and other quotas for some. */
static int
change_rules(int32_t *granted)
{
	padv_queue_rebuild_begin(&queue, ACCOUNTS);
	for (int i = 0; i < ACCOUNTS; i++)
		quotas[i].limit = limit[i] = random_below(9) - 1;
	for (int i = 0; i < PLACES; i++)
	{
		if (requests[i].state != PADV_REQUEST_NONE && random_below(3) == 0)
			choose_accounts(&requests[i]);
		padv_queue_rebuild_add(&queue, &requests[i]);
	}
	return padv_queue_rebuild_finish(&queue, granted);
}

/* One limit only. */
static int
change_limit(int32_t *granted)
{
	int			quota = random_below(ACCOUNTS);

	limit[quota] = random_below(9) - 1;
	return settle_rest(granted, padv_queue_set_limit(&queue, quota, limit[quota], granted, 3));
}

static void
grant(int number)
{
	padv_queue_grant(&queue, &requests[number]);
	inside[number] = true;
	forget_waiting(number);
}

/* One change; false when a promise is broken by it. */
static bool
change(bool *right)
{
	int32_t		granted[PLACES + PADV_MAX_REQUEST_QUOTAS];
	int			number = random_below(PLACES);
	int			count = 0;
	bool		held = true;
	bool		recount = random_below(newest ? 5000 : 500) == 0;
	bool		force = recount;

	look_before();
	if (newest && random_below(50) == 0)
		padv_queue_set_newest_first(&queue, random_below(ACCOUNTS), random_below(4) > 0);
	if (recount)
		count = change_rules(granted);
	else if (random_below(100) == 0)
		count = change_limit(granted);
	else if (requests[number].state == PADV_REQUEST_NONE)
		force = arrive(number);
	else if (requests[number].state == PADV_REQUEST_WAITING && random_below(20) == 0)
	{
		grant(number);
		force = true;
	}
	else if (random_below(3) == 0)
		count = depart(number, granted);
	*right &= is_right(granted, count);
	for (int i = 0; i < count && !recount; i++)
		held &= !is_overtaken(granted[i]);
	count_stays();
	return held && (force || limits_hold());
}

static void
test_random(int most, bool newest_first)
{
	bool		right = true;
	bool		held = true;
	bool		state = true;
	int			longest = 0;
	int			most_stays = 0;
	int			claims = 0;

	elders_seen = 0;
	start_over();
	most_accounts = most;
	newest = newest_first;
	for (int step = 0; step < 200000; step++)
	{
		held &= change(&right);
		state &= agrees();
		longest = nwaiting > longest ? nwaiting : longest;
		for (int i = 0; i < PLACES; i++)
			most_stays = stays[i] > most_stays ? stays[i] : most_stays;
		for (int i = 0; i < ACCOUNTS; i++)
			claims += quotas[i].claimant != PADV_NONE;
	}
	if (most == 1 && !newest)
		ok(right, "those let in, and in which order, are those of the counterpart");
	ok(state, "counts are right, and all who wait are where they should be; nobody waits who could be in");
	ok(held, "limits hold, and where one stands nobody who goes later comes in");
	ok(longest > (newest ? PLACES / 5 : PLACES / 4), "there was a queue to speak of (%d)", longest);
	ok(newest ? elders_seen > 20 : elders_seen == 0, "the oldest are preferred where the newest go first (%d)", elders_seen);
	ok(most == 1 ? claims == 0 : claims > 1000, "quotas are claimed where they cross only (%d)", claims);
	ok(most_stays <= 25, "nobody goes to and fro for long (%d)", most_stays);
}

/* One quota of ten for fifty: who came first is first. */
static void
test_first_come(void)
{
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];
	bool		in_order = true;
	int			next = 10;

	start_over();
	quotas[0].limit = 10;
	for (int i = 0; i < 50; i++)
	{
		requests[i].nquotas = 1;
		requests[i].quotas[0] = 0;
		if (padv_queue_first_full(&queue, &requests[i]) == PADV_NONE)
			padv_queue_acquire(&queue, &requests[i]);
		else
			padv_queue_enqueue(&queue, &requests[i]);
	}
	ok(quotas[0].in_use == 10 && head.waiting == 40, "ten are in, forty wait");
	for (int i = 0; i < 40; i++)
		in_order &= padv_queue_release(&queue, &requests[i], granted) == 1 && granted[0] == next++;
	ok(in_order, "each that leaves lets in the one who came first");
	ok(head.waiting == 0 && quotas[0].in_use == 10, "and at the end nobody waits");
}

static void
set_place(int number, int first, int second)
{
	requests[number].nquotas = second < 0 ? 1 : 2;
	requests[number].quotas[0] = first;
	requests[number].quotas[1] = second;
}

/* Of two quotas for one each, both taken: 2 and 3 wait for both, 4 for the second. */
static void
start_two_accounts(void)
{
	start_over();
	quotas[0].limit = 1;
	quotas[1].limit = 1;
	set_place(0, 0, -1);
	set_place(1, 1, -1);
	set_place(2, 0, 1);
	set_place(3, 0, 1);
	set_place(4, 1, -1);
	padv_queue_acquire(&queue, &requests[0]);
	padv_queue_acquire(&queue, &requests[1]);
	for (int i = 2; i < 5; i++)
		padv_queue_enqueue(&queue, &requests[i]);
}

/* One who waits for two quotas does not hold up others, nor lose its turn. */
static void
test_two_accounts(void)
{
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];

	start_two_accounts();
	ok(padv_queue_release(&queue, &requests[1], granted) == 1 && granted[0] == 4,
	   "a free request goes to the one who can use it");
	ok(padv_queue_release(&queue, &requests[0], granted) == 0 && padv_queue_queued_at(&queue, &requests[2]) == 1,
	   "who needs another quota goes to stand there");
	ok(quotas[0].claimant == 2 && quotas[0].in_use == 1 && padv_quota_granted(&quotas[0]) == 0,
	   "and claims the one that it left");
	ok(padv_queue_release(&queue, &requests[4], granted) == 1 && granted[0] == 2,
	   "and is let in before those who came later");
	ok(quotas[0].claimant == PADV_NONE && quotas[0].in_use == 1, "counted once where it had a claim");
	ok(padv_queue_release(&queue, &requests[2], granted) == 1 && granted[0] == 3, "then they are");
}

/* What becomes of a claim when its owner goes, is let in, or has less room. */
static void
test_claims(void)
{
	int32_t		granted[PLACES];

	start_two_accounts();
	set_place(5, 0, -1);
	padv_queue_enqueue(&queue, &requests[5]);
	ok(padv_queue_release(&queue, &requests[0], granted) == 0 && quotas[0].claimant == 2, "one claims a quota");
	padv_queue_grant(&queue, &requests[2]);
	ok(quotas[0].in_use == 1 && quotas[0].claimant == PADV_NONE && quotas[1].in_use == 2 &&
	   requests[2].state == PADV_REQUEST_GRANTED && head.waiting == 3, "who is granted its turn is counted in each quota once");
	ok(padv_queue_release(&queue, &requests[2], granted) == 1 && granted[0] == 5, "and gives each of them back");

	start_two_accounts();
	set_place(5, 0, -1);
	padv_queue_enqueue(&queue, &requests[5]);
	padv_queue_release(&queue, &requests[0], granted);
	ok(quotas[0].claimant == 2 && padv_queue_release(&queue, &requests[2], granted) == 1 && granted[0] == 5 &&
	   quotas[0].claimant == PADV_NONE, "what one had claimed who gives up is somebody else's");

	start_two_accounts();
	ok(padv_queue_release(&queue, &requests[0], granted) == 0 && quotas[0].claimant == 2 &&
	   padv_queue_set_limit(&queue, 0, 0, granted, 3) == 0 && quotas[0].claimant == PADV_NONE &&
	   quotas[0].in_use == 0, "a limit that is lowered takes a claim away");

	start_two_accounts();
	padv_queue_release(&queue, &requests[0], granted);
	padv_queue_rebuild_begin(&queue, ACCOUNTS);
	for (int i = 0; i < PLACES; i++)
		padv_queue_rebuild_add(&queue, &requests[i]);
	ok(padv_queue_rebuild_finish(&queue, granted) == 0 && quotas[0].claimant == 2 && quotas[0].in_use == 1,
	   "a recount keeps it");
}

/* A request comes to a quota and goes again, so many times. */
static void
make_busy(int quota, int times)
{
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];

	for (int i = 0; i < times; i++)
	{
		set_place(PLACES - 1, quota, -1);
		padv_queue_acquire(&queue, &requests[PLACES - 1]);
		padv_queue_release(&queue, &requests[PLACES - 1], granted);
	}
}

/* What is idle because of a claim should be so for a short time. */
static void
test_what_is_claimed(void)
{
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];

	start_over();
	quotas[0].limit = quotas[1].limit = 1;
	make_busy(1, 10);
	set_place(0, 1, -1);
	padv_queue_acquire(&queue, &requests[0]);
	set_place(1, 1, 0);
	padv_queue_enqueue(&queue, &requests[1]);
	set_place(2, 0, -1);
	padv_queue_acquire(&queue, &requests[2]);
	ok(padv_queue_release(&queue, &requests[0], granted) == 0 && padv_queue_queued_at(&queue, &requests[1]) == 0 &&
	   quotas[1].claimant == PADV_NONE, "a busy quota is not claimed for a slow one");
	set_place(0, 1, -1);
	padv_queue_acquire(&queue, &requests[0]);
	set_place(3, 1, 0);
	requests[3].nquotas = 3;
	requests[3].quotas[2] = 2;
	padv_queue_enqueue(&queue, &requests[3]);
	ok(padv_queue_queued_at(&queue, &requests[3]) == 0, "the slow one is where one stands first");
	ok(padv_queue_release(&queue, &requests[2], granted) == 0 && quotas[0].claimant == 1, "and that is claimed");

	start_two_accounts();
	set_place(5, 2, -1);
	set_place(6, 0, 2);
	quotas[2].limit = 1;
	padv_queue_acquire(&queue, &requests[5]);
	padv_queue_release(&queue, &requests[2], granted);
	padv_queue_release(&queue, &requests[3], granted);
	padv_queue_enqueue(&queue, &requests[6]);
	set_place(2, 2, 1);
	padv_queue_enqueue(&queue, &requests[2]);
	ok(padv_queue_release(&queue, &requests[5], granted) == 0 && padv_queue_queued_at(&queue, &requests[2]) == 1 &&
	   quotas[2].claimant == PADV_NONE, "nothing is claimed in order to stand behind others");
}

/* One leaves two quotas: who came first is in first. */
static void
test_two_at_once(void)
{
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];

	start_over();
	quotas[0].limit = quotas[1].limit = 1;
	set_place(0, 0, 1);
	set_place(1, 1, -1);
	set_place(2, 0, -1);
	padv_queue_acquire(&queue, &requests[0]);
	padv_queue_enqueue(&queue, &requests[1]);
	padv_queue_enqueue(&queue, &requests[2]);
	ok(padv_queue_release(&queue, &requests[0], granted) == 2 && granted[0] == 1 && granted[1] == 2,
	   "who came first is in first");
}

/* Between two steps of raising a limit there is more room than one leaves. */
static void
test_much_room(void)
{
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];
	int32_t		rest[PLACES];

	start_over();
	quotas[0].limit = 1;
	for (int i = 0; i < 40; i++)
	{
		set_place(i, 0, -1);
		if (i == 0)
			padv_queue_acquire(&queue, &requests[i]);
		else
			padv_queue_enqueue(&queue, &requests[i]);
	}
	quotas[0].limit = -1;
	ok(padv_queue_release(&queue, &requests[0], granted) == PADV_MAX_REQUEST_QUOTAS &&
	   granted[PADV_MAX_REQUEST_QUOTAS - 1] == PADV_MAX_REQUEST_QUOTAS && !padv_queue_is_settled(&queue),
	   "one who leaves lets in as many as can be told, in turn");
	set_place(50, 0, -1);
	ok(padv_queue_first_full(&queue, &requests[50]) == 0, "who comes now is behind the rest");
	ok(padv_queue_settle(&queue, rest) == 39 - PADV_MAX_REQUEST_QUOTAS && padv_queue_is_settled(&queue) &&
	   head.waiting == 0, "and they are let in by the next call");
}

/* --- in virtual time: clients that come again as soon as they have left --- */

typedef struct Client
{
	int			quotas[2];
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
		requests[nclients].state = PADV_REQUEST_NONE;
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
	set_place(number, clients[number].quotas[0], clients[number].quotas[1]);
	clients[number].since = now;
	if (padv_queue_first_full(&queue, &requests[number]) == PADV_NONE)
	{
		padv_queue_acquire(&queue, &requests[number]);
		start_serving(number, now);
	}
	else
		padv_queue_enqueue(&queue, &requests[number]);
}

/* Returns how many were inside the first two quotas, in the mean. */
static void
simulate(int until, double *first, double *second)
{
	int32_t		granted[PLACES + PADV_MAX_REQUEST_QUOTAS];
	double		sum[2] = {0, 0};

	for (int i = 0; i < nclients; i++)
		come(i, 0);
	for (int now = 1; now <= until; now++)
	{
		for (int i = 0; i < nclients; i++)
		{
			int			count;

			if (requests[i].state != PADV_REQUEST_GRANTED || clients[i].ends > now)
				continue;
			count = settle_rest(granted, padv_queue_release(&queue, &requests[i], granted));
			for (int j = 0; j < count; j++)
				start_serving(granted[j], now);
			come(i, now);
		}
		sum[0] += padv_quota_granted(&quotas[0]);
		sum[1] += padv_quota_granted(&quotas[1]);
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

/* Two busy quotas of two, four clients for each, and some who need both. */
static void
test_crossing(int both)
{
	double		first;
	double		second;

	start_over();
	nclients = 0;
	quotas[0].limit = quotas[1].limit = 2;
	add_clients(4, 0, -1, 20);
	add_clients(4, 1, -1, 20);
	add_clients(both, 0, 1, 20);
	simulate(200000, &first, &second);
	ok(longest_wait(8, nclients) < (both + 12) * 20 && clients[8].served > 200000 / ((both + 12) * 20),
	   "%d under two busy quotas do not starve (%d, %d times)", both, longest_wait(8, nclients), clients[8].served);
	ok(longest_wait(0, 8) < (both + 12) * 20, "nor do those under one (%d)", longest_wait(0, 8));
	ok(first > 1.4 && second > 1.4, "the quotas are in use (%.2f, %.2f of 2)", first, second);
}

/*
 * The same where both serve the newest first, who are those that have been served just
 * now: the others are not forgotten.
 */
static void
test_crossing_newest(int both)
{
	double		first;
	double		second;
	int			parties = 3;

	start_over();
	nclients = 0;
	quotas[0].limit = quotas[1].limit = 2;
	padv_queue_set_newest_first(&queue, 0, true);
	padv_queue_set_newest_first(&queue, 1, true);
	add_clients(8, 0, -1, 20);
	add_clients(8, 1, -1, 20);
	add_clients(both, 0, 1, 20);
	simulate(400000, &first, &second);
	ok(longest_wait(16, nclients) < 2 * PADV_NEWEST_FOR_ONE_OLDEST * parties * (both + 8) * 20,
	   "newest first, %d under two busy quotas do not starve (%d)", both, longest_wait(16, nclients));
	ok(longest_wait(0, 16) < 2 * PADV_NEWEST_FOR_ONE_OLDEST * parties * (both + 8) * 20,
	   "nor do those under one (%d)", longest_wait(0, 16));
	for (int i = 0; i < nclients; i++)
		parties += clients[i].served == 0;
	ok(parties == 3, "all have been served");
	ok(first > 1.4 && second > 1.4, "the quotas are in use (%.2f, %.2f of 2)", first, second);
}

/* A wide and busy quota is not held for one that is narrow and slow. */
static void
test_slow_and_busy(int slow, int busy)
{
	double		used_by[2];

	start_over();
	nclients = 0;
	quotas[slow].limit = 1;
	quotas[busy].limit = 4;
	add_clients(20, busy, -1, 2);
	add_clients(20, slow, busy, 1000);
	simulate(300000, &used_by[0], &used_by[1]);
	ok(used_by[busy] > 3.95, "the busy quota is not held for the slow one (%.2f of 4)", used_by[busy]);
	ok(used_by[slow] > 0.95, "nor is the slow one wasted (%.2f of 1)", used_by[slow]);
	ok(longest_wait(0, 20) < 200, "who needs the busy one only is in soon (%d)", longest_wait(0, 20));
}

/* --- many --- */

/* The most steps that one call takes until all is settled; the calls. */
static int
count_steps(int leaving, uint64_t *most)
{
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];
	int			calls = 0;
	uint64_t	before;

	do
	{
		before = head.steps;
		if (calls++ == 0)
			padv_queue_release(&queue, &requests[leaving], granted);
		else
			padv_queue_settle(&queue, granted);
		*most = head.steps - before > *most ? head.steps - before : *most;
	} while (!padv_queue_is_settled(&queue));
	return calls;
}

/* All stand at the first quota and need the second; each may have one of its own. */
static void
test_many(bool own)
{
	int			calls;
	uint64_t	most = 0;
	bool		stood = true;

	padv_queue_init(&queue, MANY_ACCOUNTS, MANY + 10);
	quotas[0].limit = quotas[1].limit = 1;
	set_place(MANY, 0, -1);
	set_place(MANY + 1, 1, -1);
	set_place(MANY + 2, 1, -1);
	padv_queue_acquire(&queue, &requests[MANY]);
	padv_queue_acquire(&queue, &requests[MANY + 1]);
	padv_queue_enqueue(&queue, &requests[MANY + 2]);
	for (int i = 0; i < MANY; i++)
	{
		uint64_t	before = head.steps;

		requests[i].nquotas = own ? 3 : 2;
		requests[i].quotas[0] = 0;
		requests[i].quotas[1] = 1;
		requests[i].quotas[2] = 2 + i;
		padv_queue_enqueue(&queue, &requests[i]);
		stood &= head.steps - before < 100;
	}
	ok(stood && quotas[0].linked == MANY, "it is a few steps to the end of a long queue");
	calls = count_steps(MANY, &most);
	ok(most <= 2000 && padv_queue_is_settled(&queue), "what one call does is bounded (%d, in %d calls)",
	   (int) most, calls);
	most = 0;
	calls = count_steps(MANY + 1, &most);
	calls = count_steps(MANY + 2, &most);
	for (int i = 0; i < MANY && most <= 2000; i++)
		if (requests[i].state == PADV_REQUEST_GRANTED)
			calls += count_steps(i, &most);
	ok(most <= 2000 && head.waiting == 0, "so it is until all have been in (%d, %d calls)", (int) most, calls);
}

/* Waiters of many parties whose first quota gets much room while the second is full. */
static void
test_bounded_moves(void)
{
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];
	uint64_t	most = 0;
	int			calls = 1;
	int			moved;

	padv_queue_init(&queue, MANY_ACCOUNTS, MANY + 10);
	quotas[0].limit = quotas[1].limit = 0;
	for (int i = 0; i < MANY; i++)
	{
		requests[i].nquotas = 3;
		requests[i].quotas[0] = 0;
		requests[i].quotas[1] = 1;
		requests[i].quotas[2] = 2 + i;
		padv_queue_enqueue(&queue, &requests[i]);
	}
	padv_queue_set_limit(&queue, 0, 1, granted, PADV_MAX_REQUEST_QUOTAS);
	moved = quotas[1].linked;
	ok(moved > 0 && moved <= 8 && quotas[0].linked == MANY - moved && !padv_queue_is_settled(&queue),
	   "few move in one call (%d)", moved);
	set_place(MANY, 0, -1);
	ok(padv_queue_first_full(&queue, &requests[MANY]) == 0, "and who comes meanwhile does not slip in");
	padv_queue_enqueue(&queue, &requests[MANY]);
	for (; !padv_queue_is_settled(&queue); calls++)
	{
		uint64_t	before = head.steps;

		if (padv_queue_settle(&queue, granted) > 0)
			ok(granted[0] == MANY, "who came last is in when all others have moved");
		most = head.steps - before > most ? head.steps - before : most;
	}
	ok(quotas[1].linked == MANY && requests[MANY].state == PADV_REQUEST_GRANTED && most <= 2000,
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
	test_random(1, false);
	test_random(3, false);
	test_random(1, true);
	test_random(3, true);
	newest = false;
	test_crossing(1);
	test_crossing(20);
	test_crossing_newest(1);
	test_crossing_newest(20);
	test_slow_and_busy(0, 1);
	test_slow_and_busy(1, 0);
	test_many(false);
	test_many(true);
	test_bounded_moves();
	return tap_end();
}
