/*
 * share_funcs.c
 *		SQL function that tells a process of an application how large its pool should be.
 *
 * Every role may call it, so it says nothing of other roles: it returns the caller's own
 * share and the number of its own processes.  Reads shared memory only, and writes nothing.
 *
 * A process is a client address and an application_name, because nothing else that a
 * session has is the same for all sessions of one process.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "fmgr.h"

#include "compat.h"
#include "core/policy/limits.h"
#include "core/sizing/fair_share.h"
#include "shmem/limits_shmem.h"
#include "shmem/status_shmem.h"
#include "sql/limit_usage.h"
#include "sql/rows.h"
#include "sql/server_status.h"

PG_FUNCTION_INFO_V1(pool_advisor_my_share);

/* Compared as bytes. */
typedef struct ProcessKey
{
	char		address[16];	/* zeros on the same machine */
	char		name[NAMEDATALEN];
} ProcessKey;

/* The processes of the caller's role, which of them it is, and what is connected. */
typedef struct Processes
{
	int64		count;
	int64		rank;
	int64		sessions;		/* of the role */
	int64		all;			/* of all roles */
} Processes;

static void
set_key(ProcessKey *key, const PgBackendStatus *entry)
{
	const struct sockaddr *address = (const struct sockaddr *) &entry->st_clientaddr.addr;

	memset(key, 0, sizeof(*key));
	if (address->sa_family == AF_INET)
		memcpy(key->address, &((const struct sockaddr_in *) address)->sin_addr, sizeof(struct in_addr));
	else if (address->sa_family == AF_INET6)
		memcpy(key->address, &((const struct sockaddr_in6 *) address)->sin6_addr, sizeof(struct in6_addr));
	strlcpy(key->name, entry->st_appname, NAMEDATALEN);
}

static int
compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(ProcessKey));
}

/* Count the sessions of a role, and their distinct keys. */
static Processes
find_processes(Oid role)
{
	int			entries = pgstat_fetch_stat_numbackends();
	ProcessKey *keys = palloc((entries + 1) * sizeof(ProcessKey));
	ProcessKey	mine;
	Processes	result = {0};
	int			count = 0;

	set_key(&mine, MyBEEntry);
	for (int i = 1; i <= entries; i++)
	{
		const PgBackendStatus *entry = &padv_local_entry(i)->backendStatus;

		if (entry->st_backendType != B_BACKEND)
			continue;
		result.all++;
		if (entry->st_userid == role)
			set_key(&keys[count++], entry);
	}
	result.sessions = count;
	keys[count++] = mine;
	qsort(keys, count, sizeof(ProcessKey), compare_keys);
	for (int i = 0; i < count; i++)
	{
		if (i > 0 && compare_keys(&keys[i], &keys[i - 1]) == 0)
			continue;
		if (compare_keys(&keys[i], &mine) < 0)
			result.rank++;
		result.count++;
	}
	pfree(keys);
	return result;
}

/*
 * The share of a role.  Other roles want as many connections as they have active sessions,
 * with the pauses that pool_size allows for.
 */
static double
share_of_role(const PadvModel *model, Oid role)
{
	PadvRoleRow *rows;
	int			nrows = padv_status_copy_roles(&rows);
	double	   *wanted = palloc((nrows + 1) * sizeof(double));
	double		factor = (double) model->pool_size / (double) Max(padv_model_chosen(model)->connections, 1);
	int			count = 0;

	for (int i = 0; i < nrows; i++)
		if (rows[i].role != role)
			wanted[count++] = rows[i].active_avg * factor;
	return padv_fair_share((double) model->pool_size, wanted, count);
}

/* Connections that nobody's share takes, so that others can log in. */
#define SPARE_SHARE 0.1

/*
 * What a limit of the role, and the server, leave of a share: what others have not given up
 * yet cannot be had.
 */
static double
bounded(double share, Oid role, const Processes *processes)
{
	uint32		generation;
	PadvLimits *limits = padv_limits_shmem_copy(&generation);
	int32		limit = padv_role_limit(limits, role, PADV_MAX_SESSIONS);
	double		usable = MaxConnections - padv_reserved_connections();
	double		left = usable * (1.0 - SPARE_SHARE) - (double) processes->all;

	share = Min(share, (double) processes->sessions + Max(left, 0.0));
	return limit >= 0 ? Min(share, (double) limit) : share;
}

static void
add_share(PadvRow *row, const PadvModel *model)
{
	Oid			role = GetSessionUserId();
	Processes	processes = find_processes(role);
	double		share = bounded(share_of_role(model, role), role, &processes);

	padv_row_int(row, padv_process_share(share, processes.count, processes.rank));
	padv_row_text(row, psprintf("The role may have %.1f connections now. Its connected processes: %lld.",
								share, (long long) processes.count));
}

/*
 * my_share()
 */
Datum
pool_advisor_my_share(PG_FUNCTION_ARGS)
{
	PadvLocalStatus local;
	PadvRow		row = {0};

	padv_require_preloaded();
	padv_read_local_status(&local, false);
	if (padv_sampling_stopped(&local) || local.status.model.pool_size == 0)
	{
		padv_row_null(&row);
		padv_row_text(&row, padv_sampling_stopped(&local) ?
					  "Sampling stands still; keep the size that you have." :
					  "No load was measured yet; keep the size that you have.");
	}
	else
		add_share(&row, &local.status.model);
	return padv_row_return(&row, fcinfo);
}
