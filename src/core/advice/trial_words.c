/*
 * trial_words.c
 *		A trial of two limits in sentences.
 *
 * Pure; the SQL functions and explain() call it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdio.h>
#include <string.h>

#include "core/advice/trial_words.h"

#define LIMIT 32

static const char *
name_limit(int32_t limit, char text[LIMIT])
{
	if (limit < 0)
		return "no limit";
	snprintf(text, LIMIT, "a limit of %d", limit);
	return text;
}

static size_t
append_ratio(const PadvTrialRatio *ratio, char *text, size_t size)
{
	int			length = snprintf(text, size, "%.3g times (%.3g to %.3g, with a confidence of %.0f%%)",
								  ratio->ratio, ratio->low, ratio->high, 100.0 * PADV_TRIAL_LEVEL);

	return length < 0 || (size_t) length >= size ? size - 1 : (size_t) length;
}

static size_t
append_text(const char *more, char *text, size_t size)
{
	int			length = snprintf(text, size, "%s", more);

	return length < 0 || (size_t) length >= size ? size - 1 : (size_t) length;
}

void
padv_trial_explain(const PadvTrialResult *result, char *text, size_t size)
{
	char		a[LIMIT];
	char		b[LIMIT];
	char		more[160];
	size_t		used = 0;

	if (result->throughput.ratio < 0.0)
	{
		snprintf(text, size, "A is %s, B is %s; there are too few slots yet to compare them.",
				 name_limit(result->limit[PADV_ARM_A], a), name_limit(result->limit[PADV_ARM_B], b));
		return;
	}
	snprintf(more, sizeof(more), "B, %s, did ", name_limit(result->limit[PADV_ARM_B], b));
	used += append_text(more, text, size);
	used += append_ratio(&result->throughput, text + used, size - used);
	snprintf(more, sizeof(more), " the transactions/s of A, %s, ", name_limit(result->limit[PADV_ARM_A], a));
	used += append_text(more, text + used, size - used);
	if (result->state == PADV_TRIAL_LOSES)
		snprintf(more, sizeof(more), "and was ended after %.1f s of counting.", result->total[PADV_ARM_B].seconds);
	else
		snprintf(more, sizeof(more), "in %d pairs of slots.", (int) result->blocks);
	used += append_text(more, text + used, size - used);
	if (result->latency.ratio >= 0.0)
	{
		used += append_text(" A transaction took ", text + used, size - used);
		used += append_ratio(&result->latency, text + used, size - used);
		used += append_text(" as long.", text + used, size - used);
	}
	if (result->predicted >= 0.0)
		snprintf(more, sizeof(more), " The curve had predicted %.3g times the transactions/s.", result->predicted);
	else
		snprintf(more, sizeof(more), " The curve had predicted nothing.");
	(void) append_text(more, text + used, size - used);
}
