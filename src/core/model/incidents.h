/*
 * incidents.h
 *		Incidents, found second by second.
 *
 * Pure: plain data in memory of the caller; nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_INCIDENTS_H
#define PADV_INCIDENTS_H

#include "core/model/blame.h"
#include "core/model/growth.h"
#include "core/model/incident.h"
#include "core/model/role_watch.h"
#include "core/model/status.h"
#include "core/stats/baseline.h"

/* What a second was like. */
typedef struct PadvIncidentSecond
{
	int64_t		at;				/* wall clock, microseconds */
	double		seconds;		/* since the one before */
	const PadvWindowMeans *means;
	double		transactions;	/* a second; negative: not known */
	double		io_young;		/* sessions that wait for I/O in statements
								 * that began in the last minute */
	PadvPace	usual;			/* at this time of day */
	const PadvStatus *status;
	const PadvBlockers *blockers;
	const PadvKeyNames *names;	/* of the keys in the sample */
} PadvIncidentSecond;

/* What is seen of a kind, whether or not it becomes an incident. */
typedef struct PadvSymptom
{
	bool		on;				/* in this second */
	double		score;			/* for how long; fades twice as fast */
	double		since;			/* on the watch's clock */
	double		seconds;		/* since then */
	double		done;			/* transactions since then */
	double		not_done;
	double		peak;
} PadvSymptom;

typedef struct PadvOpenIncident
{
	PadvIncident incident;		/* number 0: there was none */
	bool		open;
	double		began;			/* on the watch's clock */
	double		seen;			/* likewise; in the end, when it ended */
	double		off;			/* seconds without its symptom */
	double		seconds;		/* in which it lasted */
	double		done;
} PadvOpenIncident;

typedef struct PadvIncidentWatch
{
	uint64_t	newest;			/* number of the newest incident */
	double		clock;			/* seconds since it began, as the wall clock
								 * may step */
	PadvRoleWatch roles;
	PadvBaseline baseline;
	PadvBlame	blame;			/* since the incident of locks began */
	PadvBlame	ended_blame;	/* of the last one that ended */
	PadvGrowth	growth;			/* since the load began to be too much */
	PadvPace	now;			/* smoothed over some seconds */
	PadvPace	cautious;		/* of that and the last second, what looks
								 * better */
	double		io_young;		/* likewise */
	double		flow;			/* transactions a second, over half a minute */
	double		best_flow;		/* the most of that in this hour, ... */
	double		best_flow_before;	/* ... and in the hour before */
	double		best_flow_seconds;	/* of this hour */
	double		suspect_seconds;	/* for how long something has been seen */
	bool		before_known;
	PadvPace	before;			/* the last minutes, without what is going on */
	PadvSymptom symptoms[PADV_INCIDENT_KINDS];
	PadvOpenIncident slots[PADV_INCIDENT_SLOTS];
} PadvIncidentWatch;

/* Begin; numbers go on after the newest. */
extern void padv_incident_watch_init(PadvIncidentWatch *watch, uint64_t newest);

/*
 * The sessions and logins of a second are added to watch->roles first, between
 * padv_role_watch_begin and this, and its samples to watch->growth.  Writes the incidents that are new or have changed, at
 * most PADV_INCIDENT_SLOTS, and returns their number.  *notable: one began or ended.
 */
extern int	padv_incident_watch_add(PadvIncidentWatch *watch, const PadvIncidentSecond *second,
									PadvIncident *changed, bool *notable);

/* Forget the incidents that last, and the symptoms; what is usual is kept. */
extern void padv_incident_watch_forget(PadvIncidentWatch *watch);

/* Sessions that wait for I/O in statements that began in the last minute. */
extern int64_t padv_incident_io_young(const PadvSample *sample);

#endif							/* PADV_INCIDENTS_H */
