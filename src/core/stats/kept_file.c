/*
 * kept_file.c
 *		What all files of pool_advisor have around their content.
 *
 * Owns that format, and what is believed of a file: nothing.  Pure: the caller reads and
 * writes files, and owns the memory.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/kept_file.h"

#include <string.h>

#define BYTE_ORDER_MARK UINT32_C(0x01020304)

/* CRC-32C (Castagnoli), bits reversed, as in iSCSI (RFC 3720). */
#define POLYNOMIAL UINT32_C(0x82F63B78)

#define MAGIC_BYTES 8

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

unsigned char *
padv_file_put(unsigned char *to, const void *from, size_t size)
{
	memcpy(to, from, size);
	return to + size;
}

unsigned char *
padv_file_put_number(unsigned char *to, uint32_t number)
{
	return padv_file_put(to, &number, sizeof(number));
}

unsigned char *
padv_file_begin(const PadvFileForm *form, uint64_t system, void *bytes)
{
	unsigned char *at = padv_file_put(bytes, form->magic, MAGIC_BYTES);

	at = padv_file_put_number(at, form->version);
	at = padv_file_put_number(at, BYTE_ORDER_MARK);
	return padv_file_put(at, &system, sizeof(system));
}

void
padv_file_seal(void *bytes, size_t size)
{
	unsigned char *start = bytes;
	uint32_t	crc;

	if (size < PADV_FILE_CRC)
		return;
	crc = crc32c(start, size - PADV_FILE_CRC);
	memcpy(start + size - PADV_FILE_CRC, &crc, sizeof(crc));
}

bool
padv_file_get(PadvFileInput *input, void *to, size_t size)
{
	if (size > input->left)
		return false;
	memcpy(to, input->at, size);
	input->at += size;
	input->left -= size;
	return true;
}

bool
padv_file_get_number(PadvFileInput *input, uint32_t *number)
{
	return padv_file_get(input, number, sizeof(*number));
}

PadvFileFault
padv_file_check(const PadvFileForm *form, const void *bytes, size_t size, uint64_t system,
				PadvFileInput *content)
{
	PadvFileInput input = {bytes, size};
	char		found[MAGIC_BYTES];
	uint32_t	version = 0,
				mark = 0,
				crc = 0;
	uint64_t	owner = 0;

	if (!padv_file_get(&input, found, sizeof(found)))
		return PADV_FILE_TRUNCATED;
	if (memcmp(found, form->magic, sizeof(found)) != 0)
		return PADV_FILE_NOT_OURS;
	if (size < form->least)
		return PADV_FILE_TRUNCATED;

	/* these are where they are in all versions */
	(void) padv_file_get_number(&input, &version);
	(void) padv_file_get_number(&input, &mark);
	if (mark != BYTE_ORDER_MARK)
		return PADV_FILE_BYTE_ORDER;
	if (version > form->version)
		return PADV_FILE_NEWER;
	if (size > form->most)
		return PADV_FILE_TOO_LONG;

	memcpy(&crc, input.at + input.left - PADV_FILE_CRC, sizeof(crc));
	if (version != form->version || crc != crc32c(bytes, size - PADV_FILE_CRC))
		return PADV_FILE_DAMAGED;
	(void) padv_file_get(&input, &owner, sizeof(owner));
	input.left -= PADV_FILE_CRC;
	*content = input;
	return owner == system ? PADV_FILE_INTACT : PADV_FILE_FOREIGN;
}

const char *
padv_file_fault_text(PadvFileFault fault)
{
	switch (fault)
	{
		case PADV_FILE_INTACT:
			return "It is intact.";
		case PADV_FILE_TRUNCATED:
			return "It is too short.";
		case PADV_FILE_TOO_LONG:
			return "It is too long.";
		case PADV_FILE_NOT_OURS:
			return "It is another kind of file.";
		case PADV_FILE_BYTE_ORDER:
			return "It was written by a machine with another byte order, or is damaged.";
		case PADV_FILE_NEWER:
			return "It was written by a newer version of pool_advisor.";
		case PADV_FILE_FOREIGN:
			return "It belongs to another database cluster.";
		case PADV_FILE_DAMAGED:
			break;
	}
	return "It is damaged.";
}
