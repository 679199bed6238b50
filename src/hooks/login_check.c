/*
 * login_check.c
 *		Whether PostgreSQL would let a role connect to a database.
 *
 * PostgreSQL checks this after authentication, so after the wait in the queue.  A login
 * that is going to be refused must not wait, because it would take a place in the
 * queue from other logins.
 *
 * PostgreSQL's own privilege functions cannot be used here.  They cache the roles that a
 * role is a member of, and get invalidations only once the session is connected to its
 * database.  The caches of databases and roles fetch a row's long values from its TOAST
 * table, which cannot be found before that.  So rows are read as in InitPostgres(), without
 * such values, and memberships are followed as in acl.c.
 *
 * Owns nothing and takes no lock of ours; runs in the backend that logs in.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "utils/acl.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "hooks/login_check.h"
#include "compat.h"

typedef struct Database
{
	Oid			number;			/* InvalidOid: it does not exist */
	Oid			owner;
	bool		open;			/* it allows connections */
	Acl		   *acl;			/* NULL: all roles may connect */
} Database;

/* An ACL in a TOAST table cannot be read yet; it is taken for NULL. */
static Acl *
read_acl(HeapTuple tuple, TupleDesc desc)
{
	bool		null;
	Datum		acl = heap_getattr(tuple, Anum_pg_database_datacl, desc, &null);

	if (null || VARATT_IS_EXTERNAL(DatumGetPointer(acl)))
		return NULL;
	return DatumGetAclPCopy(acl);
}

static void
look_up_database(const char *name, Database *database)
{
	Relation	relation = table_open(DatabaseRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	memset(database, 0, sizeof(*database));
	ScanKeyInit(&key, Anum_pg_database_datname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(name));
	scan = systable_beginscan(relation, DatabaseNameIndexId, criticalSharedRelcachesBuilt,
							  NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_database form = (Form_pg_database) GETSTRUCT(tuple);

		database->number = form->oid;
		database->owner = form->datdba;

		/* a limit below -1 marks a database that is being dropped */
		database->open = form->datallowconn &&
			(form->datconnlimit > 0 || form->datconnlimit == -1);
		database->acl = read_acl(tuple, RelationGetDescr(relation));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
}

Oid
padv_database_number(const char *name)
{
	Database	database;

	look_up_database(name, &database);
	return database.number;
}

/* Read a role without its password and expiration; false when it does not exist. */
static bool
look_up_role(Oid role, FormData_pg_authid *form)
{
	Relation	relation = table_open(AuthIdRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	ScanKeyInit(&key, Anum_pg_authid_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(role));
	scan = systable_beginscan(relation, AuthIdOidIndexId, criticalSharedRelcachesBuilt, NULL, 1, &key);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
		memcpy(form, GETSTRUCT(tuple), sizeof(*form));
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return found;
}

char *
padv_login_role_name(Oid role)
{
	FormData_pg_authid form;

	return look_up_role(role, &form) ? pstrdup(NameStr(form.rolname)) : NULL;
}

static bool
role_can_log_in(Oid role)
{
	FormData_pg_authid form;

	return look_up_role(role, &form) && form.rolcanlogin && form.rolconnlimit != 0;
}

/* Before 16 the member has the INHERIT option, from 16 on the grant. */
static bool
role_inherits(Oid role)
{
	FormData_pg_authid form;

	return look_up_role(role, &form) && padv_role_inherits(&form);
}

/* Add the roles whose privileges this one inherits directly. */
static List *
add_groups(List *roles, Oid role)
{
	CatCList   *grants;

	if (!role_inherits(role))
		return roles;
	grants = SearchSysCacheList1(AUTHMEMMEMROLE, ObjectIdGetDatum(role));
	for (int i = 0; i < grants->n_members; i++)
	{
		HeapTuple	tuple = &grants->members[i]->tuple;
		Form_pg_auth_members grant = (Form_pg_auth_members) GETSTRUCT(tuple);

		if (padv_grant_inherits(grant))
			roles = list_append_unique_oid(roles, grant->roleid);
	}
	ReleaseSysCacheList(grants);
	return roles;
}

/* All roles whose privileges a role has in a database of this owner, itself first. */
static List *
list_privileged(Oid role, Oid owner)
{
	List	   *roles = list_make1_oid(role);
	ListCell   *cell;

	foreach(cell, roles)
	{
		Oid			member = lfirst_oid(cell);

		roles = add_groups(roles, member);
		if (member == owner)
			roles = list_append_unique_oid(roles, ROLE_PG_DATABASE_OWNER);
	}
	return roles;
}

static bool
has_connect(const Database *database, Oid role)
{
	const AclItem *items;
	List	   *roles;

	if (database->acl == NULL)
		return true;

	/*
	 * Not ACL_DAT(), which allows for nulls, which an ACL never has, and
	 * compares signed with unsigned numbers for that.
	 */
	items = (const AclItem *) ((const char *) database->acl +
							   ARR_OVERHEAD_NONULLS(ARR_NDIM(database->acl)));
	roles = list_privileged(role, database->owner);
	for (int i = 0; i < ACL_NUM(database->acl); i++)
		if ((ACLITEM_GET_PRIVS(items[i]) & ACL_CONNECT) != 0 &&
			(items[i].ai_grantee == ACL_ID_PUBLIC ||
			 list_member_oid(roles, items[i].ai_grantee)))
			return true;
	return false;
}

Oid
padv_database_for(Oid role, const char *name)
{
	Database	database;

	look_up_database(name, &database);
	if (database.open && role_can_log_in(role) && has_connect(&database, role))
		return database.number;
	return InvalidOid;
}
