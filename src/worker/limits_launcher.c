/*
 * limits_launcher.c
 *		The worker's part in caps: notice changes, have them read.
 *
 * A change of a catalog reaches every process as an invalidation message, at
 * commit and, on a standby, when the commit is replayed.  The worker looks at
 * all of them on their way to its own caches, and so learns of a change of
 * caps, roles, memberships or databases without reading anything.
 *
 * When caps cannot be read, those in force stay for a while; then everybody is
 * let through, and the log says so once.  It is tried again all the time.  For want
 * of a process caps are not lifted: any role can take all of them with parallel
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
 * How long caps that were read before stay in force when they cannot be read
 * again, and how long the first reading may take.
 */
#define KEEP_FOR_EVER PG_INT64_MAX
#define KEEP_KNOWN (30 * SECOND)
#define KEEP_UNREAD (2 * SECOND)

struct PadvWatch
{
	MemoryContext context;
	BackgroundWorkerHandle *reader; /* one that runs */
	uint32		readings;		/* that had been made when it was started */
	int64		retry_us;		/* after the next failure; 0: no failure */
	int64		next_try;		/* monotonic clock */
	int64		failing_since;
	int64		lifting_since;	/* the first of failures in a row that lift
								 * caps in the end; 0: none */
	bool		kept_told;		/* that caps may be out of date */
};

/* Set by messages, whoever handles them. */
static bool changed = false;

PadvWatch *
padv_watch_create(void)
{
	PadvWatch  *watch = palloc0(sizeof(PadvWatch));

	watch->context = CurrentMemoryContext;
	changed = true;
	return watch;
}

void
padv_watch_reload(PadvWatch *watch)
{
	changed = true;
	watch->next_try = 0;

	/* the emergency exit needs nobody to read anything */
	if (padv_enforcement == PADV_ENFORCEMENT_OFF)
		padv_limits_stop_enforcing();
}

static void
look_at_message(SharedInvalidationMessage *message)
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
look_at_reset(void)
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
find_obstacle(PadvWatch *watch, bool *for_good)
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
	MemoryContextSwitchTo(watch->context);
	return obstacle;
}

/* Caps may not be what was set last. */
static void
tell_kept(PadvWatch *watch, const char *reason)
{
	if (!watch->kept_told)
		ereport(WARNING,
				(errmsg("pool_advisor cannot read the caps, so those that it read last stay in force"),
				 errdetail("%s", reason),
				 errhint("They are read as soon as that is possible.")));
	watch->kept_told = true;
}

/* How long failures have lasted that lift caps; those for want of a process do not. */
static int64
lifting_for(PadvWatch *watch, int64 now, int64 patience)
{
	if (padv_limits_state() == PADV_LIMITS_UNREAD)
		return now - watch->failing_since;
	if (patience == KEEP_FOR_EVER)
		watch->lifting_since = 0;
	else if (watch->lifting_since == 0)
		watch->lifting_since = now;
	return watch->lifting_since == 0 ? 0 : now - watch->lifting_since;
}

/*
 * Try again later.  If this lasts for longer than `patience`, let everybody
 * through; `reason` is a full sentence.
 */
static void
note_failure(PadvWatch *watch, int64 now, const char *reason, int64 patience)
{
	int64		failing;

	if (padv_limits_state() == PADV_LIMITS_UNREAD)
		patience = Min(patience, KEEP_UNREAD);
	changed = true;
	if (watch->retry_us == 0)
	{
		watch->retry_us = FIRST_RETRY;
		watch->failing_since = now;
	}
	watch->next_try = now + watch->retry_us;
	watch->retry_us = Min(2 * watch->retry_us, LAST_RETRY);

	failing = now - watch->failing_since;
	if (failing >= KEEP_KNOWN && patience == KEEP_FOR_EVER && padv_limits_state() == PADV_LIMITS_KNOWN)
		tell_kept(watch, reason);
	if (lifting_for(watch, now, patience) >= patience && padv_limits_give_up())
		ereport(WARNING,
				(errmsg("pool_advisor lets all sessions through because it cannot read the caps"),
				 errdetail("%s", reason),
				 errhint("Caps are in force again as soon as they can be read.")));
}

static void
start_reader(PadvWatch *watch, int64 now)
{
	bool		for_good;
	char	   *obstacle = find_obstacle(watch, &for_good);

	if (obstacle != NULL)
	{
		note_failure(watch, now, obstacle, for_good ? 0 : KEEP_KNOWN);
		return;
	}
	changed = false;
	watch->readings = padv_limits_readings();
	watch->reader = padv_reader_start(padv_limits_take_ticket());
	if (watch->reader == NULL)
		note_failure(watch, now, "There is no free background worker slot; \"max_worker_processes\" may be too low.",
					 KEEP_FOR_EVER);
}

/* A reader that ended has published, or failed with words of its own. */
static void
look_at_reader(PadvWatch *watch, int64 now)
{
	pid_t		pid;

	if (GetBackgroundWorkerPid(watch->reader, &pid) != BGWH_STOPPED)
		return;
	pfree(watch->reader);
	watch->reader = NULL;
	if (padv_limits_readings() == watch->readings)
		note_failure(watch, now, "The process that reads them failed; its message is in the log.", KEEP_KNOWN);
	else
	{
		watch->retry_us = 0;
		watch->lifting_since = 0;
		watch->kept_told = false;
	}
}

void
padv_watch_run(PadvWatch *watch, int64 now_us)
{
	ReceiveSharedInvalidMessages(look_at_message, look_at_reset);
	if (watch->reader != NULL)
		look_at_reader(watch, now_us);
	if (changed && watch->reader == NULL && now_us >= watch->next_try)
		start_reader(watch, now_us);
}
