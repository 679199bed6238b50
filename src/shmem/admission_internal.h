/*
 * admission_internal.h
 *		The shared memory of this room, for its own files only.
 *
 * One spinlock, `mutex`, guards all of it but what is atomic.  It is a spinlock
 * because a place is given back when the process is all but gone: only after
 * its entry in pg_stat_activity and its PGPROC are, so that nobody ever sees
 * one session too many, and by then an LWLock cannot be waited for.  What is
 * done under it touches a few accounts, but for the recount after caps have
 * changed, which touches every session.  Latches are set after it, and what a line
 * leaves unsettled is settled in steps, each of which takes it anew.
 *
 * There are two lines on the same slots and accounts: `padv_line`, of logins that
 * want to become sessions, and `padv_turn_line`, of sessions that want to begin a
 * transaction.
 *
 * Accounts: one for each cap by its index, one for the server, which only turns
 * are counted in, then one for each place in the table of roles, which is the
 * default's for that role.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ADMISSION_PARTS_H
#define PADV_ADMISSION_PARTS_H

#include "port/atomics.h"
#include "storage/spin.h"

#include "core/policy/wait_queue.h"
#include "shmem/admission.h"
#include "shmem/shared_settings.h"

#define NO_ACCOUNT (-1)
#define NO_CLIENT (-1)
#define NOT_NEEDED (-1)

typedef struct Slot
{
	PadvPlace	place;			/* must be first */
	pid_t		pid;
	int32		procno;			/* for its latch */
	int32		status_index;	/* in PgBackendStatus' array */
	Oid			role;			/* InvalidOid: not known yet */
	Oid			database;		/* likewise */
	uint32		generation;		/* of the caps it is counted under; 0: none */
	int32		role_number;	/* in the table of roles, or -1 */
	int64		waiting_since;	/* monotonic */
	int32		closing_account;	/* it ends because of this, or NO_ACCOUNT */

	/* a transaction of this session; of no account when nothing limits it */
	PadvPlace	turn;
	int32		holder;			/* its index in padv_holders, while it is in */
	uint32		turns;			/* how often it has come in */
	bool		exempt;			/* from the server's limit */

	/* while the transaction is in the queue and others may wait for it */
	int32		needed;			/* its index in padv_needed, or NOT_NEEDED */
	bool		holds_locks;	/* it has locks that others can wait for */
	bool		may_be_polled;	/* they are advisory locks of the session */
	int32		client;			/* the slot of the backend that is its client,
								 * or NO_CLIENT */
	int64		queued_at;		/* monotonic */

	/* not guarded: an account that wants it closed, or NO_ACCOUNT */
	pg_atomic_uint32 asked_by;
} Slot;

/* An account, and what it does beside counting. */
typedef struct Account
{
	PadvAccount counts;			/* of sessions; must be first; its limit is
								 * the one that is enforced */
	PadvAccount active;			/* of transactions, likewise */
	int32		max_sessions;	/* -1: none */
	int32		min_sessions;	/* -1: all are kept */
	int32		keepalive;		/* milliseconds */
	int32		queue_length;
	int32		queue_timeout;
	int32		closing;		/* sessions that end because of it */
	int32		max_active;		/* -1: none */
	int32		transaction_queue_length;	/* -1: no bound */
	int32		transaction_queue_timeout;	/* milliseconds; 0: none */
	int64		granted;		/* slots that waiters have been given here */
} Account;

typedef struct Role
{
	PadvRoleCounters counters;
	int32		sessions;		/* slots that refer to it */
	int32		next;			/* in its bucket */
	int64		reported_at;	/* monotonic */
	int32		unreported;
} Role;

typedef struct Admission
{
	slock_t		mutex;

	/* guarded by mutex */
	uint32		generation;
	int32		enforcement;	/* PadvEnforcement */
	bool		closes_idle;	/* some account does */
	int32		nroles;			/* in use; the first stands for all that have
								 * been forgotten */
	int32		next_victim;
	int32		told_apart;		/* places taken of PADV_ROLES_TOLD_APART */
	PadvLineHead head;
	int32		inside;			/* slots whose place is in */
	PadvAdmissionTotals totals; /* but the waiting ones, who are in head */

	/* of turns; guarded by mutex, the waiting ones also read without */
	PadvLineHead turn_head;
	PadvTurnTotals turn_totals;
	int32		server_max_active;	/* the server's, -1: none */
	bool		caps_active;	/* some cap limits transactions */
	uint32		rules_changed;	/* how often, times two */
	int32		nholders;
	int32		nneeded;

	pg_atomic_uint32 turn_rules;	/* 0: nothing limits; changes with the
									 * rules */
	pg_atomic_uint64 reclaim_due;	/* monotonic; when to look for kept turns */
	pg_atomic_uint32 grace_us;	/* how long a turn is kept for a client */
	pg_atomic_uint32 wait_event;	/* of who waits for a turn */
	pg_atomic_uint32 stall_monitor; /* process number of the worker, plus 1;
									 * or 0 */
} Admission;

/*
 * What the owner of a turn can say without the lock: a state, and since when it
 * is kept, in its own line of cache.  Only the owner brings it in without the
 * lock, from KEPT to IN, and out of IN, to KEPT; everybody else holds the mutex.
 */
typedef union Turn
{
	struct
	{
		pg_atomic_uint64 word;
		pg_atomic_uint32 polls; /* its statement only waits for others, by
								 * what xact_hooks.c has seen of it; the owner's */
	};
	char		line[PG_CACHE_LINE_SIZE];
} Turn;

typedef enum TurnState
{
	TURN_OUT,					/* no turn, or still waiting for one */
	TURN_IN,					/* a transaction runs */
	TURN_KEPT,					/* for the session's next transaction, until
								 * somebody takes it away */
	TURN_SUSPENDED,				/* idle in its transaction, and not counted */
} TurnState;

#define TURN_WORD(state, since) (((uint64) (since) << 2) | (state))
#define TURN_STATE(word) ((TurnState) ((word) & 3))
#define TURN_SINCE(word) ((int64) ((word) >> 2))

/* Where the parts are; set in each process. */
extern Admission *padv_admission;
extern Slot *padv_slots;
extern Account *padv_accounts;
extern Role *padv_role_table;
extern PadvLine padv_line;
extern PadvLine padv_turn_line;
extern Turn *padv_turns;		/* by slot */
extern int32 *padv_holders;		/* slots that have a turn, kept ones included */
extern int32 *padv_needed;		/* slots in the queue that others may wait for */

/* This process' own, or NULL. */
extern Slot *padv_my_slot;

#define PADV_SERVER_ACCOUNT PADV_MAX_CAPS
#define PADV_ROLE_ACCOUNT(number) (PADV_MAX_CAPS + 1 + (number))

/* What an account does from now on, by PadvCapSetting.  The mutex is held. */
extern void padv_set_rule(int account, const int32 *value, PadvEnforcement enforcement);

/* Only how its transactions wait; of the server, by the values of the default. */
extern void padv_set_queue_rule(int account, const int32 *value);

/*
 * How many transactions an account lets run by its own rule, not raised.  A single
 * word; who acts on it holds the mutex.
 */
static inline int32
padv_turn_limit_of(int32 account)
{
	return account == PADV_SERVER_ACCOUNT ? padv_admission->server_max_active :
		padv_accounts[account].max_active;
}

/*
 * How logins are treated: as the worker has put it in force, but no stricter than the
 * DBA has set it since, so that the way out needs no worker.  The mutex is held.
 */
static inline PadvEnforcement
padv_login_enforcement(void)
{
	int			set = padv_enforcement_now();

	return (PadvEnforcement) Min(padv_admission->enforcement, set);
}

/*
 * Turns, with the mutex held.  place_turn finds the accounts of a slot's next
 * turn.  note_turns is for those who have been let in: their words and the list
 * of holders; it writes whose latches to set.  drop_turn takes one away, and
 * returns how many were let in for it.
 */
extern void padv_place_turn(Slot *slot);
extern void padv_note_turns(const int32 *entered, int count, int32 *procnos);
extern int	padv_drop_turn(Slot *slot, TurnState state, int32 *procnos);
extern void padv_turn_rules_changed(void);

/*
 * Let in the transaction in the queue of this slot now, whatever the limits say;
 * false when it does not wait any more.  Takes the mutex.
 */
extern bool padv_turn_grant(int32 number);

/*
 * Who it is, and the accounts it is under, found by padv_caps_of; they are not
 * counted here.  The mutex is held.
 */
extern void padv_identify_slot(Slot *slot, Oid role, Oid database,
							   const int32 *caps, int ncaps);

/*
 * Its place in the table of roles, which it takes when it is needed first.  The
 * mutex is held.
 */
extern Role *padv_role_of(Slot *slot);

/* The same, to count something for it.  The mutex is held. */
extern PadvRoleCounters *padv_counters_of(Slot *slot);

/* Its wait in line is over.  The mutex is held. */
extern void padv_account_for_wait(Slot *slot, int64 now);

/*
 * Those who were let in, as core/policy/wait_queue.c names them.  Note them with the mutex
 * held, then release it, then wake them.
 */
extern void padv_note_entered(const int32 *entered, int count, int64 now, int32 *procnos);
extern void padv_wake(const int32 *procnos, int count);

/*
 * Let in those whom the last calls on a line have left unsettled, some at a time.
 * Without the mutex, after what could have made room: padv_line_leave and
 * padv_line_set_limit.
 */
extern void padv_logins_settle(void);
extern void padv_turns_settle(void);

#endif							/* PADV_ADMISSION_PARTS_H */
