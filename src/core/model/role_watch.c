/*
 * role_watch.c
 *		Logins and sessions by role: who logs in far more often than usual, and who
 *		opens sessions and never uses them.
 *
 * Owns both rules and their thresholds.  Pure; the worker feeds it once a second.
 *
 * A pool opens sessions because it needs them, so while it grows most of its sessions
 * are in use.  A leak opens sessions although most of those there are have not been used
 * for a while, closes hardly any, and goes on.  Growth that was needed, and growth up to
 * what the role had before, is not counted.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/model/role_watch.h"

#include <math.h>
#include <string.h>

/* After a start everybody logs in; nothing is usual before that is over. */
#define WARM_UP_SECONDS 60.0

/* Over how long rates are smoothed. */
#define RATE_SECONDS 4.0
#define USUAL_SECONDS 600.0

/*
 * Far too many logins: so many times what is usual, and so many a second at least and for
 * each core.  A login costs milliseconds of a core.
 */
#define STORM_FACTOR 5.0
#define STORM_LEAST 10.0
#define STORM_PER_CORE 2.5
#define STORM_EASED 0.5

/* Leaks are looked at so often. */
#define LOOK_SECONDS 10.0

/* A look at which a role has grown counts when so many of its sessions were unused. */
#define UNUSED_AT_GROWTH 0.5

/* A leak has grown at so many looks ... */
#define LEAK_STEPS 6

/* ... by so many sessions, also as a share of usable connections, ... */
#define LEAK_LEAST 10.0
#define LEAK_SHARE 0.15

/* ... has so many of these, of which so many are unused, ... */
#define LEAK_HAS 0.3
#define LEAK_UNUSED 0.6

/* ... and has closed at most so many of what it opened. */
#define LEAK_CLOSED 0.25
#define LEAK_CLOSED_FEW 2.0

/* A role that has taken nearly all connections in minutes: so many of these, unused. */
#define FAST_SHARE 0.5
#define FAST_UNUSED 0.7
#define LOW_SECONDS 600.0

/* Growth ends when so much of it is given back, or after so long without any. */
#define GIVEN_BACK 0.2
#define STILL_SECONDS 1800.0

/* A role may reach this much of what it once had. */
#define PAST_SHARE 0.9
#define PAST_SECONDS 86400.0

void
padv_role_watch_init(PadvRoleWatch *watch)
{
	memset(watch, 0, sizeof(*watch));
	padv_keys_init(&watch->keys, PADV_KEY_ENTRIES, 0);
	watch->until_look = LOOK_SECONDS;
}

/* Call for each known role; entry 0 is of roles that are not told apart. */
#define EACH_ROLE(watch, i, role) \
	for (int i = 0; i < (watch)->keys.count && ((role) = &(watch)->roles[(watch)->keys.order[i]], true); i++)

/* --- what there is --- */

void
padv_role_watch_begin(PadvRoleWatch *watch)
{
	PadvWatchedRole *role;

	EACH_ROLE(watch, i, role)
	{
		role->sessions = role->unused = 0;
		role->logins = 0.0;
	}
}

void
padv_role_watch_sessions(PadvRoleWatch *watch, uint32_t role, int64_t sessions, int64_t unused)
{
	PadvWatchedRole *row = &watch->roles[padv_keys_entry(&watch->keys, role)];

	row->sessions += sessions;
	row->unused += unused;
}

void
padv_role_watch_logins(PadvRoleWatch *watch, uint32_t role, double logins)
{
	watch->roles[padv_keys_entry(&watch->keys, role)].logins += logins;
}

void
padv_role_watch_sample(PadvRoleWatch *watch, const PadvSample *sample)
{
	for (int i = 0; i < sample->count; i++)
	{
		const PadvSession *session = &sample->sessions[i];
		bool		idle = session->state == PADV_STATE_IDLE || session->state == PADV_STATE_IDLE_IN_TRANSACTION;

		if (!session->parallel_worker)
			padv_role_watch_sessions(watch, session->role, 1,
									 idle && sample->taken_at - session->state_start >= PADV_UNUSED_US);
	}
}

/* --- logins --- */

/* The weight of a new value in a mean over so many seconds; at first all are alike. */
static double
weight(const PadvRoleWatch *watch, double seconds, double over)
{
	return fmin(1.0, seconds / fmin(over, watch->seconds));
}

static void
end_logins(PadvRoleWatch *watch, double seconds, bool storm)
{
	PadvWatchedRole *role;
	double		all = 0.0;
	double		fresh = weight(watch, seconds, USUAL_SECONDS);

	EACH_ROLE(watch, i, role)
	{
		double		rate = role->logins / seconds;

		all += rate;
		role->opened += role->logins;
		if (storm)
			role->excess += fmax(0.0, rate - role->usual_logins) * seconds;
		else
		{
			role->excess = 0.0;
			role->usual_logins += (rate - role->usual_logins) * fresh;
		}
	}
	watch->rate += (all - watch->rate) * weight(watch, seconds, RATE_SECONDS);
	if (!storm)
		watch->usual += (all - watch->usual) * fresh;
}

bool
padv_role_watch_storm(const PadvRoleWatch *watch, double cores, bool eased)
{
	double		ease = eased ? STORM_EASED : 1.0;

	return watch->seconds >= WARM_UP_SECONDS &&
		watch->rate >= ease * fmax(STORM_LEAST, STORM_PER_CORE * cores) &&
		watch->rate >= ease * STORM_FACTOR * watch->usual;
}

uint32_t
padv_role_watch_worst(const PadvRoleWatch *watch, double *share)
{
	const PadvWatchedRole *role;
	double		most = 0.0;
	double		all = 0.0;
	uint32_t	worst = 0;

	EACH_ROLE(watch, i, role)
	{
		all += role->excess;
		if (role->excess > most)
		{
			most = role->excess;
			worst = watch->keys.key[watch->keys.order[i]];
		}
	}
	*share = all > 0.0 ? most / all : 0.0;
	return worst;
}

/* --- leaks --- */

/* Count growth from here. */
static void
begin_growth(PadvWatchedRole *role)
{
	role->base = role->most = role->sessions;
	role->steps = 0;
	role->opened = role->still_seconds = 0.0;
}

static void
note_past(PadvWatchedRole *role, bool kept)
{
	if (!kept)
		role->past = fmax(role->past, (double) role->most);
}

static void
note_growth(PadvWatchedRole *role)
{
	if ((double) role->unused_before < UNUSED_AT_GROWTH * (double) role->before || role->before == 0)
	{
		/* it was needed */
		role->base += role->sessions - role->most;
		role->opened = fmax(0.0, role->opened - (double) (role->sessions - role->most));
	}
	else
	{
		role->steps++;
		role->still_seconds = 0.0;
	}
	role->most = role->sessions;
}

/* What has become of a role since the last look; kept: it is the role of a leak. */
static void
look_at_growth(PadvWatchedRole *role, double seconds, bool kept)
{
	double		given_back = (double) (role->most - role->sessions);

	role->still_seconds += seconds;
	role->past += fmin(0.0, (double) role->sessions - role->past) * seconds / PAST_SECONDS;
	role->low += fmin((double) role->sessions - role->low,
					  ((double) role->sessions - role->low) * seconds / LOW_SECONDS);
	if (!role->known || (!kept && given_back > fmax(2.0, GIVEN_BACK * (double) (role->most - role->base))) ||
		(!kept && role->still_seconds > STILL_SECONDS))
	{
		if (!role->known)
			role->low = (double) role->sessions;
		note_past(role, kept);
		begin_growth(role);
		role->known = true;
	}
	else if (role->sessions > role->most)
		note_growth(role);
	role->before = role->sessions;
	role->unused_before = role->unused;
}

/* A role that is gone, and was not much, need not be remembered. */
static bool
can_forget(const PadvWatchedRole *role)
{
	return role->sessions == 0 && role->usual_logins < 0.001 && role->past < 5.0 && role->excess <= 0.0;
}

static void
look_at_roles(PadvRoleWatch *watch, double seconds, uint32_t kept_role)
{
	/* from the end, as the last one takes the place of one that is dropped */
	for (int i = watch->keys.count - 1; i >= 0; i--)
	{
		int			entry = watch->keys.order[i];
		uint32_t	key = watch->keys.key[entry];
		PadvWatchedRole *role = &watch->roles[entry];

		/* roles that come at the start have had their sessions before */
		if (watch->seconds < WARM_UP_SECONDS)
			role->known = false;
		look_at_growth(role, seconds, key != 0 && key == kept_role);
		if (key == 0 || key == kept_role || !can_forget(role))
			continue;
		memset(role, 0, sizeof(*role));
		padv_keys_drop(&watch->keys, i);
	}
}

void
padv_role_watch_end(PadvRoleWatch *watch, double seconds, bool storm, uint32_t kept_role)
{
	watch->seconds += seconds;
	end_logins(watch, seconds, storm);
	watch->until_look -= seconds;
	if (watch->until_look > 0.0)
		return;
	look_at_roles(watch, fmax(seconds, LOOK_SECONDS), kept_role);
	watch->until_look = LOOK_SECONDS;
}

static bool
leaks_slowly(const PadvWatchedRole *role, double usable)
{
	double		sessions = (double) role->most;
	double		growth = sessions - fmax((double) role->base, PAST_SHARE * role->past);
	double		closed = role->opened - (double) (role->most - role->base);

	return role->steps >= LEAK_STEPS && growth >= fmax(LEAK_LEAST, LEAK_SHARE * usable) &&
		sessions >= LEAK_HAS * usable && (double) role->unused >= LEAK_UNUSED * sessions &&
		closed <= LEAK_CLOSED * growth + LEAK_CLOSED_FEW;
}

static bool
leaks_fast(const PadvWatchedRole *role, double usable)
{
	double		sessions = (double) role->sessions;

	return sessions - fmax(role->low, PAST_SHARE * role->past) >= FAST_SHARE * usable &&
		(double) role->unused >= FAST_UNUSED * sessions;
}

uint32_t
padv_role_watch_leak(const PadvRoleWatch *watch, int64_t usable, bool full)
{
	const PadvWatchedRole *role;
	uint32_t	worst = 0;
	int64_t		most = 0;

	if (watch->seconds < WARM_UP_SECONDS)
		return 0;
	EACH_ROLE(watch, i, role)
	{
		uint32_t	key = watch->keys.key[watch->keys.order[i]];

		if (key == 0 || role->sessions <= most ||
			!(leaks_slowly(role, (double) usable) || (full && leaks_fast(role, (double) usable))))
			continue;
		worst = key;
		most = role->sessions;
	}
	return worst;
}

const PadvWatchedRole *
padv_role_watch_find(const PadvRoleWatch *watch, uint32_t role)
{
	for (int i = 0; i < watch->keys.count; i++)
		if (watch->keys.key[watch->keys.order[i]] == role)
			return &watch->roles[watch->keys.order[i]];
	return NULL;
}

bool
padv_role_watch_leaks_still(const PadvRoleWatch *watch, uint32_t role)
{
	const PadvWatchedRole *row = padv_role_watch_find(watch, role);
	double		base = row ? fmin((double) row->base, row->low) : 0.0;

	return row != NULL && (double) row->sessions > base + 0.5 * ((double) row->most - base);
}
