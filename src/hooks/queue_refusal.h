/*
 * queue_refusal.h
 *		What a client is told whose transaction waits long, or may not wait.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_QUEUE_REFUSAL_H
#define PADV_QUEUE_REFUSAL_H

#include "shmem/xact_slots.h"

/*
 * Raise an error: as many wait as may; this one would wait for longer than its
 * statement_timeout leaves; or it has waited for so long.
 */
extern void padv_queue_refuse(const PadvFullQueue *full);
extern void padv_queue_refuse_late(const PadvFullQueue *full);
extern void padv_queue_refuse_longer_wait(const PadvFullQueue *full, int64 waited_us);

/* When to tell the client of a wait that began then, monotonic; PG_INT64_MAX is never. */
extern int64 padv_queue_notice_at(int64 started);

/* Tell it now, unless that would keep us waiting for the client. */
extern void padv_queue_notice(void);

#endif							/* PADV_QUEUE_REFUSAL_H */
