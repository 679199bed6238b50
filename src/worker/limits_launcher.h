/*
 * limits_launcher.h
 *		The worker's part in limits: noticing changes, and starting the loader.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LIMITS_LAUNCHER_H
#define PADV_LIMITS_LAUNCHER_H

#include "postgres.h"

typedef struct PadvLimitsLauncher PadvLimitsLauncher;

/* Allocate the state in the current memory context, where later calls allocate, too. */
extern PadvLimitsLauncher *padv_limits_launcher_create(void);

/* Have the limits read again, after a reload of the configuration. */
extern void padv_limits_launcher_reload(PadvLimitsLauncher *launcher);

/*
 * Check for changes of the catalogs, and start a loader if there are any or the last one
 * failed.  now_us is the monotonic clock in microseconds.  Cheap when there is nothing to
 * do, so it can be called several times a second.  Starts a transaction of its own, and
 * may raise.  The caller holds no lock.
 *
 * It also handles the invalidation messages of other processes.  The worker must not
 * handle them elsewhere, or changes would not be noticed.
 */
extern void padv_limits_launcher_run(PadvLimitsLauncher *launcher, int64 now_us);

#endif							/* PADV_LIMITS_LAUNCHER_H */
