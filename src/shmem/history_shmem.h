/*
 * history_shmem.h
 *		The history that all processes share, and the file that keeps it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_HISTORY_SHMEM_H
#define PADV_HISTORY_SHMEM_H

#include "core/stats/history.h"

/* Bytes of shared memory, and its set-up; for status_shmem.c, as its other parts. */
extern Size padv_history_shmem_size(void);
extern void padv_history_shmem_init(int tranche);

/*
 * For readers: copy up to PADV_HISTORY_CHUNK points of a resolution to the caller's
 * array, beginning with number *cursor, and advance *cursor.  Returns their number, 0
 * at the end.  Points may be added and removed between two calls: the reader skips
 * points that are not later than its last one.  Holds the lock of the history shared
 * while it copies.
 */
#define PADV_HISTORY_CHUNK 256
extern int	padv_history_read(PadvResolution resolution, uint64 *cursor,
							  PadvHistoryPoint *points);

/*
 * Remove all points; the curve stays.  The worker has the file written again within
 * about a second.  The caller has checked privileges.
 */
extern void padv_history_reset(void);

/* For the worker: add a point. */
extern void padv_history_publish(const PadvHistoryPoint *point);

/*
 * For the worker: set and get the curve that the file keeps, up to
 * PADV_HISTORY_MAX_CURVE finite numbers.  Setting returns false, and changes nothing,
 * for other numbers.  Getting writes to the caller's array and returns their number;
 * call it after padv_history_load.
 */
extern bool padv_history_publish_curve(const double *curve, size_t count);
extern size_t padv_history_curve(double *curve);

/* What the worker knows about the file; allocated once, in the current memory context. */
typedef struct PadvHistoryStore PadvHistoryStore;

extern PadvHistoryStore *padv_history_store_create(void);

/*
 * For the worker: fill the shared history from the file, unless that has been done
 * since the server started.  Raises no error: a file that cannot be used is renamed.
 */
extern void padv_history_load(void);

/*
 * For the worker: start a background worker that writes the file, if it is due: every
 * 5 minutes, after a reset, or after padv_history_save_soon.  `now` is the monotonic
 * clock in microseconds.  Does not wait for that process.
 */
extern void padv_history_save_if_due(PadvHistoryStore *store, int64 now);
extern void padv_history_save_soon(PadvHistoryStore *store);

/* At the worker's exit: write the file in this process, and wait for the disk. */
extern void padv_history_save_at_end(void);

/*
 * For worker/history_store.c: whether the file has been read since the server started,
 * and the history that was read, or NULL.
 */
extern bool padv_history_loaded(void);
extern void padv_history_fill(const PadvHistory *history);

/*
 * Write the file, in the process that has claimed it.  Logs a failure instead of
 * raising it; out-of-memory is raised.
 */
extern void padv_history_write_file(void);

/*
 * For the process that has claimed the file: write the history as bytes, without its
 * CRC, to a block of PADV_HISTORY_MOST_BYTES, and return their number.  May raise
 * out-of-memory.  The second function says whether there was a reset since then.
 */
extern size_t padv_history_serialize(uint64 system, void *bytes);
extern bool padv_history_reset_unwritten(void);

/*
 * One process at a time may claim the file to write it; claiming returns false when
 * another has it.  The claim ends with padv_history_release_file or at process exit.
 * padv_history_writes returns how many processes have released it.
 */
extern bool padv_history_claim_file(void);
extern void padv_history_release_file(void);
extern bool padv_history_file_claimed(void);
extern uint32 padv_history_writes(void);

/* Note whether writing the file failed; returns what was noted before. */
extern bool padv_history_set_failing(bool failing);
extern bool padv_history_failing(void);

#endif							/* PADV_HISTORY_SHMEM_H */
