/*
 * limits_loader.c
 *		A short-lived process that reads the limits from the catalogs.
 *
 * The settings of roles and databases are in pg_db_role_setting, whose values can only be
 * read in a database.  A process that stayed connected would block DROP DATABASE and
 * CREATE DATABASE ... TEMPLATE.  So this process connects, reads in one transaction,
 * publishes the limits and exits, within milliseconds.
 *
 * limits_launcher.c starts it.  An error ends it and is in the log; then the limits in
 * force do not change.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "catalog/pg_db_role_setting.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/postmaster.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "settings.h"
#include "shmem/admission.h"
#include "shmem/limits_shmem.h"
#include "shmem/xact_stats.h"
#include "worker/limits_loader.h"
#include "stored_settings.h"

#define LOADER_NAME "pool_advisor limits loader"

/* With a catalog that is locked for longer the loader fails, and is started again. */
#define CATALOG_LOCK_TIMEOUT "10s"

PGDLLEXPORT void padv_limits_loader_main(Datum main_arg);

BackgroundWorkerHandle *
padv_limits_loader_start(uint32 ticket)
{
	BackgroundWorker worker = {0};
	BackgroundWorkerHandle *handle = NULL;

	strlcpy(worker.bgw_name, LOADER_NAME, BGW_MAXLEN);
	strlcpy(worker.bgw_type, LOADER_NAME, BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_notify_pid = MyProcPid;
	worker.bgw_main_arg = UInt32GetDatum(ticket);
	strlcpy(worker.bgw_library_name, "pool_advisor", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "padv_limits_loader_main", BGW_MAXLEN);
	return RegisterDynamicBackgroundWorker(&worker, &handle) ? handle : NULL;
}

/* Add the settings of a role, a database or both, if pool_advisor's are among them. */
static void
add_stored_settings(PadvLimits *limits, Oid database, Oid role, ArrayType *settings)
{
	int32		value[PADV_LIMIT_SETTINGS];
	PadvLimit  *limit;

	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
		value[i] = PADV_NOT_SET;
	if (!padv_parse_stored_settings(settings, value))
		return;
	limit = padv_limits_entry(limits, database, role);
	for (int i = 0; limit != NULL && i < PADV_LIMIT_SETTINGS; i++)
		if (value[i] != PADV_NOT_SET)
			limit->value[i] = value[i];
}

static void
load_settings(PadvLimits *limits)
{
	Relation	relation = table_open(DbRoleSettingRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_db_role_setting form = (Form_pg_db_role_setting) GETSTRUCT(tuple);
		bool		null;
		Datum		settings = heap_getattr(tuple, Anum_pg_db_role_setting_setconfig,
											RelationGetDescr(relation), &null);

		CHECK_FOR_INTERRUPTS();
		if (!null)
			add_stored_settings(limits, form->setdatabase, form->setrole, DatumGetArrayTypeP(settings));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
}

/* Add the CONNECTION LIMIT of a role or a database. */
static void
add_connection_limit(PadvLimits *limits, Oid database, Oid role, int32 connection_limit)
{
	PadvLimit  *limit = connection_limit >= 0 ? padv_limits_entry(limits, database, role) : NULL;

	if (limit != NULL)
		limit->connection_limit = connection_limit;
}

/*
 * Add the exempt roles to the limits, and return the other roles that can log in, in the
 * current memory context.
 */
static PadvLoginRole *
load_roles(PadvLimits *limits, size_t *count)
{
	Relation	relation = table_open(AuthIdRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	size_t		room = 64;
	PadvLoginRole *roles = palloc(room * sizeof(PadvLoginRole));
	HeapTuple	tuple;

	*count = 0;
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_authid form = (Form_pg_authid) GETSTRUCT(tuple);

		CHECK_FOR_INTERRUPTS();
		if (!form->rolcanlogin)
			continue;
		if (form->rolsuper || padv_may_use_reserve(form->oid))
		{
			padv_limits_add_exempt(limits, form->oid);
			continue;
		}
		if (*count == room)
		{
			room *= 2;
			roles = repalloc_huge(roles, room * sizeof(PadvLoginRole));
		}
		roles[*count].role = form->oid;
		roles[*count].connection_limit = form->rolconnlimit;
		(*count)++;
		add_connection_limit(limits, InvalidOid, form->oid, form->rolconnlimit);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return roles;
}

static void
load_databases(PadvLimits *limits)
{
	Relation	relation = table_open(DatabaseRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_database form = (Form_pg_database) GETSTRUCT(tuple);

		add_connection_limit(limits, form->oid, InvalidOid, form->datconnlimit);
		padv_limits_add_database(limits, form->oid, NameStr(form->datname));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
}

/* The grants of roles to members; the array is in the current memory context. */
static PadvGrant *
load_grants(size_t *count)
{
	Relation	relation = table_open(AuthMemRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	size_t		room = 64;
	PadvGrant  *grants = palloc(room * sizeof(PadvGrant));
	HeapTuple	tuple;

	*count = 0;
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_auth_members form = (Form_pg_auth_members) GETSTRUCT(tuple);

		CHECK_FOR_INTERRUPTS();
		if (!padv_is_member(form))
			continue;
		if (*count == room)
		{
			room *= 2;
			grants = repalloc_huge(grants, room * sizeof(PadvGrant));
		}
		grants[*count].member = form->member;
		grants[*count].role = form->roleid;
		(*count)++;
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return grants;
}

/* Warn about values of a limit that have no effect, or another one than expected. */
static void
warn_of_limit(const PadvLimits *limits, const PadvLimit *limit)
{
	int32		usable = MaxConnections - padv_reserved_connections();
	const char *subject = limit->scope == PADV_SCOPE_DEFAULT ? "the default" : padv_describe_limit(limit);

	if (padv_limit_min_above_max(limit))
		ereport(WARNING,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pool_advisor.min_sessions of %s is larger than max_sessions, so no idle session is closed",
						subject)));
	if (padv_limit_is_set(limit) && OidIsValid(limit->role) && padv_limits_is_exempt(limits, limit->role))
		ereport(WARNING,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the limit of %s has no effect on the role itself, which is exempt", subject),
				 errdetail("Superusers and roles with privileges of pg_use_reserved_connections are neither refused nor counted.")));
	if (padv_limit_queue_above(limit, usable))
		ereport(WARNING,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_sessions and queue_length of %s together allow more than the %d connections that ordinary roles can have",
						subject, usable),
				 errdetail("A login that waits has a connection. Logins that find too few free connections to wait in are refused; \"pool_advisor.queue_share\" says how many they may take."),
				 errhint("Set a shorter queue_length.")));
	if (limit->value[PADV_QUEUE_LENGTH] != 0 &&
		limit->value[PADV_QUEUE_TIMEOUT] / 1000 >= AuthenticationTimeout)
		ereport(WARNING,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pool_advisor.queue_timeout of %s is not shorter than \"authentication_timeout\" (%d s)",
						subject, AuthenticationTimeout),
				 errdetail("A wait in the queue is part of the login, so it ends shortly before that.")));
}

/* Warn about limits that are new or have changed. */
static void
warn_of_new_limits(const PadvLimits *limits)
{
	PadvLimits *before = padv_limits_shmem_copy(NULL);

	if (memcmp(&before->default_limit, &limits->default_limit, sizeof(PadvLimit)) != 0)
		warn_of_limit(limits, &limits->default_limit);
	for (int i = 0; i < limits->nlimits; i++)
	{
		const PadvLimit *limit = &limits->limits[i];
		const PadvLimit *old = padv_limits_at(before, limit->database, limit->role);

		if (old == NULL || memcmp(old, limit, sizeof(PadvLimit)) != 0)
			warn_of_limit(limits, limit);
	}
	if (limits->incomplete && !before->incomplete)
		ereport(WARNING,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("some limits are not enforced, because there are too many"),
				 errdetail("There is room for %d limits, %d memberships in limited roles, %d exempt roles, and %d limits for a session.",
						   PADV_MAX_LIMITS, PADV_MAX_MEMBERSHIPS, PADV_MAX_EXEMPT, PADV_MAX_SESSION_LIMITS),
				 errhint("Set limits on fewer roles, or take roles out of limited groups.")));
}

/* Roles that were dropped give their places in the statistics to others. */
static void
forget_dropped_roles(void)
{
	Oid			roles[PADV_ROLES_TRACKED];
	int			count = padv_xact_stats_roles(roles);

	for (int i = 0; i < count; i++)
		if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(roles[i])))
			padv_xact_stats_forget_role(roles[i]);
}

void
padv_limits_loader_main(Datum main_arg)
{
	PadvLimits *limits = palloc(sizeof(PadvLimits));
	PadvLoginRole *roles;
	PadvGrant  *grants;
	int32		defaults[PADV_LIMIT_SETTINGS];
	size_t		nroles,
				ngrants;

	/*
	 * The default limit has the values of the configuration file.  They must
	 * be read before we connect to a database, which can set others.
	 */
	padv_limits_init(limits, palloc0(padv_limits_block_size()));
	padv_limit_defaults(defaults);
	padv_limits_begin(limits, padv_enforcement, padv_limit_scale, defaults);

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();

	/* connecting can wait for a lock on the database */
	SetConfigOption("lock_timeout", CATALOG_LOCK_TIMEOUT, PGC_USERSET, PGC_S_OVERRIDE);

	/* the owner of the database must not end this process with a timeout */
	padv_set_no_transaction_timeout();
	BackgroundWorkerInitializeConnection(padv_database, NULL, BGWORKER_BYPASS_ALLOWCONN);
	pgstat_report_activity(STATE_RUNNING, "reading limits");

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	XactIsoLevel = XACT_READ_COMMITTED; /* a standby knows no serializable */
	PushActiveSnapshot(GetTransactionSnapshot());
	load_settings(limits);
	roles = load_roles(limits, &nroles);
	load_databases(limits);
	grants = load_grants(&ngrants);
	padv_limits_finish(limits, grants, ngrants);
	padv_limits_commit(limits, roles, nroles);
	warn_of_new_limits(limits);
	forget_dropped_roles();
	PopActiveSnapshot();
	CommitTransactionCommand();

	padv_limits_shmem_publish(limits, DatumGetUInt32(main_arg));
	proc_exit(0);
}
