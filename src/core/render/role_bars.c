/*
 * role_bars.c
 *		The data of a chart of roles.
 *
 * Owns the order and the sum of roles.  Called by the charts of roles.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/render/role_bars.h"

static int
compare_bars(const void *a, const void *b)
{
	const PadvRoleBar *left = a;
	const PadvRoleBar *right = b;

	if (left->active_avg != right->active_avg)
		return left->active_avg < right->active_avg ? 1 : -1;
	if (left->sessions != right->sessions)
		return left->sessions < right->sessions ? 1 : -1;
	if (left->refused != right->refused)
		return left->refused < right->refused ? 1 : -1;
	return strcmp(left->name, right->name);
}

static int64_t
tidy_count(int64_t count)
{
	return count < 0 ? 0 : count > INT32_MAX ? INT32_MAX : count;
}

static void
tidy_role_bars(PadvRoleBar *bar)
{
	if (!(bar->active_avg > 0.0) || !isfinite(bar->active_avg))
		bar->active_avg = 0.0;
	bar->sessions = tidy_count(bar->sessions);
	bar->idle_in_transaction = tidy_count(bar->idle_in_transaction);
	bar->queued = tidy_count(bar->queued);
	bar->refused = tidy_count(bar->refused);
}

void
padv_role_bars_order(PadvRoleBar *bars, int count)
{
	for (int i = 0; i < count; i++)
		tidy_role_bars(&bars[i]);
	if (count > 1)
		qsort(bars, (size_t) count, sizeof(*bars), compare_bars);
}

PadvRoleBar
padv_role_bars_sum(const PadvRoleBar *bars, int count)
{
	PadvRoleBar sum = {.name = "", .limit = -1};

	for (int i = 0; i < count; i++)
	{
		sum.active_avg += bars[i].active_avg;
		sum.sessions += bars[i].sessions;
		sum.idle_in_transaction += bars[i].idle_in_transaction;
		sum.queued += bars[i].queued;
		sum.refused += bars[i].refused;
	}
	return sum;
}
