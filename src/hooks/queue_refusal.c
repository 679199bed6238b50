/*
 * queue_refusal.c
 *		The messages to a client whose transaction waits long, or may not wait.
 *
 * Owns the messages, and no shared memory.  The figures were copied under the mutex of
 * admission_internal.h, and no lock is held here.
 *
 * The client learns that its transaction is refused, and what to do.  The limit, which
 * may be that of a group, and the number of waiters are for the log only.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "miscadmin.h"

#include "hooks/queue_refusal.h"
#include "hooks/queue_sleep.h"
#include "settings.h"
#include "shmem/admission_internal.h"
#include "shmem/limits_shmem.h"

/* The limit in words; by the role, if the limits have changed since. */
static const char *
describe_queue_limit(const PadvFullQueue *full)
{
	PadvLimit	limit = {0};

	if (full->limit == PADV_SERVER_QUEUE && full->long_lane)
		return psprintf("The limit of the server's long transactions is reached: %d now, in use %d, waiting %d; of the default transaction_queue_length %d, transaction_queue_timeout %d ms.",
						full->max_active, full->in_use, full->waiting, full->queue_length, full->queue_timeout);
	if (full->limit == PADV_SERVER_QUEUE)
		return psprintf("The limit of the server is reached: server_max_active %d, in use %d, waiting %d; of the default transaction_queue_length %d, transaction_queue_timeout %d ms.",
						full->max_active, full->in_use, full->waiting, full->queue_length, full->queue_timeout);
	if (full->query_id != 0)
		return psprintf("The limit of query %lld is reached: query_max_active %d, in use %d, waiting %d; of the default transaction_queue_length %d, transaction_queue_timeout %d ms.",
						(long long) full->query_id, full->max_active, full->in_use, full->waiting, full->queue_length, full->queue_timeout);
	if (!padv_limits_shmem_get(full->generation, full->limit, &limit))
	{
		limit.scope = PADV_SCOPE_ROLE;
		limit.role = GetSessionUserId();
	}
	return psprintf("The limit of %s is reached: max_active %d, in use %d, transaction_queue_length %d, transaction_queue_timeout %d ms, waiting %d.",
					padv_describe_limit(&limit), full->max_active, full->in_use, full->queue_length,
					full->queue_timeout, full->waiting);
}

static const char *
session_role_name(void)
{
	const char *name = GetUserNameFromId(GetSessionUserId(), true);

	return name ? name : "?";
}

void
padv_queue_refuse(const PadvFullQueue *full)
{
	ereport(ERROR,
			(errcode(ERRCODE_TOO_MANY_CONNECTIONS),
			 errmsg("too many transactions waiting for role \"%s\"", session_role_name()),
			 errdetail_log("%s", describe_queue_limit(full)),
			 errhint("Run the transaction again later, or raise \"pool_advisor.transaction_queue_length\".")));
}

/*
 * The SQLSTATE is that of the other refusals, not that of a cancelled statement: no part
 * of the statement has run, and the cause is that too many transactions want slots.
 */
void
padv_queue_refuse_late(const PadvFullQueue *full)
{
	long		wait_ms = (long) (full->least_wait / 1000);
	long		left_ms = (long) (full->time_left / 1000);

	ereport(ERROR,
			(errcode(ERRCODE_TOO_MANY_CONNECTIONS),
			 errmsg("transaction of role \"%s\" would wait too long for a slot", session_role_name()),
			 errdetail("It would wait for %ld ms or longer, and statement_timeout ends it in %ld ms.", wait_ms, left_ms),
			 errdetail_log("It would wait for %ld ms or longer, and statement_timeout ends it in %ld ms. %s",
						   wait_ms, left_ms, describe_queue_limit(full)),
			 errhint("Run the transaction again later, or raise \"statement_timeout\".")));
}

void
padv_queue_refuse_long_wait(const PadvFullQueue *full, int64 waited_us)
{
	long		waited_ms = (long) (waited_us / 1000);

	ereport(ERROR,
			(errcode(ERRCODE_TOO_MANY_CONNECTIONS),
			 errmsg("transaction of role \"%s\" waited too long for a slot", session_role_name()),
			 errdetail("It waited for %ld ms.", waited_ms),
			 errdetail_log("It waited for %ld ms. %s", waited_ms, describe_queue_limit(full)),
			 errhint("Run the transaction again later, or raise \"pool_advisor.transaction_queue_timeout\".")));
}

int64
padv_queue_notice_at(int64 started)
{
	if (padv_queue_notice_after <= 0.0)
		return PG_INT64_MAX;
	return started + (int64) (padv_queue_notice_after * 1e6);
}

void
padv_queue_notice(void)
{
	int			waiting = *(volatile int32 *) &padv_admission->xact_head.waiting;

	/* a NOTICE is sent at once, and blocks while the client does not read */
	if (!padv_queue_client_takes_output())
		return;
	ereport(NOTICE,
			(errmsg("waiting for a transaction slot"),
			 errdetail_plural("%d transaction is waiting, which is this one.",
							  "%d transactions are waiting, this one among them.",
							  waiting, waiting)));
}
