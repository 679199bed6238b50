/*
 * history_store.c
 *		The file that keeps the history over a restart.
 *
 * Owns that file, which is in the directory of the server's own statistics.  The worker
 * reads it when the server starts.  One process at a time writes it, the one that has
 * claimed it (history_writer.c).  A fault of the file, the directory or the disk costs
 * history, and a message in the log, but never an error.
 *
 * Writing waits for the disk, for seconds if the disk stalls.
 *
 * A new file replaces the old one when all of it is on the disk, so there is a complete
 * file at any time.  An immediate shutdown or a crash costs at most what was added since.
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

#define DIRECTORY PGSTAT_STAT_PERMANENT_DIRECTORY
#define HISTORY_FILE DIRECTORY "/pool_advisor.history"
#define TEMPORARY_FILE HISTORY_FILE ".tmp"
#define BAD_FILE HISTORY_FILE ".bad"

/* one byte more shows that a file is too long */
#define BUFFER_SIZE (PADV_HISTORY_MOST_BYTES + 1)

/* The step that failed when a file was written. */
typedef enum WriteFault
{
	WRITE_OK,
	CREATE_FAILED,
	WRITE_FAILED,
	FSYNC_FAILED,
	CLOSE_FAILED,
	RENAME_FAILED,
	DIRECTORY_FSYNC_FAILED,
} WriteFault;

/* Read up to size bytes of a file; returns their number, or -1 with errno. */
static ssize_t
read_history_bytes(int fd, char *bytes, size_t size)
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
 * Read the bytes of the file, and their number.  Returns NULL, or what is wrong, as a
 * sentence, with errno ENOENT if there is no file.  Only an ordinary file is read, because
 * reading a pipe could take forever.  Opening one could, too, hence O_NONBLOCK.
 */
static const char *
read_history_file(char *bytes, ssize_t *size)
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
				*size = read_history_bytes(fd, bytes, BUFFER_SIZE);
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
 * Rename the file, or a directory with its name, and replace an older one.  rename() does
 * not replace a file by a directory, or a directory by a file.
 */
static bool
rename_bad_file(void)
{
	if (rename(HISTORY_FILE, BAD_FILE) == 0)
		return true;
	if (unlink(BAD_FILE) != 0)
		(void) rmdir(BAD_FILE);
	return rename(HISTORY_FILE, BAD_FILE) == 0;
}

/* Rename an unusable file, and log the reason. */
static void
rename_and_report(const char *why)
{
	if (rename_bad_file())
		ereport(LOG,
				(errmsg("could not use history file \"%s\"", HISTORY_FILE),
				 errdetail("%s It was renamed to \"%s\", and a new history begins.", why, BAD_FILE)));
	else
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not use history file \"%s\"", HISTORY_FILE),
				 errdetail("%s A new history begins. The file could not be renamed to \"%s\": %m.", why, BAD_FILE)));
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
	why = read_history_file(bytes, &size);
	if (why != NULL)
	{
		if (errno != ENOENT)
			rename_and_report(why);
		padv_history_fill(NULL);
		pfree(bytes);
		return;
	}

	history = palloc(sizeof(PadvHistory));
	fault = padv_history_parse(bytes, (size_t) size, GetSystemIdentifier(), history);
	if (fault != PADV_HISTORY_INTACT)
		rename_and_report(padv_history_fault_text(fault));
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
			/* no error was reported, so the disk is full */
			if (errno == 0)
				errno = ENOSPC;
			return false;
		}
		done += (size_t) n;
	}
	return true;
}

/* Replace the file by a new one.  Returns the step that failed, with errno. */
static WriteFault
replace_file(const char *bytes, size_t size)
{
	WriteFault	failed = WRITE_OK;
	int			error;
	int			fd;

	/* a crash may have left one; never write through a link */
	(void) unlink(TEMPORARY_FILE);
	fd = BasicOpenFile(TEMPORARY_FILE, O_CREAT | O_EXCL | O_WRONLY | PG_BINARY);
	if (fd < 0)
		return CREATE_FAILED;

	if (!write_bytes(fd, bytes, size))
		failed = WRITE_FAILED;
	else if (pg_fsync(fd) != 0)
		failed = FSYNC_FAILED;
	error = errno;
	if (close(fd) != 0 && failed == WRITE_OK)
	{
		failed = CLOSE_FAILED;
		error = errno;
	}
	if (failed == WRITE_OK && rename(TEMPORARY_FILE, HISTORY_FILE) != 0)
	{
		failed = RENAME_FAILED;
		error = errno;
	}

	/* the incomplete file may be what filled the disk */
	if (failed != WRITE_OK)
		(void) unlink(TEMPORARY_FILE);
	else if (fsync_fname_ext(DIRECTORY, true, false, DEBUG1) != 0)
		return DIRECTORY_FSYNC_FAILED;
	errno = error;
	return failed;
}

/* The message for a step that failed; for ereport(). */
static int
write_fault_message(WriteFault failed)
{
	switch (failed)
	{
		case WRITE_OK:
			break;
		case CREATE_FAILED:
			return errmsg("could not create file \"%s\": %m", TEMPORARY_FILE);
		case WRITE_FAILED:
			return errmsg("could not write file \"%s\": %m", TEMPORARY_FILE);
		case FSYNC_FAILED:
			return errmsg("could not fsync file \"%s\": %m", TEMPORARY_FILE);
		case CLOSE_FAILED:
			return errmsg("could not close file \"%s\": %m", TEMPORARY_FILE);
		case RENAME_FAILED:
			return errmsg("could not rename file \"%s\" to \"%s\": %m", TEMPORARY_FILE, HISTORY_FILE);
		case DIRECTORY_FSYNC_FAILED:
			return errmsg("could not fsync directory \"%s\": %m", DIRECTORY);
	}
	return 0;
}

/* Log a failure once, until a file has been written again. */
static void
report_write(WriteFault failed)
{
	if (failed == WRITE_OK)
	{
		if (padv_history_set_failing(false))
			ereport(LOG,
					(errmsg("pool_advisor keeps its history in file \"%s\" again", HISTORY_FILE)));
	}
	else if (!padv_history_set_failing(true))
		ereport(LOG,
				(errcode_for_file_access(),
				 write_fault_message(failed),
				 errdetail("New points of the history of pool_advisor are in memory only. The worker tries again every 5 minutes.")));
}

void
padv_history_write_file(void)
{
	char	   *bytes = palloc(BUFFER_SIZE);
	size_t		size = padv_history_serialize(GetSystemIdentifier(), bytes);

	padv_history_seal(bytes, size);
	report_write(replace_file(bytes, size));
	pfree(bytes);
}
