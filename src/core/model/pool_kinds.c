/*
 * pool_kinds.c
 *		What kind of pool a found pool is.
 *
 * Owns the rules, each with the evidence that it asks for:
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
 * Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <string.h>

#include "core/model/pools_internal.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* Of brief connections in a minute, and parts of the minute with some. */
#define PER_REQUEST 30
#define PER_REQUEST_PARTS 3
#define FEW_BRIEF 10
#define PER_REQUEST_ENDS (5 * MINUTE)

/* How the number of open connections rises in a leak. */
#define STEPS_UP 5
#define LEAST_LEAK 10
#define LEAST_EARLY_LEAK 20		/* that began before the pool was known for
								 * long */
#define KNOWN (10 * MINUTE)
#define UNUSED_SHARE 0.6
#define STILL_UNUSED 0.5
#define LEAK_ENDS HOUR			/* after the last one was opened */

static const int64_t step_us[PADV_POOL_HORIZONS] = {5 * SECOND, MINUTE, 10 * MINUTE, 4 * HOUR};

/*
 * A connection of a leak has not been used for so long, and was not used for longer before:
 * so it is not one of many that wait for their next turn.
 */
static const int64_t unused_us[PADV_POOL_HORIZONS] = {5 * SECOND, MINUTE, 10 * MINUTE, HOUR};

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

void
padv_pool_look(const PadvPoolGroup *group, const PadvSession *session, int64_t started,
			   int64_t wall, PadvPoolLook *look)
{
	int64_t		idle = wall - session->state_start;

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
	for (int i = 0; i < PADV_POOL_HORIZONS && idle >= unused_us[i]; i++)
	{
		if (session->state_start - started > unused_us[i])
			continue;
		look->unused[i]++;
		look->wasted[i] += wall - started <= (PADV_POOL_STEPS + 1) * step_us[i];
	}
	if (group->leak != 0 && session->state_start <= group->leak_at)
		look->untouched++;
}

static void
judge_per_request(PadvPoolGroup *group, int64_t now_us)
{
	PadvPoolPart sum = padv_pool_sum_parts(group, PADV_POOL_PARTS);
	int			parts = 0;

	for (int i = 0; i < PADV_POOL_PARTS; i++)
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
rises_steadily(const PadvPoolRise *rise)
{
	const int64_t *floors = rise->floors;
	int64_t		all = floors[PADV_POOL_STEPS] - floors[0];
	int64_t		late = floors[PADV_POOL_STEPS] - floors[PADV_POOL_STEPS / 2];
	int			up = 0;

	for (int i = 0; i < PADV_POOL_STEPS; i++)
		up += floors[i + 1] > floors[i];
	return rise->count > PADV_POOL_STEPS && up >= STEPS_UP && floors[PADV_POOL_STEPS] > floors[PADV_POOL_STEPS - 1] &&
		3 * late >= all && floors[PADV_POOL_STEPS] > rise->most[0];
}

static void
find_leak(PadvPoolGroup *group, const PadvPoolLook *look, int horizon, int64_t now_us, int64_t wall)
{
	const PadvPoolRise *rise = &group->rises[horizon];
	int64_t		size = rise->floors[PADV_POOL_STEPS] - rise->floors[0];
	int64_t		known = now_us - group->first_us - PADV_POOL_STEPS * step_us[horizon];
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
has_ended(PadvPoolGroup *group, const PadvPoolLook *look, int64_t open, int64_t now_us)
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
judge_leaks(PadvPoolGroup *group, const PadvPoolLook *look, int64_t open, int64_t most, int64_t now_us, int64_t wall)
{
	for (int i = 0; i < PADV_POOL_HORIZONS; i++)
	{
		PadvPoolRise *rise = &group->rises[i];

		if (rise->due_us == 0)
		{
			rise->due_us = now_us + step_us[i];
			rise->lowest = open;
		}
		if (open < rise->lowest)
			rise->lowest = open;
		if (now_us < rise->due_us)
			continue;
		memmove(rise->floors, rise->floors + 1, PADV_POOL_STEPS * sizeof(rise->floors[0]));
		memmove(rise->most, rise->most + 1, PADV_POOL_STEPS * sizeof(rise->most[0]));
		rise->floors[PADV_POOL_STEPS] = rise->lowest;
		rise->most[PADV_POOL_STEPS] = most;
		rise->count += rise->count <= PADV_POOL_STEPS;
		rise->lowest = open;
		rise->due_us = now_us + step_us[i];
		find_leak(group, look, i, now_us, wall);
	}
	if (group->leak != 0 && group->leak_at != wall && has_ended(group, look, open, now_us))
		group->leak = 0;
}

/* The longest pause that is usual; what a single session forgot bounds it. */
static int64_t
usual_pause(const PadvPoolGroup *group)
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
judge_stuck(PadvPoolGroup *group, const PadvPoolLook *look, int64_t open, int64_t wall)
{
	bool		all = look->pausing == open && open >= LEAST_STUCK;
	bool		program = group->program ||
		(open >= PROGRAM_LOGINS && look->newest - look->oldest <= PADV_POOL_PART_US);
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
were_not_needed(const PadvPoolGroup *group, const PadvPoolLook *look, int64_t wall)
{
	if (group->grown_from != 0 && wall - group->grown_at <= GROWN_LATELY)
		return look->oldest < group->grown_from || look->fresh < group->grown_by;
	return look->oldest < group->low_at;
}

/* Growth in several parts is one. */
static void
note_growth(PadvPoolGroup *group, int64_t open, int64_t wall)
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
set_level(PadvPoolGroup *group, PadvPoolTally *tally, int64_t open, int64_t wall)
{
	group->level = open;
	group->level_at = wall;
	group->low_us = 0;
	tally->level = (int32_t) (open - level_tolerance(open));
}

static void
judge_level(PadvPoolGroup *group, PadvPoolTally *tally, const PadvPoolLook *look, int64_t now_us, int64_t wall)
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
judge_program(PadvPoolGroup *group, const PadvPoolPart *part)
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

void
padv_pool_judge_second(PadvPoolGroup *group, const PadvPoolLook *look, int64_t open, int64_t most,
					   int64_t now_us, int64_t wall)
{
	judge_leaks(group, look, open, most, now_us, wall);
	judge_stuck(group, look, open, wall);
}

void
padv_pool_judge_part(PadvPoolGroup *group, PadvPoolTally *tally, const PadvPoolLook *look,
					 int64_t now_us, int64_t wall)
{
	judge_program(group, &group->parts[group->part]);
	judge_per_request(group, now_us);
	judge_level(group, tally, look, now_us, wall);
}

static bool
are_people(const PadvPoolGroup *group, int64_t most)
{
	if (group->program || most > PEOPLE)
		return false;
	return group->rate <= (group->kind == PADV_POOL_INTERACTIVE ? PROGRAM_RATE : PERSON_RATE);
}

PadvPoolKind
padv_pool_find_kind(const PadvPoolGroup *group, int64_t most, int64_t now_us)
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
