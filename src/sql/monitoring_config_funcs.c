/*
 * monitoring_config_funcs.c
 *		SQL function that says how a monitoring system is to be set up.
 *
 * The texts are in core/monitoring, and the same for all roles.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "core/monitoring/monitoring_config.h"
#include "shmem/status_shmem.h"
#include "sql/arguments.h"

PG_FUNCTION_INFO_V1(pool_advisor_monitoring_config);

static void
append_config_text(void *arg, const char *text)
{
	appendStringInfoString((StringInfo) arg, text);
}

static const PadvMonitoringSystem *
check_system(const char *name)
{
	const PadvMonitoringSystem *system = padv_find_monitoring_system(name);
	StringInfoData list;

	if (system != NULL)
		return system;
	initStringInfo(&list);
	for (system = padv_monitoring_systems; system->name != NULL; system++)
		appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", system->name);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized system: \"%s\"", name),
			 errhint("System must be one of: %s.", list.data)));
}

/*
 * monitoring_config(system)
 */
Datum
pool_advisor_monitoring_config(PG_FUNCTION_ARGS)
{
	StringInfoData result;
	PadvConfigWriter writer = {append_config_text, &result};

	padv_require_preloaded();
	padv_check_not_null(fcinfo, 0, "system");
	initStringInfo(&result);
	check_system(text_to_cstring(PG_GETARG_TEXT_PP(0)))->write(&writer);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(result.data, result.len));
}
