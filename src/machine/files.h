/*
 * files.h
 *		Bounded readers of small files, like those of /proc and /sys.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_FILES_H
#define PADV_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/machine.h"

/* The size of a path below a root; a file with a longer path is unreadable. */
#define PADV_PATH 1024

/*
 * Concatenate strings to a path.  Returns false, with an empty path, if it does not
 * fit.  path must not be one of the strings.
 */
extern bool padv_join(char path[PADV_PATH], const char *a, const char *b, const char *c);

/*
 * Read a file below root, as far as it fits, and terminate it with a NUL.  Returns
 * the length, or -1 if it is unreadable.  size is at least 1.
 */
extern int	padv_read_file(const char *root, const char *path, char *buffer, size_t size);

/*
 * Read a file into memory that the caller frees, up to 16 MB.  Returns NULL if it
 * is unreadable.
 */
extern char *padv_read_whole(const char *root, const char *path);

/* Read a file that contains one number, not negative, and nothing else. */
extern bool padv_read_number(const char *root, const char *path, uint64_t *number);

/*
 * Read the first line of a file, truncated if it is too long.  Returns false if
 * there is none.
 */
extern bool padv_read_line(const char *root, const char *path, char *line, size_t size);

/* Whether a file or directory exists; follows symbolic links. */
extern bool padv_exists(const char *root, const char *path);

/*
 * Resolve symbolic links, relative to root.  If they lead nowhere, or out of root,
 * the result is the path itself.
 */
extern void padv_resolve(const char *root, const char *path, char resolved[PADV_PATH]);

/* The part of a path after the last slash. */
extern const char *padv_base_name(const char *path);

/* The names of a directory without dot files, shorter names first, then by byte. */
typedef struct PadvNames
{
	int			count;
	char		names[][64];
} PadvNames;

/*
 * List a directory: at most 4096 names of at most 63 characters.  The caller frees
 * the result.  Returns NULL if it is unreadable.
 */
extern PadvNames *padv_list_directory(const char *root, const char *path);

/*
 * Parse digits, after optional blanks but not after a line break, followed by white
 * space or the end.  Advances *text.
 */
extern bool padv_parse_number(const char **text, uint64_t *number);

/* The text after a key at the beginning of a line; NULL if there is none. */
extern const char *padv_find_line(const char *text, const char *key);

typedef struct PadvCpuSet
{
	int			count;
	uint8_t		map[PADV_MAX_CPUS / 8];
} PadvCpuSet;

/*
 * Parse a list like "0-3,8".  CPUs beyond PADV_MAX_CPUS are ignored.  Returns
 * false, with an empty set, for anything else.
 */
extern bool padv_parse_cpus(const char *text, PadvCpuSet *cpus);

/* cpu is 0 .. PADV_MAX_CPUS - 1. */
extern bool padv_cpu_in(const PadvCpuSet *cpus, int cpu);
extern void padv_add_cpu(PadvCpuSet *cpus, int cpu);

/* Remove CPUs that are not in the other set. */
extern void padv_intersect_cpus(PadvCpuSet *cpus, const PadvCpuSet *other);

#endif							/* PADV_FILES_H */
