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
 * Copy the status out and add what only the reader knows: its age, and names.
 * Names are looked up only when asked for; they are in the current memory
 * context.
 */
extern void padv_read_local_status(PadvLocalStatus *local, bool with_names);

/* The role's name, or what core shows for one that is gone. */
extern char *padv_role_name(Oid role);

/* The same for a row of the samples, which may stand for all further roles. */
extern const char *padv_role_row_name(const PadvRoleRow *role);

/* The name of a prepared transaction, or NULL when it has ended. */
extern char *padv_prepared_name(TransactionId xid);

/* A row of the view advice, into the result of a materialized function. */
extern void padv_row_advice(FunctionCallInfo fcinfo, const PadvAdvice *advice);

#endif							/* PADV_SERVER_STATUS_H */
