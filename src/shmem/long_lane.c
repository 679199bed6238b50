/*
 * long_lane.c
 *		The lane of long transactions within the server's limit.
 *
 * admission_internal.h says which lock protects what.  The rules are in
 * core/policy/lanes.c; here they are applied to requests:
 *
 * - when a session asks for a slot, by the class of its transaction (choose);
 * - when a class becomes long or short: its waiters move (look);
 * - when a transaction has had its slot for long: it keeps the slot, and leaves the lane
 *	 one slot less (turn_long).  It stays in the flow of its role, which pays for it.
 *
 * All that is done only while lanes are in use (padv_lanes_decide); classes are always learned.
 *
 * Classes are learned with the mutex held, by sessions that release their slots to
 * others, and by the worker.  A session whose slot nobody wants learns nothing, so that
 * costs nothing.
 *
 * A role with min_active has slots of its own.  Its transactions need the lane only
 * beyond these.  Those that turn long there leave the lane less, so that the lane and such
 * slots are not all.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "clock.h"
#include "settings.h"
#include "shmem/long_lane.h"

/* PadvLanes.changes at the last look of this process, the worker. */
static uint32 seen_changes = 0;

static bool
has_lane(void)
{
	return padv_long_lane && padv_admission->server_max_active >= 0;
}

/* As it was decided last; without the mutex it may be wrong. */
static bool
lanes_in_use(void)
{
	return has_lane() && ((volatile PadvLanes *) &padv_admission->lanes)->in_use;
}

static uint64
class_of(const PadvBackend *backend, uint64 query_id)
{
	return padv_lanes_class(backend->role, backend->database, query_id);
}

static uint64
query_id_of(const PadvBackend *backend)
{
	return pg_atomic_read_u64(&padv_slot_words[backend - padv_backends].query_id);
}

/* Whether the backend's transaction is long by its age. */
static pg_atomic_uint32 *
turned_long_of(const PadvBackend *backend)
{
	return &padv_slot_words[backend - padv_backends].turned_long;
}

/* Whether the flow of the backend has its minimum.  The mutex is held. */
static bool
has_minimum(PadvBackend *backend)
{
	const PadvFlow *flow = &padv_limit_states[padv_slot_find_flow(backend)].flow;

	return flow->granted >= flow->min_granted;
}

void
padv_lane_choose(PadvBackend *backend, uint64 query_id)
{
	backend->lane_changed = false;
	backend->in_lane = lanes_in_use() && has_minimum(backend) &&
		padv_lanes_is_long(&padv_admission->lanes, class_of(backend, query_id));
}

/* What the stall monitor has added to the limit stays added. */
static void
set_lane_limit(int32 limit)
{
	PadvLimitState *lane = &padv_limit_states[PADV_LANE_QUOTA];
	int32		before = lane->value[PADV_MAX_ACTIVE];
	int32		raised = before >= 0 ? Max(lane->active.limit - before, 0) : 0;

	lane->value[PADV_MAX_ACTIVE] = limit;
	(void) padv_queue_set_limit(&padv_xact_queue, PADV_LANE_QUOTA, limit < 0 ? limit : limit + raised, NULL, 0);
}

static void
set_guaranteed(int32 slots)
{
	if (slots != padv_limit_states[PADV_LANE_QUOTA].flow.min_granted)
		padv_queue_set_flow(&padv_xact_queue, PADV_OUTER, PADV_LANE_QUOTA, 1, slots);
}

void
padv_lane_update(int32 more, int64 now)
{
	const PadvQuota *server = &padv_limit_states[PADV_SERVER_QUOTA].active;
	const PadvQuota *lane = &padv_limit_states[PADV_LANE_QUOTA].active;
	int32		slots = padv_admission->server_max_active;
	int32		turned = padv_admission->turned_long;
	int32		most = PADV_UNLIMITED;
	int32		guaranteed = 0;

	if (has_lane() && padv_lanes_decide(&padv_admission->lanes, server->waiting - lane->waiting, slots, now))
	{
		int32		shorts = server->in_use + server->waiting - lane->in_use - lane->waiting - turned + more;

		padv_lanes_note_short(&padv_admission->lanes, Max(Min(shorts, slots), 0), now);
		turned = Max(turned - padv_admission->turned_idle, 0);
		most = padv_lanes_most(&padv_admission->lanes, slots, turned, now);
		guaranteed = Max(padv_lanes_guaranteed(slots) - turned, 0);
	}
	set_guaranteed(guaranteed);
	if (most != padv_limit_states[PADV_LANE_QUOTA].value[PADV_MAX_ACTIVE])
		set_lane_limit(most);
}

void
padv_lane_learn(const PadvBackend *backend, int64 use_us, int64 now)
{
	/* what turned long has been learned then; the clock may have been set */
	if (has_lane() && pg_atomic_read_u32(turned_long_of(backend)) == 0 && use_us >= 0)
		padv_lanes_learn(&padv_admission->lanes, class_of(backend, query_id_of(backend)), use_us, now);
}

bool
padv_lane_is_wrong(const PadvBackend *backend, uint64 query_id)
{
	return (lanes_in_use() && padv_lanes_is_long(&padv_admission->lanes, class_of(backend, query_id))) != backend->in_lane;
}

void
padv_lane_leave(PadvBackend *backend)
{
	if (pg_atomic_read_u32(turned_long_of(backend)) == 0)
		return;
	pg_atomic_write_u32(turned_long_of(backend), 0);
	padv_admission->turned_long--;
}

/* Whether a transaction of this age can turn long.  The mutex is held. */
static bool
can_turn_long(PadvBackend *backend)
{
	const PadvRequest *request = &backend->xact;

	return lanes_in_use() && request->state == PADV_REQUEST_GRANTED && !backend->in_lane &&
		pg_atomic_read_u32(turned_long_of(backend)) == 0 &&
		request->nquotas > 0 && request->quotas[request->nquotas - 1] == PADV_SERVER_QUOTA &&
		SLOT_STATE(pg_atomic_read_u64(&padv_slot_words[backend - padv_backends].word)) == SLOT_HELD;
}

void
padv_lane_turn_long(int32 number, int64 held_us)
{
	PadvBackend *backend = &padv_backends[number];
	int64		now;

	if (((volatile PadvBackend *) backend)->in_lane || pg_atomic_read_u32(turned_long_of(backend)) != 0 ||
		held_us < padv_lanes_long_after(&padv_admission->lanes))
		return;
	now = padv_monotonic_us();
	SpinLockAcquire(&padv_admission->mutex);
	padv_queue_set_time(&padv_xact_queue, now);
	if (can_turn_long(backend))
	{
		padv_lane_learn(backend, held_us, now);
		pg_atomic_write_u32(turned_long_of(backend), 1);
		padv_admission->turned_long++;
		padv_lane_update(0, now);
	}
	SpinLockRelease(&padv_admission->mutex);
	padv_slots_settle();
}

/*
 * Move a waiter into its new lane, where it is the last; or grant it a slot if there is
 * room.  That happens once to a waiter, so that it does not starve when its class changes
 * to and fro.  Returns how many were granted a slot.  The mutex is held.
 */
static int
move_waiter(PadvBackend *backend, int32 *procnos)
{
	int32		granted_list[PADV_MAX_REQUEST_QUOTAS + 1];
	int			count = padv_queue_release(&padv_xact_queue, &backend->xact, granted_list);

	backend->lane_changed = true;
	padv_slot_find_quotas(backend);
	if (padv_queue_first_full(&padv_xact_queue, &backend->xact) != PADV_NONE)
		(void) padv_queue_enqueue(&padv_xact_queue, &backend->xact);
	else
	{
		padv_queue_acquire(&padv_xact_queue, &backend->xact);
		backend->xact.at = PADV_NONE;
		granted_list[count++] = backend - padv_backends;
	}
	padv_slots_note_granted(granted_list, count, procnos);
	return count;
}

static void
move_waiter_if_wrong(PadvBackend *backend)
{
	int32		procnos[PADV_MAX_REQUEST_QUOTAS + 1];
	int64		now = padv_monotonic_us();
	bool		before;
	int			count = 0;

	SpinLockAcquire(&padv_admission->mutex);
	padv_queue_set_time(&padv_xact_queue, now);
	before = backend->in_lane;
	if (backend->xact.state == PADV_REQUEST_WAITING && !backend->lane_changed)
	{
		padv_lane_choose(backend, query_id_of(backend));
		if (backend->in_lane != before)
			count = move_waiter(backend, procnos);
	}
	SpinLockRelease(&padv_admission->mutex);
	padv_backends_wake(procnos, count);
	padv_slots_settle();
}

/* Visits all backends without the mutex; a waiter that is missed keeps its lane. */
static void
move_waiters(void)
{
	for (int i = 0; i < padv_admission_backends(); i++)
	{
		volatile PadvBackend *backend = &padv_backends[i];

		if (backend->xact.state == PADV_REQUEST_WAITING &&
			padv_lane_is_wrong(&padv_backends[i], query_id_of(&padv_backends[i])))
			move_waiter_if_wrong(&padv_backends[i]);
	}
}

void
padv_lane_look(int32 turned_idle)
{
	uint32		changes = *(volatile uint32 *) &padv_admission->lanes.changes;
	int64		now = padv_monotonic_us();

	SpinLockAcquire(&padv_admission->mutex);
	padv_queue_set_time(&padv_xact_queue, now);
	padv_admission->turned_idle = turned_idle;
	padv_lane_update(0, now);
	SpinLockRelease(&padv_admission->mutex);
	padv_slots_settle();
	if (changes != seen_changes)
		move_waiters();
	seen_changes = changes;
}
