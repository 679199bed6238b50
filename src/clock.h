/*
 * clock.h
 *		The monotonic clock, for intervals and ages.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_CLOCK_H
#define PADV_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Microseconds since a fixed moment, the same for all processes. */
static inline int64_t
padv_monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

#endif							/* PADV_CLOCK_H */
