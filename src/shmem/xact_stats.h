/*
 * xact_stats.h
 *		How many transactions sessions finish, and how long they take.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_XACT_STATS_H
#define PADV_XACT_STATS_H

/* Sums over all client backends since the server started; they never decrease. */
typedef struct PadvXactStats
{
	double		committed;		/* prepared ones included */
	double		rolled_back;
	double		inside_seconds; /* from start to end, both kinds */
} PadvXactStats;

/* Bytes of shared memory, and its set-up; for status_shmem.c. */
extern Size padv_xact_stats_shmem_size(void);
extern void padv_xact_stats_shmem_init(void);

/* Begin to count the transactions of this client backend; from the login. */
extern void padv_xact_stats_start(void);

/*
 * Add up the counters of all backends, without a lock.  Each counter is read whole, but
 * two counters of one backend may be a transaction apart.
 */
extern void padv_xact_stats_total(PadvXactStats *total);

#endif							/* PADV_XACT_STATS_H */
