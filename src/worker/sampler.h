/*
 * sampler.h
 *		Reading the server's process tables into a plain sample.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SAMPLER_H
#define PADV_SAMPLER_H

#include "core/stats/load_by.h"

/* PadvSession.status_index is below this in all samples. */
extern int	padv_sampler_slots(void);

/*
 * Allocate a sample with room for all sessions in the current memory context.  The
 * process must have its own PgBackendStatus entry.  A session with this wait event is
 * not active but queued: it waits for a transaction slot.
 */
extern PadvSample *padv_sampler_create(uint32_t slot_wait_event);

/*
 * Read every session and parallel worker, and add the names of new keys.  Takes no lock of
 * the server, allocates nothing, does not raise.
 */
extern void padv_sampler_take(PadvSample *sample);

/*
 * Note in the sample how many processes without a client wait for I/O.  Looks at every entry,
 * so it is for once a second.
 */
extern void padv_sampler_count_background(PadvSample *sample);

/* Add all names anew with the next sample, which costs more. */
extern void padv_sampler_forget_names(PadvSample *sample);

/*
 * The same for the process with this status entry; false when another process has the
 * entry, or it is not a session.
 */
extern bool padv_sampler_read(int status_index, int pid, PadvSession *session);

/*
 * The keys of the process with this status entry, whatever it does; false when another process
 * has the entry.
 */
extern bool padv_sampler_read_keys(int status_index, int pid, uint64_t keys[PADV_DIMENSIONS]);

#endif							/* PADV_SAMPLER_H */
