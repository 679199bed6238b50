/*
 * xact_end.c
 *		What a session does for its place, once it is in.
 *
 * Owns the callback at the end of each transaction of a client backend, which
 * must cost next to nothing: two tests of memory that is hardly ever written.
 *
 * - The first transaction is the login's own.  At its end role and database
 *   are known for sure, and the session is counted under the limits of now.
 * - The worker asks idle sessions beyond min_sessions to close, with a catch-up
 *   interrupt.  Core serves that only while it waits for the next command
 *   outside a transaction, with an empty transaction.  So here is a place
 *   where a session that is idle can end itself, and no other will.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "client_port.h"

#include <poll.h>

#include "access/xact.h"
#include "libpq/libpq.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "hooks/xact_end.h"
#include "shmem/admission.h"
#include "shmem/limits_shmem.h"

static bool identified = false;

static void
complete_admission(void)
{
	Oid			role = GetSessionUserId();
	PadvSessionLimits limits;

	/* if the limits are changing now, the next transaction tries again */
	padv_limits_shmem_find(role, MyDatabaseId, &limits);
	identified = padv_admission_identify(role, MyDatabaseId, &limits);
}

/* Whether the client has sent something that has not been read yet. */
static bool
input_waits(void)
{
	struct pollfd client = {.fd = MyProcPort->sock, .events = POLLIN};

	return poll(&client, 1, 0) != 0;
}

/* End if idle for long enough and still one too many; else stay. */
static void
close_if_idle(int quota)
{
	long		idle_ms;

	/*
	 * The state alone would not do: it stays idle while a Describe message is
	 * answered.
	 */
	if (MyBEEntry == NULL || MyBEEntry->st_state != STATE_IDLE || !pq_is_reading_msg())
		return;
	idle_ms = TimestampDifferenceMilliseconds(MyBEEntry->st_state_start_timestamp,
											  GetCurrentTimestamp());
	if (!input_waits() && padv_admission_may_close(quota, idle_ms))
		ereport(FATAL,
				(errcode(ERRCODE_IDLE_SESSION_TIMEOUT),
				 errmsg("terminating connection due to pool_advisor session idle timeout")));
}

static void
identify_xact_callback(XactEvent event, void *arg pg_attribute_unused())
{
	int			quota;

	if (event != XACT_EVENT_PRE_COMMIT)
		return;
	if (unlikely(!identified))
		complete_admission();
	quota = padv_admission_asked_to_close();
	if (unlikely(quota >= 0))
		close_if_idle(quota);
}

void
padv_xact_end_start(void)
{
	RegisterXactCallback(identify_xact_callback, NULL);
}
