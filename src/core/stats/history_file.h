/*
 * history_file.h
 *		Conversion of a history to the bytes of a file, and back.
 *
 * The content, in what kept_file.h says is around it:
 *
 *		uint32		sizeof(PadvHistoryPoint)
 *		uint32		number of sections, PADV_HISTORY_SECTIONS
 *		sections:
 *			uint32	which it is, counted from 0
 *			uint32	number of elements
 *			the elements
 *
 * Sections 0 to 2 are the points of a resolution, oldest first.  Section 3 is the curve,
 * doubles whose meaning the caller defines.  An addition to the format is a new section,
 * and a new version.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_HISTORY_FILE_H
#define PADV_HISTORY_FILE_H

#include "core/stats/history.h"
#include "core/stats/kept_file.h"

#define PADV_HISTORY_VERSION 1
#define PADV_HISTORY_SECTIONS (PADV_RESOLUTIONS + 1)

#define PADV_HISTORY_HEADER (PADV_FILE_FRONT + 8)
#define PADV_HISTORY_SECTION_HEADER 8

/* The sizes of the smallest and the largest file, in bytes. */
#define PADV_HISTORY_LEAST_BYTES \
	(PADV_HISTORY_HEADER + PADV_HISTORY_SECTIONS * PADV_HISTORY_SECTION_HEADER + PADV_FILE_CRC)
#define PADV_HISTORY_MOST_BYTES \
	(PADV_HISTORY_LEAST_BYTES + sizeof(((PadvHistory *) 0)->points) + \
	 sizeof(((PadvHistory *) 0)->curve))

/*
 * Write a history to a block of PADV_HISTORY_MOST_BYTES, aligned as malloc does, and
 * return the number of bytes.  It only copies, so it may be called with a lock held;
 * padv_file_seal then writes the CRC.
 */
extern size_t padv_history_write(const PadvHistory *history, uint64_t system,
								 void *bytes);

/*
 * Read a history from any bytes, aligned or not.  If anything is wrong with them the
 * history is empty, and the result says what.
 */
extern PadvFileFault padv_history_parse(const void *bytes, size_t size,
										uint64_t system, PadvHistory *history);

#endif							/* PADV_HISTORY_FILE_H */
