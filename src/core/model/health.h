/*
 * health.h
 *		Which states of the server need attention: the rules that the verdict, the
 *		advice, check_load() and the alerts share.
 *
 * Pure: nothing here blocks, allocates or fails; all strings are constants.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_HEALTH_H
#define PADV_HEALTH_H

#include "core/model/status.h"

/* The numbers are the exit codes of Nagios plugins. */
typedef enum PadvCheckStatus
{
	PADV_CHECK_OK,
	PADV_CHECK_WARNING,
	PADV_CHECK_CRITICAL,
	PADV_CHECK_UNKNOWN,
} PadvCheckStatus;

typedef struct PadvHealth
{
	PadvCheckStatus status;
	const char *code;			/* of the advice that explains it, or empty */
} PadvHealth;

/* A state, with the code of its advice and the name of its alert. */
typedef struct PadvHealthRule
{
	const char *code;			/* NULL after the last */
	const char *alert;
	PadvCheckStatus (*judge) (const PadvLocalStatus *local);
} PadvHealthRule;

extern const PadvHealthRule padv_health_rules[];

/* The worst state; of several equal ones the first in the table. */
extern PadvHealth padv_health(const PadvLocalStatus *local);

/* The verdict on the load, including locks, which the model's own verdict leaves out. */
extern PadvVerdict padv_health_verdict(const PadvModel *model, const PadvStall *stall);

/*
 * Whether most of the work stands still.  The second function is also true in the minute
 * after a stall, because averages of the last minute still contain its waits.
 */
extern bool padv_health_stalled(const PadvStatus *status);
extern bool padv_health_stalled_lately(const PadvStatus *status);

/*
 * Whether fewer connections would help: more sessions want to work than the optimum, and
 * not because they stand still.
 */
extern PadvCheckStatus padv_health_oversubscribed(const PadvLocalStatus *local);

/*
 * The number of connections in use: sessions, and logins in the queue, which have a
 * connection but no session; and whether so many are nearly all.
 */
extern int64_t padv_health_connections_taken(const PadvStatus *status);
extern bool padv_health_nearly_full(const PadvStatus *status, int64_t taken);

/* Whether the longest wait for a transaction slot is too long. */
extern bool padv_health_queue_is_old(const PadvStatus *status);

#endif							/* PADV_HEALTH_H */
