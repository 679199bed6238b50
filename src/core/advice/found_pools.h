/*
 * found_pools.h
 *		The pools that were found in front, in words: why a size, and what to do.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_FOUND_POOLS_H
#define PADV_FOUND_POOLS_H

#include "core/advice/advice.h"
#include "core/model/pools.h"

/* A found pool with names.  The caller owns them; none is NULL but the client. */
typedef struct PadvNamedPool
{
	PadvFoundPool pool;
	const char *role;
	const char *database;
	const char *application;
	const char *client;			/* address; NULL: through a Unix socket */
	const char *role_literal;	/* quoted as SQL literals */
	const char *application_literal;
} PadvNamedPool;

/* Enough for padv_explain_found_pool(). */
#define PADV_POOL_REASON 512

/* Say in sentences what kind of pool it is, and why it needs that size or has none. */
extern void padv_explain_found_pool(const PadvFoundPool *pool, char *text, size_t size);

#define PADV_MAX_FOUND_ADVICE 20

/*
 * Write the advice that these pools call for, worst first, and return how many there are:
 * one for a pool at most.  Where there is more, the least severe is left out.
 */
extern int	padv_advise_found_pools(const PadvLocalStatus *local, const PadvNamedPool *pools, int count,
									PadvAdvice advice[PADV_MAX_FOUND_ADVICE]);

/* Count that advice without writing it; and the code of one, a constant string. */
extern void padv_count_found_advice(const PadvFoundPool *pools, int count, PadvFoundCounts *counts);
extern const char *padv_found_advice_code(PadvFoundAdvice what);

#endif							/* PADV_FOUND_POOLS_H */
