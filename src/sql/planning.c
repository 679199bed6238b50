/*
 * planning.c
 *		SQL functions that compute sizes from their arguments alone.
 *
 * Checks the arguments; the arithmetic is in the pure core.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"

#include "core/model.h"
#include "shared.h"

PG_FUNCTION_INFO_V1(padv_formula_size_sql);

/* A size can be neither negative, nor infinite, nor not a number. */
static void
check_argument(double value, bool zero_makes_sense, const char *name)
{
	if (isfinite(value) && (value > 0.0 || (value == 0.0 && zero_makes_sense)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for argument \"%s\": %g", name, value),
			 zero_makes_sense ? errhint("It must be a finite number and not negative.") :
			 errhint("It must be a finite number greater than 0.")));
}

/*
 * formula_size(core_count, effective_spindle_count, connections_per_core)
 */
Datum
padv_formula_size_sql(PG_FUNCTION_ARGS)
{
	double		cores = PG_GETARG_FLOAT8(0);
	double		spindles = PG_GETARG_FLOAT8(1);
	double		per_core = PG_GETARG_FLOAT8(2);
	int64		size;

	padv_require_preloaded();
	check_argument(cores, false, "core_count");
	check_argument(spindles, true, "effective_spindle_count");
	check_argument(per_core, false, "connections_per_core");

	size = padv_formula_size(cores, spindles, per_core);
	if (size == PG_INT64_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the number of connections is out of range"),
				 errhint("No machine has this many cores or disks.")));
	PG_RETURN_INT64(size);
}
