/*
 * queue_sleep.h
 *		The sleep of a waiter, in the queue for sessions or for transaction slots.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_QUEUE_SLEEP_H
#define PADV_QUEUE_SLEEP_H

/*
 * Sleep until the latch is set, the client hangs up, or timeout_ms have passed.  Resets
 * the latch and handles interrupts, so it may raise, also FATAL when the client has gone
 * or the server ends.  The caller holds no lock of ours.
 */
extern void padv_queue_sleep(long timeout_ms, uint32 wait_event);

/*
 * After a wait: handle interrupts, and end the session with FATAL if its client has
 * gone, so that its statement is not run.
 */
extern void padv_check_client(void);

/* Whether something can be sent to the client without waiting for it. */
extern bool padv_queue_client_takes_output(void);

#endif							/* PADV_QUEUE_SLEEP_H */
