/*
 * incident.c
 *		The ring that keeps the last incidents, and the names of kinds.
 *
 * Owns where a row is, and which values are valid.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <string.h>

#include "core/model/incident.h"

/* Moments beyond three centuries around the epoch are not valid, as in the history. */
#define LATEST INT64_C(10000000000000000)
#define GREATEST 1e15

/* Throughput that differs by this share, and not by chance, has changed. */
#define AS_BEFORE 0.05

static PadvIncident *
row_of(PadvIncidentRing *ring, uint64_t number)
{
	return &ring->rows[number % PADV_MAX_INCIDENTS];
}

void
padv_incident_ring_init(PadvIncidentRing *ring)
{
	memset(ring, 0, sizeof(*ring));
	ring->oldest = 1;
}

void
padv_incident_ring_put(PadvIncidentRing *ring, const PadvIncident *incident)
{
	if (incident->number < ring->oldest)
		return;
	if (incident->number > ring->newest)
	{
		ring->newest = incident->number;
		ring->total[incident->kind]++;
		if (ring->newest >= PADV_MAX_INCIDENTS && ring->oldest <= ring->newest - PADV_MAX_INCIDENTS)
			ring->oldest = ring->newest - PADV_MAX_INCIDENTS + 1;
	}
	*row_of(ring, incident->number) = *incident;
}

void
padv_incident_ring_forget(PadvIncidentRing *ring)
{
	ring->oldest = ring->newest + 1;
}

void
padv_incident_ring_end_all(PadvIncidentRing *ring)
{
	for (uint64_t number = ring->newest; number >= ring->oldest; number--)
	{
		PadvIncident *row = row_of(ring, number);

		if (row->number == number && row->ended == 0)
			row->ended = row->seen;
	}
}

int
padv_incident_ring_copy(const PadvIncidentRing *ring, PadvIncident *rows)
{
	int			count = 0;

	for (uint64_t number = ring->newest; number >= ring->oldest; number--)
	{
		const PadvIncident *row = &ring->rows[number % PADV_MAX_INCIDENTS];

		/* a number that was never put has another one's row, or none */
		if (row->number == number)
			rows[count++] = *row;
	}
	return count;
}

static bool
lasts(const PadvIncidentRing *ring, uint64_t number)
{
	const PadvIncident *row = &ring->rows[number % PADV_MAX_INCIDENTS];

	return row->number == number && row->ended == 0;
}

int
padv_incident_ring_active(const PadvIncidentRing *ring)
{
	int			count = 0;

	for (uint64_t number = ring->newest; number >= ring->oldest; number--)
		count += lasts(ring, number);
	return count;
}

int
padv_incident_ring_lasting(const PadvIncidentRing *ring, PadvIncident rows[PADV_INCIDENT_SLOTS])
{
	int			count = 0;

	for (uint64_t number = ring->newest; number >= ring->oldest && count < PADV_INCIDENT_SLOTS; number--)
		if (lasts(ring, number))
			rows[count++] = ring->rows[number % PADV_MAX_INCIDENTS];
	return count;
}

bool
padv_incident_does_as_before(double throughput, double before, double seconds)
{
	return fabs(throughput - before) <= AS_BEFORE * before + 3.0 * sqrt(before / seconds);
}

void
padv_incident_clear_culprit(PadvIncident *incident)
{
	incident->culprit = PADV_CULPRIT_NONE;
	incident->pid = incident->xid = incident->role = incident->database = incident->state = 0;
	incident->query_id = 0;
	incident->share = incident->share_before = incident->held_seconds = -1.0;
	memset(incident->application, 0, sizeof(incident->application));
}

static bool
sound_time(int64_t at)
{
	return at >= -LATEST && at <= LATEST;
}

/* A count, or -1. */
static bool
sound_figure(double figure)
{
	return isfinite(figure) && figure >= -1.0 && figure <= GREATEST;
}

static bool
sound_state(const PadvIncident *incident)
{
	return incident->culprit == PADV_CULPRIT_BACKGROUND ? incident->state < PADV_BACKGROUNDS :
		incident->state <= PADV_BLOCKER_UNKNOWN;
}

bool
padv_incident_sound(const PadvIncident *incident)
{
	return incident->number > 0 && incident->number < UINT64_C(1) << 62 &&
		incident->kind < PADV_INCIDENT_KINDS && incident->culprit < PADV_CULPRITS &&
		sound_state(incident) &&
		sound_time(incident->began) && sound_time(incident->ended) && sound_time(incident->seen) &&
		sound_figure(incident->share) && incident->share <= 1.0 &&
		sound_figure(incident->share_before) && incident->share_before <= 1.0 &&
		sound_figure(incident->held_seconds) && sound_figure(incident->peak) &&
		sound_figure(incident->usual) && sound_figure(incident->throughput_before) &&
		sound_figure(incident->throughput) && sound_figure(incident->not_done) &&
		sound_figure(incident->optimal) &&
		memchr(incident->application, '\0', sizeof(incident->application)) != NULL;
}

const char *
padv_incident_kind_name(PadvIncidentKind kind)
{
	static const char *const names[PADV_INCIDENT_KINDS] = {
		"login storm", "connection leak", "overload", "oversubscription", "I/O flood", "lock storm",
		"stalled",
	};

	return names[kind];
}

const char *
padv_incident_kind_label(PadvIncidentKind kind)
{
	static const char *const labels[PADV_INCIDENT_KINDS] = {
		"login_storm", "connection_leak", "overload", "oversubscription", "io_flood", "lock_storm",
		"stalled",
	};

	return labels[kind];
}

const char *
padv_culprit_name(PadvCulprit culprit)
{
	static const char *const names[PADV_CULPRITS] = {
		"", "session", "prepared transaction", "role", "database", "application", "client", "query",
		"background process",
	};

	return names[culprit];
}

const char *
padv_background_name(PadvBackground background)
{
	static const char *const names[PADV_BACKGROUNDS] = {
		"autovacuum worker", "checkpointer", "background writer", "WAL writer", "WAL sender", "startup process",
		"background worker",
	};

	return names[background];
}
