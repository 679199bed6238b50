/*
 * pools.c
 *		The pools in front of the server, found from its sessions.
 *
 * Owns which sessions belong together, what kind of pool they are, and which of its loads is
 * the busiest.  Pure; the worker counts the sessions of each sample, and asks for a
 * judgment once a second.
 *
 * The rules, each with the evidence that it asks for:
 *
 * - Per request: connections that lived for one request end all the time.
 * - Leaking: the number of open connections rises steadily, above all that was seen
 *   before, and the new connections are not used again.  It is looked for over 30 s, 6
 *   minutes, an hour and a day.  A pool that fills up rises fast at first and slowly later;
 *   a pool that is replaced comes back to its old number.
 * - Locked up: all connections have been idle in a transaction for long, longer than
 *   pauses were before, and since about the same time.  So none waits for a lock, and no
 *   transaction ends.
 * - Interactive: few connections, with the pauses of people.
 * - Elastic: connections were closed and others stayed.  Where none stays, they were
 *   replaced.
 *
 * pool_needs.c owns the load of a period, and the size that it needs.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/model/pools_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/stats/daily_peak.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* The last minute, in parts. */
#define PARTS 6
#define PART (10 * SECOND)

/* How long a pool is shown after its last connection. */
#define SHOWN DAY
#define PEOPLE_SHOWN (10 * MINUTE)

/* Of brief connections in a minute, and parts of the minute with some. */
#define PER_REQUEST 30
#define PER_REQUEST_PARTS 3
#define FEW_BRIEF 10
#define PER_REQUEST_ENDS (5 * MINUTE)

/* How the number of open connections rises in a leak. */
#define HORIZONS 4
#define STEPS 6
#define STEPS_UP 5
#define LEAST_LEAK 10
#define LEAST_EARLY_LEAK 20		/* that began before the pool was known for
								 * long */
#define KNOWN (10 * MINUTE)
#define UNUSED_SHARE 0.6
#define STILL_UNUSED 0.5
#define LEAK_ENDS HOUR			/* after the last one was opened */

static const int64_t step_us[HORIZONS] = {5 * SECOND, MINUTE, 10 * MINUTE, 4 * HOUR};

/*
 * A connection of a leak has not been used for so long, and was not used for longer before:
 * so it is not one of many that wait for their next turn.
 */
static const int64_t unused_us[HORIZONS] = {5 * SECOND, MINUTE, 10 * MINUTE, HOUR};

/* When pauses inside transactions are no pauses any more. */
#define STUCK (30 * SECOND)
#define STUCK_AT_MOST (10 * MINUTE)
#define LONGER_THAN_USUAL 2
#define STUCK_TOGETHER MINUTE
#define LEAST_STUCK 2

/* What no person does: so many transactions in ten seconds, or more connections. */
#define PROGRAM_TRANSACTIONS 100
#define PROGRAM_LOGINS 3

/* People: connections at most, and transactions of each a minute. */
#define PEOPLE 4
#define PERSON_RATE 10.0
#define PROGRAM_RATE 30.0
#define RATE_FADES (10 * MINUTE)

/* A level of open connections: what is a change, and when it has settled. */
#define LEVEL_TOLERANCE 0.15
#define SHRUNK (60 * SECOND)
#define GROWN_LATELY (15 * MINUTE)
#define ELASTIC_FOR DAY

/* Transactions for a good measurement of the load. */
#define ENOUGH_TRANSACTIONS 1000
#define BUSIEST_FADES ((double) (14 * DAY))

/* The lowest numbers of open connections, by step of a horizon, the newest last. */
typedef struct Rise
{
	int64_t		due_us;
	int64_t		lowest;			/* of the step that has begun */
	int			count;
	int64_t		floors[STEPS + 1];
	int64_t		most[STEPS + 1];	/* ever seen, at the end of that step */
} Rise;

typedef struct Group
{
	uint64_t	hash;			/* 0: free */
	uint32_t	generation;
	PadvPoolKey key;
	int64_t		used_us;		/* monotonic: when a connection was open last */
	int64_t		first_us;		/* and when it was judged first; 0: never */

	PadvPoolPart parts[PARTS];
	int			part;			/* that has begun */
	int64_t		part_due_us;
	int64_t		open_before;	/* a second ago */
	int64_t		finished;		/* transactions of this second */

	/* transactions by duration, of this minute and the one before */
	uint64_t	held[2][PADV_HOLD_BUCKETS];
	int64_t		held_due_us;
	bool		held_changed;
	double		p50;
	double		p95;
	int			longest_hold;	/* bucket */

	PadvDailyPeak open_peak;
	PadvDailyPeak in_use_peak;
	PadvLately	open_lately;

	PadvPoolBusiest busiest;
	int64_t		optimal;

	/* kinds */
	PadvPoolKind kind;
	int64_t		kind_us;		/* since when */
	bool		program;		/* did what no person does */
	double		rate;			/* transactions a minute of a connection */
	bool		rate_known;
	bool		per_request;
	int64_t		brief_us;		/* when connections were many and brief last */
	Rise		rises[HORIZONS];
	int			leak;			/* horizon + 1; 0: none */
	int64_t		leak_from;
	int64_t		leak_size;
	int64_t		leak_at;		/* wall clock */
	int64_t		leak_most;		/* open, and since when */
	int64_t		leak_most_us;
	bool		stuck;
	int64_t		stuck_us;
	int64_t		longest_pause;
	int64_t		level;
	int64_t		level_at;		/* wall clock: when it was seen last */
	int64_t		grown_from;		/* wall clock: before it grew; 0: from nothing */
	int64_t		grown_at;
	int64_t		grown_by;
	int64_t		low_us;			/* since when fewer are open; 0: they are not */
	int64_t		low_at;			/* wall clock */
	int64_t		low_max;
	int64_t		elastic_until;	/* monotonic */
} Group;

/* The sessions of a group in a sample. */
typedef struct Counts
{
	int32_t		open;
	int32_t		in_use;
	int32_t		demand;
} Counts;

/* The samples since the last second, added up; small, as each sample touches all. */
typedef struct Tally
{
	int64_t		open;
	int64_t		in_use;
	int64_t		demand;
	int64_t		shared;
	int64_t		high_at;		/* wall clock: when `level` was open last */
	int32_t		level;
	int32_t		open_max;
	int32_t		in_use_max;
	bool		all_in_use;
} Tally;

/* And what is looked at once a second. */
typedef struct Look
{
	int64_t		unused[HORIZONS];	/* used for a short time, long ago */
	int64_t		wasted[HORIZONS];	/* of these, opened in this horizon */
	int64_t		untouched;		/* since a leak was found */
	int64_t		pausing;		/* idle in transaction */
	int64_t		pause_first;	/* the latest of when they began, and ... */
	int64_t		pause_last;
	int64_t		oldest;			/* when the oldest session started */
	int64_t		newest;
	int64_t		fresh;			/* that started when the pool grew last */
} Look;

struct PadvPools
{
	int			top;			/* numbers below this are in use, or were */
	int64_t		clock_us;		/* of the last second; 0: none yet */
	int64_t		now_us;			/* of the last sample */
	int64_t		wall;
	int64_t		samples;		/* since the last second */
	Counts		counts[PADV_MAX_FOUND_POOLS];
	Tally		tallies[PADV_MAX_FOUND_POOLS];
	Look		looks[PADV_MAX_FOUND_POOLS];
	Group		groups[PADV_MAX_FOUND_POOLS];
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
	Group	   *group = &pools->groups[number];
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
	memset(&pools->tallies[number], 0, sizeof(Tally));
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
add_up(Tally *tally, const Counts *counts, int64_t wall)
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
	Tally	   *tally = &pools->tallies[number];

	pools->groups[number].used_us = pools->now_us;
	if (tally->open_max == 0)
		tally->open_max = 1;
	if (in_use && tally->in_use_max == 0)
		tally->in_use_max = 1;
}

void
padv_pools_work(PadvPools *pools, int number, const PadvPoolWork *work)
{
	Group	   *group = &pools->groups[number];
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
look_at_session(const PadvPools *pools, const PadvSession *session, int64_t started, Look *look)
{
	const Group *group = &pools->groups[session->pool];
	int64_t		idle = pools->wall - session->state_start;

	if (look->oldest == 0 || started < look->oldest)
		look->oldest = started;
	if (started > look->newest)
		look->newest = started;
	if (started >= group->grown_from)
		look->fresh++;
	if (session->state == PADV_STATE_IDLE_IN_TRANSACTION)
	{
		if (look->pausing == 0 || session->state_start < look->pause_first)
			look->pause_first = session->state_start;
		if (look->pausing == 0 || session->state_start > look->pause_last)
			look->pause_last = session->state_start;
		look->pausing++;
	}
	else if (session->state != PADV_STATE_IDLE)
		return;
	for (int i = 0; i < HORIZONS && idle >= unused_us[i]; i++)
	{
		if (session->state_start - started > unused_us[i])
			continue;
		look->unused[i]++;
		look->wasted[i] += pools->wall - started <= (STEPS + 1) * step_us[i];
	}
	if (group->leak != 0 && session->state_start <= group->leak_at)
		look->untouched++;
}

static void
look_at_sessions(PadvPools *pools, const PadvSample *sample, const int64_t *started)
{
	memset(pools->looks, 0, (size_t) pools->top * sizeof(Look));
	for (int i = 0; i < sample->count; i++)
	{
		const PadvSession *session = &sample->sessions[i];

		if (is_counted(pools, session))
			look_at_session(pools, session, started[session->status_index], &pools->looks[session->pool]);
	}
}

/* --- kinds ------------------------------------------------------------------ */

static PadvPoolPart
sum_parts(const Group *group, int count)
{
	PadvPoolPart sum = {0};

	for (int i = 0; i < count; i++)
	{
		const PadvPoolPart *part = &group->parts[(group->part - i + PARTS) % PARTS];

		sum.us += part->us;
		sum.samples += part->samples;
		sum.open += part->open;
		sum.in_use += part->in_use;
		sum.demand += part->demand;
		sum.grown += part->grown;
		sum.ended += part->ended;
		sum.brief += part->brief;
		sum.transactions += part->transactions;
		sum.inside_us += part->inside_us;
		sum.met += part->met;
		sum.shared += part->shared;
		sum.all_in_use |= part->all_in_use;
		if (part->open_max > sum.open_max)
			sum.open_max = part->open_max;
	}
	return sum;
}

static void
judge_per_request(Group *group, int64_t now_us)
{
	PadvPoolPart sum = sum_parts(group, PARTS);
	int			parts = 0;

	for (int i = 0; i < PARTS; i++)
		parts += group->parts[i].brief > 0;
	if (sum.brief >= PER_REQUEST && parts >= PER_REQUEST_PARTS)
		group->per_request = true;
	if (sum.brief >= FEW_BRIEF)
		group->brief_us = now_us;
	else if (now_us - group->brief_us >= PER_REQUEST_ENDS)
		group->per_request = false;
}

/* Whether the floor rises in nearly all steps, to the last, and no slower than before. */
static bool
rises_steadily(const Rise *rise)
{
	const int64_t *floors = rise->floors;
	int64_t		all = floors[STEPS] - floors[0];
	int64_t		late = floors[STEPS] - floors[STEPS / 2];
	int			up = 0;

	for (int i = 0; i < STEPS; i++)
		up += floors[i + 1] > floors[i];
	return rise->count > STEPS && up >= STEPS_UP && floors[STEPS] > floors[STEPS - 1] &&
		3 * late >= all && floors[STEPS] > rise->most[0];
}

static void
find_leak(Group *group, const Look *look, int horizon, int64_t now_us, int64_t wall)
{
	const Rise *rise = &group->rises[horizon];
	int64_t		size = rise->floors[STEPS] - rise->floors[0];
	int64_t		known = now_us - group->first_us - STEPS * step_us[horizon];
	int64_t		least = known < KNOWN ? LEAST_EARLY_LEAK : LEAST_LEAK;

	if (group->leak != 0 || size < least || !rises_steadily(rise) ||
		(double) look->wasted[horizon] < UNUSED_SHARE * (double) size)
		return;
	group->leak = horizon + 1;
	group->leak_from = rise->floors[0];
	group->leak_size = size;
	group->leak_at = wall;
	group->leak_most = 0;
}

/*
 * A leak has ended when its connections are gone, or are used again.  One that has not grown
 * for long has used up its pool; or it was none, and workers that were started one after
 * another wait for something to do.
 */
static bool
has_ended(Group *group, const Look *look, int64_t open, int64_t now_us)
{
	int64_t		lasts = 2 * step_us[group->leak - 1];

	if (open > group->leak_most)
	{
		group->leak_most = open;
		group->leak_most_us = now_us;
	}
	return open <= group->leak_from || (double) look->untouched < STILL_UNUSED * (double) group->leak_size ||
		now_us - group->leak_most_us >= (lasts > LEAK_ENDS ? lasts : LEAK_ENDS);
}

static void
judge_leaks(Group *group, const Look *look, int64_t open, int64_t most, int64_t now_us, int64_t wall)
{
	for (int i = 0; i < HORIZONS; i++)
	{
		Rise	   *rise = &group->rises[i];

		if (rise->due_us == 0)
		{
			rise->due_us = now_us + step_us[i];
			rise->lowest = open;
		}
		if (open < rise->lowest)
			rise->lowest = open;
		if (now_us < rise->due_us)
			continue;
		memmove(rise->floors, rise->floors + 1, STEPS * sizeof(rise->floors[0]));
		memmove(rise->most, rise->most + 1, STEPS * sizeof(rise->most[0]));
		rise->floors[STEPS] = rise->lowest;
		rise->most[STEPS] = most;
		rise->count += rise->count <= STEPS;
		rise->lowest = open;
		rise->due_us = now_us + step_us[i];
		find_leak(group, look, i, now_us, wall);
	}
	if (group->leak != 0 && group->leak_at != wall && has_ended(group, look, open, now_us))
		group->leak = 0;
}

/* The longest pause that is usual; what a single session forgot bounds it. */
static int64_t
usual_pause(const Group *group)
{
	int64_t		longest = INT64_C(64) << group->longest_hold;

	if (group->longest_pause > longest)
		longest = group->longest_pause;
	longest *= LONGER_THAN_USUAL;
	if (longest < STUCK)
		return STUCK;
	return longest < STUCK_AT_MOST ? longest : STUCK_AT_MOST;
}

static void
judge_stuck(Group *group, const Look *look, int64_t open, int64_t wall)
{
	bool		all = look->pausing == open && open >= LEAST_STUCK;
	bool		program = group->program ||
		(open >= PROGRAM_LOGINS && look->newest - look->oldest <= PART);
	bool		stuck = all && program && look->pause_last - look->pause_first <= STUCK_TOGETHER &&
		wall - look->pause_last >= usual_pause(group);

	group->stuck = stuck;
	group->stuck_us = stuck ? wall - look->pause_last : 0;
	if (!all && look->pausing > 0 && wall - look->pause_first > group->longest_pause)
		group->longest_pause = wall - look->pause_first;
}

/*
 * Whether the sessions that are closed were not needed; or they were replaced.  Those that
 * were opened first, to replace others, all stay; otherwise some session stays that was there
 * when all were.
 */
static bool
were_not_needed(const Group *group, const Look *look, int64_t wall)
{
	if (group->grown_from != 0 && wall - group->grown_at <= GROWN_LATELY)
		return look->oldest < group->grown_from || look->fresh < group->grown_by;
	return look->oldest < group->low_at;
}

/* Growth in several parts is one. */
static void
note_growth(Group *group, int64_t open, int64_t wall)
{
	if (group->grown_from == 0 || wall - group->grown_at > MINUTE)
	{
		group->grown_from = group->level > 0 ? group->level_at : 0;
		group->grown_by = 0;
	}
	group->grown_by += open - group->level;
	group->grown_at = wall;
}

static int64_t
level_tolerance(int64_t level)
{
	return (int64_t) fmax(1.0, LEVEL_TOLERANCE * (double) level);
}

static void
set_level(Group *group, Tally *tally, int64_t open, int64_t wall)
{
	group->level = open;
	group->level_at = wall;
	group->low_us = 0;
	tally->level = (int32_t) (open - level_tolerance(open));
}

static void
judge_level(Group *group, Tally *tally, const Look *look, int64_t now_us, int64_t wall)
{
	int64_t		open = group->parts[group->part].open_max;
	int64_t		tolerance = level_tolerance(group->level);

	if (open >= group->level - tolerance)
	{
		if (open > group->level + tolerance)
			note_growth(group, open, wall);
		set_level(group, tally, open > group->level ? open : group->level, wall);
		return;
	}
	if (group->low_us == 0)
	{
		group->low_us = now_us;
		group->low_at = tally->high_at;
		group->low_max = 0;
	}
	if (open > group->low_max)
		group->low_max = open;
	if (now_us - group->low_us < SHRUNK)
		return;
	if (open > 0 && were_not_needed(group, look, wall))
		group->elastic_until = now_us + ELASTIC_FOR;
	set_level(group, tally, group->low_max, wall);
}

/* Transactions of a connection a minute, and what no person does. */
static void
judge_program(Group *group, const PadvPoolPart *part)
{
	double		open = part->samples > 0 ? (double) part->open / (double) part->samples : 0.0;
	double		weight = fmin(1.0, (double) part->us / (double) RATE_FADES);
	double		rate;

	if (part->grown >= PROGRAM_LOGINS || part->transactions >= PROGRAM_TRANSACTIONS)
		group->program = true;
	if (open <= 0.0 || part->us <= 0)
		return;
	rate = (double) part->transactions / fmax(open, 1.0) * (double) MINUTE / (double) part->us;
	if (part->brief > 0 && open < 1.0)
		rate = 0.0;				/* few logins of a script, as of monitoring */
	group->rate += group->rate_known ? weight * (rate - group->rate) : rate - group->rate;
	group->rate_known = true;
}

static bool
are_people(const Group *group, int64_t most)
{
	if (group->program || most > PEOPLE)
		return false;
	return group->rate <= (group->kind == PADV_POOL_INTERACTIVE ? PROGRAM_RATE : PERSON_RATE);
}

static PadvPoolKind
find_kind(const Group *group, int64_t most, int64_t now_us)
{
	if (group->leak != 0)
		return PADV_POOL_LEAKING;
	if (group->stuck)
		return PADV_POOL_LOCKED_UP;
	if (group->per_request)
		return PADV_POOL_PER_REQUEST;
	if (are_people(group, most))
		return PADV_POOL_INTERACTIVE;
	return group->elastic_until > now_us ? PADV_POOL_ELASTIC : PADV_POOL_FIXED;
}

/* --- the load --------------------------------------------------------------- */

/* The last minute, or as much of it as has enough transactions. */
static PadvPoolPart
busiest_parts(const Group *group)
{
	PadvPoolPart sum = {0};

	for (int count = 1; count <= PARTS && sum.transactions < ENOUGH_TRANSACTIONS; count++)
		sum = sum_parts(group, count);
	return sum;
}

static void
note_busiest(Group *group, int64_t optimal, int64_t wall)
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
update_percentiles(Group *group)
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
end_held(Group *group, int64_t now_us)
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
end_part(Group *group, Tally *tally, const Look *look, int64_t optimal, int64_t now_us, int64_t wall)
{
	judge_program(group, &group->parts[group->part]);
	judge_per_request(group, now_us);
	judge_level(group, tally, look, now_us, wall);
	note_busiest(group, optimal, wall);
	group->part = (group->part + 1) % PARTS;
	memset(&group->parts[group->part], 0, sizeof(PadvPoolPart));
	group->part_due_us = now_us + PART;
}

static void
set_kind(Group *group, PadvPoolKind kind, int64_t now_us)
{
	if (group->kind == kind)
		return;
	group->kind = kind;
	group->kind_us = now_us;
}

static void
begin_group(Group *group, int64_t now_us)
{
	group->first_us = group->kind_us = now_us;
	group->part_due_us = now_us + PART;
	group->held_due_us = now_us + MINUTE;
}

/* The samples of the last second become a part of the part. */
static void
close_tally(PadvPools *pools, int number)
{
	Group	   *group = &pools->groups[number];
	PadvPoolPart *part = &group->parts[group->part];
	Tally	   *tally = &pools->tallies[number];

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
	*tally = (Tally) {.level = tally->level, .high_at = tally->high_at};
}

static void
judge_group(PadvPools *pools, int number, int64_t us, int64_t optimal)
{
	Group	   *group = &pools->groups[number];
	const Look *look = &pools->looks[number];
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
	{
		judge_leaks(group, look, open, most, pools->now_us, pools->wall);
		judge_stuck(group, look, open, pools->wall);
	}
	end_held(group, pools->now_us);
	if (pools->now_us >= group->part_due_us)
		end_part(group, &pools->tallies[number], look, optimal, pools->now_us, pools->wall);
	if (number != PADV_OTHER_POOLS)
		set_kind(group, find_kind(group, padv_peak_most(&group->open_peak, pools->wall), pools->now_us),
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
	const Group *group = &pools->groups[number];
	int64_t		gone = pools->now_us - group->used_us;

	if (group->first_us == 0 || (number == PADV_OTHER_POOLS && padv_peak_most(&group->open_peak, pools->wall) == 0))
		return false;
	return gone < (group->kind == PADV_POOL_INTERACTIVE ? PEOPLE_SHOWN : SHOWN);
}

static void
describe_size(const PadvPools *pools, int number, PadvFoundPool *row)
{
	const Group *group = &pools->groups[number];

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
	const Group *group = &pools->groups[number];
	const Look *look = &pools->looks[number];
	PadvPoolPart sum = sum_parts(group, PARTS);
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
