/*
 * admission_internal.h
 *		The shared memory of admission, for the files of shmem/ and the worker's
 *		stall monitor.
 *
 * `mutex` protects all fields except the atomic ones.  A spinlock, not an LWLock: the
 * slot is released in on_proc_exit, after ProcKill(), when MyProc is gone.  It is
 * released that late so that no session is counted as gone while pg_stat_activity
 * still shows it.
 *
 * Code that holds the mutex touches a few quotas only.  The exception is the rebuild
 * after limits have changed, which visits every session.  Latches are set after the
 * mutex is released.  Work that a queue leaves unsettled is done in steps, each of
 * which takes the mutex again.
 *
 * Two queues use the same backends and quotas.  In `padv_login_queue` logins wait to
 * become sessions.  In `padv_xact_queue` sessions wait to begin a transaction.
 *
 * Flows share the server's quota (core/policy/shares.c).  They have the numbers of the
 * quotas of the limits that set their shares.  All transactions in the lane of long ones
 * are one flow there, with the lane's number, and flows share the lane, too.
 *
 * Quotas are numbered.  First comes one for each limit, by the limit's index.  Then
 * comes the server's, which counts transactions only, and the lane of long transactions
 * within it (shmem/long_lane.c).  Those of queries follow (shmem/query_quotas.c).  Last
 * comes one for each entry of the role table: the default limit as it applies to that role.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ADMISSION_INTERNAL_H
#define PADV_ADMISSION_INTERNAL_H

#include "port/atomics.h"
#include "storage/spin.h"

#include "core/policy/lanes.h"
#include "core/policy/query_limits.h"
#include "core/policy/queue_watch.h"
#include "core/policy/wait_queue.h"
#include "core/policy/wait_times.h"
#include "shmem/admission.h"
#include "shmem/shared_settings.h"

#define PADV_NO_QUOTA (-1)
#define PADV_NO_CLIENT (-1)
#define PADV_NOT_NEEDED (-1)

/* A client backend; the index is MyPMChildSlot - 1. */
typedef struct PadvBackend
{
	/* These fields are protected by mutex. */
	PadvRequest login;			/* must be first */
	pid_t		pid;
	int32		procno;			/* to set its latch */
	int32		status_index;	/* in PgBackendStatus' array */
	Oid			role;			/* InvalidOid: not known yet */
	Oid			database;		/* likewise */
	uint32		generation;		/* of the limits it is counted under; 0: none */
	int32		role_number;	/* in padv_role_table, or -1 */
	int64		waiting_since;	/* monotonic, microseconds; start of the
								 * login's wait */
	int32		closing_quota;	/* the quota for which the session closes
								 * itself, or PADV_NO_QUOTA */

	/*
	 * The current transaction, or the retained slot.  Without quotas when no
	 * limit counts it.  Protected by mutex.
	 */
	PadvRequest xact;
	int32		owner_index;	/* index in padv_slot_owners, while xact is
								 * granted */
	uint32		slots;			/* how many slots it has been granted so far */
	bool		exempt;			/* from limits of the server and queries */
	int32		query_entry;	/* of the limit of its query, or PADV_NONE */
	bool		in_lane;		/* its class is long */
	bool		lane_changed;	/* while it waited */

	/*
	 * While the transaction waits and other sessions may wait for it.
	 * Protected by mutex.
	 */
	int32		needed;			/* index in padv_needed, or PADV_NOT_NEEDED */
	bool		holds_locks;	/* it has locks that others can wait for */
	bool		may_be_polled;	/* there are advisory locks among them */
	int32		client;			/* index of the backend that is its client, or
								 * PADV_NO_CLIENT */
	int64		queued_at;		/* monotonic, microseconds; start of the
								 * transaction's wait */

	/*
	 * Atomic: the quota for which the worker asks this session to close, or
	 * PADV_NO_QUOTA.
	 */
	pg_atomic_uint32 asked_by;
} PadvBackend;

/* What a quota counts, and its settings.  Protected by mutex. */
typedef struct PadvLimitState
{
	PadvQuota	counts;			/* sessions; must be first; counts.limit is
								 * the limit that is enforced */
	PadvQuota	active;			/* transactions, likewise */
	int32		value[PADV_LIMIT_SETTINGS]; /* as in PadvLimit; where nothing
											 * is enforced, max_active is -1 */
	uint32		from_default;	/* as in PadvLimit */
	int32		closing;		/* sessions that are closing because they are
								 * idle */
	int64		granted;		/* slots granted to waiters under this quota */
	PadvQueueWatch watch;		/* the waits at this quota */
	int32		stats;			/* index in padv_queue_stats */

	/*
	 * The transactions whose share of the server's quota is set here, or of a
	 * role with the share of the default limit.
	 */
	PadvFlow	flow;
	PadvFlow	lane_flow;		/* those of them in the lane of long ones */
	PadvQueueWatch flow_watch;	/* the waits of flow at the server's quota */
	int32		share_order;	/* padv_limit_share_order */
} PadvLimitState;

/*
 * What has been counted at the queue of a quota, for readers.  It goes on when limits
 * change and the same limit has another quota.  Protected by mutex.
 */
typedef struct PadvQueueStats
{
	Oid			role;			/* of the limit; of a role under the default
								 * limit */
	Oid			database;
	PadvSlotTotals totals;		/* suspended: of all slots under the quota;
								 * the others: of waiters in its queue */
	PadvWaitTimes waits;
} PadvQueueStats;

/* An entry of the role table.  Protected by mutex. */
typedef struct PadvRoleState
{
	PadvRoleCounters counters;
	int32		sessions;		/* backends that refer to it */
	int32		next;			/* in its hash bucket */
	int64		reported_at;	/* monotonic, microseconds; the last log line */
	int32		unreported;		/* would-be refusals not logged since */
} PadvRoleState;

/* Queries with limits, each of which has a quota. */
typedef struct PadvQueryEntries
{
	int32		count;			/* up to the last one in use */
	uint64		query_id[PADV_QUERY_ENTRIES];	/* 0: not in use */
} PadvQueryEntries;

typedef struct PadvAdmissionShared
{
	slock_t		mutex;

	/* These fields are protected by mutex. */
	uint32		generation;		/* of the limits that sessions are counted
								 * under */
	int32		enforcement;	/* PadvEnforcement */
	bool		closes_idle;	/* some quota closes idle sessions */
	int32		nroles;			/* entries of padv_role_table in use; the
								 * first stands for all evicted roles */
	int32		next_victim;	/* the entry to be evicted next */
	int32		tracked;		/* tracked roles, at most PADV_ROLES_TRACKED */
	PadvWaitQueueHead head;		/* of padv_login_queue */
	int32		inside;			/* admitted sessions */
	PadvAdmissionTotals totals; /* except waiting, which is head.waiting */

	/*
	 * These fields are protected by mutex.  xact_head.waiting and
	 * nslot_owners are also read without it, by readers that accept a value
	 * of a moment ago.
	 */
	PadvWaitQueueHead xact_head;	/* of padv_xact_queue */
	PadvSlotTotals slot_totals;
	int32		server_max_active;	/* the server's limit, -1: none */
	bool		limits_active;	/* some limit counts transactions */
	int32		nlimits;		/* quotas of limits in use */
	PadvQueryEntries query_entries; /* only the worker writes it */
	uint32		limits_changed; /* number of changes, times two */
	int32		nslot_owners;	/* elements of padv_slot_owners */
	int32		nneeded;		/* elements of padv_needed */
	PadvLanes	lanes;			/* classes are also read without the mutex */
	int32		turned_long;	/* running transactions that are long by their
								 * age */
	int32		turned_idle;	/* those of them that are not counted, as they
								 * do not work */

	/* Atomic; read and written without a lock. */
	pg_atomic_uint32 limits_version;	/* 0: no limit counts transactions;
										 * changes with the limits */
	pg_atomic_uint64 reclaim_due;	/* monotonic, microseconds; when sessions
									 * look for retained slots again */
	pg_atomic_uint32 retain_us; /* how long a slot is retained for a client */
	pg_atomic_uint32 wait_event;	/* of a backend that waits for a slot */
	pg_atomic_uint32 stall_monitor; /* process number of the worker, plus 1;
									 * or 0 */
} PadvAdmissionShared;

/*
 * The state of a backend's slot, and since when it is retained, in one atomic word
 * in a cache line of its own.  The owner is the backend that has the slot.
 *
 * Without the mutex only the owner changes the word, by compare-and-exchange, and only
 * from RETAINED to HELD and from HELD to RETAINED.  These two steps change neither
 * the quotas nor the list of owners.  All other changes are made with the mutex held.
 * So a retained slot is either used by its owner or reclaimed for a waiter, never both.
 */
typedef union PadvSlotWord
{
	struct
	{
		pg_atomic_uint64 word;
		pg_atomic_uint32 polls; /* its statement only waits for other
								 * sessions, by what xact_hooks.c has seen;
								 * only the owner writes it */
		pg_atomic_uint32 turned_long;	/* its transaction is long by its age;
										 * written with the mutex held */
		pg_atomic_uint64 query_id;	/* of the first statement of its
									 * transaction that works; only the owner
									 * writes it */
	};
	char		line[PG_CACHE_LINE_SIZE];
} PadvSlotWord;

typedef enum PadvSlotState
{
	SLOT_NONE,					/* no slot, or still waiting for one */
	SLOT_HELD,					/* a transaction runs */
	SLOT_RETAINED,				/* kept for the session's next transaction,
								 * until it is reclaimed for a waiter */
	SLOT_SUSPENDED,				/* idle in its transaction, and not counted */
} PadvSlotState;

/*
 * The word: the state in 2 bits, above it `since`.  Of RETAINED that is monotonic, in
 * microseconds, or 0.  Of HELD it is the TimestampTz at which the statement that uses the
 * slot began, because that needs no look at the clock, or its wait ended; 0 until a
 * waiter that was granted the slot is awake.
 */
#define SLOT_WORD(state, since) (((uint64) (since) << 2) | (state))
#define SLOT_STATE(word) ((PadvSlotState) ((word) & 3))
#define SLOT_SINCE(word) ((int64) ((word) >> 2))

/* The parts of the shared memory; each process sets them at its start. */
extern PadvAdmissionShared *padv_admission;
extern PadvBackend *padv_backends;
extern PadvLimitState *padv_limit_states;
extern PadvQueueStats *padv_queue_stats;
extern PadvRoleState *padv_role_table;
extern PadvWaitQueue padv_login_queue;
extern PadvWaitQueue padv_xact_queue;
extern PadvSlotWord *padv_slot_words;	/* by backend */
extern int32 *padv_slot_owners; /* backends that have a slot, retained ones
								 * included */
extern int32 *padv_needed;		/* waiting backends that other sessions may
								 * wait for */

/* The entry of this process, or NULL. */
extern PadvBackend *padv_my_backend;

#define PADV_SERVER_QUOTA PADV_MAX_LIMITS
#define PADV_LANE_QUOTA (PADV_MAX_LIMITS + 1)
#define PADV_QUERY_QUOTA(entry) (PADV_MAX_LIMITS + 2 + (entry))
#define PADV_ROLE_QUOTA(number) (PADV_QUERY_QUOTA(PADV_QUERY_ENTRIES) + (number))

/*
 * Set the limits of a quota; value is indexed by PadvLimitSetting.  Call it with the
 * mutex held, or during start-up.
 */
extern void padv_limit_state_set(int quota, const int32 *value, PadvEnforcement enforcement);

/* Set only the share of the server's slots.  Lock as above. */
extern void padv_limit_state_set_share(int quota, const int32 *value, int share_order);

/*
 * Set only the queue length and queue timeout of its transactions.  The server's quota
 * and the lane of long transactions take those of the default limit.  Lock as above.
 */
extern void padv_limit_state_set_queue(int quota, const int32 *value);

/*
 * The watch of the waits at this quota that are like those of the request: at the
 * server's quota, of its flow.  And how many waiters there are with these.
 */
static inline PadvQueueWatch *
padv_queue_watch_of(const PadvRequest *request, int32 quota)
{
	return quota == PADV_SERVER_QUOTA ? &padv_limit_states[request->flows[PADV_OUTER]].flow_watch : &padv_limit_states[quota].watch;
}

static inline int32
padv_waiters_like(const PadvRequest *request, int32 quota)
{
	return quota == PADV_SERVER_QUOTA ? padv_limit_states[request->flows[PADV_OUTER]].flow.linked : padv_limit_states[quota].active.linked;
}

/* The query whose limit a quota is, or 0.  Call it with the mutex held. */
static inline int64
padv_query_of_quota(int32 quota)
{
	bool		of_query = quota >= PADV_QUERY_QUOTA(0) && quota < PADV_QUERY_QUOTA(PADV_QUERY_ENTRIES);

	return of_query ? (int64) padv_admission->query_entries.query_id[quota - PADV_QUERY_QUOTA(0)] : 0;
}

/*
 * The limit on transactions as it is set, without what the stall monitor adds to it.
 * Reads one word.  A caller that acts on the result holds the mutex.
 */
static inline int32
padv_slot_limit_of(int32 quota)
{
	return quota == PADV_SERVER_QUOTA ? padv_admission->server_max_active :
		padv_limit_states[quota].value[PADV_MAX_ACTIVE];
}

/*
 * Count this session as closing at all of its quotas, or no longer.  Call it with the
 * mutex held.
 */
extern void padv_admission_count_closing(int change);

/*
 * The enforcement for logins: as the worker has installed it, but not stricter than
 * the current setting.  So the DBA can turn limits off while there is no worker.  Call
 * it with the mutex held.
 */
static inline PadvEnforcement
padv_login_enforcement(void)
{
	int			set = padv_enforcement_now();

	return (PadvEnforcement) Min(padv_admission->enforcement, set);
}

/*
 * Count something for the server, and at the queue of a quota, if that is not
 * PADV_NO_QUOTA.  counter is a field of PadvSlotTotals.  Call it with the mutex held.
 */
#define PADV_COUNT_AT(quota, counter, by) \
	do { \
		padv_admission->slot_totals.counter += (by); \
		if ((quota) != PADV_NO_QUOTA) \
			padv_queue_stats[padv_limit_states[quota].stats].totals.counter += (by); \
	} while (0)

/* Begin to count anew at the queue of this quota.  Call it with the mutex held. */
extern void padv_queue_stats_begin(int quota, Oid role, Oid database);

/*
 * Slots.  Call these with the mutex held; none of them raises.
 *
 * find_flow: the flow of the backend's transactions, that of the limit that sets their
 *		share, or of its role.
 * find_quotas: set the quotas of the backend's next request for a slot, by its lane.
 * note_granted: for requests that the queue has granted: set their slot words and add
 *		them to the owners.  Writes the process numbers whose latches the caller sets
 *		after it has released the mutex.
 * drop: end a request or a slot; its word gets this state.  Writes process numbers
 *		likewise, PADV_MAX_REQUEST_QUOTAS at most, and returns how many.
 * limits_changed: make all sessions look up their quotas again.
 */
extern int32 padv_slot_find_flow(PadvBackend *backend);
extern void padv_slot_find_quotas(PadvBackend *backend);
extern void padv_slots_note_granted(const int32 *granted_list, int count, int32 *procnos);
extern int	padv_slot_drop(PadvBackend *backend, PadvSlotState state, int64 now, int32 *procnos);
extern void padv_slot_limits_changed(void);

/*
 * Grant a slot to this backend's waiting transaction, whatever the limits say.  Returns
 * false when it does not wait any more.  Takes the mutex; sets the latch.
 */
extern bool padv_slot_overcommit(int32 number);

/*
 * Set the role and database of a backend, and the quotas of its login from limits that
 * padv_limits_of has found.  Does not count the session in them.  Call it with the
 * mutex held.
 */
extern void padv_backend_identify(PadvBackend *backend, Oid role, Oid database,
								  const int32 *limits, int nlimits);

/*
 * The backend's entry in the role table; the first call finds or creates it.  Valid
 * while the mutex is held.
 */
extern PadvRoleState *padv_backend_role(PadvBackend *backend);

/* The counters of its role, for a caller that adds to them.  Likewise. */
extern PadvRoleCounters *padv_backend_counters(PadvBackend *backend);

/* Count the end of a login's wait in the queue.  Call it with the mutex held. */
extern void padv_backend_end_wait(PadvBackend *backend, int64 now);

/*
 * For logins that the queue has granted, by their indexes.  Note them with the mutex
 * held, then release the mutex, then set their latches with padv_backends_wake.
 */
extern void padv_logins_note_granted(const int32 *granted_list, int count, int64 now, int32 *procnos);
extern void padv_backends_wake(const int32 *procnos, int count);

/*
 * Grant the waiters that the last calls on a queue have left unsettled, some at a time.
 * Call it without the mutex, after padv_queue_release and padv_queue_set_limit.
 */
extern void padv_admission_settle(void);
extern void padv_slots_settle(void);

#endif							/* PADV_ADMISSION_INTERNAL_H */
