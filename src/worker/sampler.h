/*
 * sampler.h
 *		The server's process tables into a plain sample.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SAMPLER_H
#define PADV_SAMPLER_H

#include "core/stats/sample.h"

/* Slots of all samples are below this. */
extern int	padv_sampler_slots(void);

/*
 * Make a sample with room for all sessions, in the current memory context.
 * The process must have its own PgBackendStatus entry.  A session with this wait
 * event is not active but queued: waiting for a slot of ours.
 */
extern PadvSample *padv_sampler_create(uint32_t turn_wait_event);

/*
 * Look at every session and parallel worker.  Takes no lock, allocates
 * nothing, does not raise.
 */
extern void padv_sampler_take(PadvSample *sample);

/*
 * The same for the one of these processes whose status entry this is; false when it
 * is not there, or no session.
 */
extern bool padv_sampler_read(int status_index, int pid, PadvSession *session);

#endif							/* PADV_SAMPLER_H */
