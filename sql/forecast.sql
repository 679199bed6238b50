-- Waiting, from arrival rate, service time and size.
CREATE EXTENSION pool_advisor;

-- a row of rounded figures, the same on every machine
CREATE FUNCTION rounded(VARIADIC figures double precision[]) RETURNS numeric[]
LANGUAGE sql IMMUTABLE
AS $$ SELECT array_agg(round(f::numeric, 6) ORDER BY n) FROM unnest(figures) WITH ORDINALITY AS t (f, n) $$;

-- 20,000 transactions a second of 0.5 ms each: 10 busy connections, in a larger and larger pool
SELECT size, rounded(utilization, busy, 1000 * wait_seconds, 1000 * p95_wait_seconds) AS "utilization, busy, wait, p95 (ms)",
       refused_ratio, stable
FROM unnest(ARRAY[9, 10, 11, 12, 13, 16, 20, 96]) AS size,
     pool_advisor.pool_forecast(20000, 0.0005, size);

-- one server: the wait is load / (1 - load) times the service time
SELECT load, round((wait_seconds / (load / (1 - load)))::numeric, 9) AS exact
FROM unnest(ARRAY[0.1, 0.5, 0.9, 0.99]::double precision[]) AS load,
     pool_advisor.pool_forecast(load, 1, 1);

-- published tables: loads at which Erlang B is 1 or 10 per cent; Erlang C as wait * (size - load)
SELECT size, load, round(refused_ratio::numeric, 4) AS erlang_b
FROM (VALUES (10, 4.461), (1, 0.1111), (5, 2.881), (100, 84.064)) AS t (size, load),
     pool_advisor.pool_forecast(load, 1, size, 0);
SELECT size, load, round((wait_seconds * (size - load))::numeric, 4) AS erlang_c
FROM (VALUES (3, 2), (10, 8), (2, 1), (5, 4)) AS t (size, load),
     pool_advisor.pool_forecast(load, 1, size);

-- a line with a limit is always stable; one without is not
SELECT places, rounded(utilization, busy, wait_seconds, p95_wait_seconds, refused_ratio) AS "utilization, busy, wait, p95, refused", stable
FROM unnest(ARRAY[0, 1, 10, 1000]) AS places,
     pool_advisor.pool_forecast(4, 1, 2, places);
SELECT * FROM pool_advisor.pool_forecast(4, 1, 2);
SELECT * FROM pool_advisor.pool_forecast(0, 1, 2);

-- the thread pool: a fixed one, one that never passes its core, one that does
SELECT core, max, places, rounded(threads, queued, wait_seconds, refused_ratio, max_reached_ratio) AS "threads, queued, wait, refused, max reached", stable
FROM (VALUES (5, 5, 10), (2, 5, -1), (4, 5, -1), (2, 5, 0), (2, 5, 10), (2, 5, 1000), (1, 2, 3)) AS t (core, max, places),
     pool_advisor.thread_pool_forecast(3, 1, core, max, places);

-- no core: threads come and go with the tasks, and all else is as with a core of one
SELECT max, places, rounded(none.threads) AS threads, rounded(one.threads) AS with_one,
       rounded(none.queued, none.wait_seconds, none.refused_ratio, none.max_reached_ratio) =
       rounded(one.queued, one.wait_seconds, one.refused_ratio, one.max_reached_ratio) AS else_the_same
FROM (VALUES (1, 10), (5, 0), (5, 10), (5, -1)) AS t (max, places),
     pool_advisor.thread_pool_forecast(0.5, 1, 0, max, places) AS none,
     pool_advisor.thread_pool_forecast(0.5, 1, 1, max, places) AS one;

-- the smallest pool for a wait
SELECT wait, pool_advisor.required_size(20000, 0.0005, wait) AS size
FROM unnest(ARRAY[0.01, 0.0005, 0.00005, 0.000001, 1e-12]) AS wait;
SELECT pool_advisor.required_size(0, 1, 1) AS nothing_comes,
       pool_advisor.required_size(999000, 1, 1) AS large;

-- the size worked out: 10,000 users, 20,000 transactions a second, 0.5 ms each
SELECT * FROM pool_advisor.explain_size(10000, 20000, 0.0005);
SELECT * FROM pool_advisor.explain_size(10000, 20000, 0.0005, processes => 4, wait_ratio => 1);
SELECT * FROM pool_advisor.explain_size(5, 100, 0.05);

-- what it says is what the other functions say
SELECT sentence LIKE '%one pool of ' || pool_advisor.required_size(20000, 0.0005, 0.0005 * 0.1) || ';%' AS same
FROM pool_advisor.explain_size(10000, 20000, 0.0005) AS sentence WHERE sentence LIKE 'Answer%';

-- extremes give an answer, and soon
SELECT round(wait_seconds::numeric, 3) AS wait, round(p95_wait_seconds::numeric, 3) AS p95
FROM pool_advisor.pool_forecast(100000 * (1 - 1e-9::float8), 1, 100000);
SELECT round(wait_seconds::numeric, 3) AS wait, round(p95_wait_seconds::numeric, 3) AS p95
FROM pool_advisor.pool_forecast(100000 * (1 - 1e-9::float8), 1, 100000, 2147483648);
SELECT rounded(busy, refused_ratio) AS "busy, refused", stable FROM pool_advisor.pool_forecast(1e300, 1e6, 3, 0);
SELECT busy < 1e-300 AS nearly_idle, wait_seconds, refused_ratio FROM pool_advisor.pool_forecast(1e-300, 1e-5, 3, 5);
SELECT rounded(threads, refused_ratio) AS "threads, refused"
FROM pool_advisor.thread_pool_forecast(1e300, 1e6, 1, 100000, 10);

-- arguments that make no sense
\set VERBOSITY sqlstate
\set SHOW_CONTEXT never
SELECT pool_advisor.pool_forecast(-1, 1, 1);
SELECT pool_advisor.pool_forecast('NaN', 1, 1);
SELECT pool_advisor.pool_forecast('Infinity', 1, 1);
SELECT pool_advisor.pool_forecast(1, 0, 1);
SELECT pool_advisor.pool_forecast(1, -1, 1);
SELECT pool_advisor.pool_forecast(1, 'NaN', 1);
SELECT pool_advisor.pool_forecast(1, 'Infinity', 1);
SELECT pool_advisor.pool_forecast(1, 1, 0);
SELECT pool_advisor.pool_forecast(1, 1, -1);
SELECT pool_advisor.pool_forecast(1, 1, 1000001);
SELECT pool_advisor.pool_forecast(1, 1, 9223372036854775807);
SELECT pool_advisor.pool_forecast(1, 1, 1, -2);
SELECT pool_advisor.pool_forecast(1, 1, 1, 2147483649);
SELECT pool_advisor.pool_forecast(1, 1e308, 1, 2147483648);
SELECT pool_advisor.thread_pool_forecast(-1, 1, 1, 1, 1);
SELECT pool_advisor.thread_pool_forecast(1, 0, 1, 1, 1);
SELECT pool_advisor.thread_pool_forecast(1, 1, -1, 1, 1);
SELECT pool_advisor.thread_pool_forecast(1, 1, 0, 0, 1);
SELECT pool_advisor.thread_pool_forecast(1, 1, 2, 1, 1);
SELECT pool_advisor.thread_pool_forecast(1, 1, 1, 1000001, 1);
SELECT pool_advisor.thread_pool_forecast(1, 1, 1, 1, -2);
SELECT pool_advisor.thread_pool_forecast(1, 1, 1, 1, 9223372036854775807);
SELECT pool_advisor.thread_pool_forecast(1, 1e308, 1, 2, 2147483648);
SELECT pool_advisor.required_size(-1, 1, 1);
SELECT pool_advisor.required_size(1, 0, 1);
SELECT pool_advisor.required_size(1, 1, 0);
SELECT pool_advisor.required_size(1, 1, 'NaN');
SELECT pool_advisor.required_size(1, 1, 'Infinity');
SELECT pool_advisor.required_size(1e9, 1, 1);
SELECT pool_advisor.required_size(1e300, 1e300, 1);
SELECT pool_advisor.explain_size(0, 1, 1);
SELECT pool_advisor.explain_size(1, 0, 1);
SELECT pool_advisor.explain_size(1, 1, 0);
SELECT pool_advisor.explain_size(1, 1, 'NaN');
SELECT pool_advisor.explain_size(1, 1, 1, 0);
SELECT pool_advisor.explain_size(1, 1, 1, 9223372036854775807);
SELECT pool_advisor.explain_size(1, 1, 1, 1, 0);
SELECT pool_advisor.explain_size(1, 1, 1, 1, 'Infinity');
SELECT pool_advisor.explain_size(9, 10, 1);
SELECT pool_advisor.explain_size(9223372036854775807, 1e7, 1);
SELECT pool_advisor.explain_size(9223372036854775807, 1e-300, 1);
\set VERBOSITY default

-- what is said then
SELECT pool_advisor.pool_forecast(1, 1, 0);
SELECT pool_advisor.thread_pool_forecast(1, 1, -1, 1, 1);
SELECT pool_advisor.explain_size(0, 1, 1);
SELECT pool_advisor.pool_forecast(1, 1, 1000001);
SELECT pool_advisor.pool_forecast(1, 1, 1, -2);
SELECT pool_advisor.pool_forecast(1, 1e308, 1, 2147483648);
SELECT pool_advisor.thread_pool_forecast(1, 1, 2, 1, 1);
SELECT pool_advisor.required_size(1, 1, 0);
SELECT pool_advisor.required_size(1e9, 1, 1);
SELECT pool_advisor.explain_size(9, 10, 1);
SELECT pool_advisor.explain_size(9223372036854775807, 1e-300, 1);

-- NULL in, NULL out
SELECT pool_advisor.required_size(1, 1, NULL) IS NULL AS strict,
       (pool_advisor.pool_forecast(1, 1, NULL)).stable IS NULL AS strict_row,
       (SELECT count(*) FROM pool_advisor.explain_size(1, 1, NULL)) AS no_rows;

DROP FUNCTION rounded;
DROP EXTENSION pool_advisor;
