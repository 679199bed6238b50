/*
 * lanes.c
 *		Which transactions are long, and how many slots they may have.
 *
 * Pure; shmem/long_lane.c calls it with its lock held, so each call is a few operations.
 *
 * How long a transaction will take is not known when it asks for a slot.  Two things are:
 *
 * - its class: the role, the database and the query ID of its first statement.  A class
 *	 is long while most of its last transactions were.  So a class of many short
 *	 transactions and some long ones, as all of a role without query IDs, is short;
 * - its age, once it runs.  One that has run for much longer than short ones take is
 *	 long, whatever its class.  Those that have run for long go on longest, because
 *	 durations have heavy tails (Harchol-Balter and Downey 1997).
 *
 * Those that are long by their age are not in the lane, as they have got their slots as
 * short ones.  But they leave the lane so many slots less.
 *
 * Only classes with long transactions have an entry.  A set of entries that is full loses
 * the one with the fewest.
 *
 * Lanes are in use only while many short transactions end or wait.  Else there is one
 * queue: few short ones are not worth a slot that waits for them.
 *
 * A running transaction keeps its slot, so slots must be free before a short one comes.
 * Long transactions always can have their part.  Beyond it they get what short ones seldom
 * needed lately.  One slot stays free for a while longer, because one short
 * transaction shows that there can be others.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stddef.h>

#include "core/policy/lanes.h"

/* A transaction is long at so many times what short ones use, but not below this. */
#define LONG_FACTOR 10.0
#define LEAST_LONG_US 50000.0

/* Each short transaction moves the mean use by this part of the difference. */
#define USE_STEP (1.0 / 64.0)

/* Each transaction of a class makes those before it count so much less. */
#define FADE 0.875

/* A class is long with so many long transactions: three in a row are 2.64. */
#define ENOUGH_LONGS 2.5

/* An entry with less is of no use. */
#define FORGOTTEN 0.05

/* The part of the slots that long transactions always can have: one in so many. */
#define SLOTS_FOR_ONE_LONG 4

/*
 * Short transactions seldom need more slots than their mean and so many standard
 * deviations.  A part of a slot up to ALMOST_NONE does not count.
 */
#define SPREAD 2.0
#define ALMOST_NONE 0.3

#define SECOND INT64_C(1000000)

/* Lanes are in use from so many ends of short transactions on, in about ENDS_FADE, until fewer. */
#define ENOUGH_ENDS 40.0
#define FEW_ENDS 10.0
#define ENDS_FADE ((double) (2 * SECOND))

/* Or while more short transactions wait than so many for each slot. */
#define MANY_WAITERS 2

/* One slot stays free for short transactions for so long after the last one. */
#define KEEP_ONE_US (10 * SECOND)

/* --- classes --- */

static uint64_t
mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
	return hash ^ (hash >> 32);
}

uint64_t
padv_lanes_class(uint32_t role, uint32_t database, uint64_t query_id)
{
	uint64_t	hash = mix(mix(role, database), query_id);

	return hash != 0 ? hash : 1;
}

/* The entry of a class, or NULL. */
static const PadvLongClass *
find_class(const PadvLanes *lanes, uint64_t number)
{
	const PadvLongClass *set = lanes->classes[number % PADV_CLASS_SETS];

	for (int i = 0; i < PADV_CLASSES_OF_SET; i++)
		if (set[i].number == number)
			return &set[i];
	return NULL;
}

/* A new entry, in the place of an unused one or of that with the fewest long ones. */
static PadvLongClass *
create_class(PadvLanes *lanes, uint64_t number)
{
	PadvLongClass *set = lanes->classes[number % PADV_CLASS_SETS];
	PadvLongClass *victim = &set[0];

	for (int i = 1; i < PADV_CLASSES_OF_SET; i++)
		if (victim->number != 0 && (set[i].number == 0 || set[i].longs < victim->longs))
			victim = &set[i];
	*victim = (PadvLongClass) {.number = number};
	return victim;
}

static bool
class_is_long(const PadvLongClass *class)
{
	return class->longs >= ENOUGH_LONGS && class->longs > class->shorts;
}

bool
padv_lanes_is_long(const PadvLanes *lanes, uint64_t class_number)
{
	const PadvLongClass *class = find_class(lanes, class_number);

	return class != NULL && class_is_long(class);
}

int64_t
padv_lanes_long_after(const PadvLanes *lanes)
{
	double		after = LONG_FACTOR * lanes->short_use;

	return (int64_t) (after > LEAST_LONG_US ? after : LEAST_LONG_US);
}

static void
update_class(PadvLanes *lanes, PadvLongClass *class, bool is_long)
{
	bool		before = class_is_long(class);

	class->longs = class->longs * FADE + (is_long ? 1.0 : 0.0);
	class->shorts = class->shorts * FADE + (is_long ? 0.0 : 1.0);
	if (class_is_long(class) != before)
		lanes->changes++;
	if (class->longs < FORGOTTEN)
		class->number = 0;
}

/* The ends of short transactions of about ENDS_FADE. */
static double
recent_ends(const PadvLanes *lanes, int64_t now)
{
	return now > lanes->ended_at ? lanes->short_ends * exp((double) (lanes->ended_at - now) / ENDS_FADE) : lanes->short_ends;
}

static void
count_end(PadvLanes *lanes, int64_t now)
{
	lanes->short_ends = recent_ends(lanes, now) + 1.0;
	lanes->ended_at = now;
}

bool
padv_lanes_decide(PadvLanes *lanes, int32_t shorts_waiting, int32_t slots, int64_t now)
{
	bool		before = lanes->in_use;

	lanes->in_use = shorts_waiting > MANY_WAITERS * slots ||
		recent_ends(lanes, now) >= (before ? FEW_ENDS : ENOUGH_ENDS);
	if (lanes->in_use != before)
		lanes->changes++;
	return lanes->in_use;
}

void
padv_lanes_learn(PadvLanes *lanes, uint64_t class_number, int64_t use, int64_t now)
{
	bool		is_long = use >= padv_lanes_long_after(lanes);
	PadvLongClass *class = (PadvLongClass *) find_class(lanes, class_number);

	if (!is_long)
		count_end(lanes, now);
	if (!is_long && use >= 0)
		lanes->short_use += ((double) use - lanes->short_use) * USE_STEP;
	if (class == NULL && is_long)
		class = create_class(lanes, class_number);
	if (class != NULL)
		update_class(lanes, class, is_long);
}

/* --- slots --- */

static int32_t
greater(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

void
padv_lanes_note_short(PadvLanes *lanes, int32_t slots, int64_t now)
{
	double		passed = (double) (now - lanes->noted_at);
	double		before = (double) lanes->short_now;

	if (lanes->noted_at > 0 && passed > 0.0)
	{
		double		weight = passed / (passed + (double) SECOND);

		lanes->short_mean += (before - lanes->short_mean) * weight;
		lanes->short_square += (before * before - lanes->short_square) * weight;
	}
	lanes->noted_at = now;
	lanes->short_now = slots;
	if (slots > 0)
		lanes->last_short = now;
}

int32_t
padv_lanes_guaranteed(int32_t slots)
{
	/* the only slot must not always go to long ones */
	if (slots <= 1)
		return 0;
	return greater(slots / SLOTS_FOR_ONE_LONG, 1);
}

int32_t
padv_lanes_most(const PadvLanes *lanes, int32_t slots, int32_t turned, int64_t now)
{
	double		variance = lanes->short_square - lanes->short_mean * lanes->short_mean;
	double		usual = lanes->short_mean + SPREAD * sqrt(variance > 0.0 ? variance : 0.0);
	int32_t		needed = greater(lanes->short_now, (int32_t) ceil(usual - ALMOST_NONE));

	int32_t		most;

	if (needed == 0 && lanes->last_short > 0 && now - lanes->last_short < KEEP_ONE_US)
		needed = 1;
	most = greater(slots - needed, padv_lanes_guaranteed(slots));

	/* those of a long class do not starve because others turn out to be long */
	return greater(most - turned, 1);
}
