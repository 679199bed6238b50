/*
 * incident_words.c
 *		An incident in sentences: its cause, and what would have helped.
 *
 * Owns the words.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/advice/incident_words.h"
#include "core/text/emit.h"

/* Room for the longest names of a role and an application. */
#define WHO 360

/* A figure for people: three digits, or a whole number. */
typedef struct Figure
{
	char		text[32];
} Figure;

static Figure
figure(double value)
{
	Figure		result;

	snprintf(result.text, sizeof(result.text), value >= 100.0 ? "%.0f" : "%.3g", fmin(fmax(value, 0.0), 1e15));
	return result;
}

/* A number of sessions, which is whole. */
static Figure
whole(double value)
{
	return figure(floor(value + 0.5));
}

static void
describe_culprit(const PadvNamedIncident *named, char *text, size_t size)
{
	const PadvIncident *incident = &named->incident;
	const char *comma = named->role[0] != '\0' ? ", " : "";
	char		role[WHO] = "";
	char		application[PADV_APPLICATION_NAME + 20] = "";

	if (named->role[0] != '\0')
		snprintf(role, sizeof(role), "role %s", named->role);
	if (incident->application[0] != '\0')
		snprintf(application, sizeof(application), "%sapplication %s", comma, incident->application);
	switch ((PadvCulprit) incident->culprit)
	{
		case PADV_CULPRIT_SESSION:
			snprintf(text, size, role[0] != '\0' || application[0] != '\0' ? "process %u (%s%s)" : "process %u",
					 incident->pid, role, application);
			return;
		case PADV_CULPRIT_PREPARED:
			snprintf(text, size, "prepared transaction %u%s%s", incident->xid, role[0] != '\0' ? " of " : "", role);
			return;
		case PADV_CULPRIT_ROLE:
			snprintf(text, size, "role %s", named->role);
			return;
		case PADV_CULPRIT_NONE:
			break;
	}
	snprintf(text, size, "no session in particular");
}

/* How throughput has changed, as the end of a sentence; empty when it is not known. */
static void
describe_loss(const PadvIncident *incident, char *text, size_t size)
{
	text[0] = '\0';
	if (incident->throughput_before >= 0.0 && incident->throughput >= 0.0)
		snprintf(text, size, ", and %s transactions a second were done instead of %s",
				 figure(incident->throughput).text, figure(incident->throughput_before).text);
}

static void
say_stalled(const PadvNamedIncident *named, const char *who, const char *loss, char *text, size_t size)
{
	const PadvIncident *incident = &named->incident;
	char		held[80] = "";

	if (incident->held_seconds >= 0.0)
		snprintf(held, sizeof(held), ", with a transaction up to %.0f s old", incident->held_seconds);
	if (incident->culprit == PADV_CULPRIT_NONE || incident->culprit == PADV_CULPRIT_ROLE)
		snprintf(text, size, "Up to %s sessions stood still behind locks of %s%s.",
				 whole(incident->peak).text, who, loss);
	else
		snprintf(text, size, "Up to %s %s still behind a lock of %s, %s%s%s.",
				 whole(incident->peak).text, incident->peak < 1.5 ? "session stood" : "sessions stood", who,
				 padv_blocker_state_name((PadvBlockerState) incident->state), held, loss);
}

static void
say_lock_storm(const PadvNamedIncident *named, const char *who, const char *loss, char *text, size_t size)
{
	const PadvIncident *incident = &named->incident;

	if (incident->culprit == PADV_CULPRIT_NONE)
		snprintf(text, size, "Up to %s sessions waited for locks at once, of no session in particular%s.",
				 whole(incident->peak).text, loss);
	else
		snprintf(text, size, "Up to %s sessions waited for locks at once, %.0f %% of the time for %s%s.",
				 whole(incident->peak).text, 100.0 * fmax(incident->share, 0.0), who, loss);
}

void
padv_incident_cause(const PadvNamedIncident *named, char *text, size_t size)
{
	const PadvIncident *incident = &named->incident;
	char		who[WHO + 100];
	char		loss[120];

	describe_culprit(named, who, sizeof(who));
	describe_loss(incident, loss, sizeof(loss));
	switch ((PadvIncidentKind) incident->kind)
	{
		case PADV_INCIDENT_LOGIN_STORM:
			snprintf(text, size, "Up to %s logins a second came, against %s before",
					 figure(incident->peak).text, figure(incident->usual).text);
			if (incident->culprit == PADV_CULPRIT_ROLE)
				padv_append(text, size, ", %.0f %% of them of %s.", 100.0 * incident->share, who);
			else
				padv_append(text, size, ", of no role in particular.");
			return;
		case PADV_INCIDENT_LEAK:
			snprintf(text, size, "The sessions of %s grew from %s to %s although most of them were not used.",
					 who, whole(incident->usual).text, whole(incident->peak).text);
			return;
		case PADV_INCIDENT_OVERLOAD:
			snprintf(text, size, "Up to %s sessions wanted to work at once, against %s before and an optimum of %s%s.",
					 whole(incident->peak).text, figure(incident->usual).text, whole(incident->optimal).text, loss);
			return;
		case PADV_INCIDENT_OVERSUBSCRIPTION:
			snprintf(text, size, "Up to %s sessions wanted to work at once, with an optimum of %s, and kept each other from it: %s transactions a second were done, where fewer sessions did %s.",
					 whole(incident->peak).text, whole(incident->optimal).text, figure(incident->throughput).text,
					 figure(incident->throughput_before).text);
			return;
		case PADV_INCIDENT_IO_FLOOD:
			snprintf(text, size, "Up to %s sessions waited for I/O or commits at once, against %s before%s.",
					 whole(incident->peak).text, figure(incident->usual).text, loss);
			return;
		case PADV_INCIDENT_LOCK_STORM:
			say_lock_storm(named, who, loss, text, size);
			return;
		case PADV_INCIDENT_STALLED:
			say_stalled(named, who, loss, text, size);
			return;
	}
	text[0] = '\0';
}

/* A setting for the role of the culprit.  Where none is known it must not be set for all. */
typedef struct Setting
{
	char		text[WHO];
} Setting;

static Setting
for_role(const PadvNamedIncident *named, const char *setting)
{
	Setting		result;

	if (named->role_quoted[0] != '\0')
		snprintf(result.text, sizeof(result.text), "ALTER ROLE %s SET %s", named->role_quoted, setting);
	else
		snprintf(result.text, sizeof(result.text), "%s for the role that it belongs to", setting);
	return result;
}

/* What ends a stall early, by the state of the culprit. */
static void
remedy_stall(const PadvNamedIncident *named, char *text, size_t size)
{
	switch ((PadvBlockerState) named->incident.state)
	{
		case PADV_BLOCKER_IDLE_IN_TRANSACTION:
		case PADV_BLOCKER_ABORTED:
			snprintf(text, size, "A timeout that ends transactions whose client does nothing: %s.",
					 for_role(named, "idle_in_transaction_session_timeout = '10s'").text);
			return;
		case PADV_BLOCKER_PREPARED:
			snprintf(text, size, "A transaction manager that commits or rolls back prepared transactions, or max_prepared_transactions = 0 where none is used.");
			return;
		case PADV_BLOCKER_IDLE:
			snprintf(text, size, "Advisory locks that end with the transaction: pg_advisory_xact_lock instead of pg_advisory_lock.");
			return;
		case PADV_BLOCKER_QUEUED:
			snprintf(text, size, "No lock that is held over the end of a transaction, because its session can wait in the queue then: pg_advisory_xact_lock instead of pg_advisory_lock.");
			return;
		case PADV_BLOCKER_DEADLOCK:
			snprintf(text, size, "A shorter deadlock_timeout, and locks that all transactions take in the same order.");
			return;
		case PADV_BLOCKER_SERVER:
			snprintf(text, size, "On a standby a shorter transaction on the primary, because the replay holds its locks: lock_timeout and idle_in_transaction_session_timeout there. Autovacuum keeps others waiting only to prevent wraparound; vacuum such tables earlier.");
			return;
		case PADV_BLOCKER_UNKNOWN:
			snprintf(text, size, "track_activities = on, which tells whether the session was at work. Then statement_timeout ends it, or idle_in_transaction_session_timeout.");
			return;
		case PADV_BLOCKER_ACTIVE:
			break;
	}
	snprintf(text, size, "Shorter transactions: %s ends long statements, and lock_timeout those that change a table and would keep others waiting.",
			 for_role(named, "statement_timeout = '5s'").text);
}

/* A storm of locks without one session that causes it. */
static void
remedy_crowd(const PadvNamedIncident *named, const char *optimal, char *text, size_t size)
{
	if (named->role_quoted[0] != '\0')
		snprintf(text, size, "Shorter transactions around the rows that all want, and fewer of them at a time: ALTER ROLE %s SET pool_advisor.max_active = %s.",
				 named->role_quoted, optimal);
	else
		snprintf(text, size, "Shorter transactions around the rows that all want, and fewer of them at a time: pool_advisor.server_max_active = %s.",
				 optimal);
}

void
padv_incident_remedy(const PadvNamedIncident *named, char *text, size_t size)
{
	const PadvIncident *incident = &named->incident;
	Figure		optimal = whole(incident->optimal);

	switch ((PadvIncidentKind) incident->kind)
	{
		case PADV_INCIDENT_LOGIN_STORM:
			if (named->role_quoted[0] != '\0')
				snprintf(text, size, "A pool in front that keeps its connections, or a limit with a queue: ALTER ROLE %s SET pool_advisor.max_sessions.", named->role_quoted);
			else
				snprintf(text, size, "A pool in front that keeps its connections, or a limit with a queue for the roles that log in: pool_advisor.max_sessions.");
			return;
		case PADV_INCIDENT_LEAK:
			snprintf(text, size, "A client that gives its connections back; until then they are closed by %s.",
					 for_role(named, "pool_advisor.session_idle_timeout = '10min'").text);
			return;
		case PADV_INCIDENT_OVERLOAD:
			snprintf(text, size, "A queue instead of sessions that are all active at once: a pool with %s of them active, or pool_advisor.server_max_active = auto; more than that takes a larger machine.", optimal.text);
			return;
		case PADV_INCIDENT_OVERSUBSCRIPTION:
			snprintf(text, size, "Fewer active sessions: a pool in front with %s of them active, or pool_advisor.server_max_active = auto.", optimal.text);
			return;
		case PADV_INCIDENT_IO_FLOOD:
			snprintf(text, size, "Less I/O at once: a limit on the transactions of batches (pool_advisor.max_active), more memory, or faster disks; the view hardware names the devices. If commits were slow: a faster disk under the WAL, or a faster synchronous standby.");
			return;
		case PADV_INCIDENT_LOCK_STORM:
			if (incident->culprit == PADV_CULPRIT_SESSION || incident->culprit == PADV_CULPRIT_PREPARED)
				remedy_stall(named, text, size);
			else
				remedy_crowd(named, optimal.text, text, size);
			return;
		case PADV_INCIDENT_STALLED:
			remedy_stall(named, text, size);
			return;
	}
	text[0] = '\0';
}

void
padv_incident_culprit(const PadvNamedIncident *named, char *text, size_t size)
{
	switch ((PadvCulprit) named->incident.culprit)
	{
		case PADV_CULPRIT_SESSION:
			snprintf(text, size, "%u", named->incident.pid);
			return;
		case PADV_CULPRIT_PREPARED:
			snprintf(text, size, "%u", named->incident.xid);
			return;
		case PADV_CULPRIT_ROLE:
			snprintf(text, size, "%s", named->role);
			return;
		case PADV_CULPRIT_NONE:
			break;
	}
	text[0] = '\0';
}

const char *
padv_incident_peak_what(PadvIncidentKind kind)
{
	static const char *const names[PADV_INCIDENT_KINDS] = {
		"logins a second", "sessions of the role", "sessions that want to work", "sessions that want to work",
		"sessions that wait for I/O", "sessions that wait for locks", "sessions behind a lock",
	};

	return names[kind];
}
