/*
 * query_quotas.h
 *		The limits of query_max_active in shared memory.
 *
 * Each limit has a quota, PADV_QUERY_QUOTA of a place.  A transaction is under the one of
 * its first statement.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_QUERY_QUOTAS_H
#define PADV_QUERY_QUOTAS_H

#include "core/policy/query_limits.h"
#include "shmem/admission_internal.h"

/*
 * The place of a query, or PADV_NONE.  Call it with the mutex held, or with a copy.
 */
static inline int32
padv_query_place(const PadvQueryPlaces *places, uint64 query_id)
{
	if (query_id != 0)
		for (int32 i = 0; i < places->count; i++)
			if (places->query_id[i] == query_id)
				return i;
	return PADV_NONE;
}

/*
 * For the worker: put these limits in force.  One for which there is no place, as those of
 * earlier limits are still in use, gets it when it is called again.
 */
extern void padv_query_quotas_set(const PadvQueryLimits *limits);

#endif							/* PADV_QUERY_QUOTAS_H */
