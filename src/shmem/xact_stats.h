/*
 * xact_stats.h
 *		How many transactions sessions finish, and how long they take.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_XACT_STATS_H
#define PADV_XACT_STATS_H

/* Of all client backends since the server started; they only grow. */
typedef struct PadvXactStats
{
	double		committed;		/* prepared ones included */
	double		rolled_back;
	double		inside_seconds; /* from their start to their end, both kinds */
} PadvXactStats;

/* While shared memory is asked for, and set up. */
extern Size padv_xact_stats_shmem_size(void);
extern void padv_xact_stats_shmem_init(void);

/* Count those of this client backend; from the login. */
extern void padv_xact_stats_start(void);

/* A sum over all backends, each figure by itself exact at its moment. */
extern void padv_xact_stats_total(PadvXactStats *total);

#endif							/* PADV_XACT_STATS_H */
