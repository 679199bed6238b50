/*
 * statement.h
 *		Releasing the locks of a statement before its wait, and preparing it again after.
 *
 * For the client backend.  The caller holds no lock of ours.  All may raise as the
 * functions of PostgreSQL that they call.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_STATEMENT_H
#define PADV_STATEMENT_H

#include "access/htup.h"
#include "nodes/plannodes.h"
#include "parser/analyze.h"

#include "compat.h"

/*
 * Whether no portal of this session is bound and not begun.  Call it where the client's
 * own statement would wait.
 */
extern bool padv_no_portal_is_ready(void);

/*
 * Release all locks of the current transaction, but not those of the session.  Call it
 * only before the transaction has done any work.
 */
extern void padv_statement_unlock(void);

/*
 * Whether this process holds locks that other sessions can wait for.  The lock on its
 * virtual transaction counts only once a session waits for it.  *advisory is set to
 * whether advisory locks are among them.  Takes the lock manager's partition locks, shared.
 */
extern bool padv_statement_holds_locks(bool *advisory);

/*
 * Whether advisory locks of this transaction, not of the session, are held: the check of a
 * domain can take one when a literal or a parameter is read.
 */
extern bool padv_statement_has_advisory_locks(void);

/* Take the locks that analysis, or the use of a cached plan, takes on relations. */
extern void padv_statement_lock(Query *query);
extern void padv_statement_lock_plan(const PlannedStmt *statement);

/*
 * Whether the statement can be analyzed again from its text.  The text of a statement
 * that Bind analyzes can be that of PREPARE, which contains the statement.  It can also be
 * older than standard_conforming_strings, as can all of a text but its first statement.
 * Then it must have no literal with an escape.  Allocates in the current memory context.
 */
extern bool padv_statement_is_its_text(const ParseState *pstate, const Query *query);

/*
 * How the query uses parameters whose types analysis has inferred, or NIL if it has none.
 * Call it before the wait, as it analyzes the statement once more.
 */
extern List *padv_statement_uses(const ParseState *pstate, Query *query);

/*
 * Analyze the statement again from its text, as if it began now, and overwrite *query.
 * pstate, query and *jstate are those that analysis passed to its hook.  *jstate is
 * computed again if it is not NULL.  Allocates in the current memory context.  Raises an
 * error if parameters are used in another way than in `uses`: types that the first
 * analysis inferred may not be right any more.
 */
extern void padv_statement_analyze(const ParseState *pstate, Query *query, const List *uses, PadvJumbleState **jstate);

/*
 * Check that a fast-path call may go on after its wait, as PostgreSQL did before it: raise
 * an error if the user may not call the function any more, or if it is not the one that was
 * looked up.  `before` is its row before the wait, which is freed.
 */
extern void padv_statement_check_function(Oid function, HeapTuple before);

/*
 * Whether a query, or its plan, only cancels or terminates another session: a call of
 * pg_cancel_backend or pg_terminate_backend with constants or parameters.
 */
extern bool padv_query_only_cancels(const Query *query);
extern bool padv_plan_only_cancels(const PlannedStmt *statement);

/*
 * In the hook of the analysis: whether it is that of a Parse message for the unnamed
 * prepared statement.
 */
extern bool padv_is_parse_of_unnamed(void);

/* Whether a query reads views or functions of pool_advisor, and otherwise only catalogs. */
extern bool padv_statement_only_monitors(Query *query);

#endif							/* PADV_STATEMENT_H */
