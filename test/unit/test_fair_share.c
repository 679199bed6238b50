/*
 * test_fair_share.c
 *		The share of a pool that one of several may have.
 */
#include <stdlib.h>

#include "core/sizing/fair_share.h"
#include "tap.h"

static void
test_share(void)
{
	near(padv_fair_share(12.0, NULL, 0), 12.0, 1e-9, "alone it is all");
	near(padv_fair_share(12.0, (double[]) {0.0, 0.0}, 2), 12.0, 1e-9, "those that want nothing get nothing");
	near(padv_fair_share(12.0, (double[]) {2.0}, 1), 10.0, 1e-9, "those that want little get that");
	near(padv_fair_share(12.0, (double[]) {100.0}, 1), 6.0, 1e-9, "one that wants all gets half");
	near(padv_fair_share(12.0, (double[]) {1.0, 100.0, 2.0}, 3), 4.5, 1e-9, "what is left is shared by those that want more");
}

/* Against the definition: no other gets more than the result, and all of the capacity is given. */
static void
test_random(void)
{
	int			wrong = 0;

	srand(3);
	for (int round = 0; round < 20000; round++)
	{
		double		wanted[12];
		int			count = rand() % 12;
		double		capacity = 1 + rand() % 50;
		double		given;
		double		share;

		for (int i = 0; i < count; i++)
			wanted[i] = rand() % 3 == 0 ? 0.0 : (rand() % 1000) / 50.0;
		share = padv_fair_share(capacity, wanted, count);
		given = share;
		for (int i = 0; i < count; i++)
			given += wanted[i] < share ? wanted[i] : share;
		wrong += fabs(given - capacity) > 1e-6 || share < capacity / (count + 1) - 1e-9;
	}
	ok(wrong == 0, "the share is max-min fair");
}

static void
test_processes(void)
{
	int			wrong = 0;

	for (int64_t share = 0; share < 40; share++)
		for (int64_t processes = 1; processes < 20; processes++)
		{
			int64_t		sum = 0;
			int64_t		most = 0;
			int64_t		least = INT64_MAX;

			for (int64_t rank = 0; rank < processes; rank++)
			{
				int64_t		mine = padv_process_share((double) share, processes, rank);

				sum += mine;
				most = mine > most ? mine : most;
				least = mine < least ? mine : least;
			}
			wrong += sum != (share > processes ? share : processes) || least < 1 || most > least + 1;
		}
	ok(wrong == 0, "processes get all of it, none more than one above another, and each at least one");
	ok(padv_process_share(8.99, 2, 0) == 4 && padv_process_share(9.0 - 1e-12, 2, 0) == 5, "a share is rounded down");
}

int
main(void)
{
	test_share();
	test_random();
	test_processes();
	return tap_end();
}
