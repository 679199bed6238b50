/*
 * client_systems.c
 *		The supported pools and proxies, and their settings.
 *
 * Owns names, defaults and units, from the documentation of each system.
 * client_config.c computes the numbers.  Values are as written in the file that
 * `where` names, with quotes.  Data only.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stddef.h>

#include "core/sizing/client_config.h"

#define EACH_PROCESS "processes"

const PadvClientSystem padv_client_systems[] = {
	{
		.name = "hikaricp", .also = "hikari", .title = "HikariCP", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "properties of HikariConfig",
		.lines = {
			{"maximumPoolSize", PADV_VALUE_SIZE, NULL, NULL},
			{"minimumIdle", PADV_VALUE_SAME, NULL, "The same as maximumPoolSize: a pool of fixed size opens no connection when there is most to do."},
			{"idleTimeout", PADV_VALUE_LITERAL, "600000", "Milliseconds, the default; it does nothing in a pool of fixed size."},
			{"maxLifetime", PADV_VALUE_LITERAL, "1800000", "Milliseconds, the default; a connection that gets old is replaced, and its memory in the server given back."},
			{"connectionTimeout", PADV_VALUE_LITERAL, "30000", "Milliseconds, the default: how long a caller waits for a connection."},
		},
		.above = "callers beyond the pool wait for connectionTimeout, then get an SQLTransientConnectionException"
	},
	{
		.name = "spring_boot", .also = "spring", .title = "Spring Boot", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "application.properties; its pool is HikariCP",
		.lines = {
			{"spring.datasource.hikari.maximum-pool-size", PADV_VALUE_SIZE, NULL, NULL},
			{"spring.datasource.hikari.minimum-idle", PADV_VALUE_SAME, NULL, "The same as maximum-pool-size: a pool of fixed size opens no connection when there is most to do."},
			{"spring.datasource.hikari.idle-timeout", PADV_VALUE_LITERAL, "600000", "Milliseconds, the default; it does nothing in a pool of fixed size."},
			{"spring.datasource.hikari.max-lifetime", PADV_VALUE_LITERAL, "1800000", "Milliseconds, the default; a connection that gets old is replaced, and its memory in the server given back."},
			{"spring.datasource.hikari.connection-timeout", PADV_VALUE_LITERAL, "30000", "Milliseconds, the default: how long a caller waits for a connection."},
		},
		.above = "callers beyond the pool wait for connection-timeout, then get an SQLTransientConnectionException"
	},
	{
		.name = "dbcp2", .also = "dbcp", .title = "Apache Commons DBCP 2", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "properties of BasicDataSource",
		.lines = {
			{"maxTotal", PADV_VALUE_SIZE, NULL, "The default is 8."},
			{"maxIdle", PADV_VALUE_SAME, NULL, "The same: connections beyond it would be closed when they are returned, and opened again."},
			{"initialSize", PADV_VALUE_SAME, NULL, "The same: all are opened at the start, and none when there is most to do."},
			{"maxWaitMillis", PADV_VALUE_LITERAL, "30000", "How long a caller waits for a connection; the default of -1 is for ever."},
			{"maxConnLifetimeMillis", PADV_VALUE_LITERAL, "1800000", "The default is for ever; a connection that gets old is replaced, and its memory in the server given back."},
			{"testOnBorrow", PADV_VALUE_LITERAL, "true", "The default: a connection that the server has closed is replaced before a caller gets it."},
		},
		.above = "callers beyond the pool wait for maxWaitMillis, then get an SQLException"
	},
	{
		.name = "tomcat", .also = "tomcat jdbc", .title = "Tomcat JDBC Pool", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "attributes of the Resource in context.xml",
		.lines = {
			{"factory", PADV_VALUE_LITERAL, "org.apache.tomcat.jdbc.pool.DataSourceFactory", "Without it the pool is DBCP 2, which has other attributes."},
			{"maxActive", PADV_VALUE_SIZE, NULL, "The default is 100."},
			{"maxIdle", PADV_VALUE_SAME, NULL, "The same, and so are the next two: a pool of fixed size opens no connection when there is most to do."},
			{"minIdle", PADV_VALUE_SAME, NULL, "The default is that of initialSize."},
			{"initialSize", PADV_VALUE_SAME, NULL, "The default of 10 must not be above maxActive."},
			{"maxWait", PADV_VALUE_LITERAL, "30000", "Milliseconds, the default: how long a caller waits for a connection."},
			{"maxAge", PADV_VALUE_LITERAL, "1800000", "Milliseconds; the default of 0 is for ever. A connection that gets old is replaced, and its memory in the server given back."},
			{"testOnBorrow", PADV_VALUE_LITERAL, "true", "The default of false gives callers a connection that the server has closed."},
		},
		.above = "callers beyond the pool wait for maxWait, then get a PoolExhaustedException"
	},
	{
		.name = "c3p0", .title = "c3p0", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "properties of c3p0-config.xml, or of c3p0.properties with c3p0. in front",
		.lines = {
			{"maxPoolSize", PADV_VALUE_SIZE, NULL, "The default is 15."},
			{"minPoolSize", PADV_VALUE_SAME, NULL, "The same, and so is the next: a pool of fixed size opens no connection when there is most to do."},
			{"initialPoolSize", PADV_VALUE_SAME, NULL, "The default of 3 must be between the other two."},
			{"checkoutTimeout", PADV_VALUE_LITERAL, "30000", "Milliseconds: how long a caller waits for a connection; the default of 0 is for ever."},
			{"maxConnectionAge", PADV_VALUE_LITERAL, "1800", "Seconds; the default of 0 is for ever. A connection that gets old is replaced, and its memory in the server given back."},
			{"testConnectionOnCheckout", PADV_VALUE_LITERAL, "true", "The default of false gives callers a connection that the server has closed."},
			{"preferredTestQuery", PADV_VALUE_LITERAL, "SHOW server_version", "Needs no transaction slot, as SELECT 1 would. Before 0.9.5 the test is a search of the catalog unless this is set."},
		},
		.above = "callers beyond the pool wait for checkoutTimeout, then get an SQLException"
	},
	{
		.name = "pgbouncer", .title = "PgBouncer", .holding = PADV_HELD_FOR_TRANSACTION,
		.pools = "PgBouncer processes", .where = "section [pgbouncer] of pgbouncer.ini",
		.lines = {
			{"pool_mode", PADV_VALUE_LITERAL, "transaction", "A connection is handed on after each transaction; in session mode it would stay with its client."},
			{"default_pool_size", PADV_VALUE_SIZE, NULL, NULL},
			{"reserve_pool_size", PADV_VALUE_LITERAL, "0", "The default: more connections under pressure would be more just when they help least."},
			{"max_db_connections", PADV_VALUE_SAME, NULL, "default_pool_size is for each pair of user and database; this is for all users of a database together. Several databases share the server: call this once for each, with its share."},
			{"query_wait_timeout", PADV_VALUE_LITERAL, "120", "Seconds, the default: how long a client waits for a connection; 0 would be for ever."},
		},
		.above = "clients beyond the pool wait for query_wait_timeout, and those beyond max_client_conn (100 unless set) are refused"
	},
	{
		.name = "pgpool", .also = "pgpool2", .title = "Pgpool-II", .holding = PADV_HELD_BY_WORKER,
		.pools = "Pgpool-II servers", .where = "pgpool.conf",
		.lines = {
			{"num_init_children", PADV_VALUE_WORKERS, NULL, "A child serves one client at a time, until the client disconnects."},
			{"max_pool", PADV_VALUE_PER_WORKER, NULL, "Each child keeps a connection for each pair of user and database, and at most that many: give the number of pairs as connections_per_thread. The default of 4 would be 4 times as many connections. It keeps none to the databases postgres, template0, template1 and regression: there each client opens one."},
			{"reserved_connections", PADV_VALUE_LITERAL, "0", "The default: clients beyond num_init_children wait; with 1 they are refused."},
			{"child_life_time", PADV_VALUE_LITERAL, "300", "Seconds, the default: a child without a client for that long is replaced, and its connections are closed."},
		},
		.above = "clients beyond num_init_children wait for a child without a time limit, and without a message"
	},
	{
		.name = "outsystems", .title = "OutSystems", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = "pools (front-ends * pools of each * databases)", .where = "Advanced, tab Database of the Configuration Tool",
		.lines = {
			{"Max Pool Size", PADV_VALUE_SIZE, NULL, "The default is 100 for each pool, front-end and database; .NET has a pool for each module, Java one for all."},
			{"Min Pool Size", PADV_VALUE_LITERAL, "1", "The default of .NET: every pool holds that many at rest, in each module and front-end; see fleet_connections()."},
		},
		.above = "requests beyond the pool wait for the connection string's timeout, then fail"
	},
	{
		.name = "omero", .title = "OMERO.server", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "omero config set",
		.lines = {
			{"omero.db.poolsize", PADV_VALUE_SIZE, NULL, NULL},
		},
		.above = "server threads (omero.threads.max_threads) beyond the pool wait, and with too many at once invocations fail in that layer"
	},
	{
		.name = "wso2", .also = "wso2 esb", .title = "WSO2", .holding = PADV_HELD_BY_WORKER,
		.pools = EACH_PROCESS, .where = "passthru-http.properties",
		.lines = {
			{"worker_pool_size_core", PADV_VALUE_WORKERS, NULL, "Core and max are the same, because threads above the core are started only when the queue is full. In [transport.http] of deployment.toml it is core_worker_pool_size."},
			{"worker_pool_size_max", PADV_VALUE_SAME_WORKERS, NULL, "The same as the core; in deployment.toml it is max_worker_pool_size."},
			{"worker_thread_keepalive_sec", PADV_VALUE_LITERAL, "60", "The default; it does nothing while core and max are the same."},
			{"worker_pool_queue_length", PADV_VALUE_QUEUE, NULL, NULL},
			{"maxActive", PADV_VALUE_SAME, NULL, "Of the data source: the connections that the workers need, all of them together."},
		},
		.above = "tasks beyond the workers queue, and those beyond worker_pool_queue_length are refused"
	},
	{
		.name = "sqlalchemy", .title = "SQLAlchemy", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "arguments of create_engine()",
		.lines = {
			{"pool_size", PADV_VALUE_SIZE, NULL, "What counts is pool_size + max_overflow."},
			{"max_overflow", PADV_VALUE_LITERAL, "0", "The default of 10 would come on top in every process, and be opened and closed under load."},
			{"pool_timeout", PADV_VALUE_LITERAL, "30", "Seconds, the default: how long a caller waits for a connection."},
		},
		.above = "callers beyond the pool wait for pool_timeout, then get a TimeoutError"
	},
	{
		.name = "psycopg_pool", .also = "psycopg 3", .title = "psycopg_pool", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "arguments of ConnectionPool or AsyncConnectionPool",
		.lines = {
			{"max_size", PADV_VALUE_SIZE, NULL, NULL},
			{"min_size", PADV_VALUE_SAME, NULL, "The same: a pool of fixed size opens no connection when there is most to do, and the default of 4 must not be above max_size."},
			{"timeout", PADV_VALUE_LITERAL, "30", "Seconds, the default: how long a caller waits for a connection."},
		},
		.above = "callers beyond the pool wait for timeout, then get a PoolTimeout"
	},
	{
		.name = "asyncpg", .title = "asyncpg", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "arguments of create_pool(), and timeout of pool.acquire()",
		.lines = {
			{"max_size", PADV_VALUE_SIZE, NULL, "The default is 10."},
			{"min_size", PADV_VALUE_SAME, NULL, "The same: all are opened at the start, and the default of 10 must not be above max_size."},
			{"max_inactive_connection_lifetime", PADV_VALUE_LITERAL, "0", "With the default of 300 seconds idle connections are closed, also those of min_size, and opened again when there is most to do."},
			{"timeout", PADV_VALUE_LITERAL, "30", "Seconds, of pool.acquire(): how long a caller waits for a connection; the default is for ever."},
		},
		.above = "callers beyond the pool wait for timeout, then get a TimeoutError"
	},
	{
		.name = "go", .title = "Go database/sql", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "methods of sql.DB",
		.lines = {
			{"SetMaxOpenConns", PADV_VALUE_SIZE, NULL, "The default of 0 is without limit."},
			{"SetMaxIdleConns", PADV_VALUE_SAME, NULL, "The same: with the default of 2 the others would be closed and opened again all the time."},
			{"SetConnMaxLifetime", PADV_VALUE_LITERAL, "30*time.Minute", "The default is for ever; a connection that gets old is replaced, and its memory in the server given back."},
		},
		.above = "callers beyond the pool wait as long as their context allows: give it a deadline"
	},
	{
		.name = "pgx", .also = "pgxpool", .title = "pgx", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "the connection string of pgxpool",
		.lines = {
			{"pool_max_conns", PADV_VALUE_SIZE, NULL, "The default is 4, or the number of cores that Go sees, if that is more."},
			{"pool_min_conns", PADV_VALUE_SAME, NULL, "The same: a pool of fixed size opens no connection when there is most to do."},
			{"pool_max_conn_lifetime", PADV_VALUE_LITERAL, "1h", "The default; a connection that gets old is replaced, and its memory in the server given back."},
			{"pool_max_conn_idle_time", PADV_VALUE_LITERAL, "30m", "The default; what is closed below pool_min_conns is opened again."},
		},
		.above = "callers beyond the pool wait as long as their context allows: give it a deadline"
	},
	{
		.name = "rails", .title = "Rails", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "database.yml",
		.lines = {
			{"pool", PADV_VALUE_SIZE, NULL, "Each worker process has one; Rails 8.1 calls it max_connections and still reads pool."},
			{"checkout_timeout", PADV_VALUE_LITERAL, "5", "Seconds, the default: how long a thread waits for a connection."},
		},
		.above = "threads beyond the pool wait for checkout_timeout, then get an ActiveRecord::ConnectionTimeoutError"
	},
	{
		.name = "sequel", .title = "Sequel", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "options of Sequel.connect",
		.lines = {
			{"max_connections", PADV_VALUE_SIZE, NULL, "The default is 4; a process with one thread needs 1."},
			{"pool_timeout", PADV_VALUE_LITERAL, "5", "Seconds, the default: how long a thread waits for a connection."},
		},
		.above = "threads beyond the pool wait for pool_timeout, then get a Sequel::PoolTimeout"
	},
	{
		.name = "django", .also = "django 5.1", .title = "Django 5.1 or later", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "OPTIONS[\"pool\"] of DATABASES, and CONN_MAX_AGE beside OPTIONS",
		.lines = {
			{"max_size", PADV_VALUE_SIZE, NULL, "Each worker process has a pool, in OPTIONS[\"pool\"]."},
			{"min_size", PADV_VALUE_SAME, NULL, "The same: a pool of fixed size opens no connection when there is most to do, and the default of 4 must not be above max_size."},
			{"timeout", PADV_VALUE_LITERAL, "30", "Seconds, the default of psycopg_pool: how long a request waits for a connection."},
			{"CONN_MAX_AGE", PADV_VALUE_LITERAL, "0", "Beside OPTIONS; Django refuses a pool together with persistent connections."},
		},
		.above = "requests beyond the pool wait for timeout, then get a PoolTimeout"
	},
	{
		.name = "django_persistent", .also = "gunicorn", .title = "Django without a pool", .holding = PADV_HELD_BY_WORKER,
		.pools = "worker processes", .where = "arguments of gunicorn with --worker-class gthread, and DATABASES of Django",
		.lines = {
			{"threads", PADV_VALUE_WORKERS, NULL, "Each thread keeps a connection to each database that it uses: give their number as connections_per_thread."},
			{"CONN_MAX_AGE", PADV_VALUE_LITERAL, "600", "Seconds; with the default of 0 each request opens a connection, and with None a connection is kept for ever."},
			{"CONN_HEALTH_CHECKS", PADV_VALUE_LITERAL, "True", "From Django 4.1 on: a connection that the server has closed is replaced when a request begins."},
		},
		.above = "requests beyond the threads wait in gunicorn until a thread is free"
	},
	{
		.name = "node-postgres", .title = "node-postgres", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "options of Pool",
		.lines = {
			{"max", PADV_VALUE_SIZE, NULL, NULL},
			{"connectionTimeoutMillis", PADV_VALUE_LITERAL, "30000", "How long a caller waits for a connection; the default of 0 is for ever."},
		},
		.above = "callers beyond the pool wait for connectionTimeoutMillis, then get an error"
	},
	{
		.name = "knex", .title = "Knex", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "pool of the configuration, and acquireConnectionTimeout beside it",
		.lines = {
			{"max", PADV_VALUE_SIZE, NULL, "The default is 10."},
			{"min", PADV_VALUE_SAME, NULL, "The same: a pool of fixed size opens no connection when there is most to do."},
			{"acquireConnectionTimeout", PADV_VALUE_LITERAL, "30000", "Milliseconds, beside pool: how long a caller waits for a connection; the default is 60000."},
		},
		.above = "callers beyond the pool wait for acquireConnectionTimeout, then get a KnexTimeoutError"
	},
	{
		.name = "sequelize", .title = "Sequelize", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "pool of the options",
		.lines = {
			{"max", PADV_VALUE_SIZE, NULL, "The default is 5."},
			{"min", PADV_VALUE_SAME, NULL, "The same: a pool of fixed size opens no connection when there is most to do."},
			{"acquire", PADV_VALUE_LITERAL, "30000", "Milliseconds: how long a caller waits for a connection; the default is 60000."},
		},
		.above = "callers beyond the pool wait for acquire, then get a SequelizeConnectionAcquireTimeoutError"
	},
	{
		.name = "prisma", .title = "Prisma", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "options of PrismaPg, the driver adapter",
		.lines = {
			{"max", PADV_VALUE_SIZE, NULL, "The default is 10. In a connection URL connection_limit does nothing with an adapter."},
			{"connectionTimeoutMillis", PADV_VALUE_LITERAL, "30000", "How long a query waits for a connection; the default of 0 is for ever."},
		},
		.above = "queries beyond the pool wait for connectionTimeoutMillis, then get the Error \"timeout exceeded when trying to connect\"; interactive transactions wait for maxWait, 2 s unless set, then get the error P2028"
	},
	{
		.name = "prisma_engine", .title = "Prisma without an adapter", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "the connection URL; up to Prisma 6",
		.lines = {
			{"connection_limit", PADV_VALUE_SIZE, NULL, "The default is 2 * physical cores + 1."},
			{"pool_timeout", PADV_VALUE_LITERAL, "10", "Seconds, the default: how long a query waits for a connection."},
		},
		.above = "queries beyond the pool wait for pool_timeout, then get the error P2024"
	},
	{
		.name = "r2dbc", .title = "r2dbc-pool", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = EACH_PROCESS, .where = "options of the connection URL",
		.lines = {
			{"maxSize", PADV_VALUE_SIZE, NULL, NULL},
			{"initialSize", PADV_VALUE_SAME, NULL, "The same: all are opened at the start, and none when there is most to do."},
			{"maxAcquireTime", PADV_VALUE_LITERAL, "PT30S", "How long a caller waits for a connection; the default is for ever."},
		},
		.above = "subscribers beyond the pool wait for maxAcquireTime, then get an error"
	},
	{
		.name = "npgsql", .title = "Npgsql", .holding = PADV_HELD_UNTIL_RETURNED,
		.pools = "pools (processes * connection strings)", .where = "the connection string",
		.lines = {
			{"Maximum Pool Size", PADV_VALUE_SIZE, NULL, "The default is 100; there is one pool for each connection string, and two that differ in anything are two."},
			{"Timeout", PADV_VALUE_LITERAL, "15", "Seconds, the default: how long a caller waits for a connection."},
		},
		.above = "callers beyond the pool wait for Timeout, then get an NpgsqlException"
	},
	{
		.name = "pgcat", .title = "PgCat", .holding = PADV_HELD_FOR_TRANSACTION,
		.pools = "pools (PgCat processes * users)", .where = "pgcat.toml",
		.lines = {
			{"pool_mode", PADV_VALUE_LITERAL, "\"transaction\"", "In [pools.<name>]; a connection is handed on after each transaction."},
			{"pool_size", PADV_VALUE_SIZE, NULL, "In [pools.<name>.users.<n>]; what reaches the server is the sum over users."},
		},
		.above = "clients beyond the pool wait for connect_timeout, then get an error"
	},
	{
		.name = "odyssey", .title = "Odyssey", .holding = PADV_HELD_FOR_TRANSACTION,
		.pools = "pools (Odyssey processes * routes)", .where = "the section user of odyssey.conf",
		.lines = {
			{"pool", PADV_VALUE_LITERAL, "\"transaction\"", "A connection is handed on after each transaction."},
			{"pool_size", PADV_VALUE_SIZE, NULL, "0 is without limit; there is a pool for each pair of user and database."},
			{"pool_timeout", PADV_VALUE_LITERAL, "30000", "Milliseconds: how long a client waits for a connection; 0 is for ever."},
		},
		.above = "clients beyond the pool wait for pool_timeout, and those beyond client_max are refused"
	},
	{
		.name = "supavisor", .title = "Supavisor", .holding = PADV_HELD_FOR_TRANSACTION,
		.pools = "pools (users of all tenants on this server)", .where = "the records of tenant and user",
		.lines = {
			{"mode_type", PADV_VALUE_LITERAL, "\"transaction\"", "Of the user; a connection is handed on after each transaction."},
			{"default_pool_size", PADV_VALUE_SIZE, NULL, "Of the tenant; every user that connects has a pool of that size."},
			{"pool_size", PADV_VALUE_SAME, NULL, "Of the user; it goes before the tenant's."},
			{"pool_checkout_timeout", PADV_VALUE_LITERAL, "60000", "Milliseconds, the default: how long a client waits for a connection."},
		},
		.above = "clients beyond the pool wait for pool_checkout_timeout, and those beyond default_max_clients are refused"
	},
	{
		.name = "rds_proxy", .title = "RDS Proxy", .holding = PADV_HELD_FOR_TRANSACTION,
		.pools = "proxies", .where = "connection-pool-config of the target group",
		.lines = {
			{"MaxConnectionsPercent", PADV_VALUE_PERCENT, NULL, "The default is 100. A session that is pinned keeps its connection."},
			{"MaxIdleConnectionsPercent", PADV_VALUE_SAME_PERCENT, NULL, "The same: a pool of fixed size opens no connection when there is most to do."},
			{"ConnectionBorrowTimeout", PADV_VALUE_LITERAL, "120", "Seconds, the default: how long a client waits for a connection."},
		},
		.above = "clients beyond the pool wait for ConnectionBorrowTimeout, then get an error"
	},
	{.name = NULL},
};
