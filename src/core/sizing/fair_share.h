/*
 * fair_share.h
 *		The part of a pool that one role, and one of its processes, may have.
 *
 * Pure: plain data of the caller; nothing blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_FAIR_SHARE_H
#define PADV_FAIR_SHARE_H

#include <stdint.h>

/*
 * The max-min fair share of somebody that takes all it can get, beside others that want
 * `wanted`: these get what they want, or as much as the result.  O(count squared) at worst,
 * and a few rounds in practice.
 */
extern double padv_fair_share(double capacity, const double *wanted, int count);

/*
 * The whole number of connections for process number `rank` of so many; they add up to the
 * share, rounded down, or to one for each process where that is more.  0 <= rank < processes.
 */
extern int64_t padv_process_share(double share, int64_t processes, int64_t rank);

#endif							/* PADV_FAIR_SHARE_H */
