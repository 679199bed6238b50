/*
 * test_chart.c
 *		Round numbers and their labels, the canvas, and the drawings: small ones
 *		to the letter, and of random data and names that they keep within bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "core/render/axis.h"
#include "core/render/chart.h"
#include "tap.h"

#define MINUTE (60 * PADV_SECOND)
#define DAY (24 * 60 * MINUTE)

/* 2026-11-21 10:00 UTC */
#define MORNING (INT64_C(9821) * DAY + 600 * MINUTE)

#define MAX_POINTS 1000

static PadvCanvas canvas;
static char drawn[PADV_CANVAS_MAX_HEIGHT * PADV_CANVAS_LINE];

static const char *
drawing(void)
{
	char	   *end = drawn;

	*end = '\0';
	for (int row = 0; row < padv_canvas_rows(&canvas); row++)
	{
		padv_canvas_line(&canvas, row, end);
		end += strlen(end);
		*end++ = '\n';
		*end = '\0';
	}
	return drawn;
}

static void
is_drawn(const char *expected, const char *name)
{
	if (!ok(strcmp(drawing(), expected) == 0, "%s", name))
		printf("# got:\n%s# expected:\n%s", drawn, expected);
}

static bool
same(const char *got, const char *expected, const char *name)
{
	bool		equal = ok(strcmp(got, expected) == 0, "%s: %s", name, expected);

	if (!equal)
		printf("#   got \"%s\"\n", got);
	return equal;
}

static int64_t
utc(int64_t at)
{
	(void) at;
	return 0;
}

/* Clocks are put back by an hour at 01:00 UTC of 2026-10-25, as in Berlin. */
static int64_t
berlin(int64_t at)
{
	return at < INT64_C(9794) * DAY + 60 * MINUTE ? 120 * MINUTE : 60 * MINUTE;
}

/* Axes */

static void
test_round_numbers(void)
{
	static const double cases[][2] = {
		{1, 1}, {1.01, 2}, {2, 2}, {2.1, 5}, {5, 5}, {5.1, 10}, {9.99, 10}, {42, 50},
		{0.3, 0.5}, {0.1, 0.1}, {0.011, 0.02}, {123456, 200000},
	};
	PadvScale	scale;
	double		tick;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		near(padv_round_up(cases[i][0]), cases[i][1], 1e-12 * cases[i][1], "the next round number");

	scale = padv_scale_linear(42, 5);
	ok(scale.step == 10 && scale.high == 50, "42 in at most five ticks");
	scale = padv_scale_linear(50, 5);
	ok(scale.step == 10 && scale.high == 50, "a round number needs no more");
	scale = padv_scale_linear(0, 5);
	ok(scale.high == 1, "nothing is on a scale up to 1");
	near(padv_scale_position(&scale, 0.25), 0.25, 1e-12, "a place on it");

	scale = padv_scale_logarithmic(3, 180);
	ok(scale.low == 2 && scale.high == 200, "a logarithmic scale from 2 to 200");
	near(padv_scale_position(&scale, 20), 0.5, 1e-9, "20 is in its middle");
	near(padv_scale_value(&scale, 0.5), 20, 1e-9, "and back");
	tick = padv_scale_next(&scale, padv_scale_next(&scale, padv_scale_next(&scale, 2)));
	near(tick, 20, 1e-9, "ticks at 2, 5, 10, 20");
	scale = padv_scale_logarithmic(1, 1);
	ok(scale.high > scale.low, "one number has a scale too");
}

static void
test_labels(void)
{
	static const struct
	{
		double		value;
		const char *label;
	}			numbers[] = {
		{0, "0"}, {-1, "0"}, {1, "1"}, {0.5, "0.5"}, {0.25, "0.25"}, {0.105, "0.105"},
		{0.0012345, "0.00123"}, {0.0005, "500u"}, {2e-9, "2n"}, {1e-300, "0"},
		{41.94, "41.9"}, {9.996, "10"}, {99.96, "100"}, {999.4, "999"}, {999.6, "1k"},
		{1234, "1.23k"}, {20000, "20k"}, {999600, "1M"}, {2.5e9, "2.5G"}, {1e18, "1E"},
		{1e30, "huge"}, {INFINITY, "huge"}, {NAN, "0"},
	};
	char		label[PADV_LABEL];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
	{
		padv_label_number(numbers[i].value, label, sizeof(label));
		same(label, numbers[i].label, "number");
	}
	padv_label_count(262143, label, sizeof(label));
	same(label, "262143", "count");
	padv_label_count(INT64_MAX, label, sizeof(label));
	same(label, "9.22E", "count");
	padv_label_span(45 * PADV_SECOND, label, sizeof(label));
	same(label, "45 s", "span");
	padv_label_span(8571429, label, sizeof(label));
	same(label, "8.6 s", "span");
	padv_label_span(10 * MINUTE, label, sizeof(label));
	same(label, "10 min", "span");
	padv_label_span(60 * MINUTE, label, sizeof(label));
	same(label, "1 h", "span");
	padv_label_span(150 * MINUTE, label, sizeof(label));
	same(label, "2.5 h", "span");
	padv_label_span(14 * DAY, label, sizeof(label));
	same(label, "14 days", "span");
}

static void
test_clock(void)
{
	char		label[PADV_LABEL];

	ok(padv_clock_step(0.1) == 1 && padv_clock_step(83) == 120 && padv_clock_step(1e9) == 7 * 86400,
	   "steps of a clock");
	padv_label_clock(MORNING + 83 * PADV_SECOND, 60, label, sizeof(label));
	same(label, "10:01", "clock");
	padv_label_clock(MORNING + 83 * PADV_SECOND, 10, label, sizeof(label));
	same(label, "10:01:23", "clock");
	padv_label_clock(MORNING - 600 * MINUTE, 10, label, sizeof(label));
	same(label, "00:00:00", "midnight by the second");
	padv_label_clock(MORNING - 600 * MINUTE, 3600, label, sizeof(label));
	same(label, "11-21", "midnight by the hour");
	padv_label_clock(-1, 1, label, sizeof(label));
	same(label, "23:59:59", "before 2000");
	padv_label_clock(-DAY, 60, label, sizeof(label));
	same(label, "12-31", "before 2000");
	padv_label_clock(INT64_C(59) * DAY, 60, label, sizeof(label));
	same(label, "02-29", "a leap year");
	padv_label_clock((INT64_C(100) * 365 + 25 + 59) * DAY, 60, label, sizeof(label));
	same(label, "03-01", "2100 is none");
}

/* The canvas */

static void
test_text(void)
{
	static const struct
	{
		const char *text;
		int			columns;
		const char *expected;
	}			cases[] = {
		{"plain", 10, "plain"},
		{"exactly_10", 10, "exactly_10"},
		{"more_than_10", 10, "more_than\xE2\x80\xA6"},
		{"M\xC3\xBCller", 6, "M\xC3\xBCller"},
		{"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 6, "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E"},
		{"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 5, "\xE6\x97\xA5\xE6\x9C\xAC\xE2\x80\xA6"},
		{"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 4, "\xE6\x97\xA5\xE2\x80\xA6"},
		{"\xF0\x9F\x90\x98x", 3, "\xF0\x9F\x90\x98x"},
		{"a\nb\x1B[31m\x7F", 10, "a?b?[31m?"},
		{"nel\xC2\x85rtl\xE2\x80\xAE", 10, "nel?rtl?"},
		{"join\xE2\x80\x8D\xEF\xBB\xBF", 10, "join??"},
		{"tag\xF3\xA0\x81\x81", 10, "tag?"},
		{"latin\xE9", 10, "latin?"},
		{"cut\xE6\x97", 10, "cut??"},
		{"long\xC0\x80", 10, "long??"},
		{"half\xED\xA0\x80", 10, "half?"},
		{"far\xF4\x90\x80\x80", 10, "far?"},
		{"", 10, ""},
		{"none", 0, ""},
		{"none", -3, ""},
	};
	char		line[PADV_CANVAS_LINE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		int			used;

		padv_canvas_init(&canvas, 40, 5, true);
		used = padv_canvas_text(&canvas, 1, 0, cases[i].columns, cases[i].text);
		padv_canvas_line(&canvas, 1, line);
		same(line, cases[i].expected, "text");
		ok(used == padv_canvas_text_width(&canvas, line), "and its width");
	}
	padv_canvas_init(&canvas, 40, 5, false);
	padv_canvas_text(&canvas, 0, 0, 10, "M\xC3\xBCller, \xE6\x97\xA5\xE6\x9C\xAC");
	is_drawn("M?ller, ??\n", "in ASCII there is ASCII only");
	padv_canvas_text(&canvas, 0, 35, 10, "beyond");
	padv_canvas_text(&canvas, 7, 0, 10, "below");
	padv_canvas_put(&canvas, -1, 0, PADV_MARK_BAR);
	padv_canvas_put(&canvas, 0, 40, PADV_MARK_BAR);
	is_drawn("M?ller, ??                         be...\n", "what is outside is left out");
}

static void
test_sentence(void)
{
	padv_canvas_init(&canvas, 40, 5, true);
	padv_canvas_sentence(&canvas, 0, "Every word stays whole, and none goes beyond the forty columns.");
	is_drawn("Every word stays whole, and none goes\n"
			 "beyond the forty columns.\n", "a sentence is broken between words");
}

/* Drawings to the letter */

static PadvHistoryPoint points[MAX_POINTS];

static PadvHistoryPoint
point_at(int64_t at, float active, float most, float optimal)
{
	PadvHistoryPoint point = {
		.at = at, .active_avg = active, .active_max = most, .optimal = optimal,
		.in_class = {active / 2, 0, active / 2, 0, 0},
	};

	return point;
}

static PadvTimeline
timeline_of(int count, int64_t from, int64_t until, int64_t interval)
{
	PadvTimeline timeline = {
		.points = points, .count = count, .interval = interval, .from = from,
		.until = until, .utc_offset = utc,
	};

	return timeline;
}

/* 320 s, 10 s a column: on, a gap of 100 s, off, and on again */
static PadvTimeline
with_a_gap(void)
{
	int			count = 0;

	for (int i = 0; i < 320; i++)
	{
		float		active = i < 100 ? 6 : i < 260 ? 0 : 2;

		if (i < 100 || i >= 200)
			points[count++] = point_at(MORNING + (i + 1) * PADV_SECOND, active,
									   i == 55 ? 9 : active, 4);
	}
	return timeline_of(count, MORNING, MORNING + 320 * PADV_SECOND, PADV_SECOND);
}

static void
test_load(void)
{
	PadvTimeline timeline = with_a_gap();

	padv_canvas_init(&canvas, 40, 14, true);
	padv_chart_load(&canvas, &timeline);
	is_drawn("Active connections, last 5.3 min\n"
			 "   10 ┤\n"
			 "      │     ·\n"
			 "    8 ┤\n"
			 "      │\n"
			 "    6 ┤██████████\n"
			 "      │██████████\n"
			 "    4 ┤▒▒▒▒▒▒▒▒▒▒          ────────────<\n"
			 "      │██████████\n"
			 "    2 ┤██████████                ██████\n"
			 "      │██████████                ██████\n"
			 "    0 └┬───────────┬───────────┬───────\n"
			 "     10:00       10:02       10:04\n"
			 "█ mean 3.27   · most 9   ─ optimum 4\n",
			 "load with a gap");

	padv_canvas_init(&canvas, 40, 8, false);
	padv_chart_load(&canvas, &timeline);
	is_drawn("Active connections, last 5.3 min\n"
			 "   10 +     .\n"
			 "      |::::::::::\n"
			 "    5 +==========          ------------<\n"
			 "      |##########                ######\n"
			 "    0 ++-----------+-----------+-------\n"
			 "     10:00       10:02       10:04\n"
			 "# mean 3.27   . most 9   - optimum 4\n",
			 "load in ASCII");

	padv_canvas_init(&canvas, 40, 5, true);
	padv_chart_load(&canvas, &timeline);
	is_drawn("   10 ┤▂▂▂▂▂▂▂▂▂▂\n"
			 "      │▒▒▒▒▒▒▒▒▒▒          ──────▃▃▃▃▃▃<\n"
			 "    0 └┬───────────┬───────────┬───────\n"
			 "     10:00       10:02       10:04\n"
			 "█ mean 3.27   · most 9   ─ optimum 4\n",
			 "load in five rows");

	for (int i = 0; i < 32; i++)
	{
		points[i] = point_at(MORNING + (i + 1) * PADV_SECOND, 2, 2, 4);
		points[i].queued = i < 8 ? 4 : i == 20 ? 40 : 0;
	}
	timeline = timeline_of(32, MORNING, MORNING + 32 * PADV_SECOND, PADV_SECOND);
	padv_canvas_init(&canvas, 40, 14, false);
	padv_chart_load(&canvas, &timeline);
	is_drawn("Active connections, last 32 s\n"
			 "   20 +                    ^\n"
			 "      |                    :\n"
			 "   15 +                    :\n"
			 "      |                    :\n"
			 "   10 +                    :\n"
			 "      |                    :\n"
			 "    5 +::::::::            :\n"
			 "      |::::::::------------:-----------<\n"
			 "      |################################\n"
			 "    0 ++--------------+--------------+-\n"
			 "   10:00:00       10:00:15\n"
			 "# mean 2   . most 2   - optimum 4\n"
			 ": queued 2.25   ^ beyond the scale\n",
			 "a queue on top of the bars, and one that would flatten them");

	points[0] = point_at(MORNING, 1, 100, 2);
	timeline = timeline_of(1, MORNING - 32 * PADV_SECOND, MORNING, PADV_SECOND);
	padv_canvas_init(&canvas, 40, 8, true);
	padv_chart_load(&canvas, &timeline);
	is_drawn("Active connections, last 32 s\n"
			 "    2 ┤                               ^<\n"
			 "      │                               ▄\n"
			 "      │                               █\n"
			 "    0 └──┬──────────────┬──────────────\n"
			 "     09:59:30       09:59:45\n"
			 "█ mean 1   · most 100   ─ optimum 2\n"
			 "^ beyond the scale\n",
			 "one point, and a maximum that would flatten it");

	/* a point of ten seconds is ten columns */
	points[0] = point_at(MORNING, 1, 1, -1);
	timeline = timeline_of(1, MORNING - 32 * PADV_SECOND, MORNING, 10 * PADV_SECOND);
	padv_canvas_init(&canvas, 40, 8, true);
	padv_chart_load(&canvas, &timeline);
	is_drawn("Active connections, last 32 s\n"
			 "    1 ┤                      ██████████\n"
			 "      │                      ██████████\n"
			 "  0.5 ┤                      ██████████\n"
			 "      │                      ██████████\n"
			 "    0 └──┬──────────────┬──────────────\n"
			 "     09:59:30       09:59:45\n"
			 "█ mean 1   · most 1\n",
			 "a point that is longer than a column");

	timeline.count = 0;
	padv_canvas_init(&canvas, 40, 8, true);
	padv_chart_load(&canvas, &timeline);
	is_drawn("Nothing was sampled in the last 32 s. A\n"
			 "server that has just started needs some\n"
			 "seconds; else see worker_running in the\n"
			 "view status.\n",
			 "no point");
}

/* What is unknown in a point does not count in the mean. */
static void
test_unknown(void)
{
	PadvTimeline timeline = timeline_of(64, MORNING, MORNING + 64 * PADV_SECOND, PADV_SECOND);

	for (int i = 0; i < 64; i++)
	{
		bool		unknown = i % 2 == 1;

		points[i] = point_at(MORNING + (i + 1) * PADV_SECOND, i < 32 && unknown ? -1 : 2,
							 unknown ? -1 : 2, unknown ? NAN : 3);
	}
	padv_canvas_init(&canvas, 40, 8, true);
	padv_chart_load(&canvas, &timeline);
	is_drawn("Active connections, last 1.1 min\n"
			 "    4 ┤\n"
			 "      │────────────────────────────────<\n"
			 "    2 ┤████████████████████████████████\n"
			 "      │████████████████████████████████\n"
			 "    0 └┬──────────────┬──────────────┬─\n"
			 "   10:00:00       10:00:30\n"
			 "█ mean 2   · most 2   ─ optimum 3\n",
			 "unknown figures");
}

static void
test_waits(void)
{
	PadvTimeline timeline = timeline_of(32, MORNING, MORNING + 32 * PADV_SECOND, PADV_SECOND);

	for (int i = 0; i < 32; i++)
	{
		points[i] = point_at(MORNING + (i + 1) * PADV_SECOND, 0, 0, 3);
		for (int class = 0; class < PADV_WAIT_CLASSES; class++)
			points[i].in_class[class] = i < 16 ? 2 : i == 31 ? 0.01f : 0;
	}
	padv_canvas_init(&canvas, 40, 20, true);
	padv_chart_waits(&canvas, &timeline);
	is_drawn("Active connections by wait, last 32 s\n"
			 "   10 ┤················\n"
			 "      │················\n"
			 "      │················\n"
			 "    8 ┤░░░░░░░░░░░░░░░░\n"
			 "      │░░░░░░░░░░░░░░░░\n"
			 "      │░░░░░░░░░░░░░░░░\n"
			 "    6 ┤▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒\n"
			 "      │▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒\n"
			 "      │▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒\n"
			 "    4 ┤▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓\n"
			 "      │▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓────────────────<\n"
			 "      │▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓\n"
			 "    2 ┤████████████████\n"
			 "      │████████████████\n"
			 "      │████████████████               █\n"
			 "    0 └┬──────────────┬──────────────┬─\n"
			 "   10:00:00       10:00:15\n"
			 "█ on CPU 1   ▓ I/O 1   ▒ lock 1\n"
			 "░ LWLock 1   · other 1   < optimum 3\n",
			 "waits");
	padv_canvas_init(&canvas, 40, 20, false);
	padv_chart_waits(&canvas, &timeline);
	is_drawn("Active connections by wait, last 32 s\n"
			 "   10 +................\n"
			 "      |................\n"
			 "      |................\n"
			 "    8 +::::::::::::::::\n"
			 "      |::::::::::::::::\n"
			 "      |::::::::::::::::\n"
			 "    6 +================\n"
			 "      |================\n"
			 "      |================\n"
			 "    4 +%%%%%%%%%%%%%%%%\n"
			 "      |%%%%%%%%%%%%%%%%----------------<\n"
			 "      |%%%%%%%%%%%%%%%%\n"
			 "    2 +################\n"
			 "      |################\n"
			 "      |################               #\n"
			 "    0 ++--------------+--------------+-\n"
			 "   10:00:00       10:00:15\n"
			 "# on CPU 1   % I/O 1   = lock 1\n"
			 ": LWLock 1   . other 1   < optimum 3\n",
			 "waits in ASCII");
	timeline.count = 0;
	padv_canvas_init(&canvas, 80, 8, true);
	padv_chart_waits(&canvas, &timeline);
	is_drawn("Nothing was sampled in the last 32 s. A server that has just started needs some\n"
			 "seconds; else see worker_running in the view status.\n",
			 "no point");
}

static void
test_clock_changes(void)
{
	PadvTimeline timeline = timeline_of(1, INT64_C(9794) * DAY - 120 * MINUTE,
										INT64_C(9794) * DAY + 240 * MINUTE, PADV_SECOND);

	points[0] = point_at(INT64_C(9794) * DAY, 1, 1, 2);
	timeline.utc_offset = berlin;
	padv_canvas_init(&canvas, 80, 8, false);
	padv_chart_load(&canvas, &timeline);
	is_drawn("Active connections, last 6 h; a column is 5 min\n"
			 "    2 +                       -                                                <\n"
			 "      |\n"
			 "    1 +                       #\n"
			 "      |                       #\n"
			 "    0 ++-----------+-----------+-----------------------+-----------+-----------\n"
			 "     10-25       01:00       02:00                   03:00       04:00\n"
			 "# mean 1   . most 1   - optimum 2\n",
			 "an hour that comes twice is as long as two");
}

static PadvRoleBar
bar_of(const char *name, double active_avg, int64_t sessions, int64_t limit)
{
	PadvRoleBar bar = {.name = name, .active_avg = active_avg, .sessions = sessions, .limit = limit};

	return bar;
}

static void
test_roles(void)
{
	PadvRoleBar bars[] = {
		bar_of("batch", 0.01, 8, 20), bar_of("web", 40, 56, -1), bar_of("idle", 0, 0, -1),
		bar_of("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE3\x81\xAE\xE5\xBD\xB9\xE5\x89\xB2", 10, 3, 262143),
		bar_of("odd\n\"name\"", 10, 3, 0), bar_of("lost", NAN, -5, -1),
	};

	padv_canvas_init(&canvas, 60, 20, true);
	padv_chart_roles(&canvas, bars, 6, 8);
	is_drawn("Active connections, mean of the last minute sessions / limit\n"
			 "web               40 █████▒██████████████████████         56\n"
			 "odd?\"name\"        10 █████▒█                           3 / 0\n"
			 "日本語の役割      10 █████▒█                      3 / 262143\n"
			 "batch           0.01 ▏    │                           8 / 20\n"
			 "idle               0      │                                0\n"
			 "lost               0      │                                0\n"
			 "                     ┬─────────────┬────────────┬\n"
			 "│ optimum 8          0            20           40\n",
			 "roles");
	padv_canvas_init(&canvas, 40, 6, false);
	padv_chart_roles(&canvas, bars, 6, 100);
	is_drawn("Active, last minute     sessions / limit\n"
			 "web             40 ############       56\n"
			 "odd?\"name\"      10 ###             3 / 0\n"
			 "(4 others)      10 ###                11\n"
			 "                   +-------------+\n"
			 "                   0            50\n",
			 "few rows: the others are summed up");
	padv_canvas_init(&canvas, 40, 5, true);
	padv_chart_roles(&canvas, bars + 5, 1, 0);
	is_drawn("lost       0                           0\n"
			 "             ┬───────────┬───────────┬\n"
			 "             0          0.5          1\n",
			 "one role, and nothing is active");
	padv_canvas_init(&canvas, 40, 6, true);
	padv_chart_roles(&canvas, bars, 0, 8);
	is_drawn("No role has a session, or had an active\n"
			 "one in the last minute.\n",
			 "no role");
}

/* A law of which the peak is at 10, and rows that follow it exactly. */
static PadvCurve
law(PadvCurveState found)
{
	PadvCurve	curve = {
		.state = found, .busy = {10, 7.3, 13.7}, .throughput = 1000 / 1.9,
		.fit_known = true, .fit = {.lambda = 100, .sigma = 0, .kappa = 0.01, .r_squared = 1},
	};

	return curve;
}

static PadvScalabilityRow
row_at(double connections, double throughput)
{
	PadvScalabilityRow row = {.connections = connections, .seconds = 10, .throughput = throughput};

	return row;
}

static void
test_scalability(void)
{
	PadvCurve	curve = law(PADV_CURVE_FITTED);
	PadvCurve	none = {.state = PADV_CURVE_TOO_LITTLE_DATA};
	PadvScalabilityRow rows[] = {
		row_at(0.97, 100), row_at(4, 357), row_at(10, 526), row_at(40, 241), row_at(100, 99),
		row_at(NAN, 5), row_at(5, -1), row_at(0, 5),
	};

	padv_canvas_init(&canvas, 60, 14, true);
	padv_chart_scalability(&canvas, rows, 8, &curve);
	is_drawn("Transactions/s by busy connections\n"
			 "  600 ┤                          │\n"
			 "      │                     ·····●····\n"
			 "      │                  ···     │    ···\n"
			 "  400 ┤               ●··        │       ···\n"
			 "      │            ···           │          ···\n"
			 "      │        ····              │             ·●··\n"
			 "  200 ┤    ····                  │                 ····\n"
			 "      │●···                      │                     ···●\n"
			 "      │                          │\n"
			 "    0 └┬───────┬─────────┬────═══┬══────┬─────────┬───────┬\n"
			 "       1       2         5      10     20        50      100\n"
			 "● measured   · fitted   │ optimum 10 busy: 526 a second\n"
			 "═ within 5 %: 7.3 to 13.7\n",
			 "a curve with its optimum");

	rows[5] = row_at(1e6, 0);
	padv_canvas_init(&canvas, 40, 8, true);
	padv_chart_scalability(&canvas, rows, 6, &none);
	is_drawn("Transactions/s by busy connections\n"
			 "   1k ┤\n"
			 "      │     ●\n"
			 "  500 ┤   ●\n"
			 "      │●       ● ●                    ●\n"
			 "    0 └┬─┬─┬┬─┬─┬┬─┬─┬─┬┬─┬─┬┬─┬─┬┬─┬─┬\n"
			 "       1   5   50   500  5k   50k    1M\n"
			 "● measured   too little data\n",
			 "a wide range, labels where there is room, and no throughput at its end");
	rows[5] = row_at(NAN, 5);

	curve = law(PADV_CURVE_NO_KNEE);
	padv_canvas_init(&canvas, 40, 10, false);
	padv_chart_scalability(&canvas, rows, 2, &curve);
	is_drawn("Transactions/s by busy connections\n"
			 "  400 +                           ....o\n"
			 "      |                    .......\n"
			 "  200 +             .......\n"
			 "      |       .o....\n"
			 "      | ......\n"
			 "    0 ++-------+-------+------+-------+\n"
			 "       0       1       2      3       4\n"
			 "o measured   . fitted\n"
			 "knee not observed yet\n",
			 "a curve that still rises");
	padv_canvas_init(&canvas, 40, 8, true);
	padv_chart_scalability(&canvas, rows, 1, &none);
	is_drawn("Transactions/s by busy connections\n"
			 "  100 ┤                              ●\n"
			 "      │\n"
			 "   50 ┤\n"
			 "      │\n"
			 "    0 └┬──────────────────────────────┬\n"
			 "       0                              1\n"
			 "● measured   too little data\n",
			 "one point");
	padv_canvas_init(&canvas, 40, 8, true);
	padv_chart_scalability(&canvas, rows + 5, 3, &none);
	is_drawn("There is no curve yet: no throughput was\n"
			 "measured at any number of connections.\n",
			 "no point");
}

/* Whatever comes, drawings keep within bounds */

static uint64_t state = 1;

static uint64_t
random_bits(void)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (state >> 32) ^ (state << 32);
}

static int
random_below(int limit)
{
	return (int) (random_bits() >> 40) % limit;
}

/* Sensible, tiny, huge, unknown, or any bits at all. */
static float
random_figure(void)
{
	uint32_t	bits = (uint32_t) random_bits();
	float		figure;

	switch (random_below(8))
	{
		case 0:
			return -1;
		case 1:
			return 1e-6f * (float) random_below(100);
		case 2:
			return 1e9f;
		case 3:
			memcpy(&figure, &bits, sizeof(figure));
			return figure;
		default:
			return (float) random_below(1000) / 10.0f;
	}
}

/* Lines no longer than the canvas, all of them printable. */
static bool
keeps_within(int width, int height, bool unicode)
{
	bool		kept = canvas.width == width && padv_canvas_rows(&canvas) <= height &&
		padv_canvas_rows(&canvas) > 0;

	for (int row = 0; row < padv_canvas_rows(&canvas); row++)
	{
		char		line[PADV_CANVAS_LINE];

		padv_canvas_line(&canvas, row, line);
		/* a second canvas that is wide enough cuts nothing off */
		kept = kept && padv_canvas_text_width(&canvas, line) <= width;
		for (const char *c = line; *c != '\0'; c++)
			kept = kept && (unsigned char) *c >= ' ' && *c != 0x7F &&
				(unicode || (unsigned char) *c < 0x80);
	}
	return kept;
}

static void
draw_random_time(void)
{
	int64_t		span = random_below(2) ? random_below(900) + 1 : random_below(14 * 86400) + 1;
	PadvTimeline timeline = timeline_of(random_below(MAX_POINTS), MORNING, MORNING + span * PADV_SECOND,
										random_below(300) * PADV_SECOND + 1);

	timeline.utc_offset = berlin;
	for (int i = 0; i < timeline.count; i++)
	{
		int64_t		at = random_below(20) ? MORNING + (int64_t) (random_bits() % (uint64_t) (span * PADV_SECOND)) :
			(int64_t) random_bits();

		points[i] = point_at(at, random_figure(), random_figure(), random_figure());
		for (int class = 0; class < PADV_WAIT_CLASSES; class++)
			points[i].in_class[class] = random_figure();
	}
	if (random_below(2))
		padv_chart_load(&canvas, &timeline);
	else
		padv_chart_waits(&canvas, &timeline);
}

static void
draw_random_roles(void)
{
	static char names[150][64];
	PadvRoleBar bars[150];
	int			count = random_below(150);

	for (int i = 0; i < count; i++)
	{
		int			length = random_below(64);

		for (int c = 0; c < length; c++)
			names[i][c] = random_below(2) ? (char) (1 + random_below(255)) :
				(char) (0xE3 + (c % 3 ? random_below(2) - 0x63 : 0));
		names[i][length] = '\0';
		bars[i] = (PadvRoleBar) {
			.name = names[i], .active_avg = random_figure(),
			.sessions = random_below(4) ? random_below(1000) : (int64_t) random_bits(),
			.limit = random_below(4) ? random_below(1000) - 500 : (int64_t) random_bits(),
		};
	}
	padv_chart_roles(&canvas, bars, count, random_figure());
}

static void
draw_random_scalability(void)
{
	PadvScalabilityRow rows[60];
	PadvCurve	curve = {
		.state = (PadvCurveState) random_below(3), .fit_known = random_below(2),
		.busy = {random_figure(), random_figure(), random_figure()},
		.throughput = random_figure(),
		.fit = {random_figure(), random_figure(), random_figure(), 0},
	};
	int			count = random_below(60);

	for (int i = 0; i < count; i++)
		rows[i] = row_at(random_figure(), random_figure());
	padv_chart_scalability(&canvas, rows, count, &curve);
}

static void
test_random(void)
{
	static void (*const draw[]) (void) = {
		draw_random_time, draw_random_roles, draw_random_scalability,
	};
	static const char *const names[] = {"time", "roles", "scalability"};

	for (int kind = 0; kind < 3; kind++)
	{
		int			kept = 0;

		for (int i = 0; i < 700; i++)
		{
			int			width = random_below(3) ? 40 + random_below(361) : 40;
			int			height = random_below(3) ? 5 + random_below(96) : 5;
			bool		unicode = random_below(2);

			padv_canvas_init(&canvas, width, height, unicode);
			draw[kind] ();
			kept += keeps_within(width, height, unicode);
		}
		ok(kept == 700, "%d of 700 random drawings of %s keep within bounds", kept, names[kind]);
	}
}

int
main(void)
{
	test_round_numbers();
	test_labels();
	test_clock();
	test_text();
	test_sentence();
	test_load();
	test_unknown();
	test_waits();
	test_clock_changes();
	test_roles();
	test_scalability();
	test_random();
	return tap_end();
}
