/*
 * test_history.c
 *		The rings of the history against a slow counterpart, and by hand.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/history.h"
#include "core/stats/load.h"
#include "history_fixture.h"
#include "tap.h"

static PadvHistory *history = NULL;
static PadvHistoryPoint points[PADV_HISTORY_FIVE_MINUTES + 256];

static void
add_at(int64_t at, float active)
{
	PadvHistoryPoint point = {.at = at, .active_avg = active, .active_max = active,
		.transactions_per_second = -1.0f};

	padv_history_add(history, &point);
}

/* Whether these are the times of a resolution; the list ends with 0. */
static bool
has_times(PadvResolution resolution, const int64_t *times)
{
	int			count = read_all(history, resolution, points);
	int			i;

	for (i = 0; i < count; i++)
		if (times[i] == 0 || points[i].at != times[i])
			break;
	if (i == count && times[i] == 0)
		return true;
	for (i = 0; i < count; i++)
		printf("#   %lld\n", (long long) (points[i].at - SOME_DAY));
	return false;
}

#define HAS_TIMES(resolution, ...) has_times(resolution, (int64_t[]) {__VA_ARGS__ 0})

static void
test_intervals(void)
{
	const int64_t day = SOME_DAY;

	padv_history_init(history);
	ok(read_all(history, PADV_HISTORY_1_SECOND, points) == 0 && is_consistent(history), "empty at first");

	/* the point at the end of an interval belongs to it */
	for (int i = 1; i <= 10; i++)
		add_at(day + i * SECOND, (float) i);
	ok(HAS_TIMES(PADV_HISTORY_10_SECONDS,), "an interval is not told before it is over");
	add_at(day + 11 * SECOND, 100.0f);
	ok(HAS_TIMES(PADV_HISTORY_10_SECONDS, day + 10 * SECOND,), "but then");
	near(points[0].active_avg, 5.5, 1e-6, "as a mean");
	near(points[0].active_max, 10.0, 0.0, "and the greatest");
	near(points[0].transactions_per_second, -1.0, 0.0, "what was never known is unknown");

	add_at(day + 20 * SECOND + 1, 3.0f);
	ok(HAS_TIMES(PADV_HISTORY_10_SECONDS, day + 10 * SECOND, day + 20 * SECOND,),
	   "a microsecond later is the next interval");
	near(points[1].active_avg, 100.0, 0.0, "of one point");

	/* the server is down for an hour */
	add_at(day + HOUR + SECOND, 7.0f);
	ok(HAS_TIMES(PADV_HISTORY_10_SECONDS, day + 10 * SECOND, day + 20 * SECOND, day + 30 * SECOND,),
	   "a gap has no points, and what was before it is told");
	ok(HAS_TIMES(PADV_HISTORY_5_MINUTES, day + 5 * MINUTE,), "in 5 minutes too");
	near(points[0].active_avg, 158.0 / 12.0, 1e-5, "every second with the same weight");
	ok(is_consistent(history), "consistent");

	/* times before the epoch of the server's clock */
	padv_history_init(history);
	for (int i = -15; i <= 5; i++)
		add_at(i * 2 * SECOND - 1, 1.0f);
	read_all(history, PADV_HISTORY_10_SECONDS, points);
	ok(points[0].at == -30 * SECOND && points[1].at == -20 * SECOND && points[3].at == 0 &&
	   is_consistent(history), "intervals end on multiples before the epoch too");
}

static void
test_unknown(void)
{
	PadvHistoryPoint point = {.at = SOME_DAY + SECOND, .active_avg = 4.0f, .active_max = 8.0f,
		.in_class[PADV_WAITING_IO] = 1.0f, .io_wait_ratio = 0.25f, .cpu_utilization = -1.0f,
		.transactions_per_second = 100.0f, .optimal = 6.0f};

	padv_history_init(history);
	padv_history_add(history, &point);
	point.at += SECOND;
	point.active_avg = 0.0f;
	point.in_class[PADV_WAITING_IO] = 0.0f;
	point.io_wait_ratio = 0.0f;
	point.cpu_utilization = 0.5f;
	point.transactions_per_second = -1.0f;
	padv_history_add(history, &point);
	point.at += HOUR;
	padv_history_add(history, &point);
	ok(read_all(history, PADV_HISTORY_10_SECONDS, points) == 1, "one interval");
	near(points[0].active_avg, 2.0, 0.0, "a mean of what is known of both");
	near(points[0].cpu_utilization, 0.5, 0.0, "and of what is known of one");
	near(points[0].transactions_per_second, 100.0, 0.0, "not taken as 0");
	near(points[0].io_wait_ratio, 0.25, 1e-6, "a share of what was active, not a mean of shares");
	near(points[0].optimal, 6.0, 0.0, "optimal");
}

static void
test_steps_back(void)
{
	const int64_t day = SOME_DAY;

	/* a small step, into an interval that has been told */
	padv_history_init(history);
	for (int i = 1; i <= 12; i++)
		add_at(day + i * SECOND, 1.0f);
	add_at(day + 8 * SECOND, 9.0f);
	ok(HAS_TIMES(PADV_HISTORY_1_SECOND, day + SECOND, day + 2 * SECOND, day + 3 * SECOND,
				 day + 4 * SECOND, day + 5 * SECOND, day + 6 * SECOND, day + 7 * SECOND,
				 day + 8 * SECOND,), "what is not before the new time is forgotten");
	ok(HAS_TIMES(PADV_HISTORY_10_SECONDS,), "an interval that is not over any more too");
	for (int i = 9; i <= 11; i++)
		add_at(day + i * SECOND, 9.0f);
	ok(HAS_TIMES(PADV_HISTORY_10_SECONDS, day + 10 * SECOND,), "it is told again");
	near(points[0].active_avg, (7 * 1.0 + 3 * 9.0) / 10, 1e-6, "with what was kept of it");

	/* the same moment again */
	add_at(day + 11 * SECOND, 5.0f);
	add_at(day + 11 * SECOND, 6.0f);
	ok(read_all(history, PADV_HISTORY_1_SECOND, points) == 11, "no moment is there twice");
	near(points[10].active_avg, 6.0, 0.0, "the last one counts");

	/* ten years ahead for a moment, and back */
	add_at(day + 12 * SECOND, 1.0f);
	add_at(day + 87660 * HOUR, 2.0f);
	add_at(day + 87660 * HOUR + SECOND, 2.0f);
	add_at(day + 15 * SECOND, 3.0f);
	ok(read_all(history, PADV_HISTORY_1_SECOND, points) == 13 && points[11].at == day + 12 * SECOND &&
	   points[12].at == day + 15 * SECOND, "a clock that was ahead costs nothing that was before");
	add_at(day + 21 * SECOND, 3.0f);
	ok(HAS_TIMES(PADV_HISTORY_10_SECONDS, day + 10 * SECOND, day + 20 * SECOND,),
	   "nor intervals");
	near(points[1].active_avg, (6.0 + 1.0 + 3.0) / 3, 1e-6, "whose points are right");

	/* out of bounds */
	add_at(PADV_HISTORY_LATEST + 1, 1.0f);
	add_at(-PADV_HISTORY_LATEST - 1, 1.0f);
	add_at(INT64_MAX, 1.0f);
	add_at(INT64_MIN, 1.0f);
	ok(read_all(history, PADV_HISTORY_1_SECOND, points) == 14 && is_consistent(history),
	   "a time out of bounds is not taken");
	add_at(PADV_HISTORY_LATEST, 1.0f);
	ok(is_consistent(history), "the latest one is");
	add_at(-PADV_HISTORY_LATEST, 1.0f);
	ok(read_all(history, PADV_HISTORY_1_SECOND, points) == 1 && is_consistent(history),
	   "and so is the earliest");
}

static void
test_bad_figures(void)
{
	PadvHistoryPoint bad = {.at = SOME_DAY, .active_avg = NAN, .active_max = INFINITY,
		.idle = -INFINITY, .queued = -7.0f, .cpu_utilization = 1.5f, .optimal = 2e9f,
	.idle_in_transaction = 3.0f};

	padv_history_init(history);
	ok(!padv_history_sound(&bad), "what is not a figure is not sound");
	padv_history_add(history, &bad);
	read_all(history, PADV_HISTORY_1_SECOND, points);
	ok(points[0].active_avg < 0 && points[0].active_max < 0 && points[0].idle < 0 &&
	   points[0].queued < 0 && points[0].cpu_utilization < 0 && points[0].optimal < 0,
	   "it is taken as unknown");
	near(points[0].idle_in_transaction, 3.0, 0.0, "the rest is taken as it is");
	ok(is_consistent(history), "consistent");
}

/* The counterpart: all points of one second there were, however many. */
#define KEPT 20000
static PadvHistoryPoint kept[KEPT];
static int	nkept = 0;

static int
compare_with_kept(PadvResolution resolution)
{
	int64_t		length = padv_resolution_us(resolution);
	int			count = read_all(history, resolution, points);
	int			wrong = 0;
	int			expected = 0;
	int64_t		last_end = 0;

	/* from the newest back; the interval of the newest is not over */
	for (int i = nkept - 1; i >= 0 && expected < padv_history_size(resolution); i--)
	{
		int64_t		end = (kept[i].at + length - 1) / length * length;
		double		sum = 0.0;
		double		max = -1.0;
		int			n = 0;

		if (i == nkept - 1)
			last_end = end;
		if (end == last_end)
			continue;
		last_end = end;
		for (int j = i; j >= 0 && kept[j].at > end - length; j--)
		{
			if (kept[j].idle >= 0)
			{
				sum += kept[j].idle;
				n++;
			}
			max = fmax(max, kept[j].active_max);
		}
		expected++;
		if (expected > count || points[count - expected].at != end ||
			fabs(points[count - expected].idle - (n > 0 ? sum / n : -1.0)) > 1e-3 ||
			fabs(points[count - expected].active_max - max) > 1e-6)
			wrong++;
	}
	return wrong + abs(count - expected);
}

static void
test_counterpart(void)
{
	int64_t		at = SOME_DAY;
	int			wrong = 0;
	int			uneven = 0;
	uint64_t	cursor = 0;

	padv_history_init(history);
	for (int i = 0; i < KEPT; i++)
	{
		at += random_below(500) == 0 ? random_below(900) * SECOND : SECOND + random_below(2001) - 1000;
		kept[nkept] = random_point(at);
		padv_history_add(history, &kept[nkept++]);
		if (i % 997 > 0)
			continue;
		wrong += compare_with_kept(PADV_HISTORY_10_SECONDS) +
			compare_with_kept(PADV_HISTORY_5_MINUTES);
		wrong += !is_consistent(history);
	}
	ok(wrong == 0, "20000 seconds with gaps: like the counterpart");

	uneven = read_all(history, PADV_HISTORY_1_SECOND, points);
	ok(uneven == PADV_HISTORY_SECONDS &&
	   memcmp(points, kept + nkept - PADV_HISTORY_SECONDS, sizeof(*points) * (size_t) uneven) == 0,
	   "the last 900 points of a second as they were");

	/* a reader that is overtaken goes on with the oldest there is */
	(void) padv_history_copy(history, PADV_HISTORY_1_SECOND, &cursor, points, 10);
	for (int i = 0; i < 2000; i++)
		add_at(at += SECOND, 1.0f);
	ok(padv_history_copy(history, PADV_HISTORY_1_SECOND, &cursor, points, 10) == 10 &&
	   points[9].at == at - 890 * SECOND, "a reader that is overtaken goes on with the oldest");
	padv_history_forget(history);
	ok(padv_history_copy(history, PADV_HISTORY_1_SECOND, &cursor, points, 10) == 0,
	   "and one whose points are forgotten comes to the end");
}

/* More points than fit, at wild times: nothing but order is asked. */
static void
test_wild_times(void)
{
	int64_t		at = SOME_DAY;
	int			wrong = 0;

	padv_history_init(history);
	for (int i = 0; i < 200000; i++)
	{
		PadvHistoryPoint point;

		switch (random_below(400))
		{
			case 0:
				at -= random_below(20 * SECOND);
				break;
			case 1:
				at += random_below(30 * HOUR);
				break;
			case 2:
				at -= random_below(10 * MINUTE);
				break;
			case 3:
				at += random_below(20) == 0 ? 8760 * HOUR : 0;
				break;
			case 4:
				at -= random_below(20) == 0 ? 8760 * HOUR : 0;
				break;
			default:
				at += SECOND;
		}
		point = random_point(at);
		padv_history_add(history, &point);
		if (i % 499 == 0)
			wrong += !is_consistent(history);
	}
	ok(wrong == 0, "200000 points on a clock that steps: always in order");

	for (int i = 0; i < PADV_HISTORY_FIVE_MINUTES + 10; i++)
		add_at(at += 5 * MINUTE, 1.0f);
	ok(history->rings[PADV_HISTORY_5_MINUTES].count == PADV_HISTORY_FIVE_MINUTES &&
	   history->rings[PADV_HISTORY_10_SECONDS].count == PADV_HISTORY_TENS &&
	   history->rings[PADV_HISTORY_1_SECOND].count == PADV_HISTORY_SECONDS &&
	   is_consistent(history), "full, and not more than full");
}

static void
test_curve(void)
{
	static double curve[PADV_HISTORY_MAX_CURVE + 1];
	static double got[PADV_HISTORY_MAX_CURVE];

	padv_history_init(history);
	ok(padv_history_get_curve(history, got) == 0, "no curve at first");
	for (int i = 0; i <= PADV_HISTORY_MAX_CURVE; i++)
		curve[i] = i - 0.5;
	ok(!padv_history_set_curve(history, curve, PADV_HISTORY_MAX_CURVE + 1), "one number too many");
	ok(padv_history_set_curve(history, curve, PADV_HISTORY_MAX_CURVE), "as many as there can be");
	ok(padv_history_get_curve(history, got) == PADV_HISTORY_MAX_CURVE &&
	   memcmp(got, curve, sizeof(got)) == 0, "come back");
	curve[3] = NAN;
	ok(!padv_history_set_curve(history, curve, 4), "not what is not a number");
	curve[3] = -INFINITY;
	ok(!padv_history_set_curve(history, curve, 4), "nor what is infinite");
	ok(padv_history_get_curve(history, got) == PADV_HISTORY_MAX_CURVE && got[3] > 2.0,
	   "and the old one stays");
	padv_history_forget(history);
	ok(padv_history_get_curve(history, got) == PADV_HISTORY_MAX_CURVE,
	   "it stays when points are forgotten");
	ok(padv_history_set_curve(history, NULL, 0) && padv_history_get_curve(history, got) == 0,
	   "none");
}

static void
test_describe(void)
{
	PadvWindowMeans	take = {.samples = 10, .taken_at = SOME_DAY, .active = 4.0, .active_max = 9,
		.idle = 2.5, .idle_in_transaction = 1.5, .queued = 0.5,
	.in_class = {1.0, 1.0, 2.0, 0.0, 0.0}};
	PadvHistoryPoint point;

	padv_history_describe(&take, 0.75, -1.0, 6, &point);
	ok(point.at == SOME_DAY && padv_history_sound(&point), "a point of what was taken");
	near(point.active_avg + point.idle + point.idle_in_transaction + point.queued, 8.5, 1e-6, "states");
	near(point.active_max, 9.0, 0.0, "the most");
	near(point.in_class[PADV_WAITING_LOCK], 2.0, 0.0, "classes");
	near(point.io_wait_ratio, 0.25, 0.0, "share of I/O");
	near(point.cpu_utilization, 0.75, 0.0, "CPU");
	near(point.transactions_per_second, -1.0, 0.0, "no transactions are known");
	near(point.optimal, 6.0, 0.0, "the optimum");

	take.active = take.in_class[PADV_WAITING_IO] = 0.0;
	padv_history_describe(&take, -1.0, 12.0, 6, &point);
	near(point.io_wait_ratio, 0.0, 0.0, "no share when nothing was active");
	near(point.cpu_utilization, -1.0, 0.0, "no CPU known");
	near(point.transactions_per_second, 12.0, 0.0, "transactions");
}

/* What one second has of the machine's counters. */
static void
test_last_cpu(void)
{
	static PadvLoadWindow load;
	PadvCounters reading = {0};
	double		expected = -1.0;

	padv_load_init(&load);
	near(padv_load_last_cpu_utilization(&load, -1.0), -1.0, 0.0, "no reading, no CPU");
	padv_load_add(&load, &reading);
	near(padv_load_last_cpu_utilization(&load, -1.0), -1.0, 0.0, "nor with one reading");
	for (int i = 1; i < 150; i++)
	{
		reading.clock_us += SECOND;
		reading.value[PADV_CPU_BUSY] += i % 7;
		reading.value[PADV_CPU_IDLE] += 6 - i % 7;
		reading.value[PADV_GROUP_CPU] += 0.5;
		expected = (i % 7) / 6.0;
		padv_load_add(&load, &reading);
	}
	near(padv_load_last_cpu_utilization(&load, -1.0), expected, 1e-12, "the last second alone");
	near(padv_load_last_cpu_utilization(&load, 0.5), 1.0, 1e-12, "at the quota of the cgroup");
}

int
main(void)
{
	history = malloc(sizeof(PadvHistory));
	test_intervals();
	test_unknown();
	test_steps_back();
	test_bad_figures();
	test_counterpart();
	test_wild_times();
	test_curve();
	test_describe();
	test_last_cpu();
	free(history);
	return tap_end();
}
