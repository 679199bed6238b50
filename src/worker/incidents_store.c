/*
 * incidents_store.c
 *		The file that keeps the incidents over a restart.
 *
 * Owns that file.  The worker reads it when the server starts.  The process that has
 * claimed the files writes it (history_writer.c), within a second or two of each
 * beginning and end of an incident.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/xlog.h"

#include "core/model/incident_file.h"
#include "shmem/incidents_shmem.h"
#include "worker/file_store.h"

static const PadvFileStore store = {
	.path = PADV_FILE_DIRECTORY "/pool_advisor.incidents",
	.temporary = PADV_FILE_DIRECTORY "/pool_advisor.incidents.tmp",
	.bad = PADV_FILE_DIRECTORY "/pool_advisor.incidents.bad",
	.kind = "incidents",
	.begins = "list",
	.kept = "incidents",
	.lost = "New incidents of pool_advisor are in memory only.",
};

/* one byte more shows that a file is too long */
#define BUFFER_SIZE (PADV_INCIDENT_MOST_BYTES + 1)

void
padv_incidents_load(void)
{
	PadvIncidentRing *ring;
	PadvFileFault fault;
	char	   *bytes;
	ssize_t		size;

	/* the last worker has ended in the middle of what lasts */
	if (padv_incidents_loaded())
	{
		padv_incidents_end_all();
		return;
	}

	bytes = palloc(BUFFER_SIZE);
	size = padv_file_store_read(&store, bytes, BUFFER_SIZE);
	if (size < 0)
	{
		padv_incidents_fill(NULL);
		pfree(bytes);
		return;
	}

	ring = palloc(sizeof(PadvIncidentRing));
	fault = padv_incident_parse(bytes, (size_t) size, GetSystemIdentifier(), ring);
	if (fault != PADV_FILE_INTACT)
		padv_file_store_reject(&store, padv_file_fault_text(fault));
	padv_incidents_fill(ring);
	pfree(ring);
	pfree(bytes);
}

void
padv_incidents_write_file(void)
{
	char	   *bytes = palloc(BUFFER_SIZE);
	size_t		size = padv_incidents_serialize(GetSystemIdentifier(), bytes);

	padv_file_seal(bytes, size);
	padv_file_store_replace(&store, bytes, size, padv_incidents_set_failing);
	pfree(bytes);
}
