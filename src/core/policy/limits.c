/*
 * limits.c
 *		The limits on sessions and transactions, and which of them a session is under.
 *
 * Pure.  The process that reads the catalogs builds a set; logins search it.
 * All searches are binary: a login costs the same with 20 limits and with 2000.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/policy/limits.h"

static size_t
align_16(size_t bytes)
{
	return (bytes + 15) / 16 * 16;
}

/* Set the arrays for these numbers of elements; returns the bytes that they need. */
static size_t
set_arrays(PadvLimits *limits, size_t nlimits, size_t nmemberships, size_t nexempt, size_t ndatabases)
{
	size_t		memberships = align_16(nlimits * sizeof(PadvLimit));
	size_t		exempt = memberships + align_16(nmemberships * sizeof(PadvMembership));
	size_t		databases = exempt + align_16(nexempt * sizeof(uint32_t));

	if (limits != NULL)
	{
		limits->limits = (PadvLimit *) limits->block;
		limits->memberships = (PadvMembership *) (limits->block + memberships);
		limits->exempt = (uint32_t *) (limits->block + exempt);
		limits->databases = (PadvDatabaseName *) (limits->block + databases);
	}
	return databases + align_16(ndatabases * sizeof(PadvDatabaseName));
}

size_t
padv_limits_block_size(void)
{
	return set_arrays(NULL, PADV_MAX_LIMITS, PADV_MAX_MEMBERSHIPS, PADV_MAX_EXEMPT, PADV_MAX_LIMITS);
}

void
padv_limits_init(PadvLimits *limits, void *block)
{
	memset(limits, 0, sizeof(*limits));
	limits->block = block;
	limits->default_limit.scope = PADV_SCOPE_DEFAULT;
	limits->default_limit.connection_limit = PADV_UNLIMITED;
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
		limits->default_limit.value[i] = PADV_UNLIMITED;
	set_arrays(limits, PADV_MAX_LIMITS, PADV_MAX_MEMBERSHIPS, PADV_MAX_EXEMPT, PADV_MAX_LIMITS);
}

void
padv_limits_begin(PadvLimits *limits, PadvEnforcement enforcement, double scale,
				  const int32_t defaults[PADV_LIMIT_SETTINGS])
{
	limits->nlimits = 0;
	limits->nmemberships = 0;
	limits->nexempt = 0;
	limits->ndatabases = 0;
	limits->enforcement = enforcement;
	limits->scale = scale;
	limits->incomplete = false;
	limits->committed = 0;
	limits->unbounded_roles = 0;
	limits->committed_queue = 0;
	memset(&limits->default_limit, 0, sizeof(limits->default_limit));
	limits->default_limit.scope = PADV_SCOPE_DEFAULT;
	limits->default_limit.connection_limit = PADV_UNLIMITED;
	memcpy(limits->default_limit.value, defaults, sizeof(limits->default_limit.value));
	memcpy(limits->configured, defaults, sizeof(limits->configured));
}

PadvLimit *
padv_limits_entry(PadvLimits *limits, uint32_t database, uint32_t role)
{
	PadvLimit  *limit;

	if (database == 0 && role == 0)
		return &limits->default_limit;
	for (int i = 0; i < limits->nlimits; i++)
		if (limits->limits[i].database == database && limits->limits[i].role == role)
			return &limits->limits[i];
	if (limits->nlimits == PADV_MAX_LIMITS)
	{
		limits->incomplete = true;
		return NULL;
	}
	limit = &limits->limits[limits->nlimits++];
	limit->role = role;
	limit->database = database;
	limit->scope = role == 0 ? PADV_SCOPE_DATABASE :
		database == 0 ? PADV_SCOPE_ROLE : PADV_SCOPE_ROLE_IN_DATABASE;
	limit->connection_limit = PADV_UNLIMITED;
	limit->from_default = 0;
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
		limit->value[i] = PADV_NOT_SET;
	return limit;
}

void
padv_limits_add_exempt(PadvLimits *limits, uint32_t role)
{
	if (limits->nexempt == PADV_MAX_EXEMPT)
		limits->incomplete = true;
	else
		limits->exempt[limits->nexempt++] = role;
}

void
padv_limits_add_database(PadvLimits *limits, uint32_t database, const char *name)
{
	PadvDatabaseName *entry = &limits->databases[limits->ndatabases];
	size_t		length = strlen(name);

	if (limits->ndatabases == PADV_MAX_LIMITS || length >= PADV_NAME_SIZE)
		return;
	memset(entry, 0, sizeof(*entry));
	memcpy(entry->name, name, length);
	entry->database = database;
	limits->ndatabases++;
}

static int
compare_database_names(const void *a, const void *b)
{
	return strcmp(((const PadvDatabaseName *) a)->name, ((const PadvDatabaseName *) b)->name);
}

/* For bsearch; the key is a string of any length. */
static int
compare_with_name(const void *key, const void *element)
{
	return strcmp(key, ((const PadvDatabaseName *) element)->name);
}

static int
compare_numbers(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

static int
compare_limit_keys(const void *a, const void *b)
{
	const PadvLimit *left = a;
	const PadvLimit *right = b;
	int			order = compare_numbers(left->database, right->database);

	return order != 0 ? order : compare_numbers(left->role, right->role);
}

static int
compare_role_numbers(const void *a, const void *b)
{
	return compare_numbers(*(const uint32_t *) a, *(const uint32_t *) b);
}

static int
compare_grants(const void *a, const void *b)
{
	const PadvGrant *left = a;
	const PadvGrant *right = b;
	int			order = compare_numbers(left->member, right->member);

	return order != 0 ? order : compare_numbers(left->role, right->role);
}

static int32_t
scale_number(int32_t number, double scale)
{
	double		result = floor((double) number * scale);

	/* a limit above 0 stays at least 1, however small the scale is */
	if (number <= 0)
		return number;
	if (result < 1.0)
		return 1;
	return result < INT32_MAX ? (int32_t) result : INT32_MAX;
}

static bool
sets_numbers(const PadvLimit *limit)
{
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
		if (padv_limit_setting_is_own(i) && limit->value[i] != PADV_NOT_SET)
			return true;
	return false;
}

/* The weight of a role without any. */
#define STANDARD_WEIGHT 1

/*
 * Whether a limit sets a share of the server's slots.  A role has one from the default,
 * with this weight, too.
 */
static bool
sets_share(const PadvLimit *limit, int32_t inherited_weight)
{
	if (limit->value[PADV_MIN_ACTIVE] > 0)
		return true;
	if (limit->scope == PADV_SCOPE_ROLE || limit->scope == PADV_SCOPE_DEFAULT)
		return limit->value[PADV_ACTIVE_WEIGHT] > 0 && limit->value[PADV_ACTIVE_WEIGHT] != inherited_weight;
	return limit->value[PADV_ACTIVE_WEIGHT] > 0;
}

bool
padv_limit_is_set(const PadvLimit *limit)
{
	return limit->value[PADV_MAX_SESSIONS] >= 0 || limit->value[PADV_MAX_ACTIVE] >= 0 ||
		padv_limit_closes_idle(limit) || sets_share(limit, STANDARD_WEIGHT);
}

int
padv_limit_share_order(const PadvLimit *limit, const PadvLimit *default_limit)
{
	static const int orders[] = {
		[PADV_SCOPE_ROLE] = 3,[PADV_SCOPE_GROUP] = 2,[PADV_SCOPE_DATABASE] = 1,
		[PADV_SCOPE_ROLE_IN_DATABASE] = 4,[PADV_SCOPE_DEFAULT] = 0,
	};

	return sets_share(limit, default_limit->value[PADV_ACTIVE_WEIGHT]) ? orders[limit->scope] : 0;
}

/* Fill in unset values, and scale the numbers. */
static void
fill_in_values(PadvLimit *limit, const PadvLimit *default_limit, bool numbers_too, double scale)
{
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
	{
		if (limit->value[i] == PADV_NOT_SET)
			limit->value[i] = padv_limit_setting_is_own(i) && !numbers_too ? PADV_UNLIMITED : default_limit->value[i];
		if (padv_limit_setting_is_number(i))
			limit->value[i] = scale_number(limit->value[i], scale);
	}
}

void
padv_limit_resolve(PadvLimit *limit, const PadvLimit *default_limit, bool has_members, double scale)
{
	if (limit->scope == PADV_SCOPE_ROLE && has_members && sets_numbers(limit))
	{
		limit->scope = PADV_SCOPE_GROUP;
		for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
			if (padv_limit_setting_is_number(i) && limit->value[i] == PADV_NOT_SET)
				limit->from_default |= 1U << i;
	}
	fill_in_values(limit, default_limit, limit->scope == PADV_SCOPE_ROLE || limit->scope == PADV_SCOPE_DEFAULT, scale);
}

static bool
is_granted(const PadvGrant *grants, size_t ngrants, uint32_t role)
{
	for (size_t i = 0; i < ngrants; i++)
		if (grants[i].role == role)
			return true;
	return false;
}

/*
 * A role that sets its own numbers stays in the set even if they are all unlimited:
 * without an entry it would be under the default.
 */
static void
resolve_all_limits(PadvLimits *limits, const PadvGrant *grants, size_t ngrants)
{
	int			kept = 0;

	for (int i = 0; i < limits->nlimits; i++)
	{
		PadvLimit  *limit = &limits->limits[i];
		bool		of_role = limit->scope == PADV_SCOPE_ROLE;
		bool		own_numbers = sets_numbers(limit);

		padv_limit_resolve(limit, &limits->default_limit,
						   of_role && own_numbers && is_granted(grants, ngrants, limit->role), limits->scale);
		if (padv_limit_is_set(limit) || limit->connection_limit >= 0 || (of_role && own_numbers))
			limits->limits[kept++] = *limit;
	}
	limits->nlimits = kept;

	/* limits on databases are sorted last */
	if (kept == 0 || limits->limits[kept - 1].database == 0)
		limits->ndatabases = 0;
	padv_limit_resolve(&limits->default_limit, &limits->default_limit, false, limits->scale);
}

/* The index of the limit on this role as a group, or -1. */
static int
group_index(const PadvLimits *limits, uint32_t role)
{
	const PadvLimit *limit = padv_limits_at(limits, 0, role);

	return limit != NULL && limit->scope == PADV_SCOPE_GROUP ? (int) (limit - limits->limits) : -1;
}

/*
 * Add a membership behind the others of this member, unless it is there.  Returns whether
 * it was added.
 */
static bool
add_membership(PadvLimits *limits, uint32_t member, int limit)
{
	PadvMembership *end = limits->memberships + limits->nmemberships;
	PadvMembership *at = limits->memberships + padv_limits_first_membership(limits, member);

	if (limit < 0 || limits->limits[limit].role == member)
		return false;
	for (; at < end && at->member == member; at++)
		if (at->limit == limit)
			return false;
	if (limits->nmemberships == PADV_MAX_MEMBERSHIPS)
	{
		limits->incomplete = true;
		return false;
	}
	memmove(at + 1, at, (size_t) (end - at) * sizeof(PadvMembership));
	at->member = member;
	at->limit = limit;
	limits->nmemberships++;
	return true;
}

/* Add the memberships of a group to those of its member; returns whether any was new. */
static bool
inherit_memberships(PadvLimits *limits, uint32_t member, uint32_t group)
{
	bool		added = false;

	/* an addition can move those of the group */
	for (int i = 0;; i++)
	{
		int			at = padv_limits_first_membership(limits, group) + i;

		if (at >= limits->nmemberships || limits->memberships[at].member != group)
			return added;
		added |= add_membership(limits, member, limits->memberships[at].limit);
	}
}

/*
 * Add the limited groups among those that a role was granted, then those that these are
 * in as far as is known yet.  `first` is the first grant to the role.
 */
static bool
add_memberships_of(PadvLimits *limits, const PadvGrant *grants, size_t ngrants, size_t first)
{
	uint32_t	member = grants[first].member;
	bool		added = false;

	for (size_t i = first; i < ngrants && grants[i].member == member; i++)
		added |= add_membership(limits, member, group_index(limits, grants[i].role));
	for (size_t i = first; i < ngrants && grants[i].member == member; i++)
		if (grants[i].role != member)
			added |= inherit_memberships(limits, member, grants[i].role);
	return added;
}

/*
 * Add a membership for each limited group of a role, direct or indirect, each once.  A
 * round goes over all roles, until a round adds nothing.  Groups are usually older than
 * their members, so with an ascending order the first round is enough.  Rounds in both
 * orders bound the number of rounds for the usual chains of groups.
 */
static void
add_memberships(PadvLimits *limits, const PadvGrant *grants, size_t ngrants)
{
	bool		added = true;

	for (bool up = true; added; up = !up)
	{
		added = false;
		for (size_t n = 0; n < ngrants; n++)
		{
			size_t		i = up ? n : ngrants - 1 - n;

			if (i == 0 || grants[i].member != grants[i - 1].member)
				added |= add_memberships_of(limits, grants, ngrants, i);
		}
	}
}

/*
 * 3 limits of a session are not of its groups: of the role, the database, the role in it.
 * A role that is a group can be under the default, too.
 */
static void
check_memberships(PadvLimits *limits)
{
	int			count = 0;

	for (int i = 0; i < limits->nmemberships; i++)
	{
		uint32_t	member = limits->memberships[i].member;

		count = i > 0 && member == limits->memberships[i - 1].member ? count + 1 : 1;
		if (count > PADV_MAX_SESSION_LIMITS - (group_index(limits, member) < 0 ? 3 : 4))
			limits->incomplete = true;
	}
}

void
padv_limits_finish(PadvLimits *limits, PadvGrant *grants, size_t ngrants)
{
	if (ngrants > 0)
		qsort(grants, ngrants, sizeof(PadvGrant), compare_grants);
	qsort(limits->limits, (size_t) limits->nlimits, sizeof(PadvLimit), compare_limit_keys);
	qsort(limits->exempt, (size_t) limits->nexempt, sizeof(uint32_t), compare_role_numbers);
	qsort(limits->databases, (size_t) limits->ndatabases, sizeof(PadvDatabaseName), compare_database_names);
	resolve_all_limits(limits, grants, ngrants);
	add_memberships(limits, grants, ngrants);
	check_memberships(limits);
}

bool
padv_limits_any(const PadvLimits *limits)
{
	if (padv_limit_is_set(&limits->default_limit))
		return true;
	for (int i = 0; i < limits->nlimits; i++)
		if (padv_limit_is_set(&limits->limits[i]))
			return true;
	return false;
}

bool
padv_limits_database(const PadvLimits *limits, const char *name, uint32_t *database)
{
	const PadvDatabaseName *found;

	*database = 0;
	if (limits->ndatabases == 0)
		return true;
	found = bsearch(name, limits->databases, (size_t) limits->ndatabases,
					sizeof(PadvDatabaseName), compare_with_name);
	if (found != NULL)
		*database = found->database;
	return found != NULL;
}

void
padv_limits_copy(PadvLimits *to, const PadvLimits *from)
{
	char	   *block = to->block;

	*to = *from;
	to->block = block;
	set_arrays(to, (size_t) from->nlimits, (size_t) from->nmemberships, (size_t) from->nexempt,
			   (size_t) from->ndatabases);
	memcpy(to->limits, from->limits, (size_t) from->nlimits * sizeof(PadvLimit));
	memcpy(to->memberships, from->memberships,
		   (size_t) from->nmemberships * sizeof(PadvMembership));
	memcpy(to->exempt, from->exempt, (size_t) from->nexempt * sizeof(uint32_t));
	memcpy(to->databases, from->databases, (size_t) from->ndatabases * sizeof(PadvDatabaseName));
}

bool
padv_limits_equal(const PadvLimits *a, const PadvLimits *b)
{
	return a->nlimits == b->nlimits && a->nmemberships == b->nmemberships &&
		a->nexempt == b->nexempt && a->ndatabases == b->ndatabases &&
		a->enforcement == b->enforcement &&
		a->scale == b->scale && a->incomplete == b->incomplete &&
		a->committed == b->committed && a->unbounded_roles == b->unbounded_roles &&
		a->committed_queue == b->committed_queue &&
		memcmp(&a->default_limit, &b->default_limit, sizeof(PadvLimit)) == 0 &&
		memcmp(a->configured, b->configured, sizeof(a->configured)) == 0 &&
		memcmp(a->limits, b->limits, (size_t) a->nlimits * sizeof(PadvLimit)) == 0 &&
		memcmp(a->memberships, b->memberships,
			   (size_t) a->nmemberships * sizeof(PadvMembership)) == 0 &&
		memcmp(a->exempt, b->exempt, (size_t) a->nexempt * sizeof(uint32_t)) == 0 &&
		memcmp(a->databases, b->databases,
			   (size_t) a->ndatabases * sizeof(PadvDatabaseName)) == 0;
}

bool
padv_limits_is_exempt(const PadvLimits *limits, uint32_t role)
{
	return bsearch(&role, limits->exempt, (size_t) limits->nexempt, sizeof(uint32_t),
				   compare_role_numbers) != NULL;
}

bool
padv_limit_is_exempt(const PadvLimits *limits, const PadvLimit *limit)
{
	return limit->role != 0 && limit->scope != PADV_SCOPE_GROUP &&
		padv_limits_is_exempt(limits, limit->role);
}

const PadvLimit *
padv_limits_at(const PadvLimits *limits, uint32_t database, uint32_t role)
{
	PadvLimit	key = {.role = role, .database = database};

	return bsearch(&key, limits->limits, (size_t) limits->nlimits, sizeof(PadvLimit), compare_limit_keys);
}

int
padv_limits_first_membership(const PadvLimits *limits, uint32_t member)
{
	int			low = 0;
	int			high = limits->nmemberships;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (limits->memberships[middle].member < member)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Add a limit unless it has no effect.  With a CONNECTION LIMIT it counts sessions. */
static int
append_limit_index(const PadvLimits *limits, const PadvLimit *limit, int32_t *found, int count)
{
	if (limit == NULL || count == PADV_MAX_SESSION_LIMITS ||
		(!padv_limit_is_set(limit) && limit->connection_limit < 0 &&
		 padv_limit_share_order(limit, &limits->default_limit) == 0))
		return count;
	found[count] = limit == &limits->default_limit ? PADV_DEFAULT_LIMIT : (int32_t) (limit - limits->limits);
	return count + 1;
}

PadvLimit
padv_limits_default_for(const PadvLimits *limits, const PadvLimit *own)
{
	PadvLimit	result = limits->default_limit;

	for (int i = 0; own != NULL && i < PADV_LIMIT_SETTINGS; i++)
		if (padv_limit_setting_is_own(i) && (own->from_default & (1U << i)) == 0)
			result.value[i] = PADV_UNLIMITED;
	return result;
}

/* Add the limit of a role, and the default as far as it holds. */
static int
append_limits_of_role(const PadvLimits *limits, uint32_t role, int32_t *found)
{
	const PadvLimit *own = padv_limits_at(limits, 0, role);
	PadvLimit	rest = padv_limits_default_for(limits, own);
	int			count = 0;

	if (own != NULL)
		count = append_limit_index(limits, own, found, count);
	if (padv_limit_is_set(&rest))
		found[count++] = PADV_DEFAULT_LIMIT;
	return count;
}

int
padv_limits_of(const PadvLimits *limits, uint32_t database, uint32_t role,
			   int32_t found[PADV_MAX_SESSION_LIMITS])
{
	int			count;

	if (padv_limits_is_exempt(limits, role))
		return 0;
	count = append_limits_of_role(limits, role, found);
	if (database != 0)
	{
		count = append_limit_index(limits, padv_limits_at(limits, database, role), found, count);
		count = append_limit_index(limits, padv_limits_at(limits, database, 0), found, count);
	}
	for (int i = padv_limits_first_membership(limits, role);
		 i < limits->nmemberships && limits->memberships[i].member == role; i++)
		count = append_limit_index(limits, &limits->limits[limits->memberships[i].limit], found, count);
	return count;
}

/* --- the sum of the limits of all roles, which the process that reads the catalogs computes once --- */

/* The index of the lowest limit on a group of this role, or -1. */
static int
tightest_group(const PadvLimits *limits, uint32_t role)
{
	const PadvLimit *own = padv_limits_at(limits, 0, role);
	int			tightest = -1;

	if (own != NULL && own->scope == PADV_SCOPE_GROUP && own->value[PADV_MAX_SESSIONS] >= 0)
		tightest = (int) (own - limits->limits);
	for (int i = padv_limits_first_membership(limits, role);
		 i < limits->nmemberships && limits->memberships[i].member == role; i++)
	{
		int			group = limits->memberships[i].limit;

		if (limits->limits[group].value[PADV_MAX_SESSIONS] < 0)
			continue;
		if (tightest < 0 || limits->limits[group].value[PADV_MAX_SESSIONS] <
			limits->limits[tightest].value[PADV_MAX_SESSIONS])
			tightest = group;
	}
	return tightest;
}

/* The most sessions of this role alone, without its groups; -1: no bound. */
static int32_t
own_bound(const PadvLimits *limits, const PadvLoginRole *role)
{
	const PadvLimit *own = padv_limits_at(limits, 0, role->role);
	PadvLimit	limit = own == NULL || own->scope == PADV_SCOPE_GROUP ?
		padv_limits_default_for(limits, own) : *own;

	limit.connection_limit = role->connection_limit;
	return padv_limit_bound(&limit);
}

static void
add_queue(PadvLimits *limits, const PadvLimit *limit)
{
	int32_t		queue = padv_limit_queue(limit);

	if (queue < 0 || limits->committed_queue < 0)
		limits->committed_queue = -1;
	else
		limits->committed_queue += queue;
}

void
padv_limits_commit(PadvLimits *limits, const PadvLoginRole *roles, size_t nroles)
{
	int64_t		in_group[PADV_MAX_LIMITS] = {0};	/* -1: no bound but the
													 * limit */
	int64_t		total = 0;

	limits->unbounded_roles = 0;
	limits->committed_queue = 0;
	for (size_t i = 0; i < nroles; i++)
	{
		int			group = tightest_group(limits, roles[i].role);
		int32_t		bound = own_bound(limits, &roles[i]);
		PadvLimit	by_default = padv_limits_default_for(limits, padv_limits_at(limits, 0, roles[i].role));

		if (group >= 0)
			in_group[group] = bound < 0 || in_group[group] < 0 ? -1 : in_group[group] + bound;
		else if (bound < 0)
			limits->unbounded_roles++;
		else
			total += bound;
		add_queue(limits, &by_default);
	}
	for (int i = 0; i < limits->nlimits; i++)
	{
		int64_t		limit = limits->limits[i].value[PADV_MAX_SESSIONS];

		if (in_group[i] != 0)
			total += in_group[i] < 0 || in_group[i] > limit ? limit : in_group[i];
		if (!padv_limit_is_exempt(limits, &limits->limits[i]))
			add_queue(limits, &limits->limits[i]);
	}
	limits->committed = limits->unbounded_roles > 0 ? -1 : total;
}
