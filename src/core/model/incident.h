/*
 * incident.h
 *		What an incident is, and the ring that keeps the last of them.
 *
 * Pure: plain data in memory of the caller, who protects it with a lock; nothing here
 * blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_INCIDENT_H
#define PADV_INCIDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/model/blockers.h"
#include "core/stats/sample.h"

/*
 * Kinds.  Those from PADV_INCIDENT_OVERLOAD on are about the work of the server, and the
 * later one says more about the cause.  The numbers are in files: append only.
 */
typedef enum PadvIncidentKind
{
	PADV_INCIDENT_LOGIN_STORM,
	PADV_INCIDENT_LEAK,
	PADV_INCIDENT_OVERLOAD,
	PADV_INCIDENT_OVERSUBSCRIPTION,
	PADV_INCIDENT_IO_FLOOD,
	PADV_INCIDENT_LOCK_STORM,
	PADV_INCIDENT_STALLED,
} PadvIncidentKind;

#define PADV_INCIDENT_KINDS (PADV_INCIDENT_STALLED + 1)

/* One incident of the work, one of logins and one leak can last at a time. */
typedef enum PadvIncidentSlot
{
	PADV_SLOT_WORK,
	PADV_SLOT_LOGINS,
	PADV_SLOT_LEAK,
} PadvIncidentSlot;

#define PADV_INCIDENT_SLOTS (PADV_SLOT_LEAK + 1)

/* What the culprit is.  The numbers are in files: append only. */
typedef enum PadvCulprit
{
	PADV_CULPRIT_NONE,
	PADV_CULPRIT_SESSION,		/* pid; with role and application */
	PADV_CULPRIT_PREPARED,		/* xid, of a prepared transaction */
	PADV_CULPRIT_ROLE,
	PADV_CULPRIT_DATABASE,
	PADV_CULPRIT_APPLICATION,	/* by its name */
	PADV_CULPRIT_CLIENT,		/* an address, in the application's place */
	PADV_CULPRIT_QUERY,
	PADV_CULPRIT_BACKGROUND,	/* processes of the server, by what they do */
} PadvCulprit;

#define PADV_CULPRITS (PADV_CULPRIT_BACKGROUND + 1)

/*
 * One incident.  Times are microseconds on the wall clock.  A figure that is not known
 * is negative.  What a figure is of depends on the kind: see peak and usual.
 */
typedef struct PadvIncident
{
	uint64_t	number;			/* counted from 1; 0: no incident */
	int64_t		began;
	int64_t		ended;			/* 0: it lasts */
	int64_t		seen;			/* the last second in which it lasted */
	uint32_t	kind;			/* PadvIncidentKind */
	uint32_t	culprit;		/* PadvCulprit */
	uint32_t	pid;
	uint32_t	xid;
	uint32_t	role;			/* the culprit, or that of its sessions */
	uint32_t	database;
	uint32_t	state;			/* of a session: PadvBlockerState; of
								 * background processes: PadvBackground */
	uint32_t	spare;
	int64_t		query_id;
	double		share;			/* of the culprit in what was suffered, 0..1 */
	double		share_before;	/* likewise, as it was usual */
	double		held_seconds;	/* age of its transaction, the most that was
								 * seen */
	double		peak;			/* sessions; logins a second of a login storm */
	double		usual;			/* the same before */
	double		throughput_before;	/* transactions a second */
	double		throughput;		/* likewise, the mean while it lasted */
	double		not_done;		/* transactions */
	double		optimal;		/* connections */
	char		application[PADV_APPLICATION_NAME];
} PadvIncident;

/* The last incidents, in order; the number of an incident tells its place. */
#define PADV_MAX_INCIDENTS 200

typedef struct PadvIncidentRing
{
	uint64_t	newest;			/* number of the newest incident; 0: none yet */
	uint64_t	oldest;			/* of the oldest one that is kept */
	int64_t		total[PADV_INCIDENT_KINDS]; /* begun since the server started */
	PadvIncident rows[PADV_MAX_INCIDENTS];
} PadvIncidentRing;

extern void padv_incident_ring_init(PadvIncidentRing *ring);

/*
 * Write a new state of an incident; a new number removes the oldest row when there is no
 * room.  A number that was removed is ignored.
 */
extern void padv_incident_ring_put(PadvIncidentRing *ring, const PadvIncident *incident);

/* Remove all incidents.  Numbers go on. */
extern void padv_incident_ring_forget(PadvIncidentRing *ring);

/* Let the incidents that last end when they were seen last. */
extern void padv_incident_ring_end_all(PadvIncidentRing *ring);

/* Copy the incidents, the newest first, to an array of PADV_MAX_INCIDENTS; their number. */
extern int	padv_incident_ring_copy(const PadvIncidentRing *ring, PadvIncident *rows);

/* The number of incidents that last; and copy them, the newest first. */
extern int	padv_incident_ring_active(const PadvIncidentRing *ring);
extern int	padv_incident_ring_lasting(const PadvIncidentRing *ring, PadvIncident rows[PADV_INCIDENT_SLOTS]);

/*
 * Whether the throughput of so many seconds is about what it was before.  Then nobody asks
 * for more, and sessions of another kind have come: a batch keeps no transaction from being done.
 */
extern bool padv_incident_does_as_before(double throughput, double before, double seconds);

/* Name no culprit. */
extern void padv_incident_clear_culprit(PadvIncident *incident);

/* Whether all values of an incident are valid, as in a file. */
extern bool padv_incident_sound(const PadvIncident *incident);

/* "lock storm"; and "lock_storm", for labels.  Constant strings. */
extern const char *padv_incident_kind_name(PadvIncidentKind kind);
extern const char *padv_incident_kind_label(PadvIncidentKind kind);

/* "session", "prepared transaction", "role", ..., or empty. */
extern const char *padv_culprit_name(PadvCulprit culprit);

/* "checkpointer", ...; a constant string. */
extern const char *padv_background_name(PadvBackground background);

#endif							/* PADV_INCIDENT_H */
