/*
 * incident_recorder.h
 *		The worker's part in finding incidents.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_INCIDENT_RECORDER_H
#define PADV_INCIDENT_RECORDER_H

#include "core/model/status.h"
#include "core/stats/sample.h"

typedef struct PadvIncidentRecorder PadvIncidentRecorder;

/*
 * Allocate the state in the current memory context.  padv_incidents_load must have been
 * called.
 */
extern PadvIncidentRecorder *padv_incident_recorder_create(void);

/* Count the sessions of a sample. */
extern void padv_incident_recorder_sample(PadvIncidentRecorder *recorder, const PadvSample *sample);

/*
 * The second that has passed: its means, transactions a second (negative: not known), the
 * last sample and status, and the roots of lock chains.  `now` is the monotonic clock in
 * microseconds.  Publishes incidents that have changed.
 */
extern void padv_incident_recorder_add(PadvIncidentRecorder *recorder, int64 now,
									   const PadvWindowMeans *means, double transactions,
									   const PadvSample *sample, const PadvStatus *status,
									   const PadvBlockers *blockers);

/* Forget all incidents, also those that last. */
extern void padv_incident_recorder_forget(PadvIncidentRecorder *recorder);

#endif							/* PADV_INCIDENT_RECORDER_H */
