/*
 * test_history_file.c
 *		What is written can be read; what is anything else is turned down.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/history_file.h"
#include "history_fixture.h"
#include "tap.h"

#define SYSTEM UINT64_C(7500000000000000001)
#define CASES 100000

static PadvHistory *history = NULL;
static PadvHistory *found = NULL;
static unsigned char *bytes = NULL;
static unsigned char *copy = NULL;

/* Each history is as good as the other. */
static bool
same_history(const PadvHistory *a, const PadvHistory *b)
{
	static PadvHistoryPoint left[PADV_HISTORY_FIVE_MINUTES + 256];
	static PadvHistoryPoint right[PADV_HISTORY_FIVE_MINUTES + 256];

	for (PadvResolution resolution = 0; resolution < PADV_RESOLUTIONS; resolution++)
	{
		int			count = read_all(a, resolution, left);

		if (read_all(b, resolution, right) != count ||
			memcmp(left, right, sizeof(*left) * (size_t) count) != 0)
			return false;
	}
	return a->ncurve == b->ncurve &&
		memcmp(a->curve, b->curve, a->ncurve * sizeof(double)) == 0;
}

static void
fill(int seconds, size_t ncurve)
{
	double		curve[PADV_HISTORY_MAX_CURVE];

	padv_history_init(history);
	for (int i = 1; i <= seconds; i++)
	{
		PadvHistoryPoint point = random_point(SOME_DAY + i * SECOND);

		padv_history_add(history, &point);
	}
	for (size_t i = 0; i < ncurve; i++)
		curve[i] = (double) i / 7.0;
	padv_history_set_curve(history, curve, ncurve);
}

static size_t
write_sealed(void)
{
	size_t		size = padv_history_write(history, SYSTEM, bytes);

	padv_file_seal(bytes, size);
	return size;
}

static PadvFileFault
parse(size_t size)
{
	return padv_history_parse(bytes, size, SYSTEM, found);
}

static void
test_there_and_back(void)
{
	size_t		size;

	fill(0, 0);
	size = write_sealed();
	ok(size == PADV_HISTORY_LEAST_BYTES, "an empty history is the smallest file");
	ok(parse(size) == PADV_FILE_INTACT && same_history(history, found), "and comes back");

	fill(3000, 100);
	size = write_sealed();
	ok(parse(size) == PADV_FILE_INTACT && same_history(history, found), "some history comes back");
	padv_history_add(history, &(PadvHistoryPoint) {.at = SOME_DAY + 3601 * SECOND, .active_avg = 1.0f});
	padv_history_add(found, &(PadvHistoryPoint) {.at = SOME_DAY + 3601 * SECOND, .active_avg = 1.0f});
	ok(same_history(history, found), "and goes on as if nothing had been");
	memmove(copy + 1, bytes, size);
	ok(padv_history_parse(copy + 1, size, SYSTEM, found) == PADV_FILE_INTACT,
	   "from bytes that are not aligned too");

	fill(14 * 86400 + 1000, PADV_HISTORY_MAX_CURVE);
	size = write_sealed();
	ok(size == PADV_HISTORY_MOST_BYTES, "a full history is the largest file");
	ok(parse(size) == PADV_FILE_INTACT && same_history(history, found), "and comes back");
}

/* A number in the file. */
static void
patch32(size_t at, uint32_t number)
{
	memcpy(bytes + at, &number, sizeof(number));
}

static void
expect(PadvFileFault fault, size_t size, const char *name)
{
	PadvFileFault got = parse(size);

	ok(got == fault && padv_file_fault_text(got)[0] != '\0', "%s", name);
	if (got != fault)
		printf("#   got %d\n", got);
	if (found->rings[0].count + found->rings[1].count + found->rings[2].count + found->ncurve > 0)
		ok(false, "%s: something is left of it", name);
}

static void
test_frame(void)
{
	size_t		size;

	fill(700, 5);
	size = write_sealed();
	expect(PADV_FILE_TRUNCATED, 0, "no byte");
	expect(PADV_FILE_TRUNCATED, 7, "less than the magic");
	expect(PADV_FILE_TRUNCATED, 40, "less than the least");
	expect(PADV_FILE_DAMAGED, size - 1, "a byte is missing");
	expect(PADV_FILE_DAMAGED, PADV_HISTORY_LEAST_BYTES, "most is missing");
	expect(PADV_FILE_DAMAGED, size + 1, "a byte too many");
	expect(PADV_FILE_TOO_LONG, PADV_HISTORY_MOST_BYTES + 1, "longer than any");
	bytes[size / 2] ^= 4;
	expect(PADV_FILE_DAMAGED, size, "a bit flipped");
	bytes[size / 2] ^= 4;
	ok(padv_history_parse(bytes, size, SYSTEM + 1, found) == PADV_FILE_FOREIGN,
	   "of another cluster");
	bytes[0] = 'X';
	expect(PADV_FILE_NOT_OURS, size, "another magic");
	bytes[0] = 'P';
	patch32(8, 2);
	expect(PADV_FILE_NEWER, size, "a newer version, whatever the CRC");
	expect(PADV_FILE_NEWER, PADV_HISTORY_MOST_BYTES + 1, "which may be longer");
	patch32(8, 0);
	padv_file_seal(bytes, size);
	expect(PADV_FILE_DAMAGED, size, "version 0, which there never was");
	patch32(8, 1);
	patch32(12, 0x04030201);
	expect(PADV_FILE_BYTE_ORDER, size, "another byte order");
	patch32(12, 0x01020304);
	padv_file_seal(bytes, size);
	ok(parse(size) == PADV_FILE_INTACT, "all put right again");
	padv_file_seal(bytes, 3);
	ok(parse(size) == PADV_FILE_INTACT, "nothing is too small to be sealed");
}

/* The file is whole and sealed, but says what cannot be. */
static void
test_content(void)
{
	const size_t first_count = PADV_HISTORY_HEADER + 4;
	const size_t first_point = PADV_HISTORY_HEADER + PADV_HISTORY_SECTION_HEADER;
	size_t		size;
	size_t		tens;
	size_t		curve;
	float		bad[] = {NAN, INFINITY, -INFINITY, -1.5f, 2e9f};
	double		infinite = INFINITY;
	int64_t		at;

#define BROKEN(name, ...) \
	do { \
		size = write_sealed(); \
		__VA_ARGS__; \
		padv_file_seal(bytes, size); \
		expect(PADV_FILE_DAMAGED, size, name); \
	} while (0)

	fill(700, 5);
	tens = first_point + 700 * sizeof(PadvHistoryPoint);
	BROKEN("points of another size", patch32(24, 60));
	BROKEN("sections more than there are", patch32(28, 5));
	BROKEN("another section than expected", patch32(PADV_HISTORY_HEADER, 1));
	BROKEN("a point less", patch32(first_count, 699));
	BROKEN("a point more", patch32(first_count, 701));
	BROKEN("more points than a ring holds", patch32(first_count, PADV_HISTORY_SECONDS + 1));
	BROKEN("a huge count", patch32(first_count, 0xFFFFFFFF));
	BROKEN("a count that wraps to 0", patch32(first_count, 0x04000000));
	BROKEN("times not in order", memmove(bytes + first_point + 64, bytes + first_point, 8));
	BROKEN("a time out of bounds", at = INT64_MIN, memcpy(bytes + first_point, &at, 8));
	BROKEN("no multiple of 10 s", at = SOME_DAY + SECOND, memcpy(bytes + tens + 8, &at, 8));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		BROKEN("a figure that is none", memcpy(bytes + first_point + 8 + 4 * i, &bad[i], 4));
	BROKEN("a ratio above 1", bad[0] = 1.25f, memcpy(bytes + first_point + 8 + 4 * 10, bad, 4));
	curve = write_sealed() - PADV_FILE_CRC - 5 * sizeof(double);
	BROKEN("a curve that is infinite", memcpy(bytes + curve, &infinite, 8));
	BROKEN("a curve that is longer than it is", patch32(curve - 4, 6));
	BROKEN("a curve that is shorter than it is", patch32(curve - 4, 4));
	BROKEN("a curve of a huge count", patch32(curve - 4, 0x20000005));
	size = write_sealed();
	ok(parse(size) == PADV_FILE_INTACT, "while the file itself is good");
}

/* All is there that is counted, but it is more than there can be. */
static void
test_too_much(void)
{
	const size_t first_point = PADV_HISTORY_HEADER + PADV_HISTORY_SECTION_HEADER;
	const size_t one = sizeof(PadvHistoryPoint);
	const size_t full = PADV_HISTORY_SECONDS * one;
	int64_t		next = SOME_DAY + (PADV_HISTORY_SECONDS + 1) * SECOND;
	size_t		size;

	fill(PADV_HISTORY_SECONDS, 0);
	size = write_sealed();
	memmove(bytes + first_point + full + one, bytes + first_point + full, size - first_point - full);
	memcpy(bytes + first_point + full, bytes + first_point, one);
	memcpy(bytes + first_point + full, &next, sizeof(next));
	patch32(PADV_HISTORY_HEADER + 4, PADV_HISTORY_SECONDS + 1);
	padv_file_seal(bytes, size + one);
	expect(PADV_FILE_DAMAGED, size + one, "one point more than a ring holds");

	fill(0, 0);
	size = write_sealed();
	memset(bytes + size - PADV_FILE_CRC, 0, 8 * (PADV_HISTORY_MAX_CURVE + 1));
	patch32(size - 8, PADV_HISTORY_MAX_CURVE + 1);
	size += 8 * (PADV_HISTORY_MAX_CURVE + 1);
	padv_file_seal(bytes, size);
	expect(PADV_FILE_DAMAGED, size, "one number more than a curve can have");
}

/* Change a few bytes somewhere, or cut, or repeat some. */
static size_t
mutate(size_t size, size_t room)
{
	static const uint32_t numbers[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FC00000, 4097};
	int			changes = 1 + (int) random_below(4);

	for (int i = 0; i < changes && size > 8; i++)
	{
		size_t		at = (size_t) random_below((int64_t) size - 8);
		size_t		length = (size_t) random_below(64);

		switch (random_below(6))
		{
			case 0:
				bytes[at] ^= (unsigned char) (1 << random_below(8));
				break;
			case 1:
				bytes[at] = (unsigned char) random_below(256);
				break;
			case 2:
				memcpy(bytes + at / 4 * 4, &numbers[random_below(7)], 4);
				break;
			case 3:
				size = random_below(4) == 0 ? at : size;
				break;
			case 4:
				length = length < size - at ? length : size - at;
				memmove(bytes + random_below((int64_t) (size - length) + 1), bytes + at, length);
				break;
			default:
				length = length < room - size ? length : room - size;
				memmove(bytes + at + length, bytes + at, size - at);
				size += length;
		}
	}
	return size;
}

static void
test_mutations(void)
{
	size_t		valid;
	size_t		size;
	int			accepted = 0;
	int			unsound = 0;
	int			unsealed = 0;

	fill(64, 12);
	valid = write_sealed();
	memcpy(copy, bytes, valid);
	for (int i = 0; i < CASES; i++)
	{
		/* memory of just that size, so that a byte read behind it is seen */
		unsigned char *exact;
		bool		sealed = i % 4 != 0;
		PadvFileFault fault;

		memcpy(bytes, copy, valid);
		size = mutate(valid, PADV_HISTORY_MOST_BYTES);
		if (sealed)
			padv_file_seal(bytes, size);
		exact = malloc(size + 1);
		memcpy(exact + 1, bytes, size);
		fault = padv_history_parse(exact + 1, size, SYSTEM, found);
		free(exact);
		if (fault != PADV_FILE_INTACT)
		{
			unsound += found->rings[0].count + found->ncurve > 0;
			continue;
		}
		accepted++;
		unsealed += !sealed && memcmp(bytes, copy, valid) != 0;
		unsound += !is_consistent(found);
	}
	ok(unsound == 0, "%d mutations: what is accepted is sound", CASES);
	ok(unsealed == 0, "and none without the right CRC");
	ok(accepted > CASES / 100 && accepted < CASES, "some are accepted, and some are not");
	printf("# %d of %d accepted\n", accepted, CASES);
}

int
main(void)
{
	history = malloc(sizeof(PadvHistory));
	found = malloc(sizeof(PadvHistory));
	bytes = calloc(1, PADV_HISTORY_MOST_BYTES + 1);
	copy = calloc(1, PADV_HISTORY_MOST_BYTES + 1);
	padv_history_init(found);

	test_there_and_back();
	test_frame();
	test_content();
	test_too_much();
	test_mutations();

	free(history);
	free(found);
	free(bytes);
	free(copy);
	return tap_end();
}
