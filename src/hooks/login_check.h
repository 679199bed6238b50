/*
 * login_check.h
 *		Whether core would let a role into a database.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LOGIN_CHECK_H
#define PADV_LOGIN_CHECK_H

#include "postgres.h"

/*
 * For a login that is in no database yet, in its transaction.  They read shared
 * catalogs, and may raise as core's own look-ups do.
 *
 * database_number: the database of this name, or InvalidOid.
 * database_for: the same, but InvalidOid also if core is going to refuse this role for
 *		what stands in pg_authid, pg_database or pg_auth_members now.  The role is no
 *		superuser.
 */
extern Oid	padv_database_number(const char *name);
extern Oid	padv_database_for(Oid role, const char *name);

#endif							/* PADV_LOGIN_CHECK_H */
