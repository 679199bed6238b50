/*
 * report.c
 *		The report: one self-contained HTML page about the server.
 *
 * Owns the order of the page, its headline, and the periods of its charts.  The
 * page has no script and loads nothing; its content security policy says so.  The
 * SQL function concatenates the pieces.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdio.h>

#include "core/advice/explain.h"
#include "core/policy/enforcement.h"
#include "core/render/axis.h"
#include "core/render/report.h"
#include "core/render/svg.h"

#define MINUTE INT64_C(60)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/*
 * A chart of a coarser resolution must cover this many times the period of the
 * previous one.
 */
#define MORE_THAN_BEFORE 1.3

/* A round period may leave out this much at the beginning: 1 - LEAST_SHOWN. */
#define LEAST_SHOWN 0.9

static const char *const resolution_ids[PADV_RESOLUTIONS] = {"1", "2", "3"};

/* --- periods -------------------------------------------------------------- */

/* The smallest of these numbers of seconds that is not below seconds, or the last one. */
static int64_t
round_seconds(const int64_t *steps, int count, double seconds)
{
	int			i = 0;

	while (i < count - 1 && (double) steps[i] < seconds)
		i++;
	return steps[i];
}

#define ROUND_SECONDS(steps, seconds) \
	round_seconds(steps, (int) (sizeof(steps) / sizeof((steps)[0])), seconds)

/*
 * Set the beginning of a timeline to a round period that contains its points.
 * Returns false if there is no point.
 */
static bool
fit_period(PadvTimeline *timeline)
{
	static const int64_t periods[] = {
		15, 30, MINUTE, 2 * MINUTE, 3 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE,
		20 * MINUTE, 30 * MINUTE, 45 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 6 * HOUR,
		8 * HOUR, 12 * HOUR, 18 * HOUR, DAY, 36 * HOUR, 2 * DAY, 3 * DAY, 4 * DAY, 5 * DAY,
		7 * DAY, 10 * DAY, 14 * DAY,
	};
	int64_t		oldest = INT64_MAX;
	double		span;

	for (int i = 0; i < timeline->count; i++)
		if (timeline->points[i].at < oldest && timeline->points[i].at <= timeline->until)
			oldest = timeline->points[i].at;
	if (oldest == INT64_MAX)
		return false;
	span = (double) timeline->until - (double) oldest + (double) timeline->interval;
	timeline->from = timeline->until -
		ROUND_SECONDS(periods, LEAST_SHOWN * span / (double) PADV_SECOND) * PADV_SECOND;
	return true;
}

/*
 * The number of columns, each of a round length that is not shorter than a point.
 */
static int
columns_of(const PadvTimeline *timeline)
{
	static const int64_t lengths[] = {
		1, 2, 3, 5, 6, 10, 12, 15, 20, 30, MINUTE, 2 * MINUTE, 3 * MINUTE, 5 * MINUTE,
		6 * MINUTE, 10 * MINUTE, 12 * MINUTE, 15 * MINUTE, 20 * MINUTE, 30 * MINUTE, HOUR,
	};
	double		period = (double) (timeline->until - timeline->from) / (double) PADV_SECOND;
	double		least = (double) timeline->interval / (double) PADV_SECOND;
	double		length = period / PADV_MAX_COLUMNS_DRAWN;

	length = (double) ROUND_SECONDS(lengths, length > least ? length : least);
	return (int) (period / length);
}

/* A resolution with fewer points has no chart: it would have a bar or two. */
#define LEAST_POINTS 3

/* Choose the resolutions to show, and their periods.  Returns their number. */
static int
choose_periods(const PadvReport *report, PadvTimeline timelines[PADV_RESOLUTIONS])
{
	double		shown = 0.0;
	int			count = 0;

	for (int resolution = 0; resolution < PADV_RESOLUTIONS; resolution++)
	{
		PadvTimeline timeline = report->timelines[resolution];

		if (!fit_period(&timeline) || timeline.count < LEAST_POINTS ||
			(double) timeline.until - (double) timeline.from < MORE_THAN_BEFORE * shown)
			continue;
		shown = (double) timeline.until - (double) timeline.from;
		timelines[count++] = timeline;
	}
	return count;
}

/* --- the verdict ---------------------------------------------------------- */

static const char *
headline(const PadvLocalStatus *local)
{
	if (local->status.taken_at == 0)
		return "Nothing is known yet.";
	switch (local->status.model.verdict)
	{
		case PADV_VERDICT_IDLE:
			return "There is next to nothing to do.";
		case PADV_VERDICT_WITHIN:
			return "There is room for more.";
		case PADV_VERDICT_AT_OPTIMUM:
			return "The server is at its best.";
		case PADV_VERDICT_OVERSUBSCRIBED:
			return "More sessions want to work than help.";
		case PADV_VERDICT_CONTENTION:
			return "Sessions wait for each other's locks.";
		case PADV_VERDICT_STALLED:
			return "Most of the work stands still.";
	}
	return "";
}

static const char *
verdict_class(const PadvLocalStatus *local)
{
	static const char *const classes[] = {"fine", "fine", "fine", "bad", "bad", "bad"};

	if (padv_sampling_stopped(local))
		return "bad";
	return classes[local->status.model.verdict];
}

static void
write_figure(const PadvHtml *html, const char *name, const char *value, const char *of)
{
	padv_html_markup(html, "<div><dt>");
	padv_html_text(html, name);
	padv_html_markup(html, "</dt><dd><b>");
	padv_html_text(html, value);
	padv_html_markup(html, "</b> ");
	padv_html_text(html, of);
	padv_html_markup(html, "</dd></div>\n");
}

static void
write_figures(const PadvHtml *html, const PadvReport *report)
{
	const PadvStatus *status = &report->local->status;
	const PadvModel *model = &status->model;
	const PadvEstimate *chosen = padv_model_chosen(model);
	char		value[PADV_LABEL];
	char		other[PADV_LABEL];
	char		of[100];

	padv_html_markup(html, "<dl class=\"figures\">\n");
	padv_label_number(model->load_ratio, value, sizeof(value));
	padv_label_number(model->demand, other, sizeof(other));
	snprintf(of, sizeof(of), "demand %s, optimum %lld", other, (long long) chosen->connections);
	write_figure(html, "Load ratio", value, of);

	snprintf(value, sizeof(value), "%lld", (long long) chosen->connections);
	snprintf(of, sizeof(of), "active connections, range %lld to %lld",
			 (long long) chosen->low, (long long) chosen->high);
	write_figure(html, "Optimum", value, of);

	snprintf(value, sizeof(value), "%lld", (long long) model->pool_size);
	if (model->pool_size == 0)
		snprintf(value, sizeof(value), "not known");
	snprintf(of, sizeof(of), model->pool_size > 0 ? "connections keep %lld of them active" :
			 "no load was measured yet; the optimum is %lld", (long long) chosen->connections);
	write_figure(html, "Pool size", value, of);

	snprintf(of, sizeof(of), "found by %s", padv_method_name(model->chosen));
	write_figure(html, "Confidence", padv_confidence_name(chosen->confidence), of);

	padv_label_number(status->minute.active, value, sizeof(value));
	snprintf(of, sizeof(of), "mean of the last minute, at most %lld",
			 (long long) status->minute.active_max);
	write_figure(html, "Active", value, of);

	snprintf(value, sizeof(value), "%lld", (long long) status->last.sessions);
	snprintf(of, sizeof(of), "of %lld that ordinary roles can have",
			 (long long) report->usable_connections);
	write_figure(html, "Sessions", value, of);
	padv_html_markup(html, "</dl>\n");
}

static void
write_fact(const PadvHtml *html, const char *name, const char *value)
{
	padv_html_markup(html, "<div><dt>");
	padv_html_text(html, name);
	padv_html_markup(html, "</dt><dd>");
	padv_html_text(html, value);
	padv_html_markup(html, "</dd></div>\n");
}

static void
write_server(const PadvHtml *html, const PadvReport *report)
{
	char		text[400];

	padv_html_markup(html, "<dl class=\"facts\">\n");
	if (report->cluster_name[0] != '\0')
		write_fact(html, "Cluster", report->cluster_name);
	snprintf(text, sizeof(text), "PostgreSQL %s, %s", report->server_version,
			 report->standby ? "a standby" : "a primary");
	write_fact(html, "Server", text);
	snprintf(text, sizeof(text), "%s, port %d", report->host, report->port);
	write_fact(html, "Host", text);
	write_fact(html, "Started", report->started_at);
	if (report->local->status.taken_at != 0)
	{
		snprintf(text, sizeof(text), "%s, %.1f s before this page", report->sampled_at,
				 report->local->age_seconds);
		write_fact(html, "Sampled", text);
	}
	write_fact(html, "Written", report->written_at);
	padv_html_markup(html, "</dl>\n");
}

static void
write_reason(const PadvHtml *html, const PadvLocalStatus *local)
{
	const PadvModel *model = &local->status.model;
	const PadvEstimate *chosen = padv_model_chosen(model);
	char		demand[PADV_LABEL];
	char		ratio[PADV_LABEL];

	if (padv_sampling_stopped(local))
		padv_html_markup(html, "<p class=\"stopped\">Sampling has stopped; all figures are of the last sample. The advice says what to do.</p>\n");
	if (local->status.taken_at == 0)
		return;
	padv_html_markup(html, "<p>");
	padv_label_number(model->demand, demand, sizeof(demand));
	padv_label_number(model->load_ratio, ratio, sizeof(ratio));
	padv_html_text_format(html,
						  "Over the last minute %s sessions wanted to work on average, and %s %lld active (range %lld to %lld; confidence %s), so the load is %s times the optimum: ",
						  demand, padv_number_source(model), (long long) chosen->connections, (long long) chosen->low,
						  (long long) chosen->high, padv_confidence_name(chosen->confidence), ratio);
	padv_html_markup(html, "<b>");
	padv_html_text_format(html, "%s", padv_verdict_name(model->verdict));
	padv_html_markup(html, "</b>");
	padv_html_text_format(html, ", as %s.", padv_verdict_reason(model->verdict));
	padv_html_markup(html, "</p>\n");
}

static void
write_warning(const PadvHtml *html, const char *text)
{
	if (text[0] == '\0')
		return;
	padv_html_markup(html, "<p class=\"stopped\">");
	padv_html_text(html, text);
	padv_html_markup(html, "</p>\n");
}

/* Write a warning if limits are not enforced. */
static void
write_enforcement(const PadvHtml *html, const PadvLocalStatus *local)
{
	char		text[200];

	padv_explain_enforcement(local->enforcement, text, sizeof(text));
	write_warning(html, text);
	if (local->enforcement == PADV_ENFORCEMENT_OFF)
		return;					/* the first warning covers both */
	padv_explain_gate_enforcement(local->enforcement, local->gate_enforcement,
								  text, sizeof(text));
	write_warning(html, text);
}

static void
write_verdict(const PadvHtml *html, const PadvReport *report)
{
	padv_html_format(html, "<header class=\"%s\">\n<p class=\"name\">pool_advisor report</p>\n<h1>",
					 verdict_class(report->local));
	padv_html_text(html, headline(report->local));
	padv_html_markup(html, "</h1>\n");
	write_reason(html, report->local);
	write_enforcement(html, report->local);
	if (report->local->status.taken_at != 0)
		write_figures(html, report);
	write_server(html, report);
	padv_html_markup(html, "</header>\n");
}

/* --- the page ------------------------------------------------------------- */

static void
write_head(const PadvHtml *html, const PadvReport *report)
{
	const PadvLocalStatus *local = report->local;

	padv_html_markup(html,
					 "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
					 "<meta charset=\"utf-8\"/>\n"
					 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
					 "<meta name=\"robots\" content=\"noindex\"/>\n"
					 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
					 "<title>");
	padv_html_text_format(html, "pool_advisor: %s, %s%s%s:%d",
						  local->status.taken_at == 0 ? "no sample yet" :
						  padv_verdict_name(local->status.model.verdict),
						  report->cluster_name, report->cluster_name[0] == '\0' ? "" : ", ",
						  report->host, report->port);
	padv_html_markup(html, "</title>\n<style>\n");
	padv_html_markup(html, padv_report_style);
	padv_html_markup(html, "</style>\n</head>\n");
}

/* Write a sentence in place of the charts over time. */
static void
write_no_times(const PadvHtml *html, const PadvReport *report)
{
	PadvTimeline timeline = report->timelines[0];
	char		sentence[200];

	timeline.from = timeline.until - 15 * MINUTE * PADV_SECOND;
	if (fit_period(&timeline))
		snprintf(sentence, sizeof(sentence), "The history has just begun: there are charts from %d points on.", LEAST_POINTS);
	else
		padv_columns_write_no_samples(&timeline, sentence, sizeof(sentence));
	padv_html_markup(html, "<p class=\"nothing\">");
	padv_html_text(html, sentence);
	padv_html_markup(html, "</p>\n");
}

/* Write the load and the wait classes of each period. */
static void
write_times(const PadvHtml *html, const PadvReport *report)
{
	PadvTimeline timelines[PADV_RESOLUTIONS];
	int			count = choose_periods(report, timelines);
	char		id[16];

	padv_html_markup(html, "<section id=\"load\"><h2>Load against the optimum</h2>\n");
	if (count == 0)
		write_no_times(html, report);
	for (int i = 0; i < count; i++)
	{
		snprintf(id, sizeof(id), "load-%s", resolution_ids[i]);
		padv_svg_load(html, id, &timelines[i], columns_of(&timelines[i]), report->zone);
	}
	padv_html_markup(html, "</section>\n<section id=\"waits\"><h2>What active connections wait for</h2>\n");
	if (count == 0)
		write_no_times(html, report);
	for (int i = 0; i < count; i++)
	{
		snprintf(id, sizeof(id), "waits-%s", resolution_ids[i]);
		padv_svg_waits(html, id, &timelines[i], columns_of(&timelines[i]), report->zone);
	}
	padv_html_markup(html, "</section>\n");
}

void
padv_report(const PadvReport *report, void (*emit) (void *arg, const char *piece), void *arg)
{
	const PadvHtml html = {emit, arg};
	PadvAdvice	advice[PADV_MAX_ADVICE + PADV_MAX_FOUND_ADVICE];
	int			count = padv_advise(report->local, advice);

	count += padv_advise_found_pools(report->local, report->pools, report->npools, advice + count);
	padv_advice_sort(advice, count);
	write_head(&html, report);
	padv_html_markup(&html, "<body>\n");
	padv_svg_patterns(&html);
	padv_html_markup(&html, "<main>\n");
	write_verdict(&html, report);
	padv_html_format(&html,
					 "<nav aria-label=\"Sections\"><a href=\"#advice\">Advice (%d)</a> <a href=\"#incidents\">Incidents (%d)</a> ",
					 count, report->all_incidents);
	padv_html_markup(&html,
					 "<a href=\"#load\">Load</a> <a href=\"#waits\">Waits</a> <a href=\"#who\">Who</a> "
					 "<a href=\"#scalability\">Scalability</a> <a href=\"#roles\">Roles and limits</a> <a href=\"#pools\">Pools</a> "
					 "<a href=\"#method\">Method and hardware</a></nav>\n");
	padv_report_advice(&html, advice, count);
	padv_report_incidents(&html, report);
	write_times(&html, report);
	padv_report_load(&html, report);
	padv_html_markup(&html, "<section id=\"scalability\"><h2>Scalability</h2>\n");
	padv_svg_scalability(&html, "curve", report->rows, report->nrows,
						 &report->local->status.model.curve);
	padv_html_markup(&html, "</section>\n");
	padv_report_roles(&html, report);
	padv_report_pools(&html, report);
	padv_report_method(&html, report);
	padv_html_markup(&html, "<footer>Written by report() of pool_advisor " PADV_VERSION
					 ". This page has no script and loads nothing.</footer>\n</main>\n</body>\n</html>\n");
}
