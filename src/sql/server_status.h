/*
 * server_status.h
 *		The published picture, as a reader sees it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SITUATION_H
#define PADV_SITUATION_H

#include "fmgr.h"

#include "core/advice/advice.h"
#include "core/model/status.h"
#include "core/policy/limits.h"

/*
 * Copy the picture out and add what only the reader knows: its age, and names.
 * Names are looked up only when asked for; they are in the current memory
 * context.
 */
extern void padv_read_situation(PadvSituation *situation, bool with_names);

/* The role's name, or what core shows for one that is gone. */
extern char *padv_role_name(Oid role);

/* The same for a row of the samples, which may stand for all further roles. */
extern const char *padv_role_row_name(const PadvRoleRow *role);

/* A row of the view advice, into the result of a materialized function. */
extern void padv_row_advice(FunctionCallInfo fcinfo, const PadvAdvice *advice);

#endif							/* PADV_SITUATION_H */
