/*
 * fuzz_history.c
 *		libFuzzer on the file of the history.
 *
 * What the parser accepts must be sound, and come back when it is written
 * again.  The mutator puts the CRC right three times out of four, because
 * nothing behind it would be reached otherwise.  `make fuzz` runs it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/history_file.h"
#include "../unit/history_fixture.h"

#define SYSTEM UINT64_C(42)

extern size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
extern size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
									  unsigned int number);
extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static PadvHistory history;
static uint64_t bytes[PADV_HISTORY_MOST_BYTES / 8 + 1];	/* aligned */

/* A small file to begin with. */
static size_t
write_some(uint8_t *data, size_t max_size)
{
	size_t		size;

	padv_history_init(&history);
	for (int i = 1; i <= 30; i++)
	{
		PadvHistoryPoint point = random_point(SOME_DAY + i * SECOND);

		padv_history_add(&history, &point);
	}
	padv_history_set_curve(&history, (double[]) {1.0, 2.5}, 2);
	size = padv_history_write(&history, SYSTEM, bytes);
	if (size > max_size)
		return 0;
	memcpy(data, bytes, size);
	return size;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int number)
{
	if (size < PADV_HISTORY_LEAST_BYTES)
		size = write_some(data, max_size);
	size = LLVMFuzzerMutate(data, size, max_size);
	if (number % 4 != 0)
		padv_file_seal(data, size);
	return size;
}

static void
must(bool condition)
{
	if (!condition)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PadvFileFault fault = padv_history_parse(data, size, SYSTEM, &history);
	PadvHistoryPoint point;
	size_t		written;

	must(is_consistent(&history));
	must(padv_file_fault_text(fault) != NULL);
	if (fault != PADV_FILE_INTACT)
	{
		must(history.rings[PADV_HISTORY_1_SECOND].count == 0 && history.ncurve == 0);
		return 0;
	}

	written = padv_history_write(&history, SYSTEM, bytes);
	padv_file_seal(bytes, written);
	must(written == size && memcmp(bytes, data, size) == 0);

	/* life goes on with it, at any time */
	point = random_point(size % 2 ? SOME_DAY : (int64_t) size * HOUR);
	padv_history_add(&history, &point);
	must(is_consistent(&history));
	return 0;
}
