/*
 * role_bars.h
 *		Roles as they are drawn: a bar each, the most active first.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ROLE_BARS_H
#define PADV_ROLE_BARS_H

#include <stdint.h>

typedef struct PadvRoleBar
{
	const char *name;
	double		active_avg;
	int64_t		sessions;
	int64_t		limit;			/* negative: none */

	/* not in every drawing */
	int64_t		idle_in_transaction;
	int64_t		queued;
	int64_t		refused;
} PadvRoleBar;

/*
 * Put them in order, with nothing left in them that a comparison or a sum could
 * stumble over.
 */
extern void padv_role_bars_order(PadvRoleBar *bars, int count);

/* Those that there is no room for, as one without a name and without a limit. */
extern PadvRoleBar padv_role_bars_sum(const PadvRoleBar *bars, int count);

#endif							/* PADV_ROLE_BARS_H */
