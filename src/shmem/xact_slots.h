/*
 * xact_slots.h
 *		Slots for transactions, and the queue of sessions that wait for one.
 *
 * A session needs a slot for a transaction if some limit counts it.  When no slot is
 * free, the session waits in the queue.  The queue serves the oldest waiter first, or
 * the newest while waits are longer than pool_advisor.queue_target.
 *
 * The functions take the spinlock of admission_internal.h where they need it, so the
 * caller must not hold it.  Times are monotonic, in microseconds.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_XACT_SLOTS_H
#define PADV_XACT_SLOTS_H

#include "core/policy/query_limits.h"
#include "core/policy/wait_times.h"
#include "datatype/timestamp.h"
#include "shmem/admission.h"

/* The result of padv_slot_acquire. */
typedef enum PadvSlotResult
{
	PADV_SLOT_GRANTED,			/* it may run */
	PADV_SLOT_QUEUED,			/* it waits in the queue */
	PADV_SLOT_REFUSED,			/* it does not wait: the queue is full */
	PADV_SLOT_TOO_LATE,			/* it does not wait: its statement_timeout
								 * would end it before it had a slot */
} PadvSlotResult;

/* A limit whose queue is full or too slow, as of the moment of the check. */
typedef struct PadvFullQueue
{
	int32		quota;
	int32		limit;			/* index, PADV_DEFAULT_LIMIT, or
								 * PADV_SERVER_QUEUE */
	bool		long_lane;		/* that of the server's long transactions */
	int64		query_id;		/* that of this query, unless it is 0 */
	uint32		generation;		/* of the limits */
	int32		max_active;
	int32		in_use;
	int32		queue_length;	/* -1: no bound */
	int32		queue_timeout;	/* milliseconds; 0: none */
	int32		waiting;		/* transactions that wait because of it */

	/* for PADV_SLOT_TOO_LATE, in microseconds */
	int64		least_wait;
	int64		time_left;
} PadvFullQueue;

#define PADV_SERVER_QUEUE PADV_MAX_LIMITS

/*
 * For the session's own slot.  None of them sleeps or raises.
 *
 * announce: register the session, once, from the login.
 * acquire: get a slot for a transaction that begins, or that goes on after its slot
 *		was suspended.  With QUEUED the session waits in the queue, and must sleep until
 *		padv_slot_granted.  With REFUSED and TOO_LATE *full says why.  If may_wait is
 *		false the result is always GRANTED.  query_id is that of its first statement
 *		that works, or 0.
 * refuse: count the transaction as refused, because of the limit in *full.
 * deadline: until when this transaction may wait, or PG_INT64_MAX.
 * queued_at: since when it waits.
 * time_out: leave the queue because the wait took too long, and write the limit to
 *		*full.  Returns false when the slot has been granted before.  The caller raises an
 *		error, and the end of the transaction or subtransaction calls release or abandon.
 * granted: whether the session has a slot.
 * count_wait: the slot was granted after a wait of this length; count it.
 * abandon: the wait, if there is one, has ended in an error: leave the queue, and release
 *		the slot if it has been granted meanwhile.  Returns whether there was one.
 * suspended: whether the worker has suspended the slot, because the session was idle
 *		in its transaction.
 * release: the transaction, or its wait, has ended.
 * touch: the client has begun a transaction block, so a retained slot will be used soon.
 * note_needs: whether other sessions may wait for this waiter: for locks that it
 *		holds, or because it works for one of them (dblink).  may_be_polled says that
 *		there are advisory locks among these.
 * bypass: stop waiting and get a slot, because limits are not enforced any more.
 * queries_matter: whether the query ID of a transaction can matter now: it is limited, or
 *		transactions wait.
 * query_is_limited: whether a query has a limit.  Both are read without a lock.  While the
 *		limits change, the answer can be that of before or after.
 * note_polling: whether the statement only waits for other sessions, by repeating
 *		the same query.
 */
extern void padv_slots_announce(void);
extern PadvSlotResult padv_slot_acquire(bool exempt, bool may_wait, uint64 query_id, PadvFullQueue *full);
extern void padv_slot_refuse(const PadvFullQueue *full);
extern int64 padv_slot_deadline(void);
extern int64 padv_slot_queued_at(void);
extern bool padv_slot_time_out(PadvFullQueue *full);
extern bool padv_slot_granted(void);
extern void padv_slot_count_wait(int64 waited_us);
extern bool padv_slot_abandon(void);
extern bool padv_slot_suspended(void);
extern void padv_slot_release(void);
extern void padv_slot_touch(void);
extern void padv_slot_note_needs(bool holds_locks, bool may_be_polled);
extern void padv_slot_bypass(void);
extern bool padv_slot_queries_matter(void);
extern bool padv_slot_query_is_limited(uint64 query_id);
extern void padv_slot_note_polling(bool polls);

/*
 * For a waiter: reclaim retained slots whose retain timeout is over, and grant them to
 * waiters.  Looks at a bounded number of slots.  Returns after how many milliseconds to
 * call it again, or 0 when no retained slot is left.
 */
extern long padv_slots_reclaim(void);

/* The wait event of a session that waits for a slot. */
extern uint32 padv_slot_wait_event(void);

/*
 * Make this process, the worker, the stall monitor until it exits.  Its latch is set
 * when a first session begins to wait.  wait_event is what waiters report from now on.
 */
extern void padv_slots_monitor(uint32 wait_event);

/* Whether some session waits for a slot; read without a lock. */
extern bool padv_slots_have_waiters(void);

/* For the worker: reclaim retained slots of a quota that exceed its limit. */
extern void padv_slots_reclaim_beyond(int32 quota);

/* For the worker: as padv_slots_reclaim, but for all slots. */
extern void padv_slots_reclaim_all(void);

/* Set how long a slot is retained for a client while others wait, in microseconds. */
extern void padv_slots_set_retain_timeout(int64 us);

/* Set the server's limit, -1 for none, and grant the waiters that now fit. */
extern void padv_slots_set_server_limit(int32 limit);

/* For readers: write all fields of *gate but setting and trial. */
extern void padv_slots_read(PadvSlotStats *gate);

/* Slots with a running transaction. */
typedef struct PadvSlotsInUse
{
	int32		of_limit[PADV_MAX_LIMITS];
	int32		of_default;		/* the most of one role under the default */
	int32		of_server;
} PadvSlotsInUse;

/* Count them without a lock.  Allocates and frees memory, so it may raise. */
extern void padv_slots_in_use(PadvSlotsInUse *in_use);

/*
 * Slots under the server's limit, without as many as the stall monitor has added to
 * the limit for owners that do not work.
 */
typedef struct PadvServerSlots
{
	int32		taken;
	int32		working;		/* slots in use; the other taken ones are
								 * retained */
	int32		waiting;		/* sessions that wait at the server's limit,
								 * not at another; those in its long lane
								 * while its slots are taken */
} PadvServerSlots;

/* Count them without a lock; approximate while slots change. */
extern void padv_slots_of_server(PadvServerSlots *slots);

/* The longest current wait, in microseconds; read without a lock, so approximate. */
extern int64 padv_slots_longest_wait_us(int64 now);

/*
 * For a reader of the queues, which are numbered.  First comes one for each limit by its
 * index, then PADV_SERVER_QUEUE, the lane of long transactions in it, which is a part of
 * it, those of queries, and then those of roles under the default limit.  What is long by
 * its age counts as running in the lane.
 */
#define PADV_LANE_QUEUE (PADV_SERVER_QUEUE + 1)
#define PADV_FIRST_QUERY_QUEUE (PADV_SERVER_QUEUE + 2)
#define PADV_FIRST_ROLE_QUEUE (PADV_FIRST_QUERY_QUEUE + PADV_QUERY_ENTRIES)

/* What is at a queue now. */
typedef struct PadvQueueNow
{
	int32		running;		/* transactions under its limit */
	int64		longest_wait_us;	/* of its waiters */
	int32		holder_pid;		/* whose transaction has had its slot for
								 * longest; 0: none */
	Oid			holder_role;
	TimestampTz holder_since;
} PadvQueueNow;

/* The settings of a queue, and what has been counted at it. */
typedef struct PadvQueueFigures
{
	Oid			role;			/* of a queue of the default limit */
	int64		query_id;		/* of the queue of a query; or 0 */
	int32		limit;			/* -1: none */
	int32		in_force;		/* as PadvSlotStats.in_force */
	int32		taken;			/* slots in use and retained */
	int32		waiting;
	PadvSlotTotals totals;		/* suspended: of all slots under the limit;
								 * the others: of waiters in this queue */
	PadvWaitTimes waits;
} PadvQueueFigures;

/*
 * now: what is at all queues, by their numbers; allocated in the current memory context.
 *		Visits each slot owner without a lock, and waiters some at a time with it.
 * count: the number of queues in use.
 * read: copy the figures of a queue of this generation of limits; false when another one
 *		is in force, or for a role without sessions and counts.
 */
#define PADV_ANY_GENERATION 0

extern PadvQueueNow *padv_queues_now(void);
extern int	padv_queues_count(void);
extern bool padv_queue_read(int32 number, uint32 generation, PadvQueueFigures *figures);

/* Set the counters that padv_slots_read and padv_queue_read return to 0. */
extern void padv_slots_reset_counters(void);

#endif							/* PADV_XACT_SLOTS_H */
