/*
 * advice.h
 *		What a DBA should look at, and what to do about it.
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
	const char *code;			/* stable, static */
	char		subject[128];
	char		finding[512];
	char		recommendation[512];
	char		fix[256];		/* a line to run, or empty */
} PadvAdvice;

#define PADV_MAX_ADVICE 24

/*
 * Write the advice that the status calls for, worst first, and return how
 * many there are: 0 when all is well, at most PADV_MAX_ADVICE.
 */
extern int	padv_advise(const PadvLocalStatus *local,
						PadvAdvice advice[PADV_MAX_ADVICE]);

/*
 * Start an advice; its texts are empty.  Every advice begins here, with its code as a
 * literal, so that lint finds the codes that the documentation must name.
 */
extern PadvAdvice *padv_advice_begin(PadvAdvice *advice, PadvSeverity severity, const char *code,
									 const char *subject);

extern const char *padv_severity_name(PadvSeverity severity);

#endif							/* PADV_ADVICE_H */
