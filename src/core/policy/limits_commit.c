/*
 * limits_commit.c
 *		What the caps of all roles add up to.
 *
 * Pure.  The process that reads the catalogs computes it once for a set.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/policy/limits.h"

/* The tightest group that bounds a role, or -1. */
static int
tightest_group(const PadvCaps *caps, uint32_t role)
{
	const PadvCap *own = padv_caps_at(caps, 0, role);
	int			tightest = -1;

	if (own != NULL && own->scope == PADV_SCOPE_GROUP && own->value[PADV_MAX_SESSIONS] >= 0)
		tightest = (int) (own - caps->caps);
	for (int i = padv_caps_first_membership(caps, role);
		 i < caps->nmemberships && caps->memberships[i].member == role; i++)
	{
		int			group = caps->memberships[i].cap;

		if (caps->caps[group].value[PADV_MAX_SESSIONS] < 0)
			continue;
		if (tightest < 0 || caps->caps[group].value[PADV_MAX_SESSIONS] <
			caps->caps[tightest].value[PADV_MAX_SESSIONS])
			tightest = group;
	}
	return tightest;
}

/* The most sessions that a role may have by itself; -1: no bound. */
static int32_t
own_bound(const PadvCaps *caps, const PadvLoginRole *role)
{
	PadvCap		cap = caps->fallback;
	const PadvCap *own = padv_caps_at(caps, 0, role->role);

	if (own != NULL)
		cap = *own;
	if (cap.scope == PADV_SCOPE_GROUP)
		cap.value[PADV_MAX_SESSIONS] = PADV_UNLIMITED;
	cap.core_limit = role->core_limit;
	return padv_cap_bound(&cap);
}

static void
add_queue(PadvCaps *caps, const PadvCap *cap)
{
	int32_t		queue = padv_cap_queue(cap);

	if (queue < 0 || caps->committed_queue < 0)
		caps->committed_queue = -1;
	else
		caps->committed_queue += queue;
}

void
padv_caps_commit(PadvCaps *caps, const PadvLoginRole *roles, size_t nroles)
{
	int64_t		in_group[PADV_MAX_CAPS] = {0};	/* -1: no bound but the cap */
	int64_t		total = 0;

	caps->unbounded_roles = 0;
	caps->committed_queue = 0;
	for (size_t i = 0; i < nroles; i++)
	{
		int			group = tightest_group(caps, roles[i].role);
		int32_t		bound = own_bound(caps, &roles[i]);

		if (group >= 0)
			in_group[group] = bound < 0 || in_group[group] < 0 ? -1 : in_group[group] + bound;
		else if (bound < 0)
			caps->unbounded_roles++;
		else
			total += bound;
		if (padv_caps_at(caps, 0, roles[i].role) == NULL)
			add_queue(caps, &caps->fallback);
	}
	for (int i = 0; i < caps->ncaps; i++)
	{
		int64_t		cap = caps->caps[i].value[PADV_MAX_SESSIONS];

		if (in_group[i] != 0)
			total += in_group[i] < 0 || in_group[i] > cap ? cap : in_group[i];
		add_queue(caps, &caps->caps[i]);
	}
	caps->committed = caps->unbounded_roles > 0 ? -1 : total;
}
