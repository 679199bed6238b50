/*
 * slot_stats.c
 *		The queue for transaction slots, in sentences.
 *
 * Pure; the SQL functions call it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>

#include "core/policy/slot_stats.h"
#include "core/text/emit.h"

int32_t
padv_slot_stats_base(const PadvSlotStats *gate, const PadvControl *control)
{
	return gate->setting == PADV_SERVER_MAX_ACTIVE_AUTO && control->state != PADV_CONTROL_OFF ?
		control->base : gate->limit;
}

const char *
padv_slot_stats_state(const PadvSlotStats *gate, const PadvControl *control)
{
	if (gate->trial)
		return "trial";
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

/* With few transactions it takes long to tell a difference from chance. */
static void
append_learning_time(const PadvControl *control, char *text, size_t size)
{
	double		minutes = padv_control_verdict_seconds(control->rate) / 60.0;

	if (control->rate <= 0.0 || minutes < 1.0)
		return;
	if (minutes > 24.0 * 60.0)
		padv_append(text, size, " With so few transactions as now it cannot learn: to tell 10%% more or less from chance takes more than a day.");
	else
		padv_append(text, size, " At %.2g transactions/s it takes about %.0f minutes to tell 10%% more or less from chance.",
					control->rate, ceil(minutes));
}

/* What the controller does now, and the result of its last trial. */
static void
explain_control(const PadvSlotStats *gate, const PadvControl *control, char *text, size_t size)
{
	text[0] = '\0';
	padv_append(text, size, "%d transaction%s may run", gate->limit, gate->limit == 1 ? "" : "s");
	if (gate->limit != control->base)
		padv_append(text, size, " for a moment, which is compared with what %d do, the best number so far.", control->base);
	else if (control->state == PADV_CONTROL_NOT_FULL)
		padv_append(text, size, ", and that has not been enough to keep anybody waiting all the time, so nothing can be learned now.");
	else if (control->state == PADV_CONTROL_SEARCHING)
		padv_append(text, size, "; the best number is being searched in steps of %.2g times, each compared with what was before and after it.",
					control->ratio);
	else
		padv_append(text, size, ", with %.4g transactions/s; a number beside that is tried about every %.0f s, and kept if it does more beyond chance, or as much with fewer.",
					control->rate, control->pause);
	append_learning_time(control, text, size);
	if (control->last_trial > 0)
		padv_append(text, size, " The last trial, with %d, changed throughput by %+.1f%%; %d of %d trial%s led to a move.",
					control->last_trial, 100.0 * control->last_gain, control->moves, control->trials,
					control->trials == 1 ? "" : "s");
}

static void
explain_trial(const PadvSlotStats *gate, char *text, size_t size)
{
	char		limit[32] = "any number of";

	if (gate->limit > 0)
		snprintf(limit, sizeof(limit), "%d", gate->limit);
	snprintf(text, size, "a trial compares two limits, and lets %s transaction%s run for some seconds; the view trials tells more.",
			 limit, gate->limit == 1 ? "" : "s");
}

void
padv_slot_stats_explain(const PadvSlotStats *gate, const PadvControl *control, char *text, size_t size)
{
	if (gate->trial)
		explain_trial(gate, text, size);
	else if (gate->limit <= 0)
		snprintf(text, size, "pool_advisor.server_max_active is off: any number of transactions may run.");
	else if (gate->setting != PADV_SERVER_MAX_ACTIVE_AUTO)
		snprintf(text, size, "pool_advisor.server_max_active = %d, set by the DBA; %d transaction%s in the queue now.",
				 gate->limit, gate->waiting, gate->waiting == 1 ? " waits" : "s wait");
	else
		explain_control(gate, control, text, size);
}
