-- The pools in front of the server, as declared: table, budget and advice.
CREATE EXTENSION pool_advisor;
CREATE ROLE regress_padv_web LOGIN;
CREATE ROLE regress_padv_planner;

-- as many as the server has, so that pool_size is that whatever is measured
ALTER SYSTEM SET pool_advisor.optimal = 37;
SELECT pg_reload_conf();
SELECT comes_true('optimal = 37 AND pool_size = 37 FROM pool_advisor.status');

-- none is declared, and there is no row about any
SELECT count(*) FROM pool_advisor.budget WHERE scope ~ '^pool';

SELECT pool_advisor.declare_pool('web', 'HikariCP', 4, 5, 'regress_padv_web');
SELECT pool_advisor.declare_pool('batch', 'sqlalchemy', 1, 15, database => 'postgres');
SELECT * FROM pool_advisor.declared_pools ORDER BY name;
SELECT scope, name, sessions, committed, available, verdict FROM pool_advisor.budget
WHERE scope ~ '^pool';
SELECT scope AS first FROM pool_advisor.budget LIMIT 1;
SELECT code FROM pool_advisor.advice WHERE subject = 'pools';

-- anew, as another; sessions are those of the role
SELECT pool_advisor.declare_pool('batch', 'go', 1, 10, session_user);
SELECT comes_true('sessions > 0 FROM pool_advisor.roles WHERE rolname = session_user');
SELECT comes_true($$sessions = (SELECT sum(sessions) FROM pool_advisor.roles
                                WHERE rolname IN (SELECT role FROM pool_advisor.declared_pools))
    FROM pool_advisor.budget WHERE scope = 'pools'$$);
SELECT pool_advisor.declare_pool('a second of that role', 'go', 1, 1, session_user);
SELECT comes_true($$s.sessions = p.sessions AND s.committed = p.committed + 21
    FROM pool_advisor.budget s, pool_advisor.budget p
    WHERE s.scope = 'pools' AND p.name = 'batch'$$) AS role_counted_once;
SELECT pool_advisor.forget_pool('a second of that role');

-- too many for the server, then far more than help
SELECT pool_advisor.declare_pool('web', 'hikaricp', 6, 5, 'regress_padv_web');
SELECT name, committed, verdict FROM pool_advisor.budget WHERE scope ~ '^pool';
SELECT severity, code, finding, recommendation, fix FROM pool_advisor.advice WHERE subject = 'pools' \gx
SELECT pool_advisor.declare_pool('web', 'hikaricp', 13, 5, 'regress_padv_web');
SELECT severity, code, finding, recommendation, fix FROM pool_advisor.advice WHERE subject = 'pools' \gx
SELECT rtrim(fix, ';') AS fix FROM pool_advisor.advice WHERE code = 'pools_larger_than_helps' \gset
SELECT * FROM (:fix) AS fix WHERE setting NOT IN ('evidence', 'caution', 'session pool');
SELECT array_agg(rank) = array_agg(rank ORDER BY rank) AS worst_first
FROM (SELECT array_position(ARRAY['critical', 'warning', 'info'], severity) AS rank
      FROM pool_advisor.advice) AS ranks;

-- what is refused
SELECT pool_advisor.declare_pool('', 'go', 1, 1);
SELECT pool_advisor.declare_pool(repeat('x', 101), 'go', 1, 1);
SELECT pool_advisor.declare_pool('   ', 'go', 1, 1);
SELECT pool_advisor.declare_pool(E' \n\r\n', 'go', 1, 1);
SELECT pool_advisor.declare_pool(E'\t', 'go', 1, 1);
SELECT pool_advisor.declare_pool(NULL, 'go', 1, 1);
SELECT pool_advisor.declare_pool('x', 'gopher', 1, 1);
SELECT pool_advisor.declare_pool('x', NULL, 1, 1);
SELECT pool_advisor.declare_pool('x', 'go', 0, 1);
SELECT pool_advisor.declare_pool('x', 'go', 1, -1);
SELECT pool_advisor.declare_pool('x', 'go', 9223372036854775807, 9223372036854775807);
SELECT pool_advisor.declare_pool('x', 'go', 1, NULL);
SELECT pool_advisor.declare_pool('x', 'go', 1, 1, 'regress_padv_nobody');
SELECT pool_advisor.declare_pool('x', 'go', 1, 1, 'pg_monitor');
SELECT pool_advisor.declare_pool('x', 'go', 1, 1, 'regress_padv_planner');
SELECT pool_advisor.declare_pool('x', 'go', 1, 1, database => 'regress_padv_nowhere');
SELECT pool_advisor.forget_pool('x');
SELECT pool_advisor.forget_pool(NULL);
INSERT INTO pool_advisor.declared_pools VALUES ('x', 'go', 0, 1);
INSERT INTO pool_advisor.declared_pools VALUES ('x', 'it''s', 1, 1);

-- names are data
SELECT pool_advisor.declare_pool($$'); DROP TABLE pool_advisor.declared_pools; --$$, 'go', 1000000, 1000000);
SELECT count(*) FROM pool_advisor.declared_pools;
SELECT committed FROM pool_advisor.budget WHERE scope = 'pools';
SELECT fix FROM pool_advisor.advice WHERE code = 'pools_exceed_connections';
SELECT pool_advisor.forget_pool($$'); DROP TABLE pool_advisor.declared_pools; --$$);

-- EXECUTE can be granted, and is enough; a search path of the caller's changes nothing
SET ROLE regress_padv_planner;
SELECT pool_advisor.declare_pool('web', 'go', 1, 1);
RESET ROLE;
GRANT EXECUTE ON FUNCTION pool_advisor.declare_pool, pool_advisor.forget_pool TO regress_padv_planner;
CREATE SCHEMA regress_padv_hijack;
GRANT USAGE ON SCHEMA regress_padv_hijack TO PUBLIC;
CREATE FUNCTION regress_padv_hijack.texteq(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR regress_padv_hijack.= (LEFTARG = text, RIGHTARG = text, FUNCTION = regress_padv_hijack.texteq);
SET ROLE regress_padv_planner;
SET search_path = regress_padv_hijack, pg_catalog;
SELECT pool_advisor.declare_pool('planned', 'go', 1, 1);
SELECT pool_advisor.forget_pool('web');
SELECT * FROM pool_advisor.declared_pools;
INSERT INTO pool_advisor.declared_pools VALUES ('x', 'go', 1, 1);
RESET search_path;
RESET ROLE;
SELECT name FROM pool_advisor.declared_pools ORDER BY name;
DROP SCHEMA regress_padv_hijack CASCADE;

-- pg_dump keeps the rows
SELECT extconfig = ARRAY['pool_advisor.declared_pools'::regclass::oid] AS dumped, extcondition
FROM pg_extension WHERE extname = 'pool_advisor';

ALTER SYSTEM RESET pool_advisor.optimal;
SELECT pg_reload_conf();
DROP OWNED BY regress_padv_planner;
DROP ROLE regress_padv_web, regress_padv_planner;
DROP EXTENSION pool_advisor;
