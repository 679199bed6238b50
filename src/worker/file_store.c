/*
 * file_store.c
 *		Reading and replacing the files that keep what was learned over a restart.
 *
 * Owns how a file gets to the disk.  Only a process that has claimed the files writes
 * them (history_writer.c).  A fault of a file, the directory or the disk costs what the
 * file would have kept, and a message in the log, but never an error.
 *
 * Writing waits for the disk, for seconds if the disk stalls.
 *
 * A new file replaces the old one when all of it is on the disk, so there is a complete
 * file at any time.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pgstat.h"
#include "storage/fd.h"

#include "worker/file_store.h"

StaticAssertDecl(sizeof(PADV_FILE_DIRECTORY) == sizeof(PGSTAT_STAT_PERMANENT_DIRECTORY),
				 "the files must be where the server keeps its statistics");

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
 * Read the bytes of the file, and their number.  Returns NULL, or what is wrong, as a
 * sentence, with errno ENOENT if there is no file.  Only an ordinary file is read, because
 * reading a pipe could take forever.  Opening one could, too, hence O_NONBLOCK.
 */
static const char *
read_file(const PadvFileStore *store, char *bytes, size_t most, ssize_t *size)
{
	struct stat status;
	bool		ordinary = true;
	const char *why;
	int			error;
	int			fd = BasicOpenFile(store->path, O_RDONLY | O_NONBLOCK | PG_BINARY);

	*size = -1;
	if (fd >= 0)
	{
		if (fstat(fd, &status) == 0)
		{
			ordinary = S_ISREG(status.st_mode);
			if (ordinary)
				*size = read_bytes(fd, bytes, most);
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
rename_bad_file(const PadvFileStore *store)
{
	if (rename(store->path, store->bad) == 0)
		return true;
	if (unlink(store->bad) != 0)
		(void) rmdir(store->bad);
	return rename(store->path, store->bad) == 0;
}

void
padv_file_store_reject(const PadvFileStore *store, const char *why)
{
	if (rename_bad_file(store))
		ereport(LOG,
				(errmsg("could not use %s file \"%s\"", store->kind, store->path),
				 errdetail("%s It was renamed to \"%s\", and a new %s begins.", why, store->bad, store->begins)));
	else
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not use %s file \"%s\"", store->kind, store->path),
				 errdetail("%s A new %s begins. The file could not be renamed to \"%s\": %m.",
						   why, store->begins, store->bad)));
}

ssize_t
padv_file_store_read(const PadvFileStore *store, char *bytes, size_t size)
{
	ssize_t		found;
	const char *why = read_file(store, bytes, size, &found);

	if (why != NULL && errno != ENOENT)
		padv_file_store_reject(store, why);
	return found;
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
replace_file(const PadvFileStore *store, const char *bytes, size_t size)
{
	WriteFault	failed = WRITE_OK;
	int			error;
	int			fd;

	/* a crash may have left one; never write through a link */
	(void) unlink(store->temporary);
	fd = BasicOpenFile(store->temporary, O_CREAT | O_EXCL | O_WRONLY | PG_BINARY);
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
	if (failed == WRITE_OK && rename(store->temporary, store->path) != 0)
	{
		failed = RENAME_FAILED;
		error = errno;
	}

	/* the incomplete file may be what filled the disk */
	if (failed != WRITE_OK)
		(void) unlink(store->temporary);
	else if (fsync_fname_ext(PADV_FILE_DIRECTORY, true, false, DEBUG1) != 0)
		return DIRECTORY_FSYNC_FAILED;
	errno = error;
	return failed;
}

/* The message for a step that failed; for ereport(). */
static int
write_fault_message(const PadvFileStore *store, WriteFault failed)
{
	switch (failed)
	{
		case WRITE_OK:
			break;
		case CREATE_FAILED:
			return errmsg("could not create file \"%s\": %m", store->temporary);
		case WRITE_FAILED:
			return errmsg("could not write file \"%s\": %m", store->temporary);
		case FSYNC_FAILED:
			return errmsg("could not fsync file \"%s\": %m", store->temporary);
		case CLOSE_FAILED:
			return errmsg("could not close file \"%s\": %m", store->temporary);
		case RENAME_FAILED:
			return errmsg("could not rename file \"%s\" to \"%s\": %m", store->temporary, store->path);
		case DIRECTORY_FSYNC_FAILED:
			return errmsg("could not fsync directory \"%s\": %m", PADV_FILE_DIRECTORY);
	}
	return 0;
}

void
padv_file_store_replace(const PadvFileStore *store, const char *bytes, size_t size,
						bool (*set_failing) (bool failing))
{
	WriteFault	failed = replace_file(store, bytes, size);
	int			error = errno;

	if (failed == WRITE_OK)
	{
		if (set_failing(false))
			ereport(LOG,
					(errmsg("pool_advisor keeps its %s in file \"%s\" again", store->kept, store->path)));
	}
	else if (!set_failing(true))
	{
		errno = error;
		ereport(LOG,
				(errcode_for_file_access(),
				 write_fault_message(store, failed),
				 errdetail("%s The worker tries again every 5 minutes.", store->lost)));
	}
}
