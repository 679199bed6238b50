/*
 * advice.h
 *		Advice for the DBA: what was found, and what to do about it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ADVICE_H
#define PADV_ADVICE_H

#include "core/model/status.h"

typedef enum PadvSeverity
{
	PADV_CRITICAL,
	PADV_WARNING,
	PADV_INFO,
} PadvSeverity;

typedef struct PadvAdvice
{
	PadvSeverity severity;
	const char *code;			/* a static string that does not change
								 * between releases */
	char		subject[128];
	char		finding[512];
	char		recommendation[768];
	char		fix[256];		/* an SQL statement, or empty */
} PadvAdvice;

#define PADV_MAX_ADVICE 24

/*
 * Write the advice for a status, the most severe first.  Returns the number of
 * entries, at most PADV_MAX_ADVICE.
 */
extern int	padv_advise(const PadvLocalStatus *local,
						PadvAdvice advice[PADV_MAX_ADVICE]);

/*
 * Initialize an entry with empty texts.  The code must be a literal, because lint
 * collects the codes that must be documented.
 */
extern PadvAdvice *padv_advice_begin(PadvAdvice *advice, PadvSeverity severity, const char *code,
									 const char *subject);

/* The gain in throughput to expect from an advice. */
typedef enum PadvGain
{
	PADV_GAIN_NONE,
	PADV_GAIN_UNKNOWN,
	PADV_GAIN_BY_CURVE,			/* of fewer connections; see padv_model_gain */
} PadvGain;

/*
 * End the recommendation with the confidence in the advice, and the expected gain.
 * Each rule calls it last.  PADV_CERTAIN is for what was counted or set, PADV_MEASURED for
 * what was sampled; otherwise use padv_advice_confidence.
 */
#define PADV_CERTAIN "certain"
#define PADV_MEASURED "high, as measured"
extern void padv_advice_conclude(PadvAdvice *advice, const PadvModel *model, const char *confidence,
								 PadvGain gain);

/* The confidence of an advice that depends on the optimum; a static string. */
extern const char *padv_advice_confidence(const PadvModel *model);

/* Sort, worst first; the order of the same severity stays. */
extern void padv_advice_sort(PadvAdvice *advice, int count);

extern const char *padv_severity_name(PadvSeverity severity);

#endif							/* PADV_ADVICE_H */
