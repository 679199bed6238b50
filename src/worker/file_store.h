/*
 * file_store.h
 *		Reading and replacing the files that keep what was learned over a restart.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_FILE_STORE_H
#define PADV_FILE_STORE_H

#include "postgres.h"

/* They are in the directory of the server's own statistics. */
#define PADV_FILE_DIRECTORY "pg_stat"

/* One of these files.  All strings are constants. */
typedef struct PadvFileStore
{
	const char *path;
	const char *temporary;		/* while it is written */
	const char *bad;			/* what a file that cannot be used is renamed
								 * to */
	const char *kind;			/* "could not use <kind> file" */
	const char *begins;			/* "a new <begins> begins" */
	const char *kept;			/* "pool_advisor keeps its <kept> in file" */
	const char *lost;			/* a sentence: what is in memory only when the
								 * file cannot be written */
} PadvFileStore;

/*
 * Read the file into a block of so many bytes, and return the number of bytes, or -1 when
 * there is no file, or none that can be read: that one is renamed, and logged.
 */
extern ssize_t padv_file_store_read(const PadvFileStore *store, char *bytes, size_t size);

/* Rename a file that cannot be used, and log the reason, which is a sentence. */
extern void padv_file_store_reject(const PadvFileStore *store, const char *why);

/*
 * Replace the file, durably.  Raises no error: a failure is logged, once until a file has
 * been written again.  set_failing notes whether it failed, and returns whether it had
 * failed before.
 */
extern void padv_file_store_replace(const PadvFileStore *store, const char *bytes, size_t size,
									bool (*set_failing) (bool failing));

#endif							/* PADV_FILE_STORE_H */
