/*
 * admission.h
 *		Who is in, who waits, and who was turned away.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ADMISSION_H
#define PADV_ADMISSION_H

#include "core/policy/limits.h"
#include "core/policy/slot_stats.h"
#include "shmem/limits_shmem.h"

/*
 * How many roles have counters of their own wherever there must not be one for
 * each role.  The first of whom something is counted get these places and keep
 * them, so that the sum of all others never goes down.
 */
#define PADV_ROLES_TRACKED 50

/* What has been counted for a role since the server started. */
typedef struct PadvRoleCounters
{
	Oid			role;			/* InvalidOid: roles without a place */
	bool		tracked;		/* has one of PADV_ROLES_TRACKED */
	int32		waiting;		/* logins in the queue now */
	int64		refused;		/* logins turned away, timed_out included */
	int64		queued;			/* logins that had to wait */
	int64		timed_out;
	int64		would_refuse;	/* let in by enforcement = observe */
	int64		closed_idle;	/* sessions closed after session_idle_timeout */
	int64		waited_us;
	int64		turns_waited;	/* transactions that had to wait */
	int64		turns_waited_us;
} PadvRoleCounters;

static inline bool
padv_has_counted(const PadvRoleCounters *counters)
{
	return counters->refused + counters->queued + counters->would_refuse +
		counters->closed_idle + counters->turns_waited > 0;
}

/* A limit that has no room, as of the moment it was found so. */
typedef struct PadvFullLimit
{
	int32		limit;			/* index, or PADV_DEFAULT_LIMIT */
	int32		max_sessions;
	int32		in_use;
	int32		queue_length;
	int32		waiting;		/* logins in the queue because of it */
	int32		queue_timeout;	/* milliseconds; the shortest of all full
								 * limits */
	bool		by_share;		/* it has room in the queue, but queue_share
								 * has none */
	int32		free;			/* connections without a session, of those
								 * that ordinary roles can have */
	int32		all_waiting;	/* logins in the queue, whatever the limit */
	bool		report;			/* worth a queue in the log now */
	int32		unreported;		/* how many were not, before this */
} PadvFullLimit;

typedef enum PadvAdmissionResult
{
	PADV_ADMISSION_GRANTED,
	PADV_ADMISSION_OBSERVED,	/* *full says why it would not be */
	PADV_ADMISSION_QUEUED,		/* in the queue, because of *full */
	PADV_ADMISSION_REFUSED,		/* because of *full */
	PADV_ADMISSION_FULL,		/* one of the three above, if it is able to
								 * connect: see to that, and ask again */
	PADV_ADMISSION_RETRY,		/* the limits have changed meanwhile */
} PadvAdmissionResult;

/* A session that could be closed if it is idle. */
typedef struct PadvIdleCandidate
{
	int32		backend;		/* for padv_admission_ask_to_close */
	int32		pid;
	int32		status_index;	/* as PadvSession.status_index */
	int32		nquotas;		/* those that are beyond their core */
	int32		quotas[PADV_MAX_SESSION_LIMITS];
} PadvIdleCandidate;

/* How far a quota is beyond its core. */
typedef struct PadvBeyondMin
{
	int32		sessions;		/* that can be closed; 0 for most */
	int32		idle_timeout;	/* when they are idle for this, milliseconds */
} PadvBeyondMin;

extern Size padv_admission_shmem_size(void);
extern void padv_admission_shmem_init(void);

/*
 * For the login of this process, which must be a client backend.  None of them
 * waits or raises, but that the first may run out of memory.
 *
 * announce: take a slot, which is given back when the process ends.  Call it
 * first, and once.
 * enter: count as in without asking; identify tells who it is later.
 * ask: as an ordinary role, which may be refused.  `able` is whether core is known
 *		to let it in afterwards; it is asked for only where there is no room.
 * count_wait: one that was told to wait does; else it never counts as queued.
 * is_in: whether a login that waits has been let in.
 * pass: leave the queue and be in, whether there is room or not.
 * withdraw: give the place back, to ask again.
 * give_up: leave the queue; false when it was let in before that.  It counts as
 *		refused, and as timed out if it is that.
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
 * Who this session is, once that is known for sure: it may have come in while
 * there were no limits, or without its database being looked up.  Returns false
 * when limits are needed to count it and these are not of the right generation;
 * the caller looks them up and tries again.
 */
extern bool padv_admission_identify(Oid role, Oid database, const PadvSessionLimits *limits);

/*
 * Closing idle sessions.  The worker asks; the session itself decides, at a
 * moment when it is idle for sure.
 *
 * idle_candidates writes to an array with room for padv_admission_backends()
 * elements, and to `beyond`, which has room for padv_admission_quotas(); the
 * latter only if it returns more than 0.
 *
 * asked_to_close is the quota to be relieved, or -1; the question is then
 * answered.  may_close is whether that quota is still beyond its core and
 * this is its keepalive's time; if so, this session is counted as closed, and
 * must end.
 */
extern int	padv_admission_backends(void);
extern int	padv_admission_quotas(void);
extern int	padv_admission_idle_candidates(PadvIdleCandidate *candidates,
										   PadvBeyondMin *beyond);
extern void padv_admission_ask_to_close(const PadvIdleCandidate *candidate, int32 quota);
extern int	padv_admission_asked_to_close(void);
extern bool padv_admission_may_close(int quota, int64 idle_ms);

/*
 * Count everybody anew under these limits and let in who can be.  Of two calls
 * at the same time the one with the higher generation stands.  The memory for
 * it is had before, so that it cannot fail.
 */
typedef struct PadvRebuild PadvRebuild;

extern PadvRebuild *padv_admission_rebuild_create(void);
extern void padv_admission_rebuild(PadvRebuild *rebuild, const PadvLimits *limits,
								   uint32 generation);
extern void padv_admission_rebuild_free(PadvRebuild *rebuild);

/* Of the limits that sessions are counted under. */
extern uint32 padv_admission_generation(void);

/* For readers; a copy in the current memory context, returns the number. */
extern int	padv_admission_copy_counters(PadvRoleCounters **counters);

/* Count from 0 again; who waits goes on waiting. */
extern void padv_admission_reset_counters(void);

/* Of all roles together. */
typedef struct PadvAdmissionTotals
{
	int64		waiting;		/* logins in the queue now */
	int64		refused;		/* since the server started */
	int64		queued;
} PadvAdmissionTotals;

extern void padv_admission_totals(PadvAdmissionTotals *totals);

/*
 * Sessions under each of the limits of this generation, nlimits of them, and the
 * most of one role under the default; false when the generation is over.
 */
extern bool padv_admission_in_use(uint32 generation, int nlimits, int32 *in_use,
								  int32 *default_in_use);

#endif							/* PADV_ADMISSION_H */
