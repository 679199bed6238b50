/*
 * stall_monitor.h
 *		The worker's part in the queue for slots.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_STALL_MONITOR_H
#define PADV_STALL_MONITOR_H

#include "postgres.h"

typedef struct PadvStallMonitor PadvStallMonitor;

/* In the current memory context. */
extern PadvStallMonitor *padv_stall_monitor_create(void);

/*
 * See to it that no transaction waits for sessions that do nothing, and that nobody
 * waits for a transaction in the queue.  Costs nothing while the queue is empty.
 * Takes the spinlock of admission for moments; where sessions have waited for locks
 * for long, it asks the lock manager for whom, as pg_blocking_pids() does.
 */
extern void padv_stall_monitor_run(PadvStallMonitor *monitor, int64 now);

/* Whether it is to run every few milliseconds; else every now and then will do. */
extern bool padv_stall_monitor_has_work(const PadvStallMonitor *monitor);

/* For how many microseconds somebody has waited, since it was created. */
extern int64 padv_stall_monitor_waited_us(const PadvStallMonitor *monitor);

#endif							/* PADV_STALL_MONITOR_H */
