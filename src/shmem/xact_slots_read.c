/*
 * xact_slots_read.c
 *		Figures about slots and their queue, for readers.
 *
 * admission_internal.h says which lock protects what.  A figure that is read without a
 * lock is approximate while slots change.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "shmem/admission_internal.h"
#include "shmem/xact_slots.h"

void
padv_slots_read(PadvSlotStats *gate)
{
	SpinLockAcquire(&padv_admission->mutex);
	gate->totals = padv_admission->slot_totals;
	gate->limit = padv_admission->server_max_active;
	gate->in_force = padv_limit_states[PADV_SERVER_QUOTA].active.limit;
	gate->waiting = padv_admission->xact_head.waiting;
	SpinLockRelease(&padv_admission->mutex);
}

void
padv_slots_count(PadvSlotStats *gate)
{
	int			count = *(volatile int32 *) &padv_admission->nslot_owners;

	gate->running = 0;
	gate->retained = 0;
	for (int i = 0; i < count; i++)
	{
		PadvSlotState state = SLOT_STATE(pg_atomic_read_u64(&padv_slot_words[((volatile int32 *) padv_slot_owners)[i]].word));

		gate->running += state == SLOT_HELD;
		gate->retained += state == SLOT_RETAINED;
	}
}

void
padv_slots_in_use(PadvSlotsInUse *in_use)
{
	int			count = *(volatile int32 *) &padv_admission->nslot_owners;
	int32	   *of_quota = palloc0(mul_size(padv_admission_quotas(), sizeof(int32)));

	for (int i = 0; i < count; i++)
	{
		int32		number = ((volatile int32 *) padv_slot_owners)[i];
		const volatile PadvBackend *backend = &padv_backends[number];

		if (SLOT_STATE(pg_atomic_read_u64(&padv_slot_words[number].word)) != SLOT_HELD)
			continue;
		for (int j = 0; j < backend->xact.nquotas && j < PADV_MAX_REQUEST_QUOTAS; j++)
			of_quota[backend->xact.quotas[j]]++;
	}
	memcpy(in_use->of_limit, of_quota, sizeof(in_use->of_limit));
	in_use->of_server = of_quota[PADV_SERVER_QUOTA];
	in_use->of_default = 0;
	for (int i = PADV_ROLE_QUOTA(0); i < padv_admission_quotas(); i++)
		in_use->of_default = Max(in_use->of_default, of_quota[i]);
	pfree(of_quota);
}

void
padv_slots_of_server(PadvServerSlots *slots)
{
	const volatile PadvQuota *server = &padv_limit_states[PADV_SERVER_QUOTA].active;
	int			count = *(volatile int32 *) &padv_admission->nslot_owners;
	int32		raised = Max(server->limit - *(volatile int32 *) &padv_admission->server_max_active, 0);

	slots->taken = Max(server->in_use - raised, 0);
	slots->waiting = server->linked;
	slots->working = -raised;
	for (int i = 0; i < count; i++)
	{
		int32		number = ((volatile int32 *) padv_slot_owners)[i];
		const volatile PadvRequest *request = &padv_backends[number].xact;
		int32		nquotas = request->nquotas;

		/* padv_slot_find_quotas puts the server's quota last */
		slots->working += nquotas > 0 && nquotas <= PADV_MAX_REQUEST_QUOTAS &&
			request->quotas[nquotas - 1] == PADV_SERVER_QUOTA &&
			SLOT_STATE(pg_atomic_read_u64(&padv_slot_words[number].word)) == SLOT_HELD;
	}
	slots->working = Max(slots->working, 0);
}

int64
padv_slots_longest_wait_us(int64 now)
{
	int64		longest = 0;

	if (!padv_slots_have_waiters())
		return 0;
	for (int i = 0; i < padv_admission_backends(); i++)
	{
		const volatile PadvBackend *backend = &padv_backends[i];

		/*
		 * A backend that begins to wait right now may still have the time of
		 * its last wait, so the result may be too large for a moment.
		 */
		if (backend->xact.state == PADV_REQUEST_WAITING && backend->queued_at > 0)
			longest = Max(longest, now - backend->queued_at);
	}
	return longest;
}

void
padv_slots_reset_counters(void)
{
	SpinLockAcquire(&padv_admission->mutex);
	memset(&padv_admission->slot_totals, 0, sizeof(PadvSlotTotals));
	SpinLockRelease(&padv_admission->mutex);
}
