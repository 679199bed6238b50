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
	const char *code;			/* a static string that does not change between
								 * releases */
	char		subject[128];
	char		finding[512];
	char		recommendation[512];
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

extern const char *padv_severity_name(PadvSeverity severity);

#endif							/* PADV_ADVICE_H */
