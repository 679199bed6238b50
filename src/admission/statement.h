/*
 * statement.h
 *		A statement that waits holds no locks, and is made anew after the wait.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_STATEMENT_H
#define PADV_STATEMENT_H

#include "nodes/plannodes.h"
#include "parser/analyze.h"

#include "compat.h"

/*
 * Release all locks that the current transaction holds; those of the session stay.
 * Only before it has done anything.
 */
extern void padv_statement_unlock(void);

/* Take the locks that analysis, or the use of a cached plan, takes on relations. */
extern void padv_statement_lock(Query *query);
extern void padv_plan_lock(const PlannedStmt *statement);

/*
 * Analyze the statement again from its text, as if it began now, and write it over
 * *query.  pstate and query are those that an analysis gave to its hook; so is
 * *jstate, which is computed again if it was there.  Raises what analysis raises.
 */
extern void padv_statement_analyze(ParseState *pstate, Query *query, PadvJumbleState **jstate);

/* Whether a query reads our views, and nothing else but the server's catalogs. */
extern bool padv_statement_only_monitors(Query *query);

#endif							/* PADV_STATEMENT_H */
