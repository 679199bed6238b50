/*
 * query_quotas.c
 *		Putting the limits of query_max_active in force.
 *
 * admission_internal.h says which lock protects what.  Only the worker writes entries, so
 * it reads them without the mutex.
 *
 * A query keeps its entry while it has a limit.  When the limit is removed, the quota has
 * no limit, and the entry is used again only when no request is counted there.  So no
 * request has to be changed, and a transaction that began before its query had a limit is
 * not counted.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "clock.h"
#include "shmem/query_quotas.h"
#include "shmem/xact_slots.h"

static const PadvQueryEntries *
entries(void)
{
	return &padv_admission->query_entries;
}

/*
 * Give an entry to a query with this limit.  With query 0 and no limit, free the entry.
 */
static void
set_entry(int32 entry, uint64 query_id, int32 limit)
{
	PadvQueryEntries *all = &padv_admission->query_entries;
	int32		quota = PADV_QUERY_QUOTA(entry);
	int32		granted_list[PADV_MAX_REQUEST_QUOTAS];
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];
	int64		now = padv_monotonic_us();
	int			count;

	SpinLockAcquire(&padv_admission->mutex);
	padv_queue_set_time(&padv_xact_queue, now);
	if (query_id != 0 && query_id != all->query_id[entry])
		padv_queue_stats_begin(quota, InvalidOid, InvalidOid);
	all->query_id[entry] = query_id;
	all->count = Max(all->count, entry + 1);
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
is_free(int32 entry)
{
	const PadvQuota *quota = &padv_limit_states[PADV_QUERY_QUOTA(entry)].active;
	bool		result;

	SpinLockAcquire(&padv_admission->mutex);
	result = entries()->query_id[entry] == 0 && quota->in_use == 0 && quota->waiting == 0;
	SpinLockRelease(&padv_admission->mutex);
	return result;
}

/* The entry of a query, or a free one, or PADV_NONE. */
static int32
find_entry(uint64 query_id)
{
	int32		entry = padv_query_entry(entries(), query_id);

	for (int32 i = 0; i < PADV_QUERY_ENTRIES && entry == PADV_NONE; i++)
		if (is_free(i))
			entry = i;
	return entry;
}

static bool
is_in_force(int32 entry, const PadvQueryLimit *limit)
{
	return entries()->query_id[entry] == (uint64) limit->query_id &&
		padv_limit_states[PADV_QUERY_QUOTA(entry)].value[PADV_MAX_ACTIVE] == limit->max_active;
}

void
padv_query_quotas_set(const PadvQueryLimits *limits)
{
	for (int32 i = 0; i < PADV_QUERY_ENTRIES; i++)
		if (entries()->query_id[i] != 0 && padv_query_limits_find(limits, (int64) entries()->query_id[i]) == NULL)
			set_entry(i, 0, PADV_UNLIMITED);
	for (int i = 0; i < limits->count; i++)
	{
		const PadvQueryLimit *limit = &limits->limits[i];
		int32		entry = find_entry((uint64) limit->query_id);

		if (entry != PADV_NONE && !is_in_force(entry, limit))
			set_entry(entry, (uint64) limit->query_id, limit->max_active);
	}
}
