/*
 * queue_refusal.c
 *		What a client is told whose transaction waits long, or may not wait.
 *
 * Owns the words, and nothing in shared memory: what they say was copied under the lock
 * that admission_internal.h names, and none is held here.
 *
 * The client learns that its role is refused, and what to do; which limit that is, of a
 * group that it may not know of, and who else waits is for the log.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "miscadmin.h"

#include "hooks/login_hook.h"
#include "hooks/queue_refusal.h"
#include "hooks/queue_sleep.h"
#include "settings.h"
#include "shmem/admission_internal.h"
#include "shmem/limits_shmem.h"

/* The words must name something, even if the limits have changed since. */
static const char *
describe(const PadvFullQueue *full)
{
	PadvLimit	limit = {0};

	if (full->limit == PADV_SERVER_QUEUE)
		return psprintf("The limit of the server is reached: server_max_active %d, in use %d, waiting %d; of the default transaction_queue_length %d, transaction_queue_timeout %d ms.",
						full->max_active, full->in_use, full->waiting, full->queue_length, full->queue_timeout);
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
session_role(void)
{
	const char *name = GetUserNameFromId(GetSessionUserId(), true);

	return name ? name : "?";
}

void
padv_queue_refuse(const PadvFullQueue *full)
{
	ereport(ERROR,
			(errcode(ERRCODE_TOO_MANY_CONNECTIONS),
			 errmsg("too many transactions waiting for role \"%s\"", session_role()),
			 errdetail_log("%s", describe(full)),
			 errhint("Run the transaction again later, or raise \"pool_advisor.transaction_queue_length\".")));
}

/*
 * The code is that of each refusal of the queue, not of a cancelled statement: nothing
 * of it has run, and the cause is that too many want slots.
 */
void
padv_queue_refuse_late(const PadvFullQueue *full)
{
	long		wait_ms = (long) (full->least_wait / 1000);
	long		left_ms = (long) (full->time_left / 1000);

	ereport(ERROR,
			(errcode(ERRCODE_TOO_MANY_CONNECTIONS),
			 errmsg("transaction of role \"%s\" would wait too long for a slot", session_role()),
			 errdetail("It would wait for %ld ms or longer, and statement_timeout ends it in %ld ms.", wait_ms, left_ms),
			 errdetail_log("It would wait for %ld ms or longer, and statement_timeout ends it in %ld ms. %s",
						   wait_ms, left_ms, describe(full)),
			 errhint("Run the transaction again later, or raise \"statement_timeout\".")));
}

void
padv_queue_refuse_longer_wait(const PadvFullQueue *full, int64 waited_us)
{
	long		waited_ms = (long) (waited_us / 1000);

	ereport(ERROR,
			(errcode(ERRCODE_TOO_MANY_CONNECTIONS),
			 errmsg("transaction of role \"%s\" waited too long for a slot", session_role()),
			 errdetail("It waited for %ld ms.", waited_ms),
			 errdetail_log("It waited for %ld ms. %s", waited_ms, describe(full)),
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

	/* a NOTICE is sent at once, whether the client reads or not */
	if (!padv_queue_client_takes_output())
		return;
	ereport(NOTICE,
			(errmsg("waiting for a transaction slot"),
			 errdetail_plural("%d transaction is waiting, which is this one.",
							  "%d transactions are waiting, this one among them.",
							  waiting, waiting)));
}
