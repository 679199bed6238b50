/*
 * status_funcs.c
 *		SQL functions about the server as a whole: one row, the methods, the
 *		advice, the reasoning.
 *
 * Copies the published status and returns it as rows.  Never waits for the
 * worker, and writes nothing.  The install script grants the privileges.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "clock.h"
#include "compat.h"
#include "core/advice/advice.h"
#include "core/advice/explain.h"
#include "core/model/health.h"
#include "settings.h"
#include "shmem/incidents_shmem.h"
#include "shmem/status_shmem.h"
#include "shmem/trials_shmem.h"
#include "shmem/xact_slots.h"
#include "sql/load_rows.h"
#include "sql/named_incidents.h"
#include "sql/rows.h"
#include "sql/server_status.h"

PG_FUNCTION_INFO_V1(pool_advisor_status);
PG_FUNCTION_INFO_V1(pool_advisor_optimal);
PG_FUNCTION_INFO_V1(pool_advisor_advice);
PG_FUNCTION_INFO_V1(pool_advisor_explain);

char *
padv_role_name(Oid role)
{
	char	   *name = GetUserNameFromId(role, true);

	return name ? name : psprintf("unknown (OID=%u)", role);
}

static void
name_holder(PadvLocalStatus *local)
{
	const PadvIdleHolder *holder = &local->status.idle_holder;
	char	   *database;

	local->holder_role = padv_role_name(holder->role);
	local->holder_role_quoted = quote_identifier(local->holder_role);
	database = get_database_name(holder->database);
	local->holder_database = database ? database : psprintf("unknown (OID=%u)", holder->database);
}

static void
name_blocker(const PadvBlocker *blocker, const char **role, const char **database, const char **gid_quoted)
{
	char	   *gid = blocker->pid == 0 ? padv_prepared_name(blocker->xid) : NULL;

	*role = OidIsValid(blocker->role) ? padv_role_name(blocker->role) : NULL;
	*database = get_database_name(blocker->database);
	*gid_quoted = gid ? quote_literal_cstr(gid) : NULL;
}

/* The one that the state of the server is about. */
static void
describe_incident(PadvLocalStatus *local)
{
	const PadvIncident *incident = padv_health_incident(local);
	PadvNamedIncident named;
	char	   *sentences;

	if (incident == NULL)
		return;
	named = padv_name_incident(incident);
	sentences = palloc(2 * PADV_INCIDENT_SENTENCE);
	padv_incident_cause(&named, sentences, PADV_INCIDENT_SENTENCE);
	padv_incident_remedy(&named, sentences + PADV_INCIDENT_SENTENCE, PADV_INCIDENT_SENTENCE);
	local->incident_cause = sentences;
	local->incident_remedy = sentences + PADV_INCIDENT_SENTENCE;
}

/* Of the last minute. */
static void
name_largest(PadvLocalStatus *local)
{
	PadvLoadRow *rows = palloc(PADV_LOAD_ROWS * sizeof(PadvLoadRow));
	PadvLoadRead read;

	padv_read_load(PADV_LOAD_1_MINUTE, &read);
	for (PadvDimension dimension = 0; dimension < PADV_DIMENSIONS; dimension++)
	{
		int			count = padv_load_rows(&read.total, read.keys[dimension], read.count[dimension], rows);
		double		all = 0.0;

		for (int i = 0; i < count; i++)
			all += rows[i].active_avg;
		if (count == 0 || rows[0].others || rows[0].active_avg == 0.0)
			continue;
		local->largest[dimension].name = padv_load_key_name(dimension, &rows[0]);
		local->largest[dimension].share = rows[0].active_avg / all;
	}
	pfree(rows);
}

void
padv_read_local_status(PadvLocalStatus *local, bool with_names)
{
	memset(local, 0, sizeof(*local));
	padv_status_copy(&local->status);
	local->worker_running = padv_worker_running();
	padv_slots_read(&local->gate);
	local->gate.setting = padv_server_max_active;
	local->gate.trial = local->worker_running && padv_trials_running();
	local->enforcement = padv_enforcement;
	local->gate_enforcement = padv_gate_enforcement;
	local->nlasting = padv_incidents_lasting(local->lasting);

	/* setting the wall clock makes no sample older or younger */
	local->age_seconds = (double) (padv_monotonic_us() - local->status.clock_us) / 1e6;
	if (with_names && local->status.idle_holder.holders > 0)
		name_holder(local);
	if (with_names && local->status.stall.any)
		name_blocker(&local->status.stall.worst, &local->blocker_role, &local->blocker_database,
					 &local->blocker_gid_quoted);
	if (with_names && local->status.stall.idle_blocker_seconds > 0.0)
		name_blocker(&local->status.stall.idle, &local->idle_blocker_role, &local->idle_blocker_database,
					 &local->idle_blocker_gid_quoted);
	if (with_names)
		describe_incident(local);
	if (with_names)
		name_largest(local);
}

static void
add_counts(PadvRow *row, const PadvStatus *status)
{
	const PadvCounts *last = &status->last;

	padv_row_int(row, last->sessions);
	padv_row_int(row, last->active);
	padv_row_int(row, last->idle);
	padv_row_int(row, last->idle_in_transaction);
	padv_row_int(row, last->queued);
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		padv_row_int(row, last->in_class[class]);
}

static void
add_minute(PadvRow *row, const PadvStatus *status)
{
	padv_row_rounded(row, status->minute.active);
	padv_row_rounded(row, status->minute.active_p95);
	padv_row_int(row, status->minute.active_max);
	padv_row_rounded(row, status->minute.io_wait_ratio);
	padv_row_known_rounded(row, status->load.cpu_utilization);
	padv_row_known_rounded(row, status->load.run_queue_ratio);
	padv_row_known_rounded(row, status->load.cache_hit_ratio);
}

static void
add_model(PadvRow *row, const PadvStatus *status)
{
	const PadvModel *model = &status->model;
	const PadvEstimate *chosen = padv_model_chosen(model);

	padv_row_int(row, chosen->connections);
	padv_row_int(row, chosen->low);
	padv_row_int(row, chosen->high);
	padv_row_text(row, padv_method_name(model->chosen));
	padv_row_text(row, padv_confidence_name(chosen->confidence));
	padv_row_known_rounded(row, model->busy_ratio);
	padv_row_add(row, Int64GetDatum(model->pool_size), model->pool_size == 0);
	padv_row_rounded(row, model->load_ratio);
	padv_row_text(row, padv_verdict_name(model->verdict));
}

static void
add_own_cost(PadvRow *row, const PadvStatus *status)
{
	padv_row_int(row, status->last.parallel_workers);
	padv_row_rounded(row, status->model.demand);
	padv_row_int(row, status->samples_total);
	padv_row_known_rounded(row, status->load.sample_cost);
}

static void
add_transactions(PadvRow *row, const PadvLoad *load)
{
	padv_row_known_rounded(row, load->transactions_per_second);
	padv_row_known_rounded(row, load->rollbacks_per_second);
	padv_row_known_rounded(row, load->transaction_seconds);
	padv_row_int(row, (int64) load->transactions_total);
	padv_row_int(row, (int64) load->rollbacks_total);
}

static void
add_session_pool(PadvRow *row, const PadvModel *model)
{
	padv_row_add(row, Int64GetDatum(model->session_pool_size), model->session_pool_size == 0);
	padv_row_add(row, TimestampTzGetDatum(model->pool.load.at), model->pool.load.at == 0);
}

/*
 * One row.  Before the first sample only what needs none is known.
 */
Datum
pool_advisor_status(PG_FUNCTION_ARGS)
{
	PadvLocalStatus local;
	PadvRow		row = {0};
	TupleDesc	tupdesc;
	bool		sampled;

	padv_require_preloaded();
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	padv_read_local_status(&local, false);
	sampled = local.status.taken_at != 0;

	padv_row_add(&row, TimestampTzGetDatum(local.status.taken_at), !sampled);
	padv_row_add(&row, Float8GetDatum(padv_four_digits(local.age_seconds)), !sampled);
	padv_row_bool(&row, local.worker_running);
	padv_row_int(&row, MaxConnections);
	padv_row_int(&row, MaxConnections - padv_reserved_connections());
	if (sampled)
	{
		add_counts(&row, &local.status);
		add_minute(&row, &local.status);
		add_model(&row, &local.status);
		add_own_cost(&row, &local.status);
		add_transactions(&row, &local.status.load);
		add_session_pool(&row, &local.status.model);
	}
	else
		while (row.count < Min(tupdesc->natts, PADV_MAX_COLUMNS))
			padv_row_null(&row);
	padv_row_check(&row, tupdesc->natts);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc),
													  row.values, row.nulls)));
}

/* What server_max_active = auto has found: transactions, not active connections. */
static void
store_server_max_active(FunctionCallInfo fcinfo, const PadvLocalStatus *local)
{
	char		text[PADV_SENTENCE];
	PadvRow		row = {0};
	bool		off = local->gate.limit < 0;

	padv_slot_stats_explain(&local->gate, &local->status.control, text, sizeof(text));
	padv_row_text(&row, "server_max_active");
	padv_row_add(&row, Int64GetDatum(local->gate.limit), off);
	padv_row_null(&row);
	padv_row_null(&row);
	padv_row_null(&row);
	padv_row_bool(&row, false);
	padv_row_text(&row, off ? "" : text);
	padv_row_text(&row, off ? "no sample has been taken yet" : "");
	padv_row_store(&row, fcinfo);
}

/*
 * One row a method: what it says, or why it says nothing.
 */
Datum
pool_advisor_optimal(PG_FUNCTION_ARGS)
{
	PadvLocalStatus local;
	const PadvModel *model = &local.status.model;
	char		text[PADV_SENTENCE];
	PadvRow		row = {0};

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	padv_read_local_status(&local, false);

	for (PadvMethod method = 0; method < PADV_METHODS; method++)
	{
		const PadvEstimate *estimate = &model->estimates[method];
		bool		null = !estimate->available;

		padv_explain_method(model, method, text, sizeof(text));
		padv_row_text(&row, padv_method_name(method));
		padv_row_add(&row, Int64GetDatum(estimate->connections), null);
		padv_row_add(&row, Int64GetDatum(estimate->low), null);
		padv_row_add(&row, Int64GetDatum(estimate->high), null);
		padv_row_add(&row, null ? (Datum) 0 :
					 CStringGetTextDatum(padv_confidence_name(estimate->confidence)), null);
		padv_row_bool(&row, !null && method == model->chosen);
		padv_row_text(&row, text);
		padv_row_text(&row, padv_not_available_because(model, method));
		padv_row_store(&row, fcinfo);
	}
	if (local.gate.setting == PADV_SERVER_MAX_ACTIVE_AUTO)
		store_server_max_active(fcinfo, &local);
	return (Datum) 0;
}

void
padv_row_advice(FunctionCallInfo fcinfo, const PadvAdvice *advice)
{
	PadvRow		row = {0};

	padv_row_text(&row, padv_severity_name(advice->severity));
	padv_row_text(&row, advice->code);
	padv_row_text(&row, advice->subject);
	padv_row_text(&row, advice->finding);
	padv_row_text(&row, advice->recommendation);
	padv_row_text(&row, advice->fix);
	padv_row_store(&row, fcinfo);
}

/*
 * Worst first; no row when all is well.
 */
Datum
pool_advisor_advice(PG_FUNCTION_ARGS)
{
	PadvLocalStatus local;
	PadvAdvice	advice[PADV_MAX_ADVICE];
	int			count;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	padv_read_local_status(&local, true);

	count = padv_advise(&local, advice);
	for (int i = 0; i < count; i++)
		padv_row_advice(fcinfo, &advice[i]);
	return (Datum) 0;
}

/*
 * The whole reasoning, a sentence a row.
 */
Datum
pool_advisor_explain(PG_FUNCTION_ARGS)
{
	PadvLocalStatus local;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	padv_read_local_status(&local, true);
	padv_explain(&local, padv_row_sentence, fcinfo);
	return (Datum) 0;
}
