/*
 * session_idle.c
 *		Which sessions could be closed because there are more than min_sessions.
 *
 * The worker asks a session to close (idle_closer.c), and the session decides
 * (xact_end.c).  This file has what they share.  admission_internal.h says which lock
 * protects what.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "storage/procsignal.h"

#include "compat.h"
#include "shmem/admission_internal.h"

/* Count the sessions above min_sessions by quota; false when there are none. */
static bool
count_beyond_min(PadvBeyondMin *beyond)
{
	bool		any = false;

	for (int quota = 0; quota < PADV_ROLE_QUOTA(padv_admission->nroles); quota++)
	{
		const PadvLimitState *entry = &padv_limit_states[quota];
		int			excess = padv_quota_granted(&entry->counts) - entry->closing - entry->value[PADV_MIN_SESSIONS];

		beyond[quota].sessions = 0;
		if (entry->value[PADV_MIN_SESSIONS] < 0 || entry->value[PADV_SESSION_IDLE_TIMEOUT] <= 0 || excess <= 0)
			continue;
		beyond[quota].sessions = excess;
		beyond[quota].idle_timeout = entry->value[PADV_SESSION_IDLE_TIMEOUT];
		any = true;
	}
	return any;
}

static void
add_idle_candidate(const PadvBackend *backend, const PadvBeyondMin *beyond,
				   PadvIdleCandidate *candidates, int *count)
{
	const PadvRequest *request = &backend->login;
	PadvIdleCandidate *candidate = &candidates[*count];

	candidate->backend = backend - padv_backends;
	candidate->pid = backend->pid;
	candidate->status_index = backend->status_index;
	candidate->nquotas = 0;
	for (int i = 0; i < request->nquotas; i++)
		if (beyond[request->quotas[i]].sessions > 0)
			candidate->quotas[candidate->nquotas++] = request->quotas[i];
	if (candidate->nquotas > 0)
		(*count)++;
}

int
padv_admission_idle_candidates(PadvIdleCandidate *candidates, PadvBeyondMin *beyond)
{
	int			count = 0;

	SpinLockAcquire(&padv_admission->mutex);
	if (padv_admission->closes_idle && padv_login_enforcement() == PADV_ENFORCEMENT_ON &&
		count_beyond_min(beyond))
	{
		for (int i = 0; i < padv_admission_backends(); i++)
			if (padv_backends[i].login.state == PADV_REQUEST_GRANTED && padv_backends[i].closing_quota == PADV_NO_QUOTA)
				add_idle_candidate(&padv_backends[i], beyond, candidates, &count);
	}
	SpinLockRelease(&padv_admission->mutex);
	return count;
}

void
padv_admission_ask_to_close(const PadvIdleCandidate *candidate, int32 quota)
{
	PadvBackend *backend = &padv_backends[candidate->backend];

	pg_atomic_write_u32(&backend->asked_by, (uint32) quota);

	/*
	 * An idle session answers a catch-up interrupt with an empty transaction,
	 * and checks at its end whether it was asked to close (xact_end.c).  If
	 * another process has the entry by now, that session finds that it has
	 * not been idle for long enough.
	 */
	(void) SendProcSignal(candidate->pid, PROCSIG_CATCHUP_INTERRUPT,
						  padv_signal_number(candidate->status_index));
}

int
padv_admission_asked_to_close(void)
{
	if (likely(pg_atomic_read_u32(&padv_my_backend->asked_by) == (uint32) PADV_NO_QUOTA))
		return PADV_NO_QUOTA;
	return (int) pg_atomic_exchange_u32(&padv_my_backend->asked_by, (uint32) PADV_NO_QUOTA);
}

static bool
is_under_quota(const PadvRequest *request, int quota)
{
	for (int i = 0; i < request->nquotas; i++)
		if (request->quotas[i] == quota)
			return true;
	return false;
}

bool
padv_admission_may_close(int quota, int64 idle_ms)
{
	PadvLimitState *entry = &padv_limit_states[quota];
	bool		result;

	SpinLockAcquire(&padv_admission->mutex);
	result = is_under_quota(&padv_my_backend->login, quota) &&
		padv_login_enforcement() == PADV_ENFORCEMENT_ON &&
		entry->value[PADV_SESSION_IDLE_TIMEOUT] > 0 && idle_ms >= entry->value[PADV_SESSION_IDLE_TIMEOUT] &&
		entry->value[PADV_MIN_SESSIONS] >= 0 &&
		padv_quota_granted(&entry->counts) - entry->closing > entry->value[PADV_MIN_SESSIONS];
	if (result)
	{
		entry->closing++;
		padv_my_backend->closing_quota = quota;
		padv_backend_counters(padv_my_backend)->count[PADV_ROLE_CLOSED_IDLE]++;
	}
	SpinLockRelease(&padv_admission->mutex);
	return result;
}
