/*
 * axis.h
 *		Round values for the axes of a chart, and their labels.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_AXIS_H
#define PADV_AXIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The size of a label, with its terminating NUL. */
#define PADV_LABEL 16

#define PADV_SECOND INT64_C(1000000)	/* microseconds, the unit of
										 * timestamps */

/*
 * The range of an axis.  A linear axis has ticks at multiples of step.  A
 * logarithmic axis has ticks at 1, 2 and 5 times the powers of ten.
 */
typedef struct PadvScale
{
	bool		logarithmic;
	double		low;
	double		high;
	double		step;			/* 0 if logarithmic */
} PadvScale;

/*
 * The smallest number of the form 1, 2 or 5 times a power of ten that is not below
 * value.
 */
extern double padv_round_up(double value);

/* A linear scale from 0 to a tick at or above greatest, with at most most_ticks steps. */
extern PadvScale padv_scale_linear(double greatest, int most_ticks);

/*
 * A logarithmic scale from a round number at or below least to one at or above
 * greatest.  Both are greater than 0.
 */
extern PadvScale padv_scale_logarithmic(double least, double greatest);

/* The next tick.  The first one is scale->low.  The result can be above scale->high. */
extern double padv_scale_next(const PadvScale *scale, double tick);

/*
 * The position of a value: 0 at scale->low, 1 at scale->high.  Values outside of
 * the range have positions outside of 0..1.
 */
extern double padv_scale_position(const PadvScale *scale, double value);

/* The value at a position; the inverse of padv_scale_position. */
extern double padv_scale_value(const PadvScale *scale, double place);

/* Write a number with three digits and, if needed, an SI prefix: 0.25, 41.9, 12k. */
extern void padv_label_number(double value, char *label, size_t size);

/* Write a count: like padv_label_number, but without a prefix up to 999999. */
extern void padv_label_count(int64_t value, char *label, size_t size);

/* Write a duration in the largest unit that fits: 45 s, 10 min, 1.5 h, 14 days. */
extern void padv_label_span(int64_t microseconds, char *label, size_t size);

/*
 * The smallest round number of seconds for the ticks of a time axis that is not
 * below seconds; at most a week.
 */
extern int64_t padv_clock_step(double seconds);

/*
 * Write the label of a tick on a time axis: a time of day, or a date at midnight if
 * the step is at least a minute.  local is local time in microseconds since
 * 2000-01-01; step is in seconds.
 */
extern void padv_label_clock(int64_t local, int64_t step, char *label, size_t size);

/* The number of characters of these labels. */
extern int	padv_clock_label_width(int64_t step);

#endif							/* PADV_AXIS_H */
