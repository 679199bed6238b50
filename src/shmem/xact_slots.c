/*
 * xact_slots.c
 *		Slots for transactions: acquiring, retaining and releasing them.
 *
 * admission_internal.h says which lock protects what.  Nothing here sleeps: xact_hooks.c
 * does, on the latch of the process.
 *
 * While no session waits, a session retains its slot after its transaction, and uses it
 * again with one atomic operation on a cache line of its own.  The slot is reclaimed
 * when another session needs it.  So a gate that is never full takes no lock and touches
 * no memory that other processes write.
 *
 * While sessions wait, a slot passes to a waiter at the end of a transaction: to the
 * oldest waiter, or under overload to the newest.  A session whose client is quick may
 * run further transactions for a while, the lease (core/policy/lease.h).  A slot that is
 * retained and not used is reclaimed after the retain timeout (slot_reclaim.c), which the
 * worker sets.
 *
 * Each session checks by itself whether limits are enforced, so that turning them off
 * needs no other process (shared_settings.h).
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "client_port.h"

#include <sys/socket.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "clock.h"
#include "compat.h"
#include "core/policy/lease.h"
#include "settings.h"
#include "shmem/admission_internal.h"
#include "shmem/long_lane.h"
#include "shmem/query_quotas.h"
#include "shmem/queue_bounds.h"
#include "shmem/shared_settings.h"
#include "shmem/slot_reclaim.h"
#include "shmem/xact_slots.h"

/*
 * How many retained slots one transaction reclaims at most.  Each of them may go to
 * another waiter.
 */
#define MAX_RECLAIMS 64

static PadvSlotWord *my_word = NULL;

/* Whether limits count this session's transactions, as of this version of the limits. */
static uint32 my_version = 0;
static bool limits_me = false;
static PadvQueryEntries my_queries = {0};	/* a copy, likewise */
static bool my_exempt = false;

static bool is_waiting = false; /* waits in the queue */
static int64 granted_at = 0;	/* monotonic; when the slot was granted */

/* How quick the client is; measured while other sessions wait. */
static int64 last_message = 0;	/* monotonic; the end of the last transaction,
								 * or the BEGIN after it; 0: not measured */
static int64 longest_gap = 0;	/* longest time between messages before this
								 * transaction's work */
static bool slow_client = false;	/* the last longest_gap was too long */

/* The backend that is our client (dblink), once find_client_backend has run. */
static bool client_known = false;
static int32 my_client = PADV_NO_CLIENT;

/* --- these are called with the mutex held, except the last two --- */

void
padv_slot_limits_changed(void)
{
	bool		any = padv_admission->server_max_active >= 0 || padv_admission->limits_active ||
		padv_admission->query_entries.count > 0;

	/* an odd number, so that it is never 0 */
	padv_admission->limits_changed += 2;
	pg_atomic_write_u32(&padv_admission->limits_version, any ? padv_admission->limits_changed | 1 : 0);
}

int32
padv_slot_find_flow(PadvBackend *backend)
{
	int32		flow = PADV_NONE;
	int			highest = 0;

	for (int i = 0; i < backend->login.nquotas; i++)
	{
		int32		quota = backend->login.quotas[i];

		if (padv_limit_states[quota].share_order > highest)
		{
			flow = quota;
			highest = padv_limit_states[quota].share_order;
		}
	}
	if (flow == PADV_NONE && OidIsValid(backend->role))
		(void) padv_backend_role(backend);
	return flow != PADV_NONE ? flow : PADV_ROLE_QUOTA(Max(backend->role_number, 0));
}

/* Add the quota of the query, if that has a limit. */
static void
find_query_quota(PadvBackend *backend)
{
	PadvRequest *request = &backend->xact;

	backend->query_entry = PADV_NONE;
	if (backend->exempt || padv_admission->query_entries.count == 0)
		return;
	backend->query_entry = padv_query_entry(&padv_admission->query_entries,
											pg_atomic_read_u64(&padv_slot_words[backend - padv_backends].query_id));
	if (backend->query_entry != PADV_NONE)
		request->quotas[request->nquotas++] = PADV_QUERY_QUOTA(backend->query_entry);
}

void
padv_slot_find_quotas(PadvBackend *backend)
{
	PadvRequest *request = &backend->xact;

	request->nquotas = 0;
	for (int i = 0; i < backend->login.nquotas; i++)
		if (padv_limit_states[backend->login.quotas[i]].value[PADV_MAX_ACTIVE] >= 0)
			request->quotas[request->nquotas++] = backend->login.quotas[i];
	request->flows[PADV_OUTER] = padv_slot_find_flow(backend);
	request->flows[PADV_INNER] = 0;
	find_query_quota(backend);
	if (backend->exempt || (request->nquotas == 0 && padv_admission->server_max_active < 0))
		return;
	if (backend->in_lane)
	{
		request->quotas[request->nquotas++] = PADV_LANE_QUOTA;
		request->flows[PADV_INNER] = request->flows[PADV_OUTER];
		request->flows[PADV_OUTER] = PADV_LANE_QUOTA;
	}
	request->quotas[request->nquotas++] = PADV_SERVER_QUOTA;
}

static void
add_slot_owner(PadvBackend *backend)
{
	backend->slots++;
	backend->owner_index = padv_admission->nslot_owners;
	padv_slot_owners[padv_admission->nslot_owners++] = backend - padv_backends;
}

static void
remove_slot_owner(PadvBackend *backend)
{
	int32		last = padv_slot_owners[--padv_admission->nslot_owners];

	padv_slot_owners[backend->owner_index] = last;
	padv_backends[last].owner_index = backend->owner_index;
}

/* Remove a backend from padv_needed, as it does not wait any more. */
static void
remove_needed(PadvBackend *backend)
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
		remove_needed(&padv_backends[granted_list[i]]);
		add_slot_owner(&padv_backends[granted_list[i]]);
		count_granted(&padv_backends[granted_list[i]]);
		PADV_COUNT_AT(padv_backends[granted_list[i]].xact.at, granted, 1);
		procnos[i] = padv_backends[granted_list[i]].procno;
		pg_atomic_write_u64(&padv_slot_words[granted_list[i]].word, SLOT_WORD(SLOT_HELD, 0));
	}
}

int
padv_slot_drop(PadvBackend *backend, PadvSlotState state, int64 now, int32 *procnos)
{
	int32		granted_list[PADV_MAX_REQUEST_QUOTAS];
	int			count;

	if (backend->xact.state == PADV_REQUEST_GRANTED)
		remove_slot_owner(backend);
	remove_needed(backend);
	pg_atomic_write_u64(&padv_slot_words[backend - padv_backends].word, SLOT_WORD(state, 0));
	padv_queue_set_time(&padv_xact_queue, now);
	padv_lane_leave(backend);
	padv_lane_update(0, now);
	count = padv_queue_release(&padv_xact_queue, &backend->xact, granted_list);
	padv_slots_note_granted(granted_list, count, procnos);
	return count;
}

bool
padv_slot_overcommit(int32 number)
{
	PadvBackend *backend = &padv_backends[number];
	int32		procno;
	int64		now = padv_monotonic_us();
	bool		waits;

	SpinLockAcquire(&padv_admission->mutex);
	waits = backend->xact.state == PADV_REQUEST_WAITING;
	if (waits)
	{
		padv_queue_set_time(&padv_xact_queue, now);
		padv_queue_grant(&padv_xact_queue, &backend->xact);
		padv_slots_note_granted(&number, 1, &procno);
		PADV_COUNT_AT(backend->xact.at, overcommitted, 1);
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

/* --- the session --- */

static inline bool
gate_is_observing(void)
{
	return padv_gate_enforcement_in_force() == PADV_ENFORCEMENT_OBSERVE;
}

void
padv_slots_announce(void)
{
	my_word = &padv_slot_words[padv_my_backend - padv_backends];

	/* reset what the previous backend with this number has left */
	pg_atomic_write_u32(&my_word->polls, 0);
	pg_atomic_write_u64(&my_word->query_id, 0);
	SpinLockAcquire(&padv_admission->mutex);
	padv_my_backend->client = PADV_NO_CLIENT;
	padv_my_backend->holds_locks = false;
	padv_my_backend->may_be_polled = false;
	SpinLockRelease(&padv_admission->mutex);
}

/* The client has sent a message; note how long it took, if that is measured. */
static void
note_client_message(int64 since, int64 now)
{
	if (since > 0)
		longest_gap = Max(longest_gap, now - since);
}

/*
 * A transaction begins its work.  Whether the client was quick decides whether its slot
 * is retained the next time.  One measurement is enough: a client that was slow because
 * it had nothing to do is quick as soon as it has work.
 */
static void
track_think_time(int64 now)
{
	note_client_message(last_message, now);
	if (longest_gap > 0)
		slow_client = longest_gap >= padv_retain_timeout_us();
	last_message = 0;
	longest_gap = 0;
}

static void
enqueue_request(PadvRequest *request)
{
	if (padv_queue_enqueue(&padv_xact_queue, request))
	{
		int32		quota = padv_queue_queued_at(&padv_xact_queue, request);

		PADV_COUNT_AT(quota, newest_first, 1);
	}
	is_waiting = true;
}

/* Grant the slot, enqueue the request, or refuse it.  The mutex is held. */
static PadvSlotResult
grant_now(PadvRequest *request, bool may_wait, PadvEnforcement enforcement, int64 now, int64 time_left, PadvFullQueue *full)
{
	if (enforcement == PADV_ENFORCEMENT_OBSERVE)
	{
		int32		quota = padv_would_wait_at(request);

		if (quota != PADV_NO_QUOTA)
			PADV_COUNT_AT(quota, would_wait, 1);
	}
	if (may_wait && enforcement == PADV_ENFORCEMENT_ON &&
		padv_queue_first_full(&padv_xact_queue, request) != PADV_NONE)
	{
		if (padv_finds_full_queue(request, full))
			return PADV_SLOT_REFUSED;
		padv_update_queue_watches(request, now);
		if (padv_would_time_out(request, time_left, now, full))
			return PADV_SLOT_TOO_LATE;
		padv_my_backend->queued_at = now;
		enqueue_request(request);
		return PADV_SLOT_QUEUED;
	}
	padv_queue_acquire(&padv_xact_queue, request);
	add_slot_owner(padv_my_backend);
	pg_atomic_write_u64(&my_word->word, SLOT_WORD(SLOT_HELD, GetCurrentStatementStartTimestamp()));
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
 * Microseconds until statement_timeout ends this statement, or PG_INT64_MAX.  A timeout
 * that is already due counts as none, because it ends the statement by itself.
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
	PadvRequest *request = &padv_my_backend->xact;
	PadvSlotResult result = PADV_SLOT_GRANTED;
	int64		time_left = may_wait ? statement_time_left() : PG_INT64_MAX;
	int			count = 0;
	bool		first;

	SpinLockAcquire(&padv_admission->mutex);
	padv_queue_set_time(&padv_xact_queue, now);
	if (request->state != PADV_REQUEST_NONE)	/* retained under other limits */
		count = padv_slot_drop(padv_my_backend, SLOT_NONE, now, procnos);
	padv_my_backend->exempt = exempt;
	padv_lane_choose(padv_my_backend, pg_atomic_read_u64(&my_word->query_id));
	padv_slot_find_quotas(padv_my_backend);
	padv_lane_update(padv_is_in_lane(request) ? 0 : 1, now);
	if (my_version != pg_atomic_read_u32(&padv_admission->limits_version))
	{
		my_version = pg_atomic_read_u32(&padv_admission->limits_version);
		my_queries = padv_admission->query_entries;
	}
	limits_me = my_version != 0 && (request->nquotas > 0 || (!exempt && my_queries.count > 0));
	if (limits_me)
		result = grant_now(request, may_wait, enforcement, now, time_left, full);
	first = is_waiting && padv_admission->xact_head.waiting == 1;
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(procnos, count);
	padv_slots_settle();
	if (first)
		wake_stall_monitor();
	my_exempt = exempt;
	return result;
}

/* As acquire_with_lock, but reclaim retained slots before a refusal. */
static PadvSlotResult
acquire_or_refuse(bool exempt, bool may_wait, int64 now, PadvFullQueue *full)
{
	PadvSlotResult result = acquire_with_lock(exempt, may_wait, now, full);

	for (int i = 0; i < MAX_RECLAIMS && result == PADV_SLOT_REFUSED && padv_slots_reclaim_one(full->quota, now); i++)
		result = acquire_with_lock(exempt, may_wait, now, full);
	return result;
}

/*
 * Whether a retained slot is good for a transaction that begins with this query: it is of
 * the same limit of queries, and while others wait of the same lane.  Only then is the
 * lane looked at here, as that is not free.
 */
static bool
fits_retained(uint64 word, uint64 query_id)
{
	if (unlikely(my_queries.count > 0) && padv_query_entry(&my_queries, query_id) != padv_my_backend->query_entry)
		return false;
	return likely(SLOT_SINCE(word) == 0) || !padv_lane_is_wrong(padv_my_backend, query_id);
}

PadvSlotResult
padv_slot_acquire(bool exempt, bool may_wait, uint64 query_id, PadvFullQueue *full)
{
	uint32		version = pg_atomic_read_u32(&padv_admission->limits_version);
	uint64		word = pg_atomic_read_u64(&my_word->word);
	bool		known = version == my_version && exempt == my_exempt;
	int64		now;

	if (version == 0 || (known && !limits_me) ||
		unlikely(padv_gate_enforcement_in_force() == PADV_ENFORCEMENT_OFF))
		return PADV_SLOT_GRANTED;
	pg_atomic_write_u64(&my_word->query_id, query_id);
	if (likely(known && SLOT_STATE(word) == SLOT_RETAINED && fits_retained(word, query_id) &&
			   pg_atomic_compare_exchange_u64(&my_word->word, &word,
											  SLOT_WORD(SLOT_HELD, GetCurrentStatementStartTimestamp()))))
	{
		if (unlikely(SLOT_SINCE(word) > 0))
			track_think_time(padv_monotonic_us());
		return PADV_SLOT_GRANTED;
	}
	now = padv_monotonic_us();
	track_think_time(now);
	granted_at = now;
	return acquire_or_refuse(exempt, may_wait, now, full);
}

static bool
lease_is_over(int64 now)
{
	return now - granted_at >=
		padv_lease_us(padv_slot_waiters(), *(volatile int32 *) &padv_admission->nslot_owners);
}

void
padv_slot_touch(void)
{
	uint64		word = pg_atomic_read_u64(&my_word->word);
	int64		now;

	if (likely(last_message == 0))
		return;
	now = padv_monotonic_us();
	note_client_message(last_message, now);
	last_message = now;
	if (SLOT_STATE(word) == SLOT_RETAINED && SLOT_SINCE(word) > 0 && longest_gap < padv_retain_timeout_us() &&
		!lease_is_over(now))
		(void) pg_atomic_compare_exchange_u64(&my_word->word, &word, SLOT_WORD(SLOT_RETAINED, now));
}

bool
padv_slot_granted(void)
{
	if (SLOT_STATE(pg_atomic_read_u64(&my_word->word)) == SLOT_NONE)
		return false;
	pg_read_barrier();
	return true;
}

/* The backend of this server that is the client of our connection, or PADV_NO_CLIENT. */
static int32
find_client_backend(void)
{
#ifdef SO_PEERCRED
	struct ucred peer;
	socklen_t	size = sizeof(peer);

	if (MyProcPort != NULL && MyProcPort->raddr.addr.ss_family == AF_UNIX &&
		getsockopt(MyProcPort->sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
	{
		/* the entry cannot change: the process waits for us */
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
		my_client = find_client_backend();
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

bool
padv_slot_queries_matter(void)
{
	return padv_admission->query_entries.count > 0 || padv_slots_have_waiters();
}

/* The entries have a fixed place, and `count` never exceeds them, so this reads no other memory. */
bool
padv_slot_query_is_limited(uint64 query_id)
{
	return padv_query_entry(&padv_admission->query_entries, query_id) != PADV_NONE;
}

void
padv_slot_note_polling(bool polls)
{
	pg_atomic_write_u32(&my_word->polls, polls);
}

/* Long transactions wait long anyway, so there is no target in their lane. */
static int64
queue_target_us(void)
{
	if (padv_is_in_lane(&padv_my_backend->xact))
		return 0;
	return padv_queue_target < 0.0 ? PADV_TARGET_DRAIN : (int64) (padv_queue_target * 1e6);
}

void
padv_slot_count_wait(int64 waited_us)
{
	PadvRoleCounters *counters;
	int			queued_at_quota;
	uint64		word = SLOT_WORD(SLOT_HELD, 0);
	TimestampTz wall = GetCurrentTimestamp();

	is_waiting = false;
	granted_at = padv_monotonic_us();
	SpinLockAcquire(&padv_admission->mutex);
	(void) pg_atomic_compare_exchange_u64(&my_word->word, &word, SLOT_WORD(SLOT_HELD, wall));
	counters = padv_backend_counters(padv_my_backend);
	counters->count[PADV_ROLE_XACTS_QUEUED]++;
	counters->count[PADV_ROLE_XACT_WAIT_US] += waited_us;
	queued_at_quota = padv_my_backend->xact.at;
	if (queued_at_quota != PADV_NONE)
	{
		padv_queue_watch_granted(padv_queue_watch_of(&padv_my_backend->xact, queued_at_quota), waited_us, queue_target_us(),
								 padv_waiters_like(&padv_my_backend->xact, queued_at_quota), granted_at);
		padv_wait_times_add(&padv_queue_stats[padv_limit_states[queued_at_quota].stats].waits, waited_us, granted_at);
	}
	PADV_COUNT_AT(queued_at_quota, waited, 1);
	PADV_COUNT_AT(queued_at_quota, waited_us, waited_us);
	SpinLockRelease(&padv_admission->mutex);
}

void
padv_slot_refuse(const PadvFullQueue *full)
{
	int32		quota;

	SpinLockAcquire(&padv_admission->mutex);
	quota = full->generation == padv_admission->generation ? full->quota : PADV_NO_QUOTA;
	PADV_COUNT_AT(quota, refused, 1);
	SpinLockRelease(&padv_admission->mutex);
}

int64
padv_slot_deadline(void)
{
	const PadvRequest *request = &padv_my_backend->xact;
	int64		shortest = PG_INT64_MAX;

	SpinLockAcquire(&padv_admission->mutex);
	for (int i = 0; i < request->nquotas; i++)
	{
		int64		timeout = padv_limit_states[request->quotas[i]].value[PADV_TRANSACTION_QUEUE_TIMEOUT];

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

/* Count a wait that ends without a slot.  The mutex is held. */
static void
count_cancelled_wait(int64 now)
{
	int			quota = padv_queue_queued_at(&padv_xact_queue, &padv_my_backend->xact);

	PADV_COUNT_AT(quota, cancelled, 1);
	padv_queue_watch_cancelled(padv_queue_watch_of(&padv_my_backend->xact, quota), queue_target_us(),
							   padv_waiters_like(&padv_my_backend->xact, quota), now);
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
		padv_describe_full_queue(padv_queue_queued_at(&padv_xact_queue, &padv_my_backend->xact), full);
		count_cancelled_wait(now);
		PADV_COUNT_AT(full->quota, timed_out, 1);
		count = padv_slot_drop(padv_my_backend, SLOT_NONE, now, procnos);
	}
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(procnos, count);
	padv_slots_settle();
	return waits;
}

bool
padv_slot_suspended(void)
{
	return SLOT_STATE(pg_atomic_read_u64(&my_word->word)) == SLOT_SUSPENDED;
}

/* How long this transaction has had its slot, or -1 if that is not known. */
static int64
slot_held_us(void)
{
	uint64		word = pg_atomic_read_u64(&my_word->word);

	return SLOT_STATE(word) == SLOT_HELD && SLOT_SINCE(word) > 0 ? GetCurrentTimestamp() - SLOT_SINCE(word) : -1;
}

/* Release the slot, or leave the queue. */
static void
give_up_slot(void)
{
	int64		now = padv_monotonic_us();
	int64		held_us = slot_held_us();
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];
	int			count;

	SpinLockAcquire(&padv_admission->mutex);
	if (padv_my_backend->xact.state == PADV_REQUEST_WAITING)
		count_cancelled_wait(now);
	else if (held_us >= 0)
		padv_lane_learn(padv_my_backend, held_us, now);
	count = padv_slot_drop(padv_my_backend, SLOT_NONE, now, procnos);
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(procnos, count);
	padv_slots_settle();
}

bool
padv_slot_abandon(void)
{
	bool		waited = is_waiting;

	if (waited)
		give_up_slot();
	is_waiting = false;
	return waited;
}

/* Retain the slot for the next transaction; false when it has been suspended. */
static bool
retain_slot(int64 since)
{
	uint64		word = pg_atomic_read_u64(&my_word->word);

	return SLOT_STATE(word) == SLOT_HELD &&
		pg_atomic_compare_exchange_u64(&my_word->word, &word, SLOT_WORD(SLOT_RETAINED, since));
}

/* Whether our transaction was long.  Then its slot is not retained. */
static inline bool
was_long(void)
{
	return pg_atomic_read_u32(&my_word->turned_long) != 0 || padv_is_in_lane(&padv_my_backend->xact);
}

/* Whether our slot should pass to a waiter now. */
static bool
must_pass_on(int64 now)
{
	return gate_is_observing() || was_long() ||
		((slow_client || lease_is_over(now)) && padv_slot_is_wanted(padv_my_backend));
}

/* The end of a transaction while sessions wait. */
static void
end_while_others_wait(void)
{
	int64		now = padv_monotonic_us();

	last_message = now;
	if (must_pass_on(now) || !retain_slot(now))
		give_up_slot();
	padv_slots_reclaim_if_due(now);
}

/* Whether a limit of ours is exceeded, as after it was lowered. */
static bool
is_one_too_many(void)
{
	const PadvRequest *request = &padv_my_backend->xact;

	for (int i = 0; i < request->nquotas; i++)
	{
		const volatile PadvQuota *quota = &padv_limit_states[request->quotas[i]].active;

		if (quota->limit >= 0 && quota->in_use > quota->limit)
			return true;
	}
	return false;
}

static void
retain_or_give_up(void)
{
	if (unlikely(padv_slot_waiters() > 0 || gate_is_observing()))
		end_while_others_wait();
	else if (unlikely(is_one_too_many() || was_long()) || !retain_slot(0))
		give_up_slot();
	else if (unlikely(padv_slot_waiters() > 0))
		(void) padv_slots_reclaim();	/* a new waiter may have missed it */
}

void
padv_slot_release(void)
{
	PadvSlotState state = SLOT_STATE(pg_atomic_read_u64(&my_word->word));

	if (likely(state == SLOT_HELD))
		retain_or_give_up();
	else if (state == SLOT_SUSPENDED || is_waiting)
		give_up_slot();
	is_waiting = false;
}

/* --- the worker --- */

uint32
padv_slot_wait_event(void)
{
	return pg_atomic_read_u32(&padv_admission->wait_event);
}

static void
clear_stall_monitor(int code pg_attribute_unused(), Datum arg pg_attribute_unused())
{
	pg_atomic_write_u32(&padv_admission->stall_monitor, 0);
}

void
padv_slots_monitor(uint32 wait_event)
{
	pg_atomic_write_u32(&padv_admission->wait_event, wait_event);
	before_shmem_exit(clear_stall_monitor, (Datum) 0);
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
	return padv_slot_waiters() > 0;
}

static int
apply_server_limit(int32 limit, int64 now, int32 *procnos)
{
	int32		granted_list[PADV_MAX_REQUEST_QUOTAS];
	int32		before = padv_admission->server_max_active;
	int			count;

	/* the stall monitor may have raised the limit in force above it */
	if (limit == before)
		return 0;
	padv_admission->server_max_active = limit;
	if (limit < 0 || before < 0 || limit < before)
		padv_slot_limits_changed(); /* retained slots are of old limits now */
	padv_lane_update(0, now);
	count = padv_queue_set_limit(&padv_xact_queue, PADV_SERVER_QUOTA, limit, granted_list,
								 PADV_MAX_REQUEST_QUOTAS);
	padv_slots_note_granted(granted_list, count, procnos);
	return count;
}

void
padv_slots_set_server_limit(int32 limit)
{
	int32		procnos[PADV_MAX_REQUEST_QUOTAS];
	int64		now = padv_monotonic_us();
	int			count;

	SpinLockAcquire(&padv_admission->mutex);
	padv_queue_set_time(&padv_xact_queue, now);
	count = apply_server_limit(limit, now, procnos);
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(procnos, count);
	padv_slots_settle();
}
