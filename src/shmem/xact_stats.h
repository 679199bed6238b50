/*
 * xact_stats.h
 *		How many transactions sessions finish, and how long they take.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_TRANSACTIONS_H
#define PADV_TRANSACTIONS_H

/* Of all client backends since the server started; they only grow. */
typedef struct PadvTransactions
{
	double		committed;		/* prepared ones included */
	double		rolled_back;
	double		inside_seconds; /* from their start to their end, both kinds */
} PadvTransactions;

/* While shared memory is asked for, and set up. */
extern Size padv_transactions_shmem_size(void);
extern void padv_transactions_shmem_init(void);

/* Count those of this client backend; from the login. */
extern void padv_transactions_start(void);

/* A sum over all backends, each figure by itself exact at its moment. */
extern void padv_transactions_total(PadvTransactions *total);

#endif							/* PADV_TRANSACTIONS_H */
