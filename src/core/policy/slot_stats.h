/*
 * slot_stats.h
 *		The queue for transaction slots, in figures and in sentences.
 *
 * Pure: plain data of the caller, nothing blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SLOT_STATS_H
#define PADV_SLOT_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/policy/controller.h"

/* Values of pool_advisor.server_max_active that are not a number. */
#define PADV_SERVER_MAX_ACTIVE_OFF (-1)
#define PADV_SERVER_MAX_ACTIVE_AUTO 0

/* What has been counted since the server started, or since a reset. */
typedef struct PadvSlotTotals
{
	int64_t		waited;			/* transactions that had to wait */
	int64_t		waited_us;		/* the sum of their waits, microseconds */
	int64_t		cancelled;		/* waits that ended without a slot */
	int64_t		would_wait;		/* granted because of gate_enforcement =
								 * observe */
	int64_t		granted;		/* slots granted to waiters */
	int64_t		suspended;		/* slots of sessions idle in transaction */
	int64_t		overcommitted;	/* granted beyond a limit, because no slot
								 * owner worked or a session needed the waiter */
	int64_t		refused;		/* because the queue was full or too slow */
	int64_t		timed_out;		/* those of cancelled that ended by
								 * transaction_queue_timeout */
	int64_t		newest_first;	/* enqueued before other waiters */
} PadvSlotTotals;

typedef struct PadvSlotStats
{
	PadvSlotTotals totals;
	int32_t		setting;		/* pool_advisor.server_max_active */
	int32_t		limit;			/* the server's; -1: none */
	int32_t		in_force;		/* the limit plus what the stall monitor has
								 * added; -1: none */
	int32_t		waiting;		/* transactions in the queue */
	bool		trial;			/* a trial sets the limit */
} PadvSlotStats;

/*
 * The server's limit without a trial: with auto the base that others are compared with,
 * as long as there is one.
 */
extern int32_t padv_slot_stats_base(const PadvSlotStats *gate, const PadvControl *control);

/* "off", "fixed", "not full", "searching", "settled" or "trial"; a constant string. */
extern const char *padv_slot_stats_state(const PadvSlotStats *gate, const PadvControl *control);

/*
 * Write one or more sentences about the limit and its reason to text, up to size bytes
 * with the NUL.
 */
extern void padv_slot_stats_explain(const PadvSlotStats *gate, const PadvControl *control,
									char *text, size_t size);

#endif							/* PADV_SLOT_STATS_H */
