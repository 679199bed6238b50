/*
 * history_writer.c
 *		The process that writes the files of the history and of the incidents, and when
 *		the worker starts it.
 *
 * An fsync takes some milliseconds as a rule, and seconds on a disk that stalls.  The
 * worker must not wait for it: it is also the stall monitor, and handles the server's
 * barriers.  So it starts another background worker for each writing.  That process reads
 * shared memory as any reader does, writes the file and exits.  It connects to no
 * database, is no session, and handles no barrier.
 *
 * Only the process that has claimed the files writes them, so there is one at a time, even
 * if the worker that started it has ended.  The history is large, and written every 5
 * minutes, with incidents that have changed.  These are written alone when one begins or
 * ends.  When no process can be started the worker tries again; both continue in memory.
 *
 * At its exit the worker writes the files itself, because no process can be started then.
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
#include "shmem/incidents_shmem.h"

#define WRITER_NAME "pool_advisor history writer"

/* microseconds */
#define SAVE_INTERVAL INT64CONST(300000000)
#define RETRY_INTERVAL INT64CONST(10000000)
#define PATIENCE_AT_END INT64CONST(10000000)

#define CHECK_INTERVAL_MS 10

/* What the process is to write, as bits; its argument. */
#define WRITE_HISTORY 0x01
#define WRITE_INCIDENTS 0x02

struct PadvHistoryStore
{
	/* monotonic clock */
	int64		due;
	int64		next_try;

	BackgroundWorkerHandle *writer; /* NULL: none was started, or it has ended */
	uint32		writes;			/* finished before it was started */
	bool		history;		/* whether it writes the history */
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
start_writer(PadvHistoryStore *store, int files, int64 now)
{
	BackgroundWorker worker = {0};

	strlcpy(worker.bgw_name, WRITER_NAME, BGW_MAXLEN);
	strlcpy(worker.bgw_type, WRITER_NAME, BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, "pool_advisor", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "padv_history_writer_main", BGW_MAXLEN);
	worker.bgw_main_arg = Int32GetDatum(files);

	store->writes = padv_history_writes();
	store->history = (files & WRITE_HISTORY) != 0;
	if (RegisterDynamicBackgroundWorker(&worker, &store->writer))
	{
		if (store->history)
			store->due = now + SAVE_INTERVAL;
		return;
	}
	store->writer = NULL;
	store->next_try = now + RETRY_INTERVAL;

	/* reported once, until a file has been written again */
	if (!padv_history_set_failing(true))
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("could not start the process that writes the history of pool_advisor"),
				 errdetail("No background worker slot is free. New points of the history are in memory only. The worker tries again every 10 seconds."),
				 errhint("You might need to increase \"max_worker_processes\".")));
}

/* Whether the writer that was started last is still running. */
static bool
writer_is_running(PadvHistoryStore *store, int64 now)
{
	pid_t		pid;

	if (store->writer == NULL)
		return false;
	if (GetBackgroundWorkerPid(store->writer, &pid) != BGWH_STOPPED)
		return true;
	pfree(store->writer);
	store->writer = NULL;

	/* it could not be forked, or failed and has logged an error */
	if (padv_history_writes() == store->writes)
	{
		if (store->history)
			store->due = 0;
		store->next_try = now + RETRY_INTERVAL;
	}
	return false;
}

/* The files that are to be written now, as bits. */
static int
files_due(const PadvHistoryStore *store, int64 now)
{
	int			files = 0;

	if (now >= store->due || padv_history_reset_unwritten())
		files |= WRITE_HISTORY | WRITE_INCIDENTS;
	if (padv_incidents_unwritten())
		files |= WRITE_INCIDENTS;
	return files;
}

void
padv_history_save_if_due(PadvHistoryStore *store, int64 now)
{
	int			files;

	if (writer_is_running(store, now) || now < store->next_try)
		return;

	/* a writer that an earlier worker started may still run */
	files = files_due(store, now);
	if (files != 0 && !padv_history_file_claimed())
		start_writer(store, files, now);
}

void
padv_history_save_soon(PadvHistoryStore *store)
{
	store->due = 0;
}

/* Write these files, in the process that has claimed them. */
static void
write_files(int files)
{
	if (files & WRITE_HISTORY)
		padv_history_write_file();
	if ((files & WRITE_INCIDENTS) && padv_incidents_changed())
		padv_incidents_write_file();
}

/*
 * A writer that is still running has older data, and must not replace the file that is
 * written here.  So wait for it: it ends in a moment, unless the disk stalls.
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
					(errmsg("history of pool_advisor was not written when its worker ended"),
					 errdetail("Another process has been writing the file for %d seconds. Newer points are lost if the server shuts down now.",
							   (int) (PATIENCE_AT_END / 1000000))));
			return;
		}
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, CHECK_INTERVAL_MS,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	write_files(WRITE_HISTORY | WRITE_INCIDENTS);
	padv_history_release_file();
}

/* It ignores SIGTERM, so a shutdown waits for it: half a file is of no use. */
void
padv_history_writer_main(Datum main_arg)
{
	pqsignal(SIGTERM, PADV_SIG_IGN);
	BackgroundWorkerUnblockSignals();
	if (!padv_history_claim_file())
		return;
	write_files(DatumGetInt32(main_arg));
	padv_history_release_file();
}
