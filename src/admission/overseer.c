/*
 * overseer.c
 *		The worker's part in the line for turns: nobody waits for those who do
 *		nothing.
 *
 * It looks at each session that has a turn, while others wait:
 *
 * - A turn that is kept for the next transaction and has not been used for a
 *   moment is given to who waits (sessions do that too, in turns.c; here is for the
 *   case that none is at it, or that it is one of very many).
 * - One that is idle in its transaction for IDLE_US gives its turn back.  It goes
 *   on without waiting with its next statement.
 * - One that waits for a lock, for its client, for a standby, or sleeps, for
 *   STALLED_US in the same statement, is stalled.  Where so many are that nobody
 *   else could run under a limit, the limit is raised until one can.  So a wait
 *   in line never closes a circle of waits that core would not have had: who
 *   holds what the others wait for gets in, sooner or later.  Some waits have no
 *   wait event, as dblink for a session of this very server, and that of COPY is the
 *   same for a disk and a program: one that should be at work, but sleeps and has
 *   not run since the last look, waits for something outside.
 *
 * What is read of a session is of a moment ago.  One that starts a statement just
 * when its turn is given back runs that statement uncounted.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "admission/overseer.h"
#include "admission/parts.h"
#include "admission/turns.h"
#include "compat.h"
#include "machine/machine.h"
#include "sampler.h"

#define IDLE_US 20000
#define STALLED_US 30000

/* Processes that the kernel is asked about in one look; ten microseconds each. */
#define MOST_ASKED 16

/* Where our own numbers of processes are known, whatever system_root is. */
#define OWN_PROC ""

/* What a slot's session has been seen at, and since when. */
typedef struct Seen
{
	uint32		turns;
	int64		statement_start;
	int64		since;			/* monotonic; 0: it ran */
	int64		no_event_start; /* the statement that was without a wait event */
	uint64		run_ns;			/* CPU time so far, when seen asleep; or 0 */
} Seen;

struct PadvOverseer
{
	Seen	   *seen;			/* by slot */
	int32	   *holders;		/* a copy */
	int32	   *stalled;		/* by account; zero between two looks */
	int32	   *touched;		/* accounts in use under a limit */
	int			ntouched;
	int32	   *raised;			/* accounts with a higher limit than their own */
	int			nraised;
	bool		waiting;		/* at the last look */
	int64		looked_at;
	int64		waited_us;		/* in which somebody did */
	int			asked;			/* processes, in this look */
	uint32		looks;
};

/*
 * Limits that stand higher than they should, because an overseer before us ended.
 * What is read is of a moment ago; adjust_limit looks again, under the mutex.
 */
static void
find_raised(PadvOverseer *overseer)
{
	for (int32 i = 0; i < padv_admission_accounts(); i++)
	{
		int32		limit = padv_turn_limit_of(i);

		if (limit >= 0 && padv_accounts[i].active.limit > limit)
			overseer->raised[overseer->nraised++] = i;
	}
}

PadvOverseer *
padv_overseer_create(void)
{
	PadvOverseer *overseer = palloc0(sizeof(PadvOverseer));

	overseer->seen = palloc0(mul_size(padv_admission_slots(), sizeof(Seen)));
	overseer->holders = palloc0(mul_size(padv_admission_slots(), sizeof(int32)));
	overseer->stalled = palloc0(mul_size(padv_admission_accounts(), sizeof(int32)));
	overseer->touched = palloc0(mul_size(padv_admission_accounts(), sizeof(int32)));
	overseer->raised = palloc0(mul_size(padv_admission_accounts(), sizeof(int32)));
	find_raised(overseer);
	return overseer;
}

/* Whether it waits for others than this server's cores and disks. */
static bool
does_nothing(const PadvSession *session)
{
	if (session->state == PADV_STATE_IDLE_IN_TRANSACTION)
		return true;

	/* it has been let in just now, and waits for a core to wake on */
	if (session->state == PADV_STATE_QUEUED)
		return false;
	switch (session->wait_event & 0xFF000000U)
	{
		case PG_WAIT_LOCK:
		case PG_WAIT_CLIENT:
		case PG_WAIT_TIMEOUT:
		case PG_WAIT_EXTENSION:
			return true;
		default:
			return session->wait_event == PADV_WAIT_BUFFER_PIN ||
				session->wait_event == WAIT_EVENT_SYNC_REP ||
				session->wait_event == WAIT_EVENT_SAFE_SNAPSHOT ||
				padv_waits_for_wal(session->wait_event);
	}
}

/*
 * Whether a session that does not tell sleeps all the same, and has since the last
 * look.  One that is runnable does not, however long it waits for a core; nor does
 * one that waits for a disk.
 */
static bool
is_asleep(PadvOverseer *overseer, Seen *seen, const PadvSession *session)
{
	uint64		before = seen->run_ns;
	uint64		delay_ns;

	if (session->wait_event != 0 && !padv_waits_in_copy(session->wait_event))
		return false;
	if (seen->no_event_start != session->statement_start)
	{
		/* most are short, and not seen again */
		seen->no_event_start = session->statement_start;
		seen->run_ns = 0;
		return false;
	}
	if (overseer->asked >= MOST_ASKED)
		return seen->since > 0;
	overseer->asked++;
	if (!padv_process_is_asleep(OWN_PROC, session->pid) ||
		!padv_process_read_schedule(OWN_PROC, session->pid, &seen->run_ns, &delay_ns))
		seen->run_ns = 0;
	return seen->run_ns > 0 && seen->run_ns == before;
}

/* Whether it has been at nothing, in this statement, for long enough. */
static bool
is_stalled(PadvOverseer *overseer, Seen *seen, const Slot *slot,
		   const PadvSession *session, int64 now)
{
	if (!does_nothing(session) && !is_asleep(overseer, seen, session))
	{
		seen->since = 0;
		return false;
	}
	if (seen->since == 0 || seen->turns != slot->turns ||
		seen->statement_start != session->statement_start)
	{
		seen->turns = slot->turns;
		seen->statement_start = session->statement_start;
		seen->since = now;
	}
	return now - seen->since >= STALLED_US;
}

/* By the session's own account, or where it gives none, or the clock was set back, by what was seen. */
static bool
is_idle(PadvOverseer *overseer, Seen *seen, const Slot *slot,
		const PadvSession *session, int64 now, int64 wall)
{
	if (session->state != PADV_STATE_IDLE_IN_TRANSACTION)
		return false;
	return session->state_start > 0 && session->state_start <= wall ?
		wall - session->state_start >= IDLE_US : is_stalled(overseer, seen, slot, session, now);
}

/* Give back the turn of a session that is idle in its transaction. */
static void
suspend(int32 number)
{
	int32		procnos[PADV_MAX_PLACE_ACCOUNTS];
	uint64		word = TURN_WORD(TURN_IN, 0);
	int			count = 0;

	SpinLockAcquire(&padv_admission->mutex);
	if (pg_atomic_compare_exchange_u64(&padv_turns[number].word, &word, TURN_WORD(TURN_SUSPENDED, 0)))
	{
		count = padv_drop_turn(&padv_slots[number], TURN_SUSPENDED, procnos);
		padv_admission->turn_totals.suspended++;
	}
	SpinLockRelease(&padv_admission->mutex);
	padv_wake(procnos, count);
	padv_turns_settle();
}

/* Count a session in its accounts; those under a limit are remembered. */
static void
touch_accounts(PadvOverseer *overseer, const Slot *slot, bool stalled)
{
	for (int i = 0; i < slot->turn.naccounts && i < PADV_MAX_PLACE_ACCOUNTS; i++)
	{
		int32		account = slot->turn.accounts[i];

		/* the highest bit says that it is on the list */
		if (overseer->stalled[account] == 0)
		{
			overseer->touched[overseer->ntouched++] = account;
			overseer->stalled[account] = PG_INT32_MIN;
		}
		overseer->stalled[account] += stalled;
	}
}

static void
look_at(PadvOverseer *overseer, int32 number, int64 now, int64 wall)
{
	const Slot *slot = &padv_slots[number];
	Seen	   *seen = &overseer->seen[number];
	PadvSession session;

	if (TURN_STATE(pg_atomic_read_u64(&padv_turns[number].word)) != TURN_IN ||
		!padv_sampler_read(slot->status_index, slot->pid, &session))
		return;
	if (is_idle(overseer, seen, slot, &session, now, wall))
		suspend(number);
	else
		touch_accounts(overseer, slot, is_stalled(overseer, seen, slot, &session, now));
}

/*
 * One more than those who are stalled must be able to run; returns whether the
 * limit is higher than its own for that.
 */
static bool
adjust_limit(int32 account, int32 stalled)
{
	Account    *mine = &padv_accounts[account];
	int32		entered[PADV_MAX_PLACE_ACCOUNTS];
	int32		procnos[PADV_MAX_PLACE_ACCOUNTS];
	int32		limit;
	int32		change = 0;
	int			count = 0;

	SpinLockAcquire(&padv_admission->mutex);
	limit = padv_turn_limit_of(account);
	if (limit >= 0 && padv_admission->enforcement == PADV_ENFORCEMENT_ON)
		change = Max(limit, stalled + 1) - mine->active.limit;
	if (change > 0)
		padv_admission->turn_totals.let_in += change;
	if (change < 0)
		padv_turn_rules_changed();	/* turns kept beyond it do not count any
									 * more */
	count = padv_line_set_limit(&padv_turn_line, account, mine->active.limit + change,
								entered, PADV_MAX_PLACE_ACCOUNTS);
	padv_note_turns(entered, count, procnos);
	SpinLockRelease(&padv_admission->mutex);
	padv_wake(procnos, count);
	padv_turns_settle();
	return stalled + 1 > limit;
}

static void
adjust_limits(PadvOverseer *overseer)
{
	int			raised = 0;

	/* those that were raised, and are in use no more */
	for (int i = 0; i < overseer->nraised; i++)
		if (overseer->stalled[overseer->raised[i]] == 0)
			(void) adjust_limit(overseer->raised[i], -1);
	for (int i = 0; i < overseer->ntouched; i++)
	{
		int32		account = overseer->touched[i];

		if (adjust_limit(account, overseer->stalled[account] - PG_INT32_MIN))
			overseer->raised[raised++] = account;
		overseer->stalled[account] = 0;
	}
	overseer->nraised = raised;
	overseer->ntouched = 0;
}

void
padv_overseer_run(PadvOverseer *overseer, int64 now)
{
	int64		wall;
	int			count;

	if (overseer->waiting)
		overseer->waited_us += now - overseer->looked_at;
	overseer->waiting = padv_turns_anybody_waits();
	overseer->looked_at = now;
	if (!overseer->waiting)
	{
		adjust_limits(overseer);
		return;
	}
	wall = GetCurrentTimestamp();
	padv_turns_look_after_all();

	SpinLockAcquire(&padv_admission->mutex);
	count = padv_admission->nholders;
	memcpy(overseer->holders, padv_holders, count * sizeof(int32));
	SpinLockRelease(&padv_admission->mutex);

	/* each time another is the first, so that all are asked about in turn */
	overseer->asked = 0;
	overseer->looks++;
	for (int i = 0; i < count; i++)
		look_at(overseer, overseer->holders[(i + overseer->looks) % (uint32) count], now, wall);
	adjust_limits(overseer);
}

bool
padv_overseer_has_work(const PadvOverseer *overseer)
{
	return overseer->nraised > 0 || padv_turns_anybody_waits();
}

int64
padv_overseer_waited_us(const PadvOverseer *overseer)
{
	return overseer->waited_us;
}
