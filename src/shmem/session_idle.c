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

/* False when no account is beyond its core. */
static bool
count_beyond_core(PadvBeyondCore *beyond)
{
	bool		any = false;

	for (int account = 0; account < PADV_ROLE_ACCOUNT(padv_admission->nroles); account++)
	{
		const Account *entry = &padv_accounts[account];
		int			excess = padv_account_inside(&entry->counts) - entry->closing - entry->min_sessions;

		beyond[account].sessions = 0;
		if (entry->min_sessions < 0 || entry->keepalive == 0 || excess <= 0)
			continue;
		beyond[account].sessions = excess;
		beyond[account].keepalive = entry->keepalive;
		any = true;
	}
	return any;
}

static void
add_candidate(const Slot *slot, const PadvBeyondCore *beyond,
			  PadvIdleCandidate *candidates, int *count)
{
	const PadvPlace *place = &slot->place;
	PadvIdleCandidate *candidate = &candidates[*count];

	candidate->slot = slot - padv_slots;
	candidate->pid = slot->pid;
	candidate->status_index = slot->status_index;
	candidate->naccounts = 0;
	for (int i = 0; i < place->naccounts; i++)
		if (beyond[place->accounts[i]].sessions > 0)
			candidate->accounts[candidate->naccounts++] = place->accounts[i];
	if (candidate->naccounts > 0)
		(*count)++;
}

int
padv_admission_idle_candidates(PadvIdleCandidate *candidates, PadvBeyondCore *beyond)
{
	int			count = 0;

	SpinLockAcquire(&padv_admission->mutex);
	if (padv_admission->closes_idle && padv_login_enforcement() == PADV_ENFORCEMENT_ON &&
		count_beyond_core(beyond))
	{
		for (int i = 0; i < padv_admission_slots(); i++)
			if (padv_slots[i].place.state == PADV_PLACE_IN && padv_slots[i].closing_account == NO_ACCOUNT)
				add_candidate(&padv_slots[i], beyond, candidates, &count);
	}
	SpinLockRelease(&padv_admission->mutex);
	return count;
}

void
padv_admission_ask_to_close(const PadvIdleCandidate *candidate, int32 account)
{
	Slot	   *slot = &padv_slots[candidate->slot];

	pg_atomic_write_u32(&slot->asked_by, (uint32) account);

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
	if (likely(pg_atomic_read_u32(&padv_my_slot->asked_by) == (uint32) NO_ACCOUNT))
		return NO_ACCOUNT;
	return (int) pg_atomic_exchange_u32(&padv_my_slot->asked_by, (uint32) NO_ACCOUNT);
}

static bool
is_under(const PadvPlace *place, int account)
{
	for (int i = 0; i < place->naccounts; i++)
		if (place->accounts[i] == account)
			return true;
	return false;
}

bool
padv_admission_may_close(int account, int64 idle_ms)
{
	Account    *entry = &padv_accounts[account];
	bool		result;

	SpinLockAcquire(&padv_admission->mutex);
	result = is_under(&padv_my_slot->place, account) &&
		padv_login_enforcement() == PADV_ENFORCEMENT_ON &&
		entry->keepalive > 0 && idle_ms >= entry->keepalive &&
		entry->min_sessions >= 0 &&
		padv_account_inside(&entry->counts) - entry->closing > entry->min_sessions;
	if (result)
	{
		entry->closing++;
		padv_my_slot->closing_account = account;
		padv_counters_of(padv_my_slot)->closed_idle++;
	}
	SpinLockRelease(&padv_admission->mutex);
	return result;
}
