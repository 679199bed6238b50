/*
 * reset_funcs.c
 *		The SQL function reset().
 *
 * Shared memory is reset at once.  State in the worker's memory is reset by the worker, at
 * its next sample; the function does not wait for that.  The install script grants the
 * privilege to call it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "core/text/names.h"
#include "shmem/admission.h"
#include "shmem/history_shmem.h"
#include "shmem/incidents_shmem.h"
#include "shmem/status_shmem.h"
#include "shmem/xact_slots.h"
#include "shmem/xact_stats.h"
#include "sql/arguments.h"

PG_FUNCTION_INFO_V1(pool_advisor_reset);

static bool
is_asked(const char *what, const char *name)
{
	return padv_same_name(what, name) || padv_same_name(what, "all");
}

/*
 * reset(what): 'all', 'counters', 'history', 'incidents' or 'scalability', in either case.
 *
 * Raises ERRCODE_INVALID_PARAMETER_VALUE for anything else.
 */
Datum
pool_advisor_reset(PG_FUNCTION_ARGS)
{
	const char *what;
	bool		counters;
	bool		history;
	bool		incidents;
	bool		scalability;

	padv_require_preloaded();
	padv_check_not_null(fcinfo, 0, "what");
	what = text_to_cstring(PG_GETARG_TEXT_PP(0));
	counters = is_asked(what, "counters");
	history = is_asked(what, "history");
	incidents = is_asked(what, "incidents");
	scalability = is_asked(what, "scalability");
	if (!counters && !history && !incidents && !scalability)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized reset target: \"%s\"", what),
				 errhint("Target must be one of: all, counters, history, incidents, scalability.")));
	if (counters)
	{
		padv_admission_reset_counters();
		padv_slots_reset_counters();
		padv_xact_stats_reset_latency();
	}
	if (history)
	{
		padv_history_reset();
		padv_status_request_reset(PADV_RESET_HISTORY);
	}
	if (incidents)
	{
		padv_incidents_forget();
		padv_status_request_reset(PADV_RESET_INCIDENTS);
	}
	if (scalability)
		padv_status_request_reset(PADV_RESET_SCALABILITY);
	PG_RETURN_VOID();
}
