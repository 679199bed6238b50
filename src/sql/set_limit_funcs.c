/*
 * set_limit_funcs.c
 *		SQL functions that set and clear limits.
 *
 * They check what single settings cannot: that role and database are there,
 * and that the numbers go together.  Then they run the ALTER ROLE or ALTER
 * DATABASE that a DBA would, in the caller's transaction, so that all of it is
 * done or nothing; tell what will be in force there; and warn of what is hardly
 * meant.
 *
 * The functions are SECURITY DEFINER, so that EXECUTE on them can be granted;
 * all that comes from the caller is quoted, and only settings of ours are
 * touched.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <limits.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_db_role_setting.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "settings.h"
#include "shmem/limits_shmem.h"
#include "shmem/status_shmem.h"
#include "sql/limit_usage.h"
#include "sql/rows.h"
#include "stored_settings.h"

PG_FUNCTION_INFO_V1(pool_advisor_set_limit);
PG_FUNCTION_INFO_V1(pool_advisor_clear_limit);

/* What a limit is set on; a name is NULL for any. */
typedef struct Place
{
	const char *role;
	const char *database;
	Oid			role_oid;
	Oid			database_oid;
} Place;

static void
read_place(FunctionCallInfo fcinfo, Place *place)
{
	place->role = PG_ARGISNULL(0) ? NULL : NameStr(*PG_GETARG_NAME(0));
	place->database = PG_ARGISNULL(1) ? NULL : NameStr(*PG_GETARG_NAME(1));
	place->role_oid = InvalidOid;
	place->database_oid = InvalidOid;

	if (place->role != NULL)
	{
		place->role_oid = get_role_oid(place->role, true);
		if (!OidIsValid(place->role_oid))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("role \"%s\" does not exist", place->role),
					 errhint("Name a role, or NULL for the default of all roles.")));
	}
	if (place->database != NULL)
	{
		place->database_oid = get_database_oid(place->database, true);
		if (!OidIsValid(place->database_oid))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_DATABASE),
					 errmsg("database \"%s\" does not exist", place->database),
					 errhint("Name a database, or NULL for all databases.")));
	}
}

/* A number from the lowest to the highest, or -1 where that is no limit. */
static int32
read_number(int32 value, PadvLimitSetting setting, const char *argument)
{
	int32		lowest = padv_limit_setting_lowest(setting);
	int32		highest = padv_limit_setting_highest(setting);
	bool		unlimited = padv_limit_setting_can_be_unlimited(setting);

	if ((value != PADV_UNLIMITED || !unlimited) && (value < lowest || value > highest))
		ereport(ERROR,
				(errcode(value < lowest ? ERRCODE_INVALID_PARAMETER_VALUE :
						 ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("invalid value for argument \"%s\": %d", argument, value),
				 errhint("It must be a number of %s from %d to %d%s.",
						 padv_limit_setting_counted(setting), lowest, highest, unlimited ? ", or -1 for no limit" : "")));
	return value;
}

/* An interval as milliseconds; what is below one counts as one. */
static int32
read_interval(const Interval *interval, PadvLimitSetting setting, const char *argument)
{
	int32		lowest = padv_limit_setting_lowest(setting);
	double		milliseconds = ((double) interval->month * DAYS_PER_MONTH + interval->day) * SECS_PER_DAY * 1000.0 +
		(double) interval->time / 1000.0;

	if (milliseconds > 0.0 && milliseconds < 1.0)
		milliseconds = 1.0;
	if (milliseconds < lowest || milliseconds > INT_MAX)
		ereport(ERROR,
				(errcode(milliseconds < lowest ? ERRCODE_INVALID_PARAMETER_VALUE :
						 ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("invalid value for argument \"%s\": %s", argument,
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval)))),
				 errhint(lowest == 0 ? "It must be from 0, which is never, to 24 days." :
						 "It must be longer than 0 and at most 24 days.")));
	return (int32) milliseconds;
}

/*
 * What was given for a setting, or PADV_NOT_SET.  The arguments follow role and database
 * in the order of the settings.
 */
static int32
read_setting(FunctionCallInfo fcinfo, PadvLimitSetting setting)
{
	int			number = 2 + setting;
	const char *argument = strchr(padv_limit_setting_name(setting), '.') + 1;

	if (PG_ARGISNULL(number))
		return PADV_NOT_SET;
	if (padv_limit_setting_is_time(setting))
		return read_interval(PG_GETARG_INTERVAL_P(number), setting, argument);
	return read_number(PG_GETARG_INT32(number), setting, argument);
}

/* Scan for what is set at a place, which is one row at most. */
static SysScanDesc
begin_settings_scan(Relation relation, const Place *place)
{
	ScanKeyData keys[2];

	ScanKeyInit(&keys[0], Anum_pg_db_role_setting_setdatabase, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(place->database_oid));
	ScanKeyInit(&keys[1], Anum_pg_db_role_setting_setrole, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(place->role_oid));
	return systable_beginscan(relation, DbRoleSettingDatidRolidIndexId, true, NULL, 2, keys);
}

/* The next row of such a scan, and its settings; NULL when there are none. */
static HeapTuple
next_settings(Relation relation, SysScanDesc scan, ArrayType **settings)
{
	HeapTuple	tuple = systable_getnext(scan);
	bool		null = true;
	Datum		value = (Datum) 0;

	if (HeapTupleIsValid(tuple))
		value = heap_getattr(tuple, Anum_pg_db_role_setting_setconfig, RelationGetDescr(relation), &null);
	*settings = null ? NULL : DatumGetArrayTypeP(value);
	return tuple;
}

/* What is set at a place already; the rest of value is left as it is. */
static void
read_current(const Place *place, int32 value[PADV_LIMIT_SETTINGS])
{
	Relation	relation = table_open(DbRoleSettingRelationId, AccessShareLock);
	SysScanDesc scan = begin_settings_scan(relation, place);
	ArrayType  *settings;

	(void) next_settings(relation, scan, &settings);
	if (settings != NULL)
		(void) padv_parse_stored_settings(settings, value);
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
}

/*
 * Remove the given settings at a place where their names are in other letters.  Without
 * the library a name is stored as it was written; with it ALTER changes only what has the
 * right name, while every session takes both.  Call it after an ALTER there, which has
 * taken the locks and checked the object.
 */
static void
remove_other_spellings(const Place *place, const int32 *given)
{
	Relation	relation = table_open(DbRoleSettingRelationId, RowExclusiveLock);
	SysScanDesc scan = begin_settings_scan(relation, place);
	ArrayType  *settings;
	HeapTuple	tuple = next_settings(relation, scan, &settings);
	ArrayType  *rest = settings != NULL ? padv_without_other_spellings(settings, given) : NULL;

	if (settings != NULL && rest == NULL)
		CatalogTupleDelete(relation, &tuple->t_self);
	else if (rest != settings)
	{
		Datum		values[Natts_pg_db_role_setting] = {0};
		bool		nulls[Natts_pg_db_role_setting] = {0};
		bool		replace[Natts_pg_db_role_setting] = {0};

		values[Anum_pg_db_role_setting_setconfig - 1] = PointerGetDatum(rest);
		replace[Anum_pg_db_role_setting_setconfig - 1] = true;
		CatalogTupleUpdate(relation, &tuple->t_self,
						   heap_modify_tuple(tuple, RelationGetDescr(relation), values, nulls, replace));
	}
	systable_endscan(scan);
	table_close(relation, NoLock);
	CommandCounterIncrement();
}

/* Check min_ and max_ settings, together with the values that are already set. */
static void
check_minimums(const Place *place, const int32 *value)
{
	int32		together[PADV_LIMIT_SETTINGS];

	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
		together[i] = PADV_NOT_SET;
	read_current(place, together);
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
		if (value[i] != PADV_NOT_SET)
			together[i] = value[i];
	if (together[PADV_MAX_SESSIONS] >= 0 && together[PADV_MIN_SESSIONS] > together[PADV_MAX_SESSIONS])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_sessions (%d) is larger than max_sessions (%d)",
						together[PADV_MIN_SESSIONS], together[PADV_MAX_SESSIONS]),
				 errhint("Sessions up to min_sessions are kept, those from there to max_sessions are closed when idle.")));
	if (together[PADV_MAX_ACTIVE] >= 0 && together[PADV_MIN_ACTIVE] > together[PADV_MAX_ACTIVE])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_active (%d) is larger than max_active (%d)",
						together[PADV_MIN_ACTIVE], together[PADV_MAX_ACTIVE]),
				 errhint("Transactions up to min_active get their slots before others, and there are never more than max_active.")));
}

static bool
has_members(Oid role)
{
	Relation	relation = table_open(AuthMemRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&key, Anum_pg_auth_members_roleid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(role));
	scan = systable_beginscan(relation, AuthMemRoleMemIndexId, true, NULL, 1, &key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
		found = padv_is_member((Form_pg_auth_members) GETSTRUCT(tuple));
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return found;
}

/* The default, before it is scaled: as configured, below what ALTER ROLE ALL sets. */
static void
read_default(PadvLimit *default_limit)
{
	const Place all = {NULL, NULL, InvalidOid, InvalidOid};
	PadvLimits *in_force = padv_limits_shmem_copy(NULL);

	memset(default_limit, 0, sizeof(*default_limit));
	default_limit->scope = PADV_SCOPE_DEFAULT;
	default_limit->connection_limit = PADV_UNLIMITED;
	if (padv_limits_shmem_state() == PADV_LIMITS_UNREAD)
		padv_limit_defaults(default_limit->value);
	else
		memcpy(default_limit->value, in_force->configured, sizeof(default_limit->value));
	read_current(&all, default_limit->value);
	pfree(in_force->block);
	pfree(in_force);
}

/* What will be in force at a place when this transaction commits. */
static void
read_limit(const Place *place, PadvLimit *limit)
{
	PadvLimit	default_limit;

	read_default(&default_limit);
	if (!OidIsValid(place->role_oid) && !OidIsValid(place->database_oid))
	{
		*limit = default_limit;
		padv_limit_resolve(limit, limit, false, padv_limit_scale);
		return;
	}
	memset(limit, 0, sizeof(*limit));
	limit->role = place->role_oid;
	limit->database = place->database_oid;
	limit->scope = !OidIsValid(limit->role) ? PADV_SCOPE_DATABASE :
		!OidIsValid(limit->database) ? PADV_SCOPE_ROLE : PADV_SCOPE_ROLE_IN_DATABASE;
	limit->connection_limit = PADV_UNLIMITED;
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
		limit->value[i] = PADV_NOT_SET;
	read_current(place, limit->value);
	padv_limit_resolve(limit, &default_limit, limit->scope == PADV_SCOPE_ROLE && has_members(limit->role),
					   padv_limit_scale);
}

/* Report effects that the caller may not expect: roles that cannot log in, the default. */
static void
warn_of_reach(const Place *place, const int32 *value, const PadvLimit *limit)
{
	bool		of_all = place->role == NULL && place->database == NULL;

	if (value[PADV_MAX_SESSIONS] == 0)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 of_all ? errmsg("no role without a limit of its own can log in any more") :
				 errmsg("no session is admitted under the limit of %s", padv_describe_limit(limit)),
				 errdetail("max_sessions is 0. Only superusers and other exempt roles are admitted."),
				 errhint("Set max_sessions to -1 for no limit.")));
	else if (of_all && (value[PADV_MAX_SESSIONS] > 0 || value[PADV_MAX_ACTIVE] > 0))
		ereport(NOTICE,
				(errcode(ERRCODE_WARNING),
				 errmsg("the limit is that of each role that has none of its own"),
				 errdetail("No role and no database was named.")));
	if (OidIsValid(place->role_oid) &&
		(superuser_arg(place->role_oid) || padv_may_use_reserve(place->role_oid)))
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("the limit has no effect on role \"%s\" itself, which is exempt", place->role),
				 errdetail("Superusers and roles with privileges of pg_use_reserved_connections are neither refused nor counted.")));
}

/*
 * What was given and does nothing.  As a part of the default it can do something
 * for a place with a limit of its own.
 */
static void
warn_of_nothing(const Place *place, const int32 *value, const PadvLimit *limit)
{
	const char *missing = NULL;
	const char *given = NULL;

	if (place->role == NULL && place->database == NULL)
		return;
	if (limit->value[PADV_MAX_SESSIONS] < 0)
	{
		missing = "max_sessions";
		given = value[PADV_QUEUE_LENGTH] != PADV_NOT_SET && value[PADV_QUEUE_LENGTH] != 0 ? "queue_length" :
			value[PADV_QUEUE_TIMEOUT] != PADV_NOT_SET ? "queue_timeout" : NULL;
	}
	else if (limit->value[PADV_QUEUE_LENGTH] == 0)
	{
		missing = "queue_length";
		given = value[PADV_QUEUE_TIMEOUT] != PADV_NOT_SET ? "queue_timeout" : NULL;
	}
	if (given != NULL)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("%s of %s has no effect without %s", given, padv_describe_limit(limit), missing)));

	if (value[PADV_SESSION_IDLE_TIMEOUT] > 0 && limit->value[PADV_MIN_SESSIONS] < 0)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("session_idle_timeout of %s has no effect without min_sessions", padv_describe_limit(limit)),
				 errhint("Set min_sessions => 0 to close every session that is idle for so long.")));
	else if (value[PADV_MIN_SESSIONS] >= 0 && limit->value[PADV_SESSION_IDLE_TIMEOUT] == 0)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("min_sessions of %s has no effect without session_idle_timeout", padv_describe_limit(limit))));
}

/*
 * The same of how transactions wait.  They wait for the server, too, but as the default
 * says.
 */
static void
warn_of_no_transactions(const Place *place, const int32 *value, const PadvLimit *limit)
{
	const char *given = value[PADV_TRANSACTION_QUEUE_LENGTH] >= 0 ? "transaction_queue_length" :
		value[PADV_TRANSACTION_QUEUE_TIMEOUT] > 0 ? "transaction_queue_timeout" : NULL;

	if (given == NULL || limit->value[PADV_MAX_ACTIVE] >= 0 || (place->role == NULL && place->database == NULL))
		return;
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("%s of %s has no effect without max_active", given, padv_describe_limit(limit))));
}

/* A login that waits has a connection, and not all may be able to. */
static void
warn_of_queue(const PadvLimit *limit)
{
	int32		usable = MaxConnections - padv_reserved_connections();

	if (padv_limit_queue_above(limit, usable))
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("max_sessions and queue_length together allow more than the %d connections that ordinary roles can have", usable),
				 errdetail("A login that waits has a connection. Logins that find too few free connections to wait in are refused; \"pool_advisor.queue_share\" says how many they may take."),
				 errhint("Set a shorter queue_length.")));
}

static bool
any_given(const int32 *value)
{
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
		if (value[i] != PADV_NOT_SET)
			return true;
	return false;
}

static void
execute_alter(const char *command)
{
	if (SPI_execute(command, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not run \"%s\"", command);
}

/* "ALTER ROLE x IN DATABASE y", ready for SET or RESET. */
static char *
alter_place(const Place *place)
{
	StringInfoData command;

	initStringInfo(&command);
	if (place->role == NULL && place->database != NULL)
		appendStringInfo(&command, "ALTER DATABASE %s", quote_identifier(place->database));
	else
	{
		appendStringInfo(&command, "ALTER ROLE %s",
						 place->role ? quote_identifier(place->role) : "ALL");
		if (place->database != NULL)
			appendStringInfo(&command, " IN DATABASE %s", quote_identifier(place->database));
	}
	return command.data;
}

/*
 * set_limit(role, database, max_sessions, min_sessions, session_idle_timeout,
 *			 queue_length, queue_timeout, max_active, transaction_queue_length,
 *			 transaction_queue_timeout, active_weight, min_active): what will be in force
 *			 there
 */
Datum
pool_advisor_set_limit(PG_FUNCTION_ARGS)
{
	Place		place;
	int32		value[PADV_LIMIT_SETTINGS];
	PadvLimit	limit;
	PadvRow		row = {0};
	char	   *alter;

	padv_require_preloaded();
	read_place(fcinfo, &place);
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
		value[i] = read_setting(fcinfo, i);
	check_minimums(&place, value);
	if (!any_given(value))
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("no limit was changed, because no value was given")));

	SPI_connect();
	alter = alter_place(&place);
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
		if (value[i] != PADV_NOT_SET)
			execute_alter(psprintf("%s SET %s = %s%d%s", alter, padv_limit_setting_name(i),
								   padv_limit_setting_is_time(i) ? "'" : "", value[i], padv_limit_setting_is_time(i) ? "ms'" : ""));
	SPI_finish();
	CommandCounterIncrement();
	remove_other_spellings(&place, value);
	read_limit(&place, &limit);
	if (any_given(value))
		warn_of_reach(&place, value, &limit);
	warn_of_nothing(&place, value, &limit);
	warn_of_no_transactions(&place, value, &limit);
	if (value[PADV_MAX_SESSIONS] != PADV_NOT_SET || value[PADV_QUEUE_LENGTH] != PADV_NOT_SET)
		warn_of_queue(&limit);

	padv_row_limit(&row, &limit);
	padv_row_transaction_queue(&row, &limit);
	padv_row_share(&row, &limit);
	return padv_row_return(&row, fcinfo);
}

/*
 * clear_limit(role, database)
 */
Datum
pool_advisor_clear_limit(PG_FUNCTION_ARGS)
{
	Place		place;
	int32		all[PADV_LIMIT_SETTINGS] = {0};
	char	   *alter;

	padv_require_preloaded();
	read_place(fcinfo, &place);

	SPI_connect();
	alter = alter_place(&place);
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
		execute_alter(psprintf("%s RESET %s", alter, padv_limit_setting_name(i)));
	SPI_finish();
	CommandCounterIncrement();
	remove_other_spellings(&place, all);
	PG_RETURN_VOID();
}
