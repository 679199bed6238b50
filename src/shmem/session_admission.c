/*
 * session_admission.c
 *		Admission of a login: granting, queueing and refusing it, and its release.
 *
 * Runs in client backends.  admission_internal.h says which lock protects what.  Nothing
 * here sleeps: login_hook.c does, on the latch of the process.
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

/* Would-be refusals of a role are logged at most this often. */
#define REPORT_INTERVAL_US 1000000

void
padv_admission_settle(void)
{
	int32		granted_list[PADV_MAX_REQUEST_QUOTAS];
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];
	int64		now = padv_monotonic_us();

	while (!padv_queue_is_settled(&padv_login_queue))
	{
		int			count;

		SpinLockAcquire(&padv_admission->mutex);
		count = padv_queue_settle(&padv_login_queue, granted_list);
		padv_logins_note_granted(granted_list, count, now, procnos);
		SpinLockRelease(&padv_admission->mutex);
		padv_backends_wake(procnos, count);
	}
}

/* Release the session or leave the queue, and clear role and database. */
void
padv_admission_release(void)
{
	int32		granted_list[PADV_MAX_REQUEST_QUOTAS];
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];
	PadvRequest *request = &padv_my_backend->login;
	int32		slot_procnos[PADV_MAX_REQUEST_QUOTAS];
	int64		now = padv_monotonic_us();
	int			slot_count;
	int			count;

	SpinLockAcquire(&padv_admission->mutex);
	slot_count = padv_slot_drop(padv_my_backend, SLOT_NONE, now, slot_procnos);
	if (request->state == PADV_REQUEST_WAITING)
		padv_backend_end_wait(padv_my_backend, now);
	if (padv_my_backend->closing_quota != PADV_NO_QUOTA)
		padv_admission_count_closing(-1);
	padv_my_backend->closing_quota = PADV_NO_QUOTA;
	if (request->state == PADV_REQUEST_GRANTED)
		padv_admission->inside--;
	count = padv_queue_release(&padv_login_queue, request, granted_list);
	padv_logins_note_granted(granted_list, count, now, procnos);
	padv_backend_identify(padv_my_backend, InvalidOid, InvalidOid, NULL, 0);
	padv_my_backend->generation = 0;
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(slot_procnos, slot_count);
	padv_backends_wake(procnos, count);
	padv_slots_settle();
	padv_admission_settle();
}

/* on_proc_exit callback; runs after ProcKill(), so MyProc is gone. */
static void
release_login_at_exit(int code pg_attribute_unused(), Datum arg pg_attribute_unused())
{
	/* a forked child that did not exec has nothing to release */
	if (padv_my_backend->pid == getpid())
		padv_admission_release();
}

void
padv_admission_announce(void)
{
	on_proc_exit(release_login_at_exit, (Datum) 0);
	padv_my_backend = &padv_backends[MyPMChildSlot - 1];

	SpinLockAcquire(&padv_admission->mutex);
	padv_my_backend->pid = MyProcPid;
	padv_my_backend->procno = padv_my_procno();
	padv_my_backend->status_index = padv_my_status_index();
	padv_my_backend->role = InvalidOid;
	padv_my_backend->database = InvalidOid;
	padv_my_backend->generation = 0;
	padv_my_backend->role_number = -1;
	padv_my_backend->closing_quota = PADV_NO_QUOTA;
	SpinLockRelease(&padv_admission->mutex);
	pg_atomic_write_u32(&padv_my_backend->asked_by, PADV_NO_QUOTA);
}

/* Count this session as admitted.  The mutex is held. */
static void
admit_session(void)
{
	padv_queue_acquire(&padv_login_queue, &padv_my_backend->login);
	padv_admission->inside++;
}

void
padv_admission_enter(void)
{
	SpinLockAcquire(&padv_admission->mutex);
	admit_session();
	SpinLockRelease(&padv_admission->mutex);
}

/* As padv_queue_first_full, but also where limits are only observed. */
static bool
quota_is_reached(int quota)
{
	return padv_limit_states[quota].value[PADV_MAX_SESSIONS] >= 0 &&
		(padv_limit_states[quota].counts.in_use >= padv_limit_states[quota].value[PADV_MAX_SESSIONS] ||
		 padv_limit_states[quota].counts.linked > 0);
}

/*
 * Write the first full quota of a request to *full; false when no quota is full.
 * *can_wait says whether the queues of all full quotas have room.  A waiter counts only
 * in the queue of the quota at which it waits.
 */
static bool
find_full_limit(const PadvRequest *request, PadvFullLimit *full, bool *can_wait)
{
	bool		found = false;

	*can_wait = true;
	for (int i = 0; i < request->nquotas; i++)
	{
		int			quota = request->quotas[i];
		const PadvLimitState *state = &padv_limit_states[quota];
		int			linked = state->counts.linked;

		if (!quota_is_reached(quota))
			continue;
		if (state->value[PADV_QUEUE_LENGTH] >= 0 && linked >= state->value[PADV_QUEUE_LENGTH])
			*can_wait = false;
		if (!found)
		{
			full->limit = quota < PADV_MAX_LIMITS ? quota : PADV_DEFAULT_LIMIT;
			full->max_sessions = state->value[PADV_MAX_SESSIONS];
			full->in_use = state->counts.in_use;
			full->queue_length = state->value[PADV_QUEUE_LENGTH];
			full->waiting = linked;
			full->queue_timeout = state->value[PADV_QUEUE_TIMEOUT];
		}
		full->queue_timeout = Min(full->queue_timeout, state->value[PADV_QUEUE_TIMEOUT]);
		found = true;
	}
	return found;
}

/*
 * Whether one more login may wait.  A waiting login has a connection, so all waiting
 * logins together take at most a share of the connections that sessions leave free.
 */
static bool
share_allows(PadvFullLimit *full)
{
	int32		usable = MaxConnections - padv_reserved_connections();

	full->free = Max(usable - padv_admission->inside, 0);
	full->all_waiting = padv_admission->head.waiting;

	/* a share such as 0.29 of 100 must not become 28 */
	return full->all_waiting < (int32) floor(padv_queue_share * full->free + 1e-9);
}

/* Decide whether this would-be refusal is logged. */
static void
decide_login_report(PadvRoleState *role, int64 now, PadvFullLimit *full)
{
	full->report = role->reported_at == 0 || now - role->reported_at >= REPORT_INTERVAL_US;
	full->unreported = role->unreported;
	role->unreported = full->report ? 0 : role->unreported + 1;
	if (full->report)
		role->reported_at = now;
}

static PadvAdmissionResult
try_admit(PadvRequest *request, int64 now, bool able, PadvFullLimit *full)
{
	PadvEnforcement enforcement = padv_login_enforcement();
	PadvRoleState *role;
	PadvRoleCounters *counters;
	bool		can_wait;

	if (enforcement == PADV_ENFORCEMENT_OFF || !find_full_limit(request, full, &can_wait))
	{
		admit_session();
		return PADV_ADMISSION_GRANTED;
	}
	if (!able)
		return PADV_ADMISSION_FULL;
	role = padv_backend_role(padv_my_backend);
	counters = padv_backend_counters(padv_my_backend);
	if (enforcement == PADV_ENFORCEMENT_OBSERVE)
	{
		admit_session();
		counters->count[PADV_ROLE_WOULD_REFUSE]++;
		decide_login_report(role, now, full);
		return PADV_ADMISSION_OBSERVED;
	}
	full->by_share = can_wait && !share_allows(full);
	if (!can_wait || full->by_share)
	{
		counters->count[PADV_ROLE_REFUSED]++;
		padv_admission->totals.refused++;
		return PADV_ADMISSION_REFUSED;
	}
	padv_my_backend->waiting_since = now;
	padv_queue_enqueue(&padv_login_queue, request);
	counters->waiting++;
	return PADV_ADMISSION_QUEUED;
}

PadvAdmissionResult
padv_admission_try(Oid role, const PadvSessionLimits *limits, bool able, PadvFullLimit *full)
{
	PadvAdmissionResult result = PADV_ADMISSION_RETRY;
	int64		now = padv_monotonic_us();

	SpinLockAcquire(&padv_admission->mutex);
	if (padv_admission->generation == limits->generation)
	{
		padv_backend_identify(padv_my_backend, role, limits->database, limits->limits, limits->count);
		padv_my_backend->generation = limits->generation;
		result = try_admit(&padv_my_backend->login, now, able, full);
	}
	SpinLockRelease(&padv_admission->mutex);
	return result;
}

void
padv_admission_count_wait(void)
{
	SpinLockAcquire(&padv_admission->mutex);
	padv_backend_counters(padv_my_backend)->count[PADV_ROLE_QUEUED]++;
	padv_admission->totals.queued++;
	SpinLockRelease(&padv_admission->mutex);
}

bool
padv_admission_granted(void)
{
	bool		result;

	SpinLockAcquire(&padv_admission->mutex);
	result = padv_my_backend->login.state == PADV_REQUEST_GRANTED;
	SpinLockRelease(&padv_admission->mutex);
	return result;
}

/*
 * Leave the queue, which can make room for other logins.  Writes the process numbers
 * whose latches the caller sets, and returns how many.  The mutex is held.
 */
static int
dequeue_login(int64 now, int32 *procnos)
{
	int32		granted_list[PADV_MAX_REQUEST_QUOTAS];
	int			count;

	padv_backend_end_wait(padv_my_backend, now);
	count = padv_queue_release(&padv_login_queue, &padv_my_backend->login, granted_list);
	padv_logins_note_granted(granted_list, count, now, procnos);
	return count;
}

void
padv_admission_bypass(void)
{
	int32		me = padv_my_backend - padv_backends;
	int64		now = padv_monotonic_us();
	int32		procno;

	SpinLockAcquire(&padv_admission->mutex);
	if (padv_my_backend->login.state == PADV_REQUEST_WAITING)
	{
		padv_queue_grant(&padv_login_queue, &padv_my_backend->login);
		padv_logins_note_granted(&me, 1, now, &procno);
	}
	SpinLockRelease(&padv_admission->mutex);
}

bool
padv_admission_cancel(bool timed_out)
{
	int64		now = padv_monotonic_us();
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];
	int			count = 0;
	bool		result;

	SpinLockAcquire(&padv_admission->mutex);
	result = padv_my_backend->login.state == PADV_REQUEST_WAITING;
	if (result)
	{
		count = dequeue_login(now, procnos);
		padv_backend_counters(padv_my_backend)->count[PADV_ROLE_TIMED_OUT] += timed_out;
		padv_backend_counters(padv_my_backend)->count[PADV_ROLE_REFUSED]++;
		padv_admission->totals.refused++;
	}
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(procnos, count);
	padv_admission_settle();
	return result;
}

/* Whether this session is already counted under these limits. */
static bool
is_counted_under(const PadvRequest *request, Oid role, const PadvSessionLimits *limits)
{
	if (padv_my_backend->role != role || padv_my_backend->generation != limits->generation ||
		request->nquotas != limits->count)
		return false;
	for (int i = 0; i < limits->count; i++)
		if (limits->limits[i] == PADV_DEFAULT_LIMIT ? request->quotas[i] < PADV_MAX_LIMITS :
			request->quotas[i] != limits->limits[i])
			return false;
	return true;
}

bool
padv_admission_identify(Oid role, Oid database, const PadvSessionLimits *limits)
{
	PadvRequest *request = &padv_my_backend->login;
	int32		granted_list[PADV_MAX_REQUEST_QUOTAS];
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];
	int64		now = padv_monotonic_us();
	int			count = 0;
	bool		result;

	SpinLockAcquire(&padv_admission->mutex);
	result = padv_admission->generation == limits->generation;
	if (result && !is_counted_under(request, role, limits))
	{
		PadvRequest before = *request;

		/* acquire the new quotas before the old ones are released to waiters */
		padv_backend_identify(padv_my_backend, role, database, limits->limits, limits->count);
		padv_queue_acquire(&padv_login_queue, request);
		count = padv_queue_release(&padv_login_queue, &before, granted_list);
		padv_logins_note_granted(granted_list, count, now, procnos);
	}
	padv_my_backend->role = role;
	padv_my_backend->database = database;
	if (result)
		padv_my_backend->generation = limits->generation;
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(procnos, count);
	padv_admission_settle();
	return result;
}
