/*
 * history_store.c
 *		The file that keeps the history over a restart.
 *
 * Owns that file, which lies where the server keeps its own statistics.  The
 * worker reads it when the server starts; one process at a time writes it, the
 * one that has claimed it (history_writer.c).  Whatever is wrong with a file, a folder
 * or a disk costs history, and a queue in the log, but never an error.
 *
 * Writing waits for the disk, for seconds where that stalls.
 *
 * A new file takes the place of the old one when all of it is on the disk, so
 * there is a whole one at any time.  An immediate shutdown or a crash costs at
 * most what was added since.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/xlog.h"
#include "pgstat.h"
#include "storage/fd.h"

#include "core/stats/history_file.h"
#include "shmem/history_shmem.h"

#define FOLDER PGSTAT_STAT_PERMANENT_DIRECTORY
#define HISTORY_FILE FOLDER "/pool_advisor.history"
#define TEMPORARY_FILE HISTORY_FILE ".tmp"
#define BAD_FILE HISTORY_FILE ".bad"

/* one byte more shows that a file is too long */
#define BUFFER_SIZE (PADV_HISTORY_MOST_BYTES + 1)

/*
 * The next bytes of a file, up to a number of them; -1 and errno when they
 * cannot be read.
 */
static ssize_t
read_bytes(int fd, char *bytes, size_t size)
{
	size_t		done = 0;

	while (done < size)
	{
		ssize_t		n = read(fd, bytes + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t) n;
	}
	return (ssize_t) done;
}

/*
 * The file's bytes, and their number; or what is the matter, a sentence, with
 * errno ENOENT if there is no file.  Nothing but an ordinary file is read, as
 * reading a pipe could take forever; opening one could too, hence O_NONBLOCK.
 */
static const char *
read_file(char *bytes, ssize_t *size)
{
	struct stat status;
	bool		ordinary = true;
	const char *why;
	int			error;
	int			fd = BasicOpenFile(HISTORY_FILE, O_RDONLY | O_NONBLOCK | PG_BINARY);

	*size = -1;
	if (fd >= 0)
	{
		if (fstat(fd, &status) == 0)
		{
			ordinary = S_ISREG(status.st_mode);
			if (ordinary)
				*size = read_bytes(fd, bytes, BUFFER_SIZE);
		}
		error = errno;
		(void) close(fd);
		errno = error;
	}
	if (*size >= 0)
		return NULL;
	if (!ordinary)
	{
		errno = EINVAL;
		return "It is not an ordinary file.";
	}
	error = errno;
	why = psprintf("It could not be read: %s.", strerror(error));
	errno = error;
	return why;
}

/*
 * Rename a file, or what else has its name, in place of one that was there
 * before; a folder replaces no file by itself, nor a file a folder.
 */
static bool
make_bad(void)
{
	if (rename(HISTORY_FILE, BAD_FILE) == 0)
		return true;
	if (unlink(BAD_FILE) != 0)
		(void) rmdir(BAD_FILE);
	return rename(HISTORY_FILE, BAD_FILE) == 0;
}

/* Get a file out of the way, and say why. */
static void
put_aside(const char *why)
{
	if (make_bad())
		ereport(LOG,
				(errmsg("pool_advisor begins a new history because it cannot use file \"%s\"",
						HISTORY_FILE),
				 errdetail("%s It is now \"%s\".", why, BAD_FILE)));
	else
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("pool_advisor begins a new history because it cannot use file \"%s\"",
						HISTORY_FILE),
				 errdetail("%s It could not be renamed to \"%s\": %m.", why, BAD_FILE)));
}

void
padv_history_load(void)
{
	PadvHistory *history;
	PadvHistoryFault fault;
	const char *why;
	char	   *bytes;
	ssize_t		size;

	if (padv_history_loaded())
		return;

	bytes = palloc(BUFFER_SIZE);
	why = read_file(bytes, &size);
	if (why != NULL)
	{
		if (errno != ENOENT)
			put_aside(why);
		padv_history_fill(NULL);
		pfree(bytes);
		return;
	}

	history = palloc(sizeof(PadvHistory));
	fault = padv_history_parse(bytes, (size_t) size, GetSystemIdentifier(), history);
	if (fault != PADV_HISTORY_INTACT)
		put_aside(padv_history_fault_text(fault));
	padv_history_fill(history);
	pfree(history);
	pfree(bytes);
}

/* True when all is written; errno otherwise. */
static bool
write_bytes(int fd, const char *bytes, size_t size)
{
	size_t		done = 0;

	while (done < size)
	{
		ssize_t		n;

		errno = 0;
		n = write(fd, bytes + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
		{
			/* no error was told, so there is no room */
			if (errno == 0)
				errno = ENOSPC;
			return false;
		}
		done += (size_t) n;
	}
	return true;
}

/*
 * Put a new file in the place of the old one.  NULL, or what could not be done
 * to which file, and errno.
 */
static const char *
replace_file(const char *bytes, size_t size)
{
	const char *failed = NULL;
	int			error;
	int			fd;

	/* one may be left of a crash; never write through a link */
	(void) unlink(TEMPORARY_FILE);
	fd = BasicOpenFile(TEMPORARY_FILE, O_CREAT | O_EXCL | O_WRONLY | PG_BINARY);
	if (fd < 0)
		return "create";

	if (!write_bytes(fd, bytes, size))
		failed = "write";
	else if (pg_fsync(fd) != 0)
		failed = "fsync";
	error = errno;
	if (close(fd) != 0 && failed == NULL)
	{
		failed = "close";
		error = errno;
	}
	if (failed == NULL && rename(TEMPORARY_FILE, HISTORY_FILE) != 0)
	{
		failed = "rename";
		error = errno;
	}

	/* what there is of it may be what filled the disk */
	if (failed != NULL)
		(void) unlink(TEMPORARY_FILE);
	else if (fsync_fname_ext(FOLDER, true, false, DEBUG1) != 0)
		return "fsync the folder of";
	errno = error;
	return failed;
}

/* Said once, until it works again. */
static void
report(const char *failed)
{
	if (failed == NULL)
	{
		if (padv_history_set_failing(false))
			ereport(LOG,
					(errmsg("pool_advisor keeps its history in file \"%s\" again", HISTORY_FILE)));
	}
	else if (!padv_history_set_failing(true))
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("pool_advisor could not %s file \"%s\": %m", failed, TEMPORARY_FILE),
				 errdetail("What is new in its history is in memory only. It tries again every 5 minutes and says when it succeeds.")));
}

void
padv_history_write_file(void)
{
	char	   *bytes = palloc(BUFFER_SIZE);
	size_t		size = padv_history_serialize(GetSystemIdentifier(), bytes);

	padv_history_seal(bytes, size);
	report(replace_file(bytes, size));
	pfree(bytes);
}
