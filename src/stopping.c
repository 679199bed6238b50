/*
 * stopping.c
 *		Whether the server has been asked to shut down.
 *
 * A smart shutdown does not signal client backends, nor background workers before the
 * last client has gone.  The state of the postmaster is not in shared memory.  But the
 * postmaster writes it to postmaster.pid, for pg_ctl, before it does anything else.  That
 * line of the file is the only source that is the same in all versions.
 *
 * Owns nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "utils/pidfile.h"

#include "stopping.h"

/* Relative to the data directory, which is the working directory of every process. */
#define LOCK_FILE "postmaster.pid"

/* The begin of a line of a text, counted from 1, or NULL. */
static const char *
find_line(const char *text, int number)
{
	for (int i = 1; i < number && text != NULL; i++)
	{
		text = strchr(text, '\n');
		if (text != NULL)
			text++;
	}
	return text;
}

bool
padv_is_stopping(void)
{
	char		text[BLCKSZ];
	const char *status;
	ssize_t		length;
	int			file = open(LOCK_FILE, O_RDONLY | PG_BINARY, 0);

	if (file < 0)
		return false;
	length = read(file, text, sizeof(text) - 1);
	(void) close(file);
	if (length <= 0)
		return false;
	text[length] = '\0';
	status = find_line(text, LOCK_FILE_LINE_PM_STATUS);
	return status != NULL &&
		strncmp(status, PM_STATUS_STOPPING, strlen(PM_STATUS_STOPPING)) == 0;
}
