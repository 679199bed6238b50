/*
 * kept_file.h
 *		What all files of pool_advisor have around their content.
 *
 * All numbers are in the byte order of the machine, without padding:
 *
 *		8 bytes		magic, by the kind of file
 *		uint32		version of the format
 *		uint32		0x01020304, to tell the byte order
 *		uint64		system identifier of the database cluster
 *		the content
 *		uint32		CRC-32C of all bytes before
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_KEPT_FILE_H
#define PADV_KEPT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PADV_FILE_FRONT 24		/* bytes before the content */
#define PADV_FILE_CRC 4			/* bytes after it */

/* A kind of file. */
typedef struct PadvFileForm
{
	char		magic[9];
	uint32_t	version;
	size_t		least;			/* bytes of the smallest and the largest file */
	size_t		most;
} PadvFileForm;

typedef enum PadvFileFault
{
	PADV_FILE_INTACT,
	PADV_FILE_TRUNCATED,
	PADV_FILE_TOO_LONG,
	PADV_FILE_NOT_OURS,
	PADV_FILE_BYTE_ORDER,
	PADV_FILE_NEWER,
	PADV_FILE_DAMAGED,
	PADV_FILE_FOREIGN,
} PadvFileFault;

/*
 * Write what is before the content, and return where that goes.  It only copies, so it
 * may be called with a lock held.  padv_file_seal writes the CRC, which takes longer;
 * size is that of the whole file.
 */
extern unsigned char *padv_file_begin(const PadvFileForm *form, uint64_t system, void *bytes);
extern void padv_file_seal(void *bytes, size_t size);

/* Copy bytes to where the next ones go, and return where that is. */
extern unsigned char *padv_file_put(unsigned char *to, const void *from, size_t size);
extern unsigned char *padv_file_put_number(unsigned char *to, uint32_t number);

/* Content that is still to be read; getting returns false when there is too little. */
typedef struct PadvFileInput
{
	const unsigned char *at;
	size_t		left;
} PadvFileInput;

extern bool padv_file_get(PadvFileInput *input, void *to, size_t size);
extern bool padv_file_get_number(PadvFileInput *input, uint32_t *number);

/* Check what is around the content of any bytes; if that is intact, *content is set. */
extern PadvFileFault padv_file_check(const PadvFileForm *form, const void *bytes, size_t size,
									 uint64_t system, PadvFileInput *content);

/* What is wrong, as a sentence for the log; a constant string. */
extern const char *padv_file_fault_text(PadvFileFault fault);

#endif							/* PADV_KEPT_FILE_H */
