/*
 * set_limit.c
 *		SQL functions that set and clear caps.
 *
 * They check what single settings cannot: that role and database are there,
 * and that the numbers go together.  Then they run the ALTER ROLE or ALTER
 * DATABASE that a DBA would, in the caller's transaction, so that all of it is
 * done or nothing.
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
#include "catalog/indexing.h"
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
#include "limits/stored.h"
#include "settings.h"
#include "shared.h"
#include "sql/rows.h"

PG_FUNCTION_INFO_V1(padv_set_limit);
PG_FUNCTION_INFO_V1(padv_clear_limit);

/* What a cap is set on; a name is NULL for any. */
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

static int32
check_number(int64 value, int64 lowest, int64 highest, const char *argument, const char *hint)
{
	if (value < lowest || value > highest)
		ereport(ERROR,
				(errcode(value < lowest ? ERRCODE_INVALID_PARAMETER_VALUE :
						 ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("invalid value for argument \"%s\": %lld", argument, (long long) value),
				 errhint("%s", hint)));
	return (int32) value;
}

/* An argument, or PADV_NOT_SET. */
static int32
read_number(FunctionCallInfo fcinfo, int number, const char *argument)
{
	if (PG_ARGISNULL(number))
		return PADV_NOT_SET;
	return check_number(PG_GETARG_INT32(number), PADV_UNLIMITED, MAX_BACKENDS, argument,
						"It must be a number of sessions, or -1 for no limit.");
}

/* Under 0 nobody could ever begin a transaction. */
static int32
read_max_active(FunctionCallInfo fcinfo, int number)
{
	const char *hint = "It must be a number of transactions, at least 1, or -1 for no limit.";
	int32		value;

	if (PG_ARGISNULL(number))
		return PADV_NOT_SET;
	value = check_number(PG_GETARG_INT32(number), PADV_UNLIMITED, MAX_BACKENDS, "max_active", hint);
	return value == 0 ? check_number(0, 1, MAX_BACKENDS, "max_active", hint) : value;
}

/* An interval as milliseconds, or PADV_NOT_SET; what is below one counts as one. */
static int32
read_interval(FunctionCallInfo fcinfo, int number, int lowest, const char *argument)
{
	const Interval *interval;
	double		milliseconds;

	if (PG_ARGISNULL(number))
		return PADV_NOT_SET;
	interval = PG_GETARG_INTERVAL_P(number);
	milliseconds = ((double) interval->month * DAYS_PER_MONTH + interval->day) * SECS_PER_DAY * 1000.0 +
		(double) interval->time / 1000.0;
	if (milliseconds > 0.0 && milliseconds < 1.0)
		milliseconds = 1.0;
	if (milliseconds < lowest || milliseconds > INT_MAX)
		ereport(ERROR,
				(errcode(milliseconds < lowest ? ERRCODE_INVALID_PARAMETER_VALUE :
						 ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("invalid value for argument \"%s\"", argument),
				 errhint(lowest == 0 ? "It must be from 0, which is never, to 24 days." :
						 "It must be longer than 0 and at most 24 days.")));
	return (int32) milliseconds;
}

/* What is set at a place already. */
static void
read_current(const Place *place, int32 value[PADV_CAP_SETTINGS])
{
	Relation	relation = table_open(DbRoleSettingRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_db_role_setting_setdatabase, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(place->database_oid));
	ScanKeyInit(&keys[1], Anum_pg_db_role_setting_setrole, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(place->role_oid));
	scan = systable_beginscan(relation, DbRoleSettingDatidRolidIndexId, true, NULL, 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		null;
		Datum		settings = heap_getattr(tuple, Anum_pg_db_role_setting_setconfig,
											RelationGetDescr(relation), &null);

		if (!null)
			(void) padv_read_stored(DatumGetArrayTypeP(settings), value);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
}

/* As they will be together with what is set already. */
static void
check_core(const Place *place, const int32 *value)
{
	int32		together[PADV_CAP_SETTINGS];
	int32		max;
	int32		core;

	for (int i = 0; i < PADV_CAP_SETTINGS; i++)
		together[i] = PADV_NOT_SET;
	read_current(place, together);
	max = value[PADV_MAX_SESSIONS] != PADV_NOT_SET ? value[PADV_MAX_SESSIONS] : together[PADV_MAX_SESSIONS];
	core = value[PADV_MIN_SESSIONS] != PADV_NOT_SET ? value[PADV_MIN_SESSIONS] : together[PADV_MIN_SESSIONS];
	if (max >= 0 && core > max)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_sessions (%d) is larger than max_sessions (%d)", core, max),
				 errhint("Sessions up to min_sessions are kept, those from there to max_sessions are closed when idle.")));
}

/* A login that waits has a connection, and not all may be able to. */
static void
warn_of_queue(const Place *place, const int32 *value)
{
	int32		usable = MaxConnections - padv_reserved_connections();
	PadvCap		cap;

	for (int i = 0; i < PADV_CAP_SETTINGS; i++)
		cap.value[i] = PADV_NOT_SET;
	read_current(place, cap.value);
	for (int i = 0; i < PADV_CAP_SETTINGS; i++)
		if (value[i] != PADV_NOT_SET)
			cap.value[i] = value[i];
	if (cap.value[PADV_QUEUE_LENGTH] != PADV_NOT_SET && padv_cap_queue_above(&cap, usable))
		ereport(WARNING,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_sessions and queue_length together allow more than the %d connections that ordinary roles can have", usable),
				 errdetail("A login that waits has a connection. Logins that find too few free connections to wait in are refused; \"pool_advisor.queue_share\" says how many they may take."),
				 errhint("Set a shorter queue_length.")));
}

static void
run(const char *command)
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
 *			 queue_length, queue_timeout, max_active)
 */
Datum
padv_set_limit(PG_FUNCTION_ARGS)
{
	Place		place;
	int32		value[PADV_CAP_SETTINGS];
	char	   *alter;

	padv_require_preloaded();
	read_place(fcinfo, &place);
	value[PADV_MAX_SESSIONS] = read_number(fcinfo, 2, "max_sessions");
	value[PADV_MIN_SESSIONS] = read_number(fcinfo, 3, "min_sessions");
	value[PADV_SESSION_IDLE_TIMEOUT] = read_interval(fcinfo, 4, 0, "session_idle_timeout");
	value[PADV_QUEUE_LENGTH] = read_number(fcinfo, 5, "queue_length");
	value[PADV_QUEUE_TIMEOUT] = read_interval(fcinfo, 6, 1, "queue_timeout");
	value[PADV_MAX_ACTIVE] = read_max_active(fcinfo, 7);
	check_core(&place, value);
	warn_of_queue(&place, value);
	if (OidIsValid(place.role_oid) && superuser_arg(place.role_oid))
		ereport(WARNING,
				(errmsg("the cap has no effect on role \"%s\" itself, which is a superuser", place.role),
				 errdetail("Superusers are neither refused nor counted.")));

	SPI_connect();
	alter = alter_place(&place);
	for (int i = 0; i < PADV_CAP_SETTINGS; i++)
		if (value[i] != PADV_NOT_SET)
			run(psprintf("%s SET %s = %s%d%s", alter, padv_cap_setting_name(i),
						 padv_cap_setting_is_time(i) ? "'" : "", value[i], padv_cap_setting_is_time(i) ? "ms'" : ""));
	SPI_finish();
	PG_RETURN_VOID();
}

/*
 * clear_limit(role, database)
 */
Datum
padv_clear_limit(PG_FUNCTION_ARGS)
{
	Place		place;
	char	   *alter;

	padv_require_preloaded();
	read_place(fcinfo, &place);

	SPI_connect();
	alter = alter_place(&place);
	for (int i = 0; i < PADV_CAP_SETTINGS; i++)
		run(psprintf("%s RESET %s", alter, padv_cap_setting_name(i)));
	SPI_finish();
	PG_RETURN_VOID();
}
