/*
 * limits_loader.h
 *		A short-lived process that reads the limits from the catalogs.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LIMITS_LOADER_H
#define PADV_LIMITS_LOADER_H

#include "postmaster/bgworker.h"

/*
 * Start a loader, with a ticket of padv_limits_shmem_take_ticket.  Its end sets the latch
 * of this process.  Returns a handle in the current memory context, or NULL when no
 * background worker slot is free.
 */
extern BackgroundWorkerHandle *padv_limits_loader_start(uint32 ticket);

#endif							/* PADV_LIMITS_LOADER_H */
