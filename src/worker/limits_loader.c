/*
 * limits_loader.c
 *		A short-lived process that reads the caps from the catalogs.
 *
 * What was set for a role or a database is in pg_db_role_setting, which can be
 * read in a database only; a process that stayed connected would stand in the
 * way of DROP DATABASE and CREATE DATABASE ... TEMPLATE.  So a process comes,
 * reads in one transaction, publishes, and goes, within milliseconds.
 *
 * limits_launcher.c starts it.  An error ends it and is in the log; the caps in force
 * stay what they were.
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

#include "compat.h"
#include "settings.h"
#include "shmem/limits_shmem.h"
#include "worker/limits_loader.h"
#include "worker/stored_settings.h"

#define READER_NAME "pool_advisor caps reader"

/* A catalog that is locked for longer is tried again. */
#define CATALOG_LOCK_TIMEOUT "10s"

PGDLLEXPORT void padv_reader_main(Datum main_arg);

BackgroundWorkerHandle *
padv_reader_start(uint32 ticket)
{
	BackgroundWorker worker = {0};
	BackgroundWorkerHandle *handle = NULL;

	strlcpy(worker.bgw_name, READER_NAME, BGW_MAXLEN);
	strlcpy(worker.bgw_type, READER_NAME, BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_notify_pid = MyProcPid;
	worker.bgw_main_arg = UInt32GetDatum(ticket);
	strlcpy(worker.bgw_library_name, "pool_advisor", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "padv_reader_main", BGW_MAXLEN);
	return RegisterDynamicBackgroundWorker(&worker, &handle) ? handle : NULL;
}

/* What is set at one place, if there is anything of ours. */
static void
take_place(PadvCaps *caps, Oid database, Oid role, ArrayType *settings)
{
	int32		value[PADV_CAP_SETTINGS];
	PadvCap    *cap;

	for (int i = 0; i < PADV_CAP_SETTINGS; i++)
		value[i] = PADV_NOT_SET;
	if (!padv_read_stored(settings, value))
		return;
	cap = padv_caps_place(caps, database, role);
	for (int i = 0; cap != NULL && i < PADV_CAP_SETTINGS; i++)
		if (value[i] != PADV_NOT_SET)
			cap->value[i] = value[i];
}

static void
read_settings(PadvCaps *caps)
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
			take_place(caps, form->setdatabase, form->setrole, DatumGetArrayTypeP(settings));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
}

/* A role's or a database's own CONNECTION LIMIT. */
static void
take_core_limit(PadvCaps *caps, Oid database, Oid role, int32 limit)
{
	PadvCap    *cap = limit >= 0 ? padv_caps_place(caps, database, role) : NULL;

	if (cap != NULL)
		cap->core_limit = limit;
}

/*
 * Those roles that are neither refused nor counted go into the caps; the others
 * that can log in are returned, in the current memory context.
 */
static PadvLoginRole *
read_roles(PadvCaps *caps, size_t *count)
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
			padv_caps_add_exempt(caps, form->oid);
			continue;
		}
		if (*count == room)
		{
			room *= 2;
			roles = repalloc_huge(roles, room * sizeof(PadvLoginRole));
		}
		roles[*count].role = form->oid;
		roles[*count].core_limit = form->rolconnlimit;
		(*count)++;
		take_core_limit(caps, InvalidOid, form->oid, form->rolconnlimit);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return roles;
}

static void
read_databases(PadvCaps *caps)
{
	Relation	relation = table_open(DatabaseRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_database form = (Form_pg_database) GETSTRUCT(tuple);

		take_core_limit(caps, form->oid, InvalidOid, form->datconnlimit);
		padv_caps_add_database(caps, form->oid, NameStr(form->datname));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
}

/* Who is a member of what; the array is in the current memory context. */
static PadvGrant *
read_grants(size_t *count)
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

/* What a DBA should know about a cap that is not what it looks like. */
static void
warn_of_cap(const PadvCaps *caps, const PadvCap *cap)
{
	int32		usable = MaxConnections - padv_reserved_connections();
	char	   *role = OidIsValid(cap->role) ? GetUserNameFromId(cap->role, true) : NULL;
	char	   *database = OidIsValid(cap->database) ? get_database_name(cap->database) : NULL;
	char	   *place = role && database ? psprintf("role \"%s\" in database \"%s\"", role, database) :
		role ? psprintf("role \"%s\"", role) :
		database ? psprintf("database \"%s\"", database) : "the default";

	if (padv_cap_core_above_max(cap))
		ereport(WARNING,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pool_advisor.min_sessions of %s is larger than max_sessions, so no idle session is closed",
						place)));
	if (padv_cap_limits(cap) && OidIsValid(cap->role) && padv_caps_is_exempt(caps, cap->role))
		ereport(WARNING,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the cap of %s has no effect on the role itself, which is exempt", place),
				 errdetail("Superusers and roles with privileges of pg_use_reserved_connections are neither refused nor counted.")));
	if (padv_cap_queue_above(cap, usable))
		ereport(WARNING,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_sessions and queue_length of %s together allow more than the %d connections that ordinary roles can have",
						place, usable),
				 errdetail("A login that waits has a connection. Logins that find too few free connections to wait in are refused; \"pool_advisor.queue_share\" says how many they may take."),
				 errhint("Set a shorter queue_length.")));
	if (cap->value[PADV_QUEUE_LENGTH] != 0 &&
		cap->value[PADV_QUEUE_TIMEOUT] / 1000 >= AuthenticationTimeout)
		ereport(WARNING,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pool_advisor.queue_timeout of %s is not shorter than \"authentication_timeout\" (%d s)",
						place, AuthenticationTimeout),
				 errdetail("A wait in line is part of the login, so it ends shortly before that.")));
}

/* Of the caps that were not there before, or not like this. */
static void
warn_of_new(const PadvCaps *caps)
{
	PadvCaps   *before = padv_limits_copy(NULL);

	if (memcmp(&before->fallback, &caps->fallback, sizeof(PadvCap)) != 0)
		warn_of_cap(caps, &caps->fallback);
	for (int i = 0; i < caps->ncaps; i++)
	{
		const PadvCap *cap = &caps->caps[i];
		const PadvCap *old = padv_caps_at(before, cap->database, cap->role);

		if (old == NULL || memcmp(old, cap, sizeof(PadvCap)) != 0)
			warn_of_cap(caps, cap);
	}
	if (caps->incomplete && !before->incomplete)
		ereport(WARNING,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("some caps are not enforced, because there are too many"),
				 errdetail("There is room for %d caps, %d memberships in capped roles and %d exempt roles.",
						   PADV_MAX_CAPS, PADV_MAX_MEMBERSHIPS, PADV_MAX_EXEMPT)));
}

void
padv_reader_main(Datum main_arg)
{
	PadvCaps   *caps = palloc(sizeof(PadvCaps));
	PadvLoginRole *roles;
	PadvGrant  *grants;
	int32		defaults[PADV_CAP_SETTINGS];
	size_t		nroles,
				ngrants;

	/*
	 * The configuration file's values are the default.  They must be taken
	 * before we are in a database, which can have others for our session.
	 */
	padv_caps_init(caps, palloc0(padv_caps_block_size()));
	padv_cap_defaults(defaults);
	padv_caps_begin(caps, padv_enforcement, padv_limit_scale, defaults);

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();

	/* connecting can wait for a lock on the database, too */
	SetConfigOption("lock_timeout", CATALOG_LOCK_TIMEOUT, PGC_USERSET, PGC_S_OVERRIDE);

	/* nor may the database's owner put an end to it with a timeout */
	padv_set_no_transaction_timeout();
	BackgroundWorkerInitializeConnection(padv_database, NULL, BGWORKER_BYPASS_ALLOWCONN);
	pgstat_report_activity(STATE_RUNNING, "reading caps");

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	XactIsoLevel = XACT_READ_COMMITTED; /* a standby knows no serializable */
	PushActiveSnapshot(GetTransactionSnapshot());
	read_settings(caps);
	roles = read_roles(caps, &nroles);
	read_databases(caps);
	grants = read_grants(&ngrants);
	padv_caps_finish(caps, grants, ngrants);
	padv_caps_commit(caps, roles, nroles);
	warn_of_new(caps);
	PopActiveSnapshot();
	CommitTransactionCommand();

	padv_limits_publish(caps, DatumGetUInt32(main_arg));
	proc_exit(0);
}
