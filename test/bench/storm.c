/*
 * storm.c
 *		Log in as fast as possible, from several processes, for some seconds.
 *
 * storm CONNINFO PROCESSES SECONDS prints how many logins were let in and how
 * many were refused.  pgbench -C stops at the first refusal, so it is no use.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

typedef struct Result
{
	long		in;
	long		refused;
} Result;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void
run(const char *conninfo, double until, Result *result)
{
	while (now() < until)
	{
		PGconn	   *connection = PQconnectdb(conninfo);

		if (PQstatus(connection) == CONNECTION_OK)
			result->in++;
		else
			result->refused++;
		PQfinish(connection);
	}
}

int
main(int argc, char **argv)
{
	int			processes = argc == 4 ? atoi(argv[2]) : 0;
	double		seconds = argc == 4 ? atof(argv[3]) : 0.0;
	double		until = now() + seconds;
	Result	   *results;
	Result		sum = {0, 0};

	if (processes < 1 || !(seconds > 0.0))
	{
		fprintf(stderr, "usage: storm CONNINFO PROCESSES SECONDS\n");
		return 2;
	}
	results = mmap(NULL, (size_t) processes * sizeof(Result), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED)
		return 1;
	for (int i = 0; i < processes; i++)
		if (fork() == 0)
		{
			run(argv[1], until, &results[i]);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	for (int i = 0; i < processes; i++)
	{
		sum.in += results[i].in;
		sum.refused += results[i].refused;
	}
	printf("%.0f %.0f\n", (double) sum.in / seconds, (double) sum.refused / seconds);
	return 0;
}
