/*
 * openmetrics.h
 *		Series as text that Prometheus and its kin read.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_OPENMETRICS_H
#define PADV_OPENMETRICS_H

#include "core/monitoring/metrics.h"

/*
 * The text of OpenMetrics 1.0, piece by piece.  The names in the input are valid
 * UTF-8, or the text is not.  It ends with "# EOF", without a newline, which
 * the format leaves open and psql adds.
 */
extern void padv_openmetrics(const PadvMetricsInput *input,
							 void (*emit) (void *arg, const char *text), void *arg);

/* Room for any number that padv_write_number writes. */
#define PADV_NUMBER 32

/* The shortest of 15 to 17 digits that reads as the same number. */
extern void padv_write_number(char text[PADV_NUMBER], double value);

#endif							/* PADV_OPENMETRICS_H */
