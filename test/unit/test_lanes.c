/*
 * test_lanes.c
 *		Long transactions beside short ones: their classes, their slots, and a simulation of
 *		clients that use the server's slots for some time each.
 *
 * The simulation does with requests what shmem/long_lane.c does: a request gets its lane by
 * its class, waiters change it with their class, and one that has had its slot for long leaves
 * the lane one slot less.  A slot is as fast as another, whatever the others do.
 */
#include <stdlib.h>
#include <string.h>

#include "core/policy/lanes.h"
#include "core/policy/wait_queue.h"
#include "tap.h"

#define ROLES 40
#define LANE ROLES
#define SERVER (ROLES + 1)
#define QUOTAS (ROLES + 2)
#define CLIENTS 600
#define SECOND INT64_C(1000000)
#define LOOK_US 10000
#define MOST_WAITS 2000000

static PadvWaitQueueHead head;
static PadvQuota quotas[QUOTAS];
static PadvRequest requests[CLIENTS];
static PadvFlow flows[PADV_SHARED_QUOTAS][QUOTAS];
static PadvWaitQueue queue = {&head, (char *) quotas, sizeof(PadvQuota), (char *) requests, sizeof(PadvRequest),
{(char *) flows[PADV_OUTER], (char *) flows[PADV_INNER]}, sizeof(PadvFlow)};
static PadvLanes lanes;

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

/* --- the simulation --- */

/* Clients that do the same. */
typedef struct Kind
{
	int			role;
	uint64_t	query_id;
	double		use;			/* mean, microseconds */
	double		long_use;		/* of one in long_every */
	int			long_every;		/* 0: none */
	double		pause;			/* mean, between two uses; 0: none */
	int			cancels;		/* one in so many waits ends without a slot, at
								 * the end of another one; 0: none */

	/* what they have done */
	double		used;			/* microseconds */
	int64_t		done;
	int64_t		longest_wait;
} Kind;

typedef struct Client
{
	int			kind;
	bool		in_lane;
	bool		turned;			/* by its age */
	bool		moved;			/* while it waited */
	int64_t		until;			/* the end of its use, or of its pause */
	int64_t		since;			/* the start of its wait, or of its use */
} Client;

#define KINDS 12

static Kind kinds[KINDS];
static Client clients[CLIENTS];
static int	nkinds;
static int	nclients;
static int64_t now;
static int64_t next_look;
static uint32_t seen_changes;
static int32_t slots;			/* of the server */
static bool lanes_on;
static int32_t turned_long;		/* running ones that are long by their age */
static bool idle_while_waiting;
static bool must_be_right;
static int32_t most_long;		/* in the lane while short ones waited */
static int64_t *waits;			/* of kind 0 */
static int	nwaits;

static void
start_over(int limit, bool with_lanes)
{
	padv_queue_init(&queue, QUOTAS, CLIENTS);
	padv_queue_set_shared(&queue, PADV_OUTER, SERVER);
	padv_queue_set_shared(&queue, PADV_INNER, LANE);
	memset(&lanes, 0, sizeof(lanes));
	memset(kinds, 0, sizeof(kinds));
	slots = quotas[SERVER].limit = limit;
	lanes_on = with_lanes;
	turned_long = 0;
	nkinds = nclients = nwaits = 0;
	now = SECOND;
	next_look = now;
	seen_changes = 0;
	idle_while_waiting = false;
	must_be_right = true;
	most_long = 0;
}

static Kind *
add_clients(int role, uint64_t query_id, int count, double use, double pause)
{
	kinds[nkinds] = (Kind) {.role = role, .query_id = query_id, .use = use, .pause = pause};
	for (int i = 0; i < count; i++)
		clients[nclients++] = (Client) {.kind = nkinds, .until = now + random_below(1000)};
	return &kinds[nkinds++];
}

static Kind *
kind_of(int number)
{
	return &kinds[clients[number].kind];
}

static uint64_t
class_of(int number)
{
	return padv_lanes_class((uint32_t) kind_of(number)->role + 10, 5, kind_of(number)->query_id);
}

static void
update(int32_t more)
{
	int32_t		shorts = quotas[SERVER].in_use + quotas[SERVER].waiting - quotas[LANE].in_use - quotas[LANE].waiting -
		turned_long + more;
	int32_t		guaranteed = padv_lanes_guaranteed(slots) > turned_long ? padv_lanes_guaranteed(slots) - turned_long : 0;
	int32_t		most;

	padv_queue_set_time(&queue, now);
	if (!lanes_on)
		return;
	if (!padv_lanes_decide(&lanes, quotas[SERVER].waiting - quotas[LANE].waiting, slots, now))
	{
		if (quotas[LANE].limit >= 0)
			(void) padv_queue_set_limit(&queue, LANE, -1, NULL, 0);
		return;
	}
	padv_lanes_note_short(&lanes, shorts < slots ? shorts : slots, now);
	must_be_right = must_be_right && shorts >= 0;
	if (flows[PADV_OUTER][LANE].min_granted != guaranteed)
		padv_queue_set_flow(&queue, PADV_OUTER, LANE, 1, guaranteed);
	most = padv_lanes_most(&lanes, slots, turned_long, now);
	if (quotas[LANE].limit != most)
		(void) padv_queue_set_limit(&queue, LANE, most, NULL, 0);
}

static void
begin_use(int number)
{
	Kind	   *kind = kind_of(number);
	bool		is_long = kind->long_every > 0 && random_below(kind->long_every) == 0;

	clients[number].since = now;
	clients[number].until = now + random_time(is_long ? kind->long_use : kind->use);
}

static void
note_wait(int number)
{
	int64_t		wait = now - clients[number].since;

	if (wait > kind_of(number)->longest_wait)
		kind_of(number)->longest_wait = wait;
	if (clients[number].kind == 0 && nwaits < MOST_WAITS)
		waits[nwaits++] = wait;
}

static void
note_granted(const int32_t *granted, int count)
{
	for (int i = 0; i < count; i++)
	{
		note_wait(granted[i]);
		begin_use(granted[i]);
	}
}

static void
settle(void)
{
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];

	while (!padv_queue_is_settled(&queue))
		note_granted(granted, padv_queue_settle(&queue, granted));
	if (quotas[SERVER].linked > 0 && padv_quota_has_room(&quotas[SERVER]))
		idle_while_waiting = true;
	if (quotas[SERVER].linked > 0 && quotas[LANE].in_use + turned_long > most_long)
		most_long = quotas[LANE].in_use + turned_long;
}

static void
set_quotas(int number)
{
	PadvRequest *request = &requests[number];
	int			role = kind_of(number)->role;

	request->nquotas = 0;
	if (quotas[role].limit >= 0)
		request->quotas[request->nquotas++] = role;
	request->flows[PADV_OUTER] = clients[number].in_lane ? LANE : role;
	request->flows[PADV_INNER] = clients[number].in_lane ? role : 0;
	if (clients[number].in_lane)
		request->quotas[request->nquotas++] = LANE;
	request->quotas[request->nquotas++] = SERVER;
}

static void
ask(int number)
{
	PadvRequest *request = &requests[number];

	clients[number].moved = false;
	clients[number].in_lane = lanes_on && lanes.in_use && padv_lanes_is_long(&lanes, class_of(number));
	set_quotas(number);
	clients[number].since = now;
	update(!clients[number].in_lane);
	if (padv_queue_first_full(&queue, request) != PADV_NONE)
		padv_queue_enqueue(&queue, request);
	else
	{
		padv_queue_acquire(&queue, request);
		note_wait(number);
		begin_use(number);
	}
	settle();
}

static void
leave(int number)
{
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];

	turned_long -= clients[number].turned;
	clients[number].turned = false;
	update(0);
	note_granted(granted, padv_queue_release(&queue, &requests[number], granted));
	settle();
}

static void
give_back(int number)
{
	if (lanes_on && !clients[number].turned)
		padv_lanes_learn(&lanes, class_of(number), now - clients[number].since, now);
	kind_of(number)->done++;
	leave(number);
}

static void
turn_long(int number)
{
	padv_lanes_learn(&lanes, class_of(number), now - clients[number].since, now);
	clients[number].turned = true;
	turned_long++;
	update(0);
}

static void
move_waiter(int number)
{
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];

	note_granted(granted, padv_queue_release(&queue, &requests[number], granted));
	clients[number].moved = true;
	clients[number].in_lane = !clients[number].in_lane;
	set_quotas(number);
	if (padv_queue_first_full(&queue, &requests[number]) != PADV_NONE)
		padv_queue_enqueue(&queue, &requests[number]);
	else
	{
		padv_queue_acquire(&queue, &requests[number]);
		note_wait(number);
		begin_use(number);
	}
}

/* What the worker does every 10 ms. */
static void
look(void)
{
	update(0);
	for (int i = 0; i < nclients && lanes.in_use; i++)
		if (requests[i].state == PADV_REQUEST_GRANTED && !clients[i].in_lane && !clients[i].turned &&
			now - clients[i].since >= padv_lanes_long_after(&lanes))
			turn_long(i);
	for (int i = 0; i < nclients && lanes.changes != seen_changes; i++)
		if (requests[i].state == PADV_REQUEST_WAITING && !clients[i].moved &&
			(lanes.in_use && padv_lanes_is_long(&lanes, class_of(i))) != clients[i].in_lane)
			move_waiter(i);
	seen_changes = lanes.changes;
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
			kind_of(i)->used += (double) (until - now);
	now = until;
}

/* The client has ended its use: a pause, or the next one at once. */
static void
go_on(int number)
{
	double		pause = kind_of(number)->pause;

	if (pause > 0.0)
		clients[number].until = now + random_time(pause);
	else
		ask(number);
}

/* One of the waiters that cancel gives up now. */
static void
cancel_one(void)
{
	int			number = random_below(nclients);

	if (requests[number].state != PADV_REQUEST_WAITING || kind_of(number)->cancels == 0 ||
		random_below(kind_of(number)->cancels) > 0)
		return;
	leave(number);
	clients[number].until = now + 1000;
}

/* Let the clients work for so many microseconds. */
static void
run(int64_t duration)
{
	int64_t		end = now + duration;

	for (;;)
	{
		int			next = next_event();
		int64_t		at = next < 0 ? end : clients[next].until;

		if (lanes_on && next_look < at)
		{
			if (next_look >= end)
				break;
			count_use(next_look);
			next_look += LOOK_US;
			look();
			continue;
		}
		if (at >= end)
			break;
		count_use(at);
		if (requests[next].state == PADV_REQUEST_NONE)
		{
			ask(next);
			continue;
		}
		give_back(next);
		go_on(next);
		cancel_one();
	}
	count_use(end);
}

static void
forget_use(void)
{
	for (int i = 0; i < nkinds; i++)
	{
		kinds[i].used = 0.0;
		kinds[i].done = 0;
		kinds[i].longest_wait = 0;
	}
	nwaits = 0;
	most_long = 0;
}

static int
compare_waits(const void *a, const void *b)
{
	int64_t		left = *(const int64_t *) a;
	int64_t		right = *(const int64_t *) b;

	return left < right ? -1 : left > right;
}

/* The wait that 99 % of those of kind 0 do not exceed. */
static double
p99(void)
{
	qsort(waits, (size_t) nwaits, sizeof(int64_t), compare_waits);
	return nwaits == 0 ? 0.0 : (double) waits[(int) (nwaits * 0.99)];
}

/* --- the tests --- */

static void
learn(uint64_t class_number, int longs, int shorts)
{
	for (int i = 0; i < longs; i++)
		padv_lanes_learn(&lanes, class_number, 10 * SECOND, 0);
	for (int i = 0; i < shorts; i++)
		padv_lanes_learn(&lanes, class_number, 500, 0);
}

static void
test_classes(void)
{
	uint64_t	report = padv_lanes_class(1, 2, 3);
	int			mistakes = 0;
	int			kept = 0;

	memset(&lanes, 0, sizeof(lanes));
	ok(!padv_lanes_is_long(&lanes, report), "an unknown class is short");
	learn(report, 2, 0);
	ok(!padv_lanes_is_long(&lanes, report), "and after two long transactions");
	learn(report, 1, 0);
	ok(padv_lanes_is_long(&lanes, report), "three are enough");
	ok(lanes.changes == 1, "that is a change");
	ok(!padv_lanes_is_long(&lanes, padv_lanes_class(1, 2, 4)) && !padv_lanes_is_long(&lanes, padv_lanes_class(1, 1, 3)) &&
	   !padv_lanes_is_long(&lanes, padv_lanes_class(2, 2, 3)), "of no other query, database or role");
	learn(report, 0, 3);
	ok(!padv_lanes_is_long(&lanes, report), "short ones make it short");
	learn(report, 20, 0);
	learn(report, 0, 3);
	ok(padv_lanes_is_long(&lanes, report), "after many long ones that takes more");
	learn(report, 0, 4);
	ok(!padv_lanes_is_long(&lanes, report) && lanes.changes == 4, "but not many");

	/* one of ten is long */
	for (int i = 0; i < 100000; i++)
	{
		bool		is_long = random_below(10) == 0;

		learn(report, is_long, !is_long);
		mistakes += padv_lanes_is_long(&lanes, report);
	}
	ok(mistakes < 200, "a class with some long transactions is short (%d of 100000)", mistakes);

	/* few short ones are not worth a lane; then there are many; then few again */
	memset(&lanes, 0, sizeof(lanes));
	for (int64_t at = SECOND; at <= 60 * SECOND; at += SECOND / 10)
		padv_lanes_learn(&lanes, 7, 500, at);
	ok(!padv_lanes_decide(&lanes, 0, 8, 60 * SECOND), "ten short ones a second are too few for lanes");
	for (int64_t at = 60 * SECOND; at < 61 * SECOND; at += SECOND / 100)
		padv_lanes_learn(&lanes, 7, 500, at);
	ok(padv_lanes_decide(&lanes, 0, 8, 61 * SECOND) && lanes.changes == 1, "a hundred are enough, and waiters have to move");
	ok(padv_lanes_decide(&lanes, 0, 8, 63 * SECOND) && !padv_lanes_decide(&lanes, 0, 8, 70 * SECOND) && lanes.changes == 2,
	   "they are in use for some seconds more");
	for (int64_t at = 70 * SECOND; at < 80 * SECOND; at += SECOND / 100)
		padv_lanes_learn(&lanes, 7, SECOND, at);
	ok(!padv_lanes_decide(&lanes, 16, 8, 80 * SECOND), "long ones do not count");
	ok(padv_lanes_decide(&lanes, 17, 8, 80 * SECOND), "nor do they have to end if many wait");

	/* more classes than there are entries */
	memset(&lanes, 0, sizeof(lanes));
	for (int i = 0; i < 10000; i++)
		learn(padv_lanes_class(1, 2, (uint64_t) i), i < 100 ? 30 : 1, 0);
	for (int i = 0; i < 100; i++)
		kept += padv_lanes_is_long(&lanes, padv_lanes_class(1, 2, (uint64_t) i));
	ok(kept > 90, "classes with many long transactions stay (%d of 100)", kept);
	ok(padv_lanes_class(0, 0, 0) != 0, "no class has the number 0");
}

static void
test_long_after(void)
{
	memset(&lanes, 0, sizeof(lanes));
	ok(padv_lanes_long_after(&lanes) == 50000, "50 ms are long at least");
	for (int i = 0; i < 1000; i++)
		padv_lanes_learn(&lanes, 7, 500, 0);
	ok(padv_lanes_long_after(&lanes) == 50000, "also beside very short ones");
	for (int i = 0; i < 1000; i++)
		padv_lanes_learn(&lanes, 7, 30000, 0);
	near((double) padv_lanes_long_after(&lanes), 300000.0, 1000.0, "or ten times what short ones use");
	for (int i = 0; i < 1000; i++)
		padv_lanes_learn(&lanes, 7, SECOND, 0);
	near((double) padv_lanes_long_after(&lanes), 300000.0, 1000.0, "long ones do not count there");
}

/* How many may be long, this many seconds after short ones had so many slots. */
static int32_t
most_after(int32_t limit, int32_t shorts, int seconds)
{
	int64_t		at = 100 * SECOND;

	memset(&lanes, 0, sizeof(lanes));
	for (int i = 0; i <= 200; i++)
		padv_lanes_note_short(&lanes, shorts, at += SECOND / 10);
	for (int i = 1; i <= 10 * seconds; i++)
		padv_lanes_note_short(&lanes, 0, at += SECOND / 10);
	return padv_lanes_most(&lanes, limit, 0, at);
}

static void
test_slots(void)
{
	bool		right = true;

	ok(padv_lanes_guaranteed(1) == 0 && padv_lanes_guaranteed(2) == 1 && padv_lanes_guaranteed(4) == 1 &&
	   padv_lanes_guaranteed(8) == 2 && padv_lanes_guaranteed(100) == 25, "a quarter is for long ones");
	ok(most_after(8, 8, 0) == 2 && most_after(8, 0, 0) == 8, "not more while short ones need all, all while there are none");
	ok(most_after(8, 3, 0) == 5 && most_after(8, 1, 0) == 7, "else what short ones leave");
	ok(most_after(16, 16, 1) == 4 && most_after(16, 16, 2) < most_after(16, 16, 3) && most_after(16, 16, 3) < most_after(16, 16, 6),
	   "their need counts less with each second");
	ok(most_after(8, 8, 9) == 7 && most_after(8, 8, 11) == 8, "one slot stays free for ten seconds");
	for (int limit = 1; limit <= 300; limit++)
		for (int shorts = 0; shorts <= limit; shorts++)
			right = right && most_after(limit, shorts, 0) >= 1 && most_after(limit, shorts, 0) <= limit &&
				most_after(limit, shorts, 0) >= padv_lanes_guaranteed(limit) &&
				(limit == 1 || shorts == 0 || most_after(limit, shorts, 0) < limit);
	ok(right, "long ones have a slot, and short ones too, whatever the limit is");

	/* no look for long */
	memset(&lanes, 0, sizeof(lanes));
	padv_lanes_note_short(&lanes, 8, 100 * SECOND);
	padv_lanes_note_short(&lanes, 0, 100 * SECOND + 1000);
	padv_lanes_note_short(&lanes, 0, 105 * SECOND);
	ok(padv_lanes_most(&lanes, 8, 0, 105 * SECOND) == 7 && padv_lanes_most(&lanes, 8, 0, 112 * SECOND) == 8,
	   "without any request it is the same");
	ok(padv_lanes_most(&lanes, 8, 3, 112 * SECOND) == 5 && padv_lanes_most(&lanes, 8, 20, 112 * SECOND) == 1,
	   "those that are long by their age are less for the lane, which has one at least");
}

#define SHORTS 256
#define SHORT_US 2000.0
#define REPORTS 8
#define REPORT_US 1000000.0

/* Short clients beside reports of this role; what both have done. */
static void
mix(int limit, bool with_lanes, int report_role, uint64_t report_query, int32_t report_limit)
{
	start_over(limit, with_lanes);
	add_clients(0, 1, SHORTS, SHORT_US, 0.0);
	add_clients(report_role, report_query, REPORTS, REPORT_US, 0.0);
	quotas[report_role].limit = report_limit;
	run(10 * SECOND);
	forget_use();
	run(60 * SECOND);
}

static void
test_mix(int limit)
{
	int32_t		part = padv_lanes_guaranteed(limit);
	double		alone;
	double		split;

	start_over(limit - part, false);
	add_clients(0, 1, SHORTS, SHORT_US, 0.0);
	run(SECOND);
	forget_use();
	run(20 * SECOND);
	alone = p99();
	mix(limit, false, 1, 2, part);
	split = kinds[1].used;

	mix(limit, false, 0, 2, -1);
	ok(p99() > 4.0 * alone, "limit %d: without lanes short ones wait for long ones (%.1f times as long as alone)", limit, p99() / alone);

	mix(limit, true, 1, 2, -1);
	ok(p99() < 1.3 * alone, "limit %d: with lanes not (%.2f)", limit, p99() / alone);
	ok(kinds[1].used > 0.95 * split, "and long ones have as much as with a limit (%.3f)", kinds[1].used / split);
	ok(most_long <= part && !idle_while_waiting, "no more of them while short ones wait, and nothing is idle");

	mix(limit, true, 0, 2, -1);
	ok(p99() < 1.3 * alone && kinds[1].used > 0.95 * split,
	   "limit %d: the same if one role has both (%.2f, %.3f)", limit, p99() / alone, kinds[1].used / split);

	/* then they are known by their age only, and 4 of them can begin */
	mix(limit, true, 0, 1, -1);
	ok(kinds[1].used > 0.5 * split && kinds[0].done > 0, "limit %d: without query IDs both go on (p99 %.1f, %.3f)", limit,
	   p99() / alone, kinds[1].used / split);
	mix(limit, true, 1, 0, -1);
	ok(p99() < 1.3 * alone && kinds[1].used > 0.95 * split,
	   "limit %d: but a role of their own is enough (%.2f, %.3f)", limit, p99() / alone, kinds[1].used / split);
}

/* What one lane does not use goes to the other. */
static void
test_unused(void)
{
	start_over(8, true);
	add_clients(0, 1, 20, REPORT_US, 0.0);
	run(20 * SECOND);
	forget_use();
	run(60 * SECOND);
	near(kinds[0].used, 8 * 60e6, 1e6, "long ones alone have all slots");

	start_over(8, true);
	add_clients(0, 1, 100, SHORT_US, 0.0);
	run(20 * SECOND);
	near(kinds[0].used, 8 * 20e6, 1e6, "and so have short ones");

	/* short ones use one slot of eight */
	start_over(8, true);
	add_clients(0, 1, 10, SHORT_US, 10.0 * SHORT_US - SHORT_US);
	add_clients(1, 2, 20, REPORT_US, 0.0);
	run(20 * SECOND);
	forget_use();
	run(100 * SECOND);
	ok(p99() < 10.0 * SHORT_US, "some short ones do not wait long (%.0f us)", p99());
	ok(kinds[1].used > 3.0 * 100e6, "and long ones have more than their part (%.2f slots)", kinds[1].used / 100e6);

	/* fifty in a second */
	start_over(4, true);
	add_clients(0, 1, 5, SHORT_US, 1e5);
	add_clients(1, 2, 20, REPORT_US, 0.0);
	run(20 * SECOND);
	forget_use();
	run(200 * SECOND);
	ok(p99() < 10.0 * SHORT_US, "a rare one finds a slot (%.0f us)", p99());
	near(kinds[1].used / 200e6, 3.0, 0.4, "long ones have the others");

	/* one in a second is not worth a slot */
	start_over(4, true);
	add_clients(0, 1, 1, SHORT_US, 1e6);
	add_clients(1, 2, 20, REPORT_US, 0.0);
	run(20 * SECOND);
	forget_use();
	run(200 * SECOND);
	near(kinds[1].used / 200e6, 4.0, 0.05, "beside one in a second long ones have all");
}

static void
test_one_slot(void)
{
	start_over(1, true);
	add_clients(0, 1, 20, SHORT_US, 0.0);
	add_clients(1, 2, 20, REPORT_US, 0.0);
	run(20 * SECOND);
	forget_use();
	run(200 * SECOND);
	ok(kinds[0].used > 50e6 && kinds[1].used > 50e6, "both share the only slot (%.2f)", kinds[0].used / (kinds[0].used + kinds[1].used));
	start_over(2, true);
	add_clients(0, 1, 20, SHORT_US, 0.0);
	add_clients(0, 2, 20, REPORT_US, 0.0);
	run(20 * SECOND);
	forget_use();
	run(200 * SECOND);
	near(kinds[0].used, 200e6, 5e6, "of two each has one");
}

/* Roles share the lane as they share the server's slots. */
static void
test_roles_in_lane(void)
{
	start_over(8, true);
	add_clients(0, 1, 100, SHORT_US, 0.0);
	add_clients(1, 2, 40, REPORT_US, 0.0);
	add_clients(2, 2, 3, REPORT_US, 0.0);
	run(20 * SECOND);
	forget_use();
	run(400 * SECOND);
	near(kinds[2].used / kinds[1].used, 1.0, 0.15, "three long clients have as much as forty of another role");
	ok(kinds[0].used > 5.8 * 400e6, "and short ones the rest");
}

/* All transactions are slow for a while, as when a disk stalls. */
static void
test_stall(void)
{
	int64_t		before;

	start_over(16, true);
	add_clients(0, 1, 100, SHORT_US, 0.0);
	run(10 * SECOND);
	forget_use();
	run(10 * SECOND);
	before = kinds[0].done;
	kinds[0].use = 400000.0;
	run(2 * SECOND);
	kinds[0].use = SHORT_US;
	run(SECOND);
	forget_use();
	run(10 * SECOND);
	ok(kinds[0].done > before * 95 / 100, "a second after a stall all is as before (%.2f)", (double) kinds[0].done / (double) before);
	kinds[0].use = 400000.0;
	run(10 * SECOND);
	forget_use();
	run(100 * SECOND);
	ok(kinds[0].used > 0.97 * 16 * 100e6, "when it stays slow all slots are used (%.2f)", kinds[0].used / 16e8);
}

/* Whatever comes and goes, each waiter gets a slot some time. */
static void
test_nobody_starves(void)
{
	int64_t		worst = 0;
	bool		idle = false;

	for (int try = 0; try < 25; try++)
	{
		int			limit = 1 + random_below(12);

		start_over(limit, true);
		for (int i = 0; i < KINDS; i++)
		{
			bool		is_long = random_below(2) == 0;
			Kind	   *kind = add_clients(random_below(6), (uint64_t) random_below(4), 1 + random_below(20),
										   is_long ? 200000.0 : 3000.0, random_below(3) == 0 ? 100000.0 : 0.0);

			if (random_below(4) == 0)
			{
				kind->long_every = 20;
				kind->long_use = 300000.0;
			}
			kind->cancels = random_below(3) * 20;
		}
		for (int role = 0; role < 6; role++)
		{
			if (random_below(4) == 0)
				quotas[role].limit = 1 + random_below(3);
			padv_queue_set_flow(&queue, PADV_OUTER, role, 1 + random_below(3), 0);
			padv_queue_set_flow(&queue, PADV_INNER, role, 1 + random_below(3), 0);
		}
		run(200 * SECOND);
		for (int i = 0; i < nclients; i++)
			if (requests[i].state == PADV_REQUEST_WAITING && now - clients[i].since > kind_of(i)->longest_wait)
				kind_of(i)->longest_wait = now - clients[i].since;
		for (int i = 0; i < nkinds; i++)
			worst = kinds[i].longest_wait > worst ? kinds[i].longest_wait : worst;
		idle = idle || idle_while_waiting || !must_be_right;
	}
	/* 120 long ones before it on one slot, and as many turns of other roles */
	ok(worst < 150 * SECOND, "no waiter starves (%.1f s)", (double) worst / 1e6);
	ok(!idle, "and no slot is idle while one waits for the server's limit");
}

int
main(void)
{
	waits = malloc(MOST_WAITS * sizeof(int64_t));
	if (waits == NULL)
		return 1;
	test_classes();
	test_long_after();
	test_slots();
	test_mix(4);
	test_mix(8);
	test_unused();
	test_one_slot();
	test_roles_in_lane();
	test_stall();
	test_nobody_starves();
	free(waits);
	return tap_end();
}
