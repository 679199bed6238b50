-- What the views say, as far as it is the same on every machine.
CREATE EXTENSION pool_advisor;

SELECT comes_true('samples_total > 20 FROM pool_advisor.status');

-- one row, fresh, and consistent in itself
SELECT worker_running, sampled_at <= clock_timestamp() AS sampled_before_now,
       sample_age_seconds < 60 AS fresh,
       max_connections = current_setting('max_connections')::bigint AS max_connections_agrees,
       usable_connections < max_connections AS some_reserved,
       queued
FROM pool_advisor.status;
SELECT active = on_cpu + waiting_io + waiting_lock + waiting_lwlock + waiting_other AS classes_add_up,
       sessions >= active + idle + idle_in_transaction + queued AS states_add_up,
       active_p95 <= active_max AS p95_below_max,
       active_avg <= active_max AS avg_below_max,
       io_wait_ratio BETWEEN 0 AND 1 AS io_wait_ratio,
       CASE WHEN pool_size IS NULL THEN busy_ratio IS NULL ELSE busy_ratio BETWEEN 0 AND 1 END AS busy_ratio,
       optimal BETWEEN optimal_low AND optimal_high AS in_range,
       CASE WHEN pool_size IS NULL THEN session_pool_size IS NULL
            ELSE pool_size >= optimal AND session_pool_size >= pool_size END AS pool_not_smaller,
       abs(load_ratio - demand_avg / optimal) <= 0.001 * load_ratio AS load_ratio
FROM pool_advisor.status;

-- the counts are those of pg_stat_activity while nothing else happens
SELECT comes_true($$
    (sessions, active, idle, idle_in_transaction) =
    (SELECT count(*), count(*) FILTER (WHERE state = 'active'),
            count(*) FILTER (WHERE state = 'idle'),
            count(*) FILTER (WHERE state LIKE 'idle in transaction%')
     FROM pg_stat_activity WHERE backend_type = 'client backend')
    FROM pool_advisor.status$$);

-- our own session sleeps: active, waiting for something else, demands nothing
SELECT comes_true($$waiting_other >= 1 AND EXISTS (
    SELECT FROM pool_advisor.waits
    WHERE period = '10 s' AND wait_event = 'PgSleep' AND active_avg > 0)
    FROM pool_advisor.status$$);

-- the methods: one chosen, each with either a number or a reason for none
SELECT method, (connections IS NOT NULL) = (not_available_because = '') AS number_or_reason,
       (connections IS NOT NULL) = (explanation <> '') AS explained,
       low <= connections AND connections <= high OR connections IS NULL AS in_range,
       chosen AND connections IS NULL AS chosen_without_number
FROM pool_advisor.optimal;
SELECT count(*) AS chosen FROM pool_advisor.optimal WHERE chosen;
SELECT confidence FROM pool_advisor.optimal WHERE method = 'formula';

-- the curve needs a load; the law says nothing of a peak without one
SELECT state, peak_connections, peak_transactions_per_second FROM pool_advisor.scalability_fit;
SELECT count(*) < 3 AS too_little FROM pool_advisor.scalability;
SELECT o.connections = s.optimal AND o.low = s.optimal_low AND o.high = s.optimal_high
       AND o.method = s.optimal_method AND o.confidence = s.confidence AS same_as_status
FROM pool_advisor.optimal o, pool_advisor.status s WHERE o.chosen;

-- the formula can be redone by hand
SELECT o.connections = pool_advisor.formula_size(
         (SELECT split_part(value, ' ', 1)::float8 FROM pool_advisor.hardware WHERE fact = 'cores granted'),
         (SELECT value::float8 FROM pool_advisor.hardware WHERE fact = 'effective spindles'),
         current_setting('pool_advisor.connections_per_core')::float8) AS redone
FROM pool_advisor.optimal o WHERE method = 'formula';

-- the sum of the waits is the average of active sessions
SELECT comes_true($$abs(s.active_avg - (SELECT sum(active_avg) FROM pool_advisor.waits WHERE period = '1 min')) <= 0.001 * s.active_avg
    FROM pool_advisor.status s$$);
SELECT DISTINCT period FROM pool_advisor.waits ORDER BY period;

-- latency: our own transactions, in both periods
SELECT comes_true($$count(*) = 2 AND bool_and(transactions > 0 AND rolled_back BETWEEN 0 AND transactions
    AND mean_seconds >= 0 AND p50_seconds > 0 AND p50_seconds <= p95_seconds AND p95_seconds <= p99_seconds)
    FROM pool_advisor.latency WHERE rolname = current_user$$);
SELECT DISTINCT period FROM pool_advisor.latency ORDER BY period;
SELECT comes_true($$minute.transactions <= start.transactions
    FROM pool_advisor.latency AS minute JOIN pool_advisor.latency AS start USING (rolname)
    WHERE minute.period = '1 min' AND start.period = 'since start' AND rolname = current_user$$);

-- roles: we are there, and together they are the server
SELECT comes_true('sessions >= 1 AND active >= 1 FROM pool_advisor.roles WHERE rolname = current_user');
SELECT comes_true($$abs(s.active_avg - (SELECT sum(active_avg) FROM pool_advisor.roles)) <= 0.001 * s.active_avg
    FROM pool_advisor.status s$$) AS roles_add_up;

-- load: all periods, each dimension with the same sum, and we are there
SELECT comes_true($$count(DISTINCT (period, dimension)) = 30 FROM pool_advisor.load$$);
SELECT DISTINCT period FROM pool_advisor.load ORDER BY period;
SELECT bool_and(most - least <= 0.002 * most) AS dimensions_agree
FROM (SELECT min(sum) AS least, max(sum) AS most
      FROM (SELECT period, dimension, sum(active_avg) FROM pool_advisor.load GROUP BY 1, 2) s
      GROUP BY period) p;
SELECT bool_and(abs(active_avg - on_cpu - waiting_io - waiting_lock - waiting_lwlock - waiting_other)
                <= 0.002 * active_avg) AS classes_add_up, bool_and(blame >= 0) AS blame
FROM pool_advisor.load;
SELECT comes_true($$EXISTS (SELECT FROM pool_advisor.load WHERE period = '10 s' AND dimension = 'role' AND key = current_user)
    AND EXISTS (SELECT FROM pool_advisor.load WHERE period = '10 s' AND dimension = 'database' AND key = current_database())
    AND EXISTS (SELECT FROM pool_advisor.load WHERE period = '10 s' AND dimension = 'application' AND key = current_setting('application_name'))$$);

-- history: points of one second, in order, consistent in themselves
SELECT comes_true($$count(*) >= 2 FROM pool_advisor.history WHERE resolution = '1 s'$$);
SELECT bool_and(sampled_at > before IS NOT false) AS in_order,
       bool_and(abs(active_avg - on_cpu - waiting_io - waiting_lock - waiting_lwlock
                    - waiting_other) < 0.001) AS classes_add_up,
       bool_and(active_avg <= active_max + 0.001) AS avg_below_max,
       bool_and(idle >= 0 AND idle_in_transaction >= 0 AND queued >= 0) AS states,
       bool_and(io_wait_ratio BETWEEN 0 AND 1) AS io_wait_ratio,
       bool_and(cpu_utilization BETWEEN 0 AND 1 IS NOT false) AS cpu_utilization,
       bool_and(optimal >= 1) AS optimal,
       bool_and(transactions_per_second >= 0 IS NOT false) AS transactions
FROM (SELECT *, lag(sampled_at) OVER (PARTITION BY resolution ORDER BY n) AS before
      FROM (SELECT *, row_number() OVER () AS n FROM pool_advisor.history) numbered) h;
SELECT comes_true($$EXISTS (SELECT FROM pool_advisor.history WHERE transactions_per_second > 0)$$);
SELECT comes_true($$h.optimal = s.optimal FROM pool_advisor.history h, pool_advisor.status s
    WHERE resolution = '1 s' ORDER BY h.sampled_at DESC LIMIT 1$$) AS optimal_as_in_status;
SELECT count(*) AS other_resolutions FROM pool_advisor.history
WHERE resolution NOT IN ('1 s', '10 s', '5 min');

-- hardware: every fact has a value and a source
SELECT count(*) > 10 AS facts, bool_and(value <> '' AND source <> '') AS complete
FROM pool_advisor.hardware;
SELECT fact FROM pool_advisor.hardware
WHERE fact IN ('cores granted', 'spindles', 'effective spindles', 'data directory', 'WAL')
ORDER BY fact COLLATE "C";

-- the reasoning, a sentence a row, ends with the verdict
SELECT count(*) > 8 AS sentences, bool_and(explain <> '') AS none_empty
FROM pool_advisor.explain();
SELECT explain LIKE 'Verdict: ' || verdict || '%' AS ends_with_verdict
FROM (SELECT explain, row_number() OVER () AS n, count(*) OVER () AS of
      FROM pool_advisor.explain()) e, pool_advisor.status
WHERE n = of;

-- the DBA's word is taken, on a reload
ALTER SYSTEM SET pool_advisor.optimal = 7;
SELECT pg_reload_conf();
SELECT comes_true($$optimal = 7 AND optimal_low = 7 AND optimal_high = 7
    AND optimal_method = 'setting' AND confidence = 'low' FROM pool_advisor.status$$);
SELECT method, explanation FROM pool_advisor.optimal WHERE chosen;
ALTER SYSTEM RESET pool_advisor.optimal;
ALTER SYSTEM SET pool_advisor.cores = 10;
ALTER SYSTEM SET pool_advisor.connections_per_core = 3.5;
ALTER SYSTEM SET pool_advisor.spindles = 0;
SELECT pg_reload_conf();
SELECT comes_true($$connections = 35 AND low = 10 AND high = 37
    FROM pool_advisor.optimal WHERE method = 'formula'$$);
SELECT explanation FROM pool_advisor.optimal WHERE method = 'formula';
ALTER SYSTEM RESET pool_advisor.cores;
ALTER SYSTEM RESET pool_advisor.connections_per_core;
ALTER SYSTEM RESET pool_advisor.spindles;
SELECT pg_reload_conf();

-- a search path of the caller's changes nothing
CREATE SCHEMA regress_padv_hijack;
CREATE FUNCTION regress_padv_hijack._status() RETURNS int LANGUAGE sql AS 'SELECT 1';
SET search_path = regress_padv_hijack, pg_catalog;
SELECT count(*) FROM pool_advisor.status;
RESET search_path;
DROP SCHEMA regress_padv_hijack CASCADE;

DROP EXTENSION pool_advisor;
