/*
 * queue_refusal.h
 *		The messages to a client whose transaction waits long, or may not wait.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_QUEUE_REFUSAL_H
#define PADV_QUEUE_REFUSAL_H

#include "shmem/xact_slots.h"

/*
 * Raise an error, with SQLSTATE too_many_connections: the queue is full; the transaction
 * would wait for longer than its statement_timeout leaves; or it has waited too long,
 * for waited_us microseconds.  The caller holds no lock of ours.
 */
extern void padv_queue_refuse(const PadvFullQueue *full);
extern void padv_queue_refuse_late(const PadvFullQueue *full);
extern void padv_queue_refuse_long_wait(const PadvFullQueue *full, int64 waited_us);

/*
 * When to send the client a notice about a wait that began at `started`, by
 * pool_advisor.queue_notice_after; PG_INT64_MAX is never.  Both are monotonic, in
 * microseconds.
 */
extern int64 padv_queue_notice_at(int64 started);

/* Send it now, unless that would block until the client reads. */
extern void padv_queue_notice(void);

#endif							/* PADV_QUEUE_REFUSAL_H */
