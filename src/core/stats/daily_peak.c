/*
 * daily_peak.c
 *		The most connections that were taken at once, by day.
 *
 * Owns how long a peak is remembered.  Pure; the worker adds to it once a second.
 * The history has means of five minutes, in which a short peak is lost.  A day
 * is one of the server's clock without a time zone.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/daily_peak.h"

#include <math.h>
#include <stdlib.h>

#define DAY INT64_C(86400000000)
#define LATELY INT64_C(600000000)

/* Beyond what a clock shows, and what a server can have. */
#define MOST_DAYS 1e6
#define MOST_CONNECTIONS 1e9

/* A day without figures, as a number. */
#define NO_DAY (-2.0 * MOST_DAYS)

void
padv_peak_init(PadvDailyPeak *peak)
{
	for (int i = 0; i < PADV_PEAK_DAYS; i++)
	{
		peak->day[i] = INT64_MIN;
		peak->connections[i] = 0.0;
	}
}

static int64_t
day_of(int64_t at)
{
	return at >= 0 ? at / DAY : -((-(at + 1)) / DAY) - 1;
}

/* Each day has its place; one of another fortnight makes way. */
void
padv_peak_add(PadvDailyPeak *peak, int64_t at, double connections)
{
	int64_t		day = day_of(at);
	int			i = (int) ((day % PADV_PEAK_DAYS + PADV_PEAK_DAYS) % PADV_PEAK_DAYS);

	if (!(connections >= 0.0 && connections <= MOST_CONNECTIONS) || llabs(day) > (int64_t) MOST_DAYS)
		return;
	if (peak->day[i] != day)
		peak->connections[i] = 0.0;
	peak->day[i] = day;
	peak->connections[i] = fmax(peak->connections[i], connections);
}

/* Days that are to come are of a clock that was wrong. */
static bool
day_counts(const PadvDailyPeak *peak, int i, int64_t day)
{
	return peak->day[i] <= day && peak->day[i] > day - PADV_PEAK_DAYS;
}

int64_t
padv_peak_most(const PadvDailyPeak *peak, int64_t at)
{
	int64_t		day = day_of(at);
	double		most = 0.0;

	for (int i = 0; i < PADV_PEAK_DAYS; i++)
		if (day_counts(peak, i, day))
			most = fmax(most, peak->connections[i]);
	return (int64_t) ceil(most);
}

int64_t
padv_peak_days(const PadvDailyPeak *peak, int64_t at)
{
	int64_t		day = day_of(at);
	int64_t		days = 0;

	for (int i = 0; i < PADV_PEAK_DAYS; i++)
		if (day_counts(peak, i, day) && day - peak->day[i] > days)
			days = day - peak->day[i];
	return days;
}

void
padv_peak_keep(const PadvDailyPeak *peak, double numbers[PADV_PEAK_NUMBERS])
{
	for (int i = 0; i < PADV_PEAK_DAYS; i++)
	{
		numbers[2 * i] = peak->day[i] == INT64_MIN ? NO_DAY : (double) peak->day[i];
		numbers[2 * i + 1] = peak->connections[i];
	}
}

bool
padv_peak_restore(PadvDailyPeak *peak, const double *numbers, size_t count)
{
	PadvDailyPeak kept;

	if (count != PADV_PEAK_NUMBERS)
		return false;
	padv_peak_init(&kept);
	for (int i = 0; i < PADV_PEAK_DAYS; i++)
	{
		double		day = numbers[2 * i];
		double		connections = numbers[2 * i + 1];

		if (day == NO_DAY)
			continue;
		if (!(fabs(day) <= MOST_DAYS) || !(connections >= 0.0 && connections <= MOST_CONNECTIONS))
			return false;
		padv_peak_add(&kept, (int64_t) day * DAY, connections);
	}
	*peak = kept;
	return true;
}

void
padv_lately_add(PadvLately *lately, int64_t now_us, int64_t connections)
{
	if (now_us >= lately->due_us)
	{
		lately->due_us = now_us + LATELY;
		lately->most[1] = lately->most[0];
		lately->most[0] = 0;
	}
	if (connections > lately->most[0])
		lately->most[0] = connections;
}

int64_t
padv_lately_most(const PadvLately *lately)
{
	return lately->most[0] > lately->most[1] ? lately->most[0] : lately->most[1];
}
