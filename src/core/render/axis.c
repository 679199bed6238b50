/*
 * axis.c
 *		Round values for the axes of a chart, and their labels.
 *
 * Owns which numbers are round and how they are written.  Independent of rows,
 * columns and pixels, so all charts use it.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>

#include "core/render/axis.h"

#define DAY INT64_C(86400)

/* The relative tolerance for rounding errors when a value is compared with a tick. */
#define SAME 1e-9

/*
 * Values outside of this range are treated as its bounds.  The range of round
 * numbers is wider, so every scale has an upper end.
 */
#define LEAST 1e-20
#define GREATEST 1e20
#define LEAST_ROUND 1e-30
#define GREATEST_ROUND 1e30

static double
bring_in(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

double
padv_round_up(double value)
{
	double		power;

	value = bring_in(value, LEAST_ROUND, GREATEST_ROUND);
	power = pow(10.0, floor(log10(value)));
	for (int i = 0; i < 2; i++, power *= 10.0)
	{
		static const double factors[] = {1.0, 2.0, 5.0};

		for (int f = 0; f < 3; f++)
			if (factors[f] * power >= value * (1.0 - SAME))
				return factors[f] * power;
	}
	return power;
}

static double
round_down(double value)
{
	double		up = padv_round_up(value);

	if (up <= value * (1.0 + SAME))
		return up;

	/*
	 * The next smaller round number is between a third and a half of this
	 * one.
	 */
	return padv_round_up(up * 0.34);
}

PadvScale
padv_scale_linear(double greatest, int most_ticks)
{
	PadvScale	scale = {.low = 0.0};

	if (!(greatest > LEAST))
		greatest = 1.0;
	greatest = bring_in(greatest, LEAST, GREATEST);
	scale.step = padv_round_up(greatest / (most_ticks < 1 ? 1 : most_ticks));
	scale.high = scale.step * ceil(greatest / scale.step - SAME);
	return scale;
}

PadvScale
padv_scale_logarithmic(double least, double greatest)
{
	PadvScale	scale = {.logarithmic = true};

	scale.low = round_down(bring_in(least, LEAST, GREATEST));
	scale.high = padv_round_up(bring_in(greatest, LEAST, GREATEST));
	if (scale.high < scale.low * 1.5)
		scale.high = padv_round_up(scale.low * 1.5);
	return scale;
}

double
padv_scale_next(const PadvScale *scale, double tick)
{
	return scale->logarithmic ? padv_round_up(tick * 1.5) : tick + scale->step;
}

double
padv_scale_position(const PadvScale *scale, double value)
{
	if (scale->logarithmic)
		return log(bring_in(value, LEAST, GREATEST) / scale->low) / log(scale->high / scale->low);
	return (value - scale->low) / (scale->high - scale->low);
}

double
padv_scale_value(const PadvScale *scale, double place)
{
	if (scale->logarithmic)
		return scale->low * pow(scale->high / scale->low, place);
	return scale->low + place * (scale->high - scale->low);
}

/* The number of decimals that gives three digits in total. */
static int
decimals_of(double value)
{
	return value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
}

/* Write a number without trailing zeros after the decimal point. */
static void
write_number(double value, int decimals, const char *suffix, char *label, size_t size)
{
	char		digits[PADV_LABEL];
	int			length = snprintf(digits, sizeof(digits), "%.*f", decimals, value);

	if (decimals > 0)
	{
		while (length > 1 && digits[length - 1] == '0')
			length--;
		if (digits[length - 1] == '.')
			length--;
	}
	snprintf(label, size, "%.*s%s", length, digits, suffix);
}

void
padv_label_number(double value, char *label, size_t size)
{
	static const char *const large[] = {"", "k", "M", "G", "T", "P", "E"};
	static const char *const small[] = {"m", "u", "n", "p"};
	int			i = 0;

	if (!(value > 0.0))
		snprintf(label, size, "0");
	else if (value >= 0.9995)
	{
		for (; value >= 999.5 && i < 6; i++)
			value /= 1000.0;
		if (value >= 999.5)
			snprintf(label, size, "huge");
		else
			write_number(value, decimals_of(value), large[i], label, size);
	}
	else if (value >= 0.0009995)
		write_number(value, value < 0.009995 ? 5 : value < 0.09995 ? 4 : 3, "", label, size);
	else
	{
		for (value *= 1000.0; value < 0.9995 && i < 3; i++)
			value *= 1000.0;
		if (value < 0.0095)
			snprintf(label, size, "0");
		else
			write_number(value, decimals_of(value), small[i], label, size);
	}
}

void
padv_label_count(int64_t value, char *label, size_t size)
{
	if (value > 999999)
		padv_label_number((double) value, label, size);
	else
		snprintf(label, size, "%d", value < 0 ? 0 : (int) value);
}

void
padv_label_span(int64_t microseconds, char *label, size_t size)
{
	double		seconds = (double) microseconds / (double) PADV_SECOND;

	if (seconds >= 2.0 * (double) DAY)
		write_number(seconds / (double) DAY, 1, " days", label, size);
	else if (seconds >= 2.0 * 3600.0 || seconds == 3600.0)
		write_number(seconds / 3600.0, 1, " h", label, size);
	else if (seconds >= 60.0)
		write_number(seconds / 60.0, 1, " min", label, size);
	else
		write_number(seconds, 1, " s", label, size);
}

int64_t
padv_clock_step(double seconds)
{
	static const int64_t steps[] = {
		1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 2 * 3600, 3 * 3600,
		6 * 3600, 12 * 3600, DAY, 2 * DAY, 7 * DAY,
	};
	int			last = (int) (sizeof(steps) / sizeof(steps[0])) - 1;
	int			i = 0;

	while (i < last && (double) steps[i] < seconds)
		i++;
	return steps[i];
}

int
padv_clock_label_width(int64_t step)
{
	return step < 60 ? 8 : 5;
}

/* Write month and day; days counts from 2000-01-01. */
static void
write_date(int64_t days, char *label, size_t size)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t		cycle = 400 * 365 + 97;
	int64_t		day = (days % cycle + cycle) % cycle;
	int			year = 0;		/* in the 400-year cycle, which begins in 2000 */
	int			month = 0;

	for (;; year++)
	{
		int			leap = year % 4 == 0 && (year % 100 != 0 || year == 0);

		if (day < 365 + leap)
		{
			for (;; month++)
			{
				int			length = lengths[month] + (month == 1 ? leap : 0);

				if (day < length)
					break;
				day -= length;
			}
			break;
		}
		day -= 365 + leap;
	}
	snprintf(label, size, "%02d-%02d", month + 1, (int) day + 1);
}

void
padv_label_clock(int64_t local, int64_t step, char *label, size_t size)
{
	int64_t		seconds = local / PADV_SECOND - (local % PADV_SECOND < 0);
	int64_t		days = seconds / DAY - (seconds % DAY < 0);
	int			of_day = (int) (seconds - days * DAY);

	if (step >= 60 && of_day == 0)
		write_date(days, label, size);
	else if (step >= 60)
		snprintf(label, size, "%02d:%02d", of_day / 3600, of_day / 60 % 60);
	else
		snprintf(label, size, "%02d:%02d:%02d", of_day / 3600, of_day / 60 % 60, of_day % 60);
}
