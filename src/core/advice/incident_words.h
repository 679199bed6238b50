/*
 * incident_words.h
 *		An incident in sentences: its cause, and what would have helped.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_INCIDENT_WORDS_H
#define PADV_INCIDENT_WORDS_H

#include <stddef.h>

#include "core/model/incident.h"

/* Room for a sentence with the longest names. */
#define PADV_INCIDENT_SENTENCE 600

/* An incident with names for its OIDs; the caller owns them. */
typedef struct PadvNamedIncident
{
	PadvIncident incident;
	const char *role;			/* of the culprit; empty when there is none */
	const char *role_quoted;	/* as an SQL identifier; empty if it was
								 * dropped, too */
	bool		exempt;			/* the role is not under limits */
	bool		standby;		/* roles are altered on the primary */
	const char *database;		/* likewise, where that is the culprit */
	const char *database_quoted;
} PadvNamedIncident;

/* One sentence each, in the caller's memory. */
extern void padv_incident_cause(const PadvNamedIncident *named, char *text, size_t size);
extern void padv_incident_remedy(const PadvNamedIncident *named, char *text, size_t size);

/* The key of the culprit: a pid, a transaction ID, a name, an address; or empty. */
extern void padv_incident_culprit(const PadvNamedIncident *named, char *text, size_t size);

/* What the peak is of; a constant string. */
extern const char *padv_incident_peak_what(PadvIncidentKind kind);

#endif							/* PADV_INCIDENT_WORDS_H */
