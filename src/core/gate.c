/*
 * gate.c
 *		The line in front of transactions, in words.
 *
 * Pure; the SQL functions call it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdio.h>
#include <string.h>

#include "core/gate.h"

const char *
padv_gate_state(const PadvGate *gate, const PadvControl *control)
{
	if (gate->limit <= 0)
		return "off";
	if (gate->setting != PADV_SERVER_MAX_ACTIVE_AUTO)
		return "fixed";
	switch ((PadvControlState) control->state)
	{
		case PADV_CONTROL_SEARCHING:
			return "searching";
		case PADV_CONTROL_SETTLED:
			return "settled";
		case PADV_CONTROL_OFF:
		case PADV_CONTROL_NOT_FULL:
			break;
	}
	return "not full";
}

/* What the controller is doing, and what its last trial gave. */
static void
explain_control(const PadvControl *control, char *text, size_t size)
{
	int			used;

	if (control->state == PADV_CONTROL_NOT_FULL)
		used = snprintf(text, size, "%d transactions may run, and that has not been enough to keep anybody waiting all the time, so nothing can be learned now.",
						control->base);
	else if (control->state == PADV_CONTROL_SEARCHING)
		used = snprintf(text, size, "%d transactions may run; the best number is being searched in steps of %.2g times, each compared with what was before and after it.",
						control->base, control->ratio);
	else
		used = snprintf(text, size, "%d transactions may run, with %.0f transactions/s; a number beside that is tried about every %.0f s, and kept if it gains more than 2%% and more than chance.",
						control->base, control->settled_rate, control->pause);
	if (control->last_trial > 0 && used > 0 && (size_t) used < size)
		snprintf(text + used, size - (size_t) used, " The last trial, with %d, changed throughput by %+.1f%%; %d of %d trials led to a move.",
				 control->last_trial, 100.0 * control->last_gain, control->moves, control->trials);
}

void
padv_explain_gate(const PadvGate *gate, const PadvControl *control, char *text, size_t size)
{
	if (gate->limit <= 0)
		snprintf(text, size, "pool_advisor.server_max_active is off: any number of transactions may run.");
	else if (gate->setting != PADV_SERVER_MAX_ACTIVE_AUTO)
		snprintf(text, size, "pool_advisor.server_max_active = %d, set by the DBA; %d transactions wait in line now.",
				 gate->limit, gate->waiting);
	else
		explain_control(control, text, size);
}
