/*
 * login_hook.c
 *		Admission of a client after authentication.
 *
 * Owns the authentication hook, the wait in the queue and the messages of refusal.  It
 * runs in the client's backend, in a transaction, without a database, and under
 * authentication_timeout.  It does not decide: session_admission.c does.
 *
 * PostgreSQL looks the role up right after this, in the same cache, so the look-up here
 * costs nothing.  Where no limit is set it is left to PostgreSQL.
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
#include "shmem/ended_sessions.h"
#include "shmem/limits_shmem.h"
#include "shmem/shared_settings.h"
#include "shmem/xact_stats.h"
#include "stopping.h"

/*
 * The limits are read within milliseconds after a start.  A login that comes before waits
 * at most this long.
 */
#define WAIT_UNTIL_READ_MS 5000

/* A refusal must be sent before authentication_timeout ends the process. */
#define TIMEOUT_MARGIN_MS 250

/* Installing changed limits takes microseconds, but its process may stall. */
#define WAIT_FOR_CHANGE_MS 10000

/* A waiting login checks this often whether the server is shutting down. */
#define CHECK_INTERVAL_MS 1000

static ClientAuthentication_hook_type previous_hook = NULL;

/* Milliseconds until authentication_timeout, less a margin. */
static long
login_time_left(void)
{
	long		left = LONG_MAX;

	if (get_timeout_active(STATEMENT_TIMEOUT))
		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
											   get_timeout_finish_time(STATEMENT_TIMEOUT));
	return Max(left - TIMEOUT_MARGIN_MS, 1);
}

/* A limit on a database is on the one that the client has named. */
static char *
describe_full_limit(const Port *port, const PadvFullLimit *full, const PadvLimit *limit)
{
	const char *role = OidIsValid(limit->role) ? padv_login_role_name(limit->role) : NULL;

	return psprintf("The limit of %s is full: max_sessions %d, in use %d, queue_length %d, waiting %d.",
					padv_describe_limit_on(limit, role, port->database_name), full->max_sessions, full->in_use,
					full->queue_length, full->waiting);
}

static char *
describe_queue_share(const PadvFullLimit *full)
{
	return psprintf("%d logins wait, and \"pool_advisor.queue_share\" (%g) allows no more: of the connections that ordinary roles can have, %d are without a session.",
					full->all_waiting, padv_queue_share, full->free);
}

/*
 * Refuse with the messages that PostgreSQL has for CONNECTION LIMIT.  `more` is a full
 * sentence for the log, or empty.
 */
static void
refuse_login(const Port *port, const PadvFullLimit *full, const PadvLimit *limit, const char *more)
{
	char	   *detail = psprintf("%s%s%s", describe_full_limit(port, full, limit), *more ? " " : "", more);

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
 * A smart shutdown waits for sessions, and must not wait for waiting logins, too.  The
 * message is that of PostgreSQL for logins during a shutdown.
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
			 errdetail_log("%s", describe_full_limit(port, full, limit)),
			 full->unreported > 0 ?
			 errcontext("%d more since the last such message for this role", full->unreported) : 0));
}

/*
 * Release the snapshot of the login's transaction, so that it does not hold back vacuum
 * while it waits.  PostgreSQL reads catalogs with a new snapshot afterwards.
 */
static void
release_login_snapshot(void)
{
	InvalidateCatalogSnapshot();
	PushActiveSnapshot(GetTransactionSnapshot());
	PopActiveSnapshot();
}

/* Sleep in the queue, at most this long, and at most until the next check. */
static void
sleep_in_queue(int64 timeout_us)
{
	long		timeout_ms = (long) ((timeout_us + 999) / 1000);

	padv_queue_sleep(Min(timeout_ms, CHECK_INTERVAL_MS), PG_WAIT_EXTENSION);
	refuse_if_stopping();
}

/*
 * Wait until the login is admitted; if that takes too long, refuse it.  The wait also
 * ends when the DBA turns enforcement off: the waiter checks that itself.
 */
static void
wait_in_login_queue(const Port *port, const PadvFullLimit *full, const PadvLimit *limit)
{
	int64		started = padv_monotonic_us();
	int64		timeout_us = (int64) Min(full->queue_timeout, login_time_left()) * 1000;

	/* a waiter has a connection, which must not be a reserved one */
	if (!padv_have_free_connections(padv_reserved_connections()) && padv_admission_cancel(false))
		refuse_login(port, full, limit, psprintf("No connection is left to wait in the queue with (max_connections %d).",
												 MaxConnections));
	padv_admission_count_wait();
	set_ps_display("waiting for session slot");
	padv_disable_transaction_timeout();
	release_login_snapshot();
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

/* Admit this session without counting it, until padv_admission_identify does. */
static void
enter_uncounted(void)
{
	padv_admission_release();
	padv_admission_enter();
}

/*
 * Try until there is a result.  *database is the database of the session, or InvalidOid:
 * then its name is looked up among those that were read with the limits.  Where a limit
 * is reached the catalog decides, and *database is written.
 */
static PadvAdmissionResult
try_until_result(const Port *port, Oid role, Oid *database, PadvSessionLimits *limits, PadvFullLimit *full)
{
	PadvAdmissionResult result = PADV_ADMISSION_RETRY;
	int64		until = padv_monotonic_us() + Min(WAIT_FOR_CHANGE_MS, login_time_left()) * INT64CONST(1000);
	bool		able = false;

	while (padv_enforcement_now() != PADV_ENFORCEMENT_OFF && padv_monotonic_us() < until)
	{
		CHECK_FOR_INTERRUPTS();
		if (OidIsValid(*database))
			padv_limits_shmem_find(role, *database, limits);
		else if (!padv_limits_shmem_find_by_name(role, port->database_name, limits))
			padv_limits_shmem_find(role, padv_database_number(port->database_name), limits);
		result = padv_admission_try(role, limits, able, full);
		if (result == PADV_ADMISSION_FULL)
		{
			/* a login that PostgreSQL refuses anyway does not wait */
			*database = padv_database_for(role, port->database_name);
			able = OidIsValid(*database);
			if (!able)
				return result;
		}
		else if (result != PADV_ADMISSION_RETRY)
			return result;
		else
			pg_usleep(1000);	/* another process is installing limits */
	}
	return PADV_ADMISSION_RETRY;
}

/* The limit to name in a message; the role, if the limits have changed since. */
static void
get_limit_for_message(const PadvSessionLimits *limits, const PadvFullLimit *full, Oid role, PadvLimit *limit)
{
	if (padv_limits_shmem_get(limits->generation, full->limit, limit))
		return;
	memset(limit, 0, sizeof(*limit));
	limit->scope = PADV_SCOPE_ROLE;
	limit->role = role;
}

/*
 * Admit a session of a role that is not a superuser, or refuse it.  Also admits it, without
 * counting it, when no result can be had.  Returns whether it has waited.
 */
static bool
try_admission(const Port *port, Oid role, Oid *database)
{
	PadvSessionLimits limits;
	PadvFullLimit full;
	PadvLimit	limit;
	PadvAdmissionResult result = try_until_result(port, role, database, &limits, &full);

	if (result == PADV_ADMISSION_GRANTED)
		return false;
	if (result == PADV_ADMISSION_FULL || result == PADV_ADMISSION_RETRY)
	{
		if (result == PADV_ADMISSION_RETRY && padv_enforcement_now() != PADV_ENFORCEMENT_OFF)
			ereport(LOG,
					(errmsg("admitted a session of role \"%s\" without counting it, because the limits are being changed",
							port->user_name)));
		enter_uncounted();
		return false;
	}

	get_limit_for_message(&limits, &full, role, &limit);
	if (result == PADV_ADMISSION_QUEUED)
		wait_in_login_queue(port, &full, &limit);
	else if (result == PADV_ADMISSION_REFUSED)
		refuse_login(port, &full, &limit, full.by_share ? describe_queue_share(&full) : "");
	else
		report_observed(port, &full, &limit);
	return result == PADV_ADMISSION_QUEUED;
}

/*
 * Whether this role can be refused by a limit; writes its OID to *role.  PostgreSQL
 * refuses a role that does not exist.
 */
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
 * Admit this role to the database that the client has named.  During the wait either name
 * can come to mean another object; then try again with that.
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
			/* PostgreSQL refuses it, or it has become a superuser */
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
	padv_ended_start();

	if (padv_enforcement_now() != PADV_ENFORCEMENT_OFF &&
		(state == PADV_LIMITS_UNREAD || state == PADV_LIMITS_KNOWN) &&
		look_up_login_role(port->user_name, &role))
	{
		if (state == PADV_LIMITS_UNREAD)
			state = padv_limits_shmem_wait(Min(WAIT_UNTIL_READ_MS, login_time_left()));
		if (state == PADV_LIMITS_KNOWN)
		{
			try_admission_by_name(port, role);
			return;
		}
	}
	padv_admission_enter();
}

/* The same, and log how long it took. */
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
			(errmsg_internal("pool_advisor admitted role \"%s\" after %.1f us",
							 port->user_name, INSTR_TIME_GET_DOUBLE(took) * 1e6)));
}

static void
check_login(Port *port, int status)
{
	if (previous_hook)
		previous_hook(port, status);

	/* a standby or a backup is neither refused nor counted */
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
