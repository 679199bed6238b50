/*
 * gate.c
 *		A transaction begins: may it run now?
 *
 * Owns the hooks that see a transaction begin, the wait in line, and the
 * callback at its end.  It decides nothing: turns.c does.
 *
 * A transaction begins its work with BEGIN, or with the first statement that does
 * any: there it takes a turn, and waits for it if it must.  From then on it never
 * waits here; if its turn has been given back because it was idle, it takes part
 * again with the next statement.
 *
 * Where a transaction waits:
 *
 * - At BEGIN it holds nothing.
 * - At a statement that is parsed now it holds the weak locks that the analysis has
 *   taken, for there is no hook before it.
 * - At a statement with a cached plan, when the executor or the utility command
 *   starts, it holds the weak locks of the plan.
 *
 * In each case it lets go of its snapshot while it waits, and goes on with a new
 * one: so it keeps vacuum from nothing, and sees what was committed meanwhile.
 * Where others may count on the snapshot it is kept: in a transaction that
 * COMMIT AND CHAIN began, and inside a subtransaction.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "parser/analyze.h"
#include "storage/predicate.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"
#include "utils/backend_status.h"
#include "utils/inval.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "admission/gate.h"
#include "admission/sleep.h"
#include "admission/turns.h"
#include "clock.h"
#include "compat.h"

/*
 * Who waits is woken when it is let in.  It looks around by itself as seldom as
 * this, in case nobody else does; and once after a moment, if a turn was about
 * to be free.
 */
#define LOOK_AROUND_MS 3000

static post_parse_analyze_hook_type previous_post_parse_analyze_hook = NULL;
static ExecutorStart_hook_type previous_executor_start_hook = NULL;
static ExecutorRun_hook_type previous_executor_run_hook = NULL;
static ProcessUtility_hook_type previous_process_utility_hook = NULL;

static bool is_client = false;	/* transactions of this process need turns */
static bool working = false;	/* this transaction has begun its work */
static int	utility_depth = 0;	/* commands that run, and may commit inside */
static bool chained = false;	/* it began with AND CHAIN, and has not yet
								 * begun its work */

static Oid	exempt_role = InvalidOid;	/* whom that is known of; it changes
										 * by SET SESSION AUTHORIZATION */
static uint32 role_changes = 0; /* that may have changed it */
static bool exempt = false;

/* --- who waits --- */

static void
forget_exempt(Datum arg pg_attribute_unused(), int cache pg_attribute_unused(),
			  uint32 hash pg_attribute_unused())
{
	exempt_role = InvalidOid;
	role_changes++;
}

/* As for caps on sessions: who must get in when nobody else can. */
static bool
is_exempt(void)
{
	Oid			role = GetSessionUserId();
	uint32		changes = role_changes;

	if (role != exempt_role)
	{
		exempt = superuser_arg(role) || padv_may_use_reserve(role);

		/* a change while it was looked up may have been missed */
		exempt_role = changes == role_changes ? role : InvalidOid;
	}
	return exempt;
}

/* If it ends in an error, the end of the transaction gives the place in line up. */
static void
wait_in_line(void)
{
	int64		started = padv_monotonic_us();
	long		soon_ms = padv_turns_look_after();

	InvalidateCatalogSnapshot();
	while (!padv_turn_has_come())
	{
		padv_sleep_in_line(soon_ms > 0 ? soon_ms : LOOK_AROUND_MS, padv_turn_wait_event());
		if (!padv_turn_has_come())
			(void) padv_turns_look_after();
		soon_ms = 0;
	}
	chained = false;
	padv_turn_waited(padv_monotonic_us() - started);
}

/*
 * Whether the active snapshot can be exchanged for a new one.  Not inside a
 * subtransaction: Bind can call functions, by a domain or by the planner, before
 * any statement has been met.  Where one of these catches an error, what was
 * pushed inside is popped, and who pushed the old one would find none.
 */
static bool
can_exchange_snapshot(void)
{
	return ActiveSnapshotSet() && GetCurrentTransactionNestLevel() == 1;
}

/*
 * Forget the snapshot of a transaction that has not begun its work, so that the
 * next one is new in each isolation level.  None may be active.  It is kept where it
 * matters already: fast-path calls, which we do not see, can have read with that of
 * a chained transaction; a function that Bind called can have opened a large object,
 * which has one of its own, or asked for a transaction ID.
 */
static void
let_go_of_snapshots(void)
{
	InvalidateCatalogSnapshot();
	if (ActiveSnapshotSet() || chained || !ThereAreNoPriorRegisteredSnapshots() ||
		TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return;
	if (IsolationIsSerializable())
		ReleasePredicateLocks(false, false);
	if (IsolationUsesXactSnapshot())
		AtEOXact_Snapshot(false, true);
}

/* Take part again, if the turn has been given back because we were idle. */
static void
resume(void)
{
	if (unlikely(padv_turn_suspended()))
		(void) padv_turn_take(is_exempt(), false);
}

/* Take part; false when the transaction has to wait in line for its turn. */
static bool
take_part(void)
{
	bool		in_line;

	if (likely(working))
	{
		resume();

		/* a function may have caught the cancel that ended the wait */
		return !padv_turn_in_line();
	}
	in_line = !padv_turn_take(is_exempt(), true);
	working = true;
	if (!in_line)
		chained = false;
	return !in_line;
}

static inline bool
concerns_us(void)
{
	return is_client && MyBEEntry->st_state > STATE_IDLE;
}

/* --- where a transaction begins --- */

/* SET TRANSACTION SNAPSHOT: the snapshot is not to be let go of any more. */
static bool
is_import(const VariableSetStmt *statement)
{
	return statement->kind == VAR_SET_MULTI && strcmp(statement->name, "TRANSACTION SNAPSHOT") == 0;
}

/* Commands that do nothing worth a turn, or end the transaction. */
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
		case T_PrepareStmt:
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

static bool
ends_transaction(const Node *command)
{
	const TransactionStmt *statement = (const TransactionStmt *) command;

	return IsA(command, TransactionStmt) &&
		(statement->kind == TRANS_STMT_COMMIT || statement->kind == TRANS_STMT_ROLLBACK);
}

/*
 * A statement of the client has been analyzed.  The snapshot for that is active,
 * if it needed one, and is not used for anything else; who pushed it pops one.
 */
static void
after_analysis(ParseState *pstate, Query *query, PadvJumbleState *jstate)
{
	if (previous_post_parse_analyze_hook)
		previous_post_parse_analyze_hook(pstate, query, jstate);

	if (!concerns_us() || ActivePortal != NULL || MyBEEntry->st_state == STATE_FASTPATH ||
		(query->commandType == CMD_UTILITY && is_trivial(query->utilityStmt)) ||
		take_part())
		return;
	if (can_exchange_snapshot())
	{
		PopActiveSnapshot();
		let_go_of_snapshots();
		wait_in_line();
		PushActiveSnapshot(GetTransactionSnapshot());
	}
	else
		wait_in_line();
}

/* A plan that was not analyzed now.  Its snapshot is active and its own. */
static void
before_executor(QueryDesc *query, int flags)
{
	if (concerns_us() && !take_part())
	{
		if (MyBEEntry->st_state == STATE_FASTPATH || query->snapshot == NULL ||
			!can_exchange_snapshot() || query->snapshot != GetActiveSnapshot())
			wait_in_line();
		else
		{
			PopActiveSnapshot();
			UnregisterSnapshot(query->snapshot);
			query->snapshot = NULL;
			let_go_of_snapshots();
			wait_in_line();
			PushActiveSnapshot(GetTransactionSnapshot());
			query->snapshot = RegisterSnapshot(GetActiveSnapshot());
		}
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

/* A command that was not analyzed now; its portal may have a snapshot. */
static void
begin_command(void)
{
	Portal		portal = ActivePortal;

	if (take_part())
		return;
	if (portal != NULL && portal->portalSnapshot != NULL && can_exchange_snapshot() &&
		portal->portalSnapshot == GetActiveSnapshot())
	{
		PopActiveSnapshot();
		portal->portalSnapshot = NULL;
		let_go_of_snapshots();
		wait_in_line();
		PushActiveSnapshotWithLevel(GetTransactionSnapshot(), portal->createLevel);
		portal->portalSnapshot = GetActiveSnapshot();
	}
	else
		wait_in_line();
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

static void
before_utility(PlannedStmt *statement, const char *text, bool read_only,
			   ProcessUtilityContext context, ParamListInfo params,
			   QueryEnvironment *environment, DestReceiver *receiver,
			   QueryCompletion *completion)
{
	if (!concerns_us() || (is_trivial(statement->utilityStmt) && !is_begin(statement->utilityStmt)))
	{
		bool		ends = ends_transaction(statement->utilityStmt);
		bool		chain = ends && ((TransactionStmt *) statement->utilityStmt)->chain;

		run_command(statement, text, read_only, context, params, environment, receiver, completion);
		if (ends)
			chained = chain;
		return;
	}
	begin_command();
	if (is_trivial(statement->utilityStmt))
	{
		run_command(statement, text, read_only, context, params, environment, receiver, completion);
		return;
	}

	/* it may commit inside, as CALL and VACUUM do, and keeps its turn then */
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

/* --- where it ends --- */

static void
at_transaction_end(XactEvent event, void *arg pg_attribute_unused())
{
	if ((event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE) ||
		!working || utility_depth > 0)
		return;
	working = false;
	padv_turn_end();
}

void
padv_gate_start(void)
{
	is_client = true;
	padv_turns_announce();
	RegisterXactCallback(at_transaction_end, NULL);
	CacheRegisterSyscacheCallback(AUTHOID, forget_exempt, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, forget_exempt, (Datum) 0);
}

void
padv_gate_install_hooks(void)
{
	previous_post_parse_analyze_hook = post_parse_analyze_hook;
	post_parse_analyze_hook = after_analysis;
	previous_executor_start_hook = ExecutorStart_hook;
	ExecutorStart_hook = before_executor;
	previous_executor_run_hook = ExecutorRun_hook;
	ExecutorRun_hook = before_run;
	previous_process_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = before_utility;
}
