/*
 * test_scalability.c
 *		The law's fit, and the peak of a measured curve.
 */
#include <math.h>
#include <string.h>

#include "core/model/scalability.h"
#include "tap.h"

/* R. Haas, "Scalability, in Graphical Form, Analyzed", 2011: PostgreSQL 9.1 */
static const struct
{
	double		connections;
	double		throughput;
}			haas[] = {
	{1, 4373}, {4, 15583}, {8, 27354}, {12, 37502}, {16, 45365},
	{20, 46927}, {24, 42854}, {28, 39836}, {32, 38863}
};

static PadvScalability scalability;
static PadvCurve curve;

static uint64_t seed = 20260102;

/* 0..1 */
static double
random_share(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (seed >> 11) / 9007199254740992.0;
}

/* -1..1, more often near 0 */
static double
noise(void)
{
	return random_share() + random_share() - 1.0;
}

static double
law(double n, double lambda, double sigma, double kappa)
{
	PadvUsl		usl = {lambda, sigma, kappa, 0.0};

	return padv_usl_throughput(&usl, n);
}

static void
see_with(double busy, double active, double throughput)
{
	PadvInterval interval = {.seconds = 1.0, .busy = busy, .active = active,
		.transactions = throughput, .latency = 0.001};

	padv_scalability_add(&scalability, &interval);
}

static void
see(double busy, double throughput, int seconds)
{
	for (int i = 0; i < seconds; i++)
		see_with(busy, 0.8 * busy, throughput);
}

static void
judge(void)
{
	padv_scalability_judge(&scalability, 0.0, 0.0, &curve);
}

static void
see_haas(double up_to)
{
	padv_scalability_init(&scalability);
	for (int i = 0; i < 9; i++)
		if (haas[i].connections <= up_to)
			see(haas[i].connections, haas[i].throughput, 10);
	judge();
}

static void
test_haas(void)
{
	see_haas(32);
	ok(curve.state == PADV_CURVE_FITTED, "Haas up to 32: the knee is seen");
	ok(fabs(padv_usl_peak(&curve.fit) - 19.8) <= 0.5, "its peak is at 19.8 by the law");
	ok(fabs(curve.fit.kappa - 0.00254) < 0.0001, "with the published kappa");
	ok(curve.fit.sigma < 0.002, "and sigma");
	ok(curve.busy.best >= 16 && curve.busy.best <= 20, "the measured peak is near it");
	ok(curve.busy.low <= curve.busy.best && curve.busy.high >= curve.busy.best &&
	   curve.busy.high < 28, "its range does not reach where throughput has fallen");
	ok(curve.fit.r_squared > 0.95, "the law describes it");
	see_haas(16);
	ok(curve.state == PADV_CURVE_NO_KNEE, "Haas up to 16: not yet");
	see_haas(20);
	ok(curve.state == PADV_CURVE_NO_KNEE, "nor up to 20");
}

static bool
close_to(double value, double expected, double relative)
{
	return fabs(value - expected) <= relative * expected;
}

static bool
recovers(double sigma, double kappa, double noise_share, double tolerance)
{
	PadvUslPoint points[20];
	PadvUsl		usl;
	double		n = 1.0;

	for (int i = 0; i < 20; i++, n *= 1.35)
		points[i] = (PadvUslPoint) {n, law(n, 1234.5, sigma, kappa) * (1.0 + noise_share * noise()), 1.0};
	return padv_usl_fit(points, 20, &usl) && close_to(usl.sigma, sigma, tolerance) &&
		close_to(usl.kappa, kappa, tolerance) &&
		close_to(padv_usl_peak(&usl), sqrt((1.0 - sigma) / kappa), tolerance);
}

static void
test_fit(void)
{
	static const PadvUslPoint bad[] = {
		{NAN, 1, 1}, {1, NAN, 1}, {0, 5, 1}, {-3, 5, 1}, {3, 0, 1}, {4, -1, 1}, {INFINITY, 3, 1},
		{5, INFINITY, 1}, {6, 7, 0}, {6, 7, NAN}, {8, 9, 1}, {9, 9, 1}
	};
	static const PadvUslPoint linear[] = {{1, 10, 1}, {2, 20, 1}, {4, 40, 1}, {8, 80, 1}};
	static const PadvUslPoint flat[] = {{1, 10, 1}, {2, 10, 1}, {4, 10, 1}, {8, 10, 1}};
	static const PadvUslPoint cold[] = {{1, 11.7e3, 1}, {2, 136e3, 1}, {4, 79e3, 1}, {8, 97e3, 1}, {64, 60e3, 1}, {256, 41e3, 1}};
	PadvUsl		usl;

	ok(recovers(0.05, 0.001, 0.0, 0.001), "parameters without noise");
	ok(recovers(0.3, 0.0001, 0.0, 0.001), "much contention");
	ok(recovers(0.01, 0.05, 0.0, 0.001), "much coherency");
	ok(recovers(0.05, 0.001, 0.05, 0.3), "parameters with 5 %% of noise");
	ok(!padv_usl_fit(bad, 12, &usl), "bad points are left out");
	ok(padv_usl_fit(linear, 4, &usl) && padv_usl_peak(&usl) < 0.0, "a line has no peak");
	ok(close_to(usl.lambda, 10.0, 1e-6), "but a slope");
	ok(padv_usl_fit(flat, 4, &usl) && usl.r_squared == 0.0 && close_to(usl.sigma, 1.0, 0.01), "a flat curve is all contention");
	ok(padv_usl_fit(cold, 6, &usl) && usl.lambda > 20e3, "a single client on cores that sleep is not the unit");
}

/* A curve by its points, with some noise. */
static void
see_curve(const double (*points)[2], int n, int seconds)
{
	padv_scalability_init(&scalability);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < seconds; j++)
			see(points[i][0], points[i][1] * (1.0 + 0.05 * noise()), 1);
	judge();
}

static void
test_shapes(void)
{
	static const double flat[][2] = {{1, 401}, {2, 860}, {4, 856}, {8, 861}, {16, 855}, {32, 858}, {128, 853}};
	static const double reads[][2] = {{1, 8800}, {2, 13200}, {4, 16900}, {8, 26200}, {16, 34300}, {32, 30900}, {64, 30300}, {128, 27700}, {200, 24600}};
	static const double locks[][2] = {{1, 2170}, {2, 2690}, {4, 3910}, {8, 3350}, {16, 2630}, {32, 2170}, {64, 1800}, {128, 1340}};

	see_curve(flat, 7, 8);
	ok(curve.state == PADV_CURVE_FITTED && close_to(curve.busy.best, 2.0, 0.1), "a flat curve: the fewest connections that do it");
	ok(curve.busy.high > 100.0, "its range goes on");
	padv_scalability_init(&scalability);
	for (int n = 1; n <= 64; n *= 2)
		see(n, 1000, 10);
	padv_scalability_judge(&scalability, 4.0, 0.0, &curve);
	ok(close_to(curve.busy.best, 4.0, 0.1), "but not fewer than there are cores");
	see_curve(reads, 9, 8);
	ok(curve.state == PADV_CURVE_FITTED && close_to(curve.busy.best, 16.0, 0.1), "random reads: where it is highest");
	see_curve(locks, 8, 8);
	ok(curve.state == PADV_CURVE_FITTED && close_to(curve.busy.best, 4.0, 0.1), "row locks: few");
	ok(close_to(curve.active.best, 3.2, 0.1), "and how many of them are active");
	see_curve(reads, 5, 8);
	ok(curve.state == PADV_CURVE_NO_KNEE, "a curve that rises to its end has no knee yet");
	see_curve(flat, 3, 8);
	padv_scalability_judge(&scalability, 0.0, 6.0, &curve);
	ok(curve.state == PADV_CURVE_NO_KNEE, "nor has one that was not seen far enough");
	see_curve(flat, 2, 60);
	ok(curve.state == PADV_CURVE_TOO_LITTLE_DATA, "two bins are too little");
	ok(close_to(curve.best_so_far, 2.0, 0.1), "but tell which did better");
}

/* In a gap the peak can be anywhere. */
static void
test_gap(void)
{
	static const double wide[][2] = {{1, 700}, {2, 1400}, {4, 2700}, {64, 2650}, {400, 900}};

	see_curve(wide, 5, 30);
	ok(curve.state == PADV_CURVE_NO_KNEE, "no knee next to a gap");
	ok(close_to(curve.gap_low, 4.0, 0.1) && close_to(curve.gap_high, 64.0, 0.1), "and it is said where that is");
	see(8, 2000, 30);
	judge();
	ok(curve.state == PADV_CURVE_FITTED && close_to(curve.busy.best, 4.0, 0.1), "until somebody looked");
}

/* The same requests, and a server that is slow: more at work, not more done. */
static void
test_ease(void)
{
	PadvInterval interval = {.seconds = 1.0, .latency = 0.01, .sessions = 100};

	padv_scalability_init(&scalability);
	for (int i = 0; i < 1000; i++)
	{
		double		slow = i % 100 < 30 ? 1.0 + i % 30 : 1.0;

		interval.transactions = 500.0 + 200.0 * random_share();
		interval.busy = interval.active = interval.transactions * 0.005 * slow;
		padv_scalability_add(&scalability, &interval);
	}
	judge();
	ok(curve.state == PADV_CURVE_NO_KNEE && curve.beyond_seconds == 0.0, "a slow server is no knee");
}

/* Bins that were seen at a new level have it already. */
static void
test_level(void)
{
	PadvScalabilityRow rows[PADV_CURVE_BINS];
	bool		true_ones = true;
	int			n;

	padv_scalability_init(&scalability);
	for (int clients = 4; clients <= 64; clients *= 2)
		see(clients, 100.0 * clients, 30);
	for (int clients = 4; clients <= 64; clients *= 2)
		see(clients, 20.0 * clients, 30);
	judge();
	n = padv_scalability_rows(&scalability, &curve, rows);
	for (int i = 0; i < n; i++)
		true_ones = true_ones && close_to(rows[i].throughput, 20.0 * rows[i].connections, 0.15);
	ok(true_ones, "a change of level invents no throughput");
}

/* Transactions become much faster, with one client: nobody has seen what more would do. */
static void
test_most(void)
{
	PadvScalabilityRow rows[PADV_CURVE_BINS];
	double		most = 0.0;

	padv_scalability_init(&scalability);
	for (int n = 1; n <= 16; n *= 2)
		see(n, law(n, 40, 0.02, 0.02), 60);
	judge();
	ok(curve.state == PADV_CURVE_FITTED, "slow transactions, with a knee");
	see(1, 40, 10);
	see(1, 2000, 120);
	judge();
	for (int i = padv_scalability_rows(&scalability, &curve, rows); i > 0; i--)
		most = fmax(most, rows[i - 1].throughput);
	ok(most <= 1.05 * 2000, "never more than was done");
	ok(curve.state == PADV_CURVE_NO_KNEE, "and one client is not the best number by old evidence");
}

/* Another mix, half way: the same shape at a tenth of the level, then another */
static void
test_change(void)
{
	double		best;

	padv_scalability_init(&scalability);
	for (int n = 1; n <= 64; n *= 2)
		see(n, law(n, 10000, 0.02, 0.002), 20);
	judge();
	best = curve.busy.best;
	ok(curve.state == PADV_CURVE_FITTED && best >= 16 && best <= 32, "one mix");
	see(4, law(4, 10000, 0.02, 0.002), 5);
	see(4, law(4, 1000, 0.02, 0.002), 20);
	judge();
	ok(curve.state == PADV_CURVE_FITTED && curve.busy.best == best, "a tenth of the level leaves the shape");
	ok(close_to(curve.throughput, law(16, 1000, 0.02, 0.002), 0.15), "at the new level");
	for (int round = 0; round < 3; round++)
		for (int n = 1; n <= 64; n *= 2)
			see(n, law(n, 1000, 0.1, 0.05), 15);
	judge();
	ok(curve.state == PADV_CURVE_FITTED && close_to(curve.busy.best, 4.0, 0.1), "another shape is learned");

	/* one bad second among many is not a change */
	padv_scalability_init(&scalability);
	for (int i = 0; i < 200; i++)
		see(8, i % 50 == 7 ? 20 : 20000, 1);
	{
		PadvScalabilityRow rows[PADV_CURVE_BINS];

		judge();
		ok(padv_scalability_rows(&scalability, &curve, rows) == 1 && rows[0].seconds > 190 && rows[0].throughput > 19000,
		   "an outlier is not a change");
	}
}

static void
test_flapping(void)
{
	double		first;
	int			changes = 0;

	padv_scalability_init(&scalability);
	for (int n = 1; n <= 256; n *= 2)
		see(n, law(n, 1000, 0.1, 0.0005), 20);
	judge();
	first = curve.busy.best;
	for (int i = 0; i < 2000; i++)
	{
		double		n = exp(random_share() * log(256));
		double		before = curve.busy.best;

		see(n, law(n, 1000, 0.1, 0.0005) * (1.0 + 0.1 * noise()), 3);
		judge();
		changes += curve.busy.best != before;
	}
	ok(changes <= 10, "noise does not make the number flap");
	ok(law(curve.busy.best, 1000, 0.1, 0.0005) >= 0.95 * law(42.4, 1000, 0.1, 0.0005), "and the number is good");
	ok(first > 0.0, "from the beginning");
}

static void
test_slow_clients(void)
{
	padv_scalability_init(&scalability);
	for (int n = 1; n <= 8; n *= 2)
		see(n, 1000.0 * n, 20);
	for (int i = 0; i < 20; i++)
		see_with(100, 2, 2000);
	judge();
	ok(curve.state == PADV_CURVE_NO_KNEE, "many connections of slow clients are no knee");
}

#define BIN ((PADV_CURVE_NUMBERS - 2) / PADV_CURVE_BINS)

/* The numbers with those of two neighbours exchanged. */
static const double *
swap_bins(double *numbers)
{
	for (int i = 2; i + 2 * BIN <= PADV_CURVE_NUMBERS; i += BIN)
	{
		double		bin[BIN];

		if (numbers[i] == 0.0 || numbers[i + BIN] == 0.0)
			continue;
		memcpy(bin, numbers + i, sizeof(bin));
		memcpy(numbers + i, numbers + i + BIN, sizeof(bin));
		memcpy(numbers + i + BIN, bin, sizeof(bin));
		break;
	}
	return numbers;
}

/* All but what the last seconds were like. */
static bool
says_the_same(const PadvCurve *a, const PadvCurve *b)
{
	return a->state == b->state && a->seconds == b->seconds && a->bins == b->bins &&
		a->near_seconds == b->near_seconds && a->beyond_seconds == b->beyond_seconds &&
		a->throughput == b->throughput && a->pressed_seconds == b->pressed_seconds &&
		a->present_seconds == b->present_seconds && a->saturated == b->saturated &&
		memcmp(&a->busy, &b->busy, sizeof(a->busy)) == 0 &&
		memcmp(&a->active, &b->active, sizeof(a->active)) == 0;
}

/* Over a restart */
static void
test_keeping(void)
{
	static double numbers[PADV_CURVE_NUMBERS + 1];
	PadvScalability other;
	PadvCurve	before;
	bool		refused = true;

	see_haas(32);
	before = curve;
	padv_scalability_keep(&scalability, numbers);
	padv_scalability_init(&scalability);
	ok(padv_scalability_restore(&scalability, numbers, PADV_CURVE_NUMBERS), "what was kept is restored");
	judge();
	ok(says_the_same(&curve, &before), "and says the same");
	other = scalability;
	ok(!padv_scalability_restore(&other, numbers, PADV_CURVE_NUMBERS - 1) &&
	   !padv_scalability_restore(&other, numbers, 0), "another number of numbers is refused");
	for (int i = 0; i < 100000; i++)
	{
		static const double odd[] = {-1.0, NAN, INFINITY, -INFINITY, 1e300};
		int			place = (int) (random_share() * PADV_CURVE_NUMBERS);
		double		kept = numbers[place];

		numbers[place] = odd[i % 5];
		if (padv_scalability_restore(&other, numbers, PADV_CURVE_NUMBERS))
			refused = refused && place > 1 && numbers[2 + (place - 2) / BIN * BIN] == 0.0;
		numbers[place] = kept;
	}
	ok(refused && memcmp(&other, &scalability, sizeof(other)) == 0, "so is what cannot be, and nothing changed");
	ok(!padv_scalability_restore(&other, swap_bins(numbers), PADV_CURVE_NUMBERS),
	   "and what is of another place on the axis");
}

/* Nonsense in, never nonsense out */
static void
test_fuzz(void)
{
	static const double odd[] = {0.0, -1.0, 1e-300, 1e300, NAN, INFINITY, -INFINITY, 0.5, 3.0, 1e6};
	bool		sound = true;

	padv_scalability_init(&scalability);
	for (int i = 0; i < 200000; i++)
	{
		PadvInterval interval = {.seconds = 1.0, .busy = random_share() * 300, .active = random_share() * 300,
			.transactions = random_share() * 1e5, .latency = random_share(),
			.sessions = random_share() * 300, .queued = floor(random_share() * 1.1),
			.cores_busy = random_share(), .lock = random_share() * 300, .internal_lock = random_share() * 300,
		.disk = random_share() * 300, .commit = random_share() * 300};
		double	   *field = &interval.seconds;

		if (i % 3 == 0)
			field[(int) (random_share() * (double) (sizeof(interval) / sizeof(double)))] = odd[(int) (random_share() * 10.0)];
		padv_scalability_add(&scalability, &interval);
		if (i % 100 != 0)
			continue;
		judge();
		sound = sound && isfinite(curve.throughput) && isfinite(curve.seconds) && curve.throughput >= 0.0;
		if (curve.state == PADV_CURVE_FITTED)
			sound = sound && isfinite(curve.busy.best) && curve.busy.best >= 0.5 &&
				curve.busy.low <= curve.busy.best && curve.busy.best <= curve.busy.high &&
				isfinite(curve.active.best) && curve.active.best >= 0.0;
		if (curve.fit_known)
			sound = sound && isfinite(curve.fit.lambda) && isfinite(curve.fit.sigma) && isfinite(curve.fit.kappa);
	}
	ok(sound, "nonsense in, no nonsense out");
}

/* Queries with three workers each: four connections keep 16 cores busy, and are looked at. */
static void
test_parallel(void)
{
	static PadvScalability scalability;
	PadvCurve	curve;

	padv_scalability_init(&scalability);
	for (int i = 0; i < 24 * 30; i++)
	{
		double		busy = 1.0 + i / 30;
		PadvInterval interval = {.seconds = 1, .busy = busy, .active = 4.0 * busy, .sessions = 60,
			.transactions = 100.0 * fmin(busy, 4.0), .cores_busy = fmin(1.0, busy / 4.0)};

		padv_scalability_add(&scalability, &interval);
	}
	padv_scalability_judge(&scalability, 16.0, 48.0, &curve);
	ok(curve.best_so_far < 6.0, "fewer connections than cores, with parallel workers (%.1f)", curve.best_so_far);
}

/* A minute in which nothing is done says that nothing is known of now. */
static void
test_quiet(void)
{
	static PadvScalability scalability;
	PadvInterval interval = {.seconds = 1, .busy = 40, .active = 40, .sessions = 40, .transactions = 500};
	PadvCurve	curve;

	padv_scalability_init(&scalability);
	for (int i = 0; i < 60; i++)
		padv_scalability_add(&scalability, &interval);
	interval.busy = interval.active = 0.1;
	for (int i = 0; i < 50; i++)
		padv_scalability_add(&scalability, &interval);
	padv_scalability_judge(&scalability, 4.0, 12.0, &curve);
	ok(curve.now_busy > 39.0, "a pause changes nothing");
	for (int i = 0; i < 20; i++)
		padv_scalability_add(&scalability, &interval);
	padv_scalability_judge(&scalability, 4.0, 12.0, &curve);
	ok(curve.now_busy <= 0.0 && curve.now_throughput <= 0.0, "a minute without work forgets what is done now");
}

int
main(void)
{
	test_haas();
	test_fit();
	test_shapes();
	test_gap();
	test_ease();
	test_level();
	test_most();
	test_change();
	test_flapping();
	test_slow_clients();
	test_keeping();
	test_fuzz();
	test_parallel();
	test_quiet();
	return tap_end();
}
