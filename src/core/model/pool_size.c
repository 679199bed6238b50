/*
 * pool_size.c
 *		The size of a pool, by the busiest load seen so far.
 *
 * Owns the rule for the size, the choice of the busiest load, and when the size
 * changes.  Pure.  The worker adds each second, and computes the size with each
 * sample.
 *
 * A transaction holds a connection of a transaction pool while it executes, while
 * it is idle between statements, and for the round trip until the next transaction.
 * A pause counts if it is short, or if the transaction has ended: a client that leaves its
 * transaction open for hours is no load.  Pauses of clients between transactions hold none.  So
 *
 *		pauses = held * max(1, optimal / executing) + round_trip
 *		pool_size = optimal + pauses + sqrt(pauses)
 *
 * Little's law gives means.  How many connections pause at a moment varies about like a
 * Poisson variable, so its root is added (square-root staffing): with the mean alone, a
 * core or a disk would often have nothing to do while all connections pause.
 *
 * While fewer connections execute than the optimum, pauses inside transactions grow
 * in proportion: optimal * (executing + held) / executing.  Beyond the optimum neither
 * throughput nor pauses grow.  Round trips are those at the throughput that was seen.
 * Callers that keep a connection for a whole request hold it for their turn-around
 * instead of the round trip.
 *
 * Parallel workers execute, and hold no connection.  So the optimum, which counts them, is
 * divided by the processes that executed for each connection.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/model/pool_size.h"

#include <math.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

/*
 * The seconds that make a load: at least FEWEST_SECONDS, and until there are enough
 * sightings.
 */
#define FEWEST_SECONDS 5
#define ENOUGH_SIGHTINGS 400.0

/* A second with less than this share of the mean belongs to another load. */
#define SAME_LOAD 0.5

/* So many times the sessions that were seen: time in transactions that began long before. */
#define ENDED_FROM_BEFORE 2.0

/*
 * The factors at which a load replaces the busiest one, and at which it is nearly
 * as busy.
 */
#define BUSIER 1.05
#define NEARLY 0.9
#define MUCH_BUSIER 1.5
#define LONGER 1.5

/* After this time the busiest load has no weight. */
#define FADES (14 * DAY)

/* The least change of a size, and the time in which a size follows changes. */
#define STEP 0.1
#define SETTLES HOUR
#define FALLS_AFTER DAY

/*
 * The time for which a change is asked for.  A knee that is not real goes when the server
 * recovers, or when the next load comes.
 */
#define ASKED_FOR (600 * SECOND)
#define ASKED_FOR_SETTLING (60 * SECOND)

/* The worker judges several times in a second; a longer pause counts for this. */
#define LONGEST_PAUSE (5 * SECOND)

/* Above this share of busy sessions, more sessions would probably be busy, too. */
#define PRESSED 0.9

/* Then the number of callers is bounded by this multiple of the sessions. */
#define CALLERS 2.0

/* More processes for a connection mean nothing: its leader was not seen. */
#define MOST_PROCESSES 64.0

/* The largest factor for pauses.  If almost nothing executes, the ratio means nothing. */
#define LARGEST_FACTOR 100.0

/* Bounds for saved times and numbers. */
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
	sum->active += second->active;
	sum->queued += second->queued;
	sum->demand += second->demand;
	sum->workers += second->workers;
	sum->on_cpu += second->on_cpu;
	sum->waiting_io += second->waiting_io;
	sum->held += second->held;
	sum->idle_in_transaction += second->idle_in_transaction;
	sum->round_trip += second->round_trip;
	sum->turnaround += second->turnaround;
	sum->ended += second->ended;
}

/* Whether a second belongs to the same load as the later ones. */
static bool
goes_on(const PadvPoolSecond *second, const PadvPoolSecond *sum)
{
	return second->transactions * sum->seconds >= SAME_LOAD * sum->transactions * second->seconds;
}

/* Sum all recent seconds. */
static PadvPoolSecond
sum_all(const PadvPoolMemory *memory)
{
	PadvPoolSecond sum = {0};

	for (int i = 0; i < memory->count; i++)
		add_second(&sum, &memory->recent[i]);
	return sum;
}

/*
 * Sum the latest seconds, as few as are enough, without those of an earlier load.
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
 * Connections that transactions held without executing, by Little's law: the time inside
 * transactions that ended, less that of executing.  It is at most what was seen idle in
 * transactions.  0 if far more time ended than was seen, because then it is from before.
 */
static double
held_by_ended(const PadvPoolSecond *sum)
{
	double		n = sum->samples;
	double		executing = (fmax(sum->active, sum->demand - sum->workers) + sum->queued) / n;
	double		idle = sum->idle_in_transaction / n;
	double		held = sum->ended / sum->seconds - executing;

	return held > ENDED_FROM_BEFORE * idle ? 0.0 : fmax(0.0, fmin(held, idle));
}

/*
 * Sessions that are ready to run look idle between statements or transactions.
 * They count as executing, and are subtracted from all pauses in proportion.
 */
static void
describe_load(const PadvPoolSecond *sum, const PadvPoolSecond *all, PadvPoolLoad *load)
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
	load->held = fmax(sum->held / n * pausing, fmin(held_by_ended(sum), held_by_ended(all)) - unseen);
	load->round_trip = sum->round_trip / n * pausing;
	load->turnaround = fmax(load->round_trip, sum->turnaround / n * pausing);
}

/* The processes that executed for each connection. */
static double
processes_of(const PadvPoolSecond *sum)
{
	double		leaders = fmax(sum->demand - sum->workers, sum->demand / MOST_PROCESSES);

	return sum->workers > 0.0 && leaders > 0.0 ? fmax(1.0, sum->demand / leaders) : 1.0;
}

void
padv_pool_add(PadvPoolMemory *memory, const PadvWindowMeans *means, const PadvInterval *interval)
{
	PadvPoolSecond *second = &memory->recent[memory->next];
	PadvPoolSecond sum;
	PadvPoolSecond all;
	double		n = (double) means->samples;

	second->seconds = interval->seconds;
	second->transactions = interval->transactions;
	second->run = interval->run < 0.0 ? -1.0 : interval->run * interval->seconds;
	second->ready = interval->ready < 0.0 ? -1.0 : interval->ready * interval->seconds;
	second->samples = n;
	second->sessions = means->sessions * n;
	second->active = fmax(0.0, means->active - interval->stuck) * n;
	second->queued = means->queued * n;
	second->demand = (means->demand - interval->stuck) * n;
	second->workers = means->parallel_workers * n;
	second->on_cpu = means->in_class[PADV_ON_CPU] * n;
	second->waiting_io = means->in_class[PADV_WAITING_IO] * n;
	second->held = means->held_in_transaction * n;
	second->idle_in_transaction = fmax(0.0, means->idle_in_transaction - means->idle_long) * n;
	second->round_trip = means->round_trip * n;
	second->turnaround = means->turnaround * n;
	second->ended = interval->ended * interval->seconds;
	memory->next = (memory->next + 1) % PADV_POOL_SECONDS;
	if (memory->count < PADV_POOL_SECONDS)
		memory->count++;

	memset(&memory->latest, 0, sizeof(memory->latest));
	memory->fresh = true;
	sum = sum_latest(memory);
	if (!is_load(&sum, memory->count) || means->taken_at > LATEST || means->taken_at < -LATEST)
		return;
	all = sum_all(memory);
	describe_load(&sum, &all, &memory->latest);
	memory->latest.at = means->taken_at;
	memory->latest_processes = processes_of(&sum);
}

/* --- the busiest load ----------------------------------------------------- */

/*
 * Connections that transactions held, without waiters beyond what helps: these do
 * not make a load busier.
 */
static double
held_by(const PadvPoolLoad *load, double processes, const PadvPoolNeed *need)
{
	return fmin(load->executing, (double) need->optimal) / fmax(1.0, processes) + load->held + load->round_trip;
}

/* The throughput of the busiest load after fading. */
static double
remembered_throughput(const PadvPoolMemory *memory, int64_t now)
{
	return fmax(0.0, 1.0 - (double) (now - memory->busiest.at) / (double) FADES);
}

/*
 * Whether the latest load is busier than a share of the busiest: it holds more
 * connections, and not only because the server was slower.  Beyond the optimum only
 * throughput counts.
 */
static bool
is_busier(const PadvPoolMemory *memory, const PadvPoolNeed *need, double part)
{
	const PadvPoolLoad *latest = &memory->latest;
	const PadvPoolLoad *busiest = &memory->busiest;

	if (latest->throughput > part * busiest->throughput)
		return held_by(latest, memory->latest_processes, need) >
			part * held_by(busiest, memory->busiest_processes, need);
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
		memory->busiest_processes = memory->latest_processes;
		memory->near = true;
	}
}

/* --- the size ------------------------------------------------------------- */

/*
 * The setting, or at least the connections that were seen to help, without those
 * that waited for a core.
 */
static double
least_active(const PadvPoolLoad *load, const PadvPoolNeed *need)
{
	double		waiting = load->executing > 0.0 ? load->ready / load->executing : 0.0;
	double		helpful = fmin(floor(need->helpful * (1.0 - waiting) + 0.5), (double) need->usable);

	return need->setting > 0 ? (double) need->optimal : fmax((double) need->optimal, helpful);
}

/* The connections whose processes are so many. */
static double
connections_of(double active, double processes)
{
	return processes > 1.0 ? fmax(1.0, floor(active / processes + 0.5)) : active;
}

/*
 * Whether nearly all sessions were busy, so that clients may need more connections
 * than there were sessions.
 */
static bool
is_pressed(const PadvPoolLoad *load, double processes)
{
	return load->executing / processes + load->held + load->turnaround >= PRESSED * load->sessions;
}

/*
 * Round a size, and limit it to the connections of the server and to what the
 * sessions need.
 */
static int64_t
bound_size(double size, double sessions, double least, int64_t usable)
{
	size = fmin(size, fmax(least, (double) usable));
	size = fmin(size, fmax(least, ceil(sessions)));
	return (int64_t) floor(fmax(size, least) + 0.5);
}

double
padv_pool_for_pauses(double pauses)
{
	return pauses + sqrt(pauses);
}

static void
calculate_sizes(const PadvPoolMemory *memory, const PadvPoolNeed *need, PadvPoolBasis *inputs)
{
	const PadvPoolLoad *load = &memory->busiest;
	double		processes = fmax(1.0, memory->busiest_processes);
	double		active = least_active(load, need);
	double		least = need->setting > 0 ? active : connections_of(active, processes);
	double		factor = load->executing > 0.0 ? fmax(1.0, active / load->executing) : 1.0;
	bool		pressed = is_pressed(load, processes);
	double		session;

	factor = fmin(factor, LARGEST_FACTOR);
	session = need->busy > 0.0 ? need->busy :
		least + padv_pool_for_pauses((load->held + load->turnaround) * factor);
	inputs->load = *load;
	inputs->least = least;
	inputs->processes = need->setting > 0 ? 1.0 : processes;
	inputs->factor = factor;
	inputs->pool_size = bound_size(least + padv_pool_for_pauses(load->held * factor + load->round_trip),
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
	if (size < number->size || number->size == 0)
		number->fell_at = now;
	number->size = size;
	number->wanted = 0;
	number->wanted_for = 0;
}

static bool
differs(int64_t size, int64_t from)
{
	return fabs((double) (size - from)) >= STEP * (double) from;
}

/* Note which size is asked for, and for how long one on that side of the present one has been. */
static void
ask_for(PadvPoolNumber *number, int64_t size, int64_t pause)
{
	bool		larger = size > number->size;

	if (!differs(size, number->size) || number->wanted == 0 || larger != (number->wanted > number->size))
	{
		number->wanted = differs(size, number->size) ? size : 0;
		number->wanted_for = 0;
		return;
	}
	number->wanted_for += pause;
	if (larger == (size < number->wanted))
		number->wanted = size;
}

static void
update_size(const PadvPoolMemory *memory, PadvPoolNumber *number, int64_t size, int64_t now, int64_t pause)
{
	bool		settling = now - memory->settles_from < SETTLES;
	bool		grown = memory->busiest.at == memory->latest.at;

	if (number->size == 0 || (grown && size > number->size && differs(size, number->size)))
		set_number(number, size, now);
	if (!memory->near && !settling)
		return;
	ask_for(number, size, pause);
	if (number->wanted_for >= (settling ? ASKED_FOR_SETTLING : ASKED_FOR) &&
		(settling || number->wanted > number->size || now - number->fell_at >= FALLS_AFTER))
		set_number(number, number->wanted, now);
}

/* After the clock was set back, a time in the future becomes now. */
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
	mend_time(&memory->pool.fell_at, now);
	mend_time(&memory->session_pool.fell_at, now);
	mend_time(&memory->judged_at, now);
}

/* The time since the last judgement, as far as it counts. */
static int64_t
pause_until(PadvPoolMemory *memory, int64_t now)
{
	int64_t		pause = now - memory->judged_at;

	memory->judged_at = now;
	return pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE;
}

/* A size as shown: not below the least, nor beyond the server. */
static int64_t
shown_size(const PadvPoolNumber *number, double least, int64_t usable)
{
	return (int64_t) fmin(fmax((double) number->size, least), fmax(least, (double) usable));
}

/* The sizes without a load: the setting, or not known. */
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
	int64_t		pause;

	now = now > LATEST ? LATEST : now < -LATEST ? -LATEST : now;
	mend_times(memory, now);
	pause = pause_until(memory, now);
	compare_latest(memory, need, now);
	if (memory->busiest.at == 0)
	{
		go_without_load(need, size);
		return;
	}
	calculate_sizes(memory, need, inputs);
	if (memory->setting != need->setting)
		memory->pool.size = memory->session_pool.size = 0;
	memory->setting = need->setting;
	update_size(memory, &memory->pool, inputs->pool_size, now, pause);
	update_size(memory, &memory->session_pool, inputs->session_pool_size, now, pause);
	size->pool_size = shown_size(&memory->pool, inputs->least, need->usable);
	size->session_pool_size = shown_size(&memory->session_pool, inputs->least, need->usable);
	if (size->session_pool_size < size->pool_size)
		size->session_pool_size = size->pool_size;

	/* optimal / busy_ratio, rounded up, must be the size again */
	size->busy_ratio = need->optimal == size->pool_size ? 1.0 :
		(double) need->optimal / ((double) size->pool_size * (1.0 - 1e-12));
}

/* --- keeping -------------------------------------------------------------- */

/* The version of the format. */
#define FORM 1.0

void
padv_pool_keep(const PadvPoolMemory *memory, double numbers[PADV_POOL_NUMBERS])
{
	const PadvPoolLoad *busiest = &memory->busiest;
	const double kept[PADV_POOL_NUMBERS] = {
		FORM, (double) busiest->at, (double) memory->settles_from,
		(double) memory->pool.fell_at, (double) memory->session_pool.fell_at,
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
	memory->pool.fell_at = (int64_t) numbers[3];
	memory->session_pool.fell_at = (int64_t) numbers[4];
	memory->setting = (int64_t) numbers[5];
	memory->pool.size = (int64_t) numbers[6];
	memory->session_pool.size = (int64_t) numbers[7];
	return true;
}

bool
padv_pool_restore_processes(PadvPoolMemory *memory, double processes)
{
	if (!all_between(&processes, 1, 0.0, MOST_PROCESSES))
		return false;
	memory->busiest_processes = processes;
	return true;
}
