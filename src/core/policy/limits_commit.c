/*
 * limits_commit.c
 *		The sum of the limits of all roles.
 *
 * Pure.  The process that reads the catalogs computes it once for a set.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/policy/limits.h"

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
	PadvLimit	limit = limits->fallback;
	const PadvLimit *own = padv_limits_at(limits, 0, role->role);

	if (own != NULL)
		limit = *own;
	if (limit.scope == PADV_SCOPE_GROUP)
		limit.value[PADV_MAX_SESSIONS] = PADV_UNLIMITED;
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

		if (group >= 0)
			in_group[group] = bound < 0 || in_group[group] < 0 ? -1 : in_group[group] + bound;
		else if (bound < 0)
			limits->unbounded_roles++;
		else
			total += bound;
		if (padv_limits_at(limits, 0, roles[i].role) == NULL)
			add_queue(limits, &limits->fallback);
	}
	for (int i = 0; i < limits->nlimits; i++)
	{
		int64_t		limit = limits->limits[i].value[PADV_MAX_SESSIONS];

		if (in_group[i] != 0)
			total += in_group[i] < 0 || in_group[i] > limit ? limit : in_group[i];
		add_queue(limits, &limits->limits[i]);
	}
	limits->committed = limits->unbounded_roles > 0 ? -1 : total;
}
