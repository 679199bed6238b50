/*
 * rows.h
 *		Building result rows from C values.
 *
 * Used by the SQL functions only.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ROWS_H
#define PADV_ROWS_H

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "sql/encoding.h"

#define PADV_MAX_COLUMNS 64

/* A row being filled from left to right. */
typedef struct PadvRow
{
	int			count;
	Datum		values[PADV_MAX_COLUMNS];
	bool		nulls[PADV_MAX_COLUMNS];
} PadvRow;

static inline void
padv_row_add(PadvRow *row, Datum value, bool null)
{
	Assert(row->count < PADV_MAX_COLUMNS);
	row->values[row->count] = value;
	row->nulls[row->count] = null;
	row->count++;
}

static inline void
padv_row_int(PadvRow *row, int64 value)
{
	padv_row_add(row, Int64GetDatum(value), false);
}

static inline void
padv_row_float(PadvRow *row, double value)
{
	padv_row_add(row, Float8GetDatum(value), false);
}

/* A figure that is negative when it is not known: NULL then. */
static inline void
padv_row_known_float(PadvRow *row, double value)
{
	padv_row_add(row, Float8GetDatum(value), value < 0.0);
}

/*
 * Four significant digits, which is what a person reads.  Multiplies and divides by whole
 * powers of ten only, so that the result is the number with the fewest digits.
 */
static inline double
padv_four_digits(double value)
{
	double		exponent;
	double		scale;

	if (value == 0.0 || !isfinite(value))
		return value;
	exponent = 3.0 - floor(log10(fabs(value)));
	scale = pow(10.0, fabs(exponent));
	return exponent < 0.0 ? rint(value / scale) * scale : rint(value * scale) / scale;
}

/* A figure that is read by people and by programs. */
static inline void
padv_row_rounded(PadvRow *row, double value)
{
	padv_row_float(row, padv_four_digits(value));
}

/* The same for a figure that is negative when it is not known: NULL then. */
static inline void
padv_row_known_rounded(PadvRow *row, double value)
{
	padv_row_known_float(row, padv_four_digits(value));
}

/* A figure for people: four significant digits. */
static inline void
padv_row_figure(PadvRow *row, double value)
{
	char		digits[32];

	snprintf(digits, sizeof(digits), "%.4g", value);
	padv_row_add(row, DirectFunctionCall3(numeric_in, CStringGetDatum(digits),
										  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)), false);
}

/* The same for a figure that is negative when it is not known: NULL then. */
static inline void
padv_row_known_figure(PadvRow *row, double value)
{
	if (value < 0.0)
		padv_row_add(row, (Datum) 0, true);
	else
		padv_row_figure(row, value);
}

static inline void
padv_row_bool(PadvRow *row, bool value)
{
	padv_row_add(row, BoolGetDatum(value), false);
}

/*
 * The value is copied, so the caller may reuse its buffer.  It may have names in it, so
 * what the client could not be sent is replaced.
 */
static inline void
padv_row_text(PadvRow *row, const char *value)
{
	padv_row_add(row, CStringGetTextDatum(padv_clean_text(value)), false);
}

/* The value is copied as above; NULL is NULL. */
static inline void
padv_row_name(PadvRow *row, const char *value)
{
	NameData   *copy = palloc0(sizeof(NameData));

	if (value != NULL)
		namestrcpy(copy, padv_clean_text(value));
	padv_row_add(row, NameGetDatum(copy), value == NULL);
}

static inline void
padv_row_null(PadvRow *row)
{
	padv_row_add(row, (Datum) 0, true);
}

/*
 * Raise an error if the SQL objects are newer than the loaded library.  If they are older,
 * the row has more columns at its end, which are left out.
 */
static inline void
padv_row_check(const PadvRow *row, int columns)
{
	if (row->count < columns)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pool_advisor's SQL objects are newer than its loaded library"),
				 errdetail("The function must return %d columns, and the library returns %d.", columns, row->count),
				 errhint("Restart the server, so that it loads the installed library.")));
}

/* Put the row into the result of a materialized function; start a new one. */
static inline void
padv_row_store(PadvRow *row, FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	padv_row_check(row, result->setDesc->natts);
	tuplestore_putvalues(result->setResult, result->setDesc, row->values, row->nulls);
	row->count = 0;
}

/* Store a row of one sentence; arg is the fcinfo. */
static inline void
padv_row_sentence(void *arg, const char *sentence)
{
	PadvRow		row = {0};

	padv_row_text(&row, sentence);
	padv_row_store(&row, (FunctionCallInfo) arg);
}

/* The result of a function that returns one row; evaluates to its Datum. */
static inline Datum
padv_row_return(PadvRow *row, FunctionCallInfo fcinfo)
{
	TupleDesc	tupdesc;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	padv_row_check(row, tupdesc->natts);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc),
											 row->values, row->nulls));
}

#endif							/* PADV_ROWS_H */
