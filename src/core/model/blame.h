/*
 * blame.h
 *		Who kept others waiting for locks, and for how long in all.
 *
 * Pure: plain data in memory of the caller; nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_BLAME_H
#define PADV_BLAME_H

#include "core/model/incident.h"

/* Sessions that are told apart; a new one takes the place of the least one. */
#define PADV_BLAMED 32

/* Waiting that others spent because of one session, or of one role. */
typedef struct PadvBlamed
{
	double		waited;			/* seconds; 0: free */
	double		held_seconds;	/* the greatest age of its transaction */
	PadvBlocker blocker;		/* as it was seen when it blocked most */
} PadvBlamed;

typedef struct PadvBlame
{
	double		waited;			/* seconds, because of all of them */
	PadvBlamed	sessions[PADV_BLAMED];
	PadvBlamed	roles[PADV_BLAMED];
} PadvBlame;

extern void padv_blame_init(PadvBlame *blame);

/*
 * Add what was seen of the roots of lock chains, for so many seconds.  Waits for advisory
 * locks only are left out.
 */
extern void padv_blame_add(PadvBlame *blame, const PadvBlockers *blockers, double seconds);

/* Add what was blamed before. */
extern void padv_blame_add_all(PadvBlame *blame, const PadvBlame *before);

/*
 * Name the culprit: the session that caused at least this share of the waiting, or else
 * the role that did, or none.
 */
extern void padv_blame_name(const PadvBlame *blame, double least_share, PadvIncident *incident);

#endif							/* PADV_BLAME_H */
