/*
 * slot_reclaim.c
 *		Taking back the slots that sessions retain and do not use.
 *
 * A session does that when it begins to wait, and at the end of a transaction while others
 * wait; so does the worker (stall_monitor.c).  admission_internal.h says which lock protects
 * what.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "clock.h"
#include "shmem/slot_reclaim.h"
#include "shmem/xact_slots.h"

/*
 * Sessions look for retained slots at most this often, and at most among so many slot
 * owners.  The worker looks among all.
 */
#define RECLAIM_INTERVAL_US 1000
#define MAX_LOOKS 256

static inline bool
has_linked(int32 quota)
{
	return ((volatile PadvLimitState *) padv_limit_states)[quota].active.linked > 0;
}

bool
padv_slot_is_wanted(const volatile PadvBackend *backend)
{
	for (int i = 0; i < backend->xact.nquotas && i < PADV_MAX_REQUEST_QUOTAS; i++)
		if (has_linked(backend->xact.quotas[i]))
			return true;
	return false;
}

/*
 * As padv_slot_is_wanted, for a slot that is not in use.  The lane of long transactions can
 * have the server's slots that short ones do not use, so its waiters want them, too.
 */
static bool
is_wanted_unused(const volatile PadvBackend *backend)
{
	return padv_slot_is_wanted(backend) || (has_linked(PADV_LANE_QUOTA) && !backend->exempt);
}

/* Reclaim a retained slot, unless its word has changed since it was read. */
static void
reclaim_slot(int32 number, uint64 word, int64 now)
{
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];
	int			count = 0;

	SpinLockAcquire(&padv_admission->mutex);
	if (pg_atomic_compare_exchange_u64(&padv_slot_words[number].word, &word, SLOT_WORD(SLOT_NONE, 0)))
		count = padv_slot_drop(&padv_backends[number], SLOT_NONE, now, procnos);
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(procnos, count);
	padv_slots_settle();
}

/*
 * Reclaim retained slots whose retain timeout is over, among the first so many owners.
 * Returns whether there is a wanted one whose timeout is not over yet.
 */
static bool
reclaim_some(int64 now, int32 most)
{
	bool		pending = false;
	int64		timeout_us = padv_retain_timeout_us();
	int			looks = Min(*(volatile int32 *) &padv_admission->nslot_owners, most);

	/* the list may change meanwhile: the next call finds what is missed now */
	for (int i = 0; i < looks && padv_slot_waiters() > 0; i++)
	{
		int32		number = ((volatile int32 *) padv_slot_owners)[i];
		uint64		word = pg_atomic_read_u64(&padv_slot_words[number].word);

		if (SLOT_STATE(word) != SLOT_RETAINED || !is_wanted_unused(&padv_backends[number]))
			continue;
		if (now - SLOT_SINCE(word) < timeout_us)
			pending = true;
		else
			reclaim_slot(number, word, now);
	}
	return pending;
}

long
padv_slots_reclaim(void)
{
	/*
	 * We have entered the queue before we read the slot words.  The owner of
	 * a retained slot writes its word before it reads the number of waiters.
	 */
	pg_memory_barrier();
	return reclaim_some(padv_monotonic_us(), MAX_LOOKS) ? (long) (padv_retain_timeout_us() / 1000 + 1) : 0;
}

void
padv_slots_reclaim_all(void)
{
	(void) reclaim_some(padv_monotonic_us(), PG_INT32_MAX);
}

void
padv_slots_reclaim_if_due(int64 now)
{
	uint64		due = pg_atomic_read_u64(&padv_admission->reclaim_due);

	if (now >= (int64) due &&
		pg_atomic_compare_exchange_u64(&padv_admission->reclaim_due, &due,
									   (uint64) (now + RECLAIM_INTERVAL_US)))
		(void) reclaim_some(now, MAX_LOOKS);
}

bool
padv_slots_reclaim_one(int32 quota, int64 now)
{
	int			count = *(volatile int32 *) &padv_admission->nslot_owners;

	for (int i = 0; i < count; i++)
	{
		int32		number = ((volatile int32 *) padv_slot_owners)[i];
		uint64		word = pg_atomic_read_u64(&padv_slot_words[number].word);
		const volatile PadvRequest *request = &padv_backends[number].xact;

		if (SLOT_STATE(word) != SLOT_RETAINED)
			continue;
		for (int j = 0; j < request->nquotas && j < PADV_MAX_REQUEST_QUOTAS; j++)
			if (request->quotas[j] == quota)
			{
				reclaim_slot(number, word, now);
				return true;
			}
	}
	return false;
}

void
padv_slots_reclaim_beyond(int32 quota)
{
	const volatile PadvQuota *active = &padv_limit_states[quota].active;
	int64		now = padv_monotonic_us();

	while (active->limit >= 0 && active->in_use > active->limit && padv_slots_reclaim_one(quota, now))
		;
}
