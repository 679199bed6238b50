/*
 * test_shares.c
 *		Flows that share a quota by weight: a simulation of clients that use the quota for
 *		some time each, and random calls.
 *
 * Quota SHARED is the shared one.  Each flow has the number of a quota of its own, which
 * has a limit in some tests.
 */
#include <stdlib.h>
#include <string.h>

#include "core/policy/wait_queue.h"
#include "tap.h"

#define FLOWS 40
#define SHARED FLOWS
#define QUOTAS (FLOWS + 1)
#define CLIENTS 1200
#define SECOND INT64_C(1000000)

static PadvWaitQueueHead head;
static PadvQuota quotas[QUOTAS];
static PadvRequest requests[CLIENTS];
static PadvFlow flows[QUOTAS];
static PadvWaitQueue queue = {&head, (char *) quotas, sizeof(PadvQuota), (char *) requests, sizeof(PadvRequest),
{(char *) flows, NULL}, sizeof(PadvFlow)};

static uint64_t seed = 20260101;

static int
random_below(int n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (int) ((seed >> 33) % (uint64_t) n);
}

/* Exponentially distributed, at least 1. */
static int64_t
random_time(double mean)
{
	return 1 + (int64_t) (-log((1.0 + random_below(1000000)) / 1000001.0) * mean);
}

/* --- clients --- */

typedef struct Client
{
	int			flow;
	bool		own_quota;		/* under that of its flow, too */
	int64_t		until;			/* the end of its use, or of its pause */
	int64_t		since;			/* the start of its wait */
	uint64_t	grants_before;	/* of all, when it began to wait */
} Client;

/* What the clients of a flow do, and have done. */
typedef struct Behaviour
{
	double		use;			/* mean, microseconds */
	double		long_use;		/* one in 20 is so long; 0: none */
	double		pause;			/* mean, between two uses; 0: none */
	double		used;			/* of the quota, microseconds */
	int64_t		longest_wait;
	int64_t		waits;
	double		waited;
} Behaviour;

static Client clients[CLIENTS];
static int	nclients;
static Behaviour behaviours[FLOWS];
static int64_t now;
static uint64_t all_grants;
static bool idle_while_waiting;
static bool minimum_ignored;

static void
start_over(int limit)
{
	padv_queue_init(&queue, QUOTAS, CLIENTS);
	padv_queue_set_shared(&queue, PADV_OUTER, SHARED);
	quotas[SHARED].limit = limit;
	memset(behaviours, 0, sizeof(behaviours));
	nclients = 0;
	now = SECOND;
	all_grants = 0;
	idle_while_waiting = false;
	minimum_ignored = false;
}

static void
add_clients(int flow, int count, double use, double pause)
{
	behaviours[flow].use = use;
	behaviours[flow].pause = pause;
	for (int i = 0; i < count; i++)
		clients[nclients++] = (Client) {.flow = flow, .until = now + random_below(1000)};
}

static int64_t
next_use(int flow)
{
	const Behaviour *behaviour = &behaviours[flow];

	return random_time(behaviour->long_use > 0.0 && random_below(20) == 0 ? behaviour->long_use : behaviour->use);
}

static void
begin_use(int number)
{
	clients[number].until = now + next_use(clients[number].flow);
}

/* A grant to a waiter: the flow that got it had its minimum while another had not? */
static void
note_granted(const int32_t *granted, int count)
{
	for (int i = 0; i < count; i++)
	{
		Client	   *client = &clients[granted[i]];
		Behaviour  *behaviour = &behaviours[client->flow];

		all_grants++;
		behaviour->waits++;
		behaviour->waited += (double) (now - client->since);
		if (now - client->since > behaviour->longest_wait)
			behaviour->longest_wait = now - client->since;
		begin_use(granted[i]);
		if (count == 1 && flows[client->flow].granted > flows[client->flow].min_granted)
			for (int f = 0; f < FLOWS; f++)
				if (flows[f].linked > 0 && flows[f].granted < flows[f].min_granted)
					minimum_ignored = true;
	}
}

static void
settle(void)
{
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];

	while (!padv_queue_is_settled(&queue))
		note_granted(granted, padv_queue_settle(&queue, granted));
	if (quotas[SHARED].linked > 0 && padv_quota_has_room(&quotas[SHARED]))
		idle_while_waiting = true;
}

static void
ask(int number)
{
	PadvRequest *request = &requests[number];
	Client	   *client = &clients[number];

	request->nquotas = 0;
	if (client->own_quota)
		request->quotas[request->nquotas++] = client->flow;
	request->quotas[request->nquotas++] = SHARED;
	request->flows[PADV_OUTER] = client->flow;
	client->since = now;
	client->grants_before = all_grants;
	padv_queue_set_time(&queue, now);
	if (padv_queue_first_full(&queue, request) != PADV_NONE)
	{
		padv_queue_enqueue(&queue, request);
		settle();
		return;
	}
	padv_queue_acquire(&queue, request);
	begin_use(number);
}

static void
give_back(int number)
{
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];

	padv_queue_set_time(&queue, now);
	note_granted(granted, padv_queue_release(&queue, &requests[number], granted));
	settle();
}

/* The client whose time is up next, or -1. */
static int
next_event(void)
{
	int			next = -1;

	for (int i = 0; i < nclients; i++)
		if (requests[i].state != PADV_REQUEST_WAITING && (next < 0 || clients[i].until < clients[next].until))
			next = i;
	return next;
}

static void
count_use(int64_t until)
{
	for (int i = 0; i < nclients; i++)
		if (requests[i].state == PADV_REQUEST_GRANTED)
			behaviours[clients[i].flow].used += (double) (until - now);
}

/* Let the clients work for so many microseconds. */
static void
run(int64_t duration)
{
	int64_t		end = now + duration;

	for (;;)
	{
		int			next = next_event();
		double		pause;

		if (next < 0 || clients[next].until >= end)
			break;
		count_use(clients[next].until);
		now = clients[next].until;
		if (requests[next].state == PADV_REQUEST_NONE)
		{
			ask(next);
			continue;
		}
		give_back(next);
		pause = behaviours[clients[next].flow].pause;
		if (pause > 0.0)
			clients[next].until = now + random_time(pause);
		else
			ask(next);
	}
	count_use(end);
	now = end;
}

static void
forget_use(void)
{
	for (int f = 0; f < FLOWS; f++)
	{
		behaviours[f].used = 0.0;
		behaviours[f].longest_wait = 0;
		behaviours[f].waits = 0;
		behaviours[f].waited = 0.0;
	}
}

static double
all_use(void)
{
	double		sum = 0.0;

	for (int f = 0; f < FLOWS; f++)
		sum += behaviours[f].used;
	return sum;
}

static double
share_of(int flow)
{
	return behaviours[flow].used / all_use();
}

/* The largest difference of a share and that of its weight, as a part of the latter. */
static double
worst_share(void)
{
	double		weights = 0.0;
	double		worst = 0.0;

	for (int f = 0; f < FLOWS; f++)
		weights += behaviours[f].use > 0.0 ? flows[f].weight : 0.0;
	for (int f = 0; f < FLOWS; f++)
		if (behaviours[f].use > 0.0)
			worst = fmax(worst, fabs(share_of(f) * weights / flows[f].weight - 1.0));
	return worst;
}

/* --- the structure --- */

/* Each flow with leaders at the quota has its place, and none goes before that above it. */
static bool
heap_is_right(void)
{
	int			linked = 0;
	int			placed = 0;

	for (int f = 0; f < QUOTAS; f++)
	{
		linked += flows[f].linked;
		placed += flows[f].place != PADV_NONE;
		if ((flows[f].first != PADV_NONE) != (flows[f].place != PADV_NONE) ||
			(flows[f].first != PADV_NONE) != (flows[f].linked > 0) ||
			(flows[f].place != PADV_NONE && flows[flows[f].place].at_place != f))
			return false;
	}
	for (int place = 1; place < head.shared[PADV_OUTER].nflows; place++)
	{
		const PadvFlow *below = &flows[flows[place].at_place];
		const PadvFlow *above = &flows[flows[(place - 1) / 2].at_place];
		bool		below_first = below->granted < below->min_granted;
		bool		above_first = above->granted < above->min_granted;

		if ((below_first && !above_first) || (below_first == above_first && below->time < above->time))
			return false;
	}
	return placed == head.shared[PADV_OUTER].nflows && linked == quotas[SHARED].linked && quotas[SHARED].claimant == PADV_NONE &&
		quotas[SHARED].first == (placed == 0 ? PADV_NONE : flows[flows[0].at_place].first);
}

static bool
counts_are_right(void)
{
	int			granted[QUOTAS] = {0};

	for (int i = 0; i < CLIENTS; i++)
		if (requests[i].state == PADV_REQUEST_GRANTED)
			granted[requests[i].flows[PADV_OUTER]]++;
	for (int f = 0; f < FLOWS; f++)
		if (granted[f] != flows[f].granted)
			return false;
	return true;
}

/* --- the tests --- */

/* Backlogged flows use the quota by their weights, whatever their uses are like. */
static void
test_weights(void)
{
	double		worst = 0.0;

	for (int try = 0; try < 12; try++)
	{
		int			nflows = 2 + random_below(5);

		start_over(1 + random_below(12));
		for (int f = 0; f < nflows; f++)
		{
			add_clients(f, quotas[SHARED].limit + 4 + random_below(30), 1000.0 * (1 + random_below(20)), 0.0);
			flows[f].weight = try == 0 ? 1 : 1 + random_below(8);
			if (random_below(3) == 0)
				behaviours[f].long_use = 10.0 * behaviours[f].use;
		}
		run(5 * SECOND);
		forget_use();
		run(120 * SECOND);
		worst = fmax(worst, worst_share());
		if (idle_while_waiting || !heap_is_right() || !counts_are_right())
			worst = 9.0;
	}
	ok(worst < 0.03, "shares are those of the weights (%.4f)", worst);
}

/* Ten clients beside nine hundred have half, and all of it when the others are away. */
static void
test_few_beside_many(void)
{
	double		alone;
	double		total;

	start_over(4);
	add_clients(0, 10, 2000.0, 0.0);
	run(20 * SECOND);
	alone = behaviours[0].used;
	start_over(4);
	add_clients(0, 10, 2000.0, 0.0);
	add_clients(1, 900, 2000.0, 0.0);
	run(5 * SECOND);
	forget_use();
	run(20 * SECOND);
	total = all_use();
	near(share_of(0), 0.5, 0.015, "ten clients beside nine hundred have half of the quota");
	near(total / alone, 1.0, 0.001, "the quota is as busy as with ten alone");
	ok(behaviours[0].longest_wait < SECOND / 5, "none of the ten waits long");
}

/* A flow that needs less than its share has what it needs, and the others the rest. */
static void
test_unused(void)
{
	start_over(4);
	add_clients(0, 300, 5000.0, 0.0);
	add_clients(1, 300, 5000.0, 0.0);
	add_clients(2, 20, 5000.0, 200000.0);
	run(2 * SECOND);
	forget_use();
	run(60 * SECOND);
	near(behaviours[2].used, 60e6 * 20 * 5000.0 / (5000.0 + 200000.0), 0.1 * 30e6,
		 "a flow that needs a tenth has it");
	near(behaviours[0].used / behaviours[1].used, 1.0, 0.03, "the others have the same");
	near(all_use(), 60e6 * 4, 1e6, "and all of the rest");
	ok(!idle_while_waiting, "nothing is idle while a request waits");
	ok(behaviours[2].waited / (double) behaviours[2].waits < 10000.0, "the small flow waits for the end of one use on average (%.0f us)",
	   behaviours[2].waited / (double) behaviours[2].waits);
}

/* What a flow had before does not count when another comes, for long. */
static void
test_no_credit(void)
{
	start_over(4);
	add_clients(0, 100, 5000.0, 0.0);
	run(100 * SECOND);
	add_clients(1, 100, 5000.0, 0.0);
	forget_use();
	run(2 * SECOND);
	near(share_of(0), 0.5, 0.05, "a flow that comes has its share at once, and no more");

	/* one use of 1000 s, while the other flow waits */
	start_over(1);
	add_clients(0, 1, 1000e6, 0.0);
	run(1000);
	add_clients(1, 50, 5000.0, 0.0);
	run(3000 * SECOND);
	behaviours[0].use = 5000.0;
	add_clients(0, 50, 5000.0, 0.0);
	run(200 * SECOND);
	forget_use();
	run(60 * SECOND);
	ok(share_of(0) > 0.4, "a flow does not pay for more than a while");
}

static void
test_minimum(void)
{
	start_over(6);
	add_clients(0, 300, 5000.0, 0.0);
	add_clients(1, 30, 5000.0, 0.0);
	add_clients(2, 30, 3000.0, 20000.0);
	flows[0].weight = 1000;
	flows[1].min_granted = 2;
	flows[2].min_granted = 1;
	run(2 * SECOND);
	forget_use();
	run(60 * SECOND);
	ok(!minimum_ignored, "no flow with its minimum goes before one without");
	near(behaviours[1].used, 60e6 * 2, 60e6 * 0.05, "a minimum of 2 is 2 while there are waiters");
	ok(behaviours[2].used > 60e6 * 0.95 * 1, "and 1 is 1 at least");
	ok(behaviours[0].used > 60e6 * 2.8, "the others have the rest");
	ok(!idle_while_waiting, "nothing is kept idle for a minimum");

	/* more than there is */
	start_over(2);
	for (int f = 0; f < 3; f++)
	{
		add_clients(f, 20, 4000.0, 0.0);
		flows[f].min_granted = 2;
	}
	run(SECOND);
	forget_use();
	run(60 * SECOND);
	ok(worst_share() < 0.03, "minimums beyond the limit share it by weight");
}

/* In one flow it is the order of arrival; no other flow changes that. */
static void
test_order(void)
{
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];
	int			last[2] = {-1, -1};
	bool		in_order = true;

	start_over(0);
	for (int i = 0; i < 400; i++)
		clients[i] = (Client) {.flow = random_below(2)};
	nclients = 400;
	behaviours[0].use = behaviours[1].use = 1000.0;
	for (int i = 0; i < 400; i++)
		ask(i);
	for (int i = 1; i <= 400; i++)
	{
		int			count = padv_queue_set_limit(&queue, SHARED, i, granted, PADV_MAX_REQUEST_QUOTAS);

		in_order = in_order && count == 1 && granted[0] > last[clients[granted[0]].flow];
		last[clients[granted[0]].flow] = granted[0];
	}
	ok(in_order, "a flow is served in the order of arrival");

	/* under overload the newest of this flow first, and of no other */
	start_over(1);
	for (int i = 0; i < 61; i++)
		clients[i] = (Client) {.flow = i % 2};
	behaviours[0].use = behaviours[1].use = 1000.0;
	padv_queue_set_flow_newest_first(&queue, PADV_OUTER, 1, true);
	for (int i = 0; i < 61; i++)
		ask(i);
	last[0] = 0;
	last[1] = 1000;
	in_order = true;
	for (int i = 0, running = 0; i < 24; i++)
	{
		int			flow;

		now += 1000;
		padv_queue_set_time(&queue, now);
		if (padv_queue_release(&queue, &requests[running], granted) != 1)
			in_order = false;
		running = granted[0];
		flow = clients[running].flow;
		in_order = in_order && (flow == 0 ? running > last[0] : running < last[1]);
		last[flow] = running;
	}
	ok(in_order, "one flow serves its newest first, another one its oldest");
}

/*
 * With uses of the same length each waiter is granted after so many grants as its place in
 * its flow and the weights say, in whatever order requests come and go, and with limits of
 * the flows' own.
 */
static void
test_nobody_starves(void)
{
	double		worst = 0.0;
	bool		right = true;

	for (int try = 0; try < 30; try++)
	{
		int			nflows = 2 + random_below(FLOWS - 2);
		int			limit = 1 + random_below(8);
		double		weights = 0.0;

		start_over(limit);
		nclients = nflows * 8;
		for (int f = 0; f < nflows; f++)
		{
			behaviours[f].use = 1000.0;
			flows[f].weight = 1 + random_below(5);
			weights += flows[f].weight;
			if (random_below(3) == 0)
				quotas[f].limit = 1 + random_below(3);
		}
		for (int i = 0; i < nclients; i++)
			clients[i] = (Client) {.flow = i % nflows, .own_quota = quotas[i % nflows].limit >= 0};
		for (int step = 0; step < 6000; step++)
		{
			int			i = random_below(nclients);

			now += 100;
			if (requests[i].state == PADV_REQUEST_NONE)
				ask(i);
			else if (requests[i].state == PADV_REQUEST_GRANTED || random_below(30) == 0)
				give_back(i);
			for (int j = 0; step % 16 == 0 && j < nclients; j++)
				if (requests[j].state == PADV_REQUEST_WAITING)
					worst = fmax(worst, (double) (all_grants - clients[j].grants_before) /
								 (8.0 * weights / flows[clients[j].flow].weight));
			if (step % 64 == 0)
				right = right && heap_is_right() && counts_are_right() && !idle_while_waiting;
		}
	}
	ok(right, "the heap and the counts are right all the time");
	ok(worst < 8.0, "no waiter starves (%.2f)", worst);
}

/* A rebuild keeps the order of arrival and forgets what was used. */
static void
test_rebuild(void)
{
	int32_t		granted[CLIENTS];

	start_over(4);
	add_clients(0, 40, 2000.0, 0.0);
	add_clients(1, 40, 2000.0, 0.0);
	run(SECOND);
	padv_queue_rebuild_begin(&queue, QUOTAS);
	flows[0].weight = 3;
	for (int i = 0; i < nclients; i++)
		padv_queue_rebuild_add(&queue, &requests[i]);
	note_granted(granted, padv_queue_rebuild_finish(&queue, granted));
	ok(heap_is_right() && counts_are_right() && quotas[SHARED].in_use == 4, "a rebuild counts all again");
	forget_use();
	run(60 * SECOND);
	near(share_of(0), 0.75, 0.02, "and new weights count");
}

/* The work of a call does not grow with the number of waiters. */
static void
test_work(void)
{
	uint64_t	most = 0;

	start_over(30);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = (Client) {.flow = i % FLOWS};
	nclients = CLIENTS;
	for (int f = 0; f < FLOWS; f++)
		behaviours[f].use = 1000.0;
	for (int i = 0; i < CLIENTS; i++)
		ask(i);
	for (int i = 0; i < 20000; i++)
	{
		int			number = random_below(CLIENTS);
		uint64_t	before = head.steps;

		now += 10;
		if (requests[number].state == PADV_REQUEST_GRANTED)
			give_back(number);
		else if (requests[number].state == PADV_REQUEST_NONE)
			ask(number);
		if (head.steps - before > most)
			most = head.steps - before;
	}
	ok(most < 150, "a call takes a bounded number of steps (%lu)", (unsigned long) most);
}

int
main(void)
{
	test_weights();
	test_few_beside_many();
	test_unused();
	test_no_credit();
	test_minimum();
	test_order();
	test_nobody_starves();
	test_rebuild();
	test_work();
	return tap_end();
}
