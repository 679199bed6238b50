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

PG_FUNCTION_INFO_V1(padv_gate);

/* What the limit is, and whether anybody has to wait for it. */
static char *
explain(const PadvSituation *situation)
{
	char		limit[PADV_SENTENCE];
	char		enforced[PADV_SENTENCE];

	padv_explain_gate(&situation->gate, &situation->picture.control, limit, sizeof(limit));
	padv_explain_gate_enforcement(situation->enforcement, situation->gate_enforcement,
								  enforced, sizeof(enforced));
	return psprintf("%s%s%s", limit, enforced[0] == '\0' ? "" : " ", enforced);
}

/*
 * One row: who runs, who waits, and what has been counted.
 */
Datum
padv_gate(PG_FUNCTION_ARGS)
{
	PadvSituation situation;
	const PadvTurnTotals *totals = &situation.gate.totals;
	PadvRow		row = {0};

	padv_require_preloaded();
	padv_read_situation(&situation, false);
	padv_turns_count(&situation.gate);

	padv_row_text(&row, GetConfigOption("pool_advisor.server_max_active", false, false));
	padv_row_text(&row, padv_gate_state(&situation.gate, &situation.picture.control));
	padv_row_int(&row, situation.gate.limit);
	padv_row_int(&row, situation.gate.in_force);
	padv_row_int(&row, situation.gate.running);
	padv_row_int(&row, situation.gate.kept);
	padv_row_int(&row, situation.gate.waiting);
	padv_row_int(&row, totals->waited);
	padv_row_float(&row, (double) totals->waited_us / 1e6);
	padv_row_int(&row, totals->given_up);
	padv_row_int(&row, totals->handed_over);
	padv_row_int(&row, totals->suspended);
	padv_row_int(&row, totals->let_in);
	padv_row_int(&row, totals->would_wait);
	padv_row_text(&row, explain(&situation));
	padv_row_text(&row, padv_enforcement_name(padv_effective_gate_enforcement(situation.enforcement,
																			  situation.gate_enforcement)));
	padv_row_int(&row, totals->refused);
	padv_row_int(&row, totals->timed_out);
	return padv_row_return(&row, fcinfo);
}
