/*
 * stall_monitor.h
 *		The worker's part in the queue for transaction slots.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_STALL_MONITOR_H
#define PADV_STALL_MONITOR_H

#include "postgres.h"

typedef struct PadvStallMonitor PadvStallMonitor;

/* Allocate the state in the current memory context. */
extern PadvStallMonitor *padv_stall_monitor_create(void);

/*
 * Make sure that no transaction waits for slot owners that do nothing, and that no
 * session waits for a transaction in the queue.  `now` is monotonic, in microseconds.
 *
 * Costs nothing while the queue is empty.  Takes the spinlock of admission for moments,
 * so the caller must not hold it.  When sessions have waited for locks for long, it
 * queries the lock manager for their blockers, as pg_blocking_pids() does.  Allocates
 * only in a context of its own; may raise out-of-memory.
 */
extern void padv_stall_monitor_run(PadvStallMonitor *monitor, int64 now);

/* Whether it has to run every 10 ms; otherwise once a second is enough. */
extern bool padv_stall_monitor_has_work(const PadvStallMonitor *monitor);

/* The microseconds in which a transaction waited, since the monitor was created. */
extern int64 padv_stall_monitor_waited_us(const PadvStallMonitor *monitor);

#endif							/* PADV_STALL_MONITOR_H */
