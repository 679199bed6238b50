/*
 * limits_shmem.h
 *		The limits in force, as every process sees them.
 *
 * The functions take the LWLock of limits_shmem.c, and those that change limits also
 * the spinlock of admission, one after the other.  The caller holds neither.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LIMITS_SHMEM_H
#define PADV_LIMITS_SHMEM_H

#include "core/policy/limits.h"
#include "storage/lwlock.h"

typedef enum PadvLimitsState
{
	PADV_LIMITS_UNREAD,			/* not read yet since the server started */
	PADV_LIMITS_NONE,			/* no limit is set */
	PADV_LIMITS_KNOWN,
	PADV_LIMITS_UNREADABLE,		/* all logins are admitted */
} PadvLimitsState;

/* The limits of one session, as of a generation of all limits. */
typedef struct PadvSessionLimits
{
	uint32		generation;
	Oid			database;		/* InvalidOid: no limit depends on it */
	int32		count;
	int32		limits[PADV_MAX_SESSION_LIMITS];	/* as padv_limits_of finds
													 * them */
} PadvSessionLimits;

/* Bytes of shared memory, and its set-up; for status_shmem.c. */
extern Size padv_limits_shmem_size(void);
extern void padv_limits_shmem_init(int tranche);

/* The current state; one atomic read. */
extern PadvLimitsState padv_limits_shmem_state(void);

/*
 * Wait, up to timeout_ms, until the limits have been read for the first time since the
 * server started, and return the state.  After the timeout the state is set to
 * unreadable, with a message in the log.  Returns early, still unread, when the DBA
 * sets enforcement to off.  Handles interrupts, so it may raise.
 */
extern PadvLimitsState padv_limits_shmem_wait(long timeout_ms);

/*
 * Find the limits of a session of this role, by the name or the OID of its database,
 * and write them to *found.  A name stands for the database that had it when the limits
 * were read; the session checks later that it still does.  Finding by name returns
 * false when the name is not known and some limit depends on it.
 */
extern bool padv_limits_shmem_find_by_name(Oid role, const char *database, PadvSessionLimits *found);
extern void padv_limits_shmem_find(Oid role, Oid database, PadvSessionLimits *found);

/*
 * Copy one limit, by the index that padv_limits_shmem_find has given.  Returns false
 * when another generation is in force.
 */
extern bool padv_limits_shmem_get(uint32 generation, int32 number, PadvLimit *limit);

/*
 * What a limit is on, in words.  A client whose login or transaction is refused must not
 * learn of groups, so they are for the log, and for those that set limits.  The result is
 * allocated in the current memory context.  Reads catalogs, may raise.  A login has no
 * database yet, so it must not use the caches of catalogs, and gives the names; NULL is an
 * object that is gone.
 */
extern char *padv_describe_limit(const PadvLimit *limit);
extern char *padv_describe_limit_on(const PadvLimit *limit, const char *role, const char *database);

/* The sum of the limits of all roles, in sessions; see PadvLimits.committed. */
extern int64 padv_limits_shmem_committed(void);

/*
 * Copy all limits to the current memory context; the caller frees block and struct.
 * generation may be NULL.  May raise out-of-memory.
 */
extern PadvLimits *padv_limits_shmem_copy(uint32 *generation);

/*
 * Install these limits and count all sessions again, if they differ from those in
 * force.  A process takes a ticket before it reads limits from the catalogs.  Limits
 * with an older ticket than that of the limits in force are ignored.  Publishing may
 * raise out-of-memory, before anything has changed.
 */
extern uint32 padv_limits_shmem_take_ticket(void);
extern void padv_limits_shmem_publish(const PadvLimits *limits, uint32 ticket);

/* How many readings have been published; ignored ones do not count. */
extern uint32 padv_limits_shmem_readings(void);

/*
 * Stop enforcing limits: because they cannot be read, or because the DBA has set
 * enforcement to off.  The first returns false when that was so already.  Logins that
 * wait are admitted.  May raise out-of-memory.
 */
extern bool padv_limits_shmem_suspend(void);
extern void padv_limits_shmem_stop_enforcing(void);

#endif							/* PADV_LIMITS_SHMEM_H */
