/*
 * idle_closer.h
 *		The worker's part in closing idle sessions beyond min_sessions.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_KEEPALIVE_H
#define PADV_KEEPALIVE_H

#include "core/stats/sample.h"

typedef struct PadvKeepalive PadvKeepalive;

/* In the current memory context. */
extern PadvKeepalive *padv_keepalive_create(void);

/*
 * Ask those that have been idle for too long to close, longest idle first.
 * Takes the spinlock of admission for a moment; allocates nothing.
 */
extern void padv_keepalive_run(PadvKeepalive *keepalive, const PadvSample *sample);

#endif							/* PADV_KEEPALIVE_H */
