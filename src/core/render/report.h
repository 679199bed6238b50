/*
 * report.h
 *		The server on one page: a document of HTML that needs nothing else.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_REPORT_H
#define PADV_REPORT_H

#include "core/advice/advice.h"
#include "core/model/scalability.h"
#include "core/model/status.h"
#include "core/monitoring/metrics.h"
#include "core/render/columns.h"
#include "core/render/html.h"
#include "core/render/role_bars.h"

/* Roles, and limits, that have a line of their own. */
#define PADV_REPORT_LINES PADV_MAX_SHOWN

typedef struct PadvReportFact
{
	const char *fact;
	const char *value;
	const char *source;
} PadvReportFact;

/* All that the page tells; texts are UTF-8 as far as they are text. */
typedef struct PadvReport
{
	const PadvLocalStatus *local;

	const char *server_version;
	const char *cluster_name;	/* or "" */
	bool		standby;
	int64_t		usable_connections;

	/* moments in the zone; sampled_at only when there is a sample */
	const char *zone;
	const char *written_at;
	const char *sampled_at;
	const char *started_at;

	/* points by resolution, as far back as it reaches; `from` is not used */
	PadvTimeline timelines[PADV_RESOLUTIONS];

	const PadvScalabilityRow *rows;
	int			nrows;

	PadvRoleBar *roles;			/* are put in order */
	int			nroles;

	const PadvMetricsLimit *limits; /* with names, the fullest first, at most
									 * PADV_REPORT_LINES */
	int			nlimits;
	int64_t		all_limits;		/* how many there are */
	int64_t		default_max_sessions;	/* of each role without a limit; -1:
										 * none */
	int64_t		default_in_use; /* of the role that has most */

	const PadvReportFact *facts;
	int			nfacts;
} PadvReport;

/* The page, piece by piece. */
extern void padv_report(const PadvReport *report,
						void (*emit) (void *arg, const char *piece), void *arg);

/*
 * Between the files of the page: its style, and its tables.
 */
extern const char *const padv_report_style;
extern void padv_report_roles(const PadvHtml *html, const PadvReport *report);
extern void padv_report_advice(const PadvHtml *html, const PadvAdvice *advice, int count);
extern void padv_report_method(const PadvHtml *html, const PadvReport *report);

#endif							/* PADV_REPORT_H */
