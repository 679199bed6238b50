/*
 * enforcement.h
 *		Whether limits are enforced, in words.
 *
 * Pure: nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ENFORCEMENT_H
#define PADV_ENFORCEMENT_H

#include <stddef.h>

#include "core/policy/limits.h"

/* "off", "observe" or "on"; a constant string. */
extern const char *padv_enforcement_name(PadvEnforcement enforcement);

/* The enforcement for transactions, by the two settings: enforcement = off wins. */
static inline PadvEnforcement
padv_effective_gate_enforcement(PadvEnforcement enforcement, PadvEnforcement gate_enforcement)
{
	return enforcement == PADV_ENFORCEMENT_OFF ? PADV_ENFORCEMENT_OFF : gate_enforcement;
}

/*
 * Write what the settings mean for sessions, and for transactions, to text: a sentence,
 * or "" when limits are enforced.  size is in bytes, with the NUL.
 */
extern void padv_explain_enforcement(PadvEnforcement enforcement, char *text, size_t size);
extern void padv_explain_gate_enforcement(PadvEnforcement enforcement,
										  PadvEnforcement gate_enforcement,
										  char *text, size_t size);

#endif							/* PADV_ENFORCEMENT_H */
