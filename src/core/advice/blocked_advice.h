/*
 * blocked_advice.h
 *		Advice on sessions that block others.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_BLOCKED_ADVICE_H
#define PADV_BLOCKED_ADVICE_H

#include "core/advice/advice.h"

/* Write the advice, and return whether it applies. */
extern bool padv_advise_blocked_by(const PadvLocalStatus *local, PadvAdvice *advice);

/*
 * Describe a blocker: "process 5244 (role batch, database bench, idle in
 * transaction for 67 s)".
 */
extern void padv_describe_blocker(const PadvLocalStatus *local, char *text, size_t size);

#endif							/* PADV_BLOCKED_ADVICE_H */
