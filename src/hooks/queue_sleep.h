/*
 * queue_sleep.h
 *		The sleep of one who waits in either line.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_QUEUE_SLEEP_H
#define PADV_QUEUE_SLEEP_H

/*
 * Until the latch is set or that many milliseconds have passed.  Raises what is
 * pending, FATAL too: the client has gone, the server ends.
 */
extern void padv_queue_sleep(long timeout_ms, uint32 wait_event);

/*
 * The wait is over: raise what is pending, and end the session if its client has gone, so
 * that nothing is done for nobody.
 */
extern void padv_check_client(void);

/* Whether something can be sent to the client without waiting for it. */
extern bool padv_queue_client_takes_output(void);

#endif							/* PADV_QUEUE_SLEEP_H */
