/*
 * pool_watch.c
 *		Which sessions are of which pool in front, and what they do.
 *
 * Owns what is known of each status entry and each session's counters, and carries it into
 * core/model/pools.c, which owns the rules.  The sampler asks for the pool of each entry
 * that it has read; the worker calls the rest.
 *
 * An entry is read again only when it has changed, and most changes are of its state: then
 * the hash of its key is the same.  The key is read under the entry's st_changecount
 * protocol, as the sampler reads the rest.
 *
 * Some drivers name themselves after the login: PostgreSQL's JDBC driver sends SET
 * extra_float_digits and SET application_name.  Until then their sessions would be a pool of
 * their own, without a name.  So a session without a name is of no pool before it has executed
 * anything else, for some seconds.
 *
 * What sessions did is counted exactly.  Once a second the counters of each session are read
 * (shmem/xact_stats.c), and what was added since counts for the pool that the session is of
 * now.  A session that ends adds all that it did to the table of ended sessions
 * (shmem/ended_sessions.c); what was counted before is subtracted when its counters are
 * gone.  The two are seen moments apart, so the sum of a second can be wrong, and that of two
 * seconds is right.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "port/atomics.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/advice/found_pools.h"
#include "shmem/ended_sessions.h"
#include "shmem/status_shmem.h"
#include "shmem/xact_stats.h"
#include "worker/pool_watch.h"

/* Far more than a writer that is running needs. */
#define READ_TRIES 1000

/* How long a session can take to name itself, in microseconds. */
#define NAMED_WITHIN INT64CONST(5000000)

/* After so many seconds without a change an entry of ended sessions is freed. */
#define FREED_AFTER 3600

/* What is known of a status entry. */
typedef struct KnownEntry
{
	int			changes;		/* of the entry when it was read */
	int			pid;			/* 0: none */
	uint32		generation;		/* of the pool */
	uint16		number;
	uint64		hash;
	TimestampTz started;
} KnownEntry;

/* What has been counted of a session. */
typedef struct Counted
{
	int			pid;			/* 0: none */
	uint32		generation;		/* 0: its pool is not known yet */
	uint16		number;
	uint64		transactions;	/* of the entry, before the session was read */
	uint64		inside_us;
	uint32		held[PADV_HOLD_BUCKETS];
} Counted;

struct PadvPoolWatch
{
	PadvPools  *pools;
	KnownEntry *known;			/* by status index */
	int64	   *started;		/* likewise, for the judgment */
	Counted    *counted;		/* by entry of xact_stats.c */
	PadvEnded  *ended;			/* as they were a second ago */
	int		   *unchanged;		/* seconds, likewise */
	PadvFoundPool *rows;
};

static PadvPoolWatch *the_watch = NULL;

/* Take what a session did so far for counted; its pool is known after the first sample. */
static void
prime_counted(int entry, Counted *counted)
{
	PadvXactSession session;
	uint64		transactions;

	padv_xact_stats_pid(entry, &transactions);
	if (!padv_xact_stats_session(entry, &session))
		return;
	counted->pid = session.pid;
	counted->transactions = transactions;
	counted->inside_us = session.inside_us;
	memcpy(counted->held, session.held, sizeof(counted->held));
}

PadvPoolWatch *
padv_pool_watch_create(void)
{
	PadvPoolWatch *watch = palloc0(sizeof(PadvPoolWatch));

	watch->pools = padv_pools_init(palloc(padv_pools_size()));
	watch->known = palloc0(mul_size(MaxBackends, sizeof(KnownEntry)));
	watch->started = palloc0(mul_size(MaxBackends, sizeof(int64)));
	watch->counted = palloc0(mul_size(padv_xact_stats_entries(), sizeof(Counted)));
	watch->ended = palloc0(PADV_ENDED_ENTRIES * sizeof(PadvEnded));
	watch->unchanged = palloc0(PADV_ENDED_ENTRIES * sizeof(int));
	watch->rows = palloc0(PADV_MAX_FOUND_POOLS * sizeof(PadvFoundPool));

	/* what ended, or was done, before is not of this second */
	for (int i = 0; i < PADV_ENDED_ENTRIES; i++)
		padv_ended_read(i, &watch->ended[i]);
	for (int i = 0; i < padv_xact_stats_entries(); i++)
		prime_counted(i, &watch->counted[i]);
	the_watch = watch;
	return watch;
}

/* --- the pool of a status entry --- */

/* Whether a session has no name, and has done nothing but set something. */
static bool
may_name_itself(volatile PgBackendStatus *entry, const PadvPoolKey *key)
{
	return key->application[0] == '\0' &&
		(entry->st_activity_raw[0] == '\0' || pg_strncasecmp(entry->st_activity_raw, "SET ", 4) == 0);
}

/*
 * Read the key of a session; false when it has none yet, as its login goes on.  known->pid
 * becomes 0 when it may name itself.
 */
static bool
read_key(volatile PgBackendStatus *entry, PadvPoolKey *key, KnownEntry *known)
{
	bool		unnamed = false;
	bool		ready = false;

	for (int try = 0; try < READ_TRIES; try++)
	{
		int			before,
					after;

		pgstat_begin_read_activity(entry, before);
		known->changes = before;
		known->pid = entry->st_procpid;
		known->started = entry->st_proc_start_timestamp;
		ready = entry->st_backendType == B_BACKEND && entry->st_state != STATE_UNDEFINED &&
			OidIsValid(entry->st_userid);
		padv_pool_key_of(entry, key);
		unnamed = may_name_itself(entry, key);
		pgstat_end_read_activity(entry, after);
		if (pgstat_read_activity_complete(before, after))
			break;
		known->changes = -1;	/* half written: read it again next time */
	}
	if (ready && unnamed && GetCurrentTimestamp() - known->started < NAMED_WITHIN)
		known->pid = 0;
	return ready;
}

uint16_t
padv_pool_watch_number(volatile PgBackendStatus *entry, int status_index)
{
	PadvPoolWatch *watch = the_watch;
	KnownEntry *known;
	PadvPoolKey key;
	uint64		hash;

	if (watch == NULL)
		return PADV_OTHER_POOLS;
	known = &watch->known[status_index];
	if (known->changes == entry->st_changecount && known->pid == entry->st_procpid &&
		known->generation == padv_pools_generation(watch->pools, known->number))
		return known->number;
	if (!read_key(entry, &key, known))
	{
		known->number = PADV_OTHER_POOLS;
		known->generation = padv_pools_generation(watch->pools, PADV_OTHER_POOLS);
		known->hash = 0;
		return PADV_OTHER_POOLS;
	}
	if (known->pid == 0)
		return PADV_NO_POOL;
	hash = padv_pool_hash(&key);
	watch->started[status_index] = known->started;
	if (hash == known->hash && known->generation == padv_pools_generation(watch->pools, known->number))
		return known->number;
	known->number = (uint16) padv_pools_number(watch->pools, &key, hash);
	known->generation = padv_pools_generation(watch->pools, known->number);
	known->hash = hash;
	return known->number;
}

void
padv_pool_watch_sample(PadvPoolWatch *watch, const PadvSample *sample)
{
	padv_pools_sample(watch->pools, sample);
}

/* --- what sessions did --- */

static bool
is_still(const PadvPoolWatch *watch, const Counted *counted)
{
	return counted->generation == padv_pools_generation(watch->pools, counted->number);
}

/* A session has ended, and has added all that it did to the table. */
static void
take_back(PadvPoolWatch *watch, Counted *counted)
{
	PadvPoolWork work = {.inside_us = -(int64) counted->inside_us};

	for (int i = 0; i < PADV_HOLD_BUCKETS; i++)
		work.held[i] = -(int64) counted->held[i];
	if (is_still(watch, counted))
		padv_pools_work(watch->pools, counted->number, &work);
	memset(counted, 0, sizeof(*counted));
}

/* Add what a session did since the last look; false when nothing was added. */
static bool
add_new_work(const PadvXactSession *session, Counted *counted, PadvPoolWork *work)
{
	bool		any = false;

	memset(work, 0, sizeof(*work));
	for (int i = 0; i < PADV_HOLD_BUCKETS; i++)
	{
		work->held[i] = (int64) session->held[i] - (int64) counted->held[i];
		any |= work->held[i] != 0;
	}
	work->inside_us = (int64) (session->inside_us - counted->inside_us);
	counted->inside_us = session->inside_us;
	memcpy(counted->held, session->held, sizeof(counted->held));
	return any || work->inside_us != 0;
}

static void
count_session(PadvPoolWatch *watch, const PadvXactSession *session, Counted *counted, uint64 transactions)
{
	const KnownEntry *known = &watch->known[session->status_index];
	PadvPoolWork work;

	/* what no sample has seen yet counts when it has, or when it ends */
	if (known->pid != session->pid)
		return;
	counted->pid = session->pid;
	counted->transactions = transactions;
	counted->number = known->number;
	counted->generation = known->generation;
	if (add_new_work(session, counted, &work) && is_still(watch, counted))
		padv_pools_work(watch->pools, counted->number, &work);
}

static void
count_sessions(PadvPoolWatch *watch)
{
	for (int i = 0; i < padv_xact_stats_entries(); i++)
	{
		Counted    *counted = &watch->counted[i];
		PadvXactSession session;
		uint64		transactions;
		int			pid = padv_xact_stats_pid(i, &transactions);
		bool		there;

		if (pid == counted->pid &&
			(pid == 0 || (counted->generation != 0 && transactions == counted->transactions)))
			continue;
		there = padv_xact_stats_session(i, &session);
		if (counted->pid != 0 && (!there || session.pid != counted->pid))
			take_back(watch, counted);
		if (there && session.status_index >= 0 && session.status_index < MaxBackends)
			count_session(watch, &session, counted, transactions);
	}
}

static void
count_ended_pool(PadvPoolWatch *watch, const PadvEnded *now, const PadvEnded *before)
{
	PadvPoolWork work;
	int			number = PADV_OTHER_POOLS;

	work.ended = (int64) (now->sessions - before->sessions);
	work.brief = (int64) (now->brief - before->brief);
	work.inside_us = (int64) (now->inside_us - before->inside_us);
	for (int i = 0; i < PADV_HOLD_BUCKETS; i++)
		work.held[i] = (int64) (now->held[i] - before->held[i]);
	if (now->hash > 1)
		number = padv_pools_number(watch->pools, &now->key, now->hash);
	padv_pools_work(watch->pools, number, &work);
}

static void
count_ended(PadvPoolWatch *watch)
{
	for (int i = 0; i < PADV_ENDED_ENTRIES; i++)
	{
		PadvEnded	now;
		PadvEnded  *before = &watch->ended[i];

		padv_ended_read(i, &now);
		if (now.hash == 0)
			continue;
		if (before->hash != now.hash)
			memset(before, 0, sizeof(*before));
		watch->unchanged[i]++;
		if (now.sessions != before->sessions)
		{
			/*
			 * a session counts itself last, so what it has added before is
			 * whole
			 */
			count_ended_pool(watch, &now, before);
			watch->unchanged[i] = 0;
			*before = now;
		}
		if (watch->unchanged[i] >= FREED_AFTER && now.hash > 1)
		{
			padv_ended_free(i);
			memset(before, 0, sizeof(*before));
		}
	}
}

void
padv_pool_watch_second(PadvPoolWatch *watch, const PadvSample *sample, int64_t optimal,
					   PadvFoundCounts *counts)
{
	int			rows;

	count_sessions(watch);
	count_ended(watch);
	padv_pools_second(watch->pools, sample, watch->started, optimal);
	rows = padv_pools_rows(watch->pools, watch->rows);
	padv_count_found_advice(watch->rows, rows, counts);
	padv_status_publish_pools(watch->rows, rows);
}

void
padv_pool_watch_forget_sizes(PadvPoolWatch *watch)
{
	padv_pools_forget_sizes(watch->pools);
}

void
padv_pool_watch_forget_peaks(PadvPoolWatch *watch)
{
	padv_pools_forget_peaks(watch->pools);
}
