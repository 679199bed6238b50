/*
 * limits_launcher.h
 *		The worker's part in limits: notice changes, have them read.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LIMITS_LAUNCHER_H
#define PADV_LIMITS_LAUNCHER_H

#include "postgres.h"

typedef struct PadvLimitsLauncher PadvLimitsLauncher;

/* In the current memory context, where later allocations are made, too. */
extern PadvLimitsLauncher *padv_limits_launcher_create(void);

/* Have the limits read again; after a reload. */
extern void padv_limits_launcher_reload(PadvLimitsLauncher *watch);

/*
 * Look for changes of the catalogs and start a reader if there are any, or if
 * an earlier one failed; now_us is the monotonic clock.  Cheap when there is
 * nothing to do, so that it can be called several times a second.
 *
 * It also handles the invalidation messages of other processes; the worker
 * must not do so in another way, or changes would go unnoticed.
 */
extern void padv_limits_launcher_run(PadvLimitsLauncher *watch, int64 now_us);

#endif							/* PADV_LIMITS_LAUNCHER_H */
