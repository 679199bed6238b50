/*
 * test_load_by.c
 *		The load by key against the truth, on streams that are heavy-tailed, change
 *		all the time, or are made to deceive it.
 */
#include <stdlib.h>
#include <string.h>

#include "core/stats/load_by.h"
#include "tap.h"

#define SECOND INT64_C(1000000)
#define MOST_SESSIONS 1000
#define START 1000000			/* the second at which each test begins */

static PadvLoadOpen current;
static PadvLoadRings rings;
static PadvSession sessions[MOST_SESSIONS];
static PadvSessionKeys keys[MOST_SESSIONS];
static int	ended[PADV_LOAD_LEVELS];

static void
start_over(void)
{
	memset(&current, 0, sizeof(current));
	memset(&rings, 0, sizeof(rings));
	memset(sessions, 0, sizeof(sessions));
	memset(keys, 0, sizeof(keys));
	memset(ended, 0, sizeof(ended));
}

/* As the worker does it. */
static void
add_sample(int64_t second, int count)
{
	static PadvLoadSlot slot;
	PadvSample	sample = {.clock_us = second * SECOND, .count = count, .sessions = sessions, .keys = keys};

	while (padv_load_end_next(&current, second, &slot))
	{
		ended[slot.level]++;
		padv_load_put(&rings, &slot);
	}
	rings.head = second;
	padv_load_count(&current, &sample);
}

/* A session that executes; its origin follows from the others. */
static void
set_session(int i, PadvWaitClass class, uint32_t role, uint64_t application, uint64_t query)
{
	uint64_t	origin[] = {role, application};

	sessions[i].state = PADV_STATE_ACTIVE;
	sessions[i].wait_class = (uint8_t) class;
	sessions[i].role = role;
	sessions[i].database = role / 10;
	keys[i] = (PadvSessionKeys) {.application = application, .client = application % 3, .query = query,
	.origin = padv_key_of(origin, sizeof(origin))};
}

static PadvLoadRow rows[PADV_LOAD_ROWS];
static PadvLoadTotal total;

static int
read_rows(PadvLoadPeriod period, PadvDimension dimension)
{
	static PadvLoadKey all[512 * PADV_LOAD_KEPT];
	static PadvLoadSlot slot;
	PadvLoadStretch stretches[PADV_LOAD_LEVELS];
	int			nstretches = padv_load_cover(period, rings.head, stretches);
	int			count = 0;

	memset(&total, 0, sizeof(total));
	for (int i = 0; i < nstretches; i++)
	{
		for (int j = 0; j < stretches[i].count; j++)
		{
			if (!padv_load_get(&rings, stretches[i].level, stretches[i].first + j, &slot))
				continue;
			padv_load_total_add(&total, &slot);
			memcpy(all + count, slot.keys[dimension], (size_t) slot.count[dimension] * sizeof(PadvLoadKey));
			count += slot.count[dimension];
		}
	}
	return padv_load_rows(&total, all, count, rows);
}

static double
sum_rows(int count)
{
	double		sum = 0.0;

	for (int i = 0; i < count; i++)
		sum += rows[i].active_avg;
	return sum;
}

static const PadvLoadRow *
find_row(int count, uint64_t key)
{
	static const PadvLoadRow none = {0};

	for (int i = 0; i < count; i++)
		if (!rows[i].others && rows[i].key == key)
			return &rows[i];
	return &none;
}

/* --- by hand --- */

static void
test_by_hand(void)
{
	int			count;

	start_over();
	ok(read_rows(PADV_LOAD_1_MINUTE, PADV_DIMENSION_ROLE) == 0, "nothing before the first sample");

	set_session(0, PADV_ON_CPU, 10, 100, 7);
	set_session(1, PADV_WAITING_IO, 10, 101, 7);
	set_session(2, PADV_WAITING_LOCK, 21, 100, 0);
	set_session(3, PADV_ON_CPU, 99, 1, 1);
	sessions[3].state = PADV_STATE_IDLE;
	set_session(4, PADV_ON_CPU, 98, 1, 1);
	sessions[4].parallel_worker = true;
	set_session(5, PADV_ON_CPU, 97, 1, 1);
	sessions[5].state = PADV_STATE_QUEUED;
	set_session(6, PADV_ON_CPU, 10, 100, 9);
	sessions[6].wait_class = 77;	/* as no sampler tells it */
	for (int i = 0; i < 10; i++)
		add_sample(START, 7);
	ok(read_rows(PADV_LOAD_10_SECONDS, PADV_DIMENSION_ROLE) == 0, "nor before a second is over");
	add_sample(START + 1, 7);

	count = read_rows(PADV_LOAD_10_SECONDS, PADV_DIMENSION_ROLE);
	ok(count == 2 && rows[0].key == 10 && rows[1].key == 21, "roles of active sessions, the largest first");
	near(rows[0].active_avg, 3.0, 1e-9, "their average");
	ok(fabs(rows[0].in_class[PADV_ON_CPU] - 1.0) < 1e-9 && fabs(rows[0].in_class[PADV_WAITING_IO] - 1.0) < 1e-9 &&
	   fabs(rows[0].in_class[PADV_WAITING_OTHER] - 1.0) < 1e-9, "by wait class; an unknown one is other");
	near(rows[1].in_class[PADV_WAITING_LOCK], 1.0, 1e-9, "and of the other one");
	count = read_rows(PADV_LOAD_14_DAYS, PADV_DIMENSION_QUERY);
	ok(count == 3 && rows[0].key == 7 && rows[1].key == 0 && rows[2].key == 9, "queries, one without an ID too, in the longest period");
	count = read_rows(PADV_LOAD_1_HOUR, PADV_DIMENSION_APPLICATION);
	ok(count == 2 && rows[0].key == 100 && fabs(rows[0].active_avg - 3.0) < 1e-9, "applications");
	count = read_rows(PADV_LOAD_1_HOUR, PADV_DIMENSION_DATABASE);
	ok(count == 2 && rows[0].key == 1 && rows[1].key == 2, "databases");
	count = read_rows(PADV_LOAD_1_HOUR, PADV_DIMENSION_CLIENT);
	ok(count == 2 && rows[0].key == 100 % 3 && rows[1].key == 101 % 3, "clients");

	/* ten samples with 4, and ten with none */
	for (int i = 0; i < 9; i++)
		add_sample(START + 1, 7);
	for (int i = 0; i < 20; i++)
		add_sample(START + 2, 0);
	add_sample(START + 3, 0);
	(void) read_rows(PADV_LOAD_1_MINUTE, PADV_DIMENSION_ROLE);
	near(rows[0].active_avg, 1.5, 1e-9, "a sample in which nothing runs counts, too");
	(void) read_rows(PADV_LOAD_10_SECONDS, PADV_DIMENSION_ROLE);
	add_sample(START + 12, 0);
	ok(read_rows(PADV_LOAD_10_SECONDS, PADV_DIMENSION_ROLE) == 0, "what is over for ten seconds is gone");
	ok(read_rows(PADV_LOAD_1_MINUTE, PADV_DIMENSION_ROLE) == 2, "but not for a minute");
	add_sample(START - 5, 7);
	add_sample(START + 14, 0);
	ok(read_rows(PADV_LOAD_1_MINUTE, PADV_DIMENSION_ROLE) == 2, "a time that steps back does no harm");
}

static void
test_no_keys(void)
{
	PadvSample	sample = {.clock_us = START * SECOND, .count = 3, .sessions = sessions};

	start_over();
	padv_load_count(&current, &sample);
	ok(current.levels[0].samples == 0, "a sample without keys is not counted");
}

/* Origins that share a line, in turn. */
static void
test_shared_lines(void)
{
	int			count;

	start_over();
	for (int i = 0; i < 40; i++)
	{
		set_session(i, PADV_ON_CPU, (uint32_t) (10 + i % 4), (uint64_t) (100 + i % 4), 5);
		keys[i].origin = (uint64_t) (i % 4) * PADV_LOAD_LINES;
	}
	add_sample(START, 40);
	add_sample(START + 1, 0);
	count = read_rows(PADV_LOAD_10_SECONDS, PADV_DIMENSION_APPLICATION);
	ok(count == 4 && rows[0].active_avg == 10.0 && rows[3].active_avg == 10.0, "origins that share a line are told apart");
}

/* --- blame --- */

static void
test_blame(void)
{
	PadvLoadCharge charges[2] = {
		{.keys = {50, 5, 500, 0, 7}, .blocked = 4},
		{.keys = {51, 5, 501, 0, 8}, .blocked = 12},
	};
	int			count;

	start_over();
	for (int i = 0; i < 8; i++)
		set_session(i, PADV_WAITING_LOCK, 10, 100, 3);
	padv_load_charge(&current, charges, 1);
	add_sample(START, 8);
	add_sample(START + 1, 0);
	count = read_rows(PADV_LOAD_10_SECONDS, PADV_DIMENSION_ROLE);
	ok(count == 2 && rows[1].key == 50 && rows[1].active_avg == 0.0, "a blocker that does nothing has a row");
	near(rows[1].blame, 4.0, 1e-9, "with the sessions that wait for it");
	near(rows[0].blame, 0.0, 0.0, "the others have none");

	start_over();
	for (int i = 0; i < 8; i++)
		set_session(i, PADV_WAITING_LOCK, 10, 100, 3);
	padv_load_charge(&current, charges, 2);
	add_sample(START, 8);
	add_sample(START, 0);
	padv_load_charge(&current, NULL, 0);
	add_sample(START, 8);
	add_sample(START + 1, 0);
	count = read_rows(PADV_LOAD_10_SECONDS, PADV_DIMENSION_QUERY);
	near(find_row(count, 7)->blame, 2.0 / 3.0, 1e-6, "those that wait for two are divided among them");
	near(find_row(count, 8)->blame, 6.0 / 3.0, 1e-6, "in proportion, and only while they wait and somebody blocks them");
	near(find_row(count, 3)->blame, 0.0, 0.0, "who waits is not to blame");
}

/* --- periods --- */

static void
test_cover(void)
{
	static const int64_t lengths[PADV_LOAD_PERIODS] = {10, 60, 600, 3600, 6 * 3600, 14 * 86400};
	bool		contiguous = true;
	bool		long_enough = true;
	bool		kept = true;

	for (int64_t head = 3000000; head < 3000000 + 100000; head += 37)
	{
		for (int period = 0; period < PADV_LOAD_PERIODS; period++)
		{
			PadvLoadStretch stretches[PADV_LOAD_LEVELS];
			int			count = padv_load_cover(period, head, stretches);
			int64_t		width = padv_load_level_seconds(stretches[0].level);
			int64_t		at = stretches[0].first * width;

			long_enough &= head - at <= lengths[period] && head - at >= lengths[period] - width;
			for (int i = 0; i < count; i++)
			{
				width = padv_load_level_seconds(stretches[i].level);
				contiguous &= stretches[i].first * width == at && stretches[i].count >= 0;
				kept &= stretches[i].count <= padv_load_level_slots(stretches[i].level);
				at += width * stretches[i].count;
			}
			contiguous &= at == head;
		}
	}
	ok(contiguous, "a period is one row of intervals that ends now");
	ok(long_enough, "and as long as its name says, or less by a part of its longest interval");
	ok(kept, "and no longer than what is kept");
}

/* Some keys for 15 days; exact, because there are not many. */
static void
test_long_time(void)
{
	int64_t		days = 15 * 86400;
	double		truth[PADV_LOAD_PERIODS][4];
	int64_t		samples[PADV_LOAD_PERIODS];
	bool		same = true;
	bool		complete = true;

	start_over();
	srand(1);
	memset(truth, 0, sizeof(truth));
	memset(samples, 0, sizeof(samples));
	for (int pass = 0; pass < 2; pass++)
	{
		srand(1);
		for (int64_t at = 0; at < days; at += 7)
		{
			int			count = 0;

			for (int key = 1; key < 4; key++)
			{
				/* the load of a key comes and goes over days */
				int			here = rand() % (1 + (int) (at / (key * 40000)) % 5);

				for (int i = 0; i < here; i++)
					set_session(count++, PADV_ON_CPU, (uint32_t) key, (uint64_t) key, (uint64_t) key);
				for (int period = 0; pass == 1 && period < PADV_LOAD_PERIODS; period++)
				{
					PadvLoadStretch stretches[PADV_LOAD_LEVELS];

					(void) padv_load_cover(period, rings.head, stretches);
					if (START + at >= stretches[0].first * padv_load_level_seconds(stretches[0].level) &&
						START + at < rings.head)
					{
						truth[period][key] += here;
						samples[period] += key == 1;
					}
				}
			}
			if (pass == 0)
				add_sample(START + at, count);
		}
	}
	for (int period = 0; period < PADV_LOAD_PERIODS; period++)
	{
		int			count = read_rows(period, PADV_DIMENSION_ROLE);

		complete &= total.samples == samples[period];
		for (int key = 1; key < 4; key++)
			same &= fabs(find_row(count, (uint64_t) key)->active_avg - truth[period][key] / (double) samples[period]) < 1e-5;
	}
	ok(complete, "all samples of each period are there");
	ok(same, "with few keys all averages are exact, over all periods");
	ok(ended[4] >= 58 && ended[0] > 100000, "intervals have ended");

	/* a long pause */
	add_sample(START + days + 3 * 86400, 0);
	ok(read_rows(PADV_LOAD_6_HOURS, PADV_DIMENSION_ROLE) == 0, "after a pause of days the short periods are empty");
	ok(read_rows(PADV_LOAD_14_DAYS, PADV_DIMENSION_ROLE) > 0, "and the long one is not");
}

/* --- tallies --- */

static uint64_t
mix(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t	all[] = {a, b, c};

	return padv_key_of(all, sizeof(all));
}

static double
uniform(uint64_t hash)
{
	return ((double) (hash >> 11) + 0.5) / 9007199254740992.0;
}

static void
test_tally(void)
{
	static PadvTally tally,
				other;
	static PadvTallyEntry top[PADV_TALLY_KEYS];
	double		all = 0.0;
	double		frequent = 0.0;
	PadvTallyEntry *entry;
	int			count;

	for (int i = 0; i < PADV_TALLY_KEYS; i++)
		padv_tally_add(&tally, (uint64_t) i, 0, 2.0f);
	ok(tally.count == PADV_TALLY_KEYS && tally.lost == 0.0f, "a tally keeps as many keys as it has room for");
	padv_tally_add(&tally, 3, 1, 1.0f);
	padv_tally_add(&tally, 5000, 0, 1.0f);
	entry = padv_tally_entry(&tally, 3);
	ok(tally.count <= PADV_TALLY_KEPT + 1 && entry->sums[0] == 2.0f && entry->sums[1] == 1.0f,
	   "the largest is kept when it is full");
	padv_tally_clear(&tally);
	ok(tally.count == 0 && tally.lost == 0.0f, "an empty one");

	/* one that comes before each pruning, when it is not among the largest */
	for (int round = 0; round < 400; round++)
	{
		PadvTally  *into = round % 2 ? &tally : &other;

		for (int i = 0; i < 1100; i++)
			padv_tally_add(into, mix(1, (uint64_t) (round % 3 == 0 ? i : round * 1100 + i), 2), 0, 3.0f);
		padv_tally_add(into, 42, 2, 2.9f + (float) round);
		all += 3300.0 + 2.9 + round;
		frequent += 2.9 + round;
	}
	padv_tally_merge(&tally, &other);
	entry = padv_tally_entry(&tally, 42);
	ok((double) tally.lost <= all / (PADV_TALLY_KEPT + 1), "what is lost is bounded, after a merge too");
	ok((double) entry->sums[2] <= frequent * 1.0001 && (double) entry->sums[2] >= frequent - (double) tally.lost * 1.0001,
	   "a key lacks no more than that: %g of %g, lost %g", (double) entry->sums[2], frequent, (double) tally.lost);
	count = padv_tally_top(&tally, 10, top);
	ok(count == 10, "as many of the largest as are asked for");

	/* all the same */
	padv_tally_clear(&tally);
	for (int i = 0; i < 20000; i++)
		padv_tally_add(&tally, (uint64_t) i, 0, 1.0f);
	ok(tally.count <= PADV_TALLY_KEYS && padv_tally_top(&tally, PADV_LOAD_KEPT, top) <= PADV_LOAD_KEPT,
	   "many keys of the same size");
}

/* --- names --- */

static void
test_names(void)
{
	static PadvKeyNames names;
	char		name[PADV_KEY_NAME] = "app";
	uint64_t	key = padv_key_of("app", 3);

	ok(key != 0 && key != padv_key_of("apq", 3) && padv_key_of("", 0) != 0 && padv_key_of("a\0", 2) != padv_key_of("a", 1),
	   "keys of names");
	ok(padv_key_name(&names, key) == NULL && padv_key_name(&names, 0) == NULL, "no name yet");
	padv_key_names_add(&names, key, name, 10);
	ok(strcmp(padv_key_name(&names, key), "app") == 0, "a name");
	ok(padv_key_names_need(&names, key, 1000) && !padv_key_names_need(&names, key + 1, 1000), "that is needed");
	for (uint64_t i = 1; i < 1000; i++)
		padv_key_names_add(&names, key + i * PADV_NAME_SETS, name, 20 + (int64_t) i / 4);
	ok(padv_key_name(&names, key) != NULL, "one that is needed for long stays when others come");
	ok(padv_key_name(&names, key + 999 * PADV_NAME_SETS) != NULL && padv_key_name(&names, key + 10 * PADV_NAME_SETS) == NULL,
	   "others do not");
}

/* --- streams --- */

typedef enum Stream
{
	ZIPF,						/* heavy-tailed */
	TWENTY,						/* some keys of different size, and a new one for each other session */
	CHURN,						/* a new key each time, and one of 2.1 % */
	BURSTS,						/* one that is there in one of five seconds, among 150 others */
	HIDDEN,						/* one that stays below what is kept, in half of the seconds */
	SORTED,						/* one that comes last, after many new ones */
	STREAMS
} Stream;

static const char *const stream_names[STREAMS] = {
	"a heavy tail", "some keys among new ones", "new keys all the time", "bursts",
	"a key that hides", "a key that comes last"
};

/* In these a key has the same share all the time. */
static bool
is_steady(Stream stream)
{
	return stream == ZIPF || stream == TWENTY || stream == CHURN || stream == SORTED;
}

/* The key of a session in a sample: always the same. */
static uint64_t
stream_key(Stream stream, int64_t second, int sample, int i, int count)
{
	uint64_t	hash = mix((uint64_t) second * 1000 + (uint64_t) sample, (uint64_t) i, (uint64_t) stream);
	uint64_t	fresh = hash | UINT64_C(1) << 63;
	double		u = uniform(mix(hash, 1, 1));

	switch (stream)
	{
		case ZIPF:
			return 1 + (uint64_t) (pow(u, -1.2) < 1e15 ? pow(u, -1.2) : 1e15);
		case TWENTY:
			for (uint64_t key = 1; key <= 8; key++)
			{
				u -= 0.02 + 0.004 * (double) key;
				if (u < 0.0)
					return key;
			}
			return fresh;
		case CHURN:
			return u < 0.0215 ? 1 : fresh;
		case BURSTS:
			return second % 5 == 0 && u < 0.12 ? 1 : 2 + hash % 150;
		case HIDDEN:
			u = (double) i / (double) count;
			if (second % 2 == 0)
				return u < 0.005 ? 1 : 2 + (uint64_t) i % 131;
			return u < 0.039 ? 1 : fresh;
		case SORTED:
			return i >= count - count / 45 ? 1 : fresh;
		default:
			return 0;
	}
}

/* The truth, by key. */
#define CELLS (1 << 20)
static uint64_t true_keys[CELLS];
static int32_t true_counts[CELLS];

static int
true_cell(uint64_t key)
{
	int			cell = (int) (mix(key, 3, 3) % CELLS);

	while (true_keys[cell] != 0 && true_keys[cell] != key)
		cell = (cell + 1) % CELLS;
	true_keys[cell] = key;
	return cell;
}

/* Run a stream for some time, and compare a period with the truth. */
static void
test_stream(Stream stream, PadvLoadPeriod period, int seconds, int per_second, int count)
{
	PadvLoadStretch stretches[PADV_LOAD_LEVELS];
	int64_t		from;
	int64_t		all = 0;
	double		worst = 0.0;	/* of the load */
	double		worst_own = 0.0;	/* of the key itself */
	bool		shown = true;
	bool		sums = true;
	int			nrows;
	int			large = 0;

	start_over();
	for (int second = 0; second <= seconds; second++)
	{
		for (int sample = 0; sample < per_second; sample++)
		{
			for (int i = 0; i < count; i++)
			{
				uint64_t	key = stream_key(stream, START + second, sample, i, count);

				set_session(i, (PadvWaitClass) (i % PADV_WAIT_CLASSES), (uint32_t) (key % 50), key, key);
			}
			add_sample(START + second, count);
		}
	}

	memset(true_keys, 0, sizeof(true_keys));
	memset(true_counts, 0, sizeof(true_counts));
	(void) padv_load_cover(period, rings.head, stretches);
	from = stretches[0].first * padv_load_level_seconds(stretches[0].level);
	for (int64_t second = from < START ? START : from; second < rings.head; second++)
		for (int sample = 0; sample < per_second; sample++)
			for (int i = 0; i < count; i++, all++)
				true_counts[true_cell(stream_key(stream, second, sample, i, count))]++;

	for (PadvDimension dimension = PADV_DIMENSION_APPLICATION; dimension < PADV_DIMENSIONS; dimension++)
	{
		if (dimension == PADV_DIMENSION_CLIENT)
			continue;
		nrows = read_rows(period, dimension);
		sums &= fabs(sum_rows(nrows) - count) < 1e-3 * count && total.samples == all / count;
		for (int i = 0; i < nrows; i++)
			sums &= rows[i].active_avg >= 0.0 && rows[i].others == (i == nrows - 1 && rows[i].others);
		for (int cell = 0; cell < CELLS; cell++)
		{
			double		truth = (double) true_counts[cell] / (double) all;
			double		got;

			if (truth < 0.02)
				continue;
			large++;
			got = find_row(nrows, true_keys[cell])->active_avg / count;
			shown &= got > 0.0;
			if (fabs(got - truth) > worst)
				worst = fabs(got - truth);
			if (fabs(got - truth) / truth > worst_own)
				worst_own = fabs(got - truth) / truth;
		}
	}
	ok(shown && large > 0, "%s, %s: each key above 2%% is shown (%d)", stream_names[stream], padv_load_period_name(period), large);
	ok(worst <= 0.0097 + 1e-5, "%s: within %.2f%% of the load", stream_names[stream], 100.0 * worst);
	if (stream == HIDDEN && period <= PADV_LOAD_1_MINUTE)
		ok(worst > 0.001, "%s: it does hide", stream_names[stream]);
	if (is_steady(stream))
		ok(worst_own <= 0.01, "%s: within %.2f%% of its own truth", stream_names[stream], 100.0 * worst_own);
	ok(sums, "%s: rows add up to the load", stream_names[stream]);
}

int
main(void)
{
	test_by_hand();
	test_no_keys();
	test_shared_lines();
	test_blame();
	test_cover();
	test_long_time();
	test_tally();
	test_names();
	for (Stream stream = 0; stream < STREAMS; stream++)
	{
		test_stream(stream, PADV_LOAD_10_SECONDS, 15, 10, 1000);
		test_stream(stream, PADV_LOAD_1_MINUTE, 65, 5, 1000);
		test_stream(stream, PADV_LOAD_10_MINUTES, 660, 1, 500);
		test_stream(stream, PADV_LOAD_1_HOUR, 3700, 1, 100);
	}
	ok(sizeof(PadvLoadRings) + sizeof(PadvLoadOpen) + sizeof(PadvKeyNames) + sizeof(PadvLoadSlot) < 8 * 1024 * 1024,
	   "all of it takes %.1f MB", (double) (sizeof(PadvLoadRings) + sizeof(PadvLoadOpen) + sizeof(PadvKeyNames)) / 1048576.0);
	return tap_end();
}
