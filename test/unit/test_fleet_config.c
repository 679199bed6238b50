/*
 * test_fleet_config.c
 *		Definitions of nodes as they are read, and what is printed for a fleet: nothing of
 *		a connection string becomes SQL or a secret in the wrong place.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/monitoring/fleet_config.h"
#include "core/monitoring/metrics.h"
#include "tap.h"

static char text[400000];
static char buffer[512];
static PadvFleetNode node;

static void
append(void *arg, const char *piece)
{
	static size_t length;

	(void) arg;
	if (text[0] == '\0')
		length = 0;
	if (length + strlen(piece) < sizeof(text))
	{
		strcpy(text + length, piece);
		length += strlen(piece);
	}
}

/* Whether the definition is accepted. */
static bool
reads(const char *definition)
{
	snprintf(buffer, sizeof(buffer), "%s", definition);
	return padv_fleet_parse_node(buffer, &node) == NULL;
}

static bool
has_option(const char *keyword, const char *value)
{
	const char *found = padv_fleet_option(&node, keyword);

	return value == NULL ? found == NULL : found != NULL && strcmp(found, value) == 0;
}

static void
test_nodes(void)
{
	ok(reads("node1=host=10.0.0.1 dbname=postgres user=monitoring") && strcmp(node.name, "node1") == 0 &&
	   has_option("host", "10.0.0.1") && has_option("dbname", "postgres") && has_option("user", "monitoring"),
	   "a node is read");
	ok(has_option("connect_timeout", "2") && has_option("tcp_user_timeout", "2000") &&
	   has_option("options", "-c statement_timeout=2000") && has_option("password", NULL), "with our defaults");
	ok(reads("a.b-c_9=host = 'x y' password='it''s'") == false, "a value ends at its quote");
	ok(reads("a=  host  =  'x y'  password = 'it\\'s \\\\ 1'  ") && has_option("host", "x y") &&
	   has_option("password", "it's \\ 1"), "quotes, blanks and backslashes are libpq's");
	ok(reads("a=host=b\\ c port=1") && has_option("host", "b c"), "without quotes too");
	ok(reads("a=host=x host=y connect_timeout=9") && has_option("host", "y") && has_option("connect_timeout", "9"),
	   "the last value counts, before ours");
	ok(reads("a=host=x options='' tcp_user_timeout=") && has_option("options", NULL) && has_option("tcp_user_timeout", NULL),
	   "an empty value removes ours");
	ok(reads("a=service=there") && has_option("service", "there"), "a service is enough");
}

static void
test_bad_nodes(void)
{
	static const char *const bad[] = {
		"", "=", "node1", "node1=", "node1=  ", "=host=x", "no de=host=x", "n\"=host=x", "n'=host=x", "n;=host=x",
		"12345678901234567890123456789012345678901=host=x", "n=host", "n=host x", "n=host='x", "n=host='x\\", "n==x",
		"n=nonsense=1", "n=HOST=1", "n=client_encoding=UTF8", "n=replication=1", "n=fallback_application_name=x",
		"n=postgresql://h/d", "n=postgres://h", "n=host=a\nb", "n=host=a\tb", "n=host=\177",
	};
	int			accepted = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (reads(bad[i]))
		{
			printf("# %s\n", bad[i]);
			accepted++;
		}
	ok(accepted == 0, "what is no node is refused");
	snprintf(buffer, sizeof(buffer), "n=password=secret another");
	ok(strstr(padv_fleet_parse_node(buffer, &node), "another") == NULL, "and the refusal quotes nothing");
}

/* Random bytes: no crash under the sanitizers, and what is accepted is whole. */
static void
test_random_nodes(void)
{
	static const char pieces[][12] = {
		"a", "=", " ", "'", "\\", "host", "=x", "user=u ", "n=", "\"", "options", "password='", "port = 1 ", "\t",
	};
	int			broken = 0;

	srand(7);
	for (int round = 0; round < 200000; round++)
	{
		char		definition[256] = "";

		for (int i = rand() % 20; i > 0; i--)
			strcat(definition, pieces[(size_t) rand() % (sizeof(pieces) / sizeof(pieces[0]))]);
		if (!reads(definition))
			continue;
		for (int i = 0; i < node.noptions; i++)
			if (node.options[i].value[0] == '\0' || strchr(node.options[i].value, '\t') != NULL)
				broken++;
	}
	ok(broken == 0, "random definitions are refused or read");
}

static PadvFleetNode nodes[PADV_FLEET_MAX_NODES];
static char definitions[PADV_FLEET_MAX_NODES][256];
static const PadvFleetColumn columns[] = {{"severity", "pg_catalog.text"}, {"odd\"name", "bigint"}};
static const PadvFleetView views[] = {{"status", 1, columns}, {"advice", 2, columns}};

static void
write_fleet(const char *engine, int count)
{
	const PadvConfigWriter writer = {append, NULL};
	PadvFleetInput input = {count, nodes, 2, views};

	for (int i = 0; i < count; i++)
	{
		snprintf(definitions[i], sizeof(definitions[i]),
				 "n%d=host=h%d user=monitoring password='se\\'cr\\\\et%d'", i + 1, i + 1, i + 1);
		padv_fleet_parse_node(definitions[i], &nodes[i]);
	}
	text[0] = '\0';
	padv_find_fleet_engine(engine)->write(&writer, &input);
}

static int
count_of(const char *what)
{
	int			count = 0;

	for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
		count++;
	return count;
}

static void
test_postgres_fdw(void)
{
	write_fleet("postgres_fdw", 3);
	ok(count_of("\nCREATE SERVER ") == 3 && count_of("\nCREATE USER MAPPING ") == 3, "a server and a mapping for each node");
	ok(count_of("\nCREATE FOREIGN TABLE ") == 6 && count_of("\nCREATE VIEW ") == 2, "a foreign table for each view and node");
	ok(count_of("CREATE FOREIGN TABLE pool_advisor_fleet.\"n1:status\" ()") == 1 && count_of("node || ':' || what") == 1,
	   "whose name is no other relation's, as with a node \"fleet\" and its fleet_status");
	ok(count_of(" OPTIONS (user 'monitoring', password E'se''cr\\\\et2');\n") == 1, "a password is in the mapping");
	ok(count_of("cr\\\\et2") == 1, "and nowhere else");
	ok(count_of("\"odd\"\"name\" bigint") == 1, "names of columns are quoted");
	ok(count_of("cron.schedule") == 0, "20 nodes are read directly");
	ok(count_of("search_path") == count_of("SET search_path = pg_catalog, pg_temp\nAS $function$"),
	   "only functions have a search_path");
	ok(strncmp(text + strlen(text) - 8, "COMMIT;\n", 8) == 0, "it is one transaction");

	write_fleet("postgres_fdw", 32);
	ok(count_of("\nSELECT cron.schedule(") == 32 && count_of("pool_advisor_fleet._note(") == 0, "jobs read 32 nodes");
}

static void
test_plproxy(void)
{
	write_fleet("PL/Proxy", 2);
	ok(count_of("host=''h2'' user=''monitoring'' password=''se\\\\''cr\\\\\\\\et2''") == 1,
	   "a connection string is quoted for libpq, and again as a literal");
	ok(count_of("LANGUAGE plproxy") == 2, "a function for each view");
	ok(count_of("CREATE SERVER") == 0 && count_of("FOREIGN TABLE") == 0, "no foreign table");
}

static bool
is_metric(const char *name, size_t length)
{
	for (const PadvMetric *metric = padv_metrics; metric->name != NULL; metric++)
		if (strlen(metric->name) == length && strncmp(metric->name, name, length) == 0)
			return true;
	return false;
}

static void
test_prometheus(void)
{
	int			strangers = 0;

	write_fleet("prometheus", 3);
	for (const char *at = strstr(text, "(pool_advisor_"); at != NULL; at = strstr(at + 1, "(pool_advisor_"))
		if (!is_metric(at + 1, strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_0123456789")))
			strangers++;
	ok(count_of("(pool_advisor_") > 10 && strangers == 0, "rules are over metrics that there are");

	/* each recorded series that an alert uses is recorded */
	strangers = 0;
	for (const char *at = strstr(text, "fleet:"); at != NULL; at = strstr(at + 1, "fleet:"))
	{
		char		record[128];
		int			length = (int) strspn(at, "abcdefghijklmnopqrstuvwxyz_0123456789:");

		snprintf(record, sizeof(record), "- record: %.*s\n", length, at);
		strangers += strstr(text, record) == NULL;
	}
	ok(count_of("fleet:") > 15 && strangers == 0, "alerts are over what is recorded");
	ok(count_of("{node=~\"n1|n2|n3\"}") > 10 && count_of("PoolAdvisorFleetNodeMissing") == 3, "of these nodes");
	ok(count_of("targets: ['h2:9631']") == 1, "that are scraped where they are");
	ok(count_of("secret") == 0 && count_of("cr\\") == 0, "without passwords");
}

static void
test_engines(void)
{
	ok(padv_find_fleet_engine("Postgres-FDW") == padv_fleet_engines, "engines are found however they are written");
	ok(padv_find_fleet_engine("") == NULL && padv_find_fleet_engine("citus") == NULL, "others are not");
}

int
main(void)
{
	test_nodes();
	test_bad_nodes();
	test_random_nodes();
	test_postgres_fdw();
	test_plproxy();
	test_prometheus();
	test_engines();
	return tap_end();
}
