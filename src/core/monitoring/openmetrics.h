/*
 * openmetrics.h
 *		The metrics as text in the OpenMetrics format, for Prometheus and others.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_OPENMETRICS_H
#define PADV_OPENMETRICS_H

#include "core/monitoring/metrics.h"

/*
 * Call `emit` for each piece of a text in OpenMetrics 1.0.  The text is valid UTF-8 if the
 * names in the input are.  It ends with "# EOF", without a newline, which is optional in
 * the format and added by psql.
 */
extern void padv_openmetrics(const PadvMetricsInput *input,
							 void (*emit) (void *arg, const char *text), void *arg);

/* Bytes for any number that padv_write_number writes, with the NUL. */
#define PADV_NUMBER 32

/* Write a number with 15 to 17 digits, as few as read back as the same number. */
extern void padv_write_number(char text[PADV_NUMBER], double value);

#endif							/* PADV_OPENMETRICS_H */
