/*
 * names.h
 *		Comparing names that are written in several ways.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_NAMES_H
#define PADV_NAMES_H

#include <stdbool.h>

/*
 * Whether two names are the same; only letters and digits count, in either
 * case: "R2DBC-pool" is "r2dbc_pool".
 */
extern bool padv_same_name(const char *a, const char *b);

#endif							/* PADV_NAMES_H */
