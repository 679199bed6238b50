/*
 * history_shmem.h
 *		The history that all processes share, and the file that keeps it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_HISTORY_SHMEM_H
#define PADV_HISTORY_SHMEM_H

#include "core/stats/history.h"

/* For status_shmem.c, which asks for the memory of all rooms. */
extern Size padv_history_shmem_size(void);
extern void padv_history_shmem_init(int tranche);

/*
 * For readers: up to PADV_HISTORY_CHUNK points of a resolution from number
 * *cursor on, which moves behind them; 0 when there is no more.  Points may be
 * added and forgotten between two calls: skip those that are not later than
 * the last one.
 */
#define PADV_HISTORY_CHUNK 256
extern int	padv_history_read(PadvResolution resolution, uint64 *cursor,
							  PadvHistoryPoint *points);

/*
 * Forget all points, for anybody who may; the file is written anew
 * within about a second.  The curve stays.
 */
extern void padv_history_reset(void);

/* Only for the worker. */
extern void padv_history_publish(const PadvHistoryPoint *point);

/*
 * Only for the worker: the curve that the file keeps, PADV_HISTORY_MAX_CURVE
 * finite numbers at most.  False if they are not such.  Getting is of use
 * after padv_history_load, and gives their number.
 */
extern bool padv_history_publish_curve(const double *curve, size_t count);
extern size_t padv_history_curve(double *curve);

/* What the worker remembers of the file; allocated once. */
typedef struct PadvHistoryStore PadvHistoryStore;

extern PadvHistoryStore *padv_history_store_create(void);

/*
 * Fill the shared history from the file, unless that has been done since the
 * server started.  Raises no error: a file that cannot be used is put aside.
 */
extern void padv_history_load(void);

/*
 * Have another process write the file if it is time: every 5 minutes, after a reset or
 * when it was asked for, by the monotonic clock.  Waits for nothing.
 */
extern void padv_history_save_if_due(PadvHistoryStore *store, int64 now);
extern void padv_history_save_soon(PadvHistoryStore *store);

/* At the worker's end: write it here and now, and wait for the disk. */
extern void padv_history_save_at_end(void);

/* Between the files of this room. */
extern bool padv_history_loaded(void);
extern void padv_history_fill(const PadvHistory *history);

/* Write the file, in the process that has claimed it.  Raises no error of its own. */
extern void padv_history_write_file(void);

/*
 * The history as bytes, not sealed yet, for the process that has claimed the file;
 * and whether there was a reset since that was done last.
 */
extern size_t padv_history_serialize(uint64 system, void *bytes);
extern bool padv_history_reset_unwritten(void);

/*
 * The right to write the file, for one process at a time; it ends with the process
 * too.  How often somebody who had it was done.
 */
extern bool padv_history_claim_file(void);
extern void padv_history_release_file(void);
extern bool padv_history_file_claimed(void);
extern uint32 padv_history_writes(void);

/* Whether saving failed the last time; returns what was set before. */
extern bool padv_history_set_failing(bool failing);

#endif							/* PADV_HISTORY_SHMEM_H */
