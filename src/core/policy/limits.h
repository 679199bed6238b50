/*
 * limits.h
 *		The limits on sessions and transactions, and which of them a session is under.
 *
 * Plain data.  The process that reads the catalogs builds a set, and each login searches
 * it.  Roles and databases are OIDs; 0 stands for any.  Nothing here blocks, allocates
 * or fails; the caller owns all memory and protects a shared set with its lock.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LIMITS_H
#define PADV_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Entries beyond these numbers are ignored; PadvLimits.incomplete is set then. */
#define PADV_MAX_LIMITS 2048
#define PADV_MAX_MEMBERSHIPS 16384
#define PADV_MAX_EXEMPT 1024

/*
 * Limits that one session can be under: of its role, of its database, of its role in the
 * database, and of groups that its role is a member of.
 */
#define PADV_MAX_SESSION_LIMITS 24

/*
 * The settings of a limit on a role, a database, or a role in a database.  set_limit()
 * takes them in this order.
 */
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
	PADV_ACTIVE_WEIGHT,			/* share of the server's limit on transactions */
	PADV_MIN_ACTIVE,			/* transactions that go before others */
} PadvLimitSetting;

#define PADV_LIMIT_SETTINGS (PADV_MIN_ACTIVE + 1)

/*
 * Those that count something and are scaled; the others say how to wait, when to close
 * and how to share.
 */
static inline bool
padv_limit_setting_is_number(PadvLimitSetting setting)
{
	return setting == PADV_MAX_SESSIONS || setting == PADV_MIN_SESSIONS ||
		setting == PADV_MAX_ACTIVE || setting == PADV_MIN_ACTIVE;
}

/*
 * Those that a role has from the default, but a group or a database only if it sets them
 * itself.
 */
static inline bool
padv_limit_setting_is_own(PadvLimitSetting setting)
{
	return padv_limit_setting_is_number(setting) || setting == PADV_ACTIVE_WEIGHT;
}

#define PADV_UNLIMITED (-1)
#define PADV_NOT_SET INT32_MIN

typedef enum PadvScope
{
	PADV_SCOPE_ROLE,
	PADV_SCOPE_GROUP,			/* a role and its members together */
	PADV_SCOPE_DATABASE,
	PADV_SCOPE_ROLE_IN_DATABASE,
	PADV_SCOPE_DEFAULT,			/* each role without a number of its own */
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
	int32_t		connection_limit;	/* CONNECTION LIMIT of the role or
									 * database; -1 is none */
	int32_t		value[PADV_LIMIT_SETTINGS];
	uint32_t	from_default;	/* of a group: a bit for each number that it
								 * does not set, so that the sessions of the
								 * role itself have that of the default */
} PadvLimit;

/* A role that can log in and is not exempt. */
typedef struct PadvLoginRole
{
	uint32_t	role;
	int32_t		connection_limit;
} PadvLoginRole;

/* member is, directly or indirectly, a member of the role of limits[limit]. */
typedef struct PadvMembership
{
	uint32_t	member;
	int32_t		limit;
} PadvMembership;

/* A direct grant of role to member. */
typedef struct PadvGrant
{
	uint32_t	member;
	uint32_t	role;
} PadvGrant;

/* Bytes of a database name with its NUL; a longer name is not kept. */
#define PADV_NAME_SIZE 64

/*
 * A database, found by its name.  The whole name is compared, not a hash: a role that
 * may create databases could choose a name with the same hash as another.
 */
typedef struct PadvDatabaseName
{
	char		name[PADV_NAME_SIZE];
	uint32_t	database;
} PadvDatabaseName;

/*
 * A set of limits.  The arrays are in one block of padv_limits_block_size() bytes.
 * padv_limits_copy packs them, so that a search among few limits touches little memory.
 */
typedef struct PadvLimits
{
	char	   *block;
	int32_t		nlimits;
	int32_t		nmemberships;
	int32_t		nexempt;
	int32_t		ndatabases;
	int32_t		enforcement;	/* PadvEnforcement */
	double		scale;			/* already applied to the numbers */
	bool		incomplete;		/* something did not fit */

	/* what may connect, by these limits and the CONNECTION LIMITs of roles */
	int64_t		committed;		/* sessions of all roles; -1: no bound */
	int64_t		unbounded_roles;	/* roles without any bound */
	int64_t		committed_queue;	/* logins that may wait; -1: no bound */
	PadvLimit	default_limit;	/* of roles without their own */
	int32_t		configured[PADV_LIMIT_SETTINGS];	/* the default as given to
													 * padv_limits_begin */
	PadvLimit  *limits;			/* sorted by database, role */
	PadvMembership *memberships;	/* sorted by member */
	uint32_t   *exempt;			/* sorted */
	PadvDatabaseName *databases;	/* sorted by name; empty if no limit is on
									 * a database */
} PadvLimits;

/*
 * The size of a block in bytes; and make an empty set in a block, which is aligned as
 * malloc does and stays the caller's.
 */
extern size_t padv_limits_block_size(void);
extern void padv_limits_init(PadvLimits *limits, void *block);

/*
 * To build a set: begin, add limits and exempt roles in any order, finish, commit.
 *
 * padv_limits_entry returns the limit of this role in this database, which it adds if
 * need be with all values PADV_NOT_SET, or NULL when the set is full.  The default is
 * the limit with neither role nor database: limits->default_limit, with the values that
 * padv_limits_begin was given.
 */
extern void padv_limits_begin(PadvLimits *limits, PadvEnforcement enforcement, double scale,
							  const int32_t defaults[PADV_LIMIT_SETTINGS]);
extern PadvLimit *padv_limits_entry(PadvLimits *limits, uint32_t database, uint32_t role);
extern void padv_limits_add_exempt(PadvLimits *limits, uint32_t role);

/*
 * Add the name of a database.  Names are kept only if there are limits on databases, and
 * at most PADV_MAX_LIMITS of them.
 */
extern void padv_limits_add_database(PadvLimits *limits, uint32_t database, const char *name);

/*
 * Fill in unset values, scale the numbers, remove limits without effect, and find the
 * members of each limited role.  The grants are sorted in place.
 *
 * Unset values come from the default.  Queue settings and idle timeouts come from it for
 * every limit.  Numbers of sessions and transactions come from it for roles only, because
 * the default is meant for each role and not for a sum.  So the limit of a role with
 * members has only the numbers that were set on it.  For the others the sessions of that
 * role are under the default, too, so a grant of the role to a member lifts none of them.
 */
extern void padv_limits_finish(PadvLimits *limits, PadvGrant *grants, size_t ngrants);

/*
 * The same for one limit of padv_limits_entry and a default that is not scaled yet, or
 * for the default itself with itself as default_limit.
 */
extern void padv_limit_resolve(PadvLimit *limit, const PadvLimit *default_limit, bool has_members,
							   double scale);

/*
 * Compute committed, unbounded_roles and committed_queue: the sum of the sessions that
 * these roles may have.  A role in limited groups counts in the group with the lowest
 * limit, and a group counts up to its limit.  Limits on databases can only lower the
 * sum, and are ignored.
 *
 * committed_queue is the sum of all queue lengths but those of exempt roles, because each
 * login waits in one queue.  Each role under the default has its own queue.
 */
extern void padv_limits_commit(PadvLimits *limits, const PadvLoginRole *roles, size_t nroles);

/* Whether a session can be under any limit at all. */
extern bool padv_limits_any(const PadvLimits *limits);

/*
 * Write the OID of the database with this name to *database, or 0 if no limit is on a
 * database.  Returns false when the name is not known.
 */
extern bool padv_limits_database(const PadvLimits *limits, const char *name, uint32_t *database);

/* Compare all of two sets; copy a set to one with a block of its own. */
extern bool padv_limits_equal(const PadvLimits *a, const PadvLimits *b);
extern void padv_limits_copy(PadvLimits *to, const PadvLimits *from);

extern bool padv_limits_is_exempt(const PadvLimits *limits, uint32_t role);

/* The limit of this role in this database, or NULL. */
extern const PadvLimit *padv_limits_at(const PadvLimits *limits, uint32_t database, uint32_t role);

/* The index of the default limit in the result of padv_limits_of. */
#define PADV_DEFAULT_LIMIT (-1)

/*
 * The default limit as it holds for the sessions of a role with this limit of its own,
 * which is NULL or a limit of a role or a group.
 */
extern PadvLimit padv_limits_default_for(const PadvLimits *limits, const PadvLimit *own);

/*
 * Write the limits that a session of this role in this database is under, as indexes of
 * limits[] or PADV_DEFAULT_LIMIT, each once.  Returns their number, 0 for an exempt role.
 * The default stands behind the limit of the role, if that is a group.
 * Of more than PADV_MAX_SESSION_LIMITS the last groups are left out.
 */
extern int	padv_limits_of(const PadvLimits *limits, uint32_t database, uint32_t role,
						   int32_t found[PADV_MAX_SESSION_LIMITS]);

/* The index of the first membership of this role, or where it would be. */
extern int	padv_limits_first_membership(const PadvLimits *limits, uint32_t member);

/*
 * Whether the limit can refuse or queue a session or transaction, close a session, or
 * changes a share.
 */
extern bool padv_limit_is_set(const PadvLimit *limit);

/*
 * How much a share of the server's slots that is set on this limit goes before those that
 * are set on other limits of a session; 0 if it sets none.  The most special one counts: a
 * role in a database, a role, a group, a database.
 */
extern int	padv_limit_share_order(const PadvLimit *limit, const PadvLimit *default_limit);

/*
 * Whether the limit is on a single role that is exempt.  The limit of a group applies
 * to its members even if the group itself is exempt.
 */
extern bool padv_limit_is_exempt(const PadvLimits *limits, const PadvLimit *limit);

/* The most sessions, by max_sessions and CONNECTION LIMIT; -1: no bound. */
static inline int32_t
padv_limit_bound(const PadvLimit *limit)
{
	int32_t		own = limit->value[PADV_MAX_SESSIONS];

	if (own < 0 || (limit->connection_limit >= 0 && limit->connection_limit < own))
		return limit->connection_limit;
	return own;
}

/*
 * How many logins may wait because of this limit; -1: no bound.  0 without
 * max_sessions.
 */
static inline int32_t
padv_limit_queue(const PadvLimit *limit)
{
	return limit->value[PADV_MAX_SESSIONS] < 0 ? 0 : limit->value[PADV_QUEUE_LENGTH];
}

/* Whether its sessions and waiting logins could take more than so many connections. */
static inline bool
padv_limit_queue_above(const PadvLimit *limit, int32_t connections)
{
	int32_t		queue = padv_limit_queue(limit);

	return queue < 0 ||
		(queue > 0 && (int64_t) limit->value[PADV_MAX_SESSIONS] + queue > connections);
}

/* Whether idle sessions beyond min_sessions are closed. */
static inline bool
padv_limit_closes_idle(const PadvLimit *limit)
{
	return limit->value[PADV_MIN_SESSIONS] >= 0 && limit->value[PADV_SESSION_IDLE_TIMEOUT] > 0;
}

/* Whether min_sessions can never be reached. */
static inline bool
padv_limit_min_above_max(const PadvLimit *limit)
{
	return limit->value[PADV_MAX_SESSIONS] >= 0 &&
		limit->value[PADV_MIN_SESSIONS] > limit->value[PADV_MAX_SESSIONS];
}

#endif							/* PADV_LIMITS_H */
