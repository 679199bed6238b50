/*
 * sampler.h
 *		The server's process tables into a plain sample.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SAMPLER_H
#define PADV_SAMPLER_H

#include "core/sample.h"

/* Slots of all samples are below this. */
extern int	padv_sampler_slots(void);

/*
 * Make a sample with room for all sessions, in the current memory context.
 * The process must have its own PgBackendStatus entry.
 */
extern PadvSample *padv_sampler_create(void);

/*
 * Look at every session and parallel worker.  Takes no lock, allocates
 * nothing, does not raise.
 */
extern void padv_sampler_take(PadvSample *sample);

#endif							/* PADV_SAMPLER_H */
