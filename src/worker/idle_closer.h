/*
 * idle_closer.h
 *		The worker's part in closing idle sessions beyond min_sessions.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_IDLE_CLOSER_H
#define PADV_IDLE_CLOSER_H

#include "core/stats/sample.h"

typedef struct PadvIdleCloser PadvIdleCloser;

/* Allocate the state in the current memory context. */
extern PadvIdleCloser *padv_idle_closer_create(void);

/*
 * Ask sessions that have been idle for too long to close, longest idle first.  Takes the
 * spinlock of admission for a moment, so the caller must not hold it.  Allocates nothing
 * and does not raise.
 */
extern void padv_idle_closer_run(PadvIdleCloser *closer, const PadvSample *sample);

#endif							/* PADV_IDLE_CLOSER_H */
