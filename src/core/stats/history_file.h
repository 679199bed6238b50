/*
 * history_file.h
 *		A history as bytes, for a file, and back.
 *
 * All numbers are as the machine has them, one after another without a gap:
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
 *		uint32		CRC-32C of all before
 *
 * Sections 0 to 2 are the points of a resolution, oldest first; section 3 is
 * the curve, doubles whose meaning is that of who set them.  What is added to
 * the format is a section more, and another version.
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

/* The largest file, and the smallest. */
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
 * Write a history to at most PADV_HISTORY_MOST_BYTES, aligned as malloc does;
 * the number of bytes is the result.  Copies only, so that it may be called
 * with a lock held; the CRC, which takes longer, is filled in by
 * padv_history_seal.
 */
extern size_t padv_history_write(const PadvHistory *history, uint64_t system,
								 void *bytes);
extern void padv_history_seal(void *bytes, size_t size);

/*
 * Read what was written; any bytes may be given, aligned or not.  When there
 * is anything wrong with them the history is empty.
 */
extern PadvHistoryFault padv_history_parse(const void *bytes, size_t size,
										   uint64_t system, PadvHistory *history);

/* What is wrong, a sentence for a log. */
extern const char *padv_history_fault_text(PadvHistoryFault fault);

#endif							/* PADV_HISTORY_FILE_H */
