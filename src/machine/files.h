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
 * Join pieces to a path, in *path, which is none of the pieces.  False when it
 * does not fit, which leaves *path empty.
 */
extern bool padv_join(char path[PADV_PATH], const char *a, const char *b, const char *c);

/*
 * Read a file below root into the buffer, as far as it fits, and end it with a
 * NUL.  Returns the length, or -1 when it cannot be read.  size is not 0.
 */
extern int	padv_read_file(const char *root, const char *path, char *buffer, size_t size);

/*
 * The same into memory that the caller frees, up to 16 MB; NULL when it cannot
 * be read.
 */
extern char *padv_read_whole(const char *root, const char *path);

/* A file with one number, which is not negative, and nothing else. */
extern bool padv_read_number(const char *root, const char *path, uint64_t *number);

/* A file's first line, which may be cut; false when there is none. */
extern bool padv_read_line(const char *root, const char *path, char *line, size_t size);

/* Whether there is a file or a directory, links followed. */
extern bool padv_exists(const char *root, const char *path);

/*
 * The path that links lead to, as seen from below root; the path itself when
 * they lead nowhere, or out of root.
 */
extern void padv_resolve(const char *root, const char *path, char resolved[PADV_PATH]);

/* What is behind the last slash of a path. */
extern const char *padv_base_name(const char *path);

/* Names as in a directory: no dot files, short before long, then by character. */
typedef struct PadvNames
{
	int			count;
	char		names[][64];
} PadvNames;

/*
 * The names in a directory, for the caller to free; at most 4096, and none
 * that is longer than 63 characters.  NULL when it cannot be read.
 */
extern PadvNames *padv_list_directory(const char *root, const char *path);

/*
 * Digits, then the end or white space.  *text moves behind them.  What is in
 * front may be blanks, but not the end of a line.
 */
extern bool padv_parse_number(const char **text, uint64_t *number);

/*
 * The rest of the text from where a line begins with a key, the key left out;
 * NULL when there is none.
 */
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

/* For cpu in 0 .. PADV_MAX_CPUS - 1. */
extern bool padv_cpu_in(const PadvCpuSet *cpus, int cpu);
extern void padv_add_cpu(PadvCpuSet *cpus, int cpu);

/* Keep those that are in both. */
extern void padv_intersect_cpus(PadvCpuSet *cpus, const PadvCpuSet *other);

#endif							/* PADV_FILES_H */
