/*
 * report_tables.c
 *		The tables and lists of the report: advice, incidents, roles and limits, method
 *		and hardware.
 *
 * Called by report.c.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>

#include "core/advice/explain.h"
#include "core/render/axis.h"
#include "core/render/report.h"
#include "core/text/emit.h"

static void
open_table(const PadvHtml *html, const char *class, const char *caption)
{
	padv_html_format(html, "<table class=\"%s\"><caption>", class);
	padv_html_text(html, caption);
	padv_html_markup(html, "</caption>\n<thead><tr>");
}

static void
head(const PadvHtml *html, const char *class, const char *text)
{
	padv_html_format(html, "<th scope=\"col\" class=\"%s\">", class);
	padv_html_text(html, text);
	padv_html_markup(html, "</th>");
}

static void
begin_rows(const PadvHtml *html)
{
	padv_html_markup(html, "</tr></thead>\n<tbody>\n");
}

static void
close_table(const PadvHtml *html)
{
	padv_html_markup(html, "</tbody></table>\n");
}

/* Begin a row with its header cell. */
static void
begin_row(const PadvHtml *html, const char *name)
{
	padv_html_markup(html, "<tr><th scope=\"row\"><bdi>");
	padv_html_text(html, name);
	padv_html_markup(html, "</bdi></th>");
}

static void
end_row(const PadvHtml *html)
{
	padv_html_markup(html, "</tr>\n");
}

static void
text_cell(const PadvHtml *html, const char *text)
{
	padv_html_markup(html, "<td>");
	padv_html_text(html, text);
	padv_html_markup(html, "</td>");
}

/* Write a number; 0 is less prominent. */
static void
number_cell(const PadvHtml *html, const char *label, bool is_zero)
{
	padv_html_markup(html, is_zero ? "<td class=\"n none\">" : "<td class=\"n\">");
	padv_html_text(html, label);
	padv_html_markup(html, "</td>");
}

static void
count_cell(const PadvHtml *html, int64_t count)
{
	char		label[PADV_LABEL];

	padv_label_count(count, label, sizeof(label));
	number_cell(html, label, count <= 0);
}

static void
limit_cell(const PadvHtml *html, int64_t limit)
{
	if (limit < 0)
		padv_html_markup(html, "<td class=\"n none\">none</td>");
	else
		count_cell(html, limit);
}

/* Write the number of sessions, and the limit if there is one. */
static void
sessions_cell(const PadvHtml *html, int64_t sessions, int64_t limit)
{
	char		label[PADV_LABEL];

	padv_label_count(sessions, label, sizeof(label));
	padv_html_markup(html, "<td class=\"n\">");
	padv_html_text(html, label);
	if (limit >= 0)
	{
		padv_label_count(limit, label, sizeof(label));
		padv_html_markup(html, " / ");
		padv_html_text(html, label);
	}
	padv_html_markup(html, "</td>");
}

/* The length of a bar that is not drawn, because there is none to compare it with. */
#define NO_BAR (-1.0)

/* Write a number with a bar, whose length is a share of the greatest. */
static void
bar_cell(const PadvHtml *html, const char *label, double share, bool full)
{
	padv_html_markup(html, "<td class=\"bar\"><span>");
	padv_html_text(html, label);
	padv_html_markup(html, "</span>");
	if (share == NO_BAR)
	{
		padv_html_markup(html, "</td>");
		return;
	}
	padv_html_markup(html, "<svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
					 "<rect class=\"empty\" width=\"100\" height=\"10\"/>");
	padv_html_format(html, "<rect class=\"%s\" width=\"", full ? "full" : "mean");
	padv_html_number(html, 100.0 * fmin(fmax(share, 0.0), 1.0));
	padv_html_markup(html, "\" height=\"10\"/></svg></td>");
}

/* A number of sessions on average; a hundredth of one is small enough. */
static void
label_average(double sessions, char *label, size_t size)
{
	if (sessions > 0.0 && sessions < 0.01)
		snprintf(label, size, "< 0.01");
	else
		padv_label_number(sessions < 1.0 ? floor(sessions * 100.0 + 0.5) / 100.0 : sessions, label, size);
}

/* --- whose load it is ------------------------------------------------------- */

static void
average_cell(const PadvHtml *html, double sessions)
{
	char		label[PADV_LABEL];

	label_average(sessions, label, sizeof(label));
	number_cell(html, label, !(sessions > 0.0));
}

static void
write_key(const PadvHtml *html, const PadvReportKey *key, bool alone, double all)
{
	const PadvLoadRow *row = &key->row;
	char		label[PADV_LABEL];

	padv_html_format(html, "<tr><th scope=\"row\">%s <bdi>", padv_dimension_name(key->dimension));
	padv_html_text(html, key->name);
	padv_html_markup(html, "</bdi></th>");
	label_average(row->active_avg, label, sizeof(label));
	bar_cell(html, label, alone ? NO_BAR : all > 0.0 ? row->active_avg / all : 0.0, false);
	average_cell(html, row->in_class[PADV_ON_CPU]);
	average_cell(html, row->in_class[PADV_WAITING_IO]);
	average_cell(html, row->in_class[PADV_WAITING_LOCK]);
	average_cell(html, row->blame);
	end_row(html);
}

void
padv_report_load(const PadvHtml *html, const PadvReport *report)
{
	double		all = 0.0;
	int			shown = 0;

	padv_html_markup(html, "<section id=\"who\"><h2>Who the load is</h2>\n");
	if (report->nload <= 0)
	{
		padv_html_markup(html, "<p class=\"nothing\">Nothing was active in the last ten minutes.</p>\n</section>\n");
		return;
	}
	for (int i = 0; i < report->nload && report->load[i].dimension == report->load[0].dimension; i++)
		all += report->load[i].row.active_avg;
	open_table(html, "load", "Active sessions, the mean of the last ten minutes; blamed are sessions that waited for a lock because of this one.");
	head(html, "", "Who or what");
	head(html, "bar", "Active");
	head(html, "n", "On CPU");
	head(html, "n", "I/O");
	head(html, "n", "Lock");
	head(html, "n", "Blamed");
	begin_rows(html);
	for (int i = 0; i < report->nload; i++)
	{
		bool		last = i + 1 == report->nload || report->load[i + 1].dimension != report->load[i].dimension;

		shown = i > 0 && report->load[i].dimension == report->load[i - 1].dimension ? shown + 1 : 1;
		if (shown <= PADV_REPORT_KEYS)
			write_key(html, &report->load[i], shown == 1 && last, all);
	}
	close_table(html);
	padv_html_markup(html, "</section>\n");
}

/* --- roles and limits ------------------------------------------------------- */

static void
write_role(const PadvHtml *html, const PadvRoleBar *role, bool alone, double greatest)
{
	char		label[PADV_LABEL];

	begin_row(html, role->name);
	label_average(role->active_avg, label, sizeof(label));
	bar_cell(html, label, alone ? NO_BAR : greatest > 0.0 ? role->active_avg / greatest : 0.0, false);
	sessions_cell(html, role->sessions, role->limit);
	count_cell(html, role->idle_in_transaction);
	count_cell(html, role->queued);
	count_cell(html, role->refused);
	end_row(html);
}

/* Write the sum of the roles without a row of their own. */
static void
write_other_roles(const PadvHtml *html, const PadvRoleBar *roles, int count, double greatest)
{
	PadvRoleBar sum = padv_role_bars_sum(roles, count);
	char		name[40];
	char		label[PADV_LABEL];

	snprintf(name, sizeof(name), "(%d other roles)", count);
	begin_row(html, name);
	label_average(sum.active_avg, label, sizeof(label));
	bar_cell(html, label, greatest > 0.0 ? sum.active_avg / greatest : 0.0, false);
	sessions_cell(html, sum.sessions, -1);
	count_cell(html, sum.idle_in_transaction);
	count_cell(html, sum.queued);
	count_cell(html, sum.refused);
	end_row(html);
}

static void
write_roles(const PadvHtml *html, const PadvReport *report)
{
	int			lines = report->nroles < PADV_REPORT_LINES ? report->nroles : PADV_REPORT_LINES;
	double		greatest;
	bool		alone = report->nroles == 1;

	if (report->nroles <= 0)
	{
		padv_html_markup(html, "<p class=\"nothing\">No role has a session, or had an active one in the last minute.</p>\n");
		return;
	}
	padv_role_bars_order(report->roles, report->nroles);
	greatest = report->roles[0].active_avg;
	open_table(html, "roles", "Roles: active connections are the mean of the last minute, refused are logins since the server started, the others are of the last sample.");
	head(html, "", "Role");
	head(html, "bar", "Active");
	head(html, "n", "Sessions / limit");
	padv_html_markup(html, "<th scope=\"col\" class=\"n\">Idle in trans&#173;ac&#173;tion</th>");
	head(html, "n", "In the queue");
	head(html, "n", "Refused");
	begin_rows(html);
	for (int i = 0; i < lines; i++)
		write_role(html, &report->roles[i], alone, greatest);
	if (report->nroles > lines)
		write_other_roles(html, report->roles + lines, report->nroles - lines, greatest);
	close_table(html);
}

/* Write the scope of a limit.  The names can be any text. */
static void
write_place(const PadvHtml *html, const PadvMetricsLimit *limit)
{
	padv_html_markup(html, "<tr><th scope=\"row\">");
	if (limit->labels.rolname)
	{
		padv_html_markup(html, limit->is_group ? "group <bdi>" : "role <bdi>");
		padv_html_text(html, limit->labels.rolname);
		padv_html_markup(html, limit->labels.datname ? "</bdi> in " : "</bdi>");
	}
	if (limit->labels.datname)
	{
		padv_html_markup(html, "database <bdi>");
		padv_html_text(html, limit->labels.datname);
		padv_html_markup(html, "</bdi>");
	}
	padv_html_markup(html, "</th>");
}

/* Write how much of a limit is in use; more than the limit shows as a full bar. */
static void
write_use(const PadvHtml *html, int64_t in_use, int64_t most)
{
	char		label[PADV_LABEL];

	padv_label_count(in_use, label, sizeof(label));
	if (most < 0)
		count_cell(html, in_use);
	else
		bar_cell(html, label, most == 0 ? 1.0 : (double) in_use / (double) most, in_use >= most);
	limit_cell(html, most);
	if (most < 0)
		limit_cell(html, -1);
	else
		count_cell(html, in_use < most ? most - in_use : 0);
	end_row(html);
}

static void
write_limits(const PadvHtml *html, const PadvReport *report)
{
	int64_t		more = report->all_limits - report->nlimits;

	if (report->nlimits <= 0 && report->default_max_sessions < 0)
	{
		padv_html_markup(html, "<p class=\"nothing\">No limit on sessions is in force.</p>\n");
		return;
	}
	open_table(html, "limits", "Limits on sessions in force, the fullest first.");
	head(html, "", "Limit on");
	head(html, "bar", "In use");
	head(html, "n", "Limit");
	head(html, "n", "Room");
	begin_rows(html);
	for (int i = 0; i < report->nlimits; i++)
	{
		write_place(html, &report->limits[i]);
		write_use(html, report->limits[i].in_use, report->limits[i].max_sessions);
	}
	if (report->default_max_sessions >= 0)
	{
		padv_html_markup(html, "<tr><th scope=\"row\">each other role (the default; in use by the one that has most)</th>");
		write_use(html, report->default_in_use, report->default_max_sessions);
	}
	close_table(html);
	if (more > 0)
	{
		padv_html_markup(html, "<p>");
		padv_html_text_format(html, "And %lld more, which the view limits shows.", (long long) more);
		padv_html_markup(html, "</p>\n");
	}
}

void
padv_report_roles(const PadvHtml *html, const PadvReport *report)
{
	char		text[PADV_SENTENCE];

	padv_html_markup(html, "<section id=\"roles\"><h2>Roles and limits</h2>\n");
	write_roles(html, report);
	write_limits(html, report);
	padv_slot_stats_explain(&report->local->gate, &report->local->status.control, text, sizeof(text));
	padv_html_markup(html, "<p>Transactions: ");
	padv_html_text(html, text);
	padv_html_markup(html, "</p>\n");
	padv_html_markup(html, "</section>\n");
}

/* --- pools ------------------------------------------------------------------ */

/* People beside the pools are not worth a line. */
static bool
is_listed(const PadvNamedPool *pool)
{
	return pool->pool.kind != PADV_POOL_INTERACTIVE;
}

static void
write_pool(const PadvHtml *html, const PadvNamedPool *named)
{
	const PadvFoundPool *pool = &named->pool;
	const char *kind = padv_pool_kind_name(pool->kind);
	char		reason[PADV_POOL_REASON];

	padv_html_markup(html, "<tr><th scope=\"row\"><bdi>");
	padv_html_text(html, named->application[0] != '\0' ? named->application : named->role);
	padv_html_markup(html, "</bdi><span class=\"below\"><bdi>");
	padv_html_text(html, named->role);
	padv_html_markup(html, "</bdi> <bdi>");
	padv_html_text(html, named->database);
	padv_html_markup(html, "</bdi> ");
	padv_html_text(html, named->client != NULL ? named->client : "");
	padv_html_markup(html, "</span></th>");
	text_cell(html, kind != NULL ? kind : "");
	sessions_cell(html, pool->open, pool->max_open);
	count_cell(html, pool->max_in_use);
	if (pool->suggested > 0)
		count_cell(html, pool->suggested);
	else
		limit_cell(html, -1);
	padv_explain_found_pool(pool, reason, sizeof(reason));
	text_cell(html, reason);
	end_row(html);
}

void
padv_report_pools(const PadvHtml *html, const PadvReport *report)
{
	int			lines = 0;
	int			all = 0;

	for (int i = 0; i < report->npools; i++)
		all += is_listed(&report->pools[i]);
	padv_html_markup(html, "<section id=\"pools\"><h2>Pools in front</h2>\n");
	if (all == 0)
	{
		padv_html_markup(html, "<p class=\"nothing\">No pool was found.</p>\n</section>\n");
		return;
	}
	open_table(html, "pools", "Pools, found from the sessions: those of one role, database, application and client.");
	head(html, "", "Pool");
	head(html, "", "Kind");
	head(html, "n", "Open / most");
	head(html, "n", "Most in use");
	head(html, "n", "Needs");
	head(html, "", "Why");
	begin_rows(html);
	for (int i = 0; i < report->npools && lines < PADV_REPORT_LINES; i++)
	{
		if (!is_listed(&report->pools[i]))
			continue;
		write_pool(html, &report->pools[i]);
		lines++;
	}
	close_table(html);
	if (all > lines)
	{
		padv_html_markup(html, "<p>");
		padv_html_text_format(html, "And %d more, which the view pools shows.", all - lines);
		padv_html_markup(html, "</p>\n");
	}
	padv_html_markup(html, "</section>\n");
}

/* --- advice --------------------------------------------------------------- */

static void
write_advice(const PadvHtml *html, const PadvAdvice *advice)
{
	padv_html_format(html, "<li class=\"%s\"><h3><span class=\"severity\">%s</span> ",
					 padv_severity_name(advice->severity), padv_severity_name(advice->severity));
	padv_html_text(html, advice->code);
	padv_html_markup(html, " <span class=\"subject\"><bdi>");
	padv_html_text(html, advice->subject);
	padv_html_markup(html, "</bdi></span></h3>\n<p>");
	padv_html_text(html, advice->finding);
	padv_html_markup(html, "</p>\n<p>");
	padv_html_text(html, advice->recommendation);
	padv_html_markup(html, "</p>\n");
	if (advice->fix[0] != '\0')
	{
		padv_html_markup(html, "<pre><code>");
		padv_html_text(html, advice->fix);
		padv_html_markup(html, "</code></pre>\n");
	}
	padv_html_markup(html, "</li>\n");
}

void
padv_report_advice(const PadvHtml *html, const PadvAdvice *advice, int count)
{
	padv_html_markup(html, "<section id=\"advice\"><h2>Advice</h2>\n");
	if (count == 0)
		padv_html_markup(html, "<p class=\"nothing\">There is none: all is well. Advice on declared pools is in the view advice only.</p>\n");
	else
	{
		padv_html_markup(html, "<ol class=\"advice\">\n");
		for (int i = 0; i < count; i++)
			write_advice(html, &advice[i]);
		padv_html_markup(html, "</ol>\n<p>Advice on declared pools is in the view advice only.</p>\n");
	}
	padv_html_markup(html, "</section>\n");
}

/* --- incidents ------------------------------------------------------------ */

static void
write_incident(const PadvHtml *html, const PadvReportIncident *shown)
{
	const PadvIncident *incident = &shown->named.incident;
	char		text[PADV_INCIDENT_SENTENCE];

	padv_html_markup(html, shown->ended == NULL ? "<li class=\"critical\"><h3><span class=\"severity\">now</span> " :
					 "<li><h3>");
	padv_html_text(html, padv_incident_kind_name((PadvIncidentKind) incident->kind));
	padv_html_markup(html, " <span class=\"subject\">");
	padv_html_text_format(html, shown->ended == NULL ? "since %s%s" : "%s to %s", shown->began, shown->ended ? shown->ended : "");
	padv_html_markup(html, "</span></h3>\n<p><bdi>");
	padv_incident_cause(&shown->named, text, sizeof(text));
	padv_html_text(html, text);
	padv_html_markup(html, "</bdi></p>\n<p>");
	if (incident->not_done >= 0.5)
		padv_html_text_format(html, "About %.0f transactions were not done. ", incident->not_done);
	padv_incident_remedy(&shown->named, text, sizeof(text));
	padv_html_text(html, "What would have helped: ");
	padv_html_text(html, text);
	padv_html_markup(html, "</p>\n</li>\n");
}

void
padv_report_incidents(const PadvHtml *html, const PadvReport *report)
{
	padv_html_markup(html, "<section id=\"incidents\"><h2>Incidents</h2>\n");
	if (report->nincidents == 0)
		padv_html_markup(html, "<p class=\"nothing\">None is on record.</p>\n");
	else
	{
		padv_html_markup(html, "<ol class=\"advice\">\n");
		for (int i = 0; i < report->nincidents; i++)
			write_incident(html, &report->incidents[i]);
		padv_html_markup(html, "</ol>\n");
	}
	if (report->all_incidents > report->nincidents)
	{
		padv_html_markup(html, "<p>");
		padv_html_text_format(html, "And %d older ones, which the view incidents shows.",
							  report->all_incidents - report->nincidents);
		padv_html_markup(html, "</p>\n");
	}
	padv_html_markup(html, "</section>\n");
}

/* --- method and hardware -------------------------------------------------- */

static void
write_method(const PadvHtml *html, const PadvModel *model, PadvMethod method)
{
	const PadvEstimate *estimate = &model->estimates[method];
	bool		chosen = estimate->available && method == model->chosen;
	char		text[600];

	padv_html_markup(html, chosen ? "<tr class=\"chosen\"><th scope=\"row\">" : "<tr><th scope=\"row\">");
	padv_html_text(html, padv_method_name(method));
	if (chosen)
		padv_html_markup(html, " <span class=\"tag\">chosen</span>");
	if (estimate->available)
	{
		padv_html_markup(html, "<span class=\"below\">");
		padv_html_text_format(html, "confidence: %s", padv_confidence_name(estimate->confidence));
		padv_html_markup(html, "</span></th>");
		padv_html_markup(html, "<td class=\"n\"><b>");
		padv_html_text_format(html, "%lld", (long long) estimate->connections);
		padv_html_markup(html, "</b><span class=\"below\">");
		padv_html_text_format(html, "%lld to %lld", (long long) estimate->low, (long long) estimate->high);
		padv_html_markup(html, "</span></td>");
		padv_explain_method(model, method, text, sizeof(text));
		text_cell(html, text);
	}
	else
	{
		padv_html_markup(html, "</th><td class=\"n none\">none</td><td class=\"none\">");
		padv_html_text_format(html, "Not available: %s.", padv_not_available_because(model, method));
		padv_html_markup(html, "</td>");
	}
	end_row(html);
}

static void
write_methods(const PadvHtml *html, const PadvModel *model)
{
	open_table(html, "methods", "How the optimum, a number of active connections, was found: of the methods that have one the last is chosen.");
	head(html, "", "Method");
	padv_html_markup(html, "<th scope=\"col\" class=\"n\">Connec&#173;tions</th>");
	head(html, "", "How");
	begin_rows(html);
	for (PadvMethod method = 0; method < PADV_METHODS; method++)
		write_method(html, model, method);
	close_table(html);
}

static void
write_facts(const PadvHtml *html, const PadvReport *report)
{
	if (report->nfacts <= 0)
	{
		padv_html_markup(html, "<p class=\"nothing\">The machine has not been looked at yet.</p>\n");
		return;
	}
	open_table(html, "hardware", "Hardware: what the machine grants the server, and where that was read.");
	head(html, "", "Fact");
	head(html, "", "Value");
	head(html, "", "Source");
	begin_rows(html);
	for (int i = 0; i < report->nfacts; i++)
	{
		begin_row(html, report->facts[i].fact);
		text_cell(html, report->facts[i].value);
		text_cell(html, report->facts[i].source);
		end_row(html);
	}
	close_table(html);
}

void
padv_report_method(const PadvHtml *html, const PadvReport *report)
{
	padv_html_markup(html, "<section id=\"method\"><h2>Method and hardware</h2>\n");
	write_methods(html, &report->local->status.model);
	write_facts(html, report);
	padv_html_markup(html, "</section>\n");
}
