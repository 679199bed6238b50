/*
 * history_file.h
 *		Conversion of a history to the bytes of a file, and back.
 *
 * All numbers are in the byte order of the machine, without padding:
 *
 *		8 bytes		"PADVHIST"
 *		uint32		version, PADV_HISTORY_VERSION
 *		uint32		0x01020304, to tell the byte order
 *		uint64		system identifier of the database cluster
 *		uint32		sizeof(PadvHistoryPoint)
 *		uint32		number of sections, PADV_HISTORY_SECTIONS
 *		sections:
 *			uint32	which it is, counted from 0
 *			uint32	number of elements
 *			the elements
 *		uint32		CRC-32C of all bytes before
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

#define PADV_HISTORY_VERSION 1
#define PADV_HISTORY_SECTIONS (PADV_RESOLUTIONS + 1)

#define PADV_HISTORY_HEADER 32
#define PADV_HISTORY_CRC 4
#define PADV_HISTORY_SECTION_HEADER 8

/* The sizes of the smallest and the largest file, in bytes. */
#define PADV_HISTORY_LEAST_BYTES \
	(PADV_HISTORY_HEADER + PADV_HISTORY_SECTIONS * PADV_HISTORY_SECTION_HEADER + PADV_HISTORY_CRC)
#define PADV_HISTORY_MOST_BYTES \
	(PADV_HISTORY_LEAST_BYTES + sizeof(((PadvHistory *) 0)->points) + \
	 sizeof(((PadvHistory *) 0)->curve))

typedef enum PadvHistoryFault
{
	PADV_HISTORY_INTACT,
	PADV_HISTORY_TRUNCATED,
	PADV_HISTORY_TOO_LONG,
	PADV_HISTORY_NOT_OURS,
	PADV_HISTORY_BYTE_ORDER,
	PADV_HISTORY_NEWER,
	PADV_HISTORY_DAMAGED,
	PADV_HISTORY_FOREIGN,
} PadvHistoryFault;

/*
 * Write a history to a block of PADV_HISTORY_MOST_BYTES, aligned as malloc does, and
 * return the number of bytes.  It only copies, so it may be called with a lock held.
 * padv_history_seal writes the CRC, which takes longer.
 */
extern size_t padv_history_write(const PadvHistory *history, uint64_t system,
								 void *bytes);
extern void padv_history_seal(void *bytes, size_t size);

/*
 * Read a history from any bytes, aligned or not.  If anything is wrong with them the
 * history is empty, and the result says what.
 */
extern PadvHistoryFault padv_history_parse(const void *bytes, size_t size,
										   uint64_t system, PadvHistory *history);

/* What is wrong, as a sentence for the log; a constant string. */
extern const char *padv_history_fault_text(PadvHistoryFault fault);

#endif							/* PADV_HISTORY_FILE_H */
