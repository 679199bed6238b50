/*
 * test_client_config.c
 *		What is to be set in each pool in front: the sum stays within the share,
 *		the floor holds, and the reasons can be redone.
 */
#include <stdlib.h>
#include <string.h>

#include "core/sizing/client_config.h"
#include "core/sizing/planning.h"
#include "core/sizing/queueing.h"
#include "tap.h"

/* The lines of the last plan. */
static struct
{
	char		setting[64];
	char		value[64];
	char		reason[PADV_REASON];
}			line[16];
static int	lines;
static size_t longest;

static void
collect(void *arg, const char *setting, const char *value, const char *reason)
{
	(void) arg;
	snprintf(line[lines].setting, sizeof(line[lines].setting), "%s", setting);
	snprintf(line[lines].value, sizeof(line[lines].value), "%s", value);
	snprintf(line[lines].reason, sizeof(line[lines].reason), "%s", reason);
	if (strlen(reason) > longest)
		longest = strlen(reason);
	lines++;
}

/* A server with an optimum of 20 that is busy for 0.4 of the time: 50. */
static PadvClientPlan
plan_of(const char *system, int64_t processes, double share, int64_t threads, int64_t each)
{
	PadvClientPlan plan = {
		.system = padv_find_client_system(system), .processes = processes, .share = share,
		.threads = threads, .connections_per_thread = each,
		.optimal = 20, .method = "formula", .busy_ratio = 0.4, .busy_source = "measured under the busiest load",
		.confidence = "formula", .measured_at = "noon", .throughput = 1500, .sessions = 60, .executing = 9.5,
		.pool_size = 50, .session_pool_size = 50, .max_connections = 200, .usable_connections = 197,
	};

	return plan;
}

static PadvClientPlan
show(const char *system, int64_t processes, double share, int64_t threads, int64_t each)
{
	PadvClientPlan plan = plan_of(system, processes, share, threads, each);

	padv_plan_client(&plan);
	lines = 0;
	padv_client_config(&plan, collect, NULL);
	return plan;
}

static const char *
value_of(const char *setting)
{
	for (int i = 0; i < lines; i++)
		if (strcmp(line[i].setting, setting) == 0)
			return line[i].value;
	return "no such line";
}

static const char *
reason_of(const char *setting)
{
	for (int i = 0; i < lines; i++)
		if (strcmp(line[i].setting, setting) == 0)
			return line[i].reason;
	return "no such line";
}

static bool
says(const char *setting, const char *phrase)
{
	bool		found = strstr(reason_of(setting), phrase) != NULL;

	if (!found)
		printf("#   %s: %s\n", setting, reason_of(setting));
	return found;
}

static bool
is(const char *setting, const char *value)
{
	bool		same = strcmp(value_of(setting), value) == 0;

	if (!same)
		printf("#   %s: got %s, expected %s\n", setting, value_of(setting), value);
	return same;
}

static int
number_of_systems(void)
{
	int			count = 0;

	while (padv_client_systems[count].name != NULL)
		count++;
	return count;
}

static void
test_names(void)
{
	int			count = 0;

	for (const PadvClientSystem *system = padv_client_systems; system->name != NULL; system++)
		count += padv_find_client_system(system->name) == system &&
			padv_find_client_system(system->title) == system &&
			(system->also == NULL || padv_find_client_system(system->also) == system);
	ok(count == number_of_systems() && count > 20, "each of %d systems is found by its names", count);
	ok(padv_find_client_system("HikariCP") == padv_find_client_system("hikaricp"), "in any case");
	ok(padv_find_client_system("RDS Proxy") == padv_find_client_system("rds_proxy") &&
	   padv_find_client_system("Go database/sql") == padv_find_client_system("go") &&
	   padv_find_client_system("r2dbc-pool") == padv_find_client_system("r2dbc") &&
	   padv_find_client_system("WSO2 ESB") == padv_find_client_system("wso2") &&
	   padv_find_client_system("Spring") == padv_find_client_system("spring-boot") &&
	   padv_find_client_system("hikari") != NULL, "by its other names, however they are written");
	ok(padv_find_client_system("") == NULL && padv_find_client_system("--") == NULL &&
	   padv_find_client_system("hik") == NULL && padv_find_client_system("hikaricpx") == NULL, "no other");
}

static void
test_values(void)
{
	show("hikaricp", 4, 1.0, 0, 1);
	ok(is("maximumPoolSize", "12") && is("minimumIdle", "12"), "HikariCP: 50 / 4, of fixed size");
	ok(is("idleTimeout", "600000") && is("maxLifetime", "1800000"), "and its times as they are");
	show("spring_boot", 4, 1.0, 0, 1);
	ok(is("spring.datasource.hikari.maximum-pool-size", "12") && is("spring.datasource.hikari.minimum-idle", "12"),
	   "Spring Boot: the same by its names");
	show("dbcp2", 4, 1.0, 0, 1);
	ok(is("maxTotal", "12") && is("maxIdle", "12") && is("initialSize", "12"), "DBCP 2: closes none, opens none");
	show("tomcat", 4, 1.0, 0, 1);
	ok(is("maxActive", "12") && is("minIdle", "12") && is("factory", "org.apache.tomcat.jdbc.pool.DataSourceFactory"),
	   "Tomcat: the same, and which of its pools");
	show("c3p0", 4, 1.0, 0, 1);
	ok(is("maxPoolSize", "12") && is("minPoolSize", "12") && is("initialPoolSize", "12"), "c3p0: likewise");
	show("pgbouncer", 1, 0.5, 0, 1);
	ok(is("pool_mode", "transaction") && is("default_pool_size", "25") &&
	   is("reserve_pool_size", "0") && is("max_db_connections", "25"), "PgBouncer: half of 50");
	show("sqlalchemy", 3, 1.0, 0, 1);
	ok(is("pool_size", "16") && is("max_overflow", "0"), "SQLAlchemy: nothing on top of pool_size");
	show("go", 7, 1.0, 0, 1);
	ok(is("SetMaxOpenConns", "7") && is("SetMaxIdleConns", "7") &&
	   is("SetConnMaxLifetime", "30*time.Minute"), "Go: open and idle the same");
	show("django", 2, 0.1, 0, 1);
	ok(is("max_size", "2") && is("min_size", "2") && is("CONN_MAX_AGE", "0"), "Django: min_size not above max_size");
	show("rds_proxy", 1, 1.0, 0, 1);
	ok(is("MaxConnectionsPercent", "25") && is("MaxIdleConnectionsPercent", "25"), "RDS Proxy: 50 of 200");
	show("psycopg_pool", 2, 0.1, 0, 1);
	ok(is("max_size", "2") && is("min_size", "2") && is("timeout", "30"), "psycopg_pool: of fixed size");
	show("pgx", 4, 1.0, 0, 1);
	ok(is("pool_max_conns", "12") && is("pool_min_conns", "12") && is("pool_max_conn_lifetime", "1h"), "pgx: as pgxpool reads it");
	show("pgcat", 1, 1.0, 0, 1);
	ok(is("pool_mode", "\"transaction\""), "values are written as the file has them");
}

static void
test_workers(void)
{
	PadvClientPlan plan = show("wso2", 2, 1.0, 0, 3);

	ok(is("worker_pool_size_core", "8") && is("worker_pool_size_max", "8"), "WSO2: 25 / 3 workers, core and max the same");
	ok(is("maxActive", "24") && plan.sum == 48, "with the connections that they need");
	ok(is("worker_pool_queue_length", "80"), "and a queue with an end");
	plan = show("wso2", 50, 1.0, 0, 3);
	ok(is("worker_pool_size_core", "1") && is("maxActive", "3") && plan.floor_wins && plan.sum == 150,
	   "one worker gets what it needs, whatever the share");
	ok(says("deadlock floor", "50 * 3 = 150 connections, 3 times the 50"), "and it says what that does");
	show("wso2", 1, 1.0, 400, 1);
	ok(is("worker_pool_size_core", "50") && says("worker_pool_size_core", "place of the 400 threads"),
	   "the workers take the place of the threads that were");

	plan = show("pgpool", 1, 1.0, 0, 4);
	ok(is("num_init_children", "12") && is("max_pool", "4") && plan.sum == 48,
	   "Pgpool-II: each child has a connection for each pair of user and database");
	plan = show("Django without a pool", 4, 1.0, 0, 1);
	ok(is("threads", "12") && is("CONN_MAX_AGE", "600") && plan.sum == 48, "Django: each thread keeps its connection");
}

static void
test_floor(void)
{
	PadvClientPlan plan = show("hikaricp", 4, 1.0, 8, 3);

	ok(plan.floor == 17 && plan.floor_wins && is("maximumPoolSize", "17"), "8 threads of 3 connections need 17, not 12");
	ok(says("maximumPoolSize", "the floor wins"), "and the reason says so");
	ok(says("deadlock floor", "8 threads * (3 connections_per_thread - 1) + 1 = 17") &&
	   says("deadlock floor", "4 * 17 = 68 connections, 1.36 times the 50"), "with the calculation and what it does");
	ok(strcmp(value_of("deadlock floor"), "") == 0, "in a line that is not to be pasted");
	plan = show("hikaricp", 20, 1.0, 8, 3);
	ok(plan.sum == 340 && says("deadlock floor", "more than the server has") &&
	   says("next limit", "do not fit"), "or that the server has not as many");

	plan = show("hikaricp", 1, 1.0, 8, 3);
	ok(!plan.floor_wins && is("maximumPoolSize", "50") && says("deadlock floor", "cannot lock up"), "a floor below does nothing");
	show("hikaricp", 1, 1.0, 0, 1);
	ok(strcmp(value_of("deadlock floor"), "no such line") == 0, "none is known without threads");
	show("hikaricp", 4, 1.0, 40, 1);
	ok(says("next limit", "of 40 threads 28 wait"), "the next limit: who waits");

	plan = show("rds_proxy", 1, 0.1, 8, 3);
	ok(is("MaxConnectionsPercent", "9") && plan.size == 18, "a percentage is rounded up to the floor");
	plan = plan_of("rds_proxy", 1, 1.0, 16, 2);
	plan.pool_size = 18;
	plan.max_connections = 1000;
	plan.usable_connections = 997;
	padv_plan_client(&plan);
	lines = 0;
	padv_client_config(&plan, collect, NULL);
	ok(is("MaxConnectionsPercent", "2") && plan.size == 20 && !plan.floor_wins &&
	   says("MaxConnectionsPercent", "rounded up = 2") && says("deadlock floor", "= 17: the pool is not smaller"),
	   "and where the share would do, but the step below it would not");
	plan = show("rds_proxy", 1, 1.0, 300, 3);
	ok(is("MaxConnectionsPercent", "100") && says("deadlock floor", "can lock up"), "which may not be possible");
}

static void
test_small_shares(void)
{
	PadvClientPlan plan = show("rails", 60, 1.0, 0, 1);

	ok(plan.crowded && plan.size == 1 && plan.sum == 60, "at least 1 each");
	ok(says("pool", "60 of them are more than the share"), "and the reason says so");
	plan = plan_of("rds_proxy", 1, 0.1, 0, 1);
	plan.max_connections = 5000;
	padv_plan_client(&plan);
	lines = 0;
	padv_client_config(&plan, collect, NULL);
	ok(plan.percent == 1 && plan.size == 50, "a percentage has no less than 1, which may be more than the share");
	ok(says("MaxConnectionsPercent", "no smaller step"), "and the reason says so");
	plan = plan_of("rds_proxy", 60, 1, 0, 1);
	plan.max_connections = 40;
	padv_plan_client(&plan);
	ok(plan.percent == 2 && plan.size == 1 && plan.sum == 60, "or less than one connection, which there is not");
	plan = plan_of("go", 1, 0.29, 0, 1);
	plan.pool_size = 100;
	padv_plan_client(&plan);
	ok(plan.size == 29, "0.29 of 100 is 29");
}

static void
test_sums(void)
{
	int			wrong = 0;
	int			cases = 0;

	for (const PadvClientSystem *system = padv_client_systems; system->name != NULL; system++)
		for (int64_t processes = 1; processes <= 60; processes++)
			for (int percent = 1; percent <= 100; percent++)
			{
				PadvClientPlan plan = plan_of(system->name, processes, percent / 100.0,
											  percent % 3 ? percent : 0, percent % 3 ? 1 + percent % 2 : 1);
				int64_t		floor = 1;

				padv_plan_client(&plan);
				if (plan.threads > 0)
					padv_deadlock_free_size(plan.threads, plan.connections_per_thread, &floor);
				if (system->holding == PADV_HELD_BY_WORKER)
					floor = plan.workers * (plan.connections_per_thread - 1) + 1;
				cases++;
				if (!plan.floor_wins && !plan.percent_up && !plan.crowded && plan.percent > 1 &&
					plan.sum * 100 > percent * plan.pool_size)
					wrong++;
				if (plan.size < 1 || (plan.size < floor && plan.percent < 100))
					wrong++;
			}
	ok(wrong == 0, "within the share unless one each or the floor is more, never below the floor: %d cases", cases);
}

static void
test_reasons(void)
{
	const double million = PADV_MAX_SERVERS;
	bool		clean = true;
	PadvClientPlan plan;

	show("hikaricp", 4, 0.5, 0, 1);
	ok(says("maximumPoolSize", "optimal 20 (formula) / busy_ratio 0.4 (measured under the busiest load), rounded up 50 = pool_size 50. 0.5 * 50 = 25 connections / 4 processes, rounded down = 6."),
	   "the arithmetic from the optimum on");
	ok(says("maximumPoolSize", "right after the commit"), "a caller's hold counts too");
	ok(strcmp(line[0].setting, "evidence") == 0 && says("evidence", "at noon: 1500 transactions/s by 60.0 sessions, 9.50 of them executing. The optimum 20 is by formula, confidence formula."),
	   "what it rests on comes first");
	ok(strcmp(value_of("caution"), "no such line") == 0 && strcmp(value_of("session pool"), "no such line") == 0,
	   "nothing to be cautious about, and one size only");
	show("odyssey", 4, 0.5, 0, 1);
	ok(says("pool_size", "after each transaction"), "a proxy hands on");

	plan = plan_of("hikaricp", 1, 1.0, 0, 1);
	plan.busy_ratio = 0.05;
	plan.busy_source = "no load was measured";
	plan.pool_size = 197;
	plan.stale_seconds = 100;
	padv_plan_client(&plan);
	lines = 0;
	padv_client_config(&plan, collect, NULL);
	ok(says("maximumPoolSize", "rounded up 400, but not more than the server has = pool_size 197"), "no more than the server has");
	ok(says("maximumPoolSize", "As of 100 s ago") && says("maximumPoolSize", "no load was measured"), "nothing measured is called measured");

	/* all with as many digits as there can be */
	for (const PadvClientSystem *system = padv_client_systems; system->name != NULL; system++)
	{
		plan = plan_of(system->name, (int64_t) million, 1.23456789e-300, (int64_t) million, (int64_t) million);
		plan.optimal = plan.max_connections = plan.usable_connections = 262143;
		plan.pool_size = plan.session_pool_size = 262142;
		plan.busy_ratio = 0.00123456789;
		plan.stale_seconds = 1e9;
		padv_plan_client(&plan);
		lines = 0;
		padv_client_config(&plan, collect, NULL);
		for (int i = 0; i < lines; i++)
			clean &= strstr(line[i].reason, " nan") == NULL && strstr(line[i].reason, " inf") == NULL &&
				strstr(line[i].reason, "(null)") == NULL && line[i].reason[0] != '\0';
		clean &= strcmp(line[lines - 1].setting, "next limit") == 0 && plan.sum > 0;
	}
	ok(longest < PADV_REASON - 1, "every reason fits (%zu)", longest);
	ok(clean, "every line has a reason, of numbers; the next limit comes last");
}

/* What is said when nothing is known, or only the DBA's number. */
static void
test_no_load(void)
{
	int			sized = 0;
	int			cautious = 0;
	PadvClientPlan plan;

	for (const PadvClientSystem *system = padv_client_systems; system->name != NULL; system++)
	{
		plan = plan_of(system->name, 4, 1.0, 8, 2);
		plan.measured_at = NULL;
		plan.pool_size = plan.session_pool_size = 0;
		plan.busy_ratio = -1.0;
		padv_plan_client(&plan);
		lines = 0;
		padv_client_config(&plan, collect, NULL);
		cautious += strcmp(line[1].setting, "caution") == 0 && says("evidence", "No load was measured.") &&
			says("caution", "about 20 connections can be active") && line[1].value[0] == '\0';
		for (int i = 0; i < lines; i++)
			for (const PadvClientLine *known = system->lines; known->setting != NULL; known++)
				sized += strcmp(known->setting, line[i].setting) == 0 &&
					known->value != PADV_VALUE_LITERAL && line[i].value[0] != '\0';
	}
	ok(cautious == number_of_systems(), "without a load each system has a row caution");
	ok(sized == 0, "and no size");

	plan = plan_of("hikaricp", 4, 1.0, 0, 1);
	plan.executing = 1.9;
	padv_plan_client(&plan);
	lines = 0;
	padv_client_config(&plan, collect, NULL);
	ok(is("maximumPoolSize", "12") && says("caution", "kept only 1.90 of 20 connections executing"), "a light load is called so");

	plan = plan_of("hikaricp", 4, 1.0, 0, 1);
	plan.measured_at = NULL;
	plan.pool_size = plan.session_pool_size = 20;
	plan.busy_ratio = 1.0;
	padv_plan_client(&plan);
	lines = 0;
	padv_client_config(&plan, collect, NULL);
	ok(is("maximumPoolSize", "5") && says("caution", "starting point"), "the DBA's number is a starting point");
}

/* The two numbers, and who divides which. */
static void
test_session_pool(void)
{
	PadvClientPlan plan = plan_of("hikaricp", 4, 0.5, 0, 1);

	plan.session_pool_size = 120;
	padv_plan_client(&plan);
	lines = 0;
	padv_client_config(&plan, collect, NULL);
	ok(is("maximumPoolSize", "6") && says("session pool", "0.5 * 120 = 60 connections / 4 processes, rounded down = 15"),
	   "a caller that keeps its connection is told apart");
	plan = plan_of("pgbouncer", 1, 1.0, 0, 1);
	plan.session_pool_size = 120;
	padv_plan_client(&plan);
	lines = 0;
	padv_client_config(&plan, collect, NULL);
	ok(is("default_pool_size", "50") && strcmp(value_of("session pool"), "no such line") == 0, "a proxy has no such callers");
	plan = plan_of("wso2", 1, 1.0, 0, 1);
	plan.session_pool_size = 120;
	padv_plan_client(&plan);
	lines = 0;
	padv_client_config(&plan, collect, NULL);
	ok(is("worker_pool_size_core", "120") && says("worker_pool_size_core", "= session_pool_size 120"), "workers keep theirs");
}

int
main(void)
{
	test_names();
	test_values();
	test_workers();
	test_floor();
	test_small_shares();
	test_sums();
	test_reasons();
	test_no_load();
	test_session_pool();
	return tap_end();
}
