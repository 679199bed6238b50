/*
 * incidents_shmem.h
 *		The incidents that all processes share.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_INCIDENTS_SHMEM_H
#define PADV_INCIDENTS_SHMEM_H

#include "core/model/incident.h"

/* Bytes of shared memory, and its set-up; for status_shmem.c, as its other parts. */
extern Size padv_incidents_shmem_size(void);
extern void padv_incidents_shmem_init(int tranche);

/*
 * For readers: copy the incidents, the newest first, to an array that is allocated in the
 * current memory context; returns their number.  Holds the lock shared while it copies.
 */
extern int	padv_incidents_copy(PadvIncident **rows);

/* How many have begun since the server started, by kind; returns how many last. */
extern int	padv_incidents_count(int64 total[PADV_INCIDENT_KINDS]);

/* Copy the incidents that last, the newest first; returns their number. */
extern int	padv_incidents_lasting(PadvIncident rows[PADV_INCIDENT_SLOTS]);

/* Remove all.  The caller has checked privileges, and tells the worker. */
extern void padv_incidents_forget(void);

/* For the worker: put incidents that are new or have changed; the number of the newest. */
extern void padv_incidents_publish(const PadvIncident *rows, int count, bool notable);
extern uint64 padv_incidents_newest(void);

/*
 * For the worker: fill shared memory from the file, unless that has been done since the
 * server started.  Incidents that lasted when the file, or the last worker, ended have
 * ended then.  Raises no error: a file that cannot be used is renamed.
 */
extern void padv_incidents_load(void);

/* For worker/incidents_store.c: as with the history. */
extern bool padv_incidents_loaded(void);
extern void padv_incidents_fill(const PadvIncidentRing *ring);
extern void padv_incidents_end_all(void);
extern bool padv_incidents_set_failing(bool failing);
extern bool padv_incidents_failing(void);

/*
 * Write the file, in the process that has claimed the files (history_shmem.h).  Logs a
 * failure instead of raising it; out-of-memory is raised.
 */
extern void padv_incidents_write_file(void);

/*
 * For that process: write the incidents as bytes, without the CRC, to a block of
 * PADV_INCIDENT_MOST_BYTES, and return their number.
 */
extern size_t padv_incidents_serialize(uint64 system, void *bytes);

/*
 * Whether an incident has begun or ended, or all were removed, since the file was written
 * or could not be written; and whether anything has changed since it was written.
 */
extern bool padv_incidents_unwritten(void);
extern bool padv_incidents_changed(void);

#endif							/* PADV_INCIDENTS_SHMEM_H */
