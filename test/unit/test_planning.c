/*
 * test_planning.c
 *		The deadlock floor and the connections of a fleet: the published
 *		figures, the rules behind them, and what does not fit.
 */
#include <string.h>

#include "core/sizing/planning.h"
#include "tap.h"

static int64_t
floor_of(int64_t threads, int64_t each)
{
	int64_t		size;

	return padv_deadlock_free_size(threads, each, &size) ? size : -1;
}

/* Whether a pool can lock up: all threads hold all but one of what they need. */
static bool
locks_up(int64_t pool, int64_t threads, int64_t each)
{
	return pool - threads * (each - 1) <= 0;
}

static void
test_deadlock_floor(void)
{
	bool		smallest = true;

	ok(floor_of(3, 4) == 10, "3 threads with 4 connections each: 10");
	ok(floor_of(8, 3) == 17, "8 threads with 3 connections each: 17");
	ok(floor_of(1, 1) == 1 && floor_of(500, 1) == 1, "one connection each: 1 is enough");
	ok(floor_of(1, 5) == 5, "one thread: all that it holds");

	for (int64_t threads = 1; threads <= 20; threads++)
		for (int64_t each = 1; each <= 20; each++)
		{
			int64_t		size = floor_of(threads, each);

			smallest = smallest && !locks_up(size, threads, each) &&
				locks_up(size - 1, threads, each);
		}
	ok(smallest, "it does not lock up, and one less does");

	ok(floor_of(INT64_MAX - 1, 2) == INT64_MAX, "the largest that fits");
	ok(floor_of(INT64_MAX, 2) == -1, "one more does not");
	ok(floor_of(2, INT64_MAX) == -1 && floor_of(INT64_MAX, INT64_MAX) == -1,
	   "nor does a product out of range");
	ok(floor_of(INT64_MAX, 1) == 1, "a zero in the product is no overflow");
}

typedef struct FleetCase
{
	const char *name;
	PadvFleet	fleet;
	int64_t		connections;
	int64_t		unserved;
} FleetCase;

/* Published by OutSystems for its own front-ends. */
static const FleetCase published[] = {
	{".NET, 10 modules, at rest", {2, 10, 1, 100, 1, 0, 1}, 20, 0},
	{".NET, 200 modules, at rest", {2, 200, 1, 100, 2, 0, 1}, 800, 0},
	{".NET, one module busy", {2, 200, 1, 100, 2, 50, 1}, 996, 0},
	{".NET, peak", {2, 200, 1, 100, 2, 150, 1}, 1196, 50},
	{"Java, at rest", {2, 1, 10, 100, 2, 0, 5}, 40, 0},
	{"Java, one module busy", {2, 1, 10, 100, 2, 50, 5}, 220, 0},
	{"Java, peak", {2, 1, 10, 100, 2, 150, 5}, 400, 55},
};

/*
 * Every pool of every front-end, one by one, and a request at a time.  Slow
 * and obvious.
 */
static PadvFleetConnections
count_one_by_one(const PadvFleet *fleet)
{
	PadvFleetConnections result = {0, 0};

	for (int64_t place = 0; place < fleet->front_ends * fleet->databases; place++)
	{
		int64_t		idle = fleet->free;
		int64_t		hot = fleet->min_pool_size;

		result.unserved = 0;
		for (int64_t request = 0; request < fleet->requests; request++)
		{
			if (idle > 0)
				idle--;
			else if (hot < fleet->max_pool_size)
				hot++;
			else
				result.unserved++;
		}
		result.connections += hot + (fleet->pools - 1) * fleet->min_pool_size;
	}
	return result;
}

static void
test_fleet(void)
{
	PadvFleetConnections result;
	bool		same = true;

	for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++)
	{
		bool		fits = padv_fleet_connections(&published[i].fleet, &result);

		ok(fits && result.connections == published[i].connections &&
		   result.unserved == published[i].unserved, "%s", published[i].name);
	}

	for (int64_t n = 0; n < 20000; n++)
	{
		PadvFleet	fleet = {
			1 + n % 3, 1 + n / 3 % 4, n / 12 % 4, 4 + n / 48 % 5, 1 + n % 2,
			n / 240 % 15, 0,
		};
		PadvFleetConnections expected;

		fleet.free = n / 3600 % (fleet.min_pool_size + 1);
		expected = count_one_by_one(&fleet);
		same = same && padv_fleet_connections(&fleet, &result) &&
			result.connections == expected.connections && result.unserved == expected.unserved;
	}
	ok(same, "the same as counting one by one");
}

static bool
fits(PadvFleet fleet)
{
	PadvFleetConnections result;

	return padv_fleet_connections(&fleet, &result);
}

static void
test_fleet_out_of_range(void)
{
	PadvFleet	largest = {1, INT64_MAX, 1, INT64_MAX, 1, 0, 0};
	PadvFleet	huge = {1, 1, 0, INT64_MAX, 1, INT64_MAX, 0};
	PadvFleetConnections result;

	ok(padv_fleet_connections(&largest, &result) && result.connections == INT64_MAX,
	   "the largest that fits");
	ok(padv_fleet_connections(&huge, &result) && result.connections == INT64_MAX && result.unserved == 0,
	   "all of it extra");
	huge.max_pool_size = 1;
	ok(padv_fleet_connections(&huge, &result) && result.connections == 1 && result.unserved == INT64_MAX - 1,
	   "nearly all of it unserved");

	ok(!fits((PadvFleet) {1, INT64_MAX, 2, 2, 1, 0, 0}), "too many at rest");
	ok(!fits((PadvFleet) {1, INT64_MAX, 1, 2, 1, 1, 0}), "too many with the extra");
	ok(!fits((PadvFleet) {INT64_MAX, 2, 1, 2, 1, 0, 0}), "too many front-ends");
	ok(!fits((PadvFleet) {1, 2, 1, 2, INT64_MAX, 0, 0}), "too many databases");
	ok(fits((PadvFleet) {INT64_MAX, INT64_MAX, 0, 1, INT64_MAX, 0, 0}), "nothing at rest is no overflow");
}

int
main(void)
{
	test_deadlock_floor();
	test_fleet();
	test_fleet_out_of_range();
	return tap_end();
}
