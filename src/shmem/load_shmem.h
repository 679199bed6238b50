/*
 * load_shmem.h
 *		The load by role, database, application, client and query, as shared.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LOAD_SHMEM_H
#define PADV_LOAD_SHMEM_H

#include "core/stats/load_by.h"

/* Bytes of shared memory, and its set-up; for status_shmem.c, as its other parts. */
extern Size padv_load_shmem_size(void);
extern void padv_load_shmem_init(int tranche);

/*
 * For the worker: count a sample, and publish the intervals that are over.  Returns false when
 * the name of a key that matters is not known any more, so that names must be added anew.
 */
extern bool padv_load_publish(const PadvSample *sample);

/* For the worker: charge blockers from now on; see padv_load_charge. */
extern void padv_load_publish_charges(const PadvLoadCharge *charges, int count);

/* For the worker: add the name of a key, unless it is known. */
extern void padv_load_publish_name(uint64 key, const char name[PADV_KEY_NAME]);

/* For the worker: the names of keys. */
extern const PadvKeyNames *padv_load_names(void);

/* Remove all intervals; the worker does it, when it is asked to. */
extern void padv_load_forget(void);

/*
 * For readers.  Each holds the lock shared while it copies, 20 kB at most.  The first returns
 * the second up to which the load is known, or 0; the second false for an interval that is
 * not there; the third writes a name of PADV_KEY_NAME bytes, or returns false.
 */
extern int64 padv_load_head(void);
extern bool padv_load_read(int level, int64 number, PadvLoadSlot *slot);
extern bool padv_load_read_name(uint64 key, char name[PADV_KEY_NAME]);

#endif							/* PADV_LOAD_SHMEM_H */
