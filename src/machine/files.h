/*
 * files.h
 *		Small, bounded readers of what the kernel shows as files.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_FILES_H
#define PADV_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/machine.h"

/* Room for a path below a root; longer ones count as unreadable. */
#define PADV_PATH 1024

/*
 * Join pieces to a path, in *path.  False when it does not fit, which leaves
 * *path empty.
 */
extern bool padv_join(char path[PADV_PATH], const char *a, const char *b, const char *c);

/*
 * Read a file below root into the buffer, as far as it fits, and end it with a
 * NUL.  Returns the length, or -1 when it cannot be read.
 */
extern int	padv_read_file(const char *root, const char *path, char *buffer, size_t size);

/*
 * The same into memory that the caller frees, up to a megabyte; NULL when it
 * cannot be read.
 */
extern char *padv_read_whole(const char *root, const char *path);

/* A file with one number, which is not negative. */
extern bool padv_read_number(const char *root, const char *path, uint64_t *number);

/* Digits, then the end or white space.  *text moves behind them. */
extern bool padv_parse_number(const char **text, uint64_t *number);

/* The rest of the line that begins with a key; NULL when there is none. */
extern const char *padv_find_line(const char *text, const char *key);

typedef struct PadvCpuSet
{
	int			count;
	uint8_t		map[PADV_MAX_CPUS / 8];
} PadvCpuSet;

/*
 * A list like "0-3,8".  CPUs beyond PADV_MAX_CPUS are left out.  False, and an
 * empty set, when it is anything else or names none.
 */
extern bool padv_parse_cpus(const char *text, PadvCpuSet *cpus);

extern bool padv_cpu_in(const PadvCpuSet *cpus, int cpu);
extern void padv_add_cpu(PadvCpuSet *cpus, int cpu);

/* Keep those that are in both. */
extern void padv_intersect_cpus(PadvCpuSet *cpus, const PadvCpuSet *other);

#endif							/* PADV_FILES_H */
