/*
 * parts.h
 *		The shared memory of this room, for its own files only.
 *
 * One spinlock, `mutex`, guards all of it but Slot.asked_by.  It is a spinlock
 * because a place is given back when the process is all but gone: only after
 * its entry in pg_stat_activity and its PGPROC are, so that nobody ever sees
 * one session too many, and by then an LWLock cannot be waited for.  What is
 * done under it touches a few accounts, but for the recount after caps have
 * changed, which touches every session.  Latches are set after it.
 *
 * Accounts: one for each cap by its index, then one for each place in the
 * table of roles, which is the default's for that role.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ADMISSION_PARTS_H
#define PADV_ADMISSION_PARTS_H

#include "port/atomics.h"
#include "storage/spin.h"

#include "admission/admission.h"
#include "core/line.h"

#define NO_ACCOUNT (-1)

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

	/* not guarded: an account that wants it closed, or NO_ACCOUNT */
	pg_atomic_uint32 asked_by;
} Slot;

/* An account, and what it does beside counting. */
typedef struct Account
{
	PadvAccount counts;			/* must be first; its limit is the one that is
								 * enforced */
	int32		max_sessions;	/* -1: none */
	int32		core_sessions;	/* -1: all are kept */
	int32		keepalive;		/* milliseconds */
	int32		queue_length;
	int32		queue_timeout;
	int32		closing;		/* sessions that end because of it */
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
	PadvAdmissionTotals totals; /* but the waiting ones, who are in head */
} Admission;

/* Where the parts are; set in each process. */
extern Admission *padv_admission;
extern Slot *padv_slots;
extern Account *padv_accounts;
extern Role *padv_role_table;
extern PadvLine padv_line;

/* This process' own, or NULL. */
extern Slot *padv_my_slot;

#define PADV_ROLE_ACCOUNT(number) (PADV_MAX_CAPS + (number))

/* What an account does from now on, by PadvCapSetting.  The mutex is held. */
extern void padv_set_rule(int account, const int32 *value, PadvEnforcement enforcement);

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
 * Those who were let in, as core/line.c names them.  Note them with the mutex
 * held, then release it, then wake them.
 */
extern void padv_note_entered(const int32 *entered, int count, int64 now, int32 *procnos);
extern void padv_wake(const int32 *procnos, int count);

#endif							/* PADV_ADMISSION_PARTS_H */
