/*
 * session_idle.c
 *		Which sessions could be closed because there are more than min_sessions, under each
 *		limit that they are under.
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

static int32
sessions_beyond_min(const PadvLimitState *entry)
{
	return Max(padv_quota_granted(&entry->counts) - entry->closing - entry->value[PADV_MIN_SESSIONS], 0);
}

/*
 * Count the sessions above min_sessions by quota; false when no quota closes any.  A
 * session is kept if one of its quotas has none above.
 */
static bool
count_beyond_min(PadvBeyondMin *beyond)
{
	bool		any = false;

	for (int quota = 0; quota < PADV_ROLE_QUOTA(padv_admission->nroles); quota++)
	{
		const PadvLimitState *entry = &padv_limit_states[quota];
		bool		has_min = entry->value[PADV_MIN_SESSIONS] >= 0;

		beyond[quota].sessions = has_min ? sessions_beyond_min(entry) : PG_INT32_MAX;
		beyond[quota].idle_timeout = has_min ? entry->value[PADV_SESSION_IDLE_TIMEOUT] : 0;
		if (beyond[quota].idle_timeout > 0 && beyond[quota].sessions > 0)
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
	bool		any = false;

	candidate->backend = backend - padv_backends;
	candidate->pid = backend->pid;
	candidate->status_index = backend->status_index;
	candidate->nquotas = 0;
	for (int i = 0; i < request->nquotas; i++)
	{
		if (beyond[request->quotas[i]].sessions == 0)
			return;
		any = any || beyond[request->quotas[i]].idle_timeout > 0;
		candidate->quotas[candidate->nquotas++] = request->quotas[i];
	}
	if (any)
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

/* Whether each quota of a session is above its min_sessions. */
static bool
is_beyond_all_min(const PadvRequest *request)
{
	for (int i = 0; i < request->nquotas; i++)
	{
		const PadvLimitState *entry = &padv_limit_states[request->quotas[i]];

		if (entry->value[PADV_MIN_SESSIONS] >= 0 && sessions_beyond_min(entry) == 0)
			return false;
	}
	return true;
}

void
padv_admission_count_closing(int change)
{
	const PadvRequest *request = &padv_my_backend->login;

	for (int i = 0; i < request->nquotas; i++)
		padv_limit_states[request->quotas[i]].closing += change;
}

bool
padv_admission_may_close(int quota, int64 idle_ms)
{
	const PadvLimitState *entry = &padv_limit_states[quota];
	bool		result;

	SpinLockAcquire(&padv_admission->mutex);
	result = is_under_quota(&padv_my_backend->login, quota) &&
		padv_login_enforcement() == PADV_ENFORCEMENT_ON &&
		entry->value[PADV_SESSION_IDLE_TIMEOUT] > 0 && idle_ms >= entry->value[PADV_SESSION_IDLE_TIMEOUT] &&
		entry->value[PADV_MIN_SESSIONS] >= 0 && is_beyond_all_min(&padv_my_backend->login);
	if (result)
	{
		padv_admission_count_closing(1);
		padv_my_backend->closing_quota = quota;
		padv_backend_counters(padv_my_backend)->count[PADV_ROLE_CLOSED_IDLE]++;
	}
	SpinLockRelease(&padv_admission->mutex);
	return result;
}
