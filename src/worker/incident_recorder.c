/*
 * incident_recorder.c
 *		The worker's part in finding incidents.
 *
 * Owns what the pure core needs to know of logins and of the usual load, and publishes
 * what it finds.  The worker calls it once a second.  All memory is allocated once.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "core/model/incidents.h"
#include "shmem/history_shmem.h"
#include "shmem/incidents_shmem.h"
#include "shmem/load_shmem.h"
#include "shmem/xact_stats.h"
#include "worker/incident_recorder.h"

/* The usual load is looked up so often, in microseconds. */
#define USUAL_INTERVAL INT64CONST(300000000)

struct PadvIncidentRecorder
{
	PadvIncidentWatch watch;
	PadvPace	usual;
	int64		usual_due;		/* monotonic clock */
	int64		added_at;		/* likewise; 0: never */
	int			entries;		/* of backends */
	uint64	   *logins;			/* by entry, as of the last second */
};

PadvIncidentRecorder *
padv_incident_recorder_create(void)
{
	PadvIncidentRecorder *recorder = palloc0(sizeof(PadvIncidentRecorder));
	uint32		role;

	padv_incident_watch_init(&recorder->watch, padv_incidents_newest());
	recorder->entries = padv_xact_stats_entries();
	recorder->logins = palloc0(mul_size(recorder->entries, sizeof(uint64)));
	for (int i = 0; i < recorder->entries; i++)
		recorder->logins[i] = padv_xact_stats_logins(i, &role);
	return recorder;
}

/*
 * Logins since the last second, by role.  Of several in one entry only the role of the
 * last is known, and the next login may use the entry again.
 */
static void
count_logins(PadvIncidentRecorder *recorder)
{
	for (int i = 0; i < recorder->entries; i++)
	{
		uint32		role;
		uint64		logins = padv_xact_stats_logins(i, &role);

		if (logins != recorder->logins[i])
			padv_role_watch_logins(&recorder->watch.roles, role, (double) (logins - recorder->logins[i]));
		recorder->logins[i] = logins;
	}
}

/* What this time of day is like in the history. */
static void
look_up_usual(PadvIncidentRecorder *recorder, int64 now, int64 wall)
{
	PadvHistoryPoint points[PADV_HISTORY_CHUNK];
	PadvUsual	usual;
	uint64		cursor = 0;
	int			count;

	if (now < recorder->usual_due)
		return;
	recorder->usual_due = now + USUAL_INTERVAL;
	padv_usual_begin(&usual, wall);
	while ((count = padv_history_read(PADV_HISTORY_5_MINUTES, &cursor, points)) > 0)
		for (int i = 0; i < count; i++)
			padv_usual_add(&usual, &points[i]);
	recorder->usual = padv_usual_pace(&usual);
}

void
padv_incident_recorder_sample(PadvIncidentRecorder *recorder, const PadvSample *sample)
{
	padv_growth_sample(&recorder->watch.growth, sample);
}

void
padv_incident_recorder_add(PadvIncidentRecorder *recorder, int64 now,
						   const PadvWindowMeans *means, double transactions,
						   const PadvSample *sample, const PadvStatus *status,
						   const PadvBlockers *blockers)
{
	PadvIncident changed[PADV_INCIDENT_SLOTS];
	PadvIncidentSecond second = {
		.at = means->taken_at,
		.means = means,
		.transactions = transactions,
		.io_young = (double) padv_incident_io_young(sample),
		.status = status,
		.blockers = blockers,
		.names = padv_load_names(),
	};
	bool		notable;
	int			count;

	second.seconds = recorder->added_at == 0 ? 1.0 : (double) (now - recorder->added_at) / 1e6;
	recorder->added_at = now;
	look_up_usual(recorder, now, means->taken_at);
	second.usual = recorder->usual;
	padv_role_watch_begin(&recorder->watch.roles);
	padv_role_watch_sample(&recorder->watch.roles, sample);
	count_logins(recorder);
	padv_growth_background(&recorder->watch.growth, sample->background_io);
	count = padv_incident_watch_add(&recorder->watch, &second, changed, &notable);
	if (count > 0)
		padv_incidents_publish(changed, count, notable);
}

void
padv_incident_recorder_forget(PadvIncidentRecorder *recorder)
{
	padv_incident_watch_forget(&recorder->watch);
	padv_incidents_forget();
}
