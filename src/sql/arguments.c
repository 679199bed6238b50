/*
 * arguments.c
 *		Checks that the planning functions share, and the words for them.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"

#include "core/sizing/queueing.h"
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
padv_check_number(int64 number, int64 lowest, const char *name)
{
	if (number >= lowest)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for argument \"%s\": %lld", name, (long long) number),
			 errhint("It must be at least %lld.", (long long) lowest)));
}

void
padv_check_size(int64 size, int64 lowest, const char *name)
{
	if (size >= lowest && size <= PADV_MAX_SERVERS)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for argument \"%s\": %lld", name, (long long) size),
			 errhint("It must be between %lld and %d.", (long long) lowest, PADV_MAX_SERVERS)));
}

void
padv_out_of_range(const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("the %s is out of range", what),
			 errhint("%s", hint)));
}

static char *
list_systems(void)
{
	StringInfoData list;

	initStringInfo(&list);
	for (const PadvClientSystem *system = padv_client_systems; system->name != NULL; system++)
		appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", system->name);
	return list.data;
}

const PadvClientSystem *
padv_check_client_system(const char *name)
{
	const PadvClientSystem *system = padv_find_client_system(name);

	if (system == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized system: \"%s\"", name),
				 errhint("System must be one of: %s.", list_systems())));
	return system;
}

void
padv_check_not_null(FunctionCallInfo fcinfo, int number, const char *name)
{
	if (PG_ARGISNULL(number))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be null", name),
				 errhint("Give a value, or leave it out if it has a default.")));
}
