/*
 * test_queue_watch.c
 *		What is foretold of a wait, and when nothing is.
 */
#include <stdlib.h>

#include "core/policy/queue_watch.h"
#include "tap.h"

#define MS INT64_C(1000)
#define SECOND INT64_C(1000000)

static PadvQueueWatch watch;
static int64_t now;

/* So many a second are granted a slot after this wait, for so long. */
static void
grant_for(int64_t time, int rate, int64_t wait)
{
	for (int64_t until = now + time; now < until;)
	{
		now += SECOND / rate;
		padv_queue_watch_granted(&watch, wait, 0, 100, now);
	}
}

static int64_t
foretold(int ahead)
{
	return padv_queue_watch_least_wait(&watch, ahead, now);
}

static void
start(void)
{
	now = 100 * SECOND;
	padv_queue_watch_begin(&watch, now);
}

static void
test_unknown(void)
{
	start();
	ok(foretold(1000) == PADV_WAIT_UNKNOWN, "nothing is known of a queue that has just begun");
	grant_for(300 * MS, 1000, 5 * SECOND);
	ok(foretold(1000) == PADV_WAIT_UNKNOWN, "nor after a moment, however many were granted a slot");
	start();
	grant_for(8 * SECOND, 1, 5 * SECOND);
	ok(foretold(1000) == PADV_WAIT_UNKNOWN, "nor after a few, however long that took");
	grant_for(9 * SECOND, 1, 5 * SECOND);
	ok(foretold(1000) == 5 * SECOND, "after more of them it is");
	now += 30 * SECOND;
	ok(foretold(1000) == 5 * SECOND, "and for a while, as it is slow");
	now += 30 * SECOND;
	ok(foretold(1000) == PADV_WAIT_UNKNOWN, "but not for ever");
	start();
	for (int i = 0; i < 1000; i++)
		padv_queue_watch_cancelled(&watch, 0, 100, now += MS);
	ok(foretold(1000) == PADV_WAIT_UNKNOWN, "where all give up nothing is known");
	start();
	grant_for(2 * SECOND, 1000, 5 * SECOND);
	padv_queue_watch_begin(&watch, now);
	ok(foretold(1000) == PADV_WAIT_UNKNOWN, "nor when the queue has been empty since");
	padv_queue_watch_begin(&watch, 0);
	grant_for(400 * MS, 1000, 5 * SECOND);
	ok(foretold(10) == PADV_WAIT_UNKNOWN, "nor soon after the rules have changed");
	grant_for(400 * MS, 1000, 5 * SECOND);
	near((double) foretold(150) / SECOND, 0.1, 0.01, "but after a while, by the rate since then");
}

static void
test_foretold(void)
{
	start();
	grant_for(2 * SECOND, 100, 5 * SECOND);
	ok(foretold(10000) == 5 * SECOND, "a long queue: at least what others have waited");
	near((double) foretold(150) / SECOND, 1.0, 0.05, "a shorter one: by its length, with the margin");
	ok(foretold(0) == 0, "nobody is ahead");
	grant_for(300 * MS, 1000, 5 * SECOND);
	near((double) foretold(150) / SECOND, 0.1, 0.01, "a queue that moves faster is believed soon");
	padv_queue_watch_granted(&watch, 20 * MS, 0, 100, now);
	ok(foretold(10000) == 20 * MS, "one short wait, and no longer one is foretold");
	grant_for(3 * SECOND, 100, 5 * SECOND);
	ok(foretold(10000) == 5 * SECOND, "until that is forgotten");
	grant_for(300 * MS, 10, 5 * SECOND);
	ok(foretold(150) < 2 * SECOND, "a queue that moves slower is not believed at once (by that it would be 10 s)");
	for (int i = 0; i < 2000; i++)
	{
		now += MS;
		padv_queue_watch_cancelled(&watch, 0, 100, now);
		if (i % 10 == 0)
			padv_queue_watch_granted(&watch, 5 * SECOND, 0, 100, now);
	}
	near((double) foretold(150) / SECOND, 150.0 / 1100.0 / 1.5, 0.01, "waiters that give up make room too");
}

/* So many a second are granted a slot for so long, under a target. */
static void
grant_under(int64_t target, int64_t time, int rate, int64_t wait)
{
	for (int64_t until = now + time; now < until;)
	{
		now += SECOND / rate;
		padv_queue_watch_granted(&watch, wait, target, 100, now);
	}
}

static void
test_overload(void)
{
	start();
	grant_under(0, 2 * SECOND, 100, 5 * SECOND);
	ok(!padv_queue_watch_is_overloaded(&watch, now), "without a target nothing is an overload");
	start();
	grant_under(50 * MS, 2 * SECOND, 100, 40 * MS);
	ok(!padv_queue_watch_is_overloaded(&watch, now), "nor are waits below it");
	grant_under(50 * MS, 300 * MS, 100, 60 * MS);
	ok(!padv_queue_watch_is_overloaded(&watch, now), "nor is a moment above it");
	start();
	for (int i = 0; i < 40; i++)
	{
		grant_under(50 * MS, 200 * MS, 100, 500 * MS);
		grant_under(50 * MS, 10 * MS, 100, 40 * MS);
	}
	ok(!padv_queue_watch_is_overloaded(&watch, now), "nor waits some of which are below it");
	grant_under(50 * MS, 2 * SECOND, 100, 60 * MS);
	ok(padv_queue_watch_is_overloaded(&watch, now), "all waits above it for an interval are");
	ok(foretold(10000) == PADV_WAIT_UNKNOWN, "and then no wait is foretold");
	for (int i = 0; i < 10; i++)
	{
		grant_under(50 * MS, 200 * MS, 100, 0);
		grant_under(50 * MS, 10 * MS, 100, 500 * MS);
	}
	ok(padv_queue_watch_is_overloaded(&watch, now), "it goes on while the oldest wait for longer");
	now += 10 * SECOND;
	ok(!padv_queue_watch_is_overloaded(&watch, now), "but not where nothing is granted");
	grant_under(50 * MS, 2 * SECOND, 100, 60 * MS);
	grant_under(50 * MS, 2 * SECOND, 100, 10 * MS);
	ok(!padv_queue_watch_is_overloaded(&watch, now), "it is over when they do not");
	grant_under(50 * MS, 2 * SECOND, 100, 60 * MS);
	padv_queue_watch_begin(&watch, now);
	ok(!padv_queue_watch_is_overloaded(&watch, now), "or when the queue has been empty");
}

/* An interval of waits above what begins a drain; so many wait at its end. */
static bool
drains_with(int waiters)
{
	for (int64_t until = now + 500 * MS; now < until;)
	{
		now += 10 * MS;
		padv_queue_watch_granted(&watch, 300 * MS, PADV_TARGET_DRAIN, waiters, now);
	}
	return padv_queue_watch_is_overloaded(&watch, now);
}

/* How many intervals pass until the next attempt. */
static int
intervals_until_drain(int waiters)
{
	int			count = 0;

	while (!drains_with(waiters) && count < 1000)
		count++;
	return count;
}

static void
test_drain(void)
{
	int			pause;
	int			longest = 0;

	start();
	ok(drains_with(500), "long waits, no target: the newest are served first");
	ok(drains_with(470) && drains_with(440) && drains_with(400), "as long as the queue becomes shorter");
	ok(!drains_with(395), "and no longer");
	pause = intervals_until_drain(370);
	ok(pause >= 8 && pause <= 10, "after a pause it is tried again (%d intervals)", pause);
	for (int i = 0; i < 12; i++)
	{
		while (drains_with(370))
			;
		pause = intervals_until_drain(370);
		longest = pause > longest ? pause : longest;
	}
	ok(pause == longest && longest > 590 && longest < 610, "pauses double up to five minutes (%d intervals)", pause);
	while (drains_with(370))
		;
	padv_queue_watch_begin(&watch, now);
	ok(drains_with(500), "a queue that has been empty begins anew");
	for (int i = 0; i < 100; i++)
		padv_queue_watch_granted(&watch, 20 * MS, PADV_TARGET_DRAIN, 10, now += 10 * MS);
	ok(!padv_queue_watch_is_overloaded(&watch, now), "short waits end it");
}

/* --- against queues as they are: nobody is refused who would have been served --- */

#define MOST 4000

typedef struct Waiter
{
	int64_t		came;
	int64_t		deadline;
} Waiter;

static uint64_t seed = 7;

static double
draw(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return ((double) (seed >> 11) + 0.5) / 9007199254740992.0;
}

static Waiter queue[MOST];
static int	length;

static void
remove_at(int index)
{
	length--;
	for (int i = index; i < length; i++)
		queue[i] = queue[i + 1];
}

/*
 * Waiters come at a rate and are served in turn, at a rate that changes every few
 * seconds; each gives up at its deadline.  Who is foretold a longer wait stays all
 * the same, and what becomes of it is counted.
 */
static void
run(double arrivals, double service, double patience, bool all_alike, int *foretold_late, int *wrong)
{
	int64_t		next_arrival = 0;
	int64_t		next_grant = 0;
	double		speed = 1.0;
	static bool late[MOST];

	length = 0;
	*foretold_late = *wrong = 0;
	start();
	next_arrival = next_grant = now;
	for (int64_t until = now + 60 * SECOND; now < until; now += MS)
	{
		if (draw() < 0.0003)
			speed = 0.5 + draw();
		for (int i = 0; i < length; i++)
			if (queue[i].deadline <= now)
			{
				padv_queue_watch_cancelled(&watch, 0, 100, now);
				remove_at(i);
				for (int j = i; j < length; j++)
					late[j] = late[j + 1];
				i--;
			}
		for (; next_arrival <= now && length < MOST - 1; next_arrival += (int64_t) (-log(draw()) / arrivals * SECOND))
		{
			int64_t		mine = (int64_t) (patience * SECOND * (all_alike ? 1.0 : 2.0 * draw()));
			int64_t		least;

			if (length == 0)
				padv_queue_watch_begin(&watch, now);
			least = padv_queue_watch_least_wait(&watch, length, now);
			late[length] = least >= mine;
			*foretold_late += late[length];
			queue[length++] = (Waiter) {now, now + mine};
		}
		for (; next_grant <= now; next_grant += (int64_t) (-log(draw()) / (service * speed) * SECOND))
			if (length > 0)
			{
				*wrong += late[0];
				padv_queue_watch_granted(&watch, now - queue[0].came, 0, 100, now);
				remove_at(0);
				for (int j = 0; j < length; j++)
					late[j] = late[j + 1];
			}
	}
}

static void
test_simulated(void)
{
	int			said;
	int			wrong;

	for (int i = 0; i < 6; i++)
	{
		double		load = 0.5 + 0.5 * i;

		run(load * 500.0, 500.0, 1.0, true, &said, &wrong);
		ok(wrong == 0, "load %.1f, one patience: nobody is said to be late who is not (%d are)", load, said);
		run(load * 500.0, 500.0, 1.0, false, &said, &wrong);
		ok(wrong * 200 <= said, "load %.1f, many: hardly anybody is (%d of %d)", load, wrong, said);
	}
}

/* One with little time beside many that have much. */
static void
test_beside_patient(void)
{
	int			said = 0;
	int			asked = 0;

	start();
	for (int i = 0; i < 10000; i++)
	{
		/* 900 always wait, 500 a second are served */
		now += 2 * MS;
		padv_queue_watch_granted(&watch, 1800 * MS, 0, 100, now);
		if (i >= 1000)
		{
			asked++;
			said += foretold(900) >= SECOND;
		}
	}
	ok(said == asked, "who has a second where the wait is nearly two is told so (%d of %d)", said, asked);
}

int
main(void)
{
	test_unknown();
	test_foretold();
	test_overload();
	test_drain();
	test_simulated();
	test_beside_patient();
	return tap_end();
}
