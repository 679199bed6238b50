/*
 * xact_hooks.c
 *		The hooks in which a transaction gets its slot, or waits for it.
 *
 * Owns the hooks that see a transaction begin its work, the wait in the queue, and the
 * callback at its end.  It does not decide: xact_slots.c does.
 *
 * BEGIN does not need a slot.  The first statement that does work acquires one, and waits
 * for it if needed.  An error there leaves an aborted block, as with any statement.
 * After that the transaction never waits here.  If its slot has been suspended because
 * the session was idle, the next statement acquires one without waiting.
 *
 * Where a statement waits:
 *
 * - after it has been analyzed, as there is no hook before;
 * - where a cached plan is used, when the executor or the utility command starts;
 * - in a fast-path call, when the function has been looked up.
 *
 * A transaction that waits for its first statement holds nothing that other sessions
 * could wait for: its snapshots and locks are released (statement.c).  After the wait the
 * statement continues as if it began then.  It has a new snapshot in each isolation
 * level, takes its locks again, and is analyzed or planned again if catalogs have changed.
 *
 * The transaction keeps its snapshots and locks while it waits
 *
 * - when it has a transaction ID;
 * - when it has an advisory lock;
 * - when a statement has run without a slot before (`passed`);
 * - when functions that Bind called do the first work;
 * - when another portal has been bound and not begun, as its locks and plan are in use; a
 *	 cursor WITH HOLD of an earlier transaction looks the same;
 * - for the plan of an unnamed statement that an earlier transaction prepared;
 * - for a statement that cannot be analyzed again from its text, or that a rule has
 *	 rewritten to several.
 *
 * Then the stall monitor grants it a slot as soon as a session waits for its locks.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "commands/defrem.h"
#include "commands/prepare.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "parser/analyze.h"
#include "storage/predicate.h"
#include "storage/sinval.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/inval.h"
#include "utils/portal.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "hooks/xact_hooks.h"
#include "clock.h"
#include "compat.h"
#include "hooks/queue_refusal.h"
#include "hooks/queue_sleep.h"
#include "hooks/statement.h"
#include "shmem/shared_settings.h"
#include "shmem/xact_slots.h"
#include "stopping.h"

/*
 * A waiter is woken when its slot is granted.  It checks by itself only this often, in
 * case there is no worker; and once earlier, if a retained slot was about to be free.
 */
#define CHECK_INTERVAL_MS 2000

/*
 * A statement that runs the same query twice so often, with at most so much CPU time
 * each, only waits for the query's result to change.
 */
#define POLLS 100
#define CHEAP_US 100

static post_parse_analyze_hook_type previous_post_parse_analyze_hook = NULL;
static ExecutorStart_hook_type previous_executor_start_hook = NULL;
static ExecutorRun_hook_type previous_executor_run_hook = NULL;
static ProcessUtility_hook_type previous_process_utility_hook = NULL;
static object_access_hook_type previous_object_access_hook = NULL;

static bool is_client = false;	/* transactions of this process need slots */
static bool working = false;	/* this transaction has begun its work */
static bool passed = false;		/* a statement of it has passed without a slot */
static bool passing = false;	/* the last statement that was analyzed or
								 * begun does */
static bool unnamed_passes = false; /* the unnamed prepared statement does */
static int	utility_depth = 0;	/* running commands that may commit inside */
static uint64 query_id = 0;		/* of the statement that began the work */

/* Cached properties of the session user. */
static Oid	known_role = InvalidOid;	/* session user for which "exempt" and
										 * "monitor" were computed */
static uint32 role_changes = 0; /* invalidations that may have changed them */
static bool exempt = false;		/* not counted in the server's limit */
static bool monitor = false;	/* member of pg_monitor */

/* The nested query that this statement runs again and again. */
static const PlannedStmt *repeated = NULL;
static uint32 repeats = 0;
static int64 repeats_cpu = 0;	/* the CPU time at the last check */
static bool polls = false;		/* as padv_slot_note_polling was told */

/* --- the wait --- */

static void
reset_known_role(Datum arg pg_attribute_unused(), int cache pg_attribute_unused(),
				 uint32 hash pg_attribute_unused())
{
	known_role = InvalidOid;
	role_changes++;
}

static pg_noinline void
look_up_role(Oid role)
{
	uint32		changes = role_changes;

	exempt = superuser_arg(role) || padv_may_use_reserve(role);
	monitor = !exempt && has_privs_of_role(role, ROLE_PG_MONITOR);

	/* a change during the look-up may have been missed */
	known_role = changes == role_changes ? role : InvalidOid;
}

/* As for limits on sessions: superusers and roles that may use the reserve. */
static inline bool
is_exempt(void)
{
	Oid			role = GetSessionUserId();

	if (unlikely(role != known_role))
		look_up_role(role);
	return exempt;
}

/*
 * Whether a waiter has to go on waiting.  Not when limits are not enforced any more, nor
 * in a smart shutdown: then sessions may finish their work, and the server stops sooner.
 */
static bool
must_keep_waiting(void)
{
	return padv_gate_enforcement_in_force() == PADV_ENFORCEMENT_ON && !padv_is_stopping();
}

/* Raise an error if the wait has reached transaction_queue_timeout. */
static void
check_slot_timeout(int64 now)
{
	PadvFullQueue full;

	if (now < padv_slot_deadline() || !padv_slot_time_out(&full))
		return;
	padv_queue_refuse_long_wait(&full, now - padv_slot_queued_at());
}

/*
 * Check a wait that goes on: reclaim slots, check the timeout, and send the notice if it
 * is due at notice_at.  Returns when the notice is due.
 */
static int64
check_wait(int64 notice_at)
{
	int64		now = padv_monotonic_us();

	(void) padv_slots_reclaim();
	if (padv_slot_granted())
		return notice_at;
	check_slot_timeout(now);
	if (now < notice_at)
		return notice_at;
	padv_queue_notice();
	return PG_INT64_MAX;
}

/* Milliseconds to sleep in the queue until the next check. */
static long
sleep_ms(long soon_ms, int64 notice_at)
{
	int64		left_us = Min(notice_at, padv_slot_deadline()) - padv_monotonic_us();
	long		most = soon_ms > 0 ? soon_ms : CHECK_INTERVAL_MS;

	return left_us >= (int64) most * 1000 ? most : left_us > 0 ? (long) (left_us / 1000) + 1 : 1;
}

/* Sleep until the slot is granted, and do what is due meanwhile. */
static void
sleep_until_granted(void)
{
	int64		notice_at = MyBEEntry->st_state == STATE_FASTPATH ? PG_INT64_MAX : padv_queue_notice_at(padv_monotonic_us());
	long		soon_ms = padv_slots_reclaim();

	while (!padv_slot_granted())
	{
		padv_queue_sleep(sleep_ms(soon_ms, notice_at), padv_slot_wait_event());
		if (padv_slot_granted())
			break;

		/* a catch-up interrupt wants us to read our messages */
		if (catchupInterruptPending)
			AcceptInvalidationMessages();
		if (must_keep_waiting())
			notice_at = check_wait(notice_at);
		else
			padv_slot_bypass();
		soon_ms = 0;
	}
}

/*
 * Tell the worker what others could need of this session.  Who has a snapshot keeps
 * CREATE INDEX CONCURRENTLY waiting for its virtual transaction, without a lock on any
 * relation.
 */
static void
note_needs(void)
{
	bool		holds_locks;
	bool		advisory;

	InvalidateCatalogSnapshot();
	holds_locks = padv_statement_holds_locks(&advisory);
	padv_slot_note_needs(holds_locks || TransactionIdIsValid(MyProc->xmin), advisory);
}

/*
 * Wait until the slot is granted.  If the wait ends in an error, the end of the transaction
 * or subtransaction leaves the queue.
 */
static void
wait_for_slot(void)
{
	int64		started = padv_monotonic_us();

	note_needs();
	sleep_until_granted();
	padv_slot_count_wait(padv_monotonic_us() - started);
	padv_check_client();

	/* see what was granted, revoked or changed meanwhile */
	AcceptInvalidationMessages();
}

/*
 * Whether this transaction has done nothing yet that depends on its snapshot or locks.  A
 * function that Bind called may have assigned a transaction ID.  A portal that is ready
 * has the locks of its plan, and does not take them when it starts.
 */
static bool
can_release_all(void)
{
	return !passed && !TransactionIdIsValid(GetTopTransactionIdIfAny()) && padv_no_portal_is_ready() &&
		!padv_statement_has_advisory_locks();
}

/*
 * Release the snapshot of a transaction that has not begun its work, so that the next
 * one is new in each isolation level.  No snapshot may be active.  It is kept when a
 * function that Bind called has opened a large object, which has registered one.
 */
static void
release_snapshots(void)
{
	InvalidateCatalogSnapshot();
	if (ActiveSnapshotSet() || !ThereAreNoPriorRegisteredSnapshots())
		return;
	if (IsolationIsSerializable())
		ReleasePredicateLocks(false, false);
	if (IsolationUsesXactSnapshot())
		AtEOXact_Snapshot(false, true);
}

/*
 * Rare work is kept out of the hooks, which each statement runs: inlined it would cost
 * registers and stack in statements that do not wait.
 */
static pg_noinline void
acquire_again(void)
{
	PadvFullQueue full;

	(void) padv_slot_acquire(is_exempt(), false, query_id, &full);
}

/* Acquire a slot again if it was suspended because the session was idle. */
static inline void
resume_slot(void)
{
	if (unlikely(padv_slot_suspended()))
		acquire_again();
}

/*
 * The queue is full or too slow: raise an error.  The transaction has done no work, and
 * has to acquire a slot if a function catches the error.  In a smart shutdown, which
 * waits for the session to finish its work, the transaction gets a slot all the same.
 */
static void
refuse_transaction(PadvSlotResult result, const PadvFullQueue *full)
{
	PadvFullQueue other;

	if (padv_is_stopping())
	{
		(void) padv_slot_acquire(is_exempt(), false, query_id, &other);
		return;
	}
	working = false;
	padv_slot_refuse(full);
	if (result == PADV_SLOT_TOO_LATE)
		padv_queue_refuse_late(full);
	padv_queue_refuse(full);
}

/*
 * Get a slot for this transaction, whose first work is the statement of this query ID;
 * false when it has to wait in the queue.  Raises an error when it may not even wait.
 */
static bool
acquire_slot(uint64 statement_query_id)
{
	PadvFullQueue full;
	PadvSlotResult result;

	if (likely(working))
	{
		resume_slot();
		return true;
	}
	working = true;
	query_id = statement_query_id;
	result = padv_slot_acquire(is_exempt(), true, query_id, &full);
	if (unlikely(result == PADV_SLOT_REFUSED || result == PADV_SLOT_TOO_LATE))
		refuse_transaction(result, &full);
	return result != PADV_SLOT_QUEUED;
}

static inline bool
is_client_statement(void)
{
	return is_client && MyBEEntry->st_state > STATE_IDLE;
}

/* --- which statements work --- */

/* SET TRANSACTION SNAPSHOT: the snapshot must not be released afterwards. */
static bool
is_import(const VariableSetStmt *statement)
{
	return statement->kind == VAR_SET_MULTI && strcmp(statement->name, "TRANSACTION SNAPSHOT") == 0;
}

/* Commands that need no slot: they do little work, or begin or end the transaction. */
static bool
is_trivial(const Node *command)
{
	switch (nodeTag(command))
	{
		case T_VariableSetStmt:
			return !is_import((const VariableSetStmt *) command);
		case T_TransactionStmt:
		case T_VariableShowStmt:
		case T_DiscardStmt:
		case T_DeallocateStmt:
		case T_FetchStmt:
		case T_ClosePortalStmt:
		case T_ListenStmt:
		case T_UnlistenStmt:
		case T_NotifyStmt:
		case T_ConstraintsSetStmt:
		case T_LoadStmt:
			return true;
		default:
			return padv_is_wait_for(command);
	}
}

static bool
is_begin(const Node *command)
{
	const TransactionStmt *statement = (const TransactionStmt *) command;

	return IsA(command, TransactionStmt) &&
		(statement->kind == TRANS_STMT_BEGIN || statement->kind == TRANS_STMT_START);
}

/* A member of pg_monitor may read our views without a slot. */
static bool
passes_as_monitor(Query *query)
{
	(void) is_exempt();
	if (likely(!monitor) || !padv_statement_only_monitors(query))
		return false;
	passed = true;
	return true;
}

/* Likewise, and everybody may cancel what has a slot. */
static bool
passes_by_query(Query *query)
{
	passing = !working && passes_as_monitor(query);
	if (unlikely(monitor || unnamed_passes) && padv_is_parse_of_unnamed())
		unnamed_passes = passing;
	if (passing || working || !padv_query_only_cancels(query))
		return passing;
	passed = true;
	return true;
}

/* --- the query ID of a command that executes a statement --- */

static uint64
prepared_id(const char *name)
{
	PreparedStatement *prepared = FetchPreparedStatement(name, false);

	if (prepared == NULL || prepared->plansource->query_list == NIL)
		return 0;
	return (uint64) linitial_node(Query, prepared->plansource->query_list)->queryId;
}

/* Computed if the server has not.  It does not stay there, as others would count by it. */
static uint64
contained_id(Query *query, const char *text)
{
	uint64		id = (uint64) query->queryId;

	if (id != 0 || !IsQueryIdEnabled())
		return id;
	(void) padv_jumble(query, text);
	id = (uint64) query->queryId;
	query->queryId = 0;
	return id;
}

static bool
has_analyze(const ExplainStmt *statement)
{
	bool		analyze = false;
	ListCell   *cell;

	foreach(cell, statement->options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, "analyze") == 0)
			analyze = defGetBoolean(option);
	}
	return analyze;
}

/* The query that a command executes, or NULL. */
static Query *
executed_query(const Node *command)
{
	Node	   *query = NULL;

	if (IsA(command, DeclareCursorStmt))
		query = ((const DeclareCursorStmt *) command)->query;
	else if (IsA(command, CreateTableAsStmt))
		query = ((const CreateTableAsStmt *) command)->query;
	else if (IsA(command, ExplainStmt) && has_analyze((const ExplainStmt *) command))
		query = ((const ExplainStmt *) command)->query;
	return query != NULL && IsA(query, Query) ? (Query *) query : NULL;
}

static uint64
executed_id(const Node *command, const char *text)
{
	Query	   *query = executed_query(command);

	while (query != NULL && query->commandType == CMD_UTILITY)
	{
		command = query->utilityStmt;
		query = executed_query(command);
	}
	if (query != NULL)
		return contained_id(query, text);
	return IsA(command, ExecuteStmt) ? prepared_id(((const ExecuteStmt *) command)->name) : 0;
}

/*
 * The query ID by which a command is limited, and which tells how long it takes: that of
 * the statement which it executes, unless its own has a limit.
 */
static uint64
command_id(const Node *command, uint64 own, const char *text)
{
	uint64		executed;

	if (working || !padv_slot_queries_matter() || padv_slot_query_is_limited(own))
		return own;
	executed = executed_id(command, text);
	return executed != 0 ? executed : own;
}

static inline uint64
analyzed_id(const ParseState *pstate, const Query *query)
{
	if (likely(query->commandType != CMD_UTILITY))
		return (uint64) query->queryId;
	return command_id(query->utilityStmt, (uint64) query->queryId, pstate->p_sourcetext);
}

/* --- a statement that is analyzed --- */

/*
 * Wait in the hook of the analysis, for the client's own statement only.  If analysis
 * needed a snapshot it is active, and used for nothing else; the caller pops it.
 */
static void
wait_after_analysis(ParseState *pstate, Query *query, PadvJumbleState **jstate)
{
	bool		snapshot = ActiveSnapshotSet();
	uint64		messages = SharedInvalidMessageCounter;
	List	   *uses = padv_statement_uses(pstate, query);

	if (pstate->p_target_relation != NULL)
		table_close(pstate->p_target_relation, NoLock);
	pstate->p_target_relation = NULL;
	if (snapshot)
		PopActiveSnapshot();
	release_snapshots();
	padv_statement_unlock();
	wait_for_slot();
	if (snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	padv_statement_lock(query);
	if (SharedInvalidMessageCounter != messages)
		padv_statement_analyze(pstate, query, uses, jstate);
}

static void
after_analysis(ParseState *pstate, Query *query, PadvJumbleState *jstate)
{
	if (is_client_statement() && ActivePortal == NULL && MyBEEntry->st_state != STATE_FASTPATH &&
		!(query->commandType == CMD_UTILITY && is_trivial(query->utilityStmt)) &&
		!passes_by_query(query) && !acquire_slot(analyzed_id(pstate, query)))
	{
		if (pstate->p_sourcetext == debug_query_string && can_release_all() &&
			padv_statement_is_its_text(pstate, query))
			wait_after_analysis(pstate, query, &jstate);
		else
			wait_for_slot();
	}
	if (previous_post_parse_analyze_hook)
		previous_post_parse_analyze_hook(pstate, query, jstate);
}

/* --- a statement with a cached plan --- */

/* What is released of a portal while its statement waits. */
typedef struct PortalSnapshots
{
	bool		hold_snapshot;
	uint64		messages;
} PortalSnapshots;

/*
 * The prepared statement that this statement of a portal comes from, or NULL.  NULL also
 * when a rule has rewritten it to several: the portal has the plans of all of them, and
 * the others would run without locks and with old plans.
 */
static PreparedStatement *
prepared_of(Portal portal, const PlannedStmt *statement)
{
	PreparedStatement *prepared;

	if (portal == NULL || portal->cplan == NULL || portal->prepStmtName == NULL ||
		portal->createSubid != GetCurrentSubTransactionId() ||
		list_length(portal->stmts) != 1 || linitial(portal->stmts) != statement)
		return NULL;
	prepared = FetchPreparedStatement(portal->prepStmtName, false);
	if (prepared == NULL || strcmp(prepared->plansource->query_string, portal->sourceText) != 0)
		return NULL;
	return prepared;
}

/* Wait; the caller has popped the portal's snapshots.  Its locks are the transaction's. */
static void
wait_in_portal(Portal portal, PortalSnapshots *held)
{
	held->hold_snapshot = portal->holdSnapshot != NULL;
	held->messages = SharedInvalidMessageCounter;
	if (held->hold_snapshot)
		UnregisterSnapshot(portal->holdSnapshot);
	portal->holdSnapshot = NULL;
	release_snapshots();
	padv_statement_unlock();
	wait_for_slot();
}

/* A new snapshot, registered for the portal if the old one was. */
static Snapshot
renew_snapshot(Portal portal, const PortalSnapshots *held)
{
	Snapshot	snapshot = GetTransactionSnapshot();

	if (held->hold_snapshot)
		portal->holdSnapshot = snapshot = RegisterSnapshot(snapshot);
	return snapshot;
}

/* Whether the portal fits the new plan: a changed rule can make another command of it. */
static bool
is_same_command(const PlannedStmt *statement, const PlannedStmt *other)
{
	return statement->commandType == other->commandType &&
		statement->hasReturning == other->hasReturning &&
		statement->canSetTag == other->canSetTag;
}

/*
 * The same statement with a new plan, if the old plan may be out of date; allocated in
 * the current memory context.
 */
static PlannedStmt *
renew_plan(Portal portal, PreparedStatement *prepared, PlannedStmt *statement, const PortalSnapshots *held)
{
	CachedPlanSource *source = prepared->plansource;
	PlannedStmt *renewed = NULL;
	CachedPlan *plan;

	padv_statement_lock_plan(statement);

	/* the plan cache tracks dependencies of generic plans, not of custom ones */
	if (SharedInvalidMessageCounter == held->messages ||
		(portal->cplan == source->gplan && portal->cplan->is_valid && source->is_valid))
		return statement;
	plan = GetCachedPlan(source, portal->portalParams, NULL, portal->queryEnv);
	if (list_length(plan->stmt_list) == 1 &&
		is_same_command(linitial_node(PlannedStmt, plan->stmt_list), statement))
		renewed = copyObjectImpl(linitial(plan->stmt_list));	/* copyObject() itself
																 * needs C23 from 19 on */
	ReleaseCachedPlan(plan, NULL);
	if (renewed == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("rewrite rules of prepared statement \"%s\" changed while it waited for a slot",
						portal->prepStmtName),
				 errhint("Execute the statement again.")));
	return renewed;
}

static pg_noinline void
wait_before_executor(QueryDesc *query)
{
	Portal		portal = ActivePortal;
	PreparedStatement *prepared = prepared_of(portal, query->plannedstmt);
	PortalSnapshots held;

	if (prepared == NULL || !can_release_all() || query->snapshot == NULL || query->snapshot != GetActiveSnapshot())
	{
		wait_for_slot();
		return;
	}
	PopActiveSnapshot();
	UnregisterSnapshot(query->snapshot);
	query->snapshot = NULL;
	wait_in_portal(portal, &held);
	PushCopiedSnapshot(renew_snapshot(portal, &held));
	query->snapshot = RegisterSnapshot(GetActiveSnapshot());
	query->plannedstmt = renew_plan(portal, prepared, query->plannedstmt, &held);
}

/* Wait before a utility command; returns the statement to execute. */
static pg_noinline PlannedStmt *
wait_before_command(PlannedStmt *statement)
{
	Portal		portal = ActivePortal;
	PreparedStatement *prepared = prepared_of(portal, statement);
	bool		snapshot = portal != NULL && portal->portalSnapshot != NULL;
	PortalSnapshots held;

	if (prepared == NULL || !can_release_all() || (snapshot && portal->portalSnapshot != GetActiveSnapshot()))
	{
		wait_for_slot();
		return statement;
	}
	if (snapshot)
	{
		PopActiveSnapshot();
		portal->portalSnapshot = NULL;
	}
	wait_in_portal(portal, &held);
	if (snapshot)
	{
		PushActiveSnapshotWithLevel(renew_snapshot(portal, &held), portal->createLevel);
		portal->portalSnapshot = GetActiveSnapshot();
	}
	return renew_plan(portal, prepared, statement, &held);
}

/* --- polling --- */

/* The CPU time of this process, in microseconds. */
static int64
cpu_us(void)
{
	struct timespec now;

	return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0 ?
		(int64) now.tv_sec * 1000000 + now.tv_nsec / 1000 : 0;
}

static void
set_polls(bool now)
{
	if (now != polls)
		padv_slot_note_polling(now);
	polls = now;
}

/*
 * A statement that runs one cheap query without parameters again and again, and changes
 * nothing, waits for other sessions to change the result.  Those sessions may be in the
 * queue, so this is not counted as work.  A query that is not cheap is work, however
 * often it is run.
 */
static void
check_repeats(void)
{
	int64		now = cpu_us();

	set_polls(repeats > POLLS && now - repeats_cpu <= POLLS * CHEAP_US &&
			  !TransactionIdIsValid(GetTopTransactionIdIfAny()));
	repeats_cpu = now;
}

static pg_noinline void
note_nested_query(const QueryDesc *query)
{
	if (query->plannedstmt != repeated)
	{
		set_polls(false);
		repeated = query->plannedstmt;
		repeats = 0;
	}
	else if (++repeats % POLLS == 0 && query->operation == CMD_SELECT &&
			 (query->params == NULL || query->params->numParams == 0))
		check_repeats();
}

/* The client's own statement begins, so it does not repeat a query yet. */
static void
reset_repeats(void)
{
	set_polls(false);
	repeated = NULL;
	repeats = 0;
}

/* --- hooks --- */

static bool
is_own_statement(const PlannedStmt *statement)
{
	return ActivePortal == NULL || list_member_ptr(ActivePortal->stmts, statement);
}

/*
 * Whether a plan only reads our views, for a member of pg_monitor.  For an unnamed
 * statement its analysis has found that: with the simple protocol the last one, else that
 * of its Parse.  A statement inside another is as that one.
 */
static bool
is_monitoring_plan(const PlannedStmt *statement)
{
	PreparedStatement *prepared;

	(void) is_exempt();
	if (likely(!monitor))
		return false;
	prepared = prepared_of(ActivePortal, statement);
	if (prepared != NULL)
		passing = list_length(prepared->plansource->query_list) == 1 &&
			passes_as_monitor(linitial_node(Query, prepared->plansource->query_list));
	else if (ActivePortal != NULL && ActivePortal->cplan != NULL && is_own_statement(statement))
		passing = ActivePortal->prepStmtName == NULL && unnamed_passes;
	passed |= passing;
	return passing;
}

/* As passes_by_query.  A plan that cancels is known by itself, whatever was analyzed last. */
static bool
passes_by_plan(const PlannedStmt *statement)
{
	if (likely(!padv_plan_only_cancels(statement)))
		return is_monitoring_plan(statement);
	passed = true;
	return true;
}

/* A statement of the client begins, or one that runs inside it. */
static void
note_execution(const QueryDesc *query)
{
	if (is_own_statement(query->plannedstmt))
		reset_repeats();
	else
		note_nested_query(query);
}

/* ExecutorStart hook: a plan that was analyzed before.  Its snapshot is active. */
static void
before_executor(QueryDesc *query, int flags)
{
	if (is_client_statement())
	{
		if (likely(working))
			note_execution(query);
		if ((working || !passes_by_plan(query->plannedstmt)) &&
			!acquire_slot((uint64) query->plannedstmt->queryId))
			wait_before_executor(query);
	}
	if (previous_executor_start_hook)
		previous_executor_start_hook(query, flags);
	else
		standard_ExecutorStart(query, flags);
}

/* ExecutorRun hook: the next rows of a cursor or a portal. */
static void
before_run(PADV_RUN_PARAMETERS)
{
	if (working)
		resume_slot();
	if (previous_executor_run_hook)
		previous_executor_run_hook(PADV_RUN_ARGUMENTS);
	else
		standard_ExecutorRun(PADV_RUN_ARGUMENTS);
}

static void
run_command(PlannedStmt *statement, const char *text, bool read_only,
			ProcessUtilityContext context, ParamListInfo params,
			QueryEnvironment *environment, DestReceiver *receiver,
			QueryCompletion *completion)
{
	if (previous_process_utility_hook)
		previous_process_utility_hook(statement, text, read_only, context, params,
									  environment, receiver, completion);
	else
		standard_ProcessUtility(statement, text, read_only, context, params,
								environment, receiver, completion);
}

/* The command may commit inside, as CALL and VACUUM do, and keeps its slot then. */
static void
run_working_command(PlannedStmt *statement, const char *text, bool read_only,
					ProcessUtilityContext context, ParamListInfo params,
					QueryEnvironment *environment, DestReceiver *receiver,
					QueryCompletion *completion)
{
	utility_depth++;
	PG_TRY();
	{
		run_command(statement, text, read_only, context, params, environment, receiver, completion);
	}
	PG_FINALLY();
	{
		utility_depth--;
	}
	PG_END_TRY();
}

static void
before_utility(PlannedStmt *statement, const char *text, bool read_only,
			   ProcessUtilityContext context, ParamListInfo params,
			   QueryEnvironment *environment, DestReceiver *receiver,
			   QueryCompletion *completion)
{
	if (!is_client_statement() || is_trivial(statement->utilityStmt))
	{
		if (is_begin(statement->utilityStmt) && is_client_statement())
			padv_slot_touch();
		run_command(statement, text, read_only, context, params, environment, receiver, completion);
		return;
	}
	if (!acquire_slot(command_id(statement->utilityStmt, (uint64) statement->queryId, text)))
		statement = wait_before_command(statement);
	run_working_command(statement, text, read_only, context, params, environment, receiver, completion);
}

static void
wait_in_fast_path_call(void)
{
	if (ActiveSnapshotSet() && can_release_all())
	{
		PopActiveSnapshot();
		release_snapshots();
		padv_statement_unlock();
		wait_for_slot();
		PushActiveSnapshot(GetTransactionSnapshot());
	}
	else
		wait_for_slot();
}

/*
 * A fast-path call has looked up its function and checked privileges.  Its snapshot is
 * active, and has not been used yet.
 */
static void
before_fast_path_call(Oid function)
{
	HeapTuple	before;

	if (acquire_slot(0))
		return;
	before = SearchSysCacheCopy1(PROCOID, ObjectIdGetDatum(function));
	wait_in_fast_path_call();
	padv_statement_check_function(function, before);
}

static void
at_object_access(ObjectAccessType access, Oid class, Oid object, int sub, void *arg)
{
	if (unlikely(access == OAT_FUNCTION_EXECUTE && is_client &&
				 MyBEEntry->st_state == STATE_FASTPATH && ActivePortal == NULL))
		before_fast_path_call(object);
	if (previous_object_access_hook)
		previous_object_access_hook(access, class, object, sub, arg);
}

/* --- the end --- */

/*
 * The transaction has released its locks, so the next owner of the slot does not wait for
 * them.  A command that commits inside keeps its slot.
 *
 * A wait that ended in an error leaves the queue with its subtransaction, too: the
 * transaction may go on, and then waits anew with its next work.
 */
static void
slot_release_callback(ResourceReleasePhase phase, bool is_commit, bool is_top_level,
					  void *arg pg_attribute_unused())
{
	if (phase != RESOURCE_RELEASE_AFTER_LOCKS)
		return;
	if (unlikely(!is_commit && !is_top_level && padv_slot_abandon()))
		working = false;
	if (!is_top_level || CurrentResourceOwner != TopTransactionResourceOwner || utility_depth > 0)
		return;
	passed = false;
	if (!working)
		return;
	working = false;
	reset_repeats();
	padv_slot_release();
}

void
padv_xact_hooks_start(void)
{
	is_client = true;
	padv_slots_announce();
	RegisterResourceReleaseCallback(slot_release_callback, NULL);
	CacheRegisterSyscacheCallback(AUTHOID, reset_known_role, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, reset_known_role, (Datum) 0);
}

void
padv_xact_hooks_install(void)
{
	previous_post_parse_analyze_hook = post_parse_analyze_hook;
	post_parse_analyze_hook = after_analysis;
	previous_executor_start_hook = ExecutorStart_hook;
	ExecutorStart_hook = before_executor;
	previous_executor_run_hook = ExecutorRun_hook;
	ExecutorRun_hook = before_run;
	previous_process_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = before_utility;
	previous_object_access_hook = object_access_hook;
	object_access_hook = at_object_access;
}
