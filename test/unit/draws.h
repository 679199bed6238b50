/*
 * draws.h
 *		Random numbers for tests: uniform ones, and normal ones of mean 0 and deviation 1.
 */
#ifndef PADV_DRAWS_H
#define PADV_DRAWS_H

#include <math.h>
#include <stdlib.h>

/* Between 0 and 1, neither of them. */
static inline double
uniform(void)
{
	return ((double) random() + 0.5) / ((double) RAND_MAX + 1.0);
}

static inline double
normal(void)
{
	return sqrt(-2.0 * log(uniform())) * cos(6.283185307179586 * uniform());
}

#endif							/* PADV_DRAWS_H */
