/*
 * openmetrics.c
 *		Series as text that Prometheus and its kin read.
 *
 * Owns the format: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 * Pure; the SQL function puts the pieces together.  LC_NUMERIC must be C, as it
 * always is in a server.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/monitoring/openmetrics.h"

typedef struct Writer
{
	void		(*emit) (void *arg, const char *text);
	void	   *arg;
	const PadvMetric *family;	/* whose head is written */
} Writer;

static void
put_metrics_text(const Writer *writer, const char *text)
{
	writer->emit(writer->arg, text);
}

/* The value of a label; role and database names may have anything in them. */
static void
put_escaped(const Writer *writer, const char *text)
{
	char		piece[64];
	size_t		used = 0;

	for (; *text != '\0'; text++)
	{
		if (used + 3 > sizeof(piece))
		{
			piece[used] = '\0';
			put_metrics_text(writer, piece);
			used = 0;
		}
		if (*text == '\\' || *text == '"' || *text == '\n')
			piece[used++] = '\\';
		piece[used++] = *text == '\n' ? 'n' : *text;
	}
	piece[used] = '\0';
	put_metrics_text(writer, piece);
}

void
padv_write_number(char text[PADV_NUMBER], double value)
{
	if (fabs(value) < 1e15 && value == floor(value))
	{
		snprintf(text, PADV_NUMBER, "%lld", (long long) value);
		return;
	}
	for (int digits = 15; digits <= 17; digits++)
	{
		snprintf(text, PADV_NUMBER, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			return;
	}
}

/* A family is called as its samples, but for what their type adds. */
static void
put_family_line(const Writer *writer, const char *keyword, const PadvMetric *metric, const char *value)
{
	const char *suffix = metric->kind == PADV_METRIC_COUNTER ? "_total" :
		metric->kind == PADV_METRIC_INFO ? "_info" : "";
	char		family[128];

	snprintf(family, sizeof(family), "%.*s",
			 (int) (strlen(metric->name) - strlen(suffix)), metric->name);
	put_metrics_text(writer, "# ");
	put_metrics_text(writer, keyword);
	put_metrics_text(writer, " ");
	put_metrics_text(writer, family);
	put_metrics_text(writer, " ");
	put_metrics_text(writer, value);
	put_metrics_text(writer, "\n");
}

static void
put_head(const Writer *writer, const PadvMetric *metric)
{
	static const char *const types[] = {"gauge", "counter", "info"};

	put_family_line(writer, "TYPE", metric, types[metric->kind]);
	if (metric->unit[0] != '\0')
		put_family_line(writer, "UNIT", metric, metric->unit);
	put_family_line(writer, "HELP", metric, metric->help);
}

/* One label; an empty one is none. */
static void
put_metrics_label(const Writer *writer, bool *first, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	put_metrics_text(writer, *first ? "{" : ",");
	*first = false;
	put_metrics_text(writer, name);
	put_metrics_text(writer, "=\"");
	put_escaped(writer, value);
	put_metrics_text(writer, "\"");
}

static void
put_series(void *arg, const PadvSeries *series)
{
	Writer	   *writer = arg;
	char		number[PADV_NUMBER];
	bool		first = true;

	if (writer->family != series->metric)
		put_head(writer, series->metric);
	writer->family = series->metric;

	put_metrics_text(writer, series->metric->name);
	put_metrics_label(writer, &first, "rolname", series->rolname);
	put_metrics_label(writer, &first, "datname", series->datname);
	put_metrics_label(writer, &first, "wait_class", series->wait_class);
	put_metrics_label(writer, &first, "incident", series->incident);
	if (series->metric->kind == PADV_METRIC_INFO)
		put_metrics_label(writer, &first, "version", PADV_VERSION);
	put_metrics_text(writer, first ? " " : "} ");
	padv_write_number(number, series->value);
	put_metrics_text(writer, number);
	put_metrics_text(writer, "\n");
}

/* --- durations, as histograms --- */

/* No kind of the view: only this text has histograms. */
static const PadvMetric durations = {
	.name = "pool_advisor_transaction_duration_seconds",
	.unit = "seconds",
	.help = "Durations of transactions of the role since the server started, the wait in the queue included.",
};

/* Bounds of histograms, in microseconds: bounds of PadvLatency, so that counts are exact. */
static const int64_t duration_bounds[] = {
	500, 1000, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 10000000,
};

#define DURATION_BOUNDS ((int) (sizeof(duration_bounds) / sizeof(duration_bounds[0])))

/* A bound in seconds is written with a point, whatever it is. */
static void
write_bound(char text[PADV_NUMBER], int64_t us)
{
	snprintf(text, PADV_NUMBER, us % 1000000 == 0 ? "%.1f" : "%g", (double) us / 1e6);
}

/* One line of a role; le is empty where the label does not apply. */
static void
put_duration(const Writer *writer, const char *suffix, const char *rolname, const char *le, double value)
{
	char		number[PADV_NUMBER];
	bool		first = true;

	put_metrics_text(writer, durations.name);
	put_metrics_text(writer, suffix);
	put_metrics_label(writer, &first, "rolname", rolname);
	put_metrics_label(writer, &first, "le", le);
	put_metrics_text(writer, "} ");
	padv_write_number(number, value);
	put_metrics_text(writer, number);
	put_metrics_text(writer, "\n");
}

static void
put_histogram(const Writer *writer, const PadvMetricsLatency *row)
{
	const char *name = row->labels.rolname;
	char		le[PADV_NUMBER];

	for (int i = 0; i < DURATION_BOUNDS; i++)
	{
		write_bound(le, duration_bounds[i]);
		put_duration(writer, "_bucket", name, le,
					 (double) padv_latency_count_below(&row->total, duration_bounds[i]));
	}
	put_duration(writer, "_bucket", name, "+Inf", (double) row->transactions);
	put_duration(writer, "_count", name, "", (double) row->transactions);
	put_duration(writer, "_sum", name, "", row->seconds);
}

static void
put_histograms(const Writer *writer, const PadvMetricsInput *input)
{
	if (input->nlatency == 0)
		return;
	put_family_line(writer, "TYPE", &durations, "histogram");
	put_family_line(writer, "UNIT", &durations, durations.unit);
	put_family_line(writer, "HELP", &durations, durations.help);
	for (int i = 0; i < input->nlatency; i++)
		put_histogram(writer, &input->latency[i]);
}

void
padv_openmetrics(const PadvMetricsInput *input,
				 void (*emit) (void *arg, const char *text), void *arg)
{
	Writer		writer = {emit, arg, NULL};

	padv_metrics_walk(input, put_series, &writer);
	put_histograms(&writer, input);
	put_metrics_text(&writer, "# EOF");
}
