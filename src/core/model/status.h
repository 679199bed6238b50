/*
 * status.h
 *		The state of the server, as published by the worker and as copied by
 *		readers.
 *
 * Plain data, so that the modules that make advice and sentences of it need no
 * server.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_STATUS_H
#define PADV_STATUS_H

#include "core/model/blockers.h"
#include "core/model/incident.h"
#include "core/model/model.h"
#include "core/model/pools.h"
#include "core/policy/limits.h"
#include "core/policy/slot_stats.h"
#include "core/stats/load.h"
#include "core/stats/load_by.h"
#include "core/stats/window.h"

/* The status published after each sample, without the long tables. */
typedef struct PadvStatus
{
	int64_t		taken_at;		/* of the last sample, wall clock,
								 * microseconds; 0 before the first */
	int64_t		clock_us;		/* the same moment on the monotonic clock */
	int64_t		samples_total;
	int64_t		current_us;		/* when a standby was last seen to have all
								 * that its primary had sent, monotonic clock;
								 * 0: never */
	PadvCounts	last;
	PadvMinute	minute;
	PadvIdleHolder idle_holder;
	PadvLoad	load;
	PadvModel	model;
	PadvControl control;		/* of server_max_active = auto */
	PadvStall	stall;			/* sessions that block others */
	PadvFoundCounts found;		/* of the pools found, as of the last second */
	bool		limits_unreadable;	/* limits could not be read, so no login
									 * is refused */
	bool		history_unwritten;	/* the history or the incidents could not
									 * be written to their file */
	int64_t		connections_most;	/* maximum in use of the last 14 days */
	int64_t		connections_days;	/* days for which this is known */
	int64_t		limits_committed;	/* sum of the sessions that limits and
									 * CONNECTION LIMITs allow; -1: no bound */
} PadvStatus;

/* The largest key of a dimension in the load of the last minute. */
typedef struct PadvLargestKey
{
	const char *name;			/* NULL: there is none */
	double		share;			/* 0..1 of the active sessions */
} PadvLargestKey;

/*
 * A reader's copy of the status, with its age, and names for its OIDs.  The reader owns the
 * memory of the names.  Fields named _quoted are quoted as SQL identifiers or literals.
 */
typedef struct PadvLocalStatus
{
	PadvStatus	status;
	PadvSlotStats gate;
	bool		worker_running;
	double		age_seconds;	/* of the last sample */
	int32_t		enforcement;	/* the setting (PadvEnforcement), for sessions */
	int32_t		gate_enforcement;	/* likewise, for transactions */
	int			nlasting;		/* incidents that last, the newest first */
	PadvIncident lasting[PADV_INCIDENT_SLOTS];
	const char *incident_cause; /* sentences on that of padv_health_incident */
	const char *incident_remedy;
	const char *holder_role;	/* of status.idle_holder, when it has one */
	const char *holder_role_quoted;
	const char *holder_database;
	const char *blocker_role;	/* of status.stall.worst, when there is one */
	const char *blocker_database;
	const char *blocker_gid_quoted; /* of a prepared transaction; NULL if it
									 * has ended */
	const char *idle_blocker_role;	/* likewise of status.stall.idle */
	const char *idle_blocker_database;
	const char *idle_blocker_gid_quoted;
	PadvLargestKey largest[PADV_DIMENSIONS];	/* if names were asked for */
} PadvLocalStatus;

/*
 * Whether sampling has stopped: there is no worker, or the last sample is older than ten
 * intervals and five seconds.
 */
extern bool padv_sampling_stopped(const PadvLocalStatus *local);

#endif							/* PADV_STATUS_H */
