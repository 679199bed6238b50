/*
 * arguments.h
 *		Checks that the planning functions share.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ARGUMENTS_H
#define PADV_ARGUMENTS_H

#include "fmgr.h"

/*
 * Raise ERRCODE_INVALID_PARAMETER_VALUE unless the value is finite and greater
 * than 0, or 0 where that makes sense.  Integers are checked by it too: their
 * sign survives the conversion.
 */
extern void padv_check_argument(double value, bool zero_makes_sense, const char *name);

/* Raise ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE for a result that does not fit. */
extern void padv_out_of_range(const char *what, const char *hint);

#endif							/* PADV_ARGUMENTS_H */
