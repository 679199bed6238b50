/*
 * test_monitoring_config.c
 *		The configurations of monitoring systems: each has every metric, and none
 *		that is not there.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/monitoring/metrics.h"
#include "core/monitoring/monitoring_config.h"
#include "tap.h"

static char text[131072];

static void
append(void *arg, const char *piece)
{
	(void) arg;
	strncat(text, piece, sizeof(text) - strlen(text) - 1);
}

static void
write_config(const char *name)
{
	const PadvMonitoringSystem *system = padv_find_monitoring_system(name);
	const PadvConfigWriter writer = {append, NULL};

	text[0] = '\0';
	if (system != NULL)
		system->write(&writer);
}

/* Whether the text has this as a whole word. */
static bool
has_word(const char *word)
{
	size_t		length = strlen(word);

	for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
	{
		bool		starts = at == text || (!isalnum((unsigned char) at[-1]) && at[-1] != '_');
		bool		ends = !isalnum((unsigned char) at[length]) && at[length] != '_';

		if (starts && ends)
			return true;
	}
	return false;
}

static bool
is_metric(const char *name, size_t length)
{
	for (const PadvMetric *metric = padv_metrics; metric->name != NULL; metric++)
		if (strlen(metric->name) == length && strncmp(metric->name, name, length) == 0)
			return true;
	return false;
}

/* The histogram is in openmetrics() only; a comment on the alert rules names it. */
static bool
is_histogram(const char *name)
{
	static const char histogram[] = "pool_advisor_transaction_duration_seconds_";

	return strncmp(name, histogram, strlen(histogram)) == 0;
}

/* Words that start as the names do, and are none. */
static int
strangers(void)
{
	int			count = 0;

	for (const char *at = strstr(text, "pool_advisor_"); at != NULL; at = strstr(at + 1, "pool_advisor_"))
	{
		size_t		length = strspn(at, "abcdefghijklmnopqrstuvwxyz_0123456789");

		if (at > text && (isalnum((unsigned char) at[-1]) || at[-1] == '_'))
			continue;
		if (!is_metric(at, length) && !is_histogram(at))
		{
			printf("# %.*s\n", (int) length, at);
			count++;
		}
	}
	return count;
}

static void
test_every_metric(void)
{
	static const char *const systems[] = {
		"postgres_exporter", "sql_exporter_collector", "pgwatch", "telegraf", "datadog", "opentelemetry", "cloudnativepg",
	};

	for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++)
	{
		int			missing = 0;

		write_config(systems[i]);
		for (const PadvMetric *metric = padv_metrics; metric->name != NULL; metric++)
			missing += !has_word(metric->name);
		ok(missing == 0, "%s has every metric", systems[i]);
	}
}

static void
test_alerts(void)
{
	write_config("prometheus_rules");
	ok(strangers() == 0, "alert rules use metrics that there are");
	ok(has_word("PoolAdvisorOversubscribed") && has_word("PoolAdvisorRoleAtLimit") &&
	   has_word("PoolAdvisorLoginsRefused") && has_word("PoolAdvisorLoginsQueued") &&
	   has_word("PoolAdvisorSamplingStopped") && has_word("PoolAdvisorNoData"), "and have names that stay");
}

static void
test_dashboard(void)
{
	int			braces = 0;
	bool		quoted = false;

	write_config("grafana");
	ok(strangers() == 0, "the dashboard uses metrics that there are");
	ok(strstr(text, "pool_advisor_demand_avg{instance=~\\\"$instance\\\"}\"") != NULL, "of the chosen server");
	for (const char *at = text; *at != '\0'; at++)
	{
		if (*at == '\\')
			at++;
		else if (*at == '"')
			quoted = !quoted;
		else if (!quoted)
			braces += (*at == '{') - (*at == '}');
	}
	ok(braces == 0 && !quoted, "its braces and quotes are closed");
}

static void
test_all(void)
{
	int			count = 0;

	for (const PadvMonitoringSystem *system = padv_monitoring_systems; system->name != NULL; system++, count++)
	{
		write_config(system->name);
		ok(strlen(text) > 200 && text[strlen(text) - 1] == '\n' && strchr(text, '\t') == NULL,
		   "%s has a text", system->name);
		ok(strlen(text) < sizeof(text) - 1, "that fits");
		if (strcmp(system->name, "prometheus_rules") != 0 && strcmp(system->name, "grafana") != 0 &&
			strcmp(system->name, "cloudnativepg") != 0)
			ok(has_word("GRANT pg_monitor TO monitoring"), "and says what the role needs");
	}
	ok(count == 15, "there are 15 systems");
}

/* Words of SQL, and of what is around it, that a parenthesis can follow without a call. */
static bool
is_no_call(const char *word, size_t length)
{
	static const char *const words[] = {"FILTER", "IN", "AND", "AS", "OVER", "VALUES"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == length && strncmp(words[i], word, length) == 0)
			return true;
	return false;
}

/*
 * Calls by a bare name between SELECT and FROM: somebody else's function of that
 * name could be a better match.
 */
static int
bare_calls(void)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	int			count = 0;

	for (const char *at = strstr(text, "SELECT"); at != NULL; at = strstr(at + 1, "SELECT"))
	{
		const char *end = strstr(at, "FROM pool_advisor.");

		for (const char *open = at; end != NULL && (open = strchr(open + 1, '(')) != NULL && open < end;)
		{
			const char *word = open;

			while (word > at && strchr(letters, word[-1]) != NULL)
				word--;
			if (word == open || word[-1] == '.' || is_no_call(word, (size_t) (open - word)))
				continue;
			printf("# %.*s\n", (int) (open - word), word);
			count++;
		}
	}
	return count;
}

static void
test_calls(void)
{
	for (const PadvMonitoringSystem *system = padv_monitoring_systems; system->name != NULL; system++)
	{
		write_config(system->name);
		ok(bare_calls() == 0, "%s calls functions by their whole names", system->name);
	}
	strcpy(text, "SELECT max(value) FROM pool_advisor.metrics");
	ok(bare_calls() == 1, "one that does not is seen");
}

static void
test_names(void)
{
	ok(padv_find_monitoring_system("Postgres-Exporter") == padv_find_monitoring_system("postgres_exporter"),
	   "names are found however they are written");
	ok(padv_find_monitoring_system("prometheus-sql-exporter") == padv_find_monitoring_system("sqlexporter"),
	   "also those of packages");
	ok(padv_find_monitoring_system("ganglia") == NULL && padv_find_monitoring_system("") == NULL &&
	   padv_find_monitoring_system("sql") == NULL, "what is not there is not found");
	for (const PadvMonitoringSystem *a = padv_monitoring_systems; a->name != NULL; a++)
		if (padv_find_monitoring_system(a->name) != a ||
			(a->also != NULL && padv_find_monitoring_system(a->also) != a))
			ok(false, "%s is found as another one", a->name);
}

int
main(void)
{
	test_every_metric();
	test_alerts();
	test_dashboard();
	test_all();
	test_calls();
	test_names();
	return tap_end();
}
