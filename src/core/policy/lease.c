/*
 * lease.c
 *		How long a slot stays with one session while others wait for it.
 *
 * Pure.  The figures are from test/bench: up to 1000 clients on short transactions.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/policy/lease.h"

#define LEAST_LEASE_US 5000
#define MOST_LEASE_US 20000
#define LEASE_US_FOR_EACH 20	/* waiter */
#define ROUND_US INT64_C(2000000)

#define LONG_RETAIN_US 4000

/* Cores are busy, or not, by more than one second may show by chance. */
#define BUSY 0.90
#define NOT_BUSY 0.75

#define SECOND INT64_C(1000000)

/* Cores that become idle so soon are idle because of the long retain timeout. */
#define BLAME_US (10 * SECOND)
#define FIRST_PAUSE (10 * SECOND)
#define LAST_PAUSE (640 * SECOND)

static int64_t
lesser(int64_t value, int64_t most)
{
	return value < most ? value : most;
}

int64_t
padv_lease_us(int32_t waiting, int32_t slots)
{
	int64_t		lease;

	if (waiting <= 0)
		return LEAST_LEASE_US;
	lease = lesser((int64_t) waiting * LEASE_US_FOR_EACH, MOST_LEASE_US);
	lease = lesser(lease, ROUND_US * slots / waiting);
	return lease > LEAST_LEASE_US ? lease : LEAST_LEASE_US;
}

void
padv_retain_init(PadvRetain *retain)
{
	*retain = (PadvRetain) {.us = PADV_RETAIN_US};
}

static void
set_retain_timeout(PadvRetain *retain, int64_t us, int64_t now)
{
	retain->us = us;
	retain->changed_at = now;
}

void
padv_retain_update(PadvRetain *retain, double cpu_utilization, int32_t limit, int64_t now)
{
	bool		is_long = retain->us > PADV_RETAIN_US;
	bool		may_help = now >= retain->not_before || limit / 2 >= retain->in_vain;

	if (!is_long && cpu_utilization >= BUSY && may_help)
		set_retain_timeout(retain, LONG_RETAIN_US, now);
	else if (is_long && !(cpu_utilization >= NOT_BUSY))
	{
		if (now - retain->changed_at >= BLAME_US)
			retain->pause = 0;
		else
			retain->pause = retain->pause == 0 ? FIRST_PAUSE : lesser(2 * retain->pause, LAST_PAUSE);
		retain->not_before = now + retain->pause;
		retain->in_vain = limit > 0 ? limit : INT32_MAX;
		set_retain_timeout(retain, PADV_RETAIN_US, now);
	}
}
