/*
 * daily_peak.h
 *		The most connections in use at once, by day.
 *
 * Pure: plain data of the caller; times are wall clock, in microseconds.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_DAILY_PEAK_H
#define PADV_DAILY_PEAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The 14 days before today, and today. */
#define PADV_PEAK_DAYS 15

typedef struct PadvDailyPeak
{
	int64_t		day[PADV_PEAK_DAYS];	/* since the epoch of the clock;
										 * INT64_MIN: none */
	double		connections[PADV_PEAK_DAYS];
} PadvDailyPeak;

extern void padv_peak_init(PadvDailyPeak *peak);

/* Note that so many connections were in use at this time. */
extern void padv_peak_add(PadvDailyPeak *peak, int64_t at, double connections);

/* The most of the day of this time and the 14 days before; 0 when none is known. */
extern int64_t padv_peak_most(const PadvDailyPeak *peak, int64_t at);

/* The number of days between the first of these days and this time. */
extern int64_t padv_peak_days(const PadvDailyPeak *peak, int64_t at);

/*
 * Save as finite numbers, and restore.  Restoring returns false, and changes nothing, if
 * the numbers are not valid.
 */
#define PADV_PEAK_NUMBERS (2 * PADV_PEAK_DAYS)
extern void padv_peak_keep(const PadvDailyPeak *peak, double numbers[PADV_PEAK_NUMBERS]);
extern bool padv_peak_restore(PadvDailyPeak *peak, const double *numbers, size_t count);

/* The same of the last minutes, by the monotonic clock; all zeroes is the start. */
typedef struct PadvLately
{
	int64_t		due_us;
	int64_t		most[2];		/* of the time that has begun, and before */
} PadvLately;

extern void padv_lately_add(PadvLately *lately, int64_t now_us, int64_t connections);

/* The most of the last 10 to 20 minutes. */
extern int64_t padv_lately_most(const PadvLately *lately);

#endif							/* PADV_DAILY_PEAK_H */
