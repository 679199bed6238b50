/*
 * axis.h
 *		Round numbers and moments for the axes of a drawing, and their labels.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_AXIS_H
#define PADV_AXIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any label. */
#define PADV_LABEL 16

#define PADV_SECOND INT64_C(1000000)	/* in microseconds, as moments are */

/*
 * From low to high, by ticks a step apart; logarithmic ones are at 1, 2 and 5
 * times the powers of ten instead.
 */
typedef struct PadvScale
{
	bool		logarithmic;
	double		low;
	double		high;
	double		step;			/* 0 in logarithmic ones */
} PadvScale;

/* The smallest of 1, 2 and 5 times a power of ten that is not below the value. */
extern double padv_round_up(double value);

/* From 0 to the next tick at or above the greatest value, by few enough ticks. */
extern PadvScale padv_scale_linear(double greatest, int most_ticks);

/* From and to a round number around values greater than 0. */
extern PadvScale padv_scale_logarithmic(double least, double greatest);

/* The tick after this one, which may lie beyond the end; the first is low. */
extern double padv_scale_next(const PadvScale *scale, double tick);

/* Where a value is, 0 at low and 1 at high, also beyond. */
extern double padv_scale_place(const PadvScale *scale, double value);

/* The value that is there. */
extern double padv_scale_value(const PadvScale *scale, double place);

/* Three digits and a suffix of the SI where it is needed: 0.25, 41.9, 12k. */
extern void padv_label_number(double value, char *label, size_t size);

/* The same without a suffix up to 999999, for counts. */
extern void padv_label_count(int64_t value, char *label, size_t size);

/* A time span in its largest round unit: 45 s, 10 min, 1.5 h, 14 days. */
extern void padv_label_span(int64_t microseconds, char *label, size_t size);

/* The smallest step of a clock, in seconds, that is not below this; at most a week. */
extern int64_t padv_clock_step(double seconds);

/*
 * A moment as a clock on the wall shows it, for ticks of such a step: a time, or
 * a date where a day begins and the step is a minute or more.  Moments are
 * microseconds of local time since the start of 2000.
 */
extern void padv_label_clock(int64_t local, int64_t step, char *label, size_t size);

/* Columns that such labels take. */
extern int	padv_clock_label_width(int64_t step);

#endif							/* PADV_AXIS_H */
