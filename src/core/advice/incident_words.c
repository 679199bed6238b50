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
		case PADV_CULPRIT_DATABASE:
			snprintf(text, size, "database %s", named->database);
			return;
		case PADV_CULPRIT_APPLICATION:
		case PADV_CULPRIT_CLIENT:
			snprintf(text, size, role[0] != '\0' ? "%s %s (%s)" : "%s %s",
					 padv_culprit_name((PadvCulprit) incident->culprit), incident->application, role);
			return;
		case PADV_CULPRIT_QUERY:
			snprintf(text, size, role[0] != '\0' ? "query %lld (%s)" : "query %lld", (long long) incident->query_id, role);
			return;
		case PADV_CULPRIT_BACKGROUND:
			snprintf(text, size, "the %s", padv_background_name((PadvBackground) incident->state));
			return;
		case PADV_CULPRIT_NONE:
			break;
	}
	snprintf(text, size, "no session in particular");
}

/* Who brought the load, as a part of a sentence on sessions; empty when nobody stands out. */
static void
describe_growth(const PadvNamedIncident *named, const char *who, char *text, size_t size)
{
	const PadvIncident *incident = &named->incident;
	double		percent = 100.0 * fmax(incident->share, 0.0);
	double		before = 100.0 * fmax(incident->share_before, 0.0);

	text[0] = '\0';
	if (incident->culprit == PADV_CULPRIT_BACKGROUND)
		snprintf(text, size, ", beside %s, which waited for I/O %.0f %% of the time, against %.0f %% before",
				 who, percent, before);
	else if (incident->culprit != PADV_CULPRIT_NONE)
		snprintf(text, size, ", up to %.0f %% of them of %s, against %.0f %% before", percent, who, before);
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
	char		growth[WHO + 200];

	describe_culprit(named, who, sizeof(who));
	describe_loss(incident, loss, sizeof(loss));
	describe_growth(named, who, growth, sizeof(growth));
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
			snprintf(text, size, "Up to %s sessions wanted to work at once, against %s before and an optimum of %s%s%s.",
					 whole(incident->peak).text, figure(incident->usual).text, whole(incident->optimal).text, growth, loss);
			return;
		case PADV_INCIDENT_OVERSUBSCRIPTION:
			snprintf(text, size, "Up to %s sessions wanted to work at once, with an optimum of %s%s, and kept each other from it: %s transactions a second were done, where fewer sessions did %s.",
					 whole(incident->peak).text, whole(incident->optimal).text, growth, figure(incident->throughput).text,
					 figure(incident->throughput_before).text);
			return;
		case PADV_INCIDENT_IO_FLOOD:
			snprintf(text, size, "Up to %s sessions waited for I/O or commits at once, against %s before%s%s.",
					 whole(incident->peak).text, figure(incident->usual).text, growth, loss);
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
	char		text[WHO + 100];
} Setting;

static Setting
for_role(const PadvNamedIncident *named, const char *setting)
{
	Setting		result;

	if (named->role_quoted[0] != '\0')
		snprintf(result.text, sizeof(result.text), "ALTER ROLE %s SET %s%s", named->role_quoted, setting,
				 named->standby ? " on the primary" : "");
	else
		snprintf(result.text, sizeof(result.text), "%s for the role that it belongs to", setting);
	return result;
}

/* Likewise, where the setting is a limit, which some roles are exempt from. */
static Setting
limit_role(const PadvNamedIncident *named, const char *setting)
{
	Setting		result;

	if (!named->exempt)
		return for_role(named, setting);
	snprintf(result.text, sizeof(result.text), "%s for a role that it uses instead, as role %s is exempt from limits",
			 setting, named->role);
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
	char		setting[60];

	snprintf(setting, sizeof(setting), "pool_advisor.max_active = %s", optimal);
	if (named->role_quoted[0] != '\0')
		snprintf(text, size, "Shorter transactions around the rows that all want, and fewer of them at a time: %s.",
				 limit_role(named, setting).text);
	else
		snprintf(text, size, "Shorter transactions around the rows that all want, and fewer of them at a time: pool_advisor.server_max_active = %s.",
				 optimal);
}

/* How many transactions of a culprit leave room for the usual load of the others. */
static Figure
room_beside(const PadvIncident *incident)
{
	double		others = fmax(incident->usual, 0.0) * (1.0 - fmax(incident->share_before, 0.0));

	return whole(fmax(1.0, fmin(incident->optimal - others, 0.5 * incident->optimal)));
}

/* Processes of the server have settings of their own. */
static const char *
remedy_background(PadvBackground background)
{
	switch (background)
	{
		case PADV_BACKGROUND_AUTOVACUUM:
			return "Autovacuum that takes less at a time: ALTER SYSTEM SET autovacuum_vacuum_cost_delay = '10ms'; SELECT pg_reload_conf(). ";
		case PADV_BACKGROUND_CHECKPOINTER:
			return "Checkpoints that come less often and are spread: a larger max_wal_size, and checkpoint_completion_target = 0.9. ";
		case PADV_BACKGROUND_WRITER:
			return "A background writer that writes less at a time: a smaller bgwriter_lru_maxpages. ";
		case PADV_BACKGROUND_WAL_WRITER:
			return "Less WAL: wal_compression = on, and fewer full pages by a larger max_wal_size. ";
		case PADV_BACKGROUND_WAL_SENDER:
			return "A base backup that is limited: pg_basebackup --max-rate; or, where a replication slot decodes large transactions, a larger logical_decoding_work_mem. ";
		case PADV_BACKGROUND_STARTUP:
			return "A primary that writes less WAL at a time. ";
		case PADV_BACKGROUND_WORKER:
			return "Less work of background workers at a time; pg_stat_activity names them. A subscription applies what its publisher sends. ";
	}
	return "";
}

/*
 * An application or a client, which is the culprit only where its role is that of others, too.  A
 * limit on that role would be one on them.
 */
static void
remedy_shared_role(const PadvNamedIncident *named, const char *setting, char *text, size_t size)
{
	char		reason[WHO] = "";

	if (named->exempt)
		snprintf(reason, sizeof(reason), ", as role %s is exempt from limits", named->role);
	else if (named->role_quoted[0] != '\0')
		snprintf(reason, sizeof(reason), ", as others use role %s, too", named->role);
	snprintf(text, size, "Fewer of its transactions at a time: %s for a role of its own%s. ", setting, reason);
}

/* What ends the load of one culprit; empty where nobody stands out. */
static void
remedy_growth(const PadvNamedIncident *named, char *text, size_t size)
{
	const PadvIncident *incident = &named->incident;
	Figure		room = room_beside(incident);
	char		setting[60];

	snprintf(setting, sizeof(setting), "pool_advisor.max_active = %s", room.text);
	text[0] = '\0';
	switch ((PadvCulprit) incident->culprit)
	{
		case PADV_CULPRIT_ROLE:
			snprintf(text, size, "Fewer of its transactions at a time: %s. ", limit_role(named, setting).text);
			return;
		case PADV_CULPRIT_DATABASE:
			if (named->exempt)
				snprintf(text, size, "Fewer of its transactions at a time: %s. ", limit_role(named, setting).text);
			else if (named->database_quoted[0] != '\0')
				snprintf(text, size, "Fewer of its transactions at a time: ALTER DATABASE %s SET %s%s. ",
						 named->database_quoted, setting, named->standby ? " on the primary" : "");
			return;
		case PADV_CULPRIT_APPLICATION:
		case PADV_CULPRIT_CLIENT:
			remedy_shared_role(named, setting, text, size);
			return;
		case PADV_CULPRIT_QUERY:
			if (named->exempt)
				snprintf(text, size, "Fewer of it at a time, by a role that is under limits: role %s is exempt from limits. ", named->role);
			else
				snprintf(text, size, "Fewer of it at a time: add '%lld = %s' to pool_advisor.query_max_active. ",
						 (long long) incident->query_id, room.text);
			return;
		case PADV_CULPRIT_BACKGROUND:
			snprintf(text, size, "%s", remedy_background((PadvBackground) incident->state));
			return;
		case PADV_CULPRIT_NONE:
		case PADV_CULPRIT_SESSION:
		case PADV_CULPRIT_PREPARED:
			return;
	}
}

void
padv_incident_remedy(const PadvNamedIncident *named, char *text, size_t size)
{
	const PadvIncident *incident = &named->incident;
	Figure		optimal = whole(incident->optimal);
	char		setting[60];

	remedy_growth(named, text, size);
	switch ((PadvIncidentKind) incident->kind)
	{
		case PADV_INCIDENT_LOGIN_STORM:
			snprintf(setting, sizeof(setting), "pool_advisor.max_sessions = %s", optimal.text);
			if (named->role_quoted[0] != '\0')
				snprintf(text, size, "A pool in front that keeps its connections, or a limit with a queue: %s, and pool_advisor.queue_length for as many as wait.",
						 limit_role(named, setting).text);
			else
				snprintf(text, size, "A pool in front that keeps its connections, or a limit with a queue for the roles that log in: pool_advisor.max_sessions.");
			return;
		case PADV_INCIDENT_LEAK:
			snprintf(text, size, "A client that gives its connections back; until then they are closed by %s.",
					 limit_role(named, "pool_advisor.session_idle_timeout = '10min'").text);
			return;
		case PADV_INCIDENT_OVERLOAD:
			padv_append(text, size, "A queue instead of sessions that are all active at once: a pool with %s of them active, or pool_advisor.server_max_active = auto; more than that takes a larger machine.", optimal.text);
			return;
		case PADV_INCIDENT_OVERSUBSCRIPTION:
			padv_append(text, size, "Fewer active sessions: a pool in front with %s of them active, or pool_advisor.server_max_active = auto.", optimal.text);
			return;
		case PADV_INCIDENT_IO_FLOOD:
			padv_append(text, size, "Less I/O at once: a limit on the transactions of batches (pool_advisor.max_active), more memory, or faster disks; the view hardware names the devices. If commits were slow: a faster disk under the WAL, or a faster synchronous standby.");
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
		case PADV_CULPRIT_DATABASE:
			snprintf(text, size, "%s", named->database);
			return;
		case PADV_CULPRIT_APPLICATION:
		case PADV_CULPRIT_CLIENT:
			snprintf(text, size, "%s", named->incident.application);
			return;
		case PADV_CULPRIT_QUERY:
			snprintf(text, size, "%lld", (long long) named->incident.query_id);
			return;
		case PADV_CULPRIT_BACKGROUND:
			snprintf(text, size, "%s", padv_background_name((PadvBackground) named->incident.state));
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
