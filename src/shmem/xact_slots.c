/*
 * xact_slots.c
 *		Which transactions may run now: taking a turn, keeping it, handing it over.
 *
 * admission_internal.h says which lock guards what.  Nothing here waits: xact_hooks.c does, on its
 * latch.
 *
 * While nobody waits a session keeps its slot when its transaction has ended, and
 * finds it again with one atomic operation on a line of cache of its own.  It is
 * taken away when somebody else needs it.  So a gate that is never full costs
 * no lock and touches no memory that others write.
 *
 * While somebody waits a slot is handed over at the end of a transaction, to the
 * waiter that came first; but a session whose client is quick may go on for a while,
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

#include "hooks/client_port.h"

#include <sys/socket.h>

#include "miscadmin.h"
#include "storage/ipc.h"

#include "clock.h"
#include "compat.h"
#include "core/policy/lease.h"
#include "shmem/admission_internal.h"
#include "shmem/shared_settings.h"
#include "shmem/xact_slots.h"

/*
 * Sessions look for kept turns this often at most, and among so many holders; the
 * worker looks among all.
 */
#define RECLAIM_INTERVAL_US 1000
#define MAX_LOOKS 256

/* Kept turns that one transaction takes away at most, each of which others may be given. */
#define MAX_RECLAIMS 64

static Turn *my_turn = NULL;

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
static int32 my_client = NO_CLIENT;

/* --- under the mutex --- */

void
padv_turn_rules_changed(void)
{
	bool		any = padv_admission->server_max_active >= 0 || padv_admission->caps_active;

	/* an odd number, which is never 0 */
	padv_admission->rules_changed += 2;
	pg_atomic_write_u32(&padv_admission->turn_rules, any ? padv_admission->rules_changed | 1 : 0);
}

void
padv_place_turn(Slot *slot)
{
	PadvPlace  *turn = &slot->turn;

	turn->naccounts = 0;
	for (int i = 0; i < slot->place.naccounts; i++)
		if (padv_accounts[slot->place.accounts[i]].max_active >= 0)
			turn->accounts[turn->naccounts++] = slot->place.accounts[i];
	if (!slot->exempt && (turn->naccounts > 0 || padv_admission->server_max_active >= 0))
		turn->accounts[turn->naccounts++] = PADV_SERVER_ACCOUNT;
}

static void
note_holder(Slot *slot)
{
	slot->turns++;
	slot->holder = padv_admission->nholders;
	padv_holders[padv_admission->nholders++] = slot - padv_slots;
}

static void
forget_holder(Slot *slot)
{
	int32		last = padv_holders[--padv_admission->nholders];

	padv_holders[slot->holder] = last;
	padv_slots[last].holder = slot->holder;
}

/* Nobody needs to look any more whether others wait for it. */
static void
forget_needed(Slot *slot)
{
	int32		last;

	if (slot->needed == NOT_NEEDED)
		return;
	last = padv_needed[--padv_admission->nneeded];
	padv_needed[slot->needed] = last;
	padv_slots[last].needed = slot->needed;
	slot->needed = NOT_NEEDED;
}

static void
count_granted(const Slot *slot)
{
	for (int i = 0; i < slot->turn.naccounts; i++)
		padv_accounts[slot->turn.accounts[i]].granted++;
}

void
padv_note_turns(const int32 *entered, int count, int32 *procnos)
{
	for (int i = 0; i < count; i++)
	{
		forget_needed(&padv_slots[entered[i]]);
		note_holder(&padv_slots[entered[i]]);
		count_granted(&padv_slots[entered[i]]);
		procnos[i] = padv_slots[entered[i]].procno;
		pg_atomic_write_u64(&padv_turns[entered[i]].word, TURN_WORD(TURN_IN, 0));
	}
	padv_admission->turn_totals.handed_over += count;
}

int
padv_drop_turn(Slot *slot, TurnState state, int32 *procnos)
{
	int32		entered[PADV_MAX_PLACE_ACCOUNTS];
	int			count;

	if (slot->turn.state == PADV_PLACE_IN)
		forget_holder(slot);
	forget_needed(slot);
	pg_atomic_write_u64(&padv_turns[slot - padv_slots].word, TURN_WORD(state, 0));
	count = padv_line_leave(&padv_turn_line, &slot->turn, entered);
	padv_note_turns(entered, count, procnos);
	return count;
}

bool
padv_turn_grant(int32 number)
{
	Slot	   *slot = &padv_slots[number];
	int32		procno;
	bool		waits;

	SpinLockAcquire(&padv_admission->mutex);
	waits = slot->turn.state == PADV_PLACE_WAITING;
	if (waits)
	{
		padv_line_grant(&padv_turn_line, &slot->turn);
		padv_note_turns(&number, 1, &procno);
		padv_admission->turn_totals.let_in++;
	}
	SpinLockRelease(&padv_admission->mutex);
	if (waits)
		padv_wake(&procno, 1);
	return waits;
}

void
padv_turns_settle(void)
{
	int32		entered[PADV_MAX_PLACE_ACCOUNTS];
	int32		procnos[PADV_MAX_PLACE_ACCOUNTS];

	/* what this process has left is seen; what others leave they settle */
	while (*(volatile int32 *) &padv_admission->turn_head.unsettled > 0)
	{
		int			count;

		SpinLockAcquire(&padv_admission->mutex);
		count = padv_line_settle(&padv_turn_line, entered);
		padv_note_turns(entered, count, procnos);
		SpinLockRelease(&padv_admission->mutex);
		padv_wake(procnos, count);
	}
}

/* --- kept turns --- */

static inline int32
waiting(void)
{
	return *(volatile int32 *) &padv_admission->turn_head.waiting;
}

static inline bool
is_observing(void)
{
	return padv_gate_enforcement_in_force() == PADV_ENFORCEMENT_OBSERVE;
}

static inline int64
grace_us(void)
{
	return pg_atomic_read_u32(&padv_admission->grace_us);
}

/* Whether somebody waits for room that this turn takes; may be wrong. */
static bool
is_wanted(const volatile Slot *slot)
{
	for (int i = 0; i < slot->turn.naccounts && i < PADV_MAX_PLACE_ACCOUNTS; i++)
	{
		int32		account = slot->turn.accounts[i];

		if (((volatile Account *) padv_accounts)[account].active.standing > 0)
			return true;
	}
	return false;
}

/* Take a kept turn away, unless it has been used or taken since. */
static void
reclaim(int32 number, uint64 word)
{
	int32		procnos[PADV_MAX_PLACE_ACCOUNTS];
	int			count = 0;

	SpinLockAcquire(&padv_admission->mutex);
	if (pg_atomic_compare_exchange_u64(&padv_turns[number].word, &word, TURN_WORD(TURN_OUT, 0)))
		count = padv_drop_turn(&padv_slots[number], TURN_OUT, procnos);
	SpinLockRelease(&padv_admission->mutex);
	padv_wake(procnos, count);
	padv_turns_settle();
}

static bool
look_after(int64 now, int32 most)
{
	bool		young = false;
	int64		grace = grace_us();
	int			looks = Min(*(volatile int32 *) &padv_admission->nholders, most);

	/* the list may change meanwhile: what is missed is found the next time */
	for (int i = 0; i < looks && waiting() > 0; i++)
	{
		int32		number = ((volatile int32 *) padv_holders)[i];
		uint64		word = pg_atomic_read_u64(&padv_turns[number].word);

		if (TURN_STATE(word) != TURN_KEPT || !is_wanted(&padv_slots[number]))
			continue;
		if (now - TURN_SINCE(word) < grace)
			young = true;
		else
			reclaim(number, word);
	}
	return young;
}

long
padv_turns_look_after(void)
{
	/* we stand in the queue before we read; who keeps a slot looks after that */
	pg_memory_barrier();
	return look_after(padv_monotonic_us(), MAX_LOOKS) ? (long) (grace_us() / 1000 + 1) : 0;
}

void
padv_turns_look_after_all(void)
{
	(void) look_after(padv_monotonic_us(), PG_INT32_MAX);
}

/* The same, if nobody has done so just now. */
static void
look_after_if_due(int64 now)
{
	uint64		due = pg_atomic_read_u64(&padv_admission->reclaim_due);

	if (now >= (int64) due &&
		pg_atomic_compare_exchange_u64(&padv_admission->reclaim_due, &due,
									   (uint64) (now + RECLAIM_INTERVAL_US)))
		(void) look_after(now, MAX_LOOKS);
}

/* --- the session --- */

void
padv_turns_announce(void)
{
	my_turn = &padv_turns[padv_my_slot - padv_slots];

	/* what the backend before us has left */
	pg_atomic_write_u32(&my_turn->polls, 0);
	SpinLockAcquire(&padv_admission->mutex);
	padv_my_slot->client = NO_CLIENT;
	padv_my_slot->holds_locks = false;
	padv_my_slot->may_be_polled = false;
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
note_gap(int64 now)
{
	note_message(last_message, now);
	if (longest_gap > 0)
		slow_client = longest_gap >= grace_us();
	last_message = 0;
	longest_gap = 0;
}

/* Whether it would have to wait, if limits were enforced.  The mutex is held. */
static bool
would_wait(const PadvPlace *turn)
{
	for (int i = 0; i < turn->naccounts; i++)
	{
		int32		limit = padv_turn_limit_of(turn->accounts[i]);

		if (limit >= 0 && padv_accounts[turn->accounts[i]].active.in_use >= limit)
			return true;
	}
	return false;
}

/* The mutex is held. */
static void
describe_queue(int32 account, PadvFullQueue *full)
{
	const Account *rule = &padv_accounts[account];

	full->account = account;
	full->cap = account == PADV_SERVER_ACCOUNT ? PADV_SERVER_QUEUE :
		account < PADV_MAX_CAPS ? account : PADV_DEFAULT_CAP;
	full->generation = padv_admission->generation;
	full->max_active = padv_turn_limit_of(account);
	full->in_use = rule->active.in_use;
	full->queue_length = rule->transaction_queue_length;
	full->queue_timeout = rule->transaction_queue_timeout;
	full->waiting = rule->active.standing;
}

/*
 * Whether as many wait as may, because of one of the accounts that it would have to
 * wait for.  The mutex is held.
 */
static bool
finds_full_queue(const PadvPlace *turn, PadvFullQueue *full)
{
	for (int i = 0; i < turn->naccounts; i++)
	{
		const Account *rule = &padv_accounts[turn->accounts[i]];

		if ((rule->active.standing > 0 || !padv_account_has_room(&rule->active)) &&
			rule->transaction_queue_length >= 0 &&
			rule->active.standing >= rule->transaction_queue_length)
		{
			describe_queue(turn->accounts[i], full);
			return true;
		}
	}
	return false;
}

/* Come in, stand in the queue, or do neither; the mutex is held. */
static PadvSlotVerdict
come_in(PadvPlace *turn, bool may_wait, PadvEnforcement enforcement, int64 now, PadvFullQueue *full)
{
	if (enforcement == PADV_ENFORCEMENT_OBSERVE && would_wait(turn))
		padv_admission->turn_totals.would_wait++;
	if (may_wait && enforcement == PADV_ENFORCEMENT_ON &&
		padv_line_full_account(&padv_turn_line, turn) != PADV_NOBODY)
	{
		if (finds_full_queue(turn, full))
			return PADV_SLOT_REFUSED;
		padv_my_slot->queued_at = now;
		padv_line_stand(&padv_turn_line, turn);
		standing = true;
		return PADV_SLOT_QUEUED;
	}
	padv_line_enter(&padv_turn_line, turn);
	note_holder(padv_my_slot);
	pg_atomic_write_u64(&my_turn->word, TURN_WORD(TURN_IN, 0));
	return PADV_SLOT_TAKEN;
}

static void
wake_stall_monitor(void)
{
	int32		procno = (int32) pg_atomic_read_u32(&padv_admission->stall_monitor) - 1;

	if (procno >= 0)
		padv_wake(&procno, 1);
}

static PadvSlotVerdict
take_with_lock(bool exempt, bool may_wait, int64 now, PadvFullQueue *full)
{
	PadvEnforcement enforcement = padv_gate_enforcement_in_force();
	int32		procnos[PADV_MAX_PLACE_ACCOUNTS];
	PadvPlace  *turn = &padv_my_slot->turn;
	PadvSlotVerdict verdict = PADV_SLOT_TAKEN;
	int			count = 0;
	bool		first;

	SpinLockAcquire(&padv_admission->mutex);
	if (turn->state != PADV_PLACE_FREE) /* kept under other rules */
		count = padv_drop_turn(padv_my_slot, TURN_OUT, procnos);
	padv_my_slot->exempt = exempt;
	padv_place_turn(padv_my_slot);
	my_rules = pg_atomic_read_u32(&padv_admission->turn_rules);
	limits_me = my_rules != 0 && turn->naccounts > 0;
	if (limits_me)
		verdict = come_in(turn, may_wait, enforcement, now, full);
	first = standing && padv_admission->turn_head.waiting == 1;
	SpinLockRelease(&padv_admission->mutex);
	padv_wake(procnos, count);
	padv_turns_settle();
	if (first)
		wake_stall_monitor();
	was_exempt = exempt;
	return verdict;
}

/*
 * Take one turn of this account away that is kept for a transaction to come, however
 * short its grace has been; false when there is none.
 */
static bool
reclaim_kept(int32 account)
{
	int			count = *(volatile int32 *) &padv_admission->nholders;

	for (int i = 0; i < count; i++)
	{
		int32		number = ((volatile int32 *) padv_holders)[i];
		uint64		word = pg_atomic_read_u64(&padv_turns[number].word);
		const volatile PadvPlace *turn = &padv_slots[number].turn;

		if (TURN_STATE(word) != TURN_KEPT)
			continue;
		for (int j = 0; j < turn->naccounts && j < PADV_MAX_PLACE_ACCOUNTS; j++)
			if (turn->accounts[j] == account)
			{
				reclaim(number, word);
				return true;
			}
	}
	return false;
}

/* Nobody is refused while a slot is only kept. */
static PadvSlotVerdict
take_or_be_refused(bool exempt, bool may_wait, int64 now, PadvFullQueue *full)
{
	PadvSlotVerdict verdict = take_with_lock(exempt, may_wait, now, full);

	for (int i = 0; i < MAX_RECLAIMS && verdict == PADV_SLOT_REFUSED && reclaim_kept(full->account); i++)
		verdict = take_with_lock(exempt, may_wait, now, full);
	return verdict;
}

PadvSlotVerdict
padv_turn_take(bool exempt, bool may_wait, PadvFullQueue *full)
{
	uint32		rules = pg_atomic_read_u32(&padv_admission->turn_rules);
	uint64		word = pg_atomic_read_u64(&my_turn->word);
	bool		known = rules == my_rules && exempt == was_exempt;
	int64		now;

	if (rules == 0 || (known && !limits_me) ||
		unlikely(padv_gate_enforcement_in_force() == PADV_ENFORCEMENT_OFF))
		return PADV_SLOT_TAKEN;
	if (likely(known && TURN_STATE(word) == TURN_KEPT &&
			   pg_atomic_compare_exchange_u64(&my_turn->word, &word, TURN_WORD(TURN_IN, 0))))
	{
		if (unlikely(TURN_SINCE(word) > 0))
			note_gap(padv_monotonic_us());
		return PADV_SLOT_TAKEN;
	}
	now = padv_monotonic_us();
	note_gap(now);
	turn_started = now;
	return take_or_be_refused(exempt, may_wait, now, full);
}

void
padv_turn_touch(void)
{
	uint64		word = pg_atomic_read_u64(&my_turn->word);
	int64		now;

	if (likely(last_message == 0))
		return;
	now = padv_monotonic_us();
	note_message(last_message, now);
	last_message = now;
	if (TURN_STATE(word) == TURN_KEPT && TURN_SINCE(word) > 0 && longest_gap < grace_us())
		(void) pg_atomic_compare_exchange_u64(&my_turn->word, &word, TURN_WORD(TURN_KEPT, now));
}

bool
padv_turn_has_come(void)
{
	if (TURN_STATE(pg_atomic_read_u64(&my_turn->word)) == TURN_OUT)
		return false;
	pg_read_barrier();
	return true;
}

/* The backend of this server that holds the other end of our connection, or NO_CLIENT. */
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
		for (int i = 0; i < padv_admission_slots(); i++)
			if (((volatile Slot *) padv_slots)[i].pid == peer.pid &&
				((volatile Slot *) padv_slots)[i].place.state == PADV_PLACE_IN)
				return i;
	}
#endif
	return NO_CLIENT;
}

void
padv_turn_tell_of_needs(bool released)
{
	bool		holds_locks = padv_holds_locks();

	if (!client_known)
		my_client = find_client();
	client_known = true;
	if (!holds_locks && my_client == NO_CLIENT)
		return;
	SpinLockAcquire(&padv_admission->mutex);
	if (padv_my_slot->turn.state == PADV_PLACE_WAITING && padv_my_slot->needed == NOT_NEEDED)
	{
		padv_my_slot->holds_locks = holds_locks;
		padv_my_slot->may_be_polled = holds_locks && released;
		padv_my_slot->client = my_client;
		padv_my_slot->needed = padv_admission->nneeded;
		padv_needed[padv_admission->nneeded++] = padv_my_slot - padv_slots;
	}
	SpinLockRelease(&padv_admission->mutex);
}

void
padv_turn_let_in(void)
{
	(void) padv_turn_grant(padv_my_slot - padv_slots);
}

void
padv_turn_polls(bool polls)
{
	pg_atomic_write_u32(&my_turn->polls, polls);
}

void
padv_turn_waited(int64 waited_us)
{
	PadvRoleCounters *counters;

	standing = false;
	turn_started = padv_monotonic_us();
	SpinLockAcquire(&padv_admission->mutex);
	counters = padv_counters_of(padv_my_slot);
	counters->turns_waited++;
	counters->turns_waited_us += waited_us;
	padv_admission->turn_totals.waited++;
	padv_admission->turn_totals.waited_us += waited_us;
	SpinLockRelease(&padv_admission->mutex);
}

void
padv_turn_refuse(void)
{
	SpinLockAcquire(&padv_admission->mutex);
	padv_admission->turn_totals.refused++;
	SpinLockRelease(&padv_admission->mutex);
}

int64
padv_turn_deadline(void)
{
	const PadvPlace *turn = &padv_my_slot->turn;
	int64		shortest = PG_INT64_MAX;

	SpinLockAcquire(&padv_admission->mutex);
	for (int i = 0; i < turn->naccounts; i++)
	{
		int64		timeout = padv_accounts[turn->accounts[i]].transaction_queue_timeout;

		if (timeout > 0)
			shortest = Min(shortest, padv_my_slot->queued_at + timeout * 1000);
	}
	SpinLockRelease(&padv_admission->mutex);
	return shortest;
}

int64
padv_turn_queued_at(void)
{
	return padv_my_slot->queued_at;
}

bool
padv_turn_time_out(PadvFullQueue *full)
{
	int32		procnos[PADV_MAX_PLACE_ACCOUNTS];
	int			count = 0;
	bool		waits;

	SpinLockAcquire(&padv_admission->mutex);
	waits = padv_my_slot->turn.state == PADV_PLACE_WAITING;
	if (waits)
	{
		describe_queue(padv_line_standing_at(&padv_turn_line, &padv_my_slot->turn), full);
		padv_admission->turn_totals.given_up++;
		padv_admission->turn_totals.timed_out++;
		count = padv_drop_turn(padv_my_slot, TURN_OUT, procnos);
		standing = false;
	}
	SpinLockRelease(&padv_admission->mutex);
	padv_wake(procnos, count);
	padv_turns_settle();
	return waits;
}

bool
padv_turn_suspended(void)
{
	return TURN_STATE(pg_atomic_read_u64(&my_turn->word)) == TURN_SUSPENDED;
}

bool
padv_turn_in_line(void)
{
	return standing;
}

static void
give_up_turn(void)
{
	int32		procnos[PADV_MAX_PLACE_ACCOUNTS];
	int			count;

	SpinLockAcquire(&padv_admission->mutex);
	padv_admission->turn_totals.given_up += padv_my_slot->turn.state == PADV_PLACE_WAITING;
	count = padv_drop_turn(padv_my_slot, TURN_OUT, procnos);
	SpinLockRelease(&padv_admission->mutex);
	padv_wake(procnos, count);
	padv_turns_settle();
}

/* Keep the turn for the next transaction; false when it has been suspended. */
static bool
keep_turn(int64 since)
{
	uint64		word = TURN_WORD(TURN_IN, 0);

	return pg_atomic_compare_exchange_u64(&my_turn->word, &word, TURN_WORD(TURN_KEPT, since));
}

static bool
lease_is_over(int64 now)
{
	return now - turn_started >=
		padv_lease_us(waiting(), *(volatile int32 *) &padv_admission->nholders);
}

/* Whether somebody should have our turn now. */
static bool
must_hand_over(int64 now)
{
	return is_observing() ||
		((slow_client || lease_is_over(now)) && is_wanted(padv_my_slot));
}

/* The end of a transaction while somebody waits. */
static void
end_while_others_wait(void)
{
	int64		now = padv_monotonic_us();

	last_message = now;
	if (must_hand_over(now) || !keep_turn(now))
		give_up_turn();
	look_after_if_due(now);
}

/* Whether more are in than a limit allows, as after it was lowered. */
static bool
is_one_too_many(void)
{
	const PadvPlace *turn = &padv_my_slot->turn;

	for (int i = 0; i < turn->naccounts; i++)
	{
		const volatile PadvAccount *account = &padv_accounts[turn->accounts[i]].active;

		if (account->limit >= 0 && account->in_use > account->limit)
			return true;
	}
	return false;
}

static void
end_turn(void)
{
	if (unlikely(waiting() > 0 || is_observing()))
		end_while_others_wait();
	else if (unlikely(is_one_too_many()) || !keep_turn(0))
		give_up_turn();
	else if (unlikely(waiting() > 0))
		(void) padv_turns_look_after(); /* who came since may not have seen it */
}

void
padv_turn_end(void)
{
	TurnState	state = TURN_STATE(pg_atomic_read_u64(&my_turn->word));

	if (likely(state == TURN_IN))
		end_turn();
	else if (state == TURN_SUSPENDED || standing)
		give_up_turn();
	standing = false;
}

/* --- others --- */

uint32
padv_turn_wait_event(void)
{
	return pg_atomic_read_u32(&padv_admission->wait_event);
}

static void
forget_stall_monitor(int code pg_attribute_unused(), Datum arg pg_attribute_unused())
{
	pg_atomic_write_u32(&padv_admission->stall_monitor, 0);
}

void
padv_turns_oversee(uint32 wait_event)
{
	pg_atomic_write_u32(&padv_admission->wait_event, wait_event);
	before_shmem_exit(forget_stall_monitor, (Datum) 0);
	pg_atomic_write_u32(&padv_admission->stall_monitor, padv_my_procno() + 1);
}

void
padv_turns_set_grace(int64 us)
{
	pg_atomic_write_u32(&padv_admission->grace_us, (uint32) us);
}

bool
padv_turns_anybody_waits(void)
{
	return waiting() > 0;
}

static int
set_server_limit(int32 limit, int32 *procnos)
{
	int32		entered[PADV_MAX_PLACE_ACCOUNTS];
	int32		before = padv_admission->server_max_active;
	int			count;

	/* in force may be more, by the stall monitor's will */
	if (limit == before)
		return 0;
	padv_admission->server_max_active = limit;
	if (limit < 0 || before < 0 || limit < before)
		padv_turn_rules_changed();	/* kept turns do not count any more */
	count = padv_line_set_limit(&padv_turn_line, PADV_SERVER_ACCOUNT, limit, entered,
								PADV_MAX_PLACE_ACCOUNTS);
	padv_note_turns(entered, count, procnos);
	return count;
}

void
padv_turns_set_server_limit(int32 limit)
{
	int32		procnos[PADV_MAX_PLACE_ACCOUNTS];
	int			count;

	SpinLockAcquire(&padv_admission->mutex);
	count = set_server_limit(limit, procnos);
	SpinLockRelease(&padv_admission->mutex);
	padv_wake(procnos, count);
	padv_turns_settle();
}
