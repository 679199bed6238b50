/*
 * session_idle.c
 *		Which sessions could be closed because they are beyond their core.
 *
 * The worker asks a session to close (idle_closer.c), the session decides
 * (xact_end.c); here is what they share.  admission_internal.h says which lock guards what.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "storage/procsignal.h"

#include "compat.h"
#include "shmem/admission_internal.h"

/* False when no quota is beyond its core. */
static bool
count_beyond_min(PadvBeyondMin *beyond)
{
	bool		any = false;

	for (int quota = 0; quota < PADV_ROLE_QUOTA(padv_admission->nroles); quota++)
	{
		const PadvLimitState *entry = &padv_limit_states[quota];
		int			excess = padv_quota_granted(&entry->counts) - entry->closing - entry->min_sessions;

		beyond[quota].sessions = 0;
		if (entry->min_sessions < 0 || entry->idle_timeout == 0 || excess <= 0)
			continue;
		beyond[quota].sessions = excess;
		beyond[quota].idle_timeout = entry->idle_timeout;
		any = true;
	}
	return any;
}

static void
add_candidate(const PadvBackend *backend, const PadvBeyondMin *beyond,
			  PadvIdleCandidate *candidates, int *count)
{
	const PadvRequest *place = &backend->login;
	PadvIdleCandidate *candidate = &candidates[*count];

	candidate->backend = backend - padv_backends;
	candidate->pid = backend->pid;
	candidate->status_index = backend->status_index;
	candidate->nquotas = 0;
	for (int i = 0; i < place->nquotas; i++)
		if (beyond[place->quotas[i]].sessions > 0)
			candidate->quotas[candidate->nquotas++] = place->quotas[i];
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
				add_candidate(&padv_backends[i], beyond, candidates, &count);
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
	 * at whose end it looks whether it was asked (xact_end.c).  If this is
	 * another process by now, it finds that it is not idle for long enough.
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
is_under(const PadvRequest *place, int quota)
{
	for (int i = 0; i < place->nquotas; i++)
		if (place->quotas[i] == quota)
			return true;
	return false;
}

bool
padv_admission_may_close(int quota, int64 idle_ms)
{
	PadvLimitState *entry = &padv_limit_states[quota];
	bool		result;

	SpinLockAcquire(&padv_admission->mutex);
	result = is_under(&padv_my_backend->login, quota) &&
		padv_login_enforcement() == PADV_ENFORCEMENT_ON &&
		entry->idle_timeout > 0 && idle_ms >= entry->idle_timeout &&
		entry->min_sessions >= 0 &&
		padv_quota_granted(&entry->counts) - entry->closing > entry->min_sessions;
	if (result)
	{
		entry->closing++;
		padv_my_backend->closing_quota = quota;
		padv_backend_counters(padv_my_backend)->closed_idle++;
	}
	SpinLockRelease(&padv_admission->mutex);
	return result;
}
