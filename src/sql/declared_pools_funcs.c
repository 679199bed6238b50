/*
 * declared_pools_funcs.c
 *		SQL functions that declare the pools in front of the server, and the
 *		advice about them.
 *
 * The pools are rows of a table, so that pg_dump keeps them.  The functions that
 * change it are SECURITY DEFINER, so that EXECUTE on them can be granted without
 * rights on the table; what comes from the caller is passed as parameters.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "compat.h"
#include "core/advice/pool_advice.h"
#include "core/sizing/client_config.h"
#include "core/text/utf8.h"
#include "shmem/status_shmem.h"
#include "sql/arguments.h"
#include "sql/rows.h"
#include "sql/server_status.h"

PG_FUNCTION_INFO_V1(pool_advisor_declare_pool);
PG_FUNCTION_INFO_V1(pool_advisor_forget_pool);
PG_FUNCTION_INFO_V1(pool_advisor_pool_advice);

/* As the table has it; advice has room for it. */
#define MAX_POOL_NAME 100

/* Columns of the table, and arguments of declare_pool. */
enum
{
	POOL_NAME,
	POOL_SYSTEM,
	POOL_PROCESSES,
	POOL_MAX_SIZE,
	POOL_ROLE,
	POOL_DATABASE,
	POOL_COLUMNS,
};

/* Whether a character, or a byte where it is not known what that is, shows nothing. */
static bool
is_blank(uint32 code, bool is_character)
{
	static const PadvCodes blanks[] = {
		{0, ' '}, {0x7F, 0xA0}, {0xAD, 0xAD}, {0x1680, 0x1680}, {0x180E, 0x180E},
		{0x2000, 0x200F}, {0x2028, 0x202F}, {0x205F, 0x2064}, {0x2800, 0x2800},
		{0x3000, 0x3000}, {0x3164, 0x3164}, {0xFEFF, 0xFEFF},
	};

	return (is_character || code <= 0x7F) && padv_codes_have(blanks, lengthof(blanks), code);
}

/* Views and advice would show such a name as nothing. */
static void
check_can_be_seen(const char *name)
{
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;

	while (*name != '\0')
	{
		uint32		code = utf8 ? padv_utf8_next(&name) : (unsigned char) *name++;

		if (!is_blank(code, utf8))
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for argument \"%s\"", "name"),
			 errhint("It must contain a visible character.")));
}

static void
check_pool_name(FunctionCallInfo fcinfo)
{
	int			length;

	padv_check_not_null(fcinfo, POOL_NAME, "name");
	length = (int) VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(POOL_NAME));
	if (length < 1 || length > MAX_POOL_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"%s\"", "name"),
				 errhint("It must have 1 to %d bytes.", MAX_POOL_NAME)));
	check_can_be_seen(text_to_cstring(PG_GETARG_TEXT_PP(POOL_NAME)));
}

static bool
pool_role_can_log_in(Oid role)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	bool		result = false;

	if (HeapTupleIsValid(tuple))
	{
		result = ((Form_pg_authid) GETSTRUCT(tuple))->rolcanlogin;
		ReleaseSysCache(tuple);
	}
	return result;
}

/* A typing error would never be noticed otherwise. */
static void
check_place(FunctionCallInfo fcinfo)
{
	if (!PG_ARGISNULL(POOL_ROLE) &&
		!OidIsValid(get_role_oid(NameStr(*PG_GETARG_NAME(POOL_ROLE)), true)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" does not exist", NameStr(*PG_GETARG_NAME(POOL_ROLE))),
				 errhint("Name the role that the pool connects as, or leave it out.")));
	if (!PG_ARGISNULL(POOL_ROLE) &&
		!pool_role_can_log_in(get_role_oid(NameStr(*PG_GETARG_NAME(POOL_ROLE)), false)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("role \"%s\" cannot log in", NameStr(*PG_GETARG_NAME(POOL_ROLE))),
				 errhint("Name the role that the pool connects as, or leave it out.")));
	if (!PG_ARGISNULL(POOL_DATABASE) &&
		!OidIsValid(get_database_oid(NameStr(*PG_GETARG_NAME(POOL_DATABASE)), true)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_DATABASE),
				 errmsg("database \"%s\" does not exist", NameStr(*PG_GETARG_NAME(POOL_DATABASE))),
				 errhint("Name the database that the pool connects to, or leave it out.")));
}

/* Returns how many rows were changed. */
static uint64
execute_pool_statement(const char *command, int nvalues, Oid *types, Datum *values, const char *nulls, int expected)
{
	uint64		rows;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	if (SPI_execute_with_args(command, nvalues, types, values, nulls, false, 0) != expected)
		elog(ERROR, "could not run \"%s\"", command);
	rows = SPI_processed;
	SPI_finish();
	return rows;
}

/*
 * declare_pool(name, system, processes, max_pool_size, role, database)
 */
Datum
pool_advisor_declare_pool(PG_FUNCTION_ARGS)
{
	Oid			types[POOL_COLUMNS] = {TEXTOID, TEXTOID, INT8OID, INT8OID, NAMEOID, NAMEOID};
	Datum		values[POOL_COLUMNS];
	char		nulls[POOL_COLUMNS];
	const PadvClientSystem *system;

	padv_require_preloaded();
	check_pool_name(fcinfo);
	padv_check_not_null(fcinfo, POOL_SYSTEM, "system");
	padv_check_not_null(fcinfo, POOL_PROCESSES, "processes");
	padv_check_not_null(fcinfo, POOL_MAX_SIZE, "max_pool_size");
	system = padv_check_client_system(text_to_cstring(PG_GETARG_TEXT_PP(POOL_SYSTEM)));
	padv_check_size(PG_GETARG_INT64(POOL_PROCESSES), 1, "processes");
	padv_check_size(PG_GETARG_INT64(POOL_MAX_SIZE), 1, "max_pool_size");
	check_place(fcinfo);

	for (int i = 0; i < POOL_COLUMNS; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	values[POOL_SYSTEM] = CStringGetTextDatum(system->name);
	execute_pool_statement("INSERT INTO pool_advisor.declared_pools AS d"
						   " (name, system, processes, max_pool_size, role, database)"
						   " VALUES ($1, $2, $3, $4, $5, $6)"
						   " ON CONFLICT (name) DO UPDATE SET (system, processes, max_pool_size, role, database) ="
						   " (excluded.system, excluded.processes, excluded.max_pool_size, excluded.role, excluded.database)",
						   POOL_COLUMNS, types, values, nulls, SPI_OK_INSERT);
	PG_RETURN_VOID();
}

/*
 * forget_pool(name)
 */
Datum
pool_advisor_forget_pool(PG_FUNCTION_ARGS)
{
	Oid			type = TEXTOID;
	Datum		name;

	padv_require_preloaded();
	padv_check_not_null(fcinfo, POOL_NAME, "name");
	name = PG_GETARG_DATUM(POOL_NAME);
	if (execute_pool_statement("DELETE FROM pool_advisor.declared_pools WHERE name = $1", 1, &type, &name, NULL,
							   SPI_OK_DELETE) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("pool \"%s\" is not declared", text_to_cstring(DatumGetTextPP(name))),
				 errhint("See the table pool_advisor.declared_pools for the declared pools.")));
	PG_RETURN_VOID();
}

/*
 * _pool_advice(pools, connections, name, system, processes and connections of
 * the largest); the view has them from the table.
 */
Datum
pool_advisor_pool_advice(PG_FUNCTION_ARGS)
{
	const PadvDeclared declared = {
		.pools = PG_GETARG_INT64(0),
		.connections = PG_GETARG_INT64(1),
		.largest = text_to_cstring(PG_GETARG_TEXT_PP(2)),
		.largest_system = text_to_cstring(PG_GETARG_TEXT_PP(3)),
		.largest_processes = PG_GETARG_INT64(4),
		.largest_connections = PG_GETARG_INT64(5),
	};
	PadvLocalStatus local;
	PadvAdvice	advice[PADV_MAX_POOL_ADVICE];
	int			count;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	padv_read_local_status(&local, false);
	count = padv_advise_pools(&local, &declared, advice);
	for (int i = 0; i < count; i++)
		padv_row_advice(fcinfo, &advice[i]);
	return (Datum) 0;
}
