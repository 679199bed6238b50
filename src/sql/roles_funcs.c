/*
 * roles_funcs.c
 *		SQL function with a row for each role.
 *
 * Joins the published sessions of each role with what was counted for it, and gives
 * names to the roles.  Never waits for the worker and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "compat.h"
#include "shmem/admission.h"
#include "shmem/limits_shmem.h"
#include "shmem/status_shmem.h"
#include "sql/limit_usage.h"
#include "sql/rows.h"
#include "sql/server_status.h"
#include "sql/tables.h"

PG_FUNCTION_INFO_V1(pool_advisor_roles);

/* What stands for the roles beyond the window's table. */
#define OTHER_ROLES "(other roles)"

const char *
padv_role_row_name(const PadvRoleRow *role)
{
	return role->role == InvalidOid ? OTHER_ROLES : padv_role_name(role->role);
}

static void
store_role(void *arg, const PadvRoleRow *role, const PadvRoleCounters *counters,
		   const PadvLimits *limits)
{
	FunctionCallInfo fcinfo = arg;
	PadvRow		row = {0};

	padv_row_name(&row, padv_role_row_name(role));
	padv_row_int(&row, role->sessions);
	padv_row_int(&row, role->active);
	padv_row_int(&row, role->idle);
	padv_row_int(&row, role->idle_in_transaction);
	padv_row_int(&row, role->queued + counters->waiting);
	padv_row_rounded(&row, role->active_avg);
	padv_row_int(&row, padv_role_limit(limits, role->role, PADV_MAX_SESSIONS));
	padv_row_int(&row, padv_role_limit(limits, role->role, PADV_MAX_ACTIVE));
	padv_row_int(&row, counters->count[PADV_ROLE_REFUSED]);
	padv_row_int(&row, counters->count[PADV_ROLE_QUEUED]);
	padv_row_int(&row, counters->count[PADV_ROLE_TIMED_OUT]);
	padv_row_int(&row, counters->count[PADV_ROLE_WOULD_REFUSE]);
	padv_row_int(&row, counters->count[PADV_ROLE_CLOSED_IDLE]);
	padv_row_float(&row, (double) counters->count[PADV_ROLE_QUEUE_WAIT_US] / 1e6);
	padv_row_int(&row, counters->count[PADV_ROLE_XACTS_QUEUED]);
	padv_row_float(&row, (double) counters->count[PADV_ROLE_XACT_WAIT_US] / 1e6);
	padv_row_store(&row, fcinfo);
}

/*
 * Each role that has a session, or had an active one in the last minute, or has
 * been refused, queued or closed.
 */
void
padv_tell_roles(PadvTellRole tell, void *arg)
{
	static const PadvRoleCounters nothing = {0};
	PadvRoleRow *roles;
	PadvRoleCounters *counters;
	PadvLimits *limits;
	int			nroles;
	int			ncounters;

	nroles = padv_status_copy_roles(&roles);
	ncounters = padv_admission_copy_counters(&counters);
	limits = padv_limits_shmem_copy(NULL);

	for (int i = 0; i < nroles; i++)
	{
		PadvRoleCounters *mine = padv_role_counters_find(counters, ncounters, roles[i].role);

		tell(arg, &roles[i], mine ? mine : &nothing, limits);
		if (mine)
			*mine = (PadvRoleCounters) {.role = mine->role}; /* told */
	}
	for (int i = 0; i < ncounters; i++)
	{
		PadvRoleRow absent = {.role = counters[i].role};

		if (padv_has_counted(&counters[i]))
			tell(arg, &absent, &counters[i], limits);
	}
}

/*
 * A row for each of them.
 */
Datum
pool_advisor_roles(PG_FUNCTION_ARGS)
{
	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	padv_tell_roles(store_role, fcinfo);
	return (Datum) 0;
}
