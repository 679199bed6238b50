/*
 * limits_loader.h
 *		A short-lived process that reads the caps from the catalogs.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_READER_H
#define PADV_READER_H

#include "postmaster/bgworker.h"

/*
 * Start one, with a ticket of padv_limits_take_ticket; the caller is told of its
 * end by its latch.  NULL when there is no room for a worker; otherwise a handle
 * in the current memory context.
 */
extern BackgroundWorkerHandle *padv_reader_start(uint32 ticket);

#endif							/* PADV_READER_H */
