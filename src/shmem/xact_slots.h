/*
 * xact_slots.h
 *		Which transactions may run now.
 *
 * A session needs a slot for a transaction, if there is a limit that counts
 * it.  Where all slots are taken it stands in the queue, first come first served; with
 * pool_advisor.queue_target, when waits are above it, the newest is.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_XACT_SLOTS_H
#define PADV_XACT_SLOTS_H

#include "shmem/admission.h"

/* What became of a transaction that asked for a slot. */
typedef enum PadvSlotResult
{
	PADV_SLOT_GRANTED,			/* it may run */
	PADV_SLOT_QUEUED,			/* it stands in the queue */
	PADV_SLOT_REFUSED,			/* it is not in the queue, which is full */
	PADV_SLOT_TOO_LATE,			/* nor here, as its statement_timeout would
								 * end it before it had one */
} PadvSlotResult;

/* A limit whose queue is full, or took too long; as of that moment. */
typedef struct PadvFullQueue
{
	int32		quota;
	int32		limit;			/* index, PADV_DEFAULT_LIMIT, or
								 * PADV_SERVER_QUEUE */
	uint32		generation;		/* of the limits */
	int32		max_active;
	int32		in_use;
	int32		queue_length;	/* -1: no bound */
	int32		queue_timeout;	/* milliseconds; 0: none */
	int32		waiting;		/* transactions that wait because of it */

	/* where it would be too late, in microseconds */
	int64		least_wait;
	int64		time_left;
} PadvFullQueue;

#define PADV_SERVER_QUEUE PADV_MAX_LIMITS

/*
 * For the session.  None of them waits or raises.
 *
 * announce: from the login, once.
 * take: a slot for a transaction that begins, or goes on after its slot was
 *		suspended.  It is queued when it has to stand in the queue, which it does then,
 *		and refused when that is full, or takes too long, which *full describes;
 *		neither if may_wait is false.
 * refuse: count that the transaction is refused.
 * deadline: until when this one may wait (monotonic), or PG_INT64_MAX.
 * queued_at: since when it waits.
 * time_out: leave the queue, as the wait took too long; false when it has been let in.
 * has_come: whether one who stands in the queue has been let in.
 * waited: that has come, after so long.
 * in_line: whether it stands in the queue, or did when its wait ended in an error.
 * suspended: whether the slot was taken away in the transaction, which had
 *		been idle.
 * end: the transaction has ended, or its wait has.
 * touch: the client has begun a transaction block, so a slot that is kept for it
 *		will be used soon.
 * tell_of_needs: whether others may wait for this session, which has to wait: for
 *		locks that it holds, or because it works for one of them (dblink).  Those that
 *		may be polled for are advisory locks of the session, which are left when the
 *		transaction has released its locks.
 * let_in: come in without waiting any longer, as limits are not enforced.
 * polls: whether the statement only waits for others, by doing the same again.
 * look_after: give slots that are kept for nobody to those who wait; returns
 *		in how many milliseconds some will have to be given, or 0.
 */
extern void padv_slots_announce(void);
extern PadvSlotResult padv_slot_acquire(bool exempt, bool may_wait, PadvFullQueue *full);
extern void padv_slot_refuse(void);
extern int64 padv_slot_deadline(void);
extern int64 padv_slot_queued_at(void);
extern bool padv_slot_time_out(PadvFullQueue *full);
extern bool padv_slot_granted(void);
extern void padv_slot_count_wait(int64 waited_us);
extern bool padv_slot_waiting(void);
extern bool padv_slot_suspended(void);
extern void padv_slot_release(void);
extern void padv_slot_touch(void);
extern void padv_slot_note_needs(bool holds_locks, bool may_be_polled);
extern void padv_slot_bypass(void);
extern void padv_slot_note_polling(bool polls);
extern long padv_slots_reclaim(void);

/* The wait event of who stands in the queue. */
extern uint32 padv_slot_wait_event(void);

/*
 * This process, which must be the worker, oversees them from now on: its latch is set
 * when somebody begins to wait.  Waiting has this wait event.
 */
extern void padv_slots_monitor(uint32 wait_event);

extern bool padv_slots_have_waiters(void);

/* For the worker: look_after among all slots, however many they are. */
extern void padv_slots_reclaim_all(void);

/* How long a slot is kept for a client, in microseconds, while somebody waits. */
extern void padv_slots_set_retain_timeout(int64 us);

/* The server's limit; -1 is none.  Lets in who can be in then. */
extern void padv_slots_set_server_limit(int32 limit);

/*
 * For readers: figures and counters; running and kept are counted by the second,
 * which looks at each slot in use.
 */
extern void padv_slots_read(PadvSlotStats *gate);
extern void padv_slots_count(PadvSlotStats *gate);

/* Slots in use. */
typedef struct PadvSlotsInUse
{
	int32		of_limit[PADV_MAX_LIMITS];
	int32		of_default;		/* of the role under the default that has most */
	int32		of_server;
} PadvSlotsInUse;

extern void padv_slots_in_use(PadvSlotsInUse *in_use);

/* The server's own, without those it was raised for because they do nothing. */
typedef struct PadvServerSlots
{
	int32		taken;
	int32		working;		/* those in use; the others are kept */
	int32		waiting;		/* for the server's limit, not for another */
} PadvServerSlots;

extern void padv_slots_of_server(PadvServerSlots *slots);

/* How long the transaction has waited that waits longest; of about now. */
extern int64 padv_turns_longest_wait_us(int64 now);

extern void padv_slots_reset_counters(void);

#endif							/* PADV_XACT_SLOTS_H */
