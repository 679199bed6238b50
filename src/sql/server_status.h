/*
 * server_status.h
 *		The published status, as a reader sees it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SERVER_STATUS_H
#define PADV_SERVER_STATUS_H

#include "fmgr.h"

#include "core/advice/advice.h"
#include "core/model/status.h"
#include "core/policy/limits.h"

/*
 * Copy the published status, and add its age and, if with_names, the names of its OIDs.
 * Names are allocated in the current memory context.  Takes the lock of status_shmem.c;
 * reads catalogs for names, so it may raise.
 */
extern void padv_read_local_status(PadvLocalStatus *local, bool with_names);

/* The name of a role, or "unknown (OID=...)" if it does not exist any more. */
extern char *padv_role_name(Oid role);

/* The same for a row of the samples, which may stand for all other roles. */
extern const char *padv_role_row_name(const PadvRoleRow *role);

/* The name of a prepared transaction, or NULL when it has ended. */
extern char *padv_prepared_name(TransactionId xid);

/* Store a row of the view advice in the result of a materialized function. */
extern void padv_row_advice(FunctionCallInfo fcinfo, const PadvAdvice *advice);

#endif							/* PADV_SERVER_STATUS_H */
