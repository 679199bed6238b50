/*
 * load.c
 *		A ring of counter readings, and what two of them say.
 *
 * Owns the arithmetic from counters to ratios.  Pure: the caller reads the
 * counters and the clock, and owns the memory.  The worker adds one reading a
 * second.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/load.h"

#define MICROSECONDS 1e6

void
padv_load_init(PadvLoadWindow *window)
{
	window->next = 0;
	window->count = 0;
}

void
padv_load_add(PadvLoadWindow *window, const PadvCounters *reading)
{
	window->readings[window->next] = *reading;
	window->next = (window->next + 1) % PADV_LOAD_READINGS;
	if (window->count < PADV_LOAD_READINGS)
		window->count++;
}

/* The reading that so many came after; not more than there are. */
static const PadvCounters *
reading_back(const PadvLoadWindow *window, int back)
{
	return &window->readings[(window->next + 2 * PADV_LOAD_READINGS - 1 - back) % PADV_LOAD_READINGS];
}

bool
padv_load_newest(const PadvLoadWindow *window, const PadvCounters **before,
				 const PadvCounters **newest)
{
	if (window->count < 2)
		return false;
	*before = reading_back(window, 1);
	*newest = reading_back(window, 0);
	return true;
}

bool
padv_load_growth(const PadvCounters *from, const PadvCounters *to,
				 PadvCounter counter, double *result)
{
	double		before = from->value[counter];
	double		after = to->value[counter];

	if (!(before >= 0.0) || !(after >= before))
		return false;
	*result = after - before;
	return true;
}

/* a / b in 0..1, or -1 when nothing was counted */
static double
ratio(double a, double b)
{
	if (!(b > 0.0))
		return -1.0;
	return a / b > 1.0 ? 1.0 : a / b;
}

/* The growth of a counter of seconds, per second; -1 when unknown. */
static double
rate(const PadvCounters *from, const PadvCounters *to, PadvCounter counter)
{
	double		seconds = (double) (to->clock_us - from->clock_us) / MICROSECONDS;
	double		grown;

	if (!(seconds > 0.0) || !padv_load_growth(from, to, counter, &grown))
		return -1.0;
	return grown / seconds;
}

/* part / (part + rest), the two being counters; -1 when unknown */
static double
share(const PadvCounters *from, const PadvCounters *to, PadvCounter part,
	  PadvCounter rest)
{
	double		a,
				b;

	if (!padv_load_growth(from, to, part, &a) || !padv_load_growth(from, to, rest, &b))
		return -1.0;
	return ratio(a, a + b);
}

/*
 * Of the cores granted.  Under a quota the group can be at its limit while the
 * machine's CPUs look idle, so the higher of the two counts.
 */
double
padv_load_utilization(const PadvCounters *from, const PadvCounters *to, double quota)
{
	double		machine = share(from, to, PADV_CPU_BUSY, PADV_CPU_IDLE);
	double		used = rate(from, to, PADV_GROUP_CPU);
	double		group = quota > 0.0 && used >= 0.0 ? ratio(used, quota) : -1.0;

	return group > machine ? group : machine;
}

/* counter a over counter b, both by growth; -1 when unknown */
static double
quotient(const PadvCounters *from, const PadvCounters *to, PadvCounter a,
		 PadvCounter b)
{
	double		x,
				y;

	if (!padv_load_growth(from, to, a, &x) || !padv_load_growth(from, to, b, &y) || !(y > 0.0))
		return -1.0;
	return x / y;
}

/* by how much a counter has grown; -1 when unknown */
static double
how_many(const PadvCounters *from, const PadvCounters *to, PadvCounter counter)
{
	double		grown;

	return padv_load_growth(from, to, counter, &grown) ? grown : -1.0;
}

static double
transaction_seconds(const PadvCounters *from, const PadvCounters *to)
{
	double		inside,
				committed,
				rolled_back;

	if (!padv_load_growth(from, to, PADV_INSIDE, &inside) ||
		!padv_load_growth(from, to, PADV_COMMITTED, &committed) ||
		!padv_load_growth(from, to, PADV_ROLLED_BACK, &rolled_back) ||
		!(committed + rolled_back > 0.0))
		return -1.0;
	return inside / (committed + rolled_back);
}

static double
at_most_one(double x)
{
	return x > 1.0 ? 1.0 : x;
}

double
padv_load_last_cpu_utilization(const PadvLoadWindow *window, double quota)
{
	if (window->count < 2)
		return -1.0;
	return padv_load_utilization(reading_back(window, 1), reading_back(window, 0), quota);
}

double
padv_load_recent(const PadvLoadWindow *window, PadvCounter counter, int readings)
{
	int			back = readings < window->count ? readings : window->count - 1;

	return back < 1 ? -1.0 : rate(reading_back(window, back), reading_back(window, 0), counter);
}

void
padv_load_minute(const PadvLoadWindow *window, double quota, PadvLoad *load)
{
	static const PadvCounters nothing = {0};
	const PadvCounters *from = &nothing;
	const PadvCounters *to = &nothing;
	double		iowait,
				idle,
				busy;

	if (window->count > 0)
	{
		from = reading_back(window, window->count - 1);
		to = reading_back(window, 0);
	}

	load->cpu_utilization = padv_load_utilization(from, to, quota);
	load->cpu_iowait = -1.0;
	if (padv_load_growth(from, to, PADV_CPU_IOWAIT, &iowait) &&
		padv_load_growth(from, to, PADV_CPU_IDLE, &idle) &&
		padv_load_growth(from, to, PADV_CPU_BUSY, &busy))
		load->cpu_iowait = ratio(iowait, idle + busy);
	load->server_cores = rate(from, to, PADV_SERVER_RUN);
	load->sessions_run = rate(from, to, PADV_SESSIONS_RUN);
	load->sessions_delay = rate(from, to, PADV_SESSIONS_DELAY);
	load->run_queue_ratio = share(from, to, PADV_SERVER_DELAY, PADV_SERVER_RUN);
	load->disk_reads = rate(from, to, PADV_DISK_READ);
	load->pressure_cpu = at_most_one(rate(from, to, PADV_PRESSURE_CPU));
	load->pressure_io = at_most_one(rate(from, to, PADV_PRESSURE_IO));
	load->cache_hit_ratio = at_most_one(quotient(from, to, PADV_BLOCKS_HIT,
												 PADV_BLOCKS_FETCHED));
	load->sample_cost = quotient(from, to, PADV_SAMPLE_CPU, PADV_SAMPLES);
	load->logins_refused = how_many(from, to, PADV_LOGINS_REFUSED);
	load->logins_queued = how_many(from, to, PADV_LOGINS_QUEUED);
	load->transactions_per_second = rate(from, to, PADV_COMMITTED);
	load->rollbacks_per_second = rate(from, to, PADV_ROLLED_BACK);
	load->transaction_seconds = transaction_seconds(from, to);
	load->transactions_total = to->value[PADV_COMMITTED];
	load->rollbacks_total = to->value[PADV_ROLLED_BACK];
	load->inside_total = to->value[PADV_INSIDE];
}
