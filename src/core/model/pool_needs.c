/*
 * pool_needs.c
 *		The load of a found pool, and the size that it needs.
 *
 * The size follows Little's law and M/M/c: the smallest with which the mean wait for a
 * connection is at most a tenth of the time that it is held.  Transactions wait when there
 * are many, so the load is what they meet, and not the mean over time: the load of a second
 * counts once for each of its transactions, and the connections in use count by those in
 * use.  Without bursts both are the mean.
 *
 * Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <string.h>

#include "core/model/pools_internal.h"
#include "core/sizing/queueing.h"

#define SECOND INT64_C(1000000)

/* Transactions for a measurement, and the mean wait, in the time that one takes. */
#define LEAST_TRANSACTIONS 20
#define WAIT_RATIO 0.1

PadvPoolPart
padv_pool_sum_parts(const PadvPoolGroup *group, int count)
{
	PadvPoolPart sum = {0};

	for (int i = 0; i < count; i++)
	{
		const PadvPoolPart *part = &group->parts[(group->part - i + PADV_POOL_PARTS) % PADV_POOL_PARTS];

		sum.us += part->us;
		sum.samples += part->samples;
		sum.open += part->open;
		sum.in_use += part->in_use;
		sum.demand += part->demand;
		sum.grown += part->grown;
		sum.ended += part->ended;
		sum.brief += part->brief;
		sum.transactions += part->transactions;
		sum.inside_us += part->inside_us;
		sum.met += part->met;
		sum.shared += part->shared;
		sum.all_in_use |= part->all_in_use;
		if (part->open_max > sum.open_max)
			sum.open_max = part->open_max;
	}
	return sum;
}

/*
 * The connections in use by what finished transactions took.  A long one counts when it
 * ends, so this goes by the samples where the two differ.
 */
static double
measure_load(const PadvPoolPart *sum)
{
	double		exact = (double) sum->inside_us / (double) sum->us;
	double		sampled = (double) sum->in_use / (double) sum->samples;

	return fabs(exact - sampled) <= 0.25 * fmax(exact, sampled) + 0.5 ? exact : sampled;
}

bool
padv_pool_measure(const PadvPoolPart *sum, int64_t wall, PadvPoolBusiest *busiest)
{
	double		rate,
				service;

	memset(busiest, 0, sizeof(*busiest));
	if (sum->transactions < LEAST_TRANSACTIONS || sum->us <= 0 || sum->samples <= 0)
		return false;
	rate = (double) sum->transactions * (double) SECOND / (double) sum->us;
	busiest->at = wall;
	busiest->mean = measure_load(sum);
	if (busiest->mean <= 0.0)
		return false;
	service = busiest->mean / rate;

	/*
	 * what a transaction meets, without itself; one of a second or longer
	 * meets those of others
	 */
	busiest->load = service < 1.0 ? fmax(busiest->mean, sum->met / (double) sum->transactions - service) : busiest->mean;
	busiest->rate = busiest->load / service;
	busiest->together = sum->in_use > 0 ? (double) sum->shared / (double) sum->in_use : 0.0;
	busiest->active = sum->in_use > 0 ? (double) sum->demand / (double) sum->in_use : 1.0;
	busiest->all_in_use = sum->all_in_use;
	return true;
}

double
padv_pool_in_use(const PadvPoolBusiest *busiest)
{
	return fmax(busiest->load, busiest->together);
}

int64_t
padv_pool_size_needed(const PadvPoolBusiest *busiest)
{
	double		service = busiest->load / busiest->rate;
	int64_t		size = padv_required_size(busiest->rate, service, WAIT_RATIO * service);

	return size != 0 && busiest->together > (double) size ? (int64_t) ceil(busiest->together) : size;
}

/*
 * More active ones than the optimum take longer for the same: then the pool is to have the
 * optimum active, and the connections that are held without work.
 */
int64_t
padv_pool_find_size(const PadvPoolBusiest *busiest, int64_t optimal, bool *slows_down)
{
	int64_t		size = padv_pool_size_needed(busiest);
	double		in_use = padv_pool_in_use(busiest);
	double		demand = in_use * busiest->active;
	double		bound = fmax(1.0, floor((double) optimal + in_use - demand + 0.5));

	*slows_down = optimal > 0 && demand > (double) optimal && (size == 0 || bound < (double) size);
	return *slows_down ? (int64_t) bound : size;
}
