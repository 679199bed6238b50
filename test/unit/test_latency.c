/*
 * test_latency.c
 *		Histograms of durations, against the durations themselves.
 */
#include <stdlib.h>
#include <string.h>

#include "core/stats/latency.h"
#include "draws.h"
#include "tap.h"

#define MANY 20000

static int64_t durations[MANY];

/* --- buckets --- */

static int
bucket_by_search(int64_t us)
{
	int			bucket = 0;

	while (bucket + 1 < PADV_LATENCY_BUCKETS && us >= padv_latency_bound(bucket + 1))
		bucket++;
	return bucket;
}

static void
test_buckets(void)
{
	int			wrong = 0;
	int			wide = 0;

	for (int i = 1; i < PADV_LATENCY_BUCKETS; i++)
	{
		int64_t		bound = padv_latency_bound(i);
		double		half = (double) (bound - padv_latency_bound(i - 1)) / 2.0;

		wrong += padv_latency_bucket(bound) != i || padv_latency_bucket(bound - 1) != i - 1;
		wide += i > 1 && half > 1.0 && half > PADV_LATENCY_ERROR * (double) padv_latency_bound(i - 1);
	}
	ok(wrong == 0, "each bound begins a bucket, %d do not", wrong);
	ok(wide == 0, "no bucket is wider than it may be, %d are", wide);

	for (int64_t us = -10; us < 3000000; us++)
		wrong += padv_latency_bucket(us) != bucket_by_search(us);
	for (int i = 0; i < 1000000; i++)
	{
		int64_t		us = (int64_t) exp(uniform() * 43.0);

		wrong += padv_latency_bucket(us) != bucket_by_search(us);
	}
	for (int bit = 0; bit < 63; bit++)
		for (int64_t off = -1; off <= 1; off++)
			wrong += padv_latency_bucket((INT64_C(1) << bit) + off) != bucket_by_search((INT64_C(1) << bit) + off);
	ok(wrong == 0, "each duration is in its bucket, %d are not", wrong);
	ok(padv_latency_bucket(INT64_MIN) == 0 && padv_latency_bucket(0) == 0, "what is negative is nothing");
	ok(padv_latency_bucket(INT64_MAX) == PADV_LATENCY_BUCKETS - 1, "what is endless is in the last one");
	ok(padv_latency_bound(1) == 10 && padv_latency_bound(PADV_LATENCY_BUCKETS - 1) >= INT64_C(36000000000),
	   "from 10 us to hours");
}

/* --- quantiles --- */

static int
compare_durations(const void *a, const void *b)
{
	int64_t		left = *(const int64_t *) a;
	int64_t		right = *(const int64_t *) b;

	return left < right ? -1 : left > right;
}

typedef int64_t (*Draw) (void);

static int64_t
draw_lognormal(void)
{
	return (int64_t) exp(7.0 + 2.0 * normal());
}

static int64_t
draw_uniform(void)
{
	return (int64_t) (uniform() * 5e5);
}

static int64_t
draw_two_kinds(void)
{
	return uniform() < 0.94 ? 300 + random() % 20 : (int64_t) (uniform() * 3e9);
}

static int64_t
draw_short(void)
{
	return random() % 100;
}

static int64_t
draw_one(void)
{
	return 1000300;
}

static int64_t
draw_anything(void)
{
	return (int64_t) exp(uniform() * 25.2);
}

static const struct
{
	const char *name;
	Draw		draw;
}			distributions[] = {

	{"lognormal", draw_lognormal},
	{"uniform", draw_uniform},
	{"of two kinds", draw_two_kinds},
	{"short", draw_short},
	{"all the same", draw_one},
	{"over all decades", draw_anything},
};

#define DISTRIBUTIONS ((int) (sizeof(distributions) / sizeof(distributions[0])))

static void
record(PadvLatency *latency, int64_t us)
{
	latency->count[padv_latency_bucket(us)]++;
	latency->sum_us += (uint64_t) us;
}

static int64_t
exact_quantile(int count, double share)
{
	int			rank = (int) ceil(share * count);

	return durations[rank < 1 ? 0 : rank - 1];
}

static bool
is_near_enough(double seconds, int64_t exact_us)
{
	double		off = fabs(seconds * 1e6 - (double) exact_us);

	/* below 10 us there is one bucket, and a duration is cut to microseconds */
	return off <= PADV_LATENCY_ERROR * (double) exact_us || off <= 1.0 || (exact_us < 10 && off <= 5.0);
}

static void
test_quantiles(void)
{
	static const double shares[] = {0.0, 0.001, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0};
	static const int sizes[] = {1, 2, 3, 19, 100, 1000, MANY};

	for (int d = 0; d < DISTRIBUTIONS; d++)
	{
		int			off = 0;
		int			down = 0;
		int			mean_off = 0;

		for (int round = 0; round < 70; round++)
		{
			int			count = sizes[round % 7];
			PadvLatency latency = {.sum_us = 0};
			double		before = 0.0;
			double		sum = 0.0;

			for (int i = 0; i < count; i++)
			{
				durations[i] = distributions[d].draw();
				record(&latency, durations[i]);
				sum += (double) durations[i];
			}
			qsort(durations, (size_t) count, sizeof(durations[0]), compare_durations);
			for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
			{
				double		quantile = padv_latency_quantile(&latency, shares[i]);

				off += !is_near_enough(quantile, exact_quantile(count, shares[i]));
				down += quantile < before;
				before = quantile;
			}
			mean_off += fabs(padv_latency_mean(&latency) - sum / 1e6 / count) > 1e-9 * sum / 1e6;
		}
		ok(off == 0, "%s: quantiles are within their bound, %d are not", distributions[d].name, off);
		ok(down == 0, "%s: a larger share has no smaller quantile, %d have", distributions[d].name, down);
		ok(mean_off == 0, "%s: means are exact", distributions[d].name);
	}
}

static void
test_nothing(void)
{
	PadvLatency nothing = {.sum_us = 0};

	ok(padv_latency_count(&nothing) == 0 && padv_latency_count_below(&nothing, 1000000) == 0, "nothing is nothing");
	ok(padv_latency_quantile(&nothing, 0.5) < 0.0 && padv_latency_mean(&nothing) < 0.0, "and has no quantiles");
	record(&nothing, INT64_C(1000000000000));
	near(padv_latency_quantile(&nothing, 0.5), 90000.0, 1.0, "what is beyond the last bound is said to be there");
}

/* --- sums --- */

static void
test_sums(void)
{
	PadvLatency parts[10];
	PadvLatency sum = {.sum_us = 0};
	PadvLatency whole = {.sum_us = 0};
	int			wrong = 0;

	memset(parts, 0, sizeof(parts));
	for (int i = 0; i < MANY; i++)
	{
		durations[i] = draw_anything();
		record(&parts[random() % 10], durations[i]);
		record(&whole, durations[i]);
		parts[i % 10].rolled_back += i % 7 == 0;
		whole.rolled_back += i % 7 == 0;
	}
	for (int i = 0; i < 10; i++)
		padv_latency_add(&sum, &parts[i]);
	ok(memcmp(&sum, &whole, sizeof(sum)) == 0, "the sum of histograms is the histogram of all");
	ok(padv_latency_count(&sum) == MANY, "with all of them");

	for (int i = 0; i < PADV_LATENCY_BUCKETS; i++)
	{
		uint64_t	below = 0;

		for (int j = 0; j < MANY; j++)
			below += durations[j] < padv_latency_bound(i);
		wrong += padv_latency_count_below(&whole, padv_latency_bound(i)) != below;
	}
	ok(wrong == 0, "how many are below a bound is exact, %d are not", wrong);
	ok(padv_latency_count_below(&whole, 1000000) + 0 < MANY && bucket_by_search(1000000) != bucket_by_search(999999),
	   "a second is a bound");
}

/* --- the last minute --- */

typedef struct Event
{
	int64_t		at;
	int64_t		us;
} Event;

/* What the minute must have: the events of this step and of the 11 before it. */
static void
minute_of(const Event *events, int count, int64_t now, PadvLatency *sum)
{
	int64_t		step = now / PADV_LATENCY_STEP_US;

	memset(sum, 0, sizeof(*sum));
	for (int i = 0; i < count; i++)
		if (events[i].at / PADV_LATENCY_STEP_US > step - PADV_LATENCY_STEPS)
			record(sum, events[i].us);
}

static void
test_minute(void)
{
	static Event events[3000];
	PadvLatencyMinute minute = {{{.number = 0}}};
	PadvLatency sum;
	PadvLatency expected;
	int64_t		now = 17;
	int			wrong = 0;
	int			longest = 0;

	padv_latency_minute_sum(&minute, now, &sum);
	ok(padv_latency_count(&sum) == 0, "a new minute is empty");
	for (int i = 0; i < 3000; i++)
	{
		PadvLatencyStep *step;

		/* now and then nothing happens for up to three minutes */
		now += random() % 50 == 0 ? random() % 180000000 : random() % 400000;
		events[i] = (Event) {now, draw_lognormal()};
		step = padv_latency_step(&minute, now);
		step->count[padv_latency_bucket(events[i].us)]++;
		step->sum_us += (uint64_t) events[i].us;
		minute_of(events, i + 1, now, &expected);
		padv_latency_minute_sum(&minute, now, &sum);
		wrong += memcmp(&sum, &expected, sizeof(sum)) != 0;
		longest += padv_latency_count(&sum) > 100;
	}
	ok(wrong == 0, "the minute has what was added in it, %d have not", wrong);
	ok(longest > 0, "which was a lot");
	padv_latency_minute_sum(&minute, now + 12 * PADV_LATENCY_STEP_US, &sum);
	ok(padv_latency_count(&sum) == 0, "a minute later it is empty");
}

int
main(void)
{
	srandom(20);
	test_buckets();
	test_quantiles();
	test_nothing();
	test_sums();
	test_minute();
	return tap_end();
}
