/*
 * login_hook.c
 *		A client has proved who it is: may it come in?
 *
 * Owns the hook in authentication, the wait in the queue and the words of refusal.
 * It runs in the client's backend, in a transaction but in no database, and
 * under authentication_timeout.  It decides nothing: session_admission.c does.
 *
 * Core looks the role up right after this, in the same cache, so looking it up
 * here costs nothing; where there is no limit even that is left to core.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "client_port.h"

#include <limits.h>

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "replication/walsender.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/ps_status.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "clock.h"
#include "compat.h"
#include "hooks/login_check.h"
#include "hooks/login_hook.h"
#include "hooks/queue_sleep.h"
#include "hooks/xact_end.h"
#include "hooks/xact_hooks.h"
#include "settings.h"
#include "shmem/admission.h"
#include "shmem/limits_shmem.h"
#include "shmem/shared_settings.h"
#include "shmem/xact_stats.h"
#include "stopping.h"

/*
 * The limits are read within milliseconds after a start; who comes before waits
 * for this long.
 */
#define WAIT_UNTIL_READ_MS 5000

/* A refusal must be sent before authentication_timeout ends the process. */
#define TIMEOUT_MARGIN_MS 250

/* Putting changed limits in force takes microseconds, but its process may stall. */
#define WAIT_FOR_CHANGE_MS 10000

/* Who waits looks this often whether the server is to shut down. */
#define LOOK_AROUND_MS 1000

static ClientAuthentication_hook_type previous_hook = NULL;

/* Milliseconds that a login may still take, to be on the safe side. */
static long
time_left(void)
{
	long		left = LONG_MAX;

	if (get_timeout_active(STATEMENT_TIMEOUT))
		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
											   get_timeout_finish_time(STATEMENT_TIMEOUT));
	return Max(left - TIMEOUT_MARGIN_MS, 1);
}

char *
padv_describe_limit(const PadvLimit *limit)
{
	const char *role = OidIsValid(limit->role) ? GetUserNameFromId(limit->role, true) : "";
	const char *database = OidIsValid(limit->database) ? get_database_name(limit->database) : "";

	switch ((PadvScope) limit->scope)
	{
		case PADV_SCOPE_ROLE:
			return psprintf("role \"%s\"", role ? role : "?");
		case PADV_SCOPE_GROUP:
			return psprintf("role \"%s\" and its members", role ? role : "?");
		case PADV_SCOPE_DATABASE:
			return psprintf("database \"%s\"", database ? database : "?");
		case PADV_SCOPE_ROLE_IN_DATABASE:
			return psprintf("role \"%s\" in database \"%s\"",
							role ? role : "?", database ? database : "?");
		case PADV_SCOPE_DEFAULT:
			break;
	}
	return pstrdup("each role");
}

static char *
describe_full(const PadvFullLimit *full, const PadvLimit *limit)
{
	return psprintf("The limit of %s is full: max_sessions %d, in use %d, queue_length %d, waiting %d.",
					padv_describe_limit(limit), full->max_sessions, full->in_use,
					full->queue_length, full->waiting);
}

static char *
describe_share(const PadvFullLimit *full)
{
	return psprintf("%d logins wait, and \"pool_advisor.queue_share\" (%g) allows no more: of the connections that ordinary roles can have, %d are without a session.",
					full->all_waiting, padv_queue_share, full->free);
}

/*
 * Refuse with the words that core has for its own limit.  `more` is a full
 * sentence for the log, or empty.
 */
static void
refuse_login(const Port *port, const PadvFullLimit *full, const PadvLimit *limit, const char *more)
{
	char	   *detail = psprintf("%s%s%s", describe_full(full, limit), *more ? " " : "", more);

	ereport(FATAL,
			(errcode(ERRCODE_TOO_MANY_CONNECTIONS),
			 limit->scope == PADV_SCOPE_DATABASE ?
			 errmsg("too many connections for database \"%s\"", port->database_name) :
			 errmsg("too many connections for role \"%s\"", port->user_name),
			 errdetail_log("%s", detail),
			 full->by_share ?
			 errhint("Lower \"pool_advisor.queue_length\", or raise \"pool_advisor.queue_share\".") : 0));
}

/*
 * A smart shutdown waits for sessions, and must not wait for those who want to
 * become one.  In the words of core for who comes after it.
 */
static void
refuse_if_stopping(void)
{
	if (padv_is_stopping())
		ereport(FATAL,
				(errcode(ERRCODE_CANNOT_CONNECT_NOW),
				 errmsg("the database system is shutting down")));
}

static void
report_observed(const Port *port, const PadvFullLimit *full, const PadvLimit *limit)
{
	bool		would_wait = full->queue_length < 0 || full->queue_length > 0;

	if (!full->report)
		return;
	ereport(LOG,
			(errcode(ERRCODE_TOO_MANY_CONNECTIONS),
			 would_wait ?
			 errmsg("role \"%s\" would have to wait in the queue, but limits are only observed", port->user_name) :
			 errmsg("role \"%s\" would be refused, but limits are only observed", port->user_name),
			 errdetail_log("%s", describe_full(full, limit)),
			 full->unreported > 0 ?
			 errcontext("%d more since the last such message for this role", full->unreported) : 0));
}

/*
 * A transaction is open; while it waits it must not keep vacuum from removing
 * anything.  Core reads catalogs with a new snapshot afterwards.
 */
static void
let_go_of_snapshot(void)
{
	InvalidateCatalogSnapshot();
	PushActiveSnapshot(GetTransactionSnapshot());
	PopActiveSnapshot();
}

/* Sleep in the queue for so long at most, and not so long that we miss a shutdown. */
static void
sleep_in_queue(int64 timeout_us)
{
	long		timeout_ms = (long) ((timeout_us + 999) / 1000);

	padv_queue_sleep(Min(timeout_ms, LOOK_AROUND_MS), PG_WAIT_EXTENSION);
	refuse_if_stopping();
}

/*
 * Wait until it is our slot; if that takes too long, refuse.  It is over, too, when
 * the DBA has limits enforced no more: whoever waits looks for that itself.
 */
static void
wait_in_queue(const Port *port, const PadvFullLimit *full, const PadvLimit *limit)
{
	int64		started = padv_monotonic_us();
	int64		timeout_us = (int64) Min(full->queue_timeout, time_left()) * 1000;

	/* who waits has a connection, and must not have one of the reserve */
	if (!padv_have_free_connections(padv_reserved_connections()) && padv_admission_cancel(false))
		refuse_login(port, full, limit, psprintf("No connection is left to wait in the queue with (max_connections %d).",
												 MaxConnections));
	padv_admission_count_wait();
	set_ps_display("waiting for session slot");
	padv_disable_transaction_timeout();
	let_go_of_snapshot();
	while (!padv_admission_granted())
	{
		int64		waited_us = padv_monotonic_us() - started;

		if (padv_enforcement_now() != PADV_ENFORCEMENT_ON)
			padv_admission_bypass();
		else if (waited_us < timeout_us)
			sleep_in_queue(timeout_us - waited_us);
		else if (padv_admission_cancel(true))
		{
			(void) GetTransactionSnapshot();
			refuse_login(port, full, limit, psprintf("This login waited in the queue for %ld ms.",
													 (long) (waited_us / 1000)));
		}
	}
	(void) GetTransactionSnapshot();
	set_ps_display("authentication");
}

/* Be in without being counted under any limit, until it is known who this is. */
static void
enter_uncounted(void)
{
	padv_admission_release();
	padv_admission_enter();
}

/*
 * Ask until there is an answer.  *database is where the session is to be, or
 * InvalidOid: then its name is looked up among those that were read with the limits.
 * Where there is no room the catalog has the last word, and *database is written.
 */
static PadvAdmissionResult
get_result(const Port *port, Oid role, Oid *database, PadvSessionLimits *limits, PadvFullLimit *full)
{
	PadvAdmissionResult answer = PADV_ADMISSION_RETRY;
	int64		until = padv_monotonic_us() + Min(WAIT_FOR_CHANGE_MS, time_left()) * INT64CONST(1000);
	bool		able = false;

	while (padv_enforcement_now() != PADV_ENFORCEMENT_OFF && padv_monotonic_us() < until)
	{
		CHECK_FOR_INTERRUPTS();
		if (OidIsValid(*database))
			padv_limits_shmem_find(role, *database, limits);
		else if (!padv_limits_shmem_find_by_name(role, port->database_name, limits))
			padv_limits_shmem_find(role, padv_database_number(port->database_name), limits);
		answer = padv_admission_try(role, limits, able, full);
		if (answer == PADV_ADMISSION_FULL)
		{
			/* whom core refuses anyway it shall refuse now */
			*database = padv_database_for(role, port->database_name);
			able = OidIsValid(*database);
			if (!able)
				return answer;
		}
		else if (answer != PADV_ADMISSION_RETRY)
			return answer;
		else
			pg_usleep(1000);	/* whoever changes the limits is at it */
	}
	return PADV_ADMISSION_RETRY;
}

/* The words must name something, even if the limits have changed since. */
static void
get_limit(const PadvSessionLimits *limits, const PadvFullLimit *full, Oid role, PadvLimit *limit)
{
	if (padv_limits_shmem_get(limits->generation, full->limit, limit))
		return;
	memset(limit, 0, sizeof(*limit));
	limit->scope = PADV_SCOPE_ROLE;
	limit->role = role;
}

/*
 * An ordinary role asks to come in.  Returns if it is in, or if our own state
 * is in doubt; the result is whether it has waited.
 */
static bool
try_admission(const Port *port, Oid role, Oid *database)
{
	PadvSessionLimits limits;
	PadvFullLimit full;
	PadvLimit	limit;
	PadvAdmissionResult answer = get_result(port, role, database, &limits, &full);

	if (answer == PADV_ADMISSION_GRANTED)
		return false;
	if (answer == PADV_ADMISSION_FULL || answer == PADV_ADMISSION_RETRY)
	{
		if (answer == PADV_ADMISSION_RETRY && padv_enforcement_now() != PADV_ENFORCEMENT_OFF)
			ereport(LOG,
					(errmsg("pool_advisor lets a session of role \"%s\" through because the limits are being changed",
							port->user_name)));
		enter_uncounted();
		return false;
	}

	get_limit(&limits, &full, role, &limit);
	if (answer == PADV_ADMISSION_QUEUED)
		wait_in_queue(port, &full, &limit);
	else if (answer == PADV_ADMISSION_REFUSED)
		refuse_login(port, &full, &limit, full.by_share ? describe_share(&full) : "");
	else
		report_observed(port, &full, &limit);
	return answer == PADV_ADMISSION_QUEUED;
}

/* Whether this is a role that can be refused; core refuses one that is not there. */
static bool
look_up_login_role(const char *name, Oid *role)
{
	HeapTuple	tuple = SearchSysCache1(AUTHNAME, CStringGetDatum(name));
	bool		ordinary;

	if (!HeapTupleIsValid(tuple))
		return false;
	*role = ((Form_pg_authid) GETSTRUCT(tuple))->oid;
	ordinary = !((Form_pg_authid) GETSTRUCT(tuple))->rolsuper;
	ReleaseSysCache(tuple);
	return ordinary;
}

/*
 * Come in as this role in the database that the client has named.  While it waits
 * either name can become another's; then ask again as that.
 */
static void
try_admission_by_name(const Port *port, Oid role)
{
	Oid			database = InvalidOid;

	while (try_admission(port, role, &database))
	{
		Oid			role_now = InvalidOid;
		Oid			database_now;

		refuse_if_stopping();
		AcceptInvalidationMessages();
		if (!look_up_login_role(port->user_name, &role_now))
		{
			/* core refuses it, or it has become a superuser, who never asks */
			enter_uncounted();
			return;
		}
		database_now = padv_database_number(port->database_name);
		if (role_now == role && database_now == database)
			return;
		padv_admission_release();
		role = role_now;
		database = database_now;
	}
}

static void
admit_client(const Port *port)
{
	PadvLimitsState state = padv_limits_shmem_state();
	Oid			role;

	padv_admission_announce();
	padv_xact_end_start();
	padv_xact_hooks_start();
	padv_xact_stats_start();

	if (padv_enforcement_now() != PADV_ENFORCEMENT_OFF &&
		(state == PADV_LIMITS_UNREAD || state == PADV_LIMITS_KNOWN) &&
		look_up_login_role(port->user_name, &role))
	{
		if (state == PADV_LIMITS_UNREAD)
			state = padv_limits_shmem_wait(Min(WAIT_UNTIL_READ_MS, time_left()));
		if (state == PADV_LIMITS_KNOWN)
		{
			try_admission_by_name(port, role);
			return;
		}
	}
	padv_admission_enter();
}

/* The same, and say how long it took, for those who want to know. */
static void
admit_client_timed(const Port *port)
{
	instr_time	start;
	instr_time	took;

	INSTR_TIME_SET_CURRENT(start);
	admit_client(port);
	INSTR_TIME_SET_CURRENT(took);
	INSTR_TIME_SUBTRACT(took, start);
	ereport(DEBUG2,
			(errmsg_internal("pool_advisor let role \"%s\" in after %.1f us",
							 port->user_name, INSTR_TIME_GET_DOUBLE(took) * 1e6)));
}

static void
check_login(Port *port, int status)
{
	if (previous_hook)
		previous_hook(port, status);

	/* a standby or a backup is never refused, nor counted */
	if (status != STATUS_OK || am_walsender)
		return;
	if (message_level_is_interesting(DEBUG2))
		admit_client_timed(port);
	else
		admit_client(port);
}

void
padv_login_hook_install(void)
{
	previous_hook = ClientAuthentication_hook;
	ClientAuthentication_hook = check_login;
}
