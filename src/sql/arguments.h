/*
 * arguments.h
 *		Checks of arguments that several SQL functions share.
 *
 * They raise an error for an invalid argument, and return otherwise.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ARGUMENTS_H
#define PADV_ARGUMENTS_H

#include "fmgr.h"

#include "core/sizing/client_config.h"

/*
 * Raise ERRCODE_INVALID_PARAMETER_VALUE unless the value is finite and greater
 * than 0, or 0 if zero_makes_sense.
 */
extern void padv_check_argument(double value, bool zero_makes_sense, const char *name);

/* The same, unless an integer is at least `lowest`. */
extern void padv_check_number(int64 number, int64 lowest, const char *name);

/* The same, unless a number of connections, threads or processes is in a sensible range. */
extern void padv_check_size(int64 size, int64 lowest, const char *name);

/*
 * Raise ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE for a result that is too large.  `what` names
 * the result, `hint` is a sentence.
 */
extern void padv_out_of_range(const char *what, const char *hint);

/* The system of this name; raises ERRCODE_INVALID_PARAMETER_VALUE for another name. */
extern const PadvClientSystem *padv_check_client_system(const char *name);

/* Raise ERRCODE_INVALID_PARAMETER_VALUE if an argument is NULL. */
extern void padv_check_not_null(FunctionCallInfo fcinfo, int number, const char *name);

#endif							/* PADV_ARGUMENTS_H */
