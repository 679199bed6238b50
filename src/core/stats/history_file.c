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

static const PadvFileForm history_form = {
	.magic = "PADVHIST", .version = PADV_HISTORY_VERSION,
	.least = PADV_HISTORY_LEAST_BYTES, .most = PADV_HISTORY_MOST_BYTES
};

/* All that precedes has a multiple of 8 bytes, so the points are aligned. */
static unsigned char *
put_points(unsigned char *to, const PadvHistory *history, PadvResolution resolution)
{
	uint64_t	cursor = 0;
	int			count;

	to = padv_file_put_number(to, (uint32_t) resolution);
	to = padv_file_put_number(to, history->rings[resolution].count);
	count = padv_history_copy(history, resolution, &cursor, (PadvHistoryPoint *) to,
							  padv_history_size(resolution));
	return to + (size_t) count * sizeof(PadvHistoryPoint);
}

size_t
padv_history_write(const PadvHistory *history, uint64_t system, void *bytes)
{
	unsigned char *at = padv_file_begin(&history_form, system, bytes);

	at = padv_file_put_number(at, sizeof(PadvHistoryPoint));
	at = padv_file_put_number(at, PADV_HISTORY_SECTIONS);
	for (PadvResolution resolution = 0; resolution < PADV_RESOLUTIONS; resolution++)
		at = put_points(at, history, resolution);
	at = padv_file_put_number(at, PADV_RESOLUTIONS);
	at = padv_file_put_number(at, history->ncurve);
	at = padv_file_put(at, history->curve, history->ncurve * sizeof(double));
	at += PADV_FILE_CRC;
	return (size_t) (at - (unsigned char *) bytes);
}

/* The header of a section, which must be the one expected. */
static bool
get_section(PadvFileInput *input, uint32_t which, uint32_t most, uint32_t *count)
{
	uint32_t	found;

	return padv_file_get_number(input, &found) && found == which &&
		padv_file_get_number(input, count) && *count <= most;
}

/* Points in order; those of longer intervals at the ends of such. */
static bool
get_points(PadvFileInput *input, PadvHistory *history, PadvResolution resolution)
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

		if (!padv_file_get(input, &point, sizeof(point)) || !padv_history_sound(&point) ||
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
get_curve(PadvFileInput *input, PadvHistory *history)
{
	uint32_t	count;

	if (!get_section(input, PADV_RESOLUTIONS, PADV_HISTORY_MAX_CURVE, &count) ||
		!padv_file_get(input, history->curve, count * sizeof(double)))
		return false;
	history->ncurve = count;
	return padv_history_curve_sound(history->curve, count);
}

/* All between what every file has. */
static bool
get_content(PadvFileInput *input, PadvHistory *history)
{
	uint32_t	point_size,
				sections;

	if (!padv_file_get_number(input, &point_size) || point_size != sizeof(PadvHistoryPoint) ||
		!padv_file_get_number(input, &sections) || sections != PADV_HISTORY_SECTIONS)
		return false;
	for (PadvResolution resolution = 0; resolution < PADV_RESOLUTIONS; resolution++)
		if (!get_points(input, history, resolution))
			return false;
	return get_curve(input, history) && input->left == 0;
}

PadvFileFault
padv_history_parse(const void *bytes, size_t size, uint64_t system,
				   PadvHistory *history)
{
	PadvFileInput content;
	PadvFileFault fault = padv_file_check(&history_form, bytes, size, system, &content);

	padv_history_init(history);
	if (fault != PADV_FILE_INTACT)
		return fault;
	if (get_content(&content, history))
		return PADV_FILE_INTACT;
	padv_history_init(history);
	return PADV_FILE_DAMAGED;
}
