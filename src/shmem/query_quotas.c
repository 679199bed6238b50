/*
 * query_quotas.c
 *		Putting the limits of query_max_active in force.
 *
 * admission_internal.h says which lock protects what.  Only the worker writes places, so it
 * reads them without the mutex.
 *
 * A query keeps its place while it has a limit.  When it has none any more its quota has
 * none, either, and is used again only when nobody is counted there.  So no request has
 * to be changed, and a transaction that began before its query had a limit is not counted.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "clock.h"
#include "shmem/query_quotas.h"
#include "shmem/xact_slots.h"

static const PadvQueryPlaces *
places(void)
{
	return &padv_admission->query_places;
}

/* Give a place to a query, with this limit; query 0 and no limit: to nobody. */
static void
set_place(int32 place, uint64 query_id, int32 limit)
{
	PadvQueryPlaces *all = &padv_admission->query_places;
	int32		quota = PADV_QUERY_QUOTA(place);
	int32		granted_list[PADV_MAX_REQUEST_QUOTAS];
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];
	int64		now = padv_monotonic_us();
	int			count;

	SpinLockAcquire(&padv_admission->mutex);
	padv_queue_set_time(&padv_xact_queue, now);
	if (query_id != 0 && query_id != all->query_id[place])
		padv_queue_stats_begin(quota, InvalidOid, InvalidOid);
	all->query_id[place] = query_id;
	all->count = Max(all->count, place + 1);
	while (all->count > 0 && all->query_id[all->count - 1] == 0)
		all->count--;
	padv_limit_states[quota].value[PADV_MAX_ACTIVE] = limit;
	count = padv_queue_set_limit(&padv_xact_queue, quota, limit, granted_list, PADV_MAX_REQUEST_QUOTAS);
	padv_slots_note_granted(granted_list, count, procnos);
	padv_slot_limits_changed();
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(procnos, count);
	padv_slots_settle();
}

static bool
is_free(int32 place)
{
	const PadvQuota *quota = &padv_limit_states[PADV_QUERY_QUOTA(place)].active;
	bool		result;

	SpinLockAcquire(&padv_admission->mutex);
	result = places()->query_id[place] == 0 && quota->in_use == 0 && quota->waiting == 0;
	SpinLockRelease(&padv_admission->mutex);
	return result;
}

/* The place of a query, or a free one, or PADV_NONE. */
static int32
find_place(uint64 query_id)
{
	int32		place = padv_query_place(places(), query_id);

	for (int32 i = 0; i < PADV_QUERY_PLACES && place == PADV_NONE; i++)
		if (is_free(i))
			place = i;
	return place;
}

static bool
is_in_force(int32 place, const PadvQueryLimit *limit)
{
	return places()->query_id[place] == (uint64) limit->query_id &&
		padv_limit_states[PADV_QUERY_QUOTA(place)].value[PADV_MAX_ACTIVE] == limit->max_active;
}

void
padv_query_quotas_set(const PadvQueryLimits *limits)
{
	for (int32 i = 0; i < PADV_QUERY_PLACES; i++)
		if (places()->query_id[i] != 0 && padv_query_limits_find(limits, (int64) places()->query_id[i]) == NULL)
			set_place(i, 0, PADV_UNLIMITED);
	for (int i = 0; i < limits->count; i++)
	{
		const PadvQueryLimit *limit = &limits->limits[i];
		int32		place = find_place((uint64) limit->query_id);

		if (place != PADV_NONE && !is_in_force(place, limit))
			set_place(place, (uint64) limit->query_id, limit->max_active);
	}
}
