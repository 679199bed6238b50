/*
 * blame.c
 *		Who kept others waiting for locks, and for how long in all.
 *
 * Owns two small tables, by session and by role.  A newcomer takes the place of the
 * least one with its amount (space-saving: Metwally, Agrawal and El Abbadi 2005), so
 * an amount is too high by at most the amount of the least one, and none is too low.
 * Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <string.h>

#include "core/model/blame.h"

void
padv_blame_init(PadvBlame *blame)
{
	memset(blame, 0, sizeof(*blame));
}

static bool
same_session(const PadvBlocker *a, const PadvBlocker *b)
{
	return a->pid == b->pid && a->xid == b->xid;
}

static bool
same_role(const PadvBlocker *a, const PadvBlocker *b)
{
	return a->role == b->role;
}

static void
charge(PadvBlamed *table, const PadvBlocker *blocker, double waited, double held_seconds,
	   bool (*same) (const PadvBlocker *a, const PadvBlocker *b))
{
	PadvBlamed *least = &table[0];
	PadvBlamed *mine = NULL;

	for (int i = 0; i < PADV_BLAMED && mine == NULL; i++)
	{
		if (table[i].waited > 0.0 && same(&table[i].blocker, blocker))
			mine = &table[i];
		else if (table[i].waited < least->waited)
			least = &table[i];
	}
	if (mine == NULL)
	{
		mine = least;
		mine->blocker = *blocker;
		mine->held_seconds = held_seconds;
	}
	mine->waited += waited;
	if (held_seconds > mine->held_seconds)
		mine->held_seconds = held_seconds;
	if (blocker->blocked > mine->blocker.blocked)
		mine->blocker = *blocker;
}

void
padv_blame_add(PadvBlame *blame, const PadvBlockers *blockers, double seconds)
{
	for (int i = 0; i < blockers->count; i++)
	{
		const PadvBlocker *blocker = &blockers->rows[i];
		double		waited = (double) blocker->blocked * seconds;

		/*
		 * to wait for an advisory lock is no harm: it can be what the lock is
		 * for
		 */
		if (!(waited > 0.0) || blocker->advisory)
			continue;
		blame->waited += waited;
		charge(blame->sessions, blocker, waited, blocker->xact_seconds, same_session);
		if (blocker->role != 0)
			charge(blame->roles, blocker, waited, blocker->xact_seconds, same_role);
	}
}

static void
add_table(PadvBlamed *table, const PadvBlamed *before, bool (*same) (const PadvBlocker *a, const PadvBlocker *b))
{
	for (int i = 0; i < PADV_BLAMED; i++)
		if (before[i].waited > 0.0)
			charge(table, &before[i].blocker, before[i].waited, before[i].held_seconds, same);
}

void
padv_blame_add_all(PadvBlame *blame, const PadvBlame *before)
{
	blame->waited += before->waited;
	add_table(blame->sessions, before->sessions, same_session);
	add_table(blame->roles, before->roles, same_role);
}

static const PadvBlamed *
worst_of(const PadvBlamed *table)
{
	const PadvBlamed *worst = &table[0];

	for (int i = 1; i < PADV_BLAMED; i++)
		if (table[i].waited > worst->waited)
			worst = &table[i];
	return worst;
}

void
padv_blame_name(const PadvBlame *blame, double least_share, PadvIncident *incident)
{
	const PadvBlamed *session = worst_of(blame->sessions);
	const PadvBlamed *role = worst_of(blame->roles);
	const PadvBlamed *worst = session->waited >= least_share * blame->waited ? session : role;

	padv_incident_clear_culprit(incident);
	if (!(blame->waited > 0.0) || worst->waited < least_share * blame->waited)
		return;
	incident->share = worst->waited < blame->waited ? worst->waited / blame->waited : 1.0;
	incident->role = worst->blocker.role;
	incident->state = worst->blocker.state;
	if (worst == role)
	{
		incident->culprit = PADV_CULPRIT_ROLE;
		return;
	}
	incident->culprit = worst->blocker.pid != 0 ? PADV_CULPRIT_SESSION : PADV_CULPRIT_PREPARED;
	incident->pid = (uint32_t) worst->blocker.pid;
	incident->xid = worst->blocker.xid;
	incident->database = worst->blocker.database;
	incident->query_id = worst->blocker.query_id;
	incident->held_seconds = worst->held_seconds;
	memcpy(incident->application, worst->blocker.application, sizeof(incident->application));
}
