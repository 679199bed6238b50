/*
 * statement.c
 *		Releasing the locks of a statement before its wait, and preparing it again after.
 *
 * Runs in client backends; xact_hooks.c calls it before a transaction has done any work.
 * Then all locks of the transaction come from the analysis or the plan of its first
 * statement, so all of them can be released.  Meanwhile a relation can be changed or
 * dropped.  So after the wait the locks are taken again, and a statement whose analysis
 * may be out of date is analyzed again from its text.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_language.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "nodes/memnodes.h"
#include "nodes/nodeFuncs.h"
#include "nodes/params.h"
#include "parser/parse_node.h"
#include "parser/parse_param.h"
#include "parser/parser.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/lwlock.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

#include "hooks/statement.h"

/* The extension that our views and functions belong to. */
#define EXTENSION "pool_advisor"

/* --- locks --- */

/*
 * ThereAreNoReadyPortals leaves its scan of the portals open when it has found one, and the
 * commit would warn of that.  The client's statement has no other scan open where it waits.
 */
bool
padv_no_portal_is_ready(void)
{
	if (ThereAreNoReadyPortals())
		return true;
	AtEOSubXact_HashTables(false, GetCurrentTransactionNestLevel());
	return false;
}

void
padv_statement_unlock(void)
{
	ResourceOwner current = CurrentResourceOwner;

	/* the locks of a portal were taken for the transaction, before it started */
	CurrentResourceOwner = CurTransactionResourceOwner;
	LockReleaseCurrentOwner(NULL, 0);
	CurrentResourceOwner = current;
}

/* Add the advisory locks in a partition to a list.  Call it with its LWLock held. */
static List *
add_advisory_locks_of(int partition, List *locks)
{
	PROCLOCK   *lock;

	for (lock = padv_next_own_lock(partition, NULL); lock != NULL; lock = padv_next_own_lock(partition, lock))
	{
		const LOCKTAG *tag = &lock->tag.myLock->tag;

		for (LOCKMODE mode = 1; mode < MAX_LOCKMODES && tag->locktag_type == LOCKTAG_ADVISORY; mode++)
			if ((lock->holdMask & LOCKBIT_ON(mode)) != 0)
			{
				LOCALLOCKTAG *held = palloc0(sizeof(LOCALLOCKTAG));

				held->lock = *tag;
				held->mode = mode;
				locks = lappend(locks, held);
			}
	}
	return locks;
}

/*
 * The advisory locks of this process, and whether it has any locks in the shared table.
 *
 * The list of own locks is read without a lock first, because only this process takes
 * and releases its locks.  Other processes may move one from the fast path to the table
 * meanwhile, but never an advisory lock.
 */
static List *
advisory_locks(bool *any)
{
	List	   *locks = NIL;

	for (int i = 0; i < NUM_LOCK_PARTITIONS; i++)
	{
		if (padv_next_own_lock(i, NULL) == NULL)
			continue;
		*any = true;
		LWLockAcquire(LockHashPartitionLockByIndex(i), LW_SHARED);
		locks = add_advisory_locks_of(i, locks);
		LWLockRelease(LockHashPartitionLockByIndex(i));
	}
	return locks;
}

bool
padv_statement_holds_locks(bool *advisory)
{
	bool		any = padv_has_fast_path_locks();

	*advisory = advisory_locks(&any) != NIL;
	return any;
}

/* Whether the transaction holds a lock, and not only the session. */
static bool
transaction_holds(const LOCALLOCKTAG *lock)
{
	LOCALLOCK  *held;
	bool		found = false;

	padv_lock_once_more(&lock->lock, lock->mode, &held);
	for (int i = 0; i < held->numLockOwners; i++)
		found |= held->lockOwners[i].owner != NULL;
	(void) LockRelease(&lock->lock, lock->mode, true);
	return found;
}

bool
padv_statement_has_advisory_locks(void)
{
	bool		any = false;
	ListCell   *cell;

	foreach(cell, advisory_locks(&any))
	{
		if (transaction_holds(lfirst(cell)))
			return true;
	}
	return false;
}

/* Views are subqueries after rewriting, and keep their relation from 16 on. */
static void
lock_relation(const RangeTblEntry *entry)
{
	if ((entry->rtekind == RTE_RELATION || entry->rtekind == RTE_SUBQUERY) &&
		OidIsValid(entry->relid) && entry->rellockmode != NoLock)
		LockRelationOid(entry->relid, entry->rellockmode);
}

static bool
lock_relations(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
	{
		lock_relation((RangeTblEntry *) node);
		return false;
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, lock_relations, context, QTW_EXAMINE_RTES_BEFORE);
	return expression_tree_walker(node, lock_relations, context);
}

static void
lock_relations_of(Query *query)
{
	(void) query_tree_walker(query, lock_relations, NULL, QTW_EXAMINE_RTES_BEFORE);
}

void
padv_statement_lock(Query *query)
{
	if (query->commandType == CMD_UTILITY)
		query = UtilityContainsQuery(query->utilityStmt);
	if (query != NULL)
		lock_relations_of(query);
}

/* As AcquireExecutorLocks(); the locks belong to the transaction, not to a portal. */
void
padv_statement_lock_plan(const PlannedStmt *statement)
{
	ResourceOwner current = CurrentResourceOwner;
	ListCell   *cell;

	CurrentResourceOwner = CurTransactionResourceOwner;
	if (statement->commandType == CMD_UTILITY)
	{
		Query	   *query = UtilityContainsQuery(statement->utilityStmt);

		if (query != NULL)
			lock_relations_of(query);
	}
	else
		foreach(cell, statement->rtable)
			lock_relation(lfirst_node(RangeTblEntry, cell));
	CurrentResourceOwner = current;
}

/* --- analysis --- */

/*
 * The client has had the notices and warnings of the first analysis.  The end of a
 * transaction or subtransaction sets client_min_messages back, too.
 */
static int
begin_silence(void)
{
	int			level = NewGUCNestLevel();

	(void) set_config_option("client_min_messages", "error", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	return level;
}

static void
end_silence(int level)
{
	AtEOXact_GUC(true, level);
}

/* Bind analyzes below this error callback. */
static bool
is_in_bind(void)
{
	const ErrorContextCallback *context;

	for (context = error_context_stack; context != NULL; context = context->previous)
		if (context->callback == ParamsErrorCallback)
			return true;
	return false;
}

/*
 * Whether the text reads the same under other settings of string literals: none of them
 * can have an escape.
 */
static bool
has_plain_literals(const char *text)
{
	return strchr(text, '\\') == NULL && strstr(text, "&'") == NULL;
}

/* Whether a raw statement is the PREPARE that this query was prepared by. */
static bool
is_prepare_of(const RawStmt *statement, const Query *query)
{
	int			end = statement->stmt_location + statement->stmt_len;

	return IsA(statement->stmt, PrepareStmt) && query->commandType != CMD_UTILITY &&
		statement->stmt_location <= query->stmt_location &&
		(statement->stmt_len == 0 || query->stmt_location < end);
}

/* The raw statement of this query, or NULL. */
static RawStmt *
find_statement(const char *text, const Query *query)
{
	ListCell   *cell;

	foreach(cell, raw_parser(text, RAW_PARSE_DEFAULT))
	{
		RawStmt    *statement = lfirst_node(RawStmt, cell);

		if (is_prepare_of(statement, query))
		{
			statement->stmt = ((PrepareStmt *) statement->stmt)->query;
			return statement;
		}
		if (statement->stmt_location == query->stmt_location &&
			statement->stmt_len == query->stmt_len)
			return statement;
	}
	return NULL;
}

static bool
is_in_text(const char *text, const Query *query)
{
	int			level = begin_silence();
	bool		found = find_statement(text, query) != NULL;

	end_silence(level);
	return found;
}

/* For Bind the text is tried before the wait, as after it there is no other way. */
bool
padv_statement_is_its_text(const ParseState *pstate, const Query *query)
{
	if (is_in_bind())
		return has_plain_literals(pstate->p_sourcetext) && is_in_text(pstate->p_sourcetext, query);
	return query->stmt_location <= 0 || has_plain_literals(pstate->p_sourcetext);
}

static RawStmt *
parse_again(const char *text, const Query *query)
{
	RawStmt    *statement = find_statement(text, query);

	if (statement == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg_internal("could not find a statement again in its text")));
	return statement;
}

/* --- types of parameters --- */

/* How a query uses its parameters, in the order of a walk. */
typedef struct Uses
{
	const Node *user;			/* the node above */
	List	   *found;			/* numbers: parameter, type, and its user */
} Uses;

/* The operator, function or type that a node applies to its arguments; or 0. */
static Oid
applied_by(const Node *node)
{
	switch (nodeTag(node))
	{
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			return ((const OpExpr *) node)->opno;
		case T_ScalarArrayOpExpr:
			return ((const ScalarArrayOpExpr *) node)->opno;
		case T_FuncExpr:
			return ((const FuncExpr *) node)->funcid;
		case T_Aggref:
			return ((const Aggref *) node)->aggfnoid;
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_ArrayCoerceExpr:
		case T_CoerceToDomain:
			return exprType(node);
		default:
			return InvalidOid;
	}
}

static bool
find_uses(Node *node, void *context)
{
	Uses	   *uses = context;
	const Node *user = uses->user;
	bool		found;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, find_uses, context, 0);
	if (IsA(node, Param))
	{
		uses->found = lappend_oid(uses->found, (Oid) ((Param *) node)->paramid);
		uses->found = lappend_oid(uses->found, ((Param *) node)->paramtype);
		uses->found = lappend_oid(uses->found, user == NULL ? 0 : (Oid) nodeTag(user));
		uses->found = lappend_oid(uses->found, user == NULL ? 0 : applied_by(user));
		return false;
	}
	if (!IsA(node, List))
		uses->user = node;
	found = expression_tree_walker(node, find_uses, context);
	uses->user = user;
	return found;
}

static List *
parameter_uses(Query *query)
{
	Uses		uses = {0};

	if (query->commandType == CMD_UTILITY)
		query = UtilityContainsQuery(query->utilityStmt);
	if (query != NULL)
		(void) find_uses((Node *) query, &uses);
	return uses.found;
}

/* Whether analysis can fail so because parameters have the types of before. */
static bool
is_type_error(int code)
{
	return code == ERRCODE_UNDEFINED_FUNCTION || code == ERRCODE_AMBIGUOUS_FUNCTION ||
		code == ERRCODE_DATATYPE_MISMATCH || code == ERRCODE_CANNOT_COERCE ||
		code == ERRCODE_INDETERMINATE_DATATYPE || code == ERRCODE_AMBIGUOUS_PARAMETER;
}

static void
refuse_old_types(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("parameter types of the statement changed while it waited for a slot"),
			 errhint("Execute the statement again.")));
}

/*
 * Analyze a statement whose first analysis has inferred types of parameters.  These stay,
 * because it is not known which of them the client gave.  So if one would be used in
 * another way, an error tells the client to begin anew.
 */
static Query *
analyze_inferred(ParseState *pstate, RawStmt *statement, const List *uses)
{
	MemoryContext context = CurrentMemoryContext;
	Query	   *volatile analyzed = NULL;

	PG_TRY();
	{
		analyzed = transformTopLevelStmt(pstate, statement);
		check_variable_parameters(pstate, analyzed);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		if (uses == NIL || !is_type_error(geterrcode()))
			PG_RE_THROW();
		FlushErrorState();
		refuse_old_types();
	}
	PG_END_TRY();
	if (!equal(uses, parameter_uses(analyzed)))
		refuse_old_types();
	return analyzed;
}

/* --- analysis again --- */

/* A parse state like the one of the first analysis. */
static ParseState *
renew_parsestate(const ParseState *pstate)
{
	ParseState *again = make_parsestate(NULL);

	again->p_sourcetext = pstate->p_sourcetext;
	again->p_queryEnv = pstate->p_queryEnv;
	again->p_pre_columnref_hook = pstate->p_pre_columnref_hook;
	again->p_post_columnref_hook = pstate->p_post_columnref_hook;
	again->p_paramref_hook = pstate->p_paramref_hook;
	again->p_coerce_param_hook = pstate->p_coerce_param_hook;
	again->p_ref_hook_state = pstate->p_ref_hook_state;
	return again;
}

/*
 * A query can look different when the types of its parameters are known from the start, so
 * it is analyzed with them once more for the comparison.
 */
List *
padv_statement_uses(const ParseState *pstate, Query *query)
{
	ParseState *again;
	List	   *uses;
	int			level;

	if (pstate->p_coerce_param_hook == NULL || parameter_uses(query) == NIL)
		return NIL;
	level = begin_silence();
	again = renew_parsestate(pstate);
	uses = parameter_uses(transformTopLevelStmt(again, parse_again(pstate->p_sourcetext, query)));
	free_parsestate(again);
	end_silence(level);
	return uses;
}

void
padv_statement_analyze(const ParseState *pstate, Query *query, const List *uses, PadvJumbleState **jstate)
{
	int			level = begin_silence();
	ParseState *again = renew_parsestate(pstate);
	RawStmt    *statement = parse_again(pstate->p_sourcetext, query);
	Query	   *analyzed;

	/* only a statement whose parameter types analysis infers has this hook */
	if (again->p_coerce_param_hook != NULL)
		analyzed = analyze_inferred(again, statement, uses);
	else
		analyzed = transformTopLevelStmt(again, statement);
	free_parsestate(again);
	end_silence(level);
	if (*jstate != NULL)
		*jstate = padv_jumble(analyzed, pstate->p_sourcetext);
	*query = *analyzed;
}

/* --- fast-path calls --- */

/* Whether a column of text is the same in two rows of pg_proc. */
static bool
is_same_text(HeapTuple before, HeapTuple after, AttrNumber column)
{
	bool		was_null;
	bool		is_null;
	Datum		was = SysCacheGetAttr(PROCOID, before, column, &was_null);
	Datum		is = SysCacheGetAttr(PROCOID, after, column, &is_null);

	if (was_null || is_null)
		return was_null && is_null;
	return strcmp(TextDatumGetCString(was), TextDatumGetCString(is)) == 0;
}

/*
 * Whether two rows of pg_proc are alike in what is read before the function is called.
 * Languages other than C and internal read the body at each call.
 */
static bool
is_same_function(HeapTuple before, HeapTuple after)
{
	const FormData_pg_proc *was = (const FormData_pg_proc *) GETSTRUCT(before);
	const FormData_pg_proc *is = (const FormData_pg_proc *) GETSTRUCT(after);

	return was->prolang == is->prolang && was->prokind == is->prokind &&
		was->prosecdef == is->prosecdef && was->proisstrict == is->proisstrict &&
		was->proretset == is->proretset && was->prorettype == is->prorettype &&
		was->pronargs == is->pronargs &&
		memcmp(was->proargtypes.values, is->proargtypes.values, was->pronargs * sizeof(Oid)) == 0 &&
		heap_attisnull(before, Anum_pg_proc_proconfig, NULL) == heap_attisnull(after, Anum_pg_proc_proconfig, NULL) &&
		((is->prolang != INTERNALlanguageId && is->prolang != ClanguageId) ||
		 (is_same_text(before, after, Anum_pg_proc_prosrc) && is_same_text(before, after, Anum_pg_proc_probin)));
}

static void
check_privileges(Oid function, Oid schema)
{
	AclResult	result = padv_schema_aclcheck(schema, GetUserId(), ACL_USAGE);

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_SCHEMA, get_namespace_name(schema));
	result = padv_function_aclcheck(function, GetUserId(), ACL_EXECUTE);
	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_FUNCTION, get_func_name(function));
}

void
padv_statement_check_function(Oid function, HeapTuple before)
{
	HeapTuple	after = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));

	if (!HeapTupleIsValid(before) || !HeapTupleIsValid(after))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", function)));
	check_privileges(function, ((Form_pg_proc) GETSTRUCT(after))->pronamespace);
	if (!is_same_function(before, after))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("function \"%s\" changed while its call waited for a slot",
						NameStr(((Form_pg_proc) GETSTRUCT(after))->proname)),
				 errhint("Call the function again.")));
	ReleaseSysCache(after);
	heap_freetuple(before);
}

/* --- canceling --- */

static bool
is_value(const Node *node)
{
	return IsA(node, Const) || IsA(node, Param);
}

/* Whether a target list is nothing but a call of one of the two functions. */
static bool
is_cancel_call(const List *targets)
{
	const FuncExpr *call;
	ListCell   *argument;

	if (list_length(targets) != 1)
		return false;
	call = (const FuncExpr *) linitial_node(TargetEntry, targets)->expr;
	if (!IsA(call, FuncExpr) || (call->funcid != F_PG_CANCEL_BACKEND && call->funcid != F_PG_TERMINATE_BACKEND))
		return false;
	foreach(argument, call->args)
	{
		if (!is_value(lfirst(argument)))
			return false;
	}
	return true;
}

/* What groups or orders has further targets. */
bool
padv_query_only_cancels(const Query *query)
{
	return query->commandType == CMD_SELECT && query->rtable == NIL && query->cteList == NIL &&
		!query->hasSubLinks && query->jointree->quals == NULL && query->havingQual == NULL &&
		query->limitCount == NULL && query->limitOffset == NULL && is_cancel_call(query->targetList);
}

bool
padv_plan_only_cancels(const PlannedStmt *statement)
{
	const Plan *plan = statement->planTree;

	return statement->commandType == CMD_SELECT && plan != NULL && IsA(plan, Result) && outerPlan(plan) == NULL &&
		plan->qual == NIL && plan->initPlan == NIL && statement->subplans == NIL &&
		((const Result *) plan)->resconstantqual == NULL && is_cancel_call(plan->targetlist);
}

/* --- monitoring --- */

typedef struct Reads
{
	Oid			extension;		/* ours */
	bool		own;			/* something of ours was found */
} Reads;

/*
 * Whether an object is in pg_catalog or belongs to this extension.  The schema's name is
 * not enough: other roles may create objects in a schema of our name.
 */
static bool
is_allowed(Oid class, Oid object, Oid schema, Reads *reads)
{
	if (schema == PG_CATALOG_NAMESPACE)
		return true;
	if (getExtensionOfObject(class, object) != reads->extension)
		return false;
	reads->own = true;
	return true;
}

static bool
is_foreign_function(Oid function, void *context)
{
	return !is_allowed(ProcedureRelationId, function, get_func_namespace(function), context);
}

/* True, which ends the walk, for a node that a monitoring query does not need. */
static bool
find_foreign(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
	{
		const RangeTblEntry *entry = (const RangeTblEntry *) node;

		return entry->rtekind == RTE_RELATION &&
			!is_allowed(RelationRelationId, entry->relid, get_rel_namespace(entry->relid), context);
	}
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;

		return query->commandType != CMD_SELECT || query->rowMarks != NIL ||
			query_tree_walker(query, find_foreign, context, QTW_EXAMINE_RTES_BEFORE);
	}
	/* the checks of a domain call functions */
	return IsA(node, CoerceToDomain) ||
		check_functions_in_node(node, is_foreign_function, context) ||
		expression_tree_walker(node, find_foreign, context);
}

bool
padv_statement_only_monitors(Query *query)
{
	Reads		reads = {.extension = get_extension_oid(EXTENSION, true)};

	return OidIsValid(reads.extension) && !find_foreign((Node *) query, &reads) && reads.own;
}

/* Core analyzes it in a context of its own, which it drops with the statement. */
bool
padv_is_parse_of_unnamed(void)
{
	return strcmp(CurrentMemoryContext->name, "unnamed prepared statement") == 0;
}
