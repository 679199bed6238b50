/*
 * status_funcs.c
 *		SQL functions about the server as a whole: one row, the methods, the
 *		advice, the reasoning.
 *
 * Copies the published picture out and turns it into rows.  Never waits for
 * the worker and writes nothing.  Who may call what is granted in the install
 * script.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "clock.h"
#include "compat.h"
#include "core/advice/advice.h"
#include "core/advice/explain.h"
#include "settings.h"
#include "shmem/status_shmem.h"
#include "shmem/xact_slots.h"
#include "sql/rows.h"
#include "sql/server_status.h"

PG_FUNCTION_INFO_V1(padv_status);
PG_FUNCTION_INFO_V1(padv_optimal_methods);
PG_FUNCTION_INFO_V1(padv_advice);
PG_FUNCTION_INFO_V1(padv_explain_all);

char *
padv_role_name(Oid role)
{
	char	   *name = GetUserNameFromId(role, true);

	return name ? name : psprintf("unknown (OID=%u)", role);
}

static void
name_holder(PadvSituation *situation)
{
	const PadvIdleHolder *holder = &situation->picture.idle_holder;
	char	   *database;

	situation->holder_role = padv_role_name(holder->role);
	situation->holder_role_quoted = quote_identifier(situation->holder_role);
	database = get_database_name(holder->database);
	situation->holder_database = database ? database : psprintf("unknown (OID=%u)", holder->database);
}

void
padv_read_situation(PadvSituation *situation, bool with_names)
{
	memset(situation, 0, sizeof(*situation));
	padv_copy_picture(&situation->picture);
	situation->worker_running = padv_worker_running();
	padv_turns_read(&situation->gate);
	situation->gate.setting = padv_server_max_active;
	situation->enforcement = padv_enforcement;
	situation->gate_enforcement = padv_gate_enforcement;

	/* setting the wall clock makes no sample older or younger */
	situation->age_seconds = (double) (padv_monotonic_us() - situation->picture.clock_us) / 1e6;
	if (with_names && situation->picture.idle_holder.holders > 0)
		name_holder(situation);
}

static void
add_counts(PadvRow *row, const PadvPicture *picture)
{
	const PadvCounts *last = &picture->last;

	padv_row_int(row, last->sessions);
	padv_row_int(row, last->active);
	padv_row_int(row, last->idle);
	padv_row_int(row, last->idle_in_transaction);
	padv_row_int(row, last->queued);
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		padv_row_int(row, last->in_class[class]);
}

static void
add_minute(PadvRow *row, const PadvPicture *picture)
{
	padv_row_float(row, picture->minute.active);
	padv_row_float(row, picture->minute.active_p95);
	padv_row_int(row, picture->minute.active_max);
	padv_row_float(row, picture->minute.io_wait_ratio);
	padv_row_known_float(row, picture->load.cpu_utilization);
	padv_row_known_float(row, picture->load.run_queue_ratio);
	padv_row_known_float(row, picture->load.cache_hit_ratio);
}

static void
add_model(PadvRow *row, const PadvPicture *picture)
{
	const PadvModel *model = &picture->model;
	const PadvEstimate *chosen = padv_model_chosen(model);

	padv_row_int(row, chosen->connections);
	padv_row_int(row, chosen->low);
	padv_row_int(row, chosen->high);
	padv_row_text(row, padv_method_name(model->chosen));
	padv_row_text(row, padv_confidence_name(chosen->confidence));
	padv_row_float(row, picture->model.busy_ratio);
	padv_row_int(row, model->pool_size);
	padv_row_float(row, model->load_ratio);
	padv_row_text(row, padv_verdict_name(model->verdict));
}

static void
add_own_cost(PadvRow *row, const PadvPicture *picture)
{
	padv_row_int(row, picture->last.parallel_workers);
	padv_row_float(row, picture->model.demand);
	padv_row_int(row, picture->samples_total);
	padv_row_known_float(row, picture->load.sample_cost);
}

static void
add_transactions(PadvRow *row, const PadvLoad *load)
{
	padv_row_known_float(row, load->transactions_per_second);
	padv_row_known_float(row, load->rollbacks_per_second);
	padv_row_known_float(row, load->transaction_seconds);
	padv_row_int(row, (int64) load->transactions_total);
	padv_row_int(row, (int64) load->rollbacks_total);
}

/*
 * One row.  Before the first sample only what needs none is known.
 */
Datum
padv_status(PG_FUNCTION_ARGS)
{
	PadvSituation situation;
	PadvRow		row = {0};
	TupleDesc	tupdesc;
	bool		sampled;

	padv_require_preloaded();
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	padv_read_situation(&situation, false);
	sampled = situation.picture.taken_at != 0;

	padv_row_add(&row, TimestampTzGetDatum(situation.picture.taken_at), !sampled);
	padv_row_add(&row, Float8GetDatum(situation.age_seconds), !sampled);
	padv_row_bool(&row, situation.worker_running);
	padv_row_int(&row, MaxConnections);
	padv_row_int(&row, MaxConnections - padv_reserved_connections());
	if (sampled)
	{
		add_counts(&row, &situation.picture);
		add_minute(&row, &situation.picture);
		add_model(&row, &situation.picture);
		add_own_cost(&row, &situation.picture);
		add_transactions(&row, &situation.picture.load);
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
store_server_max_active(FunctionCallInfo fcinfo, const PadvSituation *situation)
{
	char		text[PADV_SENTENCE];
	PadvRow		row = {0};
	bool		off = situation->gate.limit < 0;

	padv_explain_gate(&situation->gate, &situation->picture.control, text, sizeof(text));
	padv_row_text(&row, "server_max_active");
	padv_row_add(&row, Int64GetDatum(situation->gate.limit), off);
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
padv_optimal_methods(PG_FUNCTION_ARGS)
{
	PadvSituation situation;
	const PadvModel *model = &situation.picture.model;
	char		text[PADV_SENTENCE];
	PadvRow		row = {0};

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	padv_read_situation(&situation, false);

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
	if (situation.gate.setting == PADV_SERVER_MAX_ACTIVE_AUTO)
		store_server_max_active(fcinfo, &situation);
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
padv_advice(PG_FUNCTION_ARGS)
{
	PadvSituation situation;
	PadvAdvice	advice[PADV_MAX_ADVICE];
	int			count;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	padv_read_situation(&situation, true);

	count = padv_advise(&situation, advice);
	for (int i = 0; i < count; i++)
		padv_row_advice(fcinfo, &advice[i]);
	return (Datum) 0;
}

/*
 * The whole reasoning, a sentence a row.
 */
Datum
padv_explain_all(PG_FUNCTION_ARGS)
{
	PadvSituation situation;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	padv_read_situation(&situation, true);
	padv_explain(&situation, padv_row_sentence, fcinfo);
	return (Datum) 0;
}
