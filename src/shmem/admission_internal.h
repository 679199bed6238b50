/*
 * admission_internal.h
 *		The shared memory of this room, for its own files only.
 *
 * One spinlock, `mutex`, guards all of it but what is atomic.  It is a spinlock
 * because a place is given back when the process is all but gone: only after
 * its entry in pg_stat_activity and its PGPROC are, so that nobody ever sees
 * one session too many, and by then an LWLock cannot be waited for.  What is
 * done under it touches a few quotas, but for the rebuild after limits have
 * changed, which touches every session.  Latches are set after it, and what a queue
 * leaves unsettled is settled in steps, each of which takes it anew.
 *
 * There are two lines on the same slots and quotas: `padv_login_queue`, of logins that
 * want to become sessions, and `padv_xact_queue`, of sessions that want to begin a
 * transaction.
 *
 * Quotas: one for each limit by its index, one for the server, which only slots
 * are counted in, then one for each place in the table of roles, which is the
 * default's for that role.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ADMISSION_INTERNAL_H
#define PADV_ADMISSION_INTERNAL_H

#include "port/atomics.h"
#include "storage/spin.h"

#include "core/policy/queue_watch.h"
#include "core/policy/wait_queue.h"
#include "shmem/admission.h"
#include "shmem/shared_settings.h"

#define PADV_NO_QUOTA (-1)
#define PADV_NO_CLIENT (-1)
#define PADV_NOT_NEEDED (-1)

typedef struct PadvBackend
{
	PadvRequest login;			/* must be first */
	pid_t		pid;
	int32		procno;			/* for its latch */
	int32		status_index;	/* in PgBackendStatus' array */
	Oid			role;			/* InvalidOid: not known yet */
	Oid			database;		/* likewise */
	uint32		generation;		/* of the limits it is counted under; 0: none */
	int32		role_number;	/* in the table of roles, or -1 */
	int64		waiting_since;	/* monotonic */
	int32		closing_quota;	/* it ends because of this, or PADV_NO_QUOTA */

	/* a transaction of this session; of no quota when nothing limits it */
	PadvRequest xact;
	int32		owner_index;	/* its index in padv_slot_owners, while it is
								 * in */
	uint32		slots;			/* how often it has come in */
	bool		exempt;			/* from the server's limit */

	/* while the transaction is in the queue and others may wait for it */
	int32		needed;			/* its index in padv_needed, or
								 * PADV_NOT_NEEDED */
	bool		holds_locks;	/* it has locks that others can wait for */
	bool		may_be_polled;	/* they are advisory locks of the session */
	int32		client;			/* the slot of the backend that is its client,
								 * or PADV_NO_CLIENT */
	int64		queued_at;		/* monotonic */

	/* not guarded: a quota that wants it closed, or PADV_NO_QUOTA */
	pg_atomic_uint32 asked_by;
} PadvBackend;

/* A quota, and what it does beside counting. */
typedef struct PadvLimitState
{
	PadvQuota	counts;			/* of sessions; must be first; its limit is
								 * the one that is enforced */
	PadvQuota	active;			/* of transactions, likewise */
	int32		max_sessions;	/* -1: none */
	int32		min_sessions;	/* -1: all are kept */
	int32		idle_timeout;	/* milliseconds */
	int32		queue_length;
	int32		queue_timeout;
	int32		closing;		/* sessions that end because of it */
	int32		max_active;		/* -1: none */
	int32		transaction_queue_length;	/* -1: no bound */
	int32		transaction_queue_timeout;	/* milliseconds; 0: none */
	int64		granted;		/* slots that waiters have been given here */
	PadvQueueWatch watch;		/* of those who stand here */
} PadvLimitState;

typedef struct PadvRoleState
{
	PadvRoleCounters counters;
	int32		sessions;		/* slots that refer to it */
	int32		next;			/* in its bucket */
	int64		reported_at;	/* monotonic */
	int32		unreported;
} PadvRoleState;

typedef struct PadvAdmissionShared
{
	slock_t		mutex;

	/* guarded by mutex */
	uint32		generation;
	int32		enforcement;	/* PadvEnforcement */
	bool		closes_idle;	/* some quota does */
	int32		nroles;			/* in use; the first stands for all that have
								 * been forgotten */
	int32		next_victim;
	int32		tracked;		/* places taken of PADV_ROLES_TRACKED */
	PadvWaitQueueHead head;
	int32		inside;			/* slots whose place is in */
	PadvAdmissionTotals totals; /* but the waiting ones, who are in head */

	/* of slots; guarded by mutex, the waiting ones also read without */
	PadvWaitQueueHead xact_head;
	PadvSlotTotals slot_totals;
	int32		server_max_active;	/* the server's, -1: none */
	bool		limits_active;	/* some limit limits transactions */
	uint32		limits_changed; /* how often, times two */
	int32		nslot_owners;
	int32		nneeded;

	pg_atomic_uint32 limits_version;	/* 0: nothing limits; changes with the
										 * rules */
	pg_atomic_uint64 reclaim_due;	/* monotonic; when to look for kept slots */
	pg_atomic_uint32 retain_us; /* how long a slot is kept for a client */
	pg_atomic_uint32 wait_event;	/* of who waits for a slot */
	pg_atomic_uint32 stall_monitor; /* process number of the worker, plus 1;
									 * or 0 */
} PadvAdmissionShared;

/*
 * What the owner of a slot can say without the lock: a state, and since when it
 * is kept, in its own line of cache.  Only the owner brings it in without the
 * lock, from KEPT to IN, and out of IN, to KEPT; everybody else holds the mutex.
 */
typedef union PadvSlotWord
{
	struct
	{
		pg_atomic_uint64 word;
		pg_atomic_uint32 polls; /* its statement only waits for others, by
								 * what xact_hooks.c has seen of it; the
								 * owner's */
	};
	char		line[PG_CACHE_LINE_SIZE];
} PadvSlotWord;

typedef enum PadvSlotState
{
	SLOT_NONE,					/* no slot, or still waiting for one */
	SLOT_HELD,					/* a transaction runs */
	SLOT_RETAINED,				/* for the session's next transaction, until
								 * somebody takes it away */
	SLOT_SUSPENDED,				/* idle in its transaction, and not counted */
} PadvSlotState;

#define SLOT_WORD(state, since) (((uint64) (since) << 2) | (state))
#define SLOT_STATE(word) ((PadvSlotState) ((word) & 3))
#define SLOT_SINCE(word) ((int64) ((word) >> 2))

/* Where the parts are; set in each process. */
extern PadvAdmissionShared *padv_admission;
extern PadvBackend *padv_backends;
extern PadvLimitState *padv_limit_states;
extern PadvRoleState *padv_role_table;
extern PadvWaitQueue padv_login_queue;
extern PadvWaitQueue padv_xact_queue;
extern PadvSlotWord *padv_slot_words;	/* by slot */
extern int32 *padv_slot_owners; /* slots that have a slot, kept ones included */
extern int32 *padv_needed;		/* slots in the queue that others may wait for */

/* This process' own, or NULL. */
extern PadvBackend *padv_my_backend;

#define PADV_SERVER_QUOTA PADV_MAX_LIMITS
#define PADV_ROLE_QUOTA(number) (PADV_MAX_LIMITS + 1 + (number))

/* What a quota does from now on, by PadvLimitSetting.  The mutex is held. */
extern void padv_limit_state_set(int quota, const int32 *value, PadvEnforcement enforcement);

/* Only how its transactions wait; of the server, by the values of the default. */
extern void padv_limit_state_set_queue(int quota, const int32 *value);

/*
 * How many transactions a quota lets run by its own rule, not raised.  A single
 * word; who acts on it holds the mutex.
 */
static inline int32
padv_slot_limit_of(int32 quota)
{
	return quota == PADV_SERVER_QUOTA ? padv_admission->server_max_active :
		padv_limit_states[quota].max_active;
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
 * Slots, with the mutex held.  place_turn finds the quotas of a slot's next
 * slot.  note_turns is for those who have been let in: their words and the list
 * of holders; it writes whose latches to set.  drop_turn takes one away, and
 * returns how many were let in for it.
 */
extern void padv_slot_find_quotas(PadvBackend *backend);
extern void padv_slots_note_granted(const int32 *granted_list, int count, int32 *procnos);
extern int	padv_slot_drop(PadvBackend *backend, PadvSlotState state, int32 *procnos);
extern void padv_slot_limits_changed(void);

/*
 * Let in the transaction in the queue of this slot now, whatever the limits say;
 * false when it does not wait any more.  Takes the mutex.
 */
extern bool padv_slot_overcommit(int32 number);

/*
 * Who it is, and the quotas it is under, found by padv_limits_of; they are not
 * counted here.  The mutex is held.
 */
extern void padv_backend_identify(PadvBackend *backend, Oid role, Oid database,
								  const int32 *limits, int nlimits);

/*
 * Its place in the table of roles, which it takes when it is needed first.  The
 * mutex is held.
 */
extern PadvRoleState *padv_backend_role(PadvBackend *backend);

/* The same, to count something for it.  The mutex is held. */
extern PadvRoleCounters *padv_backend_counters(PadvBackend *backend);

/* Its wait in the queue is over.  The mutex is held. */
extern void padv_backend_end_wait(PadvBackend *backend, int64 now);

/*
 * Those who were let in, as core/policy/wait_queue.c names them.  Note them with the mutex
 * held, then release it, then wake them.
 */
extern void padv_logins_note_granted(const int32 *granted_list, int count, int64 now, int32 *procnos);
extern void padv_backends_wake(const int32 *procnos, int count);

/*
 * Let in those whom the last calls on a queue have left unsettled, some at a time.
 * Without the mutex, after what could have made room: padv_queue_release and
 * padv_queue_set_limit.
 */
extern void padv_admission_settle(void);
extern void padv_slots_settle(void);

#endif							/* PADV_ADMISSION_PARTS_H */
