/*
 * xact_end.c
 *		What an admitted session does at the end of a transaction.
 *
 * Owns the callback at the end of each transaction of a client backend.  It must cost
 * next to nothing: two tests of memory that is rarely written.
 *
 * - The first transaction is that of the login.  At its end role and database are
 *   certain, and the session is counted under the current limits.
 * - The worker asks idle sessions beyond min_sessions to close, with a catch-up
 *   interrupt.  A backend handles that only while it waits for a command outside a
 *   transaction, with an empty transaction.  So an idle session ends itself here, and a
 *   session that is not idle does not come here.
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

	/* if the limits are changing, the next transaction tries again */
	padv_limits_shmem_find(role, MyDatabaseId, &limits);
	identified = padv_admission_identify(role, MyDatabaseId, &limits);
}

/* Whether the client has sent something that has not been read yet. */
static bool
client_has_sent(void)
{
	struct pollfd client = {.fd = MyProcPort->sock, .events = POLLIN};

	return poll(&client, 1, 0) != 0;
}

/* End this session if it has been idle long enough and there are still too many. */
static void
close_if_idle(int quota)
{
	long		idle_ms;

	/*
	 * The state alone is not enough: it stays idle while the backend answers
	 * a Describe message.
	 */
	if (MyBEEntry == NULL || MyBEEntry->st_state != STATE_IDLE || !pq_is_reading_msg())
		return;
	idle_ms = TimestampDifferenceMilliseconds(MyBEEntry->st_state_start_timestamp,
											  GetCurrentTimestamp());
	if (!client_has_sent() && padv_admission_may_close(quota, idle_ms))
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
