/*
 * xact_slots.h
 *		Which transactions may run now.
 *
 * A session needs a turn for a transaction, if there is a limit that counts
 * it.  Where all turns are taken it stands in line, first come first served.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_TURNS_H
#define PADV_TURNS_H

#include "shmem/admission.h"

/* What became of a transaction that asked for a slot. */
typedef enum PadvSlotVerdict
{
	PADV_SLOT_TAKEN,			/* it may run */
	PADV_SLOT_QUEUED,			/* it stands in the queue */
	PADV_SLOT_REFUSED,			/* it is not in the queue, which is full */
} PadvSlotVerdict;

/* A limit whose queue is full, or took too long; as of that moment. */
typedef struct PadvFullQueue
{
	int32		account;
	int32		cap;			/* index, PADV_DEFAULT_CAP, or
								 * PADV_SERVER_QUEUE */
	uint32		generation;		/* of the limits */
	int32		max_active;
	int32		in_use;
	int32		queue_length;	/* -1: no bound */
	int32		queue_timeout;	/* milliseconds; 0: none */
	int32		waiting;		/* transactions that wait because of it */
} PadvFullQueue;

#define PADV_SERVER_QUEUE PADV_MAX_CAPS

/*
 * For the session.  None of them waits or raises.
 *
 * announce: from the login, once.
 * take: a turn for a transaction that begins, or goes on after its turn was
 *		suspended.  It is queued when it has to stand in line, which it does then,
 *		and refused when that is full, which *full describes; neither if may_wait is
 *		false.
 * refuse: count that the transaction is refused.
 * deadline: until when this one may wait (monotonic), or PG_INT64_MAX.
 * queued_at: since when it waits.
 * time_out: leave the line, as the wait took too long; false when it has been let in.
 * has_come: whether one who stands in line has been let in.
 * waited: that has come, after so long.
 * in_line: whether it stands in line, or did when its wait ended in an error.
 * suspended: whether the turn was taken away in the transaction, which had
 *		been idle.
 * end: the transaction has ended, or its wait has.
 * touch: the client has begun a transaction block, so a slot that is kept for it
 *		will be used soon.
 * tell_of_needs: whether others may wait for this session, which has to wait: for
 *		locks that it holds, or because it works for one of them (dblink).  Once the
 *		transaction's locks have been released, those left are the session's.
 * let_in: come in without waiting any longer, as limits are not enforced.
 * polls: whether the statement only waits for others, by doing the same again.
 * look_after: give turns that are kept for nobody to those who wait; returns
 *		in how many milliseconds some will have to be given, or 0.
 */
extern void padv_turns_announce(void);
extern PadvSlotVerdict padv_turn_take(bool exempt, bool may_wait, PadvFullQueue *full);
extern void padv_turn_refuse(void);
extern int64 padv_turn_deadline(void);
extern int64 padv_turn_queued_at(void);
extern bool padv_turn_time_out(PadvFullQueue *full);
extern bool padv_turn_has_come(void);
extern void padv_turn_waited(int64 waited_us);
extern bool padv_turn_in_line(void);
extern bool padv_turn_suspended(void);
extern void padv_turn_end(void);
extern void padv_turn_touch(void);
extern void padv_turn_tell_of_needs(bool released);
extern void padv_turn_let_in(void);
extern void padv_turn_polls(bool polls);
extern long padv_turns_look_after(void);

/* The wait event of who stands in line. */
extern uint32 padv_turn_wait_event(void);

/*
 * This process, which must be the worker, oversees them from now on: its latch is set
 * when somebody begins to wait.  Waiting has this wait event.
 */
extern void padv_turns_oversee(uint32 wait_event);

extern bool padv_turns_anybody_waits(void);

/* For the worker: look_after among all turns, however many they are. */
extern void padv_turns_look_after_all(void);

/* How long a turn is kept for a client, in microseconds, while somebody waits. */
extern void padv_turns_set_grace(int64 us);

/* The server's limit; -1 is none.  Lets in who can be in then. */
extern void padv_turns_set_server_limit(int32 limit);

/*
 * For readers: figures and counters; running and kept are counted by the second,
 * which looks at each turn in use.
 */
extern void padv_turns_read(PadvGate *gate);
extern void padv_turns_count(PadvGate *gate);

/* Turns in use. */
typedef struct PadvTurnsInUse
{
	int32		of_cap[PADV_MAX_CAPS];
	int32		of_default;		/* of the role under the default that has most */
	int32		of_server;
} PadvTurnsInUse;

extern void padv_turns_in_use(PadvTurnsInUse *in_use);

/* The server's own, without those it was raised for because they do nothing. */
typedef struct PadvTurnsOfServer
{
	int32		taken;
	int32		working;		/* those in use; the others are kept */
	int32		waiting;		/* for the server's limit, not for another */
} PadvTurnsOfServer;

extern void padv_turns_of_server(PadvTurnsOfServer *turns);

extern void padv_turns_reset_counters(void);

#endif							/* PADV_TURNS_H */
