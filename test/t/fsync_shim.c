/*
 * fsync_shim.c
 *		A disk that stalls: fsync() of the history's file ends when the file $FSYNC_SHIM
 *		is gone. The process that waits says its pid in $FSYNC_SHIM.pid; $FSYNC_SHIM.log
 *		has a line for each fsync() that is done.
 *		t/018_history_writer.pl loads it into a server.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int
is_history(int fd)
{
	char		link[64];
	char		path[4096];
	ssize_t		length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	path[length > 0 ? length : 0] = '\0';
	return strstr(path, "/pool_advisor.history") != NULL;
}

static void
stall(const char *shim)
{
	struct timespec moment = {0, 10000000};
	char		name[4096];
	FILE	   *file;

	snprintf(name, sizeof(name), "%s.pid", shim);
	file = fopen(name, "w");
	if (file != NULL)
	{
		fprintf(file, "%d\n", (int) getpid());
		fclose(file);
	}
	while (access(shim, F_OK) == 0)
		nanosleep(&moment, NULL);
	unlink(name);
}

static void
note_done(const char *shim)
{
	char		name[4096];
	FILE	   *file;

	snprintf(name, sizeof(name), "%s.log", shim);
	file = fopen(name, "a");
	if (file != NULL)
	{
		fprintf(file, "%d\n", (int) getpid());
		fclose(file);
	}
}

int
fsync(int fd)
{
	static int	(*real) (int);
	const char *shim = getenv("FSYNC_SHIM");
	int			result;

	if (real == NULL)
		real = (int (*) (int)) dlsym(RTLD_NEXT, "fsync");
	if (shim == NULL || !is_history(fd))
		return real(fd);
	if (access(shim, F_OK) == 0)
		stall(shim);
	result = real(fd);
	note_done(shim);
	return result;
}
