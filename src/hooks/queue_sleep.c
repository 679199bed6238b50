/*
 * queue_sleep.c
 *		The sleep of a waiter, in the queue for sessions or for transaction slots.
 *
 * It uses FeBeWaitSet, the wait event set in which PostgreSQL waits for its client.  To
 * create a set for each sleep would cost more than the rest.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "client_port.h"

#include <poll.h>

#include "libpq/libpq.h"
#include "miscadmin.h"
#include "storage/latch.h"

#include "hooks/queue_sleep.h"

/* The client has gone: end the session as PostgreSQL does. */
static void
end_without_client(void)
{
	ClientConnectionLost = true;
	InterruptPending = true;
	CHECK_FOR_INTERRUPTS();
}

/* A client that hangs up ends the sleep, where the platform reports that. */
static int
sleep_until(long timeout_ms, uint32 wait_event)
{
	WaitEvent	event = {0};

	if (!WaitEventSetCanReportClosed())
		return WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_POSTMASTER_DEATH,
						 timeout_ms, wait_event);
	ModifyWaitEvent(FeBeWaitSet, FeBeWaitSetSocketPos, WL_SOCKET_CLOSED, NULL);
	(void) WaitEventSetWait(FeBeWaitSet, timeout_ms, &event, 1, wait_event);
	return (int) event.events;
}

void
padv_queue_sleep(long timeout_ms, uint32 wait_event)
{
	int			events = sleep_until(timeout_ms, wait_event);

	if (events & WL_POSTMASTER_DEATH)
		ereport(FATAL,
				(errcode(ERRCODE_ADMIN_SHUTDOWN),
				 errmsg("terminating connection due to unexpected postmaster exit")));
	if (events & WL_SOCKET_CLOSED)
		end_without_client();
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* The wait reports one event, so the latch can have hidden that the client hung up. */
void
padv_check_client(void)
{
#ifdef POLLRDHUP
	struct pollfd client = {.fd = MyProcPort->sock, .events = POLLRDHUP};

	if (poll(&client, 1, 0) == 1 && (client.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0)
		end_without_client();
#endif
	CHECK_FOR_INTERRUPTS();
}

bool
padv_queue_client_takes_output(void)
{
	struct pollfd client = {.fd = MyProcPort->sock, .events = POLLOUT};

	return poll(&client, 1, 0) == 1 && (client.revents & POLLOUT) != 0;
}
