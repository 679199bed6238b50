/*
 * pools.c
 *		The pools in front of the server, found from its sessions.
 *
 * Owns which sessions belong together, and which of their loads is the busiest.  Pure; the
 * worker counts the sessions of each sample, and asks for a judgment once a second.
 *
 * pool_kinds.c owns what kind of pool they are, pool_needs.c the load of a period, and the
 * size that it needs.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/model/pools_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* How long a pool is shown after its last connection. */
#define SHOWN DAY
#define PEOPLE_SHOWN (10 * MINUTE)

/* Transactions for a good measurement of the load. */
#define ENOUGH_TRANSACTIONS 1000
#define BUSIEST_FADES ((double) (14 * DAY))

/* The sessions of a group in a sample. */
typedef struct Counts
{
	int32_t		open;
	int32_t		in_use;
	int32_t		demand;
} Counts;

struct PadvPools
{
	int			top;			/* numbers below this are in use, or were */
	int64_t		clock_us;		/* of the last second; 0: none yet */
	int64_t		now_us;			/* of the last sample */
	int64_t		wall;
	int64_t		samples;		/* since the last second */
	Counts		counts[PADV_MAX_FOUND_POOLS];
	PadvPoolTally tallies[PADV_MAX_FOUND_POOLS];
	PadvPoolLook looks[PADV_MAX_FOUND_POOLS];
	PadvPoolGroup groups[PADV_MAX_FOUND_POOLS];
};

/* --- keys ------------------------------------------------------------------- */

#define KEY_WORDS (sizeof(PadvPoolKey) / sizeof(uint64_t))

uint64_t
padv_pool_hash(const PadvPoolKey *key)
{
	uint64_t	words[KEY_WORDS];
	uint64_t	hash = UINT64_C(0x9E3779B97F4A7C15);

	memcpy(words, key, sizeof(words));
	for (size_t i = 0; i < KEY_WORDS; i++)
	{
		/* the finalizer of MurmurHash3 for each word */
		hash ^= words[i];
		hash ^= hash >> 33;
		hash *= UINT64_C(0xFF51AFD7ED558CCD);
		hash ^= hash >> 33;
		hash *= UINT64_C(0xC4CEB9FE1A85EC53);
		hash ^= hash >> 33;
	}
	return hash > 1 ? hash : hash + 2;
}

size_t
padv_pools_size(void)
{
	return sizeof(PadvPools);
}

static void
start_group(PadvPools *pools, int number, const PadvPoolKey *key, uint64_t hash)
{
	PadvPoolGroup *group = &pools->groups[number];
	uint32_t	generation = group->generation;

	memset(group, 0, sizeof(*group));
	group->generation = generation + 1;
	group->hash = hash;
	group->key = *key;
	group->used_us = pools->now_us;
	group->p50 = group->p95 = -1.0;
	padv_peak_init(&group->open_peak);
	padv_peak_init(&group->in_use_peak);
	memset(&pools->counts[number], 0, sizeof(Counts));
	memset(&pools->tallies[number], 0, sizeof(PadvPoolTally));
	if (number >= pools->top)
		pools->top = number + 1;
}

PadvPools *
padv_pools_init(void *block)
{
	PadvPools  *pools = block;
	PadvPoolKey nobody;

	memset(pools, 0, sizeof(*pools));
	memset(&nobody, 0, sizeof(nobody));
	start_group(pools, PADV_OTHER_POOLS, &nobody, 1);
	return pools;
}

/* A free number, or that of the pool that was used least recently. */
static int
free_number(const PadvPools *pools)
{
	int			oldest = PADV_OTHER_POOLS;

	if (pools->top < PADV_MAX_FOUND_POOLS)
		return pools->top;
	for (int i = PADV_OTHER_POOLS + 1; i < PADV_MAX_FOUND_POOLS; i++)
		if (pools->counts[i].open == 0 && pools->tallies[i].open == 0 && pools->groups[i].used_us < pools->now_us &&
			(oldest == PADV_OTHER_POOLS || pools->groups[i].used_us < pools->groups[oldest].used_us))
			oldest = i;
	return oldest;
}

int
padv_pools_number(PadvPools *pools, const PadvPoolKey *key, uint64_t hash)
{
	int			number;

	for (int i = PADV_OTHER_POOLS + 1; i < pools->top; i++)
		if (pools->groups[i].hash == hash)
			return i;
	number = free_number(pools);
	if (number != PADV_OTHER_POOLS)
		start_group(pools, number, key, hash);
	return number;
}

uint32_t
padv_pools_generation(const PadvPools *pools, int number)
{
	return pools->groups[number].generation;
}

/* --- a sample --------------------------------------------------------------- */

/* A session that is logging in has no application name yet. */
static bool
is_counted(const PadvPools *pools, const PadvSession *session)
{
	return !session->parallel_worker && session->state != PADV_STATE_OTHER && session->pool < pools->top;
}

static void
add_up(PadvPoolTally *tally, const Counts *counts, int64_t wall)
{
	if (counts->open == 0)
		return;
	tally->open += counts->open;
	tally->in_use += counts->in_use;
	tally->demand += counts->demand;
	tally->shared += (int64_t) counts->in_use * (counts->in_use - (counts->in_use > 0));
	if (counts->open >= tally->level)
		tally->high_at = wall;
	tally->all_in_use |= counts->in_use == counts->open;
	if (counts->open > tally->open_max)
		tally->open_max = counts->open;
	if (counts->in_use > tally->in_use_max)
		tally->in_use_max = counts->in_use;
}

void
padv_pools_sample(PadvPools *pools, const PadvSample *sample)
{
	memset(pools->counts, 0, (size_t) pools->top * sizeof(Counts));
	for (int i = 0; i < sample->count; i++)
	{
		const PadvSession *session = &sample->sessions[i];
		Counts	   *counts;

		if (!is_counted(pools, session))
			continue;
		counts = &pools->counts[session->pool];
		counts->open++;
		counts->in_use += session->state != PADV_STATE_IDLE;
		counts->demand += session->demands && session->state == PADV_STATE_ACTIVE;
	}
	pools->now_us = sample->clock_us;
	pools->wall = sample->taken_at;
	pools->samples++;
	for (int i = 0; i < pools->top; i++)
		add_up(&pools->tallies[i], &pools->counts[i], pools->wall);
}

/* A session has ended, or a transaction, which perhaps no sample has seen. */
static void
note_unseen(PadvPools *pools, int number, bool in_use)
{
	PadvPoolTally *tally = &pools->tallies[number];

	pools->groups[number].used_us = pools->now_us;
	if (tally->open_max == 0)
		tally->open_max = 1;
	if (in_use && tally->in_use_max == 0)
		tally->in_use_max = 1;
}

void
padv_pools_work(PadvPools *pools, int number, const PadvPoolWork *work)
{
	PadvPoolGroup *group = &pools->groups[number];
	PadvPoolPart *part = &group->parts[group->part];

	if (work->ended > 0 || work->inside_us > 0)
		note_unseen(pools, number, work->inside_us > 0);
	part->ended += work->ended;
	part->brief += work->brief;
	part->inside_us += work->inside_us;
	for (int i = 0; i < PADV_HOLD_BUCKETS; i++)
	{
		part->transactions += work->held[i];
		group->finished += work->held[i];
		group->held[0][i] += (uint64_t) work->held[i];
		group->held_changed |= work->held[i] != 0;

		/* what a lock-up held is not usual */
		if (work->held[i] > 0 && group->kind != PADV_POOL_LOCKED_UP && i > group->longest_hold)
			group->longest_hold = i;
	}
}

/* --- once a second: sessions ------------------------------------------------ */

static void
look_at_sessions(PadvPools *pools, const PadvSample *sample, const int64_t *started)
{
	memset(pools->looks, 0, (size_t) pools->top * sizeof(PadvPoolLook));
	for (int i = 0; i < sample->count; i++)
	{
		const PadvSession *session = &sample->sessions[i];

		if (is_counted(pools, session))
			padv_pool_look(&pools->groups[session->pool], session, started[session->status_index],
						   pools->wall, &pools->looks[session->pool]);
	}
}

/* --- the load --------------------------------------------------------------- */

/* The last minute, or as much of it as has enough transactions. */
static PadvPoolPart
busiest_parts(const PadvPoolGroup *group)
{
	PadvPoolPart sum = {0};

	for (int count = 1; count <= PADV_POOL_PARTS && sum.transactions < ENOUGH_TRANSACTIONS; count++)
		sum = padv_pool_sum_parts(group, count);
	return sum;
}

static void
note_busiest(PadvPoolGroup *group, int64_t optimal, int64_t wall)
{
	PadvPoolBusiest *busiest = &group->busiest;
	double		fade = fmax(0.0, 1.0 - fabs((double) (wall - busiest->at)) / BUSIEST_FADES);
	PadvPoolPart sum = busiest_parts(group);
	PadvPoolBusiest latest;
	double		needed,
				known;

	if (!padv_pool_measure(&sum, wall, &latest))
		return;
	needed = (double) padv_pool_size_needed(&latest);
	known = busiest->at != 0 ? fade * (double) padv_pool_size_needed(busiest) : 0.0;
	if (needed < known || (needed <= known && latest.load <= busiest->load * fade))
		return;
	*busiest = latest;
	group->optimal = optimal;
}

/* What was known last stays, while no transaction ends. */
static void
update_percentiles(PadvPoolGroup *group)
{
	uint64_t	sum[PADV_HOLD_BUCKETS];

	/* differences are right in the sum, and can be off for a second */
	for (int i = 0; i < PADV_HOLD_BUCKETS; i++)
	{
		sum[i] = group->held[0][i] + group->held[1][i];
		if ((int64_t) sum[i] < 0)
			sum[i] = 0;
	}
	if (padv_hold_percentile(sum, 0.5) < 0.0)
		return;
	group->p50 = padv_hold_percentile(sum, 0.5);
	group->p95 = padv_hold_percentile(sum, 0.95);
}

static void
end_held(PadvPoolGroup *group, int64_t now_us)
{
	if (group->held_changed)
		update_percentiles(group);
	group->held_changed = false;
	if (now_us < group->held_due_us)
		return;
	group->held_due_us = now_us + MINUTE;
	memcpy(group->held[1], group->held[0], sizeof(group->held[0]));
	memset(group->held[0], 0, sizeof(group->held[0]));
}

/* --- once a second ---------------------------------------------------------- */

static void
end_part(PadvPoolGroup *group, PadvPoolTally *tally, const PadvPoolLook *look, int64_t optimal, int64_t now_us, int64_t wall)
{
	padv_pool_judge_part(group, tally, look, now_us, wall);
	note_busiest(group, optimal, wall);
	group->part = (group->part + 1) % PADV_POOL_PARTS;
	memset(&group->parts[group->part], 0, sizeof(PadvPoolPart));
	group->part_due_us = now_us + PADV_POOL_PART_US;
}

static void
set_kind(PadvPoolGroup *group, PadvPoolKind kind, int64_t now_us)
{
	if (group->kind == kind)
		return;
	group->kind = kind;
	group->kind_us = now_us;
}

static void
begin_group(PadvPoolGroup *group, int64_t now_us)
{
	group->first_us = group->kind_us = now_us;
	group->part_due_us = now_us + PADV_POOL_PART_US;
	group->held_due_us = now_us + MINUTE;
}

/* The samples of the last second become a part of the part. */
static void
close_tally(PadvPools *pools, int number)
{
	PadvPoolGroup *group = &pools->groups[number];
	PadvPoolPart *part = &group->parts[group->part];
	PadvPoolTally *tally = &pools->tallies[number];

	if (tally->open > 0)
		group->used_us = pools->now_us;
	if (pools->samples > 0 && group->finished > 0)
		part->met += (double) group->finished * (double) tally->in_use / (double) pools->samples;
	group->finished = 0;
	part->samples += pools->samples;
	part->open += tally->open;
	part->in_use += tally->in_use;
	part->demand += tally->demand;
	part->shared += tally->shared;
	part->all_in_use |= tally->all_in_use;
	if (tally->open_max > part->open_max)
		part->open_max = tally->open_max;
	padv_peak_add(&group->open_peak, pools->wall, (double) tally->open_max);
	padv_peak_add(&group->in_use_peak, pools->wall, (double) tally->in_use_max);
	padv_lately_add(&group->open_lately, pools->now_us, tally->open_max);
	*tally = (PadvPoolTally) {.level = tally->level, .high_at = tally->high_at};
}

static void
judge_group(PadvPools *pools, int number, int64_t us, int64_t optimal)
{
	PadvPoolGroup *group = &pools->groups[number];
	const PadvPoolLook *look = &pools->looks[number];
	PadvPoolPart *part = &group->parts[group->part];
	int64_t		open = pools->counts[number].open;
	int64_t		most = padv_peak_most(&group->open_peak, pools->wall);

	if (group->first_us == 0)
		begin_group(group, pools->now_us);
	close_tally(pools, number);
	part->us += us;
	part->grown += pools->clock_us != 0 ? open - group->open_before : 0;
	group->open_before = open;
	if (number != PADV_OTHER_POOLS)
		padv_pool_judge_second(group, look, open, most, pools->now_us, pools->wall);
	end_held(group, pools->now_us);
	if (pools->now_us >= group->part_due_us)
		end_part(group, &pools->tallies[number], look, optimal, pools->now_us, pools->wall);
	if (number != PADV_OTHER_POOLS)
		set_kind(group, padv_pool_find_kind(group, padv_peak_most(&group->open_peak, pools->wall), pools->now_us),
				 pools->now_us);
}

void
padv_pools_second(PadvPools *pools, const PadvSample *sample, const int64_t *started, int64_t optimal)
{
	int64_t		us = pools->clock_us != 0 ? pools->now_us - pools->clock_us : SECOND;

	if (us <= 0)
		return;
	look_at_sessions(pools, sample, started);
	for (int i = 0; i < pools->top; i++)
		judge_group(pools, i, us, optimal);
	pools->clock_us = pools->now_us;
	pools->samples = 0;
}

/* --- rows ------------------------------------------------------------------- */

static bool
is_shown(const PadvPools *pools, int number)
{
	const PadvPoolGroup *group = &pools->groups[number];
	int64_t		gone = pools->now_us - group->used_us;

	if (group->first_us == 0 || (number == PADV_OTHER_POOLS && padv_peak_most(&group->open_peak, pools->wall) == 0))
		return false;
	return gone < (group->kind == PADV_POOL_INTERACTIVE ? PEOPLE_SHOWN : SHOWN);
}

static void
describe_size(const PadvPools *pools, int number, PadvFoundPool *row)
{
	const PadvPoolGroup *group = &pools->groups[number];

	row->busiest = group->busiest;
	row->optimal = group->optimal;
	if (number == PADV_OTHER_POOLS)
		row->size_state = PADV_POOL_MANY;
	else if (group->kind == PADV_POOL_INTERACTIVE)
		row->size_state = PADV_POOL_PEOPLE;
	else if (group->kind == PADV_POOL_LOCKED_UP)
		row->size_state = PADV_POOL_STUCK;
	else if (group->busiest.at == 0)
		row->size_state = PADV_POOL_NOT_MEASURED;
	else
		row->suggested = padv_pool_find_size(&group->busiest, group->optimal, &row->slows_down);
}

static void
describe_group(const PadvPools *pools, int number, PadvFoundPool *row)
{
	const PadvPoolGroup *group = &pools->groups[number];
	const PadvPoolLook *look = &pools->looks[number];
	PadvPoolPart sum = padv_pool_sum_parts(group, PADV_POOL_PARTS);
	double		minutes = (double) sum.us / (double) MINUTE;

	memset(row, 0, sizeof(*row));
	row->key = group->key;
	row->others = number == PADV_OTHER_POOLS;
	row->kind = group->kind;
	row->open = pools->counts[number].open;
	row->in_use = pools->counts[number].in_use;
	row->max_open = padv_peak_most(&group->open_peak, pools->wall);
	row->open_lately = padv_lately_most(&group->open_lately);
	row->max_in_use = padv_peak_most(&group->in_use_peak, pools->wall);
	row->busy = sum.open > 0 ? (double) sum.in_use / (double) sum.open : -1.0;
	row->hold_p50_seconds = group->p50;
	row->hold_p95_seconds = group->p95;
	row->churn_per_minute = minutes > 0.0 ? fmax((double) (sum.grown + sum.ended), 0.0) / minutes : 0.0;
	row->brief_per_minute = minutes > 0.0 ? fmax((double) sum.brief, 0.0) / minutes : 0.0;
	row->kind_seconds = (double) (pools->now_us - group->kind_us) / 1e6;
	row->known_seconds = (double) (pools->now_us - group->first_us) / 1e6;
	row->leaked = group->leak != 0 ? look->unused[group->leak - 1] : 0;
	row->stuck_seconds = (double) group->stuck_us / 1e6;
	describe_size(pools, number, row);
}

int
padv_pools_rows(const PadvPools *pools, PadvFoundPool rows[PADV_MAX_FOUND_POOLS])
{
	int			count = 0;

	for (int i = 0; i < pools->top; i++)
		if (is_shown(pools, i))
			describe_group(pools, i, &rows[count++]);
	return count;
}

/* The others come last, as they are no pool. */
static int
compare_rows(const void *a, const void *b)
{
	const PadvFoundPool *left = a;
	const PadvFoundPool *right = b;

	if (left->others != right->others)
		return left->others ? 1 : -1;
	if (left->open != right->open)
		return left->open > right->open ? -1 : 1;
	if (left->max_open != right->max_open)
		return left->max_open > right->max_open ? -1 : 1;
	return memcmp(&left->key, &right->key, sizeof(PadvPoolKey));
}

void
padv_pools_sort(PadvFoundPool *rows, int count)
{
	qsort(rows, (size_t) count, sizeof(PadvFoundPool), compare_rows);
}

void
padv_pools_forget_sizes(PadvPools *pools)
{
	for (int i = 0; i < pools->top; i++)
		memset(&pools->groups[i].busiest, 0, sizeof(PadvPoolBusiest));
}

void
padv_pools_forget_peaks(PadvPools *pools)
{
	for (int i = 0; i < pools->top; i++)
	{
		padv_peak_init(&pools->groups[i].open_peak);
		padv_peak_init(&pools->groups[i].in_use_peak);
		memset(&pools->groups[i].open_lately, 0, sizeof(PadvLately));
	}
}

const char *
padv_pool_kind_name(PadvPoolKind kind)
{
	static const char *const names[] = {
		NULL, "fixed", "elastic", "per request", "leaking", "locked up", "interactive",
	};

	return names[kind];
}
