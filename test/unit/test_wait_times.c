/*
 * test_wait_times.c
 *		Quantiles of the waits of the last minute.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/policy/wait_times.h"
#include "tap.h"

#define SECOND INT64_C(1000000)

static PadvWaitTimes times;

static void
start_over(void)
{
	memset(&times, 0, sizeof(times));
}

/* All waits are of this length; how far the median is off, as a share of it. */
static double
error_at(int64_t wait)
{
	start_over();
	for (int i = 0; i < 100; i++)
		padv_wait_times_add(&times, wait, 100 * SECOND);
	return fabs(padv_wait_times_quantile(&times, 0.5, 100 * SECOND) / ((double) wait / 1e6) - 1.0);
}

static void
test_accuracy(void)
{
	double		worst = 0.0;

	for (double wait = 100.0; wait < 400e6; wait *= 1.07)
		worst = fmax(worst, error_at((int64_t) wait));
	ok(worst <= 0.2, "a quantile is within 20 %% (%.3f)", worst);
	start_over();
	padv_wait_times_add(&times, 0, SECOND);
	padv_wait_times_add(&times, INT64_MAX / 2, SECOND);
	ok(padv_wait_times_quantile(&times, 0.5, SECOND) <= 100e-6, "a wait of 0 is in the first bucket");
	ok(padv_wait_times_quantile(&times, 1.0, SECOND) >= 400.0, "a very long one is in the last");
}

static void
test_order(void)
{
	double		before = 0.0;
	bool		rises = true;

	start_over();
	for (int i = 1; i <= 10000; i++)
		padv_wait_times_add(&times, (int64_t) i * 1000, 50 * SECOND);
	for (double share = 0.01; share <= 1.0; share += 0.01)
	{
		double		now = padv_wait_times_quantile(&times, share, 50 * SECOND);

		rises = rises && now >= before && fabs(now / (share * 10.0) - 1.0) < 0.2;
		before = now;
	}
	ok(rises, "quantiles of waits between 1 ms and 10 s rise, and are right");
}

static void
test_forgetting(void)
{
	start_over();
	ok(padv_wait_times_quantile(&times, 0.5, 0) < 0.0, "no wait, no quantile");
	padv_wait_times_add(&times, SECOND, 1000 * SECOND);
	ok(padv_wait_times_quantile(&times, 0.5, 1059 * SECOND) > 0.0, "a wait counts for a minute");
	ok(padv_wait_times_quantile(&times, 0.5, 1076 * SECOND) < 0.0, "and not for 76 s, even if no other follows");
	padv_wait_times_add(&times, 1000, 1080 * SECOND);
	ok(padv_wait_times_quantile(&times, 1.0, 1080 * SECOND) < 0.01, "after a pause only the new one counts");
	for (int i = 0; i < 300; i++)
		padv_wait_times_add(&times, i < 200 ? SECOND : 1000, (1080 + i) * SECOND);
	ok(padv_wait_times_quantile(&times, 1.0, 1380 * SECOND) < 0.01, "what is older than a minute is left out");
	padv_wait_times_add(&times, SECOND, 1200 * SECOND);
	ok(padv_wait_times_quantile(&times, 1.0, 1380 * SECOND) > 0.5, "a time that is late is taken for now");
}

int
main(void)
{
	test_accuracy();
	test_order();
	test_forgetting();
	return tap_end();
}
