/*
 * test_lease.c
 *		How long a slot stays with one session while others wait for it.
 */
#include "core/policy/lease.h"
#include "tap.h"

#define SECOND INT64_C(1000000)

static void
check_lease(void)
{
	bool		bounded = true;
	bool		grows = true;
	bool		goes_round = true;

	for (int32_t slots = 0; slots <= 5000; slots += slots < 20 ? 1 : 83)
		for (int32_t waiting = 0; waiting <= 10000; waiting++)
		{
			int64_t		lease = padv_lease_us(waiting, slots);

			bounded = bounded && lease >= 5000 && lease <= 20000;
			grows = grows && padv_lease_us(waiting, slots + 1) >= lease;
			goes_round = goes_round && (lease == 5000 || lease * waiting <= 2 * SECOND * slots);
		}
	ok(bounded, "between 5 and 20 ms, whatever the queue");
	ok(grows, "never shorter with more slots");
	ok(goes_round, "a longer one than the least lets the queue go round in 2 s");
	near(padv_lease_us(1, 4), 5000, 0, "a short line has the least");
	near(padv_lease_us(500, 12), 10000, 0, "a longer one has more");
	near(padv_lease_us(1000, 4), 8000, 0, "but not so that it takes too long");
	near(padv_lease_us(-1, -1), 5000, 0, "nonsense gives the least");
	near(padv_lease_us(INT32_MAX, INT32_MAX), 20000, 0, "and the largest numbers the most");
}

static void
check_grace(void)
{
	PadvRetain	grace;
	int64_t		now = 1000 * SECOND;
	int64_t		raised_at = 0;
	int64_t		pause = 0;
	int			times = 0;
	bool		doubles = true;

	padv_retain_init(&grace);
	near(grace.us, PADV_RETAIN_US, 0, "short at first");
	padv_retain_update(&grace, -1.0, 4, now);
	padv_retain_update(&grace, 0.89, 4, now);
	padv_retain_update(&grace, NAN, 4, now);
	near(grace.us, PADV_RETAIN_US, 0, "and while cores are idle, or nobody knows");
	padv_retain_update(&grace, 0.97, 4, now);
	ok(grace.us > PADV_RETAIN_US, "longer when they are busy");
	padv_retain_update(&grace, 0.80, 4, now += 30 * SECOND);
	ok(grace.us > PADV_RETAIN_US, "a little less does not change it");
	padv_retain_update(&grace, 0.5, 4, now += SECOND);
	near(grace.us, PADV_RETAIN_US, 0, "much less does");
	padv_retain_update(&grace, 0.97, 4, now += SECOND);
	ok(grace.us > PADV_RETAIN_US, "a load that came back has it again at once");
	padv_retain_update(&grace, -1.0, 4, now += SECOND);
	near(grace.us, PADV_RETAIN_US, 0, "unknown is idle");

	/* slow clients: cores are busy with a short grace, and idle with a long one */
	padv_retain_init(&grace);
	for (int second = 0; second < 3600; second++)
	{
		bool		was_long = grace.us > PADV_RETAIN_US;

		now += SECOND;
		padv_retain_update(&grace, was_long ? 0.3 : 1.0, 4, now);
		if (was_long || grace.us == PADV_RETAIN_US)
			continue;
		if (times++ > 0)
		{
			doubles = doubles && now - raised_at > fmin(1.8 * (double) pause, 600.0 * SECOND);
			pause = now - raised_at;
		}
		raised_at = now;
	}
	ok(times >= 5 && times <= 12, "where it only makes cores idle it is tried seldom: %d times in an hour", times);
	ok(doubles, "and each time after nearly twice as long, up to ten minutes");
	padv_retain_update(&grace, 1.0, 4, now += 3600 * SECOND);
	padv_retain_update(&grace, 0.3, 4, now += 20 * SECOND);
	padv_retain_update(&grace, 1.0, 4, now += SECOND);
	ok(grace.us > PADV_RETAIN_US, "until it has been right once");

	/* two slots are idle together more often than eight */
	padv_retain_init(&grace);
	padv_retain_update(&grace, 1.0, 2, now += SECOND);
	padv_retain_update(&grace, 0.3, 2, now += SECOND);
	padv_retain_update(&grace, 1.0, 3, now += SECOND);
	near(grace.us, PADV_RETAIN_US, 0, "nor is it tried soon with about as many slots");
	padv_retain_update(&grace, 1.0, 4, now += SECOND);
	ok(grace.us > PADV_RETAIN_US, "but with twice as many");
	padv_retain_update(&grace, 0.3, -1, now += SECOND);
	padv_retain_update(&grace, 1.0, 8, now += SECOND);
	near(grace.us, PADV_RETAIN_US, 0, "unlimited slots are the most there can be");
}

int
main(void)
{
	check_lease();
	check_grace();
	return tap_end();
}
