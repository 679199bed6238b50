/*
 * status.h
 *		All that one moment of the server is known by, and who is asking.
 *
 * The worker publishes a status; readers copy it out.  Plain data, so that
 * the rooms that turn it into advice and sentences need no server.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_STATUS_H
#define PADV_STATUS_H

#include "core/model/blockers.h"
#include "core/model/model.h"
#include "core/policy/limits.h"
#include "core/policy/slot_stats.h"
#include "core/stats/load.h"
#include "core/stats/window.h"

/* What is published after each sample, without the long tables. */
typedef struct PadvStatus
{
	int64_t		taken_at;		/* of the last sample, on the wall clock; 0
								 * before the first */
	int64_t		clock_us;		/* the same moment on the monotonic clock */
	int64_t		samples_total;
	PadvCounts	last;
	PadvMinute	minute;
	PadvIdleHolder idle_holder;
	PadvLoad	load;
	PadvModel	model;
	PadvControl control;		/* of server_max_active = auto */
	PadvStall	stall;			/* who keeps others waiting */
	bool		limits_unreadable;	/* so nobody is refused */
	int64_t		connections_most;	/* taken at once in the last 14 days */
	int64_t		connections_days;	/* that this is known for */
	int64_t		limits_committed;	/* sessions that limits and limits allow;
									 * -1: no bound */
} PadvStatus;

/*
 * A status in front of a reader: how old it is, and names for its numbers.
 * The names are the reader's memory; identifiers come quoted for SQL.
 */
typedef struct PadvLocalStatus
{
	PadvStatus	status;
	PadvSlotStats gate;			/* without running and kept */
	bool		worker_running;
	double		age_seconds;	/* of the last sample */
	int32_t		enforcement;	/* PadvEnforcement, as it is set: of sessions */
	int32_t		gate_enforcement;	/* likewise, of transactions */
	const char *holder_role;	/* of status.idle_holder, when it has one */
	const char *holder_role_quoted;
	const char *holder_database;
	const char *blocker_role;	/* of status.stall.worst, when there is one */
	const char *blocker_database;
	const char *blocker_gid_quoted; /* of a prepared transaction; NULL when it
									 * is gone */
} PadvLocalStatus;

/*
 * Whether sampling stands still: there is no worker, or the last sample is ten
 * intervals and five seconds old.
 */
extern bool padv_sampling_stopped(const PadvLocalStatus *local);

#endif							/* PADV_STATUS_H */
