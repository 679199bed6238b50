/*
 * sampler.c
 *		The server's process tables into a plain sample.
 *
 * Owns the translation from PgBackendStatus and PGPROC to PadvSession.  It
 * reads shared memory of the core server in place and takes no lock of it; it
 * decides nothing.  The worker calls it.
 *
 * The tables are larger than a core's caches and cold when a sample begins, so
 * what counts is how many lines of memory are touched.  Most sessions are in the
 * same statement, or in none, from sample to sample: of an entry that has not
 * changed only the count of its changes is read.  The PGPROC is looked at for the
 * wait event and the horizon, but not of idle sessions.  The application's name, the
 * client's address and the query ID are in lines of their own, so they are read, and
 * turned into keys, when the entry of an active session has changed.
 *
 * What is read without a lock, and what that can cost:
 *
 * - PgBackendStatus, under its st_changecount protocol: a consistent copy of
 *   the few fields needed, without the query text.  A writer that is switched
 *   out in the middle is not waited for longer than READ_TRIES; then the
 *   fields may belong to two moments of the same entry, for one sample.
 * - PGPROC's pid (before 17 its latch's owner), wait_event_info, xid, xmin, local
 *   transaction ID and lock group leader: single words, written by their own process.  They may be a
 *   few instructions apart from the status entry: a session can be seen
 *   active with the wait event of the idle state it has just left, for one
 *   sample.
 * - A process that ends while being read is either counted or not.  Its PGPROC
 *   may be another's by then, which is why both must name the same pid.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "access/transam.h"
#include "port/atomics.h"
#include "port/pg_bswap.h"
#include "storage/lwlock.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "clock.h"
#include "compat.h"
#include "shmem/load_shmem.h"
#include "worker/pool_watch.h"
#include "worker/sampler.h"

/* Far more than a writer that is running needs. */
#define READ_TRIES 1000

#define WAIT_CLASS_MASK 0xFF000000U

/*
 * How many entries ahead to ask memory for: for the rest of an entry, and, so many more
 * ahead, for its beginning.
 */
#define PREFETCH_DISTANCE 16
#define PREFETCH_FIRST 24

/*
 * Without the barrier gcc takes a function that does only this for one without effect,
 * and leaves out its calls.
 */
#if defined(__GNUC__) || defined(__clang__)
#define prefetch(address) \
	do { \
		__builtin_prefetch(address); \
		pg_compiler_barrier(); \
	} while (0)
#else
#define prefetch(address) ((void) 0)
#endif

/*
 * Where the PGPROC of each status entry was found last; checked by its pid
 * before it is used.  From PostgreSQL 17 on both have the same number.
 */
static int *procno_of_entry = NULL;

/* What is known of a session, beside what the sample has at the same place. */
typedef struct Kept
{
	int			changes;		/* of its entry, when it was read, or NOT_KEPT */
	BackendState state;
} Kept;

#define NOT_KEPT (-1)

static Kept *kept_sessions = NULL;

/* The address of a client without its port, padded with NULs; all NULs: none is known. */
typedef struct ClientAddress
{
	uint16		family;
	uint8		address[16];
} ClientAddress;

/* What keys are made of, as copied from a status entry. */
typedef struct Identity
{
	uint32		role;
	uint32		database;
	ClientAddress client;
	char		application[PADV_KEY_NAME]; /* padded with NULs */
	uint64		query;
} Identity;

StaticAssertDecl(PADV_KEY_NAME == NAMEDATALEN, "application_name has NAMEDATALEN bytes");

static uint32 queued_wait_event = 0;

int
padv_sampler_slots(void)
{
	return MaxBackends;
}

PadvSample *
padv_sampler_create(uint32_t slot_wait_event)
{
	PadvSample *sample = palloc0(sizeof(PadvSample));

	queued_wait_event = slot_wait_event;
	sample->sessions = palloc0(mul_size(MaxBackends, sizeof(PadvSession)));
	sample->keys = palloc0(mul_size(MaxBackends, sizeof(PadvSessionKeys)));
	procno_of_entry = palloc(mul_size(MaxBackends, sizeof(int)));
	kept_sessions = palloc0(mul_size(MaxBackends, sizeof(Kept)));
	for (int i = 0; i < MaxBackends; i++)
	{
		procno_of_entry[i] = i;
		kept_sessions[i].changes = NOT_KEPT;
	}
	return sample;
}

/*
 * Up to 16 a PGPROC keeps its backend ID when its process has ended, and another
 * PGPROC may have that by then: only the one with the pid of the status entry is the
 * entry's.
 */
static void
find_all_processes(PgBackendStatus *entries)
{
	for (int procno = 0; procno < MaxBackends; procno++)
	{
		volatile PGPROC *proc = &ProcGlobal->allProcs[procno];
		int			entry = padv_proc_status_index(proc, procno);
		int			pid = padv_proc_pid(proc);

		if (pid != 0 && entry >= 0 && entry < MaxBackends &&
			pid == ((volatile PgBackendStatus *) entries)[entry].st_procpid)
			procno_of_entry[entry] = procno;
	}
}

/*
 * The PGPROC of a status entry, or NULL when its process is just coming or
 * going.  *searched is whether all were looked for in this sample: once is
 * enough.
 */
static volatile PGPROC *
find_process(PgBackendStatus *entries, int entry, int pid, bool *searched)
{
	volatile PGPROC *proc = &ProcGlobal->allProcs[procno_of_entry[entry]];

	if (padv_proc_pid(proc) != pid && !*searched)
	{
		find_all_processes(entries);
		*searched = true;
		proc = &ProcGlobal->allProcs[procno_of_entry[entry]];
	}
	return padv_proc_pid(proc) == pid ? proc : NULL;
}

static PadvWaitClass
classify_wait(uint32 wait_event)
{
	if (wait_event == 0)
		return PADV_ON_CPU;
	if (padv_waits_for_buffer_lock(wait_event))
		return PADV_WAITING_LWLOCK;
	switch (wait_event & WAIT_CLASS_MASK)
	{
		case PG_WAIT_IO:
			return PADV_WAITING_IO;
		case PG_WAIT_LOCK:
			return PADV_WAITING_LOCK;
		case PG_WAIT_LWLOCK:
			return PADV_WAITING_LWLOCK;
		default:
			return PADV_WAITING_OTHER;
	}
}

/*
 * Waiting until the log is flushed, or replicated: one flush serves all that wait
 * for it, and more of them do not make it longer.
 */
static bool
waits_for_commit(uint32 wait_event)
{
	return wait_event == (PG_WAIT_LWLOCK | WALWriteLock->tranche) ||
		wait_event == WAIT_EVENT_WAL_SYNC || wait_event == WAIT_EVENT_WAL_WRITE ||
		wait_event == WAIT_EVENT_SYNC_REP;
}

/*
 * Asleep on purpose, or waiting for its client: wants nothing of the server.  Nor does what
 * waits for an advisory lock: the wait can be the purpose of the lock, as where only one of
 * several programs may work.
 */
static bool
wants_nothing(uint32 wait_event)
{
	return (wait_event & WAIT_CLASS_MASK) == PG_WAIT_CLIENT ||
		wait_event == WAIT_EVENT_PG_SLEEP ||
		wait_event == WAIT_EVENT_VACUUM_DELAY ||
		padv_waits_for_advisory_lock(wait_event) ||
		padv_waits_for_wal(wait_event);
}

/*
 * A session with track_activities off does not tell its state, but waiting for
 * the next command looks the same in all: ClientRead, with or without a
 * transaction.
 */
static PadvState
guess_state(volatile PGPROC *proc, uint32 wait_event)
{
	if (wait_event != WAIT_EVENT_CLIENT_READ)
		return PADV_STATE_ACTIVE;
	return padv_proc_in_transaction(proc) ? PADV_STATE_IDLE_IN_TRANSACTION : PADV_STATE_IDLE;
}

static PadvState
translate_state(BackendState state)
{
	switch (state)
	{
		case STATE_IDLE:
			return PADV_STATE_IDLE;
		case STATE_RUNNING:
		case STATE_FASTPATH:
			return PADV_STATE_ACTIVE;
		case STATE_IDLEINTRANSACTION:
		case STATE_IDLEINTRANSACTION_ABORTED:
			return PADV_STATE_IDLE_IN_TRANSACTION;
		default:
			return PADV_STATE_OTHER;
	}
}

/*
 * Whether a client is on this machine: it came through a Unix socket or the
 * loopback interface.  What a writer changes meanwhile is read again.
 */
static bool
is_local(volatile SockAddr *client)
{
	volatile struct sockaddr_in *v4 = (volatile struct sockaddr_in *) &client->addr;
	volatile struct sockaddr_in6 *v6 = (volatile struct sockaddr_in6 *) &client->addr;
	struct in6_addr address;

	switch (client->addr.ss_family)
	{
		case AF_UNIX:
			return true;
		case AF_INET:
			return (pg_ntoh32(v4->sin_addr.s_addr) >> 24) == 127;
		case AF_INET6:
			address = v6->sin6_addr;
			return IN6_IS_ADDR_LOOPBACK(&address);
	}
	return false;
}

/* --- keys --- */

static void
copy_client(volatile SockAddr *client, ClientAddress *to)
{
	volatile struct sockaddr_in *v4 = (volatile struct sockaddr_in *) &client->addr;
	volatile struct sockaddr_in6 *v6 = (volatile struct sockaddr_in6 *) &client->addr;
	struct in6_addr address6;
	uint32		address4;

	memset(to, 0, sizeof(*to));
	to->family = client->addr.ss_family;
	if (to->family == AF_INET)
	{
		address4 = v4->sin_addr.s_addr;
		memcpy(to->address, &address4, sizeof(address4));
	}
	else if (to->family == AF_INET6)
	{
		address6 = v6->sin6_addr;
		memcpy(to->address, &address6, sizeof(address6));
	}
}

/* Copy as many words as the name has, which is one or two in most cases. */
static void
copy_application(const volatile char *name, char to[PADV_KEY_NAME])
{
	const volatile uint64 *words = (const volatile uint64 *) name;
	uint64		copy[PADV_KEY_NAME / sizeof(uint64)] = {0};
	const uint64 ones = UINT64CONST(0x0101010101010101);
	bool		ended = false;

	for (int i = 0; i < (int) lengthof(copy) && !ended; i++)
	{
		copy[i] = words[i];
		ended = ((copy[i] - ones) & ~copy[i] & (ones << 7)) != 0;	/* a byte is 0 */
	}
	memcpy(to, copy, PADV_KEY_NAME);
}

/* Of an entry that is being read under its protocol. */
static void
copy_identity(volatile PgBackendStatus *entry, Identity *identity)
{
	identity->role = entry->st_userid;
	identity->database = entry->st_databaseid;
	identity->query = (uint64) entry->st_query_id;
	copy_client(&entry->st_clientaddr, &identity->client);
	copy_application(entry->st_appname, identity->application);
}

static void
name_client(const ClientAddress *client, char name[PADV_KEY_NAME])
{
	memset(name, 0, PADV_KEY_NAME);
	if (client->family == AF_UNIX ||
		inet_ntop(client->family, client->address, name, PADV_KEY_NAME) == NULL)
		strlcpy(name, client->family == AF_UNIX ? "local" : "unknown", PADV_KEY_NAME);
}

/*
 * Turn an identity into keys.  Names are added for keys that are not those of the session
 * that had this place before; mostly it is the same one.
 */
static void
make_keys(Identity *identity, PadvSessionKeys *keys)
{
	size_t		length = strnlen(identity->application, PADV_KEY_NAME - 1);
	uint64		application = 0;
	uint64		client = 0;
	uint64		all[3];

	/* what follows the NUL may be left from an older name */
	memset(identity->application + length, 0, PADV_KEY_NAME - length);
	if (length > 0)
		application = padv_key_of(identity->application, length);
	if (identity->client.family != 0)
		client = padv_key_of(&identity->client, sizeof(identity->client));
	if (application != 0 && application != keys->application)
		padv_load_publish_name(application, identity->application);
	if (client != 0 && client != keys->client)
	{
		char		name[PADV_KEY_NAME];

		name_client(&identity->client, name);
		padv_load_publish_name(client, name);
	}
	all[0] = (uint64) identity->role << 32 | identity->database;
	all[1] = application;
	all[2] = client;
	*keys = (PadvSessionKeys) {
		.origin = padv_key_of(all, sizeof(all)), .application = application,
		.client = client, .query = identity->query,
	};
}

/* Whether a session in this state is active, or may turn out to be. */
static bool
may_be_active(BackendState state)
{
	return state == STATE_RUNNING || state == STATE_FASTPATH || state == STATE_DISABLED;
}

/* --- sessions --- */

/*
 * Copy what is needed of a status entry; false when it is not a client's, nor a
 * background worker's.  `keys` are those that stand at this place; NULL: not needed.
 */
static bool
read_status(PgBackendStatus *entries, int index, PadvSession *session, BackendState *state,
			PadvSessionKeys *keys)
{
	volatile PgBackendStatus *entry = &entries[index];
	BackendType type = B_INVALID;
	Identity	identity;
	bool		with_keys = false;

	/* the rest of an entry is elsewhere in memory: do not even look */
	if (entry->st_procpid == 0)
		return false;

	for (int try = 0; try < READ_TRIES; try++)
	{
		int			before,
					after;

		pgstat_begin_read_activity(entry, before);
		session->pid = entry->st_procpid;
		type = entry->st_backendType;
		*state = entry->st_state;
		session->role = entry->st_userid;
		session->database = entry->st_databaseid;
		session->statement_start = entry->st_activity_start_timestamp;
		session->state_start = entry->st_state_start_timestamp;
		session->xact_start = entry->st_xact_start_timestamp;
		session->local = is_local(&entry->st_clientaddr);
		with_keys = keys != NULL && (type == B_BACKEND || type == B_BG_WORKER) && may_be_active(*state);
		if (with_keys)
			copy_identity(entry, &identity);
		pgstat_end_read_activity(entry, after);
		if (pgstat_read_activity_complete(before, after))
			break;
	}
	session->status_index = index;
	session->parallel_worker = type == B_BG_WORKER;
	if (with_keys)
		make_keys(&identity, keys);
	session->pool = padv_pool_watch_number(entry, index);

	/*
	 * From PostgreSQL 18 on a client has an entry before it has proved who it
	 * is, and while it waits in the queue for a session; it gets its role
	 * after that.
	 */
	return session->pid != 0 &&
		((type == B_BACKEND && OidIsValid(session->role)) || type == B_BG_WORKER);
}

static bool
is_parallel_worker(volatile PGPROC *proc)
{
	return proc->lockGroupLeader != NULL && proc->lockGroupLeader != proc;
}

/*
 * What only the PGPROC tells, or that an idle session waits for nothing; false
 * when it is not counted: of the background workers only the members of a group
 * are parallel ones.
 */
static bool
read_process(PgBackendStatus *entries, BackendState state, bool *searched, PadvSession *session)
{
	volatile PGPROC *proc = NULL;
	uint32		wait_event = 0;

	session->state = translate_state(state);
	if (session->state != PADV_STATE_IDLE || session->parallel_worker)
		proc = find_process(entries, session->status_index, session->pid, searched);
	if (proc != NULL)
		wait_event = proc->wait_event_info;
	if (proc != NULL && state == STATE_DISABLED)
		session->state = guess_state(proc, wait_event);
	if (wait_event == queued_wait_event && session->state == PADV_STATE_ACTIVE)
		session->state = PADV_STATE_QUEUED;
	session->wait_event = wait_event;
	session->wait_class = classify_wait(wait_event);
	session->commits = session->state == PADV_STATE_ACTIVE && waits_for_commit(wait_event);
	session->demands = session->state == PADV_STATE_ACTIVE && !wants_nothing(wait_event);
	session->holds_horizon = proc != NULL &&
		(TransactionIdIsValid(proc->xid) || TransactionIdIsValid(proc->xmin));
	return !session->parallel_worker || (proc != NULL && is_parallel_worker(proc));
}

/*
 * One status entry to that place in the sample; false when it is not counted.
 * What stands there from the last sample is as good if it is of this entry, and
 * that has not changed since.
 */
static bool
take_session(PgBackendStatus *entries, int index, bool *searched,
			 PadvSession *session, PadvSessionKeys *keys, Kept *kept)
{
	int			changes = ((volatile PgBackendStatus *) entries)[index].st_changecount;

	if (changes == kept->changes && session->status_index == index)
	{
		if (kept->state == STATE_IDLE && !session->parallel_worker)
			return true;
	}
	else
	{
		/*
		 * A change from now on makes the count another one, and an odd one
		 * says that a change has begun before.
		 */
		pg_read_barrier();
		kept->changes = NOT_KEPT;
		if (!read_status(entries, index, session, &kept->state, keys))
			return false;

		/* what waits to be named is counted after a time, changed or not */
		if (changes % 2 == 0 && session->pool != PADV_NO_POOL)
			kept->changes = changes;
	}
	return read_process(entries, kept->state, searched, session);
}

/*
 * Ask early for what will be read of an entry that has changed.  One that was active is
 * likely to be so again.
 */
static inline void
prefetch_entry(PgBackendStatus *entries, int index, bool was_active)
{
	prefetch(&entries[index].st_state);
	if (was_active)
	{
		prefetch(&entries[index].st_query_id);
		prefetch(entries[0].st_appname + (size_t) index * NAMEDATALEN);
	}
}

static inline void
prefetch_process(int entry)
{
	PGPROC	   *proc = &ProcGlobal->allProcs[procno_of_entry[entry]];

	prefetch(&proc->xmin);
	prefetch(&proc->wait_event_info);
}

/*
 * Ask early for the memory that will be read: first for what tells whether an
 * entry is in use and has changed, and of those that have for the rest, and for the
 * PGPROC of those that are not idle.  `place` is where the entry comes in the sample
 * if all before it do, which is good enough for a guess.
 */
static inline void
prefetch_ahead(PgBackendStatus *entries, int index, int place)
{
	int			near = index + PREFETCH_DISTANCE;
	int			far = near + PREFETCH_FIRST;

	if (far < MaxBackends)
		prefetch(&entries[far].st_procpid);
	if (near < MaxBackends && entries[near].st_procpid != 0)
	{
		const Kept *kept = &kept_sessions[place + PREFETCH_DISTANCE];

		if (entries[near].st_changecount != kept->changes)
			prefetch_entry(entries, near, may_be_active(kept->state));
		if (kept->state != STATE_IDLE)
			prefetch_process(near);
	}
}

/*
 * I/O workers that work ahead.  One that a session waits for does the session's work,
 * which is counted already.
 */
static int64
count_io_workers(PgBackendStatus *entries pg_attribute_unused(), const PadvSample *sample)
{
	int			working = 0;
	int			awaited = 0;

	for (int i = MaxBackends; i < MaxBackends + PADV_IO_WORKER_ENTRIES; i++)
		working += padv_is_io_worker((volatile PgBackendStatus *) &entries[i]) &&
			!padv_is_idle_io_worker(((volatile PGPROC *) &ProcGlobal->allProcs[i])->wait_event_info);
	for (int i = 0; working > 0 && i < sample->count; i++)
		awaited += sample->sessions[i].state == PADV_STATE_ACTIVE &&
			padv_waits_for_io_worker(sample->sessions[i].wait_event);
	return Max(working - awaited, 0);
}

/* What a process without a client is; -1: none that takes the disks. */
static int
background_of(BackendType type)
{
	switch (type)
	{
		case B_AUTOVAC_WORKER:
			return PADV_BACKGROUND_AUTOVACUUM;
		case B_CHECKPOINTER:
			return PADV_BACKGROUND_CHECKPOINTER;
		case B_BG_WRITER:
			return PADV_BACKGROUND_WRITER;
		case B_WAL_WRITER:
			return PADV_BACKGROUND_WAL_WRITER;
		case B_WAL_SENDER:
			return PADV_BACKGROUND_WAL_SENDER;
		case B_STARTUP:
			return PADV_BACKGROUND_STARTUP;
		case B_BG_WORKER:
			return PADV_BACKGROUND_WORKER;
		default:
			return -1;
	}
}

/*
 * The entry of a process is read without its protocol: its type does not change, and one
 * that comes or goes is counted or not.
 */
void
padv_sampler_count_background(PadvSample *sample)
{
	PgBackendStatus *entries = MyBEEntry - padv_my_status_index();
	bool		searched = false;

	memset(sample->background_io, 0, sizeof(sample->background_io));
	for (int index = 0; index < MaxBackends + PADV_AUXILIARY_ENTRIES; index++)
	{
		volatile PgBackendStatus *entry = &entries[index];
		int			pid = entry->st_procpid;
		int			background = pid != 0 ? background_of(entry->st_backendType) : -1;
		volatile PGPROC *proc;

		if (background < 0)
			continue;
		proc = index < MaxBackends ? find_process(entries, index, pid, &searched) : AuxiliaryPidGetProc(pid);
		if (proc != NULL && classify_wait(proc->wait_event_info) == PADV_WAITING_IO && !is_parallel_worker(proc))
			sample->background_io[background]++;
	}
}

void
padv_sampler_take(PadvSample *sample)
{
	PgBackendStatus *entries = MyBEEntry - padv_my_status_index();
	bool		searched = false;

	sample->clock_us = padv_monotonic_us();
	sample->taken_at = GetCurrentTimestamp();
	sample->count = 0;

	for (int index = 0; index < MaxBackends; index++)
	{
		prefetch_ahead(entries, index, sample->count);
		if (take_session(entries, index, &searched,
						 &sample->sessions[sample->count], &sample->keys[sample->count],
						 &kept_sessions[sample->count]))
			sample->count++;
	}
	sample->io_workers = count_io_workers(entries, sample);
}

void
padv_sampler_forget_names(PadvSample *sample)
{
	memset(sample->keys, 0, mul_size(MaxBackends, sizeof(PadvSessionKeys)));
	for (int i = 0; i < MaxBackends; i++)
		kept_sessions[i].changes = NOT_KEPT;
}

bool
padv_sampler_read(int status_index, int pid, PadvSession *session)
{
	PgBackendStatus *entries = MyBEEntry - padv_my_status_index();
	bool		searched = false;
	BackendState state;

	return read_status(entries, status_index, session, &state, NULL) &&
		session->pid == pid && read_process(entries, state, &searched, session);
}

bool
padv_sampler_read_keys(int status_index, int pid, uint64 keys[PADV_DIMENSIONS])
{
	volatile PgBackendStatus *entry = MyBEEntry - padv_my_status_index() + status_index;
	PadvSessionKeys session = {0};
	Identity	identity;
	int			entry_pid = 0;

	for (int try = 0; try < READ_TRIES; try++)
	{
		int			before,
					after;

		pgstat_begin_read_activity(entry, before);
		entry_pid = entry->st_procpid;
		copy_identity(entry, &identity);
		pgstat_end_read_activity(entry, after);
		if (pgstat_read_activity_complete(before, after))
			break;
	}
	if (entry_pid != pid)
		return false;
	make_keys(&identity, &session);
	keys[PADV_DIMENSION_ROLE] = identity.role;
	keys[PADV_DIMENSION_DATABASE] = identity.database;
	keys[PADV_DIMENSION_APPLICATION] = session.application;
	keys[PADV_DIMENSION_CLIENT] = session.client;
	keys[PADV_DIMENSION_QUERY] = session.query;
	return true;
}
