/*
 * threads.c
 *		An extension that works in a thread of its own, while the backend's first one
 *		waits for it and says nothing of that. t/015_threads.pl loads it into a server.
 */
#include "postgres.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "fmgr.h"
#include "utils/builtins.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(in_thread);

typedef struct Work
{
	const char *path;			/* as long as this file is there */
	bool		burn;
} Work;

static void *
work(void *arg)
{
	const Work *mine = arg;
	struct timespec moment = {0, 300000000};

	while (access(mine->path, F_OK) == 0)
		if (!mine->burn)
			nanosleep(&moment, NULL);
	return NULL;
}

/* in_thread(file text, burn boolean) */
Datum
in_thread(PG_FUNCTION_ARGS)
{
	Work		mine = {text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_BOOL(1)};
	pthread_t	thread;

	if (pthread_create(&thread, NULL, work, &mine) != 0)
		elog(ERROR, "could not start a thread");
	pthread_join(thread, NULL);
	PG_RETURN_BOOL(true);
}
