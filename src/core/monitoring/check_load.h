/*
 * check_load.h
 *		The load as a check of a monitoring system: a status and one line of text.
 *
 * Pure: nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_CHECK_LOAD_H
#define PADV_CHECK_LOAD_H

#include "core/model/health.h"

/*
 * The figures are not negative, and not so small that they are written with an exponent,
 * because some programs that read them know only digits and points.
 */
typedef struct PadvLoadCheck
{
	PadvCheckStatus status;
	double		load_ratio;
	double		demand_avg;
	double		active_avg;
	int64_t		optimal;
	int64_t		sessions;
	int64_t		queued;
	int64_t		usable_connections;
	double		sample_age_seconds;
	char		message[768];
} PadvLoadCheck;

/*
 * Write the result to *check.  Without thresholds the status is that of health.h.  With
 * thresholds of load_ratio the status is the highest one exceeded, and of the other
 * states only a stall counts.  0 < warning <= critical; a negative threshold is not given.
 */
extern void padv_check_load(const PadvLocalStatus *local, int64_t usable_connections,
							double warning, double critical, PadvLoadCheck *check);

#endif							/* PADV_CHECK_LOAD_H */
