/*
 * pools_internal.h
 *		What the files of found pools share.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_POOLS_INTERNAL_H
#define PADV_POOLS_INTERNAL_H

#include "core/model/pools.h"

/* A part of the last minute. */
typedef struct PadvPoolPart
{
	int64_t		us;
	int64_t		samples;
	int64_t		open;			/* sums over the samples */
	int64_t		in_use;
	int64_t		demand;
	int64_t		open_max;
	bool		all_in_use;
	int64_t		grown;			/* by so many connections, or fewer than 0 */
	int64_t		ended;
	int64_t		brief;
	int64_t		transactions;
	int64_t		inside_us;
	double		met;			/* sum over transactions: in use in their
								 * second */
	int64_t		shared;			/* sum over in_use: others in use */
} PadvPoolPart;

/* The load of some parts, added up; false when there were too few transactions. */
extern bool padv_pool_measure(const PadvPoolPart *sum, int64_t wall, PadvPoolBusiest *busiest);

/* The size that a load needs, without regard to the server; 0 when there is none. */
extern int64_t padv_pool_size_needed(const PadvPoolBusiest *busiest);

/* The size to suggest, with the optimum of the server; *slows_down says that it bounds the size. */
extern int64_t padv_pool_find_size(const PadvPoolBusiest *busiest, int64_t optimal, bool *slows_down);

#endif							/* PADV_POOLS_INTERNAL_H */
