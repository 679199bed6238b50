/*
 * limits_shmem.h
 *		The limits in force, as every process sees them.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LIMITS_SHMEM_H
#define PADV_LIMITS_SHMEM_H

#include "core/policy/limits.h"
#include "storage/lwlock.h"

typedef enum PadvLimitsState
{
	PADV_LIMITS_UNREAD,			/* not yet, since the server started */
	PADV_LIMITS_NONE,			/* there are none */
	PADV_LIMITS_KNOWN,
	PADV_LIMITS_UNREADABLE,		/* logins go through */
} PadvLimitsState;

/* The limits of one session, as of a generation of all limits. */
typedef struct PadvSessionLimits
{
	uint32		generation;
	Oid			database;		/* InvalidOid: it does not matter */
	int32		count;
	int32		limits[PADV_MAX_SESSION_LIMITS];	/* as padv_limits_of finds
													 * them */
} PadvSessionLimits;

extern Size padv_limits_shmem_size(void);
extern void padv_limits_shmem_init(int tranche);

extern PadvLimitsState padv_limits_shmem_state(void);

/*
 * Wait until they have been read for the first time since the server started,
 * no longer than this.  If it takes longer the state is set to unreadable, and
 * the log says so.  It is unread still if the DBA has limits enforced no more.
 * Handles interrupts.
 */
extern PadvLimitsState padv_limits_shmem_wait(long timeout_ms);

/*
 * What a session of this role is under, in the database of this name, or in
 * this database.  A name is taken for the database that had it when the limits
 * were read, which the session checks later; false when the name is not known
 * and matters.
 */
extern bool padv_limits_shmem_find_by_name(Oid role, const char *database, PadvSessionLimits *found);
extern void padv_limits_shmem_find(Oid role, Oid database, PadvSessionLimits *found);

/* One limit, as padv_limits_shmem_find named it; false when it is no longer there. */
extern bool padv_limits_shmem_get(uint32 generation, int32 number, PadvLimit *limit);

/* What the limits of all roles add up to; see PadvLimits.committed. */
extern int64 padv_limits_shmem_committed(void);

/* A copy in the current memory context; *generation may be NULL. */
extern PadvLimits *padv_limits_shmem_copy(uint32 *generation);

/*
 * Put these limits in force and count all sessions anew, if they differ from
 * those in force.  Whoever reads limits takes a ticket before it does; what was
 * read with an older ticket than that of the limits in force is dropped.
 */
extern uint32 padv_limits_shmem_take_ticket(void);
extern void padv_limits_shmem_publish(const PadvLimits *limits, uint32 ticket);

/* How often they have been read; changes with a padv_limits_shmem_publish that counts. */
extern uint32 padv_limits_shmem_readings(void);

/*
 * Let everybody through from now on: because limits cannot be read, which is
 * false when it was so already; or because the DBA said so.
 */
extern bool padv_limits_shmem_suspend(void);
extern void padv_limits_shmem_stop_enforcing(void);

#endif							/* PADV_LIMITS_SHMEM_H */
