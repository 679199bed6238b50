-- What to set in the pool in front of the server.
CREATE EXTENSION pool_advisor;

-- without a load nothing is advised; what else runs here is none
SELECT pool_advisor.reset('scalability');
SELECT comes_true('pool_size IS NULL AND session_pool_size IS NULL AND busy_ratio IS NULL
                   AND pool_size_as_of IS NULL AND optimal > 0 FROM pool_advisor.status');
SELECT count(*) FROM pool_advisor.explain() AS e WHERE e LIKE 'Pool size: not known, as no load was measured%';
SELECT setting, value FROM pool_advisor.client_config('hikaricp', 4);
SELECT count(*) FROM pool_advisor.metrics WHERE name ~ 'pool_size|busy_ratio';

-- as many as the server has, so that pool_size is that whatever is measured
ALTER SYSTEM SET pool_advisor.optimal = 37;
SELECT pg_reload_conf();
SELECT comes_true('optimal = 37 AND pool_size = 37 FROM pool_advisor.status');
SELECT setting, value, reason ~ 'The optimum 37 is by setting, confidence low.$' AS says_so
FROM pool_advisor.client_config('hikaricp') LIMIT 1;

-- every system: what is to be set, then the notes
SELECT system, setting, value
FROM unnest(ARRAY['hikaricp', 'spring_boot', 'dbcp2', 'tomcat', 'c3p0', 'pgbouncer', 'pgpool', 'outsystems', 'omero', 'wso2',
                  'sqlalchemy', 'psycopg_pool', 'asyncpg', 'go', 'pgx', 'rails', 'sequel', 'django', 'django_persistent',
                  'node-postgres', 'knex', 'sequelize', 'prisma', 'prisma_engine', 'r2dbc', 'npgsql', 'pgcat', 'odyssey', 'supavisor', 'rds_proxy']) AS system,
     pool_advisor.client_config(system, processes => 4)
WHERE setting NOT IN ('evidence', 'caution', 'session pool');
SELECT setting, value FROM pool_advisor.client_config('PgBouncer', share => 0.5)
WHERE setting NOT IN ('evidence', 'caution');

-- the reasons, with what is measured taken out
SELECT setting, value,
       regexp_replace(reason, 'busy_ratio .* = (session_)?pool_size', 'busy_ratio ... = \1pool_size') AS reason
FROM pool_advisor.client_config('hikaricp', 4, 1.0, 20)
WHERE setting NOT IN ('evidence', 'caution', 'session pool');
SELECT setting, value,
       regexp_replace(reason, 'busy_ratio .* = (session_)?pool_size', 'busy_ratio ... = \1pool_size') AS reason
FROM pool_advisor.client_config('wso2', 2, 1.0, connections_per_thread => 2) WHERE setting ~ 'core|queue|next';

-- one connection each is the least; the floor may be more; both may be too many
SELECT setting, value,
       regexp_replace(reason, 'busy_ratio .* = (session_)?pool_size', 'busy_ratio ... = \1pool_size') AS reason
FROM pool_advisor.client_config('rails', 50) WHERE setting IN ('pool', 'next limit');
SELECT setting, value,
       regexp_replace(reason, 'busy_ratio .* = (session_)?pool_size', 'busy_ratio ... = \1pool_size') AS reason
FROM pool_advisor.client_config('go', 4, 0.5, 8, 3)
WHERE setting IN ('SetMaxOpenConns', 'deadlock floor', 'next limit');

-- a load is measured, and remembered; a commit in a loop is a transaction
ALTER SYSTEM RESET pool_advisor.optimal;
SELECT pg_reload_conf();
SELECT comes_true('optimal_method <> ''setting'' FROM pool_advisor.status');
CREATE TABLE a_load (n int);
DO $$
BEGIN
    FOR try IN 1..20000 LOOP
        FOR i IN 1..2000 LOOP
            INSERT INTO a_load VALUES (i);
            COMMIT;
        END LOOP;
        EXIT WHEN (SELECT pool_size IS NOT NULL FROM pool_advisor.status);
    END LOOP;
END $$;
DROP TABLE a_load;
SELECT pool_size >= optimal AS not_less, session_pool_size >= pool_size AS nor_this,
       pool_size = ceil(optimal / busy_ratio) AS redone, pool_size_as_of <= sampled_at AS measured
FROM pool_advisor.status;
SELECT setting, value <> '' AS has_a_value FROM pool_advisor.client_config('pgbouncer') WHERE setting !~ 'caution|next|place';
SELECT count(*) FROM pool_advisor.explain() AS e WHERE e LIKE 'Busiest load, measured %';
SELECT count(*) FROM pool_advisor.metrics WHERE name ~ 'pool_size|busy_ratio';
ALTER SYSTEM SET pool_advisor.optimal = 37;
SELECT pg_reload_conf();
SELECT comes_true('optimal = 37 AND pool_size = 37 FROM pool_advisor.status');

-- the arithmetic, done again from what the view says
SELECT status.pool_size = ceil(status.optimal / status.busy_ratio) OR status.pool_size = 37 AS redone
FROM pool_advisor.status;
SELECT count(*) AS combinations,
       count(*) FILTER (WHERE value::bigint * processes > share * 37 AND value::bigint > 1) AS over_the_share
FROM generate_series(1, 9) AS processes, unnest(ARRAY[0.1, 0.25, 0.7, 1]) AS share,
     pool_advisor.client_config('sqlalchemy', processes, share)
WHERE setting = 'pool_size';

-- bad arguments
SELECT * FROM pool_advisor.client_config('gopher');
SELECT * FROM pool_advisor.client_config(NULL);
SELECT * FROM pool_advisor.client_config('go', 0);
SELECT * FROM pool_advisor.client_config('go', -1);
SELECT * FROM pool_advisor.client_config('go', 1000001);
SELECT * FROM pool_advisor.client_config('go', 1, 1.5);
SELECT * FROM pool_advisor.client_config('go', 1, 0);
SELECT * FROM pool_advisor.client_config('go', 1, 'NaN');
SELECT * FROM pool_advisor.client_config('go', 1, NULL);
SELECT * FROM pool_advisor.client_config('go', 1, 1, 0);
SELECT * FROM pool_advisor.client_config('go', 1, 1, 8, 0);
SELECT * FROM pool_advisor.client_config('go', connections_per_thread => 2);

ALTER SYSTEM RESET pool_advisor.optimal;
SELECT pg_reload_conf();
DROP EXTENSION pool_advisor;
