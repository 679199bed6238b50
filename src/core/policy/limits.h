/*
 * limits.h
 *		Which caps there are, and which of them a session is under.
 *
 * Plain data, built by whoever reads the catalogs and searched at each login.
 * Roles and databases are the server's numbers; 0 stands for any.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_CAPS_H
#define PADV_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than these are not enforced; PadvCaps.incomplete says so. */
#define PADV_MAX_CAPS 2048
#define PADV_MAX_MEMBERSHIPS 16384
#define PADV_MAX_EXEMPT 1024

/* Caps that one session can be under: its own, its database's, its groups'. */
#define PADV_MAX_SESSION_CAPS 24

/* What can be set on a role, a database, or a role in a database. */
typedef enum PadvCapSetting
{
	PADV_MAX_SESSIONS,
	PADV_MIN_SESSIONS,
	PADV_SESSION_IDLE_TIMEOUT,	/* milliseconds; 0 is never */
	PADV_QUEUE_LENGTH,
	PADV_QUEUE_TIMEOUT,			/* milliseconds */
	PADV_MAX_ACTIVE,			/* transactions at a time */
	PADV_TRANSACTION_QUEUE_LENGTH,	/* -1 is no bound */
	PADV_TRANSACTION_QUEUE_TIMEOUT, /* milliseconds; 0 is never */
} PadvCapSetting;

#define PADV_CAP_SETTINGS (PADV_TRANSACTION_QUEUE_TIMEOUT + 1)

#define PADV_UNLIMITED (-1)
#define PADV_NOT_SET INT32_MIN

typedef enum PadvScope
{
	PADV_SCOPE_ROLE,
	PADV_SCOPE_GROUP,			/* a role and its members together */
	PADV_SCOPE_DATABASE,
	PADV_SCOPE_ROLE_IN_DATABASE,
	PADV_SCOPE_DEFAULT,			/* each role that has no number of its own */
} PadvScope;

typedef enum PadvEnforcement
{
	PADV_ENFORCEMENT_OFF,
	PADV_ENFORCEMENT_OBSERVE,
	PADV_ENFORCEMENT_ON,
} PadvEnforcement;

typedef struct PadvCap
{
	uint32_t	role;
	uint32_t	database;
	int32_t		scope;			/* PadvScope */
	int32_t		core_limit;		/* the server's own CONNECTION LIMIT of this
								 * role or database; -1 is none */
	int32_t		value[PADV_CAP_SETTINGS];
} PadvCap;

/* A role that can log in and is not exempt. */
typedef struct PadvLoginRole
{
	uint32_t	role;
	int32_t		core_limit;
} PadvLoginRole;

/* A role is, directly or not, a member of the role of caps[cap]. */
typedef struct PadvMembership
{
	uint32_t	member;
	int32_t		cap;
} PadvMembership;

/* member was granted role. */
typedef struct PadvGrant
{
	uint32_t	member;
	uint32_t	role;
} PadvGrant;

/* A name's bytes, with the 0 at its end; a longer one is not kept. */
#define PADV_NAME_SIZE 64

/*
 * A database, found by its name.  The whole name is compared: who may create
 * databases may choose one that has the same hash as another's.
 */
typedef struct PadvDatabaseName
{
	char		name[PADV_NAME_SIZE];
	uint32_t	database;
} PadvDatabaseName;

/*
 * The arrays are in a block that comes with it; padv_caps_copy packs them, so
 * that a search where there are few caps touches little memory.
 */
typedef struct PadvCaps
{
	char	   *block;
	int32_t		ncaps;
	int32_t		nmemberships;
	int32_t		nexempt;
	int32_t		ndatabases;
	int32_t		enforcement;	/* PadvEnforcement */
	double		scale;			/* applied to the numbers already */
	bool		incomplete;		/* something did not fit */

	/* what may connect, by the caps and limits of roles */
	int64_t		committed;		/* sessions of all roles; -1: no bound */
	int64_t		unbounded_roles;	/* roles without any bound */
	int64_t		committed_queue;	/* logins that may wait; -1: no bound */
	PadvCap		fallback;		/* the default */
	int32_t		configured[PADV_CAP_SETTINGS];	/* what padv_caps_begin was
												 * given as such */
	PadvCap    *caps;			/* by database, role */
	PadvMembership *memberships;	/* by member */
	uint32_t   *exempt;			/* ascending */
	PadvDatabaseName *databases;	/* by name; none without caps on some */
} PadvCaps;

/* Bytes of a block; and a set without any cap in one, aligned as malloc does. */
extern size_t padv_caps_block_size(void);
extern void padv_caps_init(PadvCaps *caps, void *block);

/*
 * Build: begin, add places and exempt roles in any order, finish, commit.
 *
 * padv_caps_place returns the cap of a place, whose values are PADV_NOT_SET at
 * first, or NULL when there is no room.  The default is the place without role
 * and database: it is caps->fallback, and holds what padv_caps_begin was given
 * until it is set.
 */
extern void padv_caps_begin(PadvCaps *caps, PadvEnforcement enforcement, double scale,
							const int32_t fallback[PADV_CAP_SETTINGS]);
extern PadvCap *padv_caps_place(PadvCaps *caps, uint32_t database, uint32_t role);
extern void padv_caps_add_exempt(PadvCaps *caps, uint32_t role);

/*
 * The name of a database.  They are kept only if there are caps on databases;
 * of more than PADV_MAX_CAPS, some are unknown.
 */
extern void padv_caps_add_database(PadvCaps *caps, uint32_t database, const char *name);

/*
 * Fill in what is not set, scale the numbers, drop what limits nothing, and
 * find the members of each capped role.  The grants are sorted in place.
 *
 * What a place does not set comes from the default: how to wait and when to
 * close, for every place; how many sessions and transactions, for roles only,
 * because the default is meant for each role and not for their sum.  So a role with
 * members has for the group what was set on it, and nothing else.
 */
extern void padv_caps_finish(PadvCaps *caps, PadvGrant *grants, size_t ngrants);

/*
 * The same for one place, whose scope comes from padv_caps_place, below a default
 * that is not scaled; or for the default itself, below itself.
 */
extern void padv_cap_resolve(PadvCap *cap, const PadvCap *fallback, bool has_members,
							 double scale);

/*
 * Add up what these roles may have at most.  A role that is in capped groups
 * counts in the tightest of them, and a group no higher than its cap.  Caps on
 * databases can only lower the sum, and are not looked at.
 *
 * And how many logins may wait: the lengths of all queues, as each login waits in
 * one of them.  A role under the default has one of its own.
 */
extern void padv_caps_commit(PadvCaps *caps, const PadvLoginRole *roles, size_t nroles);

/* Whether a session can be under any cap at all. */
extern bool padv_caps_any(const PadvCaps *caps);

/*
 * The database of this name, or 0 if no cap is on any.  False when the name is
 * not known.
 */
extern bool padv_caps_database(const PadvCaps *caps, const char *name, uint32_t *database);

extern bool padv_caps_equal(const PadvCaps *a, const PadvCaps *b);
extern void padv_caps_copy(PadvCaps *to, const PadvCaps *from);

extern bool padv_caps_is_exempt(const PadvCaps *caps, uint32_t role);

/* The cap at a place, or NULL. */
extern const PadvCap *padv_caps_at(const PadvCaps *caps, uint32_t database, uint32_t role);

/* Stands for the default in what padv_caps_of writes. */
#define PADV_DEFAULT_CAP (-1)

/*
 * The caps that a session of this role in this database is under, as indexes
 * of caps[] or PADV_DEFAULT_CAP; returns their number, 0 for an exempt role.
 * Each is there once.  Of more than PADV_MAX_SESSION_CAPS the last groups are
 * left out.
 */
extern int	padv_caps_of(const PadvCaps *caps, uint32_t database, uint32_t role,
						 int32_t found[PADV_MAX_SESSION_CAPS]);

/* The first membership of this role, or where it would be. */
extern int	padv_caps_first_membership(const PadvCaps *caps, uint32_t member);

/* Whether it can refuse, close or keep waiting at all. */
extern bool padv_cap_limits(const PadvCap *cap);

/*
 * Whether it is of one role that is under no cap.  That of a group holds for its
 * members, whatever the group itself is.
 */
extern bool padv_cap_is_exempt(const PadvCaps *caps, const PadvCap *cap);

/* The most sessions it allows, by its own number and core's; -1: no bound. */
static inline int32_t
padv_cap_bound(const PadvCap *cap)
{
	int32_t		own = cap->value[PADV_MAX_SESSIONS];

	if (own < 0 || (cap->core_limit >= 0 && cap->core_limit < own))
		return cap->core_limit;
	return own;
}

/*
 * How many logins may wait because of it; -1: no bound.  Without a number of
 * sessions none does.
 */
static inline int32_t
padv_cap_queue(const PadvCap *cap)
{
	return cap->value[PADV_MAX_SESSIONS] < 0 ? 0 : cap->value[PADV_QUEUE_LENGTH];
}

/* Whether its sessions and those who wait could take more connections than these. */
static inline bool
padv_cap_queue_above(const PadvCap *cap, int32_t connections)
{
	int32_t		queue = padv_cap_queue(cap);

	return queue < 0 ||
		(queue > 0 && (int64_t) cap->value[PADV_MAX_SESSIONS] + queue > connections);
}

/* Beyond min_sessions, idle sessions are closed. */
static inline bool
padv_cap_closes_idle(const PadvCap *cap)
{
	return cap->value[PADV_MIN_SESSIONS] >= 0 && cap->value[PADV_SESSION_IDLE_TIMEOUT] > 0;
}

/* min_sessions above max_sessions is never reached. */
static inline bool
padv_cap_core_above_max(const PadvCap *cap)
{
	return cap->value[PADV_MAX_SESSIONS] >= 0 &&
		cap->value[PADV_MIN_SESSIONS] > cap->value[PADV_MAX_SESSIONS];
}

#endif							/* PADV_CAPS_H */
