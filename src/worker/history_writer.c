/*
 * history_writer.c
 *		The process that writes the history's file, and when the worker starts it.
 *
 * An fsync takes some milliseconds as a rule, and seconds on a disk that stalls.  The
 * worker must not stand still meanwhile: it is the overseer of the gate, too, and
 * answers the server's barriers.  So it starts a background worker of its own for each
 * writing, which reads shared memory as any reader does, writes, and ends.  That one
 * reaches no database, is no session, and answers no barrier.
 *
 * Only who has claimed the file writes it, so there is one at a time, whatever became
 * of the worker that started it.  Where no process can be started it is tried again; the
 * history goes on in memory.
 *
 * At its end the worker writes the file itself, as no process can be started then.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/latch.h"
#include "utils/wait_event.h"

#include "clock.h"
#include "compat.h"
#include "shmem/history_shmem.h"

#define WRITER_NAME "pool_advisor history writer"

/* microseconds */
#define SAVE_INTERVAL INT64CONST(300000000)
#define RETRY_INTERVAL INT64CONST(10000000)
#define PATIENCE_AT_END INT64CONST(10000000)

#define LOOK_MS 10

struct PadvHistoryStore
{
	/* monotonic clock */
	int64		due;
	int64		next_try;

	BackgroundWorkerHandle *writer; /* NULL: none was started, or it has ended */
	uint32		writes;			/* finished before it was started */
};

PGDLLEXPORT void padv_history_writer_main(Datum main_arg);

PadvHistoryStore *
padv_history_store_create(void)
{
	PadvHistoryStore *store = palloc0(sizeof(PadvHistoryStore));

	store->due = padv_monotonic_us() + SAVE_INTERVAL;
	return store;
}

static void
start_writer(PadvHistoryStore *store, int64 now)
{
	BackgroundWorker worker = {0};

	strlcpy(worker.bgw_name, WRITER_NAME, BGW_MAXLEN);
	strlcpy(worker.bgw_type, WRITER_NAME, BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, "pool_advisor", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "padv_history_writer_main", BGW_MAXLEN);

	store->writes = padv_history_writes();
	if (RegisterDynamicBackgroundWorker(&worker, &store->writer))
	{
		store->due = now + SAVE_INTERVAL;
		return;
	}
	store->writer = NULL;
	store->next_try = now + RETRY_INTERVAL;

	/* said once, until a file has been written again */
	if (!padv_history_set_failing(true))
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("pool_advisor cannot write its history because no background worker slot is free"),
				 errdetail("What is new in its history is in memory only. It tries again every 10 seconds and says when it succeeds."),
				 errhint("You might need to increase \"max_worker_processes\".")));
}

/* Whether the one that was started last is still there. */
static bool
writer_is_there(PadvHistoryStore *store, int64 now)
{
	pid_t		pid;

	if (store->writer == NULL)
		return false;
	if (GetBackgroundWorkerPid(store->writer, &pid) != BGWH_STOPPED)
		return true;
	pfree(store->writer);
	store->writer = NULL;

	/* it could not be forked, or failed, with words of its own */
	if (padv_history_writes() == store->writes)
	{
		store->due = 0;
		store->next_try = now + RETRY_INTERVAL;
	}
	return false;
}

void
padv_history_save_if_due(PadvHistoryStore *store, int64 now)
{
	if (writer_is_there(store, now) || now < store->next_try)
		return;

	/* one that a worker before us started may still be at it */
	if ((now >= store->due || padv_history_reset_unwritten()) && !padv_history_file_claimed())
		start_writer(store, now);
}

void
padv_history_save_soon(PadvHistoryStore *store)
{
	store->due = 0;
}

/*
 * One that writes may have seen less than there is now, and must not replace our
 * file by its own.  It is done in a moment, unless the disk stalls.
 */
void
padv_history_save_at_end(void)
{
	int64		deadline = padv_monotonic_us() + PATIENCE_AT_END;

	while (!padv_history_claim_file())
	{
		if (padv_monotonic_us() > deadline)
		{
			ereport(LOG,
					(errmsg("pool_advisor does not write its history at its end because the last writing has not ended"),
					 errdetail("What it learned since that began is not kept if the server ends.")));
			return;
		}
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, LOOK_MS,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	padv_history_write_file();
	padv_history_release_file();
}

/* A shutdown waits for it: it is done in a moment, and half a file is of no use. */
void
padv_history_writer_main(Datum main_arg pg_attribute_unused())
{
	pqsignal(SIGTERM, PADV_SIG_IGN);
	BackgroundWorkerUnblockSignals();
	if (!padv_history_claim_file())
		return;
	padv_history_write_file();
	padv_history_release_file();
}
