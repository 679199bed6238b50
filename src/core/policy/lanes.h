/*
 * lanes.h
 *		Which transactions are long, and how many slots they may have.
 *
 * Transactions that run long have a lane of their own within the server's limit, so that
 * short ones do not wait until a long one ends.  A transaction is long when it has run for
 * padv_lanes_long_after, or when those of its class lately were.  A class is a role, a
 * database and a query ID.
 *
 * Plain data in memory that the caller provides and protects.  All bytes 0 is the state
 * at the start.  Times come from the caller: monotonic, in microseconds.  Nothing here
 * blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LANES_H
#define PADV_LANES_H

#include <stdbool.h>
#include <stdint.h>

/* Classes in which transactions were long lately; sets of so many are searched. */
#define PADV_CLASS_SETS 128
#define PADV_CLASSES_OF_SET 4

typedef struct PadvLongClass
{
	uint64_t	number;			/* of padv_lanes_class; 0: unused */
	double		longs;			/* recent transactions that were long; each
								 * new one of the class makes older ones count
								 * less */
	double		shorts;			/* likewise, those that were not */
} PadvLongClass;

typedef struct PadvLanes
{
	double		short_use;		/* mean time of a slot that a transaction
								 * which was not long has used, microseconds */
	uint32_t	changes;		/* how often a class became long, or short,
								 * and the lanes were begun or ended */

	/* whether there are enough short transactions for lanes */
	bool		in_use;
	double		short_ends;		/* of about the last two seconds */
	int64_t		ended_at;		/* the last of these */

	/* slots that short transactions have or want */
	int32_t		short_now;
	int64_t		noted_at;		/* since when */
	double		short_mean;		/* of about the last second */
	double		short_square;	/* the mean of the square, likewise */
	int64_t		last_short;		/* when there was the last one; 0: never */

	PadvLongClass classes[PADV_CLASS_SETS][PADV_CLASSES_OF_SET];
} PadvLanes;

/* The number of a class, never 0. */
extern uint64_t padv_lanes_class(uint32_t role, uint32_t database, uint64_t query_id);

/* Whether transactions of this class are long.  Without a lock it may miss a change. */
extern bool padv_lanes_is_long(const PadvLanes *lanes, uint64_t class_number);

/* How long a transaction that is not long has its slot at most. */
extern int64_t padv_lanes_long_after(const PadvLanes *lanes);

/* A transaction of this class has had its slot for so long until now, and may go on. */
extern void padv_lanes_learn(PadvLanes *lanes, uint64_t class_number, int64_t use, int64_t now);

/*
 * Decide whether lanes are in use: only while short transactions end all the time, or so
 * many wait, with so many slots.  Few of them are not worth a slot that waits for them.
 */
extern bool padv_lanes_decide(PadvLanes *lanes, int32_t shorts_waiting, int32_t slots, int64_t now);

/* Short transactions have or want so many slots now. */
extern void padv_lanes_note_short(PadvLanes *lanes, int32_t slots, int64_t now);

/* How many of the server's slots long transactions get before short ones. */
extern int32_t padv_lanes_guaranteed(int32_t slots);

/*
 * How many of the server's slots the lane can have, as there are short transactions, and
 * so many running ones that are long by their age.
 */
extern int32_t padv_lanes_most(const PadvLanes *lanes, int32_t slots, int32_t turned, int64_t now);

#endif							/* PADV_LANES_H */
