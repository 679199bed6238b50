/*
 * report.h
 *		The report: one self-contained HTML page about the server.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_REPORT_H
#define PADV_REPORT_H

#include "core/advice/advice.h"
#include "core/advice/found_pools.h"
#include "core/advice/incident_words.h"
#include "core/model/scalability.h"
#include "core/model/status.h"
#include "core/monitoring/metrics.h"
#include "core/render/columns.h"
#include "core/render/html.h"
#include "core/render/role_bars.h"

/* The most roles, and the most limits, with a row of their own. */
#define PADV_REPORT_LINES PADV_MAX_SHOWN

typedef struct PadvReportFact
{
	const char *fact;
	const char *value;
	const char *source;
} PadvReportFact;

/* The incidents that are shown. */
#define PADV_REPORT_INCIDENTS 10

typedef struct PadvReportIncident
{
	PadvNamedIncident named;
	const char *began;
	const char *ended;			/* NULL while it lasts */
} PadvReportIncident;

/* A key of the load over the last ten minutes. */
typedef struct PadvReportKey
{
	PadvDimension dimension;
	const char *name;
	PadvLoadRow row;
} PadvReportKey;

/* Keys of a dimension that have a line of their own. */
#define PADV_REPORT_KEYS 5

/* The data of the page.  Strings are UTF-8. */
typedef struct PadvReport
{
	const PadvLocalStatus *local;

	const char *server_version;
	const char *cluster_name;	/* can be "" */
	const char *host;
	int			port;
	bool		standby;
	int64_t		usable_connections;

	/*
	 * Times as text in the time zone; sampled_at is set only if there is a
	 * sample.
	 */
	const char *zone;
	const char *written_at;
	const char *sampled_at;
	const char *started_at;

	/* the newest first, at most PADV_REPORT_INCIDENTS */
	const PadvReportIncident *incidents;
	int			nincidents;
	int			all_incidents;	/* how many there are */

	/* The points by resolution, as far back as they go; `from` is not used. */
	PadvTimeline timelines[PADV_RESOLUTIONS];

	const PadvScalabilityRow *rows;
	int			nrows;

	PadvRoleBar *roles;			/* will be sorted */
	int			nroles;

	const PadvReportKey *load;	/* by dimension, the largest first */
	int			nload;

	const PadvMetricsLimit *limits; /* with names, the fullest first, at most
									 * PADV_REPORT_LINES */
	int			nlimits;
	int64_t		all_limits;		/* the number of all limits */
	int64_t		default_max_sessions;	/* of roles without a limit of their
										 * own; -1: none */
	int64_t		default_in_use; /* sessions of the role that has most of them */

	const PadvNamedPool *pools; /* found ones, most open connections first */
	int			npools;

	const PadvReportFact *facts;
	int			nfacts;
} PadvReport;

/* Emit the page piece by piece. */
extern void padv_report(const PadvReport *report,
						void (*emit) (void *arg, const char *piece), void *arg);

/* Declarations that the files of the report share. */
extern const char *const padv_report_style;
extern void padv_report_load(const PadvHtml *html, const PadvReport *report);
extern void padv_report_roles(const PadvHtml *html, const PadvReport *report);
extern void padv_report_pools(const PadvHtml *html, const PadvReport *report);
extern void padv_report_advice(const PadvHtml *html, const PadvAdvice *advice, int count);
extern void padv_report_incidents(const PadvHtml *html, const PadvReport *report);
extern void padv_report_method(const PadvHtml *html, const PadvReport *report);

#endif							/* PADV_REPORT_H */
