/*
 * incident_file.h
 *		Conversion of the ring of incidents to the bytes of a file, and back.
 *
 * The content, in what kept_file.h says is around it:
 *
 *		uint32		sizeof(PadvIncident)
 *		uint32		number of incidents
 *		the incidents, the oldest first, numbered in order
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_INCIDENT_FILE_H
#define PADV_INCIDENT_FILE_H

#include "core/model/incident.h"
#include "core/stats/kept_file.h"

#define PADV_INCIDENT_VERSION 2
#define PADV_INCIDENT_LEAST_BYTES (PADV_FILE_FRONT + 8 + PADV_FILE_CRC)
#define PADV_INCIDENT_MOST_BYTES (PADV_INCIDENT_LEAST_BYTES + PADV_MAX_INCIDENTS * sizeof(PadvIncident))

/* Write to a block of PADV_INCIDENT_MOST_BYTES, and return the number of bytes, without the CRC. */
extern size_t padv_incident_write(const PadvIncidentRing *ring, uint64_t system, void *bytes);

/*
 * Read incidents from any bytes.  If anything is wrong with them the ring is empty, and
 * the result says what.  Those that lasted have ended when they were seen last.  Totals
 * are 0: they count from the start of the server.
 */
extern PadvFileFault padv_incident_parse(const void *bytes, size_t size, uint64_t system,
										 PadvIncidentRing *ring);

#endif							/* PADV_INCIDENT_FILE_H */
