/*
 * explain.h
 *		Explanations of all numbers, in sentences.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_EXPLAIN_H
#define PADV_EXPLAIN_H

#include <stddef.h>

#include "core/model/status.h"
#include "core/text/emit.h"

/*
 * Explain the number of a method with all figures, so that a reader can repeat the
 * calculation.  The text is empty if the method is not available.
 */
extern void padv_explain_method(const PadvModel *model, PadvMethod method,
								char *text, size_t size);

/* Why a method has no number; "" if it has one.  A static string. */
extern const char *padv_not_available_because(const PadvModel *model,
											  PadvMethod method);

/* The reason for a verdict, to follow "as".  A static string. */
extern const char *padv_verdict_reason(PadvVerdict verdict);

/*
 * Which keys the load of the last minute is: "71% role app, 65% application shop and 40% query
 * 123"; without keys of a tenth or less, and "" when there is no other.  Text that does not fit
 * is left out as a whole, because part of a name may not be valid text.
 */
extern void padv_explain_largest(const PadvLocalStatus *local, char *text, size_t size);

/*
 * Emit the explanation from measurement to verdict, sentence by sentence.  A
 * sentence is valid only during the call of emit.
 */
extern void padv_explain(const PadvLocalStatus *local,
						 void (*emit) (void *arg, const char *sentence),
						 void *arg);

#endif							/* PADV_EXPLAIN_H */
