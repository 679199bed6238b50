/*
 * session_admission.c
 *		A login asks to come in, waits in line, and gives its place back.
 *
 * admission_internal.h says which lock guards what.  Nothing here waits: login_hook.c does, on
 * its latch.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <math.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/ipc.h"

#include "clock.h"
#include "compat.h"
#include "settings.h"
#include "shmem/admission_internal.h"

/* Would-be refusals of a role are logged this often at most. */
#define REPORT_INTERVAL_US 1000000

void
padv_logins_settle(void)
{
	int32		entered[PADV_MAX_PLACE_ACCOUNTS];
	int32		procnos[PADV_MAX_PLACE_ACCOUNTS];
	int64		now = padv_monotonic_us();

	/* what this process has left is seen; what others leave they settle */
	while (*(volatile int32 *) &padv_admission->head.unsettled > 0)
	{
		int			count;

		SpinLockAcquire(&padv_admission->mutex);
		count = padv_line_settle(&padv_line, entered);
		padv_note_entered(entered, count, now, procnos);
		SpinLockRelease(&padv_admission->mutex);
		padv_wake(procnos, count);
	}
}

/* Give the place back, or leave the line; be nobody. */
void
padv_admission_withdraw(void)
{
	int32		entered[PADV_MAX_PLACE_ACCOUNTS];
	int32		procnos[PADV_MAX_PLACE_ACCOUNTS];
	PadvPlace  *place = &padv_my_slot->place;
	int32		turn_procnos[PADV_MAX_PLACE_ACCOUNTS];
	int64		now = padv_monotonic_us();
	int			turn_count;
	int			count;

	SpinLockAcquire(&padv_admission->mutex);
	turn_count = padv_drop_turn(padv_my_slot, TURN_OUT, turn_procnos);
	if (place->state == PADV_PLACE_WAITING)
		padv_account_for_wait(padv_my_slot, now);
	if (padv_my_slot->closing_account != NO_ACCOUNT)
		padv_accounts[padv_my_slot->closing_account].closing--;
	padv_my_slot->closing_account = NO_ACCOUNT;
	if (place->state == PADV_PLACE_IN)
		padv_admission->inside--;
	count = padv_line_leave(&padv_line, place, entered);
	padv_note_entered(entered, count, now, procnos);
	padv_identify_slot(padv_my_slot, InvalidOid, InvalidOid, NULL, 0);
	padv_my_slot->generation = 0;
	SpinLockRelease(&padv_admission->mutex);
	padv_wake(turn_procnos, turn_count);
	padv_wake(procnos, count);
	padv_turns_settle();
	padv_logins_settle();
}

/* At the end of the process, which is past its PGPROC. */
static void
leave(int code pg_attribute_unused(), Datum arg pg_attribute_unused())
{
	/* a child that was forked and did not exec has nothing to give back */
	if (padv_my_slot->pid == getpid())
		padv_admission_withdraw();
}

void
padv_admission_announce(void)
{
	on_proc_exit(leave, (Datum) 0);
	padv_my_slot = &padv_slots[MyPMChildSlot - 1];

	SpinLockAcquire(&padv_admission->mutex);
	padv_my_slot->pid = MyProcPid;
	padv_my_slot->procno = padv_my_procno();
	padv_my_slot->status_index = padv_my_status_index();
	padv_my_slot->role = InvalidOid;
	padv_my_slot->database = InvalidOid;
	padv_my_slot->generation = 0;
	padv_my_slot->role_number = -1;
	padv_my_slot->closing_account = NO_ACCOUNT;
	SpinLockRelease(&padv_admission->mutex);
	pg_atomic_write_u32(&padv_my_slot->asked_by, NO_ACCOUNT);
}

/* Our place, which is nobody's, is in from now on.  The mutex is held. */
static void
come_in(void)
{
	padv_line_enter(&padv_line, &padv_my_slot->place);
	padv_admission->inside++;
}

void
padv_admission_enter(void)
{
	SpinLockAcquire(&padv_admission->mutex);
	come_in();
	SpinLockRelease(&padv_admission->mutex);
}

/* As padv_line_full_account has it, but also where caps are only observed. */
static bool
is_full(int account)
{
	return padv_accounts[account].max_sessions >= 0 &&
		(padv_accounts[account].counts.in_use >= padv_accounts[account].max_sessions ||
		 padv_accounts[account].counts.standing > 0);
}

/*
 * Describe the first account of a place that is full; false when none is.
 * *can_wait is whether all that are have room in line: who waits for another
 * account does not take any of it.
 */
static bool
find_full(const PadvPlace *place, PadvFullCap *full, bool *can_wait)
{
	bool		found = false;

	*can_wait = true;
	for (int i = 0; i < place->naccounts; i++)
	{
		int			account = place->accounts[i];
		const Account *rule = &padv_accounts[account];
		int			standing = rule->counts.standing;

		if (!is_full(account))
			continue;
		if (rule->queue_length >= 0 && standing >= rule->queue_length)
			*can_wait = false;
		if (!found)
		{
			full->cap = account < PADV_MAX_CAPS ? account : PADV_DEFAULT_CAP;
			full->max_sessions = rule->max_sessions;
			full->in_use = rule->counts.in_use;
			full->queue_length = rule->queue_length;
			full->waiting = standing;
			full->queue_timeout = rule->queue_timeout;
		}
		full->queue_timeout = Min(full->queue_timeout, rule->queue_timeout);
		found = true;
	}
	return found;
}

/*
 * Whether one more may wait.  Who waits has a connection, so all of them together
 * take no more than a share of what sessions have left.
 */
static bool
share_allows(PadvFullCap *full)
{
	int32		usable = MaxConnections - padv_reserved_connections();

	full->free = Max(usable - padv_admission->inside, 0);
	full->all_waiting = padv_admission->head.waiting;

	/* a share such as 0.29 of 100 must not become 28 */
	return full->all_waiting < (int32) floor(padv_queue_share * full->free + 1e-9);
}

/* Whether a would-be refusal of this role is worth a line in the log. */
static void
decide_report(Role *role, int64 now, PadvFullCap *full)
{
	full->report = role->reported_at == 0 || now - role->reported_at >= REPORT_INTERVAL_US;
	full->unreported = role->unreported;
	role->unreported = full->report ? 0 : role->unreported + 1;
	if (full->report)
		role->reported_at = now;
}

static PadvAnswer
answer(PadvPlace *place, int64 now, bool able, PadvFullCap *full)
{
	PadvEnforcement enforcement = padv_login_enforcement();
	Role	   *role;
	PadvRoleCounters *counters;
	bool		can_wait;

	if (enforcement == PADV_ENFORCEMENT_OFF || !find_full(place, full, &can_wait))
	{
		come_in();
		return PADV_ANSWER_IN;
	}
	if (!able)
		return PADV_ANSWER_FULL;
	role = padv_role_of(padv_my_slot);
	counters = padv_counters_of(padv_my_slot);
	if (enforcement == PADV_ENFORCEMENT_OBSERVE)
	{
		come_in();
		counters->would_refuse++;
		decide_report(role, now, full);
		return PADV_ANSWER_IN_BY_OBSERVING;
	}
	full->by_share = can_wait && !share_allows(full);
	if (!can_wait || full->by_share)
	{
		counters->refused++;
		padv_admission->totals.refused++;
		return PADV_ANSWER_REFUSED;
	}
	padv_my_slot->waiting_since = now;
	padv_line_stand(&padv_line, place);
	counters->waiting++;
	return PADV_ANSWER_WAIT;
}

PadvAnswer
padv_admission_ask(Oid role, const PadvSessionCaps *caps, bool able, PadvFullCap *full)
{
	PadvAnswer	result = PADV_ANSWER_ASK_AGAIN;
	int64		now = padv_monotonic_us();

	SpinLockAcquire(&padv_admission->mutex);
	if (padv_admission->generation == caps->generation)
	{
		padv_identify_slot(padv_my_slot, role, caps->database, caps->caps, caps->count);
		padv_my_slot->generation = caps->generation;
		result = answer(&padv_my_slot->place, now, able, full);
	}
	SpinLockRelease(&padv_admission->mutex);
	return result;
}

void
padv_admission_count_wait(void)
{
	SpinLockAcquire(&padv_admission->mutex);
	padv_counters_of(padv_my_slot)->queued++;
	padv_admission->totals.queued++;
	SpinLockRelease(&padv_admission->mutex);
}

bool
padv_admission_is_in(void)
{
	bool		result;

	SpinLockAcquire(&padv_admission->mutex);
	result = padv_my_slot->place.state == PADV_PLACE_IN;
	SpinLockRelease(&padv_admission->mutex);
	return result;
}

/*
 * Leave the line, which can make room for others; writes whose latches to set and
 * returns their number.  The mutex is held.
 */
static int
leave_line(int64 now, int32 *procnos)
{
	int32		entered[PADV_MAX_PLACE_ACCOUNTS];
	int			count;

	padv_account_for_wait(padv_my_slot, now);
	count = padv_line_leave(&padv_line, &padv_my_slot->place, entered);
	padv_note_entered(entered, count, now, procnos);
	return count;
}

void
padv_admission_pass(void)
{
	int32		me = padv_my_slot - padv_slots;
	int64		now = padv_monotonic_us();
	int32		procno;

	SpinLockAcquire(&padv_admission->mutex);
	if (padv_my_slot->place.state == PADV_PLACE_WAITING)
	{
		padv_line_grant(&padv_line, &padv_my_slot->place);
		padv_note_entered(&me, 1, now, &procno);
	}
	SpinLockRelease(&padv_admission->mutex);
}

bool
padv_admission_give_up(bool timed_out)
{
	int64		now = padv_monotonic_us();
	int32		procnos[PADV_MAX_PLACE_ACCOUNTS];
	int			count = 0;
	bool		result;

	SpinLockAcquire(&padv_admission->mutex);
	result = padv_my_slot->place.state == PADV_PLACE_WAITING;
	if (result)
	{
		count = leave_line(now, procnos);
		padv_counters_of(padv_my_slot)->timed_out += timed_out;
		padv_counters_of(padv_my_slot)->refused++;
		padv_admission->totals.refused++;
	}
	SpinLockRelease(&padv_admission->mutex);
	padv_wake(procnos, count);
	padv_logins_settle();
	return result;
}

/* Whether the accounts of our place are already those of these caps. */
static bool
is_counted_under(const PadvPlace *place, Oid role, const PadvSessionCaps *caps)
{
	if (padv_my_slot->role != role || padv_my_slot->generation != caps->generation ||
		place->naccounts != caps->count)
		return false;
	for (int i = 0; i < caps->count; i++)
		if (caps->caps[i] == PADV_DEFAULT_CAP ? place->accounts[i] < PADV_MAX_CAPS :
			place->accounts[i] != caps->caps[i])
			return false;
	return true;
}

bool
padv_admission_identify(Oid role, Oid database, const PadvSessionCaps *caps)
{
	PadvPlace  *place = &padv_my_slot->place;
	int32		entered[PADV_MAX_PLACE_ACCOUNTS];
	int32		procnos[PADV_MAX_PLACE_ACCOUNTS];
	int64		now = padv_monotonic_us();
	int			count = 0;
	bool		result;

	SpinLockAcquire(&padv_admission->mutex);
	result = padv_admission->generation == caps->generation;
	if (result && !is_counted_under(place, role, caps))
	{
		PadvPlace	before = *place;

		/* take the new place before the old one is given to others */
		padv_identify_slot(padv_my_slot, role, database, caps->caps, caps->count);
		padv_line_enter(&padv_line, place);
		count = padv_line_leave(&padv_line, &before, entered);
		padv_note_entered(entered, count, now, procnos);
	}
	padv_my_slot->role = role;
	padv_my_slot->database = database;
	if (result)
		padv_my_slot->generation = caps->generation;
	SpinLockRelease(&padv_admission->mutex);
	padv_wake(procnos, count);
	padv_logins_settle();
	return result;
}
