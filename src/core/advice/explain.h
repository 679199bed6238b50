/*
 * explain.h
 *		The reasoning in sentences.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_EXPLAIN_H
#define PADV_EXPLAIN_H

#include <stddef.h>

#include "core/model/status.h"
#include "core/text/emit.h"

/*
 * How a method arrives at its number, with every figure in it, so that it can
 * be redone by hand; says nothing ("") when the method is not available.
 */
extern void padv_explain_method(const PadvModel *model, PadvMethod method,
								char *text, size_t size);

/* Why a method has no number; "" when it has one. */
extern const char *padv_not_available_because(const PadvModel *model,
											  PadvMethod method);

/* Why a load is called so, to go on after "as". */
extern const char *padv_verdict_reason(PadvVerdict verdict);

/*
 * From measurement to verdict: emit is called with each sentence, in order.
 * The sentence is valid during the call only.
 */
extern void padv_explain(const PadvLocalStatus *local,
						 void (*emit) (void *arg, const char *sentence),
						 void *arg);

#endif							/* PADV_EXPLAIN_H */
