/*
 * role_bars.h
 *		The data of a chart of roles.
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

	/* These fields are not in every chart. */
	int64_t		idle_in_transaction;
	int64_t		queued;
	int64_t		refused;
} PadvRoleBar;

/*
 * Sort them, the most active first.  Numbers that are negative or not finite become
 * 0 before.
 */
extern void padv_role_bars_order(PadvRoleBar *bars, int count);

/* The sum of several roles, without a name and without a limit. */
extern PadvRoleBar padv_role_bars_sum(const PadvRoleBar *bars, int count);

#endif							/* PADV_ROLE_BARS_H */
