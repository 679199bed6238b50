/*
 * pools_funcs.c
 *		SQL functions about the pools that were found in front of the server.
 *
 * Copies the published rows out and gives names to their numbers.  Never waits for the
 * worker and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <arpa/inet.h>
#include "compat.h"
#include "core/advice/found_pools.h"
#include "shmem/status_shmem.h"
#include "sql/rows.h"
#include "sql/server_status.h"
#include "sql/tables.h"

PG_FUNCTION_INFO_V1(pool_advisor_pools);
PG_FUNCTION_INFO_V1(pool_advisor_found_pool_advice);

static const char *
client_text(const PadvPoolKey *key)
{
	char		text[INET6_ADDRSTRLEN] = "";

	if (key->family == 0 ||
		inet_ntop(key->family == 32 ? AF_INET : AF_INET6, key->address, text, sizeof(text)) == NULL)
		return NULL;
	return pstrdup(text);
}

static void
name_pool(const PadvFoundPool *pool, PadvNamedPool *named)
{
	char	   *database = get_database_name(pool->key.database);

	named->pool = *pool;
	named->role = padv_role_name(pool->key.role);
	named->database = database ? database : psprintf("unknown (OID=%u)", pool->key.database);
	named->application = pnstrdup(pool->key.application, sizeof(pool->key.application));
	named->client = client_text(&pool->key);
	if (pool->others)
	{
		named->role = named->database = "";
		named->application = "(others)";
	}
	named->role_literal = quote_literal_cstr(named->role);
	named->application_literal = quote_literal_cstr(named->application);
}

int
padv_read_pools(PadvNamedPool **named)
{
	PadvFoundPool *pools;
	int			count = padv_status_copy_pools(&pools);

	padv_pools_sort(pools, count);
	*named = palloc(Max(count, 1) * sizeof(PadvNamedPool));
	for (int i = 0; i < count; i++)
		name_pool(&pools[i], &(*named)[i]);
	return count;
}

static void
add_text_or_null(PadvRow *row, const char *text)
{
	if (text == NULL)
		padv_row_null(row);
	else
		padv_row_text(row, text);
}

static void
store_pool(FunctionCallInfo fcinfo, const PadvNamedPool *named)
{
	const PadvFoundPool *pool = &named->pool;
	char		reason[PADV_POOL_REASON];
	PadvRow		row = {0};

	padv_row_name(&row, pool->others ? NULL : named->role);
	padv_row_name(&row, pool->others ? NULL : named->database);
	padv_row_text(&row, named->application);
	add_text_or_null(&row, named->client);
	add_text_or_null(&row, padv_pool_kind_name(pool->kind));
	padv_row_int(&row, pool->open);
	padv_row_int(&row, pool->max_open);
	padv_row_int(&row, pool->max_in_use);
	padv_row_known_rounded(&row, pool->busy);
	padv_row_known_rounded(&row, pool->hold_p50_seconds);
	padv_row_known_rounded(&row, pool->hold_p95_seconds);
	padv_row_known_rounded(&row, pool->churn_per_minute);
	padv_row_add(&row, Int64GetDatum(pool->suggested), pool->suggested == 0);
	padv_explain_found_pool(pool, reason, sizeof(reason));
	padv_row_text(&row, reason);
	padv_row_int(&row, pool->open_lately);
	padv_row_store(&row, fcinfo);
}

/*
 * One row for each pool, the one with most open connections first.
 */
Datum
pool_advisor_pools(PG_FUNCTION_ARGS)
{
	PadvNamedPool *named;
	int			count;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	count = padv_read_pools(&named);
	for (int i = 0; i < count; i++)
		store_pool(fcinfo, &named[i]);
	return (Datum) 0;
}

/*
 * What the view advice shows of these pools, worst first.
 */
Datum
pool_advisor_found_pool_advice(PG_FUNCTION_ARGS)
{
	PadvLocalStatus local;
	PadvAdvice	advice[PADV_MAX_FOUND_ADVICE];
	PadvNamedPool *named;
	int			count;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	padv_read_local_status(&local, false);
	count = padv_read_pools(&named);
	count = padv_advise_found_pools(&local, named, count, advice);
	for (int i = 0; i < count; i++)
		padv_row_advice(fcinfo, &advice[i]);
	return (Datum) 0;
}
