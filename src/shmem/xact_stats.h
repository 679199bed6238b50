/*
 * xact_stats.h
 *		How many transactions sessions finish, and how long they take.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_XACT_STATS_H
#define PADV_XACT_STATS_H

#include "core/stats/hold_times.h"
#include "core/stats/latency.h"

/* Sums over all client backends since the server started; they never decrease. */
typedef struct PadvXactStats
{
	double		committed;		/* prepared ones included */
	double		rolled_back;
	double		inside_seconds; /* from start to end, both kinds */
	double		inside_long_seconds;	/* of those of over a minute */
	double		logins;			/* that became sessions */
} PadvXactStats;

/* The transactions of a role, as of the worker's last look. */
typedef struct PadvRoleLatency
{
	Oid			role;			/* InvalidOid: all roles without an entry */
	PadvLatency total;			/* since the server started, or the reset */
	PadvLatency minute;			/* the last minute */
} PadvRoleLatency;

/* Bytes of shared memory, and its set-up; for status_shmem.c. */
extern Size padv_xact_stats_shmem_size(void);
extern void padv_xact_stats_shmem_init(int tranche);

/* Begin to count the transactions of this client backend; from the login. */
extern void padv_xact_stats_start(void);

/*
 * Add up the counters of all backends, without a lock.  Each counter is read whole, but
 * two counters of one backend may be a transaction apart.
 */
extern void padv_xact_stats_total(PadvXactStats *total);

/* What one session has finished so far. */
typedef struct PadvXactSession
{
	int			pid;
	int			status_index;	/* in the server's status array */
	uint64		inside_us;
	uint32		held[PADV_HOLD_BUCKETS];	/* transactions by duration */
} PadvXactSession;

/* The number of entries for backends, each for one session after another. */
extern int	padv_xact_stats_entries(void);

/*
 * The logins that an entry has had since the server started, and the role of the last one.
 * Takes no lock, so the role can be that of the next login.
 */
extern uint64 padv_xact_stats_logins(int entry, uint32 *role);

/*
 * The process ID of the session of an entry, 0 if there is none, and how many transactions
 * the entry has counted.  Reads one cache line, so that a caller can leave out entries that
 * have not changed.
 */
extern int	padv_xact_stats_pid(int entry, uint64 *transactions);

/*
 * Read the session of an entry; false when there is none, or it has just changed.  Takes no
 * lock.
 */
extern bool padv_xact_stats_session(int entry, PadvXactSession *session);

/*
 * Read what this session has finished, and remove it from its entry.  At the end of the
 * process.  Returns false if its login did not come to an end.
 */
extern bool padv_xact_stats_end(PadvXactSession *session);

/*
 * For the worker, once a second: add to each role what its sessions have counted since the
 * last look.  `now` is the monotonic clock in microseconds.  Takes the lock for each backend
 * that has counted something.
 */
extern void padv_xact_stats_fold(int64 now);

/*
 * Copy the table of roles to an array in the current memory context, and return the number
 * of elements.  The first PADV_ROLES_TRACKED roles that have logged in have an element each,
 * until they are dropped; all others are the first element.  So no count goes down.
 * May raise out-of-memory.
 */
extern int	padv_xact_stats_copy_latency(PadvRoleLatency **rows);

/*
 * The roles that have an element, at most PADV_ROLES_TRACKED; and forget one that was
 * dropped, whose place the next role takes.  Both take the lock.
 */
extern int	padv_xact_stats_roles(Oid *roles);
extern void padv_xact_stats_forget_role(Oid role);

/* Set the counts of each role to 0.  The caller has checked privileges. */
extern void padv_xact_stats_reset_latency(void);

#endif							/* PADV_XACT_STATS_H */
