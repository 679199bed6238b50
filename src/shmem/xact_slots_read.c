/*
 * xact_slots_read.c
 *		What readers copy out of the line for turns.
 *
 * admission_internal.h says which lock guards what.  Where no lock is taken a figure is of about
 * now.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "shmem/admission_internal.h"
#include "shmem/xact_slots.h"

void
padv_turns_read(PadvGate *gate)
{
	SpinLockAcquire(&padv_admission->mutex);
	gate->totals = padv_admission->turn_totals;
	gate->limit = padv_admission->server_max_active;
	gate->in_force = padv_accounts[PADV_SERVER_ACCOUNT].active.limit;
	gate->waiting = padv_admission->turn_head.waiting;
	SpinLockRelease(&padv_admission->mutex);
}

void
padv_turns_count(PadvGate *gate)
{
	int			count = *(volatile int32 *) &padv_admission->nholders;

	gate->running = 0;
	gate->kept = 0;
	for (int i = 0; i < count; i++)
	{
		TurnState	state = TURN_STATE(pg_atomic_read_u64(&padv_turns[((volatile int32 *) padv_holders)[i]].word));

		gate->running += state == TURN_IN;
		gate->kept += state == TURN_KEPT;
	}
}

void
padv_turns_in_use(PadvTurnsInUse *in_use)
{
	int			count = *(volatile int32 *) &padv_admission->nholders;
	int32	   *of_account = palloc0(mul_size(padv_admission_accounts(), sizeof(int32)));

	for (int i = 0; i < count; i++)
	{
		int32		number = ((volatile int32 *) padv_holders)[i];
		const volatile Slot *slot = &padv_slots[number];

		if (TURN_STATE(pg_atomic_read_u64(&padv_turns[number].word)) != TURN_IN)
			continue;
		for (int j = 0; j < slot->turn.naccounts && j < PADV_MAX_PLACE_ACCOUNTS; j++)
			of_account[slot->turn.accounts[j]]++;
	}
	memcpy(in_use->of_cap, of_account, sizeof(in_use->of_cap));
	in_use->of_server = of_account[PADV_SERVER_ACCOUNT];
	in_use->of_default = 0;
	for (int i = PADV_ROLE_ACCOUNT(0); i < padv_admission_accounts(); i++)
		in_use->of_default = Max(in_use->of_default, of_account[i]);
	pfree(of_account);
}

void
padv_turns_of_server(PadvTurnsOfServer *turns)
{
	const volatile PadvAccount *server = &padv_accounts[PADV_SERVER_ACCOUNT].active;
	int			count = *(volatile int32 *) &padv_admission->nholders;
	int32		raised = Max(server->limit - *(volatile int32 *) &padv_admission->server_max_active, 0);

	turns->taken = Max(server->in_use - raised, 0);
	turns->waiting = server->standing;
	turns->working = -raised;
	for (int i = 0; i < count; i++)
	{
		int32		number = ((volatile int32 *) padv_holders)[i];
		const volatile PadvPlace *turn = &padv_slots[number].turn;
		int32		naccounts = turn->naccounts;

		/* the server's account is the last one */
		turns->working += naccounts > 0 && naccounts <= PADV_MAX_PLACE_ACCOUNTS &&
			turn->accounts[naccounts - 1] == PADV_SERVER_ACCOUNT &&
			TURN_STATE(pg_atomic_read_u64(&padv_turns[number].word)) == TURN_IN;
	}
	turns->working = Max(turns->working, 0);
}

void
padv_turns_reset_counters(void)
{
	SpinLockAcquire(&padv_admission->mutex);
	memset(&padv_admission->turn_totals, 0, sizeof(PadvTurnTotals));
	SpinLockRelease(&padv_admission->mutex);
}
