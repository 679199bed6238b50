/*
 * load_by.h
 *		Average active sessions by role, database, application, client and query.
 *
 * Pure: plain data of the caller; nothing blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LOAD_BY_H
#define PADV_LOAD_BY_H

#include "core/stats/key_names.h"
#include "core/stats/tally.h"

typedef enum PadvDimension
{
	PADV_DIMENSION_ROLE,		/* the key is its OID */
	PADV_DIMENSION_DATABASE,	/* likewise */
	PADV_DIMENSION_APPLICATION, /* the key has a name, see key_names.h */
	PADV_DIMENSION_CLIENT,		/* likewise */
	PADV_DIMENSION_QUERY,		/* the key is its ID */
} PadvDimension;

#define PADV_DIMENSIONS (PADV_DIMENSION_QUERY + 1)

/* 'role', 'database', 'application', 'client' or 'query'. */
extern const char *padv_dimension_name(PadvDimension dimension);

/* --- intervals --- */

/* Keys of a dimension that are kept of an interval. */
#define PADV_LOAD_KEPT 128

typedef struct PadvLoadKey
{
	uint64_t	key;
	float		sums[PADV_TALLY_SUMS];	/* over the samples */
} PadvLoadKey;

/*
 * An interval that is over.  The sums of all keys include those that are not kept, and are
 * the same in each dimension.
 */
typedef struct PadvLoadSlot
{
	int32_t		level;			/* how long it is */
	uint32_t	pad;
	int64_t		number;			/* which it is, since time 0 */
	int64_t		samples;		/* 0: nothing is known */
	double		sums[PADV_TALLY_SUMS];
	int32_t		count[PADV_DIMENSIONS];
	PadvLoadKey keys[PADV_DIMENSIONS][PADV_LOAD_KEPT];
} PadvLoadSlot;

/*
 * Intervals of 1 s, 10 s, 1 min, 10 min and 6 h.  Each length is a multiple of the one
 * before it.
 */
#define PADV_LOAD_LEVELS 5
#define PADV_LOAD_MOST_SLOTS 64 /* of one length */
#define PADV_LOAD_SLOTS (PADV_LOAD_MOST_SLOTS + 60 + 60 + 36 + 56)

extern int64_t padv_load_level_seconds(int level);
extern int	padv_load_level_slots(int level);

/* The intervals that are over, as many of each length as there is room for. */
typedef struct PadvLoadRings
{
	int64_t		head;			/* the second that is not over; 0: none */
	PadvLoadSlot slots[PADV_LOAD_SLOTS];
} PadvLoadRings;

/*
 * Put an interval in its place; and get one, which returns false, and writes nothing, when it
 * is not there.
 */
extern void padv_load_put(PadvLoadRings *rings, const PadvLoadSlot *slot);
extern bool padv_load_get(const PadvLoadRings *rings, int level, int64_t number, PadvLoadSlot *slot);

/* --- counting --- */

/* A session that others wait for. */
typedef struct PadvLoadCharge
{
	uint64_t	keys[PADV_DIMENSIONS];
	int64_t		blocked;		/* sessions that wait for it */
} PadvLoadCharge;

#define PADV_LOAD_CHARGES 32

/* Sums of one origin that have not been added to the tallies yet. */
#define PADV_LOAD_LINES 1024

typedef struct PadvLoadLine
{
	uint64_t	origin;
	uint64_t	application;
	uint64_t	client;
	uint32_t	role;
	uint32_t	database;
	uint32_t	sums[PADV_WAIT_CLASSES];
	bool		used;
} PadvLoadLine;

/*
 * The current intervals of all lengths.  All zeroes is the start.  About a megabyte.
 */
typedef struct PadvLoadOpen
{
	int64_t		second;
	int			ending;			/* level that ends next */
	int			ncharges;
	PadvLoadCharge charges[PADV_LOAD_CHARGES];
	PadvLoadLine lines[PADV_LOAD_LINES];
	struct
	{
		int64_t		samples;
		double		sums[PADV_TALLY_SUMS];
		PadvTally	tallies[PADV_DIMENSIONS];
	}			levels[PADV_LOAD_LEVELS];
} PadvLoadOpen;

/*
 * Go on to a second, one interval at a time: writes an interval that is over to *slot and
 * returns true, until there is none left.  Call it before padv_load_count.  When the time steps
 * back nothing ends.
 */
extern bool padv_load_end_next(PadvLoadOpen *open, int64_t second, PadvLoadSlot *slot);

/* Count the active sessions of a sample; O(sessions). */
extern void padv_load_count(PadvLoadOpen *open, const PadvSample *sample);

/*
 * From now on, charge the time of sessions that wait for a lock to the sessions that block
 * them.  All of them together are charged with no more than there are such sessions in a
 * sample.
 */
extern void padv_load_charge(PadvLoadOpen *open, const PadvLoadCharge *charges, int count);

/* --- reading --- */

typedef enum PadvLoadPeriod
{
	PADV_LOAD_10_SECONDS,
	PADV_LOAD_1_MINUTE,
	PADV_LOAD_10_MINUTES,
	PADV_LOAD_1_HOUR,
	PADV_LOAD_6_HOURS,
	PADV_LOAD_14_DAYS,
} PadvLoadPeriod;

#define PADV_LOAD_PERIODS (PADV_LOAD_14_DAYS + 1)

/* '10 s', '1 min', '10 min', '1 h', '6 h' or '14 days'. */
extern const char *padv_load_period_name(PadvLoadPeriod period);

/* Intervals of the same length, one after the other. */
typedef struct PadvLoadStretch
{
	int			level;
	int64_t		first;			/* number */
	int			count;
} PadvLoadStretch;

/*
 * The intervals that a period up to `head` consists of.  It is as long as its name says, or
 * shorter by less than one of its longest intervals.  Returns their number.
 */
extern int	padv_load_cover(PadvLoadPeriod period, int64_t head, PadvLoadStretch stretches[PADV_LOAD_LEVELS]);

/* All intervals of a period together. */
typedef struct PadvLoadTotal
{
	int64_t		samples;
	double		sums[PADV_TALLY_SUMS];
} PadvLoadTotal;

extern void padv_load_total_add(PadvLoadTotal *total, const PadvLoadSlot *slot);

typedef struct PadvLoadRow
{
	bool		others;			/* all other keys */
	uint64_t	key;
	double		active_avg;		/* the sum of in_class */
	double		in_class[PADV_WAIT_CLASSES];
	double		blame;
} PadvLoadRow;

/* Keys with less than this share, of the load and of the blame, are shown together. */
#define PADV_LOAD_SHOWN 0.01
#define PADV_LOAD_ROWS 202

/*
 * Write the rows of a dimension, the largest first and all others last; returns their number,
 * at most PADV_LOAD_ROWS.  `keys` are those of all intervals, which are put in another order.
 * The rows add up to the load of the period.
 *
 * What a row lacks of the truth is at most the load and the blame of the period, together,
 * times 1 / (PADV_LOAD_KEPT + 1) + 1 / (PADV_TALLY_KEPT + 1), which is 0.0097.  Nothing is
 * lacking as long as an interval has no more than PADV_LOAD_KEPT keys.  The first term is for
 * keys that were not among the largest in some intervals, the second one for the tallies.
 */
extern int	padv_load_rows(const PadvLoadTotal *total, PadvLoadKey *keys, int count,
						   PadvLoadRow rows[PADV_LOAD_ROWS]);

#endif							/* PADV_LOAD_BY_H */
