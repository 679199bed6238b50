/*
 * incident_file.c
 *		The ring of incidents as bytes, for a file, and back.
 *
 * Owns the format, which incident_file.h tells.  Each value is checked, and one that is
 * wrong makes all of the file wrong.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/model/incident_file.h"

#include <string.h>

static const PadvFileForm incident_form = {
	.magic = "PADVINCI", .version = PADV_INCIDENT_VERSION,
	.least = PADV_INCIDENT_LEAST_BYTES, .most = PADV_INCIDENT_MOST_BYTES
};

size_t
padv_incident_write(const PadvIncidentRing *ring, uint64_t system, void *bytes)
{
	unsigned char *at = padv_file_begin(&incident_form, system, bytes);
	unsigned char *count_at;
	uint32_t	count = 0;

	at = padv_file_put_number(at, sizeof(PadvIncident));
	count_at = at;
	at = padv_file_put_number(at, 0);
	for (uint64_t number = ring->oldest; number <= ring->newest; number++)
	{
		const PadvIncident *row = &ring->rows[number % PADV_MAX_INCIDENTS];

		if (row->number != number)
			continue;
		at = padv_file_put(at, row, sizeof(*row));
		count++;
	}
	(void) padv_file_put_number(count_at, count);
	at += PADV_FILE_CRC;
	return (size_t) (at - (unsigned char *) bytes);
}

static bool
get_incidents(PadvFileInput *input, PadvIncidentRing *ring)
{
	uint64_t	first = 0;
	uint32_t	row_size,
				count;

	if (!padv_file_get_number(input, &row_size) || row_size != sizeof(PadvIncident) ||
		!padv_file_get_number(input, &count) || count > PADV_MAX_INCIDENTS)
		return false;
	for (uint32_t i = 0; i < count; i++)
	{
		PadvIncident row;

		if (!padv_file_get(input, &row, sizeof(row)) || !padv_incident_sound(&row) || row.number <= ring->newest)
			return false;
		if (i == 0)
			first = ring->oldest = row.number;
		if (row.number - first >= PADV_MAX_INCIDENTS)
			return false;
		padv_incident_ring_put(ring, &row);
	}
	padv_incident_ring_end_all(ring);
	memset(ring->total, 0, sizeof(ring->total));
	return input->left == 0;
}

PadvFileFault
padv_incident_parse(const void *bytes, size_t size, uint64_t system, PadvIncidentRing *ring)
{
	PadvFileInput content;
	PadvFileFault fault = padv_file_check(&incident_form, bytes, size, system, &content);

	padv_incident_ring_init(ring);
	if (fault != PADV_FILE_INTACT)
		return fault;
	if (get_incidents(&content, ring))
		return PADV_FILE_INTACT;
	padv_incident_ring_init(ring);
	return PADV_FILE_DAMAGED;
}
