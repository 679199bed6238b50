/*
 * query_limits.h
 *		Limits on transactions that begin with certain statements.
 *
 * Plain data in memory of the caller.  Nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_QUERY_LIMITS_H
#define PADV_QUERY_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#define PADV_MAX_QUERY_LIMITS 16
#define PADV_MAX_QUERY_ACTIVE 262143

typedef struct PadvQueryLimit
{
	int64_t		query_id;		/* as in pg_stat_statements; not 0 */
	int32_t		max_active;		/* 1..PADV_MAX_QUERY_ACTIVE */
} PadvQueryLimit;

typedef struct PadvQueryLimits
{
	int32_t		count;
	PadvQueryLimit limits[PADV_MAX_QUERY_LIMITS];	/* each query once */
} PadvQueryLimits;

/*
 * Entries of queries with limits: as many as limits, and as many again for those that are
 * not in force any more while transactions are still counted there.
 */
#define PADV_QUERY_ENTRIES (2 * PADV_MAX_QUERY_LIMITS)

/*
 * Read "QUERY_ID = MAX_ACTIVE, ...", or nothing, with spaces anywhere between.  Returns NULL,
 * or what is wrong; *limits is not to be used then.
 */
extern const char *padv_query_limits_parse(const char *text, PadvQueryLimits *limits);

/* The limit of a query, or NULL. */
extern const PadvQueryLimit *padv_query_limits_find(const PadvQueryLimits *limits, int64_t query_id);

#endif							/* PADV_QUERY_LIMITS_H */
