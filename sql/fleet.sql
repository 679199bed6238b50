-- Several servers: what is printed for them, and what their pools add up to.
CREATE EXTENSION pool_advisor;

-- the text for the hub, without the columns of the views, which the catalog has
\a
\t
SELECT regexp_replace(pool_advisor.fleet_config('postgres_fdw', ARRAY[
    'node1=host=10.0.0.1 dbname=postgres user=monitoring',
    'node2=host=/run dbname=''my db'' user=monitoring password=''it\''s'' options='''' connect_timeout=5']),
    '(CREATE TABLE pool_advisor_fleet\."_[a-z]+" \()[^;]*(\);)', '\1...\2', 'g');
SELECT regexp_replace(pool_advisor.fleet_config('plproxy', ARRAY['node1=host=10.0.0.1 password=''it\''s a \\''']),
    '^.*(INSERT INTO pool_advisor_fleet.nodes.*?;\n).*(CREATE FUNCTION pool_advisor_fleet."_remote_status".*?;\n).*$', '\1\2');
SELECT pool_advisor.fleet_config('Prometheus', ARRAY['node.1=host=10.0.0.1', 'node-2=host=/run']);
\t
\a

-- every view of ours that a fleet shows is there, with all of its columns
SELECT string_agg(view, ' ' ORDER BY view) AS views
FROM (SELECT substring(line FROM '^CREATE VIEW pool_advisor_fleet\."fleet_(\w+)"') AS view
      FROM regexp_split_to_table(pool_advisor.fleet_config('postgres_fdw', '{n=host=x}'), '\n') AS line) AS views
WHERE view <> 'pools';
SELECT c.relname, a.attname
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'pool_advisor'::regnamespace AND c.relname IN ('status', 'advice', 'roles', 'limits', 'gate')
    AND position(format(E'\n    "%s" ', a.attname) IN pool_advisor.fleet_config('postgres_fdw', '{n=host=x}')) = 0;

-- jobs above 20 nodes
SELECT count(*) FROM regexp_matches(pool_advisor.fleet_config('postgres_fdw',
    (SELECT array_agg('n' || n || '=host=h' || n) FROM generate_series(1, 21) AS n)), 'cron\.schedule', 'g');
SELECT count(*) FROM regexp_matches(pool_advisor.fleet_config('postgres_fdw',
    (SELECT array_agg('n' || n || '=host=h' || n) FROM generate_series(1, 20) AS n)), 'cron\.schedule', 'g');

-- bad input
SELECT pool_advisor.fleet_config('citus', '{n=host=x}');
SELECT pool_advisor.fleet_config(NULL, '{n=host=x}');
SELECT pool_advisor.fleet_config('plproxy', NULL);
SELECT pool_advisor.fleet_config('plproxy', '{}');
SELECT pool_advisor.fleet_config('plproxy', (SELECT array_agg('n' || n || '=host=x') FROM generate_series(1, 33) AS n));
SELECT pool_advisor.fleet_config('plproxy', '{n=host=x,NULL}');
SELECT pool_advisor.fleet_config('plproxy', '{n=host=x,m=host=x,n=host=y}');
SELECT pool_advisor.fleet_config('plproxy', '{"n;DROP TABLE x;=host=x"}');
SELECT pool_advisor.fleet_config('plproxy', '{n}');
SELECT pool_advisor.fleet_config('plproxy', '{n=}');
SELECT pool_advisor.fleet_config('plproxy', ARRAY['n=password=secret host']);
SELECT pool_advisor.fleet_config('plproxy', ARRAY['n=password=''secret']);
SELECT pool_advisor.fleet_config('plproxy', ARRAY['n=secret=1']);
SELECT pool_advisor.fleet_config('plproxy', ARRAY['n=postgresql://monitoring:secret@h/postgres']);
SELECT pool_advisor.fleet_config('plproxy', ARRAY[E'n=host=x\nDROP']);

-- what pools add up to
SELECT * FROM pool_advisor.fleet_budget(4, 1, 10, 1, 2, '{97}', '{40}');
SELECT * FROM pool_advisor.fleet_budget(app_servers => 4, pools => 1, max_pool_size => 10, nodes => 2,
    read_pools => 2, usable_connections => '{97,77}', pool_sizes => '{40,NULL}');
SELECT * FROM pool_advisor.fleet_budget(4, 1, 10, 4, 2, '{97,NULL,77,60}', '{NULL}');
SELECT situation, node, connections, usable = (SELECT usable_connections FROM pool_advisor.status) AS own
FROM pool_advisor.fleet_budget(1, 0, 10, 2, 1);
SELECT * FROM pool_advisor.fleet_budget(0, 1, 10, 1);
SELECT * FROM pool_advisor.fleet_budget(1, -1, 10, 1);
SELECT * FROM pool_advisor.fleet_budget(1, 1, 0, 1);
SELECT * FROM pool_advisor.fleet_budget(1, 1, 10, 0);
SELECT * FROM pool_advisor.fleet_budget(1, 1, 10, 1001);
SELECT * FROM pool_advisor.fleet_budget(1, 1, 10, NULL);
SELECT * FROM pool_advisor.fleet_budget(1, 1, 10, 2, NULL);
SELECT * FROM pool_advisor.fleet_budget(1, 1, 10, 2, 1, '{1,2,3}');
SELECT * FROM pool_advisor.fleet_budget(1, 1, 10, 2, 1, '{}');
SELECT * FROM pool_advisor.fleet_budget(1, 1, 10, 2, 1, '{1,-2}');
SELECT * FROM pool_advisor.fleet_budget(1000000, 1000000, 1000000, 2, 1000000, '{37}', '{NULL}');

-- the line for HAProxy
SELECT pool_advisor.agent_check() ~ '^up (100|[1-9][0-9]?)% maxconn:[1-9][0-9]*$' AS line;
SELECT pool_advisor.agent_check(0) ~ '^up 0%' AS a_primary_lags;
SELECT split_part(pool_advisor.agent_check(proxies => 1000000), ' ', 3) AS one_of_many;
SELECT pool_advisor.agent_check(-1);
SELECT pool_advisor.agent_check('NaN');
SELECT pool_advisor.agent_check('Infinity');
SELECT pool_advisor.agent_check(1, 0);
SELECT pool_advisor.agent_check(1, NULL);

-- every role may ask for its share
CREATE ROLE regress_padv_app LOGIN;
SET SESSION AUTHORIZATION regress_padv_app;
SELECT (connections IS NULL) = (reason ~ '^(No load|Sampling)') AS number_or_reason FROM pool_advisor.my_share();
RESET SESSION AUTHORIZATION;
DROP ROLE regress_padv_app;

DROP EXTENSION pool_advisor;
