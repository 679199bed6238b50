/*
 * explain_size.h
 *		Explain the size of a pool in sentences.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_EXPLAIN_SIZE_H
#define PADV_EXPLAIN_SIZE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct PadvSizing
{
	/* input; all positive and finite */
	int64_t		users;
	double		transactions_per_second;
	double		service_seconds;	/* for which a transaction holds a
									 * connection */
	int64_t		processes;		/* each with its own pool; at most
								 * PADV_MAX_SERVERS */
	double		wait_ratio;		/* greatest mean wait, as a multiple of the
								 * service time */

	/* result */
	double		busy;			/* mean number of busy connections of all
								 * pools */
	double		seconds_between;	/* between two transactions of a user */
	double		max_wait_seconds;
	int64_t		single_pool;	/* size of a single pool for all users */
	int64_t		pool_size;		/* size of each pool */
	int64_t		connections;	/* sum of all pools */
} PadvSizing;

typedef enum PadvSizingResult
{
	PADV_SIZING_DONE,
	PADV_SIZING_TOO_FEW_USERS,	/* for this rate and service time */
	PADV_SIZING_TOO_RARE,		/* seconds_between is infinite */
	PADV_SIZING_TOO_LARGE,		/* larger than PADV_MAX_SERVERS */
} PadvSizingResult;

/* Compute the result from the input. */
extern PadvSizingResult padv_size_pool(PadvSizing *sizing);

/*
 * Emit the calculation sentence by sentence, with all figures, so that a reader can
 * repeat it.  padv_size_pool must have returned PADV_SIZING_DONE.  A sentence is
 * valid only during the call of emit.
 */
extern void padv_explain_size(const PadvSizing *sizing,
							  void (*emit) (void *arg, const char *sentence),
							  void *arg);

#endif							/* PADV_EXPLAIN_SIZE_H */
