/*
 * incidents_funcs.c
 *		SQL function with a row for each incident.
 *
 * Copies the incidents out and gives names to their OIDs.  Never waits for the worker and
 * writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <math.h>

#include "access/xlog.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "shmem/incidents_shmem.h"
#include "shmem/status_shmem.h"
#include "sql/named_incidents.h"
#include "sql/rows.h"
#include "sql/server_status.h"

PG_FUNCTION_INFO_V1(pool_advisor_incidents);

PadvNamedIncident
padv_name_incident(const PadvIncident *incident)
{
	bool		named = incident->culprit != PADV_CULPRIT_NONE && OidIsValid(incident->role);
	const char *role = named ? padv_role_name(incident->role) : "";

	/* one that was dropped cannot be altered */
	bool		known = named && GetUserNameFromId(incident->role, true) != NULL;
	char	   *database = incident->culprit == PADV_CULPRIT_DATABASE ? get_database_name(incident->database) : NULL;

	return (PadvNamedIncident) {
		.incident = *incident, .role = role, .role_quoted = known ? quote_identifier(role) : "",
		.exempt = known && (superuser_arg(incident->role) || padv_may_use_reserve(incident->role)), .standby = RecoveryInProgress(),
		.database = database ? database : "", .database_quoted = database ? quote_identifier(database) : ""
	};
}

int
padv_read_incidents(PadvNamedIncident **incidents)
{
	PadvIncident *rows;
	int			count = padv_incidents_copy(&rows);

	*incidents = palloc(Max(count, 1) * sizeof(PadvNamedIncident));
	for (int i = 0; i < count; i++)
		(*incidents)[i] = padv_name_incident(&rows[i]);
	pfree(rows);
	return count;
}

static void
add_moment(PadvRow *row, int64 moment)
{
	padv_row_add(row, TimestampTzGetDatum(moment), moment == 0);
}

static void
store_incident(FunctionCallInfo fcinfo, const PadvNamedIncident *named)
{
	const PadvIncident *incident = &named->incident;
	bool		application = incident->culprit == PADV_CULPRIT_SESSION || incident->culprit == PADV_CULPRIT_APPLICATION;
	char		text[PADV_INCIDENT_SENTENCE];
	PadvRow		row = {0};

	add_moment(&row, incident->began);
	add_moment(&row, incident->ended);
	padv_row_text(&row, padv_incident_kind_name(incident->kind));
	padv_incident_cause(named, text, sizeof(text));
	padv_row_text(&row, text);
	padv_row_text(&row, padv_culprit_name(incident->culprit));
	padv_incident_culprit(named, text, sizeof(text));
	padv_row_text(&row, text);
	padv_row_name(&row, named->role[0] != '\0' ? named->role : NULL);
	if (application)
		padv_row_text(&row, incident->application);
	else
		padv_row_null(&row);
	padv_row_rounded(&row, incident->peak);
	padv_row_text(&row, padv_incident_peak_what(incident->kind));
	padv_row_add(&row, Int64GetDatum((int64) rint(incident->not_done)), incident->not_done < 0.0);
	padv_incident_remedy(named, text, sizeof(text));
	padv_row_text(&row, text);
	padv_row_store(&row, fcinfo);
}

/*
 * One row for each incident, the newest first.
 */
Datum
pool_advisor_incidents(PG_FUNCTION_ARGS)
{
	PadvNamedIncident *incidents;
	int			count;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	count = padv_read_incidents(&incidents);
	for (int i = 0; i < count; i++)
		store_incident(fcinfo, &incidents[i]);
	return (Datum) 0;
}
