/*
 * compat.h
 *		What differs between PostgreSQL 15 and 19, under one name each.
 *
 * The only place that looks at PG_VERSION_NUM.  Wrappers, no logic.  Include
 * it after postgres.h.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_COMPAT_H
#define PADV_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "pool_advisor needs PostgreSQL 15 or later"
#endif

/* the names of databases are in one of these */
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "commands/dbcommands.h"
#include "utils/lsyscache.h"

#include "miscadmin.h"
#include "parser/analyze.h"
#if PG_VERSION_NUM >= 160000
#include "nodes/queryjumble.h"
#else
#include "utils/queryjumble.h"
#endif
#include "pgstat.h"
#include "postmaster/postmaster.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/wait_event.h"

/*
 * The index of a backend in the array of PgBackendStatus; MyBEEntry points to our own
 * element.  Up to 16 the index comes from the backend ID, which a PGPROC has.  From 17 on
 * it is the number of the PGPROC.
 */
#if PG_VERSION_NUM >= 170000
#define padv_my_status_index() (MyProcNumber)
#define padv_my_procno() (MyProcNumber)
#define padv_signal_number(status_index) ((ProcNumber) (status_index))
#define padv_proc_status_index(proc, procno) (procno)
#define padv_proc_in_transaction(proc) ((proc)->vxid.lxid != InvalidLocalTransactionId)
#else
#define padv_my_status_index() (MyBackendId - 1)
#define padv_my_procno() (MyProc->pgprocno)
#define padv_signal_number(status_index) ((BackendId) ((status_index) + 1))
#define padv_proc_status_index(proc, procno) ((proc)->backendId - 1)
#define padv_proc_in_transaction(proc) ((proc)->lxid != InvalidLocalTransactionId)
#endif

/* The virtual transaction of an entry of a lock. */
#if PG_VERSION_NUM >= 170000
#define padv_instance_vxid(to, instance) ((to) = (instance)->vxid)
#else
#define padv_instance_vxid(to, instance) \
	((to).backendId = (instance)->backend, (to).localTransactionId = (instance)->lxid)
#endif

/*
 * The pid of the process of a PGPROC, or 0.  Up to 16 the pid remains there after the
 * process has ended, when another process may have it; but then the latch has no owner.
 */
#if PG_VERSION_NUM >= 170000
#define padv_proc_pid(proc) ((proc)->pid)
#else
#define padv_proc_pid(proc) ((proc)->procLatch.owner_pid)
#endif

/* An entry of the copy of all backends that pg_stat_activity shows, from number 1 on. */
#if PG_VERSION_NUM >= 160000
#define padv_local_entry(number) pgstat_get_local_beentry_by_index(number)
#else
#define padv_local_entry(number) pgstat_fetch_stat_local_beentry(number)
#endif

/* Connections that are reserved for superusers, or roles that may use the reserve. */
#if PG_VERSION_NUM >= 160000
#define padv_reserved_connections() (SuperuserReservedConnections + ReservedConnections)
#else
#define padv_reserved_connections() (ReservedBackends)
#endif

/*
 * transaction_timeout must not end the transaction of a login that waits in the queue,
 * nor that of the process that reads limits.
 */
#if PG_VERSION_NUM >= 170000
#define padv_disable_transaction_timeout() disable_timeout(TRANSACTION_TIMEOUT, false)
#define padv_set_no_transaction_timeout() \
	SetConfigOption("transaction_timeout", "0", PGC_USERSET, PGC_S_OVERRIDE)
#else
#define padv_disable_transaction_timeout() ((void) 0)
#define padv_set_no_transaction_timeout() ((void) 0)
#endif

/*
 * Whether this many connections are free.  HaveNFreeProcs() must not be called for 0:
 * from 16 on it returns false then, as long as one is free.
 */
#if PG_VERSION_NUM >= 160000
static inline bool
padv_have_free_connections(int count)
{
	int			found;

	return count <= 0 || HaveNFreeProcs(count, &found);
}
#else
#define padv_have_free_connections(count) ((count) <= 0 || HaveNFreeProcs(count))
#endif

/* Whether a role may use reserved connections, which exempts it; before 16 none could. */
#if PG_VERSION_NUM >= 160000
#define padv_may_use_reserve(role) has_privs_of_role(role, ROLE_PG_USE_RESERVED_CONNECTIONS)
#define padv_is_member(grant) ((grant)->inherit_option || (grant)->set_option)
#define padv_role_inherits(form) (true)
#define padv_grant_inherits(grant) ((grant)->inherit_option)
#else
#define padv_may_use_reserve(role) (false)
#define padv_is_member(grant) (true)
#define padv_role_inherits(form) ((form)->rolinherit)
#define padv_grant_inherits(grant) (true)
#endif

/* What a role may do with a schema or a function. */
#if PG_VERSION_NUM >= 160000
#define padv_schema_aclcheck(schema, role, mode) object_aclcheck(NamespaceRelationId, schema, role, mode)
#define padv_function_aclcheck(function, role, mode) object_aclcheck(ProcedureRelationId, function, role, mode)
#else
#define padv_schema_aclcheck(schema, role, mode) pg_namespace_aclcheck(schema, role, mode)
#define padv_function_aclcheck(function, role, mode) pg_proc_aclcheck(function, role, mode)
#endif

/*
 * A wait event of our own.  Before 17 all extensions share one, which is shown by its
 * class, whatever its number.
 */
#if PG_VERSION_NUM >= 170000
#define padv_new_wait_event(name) WaitEventExtensionNew(name)
#else
#define padv_new_wait_event(name) (PG_WAIT_EXTENSION | 0x5041)
#endif

/* Blocks requested from shared buffers in a database, and those found there. */
#if PG_VERSION_NUM >= 160000
#define padv_blocks_fetched(dbentry) ((dbentry)->blocks_fetched)
#define padv_blocks_hit(dbentry) ((dbentry)->blocks_hit)
#else
#define padv_blocks_fetched(dbentry) ((dbentry)->n_blocks_fetched)
#define padv_blocks_hit(dbentry) ((dbentry)->n_blocks_hit)
#endif

/*
 * The wait for a buffer that others have pinned.  From 19 on its class has the
 * waits for the locks of buffers too, which are LWLocks before.
 */
#if PG_VERSION_NUM >= 190000
#define PADV_WAIT_BUFFER_PIN WAIT_EVENT_BUFFER_CLEANUP
#define padv_waits_for_buffer_lock(wait_event) \
	((wait_event) == WAIT_EVENT_BUFFER_EXCLUSIVE || (wait_event) == WAIT_EVENT_BUFFER_SHARED || \
	 (wait_event) == WAIT_EVENT_BUFFER_SHARE_EXCLUSIVE)
#else
#if PG_VERSION_NUM >= 170000
#define PADV_WAIT_BUFFER_PIN WAIT_EVENT_BUFFER_PIN
#else
#define PADV_WAIT_BUFFER_PIN PG_WAIT_BUFFER_PIN
#endif
#define padv_waits_for_buffer_lock(wait_event) (false)
#endif

/* Waits for heavyweight locks are numbered by the type of the lock. */
#define padv_waits_for_advisory_lock(wait_event) \
	((wait_event) == (PG_WAIT_LOCK | LOCKTAG_ADVISORY) || (wait_event) == (PG_WAIT_LOCK | LOCKTAG_USERLOCK))

/*
 * From 19 on COPY has events for the reading and writing of files and programs,
 * which had none before, and WAIT FOR waits for WAL, which others may have to write.
 */
#if PG_VERSION_NUM >= 190000
#define padv_waits_in_copy(wait_event) \
	((wait_event) == WAIT_EVENT_COPY_FROM_READ || (wait_event) == WAIT_EVENT_COPY_TO_WRITE)
#define padv_waits_for_wal(wait_event) \
	((wait_event) == WAIT_EVENT_WAIT_FOR_WAL_FLUSH || (wait_event) == WAIT_EVENT_WAIT_FOR_WAL_REPLAY || \
	 (wait_event) == WAIT_EVENT_WAIT_FOR_WAL_WRITE)
#define padv_is_wait_for(command) IsA(command, WaitStmt)
#else
#define padv_waits_in_copy(wait_event) (false)
#define padv_waits_for_wal(wait_event) (false)
#define padv_is_wait_for(command) (false)
#endif

/* Entries of auxiliary processes, behind those of backends: by type, or from 17 on by PGPROC. */
#if PG_VERSION_NUM >= 170000
#define PADV_AUXILIARY_ENTRIES NUM_AUXILIARY_PROCS
#else
#define PADV_AUXILIARY_ENTRIES NUM_AUXPROCTYPES
#endif

/*
 * From 18 on I/O workers read for sessions, with io_method = worker.  They are auxiliary
 * processes, whose entries are behind those of backends, with the numbers of their PGPROCs.
 * An I/O worker without work waits for IO_WORKER_MAIN; a session that needs what it reads
 * waits for AIO_IO_COMPLETION.
 */
#if PG_VERSION_NUM >= 180000
#define PADV_IO_WORKER_ENTRIES NUM_AUXILIARY_PROCS
#define padv_is_io_worker(entry) ((entry)->st_procpid != 0 && (entry)->st_backendType == B_IO_WORKER)
#define padv_is_idle_io_worker(wait_event) ((wait_event) == WAIT_EVENT_IO_WORKER_MAIN)
#define padv_waits_for_io_worker(wait_event) ((wait_event) == WAIT_EVENT_AIO_IO_COMPLETION)
#else
#define PADV_IO_WORKER_ENTRIES 0
#define padv_is_io_worker(entry) (false)
#define padv_is_idle_io_worker(wait_event) (false)
#define padv_waits_for_io_worker(wait_event) (false)
#endif

/* The type of the jumble state that the post-parse-analysis hook gets. */
#if PG_VERSION_NUM >= 190000
typedef const JumbleState PadvJumbleState;
#else
typedef JumbleState PadvJumbleState;
#endif
#if PG_VERSION_NUM >= 160000
#define padv_jumble(query, text) ((void) (text), JumbleQuery(query))
#else
#define padv_jumble(query, text) JumbleQuery(query, text)
#endif

/* Whether locks of this process are on the fast path, where others cannot wait for them. */
static inline bool
padv_has_fast_path_locks(void)
{
#if PG_VERSION_NUM >= 180000
	for (int i = 0; i < FastPathLockGroupsPerBackend; i++)
		if (MyProc->fpLockBits[i] != 0)
			return true;
	return false;
#else
	return MyProc->fpLockBits != 0;
#endif
}

/*
 * The next lock of this process in a partition of the lock table after the given one, or
 * the first one after NULL; NULL at the end.  Call it with the LWLock of the partition
 * held.  Without it the result for the first lock may only be compared with NULL.
 */
static inline PROCLOCK *
padv_next_own_lock(int partition, PROCLOCK *lock)
{
#if PG_VERSION_NUM >= 160000
	dlist_head *locks = &MyProc->myProcLocks[partition];
	dlist_node *last = lock == NULL ? &locks->head : &lock->procLink;

	if (dlist_is_empty(locks) || last->next == &locks->head)
		return NULL;
	return dlist_container(PROCLOCK, procLink, last->next);
#else
	SHM_QUEUE  *locks = &MyProc->myProcLocks[partition];

	return (PROCLOCK *) SHMQueueNext(locks, lock == NULL ? locks : &lock->procLink,
									 offsetof(PROCLOCK, procLink));
#endif
}

/* The process of a virtual transaction, or NULL; a moment old. */
#if PG_VERSION_NUM >= 170000
#define padv_vxid_proc(vxid) ProcNumberGetProc((vxid).procNumber)
#else
#define padv_vxid_proc(vxid) BackendIdGetProc((vxid).backendId)
#endif

/*
 * Hold a lock of this process once more, for the session: waits for nothing.  *held is
 * what this process knows of its holders.
 */
#if PG_VERSION_NUM >= 180000
#define padv_lock_once_more(tag, mode, held) ((void) LockAcquireExtended(tag, mode, true, true, true, held, false))
#else
#define padv_lock_once_more(tag, mode, held) ((void) LockAcquireExtended(tag, mode, true, true, true, held))
#endif

/* The parameters of the ExecutorRun hook, and as it passes them on. */
#if PG_VERSION_NUM >= 180000
#define PADV_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count
#define PADV_RUN_ARGUMENTS query, direction, count
#else
#define PADV_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count, bool once
#define PADV_RUN_ARGUMENTS query, direction, count, once
#endif

/* Allocate what a setting's check hook returns in *extra. */
#if PG_VERSION_NUM >= 160000
#define padv_guc_alloc(size) guc_malloc(LOG, size)
#else
#define padv_guc_alloc(size) malloc(size)
#endif

/*
 * From 19 on a handler has another type than the system's constants. PG_SIG_IGN is there
 * then, but casts in a way that clang warns of.
 */
#define PADV_SIG_IGN ((pqsigfunc) (void *) SIG_IGN)

#endif							/* PADV_COMPAT_H */
