/*
 * enforcement.c
 *		Whether limits are enforced, in words.
 *
 * Owns these sentences, so that all views use the same.  Pure; the SQL functions and the
 * advice call it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdio.h>

#include "core/policy/enforcement.h"

const char *
padv_enforcement_name(PadvEnforcement enforcement)
{
	static const char *const names[] = {"off", "observe", "on"};

	return names[enforcement];
}

void
padv_explain_enforcement(PadvEnforcement enforcement, char *text, size_t size)
{
	text[0] = '\0';
	if (enforcement == PADV_ENFORCEMENT_OFF)
		snprintf(text, size,
				 "pool_advisor.enforcement is off: limits on sessions and on transactions are not enforced.");
	else if (enforcement == PADV_ENFORCEMENT_OBSERVE)
		snprintf(text, size,
				 "pool_advisor.enforcement is observe: logins beyond a limit are counted and logged, and let in.");
}

void
padv_explain_gate_enforcement(PadvEnforcement enforcement, PadvEnforcement gate_enforcement,
							  char *text, size_t size)
{
	text[0] = '\0';
	if (enforcement == PADV_ENFORCEMENT_OFF)
		snprintf(text, size,
				 "pool_advisor.enforcement is off, so no transaction is kept waiting.");
	else if (gate_enforcement == PADV_ENFORCEMENT_OFF)
		snprintf(text, size,
				 "pool_advisor.gate_enforcement is off, so no transaction is kept waiting.");
	else if (gate_enforcement == PADV_ENFORCEMENT_OBSERVE)
		snprintf(text, size,
				 "pool_advisor.gate_enforcement is observe: transactions beyond a limit are counted, and let through.");
}
