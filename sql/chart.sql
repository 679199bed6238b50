-- Drawings: arguments, bounds, encodings; what they show is in the TAP tests.
CREATE EXTENSION pool_advisor;

SELECT comes_true($$count(*) > 2 FROM pool_advisor.history WHERE resolution = '1 s' AND active_avg > 0$$);
SELECT comes_true('active_avg > 0 FROM pool_advisor.roles WHERE rolname = current_user');

-- every kind, in every size, keeps within it and ends without a blank line
SELECT kind, bool_and(lines BETWEEN 1 AND height) AS not_too_high,
       bool_and(longest <= width) AS not_too_wide, bool_and(last <> '') AS ends_with_something,
       bool_and(NOT blanks) AS no_blanks_at_the_end
FROM unnest(ARRAY['load', 'scalability', 'waits', 'roles', 'incidents']) AS kind,
     unnest(ARRAY[40, 41, 80, 133, 400]) AS width,
     unnest(ARRAY[5, 6, 7, 8, 9, 16, 100]) AS height,
     LATERAL (SELECT count(*) AS lines, max(length(line)) AS longest,
                     (array_agg(line ORDER BY n DESC))[1] AS last, bool_or(line LIKE '% ') AS blanks
              FROM pool_advisor.chart(kind, '10 min', width, height) WITH ORDINALITY AS c (line, n)) AS drawn
GROUP BY kind ORDER BY kind;

-- a drawing of what was sampled is as large as asked for
SELECT kind, count(*) AS lines, max(length(line)) = 80 AS as_wide
FROM unnest(ARRAY['load', 'waits']) AS kind, pool_advisor.chart(kind) AS line
GROUP BY kind ORDER BY kind;
SELECT count(*) FILTER (WHERE line LIKE current_user || '%') AS own_role, max(length(line)) = 80 AS as_wide
FROM pool_advisor.chart('roles') AS line;
SELECT count(*) AS default_is_load FROM pool_advisor.chart() AS line
WHERE line LIKE 'Active connections, last 10 min; %';

SELECT bool_and((SELECT left(min(line), 10) FROM pool_advisor.chart(upper(kind)) AS line WHERE line ~ '^[A-Z]') =
                (SELECT left(min(line), 10) FROM pool_advisor.chart(kind) AS line WHERE line ~ '^[A-Z]')) AS in_either_case
FROM unnest(ARRAY['load', 'scalability', 'waits', 'roles', 'incidents']) AS kind;

-- periods from a second to all there is; what goes beyond that is cut
SELECT period, split_part((SELECT line FROM pool_advisor.chart('load', period::interval) AS line LIMIT 1), ';', 1) AS title
FROM unnest(ARRAY['30 s', '90 s', '15 min', '90 min', '6 hours', '1 day', '3 days 12:00', '14 days', '1 month', '100 years']) AS period;
SELECT count(*) FILTER (WHERE line ~ 'mean') AS drawn_from_shorter_intervals
FROM pool_advisor.chart('load', '14 days') AS line;

-- ticks are the session's wall clock
CREATE FUNCTION ticks(zone text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('timezone', zone, true);
    RETURN (SELECT array_agg(to_char(tick[1]::time - CASE zone WHEN 'UTC' THEN '0' ELSE '5:30' END::interval, 'HH24:MI:SS'))
            FROM pool_advisor.chart('load', '1 min') AS line, regexp_matches(line, '\d\d:\d\d:\d\d', 'g') AS tick);
END $$;
SELECT comes_true($$ticks('UTC') = ticks('Asia/Kolkata')$$);
DROP FUNCTION ticks;

-- a client or a database in another encoding gets ASCII, and no error
SELECT current_database() AS db \gset
CREATE DATABASE regress_padv_utf8 TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
CREATE DATABASE regress_padv_latin1 TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C';
CREATE DATABASE regress_padv_ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C';
\set kinds 'unnest(ARRAY[''load'', ''scalability'', ''waits'', ''roles'', ''incidents'']) AS kind'
\set ascii 'SELECT current_database(), getdatabaseencoding(), bool_and(line ~ ''^[ -~]*$'') AS ascii FROM :kinds, pool_advisor.chart(kind) AS line'
\c regress_padv_utf8
CREATE EXTENSION pool_advisor;
SET client_encoding = 'UTF8';
:ascii;
SET client_encoding = 'LATIN1';
:ascii;
SET client_encoding = 'SQL_ASCII';
:ascii;
\c regress_padv_latin1
CREATE EXTENSION pool_advisor;
SET client_encoding = 'UTF8';
:ascii;
\c regress_padv_ascii
CREATE EXTENSION pool_advisor;
SET client_encoding = 'UTF8';
:ascii;
\c :db
DROP DATABASE regress_padv_utf8;
DROP DATABASE regress_padv_latin1;
DROP DATABASE regress_padv_ascii;

-- arguments that make no sense
\set VERBOSITY sqlstate
\set SHOW_CONTEXT never
SELECT pool_advisor.chart('pie');
SELECT pool_advisor.chart('');
SELECT pool_advisor.chart('loads');
SELECT pool_advisor.chart('load', '0 s');
SELECT pool_advisor.chart('load', '-10 min');
SELECT pool_advisor.chart('load', '999 ms');
SELECT pool_advisor.chart('load', '1 month -31 days');
SELECT pool_advisor.chart(width => 39);
SELECT pool_advisor.chart(width => 401);
SELECT pool_advisor.chart(width => -2147483648);
SELECT pool_advisor.chart(height => 4);
SELECT pool_advisor.chart(height => 101);
SELECT pool_advisor.chart(NULL);
SELECT pool_advisor.chart('load', NULL);
SELECT pool_advisor.chart(width => NULL);
SELECT pool_advisor.chart(height => NULL);
\set VERBOSITY default

-- what is said then
SELECT pool_advisor.chart('pie');
SELECT pool_advisor.chart('load', '0 s');
SELECT pool_advisor.chart(width => 39);
SELECT pool_advisor.chart(height => 101);
SELECT pool_advisor.chart(period => NULL);

DROP EXTENSION pool_advisor;
