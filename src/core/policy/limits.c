/*
 * limits.c
 *		Which caps there are, and which of them a session is under.
 *
 * Pure.  The process that reads the catalogs builds a set; logins search it.
 * All searches are binary: a login costs the same with 20 caps and with 2000.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/policy/limits.h"

/* Roles above one role that are looked at; deeper or wider is incomplete. */
#define MAX_ANCESTORS 256

static size_t
aligned(size_t bytes)
{
	return (bytes + 15) / 16 * 16;
}

/* Where the arrays are when they have these numbers of elements. */
static size_t
lay_out(PadvCaps *caps, size_t ncaps, size_t nmemberships, size_t nexempt, size_t ndatabases)
{
	size_t		memberships = aligned(ncaps * sizeof(PadvCap));
	size_t		exempt = memberships + aligned(nmemberships * sizeof(PadvMembership));
	size_t		databases = exempt + aligned(nexempt * sizeof(uint32_t));

	if (caps != NULL)
	{
		caps->caps = (PadvCap *) caps->block;
		caps->memberships = (PadvMembership *) (caps->block + memberships);
		caps->exempt = (uint32_t *) (caps->block + exempt);
		caps->databases = (PadvDatabaseName *) (caps->block + databases);
	}
	return databases + aligned(ndatabases * sizeof(PadvDatabaseName));
}

size_t
padv_caps_block_size(void)
{
	return lay_out(NULL, PADV_MAX_CAPS, PADV_MAX_MEMBERSHIPS, PADV_MAX_EXEMPT, PADV_MAX_CAPS);
}

void
padv_caps_init(PadvCaps *caps, void *block)
{
	memset(caps, 0, sizeof(*caps));
	caps->block = block;
	caps->fallback.scope = PADV_SCOPE_DEFAULT;
	caps->fallback.core_limit = PADV_UNLIMITED;
	for (int i = 0; i < PADV_CAP_SETTINGS; i++)
		caps->fallback.value[i] = PADV_UNLIMITED;
	lay_out(caps, PADV_MAX_CAPS, PADV_MAX_MEMBERSHIPS, PADV_MAX_EXEMPT, PADV_MAX_CAPS);
}

void
padv_caps_begin(PadvCaps *caps, PadvEnforcement enforcement, double scale,
				const int32_t fallback[PADV_CAP_SETTINGS])
{
	caps->ncaps = 0;
	caps->nmemberships = 0;
	caps->nexempt = 0;
	caps->ndatabases = 0;
	caps->enforcement = enforcement;
	caps->scale = scale;
	caps->incomplete = false;
	caps->committed = 0;
	caps->unbounded_roles = 0;
	caps->committed_queue = 0;
	memset(&caps->fallback, 0, sizeof(caps->fallback));
	caps->fallback.scope = PADV_SCOPE_DEFAULT;
	caps->fallback.core_limit = PADV_UNLIMITED;
	memcpy(caps->fallback.value, fallback, sizeof(caps->fallback.value));
	memcpy(caps->configured, fallback, sizeof(caps->configured));
}

PadvCap *
padv_caps_place(PadvCaps *caps, uint32_t database, uint32_t role)
{
	PadvCap    *cap;

	if (database == 0 && role == 0)
		return &caps->fallback;
	for (int i = 0; i < caps->ncaps; i++)
		if (caps->caps[i].database == database && caps->caps[i].role == role)
			return &caps->caps[i];
	if (caps->ncaps == PADV_MAX_CAPS)
	{
		caps->incomplete = true;
		return NULL;
	}
	cap = &caps->caps[caps->ncaps++];
	cap->role = role;
	cap->database = database;
	cap->scope = role == 0 ? PADV_SCOPE_DATABASE :
		database == 0 ? PADV_SCOPE_ROLE : PADV_SCOPE_ROLE_IN_DATABASE;
	cap->core_limit = PADV_UNLIMITED;
	for (int i = 0; i < PADV_CAP_SETTINGS; i++)
		cap->value[i] = PADV_NOT_SET;
	return cap;
}

void
padv_caps_add_exempt(PadvCaps *caps, uint32_t role)
{
	if (caps->nexempt == PADV_MAX_EXEMPT)
		caps->incomplete = true;
	else
		caps->exempt[caps->nexempt++] = role;
}

void
padv_caps_add_database(PadvCaps *caps, uint32_t database, const char *name)
{
	PadvDatabaseName *entry = &caps->databases[caps->ndatabases];
	size_t		length = strlen(name);

	if (caps->ndatabases == PADV_MAX_CAPS || length >= PADV_NAME_SIZE)
		return;
	memset(entry, 0, sizeof(*entry));
	memcpy(entry->name, name, length);
	entry->database = database;
	caps->ndatabases++;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(((const PadvDatabaseName *) a)->name, ((const PadvDatabaseName *) b)->name);
}

/* A key is a text of any length. */
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
compare_caps(const void *a, const void *b)
{
	const PadvCap *left = a;
	const PadvCap *right = b;
	int			order = compare_numbers(left->database, right->database);

	return order != 0 ? order : compare_numbers(left->role, right->role);
}

static int
compare_roles(const void *a, const void *b)
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
scaled(int32_t number, double scale)
{
	double		result = floor((double) number * scale);

	/* what may have one session keeps one on the smallest node */
	if (number <= 0)
		return number;
	if (result < 1.0)
		return 1;
	return result < INT32_MAX ? (int32_t) result : INT32_MAX;
}

/* Settings that count something; the others say how to wait and when to close. */
static bool
is_number(int setting)
{
	return setting == PADV_MAX_SESSIONS || setting == PADV_MIN_SESSIONS ||
		setting == PADV_MAX_ACTIVE;
}

static bool
sets_numbers(const PadvCap *cap)
{
	for (int i = 0; i < PADV_CAP_SETTINGS; i++)
		if (is_number(i) && cap->value[i] != PADV_NOT_SET)
			return true;
	return false;
}

bool
padv_cap_limits(const PadvCap *cap)
{
	return cap->value[PADV_MAX_SESSIONS] >= 0 || cap->value[PADV_MAX_ACTIVE] >= 0 ||
		padv_cap_closes_idle(cap);
}

/* Fill in what is not set; the numbers from the default only if asked to. */
static void
resolve(PadvCap *cap, const PadvCap *fallback, bool numbers_too, double scale)
{
	for (int i = 0; i < PADV_CAP_SETTINGS; i++)
	{
		if (cap->value[i] == PADV_NOT_SET)
			cap->value[i] = is_number(i) && !numbers_too ? PADV_UNLIMITED : fallback->value[i];
		if (is_number(i))
			cap->value[i] = scaled(cap->value[i], scale);
	}
}

void
padv_cap_resolve(PadvCap *cap, const PadvCap *fallback, bool has_members, double scale)
{
	if (cap->scope == PADV_SCOPE_ROLE && has_members && sets_numbers(cap))
		cap->scope = PADV_SCOPE_GROUP;
	resolve(cap, fallback, cap->scope == PADV_SCOPE_ROLE || cap->scope == PADV_SCOPE_DEFAULT, scale);
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
 * A role whose numbers come from the default stays in the set even if they are
 * unlimited when it says so itself: that is how it is told from one that has
 * the default.
 */
static void
resolve_all(PadvCaps *caps, const PadvGrant *grants, size_t ngrants)
{
	int			kept = 0;

	for (int i = 0; i < caps->ncaps; i++)
	{
		PadvCap    *cap = &caps->caps[i];
		bool		of_role = cap->scope == PADV_SCOPE_ROLE;
		bool		own_numbers = sets_numbers(cap);

		padv_cap_resolve(cap, &caps->fallback,
						 of_role && own_numbers && is_granted(grants, ngrants, cap->role), caps->scale);
		if (padv_cap_limits(cap) || cap->core_limit >= 0 || (of_role && own_numbers))
			caps->caps[kept++] = *cap;
	}
	caps->ncaps = kept;

	/* those on databases come last */
	if (kept == 0 || caps->caps[kept - 1].database == 0)
		caps->ndatabases = 0;
	padv_cap_resolve(&caps->fallback, &caps->fallback, false, caps->scale);
}

/* The first grant to this member, or where it would be. */
static size_t
first_grant(const PadvGrant *grants, size_t ngrants, uint32_t member)
{
	size_t		low = 0;
	size_t		high = ngrants;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (grants[middle].member < member)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
add_membership(PadvCaps *caps, uint32_t member, uint32_t role)
{
	const PadvCap *cap = padv_caps_at(caps, 0, role);
	PadvMembership *membership;

	if (cap == NULL || cap->scope != PADV_SCOPE_GROUP || member == role)
		return;
	if (caps->nmemberships == PADV_MAX_MEMBERSHIPS)
	{
		caps->incomplete = true;
		return;
	}
	membership = &caps->memberships[caps->nmemberships++];
	membership->member = member;
	membership->cap = (int32_t) (cap - caps->caps);
}

/* All that a role is a member of, by way of others too; each once. */
static void
climb(PadvCaps *caps, const PadvGrant *grants, size_t ngrants, uint32_t member)
{
	uint32_t	ancestors[MAX_ANCESTORS];
	int			before = caps->nmemberships;
	int			count = 0;

	for (int next = -1; next < count; next++)
	{
		/* cppcheck-suppress uninitvar; what is below count has been written */
		uint32_t	from = next < 0 ? member : ancestors[next];

		for (size_t i = first_grant(grants, ngrants, from);
			 i < ngrants && grants[i].member == from; i++)
		{
			int			known = 0;

			while (known < count && ancestors[known] != grants[i].role)
				known++;
			if (known < count)
				continue;
			if (count == MAX_ANCESTORS)
			{
				caps->incomplete = true;
				return;
			}
			ancestors[count++] = grants[i].role;
			add_membership(caps, member, grants[i].role);
		}
	}

	/* its own, its database's, and its own there come first */
	if (caps->nmemberships - before > PADV_MAX_SESSION_CAPS - 3)
		caps->incomplete = true;
}

void
padv_caps_finish(PadvCaps *caps, PadvGrant *grants, size_t ngrants)
{
	if (ngrants > 0)
		qsort(grants, ngrants, sizeof(PadvGrant), compare_grants);
	qsort(caps->caps, (size_t) caps->ncaps, sizeof(PadvCap), compare_caps);
	qsort(caps->exempt, (size_t) caps->nexempt, sizeof(uint32_t), compare_roles);
	qsort(caps->databases, (size_t) caps->ndatabases, sizeof(PadvDatabaseName), compare_names);
	resolve_all(caps, grants, ngrants);

	for (size_t i = 0; i < ngrants; i++)
		if (i == 0 || grants[i].member != grants[i - 1].member)
			climb(caps, grants, ngrants, grants[i].member);
}

bool
padv_caps_any(const PadvCaps *caps)
{
	if (padv_cap_limits(&caps->fallback))
		return true;
	for (int i = 0; i < caps->ncaps; i++)
		if (padv_cap_limits(&caps->caps[i]))
			return true;
	return false;
}

bool
padv_caps_database(const PadvCaps *caps, const char *name, uint32_t *database)
{
	const PadvDatabaseName *found;

	*database = 0;
	if (caps->ndatabases == 0)
		return true;
	found = bsearch(name, caps->databases, (size_t) caps->ndatabases,
					sizeof(PadvDatabaseName), compare_with_name);
	if (found != NULL)
		*database = found->database;
	return found != NULL;
}

void
padv_caps_copy(PadvCaps *to, const PadvCaps *from)
{
	char	   *block = to->block;

	*to = *from;
	to->block = block;
	lay_out(to, (size_t) from->ncaps, (size_t) from->nmemberships, (size_t) from->nexempt,
			(size_t) from->ndatabases);
	memcpy(to->caps, from->caps, (size_t) from->ncaps * sizeof(PadvCap));
	memcpy(to->memberships, from->memberships,
		   (size_t) from->nmemberships * sizeof(PadvMembership));
	memcpy(to->exempt, from->exempt, (size_t) from->nexempt * sizeof(uint32_t));
	memcpy(to->databases, from->databases, (size_t) from->ndatabases * sizeof(PadvDatabaseName));
}

bool
padv_caps_equal(const PadvCaps *a, const PadvCaps *b)
{
	return a->ncaps == b->ncaps && a->nmemberships == b->nmemberships &&
		a->nexempt == b->nexempt && a->ndatabases == b->ndatabases &&
		a->enforcement == b->enforcement &&
		a->scale == b->scale && a->incomplete == b->incomplete &&
		a->committed == b->committed && a->unbounded_roles == b->unbounded_roles &&
		a->committed_queue == b->committed_queue &&
		memcmp(&a->fallback, &b->fallback, sizeof(PadvCap)) == 0 &&
		memcmp(a->configured, b->configured, sizeof(a->configured)) == 0 &&
		memcmp(a->caps, b->caps, (size_t) a->ncaps * sizeof(PadvCap)) == 0 &&
		memcmp(a->memberships, b->memberships,
			   (size_t) a->nmemberships * sizeof(PadvMembership)) == 0 &&
		memcmp(a->exempt, b->exempt, (size_t) a->nexempt * sizeof(uint32_t)) == 0 &&
		memcmp(a->databases, b->databases,
			   (size_t) a->ndatabases * sizeof(PadvDatabaseName)) == 0;
}

bool
padv_caps_is_exempt(const PadvCaps *caps, uint32_t role)
{
	return bsearch(&role, caps->exempt, (size_t) caps->nexempt, sizeof(uint32_t),
				   compare_roles) != NULL;
}

bool
padv_cap_is_exempt(const PadvCaps *caps, const PadvCap *cap)
{
	return cap->role != 0 && cap->scope != PADV_SCOPE_GROUP &&
		padv_caps_is_exempt(caps, cap->role);
}

const PadvCap *
padv_caps_at(const PadvCaps *caps, uint32_t database, uint32_t role)
{
	PadvCap		key = {.role = role, .database = database};

	return bsearch(&key, caps->caps, (size_t) caps->ncaps, sizeof(PadvCap), compare_caps);
}

int
padv_caps_first_membership(const PadvCaps *caps, uint32_t member)
{
	int			low = 0;
	int			high = caps->nmemberships;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (caps->memberships[middle].member < member)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Add a cap unless it limits nothing; under core's limit it is only counted. */
static int
note(const PadvCaps *caps, const PadvCap *cap, int32_t *found, int count)
{
	if (cap == NULL || (!padv_cap_limits(cap) && cap->core_limit < 0) ||
		count == PADV_MAX_SESSION_CAPS)
		return count;
	found[count] = cap == &caps->fallback ? PADV_DEFAULT_CAP : (int32_t) (cap - caps->caps);
	return count + 1;
}

int
padv_caps_of(const PadvCaps *caps, uint32_t database, uint32_t role,
			 int32_t found[PADV_MAX_SESSION_CAPS])
{
	const PadvCap *own = padv_caps_at(caps, 0, role);
	int			count = 0;

	if (padv_caps_is_exempt(caps, role))
		return 0;
	count = note(caps, own != NULL ? own : &caps->fallback, found, count);
	if (database != 0)
	{
		count = note(caps, padv_caps_at(caps, database, role), found, count);
		count = note(caps, padv_caps_at(caps, database, 0), found, count);
	}
	for (int i = padv_caps_first_membership(caps, role);
		 i < caps->nmemberships && caps->memberships[i].member == role; i++)
		count = note(caps, &caps->caps[caps->memberships[i].cap], found, count);
	return count;
}
