/*
 * explain_size.h
 *		A pool size worked out in sentences.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_EXPLAIN_SIZE_H
#define PADV_EXPLAIN_SIZE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct PadvSizing
{
	/* what is asked for; all positive and finite */
	int64_t		users;
	double		transactions_per_second;
	double		service_seconds;	/* that a transaction holds a connection */
	int64_t		processes;		/* with a pool each, at most PADV_MAX_SERVERS */
	double		wait_ratio;		/* longest mean wait, in service times */

	/* what comes out */
	double		busy;			/* connections, on average, over all pools */
	double		seconds_between;	/* two transactions of a user */
	double		max_wait_seconds;
	int64_t		one_line;		/* connections that one pool for all needs */
	int64_t		pool_size;		/* connections of each pool */
	int64_t		connections;	/* of all pools together */
} PadvSizing;

typedef enum PadvSizingResult
{
	PADV_SIZING_DONE,
	PADV_SIZING_TOO_FEW_USERS,	/* for so many transactions at once */
	PADV_SIZING_TOO_RARE,		/* the time between two transactions of a user
								 * does not fit */
	PADV_SIZING_TOO_LARGE,		/* more than PADV_MAX_SERVERS */
} PadvSizingResult;

/* From what is asked for to what comes out. */
extern PadvSizingResult padv_size_pool(PadvSizing *sizing);

/*
 * The way there, with every figure in it, so that it can be redone by hand: emit
 * is called with each sentence, in order.  The sentence is valid during the call
 * only.  The sizing is done.
 */
extern void padv_explain_size(const PadvSizing *sizing,
							  void (*emit) (void *arg, const char *sentence),
							  void *arg);

#endif							/* PADV_EXPLAIN_SIZE_H */
