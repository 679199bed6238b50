/*
 * tap.h
 *		The few TAP calls that the unit tests of the pure core need.
 *
 * One test program includes it once; end main() with return tap_end().
 */
#ifndef PADV_TAP_H
#define PADV_TAP_H

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int	tap_run = 0;
static int	tap_failed = 0;

static bool __attribute__((format(printf, 2, 3)))
ok(bool passed, const char *format,...)
{
	va_list		args;

	tap_run++;
	if (!passed)
		tap_failed++;
	printf("%sok %d - ", passed ? "" : "not ", tap_run);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	return passed;
}

/* Both sides are printed when they differ by more than the tolerance. */
static inline bool
near(double got, double expected, double tolerance, const char *name)
{
	bool		same = fabs(got - expected) <= tolerance;

	ok(same, "%s", name);
	if (!same)
		printf("#   got %.10g, expected %.10g within %g\n",
			   got, expected, tolerance);
	return same;
}

static int
tap_end(void)
{
	printf("1..%d\n", tap_run);
	return tap_failed > 0 ? 1 : 0;
}

#endif							/* PADV_TAP_H */
