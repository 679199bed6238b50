/* pool_advisor--1.0.sql */

-- complain if the script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION pool_advisor" to load this file. \quit

-- A schema that was there before is only taken if nobody else can put functions beside ours,
-- which superusers would call in good faith.
DO $$
DECLARE
    stranger text;
BEGIN
    SELECT coalesce(r.rolname::text, 'PUBLIC') INTO stranger
    FROM pg_catalog.pg_namespace AS n
        CROSS JOIN LATERAL (
            SELECT n.nspowner
            UNION ALL
            SELECT grantee FROM pg_catalog.aclexplode(n.nspacl) WHERE privilege_type = 'CREATE'
        ) AS creator (oid)
        LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = creator.oid
    WHERE n.nspname = 'pool_advisor' AND r.rolsuper IS NOT TRUE
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege',
            MESSAGE = 'schema "pool_advisor" is there already, and ' || stranger || ' can create objects in it',
            DETAIL = 'Functions beside those of the extension could be called instead of them.',
            HINT = 'Drop the schema, or take it over with ALTER SCHEMA ... OWNER TO and REVOKE CREATE, after a look at what is in it.';
    END IF;
END $$;

-- Ordinary roles may plan sizes. What shows other roles' sessions is revoked from PUBLIC and granted
-- to pg_monitor and pg_read_all_stats. What changes limits, declares pools or resets is revoked, too;
-- superusers grant it. Each REVOKE and GRANT stands directly after its object.
GRANT USAGE ON SCHEMA pool_advisor TO PUBLIC;


-- The pools that run in front, as declared; kept by pg_dump

CREATE TABLE pool_advisor.declared_pools (
    name text PRIMARY KEY CHECK (octet_length(name) BETWEEN 1 AND 100),
    system text NOT NULL CHECK (system ~ '^[a-z0-9_-]{1,40}$'),
    processes bigint NOT NULL CHECK (processes BETWEEN 1 AND 1000000),
    max_pool_size bigint NOT NULL CHECK (max_pool_size BETWEEN 1 AND 1000000),
    role name,
    database name
);
REVOKE ALL ON pool_advisor.declared_pools FROM PUBLIC;
GRANT SELECT ON pool_advisor.declared_pools TO pg_monitor, pg_read_all_stats;
SELECT pg_catalog.pg_extension_config_dump('pool_advisor.declared_pools', '');
COMMENT ON TABLE pool_advisor.declared_pools IS
    'pools in front of the server, declared by declare_pool() in this database';
COMMENT ON COLUMN pool_advisor.declared_pools.name IS 'by which it is declared anew or forgotten';
COMMENT ON COLUMN pool_advisor.declared_pools.system IS 'what the pool is, as client_config() calls it';
COMMENT ON COLUMN pool_advisor.declared_pools.processes IS 'how many processes have such a pool each';
COMMENT ON COLUMN pool_advisor.declared_pools.max_pool_size IS 'connections that each may open';
COMMENT ON COLUMN pool_advisor.declared_pools.role IS 'as which they connect; NULL: not told';
COMMENT ON COLUMN pool_advisor.declared_pools.database IS 'to which they connect; NULL: not told, or to several';


-- The server as a whole

CREATE FUNCTION pool_advisor._status(
    OUT sampled_at timestamptz,
    OUT sample_age_seconds double precision,
    OUT worker_running boolean,
    OUT max_connections bigint,
    OUT usable_connections bigint,
    OUT sessions bigint,
    OUT active bigint,
    OUT idle bigint,
    OUT idle_in_transaction bigint,
    OUT queued bigint,
    OUT on_cpu bigint,
    OUT waiting_io bigint,
    OUT waiting_lock bigint,
    OUT waiting_lwlock bigint,
    OUT waiting_other bigint,
    OUT active_avg double precision,
    OUT active_p95 double precision,
    OUT active_max bigint,
    OUT io_wait_ratio double precision,
    OUT cpu_utilization double precision,
    OUT run_queue_ratio double precision,
    OUT cache_hit_ratio double precision,
    OUT optimal bigint,
    OUT optimal_low bigint,
    OUT optimal_high bigint,
    OUT optimal_method text,
    OUT confidence text,
    OUT busy_ratio double precision,
    OUT pool_size bigint,
    OUT load_ratio double precision,
    OUT verdict text,
    OUT parallel_workers bigint,
    OUT demand_avg double precision,
    OUT samples_total bigint,
    OUT sample_cost_seconds double precision,
    OUT transactions_per_second double precision,
    OUT rollbacks_per_second double precision,
    OUT transaction_seconds double precision,
    OUT transactions_total bigint,
    OUT rollbacks_total bigint,
    OUT session_pool_size bigint,
    OUT pool_size_as_of timestamptz
)
RETURNS record
AS 'MODULE_PATHNAME', 'pool_advisor_status'
LANGUAGE C STRICT VOLATILE PARALLEL SAFE;
REVOKE ALL ON FUNCTION pool_advisor._status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._status() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._status() IS 'what the view status shows';

CREATE VIEW pool_advisor.status AS SELECT * FROM pool_advisor._status();
REVOKE ALL ON pool_advisor.status FROM PUBLIC;
GRANT SELECT ON pool_advisor.status TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.status IS
    'one row: sessions of the last sample, averages of the last minute, the optimal number of active connections, and how the load stands against it';
COMMENT ON COLUMN pool_advisor.status.sampled_at IS 'when the last sample was taken; NULL before the first';
COMMENT ON COLUMN pool_advisor.status.sample_age_seconds IS 'seconds since then';
COMMENT ON COLUMN pool_advisor.status.worker_running IS 'whether the sampling process is there';
COMMENT ON COLUMN pool_advisor.status.max_connections IS 'the setting';
COMMENT ON COLUMN pool_advisor.status.usable_connections IS 'max_connections less the reserved ones';
COMMENT ON COLUMN pool_advisor.status.sessions IS 'client sessions in the last sample';
COMMENT ON COLUMN pool_advisor.status.active IS 'sessions executing a statement in the last sample: the sum of on_cpu and the four waiting columns';
COMMENT ON COLUMN pool_advisor.status.idle IS 'sessions waiting for a command, outside a transaction, in the last sample';
COMMENT ON COLUMN pool_advisor.status.idle_in_transaction IS 'sessions waiting for a command inside a transaction, aborted ones included, in the last sample';
COMMENT ON COLUMN pool_advisor.status.queued IS 'logins that wait in the queue, and sessions whose transaction waits for a slot, in the last sample';
COMMENT ON COLUMN pool_advisor.status.on_cpu IS 'active sessions that wait for nothing: running, or runnable';
COMMENT ON COLUMN pool_advisor.status.waiting_io IS 'active sessions with a wait event of type IO';
COMMENT ON COLUMN pool_advisor.status.waiting_lock IS 'active sessions with a wait event of type Lock';
COMMENT ON COLUMN pool_advisor.status.waiting_lwlock IS 'active sessions with a wait event of type LWLock';
COMMENT ON COLUMN pool_advisor.status.waiting_other IS 'active sessions with a wait event of any other type';
COMMENT ON COLUMN pool_advisor.status.active_avg IS 'average active sessions over the last minute';
COMMENT ON COLUMN pool_advisor.status.active_p95 IS 'active sessions that 95 percent of the last minute''s samples did not exceed';
COMMENT ON COLUMN pool_advisor.status.active_max IS 'most active sessions in a sample of the last minute';
COMMENT ON COLUMN pool_advisor.status.io_wait_ratio IS 'share of active sessions waiting for I/O over the last minute, 0..1';
COMMENT ON COLUMN pool_advisor.status.cpu_utilization IS 'use of the cores granted to the server, by all that runs on them, over the last minute, 0..1; NULL when not readable';
COMMENT ON COLUMN pool_advisor.status.run_queue_ratio IS 'share of their runnable time that the server''s processes waited for a core, over the last minute, 0..1; NULL when not readable';
COMMENT ON COLUMN pool_advisor.status.cache_hit_ratio IS 'share of the blocks found in shared buffers over the last minute, 0..1; NULL when none was asked for';
COMMENT ON COLUMN pool_advisor.status.optimal IS 'active connections at which this server is at its best';
COMMENT ON COLUMN pool_advisor.status.optimal_low IS 'lower end of the range around optimal';
COMMENT ON COLUMN pool_advisor.status.optimal_high IS 'upper end of the range around optimal';
COMMENT ON COLUMN pool_advisor.status.optimal_method IS 'how optimal was found: formula, wait_ratio, scalability, trial or setting';
COMMENT ON COLUMN pool_advisor.status.confidence IS 'how much speaks for it: formula, low, medium or high';
COMMENT ON COLUMN pool_advisor.status.busy_ratio IS 'share of the time a connection of a transaction pool is held in which it executes: optimal / pool_size; more than 1 with parallel workers; NULL when pool_size is';
COMMENT ON COLUMN pool_advisor.status.pool_size IS 'connections that a transaction pool in front needs to keep optimal of them active, by the busiest load that was seen; NULL when no load was measured';
COMMENT ON COLUMN pool_advisor.status.load_ratio IS 'demand_avg / optimal';
COMMENT ON COLUMN pool_advisor.status.verdict IS 'idle, within, at the optimum, oversubscribed, contention (sessions wait for locks, and work flows) or stalled (it does not)';
COMMENT ON COLUMN pool_advisor.status.parallel_workers IS 'parallel workers in the last sample, and from PostgreSQL 18 on I/O workers that read while no session waits for them; they are not sessions';
COMMENT ON COLUMN pool_advisor.status.demand_avg IS 'average over the last minute of active sessions and parallel workers, less those asleep or waiting for their client or an advisory lock, and of sessions that are ready to run although they look idle';
COMMENT ON COLUMN pool_advisor.status.samples_total IS 'samples since the worker started';
COMMENT ON COLUMN pool_advisor.status.sample_cost_seconds IS 'CPU seconds that a sample took on average over the last minute';
COMMENT ON COLUMN pool_advisor.status.transactions_per_second IS 'transactions that clients committed or prepared, average over the last minute';
COMMENT ON COLUMN pool_advisor.status.rollbacks_per_second IS 'transactions of clients that were rolled back, average over the last minute';
COMMENT ON COLUMN pool_advisor.status.transaction_seconds IS 'mean time from the start of a transaction to its end, over those that ended in the last minute';
COMMENT ON COLUMN pool_advisor.status.transactions_total IS 'transactions that clients committed or prepared since the server started';
COMMENT ON COLUMN pool_advisor.status.rollbacks_total IS 'transactions of clients that were rolled back since the server started';
COMMENT ON COLUMN pool_advisor.status.session_pool_size IS 'the same as pool_size for a pool whose callers keep a connection for a request: transactions, and their own short work between these';
COMMENT ON COLUMN pool_advisor.status.pool_size_as_of IS 'when the load was measured that pool_size and session_pool_size are of; NULL when none was';

CREATE FUNCTION pool_advisor._optimal(
    OUT method text,
    OUT connections bigint,
    OUT low bigint,
    OUT high bigint,
    OUT confidence text,
    OUT chosen boolean,
    OUT explanation text,
    OUT not_available_because text
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_optimal'
LANGUAGE C STRICT VOLATILE PARALLEL SAFE ROWS 4;
REVOKE ALL ON FUNCTION pool_advisor._optimal() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._optimal() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._optimal() IS 'what the view optimal shows';

CREATE VIEW pool_advisor.optimal AS SELECT * FROM pool_advisor._optimal();
REVOKE ALL ON pool_advisor.optimal FROM PUBLIC;
GRANT SELECT ON pool_advisor.optimal TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.optimal IS
    'the optimal number of active connections by each method, with the calculation, or why there is none';
COMMENT ON COLUMN pool_advisor.optimal.method IS 'formula, wait_ratio, scalability, setting, trial; or server_max_active, which counts transactions';
COMMENT ON COLUMN pool_advisor.optimal.connections IS 'what it says; NULL when it has no number';
COMMENT ON COLUMN pool_advisor.optimal.low IS 'lower end of the range around it';
COMMENT ON COLUMN pool_advisor.optimal.high IS 'upper end of the range around it';
COMMENT ON COLUMN pool_advisor.optimal.confidence IS 'how much speaks for it: formula, low, medium or high';
COMMENT ON COLUMN pool_advisor.optimal.chosen IS 'whether it is the optimal of the view status';
COMMENT ON COLUMN pool_advisor.optimal.explanation IS 'the calculation with its numbers';
COMMENT ON COLUMN pool_advisor.optimal.not_available_because IS 'why there is no number; empty when there is one';

CREATE FUNCTION pool_advisor._scalability(
    OUT connections double precision,
    OUT seconds double precision,
    OUT transactions_per_second double precision,
    OUT latency_seconds double precision,
    OUT fitted_transactions_per_second double precision,
    OUT active double precision
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_scalability'
LANGUAGE C STRICT VOLATILE PARALLEL SAFE ROWS 30;
REVOKE ALL ON FUNCTION pool_advisor._scalability() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._scalability() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._scalability() IS 'what the view scalability shows';

CREATE VIEW pool_advisor.scalability AS SELECT * FROM pool_advisor._scalability();
REVOKE ALL ON pool_advisor.scalability FROM PUBLIC;
GRANT SELECT ON pool_advisor.scalability TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.scalability IS
    'throughput with so many busy connections, as it was seen; a busy connection is active, briefly idle in transaction, or between two transactions';
COMMENT ON COLUMN pool_advisor.scalability.connections IS 'busy connections, mean in the bin';
COMMENT ON COLUMN pool_advisor.scalability.seconds IS 'evidence in the bin that still counts, at most 300 s';
COMMENT ON COLUMN pool_advisor.scalability.transactions_per_second IS 'committed transactions';
COMMENT ON COLUMN pool_advisor.scalability.latency_seconds IS 'mean time from the start of a transaction to its end';
COMMENT ON COLUMN pool_advisor.scalability.fitted_transactions_per_second IS 'throughput by the Universal Scalability Law with the parameters of scalability_fit; NULL: no fit';
COMMENT ON COLUMN pool_advisor.scalability.active IS 'how many of the connections were active: executing, waiting inside a statement, or ready to run';

CREATE FUNCTION pool_advisor._scalability_fit(
    OUT lambda double precision,
    OUT sigma double precision,
    OUT kappa double precision,
    OUT peak_connections double precision,
    OUT peak_transactions_per_second double precision,
    OUT r_squared double precision,
    OUT state text
)
RETURNS record
AS 'MODULE_PATHNAME', 'pool_advisor_scalability_fit'
LANGUAGE C STRICT VOLATILE PARALLEL SAFE;
REVOKE ALL ON FUNCTION pool_advisor._scalability_fit() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._scalability_fit() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._scalability_fit() IS 'what the view scalability_fit shows';

CREATE VIEW pool_advisor.scalability_fit AS SELECT * FROM pool_advisor._scalability_fit();
REVOKE ALL ON pool_advisor.scalability_fit FROM PUBLIC;
GRANT SELECT ON pool_advisor.scalability_fit TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.scalability_fit IS
    'the Universal Scalability Law fitted to the view scalability: X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1))';
COMMENT ON COLUMN pool_advisor.scalability_fit.lambda IS 'transactions a second of one busy connection';
COMMENT ON COLUMN pool_advisor.scalability_fit.sigma IS 'contention: the share of the work that cannot be done side by side, 0..1';
COMMENT ON COLUMN pool_advisor.scalability_fit.kappa IS 'coherency: what each pair of connections costs each other';
COMMENT ON COLUMN pool_advisor.scalability_fit.peak_connections IS 'sqrt((1 - sigma) / kappa); NULL as long as no knee was seen, or where throughput never falls';
COMMENT ON COLUMN pool_advisor.scalability_fit.peak_transactions_per_second IS 'throughput there by the law; NULL where there is no such peak';
COMMENT ON COLUMN pool_advisor.scalability_fit.r_squared IS 'share of the differences in throughput that the law explains, 0..1';
COMMENT ON COLUMN pool_advisor.scalability_fit.state IS 'too little data, knee not observed yet, or fitted';

CREATE FUNCTION pool_advisor._advice(
    OUT severity text,
    OUT code text,
    OUT subject text,
    OUT finding text,
    OUT recommendation text,
    OUT fix text
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_advice'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 5;
REVOKE ALL ON FUNCTION pool_advisor._advice() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._advice() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._advice() IS 'what the view advice shows';

CREATE FUNCTION pool_advisor._pool_advice(
    pools bigint,
    connections bigint,
    largest text,
    largest_system text,
    largest_processes bigint,
    largest_connections bigint,
    OUT severity text,
    OUT code text,
    OUT subject text,
    OUT finding text,
    OUT recommendation text,
    OUT fix text
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_pool_advice'
LANGUAGE C STRICT VOLATILE PARALLEL SAFE ROWS 1;
REVOKE ALL ON FUNCTION pool_advisor._pool_advice(bigint, bigint, text, text, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._pool_advice(bigint, bigint, text, text, bigint, bigint) TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._pool_advice(bigint, bigint, text, text, bigint, bigint) IS
    'what the view advice shows of the declared pools, from their sum and the largest of them';

CREATE FUNCTION pool_advisor._pools(
    OUT role name,
    OUT database name,
    OUT application_name text,
    OUT client_addr text,
    OUT kind text,
    OUT open bigint,
    OUT max_open bigint,
    OUT max_in_use bigint,
    OUT busy double precision,
    OUT hold_p50_seconds double precision,
    OUT hold_p95_seconds double precision,
    OUT churn_per_minute double precision,
    OUT suggested_size bigint,
    OUT reason text,
    OUT open_lately bigint
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_pools'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 10;
REVOKE ALL ON FUNCTION pool_advisor._pools() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._pools() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._pools() IS 'what the view pools shows';

CREATE VIEW pool_advisor.pools AS SELECT * FROM pool_advisor._pools();
REVOKE ALL ON pool_advisor.pools FROM PUBLIC;
GRANT SELECT ON pool_advisor.pools TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.pools IS
    'the pools in front of the server, found from its sessions: those of one role, database, application and client; most open connections first';
COMMENT ON COLUMN pool_advisor.pools.role IS 'as which they connect; NULL in the row that adds up all beyond 255 pools';
COMMENT ON COLUMN pool_advisor.pools.database IS 'to which they connect';
COMMENT ON COLUMN pool_advisor.pools.application_name IS 'as the sessions call it; (others) for all beyond 255 pools';
COMMENT ON COLUMN pool_advisor.pools.client_addr IS 'where they connect from; NULL through a Unix socket';
COMMENT ON COLUMN pool_advisor.pools.kind IS 'fixed, elastic, per request, leaking, locked up or interactive';
COMMENT ON COLUMN pool_advisor.pools.open IS 'connections in the last sample';
COMMENT ON COLUMN pool_advisor.pools.max_open IS 'most connections at once, since the server started, in 14 days';
COMMENT ON COLUMN pool_advisor.pools.max_in_use IS 'most of them in use at once, by the samples: active, in a transaction, or waiting for a transaction slot';
COMMENT ON COLUMN pool_advisor.pools.busy IS 'share of the time that an open connection was in use in the last minute, 0..1; NULL when none was open';
COMMENT ON COLUMN pool_advisor.pools.hold_p50_seconds IS 'half of its transactions took no longer, in the last minutes with any; NULL before the first';
COMMENT ON COLUMN pool_advisor.pools.hold_p95_seconds IS '95 percent of them took no longer';
COMMENT ON COLUMN pool_advisor.pools.churn_per_minute IS 'connections opened in the last minute';
COMMENT ON COLUMN pool_advisor.pools.suggested_size IS 'connections that it needs for its busiest load; NULL when that was not measured, or it is no pool';
COMMENT ON COLUMN pool_advisor.pools.reason IS 'why it is of that kind, and how the size is worked out';
COMMENT ON COLUMN pool_advisor.pools.open_lately IS 'most connections at once in the last 10 to 20 minutes';

CREATE FUNCTION pool_advisor._found_pool_advice(
    OUT severity text,
    OUT code text,
    OUT subject text,
    OUT finding text,
    OUT recommendation text,
    OUT fix text
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_found_pool_advice'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 1;
REVOKE ALL ON FUNCTION pool_advisor._found_pool_advice() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._found_pool_advice() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._found_pool_advice() IS 'what the view advice shows of the pools that were found';

-- the server's advice is sorted already, and so is that on pools
CREATE VIEW pool_advisor.advice AS
SELECT severity, code, subject, finding, recommendation, fix
FROM (
    SELECT 1 AS part, a.*
    FROM pool_advisor._advice() WITH ORDINALITY
        AS a (severity, code, subject, finding, recommendation, fix, n)
    UNION ALL
    SELECT 2, a.*
    FROM (SELECT count(*) AS pools, sum(processes * max_pool_size)::bigint AS connections
          FROM pool_advisor.declared_pools) AS every,
        (SELECT name, system, processes, processes * max_pool_size AS connections
         FROM pool_advisor.declared_pools
         ORDER BY processes * max_pool_size DESC, name LIMIT 1) AS largest,
        pool_advisor._pool_advice(every.pools, every.connections, largest.name, largest.system,
                                  largest.processes, largest.connections) WITH ORDINALITY
        AS a (severity, code, subject, finding, recommendation, fix, n)
    UNION ALL
    SELECT 3, a.*
    FROM pool_advisor._found_pool_advice() WITH ORDINALITY
        AS a (severity, code, subject, finding, recommendation, fix, n)
) AS advice
ORDER BY pg_catalog.array_position(ARRAY['critical', 'warning', 'info'], severity), part, n;
REVOKE ALL ON pool_advisor.advice FROM PUBLIC;
GRANT SELECT ON pool_advisor.advice TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.advice IS
    'what to look at and what to do about it, worst first; empty when all is well';
COMMENT ON COLUMN pool_advisor.advice.severity IS 'critical, warning or info';
COMMENT ON COLUMN pool_advisor.advice.code IS 'what it is about; stable';
COMMENT ON COLUMN pool_advisor.advice.subject IS 'whom or what it is about: server, a role, a setting, pools, an application';
COMMENT ON COLUMN pool_advisor.advice.finding IS 'what was measured';
COMMENT ON COLUMN pool_advisor.advice.recommendation IS 'what to do about it';
COMMENT ON COLUMN pool_advisor.advice.fix IS 'a line to run, or empty';

CREATE FUNCTION pool_advisor.explain()
RETURNS SETOF text
AS 'MODULE_PATHNAME', 'pool_advisor_explain'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 15;
REVOKE ALL ON FUNCTION pool_advisor.explain() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor.explain() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor.explain() IS
    'the whole reasoning from measurement to verdict, a sentence a row';


-- The machine, the waits, the roles

CREATE FUNCTION pool_advisor._hardware(
    OUT fact text,
    OUT value text,
    OUT source text
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_hardware'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 20;
REVOKE ALL ON FUNCTION pool_advisor._hardware() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._hardware() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._hardware() IS 'what the view hardware shows';

CREATE VIEW pool_advisor.hardware AS SELECT * FROM pool_advisor._hardware();
REVOKE ALL ON pool_advisor.hardware FROM PUBLIC;
GRANT SELECT ON pool_advisor.hardware TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.hardware IS
    'cores, quota, disks and spindles as found, with the source of each, and what the machine did in the last minute';
COMMENT ON COLUMN pool_advisor.hardware.fact IS 'what is told';
COMMENT ON COLUMN pool_advisor.hardware.value IS 'with its unit';
COMMENT ON COLUMN pool_advisor.hardware.source IS 'where it was read; paths of the server''s directories only for superusers and members of pg_read_all_settings';

CREATE FUNCTION pool_advisor._waits(
    OUT period text,
    OUT wait_event_type text,
    OUT wait_event text,
    OUT active_avg double precision,
    OUT parallel_avg double precision
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_waits'
LANGUAGE C STRICT VOLATILE PARALLEL SAFE ROWS 50;
REVOKE ALL ON FUNCTION pool_advisor._waits() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._waits() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._waits() IS 'what the view waits shows';

CREATE VIEW pool_advisor.waits AS SELECT * FROM pool_advisor._waits();
REVOKE ALL ON pool_advisor.waits FROM PUBLIC;
GRANT SELECT ON pool_advisor.waits TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.waits IS
    'average sessions and parallel workers in each wait event over the last 10 s, 1 min, 10 min and 1 h; on CPU is type CPU';
COMMENT ON COLUMN pool_advisor.waits.period IS '10 s, 1 min, 10 min or 1 h, up to now';
COMMENT ON COLUMN pool_advisor.waits.wait_event_type IS 'as in pg_stat_activity; CPU for what waits for nothing, Other for events beyond the room there is';
COMMENT ON COLUMN pool_advisor.waits.wait_event IS 'as in pg_stat_activity';
COMMENT ON COLUMN pool_advisor.waits.active_avg IS 'average active sessions in it';
COMMENT ON COLUMN pool_advisor.waits.parallel_avg IS 'average parallel workers in it';

CREATE FUNCTION pool_advisor._latency(
    OUT rolname name,
    OUT period text,
    OUT transactions bigint,
    OUT rolled_back bigint,
    OUT mean_seconds numeric,
    OUT p50_seconds numeric,
    OUT p95_seconds numeric,
    OUT p99_seconds numeric
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_latency'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 20;
REVOKE ALL ON FUNCTION pool_advisor._latency() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._latency() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._latency() IS 'what the view latency shows';

CREATE VIEW pool_advisor.latency AS SELECT * FROM pool_advisor._latency();
REVOKE ALL ON pool_advisor.latency FROM PUBLIC;
GRANT SELECT ON pool_advisor.latency TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.latency IS
    'how long the transactions of each role took, in the last minute and since the server started; the wait in the queue for transactions is part of it';
COMMENT ON COLUMN pool_advisor.latency.rolname IS 'the role that logged in, whatever SET ROLE and SET SESSION AUTHORIZATION say; (other roles) for those beyond the first 50';
COMMENT ON COLUMN pool_advisor.latency.period IS '1 min, up to the last second, or since start';
COMMENT ON COLUMN pool_advisor.latency.transactions IS 'that clients committed, prepared or rolled back';
COMMENT ON COLUMN pool_advisor.latency.rolled_back IS 'those of them that were rolled back';
COMMENT ON COLUMN pool_advisor.latency.mean_seconds IS 'mean duration, from the start of the first statement to the end of the transaction';
COMMENT ON COLUMN pool_advisor.latency.p50_seconds IS 'median duration; like the next two within 7.2 percent, or 1 us';
COMMENT ON COLUMN pool_advisor.latency.p95_seconds IS 'duration that 95 percent of the transactions did not exceed';
COMMENT ON COLUMN pool_advisor.latency.p99_seconds IS 'duration that 99 percent of the transactions did not exceed';

CREATE FUNCTION pool_advisor._blockers(
    OUT pid integer,
    OUT rolname name,
    OUT datname name,
    OUT application_name text,
    OUT state text,
    OUT xact_seconds double precision,
    OUT blocked_directly bigint,
    OUT blocked bigint,
    OUT longest_wait_seconds double precision,
    OUT blocking_seconds double precision,
    OUT query_id bigint,
    OUT gid text
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_blockers'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 5;
REVOKE ALL ON FUNCTION pool_advisor._blockers() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._blockers() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._blockers() IS 'what the view blockers shows';

CREATE VIEW pool_advisor.blockers AS SELECT * FROM pool_advisor._blockers();
REVOKE ALL ON pool_advisor.blockers FROM PUBLIC;
GRANT SELECT ON pool_advisor.blockers TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.blockers IS
    'sessions and prepared transactions that others wait for and that wait for none: the roots of lock chains, as of the last second; at most 32, those that block most first';
COMMENT ON COLUMN pool_advisor.blockers.pid IS 'of the process; 0 of a prepared transaction';
COMMENT ON COLUMN pool_advisor.blockers.rolname IS 'its role; NULL for a process of the server';
COMMENT ON COLUMN pool_advisor.blockers.datname IS 'its database; NULL likewise';
COMMENT ON COLUMN pool_advisor.blockers.application_name IS 'as the session has set it';
COMMENT ON COLUMN pool_advisor.blockers.state IS 'as in pg_stat_activity; queued while it waits in the queue for transactions, prepared, deadlock for one of several that wait for each other, server for a process that is no client''s';
COMMENT ON COLUMN pool_advisor.blockers.xact_seconds IS 'age of its transaction; NULL when not known';
COMMENT ON COLUMN pool_advisor.blockers.blocked_directly IS 'sessions that wait for it';
COMMENT ON COLUMN pool_advisor.blockers.blocked IS 'these, those that wait for them, and so on';
COMMENT ON COLUMN pool_advisor.blockers.longest_wait_seconds IS 'how long the one of these has waited that waits longest';
COMMENT ON COLUMN pool_advisor.blockers.blocking_seconds IS 'for how long it has been seen as a root';
COMMENT ON COLUMN pool_advisor.blockers.query_id IS 'of its last statement, as in pg_stat_statements; NULL when none is computed';
COMMENT ON COLUMN pool_advisor.blockers.gid IS 'the name of a prepared transaction';

CREATE FUNCTION pool_advisor._incidents(
    OUT began timestamptz,
    OUT ended timestamptz,
    OUT kind text,
    OUT cause text,
    OUT culprit_dimension text,
    OUT culprit text,
    OUT rolname name,
    OUT application_name text,
    OUT peak double precision,
    OUT peak_what text,
    OUT transactions_not_done bigint,
    OUT would_have_helped text
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_incidents'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 20;
REVOKE ALL ON FUNCTION pool_advisor._incidents() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._incidents() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._incidents() IS 'what the view incidents shows';

CREATE VIEW pool_advisor.incidents AS SELECT * FROM pool_advisor._incidents();
REVOKE ALL ON pool_advisor.incidents FROM PUBLIC;
GRANT SELECT ON pool_advisor.incidents TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.incidents IS
    'what went wrong, when, and by whom, as found from the samples: at most the last 200 incidents, the newest first, kept over a restart';
COMMENT ON COLUMN pool_advisor.incidents.began IS 'when its signs were seen first';
COMMENT ON COLUMN pool_advisor.incidents.ended IS 'when they were seen last; NULL while it lasts';
COMMENT ON COLUMN pool_advisor.incidents.kind IS 'stalled, lock storm, I/O flood, oversubscription, overload, login storm or connection leak';
COMMENT ON COLUMN pool_advisor.incidents.cause IS 'in a sentence';
COMMENT ON COLUMN pool_advisor.incidents.culprit_dimension IS 'what culprit is: session, prepared transaction, role, database, application, client, query, background process, or empty when there is none';
COMMENT ON COLUMN pool_advisor.incidents.culprit IS 'the process ID, the transaction ID, the name, the address or the query ID; empty when there is none';
COMMENT ON COLUMN pool_advisor.incidents.rolname IS 'the culprit, or the role that nearly all of its sessions have';
COMMENT ON COLUMN pool_advisor.incidents.application_name IS 'of a session, as it had set it, or the culprit; NULL otherwise';
COMMENT ON COLUMN pool_advisor.incidents.peak IS 'how bad it was at its worst';
COMMENT ON COLUMN pool_advisor.incidents.peak_what IS 'what peak is of';
COMMENT ON COLUMN pool_advisor.incidents.transactions_not_done IS 'transactions that were missed, by the throughput of the minutes before, or by the peak of the curve in an oversubscription with a measured knee; NULL when it cannot be said';
COMMENT ON COLUMN pool_advisor.incidents.would_have_helped IS 'what would have prevented it, or ended it early, in a sentence';

CREATE FUNCTION pool_advisor._summary(
    OUT item text,
    OUT state text
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_summary'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 8;
REVOKE ALL ON FUNCTION pool_advisor._summary() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._summary() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._summary() IS 'what the view summary shows';

CREATE VIEW pool_advisor.summary AS SELECT * FROM pool_advisor._summary();
REVOKE ALL ON pool_advisor.summary FROM PUBLIC;
GRANT SELECT ON pool_advisor.summary TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.summary IS
    'the state of the server in 8 rows that fit into 80 columns, the most urgent first; advice on declared pools is in the view advice only';
COMMENT ON COLUMN pool_advisor.summary.item IS 'verdict, blocked by, advice, load, optimal, queue, limits, data';
COMMENT ON COLUMN pool_advisor.summary.state IS 'for people, and not stable; programs read the views status and metrics';

CREATE FUNCTION pool_advisor._roles(
    OUT rolname name,
    OUT sessions bigint,
    OUT active bigint,
    OUT idle bigint,
    OUT idle_in_transaction bigint,
    OUT queued bigint,
    OUT active_avg double precision,
    OUT max_sessions bigint,
    OUT max_active bigint,
    OUT refused_total bigint,
    OUT queued_total bigint,
    OUT timed_out_total bigint,
    OUT would_refuse_total bigint,
    OUT closed_idle_total bigint,
    OUT queue_wait_seconds_total double precision,
    OUT transactions_queued_total bigint,
    OUT transaction_queue_wait_seconds_total double precision
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_roles'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 20;
REVOKE ALL ON FUNCTION pool_advisor._roles() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._roles() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._roles() IS 'what the view roles shows';

CREATE VIEW pool_advisor.roles AS SELECT * FROM pool_advisor._roles();
REVOKE ALL ON pool_advisor.roles FROM PUBLIC;
GRANT SELECT ON pool_advisor.roles TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.roles IS
    'sessions of each role in the last sample, its average active sessions over the last minute, its limit, and what the limits did to it since the server started';
COMMENT ON COLUMN pool_advisor.roles.rolname IS 'the role; (other roles) for those beyond the room there is';
COMMENT ON COLUMN pool_advisor.roles.sessions IS 'sessions of the role in the last sample';
COMMENT ON COLUMN pool_advisor.roles.active IS 'those of them that execute a statement';
COMMENT ON COLUMN pool_advisor.roles.idle IS 'those of them that wait for a command, outside a transaction';
COMMENT ON COLUMN pool_advisor.roles.idle_in_transaction IS 'those of them that wait for a command inside a transaction';
COMMENT ON COLUMN pool_advisor.roles.active_avg IS 'average active sessions of the role over the last minute';
COMMENT ON COLUMN pool_advisor.roles.queued IS 'logins of the role that wait in the queue now, which are not sessions yet, and its sessions whose transaction waits in the queue';
COMMENT ON COLUMN pool_advisor.roles.max_sessions IS 'the role''s own limit, or the default; -1: none, or the role is exempt';
COMMENT ON COLUMN pool_advisor.roles.max_active IS 'transactions that the role''s own limit allows at a time, or the default; -1: none, or the role is exempt';
COMMENT ON COLUMN pool_advisor.roles.refused_total IS 'logins refused because of a limit, timed_out_total included';
COMMENT ON COLUMN pool_advisor.roles.queued_total IS 'logins that had to wait in the queue';
COMMENT ON COLUMN pool_advisor.roles.timed_out_total IS 'logins refused after waiting for queue_timeout';
COMMENT ON COLUMN pool_advisor.roles.would_refuse_total IS 'logins that found a limit full and were let in because enforcement was observe';
COMMENT ON COLUMN pool_advisor.roles.closed_idle_total IS 'sessions closed after session_idle_timeout because they were beyond min_sessions';
COMMENT ON COLUMN pool_advisor.roles.queue_wait_seconds_total IS 'seconds that logins spent in the queue';
COMMENT ON COLUMN pool_advisor.roles.transactions_queued_total IS 'transactions that had to wait in the queue';
COMMENT ON COLUMN pool_advisor.roles.transaction_queue_wait_seconds_total IS 'seconds that transactions spent in the queue';

CREATE FUNCTION pool_advisor._load(
    OUT period text,
    OUT dimension text,
    OUT key text,
    OUT active_avg double precision,
    OUT on_cpu double precision,
    OUT waiting_io double precision,
    OUT waiting_lock double precision,
    OUT waiting_lwlock double precision,
    OUT waiting_other double precision,
    OUT blame double precision
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_load'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 100;
REVOKE ALL ON FUNCTION pool_advisor._load() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._load() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._load() IS 'what the view load shows';

CREATE VIEW pool_advisor.load AS SELECT * FROM pool_advisor._load();
REVOKE ALL ON pool_advisor.load FROM PUBLIC;
GRANT SELECT ON pool_advisor.load TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.load IS
    'average active sessions by role, database, application, client and query, from 10 s to 14 days; each dimension adds up to the load of the period';
COMMENT ON COLUMN pool_advisor.load.period IS '10 s, 1 min, 10 min, 1 h, 6 h or 14 days, up to the last second; since the server started, if that is shorter';
COMMENT ON COLUMN pool_advisor.load.dimension IS 'role, database, application, client or query';
COMMENT ON COLUMN pool_advisor.load.key IS 'the role or database by name, application_name, the client''s address or local, or the query ID; (none) where there is none; (others) for all keys with less than 1 % of the load and of the blame';
COMMENT ON COLUMN pool_advisor.load.active_avg IS 'average active sessions, the sum of the next five columns';
COMMENT ON COLUMN pool_advisor.load.on_cpu IS 'those of them that wait for nothing';
COMMENT ON COLUMN pool_advisor.load.waiting_io IS 'those of them that wait for I/O';
COMMENT ON COLUMN pool_advisor.load.waiting_lock IS 'those of them that wait for a lock';
COMMENT ON COLUMN pool_advisor.load.waiting_lwlock IS 'those of them that wait for an internal lock';
COMMENT ON COLUMN pool_advisor.load.waiting_other IS 'those of them that wait for something else';
COMMENT ON COLUMN pool_advisor.load.blame IS 'average sessions that waited for a lock because a session of this key was at the root of their lock chain';


-- The last two weeks

CREATE FUNCTION pool_advisor._history(
    OUT resolution text,
    OUT sampled_at timestamptz,
    OUT active_avg double precision,
    OUT active_max bigint,
    OUT idle double precision,
    OUT idle_in_transaction double precision,
    OUT queued double precision,
    OUT on_cpu double precision,
    OUT waiting_io double precision,
    OUT waiting_lock double precision,
    OUT waiting_lwlock double precision,
    OUT waiting_other double precision,
    OUT io_wait_ratio double precision,
    OUT cpu_utilization double precision,
    OUT transactions_per_second double precision,
    OUT optimal bigint
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_history'
LANGUAGE C STRICT VOLATILE PARALLEL SAFE ROWS 7000;
REVOKE ALL ON FUNCTION pool_advisor._history() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._history() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._history() IS 'what the view history shows';

CREATE VIEW pool_advisor.history AS SELECT * FROM pool_advisor._history();
REVOKE ALL ON pool_advisor.history FROM PUBLIC;
GRANT SELECT ON pool_advisor.history TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.history IS
    'averages of every second for 15 minutes, every 10 s for 6 hours and every 5 minutes for 14 days, oldest first; kept over a restart';
COMMENT ON COLUMN pool_advisor.history.resolution IS 'length of the interval: 1 s, 10 s or 5 min';
COMMENT ON COLUMN pool_advisor.history.sampled_at IS 'end of the interval';
COMMENT ON COLUMN pool_advisor.history.active_avg IS 'average active sessions: the sum of on_cpu and the four waiting columns';
COMMENT ON COLUMN pool_advisor.history.active_max IS 'most active sessions in a sample';
COMMENT ON COLUMN pool_advisor.history.idle IS 'average sessions waiting for a command, outside a transaction';
COMMENT ON COLUMN pool_advisor.history.idle_in_transaction IS 'average sessions waiting for a command inside a transaction, aborted ones included';
COMMENT ON COLUMN pool_advisor.history.queued IS 'average sessions and logins waiting to be admitted by pool_advisor';
COMMENT ON COLUMN pool_advisor.history.on_cpu IS 'average active sessions that wait for nothing: running, or runnable';
COMMENT ON COLUMN pool_advisor.history.waiting_io IS 'average active sessions with a wait event of type IO';
COMMENT ON COLUMN pool_advisor.history.waiting_lock IS 'average active sessions with a wait event of type Lock';
COMMENT ON COLUMN pool_advisor.history.waiting_lwlock IS 'average active sessions with a wait event of type LWLock';
COMMENT ON COLUMN pool_advisor.history.waiting_other IS 'average active sessions with a wait event of any other type';
COMMENT ON COLUMN pool_advisor.history.io_wait_ratio IS 'waiting_io / active_avg, 0..1; 0 when nothing was active';
COMMENT ON COLUMN pool_advisor.history.cpu_utilization IS 'use of the cores granted to the server, by all that runs on them, 0..1; NULL when not known';
COMMENT ON COLUMN pool_advisor.history.transactions_per_second IS 'committed transactions; NULL when not known';
COMMENT ON COLUMN pool_advisor.history.optimal IS 'active connections at which the server is at its best, as it was said then; in longer intervals the average, rounded';

-- FROM is a key word, and the name of an argument
CREATE FUNCTION pool_advisor.compare(
    "from" timestamptz,
    until timestamptz,
    from2 timestamptz,
    until2 timestamptz,
    OUT measure text,
    OUT before numeric,
    OUT after numeric,
    OUT change_ratio numeric,
    OUT more_than_noise boolean,
    OUT why text,
    OUT dimension text,
    OUT key text
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_compare'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 20;
REVOKE ALL ON FUNCTION pool_advisor.compare(timestamptz, timestamptz, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor.compare(timestamptz, timestamptz, timestamptz, timestamptz) TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor.compare(timestamptz, timestamptz, timestamptz, timestamptz) IS
    'what changed between two periods of the history, whose load it was, and whether it is more than noise; the largest first';


-- Drawings

-- its characters depend on client_encoding, which a parallel worker does not have
CREATE FUNCTION pool_advisor.chart(
    what text DEFAULT 'load',
    period interval DEFAULT '10 min',
    width integer DEFAULT 80,
    height integer DEFAULT 16
)
RETURNS SETOF text
AS 'MODULE_PATHNAME', 'pool_advisor_chart'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 16;
REVOKE ALL ON FUNCTION pool_advisor.chart(text, interval, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor.chart(text, interval, integer, integer) TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor.chart(text, interval, integer, integer) IS
    'a drawing of load, waits, roles, scalability or incidents for psql, a line a row, at most so many columns and lines';

CREATE FUNCTION pool_advisor.report()
RETURNS text
AS 'MODULE_PATHNAME', 'pool_advisor_report'
LANGUAGE C VOLATILE PARALLEL SAFE;
REVOKE ALL ON FUNCTION pool_advisor.report() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor.report() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor.report() IS
    'the server on one page of HTML that needs nothing else: verdict, charts of load, waits and scalability, roles and limits, advice, method and hardware';


-- Limits

CREATE FUNCTION pool_advisor._limits(
    OUT scope text,
    OUT rolname name,
    OUT datname name,
    OUT max_sessions bigint,
    OUT min_sessions bigint,
    OUT session_idle_timeout interval,
    OUT queue_length bigint,
    OUT queue_timeout interval,
    OUT max_active bigint,
    OUT in_use bigint,
    OUT headroom bigint,
    OUT active_in_use bigint,
    OUT enforcement text,
    OUT gate_enforcement text,
    OUT transaction_queue_length bigint,
    OUT transaction_queue_timeout interval,
    OUT active_weight bigint,
    OUT min_active bigint
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_limits'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 10;
REVOKE ALL ON FUNCTION pool_advisor._limits() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._limits() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._limits() IS 'what the view limits shows';

CREATE VIEW pool_advisor.limits AS SELECT * FROM pool_advisor._limits();
REVOKE ALL ON pool_advisor.limits FROM PUBLIC;
GRANT SELECT ON pool_advisor.limits TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.limits IS
    'every limit in force on this node, limit_scale applied, with the sessions under it; -1 is no limit';
COMMENT ON COLUMN pool_advisor.limits.scope IS 'role, group (a role and its members together), database, role in database, default (each role without a limit of its own), or server (pool_advisor.server_max_active)';
COMMENT ON COLUMN pool_advisor.limits.rolname IS 'the role that it is set on, or NULL';
COMMENT ON COLUMN pool_advisor.limits.datname IS 'the database that it is set on, or NULL';
COMMENT ON COLUMN pool_advisor.limits.max_sessions IS 'sessions that there can be; 0 lets nobody in';
COMMENT ON COLUMN pool_advisor.limits.min_sessions IS 'sessions that are kept when they are idle; -1 keeps all';
COMMENT ON COLUMN pool_advisor.limits.session_idle_timeout IS 'how long sessions beyond min_sessions can be idle before they are closed; 0 closes none';
COMMENT ON COLUMN pool_advisor.limits.queue_length IS 'logins that wait in the queue when max_sessions is reached';
COMMENT ON COLUMN pool_advisor.limits.queue_timeout IS 'how long a login waits before it is refused';
COMMENT ON COLUMN pool_advisor.limits.max_active IS 'transactions that may run at a time; -1 is no limit';
COMMENT ON COLUMN pool_advisor.limits.in_use IS 'sessions counted under the limit; for the default, those of the role that has most; of the server, all';
COMMENT ON COLUMN pool_advisor.limits.headroom IS 'sessions that can still come in; -1 is no limit';
COMMENT ON COLUMN pool_advisor.limits.active_in_use IS 'transactions that run under the limit; for the default, those of the role that has most; 0 where nothing limits them';
COMMENT ON COLUMN pool_advisor.limits.enforcement IS 'whether it holds for sessions: on, observe or off; exempt: its role is under no limit';
COMMENT ON COLUMN pool_advisor.limits.gate_enforcement IS 'whether it holds for transactions: on, observe or off, which it also is when enforcement is; exempt: its role is under no limit';
COMMENT ON COLUMN pool_advisor.limits.transaction_queue_length IS 'transactions that wait because of it at most, beyond which they are refused; -1 is no bound, 0 lets none wait; of the server that of the default';
COMMENT ON COLUMN pool_advisor.limits.transaction_queue_timeout IS 'how long a transaction waits before it is refused; 0 is as long as it takes; of the server that of the default';
COMMENT ON COLUMN pool_advisor.limits.active_weight IS 'share of the server''s slots while transactions wait for them; NULL for a group or database that sets none, and for the server';
COMMENT ON COLUMN pool_advisor.limits.min_active IS 'transactions that get a slot of the server before those of others; NULL likewise';

CREATE FUNCTION pool_advisor._gate(
    OUT scope text,
    OUT rolname name,
    OUT datname name,
    OUT max_active bigint,
    OUT max_active_effective bigint,
    OUT in_use bigint,
    OUT running bigint,
    OUT retained bigint,
    OUT waiting bigint,
    OUT longest_wait_seconds double precision,
    OUT wait_p50_seconds double precision,
    OUT wait_p95_seconds double precision,
    OUT wait_p99_seconds double precision,
    OUT waited_total bigint,
    OUT wait_seconds_total double precision,
    OUT granted_total bigint,
    OUT refused_total bigint,
    OUT timed_out_total bigint,
    OUT cancelled_total bigint,
    OUT overcommitted_total bigint,
    OUT suspended_total bigint,
    OUT newest_first_total bigint,
    OUT would_wait_total bigint,
    OUT holder_pid bigint,
    OUT holder_role name,
    OUT holder_seconds double precision,
    OUT gate_enforcement text,
    OUT server_max_active text,
    OUT state text,
    OUT explanation text,
    OUT long_max_active bigint,
    OUT long_running bigint,
    OUT long_waiting bigint,
    OUT query_id bigint
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_gate'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 10;
REVOKE ALL ON FUNCTION pool_advisor._gate() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._gate() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._gate() IS 'what the view gate shows';

CREATE VIEW pool_advisor.gate AS SELECT * FROM pool_advisor._gate();
REVOKE ALL ON pool_advisor.gate FROM PUBLIC;
GRANT SELECT ON pool_advisor.gate TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.gate IS
    'the queues in front of transactions, one row each, the server first: what may run, what runs, what waits, how long, who holds slots, and what has been counted since the server started';
COMMENT ON COLUMN pool_advisor.gate.scope IS 'what the queue is for: server, then each limit with max_active by its scope: role, group, database, role in database, query of pool_advisor.query_max_active, or default for a role under the default limit';
COMMENT ON COLUMN pool_advisor.gate.rolname IS 'the role or group; NULL for the server and a database';
COMMENT ON COLUMN pool_advisor.gate.datname IS 'the database; NULL where the limit is for all';
COMMENT ON COLUMN pool_advisor.gate.max_active IS 'transactions that may run at a time; -1: no limit';
COMMENT ON COLUMN pool_advisor.gate.max_active_effective IS 'the same with slots beyond it, for holders that are not counted; -1: no limit is enforced';
COMMENT ON COLUMN pool_advisor.gate.in_use IS 'slots that sessions have: running and retained';
COMMENT ON COLUMN pool_advisor.gate.running IS 'transactions that run; of the server those under any limit';
COMMENT ON COLUMN pool_advisor.gate.retained IS 'slots that sessions keep for their next transaction, and lose when a waiter needs them';
COMMENT ON COLUMN pool_advisor.gate.waiting IS 'transactions that wait in this queue';
COMMENT ON COLUMN pool_advisor.gate.longest_wait_seconds IS 'how long the one of them that came first has waited; 0 when none waits';
COMMENT ON COLUMN pool_advisor.gate.wait_p50_seconds IS 'half of the waits that got their slot in the last 60 to 75 s were not longer, within 20 %; NULL without any';
COMMENT ON COLUMN pool_advisor.gate.wait_p95_seconds IS 'the same for 95 % of them';
COMMENT ON COLUMN pool_advisor.gate.wait_p99_seconds IS 'the same for 99 % of them';
COMMENT ON COLUMN pool_advisor.gate.waited_total IS 'transactions that had to wait here and got their slot';
COMMENT ON COLUMN pool_advisor.gate.wait_seconds_total IS 'seconds that these waited';
COMMENT ON COLUMN pool_advisor.gate.granted_total IS 'slots that waiters were given';
COMMENT ON COLUMN pool_advisor.gate.refused_total IS 'transactions refused because as many waited as transaction_queue_length allows, or because their statement_timeout would have ended them before they got a slot';
COMMENT ON COLUMN pool_advisor.gate.timed_out_total IS 'transactions refused after waiting for transaction_queue_timeout; cancelled_total counts them, too';
COMMENT ON COLUMN pool_advisor.gate.cancelled_total IS 'waits that ended without a slot: canceled, timed out, disconnected';
COMMENT ON COLUMN pool_advisor.gate.overcommitted_total IS 'by how much the limit was raised for holders that are not counted, and waiters that were granted a slot because others needed them or as a last resort';
COMMENT ON COLUMN pool_advisor.gate.suspended_total IS 'slots under the limit that were taken from sessions that were idle in their transaction';
COMMENT ON COLUMN pool_advisor.gate.newest_first_total IS 'transactions that were put before others in the queue, because its waits were long';
COMMENT ON COLUMN pool_advisor.gate.would_wait_total IS 'transactions that would have had to wait, but gate_enforcement was observe';
COMMENT ON COLUMN pool_advisor.gate.holder_pid IS 'the session whose transaction has had its slot for longest';
COMMENT ON COLUMN pool_advisor.gate.holder_role IS 'its role';
COMMENT ON COLUMN pool_advisor.gate.holder_seconds IS 'for how long';
COMMENT ON COLUMN pool_advisor.gate.gate_enforcement IS 'whether transactions are kept waiting: on, observe or off; off also when pool_advisor.enforcement is';
COMMENT ON COLUMN pool_advisor.gate.server_max_active IS 'of the server: the setting pool_advisor.server_max_active';
COMMENT ON COLUMN pool_advisor.gate.state IS 'of the server: off, fixed, trial while a trial of limits runs, or with auto: not full (nobody waits, so nothing is learned), searching or settled';
COMMENT ON COLUMN pool_advisor.gate.explanation IS 'of the server: what the limit is, and why';
COMMENT ON COLUMN pool_advisor.gate.long_max_active IS 'of the server: long transactions that may run at a time now, as short ones need slots; -1: any number';
COMMENT ON COLUMN pool_advisor.gate.long_running IS 'of the server: running transactions that are long by their age or by those before them';
COMMENT ON COLUMN pool_advisor.gate.long_waiting IS 'of the server: waiting transactions that are long by those before them';
COMMENT ON COLUMN pool_advisor.gate.query_id IS 'of the scope query: the first statement of the transactions, as in pg_stat_statements';

CREATE FUNCTION pool_advisor.trial(
    duration interval DEFAULT '5 min',
    max_active integer DEFAULT NULL,
    OUT state text,
    OUT until timestamp with time zone,
    OUT limit_a bigint,
    OUT limit_b bigint
)
RETURNS record
AS 'MODULE_PATHNAME', 'pool_advisor_trial'
LANGUAGE C VOLATILE;
REVOKE ALL ON FUNCTION pool_advisor.trial(interval, integer) FROM PUBLIC;
COMMENT ON FUNCTION pool_advisor.trial(interval, integer) IS
    'start to compare the server''s limit on transactions with another one, on the live load';

CREATE FUNCTION pool_advisor.trial_stop()
RETURNS boolean
AS 'MODULE_PATHNAME', 'pool_advisor_trial_stop'
LANGUAGE C VOLATILE;
REVOKE ALL ON FUNCTION pool_advisor.trial_stop() FROM PUBLIC;
COMMENT ON FUNCTION pool_advisor.trial_stop() IS 'end the trial that runs; false if none does';

CREATE FUNCTION pool_advisor._trials(
    OUT began timestamp with time zone,
    OUT until timestamp with time zone,
    OUT ended timestamp with time zone,
    OUT state text,
    OUT limit_a bigint,
    OUT limit_b bigint,
    OUT seconds_a double precision,
    OUT seconds_b double precision,
    OUT transactions_per_second_a double precision,
    OUT transactions_per_second_b double precision,
    OUT latency_seconds_a double precision,
    OUT latency_seconds_b double precision,
    OUT ratio double precision,
    OUT ratio_low double precision,
    OUT ratio_high double precision,
    OUT latency_ratio double precision,
    OUT latency_ratio_low double precision,
    OUT latency_ratio_high double precision,
    OUT predicted_ratio double precision,
    OUT verdict text,
    OUT explanation text
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_trials'
LANGUAGE C STRICT VOLATILE PARALLEL SAFE;
REVOKE ALL ON FUNCTION pool_advisor._trials() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._trials() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._trials() IS 'what the view trials shows';

CREATE VIEW pool_advisor.trials AS SELECT * FROM pool_advisor._trials();
REVOKE ALL ON pool_advisor.trials FROM PUBLIC;
GRANT SELECT ON pool_advisor.trials TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.trials IS
    'the last 20 trials of limits on transactions, the newest first';
COMMENT ON COLUMN pool_advisor.trials.began IS 'when it was started';
COMMENT ON COLUMN pool_advisor.trials.until IS 'when it ends at the latest';
COMMENT ON COLUMN pool_advisor.trials.ended IS 'when it ended; NULL while it runs';
COMMENT ON COLUMN pool_advisor.trials.state IS 'running, finished, or stopped with the reason';
COMMENT ON COLUMN pool_advisor.trials.limit_a IS 'arm A: transactions that the server''s limit let run when it began; -1: no limit';
COMMENT ON COLUMN pool_advisor.trials.limit_b IS 'arm B: the limit that it is compared with; -1: no limit';
COMMENT ON COLUMN pool_advisor.trials.seconds_a IS 'seconds of A that were counted';
COMMENT ON COLUMN pool_advisor.trials.seconds_b IS 'seconds of B that were counted';
COMMENT ON COLUMN pool_advisor.trials.transactions_per_second_a IS 'committed with A';
COMMENT ON COLUMN pool_advisor.trials.transactions_per_second_b IS 'committed with B';
COMMENT ON COLUMN pool_advisor.trials.latency_seconds_a IS 'mean time of a transaction with A, its wait in the queue included';
COMMENT ON COLUMN pool_advisor.trials.latency_seconds_b IS 'the same with B';
COMMENT ON COLUMN pool_advisor.trials.ratio IS 'transactions per second with B, divided by those with A; by pairs of slots, without the most unusual ones';
COMMENT ON COLUMN pool_advisor.trials.ratio_low IS 'lower end of its confidence interval of 98 %';
COMMENT ON COLUMN pool_advisor.trials.ratio_high IS 'upper end of it';
COMMENT ON COLUMN pool_advisor.trials.latency_ratio IS 'time of a transaction with B, divided by that with A; likewise';
COMMENT ON COLUMN pool_advisor.trials.latency_ratio_low IS 'lower end of its confidence interval of 98 %';
COMMENT ON COLUMN pool_advisor.trials.latency_ratio_high IS 'upper end of it';
COMMENT ON COLUMN pool_advisor.trials.predicted_ratio IS 'the ratio that the curve predicted when it began; NULL if it has not seen both';
COMMENT ON COLUMN pool_advisor.trials.verdict IS 'A is better, B is better or no difference was found, by transactions per second; NULL while it runs';
COMMENT ON COLUMN pool_advisor.trials.explanation IS 'the result in sentences';

CREATE FUNCTION pool_advisor._budget(
    OUT scope text,
    OUT name text,
    OUT sessions bigint,
    OUT committed bigint,
    OUT available bigint,
    OUT queue bigint
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_budget'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 10;
REVOKE ALL ON FUNCTION pool_advisor._budget() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._budget() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._budget() IS 'what the view budget shows';

CREATE VIEW pool_advisor.budget AS
WITH limits AS (
    SELECT * FROM pool_advisor._budget() WITH ORDINALITY
        AS b (scope, name, sessions, committed, available, queue, n)
), pools AS (
    SELECT p.name, p.role, p.processes * p.max_pool_size AS committed,
           CASE WHEN p.role IS NOT NULL AND p.database IS NULL
                THEN coalesce(r.sessions, 0) ELSE -1 END AS sessions
    FROM pool_advisor.declared_pools p
    LEFT JOIN pool_advisor._roles() r ON r.rolname = p.role
), found AS (
    -- one connection is no pool, people have none, and what is declared is counted there;
    -- without open connections a pool has ended, unless it opens them as it needs them
    SELECT f.role || '@' || f.database || coalesce(' ' || nullif(f.application_name, ''), '')
               || coalesce(' ' || f.client_addr, '') AS name,
           f.open AS sessions, f.max_open AS committed
    FROM pool_advisor._pools() f
    WHERE f.kind <> 'interactive' AND f.max_open > 1
      AND (f.open > 0 OR (f.kind IN ('per request', 'elastic') AND f.open_lately > 0))
      AND NOT EXISTS (SELECT FROM pool_advisor.declared_pools p
                      WHERE p.role = f.role AND (p.database IS NULL OR p.database = f.database))
), rows AS (
    SELECT 1 AS part, n, scope, name, sessions, committed, available, queue FROM limits
    UNION ALL
    SELECT 2, 1, 'pools', '',
           -- a role that several pools share is counted once
           CASE WHEN min(sessions) < 0 THEN -1 ELSE
               (SELECT sum(sessions)::bigint FROM (SELECT DISTINCT role, sessions FROM pools) AS roles)
           END,
           sum(committed)::bigint, (SELECT available FROM limits WHERE scope = 'server'), 0
    FROM pools HAVING count(*) > 0
    UNION ALL
    SELECT 3, row_number() OVER (ORDER BY name), 'pool', name, sessions, committed,
           (SELECT available FROM limits WHERE scope = 'server'), 0
    FROM pools
    UNION ALL
    SELECT 4, 1, 'found pools', '', sum(sessions)::bigint, sum(committed)::bigint,
           (SELECT available FROM limits WHERE scope = 'server'), 0
    FROM found HAVING count(*) > 0
    UNION ALL
    SELECT 5, row_number() OVER (ORDER BY name), 'found pool', name, sessions, committed,
           (SELECT available FROM limits WHERE scope = 'server'), 0
    FROM found
    UNION ALL
    SELECT 6, 1, 'all pools', '', -1,
           (SELECT sum(committed)::bigint FROM pools) + (SELECT sum(committed)::bigint FROM found),
           (SELECT available FROM limits WHERE scope = 'server'), 0
    WHERE EXISTS (SELECT FROM pools) AND EXISTS (SELECT FROM found)
)
SELECT scope, name, sessions, committed, available,
       CASE WHEN committed < 0 OR queue < 0 THEN 'unlimited'
            WHEN committed + queue <= available THEN 'fits'
            ELSE 'does not fit' END AS verdict,
       queue
FROM rows ORDER BY part, n;
REVOKE ALL ON pool_advisor.budget FROM PUBLIC;
GRANT SELECT ON pool_advisor.budget TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.budget IS
    'whether all that may connect, by limits and CONNECTION LIMITs, fits into the connections there are; first the server, then each limit with a bound, then the declared pools together and each, then the pools that were found beside them';
COMMENT ON COLUMN pool_advisor.budget.scope IS 'server, then a scope of the view limits; pools for all declared pools together, pool for each; found pools and found pool for those of the view pools that are not declared for their role and database, and have not ended; all pools for both';
COMMENT ON COLUMN pool_advisor.budget.name IS 'of the role, group, database or pool; empty for the server, the default and all pools together';
COMMENT ON COLUMN pool_advisor.budget.sessions IS 'sessions that are there; of a pool those of its role in the last sample, -1 when it was declared without a role, or with a database, and for all pools';
COMMENT ON COLUMN pool_advisor.budget.committed IS 'sessions that may be there: the smaller of limit and CONNECTION LIMIT, for the server the sum over all roles, for a pool processes * max_pool_size, for a found pool its most connections; -1 when something has no bound';
COMMENT ON COLUMN pool_advisor.budget.available IS 'connections that ordinary roles can have: max_connections less the reserved ones';
COMMENT ON COLUMN pool_advisor.budget.verdict IS 'fits, does not fit or unlimited: whether committed and queue together fit into available';
COMMENT ON COLUMN pool_advisor.budget.queue IS 'logins that may wait beside the sessions, each with a connection: queue_length, for the server the sum over all limits; -1 is no bound';

CREATE FUNCTION pool_advisor.set_limit(
    role name DEFAULT NULL,
    database name DEFAULT NULL,
    max_sessions integer DEFAULT NULL,
    min_sessions integer DEFAULT NULL,
    session_idle_timeout interval DEFAULT NULL,
    queue_length integer DEFAULT NULL,
    queue_timeout interval DEFAULT NULL,
    max_active integer DEFAULT NULL,
    transaction_queue_length integer DEFAULT NULL,
    transaction_queue_timeout interval DEFAULT NULL,
    active_weight integer DEFAULT NULL,
    min_active integer DEFAULT NULL,
    OUT scope text,
    OUT rolname name,
    OUT datname name,
    OUT max_sessions bigint,
    OUT min_sessions bigint,
    OUT session_idle_timeout interval,
    OUT queue_length bigint,
    OUT queue_timeout interval,
    OUT max_active bigint,
    OUT transaction_queue_length bigint,
    OUT transaction_queue_timeout interval,
    OUT active_weight bigint,
    OUT min_active bigint
)
RETURNS record
AS 'MODULE_PATHNAME', 'pool_advisor_set_limit'
LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
REVOKE ALL ON FUNCTION pool_advisor.set_limit(name, name, integer, integer, interval, integer, interval, integer, integer, interval, integer, integer) FROM PUBLIC;
COMMENT ON FUNCTION pool_advisor.set_limit(name, name, integer, integer, interval, integer, interval, integer, integer, interval, integer, integer) IS
    'set limits of a role, a database, a role in a database, or the default of all; NULL leaves a setting as it is, -1 is no limit; returns what is in force there once the transaction has committed, as the view limits shows it';

CREATE FUNCTION pool_advisor.clear_limit(
    role name DEFAULT NULL,
    database name DEFAULT NULL
)
RETURNS void
AS 'MODULE_PATHNAME', 'pool_advisor_clear_limit'
LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
REVOKE ALL ON FUNCTION pool_advisor.clear_limit(name, name) FROM PUBLIC;
COMMENT ON FUNCTION pool_advisor.clear_limit(name, name) IS
    'remove all limits of a role, a database, a role in a database, or the default that ALTER ROLE ALL set';


-- Planning

CREATE FUNCTION pool_advisor.formula_size(
    core_count double precision,
    effective_spindle_count double precision,
    connections_per_core double precision DEFAULT 2
)
RETURNS bigint
AS 'MODULE_PATHNAME', 'pool_advisor_formula_size'
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pool_advisor.formula_size(double precision, double precision, double precision) IS
    'optimal active connections: core_count * connections_per_core + effective_spindle_count (PostgreSQL wiki, Number Of Database Connections)';

CREATE FUNCTION pool_advisor.deadlock_free_size(
    threads bigint,
    connections_per_thread bigint
)
RETURNS bigint
AS 'MODULE_PATHNAME', 'pool_advisor_deadlock_free_size'
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pool_advisor.deadlock_free_size(bigint, bigint) IS
    'smallest pool in which threads that each hold several connections at once cannot all wait for one another: threads * (connections_per_thread - 1) + 1';

CREATE FUNCTION pool_advisor.fleet_connections(
    front_ends bigint,
    pools bigint,
    min_pool_size bigint,
    max_pool_size bigint,
    databases bigint,
    requests bigint DEFAULT 0,
    free bigint DEFAULT 0,
    OUT connections bigint,
    OUT unserved bigint
)
RETURNS record
AS 'MODULE_PATHNAME', 'pool_advisor_fleet_connections'
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pool_advisor.fleet_connections(bigint, bigint, bigint, bigint, bigint, bigint, bigint) IS
    'connections that a fleet of front-ends opens, one pool of each front-end and database being asked for requests at once; unserved is for each front-end and database';

CREATE FUNCTION pool_advisor.pool_forecast(
    arrival_rate double precision,
    service_time_seconds double precision,
    pool_size bigint,
    queue_length bigint DEFAULT -1,
    OUT utilization double precision,
    OUT busy double precision,
    OUT wait_seconds double precision,
    OUT p95_wait_seconds double precision,
    OUT refused_ratio double precision,
    OUT stable boolean
)
RETURNS record
AS 'MODULE_PATHNAME', 'pool_advisor_pool_forecast'
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pool_advisor.pool_forecast(double precision, double precision, bigint, bigint) IS
    'how long callers wait for a connection of a pool of this size: M/M/c, or M/M/c/K when queue_length bounds the queue (-1: no bound); waits are NULL when the queue grows without bound';

CREATE FUNCTION pool_advisor.thread_pool_forecast(
    arrival_rate double precision,
    service_time_seconds double precision,
    core bigint,
    max bigint,
    queue_length bigint,
    OUT threads double precision,
    OUT queued double precision,
    OUT wait_seconds double precision,
    OUT refused_ratio double precision,
    OUT max_reached_ratio double precision,
    OUT stable boolean
)
RETURNS record
AS 'MODULE_PATHNAME', 'pool_advisor_thread_pool_forecast'
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pool_advisor.thread_pool_forecast(double precision, double precision, bigint, bigint, bigint) IS
    'what a Java ThreadPoolExecutor does under a load: threads start up to core, then tasks queue, and only a full queue starts threads up to max; queue_length -1 is no limit';

CREATE FUNCTION pool_advisor.required_size(
    arrival_rate double precision,
    service_time_seconds double precision,
    max_wait_seconds double precision
)
RETURNS bigint
AS 'MODULE_PATHNAME', 'pool_advisor_required_size'
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pool_advisor.required_size(double precision, double precision, double precision) IS
    'smallest pool whose mean wait for a connection (M/M/c) is at most max_wait_seconds';

CREATE FUNCTION pool_advisor.explain_size(
    users bigint,
    transactions_per_second double precision,
    service_seconds double precision,
    processes bigint DEFAULT 1,
    wait_ratio double precision DEFAULT 0.1
)
RETURNS SETOF text
AS 'MODULE_PATHNAME', 'pool_advisor_explain_size'
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE ROWS 12;
COMMENT ON FUNCTION pool_advisor.explain_size(bigint, double precision, double precision, bigint, double precision) IS
    'the size of a pool for so many users and transactions, worked out a sentence a row; wait_ratio is the longest mean wait for a connection in service times';

CREATE FUNCTION pool_advisor.client_config(
    system text,
    processes bigint DEFAULT 1,
    share double precision DEFAULT 1.0,
    threads bigint DEFAULT NULL,
    connections_per_thread bigint DEFAULT 1,
    OUT setting text,
    OUT value text,
    OUT reason text
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_client_config'
LANGUAGE C VOLATILE PARALLEL SAFE ROWS 6;
REVOKE ALL ON FUNCTION pool_advisor.client_config(text, bigint, double precision, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor.client_config(text, bigint, double precision, bigint, bigint) TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor.client_config(text, bigint, double precision, bigint, bigint) IS
    'what to set in so many pools in front, so that together they open the share of pool_size; rows without a value are notes';

CREATE FUNCTION pool_advisor.declare_pool(
    name text,
    system text,
    processes bigint,
    max_pool_size bigint,
    role name DEFAULT NULL,
    database name DEFAULT NULL
)
RETURNS void
AS 'MODULE_PATHNAME', 'pool_advisor_declare_pool'
LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
REVOKE ALL ON FUNCTION pool_advisor.declare_pool(text, text, bigint, bigint, name, name) FROM PUBLIC;
COMMENT ON FUNCTION pool_advisor.declare_pool(text, text, bigint, bigint, name, name) IS
    'declare a pool in front of the server, or declare it anew; budget and advice take it into account';

CREATE FUNCTION pool_advisor.forget_pool(
    name text
)
RETURNS void
AS 'MODULE_PATHNAME', 'pool_advisor_forget_pool'
LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
REVOKE ALL ON FUNCTION pool_advisor.forget_pool(text) FROM PUBLIC;
COMMENT ON FUNCTION pool_advisor.forget_pool(text) IS 'undo declare_pool()';

CREATE FUNCTION pool_advisor.reset(
    what text DEFAULT 'all'
)
RETURNS void
AS 'MODULE_PATHNAME', 'pool_advisor_reset'
LANGUAGE C VOLATILE;
REVOKE ALL ON FUNCTION pool_advisor.reset(text) FROM PUBLIC;
COMMENT ON FUNCTION pool_advisor.reset(text) IS
    'forget what was gathered: counters (of roles, since the server started), history, incidents, scalability (the learned curve, the wait ratio and trials), or all';


-- For monitoring systems

-- names are made fit for client_encoding, which a parallel worker does not have
CREATE FUNCTION pool_advisor._metrics(
    OUT name text,
    OUT kind text,
    OUT unit text,
    OUT help text,
    OUT rolname text,
    OUT datname text,
    OUT wait_class text,
    OUT value double precision,
    OUT incident text
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_metrics'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 200;
REVOKE ALL ON FUNCTION pool_advisor._metrics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._metrics() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._metrics() IS 'what the view metrics shows';

CREATE VIEW pool_advisor.metrics AS SELECT * FROM pool_advisor._metrics();
REVOKE ALL ON pool_advisor.metrics FROM PUBLIC;
GRANT SELECT ON pool_advisor.metrics TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.metrics IS
    'every figure as a series for monitoring systems, a row each, with stable names; roles beyond 50 are added up as pg_other_roles';
COMMENT ON COLUMN pool_advisor.metrics.name IS 'of the metric, as Prometheus calls a sample of it';
COMMENT ON COLUMN pool_advisor.metrics.kind IS 'gauge, counter or info';
COMMENT ON COLUMN pool_advisor.metrics.unit IS 'seconds or ratio; empty for a number of something';
COMMENT ON COLUMN pool_advisor.metrics.help IS 'what it says';
COMMENT ON COLUMN pool_advisor.metrics.rolname IS 'the role it is about, empty if it is about none; pg_other_roles stands for all that are not shown';
COMMENT ON COLUMN pool_advisor.metrics.datname IS 'the database it is about; empty if it is about none';
COMMENT ON COLUMN pool_advisor.metrics.wait_class IS 'cpu, io, lock, lwlock or other; empty if it is about none';
COMMENT ON COLUMN pool_advisor.metrics.value IS 'never NULL: a series whose value is not known has no row; -1 is no limit';
COMMENT ON COLUMN pool_advisor.metrics.incident IS 'the kind of incident it is about, as lock_storm; empty if it is about none';

CREATE FUNCTION pool_advisor.openmetrics()
RETURNS text
AS 'MODULE_PATHNAME', 'pool_advisor_openmetrics'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION pool_advisor.openmetrics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor.openmetrics() TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor.openmetrics() IS 'what the view metrics shows, in the text format OpenMetrics';

CREATE FUNCTION pool_advisor.check_load(
    warning double precision DEFAULT NULL,
    critical double precision DEFAULT NULL,
    OUT load_ratio double precision,
    OUT demand_avg double precision,
    OUT active_avg double precision,
    OUT optimal bigint,
    OUT sessions bigint,
    OUT queued bigint,
    OUT usable_connections bigint,
    OUT sample_age_seconds double precision,
    OUT status bigint,
    OUT message text
)
RETURNS record
AS 'MODULE_PATHNAME', 'pool_advisor_check_load'
LANGUAGE C VOLATILE PARALLEL SAFE;
REVOKE ALL ON FUNCTION pool_advisor.check_load(double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor.check_load(double precision, double precision) TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor.check_load(double precision, double precision) IS
    'whether the state of the server is worth a warning, or its load is above a threshold, as a check for Nagios and its kin: status is 0 OK, 1 warning, 2 critical, 3 unknown because sampling stands still';

CREATE FUNCTION pool_advisor.monitoring_config(
    system text
)
RETURNS text
AS 'MODULE_PATHNAME', 'pool_advisor_monitoring_config'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION pool_advisor.monitoring_config(text) IS
    'a configuration with which a monitoring system reads the view metrics or check_load(), or its alert rules';


-- Several servers

CREATE FUNCTION pool_advisor.fleet_config(
    engine text,
    nodes text[]
)
RETURNS text
AS 'MODULE_PATHNAME', 'pool_advisor_fleet_config'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION pool_advisor.fleet_config(text, text[]) IS
    'what shows several servers at one place, to be run there: SQL for postgres_fdw or plproxy, or rules for prometheus; a node is name=conninfo';

CREATE FUNCTION pool_advisor.agent_check(
    max_lag_seconds double precision DEFAULT NULL,
    proxies bigint DEFAULT 1
)
RETURNS text
AS 'MODULE_PATHNAME', 'pool_advisor_agent_check'
LANGUAGE C VOLATILE PARALLEL SAFE;
REVOKE ALL ON FUNCTION pool_advisor.agent_check(double precision, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor.agent_check(double precision, bigint) TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor.agent_check(double precision, bigint) IS
    'a line for HAProxy''s agent check: the weight from the headroom of the last 10 s, and how many connections one of so many proxies may open; a standby that lags further has the weight 0';

CREATE FUNCTION pool_advisor.fleet_budget(
    app_servers bigint,
    pools bigint,
    max_pool_size bigint,
    nodes bigint,
    read_pools bigint DEFAULT 0,
    usable_connections bigint[] DEFAULT NULL,
    pool_sizes bigint[] DEFAULT NULL,
    OUT situation text,
    OUT node bigint,
    OUT connections bigint,
    OUT usable bigint,
    OUT refused bigint,
    OUT pool_size bigint,
    OUT verdict text
)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pool_advisor_fleet_budget'
LANGUAGE C VOLATILE PARALLEL SAFE ROWS 10;
REVOKE ALL ON FUNCTION pool_advisor.fleet_budget(bigint, bigint, bigint, bigint, bigint, bigint[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor.fleet_budget(bigint, bigint, bigint, bigint, bigint, bigint[], bigint[]) TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor.fleet_budget(bigint, bigint, bigint, bigint, bigint, bigint[], bigint[]) IS
    'what all application servers can open on each node now, when a replica is lost, and when the primary moves, against what the node takes; arrays have a value for each node or one for all, and are those of this server when left out';

CREATE FUNCTION pool_advisor.my_share(
    OUT connections bigint,
    OUT reason text
)
RETURNS record
AS 'MODULE_PATHNAME', 'pool_advisor_my_share'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pool_advisor.my_share() IS
    'how many connections the process that asks should have in its pool now: its part of what is left for its role; NULL with a reason when no load was measured';


-- The same in 120 columns, for people; columns have the names of the wide views

CREATE FUNCTION pool_advisor._cut(value text, width integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN pg_catalog.length(value) > width
            THEN pg_catalog.left(value, width - 2) || '..' ELSE value END;
REVOKE ALL ON FUNCTION pool_advisor._cut(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._cut(text, integer) TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._cut(text, integer) IS
    'the beginning of a name that is longer than so many characters';

CREATE FUNCTION pool_advisor._wrap(value text, width integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.rtrim(pg_catalog.regexp_replace(
           pg_catalog.regexp_replace(value, E'(\\S{' || width || E'})(?=\\S)', E'\\1 ', 'g'),
           '(.{1,' || width || '})(?: +|$)', E'\\1\n', 'g'), E'\n');
REVOKE ALL ON FUNCTION pool_advisor._wrap(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._wrap(text, integer) TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._wrap(text, integer) IS
    'sentences in lines of at most so many characters; a longer word is broken';

CREATE FUNCTION pool_advisor._limit_on(scope text, rolname name, datname name, width integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pool_advisor._cut(CASE scope
           WHEN 'role in database' THEN 'role ' || pool_advisor._cut(rolname, (width - 9) / 2)
               || ' in ' || pool_advisor._cut(datname, (width - 9) / 2)
           WHEN 'default' THEN scope || coalesce(' of ' || rolname, '')
           ELSE scope || coalesce(' ' || coalesce(rolname, datname), '') END, width);
REVOKE ALL ON FUNCTION pool_advisor._limit_on(text, name, name, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._limit_on(text, name, name, integer) TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._limit_on(text, name, name, integer) IS
    'what a limit is on, in at most so many characters';

CREATE FUNCTION pool_advisor._limit_in_force(scope text, rolname name, datname name, width integer, enforcement text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE enforcement WHEN 'on' THEN pool_advisor._limit_on(scope, rolname, datname, width)
           ELSE pool_advisor._limit_on(scope, rolname, datname, width - pg_catalog.length(enforcement) - 3)
               || ' (' || enforcement || ')' END;
REVOKE ALL ON FUNCTION pool_advisor._limit_in_force(text, name, name, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool_advisor._limit_in_force(text, name, name, integer, text) TO pg_monitor, pg_read_all_stats;
COMMENT ON FUNCTION pool_advisor._limit_in_force(text, name, name, integer, text) IS
    'what a limit is on, and how it is enforced if that is not simply on';

CREATE VIEW pool_advisor.advice_brief AS
SELECT severity,
       pool_advisor._wrap(code || ': ' || finding, 107) || E'\n' || pool_advisor._wrap(recommendation, 107)
           -- a line that is broken could not be copied
           || CASE WHEN fix = '' THEN ''
                   WHEN pg_catalog.length(fix) <= 107 THEN E'\n' || fix
                   ELSE pg_catalog.format(E'\nSELECT fix FROM pool_advisor.advice WHERE code = %L;', code) END AS advice
FROM pool_advisor.advice;
REVOKE ALL ON pool_advisor.advice_brief FROM PUBLIC;
GRANT SELECT ON pool_advisor.advice_brief TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.advice_brief IS 'the view advice in 120 columns';
COMMENT ON COLUMN pool_advisor.advice_brief.advice IS
    'its code, what was measured, what to do about it, and the line to run as the last line; a line that is too long is fetched by that';

CREATE VIEW pool_advisor.blockers_brief AS
SELECT pid, pool_advisor._cut(rolname, 15) AS rolname, pool_advisor._cut(datname, 15) AS datname,
       CASE WHEN pid = 0 THEN pool_advisor._cut('prepared ' || pg_catalog.quote_literal(gid), 24)
            WHEN state = 'idle in transaction (aborted)' THEN 'aborted transaction'
            ELSE state END AS state,
       xact_seconds, blocked, longest_wait_seconds
FROM pool_advisor.blockers;
REVOKE ALL ON pool_advisor.blockers_brief FROM PUBLIC;
GRANT SELECT ON pool_advisor.blockers_brief TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.blockers_brief IS 'the view blockers in 120 columns';

CREATE VIEW pool_advisor.incidents_brief AS
SELECT began::timestamptz(0) AS began,
       extract(epoch FROM coalesce(ended, pg_catalog.now()) - began)::bigint AS seconds,
       ended IS NULL AS lasts, kind,
       pool_advisor._wrap(cause || coalesce(' Not done: ' || transactions_not_done || ' transactions.', ''), 50)
           || E'\n' || pool_advisor._wrap('Helps: ' || would_have_helped, 50) AS what
FROM pool_advisor.incidents;
REVOKE ALL ON pool_advisor.incidents_brief FROM PUBLIC;
GRANT SELECT ON pool_advisor.incidents_brief TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.incidents_brief IS 'the view incidents in 120 columns';
COMMENT ON COLUMN pool_advisor.incidents_brief.seconds IS 'how long it lasted, or has lasted so far';
COMMENT ON COLUMN pool_advisor.incidents_brief.lasts IS 'whether it is not over';
COMMENT ON COLUMN pool_advisor.incidents_brief.what IS
    'the cause, what it cost, and what would have helped';

CREATE VIEW pool_advisor.optimal_brief AS
SELECT method, connections, low, high, confidence, chosen,
       pool_advisor._wrap(coalesce(nullif(not_available_because, ''), explanation), 42) AS explanation
FROM pool_advisor.optimal;
REVOKE ALL ON pool_advisor.optimal_brief FROM PUBLIC;
GRANT SELECT ON pool_advisor.optimal_brief TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.optimal_brief IS 'the view optimal in 120 columns';

CREATE VIEW pool_advisor.hardware_brief AS
SELECT fact, pool_advisor._cut(value, 30) AS value, pool_advisor._wrap(source, 50) AS source
FROM pool_advisor.hardware;
REVOKE ALL ON pool_advisor.hardware_brief FROM PUBLIC;
GRANT SELECT ON pool_advisor.hardware_brief TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.hardware_brief IS 'the view hardware in 120 columns';

CREATE VIEW pool_advisor.latency_brief AS
SELECT pool_advisor._cut(rolname, 32) AS rolname, period, transactions, mean_seconds, p50_seconds, p95_seconds, p99_seconds
FROM pool_advisor.latency;
REVOKE ALL ON pool_advisor.latency_brief FROM PUBLIC;
GRANT SELECT ON pool_advisor.latency_brief TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.latency_brief IS 'the view latency in 120 columns';

CREATE VIEW pool_advisor.roles_brief AS
SELECT pool_advisor._cut(rolname, 22) AS rolname, sessions, active, idle_in_transaction, queued, active_avg,
       max_sessions, refused_total
FROM pool_advisor.roles;
REVOKE ALL ON pool_advisor.roles_brief FROM PUBLIC;
GRANT SELECT ON pool_advisor.roles_brief TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.roles_brief IS 'the view roles in 120 columns';

CREATE VIEW pool_advisor.load_brief AS
SELECT period, dimension, pool_advisor._cut(key, 28) AS key, active_avg, on_cpu, waiting_io, waiting_lock, blame
FROM pool_advisor.load;
REVOKE ALL ON pool_advisor.load_brief FROM PUBLIC;
GRANT SELECT ON pool_advisor.load_brief TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.load_brief IS
    'the view load in 120 columns; what active_avg has more than the next three columns waits for internal locks or something else';

CREATE VIEW pool_advisor.history_brief AS
SELECT resolution, sampled_at::timestamptz(0) AS sampled_at, active_avg, on_cpu, waiting_io, waiting_lock,
       transactions_per_second
FROM pool_advisor.history;
REVOKE ALL ON pool_advisor.history_brief FROM PUBLIC;
GRANT SELECT ON pool_advisor.history_brief TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.history_brief IS 'the view history in 120 columns';

CREATE VIEW pool_advisor.limits_brief AS
SELECT pool_advisor._limit_in_force(scope, rolname, datname, 38,
           CASE WHEN scope = 'server' THEN gate_enforcement
                WHEN enforcement = 'on' AND gate_enforcement <> 'on' THEN 'gate ' || gate_enforcement
                ELSE enforcement END) AS limit_on,
       max_sessions, in_use, headroom, queue_length, max_active, active_in_use
FROM pool_advisor.limits;
REVOKE ALL ON pool_advisor.limits_brief FROM PUBLIC;
GRANT SELECT ON pool_advisor.limits_brief TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.limits_brief IS 'the view limits in 120 columns';
COMMENT ON COLUMN pool_advisor.limits_brief.limit_on IS 'what the limit is on, and whether it is not enforced';

CREATE VIEW pool_advisor.gate_brief AS
SELECT pool_advisor._limit_in_force(scope, coalesce(rolname, query_id::text::name), datname, 31, gate_enforcement) AS limit_on,
       max_active, in_use, waiting, longest_wait_seconds, wait_p95_seconds, holder_pid
FROM pool_advisor.gate;
REVOKE ALL ON pool_advisor.gate_brief FROM PUBLIC;
GRANT SELECT ON pool_advisor.gate_brief TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.gate_brief IS 'the view gate in 120 columns';
COMMENT ON COLUMN pool_advisor.gate_brief.limit_on IS 'what the limit of the queue is on, and whether it is not enforced';

CREATE VIEW pool_advisor.trials_brief AS
SELECT began::timestamptz(0) AS began, limit_a, limit_b, ratio, ratio_low, ratio_high,
       pool_advisor._cut(coalesce(verdict, state), 36) AS verdict
FROM pool_advisor.trials;
REVOKE ALL ON pool_advisor.trials_brief FROM PUBLIC;
GRANT SELECT ON pool_advisor.trials_brief TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.trials_brief IS 'the view trials in 120 columns';

CREATE VIEW pool_advisor.budget_brief AS
SELECT scope, pool_advisor._cut(name, 40) AS name, sessions, committed, available, verdict, queue
FROM pool_advisor.budget;
REVOKE ALL ON pool_advisor.budget_brief FROM PUBLIC;
GRANT SELECT ON pool_advisor.budget_brief TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.budget_brief IS 'the view budget in 120 columns';

CREATE VIEW pool_advisor.pools_brief AS
SELECT pool_advisor._cut(coalesce(pool_advisor._cut(role, width) || '@' || pool_advisor._cut(database, width)
                                      || coalesce(' ' || nullif(pool_advisor._cut(application_name, width), ''), '')
                                      || coalesce(' ' || client_addr, ''), application_name), 56) AS pool,
       kind, open, max_open, max_in_use, suggested_size
FROM pool_advisor.pools, LATERAL (SELECT CASE WHEN client_addr IS NULL THEN 18 ELSE 12 END AS width) AS names;
REVOKE ALL ON pool_advisor.pools_brief FROM PUBLIC;
GRANT SELECT ON pool_advisor.pools_brief TO pg_monitor, pg_read_all_stats;
COMMENT ON VIEW pool_advisor.pools_brief IS 'the view pools in 120 columns';
COMMENT ON COLUMN pool_advisor.pools_brief.pool IS 'its role and database, application and client';

-- a column that a wide view has, too, has its comment
DO $$
DECLARE
    comment record;
BEGIN
    FOR comment IN
        SELECT narrow.attrelid::pg_catalog.regclass AS view, narrow.attname AS name,
               pg_catalog.col_description(wide.attrelid, wide.attnum) AS text
        FROM pg_catalog.pg_class AS c
            JOIN pg_catalog.pg_attribute AS narrow ON narrow.attrelid = c.oid AND narrow.attnum > 0
            JOIN pg_catalog.pg_class AS w ON w.relnamespace = c.relnamespace AND w.relname || '_brief' = c.relname
            JOIN pg_catalog.pg_attribute AS wide ON wide.attrelid = w.oid AND wide.attname = narrow.attname
        WHERE c.relnamespace = 'pool_advisor'::pg_catalog.regnamespace
            AND pg_catalog.col_description(c.oid, narrow.attnum) IS NULL
    LOOP
        EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', comment.view, comment.name, comment.text);
    END LOOP;
END $$;
