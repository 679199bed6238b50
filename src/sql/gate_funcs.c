/*
 * gate_funcs.c
 *		The SQL function that shows the line in front of transactions.
 *
 * Copies the figures out.  Never waits and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "utils/guc.h"

#include "core/policy/enforcement.h"
#include "core/text/emit.h"
#include "shmem/status_shmem.h"
#include "shmem/xact_slots.h"
#include "sql/rows.h"
#include "sql/server_status.h"

PG_FUNCTION_INFO_V1(pool_advisor_gate);

/* Write the limit, and whether transactions have to wait for it. */
static char *
explain_gate(const PadvLocalStatus *local)
{
	char		limit[PADV_SENTENCE];
	char		enforced[PADV_SENTENCE];

	padv_slot_stats_explain(&local->gate, &local->status.control, limit, sizeof(limit));
	padv_explain_gate_enforcement(local->enforcement, local->gate_enforcement,
								  enforced, sizeof(enforced));
	return psprintf("%s%s%s", limit, enforced[0] == '\0' ? "" : " ", enforced);
}

/*
 * One row: running and waiting transactions, and the counters.
 */
Datum
pool_advisor_gate(PG_FUNCTION_ARGS)
{
	PadvLocalStatus local;
	const PadvSlotTotals *totals = &local.gate.totals;
	PadvRow		row = {0};

	padv_require_preloaded();
	padv_read_local_status(&local, false);
	padv_slots_count(&local.gate);

	padv_row_text(&row, GetConfigOption("pool_advisor.server_max_active", false, false));
	padv_row_text(&row, padv_slot_stats_state(&local.gate, &local.status.control));
	padv_row_int(&row, local.gate.limit);
	padv_row_int(&row, local.gate.in_force);
	padv_row_int(&row, local.gate.running);
	padv_row_int(&row, local.gate.retained);
	padv_row_int(&row, local.gate.waiting);
	padv_row_int(&row, totals->waited);
	padv_row_float(&row, (double) totals->waited_us / 1e6);
	padv_row_int(&row, totals->cancelled);
	padv_row_int(&row, totals->granted);
	padv_row_int(&row, totals->suspended);
	padv_row_int(&row, totals->overcommitted);
	padv_row_int(&row, totals->would_wait);
	padv_row_text(&row, explain_gate(&local));
	padv_row_text(&row, padv_enforcement_name(padv_effective_gate_enforcement(local.enforcement,
																			  local.gate_enforcement)));
	padv_row_int(&row, totals->refused);
	padv_row_int(&row, totals->timed_out);
	padv_row_int(&row, totals->newest_first);
	return padv_row_return(&row, fcinfo);
}
