/*
 * limits_launcher.c
 *		The worker's part in limits: notice changes, have them read.
 *
 * A change of a catalog reaches every process as an invalidation message, at
 * commit and, on a standby, when the commit is replayed.  The worker looks at
 * all of them on their way to its own caches, and so learns of a change of
 * limits, roles, memberships or databases without reading anything.
 *
 * When limits cannot be read, those in force stay for a while; then everybody is
 * let through, and the log says so once.  It is tried again all the time.  For want
 * of a process limits are not lifted: any role can take all of them with parallel
 * queries, and would lift its own.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "catalog/pg_db_role_setting.h"
#include "storage/lmgr.h"
#include "storage/sinval.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "settings.h"
#include "shmem/limits_shmem.h"
#include "worker/limits_launcher.h"
#include "worker/limits_loader.h"

#define SECOND INT64CONST(1000000)

/* After a failure it is tried again after this, then twice as long, ... */
#define FIRST_RETRY (SECOND / 4)
#define LAST_RETRY (30 * SECOND)

/*
 * How long limits that were read before stay in force when they cannot be read
 * again, and how long the first reading may take.
 */
#define KEEP_FOR_EVER PG_INT64_MAX
#define KEEP_KNOWN (30 * SECOND)
#define KEEP_UNREAD (2 * SECOND)

struct PadvLimitsLauncher
{
	MemoryContext context;
	BackgroundWorkerHandle *reader; /* one that runs */
	uint32		readings;		/* that had been made when it was started */
	int64		retry_us;		/* after the next failure; 0: no failure */
	int64		next_try;		/* monotonic clock */
	int64		failing_since;
	int64		lifting_since;	/* the first of failures in a row that lift
								 * limits in the end; 0: none */
	bool		kept_told;		/* that limits may be out of date */
};

/* Set by messages, whoever handles them. */
static bool changed = false;

PadvLimitsLauncher *
padv_limits_launcher_create(void)
{
	PadvLimitsLauncher *launcher = palloc0(sizeof(PadvLimitsLauncher));

	launcher->context = CurrentMemoryContext;
	changed = true;
	return launcher;
}

void
padv_limits_launcher_reload(PadvLimitsLauncher *launcher)
{
	changed = true;
	launcher->next_try = 0;

	/* the emergency exit needs nobody to read anything */
	if (padv_enforcement == PADV_ENFORCEMENT_OFF)
		padv_limits_shmem_stop_enforcing();
}

static void
check_messages(SharedInvalidationMessage *message)
{
	switch (message->id)
	{
		case SHAREDINVALSNAPSHOT_ID:
			/* this catalog has no cache, but snapshots of it are dropped */
			if (message->sn.relId == DbRoleSettingRelationId)
				changed = true;
			break;
		case AUTHOID:
		case AUTHMEMROLEMEM:
		case DATABASEOID:
			changed = true;
			break;
		default:
			break;
	}
	LocalExecuteInvalidationMessage(message);
}

/* Messages were lost. */
static void
check_reset(void)
{
	changed = true;
	InvalidateSystemCaches();
}

/*
 * A reader is started only for a database that is there, or the log would fill
 * with its failures.  Without a database of our own no index can be used.
 */
static bool
database_exists(void)
{
	Relation	relation;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	relation = table_open(DatabaseRelationId, NoLock);
	scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
		found = strcmp(NameStr(((Form_pg_database) GETSTRUCT(tuple))->datname), padv_database) == 0;
	systable_endscan(scan);
	table_close(relation, NoLock);
	return found;
}

/* Why no reader can be started now, or NULL; *for_good is whether it will not. */
static char *
find_obstacle(PadvLimitsLauncher *launcher, bool *for_good)
{
	char	   *obstacle = NULL;

	StartTransactionCommand();
	*for_good = false;

	/* sampling must not wait for anybody's lock, nor a shutdown */
	if (!ConditionalLockRelationOid(DatabaseRelationId, AccessShareLock))
		obstacle = "The catalog pg_database is locked.";
	else if (!database_exists())
	{
		*for_good = true;
		obstacle = "The database that \"pool_advisor.database\" names does not exist.";
	}
	CommitTransactionCommand();
	MemoryContextSwitchTo(launcher->context);
	return obstacle;
}

/* Limits may not be what was set last. */
static void
report_kept(PadvLimitsLauncher *launcher, const char *reason)
{
	if (!launcher->kept_told)
		ereport(WARNING,
				(errmsg("pool_advisor cannot read the limits, so those that it read last stay in force"),
				 errdetail("%s", reason),
				 errhint("They are read as soon as that is possible.")));
	launcher->kept_told = true;
}

/* How long failures have lasted that lift limits; those for want of a process do not. */
static int64
lifting_for(PadvLimitsLauncher *launcher, int64 now, int64 patience)
{
	if (padv_limits_shmem_state() == PADV_LIMITS_UNREAD)
		return now - launcher->failing_since;
	if (patience == KEEP_FOR_EVER)
		launcher->lifting_since = 0;
	else if (launcher->lifting_since == 0)
		launcher->lifting_since = now;
	return launcher->lifting_since == 0 ? 0 : now - launcher->lifting_since;
}

/*
 * Try again later.  If this lasts for longer than `patience`, let everybody
 * through; `reason` is a full sentence.
 */
static void
note_failure(PadvLimitsLauncher *launcher, int64 now, const char *reason, int64 patience)
{
	int64		failing;

	if (padv_limits_shmem_state() == PADV_LIMITS_UNREAD)
		patience = Min(patience, KEEP_UNREAD);
	changed = true;
	if (launcher->retry_us == 0)
	{
		launcher->retry_us = FIRST_RETRY;
		launcher->failing_since = now;
	}
	launcher->next_try = now + launcher->retry_us;
	launcher->retry_us = Min(2 * launcher->retry_us, LAST_RETRY);

	failing = now - launcher->failing_since;
	if (failing >= KEEP_KNOWN && patience == KEEP_FOR_EVER && padv_limits_shmem_state() == PADV_LIMITS_KNOWN)
		report_kept(launcher, reason);
	if (lifting_for(launcher, now, patience) >= patience && padv_limits_shmem_suspend())
		ereport(WARNING,
				(errmsg("pool_advisor lets all sessions through because it cannot read the limits"),
				 errdetail("%s", reason),
				 errhint("Limits are in force again as soon as they can be read.")));
}

static void
start_loader(PadvLimitsLauncher *launcher, int64 now)
{
	bool		for_good;
	char	   *obstacle = find_obstacle(launcher, &for_good);

	if (obstacle != NULL)
	{
		note_failure(launcher, now, obstacle, for_good ? 0 : KEEP_KNOWN);
		return;
	}
	changed = false;
	launcher->readings = padv_limits_shmem_readings();
	launcher->reader = padv_limits_loader_start(padv_limits_shmem_take_ticket());
	if (launcher->reader == NULL)
		note_failure(launcher, now, "There is no free background worker slot; \"max_worker_processes\" may be too low.",
					 KEEP_FOR_EVER);
}

/* A reader that ended has published, or failed with words of its own. */
static void
check_loader(PadvLimitsLauncher *launcher, int64 now)
{
	pid_t		pid;

	if (GetBackgroundWorkerPid(launcher->reader, &pid) != BGWH_STOPPED)
		return;
	pfree(launcher->reader);
	launcher->reader = NULL;
	if (padv_limits_shmem_readings() == launcher->readings)
		note_failure(launcher, now, "The process that reads them failed; its message is in the log.", KEEP_KNOWN);
	else
	{
		launcher->retry_us = 0;
		launcher->lifting_since = 0;
		launcher->kept_told = false;
	}
}

void
padv_limits_launcher_run(PadvLimitsLauncher *launcher, int64 now_us)
{
	ReceiveSharedInvalidMessages(check_messages, check_reset);
	if (launcher->reader != NULL)
		check_loader(launcher, now_us);
	if (changed && launcher->reader == NULL && now_us >= launcher->next_try)
		start_loader(launcher, now_us);
}
