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
#define PADV_ROLES_TOLD_APART 50

/* What has been counted for a role since the server started. */
typedef struct PadvRoleCounters
{
	Oid			role;			/* InvalidOid: roles without a place */
	bool		told_apart;		/* has one of PADV_ROLES_TOLD_APART */
	int32		waiting;		/* logins in line now */
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

/* A cap that has no room, as of the moment it was found so. */
typedef struct PadvFullCap
{
	int32		cap;			/* index, or PADV_DEFAULT_CAP */
	int32		max_sessions;
	int32		in_use;
	int32		queue_length;
	int32		waiting;		/* logins in line because of it */
	int32		queue_timeout;	/* milliseconds; the shortest of all full caps */
	bool		by_share;		/* it has room in line, but queue_share has
								 * none */
	int32		free;			/* connections without a session, of those
								 * that ordinary roles can have */
	int32		all_waiting;	/* logins in line, whatever the cap */
	bool		report;			/* worth a line in the log now */
	int32		unreported;		/* how many were not, before this */
} PadvFullCap;

typedef enum PadvAnswer
{
	PADV_ANSWER_IN,
	PADV_ANSWER_IN_BY_OBSERVING,	/* *full says why it would not be */
	PADV_ANSWER_WAIT,			/* in line, because of *full */
	PADV_ANSWER_REFUSED,		/* because of *full */
	PADV_ANSWER_FULL,			/* one of the three above, if it is able to
								 * connect: see to that, and ask again */
	PADV_ANSWER_ASK_AGAIN,		/* the caps have changed meanwhile */
} PadvAnswer;

/* A session that could be closed if it is idle. */
typedef struct PadvIdleCandidate
{
	int32		slot;			/* for padv_admission_ask_to_close */
	int32		pid;
	int32		status_index;	/* as PadvSession.slot */
	int32		naccounts;		/* those that are beyond their core */
	int32		accounts[PADV_MAX_SESSION_CAPS];
} PadvIdleCandidate;

/* How far an account is beyond its core. */
typedef struct PadvBeyondCore
{
	int32		sessions;		/* that can be closed; 0 for most */
	int32		keepalive;		/* when they are idle for this, milliseconds */
} PadvBeyondCore;

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
 * pass: leave the line and be in, whether there is room or not.
 * withdraw: give the place back, to ask again.
 * give_up: leave the line; false when it was let in before that.  It counts as
 *		refused, and as timed out if it is that.
 */
extern void padv_admission_announce(void);
extern void padv_admission_enter(void);
extern PadvAnswer padv_admission_ask(Oid role, const PadvSessionCaps *caps, bool able,
									 PadvFullCap *full);
extern void padv_admission_count_wait(void);
extern bool padv_admission_is_in(void);
extern void padv_admission_pass(void);
extern void padv_admission_withdraw(void);
extern bool padv_admission_give_up(bool timed_out);

/*
 * Who this session is, once that is known for sure: it may have come in while
 * there were no caps, or without its database being looked up.  Returns false
 * when caps are needed to count it and these are not of the right generation;
 * the caller looks them up and tries again.
 */
extern bool padv_admission_identify(Oid role, Oid database, const PadvSessionCaps *caps);

/*
 * Closing idle sessions.  The worker asks; the session itself decides, at a
 * moment when it is idle for sure.
 *
 * idle_candidates writes to an array with room for padv_admission_slots()
 * elements, and to `beyond`, which has room for padv_admission_accounts(); the
 * latter only if it returns more than 0.
 *
 * asked_to_close is the account to be relieved, or -1; the question is then
 * answered.  may_close is whether that account is still beyond its core and
 * this is its keepalive's time; if so, this session is counted as closed, and
 * must end.
 */
extern int	padv_admission_slots(void);
extern int	padv_admission_accounts(void);
extern int	padv_admission_idle_candidates(PadvIdleCandidate *candidates,
										   PadvBeyondCore *beyond);
extern void padv_admission_ask_to_close(const PadvIdleCandidate *candidate, int32 account);
extern int	padv_admission_asked_to_close(void);
extern bool padv_admission_may_close(int account, int64 idle_ms);

/*
 * Count everybody anew under these caps and let in who can be.  Of two calls
 * at the same time the one with the higher generation stands.  The memory for
 * it is had before, so that it cannot fail.
 */
typedef struct PadvRecount PadvRecount;

extern PadvRecount *padv_admission_recount_create(void);
extern void padv_admission_recount(PadvRecount *recount, const PadvCaps *caps,
								   uint32 generation);
extern void padv_admission_recount_free(PadvRecount *recount);

/* Of the caps that sessions are counted under. */
extern uint32 padv_admission_generation(void);

/* For readers; a copy in the current memory context, returns the number. */
extern int	padv_admission_copy_counters(PadvRoleCounters **counters);

/* Count from 0 again; who waits goes on waiting. */
extern void padv_admission_reset_counters(void);

/* Of all roles together. */
typedef struct PadvAdmissionTotals
{
	int64		waiting;		/* logins in line now */
	int64		refused;		/* since the server started */
	int64		queued;
} PadvAdmissionTotals;

extern void padv_admission_totals(PadvAdmissionTotals *totals);

/*
 * Sessions under each of the caps of this generation, ncaps of them, and the
 * most of one role under the default; false when the generation is over.
 */
extern bool padv_admission_in_use(uint32 generation, int ncaps, int32 *in_use,
								  int32 *default_in_use);

#endif							/* PADV_ADMISSION_H */
