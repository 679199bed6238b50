/*
 * growth.c
 *		Whose load has grown out of what was usual.
 *
 * Owns what makes a key stand out.  Pure.
 *
 * When a server is slow, all sessions on it take longer, so the load of those that only
 * suffer grows, too, but it grows alike: their mix stays as it was.  With a share b of the
 * usual load, and a share n of the present one, a key has brought (n - b) / (1 - b) of
 * the present load, if all that others have is what they had before and longer.
 *
 * That fails where they have no more sessions: when a disk is slow and all pools are full, the share
 * of the largest pool has grown, and says nothing of who brought the load.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/model/growth.h"

#include <math.h>
#include <string.h>

/* Over how long the usual load is a mean, and for how long it must be known. */
#define BEFORE_SECONDS 600.0
#define BEFORE_LEAST_SECONDS 60.0

/*
 * A key stands out when it has brought so much of the load, its share has grown by so much,
 * and it has one session more than before.  Shares of a hundred sessions vary by 0.05.
 */
#define BROUGHT_LEAST 0.25
#define ROSE_LEAST 0.20
#define MORE_LEAST 1.0

/*
 * Little was seen of a server with little to do.  So the usual share of I/O is one of this many
 * sessions more, with the shares of the demand, and that likewise with the shares of all open ones.  Of
 * other keys than roles and databases the open ones are not known: the demand must have been seen so often.
 */
#define LITTLE_SEEN 0.02
#define OFTEN_SEEN 10.0

/*
 * A key had a load before when it had so much of it.  It has no new sessions when its demand is
 * less than this times those that were open before, and all sessions of the others are full when so many want to work.
 */
#define HAD_LEAST 0.05
#define NO_NEW_SESSIONS 1.1
#define FULL 0.7

/* Beyond that many the votes of half of the time count; for so large a part of them a role is sure. */
#define MOST_VOTES 10000
#define SURE_ROLE 0.6

/* Dimensions whose shares have grown alike are as good as each other. */
#define ALIKE 0.08

/* A new key costs a search when there is no room, so there are at most that many of a dimension in a sample. */
#define MOST_REPLACED 4

/*
 * Sessions that are counted in a sample; where there are more, each stands for others, too.  Ten
 * samples a second make 640 of them, so a share varies by 0.02 in a second.
 */
#define MOST_COUNTED 64

/* The step from where one sample begins to where the next one does: odd, and about the golden section. */
#define NEXT_BEGINNING 0x9E3779B1U

/* A background process that waits for I/O for so much of the time, and so many times as long. */
#define BACKGROUND_LEAST 0.5
#define BACKGROUND_FACTOR 3.0

void
padv_growth_init(PadvGrowth *growth)
{
	memset(growth, 0, sizeof(*growth));
}

/* --- counting -------------------------------------------------------------- */

/* What is lost when a key loses its place. */
static double
weight_of(const PadvGrowth *growth, const PadvGrowthKey *key)
{
	const PadvGrowthAmount *amount = &key->amount;
	double		now = growth->now_seconds > 0.0 ? amount->now[PADV_GROWTH_DEMAND] / growth->now_seconds : 0.0;

	return key->used ? amount->seen[PADV_GROWTH_DEMAND] + amount->before[PADV_GROWTH_DEMAND] + now : -1.0;
}

/* Where a key is, or would be; multiplicative hash (Knuth 6.4). */
static uint8_t *
cell_of(PadvGrowth *growth, PadvDimension dimension, uint64_t key)
{
	uint8_t    *cells = growth->cells[dimension];
	int			cell = (int) ((key * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - PADV_GROWTH_BITS));

	while (cells[cell] != 0 && growth->keys[dimension][cells[cell] - 1].key != key)
		cell = (cell + 1) % PADV_GROWTH_CELLS;
	return &cells[cell];
}

/* The entry for a new key: a free one, or that of the least key. */
static PadvGrowthKey *
make_room(PadvGrowth *growth, PadvDimension dimension)
{
	PadvGrowthKey *keys = growth->keys[dimension];
	PadvGrowthKey *least = &keys[0];

	for (int i = 1; i < PADV_GROWTH_KEYS && least->used; i++)
		if (weight_of(growth, &keys[i]) < weight_of(growth, least))
			least = &keys[i];
	if (!least->used)
		return least;
	growth->replaced[dimension]++;
	least->used = false;
	memset(growth->cells[dimension], 0, sizeof(growth->cells[dimension]));
	for (int i = 0; i < PADV_GROWTH_KEYS; i++)
		if (keys[i].used)
			*cell_of(growth, dimension, keys[i].key) = (uint8_t) (i + 1);
	return least;
}

/* NULL: a new key, when enough of this sample have come. */
static PadvGrowthKey *
place_of(PadvGrowth *growth, PadvDimension dimension, uint64_t key)
{
	const uint8_t *cell = cell_of(growth, dimension, key);
	PadvGrowthKey *place;

	if (*cell != 0)
		return &growth->keys[dimension][*cell - 1];
	if (growth->replaced[dimension] >= MOST_REPLACED)
		return NULL;
	place = make_room(growth, dimension);
	*place = (PadvGrowthKey) {.used = true, .key = key};
	*cell_of(growth, dimension, key) = (uint8_t) (place - growth->keys[dimension] + 1);
	return place;
}

static void
count(PadvGrowthAmount *amount, const double sessions[PADV_GROWTH_KINDS])
{
	for (int i = 0; i < PADV_GROWTH_KINDS; i++)
		amount->seen[i] += sessions[i];
}

/* The role that stays is that of a majority, if one has it (Boyer and Moore 1981). */
static void
vote(PadvGrowthKey *key, uint32_t role)
{
	if (key->cast == MOST_VOTES)
		key->cast /= 2, key->votes /= 2;
	if (key->votes == 0)
		key->role = role;
	key->votes += key->role == role ? 1 : -1;
	key->cast++;
}

static void
count_session(PadvGrowth *growth, const PadvSession *session, const PadvSessionKeys *keys,
			  const double sessions[PADV_GROWTH_KINDS], bool works)
{
	const uint64_t key[PADV_DIMENSIONS] = {
		[PADV_DIMENSION_ROLE] = session->role,
		[PADV_DIMENSION_DATABASE] = session->database,
		[PADV_DIMENSION_APPLICATION] = keys->application,
		[PADV_DIMENSION_CLIENT] = keys->client,
		[PADV_DIMENSION_QUERY] = keys->query,
	};

	count(&growth->all, sessions);
	for (PadvDimension dimension = 0; dimension < PADV_DIMENSIONS; dimension++)
	{
		PadvGrowthKey *place;

		/* an idle session can have the keys of another one */
		if (key[dimension] == 0 || (!works && dimension > PADV_DIMENSION_DATABASE))
			continue;
		count(&growth->known[dimension], sessions);
		place = place_of(growth, dimension, key[dimension]);
		if (place == NULL)
			continue;
		count(&place->amount, sessions);
		if (works)
			vote(place, session->role);
	}
}

/* The keys of a session are in memory of their own, which is left alone if it counts for nothing. */
static void
take_session(PadvGrowth *growth, const PadvSession *session, const PadvSessionKeys *keys, double stands_for)
{
	bool		waits = session->state == PADV_STATE_ACTIVE &&
		(session->wait_class == PADV_WAITING_IO || session->commits);
	bool		works = session->demands || waits;
	bool		open = growth->samples == 0 && !session->parallel_worker;
	const double sessions[PADV_GROWTH_KINDS] = {
		[PADV_GROWTH_OPEN] = open ? stands_for : 0.0,
		[PADV_GROWTH_DEMAND] = session->demands ? stands_for : 0.0,
		[PADV_GROWTH_IO] = waits ? stands_for : 0.0,
	};

	if (works || open)
		count_session(growth, session, keys, sessions, works);
}

void
padv_growth_sample(PadvGrowth *growth, const PadvSample *sample)
{
	int			counted = sample->count < MOST_COUNTED ? sample->count : MOST_COUNTED;

	memset(growth->replaced, 0, sizeof(growth->replaced));
	growth->begins_at += NEXT_BEGINNING;
	for (int i = 0; i < counted; i++)
	{
		int64_t		number = (growth->begins_at + (int64_t) i * sample->count / counted) % sample->count;

		take_session(growth, &sample->sessions[number], &sample->keys[number], (double) sample->count / counted);
	}
	growth->samples++;
}

void
padv_growth_background(PadvGrowth *growth, const int64_t waiting[PADV_BACKGROUNDS])
{
	for (int i = 0; i < PADV_BACKGROUNDS; i++)
		growth->background[i].seen[PADV_GROWTH_IO] = (double) (waiting[i] * growth->samples);
}

/* What has passed. */
typedef struct Time
{
	double		seconds;
	int			samples;		/* in them */
	bool		usual;
	bool		goes_on;
	double		part;			/* of a step, in the mean */
} Time;

static void
change_all(PadvGrowth *growth, void (*change) (PadvGrowthAmount *amount, const Time *time), const Time *time)
{
	change(&growth->all, time);
	for (int i = 0; i < PADV_BACKGROUNDS; i++)
		change(&growth->background[i], time);
	for (int dimension = 0; dimension < PADV_DIMENSIONS; dimension++)
	{
		change(&growth->known[dimension], time);
		for (int i = 0; i < PADV_GROWTH_KEYS && growth->keys[dimension][i].used; i++)
			change(&growth->keys[dimension][i].amount, time);
	}
}

static void
end_second(PadvGrowthAmount *amount, const Time *time)
{
	for (int i = 0; i < PADV_GROWTH_KINDS; i++)
	{
		int			samples = i == PADV_GROWTH_OPEN ? 1 : time->samples;
		double		sessions = time->samples > 0 ? amount->seen[i] / samples : 0.0;

		amount->step[i] += time->usual ? sessions * time->seconds : 0.0;
		amount->now[i] += time->goes_on ? sessions * time->seconds : 0.0;
		amount->seen[i] = 0.0;
	}
}

/* The oldest step that waits becomes a part of the mean, and the one that is over waits. */
static void
end_step(PadvGrowthAmount *amount, const Time *time)
{
	for (int i = 0; i < PADV_GROWTH_KINDS; i++)
	{
		amount->before[i] += (amount->waiting[0][i] - amount->before[i]) * time->part;
		for (int j = 1; j < PADV_GROWTH_LAG; j++)
			amount->waiting[j - 1][i] = amount->waiting[j][i];
		amount->waiting[PADV_GROWTH_LAG - 1][i] = amount->step[i] / time->seconds;
		amount->step[i] = 0.0;
	}
}

static void
skip_step(PadvGrowthAmount *amount, const Time *time)
{
	(void) time;
	memset(amount->step, 0, sizeof(amount->step));
}

static void
clear_now(PadvGrowthAmount *amount, const Time *time)
{
	(void) time;
	memset(amount->now, 0, sizeof(amount->now));
}

/* A usual second; the step can be over with it. */
static void
learn(PadvGrowth *growth, double seconds)
{
	Time		step;

	growth->step_seconds += seconds;
	if (growth->step_seconds < PADV_GROWTH_STEP_SECONDS)
		return;
	step = (Time) {.seconds = growth->step_seconds};
	growth->step_seconds = 0.0;
	if (growth->waiting < PADV_GROWTH_LAG)
		growth->waiting++;
	else
	{
		growth->before_seconds = fmin(growth->before_seconds + step.seconds, BEFORE_SECONDS);
		step.part = fmin(step.seconds / growth->before_seconds, 1.0);
	}
	change_all(growth, end_step, &step);
}

void
padv_growth_end(PadvGrowth *growth, double seconds, bool usual, bool goes_on)
{
	const Time	time = {.seconds = seconds, .samples = growth->samples, .usual = usual, .goes_on = goes_on};

	change_all(growth, end_second, &time);
	if (growth->samples > 0 && seconds > 0.0)
		growth->samples_rate = growth->samples / seconds;
	growth->samples = 0;
	if (goes_on)
		growth->now_seconds += seconds;
	if (usual)
		learn(growth, seconds);
	else if (growth->step_seconds > 0.0)
	{
		growth->step_seconds = 0.0;
		change_all(growth, skip_step, &time);
	}
}

void
padv_growth_clear(PadvGrowth *growth)
{
	growth->now_seconds = 0.0;
	change_all(growth, clear_now, &(Time) {0});
}

/* --- the culprit ------------------------------------------------------------ */

typedef struct Suspect
{
	PadvDimension dimension;
	const PadvGrowthKey *key;	/* NULL: none */
	double		share;
	double		share_before;
	double		rose;
} Suspect;

static bool
has_name(PadvDimension dimension, uint64_t key, const PadvKeyNames *names)
{
	return (dimension != PADV_DIMENSION_APPLICATION && dimension != PADV_DIMENSION_CLIENT) ||
		padv_key_name(names, key) != NULL;
}

/*
 * The share of a key before, in the sessions that had one: a statement has no query ID yet when it
 * begins, so short ones are often seen without.
 */
static double
usual_share(const PadvGrowthAmount *known, const PadvGrowthAmount *key, PadvGrowthOf of)
{
	double		share = 0.0;

	for (int i = 0; i <= (int) of; i++)
		share = (key->before[i] + LITTLE_SEEN * share) / (known->before[i] + LITTLE_SEEN);
	return share;
}

static bool
is_known(const PadvGrowth *growth, PadvDimension dimension)
{
	return dimension <= PADV_DIMENSION_DATABASE ||
		growth->known[dimension].before[PADV_GROWTH_DEMAND] * growth->before_seconds * growth->samples_rate >= OFTEN_SEEN;
}

/* The usual load of keys, without those that are there no more: that these have left brings no load. */
static PadvGrowthAmount
usual_of_present(const PadvGrowth *growth, PadvDimension dimension, PadvGrowthOf of)
{
	PadvGrowthAmount usual = growth->known[dimension];

	for (int i = 0; i < PADV_GROWTH_KEYS && growth->keys[dimension][i].used; i++)
	{
		const PadvGrowthAmount *amount = &growth->keys[dimension][i].amount;

		for (int j = 0; j < PADV_GROWTH_KINDS && !(amount->now[of] > 0.0); j++)
			usual.before[j] = fmax(usual.before[j] - amount->before[j], 0.0);
	}
	return usual;
}

static double
mean_now(const PadvGrowth *growth, const PadvGrowthAmount *amount, PadvGrowthOf of)
{
	return amount->now[of] / growth->now_seconds;
}

/* The role that nearly all sessions of a key have, or 0. */
static uint32_t
role_of(const PadvGrowthKey *key)
{
	return key->votes >= SURE_ROLE * key->cast ? key->role : 0;
}

/* Whose open sessions are counted: the key's own, or its role's; NULL: not known. */
static const PadvGrowthAmount *
holder_of(const PadvGrowth *growth, PadvDimension dimension, const PadvGrowthKey *key)
{
	uint32_t	role = role_of(key);

	if (dimension == PADV_DIMENSION_ROLE || dimension == PADV_DIMENSION_DATABASE)
		return &key->amount;
	for (int i = 0; i < PADV_GROWTH_KEYS && growth->keys[PADV_DIMENSION_ROLE][i].used; i++)
		if (growth->keys[PADV_DIMENSION_ROLE][i].key == role)
			return &growth->keys[PADV_DIMENSION_ROLE][i].amount;
	return NULL;
}

/*
 * Whether a key that had a load before fills the sessions that it had, and the others can have
 * no more than they have.
 */
static bool
fills_its_pool(const PadvGrowth *growth, const Suspect *suspect)
{
	const PadvGrowthAmount *holder = holder_of(growth, suspect->dimension, suspect->key);
	double		demand = mean_now(growth, &suspect->key->amount, PADV_GROWTH_DEMAND);
	double		all;
	double		open;

	if (holder == NULL || suspect->share_before < HAD_LEAST)
		return false;
	all = mean_now(growth, holder, PADV_GROWTH_DEMAND);
	if (!(all > 0.0) || all > NO_NEW_SESSIONS * holder->before[PADV_GROWTH_OPEN])
		return false;

	/* of the sessions of a role, each key has as many as of its demand */
	open = mean_now(growth, holder, PADV_GROWTH_OPEN) * demand / all;
	return mean_now(growth, &growth->all, PADV_GROWTH_DEMAND) - demand >=
		FULL * (mean_now(growth, &growth->all, PADV_GROWTH_OPEN) - open);
}

/* The key of a dimension whose share has grown most, if it stands out. */
static Suspect
suspect_of(const PadvGrowth *growth, PadvDimension dimension, PadvGrowthOf of, const PadvKeyNames *names)
{
	const PadvGrowthAmount *all = &growth->all;
	const PadvGrowthAmount usual = usual_of_present(growth, dimension, of);
	Suspect		worst = {.dimension = dimension};

	for (int i = 0; i < PADV_GROWTH_KEYS && growth->keys[dimension][i].used && is_known(growth, dimension); i++)
	{
		const PadvGrowthKey *key = &growth->keys[dimension][i];
		double		share = key->amount.now[of] / all->now[of];
		double		before = usual_share(&usual, &key->amount, of);
		double		rose = share - before;
		const Suspect suspect = {dimension, key, share, before, rose};

		if (rose > worst.rose && rose >= ROSE_LEAST && rose >= BROUGHT_LEAST * (1.0 - before) &&
			key->amount.now[of] / growth->now_seconds >= key->amount.before[of] + MORE_LEAST &&
			has_name(dimension, key->key, names) && !fills_its_pool(growth, &suspect))
			worst = suspect;
	}
	return worst;
}

/* Of all dimensions, in the order of how much can be done about them. */
static Suspect
find_suspect(const PadvGrowth *growth, PadvGrowthOf of, const PadvKeyNames *names)
{
	static const PadvDimension order[PADV_DIMENSIONS] = {
		PADV_DIMENSION_ROLE, PADV_DIMENSION_APPLICATION, PADV_DIMENSION_DATABASE, PADV_DIMENSION_QUERY,
		PADV_DIMENSION_CLIENT,
	};
	Suspect		found = suspect_of(growth, order[0], of, names);

	for (int i = 1; i < PADV_DIMENSIONS; i++)
	{
		Suspect		next = suspect_of(growth, order[i], of, names);

		if (next.rose > found.rose + (found.key != NULL ? ALIKE : 0.0))
			found = next;
	}
	return found;
}

static void
name_key(const Suspect *suspect, const PadvKeyNames *names, PadvIncident *incident)
{
	static const PadvCulprit culprits[PADV_DIMENSIONS] = {
		PADV_CULPRIT_ROLE, PADV_CULPRIT_DATABASE, PADV_CULPRIT_APPLICATION, PADV_CULPRIT_CLIENT, PADV_CULPRIT_QUERY,
	};
	uint64_t	key = suspect->key->key;

	incident->culprit = culprits[suspect->dimension];
	incident->share = fmin(suspect->share, 1.0);
	incident->share_before = fmin(suspect->share_before, 1.0);
	incident->role = role_of(suspect->key);
	if (suspect->dimension == PADV_DIMENSION_DATABASE)
		incident->database = (uint32_t) key;
	else if (suspect->dimension == PADV_DIMENSION_QUERY)
		incident->query_id = (int64_t) key;
	else if (suspect->dimension != PADV_DIMENSION_ROLE)
		memcpy(incident->application, padv_key_name(names, key), sizeof(incident->application));
}

static void
name_background(const PadvGrowth *growth, PadvIncident *incident)
{
	double		most = 0.0;

	for (int i = 0; i < PADV_BACKGROUNDS; i++)
	{
		const PadvGrowthAmount *amount = &growth->background[i];
		double		now = amount->now[PADV_GROWTH_IO] / growth->now_seconds;

		if (now <= most || now < BACKGROUND_LEAST || now < BACKGROUND_FACTOR * amount->before[PADV_GROWTH_IO])
			continue;
		most = now;
		incident->culprit = PADV_CULPRIT_BACKGROUND;
		incident->state = (uint32_t) i;
		incident->share = fmin(now, 1.0);
		incident->share_before = fmin(amount->before[PADV_GROWTH_IO], 1.0);
	}
}

void
padv_growth_name(const PadvGrowth *growth, PadvGrowthOf of, const PadvKeyNames *names, PadvIncident *incident)
{
	Suspect		suspect;

	padv_incident_clear_culprit(incident);
	if (growth->before_seconds < BEFORE_LEAST_SECONDS || !(growth->now_seconds > 0.0))
		return;
	if (growth->all.now[of] > 0.0)
	{
		suspect = find_suspect(growth, of, names);
		if (suspect.key != NULL)
		{
			name_key(&suspect, names, incident);
			return;
		}
	}
	if (of == PADV_GROWTH_IO)
		name_background(growth, incident);
}
