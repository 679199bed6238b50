/*
 * xact_hooks.c
 *		A transaction begins its work: may it run now?
 *
 * Owns the hooks that see a transaction begin its work, the wait in the queue, and
 * the callback at its end.  It decides nothing: xact_slots.c does.
 *
 * BEGIN passes.  The first statement that does work takes a slot, and waits for it
 * if it must; an error there leaves an aborted block, as with any statement.  From
 * then on the transaction never waits here; if its slot has been given back because
 * it was idle, it takes part again with the next statement.
 *
 * Where a statement waits:
 *
 * - after it has been analyzed, as there is no hook before;
 * - where a cached plan is used, when the executor or the utility command starts;
 * - in a fast-path call, when the function has been looked up.
 *
 * A transaction that waits for its first statement holds nothing that others could
 * wait for: its snapshots and locks are released (statement.c), and it goes on
 * as a statement that begins after the wait: with a new snapshot in each isolation
 * level, with locks taken again, and analyzed or planned anew if anything in the
 * catalogs has changed meanwhile.
 *
 * It keeps what it has where others may count on that: when it has a transaction
 * ID, when a statement has passed without a slot before (`passed`), when functions
 * that Bind called do the first work, or Bind analyzes a statement that was prepared
 * before, and for the plan of an unnamed statement that an earlier transaction prepared.
 * So it does with a statement that cannot be made again of its text, or that a rule has
 * made more than one of.  The stall monitor lets it in then as soon as
 * somebody waits for what it keeps.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/objectaccess.h"
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
 * A waiter is woken when it is let in.  It looks around by itself as seldom as
 * this, in case nobody else does; and once after a moment, if a slot was about
 * to be free.
 */
#define LOOK_AROUND_MS 2000

/*
 * A statement that runs one and the same query twice so often, and for no more CPU time
 * each, only waits for its result to change.
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
static bool passing = false;	/* the one that was analyzed, or begun, last
								 * does */
static int	utility_depth = 0;	/* commands that run, and may commit inside */

/* What is known of the session user; it changes by SET SESSION AUTHORIZATION. */
static Oid	known_role = InvalidOid;
static uint32 role_changes = 0; /* that may have changed it */
static bool exempt = false;		/* needs no slot of the server */
static bool monitor = false;	/* is a member of pg_monitor */

/* The nested query that this statement runs again and again. */
static const PlannedStmt *repeated = NULL;
static uint32 repeats = 0;
static int64 repeats_cpu = 0;	/* the CPU time when they were judged last */
static bool polls = false;		/* as has been told */

/* --- who waits --- */

static void
forget_exempt_role(Datum arg pg_attribute_unused(), int cache pg_attribute_unused(),
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

	/* a change while it was looked up may have been missed */
	known_role = changes == role_changes ? role : InvalidOid;
}

/* As for limits on sessions: who must get in when nobody else can. */
static inline bool
is_exempt(void)
{
	Oid			role = GetSessionUserId();

	if (unlikely(role != known_role))
		look_up_role(role);
	return exempt;
}

/*
 * Not where limits are not enforced any more, nor in a smart shutdown: sessions that are
 * there may end their work then, and the server stops the sooner.
 */
static bool
must_wait_on(void)
{
	return padv_gate_enforcement_in_force() == PADV_ENFORCEMENT_ON && !padv_is_stopping();
}

/*
 * Its time is over: it has not worked, and has to ask again if a function catches the
 * error and goes on.
 */
static void
end_if_too_long(int64 now)
{
	PadvFullQueue full;

	if (now < padv_slot_deadline() || !padv_slot_time_out(&full))
		return;
	working = false;
	padv_queue_refuse_longer_wait(&full, now - padv_slot_queued_at());
}

/* One more look at a wait that goes on; returns when to tell the client of it. */
static int64
stay_in_queue(int64 notice_at)
{
	int64		now = padv_monotonic_us();

	(void) padv_slots_reclaim();
	if (padv_slot_granted())
		return notice_at;
	end_if_too_long(now);
	if (now < notice_at)
		return notice_at;
	padv_queue_notice();
	return PG_INT64_MAX;
}

/* How long to sleep in the queue until the next look. */
static long
nap_ms(long soon_ms, int64 notice_at)
{
	int64		left_us = Min(notice_at, padv_slot_deadline()) - padv_monotonic_us();
	long		most = soon_ms > 0 ? soon_ms : LOOK_AROUND_MS;

	return left_us >= (int64) most * 1000 ? most : left_us > 0 ? (long) (left_us / 1000) + 1 : 1;
}

/*
 * If it ends in an error, the end of the transaction gives the place in the queue up.
 * released is whether the transaction has released its locks.
 */
static void
wait_for_slot(bool released)
{
	int64		started = padv_monotonic_us();
	int64		notice_at = MyBEEntry->st_state == STATE_FASTPATH ? PG_INT64_MAX : padv_queue_notice_at(started);
	long		soon_ms = padv_slots_reclaim();
	bool		holds_locks;
	bool		advisory;

	InvalidateCatalogSnapshot();
	holds_locks = padv_statement_holds_locks(&advisory);
	padv_slot_note_needs(holds_locks, advisory && released);
	while (!padv_slot_granted())
	{
		padv_queue_sleep(nap_ms(soon_ms, notice_at), padv_slot_wait_event());
		if (padv_slot_granted())
			break;

		/* others wait for us to read our messages, or all our caches go */
		if (catchupInterruptPending)
			AcceptInvalidationMessages();
		if (must_wait_on())
			notice_at = stay_in_queue(notice_at);
		else
			padv_slot_bypass();
		soon_ms = 0;
	}
	padv_slot_count_wait(padv_monotonic_us() - started);
	padv_check_client();

	/* what was granted, revoked or changed meanwhile counts */
	AcceptInvalidationMessages();
}

/*
 * Whether this transaction has done nothing yet that others, or itself, count on.
 * A function that Bind called may have asked for a transaction ID.
 */
static bool
can_let_go(void)
{
	return !passed && !TransactionIdIsValid(GetTopTransactionIdIfAny());
}

/*
 * Forget the snapshot of a transaction that has not begun its work, so that the
 * next one is new in each isolation level.  None may be active.  It is kept where
 * a function that Bind called has opened a large object, which has one of its own.
 */
static void
let_go_of_snapshots(void)
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
 * What is seldom done is kept out of the hooks, which each statement runs: there it
 * would cost those that do not wait their registers and their stack.
 */
static pg_noinline void
take_again(void)
{
	PadvFullQueue full;

	(void) padv_slot_acquire(is_exempt(), false, &full);
}

/* Take part again, if the slot has been given back because the session was idle. */
static inline void
resume(void)
{
	if (unlikely(padv_slot_suspended()))
		take_again();
}

/*
 * The queue is full, or takes too long.  In a smart shutdown, which waits for the session to end its work,
 * it may go on all the same; else nothing has begun, and a function that catches the
 * error has to ask again.
 */
static void
refuse_transaction(PadvSlotResult verdict, const PadvFullQueue *full)
{
	PadvFullQueue other;

	if (padv_is_stopping())
	{
		(void) padv_slot_acquire(is_exempt(), false, &other);
		return;
	}
	working = false;
	padv_slot_refuse();
	if (verdict == PADV_SLOT_TOO_LATE)
		padv_queue_refuse_late(full);
	padv_queue_refuse(full);
}

/*
 * Take part; false when the transaction has to wait in the queue for its slot.  Raises
 * where it may not even wait.
 */
static bool
carve(void)
{
	PadvFullQueue full;
	PadvSlotResult verdict;

	if (likely(working))
	{
		resume();

		/* a function may have caught the cancel that ended the wait */
		return !padv_slot_waiting();
	}
	working = true;
	verdict = padv_slot_acquire(is_exempt(), true, &full);
	if (unlikely(verdict == PADV_SLOT_REFUSED || verdict == PADV_SLOT_TOO_LATE))
		refuse_transaction(verdict, &full);
	return verdict != PADV_SLOT_QUEUED;
}

static inline bool
concerns_us(void)
{
	return is_client && MyBEEntry->st_state > STATE_IDLE;
}

/* --- which statements work --- */

/* SET TRANSACTION SNAPSHOT: the snapshot is not to be let go of any more. */
static bool
is_import(const VariableSetStmt *statement)
{
	return statement->kind == VAR_SET_MULTI && strcmp(statement->name, "TRANSACTION SNAPSHOT") == 0;
}

/* Commands that do nothing worth a slot, or begin or end the transaction. */
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

/* A member of pg_monitor gets its answer from our views however full the gate is. */
static bool
passes_as_monitor(Query *query)
{
	(void) is_exempt();
	if (likely(!monitor) || !padv_statement_only_monitors(query))
		return false;
	passed = true;
	return true;
}

/* --- a statement that has been analyzed now --- */

/*
 * The snapshot of the analysis is active, if that needed one, and is not used for
 * anything else; the caller pops one.  Only for the client's own statement.
 */
static void
wait_after_analysis(ParseState *pstate, Query *query, PadvJumbleState **jstate)
{
	bool		snapshot = ActiveSnapshotSet();
	uint64		messages = SharedInvalidMessageCounter;

	if (pstate->p_target_relation != NULL)
		table_close(pstate->p_target_relation, NoLock);
	pstate->p_target_relation = NULL;
	if (snapshot)
		PopActiveSnapshot();
	let_go_of_snapshots();
	padv_statement_unlock();
	wait_for_slot(true);
	if (snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	padv_statement_lock(query);
	if (SharedInvalidMessageCounter != messages)
		padv_statement_analyze(pstate, query, jstate);
}

static void
after_analysis(ParseState *pstate, Query *query, PadvJumbleState *jstate)
{
	if (concerns_us() && ActivePortal == NULL && MyBEEntry->st_state != STATE_FASTPATH &&
		!(query->commandType == CMD_UTILITY && is_trivial(query->utilityStmt)) &&
		!(passing = !working && passes_as_monitor(query)) && !carve())
	{
		if (pstate->p_sourcetext == debug_query_string && can_let_go() &&
			padv_statement_is_its_text(pstate, query))
			wait_after_analysis(pstate, query, &jstate);
		else
			wait_for_slot(false);
	}
	if (previous_post_parse_analyze_hook)
		previous_post_parse_analyze_hook(pstate, query, jstate);
}

/* --- a statement whose plan was cached --- */

/* What a portal lets go of while its statement waits. */
typedef struct Held
{
	bool		hold_snapshot;
	uint64		messages;
} Held;

/*
 * The prepared statement that this statement of a portal comes from, or NULL.  Where a
 * rule has made more than one of it there is none: the portal has the plans of all of
 * them, and the others would be run with neither locks nor plans of now.
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

/* The portal's snapshots are popped; its locks belong to the transaction. */
static void
wait_in_portal(Portal portal, Held *held)
{
	held->hold_snapshot = portal->holdSnapshot != NULL;
	held->messages = SharedInvalidMessageCounter;
	if (held->hold_snapshot)
		UnregisterSnapshot(portal->holdSnapshot);
	portal->holdSnapshot = NULL;
	let_go_of_snapshots();
	padv_statement_unlock();
	wait_for_slot(true);
}

/* A snapshot of now, registered for the portal if that had done so. */
static Snapshot
renew_snapshot(Portal portal, const Held *held)
{
	Snapshot	snapshot = GetTransactionSnapshot();

	if (held->hold_snapshot)
		portal->holdSnapshot = snapshot = RegisterSnapshot(snapshot);
	return snapshot;
}

/* A rule can make another command of a statement, which the portal was not made for. */
static bool
is_same_command(const PlannedStmt *statement, const PlannedStmt *other)
{
	return statement->commandType == other->commandType &&
		statement->hasReturning == other->hasReturning &&
		statement->canSetTag == other->canSetTag;
}

/*
 * The same statement with a plan of now, if the old one may not be right any more;
 * allocated in the current memory context.
 */
static PlannedStmt *
renew_plan(Portal portal, PreparedStatement *prepared, PlannedStmt *statement, const Held *held)
{
	CachedPlanSource *source = prepared->plansource;
	PlannedStmt *renewed = NULL;
	CachedPlan *plan;

	padv_statement_lock_plan(statement);

	/* of a custom plan nobody keeps a record of what it depends on */
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
	Held		held;

	if (prepared == NULL || !can_let_go() || query->snapshot == NULL || query->snapshot != GetActiveSnapshot())
	{
		wait_for_slot(false);
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

/* Returns the statement to go on with. */
static pg_noinline PlannedStmt *
wait_before_command(PlannedStmt *statement)
{
	Portal		portal = ActivePortal;
	PreparedStatement *prepared = prepared_of(portal, statement);
	bool		snapshot = portal != NULL && portal->portalSnapshot != NULL;
	Held		held;

	if (prepared == NULL || !can_let_go() || (snapshot && portal->portalSnapshot != GetActiveSnapshot()))
	{
		wait_for_slot(false);
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
 * nothing, waits for others to change what that returns.  It is to be told from a
 * statement that works, as those others may be in the queue.  A query that is not cheap
 * is work, however often it is run.
 */
static void
judge_repeats(void)
{
	int64		now = cpu_us();

	set_polls(repeats > POLLS && now - repeats_cpu <= POLLS * CHEAP_US &&
			  !TransactionIdIsValid(GetTopTransactionIdIfAny()));
	repeats_cpu = now;
}

static pg_noinline void
note_nested(const QueryDesc *query)
{
	if (query->plannedstmt != repeated)
	{
		set_polls(false);
		repeated = query->plannedstmt;
		repeats = 0;
	}
	else if (++repeats % POLLS == 0 && query->operation == CMD_SELECT &&
			 (query->params == NULL || query->params->numParams == 0))
		judge_repeats();
}

/* The client's own statement begins. */
static void
note_statement(void)
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
 * Whether a plan only reads our views, for a member of pg_monitor.  Of a statement
 * without a name it is known from its analysis, and what runs inside a statement passes
 * as that does.
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
	else if (ActivePortal != NULL && ActivePortal->prepStmtName != NULL && is_own_statement(statement))
		passing = false;
	return passing;
}

/* A statement that begins, or one that a statement runs inside. */
static void
note_execution(const QueryDesc *query)
{
	if (is_own_statement(query->plannedstmt))
		note_statement();
	else
		note_nested(query);
}

/* A plan that was not analyzed now.  Its snapshot is active and its own. */
static void
before_executor(QueryDesc *query, int flags)
{
	if (concerns_us())
	{
		if (likely(working))
			note_execution(query);
		if ((working || !is_monitoring_plan(query->plannedstmt)) && !carve())
			wait_before_executor(query);
	}
	if (previous_executor_start_hook)
		previous_executor_start_hook(query, flags);
	else
		standard_ExecutorStart(query, flags);
}

/* More of a cursor, or of a portal whose rows are fetched in parts. */
static void
before_run(PADV_RUN_PARAMETERS)
{
	if (working)
		resume();
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

/* It may commit inside, as CALL and VACUUM do, and keeps its slot then. */
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
	if (!concerns_us() || is_trivial(statement->utilityStmt))
	{
		if (is_begin(statement->utilityStmt) && concerns_us())
			padv_slot_touch();
		run_command(statement, text, read_only, context, params, environment, receiver, completion);
		return;
	}
	if (!carve())
		statement = wait_before_command(statement);
	run_working_command(statement, text, read_only, context, params, environment, receiver, completion);
}

/*
 * A fast-path call has looked its function up.  Its snapshot is active, and not used
 * for anything yet.
 */
static void
before_fast_path_call(void)
{
	if (carve())
		return;
	if (ActiveSnapshotSet() && can_let_go())
	{
		PopActiveSnapshot();
		let_go_of_snapshots();
		padv_statement_unlock();
		wait_for_slot(true);
		PushActiveSnapshot(GetTransactionSnapshot());
	}
	else
		wait_for_slot(false);
}

static void
at_object_access(ObjectAccessType access, Oid class, Oid object, int sub, void *arg)
{
	if (unlikely(access == OAT_FUNCTION_EXECUTE && !working && is_client &&
				 MyBEEntry->st_state == STATE_FASTPATH && ActivePortal == NULL))
		before_fast_path_call();
	if (previous_object_access_hook)
		previous_object_access_hook(access, class, object, sub, arg);
}

/* --- where it ends --- */

/*
 * The locks of the transaction have been released: whoever is let in now does not run
 * into them.  A command that commits inside keeps its slot.
 */
static void
slot_release_callback(ResourceReleasePhase phase, bool is_commit pg_attribute_unused(), bool is_top_level,
					  void *arg pg_attribute_unused())
{
	if (phase != RESOURCE_RELEASE_AFTER_LOCKS || !is_top_level ||
		CurrentResourceOwner != TopTransactionResourceOwner || utility_depth > 0)
		return;
	passed = false;
	if (!working)
		return;
	working = false;
	note_statement();
	padv_slot_release();
}

void
padv_xact_hooks_start(void)
{
	is_client = true;
	padv_slots_announce();
	RegisterResourceReleaseCallback(slot_release_callback, NULL);
	CacheRegisterSyscacheCallback(AUTHOID, forget_exempt_role, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, forget_exempt_role, (Datum) 0);
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
