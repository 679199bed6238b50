/*
 * test_queueing.c
 *		The forecast for a pool: published figures, slow and obvious sums, a
 *		simulation, and the limits.
 */
#include "core/sizing/queueing.h"
#include "simulation.h"
#include "tap.h"

#define TASKS 300000

static PadvPoolForecast
forecast_of(double rate, double service, int64_t size, int64_t places)
{
	PadvPoolForecast forecast;

	padv_pool_forecast(rate, service, size, places, &forecast);
	return forecast;
}

static bool
close_to(double got, double expected, double tolerance)
{
	return fabs(got - expected) <= tolerance * fmax(fabs(expected), 1e-3);
}

/* Prints both sides when they differ. */
static bool
agree(PadvPoolForecast got, LongRun expected, double tolerance)
{
	bool		same = close_to(got.busy, expected.busy, tolerance) &&
		close_to(got.full_ratio, expected.max_reached, tolerance) &&
		close_to(got.wait_seconds, expected.wait, tolerance) &&
		close_to(got.p95_wait_seconds, expected.wait95, tolerance) &&
		close_to(got.refused_ratio, expected.refused, tolerance);

	if (!same)
		printf("# busy %.12g %.12g, full %.12g %.12g, wait %.12g %.12g, p95 %.12g %.12g, refused %.12g %.12g\n",
			   got.busy, expected.busy, got.full_ratio, expected.max_reached,
			   got.wait_seconds, expected.wait, got.p95_wait_seconds, expected.wait95,
			   got.refused_ratio, expected.refused);
	return same;
}

/*
 * M/M/c/K state by state; an unbounded line is one of 3000 places, enough for
 * the loads it is used with.
 */
#define ENDLESS 3000
#define LONGEST 40000

typedef struct States
{
	double		load;
	int			size;
	int			places;
	long double joins[LONGEST]; /* the chance, when admitted, to find all busy
								 * and so many in the line */
} States;

/* The chance to wait longer than t service times, for a line as it stands. */
static long double
waits_longer(const States *states, long double t)
{
	long double left = states->size * t;	/* mean of those who leave until then */
	long double first = floorl(fmaxl(0.0L, left - 30.0L * sqrtl(left)));	/* fewer never do */
	long double p = expl(first * logl(left) - left - lgammal(first + 1.0L));	/* of exactly j */
	long double at_most = p;
	long double sum = 0.0L;

	for (int j = (int) first; j < states->places; j++)
	{
		sum += states->joins[j] * at_most;
		p *= left / (j + 1);
		at_most += p;
	}
	return sum;
}

static LongRun
sum_states(States *states)
{
	long double p = 1.0L;
	long double total = 0.0L;
	long double busy = 0.0L;
	long double full = 0.0L;
	long double wait = 0.0L;
	long double low = 0.0L;
	long double high = 60.0L * (states->places + 10);
	int			limit = states->size + states->places;

	for (int n = 0; n <= limit; n++)
	{
		int			working = n < states->size ? n : states->size;

		if (n > 0)
			p *= states->load / (long double) working;
		total += p;
		busy += p * working;
		if (n < states->size)
			continue;
		full += p;
		if (n < limit)
		{
			states->joins[n - states->size] = p;
			wait += p * (n - states->size + 1) / states->size;
		}
	}
	for (int j = 0; j < states->places; j++)
		states->joins[j] /= total - p;
	for (int i = 0; i < 80; i++)
	{
		long double middle = (low + high) / 2;

		if (waits_longer(states, middle) > 0.05L)
			low = middle;
		else
			high = middle;
	}
	return (LongRun) {
		.busy = (double) (busy / total), .max_reached = (double) (full / total),
		.wait = (double) (wait / (total - p)), .wait95 = high < 1e-15L ? 0.0 : (double) high,
		.refused = (double) (p / total),
	};
}

static void
test_published(void)
{
	/* loads at which so many servers refuse one in a hundred or in ten */
	near(padv_erlang(1, 0.0101).refused, 0.01, 1e-4, "Erlang B: 1 server, 0.0101");
	near(padv_erlang(10, 4.461).refused, 0.01, 1e-5, "Erlang B: 10 servers, 4.461");
	near(padv_erlang(100, 84.064).refused, 0.01, 1e-5, "Erlang B: 100 servers, 84.064");
	near(padv_erlang(5, 2.881).refused, 0.1, 1e-4, "Erlang B: 5 servers, 2.881");
	near(padv_erlang(10, 7.511).refused, 0.1, 1e-4, "Erlang B: 10 servers, 7.511");
	near(padv_erlang(10, 1e-3).served, 1, 0, "served is the rest");
	near(padv_erlang(1, 1e20).served, 1e-20, 1e-34, "also when it is next to nothing");

	near(padv_erlang_c(3, 2), 4.0 / 9, 1e-15, "Erlang C: 3 servers, 2");
	near(padv_erlang_c(2, 1), 1.0 / 3, 1e-15, "Erlang C: 2 servers, 1");
	near(padv_erlang_c(10, 8), 0.4092, 5e-5, "Erlang C: 10 servers, 8");
	near(padv_erlang_c(5, 4), 0.5541, 5e-5, "Erlang C: 5 servers, 4");
	near(padv_erlang_c(1, 0.7), 0.7, 1e-15, "Erlang C: 1 server, the load itself");
}

static void
test_sums(void)
{
	static const int sizes[] = {1, 2, 3, 10, 40};
	static const int places[] = {0, 1, 2, 7, 30, 300};
	static const double ratios[] = {0.001, 0.4, 0.9, 0.999999, 1.0, 1.000001, 1.2, 5.0};
	static States states;

	for (size_t c = 0; c < sizeof(sizes) / sizeof(sizes[0]); c++)
	{
		bool		same = true;

		for (size_t q = 0; q < sizeof(places) / sizeof(places[0]); q++)
			for (size_t r = 0; r < sizeof(ratios) / sizeof(ratios[0]); r++)
			{
				states.load = ratios[r] * sizes[c];
				states.size = sizes[c];
				states.places = places[q];
				same = same && agree(forecast_of(states.load, 1, sizes[c], places[q]),
									 sum_states(&states), 1e-10);
			}
		ok(same, "%d servers, a line of any length: the sums over all states", sizes[c]);

		same = true;
		states.places = ENDLESS;
		for (size_t r = 0; r < 3; r++)
		{
			states.load = ratios[r] * sizes[c];
			same = same && agree(forecast_of(states.load, 1, sizes[c], PADV_UNBOUNDED),
								 sum_states(&states), 1e-10);
		}
		ok(same, "%d servers, a line without a limit: likewise", sizes[c]);
	}

	/* where the terms become an integral */
	states.size = 4;
	states.places = LONGEST;
	for (int i = 0; i < 7; i++)
	{
		static const double long_ratios[] = {0.99, 0.9996, 0.999999, 1.0, 1.0001, 1.01, 1.2};

		states.load = 4 * long_ratios[i];
		ok(agree(forecast_of(states.load, 1, 4, LONGEST), sum_states(&states), 1e-9),
		   "a line of 40,000 places at %g of the load", long_ratios[i]);
	}
}

static void
test_simulated(void)
{
	static const struct
	{
		double		rate;
		int			size;
		int			places;
		double		tolerance;
	}			runs[] = {
		{2, 3, -1, 0.05}, {8, 10, -1, 0.05}, {0.7, 1, -1, 0.05}, {2, 2, 10, 0.05}, {6, 4, 20, 0.05},
		{20, 20, 5, 0.05}, {3, 4, 0, 0.05},
	};

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
	{
		Executor	executor = {runs[i].rate, 1.0, runs[i].size, runs[i].size, runs[i].places};

		ok(agree(forecast_of(executor.rate, 1.0, executor.core, executor.places),
				 simulate(executor, TASKS), runs[i].tolerance),
		   "rate %g, %d servers, line %d: as simulated", executor.rate, executor.core, executor.places);
	}
}

static void
test_by_hand(void)
{
	PadvPoolForecast forecast = forecast_of(20000, 0.0005, 13, PADV_UNBOUNDED);

	near(forecast.busy, 10, 1e-12, "Little: 20,000 a second of 0.5 ms keep 10 busy");
	near(forecast.utilization, 10.0 / 13, 1e-12, "of 13");
	near(forecast.wait_seconds, padv_erlang_c(13, 10) * 0.0005 / 3, 1e-15, "mean wait");
	near(forecast.p95_wait_seconds, 0.0005 / 3 * log(padv_erlang_c(13, 10) / 0.05), 1e-15, "95th percentile");
	ok(forecast.stable && forecast.refused_ratio == 0, "stable, nobody is refused");
	ok(forecast_of(20000, 0.0005, 20, PADV_UNBOUNDED).p95_wait_seconds == 0,
	   "with 20, less than 5 percent wait");

	forecast = forecast_of(20000, 0.0005, 10, PADV_UNBOUNDED);
	ok(!forecast.stable && forecast.utilization == 1 && forecast.busy == 10 && forecast.refused_ratio == 0 &&
	   isinf(forecast.wait_seconds) && isinf(forecast.p95_wait_seconds), "10 are not enough: no wait is long enough");
	ok(!forecast_of(nextafter(7, 0), 1, 7, PADV_UNBOUNDED).stable && padv_required_size(nextafter(7, 0), 1, 1e300) == 8 &&
	   !forecast_of(30, 0.1, 3, PADV_UNBOUNDED).stable,
	   "rounding does not make a full load stable");
	ok(forecast_of(20000, 0.0005, 10, 100).stable && forecast_of(1e9, 1, 10, 0).stable,
	   "a line with a limit is always stable");
	forecast = forecast_of(0, 1, 5, PADV_UNBOUNDED);
	ok(forecast.stable && forecast.busy == 0 && forecast.wait_seconds == 0 && forecast.p95_wait_seconds == 0,
	   "nothing comes, nothing waits");
}

static void
test_monotonicity(void)
{
	bool		faster = true;
	bool		fewer_refused = true;
	bool		longer = true;
	PadvPoolForecast before = forecast_of(30, 1, 31, PADV_UNBOUNDED);

	for (int64_t size = 32; size < 200; size++)
	{
		PadvPoolForecast now = forecast_of(30, 1, size, PADV_UNBOUNDED);

		faster = faster && now.wait_seconds < before.wait_seconds &&
			now.p95_wait_seconds <= before.p95_wait_seconds;
		before = now;
	}
	ok(faster, "more servers never wait longer");

	for (int places = 0; places <= 20; places += 5)
	{
		before = forecast_of(30, 1, 1, places);
		for (int64_t size = 2; size < 100; size++)
		{
			PadvPoolForecast now = forecast_of(30, 1, size, places);

			fewer_refused = fewer_refused && now.refused_ratio < before.refused_ratio &&
				now.wait_seconds <= before.wait_seconds &&
				now.p95_wait_seconds <= before.p95_wait_seconds;
			before = now;
		}
	}
	ok(fewer_refused, "nor refuse more, with a line of any length");

	for (double ratio = 0.9; ratio < 1.15; ratio += 0.1)
	{
		before = forecast_of(5 * ratio, 1, 5, 0);
		for (int64_t places = 1; places <= PADV_MAX_QUEUE; places *= 2)
		{
			PadvPoolForecast now = forecast_of(5 * ratio, 1, 5, places);

			longer = longer && now.refused_ratio <= before.refused_ratio &&
				now.wait_seconds >= before.wait_seconds * (1 - 1e-12) &&
				now.p95_wait_seconds >= before.p95_wait_seconds * (1 - 1e-9);
			before = now;
		}
	}
	ok(longer, "a longer line refuses fewer, who wait longer");
}

static void
test_limits(void)
{
	PadvPoolForecast bounded = forecast_of(99900, 1, 100000, PADV_MAX_QUEUE);
	PadvPoolForecast endless = forecast_of(99900, 1, 100000, PADV_UNBOUNDED);

	ok(close_to(bounded.wait_seconds, endless.wait_seconds, 1e-9) &&
	   close_to(bounded.p95_wait_seconds, endless.p95_wait_seconds, 1e-9) &&
	   bounded.refused_ratio < 1e-300, "a line of 2^31 is as good as endless");

	/* nearly full, everybody waits for an exponential time: 1 / (servers - load) */
	endless = forecast_of(100000 * (1 - 1e-9), 1, 100000, PADV_UNBOUNDED);
	near(endless.wait_seconds, 1e4, 0.01, "100,000 servers, 1 - 1e-9 of the load: mean wait");
	near(endless.p95_wait_seconds, 1e4 * log(20), 0.02, "95th percentile");

	/* a full load fills a long line evenly */
	bounded = forecast_of(1, 1, 1, PADV_MAX_QUEUE);
	near(bounded.wait_seconds / 1073741824.0, 1, 1e-8, "all of the load, one server, 2^31 places: half of them");
	near(bounded.p95_wait_seconds / (0.95 * 2147483648.0), 1, 1e-6, "95 percent of them");
	near(bounded.refused_ratio * 2147483650.0, 1, 1e-9, "one of all states refuses");

	/* computed with 60 digits from the text-book sums and incomplete gamma functions */
	bounded = forecast_of(3 * (1 - 1e-5), 1, 3, 200000);
	near(bounded.wait_seconds / 22898.444262412838, 1, 1e-11, "1 - 1e-5 of the load, 200,000 places: mean wait");
	near(bounded.p95_wait_seconds / 57426.160065551043, 1, 1e-10, "95th percentile");
	bounded = forecast_of(10 * 1.0001, 1, 10, 20000);
	near(bounded.wait_seconds / 1312.9962803697907, 1, 1e-11, "1.0001 of the load, 20,000 places: mean wait");
	near(bounded.p95_wait_seconds / 1955.7057068629412, 1, 1e-10, "95th percentile");
	bounded = forecast_of(3 * 1.001, 1, 3, 200000);
	near(bounded.wait_seconds / 66333.333333333297, 1, 1e-11, "1.001 of the load, 200,000 places: mean wait");
	near(bounded.p95_wait_seconds / 66774.757417118314, 1, 1e-10, "95th percentile");
	near(forecast_of(7 * (1 - 1e-9), 1, 7, PADV_MAX_QUEUE).wait_seconds / 102294947.22996851, 1, 1e-12,
		 "1 - 1e-9 of the load, 2^31 places: mean wait");
	near(forecast_of(7 * (1 + 1e-9), 1, 7, PADV_MAX_QUEUE).wait_seconds / 204488436.33566261, 1, 1e-12,
		 "1 + 1e-9 of the load");

	/* an overload fills it */
	bounded = forecast_of(200000, 1, 100000, 1000000);
	near(bounded.wait_seconds, 10, 1e-3, "twice the load: the line is full");
	near(bounded.p95_wait_seconds, 10 + 1.645 * 0.01, 2e-4, "of independent services");
	near(bounded.refused_ratio, 0.5, 1e-12, "half is refused");
}

static bool
is_sound(PadvPoolForecast f, double size)
{
	return f.utilization >= 0 && f.utilization <= 1 && f.busy >= 0 && f.busy <= size &&
		f.full_ratio >= 0 && f.full_ratio <= 1 && f.refused_ratio >= 0 && f.refused_ratio <= 1 &&
		f.wait_seconds >= 0 && f.p95_wait_seconds >= 0 &&
		(!f.stable || (isfinite(f.wait_seconds) && isfinite(f.p95_wait_seconds)));
}

static void
test_extremes(void)
{
	static const double loads[] = {
		0, 5e-324, 1e-300, 1e-290, 1e-100, 1e-5, 0.5, 1 - 1e-9, 1 - 1e-16, 1, 1 + 1e-15, 1 + 1e-9, 2, 1e5, 1e100, 1e300,
	};
	static const int64_t sizes[] = {1, 2, 50, 100000};
	static const int64_t queues[] = {PADV_UNBOUNDED, 0, 1, 2, 1000, 5000000, PADV_MAX_QUEUE};
	bool		sound = true;

	for (size_t l = 0; l < sizeof(loads) / sizeof(loads[0]); l++)
		for (int c = 0; c < 4; c++)
			for (int q = 0; q < 7; q++)
			{
				bool		fine = is_sound(forecast_of(loads[l] * (double) sizes[c], 1, sizes[c], queues[q]),
											(double) sizes[c]);

				if (!fine)
					printf("# load %g, size %d, queue %d\n", loads[l], (int) sizes[c], (int) queues[q]);
				sound = sound && fine;
			}
	ok(sound, "figures are within their bounds for any load and size");
	ok(is_sound(forecast_of(1e300, 1e300, 3, 5), 3) && is_sound(forecast_of(1e300, 1e300, 3, -1), 3),
	   "a load that does not fit a double");
	ok(is_sound(forecast_of(1e-300, 1e-300, 3, 5), 3) && is_sound(forecast_of(1e-300, 1e300, 3, -1), 3),
	   "rates as small as they get");
	near(forecast_of(1e-300, 1e300, 3, 4).p95_wait_seconds / 1e300, forecast_of(1, 1, 3, 4).p95_wait_seconds, 1e-12,
		 "only the load counts");
	ok(isinf(forecast_of(1, 1e308, 1, PADV_MAX_QUEUE).wait_seconds), "a time that does not fit is infinite");
}

static void
test_required_size(void)
{
	static const double loads[] = {0.01, 0.5, 1, 3.7, 10, 100, 999.5};
	static const double waits[] = {100, 1, 0.1, 1e-3, 1e-9};
	bool		smallest = true;

	for (size_t l = 0; l < sizeof(loads) / sizeof(loads[0]); l++)
		for (size_t w = 0; w < sizeof(waits) / sizeof(waits[0]); w++)
		{
			int64_t		size = padv_required_size(loads[l], 1, waits[w]);

			smallest = smallest && size >= 1 &&
				forecast_of(loads[l], 1, size, PADV_UNBOUNDED).wait_seconds <= waits[w] &&
				(size == 1 || forecast_of(loads[l], 1, size - 1, PADV_UNBOUNDED).wait_seconds > waits[w]);
		}
	ok(smallest, "it waits no longer, and with one less it does");

	ok(padv_required_size(20000, 0.0005, 0.00005) == 13, "20,000 a second of 0.5 ms, wait a tenth: 13");
	ok(padv_required_size(0, 1, 1) == 1, "nothing comes: 1");
	ok(padv_required_size(10, 1, 1e300) == 11, "any wait will do: one more than are busy");
	ok(padv_required_size(999000, 1, 1) == 999001, "large ones too");
	ok(padv_required_size(PADV_MAX_SERVERS, 1, 1) == 0 && padv_required_size(999999.5, 1, 1e-9) == 0 &&
	   padv_required_size(1e300, 1e300, 1) == 0, "but not any");
	ok(padv_required_size(1e-300, 1e-300, 1e-300) == 1, "next to nothing: 1");
}

int
main(void)
{
	test_published();
	test_sums();
	test_simulated();
	test_by_hand();
	test_monotonicity();
	test_limits();
	test_extremes();
	test_required_size();
	return tap_end();
}
