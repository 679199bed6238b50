/*
 * pool_size.c
 *		Connections that a pool in front needs, by the busiest load that was seen.
 *
 * Owns the rule for the size, which load counts as the busiest, and when the
 * size changes.  Pure; the worker adds a second at a time, and asks with each
 * sample.
 *
 * A connection of a transaction pool is held while its transaction executes,
 * while that is idle between two statements, and for the round trip until the
 * next transaction is there.  What clients do between transactions holds none.  So
 *
 *		pool_size = optimal + held * max(1, optimal / executing) + round_trip
 *
 * While less than the optimum executes, pauses inside transactions grow with
 * what executes: optimal * (executing + held) / executing.  Beyond it throughput no longer grows, and
 * pauses do not either.  Round trips are those of the throughput that was seen.
 * Callers that keep a connection for a request hold it for their turn-around
 * too, in place of the round trip.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/model/pool_size.h"

#include <math.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

/* Seconds that are looked at: at least these, and until there is enough to see. */
#define FEWEST_SECONDS 5
#define ENOUGH_SIGHTINGS 400.0

/* A second with less than this share of the mean is of another load. */
#define SAME_LOAD 0.5

/* Which load replaces the busiest, and which is nearly as busy. */
#define BUSIER 1.05
#define NEARLY 0.9
#define MUCH_BUSIER 1.5
#define LONGER 1.5

/* After this time the busiest load counts for nothing. */
#define FADES (14 * DAY)

/* When a size follows. */
#define STEP 0.1
#define SETTLES HOUR
#define FALLS_AFTER DAY

/* With so many of the sessions at work, more would be if there were more. */
#define PRESSED 0.9

/* Then callers that keep a connection can be so many times as many. */
#define CALLERS 2.0

/* Pauses beside next to nothing that executes tell no ratio. */
#define LARGEST_FACTOR 100.0

/* So far is a time from the epoch at most, and so large is a figure. */
#define LATEST INT64_C(10000000000000000)
#define GREATEST 1e9

void
padv_pool_init(PadvPoolMemory *memory)
{
	memset(memory, 0, sizeof(*memory));
}

/* --- the load ------------------------------------------------------------- */

static void
add_second(PadvPoolSecond *sum, const PadvPoolSecond *second)
{
	sum->seconds += second->seconds;
	sum->transactions += second->transactions;
	sum->run = sum->run < 0.0 || second->run < 0.0 ? -1.0 : sum->run + second->run;
	sum->ready = sum->ready < 0.0 || second->ready < 0.0 ? -1.0 : sum->ready + second->ready;
	sum->samples += second->samples;
	sum->sessions += second->sessions;
	sum->demand += second->demand;
	sum->on_cpu += second->on_cpu;
	sum->waiting_io += second->waiting_io;
	sum->held += second->held;
	sum->round_trip += second->round_trip;
	sum->turnaround += second->turnaround;
}

/* Whether a second is of the same load as those after it. */
static bool
goes_on(const PadvPoolSecond *second, const PadvPoolSecond *sum)
{
	return second->transactions * sum->seconds >= SAME_LOAD * sum->transactions * second->seconds;
}

/*
 * The latest seconds, as few as show enough; what was before a load began is not of
 * it.
 */
static PadvPoolSecond
sum_latest(const PadvPoolMemory *memory)
{
	PadvPoolSecond sum = {0};

	for (int back = 1; back <= memory->count; back++)
	{
		const PadvPoolSecond *second = &memory->recent[(memory->next - back + PADV_POOL_SECONDS) % PADV_POOL_SECONDS];

		if (back > FEWEST_SECONDS && (sum.demand >= ENOUGH_SIGHTINGS || !goes_on(second, &sum)))
			break;
		add_second(&sum, second);
	}
	return sum;
}

static bool
is_load(const PadvPoolSecond *sum, int count)
{
	return count >= FEWEST_SECONDS &&
		(sum->transactions >= PADV_LOAD_TRANSACTIONS * sum->seconds ||
		 sum->demand >= PADV_LOAD_EXECUTING * sum->samples);
}

/*
 * Sessions that are ready to run look idle, in a transaction or between two, until
 * they have a core.  They execute, and are in no pause; all pauses have the same
 * part of them.
 */
static void
describe_load(const PadvPoolSecond *sum, PadvPoolLoad *load)
{
	double		n = sum->samples;
	double		idle = (sum->held + sum->turnaround) / n;
	double		unseen = sum->run < 0.0 || sum->ready < 0.0 ? 0.0 :
		padv_unseen_active(sum->run / sum->seconds, sum->ready / sum->seconds, sum->on_cpu / n,
						   sum->waiting_io / n, idle);
	double		pausing = idle > 0.0 ? 1.0 - unseen / idle : 1.0;

	load->samples = n;
	load->throughput = fmin(sum->transactions / sum->seconds, GREATEST);
	load->sessions = sum->sessions / n;
	load->executing = sum->demand / n + unseen;
	load->ready = fmin(fmax(sum->ready / sum->seconds, 0.0), load->executing);
	load->held = sum->held / n * pausing;
	load->round_trip = sum->round_trip / n * pausing;
	load->turnaround = fmax(load->round_trip, sum->turnaround / n * pausing);
}

void
padv_pool_add(PadvPoolMemory *memory, const PadvWindowMeans *take, const PadvInterval *interval)
{
	PadvPoolSecond *second = &memory->recent[memory->next];
	PadvPoolSecond sum;
	double		n = (double) take->samples;

	second->seconds = interval->seconds;
	second->transactions = interval->transactions;
	second->run = interval->run < 0.0 ? -1.0 : interval->run * interval->seconds;
	second->ready = interval->ready < 0.0 ? -1.0 : interval->ready * interval->seconds;
	second->samples = n;
	second->sessions = take->sessions * n;
	second->demand = take->demand * n;
	second->on_cpu = take->in_class[PADV_ON_CPU] * n;
	second->waiting_io = take->in_class[PADV_WAITING_IO] * n;
	second->held = take->held_in_transaction * n;
	second->round_trip = take->round_trip * n;
	second->turnaround = take->turnaround * n;
	memory->next = (memory->next + 1) % PADV_POOL_SECONDS;
	if (memory->count < PADV_POOL_SECONDS)
		memory->count++;

	memset(&memory->latest, 0, sizeof(memory->latest));
	memory->fresh = true;
	sum = sum_latest(memory);
	if (!is_load(&sum, memory->count) || take->taken_at > LATEST || take->taken_at < -LATEST)
		return;
	describe_load(&sum, &memory->latest);
	memory->latest.at = take->taken_at;
}

/* --- the busiest load ----------------------------------------------------- */

/*
 * Connections that the transactions held, those that help: a pile of waiters makes a
 * load no busier.
 */
static double
held_by(const PadvPoolLoad *load, const PadvPoolNeed *need)
{
	return fmin(load->executing, (double) need->optimal) + load->held + load->round_trip;
}

/* How much of the busiest load still counts. */
static double
remembered_throughput(const PadvPoolMemory *memory, int64_t now)
{
	return fmax(0.0, 1.0 - (double) (now - memory->busiest.at) / (double) FADES);
}

/*
 * Whether the latest load is busier than a part of the busiest: more is held, and not
 * only because the server takes longer for the same.  Where more execute than the
 * optimum that is told by throughput alone.
 */
static bool
is_busier(const PadvPoolMemory *memory, const PadvPoolNeed *need, double part)
{
	const PadvPoolLoad *latest = &memory->latest;
	const PadvPoolLoad *busiest = &memory->busiest;

	if (latest->throughput > part * busiest->throughput)
		return held_by(latest, need) > part * held_by(busiest, need);
	return latest->executing <= (double) need->optimal &&
		latest->held + latest->round_trip > part * (busiest->held + busiest->round_trip);
}

static void
compare_latest(PadvPoolMemory *memory, const PadvPoolNeed *need, int64_t now)
{
	const PadvPoolLoad *latest = &memory->latest;
	bool		first = memory->busiest.at == 0;

	if (!memory->fresh)
		return;
	memory->fresh = false;
	memory->near = latest->at != 0 && is_busier(memory, need, NEARLY);
	if (latest->at == 0)
		return;
	if (first || is_busier(memory, need, MUCH_BUSIER))
		memory->settles_from = latest->at;
	if (first || is_busier(memory, need, BUSIER * remembered_throughput(memory, now)) ||
		(memory->near && latest->samples > LONGER * memory->busiest.samples))
	{
		memory->busiest = *latest;
		memory->near = true;
	}
}

/* --- the size ------------------------------------------------------------- */

/*
 * The DBA's number stands as it is.  Otherwise not less than has been seen to help,
 * without those that only waited for a core.
 */
static double
least_active(const PadvPoolLoad *load, const PadvPoolNeed *need)
{
	double		waiting = load->executing > 0.0 ? load->ready / load->executing : 0.0;
	double		helpful = fmin(floor(need->helpful * (1.0 - waiting) + 0.5), (double) need->usable);

	return need->setting > 0 ? (double) need->optimal : fmax((double) need->optimal, helpful);
}

/*
 * As long as sessions were at rest beside those at work there is no need for more than
 * these sessions.
 */
static bool
is_pressed(const PadvPoolLoad *load)
{
	return load->executing + load->held + load->turnaround >= PRESSED * load->sessions;
}

/* Rounded, within the server and the sessions that it can need. */
static int64_t
bound_size(double size, double sessions, double least, int64_t usable)
{
	size = fmin(size, fmax(least, (double) usable));
	size = fmin(size, fmax(least, ceil(sessions)));
	return (int64_t) floor(fmax(size, least) + 0.5);
}

static void
calculate_sizes(const PadvPoolLoad *load, const PadvPoolNeed *need, PadvPoolBasis *inputs)
{
	double		least = least_active(load, need);
	double		factor = load->executing > 0.0 ? fmax(1.0, least / load->executing) : 1.0;
	bool		pressed = is_pressed(load);
	double		session;

	factor = fmin(factor, LARGEST_FACTOR);
	session = least + (load->held + load->turnaround) * factor;
	if (need->at_work > 0.0)
		session = need->at_work;
	inputs->load = *load;
	inputs->least = least;
	inputs->factor = factor;
	inputs->pool_size = bound_size(least + load->held * factor + load->round_trip,
								   pressed ? INFINITY : load->sessions, least, need->usable);
	inputs->session_pool_size = bound_size(session, pressed ? CALLERS * load->sessions : load->sessions,
										   least, need->usable);
	if (inputs->session_pool_size < inputs->pool_size)
		inputs->session_pool_size = inputs->pool_size;
}

static void
set_number(PadvPoolNumber *number, int64_t size, int64_t now)
{
	if (number->size == size)
		return;
	number->size = size;
	number->changed_at = now;
}

/* Whether a number is to be changed to another; settling: it may fall at once. */
static bool
may_change(const PadvPoolNumber *number, int64_t size, int64_t now, bool settling)
{
	double		change = (double) (size - number->size) / (double) number->size;

	if (change >= STEP)
		return true;
	return change <= -STEP && (settling || now - number->changed_at >= FALLS_AFTER);
}

static void
update_size(const PadvPoolMemory *memory, PadvPoolNumber *number, int64_t size, double least, int64_t now)
{
	bool		settling = now - memory->settles_from < SETTLES;

	if (number->size == 0 || (double) number->size < least ||
		((memory->near || settling) && may_change(number, size, now, settling)))
		set_number(number, size, now);
}

/* A clock that was set back makes nothing last for ever. */
static void
mend_time(int64_t *at, int64_t now)
{
	if (*at > now)
		*at = now;
}

static void
mend_times(PadvPoolMemory *memory, int64_t now)
{
	mend_time(&memory->busiest.at, now);
	mend_time(&memory->settles_from, now);
	mend_time(&memory->pool.changed_at, now);
	mend_time(&memory->session_pool.changed_at, now);
}

/* What is known without a load: the DBA's number, if there is one. */
static void
go_without_load(const PadvPoolNeed *need, PadvPoolSize *size)
{
	memset(size, 0, sizeof(*size));
	size->busy_ratio = need->setting > 0 ? 1.0 : -1.0;
	size->pool_size = size->session_pool_size = need->setting > 0 ? need->optimal : 0;
}

void
padv_pool_judge(PadvPoolMemory *memory, const PadvPoolNeed *need, int64_t now, PadvPoolSize *size)
{
	PadvPoolBasis *inputs = &size->inputs;
	int64_t		most;

	now = now > LATEST ? LATEST : now < -LATEST ? -LATEST : now;
	mend_times(memory, now);
	compare_latest(memory, need, now);
	if (memory->busiest.at == 0)
	{
		go_without_load(need, size);
		return;
	}
	calculate_sizes(&memory->busiest, need, inputs);
	if (memory->setting != need->setting)
		memory->pool.size = memory->session_pool.size = 0;
	memory->setting = need->setting;
	update_size(memory, &memory->pool, inputs->pool_size, inputs->least, now);
	update_size(memory, &memory->session_pool, inputs->session_pool_size, inputs->least, now);

	most = (int64_t) fmax(inputs->least, (double) need->usable);
	size->pool_size = memory->pool.size < most ? memory->pool.size : most;
	size->session_pool_size = memory->session_pool.size < most ? memory->session_pool.size : most;
	if (size->session_pool_size < size->pool_size)
		size->session_pool_size = size->pool_size;

	/* the optimum divided by it and rounded up is the size again */
	size->busy_ratio = fmin(1.0, (double) need->optimal / ((double) size->pool_size * (1.0 - 1e-12)));
}

/* --- keeping -------------------------------------------------------------- */

/* Changes with the meaning of the numbers. */
#define FORM 1.0

void
padv_pool_keep(const PadvPoolMemory *memory, double numbers[PADV_POOL_NUMBERS])
{
	const PadvPoolLoad *busiest = &memory->busiest;
	const double kept[PADV_POOL_NUMBERS] = {
		FORM, (double) busiest->at, (double) memory->settles_from,
		(double) memory->pool.changed_at, (double) memory->session_pool.changed_at,
		(double) memory->setting, (double) memory->pool.size, (double) memory->session_pool.size,
		busiest->samples, busiest->throughput, busiest->sessions, busiest->executing,
		busiest->ready, busiest->held, busiest->round_trip, busiest->turnaround,
	};

	memcpy(numbers, kept, sizeof(kept));
}

static bool
all_between(const double *numbers, int count, double low, double high)
{
	for (int i = 0; i < count; i++)
		if (!(numbers[i] >= low && numbers[i] <= high))
			return false;
	return true;
}

bool
padv_pool_restore(PadvPoolMemory *memory, const double *numbers, size_t count)
{
	if (count != PADV_POOL_NUMBERS || numbers[0] != FORM ||
		!all_between(numbers + 1, 4, (double) -LATEST, (double) LATEST) ||
		!all_between(numbers + 5, PADV_POOL_NUMBERS - 5, 0.0, GREATEST))
		return false;
	padv_pool_init(memory);
	memory->busiest = (PadvPoolLoad) {(int64_t) numbers[1], numbers[8], numbers[9], numbers[10],
	numbers[11], numbers[12], numbers[13], numbers[14], numbers[15]};
	memory->settles_from = (int64_t) numbers[2];
	memory->pool.changed_at = (int64_t) numbers[3];
	memory->session_pool.changed_at = (int64_t) numbers[4];
	memory->setting = (int64_t) numbers[5];
	memory->pool.size = (int64_t) numbers[6];
	memory->session_pool.size = (int64_t) numbers[7];
	return true;
}
