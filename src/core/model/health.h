/*
 * health.h
 *		Which state of the server is worth waking somebody: the one rule that the
 *		verdict, advice, check_load() and the alerts go by.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_HEALTH_H
#define PADV_HEALTH_H

#include "core/model/status.h"

/* The numbers are those of Nagios' plugins. */
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
	const char *code;			/* of the advice that says more, or empty */
} PadvHealth;

/* One of the states, with the code of its advice and the name of its alert. */
typedef struct PadvHealthRule
{
	const char *code;			/* NULL after the last */
	const char *alert;
	PadvCheckStatus (*judge) (const PadvLocalStatus *local);
} PadvHealthRule;

extern const PadvHealthRule padv_health_rules[];

/* The worst of them; of equal ones the first. */
extern PadvHealth padv_health(const PadvLocalStatus *local);

/* The verdict on the load, with what is known of locks; the model's own is without. */
extern PadvVerdict padv_health_verdict(const PadvModel *model, const PadvStall *stall);

/*
 * Whether most of the work stands still.  Lately: for the minute after it, too, over
 * which averages still have those that waited.
 */
extern bool padv_health_stalled(const PadvStatus *status);
extern bool padv_health_stalled_lately(const PadvStatus *status);

/*
 * More want to work than help, and it is not because they stand still: then fewer
 * connections would help.
 */
extern PadvCheckStatus padv_health_oversubscribed(const PadvLocalStatus *local);

/* Logins in the queue have no session, but a connection. */
extern int64_t padv_health_connections_taken(const PadvStatus *status);
extern bool padv_health_nearly_full(const PadvStatus *status, int64_t taken);

/* A wait in the queue for transactions that is too long for a queue. */
extern bool padv_health_queue_is_old(const PadvStatus *status);

#endif							/* PADV_HEALTH_H */
