/*
 * trial_words.h
 *		A trial of two limits in sentences.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_TRIAL_WORDS_H
#define PADV_TRIAL_WORDS_H

#include <stddef.h>

#include "core/model/trial_results.h"

/* What was compared, what came out, and what the curve had predicted. */
extern void padv_trial_explain(const PadvTrialResult *result, char *text, size_t size);

#endif							/* PADV_TRIAL_WORDS_H */
