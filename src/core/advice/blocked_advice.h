/*
 * blocked_advice.h
 *		Advice on sessions that block others.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_BLOCKED_ADVICE_H
#define PADV_BLOCKED_ADVICE_H

#include "core/advice/advice.h"

/* Write the advice on the root that blocks most, and return whether it applies. */
extern bool padv_advise_blocked_by(const PadvLocalStatus *local, PadvAdvice *advice);

/* Likewise on another root, which is idle and has blocked for long. */
extern bool padv_advise_idle_blocker(const PadvLocalStatus *local, PadvAdvice *advice);

#endif							/* PADV_BLOCKED_ADVICE_H */
