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

/* The limits and their usage at one moment. */
typedef struct PadvLimitUsage
{
	PadvLimits *limits;
	int32	   *in_use;			/* by limit */
	int32		default_in_use;
	PadvSlotsInUse slots;
} PadvLimitUsage;

/*
 * Read them; the arrays are allocated in the current memory context.  Takes the locks of
 * limits and of admission, one after the other.
 */
extern void padv_read_limit_usage(PadvLimitUsage *usage);

/*
 * Add three columns: the name of a scope, the role and the database.  InvalidOid is NULL.
 */
extern void padv_row_scope(PadvRow *row, const char *scope, Oid role, Oid database);

/* The name of a PadvScope. */
extern const char *padv_scope_name(PadvScope scope);

/* Add the first columns of the view limits: what the limit is on, and its settings. */
extern void padv_row_limit(PadvRow *row, const PadvLimit *limit);

/* Add further columns of that view: the settings of the transaction queue. */
extern void padv_row_transaction_queue(PadvRow *row, const PadvLimit *limit);

/* Add its last columns: the share of the server's slots; NULL where none is set. */
extern void padv_row_share(PadvRow *row, const PadvLimit *limit);

/* A setting of a role's own limit, or of the default; -1 is no limit. */
extern int32 padv_role_limit(const PadvLimits *limits, Oid role, PadvLimitSetting setting);

#endif							/* PADV_LIMIT_USAGE_H */
