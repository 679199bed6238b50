/*
 * slot_stats.h
 *		The line in front of transactions, in figures and in words.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SLOT_STATS_H
#define PADV_SLOT_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "core/policy/controller.h"

/* What pool_advisor.server_max_active can be beside a number. */
#define PADV_SERVER_MAX_ACTIVE_OFF (-1)
#define PADV_SERVER_MAX_ACTIVE_AUTO 0

/* What has been counted since the server started, or since a reset. */
typedef struct PadvSlotTotals
{
	int64_t		waited;			/* transactions that had to wait */
	int64_t		waited_us;
	int64_t		given_up;		/* waits that ended without a slot */
	int64_t		would_wait;		/* let in by enforcement = observe */
	int64_t		handed_over;	/* slots that one who waited got */
	int64_t		suspended;		/* slots of sessions idle in transaction */
	int64_t		let_in;			/* beyond a limit, because nobody in ran */
	int64_t		refused;		/* because too many waited */
	int64_t		timed_out;		/* of those given up: by
								 * transaction_queue_timeout */
	int64_t		newest_first;	/* put before others in the queue */
} PadvSlotTotals;

typedef struct PadvSlotStats
{
	PadvSlotTotals totals;
	int32_t		setting;		/* pool_advisor.server_max_active */
	int32_t		limit;			/* the server's; -1: none */
	int32_t		in_force;		/* with those let in beyond it; -1: none */
	int32_t		running;		/* slots in use */
	int32_t		kept;			/* slots kept for a session's next transaction */
	int32_t		waiting;
} PadvSlotStats;

/* "off", "fixed", "not full", "searching" or "settled". */
extern const char *padv_slot_stats_state(const PadvSlotStats *gate, const PadvControl *control);

/* What the limit is, and why; a sentence or more. */
extern void padv_slot_stats_explain(const PadvSlotStats *gate, const PadvControl *control,
									char *text, size_t size);

#endif							/* PADV_SLOT_STATS_H */
