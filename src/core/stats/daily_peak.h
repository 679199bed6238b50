/*
 * daily_peak.h
 *		The most connections that were taken at once, by day.
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

/* So many were taken at a time, microseconds on the wall clock. */
extern void padv_peak_add(PadvDailyPeak *peak, int64_t at, double connections);

/* The most of the 14 days before a time and of its day; 0 when there is none. */
extern int64_t padv_peak_most(const PadvDailyPeak *peak, int64_t at);

/* How many days lie between the first of these and that time. */
extern int64_t padv_peak_days(const PadvDailyPeak *peak, int64_t at);

/* As plain finite numbers, and back; false, and nothing changed, if not sound. */
#define PADV_PEAK_NUMBERS (2 * PADV_PEAK_DAYS)
extern void padv_peak_keep(const PadvDailyPeak *peak, double numbers[PADV_PEAK_NUMBERS]);
extern bool padv_peak_restore(PadvDailyPeak *peak, const double *numbers, size_t count);

#endif							/* PADV_DAILY_PEAK_H */
