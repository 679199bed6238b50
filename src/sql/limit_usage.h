/*
 * limit_usage.h
 *		The caps in force, and how many sessions each has.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_CENSUS_H
#define PADV_CENSUS_H

#include "core/policy/limits.h"
#include "shmem/xact_slots.h"
#include "sql/rows.h"

/* As of one moment; in the current memory context. */
typedef struct PadvCensus
{
	PadvCaps   *caps;
	int32	   *in_use;			/* by cap */
	int32		default_in_use;
	PadvTurnsInUse turns;
} PadvCensus;

extern void padv_take_census(PadvCensus *census);

/* A row of a cap's place and settings, as the view limits begins. */
extern void padv_row_cap(PadvRow *row, const PadvCap *cap);

/* How transactions wait under it, as that view ends. */
extern void padv_row_transaction_queue(PadvRow *row, const PadvCap *cap);

/* What a role may have by its own cap, or by the default; -1 is no limit. */
extern int32 padv_role_cap(const PadvCaps *caps, Oid role, PadvCapSetting setting);

#endif							/* PADV_CENSUS_H */
