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
#define LEASE_US_FOR_EACH 20	/* who waits */
#define ROUND_US INT64_C(2000000)

#define LONG_GRACE_US 4000

/* Cores are busy, or not, beyond what a second may show by chance. */
#define BUSY 0.90
#define NOT_BUSY 0.75

#define SECOND INT64_C(1000000)

/* Cores that are idle so soon after are so because of the long grace. */
#define BLAME_US (10 * SECOND)
#define FIRST_PAUSE (10 * SECOND)
#define LAST_PAUSE (640 * SECOND)

static int64_t
at_most(int64_t value, int64_t most)
{
	return value < most ? value : most;
}

int64_t
padv_lease_us(int32_t waiting, int32_t slots)
{
	int64_t		lease;

	if (waiting <= 0)
		return LEAST_LEASE_US;
	lease = at_most((int64_t) waiting * LEASE_US_FOR_EACH, MOST_LEASE_US);
	lease = at_most(lease, ROUND_US * slots / waiting);
	return lease > LEAST_LEASE_US ? lease : LEAST_LEASE_US;
}

void
padv_retain_init(PadvRetain *grace)
{
	*grace = (PadvRetain) {.us = PADV_RETAIN_US};
}

static void
set_grace(PadvRetain *grace, int64_t us, int64_t now)
{
	grace->us = us;
	grace->changed_at = now;
}

void
padv_retain_update(PadvRetain *grace, double cpu_utilization, int32_t limit, int64_t now)
{
	bool		is_long = grace->us > PADV_RETAIN_US;
	bool		may_help = now >= grace->not_before || limit / 2 >= grace->in_vain;

	if (!is_long && cpu_utilization >= BUSY && may_help)
		set_grace(grace, LONG_GRACE_US, now);
	else if (is_long && !(cpu_utilization >= NOT_BUSY))
	{
		if (now - grace->changed_at >= BLAME_US)
			grace->pause = 0;
		else
			grace->pause = grace->pause == 0 ? FIRST_PAUSE : at_most(2 * grace->pause, LAST_PAUSE);
		grace->not_before = now + grace->pause;
		grace->in_vain = limit > 0 ? limit : INT32_MAX;
		set_grace(grace, PADV_RETAIN_US, now);
	}
}
