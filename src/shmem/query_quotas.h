/*
 * query_quotas.h
 *		The limits of query_max_active in shared memory.
 *
 * Each limit has a quota, PADV_QUERY_QUOTA of an entry.  A transaction is under the one of
 * its first statement.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_QUERY_QUOTAS_H
#define PADV_QUERY_QUOTAS_H

#include "core/policy/query_limits.h"
#include "shmem/admission_internal.h"

/*
 * The entry of a query, or PADV_NONE.  Call it with the mutex held, or with a copy.
 */
static inline int32
padv_query_entry(const PadvQueryEntries *entries, uint64 query_id)
{
	if (query_id != 0)
		for (int32 i = 0; i < entries->count; i++)
			if (entries->query_id[i] == query_id)
				return i;
	return PADV_NONE;
}

/*
 * For the worker: put these limits in force.  A limit without a free entry, because those
 * of earlier limits are still in use, gets one when this is called again.
 */
extern void padv_query_quotas_set(const PadvQueryLimits *limits);

#endif							/* PADV_QUERY_QUOTAS_H */
