/*
 * pool_advice.h
 *		Advice on declared pools.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_POOL_ADVICE_H
#define PADV_POOL_ADVICE_H

#include "core/advice/advice.h"

/* The sum of the declared pools, and the largest pool. */
typedef struct PadvDeclared
{
	int64_t		pools;			/* at least 1 */
	int64_t		connections;	/* maximum of all pools together, at least 1 */
	const char *largest;		/* its name */
	const char *largest_system;
	int64_t		largest_processes;
	int64_t		largest_connections;	/* maximum of that pool; at most
										 * connections */
} PadvDeclared;

#define PADV_MAX_POOL_ADVICE 2

/*
 * Write the advice for the declared pools, the most severe first.  Returns the
 * number of entries.
 */
extern int	padv_advise_pools(const PadvLocalStatus *local, const PadvDeclared *declared,
							  PadvAdvice advice[PADV_MAX_POOL_ADVICE]);

#endif							/* PADV_POOL_ADVICE_H */
