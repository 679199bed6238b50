/*
 * load_rows.h
 *		The load of a period by dimension, with names.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LOAD_ROWS_H
#define PADV_LOAD_ROWS_H

#include "core/stats/load_by.h"

/* The load of a period; its keys are in the current memory context. */
typedef struct PadvLoadRead
{
	PadvLoadTotal total;
	int			count[PADV_DIMENSIONS];
	PadvLoadKey *keys[PADV_DIMENSIONS];
} PadvLoadRead;

/*
 * Copy the intervals of a period.  Takes the lock of load_shmem.c for each of them, so
 * intervals that end meanwhile do not count.
 */
extern void padv_read_load(PadvLoadPeriod period, PadvLoadRead *read);

/*
 * The name of a row's key: the role or the database by name, "(none)", "(others)".  Reads
 * catalogs, so it may raise.  In the current memory context, or constant.
 */
extern const char *padv_load_key_name(PadvDimension dimension, const PadvLoadRow *row);

#endif							/* PADV_LOAD_ROWS_H */
