/*
 * named_incidents.h
 *		Incidents with names for their OIDs, for the SQL functions that show them.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_NAMED_INCIDENTS_H
#define PADV_NAMED_INCIDENTS_H

#include "core/advice/incident_words.h"

/* An incident with its names, which are in the current memory context.  Reads catalogs. */
extern PadvNamedIncident padv_name_incident(const PadvIncident *incident);

/*
 * Read all incidents, the newest first, and return their number.  The array and the names
 * are in the current memory context.
 */
extern int	padv_read_incidents(PadvNamedIncident **incidents);

#endif							/* PADV_NAMED_INCIDENTS_H */
