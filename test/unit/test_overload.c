/*
 * test_overload.c
 *		The queue of transactions when more come than can be served.
 *
 * A simulation in virtual time of the queue and its watch: transactions come at their own
 * rate, a limit lets some run, and clients give up.  What is done before its client gives
 * up is useful.  Beside it stands the same queue that always serves first come, first
 * served, and closed loops, which must not be touched.
 */
#include <stdlib.h>
#include <string.h>

#include "core/policy/queue_watch.h"
#include "core/policy/wait_queue.h"
#include "tap.h"

#define TICK_US 200
#define SECOND INT64_C(1000000)
#define MS INT64_C(1000)

#define PLACES 8000
#define SLOTS 8
#define SERVICE_US 5000
#define CAPACITY ((double) SLOTS * SECOND / SERVICE_US)
#define MOST_LATENCIES 400000

typedef struct Client
{
	int64_t		came;
	int64_t		ends;			/* when its work is done, while it is in */
	bool		returns;		/* in closed loop: comes again at once */
	int			group;
} Client;

/* After this time without work a session finds its caches cold. */
#define COLD_AFTER (300 * MS)

static PadvWaitQueueHead head;
static PadvQuota quotas[2];
static PadvRequest requests[PLACES];
static PadvWaitQueue queue = {&head, (char *) quotas, sizeof(PadvQuota), (char *) requests, sizeof(PadvRequest), {NULL, NULL}, 0};
static PadvQueueWatch watch;

static Client clients[PLACES];
static int	free_places[PLACES];
static int	nfree;
static int	inside[PLACES];
static int	ninside;

/* the load */
static int64_t now;
static int64_t target;			/* 0: first come, first served */
static int64_t patience;		/* 0: without end */
static bool tells;				/* who gives up leaves the queue */
static double next_arrival;
static double cold_cost = 1.0;	/* of a session's work when its caches are cold */
static int64_t worked_at[PLACES];
static int64_t stands_until;	/* before, no work goes on */

/* what came of it */
static int	came;
static int	useful;
static int	gave_up;
static int64_t ticks_overloaded;
static int64_t latencies[MOST_LATENCIES];	/* of those that came since */
static int	nlatencies;
static int64_t longest_wait[2];	/* of those who were granted a slot */
static int	served[2];

static uint64_t seed = 5;

static double
draw(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return ((double) (seed >> 11) + 0.5) / 9007199254740992.0;
}

static double
exponential(double mean)
{
	return -log(draw()) * mean;
}

static void
start(int64_t with_target, int64_t with_patience, bool with_word)
{
	cold_cost = 1.0;
	stands_until = 0;
	memset(worked_at, 0, sizeof(worked_at));
	padv_queue_init(&queue, 2, PLACES);
	quotas[0].limit = SLOTS;
	nfree = ninside = 0;
	for (int i = PLACES - 1; i >= 0; i--)
		free_places[nfree++] = i;
	now = 10 * SECOND;
	next_arrival = (double) now;
	target = with_target;
	patience = with_patience;
	tells = with_word;
	padv_queue_watch_begin(&watch, now);
}

/* Count from here on. */
static void
count_anew(void)
{
	came = useful = gave_up = nlatencies = 0;
	ticks_overloaded = 0;
	memset(longest_wait, 0, sizeof(longest_wait));
	memset(served, 0, sizeof(served));
}

static void
begin_work(int number, bool waited)
{
	Client	   *client = &clients[number];
	int64_t		wait = now - client->came;

	client->ends = (now < stands_until ? stands_until : now) + 1 +
		(int64_t) (exponential(SERVICE_US) * (now - worked_at[number] > COLD_AFTER ? cold_cost : 1.0));
	inside[ninside++] = number;
	if (waited)
		padv_queue_watch_granted(&watch, wait, target, quotas[0].linked, now);
	if (wait > longest_wait[client->group])
		longest_wait[client->group] = wait;
}

/* As shmem/xact_slots.c does. */
static void
come(int number)
{
	PadvRequest  *request = &requests[number];

	clients[number].came = now;
	came++;
	request->nquotas = 1;
	request->quotas[0] = 0;
	if (padv_queue_first_full(&queue, request) == PADV_NONE)
	{
		padv_queue_acquire(&queue, request);
		begin_work(number, false);
		return;
	}
	if (quotas[0].linked == 0)
		padv_queue_watch_begin(&watch, now);
	padv_queue_set_newest_first(&queue, 0, padv_queue_watch_is_overloaded(&watch, now));
	padv_queue_enqueue(&queue, request);
}

static void
leave(int number)
{
	int32_t		granted[PADV_MAX_REQUEST_QUOTAS];
	int			count = padv_queue_release(&queue, &requests[number], granted);

	for (int i = 0; i < count; i++)
		begin_work(granted[i], true);
	while (!padv_queue_is_settled(&queue))
	{
		count = padv_queue_settle(&queue, granted);
		for (int i = 0; i < count; i++)
			begin_work(granted[i], true);
	}
	if (clients[number].returns)
		come(number);
	else
		free_places[nfree++] = number;
}

/* Its work is done, or its client has gone. */
static void
finish(int index)
{
	int			number = inside[index];
	Client	   *client = &clients[number];
	int64_t		latency = now - client->came;

	worked_at[number] = now;
	inside[index] = inside[--ninside];
	served[client->group]++;
	if (patience == 0 || client->returns || latency < patience)
	{
		useful++;
		if (!client->returns && nlatencies < MOST_LATENCIES)
			latencies[nlatencies++] = latency;
	}
	leave(number);
}

static bool
is_out_of_patience(int number)
{
	return patience > 0 && tells && !clients[number].returns && now - clients[number].came >= patience;
}

static void
give_up(void)
{
	int			next;

	for (int i = 0; i < ninside; i++)
		if (clients[inside[i]].ends <= now || is_out_of_patience(inside[i]))
			finish(i--);
	for (int i = patience > 0 && tells ? head.first : PADV_NONE; i != PADV_NONE; i = next)
	{
		next = requests[i].queue_next;
		if (!is_out_of_patience(i))
			break;				/* who is behind came later */
		padv_queue_watch_cancelled(&watch, target, quotas[0].linked, now);
		gave_up++;
		leave(i);
	}
}

/* So many times the capacity, for so long. */
static void
run(double load, int64_t time)
{
	for (int64_t until = now + time; now < until; now += TICK_US)
	{
		give_up();
		if (load <= 0.0)
			next_arrival = (double) now;
		for (; load > 0.0 && next_arrival <= (double) now; next_arrival += exponential(SECOND / (CAPACITY * load)))
			if (nfree > 0)
			{
				int			number = free_places[--nfree];

				clients[number] = (Client) {0};
				come(number);
			}
		ticks_overloaded += padv_queue_watch_is_overloaded(&watch, now);
	}
}

static void
add_returning(int count)
{
	for (int i = 0; i < count; i++)
	{
		int			number = free_places[--nfree];

		clients[number] = (Client) {.returns = true, .group = 1};
		come(number);
	}
}

static int
compare(const void *a, const void *b)
{
	int64_t		left = *(const int64_t *) a;
	int64_t		right = *(const int64_t *) b;

	return left < right ? -1 : left > right;
}

static double
p99_ms(void)
{
	qsort(latencies, (size_t) nlatencies, sizeof(int64_t), compare);
	return nlatencies == 0 ? 0.0 : (double) latencies[(int) (nlatencies * 0.99)] / 1000.0;
}

/* Useful work, as a share of what can be done. */
static double
share(int64_t time)
{
	return useful / (CAPACITY * (double) time / SECOND);
}

#define TARGET (50 * MS)

static const int64_t patiences[] = {100 * MS, SECOND};

/* Useful work at this load, once it has lasted for a while. */
static double
useful_at(double load, int64_t with_target, int64_t with_patience, bool with_word)
{
	start(with_target, with_patience, with_word);
	run(load, 3 * SECOND);
	count_anew();
	run(load, 12 * SECOND);
	return share(12 * SECOND);
}

static void
test_loads(void)
{
	static const double below[] = {0.5, 0.8, 0.9};
	static const double above[] = {1.2, 1.5, 3.0};

	for (int i = 0; i < 12; i++)
	{
		int64_t		with_patience = patiences[i / 3 % 2];
		bool		with_word = i / 6;
		double		done = useful_at(below[i % 3], TARGET, with_patience, with_word);

		ok(ticks_overloaded == 0 && done > 0.96 * below[i % 3], "load %.1f, patience %d ms, %s: no overload, all is useful (%.2f)",
		   below[i % 3], (int) (with_patience / MS), with_word ? "told" : "not told", done);
		done = useful_at(above[i % 3], TARGET, with_patience, with_word);
		ok(done >= 0.9, "load %.1f: useful work is nine tenths of the most (%.2f)", above[i % 3], done);
	}
	for (int i = 0; i < 2; i++)
	{
		double		done = useful_at(1.5, 0, patiences[i], false);

		ok(done < 0.4, "first come, first served, clients that do not tell: patience %d ms (%.2f)", (int) (patiences[i] / MS), done);
	}
}

/* Latencies are soon as before, and the queue empties. */
static void
test_recovery(double load, double overload)
{
	double		before;
	double		after;

	start(TARGET, 100 * MS, false);
	run(load, 2 * SECOND);
	count_anew();
	run(load, 20 * SECOND);
	before = p99_ms();
	run(overload, 2 * SECOND);
	ok(padv_queue_watch_is_overloaded(&watch, now), "%.1f times the capacity is an overload", overload);
	run(load, 2 * SECOND);
	count_anew();
	run(load, 20 * SECOND);
	after = p99_ms();
	ok(after < 1.5 * before, "p99 at load %.1f: %.1f ms before, %.1f from 2 s after an overload on", load, before, after);
	run(load, 30 * SECOND);
	ok(!padv_queue_watch_is_overloaded(&watch, now) && head.waiting < 100,
	   "the overload is over, and who was left has been served (%d wait)", head.waiting);
}

static void
test_bursts(void)
{
	int			stuck = 0;
	int			slow = 0;

	for (int i = 0; i < 20; i++)
	{
		start(TARGET, patiences[i % 2], i % 4 < 2);
		for (int burst = 0; burst < 6; burst++)
		{
			run(1.0 + 3.0 * draw(), (int64_t) (draw() * 1.5 * SECOND));
			run(draw() * 0.8, (int64_t) (draw() * 2 * SECOND));
		}
		run(0.5, 12 * SECOND);
		stuck += padv_queue_watch_is_overloaded(&watch, now) || head.waiting > 50;
		count_anew();
		run(0.5, 6 * SECOND);
		slow += ticks_overloaded > 0 || share(6 * SECOND) < 0.46;
	}
	ok(stuck == 0, "after bursts no queue is left, nor an overload (%d of 20)", stuck);
	ok(slow == 0, "and all is as before (%d of 20)", slow);
}

/* Those who came before the overload are let in now and then, until all were. */
static void
test_oldest(void)
{
	start(TARGET, 100 * MS, false);
	count_anew();
	for (int i = 0; i < 3000; i++)
	{
		int			number = free_places[--nfree];

		clients[number] = (Client) {.group = 1};
		come(number);
	}
	run(1.2, 2 * SECOND);
	ok(padv_queue_watch_is_overloaded(&watch, now) && served[1] < 2500, "some have been served (%d of 3000)", served[1]);
	run(1.2, 2 * SECOND);
	ok(served[1] < 2600, "others are served slowly (%d)", served[1]);
	run(1.2, 16 * SECOND);
	ok(padv_queue_watch_is_overloaded(&watch, now) && served[1] == 3000, "and all are while it lasts (%d)", served[1]);
}

/* The longest wait of clients that come again when they have been served. */
static int64_t
longest_in_closed_loop(int64_t with_target)
{
	start(with_target, 0, false);
	add_returning(200);
	run(0.0, 5 * SECOND);
	count_anew();
	run(0.0, 20 * SECOND);
	return longest_wait[1];
}

/* No target lets closed loops alone, and the default costs them little. */
static void
test_closed_loop(void)
{
	int64_t		fair = longest_in_closed_loop(0);
	int64_t		unfair = longest_in_closed_loop(TARGET);
	int64_t		by_default;

	ok(fair < 2 * 200 * SERVICE_US / SLOTS, "closed loop, no target: nobody waits for much longer than all others (%d ms)", (int) (fair / MS));
	ok(unfair > 3 * fair, "with one the newest of them are served again and again (%d ms)", (int) (unfair / MS));
	ok(unfair < 2 * PADV_NEWEST_FOR_ONE_OLDEST * fair, "but the others are not forgotten");
	by_default = longest_in_closed_loop(PADV_TARGET_DRAIN);
	ok(ticks_overloaded > 0, "by default the newest are served first for a moment");
	ok(ticks_overloaded < 2 * SECOND / TICK_US, "of 20 s less than 2 s (%d ms)", (int) (ticks_overloaded * TICK_US / MS));
	ok(by_default < fair + SECOND, "which costs no more than that (%d ms)", (int) (by_default / MS));
	run(0.0, 240 * SECOND);
	count_anew();
	run(0.0, 240 * SECOND);
	ok(ticks_overloaded < 240 * SECOND / TICK_US / 50, "later it is less than a fiftieth of the time (%d ms of 240 s)",
	   (int) (ticks_overloaded * TICK_US / MS));
}

/*
 * Sessions of a pool, of which the one that was idle for the shortest time gets the next
 * request, and that work slower after a pause.  Then all stand still for a second.
 */
static int
waiting_after_delay(int64_t with_target, double load, double cost, int64_t time)
{
	start(with_target, 0, false);
	nfree = 500;
	cold_cost = cost;
	run(load, 5 * SECOND);
	stands_until = now + SECOND;
	run(load, time);
	return head.waiting;
}

static void
test_cold_queue(void)
{
	static const double loads[] = {0.55, 0.6, 0.7, 0.8};

	for (int i = 0; i < 4; i++)
	{
		double		cost = 1.2 / loads[i];
		int			fifo = waiting_after_delay(0, loads[i], cost, 30 * SECOND);
		int			drained = waiting_after_delay(PADV_TARGET_DRAIN, loads[i], cost, 10 * SECOND);

		ok(fifo > 300, "load %.2f, cold work %.1f times as slow: first come, first served never comes out of a delay of 1 s (%d wait)",
		   loads[i], cost, fifo);
		ok(drained < 30, "by default the queue drains (%d wait after 10 s)", drained);
		count_anew();
		run(loads[i], 20 * SECOND);
		ok(ticks_overloaded == 0 && head.waiting < 30, "and stays short, in the order of arrival (%d wait)", head.waiting);
	}
	ok(waiting_after_delay(PADV_TARGET_DRAIN, 0.95, 1.0, 60 * SECOND) < 100, "where sessions are equally fast it drains in either order");
}

int
main(void)
{
	test_loads();
	test_recovery(0.5, 3.0);
	test_recovery(0.8, 1.5);
	test_bursts();
	test_oldest();
	test_closed_loop();
	test_cold_queue();
	return tap_end();
}
