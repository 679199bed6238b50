/*
 * growth.h
 *		Whose load has grown out of what was usual.
 *
 * Pure: plain data in memory of the caller; nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_GROWTH_H
#define PADV_GROWTH_H

#include "core/model/incident.h"
#include "core/stats/load_by.h"

/* What sessions are counted for. */
typedef enum PadvGrowthOf
{
	PADV_GROWTH_OPEN,			/* they are there; by role and database only */
	PADV_GROWTH_DEMAND,			/* they want to work */
	PADV_GROWTH_IO,				/* they wait for I/O, or commit */
} PadvGrowthOf;

#define PADV_GROWTH_KINDS (PADV_GROWTH_IO + 1)

/*
 * The usual load is learned in steps of ten seconds.  The newest steps may belong to what has
 * just begun, because signs that are means of a minute come up to a minute later, so they wait.
 */
#define PADV_GROWTH_STEP_SECONDS 10.0
#define PADV_GROWTH_LAG 7

/* Keys of a dimension that are told apart; a new one takes the place of the least one. */
#define PADV_GROWTH_KEYS 128
#define PADV_GROWTH_BITS 9
#define PADV_GROWTH_CELLS (1 << PADV_GROWTH_BITS)	/* never more than a
													 * quarter full */

typedef struct PadvGrowthAmount
{
	double		seen[PADV_GROWTH_KINDS];	/* in the samples of the second
											 * that is not over */
	double		step[PADV_GROWTH_KINDS];	/* seconds of sessions, in the
											 * usual step that is not over */
	double		waiting[PADV_GROWTH_LAG][PADV_GROWTH_KINDS];	/* of those before it,
																 * the oldest first */
	double		before[PADV_GROWTH_KINDS];	/* sessions, the usual mean */
	double		now[PADV_GROWTH_KINDS]; /* seconds of sessions, since it began */
} PadvGrowthAmount;

typedef struct PadvGrowthKey
{
	bool		used;
	uint64_t	key;
	uint32_t	role;			/* that its sessions have, see votes */
	int32_t		votes;			/* for it, less those for others ... */
	int32_t		cast;			/* ... of so many */
	PadvGrowthAmount amount;
} PadvGrowthKey;

typedef struct PadvGrowth
{
	int			samples;		/* of the second that is not over */
	double		samples_rate;	/* a second, of the last second with one */
	double		step_seconds;
	int			waiting;		/* steps */
	double		before_seconds;
	double		now_seconds;
	PadvGrowthAmount all;
	PadvGrowthAmount known[PADV_DIMENSIONS];	/* those with a key */
	PadvGrowthAmount background[PADV_BACKGROUNDS];
	int			replaced[PADV_DIMENSIONS];	/* keys, in this sample */
	uint32_t	begins_at;		/* with which session, so that each comes at
								 * times, and first */
	PadvGrowthKey keys[PADV_DIMENSIONS][PADV_GROWTH_KEYS];
	uint8_t		cells[PADV_DIMENSIONS][PADV_GROWTH_CELLS];	/* key + 1; 0: free */
} PadvGrowth;

extern void padv_growth_init(PadvGrowth *growth);

/*
 * Count the sessions of a sample, parallel workers included.  Those that do nothing count in the
 * first sample of a second.
 */
extern void padv_growth_sample(PadvGrowth *growth, const PadvSample *sample);

/*
 * The second of these samples is over, with the background processes that wait for I/O: it was
 * usual, or is a part of what goes on, or neither.
 */
extern void padv_growth_background(PadvGrowth *growth, const int64_t waiting[PADV_BACKGROUNDS]);
extern void padv_growth_end(PadvGrowth *growth, double seconds, bool usual, bool goes_on);

/* Nothing goes on any more. */
extern void padv_growth_clear(PadvGrowth *growth);

/*
 * Name the culprit, of demand or of I/O: the key whose share of the sessions has grown most, or for I/O the
 * background process that waits for it as it did not before, or none.  A key whose name is
 * not known is none.
 */
extern void padv_growth_name(const PadvGrowth *growth, PadvGrowthOf of, const PadvKeyNames *names,
							 PadvIncident *incident);

#endif							/* PADV_GROWTH_H */
