/*
 * sampler.c
 *		The server's process tables into a plain sample.
 *
 * Owns the translation from PGPROC and PgBackendStatus to PadvSession.  It
 * reads shared memory of the core server in place and takes no lock of it; it
 * decides nothing and keeps nothing.  The worker calls it.
 *
 * What is read without a lock, and what that can cost:
 *
 * - PgBackendStatus, under its st_changecount protocol: a consistent copy of
 *   the few fields needed, without the query text.  A writer that is switched
 *   out in the middle is not waited for longer than READ_TRIES; then the
 *   fields may belong to two moments of the same entry, for one sample.
 * - PGPROC's pid, wait_event_info, xid, xmin, local transaction ID and lock
 *   group leader: single words, written by their own process.  They may be a
 *   few instructions apart from the status entry: a session can be seen
 *   active with the wait event of the idle state it has just left, for one
 *   sample.
 * - A process that ends while being read is either counted or not.  Its slot
 *   may be taken by another one meanwhile, which is why both entries must
 *   name the same pid.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <time.h>

#include "access/transam.h"
#include "port/atomics.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "compat.h"
#include "sampler.h"

/* Far more than a writer that is running needs. */
#define READ_TRIES 1000

#define WAIT_CLASS_MASK 0xFF000000U

/* How many processes ahead to ask memory for. */
#define PREFETCH_DISTANCE 8

#if defined(__GNUC__) || defined(__clang__)
#define prefetch(address) __builtin_prefetch(address)
#else
#define prefetch(address) ((void) 0)
#endif

int
padv_sampler_slots(void)
{
	return MaxBackends;
}

PadvSample *
padv_sampler_create(void)
{
	PadvSample *sample = palloc0(sizeof(PadvSample));

	sample->sessions = palloc0(mul_size(MaxBackends, sizeof(PadvSession)));
	return sample;
}

static PadvWaitClass
classify_wait(uint32 wait_event)
{
	if (wait_event == 0)
		return PADV_ON_CPU;
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

/* Asleep on purpose, or waiting for its client: wants nothing of the server. */
static bool
wants_nothing(uint32 wait_event)
{
	return (wait_event & WAIT_CLASS_MASK) == PG_WAIT_CLIENT ||
		wait_event == WAIT_EVENT_PG_SLEEP ||
		wait_event == WAIT_EVENT_VACUUM_DELAY;
}

/*
 * A session with track_activities off does not tell its state, but waiting for
 * the next command looks the same in all: ClientRead, with or without a
 * transaction.
 */
static PadvState
guess_state(const PGPROC *proc, uint32 wait_event)
{
	if (wait_event != WAIT_EVENT_CLIENT_READ)
		return PADV_STATE_ACTIVE;
	return padv_proc_in_transaction(proc) ? PADV_STATE_IDLE_IN_TRANSACTION : PADV_STATE_IDLE;
}

static PadvState
translate_state(BackendState state, const PGPROC *proc, uint32 wait_event)
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
		case STATE_DISABLED:
			return guess_state(proc, wait_event);
		default:
			return PADV_STATE_OTHER;
	}
}

/*
 * Copy what is needed of a status entry; false when it is not one of the
 * process, or not of a kind that is counted.
 */
static bool
read_status(volatile PgBackendStatus *entry, int pid, PadvSession *session,
			BackendState *state, BackendType *type)
{
	for (int try = 0; try < READ_TRIES; try++)
	{
		int			before,
					after;

		pgstat_begin_read_activity(entry, before);
		session->pid = entry->st_procpid;
		*type = entry->st_backendType;
		*state = entry->st_state;
		session->role = entry->st_userid;
		session->database = entry->st_databaseid;
		session->statement_start = entry->st_activity_start_timestamp;
		session->state_start = entry->st_state_start_timestamp;
		session->xact_start = entry->st_xact_start_timestamp;
		pgstat_end_read_activity(entry, after);
		if (pgstat_read_activity_complete(before, after))
			break;
	}
	return session->pid == pid && (*type == B_BACKEND || *type == B_BG_WORKER);
}

/* One process into *session; false when it is not counted. */
static bool
read_process(volatile PGPROC *proc, int procno, PgBackendStatus *entries,
			 PadvSession *session)
{
	int			pid = proc->pid;
	int			index = padv_proc_status_index(proc, procno);
	uint32		wait_event;
	BackendState state;
	BackendType type;

	if (pid == 0 || index < 0 || index >= MaxBackends ||
		!read_status(&entries[index], pid, session, &state, &type))
		return false;

	session->parallel_worker = type == B_BG_WORKER;
	if (session->parallel_worker &&
		(proc->lockGroupLeader == NULL || proc->lockGroupLeader == proc))
		return false;

	wait_event = proc->wait_event_info;
	session->slot = procno;
	session->state = translate_state(state, (const PGPROC *) proc, wait_event);
	session->wait_event = wait_event;
	session->wait_class = classify_wait(wait_event);
	session->demands = session->state == PADV_STATE_ACTIVE && !wants_nothing(wait_event);
	session->holds_horizon = TransactionIdIsValid(proc->xid) || TransactionIdIsValid(proc->xmin);
	return true;
}

void
padv_sampler_take(PadvSample *sample)
{
	PgBackendStatus *entries = MyBEEntry - padv_my_status_index();
	PGPROC	   *procs = ProcGlobal->allProcs;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sample->clock_us = (int64) now.tv_sec * 1000000 + now.tv_nsec / 1000;
	sample->taken_at = GetCurrentTimestamp();
	sample->count = 0;

	for (int procno = 0; procno < MaxBackends; procno++)
	{
		if (procno + PREFETCH_DISTANCE < MaxBackends)
		{
			prefetch(&procs[procno + PREFETCH_DISTANCE].xid);
			prefetch(&procs[procno + PREFETCH_DISTANCE].wait_event_info);
		}
		if (read_process(&procs[procno], procno, entries,
						 &sample->sessions[sample->count]))
			sample->count++;
	}
}
