/*
 * slot_activity.c
 *		What a slot owner does: whether it works, waits for a lock, or does nothing.
 *
 * Part of the stall monitor (stall_monitor.c).  Owns the judgement of one session by its
 * state, its wait event and its process; it changes nothing in shared memory.
 *
 * A session does nothing when it waits for its client in COPY, for a standby, a timer,
 * another server, or for another process that is not one of its own parallel query.  Some
 * of these waits have no wait event, as dblink's wait for a session of this server.  So a
 * process that should work, but sleeps and has not run since the last check, counts as
 * waiting.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "utils/wait_event.h"

#include "compat.h"
#include "machine/machine.h"
#include "worker/stall_internal.h"

/* How long a session must be idle in its transaction. */
#define IDLE_US (20 * PADV_MS)

/* Processes read from /proc in one check; ten microseconds each. */
#define MOST_ASKED 16

/* The /proc in which our process numbers are valid, whatever system_root is. */
#define OWN_PROC ""

typedef enum Occupation
{
	WORKS,
	WAITS_FOR_LOCK,
	DOES_NOTHING,
} Occupation;

static Occupation
occupation_by_event(uint32 wait_event)
{
	switch (wait_event & 0xFF000000U)
	{
		case PG_WAIT_LOCK:
			return WAITS_FOR_LOCK;
		case PG_WAIT_CLIENT:
		case PG_WAIT_TIMEOUT:
		case PG_WAIT_EXTENSION:
			return DOES_NOTHING;
		case PG_WAIT_IPC:

			/*
			 * these wait for another process that does part of their work
			 */
			if (wait_event == WAIT_EVENT_BUFFER_IO || wait_event == WAIT_EVENT_XACT_GROUP_UPDATE ||
				wait_event == WAIT_EVENT_PROCARRAY_GROUP_UPDATE)
				return WORKS;
			return DOES_NOTHING;
		default:
			return wait_event == PADV_WAIT_BUFFER_PIN ? DOES_NOTHING : WORKS;
	}
}

static void
find_parallel_workers(PadvStallMonitor *monitor)
{
	if (monitor->nmembers >= 0)
		return;
	monitor->nmembers = 0;
	for (int i = 0; i < (int) ProcGlobal->allProcCount; i++)
	{
		const volatile PGPROC *proc = GetPGProcByNumber(i);
		const PGPROC *leader = proc->lockGroupLeader;

		if (leader == NULL || leader == GetPGProcByNumber(i))
			continue;
		monitor->members[monitor->nmembers].leader = leader;
		monitor->members[monitor->nmembers++].wait_event = proc->wait_event_info;
	}
}

/* A leader that waits for its parallel workers does what they do. */
static Occupation
occupation_of_group(PadvStallMonitor *monitor, const PadvBackend *backend)
{
	const PGPROC *leader = GetPGProcByNumber(backend->procno);
	Occupation	occupation = DOES_NOTHING;

	find_parallel_workers(monitor);
	for (int i = 0; i < monitor->nmembers; i++)
	{
		Occupation	one;

		if (monitor->members[i].leader != leader)
			continue;
		one = occupation_by_event(monitor->members[i].wait_event);
		if (one == WORKS)
			return WORKS;
		if (one == WAITS_FOR_LOCK)
			occupation = WAITS_FOR_LOCK;
	}
	return occupation;
}

static Occupation
occupation_of(PadvStallMonitor *monitor, const PadvBackend *backend, const PadvSession *session)
{
	Occupation	occupation;

	if (session->state == PADV_STATE_IDLE_IN_TRANSACTION)
		return DOES_NOTHING;

	/* its slot has just been granted, and it waits for a core */
	if (session->state == PADV_STATE_QUEUED)
		return WORKS;
	occupation = occupation_by_event(session->wait_event);
	if (padv_waits_for_wal(session->wait_event))
		return DOES_NOTHING;
	if (occupation == DOES_NOTHING && (session->wait_event & 0xFF000000U) == PG_WAIT_IPC)
		return occupation_of_group(monitor, backend);
	return occupation;
}

/*
 * Whether a session without a wait event sleeps, and has slept since the last check.  A
 * process that is runnable does not, however long it waits for a core; nor does one that
 * waits for a disk.
 */
static bool
owner_is_asleep(PadvStallMonitor *monitor, PadvSeen *seen, const PadvSession *session)
{
	uint64		before = seen->run_ns;
	uint64		delay_ns;

	if (session->state != PADV_STATE_ACTIVE ||
		(session->wait_event != 0 && !padv_waits_in_copy(session->wait_event)))
		return false;
	if (seen->no_event_start != session->statement_start)
	{
		/* most statements are short, and not seen again */
		seen->no_event_start = session->statement_start;
		seen->run_ns = 0;
		return false;
	}
	if (monitor->asked >= MOST_ASKED)
		return seen->nothing_since > 0;
	monitor->asked++;
	if (!padv_process_is_asleep(OWN_PROC, session->pid) ||
		!padv_process_read_schedule(OWN_PROC, session->pid, &seen->run_ns, &delay_ns))
		seen->run_ns = 0;
	return seen->run_ns > 0 && seen->run_ns == before;
}

/* Update since when a condition has been true without a break, in the same statement. */
static void
update_since(int64 *since, bool is, bool same, int64 now)
{
	if (!is)
		*since = 0;
	else if (*since == 0 || !same)
		*since = now;
}

void
padv_owner_update(PadvStallMonitor *monitor, PadvSeen *seen, const PadvBackend *backend, const PadvSession *session, int64 now)
{
	Occupation	occupation = occupation_of(monitor, backend, session);
	bool		same = seen->statement_start == session->statement_start;
	bool		nothing;

	if (seen->slots != backend->slots)
	{
		*seen = (PadvSeen) {.slots = backend->slots, .held_since = now, .looked_at = now};
		same = false;
	}
	nothing = occupation == DOES_NOTHING ||
		(occupation == WORKS && owner_is_asleep(monitor, seen, session));
	seen->idle += ((nothing ? 1.0 : 0.0) - seen->idle) * Min((double) (now - seen->looked_at) / PADV_SHARE_US, 1.0);
	seen->looked_at = now;
	update_since(&seen->nothing_since, nothing, same, now);
	update_since(&seen->lock_since, occupation == WAITS_FOR_LOCK, same, now);
	seen->statement_start = session->statement_start;
}

/*
 * Uses st_state_start_timestamp if it is set and not in the future, otherwise our own
 * observation.
 */
bool
padv_owner_is_idle(const PadvSeen *seen, const PadvSession *session, int64 now, int64 wall)
{
	if (session->state != PADV_STATE_IDLE_IN_TRANSACTION)
		return false;
	return session->state_start > 0 && session->state_start <= wall ?
		wall - session->state_start >= IDLE_US :
		seen->nothing_since > 0 && now - seen->nothing_since >= PADV_STALLED_US;
}
