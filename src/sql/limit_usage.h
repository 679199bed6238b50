/*
 * limit_usage.h
 *		The limits in force, and how many sessions each has.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LIMIT_USAGE_H
#define PADV_LIMIT_USAGE_H

#include "core/policy/limits.h"
#include "shmem/xact_slots.h"
#include "sql/rows.h"

/* As of one moment; in the current memory context. */
typedef struct PadvLimitUsage
{
	PadvLimits *limits;
	int32	   *in_use;			/* by limit */
	int32		default_in_use;
	PadvSlotsInUse turns;
} PadvLimitUsage;

extern void padv_read_limit_usage(PadvLimitUsage *usage);

/* A row of a limit's place and settings, as the view limits begins. */
extern void padv_row_limit(PadvRow *row, const PadvLimit *limit);

/* How transactions wait under it, as that view ends. */
extern void padv_row_transaction_queue(PadvRow *row, const PadvLimit *limit);

/* What a role may have by its own limit, or by the default; -1 is no limit. */
extern int32 padv_role_limit(const PadvLimits *limits, Oid role, PadvLimitSetting setting);

#endif							/* PADV_LIMIT_USAGE_H */
