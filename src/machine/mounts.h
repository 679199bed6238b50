/*
 * mounts.h
 *		Parser for /proc/self/mountinfo.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_MOUNTS_H
#define PADV_MOUNTS_H

#include "machine/files.h"

#define PADV_MOUNTS_FILE "/proc/self/mountinfo"

typedef struct PadvMount
{
	unsigned	major;			/* of the device; 0: none of its own */
	unsigned	minor;
	char		root[PADV_PATH];	/* mounted directory of the file system */
	char		point[PADV_PATH];	/* mount point */
	char		type[64];
	char		source[PADV_PATH];
	char		options[256];	/* of the file system; can be truncated */
} PadvMount;

/*
 * Parse the next well-formed line, and advance *cursor.  Returns false at the end.
 */
extern bool padv_next_mount(const char **cursor, PadvMount *mount);

/* Whether path is prefix or below it.  Both are absolute. */
extern bool padv_is_below(const char *path, const char *prefix);

/* Whether a comma-separated list contains a word. */
extern bool padv_in_list(const char *list, const char *word);

#endif							/* PADV_MOUNTS_H */
