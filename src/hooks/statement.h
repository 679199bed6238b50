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

/*
 * Whether this process holds locks that others can wait for.  Not the one on its virtual
 * transaction, until somebody does.  *advisory is whether advisory locks are among them.
 */
extern bool padv_statement_holds_locks(bool *advisory);

/* Take the locks that analysis, or the use of a cached plan, takes on relations. */
extern void padv_statement_lock(Query *query);
extern void padv_statement_lock_plan(const PlannedStmt *statement);

/*
 * Whether it can be analyzed again from its text.  Not when Bind analyzes a prepared
 * statement: its text can be that of PREPARE, and older than the settings that say what
 * a backslash is in a string.  A statement that comes first cannot be older than those.
 */
extern bool padv_statement_is_its_text(const ParseState *pstate, const Query *query);

/*
 * Analyze the statement again from its text, as if it began now, and write it over
 * *query.  pstate and query are those that an analysis gave to its hook; so is
 * *jstate, which is computed again if it was there.  Raises what analysis raises.
 */
extern void padv_statement_analyze(ParseState *pstate, Query *query, PadvJumbleState **jstate);

/* Whether a query reads our views, and nothing else but the server's catalogs. */
extern bool padv_statement_only_monitors(Query *query);

#endif							/* PADV_STATEMENT_H */
