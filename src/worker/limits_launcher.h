/*
 * limits_launcher.h
 *		The worker's part in caps: notice changes, have them read.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_WATCH_H
#define PADV_WATCH_H

#include "postgres.h"

typedef struct PadvWatch PadvWatch;

/* In the current memory context, where later allocations are made, too. */
extern PadvWatch *padv_watch_create(void);

/* Have the caps read again; after a reload. */
extern void padv_watch_reload(PadvWatch *watch);

/*
 * Look for changes of the catalogs and start a reader if there are any, or if
 * an earlier one failed; now_us is the monotonic clock.  Cheap when there is
 * nothing to do, so that it can be called several times a second.
 *
 * It also handles the invalidation messages of other processes; the worker
 * must not do so in another way, or changes would go unnoticed.
 */
extern void padv_watch_run(PadvWatch *watch, int64 now_us);

#endif							/* PADV_WATCH_H */
