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
	if (series->metric->kind == PADV_METRIC_INFO)
		put_metrics_label(writer, &first, "version", PADV_VERSION);
	put_metrics_text(writer, first ? " " : "} ");
	padv_write_number(number, series->value);
	put_metrics_text(writer, number);
	put_metrics_text(writer, "\n");
}

void
padv_openmetrics(const PadvMetricsInput *input,
				 void (*emit) (void *arg, const char *text), void *arg)
{
	Writer		writer = {emit, arg, NULL};

	padv_metrics_walk(input, put_series, &writer);
	put_metrics_text(&writer, "# EOF");
}
