/*
 * tables.h
 *		Facts, roles, found pools and limits, for the SQL functions that show a row for each.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_TABLES_H
#define PADV_TABLES_H

#include "core/advice/found_pools.h"
#include "core/model/status.h"
#include "core/monitoring/metrics.h"
#include "shmem/admission.h"
#include "sql/limit_usage.h"

/* Call `tell` for each fact about the machine; strings are in the current memory context. */
typedef void (*PadvTellFact) (void *arg, const char *fact, const char *value, const char *source);
extern void padv_tell_hardware(const PadvStatus *status, PadvTellFact tell, void *arg);

/* Call `tell` for each role; the row and its counters are valid during that call. */
typedef void (*PadvTellRole) (void *arg, const PadvRoleRow *role,
							  const PadvRoleCounters *counters, const PadvLimits *limits);
extern void padv_tell_roles(PadvTellRole tell, void *arg);

/*
 * Copy the pools that were found, most open connections first, with their names; returns
 * their number.  All of it is in the current memory context.
 */
extern int	padv_read_pools(PadvNamedPool **named);

/*
 * Write the limits that are shown, the fullest first, with their names and number, to an
 * input that was zeroed.  Names are in the encoding of the database, and in the current
 * memory context.
 */
extern void padv_metrics_read_limits(PadvMetricsInput *input, const PadvLimitUsage *usage);

#endif							/* PADV_TABLES_H */
