/*
 * xact_stats.c
 *		How many transactions sessions finish, how long they take, and who logs in.
 *
 * Owns an entry for each backend, which counts its transactions by duration, and a table
 * of roles, which adds the entries up.
 *
 * Only its backend writes the counts of an entry: no lock, no cache line that others write,
 * no locked instruction.  The callback runs at the end of every transaction of a client.
 * It reads the clock once and stores four numbers.
 *
 * Counts of an entry are never set back.  The worker adds to the role what has come since
 * its last look (`folded`), once a second.  Entries are numbered as the PGPROCs are, so an
 * entry passes from a process that has ended to the next one.  That one adds the rest to
 * the old role before it counts anything.  So no transaction is lost, counted twice, or
 * counted for another role, whenever the worker comes and goes.
 *
 * The place of a role that was dropped is given again when no entry counts for it.
 *
 * `lock` protects the table of roles, and of each entry `role` and `folded`.  It is held for
 * one entry, one role or a search in the table.  A session takes it once, at its login.
 *
 * A reader of counts sees each one whole, but two counts of one backend may be a transaction
 * apart.  A look that finds them so adds the rest with the next one.
 *
 * The second half of an entry is of the session alone, and begins with it.  `pid` says
 * whose it is.  A session clears it before it ends, so the worker does not count what the
 * session reports itself then (shmem/ended_sessions.c).
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/backend_status.h"
#include "utils/timestamp.h"

#include "clock.h"
#include "compat.h"
#include "core/stats/load.h"
#include "shmem/admission.h"
#include "shmem/xact_stats.h"

/* The first entry of the table of roles stands for all that have none. */
#define MAX_TABLE (PADV_ROLES_TRACKED + 1)
#define OTHERS 0

/* What a backend has counted; its counts by duration wrap around. */
typedef struct XactCounts
{
	pg_atomic_uint64 committed;
	pg_atomic_uint64 rolled_back;
	pg_atomic_uint64 inside_us;
	pg_atomic_uint64 inside_long_us;	/* of these, in long ones */
	pg_atomic_uint64 logins;
	pg_atomic_uint32 login_role;	/* of the last one */

	/* of the session */
	pg_atomic_uint32 pid;		/* 0: there is none */
	uint32		status_index;
	pg_atomic_uint64 began_us;	/* inside_us when it began */
	pg_atomic_uint32 held[PADV_HOLD_BUCKETS];

	pg_atomic_uint32 by_duration[PADV_LATENCY_BUCKETS];
} XactCounts;

/* In cache lines of its own. */
typedef union BackendCounts
{
	XactCounts	of;
	char		lines[TYPEALIGN(PG_CACHE_LINE_SIZE, sizeof(XactCounts))];
} BackendCounts;

/* What of it the table of roles has.  Protected by lock. */
typedef struct FoldedCounts
{
	int32		role;			/* index in the table */
	uint64		transactions;	/* sum of by_duration */
	uint64		rolled_back;
	uint64		inside_us;
	uint32		by_duration[PADV_LATENCY_BUCKETS];
} FoldedCounts;

/* Protected by lock. */
typedef struct RoleCounts
{
	Oid			role;			/* InvalidOid: all that have no entry, or one
								 * that was dropped */
	int32		users;			/* entries of backends that count for it */
	PadvLatency total;
	PadvLatencyMinute minute;
} RoleCounts;

typedef struct XactStatsShared
{
	LWLock		lock;

	/* These fields are protected by lock. */
	int32		nroles;
	int64		folded_at;		/* monotonic, microseconds; the last look */
	RoleCounts	roles[MAX_TABLE];
} XactStatsShared;

static XactStatsShared *shared = NULL;
static BackendCounts *backends = NULL;
static FoldedCounts *folded = NULL;
static XactCounts *mine = NULL; /* NULL until the end of the login */

/* One element more than backends, for the alignment. */
static Size
backends_size(void)
{
	return mul_size(add_size(MaxBackends, 1), sizeof(BackendCounts));
}

static Size
folded_size(void)
{
	return MAXALIGN(mul_size(MaxBackends, sizeof(FoldedCounts)));
}

Size
padv_xact_stats_shmem_size(void)
{
	return add_size(add_size(MAXALIGN(sizeof(XactStatsShared)), folded_size()), backends_size());
}

static void
init_counts(XactCounts *counts)
{
	pg_atomic_init_u64(&counts->committed, 0);
	pg_atomic_init_u64(&counts->rolled_back, 0);
	pg_atomic_init_u64(&counts->inside_us, 0);
	pg_atomic_init_u64(&counts->inside_long_us, 0);
	pg_atomic_init_u64(&counts->logins, 0);
	pg_atomic_init_u32(&counts->login_role, 0);
	pg_atomic_init_u32(&counts->pid, 0);
	pg_atomic_init_u64(&counts->began_us, 0);
	for (int i = 0; i < PADV_HOLD_BUCKETS; i++)
		pg_atomic_init_u32(&counts->held[i], 0);
	for (int i = 0; i < PADV_LATENCY_BUCKETS; i++)
		pg_atomic_init_u32(&counts->by_duration[i], 0);
}

void
padv_xact_stats_shmem_init(int tranche)
{
	bool		found;
	char	   *block = ShmemInitStruct("pool_advisor transactions",
										padv_xact_stats_shmem_size(), &found);

	shared = (XactStatsShared *) block;
	block += MAXALIGN(sizeof(XactStatsShared));
	folded = (FoldedCounts *) block;
	block += folded_size();
	backends = (BackendCounts *) TYPEALIGN(PG_CACHE_LINE_SIZE, block);
	if (found)
		return;
	memset(shared, 0, sizeof(XactStatsShared));
	LWLockInitialize(&shared->lock, tranche);
	shared->nroles = OTHERS + 1;
	shared->roles[OTHERS].users = MaxBackends;
	memset(folded, 0, folded_size());
	for (int i = 0; i < MaxBackends; i++)
		init_counts(&backends[i].of);
}

/* --- the table of roles; these are called with the lock held exclusively --- */

static int
find_or_create_role(Oid role)
{
	int			place = OTHERS;

	for (int i = OTHERS + 1; i < shared->nroles; i++)
	{
		if (shared->roles[i].role == role)
			return i;
		if (place == OTHERS && !OidIsValid(shared->roles[i].role) && shared->roles[i].users == 0)
			place = i;
	}
	if (place == OTHERS && shared->nroles < MAX_TABLE)
		place = shared->nroles++;
	if (place != OTHERS)
	{
		memset(&shared->roles[place], 0, sizeof(RoleCounts));
		shared->roles[place].role = role;
	}
	return place;
}

static void
set_role_of_entry(int number, int role)
{
	shared->roles[folded[number].role].users--;
	folded[number].role = role;
	shared->roles[role].users++;
}

/* What a counter has grown by since it was seen last. */
static uint64
grown_by(pg_atomic_uint64 *counter, uint64 *seen)
{
	uint64		now = pg_atomic_read_u64(counter);
	uint64		grown = now - *seen;

	*seen = now;
	return grown;
}

/* Add what an entry has counted to its role. */
static void
fold_entry(int number, int64 now)
{
	XactCounts *counts = &backends[number].of;
	FoldedCounts *seen = &folded[number];
	PadvLatency *total = &shared->roles[seen->role].total;
	PadvLatencyStep *step = padv_latency_step(&shared->roles[seen->role].minute, now);
	uint64		inside_us = grown_by(&counts->inside_us, &seen->inside_us);
	uint64		rolled_back = grown_by(&counts->rolled_back, &seen->rolled_back);

	for (int i = 0; i < PADV_LATENCY_BUCKETS; i++)
	{
		uint32		count = pg_atomic_read_u32(&counts->by_duration[i]);
		uint32		grown = count - seen->by_duration[i];

		seen->by_duration[i] = count;
		seen->transactions += grown;
		total->count[i] += grown;
		step->count[i] += grown;
	}
	total->rolled_back += rolled_back;
	total->sum_us += inside_us;
	step->rolled_back += rolled_back;
	step->sum_us += inside_us;
}

/* --- sessions --- */

/* Begin to count for the session that has claimed the entry, and count its login. */
static void
begin_session(XactCounts *counts, Oid role)
{
	pg_atomic_write_u32(&counts->login_role, role);
	pg_atomic_write_u64(&counts->logins, pg_atomic_read_u64(&counts->logins) + 1);
	pg_atomic_write_u64(&counts->began_us, pg_atomic_read_u64(&counts->inside_us));
	for (int i = 0; i < PADV_HOLD_BUCKETS; i++)
		pg_atomic_write_u32(&counts->held[i], 0);
	counts->status_index = padv_my_status_index();
	pg_write_barrier();
	pg_atomic_write_u32(&counts->pid, MyProcPid);
}

/* Take over the entry of this process; the rest of the last owner is of its role. */
static void
claim_entry(Oid role)
{
	int			number = padv_my_procno();
	int64		now = padv_monotonic_us();

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	fold_entry(number, now);
	set_role_of_entry(number, find_or_create_role(role));
	LWLockRelease(&shared->lock);
	mine = &backends[number].of;
	begin_session(mine, role);
}

/* Add to a counter of this backend, which no other process writes. */
static inline void
add_to_own_counter(pg_atomic_uint64 *counter, uint64 amount)
{
	pg_atomic_write_u64(counter, pg_atomic_read_u64(counter) + amount);
}

static inline void
count_duration(int64 us)
{
	pg_atomic_uint32 *bucket = &mine->by_duration[padv_latency_bucket(us)];

	pg_atomic_write_u32(bucket, pg_atomic_read_u32(bucket) + 1);
}

/*
 * Whether this is a transaction of the client.  The session has transactions of its own:
 * when an idle session reads invalidation messages.  In each version the states up to idle
 * are those of a session that executes nothing.
 */
static inline bool
is_client_xact(void)
{
	return MyBEEntry != NULL && MyBEEntry->st_state > STATE_IDLE;
}

/* How long a session has held its connection, for its pool; a count that is full stays so. */
static inline void
count_for_session(int64 inside)
{
	pg_atomic_uint32 *held = &mine->held[padv_hold_bucket(Max(inside, 0))];
	uint32		before = pg_atomic_read_u32(held);

	if (likely(before < PG_UINT32_MAX))
		pg_atomic_write_u32(held, before + 1);
}

static void
count_xact_callback(XactEvent event, void *arg pg_attribute_unused())
{
	TimestampTz inside;

	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	if (unlikely(mine == NULL))
	{
		/* the transaction of the login, at whose end the role is certain */
		if (event == XACT_EVENT_COMMIT)
			claim_entry(GetSessionUserId());
		return;
	}
	if (!is_client_xact())
		return;
	inside = GetCurrentTimestamp() - GetCurrentTransactionStartTimestamp();
	add_to_own_counter(event == XACT_EVENT_ABORT ? &mine->rolled_back : &mine->committed, 1);
	if (likely(inside > 0))		/* the clock may have been set */
		add_to_own_counter(&mine->inside_us, inside);
	if (unlikely(inside > PADV_LONG_TRANSACTION_US))
		add_to_own_counter(&mine->inside_long_us, inside);
	count_duration(inside);
	count_for_session(inside);
}

void
padv_xact_stats_start(void)
{
	RegisterXactCallback(count_xact_callback, NULL);
}

/* --- the worker, and readers --- */

void
padv_xact_stats_total(PadvXactStats *total)
{
	uint64		committed = 0;
	uint64		rolled_back = 0;
	uint64		inside_us = 0;
	uint64		inside_long_us = 0;
	uint64		logins = 0;

	for (int i = 0; i < MaxBackends; i++)
	{
		committed += pg_atomic_read_u64(&backends[i].of.committed);
		rolled_back += pg_atomic_read_u64(&backends[i].of.rolled_back);
		inside_us += pg_atomic_read_u64(&backends[i].of.inside_us);
		inside_long_us += pg_atomic_read_u64(&backends[i].of.inside_long_us);
		logins += pg_atomic_read_u64(&backends[i].of.logins);
	}
	total->committed = (double) committed;
	total->rolled_back = (double) rolled_back;
	total->inside_seconds = (double) inside_us / 1e6;
	total->inside_long_seconds = (double) inside_long_us / 1e6;
	total->logins = (double) logins;
}

int
padv_xact_stats_entries(void)
{
	return MaxBackends;
}

uint64
padv_xact_stats_logins(int entry, uint32 *role)
{
	*role = pg_atomic_read_u32(&backends[entry].of.login_role);
	return pg_atomic_read_u64(&backends[entry].of.logins);
}

static uint64
count_transactions(XactCounts *counts)
{
	return pg_atomic_read_u64(&counts->committed) + pg_atomic_read_u64(&counts->rolled_back);
}

int
padv_xact_stats_pid(int entry, uint64 *transactions)
{
	*transactions = count_transactions(&backends[entry].of);
	return (int) pg_atomic_read_u32(&backends[entry].of.pid);
}

static void
copy_session(XactCounts *counts, PadvXactSession *session)
{
	session->status_index = counts->status_index;
	session->inside_us = pg_atomic_read_u64(&counts->inside_us) - pg_atomic_read_u64(&counts->began_us);
	for (int i = 0; i < PADV_HOLD_BUCKETS; i++)
		session->held[i] = pg_atomic_read_u32(&counts->held[i]);
}

bool
padv_xact_stats_session(int entry, PadvXactSession *session)
{
	XactCounts *counts = &backends[entry].of;

	session->pid = (int) pg_atomic_read_u32(&counts->pid);
	if (session->pid == 0)
		return false;
	pg_read_barrier();
	copy_session(counts, session);
	pg_read_barrier();
	return (int) pg_atomic_read_u32(&counts->pid) == session->pid;
}

bool
padv_xact_stats_end(PadvXactSession *session)
{
	if (mine == NULL)
		return false;
	session->pid = MyProcPid;
	copy_session(mine, session);
	pg_atomic_write_u32(&mine->pid, 0);
	return true;
}

/*
 * Whether an entry has counted something that its role does not have.  `transactions` is
 * read without the lock.  A session that claims the entry may change it meanwhile; then it
 * has added all of it, and what the caller adds is nothing.
 */
static bool
has_grown(int number)
{
	return count_transactions(&backends[number].of) != folded[number].transactions;
}

void
padv_xact_stats_fold(int64 now)
{
	for (int i = 0; i < MaxBackends; i++)
	{
		if (!has_grown(i))
			continue;
		LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
		fold_entry(i, now);
		LWLockRelease(&shared->lock);
	}
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	shared->folded_at = now;
	LWLockRelease(&shared->lock);
}

/* Copy a role of the table; false when there is none with this number. */
static bool
copy_role(int number, RoleCounts *role, int64 *now)
{
	bool		found;

	LWLockAcquire(&shared->lock, LW_SHARED);
	found = number < shared->nroles;
	if (found)
		memcpy(role, &shared->roles[number], sizeof(RoleCounts));
	*now = shared->folded_at;
	LWLockRelease(&shared->lock);
	return found;
}

int
padv_xact_stats_copy_latency(PadvRoleLatency **rows)
{
	RoleCounts *role = palloc(sizeof(RoleCounts));
	int			count = 0;
	int64		now;

	*rows = palloc(MAX_TABLE * sizeof(PadvRoleLatency));
	for (int i = OTHERS; copy_role(i, role, &now); i++)
	{
		PadvRoleLatency *row = &(*rows)[count];

		if (i != OTHERS && !OidIsValid(role->role))
			continue;
		count++;
		row->role = role->role;
		row->total = role->total;
		padv_latency_minute_sum(&role->minute, now, &row->minute);
	}
	pfree(role);
	return count;
}

int
padv_xact_stats_roles(Oid *roles)
{
	int			count = 0;

	LWLockAcquire(&shared->lock, LW_SHARED);
	for (int i = OTHERS + 1; i < shared->nroles; i++)
		if (OidIsValid(shared->roles[i].role))
			roles[count++] = shared->roles[i].role;
	LWLockRelease(&shared->lock);
	return count;
}

/* Take the role out of the table; a session that begins cannot find it then. */
static int
hide_role(Oid role)
{
	int			number = OTHERS;

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	for (int i = OTHERS + 1; i < shared->nroles; i++)
		if (shared->roles[i].role == role)
			number = i;
	if (number != OTHERS)
		shared->roles[number].role = InvalidOid;
	LWLockRelease(&shared->lock);
	return number;
}

/*
 * An entry can only leave a role that is hidden, so the first look needs no lock.  Sessions
 * of the role that go on keep its place.
 */
void
padv_xact_stats_forget_role(Oid role)
{
	int			number = hide_role(role);

	for (int i = 0; number != OTHERS && i < MaxBackends; i++)
	{
		if (folded[i].role != number)
			continue;
		LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
		if (folded[i].role == number && pg_atomic_read_u32(&backends[i].of.pid) == 0)
		{
			fold_entry(i, shared->folded_at);
			set_role_of_entry(i, OTHERS);
		}
		LWLockRelease(&shared->lock);
	}
}

/* What was counted before the reset must not be added after it. */
void
padv_xact_stats_reset_latency(void)
{
	padv_xact_stats_fold(padv_monotonic_us());
	for (int i = 0; i < MAX_TABLE; i++)
	{
		LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
		memset(&shared->roles[i].total, 0, sizeof(PadvLatency));
		memset(&shared->roles[i].minute, 0, sizeof(PadvLatencyMinute));
		LWLockRelease(&shared->lock);
	}
}
