/*
 * history_store.c
 *		The file that keeps the history over a restart.
 *
 * Owns that file.  The worker reads it when the server starts.  One process at a time
 * writes it, the one that has claimed it (history_writer.c).
 *
 * An immediate shutdown or a crash costs at most what was added since the last writing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/xlog.h"

#include "core/stats/history_file.h"
#include "shmem/history_shmem.h"
#include "worker/file_store.h"

static const PadvFileStore store = {
	.path = PADV_FILE_DIRECTORY "/pool_advisor.history",
	.temporary = PADV_FILE_DIRECTORY "/pool_advisor.history.tmp",
	.bad = PADV_FILE_DIRECTORY "/pool_advisor.history.bad",
	.kind = "history",
	.begins = "history",
	.kept = "history",
	.lost = "New points of the history of pool_advisor are in memory only.",
};

/* one byte more shows that a file is too long */
#define BUFFER_SIZE (PADV_HISTORY_MOST_BYTES + 1)

void
padv_history_load(void)
{
	PadvHistory *history;
	PadvFileFault fault;
	char	   *bytes;
	ssize_t		size;

	if (padv_history_loaded())
		return;

	bytes = palloc(BUFFER_SIZE);
	size = padv_file_store_read(&store, bytes, BUFFER_SIZE);
	if (size < 0)
	{
		padv_history_fill(NULL);
		pfree(bytes);
		return;
	}

	history = palloc(sizeof(PadvHistory));
	fault = padv_history_parse(bytes, (size_t) size, GetSystemIdentifier(), history);
	if (fault != PADV_FILE_INTACT)
		padv_file_store_reject(&store, padv_file_fault_text(fault));
	padv_history_fill(history);
	pfree(history);
	pfree(bytes);
}

void
padv_history_write_file(void)
{
	char	   *bytes = palloc(BUFFER_SIZE);
	size_t		size = padv_history_serialize(GetSystemIdentifier(), bytes);

	padv_file_seal(bytes, size);
	padv_file_store_replace(&store, bytes, size, padv_history_set_failing);
	pfree(bytes);
}
