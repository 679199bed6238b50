/*
 * admission.h
 *		Which sessions are admitted, which logins wait, and which are refused.
 *
 * Used by client backends at login and at the end of a transaction (hooks/), by the
 * worker (worker/), and by the SQL functions (sql/).  The functions take the spinlock
 * of admission_internal.h, so the caller must not hold it.  None of them sleeps.
 * Sessions are identified by role and database OIDs; durations are in the units that
 * the names or comments give.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ADMISSION_H
#define PADV_ADMISSION_H

#include "core/policy/limits.h"
#include "core/policy/slot_stats.h"
#include "shmem/limits_shmem.h"

/*
 * How many roles have their own counters in monitoring.  The first roles for which
 * something is counted are tracked, and stay tracked.  So the sum over all other
 * roles never goes down.
 */
#define PADV_ROLES_TRACKED 50

/* What is counted for a role since the server started; none ever goes down. */
typedef enum PadvRoleCounter
{
	PADV_ROLE_REFUSED,			/* logins, those that timed out included */
	PADV_ROLE_QUEUED,			/* logins that had to wait */
	PADV_ROLE_TIMED_OUT,		/* logins */
	PADV_ROLE_WOULD_REFUSE,		/* logins let in by enforcement = observe */
	PADV_ROLE_CLOSED_IDLE,		/* sessions, after session_idle_timeout */
	PADV_ROLE_QUEUE_WAIT_US,	/* of logins */
	PADV_ROLE_XACTS_QUEUED,		/* transactions that had to wait */
	PADV_ROLE_XACT_WAIT_US,
} PadvRoleCounter;

#define PADV_ROLE_COUNTERS (PADV_ROLE_XACT_WAIT_US + 1)

typedef struct PadvRoleCounters
{
	Oid			role;			/* InvalidOid: all roles without an entry */
	bool		tracked;		/* one of PADV_ROLES_TRACKED */
	int32		waiting;		/* logins in the queue now */
	int64		count[PADV_ROLE_COUNTERS];
} PadvRoleCounters;

/* Whether any counter of this role that monitoring shows is above 0. */
static inline bool
padv_has_counted(const PadvRoleCounters *counters)
{
	for (int i = 0; i < PADV_ROLE_COUNTERS; i++)
		if (counters->count[i] > 0)
			return true;
	return false;
}

/* Add what was counted for one to another. */
static inline void
padv_role_counters_add(PadvRoleCounters *sum, const PadvRoleCounters *counters)
{
	for (int i = 0; i < PADV_ROLE_COUNTERS; i++)
		sum->count[i] += counters->count[i];
}

/* A limit that is reached, as of the moment when it was checked. */
typedef struct PadvFullLimit
{
	int32		limit;			/* index, or PADV_DEFAULT_LIMIT */
	int32		max_sessions;
	int32		in_use;
	int32		queue_length;
	int32		waiting;		/* logins in the queue because of it */
	int32		queue_timeout;	/* milliseconds; the shortest of all full
								 * limits */
	bool		by_share;		/* its queue is not full, but queue_share is
								 * reached */
	int32		free;			/* connections without a session, of those
								 * that ordinary roles can have */
	int32		all_waiting;	/* logins in the queue, for any limit */
	bool		report;			/* write it to the log now */
	int32		unreported;		/* how many were not logged before this one */
} PadvFullLimit;

typedef enum PadvAdmissionResult
{
	PADV_ADMISSION_GRANTED,
	PADV_ADMISSION_OBSERVED,	/* granted; *full says why it would not be, if
								 * limits were enforced */
	PADV_ADMISSION_QUEUED,		/* waits in the queue, because of *full */
	PADV_ADMISSION_REFUSED,		/* because of *full */
	PADV_ADMISSION_FULL,		/* one of the three above: check whether the
								 * role may connect, and try again */
	PADV_ADMISSION_RETRY,		/* the limits have changed meanwhile */
} PadvAdmissionResult;

/* A session that could be closed if it is idle. */
typedef struct PadvIdleCandidate
{
	int32		backend;		/* for padv_admission_ask_to_close */
	int32		pid;
	int32		status_index;	/* as PadvSession.status_index */
	int32		nquotas;		/* its quotas, all above their min_sessions */
	int32		quotas[PADV_MAX_SESSION_LIMITS];
} PadvIdleCandidate;

/* How far a quota is above its min_sessions. */
typedef struct PadvBeyondMin
{
	int32		sessions;		/* how many can be closed; 0 for most quotas */
	int32		idle_timeout;	/* milliseconds; how long they must be idle */
} PadvBeyondMin;

/*
 * Bytes of shared memory, and its set-up in each process.  For the shared memory
 * hooks, with AddinShmemInitLock held for the second.
 */
extern Size padv_admission_shmem_size(void);
extern void padv_admission_shmem_init(void);

/*
 * For the login of this process, which must be a client backend.  None blocks or
 * throws, except that announce may hit out-of-memory.
 *
 * announce: register this backend, until the process exits.  Call it first, and once.
 * enter: admit this session without a check.  padv_admission_identify says later
 *		which role and database it has.
 * try: admit, queue or refuse a session of a role that is not exempt.  `able` says
 *		that PostgreSQL's own rules let the role connect.  Pass false at first; that
 *		is only needed where a limit is reached, which PADV_ADMISSION_FULL says.
 *		*full is written for OBSERVED, QUEUED and REFUSED.
 * count_wait: count this login as queued.  A login that ends its wait before it has
 *		slept does not call it.
 * granted: whether a login that waits has been admitted.
 * bypass: leave the queue and be admitted, whatever the limits say.
 * release: give up admission or the wait, to call try again.
 * cancel: leave the queue, and count the login as refused, and as timed out if
 *		timed_out is true.  Returns false when it was admitted before.
 */
extern void padv_admission_announce(void);
extern void padv_admission_enter(void);
extern PadvAdmissionResult padv_admission_try(Oid role, const PadvSessionLimits *limits, bool able,
											  PadvFullLimit *full);
extern void padv_admission_count_wait(void);
extern bool padv_admission_granted(void);
extern void padv_admission_bypass(void);
extern void padv_admission_release(void);
extern bool padv_admission_cancel(bool timed_out);

/*
 * Set role and database of this session, and count it under these limits.  A session
 * may have been admitted while there were no limits, or before its database was known.
 * Returns false when the limits are of another generation: the caller looks them up
 * again and retries.  Does not raise.
 */
extern bool padv_admission_identify(Oid role, Oid database, const PadvSessionLimits *limits);

/*
 * Closing idle sessions.  The worker asks a session to close.  The session itself
 * decides, at a moment when it is certainly idle.  None of them raises.
 *
 * backends, quotas: how many backends and quotas there can be.  They are constant
 *		while the server runs.
 * idle_candidates: write the sessions that could be closed to the caller's array of
 *		padv_admission_backends() elements, and return their number.  If that is above
 *		0, `beyond` is written, which has padv_admission_quotas() elements.
 * ask_to_close: signal that session to check whether it should close, for this quota.
 * asked_to_close: the quota for which this session was asked to close, or -1.  Clears
 *		the request.
 * may_close: whether all quotas of this session are still above their min_sessions, and
 *		the session was idle for the idle timeout of that quota.  If so, the session is
 *		counted as closed and must end.  idle_ms is in milliseconds.
 */
extern int	padv_admission_backends(void);
extern int	padv_admission_quotas(void);
extern int	padv_admission_idle_candidates(PadvIdleCandidate *candidates,
										   PadvBeyondMin *beyond);
extern void padv_admission_ask_to_close(const PadvIdleCandidate *candidate, int32 quota);
extern int	padv_admission_asked_to_close(void);
extern bool padv_admission_may_close(int quota, int64 idle_ms);

/*
 * Count all sessions and transactions again under these limits, and grant the waiters
 * that now fit.  Of two concurrent calls, the one with the higher generation wins.
 *
 * create allocates all memory in the current memory context and may raise; the
 * rebuild itself does not.  free gives the memory back.
 */
typedef struct PadvRebuild PadvRebuild;

extern PadvRebuild *padv_admission_rebuild_create(void);
extern void padv_admission_rebuild(PadvRebuild *rebuild, const PadvLimits *limits,
								   uint32 generation);
extern void padv_admission_rebuild_free(PadvRebuild *rebuild);

/* Generation of the limits that sessions are counted under. */
extern uint32 padv_admission_generation(void);

/*
 * Copy the counters of all roles to an array in the current memory context; returns
 * the number of elements.  May raise out-of-memory.
 * padv_role_counters_find returns those of a role in the copy, or NULL.
 */
extern int	padv_admission_copy_counters(PadvRoleCounters **counters);
extern PadvRoleCounters *padv_role_counters_find(PadvRoleCounters *counters, int count, Oid role);

/* Set the counters to 0, except the number of waiting logins. */
extern void padv_admission_reset_counters(void);

/* Counters over all roles. */
typedef struct PadvAdmissionTotals
{
	int64		waiting;		/* logins in the queue now */
	int64		refused;		/* since the server started */
	int64		queued;
} PadvAdmissionTotals;

extern void padv_admission_totals(PadvAdmissionTotals *totals);

/*
 * Write the number of sessions under each of the nlimits limits of this generation to
 * in_use, and the highest number that one role has under the default limit.  Returns
 * false, with in_use not written, when another generation is in force.
 */
extern bool padv_admission_in_use(uint32 generation, int nlimits, int32 *in_use,
								  int32 *default_in_use);

#endif							/* PADV_ADMISSION_H */
