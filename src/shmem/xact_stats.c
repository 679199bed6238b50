/*
 * xact_stats.c
 *		How many transactions sessions finish, and how long they take.
 *
 * Owns counters for each client backend, in a cache line of its own, which only this
 * backend writes: no lock, no shared cache line, no locked instruction.  They are
 * numbered by MyPMChildSlot and never set back.  So the transactions of a session stay
 * counted after it has ended, and the next backend with the number adds to them.
 *
 * The callback runs at the end of every transaction of a client.  It reads the clock
 * once and stores four numbers.  The worker adds all counters up once a second.  Each
 * counter is read whole, but two counters of one backend may be a transaction apart.
 *
 * The second half of an entry is of the session alone, and starts at 0 with it.  `pid` says
 * whose it is.  A session clears it before it ends, so the worker does not count what the
 * session reports itself then (shmem/ended_sessions.c).
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "postmaster/postmaster.h"
#include "storage/shmem.h"
#include "utils/backend_status.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "shmem/xact_stats.h"

typedef union XactCounter
{
	struct
	{
		pg_atomic_uint64 committed;
		pg_atomic_uint64 rolled_back;
		pg_atomic_uint64 inside_us;

		/* of the session */
		pg_atomic_uint32 pid;	/* 0: there is none */
		uint32		status_index;
		pg_atomic_uint64 session_us;
		pg_atomic_uint32 held[PADV_HOLD_BUCKETS];
	}			of;
	char		line[PG_CACHE_LINE_SIZE];
} XactCounter;

StaticAssertDecl(sizeof(XactCounter) == PG_CACHE_LINE_SIZE, "the counters of a backend must be its own cache line");

static XactCounter *counters = NULL;
static XactCounter *mine = NULL;

/* One element more than backends, for the alignment. */
Size
padv_xact_stats_shmem_size(void)
{
	return mul_size(add_size(MaxLivePostmasterChildren(), 1), sizeof(XactCounter));
}

void
padv_xact_stats_shmem_init(void)
{
	bool		found;
	char	   *block = ShmemInitStruct("pool_advisor transactions",
										padv_xact_stats_shmem_size(), &found);

	counters = (XactCounter *) TYPEALIGN(PG_CACHE_LINE_SIZE, block);
	if (found)
		return;
	for (int i = 0; i < MaxLivePostmasterChildren(); i++)
	{
		pg_atomic_init_u64(&counters[i].of.committed, 0);
		pg_atomic_init_u64(&counters[i].of.rolled_back, 0);
		pg_atomic_init_u64(&counters[i].of.inside_us, 0);
		pg_atomic_init_u32(&counters[i].of.pid, 0);
		pg_atomic_init_u64(&counters[i].of.session_us, 0);
		for (int bucket = 0; bucket < PADV_HOLD_BUCKETS; bucket++)
			pg_atomic_init_u32(&counters[i].of.held[bucket], 0);
	}
}

/* Add to a counter of this backend, which no other process writes. */
static inline void
add_to_own_counter(pg_atomic_uint64 *counter, uint64 amount)
{
	pg_atomic_write_u64(counter, pg_atomic_read_u64(counter) + amount);
}

/*
 * Whether this is a transaction of the client.  The session has transactions of its own:
 * at login, and when an idle session reads invalidation messages.  In each version the
 * states up to idle are those of a session that executes nothing.
 */
static inline bool
is_client_xact(void)
{
	return MyBEEntry != NULL && MyBEEntry->st_state > STATE_IDLE;
}

/* What a session has done for its pool; a count that is full stays so. */
static inline void
count_for_session(int64 inside)
{
	pg_atomic_uint32 *held = &mine->of.held[padv_hold_bucket(Max(inside, 0))];
	uint32		before = pg_atomic_read_u32(held);

	if (likely(before < PG_UINT32_MAX))
		pg_atomic_write_u32(held, before + 1);
	if (likely(inside > 0))
		add_to_own_counter(&mine->of.session_us, inside);
}

static void
count_xact_callback(XactEvent event, void *arg pg_attribute_unused())
{
	TimestampTz inside;

	if ((event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE) ||
		!is_client_xact())
		return;
	inside = GetCurrentTimestamp() - GetCurrentTransactionStartTimestamp();
	add_to_own_counter(event == XACT_EVENT_ABORT ? &mine->of.rolled_back : &mine->of.committed, 1);
	if (likely(inside > 0))		/* the clock may have been set */
		add_to_own_counter(&mine->of.inside_us, inside);
	count_for_session(inside);
}

void
padv_xact_stats_start(void)
{
	mine = &counters[MyPMChildSlot - 1];
	pg_atomic_write_u64(&mine->of.session_us, 0);
	for (int bucket = 0; bucket < PADV_HOLD_BUCKETS; bucket++)
		pg_atomic_write_u32(&mine->of.held[bucket], 0);
	mine->of.status_index = padv_my_status_index();
	pg_write_barrier();
	pg_atomic_write_u32(&mine->of.pid, MyProcPid);
	RegisterXactCallback(count_xact_callback, NULL);
}

void
padv_xact_stats_total(PadvXactStats *total)
{
	uint64		committed = 0;
	uint64		rolled_back = 0;
	uint64		inside_us = 0;

	for (int i = 0; i < MaxLivePostmasterChildren(); i++)
	{
		committed += pg_atomic_read_u64(&counters[i].of.committed);
		rolled_back += pg_atomic_read_u64(&counters[i].of.rolled_back);
		inside_us += pg_atomic_read_u64(&counters[i].of.inside_us);
	}
	total->committed = (double) committed;
	total->rolled_back = (double) rolled_back;
	total->inside_seconds = (double) inside_us / 1e6;
}

int
padv_xact_stats_entries(void)
{
	return MaxLivePostmasterChildren();
}

static void
copy_session(const XactCounter *counter, PadvXactSession *session)
{
	session->status_index = counter->of.status_index;
	session->inside_us = pg_atomic_read_u64(unconstify(pg_atomic_uint64 *, &counter->of.session_us));
	for (int bucket = 0; bucket < PADV_HOLD_BUCKETS; bucket++)
		session->held[bucket] = pg_atomic_read_u32(unconstify(pg_atomic_uint32 *, &counter->of.held[bucket]));
}

bool
padv_xact_stats_session(int entry, PadvXactSession *session)
{
	XactCounter *counter = &counters[entry];

	session->pid = (int) pg_atomic_read_u32(&counter->of.pid);
	if (session->pid == 0)
		return false;
	pg_read_barrier();
	copy_session(counter, session);
	pg_read_barrier();
	return (int) pg_atomic_read_u32(&counter->of.pid) == session->pid;
}

void
padv_xact_stats_end(PadvXactSession *session)
{
	session->pid = MyProcPid;
	copy_session(mine, session);
	pg_atomic_write_u32(&mine->of.pid, 0);
}
