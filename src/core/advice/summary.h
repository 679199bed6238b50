/*
 * summary.h
 *		The state of the server in a few short rows.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SUMMARY_H
#define PADV_SUMMARY_H

#include "core/model/status.h"

#define PADV_SUMMARY_ROWS 8

/* The sizes fit into 80 columns in psql. */
#define PADV_SUMMARY_ITEM 10
#define PADV_SUMMARY_STATE 64

typedef struct PadvSummaryRow
{
	const char *item;			/* at most PADV_SUMMARY_ITEM characters */
	char		state[PADV_SUMMARY_STATE + 1];	/* ASCII */
} PadvSummaryRow;

extern void padv_summary(const PadvLocalStatus *local, PadvSummaryRow rows[PADV_SUMMARY_ROWS]);

#endif							/* PADV_SUMMARY_H */
