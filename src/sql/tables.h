/*
 * tables.h
 *		What several SQL functions show a row of: facts, roles and limits.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_TABLES_H
#define PADV_TABLES_H

#include "core/model/status.h"
#include "core/monitoring/metrics.h"
#include "shmem/admission.h"
#include "sql/limit_usage.h"

/* Texts are in the current memory context. */
typedef void (*PadvTellFact) (void *arg, const char *fact, const char *value, const char *source);
extern void padv_tell_hardware(const PadvStatus *status, PadvTellFact tell, void *arg);

/* The row and its counters are valid during the call. */
typedef void (*PadvTellRole) (void *arg, const PadvRoleRow *role,
							  const PadvRoleCounters *counters, const PadvLimits *limits);
extern void padv_tell_roles(PadvTellRole tell, void *arg);

/*
 * The limits of a usage that are shown, the fullest first, with names, and how
 * many there are; into an input that was zeroed.  Names are text in the encoding
 * of the database.
 */
extern void padv_metrics_read_limits(PadvMetricsInput *input, const PadvLimitUsage *usage);

#endif							/* PADV_TABLES_H */
