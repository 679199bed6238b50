/*
 * xact_slots.c
 *		Which transactions may run now: taking a slot, keeping it, handing it over.
 *
 * admission_internal.h says which lock guards what.  Nothing here waits: xact_hooks.c does, on its
 * latch.
 *
 * While nobody waits a session keeps its slot when its transaction has ended, and
 * finds it again with one atomic operation on a queue of cache of its own.  It is
 * taken away when somebody else needs it.  So a gate that is never full costs
 * no lock and touches no memory that others write.
 *
 * While somebody waits a slot is handed over at the end of a transaction, to the
 * waiter that came first, or under overload to the one that came last; but a session whose client is quick may go on for a while,
 * the lease (core/policy/lease.h).  A slot that is kept and not used is taken away after the
 * grace, by whoever looks: a session at the end of its transaction, one that comes to
 * wait, or the worker (stall_monitor.c), which also says how long the grace is.
 *
 * Whether limits are enforced each session asks by itself, so that turning them off
 * needs no other process (shared_settings.h).
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "client_port.h"

#include <sys/socket.h>

#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "clock.h"
#include "compat.h"
#include "core/policy/lease.h"
#include "settings.h"
#include "shmem/admission_internal.h"
#include "shmem/shared_settings.h"
#include "shmem/xact_slots.h"

/*
 * Sessions look for kept slots this often at most, and among so many holders; the
 * worker looks among all.
 */
#define RECLAIM_INTERVAL_US 1000
#define MAX_LOOKS 256

/* Kept slots that one transaction takes away at most, each of which others may be given. */
#define MAX_RECLAIMS 64

static PadvSlotWord *my_turn = NULL;

/* What limits this session, as of these rules. */
static uint32 my_rules = 0;
static bool limits_me = false;
static bool was_exempt = false;

static bool standing = false;	/* in the queue */
static int64 turn_started = 0;	/* monotonic; when it was taken or handed over */

/* How quick the client is, which is looked at while others wait. */
static int64 last_message = 0;	/* monotonic; the end of the last transaction,
								 * or the BEGIN after it; 0: not measured */
static int64 longest_gap = 0;	/* of those before this transaction's work */
static bool slow_client = false;	/* the last time */

/* The slot of the backend that is our client, once that has been looked for. */
static bool client_known = false;
static int32 my_client = PADV_NO_CLIENT;

/* --- under the mutex --- */

void
padv_slot_limits_changed(void)
{
	bool		any = padv_admission->server_max_active >= 0 || padv_admission->limits_active;

	/* an odd number, which is never 0 */
	padv_admission->limits_changed += 2;
	pg_atomic_write_u32(&padv_admission->limits_version, any ? padv_admission->limits_changed | 1 : 0);
}

void
padv_slot_find_quotas(PadvBackend *backend)
{
	PadvRequest *turn = &backend->xact;

	turn->nquotas = 0;
	for (int i = 0; i < backend->login.nquotas; i++)
		if (padv_limit_states[backend->login.quotas[i]].max_active >= 0)
			turn->quotas[turn->nquotas++] = backend->login.quotas[i];
	if (!backend->exempt && (turn->nquotas > 0 || padv_admission->server_max_active >= 0))
		turn->quotas[turn->nquotas++] = PADV_SERVER_QUOTA;
}

static void
note_slot_owner(PadvBackend *backend)
{
	backend->slots++;
	backend->owner_index = padv_admission->nslot_owners;
	padv_slot_owners[padv_admission->nslot_owners++] = backend - padv_backends;
}

static void
forget_slot_owner(PadvBackend *backend)
{
	int32		last = padv_slot_owners[--padv_admission->nslot_owners];

	padv_slot_owners[backend->owner_index] = last;
	padv_backends[last].owner_index = backend->owner_index;
}

/* Nobody needs to look any more whether others wait for it. */
static void
forget_needed(PadvBackend *backend)
{
	int32		last;

	if (backend->needed == PADV_NOT_NEEDED)
		return;
	last = padv_needed[--padv_admission->nneeded];
	padv_needed[backend->needed] = last;
	padv_backends[last].needed = backend->needed;
	backend->needed = PADV_NOT_NEEDED;
}

static void
count_granted(const PadvBackend *backend)
{
	for (int i = 0; i < backend->xact.nquotas; i++)
		padv_limit_states[backend->xact.quotas[i]].granted++;
}

void
padv_slots_note_granted(const int32 *granted_list, int count, int32 *procnos)
{
	for (int i = 0; i < count; i++)
	{
		forget_needed(&padv_backends[granted_list[i]]);
		note_slot_owner(&padv_backends[granted_list[i]]);
		count_granted(&padv_backends[granted_list[i]]);
		procnos[i] = padv_backends[granted_list[i]].procno;
		pg_atomic_write_u64(&padv_slot_words[granted_list[i]].word, SLOT_WORD(SLOT_HELD, 0));
	}
	padv_admission->slot_totals.handed_over += count;
}

int
padv_slot_drop(PadvBackend *backend, PadvSlotState state, int32 *procnos)
{
	int32		granted_list[PADV_MAX_REQUEST_QUOTAS];
	int			count;

	if (backend->xact.state == PADV_REQUEST_GRANTED)
		forget_slot_owner(backend);
	forget_needed(backend);
	pg_atomic_write_u64(&padv_slot_words[backend - padv_backends].word, SLOT_WORD(state, 0));
	count = padv_queue_release(&padv_xact_queue, &backend->xact, granted_list);
	padv_slots_note_granted(granted_list, count, procnos);
	return count;
}

bool
padv_slot_overcommit(int32 number)
{
	PadvBackend *backend = &padv_backends[number];
	int32		procno;
	bool		waits;

	SpinLockAcquire(&padv_admission->mutex);
	waits = backend->xact.state == PADV_REQUEST_WAITING;
	if (waits)
	{
		padv_queue_grant(&padv_xact_queue, &backend->xact);
		padv_slots_note_granted(&number, 1, &procno);
		padv_admission->slot_totals.let_in++;
	}
	SpinLockRelease(&padv_admission->mutex);
	if (waits)
		padv_backends_wake(&procno, 1);
	return waits;
}

void
padv_slots_settle(void)
{
	int32		granted_list[PADV_MAX_REQUEST_QUOTAS];
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];

	while (!padv_queue_is_settled(&padv_xact_queue))
	{
		int			count;

		SpinLockAcquire(&padv_admission->mutex);
		count = padv_queue_settle(&padv_xact_queue, granted_list);
		padv_slots_note_granted(granted_list, count, procnos);
		SpinLockRelease(&padv_admission->mutex);
		padv_backends_wake(procnos, count);
	}
}

/* --- kept slots --- */

static inline int32
anybody_waits(void)
{
	return *(volatile int32 *) &padv_admission->xact_head.waiting;
}

static inline bool
is_observing(void)
{
	return padv_gate_enforcement_in_force() == PADV_ENFORCEMENT_OBSERVE;
}

static inline int64
retain_us(void)
{
	return pg_atomic_read_u32(&padv_admission->retain_us);
}

/* Whether somebody waits for room that this slot takes; may be wrong. */
static bool
is_wanted(const volatile PadvBackend *backend)
{
	for (int i = 0; i < backend->xact.nquotas && i < PADV_MAX_REQUEST_QUOTAS; i++)
	{
		int32		quota = backend->xact.quotas[i];

		if (((volatile PadvLimitState *) padv_limit_states)[quota].active.linked > 0)
			return true;
	}
	return false;
}

/* Take a kept slot away, unless it has been used or taken since. */
static void
reclaim(int32 number, uint64 word)
{
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];
	int			count = 0;

	SpinLockAcquire(&padv_admission->mutex);
	if (pg_atomic_compare_exchange_u64(&padv_slot_words[number].word, &word, SLOT_WORD(SLOT_NONE, 0)))
		count = padv_slot_drop(&padv_backends[number], SLOT_NONE, procnos);
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(procnos, count);
	padv_slots_settle();
}

static bool
reclaim_some(int64 now, int32 most)
{
	bool		young = false;
	int64		grace = retain_us();
	int			looks = Min(*(volatile int32 *) &padv_admission->nslot_owners, most);

	/* the list may change meanwhile: what is missed is found the next time */
	for (int i = 0; i < looks && anybody_waits() > 0; i++)
	{
		int32		number = ((volatile int32 *) padv_slot_owners)[i];
		uint64		word = pg_atomic_read_u64(&padv_slot_words[number].word);

		if (SLOT_STATE(word) != SLOT_RETAINED || !is_wanted(&padv_backends[number]))
			continue;
		if (now - SLOT_SINCE(word) < grace)
			young = true;
		else
			reclaim(number, word);
	}
	return young;
}

long
padv_slots_reclaim(void)
{
	/* we stand in the queue before we read; who keeps a slot looks after that */
	pg_memory_barrier();
	return reclaim_some(padv_monotonic_us(), MAX_LOOKS) ? (long) (retain_us() / 1000 + 1) : 0;
}

void
padv_slots_reclaim_all(void)
{
	(void) reclaim_some(padv_monotonic_us(), PG_INT32_MAX);
}

/* The same, if nobody has done so just now. */
static void
reclaim_if_due(int64 now)
{
	uint64		due = pg_atomic_read_u64(&padv_admission->reclaim_due);

	if (now >= (int64) due &&
		pg_atomic_compare_exchange_u64(&padv_admission->reclaim_due, &due,
									   (uint64) (now + RECLAIM_INTERVAL_US)))
		(void) reclaim_some(now, MAX_LOOKS);
}

/* --- the session --- */

void
padv_slots_announce(void)
{
	my_turn = &padv_slot_words[padv_my_backend - padv_backends];

	/* what the backend before us has left */
	pg_atomic_write_u32(&my_turn->polls, 0);
	SpinLockAcquire(&padv_admission->mutex);
	padv_my_backend->client = PADV_NO_CLIENT;
	padv_my_backend->holds_locks = false;
	padv_my_backend->may_be_polled = false;
	SpinLockRelease(&padv_admission->mutex);
}

/* The client has sent something since the last message that counts. */
static void
note_message(int64 since, int64 now)
{
	if (since > 0)
		longest_gap = Max(longest_gap, now - since);
}

/*
 * Work begins.  Whether the client was quick says whether it is worth to keep a slot
 * for it the next time.  Once is enough, as a client that is slow because it had
 * nothing to do is quick as soon as it has.
 */
static void
track_think_time(int64 now)
{
	note_message(last_message, now);
	if (longest_gap > 0)
		slow_client = longest_gap >= retain_us();
	last_message = 0;
	longest_gap = 0;
}

/* Whether it would have to wait, if limits were enforced.  The mutex is held. */
static bool
would_wait(const PadvRequest *turn)
{
	for (int i = 0; i < turn->nquotas; i++)
	{
		int32		limit = padv_slot_limit_of(turn->quotas[i]);

		if (limit >= 0 && padv_limit_states[turn->quotas[i]].active.in_use >= limit)
			return true;
	}
	return false;
}

/* The mutex is held. */
static void
describe_queue(int32 quota, PadvFullQueue *full)
{
	const PadvLimitState *rule = &padv_limit_states[quota];

	full->quota = quota;
	full->limit = quota == PADV_SERVER_QUOTA ? PADV_SERVER_QUEUE :
		quota < PADV_MAX_LIMITS ? quota : PADV_DEFAULT_LIMIT;
	full->generation = padv_admission->generation;
	full->max_active = padv_slot_limit_of(quota);
	full->in_use = rule->active.in_use;
	full->queue_length = rule->transaction_queue_length;
	full->queue_timeout = rule->transaction_queue_timeout;
	full->waiting = rule->active.linked;
}

/*
 * Whether as many wait as may, because of one of the quotas that it would have to
 * wait for.  The mutex is held.
 */
static bool
finds_full_queue(const PadvRequest *turn, PadvFullQueue *full)
{
	for (int i = 0; i < turn->nquotas; i++)
	{
		const PadvLimitState *rule = &padv_limit_states[turn->quotas[i]];

		if ((rule->active.linked > 0 || !padv_quota_has_room(&rule->active)) &&
			rule->transaction_queue_length >= 0 &&
			rule->active.linked >= rule->transaction_queue_length)
		{
			describe_queue(turn->quotas[i], full);
			return true;
		}
	}
	return false;
}

/*
 * One is about to stand in the queue.  One that begins with it is watched from now on, and
 * one that is overloaded serves the newest first.  The mutex is held.
 */
static void
look_at_queues(const PadvRequest *turn, int64 now)
{
	for (int i = 0; i < turn->nquotas; i++)
	{
		PadvLimitState *rule = &padv_limit_states[turn->quotas[i]];

		if (rule->active.linked == 0)
			padv_queue_watch_begin(&rule->watch, now);
		padv_line_set_newest_first(&padv_xact_queue, turn->quotas[i],
								   padv_queue_watch_is_overloaded(&rule->watch, now));
	}
}

/*
 * Whether the wait at one of the quotas that it would have to wait for takes longer
 * than it has time.  The mutex is held.
 */
static bool
comes_too_late(const PadvRequest *turn, int64 time_left, int64 now, PadvFullQueue *full)
{
	for (int i = 0; i < turn->nquotas; i++)
	{
		const PadvLimitState *rule = &padv_limit_states[turn->quotas[i]];
		int64		least_wait = padv_queue_watch_least_wait(&rule->watch, rule->active.linked, now);

		if (rule->active.linked == 0 || least_wait < time_left)
			continue;
		describe_queue(turn->quotas[i], full);
		full->least_wait = least_wait;
		full->time_left = time_left;
		return true;
	}
	return false;
}

/* Come in, stand in the queue, or do neither; the mutex is held. */
static PadvSlotResult
grant_now(PadvRequest *turn, bool may_wait, PadvEnforcement enforcement, int64 now, int64 time_left, PadvFullQueue *full)
{
	if (enforcement == PADV_ENFORCEMENT_OBSERVE && would_wait(turn))
		padv_admission->slot_totals.would_wait++;
	if (may_wait && enforcement == PADV_ENFORCEMENT_ON &&
		padv_queue_first_full(&padv_xact_queue, turn) != PADV_NONE)
	{
		if (finds_full_queue(turn, full))
			return PADV_SLOT_REFUSED;
		look_at_queues(turn, now);
		if (comes_too_late(turn, time_left, now, full))
			return PADV_SLOT_TOO_LATE;
		padv_my_backend->queued_at = now;
		padv_admission->slot_totals.newest_first += padv_queue_enqueue(&padv_xact_queue, turn);
		standing = true;
		return PADV_SLOT_QUEUED;
	}
	padv_queue_acquire(&padv_xact_queue, turn);
	note_slot_owner(padv_my_backend);
	pg_atomic_write_u64(&my_turn->word, SLOT_WORD(SLOT_HELD, 0));
	return PADV_SLOT_GRANTED;
}

static void
wake_stall_monitor(void)
{
	int32		procno = (int32) pg_atomic_read_u32(&padv_admission->stall_monitor) - 1;

	if (procno >= 0)
		padv_backends_wake(&procno, 1);
}

/*
 * How long statement_timeout leaves to this statement, in microseconds: none while it
 * is about to end it, which it does by itself.
 */
static int64
statement_time_left(void)
{
	int64		left;

	if (!get_timeout_active(STATEMENT_TIMEOUT))
		return PG_INT64_MAX;
	left = get_timeout_finish_time(STATEMENT_TIMEOUT) - GetCurrentTimestamp();
	return left > 0 ? left : PG_INT64_MAX;
}

static PadvSlotResult
acquire_with_lock(bool exempt, bool may_wait, int64 now, PadvFullQueue *full)
{
	PadvEnforcement enforcement = padv_gate_enforcement_in_force();
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];
	PadvRequest *turn = &padv_my_backend->xact;
	PadvSlotResult verdict = PADV_SLOT_GRANTED;
	int64		time_left = may_wait ? statement_time_left() : PG_INT64_MAX;
	int			count = 0;
	bool		first;

	SpinLockAcquire(&padv_admission->mutex);
	if (turn->state != PADV_REQUEST_NONE)	/* kept under other rules */
		count = padv_slot_drop(padv_my_backend, SLOT_NONE, procnos);
	padv_my_backend->exempt = exempt;
	padv_slot_find_quotas(padv_my_backend);
	my_rules = pg_atomic_read_u32(&padv_admission->limits_version);
	limits_me = my_rules != 0 && turn->nquotas > 0;
	if (limits_me)
		verdict = grant_now(turn, may_wait, enforcement, now, time_left, full);
	first = standing && padv_admission->xact_head.waiting == 1;
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(procnos, count);
	padv_slots_settle();
	if (first)
		wake_stall_monitor();
	was_exempt = exempt;
	return verdict;
}

/*
 * Take one slot of this quota away that is kept for a transaction to come, however
 * short its grace has been; false when there is none.
 */
static bool
reclaim_own(int32 quota)
{
	int			count = *(volatile int32 *) &padv_admission->nslot_owners;

	for (int i = 0; i < count; i++)
	{
		int32		number = ((volatile int32 *) padv_slot_owners)[i];
		uint64		word = pg_atomic_read_u64(&padv_slot_words[number].word);
		const volatile PadvRequest *turn = &padv_backends[number].xact;

		if (SLOT_STATE(word) != SLOT_RETAINED)
			continue;
		for (int j = 0; j < turn->nquotas && j < PADV_MAX_REQUEST_QUOTAS; j++)
			if (turn->quotas[j] == quota)
			{
				reclaim(number, word);
				return true;
			}
	}
	return false;
}

/* Nobody is refused while a slot is only kept. */
static PadvSlotResult
acquire_or_refuse(bool exempt, bool may_wait, int64 now, PadvFullQueue *full)
{
	PadvSlotResult verdict = acquire_with_lock(exempt, may_wait, now, full);

	for (int i = 0; i < MAX_RECLAIMS && verdict == PADV_SLOT_REFUSED && reclaim_own(full->quota); i++)
		verdict = acquire_with_lock(exempt, may_wait, now, full);
	return verdict;
}

PadvSlotResult
padv_slot_acquire(bool exempt, bool may_wait, PadvFullQueue *full)
{
	uint32		rules = pg_atomic_read_u32(&padv_admission->limits_version);
	uint64		word = pg_atomic_read_u64(&my_turn->word);
	bool		known = rules == my_rules && exempt == was_exempt;
	int64		now;

	if (rules == 0 || (known && !limits_me) ||
		unlikely(padv_gate_enforcement_in_force() == PADV_ENFORCEMENT_OFF))
		return PADV_SLOT_GRANTED;
	if (likely(known && SLOT_STATE(word) == SLOT_RETAINED &&
			   pg_atomic_compare_exchange_u64(&my_turn->word, &word, SLOT_WORD(SLOT_HELD, 0))))
	{
		if (unlikely(SLOT_SINCE(word) > 0))
			track_think_time(padv_monotonic_us());
		return PADV_SLOT_GRANTED;
	}
	now = padv_monotonic_us();
	track_think_time(now);
	turn_started = now;
	return acquire_or_refuse(exempt, may_wait, now, full);
}

void
padv_slot_touch(void)
{
	uint64		word = pg_atomic_read_u64(&my_turn->word);
	int64		now;

	if (likely(last_message == 0))
		return;
	now = padv_monotonic_us();
	note_message(last_message, now);
	last_message = now;
	if (SLOT_STATE(word) == SLOT_RETAINED && SLOT_SINCE(word) > 0 && longest_gap < retain_us())
		(void) pg_atomic_compare_exchange_u64(&my_turn->word, &word, SLOT_WORD(SLOT_RETAINED, now));
}

bool
padv_slot_granted(void)
{
	if (SLOT_STATE(pg_atomic_read_u64(&my_turn->word)) == SLOT_NONE)
		return false;
	pg_read_barrier();
	return true;
}

/* The backend of this server that holds the other end of our connection, or PADV_NO_CLIENT. */
static int32
find_client(void)
{
#ifdef SO_PEERCRED
	struct ucred peer;
	socklen_t	size = sizeof(peer);

	if (MyProcPort != NULL && MyProcPort->raddr.addr.ss_family == AF_UNIX &&
		getsockopt(MyProcPort->sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
	{
		/* a process that is our client stays where it is */
		for (int i = 0; i < padv_admission_backends(); i++)
			if (((volatile PadvBackend *) padv_backends)[i].pid == peer.pid &&
				((volatile PadvBackend *) padv_backends)[i].login.state == PADV_REQUEST_GRANTED)
				return i;
	}
#endif
	return PADV_NO_CLIENT;
}

void
padv_slot_note_needs(bool holds_locks, bool may_be_polled)
{
	if (!client_known)
		my_client = find_client();
	client_known = true;
	if (!holds_locks && my_client == PADV_NO_CLIENT)
		return;
	SpinLockAcquire(&padv_admission->mutex);
	if (padv_my_backend->xact.state == PADV_REQUEST_WAITING && padv_my_backend->needed == PADV_NOT_NEEDED)
	{
		padv_my_backend->holds_locks = holds_locks;
		padv_my_backend->may_be_polled = may_be_polled;
		padv_my_backend->client = my_client;
		padv_my_backend->needed = padv_admission->nneeded;
		padv_needed[padv_admission->nneeded++] = padv_my_backend - padv_backends;
	}
	SpinLockRelease(&padv_admission->mutex);
}

void
padv_slot_bypass(void)
{
	(void) padv_slot_overcommit(padv_my_backend - padv_backends);
}

void
padv_slot_note_polling(bool polls)
{
	pg_atomic_write_u32(&my_turn->polls, polls);
}

static int64
queue_target_us(void)
{
	return (int64) (padv_queue_target * 1e6);
}

void
padv_slot_count_wait(int64 waited_us)
{
	PadvRoleCounters *counters;
	int			stood_at;

	standing = false;
	turn_started = padv_monotonic_us();
	SpinLockAcquire(&padv_admission->mutex);
	counters = padv_backend_counters(padv_my_backend);
	counters->turns_waited++;
	counters->turns_waited_us += waited_us;
	stood_at = padv_my_backend->xact.at;
	if (stood_at != PADV_NONE)
		padv_queue_watch_granted(&padv_limit_states[stood_at].watch, waited_us, queue_target_us(), turn_started);
	padv_admission->slot_totals.waited++;
	padv_admission->slot_totals.waited_us += waited_us;
	SpinLockRelease(&padv_admission->mutex);
}

void
padv_slot_refuse(void)
{
	SpinLockAcquire(&padv_admission->mutex);
	padv_admission->slot_totals.refused++;
	SpinLockRelease(&padv_admission->mutex);
}

int64
padv_slot_deadline(void)
{
	const PadvRequest *turn = &padv_my_backend->xact;
	int64		shortest = PG_INT64_MAX;

	SpinLockAcquire(&padv_admission->mutex);
	for (int i = 0; i < turn->nquotas; i++)
	{
		int64		timeout = padv_limit_states[turn->quotas[i]].transaction_queue_timeout;

		if (timeout > 0)
			shortest = Min(shortest, padv_my_backend->queued_at + timeout * 1000);
	}
	SpinLockRelease(&padv_admission->mutex);
	return shortest;
}

int64
padv_slot_queued_at(void)
{
	return padv_my_backend->queued_at;
}

/* It leaves the queue without a slot.  The mutex is held. */
static void
note_given_up(int64 now)
{
	int			quota = padv_queue_queued_at(&padv_xact_queue, &padv_my_backend->xact);

	padv_admission->slot_totals.given_up++;
	padv_queue_watch_given_up(&padv_limit_states[quota].watch, queue_target_us(), now);
}

bool
padv_slot_time_out(PadvFullQueue *full)
{
	int64		now = padv_monotonic_us();
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];
	int			count = 0;
	bool		waits;

	SpinLockAcquire(&padv_admission->mutex);
	waits = padv_my_backend->xact.state == PADV_REQUEST_WAITING;
	if (waits)
	{
		describe_queue(padv_queue_queued_at(&padv_xact_queue, &padv_my_backend->xact), full);
		note_given_up(now);
		padv_admission->slot_totals.timed_out++;
		count = padv_slot_drop(padv_my_backend, SLOT_NONE, procnos);
		standing = false;
	}
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(procnos, count);
	padv_slots_settle();
	return waits;
}

bool
padv_slot_suspended(void)
{
	return SLOT_STATE(pg_atomic_read_u64(&my_turn->word)) == SLOT_SUSPENDED;
}

bool
padv_slot_waiting(void)
{
	return standing;
}

static void
give_up_slot(void)
{
	int64		now = standing ? padv_monotonic_us() : 0;
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];
	int			count;

	SpinLockAcquire(&padv_admission->mutex);
	if (padv_my_backend->xact.state == PADV_REQUEST_WAITING)
		note_given_up(now);
	count = padv_slot_drop(padv_my_backend, SLOT_NONE, procnos);
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(procnos, count);
	padv_slots_settle();
}

/* Keep the slot for the next transaction; false when it has been suspended. */
static bool
retain_slot(int64 since)
{
	uint64		word = SLOT_WORD(SLOT_HELD, 0);

	return pg_atomic_compare_exchange_u64(&my_turn->word, &word, SLOT_WORD(SLOT_RETAINED, since));
}

static bool
lease_is_over(int64 now)
{
	return now - turn_started >=
		padv_lease_us(anybody_waits(), *(volatile int32 *) &padv_admission->nslot_owners);
}

/* Whether somebody should have our slot now. */
static bool
must_pass_on(int64 now)
{
	return is_observing() ||
		((slow_client || lease_is_over(now)) && is_wanted(padv_my_backend));
}

/* The end of a transaction while somebody waits. */
static void
end_while_others_wait(void)
{
	int64		now = padv_monotonic_us();

	last_message = now;
	if (must_pass_on(now) || !retain_slot(now))
		give_up_slot();
	reclaim_if_due(now);
}

/* Whether more are in than a limit allows, as after it was lowered. */
static bool
is_one_too_many(void)
{
	const PadvRequest *turn = &padv_my_backend->xact;

	for (int i = 0; i < turn->nquotas; i++)
	{
		const volatile PadvQuota *quota = &padv_limit_states[turn->quotas[i]].active;

		if (quota->limit >= 0 && quota->in_use > quota->limit)
			return true;
	}
	return false;
}

static void
end_slot(void)
{
	if (unlikely(anybody_waits() > 0 || is_observing()))
		end_while_others_wait();
	else if (unlikely(is_one_too_many()) || !retain_slot(0))
		give_up_slot();
	else if (unlikely(anybody_waits() > 0))
		(void) padv_slots_reclaim();	/* who came since may not have seen it */
}

void
padv_slot_release(void)
{
	PadvSlotState state = SLOT_STATE(pg_atomic_read_u64(&my_turn->word));

	if (likely(state == SLOT_HELD))
		end_slot();
	else if (state == SLOT_SUSPENDED || standing)
		give_up_slot();
	standing = false;
}

/* --- others --- */

uint32
padv_slot_wait_event(void)
{
	return pg_atomic_read_u32(&padv_admission->wait_event);
}

static void
forget_stall_monitor(int code pg_attribute_unused(), Datum arg pg_attribute_unused())
{
	pg_atomic_write_u32(&padv_admission->stall_monitor, 0);
}

void
padv_slots_monitor(uint32 wait_event)
{
	pg_atomic_write_u32(&padv_admission->wait_event, wait_event);
	before_shmem_exit(forget_stall_monitor, (Datum) 0);
	pg_atomic_write_u32(&padv_admission->stall_monitor, padv_my_procno() + 1);
}

void
padv_slots_set_retain_timeout(int64 us)
{
	pg_atomic_write_u32(&padv_admission->retain_us, (uint32) us);
}

bool
padv_slots_have_waiters(void)
{
	return anybody_waits() > 0;
}

static int
set_server_limit(int32 limit, int32 *procnos)
{
	int32		granted_list[PADV_MAX_REQUEST_QUOTAS];
	int32		before = padv_admission->server_max_active;
	int			count;

	/* in force may be more, by the stall monitor's will */
	if (limit == before)
		return 0;
	padv_admission->server_max_active = limit;
	if (limit < 0 || before < 0 || limit < before)
		padv_slot_limits_changed(); /* kept slots do not count any more */
	count = padv_queue_set_limit(&padv_xact_queue, PADV_SERVER_QUOTA, limit, granted_list,
								 PADV_MAX_REQUEST_QUOTAS);
	padv_slots_note_granted(granted_list, count, procnos);
	return count;
}

void
padv_slots_set_server_limit(int32 limit)
{
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];
	int			count;

	SpinLockAcquire(&padv_admission->mutex);
	count = set_server_limit(limit, procnos);
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(procnos, count);
	padv_slots_settle();
}
