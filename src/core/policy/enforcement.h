/*
 * enforcement.h
 *		Whether limits are enforced, in words.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ENFORCEMENT_H
#define PADV_ENFORCEMENT_H

#include <stddef.h>

#include "core/policy/limits.h"

/* "off", "observe" or "on". */
extern const char *padv_enforcement_name(PadvEnforcement enforcement);

/* Of transactions, by the two settings: enforcement = off turns off both. */
static inline PadvEnforcement
padv_effective_gate_enforcement(PadvEnforcement enforcement, PadvEnforcement gate_enforcement)
{
	return enforcement == PADV_ENFORCEMENT_OFF ? PADV_ENFORCEMENT_OFF : gate_enforcement;
}

/*
 * What the settings mean for sessions, and for transactions: a sentence, or ""
 * when limits are enforced.
 */
extern void padv_explain_enforcement(PadvEnforcement enforcement, char *text, size_t size);
extern void padv_explain_gate_enforcement(PadvEnforcement enforcement,
										  PadvEnforcement gate_enforcement,
										  char *text, size_t size);

#endif							/* PADV_ENFORCEMENT_H */
