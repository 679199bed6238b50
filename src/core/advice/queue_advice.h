/*
 * queue_advice.h
 *		Advice on transactions that wait in the queue.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_QUEUE_ADVICE_H
#define PADV_QUEUE_ADVICE_H

#include "core/advice/advice.h"

/* Write the advice, and return whether it applies. */
extern bool padv_advise_queue_old(const PadvLocalStatus *local, PadvAdvice *advice);
extern bool padv_advise_queue_cores_idle(const PadvLocalStatus *local, PadvAdvice *advice);

#endif							/* PADV_QUEUE_ADVICE_H */
