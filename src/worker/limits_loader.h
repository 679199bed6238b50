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
 * Start one, with a ticket of padv_limits_shmem_take_ticket; the caller is told of its
 * end by its latch.  NULL when there is no room for a worker; otherwise a handle
 * in the current memory context.
 */
extern BackgroundWorkerHandle *padv_limits_loader_start(uint32 ticket);

#endif							/* PADV_LIMITS_LOADER_H */
