/*
 * limits.h
 *		Which limits there are, and which of them a session is under.
 *
 * Plain data, built by whoever reads the catalogs and searched at each login.
 * Roles and databases are the server's numbers; 0 stands for any.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LIMITS_H
#define PADV_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than these are not enforced; PadvLimits.incomplete says so. */
#define PADV_MAX_LIMITS 2048
#define PADV_MAX_MEMBERSHIPS 16384
#define PADV_MAX_EXEMPT 1024

/* Limits that one session can be under: its own, its database's, its groups'. */
#define PADV_MAX_SESSION_LIMITS 24

/* What can be set on a role, a database, or a role in a database. */
typedef enum PadvLimitSetting
{
	PADV_MAX_SESSIONS,
	PADV_MIN_SESSIONS,
	PADV_SESSION_IDLE_TIMEOUT,	/* milliseconds; 0 is never */
	PADV_QUEUE_LENGTH,
	PADV_QUEUE_TIMEOUT,			/* milliseconds */
	PADV_MAX_ACTIVE,			/* transactions at a time */
	PADV_TRANSACTION_QUEUE_LENGTH,	/* -1 is no bound */
	PADV_TRANSACTION_QUEUE_TIMEOUT, /* milliseconds; 0 is never */
} PadvLimitSetting;

#define PADV_LIMIT_SETTINGS (PADV_TRANSACTION_QUEUE_TIMEOUT + 1)

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

typedef struct PadvLimit
{
	uint32_t	role;
	uint32_t	database;
	int32_t		scope;			/* PadvScope */
	int32_t		connection_limit;	/* the server's own CONNECTION LIMIT of
									 * this role or database; -1 is none */
	int32_t		value[PADV_LIMIT_SETTINGS];
} PadvLimit;

/* A role that can log in and is not exempt. */
typedef struct PadvLoginRole
{
	uint32_t	role;
	int32_t		connection_limit;
} PadvLoginRole;

/* A role is, directly or not, a member of the role of limits[limit]. */
typedef struct PadvMembership
{
	uint32_t	member;
	int32_t		limit;
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
 * The arrays are in a block that comes with it; padv_limits_copy packs them, so
 * that a search where there are few limits touches little memory.
 */
typedef struct PadvLimits
{
	char	   *block;
	int32_t		nlimits;
	int32_t		nmemberships;
	int32_t		nexempt;
	int32_t		ndatabases;
	int32_t		enforcement;	/* PadvEnforcement */
	double		scale;			/* applied to the numbers already */
	bool		incomplete;		/* something did not fit */

	/* what may connect, by the limits and limits of roles */
	int64_t		committed;		/* sessions of all roles; -1: no bound */
	int64_t		unbounded_roles;	/* roles without any bound */
	int64_t		committed_queue;	/* logins that may wait; -1: no bound */
	PadvLimit	fallback;		/* the default */
	int32_t		configured[PADV_LIMIT_SETTINGS];	/* what padv_limits_begin
													 * was given as such */
	PadvLimit  *limits;			/* by database, role */
	PadvMembership *memberships;	/* by member */
	uint32_t   *exempt;			/* ascending */
	PadvDatabaseName *databases;	/* by name; none without limits on some */
} PadvLimits;

/* Bytes of a block; and a set without any limit in one, aligned as malloc does. */
extern size_t padv_limits_block_size(void);
extern void padv_limits_init(PadvLimits *limits, void *block);

/*
 * Build: begin, add places and exempt roles in any order, finish, commit.
 *
 * padv_limits_entry returns the limit of a place, whose values are PADV_NOT_SET at
 * first, or NULL when there is no room.  The default is the place without role
 * and database: it is limits->fallback, and holds what padv_limits_begin was given
 * until it is set.
 */
extern void padv_limits_begin(PadvLimits *limits, PadvEnforcement enforcement, double scale,
							  const int32_t fallback[PADV_LIMIT_SETTINGS]);
extern PadvLimit *padv_limits_entry(PadvLimits *limits, uint32_t database, uint32_t role);
extern void padv_limits_add_exempt(PadvLimits *limits, uint32_t role);

/*
 * The name of a database.  They are kept only if there are limits on databases;
 * of more than PADV_MAX_LIMITS, some are unknown.
 */
extern void padv_limits_add_database(PadvLimits *limits, uint32_t database, const char *name);

/*
 * Fill in what is not set, scale the numbers, drop what limits nothing, and
 * find the members of each limited role.  The grants are sorted in place.
 *
 * What a place does not set comes from the default: how to wait and when to
 * close, for every place; how many sessions and transactions, for roles only,
 * because the default is meant for each role and not for their sum.  So a role with
 * members has for the group what was set on it, and nothing else.
 */
extern void padv_limits_finish(PadvLimits *limits, PadvGrant *grants, size_t ngrants);

/*
 * The same for one place, whose scope comes from padv_limits_entry, below a default
 * that is not scaled; or for the default itself, below itself.
 */
extern void padv_limit_resolve(PadvLimit *limit, const PadvLimit *fallback, bool has_members,
							   double scale);

/*
 * Add up what these roles may have at most.  A role that is in limited groups
 * counts in the tightest of them, and a group no higher than its limit.  Limits on
 * databases can only lower the sum, and are not looked at.
 *
 * And how many logins may wait: the lengths of all queues, as each login waits in
 * one of them.  A role under the default has one of its own.
 */
extern void padv_limits_commit(PadvLimits *limits, const PadvLoginRole *roles, size_t nroles);

/* Whether a session can be under any limit at all. */
extern bool padv_limits_any(const PadvLimits *limits);

/*
 * The database of this name, or 0 if no limit is on any.  False when the name is
 * not known.
 */
extern bool padv_limits_database(const PadvLimits *limits, const char *name, uint32_t *database);

extern bool padv_limits_equal(const PadvLimits *a, const PadvLimits *b);
extern void padv_limits_copy(PadvLimits *to, const PadvLimits *from);

extern bool padv_limits_is_exempt(const PadvLimits *limits, uint32_t role);

/* The limit at a place, or NULL. */
extern const PadvLimit *padv_limits_at(const PadvLimits *limits, uint32_t database, uint32_t role);

/* Stands for the default in what padv_limits_of writes. */
#define PADV_DEFAULT_LIMIT (-1)

/*
 * The limits that a session of this role in this database is under, as indexes
 * of limits[] or PADV_DEFAULT_LIMIT; returns their number, 0 for an exempt role.
 * Each is there once.  Of more than PADV_MAX_SESSION_LIMITS the last groups are
 * left out.
 */
extern int	padv_limits_of(const PadvLimits *limits, uint32_t database, uint32_t role,
						   int32_t found[PADV_MAX_SESSION_LIMITS]);

/* The first membership of this role, or where it would be. */
extern int	padv_limits_first_membership(const PadvLimits *limits, uint32_t member);

/* Whether it can refuse, close or keep waiting at all. */
extern bool padv_limit_is_set(const PadvLimit *limit);

/*
 * Whether it is of one role that is under no limit.  That of a group holds for its
 * members, whatever the group itself is.
 */
extern bool padv_limit_is_exempt(const PadvLimits *limits, const PadvLimit *limit);

/* The most sessions it allows, by its own number and core's; -1: no bound. */
static inline int32_t
padv_limit_bound(const PadvLimit *limit)
{
	int32_t		own = limit->value[PADV_MAX_SESSIONS];

	if (own < 0 || (limit->connection_limit >= 0 && limit->connection_limit < own))
		return limit->connection_limit;
	return own;
}

/*
 * How many logins may wait because of it; -1: no bound.  Without a number of
 * sessions none does.
 */
static inline int32_t
padv_limit_queue(const PadvLimit *limit)
{
	return limit->value[PADV_MAX_SESSIONS] < 0 ? 0 : limit->value[PADV_QUEUE_LENGTH];
}

/* Whether its sessions and those who wait could take more connections than these. */
static inline bool
padv_limit_queue_above(const PadvLimit *limit, int32_t connections)
{
	int32_t		queue = padv_limit_queue(limit);

	return queue < 0 ||
		(queue > 0 && (int64_t) limit->value[PADV_MAX_SESSIONS] + queue > connections);
}

/* Beyond min_sessions, idle sessions are closed. */
static inline bool
padv_limit_closes_idle(const PadvLimit *limit)
{
	return limit->value[PADV_MIN_SESSIONS] >= 0 && limit->value[PADV_SESSION_IDLE_TIMEOUT] > 0;
}

/* min_sessions above max_sessions is never reached. */
static inline bool
padv_limit_min_above_max(const PadvLimit *limit)
{
	return limit->value[PADV_MAX_SESSIONS] >= 0 &&
		limit->value[PADV_MIN_SESSIONS] > limit->value[PADV_MAX_SESSIONS];
}

#endif							/* PADV_LIMITS_H */
