/*
 * arguments.h
 *		Checks that the planning functions share.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ARGUMENTS_H
#define PADV_ARGUMENTS_H

#include "fmgr.h"

#include "core/sizing/client_config.h"

/*
 * Raise ERRCODE_INVALID_PARAMETER_VALUE unless the value is finite and greater
 * than 0, or 0 where that makes sense.
 */
extern void padv_check_argument(double value, bool zero_makes_sense, const char *name);

/* The same unless an integer is at least this. */
extern void padv_check_number(int64 number, int64 lowest, const char *name);

/* The same for a number of connections, threads or processes worth computing with. */
extern void padv_check_size(int64 size, int64 lowest, const char *name);

/* Raise ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE for a result that does not fit. */
extern void padv_out_of_range(const char *what, const char *hint);

/* The system of that name, or ERRCODE_INVALID_PARAMETER_VALUE with a list. */
extern const PadvClientSystem *padv_check_client_system(const char *name);

/* Raise ERRCODE_INVALID_PARAMETER_VALUE if an argument is NULL. */
extern void padv_check_not_null(FunctionCallInfo fcinfo, int number, const char *name);

#endif							/* PADV_ARGUMENTS_H */
