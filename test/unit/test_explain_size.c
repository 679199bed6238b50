/*
 * test_explain_size.c
 *		The worked answer: its numbers, that they can be redone from what it
 *		says, and when it gives none.
 */
#include <stdlib.h>
#include <string.h>

#include "core/sizing/explain_size.h"
#include "core/sizing/queueing.h"
#include "core/text/emit.h"
#include "tap.h"

static char said[20 * PADV_SENTENCE];
static size_t longest;

static void
collect(void *arg, const char *sentence)
{
	size_t		length = strlen(sentence);

	(*(int *) arg)++;
	if (length > longest)
		longest = length;
	strncat(said, sentence, sizeof(said) - strlen(said) - 1);
	strncat(said, "\n", sizeof(said) - strlen(said) - 1);
}

static PadvSizing
sizing_of(int64_t users, double rate, double service, int64_t processes, double wait_ratio)
{
	PadvSizing	sizing = {
		.users = users, .transactions_per_second = rate, .service_seconds = service,
		.processes = processes, .wait_ratio = wait_ratio,
	};

	return sizing;
}

static int
explain(PadvSizing *sizing)
{
	int			sentences = 0;

	said[0] = '\0';
	if (padv_size_pool(sizing) == PADV_SIZING_DONE)
		padv_explain_size(sizing, collect, &sentences);
	return sentences;
}

/* The number behind a phrase. */
static double
number_after(const char *text, const char *phrase)
{
	const char *found = text ? strstr(text, phrase) : NULL;

	return found ? strtod(found + strlen(phrase), NULL) : NAN;
}

static void
test_published(void)
{
	PadvSizing	sizing = sizing_of(10000, 20000, 0.0005, 1, 0.1);

	ok(explain(&sizing) == 9, "10,000 users, 20,000 transactions/s of 0.5 ms: nine sentences");
	ok(sizing.busy == 10 && sizing.seconds_between == 0.5, "10 are busy, a user comes every 0.5 s");
	ok(sizing.single_pool == 13 && sizing.pool_size == 13 && sizing.connections == 13, "a pool of 13");
	ok(strstr(said, "20000 transactions/s * 0.0005 s = 10 at a time") != NULL, "Little's law with its numbers");
	ok(strstr(said, "0.1% of the time") != NULL, "how little a user uses a connection");
	ok(strstr(said, "A pool of 12: ") && strstr(said, "too long") && strstr(said, "A pool of 13: ") &&
	   strstr(said, "short enough"), "why 13 and not 12");
	ok(strstr(said, "Processes") == NULL, "one process needs no division");

	sizing = sizing_of(10000, 20000, 0.0005, 4, 0.1);
	explain(&sizing);
	ok(sizing.single_pool == 13 && sizing.pool_size == 5 && sizing.connections == 20,
	   "divided over 4 processes: 4 pools of 5, more than one pool of 13");
	ok(strstr(said, "4 * 5 = 20 connections in all") != NULL, "and it says so");
}

/* Everything from the figures in the text, in the order of the text. */
static void
test_redone_by_hand(void)
{
	PadvSizing	sizing = sizing_of(3000, 700, 0.02, 1, 0.25);
	const char *pool;
	double		busy;
	double		b = 1.0;
	double		c;
	int			n;

	explain(&sizing);
	busy = number_after(said, "700 transactions/s * 0.02 s = ");
	near(busy, 700 * 0.02, 1e-9, "busy connections");
	near(number_after(said, "every 3000 / 700 = "), 3000.0 / 700, 1e-4, "time between a user's transactions");
	near(number_after(said, "0.25 * 0.02 s = "), 0.25 * 0.02, 1e-9, "longest wait");

	n = (int) number_after(said, "Answer: one pool of ");
	for (int i = 1; i <= n; i++)
		b = busy * b / (i + busy * b);
	c = b / (1 - busy / n * (1 - b));
	pool = strstr(strstr(said, "A pool of ") + 1, "A pool of ");
	ok((int) number_after(pool, "A pool of ") == n, "the second pool is the answer");
	near(number_after(pool, "B = "), b, 1e-6, "B by the recurrence it gives");
	near(number_after(pool, "C = "), c, 1e-6, "C");
	near(number_after(strstr(pool, ") ="), ") = "), c * 0.02 / (n - busy), 1e-7, "the mean wait");
	ok(c * 0.02 / (n - busy) <= 0.005, "is short enough");
}

static void
test_few_users(void)
{
	PadvSizing	sizing = sizing_of(5, 100, 0.05, 1, 0.1);

	explain(&sizing);
	ok(sizing.pool_size == 5 && strstr(said, "Few users") != NULL, "never more connections than users");
	sizing = sizing_of(5, 100, 0.05, 3, 0.1);
	explain(&sizing);
	ok(sizing.single_pool == 5 && sizing.pool_size == 2 && sizing.connections == 6, "nor in one of several processes");
	sizing = sizing_of(1, 1, 1e-300, 1000000, 0.1);
	explain(&sizing);
	ok(sizing.pool_size == 1 && sizing.connections == 1000000, "a pool has one at least");
}

static void
test_limits(void)
{
	PadvSizing	sizing = sizing_of(9, 10, 1, 1, 0.1);

	ok(padv_size_pool(&sizing) == PADV_SIZING_TOO_FEW_USERS, "9 users cannot run 10 at once");
	sizing = sizing_of(10, 10, 1, 1, 0.1);
	ok(padv_size_pool(&sizing) == PADV_SIZING_DONE, "10 can");
	sizing = sizing_of(INT64_MAX, 1e7, 1, 1, 0.1);
	ok(padv_size_pool(&sizing) == PADV_SIZING_TOO_LARGE, "no pool of ten million");
	sizing = sizing_of(INT64_MAX, 1e-300, 1, 1, 0.1);
	ok(padv_size_pool(&sizing) == PADV_SIZING_TOO_RARE, "no time that does not fit");
	sizing = sizing_of(100, 1, 1, 1, 1e308);
	ok(padv_size_pool(&sizing) == PADV_SIZING_DONE && sizing.pool_size == 2, "whoever may wait for ever needs little");
	sizing = sizing_of(INT64_MAX, 1e-10, 1e10, 1, 1e308);
	ok(explain(&sizing) > 0 && sizing.pool_size == 2 && strstr(said, "inf") == NULL, "or for longer than fits");
	sizing = sizing_of(INT64_MAX, 1e300, 1e300, 1, 0.1);
	ok(padv_size_pool(&sizing) == PADV_SIZING_TOO_FEW_USERS, "a load that does not fit is too much for anybody");

	/* all with as many digits as there can be */
	sizing = sizing_of(INT64_MAX, 3.14159265e5, 1.23456789, 999999, 1.23456789e-5);
	ok(explain(&sizing) > 0 && longest < PADV_SENTENCE - 1, "every sentence fits");
	ok(strstr(said, "nan") == NULL && strstr(said, "inf") == NULL, "and is of numbers");
	sizing = sizing_of(1, 1e-300, 1e-300, 1, 0.1);
	ok(explain(&sizing) > 0 && strstr(said, "nan") == NULL && strstr(said, "inf") == NULL,
	   "also when there is next to nothing");
}

int
main(void)
{
	test_published();
	test_redone_by_hand();
	test_few_users();
	test_limits();
	return tap_end();
}
