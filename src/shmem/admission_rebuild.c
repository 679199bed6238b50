/*
 * admission_rebuild.c
 *		Count all sessions anew when caps have changed; what readers copy out.
 *
 * admission_internal.h says which lock guards what.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "clock.h"
#include "shmem/admission_internal.h"

/* Of the table of roles, until nobody was forgotten during one. */
#define MAX_COPIES 10

/* What was found for a slot before the mutex was taken. */
typedef struct Prepared
{
	Oid			role;
	Oid			database;
	int32		count;
	int32		caps[PADV_MAX_SESSION_CAPS];
} Prepared;

struct PadvRecount
{
	Prepared   *prepared;		/* by slot */
	int32	   *entered;
	int32	   *procnos;
	int32	   *turn_procnos;
};

PadvRecount *
padv_admission_recount_create(void)
{
	PadvRecount *recount = palloc(sizeof(PadvRecount));
	int			nslots = padv_admission_slots();

	recount->prepared = palloc0(mul_size(nslots, sizeof(Prepared)));
	recount->entered = palloc(mul_size(nslots, sizeof(int32)));
	recount->procnos = palloc(mul_size(nslots, sizeof(int32)));
	recount->turn_procnos = palloc(mul_size(nslots, sizeof(int32)));
	return recount;
}

void
padv_admission_recount_free(PadvRecount *recount)
{
	pfree(recount->prepared);
	pfree(recount->entered);
	pfree(recount->procnos);
	pfree(recount->turn_procnos);
	pfree(recount);
}

/*
 * The searches are done without the mutex, on fields that may change
 * meanwhile; what was found for others than are there then is not used.
 */
static void
prepare(Prepared *prepared, const PadvCaps *caps)
{
	for (int i = 0; i < padv_admission_slots(); i++)
	{
		const volatile Slot *slot = &padv_slots[i];
		Prepared   *mine = &prepared[i];

		mine->role = slot->role;
		mine->database = slot->database;
		mine->count = 0;
		if (OidIsValid(mine->role))
			mine->count = padv_caps_of(caps, mine->database, mine->role, mine->caps);
	}
}

static void
set_rules(const PadvCaps *caps)
{
	bool		enforced = caps->enforcement != PADV_ENFORCEMENT_OFF;

	padv_admission->closes_idle = padv_cap_closes_idle(&caps->fallback);
	padv_admission->caps_active = enforced && caps->fallback.value[PADV_MAX_ACTIVE] >= 0;
	for (int i = 0; i < caps->ncaps; i++)
	{
		padv_set_rule(i, caps->caps[i].value, caps->enforcement);
		if (padv_cap_closes_idle(&caps->caps[i]))
			padv_admission->closes_idle = true;
		if (enforced && caps->caps[i].value[PADV_MAX_ACTIVE] >= 0)
			padv_admission->caps_active = true;
	}
	for (int i = 0; i < padv_admission->nroles; i++)
		padv_set_rule(PADV_ROLE_ACCOUNT(i), caps->fallback.value, caps->enforcement);
	padv_accounts[PADV_SERVER_ACCOUNT].active.limit = padv_admission->server_max_active;
	padv_set_queue_rule(PADV_SERVER_ACCOUNT, caps->fallback.value);
}

static void
recount_slot(Slot *slot, Prepared *prepared, const PadvCaps *caps, uint32 generation)
{
	if (slot->place.state == PADV_PLACE_FREE || !OidIsValid(slot->role))
		return;
	if (prepared->role != slot->role || prepared->database != slot->database)
		prepared->count = padv_caps_of(caps, slot->database, slot->role, prepared->caps);
	padv_identify_slot(slot, slot->role, slot->database, prepared->caps, prepared->count);
	slot->closing_account = NO_ACCOUNT;
	slot->generation = generation;
	padv_line_recount(&padv_line, &slot->place);
}

static void
recount_turn(Slot *slot)
{
	if (slot->turn.state == PADV_PLACE_FREE)
		return;
	padv_place_turn(slot);
	padv_line_recount(&padv_turn_line, &slot->turn);
}

void
padv_admission_recount(PadvRecount *recount, const PadvCaps *caps, uint32 generation)
{
	int64		now = padv_monotonic_us();
	int			count = 0;
	int			turn_count = 0;

	prepare(recount->prepared, caps);
	SpinLockAcquire(&padv_admission->mutex);
	if ((int32) (generation - padv_admission->generation) > 0)
	{
		padv_admission->generation = generation;
		padv_admission->enforcement = caps->enforcement;
		padv_line_recount_begin(&padv_line, PADV_ROLE_ACCOUNT(padv_admission->nroles));
		padv_line_recount_begin(&padv_turn_line, PADV_ROLE_ACCOUNT(padv_admission->nroles));
		set_rules(caps);
		padv_turn_rules_changed();
		for (int i = 0; i < padv_admission_slots(); i++)
		{
			recount_slot(&padv_slots[i], &recount->prepared[i], caps, generation);
			recount_turn(&padv_slots[i]);
		}
		count = padv_line_recount_finish(&padv_line, recount->entered);
		padv_note_entered(recount->entered, count, now, recount->procnos);
		turn_count = padv_line_recount_finish(&padv_turn_line, recount->entered);
		padv_note_turns(recount->entered, turn_count, recount->turn_procnos);
	}
	SpinLockRelease(&padv_admission->mutex);
	padv_wake(recount->procnos, count);
	padv_wake(recount->turn_procnos, turn_count);
}

uint32
padv_admission_generation(void)
{
	uint32		result;

	SpinLockAcquire(&padv_admission->mutex);
	result = padv_admission->generation;
	SpinLockRelease(&padv_admission->mutex);
	return result;
}

/*
 * Some at a time, so that nobody has to wait for long.  False if roles were
 * forgotten meanwhile: what was counted for them may have been missed in both
 * places.
 */
static bool
copy_counters(PadvRoleCounters *copy, int *count)
{
	int32		victim = -1;
	bool		more = true;
	bool		same = true;

	for (*count = 0; more;)
	{
		SpinLockAcquire(&padv_admission->mutex);
		for (int i = 0; i < 64 && *count < padv_admission->nroles; i++, (*count)++)
			copy[*count] = padv_role_table[*count].counters;
		more = *count < padv_admission->nroles;
		same = same && (victim < 0 || victim == padv_admission->next_victim);
		victim = padv_admission->next_victim;
		SpinLockRelease(&padv_admission->mutex);
	}
	return same;
}

int
padv_admission_copy_counters(PadvRoleCounters **counters)
{
	PadvRoleCounters *copy = palloc(mul_size(padv_admission_accounts() - PADV_MAX_CAPS, sizeof(PadvRoleCounters)));
	int			count = 0;

	/* counters must not seem to go down; roles are not forgotten all the time */
	for (int try = 0; try < MAX_COPIES && !copy_counters(copy, &count); try++)
		;
	*counters = copy;
	return count;
}

void
padv_admission_reset_counters(void)
{
	bool		more = true;

	for (int done = 0; more;)
	{
		SpinLockAcquire(&padv_admission->mutex);
		for (int i = 0; i < 64 && done < padv_admission->nroles; i++, done++)
		{
			PadvRoleCounters *counters = &padv_role_table[done].counters;

			*counters = (PadvRoleCounters) {.role = counters->role,
				.told_apart = counters->told_apart, .waiting = counters->waiting};
		}
		more = done < padv_admission->nroles;
		SpinLockRelease(&padv_admission->mutex);
	}
}

void
padv_admission_totals(PadvAdmissionTotals *totals)
{
	SpinLockAcquire(&padv_admission->mutex);
	*totals = padv_admission->totals;
	totals->waiting = padv_admission->head.waiting;
	SpinLockRelease(&padv_admission->mutex);
}

bool
padv_admission_in_use(uint32 generation, int ncaps, int32 *in_use, int32 *default_in_use)
{
	bool		result;

	*default_in_use = 0;
	SpinLockAcquire(&padv_admission->mutex);
	result = padv_admission->generation == generation;
	if (result)
	{
		for (int i = 0; i < ncaps; i++)
			in_use[i] = padv_account_inside(&padv_accounts[i].counts);
		for (int i = 0; i < padv_admission->nroles; i++)
			*default_in_use = Max(*default_in_use,
								  padv_account_inside(&padv_accounts[PADV_ROLE_ACCOUNT(i)].counts));
	}
	SpinLockRelease(&padv_admission->mutex);
	return result;
}
