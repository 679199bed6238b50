-- What monitoring systems are told.
CREATE EXTENSION pool_advisor;

ALTER SYSTEM SET pool_advisor.optimal = 7;
SELECT pg_reload_conf();
CREATE ROLE regress_padv_capped LOGIN;
ALTER ROLE regress_padv_capped SET pool_advisor.max_sessions = 3;
CREATE DATABASE regress_padv_metrics;
ALTER DATABASE regress_padv_metrics SET pool_advisor.max_sessions = 5;
SELECT comes_true($$count(*) = 2 FROM pool_advisor.limits$$);
SELECT comes_true($$optimal = 7 AND sessions > 0 FROM pool_advisor.status$$);

-- names, types, units and help are stable; what the machine does not tell may be missing
\a
SELECT name, kind, unit, help, max(rolname) <> '' AS by_role, max(datname) <> '' AS by_database, max(wait_class) <> '' AS by_class
FROM pool_advisor.metrics
WHERE name NOT IN ('pool_advisor_cpu_utilization_ratio', 'pool_advisor_run_queue_ratio', 'pool_advisor_cache_hit_ratio', 'pool_advisor_sample_cost_seconds')
GROUP BY name, kind, unit, help ORDER BY name COLLATE "C";
\a

-- what has a value that is known
SELECT name, rolname, datname, wait_class, value FROM pool_advisor.metrics
WHERE name ~ '_(info|worker_running|max_connections|usable_connections|enforcement|limits|limits_full|optimal|optimal_method|confidence|limit_in_use|limit_max_sessions)$'
  AND (rolname IN ('', 'pg_other_roles') OR rolname ~ '^regress_')
ORDER BY name COLLATE "C", rolname COLLATE "C", datname COLLATE "C";
SELECT count(*) AS unknown FROM pool_advisor.metrics
WHERE value IS NULL OR value = 'NaN' OR (value < 0 AND name !~ 'max_sessions$|committed_sessions$|server_max_active$');

-- a series is there once, those of a metric are together, and the two forms agree
SELECT count(*) - count(DISTINCT (name, rolname, datname, wait_class, incident)) AS twice FROM pool_advisor.metrics;
WITH rows AS (SELECT name, row_number() OVER () AS n FROM pool_advisor.metrics)
SELECT name AS scattered FROM rows GROUP BY name HAVING max(n) - min(n) + 1 <> count(*);
SELECT pool_advisor.openmetrics() ~ '^# TYPE pool_advisor info\n.*\n# EOF$' AS whole;
WITH lines AS (
    SELECT substring(line FROM '^[a-z0-9_]+') AS name
    FROM regexp_split_to_table(pool_advisor.openmetrics(), '\n') AS line
    WHERE line !~ '^#|^pool_advisor_transaction_duration_seconds_'
), differences AS (
    (SELECT name, count(*) FROM lines GROUP BY name EXCEPT SELECT name, count(*) FROM pool_advisor.metrics GROUP BY name)
    UNION ALL
    (SELECT name, count(*) FROM pool_advisor.metrics GROUP BY name EXCEPT SELECT name, count(*) FROM lines GROUP BY name)
)
SELECT * FROM differences
WHERE name NOT IN ('pool_advisor_cpu_utilization_ratio', 'pool_advisor_run_queue_ratio', 'pool_advisor_cache_hit_ratio', 'pool_advisor_sample_cost_seconds');

-- the figures are those of the views
SELECT m.value = s.usable_connections AS same FROM pool_advisor.status s, pool_advisor.metrics m
WHERE m.name = 'pool_advisor_usable_connections';
SELECT comes_true($$bool_and(m.value = r.sessions) FROM pool_advisor.roles r JOIN pool_advisor.metrics m USING (rolname)
    WHERE m.name = 'pool_advisor_role_sessions' AND r.sessions > 0$$);

-- the check of the load
SELECT load_ratio >= 0 AS load_ratio, demand_avg >= 0 AS demand_avg, active_avg >= 0 AS active_avg, optimal,
       sessions > 0 AS sessions, queued, usable_connections, sample_age_seconds >= 0 AS age, status,
       regexp_replace(message, '[0-9]+\.[0-9]+', 'N', 'g') ~ '^POOL_ADVISOR OK - N sessions want to work, optimum 7 \([a-z ]+\) \| load_ratio=N;N;N;0 ' AS message
FROM pool_advisor.check_load(1000, 2000);
SELECT status, load_ratio FROM pool_advisor.check_load() WHERE load_ratio IS NULL OR status IS NULL;
SELECT status FROM pool_advisor.check_load(critical => 5000, warning => 5000);
SELECT status, substring(message FROM 'load_ratio=[0-9.]+(;[^ ]*)') AS thresholds FROM pool_advisor.check_load(1e300, 1e301);
SELECT status, substring(message FROM 'load_ratio=[0-9.]+(;[^ ]*)') AS thresholds FROM pool_advisor.check_load(1000.5, 1e15);
SELECT status FROM pool_advisor.check_load(2, 1);
SELECT status FROM pool_advisor.check_load(0);
SELECT status FROM pool_advisor.check_load(-1);
SELECT status FROM pool_advisor.check_load('NaN');
SELECT status FROM pool_advisor.check_load(1, 'Infinity');
SELECT status FROM pool_advisor.check_load(NULL);
SELECT status FROM pool_advisor.check_load(1000, NULL);

-- configurations; the short ones whole
\a
SELECT pool_advisor.monitoring_config('prometheus');
SELECT pool_advisor.monitoring_config('prometheus_rules');
SELECT pool_advisor.monitoring_config('sql_exporter');
SELECT pool_advisor.monitoring_config('zabbix');
SELECT pool_advisor.monitoring_config('check_pgactivity');
SELECT pool_advisor.monitoring_config('nagios');
SELECT pool_advisor.monitoring_config('haproxy');
\a
SELECT system, length(pool_advisor.monitoring_config(system)) > 5000 AS long,
       md5(pool_advisor.monitoring_config(system)) = md5(pool_advisor.monitoring_config(upper(replace(system, '_', '-')))) AS however_written
FROM unnest(ARRAY['postgres_exporter', 'sql_exporter_collector', 'pgwatch', 'telegraf', 'datadog',
                  'grafana', 'opentelemetry', 'cloudnativepg']) AS system;
-- the dashboard is JSON, and no panel lies over another one
WITH panels AS (
    SELECT (panel->>'id')::int AS id, int4range((place->>'x')::int, (place->>'x')::int + (place->>'w')::int) AS columns,
           int4range((place->>'y')::int, (place->>'y')::int + (place->>'h')::int) AS rows, jsonb_array_length(panel->'targets') AS queries
    FROM jsonb_array_elements(pool_advisor.monitoring_config('grafana')::jsonb->'panels') AS panel,
        LATERAL (SELECT panel->'gridPos') AS p (place)
)
SELECT count(*) > 15 AS panels, min(queries) >= 1 AS with_queries, bool_and(columns <@ '[0,24)'::int4range) AS inside,
       (SELECT count(*) FROM panels a JOIN panels b ON a.id < b.id AND a.columns && b.columns AND a.rows && b.rows) AS over_another
FROM panels;
\a
SELECT left(pool_advisor.monitoring_config('pgwatch'), 220);
SELECT left(pool_advisor.monitoring_config('telegraf'), 220);
SELECT left(pool_advisor.monitoring_config('datadog'), 220);
\a
SELECT pool_advisor.monitoring_config('ganglia');
SELECT pool_advisor.monitoring_config('');
SELECT pool_advisor.monitoring_config(NULL);

-- nobody's better matches are called by what is printed
CREATE FUNCTION public.hijacked() RETURNS json LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$;
CREATE FUNCTION public.json_object_agg(text, double precision) RETURNS json LANGUAGE sql AS 'SELECT public.hijacked()';
CREATE FUNCTION public.json_agg(json) RETURNS json LANGUAGE sql AS 'SELECT public.hijacked()';
CREATE FUNCTION public.json_build_object(text, text, text, text, text, text, text, text, text, text, text, double precision)
RETURNS json LANGUAGE sql AS 'SELECT public.hijacked()';
SELECT json_object_agg(name, value) FROM pool_advisor.metrics;
CREATE FUNCTION answers(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    answer json;
BEGIN
    EXECUTE query INTO answer;
    RETURN answer IS NOT NULL;
END $$;
SELECT count(*), bool_and(answers(query[1]))
FROM regexp_matches(pool_advisor.monitoring_config('zabbix'), ' -c "(.*)" 2>/dev/null\n', 'gn') AS query;
DROP FUNCTION answers, public.json_object_agg, public.json_agg(json), public.json_build_object, public.hijacked;

-- a search path of the caller's changes nothing
CREATE SCHEMA regress_padv_hijack;
CREATE FUNCTION regress_padv_hijack._metrics() RETURNS int LANGUAGE sql AS 'SELECT 1';
SET search_path = regress_padv_hijack, pg_catalog;
SELECT count(*) > 50 AS there FROM pool_advisor.metrics;
RESET search_path;
DROP SCHEMA regress_padv_hijack CASCADE;

ALTER SYSTEM RESET pool_advisor.optimal;
SELECT pg_reload_conf();
DROP DATABASE regress_padv_metrics;
DROP ROLE regress_padv_capped;
DROP EXTENSION pool_advisor;
