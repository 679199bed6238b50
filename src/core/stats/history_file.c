/*
 * history_file.c
 *		A history as bytes, for a file, and back.
 *
 * Owns the format, which history_file.h tells, and what is believed of a file:
 * nothing.  Each count, time and figure is looked at, and one that is wrong
 * makes all of the file wrong.  Pure: the caller reads and writes files, and
 * owns the memory.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/history_file.h"

#include <string.h>

static const char magic[8] = {'P', 'A', 'D', 'V', 'H', 'I', 'S', 'T'};

#define BYTE_ORDER_MARK UINT32_C(0x01020304)

/* CRC-32C (Castagnoli), bits reversed, as in iSCSI (RFC 3720). */
#define POLYNOMIAL UINT32_C(0x82F63B78)

/*
 * The table costs as much as 2 kB of data, and needs no place when it is made
 * anew each time.
 */
static uint32_t
crc32c(const unsigned char *bytes, size_t size)
{
	uint32_t	table[256];
	uint32_t	crc = UINT32_C(0xFFFFFFFF);

	for (uint32_t i = 0; i < 256; i++)
	{
		uint32_t	entry = i;

		for (int bit = 0; bit < 8; bit++)
			entry = entry >> 1 ^ (entry & 1 ? POLYNOMIAL : 0);
		table[i] = entry;
	}
	for (size_t i = 0; i < size; i++)
		crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xFF];
	return ~crc;
}

/* Bytes being written, and where the next one goes. */
static unsigned char *
put_bytes(unsigned char *to, const void *from, size_t size)
{
	memcpy(to, from, size);
	return to + size;
}

static unsigned char *
put_number(unsigned char *to, uint32_t number)
{
	return put_bytes(to, &number, sizeof(number));
}

/* All that precedes has a multiple of 8 bytes, so the points are aligned. */
static unsigned char *
put_points(unsigned char *to, const PadvHistory *history, PadvResolution resolution)
{
	uint64_t	cursor = 0;
	int			count;

	to = put_number(to, (uint32_t) resolution);
	to = put_number(to, history->rings[resolution].count);
	count = padv_history_copy(history, resolution, &cursor, (PadvHistoryPoint *) to,
							  padv_history_size(resolution));
	return to + (size_t) count * sizeof(PadvHistoryPoint);
}

size_t
padv_history_write(const PadvHistory *history, uint64_t system, void *bytes)
{
	unsigned char *at = bytes;

	at = put_bytes(at, magic, sizeof(magic));
	at = put_number(at, PADV_HISTORY_VERSION);
	at = put_number(at, BYTE_ORDER_MARK);
	at = put_bytes(at, &system, sizeof(system));
	at = put_number(at, sizeof(PadvHistoryPoint));
	at = put_number(at, PADV_HISTORY_SECTIONS);
	for (PadvResolution resolution = 0; resolution < PADV_RESOLUTIONS; resolution++)
		at = put_points(at, history, resolution);
	at = put_number(at, PADV_RESOLUTIONS);
	at = put_number(at, history->ncurve);
	at = put_bytes(at, history->curve, history->ncurve * sizeof(double));
	at += PADV_HISTORY_CRC;
	return (size_t) (at - (unsigned char *) bytes);
}

void
padv_history_seal(void *bytes, size_t size)
{
	unsigned char *start = bytes;
	uint32_t	crc;

	if (size < PADV_HISTORY_CRC)
		return;
	crc = crc32c(start, size - PADV_HISTORY_CRC);
	memcpy(start + size - PADV_HISTORY_CRC, &crc, sizeof(crc));
}

/* Bytes that are still to be read. */
typedef struct Input
{
	const unsigned char *at;
	size_t		left;
} Input;

static bool
get_bytes(Input *input, void *to, size_t size)
{
	if (size > input->left)
		return false;
	memcpy(to, input->at, size);
	input->at += size;
	input->left -= size;
	return true;
}

static bool
get_number(Input *input, uint32_t *number)
{
	return get_bytes(input, number, sizeof(*number));
}

/* The header of a section, which must be the one expected. */
static bool
get_section(Input *input, uint32_t which, uint32_t most, uint32_t *count)
{
	uint32_t	found;

	return get_number(input, &found) && found == which &&
		get_number(input, count) && *count <= most;
}

/* Points in order; those of longer intervals at the ends of such. */
static bool
get_points(Input *input, PadvHistory *history, PadvResolution resolution)
{
	int64_t		length = padv_resolution_us(resolution);
	int64_t		before = -PADV_HISTORY_LATEST - 1;
	uint32_t	count;

	if (!get_section(input, (uint32_t) resolution,
					 (uint32_t) padv_history_size(resolution), &count))
		return false;
	for (uint32_t i = 0; i < count; i++)
	{
		PadvHistoryPoint point;

		if (!get_bytes(input, &point, sizeof(point)) || !padv_history_sound(&point) ||
			point.at <= before)
			return false;
		if (resolution != PADV_HISTORY_1_SECOND && point.at % length != 0)
			return false;
		before = point.at;
		padv_history_append(history, resolution, &point);
	}
	return true;
}

static bool
get_curve(Input *input, PadvHistory *history)
{
	uint32_t	count;

	if (!get_section(input, PADV_RESOLUTIONS, PADV_HISTORY_MAX_CURVE, &count) ||
		!get_bytes(input, history->curve, count * sizeof(double)))
		return false;
	history->ncurve = count;
	return padv_history_curve_sound(history->curve, count);
}

/* What of the file's beginning and end says that it is not for us. */
static PadvHistoryFault
check_frame(const unsigned char *bytes, size_t size, uint64_t system)
{
	Input		input = {bytes, size};
	char		found[sizeof(magic)];
	uint32_t	version,
				mark,
				crc;
	uint64_t	owner;

	if (!get_bytes(&input, found, sizeof(found)))
		return PADV_HISTORY_TRUNCATED;
	if (memcmp(found, magic, sizeof(magic)) != 0)
		return PADV_HISTORY_NOT_OURS;
	if (size < PADV_HISTORY_LEAST_BYTES)
		return PADV_HISTORY_TRUNCATED;

	/* these are where they are in all versions */
	(void) get_number(&input, &version);
	(void) get_number(&input, &mark);
	if (mark != BYTE_ORDER_MARK)
		return PADV_HISTORY_BYTE_ORDER;
	if (version > PADV_HISTORY_VERSION)
		return PADV_HISTORY_NEWER;
	if (size > PADV_HISTORY_MOST_BYTES)
		return PADV_HISTORY_TOO_LONG;

	memcpy(&crc, bytes + size - PADV_HISTORY_CRC, sizeof(crc));
	if (version != PADV_HISTORY_VERSION ||
		crc != crc32c(bytes, size - PADV_HISTORY_CRC))
		return PADV_HISTORY_DAMAGED;
	(void) get_bytes(&input, &owner, sizeof(owner));
	return owner == system ? PADV_HISTORY_INTACT : PADV_HISTORY_FOREIGN;
}

/* All between the header's first half and the CRC. */
static bool
get_content(Input *input, PadvHistory *history)
{
	uint32_t	point_size,
				sections;

	if (!get_number(input, &point_size) || point_size != sizeof(PadvHistoryPoint) ||
		!get_number(input, &sections) || sections != PADV_HISTORY_SECTIONS)
		return false;
	for (PadvResolution resolution = 0; resolution < PADV_RESOLUTIONS; resolution++)
		if (!get_points(input, history, resolution))
			return false;
	return get_curve(input, history) && input->left == 0;
}

PadvHistoryFault
padv_history_parse(const void *bytes, size_t size, uint64_t system,
				   PadvHistory *history)
{
	const size_t skipped = PADV_HISTORY_HEADER - 2 * sizeof(uint32_t);
	PadvHistoryFault fault;
	Input		content;

	padv_history_init(history);
	fault = check_frame(bytes, size, system);
	if (fault != PADV_HISTORY_INTACT)
		return fault;

	content.at = (const unsigned char *) bytes + skipped;
	content.left = size - skipped - PADV_HISTORY_CRC;
	if (get_content(&content, history))
		return PADV_HISTORY_INTACT;
	padv_history_init(history);
	return PADV_HISTORY_DAMAGED;
}

const char *
padv_history_fault_text(PadvHistoryFault fault)
{
	switch (fault)
	{
		case PADV_HISTORY_INTACT:
			return "It is intact.";
		case PADV_HISTORY_TRUNCATED:
			return "It is too short.";
		case PADV_HISTORY_TOO_LONG:
			return "It is too long.";
		case PADV_HISTORY_NOT_OURS:
			return "It is not a history of pool_advisor.";
		case PADV_HISTORY_BYTE_ORDER:
			return "It was written by a machine with another byte order, or is damaged.";
		case PADV_HISTORY_NEWER:
			return "It was written by a newer version of pool_advisor.";
		case PADV_HISTORY_FOREIGN:
			return "It belongs to another database cluster.";
		case PADV_HISTORY_DAMAGED:
			break;
	}
	return "It is damaged.";
}
