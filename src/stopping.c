/*
 * stopping.c
 *		Whether the server has been asked to shut down.
 *
 * A smart shutdown sends no signal to clients' backends, nor to background workers
 * before the last client has gone; and what the postmaster knows is in no shared
 * memory.  But it writes its state to postmaster.pid, for pg_ctl, before it does
 * anything else.  That line is the one source that is the same in all versions.
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

/* As core names it, relative to the data directory, where every process is. */
#define LOCK_FILE "postmaster.pid"

/* The begin of a line of a text, or NULL; the first is number 1. */
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
