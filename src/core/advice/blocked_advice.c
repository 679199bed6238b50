/*
 * blocked_advice.c
 *		Advice on sessions that block others.
 *
 * Owns the texts.  The advice names the root of the wait chain, because the others
 * continue when the root ends.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdio.h>
#include <string.h>

#include "core/advice/blocked_advice.h"
#include "core/model/health.h"
#include "core/text/emit.h"

/* The size of a description with the longest names of role and database. */
#define DESCRIPTION 320

/* A blocker with its names, which can be missing. */
typedef struct NamedBlocker
{
	const PadvBlocker *blocker;
	const char *role;
	const char *database;
	const char *gid_quoted;
} NamedBlocker;

/* Describe the state of the blocker.  A prepared transaction has none. */
static void
describe_state(const PadvBlocker *blocker, char *text, size_t size)
{
	switch (blocker->state)
	{
		case PADV_BLOCKER_PREPARED:
			text[0] = '\0';
			return;
		case PADV_BLOCKER_DEADLOCK:
			snprintf(text, size, ", in a deadlock");
			return;
		case PADV_BLOCKER_QUEUED:
			snprintf(text, size, ", in the queue for transactions");
			return;
		case PADV_BLOCKER_UNKNOWN:
			snprintf(text, size, ", in an unknown state");
			return;
		case PADV_BLOCKER_SERVER:
			snprintf(text, size, ", a process of the server");
			return;
		default:
			break;
	}
	if (blocker->state_seconds >= 0.0)
		snprintf(text, size, ", %s for %.0f s", padv_blocker_state_name(blocker->state),
				 blocker->state_seconds);
	else
		snprintf(text, size, ", %s", padv_blocker_state_name(blocker->state));
}

/* Describe it: "process 5244 (role batch, database bench, idle in transaction for 67 s)". */
static void
describe_blocker(const NamedBlocker *named, char *text, size_t size)
{
	const PadvBlocker *blocker = named->blocker;
	const char *role = named->role ? named->role : "";
	const char *database = named->database ? named->database : "";
	char		state[96];
	char		age[48] = "";

	describe_state(blocker, state, sizeof(state));
	if (blocker->xact_seconds >= 0.0)
		snprintf(age, sizeof(age), ", transaction %.0f s old", blocker->xact_seconds);
	text[0] = '\0';
	if (blocker->state == PADV_BLOCKER_PREPARED)
		padv_append(text, size, "prepared transaction %s (role %s, database %s%s)",
					named->gid_quoted ? named->gid_quoted : "", role, database, age);
	else if (role[0] == '\0')
		padv_append(text, size, "process %d (%s%s)", blocker->pid, state + 2, age);
	else
		padv_append(text, size, "process %d (role %s, database %s%s%s)", blocker->pid, role, database, state, age);
}

static const char *
what_helps(PadvBlockerState state)
{
	switch (state)
	{
		case PADV_BLOCKER_IDLE_IN_TRANSACTION:
		case PADV_BLOCKER_ABORTED:
			return "They continue as soon as its transaction ends; more or fewer connections change nothing. End it if its client does not return; what it did in the transaction is rolled back. Let the application commit before it waits for anything else. idle_in_transaction_session_timeout ends such sessions automatically.";
		case PADV_BLOCKER_IDLE:
			return "It holds a session-level advisory lock (pg_advisory_lock), outside of a transaction. They continue when it unlocks, or when its session ends. Prefer pg_advisory_xact_lock.";
		case PADV_BLOCKER_PREPARED:
			return "They continue when its transaction manager commits it (COMMIT PREPARED) or rolls it back. If that will not happen, roll it back in that database; what it did is lost then. Set max_prepared_transactions = 0 if two-phase commit is not used.";
		case PADV_BLOCKER_QUEUED:
			return "It waits in the queue for transactions while it holds a lock, and will get a slot because others wait for it. The view gate shows the queue.";
		case PADV_BLOCKER_DEADLOCK:
			return "It waits for these sessions, too. The server ends one of them after deadlock_timeout, so check that this is not set too high.";
		case PADV_BLOCKER_SERVER:
			return "Autovacuum gives way to a session after deadlock_timeout, unless it prevents wraparound. On a standby the replay of a lock ends with the transaction of the primary.";
		default:
			return "It is active, and they continue when its transaction ends. pg_cancel_backend() ends its statement, pg_terminate_backend() its session, and both roll back what it did. With lock_timeout a session that changes a table does not block others for long.";
	}
}

/* Write a statement that ends the blocker, or nothing if it does not fit. */
static void
write_fix(const NamedBlocker *named, char *text, size_t size)
{
	const PadvBlocker *blocker = named->blocker;
	size_t		length = 0;

	text[0] = '\0';
	if (blocker->state == PADV_BLOCKER_PREPARED && named->gid_quoted != NULL)
		length = (size_t) snprintf(text, size, "ROLLBACK PREPARED %s;", named->gid_quoted);
	else if (blocker->state != PADV_BLOCKER_PREPARED && blocker->state != PADV_BLOCKER_QUEUED && !blocker->auxiliary)
		length = (size_t) snprintf(text, size, "SELECT pg_catalog.pg_terminate_backend(%d);", blocker->pid);
	if (length >= size)
		text[0] = '\0';
}

static void
advise(const PadvLocalStatus *local, const NamedBlocker *named, PadvSeverity severity, PadvAdvice *advice)
{
	const PadvStall *stall = &local->status.stall;
	const PadvBlocker *blocker = named->blocker;
	char		description[DESCRIPTION];

	padv_advice_begin(advice, severity, "blocked_by", "");
	if (blocker->pid != 0)
		PADV_WRITE(advice->subject, "%d", blocker->pid);
	else
		PADV_WRITE(advice->subject, "%s", named->gid_quoted ? named->gid_quoted : "");
	describe_blocker(named, description, sizeof(description));
	PADV_WRITE(advice->finding, "%lld %s for %s, %lld of them directly, and for %.0f s at most.",
			   (long long) blocker->blocked, blocker->blocked == 1 ? "session waits" : "sessions wait",
			   description, (long long) blocker->blocked_directly, blocker->longest_wait_seconds);
	if (stall->blocked > blocker->blocked)
		PADV_APPEND(advice->finding, " Together %lld wait for locks; the view blockers has the others.",
					(long long) stall->blocked);
	snprintf(advice->recommendation, sizeof(advice->recommendation), "%s", what_helps(blocker->state));
	padv_advice_conclude(advice, &local->status.model, PADV_CERTAIN, PADV_GAIN_UNKNOWN);
	write_fix(named, advice->fix, sizeof(advice->fix));
}

bool
padv_advise_blocked_by(const PadvLocalStatus *local, PadvAdvice *advice)
{
	const NamedBlocker worst = {
		&local->status.stall.worst, local->blocker_role, local->blocker_database, local->blocker_gid_quoted
	};

	if (!local->status.stall.any)
		return false;
	advise(local, &worst, padv_health_stalled(&local->status) ? PADV_CRITICAL : PADV_WARNING, advice);
	return true;
}

bool
padv_advise_idle_blocker(const PadvLocalStatus *local, PadvAdvice *advice)
{
	const PadvStall *stall = &local->status.stall;
	const NamedBlocker idle = {
		&stall->idle, local->idle_blocker_role, local->idle_blocker_database, local->idle_blocker_gid_quoted
	};

	if (!padv_health_idle_blocks(&local->status) ||
		(stall->idle.pid == stall->worst.pid && stall->idle.xid == stall->worst.xid))
		return false;
	advise(local, &idle, PADV_WARNING, advice);
	return true;
}
