/*
 * health.h
 *		The states of the server that need attention.  Verdict, advice, check_load()
 *		and alerts share these rules.
 *
 * Pure: nothing here blocks, allocates or fails; all strings are constants.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_HEALTH_H
#define PADV_HEALTH_H

#include "core/model/status.h"

/* Values are the exit codes of Nagios plugins. */
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
	const char *code;			/* code of the advice, or empty */
} PadvHealth;

/* A state, with the code of its advice and the name of its alert. */
typedef struct PadvHealthRule
{
	const char *code;			/* NULL ends the table */
	const char *alert;
	PadvCheckStatus (*judge) (const PadvLocalStatus *local);
} PadvHealthRule;

extern const PadvHealthRule padv_health_rules[];

/* The most severe state; of equal ones, the first in the table. */
extern PadvHealth padv_health(const PadvLocalStatus *local);

/* The verdict, including stalls, which the model does not know. */
extern PadvVerdict padv_health_verdict(const PadvModel *model, const PadvStall *stall);

/*
 * Whether there is a stall.  The second function is also true for a minute after a
 * stall, because averages of the last minute still contain its waits.
 */
extern bool padv_health_stalled(const PadvStatus *status);
extern bool padv_health_stalled_lately(const PadvStatus *status);

/* Whether status->stall.idle has kept others waiting for so long that it is worth a warning. */
extern bool padv_health_idle_blocks(const PadvStatus *status);

/*
 * The blocker that the state of the server is about, if status->stall.any: the one that
 * blocks most, but where work flows an idle one that is worth a warning.
 */
extern const PadvBlocker *padv_health_blocker(const PadvStatus *status);

/*
 * Whether the cores are used up, by the server for the most part, or its processes wait for
 * them; and whether these are, or most sessions queue for a lock or a disk.
 */
extern bool padv_health_cores_used_up(const PadvStatus *status);

/* Whether other programs use more than half of the cores that are busy. */
extern bool padv_health_others_use_cores(const PadvStatus *status);
extern bool padv_health_used_up(const PadvStatus *status, PadvResource *resource);

/*
 * Whether fewer connections would help: the demand exceeds the optimum, and not
 * because of a stall.
 */
extern PadvCheckStatus padv_health_oversubscribed(const PadvLocalStatus *local);

/*
 * The number of connections in use, which includes logins in the queue; and whether
 * nearly all connections are in use.
 */
extern int64_t padv_health_connections_taken(const PadvStatus *status);
extern bool padv_health_nearly_full(const PadvStatus *status, int64_t taken);

/*
 * What an incident that lasts is worth.  A stall is judged by the blockers.  The second
 * function returns the one that is worth most, of equal ones the newest, or NULL.
 */
extern PadvCheckStatus padv_health_of_incident(const PadvIncident *incident);
extern const PadvIncident *padv_health_incident(const PadvLocalStatus *local);

/* Whether the longest wait for a transaction slot is too long. */
extern bool padv_health_queue_is_old(const PadvStatus *status);

#endif							/* PADV_HEALTH_H */
