/*
 * load_by.c
 *		Average active sessions by role, database, application, client and query.
 *
 * Owns how long intervals are, which keys are kept of them, and what a period consists of.
 * Pure: no clock, no globals, no allocation.
 *
 * The current intervals have tallies with room for many keys.  A second that is over is added
 * to its 10 s, these to their minute, and so on.  Of an interval that is over the largest keys
 * are kept.  A period is a row of such intervals, the long ones first and the short ones up to
 * now, so it needs no sums that slide, and nothing has to be taken out of a sketch.
 *
 * A sample costs little: sessions of the same origin are counted in one line, which is
 * expanded into role, database, application and client once a second, or when another origin
 * needs its place.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/load_by.h"

#include <stdlib.h>
#include <string.h>

/* The ring of seconds is longer than a minute, for readers that are slow. */
static const struct
{
	int64_t		seconds;
	int			slots;
	int			first;			/* in PadvLoadRings.slots */
}			levels[PADV_LOAD_LEVELS] = {

	{1, PADV_LOAD_MOST_SLOTS, 0},
	{10, 60, PADV_LOAD_MOST_SLOTS},
	{60, 60, PADV_LOAD_MOST_SLOTS + 60},
	{600, 36, PADV_LOAD_MOST_SLOTS + 60 + 60},
	{21600, 56, PADV_LOAD_MOST_SLOTS + 60 + 60 + 36},
};

static const struct
{
	const char *name;
	int			level;			/* of its longest intervals */
	int			slots;
}			periods[PADV_LOAD_PERIODS] = {

	{"10 s", 0, 10},
	{"1 min", 0, 60},
	{"10 min", 1, 60},
	{"1 h", 2, 60},
	{"6 h", 3, 36},
	{"14 days", 4, 56},
};

const char *
padv_dimension_name(PadvDimension dimension)
{
	static const char *const names[PADV_DIMENSIONS] = {"role", "database", "application", "client", "query"};

	return names[dimension];
}

const char *
padv_load_period_name(PadvLoadPeriod period)
{
	return periods[period].name;
}

int64_t
padv_load_level_seconds(int level)
{
	return levels[level].seconds;
}

int
padv_load_level_slots(int level)
{
	return levels[level].slots;
}

/* --- intervals that are over --- */

/* Only the keys that there are. */
static void
copy_slot(PadvLoadSlot *to, const PadvLoadSlot *from)
{
	memcpy(to, from, offsetof(PadvLoadSlot, keys));
	for (int i = 0; i < PADV_DIMENSIONS; i++)
		memcpy(to->keys[i], from->keys[i], (size_t) from->count[i] * sizeof(PadvLoadKey));
}

static int
slot_of(int level, int64_t number)
{
	return levels[level].first + (int) (number % levels[level].slots);
}

void
padv_load_put(PadvLoadRings *rings, const PadvLoadSlot *slot)
{
	copy_slot(&rings->slots[slot_of(slot->level, slot->number)], slot);
}

bool
padv_load_get(const PadvLoadRings *rings, int level, int64_t number, PadvLoadSlot *slot)
{
	const PadvLoadSlot *found;

	if (number < 0)
		return false;
	found = &rings->slots[slot_of(level, number)];
	if (found->samples == 0 || found->number != number)
		return false;
	copy_slot(slot, found);
	return true;
}

/* --- counting --- */

/* Add a line to the tallies of the current second, and free it. */
static void
expand_line(PadvLoadOpen *open, PadvLoadLine *line)
{
	PadvTally  *tallies = open->levels[0].tallies;

	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
	{
		float		sum = (float) line->sums[class];

		if (line->sums[class] == 0)
			continue;
		padv_tally_add(&tallies[PADV_DIMENSION_ROLE], line->role, class, sum);
		padv_tally_add(&tallies[PADV_DIMENSION_DATABASE], line->database, class, sum);
		padv_tally_add(&tallies[PADV_DIMENSION_APPLICATION], line->application, class, sum);
		padv_tally_add(&tallies[PADV_DIMENSION_CLIENT], line->client, class, sum);
	}
	line->used = false;
}

static void
expand_lines(PadvLoadOpen *open)
{
	for (int i = 0; i < PADV_LOAD_LINES; i++)
		if (open->lines[i].used)
			expand_line(open, &open->lines[i]);
}

static PadvLoadLine *
begin_line(PadvLoadOpen *open, PadvLoadLine *line, const PadvSession *session, const PadvSessionKeys *keys)
{
	if (line->used)
		expand_line(open, line);
	*line = (PadvLoadLine) {
		.used = true, .origin = keys->origin, .role = session->role, .database = session->database,
		.application = keys->application, .client = keys->client,
	};
	return line;
}

static void
count_session(PadvLoadOpen *open, const PadvSession *session, const PadvSessionKeys *keys, int class)
{
	PadvLoadLine *line = &open->lines[keys->origin % PADV_LOAD_LINES];

	if (!line->used || line->origin != keys->origin)
		line = begin_line(open, line, session, keys);
	line->sums[class]++;
	padv_tally_add(&open->levels[0].tallies[PADV_DIMENSION_QUERY], keys->query, class, 1.0f);
}

/* Charge each blocker its part of so many sessions that wait. */
static void
add_blame(PadvLoadOpen *open, int64_t waiting)
{
	int64_t		blocked = 0;
	double		part;

	for (int i = 0; i < open->ncharges; i++)
		blocked += open->charges[i].blocked;
	if (blocked == 0 || waiting == 0)
		return;
	part = waiting < blocked ? (double) waiting / (double) blocked : 1.0;
	for (int i = 0; i < open->ncharges; i++)
	{
		double		amount = part * (double) open->charges[i].blocked;

		open->levels[0].sums[PADV_BLAME] += amount;
		for (int dimension = 0; dimension < PADV_DIMENSIONS; dimension++)
			padv_tally_add(&open->levels[0].tallies[dimension], open->charges[i].keys[dimension],
						   PADV_BLAME, (float) amount);
	}
}

void
padv_load_count(PadvLoadOpen *open, const PadvSample *sample)
{
	int64_t		in_class[PADV_WAIT_CLASSES] = {0};

	if (sample->keys == NULL)
		return;
	for (int i = 0; i < sample->count; i++)
	{
		const PadvSession *session = &sample->sessions[i];
		int			class;

		if (session->state != PADV_STATE_ACTIVE || session->parallel_worker)
			continue;
		class = session->wait_class < PADV_WAIT_CLASSES ? session->wait_class : PADV_WAITING_OTHER;
		in_class[class]++;
		count_session(open, session, &sample->keys[i], class);
	}
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		open->levels[0].sums[class] += (double) in_class[class];
	open->levels[0].samples++;
	if (open->ncharges > 0)
		add_blame(open, in_class[PADV_WAITING_LOCK]);
}

void
padv_load_charge(PadvLoadOpen *open, const PadvLoadCharge *charges, int count)
{
	open->ncharges = count < PADV_LOAD_CHARGES ? count : PADV_LOAD_CHARGES;
	for (int i = 0; i < open->ncharges; i++)
		open->charges[i] = charges[i];
}

/* --- the end of intervals --- */

/* What is kept of the current interval of a length. */
static void
describe_slot(const PadvLoadOpen *open, int level, PadvLoadSlot *slot)
{
	PadvTallyEntry top[PADV_LOAD_KEPT];

	slot->level = level;
	slot->pad = 0;
	slot->number = open->second / levels[level].seconds;
	slot->samples = open->levels[level].samples;
	memcpy(slot->sums, open->levels[level].sums, sizeof(slot->sums));
	for (int dimension = 0; dimension < PADV_DIMENSIONS; dimension++)
	{
		int			count = padv_tally_top(&open->levels[level].tallies[dimension], PADV_LOAD_KEPT, top);

		slot->count[dimension] = count;
		for (int i = 0; i < count; i++)
		{
			slot->keys[dimension][i].key = top[i].key;
			memcpy(slot->keys[dimension][i].sums, top[i].sums, sizeof(top[i].sums));
		}
	}
}

/* Add the current interval of a length to that of the next one, and begin anew. */
static void
pass_on(PadvLoadOpen *open, int level)
{
	bool		last = level == PADV_LOAD_LEVELS - 1;

	for (int dimension = 0; dimension < PADV_DIMENSIONS; dimension++)
	{
		PadvTally  *tally = &open->levels[level].tallies[dimension];

		if (!last)
			padv_tally_merge(&open->levels[level + 1].tallies[dimension], tally);
		padv_tally_clear(tally);
	}
	for (int sum = 0; sum < PADV_TALLY_SUMS; sum++)
	{
		if (!last)
			open->levels[level + 1].sums[sum] += open->levels[level].sums[sum];
		open->levels[level].sums[sum] = 0.0;
	}
	if (!last)
		open->levels[level + 1].samples += open->levels[level].samples;
	open->levels[level].samples = 0;
}

bool
padv_load_end_next(PadvLoadOpen *open, int64_t second, PadvLoadSlot *slot)
{
	int			level = open->ending;

	if (open->second == 0)
		open->second = second;
	if (second <= open->second)
		return false;
	if (level == PADV_LOAD_LEVELS ||
		second / levels[level].seconds == open->second / levels[level].seconds)
	{
		open->second = second;
		open->ending = 0;
		return false;
	}
	if (level == 0)
		expand_lines(open);
	describe_slot(open, level, slot);
	pass_on(open, level);
	open->ending++;
	return true;
}

/* --- reading --- */

int
padv_load_cover(PadvLoadPeriod period, int64_t head, PadvLoadStretch stretches[PADV_LOAD_LEVELS])
{
	int			level = periods[period].level;
	int64_t		from = head - head % levels[level].seconds;
	int			before = level == 0 ? periods[period].slots : periods[period].slots - 1;
	int			count = 0;

	stretches[count++] = (PadvLoadStretch) {
		.level = level, .first = from / levels[level].seconds - before, .count = before,
	};
	while (--level >= 0)
	{
		int64_t		to = head - head % levels[level].seconds;

		stretches[count++] = (PadvLoadStretch) {
			.level = level, .first = from / levels[level].seconds,
			.count = (int) ((to - from) / levels[level].seconds),
		};
		from = to;
	}
	return count;
}

void
padv_load_total_add(PadvLoadTotal *total, const PadvLoadSlot *slot)
{
	total->samples += slot->samples;
	for (int sum = 0; sum < PADV_TALLY_SUMS; sum++)
		total->sums[sum] += slot->sums[sum];
}

static int
compare_keys(const void *a, const void *b)
{
	const PadvLoadKey *left = a;
	const PadvLoadKey *right = b;

	return left->key < right->key ? -1 : left->key > right->key;
}

/* The largest first, and by key where that is the same. */
static int
compare_rows(const void *a, const void *b)
{
	const PadvLoadRow *left = a;
	const PadvLoadRow *right = b;

	if (left->active_avg != right->active_avg)
		return left->active_avg > right->active_avg ? -1 : 1;
	if (left->blame != right->blame)
		return left->blame > right->blame ? -1 : 1;
	return left->key < right->key ? -1 : left->key > right->key;
}

static PadvLoadRow
make_row(const double *sums, int64_t samples)
{
	PadvLoadRow row = {0};

	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
	{
		row.in_class[class] = sums[class] / (double) samples;
		row.active_avg += row.in_class[class];
	}
	row.blame = sums[PADV_BLAME] / (double) samples;
	return row;
}

/* Sums over floats can differ from the sum of all by how these were rounded. */
#define ROUNDING 1e-5

int
padv_load_rows(const PadvLoadTotal *total, PadvLoadKey *keys, int count, PadvLoadRow rows[PADV_LOAD_ROWS])
{
	double		others[PADV_TALLY_SUMS];
	PadvLoadRow all;
	PadvLoadRow rest;
	int			nrows = 0;

	if (total->samples == 0)
		return 0;
	memcpy(others, total->sums, sizeof(others));
	all = make_row(total->sums, total->samples);
	if (count > 0)
		qsort(keys, (size_t) count, sizeof(PadvLoadKey), compare_keys);
	for (int i = 0, next; i < count; i = next)
	{
		double		sums[PADV_TALLY_SUMS] = {0};
		PadvLoadRow row;

		for (next = i; next < count && keys[next].key == keys[i].key; next++)
			for (int sum = 0; sum < PADV_TALLY_SUMS; sum++)
				sums[sum] += (double) keys[next].sums[sum];
		row = make_row(sums, total->samples);
		row.key = keys[i].key;
		if ((row.active_avg < PADV_LOAD_SHOWN * all.active_avg || row.active_avg == 0.0) &&
			(row.blame < PADV_LOAD_SHOWN * all.blame || row.blame == 0.0))
			continue;
		if (nrows == PADV_LOAD_ROWS - 1)
			break;
		rows[nrows++] = row;
		for (int sum = 0; sum < PADV_TALLY_SUMS; sum++)
			others[sum] -= sums[sum];
	}
	qsort(rows, (size_t) nrows, sizeof(PadvLoadRow), compare_rows);
	for (int sum = 0; sum < PADV_TALLY_SUMS; sum++)
		if (others[sum] < ROUNDING * total->sums[sum])
			others[sum] = 0.0;
	rest = make_row(others, total->samples);
	rest.others = true;
	if (rest.active_avg > 0.0 || rest.blame > 0.0)
		rows[nrows++] = rest;
	return nrows;
}
