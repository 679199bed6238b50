/*
 * blockers_funcs.c
 *		SQL functions about sessions that block others, and the summary.
 *
 * Copies the published rows out and gives names to their numbers.  Never waits for
 * the worker and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "compat.h"
#include "core/advice/summary.h"
#include "shmem/status_shmem.h"
#include "sql/rows.h"
#include "sql/server_status.h"

PG_FUNCTION_INFO_V1(pool_advisor_blockers);
PG_FUNCTION_INFO_V1(pool_advisor_summary);

/*
 * The name of a prepared transaction in the current memory context, or NULL when it
 * has ended.  Only this function of PostgreSQL has it.
 */
char *
padv_prepared_name(TransactionId xid)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {XIDOID};
	Datum		values[] = {TransactionIdGetDatum(xid)};
	char	   *name = NULL;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	if (SPI_execute_with_args("SELECT gid FROM pg_catalog.pg_prepared_xact() AS p"
							  " WHERE p.transaction OPERATOR(pg_catalog.=) $1",
							  1, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read prepared transactions");
	if (SPI_processed > 0)
	{
		char	   *found = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);

		name = found ? MemoryContextStrdup(caller, found) : NULL;
	}
	SPI_finish();
	return name;
}

static void
add_text(PadvRow *row, const char *text)
{
	if (text == NULL)
		padv_row_null(row);
	else
		padv_row_text(row, text);
}

/* Tenths of a second are enough for people. */
static void
add_seconds(PadvRow *row, double seconds)
{
	padv_row_known_float(row, floor(seconds * 10.0 + 0.5) / 10.0);
}

static void
store_blocker(FunctionCallInfo fcinfo, const PadvBlocker *blocker)
{
	bool		named = OidIsValid(blocker->role);
	PadvRow		row = {0};

	padv_row_add(&row, Int32GetDatum(blocker->pid), false);
	padv_row_name(&row, named ? padv_role_name(blocker->role) : NULL);
	padv_row_name(&row, OidIsValid(blocker->database) ? get_database_name(blocker->database) : NULL);
	add_text(&row, blocker->pid != 0 ? blocker->application : NULL);
	padv_row_text(&row, padv_blocker_state_name(blocker->state));
	add_seconds(&row, blocker->xact_seconds);
	padv_row_int(&row, blocker->blocked_directly);
	padv_row_int(&row, blocker->blocked);
	add_seconds(&row, blocker->longest_wait_seconds);
	add_seconds(&row, blocker->blocking_seconds);
	padv_row_add(&row, Int64GetDatum(blocker->query_id), blocker->query_id == 0);
	add_text(&row, blocker->pid == 0 ? padv_prepared_name(blocker->xid) : NULL);
	padv_row_store(&row, fcinfo);
}

/*
 * One row for each root, the one that blocks most first; no row when no session waits.
 */
Datum
pool_advisor_blockers(PG_FUNCTION_ARGS)
{
	PadvBlocker *blockers;
	int			count;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	count = padv_status_copy_blockers(&blockers);
	for (int i = 0; i < count; i++)
		store_blocker(fcinfo, &blockers[i]);
	return (Datum) 0;
}

/*
 * The state in a few rows.
 */
Datum
pool_advisor_summary(PG_FUNCTION_ARGS)
{
	PadvLocalStatus local;
	PadvSummaryRow rows[PADV_SUMMARY_ROWS];

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	padv_read_local_status(&local, true);
	padv_summary(&local, rows);
	for (int i = 0; i < PADV_SUMMARY_ROWS; i++)
	{
		PadvRow		row = {0};

		padv_row_text(&row, rows[i].item);
		padv_row_text(&row, rows[i].state);
		padv_row_store(&row, fcinfo);
	}
	return (Datum) 0;
}
