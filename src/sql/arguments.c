/*
 * arguments.c
 *		Checks that the planning functions share, and the words for them.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <math.h>

#include "sql/arguments.h"

/* A size can be neither negative, nor infinite, nor not a number. */
void
padv_check_argument(double value, bool zero_makes_sense, const char *name)
{
	if (isfinite(value) && (value > 0.0 || (value == 0.0 && zero_makes_sense)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for argument \"%s\": %g", name, value),
			 zero_makes_sense ? errhint("It must be a finite number and not negative.") :
			 errhint("It must be a finite number greater than 0.")));
}

void
padv_out_of_range(const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("the %s is out of range", what),
			 errhint("%s", hint)));
}
