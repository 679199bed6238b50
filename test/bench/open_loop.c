/*
 * open_loop.c
 *		Requests that come at their own rate, and clients that give up.
 *
 * open_loop CONNINFO CONNECTIONS RATE SECONDS WARM PATIENCE_MS SQL
 *
 * Each request takes the connection that was idle for the shortest time, as pools do.  Without
 * an idle one it fails at once.  What is answered within the patience, from when the request
 * came, is useful; the client of another one has given up, and its connection is busy until
 * the answer comes.  pgbench -R is no use for that: its clients queue requests themselves.
 *
 * A rate of 0 is a closed loop: each connection has its next request at once.
 *
 * In SQL %1, %2 and %3 stand for random numbers: of an account, a teller and a branch of
 * pgbench's scale in the environment variable SCALE.
 *
 * Prints a second's requests, useful answers, late ones, errors, and those without a
 * connection, then the mean, p50 and p99 of the latencies of all answers in ms.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include <libpq-fe.h>

#define MOST_CONNECTIONS 4000
#define MOST_LATENCIES 4000000
#define SQL_SIZE 4096

typedef struct Link
{
	PGconn	   *connection;
	double		came;			/* when its request did */
	bool		failed;
} Link;

static Link links[MOST_CONNECTIONS];
static int	idle[MOST_CONNECTIONS];
static int	nlinks;
static int	nidle = 0;
static int	answers;		/* an epoll of all connections; poll() would take
								 * time for each, idle ones too */

static double warm_until;
static double patience;
static long came,
			useful,
			late,
			errors,
			unserved;
static float *latencies;
static long nlatencies;
static long scale = 1;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static long
random_to(long most)
{
	return 1 + (long) (drand48() * (double) most);
}

/* The text with numbers for the signs. */
static void
fill_in(const char *text, char *sql)
{
	size_t		used = 0;

	for (const char *p = text; *p != '\0' && used < SQL_SIZE - 24; p++)
	{
		if (p[0] == '%' && p[1] >= '1' && p[1] <= '3')
		{
			long		most = scale * (p[1] == '1' ? 100000 : p[1] == '2' ? 10 : 1);

			used += (size_t) sprintf(sql + used, "%ld", random_to(most));
			p++;
		}
		else
			sql[used++] = *p;
	}
	sql[used] = '\0';
}

static void
request(const char *text)
{
	double		at = now();
	bool		counts = at >= warm_until;
	char		sql[SQL_SIZE];
	Link	   *link;

	came += counts;
	if (nidle == 0)
	{
		unserved += counts;
		return;
	}
	link = &links[idle[--nidle]];
	fill_in(text, sql);
	link->came = at;
	link->failed = false;
	if (!PQsendQuery(link->connection, sql))
	{
		fprintf(stderr, "%s", PQerrorMessage(link->connection));
		exit(1);
	}
}

static void
answered(Link *link)
{
	double		took = now() - link->came;

	idle[nidle++] = (int) (link - links);
	if (link->came < warm_until)
		return;
	if (link->failed)
	{
		errors++;
		return;
	}
	if (took <= patience)
		useful++;
	else
		late++;
	if (nlatencies < MOST_LATENCIES)
		latencies[nlatencies++] = (float) (took * 1000.0);
}

static void
read_answer(Link *link)
{
	if (!PQconsumeInput(link->connection))
	{
		fprintf(stderr, "%s", PQerrorMessage(link->connection));
		exit(1);
	}
	while (!PQisBusy(link->connection))
	{
		PGresult   *result = PQgetResult(link->connection);

		if (result == NULL)
		{
			answered(link);
			return;
		}
		link->failed |= PQresultStatus(result) == PGRES_FATAL_ERROR;
		PQclear(result);
	}
}

static void
look(double seconds)
{
	struct timespec timeout = {0, seconds > 0.0 ? (long) (fmin(seconds, 0.5) * 1e9) : 0};
	struct epoll_event events[64];
	int			count = epoll_pwait2(answers, events, 64, &timeout, NULL);

	for (int i = 0; i < count; i++)
		read_answer(&links[events[i].data.u32]);
}

static int
compare(const void *a, const void *b)
{
	float		left = *(const float *) a;
	float		right = *(const float *) b;

	return left < right ? -1 : left > right;
}

static void
say(double seconds)
{
	double		sum = 0.0;

	qsort(latencies, (size_t) nlatencies, sizeof(float), compare);
	for (long i = 0; i < nlatencies; i++)
		sum += latencies[i];
	printf("%.0f %.0f %.0f %.0f %.0f %.2f %.2f %.2f\n", (double) came / seconds, (double) useful / seconds,
		   (double) late / seconds, (double) errors / seconds, (double) unserved / seconds,
		   nlatencies ? sum / (double) nlatencies : 0.0,
		   nlatencies ? latencies[nlatencies / 2] : 0.0,
		   nlatencies ? latencies[(long) ((double) nlatencies * 0.99)] : 0.0);
}

static void
be_silent(void *arg, const char *message)
{
	(void) arg;
	(void) message;
}

static void
connect_all(const char *conninfo)
{
	answers = epoll_create1(0);
	for (int i = 0; i < nlinks; i++)
	{
		links[i].connection = PQconnectdb(conninfo);
		if (PQstatus(links[i].connection) != CONNECTION_OK)
		{
			fprintf(stderr, "%s", PQerrorMessage(links[i].connection));
			exit(1);
		}
		PQsetNoticeProcessor(links[i].connection, be_silent, NULL);
		(void) epoll_ctl(answers, EPOLL_CTL_ADD, PQsocket(links[i].connection),
						 &(struct epoll_event) {.events = EPOLLIN, .data.u32 = (unsigned) i});
		idle[nidle++] = i;
	}
}

int
main(int argc, char **argv)
{
	double		rate;
	double		seconds;
	double		next;
	double		until;

	if (argc != 8)
		return 2;
	nlinks = atoi(argv[2]);
	rate = atof(argv[3]);
	seconds = atof(argv[4]);
	patience = atof(argv[6]) / 1000.0;
	if (nlinks < 1 || nlinks > MOST_CONNECTIONS || rate < 0.0)
		return 2;
	if (getenv("SCALE"))
		scale = atol(getenv("SCALE"));
	latencies = malloc(MOST_LATENCIES * sizeof(float));
	connect_all(argv[1]);
	next = now();
	warm_until = next + atof(argv[5]);
	until = warm_until + seconds;
	while (rate > 0.0 && next < until)
	{
		for (double at = now(); next <= at; next -= log(1.0 - drand48()) / rate)
			request(argv[7]);
		look(next - now());
	}
	while (rate <= 0.0 && now() < until)
	{
		while (nidle > 0)
			request(argv[7]);
		look(0.5);
	}

	/* those that came in time and are not answered are late */
	for (int i = 0; i < nlinks; i++)
	{
		bool		is_idle = false;

		for (int j = 0; j < nidle; j++)
			is_idle |= idle[j] == i;
		late += !is_idle && links[i].came >= warm_until && now() - links[i].came > patience;
	}
	say(seconds);
	return 0;
}
