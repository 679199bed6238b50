/*
 * check_load.h
 *		The load as a check of a monitoring system: one status, one line.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_CHECK_LOAD_H
#define PADV_CHECK_LOAD_H

#include "core/model/health.h"

/*
 * No figure is negative, and none so small that it is written with an exponent,
 * because programs read them that know digits and points only.
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
 * The status is that of health.h.  With thresholds, load_ratio above one is what the
 * threshold says, and of the other states only a stall counts; 0 < warning <= critical,
 * and a negative one is not given.
 */
extern void padv_check_load(const PadvLocalStatus *local, int64_t usable_connections,
							double warning, double critical, PadvLoadCheck *check);

#endif							/* PADV_CHECK_LOAD_H */
