/*
 * limits_launcher.c
 *		The worker's part in limits: noticing changes, and starting the loader.
 *
 * A change of a catalog reaches every process as an invalidation message, at commit and,
 * on a standby, when the commit is replayed.  The worker sees all messages on their way to
 * its own caches.  So it notices a change of limits, roles, memberships or databases
 * without reading a catalog.
 *
 * When limits cannot be read, those in force stay for a while.  Then all sessions are
 * admitted, and the log says so once.  The worker keeps trying.  Limits are not lifted
 * because no background worker slot is free: any role can take all of them with
 * parallel queries, and would lift its own limit.
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

/* The first retry after a failure, then twice as long each time, up to the last. */
#define FIRST_RETRY (SECOND / 4)
#define LAST_RETRY (30 * SECOND)

/*
 * How long limits stay in force when they cannot be read again, and how long the first
 * reading may take.
 */
#define KEEP_FOR_EVER PG_INT64_MAX
#define KEEP_KNOWN (30 * SECOND)
#define KEEP_UNREAD (2 * SECOND)

struct PadvLimitsLauncher
{
	MemoryContext context;
	BackgroundWorkerHandle *loader; /* the running one, or NULL */
	uint32		readings;		/* published readings when it was started */
	int64		retry_us;		/* after the next failure; 0: no failure */
	int64		next_try;		/* monotonic clock */
	int64		failing_since;
	int64		lifting_since;	/* first of several failures in a row that
								 * will lift limits; 0: none */
	bool		kept_reported;	/* logged that limits may be out of date */
};

/* Set when an invalidation message shows a change. */
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

	/* to turn limits off must work without reading a catalog */
	if (padv_enforcement == PADV_ENFORCEMENT_OFF)
		padv_limits_shmem_stop_enforcing();
}

static void
check_messages(SharedInvalidationMessage *message)
{
	switch (message->id)
	{
		case SHAREDINVALSNAPSHOT_ID:
			/* this catalog has no cache, but invalidates catalog snapshots */
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

/* Messages were lost, so anything may have changed. */
static void
check_reset(void)
{
	changed = true;
	InvalidateSystemCaches();
}

/*
 * Whether pool_advisor.database exists.  For another one no loader is started, or the log
 * would fill with its failures.  Without a database of our own no index can be used.
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

/* Why no loader can be started now, or NULL; *for_good is whether a retry is useless. */
static char *
find_obstacle(PadvLimitsLauncher *launcher, bool *for_good)
{
	char	   *obstacle = NULL;

	StartTransactionCommand();
	*for_good = false;

	/* neither sampling nor a shutdown may wait for a lock */
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

/* Log that the limits in force may be out of date; `reason` is a full sentence. */
static void
report_kept(PadvLimitsLauncher *launcher, const char *reason)
{
	if (!launcher->kept_reported)
		ereport(WARNING,
				(errmsg("could not read connection limits"),
				 errdetail("%s The limits that were read last remain in force.", reason),
				 errhint("You might need to increase \"max_worker_processes\" or to decrease \"max_parallel_workers\".")));
	launcher->kept_reported = true;
}

/*
 * How long failures that lift limits have lasted.  A missing background worker slot is
 * not one of them, except for the first reading.
 */
static int64
lifting_lasted(PadvLimitsLauncher *launcher, int64 now, int64 patience)
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
 * Note a failure, and try again later.  If failures last for longer than `patience`, stop
 * enforcing limits; `reason` is a full sentence.
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
	if (lifting_lasted(launcher, now, patience) >= patience && padv_limits_shmem_suspend())
		ereport(WARNING,
				(errmsg("could not read connection limits"),
				 errdetail("%s All sessions are admitted until the limits can be read.", reason),
				 errhint("Make sure that the database \"%s\" exists and that a background worker slot is free.", padv_database)));
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
	launcher->loader = padv_limits_loader_start(padv_limits_shmem_take_ticket());
	if (launcher->loader == NULL)
		note_failure(launcher, now, "No background worker slot is free.",
					 KEEP_FOR_EVER);
}

/* A loader that has ended has published limits, or has failed and logged an error. */
static void
check_loader(PadvLimitsLauncher *launcher, int64 now)
{
	pid_t		pid;

	if (GetBackgroundWorkerPid(launcher->loader, &pid) != BGWH_STOPPED)
		return;
	pfree(launcher->loader);
	launcher->loader = NULL;
	if (padv_limits_shmem_readings() == launcher->readings)
		note_failure(launcher, now, "The process that reads them failed; its message is in the log.", KEEP_KNOWN);
	else
	{
		launcher->retry_us = 0;
		launcher->lifting_since = 0;
		launcher->kept_reported = false;
	}
}

void
padv_limits_launcher_run(PadvLimitsLauncher *launcher, int64 now_us)
{
	ReceiveSharedInvalidMessages(check_messages, check_reset);
	if (launcher->loader != NULL)
		check_loader(launcher, now_us);
	if (changed && launcher->loader == NULL && now_us >= launcher->next_try)
		start_loader(launcher, now_us);
}
