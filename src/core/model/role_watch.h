/*
 * role_watch.h
 *		Logins and sessions by role: who logs in far more often than usual, and who
 *		opens sessions and never uses them.
 *
 * Pure: plain data in memory of the caller; nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ROLE_WATCH_H
#define PADV_ROLE_WATCH_H

#include "core/stats/ring.h"
#include "core/stats/sample.h"

/* A session that has been idle for so long is unused. */
#define PADV_UNUSED_US 30000000

/* What is known of a role. */
typedef struct PadvWatchedRole
{
	int64_t		sessions;
	int64_t		unused;
	double		logins;			/* in this second */
	double		usual_logins;	/* a second, over some minutes */
	double		excess;			/* logins beyond that, while they are far too
								 * many */

	/* as of the last look at leaks */
	bool		known;
	int64_t		base;			/* sessions from which growth is counted */
	int64_t		most;			/* since then */
	int64_t		before;			/* sessions at the look before this one */
	int64_t		unused_before;
	double		low;			/* fewest sessions in the last minutes */
	double		past;			/* most sessions that it ever had and gave
								 * back */
	int			steps;			/* looks at which it had grown without need */
	double		opened;			/* logins since base */
	double		still_seconds;	/* since the last of these looks */
} PadvWatchedRole;

typedef struct PadvRoleWatch
{
	double		seconds;		/* since the watch began */
	double		rate;			/* logins a second, of the last seconds */
	double		usual;			/* logins a second, of the last minutes */
	double		until_look;		/* at leaks, in seconds */
	PadvKeys	keys;
	PadvWatchedRole roles[PADV_KEY_ENTRIES];
} PadvRoleWatch;

extern void padv_role_watch_init(PadvRoleWatch *watch);

/* Begin a second; then add what there is in it.  Sessions may be added one by one. */
extern void padv_role_watch_begin(PadvRoleWatch *watch);
extern void padv_role_watch_sessions(PadvRoleWatch *watch, uint32_t role, int64_t sessions, int64_t unused);
extern void padv_role_watch_logins(PadvRoleWatch *watch, uint32_t role, double logins);

/* The same for all sessions of a sample; O(sessions). */
extern void padv_role_watch_sample(PadvRoleWatch *watch, const PadvSample *sample);

/*
 * End the second.  storm: logins are far too many, so they do not become usual.
 * kept_role is the role of a leak that lasts, or 0.  O(roles).
 */
extern void padv_role_watch_end(PadvRoleWatch *watch, double seconds, bool storm, uint32_t kept_role);

/*
 * Whether there are far more logins than usual, for a machine of so many cores; eased:
 * whether there still are.
 */
extern bool padv_role_watch_storm(const PadvRoleWatch *watch, double cores, bool eased);

/* The role with most of the logins beyond the usual in a storm, and its share of these. */
extern uint32_t padv_role_watch_worst(const PadvRoleWatch *watch, double *share);

/*
 * The role that opens sessions and does not use them, or 0.  usable are the connections
 * that ordinary roles can have, full whether nearly all are taken.
 */
extern uint32_t padv_role_watch_leak(const PadvRoleWatch *watch, int64_t usable, bool full);

/* Whether it still has at least half of them. */
extern bool padv_role_watch_leaks_still(const PadvRoleWatch *watch, uint32_t role);

/* What is known of a role, or NULL. */
extern const PadvWatchedRole *padv_role_watch_find(const PadvRoleWatch *watch, uint32_t role);

#endif							/* PADV_ROLE_WATCH_H */
