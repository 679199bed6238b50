/*
 * login_check.h
 *		Whether PostgreSQL would let a role connect to a database.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LOGIN_CHECK_H
#define PADV_LOGIN_CHECK_H

#include "postgres.h"

/*
 * For a login that is not connected to a database yet, in its transaction.  They read
 * shared catalogs, allocate in the current memory context, and may raise as
 * PostgreSQL's own look-ups do.  The caller holds no lock of ours.
 *
 * padv_database_number: the database of this name, or InvalidOid.
 * padv_database_for: the same, but InvalidOid also if PostgreSQL is going to refuse this
 *		role by the current contents of pg_authid, pg_database or pg_auth_members.  The
 *		role must not be a superuser.
 * padv_login_role_name: the name of this role, or NULL when it does not exist.
 */
extern Oid	padv_database_number(const char *name);
extern Oid	padv_database_for(Oid role, const char *name);
extern char *padv_login_role_name(Oid role);

#endif							/* PADV_LOGIN_CHECK_H */
