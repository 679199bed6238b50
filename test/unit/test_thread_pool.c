/*
 * test_thread_pool.c
 *		The forecast for a ThreadPoolExecutor, against the exact long run of small
 *		ones, against a simulation of the rule, and at its limits.
 */
#include "core/sizing/queueing.h"
#include "core/sizing/thread_pool.h"
#include "simulation.h"
#include "tap.h"

#define TASKS 300000

static PadvThreadPoolForecast
forecast_of(double rate, double service, int64_t core, int64_t max, int64_t places)
{
	PadvThreadPoolForecast forecast;

	padv_thread_pool_forecast(rate, service, core, max, places, &forecast);
	return forecast;
}

static bool
close_to(double got, double expected, double tolerance)
{
	return fabs(got - expected) <= tolerance * fmax(fabs(expected), 1e-3);
}

/* Prints what differs. */
static bool
agree(PadvThreadPoolForecast got, LongRun expected, double tolerance)
{
	bool		same = close_to(got.threads, expected.threads, tolerance) &&
		close_to(got.busy, expected.busy, tolerance) &&
		close_to(got.queued, expected.queued, tolerance) &&
		close_to(got.wait_seconds, expected.wait, tolerance) &&
		close_to(got.refused_ratio, expected.refused, tolerance) &&
		close_to(got.max_reached_ratio, expected.max_reached, tolerance);

	if (!same)
		printf("# threads %g %g, busy %g %g, queued %g %g, wait %g %g, refused %g %g, max reached %g %g\n",
			   got.threads, expected.threads, got.busy, expected.busy,
			   got.queued, expected.queued, got.wait_seconds, expected.wait,
			   got.refused_ratio, expected.refused,
			   got.max_reached_ratio, expected.max_reached);
	return same;
}

static void
test_exact(void)
{
	static const int shapes[][3] = {
		{1, 1, 0}, {1, 1, 3}, {3, 3, 4}, {1, 2, 0}, {1, 2, 1}, {1, 4, 3}, {2, 5, 0},
		{2, 3, 5}, {4, 9, 6}, {5, 6, 1}, {3, 8, 20},
	};
	static const double loads[] = {0.001, 0.3, 0.999999, 1.0, 1.000001, 1.7, 30.0};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
	{
		bool		same = true;

		for (size_t j = 0; j < sizeof(loads) / sizeof(loads[0]); j++)
			for (int k = 0; k < 2; k++)
			{
				Executor	executor = {
					loads[j] * shapes[i][k] / 2.5, 2.5, shapes[i][0], shapes[i][1], shapes[i][2],
				};

				same = same && agree(forecast_of(executor.rate, executor.service, executor.core,
												 executor.max, executor.places),
									 long_run_of(executor), 1e-9);
			}
		ok(same, "core %d, max %d, queue %d: exact for any load", shapes[i][0], shapes[i][1], shapes[i][2]);
	}
}

static void
test_simulated(void)
{
	static const struct
	{
		double		rate;
		int			core;
		int			max;
		int			places;
		double		tolerance;
	}			runs[] = {
		{3, 5, 5, 10, 0.05}, {3, 4, 8, -1, 0.1}, {3, 2, 5, 0, 0.03}, {3, 2, 5, 10, 0.08},
		{9, 2, 5, 10, 0.03}, {2.5, 2, 4, 3, 0.05}, {6, 1, 20, 5, 0.05},
		{0.6, 0, 1, 5, 0.05}, {0.6, 0, 4, -1, 0.1}, {3, 0, 5, 10, 0.08}, {3, 0, 5, 0, 0.03},
	};

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
	{
		Executor	executor = {runs[i].rate, 1.0, runs[i].core, runs[i].max, runs[i].places};

		ok(agree(forecast_of(executor.rate, 1.0, executor.core, executor.max, executor.places),
				 simulate(executor, TASKS), runs[i].tolerance),
		   "rate %g, core %d, max %d, queue %d: as simulated", executor.rate, executor.core,
		   executor.max, executor.places);
	}
}

/* The defaults seen in WSO2's products: 400, 500, no limit; 20, 100, 10. */
static void
test_rules(void)
{
	PadvThreadPoolForecast forecast = forecast_of(1000, 0.5, 400, 500, -1);
	PadvThreadPoolForecast other;
	PadvPoolForecast pool;

	ok(!forecast.stable && forecast.threads == 400 && forecast.max_reached_ratio == 0 &&
	   forecast.refused_ratio == 0 && isinf(forecast.queued) && isinf(forecast.wait_seconds),
	   "without a limit on the queue, max is never reached, whatever comes");
	forecast = forecast_of(700, 0.5, 400, 500, -1);
	padv_pool_forecast(700, 0.5, 400, -1, &pool);
	ok(forecast.stable && forecast.threads == 400 && forecast.wait_seconds == pool.wait_seconds,
	   "it is a fixed pool of the core");
	near(forecast.queued, 700 * forecast.wait_seconds, 1e-9, "what waits is rate times wait");

	forecast = forecast_of(700, 0.1, 20, 100, 10);
	ok(forecast.stable && forecast.threads > 69.9 && forecast.threads < 72 && forecast.refused_ratio < 0.01,
	   "a bounded queue makes threads up to what is needed");
	near(forecast.busy, 70 * (1 - forecast.refused_ratio), 1e-9, "Little's law for the busy ones");
	near(forecast.queued, 700 * (1 - forecast.refused_ratio) * forecast.wait_seconds, 1e-9,
		 "Little's law for the queue");
	forecast = forecast_of(2000, 0.1, 20, 100, 10);
	ok(forecast.refused_ratio > 0.5 && forecast.threads > 99.9, "beyond max, it refuses");

	forecast = forecast_of(100, 0.1, 20, 100, 10);
	ok(forecast.threads >= 20 && forecast.threads < 20.01, "threads of the core stay");

	forecast = forecast_of(600, 0.1, 20, 100, 0);
	padv_pool_forecast(600, 0.1, 100, 0, &pool);
	ok(forecast.queued == 0 && forecast.wait_seconds == 0 &&
	   close_to(forecast.refused_ratio, pool.refused_ratio, 1e-9),
	   "without a queue the size of the core does not matter to who comes");

	forecast = forecast_of(500, 0.1, 20, 100, 10);
	other = forecast_of(500, 0.1, 20, 100, 1000);
	ok(other.wait_seconds > 10 * forecast.wait_seconds,
	   "a longer queue makes them wait longer, as threads start only when it is full");
}

static bool
is_sound(PadvThreadPoolForecast f, double core, double max, double places)
{
	return f.threads >= core && f.threads <= max * (1 + 1e-12) &&
		f.busy >= 0 && f.busy <= max * (1 + 1e-12) &&
		f.queued >= 0 && f.queued <= places * (1 + 1e-12) &&
		f.wait_seconds >= 0 && f.refused_ratio >= 0 && f.refused_ratio <= 1 &&
		f.max_reached_ratio >= 0 && f.max_reached_ratio <= 1 && f.stable;
}

static void
test_extremes(void)
{
	static const double loads[] = {
		0, 5e-324, 1e-300, 1e-290, 1e-100, 1e-5, 0.5, 1 - 1e-9, 1, 1 + 1e-9, 2, 1e5, 1e100, 1e300,
	};
	static const int64_t sizes[] = {1, 2, 50, 100000};
	static const int64_t queues[] = {0, 1, 1000, PADV_MAX_QUEUE};
	bool		sound = true;
	bool		falling = true;
	double		before = 1.0;

	for (size_t l = 0; l < sizeof(loads) / sizeof(loads[0]); l++)
		for (int c = 0; c < 4; c++)
			for (int m = c; m < 4; m++)
				for (int q = 0; q < 4; q++)
				{
					bool		fine = is_sound(forecast_of(loads[l] * (double) sizes[m], 1, sizes[c],
															sizes[m], queues[q]),
												(double) sizes[c], (double) sizes[m], (double) queues[q]);

					if (!fine)
						printf("# load %g, core %d, max %d, queue %d\n", loads[l], (int) sizes[c],
							   (int) sizes[m], (int) queues[q]);
					sound = sound && fine;
				}
	ok(sound, "figures are within their bounds for any load and size");
	ok(is_sound(forecast_of(1e300, 1e300, 2, 9, 5), 2, 9, 5), "a load that does not fit a double");
	ok(isinf(forecast_of(1e300, 1e308, 2, 9, PADV_MAX_QUEUE).wait_seconds),
	   "a time that does not fit is infinite");
	near(forecast_of(1e-300, 1e300, 1, 2, 1).refused_ratio, forecast_of(1, 1, 1, 2, 1).refused_ratio, 1e-15,
		 "only the load counts");

	for (int64_t max = 3; max < 40; max++)
	{
		double		refused = forecast_of(10, 1, 3, max, 4).refused_ratio;

		falling = falling && refused < before;
		before = refused;
	}
	ok(falling, "a higher max refuses less");
}

int
main(void)
{
	test_exact();
	test_simulated();
	test_rules();
	test_extremes();
	return tap_end();
}
