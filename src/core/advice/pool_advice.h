/*
 * pool_advice.h
 *		Whether the pools that are declared to run in front make sense together.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_POOL_ADVICE_H
#define PADV_POOL_ADVICE_H

#include "core/advice/advice.h"

/* All declared pools, and the one that may open most. */
typedef struct PadvDeclared
{
	int64_t		pools;			/* at least 1 */
	int64_t		connections;	/* that they may open together, at least 1 */
	const char *largest;		/* its name */
	const char *largest_system;
	int64_t		largest_processes;
	int64_t		largest_connections;	/* at most connections */
} PadvDeclared;

#define PADV_MAX_POOL_ADVICE 2

/*
 * Write the advice that the pools call for, worst first, and return how many
 * there are: 0 when all is well.
 */
extern int	padv_advise_pools(const PadvLocalStatus *local, const PadvDeclared *declared,
							  PadvAdvice advice[PADV_MAX_POOL_ADVICE]);

#endif							/* PADV_POOL_ADVICE_H */
